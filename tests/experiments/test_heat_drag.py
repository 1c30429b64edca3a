"""Coulomb heat drag: the current predicted from the heats, and the capability it asks for."""

import equinox as eqx
import numpy as np
import pytest
from setups import diode, thermocouple

from mesotherm import Axis, CoulombDots, HeatDrag, Outcome, Reservoirs, Setup, steady_state, sweep

RATES = {"rate_L": (1.0, 0.8, 0.3, 0.5), "rate_R": (0.3, 0.2, 0.9, 0.4)}
"""Rates of no particular symmetry."""


def one_driver(left, right, charging=3.0):
    """A circuit beside a single hot dot."""
    return Setup(
        CoulombDots(
            ["M", "H"], [("L", "M"), ("R", "M"), ("H", "H")], [0.5, -1.0], [charging], [left, right, [1.0, 0.4]]
        ),
        Reservoirs([0, 0, 0], [2, 2, 5]),
    )


@pytest.mark.parametrize("rates", [{}, RATES], ids=["paper", "generic"])
def test_equation_13(rates):
    """Exact for an infinitely strong U_HC only: at Fig. 2's value it is a tenth off for the paper's rates."""
    setup = thermocouple(**rates)
    data = sweep(HeatDrag(), setup, [Axis("device.charging_energies.H-C", [100.0, 400.0], "U_HC")])
    assert (data.status == Outcome.CONVERGED).all()
    deviation = abs(data.predicted_current / data.drag_current - 1)
    assert deviation.sel(U_HC=400) < 1e-7
    assert deviation.sel(U_HC=100) > 1e-4
    if not rates:
        np.testing.assert_allclose(data.asymmetry, -1)
        assert deviation.sel(U_HC=100) > 0.1


@pytest.mark.parametrize("charging", [0.3, 3.0, -2.0])
def test_one_driver_is_exact(charging):
    """No other driver's dot can be filled with it, so U is arbitrary."""
    data = sweep(HeatDrag(drivers=("H",)), one_driver([1.0, 0.2], [0.3, 0.9], charging))
    assert data.status == Outcome.CONVERGED
    asymmetry = (0.2 * 0.3 - 1.0 * 0.9) / (1.3 * 1.1)
    assert data.asymmetry.sel(driver="H") == pytest.approx(asymmetry, rel=1e-14)
    assert data.drag_current == pytest.approx(float(data.predicted_current), rel=1e-11)
    bound = data.error_drag_current + data.error_predicted_current
    assert abs(data.drag_current - data.predicted_current) <= bound
    assert np.sign(data.drag_current) == -np.sign(data.driver_heat.sel(driver="H") * charging)
    assert data.heat_in == data.driver_heat.sel(driver="H")
    assert "heat_transferred" not in data


def test_no_drag_without_asymmetry():
    """γ_L/γ_R the same for both occupations: heat flows, no current does."""
    data = sweep(HeatDrag(drivers=("H",)), one_driver([1.0, 0.4], [0.5, 0.2]))
    assert abs(data.drag_current) <= data.error_drag_current
    assert data.asymmetry.item() == pytest.approx(0.0, abs=1e-15)
    assert data.heat_in > 1e-3


def test_numbers_are_those_of_the_state():
    setup = thermocouple(**RATES)
    data = sweep(HeatDrag(), setup)
    state = steady_state(setup.device, setup.reservoirs)
    heat = state.currents.energy - state.reservoirs.mu * state.currents.particle
    assert data.drag_current == pytest.approx(float(state.currents.particle[1]), rel=1e-13)
    assert data.drag_current == pytest.approx(-float(data.particle_current.sel(terminal="L")), rel=1e-10)
    np.testing.assert_allclose(data.driver_heat, heat[2:4], rtol=1e-13)
    assert data.driver.values.tolist() == ["H", "C"]
    assert data.heat_in == pytest.approx(float(heat[2] + heat[3]), rel=1e-12)
    assert data.heat_transferred == pytest.approx(float(heat[2] - heat[3]), rel=1e-12)
    expected = [(0.3 * 0.3 - 1.0 * 0.9) / (1.3 * 1.2), (0.8 * 0.3 - 1.0 * 0.2) / (1.3 * 1.0)]
    np.testing.assert_allclose(data.asymmetry, expected, rtol=1e-14)
    for name in ("drag_current", "predicted_current", "driver_heat", "heat_in", "heat_transferred"):
        assert (data[f"error_{name}"] >= 0).all()
        assert (data[f"error_{name}"] <= 1e-9).all()


def test_no_prediction_across_a_temperature_difference():
    data = sweep(HeatDrag(), thermocouple(T=(8, 7, 16, 8, 8)))
    assert np.isnan(data.predicted_current)
    assert np.isfinite(data.drag_current)


def test_the_circuit_is_unbiased_wherever_its_mu_is():
    """Dots of the circuit and its mu raised together change nothing."""
    setup = one_driver([1.0, 0.2], [0.3, 0.9])
    raised = eqx.tree_at(
        lambda s: (s.device.levels, s.reservoirs.mu),
        setup,
        (setup.device.levels.at[0].add(2.0), np.array([2.0, 2.0, 0])),
    )
    one, other = (sweep(HeatDrag(drivers=("H",)), s) for s in (setup, raised))
    assert one.drag_current == pytest.approx(float(other.drag_current), rel=1e-12)
    assert one.heat_in == pytest.approx(float(other.heat_in), rel=1e-12)


@pytest.mark.parametrize(
    ("experiment", "setup", "message"),
    [
        (HeatDrag(), diode(), "ThermalizationDiode has no Coulomb-coupled dots; use a device"),
        (HeatDrag(right="H"), thermocouple(), "no particles pass between 'L' and 'H'"),
        (HeatDrag(drivers=()), thermocouple(), "name one or two terminals"),
        (HeatDrag(drivers=("H", "X")), thermocouple(), "no terminal 'X' to drive"),
        (
            HeatDrag(drivers=("H", "P")),
            thermocouple(),
            "contact the dots M, H, M; each driver must have a dot of its own",
        ),
        (HeatDrag(drivers=("H", "H")), thermocouple(), "each driver must have a dot of its own"),
    ],
)
def test_what_cannot_be_done_is_refused(experiment, setup, message):
    with pytest.raises(ValueError, match=message):
        sweep(experiment, setup)


def test_dots_say_what_drag_needs_to_know():
    device = thermocouple(**RATES).device
    assert [device.dot_of(name) for name in device.terminals] == ["M", "M", "H", "C", "M"]
    assert device.tunnel_rate("L", ()) == 1.0
    assert device.tunnel_rate("L", ("C",)) == 0.8
    assert device.tunnel_rate("R", ("H",)) == 0.9
    assert device.tunnel_rate("R", ("C", "H")) == 0.4
    assert device.charging_energy("M", "C") == device.charging_energy("C", "M") == 6.0
    for ask in (
        lambda: device.dot_of("X"),
        lambda: device.tunnel_rate("L", ("M",)),
        lambda: device.tunnel_rate("L", ("X",)),
        lambda: device.charging_energy("M", "M"),
    ):
        with pytest.raises(ValueError, match=r"there|exist|other dots"):
            ask()
