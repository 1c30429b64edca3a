"""Mean motion: exact solutions, the paper's thresholds and transported charges, and where energy goes.

Integrators compile for seconds. Tests share what is compiled where the size of the table, the kind of protocol and the
number of times are the same; that is why some of them have more times than they look at.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from test_motion_table import FIG_2B, FIG_4, FIG_6, FIG_7, FIG_9, STIFFNESS, table_of

from mesotherm.equilibria import equilibria
from mesotherm.fields import FieldError
from mesotherm.mean_motion import move
from mesotherm.mechanical_mode import MechanicalMode
from mesotherm.motion_table import tabulate
from mesotherm.protocols import Constant, Pulses, Ramp, Sine, Square, Triangle
from mesotherm.results import Outcome

MASS = 1000.0


def mode(damping_ratio, **options):
    return MechanicalMode(MASS, STIFFNESS, damping_ratio=damping_ratio, **options)


@pytest.fixture(scope="module")
def uniform():
    """A force that is the drive, currents that grow with the position."""

    def function(x, V):
        current = V * (1 + x)
        return {"force": V, "particle_current": jnp.stack([current, -current]), "heat_current": current[None]}

    return tabulate(function, np.linspace(-40.0, 40.0, 8193))


@pytest.fixture(scope="module")
def with_friction():
    """Of a mode, a friction of electrons too; the table of a force, and one of a force that is the drive."""

    def function(x, V):
        return {**FIG_2B(x, V), "friction": 0.4 + 0.2 * jnp.tanh(x)}

    def plain(x, V):
        return {"force": V, "particle_current": V * jnp.ones(2), "friction": 0.7 + 0.0 * x}

    table = tabulate(function, np.linspace(-6, 6, 257), tolerance=1e-9)
    return table, tabulate(plain, np.linspace(-40.0, 40.0, table.intervals[0] + 1))


def damped(t, drive, x, v, nu):
    """Position, velocity and ∫x dt of a damped mass on a spring under a constant force, after a time t."""
    root = np.array([complex(-nu, s * np.sqrt(4 * MASS * STIFFNESS - nu**2)) / (2 * MASS) for s in (1, -1)])
    rest = drive / STIFFNESS
    amplitude = np.linalg.solve(np.array([[1, 1], root]), [x - rest, v])
    waves = amplitude * np.exp(root * t)
    return rest + waves.sum().real, (root * waves).sum().real, rest * t + ((waves - amplitude) / root).sum().real


@pytest.mark.parametrize("kind", ["pulses", pytest.param("square", marks=pytest.mark.slow)])
def test_a_drive_of_constant_pieces_has_the_exact_solution_of_each(uniform, kind):
    """Jumps at times that are no multiples of anything, eleven of them."""
    oscillator = mode(0.1)
    if kind == "square":
        levels, durations, protocol = [0.02, -0.02], [1000 / 7] * 2, Square(0.02, 2000 / 7)
    else:
        levels, durations = [0.02, -0.015, 0.005], [1000 / 7, 900 / 7, 1300 / 9]
        protocol = Pulses(levels, durations)
    jumps, t_end = np.cumsum(np.resize(durations, 11)), 1640.0
    assert np.allclose(protocol.corners(0.0, t_end), jumps, rtol=1e-14)
    x, v, charge, before = 0.5, 0.0, 0.0, 0.0
    for drive, end in zip(np.resize(levels, 12), [*jumps, t_end], strict=True):
        x, v, integral = damped(end - before, drive, x, v, float(oscillator.nu))
        charge, before = charge + drive * (end - before + integral), end
    times = [0.0, *protocol.corners(0.0, t_end)[[2, 5, 8]], t_end]
    found = move(oscillator, uniform, protocol, times, position=0.5)
    assert found.position[-1] == pytest.approx(x, abs=1e-9)
    assert found.velocity[-1] == pytest.approx(v, abs=1e-11)
    assert np.allclose(found.charge[-1], [charge, -charge], rtol=0, atol=1e-7)
    assert found.heat[-1, 0] == pytest.approx(charge, abs=1e-7)
    assert np.max(np.abs(found.audit)) <= 1e-8


@pytest.mark.parametrize(
    "protocol",
    [
        Ramp(-0.1, 0.2, 300.0, 500.0),
        pytest.param(Triangle(0.2, 900.0), marks=pytest.mark.slow),
        pytest.param(Pulses([0.2, -0.1], [70, 110]), marks=pytest.mark.slow),
    ],
)
def test_energy_is_conserved_at_every_time(with_friction, protocol):
    found = move(
        mode(0.02, external_force=-3e-3, rest_position=0.1),
        with_friction[0],
        protocol,
        np.linspace(-50, 3000, 40),
        velocity=1e-3,
    )
    assert found.outcome == Outcome.CONVERGED
    assert np.max(np.abs(found.audit)) <= 1e-8
    kinetic = 0.5 * MASS * found.velocity**2
    stored = 0.5 * STIFFNESS * (found.position - 0.1) ** 2
    gained = found.work - found.dissipated - 3e-3 * (found.position - found.position[0])
    assert np.allclose(np.diff(kinetic + stored), np.diff(gained), rtol=0, atol=1e-8 * np.max(found.dissipated))
    assert np.all(np.diff(found.dissipated) > 0)
    assert np.max(found.dissipated) > 1e-4  # there was energy to be lost


def test_friction_of_electrons_is_friction_and_friction_is_friction(with_friction):
    """ν = 0.5 of the mode and 0.7 of electrons, against the exact solution."""
    oscillator, still = MechanicalMode(MASS, STIFFNESS, friction=0.5), Ramp(0.02, 0.02, 310.0, 50.0)
    found = move(oscillator, with_friction[1], still, np.linspace(0.0, 700.0, 40), velocity=0.01)
    x, v, _ = damped(700.0, 0.02, 0.0, 0.01, 1.2)
    assert found.position[-1] == pytest.approx(x, abs=1e-9)
    assert found.velocity[-1] == pytest.approx(v, abs=1e-11)
    assert found.work[-1] == pytest.approx(0.02 * x, abs=1e-10)


LATE = (0.0, 5e4, 1e5)


def test_fig_2d_the_damping_decides_which_well_is_reached():
    """Threshold ζ_c = 0.12030127(10), and the two values of the figure."""
    table = table_of(FIG_2B)
    damping = [0.1, 0.12030127 - 1e-7, 0.12030127 + 1e-7, 0.2]
    found = [move(mode(z), table, Constant(0.2), LATE) for z in damping]
    ends = [one.position[-1] for one in found]
    assert np.allclose(ends, [1.666716842442, 1.666716842442, 0.344516616259, 0.344516616259], rtol=0, atol=1e-6)
    assert np.max(np.abs([one.audit for one in found])) <= 1e-8


def test_fig_7_critical_damping():
    """From rest at (2), the bias goes from 0.1 to −0.1: (4) between the thresholds 0.03669 and 0.1677107546(1), (3)
    beyond and once more below."""
    table = table_of(FIG_7)
    start = equilibria(table, 0.1, STIFFNESS).position[0]
    damping = [0.02743, 0.02745, 0.03668, 0.03670, 0.16, 0.1677107546 - 1e-8, 0.1677107546 + 1e-8, 0.2]
    ends = [move(mode(z), table, Constant(-0.1), LATE, position=start).position[-1] for z in damping]
    near, far = -0.214570687529, -1.180037795514
    assert np.allclose(ends, [far, near, near, far, far, far, near, near], rtol=0, atol=1e-4)
    assert np.allclose(ends[4:], [far, far, near, near], rtol=0, atol=1e-8)


@pytest.mark.parametrize(
    ("protocol", "wanted", "times"),
    [
        pytest.param(Sine(0.1, 1e6), 1972.76631, 2, marks=pytest.mark.slow),
        (Triangle(0.1, 1e6), 1763.13424, 41),
    ],
)
def test_fig_4c_charge_of_a_slow_cycle(protocol, wanted, times):
    """Quasi-static: the integral of the current at rest, by Gauss quadrature between corners; and in motion, which
    lags behind by some 1e-6."""
    table = table_of(FIG_4)
    nodes, weights = np.polynomial.legendre.leggauss(24)
    ends = np.array([0.0, 0.25, 0.5, 0.75, 1.0]) * 1e6
    t = 0.5 * (ends[1:, None] + ends[:-1, None]) + 0.5 * np.diff(ends)[:, None] * nodes
    drives = np.array(protocol.value(t.ravel()))
    rest = np.concatenate([equilibria(table, drive, STIFFNESS).position for drive in drives])
    current = np.array(table(rest, drives)["particle_current"][:, 0]).reshape(t.shape)
    assert np.sum(0.5 * np.diff(ends)[:, None] * weights * current) == pytest.approx(wanted, abs=1e-4)

    found = move(mode(0.5), table, protocol, np.linspace(0, 1e6, times))
    assert found.charge[-1, 0] == pytest.approx(wanted, rel=5e-6)
    # What enters at one terminal leaves at the other: two sums over some thousand steps, each rounded to 1e-16.
    assert abs(found.charge[-1, 0] + found.charge[-1, 1]) <= 1e-12 * abs(found.charge[-1, 0])


def test_fig_6_work_and_charge_of_a_cycle_of_hysteresis():
    table = table_of(FIG_6, -4.0, 5.0)
    found = move(mode(0.3), table, Triangle(0.15, 1e6), np.linspace(0, 2e6, 41))
    assert np.max(np.abs(found.audit)) <= 1e-8
    assert found.work[40] - found.work[20] == pytest.approx(4.5685339e-3, abs=1e-9)  # of the cycle that repeats
    assert found.dissipated[40] - found.dissipated[20] == pytest.approx(4.5685339e-3, abs=1e-9)
    assert found.charge[20, 0] == pytest.approx(68.55, abs=0.005)


@pytest.mark.slow
def test_fig_6_charge_of_a_cycle_that_is_a_sine():
    sine = move(mode(0.3), table_of(FIG_6, -4.0, 5.0), Sine(0.15, 1e6), np.linspace(0, 1e6, 41))
    assert np.max(np.abs(sine.audit)) <= 1e-8
    assert sine.charge[-1, 0] == pytest.approx(60.25, abs=0.005)


def test_fig_9_charge_of_a_cycle_without_noise_and_its_sign():
    def function(x, V):
        current = FIG_9(x, V)["particle_current"]
        return {"force": FIG_9(x, V)["force"], "particle_current": current, "heat_current": -current[:1]}

    table, third = table_of(function, -6.0, 6.0), 2e5 / 9
    for sign in (1, -1):
        protocol = Pulses([0.3 * sign, -0.3 * sign, 0.0], [third] * 3, initialisation=third)
        found = move(mode(0.16), table, protocol, third * np.arange(0.0, 13.0, 3.0))
        assert np.allclose(np.diff(found.charge[:, 0]), 4.0062535 * sign, rtol=0, atol=1e-5)
        assert np.allclose(found.heat[:, 0], found.charge[:, 1], rtol=1e-12)
        assert np.max(np.abs(found.audit)) <= 1e-8


def test_a_part_that_leaves_the_table_has_an_outcome_and_no_numbers():
    """The force carries two of three parts out, one of them between the first two times."""
    table = tabulate(lambda x, V: {"force": V, "particle_current": V * jnp.ones(2)}, np.linspace(-40.0, 40.0, 16385))
    found = [move(mode(0.1), table, Constant(V), [0.0, 100.0, 3000.0]) for V in (0.1, 0.9, 20.0)]
    assert [int(one.outcome) for one in found] == [Outcome.CONVERGED, Outcome.NOT_FINITE, Outcome.NOT_FINITE]
    for quantity in ("position", "velocity", "work", "dissipated", "mechanical_energy", "load_work", "audit"):
        finite = [np.isfinite(getattr(one, quantity)).tolist() for one in found]
        assert finite == [[True, True, True], [True, True, False], [True, False, False]], quantity
    assert np.isnan(found[2].charge[1:]).all()
    assert found[0].position[-1] == pytest.approx(damped(3000.0, 0.1, 0.0, 0.0, float(mode(0.1).nu))[0], abs=1e-8)


def test_a_drive_and_a_start_outside_of_the_table_have_an_outcome():
    table = tabulate(lambda x, V: {"force": jnp.sin(V) + 0 * x}, np.linspace(-40, 40, 9), np.linspace(-0.1, 0.1, 9))
    ramps, starts = jnp.array([0.05, 0.2, 0.05]), jnp.array([0.0, 0.0, 41.0])
    found = jax.vmap(lambda V, x: move(mode(0.1), table, Ramp(0.0, V, 0.0, 500.0), [0.0, 100.0, 900.0], position=x))(
        ramps, starts
    )
    assert found.outcome.tolist() == [Outcome.CONVERGED, Outcome.NOT_FINITE, Outcome.NOT_FINITE]
    assert np.isfinite(found.work).tolist() == [[True, True, True], [True, True, False], [True, False, False]]


@pytest.mark.parametrize("times", [[0.0], [0.0, 0.0], [1.0, 0.0], [0.0, np.inf], [[0.0, 1.0]]])
def test_times_rise(uniform, times):
    with pytest.raises(ValueError, match=r"move: times = .* are not allowed; give two or more that rise"):
        move(mode(0.1), uniform, Constant(0.1), times)


def test_friction_is_given_once():
    with pytest.raises(FieldError, match=r"friction = 1\.0 is given besides damping_ratio; give one of both"):
        MechanicalMode(1.0, 1.0, damping_ratio=0.1, friction=1.0)
    with pytest.raises(FieldError, match=r"mass = 0.0 is not allowed; .* takes > 0"):
        MechanicalMode(0.0, 1.0)
