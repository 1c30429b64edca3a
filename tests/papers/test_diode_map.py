"""The 201×201 rectification map of the thermalization diode: every point certified, 500 confirmed independently."""

import dataclasses
import itertools
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import quad

from mesotherm.device_file import load
from mesotherm.sweep import sweep

EXAMPLE = Path(__file__).parents[2] / "examples" / "thermalization_diode.toml"
HALF_WIDTH, BAND_BOTTOM = 3.0, -40.0


@pytest.fixture(scope="module", params=[5, pytest.param(1, marks=pytest.mark.slow)], ids="every {}".format)
def diode_map(request):
    """The map, or every fifth of its lines."""
    job = load(EXAMPLE)
    axes = [dataclasses.replace(axis, values=axis.values[:: request.param]) for axis in job.axes]
    return sweep(job.experiment, job.setup, axes)


def test_every_point_is_certified(diode_map):
    assert diode_map.sizes["epsilon_1"] == diode_map.sizes["epsilon_3"] in (41, 201)
    assert float(diode_map.epsilon_1[0]) == -10
    assert float(diode_map.epsilon_1[-1]) == 10
    assert (diode_map.status == 0).all()
    in_table_units = np.pi * diode_map  # bare integrals, units of (2/h)
    assert in_table_units.error_particle_current.max() < 1e-9
    assert in_table_units.error_heat_current.max() < 1e-9
    assert (diode_map.law_violation <= 1).all()


def test_symmetries_of_the_map(diode_map):
    """Mirroring the device exchanges forward and backward; no rectification when the barriers are equal."""
    I_L, I_R = (diode_map.particle_current.sel(terminal=name) for name in "LR")
    mirrored = I_R.sel(direction="backward").transpose("epsilon_3", "epsilon_1").values
    np.testing.assert_allclose(I_L.sel(direction="forward").values, mirrored, atol=1e-11)
    diagonal = np.arange(diode_map.sizes["epsilon_1"])
    equal = diode_map.heat_current.sel(terminal="L").values[diagonal, diagonal]
    np.testing.assert_allclose(equal[:, 0], -equal[:, 1], atol=1e-10)


def occupation(energy, mu, T):
    z = (energy - mu) / T
    return np.exp(-z) / (1 + np.exp(-z)) if z > 0 else 1 / (1 + np.exp(z))


def independent_currents(level, mu, T, probe_mu, probe_T):
    """Particle and heat integrals from one lead into the probe region, by adaptive quadrature."""
    ends = (BAND_BOTTOM, -20.0, level, mu, probe_mu, 20.0, 100.0)
    edges = sorted(set(np.clip(ends, BAND_BOTTOM, 100.0)))

    def integrand(energy, power):
        lorentzian = HALF_WIDTH**2 / ((energy - level) ** 2 + HALF_WIDTH**2)
        return energy**power * lorentzian * (occupation(energy, mu, T) - occupation(energy, probe_mu, probe_T))

    def integral(power):
        panels = itertools.pairwise(edges)
        return sum(quad(integrand, *panel, (power,), epsabs=1e-12, epsrel=1e-11, limit=200)[0] for panel in panels)

    return integral(0), integral(1)


def test_500_points_against_an_independent_quadrature(diode_map):
    """The probe's two balances vanish, and the currents of L are the same, in units of (2/h), to 1e-9."""
    generator, size = np.random.default_rng(2025), diode_map.sizes["epsilon_1"]
    for _ in range(500):
        i, j, direction = generator.integers(size), generator.integers(size), generator.integers(2)
        point = diode_map.isel(epsilon_1=i, epsilon_3=j, direction=direction)
        T_L, T_R = (2.0, 1.0) if direction == 0 else (1.0, 2.0)
        probe = float(point.probe_mu.item()), float(point.probe_temperature.item())
        left = independent_currents(float(point.epsilon_1), 0.0, T_L, *probe)
        right = independent_currents(float(point.epsilon_3), 0.0, T_R, *probe)
        assert abs(left[0] + right[0]) < 1e-9
        assert abs(left[1] + right[1]) < 1e-9
        assert abs(np.pi * float(point.particle_current.sel(terminal="L")) - left[0]) < 1e-9
        assert abs(np.pi * float(point.heat_current.sel(terminal="L")) - left[1]) < 1e-9
