"""Onsager matrices, thermoelectric coefficients and second orders against closed forms, published values and fits."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mesotherm import (
    CoupledDots,
    OpenCircuit,
    Outcome,
    Representation,
    Reservoirs,
    ResonantBarrier,
    Setup,
    SingleDot,
    ThermalizationDiode,
    ThermalizingProbe,
    TransparentRegion,
    TwoTerminalConductor,
    linear_response,
    steady_state,
    sweep,
    thermoelectric_coefficients,
)
from mesotherm.force_flux import Pairs, driven_by
from mesotherm.papers.balduque2025.screened import COHERENT, diode


def level(device, mu=0.0, T=1.0):
    return Reservoirs(jnp.full(len(device.terminals), mu), jnp.full(len(device.terminals), T))


# ---------------------------------------------------------------------------------------------------------------------
# Coupled dots.

SET = CoupledDots(1.0, 1.5, -2.5, [1.0, 0.6], [0.5, 0.9], [0.8, 0.7])


def closed_form(level_b, level_u, kappa, rates_l, rates_r, rates_u, beta, mu, mu_u):
    """L over (E_L, E_U, N_L), worked out from the four states by hand."""

    def f(energy):
        return 1 / (1 + np.exp(beta * energy))

    states = np.array([0, level_b - mu, level_u - mu_u, level_b + level_u + kappa - mu - mu_u])
    p_A, p_B, p_C, _ = np.exp(-beta * states) / np.sum(np.exp(-beta * states))
    e0, e1 = level_b, level_b + kappa
    f0, f1 = f(e0 - mu), f(e1 - mu)
    G0, G1 = (rates_l[0] + rates_r[0]) * f0 * p_A, (rates_l[1] + rates_r[1]) * f1 * p_C
    l0, l1 = (rates_l[n] / (rates_l[n] + rates_r[n]) for n in (0, 1))
    k0, k1 = l0 * (1 - l0) * G0, l1 * (1 - l1) * G1
    f_u0, f_u1 = f(level_u - mu_u), f(level_u + kappa - mu_u)
    R = 1 / G0 + 1 / G1 + 1 / (rates_u[0] * f_u0 * p_A) + 1 / (rates_u[1] * f_u1 * p_B)
    v_E, v_N = l0 * e0 - l1 * e1, l0 - l1
    return np.array(
        [
            [e0**2 * k0 + e1**2 * k1 + v_E**2 / R, kappa * v_E / R, e0 * k0 + e1 * k1 + v_E * v_N / R],
            [kappa * v_E / R, kappa**2 / R, kappa * v_N / R],
            [e0 * k0 + e1 * k1 + v_E * v_N / R, kappa * v_N / R, k0 + k1 + v_N**2 / R],
        ]
    )


def test_published_onsager_matrix_of_coupled_dots():
    found = linear_response(SET, Reservoirs([0.3, 0.3, 0.2], [1.0, 1.0, 1.0]))
    assert found.names == ("E_L", "E_U", "N_L")
    np.testing.assert_allclose(found.entry("E_L", "E_L"), 0.1202968725336, rtol=1e-9)
    np.testing.assert_allclose(found.entry("E_L", "N_L"), 0.002254402552872, rtol=1e-9)
    np.testing.assert_allclose(found.entry("N_L", "N_L"), 0.05843548306862, rtol=1e-9)
    assert np.all(found.estimate <= 1e-13)


def test_thousand_coupled_dots_against_the_closed_form():
    rng = np.random.default_rng(7)
    count = 1000
    levels, kappa = rng.uniform(-3, 3, (count, 2)), rng.uniform(-5, 5, count)
    rates = 10 ** rng.uniform(-2, 0.5, (count, 3, 2))
    beta, mu = 10 ** rng.uniform(-1, 0.5, count), rng.uniform(-1, 1, (count, 2))

    def one(levels, kappa, rates, beta, mu):
        device = CoupledDots(levels[0], levels[1], kappa, rates[0], rates[1], rates[2])
        rest = Reservoirs(jnp.stack([mu[0], mu[0], mu[1]]), jnp.full(3, 1 / beta))
        found = linear_response(device, rest)
        return found.matrix, found.estimate, found.reciprocity(), found.smallest_eigenvalue

    matrices, estimates, skewed, smallest = jax.jit(jax.vmap(one))(levels, kappa, rates, beta, mu)
    for n in range(count):
        exact = closed_form(*levels[n], kappa[n], *rates[n], beta[n], *mu[n])
        scale = np.sqrt(np.diag(exact))
        assert np.all(abs(matrices[n] - exact) <= 1e-10 * np.outer(scale, scale) + estimates[n])
    relative = np.max(estimates, axis=(1, 2)) / np.max(abs(matrices), axis=(1, 2))
    assert np.median(relative) <= 1e-11
    assert np.quantile(relative, 0.99) <= 1e-8
    assert np.max(skewed) <= 1e-9
    assert np.min(smallest) >= -1e-12


def test_second_order_of_dots_is_that_of_a_direct_fit():
    rest, chosen = Reservoirs([0.3, 0.3, 0.2], [1.0, 1.0, 1.0]), Representation("R", ("R", "U"))
    found = linear_response(SET, rest, representation=chosen, second_order=True)
    fitted = fit(SET, rest, (), chosen, np.eye(3)[2] + 0.3 * np.eye(3)[0])
    direction = np.array([0.3, 0.0, 1.0])
    np.testing.assert_allclose(found.matrix @ direction, fitted[0], rtol=1e-8)
    np.testing.assert_allclose(found.second_order @ direction @ direction, fitted[1], rtol=1e-6)


def fit(device, rest, unknowns, representation, direction, zero=0.0, step=0.02):
    """First and second derivatives of the fluxes along a direction of forces, from seven solved states."""
    pairs = Pairs.of(device, unknowns, representation)

    def fluxes(s):
        baths = driven_by(s * jnp.asarray(direction), device, rest, pairs, representation, zero_of_energy=zero)
        state = steady_state(device, baths, unknowns, throw=False)
        particle, energy = state.currents.particle, state.currents.energy
        return pairs.fluxes(particle, energy - zero * particle), state.outcome

    values, outcome = map(np.array, jax.lax.map(fluxes, step * jnp.arange(-3.0, 4.0)))
    assert np.all(outcome == Outcome.CONVERGED)
    first = np.array([-1, 9, -45, 0, 45, -9, 1]) / (60 * step)
    second = np.array([2, -27, 270, -490, 270, -27, 2]) / (180 * step**2)
    return first @ values, second @ values


# ---------------------------------------------------------------------------------------------------------------------
# Coefficients.


def test_a_single_level_couples_tightly():
    """Every electron carries the same heat: S = −(ε − μ)/T, Π = TS, no heat without current."""
    dot = SingleDot(level=1.3, rate_L=0.02, rate_R=0.05)
    found = thermoelectric_coefficients(dot, level(dot, mu=0.1, T=0.8), terminal="L")
    np.testing.assert_allclose(found.seebeck, -(1.3 - 0.1) / 0.8, rtol=1e-12)
    np.testing.assert_allclose(found.peltier, -(1.3 - 0.1), rtol=1e-12)
    assert abs(found.thermal_conductance) <= 1e-12 * found.thermal_conductance_at_zero_bias
    f = 1 / (1 + np.exp(1.2 / 0.8))
    np.testing.assert_allclose(found.conductance, 0.02 * 0.05 / 0.07 * f * (1 - f) / 0.8, rtol=1e-12)


def test_wiedemann_and_franz():
    """An open channel: G = g_s/h, K = (π²/3) T G, no thermopower."""
    channel = TwoTerminalConductor(TransparentRegion())
    found = thermoelectric_coefficients(channel, level(channel, mu=0.4, T=1.7), terminal="L")
    np.testing.assert_allclose(found.conductance, channel.spin_degeneracy / (2 * np.pi), rtol=1e-10)
    np.testing.assert_allclose(found.thermal_conductance, np.pi**2 / 3 * 1.7 * found.conductance, rtol=1e-9)
    assert abs(found.seebeck) <= 1e-9
    assert abs(found.figure_of_merit) <= 1e-9


def test_thermopower_is_the_slope_of_the_thermovoltage():
    """With a thermalizing probe: the bias of the open circuit at a small ΔT, as the experiment finds it."""
    device, probe = (
        ThermalizationDiode(ResonantBarrier(1.0, 0.5), ResonantBarrier(-0.4, 1.5)),
        (ThermalizingProbe("P"),),
    )
    found = thermoelectric_coefficients(device, level(device), probe, terminal="L")

    def bias(heat):
        setup = Setup(device, Reservoirs([0, 0, 0], [1 + heat, 1 - heat, 1]), probe)
        return float(sweep(OpenCircuit(), setup, []).open_circuit_bias)

    step = 0.02
    slope = (8 * (bias(step) - bias(-step)) - (bias(2 * step) - bias(-2 * step))) / (12 * 2 * step)
    np.testing.assert_allclose(found.seebeck, slope, rtol=1e-6)
    np.testing.assert_allclose(found.peltier, found.seebeck, rtol=1e-9)


def test_what_is_no_equilibrium_is_refused():
    with pytest.raises(ValueError, match="T of 'L' is 2 and that of 'R' is 1; give an equilibrium"):
        linear_response(SET, Reservoirs([0.3, 0.3, 0.2], [2.0, 1.0, 1.0]))
    with pytest.raises(ValueError, match=r"mu of 'L' is 0\.1 and that of 'R' is 0\.3; give an equilibrium"):
        linear_response(SET, Reservoirs([0.1, 0.3, 0.2], [1.0, 1.0, 1.0]))
    with pytest.raises(ValueError, match="'U' must not float, and needs another terminal of its conductor"):
        thermoelectric_coefficients(SET, level(SET), terminal="U")


# ---------------------------------------------------------------------------------------------------------------------
# Diodes of Balduque & Sánchez.


@pytest.mark.slow
def test_second_order_of_the_diode_on_the_antisymmetric_line():
    """I = 0.0143 ΔT² (2/h)(k_B)² at ε = ∓4.8, Γ = 3; no first order."""
    device, probe = (
        ThermalizationDiode(ResonantBarrier(-4.8, 3.0), ResonantBarrier(4.8, 3.0)),
        (ThermalizingProbe("P"),),
    )
    found = linear_response(device, level(device), probe, second_order=True)
    assert found.names == ("E_L", "N_L")
    at = found.names.index("N_L"), found.names.index("E_L")
    assert abs(found.matrix[at]) <= 1e-14
    coefficient = np.pi * float(found.second_order[at[0], at[1], at[1]]) / 2  # F = ΔT/T² − ΔT²/T³, and L = 0
    assert round(coefficient, 4) == 0.0143
    fitted = fit(device, level(device), probe, found.representation, np.array([1.0, 0.0]))
    np.testing.assert_allclose(found.second_order[at[0], at[1], at[1]], fitted[1][at[0]], rtol=1e-8)


@pytest.mark.slow
def test_linear_response_of_the_screened_star():
    """The linear coefficient at Fig. 3's star, −0.0334, and the second order with the potentials following."""
    setup = diode(COHERENT, 6.66128734608, 8.2)
    found = linear_response(setup.device, setup.reservoirs, setup.unknowns, second_order=True)
    first = np.pi * float(found.entry("N_L", "E_L"))
    assert round(first, 4) == -0.0334
    assert float(found.reciprocity()) <= 1e-9
    direction = np.array([1.0 if name == "E_L" else 0.2 if name == "N_L" else 0.0 for name in found.names])
    fitted = fit(setup.device, setup.reservoirs, setup.unknowns, found.representation, direction)
    scale = abs(fitted[0]).max()
    np.testing.assert_allclose(found.matrix @ direction, fitted[0], atol=1e-7 * scale)
    np.testing.assert_allclose(found.second_order @ direction @ direction, fitted[1], atol=1e-5 * scale)
