"""Results as a person sees them in a terminal."""

import xarray as xr
from rich.console import RenderableType
from rich.table import Table

from mesotherm.summary import Extreme, failed_points, grid, headlines, laws, outcomes, warnings


def summary(dataset: xr.Dataset, notes: list[str]) -> list[RenderableType]:
    """Title, counts, headline numbers, audit, warnings, times and ``notes``, one after the other."""
    head = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    head.add_row("device", f"{dataset.attrs['device']}, {dataset.attrs['experiment']}")
    head.add_row("points", " × ".join([str(n) for n in grid(dataset).values()] or ["1"]))
    for outcome, count in outcomes(dataset).items():
        head.add_row(outcome.label, f"{count} of {dataset.status.size} states. {outcome.sentence}")
    times = dataset.attrs
    head.add_row(
        "time",
        f"{times['seconds_total']:.1f} s: compiling {times['seconds_compiling']:.1f} s, "
        f"computing {times['seconds_computing']:.1f} s",
    )
    parts: list[RenderableType] = [str(dataset.attrs["title"]), "", head, "", _headlines(dataset), "", _laws(dataset)]
    parts += ["", *told] if (told := warnings(dataset)) else []
    parts += ["", *failures] if (failures := failed_points(dataset)) else []
    return [*parts, "", *notes]


def audit_table(dataset: xr.Dataset, notes: list[str]) -> list[RenderableType]:
    """The audit alone."""
    parts: list[RenderableType] = [str(dataset.attrs["title"]), "", _laws(dataset)]
    parts += ["", *told] if (told := warnings(dataset)) else []
    parts += ["", *failures] if (failures := failed_points(dataset)) else []
    return [*parts, *(["", *notes] if notes else [])]


def _headlines(dataset: xr.Dataset) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    several = dataset.attrs["points"] > 1
    columns = (
        ("", "unit", "smallest", "at", "largest", "at") if several else ("", "unit", "value", _errors_are(dataset))
    )
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column in ("", "unit"))
    for line in headlines(dataset):
        if line.smallest is None or line.largest is None:
            table.add_row(line.name, line.unit, "none")
        elif several:
            table.add_row(line.name, line.unit, *_cells(line.smallest), *_cells(line.largest))
        else:
            table.add_row(line.name, line.unit, f"{line.largest.value:.12g}", line.error)
    return table


def _errors_are(dataset: xr.Dataset) -> str:
    """The heading of errors: bounds, unless the experiment has none."""
    return "bound on its error" if any(not line.error_kind for line in headlines(dataset)) else "error"


def _cells(extreme: Extreme) -> tuple[str, str]:
    return f"{extreme.value:.6g}", extreme.place


def _laws(dataset: xr.Dataset) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("law", no_wrap=True)
    table.add_column("worst residual / allowed", justify="right")
    table.add_column("holds")
    for sentence, worst, holds in laws(dataset):
        table.add_row(sentence, f"{worst:.2g}", "yes" if holds else "NO")
    return table
