"""``mesotherm audit``, ``plot`` and ``cite``: looking at results that are there."""

from pathlib import Path
from typing import Annotated

import typer

from mesotherm.cli.catalogue import find
from mesotherm.cli.shared import (
    POINTS_FAILED,
    AsJson,
    BadInputError,
    Plugins,
    admit_plugins,
    finish,
    print_json,
    print_parts,
    read_device_file,
    read_result,
)

Result = Annotated[Path, typer.Argument(help="Result (netCDF) of mesotherm.", show_default=False)]


def audit(result: Result, as_json: AsJson = False):
    """Check a result against the laws of thermodynamics once more.

    Shows the audit made when it was computed, then checks the numbers in the file again: sums of currents, the first
    and the second law, within their error bounds; and that the device file inside is the one that was computed.

    Exit code: 0 every point converged and every law holds; 2 this is no result; 3 something does not hold.
    """
    finish(lambda: _audit(result, as_json=as_json), as_json=as_json)


def plot(
    result: Result,
    out: Annotated[
        Path | None,
        typer.Option(help="Picture; its suffix chooses the format: png, pdf, svg. [default: figure.png]"),
    ] = None,
    panel: Annotated[
        list[str] | None,
        typer.Option(
            help="A variable, or several with commas between them, for one panel; NAME.ENTRY draws one entry "
            "(heat_current.L). May be given several times. [default: what matters most for the experiment]",
            show_default=False,
        ),
    ] = None,
    at: Annotated[
        list[str] | None,
        typer.Option(
            help="AXIS=VALUE: only the point of an axis nearest to a value. May be given several times.",
            show_default=False,
        ),
    ] = None,
    title: Annotated[str | None, typer.Option(help="Title of the figure. [default: the result's]")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a picture that is there.")] = False,
):
    """Draw a result: curves along one axis, maps over two.

    Exit code: 0 drawn; 2 the input is wrong (nothing is written).
    """
    finish(lambda: _plot(result, out or Path("figure.png"), panel, at, title, force=force))


def cite(
    target: Annotated[
        str | None,
        typer.Argument(help="A result.nc, a device file, or a name of mesotherm list. [default: the library]"),
    ] = None,
    plugin: Plugins = None,
):
    """Print the literature that something rests on, as BibTeX.

    Exit code: 0 printed; 2 there is no such thing.
    """
    finish(lambda: _cite(target, plugin))


def _audit(path: Path, *, as_json: bool) -> int:
    from mesotherm.recheck import recheck
    from mesotherm.screen import audit_table
    from mesotherm.summary import all_fine
    from mesotherm.summary import as_json as summary_as_json

    dataset = read_result(path)
    if "law_violation" not in dataset:
        raise BadInputError(f"{path}: this result has no audit; it holds {', '.join(map(str, dataset.data_vars))}.")
    again = recheck(dataset)
    fine = all_fine(dataset) and all(finding.holds for finding in again)
    if as_json:
        rows = [{"law": f.sentence, "violation": f.violation, "holds": f.holds} for f in again]
        print_json({**summary_as_json(dataset), "fine": fine, "checked_again": rows})
    else:
        notes = ["checked again, from the numbers in the file:"]
        notes += [f"  {'holds' if f.holds else 'BROKEN'}  {f.violation:8.2g}  {f.sentence}" for f in again]
        print_parts(audit_table(dataset, notes))
    return 0 if fine else POINTS_FAILED


def _plot(path: Path, out: Path, panels, at, title, *, force: bool) -> int:
    from mesotherm.plots import draw

    dataset = read_result(path)
    for choice in at or []:
        dataset = _chosen(dataset, choice)
    if out.is_dir() or not out.absolute().parent.is_dir():
        raise BadInputError(f"{out}: pictures go to a file in a folder that is there; choose another with --out.")
    if out.exists() and not force:
        raise BadInputError(f"{out} is there already; choose another name with --out, or --force to replace it.")
    if out.suffix not in (".png", ".pdf", ".svg"):
        raise BadInputError(f"{out}: the name of a picture ends in .png, .pdf or .svg.")
    temporary = out.with_name(f".{out.stem}.partial{out.suffix}")
    try:
        variables = [one.split(",") for one in panels] if panels else None
        draw(dataset, temporary, variables=variables, title=title)
        temporary.replace(out)
    except ValueError as error:
        raise BadInputError(f"{path}: {error}") from error
    finally:
        temporary.unlink(missing_ok=True)
    typer.echo(f"written: {out}")
    return 0


def _chosen(dataset, choice: str):
    """The dataset at one point of an axis."""
    from mesotherm.summary import grid

    name, _, value = choice.partition("=")
    if name not in grid(dataset):
        raise BadInputError(
            f"--at {choice}: there is no axis {name!r}; there are: {', '.join(grid(dataset)) or 'none'}."
        )
    axis = dataset[name]
    unit = "" if axis.attrs.get("units", "1") == "1" else f" (in {axis.attrs['units']})"
    try:
        wanted = float(value)
    except ValueError as error:
        raise BadInputError(f"--at {choice}: {value!r} is not a number{unit}; write AXIS=VALUE.") from error
    if not float(axis.min()) <= wanted <= float(axis.max()):
        raise BadInputError(f"--at {choice}: {name} goes from {float(axis.min()):g} to {float(axis.max()):g}{unit}.")
    chosen = dataset.sel({name: wanted}, method="nearest")
    chosen.attrs["title"] = f"{dataset.attrs.get('title', '')}, {name} = {float(chosen[name]):g}{unit[5:-1]}"
    return chosen


def _cite(target: str | None, plugins) -> int:
    from mesotherm.bibliography import SOFTWARE, by_key, cited, named_in, rests_on

    admit_plugins(plugins)
    if target is None:
        references = list(SOFTWARE)
    elif target.endswith(".nc"):
        dataset = read_result(Path(target))
        keys = dataset.attrs.get("references")
        names = (str(dataset.attrs["device"]), str(dataset.attrs["experiment"]))
        references = cited(_classes(names)) if keys is None else by_key(keys)
    elif target.endswith(".toml"):
        described = read_device_file(Path(target))
        references = rests_on(described.setup, described.experiment)
    else:
        entry = find(target)
        references = named_in(entry.source) if entry.section == "papers" else cited([entry.subject])
    typer.echo("\n\n".join(reference.bibtex for reference in references))
    return 0


def _classes(names: tuple[str, ...]) -> list[type]:
    from mesotherm.catalogue import kinds, roles

    return [cls for role in roles() for cls in kinds(role).values() if cls.__name__ in names]
