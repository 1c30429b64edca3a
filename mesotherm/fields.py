"""What a user configures: fields with a meaning, written once in the class.

Validation, device files, templates, help texts and shifts of the zero of energy all read these declarations; nothing
about a component is written twice. A field is one of

- :func:`parameter`: a number or an array of numbers, with a unit and a range;
- :func:`count`: a whole number, like the rows of a ribbon, which fixes shapes;
- :func:`names`: names a component gives to its own parts, like the dots of a device;
- :func:`assignment`: new names, each standing for one of those, like the terminals and the dots they contact;
- :func:`groups`: new names, each standing for some of those, like the regions of a network and the elements in them;
- :func:`links`: pairs of those, like the ports of a network that are joined;
- :func:`chosen_name`: one of those;
- :func:`terminal_name` and :func:`terminal_names`: terminals of the device a component is used with;
- :func:`part`: another component;
- :func:`named_parts`: any number of components of one role, by names of the user's.
"""

import dataclasses
import functools
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Self

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

GOOD_NAME = re.compile(r"\w+")
"""Letters, digits and underscores: a name stands in paths like ``device.levels.M`` and in pairs like ``M-H``."""


class FieldError(ValueError):
    """A value that a component cannot have: ``field`` says which of its fields is wrong, ``inside`` where in it."""

    def __init__(self, field: str, message: str, *inside: str):
        super().__init__(message)
        self.field, self.inside = field, inside


@dataclasses.dataclass(frozen=True)
class Parameter:
    """Meaning of one numeric field.

    Attributes
    ----------
    doc
        What it is.
    unit
        A product of powers of ``energy``, ``hbar``, ``k_B`` and ``e``, or "1".
    low, high, open_low, infinite
        The allowed range; ``open_low`` excludes ``low`` itself, ``infinite`` allows infinities.
    gauge
        Whether it is an energy that moves with the zero of energy.
    entries
        For arrays: the attributes that name the entries of each dimension. They follow from names alone.
    left_out
        For arrays with names: the value of entries that a file leaves out; ``None`` if every one must be given.
    column
        For arrays without names: any number of values in a row, in a file a list or a column of a table.
    """

    doc: str
    unit: str = "energy"
    low: float = -np.inf
    high: float = np.inf
    open_low: bool = False
    infinite: bool = False
    gauge: bool = False
    entries: tuple[str, ...] = ()
    left_out: float | None = None
    column: bool = False

    def allowed(self) -> str:
        """The allowed range in words."""
        if np.isneginf(self.low) and np.isposinf(self.high):
            return "any number, infinite included" if self.infinite else "any finite number"
        bounds = ("> " if self.open_low else "≥ ") + f"{self.low:g}"
        return bounds if np.isposinf(self.high) else f"{bounds} and ≤ {self.high:g}"

    def accepts(self, value: np.ndarray) -> bool:
        """Whether every entry lies in the allowed range."""
        finite = np.all(np.isfinite(value)) or (self.infinite and not np.any(np.isnan(value)))
        above = np.all(value > self.low) if self.open_low else np.all(value >= self.low)
        return bool(finite and above and np.all(value <= self.high))


@dataclasses.dataclass(frozen=True)
class Count:
    """Meaning of a field that is a whole number, at least ``low``; it is no value that could be swept."""

    doc: str
    low: int = 1

    def refuse(self, given: object) -> str:
        """Why this cannot be; empty if it can."""
        if isinstance(given, int) and not isinstance(given, bool) and given >= self.low:
            return ""
        return f"{self.doc} must be a whole number ≥ {self.low}."


@dataclasses.dataclass(frozen=True)
class Names:
    """Meaning of a field of new names, of which there may be at most ``most``, or none at all if ``optional``."""

    doc: str
    most: int | None = None
    optional: bool = False

    def refuse(self, given: tuple[str, ...]) -> str:
        """Why these names cannot be; empty if they can."""
        bad = [name for name in given if not GOOD_NAME.fullmatch(name)]
        if bad:
            return f"{bad[0]!r} is not a good name; use letters, digits and underscores only."
        twice = [name for name in given if given.count(name) > 1]
        if twice:
            return f"{twice[0]!r} is named twice; names must be different."
        if (not given and not self.optional) or (self.most and len(given) > self.most):
            return f"{self.doc}: there are {len(given)}; give {f'1 to {self.most}' if self.most else 'at least one'}."
        return ""


@dataclasses.dataclass(frozen=True)
class Assignment:
    """Meaning of a field of (new name, existing name) pairs; the existing ones stand in the attribute ``of``."""

    doc: str
    of: str


@dataclasses.dataclass(frozen=True)
class Groups:
    """Meaning of a field of (new name, existing names) pairs; the existing ones stand in the attribute ``of``.

    No existing name is used twice, neither here nor in other groups and links of the same attribute; all of them are
    used, here or there, if ``complete``. There may be no group at all if ``optional``.
    """

    doc: str
    of: str
    complete: bool = False
    optional: bool = False


@dataclasses.dataclass(frozen=True)
class Links:
    """Meaning of a field of pairs of existing names, each used at most once; they stand in the attribute ``of``."""

    doc: str
    of: str


@dataclasses.dataclass(frozen=True)
class ChosenName:
    """Meaning of a field that is one existing name of those in the attribute ``of``, or "" for none."""

    doc: str
    of: str


@dataclasses.dataclass(frozen=True)
class TerminalName:
    """Meaning of a field that names a terminal of the device, or ``several``."""

    doc: str
    several: bool = False


@dataclasses.dataclass(frozen=True)
class Part:
    """Meaning of a field that is another component."""

    doc: str


@dataclasses.dataclass(frozen=True)
class NamedParts:
    """Meaning of a field that is a mapping from names of the user's to components."""

    doc: str


Meaning = Parameter | Count | Names | Assignment | Groups | Links | ChosenName | TerminalName | Part | NamedParts

MEANING = "meaning"
"""Key of a field's metadata under which its meaning stands."""


def _declared(meaning: Meaning, default: Any, **options: Any) -> Any:
    if default is not dataclasses.MISSING:
        options["default"] = default
    return eqx.field(metadata={MEANING: meaning}, **options)


def parameter(doc: str, *, default: Any = dataclasses.MISSING, **meaning: Any) -> Any:
    """Declare a numeric field: a scalar or an array of 64-bit floats. Options are those of :class:`Parameter`."""
    return _declared(Parameter(doc, **meaning), default, converter=as_array)


def count(doc: str, *, low: int = 1, default: Any = dataclasses.MISSING) -> Any:
    """Declare a whole number, at least ``low``."""
    return _declared(Count(doc, low), default, static=True)


def names(doc: str, *, most: int | None = None, default: Any = dataclasses.MISSING) -> Any:
    """Declare a tuple of new names, different ones, at most ``most``; none are needed where the default is ``()``."""
    return _declared(Names(doc, most, optional=default == ()), default, static=True, converter=tuple)


def assignment(doc: str, *, of: str) -> Any:
    """Declare (new name, existing name) pairs; the existing names stand in the attribute ``of``."""
    return _declared(Assignment(doc, of), dataclasses.MISSING, static=True, converter=_pairs)


def groups(doc: str, *, of: str, complete: bool = False, default: Any = dataclasses.MISSING) -> Any:
    """Declare (new name, existing names) pairs; the existing names stand in the attribute ``of``. Options are those of
    :class:`Groups`; no group is needed where the default is ``()``."""
    return _declared(Groups(doc, of, complete, optional=default == ()), default, static=True, converter=as_groups)


def links(doc: str, *, of: str, default: Any = dataclasses.MISSING) -> Any:
    """Declare pairs of existing names; they stand in the attribute ``of``."""
    return _declared(Links(doc, of), default, static=True, converter=as_links)


def chosen_name(doc: str, *, of: str, default: Any = dataclasses.MISSING) -> Any:
    """Declare one existing name of those in the attribute ``of``; "" for none."""
    return _declared(ChosenName(doc, of), default, static=True)


def terminal_name(doc: str, *, default: Any = dataclasses.MISSING) -> Any:
    """Declare the name of a terminal."""
    return _declared(TerminalName(doc), default, static=True)


def terminal_names(doc: str, *, default: Any = dataclasses.MISSING) -> Any:
    """Declare names of terminals."""
    return _declared(TerminalName(doc, several=True), default, static=True, converter=tuple)


def part(doc: str) -> Any:
    """Declare another component."""
    return _declared(Part(doc), dataclasses.MISSING)


def named_parts(doc: str) -> Any:
    """Declare components by name: the field is a dict from names to components of the role in its annotation,
    ``dict[str, AbstractBarrier]``. It is kept in alphabetical order, which is that of a pytree."""
    return _declared(NamedParts(doc), dataclasses.MISSING, converter=_sorted)


def as_array(value: Any) -> Any:
    """Plain numbers, lists and NumPy arrays as a JAX array; anything else as it is."""
    plain = isinstance(value, int | float | list | tuple | np.ndarray | np.generic)
    return jnp.asarray(value, float) if plain else value


def _pairs(given: Any) -> tuple[tuple[str, str], ...]:
    return tuple(map(tuple, given.items() if isinstance(given, Mapping) else given))


def as_groups(given: Any) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """(new name, existing names) pairs; a single existing name may stand alone."""
    rows = given.items() if isinstance(given, Mapping) else given
    return tuple((new, (existing,) if isinstance(existing, str) else tuple(existing)) for new, existing in rows)


def as_links(given: Any) -> tuple[tuple[str, str], ...]:
    """Pairs of names, from pairs or from a mapping; in one, "a.x" may also stand as x in the mapping a."""
    if not isinstance(given, Mapping):
        return tuple(map(tuple, given))
    return tuple(
        (name if inner is None else f"{name}.{inner}", other)
        for name, value in given.items()
        for inner, other in (value.items() if isinstance(value, Mapping) else [(None, value)])
    )


def _sorted(given: Any) -> Any:
    return dict(sorted(given.items())) if isinstance(given, Mapping) else given


def is_traced(value: Any) -> bool:
    """Whether a value is not known yet because a function is being compiled, batched or differentiated."""
    return isinstance(value, jax.core.Tracer)  # pyright: ignore[reportAttributeAccessIssue]


def meanings(cls: type) -> dict[str, Meaning]:
    """The declared fields of a component class, in order."""
    return {f.name: f.metadata[MEANING] for f in dataclasses.fields(cls) if MEANING in f.metadata}


def parameters(cls: type) -> dict[str, Parameter]:
    """The declared numeric fields of a component class, in order."""
    return {name: meaning for name, meaning in meanings(cls).items() if isinstance(meaning, Parameter)}


def components_in(component: "Component") -> dict[tuple[str, ...], "Component"]:
    """The components directly inside another, by the keys that lead there: (field,), or (field, name) of named ones."""
    found: dict[tuple[str, ...], Component] = {}
    for field in dataclasses.fields(component):
        value = getattr(component, field.name)
        if isinstance(value, Component):
            found[(field.name,)] = value
        elif isinstance(value, dict):
            found |= {(field.name, name): one for name, one in value.items() if isinstance(one, Component)}
    return found


def _all_of_them(wrong: str, there: Collection[str]) -> str:
    return f"there are: {', '.join(there)}." if there else "there are none here."


def misused_names(
    component: Any, advice: Callable[[str, Collection[str]], str] = _all_of_them
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Mistakes in the groups, links and chosen names of a component: the field and the new name inside it, and what is
    wrong there.

    Parameters
    ----------
    component
        It, or anything that has its names.
    advice
        Says for a name that does not exist which do.
    """
    declared = meanings(type(component))
    users = {name: meaning for name, meaning in declared.items() if isinstance(meaning, Groups | Links | ChosenName)}
    for of in dict.fromkeys(meaning.of for meaning in users.values()):
        fields = {name: meaning for name, meaning in users.items() if meaning.of == of}
        existing, places, right = _names_in(getattr(component, of)), {}, True
        for field, meaning in fields.items():
            for where, name in _uses(component, field, meaning):
                if name not in existing:
                    right = False
                    yield where, f"{name!r} is not one of the {of}; {advice(name, existing)}"
                elif not isinstance(meaning, ChosenName):
                    if name in places:
                        right = False
                        yield where, f"{name!r} is used already, in {'.'.join(places[name])}; use it once."
                    places.setdefault(name, where)
        left = [name for name in existing if name not in places]
        complete = [name for name, meaning in fields.items() if isinstance(meaning, Groups) and meaning.complete]
        if complete and left and right:  # others are left over because of a mistake that is told
            homes = " or ".join([*complete, *(name for name, meaning in fields.items() if isinstance(meaning, Links))])
            yield (complete[0],), f"misses {', '.join(left)}; every one of the {of} stands once in {homes}."


def _names_in(given: Any) -> tuple[str, ...]:
    """Names that are entries, keys, or the first of pairs."""
    return tuple(one if isinstance(one, str) else one[0] for one in given)


def _uses(component: Any, field: str, meaning: Meaning) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every existing name that a field uses: the field and the new name (of a link, its first end), and itself."""
    value = getattr(component, field)
    match meaning:
        case Groups():
            yield from (((field, new), name) for new, group in value for name in group)
        case Links():
            yield from (((field, pair[0]), name) for pair in value for name in pair)
        case ChosenName() if value:
            yield (field,), value


NOT_EMPTY = "name one or more, or leave it out."
"""What to do about a group of nothing."""


class Component(eqx.Module):
    """Anything a user configures: a device, a part of one, an unknown, an experiment. Checks names and ranges."""

    def __check_init__(self):
        for name, meaning in meanings(type(self)).items():
            value = getattr(self, name)
            match meaning:
                case Parameter():
                    self._check_range(name, meaning, value)
                case Count():
                    if reason := meaning.refuse(value):
                        raise FieldError(name, f"{type(self).__name__}: {name} = {value!r} is not allowed; {reason}")
                case Names():
                    self._check_names(name, meaning, value)
                case Assignment():
                    self._check_names(name, Names(meaning.doc), tuple(new for new, _ in value))
                    for new, existing in value:
                        if existing not in getattr(self, meaning.of):
                            known = ", ".join(getattr(self, meaning.of))
                            raise FieldError(
                                name,
                                f"{new!r}: there is no {existing!r} among the {meaning.of}; there are: {known}.",
                            )
                case Groups():
                    self._check_names(name, Names(meaning.doc, optional=meaning.optional), tuple(n for n, _ in value))
                    if (empty := next((new for new, group in value if not group), None)) is not None:
                        raise FieldError(name, f"{type(self).__name__}: {name}: {empty!r} is empty; {NOT_EMPTY}")
                case NamedParts():
                    self._check_names(name, Names(meaning.doc), tuple(value))
        for (field, *inside), why in misused_names(self):
            raise FieldError(field, f"{type(self).__name__}: {'.'.join([field, *inside])}: {why}", *inside)

    def _check_range(self, name: str, meaning: Parameter, value: Any):
        if is_traced(value) or not isinstance(value, jax.Array | np.ndarray):
            return
        if not meaning.accepts(np.asarray(value)):
            raise FieldError(
                name,
                f"{type(self).__name__}: {name} = {np.asarray(value).tolist()} is not allowed; "
                f"{name} ({meaning.doc}) takes {meaning.allowed()}.",
            )

    def _check_names(self, name: str, meaning: Names, value: tuple[str, ...]):
        if reason := meaning.refuse(value):
            raise FieldError(name, f"{type(self).__name__}: {name}: {reason}")

    def shifted(self, energy: Float[Array, ""] | float) -> Self:
        """The same component with the zero of energy lowered: every gauge energy is raised by ``energy`` [energy]."""
        spots, values = [], []
        _collect_shifted(self, lambda node: node, energy, spots, values)
        return eqx.tree_at(lambda node: [spot(node) for spot in spots], self, values) if spots else self


def _inside(path, keys, root):
    return inside(path(root), keys)


def inside(node: Any, keys: tuple[str, ...]) -> Any:
    """What keys lead to: fields of components, and names in dicts of them."""
    for key in keys:
        node = node[key] if isinstance(node, dict) else getattr(node, key)
    return node


def _collect_shifted(node, path, energy, spots, values):
    for name, meaning in parameters(type(node)).items():
        if meaning.gauge:
            spots.append(functools.partial(_inside, path, (name,)))
            values.append(getattr(node, name) + energy)
    for keys, component in components_in(node).items():
        _collect_shifted(component, functools.partial(_inside, path, keys), energy, spots, values)
