"""Ensembles with thermal noise: equilibrium, rates of escape, random numbers, energy, and the pump of Fig. 9."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.sparse
import scipy.sparse.linalg
import scipy.stats
from jax.extend.random import threefry_2x32
from test_motion_table import FIG_9, STIFFNESS, table_of

from mesotherm.equilibria import equilibria
from mesotherm.escape import core_sets, residence
from mesotherm.langevin import ensemble, normals, threefry
from mesotherm.mean_motion import move
from mesotherm.mechanical_mode import MechanicalMode
from mesotherm.motion_table import tabulate
from mesotherm.protocols import Constant, Pulses, Sine

MASS = 1000.0
OMEGA = np.sqrt(STIFFNESS / MASS)
T = 1e-3
ENERGIES = ("work", "load_work", "dissipated", "bath_heat", "drive_work", "shadow_work")


def mode(damping_ratio, **options):
    return MechanicalMode(MASS, STIFFNESS, damping_ratio=damping_ratio, **options)


@pytest.fixture(scope="module")
def nothing():
    """A table of no force."""
    return tabulate(lambda x, V: {"force": 0.0 * x}, np.linspace(-8, 8, 5))


@pytest.fixture(scope="module")
def fig_9():
    return table_of(FIG_9, -7.0, 7.0, tolerance=1e-9)


@pytest.fixture(scope="module")
def rich():
    """Force and currents of Fig. 9, not linear in the drive, with a friction that depends on the position."""

    def function(x, V):
        at = FIG_9(x, jnp.tanh(2 * V))
        return {**at, "heat_current": at["particle_current"] ** 2, "friction": 1.5 + jnp.tanh(x) + V**2}

    return tabulate(function, np.linspace(-7, 7, 129), np.linspace(-0.4, 0.4, 9), tolerance=1e-5)


# ------------------------------------------------------------------------------------------------- random numbers


def test_random_bits_are_those_of_threefry():
    key, counters = jnp.array([7, 2**32 - 5], dtype=jnp.uint32), jnp.arange(2**31 - 50, 2**31 + 50, dtype=jnp.uint32)
    mine = jnp.concatenate(threefry(key, counters, counters[::-1]))
    assert np.array_equal(mine, threefry_2x32(key, jnp.concatenate([counters, counters[::-1]])))


def test_normal_numbers_are_normal_and_independent():
    key, size = jnp.array([1, 2], dtype=jnp.uint32), 2**18
    pairs = [normals(key, jnp.arange(size, dtype=jnp.uint32), jnp.uint32(step)) for step in (0, 1, 2**32 - 1)]
    samples = np.array([one for pair in pairs for one in pair])
    for one in samples:
        assert scipy.stats.kstest(one, "norm").pvalue > 1e-4
    every = samples.ravel()
    for power, moment, variance in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96), (6, 15, 10170)):
        assert abs(np.mean(every**power) - moment) < 4 * np.sqrt(variance / every.size), power
    assert np.sum(np.abs(every) > 4) == pytest.approx(every.size * 6.334e-5, abs=4 * np.sqrt(100))
    for values in (samples, samples**2):  # of the same particle, and of the next one
        correlations = [
            np.corrcoef(a, np.roll(b, shift))[0, 1]
            for i, a in enumerate(values)
            for b in values[:i]
            for shift in (0, 1)
        ]
        assert np.max(np.abs(correlations)) < 4.5 / np.sqrt(size)


def test_noise_does_not_depend_on_how_particles_are_batched(fig_9):
    def go(first, particles):
        return ensemble(
            mode(0.1), fig_9, Sine(0.35, 4000.0), temperature=T, particles=particles, time_step=20.0, steps=20,
            key=jax.random.key(3), first_particle=first,
        )  # fmt: skip

    whole, halves = go(0, 200), (go(0, 100), go(100, 100))
    for name in ("position", "velocity", "charge", *ENERGIES):
        joined = jnp.concatenate([getattr(half, name) for half in halves])
        assert np.allclose(getattr(whole, name), joined, rtol=1e-12, atol=1e-16), name
    assert len(np.unique(whole.position)) == 200
    assert not np.allclose(whole.position, go(1, 200).position)


# ------------------------------------------------------------------------------------------------- equilibrium


@pytest.mark.parametrize("step", [0.1, 0.4, 0.8])
def test_equipartition_with_three_steps(nothing, step):
    """From rest at the wrong place. On a spring, positions have no error of the step, and <v²> = (T/M)(1 − (ωh)²/4)."""
    found = ensemble(
        mode(0.5), nothing, Constant(0.0), temperature=T, particles=20_000, time_step=step / OMEGA,
        steps=2 * round(20 / step), key=jax.random.key(1), position=0.5, velocity=0.0,
    )  # fmt: skip
    tolerance = 4 * np.sqrt(2 / 20_000)
    assert np.mean(found.position**2) * STIFFNESS / T == pytest.approx(1, abs=tolerance)
    assert np.mean(found.velocity**2) * MASS / T == pytest.approx(1 - step**2 / 4, abs=tolerance)
    assert np.mean(found.position * found.velocity) * np.sqrt(STIFFNESS * MASS) / T == pytest.approx(0, abs=tolerance)


@pytest.mark.slow
@pytest.mark.parametrize("step", [0.1, 0.2, 0.4])
@pytest.mark.parametrize("electronic", [False, True])
def test_equipartition_to_one_per_cent(nothing, step, electronic):
    table = tabulate(lambda x, V: {"force": 0.0 * x, "friction": 6 + 5 * jnp.tanh(3 * x)}, np.linspace(-3, 3, 257))
    found = ensemble(
        mode(0.5), table if electronic else nothing, Constant(0.0), temperature=T, particles=500_000,
        time_step=step / OMEGA, steps=2 * round(10 / step), key=jax.random.key(2),
    )  # fmt: skip
    assert np.mean(found.position**2) * STIFFNESS / T == pytest.approx(1, abs=8e-3)
    assert np.mean(found.velocity**2) * MASS / T == pytest.approx(1 - step**2 / 4, abs=8e-3)


def test_friction_that_depends_on_the_position_leaves_the_distribution_alone(fig_9):
    """Positions in two wells, where the friction is twelve times larger on one side, follow exp(−U/T)."""

    def function(x, V):
        return {**FIG_9(x, V), "friction": 6.5 + 5.5 * jnp.tanh(3 * (x - 1.2))}

    table = tabulate(function, np.linspace(-4, 6, 513), tolerance=1e-6)
    edges = np.array([-4.0, 0.0, 0.3, 0.6, 0.9, 1.2, 1.5, 1.8, 2.1, 2.4, 6.0])
    x = np.linspace(-4, 6, 4001)[1:-1]
    weight = np.exp(-(0.5 * STIFFNESS * x**2 - np.array(table.work(x, 0.28))) / T)
    wanted = np.array([np.sum(weight[(x >= a) & (x < b)]) for a, b in itertools.pairwise(edges)])
    wanted /= wanted.sum()
    start = np.random.default_rng(0).choice(x, 8000, p=weight / weight.sum())
    found = ensemble(
        mode(0.0), table, Constant(0.28), temperature=T, particles=8000, time_step=40.0, steps=400,
        key=jax.random.key(5), position=start, every=400, edges=edges,
    )  # fmt: skip
    assert found.counts.shape == (1, 10)
    assert scipy.stats.chisquare(found.counts[0], 8000 * wanted).pvalue > 1e-3
    assert np.mean(found.velocity**2) * MASS / T == pytest.approx(1, abs=4 * np.sqrt(2 / 8000) + (OMEGA * 40) ** 2 / 4)


def test_rk4_with_a_fresh_force_in_every_stage_has_ten_of_thirtysix_parts_of_the_temperature():
    r"""The trap of integrators of higher order.

    The step adds h Σ w_i ξ_i with w = (1, 2, 2, 1)/6 to the momentum (to lowest order in h). If all ξ_i are one number
    of variance 2Tν/h, that has the variance 2Tνh (Σw)² = 2Tνh; if they are drawn anew, 2Tνh Σw² = 2Tνh 10/36, and
    friction leaves a temperature of 10T/36.
    """
    nu, h, particles = 2 * 0.5 * np.sqrt(MASS * STIFFNESS), 0.1 / OMEGA, 8000
    generator = np.random.default_rng(0)

    def rate(state, force):
        x, v = state
        return np.stack([v, (force - STIFFNESS * x - nu * v) / MASS])

    for draws, part in ((4, 10 / 36), (1, 1.0)):
        state = np.zeros((2, particles))
        for _ in range(200):
            forces = np.sqrt(2 * T * nu / h) * generator.normal(size=(draws, particles))
            k1 = rate(state, forces[0])
            k2 = rate(state + 0.5 * h * k1, forces[1 % draws])
            k3 = rate(state + 0.5 * h * k2, forces[2 % draws])
            k4 = rate(state + h * k3, forces[3 % draws])
            state = state + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        x, v = np.mean(state**2, axis=1)
        assert x * STIFFNESS / T == pytest.approx(part, rel=4 * np.sqrt(2 / particles) + 0.01)
        assert v * MASS / T == pytest.approx(part, rel=4 * np.sqrt(2 / particles) + 0.01)


# ------------------------------------------------------------------------------------------------- energy


@pytest.mark.parametrize("linear", [True, False])
def test_energy_is_accounted_for_in_every_particle(fig_9, rich, linear):
    external = 2e-3
    table, protocol = (
        (fig_9, Sine(0.35, 4000.0)) if linear else (rich, Pulses([0.35, -0.3, 0.1], [900.0, 700.0, 400.0]))
    )
    found = ensemble(
        mode(0.1, external_force=external), table, protocol, temperature=T, particles=200, time_step=20.0, steps=400,
        key=jax.random.key(4), position=0.2, velocity=0.0,
    )  # fmt: skip
    assert np.max(found.audit) <= 1e-8
    mechanical = 0.5 * MASS * found.velocity**2 + 0.5 * STIFFNESS * (found.position**2 - 0.04)
    balance = found.work + found.bath_heat - found.load_work + found.shadow_work
    assert np.allclose(mechanical, balance, rtol=0, atol=1e-8 * T)
    assert np.allclose(found.load_work, -external * (found.position - 0.2), rtol=0, atol=1e-8 * T)
    ends = [table.work(x, protocol.value(t)) for x, t in ((found.position, 8000.0 - 10), (0.2, 10.0))]
    assert np.allclose(ends[0] - ends[1], found.work - found.drive_work, rtol=0, atol=1e-8 * T)
    assert np.allclose(found.charge[:, 0], -found.charge[:, 1], rtol=1e-12)
    assert np.std(found.bath_heat) > 0.1 * T
    assert np.mean(np.abs(found.shadow_work)) < 0.02 * np.mean(np.abs(found.bath_heat))


def test_in_equilibrium_as_much_is_dissipated_as_noise_gives(nothing):
    """<E_dis> = (ν/M) T t, and the mean heat from the bath vanishes."""
    nonzero = mode(0.1)
    found = ensemble(
        nonzero, nothing, Constant(0.0), temperature=T, particles=20_000, time_step=0.1 / OMEGA, steps=400,
        key=jax.random.key(6),
    )  # fmt: skip
    time = 400 * 0.1 / OMEGA
    for values, mean in ((found.dissipated, float(nonzero.nu) / MASS * T * time), (found.bath_heat, 0.0)):
        error = float(np.std(values)) / np.sqrt(20_000)
        assert np.mean(values) == pytest.approx(mean, abs=4 * error + 0.1**2 / 4 * abs(mean))
    assert np.mean(found.dissipated) > 7 * T


def test_without_noise_an_ensemble_moves_as_the_mean_with_an_error_of_second_order(rich):
    third, steps = 3000.0, (300, 600)
    protocol = Pulses([0.3, -0.2, 0.1], [third] * 3, initialisation=third, initial_drive=0.1)
    exact = move(mode(0.1), rich, protocol, [-third, 2 * third], position=0.3)
    deviations = []
    for n in steps:
        found = ensemble(
            mode(0.1), rich, protocol, temperature=0.0, particles=200, time_step=third / n, steps=3 * n,
            start=-third, key=jax.random.key(0), position=0.3, velocity=0.0,
        )  # fmt: skip
        pairs = [(found.position, exact.position), (found.charge[:, 0], exact.charge[:, 0]), (found.work, exact.work),
                 (found.dissipated, exact.dissipated), (found.heat[:, 1], exact.heat[:, 1])]  # fmt: skip
        deviations.append([float(abs(mine[0] - true[-1]) / abs(true[-1])) for mine, true in pairs])
    coarse, fine = np.array(deviations)
    assert np.all(coarse < 2e-2)
    assert np.all(fine < 0.27 * coarse + 2e-6)


def test_noise_of_the_force_can_be_given(nothing):
    """Of twice that of equilibrium: twice the temperature."""
    table = tabulate(
        lambda x, V: {"force": 0.0 * x, "friction": 1.0 + 0 * x, "noise": 4 * T + 0 * x}, np.linspace(-8, 8, 9)
    )
    found = ensemble(
        mode(0.0), table, Constant(0.0), temperature=T, particles=4000, time_step=0.2 / OMEGA, steps=300,
        key=jax.random.key(8),
    )  # fmt: skip
    assert np.var(found.position) * STIFFNESS / T == pytest.approx(2, rel=4 * np.sqrt(2 / 4000))


def test_a_particle_that_leaves_the_table_is_not_a_number(nothing):
    found = ensemble(
        mode(0.5), nothing, Constant(0.0), temperature=T, particles=3, time_step=20.0, steps=40, key=jax.random.key(0),
        position=jnp.array([0.0, 7.9, -2.0]), velocity=jnp.array([0.0, 0.1, 0.0]), every=20,
    )  # fmt: skip
    assert np.isnan(found.position).tolist() == [False, True, False]
    assert np.isnan(found.work).tolist() == [False, True, False]
    assert found.times.tolist() == [400.0, 800.0]
    assert np.isnan(found.path[:, 1]).all()


@pytest.mark.parametrize(("steps", "every"), [(3, None), (0, None), (8, 3), (8, 6), (2**32 + 2, None)])
def test_steps_come_in_pairs(nothing, steps, every):
    with pytest.raises(
        ValueError, match=rf"steps = {steps}, every = .* not allowed; steps is even and a multiple of every"
    ):
        ensemble(
            mode(0.1), nothing, Constant(0.0), temperature=T, particles=2, time_step=1.0, steps=steps, every=every,
            key=jax.random.key(0),
        )  # fmt: skip


# ------------------------------------------------------------------------------------------------- escape


def test_residence_of_given_paths():
    """Two particles, two cores; to cross a barrier and come back before the other core does not count.

    From the second frame on, as the first particle is in no core before. Then C = (7, 1; 1, 15)/2 and its change in a
    step is (-1, 1; 1, -1): K = (-4, 4; 2, -2)/13 per step.
    """
    a, b, between = 0.0, 1.0, 0.55
    path = np.array([[between, a, between, a, b, b, a, a], [b, b, between, b, between, b, b, b]], float).T
    cores = [(-np.inf, 0.2), (0.8, np.inf)]
    found = residence(path, 2.0, cores, 0.0)
    assert found.passages.tolist() == [[0, 1], [1, 0]]
    assert np.allclose(found.occupation, [4 / 12, 8 / 12])
    assert np.allclose(found.rate, [[0, 2 / 13], [1 / 13, 0]])
    assert np.allclose(found.balance, [[0, np.log(2)], [-np.log(2), 0]])
    later = residence(path, 2.0, cores, 1.0)  # one step later: C = (3, 3; 3, 11)/2, with the same change
    assert np.allclose(later.rate, [[0, 7 / 12], [1 / 4, 0]])
    third = residence(path, 2.0, [*cores, (5.0, 6.0)], 0.0)
    assert np.allclose(third.rate[:2, :2], found.rate)
    assert np.isnan(third.rate[[0, 2], [2, 0]]).all()


def test_paths_that_give_no_rates():
    with pytest.raises(ValueError, match=r"path has shape \(5,\); give frames of two or more particles"):
        residence(np.zeros(5), 1.0, [(0.0, 1.0)], 0.0)
    with pytest.raises(ValueError, match="path of 1 particles is not finite"):
        residence(np.array([[0.5, 0.5], [0.5, np.nan]]), 1.0, [(0.0, 1.0)], 0.0)
    with pytest.raises(ValueError, match=r"path has 3 frames in which .* settling = 3 takes 3; give a longer path"):
        residence(np.full((3, 2), 0.5), 1.0, [(0.0, 1.0)], 3.0)
    one_left_before_the_other_came = np.array([[0.5, 9.0, 9.0], [9.0, 9.0, 0.5]]).T
    with pytest.raises(ValueError, match="path has 0 frames in which it is known for all particles"):
        residence(one_left_before_the_other_came, 1.0, [(0.0, 1.0)], 0.0)


def test_rates_of_a_telegraph_and_their_standard_errors():
    """Exact probabilities of a step: rates are those of continuous time, whatever the time of settling."""
    generator, rates, dt = np.random.default_rng(2), np.array([0.02, 0.05]), 1.0
    jump = rates / rates.sum() * -np.expm1(-rates.sum() * dt)
    state, path = (generator.random(3000) < rates[0] / rates.sum()).astype(int), []
    for _ in range(400):
        path.append(state)
        state = np.where(generator.random(3000) < jump[state], 1 - state, state)
    path, cores = np.array(path, float), [(-0.1, 0.1), (0.9, 1.1)]
    for settling in (0.0, 6.0):
        found = residence(path, dt, cores, settling)
        for i, j in ((0, 1), (1, 0)):
            if not settling:
                assert found.rate_error[i, j] == pytest.approx(rates[i] / np.sqrt(found.passages[i, j]), rel=0.1)
            assert abs(found.rate[i, j] - rates[i]) < 3 * found.rate_error[i, j]
        assert abs(found.balance[0, 1] - np.log(rates[0] / rates[1])) < 3 * found.balance_error[0, 1]
        split = [residence(path[:, i::30], dt, cores, settling) for i in range(30)]
        for name in ("occupation", "rate", "balance"):
            spread = np.std([getattr(one, name).flat[1] for one in split], ddof=1) / np.sqrt(30)
            assert getattr(found, f"{name}_error").flat[1] == pytest.approx(spread, rel=0.4)


def in_two_wells(table, bias, temperature, damping_ratio, particles, step, time, seed=7):
    """Where particles stay that started in thermal equilibrium, and which part of them should be left of the barrier.

    Frames are 0.8/ω apart, whatever the step (in 1/ω)."""
    x = np.linspace(-5, 7, 6001)[1:-1]
    weight = np.exp(-(0.5 * STIFFNESS * x**2 - np.array(table.work(x, bias))) / temperature)
    weight /= weight.sum()
    start = np.random.default_rng(seed).choice(x, particles, p=weight)
    every = round(0.8 / step)
    moving = mode(damping_ratio)
    found = ensemble(
        moving, table, Constant(bias), temperature=temperature, particles=particles, time_step=step / OMEGA,
        steps=every * round(time * OMEGA / 0.8), key=jax.random.key(seed), position=start, every=every,
    )  # fmt: skip
    rest = equilibria(table, bias, STIFFNESS)
    left = weight[x < rest.position[1]].sum()
    side = np.mean(np.array(found.path) < rest.position[1], axis=0)
    assert abs(np.mean(side) - left) < 3 * np.std(side) / np.sqrt(particles)
    nu = float(moving.nu)
    settling = 3 * (MASS / nu + nu / STIFFNESS)
    return residence(np.array(found.path), 0.8 / OMEGA, core_sets(rest), settling), left


def relaxation_rate(table, bias, temperature, nu, positions=200, velocities=30):
    """The slowest rate of the Klein–Kramers equation, Hermite functions of the velocity, sinc functions of the
    position: −(ν/M) b†b − √(T/M) (b†A − bA†) with A = ∂_x + U'/2T, whose first eigenvalue is zero."""
    x = np.linspace(-2.5, 5.0, positions)
    apart = np.arange(positions)[:, None] - np.arange(positions)
    derivative = np.where(apart == 0, 0.0, (-1.0) ** apart / (np.where(apart == 0, 1, apart) * (x[1] - x[0])))
    force = np.array(table(x, bias)["force"]) - STIFFNESS * x
    A = scipy.sparse.csr_array(derivative - np.diag(force / (2 * temperature)))
    n = np.arange(float(velocities))
    b = scipy.sparse.csr_array(np.diag(np.sqrt(n[1:]), 1))
    flow = scipy.sparse.kron(b.T, A) - scipy.sparse.kron(b, A.T)
    friction = scipy.sparse.kron(scipy.sparse.csr_array(np.diag(n)), scipy.sparse.eye_array(positions))
    L = nu / MASS * friction + np.sqrt(temperature / MASS) * flow
    found = np.sort(scipy.sparse.linalg.eigs(L.tocsc(), k=3, sigma=1e-7, return_eigenvectors=False).real)
    assert abs(found[0]) < 1e-9
    assert found[2] > 10 * found[1]
    return found[1]


def escapes_as_in_equilibrium(kept, left, slowest, most):
    """Occupations, both rates and their detailed balance within three standard errors, which are small enough."""
    exact = slowest * np.array([1 - left, left])
    mine, error = (at[[0, 1], [1, 0]] for at in (kept.rate, kept.rate_error))
    print((mine - exact) / error, error / exact, kept.balance_error[0, 1], kept.passages)
    assert np.all(error < most * exact)
    assert np.all(np.abs(mine - exact) < 3 * error)
    assert abs(kept.balance[1, 0] - np.log(left / (1 - left))) < 3 * kept.balance_error[1, 0]
    assert kept.balance_error[1, 0] < 1.5 * most
    assert np.all(np.abs(kept.occupation - [left, 1 - left]) < 3 * kept.occupation_error)
    assert abs(kept.passages[0, 1] - kept.passages[1, 0]) < 3 * np.sqrt(kept.passages[0, 1])
    return mine


@pytest.fixture(scope="module")
def slowest(fig_9):
    return relaxation_rate(fig_9, 0.283, 4e-4, float(mode(0.5).nu))


@pytest.mark.parametrize("step", [0.1, 0.2, 0.4])
def test_escape_from_both_wells_with_three_steps(fig_9, slowest, step):
    """Barriers of 4.4 T and 4.0 T."""
    kept, left = in_two_wells(fig_9, 0.283, 4e-4, 0.5, 1000, step, 2.5e5)
    escapes_as_in_equilibrium(kept, left, slowest, 0.05)


@pytest.mark.slow
@pytest.mark.parametrize("step", [0.05, 0.1, 0.2])
@pytest.mark.parametrize("damping_ratio", [0.1, 0.5])
def test_escape_from_both_wells_at_two_temperatures(fig_9, damping_ratio, step):
    """Rates fall with exp(−ΔU/T), also at weak friction, where many passages are undone at once. Steps are shorter:
    their error in a rate is half a standard error at 0.2 and weak friction, and four times that at 0.4."""
    rates, temperatures = [], (4e-4, 2.8e-4)
    for temperature, time, most in zip(temperatures, (2.5e5, 5e5), (0.025, 0.05), strict=True):
        kept, left = in_two_wells(fig_9, 0.283, temperature, damping_ratio, 4000, step, time)
        exact = relaxation_rate(fig_9, 0.283, temperature, float(mode(damping_ratio).nu))
        rates.append(escapes_as_in_equilibrium(kept, left, exact, most))
    slope = np.log(rates[0] / rates[1]) / (1 / temperatures[1] - 1 / temperatures[0])
    assert np.allclose(slope, equilibria(fig_9, 0.283, STIFFNESS).barriers, rtol=0.12)


# ------------------------------------------------------------------------------------------------- Fig. 9


def charges_of_fig_9(table, temperatures, cycles, steps, seed):
    """Charge of one cycle after the preparation, for each temperature and particle."""
    third = 2e5 / 9
    protocol = Pulses([0.3, -0.3, 0.0], [third] * 3, initialisation=third)
    found = ensemble(
        mode(0.16), table, protocol, temperature=jnp.repeat(jnp.array(temperatures), cycles),
        particles=cycles * len(temperatures), time_step=third / steps, steps=4 * steps, start=-third, every=steps,
        key=jax.random.key(seed),
    )  # fmt: skip
    return np.array(found.path_charge[-1] - found.path_charge[0])[:, 0].reshape(len(temperatures), cycles)


@pytest.mark.slow
def test_fig_9_charge_of_a_cycle_with_noise(fig_9):
    """<Q> = 2.497(25) at 2e-4, whatever the step; it decays with the temperature, from that without noise."""
    means = []
    for steps, seed in ((1112, 1), (2224, 2)):
        charges = charges_of_fig_9(fig_9, [2e-4], 50_000, steps, seed)[0]
        means.append((np.mean(charges), np.std(charges) / np.sqrt(50_000)))
        assert abs(means[-1][0] - 2.497) < 4 * 0.025
    assert abs(means[0][0] - means[1][0]) < 4 * np.hypot(means[0][1], means[1][1])
    temperatures = [1e-12, 1e-4, 2e-4, 4e-4, 6e-4, 8e-4, 1e-3, 1.5e-3]
    charges = charges_of_fig_9(fig_9, temperatures, 1500, 1112, 3)
    assert np.allclose(charges[0], 4.0062535, atol=1e-3)
    average, error = charges.mean(axis=1), charges.std(axis=1) / np.sqrt(1500)
    assert np.all(np.diff(average) < 2 * np.hypot(error[1:], error[:-1]))
    assert abs(average[2] - 2.497) < 4 * np.hypot(error[2], 0.025)
    assert average[-1] < 0.3
