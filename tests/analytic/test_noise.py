"""Noise in closed form: point contacts, a level, barriers in series with a probe between them."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conductors import Levels, contact, in_series, single_level

from mesotherm import Effort, Outcome, Reservoirs, ThermalizingProbe, VoltageProbe, steady_state
from mesotherm.devices.double_barrier import DoubleBarrier
from mesotherm.engines.scattering_noise import bare_noise
from mesotherm.fluctuations import fano_factor, noise, uncertainty_product

L, R, P = 0, 1, 2

H = 2 * np.pi
"""Planck's constant."""

COLD = 1e-4
"""A temperature that is as good as zero beside a bias of 1, but for corrections of its order or its square."""


TOLERANCE = 1e-8
"""Of bounds, relative to rare electrons."""

ROWS = 6
"""Reservoirs always come in six, so that conductors of one structure share compiled functions."""


@eqx.filter_jit
def computed(device, unknowns, following, mu, T):
    def one(mu, T):
        reservoirs = Reservoirs(mu, T)
        state = steady_state(device, reservoirs, unknowns, effort=Effort.STRICT, tolerance=TOLERANCE, throw=False)
        found = noise(state, following=following)
        return state, found, fano_factor(state, found), uncertainty_product(state, found)

    return jax.lax.map(lambda row: one(*row), (mu, T))


def noises(device, mu, T, unknowns=(), following=()):
    """States, noise, Fano factors and uncertainty products at several reservoirs (rows)."""
    mu, T = np.broadcast_arrays(np.asarray(mu, float), np.asarray(T, float))
    padded = (jnp.asarray(np.resize(rows, (ROWS, rows.shape[1]))) for rows in (mu, T))
    found = computed(device, unknowns, following, *padded)
    assert np.all(found[1].outcome == Outcome.CONVERGED)
    return jax.tree.map(lambda rows: np.asarray(rows[: len(mu)]), found)


# ---------------------------------------------------------------------------------------------------------------------
# A point contact: transmissions that do not depend on energy.

CHANNELS = np.array([0.3, 1.0, 0.05])
PARTITION = np.sum(CHANNELS * (1 - CHANNELS))
BIASES = np.array([-7.0, -1e-3, 0.0, 0.4, 3.0, 50.0])


@pytest.fixture(scope="module")
def point_contact():
    mu = BIASES[:, None] * [0.7, -0.3] + 0.2
    return noises(contact(*CHANNELS, spin_degeneracy=2.0), mu, [[0.8, 0.8]])


def test_point_contact_from_thermal_to_shot_noise(point_contact):
    """Source: Blanter & Büttiker, Phys. Rep. 336, 1 (2000), Sec. 2.4."""
    _, found, *_ = point_contact
    T, V = 0.8, np.where(BIASES == 0, 1e-12, BIASES)
    shot = 2 / H * PARTITION * (V / np.tanh(V / (2 * T)) - 2 * T)
    total = 2 / H * 2 * T * CHANNELS.sum() + shot
    sign = np.array([[1, -1], [-1, 1]])
    np.testing.assert_allclose(found.value.particle, total[:, None, None] * sign, rtol=1e-12)
    np.testing.assert_allclose(found.shot.particle, shot[:, None, None] * sign, rtol=1e-9, atol=1e-14)
    assert np.all(abs(found.value.particle[:, L, L] - total) <= found.error.particle[:, L, L])


def test_uncertainty_product_of_a_point_contact(point_contact):
    """2𝒯 + (1 − 𝒯)(V/T) coth(V/2T) for one channel, never below 2. NaN without a current."""
    *_, fano, (product, bound) = point_contact
    V, T, biased = BIASES, 0.8, BIASES != 0
    with np.errstate(all="ignore"):
        noise_per_channel = 2 * T * CHANNELS.sum() + PARTITION * (V / np.tanh(V / (2 * T)) - 2 * T)
        expected = noise_per_channel / (T * CHANNELS.sum())
        expected_fano = noise_per_channel / (abs(V) * CHANNELS.sum())
    for value, error, exact in ((product, bound, expected), (*fano, expected_fano)):
        np.testing.assert_allclose(value[biased], np.stack([exact, exact], 1)[biased], rtol=1e-9)
        assert np.all(abs(value - exact[:, None])[biased] <= error[biased])
        assert np.all(np.isnan(value[~biased]))
    assert np.all(product[biased] >= 2)


def test_heat_noise_of_a_point_contact(point_contact):
    """Without bias S^JJ = 2 k_B T² K with K of Wiedemann and Franz; particles and heat are not correlated."""
    _, found, *_ = point_contact
    unbiased = int(np.flatnonzero(BIASES == 0)[0])
    thermal = 2 / H * 2 * np.pi**2 / 3 * 0.8**3 * CHANNELS.sum()
    sign = np.array([[1, -1], [-1, 1]])
    np.testing.assert_allclose(found.value.heat[unbiased], thermal * sign, rtol=1e-12)
    np.testing.assert_allclose(found.value.particle_heat[unbiased], 0, atol=1e-13)


def test_zero_temperature():
    """(g_s/h) Σ 𝒯(1 − 𝒯) |V|; heat with the moments of the energy in the bias window."""
    V = np.array([1.0, -2.0])
    _, found, *_ = noises(contact(*CHANNELS, spin_degeneracy=2.0), V[:, None] * [0.5, -0.5], [[COLD, COLD]])
    shot = 2 / H * PARTITION
    np.testing.assert_allclose(found.shot.particle[:, L, L], shot * abs(V), rtol=3e-4)
    np.testing.assert_allclose(found.shot.heat[:, L, L], shot * abs(V) ** 3 / 3, rtol=1e-3)
    np.testing.assert_allclose(found.shot.heat[:, L, R], shot * abs(V) ** 3 / 6, rtol=1e-3)
    np.testing.assert_allclose(found.shot.particle_heat[:, L, L], -shot * V * abs(V) / 2, rtol=1e-3)
    np.testing.assert_allclose(found.shot.particle_heat[:, L, R], -shot * V * abs(V) / 2, rtol=1e-3)


def test_rare_electrons_are_independent():
    """S = |I|: this is the S that many papers call S/2. Every electron takes the heat E − μ with it."""
    _, found, (fano, _), _ = noises(contact(1e-7, 0.0, 0.0), [[60.0, 0.0]], [[1.0, 1.0]])
    np.testing.assert_allclose(fano, 1.0, rtol=1e-6)
    assert found.value.heat[0, L, L] / found.value.particle[0, L, L] == pytest.approx(60**2 / 3, rel=0.01)


# ---------------------------------------------------------------------------------------------------------------------
# One level: two barriers with a resonance between them.


@pytest.mark.parametrize("asymmetry", [0.0, -0.6])
def test_level_under_a_wide_bias(asymmetry):
    """Fano factor (Γ_L² + Γ_R²)/(Γ_L + Γ_R)². Source: Chen & Ting, Phys. Rev. B 43, 4534 (1991)."""
    *_, (fano, _), _ = noises(single_level(1.0, asymmetry), [[3e3, -3e3]], [[1.0, 1.0]])
    widths = np.array([1 + asymmetry, 1 - asymmetry])
    np.testing.assert_allclose(fano, np.sum(widths**2) / np.sum(widths) ** 2, atol=3e-4)


def test_level_at_zero_temperature():
    """∫𝒯(1 − 𝒯) over any bias window."""
    ends = np.array([[0.5, -0.5], [3.0, -1.0], [0.2, 40.0]])
    _, found, *_ = noises(single_level(1.0, -0.6), ends, [[COLD, COLD]])
    peak = 1 - 0.6**2

    def primitive(x):
        return peak * np.arctan(x) - peak**2 * (np.arctan(x) + x / (1 + x * x)) / 2

    exact = abs(primitive(ends[:, L]) - primitive(ends[:, R])) / H
    np.testing.assert_allclose(found.shot.particle[:, L, L], exact, rtol=2e-3)
    np.testing.assert_allclose(found.shot.particle[:, L, R], -exact, rtol=2e-3)


@pytest.mark.slow
def test_coherence_beats_the_uncertainty_relation():
    """Two levels in series. Source: Agarwalla & Segal, Phys. Rev. B 98, 155438 (2018)."""
    dots = Levels(("L", "R"), np.eye(2), np.array([[0.0, 0.5], [0.5, 0.0]]), np.eye(2)).conductor()
    bias = np.linspace(0.5, 3.0, 6)
    *_, (product, bound) = noises(dots, bias[:, None] * [0.5, -0.5], [[0.3, 0.3]])
    assert np.min(product + bound) < 1.85
    assert np.all(product > 1)


# ---------------------------------------------------------------------------------------------------------------------
# Two contacts in series, every electron passing the probe between them.

PAIRS = [(0.5, 0.5), (0.2, 0.9), (1.0, 0.3)]


@pytest.mark.slow
@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_voltage_probe_between_two_contacts(first, second):
    """Resistors in series with noise of their own: S = (R₁² S₁ + R₂² S₂)/(R₁ + R₂)² once the voltage between them
    follows; S₁ and S₂ apart while it is held."""
    device, T = in_series(first, second), np.full(3, COLD)
    series = first + second
    mu = np.array([0.7, -0.3, 0.7 - second / series])
    current = first * second / series / H
    found = jax.jit(bare_noise)(device, Reservoirs(mu, T))
    held = np.diag([1 - first, 1 - second]) * current
    np.testing.assert_allclose(found.shot[:2, :2], held, rtol=0, atol=2e-4 * current)
    state, found, (fano, _), _ = noises(device, [mu], [T], (VoltageProbe("P"),), following=("P",))
    expected = (second**2 * (1 - first) + first**2 * (1 - second)) / series**2
    np.testing.assert_allclose(state.reservoirs.mu[0], mu, rtol=1e-9)
    np.testing.assert_allclose(found.shot.particle[0, L, L] / current, expected, rtol=0, atol=2e-4)
    np.testing.assert_allclose(fano[0, :2], expected, rtol=0, atol=1e-3)
    assert np.isnan(fano[0, P])


@pytest.mark.slow
def test_hot_electrons_between_two_open_contacts():
    """Fano factor √3/2π, of the temperature T_P = √3 V/2π alone: half of k_B T_P G is left of its noise."""
    state, _, (fano, _), _ = noises(
        in_series(1.0, 1.0), [[0.5, -0.5, 0.0]], [[COLD, COLD, 1.0]], (ThermalizingProbe("P"),), ("P",)
    )
    np.testing.assert_allclose(state.reservoirs.T[0, P], np.sqrt(3) / (2 * np.pi), rtol=1e-6)
    np.testing.assert_allclose(fano[0, :2], np.sqrt(3) / (2 * np.pi), rtol=1e-3)


# ---------------------------------------------------------------------------------------------------------------------
# The double barrier, with its own mesh.


def double_barrier(strength):
    return eqx.tree_at(lambda device: device.probe_strength, DoubleBarrier.example(), jnp.asarray(strength))


@pytest.mark.parametrize("strength", [0.0, 1.0])
def test_double_barrier_written_out(strength):
    """Coherent: one contact between L and R. Every electron in the probe: two contacts without correlation."""
    device = double_barrier(strength)
    mu, T = np.array([8.0, 5.0, 6.0]), np.array([1.0, 0.6, 0.8])
    _, found, *_ = noises(device, [mu], [T])
    energy, step = np.linspace(-39.0, 60.0, 60001, retstep=True)
    amplitudes = np.asarray(jax.jit(jax.vmap(device.smatrix))(energy))
    f = 1 / (1 + np.exp((energy - mu[:, None]) / T[:, None]))

    def sums(out, into, a, b):
        through = np.sum(abs(amplitudes[:, out, into]) ** 2, axis=1)
        kernel = through * (f[a] * (1 - f[a]) + f[b] * (1 - f[b])) + through * (1 - through) * (f[a] - f[b]) ** 2
        return [2 / H * step * np.sum(kernel * w) for w in (1.0, energy - mu[a], (energy - mu[a]) ** 2)]

    expected = sums([1], L, L, R) if strength == 0 else sums([2, 3], L, L, P)
    value = found.value
    got = [value.particle[0, L, L], value.particle_heat[0, L, L], value.heat[0, L, L]]
    np.testing.assert_allclose(got, expected, rtol=1e-11)
    across = -expected[0] if strength == 0 else 0.0
    np.testing.assert_allclose(value.particle[0, L, R], across, rtol=1e-11, atol=1e-15)
