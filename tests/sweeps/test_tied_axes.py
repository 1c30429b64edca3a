"""Parameters tied to an axis: declared as a linear relation, in Python and in device files."""

import numpy as np
import pytest

from mesotherm import (
    Axis,
    Reservoirs,
    ResonantBarrier,
    Setup,
    SteadyStateExperiment,
    ThermalizationDiode,
    ThermalizingProbe,
    Tie,
    steady_state,
    sweep,
)

RESERVOIRS = Reservoirs([0, 0, 0], [2, 1, 1])
SETUP = Setup(ThermalizationDiode.example(), RESERVOIRS, (ThermalizingProbe("P"),))
ANTISYMMETRIC = Axis("device.right.level", [2.0, 4.8], "epsilon", tied=(Tie("device.left.level", scale=-1.0),))
WIDTHS = Axis("device.left.half_width", [1.0, 3.0], "half_width", tied=(Tie("device.right.half_width"),))


@pytest.mark.slow
def test_tied_parameters_follow():
    data = sweep(SteadyStateExperiment(), SETUP, [ANTISYMMETRIC, WIDTHS])
    assert data.particle_current.dims == ("epsilon", "half_width", "terminal")
    for epsilon in (2.0, 4.8):
        for width in (1.0, 3.0):
            device = ThermalizationDiode(ResonantBarrier(-epsilon, width), ResonantBarrier(epsilon, width), -40.0)
            state = steady_state(device, RESERVOIRS, SETUP.unknowns)
            found = data.particle_current.sel(epsilon=epsilon, half_width=width)
            np.testing.assert_allclose(found, state.currents.particle, atol=1e-11)


@pytest.mark.slow
def test_scale_and_offset_are_of_the_axis_value():
    """A hot terminal and a bias driven by one number: T_L = 1 + x, mu_L = 2 x."""
    axis = Axis("reservoirs.L.T", [0.5, 1.0], "x", offset=1.0, tied=(Tie("reservoirs.L.mu", scale=2.0),))
    data = sweep(SteadyStateExperiment(), SETUP, [axis])
    for x in (0.5, 1.0):
        state = steady_state(SETUP.device, Reservoirs([2 * x, 0, 0], [1 + x, 1, 1]), SETUP.unknowns)
        np.testing.assert_allclose(
            data.heat_current.sel(x=x),
            state.currents.energy - state.reservoirs.mu * state.currents.particle,
            atol=1e-11,
        )
    assert data.x.attrs["tied"] == "reservoirs.L.mu = 0 + 2 * value"


@pytest.mark.parametrize(
    ("axes", "message"),
    [
        ([Axis("device.left.level", [1.0], tied=(Tie("device.left.levl"),))], "names no parameter"),
        ([Axis("device.left.level", [1.0], tied=(Tie("device.left.half_width", -1.0),))], "allowed range"),
        ([Axis("device.left.level", [1.0], tied=(Tie("device.left.level"),))], "set by two"),
        ([ANTISYMMETRIC, Axis("device.left.level", [1.0])], "set by two"),
        ([Axis("device.left.level", [1.0], tied=(Tie("reservoirs.P.mu"),))], "is found, not given"),
    ],
)
def test_bad_ties_are_refused(axes, message):
    with pytest.raises(ValueError, match=message):
        sweep(SteadyStateExperiment(), SETUP, axes)
