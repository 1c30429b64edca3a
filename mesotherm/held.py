"""Values that a compiler computes once.

XLA's processor backend repeats cheap arithmetic in every kernel that needs it. Where many results share a long common
part, the same operations are compiled, and done, over and over. What goes through a branch is computed and stored.
"""

import jax
import jax.numpy as jnp
from jaxtyping import PyTree


def held(values: PyTree) -> PyTree:
    """The same values, and their derivatives, each computed in one place."""
    always = jax.lax.optimization_barrier(jnp.array(True))  # the compiler must not know
    return jax.lax.cond(always, lambda kept: kept, lambda kept: jax.tree.map(jnp.zeros_like, kept), values)
