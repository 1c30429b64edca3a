"""Eigenstates against LAPACK, with and without degeneracy, and their derivatives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mesotherm.engines.eigenstates import eigenstates

solve = jax.jit(eigenstates)


@pytest.mark.parametrize("size", [1, 2, 3, 6, 15, 20])
def test_random_matrices(size):
    matrices = np.random.default_rng(size).normal(size=(size, size, 3, 4))
    matrices = matrices + np.swapaxes(matrices, 0, 1)
    values, vectors = (np.asarray(x) for x in solve(jnp.asarray(matrices)))
    for i, j in np.ndindex(3, 4):
        matrix, found, columns = matrices[:, :, i, j], values[:, i, j], vectors[:, :, i, j]
        np.testing.assert_allclose(found, np.linalg.eigvalsh(matrix), rtol=0, atol=1e-14 * size)
        np.testing.assert_allclose(columns.T @ columns, np.eye(size), atol=4e-15 * size)
        np.testing.assert_allclose(matrix @ columns, columns * found, atol=2e-14 * size)


def test_degenerate_and_diagonal_matrices():
    values, vectors = solve(jnp.diag(jnp.array([2.0, -1.0, 2.0, 0.0])))
    np.testing.assert_array_equal(values, [-1, 0, 2, 2])
    np.testing.assert_array_equal(np.abs(vectors).sum(axis=0), 1)
    hopping = np.kron(np.eye(2), [[0.3, 0.7], [0.7, 0.3]])  # two spins
    values, vectors = solve(jnp.asarray(hopping))
    np.testing.assert_allclose(values, [-0.4, -0.4, 1.0, 1.0], atol=1e-15)
    np.testing.assert_allclose(hopping @ vectors, vectors * values, atol=1e-15)


def test_tiny_elements_beside_large_ones():
    matrix = jnp.array([[1e-8, 1e-9, 0.0], [1e-9, 3.0, 1.0], [0.0, 1.0, -2.0]])
    values, _ = solve(matrix)
    np.testing.assert_allclose(values, np.linalg.eigvalsh(matrix), atol=2e-15)


def test_derivatives():
    rng = np.random.default_rng(5)
    matrix, change = (a + a.T for a in rng.normal(size=(2, 4, 4)))

    def invariants(s):
        values, vectors = eigenstates(matrix + s * change)
        return values, vectors**2

    step = 1e-4
    slopes = jax.jacfwd(invariants)(0.0)
    differences = jax.tree.map(
        lambda a, b, c, d: (8 * (a - b) - (c - d)) / (12 * step), *(invariants(k * step) for k in (1, -1, 2, -2))
    )
    for found, expected in zip(slopes, differences, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-10)


def test_what_does_not_mix_degenerate_states_has_finite_derivatives():
    def levels(s):
        values, vectors = eigenstates(jnp.diag(jnp.array([1.0, 1.0, 2.0])) + s * jnp.diag(jnp.array([1.0, 1.0, 0.0])))
        return values, vectors

    values, vectors = jax.jacfwd(levels)(0.0)
    np.testing.assert_array_equal(values, [1, 1, 0])
    np.testing.assert_array_equal(vectors, 0)
