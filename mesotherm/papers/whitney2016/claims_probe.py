"""Claims about Fig. 6: what a probe that thermalizes dot M does to the power."""

from collections.abc import Iterator

import numpy as np

from mesotherm.device import Reservoirs
from mesotherm.papers.reproduction import Check, Datasets
from mesotherm.papers.whitney2016.drawings import DRAWN_RATES
from mesotherm.papers.whitney2016.machine import (
    PROBE,
    PROBE_RATES,
    RATIOS,
    RIGHT,
    T_0,
    T_H,
    curve,
    excess,
    setup,
    thermocouple,
)
from mesotherm.steady_state import steady_state
from mesotherm.unknowns import HeatProbe

STRONG = 10.0
"""γ_P of the strong probe of Fig. 6(b, c)."""

WINDOW = (0.74, 0.83)
"""T_C/T_0 around the place where the strong probe's power and bound both nearly vanish."""


def check_6(datasets: Datasets) -> Iterator[Check]:
    """Everything said about Fig. 6 in Secs. 6 and 7."""
    fig6, fig6a = datasets["fig6"], datasets["fig6a"]
    yield from _probe(fig6)
    yield from _thermal_state(fig6a)
    yield from _power(fig6)
    yield from _bound(fig6)


def _probe(fig6):
    probe = {name: fig6[name].sel(terminal="P") for name in ("particle_current", "heat_current")}
    worst = max(float(np.abs(values).max()) for values in probe.values())
    yield Check(
        "fig6-probe-takes-nothing",
        "Charge and heat current into the probe are zero (largest, in powers of γ).",
        "Sec. 6",
        0.0,
        worst,
        1e-12,
        note="Every coupling and T_C of Fig. 6.",
    )
    weak, none = fig6.sel(probe_rate=PROBE_RATES[0]), curve(setup("2"))
    changes = {
        name: float(np.abs(weak[name] - none[name]).max() / np.abs(none[name]).max()) for name in ("power", "heat_in")
    }
    yield Check(
        "fig6-weak-probe",
        "A probe with a far smaller rate than L and R leaves everything as it is (largest change of P).",
        "Sec. 6",
        0.0,
        changes["power"],
        1e-3,
        note="γ_P = 0.001 γ against γ_P → 0, over the largest value of the curve; J_in changes by "
        f"{changes['heat_in']:.1e}.",
    )
    strong = fig6.sel(probe_rate=STRONG, cold_temperature_ratio=1.0)
    reservoirs = Reservoirs([0.0, float(strong.optimal_mu_R), 0.0, 0.0, 0.0], [T_0, T_0, T_H, T_0, T_0])
    device = thermocouple("2", probe_rate=STRONG)
    without_mu = steady_state(device, reservoirs, [HeatProbe("P")]).currents.particle
    yield Check(
        "eq20-without-mu",
        "With the rates of Eq. 20 as printed, heat and charge current into the probe vanish together (I_P where "
        "J_P = 0, over I_R).",
        "Eq. 20",
        0.0,
        float(abs(without_mu[PROBE] / without_mu[RIGHT])),
        1e-9,
        erratum="eq20-chemical-potential",
        note=f"γ_P = 10 γ, T_C = T_0, mu_R = {float(strong.optimal_mu_R):.4f}: without mu_P the probe passes "
        f"{float(without_mu[PROBE]):.2e} γ; with it mu_P = {float(strong.probe_mu):.6f} and nothing passes.",
    )
    yield Check(
        "eq21",
        "In the state of Eq. 21 the probe fills and empties dot M at the same rate for all (h, c) (largest relative "
        "difference).",
        "Eq. 21",
        0.0,
        _detailed_balance(float(strong.probe_mu), float(strong.probe_temperature)),
        1e-13,
        note="With mu_P in the rates of Eq. 20.",
    )
    largest = max(PROBE_RATES)
    yield Check(
        "fig6-rates-below-temperatures",
        "Every tunnelling rate is below every temperature.",
        "Sec. 4",
        True,
        largest < RATIOS[0] * T_0,
        erratum="strong-probe-rates",
        note=f"γ_P up to {largest:g} γ in Fig. 6, and 10 γ in panels b and c; T_0 = 8 γ. For Figs. 2–5 it is true, see "
        "sec4-rates-below-temperatures.",
    )


def _detailed_balance(mu, T):
    """Eq. 21's ratio of probabilities put into Eq. 20's rates: in over out, minus one."""
    energy = np.array([0.0, 3.0, 6.0, 9.0])
    ratio = np.exp(-(energy - mu) / T)  # p_1hc / p_0hc
    enter, leave = 1 / (1 + np.exp((energy - mu) / T)), 1 / (1 + np.exp(-(energy - mu) / T))
    return float(np.max(np.abs(leave * ratio / enter - 1)))


def _thermal_state(fig6a):
    source = "Sec. 6; Fig. 6(a)"
    deviation = fig6a.deviation.transpose("probe_rate", "neighbour_state").to_numpy()
    where = "At T_C = T_0 and the optimal bias (the paper gives neither)"
    yield Check(
        "fig6a-deviations-fall",
        "Every D_hc becomes smaller with growing γ_P.",
        source,
        True,
        bool(np.all(np.diff(np.abs(deviation), axis=0) < 0)),
        note=f"{where}: abs(D_hc) falls at each of the six couplings. γ_P = 0.001: "
        + ", ".join(f"{value:.4f}" for value in deviation[0])
        + "; 10: "
        + ", ".join(f"{value:.4f}" for value in deviation[-2])
        + ", for (h, c) = "
        + ", ".join(f"({state[0]}, {state[1]})" for state in fig6a.neighbour_state.to_numpy())
        + ".",
    )
    scatter = np.ptp(deviation, axis=1)
    yield Check(
        "fig6a-scatter-falls",
        "The D_hc lie closer together the larger γ_P.",
        source,
        True,
        bool(np.all(np.diff(scatter) < 0)),
        note=f"{where}: largest minus smallest D_hc " + ", ".join(f"{value:.2e}" for value in scatter) + ".",
    )
    yield Check(
        "fig6a-thermal-limit",
        "The D_hc go to zero (largest of them at γ_P = 1000 γ).",
        source,
        0.0,
        float(np.max(np.abs(deviation[-1]))),
        1e-3,
        note=where + ".",
    )


def _power(fig6):
    source = "Sec. 6; Fig. 6(b)"
    powers = fig6.power_at_heat_in_zero.to_numpy()
    listed = ", ".join(f"{power:.2e} at {rate:g}" for rate, power in zip(PROBE_RATES, powers, strict=True))
    yield Check(
        "fig6b-power-without-heat-falls",
        "The power at J_in = 0 falls the more thermal M is.",
        source,
        True,
        bool(np.all(np.diff(powers) < 0) and np.all(powers > 0)),
        note=f"P in γ² at γ_P/γ: {listed}.",
    )
    yield Check(
        "fig6b-power-without-heat-vanishes",
        "It goes to zero (γ_P = 1000 γ over 0.001 γ).",
        source,
        0.0,
        float(powers[-1] / powers[0]),
        1e-3,
        note="See fig6b-power-without-heat-falls.",
    )


def _bound(fig6):
    strong = fig6.sel(probe_rate=STRONG)
    near = curve(setup("2", probe_rate=STRONG), np.linspace(*WINDOW, len(RATIOS)))
    ratios, beyond = near.cold_temperature_ratio.to_numpy(), excess(near).to_numpy()
    crossings = [
        ratios[i] - beyond[i] * (ratios[i + 1] - ratios[i]) / (beyond[i + 1] - beyond[i])
        for i in np.flatnonzero(np.diff(np.sign(beyond)))
    ]
    yield Check(
        "fig6b-strong-probe-below-bound",
        "A strongly coupled probe keeps the power below the bound, whatever T_C.",
        "Fig. 6, caption",
        True,
        bool(np.all(beyond <= 0) and np.all(excess(strong) <= 0)),
        erratum="strong-probe-below-bound",
        note="γ_P = 10 γ: above it for T_C/T_0 between "
        + " and ".join(f"{x:.4f}" for x in crossings)
        + f", by {np.max(beyond):.2e} γ² at most (the curve's scale is 1e-3); at γ_P = 1000 γ below it everywhere, by "
        f"at least {-float(excess(fig6.sel(probe_rate=1000.0)).max()):.1e} on the grid.",
    )
    share = (strong.power / strong.carnot_bound).where(strong.power < strong.carnot_bound)
    at = {ratio: float(share.sel(cold_temperature_ratio=ratio)) for ratio in (0.2, 0.6, 1.0, 1.2)}
    yield Check(
        "fig6b-efficiency",
        "At γ_P = 10 γ efficiencies are about 0.25 η_Carnot (median along T_C).",
        "Sec. 7",
        0.25,
        float(share.median()),
        0.1,
        note="At T_C/T_0 = "
        + ", ".join(f"{ratio:g}: {value:.2f}" for ratio, value in at.items())
        + "; the few points where P exceeds the bound are left out.",
    )
    largest = [float(excess(fig6.sel(probe_rate=rate)).max()) for rate in DRAWN_RATES]
    yield Check(
        "fig6c-violation-fades",
        "The power exceeds the bound by less and less the more thermal M is.",
        "Sec. 7; Fig. 6(c)",
        True,
        bool(np.all(np.diff(largest) < 0) and largest[-1] < 0.05 * largest[0]),
        note="Largest P − bound on the grid, from γ_P/γ = 0.1 to 10: "
        + ", ".join(f"{value:.2e}" for value in largest)
        + " γ².",
    )
