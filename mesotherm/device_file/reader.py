"""Reading tables into values and components; every mistake on the way becomes a sentence with its place."""

import functools
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pydantic

from mesotherm.catalogue import kinds, parts, with_article
from mesotherm.device_file.problems import Problem, as_written, closest, dotted, in_a_line, suggestion, type_name
from mesotherm.device_file.schema import COLUMN, model_of, out_of_range, quantity
from mesotherm.device_file.toml_lines import KeyPath
from mesotherm.fields import (
    NOT_EMPTY,
    Assignment,
    ChosenName,
    Count,
    FieldError,
    Groups,
    Links,
    NamedParts,
    Names,
    Parameter,
    Part,
    as_groups,
    as_links,
    meanings,
    misused_names,
)
from mesotherm.tables import TableError, read_column
from mesotherm.units import NoEnergyUnitError, UnitError, Units

SOME_ENERGY = "meV"
"""Stands for an energy unit that is a mistake, so that quantities with units are not mistakes as well."""


class Reader:
    """Reads tables into values and components and collects every problem on the way.

    Attributes
    ----------
    problems
        What was wrong so far, in the order of reading.
    units
        Units of the file: what numbers with units are turned into.
    tables
        Checksum of every file with values that was read, by the name the device file gives.
    """

    def __init__(self, path: Path, line_of):
        self.problems: list[Problem] = []
        self.units = Units()
        self.tables: dict[str, str] = {}
        self._path, self._line_of = path, line_of

    def problem(self, where: KeyPath, message: str, value: Any = None):
        """Note a mistake at a key; ``value`` is shown as the file would write it."""
        shown = "" if value is None else as_written(value)
        key = in_a_line(dotted(where))
        self.problems.append(Problem(str(self._path), self._line_of(where), key, in_a_line(message), shown))

    def unit_problem(self, where: KeyPath, error: UnitError, value: Any = None):
        """Note a quantity that cannot be. That there is no energy unit is told once, not at every number."""
        self.problem(where, str(error), value)
        if isinstance(error, NoEnergyUnitError):
            self.units = Units(SOME_ENERGY)

    # Tables.

    def table(self, shape: type[pydantic.BaseModel], data: Any, where: KeyPath) -> dict[str, Any]:
        """The keys of a table that are right, defaults filled in; one that is wrong, missing or misspelt is noted and
        left out."""
        if not isinstance(data, dict):
            self.problem(where, f"must be a table: write [{dotted(where)}] and its keys below it.", data)
            return {}
        found = {}
        unknown = [name for name in data if name not in shape.model_fields]
        misspelt = {closest(name, shape.model_fields) for name in unknown}  # told as such, not as missing too
        for name, described in shape.model_fields.items():
            if name in data:
                try:
                    found[name] = adapter(shape, name).validate_python(data[name], context=self.units)
                except pydantic.ValidationError as error:
                    self._explain(error, described.description or "", data[name], (*where, name))
            elif name in misspelt:
                continue
            elif described.is_required():
                self._missing(described, where, name)
            else:
                found[name] = described.get_default()
        for name in unknown:
            self.unknown_key((*where, name), shape.model_fields)
        return found

    def _missing(self, described, where: KeyPath, name: str):
        at = f"[{dotted(where)}]" if where else "the top of the file"
        add = f"add {name} = ... to {at}" if where else f"add the table [{name}]"
        self.problem((*where, name), f"is missing ({described.description}); {add}.")

    def _explain(self, error: pydantic.ValidationError, doc: str, value: Any, where: KeyPath):
        """One message per wrong value: of several types that it does not fit, the one it comes closest to is told."""
        told: dict[KeyPath, Mapping[str, Any]] = {}
        for one in error.errors(include_url=False):
            told.setdefault(_inside(value, one["loc"]), one)
        for inside, one in told.items():
            if not any(deeper[: len(inside)] == inside for deeper in told if deeper != inside):
                self._mismatch((*where, *inside), doc, one)

    def _mismatch(self, where: KeyPath, doc: str, error: Mapping[str, Any]):
        value = error["input"]
        if error["type"] == "unit":
            self.unit_problem(where, error["ctx"]["error"], value)
        elif error["type"] == "range":
            self.problem(where, error["ctx"]["advice"], value)
        elif error["type"] == "greater_than_equal":
            self.problem(where, f"must be ≥ {error['ctx']['ge']} ({doc}).", value)
        elif error["type"] == "int_type" and isinstance(value, float):
            self.problem(where, f"must be a whole number, without a decimal point ({doc}).", value)
        elif error["type"] == "float_type" and type(value) is int:
            self.problem(where, f"is too large for a 64-bit number ({doc}); give a smaller one.", value)
        else:
            self.problem(where, f"must be {_expected(error)}, not {type_name(value)} ({doc}).", value)

    def unknown_key(self, key: KeyPath, allowed: Collection[str]):
        """Note a key that means nothing."""
        self.problem(key, f"is not a known key; {suggestion(str(key[-1]), allowed)}")

    # Numbers.

    def number(self, meaning: Parameter, value: Any, where: KeyPath) -> float | None:
        """One number with a parameter's meaning, or ``None`` with its problem noted."""
        try:
            return number_adapter(meaning).validate_python(value, strict=True, context=self.units)
        except pydantic.ValidationError as error:
            self._explain(error, meaning.doc, value, where)
            return None

    def numbers(self, meaning: Parameter, data: Any, entries: list[tuple[str, ...]], where: KeyPath) -> Any:
        """Numbers by name as nested lists, in the order of ``entries`` (names along each dimension); wrong ones are
        noted. One number stands for all along the last of several dimensions."""
        names, *inner = entries
        if not isinstance(data, dict):
            self.problem(where, f"must be a table with {', '.join(names)} ({meaning.doc}).", data)
            return None
        unknown = [name for name in data if name not in names]
        for name in unknown:
            turned = "-".join(reversed(name.split("-")))
            if turned in names:
                self.problem((*where, name), f"is not a known key; write {turned}.")
            elif not names:
                self.problem((*where, name), f"is not a known key: there is no entry here ({meaning.doc}).")
            else:
                self.unknown_key((*where, name), names)
        misspelt = {closest(name, names) for name in unknown}
        missing = [name for name in names if name not in data]
        untold = [name for name in missing if name not in misspelt]
        if untold and meaning.left_out is None:
            self.problem(where, f"misses {', '.join(untold)} ({meaning.doc}); give every one of {', '.join(names)}.")
        found = []
        for name in names:
            value, at = data.get(name, meaning.left_out), (*where, name)
            if name in missing:
                found.append(value if not inner else [value] * len(inner[0]))
            elif not inner:
                found.append(self.number(meaning, value, at))
            elif isinstance(value, dict):
                found.append(self.numbers(meaning, value, inner, at))
            else:
                found.append([self.number(meaning, value, at)] * len(inner[0]))
        return found

    def column(self, meaning: Parameter, data: Any, where: KeyPath) -> np.ndarray | None:
        """A list of numbers, or a column of a file; ``None`` with its problem noted."""
        before = len(self.problems)
        if isinstance(data, list):
            values = [self.number(meaning, value, (*where, position)) for position, value in enumerate(data)]
            return None if len(self.problems) > before else np.array(values, float)
        keys = self.table(COLUMN, data, where) if isinstance(data, dict) else {}
        if not isinstance(data, dict):
            self.problem(
                where, f'must be a list of numbers, or {{ file = "...", column = "..." }} ({meaning.doc}).', data
            )
        if len(self.problems) > before:
            return None
        try:
            column = read_column(self._path.parent / keys["file"], keys["column"])
            if keys["unit"] and column.unit and keys["unit"] != column.unit:
                message = f"the file itself says {column.unit}; leave this out, or mend the file."
                self.problem((*where, "unit"), message, keys["unit"])
                return None
            written = keys["unit"] or column.unit
            with np.errstate(over="ignore"):  # infinities are told below
                values = column.values * (self.units.factor(written, meaning.unit) if written else 1.0)
        except TableError as error:
            self.problem(where, str(error))
            return None
        except UnitError as error:
            self.unit_problem(where, error)
            return None
        self.tables[keys["file"]] = column.sha256
        if not meaning.accepts(values):
            self.problem(where, out_of_range(meaning))
            return None
        return values

    # Components.

    def kind(self, role: type, data: Any, where: KeyPath) -> type | None:
        """The class a table's ``kind`` names."""
        there = ", ".join(kinds(role))
        if not isinstance(data, dict):
            self.problem(where, f"must be {with_article(role)}, a table with a kind: {there}.", data)
        elif "kind" not in data:
            self.problem((*where, "kind"), f"is missing; say which of {there} it is.")
        else:
            return self.named(role, data["kind"], (*where, "kind"))
        return None

    def named(self, role: type, name: Any, where: KeyPath) -> type | None:
        """The class of a role by the name of its kind."""
        there = kinds(role)
        if isinstance(name, str) and name in there:
            return there[name]
        self.problem(where, f"is not the kind of {with_article(role)}; {suggestion(str(name), there)}", name)
        return None

    def component(self, role: type, data: Any, where: KeyPath, **given: Any) -> Any:
        """A component from its table, or ``None`` with its problems noted; fields ``given`` are no keys of it."""
        before = len(self.problems)
        cls = self.kind(role, data, where)
        if cls is None:
            return None
        values = self.table(model_of(cls, frozenset(given)), data, where)
        values.pop("kind", None)
        written = dict(values)
        inner, well_formed = parts(cls), True
        for name, meaning in meanings(cls).items():
            if name not in values:
                continue
            at = (*where, name)
            if isinstance(meaning, Part):
                values[name] = self.component(inner[name], values[name], at)
            elif isinstance(meaning, NamedParts):
                well_formed &= len(values[name]) > 0
                values[name] = self._named_components(meaning, inner[name], values[name], at)
            elif isinstance(meaning, Groups):
                well_formed &= self._check_groups(meaning, values[name], at)
            elif isinstance(meaning, Links):
                well_formed &= self._check_links(meaning, values[name], at)
            elif isinstance(meaning, Names):
                if reason := meaning.refuse(tuple(values[name])):
                    self.problem(at, reason, values[name])
                    return None  # what goes by these names cannot be read
            elif isinstance(meaning, Assignment):
                if not self._check_assignment(meaning, values, at):
                    return None
            elif isinstance(meaning, Parameter) and meaning.column:
                values[name] = self.column(meaning, values[name], at)
        if well_formed and values.keys() >= {n for n, m in meanings(cls).items() if isinstance(m, Groups | Links)}:
            self._check_uses(cls, written, where)
        for name, meaning in meanings(cls).items():
            if isinstance(meaning, Parameter) and meaning.entries and name in values:
                entries = names_of_entries(cls, written, meaning)
                if entries is not None:
                    values[name] = _array(self.numbers(meaning, values[name], entries, (*where, name)))
        return self.build(cls, {**values, **given}, where) if len(self.problems) == before else None

    def _check_assignment(self, meaning: Assignment, values: dict[str, Any], where: KeyPath) -> bool:
        """Whether the new names can be used, whatever they stand for; mistakes are noted."""
        given, existing = values[where[-1]], values.get(meaning.of)
        if not given:
            self.problem(where, f"is empty ({meaning.doc}); give at least one.")
        for name, of in given.items():
            if not isinstance(of, str):
                self.problem((*where, name), f"must be a text, not {type_name(of)} ({meaning.doc}).", of)
            elif existing is not None and of not in existing:
                self.problem((*where, name), f"is not one of the {meaning.of}; {suggestion(of, existing)}", of)
            elif reason := Names("").refuse((name,)):
                self.problem((*where, name), reason)
        return not Names("").refuse(tuple(given))

    def _named_components(self, meaning: NamedParts, role: type, data: Mapping, where: KeyPath) -> dict[str, Any]:
        """Components by name; mistakes are noted."""
        if not data:
            self.problem(where, f"is empty ({meaning.doc}); give at least one.")
        for name in data:
            if reason := Names("").refuse((name,)):
                self.problem((*where, name), reason)
        return {name: self.component(role, one, (*where, name)) for name, one in data.items()}

    def _check_groups(self, meaning: Groups, given: Mapping, where: KeyPath) -> bool:
        """Whether new names stand for lists of names, whatever these are; mistakes are noted."""
        before = len(self.problems)
        if not given and not meaning.optional:
            self.problem(where, f"is empty ({meaning.doc}); give at least one.")
        for name, group in given.items():
            at = (*where, name)
            if reason := Names("").refuse((name,)):
                self.problem(at, reason)
            elif not isinstance(group, str | list):
                self.problem(at, f"must be a list of names, not {type_name(group)} ({meaning.doc}).", group)
            elif not group:
                self.problem(at, f"is empty; {NOT_EMPTY}", group)
            elif wrong := [one for one in group if not isinstance(one, str)]:
                self.problem(at, f"must be a list of texts, without {type_name(wrong[0])} ({meaning.doc}).", group)
        return len(self.problems) == before

    def _check_links(self, meaning: Links, given: Mapping, where: KeyPath) -> bool:
        """Whether names are joined to names, whatever these are; mistakes are noted."""
        before = len(self.problems)
        for path, other in _ends(given):
            if not isinstance(other, str):
                message = f"must be one of the {meaning.of}, a text, not {type_name(other)} ({meaning.doc})."
                self.problem((*where, *path), message, other)
        return len(self.problems) == before

    def _check_uses(self, cls: type, written: Mapping[str, Any], where: KeyPath):
        """Names that stand for nothing, stand twice or are left over are noted, where it can be known."""
        try:
            for (field, *inside), message in misused_names(with_names_only(cls, written), suggestion):
                value = written[field]
                if isinstance(meanings(cls)[field], Links):
                    inside, value = next(link for link in _ends(value) if ".".join(link[0]) == inside[0])
                elif isinstance(value, Mapping):
                    value = value[inside[0]] if inside else None
                self.problem((*where, field, *inside), message, value)
        except NO_NAMES:
            pass  # a mistake in what they stand for is noted already

    def build(self, cls: type, values: dict[str, Any], where: KeyPath) -> Any:
        """Make the object; what its own checks refuse is a problem of the table, or of the field they name."""
        try:
            return cls(**values)
        except FieldError as error:
            self.problem((*where, error.field, *error.inside), str(error))
        except ValueError as error:
            self.problem(where, str(error))
        return None


def names_of_entries(cls: type, values: Mapping[str, Any], meaning: Parameter) -> list[tuple[str, ...]] | None:
    """Names along each dimension of an array, from the names among ``values`` alone; ``None`` if one is missing."""
    skeleton = with_names_only(cls, values)
    try:
        return [tuple(getattr(skeleton, attribute)) for attribute in meaning.entries]
    except NO_NAMES:
        return None


NO_NAMES = (AttributeError, TypeError, ValueError, LookupError)
"""What a property that follows from names may raise where these are missing, or not names."""


def with_names_only(cls: type, values: Mapping[str, Any]) -> Any:
    """An object of a class that knows its names and its parts' and nothing else: enough for what follows from names
    alone. ``values`` are those of its table, as the file gives them."""
    skeleton = object.__new__(cls)
    for name, meaning in meanings(cls).items():
        value = values.get(name)
        known: Any = None
        match meaning, value:
            case Count(), int():
                known = value
            case Names(), list() | tuple():
                known = tuple(value)
            case Assignment(), Mapping():
                known = tuple(value.items())
            case Groups(), Mapping() if all(isinstance(group, str | list) for group in value.values()):
                known = as_groups(value)
            case Links(), Mapping():
                known = as_links(value)
            case ChosenName(), str():
                known = value
            case Part(), _:
                known = _part_with_names_only(parts(cls).get(name), value)
            case NamedParts(), Mapping():
                role = parts(cls).get(name)
                there = {key: _part_with_names_only(role, one) for key, one in sorted(value.items())}
                known = None if None in there.values() else there
        if known is not None:
            object.__setattr__(skeleton, name, known)
    return skeleton


def _part_with_names_only(role: type | None, data: Any) -> Any:
    """The same of a part; ``None`` if its kind cannot be known."""
    kind = data.get("kind") if isinstance(data, Mapping) else None
    cls = kinds(role).get(kind) if role is not None and isinstance(kind, str) else None
    return None if cls is None else with_names_only(cls, data)


def _ends(links: Mapping) -> list[tuple[tuple[str, ...], Any]]:
    """Where each link of a table stands in it, and its other end; one end is the keys of the first, joined by a dot."""
    return [
        ((name,) if inner is None else (name, inner), other)
        for name, value in links.items()
        for inner, other in (value.items() if isinstance(value, Mapping) else [(None, value)])
    ]


def _array(nested: Any) -> np.ndarray | None:
    """Nested lists as an array; ``None`` where a number is missing (its problem is noted)."""
    flat = [nested]
    while flat and isinstance(flat[0], list):
        flat = [entry for row in flat for entry in (row if isinstance(row, list) else [row])]
    return None if any(entry is None for entry in flat) else np.array(nested, float)


@functools.cache
def number_adapter(meaning: Parameter) -> pydantic.TypeAdapter:
    """What checks one number on its own."""
    return pydantic.TypeAdapter(quantity(meaning))


@functools.cache
def adapter(shape: type[pydantic.BaseModel], name: str) -> pydantic.TypeAdapter:
    """What checks one key of a table on its own."""
    described = shape.model_fields[name]
    checked = Annotated[described.annotation, *described.metadata] if described.metadata else described.annotation
    plain = isinstance(checked, type) and issubclass(checked, pydantic.BaseModel)
    return pydantic.TypeAdapter(checked, config=None if plain else STRICT)


STRICT = pydantic.ConfigDict(strict=True, arbitrary_types_allowed=True)


def _inside(value: Any, location: tuple) -> KeyPath:
    """The part of an error's location that stands in the file: pydantic adds which of several types it tried."""
    found: list[str | int] = []
    for part in location:
        if (isinstance(value, list) and isinstance(part, int) and part < len(value)) or (
            isinstance(value, dict) and part in value
        ):
            value = value[part]
            found.append(part)
    return tuple(found)


def _expected(error: Mapping[str, Any]) -> str:
    if error["type"] == "literal_error":
        return error["ctx"]["expected"].replace("'", '"')
    known = {
        "float": 'a number, or a text with a unit like "0.2 meV"',
        "int": "a whole number",
        "string": 'a text in quotes, like "L"',
        "bool": "true or false",
        "list": "a list in brackets, [ ... ]",
        "dict": "a table",
        "finite": "a finite number",
    }
    return known.get(error["type"], known.get(error["type"].split("_")[0], "a value of another kind"))
