"""What a person reads at the end of a run, from the dataset alone."""

from collections.abc import Iterator

import numpy as np
import xarray as xr
from rich.console import Console, Group, RenderableType
from rich.table import Table

from mesotherm.results import Outcome
from mesotherm.thermodynamics import LAWS

MOST_LISTED = 10
"""Failed points listed by name; the rest are counted."""


def summary(dataset: xr.Dataset, notes: list[str]) -> Group:
    """Title, counts, headline numbers, audit, times and ``notes``, for printing."""
    title = str(dataset.attrs["title"])
    head = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    head.add_row("device", f"{dataset.attrs['device']}, {dataset.attrs['experiment']}")
    head.add_row("points", " × ".join([str(n) for n in _grid(dataset).values()] or ["1"]))
    for outcome, count in outcomes(dataset).items():
        head.add_row(outcome.name.lower(), f"{count} of {dataset.status.size} states. {outcome.sentence}")
    times = dataset.attrs
    head.add_row(
        "time",
        f"{times['seconds_total']:.1f} s: compiling {times['seconds_compiling']:.1f} s, "
        f"computing {times['seconds_computing']:.1f} s",
    )
    parts: list[RenderableType] = [title, "", head, "", _headlines(dataset), "", _laws(dataset)]
    if failures := failed_points(dataset):
        parts += ["", *failures]
    return Group(*parts, "", *notes)


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


def failed_points(dataset: xr.Dataset) -> list[str]:
    """The first states that did not converge, with their coordinates."""
    where = np.argwhere(dataset.status.values != 0)
    if not len(where):
        return []
    lines = [f"{len(where)} of {dataset.status.size} states did not converge:"]
    for index in where[:MOST_LISTED]:
        outcome = Outcome(int(dataset.status.values[tuple(index)]))
        place = ", ".join(_place(dataset, dict(zip(dataset.status.dims, index, strict=True))))
        lines.append(f"  {place or 'the only point'}: {outcome.name.lower()}")
    if len(where) > MOST_LISTED:
        lines.append(f"  and {len(where) - MOST_LISTED} more; see status in the dataset.")
    return lines


def _grid(dataset: xr.Dataset) -> dict[str, int]:
    """Swept dimensions and their sizes."""
    return {str(name): coord.size for name, coord in dataset.coords.items() if "parameter" in coord.attrs}


def _place(dataset: xr.Dataset, index: dict) -> Iterator[str]:
    for dim, position in index.items():
        value = dataset[dim].values[position]
        yield f"{dim} = {value:.6g}" if isinstance(value, float) else f"{dim} = {value}"


def _scalars(dataset: xr.Dataset) -> Iterator[tuple[str, xr.DataArray, xr.DataArray | None]]:
    """Every number per point, with its error bound: name, values over the grid, bound."""
    swept = tuple(_grid(dataset))
    for name, variable in dataset.data_vars.items():
        name = str(name)
        if name == "status" or name.startswith("error_"):
            continue
        error = dataset.get(f"error_{name}")
        if variable.dims == swept:
            yield name, variable, error
        elif variable.dims == (*swept, "probe"):
            for probe in variable.probe.values:
                chosen = {"probe": probe}
                yield f"{name} {probe}", variable.sel(chosen), None if error is None else error.sel(chosen)


def _headlines(dataset: xr.Dataset) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    several = dataset.attrs["points"] > 1
    for column in ("", "smallest", "at", "largest", "at") if several else ("", "value", "bound on its error"):
        table.add_column(column, overflow="fold", no_wrap=column == "")
    for name, values, error in _scalars(dataset):
        if not np.isfinite(values).any():
            table.add_row(name, "none")
        elif several:
            cells = []
            for position in (int(np.nanargmin(values)), int(np.nanargmax(values))):
                index = dict(zip(values.dims, np.unravel_index(position, values.shape), strict=True))
                cells += [f"{values.values.flat[position]:.6g}", ", ".join(_place(dataset, index))]
            table.add_row(name, *cells)
        else:
            table.add_row(name, f"{values.item():.12g}", "" if error is None else f"{error.item():.1e}")
    return table


def _laws(dataset: xr.Dataset) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("law", no_wrap=True)
    table.add_column("worst residual / allowed", justify="right")
    table.add_column("holds")
    for name, worst in zip(dataset.law.values, worst_violations(dataset).values, strict=True):
        table.add_row(LAWS[str(name)].sentence, f"{worst:.2g}", "yes" if worst <= 1 else "NO")
    return table


def print_to(console: Console, dataset: xr.Dataset, notes: list[str]):
    """Print the summary without interpreting anything in it as markup."""
    for part in summary(dataset, notes).renderables:
        console.print(part, markup=False, highlight=False)
