"""The table of a paper's checks, for reading."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from mesotherm.papers.reproduction import Check, Paper


def print_checks(console: Console, paper: Paper, checks: Sequence[Check], notes: Sequence[str]) -> None:
    """Print every check in a line, the errata behind those that differ, then ``notes``."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for column, justify in (("check", "left"), ("published", "right"), ("computed", "right"), ("", "left")):
        table.add_column(column, justify=justify, overflow="fold")
    for check in checks:
        verdict = "agrees" if check.agrees else f"differs: {check.erratum or 'NOT KNOWN'}"
        table.add_row(check.id, _shown(check.published, check), _shown(check.computed, check), verdict)
    console.print(paper.citation, markup=False, highlight=False)
    console.print(table)
    concerned = dict.fromkeys(check.erratum for check in checks if check.erratum)
    for erratum in filter(None, concerned):
        console.print(f"{erratum}: {paper.errata[erratum]}", markup=False, highlight=False)
    agreeing = sum(check.agrees for check in checks)
    console.print(f"{agreeing} of {len(checks)} claims agree.", highlight=False)
    for note in notes:
        console.print(note, markup=False, highlight=False)


def _shown(value: float | bool, check: Check) -> str:
    if check.tolerance is None:
        return "true" if value else "false"
    return f"{value:.6g}"
