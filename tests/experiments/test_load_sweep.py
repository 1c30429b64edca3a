"""Power and efficiency between no bias and open circuit: closed forms, bounds of the second law, optima."""

import equinox as eqx
import numpy as np
import pytest
from scipy.optimize import brentq
from setups import (
    SETUPS,
    SOURCES,
    diode,
    single_dot,
    single_level_current,
    slow_among,
    stopping_bias,
)

from mesotherm import Axis, LoadSweep, Outcome, PowerAtOptimalBias, Reservoirs, Setup, sweep

TINY = 1e-15


def driven(name, *temperatures, **options):
    """Load sweeps of one of the setups at three temperatures of R: one compiled function serves all tests."""
    return loads(SETUPS[name], SOURCES[name], *temperatures, **options)


def loads(setup, sources, *temperatures, **options):
    cold = [Axis("reservoirs.R.T", np.array(temperatures), "cold")]
    return sweep(LoadSweep(heat_sources=sources, **options), setup, cold)


@pytest.mark.parametrize("name", slow_among(SETUPS, "probe"))
def test_from_no_power_to_no_power(name):
    T = float(SETUPS[name].reservoirs.T[1])
    data = driven(name, T, 0.9 * T, 0.5 * T)
    assert (data.status == Outcome.CONVERGED).all()
    assert (data.law_violation <= 1).all()
    for end in (0.0, 1.0):
        at = data.sel(load=end)
        assert (abs(at.power) <= at.error_power + TINY).all()
    assert (
        abs(data.particle_current_of_left.sel(load=1.0)) <= 2 * data.error_particle_current_of_left.sel(load=1.0)
    ).all()
    assert (data.power.isel(load=slice(1, -1)) > 0).all()
    np.testing.assert_allclose(data.bias, data.open_circuit_bias * data["load"], rtol=1e-15)
    assert (data.maximum_power >= data.power.max("load") - TINY).all()
    assert (data.error_maximum_power <= 1e-5 * data.maximum_power).all()


@pytest.mark.parametrize("name", slow_among(SETUPS, "probe"))
def test_no_efficiency_beyond_carnot(name):
    """Between the hot source and whatever else exchanges heat, all of it at one temperature: the second law."""
    T_L, T_R, *others = SETUPS[name].reservoirs.T.tolist()
    two_terminals = SOURCES[name] == ("L",) and "voltage" not in name
    data = driven(name, *(np.array([0.99, 0.7, 0.3]) if two_terminals else 1 + np.array([0, 1e-9, 2e-9])) * T_R)
    assert (data.status == Outcome.CONVERGED).all()
    assert (data.maximum_efficiency > 0).all()
    beyond = data.efficiency - data.carnot_efficiency
    assert (beyond.where(np.isfinite(beyond), 0.0) <= data.error_efficiency.fillna(0.0) + 1e-8).all()
    assert (data.efficiency.max("load") <= data.maximum_efficiency + data.error_maximum_efficiency).all()
    assert (data.maximum_efficiency <= data.carnot_efficiency + data.error_maximum_efficiency + 1e-8).all()
    assert (data.efficiency_at_maximum_power <= data.maximum_efficiency + data.error_efficiency_at_maximum_power).all()
    expected = 1 - data.cold.values / (T_L if SOURCES[name] == ("L",) else others[0])
    np.testing.assert_allclose(data.carnot_efficiency, expected, rtol=1e-8)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_a_single_level_reaches_carnot(share):
    """Every particle carries the same heat: η = −b/(ε − μ_l), Carnot's at the stopping bias."""
    data = driven("single dot", 0.5, 1.0, 1.5, left_share=share)
    b = data.open_circuit_bias * data["load"]
    expected = -b / (2.0 - share * b)
    finite = np.isfinite(data.efficiency)
    assert finite.isel(load=slice(0, -1)).all()
    assert (abs(data.efficiency - expected) <= data.error_efficiency + TINY).where(finite, True).all()
    np.testing.assert_allclose(data.efficiency.isel(load=-2), expected.isel(load=-2), rtol=1e-10)
    np.testing.assert_allclose(expected.sel(load=1.0), data.carnot_efficiency, rtol=1e-10)
    assert (abs(data.maximum_efficiency - data.carnot_efficiency) <= data.error_maximum_efficiency).all()
    assert (data.error_maximum_efficiency < 1e-4).all()
    np.testing.assert_allclose(data.open_circuit_bias, stopping_bias(2.0, 0.0, (2.0, data.cold), share), rtol=1e-10)


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_largest_power_of_a_single_level(share):
    """Where dP/db vanishes, from the closed form."""
    data = driven("single dot", 0.5, 1.0, 1.5, left_share=share)
    for k, T_R in enumerate(data.cold.values):

        def slope(b, T_R=T_R):
            current, conductance = single_level_current(b, 2.0, 0.0, (2.0, T_R), share)
            return current + b * conductance

        at = data.isel(cold=k)
        best = brentq(slope, float(at.open_circuit_bias), -1e-6, xtol=1e-14)
        current, _ = single_level_current(best, 2.0, 0.0, (2.0, T_R), share)
        assert abs(at.bias_at_maximum_power - best) <= at.error_bias_at_maximum_power < 1e-5 * abs(best)
        assert abs(at.maximum_power + best * current) <= at.error_maximum_power + TINY
        efficiency = -best / (2.0 - share * best)
        assert abs(at.efficiency_at_maximum_power - efficiency) <= at.error_efficiency_at_maximum_power < 1e-5


@pytest.mark.parametrize(
    "name", slow_among(["single dot", "thermocouple", "diode with a thermalizing probe"], "thermo", "diode")
)
def test_largest_power_is_that_at_the_optimal_bias(name):
    """With all of the bias on R the load curve passes through the best point of both signs."""
    setup = SETUPS[name]
    T = float(setup.reservoirs.T[1])
    data = driven(name, T, 0.9 * T, 0.5 * T, left_share=0.0)
    cold = [Axis("reservoirs.R.T", data.cold.values, "cold")]
    best = sweep(PowerAtOptimalBias("R"), setup, cold)
    assert (best.status == Outcome.CONVERGED).all()
    bound = data.error_maximum_power + best.error_power
    assert (abs(data.maximum_power - best.power) <= bound).all()
    np.testing.assert_allclose(data.maximum_power, best.power, rtol=1e-9)
    assert (abs(data.bias_at_maximum_power + best.optimal_mu_R) <= data.error_bias_at_maximum_power).all()


@pytest.mark.slow
def test_largest_efficiency_of_a_leaky_device():
    """Between the points of the load curve, beside the values at many biases."""
    data = driven("diode with a thermalizing probe", 1.0, 0.9, 0.5)
    assert (data.error_maximum_efficiency <= 1e-5 * data.maximum_efficiency).all()
    for name in ("power", "efficiency"):
        curve = data[name].isel(cold=0)
        top = int(np.argmax(curve.values))
        fit = np.polynomial.Polynomial.fit(data["load"].values[top - 3 : top + 4], curve.values[top - 3 : top + 4], 6)
        fine = np.linspace(data["load"].values[top - 1], data["load"].values[top + 1], 20001)
        found = data[{"power": "maximum_power", "efficiency": "maximum_efficiency"}[name]].isel(cold=0)
        assert float(found) == pytest.approx(np.max(fit(fine)), rel=1e-7)
        assert found > curve.max()


def test_the_zero_of_energy_does_not_matter():
    at_zero = driven("single dot", 0.5, 1.0, 1.5)
    shifted = loads(single_dot(level=1002.0, mu=1000.0), ("L",), 0.5, 1.0, 1.5)
    assert (shifted.status == Outcome.CONVERGED).all()
    for name in ("power", "maximum_power", "maximum_efficiency", "open_circuit_bias"):
        error = at_zero[f"error_{name}"] + shifted[f"error_{name}"]
        assert (abs(at_zero[name] - shifted[name]) <= error + TINY).all()
    assert (shifted.error_maximum_power <= 2 * at_zero.error_maximum_power).all()


def test_either_end_may_be_hot():
    """Mirrored: the same engine with its names exchanged runs backwards."""
    device = single_dot().device
    mirrored = eqx.tree_at(lambda d: d.tunnel_rates, device, device.tunnel_rates[::-1])
    hot_left = loads(single_dot(), ("L",), 0.5, 1.0, 1.5)
    cold_left = sweep(
        LoadSweep(heat_sources=("R",)),
        Setup(mirrored, Reservoirs([0, 0], [1, 2])),
        [Axis("reservoirs.L.T", np.array([0.5, 1.0, 1.5]), "cold")],
    )
    np.testing.assert_allclose(cold_left.open_circuit_bias, -hot_left.open_circuit_bias, rtol=1e-12)
    np.testing.assert_allclose(cold_left.maximum_power, hot_left.maximum_power, rtol=1e-10)
    np.testing.assert_allclose(cold_left.carnot_efficiency, hot_left.carnot_efficiency, rtol=1e-12)


def test_an_engine_that_does_nothing():
    """Equal temperatures: every power is zero within its bound."""
    data = loads(single_dot(T=(2.0, 2.0)), ("L",), 2.0, 1.9, 1.8).isel(cold=0)
    assert data.status == Outcome.CONVERGED
    assert abs(data.maximum_power) <= data.error_maximum_power < 1e-12
    assert abs(data.open_circuit_bias) <= data.error_open_circuit_bias
    assert data.carnot_efficiency == 0


def test_no_open_circuit_leaves_no_numbers():
    data = loads(single_dot(), ("L",), 0.5, 1.0, 1.5, largest_bias=0.1)
    assert (data.status == Outcome.NO_OPEN_CIRCUIT).all()
    for name in ("bias", "power", "efficiency", "maximum_power", "maximum_efficiency", "carnot_efficiency"):
        assert np.isnan(data[name]).all()


def test_without_heat_sources_there_is_no_efficiency():
    data = sweep(LoadSweep(), single_dot())
    assert data.status == Outcome.CONVERGED
    assert not {"efficiency", "heat_in", "carnot_efficiency", "maximum_efficiency"} & set(data)
    assert data["load"].attrs["units"] == "1"
    assert data["load"].values[[0, -1]].tolist() == [0.0, 1.0]


@pytest.mark.parametrize(
    ("experiment", "setup", "message"),
    [
        (LoadSweep(left="R"), single_dot(), "load sweep: left and right are both 'R'"),
        (LoadSweep(heat_sources=("X",)), single_dot(), "terminal 'X' does not exist"),
        (LoadSweep(heat_sources=("P",)), diode(), "temperature of 'P' floats, so no heat is taken from it"),
        (LoadSweep(heat_sources=("L", "R")), diode(), "leaves no terminal that takes heat"),
    ],
)
def test_what_cannot_be_done_is_refused(experiment, setup, message):
    with pytest.raises(ValueError, match=message):
        sweep(experiment, setup)


def test_new_values_compile_nothing(compilations):
    driven("single dot", 0.5, 1.0, 1.5)
    other = single_dot(level=-1.0, mu=0.4)
    compilations.clear()
    loads(other, ("L",), 0.4, 0.6, 1.2, left_share=0.1, largest_bias=30.0)
    assert not compilations


def test_where_nothing_else_is_swept_the_load_curve_is_drawn(drawn):
    data = loads(single_dot(), ("L",), 1.0).isel(cold=0)
    current, power, efficiency = (panel.lines[-1].get_xydata() for panel in drawn(data))
    np.testing.assert_array_equal(current[:, 0], data.bias)
    np.testing.assert_allclose(power[:, 1], -current[:, 0] * current[:, 1], rtol=1e-12, atol=TINY)
    carried = 2.0 - data.bias[:-1] / 2  # by every particle, counted from the mu of L
    np.testing.assert_allclose(efficiency[:-1, 1], -data.bias[:-1] / carried, rtol=1e-6)
