"""Networks of dots against QmeQ, closed forms, 60-digit arithmetic, and each other."""

import itertools
import json
from pathlib import Path

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

from mesotherm import Effort, Reservoirs, ThermalizingProbe, steady_state
from mesotherm.devices.dot_network import DotNetwork
from mesotherm.fluctuations import cumulants, noise, uncertainty_product
from mesotherm.results import Outcome

SYSTEMS = json.loads((Path(__file__).parents[1] / "data" / "qmeq.json").read_text())["systems"]


def of_system(system):
    """A network recorded from QmeQ."""
    size = len(system["levels"])
    pairs = [f"{i},{j}" for i, j in itertools.combinations(range(size), 2)]
    return DotNetwork(
        dots=tuple("ABCD"[:size]),
        leads=tuple(f"T{k}" for k in range(len(system["mu"]))),
        levels=system["levels"],
        tunnel_rates=system["rates"],
        charging_energies=[system["coulomb"].get(pair, 0.0) for pair in pairs],
        hopping=[system["hopping"].get(pair, 0.0) for pair in pairs] if system["hopping"] else 0.0,
    )


@pytest.mark.parametrize(
    ("number", "effort"),
    [(number, Effort.FAST) for number in range(len(SYSTEMS))]
    + [pytest.param(n, Effort.STRICT, marks=[pytest.mark.slow] * (n > 1)) for n in range(len(SYSTEMS))],
)
def test_pauli_currents_are_those_of_qmeq(number, effort):
    system = SYSTEMS[number]
    respond = jax.jit(lambda device, reservoirs: device.response(reservoirs, effort))
    answer = respond(of_system(system), Reservoirs(system["mu"], system["T"]))
    for quantity in ("particle", "energy"):
        found, expected = getattr(answer.value, quantity), np.array(system["Pauli"][quantity])
        one_way = float(jnp.max(getattr(answer.one_way, quantity)))
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10 * min(one_way, np.abs(expected).max()))


def single(level=1.2, left=0.7, right=0.4, **more):
    return DotNetwork(dots=("D",), leads=("L", "R"), levels=[level], tunnel_rates=[[left], [right]], **more)


WARM = Reservoirs([0.9, 0.2], [1 / 0.8, 1 / 1.3])


def test_single_dot_in_closed_form():
    state = steady_state(single(), WARM)
    counted = cumulants(state)
    f, g = (1 / (1 + np.exp(0.8 * 0.3)), 1 / (1 + np.exp(1.3 * 1.0))), 1.1
    g1, g2 = 0.28 * (f[0] - f[1]), 0.28 * (f[0] + f[1] - 2 * f[0] * f[1])
    first, second, third = g1 / g, g2 / g - 2 * g1**2 / g**3, g1 / g - 6 * g1 * g2 / g**3 + 12 * g1**3 / g**5
    assert float(state.currents.particle[0]) == pytest.approx(0.057558157688275, rel=1e-13)
    assert float(counted.particle[1, 0]) == pytest.approx(0.11255990637152, rel=1e-13)
    np.testing.assert_allclose(counted.particle[:3, 0], [first, second, third], rtol=1e-13)
    np.testing.assert_allclose(counted.particle[:, 1], np.array(counted.particle[:, 0]) * [-1, 1, -1, 1], rtol=1e-12)
    np.testing.assert_allclose(
        counted.energy[:, 0], np.array(counted.particle[:, 0]) * 1.2 ** np.arange(1, 5), rtol=1e-12
    )
    heat = np.array(counted.particle[:, 0]) * 0.3 ** np.arange(1, 5)
    np.testing.assert_allclose(counted.heat[:, 0], heat, rtol=1e-12)


def fourth_cumulant(left, right, f):
    """Of the single dot, in 60 digits, from its generating function: an eigenvalue of a 2×2 matrix."""
    with mpmath.workdps(60):
        into = [mpmath.mpf(left) * f[0], mpmath.mpf(right) * f[1]]
        out = [mpmath.mpf(left) * (1 - f[0]), mpmath.mpf(right) * (1 - f[1])]

        def largest(chi):
            a, d = -sum(into), -sum(out)
            b, c = out[0] * mpmath.exp(-chi) + out[1], into[0] * mpmath.exp(chi) + into[1]
            return (a + d) / 2 + mpmath.sqrt((a - d) ** 2 / 4 + b * c)

        return [float(value) for value in mpmath.taylor(largest, 0, 4)[1:]] * np.array([1, 2, 6, 24])


def test_four_cumulants_from_the_generating_function():
    with mpmath.workdps(60):
        f = [1 / (1 + mpmath.exp(mpmath.mpf(0.8) * mpmath.mpf(0.3))), 1 / (1 + mpmath.exp(mpmath.mpf(1.3)))]
    counted = cumulants(steady_state(single(), Reservoirs([0.9, 0.2], [1 / 0.8, 1 / 1.3])))
    np.testing.assert_allclose(counted.particle[:, 0], fourth_cumulant(0.7, 0.4, f), rtol=1e-12)


def test_spin_without_interaction_is_two_dots():
    spinful = single(spinful=("D",), zeeman=0.6, polarization=[0.5, -0.2])
    answer = spinful.response(WARM)
    parts = [
        single(1.2 + sign * 0.3, 0.7 * (1 + sign * 0.5), 0.4 * (1 - sign * 0.2)).response(WARM).value
        for sign in (1, -1)
    ]
    for quantity in ("particle", "energy"):
        expected = sum(getattr(part, quantity) for part in parts)
        np.testing.assert_allclose(getattr(answer.value, quantity), expected, rtol=1e-13)


def test_blockaded_spin_doubles_the_rate_in():
    """U → ∞: states 0, ↑, ↓; f counts twice on the way in, once on the way out."""
    found = single(charging_energies=[600.0], spinful=("D",)).response(WARM).value.particle[0]
    f = np.array([1 / (1 + np.exp(0.8 * 0.3)), 1 / (1 + np.exp(1.3 * 1.0))])
    rates = np.array([0.7, 0.4])
    into, out = 2 * np.sum(rates * f), np.sum(rates * (1 - f))
    p1 = into / (into + out)
    assert float(found) == pytest.approx(0.7 * (2 * f[0] * (1 - p1) - (1 - f[0]) * p1), rel=1e-13)


def test_opposite_spins_attract_by_the_spin_coupling():
    """Two dots, each with one spin only by a large Zeeman splitting: U − κ_s is left (Ghosh & Ghosh, Eq. 52)."""
    pair = DotNetwork(
        dots=("b", "u"),
        leads=("L", "R", "U"),
        levels=[1.0 + 200.0, 1.5 + 200.0],
        tunnel_rates=[[0.02, 0.0], [0.03, 0.0], [0.0, 0.05]],
        charging_energies=[1.0, 900.0, 900.0],
        spinful=("b", "u"),
        zeeman=[400.0, -400.0],
        spin_couplings=[3.5],
    )
    plain = DotNetwork(
        dots=("b", "u"),
        leads=("L", "R", "U"),
        levels=[1.0, 1.5],
        tunnel_rates=[[0.02, 0.0], [0.03, 0.0], [0.0, 0.05]],
        charging_energies=[1.0 - 3.5],
    )
    baths = Reservoirs([0.5, 0.2, 0.1], [1.0, 1.5, 0.7])
    for quantity in ("particle", "energy"):
        found, expected = (getattr(device.response(baths).value, quantity) for device in (pair, plain))
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-16)


def test_strong_hopping_makes_bonding_and_antibonding_levels():
    """Without interaction: each lead couples to either eigenstate of the two levels with half its rate."""
    double = DotNetwork(
        dots=("A", "B"), leads=("L", "R"), levels=[0.3, 0.3], tunnel_rates=[[0.02, 0], [0, 0.05]], hopping=[0.8]
    )
    parts = [single(0.3 + sign * 0.8, 0.01, 0.025).response(WARM).value for sign in (1, -1)]
    found = double.response(WARM).value
    for quantity in ("particle", "energy"):
        expected = sum(getattr(part, quantity) for part in parts)
        np.testing.assert_allclose(getattr(found, quantity), expected, rtol=1e-12)


def test_a_dark_state_blocks_nothing_else():
    """Two levels on the same leads with the same amplitudes: the antisymmetric one is never entered, never left."""
    double = DotNetwork(
        dots=("A", "B"), leads=("L", "R"), levels=[0.3, 0.3], tunnel_rates=[[0.02] * 2, [0.05] * 2], hopping=[0.8]
    )
    baths = Reservoirs([0.5, 0.2], [1.0, 1.5])
    assert float(double.response(baths).stationary_states) == 2
    assert steady_state(double, baths, throw=False).outcome == Outcome.NOT_UNIQUE


def test_several_stationary_states_are_named():
    lonely = DotNetwork(dots=("A", "B"), leads=("L", "R"), levels=[0.3, 0.5], tunnel_rates=[[0.1, 0.0], [0.2, 0.0]])
    for effort in (Effort.STRICT, Effort.STUBBORN):
        state = steady_state(lonely, WARM, effort=effort, throw=False)
        assert state.outcome == Outcome.NOT_UNIQUE
        assert np.all(np.isnan(state.currents.particle))
    with pytest.raises(RuntimeError, match="not unique"):
        steady_state(lonely, WARM)
    found = lonely.stationary_states(WARM)
    p = float(single(0.3, 0.1, 0.2).populations(WARM)[1])
    assert found == [{"empty": pytest.approx(1 - p), "A": pytest.approx(p)},
                     {"B": pytest.approx(1 - p), "A+B": pytest.approx(p)}]  # fmt: skip


def attractive_pair():
    return DotNetwork(
        dots=("A", "B"),
        leads=("L", "R"),
        levels=[2.0, 2.1],
        tunnel_rates=[[0.1, 0.3], [0.2, 0.0]],
        charging_energies=[-4.1],
    )


def test_currents_far_below_the_smallest_float():
    """A pair that attracts is stuck, empty or full, for exp(2000): populations of both are right all the same."""
    device, cold = attractive_pair(), Reservoirs([0.01, -0.01], [1e-3, 1.2e-3])
    answer = device.response(cold)
    assert np.all(np.isfinite(answer.value.particle))
    assert float(answer.stationary_states) == 1
    np.testing.assert_allclose(np.sum(device.populations(cold)), 1.0, rtol=1e-14)
    with mpmath.workdps(80):
        exact = _exact_populations(device, cold)
    found = np.asarray(device.populations(cold))
    there = np.array([p > 1e-290 for p in exact])
    np.testing.assert_allclose(found[there], [float(p) for p in np.array(exact)[there]], rtol=1e-11)


def _exact_populations(device, reservoirs):
    """Null vector of the rate matrix in multiple precision."""
    table = device.transitions()
    kinetics = device.kinetics(reservoirs)
    E, rates = ([mpmath.mpf(float(x)) for x in values] for values in (kinetics.energies, kinetics.rates))
    W = mpmath.zeros(table.states)
    mpmath.mp.dps = 9000
    for a, b, terminal, rate in zip(table.empty, table.filled, table.terminal, rates, strict=True):
        mu, T = (mpmath.mpf(float(x[terminal])) for x in (reservoirs.mu, reservoirs.T))
        z = (E[b] - E[a] - mu) / T
        for start, end, part in ((a, b, rate / (1 + mpmath.exp(z))), (b, a, rate / (1 + mpmath.exp(-z)))):
            W[end, start] += part
            W[start, start] -= part
    for j in range(table.states):
        W[0, j] = 1
    right = mpmath.zeros(table.states, 1)
    right[0] = 1
    found = list(mpmath.lu_solve(W, right))
    mpmath.mp.dps = 15
    return found


def test_little_and_much_effort_agree_where_both_can():
    device, baths = attractive_pair(), Reservoirs([0.5, -0.5], [1.0, 2.0])
    quick, careful = (device.response(baths, effort) for effort in (Effort.FAST, Effort.STRICT))
    np.testing.assert_allclose(quick.value.particle, careful.value.particle, rtol=1e-13)
    cold = Reservoirs([0.5, -0.5], [1e-3, 1e-3])
    assert cumulants(steady_state(device, cold)).outcome != Outcome.CONVERGED
    assert not np.any(np.isfinite(device.response(cold, Effort.FAST).error.particle))
    assert np.all(np.isfinite(device.response(cold, Effort.STRICT).error.particle))


def test_rates_that_follow_a_lorentzian_and_a_band_edge():
    """A dot sees a lead's density of states at its own level."""
    shaped = single(
        resonance=[0.5, 0.0], resonance_width=[0.4, np.inf], band_edge=[-np.inf, 0.2], edge_width=[0.0, 3.0]
    )
    left, right = 0.7 / (1 + (0.7 / 0.4) ** 2), 0.4 / np.sqrt(1 + 3.0 / 1.0)
    found, expected = (device.response(WARM).value.particle for device in (shaped, single(1.2, left, right)))
    np.testing.assert_allclose(found, expected, rtol=1e-13)
    assert float(shaped.shifted(1.0).response(WARM.shifted(1.0)).value.particle[0]) == pytest.approx(
        float(found[0]), rel=1e-12
    )
    closed = single(band_edge=[-np.inf, 1.3])
    np.testing.assert_allclose(closed.response(WARM).value.particle, 0.0, atol=1e-16)


def boson_assisted(hopping=0.0):
    return DotNetwork(
        dots=("one", "two"),
        leads=("L", "R"),
        levels=[0.2, 1.7],
        tunnel_rates=[[0.02, 0.0], [0.0, 0.03]],
        charging_energies=[40.0],
        baths=("B",),
        bath_rates=[[0.04]],
        hopping=hopping,
    )


def test_bosons_drive_a_current_with_tightly_coupled_heat():
    """Every electron from L to R takes ε_2 − ε_1 from the bath, so that the device stalls at Carnot efficiency."""
    answer = boson_assisted().response(Reservoirs([0.0, 0.0, 0.0], [1.0, 1.0, 2.0]))
    into = np.asarray(answer.value.particle)
    assert into[0] > 0
    assert into[2] == 0
    np.testing.assert_allclose(answer.value.energy[2], 1.5 * into[0], rtol=1e-12)
    stall = 1.5 * (1 - 1.0 / 2.0)  # μ_R − μ_L = (ε_2 − ε_1) η_C
    still = boson_assisted().response(Reservoirs([0.0, stall, 0.0], [1.0, 1.0, 2.0]))
    assert np.all(np.abs(still.value.particle) <= 1e-14 * np.max(still.one_way.particle))


def test_bosons_in_closed_form():
    """A three-state cycle, 0 → 1 → 2 → 0 with Bose rates n and n + 1, solved by hand."""
    baths = Reservoirs([0.0, 0.1, 5.0], [1.0, 1.0, 2.0])
    f1, f2, n = 1 / (1 + np.exp(0.2)), 1 / (1 + np.exp(1.6)), 1 / np.expm1(0.75)
    W = np.zeros((3, 3))
    for a, b, there, back in ((0, 1, 0.02 * f1, 0.02 * (1 - f1)), (0, 2, 0.03 * f2, 0.03 * (1 - f2)),
                              (1, 2, 0.04 * n, 0.04 * (n + 1))):  # fmt: skip
        W[b, a] += there
        W[a, a] -= there
        W[a, b] += back
        W[b, b] -= back
    p = np.linalg.solve(np.vstack([W[:2], np.ones(3)]), [0, 0, 1])
    found = boson_assisted().response(baths).value
    assert float(found.particle[0]) == pytest.approx(0.02 * (f1 * p[0] - (1 - f1) * p[1]), rel=1e-11)
    assert float(found.energy[2]) == pytest.approx(1.5 * 0.04 * (n * p[1] - (n + 1) * p[2]), rel=1e-11)


def test_weak_hopping_changes_little_of_what_bosons_do():
    baths = Reservoirs([0.0, 0.1, 5.0], [1.0, 1.0, 2.0])
    without, weak = (boson_assisted(h).response(baths).value.particle for h in (0.0, jnp.array([1e-4])))
    np.testing.assert_allclose(weak, without, rtol=1e-6)


@pytest.mark.slow
def test_noise_of_dots_with_probes():
    device = DotNetwork(
        dots=("A", "B"),
        leads=("L", "R", "P"),
        levels=[0.2, 0.7],
        tunnel_rates=[[0.1, 0.02], [0.03, 0.08], [0.05, 0.05]],
        charging_energies=[2.0],
    )
    probe = [ThermalizingProbe("P")]
    away = steady_state(device, Reservoirs([0.5, -0.5, 0], [1, 2, 1]), probe)
    frozen, following = (noise(away, following=names) for names in ((), ("P",)))
    for found in (frozen, following):
        assert found.outcome == Outcome.CONVERGED
        np.testing.assert_allclose(jnp.sum(found.value.particle, axis=0), 0.0, atol=1e-15)
        product, error = uncertainty_product(away, found)
        assert np.all(np.asarray(product - error)[:2] >= 2)
    np.testing.assert_allclose(following.value.particle[2], 0.0, atol=1e-17)
    np.testing.assert_allclose(following.value.heat[2], 0.0, atol=1e-17)
    level = steady_state(device, Reservoirs([0.3] * 3, [1.4] * 3), probe)
    conductance = jax.jacfwd(lambda mu: device.response(Reservoirs(mu, [1.4] * 3)).value.particle)(jnp.full(3, 0.3))
    johnson = noise(level, following=())
    np.testing.assert_allclose(johnson.value.particle, 1.4 * (conductance + conductance.T), rtol=1e-12)
    assert johnson.shot is None


def test_derivatives_with_a_coupling_at_zero_and_numbers_of_any_size():
    """The slope at zero coupling, where a logarithm of the rate has none."""

    def current(rate, effort):
        device = DotNetwork(
            dots=("D",), leads=("L", "R"), levels=[1.2], tunnel_rates=jnp.stack([rate, jnp.full(1, 0.4)])
        )
        return device.response(WARM, effort).value.particle[0]

    slopes = [float(jax.grad(current)(jnp.zeros(1), effort)[0]) for effort in (Effort.FAST, Effort.STRICT)]
    f = np.array([1 / (1 + np.exp(0.8 * 0.3)), 1 / (1 + np.exp(1.3 * 1.0))])
    np.testing.assert_allclose(slopes, f[0] - f[1], rtol=1e-13)


@pytest.mark.parametrize("effort", [Effort.FAST, Effort.STRICT])
def test_derivative_with_a_level_exactly_at_mu(effort):
    """z = 0, where the slope of its absolute value is not what it seems: d/dε of γ_L γ_R (f_L − f_R)/(γ_L + γ_R)."""
    baths = Reservoirs([0.0, -0.3], [1.0, 1.0])
    slope = jax.jacfwd(lambda level: single(level).response(baths, effort).value.particle[0])(0.0)
    f = np.array([0.5, 1 / (1 + np.exp(0.3))])
    expected = 0.7 * 0.4 / 1.1 * np.diff(f * (1 - f))[0]
    assert float(slope) == pytest.approx(expected, rel=1e-13)


def test_derivatives_with_hopping():
    """Reverse mode through eigenstates, with tunnel rates that are zero, against differences."""
    baths = Reservoirs([0.5, -0.5], [1.0, 2.0])

    def current(numbers):
        levels, hopping, rates = jnp.split(numbers, [2, 3])
        device = DotNetwork(dots=("A", "B"), leads=("L", "R"), levels=levels, tunnel_rates=rates.reshape(2, 2),
                            charging_energies=[2.0], hopping=hopping)  # fmt: skip
        return device.response(baths, Effort.FAST).value.particle[0]

    at = jnp.array([0.3, 0.8, 0.5, 0.01, 0.0, 0.0, 0.01])
    gradient = jax.grad(current)(at)
    for position, step in [(0, 1e-4), (1, 1e-4), (2, 1e-4), (3, 1e-6), (6, 1e-6)]:
        e = step * jnp.eye(7)[position]
        difference = (8 * (current(at + e) - current(at - e)) - (current(at + 2 * e) - current(at - 2 * e))) / (
            12 * step
        )
        assert float(gradient[position]) == pytest.approx(float(difference), rel=1e-7)
    assert np.all(np.isfinite(gradient))
    np.testing.assert_allclose(jax.jacfwd(current)(at), gradient, rtol=1e-11)


def test_heat_is_bounded_where_levels_are_far_apart():
    """Two dots whose levels differ by 1e5: the energy an electron brings is a difference of large numbers."""
    device = DotNetwork(
        dots=("A", "B"), leads=("L", "R", "G"), levels=[-1.15e-5, -93350.3],
        tunnel_rates=[[0.01, 0.0], [0.01, 0.0], [0.0, 0.01]],
    )  # fmt: skip
    answer = device.response(Reservoirs([0.0, 5.0, -93330.3], [1.0] * 3))
    with mpmath.workdps(50):
        level = mpmath.mpf(-1.15e-5)
        f = [1 / (1 + mpmath.exp(level - mu)) for mu in (0, 5)]
        exact = float(mpmath.mpf(0.01) / 2 * (f[0] - f[1]) * level)
    assert abs(float(answer.value.energy[0]) - exact) <= float(answer.error.energy[0])
