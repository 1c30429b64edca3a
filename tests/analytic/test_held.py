"""Values that a compiler computes once are the same values."""

import jax
import jax.numpy as jnp
import numpy as np

from mesotherm.held import held


def function(x):
    first, second = held((jnp.sin(x), x * x))
    return first * second + second**3


def plain(x):
    return jnp.sin(x) * x * x + (x * x) ** 3


def test_values_and_derivatives():
    x = jnp.linspace(-2, 2, 9)
    for way in (lambda f: f, jax.grad, lambda f: jax.jacfwd(jax.grad(f))):
        for batch in (jax.vmap, lambda f: lambda x: jax.lax.map(f, x, batch_size=4)):
            np.testing.assert_allclose(batch(way(function))(x), batch(way(plain))(x), rtol=1e-15, atol=1e-15)


def test_the_compiler_does_not_see_through():
    """Batches keep the branch, and it is not simplified away."""
    compiled = jax.jit(jax.vmap(function)).lower(jnp.linspace(-2, 2, 9)).compile().as_text()
    assert "conditional(" in compiled
