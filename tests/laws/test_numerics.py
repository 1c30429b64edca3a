"""What every number must survive: differentiation, a second call, another way of calling, a hard sweep, no solution."""

import os
import subprocess
import sys

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mesotherm import (
    Axis,
    CoulombDots,
    DiodeTest,
    Effort,
    Outcome,
    Reservoirs,
    ResonantBarrier,
    Setup,
    SteadyStateExperiment,
    StepBarrier,
    ThermalizationDiode,
    ThermalizingProbe,
    VanishingProbe,
    quantum_dot_thermocouple,
    steady_state,
    sweep,
)

PROBE = (ThermalizingProbe("P"),)

# ---------------------------------------------------------------------------------------------------------------------
# Gradients through the solution are finite differences of the solution.


def resonant(level, half_width, mu, T, bottom):
    device = ThermalizationDiode(ResonantBarrier(level, half_width), ResonantBarrier(1.5, 0.4), bottom)
    return device, Reservoirs(jnp.stack([mu, 0.3, 0.0]), jnp.stack([T, 1.0, 1.0]))


def step(level, threshold, half_width, mu, T, bottom):
    device = ThermalizationDiode(ResonantBarrier(level, half_width), StepBarrier(threshold), bottom)
    return device, Reservoirs(jnp.stack([mu, 0.3, 0.0]), jnp.stack([T, 1.0, 1.0]))


def thermocouple(level_M, charging_MH, rate_H, rate_P, mu_R, T_H):
    device = quantum_dot_thermocouple(level_M=level_M, charging_MH=charging_MH, rate_H=rate_H, rate_P=rate_P)
    return device, Reservoirs(jnp.stack([0.0, mu_R, 0.0, 0.0, 0.0]), jnp.stack([8.0, 8.0, T_H, 4.0, 8.0]))


CASES = {
    "resonant": (
        resonant,
        {"level": (-3, 2), "half_width": (0.2, 2), "mu": (-1, 1), "T": (1.2, 3), "bottom": (-8, -4)},
    ),
    "step": (
        step,
        {
            "level": (-2, 2),
            "threshold": (-1, 2),
            "half_width": (0.2, 2),
            "mu": (-1, 1),
            "T": (1.2, 3),
            "bottom": (-8, -4),
        },
    ),
    "thermocouple": (
        thermocouple,
        {
            "level_M": (-3, 3),
            "charging_MH": (1, 6),
            "rate_H": (0.3, 2),
            "rate_P": (0.2, 2),
            "mu_R": (-4, 4),
            "T_H": (10, 20),
        },
    ),
}
STEP = 2.0**-8
"""Of finite differences, times 1, 2 and 4, in units of each parameter's range."""


@pytest.mark.parametrize("case", [pytest.param(case, marks=pytest.mark.slow) for case in CASES])
def test_implicit_gradients_are_finite_differences(case):
    """Derivatives of I_L and T_P by each parameter, in units of its range, at random values; finite differences are of
    sixth order."""
    build, ranges = CASES[case]
    low, high = np.array(list(ranges.values()), float).T
    values = low + (high - low) * np.random.default_rng(7).uniform(0.1, 0.9, (4, len(low)))

    def found(values):
        state = steady_state(*build(*values), PROBE, throw=False)
        return jnp.stack([state.currents.particle[0], state.reservoirs.T[-1]]), state.outcome

    implicit, _ = jax.jit(lambda rows: jax.lax.map(jax.jacrev(found, has_aux=True), rows))(values)
    moves = STEP * np.array([1, -1, 2, -2, 4, -4])[:, None, None] * np.diag(high - low)
    moved = values[:, None, None] + moves
    out, outcome = jax.jit(lambda rows: jax.lax.map(found, rows))(moved.reshape(-1, len(low)))
    assert np.all(outcome == Outcome.CONVERGED)
    out = np.asarray(out).reshape(*moved.shape[:-1], 2)
    central = [(out[:, k] - out[:, k + 1]) / (2 * STEP * size) for k, size in ((0, 1), (2, 2), (4, 4))]
    finite = np.moveaxis((64 * central[0] - 20 * central[1] + central[2]) / 45, 1, 2)
    scale = abs(finite).max(2, keepdims=True)
    deviation = (abs(np.asarray(implicit) * (high - low) - finite) / scale).max((0, 1))
    assert np.all(abs(finite) > 1e-6 * scale)
    assert {name: x for name, x in zip(ranges, deviation, strict=True) if not x <= 1e-7} == {}


# ---------------------------------------------------------------------------------------------------------------------
# A second call with other values compiles nothing.


def diode_setup(x):
    device = ThermalizationDiode(ResonantBarrier(-x, 0.3), ResonantBarrier(x, 0.2 * x), -40.0)  # needs both rungs
    return Setup(device, Reservoirs(np.array([0.1, 0, 0]) * x, np.ones(3) + x), PROBE)


def thermocouple_setup(x):
    device = quantum_dot_thermocouple(rate_P=0.1 * x, level_M=x)
    return Setup(device, Reservoirs(np.array([0, x, 0, 0, 0]), np.array([8, 8, 16, 4 + x, 8])), PROBE)


AFFORDABLE = {"diode": Effort.STUBBORN, "thermocouple": Effort.FAST}
"""The least effort at which these setups converge."""

SETUPS = {"diode": (diode_setup, "device.left.level"), "thermocouple": (thermocouple_setup, "device.levels.M")}


@pytest.mark.parametrize("name", [pytest.param("diode", marks=pytest.mark.slow), "thermocouple"])
def test_second_steady_state_compiles_nothing(name, compilations):
    setups = [SETUPS[name][0](x) for x in (1.0, 1.5)]
    states = []
    for setup in setups:
        compilations.clear()
        states.append(steady_state(setup.device, setup.reservoirs, setup.unknowns, effort=AFFORDABLE[name]))
    assert not compilations
    assert states[0].currents.particle[0] != states[1].currents.particle[0]


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow) if n == "diode" else n for n in SETUPS])
def test_second_sweep_compiles_nothing(name, compilations):
    build, path = SETUPS[name]
    setups = [build(x) for x in (1.0, 1.5)]
    sweep(SteadyStateExperiment(), setups[0], [Axis(path, np.linspace(-1, 1, 5))])
    compilations.clear()
    second = sweep(SteadyStateExperiment(), setups[1], [Axis(path, np.linspace(0, 2, 5))])
    assert not compilations
    assert np.all(second["status"] == Outcome.CONVERGED)
    assert second.attrs["seconds_compiling"] < 0.1


# ---------------------------------------------------------------------------------------------------------------------
# Compiled, eager and batched agree.

AGREEMENT = 1e-13
"""Of the largest one-way flux."""


def stacked(setups):
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *setups)


def assert_agree(one, other):
    for name in ("particle", "energy"):
        scale = jnp.max(getattr(one.one_way, name))
        assert jnp.all(abs(getattr(one.value, name) - getattr(other.value, name)) <= AGREEMENT * scale)


@pytest.mark.parametrize("name", SETUPS)
@pytest.mark.parametrize("effort", Effort)
@pytest.mark.slow
def test_response_is_the_same_compiled_eager_and_batched(name, effort):
    setups = [SETUPS[name][0](x) for x in (0.5, 1.0, 2.0)]

    def response(setup):
        return setup.device.response(setup.reservoirs, effort)

    compiled, batch = eqx.filter_jit(response), stacked(setups)
    batched = jax.jit(jax.vmap(response))(batch)
    mapped = jax.jit(lambda b: jax.lax.map(response, b))(batch)
    for i, setup in enumerate(setups):
        eager = response(setup)
        assert_agree(eager, compiled(setup))
        for many in (batched, mapped):
            assert_agree(eager, jax.tree.map(lambda x, i=i: x[i], many))


@pytest.mark.parametrize("name", SETUPS)
@pytest.mark.slow
def test_steady_state_is_the_same_compiled_eager_and_batched(name):
    """Eager: Newton's method written out, on the balances of the probe evaluated operation by operation."""
    setups = [SETUPS[name][0](x) for x in (0.5, 1.0, 2.0)]

    def solve(setup):
        state = setup.solve(AFFORDABLE[name])
        return state.currents, state.one_way, state.reservoirs, state.outcome

    single = [eqx.filter_jit(solve)(setup) for setup in setups]
    batch = stacked(setups)
    for many in (jax.jit(jax.vmap(solve))(batch), jax.jit(lambda b: jax.lax.map(solve, b))(batch)):
        for i, (currents, one_way, _, outcome) in enumerate(single):
            assert outcome == Outcome.CONVERGED
            for quantity in ("particle", "energy"):
                change = abs(getattr(many[0], quantity)[i] - getattr(currents, quantity))
                assert jnp.all(change <= AGREEMENT * jnp.max(getattr(one_way, quantity)))
    currents, one_way, reservoirs, _ = single[1]
    value = newton(setups[1], reservoirs, AFFORDABLE[name])
    for quantity in ("particle", "energy"):
        change = abs(getattr(value, quantity) - getattr(currents, quantity))
        assert jnp.all(change <= AGREEMENT * jnp.max(getattr(one_way, quantity)))


def newton(setup, near, effort):
    """Currents where terminal P, the last, balances; from 1e-2 off ``near``."""
    index = len(setup.device.terminals) - 1

    def balance(x):
        value = setup.device.response(setup.reservoirs.at(index, mu=x[0], T=x[1]), effort).value
        particle = value.particle[index]
        return jnp.stack([particle, value.energy[index] - x[0] * particle])

    x = jnp.stack([near.mu[index] + 1e-2, near.T[index] * 1.01])
    for _ in range(5):
        x = x - jnp.linalg.solve(jax.jacfwd(balance)(x), balance(x))
    return setup.device.response(setup.reservoirs.at(index, mu=x[0], T=x[1]), effort).value


# ---------------------------------------------------------------------------------------------------------------------
# Narrow and wide resonances in one sweep.


@pytest.mark.slow
def test_sweep_over_narrow_and_wide_resonances_is_certified_everywhere():
    setup = Setup(ThermalizationDiode.example(), Reservoirs([0, 0, 0], [1, 1, 1]), PROBE)
    axes = [Axis("device.left.half_width", [1e-3, 3.0]), Axis("device.left.level", np.linspace(-8, 8, 17))]
    out = sweep(DiodeTest(delta_temperature=1.0), setup, axes)
    assert np.all(out["status"] == Outcome.CONVERGED)
    assert np.all(out["law_violation"] <= 1)
    assert np.all(out["law_violation"].sel(law="error_bound") > 0)
    assert np.all(np.isfinite(out["rectification_heat"]))
    assert out["error_particle_current"].max() < 1e-9


# ---------------------------------------------------------------------------------------------------------------------
# No probe at positive temperature: that is the answer, and its neighbours have theirs.

PROBES = {"weak": (0.01, ThermalizingProbe("P")), "vanishing": (0.0, VanishingProbe("P"))}


def biased(mu_R):
    return Reservoirs([0, mu_R, 0, 0, 0], [8, 8, 16, 4, 8])


@pytest.mark.slow
@pytest.mark.parametrize("probe", list(PROBES))
def test_inverted_thermocouple_says_so_and_its_neighbour_converges(probe):
    rate, unknown = PROBES[probe]
    device = quantum_dot_thermocouple(rate_P=rate)
    inverted = steady_state(device, biased(20), [unknown], throw=False)
    assert inverted.outcome == Outcome.POPULATION_INVERSION
    assert inverted.reservoirs.T[4] < 0
    with pytest.raises(RuntimeError, match="population inversion") as caught:
        steady_state(device, biased(20), [unknown])
    assert str(caught.value) == Outcome.POPULATION_INVERSION.sentence
    solvable = steady_state(device, biased(10), [unknown])
    assert float(solvable.reservoirs.T[4]) == pytest.approx(34.3 if rate else 34.2, abs=0.05)


def test_inverted_points_of_a_sweep_are_nan_with_their_status():
    setup = Setup(quantum_dot_thermocouple(rate_P=0.01), biased(0), PROBE)
    out = sweep(SteadyStateExperiment(), setup, [Axis("reservoirs.R.mu", [0.0, 5.0, 10.0, 20.0, 25.0])])
    converged, inverted = Outcome.CONVERGED, Outcome.POPULATION_INVERSION
    np.testing.assert_array_equal(out["status"], [converged] * 3 + [inverted] * 2)
    for name in ("particle_current", "energy_current", "probe_temperature", "law_violation"):
        assert np.all(np.isfinite(out[name][:3])), name
        assert np.all(np.isnan(out[name][3:])), name


def test_device_that_cannot_be_solved_says_so():
    """A dot that nothing can leave or enter has no unique state."""
    device = CoulombDots("AB", [("L", "A"), ("R", "A"), ("G", "B")], [0, 0], [1], [[1, 1], [1, 1], [0, 0]])
    with pytest.raises(RuntimeError, match="not unique"):
        steady_state(device, Reservoirs([0, 1, 0], [1, 1, 1]))


ON_ONE_PROCESSOR = """
import os
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
import jax
from mesotherm import Reservoirs, ThermalizingProbe, quantum_dot_thermocouple, steady_state

def current(T):
    bath = Reservoirs([0, 2, 0, 0, 0], [8, 8, T, 4, 8])
    return steady_state(quantum_dot_thermocouple(rate_P=0.5), bath, [ThermalizingProbe("P")]).currents.particle[0]

print(jax.grad(current)(16.0), jax.jvp(current, (16.0,), (1.0,))[1], current(16.01) - current(15.99))
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="processes cannot be bound to a processor here")
def test_derivatives_on_one_processor():
    """Where there is only one, jaxlib 0.10 does not find LAPACK in derivatives that pass arrays of size zero on."""
    printed = subprocess.run(
        [sys.executable, "-c", ON_ONE_PROCESSOR], check=True, capture_output=True, text=True
    ).stdout
    back, forward, difference = map(float, printed.split())
    np.testing.assert_allclose([back, forward], difference / 0.02, rtol=1e-5)
