"""Numbers and constants beside arrays with batch dimensions behind (:mod:`mesotherm.engines.batch_last`)."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float


def with_axes(constants: Array | np.ndarray, dimensions: int) -> Array | np.ndarray:
    """Constants with axes of size 1 behind, to have so many dimensions.

    Examples
    --------
    >>> with_axes(np.ones((2, 3)), 4).shape
    (2, 3, 1, 1)
    """
    return constants.reshape(*constants.shape, *[1] * (dimensions - constants.ndim))


def stacked(*numbers: Float[Array, "..."]) -> Float[Array, "numbers ..."]:
    """Numbers as one array; batch dimensions are of size 1 where one is not batched.

    Examples
    --------
    >>> stacked(jnp.array([1.0]), jnp.array([2.0, 3.0])).tolist()
    [[1.0, 1.0], [2.0, 3.0]]
    """
    return jnp.stack(jnp.broadcast_arrays(*numbers))


def between_two(number: Float[Array, "..."]) -> Float[Array, "2 2 ..."]:
    """A number as the symmetric matrix between two orbitals, without a diagonal.

    Examples
    --------
    >>> between_two(jnp.array(3.0)).tolist()
    [[0.0, 3.0], [3.0, 0.0]]
    """
    return number * with_axes(1.0 - np.eye(2), 2 + number.ndim)
