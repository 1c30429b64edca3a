"""Operating regimes: each one on a device that is known to work so, efficiencies in closed form, bounds."""

import jax
import numpy as np
import pytest

from mesotherm import (
    Axis,
    CoulombDots,
    CoupledDots,
    OperatingRegime,
    PowerAtOptimalBias,
    Regime,
    Reservoirs,
    ResonantBarrier,
    Setup,
    SingleDot,
    StepBarrier,
    TwoTerminalConductor,
    operation,
    quantum_power_bound,
    steady_state,
    sweep,
)

DOT = SingleDot(level=2.0, rate_L=0.01, rate_R=0.03)
"""Between a hot terminal L and a cold one R: an engine up to the bias 2(1 − T_R/T_L), a refrigerator beyond."""


def at(device, mu, T, surroundings=""):
    return operation(steady_state(device, Reservoirs(mu, T)), surroundings)


def regime(*arguments):
    return Regime(int(at(*arguments).regime))


@pytest.mark.parametrize(
    ("mu_R", "expected"),
    [(0.0, Regime.CONDUCTION), (0.6, Regime.ENGINE), (1.4, Regime.REFRIGERATOR), (-1.0, Regime.DISSIPATOR)],
)
def test_a_single_level_between_hot_and_cold(mu_R, expected):
    assert regime(DOT, [0.0, mu_R], [2.0, 1.0]) is expected


def test_a_heat_pump_is_a_refrigerator_seen_from_the_cold_side():
    assert regime(DOT, [0.0, 1.4], [2.0, 1.0], "R") is Regime.HEAT_PUMP
    assert regime(DOT, [0.0, 0.0], [1.0, 1.0]) is Regime.EQUILIBRIUM


def test_efficiencies_of_tight_coupling():
    """Every electron takes ε from the hot side and delivers μ_R, or the reverse."""
    engine = at(DOT, [0.0, 0.6], [2.0, 1.0])
    np.testing.assert_allclose(engine.efficiency, 0.6 / 2.0, rtol=1e-12)
    np.testing.assert_allclose(engine.carnot_efficiency, 0.5)
    np.testing.assert_allclose(engine.second_law_efficiency, 0.6 / 1.4, rtol=1e-12)
    fridge = at(DOT, [0.0, 1.4], [2.0, 1.0])
    np.testing.assert_allclose(fridge.coefficient_of_performance, (2.0 - 1.4) / 1.4, rtol=1e-12)
    np.testing.assert_allclose(fridge.carnot_performance, 1.0)
    assert np.isnan(fridge.efficiency)
    assert np.isnan(engine.coefficient_of_performance)


def test_a_load_moved_by_another_circuit():
    """Coulomb drag: work in one conductor becomes less work in another, at one temperature."""
    dots = CoulombDots(
        dots=("a", "b"),
        contacts=(("L", "a"), ("R", "a"), ("S", "b"), ("D", "b")),
        levels=[0.0, 0.0],
        charging_energies=[2.0],
        tunnel_rates=[[0.05, 0.001], [0.001, 0.05], [0.05, 0.001], [0.001, 0.05]],
    )
    found = at(dots, [0.05, 0.0, 3.0, -3.0], [1.0] * 4)
    assert Regime(int(found.regime)) is Regime.DRAG
    assert found.power < 0 < found.conductor_power[0]
    assert found.second_law_efficiency < 1


def test_a_hybrid_produces_work_and_cools():
    """Three temperatures: the hot dot drives a current uphill and cools the coldest lead."""
    regimes = set()
    device = CoupledDots(0.5, 0.5, 2.0, [0.02, 0.0], [0.0, 0.02], [0.01, 0.01])
    for mu_R in np.linspace(-0.5, 1.5, 41):
        found = at(device, [0.0, float(mu_R), 0.0], [0.8, 1.0, 3.0], "R")
        regimes.add(Regime(int(found.regime)))
        assert not found.second_law_efficiency > 1 + 1e-9
    assert Regime.ENGINE_REFRIGERATOR in regimes
    assert len(regimes) > 2


def test_bounds_hold_for_random_dots():
    """Efficiency below Carnot's, second-law efficiency below 1; all signs decided but few."""
    rng = np.random.default_rng(2)
    count = 2000
    rates, levels = 10 ** rng.uniform(-2, 0, (count, 3, 2)), rng.uniform(-2, 3, (count, 2))
    kappa, mu, T = rng.uniform(-3, 5, count), rng.uniform(-1, 1, (count, 3)), 10 ** rng.uniform(-0.5, 0.5, (count, 3))

    def one(rates, levels, kappa, mu, T):
        device = CoupledDots(levels[0], levels[1], kappa, rates[0], rates[1], rates[2])
        state = steady_state(device, Reservoirs(mu, T), throw=False)
        found = operation(state)
        return found.regime, found.efficiency, found.carnot_efficiency, found.second_law_efficiency

    regimes, efficiency, carnot, second = map(np.asarray, jax.jit(jax.vmap(one))(rates, levels, kappa, mu, T))
    works = ~np.isnan(efficiency)
    assert 50 < np.sum(works) < count
    assert np.all(efficiency[works] <= carnot[works])
    assert np.all(second[~np.isnan(second)] <= 1 + 1e-9)
    assert {Regime.ENGINE, Regime.REFRIGERATOR, Regime.DISSIPATOR} <= {Regime(int(code)) for code in regimes}


def test_whitneys_bound_on_power():
    """A sharp step at the optimal energy reaches it; a level of optimal width and height does not."""
    T_hot, T_cold = 1.2, 1.0
    step = TwoTerminalConductor(StepBarrier(0.0))
    x = 1.14455444091187
    bias = x * (T_hot - T_cold)
    edge = x * T_hot  # f_hot = f_cold at the step: (E − μ_hot)/T_hot = (E − μ_hot − bias)/T_cold
    state = steady_state(step, Reservoirs([-edge, bias - edge], [T_hot, T_cold]))
    found, bound = operation(state), quantum_power_bound(state)
    np.testing.assert_allclose(found.power, bound, rtol=1e-9)
    setup = Setup(TwoTerminalConductor(ResonantBarrier(2.5, 1.0)), Reservoirs([0, 0], [T_hot, T_cold]))
    best = sweep(PowerAtOptimalBias("R"), setup, [Axis("device.barrier.level", np.linspace(0.5, 5, 10))])
    assert float(best.power.max()) < 0.6 * float(bound)
    assert np.isnan(quantum_power_bound(steady_state(DOT, Reservoirs([0, 0], [1, 1]))))


def test_a_regime_map_has_categories():
    setup = Setup(DOT, Reservoirs([0.0, 0.0], [2.0, 1.0]))
    data = sweep(OperatingRegime(), setup, [Axis("reservoirs.R.mu", np.linspace(-1, 1.9, 30))])
    codes = data.regime.to_numpy()
    assert data.regime.attrs["flag_meanings"].split()[codes[25]] == "refrigerator"
    bias = data.R_mu.to_numpy()
    stalled = abs(bias - 1.0) < 1e-12
    assert np.all(codes[stalled] == Regime.EQUILIBRIUM)
    np.testing.assert_array_equal(codes == Regime.ENGINE, (bias > 0) & (bias < 1.0) & ~stalled)
    np.testing.assert_array_equal(codes == Regime.REFRIGERATOR, bias > 1.0)
    assert np.all(data.law_violation <= 1)
    with pytest.raises(ValueError, match="'X' does not exist"):
        OperatingRegime(("X",)).prepare(setup)
