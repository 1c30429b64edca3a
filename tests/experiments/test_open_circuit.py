"""The bias without current: closed form, probes, linear response, and the search itself."""

import functools
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import Array, Float
from setups import SETUPS, diode, single_dot, slow_among, stopping_bias, thermocouple

from mesotherm import (
    Axis,
    CoulombDots,
    CurrentVoltage,
    DotNetwork,
    Effort,
    LoadSweep,
    OpenCircuit,
    Outcome,
    PowerAtOptimalBias,
    Reservoirs,
    Setup,
    VanishingProbe,
    VoltageProbe,
    steady_state,
    sweep,
)
from mesotherm.device import AbstractDevice, Answer, LogTemperature, Response


def hot(*temperatures):
    """Temperatures of L, always three: one compiled function per kind of setup serves all tests."""
    return [Axis("reservoirs.L.T", np.array(temperatures), "hot")]


@pytest.mark.parametrize("share", [0.0, 0.3, 0.5, 1.0])
def test_a_single_level_stops_at_equal_occupations(share):
    levels, temperatures = np.array([-8.0, -0.5, 0.7, 3.0, 20.0]), np.array([0.5, 1.0, 1.9, 5.0])
    axes = [Axis("device.levels.D", levels), Axis("reservoirs.L.T", temperatures)]
    data = sweep(OpenCircuit(left_share=share), single_dot(mu=0.3, T=(1.0, 0.8)), axes)
    assert (data.status == Outcome.CONVERGED).all()
    level, T = np.meshgrid(levels, temperatures, indexing="ij")
    expected = stopping_bias(level, 0.3, (T, 0.8), share)
    deviation = abs(data.open_circuit_bias - expected)
    assert (deviation <= data.error_open_circuit_bias + 1e-15).all()
    assert (deviation <= 1e-10 * abs(expected)).all()
    np.testing.assert_allclose(data.thermopower, expected / (T - 0.8), rtol=1e-10)


@pytest.mark.slow
def test_without_a_temperature_difference():
    """The bias vanishes within its bound, and there is no thermopower."""
    for setup in (single_dot(T=(1.3, 1.3)), diode(T=[1.3, 1.3, 1.3])):
        data = sweep(OpenCircuit(), setup, hot(1.3, 1.5, 1.7)).isel(hot=0)
        assert data.status == Outcome.CONVERGED
        assert abs(data.open_circuit_bias) <= data.error_open_circuit_bias < 1e-8
        assert np.isnan(data.thermopower)


@pytest.mark.parametrize(
    "name", slow_among(["single dot", "thermocouple", "diode with a thermalizing probe"], "thermo", "diode")
)
def test_the_right_terminal_may_float_instead(name):
    """With all of the bias on the right, a voltage probe there finds the same."""
    setup = SETUPS[name]
    T = float(setup.reservoirs.T[0])
    data = sweep(OpenCircuit(left_share=0.0), setup, hot(T, 1.1 * T, 1.2 * T)).isel(hot=0)
    unknowns = VoltageProbe("R"), *setup.unknowns
    state = steady_state(setup.device, setup.reservoirs, unknowns, effort=Effort.FAST)
    both = float(data.error_open_circuit_bias + state.reservoirs_error.mu[1])
    assert data.status == Outcome.CONVERGED
    assert abs(float(data.open_circuit_bias + state.reservoirs.mu[1])) <= both < 1e-7


@pytest.mark.parametrize("name", slow_among(SETUPS, "probe"))
def test_no_current_flows(name):
    T = float(SETUPS[name].reservoirs.T[0])
    data = sweep(OpenCircuit(), SETUPS[name], hot(T, 1.5 * T, 2 * T))
    assert (data.status == Outcome.CONVERGED).all()
    current = data.particle_current.sel(terminal="L")
    assert (abs(current) <= 2 * data.error_particle_current.sel(terminal="L")).all()
    assert (abs(data.power) <= data.error_power).all()
    assert (data.error_open_circuit_bias > 0).all()
    assert (data.error_open_circuit_bias < 1e-6).all()
    assert (data.law_violation <= 1).all()


@pytest.mark.parametrize("name", slow_among(["single dot", "diode with a thermalizing probe"], "diode"))
def test_linear_response(name):
    """S G is minus the thermocurrent per temperature difference, and T times that is the heat per bias (Onsager)."""
    setup, T = SETUPS[name], 1.2
    at_rest = eqx.tree_at(lambda s: s.reservoirs.T, setup, jnp.full(len(setup.device.terminals), T))
    step = 1e-3
    found = sweep(OpenCircuit(), at_rest, hot(T - step, T + step, T + 1)).thermopower
    thermopower = float(found[:2].mean())
    conductance = sweep(CurrentVoltage(), at_rest).differential_conductance.item()

    def currents(T_left, mu_left):
        reservoirs = at_rest.reservoirs.at(0, T=T_left, mu=mu_left)
        state = steady_state(at_rest.device, reservoirs, at_rest.unknowns, effort=Effort.FAST, throw=False)
        return state.currents.particle[0], state.currents.energy[0] - mu_left * state.currents.particle[0]

    zero, one = jnp.zeros(()), jnp.ones(())
    _, (thermocurrent, _) = jax.jvp(currents, (jnp.asarray(T), zero), (one, zero))
    _, (by_bias, heat) = jax.jvp(currents, (jnp.asarray(T), zero), (zero, one))
    assert thermopower * conductance == pytest.approx(-float(thermocurrent), rel=1e-5)
    assert float(by_bias) == pytest.approx(conductance, rel=1e-8)
    assert float(heat) == pytest.approx(T * float(thermocurrent), rel=1e-7)


@pytest.mark.slow
def test_a_vanishing_probe_looks_on():
    """It is no part of the search, and reads the state found."""
    rates = {"rate_R": (0.3, 1.0, 0.7, 0.2)}
    with_probe = sweep(OpenCircuit(), thermocouple(unknowns=(VanishingProbe("P"),), **rates))
    without = sweep(OpenCircuit(), thermocouple(**rates))
    assert with_probe.status == without.status == Outcome.CONVERGED
    assert with_probe.open_circuit_bias == pytest.approx(float(without.open_circuit_bias), rel=1e-12)
    assert np.isfinite(with_probe.probe_temperature).all()


# ---------------------------------------------------------------------------------------------------------------------
# Where there is none, or several.


def test_too_small_a_largest_bias():
    data = sweep(OpenCircuit(largest_bias=0.1), single_dot())
    assert data.status == Outcome.NO_OPEN_CIRCUIT
    for name in ("open_circuit_bias", "error_open_circuit_bias", "thermopower", "particle_current", "power"):
        assert np.isnan(data[name]).all()


def test_a_terminal_without_coupling():
    device = CoulombDots(["D"], [("L", "D"), ("R", "D")], [1.0], [], [[0.0], [1.0]])
    assert sweep(OpenCircuit(), Setup(device, Reservoirs([0, 0], [2, 1]))).status == Outcome.NO_OPEN_CIRCUIT


def test_states_that_cannot_be_solved_say_why():
    """A dot that no terminal is coupled to has no unique stationary state."""
    isolated = eqx.tree_at(lambda s: s.device.tunnel_rates, single_dot(), jnp.zeros((2, 1)))
    data = sweep(OpenCircuit(), isolated)
    assert data.status == Outcome.NOT_UNIQUE
    assert np.isnan(data.open_circuit_bias)


class Polynomial(AbstractDevice):
    """A device whose current vanishes at given biases; ``blurred`` says where FAST does not know its sign."""

    points_together: ClassVar[int] = 8
    zeros: Float[Array, "zeros"]
    blurred: Float[Array, "2"]
    terminals: tuple[str, ...] = eqx.field(static=True, default=("L", "R"))
    conductors: tuple[tuple[str, ...], ...] = eqx.field(static=True, default=(("L", "R"),))

    @property
    def floating_reservoir(self):
        return LogTemperature()

    @classmethod
    def example(cls):
        return cls(jnp.array([1.0]), jnp.zeros(2))

    def response(self, reservoirs, effort=Effort.STRICT):
        bias = reservoirs.mu[0] - reservoirs.mu[1]
        current = functools.reduce(lambda product, zero: product * (bias - zero), self.zeros, jnp.ones(()))
        blurred = (bias > self.blurred[0]) & (bias < self.blurred[1]) & (effort is Effort.FAST)
        error = jnp.where(blurred, 1e9, 1e-13)
        particle, heat, none = jnp.array([1.0, -1.0]) * current, -bias * current * jnp.ones(2) / 2, jnp.zeros(0)
        energy = heat + reservoirs.mu * particle
        scale = jnp.full(2, 1e6)
        return Answer(
            Response(particle, energy, none), Response(*[error * jnp.ones(2)] * 2, none), Response(scale, scale, none)
        )


def polynomial(*zeros, blurred=(0.0, 0.0)):
    return Setup(Polynomial(jnp.array(zeros), jnp.array(blurred)), Reservoirs([0, 0], [1, 1]))


@pytest.mark.parametrize(
    ("zeros", "nearest"),
    [([-7.0, 2.0, 30.0], 2.0), ([-0.3, 2.0, 30.0], -0.3), ([1e-4, -2.0, 3.0], 1e-4), ([0.0, 1.0, 2.0], 0.0)],
)
def test_of_several_the_nearest_is_found(zeros, nearest):
    data = sweep(OpenCircuit(), polynomial(*zeros))
    assert data.status == Outcome.CONVERGED
    assert abs(data.open_circuit_bias - nearest) <= data.error_open_circuit_bias + 1e-15
    assert data.error_open_circuit_bias < 1e-10


def test_one_that_may_hide_is_looked_for_with_more_effort():
    """FAST sees the sign at 30 but not at 1: what it finds first is not the nearest."""
    hidden = polynomial(1.0, 1.5, 30.0, blurred=(0.5, 3.0))
    fast = eqx.filter_jit(OpenCircuit().measure)(hidden, Effort.FAST)
    assert fast["status"] == Outcome.NOT_CONVERGED
    assert fast["open_circuit_bias"] == pytest.approx(30.0)
    data = sweep(OpenCircuit(), hidden)
    assert data.status == Outcome.CONVERGED
    assert data.open_circuit_bias == pytest.approx(1.0)


def test_new_values_compile_nothing(compilations):
    sweep(OpenCircuit(), single_dot(), hot(1.5, 2.0, 2.5))
    other = single_dot(level=-1.0, mu=0.4)
    compilations.clear()
    sweep(OpenCircuit(left_share=0.1, largest_bias=30.0), other, hot(1.6, 1.9, 2.4))
    assert not compilations


@pytest.mark.parametrize(
    ("experiment", "outcome"),
    [
        (OpenCircuit(), Outcome.NO_OPEN_CIRCUIT),
        pytest.param(LoadSweep(), Outcome.NO_OPEN_CIRCUIT, marks=pytest.mark.slow),
        pytest.param(PowerAtOptimalBias("R"), Outcome.NO_POWER, marks=pytest.mark.slow),
    ],
)
def test_a_broken_circuit_has_no_open_circuit_bias(experiment, outcome):
    """Two dots in series without hopping: no current at any bias, and so no bias without current, nor power."""
    dots = DotNetwork(("A", "B"), ("L", "R"), [0.15, 0.15], [[0.01, 0], [0, 0.01]], [0.5], hopping=[0.0])
    setup = Setup(dots, Reservoirs([0.0, 0.0], [0.1, 0.03]))
    data = sweep(experiment, setup, [])
    assert data.status == outcome
    assert np.isnan(data.get("open_circuit_bias", np.nan))
