"""The error bound of every number is honest and useful: it covers the true error, known from closed forms at 60 digits,
and is small enough to be of use. Random problems, stratified over the ratio of level width and temperature.
"""

import dataclasses

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from mpmath import mpf

from mesotherm import (
    Effort,
    Outcome,
    Reservoirs,
    ResonantBarrier,
    ThermalizationDiode,
    ThermalizingProbe,
    steady_state,
)

L, R, P = 0, 1, 2


@dataclasses.dataclass(frozen=True)
class Problems:
    """Two Lorentzian barriers (columns L, R) and three reservoirs (columns L, R, P); one row per problem."""

    level: np.ndarray
    half_width: np.ndarray
    mu: np.ndarray
    T: np.ndarray

    def __len__(self):
        return len(self.level)

    def solve(self, function, batch_size):
        """``function(device, reservoirs)`` of every problem, as a dictionary of arrays."""

        def one(row):
            level, half_width, mu, T = row
            left, right = (ResonantBarrier(level[i], half_width[i]) for i in (L, R))
            return function(ThermalizationDiode(left=left, right=right), Reservoirs(mu, T))

        rows = (self.level, self.half_width, self.mu, self.T)
        found = jax.jit(lambda rows: jax.lax.map(one, rows, batch_size=batch_size))(jax.tree.map(jnp.asarray, rows))
        return {name: np.asarray(column) for name, column in found.items()}


def stratified(rng, low, high, size):
    """One draw from each of ``size`` equal slices of [low, high], in order."""
    return low + (high - low) * (np.arange(size) + rng.random(size)) / size


def biases(rng, largest, size):
    """Half of them uniform, half spread over the decades down to 1e-8; both signs."""
    small = 10 ** rng.uniform(-8, 0, size) * rng.choice([-1, 1], size)
    return np.where(rng.random(size) < 0.5, rng.uniform(-largest, largest, size), small)


def draw_integrals(size, *, log_width=(-6, 6), largest_ratio=100.0, largest_bias=50.0, seed):
    """Problems with every reservoir given, kT = 1 at terminal L; half of them count energies from elsewhere."""
    rng = np.random.default_rng(seed)
    own = 10 ** stratified(rng, *log_width, size)
    other = 10 ** rng.uniform(*log_width, size)
    ratio = largest_ratio ** rng.random(size)
    T_P = np.where(rng.random(size) < 0.5, ratio, 1 / ratio)
    T_R = T_P ** rng.random(size)
    zero = np.where(rng.random(size) < 0.5, 0.0, rng.uniform(-50, 50, size))
    voltages = biases(rng, largest_bias, size), rng.uniform(-largest_bias, largest_bias, size), np.zeros(size)
    mu = zero[:, None] + np.stack(voltages, 1)

    ends = np.minimum(mu[:, L], mu[:, P]) - 3, np.maximum(mu[:, L], mu[:, P]) + 3
    inside = rng.uniform(*ends)
    outside = zero + rng.choice([-1, 1], size) * 10 ** rng.uniform(0, 3, size)
    within_width = zero + rng.uniform(-3, 3, size) * np.maximum(own, 1)
    near_mu = mu[:, L] + rng.uniform(-3, 3, size) * own
    level = np.choose(rng.choice(4, size, p=[0.35, 0.3, 0.3, 0.05]), [inside, outside, within_width, near_mu])
    levels = np.stack([level, zero + rng.uniform(-60, 60, size)], 1)
    return Problems(levels, np.stack([own, other], 1), mu, np.stack([np.ones(size), T_R, T_P], 1))


def draw_probes(size, seed):
    """Problems whose reservoir P floats; levels anywhere in the window, either terminal the hot one."""
    rng = np.random.default_rng(seed)
    half_width = 10 ** np.stack([stratified(rng, -6, 6, size), rng.uniform(-6, 6, size)], 1)
    T = np.stack([np.ones(size), 100 ** rng.random(size)], 1)
    mu = biases(rng, 50.0, size)[:, None] * [0.5, -0.5]
    flipped = rng.random(size) < 0.5
    T[flipped], half_width[::2] = T[flipped, ::-1], half_width[::2, ::-1]
    reach = 5 * T.max(1, keepdims=True)
    level = rng.uniform(mu.min(1, keepdims=True) - reach, mu.max(1, keepdims=True) + reach, (size, 2))
    return Problems(level, half_width, np.column_stack([mu, np.zeros(size)]), np.column_stack([T, np.ones(size)]))


def lorentzian_currents(level, half_width, mu_a, T_a, mu_b, T_b):
    """Exact particle and heat current from a into b through a Lorentzian, both spins, whole line (heat counted from
    ``mu_a``): digamma functions at the working precision of mpmath."""
    level, half_width, mu_a, T_a, mu_b, T_b = map(mpf, (level, half_width, mu_a, T_a, mu_b, T_b))

    def psi(mu, T):
        return mpmath.digamma(mpf(1) / 2 + mpmath.mpc(half_width, level - mu) / (2 * mpmath.pi * T))

    difference = psi(mu_a, T_a) - psi(mu_b, T_b)
    particle = -half_width * difference.imag
    heat = half_width**2 * (difference.real + mpmath.log(T_a / T_b)) + (level - mu_a) * particle
    return particle / mpmath.pi, heat / mpmath.pi


def assert_honest(error, bound):
    assert not np.any(np.isnan(bound))
    assert np.mean(error <= bound) >= 0.99
    assert np.all(error <= 3 * bound)


def check_integrals(problems, effort):
    """Assert that I and J into terminal L are honest; return the two bounds as fractions of the gross flux."""

    def currents(device, reservoirs):
        answer = device.response(reservoirs, effort)
        return {
            "particle": answer.value.particle[L],
            "energy": answer.value.energy[L],
            "particle_bound": answer.error.particle[L],
            "heat_bound": answer.error.energy[L],
            "gross_particle": jnp.max(answer.one_way.particle),
            "gross_heat": jnp.max(answer.one_way.energy),
        }

    found = problems.solve(currents, batch_size=50)
    error = np.empty((len(problems), 2))
    with mpmath.workdps(60):
        for i in range(len(problems)):
            mu, T = problems.mu[i], problems.T[i]
            exact = lorentzian_currents(problems.level[i, L], problems.half_width[i, L], mu[L], T[L], mu[P], T[P])
            particle, energy = mpf(float(found["particle"][i])), mpf(float(found["energy"][i]))
            error[i] = abs(particle - exact[0]), abs(energy - mpf(mu[L]) * particle - exact[1])
    assert_honest(error[:, 0], found["particle_bound"])
    assert_honest(error[:, 1], found["heat_bound"])
    return found["particle_bound"] / found["gross_particle"], found["heat_bound"] / found["gross_heat"]


def exact_probe(level, half_width, mu, T, start):
    """Current into L, μ_p and T_p of the thermalizing probe at 40 digits, from a start close to the solution."""

    def flows(mu_P, T_P):
        return [lorentzian_currents(level[i], half_width[i], mu_P, T_P, mu[i], T[i]) for i in (L, R)]

    with mpmath.workdps(60):
        scale = [[abs(x) for x in flow] for flow in zip(*flows(*map(mpf, start)), strict=True)]

        def balances(mu_P, T_P):
            columns = zip(*flows(mu_P, T_P), strict=True)
            return [sum(flow) / max(size) for flow, size in zip(columns, scale, strict=True)]

        mu_P, T_P = mpmath.findroot(balances, start, tol=mpf(10) ** -80, maxsteps=30, solver="mdnewton")
        return -flows(mu_P, T_P)[L][0], mu_P, T_P


def check_probes(problems):
    """Assert that I, μ_p and T_p of the converged problems are honest; return their bounds as fractions of the gross
    flux, the largest energy scale, and T_p, and which problems converged."""

    def solved(device, reservoirs):
        state = steady_state(device, reservoirs, [ThermalizingProbe("P")], effort=Effort.STUBBORN, throw=False)
        return {
            "particle": state.currents.particle[L],
            "mu": state.reservoirs.mu[P],
            "T": state.reservoirs.T[P],
            "particle_bound": state.error.particle[L],
            "mu_bound": state.reservoirs_error.mu[P],
            "T_bound": state.reservoirs_error.T[P],
            "gross": jnp.max(state.one_way.particle),
            "outcome": state.outcome,
        }

    found = problems.solve(solved, batch_size=2)
    converged = found["outcome"] == Outcome.CONVERGED
    names = "particle", "mu", "T"
    error = []
    for i in np.flatnonzero(converged):
        values = [mpf(float(found[name][i])) for name in names]
        exact = exact_probe(problems.level[i], problems.half_width[i], problems.mu[i], problems.T[i], values[1:])
        error.append([float(abs(value - truth)) for value, truth in zip(values, exact, strict=True)])
    found = {name: column[converged] for name, column in found.items()}
    bounds = [found[f"{name}_bound"] for name in names]
    for column, bound in zip(np.transpose(error), bounds, strict=True):
        assert_honest(column, bound)
    hottest = np.maximum(problems.T[converged, :2].max(1), found["T"])
    scales = found["gross"], np.maximum(hottest, np.ptp(problems.mu[converged, :2], axis=1)), found["T"]
    return [bound / scale for bound, scale in zip(bounds, scales, strict=True)], converged


@pytest.mark.parametrize("size", [300, pytest.param(3000, marks=pytest.mark.slow)])
def test_strict_integrals_have_honest_and_useful_bounds(size):
    for fraction in check_integrals(draw_integrals(size, seed=20250711), Effort.STRICT):
        assert np.mean(fraction <= 1e-9) >= 0.95


def test_bounds_stay_honest_for_resonances_narrower_than_any_tolerance_needs():
    """Below a millionth of T the panels far from a resonance are too few for 1e-9, and the bound must say so."""
    check_integrals(draw_integrals(300, log_width=(-10, -6), seed=20250714), Effort.STRICT)


@pytest.mark.parametrize("size", [300, pytest.param(3000, marks=pytest.mark.slow)])
def test_fast_integrals_have_honest_bounds(size):
    check_integrals(draw_integrals(size, seed=20250712), Effort.FAST)


@pytest.mark.parametrize("size", [300, pytest.param(3000, marks=pytest.mark.slow)])
def test_fast_integrals_of_smooth_problems_have_honest_and_finite_bounds(size):
    smooth = draw_integrals(size, log_width=(-0.3, 3), largest_ratio=3.0, largest_bias=20.0, seed=20250713)
    for fraction in check_integrals(smooth, Effort.FAST):
        assert np.mean(np.isfinite(fraction)) >= 0.95


@pytest.mark.parametrize("size", [pytest.param(1000, marks=pytest.mark.slow)])
def test_probe_solutions_have_honest_and_useful_bounds(size):
    fractions, converged = check_probes(draw_probes(size, seed=20250714))
    assert np.mean(converged) >= 0.85
    for fraction in fractions:
        assert np.mean(fraction <= 1e-9) >= 0.95


@pytest.mark.parametrize("where", ["mu", "crossing", "anywhere"])
def test_fast_bounds_where_a_band_bottom_cuts_the_integrand(where):
    """A net current may cross zero at the bottom while its slope does not: at μ_L (heat), or where the occupations of
    L and P are equal (particles). The graded rule, exact there, is the truth."""
    generator = np.random.default_rng(7)
    count = 1000
    half_width = 10 ** generator.uniform(-1, 1.5, (count, 2))
    level = generator.uniform(-10, 10, (count, 2))
    mu, T = generator.uniform(-3, 3, (count, 3)), 10 ** generator.uniform(-0.7, 0.7, (count, 3))
    crossing = (mu[:, 0] * T[:, 2] - mu[:, 2] * T[:, 0]) / (T[:, 2] - T[:, 0])
    bottom = {"mu": mu[:, 0], "crossing": crossing, "anywhere": generator.uniform(-20, 5, count)}[where]

    @jax.jit
    @jax.vmap
    def both_rungs(half_width, level, mu, T, bottom):
        device = ThermalizationDiode(
            ResonantBarrier(level[0], half_width[0]), ResonantBarrier(level[1], half_width[1]), bottom
        )
        reservoirs = Reservoirs(mu, T)
        fast, strict = device.response(reservoirs, Effort.FAST), device.response(reservoirs, Effort.STRICT)

        def heat(answer):
            return answer.value.energy[0] - mu[0] * answer.value.particle[0]

        return (
            jnp.stack([fast.value.particle[0] - strict.value.particle[0], heat(fast) - heat(strict)]),
            jnp.stack([fast.error.particle[0], fast.error.energy[0]]),
            jnp.stack([strict.error.particle[0], strict.error.energy[0]]),
        )

    difference, fast_bound, strict_bound = map(np.asarray, both_rungs(half_width, level, mu, T, bottom))
    ratio = (np.abs(difference) - strict_bound) / fast_bound
    judged = np.isfinite(fast_bound).all(axis=1)
    assert judged.mean() > 0.3
    assert np.mean(ratio[judged] <= 1, axis=0).min() >= 0.99
    assert ratio[judged].max() <= 3
