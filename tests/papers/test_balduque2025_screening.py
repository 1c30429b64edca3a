"""The published and twice-computed numbers of the double barrier with screening (Figs. 3 and 4)."""

import json
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mesotherm.continuation import branches
from mesotherm.device import Effort, Reservoirs
from mesotherm.devices.double_barrier import DoubleBarrier
from mesotherm.experiments import Setup
from mesotherm.results import Outcome
from mesotherm.screening import Screening
from mesotherm.steady_state import steady_state
from mesotherm.thermodynamics import LAWS, audit
from mesotherm.unknowns import ThermalizingProbe

NUMBERS = json.loads((Path(__file__).parents[1] / "data" / "balduque2025_screening.json").read_text(encoding="utf-8"))
STAR = NUMBERS["star"]
BARE, SPINS = np.pi, 2.0
"""The paper's unit of currents, 2/h with two spins, is 1/π of the library's; its charges are per spin."""


def diode(level_1=STAR["level_1"], level_3=STAR["level_3"], strength=0.0, confinement=1.0):
    return DoubleBarrier(
        level_1, level_3, 1.0, 1.0, cavity_bottom=-40.0, confinement=confinement, probe_strength=strength
    )


def heated(forward: bool, delta_temperature=1.0):
    hot = 1.0 + delta_temperature
    return Reservoirs(jnp.zeros(3), jnp.stack([hot, 1.0, 1.0] if forward else [1.0, hot, 1.0]))


SCREENED = (Screening(("U1", "U2", "U3"), mu=0.0, T=1.0),)
THERMALIZED = (Screening(("U1", "U3"), mu=0.0, T=1.0), ThermalizingProbe("P"))


def solved(device, reservoirs, unknowns=SCREENED):
    state = steady_state(device, reservoirs, unknowns, effort=Effort.STRICT)
    assert np.all(np.asarray(audit(state).holds))
    return state


@jax.jit
def currents(level_1, level_3, confinement, temperatures):
    """I and J of the left terminal of many screened diodes, and whether they converged."""

    def one(level_1, level_3, confinement, T):
        device = diode(level_1, level_3, confinement=confinement)
        state = steady_state(device, Reservoirs(jnp.zeros(3), T), SCREENED, effort=Effort.STRICT, throw=False)
        return BARE * state.currents.particle[0], BARE * state.currents.energy[0], state.outcome

    return jax.lax.map(lambda x: one(*x), (level_1, level_3, confinement, temperatures))


def both_ways(level_1, level_3, confinement=1.0, delta_temperature=1.0):
    """I and J, forward then backward, in one compiled call."""
    hot = 1.0 + delta_temperature
    temperatures = jnp.array([[hot, 1.0, 1.0], [1.0, hot, 1.0]])
    two = [jnp.full(2, value) for value in (level_1, level_3, confinement)]
    particle, energy, outcome = currents(*two, temperatures)
    assert np.all(np.asarray(outcome) == Outcome.CONVERGED)
    return np.asarray(particle), np.asarray(energy)


def test_without_screening():
    case = NUMBERS["without_screening"]
    state = solved(diode(case["level_1"], case["level_3"]), heated(True), ())
    assert abs(BARE * float(state.currents.particle[0]) - case["I"]) <= case["tolerance"]
    assert abs(BARE * float(state.currents.energy[0]) - case["J"]) <= case["tolerance"]


def test_the_star():
    state = solved(diode(), heated(True))
    value, tolerance = STAR["U_forward"]
    np.testing.assert_allclose(state.q, value, atol=tolerance)
    wrong = eqx.tree_at(lambda s: s.currents.conjugate, state, state.currents.conjugate + 1e-6)
    assert [name for name, holds in zip(LAWS, audit(wrong).holds, strict=True) if not holds] == ["charge_balance"]
    particle, energy = both_ways(STAR["level_1"], STAR["level_3"])
    value, tolerance = STAR["I"]
    np.testing.assert_allclose(particle, value, atol=tolerance)
    assert abs(particle[0] - particle[1]) <= tolerance
    for direction, found in zip(("forward", "backward"), energy, strict=True):
        value, tolerance = STAR[f"J_{direction}"]
        assert abs(found - value) <= tolerance


def test_the_cavity_phase_decides():
    """With the phase scaled by 1.02 the currents of both directions are no longer equal, nor nearly so."""
    particle, _ = both_ways(STAR["level_1"], STAR["level_3"], confinement=1.02**-2)
    assert abs(particle[0] - particle[1]) > 0.5 * STAR["I"][0]


@pytest.mark.slow
def test_three_solutions_on_an_s_shaped_branch():
    setup = Setup(diode(), heated(True, 2.9), SCREENED)
    found = branches(setup)
    assert len(found.states) == 3
    assert all(found.on_curve)
    assert found.stable == (True, False, True)
    particle = [BARE * float(state.currents.particle[0]) for state in found.states]
    assert particle[0] > 0.09
    assert particle[-1] < 0.03
    s = np.asarray(found.walk.s)[: int(found.walk.count)]
    turns = s[1:-1][np.diff(np.sign(np.diff(s))) != 0]
    np.testing.assert_allclose(turns, NUMBERS["folds"]["delta_temperature"], atol=0.05)


@pytest.mark.slow
def test_the_forward_solution_is_stable():
    found = branches(Setup(diode(), heated(True), SCREENED))
    assert len(found.states) == 1
    assert found.stable == (True,)
    value, tolerance = STAR["relaxation_forward"]
    np.testing.assert_allclose(np.sort(found.relaxation[0].real) / SPINS, value, atol=tolerance)


@pytest.mark.slow
@pytest.mark.parametrize("forward", [True, False])
def test_zeros_with_a_thermalizing_probe(forward):
    case = NUMBERS["thermalized_zeros"]
    place = case["forward" if forward else "backward"]

    def current(level_1):
        state = solved(diode(level_1, case["level_3"], strength=1.0), heated(forward), THERMALIZED)
        return float(state.currents.particle[0])

    assert current(place - case["tolerance"]) * current(place + case["tolerance"]) < 0


def test_negative_differential_thermal_conductance():
    """The backward heat current is extremal at a finite temperature difference."""
    case = NUMBERS["backward_extremum"]
    place, width = case["delta_temperature"]
    J = [
        both_ways(STAR["level_1"], STAR["level_3"], delta_temperature=place + shift)[1][1]
        for shift in (-0.003, 0, 0.003)
    ]
    assert abs(J[1] - case["J"][0]) <= case["J"][1]
    curvature = (J[0] - 2 * J[1] + J[2]) / 0.003**2
    vertex = place - (J[2] - J[0]) / 0.006 / curvature
    assert curvature > 0
    assert abs(vertex - place) <= width
