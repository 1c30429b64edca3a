"""Figs. 2–6 drawn from their datasets, in the manner of the paper. Nothing is computed here."""

from pathlib import Path

import numpy as np
import xarray as xr
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap

from mesotherm.papers.reproduction import Datasets
from mesotherm.plots import STYLE

PAPER_STYLE = {
    **STYLE,
    "axes.spines.top": True,
    "axes.spines.right": True,
    "xtick.direction": "in",
    "ytick.direction": "in",
    "xtick.top": True,
    "ytick.right": True,
    "xtick.minor.visible": True,
    "ytick.minor.visible": True,
}

POWER, BOUND = "#b3261e", "#3b3b3b"
RESERVOIR_COLOURS = {"L": "#2e8b57", "R": "#8e44ad", "H": "#c0392b", "C": "#1f5fa8"}
HEAT_IN = "#111111"

ZERO_LINE = {"color": "0.6", "linewidth": 0.7, "zorder": 0}
CIRCLE = {"marker": "o", "linestyle": "none", "markersize": 5.5, "zorder": 5}

RATIO_LABEL = r"$T_\mathrm{C}/T_0$"
BLACK_TO_GREEN = LinearSegmentedColormap.from_list("black to green", ["#000000", "#27b348"])

DRAWN_RATES = (0.1, 0.5, 1.0, 10.0)
"""γ_P of the curves of Fig. 6(b, c) and of the filled diamonds of Fig. 6(a)."""

WEAK, STRONG = 0.001, 1000.0
"""γ_P of the open black and of the filled red diamonds of Fig. 6(a)."""


def _scaled(values: xr.DataArray | np.ndarray, power: int) -> np.ndarray:
    return np.asarray(values) * 10.0**-power


def _units(power: int, unit: str = r"\gamma^2") -> str:
    return rf"$[10^{{{power}}}\,{unit}]$"


def _ratio_axis(panel: Axes, ratios) -> None:
    panel.set_xlim(float(ratios[0]), float(ratios[-1]))
    panel.set_xticks(np.arange(0.2, 1.21, 0.2))


def draw_power(number: str, exponents: tuple[int, int], legend: str = "upper center"):
    """What draws Fig. 2, 3 or 4: power above, energy currents below, in units of powers of ten of γ²."""

    def draw(datasets: Datasets, path: Path) -> None:
        dataset = datasets[f"fig{number}"]
        ratios = dataset.cold_temperature_ratio
        with plt.rc_context(PAPER_STYLE):
            figure, (upper, lower) = plt.subplots(2, 1, figsize=(4.0, 5.0), sharex=True, layout="constrained")
            _power_panel(upper, dataset, exponents[0], legend)
            _current_panel(lower, dataset, exponents[1])
            _ratio_axis(lower, ratios)
            lower.set_xlabel(RATIO_LABEL)
            figure.align_ylabels()
            figure.savefig(path)
            plt.close(figure)

    return draw


def _power_panel(panel: Axes, dataset: xr.Dataset, exponent: int, legend: str) -> None:
    ratios, power = dataset.cold_temperature_ratio, _scaled(dataset.power, exponent)
    places = np.concatenate([ratios, dataset.ratio_nearby.to_numpy().ravel()])
    bound = np.concatenate([dataset.carnot_bound, dataset.carnot_bound_nearby.to_numpy().ravel()])
    order = np.argsort(places)
    bound = _scaled(bound[order], exponent)
    panel.axhline(0, **ZERO_LINE)
    panel.plot(places[order], bound, "--", color=BOUND, linewidth=1.3, label=r"$\eta_\mathrm{Carnot}\,J_\mathrm{in}$")
    panel.plot(ratios, power, color=POWER, linewidth=1.9, label=r"$P_\mathrm{gen}$")
    without = _scaled(dataset.power_at_heat_in_zero, exponent)
    panel.plot(dataset.heat_in_zero, without, color=POWER, label=r"$P_\mathrm{gen}$ at $J_\mathrm{in}=0$", **CIRCLE)
    highest = float(np.max(power))
    panel.set_ylim(min(-0.06 * highest, 1.25 * max(float(np.min(bound)), -0.3 * highest)), 1.12 * highest)
    panel.set_ylabel(rf"power  {_units(exponent)}")
    handles, labels = panel.get_legend_handles_labels()
    order = [1, 2, 0]
    panel.legend([handles[i] for i in order], [labels[i] for i in order], loc=legend, handlelength=2.2)


def _current_panel(panel: Axes, dataset: xr.Dataset, exponent: int) -> None:
    ratios = dataset.cold_temperature_ratio
    panel.axhline(0, **ZERO_LINE)
    for terminal, style in (("L", (0, (4, 1.2))), ("R", (0, (1, 1)))):
        current = _scaled(dataset.energy_current.sel(terminal=terminal), exponent)
        colour = RESERVOIR_COLOURS[terminal]
        panel.plot(ratios, current, linestyle=style, color=colour, label=rf"$I^E_\mathrm{{{terminal}}}$")
    panel.plot(ratios, _scaled(dataset.heat_in, exponent), color=HEAT_IN, label=r"$J_\mathrm{in}$")
    zeros = dataset.heat_in_zero
    panel.plot(zeros, np.zeros(len(zeros)), color=HEAT_IN, **CIRCLE)
    panel.set_ylabel(rf"energy currents  {_units(exponent)}")
    panel.margins(y=0.08)
    panel.legend(loc="best", handlelength=2.4)


def draw_entropy(datasets: Datasets, path: Path) -> None:
    """Fig. 5: rate of entropy change of each reservoir, J_trans in the inset."""
    dataset = datasets["fig5"]
    ratios = dataset.cold_temperature_ratio
    with plt.rc_context(PAPER_STYLE):
        figure, panel = plt.subplots(figsize=(4.6, 3.6), layout="constrained")
        panel.axhline(0, **ZERO_LINE)
        styles = {"C": "-", "H": (0, (6, 1.5)), "R": (0, (1, 1)), "L": (0, (4, 1.2))}
        for terminal, style in styles.items():
            rate = _scaled(dataset.entropy_production.sel(terminal=terminal), -3)
            panel.plot(ratios, rate, linestyle=style, color=RESERVOIR_COLOURS[terminal], label=terminal)
        total = _scaled(dataset.entropy_production_total, -3)
        panel.plot(ratios, total, color="0.45", linewidth=1.0, label="sum")
        panel.set_ylim(-2.6, 12.5)
        _ratio_axis(panel, ratios)
        panel.set_xlabel(RATIO_LABEL)
        panel.set_ylabel(r"$\mathrm{d}S_\alpha/\mathrm{d}t$  " + _units(-3, r"\gamma"))
        panel.legend(loc="upper left", ncols=5, handlelength=1.7, columnspacing=0.9, handletextpad=0.4)
        inset = panel.inset_axes((0.56, 0.5, 0.41, 0.34))
        inset.plot(ratios, _scaled(dataset.heat_transferred, -2), color=HEAT_IN, linewidth=1.3)
        inset.set_ylim(0, 7)
        inset.set_xlim(float(ratios[0]), float(ratios[-1]))
        inset.set_xticks([0.2, 0.7, 1.2])
        inset.tick_params(labelsize=7)
        inset.set_title(r"$J_\mathrm{trans}$  " + _units(-2), fontsize=8, pad=3)
        figure.savefig(path)
        plt.close(figure)


def draw_probe(datasets: Datasets, path: Path) -> None:
    """Fig. 6: deviation of dot M from a thermal state, power, and power beyond the conventional bound."""
    with plt.rc_context(PAPER_STYLE):
        figure, (a, b, c) = plt.subplots(1, 3, figsize=(11.0, 3.5), layout="constrained")
        _deviation_panel(a, datasets["fig6a"])
        _probe_power_panel(b, datasets["fig6"])
        _difference_panel(c, datasets["fig6"])
        for panel, name in ((a, "a"), (b, "b"), (c, "c")):
            panel.set_title(f"({name})", loc="left", fontsize=10)
        figure.savefig(path, dpi=170)
        plt.close(figure)


def _colours() -> dict[float, tuple]:
    places = (0.0, 0.4, 0.7, 1.0)
    return {rate: BLACK_TO_GREEN(place) for rate, place in zip(DRAWN_RATES, places, strict=True)}


def _deviation_panel(panel: Axes, dataset: xr.Dataset) -> None:
    energy = dataset.transition_energy.to_numpy()
    panel.axhline(0, **ZERO_LINE)

    def scatter(rate, label, **style):
        values = dataset.deviation.sel(probe_rate=rate)
        panel.plot(energy, values, "D", markersize=6, linestyle="none", label=label, **style)

    scatter(WEAK, r"$\gamma_\mathrm{P}\to 0$", markerfacecolor="none", markeredgecolor="black")
    for rate, colour in _colours().items():
        scatter(rate, rf"$\gamma_\mathrm{{P}}/\gamma={rate:g}$", color=colour)
    scatter(STRONG, r"$\gamma_\mathrm{P}\to\infty$", color="#d62718")
    for place, state in zip(energy, dataset.neighbour_state.to_numpy(), strict=True):
        ends = dataset.deviation.sel(neighbour_state=state, probe_rate=[DRAWN_RATES[0], DRAWN_RATES[-1]]).to_numpy()
        arrow = {"arrowstyle": "-|>", "color": "0.35", "linewidth": 1.0, "shrinkA": 0, "shrinkB": 0}
        panel.annotate("", xy=(place + 0.5, ends[1]), xytext=(place + 0.5, ends[0]), arrowprops=arrow)
        h, c = state
        above = ends[0] > 0
        label = place, ends[0] + (0.009 if above else -0.008)
        panel.annotate(f"({h}, {c})", label, ha="center", va="bottom" if above else "top", fontsize=8, color="0.3")
    panel.set_xlim(-1.2, 10.4)
    panel.set_ylim(-0.056, 0.104)
    panel.set_xlabel(r"$(E_{1hc}-E_{0hc})/\gamma$")
    panel.set_ylabel(r"$D_{hc}$")
    panel.legend(loc="upper left", fontsize=7.5, ncols=2, handletextpad=0.2, columnspacing=0.8)


def _probe_power_panel(panel: Axes, dataset: xr.Dataset) -> None:
    ratios = dataset.cold_temperature_ratio
    panel.axhline(0, **ZERO_LINE)
    for rate, colour in _colours().items():
        one = dataset.sel(probe_rate=rate)
        if rate in (DRAWN_RATES[0], DRAWN_RATES[-1]):
            panel.plot(ratios, _scaled(one.carnot_bound, -3), "--", color=colour, linewidth=1.2)
        panel.plot(ratios, _scaled(one.power, -3), color=colour)
        panel.plot(one.heat_in_zero, _scaled(one.power_at_heat_in_zero, -3), color=colour, **CIRCLE)
    panel.set_ylim(-0.25, 2.6)
    _ratio_axis(panel, ratios)
    panel.set_xlabel(RATIO_LABEL)
    panel.set_ylabel(rf"$P_\mathrm{{gen}}$, $\eta_\mathrm{{Carnot}}J_\mathrm{{in}}$  {_units(-3)}")


def _difference_panel(panel: Axes, dataset: xr.Dataset) -> None:
    ratios = dataset.cold_temperature_ratio
    panel.axhline(0, **ZERO_LINE)
    for rate, colour in _colours().items():
        one = dataset.sel(probe_rate=rate)
        difference = _scaled(one.power - one.carnot_bound, -3)
        panel.plot(ratios, difference, color=colour, label=rf"$\gamma_\mathrm{{P}}/\gamma={rate:g}$")
    panel.set_ylim(-2.0, 1.0)
    _ratio_axis(panel, ratios)
    panel.set_xlabel(RATIO_LABEL)
    panel.legend(loc="lower left", fontsize=7.5, title="panels (b) and (c)", title_fontsize=7.5)
    panel.set_ylabel(rf"$P_\mathrm{{gen}}-\eta_\mathrm{{Carnot}}J_\mathrm{{in}}$  {_units(-3)}")
