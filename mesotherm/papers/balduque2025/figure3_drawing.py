"""Figs. 3 and 4 as the paper lays them out: cuts above maps, in Fig. 3 what happens at the star beside them. Nothing is
computed here."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import FigureBase
from matplotlib.layout_engine import ConstrainedLayoutEngine

from mesotherm.papers.balduque2025.drawing import (
    COLOUR_OF,
    EQUILIBRIUM,
    HEAT_UNIT,
    MAPS,
    OURS,
    PARTICLE_UNIT,
    above,
    both_directions,
    frame_of_cut,
    letters,
    rectification_map,
    save,
)
from mesotherm.papers.reproduction import Datasets

STAR = "#e0a800"


def draw_figure_3(datasets: Datasets, path: Path) -> None:
    """Write Fig. 3; the suffix chooses the format."""
    with plt.rc_context(OURS):
        figure = plt.figure(figsize=(10.4, 5.3), layout=ConstrainedLayoutEngine(w_pad=0.06, h_pad=0.05))
        left, right = figure.subfigures(1, 2, squeeze=False, width_ratios=[2.1, 1.0])[0]
        panels = left.subplot_mosaic([["a", "b"], ["c", "d"]]) | right.subplot_mosaic([["e"], ["f"], ["g"]])
        _cuts_and_maps(left, panels, datasets, "fig3")
        star = {name: datasets["fig3"].attrs[f"star_{name}"] for name in ("epsilon_1", "epsilon_3", "particle_current")}
        _mark(panels["a"], star["epsilon_1"], star["particle_current"])
        for name in ("c", "d"):
            _mark(panels[name], star["epsilon_1"], star["epsilon_3"])
        _transmissions(panels["e"], datasets["fig3e"])
        _against_temperature(panels["f"], datasets["fig3f"], "particle_current", "I", PARTICLE_UNIT)
        _against_temperature(panels["g"], datasets["fig3f"], "heat_current", "J", HEAT_UNIT)
        panels["f"].tick_params(labelbottom=False)
        panels["g"].set_xlabel(r"$\Delta T/T$")
        letters(panels)
        save(figure, path)


def draw_figure_4(datasets: Datasets, path: Path) -> None:
    """Write Fig. 4; the suffix chooses the format."""
    with plt.rc_context(OURS):
        figure = plt.figure(figsize=(7.2, 5.3), layout=ConstrainedLayoutEngine(w_pad=0.06, h_pad=0.05))
        panels = figure.subplot_mosaic([["a", "b"], ["c", "d"]])
        _cuts_and_maps(figure, panels, datasets, "fig4")
        letters(panels)
        save(figure, path)


def _cuts_and_maps(figure: FigureBase, panels: dict[str, Axes], datasets: Datasets, name: str) -> None:
    """Panels a to d."""
    cut_a, cut_b = (datasets[f"{name}{panel}"] for panel in "ab")
    both_directions(panels["a"], cut_a, "particle_current", "I")
    frozen = cut_a.particle_current_equilibrium.sel(terminal="L", direction="forward")
    panels["a"].plot(
        cut_a.epsilon_1, frozen, "--", color=EQUILIBRIUM, linewidth=1.2, label=r"$I^F[\mathcal{T}_\mathrm{eq}]$"
    )
    frame_of_cut(panels["a"], cut_a, "I", PARTICLE_UNIT, _limits(cut_a.particle_current, frozen))
    both_directions(panels["b"], cut_b, "heat_current", "J")
    frame_of_cut(panels["b"], cut_b, "J", HEAT_UNIT, _limits(cut_b.heat_current))
    for panel in "ab":
        panels[panel].legend(loc="best", fontsize=8.5, labelspacing=0.25)
    for (panel, variable, label), cut in zip(MAPS, (cut_a, cut_b), strict=True):
        rectification_map(figure, panels[panel], datasets[name][variable], label, float(cut.epsilon_3))


def _limits(*currents: xr.DataArray) -> tuple[float, float]:
    largest = 1.08 * max(float(np.nanmax(np.abs(current))) for current in currents)
    return -largest, largest


def _mark(panel: Axes, x: float, y: float) -> None:
    panel.plot(x, y, "*", color=STAR, markersize=11, markeredgecolor="black", markeredgewidth=0.7, zorder=6)


def _transmissions(panel: Axes, dataset: xr.Dataset) -> None:
    labels = {
        "equilibrium": r"$\mathcal{T}_\mathrm{eq}$",
        "forward": r"$\mathcal{T}^F$",
        "backward": r"$\mathcal{T}^B$",
    }
    for name, label in labels.items():
        colour, line = COLOUR_OF.get(name, EQUILIBRIUM), "--" if name == "equilibrium" else "-"
        panel.plot(
            dataset.energy,
            dataset.transmission.sel(configuration=name),
            line,
            color=colour,
            linewidth=1.3,
            label=label,
        )
    panel.axvline(0, color="0.6", linewidth=0.6, zorder=0)
    panel.set(xlabel=r"$(E-\mu)/k_\mathrm{B}T$", ylabel=r"$\mathcal{T}(E)$", xlim=(-12, 15), ylim=(0, 1.05))
    panel.legend(loc="upper left", fontsize=8.5, labelspacing=0.25)
    above(panel, "at the star")


def _against_temperature(panel: Axes, dataset: xr.Dataset, variable: str, symbol: str, unit: str) -> None:
    """A current of terminal L against ΔT: every solution on the curve from equilibrium, dashed where it is unstable."""
    for direction, colour in COLOUR_OF.items():
        delta, values, stable = along_the_curve(dataset.sel(direction=direction), variable)
        unstable = ~stable
        beside = unstable | np.roll(unstable, 1) | np.roll(unstable, -1)
        label = rf"${symbol}^{direction[0].upper()}$"
        panel.plot(delta, np.where(stable, values, np.nan), color=colour, label=label)
        panel.plot(delta, np.where(beside, values, np.nan), color=colour, linewidth=1.1, dashes=(2.5, 1.5))
    panel.axhline(0, color="0.6", linewidth=0.6, zorder=0)
    panel.set(ylabel=f"${symbol}$ {unit}", xlim=(0, float(dataset.delta_temperature[-1])))
    panel.legend(loc="upper right", fontsize=8.5, labelspacing=0.25)


def along_the_curve(
    dataset: xr.Dataset, variable: str
) -> tuple[Float[np.ndarray, "points"], Float[np.ndarray, "points"], np.ndarray]:
    """Solutions of one direction in the order in which the curve from equilibrium meets them: ΔT, the variable at
    terminal L, and whether the solution is stable. Every second passage of a value of ΔT runs back."""
    delta = dataset.delta_temperature.to_numpy()
    values = dataset[variable].sel(terminal="L").transpose("delta_temperature", "branch").to_numpy()
    stable = (dataset.largest_eigenvalue < 0).transpose("delta_temperature", "branch").to_numpy()
    there = np.isfinite(values)
    several = np.flatnonzero(there.sum(axis=1) > 1)
    before, after = (several[0], several[-1] + 1) if len(several) else (len(delta), len(delta))
    order = [(row, 0) for row in range(before)]
    for branch in range(values.shape[1]):
        rows = [row for row in range(before, after) if there[row, branch]]
        order += [(row, branch) for row in (rows if branch % 2 == 0 else rows[::-1])]
    order += [(row, 0) for row in range(after, len(delta))]
    rows, branches = np.array(order).T
    return delta[rows], values[rows, branches], stable[rows, branches]
