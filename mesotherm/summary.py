"""What a person wants to know of a result, read off the dataset alone: for the terminal, reports and other programs."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
import xarray as xr

from mesotherm.results import Outcome
from mesotherm.thermodynamics import LAWS

MOST_LISTED = 10
"""Failed points listed by name; the rest are counted."""


@dataclasses.dataclass(frozen=True)
class Extreme:
    """A value and where on the grid it is."""

    value: float
    place: str


@dataclasses.dataclass(frozen=True)
class Headline:
    """One number per point: its smallest and largest value, and the largest bound on its error."""

    name: str
    unit: str
    smallest: Extreme | None
    largest: Extreme | None
    largest_error: float | None


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
    rows = zip(dataset.law.values, worst_violations(dataset).values, strict=True)
    return [(LAWS[str(name)].sentence, float(worst), bool(worst <= 1)) for name, worst in rows]


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


def failed_points(dataset: xr.Dataset) -> list[str]:
    """The first states that did not converge, with their coordinates."""
    where = np.argwhere(dataset.status.values != 0)
    if not len(where):
        return []
    lines = [f"{len(where)} of {dataset.status.size} states did not converge:"]
    for index in where[:MOST_LISTED]:
        outcome = Outcome(int(dataset.status.values[tuple(index)]))
        place = _place(dataset, dict(zip(dataset.status.dims, index, strict=True)))
        lines.append(f"  {place or 'the only point'}: {outcome.name.lower()}")
    if len(where) > MOST_LISTED:
        lines.append(f"  and {len(where) - MOST_LISTED} more; see status in the dataset.")
    return lines


def grid(dataset: xr.Dataset) -> dict[str, int]:
    """Swept dimensions and their sizes."""
    return {str(name): coord.size for name, coord in dataset.coords.items() if "parameter" in coord.attrs}


def headlines(dataset: xr.Dataset) -> list[Headline]:
    """Every number per point."""
    found = []
    for name, values, error in _scalars(dataset):
        largest_error = None if error is None or not np.isfinite(error).any() else float(np.nanmax(error))
        unit = str(values.attrs.get("units", "1"))
        smallest, largest = _extreme(values, np.nanargmin), _extreme(values, np.nanargmax)
        found.append(Headline(name, unit, smallest, largest, largest_error))
    return found


def as_json(dataset: xr.Dataset) -> dict[str, Any]:
    """All of it for another program."""
    return {
        "title": str(dataset.attrs["title"]),
        "device": str(dataset.attrs["device"]),
        "experiment": str(dataset.attrs["experiment"]),
        "grid": grid(dataset),
        "states": {outcome.name.lower(): count for outcome, count in outcomes(dataset).items()},
        "fine": all_fine(dataset),
        "quantities": [dataclasses.asdict(headline) for headline in headlines(dataset)],
        "laws": [{"law": sentence, "violation": worst, "holds": holds} for sentence, worst, holds in laws(dataset)],
        "warnings": [strain.warning for strain in strains(dataset) if strain.warning],
        "failed": failed_points(dataset)[1:],
        "seconds": float(dataset.attrs["seconds_total"]),
    }


def _extreme(values: xr.DataArray, choose) -> Extreme | None:
    if not np.isfinite(values).any():
        return None
    position = int(choose(np.where(np.isfinite(values), values, np.nan)))
    index = dict(zip(values.dims, np.unravel_index(position, values.shape), strict=True))
    return Extreme(float(values.values.flat[position]), _place(values, index))


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


def _scalars(dataset: xr.Dataset) -> Iterator[tuple[str, xr.DataArray, xr.DataArray | None]]:
    """Every number per point, with its error bound: name, values over the grid, bound."""
    swept = tuple(grid(dataset))
    for name, variable in dataset.data_vars.items():
        name = str(name)
        if name == "status" or name.startswith("error_"):
            continue
        error = dataset.get(f"error_{name}")
        if variable.dims == swept:
            yield name, variable, error
        elif variable.dims == (*swept, "probe") or variable.dims == ("terminal",):
            dim = variable.dims[-1]
            for label in variable[dim].values:
                chosen = {dim: label}
                yield f"{name} {label}", variable.sel(chosen), None if error is None else error.sel(chosen)
