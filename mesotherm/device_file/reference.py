"""The reference page of the device file (Markdown), written from the schema."""

from collections.abc import Iterator
from typing import Any

import pydantic

from mesotherm.catalogue import kinds, one_line, parts, role_name, roles, sources, with_article
from mesotherm.device_file.axes import AXIS, TIE
from mesotherm.device_file.document import DOCUMENT, FIGURE, NUMERICS, OUTPUT, UNITS, reservoir_model
from mesotherm.device_file.json_schema import FLOATING
from mesotherm.device_file.schema import described, model_of
from mesotherm.fields import (
    Assignment,
    ChosenName,
    Count,
    Groups,
    Links,
    Meaning,
    NamedParts,
    Names,
    Parameter,
    Part,
    TerminalName,
    meanings,
)
from mesotherm.unknowns import AbstractUnknown

INTRODUCTION = """\
# The device file

A TOML file that says what is computed: which device, between which reservoirs, what floats, what is done to it, and
which parameters are swept. `mesotherm new KIND` writes one to start from, `mesotherm check FILE` reads one and computes
nothing, `mesotherm run FILE` computes. This page is written by `mesotherm schema --format markdown`, from the classes
themselves; `mesotherm schema` gives the same to editors as JSON Schema.

**Numbers and units.** Without `[units]` every number is plain: energies, temperatures and electrochemical potentials in
one energy unit of your choice, rates in it over ħ (k_B = ħ = e = 1). With `energy = "meV"` in `[units]` plain numbers
are in that unit, and any number may be a text with a unit of its own:

| what | may be written as | means |
|---|---|---|
| an energy | `"0.2 meV"` | itself |
| | `"120 mK"` | k_B T |
| | `"3 GHz"` | h f |
| a temperature | `"120 mK"` | itself |
| | `"0.01 meV"` | k_B T |
| a rate | `"3 GHz"`, `"3e9/s"` | 3 × 10⁹ events per second |
| | `"2 ueV"` | the energy over ħ |

A voltage is not an energy: write the energy e·V, with the sign you mean.

**Names of entries.** Pairs of dots are written in the order of `dots` (`M-H`). A rate may be one number, or one for
each occupation of the OTHER dots, one digit each in the order of `dots`: with dots M, H, C the key `01` of a contact of
M is H empty and C filled.

**Parts with names.** Where a table holds parts by names of your choice, each is a table of its own
(`[device.scatterers.barrier_1]`), and the name stands in paths (`device.scatterers.barrier_1.level`). A pair of names
is one line, `barrier_1.right = "cavity.left"`, either way round. See [networks](networks.md).

**Axes.** The path in `parameter` is the path of a key of the file (`device.left.level`, `reservoirs.C.T`,
`device.tunnel_rates.L.00`, `experiment.bias`), also where the file leaves the key out. Values keep the unit they are
written in; the parameter is set to `offset + scale * value`, so a gate voltage in mV with `scale = "0.1 meV/mV"` is a
lever arm, and `scale = "250 mK"` makes the values multiples of a reference. A parameter follows one axis only.

**A column of numbers** is a list, or `{ file = "transmission.csv", column = "energy", unit = "meV" }`: a column of a
text file (`.csv`, `.tsv`, `.txt`, `.dat`; names in the first line or in the comment before the numbers, where `E [meV]`
says the unit, too) or a variable of a netCDF file (`.nc`); the name counts from the folder of the device file.

Unknown keys are mistakes, and every mistake is told with its line (exit code 2, nothing is written).
"""

NAMED = {
    "reservoirs": "One table per terminal, named by it. A terminal that floats gives what of it does not, or nothing.",
    "axes": "One table per axis; its name is that of the dimension in the result.",
}


def reference() -> str:
    """The page."""
    return "\n".join(_lines()).rstrip() + "\n"


def _lines() -> Iterator[str]:
    yield INTRODUCTION
    yield "## The file"
    yield ""
    yield from _keys(DOCUMENT)
    for name, shape in (
        ("units", UNITS),
        ("reservoirs", reservoir_model(None, floats=False)),
        ("axes", AXIS),
        ("numerics", NUMERICS),
        ("output", OUTPUT),
        ("figure", FIGURE),
    ):
        yield f"## [{name}]"
        yield ""
        if name in NAMED:
            yield NAMED[name]
            yield ""
        yield from _keys(shape)
        if name == "axes":
            yield "Each entry of `tied`:"
            yield ""
            yield from _keys(TIE)
    yield "## [unknowns]"
    yield ""
    yield (
        'One key per terminal that floats: `P = "KIND"`, or `P = { kind = "KIND" }` with what else it has. Unknowns '
        "that are no terminals, like potentials, stand under a name of your choice."
    )
    yield ""
    for role in roles():
        yield f"## Kinds of {role_name(role)}"
        yield ""
        for kind, cls in kinds(role).items():
            yield f"### {kind}"
            yield ""
            yield one_line(cls)
            if source := sources(cls):
                yield ""
                yield f"Source: {source.replace('``', '`')}"
            yield ""
            yield from _keys(model_of(cls, FLOATING if role is AbstractUnknown else frozenset()), cls)


def _keys(shape: type[pydantic.BaseModel], cls: type | None = None) -> Iterator[str]:
    rows = [(name, entry) for name, entry in shape.model_fields.items() if name != "kind"]
    if not rows:
        return
    yield "| key | meaning | if left out |"
    yield "|---|---|---|"
    for name, entry in rows:
        meaning = _in_words(cls, name) if cls else entry.description or ""
        yield f"| `{name}` | {meaning.replace('|', chr(92) + '|')} | {_left_out(cls, name, entry)} |"
    yield ""


def _in_words(cls: type, name: str) -> str:
    """What a field means, and how a value that is not one number or text is written."""
    meaning = meanings(cls)[name]
    if isinstance(meaning, Part):
        role = parts(cls)[name]
        return f"{meaning.doc}; [{with_article(role)}](#kinds-of-{role_name(role)}), a table with a `kind`"
    if isinstance(meaning, NamedParts):
        role = parts(cls)[name]
        link = f"[{with_article(role)}](#kinds-of-{role_name(role)})"
        return f"{meaning.doc}; a table, under each name {link}, a table with a `kind`"
    doc = described(meaning) if isinstance(meaning, Parameter) else meaning.doc
    return doc + _form(meaning)


def _form(meaning: Meaning) -> str:
    match meaning:
        case Parameter(entries=(one,)):
            return f"; a table, one number for each of the {one}"
        case Parameter(entries=(one, other)):
            return f"; a table, for each of the {one} one number, or a table of numbers for each of the {other}"
        case Parameter(column=True):
            return "; a column of numbers"
        case Count(low=low):
            return f"; a whole number ≥ {low}"
        case Names(most=most):
            return "; a list of names" + (f", at most {most}" if most else "")
        case Assignment(of=of):
            return f'; a table, `NAME = "..."` with one of the {of}'
        case Groups(of=of):
            return f'; a table, `NAME = "..."` or `NAME = ["...", "..."]`, of {of}'
        case Links(of=of):
            return f'; a table of pairs of {of}, `ONE = "OTHER"`, either way round'
        case ChosenName(of=of):
            return f"; one of the {of}"
        case TerminalName(several=True):
            return "; a list of names"
    return ""


def _left_out(cls: type | None, name: str, entry: Any) -> str:
    meaning = meanings(cls)[name] if cls else None
    if isinstance(meaning, Parameter) and meaning.left_out is not None:
        return f"`{meaning.left_out:g}` for each"
    return default_words(entry)


def default_words(entry: Any) -> str:
    """What stands for a key that is left out."""
    if entry.is_required():
        return "must be given"
    default = entry.get_default()
    if default is None or default in ({}, [], ""):
        return ""
    return f"`{_plain(default)}`"


def _plain(default: Any) -> str:
    if isinstance(default, list):
        return "[" + ", ".join(_plain(one) for one in default) + "]"
    if isinstance(default, str):
        return f'"{default}"'
    return f"{default:g}" if isinstance(default, float) else str(default)
