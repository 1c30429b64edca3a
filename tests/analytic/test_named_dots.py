"""Devices of quantum dots that are ready by name: closed forms, exact relations, published setups."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mesotherm import (
    BosonAssistedDot,
    CapacitiveDots,
    CoupledDots,
    DotNetwork,
    DoubleDot,
    Effort,
    Reservoirs,
    SingleDot,
    SpinfulDot,
    SpinPolarizedPair,
    Thermocouple,
    TwoTerminalCoupledDots,
    quantum_dot_thermocouple,
    steady_state,
)
from mesotherm.fields import FieldError

KINDS = (
    BosonAssistedDot,
    CapacitiveDots,
    CoupledDots,
    DoubleDot,
    SingleDot,
    SpinPolarizedPair,
    SpinfulDot,
    Thermocouple,
    TwoTerminalCoupledDots,
)


def fermi(energy, mu, T):
    return 1 / (1 + np.exp((energy - mu) / T))


def entropy_production(value, reservoirs):
    heat = value.energy - reservoirs.mu * value.particle
    return float(-jnp.sum(heat / reservoirs.T))


def random_reservoirs(device, seed, T_spread=0.5):
    rng = np.random.default_rng(seed)
    size = len(device.terminals)
    return Reservoirs(rng.uniform(-1, 1, size), 1 + T_spread * rng.uniform(-1, 1, size))


# ---------------------------------------------------------------------------------------------------------------------
# All of them.


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(3))
def test_examples_obey_the_laws(kind, seed):
    device = kind.example()
    reservoirs = random_reservoirs(device, seed)
    state = steady_state(device, reservoirs)
    value, largest = state.currents, float(jnp.max(state.one_way.particle))
    assert largest > 0
    for conductor in device.conductors:
        inside = jnp.array([device.index(name) for name in conductor])
        assert abs(jnp.sum(value.particle[inside])) <= 1e-13 * largest
    heat = value.energy - reservoirs.mu * value.particle
    power = -jnp.sum(reservoirs.mu * value.particle)
    assert abs(jnp.sum(heat) - power) <= 1e-12 * jnp.max(state.one_way.energy)
    assert entropy_production(value, reservoirs) > 0
    limits = np.array([one.limit for one in device.assumptions.values()])
    assert np.all(device.assumption_values(reservoirs) <= limits)


@pytest.mark.parametrize("kind", KINDS)
def test_examples_in_equilibrium(kind):
    device = kind.example()
    size = len(device.terminals)
    state = steady_state(device, Reservoirs(np.full(size, 0.3), np.full(size, 1.2)))
    assert np.all(np.abs(state.currents.particle) <= 1e-13 * jnp.max(state.one_way.particle))
    assert np.all(np.abs(state.currents.energy) <= 1e-13 * jnp.max(state.one_way.energy))


@pytest.mark.parametrize("kind", KINDS)
def test_the_zero_of_energy_plays_no_part(kind):
    device = kind.example()
    reservoirs, c = random_reservoirs(device, 5), 0.75
    here, there = device.response(reservoirs), device.shifted(c).response(reservoirs.shifted(c))
    largest = jnp.max(here.one_way.particle)
    np.testing.assert_allclose(there.value.particle, here.value.particle, rtol=0, atol=1e-13 * largest)
    moved = here.value.energy + c * here.value.particle
    np.testing.assert_allclose(there.value.energy, moved, rtol=0, atol=1e-12 * largest)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("which", ["reservoirs", "even", "odd", "all"])
def test_batches_are_single_calls(kind, which):
    """Whatever is batched and whatever is not."""
    device, count = kind.example(), 3
    leaves, structure = jax.tree.flatten(device)
    rng = np.random.default_rng(3)
    batched = [which == "all" or (which == ("even", "odd")[i % 2]) for i in range(len(leaves))]
    many = [
        x * jnp.asarray(rng.uniform(0.8, 1.2, (count, *x.shape))) if b else x
        for x, b in zip(leaves, batched, strict=True)
    ]
    size = len(device.terminals)
    moves = which in ("reservoirs", "all")
    mu = rng.uniform(-1, 1, (count, size) if moves else size)
    reservoirs = Reservoirs(mu, 1 + 0.3 * mu)

    def answer(leaves, reservoirs):
        return jax.tree.unflatten(structure, leaves).response(reservoirs, Effort.FAST)

    found = jax.vmap(answer, in_axes=([0 if b else None for b in batched], 0 if moves else None))(many, reservoirs)
    for k in range(count):
        one = answer(
            [x[k] if b else x for x, b in zip(many, batched, strict=True)],
            Reservoirs(mu[k], 1 + 0.3 * mu[k]) if moves else reservoirs,
        )
        for a, b in ((found.value, one.value), (found.error, one.error), (found.one_way, one.one_way)):
            np.testing.assert_allclose(a.particle[k], b.particle, rtol=1e-11, atol=1e-16)
            np.testing.assert_allclose(a.energy[k], b.energy, rtol=1e-11, atol=1e-16)


# ---------------------------------------------------------------------------------------------------------------------
# One dot.


def test_single_dot_closed_form():
    dot = SingleDot(level=1.2, rate_L=0.7, rate_R=0.4)
    reservoirs = Reservoirs([0.9, 0.2], [1 / 0.8, 1 / 1.3])
    value = dot.response(reservoirs).value
    expected = 0.7 * 0.4 / 1.1 * (fermi(1.2, 0.9, 1 / 0.8) - fermi(1.2, 0.2, 1 / 1.3))
    np.testing.assert_allclose(value.particle, [expected, -expected], rtol=1e-14)
    np.testing.assert_allclose(value.particle[0], 0.057558157688275, rtol=1e-12)
    np.testing.assert_allclose(value.energy, 1.2 * value.particle, rtol=1e-14)
    np.testing.assert_allclose(entropy_production(value, reservoirs), 0.061011647149571, rtol=1e-12)


def test_spinful_dot_without_charging_energy_is_two_dots():
    dot = SpinfulDot(
        level=0.4, charging_energy=0.0, rate_L=0.02, rate_R=0.03, zeeman=0.6, polarization_L=0.5, polarization_R=-0.2
    )
    reservoirs = Reservoirs([0.5, -0.1], [1.0, 1.4])
    up = SingleDot(level=0.7, rate_L=0.03, rate_R=0.024).response(reservoirs).value
    down = SingleDot(level=0.1, rate_L=0.01, rate_R=0.036).response(reservoirs).value
    value = dot.response(reservoirs).value
    np.testing.assert_allclose(value.particle, up.particle + down.particle, rtol=1e-13)
    np.testing.assert_allclose(value.energy, up.energy + down.energy, rtol=1e-13)


def test_spinful_dot_in_coulomb_blockade():
    """Entered twice as fast as it is left."""
    level, rates, mu, T = 0.4, np.array([0.02, 0.03]), np.array([0.5, -0.1]), np.array([1.0, 1.4])
    f = fermi(level, mu, T)
    enter, leave = 2 * rates * f, rates * (1 - f)
    current = (enter[0] * leave[1] - enter[1] * leave[0]) / (enter + leave).sum()
    value = SpinfulDot(level, 200.0, *rates).response(Reservoirs(mu, T)).value
    np.testing.assert_allclose(value.particle, [current, -current], rtol=1e-12)
    np.testing.assert_allclose(value.energy, level * value.particle, rtol=1e-12)


# ---------------------------------------------------------------------------------------------------------------------
# Two dots, two terminals.


def test_double_dot_is_the_network():
    dots = DoubleDot.example()
    network = DotNetwork.example()  # the same numbers
    reservoirs = random_reservoirs(dots, 1)
    np.testing.assert_allclose(
        dots.response(reservoirs).value.energy, network.response(reservoirs).value.energy, rtol=1e-13
    )


def test_double_dot_in_resonance():
    """Levels ε ± h, each coupled with half of the rates; without charging energy each is a single dot."""
    dots = DoubleDot(0.3, 0.3, charging_energy=0.0, hopping=0.6, rate_L=0.02, rate_R=0.03)
    reservoirs = Reservoirs([0.5, -0.2], [1.5, 1.0])
    value = dots.response(reservoirs).value
    both = [SingleDot(0.3 + h, 0.01, 0.015).response(reservoirs).value for h in (0.6, -0.6)]
    np.testing.assert_allclose(value.particle, sum(one.particle for one in both), rtol=1e-12)
    np.testing.assert_allclose(value.energy, sum(one.energy for one in both), rtol=1e-12)


def test_dots_side_by_side_without_interaction():
    dots = TwoTerminalCoupledDots(0.5, 1.5, 0.0, rates_L=[0.01, 0.02], rates_R=[0.03, 0.04])
    reservoirs = Reservoirs([0.5, -0.2], [1.5, 1.0])
    both = [SingleDot(0.5, 0.01, 0.03), SingleDot(1.5, 0.02, 0.04)]
    expected = sum(one.response(reservoirs).value.particle for one in both)
    np.testing.assert_allclose(dots.response(reservoirs).value.particle, expected, rtol=1e-12)


@pytest.mark.parametrize("interaction", [-3.0, 2.0])
def test_dots_side_by_side_are_the_network(interaction):
    dots = TwoTerminalCoupledDots(0.5, 1.5, interaction, rates_L=[0.01, 0.02], rates_R=[0.03, 0.04])
    network = DotNetwork(
        dots=("b", "u"),
        leads=("L", "R"),
        levels=[0.5, 1.5],
        tunnel_rates=[[0.01, 0.02], [0.03, 0.04]],
        charging_energies=[interaction],
    )
    reservoirs = Reservoirs([0.5, -0.2], [1.5, 1.0])
    np.testing.assert_allclose(
        dots.response(reservoirs).value.energy, network.response(reservoirs).value.energy, rtol=1e-13
    )


# ---------------------------------------------------------------------------------------------------------------------
# Coupled dots with a third terminal.


def inverse_setup():
    """β = 1, μ_r = 0.5, μ_u = 0 and the forces F_E = 0.8, F_N = 0.25."""
    beta_l = 1 - 0.8
    return Reservoirs([(0.25 + 0.5) / beta_l, 0.5, 0.0], [1 / beta_l, 1.0, 1.0])


@pytest.mark.parametrize(
    "dots",
    [
        CoupledDots(1.0, 1.5, -4.0, 1.0, 1.0, 1.0),
        SpinPolarizedPair(1.0, 1.5, coulomb_coupling=1.5, spin_coupling=5.5, rates_L=1.0, rates_R=1.0, rates_U=1.0),
    ],
)
def test_inverse_particle_current(dots):
    reservoirs = inverse_setup()
    value = dots.response(reservoirs).value
    np.testing.assert_allclose(value.particle[0], -0.03927228378023, rtol=1e-10)
    np.testing.assert_allclose(value.energy[0], 0.3059233144767, rtol=1e-10)
    np.testing.assert_allclose(entropy_production(value, reservoirs), 0.2349205806363, rtol=1e-10)


@pytest.mark.parametrize("interaction", [-2.5, 1.7])
def test_energy_of_the_third_terminal(interaction):
    """U exchanges no particles; its energy is κ per electron that enters while b is occupied."""
    dots = CoupledDots(1.0, 1.5, interaction, [0.01, 0.006], [0.005, 0.009], [0.008, 0.007])
    reservoirs = Reservoirs([0.5, -0.3, 0.2], [1.0, 1.3, 2.0])
    value = dots.response(reservoirs).value
    p = dict(zip(dots.state_names(), dots.populations(reservoirs), strict=True))
    f = fermi(1.5 + interaction, 0.2, 2.0)
    through = 0.007 * (f * p["b"] - (1 - f) * p["b+u"])
    assert abs(value.particle[2]) <= 1e-14 * 0.01
    np.testing.assert_allclose(value.energy[2], interaction * through, rtol=1e-11)


def test_current_driven_by_heat():
    L, R = np.array([0.01, 0.006]), np.array([0.005, 0.009])
    dots = CoupledDots(1.0, 1.5, 2.2, L, R, [0.008, 0.007])
    for T_u in (0.5, 3.0):
        value = dots.response(Reservoirs([0.4, 0.4, 0.2], [1.1, 1.1, T_u])).value
        expected = value.energy[2] / 2.2 * (L[0] * R[1] - L[1] * R[0]) / ((L[0] + R[0]) * (L[1] + R[1]))
        np.testing.assert_allclose(value.particle[0], expected, rtol=1e-10)
    even = CoupledDots(1.0, 1.5, 2.2, 0.01, 0.02, [0.008, 0.007])
    answer = even.response(Reservoirs([0.4, 0.4, 0.2], [1.1, 1.1, 3.0]))
    assert abs(answer.value.particle[0]) <= 1e-14 * answer.one_way.particle[0]


def test_the_ideal_engine_stalls_at_carnot():
    T, T_u, interaction = 1.0, 2.5, 2.0
    engine = CoupledDots(0.5, 0.7, interaction, [0.01, 0.0], [0.0, 0.01], 0.01)
    stall = interaction * (1 - T / T_u)
    answer = engine.response(Reservoirs([0.0, stall, 0.1], [T, T, T_u]))
    assert np.all(np.abs(answer.value.particle) <= 1e-13 * jnp.max(answer.one_way.particle))
    assert np.all(np.abs(answer.value.energy) <= 1e-13 * jnp.max(answer.one_way.energy))
    near = engine.response(Reservoirs([0.0, stall * (1 - 1e-3), 0.1], [T, T, T_u])).value
    assert near.particle[0] > 0
    efficiency = stall * (1 - 1e-3) * near.particle[0] / near.energy[2]
    np.testing.assert_allclose(efficiency, (1 - T / T_u) * (1 - 1e-3), rtol=1e-9)


def test_one_rate_stands_for_both_occupations():
    dots = CoupledDots(1.0, 1.5, 2.0, 0.01, [0.01, 0.02], 0.03)
    assert dots.rates_L.shape == dots.rates_U.shape == (2,)
    np.testing.assert_array_equal(dots.tunnel_rates, [[0.01, 0.01], [0.01, 0.02], [0.03, 0.03]])
    with pytest.raises(FieldError, match=r"CoupledDots: rates_R has shape \(3,\); it needs \(2,\)"):
        CoupledDots(1.0, 1.5, 2.0, 0.01, [1, 2, 3], 0.03)


def test_capabilities_of_coupled_dots():
    dots = SpinPolarizedPair.example()
    assert dots.dot_of("U") == "u"
    assert dots.charging_energy("u", "b") == -4.0
    assert dots.tunnel_rate("L", ("u",)) == dots.rates_L[1]
    np.testing.assert_array_equal(dots.with_coupling("R", 0.5).rates_R, [0.5, 0.5])


@pytest.mark.slow
def test_thermocouple_is_that_of_the_paper():
    numbers = {"level_M": 0.5, "charging_MH": 1.0, "charging_MC": 2.0, "charging_HC": 20.0, "rate_H": 0.01}
    rates = [0.01, 0.0, 0.002, 0.0], [0.0, 0.01, 0.01, 0.01]
    named = Thermocouple(
        **numbers, level_H=0.1, level_C=-0.2, rates_L=rates[0], rates_R=rates[1], rate_C=0.03, rate_P=0.004
    )
    plain = quantum_dot_thermocouple(
        **numbers, level_H=0.1, level_C=-0.2, rate_L=rates[0], rate_R=rates[1], rate_C=0.03, rate_P=0.004
    )
    reservoirs = random_reservoirs(named, 4)
    assert named.terminals == plain.terminals
    assert named.conductors == plain.conductors
    assert named.state_names() == plain.state_names()
    np.testing.assert_array_equal(named.response(reservoirs).value.energy, plain.response(reservoirs).value.energy)
    without = named.with_coupling("P", 0.0)
    assert without.rate_P == 0.0
    bare = plain.with_coupling("P", 0.0)
    weak, known = (one.weak_exchange("P", reservoirs).value.energy for one in (without, bare))
    np.testing.assert_array_equal(weak, known)


# ---------------------------------------------------------------------------------------------------------------------
# Bosons.


@pytest.mark.parametrize("charging_energy", [0.0, 3.0, 40.0])
def test_boson_assisted_dot_is_tightly_coupled(charging_energy):
    """One boson for every electron; at stall nothing is dissipated, near it the efficiency is Carnot's."""
    dot = BosonAssistedDot(0.5, 2.5, charging_energy, 0.01, 0.02, 0.03)
    T, T_B = 1.0, 1.6
    stall = 2.0 * (1 - T / T_B)
    answer = dot.response(Reservoirs([0.1, 0.1 + stall, 0.0], [T, T, T_B]))
    reservoirs = Reservoirs([0.1, 0.1 + stall, 0.0], [T, T, T_B])
    assert np.all(np.abs(answer.value.particle) <= 1e-13 * jnp.max(answer.one_way.particle))
    assert abs(entropy_production(answer.value, reservoirs)) <= 1e-13 * jnp.max(answer.one_way.energy)
    for part in (1e-4, 0.3):
        bias = stall * (1 - part)
        value = dot.response(Reservoirs([0.1, 0.1 + bias, 0.0], [T, T, T_B])).value
        assert value.particle[0] > 0
        assert value.particle[2] == 0
        efficiency = bias * value.particle[0] / value.energy[2]
        np.testing.assert_allclose(efficiency, (1 - T / T_B) * (1 - part), rtol=1e-10)


def test_boson_assisted_dot_closed_form():
    """Three states; levels that exclude each other."""
    dot = BosonAssistedDot(0.5, 2.0, 300.0, 0.01, 0.02, 0.03)
    reservoirs = Reservoirs([0.3, 0.1, 0.0], [1.0, 1.2, 2.0])
    f1, f2, n = fermi(0.5, 0.3, 1.0), fermi(2.0, 0.1, 1.2), 1 / np.expm1(1.5 / 2.0)
    W = np.zeros((3, 3))  # empty, 1, 2
    W[1, 0], W[0, 1] = 0.01 * f1, 0.01 * (1 - f1)
    W[2, 0], W[0, 2] = 0.02 * f2, 0.02 * (1 - f2)
    W[2, 1], W[1, 2] = 0.03 * n, 0.03 * (1 + n)
    matrix = np.vstack([W - np.diag(W.sum(axis=0)), np.ones(3)])
    p = np.linalg.lstsq(matrix, np.array([0, 0, 0, 1.0]), rcond=None)[0]
    current = W[1, 0] * p[0] - W[0, 1] * p[1]
    value = dot.response(reservoirs).value
    np.testing.assert_allclose(value.particle, [current, -current, 0], rtol=1e-11)
    np.testing.assert_allclose(value.energy, current * np.array([0.5, -2.0, 1.5]), rtol=1e-11)
