"""Every number of Whitney et al., Physica E 75, 257 (2016), at given T_C, the bias found by maximising the power."""

import json
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mesotherm import (
    Axis,
    CoulombDots,
    Effort,
    Outcome,
    PowerAtOptimalBias,
    Reservoirs,
    Setup,
    ThermalizingProbe,
    VanishingProbe,
    quantum_dot_thermocouple,
    steady_state,
    sweep,
)

DATA = json.loads((Path(__file__).parents[1] / "data" / "whitney2016.json").read_text())
EXPERIMENT = PowerAtOptimalBias("R", ("H", "C"))


def setup(figure, x=1.0, rate_P=0.0):
    case = DATA["figures"][figure]
    device = quantum_dot_thermocouple(**case["device"], rate_P=rate_P)
    T_0, T_H = case["reservoirs"]["T_0"], case["reservoirs"]["T_H"]
    probe = ThermalizingProbe("P") if rate_P else VanishingProbe("P")
    return Setup(device, Reservoirs([0, 0, 0, 0, 0], [T_0, T_0, T_H, x * T_0, T_0]), (probe,))


@eqx.filter_jit
def _measure(case):
    return EXPERIMENT.measure(case, Effort.FAST)


def measure(*arguments, **options):
    out = {name: np.asarray(value) for name, value in _measure(setup(*arguments, **options)).items()}
    assert out["status"] == Outcome.CONVERGED
    return out


def close(found, expected):
    value, tolerance = expected
    return abs(float(found) / value - 1) <= tolerance


def test_figure_2_at_equal_temperatures():
    out, expected = measure("2"), DATA["fig2_x1"]
    assert close(out["optimal_mu_R"], expected["mu_R"])
    assert close(out["power"], expected["power"])
    assert close(out["heat_in"], expected["heat_in"])
    assert close(out["heat_transferred"], expected["heat_transferred"])
    assert close(out["probe_temperature"][0], expected["effective_temperature"])


def test_figure_2_power_without_heat():
    """J_in changes sign within the tolerance of the published x, where the power is finite."""
    case = DATA["fig2_zero_heat_in"]
    below, at, above = (measure("2", case["x"] + side * case["tolerance"]) for side in (-1, 0, 1))
    assert below["heat_in"] * above["heat_in"] < 0
    assert close(at["power"], case["power"])


def test_figure_2_dot_as_hot_as_the_circuit():
    case = DATA["fig2_neutral_temperature"]
    below, above = (measure("2", case["x"] + side * case["tolerance"])["probe_temperature"] for side in (-1, 1))
    assert below < 8 < above


@pytest.mark.slow
def test_without_bias_heat_and_temperature_vanish_together():
    """For γ_L + γ_R independent of (h, c) and V = 0: J_in = 0 exactly where T_M = T_0."""
    case = DATA["fig2_unbiased_zero"]
    heat, temperature = [], []
    for side in (-1, 1):
        at = setup("2", case["x"] + side * case["tolerance"])
        state = steady_state(at.device, at.reservoirs, at.unknowns)
        heat.append(float(state.currents.energy[2] + state.currents.energy[3]))
        temperature.append(float(state.reservoirs.T[4] - 8))
    assert heat[0] < 0 < heat[1]
    assert temperature[0] < 0 < temperature[1]


@pytest.mark.parametrize("x", DATA["fig3_zeros"]["x"])
def test_figure_3_heat_vanishes_twice(x):
    tolerance = DATA["fig3_zeros"]["tolerance"]
    assert measure("3", x - tolerance)["heat_in"] * measure("3", x + tolerance)["heat_in"] < 0


def test_figure_4():
    out, expected = measure("4"), DATA["fig4_x1"]
    assert close(out["power"], expected["power"])
    assert close(out["probe_temperature"][0], expected["effective_temperature"])


@pytest.mark.slow
def test_figure_6_with_a_thermalizing_probe():
    case = DATA["fig6_x1"]
    out = measure("2", rate_P=case["rate_P"])
    for name in ("power", "heat_in"):
        assert close(out[name], case[name])
    assert close(out["probe_temperature"][0], case["probe_temperature"])
    assert close(out["probe_mu"][0], case["probe_mu"])


@pytest.mark.slow
def test_figure_6b_power_without_heat_fades_with_thermalization():
    """Power where J_in = 0, by interpolation along T_C for each probe coupling."""
    case = DATA["fig6b"]
    x = np.linspace(0.6, 1.0, 21)
    powers = []
    for rate in case["rate_P"]:
        data = sweep(EXPERIMENT, setup("2", rate_P=rate), [Axis("reservoirs.C.T", x, "x", scale=8.0)])
        assert (data.status == Outcome.CONVERGED).all()
        heat, power = data.heat_in.values, data.power.values
        (crossing,) = np.flatnonzero(np.diff(np.sign(heat)))
        around = slice(max(crossing - 1, 0), crossing + 3)
        zero = np.roots(np.polyfit(x[around], heat[around], 2))
        zero = zero[(x[crossing] <= zero) & (zero <= x[crossing + 1])].item()
        powers.append(np.polyval(np.polyfit(x[around], power[around], 2), zero))
    np.testing.assert_allclose(powers, case["power"], rtol=case["tolerance"])
    assert np.all(np.diff(powers) < 0)


@pytest.mark.parametrize("x", [0.3, 0.8, 1.1])
@pytest.mark.parametrize("figure", ["2", "3", "4"])
def test_equations_18_and_19(figure, x):
    """Entropy production from J_in, J_trans and P (Eq. 18), and the bound on P it implies (Eq. 19)."""
    out = measure(figure, x)
    T_0, T_H, T_C = 8.0, 16.0, 8.0 * x
    heat, through, power = out["heat_in"], out["heat_transferred"], out["power"]
    produced = heat / 2 * (2 / T_0 - 1 / T_H - 1 / T_C) + through / 2 * (1 / T_C - 1 / T_H) - power / T_0
    assert produced == pytest.approx(float(out["entropy_production"]), rel=1e-10)
    assert power <= heat / 2 * (2 - T_0 / T_H - T_0 / T_C) + through / 2 * (T_0 / T_C - T_0 / T_H)


@pytest.mark.parametrize(("charging", "largest"), [(100.0, None), (400.0, 1e-7)])
def test_equation_13_needs_an_infinite_charging_energy(charging, largest):
    """I_R = Λ_H J_H/U_MH + Λ_C J_C/U_MC at V = 0 (Λ = −1 here): exact for U_HC → ∞ only; at Fig. 2's value the hot
    reservoir still opens the doubly occupied state."""
    device = quantum_dot_thermocouple(charging_HC=charging)
    state = steady_state(device, Reservoirs([0, 0, 0, 0, 0], [8, 8, 16, 8, 8]))
    heat = state.currents.energy
    predicted = -(-heat[2] / 3.0 - heat[3] / 6.0)
    deviation = abs(float(state.currents.particle[1] / -predicted) - 1)
    if largest is None:
        assert deviation > 0.1
    else:
        assert deviation < largest


def test_single_dot_closed_form():
    """One level between two contacts: J = γ_l γ_r (f_l − f_r)/(γ_l + γ_r)."""
    case = DATA["single_dot"]
    device = CoulombDots(["D"], [("l", "D"), ("r", "D")], [case["level"]], [], [[rate] for rate in case["rates"]])
    T = 1 / np.array(case["beta"])
    state = steady_state(device, Reservoirs(case["mu"], T))
    left, right = (1 / (1 + np.exp((case["level"] - mu) / t)) for mu, t in zip(case["mu"], T, strict=True))
    g_l, g_r = case["rates"]
    assert float(state.currents.particle[0]) == pytest.approx(g_l * g_r * (left - right) / (g_l + g_r), rel=1e-13)
    assert float(state.currents.particle[0]) == pytest.approx(case["J_N"], rel=case["tolerance"])
    heat = state.currents.energy - state.reservoirs.mu * state.currents.particle
    assert float(-jnp.sum(heat / T)) == pytest.approx(case["entropy_production"], rel=case["tolerance"])


def test_optimal_bias_is_a_maximum_of_both_signs():
    """No bias of either sign on a fine grid gives more power; V_opt changes sign along T_C."""
    out = {x: measure("2", x) for x in (0.4, 1.0)}
    assert out[0.4]["optimal_mu_R"] < 0 < out[1.0]["optimal_mu_R"]

    for x, found in out.items():
        at = setup("2", x)

        def power(mu, at=at):
            state = steady_state(at.device, at.reservoirs.at(1, mu=mu), throw=False)
            return -mu * state.currents.particle[1]

        grid = np.linspace(-12, 12, 2401)
        assert jnp.max(jax.vmap(power)(grid)) <= found["power"] * (1 + 1e-12)
