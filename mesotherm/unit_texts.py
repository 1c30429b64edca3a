"""Texts of quantities and units, as people write them, read exactly: "0.2 meV" is 2/10 and "meV".

Numbers and the factors of units are exact rational numbers. The unit library knows names and prefixes; products and
powers are read here, so that it never evaluates a text.

Source of units: the package pint, with the CODATA values it carries.
"""

import dataclasses
import difflib
import functools
import math
import re
from fractions import Fraction
from typing import Any

LONGEST_TEXT = 100
"""Characters of a quantity; a longer text is no quantity."""

LONGEST_SHOWN = 60
"""Characters of a text that a message repeats."""

Dimension = tuple[int, int, int, int, int]
"""Powers of kilogram, metre, second, ampere and kelvin."""

SI_BASE = ("kilogram", "meter", "second", "ampere", "kelvin")
SI_SYMBOLS = ("kg", "m", "s", "A", "K")

COMMON_UNITS = (
    *("eV", "meV", "ueV", "neV", "J", "K", "mK", "uK", "nK"),
    *("Hz", "kHz", "MHz", "GHz", "THz", "s", "ms", "us", "ns", "ps"),
    *("A", "mA", "uA", "nA", "pA", "fA", "W", "mW", "uW", "nW", "pW", "fW", "aW", "V", "mV", "uV", "nV"),
    *("S", "mS", "uS", "nS", "%", "hbar", "k_B", "e"),
)
"""Units that a misspelt one is compared with."""

NUMBER = re.compile(r"[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|(?:inf|nan)(?![A-Za-z0-9_]))")
FACTOR = re.compile(r"(1(?![0-9])|[A-Za-zµμΩ°%][A-Za-z0-9_µμΩ]*)(?:(?:\^|\*\*)([+-]?[0-9])(?![0-9]))?")
BETWEEN = re.compile(r" *([*/]) *| +")


class UnitError(ValueError):
    """A text that is not the quantity needed. The message says what it is, what is needed, and gives examples."""


# ---------------------------------------------------------------------------------------------------------------------
# Numbers and products of names.


def shown(text: str) -> str:
    """A text in a message: cut where it is long, what a terminal would obey escaped."""
    cut = text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 3] + "..."
    return '"' + "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in cut) + '"'


def _check_length(text: str) -> None:
    if len(text) > LONGEST_TEXT:
        raise UnitError(f'{shown(text)} has {len(text)} characters; write a number and a unit, like "0.2 meV".')


def number_and_unit(text: str) -> tuple[Fraction | float, str]:
    """The number of a text, exact (or infinite), and its unit as written, "1" if there is none."""
    _check_length(text)
    stripped = text.strip(" ").replace("\u2212", "-")  # the minus sign of typeset texts
    found = NUMBER.match(stripped)
    if found is None:
        example = f"1 {stripped}" if stripped in COMMON_UNITS else "0.2 meV"
        raise UnitError(f'{shown(text)} is not a number with a unit; write one, like "{example}".')
    written = stripped[found.end() :].strip(" ") or "1"
    if written.startswith(","):
        raise UnitError(f"{shown(text)} has a comma; write decimals with a point, one number in a text.")
    if written.startswith("/"):
        written = f"1{written}"
    factors_of(written)
    return _exact(found.group(), text), written


def _exact(digits: str, text: str) -> Fraction | float:
    """A number as written, without rounding; infinities as floats."""
    value = float(digits)
    if math.isnan(value):
        raise UnitError(f"{shown(text)} is not a number; give one.")
    if math.isinf(value):
        if "inf" in digits:
            return value
        raise UnitError(f"{shown(text)} is too large for a 64-bit number; give a smaller one.")
    mantissa = re.split("[eE]", digits)[0]
    if value == 0.0:  # its exponent may have any size
        if float(mantissa) != 0.0:
            raise UnitError(f"{shown(text)} is too small for a 64-bit number; give a larger one, or 0.")
        return Fraction(0)
    return Fraction(digits)


def rounded(exact: Fraction, text: str) -> float:
    """The nearest 64-bit number, which must be there."""
    try:
        value = float(exact)
    except OverflowError:
        value = math.inf
    if math.isinf(value) or (value == 0.0 and exact):
        raise UnitError(
            f"{shown(text)} is out of the range of 64-bit numbers in the energy unit; check number and unit."
        )
    return value


def factors_of(written: str) -> list[tuple[str, int]]:
    """The names in a product of units and their powers, left to right; none for "1"."""
    _check_length(written)
    bad = UnitError(
        f'{shown(written)} is not a unit; write a product of powers of units without a number, like "meV" or "fW/K".'
    )
    factors, position, sign, divided = [], 0, 1, False
    while True:
        name = FACTOR.match(written, position)
        if name is None:
            raise bad
        if name.group(1) != "1":
            factors.append((name.group(1), sign * int(name.group(2) or 1)))
        position = name.end()
        if position == len(written):
            return factors
        between = BETWEEN.match(written, position)
        following = FACTOR.match(written, between.end()) if between else None
        if between is None or following is None:
            raise bad
        if between.group(1) is None and "1" in (name.group(1), following.group(1)):
            raise bad  # "1 1 meV" is rather a slip
        if between.group(1) is None and divided:
            raise UnitError(
                f"{shown(written)}: what is divided by? write a/b/c or a*c/b, with * and / between all units."
            )
        sign = -1 if between.group(1) == "/" else 1
        divided = divided or sign < 0
        position = between.end()


# ---------------------------------------------------------------------------------------------------------------------
# Units.


@dataclasses.dataclass(frozen=True)
class WrittenUnit:
    """A written unit: how many SI base units it is, exactly; of which dimension; whether hertz is what makes it a
    frequency."""

    written: str
    scale: Fraction
    dimension: Dimension
    in_hertz: bool = False


@functools.cache
def _registry() -> Any:
    """The unit library, loaded when the first unit is met: that takes longer than the rest of the command line."""
    import pint

    return pint.UnitRegistry(non_int_type=Fraction)


@functools.lru_cache(maxsize=256)
def unit_of(written: str) -> WrittenUnit:
    """A unit by its text. Raises :class:`UnitError` if there is no such unit or it is none that can be multiplied."""
    scale, dimension, hertz = Fraction(1), (0, 0, 0, 0, 0), 0
    for name, power in factors_of(written):
        one = named_unit(name)
        scale *= one.scale**power
        first, second, third, fourth, fifth = (d + power * o for d, o in zip(dimension, one.dimension, strict=True))
        dimension = first, second, third, fourth, fifth
        hertz += power * one.in_hertz
    return WrittenUnit(written, scale, dimension, hertz == 1)


@functools.lru_cache(maxsize=256)
def named_unit(name: str) -> WrittenUnit:
    """A single unit, prefix included."""
    registry = _registry()
    known = registry.parse_unit_name("percent" if name == "%" else name)
    if not known:
        raise UnitError(f"there is no unit {shown(name)}; {_suggestion(name)}")
    prefix, unit, _ = known[0]
    if name.endswith("s") and not name.endswith(unit + "s") and known[0] in registry.parse_unit_name(name[:-1]):
        # read as a plural; behind a symbol the s is rather a second
        raise UnitError(f"there is no unit {shown(name)}; write {name[:-1]} without s, or {name[:-1]}*s.")
    if "hour" in unit and "hour" not in name:
        raise UnitError(f"{shown(name)}: h may be the hour or Planck's constant; write hour, or planck_constant.")
    if "degree_" in unit:
        raise UnitError(f"{shown(name)} is a temperature scale with another zero or step; give kelvin.")
    if not registry._units[unit].is_multiplicative:
        raise UnitError(f"{shown(name)} is a logarithmic unit; give the quantity itself.")
    scale, base = registry.get_base_units(prefix + unit)
    powers = {str(entry): Fraction(power) for entry, power in base._units.items()}
    if not set(powers) <= set(SI_BASE) or any(power.denominator != 1 for power in powers.values()):
        raise UnitError(
            f"{shown(name)} is made of {', '.join(powers)}; give units made of {', '.join(SI_SYMBOLS)} only: rates in "
            "Hz or 1/s, an angular frequency ω as the energy ħω."
        )
    kilogram, meter, second, ampere, kelvin = (int(powers.get(entry, 0)) for entry in SI_BASE)
    return WrittenUnit(name, Fraction(scale), (kilogram, meter, second, ampere, kelvin), unit == "hertz")


def _suggestion(name: str) -> str:
    same = [unit for unit in COMMON_UNITS if unit.lower() == name.lower()]
    close = same or difflib.get_close_matches(name, COMMON_UNITS, n=1, cutoff=0.6)
    return f"did you mean {close[0]}?" if close else "there are for example meV, ueV, mK, K, GHz, 1/s, nA, fW, mV, uS."
