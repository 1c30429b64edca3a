"""The command line: ``mesotherm run FILE`` and ``mesotherm reproduce PAPER``."""

import hashlib
import os
import platform
import shlex
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from mesotherm._version import __version__

BAD_INPUT, POINTS_FAILED, INTERRUPTED = 2, 3, 130
"""Exit codes besides 0."""

WIDTH = 120
"""Columns of the summary where it does not go to a terminal."""

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool):
    if wanted:
        typer.echo(f"mesotherm {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and exit.")
    ] = False,
):
    """Nonlinear thermoelectric transport in nanodevices, every answer audited.

    A device file (TOML) says which device, which reservoirs, what is done to it and which parameters are swept; the
    folder examples/ has two to start from.
    """


@app.command()
def run(
    file: Annotated[Path, typer.Argument(help="Device file (TOML).", show_default=False)],
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for result.nc and figure.png. [default: name of the file + -result, here]"),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no summary; errors only.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Write into a folder that holds other files, too.")] = False,
):
    """Compute what a device file describes.

    Writes result.nc (netCDF: every current, its error bound, the audit, the status of each point, and the device file
    itself) and figure.png, then prints a summary.

    Exit code: 0 every point converged and obeys every law; 2 the input is wrong (nothing is computed or written);
    3 finished, but not every point is fine; 130 interrupted (nothing is written).
    """
    try:
        code = _run(file, out or Path(f"{file.stem}-result"), quiet=quiet, force=force)
    except KeyboardInterrupt:
        typer.echo("interrupted; nothing was written.", err=True)
        _leave_at_once(INTERRUPTED)
        raise
    raise typer.Exit(code)


@app.command()
def reproduce(
    paper: Annotated[str, typer.Argument(help="First author and year, like whitney2016.", show_default=False)],
    figure: Annotated[
        str | None, typer.Option("--figure", help="Only this figure. [default: all of them]", show_default=False)
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder; results go to OUT/PAPER.")] = Path("reproductions"),
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no table; errors only.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Write into a folder that holds other files, too.")] = False,
):
    """Compute the figures of a paper and check what it says.

    Writes OUT/PAPER/figN.nc (the numbers), figN.png (looking like the paper's) and checks.json: every number and every
    checkable statement of the text beside what was computed; where they differ, the erratum and its evidence. With
    --figure only that figure's files and checks are renewed.

    Exit code: 0 every claim agrees, or differs for the known reason; 2 the input is wrong (nothing is computed or
    written); 3 finished, but a point failed or a claim came out otherwise than known; 130 interrupted (nothing is
    written).
    """
    try:
        code = _reproduce(paper, figure, out, quiet=quiet, force=force)
    except KeyboardInterrupt:
        typer.echo("interrupted; nothing was written.", err=True)
        _leave_at_once(INTERRUPTED)
        raise
    raise typer.Exit(code)


def _leave_at_once(code: int):
    """End the process without the interpreter's teardown: XLA crashes in it when a compilation was interrupted. Every
    file is closed and every temporary folder removed by then."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _run(file: Path, out: Path, *, quiet: bool, force: bool) -> int:
    # Imports wait until here so that help and version answer at once.
    from mesotherm import compilation_cache
    from mesotherm.files import DeviceFileError, load
    from mesotherm.result_folder import DATASET, FIGURE, refusal, write_dataset, written_whole
    from mesotherm.sweep import sweep

    started = time.perf_counter()
    cache_note = compilation_cache.enable()
    try:
        described = load(file)
    except DeviceFileError as error:
        typer.echo(str(error), err=True)
        return BAD_INPUT
    if reason := refusal(out, force=force):
        typer.echo(reason, err=True)
        return BAD_INPUT

    with _Progress(silent=quiet) as progress:
        dataset = sweep(
            described.experiment,
            described.setup,
            described.axes,
            progress=progress,
            attributes={"title": described.title, **_provenance(described)},
        )
    with written_whole(out) as folder:
        write_dataset(dataset, folder / DATASET)
        figure_note = _draw(dataset, folder / FIGURE, described)

    from mesotherm.summary import all_fine, failed_points, print_to

    fine = all_fine(dataset)
    written = f"{out / DATASET}" if figure_note else f"{out / DATASET} and {out / FIGURE}"
    notes = [note for note in (figure_note, cache_note) if note]
    notes.append(f"written: {written} ({time.perf_counter() - started:.1f} s in all)")
    if not quiet:
        print_to(_console(), dataset, notes)
    elif not fine:
        typer.echo("\n".join(failed_points(dataset)) or "a law is broken; run without --quiet to see which.", err=True)
    return 0 if fine else POINTS_FAILED


def _reproduce(name: str, number: str | None, out: Path, *, quiet: bool, force: bool) -> int:
    from mesotherm import compilation_cache
    from mesotherm.papers import PAPERS
    from mesotherm.papers.reproduction import find_paper, merged_checks
    from mesotherm.result_folder import CHECKS, refusal, write_dataset, written_whole

    started = time.perf_counter()
    try:
        paper = find_paper(PAPERS, name)
        figures = paper.figures if number is None else (paper.figure(number),)
    except ValueError as error:
        typer.echo(str(error), err=True)
        return BAD_INPUT
    target = out / paper.name
    if reason := refusal(target, known_by=CHECKS, force=force):
        typer.echo(reason, err=True)
        return BAD_INPUT
    cache_note = compilation_cache.enable()

    checks, failed = [], []
    with written_whole(target) as folder:
        for figure in figures:
            with _Progress(silent=quiet, title=f"Fig. {figure.number}: ") as progress:
                datasets = figure.compute(progress)
            for stem, dataset in datasets.items():
                dataset.attrs |= {"paper": paper.citation, **_versions()}
                write_dataset(dataset, folder / f"{stem}.nc")
                if "status" in dataset and (missed := int((dataset.status != 0).sum())):
                    failed.append(f"{stem}: {missed} of {dataset.status.size} points failed; see status in {stem}.nc.")
            figure.draw(datasets, folder / f"fig{figure.number}.png")
            checks += figure.check(datasets)
        if number is None:
            checks += paper.check()
        (folder / CHECKS).write_text(merged_checks(checks, target / CHECKS), encoding="utf-8")

    from mesotherm.papers.table import print_checks

    surprising = [f"{check.id}: not as known ({check.claim})" for check in checks if not check.expected]
    if not quiet:
        notes = [cache_note] if cache_note else []
        notes.append(f"written: {target} ({time.perf_counter() - started:.1f} s in all)")
        print_checks(_console(), paper, checks, notes)
    for line in (*failed, *surprising):
        typer.echo(line, err=True)
    return POINTS_FAILED if failed or surprising else 0


def _console():
    """A console for results: as wide as the terminal, or fixed where there is none."""
    from rich.console import Console

    console = Console()
    if not console.is_terminal:
        console.width = WIDTH
    return console


def _draw(dataset, path: Path, described) -> str:
    """Draw the figure. Returns why there is none, or nothing: the numbers are worth keeping without it."""
    from mesotherm.plots import draw

    try:
        draw(dataset, path, variables=described.figure_variables, title=described.figure_title)
    except ValueError as error:
        return f"no figure: {error}"
    return ""


def _provenance(described) -> dict[str, Any]:
    """How to compute the same again."""
    return {
        "device_file": described.text,
        "device_file_name": described.path.name,
        "device_file_sha256": hashlib.sha256(described.text.encode()).hexdigest(),
        **_versions(),
    }


def _versions() -> dict[str, str]:
    """The command and what it ran on."""
    import jax
    import numpy as np

    return {
        "command": shlex.join([os.path.basename(sys.argv[0]), *sys.argv[1:]]),
        "mesotherm_version": __version__,
        "python_version": platform.python_version(),
        "jax_version": jax.__version__,
        "numpy_version": np.__version__,
        "machine": platform.machine(),
    }


class _Progress:
    """Progress on stderr: a bar on a terminal, lines elsewhere."""

    def __init__(self, *, silent: bool, title: str = ""):
        self._silent, self._title = silent, title
        self._bar: Any = None
        self._update: Callable[[int, int, str], None] = self._line
        self._done = 0

    def __enter__(self):
        if self._silent:
            return self
        if not sys.stderr.isatty():
            typer.echo(f"{self._title}compiling…", err=True)
            return self
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
        self._bar = Progress(*columns, console=Console(stderr=True))
        task = self._bar.add_task(f"{self._title}compiling…", total=None)
        self._update = lambda done, total, word: self._bar.update(task, description=word, completed=done, total=total)
        self._bar.start()
        return self

    def __exit__(self, *_):
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, done: int, total: int):
        if self._silent:
            return
        # The count steps back where points that missed are done again with more effort.
        word = "refining" if done < self._done else "computing"
        self._done = max(done, self._done)
        self._update(done, total, self._title + word)

    @staticmethod
    def _line(done: int, total: int, word: str):
        typer.echo(f"{word}: {done} of {total} points", err=True)
