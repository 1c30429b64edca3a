"""Zeros between two points, one by one and in batches."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mesotherm.bracketing import bracketed_root

CASES = {
    "cubic": (lambda x: x**3 - 2.0, 0.0, 2.0, 2 ** (1 / 3)),
    "transcendental": (lambda x: jnp.cos(x) - x, 0.0, 1.0, 0.7390851332151607),
    "steep": (lambda x: jnp.tanh(1e6 * (x - 0.3)), -1.0, 1.0, 0.3),
    "flat": (lambda x: (x - 0.7) ** 5, 0.0, 1.0, 0.7),
    "zero at an end": (lambda x: x - 1.0, 1.0, 2.0, 1.0),
    "near zero": (lambda x: x - 1e-200, -1.0, 1.0, 1e-200),
}


@pytest.mark.parametrize("name", CASES)
def test_root(name):
    function, low, high, root = CASES[name]
    found = bracketed_root(function, jnp.asarray(low), jnp.asarray(high))
    allowed = 1e-2 if name == "flat" else 0.0  # a fifth-order zero is a plateau of rounding errors
    assert float(found) == pytest.approx(root, rel=2e-13 + allowed, abs=1e-25)


def test_smooth_functions_take_few_evaluations():
    calls = []

    def counted(x):
        jax.debug.callback(lambda: calls.append(1))
        return jnp.exp(x) - 3.0

    jax.block_until_ready(bracketed_root(counted, jnp.asarray(0.0), jnp.asarray(2.0)))
    jax.effects_barrier()
    assert len(calls) <= 12


def test_a_batch_finds_every_root():
    targets = jnp.linspace(0.01, 50.0, 200)
    found = jax.jit(
        jax.vmap(lambda c: bracketed_root(lambda x: x * jnp.exp(x) - c, jnp.asarray(0.0), jnp.asarray(5.0)))
    )(targets)
    np.testing.assert_allclose(found * np.exp(found), targets, rtol=1e-12)
