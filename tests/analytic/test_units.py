"""Quantities with units: known numbers from the exact constants of the SI, round trips, refusals, datasets."""

import contextlib
import math
import subprocess
import sys

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from mesotherm.observables import OBSERVABLES
from mesotherm.unit_texts import LONGEST_TEXT
from mesotherm.units import DEFAULT_RESULTS, QUANTITIES, ResultUnit, UnitError, Units

# Exact in the SI since 2019.
H = 6.62607015e-34
K_B = 1.380649e-23
E = 1.602176634e-19
HBAR = H / (2 * math.pi)
MEV = 1e-3 * E

MILLI = Units("meV")
REPRODUCIBLE = settings(deadline=None, derandomize=True, database=None)

IN_SI = {
    "energy": (MEV, "J"),
    "energy/k_B": (MEV / K_B, "K"),
    "energy/hbar": (MEV / HBAR, "1/s"),
    "energy^2/hbar": (MEV**2 / HBAR, "W"),
    "k_B*energy/hbar": (K_B * MEV / HBAR, "W/K"),
    "k_B/e": (K_B / E, "V/K"),
    "e^2/hbar": (E**2 / HBAR, "S"),
    "e*energy/hbar": (E * MEV / HBAR, "A"),
    "energy/e": (1e-3, "V"),
}
"""Each internal unit with the energy unit meV, in the SI."""


def chosen(units: Units, unit: str) -> ResultUnit:
    """The result unit of an internal unit, which must be there."""
    found = units.result(unit)
    assert found is not None
    return found


# ---------------------------------------------------------------------------------------------------------------------
# Numbers.


@pytest.mark.parametrize(
    ("text", "unit", "expected"),
    [
        ("1 K", "energy", K_B / MEV),
        ("1 K", "energy/k_B", K_B / MEV),
        ("1 meV", "energy/k_B", 1.0),
        ("3 GHz", "energy", H * 3e9 / MEV),
        ("3 GHz", "energy/hbar", HBAR * 3e9 / MEV),
        ("3e9/s", "energy/hbar", HBAR * 3e9 / MEV),
        ("3e9 1/s", "energy/hbar", HBAR * 3e9 / MEV),
        ("3 ns^-1", "energy/hbar", HBAR * 3e9 / MEV),
        ("2 ueV", "energy/hbar", 2e-3),
        ("1 fW", "energy^2/hbar", 1e-15 * HBAR / MEV**2),
        ("1 fW/K", "k_B*energy/hbar", 1e-15 * HBAR / (K_B * MEV)),
        ("100 uV/K", "k_B/e", 1e-4 * E / K_B),
        ("10 uS", "e^2/hbar", 1e-5 * HBAR / E**2),
        ("1 nA", "e*energy/hbar", 1e-9 * HBAR / (E * MEV)),
        ("1 mV", "energy/e", 1.0),
        ("2 e*mV", "energy", 2.0),
        ("1 J", "energy", 1 / MEV),
        ("50 %", "1", 0.5),
        ("0.5", "1", 0.5),
        ("1 K/mK", "1", 1000.0),
    ],
)
def test_texts_become_numbers(text, unit, expected):
    assert MILLI.number(text, unit) == pytest.approx(expected, rel=1e-14)


def test_published_values():
    """CODATA 2018, to the last digit of its tables, which cut these exact numbers off."""
    assert MILLI.number("1 K", "energy") == pytest.approx(0.08617333262, abs=5e-12)
    assert MILLI.number("3 GHz", "energy") == pytest.approx(3 * 4.135667696e-3, abs=3e-12)
    assert MILLI.number("3 GHz", "energy/hbar") == pytest.approx(3 * 6.582119569e-4, abs=2e-13)
    assert chosen(MILLI, "k_B/e").factor == pytest.approx(86.17333262, abs=5e-9)
    assert chosen(MILLI, "e^2/hbar").factor / math.pi == pytest.approx(77.48091729, abs=1e-8)  # 2e²/h in μS
    assert chosen(MILLI, "energy/hbar").factor == pytest.approx(243.4134805, abs=2e-7)  # in nA
    assert chosen(MILLI, "energy^2/hbar").factor == pytest.approx(243413.4805, abs=2e-4)  # in fW


@pytest.mark.parametrize(
    ("energy", "text", "expected"),
    [
        ("meV", "0.2 meV", 0.2),
        ("meV", "0.1 eV", 100.0),
        ("ueV", "0.3 meV", 300.0),
        ("µeV", "0.3 meV", 300.0),
        ("μeV", "0.7 µeV", 0.7),
        ("25 meV", "0.05 eV", 2.0),
        ("0.025 eV", "1 meV", 0.04),
        (" meV ", " 1e-3meV ", 1e-3),
        ("eV", "+.5 eV", 0.5),
        ("J", "-1.5e-20 J", -1.5e-20),
    ],
)
def test_decimal_factors_are_exact(energy, text, expected):
    assert Units(energy).number(text, "energy") == expected


def test_infinities_are_allowed():
    assert MILLI.number("inf meV", "energy") == math.inf
    assert MILLI.number("-inf K", "energy") == -math.inf
    assert MILLI.number("inf", "1") == math.inf


def test_factor_and_split_make_a_number():
    for text, unit in [("20 mK", "energy"), ("20mK", "energy/k_B"), ("3 /s", "energy/hbar"), ("7%", "1"), ("4", "1")]:
        value, written = MILLI.split(text)
        assert value * MILLI.factor(written, unit) == pytest.approx(MILLI.number(text, unit), rel=1e-15)
    assert MILLI.split("20 mK") == (20.0, "mK")
    assert MILLI.split("3.0") == (3.0, "1")
    assert MILLI.split("3 /s") == (3.0, "1/s")


def test_products_of_units():
    assert MILLI.factor("1*mK", "energy") == MILLI.factor("mK", "energy")
    assert MILLI.factor("meV/K*K", "energy") == 1.0
    assert MILLI.factor("e mV", "energy") == 1.0
    assert MILLI.factor("meV**2 meV^-1", "energy") == 1.0
    assert MILLI.factor("W/K", "k_B*energy^2/hbar/energy") == MILLI.factor("W/K", "k_B*energy/hbar")


def test_internal_units_are_named_with_the_energy_unit():
    assert MILLI.written("energy^2/hbar") == "meV^2/hbar"
    assert MILLI.written("energy") == "meV"
    assert MILLI.written("1") == "1"
    assert Units("25 meV").written("energy") == "25 meV"
    assert Units("25 meV").written("energy^2/hbar") == "(25 meV)^2/hbar"
    assert Units().written("energy^2/hbar") == "energy^2/hbar"
    units = Units("meV", length="nm")
    assert units.written("energy/length^2") == "meV/nm^2"
    for unit in QUANTITIES:
        assert units.factor(units.written(unit), unit) == 1.0


def test_lengths_need_a_length_unit():
    """Units of stiffness and mass of Mehring, Bustos-Marún & Calvo (2024), Appendix A, from γ₀ and a."""
    units = Units("3.88 eV", length="2.5 angstrom")
    assert 1 / units.number("1 N/m", "energy/length^2") == pytest.approx(9.946, abs=5e-4)
    electron_mass = units.number("1 electron_mass", "hbar^2/energy/length^2")
    assert 1 / electron_mass == pytest.approx(0.3142, abs=5e-5)
    assert units.result("length") == ResultUnit("angstrom", 2.5)
    assert MILLI.result("energy/length") is None
    with pytest.raises(UnitError, match="no length unit was chosen"):
        MILLI.number("1 nm", "length")
    with pytest.raises(UnitError, match="no length but an energy"):
        Units("meV", length="meV")
    with pytest.raises(UnitError, match="from 1e-30 m"):
        Units("meV", length="0 nm")


@REPRODUCIBLE
@given(
    energy=st.sampled_from(["meV", "ueV", "eV", "J", "25 meV", "hartree", "k_B*K", "kcal"]),
    unit=st.sampled_from(sorted(IN_SI)),
    value=st.floats(1e-30, 1e30) | st.floats(-1e30, -1e-30),
)
def test_round_trip(energy, unit, value):
    units = Units(energy, ("J", "K", "1/s", "W", "W/K", "V/K", "S", "A", "V"))
    result = chosen(units, unit)
    assert (result.written, result.remark) == (IN_SI[unit][1], "")
    real = value * result.factor
    assert units.number(f"{real!r} {result.written}", unit) == pytest.approx(value, rel=1e-15, abs=0.0)


@pytest.mark.parametrize("unit", IN_SI)
def test_factors_from_the_exact_constants(unit):
    factor, written = IN_SI[unit]
    assert chosen(Units("meV", (written,)), unit).factor == pytest.approx(factor, rel=1e-14)


# ---------------------------------------------------------------------------------------------------------------------
# Refusals.

NASTY = [
    *("", " ", "abc", "meV", "1 abc", "1 mev", "nan", "nan meV", "1 nan", "1 inf", "infmeV", "infinity meV", "--1 meV"),
    *("1 meV; import os", "__import__('os')", "1 __class__", "1 meV\n", "1\tmeV", "1 meV\x00", "\x1b[2J 1 meV", "None"),
    *("2 ** 9999999", "9**9**9", "9**9**9 meV", "1 meV**9**9**9", "1 meV**9999999", "1 meV^99", "1 meV^0.5", "1 meV^-"),
    *("1e999999 meV", "1e-999999 meV", "-1e400 meV", "1e308 J", "1e999999999999 meV", "1e-330 meV", "1e-320 K/K*1e-9"),
    *(
        "(" * 40 + "1 meV" + ")" * 40,
        "(1) meV",
        "1 (meV)",
        "[1] meV",
        "1 {meV}",
        "1 'meV'",
        "1 meV/",
        "1 */ meV",
        "1 //s",
    ),
    *("1" * 200 + " meV", "1 " + "meV*" * 5000 + "meV", "9" * 100000, "1" + " " * 200 + "meV"),
    *("１ meV", "1 ｍｅＶ", "1 🙂", "∞ meV", "1 ℏ", "½ meV", "1 meV²", "1 m\u0301eV", "\u202e1 meV", "1\u00a0meV"),
    *("1,5 meV", "1.5.2 meV", "1 1 meV", "1 2 meV", "1_000 meV", "0x10 meV", "1e3.5 meV", "1 meV 2", "1 meV + 1 meV"),
    *("3.0", "1e-3", "0", "-inf", "50 %", "1 m", "1 kg", "1 s", "1 V", "1 mV", "1 nA", "1 C", "1 W", "1 T", "1 cm^-1"),
    *(
        "1 1/s",
        "1/s",
        "1/ns",
        "1 rad/s",
        "1 rpm",
        "1 Bq",
        "1 cps",
        "1 deg",
        "1 turn/s",
        "1 bit",
        "1 count",
        "1 kcal/mol",
    ),
    *("20 degC", "20 °C", "20 degF", "20 delta_degC", "1 degR", "1 mdegC", "1 dB", "1 dBm", "1 Np", "1 decade"),
    *(
        "1 h",
        "1 h/s",
        "1 h*GHz",
        "1 meVs",
        "1 Js",
        "1 hbars",
        "1 mk",
        "1 kB",
        "1 Fr",
        "1 statV",
        "1 W/K K",
        "1 meV/1 1",
    ),
]
"""Texts that are no energy."""


@pytest.mark.parametrize("text", NASTY, ids=range(len(NASTY)))
def test_bad_texts_are_refused(text):
    with pytest.raises(UnitError) as refused:
        MILLI.number(text, "energy")
    message = str(refused.value)
    assert message.isprintable()  # nothing a terminal would obey
    assert len(message) < 400


@pytest.mark.parametrize(
    ("text", "unit", "parts"),
    [
        ("1 mV", "energy", ["is a voltage", "an energy is needed", "e*V", '"1 meV" for a bias of 1 mV']),
        ("1/s", "energy", ["is a rate", "hertz", "ħω"]),
        ("1 nA", "energy/hbar", ["is an electric current", "a rate is needed", '"3 GHz"']),
        ("1 GHz", "energy/k_B", ["is a rate", "a temperature is needed", '"100 mK"']),
        ("20 degC", "energy/k_B", ["give kelvin"]),
        ("3.0", "energy", ["3.0 without quotes for 3.0 meV", '"0.2 meV"']),
        ("3.0", "energy^2/hbar", ["3.0 without quotes for 3.0 meV^2/hbar", '"1 fW"']),
        ("20 mK", "1", ["is a temperature", "a plain number is needed", "50 %"]),
        ("1 V", "e^2/hbar", ["a conductance is needed"]),
        ("1 meV", "energy^3", ["is an energy", "kg^3*m^6*s^-6"]),
        ("1 kg*K", "energy", ["something in kg*K"]),
        ("meV", "energy", ['like "1 meV"']),
        ("1 mev", "energy", ["did you mean meV?"]),
        ("1 hz", "energy", ["did you mean Hz?"]),
        ("1 GHZ", "energy", ["did you mean GHz?"]),
        ("1 uev", "energy", ["did you mean ueV?"]),
        ("1 xyzzy", "energy", ["there is no unit", "meV"]),
        ("1,5 meV", "energy", ["with a point"]),
        ("1 rad/s", "energy", ["radian", "ħω"]),
        ("1 e^2/h", "e^2/hbar", ["Planck", "planck_constant"]),
        ("1e999999 meV", "energy", ["too large"]),
        ("1e-999999 meV", "energy", ["too small"]),
        ("1e308 J", "energy", ["out of the range"]),
        ("1 W/K s", "energy", ["what is divided by?"]),
        ("1 dBm", "energy^2/hbar", ["logarithmic"]),
        ("3 dB", "1", ["logarithmic"]),
        ("1 meV", "gamma", ["not an internal unit"]),
        ("1" * (LONGEST_TEXT + 1), "energy", [f"{LONGEST_TEXT + 1} characters"]),
    ],
)
def test_messages_say_what_to_do(text, unit, parts):
    with pytest.raises(UnitError) as refused:
        MILLI.number(text, unit)
    for part in parts:
        assert part in str(refused.value)


@REPRODUCIBLE
@given(
    text=st.text(max_size=30)
    | st.text("0123456789.eE+-*/^() %_µ°infmVKHzsh", max_size=20)
    | st.builds("{} {}".format, st.floats(), st.text("meVKGHzsAWS*/^23-% 1", max_size=12)),
    unit=st.sampled_from(sorted(QUANTITIES)),
)
@pytest.mark.parametrize("units", [MILLI, Units()], ids=["meV", "no energy unit"])
def test_any_text_is_a_number_or_refused(units, text, unit):
    for reading in (units.number, units.factor):
        with contextlib.suppress(UnitError):
            assert not math.isnan(reading(text, unit))


@pytest.mark.parametrize(
    "written", ["", "20 mK", "1 1/s", "*K", "K*", "mV", "degC", "K K", "1e3", "m" * 200, "9**9**9"]
)
def test_bad_units_are_refused(written):
    with pytest.raises(UnitError):
        MILLI.factor(written, "energy")


def test_nothing_becomes_zero_by_underflow():
    with pytest.raises(UnitError, match="out of the range"):
        Units("1e60 J").number("1e-300 J", "energy")
    assert Units("1e60 J").number("0 J", "energy") == MILLI.number("0e99999999 meV", "energy") == 0.0


@pytest.mark.parametrize("text", ["", "mK", "nan mK", "1 mK; 2", "1e999 mK", "1 (mK)", "1" * 200])
def test_bad_texts_are_not_split(text):
    with pytest.raises(UnitError):
        MILLI.split(text)


@pytest.mark.parametrize(
    ("energy", "results", "part"),
    [
        ("K", DEFAULT_RESULTS, "no energy but a temperature"),
        ("GHz", DEFAULT_RESULTS, "no energy but a rate"),
        ("mV", DEFAULT_RESULTS, "no energy but a voltage"),
        ("1", DEFAULT_RESULTS, "no energy but a number without dimension"),
        ("2.5", DEFAULT_RESULTS, "no energy but a number without dimension"),
        ("xeV", DEFAULT_RESULTS, "did you mean eV?"),
        ("", DEFAULT_RESULTS, "not a unit"),
        ("meV; import os", DEFAULT_RESULTS, "not a unit"),
        ("0 meV", DEFAULT_RESULTS, "not positive and finite"),
        ("-1 meV", DEFAULT_RESULTS, "not positive and finite"),
        ("inf meV", DEFAULT_RESULTS, "not positive and finite"),
        ("nan meV", DEFAULT_RESULTS, "not a number"),
        ("1e80 J", DEFAULT_RESULTS, "1e-60 J to 1e+60 J"),
        ("meV", ("T",), "a magnetic field, which no result is"),
        ("meV", ("%",), "a number without dimension, which no result is"),
        ("meV", ("nA", "W", "pA"), '"nA" and "pA" are both units of an electric current'),
        ("meV", ("Hz", "1/s"), "both units of a rate"),
        ("meV", ("ampere_meter_per",), "there is no unit"),
        ("meV", ("10 pA",), "without a number"),
        ("meV", ("e^2/h",), "Planck"),
        (None, ("pA",), 'add energy = "meV"'),
    ],
)
def test_bad_choices_of_units_are_refused(energy, results, part):
    with pytest.raises(UnitError) as refused:
        Units(energy, results)
    assert part in str(refused.value)


def test_without_an_energy_unit_there_are_only_plain_numbers():
    plain = Units()
    assert plain.number("50 %", "1") == 0.5
    assert plain.split("20 mK") == (20.0, "mK")
    for text, unit in [("0.2 meV", "energy"), ("100 uV/K", "k_B/e")]:
        with pytest.raises(UnitError, match=r'add a table \[units\] with energy = "meV"'):
            plain.number(text, unit)
    with pytest.raises(UnitError, match=r"write 3\.0 without quotes\."):
        plain.number("3.0", "energy")
    with pytest.raises(UnitError, match="is a voltage"):
        plain.number("1 mV", "energy")
    dataset = example()
    assert plain.converted(dataset) is dataset
    assert plain.result("energy") is None


def test_the_unit_library_is_loaded_only_when_a_unit_is_met():
    code = (
        "import sys; from mesotherm.units import Units; "
        "assert Units().number('0.5', '1') == 0.5; assert 'pint' not in sys.modules; "
        "Units('meV'); assert 'pint' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# ---------------------------------------------------------------------------------------------------------------------
# Datasets.


def example(scale: float = 1.0) -> xr.Dataset:
    """Variables of every unit at two points; energies are in units of 1 meV / ``scale``."""
    powers = {"energy": 1, "energy/k_B": 1, "energy/hbar": 1, "energy^2/hbar": 2, "k_B*energy/hbar": 1}
    units = [*powers, "k_B/e", "e^2/hbar", "1"]
    variables = {}
    for position, unit in enumerate(units):
        values = np.array([0.3, np.nan, -1.7 - position]) * scale ** powers.get(unit, 0)
        for prefix, part in (("", 1.0), ("error_", 1e-9), ("estimate_", 1e-3)):
            attributes = {"units": unit, "long_name": f"{prefix}quantity", "symbol": "X"}
            variables[f"{prefix}x{position}"] = "bias", part * np.abs(values) if prefix else values, attributes
    variables["status"] = "bias", np.array([0, 1, 0], np.int8), {"flag_meanings": "good bad"}
    variables["strange"] = "bias", np.ones(3), {"units": "gamma^2"}
    variables["noise"] = "bias", np.ones(3), {"units": "energy^3/hbar"}
    coordinates = {"bias": ("bias", np.arange(3.0) * scale, {"units": "energy"})}
    return xr.Dataset(variables, coordinates, {"convention": "k_B = hbar = e = 1; energies in your unit", "points": 3})


def test_datasets_are_converted():
    dataset = example()
    before = dataset.copy(deep=True)
    found = MILLI.converted(dataset)
    xr.testing.assert_identical(dataset, before)
    expected = [
        ("meV", 1.0, ""),
        ("K", MEV / K_B, ""),
        ("nA", 1e9 * E * MEV / HBAR, " times e"),
        ("fW", 1e15 * MEV**2 / HBAR, ""),
        ("fW/K", 1e15 * K_B * MEV / HBAR, ""),
        ("uV/K", 1e6 * K_B / E, ""),
        ("uS", 1e6 * E**2 / HBAR, ""),
        ("1", 1.0, ""),
    ]
    for position, (unit, factor, remark) in enumerate(expected):
        for prefix in ("", "error_", "estimate_"):
            name = f"{prefix}x{position}"
            assert found[name].attrs == {"units": unit, "long_name": f"{prefix}quantity{remark}", "symbol": "X"}
            assert found[name].dtype == np.float64
            np.testing.assert_allclose(found[name], dataset[name] * factor, rtol=1e-14)
    np.testing.assert_allclose(found.noise, (MEV**3 / HBAR), rtol=1e-14)
    assert found.noise.attrs["units"] == "W^2/Hz"
    assert found.bias.attrs["units"] == "meV"
    for untouched in ("status", "strange"):
        xr.testing.assert_identical(found[untouched].variable, dataset[untouched].variable)
    assert found.status.dtype == np.int8
    np.testing.assert_array_equal(found.bias, dataset.bias)
    assert found.attrs == {
        "convention": "currents into the device; SI units; energy unit meV",
        "energy_unit": "meV",
        "points": 3,
    }


def test_a_converted_dataset_stays_as_it_is():
    once = MILLI.converted(example())
    xr.testing.assert_identical(MILLI.converted(once), once)


def test_the_energy_unit_does_not_change_results():
    units = ("ueV",)
    milli, micro, quarter = (
        Units(energy, units).converted(example(scale)) for energy, scale in [("meV", 1), ("ueV", 1e3), ("0.25 meV", 4)]
    )
    for name in set(milli.data_vars) - {"noise"}:
        np.testing.assert_allclose(milli[name], micro[name], rtol=1e-15)
        np.testing.assert_allclose(milli[name], quarter[name], rtol=1e-15)
        assert milli[name].attrs == micro[name].attrs == quarter[name].attrs


@pytest.mark.parametrize(
    ("results", "unit", "written", "factor", "remark"),
    [
        (("pA",), "energy/hbar", "pA", 1e12 * E * MEV / HBAR, " times e"),
        (("pA",), "energy^2/hbar", "fW", 1e15 * MEV**2 / HBAR, ""),
        (("1/s",), "energy/hbar", "1/s", MEV / HBAR, ""),
        (("GHz", "nA"), "energy/hbar", "GHz", 1e-9 * MEV / HBAR, ""),
        (("uV",), "energy", "uV", 1e3, " over e"),
        (("uV", "eV"), "energy", "eV", 1e-3, ""),
        (("mK",), "energy/k_B", "mK", 1e3 * MEV / K_B, ""),
        (("mK",), "energy", "meV", 1.0, ""),
        (("e^2/planck_constant",), "e^2/hbar", "e^2/planck_constant", 2 * math.pi, ""),
        (("k_B/e",), "k_B/e", "k_B/e", 1.0, ""),
        ((), "energy/hbar", "nA", 1e9 * E * MEV / HBAR, " times e"),
        (DEFAULT_RESULTS[::-1], "energy", "meV", 1.0, ""),
    ],
)
def test_result_units_are_chosen_by_dimension(results, unit, written, factor, remark):
    found = chosen(Units("meV", results), unit)
    assert (found.written, found.remark) == (written, remark)
    assert found.factor == pytest.approx(factor, rel=1e-14)


def test_energies_lose_the_number_in_front_of_the_energy_unit():
    found = chosen(Units("25 meV"), "energy")
    assert (found.written, found.factor) == ("meV", 25.0)


def test_every_observable_has_a_result_unit():
    units = Units("meV", length="nm")
    for name, observable in OBSERVABLES.items():
        assert observable.variable.unit == "1" or units.result(observable.variable.unit), name
