"""The schema of the device file's tables, derived from the classes they configure.

Nothing is declared twice: the keys of a table are the declared fields of a class (:mod:`mesotherm.fields`), with their
meanings and ranges. pydantic does the checking, one flat model per table; what a table inside a table holds is read
with a model of its own. Each model also describes itself as JSON Schema.
"""

import dataclasses
import functools
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
import pydantic
import pydantic_core

from mesotherm.catalogue import kind_of, kinds, parts, role_name, with_article
from mesotherm.fields import (
    Assignment,
    ChosenName,
    Count,
    Groups,
    Links,
    NamedParts,
    Names,
    Parameter,
    Part,
    TerminalName,
    meanings,
)
from mesotherm.units import UnitError, Units

ROLE = "x-role"
"""Key by which a table of a component says in its JSON Schema which role it fills."""

TABLE = Mapping[str, Any]
"""The type of a nested table: its content is read on its own."""


def field(doc: str, default: Any = ...) -> Any:
    """A key of a table: what it means, and its value if it is left out."""
    return pydantic.Field(default=default, description=doc)


def model(name: str, **keys: tuple[Any, Any]) -> type[pydantic.BaseModel]:
    """A model of one table: no other keys than these, no silent conversions of types."""
    config = pydantic.ConfigDict(extra="forbid", strict=True, arbitrary_types_allowed=True)
    return pydantic.create_model(name, __config__=config, **keys)  # pyright: ignore[reportCallIssue]


def table(doc: str, shape: Mapping[str, Any], default: Any = ...) -> tuple[Any, Any]:
    """A key whose value is a table that is read on its own; ``shape`` is its JSON Schema."""
    return Annotated[TABLE, pydantic.WithJsonSchema({"type": "object", **shape})], field(doc, default)


# ---------------------------------------------------------------------------------------------------------------------
# Numbers.


def quantity(meaning: Parameter) -> Any:
    """The type of a number with the meaning and range of a parameter: plain, or a text with a unit. The units of the
    file are the context of the validation."""

    def read(value: Any, info: pydantic.ValidationInfo) -> Any:
        if not isinstance(value, str):
            return value
        units = info.context or Units()
        try:
            return units.number(value, meaning.unit)
        except UnitError as error:
            raise pydantic_core.PydanticCustomError("unit", "{error}", {"error": error}) from error

    def within(value: float) -> float:
        if not meaning.accepts(np.asarray(value)):
            advice = out_of_range(meaning, finite=np.isfinite(value))
            raise pydantic_core.PydanticCustomError("range", "{advice}", {"advice": advice})
        return value

    checks = pydantic.BeforeValidator(read), pydantic.AfterValidator(within)
    return Annotated[float, *checks, pydantic.WithJsonSchema(quantity_schema(meaning))]


def quantity_schema(meaning: Parameter) -> dict[str, Any]:
    """JSON Schema of a number, or a text with a unit."""
    number: dict[str, Any] = {"type": "number"}
    if np.isfinite(meaning.low):
        number["exclusiveMinimum" if meaning.open_low else "minimum"] = meaning.low
    if np.isfinite(meaning.high):
        number["maximum"] = meaning.high
    return {"anyOf": [number, {"type": "string"}], "description": described(meaning)}


UNIT_WORDS = {
    "1": "a number",
    "energy": "an energy",
    "energy/k_B": "a temperature",
    "energy/hbar": "a rate",
    "length": "a length",
}


def described(meaning: Parameter) -> str:
    """Meaning, unit and range of a number in one line."""
    sort = UNIT_WORDS.get(meaning.unit, f"in {meaning.unit}")
    allowed = meaning.allowed()
    said = sort.split()[-1] in meaning.doc  # "temperature; a temperature"
    words = [meaning.doc if said else f"{meaning.doc}; {sort}", *([] if allowed == "any finite number" else [allowed])]
    return ", ".join(words)


def out_of_range(meaning: Parameter, *, finite: bool = True) -> str:
    """What to do about a number outside a parameter's range, or one that is not ``finite``."""
    allowed = meaning.allowed().removeprefix("any ")
    must = allowed if allowed[0] in "><≥≤" else f"a {allowed}"
    if must[0] in "><≥≤" and not finite and not meaning.infinite:
        must = f"a finite number {must}"
    hint = {(0.0, True): "give a positive number", (0.0, False): "give zero or a positive number"}
    default = "give a number in this range"
    wanted = hint.get((meaning.low, meaning.open_low), default) if np.isposinf(meaning.high) else default
    return f"{meaning.doc} must be {must}; {wanted}."


# ---------------------------------------------------------------------------------------------------------------------
# Models of components.


def model_of(cls: type, without: frozenset[str] = frozenset()) -> type[pydantic.BaseModel]:
    """The model of the table that configures a component: ``kind`` and one key per declared field of the class, but
    those ``without``."""
    return _model_of(cls, without, tuple((name, ", ".join(kinds(role))) for name, role in parts(cls).items()))


@functools.cache
def _model_of(cls: type, without: frozenset[str], there: tuple[tuple[str, str], ...]) -> type[pydantic.BaseModel]:
    """The same, for the kinds that ``there`` are of the role of each part: plugins come and go."""
    kind = kind_of(cls)
    keys: dict[str, tuple[Any, Any]] = {"kind": (Literal[kind], field(f'always "{kind}"', kind))}
    defaults = defaults_of(cls)
    for name, meaning in meanings(cls).items():
        if name in without:
            continue
        default = defaults.get(name, ...)
        match meaning:
            case Parameter(entries=(), column=False):
                keys[name] = quantity(meaning), field(described(meaning), default if default is ... else float(default))
            case Parameter(entries=()):
                shape = pydantic.WithJsonSchema(column_schema(meaning))
                keys[name] = Annotated[Any, shape], field(described(meaning), default)
            case Parameter():
                left_out = ... if meaning.left_out is None and default is ... else {}
                keys[name] = table(described(meaning), entries_schema(meaning), left_out)
            case Count():
                keys[name] = (
                    Annotated[int, pydantic.Field(ge=meaning.low)],
                    field(f"{meaning.doc}; a whole number ≥ {meaning.low}", default),
                )
            case Names():
                keys[name] = list[str], field(meaning.doc, default if default is ... else list(default))
            case Assignment():
                keys[name] = table(meaning.doc, {"additionalProperties": {"type": "string"}}, default)
            case TerminalName(several=True):
                keys[name] = list[str], field(meaning.doc, default if default is ... else list(default))
            case Groups():
                doc = f'{meaning.doc}; a table, NAME = "..." or NAME = ["...", "..."]'
                keys[name] = table(doc, GROUPS_SCHEMA, {} if default == () else default)
            case Links():
                doc = f'{meaning.doc}; a table, ONE = "OTHER"'
                keys[name] = table(doc, LINKS_SCHEMA, {} if default == () else default)
            case TerminalName() | ChosenName():
                keys[name] = str, field(meaning.doc, default)
            case Part() | NamedParts():
                role = parts(cls)[name]
                kinds_there = dict(there)[name]
                filled = {ROLE: role_name(role)}
                if isinstance(meaning, Part):
                    doc = f"{meaning.doc}; {with_article(role)}, a table with a kind: {kinds_there}"
                    keys[name] = table(doc, filled, default)
                else:
                    doc = f"{meaning.doc}; under each name {with_article(role)}, a table with a kind: {kinds_there}"
                    keys[name] = table(doc, {"additionalProperties": filled, "minProperties": 1}, default)
    return model(cls.__name__, **keys)


GROUPS_SCHEMA = {
    "additionalProperties": {
        "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]
    }
}
"""JSON Schema of names that each stand for one or several others."""

LINKS_SCHEMA = {
    "additionalProperties": {
        "anyOf": [{"type": "string"}, {"type": "object", "additionalProperties": {"type": "string"}}]
    }
}
"""JSON Schema of pairs of names, written NAME = "..."; TOML reads a name with a dot in it as one inside another."""


def defaults_of(cls: type) -> dict[str, Any]:
    """The defaults of a class's fields."""
    return {f.name: f.default for f in dataclasses.fields(cls) if f.default is not dataclasses.MISSING}


def entries_schema(meaning: Parameter) -> dict[str, Any]:
    """JSON Schema of numbers by name; of several dimensions the last may be one number for all."""
    shape = quantity_schema(meaning)
    for depth in range(len(meaning.entries)):
        inner = {"type": "object", "additionalProperties": shape}
        shape = inner if depth == len(meaning.entries) - 1 else {"anyOf": [quantity_schema(meaning), inner]}
    return {"additionalProperties": shape["additionalProperties"]}


COLUMN = model(
    "Column",
    file=(str, field('file with the values, like "transmission.csv", beside the device file')),
    column=(str, field("name of the column or variable", None)),
    unit=(str, field("unit of its values, if the file does not say", None)),
)


def column_schema(meaning: Parameter) -> dict[str, Any]:
    """JSON Schema of a list of numbers, or of a column of a file."""
    column = COLUMN.model_json_schema()
    listed = {"type": "array", "items": quantity_schema(meaning)}
    return {"anyOf": [listed, column], "description": described(meaning)}
