"""``mesotherm run`` and ``mesotherm check``: from a device file to its results."""

import hashlib
import math
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from mesotherm.cli.progress import Progress
from mesotherm.cli.shared import (
    POINTS_FAILED,
    AsJson,
    BadInputError,
    Force,
    Plugins,
    Quiet,
    admit_plugins,
    finish,
    print_json,
    print_parts,
    read_device_file,
    versions,
)
from mesotherm.labels import OF_ERRORS

DeviceFile = Annotated[Path, typer.Argument(help="Device file (TOML).", show_default=False)]


def run(
    file: DeviceFile,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for the results. [default: the file's own [output] folder, or its name + -result, here]",
            show_default=False,
        ),
    ] = None,
    plugin: Plugins = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
    force: Force = False,
):
    """Compute what a device file describes.

    Writes result.nc (netCDF: every current, its error bound, the audit, the status of each point, and the device file
    itself), figure.png and report.md, then prints a summary.

    Exit code: 0 every point converged and obeys every law; 2 the input is wrong (nothing is computed or written);
    3 finished, but not every point is fine; 130 interrupted (nothing is written).
    """
    finish(lambda: _run(file, out, plugin, quiet=quiet, as_json=as_json, force=force), as_json=as_json)


def check(file: DeviceFile, plugin: Plugins = None, as_json: AsJson = False):
    """Read a device file and say what would be computed; compute and write nothing.

    Exit code: 0 the file can be run; 2 it cannot (every mistake is told with its line).
    """
    finish(lambda: _check(file, plugin, as_json=as_json), as_json=as_json)


def _run(file: Path, out: Path | None, plugins, *, quiet: bool, as_json: bool, force: bool) -> int:
    # What only computing needs, the figures above all, is imported by those who compute.
    from mesotherm import compilation_cache
    from mesotherm.report import report
    from mesotherm.result_folder import DATASET, FIGURE, REPORT, refusal, write_dataset, written_whole
    from mesotherm.screen import summary
    from mesotherm.summary import all_fine, failed_points
    from mesotherm.summary import as_json as summary_as_json
    from mesotherm.sweep import sweep

    started = time.perf_counter()
    cache_note = compilation_cache.enable()
    plugin_files = admit_plugins(plugins)
    described = read_device_file(file)
    folder = out if out is not None else Path(described.folder or f"{file.stem}-result")
    if reason := refusal(folder, force=force, may_be_link=out is not None):
        raise BadInputError(reason)

    with Progress(silent=quiet or as_json) as progress:
        computed = sweep(
            described.experiment,
            described.setup,
            described.axes,
            progress=progress,
            attributes={"title": described.title, **_provenance(described, plugin_files)},
        )
    dataset = described.units.converted(computed)
    kept = dataset if described.output_variables is None else _selected(dataset, described.output_variables)
    with written_whole(folder, stale=(FIGURE,)) as inside:
        write_dataset(kept, inside / DATASET)
        figure_note = _draw(dataset, inside / FIGURE, described)
        text = report(dataset, described, figure="" if figure_note else FIGURE)
        (inside / REPORT).write_text(text, encoding="utf-8")

    fine = all_fine(dataset)
    files = [DATASET, *([] if figure_note else [FIGURE]), REPORT]
    notes = [note for note in (figure_note, cache_note) if note]
    notes.append(f"written: {folder}: {', '.join(files)} ({time.perf_counter() - started:.1f} s in all)")
    if as_json:
        print_json({**summary_as_json(dataset), "folder": str(folder), "files": files, "notes": notes[:-1]})
    elif not quiet:
        print_parts(summary(dataset, notes))
    if not fine and (quiet or as_json):
        typer.echo("\n".join(failed_points(dataset)) or "a law is broken; see report.md for which.", err=True)
    return 0 if fine else POINTS_FAILED


def _check(file: Path, plugins, *, as_json: bool) -> int:
    from mesotherm.catalogue import kind_of
    from mesotherm.report import configured
    from mesotherm.sweep import bytes_per_point

    admit_plugins(plugins)
    described = read_device_file(file)
    job = described.job
    grid = {axis.dimension: len(axis.values) for axis in described.axes}
    points = math.prod(grid.values())
    facts = {
        "title": described.title,
        "device": kind_of(type(described.setup.device)),
        "terminals": list(described.setup.device.terminals),
        "unknowns": {unknown.about: kind_of(type(unknown)) for unknown in described.setup.unknowns},
        "experiment": kind_of(type(described.experiment)),
        "grid": grid,
        "points": points,
        "megabytes": points * bytes_per_point(job) / 1e6,
        "variables": list(job.experiment.variables(job.setup)),
        "energy_unit": described.units.energy,
        "parameters": {path: value for path, value, _ in configured(described)},
        "assumptions": _assumptions(described),
    }
    if as_json:
        print_json(facts)
    else:
        floating = ", ".join(f"{name} ({kind})" for name, kind in facts["unknowns"].items()) or "nothing"
        size = " × ".join(f"{name} {count}" for name, count in grid.items()) or "a single point"
        typer.echo(f"{file}: nothing wrong")
        typer.echo(f"  {facts['device']} with {', '.join(facts['terminals'])}; floating: {floating}")
        typer.echo(f"  {facts['experiment']}: {', '.join(facts['variables'])}")
        typer.echo(f"  {size}: {points} points, {facts['megabytes']:.3g} MB")
        for path, value in facts["parameters"].items():
            typer.echo(f"    {path} = {value}")
        for sentence, value in facts["assumptions"].items():
            typer.echo(f"  {sentence}: {value:.3g} without the axes")
    return 0


def _assumptions(described) -> dict[str, float]:
    """What the theory needs small, at the parameters given."""
    device, reservoirs = described.setup.device, described.setup.reservoirs
    sentences = [f"{one.sentence} (trusted up to {one.limit:g})" for one in device.assumptions.values()]
    return dict(zip(sentences, device.assumption_values(reservoirs).tolist(), strict=True))


def _selected(dataset, names: list[str]):
    """Some variables with what belongs to them: bounds, estimates, status and judgements."""
    always = ("status", "law_violation", "assumption_value")
    wanted = {*names, *always, *(f"{prefix}{name}" for name in names for prefix in (*OF_ERRORS, "estimate_table_"))}
    return dataset[[name for name in dataset.data_vars if name in wanted]]


def _draw(dataset, path: Path, described) -> str:
    """Draw the figure. Returns why there is none, or nothing: the numbers are worth keeping without it."""
    from mesotherm.plots import draw

    try:
        draw(dataset, path, variables=described.figure_variables, title=described.figure_title)
    except ValueError as error:
        path.unlink(missing_ok=True)
        return f"no figure: {error}"
    return ""


def _provenance(described, plugins: dict[str, str]) -> dict[str, Any]:
    """How to compute the same again."""
    from mesotherm.bibliography import rests_on

    read = {**described.tables, **plugins}
    inputs = [f"{name} sha256:{digest}" for name, digest in read.items()]
    return {
        "device_file": described.text,
        "device_file_name": described.path.name,
        "device_file_sha256": hashlib.sha256(described.text.encode()).hexdigest(),
        **({"input_files": inputs} if inputs else {}),
        "references": [reference.key for reference in rests_on(described.setup, described.experiment)],
        **versions(),
    }
