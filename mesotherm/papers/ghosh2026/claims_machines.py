"""Claims about the reduced model of Fig. 5: engine and refrigerator."""

from collections.abc import Iterator

import jax.numpy as jnp
import numpy as np

from mesotherm.device import Effort, Reservoirs
from mesotherm.devices.three_terminal_dots import CoupledDots
from mesotherm.force_flux import force_flux_pairs
from mesotherm.papers.ghosh2026.model import (
    ENGINE,
    engine,
)
from mesotherm.papers.ghosh2026.reading import ROUNDING
from mesotherm.papers.reproduction import Check, Datasets
from mesotherm.regimes import Regime
from mesotherm.steady_state import steady_state


def check_5(datasets: Datasets) -> Iterator[Check]:
    """Engine and refrigerator of the reduced model."""
    dataset = datasets["fig5"]
    hot, cold = (dataset.sel(third_terminal=third) for third in ("hot", "cold"))
    for third, one, T_u in (("engine", hot, ENGINE["T_hot"]), ("refrigerator", cold, ENGINE["T_cold"])):
        yield Check(
            f"fig5-{third}-stall",
            f"The ideal {third} stalls at μ_r − μ_l = κ(1 − T/T_u).",
            "Sec. IX.1.3; Sánchez & Büttiker (2011)",
            ENGINE["kappa"] * (1 - ENGINE["T"] / T_u),
            float(one.sel(rates="ideal").stall),
            1e-9,
            note="Root of the current of L.",
        )
    produces = hot.regime.isin([Regime.ENGINE, Regime.ENGINE_HEAT_PUMP, Regime.ENGINE_REFRIGERATOR])
    inside = (hot.bias_R > 0) & (hot.bias_R < hot.stall)
    edge = (np.abs(hot.bias_R - hot.stall) < 1e-9) | (np.abs(hot.bias_R) < 1e-9)
    yield Check(
        "fig5-heat-engine",
        "With u hot the reduced model is a heat engine.",
        "Sec. IX.1.3",
        True,
        bool(((produces == inside) | edge).all()),
        note="Exactly for biases between 0 and the stall, for ideal and for leaky rates.",
    )
    cooled = cold.cooling_power > 0
    yield Check(
        "fig5-refrigerator",
        "With u cold the reduced model is a refrigerator.",
        "Sec. IX.1.3",
        True,
        bool(np.all(cooled.any("bias_R")))
        and bool((cold.coefficient_of_performance <= cold.carnot_performance).where(cooled, True).all()),
        note="u is cooled beyond a bias, with a coefficient of performance below Carnot's.",
    )
    efficiency = hot.sel(rates="ideal").efficiency
    exact = hot.bias_R / ENGINE["kappa"]
    yield Check(
        "fig5-ideal-efficiency",
        "The ideal engine's efficiency is (μ_r − μ_l)/κ, Carnot's at the stall.",
        "Sánchez & Büttiker (2011)",
        0.0,
        float(np.abs(efficiency - exact).max()),
        1e-9,
        note="Largest difference where power is produced.",
    )
    leaky, ideal = hot.sel(rates="leaky").efficiency.max(), efficiency.max()
    yield Check(
        "fig5-leaks-cost",
        "Carnot efficiency needs tight coupling.",
        "Sec. IX.1.3",
        True,
        bool(leaky < ideal < hot.carnot_efficiency.max()),
        note=f"{ENGINE['leak']:.0%} of wrong rates: at most {float(leaky):.3f}; ideal {float(ideal):.3f} on the grid.",
    )
    rates = [ENGINE["rate"]] * 2
    even = CoupledDots(ENGINE["level_b"], ENGINE["level_u"], ENGINE["kappa"], rates, rates, rates)
    state = steady_state(even, Reservoirs([0.0] * 3, [ENGINE["T"], ENGINE["T"], ENGINE["T_hot"]]))
    yield Check(
        "fig5-even-rates",
        "Heat of u drives a current only if the rates depend on u.",
        "Sánchez & Büttiker (2011)",
        0.0,
        float(jnp.abs(state.currents.particle[0]) / state.one_way.particle[0]),
        1e-14,
        note="Constant rates, T_u = 2T, no bias.",
    )
    pairs = force_flux_pairs(engine(ENGINE["leak"], ENGINE["T_hot"]).with_reservoir("R", mu=0.2).solve(Effort.STRICT))
    reduced = pairs.without("E_L")
    yield Check(
        "eq49-reduction",
        "With β_l = β_r two pairs are left, of the energy of u and of the particles of l.",
        "Eq. 49",
        True,
        reduced.names == ("E_U", "N_L")
        and abs(float(reduced.entropy_production / pairs.entropy_production) - 1) < ROUNDING,
        note=f"Pairs {', '.join(reduced.names)}; their products sum to Σ̇.",
    )
