"""Setups that several tests of experiments share, and closed forms of the single level."""

from pathlib import Path

import numpy as np
import pytest

from mesotherm import (
    CoulombDots,
    Reservoirs,
    ResonantBarrier,
    Setup,
    ThermalizationDiode,
    ThermalizingProbe,
    VoltageProbe,
    quantum_dot_thermocouple,
)

ROOT = Path(__file__).parents[2]

CACHE = ROOT / ".jax_cache"
"""Where ``tests/conftest.py`` keeps compiled functions."""

RATES = 1.0, 0.4
"""Tunnel rates of the single level."""


def single_dot(level=2.0, mu=0.0, T=(2.0, 1.0)):
    device = CoulombDots(["D"], [("L", "D"), ("R", "D")], [level], [], [[rate] for rate in RATES])
    return Setup(device, Reservoirs([mu, mu], T))


def thermocouple(T=(8, 8, 16, 8, 8), unknowns=(), **options):
    return Setup(quantum_dot_thermocouple(**options), Reservoirs([0, 0, 0, 0, 0], T), unknowns)


def diode(probe=ThermalizingProbe, left=-1.0, right=2.0, half_widths=(1.5, 2.0), T=(2.0, 1.0, 1.0)):
    device = ThermalizationDiode(ResonantBarrier(left, half_widths[0]), ResonantBarrier(right, half_widths[1]))
    return Setup(device, Reservoirs([0, 0, 0], T), (probe("P"),))


SETUPS = {
    "single dot": single_dot(),
    "thermocouple": thermocouple(rate_R=(0.3, 1.0, 0.7, 0.2)),
    "thermocouple with a probe": thermocouple(unknowns=(ThermalizingProbe("P"),), rate_P=0.5),
    "diode with a thermalizing probe": diode(),
    "diode with a voltage probe": diode(VoltageProbe),
}
"""One setup for every engine and kind of unknown; L and R can be biased in each."""


def slow_among(names, *parts: str):
    """The same names, those that contain one of ``parts`` with the marker slow: they compile for long."""
    return [
        pytest.param(name, marks=pytest.mark.slow) if any(part in name for part in parts) else name for name in names
    ]


SOURCES = {name: ("H",) if "thermocouple" in name else ("L",) for name in SETUPS}
"""What heats each."""


def fermi(z):
    return 1 / (1 + np.exp(z))


def single_level_current(bias, level, mu, T, share):
    """Current into a single level from the left, and its slope with the bias; occupied times empty loses no digits."""
    mus = mu + share * bias, mu - (1 - share) * bias
    (f_left, e_left), (f_right, e_right) = (
        (fermi((level - m) / t), fermi((m - level) / t)) for m, t in zip(mus, T, strict=True)
    )
    g = RATES[0] * RATES[1] / sum(RATES)
    slope = share * f_left * e_left / T[0] + (1 - share) * f_right * e_right / T[1]
    return g * (f_left * e_right - f_right * e_left), g * slope


def stopping_bias(level, mu, T, share):
    """Where (ε − μ_l)/T_l = (ε − μ_r)/T_r."""
    return (level - mu) * (T[1] - T[0]) / ((1 - share) * T[0] + share * T[1])
