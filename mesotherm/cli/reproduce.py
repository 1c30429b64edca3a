"""``mesotherm reproduce``: the figures and claims of a paper."""

import time
from pathlib import Path
from typing import Annotated

import typer

from mesotherm.cli.progress import Progress
from mesotherm.cli.shared import (
    POINTS_FAILED,
    AsJson,
    BadInputError,
    Force,
    Quiet,
    console,
    finish,
    print_json,
    versions,
)


def reproduce(
    paper: Annotated[str, typer.Argument(help="First author and year, like whitney2016.", show_default=False)],
    figure: Annotated[
        str | None, typer.Option("--figure", help="Only this figure. [default: all of them]", show_default=False)
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder; results go to OUT/PAPER.")] = Path("reproductions"),
    quiet: Quiet = False,
    as_json: AsJson = False,
    force: Force = False,
):
    """Compute the figures of a paper and check what it says.

    Writes OUT/PAPER/figN.nc (the numbers), figN.png (looking like the paper's) and checks.json: every number and every
    checkable statement of the text beside what was computed; where they differ, the erratum and its evidence. With
    --figure only that figure's files and checks are renewed.

    Exit code: 0 every claim agrees, or differs for the known reason; 2 the input is wrong (nothing is computed or
    written); 3 finished, but a point failed or a claim came out otherwise than known; 130 interrupted (nothing is
    written).
    """
    finish(
        lambda: _reproduce(paper, figure, out, quiet=quiet, as_json=as_json, force=force),
        as_json=as_json,
    )


def _reproduce(name: str, number: str | None, out: Path, *, quiet: bool, as_json: bool, force: bool) -> int:
    from mesotherm import compilation_cache
    from mesotherm.papers import PAPERS
    from mesotherm.papers.reproduction import find_paper, merged_checks
    from mesotherm.result_folder import CHECKS, refusal, write_dataset, written_whole
    from mesotherm.results import Outcome

    started = time.perf_counter()
    try:
        paper = find_paper(PAPERS, name)
        figures = paper.figures if number is None else (paper.figure(number),)
    except ValueError as error:
        raise BadInputError(str(error)) from error
    target = out / paper.name
    if reason := refusal(target, known_by=CHECKS, force=force):
        raise BadInputError(reason)
    cache_note = compilation_cache.enable()

    checks, failed = [], []
    with written_whole(target) as folder:
        for figure in figures:
            with Progress(silent=quiet or as_json, title=f"{figure.file}: ") as progress:
                datasets = figure.compute(progress)
            for stem, dataset in datasets.items():
                dataset.attrs |= {"paper": paper.citation, **versions()}
                write_dataset(dataset, folder / f"{stem}.nc")
                for status in (dataset[variable] for variable in dataset if str(variable).startswith("status")):
                    # Below zero: there is no such solution; without a drive: there is nothing to find.
                    if missed := int(((status > 0) & (status != Outcome.NO_DRIVE)).sum()):
                        failed.append(f"{stem}: {missed} of {status.size} points failed; see {status.name} in it.")
            figure.draw(datasets, folder / f"{figure.file}.png")
            checks += figure.check(datasets)
        if number is None:
            checks += paper.check()
        (folder / CHECKS).write_text(merged_checks(checks, target / CHECKS), encoding="utf-8")

    from mesotherm.papers.table import print_checks

    surprising = [f"{check.id}: not as known ({check.claim})" for check in checks if not check.expected]
    if as_json:
        print_json({"folder": str(target), "checks": [check.as_json() for check in checks], "failed": failed})
    elif not quiet:
        notes = [cache_note] if cache_note else []
        notes.append(f"written: {target} ({time.perf_counter() - started:.1f} s in all)")
        print_checks(console(), paper, checks, notes)
    for line in (*failed, *surprising):
        typer.echo(line, err=True)
    return POINTS_FAILED if failed or surprising else 0
