"""Power at the optimal bias: unsolved points keep to themselves, and the maximum is one."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from setups import SETUPS, diode, slow_among

from mesotherm import Effort, Outcome, PowerAtOptimalBias, Reservoirs, steady_state
from mesotherm.observables import power


@pytest.mark.parametrize("name", slow_among(["thermocouple with a probe", "diode with a thermalizing probe"], "diode"))
@pytest.mark.slow
def test_the_slope_of_a_state_is_that_of_differentiating_it(name):
    """Every current's derivative with respect to one μ and one T together, probes following."""
    setup = SETUPS[name]
    terminals = len(setup.device.terminals)
    direction = Reservoirs(jnp.zeros(terminals).at[1].set(1.0), jnp.ones(terminals).at[0].set(1.3))

    def solved(s, **options):
        moved = Reservoirs(setup.reservoirs.mu + s * direction.mu, setup.reservoirs.T + s * direction.T)
        return steady_state(setup.device, moved, setup.unknowns, effort=Effort.STRICT, throw=False, **options)

    _, exact = jax.jvp(lambda s: solved(s).currents, (jnp.zeros(()),), (jnp.ones(()),))
    found = solved(0.0, direction=direction).slope
    np.testing.assert_allclose(found.particle, exact.particle, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(found.energy, exact.energy, rtol=1e-7, atol=1e-9)


@pytest.mark.slow
def test_a_point_that_is_not_solved_does_not_stop_the_others():
    """Narrow levels that FAST cannot resolve beside wide ones: each point has its own status."""
    rng = np.random.default_rng(0)
    levels, half_widths = rng.normal(scale=3.0, size=(16, 2)), 10 ** rng.uniform(-1.5, 0.7, (16, 2))
    half_widths[::2] = rng.uniform(2.0, 5.0, (8, 2))
    temperatures = rng.uniform(0.3, 3.0, 16)
    drawn = [
        diode(left=left, right=right, half_widths=widths, T=(1.0, T, 1.0))
        for (left, right), widths, T in zip(levels, half_widths, temperatures, strict=True)
    ]
    setups = jax.tree.map(lambda *leaves: jnp.stack(leaves), *drawn)
    measure = eqx.filter_jit(
        lambda setups: jax.lax.map(lambda setup: PowerAtOptimalBias("R").measure(setup, Effort.FAST), setups)
    )
    out = {name: np.asarray(values) for name, values in measure(setups).items()}
    converged = out["status"] == Outcome.CONVERGED
    assert 0 < np.sum(converged) < len(drawn)
    assert np.all(out["power"][converged] > out["error_power"][converged])


@pytest.mark.parametrize("name", slow_among(["thermocouple", "thermocouple with a probe"], "probe"))
def test_the_power_falls_on_either_side(name):
    setup = SETUPS[name]
    out = eqx.filter_jit(PowerAtOptimalBias("R").measure)(setup, Effort.FAST)
    assert out["status"] == Outcome.CONVERGED

    def at(mu):
        moved = setup.with_reservoir("R", mu=mu)
        return power(steady_state(moved.device, moved.reservoirs, moved.unknowns))

    best = out["optimal_mu_R"]
    assert float(at(best)) == pytest.approx(float(out["power"]), rel=1e-12)
    assert at(best * 1.001) < out["power"] > at(best * 0.999)
