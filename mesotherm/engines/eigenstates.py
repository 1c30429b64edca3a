r"""Eigenstates of many small symmetric matrices at once, batches last.

Jacobi's rotations, as many at a time as do not touch each other: only elementary operations, which run through all
matrices of a batch together, where a library routine takes one matrix after the other.

Source: Golub & Van Loan, Matrix Computations (Johns Hopkins, 4th ed. 2013), Sec. 8.5 (cyclic and parallel Jacobi).
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from mesotherm.conventions import EPSILON
from mesotherm.engines.stacking import with_axes

MOST_SWEEPS = 15
"""Sweeps through all pairs; convergence is quadratic, six to eight do for any matrix here."""


@jax.custom_jvp
def eigenstates(
    matrix: Float[Array, "n n ..."],
) -> tuple[Float[Array, "n ..."], Float[Array, "n n ..."]]:
    """Eigenvalues in ascending order, and eigenvectors as columns, each to a few rounding units of the largest.

    Vectors of exactly the same eigenvalue have no derivatives with respect to what mixes them; that part is left out.

    Examples
    --------
    >>> values, _ = eigenstates(jnp.array([[0.0, 1.0], [1.0, 0.0]]))
    >>> values.tolist()
    [-1.0, 1.0]
    """
    size = len(matrix)
    partners = jnp.asarray(_rounds(size))
    scale = jnp.max(jnp.abs(matrix))
    outside = with_axes(1.0 - np.eye(size), matrix.ndim)

    def unfinished(state):
        a, _, sweep = state
        return (sweep < MOST_SWEEPS) & (jnp.max(jnp.abs(a) * outside) > EPSILON / 16 * scale)

    def sweep(state):
        a, v, count = state
        (a, v), _ = jax.lax.scan(_rotated, (a, v), partners)
        return a, v, count + 1

    unit = jnp.broadcast_to(with_axes(np.eye(size), matrix.ndim), matrix.shape)
    a, v, _ = jax.lax.while_loop(unfinished, sweep, (matrix, unit, 0))
    values = jnp.diagonal(a, axis1=0, axis2=1)
    values = jnp.moveaxis(values, -1, 0)
    order = jnp.argsort(values, axis=0)
    return jnp.take_along_axis(values, order, axis=0), jnp.take_along_axis(v, order[None], axis=1)


@eigenstates.defjvp
def _eigenstates_jvp(primals, tangents):
    values, vectors = eigenstates(*primals)
    mixed = jnp.einsum("ki...,kl...,lj...->ij...", vectors, tangents[0], vectors)
    apart = values[None] - values[:, None]
    same = with_axes(np.eye(len(values)), mixed.ndim) == 1
    alone = same | (apart == 0)
    weights = jnp.where(alone, 0.0, mixed / jnp.where(alone, 1.0, apart))
    slopes = jnp.moveaxis(jnp.diagonal(mixed, axis1=0, axis2=1), -1, 0)
    return (values, vectors), (slopes, jnp.einsum("ki...,ij...->kj...", vectors, weights))


def _rotated(state, partner):
    """Rotate every index with its partner so that the element between them vanishes."""
    a, v = state
    index = jnp.arange(len(a))
    own, other = a[index, index], a[partner, partner]
    between = (a[index, partner] + a[partner, index]) / 2  # the same for both, to the last digit
    alone = with_axes(partner == index, own.ndim)
    there = (between != 0) & ~alone
    tau = (other - own) / (2 * jnp.where(there, between, 1.0))
    sign = jnp.where(tau == 0, with_axes(jnp.where(index < partner, 1.0, -1.0), own.ndim), jnp.sign(tau))
    t = jnp.where(there, sign / (jnp.abs(tau) + jnp.sqrt(1 + tau**2)), 0.0)
    c = 1 / jnp.sqrt(1 + t**2)
    s = t * c
    a = c[:, None] * a - s[:, None] * a[partner]
    a = c[None] * a - s[None] * a[:, partner]
    return (a, c[None] * v - s[None] * v[:, partner]), None


@functools.cache
def _rounds(size: int) -> np.ndarray:
    """Partners of every index [rounds, size]: in all rounds together each pair meets once."""
    players = list(range(size + size % 2))
    found = []
    for _ in range(len(players) - 1):
        partner = np.arange(size)
        for a, b in zip(players[: len(players) // 2], reversed(players[len(players) // 2 :]), strict=True):
            if a < size and b < size:
                partner[a], partner[b] = b, a
        found.append(partner)
        players = [players[0], players[-1], *players[1:-1]]
    return np.array(found)
