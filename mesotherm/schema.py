"""The schema of the device file, derived from the classes it configures.

Nothing is declared twice: the keys of a table are the fields of a class, their ranges and meanings are those declared
with :func:`mesotherm.device.parameter`, and the name of a kind is the class's name in snake case. pydantic does the
checking, one flat model per table; :class:`Reader` turns every error into a sentence with the key, the value and what
to do.
"""

import dataclasses
import difflib
import functools
import json
import re
import typing
from collections.abc import Collection, Mapping
from typing import Annotated, Any, Literal

import numpy as np
import pydantic
import pydantic_core

from mesotherm.device import AbstractDevice, Parameter
from mesotherm.devices.barriers import AbstractBarrier, ResonantBarrier, StepBarrier, TransparentRegion
from mesotherm.devices.coulomb_dots import CoulombDots
from mesotherm.devices.thermalization_diode import ThermalizationDiode
from mesotherm.experiments import (
    AbstractExperiment,
    CurrentVoltage,
    DiodeTest,
    EffectiveTemperature,
    HeatDrag,
    LoadSweep,
    OpenCircuit,
    PowerAtOptimalBias,
    SteadyStateExperiment,
)
from mesotherm.toml_lines import KeyPath
from mesotherm.unknowns import AbstractUnknown, HeatProbe, ThermalizingProbe, VanishingProbe, VoltageProbe


def kind_of(cls: type) -> str:
    """The name of a class in a file: ``ThermalizingProbe`` is "thermalizing_probe"."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__.removesuffix("Experiment")).lower()


def _by_kind(*classes: type) -> dict[str, type]:
    return {kind_of(cls): cls for cls in classes}


KINDS: dict[type, dict[str, type]] = {
    AbstractDevice: _by_kind(ThermalizationDiode, CoulombDots),
    AbstractBarrier: _by_kind(ResonantBarrier, StepBarrier, TransparentRegion),
    AbstractUnknown: _by_kind(ThermalizingProbe, VoltageProbe, HeatProbe, VanishingProbe),
    AbstractExperiment: _by_kind(
        SteadyStateExperiment,
        DiodeTest,
        PowerAtOptimalBias,
        EffectiveTemperature,
        CurrentVoltage,
        OpenCircuit,
        LoadSweep,
        HeatDrag,
    ),
}
"""What a file may name, by the role it plays. A new class is offered to files by adding it here."""

ROLES = {
    AbstractDevice: "a device",
    AbstractBarrier: "a barrier",
    AbstractUnknown: "an unknown",
    AbstractExperiment: "an experiment",
}


@dataclasses.dataclass(frozen=True)
class Problem:
    """One mistake: where it is (``line`` 0: the file as a whole), the key, its value as written, what to do."""

    path: str
    line: int
    key: str
    message: str
    value: str = ""

    def __str__(self):
        where = f"{self.path}:{self.line}" if self.line else self.path
        subject = f"{self.key} = {self.value}" if self.value else self.key
        return ": ".join(part for part in (where, subject, self.message) if part)


# ---------------------------------------------------------------------------------------------------------------------
# Models: one per table.


def number(meaning: Parameter) -> Any:
    """The type of a number with the meaning and range of a parameter."""

    def within(value: float) -> float:
        if not meaning.accepts(np.asarray(value)):
            raise pydantic_core.PydanticCustomError("range", "{advice}", {"advice": out_of_range(meaning)})
        return value

    return Annotated[float, pydantic.AfterValidator(within)]


def out_of_range(meaning: Parameter) -> str:
    """What to do about a number outside a parameter's range."""
    allowed = meaning.allowed().removeprefix("any ")
    must = allowed if allowed[0] in "><≥≤" else f"a {allowed}"
    hint = {(0.0, True): "give a positive number", (0.0, False): "give zero or a positive number"}
    return f"{meaning.doc} must be {must}; {hint.get((meaning.low, meaning.open_low), 'give a number in this range')}."


TABLE = Mapping[str, Any]
"""The type of a nested table: its content is read on its own."""

TYPE_NAMES = {float: "a number", int: "a whole number", str: 'a text in quotes, like "L"', dict: "a table"}


def field(doc: str, default: Any = ...) -> Any:
    """A key of a table: what it means, and its value if it is left out."""
    return pydantic.Field(default=default, description=doc)


def model(name: str, **keys: tuple[Any, Any]) -> type[pydantic.BaseModel]:
    """A model of one table: no other keys than these, no silent conversions of types."""
    config = pydantic.ConfigDict(extra="forbid", strict=True, arbitrary_types_allowed=True)
    return pydantic.create_model(name, __config__=config, **keys)  # type: ignore[call-overload]


@functools.cache
def model_of(cls: type) -> type[pydantic.BaseModel]:
    """The model of the table that configures a component: ``kind`` and one key per field of the class."""
    keys: dict[str, tuple[Any, Any]] = {"kind": (Literal[kind_of(cls)], field("kind", kind_of(cls)))}  # type: ignore
    for entry in dataclasses.fields(cls):
        if not entry.init:
            continue
        meaning: Parameter | None = entry.metadata.get("parameter")
        default: Any = ... if entry.default is dataclasses.MISSING else entry.default
        if meaning is not None:
            default = default if default is ... else float(default)
            keys[entry.name] = (number(meaning), field(meaning.doc, default))
        elif role := role_of(entry.type):
            keys[entry.name] = (TABLE, field(f"{ROLES[role]}, a table with a kind: {', '.join(KINDS[role])}", default))
        elif typing.get_origin(entry.type) is tuple:
            keys[entry.name] = (
                list[str],
                field('names, like ["L", "R"]', default if default is ... else list(default)),
            )
        else:
            keys[entry.name] = (str, field("a name", default))
    return model(cls.__name__, **keys)


def role_of(annotation: Any) -> type | None:
    """The role a component-valued field plays, if it is one."""
    return annotation if annotation in KINDS else None


# ---------------------------------------------------------------------------------------------------------------------
# Reading.


class Reader:
    """Reads tables into values and components and collects every problem on the way.

    Attributes
    ----------
    problems
        What was wrong so far, in the order of reading.
    """

    def __init__(self, path: str, line_of):
        self.problems: list[Problem] = []
        self._path, self._line_of = path, line_of

    def problem(self, where: KeyPath, message: str, value: Any = None):
        """Note a mistake at a key; ``value`` is shown as the file would write it."""
        shown = "" if value is None else as_written(value)
        self.problems.append(Problem(self._path, self._line_of(where), dotted(where), message, shown))

    def table(self, shape: type[pydantic.BaseModel], data: Any, where: KeyPath) -> dict[str, Any]:
        """The keys of a table that are right, defaults filled in; a wrong or missing key is noted and left out."""
        if not isinstance(data, dict):
            self.problem(where, f"must be a table: write [{dotted(where)}] and its keys below it.", data)
            return {}
        try:
            read = shape.model_validate(data)
            return {name: getattr(read, name) for name in shape.model_fields}
        except pydantic.ValidationError as error:
            wrong = {str(one["loc"][0]) for one in error.errors(include_url=False)}
            for one in error.errors(include_url=False):
                self._explain(shape, data, where, one)
            kept = {name: value for name, value in data.items() if name in shape.model_fields and name not in wrong}
            defaults = {n: f.default for n, f in shape.model_fields.items() if not f.is_required() and n not in wrong}
            return defaults | kept

    def _explain(self, shape, data, where, error):
        key = (*where, *error["loc"])
        name = str(error["loc"][0])
        described = shape.model_fields.get(name)
        doc = described.description if described else ""
        value = error["input"]
        match error["type"]:
            case "extra_forbidden":
                self.unknown_key(key, shape.model_fields)
            case "missing":
                at = f"[{dotted(where)}]" if where else "the top of the file"
                heading = where == () and described.annotation == TABLE
                add = f"add the table [{name}]" if heading else f"add {name} = ... to {at}"
                self.problem(key, f"is missing ({doc}); {add}.")
            case "range":
                self.problem(key, error["ctx"]["advice"], value)
            case "too_short":
                self.problem(key, f"{doc} must not be empty.", value)
            case kind:
                self._mismatch(key, doc, kind, value)

    def _mismatch(self, key, doc, error_type, value):
        self.problem(key, f"must be {_expected(error_type)}, not {_type_name(value)} ({doc}).", value)

    def number(self, meaning: Parameter, value: Any, where: KeyPath) -> float | None:
        """One number with a parameter's meaning, or ``None`` with its problem noted."""
        try:
            return pydantic.TypeAdapter(number(meaning)).validate_python(value, strict=True)
        except pydantic.ValidationError as error:
            (one,) = error.errors(include_url=False)
            if one["type"] == "range":
                self.problem(where, out_of_range(meaning), value)
            else:
                self._mismatch(where, meaning.doc, one["type"], value)
            return None

    def numbers(
        self, meaning: Parameter, data: Any, entries: Collection[str], where: KeyPath, default: float | None = None
    ) -> list[float | None]:
        """Numbers by name, in the order of ``entries``; without ``default`` every one must be given."""
        if not isinstance(data, dict):
            self.problem(where, f"must be a table with {', '.join(entries)} ({meaning.doc}).", data)
            return [None for _ in entries]
        for name in data:
            if name not in entries:
                self.unknown_key((*where, name), entries)
        missing = [name for name in entries if name not in data and default is None]
        if missing:
            self.problem(where, f"misses {', '.join(missing)} ({meaning.doc}); give every one of {', '.join(entries)}.")
        return [self.number(meaning, data[name], (*where, name)) if name in data else default for name in entries]

    def unknown_key(self, key: KeyPath, allowed: Collection[str]):
        """Note a key that means nothing."""
        self.problem(key, f"is not a known key; {suggestion(str(key[-1]), allowed)}")

    def kind(self, role: type, data: Any, where: KeyPath) -> type | None:
        """The class a table's ``kind`` names."""
        kinds = KINDS[role]
        if not isinstance(data, dict):
            self.problem(where, f"must be {ROLES[role]}, a table with a kind: {', '.join(kinds)}.", data)
        elif "kind" not in data:
            self.problem((*where, "kind"), f"is missing; say which of {', '.join(kinds)} it is.")
        else:
            return self.named(role, data["kind"], (*where, "kind"))
        return None

    def named(self, role: type, name: Any, where: KeyPath) -> type | None:
        """The class of a role by the name of its kind."""
        if isinstance(name, str) and name in KINDS[role]:
            return KINDS[role][name]
        self.problem(where, f"is not the kind of {ROLES[role]}; {suggestion(str(name), KINDS[role])}", name)
        return None

    def component(self, role: type, data: Any, where: KeyPath) -> Any:
        """A component from its table, or ``None`` with its problems noted."""
        before = len(self.problems)
        cls = self.kind(role, data, where)
        if cls is None:
            return None
        values = self.table(model_of(cls), data, where)
        values.pop("kind", None)
        for entry in dataclasses.fields(cls):
            if entry.name in values and (inner := role_of(entry.type)):
                values[entry.name] = self.component(inner, values[entry.name], (*where, entry.name))
        return self.build(cls, values, where) if len(self.problems) == before else None

    def build(self, cls: type, values: dict[str, Any], where: KeyPath) -> Any:
        """Make the object; what its own checks refuse is a problem of the table."""
        try:
            return cls(**values)
        except ValueError as error:
            self.problem(where, str(error))
            return None


def dotted(where: KeyPath) -> str:
    """A key path as a file writes it."""
    written = ""
    for part in where:
        if isinstance(part, int):
            written += f"[{part}]"
        else:
            written += ("." if written else "") + (part if re.fullmatch(r"[\w-]+", part) else json.dumps(part))
    return written


def as_written(value: Any) -> str:
    """A value as the file writes it, cut where it is long."""
    if isinstance(value, bool | str):
        text = json.dumps(value, ensure_ascii=False)
    elif isinstance(value, dict):
        text = "{ " + ", ".join(f"{key} = {as_written(entry)}" for key, entry in value.items()) + " }"
    elif isinstance(value, list):
        text = "[" + ", ".join(as_written(entry) for entry in value[:20]) + "]"
    else:
        text = repr(value) if isinstance(value, int | float) else str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def suggestion(wrong: str, allowed: Collection[str]) -> str:
    """ "did you mean", then all there is."""
    close = difflib.get_close_matches(wrong, list(allowed), n=1, cutoff=0.5)
    start = f"did you mean {close[0]}? " if close else ""
    return start + (f"there are: {', '.join(allowed)}." if allowed else "there are none here.")


def _expected(error_type: str) -> str:
    known = {
        "float": TYPE_NAMES[float],
        "int": TYPE_NAMES[int],
        "string": TYPE_NAMES[str],
        "list": "a list in brackets, like [1.0, 2.0]",
        "mapping": "a table",
        "dict": "a table",
        "literal": "the kind named",
    }
    return known.get(error_type.split("_")[0], "a value of another kind")


def _type_name(value: Any) -> str:
    if isinstance(value, bool):
        return "true or false"
    for cls, name in ((int, "a number"), (float, "a number"), (str, "a text"), (list, "a list"), (dict, "a table")):
        if isinstance(value, cls):
            return name
    return f"a {type(value).__name__}"
