"""Level diagrams: the many-body states of dots, their energies, and what leads from one to another."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from mesotherm.device import Effort, Reservoirs
from mesotherm.engines.rate_equation import AbstractRateEquation, transition_flows
from mesotherm.engines.scaled import is_zero
from mesotherm.plots import COLOURS, STYLE

WIDTH = 0.6
"""Length of a state's line, of the distance between two."""

AROUND = 0.2
"""How far the way between two states that are not neighbours bends, so as to pass those between them."""

PAPER = {"boxstyle": "square,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.8}
"""Behind the name of a state."""


def level_diagram(
    device: AbstractRateEquation, reservoirs: Reservoirs, *, populations: bool = False, unit: str = "energy"
) -> Figure:
    """A drawing of all states at their energies, and of all transitions between them, each terminal in its colour.

    States stand side by side in the order of their numbers of electrons; those of the same number in the order of the
    device. What several terminals drive is drawn once for each.

    Parameters
    ----------
    reservoirs
        Where energies depend on them (capacitive dots), those of these reservoirs are drawn.
    populations
        Whether the stationary populations are written beside the states, and drawn as the width of their lines.
    unit
        What the axis of energies is labelled with.

    Source: Ghosh & Ghosh (2026), Figs. 4(b), 6(b) and 6(c), drawn for any network of dots.

    Examples
    --------
    ``level_diagram(CoupledDots.example(), Reservoirs([0, 0, 0], [1, 1, 1])).savefig("levels.pdf")``
    """
    table, flows = device.transitions(), transition_flows(device, reservoirs, Effort.STRICT)
    energies, names = np.asarray(device.kinetics(reservoirs).energies), device.state_names()
    there = ~np.asarray(is_zero(flows.enter)) & ~np.asarray(is_zero(flows.leave))
    electrons = _electrons(table, device)
    places = _places(electrons)
    share = np.asarray(device.populations(reservoirs)) if populations else np.zeros(len(names))
    with plt.rc_context(STYLE):
        figure, panel = plt.subplots(figsize=(1.2 + 1.1 * len(names), 4.0), layout="constrained")
        for state, (x, energy) in enumerate(zip(places, energies, strict=True)):
            ends = [x - WIDTH / 2, x + WIDTH / 2]
            panel.plot(ends, [energy] * 2, color="black", lw=1.5 + 4 * share[state], solid_capstyle="butt", zorder=3)
            label = names[state] + (f"\n{share[state]:.1%}" if populations else "")
            panel.annotate(
                label, (x, energy), (0, 5), textcoords="offset points", ha="center", va="bottom", zorder=4, bbox=PAPER
            )
        between: dict[tuple[int, int], list[int]] = {}
        for a, b, terminal, drawn in zip(table.empty, table.filled, table.terminal, there, strict=True):
            if drawn and terminal not in between.setdefault((a, b), []):
                between[a, b].append(terminal)
        for (a, b), terminals in between.items():
            for number, terminal in enumerate(terminals):
                bent = 0.12 * (number - (len(terminals) - 1) / 2) - AROUND * (abs(places[b] - places[a]) > 1)
                arrow = {
                    "arrowstyle": "<->",
                    "color": COLOURS[terminal % len(COLOURS)],
                    "connectionstyle": f"arc3,rad={bent}",
                    "shrinkA": 2,
                    "shrinkB": 2,
                }
                ends = [(places[state], energies[state]) for state in (b, a)]
                panel.annotate("", *ends, arrowprops=arrow, zorder=2)
        for terminal, name in enumerate(device.terminals):
            panel.plot([], [], color=COLOURS[terminal % len(COLOURS)], label=name)
        panel.legend(title="terminal", loc="center left", bbox_to_anchor=(1.0, 0.5))
        panel.set(ylabel=f"energy of the state [{unit}]", xticks=[], xlim=(min(places) - 0.7, max(places) + 0.7))
        panel.margins(y=0.15)
    return figure


def _electrons(table, device) -> np.ndarray:
    """Electrons in every state, counted along transitions; states that nothing leads to count from zero."""
    electrons = np.full(table.states, -1)
    carried = table.electrons.astype(int)
    steps = [(a, b, int(n)) for a, b, n in zip(table.empty, table.filled, carried, strict=True)]
    while np.any(electrons < 0):
        electrons[np.flatnonzero(electrons < 0)[0]] = 0
        changed = True
        while changed:
            changed = False
            for a, b, n in steps:
                for known, other, difference in ((a, b, n), (b, a, -n)):
                    if electrons[known] >= 0 and electrons[other] < 0:
                        electrons[other] = electrons[known] + difference
                        changed = True
    return electrons


def _places(electrons: np.ndarray) -> list[int]:
    """Where each state stands: sorted by number of electrons."""
    order = np.argsort(electrons, kind="stable")
    places = np.empty(len(electrons), int)
    places[order] = np.arange(len(electrons))
    return places.tolist()
