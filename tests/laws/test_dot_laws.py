"""Laws that networks of dots obey for random parameters: any dots, spins, hopping, leads and baths.

Thousands of networks in ``make test-slow``; a few of each shape here.
"""

import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mesotherm import Reservoirs, steady_state
from mesotherm.conventions import EPSILON
from mesotherm.devices.dot_network import DotNetwork
from mesotherm.fluctuations import cumulants
from mesotherm.results import Outcome

SHAPES = [
    (dots, terminals, spin, hops)
    for dots, terminals in itertools.product((1, 2, 3, 4, 5), (2, 3, 4, 5))
    for spin, hops in ((False, False), (True, False), (False, True))
    if (dots > 1 or not hops) and (dots <= 2 or not spin) and (dots <= 4 or not hops)
]
"""Number of dots, number of terminals, whether the first dot has spin, whether electrons hop."""

QUICK = [(1, 2, True, False), (2, 3, False, True), (3, 2, False, False)]


def network(shape, row):
    """A network of a shape from an array of uniform numbers; energies of the order of 1."""
    dots, terminals, spin, hops = shape
    names = tuple("ABCDE"[:dots])
    spinful = names[:1] if spin else ()
    take = iter(jnp.split(row, np.cumsum(sizes(shape))[:-1]))
    levels, rates, pairs, zeeman, polarization, hopping, _, _ = take
    return DotNetwork(
        dots=names,
        leads=tuple(f"T{k}" for k in range(terminals)),
        levels=3 * (levels - 0.5),
        tunnel_rates=0.05 * jnp.exp(-6 * rates).reshape(terminals, dots),
        charging_energies=5 * pairs - 1.5,
        spinful=spinful,
        zeeman=zeeman if spin else 0.0,
        polarization=1.6 * (polarization - 0.5) if spin else 0.0,
        hopping=hopping - 0.5 if hops else 0.0,
    )


def sizes(shape):
    dots, terminals, spin, _ = shape
    pairs = dots * (dots - 1) // 2
    return [dots, dots * terminals, pairs + spin, int(spin), terminals, pairs, terminals, terminals]


def reservoirs(shape, row, scale, equal=False):
    mu, T = jnp.split(row, np.cumsum(sizes(shape))[:-1])[-2:]
    mu, T = 2 * (mu - 0.5), scale * (0.3 + 2 * T)
    return Reservoirs(jnp.full_like(mu, mu[0]), jnp.full_like(T, T[0])) if equal else Reservoirs(mu, T)


@functools.cache
def solver(shape):
    """Everything that is judged, for many rows and temperatures, compiled once for a shape."""

    def one(row, scale):
        device = network(shape, row)
        away = steady_state(device, reservoirs(shape, row, scale), throw=False)
        level = reservoirs(shape, row, scale, equal=True)
        rest = device.response(level)
        z = -(device.kinetics(level).energies - level.mu[0] * device.space.occupations.sum(axis=1)) / level.T[0]
        counted = cumulants(away)
        J = away.currents.energy - away.reservoirs.mu * away.currents.particle
        produced = -jnp.sum(J / away.reservoirs.T)
        return {
            "outcome": away.outcome,
            "particle": away.currents.particle,
            "energy": away.currents.energy,
            "one_way": away.one_way.particle,
            "one_way_heat": away.one_way.energy,
            "error": away.error.particle,
            "error_heat": away.error.energy,
            "T": away.reservoirs.T,
            "produced": produced,
            "rest": rest.value.particle,
            "rest_one_way": rest.one_way.particle,
            "populations": device.populations(level),
            "grand_canonical": jax.nn.softmax(z),
            "exponent": jnp.max(jnp.abs(z)),
            "noise": counted.particle[1],
            "noise_error": counted.particle_error[1],
            "noise_outcome": counted.outcome,
        }

    return jax.jit(lambda rows, scales: jax.lax.map(lambda x: one(*x), (rows, scales), batch_size=64))


def judge(shape, count, seed):
    """Solve and hold against the laws; return how many were solved, and how many had noise with a bound."""
    rng = np.random.default_rng([seed, *shape[:2], *map(int, shape[2:])])
    rows = rng.uniform(size=(count, sum(sizes(shape))))
    scales = 10.0 ** rng.uniform(-3, 3, count)
    found = {name: np.asarray(x) for name, x in solver(shape)(jnp.asarray(rows), jnp.asarray(scales)).items()}
    good = found["outcome"] == Outcome.CONVERGED
    assert np.all(np.isin(found["outcome"], [Outcome.CONVERGED, Outcome.TOLERANCE_MISSED]))
    for current, one_way in (("particle", "one_way"), ("energy", "one_way_heat")):
        largest = np.max(found[one_way], axis=1) + (np.max(found["one_way"], axis=1) if current == "energy" else 0)
        assert np.all(np.abs(found[current].sum(axis=1)) <= 1e-12 * largest)
        assert np.all(np.isfinite(found[current]))
    allowed = np.sum(found["error_heat"] / found["T"], axis=1)
    assert np.all(found["produced"] >= -allowed)
    assert np.all(np.abs(found["rest"]) <= 1e-12 * np.max(found["rest_one_way"], axis=1)[:, None])
    apart = np.abs(found["populations"] - found["grand_canonical"])
    assert np.all(apart <= (1e-12 + 4 * EPSILON * found["exponent"])[:, None])
    known = np.isin(found["noise_outcome"], [Outcome.CONVERGED, Outcome.TOLERANCE_MISSED])
    noisy = good & known & np.isfinite(found["noise_error"]).all(axis=1)
    current, S, dS = np.abs(found["particle"][noisy]), found["noise"][noisy], found["noise_error"][noisy]
    sure = (current > 1e3 * found["error"][noisy]) & (dS < S)
    at, terminal = np.nonzero(sure)  # a current may be exactly zero, or noise too small for its bound
    current, S, dS = current[sure], S[sure], dS[sure]
    produced, error = found["produced"][noisy][at], found["error"][noisy][at, terminal]
    product = (S / current) * (produced / current)  # the square of a current may underflow
    relative = dS / S + allowed[noisy][at] / produced + 2 * error / current
    assert np.all(product >= 2 - 1.001 * product * relative)
    return np.mean(good), np.mean(noisy), np.mean(sure) if sure.size else 0.0


@pytest.mark.parametrize("shape", QUICK, ids=str)
def test_some_networks_obey_the_laws(shape):
    solved, noisy, sure = judge(shape, 64, 1)
    assert solved > 0.9
    assert noisy > 0.4
    assert sure > 0.2


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_ten_thousand_networks_obey_the_laws(shape):
    solved, noisy, _ = judge(shape, -(-10_000 // len(SHAPES)), 2)
    assert solved > 0.9
    assert noisy > 0.4
