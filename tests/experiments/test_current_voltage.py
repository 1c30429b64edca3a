"""Current and differential conductance at a bias: closed forms, differences, and what is refused."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from setups import SETUPS, diode, single_dot, single_level_current, slow_among, thermocouple

from mesotherm import (
    Axis,
    CurrentVoltage,
    Effort,
    Outcome,
    Reservoirs,
    Setup,
    ThermalizingProbe,
    Tie,
    VoltageProbe,
    steady_state,
    sweep,
)

SEVEN = np.arange(-3.0, 4.0)
"""Biases always come in seven: one compiled function per kind of setup serves all tests."""


@pytest.mark.slow
@pytest.mark.parametrize("probe", [ThermalizingProbe, VoltageProbe])
def test_landauer_conductance_at_low_temperature(probe):
    """Two barriers with a probe between them are conductors in series, each (g_s/h) 𝒯(μ); corrections are of order
    (T/Γ)²."""
    levels, widths = np.array([-1.0, 2.0]), np.array([0.5, 1.0])
    cold = diode(probe, *levels, widths, T=[1e-4, 1e-4, 1e-4])
    data = sweep(CurrentVoltage(), cold, [Axis("experiment.bias", 1e-9 * SEVEN)])
    each = 2 / (2 * np.pi) * widths**2 / (levels**2 + widths**2)
    assert (data.status == Outcome.CONVERGED).all()
    np.testing.assert_allclose(data.differential_conductance, 1 / np.sum(1 / each), rtol=1e-6)


def test_closed_form_of_a_single_level():
    """Over bias and temperature at once; the levels do not follow, so the share of the bias matters."""
    biases, temperatures = np.linspace(-6, 6, 7), np.array([0.5, 1.0, 3.0])
    axes = [Axis("experiment.bias", biases), Axis("reservoirs.R.T", temperatures, "T_right")]
    for share in (0.0, 0.3, 1.0):
        data = sweep(CurrentVoltage(left_share=share), single_dot(mu=0.5), axes)
        assert (data.status == Outcome.CONVERGED).all()
        assert dict(data.differential_conductance.sizes) == {"bias": 7, "T_right": 3}
        b, T = np.meshgrid(biases, temperatures, indexing="ij")
        current, slope = single_level_current(b, 2.0, 0.5, (2.0, T), share)
        np.testing.assert_allclose(data.particle_current.sel(terminal="L"), current, rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose(data.differential_conductance, slope, rtol=1e-12)


@pytest.mark.parametrize("name", slow_among(SETUPS, "probe"))
def test_slope_follows_the_probes(name):
    """Against sixth-order differences of the currents."""
    step = 0.05
    data = sweep(CurrentVoltage(), SETUPS[name], [Axis("experiment.bias", 0.7 + step * SEVEN)])
    assert (data.status == Outcome.CONVERGED).all()
    current = data.particle_current.sel(terminal="L").values
    difference = current @ np.array([-1, 9, -45, 0, 45, -9, 1]) / (60 * step)
    assert float(data.differential_conductance[3]) == pytest.approx(difference, rel=1e-11)


@pytest.mark.parametrize("name", slow_among(SETUPS, "probe"))
def test_bias_is_mu_left_minus_mu_right(name):
    setup = SETUPS[name]
    data = sweep(CurrentVoltage(left_share=0.25), setup, [Axis("experiment.bias", 0.8 + SEVEN)]).isel(bias=3)
    biased = setup.reservoirs.at(0, mu=0.2).at(1, mu=-0.6)
    state = steady_state(setup.device, biased, setup.unknowns)
    np.testing.assert_allclose(data.particle_current, state.currents.particle, rtol=0, atol=1e-11)
    assert abs(data.power - float(-0.2 * state.currents.particle[0] + 0.6 * state.currents.particle[1])) < 1e-10


def test_new_values_compile_nothing(compilations):
    sweep(CurrentVoltage(), SETUPS["diode with a thermalizing probe"], [Axis("experiment.bias", SEVEN / 3)])
    other = diode(left=-0.8, T=[1.5, 1.0, 1.0])
    compilations.clear()
    second = sweep(CurrentVoltage(left_share=0.1), other, [Axis("experiment.bias", SEVEN / 4)])
    assert not compilations
    assert (second.status == Outcome.CONVERGED).all()


@pytest.mark.slow
def test_a_state_that_is_not_solved_does_not_stop_the_others():
    """FAST does not resolve the narrow one of two resonances."""

    def measure(half_width):
        return CurrentVoltage(1.0).measure(diode(half_widths=(1.5, half_width)), Effort.FAST)

    out = jax.jit(lambda widths: jax.lax.map(measure, widths))(jnp.array([1.0, 0.01]))
    assert out["status"].tolist() == [Outcome.CONVERGED, Outcome.NOT_FINITE]
    assert np.isfinite(out["differential_conductance"][0])


def test_an_axis_ties_the_bias_to_other_parameters():
    data = sweep(CurrentVoltage(), single_dot(), [Axis("experiment.bias", [1.0, 2.0], tied=(Tie("device.levels.D"),))])
    assert dict(data.sizes)["bias"] == 2


@pytest.mark.parametrize(
    ("experiment", "setup", "message"),
    [
        (CurrentVoltage(left="X"), single_dot(), "no terminal 'X'; left and right must be two of L, R"),
        (CurrentVoltage(left="R"), single_dot(), "are both 'R'"),
        (CurrentVoltage(right="H"), thermocouple(), "no particles pass between 'L' and 'H'"),
        (CurrentVoltage(right="P"), diode(), "'P' floats"),
        (
            CurrentVoltage(),
            Setup(single_dot().device, Reservoirs([0.5, 0.0], [1, 1])),
            "mu of 'L' is 0.5 and mu of 'R' is 0, but the bias is what makes them differ",
        ),
    ],
)
def test_what_cannot_be_biased_is_refused(experiment, setup, message):
    with pytest.raises(ValueError, match=message):
        sweep(experiment, setup)


def test_share_out_of_range_is_refused():
    with pytest.raises(ValueError, match="left_share"):
        CurrentVoltage(left_share=1.5)
