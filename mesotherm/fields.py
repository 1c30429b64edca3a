"""What a user configures: fields with a meaning, written once in the class.

Validation, device files, templates, help texts and shifts of the zero of energy all read these declarations; nothing
about a component is written twice. A field is one of

- :func:`parameter`: a number or an array of numbers, with a unit and a range;
- :func:`names`: names a component gives to its own parts, like the dots of a device;
- :func:`assignment`: new names, each standing for one of those, like the terminals and the dots they contact;
- :func:`terminal_name` and :func:`terminal_names`: terminals of the device a component is used with;
- :func:`part`: another component.
"""

import dataclasses
import functools
import re
from collections.abc import Mapping
from typing import Any, Self

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

GOOD_NAME = re.compile(r"\w+")
"""Letters, digits and underscores: a name stands in paths like ``device.levels.M`` and in pairs like ``M-H``."""


class FieldError(ValueError):
    """A value that a component cannot have: ``field`` says which of its fields is wrong."""

    def __init__(self, field: str, message: str):
        super().__init__(message)
        self.field = field


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
class TerminalName:
    """Meaning of a field that names a terminal of the device, or ``several``."""

    doc: str
    several: bool = False


@dataclasses.dataclass(frozen=True)
class Part:
    """Meaning of a field that is another component."""

    doc: str


Meaning = Parameter | Names | Assignment | TerminalName | Part

MEANING = "meaning"
"""Key of a field's metadata under which its meaning stands."""


def _declared(meaning: Meaning, default: Any, **options: Any) -> Any:
    if default is not dataclasses.MISSING:
        options["default"] = default
    return eqx.field(metadata={MEANING: meaning}, **options)


def parameter(doc: str, *, default: Any = dataclasses.MISSING, **meaning: Any) -> Any:
    """Declare a numeric field: a scalar or an array of 64-bit floats. Options are those of :class:`Parameter`."""
    return _declared(Parameter(doc, **meaning), default, converter=as_array)


def names(doc: str, *, most: int | None = None, default: Any = dataclasses.MISSING) -> Any:
    """Declare a tuple of new names, different ones, at most ``most``; none are needed where the default is ``()``."""
    return _declared(Names(doc, most, optional=default == ()), default, static=True, converter=tuple)


def assignment(doc: str, *, of: str) -> Any:
    """Declare (new name, existing name) pairs; the existing names stand in the attribute ``of``."""
    return _declared(Assignment(doc, of), dataclasses.MISSING, static=True, converter=_pairs)


def terminal_name(doc: str, *, default: Any = dataclasses.MISSING) -> Any:
    """Declare the name of a terminal."""
    return _declared(TerminalName(doc), default, static=True)


def terminal_names(doc: str, *, default: Any = dataclasses.MISSING) -> Any:
    """Declare names of terminals."""
    return _declared(TerminalName(doc, several=True), default, static=True, converter=tuple)


def part(doc: str) -> Any:
    """Declare another component."""
    return _declared(Part(doc), dataclasses.MISSING)


def as_array(value: Any) -> Any:
    """Plain numbers, lists and NumPy arrays as a JAX array; anything else as it is."""
    plain = isinstance(value, int | float | list | tuple | np.ndarray | np.generic)
    return jnp.asarray(value, float) if plain else value


def _pairs(given: Any) -> tuple[tuple[str, str], ...]:
    return tuple(map(tuple, given.items() if isinstance(given, Mapping) else given))


def is_traced(value: Any) -> bool:
    """Whether a value is not known yet because a function is being compiled, batched or differentiated."""
    return isinstance(value, jax.core.Tracer)  # pyright: ignore[reportAttributeAccessIssue]


def meanings(cls: type) -> dict[str, Meaning]:
    """The declared fields of a component class, in order."""
    return {f.name: f.metadata[MEANING] for f in dataclasses.fields(cls) if MEANING in f.metadata}


def parameters(cls: type) -> dict[str, Parameter]:
    """The declared numeric fields of a component class, in order."""
    return {name: meaning for name, meaning in meanings(cls).items() if isinstance(meaning, Parameter)}


class Component(eqx.Module):
    """Anything a user configures: a device, a part of one, an unknown, an experiment. Checks names and ranges."""

    def __check_init__(self):
        for name, meaning in meanings(type(self)).items():
            value = getattr(self, name)
            match meaning:
                case Parameter():
                    self._check_range(name, meaning, value)
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


def _inside(path, name, root):
    return getattr(path(root), name)


def _collect_shifted(node, path, energy, spots, values):
    declared = parameters(type(node))
    for field in dataclasses.fields(node):
        value = getattr(node, field.name)
        here = functools.partial(_inside, path, field.name)
        if field.name in declared and declared[field.name].gauge:
            spots.append(here)
            values.append(value + energy)
        elif isinstance(value, Component):
            _collect_shifted(value, here, energy, spots, values)
