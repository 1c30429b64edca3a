"""A barrier given as a table in a two-terminal conductor: the interpolation, its integrals, the laws, and how well the
error of the interpolation is estimated.
"""

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from jaxtyping import Array, Float
from mpmath import mpf
from scipy.interpolate import CubicSpline, PchipInterpolator

from mesotherm import Effort, Reservoirs, ResonantBarrier, ThermalizationDiode, TransparentRegion
from mesotherm.devices.barriers import AbstractBarrier
from mesotherm.devices.tabulated_barrier import MOST_ROWS, TabulatedBarrier, other_readings
from mesotherm.devices.two_terminal_conductor import TwoTerminalConductor
from mesotherm.fields import FieldError, parameter

L, R = 0, 1
GRID = 2.0**-20
"""Energies that are shifted are multiples of this one, so that a shifted problem is exactly the same."""

response = jax.jit(lambda device, reservoirs: device.response(reservoirs, Effort.STRICT))
probability = jax.jit(lambda barrier, energies: jax.vmap(barrier.probability)(energies))


def random_table(rng, rows, reach=5.0):
    """Rows at uneven distances, none below a twentieth of the mean one."""
    distances = rng.uniform(0.05, 1.0, rows - 1)
    energies = np.concatenate([[0.0], np.cumsum(distances)])
    return (2 * energies / energies[-1] - 1) * reach, rng.random(rows)


# ---------------------------------------------------------------------------------------------------------------------
# The interpolation.


@pytest.mark.parametrize("rows", [4, 5, 60])
def test_the_interpolation_is_the_monotone_cubic_and_the_smooth_reading_the_spline(rows):
    energies, transmissions = random_table(np.random.default_rng(rows), rows)
    barrier = TabulatedBarrier(energies, transmissions)
    inside = np.concatenate([energies, np.linspace(energies[0], energies[-1], 997)])
    expected = PchipInterpolator(energies, transmissions)(inside)
    np.testing.assert_allclose(probability(barrier, inside), expected, rtol=0, atol=1e-14)
    expected = CubicSpline(energies, transmissions)(inside)
    np.testing.assert_allclose(probability(barrier.smoothed(), inside), expected, rtol=0, atol=1e-12)


def test_a_straight_line_is_reproduced_and_goes_on_level_beyond_the_table():
    rng = np.random.default_rng(1)
    energies, _ = random_table(rng, 9)
    barrier = TabulatedBarrier(energies, 0.5 + 0.09 * energies, 0.25)
    anywhere = np.linspace(-8.0, 8.0, 333)
    expected = 0.5 + 0.09 * np.clip(anywhere - 0.25, energies[0], energies[-1])
    np.testing.assert_allclose(probability(barrier, anywhere), expected, rtol=0, atol=1e-15)


def test_the_smooth_reading_reproduces_cubics():
    energies, _ = random_table(np.random.default_rng(2), 9)
    cubic = np.polynomial.Polynomial([2.0, -0.3, 0.04, 0.01])
    inside = np.linspace(energies[0], energies[-1], 333)
    found = probability(TabulatedBarrier(energies, cubic(energies)).smoothed(), inside)
    np.testing.assert_allclose(found, cubic(inside), rtol=1e-14)


def test_transmissions_stay_between_those_of_the_neighbouring_rows():
    rng = np.random.default_rng(3)
    energies, transmissions = random_table(rng, 400)
    transmissions *= 10.0 ** rng.uniform(-30, 0, 400) * (rng.random(400) < 0.8)
    share = np.linspace(0, 1, 21)
    energy = energies[:-1, None] + np.diff(energies)[:, None] * share
    found = np.asarray(probability(TabulatedBarrier(energies, transmissions), energy.ravel())).reshape(energy.shape)
    low, high = np.sort([transmissions[:-1], transmissions[1:]], axis=0)
    assert np.all(found >= low[:, None] * (1 - 1e-12))
    assert np.all(found <= high[:, None] * (1 + 1e-12))


def test_energies_far_from_zero_keep_their_digits():
    """A peak of width 1e-6 at 1e6: distances between rows are exact, and so are those to the electrochemical potential,
    which is a power of two away."""
    shape = np.array([0.0, 0.1, 0.9, 0.3, 0.2])
    steps = np.array([0.0, 1.0, 2.0, 3.0, 4.0]) * 2.0**-20
    near, far = TabulatedBarrier(steps, shape), TabulatedBarrier(2.0**20 + steps, shape)
    T = np.full(2, 2.0**-18)
    mu = np.array([2.0, -1.0]) * 2.0**-20
    here, there = (
        response(TwoTerminalConductor(barrier), Reservoirs(mu + zero, T))
        for barrier, zero in ((near, 0.0), (far, 2.0**20))
    )
    np.testing.assert_allclose(there.value.particle, here.value.particle, rtol=1e-13)
    moved = response(TwoTerminalConductor(TabulatedBarrier(steps, shape, 2.0**20)), Reservoirs(mu + 2.0**20, T))
    np.testing.assert_allclose(moved.value.particle, here.value.particle, rtol=1e-13)


@pytest.mark.parametrize(
    ("energies", "transmissions", "field", "message"),
    [
        ([0, 1, 2], [0, 1, 2], "energies", "has 3 rows; a table takes 4 to 2000: give more"),
        (np.arange(MOST_ROWS + 1), np.ones(MOST_ROWS + 1), "energies", "has 2001 rows; .*: leave some out"),
        ([0, 1, 2, 3], [0, 1, 0, 1, 0], "transmissions", "transmissions has 5 rows and energies 4"),
        ([[0, 1], [2, 3]], [0, 1, 0, 1], "energies", r"has the shape \(2, 2\)"),
        (1.0, [0, 1, 0, 1], "energies", r"has the shape \(\)"),
        ([0, 1, 1, 2], [0, 1, 0, 1], "energies", r"1\.0 in row 3, after 1\.0 in row 2; sort"),
        ([0, 2, 1, 3], [0, 1, 0, 1], "energies", r"1\.0 in row 3, after 2\.0 in row 2; sort"),
        ([0, 1, np.nan, 2], [0, 1, 0, 1], "energies", "nan in row 3"),
        ([0, 1, 2, np.inf], [0, 1, 0, 1], "energies", "inf in row 4"),
        ([0, 1, 2, 3], [0, 1, -0.1, 1], "transmissions", r"-0\.1 in row 3; give zero or a positive number"),
        ([0, 1, 2, 3], [np.nan, 1, 0, 1], "transmissions", "nan in row 1"),
    ],
)
def test_a_bad_table_is_refused_with_the_row(energies, transmissions, field, message):
    with pytest.raises(FieldError, match=message) as caught:
        TabulatedBarrier(energies, transmissions)
    assert caught.value.field == field
    assert len(str(caught.value)) < 200


# ---------------------------------------------------------------------------------------------------------------------
# Integrals.


def exact_currents(barrier, mu, T):
    """Particle and heat current into L for the interpolated function at 30 digits: scipy's polynomials, piece by
    piece, and the constants beyond; both spins."""
    x, f, zero = (np.asarray(a) for a in (barrier.energies, barrier.transmissions, barrier.origin))
    pieces = PchipInterpolator(x, f).c.T
    mu, T = [mpf(float(m)) for m in mu], [mpf(float(t)) for t in T]
    knots = [mpf(float(a)) + mpf(float(zero)) for a in x]
    low, high = min(a - 90 * t for a, t in zip(mu, T, strict=True)), max(a + 90 * t for a, t in zip(mu, T, strict=True))
    fermi = sorted(a + k * t for a, t in zip(mu, T, strict=True) for k in (-30, -10, -3, 0, 3, 10, 30))

    def integral(power, start, stop, function):
        if stop <= start:
            return mpf(0)

        def flow(energy):
            f_left, f_right = (1 / (1 + mpmath.exp((energy - a) / t)) for a, t in zip(mu, T, strict=True))
            return function(energy) * (f_left - f_right) * (energy - mu[0]) ** power / mpmath.pi

        return mpmath.quad(flow, [start, *(e for e in fermi if start < e < stop), stop])

    def total(power):
        result = integral(power, low, min(knots[0], high), lambda energy: mpf(float(f[0])))
        result += integral(power, max(knots[-1], low), high, lambda energy: mpf(float(f[-1])))
        for start, stop, coefficients in zip(knots[:-1], knots[1:], pieces, strict=True):
            a, b, c, d = (mpf(float(coefficient)) for coefficient in coefficients)

            def cubic(energy, start=start, a=a, b=b, c=c, d=d):
                return ((a * (energy - start) + b) * (energy - start) + c) * (energy - start) + d

            result += integral(power, max(start, low), min(stop, high), cubic)
        return result

    with mpmath.workdps(30):
        return total(0), total(1)


@pytest.mark.parametrize(
    ("scale", "origin", "mu", "T"),
    [
        (1.0, 0.125, (0.4, -0.3), (1.0, 1.5)),  # as wide as the Fermi functions
        (0.2, 0.0, (2.0, 0.0), (1.0, 1.0)),  # narrow: its constants beyond both ends matter most
        (40.0, 0.0, (0.0, 0.0), (2.0, 1.0)),  # wide
        (1e-4, 0.1, (0.0, 1e-3), (1.0, 0.5)),  # all rows within a thousandth of the temperature
        (1.0, 0.0, (7.0, -7.0), (0.02, 0.01)),  # sharp Fermi functions beyond the table
        (1.0, 0.3, (1e-7, 0.0), (1.0, 1.0)),  # close to equilibrium
        (1e-3, 857.1, (857.4, 856.9), (1.0, 0.7)),  # narrow, and far from the zero of energy
    ],
)
def test_integrals_of_the_interpolated_function_are_within_their_bounds(scale, origin, mu, T):
    energies, transmissions = random_table(np.random.default_rng(7), 8)
    barrier = TabulatedBarrier(scale * energies, transmissions, origin)
    mu = np.array(mu)
    answer = response(TwoTerminalConductor(barrier), Reservoirs(mu, T))
    particle, heat = exact_currents(barrier, mu, T)
    found = answer.value.particle[L], answer.value.energy[L] - mu[L] * answer.value.particle[L]
    for value, exact, bound, one_way in zip(
        found,
        (particle, heat),
        (answer.error.particle[L], answer.error.energy[L]),
        (answer.one_way.particle[L], answer.one_way.energy[L]),
        strict=True,
    ):
        assert abs(mpf(float(value)) - exact) <= float(bound)
        assert float(bound) <= 1e-9 * float(one_way)


@pytest.mark.parametrize("barrier", [TransparentRegion(), TabulatedBarrier([-2.0, -1.0, 1.0, 2.0], np.ones(4))])
def test_a_transparent_conductor_carries_the_quanta_of_charge_and_heat(barrier):
    """I = g_s/h × bias; heat conductance g_s/h × π² k_B² T/3 per unit of the temperature difference, and exactly
    g_s/h × π² (T_L² − T_R²)/6."""
    conductor, spin = TwoTerminalConductor(barrier, spin_degeneracy=1.0), 1 / (2 * np.pi)
    driven = response(conductor, Reservoirs([1e-4, 0.0], [0.7, 0.7]))
    assert float(driven.value.particle[L]) == pytest.approx(spin * 1e-4, rel=1e-10)
    heated = response(conductor, Reservoirs([0.0, 0.0], [0.7 + 1e-4, 0.7]))
    assert float(heated.value.energy[L]) == pytest.approx(spin * np.pi**2 / 3 * (0.7 + 0.5e-4) * 1e-4, rel=1e-10)
    assert abs(float(heated.value.particle[L])) <= float(heated.error.particle[L])


def test_a_resonance_carries_what_a_diode_with_an_ideal_contact_does():
    """Two terminals with a resonance between them, and the diode's left barrier: the same integrals."""
    barrier = ResonantBarrier(0.8, 0.3)
    two = response(TwoTerminalConductor(barrier, band_bottom=-9.0), Reservoirs([0.5, -0.2], [1.0, 2.0]))
    diode = ThermalizationDiode(left=barrier, right=TransparentRegion(), band_bottom=-9.0)
    three = response(diode, Reservoirs([0.5, -0.2, -0.2], [1.0, 2.0, 2.0]))
    assert float(two.value.particle[L]) == pytest.approx(float(three.value.particle[L]), rel=1e-10)
    assert float(two.value.energy[L]) == pytest.approx(float(three.value.energy[L]), rel=1e-10)


# ---------------------------------------------------------------------------------------------------------------------
# Laws and symmetries, on random problems.

BATCH = 64


def build_table(row):
    return TabulatedBarrier(row["energies"], row["transmissions"], row["origin"])


def build_resonance(row):
    return ResonantBarrier(row["origin"], row["transmissions"][0] + 1e-3)


@pytest.fixture(scope="module", params=[build_table, build_resonance], ids=["table", "resonance"])
def problems(request):
    """Random problems and what solves them: arrays of currents, with the zero of energy shifted."""
    rng = np.random.default_rng(11)
    tables = [random_table(rng, 12, reach=10 ** rng.uniform(-2, 2)) for _ in range(BATCH)]

    def on_grid(low, high, size):
        return np.round(rng.uniform(low, high, size) / GRID) * GRID

    rows = {
        "energies": np.stack([energies for energies, _ in tables]),
        "transmissions": np.stack([transmissions for _, transmissions in tables]),
        "origin": on_grid(-4, 4, BATCH),
        "mu": on_grid(-4, 4, (BATCH, 2)),
        "T": np.exp(rng.uniform(-1, 1, (BATCH, 2))),
    }

    @jax.jit
    def solve(rows, shift):
        def one(row, shift):
            device = TwoTerminalConductor(request.param(row), band_bottom=row["origin"] - 20.0).shifted(shift)
            return device.response(Reservoirs(row["mu"], row["T"]).shifted(shift))

        return jax.vmap(one)(rows, shift)

    return rows, solve


def test_particles_and_energy_are_conserved_and_entropy_is_produced(problems):
    rows, solve = problems
    answer = solve(rows, np.zeros(BATCH))
    particle, energy = np.asarray(answer.value.particle), np.asarray(answer.value.energy)
    one_way, one_way_heat = np.asarray(answer.one_way.particle).max(1), np.asarray(answer.one_way.energy).max(1)
    assert np.all(abs(particle.sum(1)) <= 1e-12 * one_way)
    assert np.all(abs(energy.sum(1)) <= 1e-12 * (one_way_heat + abs(rows["mu"]).max(1) * one_way))
    produced = -np.sum((energy - rows["mu"] * particle) / rows["T"], axis=1)
    assert np.all(produced > 0)


def test_nothing_flows_at_equilibrium(problems):
    rows, solve = problems
    rows = rows | {name: np.repeat(rows[name][:, :1], 2, axis=1) for name in ("mu", "T")}
    answer = solve(rows, np.zeros(BATCH))
    heat = answer.value.energy - rows["mu"] * answer.value.particle
    assert np.all(abs(answer.value.particle) <= 1e-15 * answer.one_way.particle)
    assert np.all(abs(heat) <= 1e-14 * answer.one_way.energy)


def test_the_zero_of_energy_is_arbitrary(problems):
    rows, solve = problems
    shift = np.round(np.random.default_rng(12).uniform(-300, 300, BATCH) / GRID) * GRID
    here, there = solve(rows, np.zeros(BATCH)), solve(rows, shift)
    np.testing.assert_array_less(
        abs(there.value.particle - here.value.particle), 1e-12 * np.asarray(here.one_way.particle)
    )
    moved = there.value.energy - shift[:, None] * there.value.particle
    scale = here.one_way.energy + abs(shift[:, None]) * here.one_way.particle
    np.testing.assert_array_less(abs(moved - here.value.energy), 1e-12 * np.asarray(scale))


def test_derivatives_of_a_current_through_a_table():
    """With respect to the table's origin: minus the sum of those to the potentials, because only differences count.
    With respect to the transmissions: times these, they sum to the current, which doubles when every one does."""
    energies, transmissions = random_table(np.random.default_rng(5), 10)

    def current(origin, mu, transmissions):
        barrier = TabulatedBarrier(energies, transmissions, origin)
        return TwoTerminalConductor(barrier).response(Reservoirs(mu, [1.0, 1.3])).value.particle[L]

    mu = jnp.array([0.6, -0.4])
    value, slopes = jax.jit(jax.value_and_grad(current, argnums=(0, 1, 2)))(jnp.array(0.2), mu, transmissions)
    assert float(slopes[0]) == pytest.approx(-float(slopes[1].sum()), rel=1e-10)
    assert abs(float(slopes[0])) > 1e-3
    assert float(slopes[2] @ transmissions) == pytest.approx(float(value), rel=1e-12)


# ---------------------------------------------------------------------------------------------------------------------
# The estimate of what the table leaves open.


class SmoothStep(AbstractBarrier):
    """1/(1 + exp(−(E − level)/width)), with poles at level ± iπ width."""

    level: Float[Array, ""] = parameter("level", gauge=True)
    width: Float[Array, ""] = parameter("width")

    def probability(self, energy):
        return jax.nn.sigmoid((energy - self.level) / self.width)

    def features(self):
        return self.level[None], jnp.pi * self.width[None]

    def jumps(self):
        return jnp.zeros(0)


ROWS, SPACING = 81, 0.6
"""The table of every case: its mean distance between rows, in units of the temperature."""


@jax.jit
def currents(devices, reservoirs):
    """Particle and both heat currents of each device [cases, 3]."""

    def one(case):
        device, reservoirs = case
        value = device.response(reservoirs, Effort.STRICT).value
        return jnp.append(value.particle[L], value.energy - reservoirs.mu * value.particle)

    return jax.lax.map(one, (devices, reservoirs), batch_size=16)


def conductors(barrier, *numbers):
    return jax.vmap(lambda *row: TwoTerminalConductor(barrier(*row)))(*numbers)


def error_and_estimate(shape, uneven, half_width, cases, seed):
    """True and estimated errors of the three currents in random cases [cases, 3]: what is sharp has a half width (for a
    step: the width of its Fermi function) of ``half_width`` mean distances between rows."""
    rng = np.random.default_rng(seed)
    energies = SPACING * (np.arange(ROWS) - ROWS // 2 + rng.uniform(-0.5, 0.5, (cases, 1)))
    energies = energies + SPACING * uneven * rng.uniform(-0.35, 0.35, (cases, ROWS))
    mu, T = (
        rng.uniform(-3, 3, (cases, 2)) * rng.choice([0.01, 1, 1], (cases, 1)),
        np.exp(rng.uniform(-0.7, 0.7, (cases, 2))),
    )
    reservoirs = Reservoirs(mu, T)
    width = SPACING * np.broadcast_to(half_width, cases)
    levels = rng.uniform(-6, 6, (2, cases))
    single = SmoothStep if shape == "step" else ResonantBarrier
    weights = (1.0, 0.5) if shape == "two resonances" else (1.0,)
    exact, transmissions = 0.0, 0.0
    for weight, level in zip(weights, levels, strict=False):  # currents are linear in the transmission
        exact = exact + weight * currents(conductors(single, level, width), reservoirs)
        per_row = jax.vmap(jax.vmap(lambda e, level, width: single(level, width).probability(e), (0, None, None)))
        transmissions = transmissions + weight * per_row(energies, level, width)
    tables = conductors(TabulatedBarrier, energies, transmissions)
    found = currents(tables, reservoirs)
    # Each case is read again on its own, as a sweep does it; all together only to save time.
    readings = jax.vmap(lambda device: [other for other, _ in other_readings(device)])(tables)
    factors = [weight for _, weight in other_readings(TwoTerminalConductor(TabulatedBarrier(np.arange(4), np.ones(4))))]
    moved = [weight * abs(found - currents(other, reservoirs)) for other, weight in zip(readings, factors, strict=True)]
    return np.asarray(abs(found - exact)), np.max(moved, axis=0)


SHAPES = ("resonance", "two resonances", "step")


@pytest.mark.parametrize(
    "uneven", [pytest.param(False, id="even", marks=pytest.mark.slow), pytest.param(True, id="uneven")]
)
@pytest.mark.parametrize("shape", SHAPES)
def test_the_estimate_covers_the_error_where_the_table_resolves_what_is_sharp(shape, uneven):
    """In 99 of 100 cases from a half width of two distances between rows, and is not much larger than needed."""
    widths = 2 * 8 ** np.random.default_rng(20).random(400)
    error, estimate = error_and_estimate(shape, uneven, widths, 400, seed=21)
    assert np.mean(error <= estimate + 1e-12) >= 0.99
    assert 1 < np.median(estimate / error) < 20


@pytest.mark.parametrize(
    "uneven", [pytest.param(False, id="even", marks=pytest.mark.slow), pytest.param(True, id="uneven")]
)
@pytest.mark.parametrize("shape", SHAPES)
def test_the_estimate_covers_nine_in_ten_errors_where_the_table_barely_resolves(shape, uneven):
    error, estimate = error_and_estimate(shape, uneven, 1.0, 400, seed=22)
    assert np.mean(error <= estimate) >= 0.9


def test_the_estimate_includes_what_lies_beyond_the_table():
    """A table of a wide resonance that ends within the window of the Fermi functions: what is beyond is not known."""
    energies = np.linspace(-2.0, 2.0, 81)
    exact = ResonantBarrier(0.0, 3.0)
    table = TwoTerminalConductor(TabulatedBarrier(energies, probability(exact, energies)))
    reservoirs = Reservoirs([2.0, -1.0], [1.0, 1.0])
    value = response(table, reservoirs).value.particle[L]
    error = abs(value - response(TwoTerminalConductor(exact), reservoirs).value.particle[L])
    (coarse, weight), _ = other_readings(table)
    estimate = weight * abs(value - response(coarse, reservoirs).value.particle[L])
    assert 0.01 * abs(value) < error < estimate < abs(value)


def test_other_readings_take_the_same_compiled_function_and_leave_devices_without_tables_alone():
    table = TabulatedBarrier(np.arange(5), [0.0, 1.0, 0.5, 0.5, 0.0], 1.0)
    diode = ThermalizationDiode(left=table, right=ResonantBarrier(0.0, 1.0))
    for other, _ in other_readings(diode):
        assert jax.tree.structure(other) == jax.tree.structure(diode)
        for here, there in zip(jax.tree.leaves(diode), jax.tree.leaves(other), strict=True):
            assert (here.shape, here.dtype, here.weak_type) == (there.shape, there.dtype, there.weak_type)
        assert (other.right.level, other.right.half_width) == (diode.right.level, diode.right.half_width)
    (coarse, _), (smooth, _) = other_readings(diode)
    assert isinstance(coarse.left, TabulatedBarrier)
    np.testing.assert_allclose(coarse.left.transmissions, [0.0, 0.375, 0.5, 0.375, 0.0], atol=1e-15)
    assert probability(coarse.left, np.array([0.9, 5.1])).tolist() == [0.0, 0.0]
    assert float(smooth.left.probability(1.5)) > float(table.probability(1.5))
    assert other_readings(TwoTerminalConductor.example()) == []
