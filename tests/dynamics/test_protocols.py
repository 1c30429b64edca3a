"""What drives do in time: values, repetition, corners, preparation."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mesotherm.fields import FieldError
from mesotherm.protocols import Constant, Pulses, Ramp, Sine, Square, Triangle

PREPARED = {"initialisation": 30.0, "initial_drive": 0.05, "prepared_drive": 0.2}
CYCLES = [
    Sine(0.3, 70.0),
    Triangle(0.3, 70.0),
    Square(0.3, 70.0),
    Pulses([0.3, -0.1, 0.0], [10.0, 25.0, 35.0]),
]
PREPARED_CYCLES = [
    Sine(0.3, 70.0, **PREPARED),
    Triangle(0.3, 70.0, **PREPARED),
    Square(0.3, 70.0, **PREPARED),
    Pulses([0.3, -0.1, 0.0], [10.0, 25.0, 35.0], **PREPARED),
]


def values(protocol, t):
    """Of one size for all numbers of times: what has been compiled once serves every test."""
    t = np.asarray(t, float)
    return np.array(protocol.value(np.resize(t.ravel(), 80_000)))[: t.size].reshape(t.shape)


def name(protocol):
    return type(protocol).__name__


@pytest.mark.parametrize("protocol", CYCLES, ids=name)
def test_a_cycle_repeats_at_all_times(protocol):
    t = np.linspace(-71.3, 65.1, 57)
    assert np.allclose(values(protocol, t), values(protocol, t + 3 * 70.0), atol=1e-12)
    assert float(protocol.period) == 70.0


@pytest.mark.parametrize(("number", "mean"), [(0, 0.0), (1, 0.0), (2, 0.0), (3, 0.5 / 70)])
def test_the_mean_over_a_cycle_is_that_of_its_pulses(number, mean):
    protocol = CYCLES[number]
    t = (np.arange(7000) + 0.5) * 0.01
    assert np.mean(values(protocol, t)) == pytest.approx(mean, abs=1e-12)
    assert np.max(np.abs(values(protocol, t))) == pytest.approx(0.3, rel=1e-3)


@pytest.mark.parametrize("protocol", PREPARED_CYCLES, ids=name)
def test_before_the_start_a_cycle_is_prepared_in_a_straight_line(protocol):
    t = np.array([-1e9, -30.0, -15.0, -1e-9])
    assert np.allclose(values(protocol, t), [0.05, 0.05, 0.125, 0.2], atol=1e-10)
    later = np.linspace(0, 200, 301)
    unprepared = CYCLES[PREPARED_CYCLES.index(protocol)]
    assert np.array_equal(values(protocol, later), values(unprepared, later))


@pytest.mark.parametrize(
    "protocol", [*CYCLES, *PREPARED_CYCLES, Ramp(0.1, 0.7, 3.0, 11.0), Ramp(0.1, 0.7, 3.0), Constant(2.0)]
)
def test_corners_are_all_times_where_the_drive_is_not_smooth(protocol):
    """A third difference over steps of h is of the order h³ where it is smooth, and of h or more at a corner."""
    h = 1e-2
    t = np.arange(-10_000, 10_000) * h * 2 + 0.3 * h
    at_times = values(protocol, t[:, None] + h * np.arange(4.0))
    rough = np.abs(np.diff(at_times, 3, axis=1))[:, 0] > 1e-3 * 0.3 * h * 4 * 2 * np.pi / 70
    corners = protocol.corners(t[0], t[-1])
    for at in corners:  # among the intervals that hold the corner, one is rough
        assert np.any(rough[np.abs(t + 1.5 * h - at) < 2 * h]), at
    lone = t[rough] + 1.5 * h
    assert all(np.min(np.abs(corners - at)) < 3 * h for at in lone)
    assert np.all(np.diff(corners) > 0)


@pytest.mark.parametrize("period", [2 / 3 * 1e5, 0.1, 1e6 / 7])
def test_a_little_inside_of_its_corners_the_drive_has_one_side_s_value(period):
    protocol = Pulses([0.3, -0.3, 0.0], [period / 3] * 3)
    ends = np.concatenate([[0.0], protocol.corners(0.0, 40.9 * period)])
    spare = 2e-15 * ends[1:]
    levels = np.resize([0.3, -0.3, 0.0], len(ends))
    assert len(ends) == 123
    assert np.array_equal(values(protocol, ends[1:] - spare), levels[:-1])
    assert np.array_equal(values(protocol, ends[1:] + spare), levels[1:])


def test_the_order_of_pulses_matters():
    there, back = (Pulses(levels, [1.0, 1.0, 1.0]) for levels in ([1, -1, 0], [-1, 1, 0]))
    t = np.array([0.5, 1.5, 2.5])
    assert np.array_equal(values(there, t), [1, -1, 0])
    assert np.array_equal(values(back, t), [-1, 1, 0])
    assert np.array_equal(values(there, np.arange(4.0)), [1, -1, 0, 1])  # at a jump, what comes after it


def test_drives_can_be_batched_and_times_cannot_have_unknown_corners():
    def at(amplitude):
        protocol = Square(amplitude, 10.0)
        assert protocol.corners(0.0, 11.0).tolist() == [5.0, 10.0]
        return protocol.value(7.0)

    assert np.array_equal(jax.vmap(at)(jnp.array([1.0, 2.0])), [-1.0, -2.0])
    with pytest.raises(ValueError, match=r"Square\.corners: .* batch over its drives only"):
        jax.vmap(lambda period: Square(1.0, period).corners(0.0, 11.0).sum())(jnp.array([1.0, 2.0]))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Sine(0.1, 0.0), r"cycle_time = 0.0 is not allowed; .* takes > 0"),
        (lambda: Triangle(0.1, -1.0), r"cycle_time = -1.0 is not allowed"),
        (lambda: Square(np.inf, 1.0), r"amplitude = inf is not allowed; .* takes any finite number"),
        (lambda: Pulses([1.0, 2.0], [1.0]), r"durations has shape \(1,\), levels has \(2,\); give"),
        (lambda: Pulses([], []), r"give one or more levels"),
        (lambda: Pulses([1.0, 2.0], [1.0, 0.0]), r"durations = \[1.0, 0.0\] is not allowed; .* takes > 0"),
        (lambda: Sine(0.1, 1.0, initialisation=-1.0), r"initialisation = -1.0 is not allowed; .* takes ≥ 0"),
        (lambda: Ramp(0.0, 1.0, 0.0, -3.0), r"duration = -3.0 is not allowed"),
    ],
)
def test_what_cannot_be_is_refused(make, message):
    with pytest.raises(FieldError, match=message):
        make()
