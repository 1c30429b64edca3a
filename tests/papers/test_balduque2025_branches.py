"""Maps of the screened diode lie on the branch reached from equilibrium: points solved again along the curve."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mesotherm import Effort, Outcome, Reservoirs
from mesotherm.papers.balduque2025.screened import COHERENT, diode, diode_tests
from mesotherm.root_problem import Approach, posed
from mesotherm.steady_state import certified

SAME = 1e-8
"""Of potentials, in k_BT."""


@jax.jit
def along_the_curve(levels, temperatures):
    """Potentials and outcome of many screened diodes, each followed from equilibrium by its arclength."""

    def one(point):
        (level_1, level_3), T = point
        setup = diode(COHERENT, level_1, level_3)
        problem = posed(setup.device, Reservoirs(jnp.zeros(3), T), setup.unknowns, Effort.STRICT)
        way = Approach.to(problem, jnp.zeros(()), jnp.ones(()))
        at_end = way.at(way.length)
        state, _ = certified(at_end, at_end.near(way.first_crossing()), setup.tolerance)
        return state.q, state.outcome

    return jax.lax.map(one, (levels, temperatures), batch_size=4)


def agree(delta_temperature, columns, rows):
    """Random points of the map at one ΔT, forward and backward, from a sweep and along the curve."""
    random = np.random.default_rng(7)
    level_1, level_3 = np.sort(random.uniform(-10, 10, columns)), np.sort(random.uniform(-10, 10, rows))
    swept = diode_tests(diode(COHERENT), level_1, level_3, delta_temperature=delta_temperature)
    hot = 1.0 + delta_temperature
    directions = jnp.array([[hot, 1.0, 1.0], [1.0, hot, 1.0]])
    for number, direction in enumerate(("forward", "backward")):
        levels = jnp.asarray(np.stack(np.meshgrid(level_1, level_3, indexing="ij"), axis=-1).reshape(-1, 2))
        q, outcome = along_the_curve(levels, jnp.broadcast_to(directions[number], (len(levels), 3)))
        assert np.all(np.asarray(outcome) == Outcome.CONVERGED)
        found = swept.sel(direction=direction)
        assert np.all(found.status == Outcome.CONVERGED)
        potential = found.potential.transpose("epsilon_1", "epsilon_3", "coordinate").to_numpy().reshape(-1, 3)
        assert np.max(np.abs(potential - np.asarray(q))) <= SAME


@pytest.mark.slow
def test_500_points_at_the_temperature_difference_of_the_maps():
    agree(1.0, 25, 20)


@pytest.mark.slow
def test_200_points_at_three_times_as_much():
    agree(3.0, 20, 10)
