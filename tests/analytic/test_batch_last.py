"""Batches through the trailing-axis kernel give what single calls give, and every derivative."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mesotherm import Effort, Reservoirs, quantum_dot_thermocouple

DEVICE = quantum_dot_thermocouple(charging_HC=10.0, rate_P=0.3)
RESERVOIRS = Reservoirs([0.1, 0.4, 0.0, 0.2, -0.1], [8.0, 7.0, 16.0, 5.0, 9.0])


@jax.jit
def currents(device, reservoirs):
    value = device.response(reservoirs, Effort.STRICT).value
    return jnp.concatenate([value.particle, value.energy])


def at(mu_R, T_C):
    return currents(DEVICE, RESERVOIRS.at(1, mu=mu_R).at(3, T=T_C))


def test_nested_batches_agree_with_single_points():
    mu, T = jnp.linspace(-1, 1, 3), jnp.linspace(2, 12, 4)
    together = jax.vmap(lambda m: jax.vmap(lambda t: at(m, t))(T))(mu)
    for i, j in np.ndindex(3, 4):
        np.testing.assert_allclose(together[i, j], at(mu[i], T[j]), rtol=1e-13, atol=2e-15)


def test_a_batch_of_devices_at_common_reservoirs():
    levels = jnp.asarray(np.random.default_rng(0).uniform(-2, 2, (5, 3)))
    devices = jax.vmap(lambda x: eqx.tree_at(lambda d: d.levels, DEVICE, x))(levels)
    together = jax.vmap(currents, in_axes=(0, None))(devices, RESERVOIRS)
    for i in range(5):
        one = currents(eqx.tree_at(lambda d: d.levels, DEVICE, levels[i]), RESERVOIRS)
        np.testing.assert_allclose(together[i], one, rtol=1e-13, atol=2e-15)


@pytest.mark.slow
def test_derivatives_in_both_modes_and_batched():
    def power(x):
        return -x[0] * at(x[0], x[1])[1]

    x = jnp.array([0.4, 5.0])
    step = 1e-4
    gradient = jax.grad(power)(x)
    for i in range(2):
        e = step * jnp.eye(2)[i]
        difference = (8 * (power(x + e) - power(x - e)) - (power(x + 2 * e) - power(x - 2 * e))) / (12 * step)
        assert gradient[i] == pytest.approx(float(difference), rel=1e-9)
    np.testing.assert_allclose(jax.jacfwd(power)(x), gradient, rtol=1e-12)
    points = jnp.stack([x, x + 0.1, x - 0.2])
    np.testing.assert_allclose(jax.vmap(jax.grad(power))(points), [jax.grad(power)(p) for p in points], rtol=1e-11)
    hessian = jax.hessian(power)(x)
    np.testing.assert_allclose(hessian, jax.jacfwd(jax.jacfwd(power))(x), rtol=1e-10)
    for i in range(2):
        e = step * jnp.eye(2)[i]
        np.testing.assert_allclose(
            hessian[i], (jax.grad(power)(x + e) - jax.grad(power)(x - e)) / (2 * step), rtol=1e-6
        )


@pytest.mark.slow
def test_weak_exchange_is_the_derivative_at_zero_coupling():
    """What a vanishing probe exchanges per unit coupling, against differentiating the whole response."""
    bare = DEVICE.with_coupling("P", jnp.zeros(()))
    _, slope = jax.jvp(
        lambda strength: bare.with_coupling("P", strength).response(RESERVOIRS), (jnp.zeros(()),), (jnp.ones(()),)
    )
    exchanged = bare.weak_exchange("P", RESERVOIRS)
    for part in ("value", "one_way"):
        for quantity in ("particle", "energy"):
            found = getattr(getattr(exchanged, part), quantity)
            np.testing.assert_allclose(found, getattr(getattr(slope, part), quantity)[4:], rtol=1e-12)
