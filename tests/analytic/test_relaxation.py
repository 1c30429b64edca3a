"""Transients of the master equation: closed forms, 50-digit arithmetic, the second law at every time."""

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

import mesotherm as m
from mesotherm.devices.coulomb_dots import CoulombDots
from mesotherm.devices.dot_network import DotNetwork
from mesotherm.relaxation import VARIABLES, evolve, relaxation_rates

CONTACTS = (("L", "A"), ("R", "A"), ("M", "B"), ("N", "C"), ("O", "C"))


def single_dot(left, right):
    return CoulombDots(("D",), (("L", "D"), ("R", "D")), [0.3], [], [[left], [right]])


def three_dots(seed, decades=2.0):
    """Tunnel rates that depend on occupations and lie ``decades`` apart."""
    rng = np.random.default_rng(seed)
    rates = 10 ** rng.uniform(-decades, 0, (5, 4))
    return CoulombDots(("A", "B", "C"), CONTACTS, rng.uniform(-1, 1, 3), rng.uniform(0, 2, 3), rates)


def network(kind, seed):
    """Random networks of two or three dots."""
    rng = np.random.default_rng(seed)
    dots = ("A", "B", "C") if kind in ("three dots", "three dots hopping") else ("A", "B")
    spinful = dots if "spin" in kind else ()
    pairs = len(dots) * (len(dots) - 1) // 2
    given = {}
    if "hopping" in kind or kind == "bath":
        given["hopping"] = rng.uniform(0.3, 1.0, pairs)
    if kind == "bath":
        given |= {"baths": ("H",), "bath_rates": rng.uniform(0.01, 0.1, (1, pairs))}
    if spinful:
        given |= {"spinful": spinful, "zeeman": rng.uniform(0.2, 0.5, 2), "polarization": rng.uniform(-0.8, 0.8, 2)}
    return DotNetwork(
        dots=dots,
        leads=("L", "R"),
        levels=rng.uniform(-1, 1, len(dots)),
        tunnel_rates=rng.uniform(0.005, 0.05, (2, len(dots))),
        charging_energies=rng.uniform(-1, 3, pairs + len(spinful)),
        **given,
    )


KINDS = [
    *("two dots", "two dots hopping", "spin", "bath"),
    *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("three dots", "three dots hopping", "spin hopping")),
]


def somewhere(device, seed):
    """Reservoirs far from equilibrium, and a state."""
    rng, count = np.random.default_rng(seed), len(device.terminals)
    reservoirs = m.Reservoirs(rng.uniform(-2, 2, count), rng.uniform(0.3, 2, count))
    return reservoirs, rng.dirichlet(np.ones(len(device.state_names())))


def exact_chain(device, reservoirs):
    """W in many digits, from energies, tunnel rates and Fermi functions."""
    table, kinetics = device.transitions(), device.kinetics(reservoirs)
    W = mpmath.zeros(table.states)
    numbers = kinetics.energies, reservoirs.mu, reservoirs.T
    E, mu, T = (list(map(mpmath.mpf, np.asarray(x).tolist())) for x in numbers)
    for i, j, k, rate in zip(table.empty, table.filled, table.terminal, kinetics.rates.tolist(), strict=True):
        filling = 1 / (1 + mpmath.exp((E[j] - E[i] - mu[k]) / T[k]))
        for start, end, flow in ((i, j, rate * filling), (j, i, rate * (1 - filling))):
            W[end, start] += flow
            W[start, start] -= flow
    return W


def exact_populations(W, initial, times):
    values, vectors = mpmath.eig(W)
    weights = mpmath.lu_solve(vectors, mpmath.matrix(initial))
    found = []
    for t in times:
        grown = mpmath.matrix([mpmath.exp(value * t) * weight for value, weight in zip(values, weights, strict=True)])
        found.append([float(mpmath.re(p)) for p in vectors * grown])
    return np.array(found)


# ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("left", "right"), [(0.01, 0.02), (1e-7, 3.0), (1e-30, 2e-30)])
def test_a_single_dot_relaxes_with_the_sum_of_its_tunnel_rates(left, right):
    dot, reservoirs = single_dot(left, right), m.Reservoirs([1.0, -0.5], [0.7, 1.3])
    rates = relaxation_rates(dot, reservoirs)
    assert rates[0] == 0
    assert rates[1].imag == 0
    np.testing.assert_allclose(rates[1].real, left + right, rtol=1e-13)

    f_left, f_right = 1 / (1 + np.exp((0.3 - 1.0) / 0.7)), 1 / (1 + np.exp((0.3 + 0.5) / 1.3))
    end = (left * f_left + right * f_right) / (left + right)
    times = np.array([0.0, 1e-3, 0.3, 1.0, 5.0, 20.0, 1e6]) / (left + right)
    decayed = np.exp(-(left + right) * times)
    found = evolve(dot, reservoirs, [0.25, 0.75], times)
    n = end + (0.75 - end) * decayed
    np.testing.assert_allclose(found.population, np.stack([1 - n, n], 1), rtol=1e-13)
    np.testing.assert_allclose(found.particle_current[:, 0], left * (f_left - n), rtol=1e-12, atol=1e-15 * left)
    np.testing.assert_allclose(found.particle_current[:, 1], right * (f_right - n), rtol=1e-12, atol=1e-15 * right)
    np.testing.assert_allclose(found.energy_current, 0.3 * found.particle_current, rtol=1e-13)
    np.testing.assert_allclose(found.heat_current, found.particle_current * (0.3 - np.array([1.0, -0.5])), rtol=1e-13)
    np.testing.assert_allclose(found.entropy, -n * np.log(n) - (1 - n) * np.log(1 - n), rtol=1e-13)


@pytest.mark.parametrize("seed", range(3))
def test_populations_against_fifty_digits_with_rates_eight_decades_apart(seed):
    device = three_dots(seed, decades=8)
    reservoirs, p = somewhere(device, seed)
    times = np.array([0.01, 1.0, 3.7, 123.456, 1e4, 2.5e6, 1e8, 3e9, 1e12])
    with mpmath.workdps(50):
        W = exact_chain(device, reservoirs)
        smooth, single = exact_populations(W, p / p.sum(), times), exact_populations(W, [0, 0, 0, 0, 0, 1, 0, 0], times)
    np.testing.assert_allclose(evolve(device, reservoirs, p, times).population, smooth, rtol=1e-13)
    np.testing.assert_allclose(evolve(device, reservoirs, "A+C", times).population, single, rtol=1e-13)


@pytest.mark.parametrize("equal", [True, False])
@pytest.mark.parametrize("seed", range(2))
def test_relaxation_rates_against_fifty_digits_with_rates_eight_decades_apart(seed, equal):
    device = three_dots(seed, decades=8)
    reservoirs = m.Reservoirs([0.2] * 5, [0.1] * 5) if equal else somewhere(device, seed)[0]
    with mpmath.workdps(50):
        values = mpmath.eig(-exact_chain(device, reservoirs), left=False, right=False)
        exact = np.array(sorted([complex(value) for value in values], key=lambda z: (z.real, z.imag)))
    found = np.asarray(relaxation_rates(device, reservoirs))
    assert found[0] == 0
    np.testing.assert_allclose(found[1:], exact[1:], rtol=1e-12)
    assert jnp.max(device.tunnel_rates) / jnp.min(device.tunnel_rates) > 1e6


def test_slow_rates_of_cold_dots_keep_their_digits():
    """An electron that moves from dot to dot through a costly state: 36 decades slower than the tunnel rates."""
    cold = CoulombDots(("A", "B"), (("L", "A"), ("H", "B")), [-0.5, -0.4], [2.0], 0.01 * np.ones((2, 2)))
    reservoirs = m.Reservoirs([0.0, 0.0], [0.005, 0.005])
    with mpmath.workdps(120):
        values = mpmath.eig(exact_chain(cold, reservoirs), left=False, right=False)
        exact = min(abs(value) for value in values if abs(value) > 1e-60)
    np.testing.assert_allclose(relaxation_rates(cold, reservoirs)[1], float(exact), rtol=1e-12)
    assert exact < 1e-35


# ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_entropy_balance_of_random_networks(kind):
    """Σ̇ = dS/dt − ΣJ/T ≥ 0, from single states, too; what comes in is what is there."""
    for seed in range(3):
        device = network(kind, seed)
        reservoirs, p = somewhere(device, seed)
        times = np.geomspace(1e-2, 1e4, 25)
        for initial in (p, np.eye(len(p))[-1]):
            found = evolve(device, reservoirs, initial, times)
            assert np.all(found.population > 0)
            np.testing.assert_allclose(jnp.sum(found.population, axis=1), 1, rtol=1e-14)
            assert np.all(found.entropy_production > 0)
            np.testing.assert_allclose(
                found.entropy_production, found.entropy_rate + found.entropy_flow, rtol=1e-10, atol=0
            )
            np.testing.assert_allclose(
                found.entropy_flow, -np.sum(found.heat_current / np.asarray(reservoirs.T), axis=1), rtol=1e-10
            )
            work = np.asarray(reservoirs.mu) * found.particle_current
            np.testing.assert_allclose(found.heat_current, found.energy_current - work, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("kind", KINDS)
def test_rates_of_change_are_derivatives_in_time(kind):
    device = network(kind, 5)
    reservoirs, p = somewhere(device, 5)
    t = jnp.array([0.7, 31.0, 400.0])
    E = device.kinetics(reservoirs).energies
    found, moved = jax.jvp(lambda t: evolve(device, reservoirs, p, t), (t,), (jnp.ones(3),))
    np.testing.assert_allclose(moved.entropy, found.entropy_rate, rtol=1e-10, atol=1e-15)
    np.testing.assert_allclose(moved.population @ E, jnp.sum(found.energy_current, axis=1), rtol=1e-10, atol=1e-16)
    if not device.hops:
        N = device.space.occupations.sum(axis=1)
        np.testing.assert_allclose(moved.population @ N, jnp.sum(found.particle_current, axis=1), rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("kind", ["two dots", "bath"])
def test_long_times_end_in_the_stationary_state(kind):
    device = network(kind, 7)
    reservoirs, p = somewhere(device, 7)
    found = evolve(device, reservoirs, p, [1e6, 1e30, 1e300])
    steady = device.response(reservoirs).value
    for k in range(3):
        np.testing.assert_allclose(found.population[k], device.populations(reservoirs), rtol=1e-13)
        np.testing.assert_allclose(found.particle_current[k], steady.particle, rtol=1e-10, atol=1e-16)
        np.testing.assert_allclose(found.energy_current[k], steady.energy, rtol=1e-10, atol=1e-16)
    np.testing.assert_allclose(found.entropy_production, found.entropy_flow, rtol=1e-10)


def test_bosons_bring_no_electrons():
    device = network("bath", 1)
    reservoirs, p = somewhere(device, 1)
    found = evolve(device, reservoirs, p, [1.0, 10.0])
    assert np.all(found.particle_current[:, 2] == 0)
    assert np.all(found.energy_current[:, 2] != 0)
    np.testing.assert_array_equal(found.energy_current[:, 2], found.heat_current[:, 2])


def test_the_entropy_production_of_a_state_with_no_way_back_is_infinite():
    device, reservoirs = single_dot(0.01, 0.02), m.Reservoirs([1.0, 0.0], [2.0, 1.0])
    found = evolve(device, reservoirs, "empty", [0.0, 1e-9])
    np.testing.assert_array_equal(found.population[0], [1, 0])
    assert found.entropy_production[0] == found.entropy_rate[0] == np.inf
    assert np.isfinite(found.entropy_flow[0])
    assert found.entropy[0] == 0
    assert np.isfinite(found.entropy_production[1])
    assert found.entropy_production[1] > 0


# ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_at_equal_reservoirs_the_free_energy_falls_to_that_of_the_grand_canonical_state(kind):
    """Ω = ⟨E − μN⟩ − TS; what is produced in all is −ΔΩ/T, and S_end − S_0 − ∫ΣJ/T."""
    device, mu, T = network(kind, 3), 0.4, 0.6
    reservoirs = m.Reservoirs([mu] * len(device.terminals), [T] * len(device.terminals))
    p = somewhere(device, 3)[1]
    above = np.asarray(device.kinetics(reservoirs).energies) - mu * device.space.occupations.sum(axis=1)
    weights = np.exp(-above / T)

    edges = np.linspace(np.log(1e-3), np.log(1e6), 61)
    nodes, lengths = np.polynomial.legendre.leggauss(12)
    u = (edges[:-1, None] + edges[1:, None]) / 2 + np.diff(edges)[:, None] / 2 * nodes
    times, measure = np.exp(u).ravel(), (np.diff(edges)[:, None] / 2 * lengths * np.exp(u)).ravel()
    ends = evolve(device, reservoirs, p, np.exp(edges[[0, -1]]))
    found = evolve(device, reservoirs, p, times)

    omega = np.asarray(found.population @ above - T * found.entropy)
    assert np.all(np.diff(omega) <= 1e-14)
    np.testing.assert_allclose(ends.population[1], weights / weights.sum(), rtol=1e-12)
    fallen = np.asarray(ends.population @ above - T * ends.entropy)
    np.testing.assert_allclose(fallen[1], -T * np.log(weights.sum()), rtol=1e-12)
    produced = measure @ np.asarray(found.entropy_production)
    assert produced > 0.1
    np.testing.assert_allclose(produced, (fallen[0] - fallen[1]) / T, rtol=1e-9)
    np.testing.assert_allclose(
        produced, ends.entropy[1] - ends.entropy[0] + measure @ np.asarray(found.entropy_flow), rtol=1e-9
    )


@pytest.mark.parametrize("kind", KINDS)
def test_with_detailed_balance_all_rates_are_real(kind):
    device = network(kind, 2)
    terminals = len(device.terminals)
    rates = relaxation_rates(device, m.Reservoirs([0.3] * terminals, [0.7] * terminals))
    assert np.all(np.imag(rates) == 0)
    assert rates[0] == 0
    assert np.all(np.diff(np.real(rates)) >= 0)
    assert np.real(rates[1]) > 0


@pytest.mark.parametrize("kind", ["three dots", pytest.param("spin hopping", marks=pytest.mark.slow)])
def test_the_sum_of_all_rates_is_that_of_all_exits(kind):
    device = network(kind, 2)
    reservoirs, _ = somewhere(device, 2)
    step = 1e-6
    exits = 0.0
    for state in np.eye(len(device.state_names())):
        exits += (1 - float(evolve(device, reservoirs, state, step).population[0] @ state)) / step
    np.testing.assert_allclose(np.sum(relaxation_rates(device, reservoirs)), exits, rtol=1e-5)


def test_driven_around_a_loop_populations_oscillate():
    """empty → A → A+B → B → empty with equal rates, no way back: γ(1 − i^k)."""
    device = CoulombDots(
        ("A", "B"), (("L", "A"), ("R", "A"), ("U", "B"), ("D", "B")), [0, 0], [0], [[1, 0], [0, 1], [0, 1], [1, 0]]
    )
    reservoirs = m.Reservoirs([30.0, -30.0, 30.0, -30.0], [0.5] * 4)
    rates = relaxation_rates(device, reservoirs)
    np.testing.assert_allclose(rates, [0, 1 - 1j, 1 + 1j, 2], atol=1e-12)
    found = evolve(device, reservoirs, "empty", [np.pi, 2 * np.pi])
    t = np.array([np.pi, 2 * np.pi])
    np.testing.assert_allclose(
        found.population[:, 0], 0.25 * (1 + np.exp(-2 * t) + 2 * np.exp(-t) * np.cos(t)), rtol=1e-12
    )


def test_the_slowest_rate_is_that_of_the_last_approach():
    device = CoulombDots(("A", "B"), (("L", "A"), ("H", "B")), [-0.5, -0.4], [2.0], [[0.01, 0.02], [0.03, 0.01]])
    reservoirs = m.Reservoirs([0.0, 0.05], [0.03, 0.05])
    slowest = relaxation_rates(device, reservoirs)[1].real
    found = evolve(device, reservoirs, "A", np.array([1.0, 3.0]) / slowest)
    away = np.asarray(found.population - device.populations(reservoirs))
    np.testing.assert_allclose(away[1] / away[0], np.exp(-2), rtol=1e-9)
    assert slowest < 1e-4 * 0.01


# ---------------------------------------------------------------------------------------------------------------------


def test_one_time_after_another():
    device = three_dots(1)
    reservoirs, p = somewhere(device, 1)
    first = evolve(device, reservoirs, p, 7.3)
    both = evolve(device, reservoirs, p, [19.1 + 7.3, 7.3])
    np.testing.assert_allclose(both.population[1], first.population[0], rtol=1e-14)
    np.testing.assert_allclose(evolve(device, reservoirs, first.population[0], 19.1).population[0], both.population[0])
    np.testing.assert_allclose(evolve(device, reservoirs, p, 0.0).population[0], p, rtol=1e-15)


def test_what_falls_apart_stays_in_its_parts():
    """Dot B has no contact: two stationary states, each dot's rate twice."""
    device = DotNetwork(
        dots=("A", "B"),
        leads=("L", "R"),
        levels=[0.3, 0.8],
        tunnel_rates=[[0.01, 0.0], [0.02, 0.0]],
        charging_energies=[2.0],
    )
    reservoirs = m.Reservoirs([1.0, 0.0], [1.0, 1.0])
    np.testing.assert_allclose(relaxation_rates(device, reservoirs), [0, 0, 0.03, 0.03], rtol=1e-13)
    with_B = evolve(device, reservoirs, "B", [3.0, 1e9])
    by_name = dict(zip(device.state_names(), np.asarray(with_B.population).T, strict=True))
    np.testing.assert_array_equal(by_name["empty"] + by_name["A"], 0)
    np.testing.assert_allclose(by_name["B"] + by_name["A+B"], 1, rtol=1e-14)
    assert np.all(np.isfinite(with_B.entropy_production))
    alone = device.stationary_states(reservoirs)[1]
    np.testing.assert_allclose(by_name["A+B"][1], alone["A+B"], rtol=1e-12)


def test_derivatives_and_batches():
    device = three_dots(6)
    reservoirs, p = somewhere(device, 6)

    def at(bias):
        return evolve(device, reservoirs.at(0, mu=bias), p, [3.0, 900.0]).heat_current

    slope, h = jax.jacfwd(at)(0.4), 1e-5
    np.testing.assert_allclose(slope, (at(0.4 + h) - at(0.4 - h)) / (2 * h), rtol=1e-7, atol=1e-10)
    biases = jnp.array([-0.3, 0.4, 2.0])
    np.testing.assert_allclose(jax.vmap(at)(biases), [at(bias) for bias in biases], rtol=1e-12, atol=1e-16)


def test_a_dataset_says_what_it_holds():
    device = three_dots(0)
    reservoirs, p = somewhere(device, 0)
    found = evolve(device, reservoirs, p, [1.0, 2.0])
    dataset = found.dataset()
    assert set(dataset.data_vars) == set(VARIABLES)
    assert dict(dataset.sizes) == {"time": 2, "state": 8, "terminal": 5}
    assert dataset.entropy.dims == ("time",)
    for variable in dataset.data_vars.values():
        assert all(variable.attrs[key] for key in ("units", "long_name", "symbol"))
    assert dataset.time.attrs["units"] == "hbar/energy"
    assert float(dataset.population.sel(time=2.0, state="A+C")) == float(found.population[1, 5])
    assert float(dataset.heat_current.sel(time=1.0, terminal="M")) == float(found.heat_current[0, 2])


@pytest.mark.parametrize(
    ("initial", "times", "named"),
    [
        ("full", [1.0], r"'full' is not the name of one state; there are 'empty', 'D'"),
        ([1.0, 0.0, 0.0], [1.0], r"shape \(3,\).*each of 2 states"),
        ([1.5, -0.5], [1.0], r"\[1.5, -0.5\] is no probability vector"),
        ([0.5, 0.4], [1.0], r"with sum 1"),
        ([np.nan, 1.0], [1.0], r"no probability vector"),
        ("D", [1.0, -2.0], r"times = \[-2.0\].*from 0 on"),
        ("D", [np.inf], r"finite times"),
        ("D", [[1.0]], r"shape \(1, 1\)"),
    ],
)
def test_mistakes_are_named(initial, times, named):
    with pytest.raises(ValueError, match=named):
        evolve(single_dot(0.01, 0.02), m.Reservoirs([1.0, 0.0], [2.0, 1.0]), initial, times)
