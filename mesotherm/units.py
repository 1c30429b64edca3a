"""The border between quantities with SI units, as people write them, and the plain numbers inside (k_B = ħ = e = 1).

One energy unit is chosen once, for example "meV", and, where something moves, one length, for example "nm". Internal
units are products of powers of ``energy``, ``hbar``, ``k_B``, ``e`` and ``length``, or "1": "energy/k_B" is a
temperature, "energy/hbar" a particle current or a tunnel rate.

The two frequency rules. What a text in hertz means depends on what is needed there:

- an ENERGY: it is the frequency of a photon, E = h f; "3 GHz" is 0.0124 meV. Only hertz says so; "1/s" is refused, for
  it may be an angular frequency.
- a RATE: it counts events; "3 GHz" and "3e9 1/s" are 3·10⁹ events per second, which is ħ·3·10⁹/s = 0.00197 meV over ħ.
  There is no factor 2π.

Other crossings of the border. A temperature stands for the energy k_B T; an energy for a temperature, or for ħ times a
rate. A voltage stands for nothing: the sign of an electron's energy in it is a matter of convention. Everything else
needs its exact dimension. "h" is refused: the hour to a unit library, Planck's constant to a physicist.

Conversion factors are exact rational numbers (k_B, h and e are exact in the SI since 2019; π to 50 digits), rounded
once, at the end: "0.2 meV" is the 64-bit number 0.2 in meV.

Source of units and constants: the package pint, with the CODATA values it carries.
"""

import dataclasses
import functools
import math
import re
from fractions import Fraction

import xarray as xr

from mesotherm.unit_texts import (
    FACTOR,
    NUMBER,
    SI_SYMBOLS,
    Dimension,
    UnitError,
    WrittenUnit,
    factors_of,
    named_unit,
    number_and_unit,
    rounded,
    shown,
    unit_of,
)

DEFAULT_RESULTS = ("nA", "fW", "K", "fW/K", "uV/K", "uS", "A^2/Hz", "W^2/Hz", "A*W/Hz", "ns", "pN", "N/m")
"""Units of results where none are chosen: currents, powers, temperatures, entropy rates, thermopowers, conductances,
noise of currents, of heat currents, of both with each other, times, forces, stiffnesses."""

ENERGY_RANGE = Fraction(1, 10**60), Fraction(10**60)
"""Energy units that can be chosen [J]. Within it no factor of a conversion leaves the range of 64-bit numbers."""

LENGTH_RANGE = Fraction(1, 10**30), Fraction(10**30)
"""Length units that can be chosen [m]."""

INTERNAL_BASE: dict[str, Dimension] = {
    "energy": (1, 2, -2, 0, 0),
    "hbar": (1, 2, -1, 0, 0),
    "k_B": (1, 2, -2, 0, -1),
    "e": (0, 0, 1, 1, 0),
    "length": (0, 1, 0, 0, 0),
}
"""What internal units are products of. The dimensions are independent, so that a dimension has one internal unit."""

QUANTITIES: dict[str, tuple[str, str]] = {
    "1": ("a plain number", '"0.5" or "50 %"'),
    "energy": ("an energy", '"0.2 meV", "100 mK" (k_B T) or "3 GHz" (h f)'),
    "energy/k_B": ("a temperature", '"100 mK" or "10 ueV" (k_B T)'),
    "energy/hbar": ("a rate", '"3 GHz" or "3e9 1/s" (events per second), or "2 ueV" (ħ times the rate)'),
    "energy^2/hbar": ("a power", '"1 fW"'),
    "k_B*energy/hbar": ("a power per kelvin", '"1 fW/K"'),
    "k_B/e": ("a thermopower", '"100 uV/K"'),
    "e^2/hbar": ("a conductance", '"10 uS"'),
    "hbar/e^2": ("a resistance", '"25 kohm"'),
    "e*energy/hbar": ("an electric current", '"1 nA"'),
    "energy/e": ("a voltage", '"1 mV"'),
    "e^2*energy/hbar": ("a noise of electric currents", '"1 fA^2/Hz"'),
    "energy^3/hbar": ("a noise of heat currents", '"1 fW^2/Hz"'),
    "e*energy^2/hbar": ("a noise of electric with heat currents", '"1 fA*fW/Hz"'),
    "hbar/energy": ("a time", '"10 ns"'),
    "length": ("a length", '"2.5 angstrom"'),
    "energy/length": ("a force", '"1 nN"'),
    "energy/length^2": ("a stiffness", '"0.23 N/m"'),
    "hbar^2/energy/length^2": ("a mass", '"300 dalton"'),
    "hbar/length^2": ("a friction coefficient", '"1e-12 kg/s"'),
}
"""Internal units of everything a result can be, with its name and texts that are accepted for it."""

OTHER_DIMENSIONS: dict[Dimension, str] = {
    (0, 0, 1, 0, 0): "a time",
    (0, 0, 1, 1, 0): "a charge",
    (1, 2, -1, 0, 0): "an action",
    (1, 2, -2, 0, -1): "an energy per kelvin",
    (1, 2, -3, -2, 0): "a resistance",
    (1, 0, -2, -1, 0): "a magnetic field",
    (0, -1, 0, 0, 0): "a wavenumber",
}
"""Names of what people write by mistake."""


class NoEnergyUnitError(UnitError):
    """A unit where only plain numbers can be: no energy unit, or no length, was chosen."""


@dataclasses.dataclass(frozen=True)
class ResultUnit:
    """How variables of one internal unit are written.

    Attributes
    ----------
    written
        The unit as people read it.
    factor
        What the plain numbers are multiplied by.
    remark
        What is appended to the variable's long name: " times e" or " over e" where a charge was multiplied in.
    """

    written: str
    factor: float
    remark: str = ""


@dataclasses.dataclass(frozen=True)
class Units:
    """The energy unit of the plain numbers, and the units results are written in.

    Attributes
    ----------
    energy
        "meV", or with a number in front, "25 meV". ``None``: no energy unit was chosen; there are only plain numbers
        and texts without dimension, and results stay as they are.
    results
        Units of results, at most one for each dimension; dimensions not covered have that of ``DEFAULT_RESULTS``,
        energies the energy unit, lengths the length unit.
    length
        "nm", or with a number in front, "2.5 angstrom". ``None``: no length unit was chosen; lengths, and what has one
        in its unit, are plain numbers.

    Errors: :class:`UnitError` for an unknown unit, an energy unit that is no energy, a length unit that is no length, a
    result unit of a dimension that no result has, two of one dimension, and result units without an energy unit.
    """

    energy: str | None = None
    results: tuple[str, ...] = DEFAULT_RESULTS
    length: str | None = None

    def __post_init__(self):
        object.__setattr__(self, "results", tuple(self.results))
        if self.energy is not None:
            object.__setattr__(self, "energy", self.energy.strip(" "))
            _energy_unit(self.energy)
        if self.length is not None:
            object.__setattr__(self, "length", self.length.strip(" "))
            _length_unit(self.length)
        if self.results == DEFAULT_RESULTS:
            return  # these are good, and need no unit library
        if self.energy is None and self.results:
            raise UnitError(
                f"result units ({', '.join(map(shown, self.results))}) need the energy unit of the plain numbers; add "
                'energy = "meV", or another energy.'
            )
        by_dimension: dict[Dimension, str] = {}
        for written in self.results:
            dimension = unit_of(written).dimension
            if dimension not in _result_dimensions():
                raise UnitError(
                    f"{shown(written)} is a unit of {_named(dimension)}, which no result is; give units of "
                    f"{', '.join(name for unit, (name, _) in QUANTITIES.items() if unit != '1')}."
                )
            if dimension in by_dimension:
                raise UnitError(
                    f"{shown(by_dimension[dimension])} and {shown(written)} are both units of {_named(dimension)}; "
                    "leave one out."
                )
            by_dimension[dimension] = written

    # Texts to numbers.

    def number(self, text: str, unit: str) -> float:
        """A quantity in an internal unit: ``Units("meV").number("20 ueV", "energy")`` is 0.02.

        Parameters
        ----------
        text
            A number and a unit, "0.2 meV"; a plain number only where ``unit`` is "1". Infinities are allowed.
        unit
            The internal unit.

        Errors: :class:`UnitError` for anything that is not such a text or not of a suitable dimension.
        """
        _checked_powers(unit)
        value, written = number_and_unit(text)
        if written == "1" and unit != "1":
            digits = text.strip(" ")
            meant = f" for {digits} {self.written(unit)}, or with a unit: {_examples(unit)}" if self.energy else ""
            raise UnitError(f"{shown(text)} has no unit; write {digits} without quotes{meant}.")
        factor = self._exact_factor(written, unit, text)
        if isinstance(value, float):
            return value  # infinite
        return rounded(value * factor, text)

    def factor(self, written: str, unit: str) -> float:
        """One ``written`` unit, like "mK", in an internal unit. The rules are those of :meth:`number`."""
        return rounded(self._exact_factor(written, unit, written), written)

    def split(self, text: str) -> tuple[float, str]:
        """The number and the unit of a text: "20 mK" is (20.0, "mK"). A number alone has the unit "1".

        Whether there is such a unit, and whether it suits, is for :meth:`factor` to say.
        """
        value, written = number_and_unit(text)
        return float(value), written

    def written(self, unit: str) -> str:
        """An internal unit with the name of the energy unit in it: "energy^2/hbar" is "meV^2/hbar"."""
        for name, chosen in (("energy", self.energy), ("length", self.length)):
            if chosen is not None and unit == name:
                return chosen
            if chosen is not None:
                factor = chosen if FACTOR.fullmatch(chosen) else f"({chosen})"
                unit = re.sub(rf"\b{name}\b", lambda _, factor=factor: factor, unit)
        return unit

    def _exact_factor(self, written: str, unit: str, text: str) -> Fraction:
        """One ``written`` unit in an internal one; ``text`` is what messages show."""
        powers = _checked_powers(unit)
        given = unit_of(written)
        scale = given.scale * _stands_for(given, unit, powers, text)
        if unit == "1":
            return scale
        if self.energy is None:
            raise NoEnergyUnitError(
                f"{shown(text)} has a unit, but no energy unit was chosen; add a table [units] with energy = "
                '"meV" (or another energy) to the file, or give plain numbers only.'
            )
        if self.length is None and powers[-1]:
            raise NoEnergyUnitError(
                f'{shown(text)} has a length in its unit, but no length unit was chosen; add length = "nm" (or another '
                "length) to the table [units] of the file, or give a plain number."
            )
        return scale / self._in_si(powers)

    def _in_si(self, powers: tuple[int, ...]) -> Fraction:
        """An internal unit in SI base units."""
        assert self.energy is not None
        length = Fraction(1) if self.length is None else _length_unit(self.length).scale
        bases = _energy_unit(self.energy).scale, _constant("hbar"), _constant("k_B"), _constant("e"), length
        return math.prod((base**power for base, power in zip(bases, powers, strict=True)), start=Fraction(1))

    # Numbers to results.

    def result(self, unit: str) -> ResultUnit | None:
        """How variables of an internal unit are written; ``None`` if they stay plain numbers.

        A result unit of exactly this dimension comes first, the user's before the default; then the user's units that
        need a charge: times e (particle currents in amperes) or over e (energies in volts); then the energy unit for
        energies; then defaults that need a charge.
        """
        powers = _powers(unit)
        if self.energy is None or powers is None or not any(powers) or (self.length is None and powers[-1]):
            return None
        dimension, charge = _dimension(powers), INTERNAL_BASE["e"]
        times_e = tuple(d + c for d, c in zip(dimension, charge, strict=True))
        over_e = tuple(d - c for d, c in zip(dimension, charge, strict=True))
        own, default = self.results, DEFAULT_RESULTS
        energy = (_energy_unit(self.energy).written,)
        length = () if self.length is None else (_length_unit(self.length).written,)
        for candidates, needed, charges, remark in (
            (own, dimension, 0, ""),
            (default, dimension, 0, ""),
            (own, times_e, 1, " times e"),
            (own, over_e, -1, " over e"),
            (energy, dimension, 0, ""),
            (length, dimension, 0, ""),
            (default, times_e, 1, " times e"),
            (default, over_e, -1, " over e"),
        ):
            for written in candidates:
                if unit_of(written).dimension == needed:
                    exact = self._in_si(powers) * _constant("e") ** charges / unit_of(written).scale
                    return ResultUnit(written, rounded(exact, written), remark)
        return None

    def converted(self, dataset: xr.Dataset) -> xr.Dataset:
        """A dataset with its variables in the units of results.

        Parameters
        ----------
        dataset
            Variables with internal units in their attribute ``units``. Those without, or with any other text there,
            stay as they are. Swept axes keep their numbers, too; their unit gets the name of the energy unit.

        Returns
        -------
        Dataset
            A copy; numbers are multiplied by constants, nothing else. Bounds and estimates are converted like what they
            belong to. ``long_name`` says where a charge was multiplied in. The attribute ``energy_unit`` is new,
            ``convention`` says that units are real. Without an energy unit: the dataset itself.
        """
        if self.energy is None:
            return dataset
        found = dataset.copy()
        for name, variable in dataset.variables.items():
            unit = str(variable.attrs.get("units", "1"))
            result = self.result(unit)
            if result is None:
                continue
            if "parameter" in variable.attrs:
                found[name].attrs["units"] = self.written(unit)
                continue
            found[name] = variable.copy(data=variable.to_numpy() * result.factor)
            found[name].attrs["units"] = result.written
            if result.remark and "long_name" in variable.attrs:
                found[name].attrs["long_name"] += result.remark
        found.attrs["energy_unit"] = self.energy
        if "convention" in found.attrs:
            found.attrs["convention"] = f"currents into the device; SI units; energy unit {self.energy}"
        return found


# ---------------------------------------------------------------------------------------------------------------------
# Internal units.


@functools.lru_cache(maxsize=256)
def _powers(unit: str) -> tuple[int, ...] | None:
    """Powers of ``INTERNAL_BASE`` in an internal unit; ``None`` if it is none."""
    try:
        factors = factors_of(unit)
    except UnitError:
        return None
    powers = dict.fromkeys(INTERNAL_BASE, 0)
    for name, power in factors:
        if name not in powers:
            return None
        powers[name] += power
    return tuple(powers.values())


def _checked_powers(unit: str) -> tuple[int, ...]:
    """The same; :class:`UnitError` if it is none."""
    powers = _powers(unit)
    if powers is None:
        raise UnitError(
            f"{shown(unit)} is not an internal unit; give a product of powers of {', '.join(INTERNAL_BASE)}, or 1."
        )
    return powers


def _dimension(powers: tuple[int, ...]) -> Dimension:
    columns = zip(*INTERNAL_BASE.values(), strict=True)
    kilogram, meter, second, ampere, kelvin = (
        sum(power * entry for power, entry in zip(powers, column, strict=True)) for column in columns
    )
    return kilogram, meter, second, ampere, kelvin


def _dimension_of(unit: str) -> Dimension:
    return _dimension(_checked_powers(unit))


@functools.cache
def _result_dimensions() -> dict[Dimension, str]:
    """Names of everything a result can be."""
    return {_dimension_of(unit): name for unit, (name, _) in QUANTITIES.items() if unit != "1"}


def _named(dimension: Dimension) -> str:
    """A dimension in words."""
    names = {(0,) * 5: "a number without dimension"} | OTHER_DIMENSIONS | _result_dimensions()
    if dimension in names:
        return names[dimension]
    return f"something in {_in_base_units(dimension)}"


def _in_base_units(dimension: Dimension) -> str:
    powers = zip(SI_SYMBOLS, dimension, strict=True)
    return "*".join(symbol if power == 1 else f"{symbol}^{power}" for symbol, power in powers if power)


def _examples(unit: str) -> str:
    return QUANTITIES[unit][1] if unit in QUANTITIES else f'"1 {_in_base_units(_dimension_of(unit))}"'


# ---------------------------------------------------------------------------------------------------------------------
# Which quantity a written unit stands for.


def _constant(name: str) -> Fraction:
    """ħ, k_B or e in SI base units."""
    return named_unit(name).scale


def _scaled_unit(text: str) -> tuple[Fraction | float, WrittenUnit]:
    """A unit with perhaps a number in front."""
    number, written = number_and_unit(text) if NUMBER.match(text.strip(" ")) else (Fraction(1), text.strip(" "))
    return number, unit_of(written)


@functools.lru_cache(maxsize=16)
def _length_unit(text: str) -> WrittenUnit:
    """The length unit, with the number in front of it in ``scale`` but not in ``written``."""
    number, unit = _scaled_unit(text)
    if unit.dimension != INTERNAL_BASE["length"]:
        raise UnitError(
            f'{shown(text)} is no length but {_named(unit.dimension)}; name a length as the length unit, like "nm".'
        )
    low, high = LENGTH_RANGE
    if isinstance(number, float) or not low <= number * unit.scale <= high:
        raise UnitError(f'{shown(text)} is not from {float(low):g} m to {float(high):g} m; name a length like "nm".')
    return dataclasses.replace(unit, scale=number * unit.scale)


@functools.lru_cache(maxsize=16)
def _energy_unit(text: str) -> WrittenUnit:
    """The energy unit, with the number in front of it in ``scale`` but not in ``written``."""
    number, unit = _scaled_unit(text)
    if unit.dimension != INTERNAL_BASE["energy"]:
        raise UnitError(
            f'{shown(text)} is no energy but {_named(unit.dimension)}; name an energy as the energy unit, like "meV".'
        )
    if isinstance(number, float) or number <= 0:
        raise UnitError(f'{shown(text)} is not positive and finite; name an energy like "meV" or "25 meV".')
    low, high = ENERGY_RANGE
    if not low <= number * unit.scale <= high:
        raise UnitError(f'{shown(text)} is not from {float(low):g} J to {float(high):g} J; name an energy like "meV".')
    return dataclasses.replace(unit, scale=number * unit.scale)


def _stands_for(given: WrittenUnit, unit: str, powers: tuple[int, ...], text: str) -> Fraction:
    """What a quantity is multiplied by to be of the dimension of an internal unit; 1 if it is of that already."""
    needed = _dimension(powers)
    if given.dimension == needed:
        return Fraction(1)
    energy, temperature, rate, voltage = (
        _dimension_of(name) for name in ("energy", "energy/k_B", "energy/hbar", "energy/e")
    )
    if needed == energy and given.dimension == temperature:
        return _constant("k_B")
    if needed == temperature and given.dimension == energy:
        return 1 / _constant("k_B")
    if needed == rate and given.dimension == energy:
        return 1 / _constant("hbar")
    if needed == energy and given.dimension == rate and given.in_hertz:
        return _constant("planck_constant")
    name = QUANTITIES[unit][0] if unit in QUANTITIES else _named(needed)
    advice = f"write for example {_examples(unit)}"
    if needed == energy and given.dimension == voltage:
        advice = (
            'write the energy e*V, "1 meV" for a bias of 1 mV (a voltage does not say which sign the energy of an '
            "electron has)"
        )
    if needed == energy and given.dimension == rate:
        advice = "write a frequency f in hertz, which stands for h f, or the energy ħω of an angular frequency ω"
    raise UnitError(f"{shown(text)} is {_named(given.dimension)}, but {name} is needed; {advice}.")
