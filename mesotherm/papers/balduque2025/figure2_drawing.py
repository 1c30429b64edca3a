"""Fig. 2 as the paper lays it out: cuts above maps, the antisymmetric line beside them. Nothing is computed here."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from mesotherm.papers.balduque2025.drawing import (
    BACKWARD,
    FORWARD,
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

LINEAR, RIDGE = "0.35", "#1a1a1a"

HUNDREDFOLD = 100.0
"""Currents of panel e are drawn in hundredths."""


def draw(datasets: Datasets, path: Path) -> None:
    """Write the figure; the suffix chooses the format."""
    with plt.rc_context(OURS):
        figure = plt.figure(figsize=(10.4, 5.3), layout=ConstrainedLayoutEngine(w_pad=0.06, h_pad=0.05))
        panels = figure.subplot_mosaic([["a", "b", "e"], ["c", "d", "e"]], width_ratios=[1.0, 1.0, 0.92])
        _particle_currents(panels["a"], datasets["fig2a"])
        _heat_currents(panels["b"], datasets["fig2b"])
        cuts = (float(datasets[name].epsilon_3) for name in ("fig2a", "fig2b"))
        for (name, variable, label), cut in zip(MAPS, cuts, strict=True):
            rectification_map(figure, panels[name], datasets["fig2"][variable], label, cut)
        _antisymmetric_line(figure, panels["e"], datasets["fig2e"])
        letters(panels)
        save(figure, path)


def _particle_currents(panel: Axes, cut) -> None:
    both_directions(panel, cut, "particle_current", "I")
    linear = cut.particle_current_linear.sel(direction="forward")
    panel.plot(cut.epsilon_1, linear, "--", color=LINEAR, linewidth=1.2, label=r"$I^F_\mathrm{lin}$")
    frame_of_cut(panel, cut, "I", PARTICLE_UNIT, (-0.24, 0.37))
    panel.legend(loc="lower left", fontsize=9, labelspacing=0.3)

    zeros = cut.zero_of_particle_current
    low, high = float(zeros.min()), float(zeros.max())
    inset = panel.inset_axes((0.13, 0.61, 0.36, 0.36))
    inset.axvspan(low, high, color="#f3e3b3", linewidth=0, zorder=-1)
    both_directions(inset, cut, "particle_current", "I")
    inset.plot(cut.epsilon_1, linear, "--", color=LINEAR, linewidth=1.0)
    for direction, colour in (("forward", FORWARD), ("backward", BACKWARD)):
        zero = float(zeros.sel(direction=direction))
        inset.plot(zero, 0, "o", color=colour, markersize=4, markeredgecolor="white", markeredgewidth=0.6, zorder=5)
    inset.set(xlim=(low - 1.1, high + 1.1), ylim=(-0.022, 0.046), yticks=(0, 0.02, 0.04), xticks=(-6, -5, -4))
    inset.yaxis.set_major_formatter("{x:g}")
    inset.tick_params(labelsize=7, length=2.5, pad=2)
    inset.annotate("bipolar", ((low + high) / 2, 0.037), ha="center", va="center", fontsize=7, color="0.25")
    panel.indicate_inset_zoom(inset, edgecolor="0.4", linewidth=0.7, alpha=1.0)


def _heat_currents(panel: Axes, cut) -> None:
    both_directions(panel, cut, "heat_current", "J")
    frame_of_cut(panel, cut, "J", HEAT_UNIT, (-0.95, 0.95))
    panel.legend(loc="center right", fontsize=9)


def _antisymmetric_line(figure: Figure, panel: Axes, line) -> None:
    current = HUNDREDFOLD * line.particle_current.transpose("half_width", "epsilon")
    levels = np.arange(0.0, float(current.max()) + 0.025, 0.025)
    image = panel.contourf(line.epsilon, line.half_width, current, levels=levels, cmap="YlOrRd")
    panel.contour(line.epsilon, line.half_width, current, levels=levels[8::8], colors="white", linewidths=0.5)
    panel.plot(line.epsilon, line.half_width_of_maximum, "--", color=RIDGE, linewidth=1.4, label=r"$\max_\Gamma I$")
    place = [line.attrs[f"largest_particle_current_{name}"] for name in ("epsilon", "half_width")]
    panel.plot(*place, "*", color=RIDGE, markersize=10, markeredgecolor="white", markeredgewidth=0.7, label=r"$\max I$")
    panel.axhline(2, color="0.2", linewidth=0.8, linestyle=":")
    panel.annotate(r"$\Gamma=2k_\mathrm{B}T$", (9.8, 2), ha="right", va="top", fontsize=8, xytext=(9.8, 1.9))
    panel.set(
        xlabel=r"$(\varepsilon-\mu)/k_\mathrm{B}T$",
        ylabel=r"$\Gamma/k_\mathrm{B}T$",
        xlim=(0, 10),
        ylim=(float(line.half_width[0]), float(line.half_width[-1])),
        xticks=range(0, 11, 2),
        yticks=range(1, 9),
    )
    panel.legend(loc="upper left", fontsize=9)
    text = r"$\varepsilon_3-\mu=\mu-\varepsilon_1=\varepsilon-\mu$"
    above(panel, text)
    bar = figure.colorbar(image, ax=panel, pad=0.02, aspect=45, ticks=levels[::8])
    bar.set_label(r"$I^F=I^B$  $[10^{-2}\times2k_\mathrm{B}T/h]$")
