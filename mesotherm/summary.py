"""What a person wants to know of a result, read off the dataset alone: for the terminal, reports and other programs."""

import dataclasses
import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import xarray as xr

from mesotherm.labels import OF_ERRORS
from mesotherm.results import Outcome
from mesotherm.thermodynamics import FURTHER_LAWS, LAWS

MOST_LISTED = 10
"""Failed points listed by name; the rest are counted."""


TABLE_TRUSTED = 0.01
"""Share of a result that a table may leave open without a warning."""


@dataclasses.dataclass(frozen=True)
class Extreme:
    """A value and where on the grid it is."""

    value: float
    place: str


@dataclasses.dataclass(frozen=True)
class Headline:
    """One number per point: its smallest and largest value, and the largest error, of which ``error_kind`` says whether
    it is a bound (""), "estimated" or "standard"."""

    name: str
    unit: str
    smallest: Extreme | None
    largest: Extreme | None
    largest_error: float | None
    error_kind: str = ""

    @property
    def error(self) -> str:
        """The largest error as a text, empty where nothing is known."""
        return "" if self.largest_error is None else f"{self.largest_error:.1e} {self.error_kind}".rstrip()


ERROR_KINDS = {"error_": "", "standard_error_": "standard", "estimate_": "estimated"}
"""What errors are by how the names of their variables begin; the first that a dataset has is told."""


@dataclasses.dataclass(frozen=True)
class Strain:
    """An assumption of the theory: the largest value of what must be small, and how many states exceed the limit."""

    sentence: str
    limit: float
    largest: Extreme
    beyond: int
    states: int

    @property
    def warning(self) -> str:
        """What to tell; empty where the assumption is met."""
        if not self.beyond:
            return ""
        place = f" at {self.largest.place}" if self.largest.place else ""
        return (
            f"assumption strained: {self.sentence} is {self.largest.value:.3g}{place}, trusted up to {self.limit:g}; "
            f"{self.beyond} of {self.states} states are beyond."
        )


def outcomes(dataset: xr.Dataset) -> dict[Outcome, int]:
    """How many states ended how."""
    codes, counts = np.unique(dataset.status.values, return_counts=True)
    return {Outcome(int(code)): int(count) for code, count in zip(codes, counts, strict=True)}


def all_fine(dataset: xr.Dataset) -> bool:
    """Whether every state converged and obeys every law."""
    return bool((dataset.status == 0).all() and (worst_violations(dataset) <= 1).all())


def worst_violations(dataset: xr.Dataset) -> xr.DataArray:
    """For each law the largest residual over the grid, as a fraction of what is allowed; states without numbers are
    left out (their status tells)."""
    others = [dim for dim in dataset.law_violation.dims if dim != "law"]
    return dataset.law_violation.fillna(0.0).max(others)


def laws(dataset: xr.Dataset) -> list[tuple[str, float, bool]]:
    """(sentence, worst residual over allowed, holds) of every law."""
    rows, known = zip(dataset.law.values, worst_violations(dataset).values, strict=True), LAWS | FURTHER_LAWS
    return [(known[str(name)].sentence, float(worst), bool(worst <= 1)) for name, worst in rows]


def strains(dataset: xr.Dataset) -> list[Strain]:
    """Every assumption of the theory; none where the dataset has none."""
    if "assumption_value" not in dataset:
        return []
    described = dataset.assumption.attrs
    found = []
    for position, (sentence, limit) in enumerate(
        zip(np.atleast_1d(described["sentences"]), np.atleast_1d(described["limits"]), strict=True)
    ):
        values = dataset.assumption_value.isel(assumption=position, drop=True)
        if (largest := _extreme(values, np.nanargmax)) is not None:
            beyond = int((values > limit).sum())
            found.append(Strain(str(sentence), float(limit), largest, beyond, values.size))
    return found


def table_warnings(dataset: xr.Dataset) -> list[str]:
    """Results that a tabulated transmission leaves open by more than ``TABLE_TRUSTED`` of their largest value."""
    told = []
    for name in map(str, dataset.data_vars):
        estimate = dataset.get(f"estimate_table_{name}")
        if estimate is None or not np.isfinite(estimate).any() or not np.isfinite(dataset[name]).any():
            continue
        share = float(np.nanmax(estimate)) / (float(np.nanmax(np.abs(dataset[name]))) or np.inf)
        if share > TABLE_TRUSTED:
            told.append(
                f"the table leaves {name} open by up to {share:.2g} of its largest value (estimate_table_{name}); "
                "give rows closer together, or over a wider range of energies."
            )
    return told


def misread(dataset: xr.Dataset) -> list[str]:
    """Where numbers are easily misunderstood, as their variables say."""
    told = []
    for variable in dataset.data_vars.values():
        if (warning := variable.attrs.get("warning")) and (count := int((variable.fillna(0) != 0).sum())):
            told.append(f"at {count} of {variable.size} points {warning}")
    return told


def warnings(dataset: xr.Dataset) -> list[str]:
    """What a reader must know before using the numbers."""
    strained = [strain.warning for strain in strains(dataset) if strain.warning]
    return [*strained, *table_warnings(dataset), *misread(dataset)]


def failed_points(dataset: xr.Dataset) -> list[str]:
    """The first states that did not converge, with their coordinates."""
    where = np.argwhere(dataset.status.values != 0)
    if not len(where):
        return []
    lines = [f"{len(where)} of {dataset.status.size} states did not converge:"]
    for index in where[:MOST_LISTED]:
        outcome = Outcome(int(dataset.status.values[tuple(index)]))
        place = _place(dataset, dict(zip(dataset.status.dims, index, strict=True)))
        lines.append(f"  {place or 'the only point'}: {outcome.label}")
    if len(where) > MOST_LISTED:
        lines.append(f"  and {len(where) - MOST_LISTED} more; see status in the dataset.")
    return lines


def grid(dataset: xr.Dataset) -> dict[str, int]:
    """Swept dimensions and their sizes."""
    return {str(name): coord.size for name, coord in dataset.coords.items() if "parameter" in coord.attrs}


def headlines(dataset: xr.Dataset) -> list[Headline]:
    """Every number per point."""
    found = []
    for name, values, error, kind in _scalars(dataset):
        known = None if error is None else np.asarray(error)[np.isfinite(values) & np.isfinite(error)]
        largest_error = None if known is None or not known.size else float(np.max(known))
        unit = str(values.attrs.get("units", "1"))
        smallest, largest = _extreme(values, np.nanargmin), _extreme(values, np.nanargmax)
        found.append(Headline(name, unit, smallest, largest, largest_error, kind))
    return found


def as_json(dataset: xr.Dataset) -> dict[str, Any]:
    """All of it for another program."""
    return {
        "title": str(dataset.attrs["title"]),
        "device": str(dataset.attrs["device"]),
        "experiment": str(dataset.attrs["experiment"]),
        "grid": grid(dataset),
        "states": {outcome.label: count for outcome, count in outcomes(dataset).items()},
        "fine": all_fine(dataset),
        "quantities": [dataclasses.asdict(headline) for headline in headlines(dataset)],
        "laws": [{"law": sentence, "violation": worst, "holds": holds} for sentence, worst, holds in laws(dataset)],
        "warnings": warnings(dataset),
        "failed": failed_points(dataset)[1:],
        "seconds": float(dataset.attrs["seconds_total"]),
    }


def _extreme(values: xr.DataArray, choose) -> Extreme | None:
    if not np.isfinite(values).any():
        return None
    position = int(choose(np.where(np.isfinite(values), values, np.nan)))
    index = dict(zip(values.dims, np.unravel_index(position, values.shape), strict=True))
    return Extreme(float(values.values.flat[position]) + 0.0, _place(values, index))  # no negative zero


def _place(data: xr.Dataset | xr.DataArray, index: dict) -> str:
    """Coordinates of a position on the grid: "T_hot = 20 mK, direction = forward"."""
    written = []
    for dim, position in index.items():
        coordinate = data[dim]
        value = coordinate.values[position]
        unit = str(coordinate.attrs.get("units", "1"))
        unit = "" if unit == "1" or "energy" in unit else f" {unit}"
        written.append(f"{dim} = {value:.6g}{unit}" if isinstance(value, float) else f"{dim} = {value}")
    return ", ".join(written)


LEFT_OUT = ("status", "law_violation", "assumption_value", "energy_current", "reservoir_entropy_change")
"""Told elsewhere, or of little use as a headline."""

LABELLED = ("direction", "terminal", "probe")
"""Dimensions whose entries are numbers per point of their own."""


def _scalars(dataset: xr.Dataset) -> Iterator[tuple[str, xr.DataArray, xr.DataArray | None, str]]:
    """Every number per point, with its error: name, values over the grid, errors, and what these are."""
    swept = tuple(grid(dataset))
    for name, variable in dataset.data_vars.items():
        name = str(name)
        extra = [str(dim) for dim in variable.dims if dim not in swept]
        told = name in LEFT_OUT or "flag_values" in variable.attrs
        if told or name.startswith(tuple(OF_ERRORS)) or not set(extra) <= set(LABELLED):
            continue
        kinds = (prefix for prefix in ERROR_KINDS if f"{prefix}{name}" in dataset)
        prefix = next(kinds, "error_")
        error = dataset.get(f"{prefix}{name}")
        for labels in itertools.product(*(variable[dim].values for dim in extra)):
            chosen = dict(zip(extra, labels, strict=True))
            bound = None if error is None else error.sel(chosen)
            yield " ".join([name, *map(str, labels)]), variable.sel(chosen), bound, ERROR_KINDS[prefix]
