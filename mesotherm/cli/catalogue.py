"""``mesotherm list``, ``describe``, ``new`` and ``schema``: what there is, and how to begin."""

import dataclasses
import enum
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from mesotherm.cli.shared import AsJson, BadInputError, Plugins, admit_plugins, finish, print_json


class SchemaFormat(enum.StrEnum):
    """How the schema is written."""

    json = "json"
    markdown = "markdown"


@dataclasses.dataclass(frozen=True)
class Entry:
    """Something with a name: what sort of thing, one line about it, its source, and itself."""

    section: str
    name: str
    line: str
    source: str
    subject: Any


def _complete_names(incomplete: str) -> list[str]:
    return [entry.name for entry in entries() if entry.name.startswith(incomplete)]


def _complete_sections(incomplete: str) -> list[str]:
    return [
        section for section in dict.fromkeys(entry.section for entry in entries()) if section.startswith(incomplete)
    ]


def _complete_kinds(incomplete: str) -> list[str]:
    return [e.name for e in entries() if e.section in ("devices", "experiments") and e.name.startswith(incomplete)]


def list_(
    section: Annotated[
        str | None,
        typer.Argument(
            help="Only this section: devices, unknowns, experiments, ... [default: all]",
            show_default=False,
            autocompletion=_complete_sections,
        ),
    ] = None,
    plugin: Plugins = None,
    as_json: AsJson = False,
):
    """List devices, unknowns, experiments, observables, laws, papers; each with one line and its source."""
    finish(lambda: _list(section, plugin, as_json=as_json), as_json=as_json)


def describe(
    name: Annotated[
        str, typer.Argument(help="A name of mesotherm list.", show_default=False, autocompletion=_complete_names)
    ],
    plugin: Plugins = None,
    as_json: AsJson = False,
):
    """Say everything about one thing: what it is, its parameters with units and ranges, assumptions, source."""
    finish(lambda: _describe(name, plugin, as_json=as_json), as_json=as_json)


def new(
    kind: Annotated[
        str,
        typer.Argument(help="A kind of device, or of experiment.", show_default=False, autocompletion=_complete_kinds),
    ],
    experiment: Annotated[
        str | None, typer.Option(help="What is done to the device. [default: steady_state]", show_default=False)
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="File to write; - for the terminal. [default: KIND.toml]", show_default=False)
    ] = None,
    plugin: Plugins = None,
):
    """Write a device file to start from: commented, and running as it stands.

    Exit code: 0 written; 2 there is no such kind, or the file exists (nothing is overwritten).
    """
    finish(lambda: _new(kind, experiment, out, plugin))


def schema(
    format: Annotated[
        SchemaFormat, typer.Option(help="json: JSON Schema for editors; markdown: the reference page.")
    ] = SchemaFormat.json,
    plugin: Plugins = None,
):
    """Print the schema of the device file, for editors (JSON Schema) or readers (Markdown)."""
    finish(lambda: _schema(format, plugin))


def entries() -> Iterator[Entry]:
    """Everything that has a name."""
    from mesotherm.catalogue import kinds, one_line, role_name, roles, sources
    from mesotherm.observables import OBSERVABLES
    from mesotherm.papers import PAPERS
    from mesotherm.results import Outcome
    from mesotherm.thermodynamics import FURTHER_LAWS, LAWS

    for role in roles():
        for kind, cls in kinds(role).items():
            yield Entry(f"{role_name(role)}s", kind, one_line(cls), sources(cls), cls)
    for name, one in OBSERVABLES.items():
        line = f"{one.variable.long_name} [{one.variable.unit}]"
        yield Entry("observables", name, line, sources(one.function), one.function)
    for name, law in (LAWS | FURTHER_LAWS).items():
        yield Entry("laws", name, law.sentence, sources(law.function), law.function)
    for outcome in Outcome:
        yield Entry("outcomes", outcome.label, outcome.sentence, "", outcome)
    for paper in PAPERS:
        figures = ", ".join(figure.number for figure in paper.figures)
        yield Entry("papers", paper.name, f"figures {figures}, {len(paper.errata)} errata", paper.citation, paper)


def find(name: str) -> Entry:
    """The entry of a name."""
    from mesotherm.device_file.problems import suggestion

    there = {entry.name: entry for entry in entries()}
    if name not in there:
        guess = suggestion(name, there).split("there are:")[0]
        raise BadInputError(f"there is no {name!r}; {guess}see mesotherm list.")
    return there[name]


def _list(section: str | None, plugins, *, as_json: bool) -> int:
    from mesotherm.device_file.problems import suggestion

    admit_plugins(plugins)
    found = list(entries())
    sections = list(dict.fromkeys(entry.section for entry in found))
    if section is not None and section not in sections:
        raise BadInputError(f"there is no section {section!r}; {suggestion(section, sections)}")
    shown = [entry for entry in found if section in (None, entry.section)]
    if as_json:
        print_json([{"section": e.section, "name": e.name, "line": e.line, "source": e.source} for e in shown])
        return 0
    width = max(len(entry.name) for entry in shown)
    for one in sections:
        members = [entry for entry in shown if entry.section == one]
        if members:
            typer.echo(one)
        for entry in members:
            typer.echo(f"  {entry.name:<{width}}  {entry.line}")
            if entry.source:
                typer.echo(f"  {'':<{width}}  Source: {entry.source}")
    return 0


def _describe(name: str, plugins, *, as_json: bool) -> int:
    admit_plugins(plugins)
    entry = find(name)
    rows = list(_keys(entry.subject)) if isinstance(entry.subject, type) else []
    if as_json:
        about = {"section": entry.section, "name": entry.name, "line": entry.line, "source": entry.source}
        keys = [dict(zip(("key", "meaning", "default"), row, strict=True)) for row in rows]
        print_json({**about, "text": _text(entry), "keys": keys})
        return 0
    typer.echo(f"{entry.name} ({entry.section})\n")
    typer.echo(_text(entry))
    if rows:
        typer.echo("\nIn a device file:\n")
        width = max(len(key) for key, _, _ in rows)
        for key, meaning, default in rows:
            typer.echo(f"  {key:<{width}}  {meaning}" + (f" (if left out: {default})" if default else ""))
    if entry.section in ("devices", "experiments"):
        typer.echo(f"\nTo start with it: mesotherm new {entry.name}")
    return 0


def _text(entry: Entry) -> str:
    """The docstring, or what stands for it."""
    if entry.section == "papers":
        errata = "\n".join(f"- {name}: {sentence}" for name, sentence in entry.subject.errata.items())
        return f"{entry.source}\n{entry.line}\n\nErrata:\n{errata}\n\nTo compute it: mesotherm reproduce {entry.name}"
    if entry.section in ("laws", "outcomes"):
        return entry.line
    return plain(inspect.getdoc(entry.subject) or "") + (f"\n\n{entry.line}" if entry.section == "observables" else "")


def plain(doc: str) -> str:
    """A docstring without the marks of reStructuredText; formulas stay in LaTeX."""
    doc = re.sub(r":\w+:`~?(?:[\w.]+\.)?(\w+)`", r"\1", doc)
    doc = re.sub(r":math:`([^`]*)`", r"\1", doc)
    return doc.replace("``", "").replace(".. math::", "   ")


def _keys(cls: type) -> Iterator[tuple[str, str, str]]:
    """(key, meaning, default) of a component's table."""
    from mesotherm.device_file.json_schema import FLOATING
    from mesotherm.device_file.reference import default_words
    from mesotherm.device_file.schema import model_of
    from mesotherm.unknowns import AbstractUnknown

    without = FLOATING if issubclass(cls, AbstractUnknown) else frozenset()
    for key, entry in model_of(cls, without).model_fields.items():
        if key == "kind":
            yield key, entry.description or "", ""
        else:
            yield key, entry.description or "", default_words(entry).strip("`").replace("must be given", "")


def _new(kind: str, experiment: str | None, out: Path | None, plugins) -> int:
    from mesotherm.device_file.template import template

    admit_plugins(plugins)
    try:
        text = template(kind, experiment)
    except ValueError as error:
        raise BadInputError(str(error)) from error
    if str(out) == "-":
        typer.echo(text, nl=False)
        return 0
    target = out if out is not None else Path(f"{kind}.toml")
    try:
        with target.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError as error:
        raise BadInputError(f"{target} is there already; choose another name with --out.") from error
    except OSError as error:
        raise BadInputError(f"{target} cannot be written ({error.strerror}); choose another with --out.") from error
    typer.echo(f"written: {target}; run it with: mesotherm run {target}")
    return 0


def _schema(format: SchemaFormat, plugins) -> int:
    from mesotherm.device_file.json_schema import json_schema
    from mesotherm.device_file.reference import reference

    admit_plugins(plugins)
    if format is SchemaFormat.markdown:
        typer.echo(reference(), nl=False)
    else:
        print_json(json_schema())
    return 0
