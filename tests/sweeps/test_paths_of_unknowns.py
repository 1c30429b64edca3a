"""Parameters of unknowns are swept like those of devices: gates, capacitances."""

import numpy as np
import pytest

from mesotherm import Axis, DoubleBarrier, Effort, Reservoirs, Screening, Setup, SteadyStateExperiment, sweep
from mesotherm.axes import Job, locate, sweepable
from mesotherm.unknowns import ThermalizingProbe

REGIONS, GATES = ("U1", "U2", "U3"), ("left", "plunger")


def job(**options):
    screening = Screening(REGIONS, mu=0.0, T=1.0, gates=GATES, **options)
    setup = Setup(DoubleBarrier.example(), Reservoirs([0, 0, 0], [2, 1, 1]), (screening, ThermalizingProbe("P")))
    return Job(setup, SteadyStateExperiment())


@pytest.mark.parametrize(
    ("path", "entry"),
    [
        ("unknowns.screening.gate_potential.plunger", ("gate_potential", 1)),
        ("unknowns.screening.gate_capacitance.U2.left", ("gate_capacitance", (1, 0))),
        ("unknowns.screening.capacitance.U1.U3", ("capacitance", (0, 2))),
    ],
)
@pytest.mark.parametrize("given", [{}, {"gate_potential": [0.5, 0.5], "gate_capacitance": np.full((3, 2), 0.5)}])
def test_one_entry_is_set(path, entry, given):
    name, position = entry
    before = job(**given)
    after = sweepable(before, path).set(before, 0.25).setup.unknowns[0]
    there = np.array(np.broadcast_to(getattr(before.setup.unknowns[0], name), getattr(after, name).shape))
    there[position] = 0.25
    np.testing.assert_array_equal(getattr(after, name), there)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("unknowns.potentials.T", "there are unknowns.screening, unknowns.P"),
        ("unknowns.P.T", "none here"),
        ("unknowns.screening.gate_potential.right", "entries are left, plunger"),
        ("unknown.screening.T", "did you mean unknowns"),
    ],
)
def test_other_paths_are_explained(path, said):
    with pytest.raises(ValueError, match=said):
        locate(job(), path)


@pytest.mark.slow
def test_a_gate_lifts_what_it_is_near():
    """A strong gate takes the potential of its region along."""
    coupled = np.zeros((3, 2))
    coupled[1, 1] = 1e9
    given = job(gate_capacitance=coupled).setup
    axis = Axis("unknowns.screening.gate_potential.plunger", [-0.5, 0.0, 0.5], "plunger")
    found = sweep(SteadyStateExperiment(), given, [axis])
    np.testing.assert_allclose(found.potential.sel(coordinate="U2"), [-0.5, 0.0, 0.5], rtol=0, atol=1e-7)
    state = given.solve(Effort.STRICT)
    np.testing.assert_allclose(found.potential.sel(plunger=0.0), state.q, rtol=0, atol=1e-9)
