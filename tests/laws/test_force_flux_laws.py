"""Forces, fluxes and linear response of random devices of every shape, whatever is eliminated.

Entropy production in every representation; reciprocity, positivity and conservation of the response; the response of
the solved states themselves; the zero of energy.
"""

import functools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from strategies import BUCKETS, Bucket, on_grid

from mesotherm import (
    DoubleBarrier,
    Network,
    Outcome,
    Reservoirs,
    Screening,
    ThermalizingProbe,
    force_flux_pairs,
    linear_response,
    representations,
    steady_state,
)
from mesotherm.devices.elements import AharonovBohmPhase, ResonantLevel, ThreeWayJunction, UniformRegion
from mesotherm.force_flux import Pairs, Representation, driven_by

QUICK = (
    "resonant-resonant, ThermalizingProbe",
    "2 dots 3 terminals",
)


BOTTOM = -20.0


def _baths(rng):
    """Three reservoirs, the first of them where screened regions are neutral."""
    return {
        "mu": np.append(0.0, on_grid(rng.uniform(-1, 1, 2))),
        "T": np.append(1.0, rng.uniform(0.5, 2.0, 2)),
    }


def _draw_screened(rng):
    return {
        "level": rng.uniform(-3, 3, 2),
        "half_width": 10 ** rng.uniform(-0.5, 0.5, 2),
        "strength": rng.uniform(0.1, 1.0),
        "position": rng.uniform(0.0, 1.0),
        **_baths(rng),
    }


def _screened(row) -> DoubleBarrier:
    (first, second), (left, right) = row["level"], row["half_width"]
    return DoubleBarrier(first, second, left, right, BOTTOM, 1.0, row["strength"], row["position"], np.zeros(3))


def _draw_ring(rng):
    return {
        "coupling": rng.uniform(0.2, 0.45, 3),
        "confinement": rng.uniform(2.0, 8.0, 3),
        "level": rng.uniform(-2, 2),
        "half_width": rng.uniform(0.5, 2.0),
        "phase": rng.uniform(-3, 3),
        **_baths(rng),
    }


def _ring(row) -> Network:
    """Three junctions joined by arms, a flux through them, a level before the first terminal."""
    return Network(
        scatterers={
            **{f"at_{name}": ThreeWayJunction(row["coupling"][n]) for n, name in enumerate("LRP")},
            **{name: UniformRegion(BOTTOM, row["confinement"][n]) for n, name in enumerate(("LR", "RP", "PL"))},
            "flux": AharonovBohmPhase(row["phase"]),
            "level": ResonantLevel(row["level"], row["half_width"]),
        },
        connections={
            "at_L.arm_2": "LR.left",
            "LR.right": "flux.left",
            "flux.right": "at_R.arm_1",
            "at_R.arm_2": "RP.left",
            "RP.right": "at_P.arm_1",
            "at_P.arm_2": "PL.left",
            "PL.right": "at_L.arm_1",
            "level.right": "at_L.stem",
        },
        leads={"L": "level.left", "R": "at_R.stem", "P": "at_P.stem"},
        band_bottom=BOTTOM,
    )


PROBE = ThermalizingProbe("P")

NETWORKS = (
    Bucket("ring with a flux, ThermalizingProbe", _draw_ring, _ring, (PROBE,)),
    Bucket(
        "screened double barrier, ThermalizingProbe",
        _draw_screened,
        _screened,
        (PROBE, Screening(("U1", "U2", "U3"), mu=0.0, T=1.0)),
    ),
)


def buckets():
    for bucket in (*BUCKETS, *NETWORKS):
        yield pytest.param(bucket, id=bucket.name, marks=() if bucket.name in QUICK else pytest.mark.slow)


@pytest.fixture(scope="module", params=buckets())
def bucket(request):
    return request.param


def over(bucket, function, seed):
    """A function of (device, reservoirs) for a batch of random problems."""
    rows = {name: jnp.asarray(column) for name, column in bucket.batch(seed).items()}

    @eqx.filter_jit
    def every(rows):
        return jax.lax.map(lambda row: function(bucket.build(row), Reservoirs(row["mu"], row["T"])), rows)

    return jax.tree.map(np.asarray, every(rows))


def device_of(bucket):
    return bucket.build({name: column[0] for name, column in bucket.batch(0).items()})


def test_every_representation_is_the_entropy_production(bucket):
    chosen = representations(device_of(bucket), bucket.unknowns)
    fixed = len(device_of(bucket).terminals) - len(bucket.unknowns)
    assert len(chosen) >= fixed

    def one(device, reservoirs):
        state = steady_state(device, reservoirs, bucket.unknowns, throw=False)
        mu, T = state.reservoirs.mu, state.reservoirs.T
        produced = -jnp.sum((state.currents.energy - mu * state.currents.particle) / T)
        found = [force_flux_pairs(state, representation, zero_of_energy=0.7) for representation in chosen]
        scale = jnp.max(state.one_way.energy) + jnp.max(jnp.abs(mu - 0.7)) * jnp.max(state.one_way.particle)
        return produced, jnp.stack([pairs.entropy_production for pairs in found]), scale / jnp.min(T), state.outcome

    produced, sums, scale, outcome = over(bucket, one, 11)
    good = outcome == Outcome.CONVERGED
    assert np.mean(good) >= 0.8
    assert np.all(abs(sums - produced[:, None])[good] <= 1e-12 * scale[good, None])
    assert np.any(produced[good] > 1e-3 * scale[good])


def level(reservoirs):
    return Reservoirs(jnp.full_like(reservoirs.mu, reservoirs.mu[0]), jnp.full_like(reservoirs.T, reservoirs.T[0]))


def test_response_is_reciprocal_positive_and_conserves(bucket):
    def one(device, reservoirs):
        found = linear_response(device, level(reservoirs), bucket.unknowns)
        mirrored = device.time_reversed()
        back = found if mirrored is device else linear_response(mirrored, level(reservoirs), bucket.unknowns)
        largest = jnp.max(jnp.abs(found.matrix))
        return (
            *(found.reciprocity(back), found.smallest_eigenvalue, found.conservation, found.outcome),
            *(jnp.max(found.estimate) / largest, found.matrix),
        )

    skewed, smallest, missing, outcome, estimate, matrix = over(bucket, one, 12)
    good = (outcome == Outcome.CONVERGED) & (estimate <= 1e-9)
    assert np.mean(good) >= 0.5
    assert np.all(skewed[good] <= 1e-9)
    assert np.all(smallest[good] >= -1e-9)
    assert np.all(missing[good] <= 1e-12)
    assert np.all(np.diagonal(matrix[good], axis1=1, axis2=2) >= 0)


STENCIL = np.array([-1.0, 9.0, -45.0, 0.0, 45.0, -9.0, 1.0]) / 60


def test_fluxes_are_half_the_slopes_of_the_quadratic_entropy_production(bucket):
    """J = ½ ∂(F·L F)/∂F of the solved states: seven of them along a direction, the first derivative taken. In a
    magnetic field this is the mean of both fields: the antisymmetric part of L produces no entropy."""
    representation = Representation.of(device_of(bucket), bucket.unknowns)
    pairs = Pairs.of(device_of(bucket), bucket.unknowns, representation)
    direction = jnp.asarray(np.random.default_rng(5).uniform(0.3, 1.0, len(pairs.names)))

    def one(device, reservoirs):
        mirrored = device.time_reversed()
        *found, solved = in_this_field(device, reservoirs)
        if mirrored is device:
            return *found, solved
        *there, also_solved = in_this_field(mirrored, reservoirs)
        return *((a + b) / 2 for a, b in zip(found, there, strict=True)), solved & also_solved

    def in_this_field(device, reservoirs):
        rest = level(reservoirs)
        T = rest.T[0]
        scaled = direction / jnp.where(pairs.of_energy, T, 1.0)
        step = 0.004

        def fluxes(s):
            baths = driven_by(s * step * scaled, device, rest, pairs, representation, zero_of_energy=rest.mu[0])
            state = steady_state(device, baths, bucket.unknowns, throw=False)
            found = force_flux_pairs(state, representation, zero_of_energy=rest.mu[0])
            return found.flux, state.outcome, found.error

        values, outcome, errors = jax.lax.map(fluxes, jnp.arange(-3.0, 4.0))
        found = linear_response(device, rest, bucket.unknowns, representation, zero_of_energy=rest.mu[0])
        quadratic = jax.grad(lambda F: F @ found.matrix @ F)(scaled) / 2
        size = jnp.sqrt(jnp.abs(jnp.diagonal(found.matrix)))
        scale = size * jnp.sum(size * scaled)
        solved = jnp.all(outcome == Outcome.CONVERGED) & (found.outcome == Outcome.CONVERGED)
        return STENCIL @ values / step, quadratic, scale, jnp.abs(STENCIL) @ errors / step, solved

    slope, quadratic, scale, error, solved = over(bucket, one, 13)
    assert np.mean(solved) >= 0.5
    assert np.all((abs(slope - quadratic) <= 1e-9 * scale + error)[solved])
    assert np.mean((error <= 1e-9 * scale)[solved]) >= 0.5


def test_the_zero_of_energy_mixes_forces_and_fluxes(bucket):
    """E → E − c takes J^E to J^E − cI and F^N to F^N + cF^E; I, F^E and the sum stay."""
    device = device_of(bucket)
    representation = Representation.of(device, bucket.unknowns)
    names = Pairs.of(device, bucket.unknowns, representation).names

    def one(device, reservoirs):
        state = steady_state(device, reservoirs, bucket.unknowns, throw=False)
        pairs = [force_flux_pairs(state, representation, zero_of_energy=c) for c in (0.0, 1.3)]
        return [(p.flux, p.force, p.entropy_production) for p in pairs], state.outcome

    ((flux, force, produced), (seen, pulled, again)), outcome = over(bucket, one, 14)
    good = outcome == Outcome.CONVERGED
    for n, name in enumerate(names):
        kind, terminal = name.split("_")
        other = ("N_" if kind == "E" else "E_") + terminal
        if kind == "E":
            moved = 1.3 * flux[:, names.index(other)] if other in names else None
            np.testing.assert_array_equal(force[good, n], pulled[good, n])
            if moved is not None:
                np.testing.assert_allclose(seen[good, n], (flux[:, n] - moved)[good], rtol=1e-12, atol=1e-15)
        else:
            np.testing.assert_array_equal(flux[good, n], seen[good, n])
            reference = representation.particles[0]
            pull = force[:, names.index(other)] if other in names else 0.0
            if f"E_{reference}" in names:
                pull = pull - force[:, names.index(f"E_{reference}")]
            np.testing.assert_allclose(pulled[good, n], (force[:, n] + 1.3 * pull)[good], rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(produced[good], again[good], rtol=1e-9, atol=1e-12)


def test_counts_of_representations():
    """Four of a single dot, six of coupled dots: Ghosh & Ghosh, Eqs. 29 and 41–48."""
    from mesotherm import CoupledDots, SingleDot

    assert len(representations(SingleDot.example())) == 4
    assert len(representations(CoupledDots.example())) == 6
    assert functools.reduce(lambda n, r: n + (r.energy == "L"), representations(CoupledDots.example()), 0) == 2
