"""Experiments on cycles, as device files have them: loops, work, charge, what breaks a symmetry."""

import numpy as np
import pytest

from mesotherm import (
    Axis,
    DrivenCycle,
    NoisyCycle,
    Outcome,
    Reservoirs,
    Setup,
    SlowCycle,
    equilibria,
    sweep,
)
from mesotherm.papers.mehring2024.inversion import PULSES_OF_9, STEPS
from mesotherm.papers.mehring2024.model import FIG_2, FIG_4, FIG_5, FIG_6, FIG_7, FIG_9, MASS, STIFFNESS
from mesotherm.protocols import Sine, Square, Triangle

SLOW = 1e6
"""The paper's period τ."""


@pytest.fixture(scope="module")
def loop():
    """Infinitely slow ones of Fig. 6, far beyond the folds and below them."""
    experiment = SlowCycle(cycle=Triangle(0.15, SLOW), reach=4.0, intervals=400, steps=240)
    return sweep(experiment, FIG_6.setup("linear"), [Axis("experiment.cycle.amplitude", [0.15, 0.05], "amplitude")])


def test_the_work_of_a_slow_loop_is_lost_in_its_jumps(loop):
    one = loop.sel(amplitude=0.15)
    assert one.jumps == 2
    assert abs(one.cycle_work - 4.0887041e-3) <= one.estimate_cycle_work < 1e-7
    assert np.all(loop.law_violation <= 1)
    assert np.all(loop.status == 0)


def test_a_small_loop_has_no_hysteresis(loop):
    small = loop.sel(amplitude=0.05)
    assert small.jumps == 0
    assert small.cycle_work == 0.0
    up_and_down = small.position[:121].to_numpy()
    assert np.allclose(up_and_down, up_and_down[::-1], rtol=0, atol=1e-12), "one position at each bias"


@pytest.mark.slow
def test_a_slow_loop_by_the_full_response():
    """Eq. 9 at eV = 0.2, found as a root in tests/analytic; and no work without a jump."""
    experiment = SlowCycle(cycle=Sine(0.2, SLOW), reach=2.5, intervals=64, drive_intervals=8, steps=8)
    found = sweep(experiment, FIG_2.setup("full"), [])
    largest = found.isel(phase=2)
    assert largest.bias == pytest.approx(0.2, abs=1e-15)
    assert abs(largest.position - 1.10418459) <= largest.estimate_position < 1e-3


def test_a_temperature_drives_a_loop():
    """Fig. 5's dot follows δT without a jump, where the table's equilibria are; heat is pumped from hot to cold."""
    experiment = SlowCycle(cycle=Triangle(FIG_5.T, SLOW), drive="delta_temperature", reach=6.0, intervals=400, steps=40)
    found = sweep(experiment, FIG_5.setup("linear"), [])
    table = FIG_5.driven("linear").tabulated(np.linspace(-6, 6, 401))
    at_most = found.isel(phase=10)
    assert at_most.delta_temperature == pytest.approx(FIG_5.T, rel=1e-15)
    expected = equilibria(table, FIG_5.T, STIFFNESS).position
    assert len(expected) == 1
    assert at_most.position == pytest.approx(expected[0], abs=1e-7)
    assert found.jumps == 0
    assert found.mean_heat_current.sel(terminal="L") == -found.mean_heat_current.sel(terminal="R")


def test_the_charge_of_a_slow_cycle_in_time():
    """Fig. 4(c), the triangle: a cycle that takes its time pumps 2.3e-6 less than an infinitely slow one."""
    experiment = DrivenCycle(
        cycle=Triangle(0.1, SLOW),
        reach=6.0,
        mass=MASS,
        damping_ratio=FIG_4.damping_ratio,
        cycles_before=0,
        steps=40,
        intervals=600,
    )
    found = sweep(experiment, FIG_4.setup("linear"), [])
    charge = found.cycle_charge.sel(terminal="L")
    assert 2e-6 < 1 - charge / 1763.13424 < 2.6e-6
    assert found.estimate_cycle_charge.max() < 1e-2
    assert found.passed_charge.sel(terminal="L")[-1] == charge
    assert np.all(found.law_violation <= 1)
    assert found.cycle_work == pytest.approx(float(found.cycle_dissipation), abs=1e-8)


def test_the_order_of_pulses_is_the_sign_of_the_charge():
    """Fig. 9(a) without noise: +, −, 0 pumps 4.0062535 electrons, and the other order as many back."""
    experiment = DrivenCycle(
        cycle=PULSES_OF_9,
        reach=7.5,
        mass=MASS,
        damping_ratio=FIG_9.damping_ratio,
        cycles_before=0,
        steps=3,
        intervals=400,
    )
    found = sweep(experiment, FIG_9.setup("linear"), [Axis("experiment.cycle.order", [1.0, -1.0], "order")])
    charge = found.cycle_charge.sel(terminal="L")
    assert charge.sel(order=1.0) == pytest.approx(4.0062535, abs=1e-5)
    assert charge.sel(order=-1.0) == pytest.approx(-4.0062535, abs=1e-5)
    assert found.bias.sel(order=-1.0).to_numpy().tolist() == [0.0, -0.3, 0.3, 0.0]


def test_damping_breaks_the_symmetry():
    """Fig. 7: after the ramp the pulses push the dot from one well to the other or not, by its damping (0.2, 0.16), and
    only in one of both cases charge passes on the average."""
    experiment = DrivenCycle(
        cycle=Square(0.1, SLOW, initialisation=0.5 * SLOW, prepared_drive=0.1),
        reach=4.0,
        mass=MASS,
        damping_ratio=0.2,
        cycles_before=0,
        steps=10,
    )
    found = sweep(experiment, FIG_7.setup("linear"), [Axis("experiment.damping_ratio", [0.2, 0.16])])
    charge = np.abs(found.cycle_charge.sel(terminal="L"))
    assert np.all(found.status == 0)
    assert np.all(found.law_violation <= 1)
    assert charge[0] > 100 * charge[1] or charge[1] > 100 * charge[0]


@pytest.fixture(scope="module")
def noisy():
    """Fig. 9 at k_BT₀ = 0 and 2e-4."""
    experiment = NoisyCycle(
        cycle=PULSES_OF_9,
        reach=7.5,
        mass=MASS,
        damping_ratio=FIG_9.damping_ratio,
        temperature=0.0,
        cycles_before=0,
        particles=1500,
        steps=3 * STEPS,
        intervals=400,
    )
    return sweep(experiment, FIG_9.setup("linear"), [Axis("experiment.temperature", [0.0, 2e-4])])


@pytest.mark.slow
def test_noise_changes_the_pumped_charge(noisy):
    """Fig. 9(f): 2.4745(71) at 2e-4, all of it without noise."""
    charge = noisy.cycle_charge.sel(terminal="L").to_numpy()
    error = noisy.standard_error_cycle_charge.sel(terminal="L").to_numpy()
    assert charge[0] == pytest.approx(4.0062535, abs=1e-3)
    assert error[0] == pytest.approx(0.0, abs=1e-12)
    assert error[1] == pytest.approx(2.23 / np.sqrt(1500), rel=0.05)
    assert abs(charge[1] - 2.4745) < 3 * np.hypot(error[1], 0.0071)
    assert np.all(noisy.law_violation <= 1)


def test_without_a_drive_noise_is_thermal():
    """⟨x²⟩ = T/k and no net charge, with the friction of the electrons as the only one."""
    experiment = NoisyCycle(
        cycle=Sine(0.0, 2e4),
        reach=4.0,
        mass=MASS,
        electronic="friction",
        temperature=1e-4,
        particles=2000,
        steps=500,
        cycles_before=0,
    )
    found = sweep(experiment, FIG_2.setup("linear"), [])
    variance = float(found.position_spread) ** 2
    assert variance == pytest.approx(1e-4 / STIFFNESS, rel=3 * np.sqrt(2 / 2000))
    charge, error = (found[f"{name}cycle_charge"].sel(terminal="L") for name in ("", "standard_error_"))
    assert abs(charge) <= 3 * error


def test_a_part_that_leaves_the_table_has_a_status():
    experiment = SlowCycle(cycle=Triangle(0.15, SLOW), reach=0.5, steps=8)
    found = sweep(experiment, FIG_6.setup("linear"), [])
    assert found.status == Outcome.OUT_OF_REACH
    assert np.isnan(found.cycle_work)


def test_a_coarse_table_is_told():
    experiment = SlowCycle(cycle=Triangle(0.15, SLOW), reach=4.0, steps=8, intervals=16)
    found = sweep(experiment, FIG_6.setup("linear"), [])
    assert found.assumption_value.sel(assumption="fine_table") > 1e-4


CYCLE = SlowCycle(cycle=Triangle(0.1, SLOW), reach=1.0)


@pytest.mark.parametrize(
    ("experiment", "change", "message"),
    [
        (CYCLE, {"unknowns": ()}, "the unknowns are none; exactly one is needed, an equilibrium_position"),
        (CYCLE, {"reservoirs": Reservoirs([0.0, 0.1], [1e-4, 1e-4])}, "mu is not the same of all reservoirs"),
        (SlowCycle(cycle=Square(0.1, SLOW), reach=1.0), {}, "the drive of Square jumps, which is never slow"),
        (SlowCycle(cycle=Sine(0.1, SLOW), reach=1.0, steps=9), {}, "steps = 9 is odd"),
        (SlowCycle(cycle=Sine(0.1, SLOW), reach=1.0, intervals=11), {}, "intervals = 11 is odd"),
        (SlowCycle(cycle=Sine(0.1, SLOW), reach=1.0, right="L"), {}, "left and right are both 'L'"),
        (
            SlowCycle(cycle=Sine(0.1, SLOW), reach=1.0, drive="delta_temperature"),
            {},
            "the cycle would cool a terminal below zero",
        ),
    ],
)
def test_what_cannot_be_done_is_refused(experiment, change, message):
    setup = FIG_6.setup("linear")
    given = {"device": setup.device, "reservoirs": setup.reservoirs, "unknowns": setup.unknowns} | change
    with pytest.raises(ValueError, match=message):
        experiment.prepare(Setup(**given))


def test_friction_is_given_once():
    with pytest.raises(ValueError, match="friction is given besides damping_ratio"):
        DrivenCycle(cycle=Sine(0.1, SLOW), reach=1.0, mass=1.0, damping_ratio=0.1, friction=1.0)
