r"""Poles of a scattering matrix in the complex plane, where its resonances come from."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Complex, Float

CONVERGED = 1e-3
"""A pole is found when the last step was this small a part of its distance from the real axis: a mesh needs no more."""


def square_root(real: Float[Array, "..."], imaginary: Float[Array, "..."]) -> Complex[Array, "..."]:
    """The roots, Re ≥ 0, of complex numbers, to a rounding error, in few real operations: compilers make a dozen
    kernels of the complex ``jnp.sqrt``. The unit is the root of what the parts have.

    Parameters
    ----------
    real, imaginary
        Parts of the numbers, both of one shape; the imaginary one is not zero.

    Errors: none raised; the root of zero is not a number.
    """
    larger = jnp.sqrt((jnp.hypot(real, imaginary) + jnp.abs(real)) / 2)
    smaller = jnp.abs(imaginary) / (2 * larger)
    above = real >= 0
    root = jnp.where(above, larger, smaller), jnp.where(above, smaller, larger)
    return jax.lax.complex(root[0], jnp.sign(imaginary) * root[1])


def logarithmic_slope(
    function: Callable[[Complex[Array, ""]], Complex[Array, ""]],
) -> Callable[[Complex[Array, ""]], Complex[Array, ""]]:
    """f'/f of a holomorphic function; not finite where f = 0."""

    def slope(z):
        value, change = jax.jvp(function, (z,), (jnp.ones_like(z),))
        return change / value

    return slope


def roots(
    slope: Callable[[Complex[Array, ""]], Complex[Array, ""]],
    guesses: Complex[Array, "roots"],
    iterations: int,
    *,
    wanted: Bool[Array, "roots"] | None = None,
    least: Float[Array, ""] | float = 0.0,
) -> tuple[Complex[Array, "roots"], Bool[Array, "roots"]]:
    r"""Roots of a holomorphic function f from distinct guesses, each a different one (Aberth's method):

    .. math:: z_i \leftarrow z_i - \Big[\frac{f'(z_i)}{f(z_i)} - \sum_{j\ne i}\frac{1}{z_i - z_j}\Big]^{-1}

    Guesses beyond the number of roots wander off. The second array says which were found.

    Parameters
    ----------
    slope
        The logarithmic derivative f'/f, as :func:`logarithmic_slope` gives it.
    wanted
        Guesses that move, all by default; the others repel them and count as found.
    least
        A step as small as this ends the search for a root, too, however near to the real axis it is.

    Source: Aberth, Math. Comp. 27, 339 (1973).
    """
    others = 1 - jnp.eye(guesses.size)

    def step(z):
        distance = z[:, None] - z[None, :]
        repulsion = jnp.sum(others / jnp.where(others > 0, distance, 1.0), axis=1)
        return 1 / (jax.vmap(slope)(z) - repulsion)

    def iterate(state):
        z, _, count = state
        change = step(z)
        change = jnp.where(jnp.isfinite(change), change, 0.0)
        if wanted is not None:
            change = jnp.where(wanted, change, 0.0)
        z = z - change
        return z, enough(change, z) if wanted is None else enough(change, z) | ~wanted, count + 1

    def enough(change, z):
        found = jnp.abs(change) < CONVERGED * jnp.abs(z.imag)
        return found | (jnp.abs(change) < least) if isinstance(least, jax.Array) or least else found

    def go_on(state):
        _, found, count = state
        return ~jnp.all(found) & (count < iterations)

    z, found, _ = jax.lax.while_loop(go_on, iterate, (guesses, jnp.zeros(guesses.shape, bool), 0))
    return z, found
