"""What noise must obey whatever the conductor: fluctuation and dissipation, conservation, positivity, honest bounds.

Conductors are random, with several channels per terminal and no time-reversal symmetry. Dense sums written out in NumPy
are the independent reference.
"""

import dataclasses
import functools
import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conductors import Levels, single_level

from mesotherm import Effort, HeatProbe, Outcome, Reservoirs, ThermalizingProbe, VoltageProbe, steady_state
from mesotherm.devices.double_barrier import DoubleBarrier
from mesotherm.engines.scattering_noise import bare_noise
from mesotherm.fluctuations import noise

SIZE = 8
"""Random conductors in a batch."""

TERMINALS = ("L", "R", "P", "Q")

PROBES = {
    "no probe": ((), ()),
    "frozen probes": ((VoltageProbe("P"), ThermalizingProbe("Q")), ()),
    "follower": ((ThermalizingProbe("P"),), ("P",)),
    "two followers": ((VoltageProbe("P"), ThermalizingProbe("Q")), ("P", "Q")),
    "one of two follows": ((ThermalizingProbe("P"), VoltageProbe("Q")), ("P",)),
    "heat probe follows": ((HeatProbe("P"),), ("P",)),
}
"""Unknowns, and which of them follow."""

QUICK = ("no probe",)

NAMES = [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in PROBES]


def batch(seed, equilibrium):
    """Conductors, and reservoirs of all terminals (arrays over problems)."""
    rng = np.random.default_rng(seed)
    several = [Levels.random(rng, width=width).conductor() for width in 10 ** rng.uniform(-1.5, 1, SIZE)]
    mu, T = rng.uniform(-3, 3, (SIZE, 4)), np.exp(rng.uniform(-1, 1, (SIZE, 4)))
    if equilibrium:
        mu, T = mu * 0 + mu[:, :1], T * 0 + T[:, :1]
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *several), jnp.asarray(mu), jnp.asarray(T)


def full(covariances):
    """All currents with each other: particle currents of all terminals, then heat currents."""
    p, h, x = (np.asarray(block) for block in (covariances.particle, covariances.heat, covariances.particle_heat))
    return np.block([[p, x], [np.swapaxes(x, -1, -2), h]])


def held(name, what):
    """Positions of the currents whose mean is zero because a probe's reservoir floats, of those that follow or not."""
    unknowns, following = PROBES[name]
    return [
        TERMINALS.index(probe.terminal) + shift
        for probe in unknowns
        if (probe.terminal in following) == (what == "following")
        for floats, shift in ((probe.floats_mu, 0), (probe.floats_T, 4))
        if floats
    ]


@functools.cache
def compiled(name):
    unknowns, following = PROBES[name]

    @jax.jit
    @jax.vmap
    def compute(device, mu, T):
        state = steady_state(device, Reservoirs(mu, T), unknowns, effort=Effort.STRICT, throw=False)
        return state.reservoirs, noise(state, following=following)

    return compute


@jax.jit
@jax.vmap
def bare(device, mu, T, shift):
    """Thermal and shot noise, their bounds, and their scale, all reservoirs given and all energies shifted."""
    found = bare_noise(device.shifted(shift), Reservoirs(mu, T).shifted(shift))
    values = jnp.stack([found.thermal, found.shot])
    errors = jnp.stack([found.thermal_error, found.shot_error])
    return values, errors, jnp.sqrt(found.one_way[:, None] * found.one_way)


@dataclasses.dataclass(frozen=True)
class Solved:
    """Noise of a batch of solved states."""

    mu: np.ndarray
    T: np.ndarray
    value: np.ndarray
    shot: np.ndarray
    one_way: np.ndarray


@functools.cache
def solved(name, equilibrium):
    problems = batch(5, equilibrium)
    if name == "no probe":
        parts, _, one_way = map(np.asarray, bare(*problems, jnp.zeros(SIZE)))
        _, mu, T = problems
        return Solved(np.asarray(mu), np.asarray(T), parts.sum(1), parts[:, 1], one_way)
    reservoirs, found = compiled(name)(*problems)
    assert np.all(found.outcome == Outcome.CONVERGED)
    mu, T = np.asarray(reservoirs.mu), np.asarray(reservoirs.T)
    return Solved(mu, T, *map(full, (found.value, found.shot, found.one_way)))


@functools.cache
def linear_response():
    """Derivatives of the mean currents in equilibrium with respect to all mu and T, every reservoir given."""

    @jax.jit
    @jax.vmap
    def slopes(device, mu, T):
        def currents(mu_and_T):
            value = device.response(Reservoirs(*mu_and_T)).value
            return jnp.concatenate([value.particle, value.energy - mu * value.particle])

        return jax.jacfwd(currents)(jnp.stack([mu, T])).reshape(8, 8)

    return np.asarray(slopes(*batch(5, True)))


@pytest.mark.parametrize("name", [name for name in NAMES if not held(name.values[0], "frozen")])
def test_fluctuation_and_dissipation(name):
    r"""S_ab = L_ab + L_ba with L_{a,I} = T ∂X_a/∂μ and L_{a,J} = T² ∂X_a/∂T: thermal noise is the response of the
    conductor, in which forces that follow are such that their currents vanish. It comes from the mean currents."""
    equilibrium = solved(name, True)
    T = equilibrium.T[:, :1, None]
    L = linear_response() * np.concatenate([T, T, T, T, T**2, T**2, T**2, T**2], axis=-1)
    if still := held(name, "following"):
        L = L - L[:, :, still] @ np.linalg.solve(L[:, still][:, :, still], L[:, still])
    expected = L + np.swapaxes(L, 1, 2)
    assert np.all(abs(equilibrium.value - expected) <= 1e-11 * equilibrium.one_way)
    assert np.all(abs(equilibrium.shot) <= 1e-25 * equilibrium.one_way)


@pytest.mark.slow
def test_frozen_probes_are_reservoirs_like_others():
    """In equilibrium, where they have the same mu and T."""
    np.testing.assert_allclose(solved("frozen probes", True).value, solved("no probe", True).value, rtol=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_conservation(name):
    """Neither particles nor energy collect in the conductor, J^E = J + μ I."""
    away = solved(name, False)
    energy = away.value[:, 4:] + away.mu[:, :, None] * away.value[:, :4]
    scale = np.max(away.one_way, axis=1)
    assert np.all(abs(away.value[:, :4].sum(1)) <= 1e-13 * scale)
    assert np.all(abs(energy.sum(1)) <= 1e-12 * scale * (1 + abs(away.mu).max(1, keepdims=True)))


@pytest.mark.parametrize("name", NAMES)
def test_covariances_are_positive(name):
    """No combination of currents has a negative variance (Cauchy and Schwarz among others); nor has either part."""
    away = solved(name, False)
    scale = np.sqrt(np.einsum("nii->ni", away.one_way))
    for part in (away.value, away.shot, away.value - away.shot):
        assert np.all(abs(part - np.swapaxes(part, 1, 2)) <= 1e-14 * away.one_way)
        assert np.linalg.eigvalsh(part / (scale[:, :, None] * scale[:, None])).min() >= -1e-13
    variance = np.einsum("nii->ni", away.value)
    assert np.all(away.value**2 <= variance[:, :, None] * variance[:, None] * (1 + 1e-12) + 1e-25 * away.one_way**2)
    assert np.all(np.linalg.eigvalsh(away.value)[:, -1] > 0)


@pytest.mark.parametrize("name", NAMES)
def test_what_follows_takes_in_nothing(name):
    away = solved(name, False)
    still, moving = held(name, "following"), held(name, "frozen")
    assert np.all(abs(away.value[:, still]) <= 1e-13 * away.one_way[:, still])
    variance, one_way = np.einsum("nii->ni", away.value), np.einsum("nii->ni", away.one_way)
    assert np.all(variance[:, moving] > 1e-3 * one_way[:, moving])


def test_currents_at_different_terminals_are_never_positively_correlated():
    """Fermions into reservoirs that do not move. Source: Büttiker, Phys. Rev. B 46, 12485 (1992)."""
    away = solved("no probe", False)
    different = ~np.eye(4, dtype=bool)
    assert np.all(away.value[:, :4, :4][:, different] < 0)


def test_common_shift_of_all_energies_changes_nothing():
    problems = batch(6, False)
    here, error, scale = map(np.asarray, bare(*problems, jnp.zeros(SIZE)))
    there, *_ = bare(*problems, jnp.linspace(-40.0, 40.0, SIZE))
    assert np.all(error <= 1e-9 * scale[:, None])
    assert np.all(abs(there - here) <= 1e-12 * scale[:, None])


# ---------------------------------------------------------------------------------------------------------------------
# The formula written out, on a dense even grid: exponentially accurate where every scale is far above the spacing.


def written_out(levels: Levels, terminals, mu, T, points=20001):
    """Thermal and shot parts of all covariances, from A = 1 − s†s and the sums over terminals as they stand."""
    energy, step = np.linspace((mu - 45 * T).min(), (mu + 45 * T).max(), points, retstep=True)
    H, W, direct = levels.H, levels.W, levels.direct
    inverse = np.linalg.inv(energy[:, None, None] * np.eye(len(H)) - H + 0.5j * W @ W.conj().T)
    S = (np.eye(len(direct)) - 1j * W.conj().T @ inverse @ W) @ direct
    own = [np.flatnonzero([owner == name for owner in levels.owners]) for name in terminals]
    z = (energy - mu[:, None]) / T[:, None]
    f, empty = 1 / (1 + np.exp(z)), 1 / (1 + np.exp(-z))
    carried = np.concatenate([np.ones_like(f), energy - mu[:, None]])
    n = len(mu)

    def operator(a, c, d):
        rows = S[:, own[a]]
        through = np.swapaxes(rows[:, :, own[c]].conj(), 1, 2) @ rows[:, :, own[d]]
        return (np.eye(len(own[a])) if a == c == d else 0) - through

    parts = np.zeros((2, 2 * n, 2 * n))
    for a, b, c, d in itertools.product(range(n), repeat=4):
        trace = np.einsum("emn,enm->e", operator(a, c, d), operator(b, d, c)).real
        for part, filled in enumerate(((f[c] * empty[c] + f[d] * empty[d]) / 2, (f[c] - f[d]) ** 2 / 2)):
            both = np.einsum("ie,je,e->ij", carried[[a, a + n]], carried[[b, b + n]], trace * filled) * step
            parts[part][np.ix_([a, a + n], [b, b + n])] += both
    return parts / (2 * np.pi)


def test_formula_written_out():
    rng = np.random.default_rng(8)
    several = [Levels.random(rng, width=2.0) for _ in range(SIZE)]
    mu, T = rng.uniform(-6, 6, (SIZE, 4)), rng.uniform(0.4, 2.0, (SIZE, 4))
    devices = jax.tree.map(lambda *leaves: jnp.stack(leaves), *(levels.conductor() for levels in several))
    values, errors, scales = map(np.asarray, bare(devices, mu, T, jnp.zeros(SIZE)))
    for i in range(3):
        expected = written_out(several[i], TERMINALS, mu[i], T[i])
        assert np.all(abs(values[i] - expected) <= errors[i] + 1e-13 * scales[i])
        assert np.all(errors[i] <= 1e-10 * scales[i])
        assert np.all(abs(np.einsum("pii->pi", expected)) > 0.01 * np.diag(scales[i]))


# ---------------------------------------------------------------------------------------------------------------------
# Error bounds: a level between two terminals, against sums over panels that follow the level and both Fermi edges.

GAUSS_NODES, GAUSS_WEIGHTS = np.polynomial.legendre.leggauss(20)


def draw_levels(size, log_width, largest_ratio, largest_bias, seed):
    """Half widths, asymmetries, mu and T, kT = 1 at L, the level at zero; in a third of the problems no bias."""
    rng = np.random.default_rng(seed)
    mu = rng.uniform(-largest_bias, largest_bias, (size, 2)) * rng.choice([1e-3, 1.0, 1.0], (size, 1))
    unbiased = rng.random(size) < 1 / 3
    mu[unbiased, 1] = mu[unbiased, 0]
    T = np.stack([np.ones(size), largest_ratio ** rng.uniform(-1, 1, size)], axis=1)
    return (
        10 ** rng.uniform(log_width[0], log_width[1], size),
        rng.uniform(-0.9, 0.9, size) * rng.choice([0, 1], size),
        mu,
        T,
    )


def exact_noise(half_width, asymmetry, mu, T):
    r"""Both parts from 𝒯 (f_L(1 − f_L) + f_R(1 − f_R)) and 𝒯(1 − 𝒯)(f_L − f_R)², and the one-way scale."""
    reach = half_width * 2.0 ** np.arange(-1, 60)
    edges = [np.zeros(1), reach, -reach, *(m + t * np.arange(-60, 60.5, 0.5) for m, t in zip(mu, T, strict=True))]
    edges = np.unique(np.clip(np.concatenate(edges), (mu - 60 * T).min(), (mu + 60 * T).max()))
    half = np.diff(edges)[:, None] / 2
    energy, weight = edges[:-1, None] + half * (1 + GAUSS_NODES), half * GAUSS_WEIGHTS / (2 * np.pi)
    z = (energy - mu[:, None, None]) / T[:, None, None]
    decay = np.exp(-abs(z))
    (f, g), (e, k) = (np.where(sign * z > 0, decay, 1) / (1 + decay) for sign in (1, -1))
    through = (1 - asymmetry**2) * half_width**2 / (energy**2 + half_width**2)
    back = (energy**2 + asymmetry**2 * half_width**2) / (energy**2 + half_width**2)
    carried = np.stack([np.ones_like(energy), -np.ones_like(energy), energy - mu[0], mu[1] - energy])
    parts = through * (f * e + g * k), through * back * (f * k - g * e) ** 2
    one_way = np.einsum("iab,iab,ab->i", carried, carried, weight * through * (f * k + g * e))
    return [np.einsum("iab,jab,ab->ij", carried, carried, weight * part) for part in parts], np.sqrt(
        one_way[:, None] * one_way
    )


@pytest.mark.parametrize(
    ("effort", "drawn", "useful"),
    [
        (Effort.STRICT, {"log_width": (-3, 3), "largest_ratio": 30.0, "largest_bias": 20.0}, 0.95),
        (Effort.STRICT, {"log_width": (-8, -3), "largest_ratio": 100.0, "largest_bias": 20.0}, 0.0),
        (Effort.FAST, {"log_width": (-0.3, 2), "largest_ratio": 3.0, "largest_bias": 10.0}, 0.9),
        (Effort.FAST, {"log_width": (-6, 3), "largest_ratio": 100.0, "largest_bias": 20.0}, 0.0),
    ],
)
def test_bounds_are_honest(effort, drawn, useful):
    """``useful``: how many are below 1e-9 of what rare electrons would give. Narrow levels have larger bounds, those
    that the smooth rule does not resolve have none."""
    problems = draw_levels(200, seed=11, **drawn)

    def one(problem):
        half_width, asymmetry, mu, T = problem
        found = bare_noise(single_level(half_width, asymmetry), Reservoirs(mu, T), effort)
        return jnp.stack([found.thermal, found.shot]), jnp.stack([found.thermal_error, found.shot_error])

    columns = tuple(map(jnp.asarray, problems))
    values, bounds = map(np.asarray, jax.jit(lambda rows: jax.lax.map(one, rows, batch_size=20))(columns))
    exact, scales = zip(*(exact_noise(*row) for row in zip(*problems, strict=True)), strict=True)
    assert not np.any(np.isnan(bounds))
    assert np.all(abs(values - np.array(exact)) <= bounds)
    fraction = bounds / np.array(scales)[:, None]
    assert np.mean(fraction <= 1e-9) >= useful


@pytest.mark.slow
def test_bounds_are_honest_for_a_double_barrier():
    """The coarse mesh against the fine one; derivatives of the currents, too."""
    rng = np.random.default_rng(12)
    size = 32
    levels, widths, strength = rng.uniform(-6, 10, (size, 2)), 10 ** rng.uniform(-1.5, 0.5, (size, 2)), rng.random(size)
    mu, T = rng.uniform(-3, 3, (size, 3)), np.exp(rng.uniform(-1, 1, (size, 3)))

    def one(row, effort):
        level, width, strength, mu, T = row
        device = DoubleBarrier(level[0], level[1], width[0], width[1], -40.0, 1.0, probe_strength=strength)
        found = bare_noise(device, Reservoirs(mu, T), effort)
        values = found.thermal, found.shot, found.slope
        return values, (found.thermal_error, found.shot_error, found.slope_error), found.one_way

    columns = tuple(map(jnp.asarray, (levels, widths, strength, mu, T)))
    rungs = [
        jax.jit(lambda rows, effort=effort: jax.lax.map(lambda row: one(row, effort), rows, batch_size=8))(columns)
        for effort in (Effort.FAST, Effort.STRICT)
    ]
    (coarse, coarse_bound, _), (fine, fine_bound, one_way) = jax.tree.map(np.asarray, rungs)
    scale = np.sqrt(one_way[:, :, None] * one_way[:, None])
    for k in range(3):
        assert np.all(abs(coarse[k] - fine[k]) <= coarse_bound[k] + fine_bound[k])
    assert np.all(fine_bound[0] + fine_bound[1] <= 1e-9 * scale)


@pytest.mark.slow
def test_bounds_cover_what_is_left_of_the_unknowns():
    """A probe that is off by as much as its bounds say."""
    device, mu, T = batch(5, False)

    @jax.jit
    @jax.vmap
    def compute(device, mu, T):
        unknowns, following = PROBES["follower"]
        state = steady_state(device, Reservoirs(mu, T), unknowns, effort=Effort.STRICT, throw=False)
        P, off = TERMINALS.index("P"), 1e-5
        moved = state.reservoirs.at(P, mu=state.reservoirs.mu[P] + off, T=state.reservoirs.T[P] - off)
        bound = jnp.zeros(4).at[P].set(off)
        wrong = eqx.tree_at(
            lambda s: (s.reservoirs, s.reservoirs_error.mu, s.reservoirs_error.T), state, (moved, bound, bound)
        )
        return noise(state, following=following), noise(wrong, following=following)

    right, wrong = compute(device, mu, T)
    assert np.all(wrong.outcome == Outcome.TOLERANCE_MISSED)
    for part in ("value", "shot"):
        error = "error" if part == "value" else "shot_error"
        difference = abs(full(getattr(wrong, part)) - full(getattr(right, part)))
        bound = full(getattr(wrong, error))
        assert np.all(difference <= 1.001 * bound + full(getattr(right, error)))
        assert np.max(difference / np.where(bound > 0, bound, np.inf)) > 0.3
