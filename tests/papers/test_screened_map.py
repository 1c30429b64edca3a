"""The map of the screened diode (Fig. 3 of Balduque & Sánchez) against adaptive quadrature of formulas written out."""

import numpy as np
import pytest
from scipy.integrate import quad_vec

from mesotherm import Outcome
from mesotherm.papers.balduque2025.screened import COHERENT, diode, diode_tests

BOTTOM, WIDTH = -40.0, 1.0
ACCEPTED = 1e-8
"""Largest bound on I and J, in the paper's units, and how far quadrature may be from them."""


def occupation(x):
    return 0.5 * (1 - np.tanh(x / 2))


def integrals(levels, U, T_L, T_R):
    """Particle and heat current of L and the charges of the three regions, per spin: bare integrals over energy.

    The injectivities are those of the scattering notes: ν_L1 = g₁ |1 + τ₁ r₃ P/D|², ν_R1 = g₁ |τ₃|²/|D|², mirrored for
    region 3, and ν_L2 = |τ₁|² (1 + |r₃|²) / (|D|² 4π s).
    """

    def parts(s):
        energy = BOTTOM + U[1] + s * s
        x_1, x_3 = energy - levels[0] - U[0], energy - levels[1] - U[2]
        tau_1, tau_3 = -1j * WIDTH / (x_1 + 1j * WIDTH), -1j * WIDTH / (x_3 + 1j * WIDTH)
        r_1, r_3 = 1 + tau_1, 1 + tau_3
        way = np.exp(2j * s)
        return energy, x_1, x_3, tau_1, tau_3, r_1, r_3, way, 1 - r_1 * r_3 * way

    def integrand(s):
        energy, x_1, x_3, tau_1, tau_3, r_1, r_3, way, D = parts(s)
        inside = 1 / abs(D) ** 2
        g_1, g_3 = WIDTH / (2 * np.pi * (x_1**2 + WIDTH**2)), WIDTH / (2 * np.pi * (x_3**2 + WIDTH**2))
        f_L, f_R = occupation(energy / T_L), occupation(energy / T_R)
        net = abs(tau_1 * tau_3) ** 2 * inside * (f_L - f_R)
        first = g_1 * (abs(1 + tau_1 * r_3 * way / D) ** 2 * f_L + abs(tau_3) ** 2 * inside * f_R)
        third = g_3 * (abs(1 + tau_3 * r_1 * way / D) ** 2 * f_R + abs(tau_1) ** 2 * inside * f_L)
        left, right = abs(tau_1) ** 2 * (1 + abs(r_3) ** 2), abs(tau_3) ** 2 * (1 + abs(r_1) ** 2)
        second_times_2s = (left * f_L + right * f_R) * inside / (2 * np.pi)
        return np.array([net * 2 * s, net * energy * 2 * s, first * 2 * s, second_times_2s, third * 2 * s])

    end = np.sqrt(42 * max(T_L, T_R) - BOTTOM - U[1])
    grid = np.linspace(1e-6, end, 40001)
    size = abs(parts(grid)[-1])
    sharp = grid[1:-1][(size[1:-1] < size[:-2]) & (size[1:-1] < size[2:])]
    value, error = quad_vec(integrand, 0.0, end, epsabs=1e-11, epsrel=1e-13, norm="max", limit=5000, points=sharp)
    assert error < 1e-9
    return value


@pytest.mark.slow
def test_300_points_by_adaptive_quadrature():
    random = np.random.default_rng(11)
    level_1, level_3 = np.sort(random.uniform(-10, 10, 20)), np.sort(random.uniform(-10, 10, 15))
    found = diode_tests(diode(COHERENT), level_1, level_3)
    assert np.all(found.status == Outcome.CONVERGED)
    assert float(found.error_particle_current.max()) <= ACCEPTED
    assert float(found.error_heat_current.max()) <= ACCEPTED
    for i, first in enumerate(level_1):
        for j, third in enumerate(level_3):
            forward = bool(random.integers(2))
            T_L, T_R = (2.0, 1.0) if forward else (1.0, 2.0)
            point = found.isel(epsilon_1=i, epsilon_3=j).sel(direction="forward" if forward else "backward")
            U = point.potential.to_numpy()
            particle, heat, *charges = integrals((first, third), U, T_L, T_R)
            _, _, *neutral = integrals((first, third), np.zeros(3), 1.0, 1.0)
            assert abs(particle - float(point.particle_current.sel(terminal="L"))) <= ACCEPTED
            assert abs(heat - float(point.heat_current.sel(terminal="L"))) <= ACCEPTED
            np.testing.assert_allclose(charges, neutral, rtol=0, atol=1e-9)
