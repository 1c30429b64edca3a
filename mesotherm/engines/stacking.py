"""Single numbers as arrays, each with whatever batch dimensions it has behind (:mod:`mesotherm.engines.batch_last`)."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float


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
    return number * (1.0 - np.eye(2)).reshape(2, 2, *[1] * number.ndim)
