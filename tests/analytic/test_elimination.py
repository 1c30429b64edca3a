"""Stationary distributions against 60-digit linear algebra, for graphs with two colours and without."""

import itertools

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

from mesotherm.engines import elimination
from mesotherm.engines.elimination import Graph

stationary = jax.jit(elimination.stationary, static_argnums=0)


def cube(dots):
    """Single-electron tunnelling on dots: states differ in one occupation."""
    states = range(2**dots)
    return Graph(2**dots, tuple((a, a | 1 << d) for a in states for d in range(dots) if not a & 1 << d))


def complete(states):
    """Every state joined with every other: no two colours suffice."""
    return Graph(states, tuple(itertools.combinations(range(states), 2)))


GRAPHS = {
    "two dots": cube(2),
    "three dots": cube(3),
    "four dots": cube(4),
    "triangle": complete(3),
    "five": complete(5),
}


def exact(graph, forward, backward):
    """The null vector of the rate matrix in 60 digits."""
    with mpmath.workdps(60):
        matrix = mpmath.zeros(graph.states)
        for (a, b), up, down in zip(graph.steps, forward, backward, strict=True):
            for start, end, rate in ((a, b, up), (b, a, down)):
                matrix[end, start] += mpmath.mpf(float(rate))
                matrix[start, start] -= mpmath.mpf(float(rate))
        for j in range(graph.states):
            matrix[0, j] = 1
        right = mpmath.zeros(graph.states, 1)
        right[0] = 1
        return np.array([float(p) for p in mpmath.lu_solve(matrix, right)])


@pytest.mark.parametrize("decades", [1, 8, 15])
@pytest.mark.parametrize("name", GRAPHS)
def test_every_probability_has_full_relative_accuracy(name, decades):
    graph, rng = GRAPHS[name], np.random.default_rng(decades)
    for _ in range(5):
        forward, backward = 10.0 ** rng.uniform(-decades, decades, (2, len(graph.steps)))
        found = np.asarray(stationary(graph, jnp.asarray(forward), jnp.asarray(backward)))
        np.testing.assert_allclose(found, exact(graph, forward, backward), rtol=1e-13)


def test_rates_a_hundred_decades_apart():
    graph, rng = cube(3), np.random.default_rng(0)
    energies = rng.uniform(-115, 115, 8)
    forward = np.array([np.exp(energies[a]) for a, _ in graph.steps])
    backward = np.array([np.exp(energies[b]) for _, b in graph.steps])
    weights = np.exp(energies.min() - energies)  # detailed balance: p ∝ exp(−E)
    found = np.asarray(stationary(graph, jnp.asarray(forward), jnp.asarray(backward)))
    np.testing.assert_allclose(found, weights / weights.sum(), rtol=1e-13)


def test_a_chain_that_falls_apart_is_not_finite():
    graph = Graph(4, ((0, 1), (2, 3)))
    assert not np.all(np.isfinite(stationary(graph, jnp.ones(2), jnp.ones(2))))


@pytest.mark.parametrize("name", GRAPHS)
def test_batch_dimensions_come_last(name):
    graph, rng = GRAPHS[name], np.random.default_rng(3)
    forward, backward = rng.uniform(0.1, 1, (2, len(graph.steps), 2, 3))
    together = stationary(graph, jnp.asarray(forward), jnp.asarray(backward))
    for i, j in itertools.product(range(2), range(3)):
        one = stationary(graph, jnp.asarray(forward[:, i, j]), jnp.asarray(backward[:, i, j]))
        np.testing.assert_allclose(together[:, i, j], one, rtol=1e-14)


def test_derivative_conserves_probability_and_solves_the_perturbed_equation():
    """W δp = −δW p and Σ δp = 0."""
    graph, rng = cube(3), np.random.default_rng(4)
    forward, backward, change = (jnp.asarray(x) for x in rng.uniform(0.1, 1, (3, len(graph.steps))))
    p, dp = jax.jvp(lambda rates: stationary(graph, rates, backward), (forward,), (change,))

    def net(rates, p):
        flux = [
            rates[t] * p[a] - back * p[b] for t, ((a, b), back) in enumerate(zip(graph.steps, backward, strict=True))
        ]
        out = np.zeros(graph.states)
        for (a, b), value in zip(graph.steps, flux, strict=True):
            out[a] -= value
            out[b] += value
        return out

    source = net(change, p) - net(0 * change, p)
    np.testing.assert_allclose(net(forward, dp) + source, 0, atol=1e-14)
    assert abs(float(jnp.sum(dp))) < 1e-15
