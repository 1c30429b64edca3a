"""Boundaries as solved curves: closed forms, several crossings, agreement with a map, and what is refused."""

import numpy as np
import pytest

from mesotherm import (
    Axis,
    CoupledDots,
    CoupledTransport,
    OperatingRegime,
    Regime,
    Reservoirs,
    Setup,
    SingleDot,
    SteadyStateExperiment,
    Tie,
    boundary,
    sweep,
)

DOT = Setup(SingleDot(2.0, 0.01, 0.03), Reservoirs([0.0, 0.0], [2.0, 1.0]))
BIAS = Axis("reservoirs.R.mu", np.linspace(-1.0, 1.93, 9))


def test_the_stall_of_a_single_dot():
    """μ_R = ε(1 − T_R/T_L) for μ_L = 0, for every level."""
    levels = np.linspace(1.0, 3.0, 7)
    found = boundary(
        SteadyStateExperiment(), DOT, "particle_current", BIAS, Axis("device.level", levels), at={"terminal": "L"}
    )
    assert found.boundary.dims == ("level", "crossing")
    np.testing.assert_allclose(found.boundary[:, 0], levels / 2, rtol=1e-11)
    assert np.all(found.estimate_boundary < 1e-9)
    assert found.boundary.attrs["units"] == "energy"


def test_two_boundaries_of_an_engine_and_the_map_between_them():
    """Power vanishes without bias and at the stall; regimes of a map change where it does, point for point."""
    levels = np.linspace(1.0, 3.0, 21)
    found = boundary(OperatingRegime(), DOT, "power", BIAS, Axis("device.level", levels))
    np.testing.assert_allclose(found.boundary[:, 0], 0.0, atol=1e-12)
    np.testing.assert_allclose(found.boundary[:, 1], levels / 2, rtol=1e-10)
    fine = Axis("reservoirs.R.mu", np.linspace(-0.99, 1.91, 60))
    regimes = sweep(OperatingRegime(), DOT, [Axis("device.level", levels), fine]).regime.to_numpy()
    inside = (fine.values > found.boundary.to_numpy()[:, :1]) & (fine.values < found.boundary.to_numpy()[:, 1:])
    np.testing.assert_array_equal(regimes == Regime.ENGINE, inside)


def test_ties_follow():
    """Both levels move together."""
    dots = CoupledDots(0.5, 0.5, 2.0, [0.02, 0.0], [0.0, 0.02], [0.01, 0.01])
    setup = Setup(dots, Reservoirs([0.0, 0.0, 0.0], [1.0, 1.0, 2.0]))
    both = Axis("device.level_b", [0.2, 0.6], tied=(Tie("device.level_u"),))
    bias = Axis("reservoirs.R.mu", np.linspace(0.2, 1.7, 6))
    found = boundary(SteadyStateExperiment(), setup, "particle_current", bias, both, at={"terminal": "L"})
    np.testing.assert_allclose(found.boundary[:, 0], 1.0, rtol=1e-10)


def test_where_there_is_none():
    far = Axis("reservoirs.R.mu", np.linspace(1.2, 1.9, 4))
    found = boundary(SteadyStateExperiment(), DOT, "particle_current", far, at={"terminal": "L"})
    assert found.boundary.shape == (1,)
    assert np.isnan(found.boundary).all()


@pytest.mark.parametrize(
    ("variable", "at", "message"),
    [
        ("current", None, "there is no variable 'current' with a bound; there are"),
        ("particle_current", None, "'particle_current' has terminal, too"),
        ("particle_current", {"terminal": "X"}, "chooses no entry of 'particle_current'; there are terminal: L, R"),
    ],
)
def test_what_is_refused(variable, at, message):
    with pytest.raises(ValueError, match=message):
        boundary(SteadyStateExperiment(), DOT, variable, BIAS, at=at)


def test_inverse_currents_begin_where_the_current_vanishes():
    setup = Setup(CoupledDots(1.0, 1.5, -4.0, [1.0] * 2, [1.0] * 2, [1.0] * 2), Reservoirs([0.5, 0.5, 0.0], [1.0] * 3))
    force = Axis("experiment.force_particle", np.linspace(0.01, 1.0, 5))
    found = boundary(CoupledTransport(0.6), setup, "flux_particle", force)
    below, above = (
        sweep(CoupledTransport(0.6, float(found.boundary[0]) + step), setup, []).flux_particle for step in (-1e-9, 1e-9)
    )
    assert below < 0 < above
