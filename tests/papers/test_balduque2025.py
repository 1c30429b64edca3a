"""Every λ = 1 number without screening of Balduque & Sánchez, PRL 134, 186301, and the relations behind their Eq. 3."""

import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mesotherm import (
    DiodeTest,
    Effort,
    Outcome,
    Reservoirs,
    ResonantBarrier,
    Setup,
    StepBarrier,
    ThermalizationDiode,
    ThermalizingProbe,
    TransparentRegion,
    steady_state,
)

DATA = json.loads((Path(__file__).parents[1] / "data" / "balduque2025.json").read_text())
BARE = np.pi  # currents are 2/h times the bare integrals of the paper, and h = 2π
T_FORWARD, T_BACKWARD = [2.0, 1.0, 1.0], [1.0, 2.0, 1.0]


def diode(left, right, half_width=3.0, band_bottom=-40.0):
    return ThermalizationDiode(ResonantBarrier(left, half_width), ResonantBarrier(right, half_width), band_bottom)


@jax.jit
def solve(left, right, half_width, temperatures, band_bottom=-40.0):
    device = diode(left, right, half_width, band_bottom)
    reservoirs = Reservoirs(jnp.zeros(3), temperatures)
    return steady_state(device, reservoirs, [ThermalizingProbe("P")], effort=Effort.STRICT, throw=False)


def measured(state):
    return {
        "I": BARE * float(state.currents.particle[0]),
        "J": BARE * float(state.currents.energy[0]),
        "probe_mu": float(state.reservoirs.mu[2]),
        "probe_temperature": float(state.reservoirs.T[2]),
    }


@pytest.mark.parametrize("point", DATA["points"], ids=lambda p: f"{p['left']},{p['right']},{p['half_width']}")
def test_published_points(point):
    state = solve(point["left"], point["right"], point["half_width"], jnp.array(T_FORWARD))
    assert state.outcome == Outcome.CONVERGED
    found = measured(state)
    for name in {"I", "J", "probe_mu", "probe_temperature"} & set(point):
        value, tolerance = point[name]
        assert abs(found[name] - value) <= tolerance, name


def test_probe_far_hotter_than_its_reservoirs():
    case = DATA["hot_probe"]
    device = diode(case["left"], case["right"], case["half_width"], -jnp.inf)
    state = steady_state(device, Reservoirs([*case["mu"], 0], [*case["T"], 1]), [ThermalizingProbe("P")])
    found = measured(state)
    for name in ("I", "probe_mu", "probe_temperature"):
        assert abs(found[name] - case[name][0]) <= case[name][1], name


@pytest.mark.slow
def test_no_linear_response_on_the_antisymmetric_line():
    """L⁽¹⁾ = 0 by differentiating the self-consistent solution at equilibrium; I ≈ 0.0143 ΔT² beyond it."""

    def current(delta, level):
        state = solve(-level, level, 3.0, jnp.stack([1 + delta, jnp.ones(()), jnp.ones(())]), -jnp.inf)
        return BARE * state.currents.particle[0]

    for level in (1.0, 4.8, 8.0):
        assert abs(jax.grad(current)(0.0, level)) <= DATA["linear_coefficient"]["tolerance"]
    step = 1e-3
    assert current(step, 4.8) / step**2 == pytest.approx(DATA["linear_coefficient"]["quadratic_at_4.8"], rel=0.01)


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_currents_vanish_where_published(direction):
    """The current changes sign within the tolerance of the published zero."""
    case = DATA["zeros"]
    temperatures = jnp.array(T_FORWARD if direction == "forward" else T_BACKWARD)
    sides = [
        solve(case[direction] + side * case["tolerance"], case["right"], 3.0, temperatures).currents.particle[0]
        for side in (-1, 1)
    ]
    assert sides[0] * sides[1] < 0


@pytest.mark.parametrize("case", DATA["heat_rectification"], ids=lambda c: f"{c['left']},{c['right']}")
def test_largest_heat_rectification(case):
    setup = Setup(diode(case["left"], case["right"]), Reservoirs([0, 0, 0], [1, 1, 1]), (ThermalizingProbe("P"),))
    out = jax.jit(lambda s: DiodeTest(delta_temperature=1.0).measure(s, Effort.STRICT))(setup)
    assert abs(abs(float(out["rectification_heat"])) - case["value"]) <= case["tolerance"]
    assert float(out["error_rectification_heat"]) < 1e-9


@pytest.mark.slow
def test_antisymmetric_line_in_a_wide_band():
    """I^F = I^B, μ_p^F + μ_p^B = 2μ and T_p^F = T_p^B hold exactly at any ΔT (the paper's T + ΔT/2 is first order)."""
    for level in (0.7, 2.5, 6.0):
        forward, backward = (solve(-level, level, 3.0, jnp.array(T), -jnp.inf) for T in (T_FORWARD, T_BACKWARD))
        assert float(abs(forward.currents.particle[0] - backward.currents.particle[0])) < 1e-13
        assert float(abs(forward.reservoirs.mu[2] + backward.reservoirs.mu[2])) < 1e-12
        assert float(abs(forward.reservoirs.T[2] - backward.reservoirs.T[2])) < 1e-12
        assert abs(float(forward.reservoirs.T[2]) - 1.5) > 1e-4


@pytest.mark.parametrize("barrier", [ResonantBarrier(2.0, 3.0), ResonantBarrier(-5.0, 3.0), StepBarrier(1.0)])
@pytest.mark.parametrize("hot", [0, 1])
@pytest.mark.slow
def test_equation_3_with_its_joule_term(barrier, hot):
    """With a transparent region on the right, I = (2/h)(μ_p − μ) and J = (2/h)[(μ_p − μ)²/2 + π²(T_p² − T_R²)/6]."""
    T = jnp.array([1.0, 1.0, 1.0]).at[hot].add(1.0)
    device = ThermalizationDiode(barrier, TransparentRegion())
    state = steady_state(device, Reservoirs([0, 0, 0], T), [ThermalizingProbe("P")])
    found = measured(state)
    bound = BARE * (state.error.particle[0] + state.error.energy[0]) + 10 * state.reservoirs_error.T[2] + 1e-13
    assert abs(found["I"] - found["probe_mu"]) <= bound
    joule, conducted = found["probe_mu"] ** 2 / 2, np.pi**2 * (found["probe_temperature"] ** 2 - float(T[1]) ** 2) / 6
    assert abs(found["J"] - joule - conducted) <= bound
    assert joule > 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("barrier", "delta", "smallest", "largest"),
    [
        (ResonantBarrier(2.0, 3.0), 1.0, 0.006, 0.009),
        (ResonantBarrier(-4.0, 3.0), 1.0, 0.01, 0.02),
        (StepBarrier(1.0), 1.0, 0.03, 0.05),
    ],
)
def test_what_equation_3_leaves_out(barrier, delta, smallest, largest):
    """The Joule term, as a fraction of J: the size of the erratum."""
    device = ThermalizationDiode(barrier, TransparentRegion())
    state = steady_state(device, Reservoirs([0, 0, 0], [1 + delta, 1, 1]), [ThermalizingProbe("P")])
    found = measured(state)
    assert smallest <= found["probe_mu"] ** 2 / 2 / found["J"] <= largest
