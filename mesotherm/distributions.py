"""Fermi functions that never overflow and never lose a small occupation, full or empty."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


@jax.custom_jvp
def occupation(z: Float[Array, "..."]) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
    r"""Occupation and vacancy of a state at reduced energy :math:`z=(E-\mu)/k_BT`.

    .. math:: f(z) = \frac{1}{1+e^{z}}, \qquad 1 - f(z) = \frac{1}{1+e^{-z}}

    Both are returned with full relative accuracy, so that ``f1 * (1 - f2) - f2 * (1 - f1)`` is the difference of two
    Fermi functions with an error of a few rounding units of the one-way flux, however small the difference.

    Parameters
    ----------
    z
        Reduced energy [1]; any sign, infinite allowed. Negative temperatures are allowed too: ``f`` is then inverted.

    Returns
    -------
    (f, vacancy)
        Two arrays like ``z`` [1].

    Examples
    --------
    >>> f, vacancy = occupation(jnp.array(700.0))
    >>> float(f) > 0, float(vacancy)
    (True, 1.0)
    """
    decay = jnp.exp(-jnp.abs(z))
    larger = 1.0 / (1.0 + decay)
    smaller = decay * larger
    return jnp.where(z > 0, smaller, larger), jnp.where(z > 0, larger, smaller)


@occupation.defjvp
def _occupation_jvp(primals, tangents):
    (z,), (dz,) = primals, tangents
    f, vacancy = occupation(z)
    slope = f * vacancy * dz
    return (f, vacancy), (-slope, slope)
