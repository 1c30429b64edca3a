"""What the figures of the paper have in common: their style, their cuts and their maps. Nothing is computed here."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase

from mesotherm.plots import COLOURS, STYLE

FORWARD, BACKWARD, EQUILIBRIUM = COLOURS[1], COLOURS[0], COLOURS[2]
COLOUR_OF = {"forward": FORWARD, "backward": BACKWARD}

LEVEL_1, LEVEL_3 = (rf"$(\varepsilon_{i}-\mu)/k_\mathrm{{B}}T$" for i in (1, 3))
PARTICLE_UNIT, HEAT_UNIT = r"$[2k_\mathrm{B}T/h]$", r"$[2(k_\mathrm{B}T)^2/h]$"

LEVEL_TICKS = (-10, -5, 0, 5, 10)

OURS = {
    **STYLE,
    "axes.spines.top": True,
    "axes.spines.right": True,
    "axes.linewidth": 0.7,
    "savefig.dpi": 180,
    "xtick.direction": "in",
    "ytick.direction": "in",
    "legend.handlelength": 1.6,
}

MAPS = (("c", "rectification_particle", r"$\mathcal{R}_I$"), ("d", "rectification_heat", r"$\mathcal{R}_J$"))
"""Panel, variable and symbol of the two maps that every figure has."""


def both_directions(panel: Axes, cut, variable: str, symbol: str) -> None:
    """A current of terminal L along a cut, forward and backward."""
    for direction, colour in COLOUR_OF.items():
        current = cut[variable].sel(terminal="L", direction=direction)
        panel.plot(cut.epsilon_1, current, color=colour, label=rf"${symbol}^{direction[0].upper()}$")
    panel.axhline(0, color="0.6", linewidth=0.6, zorder=0)


def frame_of_cut(panel: Axes, cut, symbol: str, unit: str, limits: tuple[float, float]) -> None:
    """Axes of a cut above a map, and where the cut lies."""
    panel.set(ylabel=f"${symbol}$ {unit}", xlim=(-10, 10), ylim=limits, xticks=LEVEL_TICKS)
    panel.tick_params(labelbottom=False)
    text = rf"$(\varepsilon_3-\mu)/k_\mathrm{{B}}T={float(cut.epsilon_3):g}$"
    above(panel, text)


def above(panel: Axes, text: str) -> None:
    """A line of text above the upper right corner."""
    panel.annotate(text, (1, 1), (0, 3), xycoords="axes fraction", textcoords="offset points", ha="right", fontsize=9)


def rectification_map(figure: FigureBase, panel: Axes, rectification, label: str, cut: float) -> None:
    """A rectification against both levels, with a line where the cut lies; white where it is not defined."""
    values = rectification.transpose("epsilon_3", "epsilon_1").to_numpy()
    largest = float(np.nanmax(np.abs(values)))
    image = panel.pcolormesh(
        rectification.epsilon_1,
        rectification.epsilon_3,
        values,
        shading="nearest",
        rasterized=True,
        cmap="RdBu_r",
        vmin=-largest,
        vmax=largest,
    )
    panel.axhline(cut, color="black", linewidth=1.2)
    panel.set(xlabel=LEVEL_1, ylabel=LEVEL_3, xlim=(-10, 10), ylim=(-10, 10), xticks=LEVEL_TICKS, yticks=LEVEL_TICKS)
    figure.colorbar(image, ax=panel, pad=0.02, aspect=25).set_label(label, rotation=0, labelpad=8)


def letters(panels: Mapping[str, Axes]) -> None:
    """Name the panels."""
    for name, panel in panels.items():
        panel.annotate(f"({name})", (0, 1), (-40, 4), xycoords="axes fraction", textcoords="offset points", fontsize=11)


def save(figure: Figure, path) -> None:
    """Write a figure and forget it; the suffix chooses the format."""
    figure.savefig(path)
    plt.close(figure)
