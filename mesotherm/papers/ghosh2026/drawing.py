"""Figs. 3, 5, 6 and the two-terminal question drawn from their datasets. Nothing is computed here."""

from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.colors import ListedColormap
from matplotlib.patches import Patch

from mesotherm.inverse_currents import TransportKind
from mesotherm.papers.reproduction import Datasets
from mesotherm.plots import STYLE

KINDS = {
    TransportKind.ALONG_FORCES: ("both along their forces", "#f1efe8"),
    TransportKind.ENGINE: ("engine", "#e9a1a1"),
    TransportKind.REFRIGERATOR: ("refrigerator", "#f3c9a5"),
    TransportKind.INVERSE_PARTICLE: ("inverse particle current", "#3b6fb6"),
    TransportKind.INVERSE_ENERGY: ("inverse energy current", "#9cc3e6"),
    TransportKind.UNDECIDED: ("undecided", "#999999"),
}

FORCE_ENERGY, FORCE_PARTICLE = r"$F_\mathrm{E}^l\ [k_\mathrm{B}/T]$", r"$F_\mathrm{N}^l\ [k_\mathrm{B}]$"


def draw_figure_3(datasets: Datasets, path: Path) -> None:
    """Both maps: who flows along what."""
    with plt.rc_context(STYLE):
        figure, panels = plt.subplots(1, 2, figsize=(7.6, 4.1), layout="constrained", sharey=True)
        for panel, name, title in zip(
            panels,
            ("fig3a", "fig3b"),
            ("(a) single dot", r"(b) coupled dots, $\kappa=-4\,\varepsilon_\mathrm{b}$"),
            strict=True,
        ):
            dataset = datasets[name]
            codes = dataset.regime.transpose("force_particle", "force_energy").to_numpy()
            levels = np.full(codes.shape, np.nan)
            for level, kind in enumerate(KINDS):
                levels[codes == kind] = level
            colours = ListedColormap([colour for _, colour in KINDS.values()])
            x, y = dataset.force_energy, dataset.force_particle
            panel.pcolormesh(
                x, y, levels, cmap=colours, vmin=-0.5, vmax=len(KINDS) - 0.5, shading="nearest", rasterized=True
            )
            panel.plot(x, dataset.boundary_particle, color="#1b3a6b", label=r"$J_\mathrm{N}^l=0$")
            panel.plot(x, dataset.boundary_energy, "--", color="#7a2b2b", label=r"$J_\mathrm{E}^l=0$")
            panel.axhline(0, color="0.3", linewidth=0.7)
            panel.axvline(0, color="0.3", linewidth=0.7)
            panel.set_xlim(float(x[0]), float(x[-1]))
            panel.set_ylim(float(y[0]), float(y[-1]))
            panel.set_title(title, fontsize=10)
            panel.set_xlabel(FORCE_ENERGY)
        panels[0].set_ylabel(FORCE_PARTICLE)
        lines, names = panels[1].get_legend_handles_labels()
        met = {code for name in ("fig3a", "fig3b") for code in np.unique(datasets[name].regime)}
        patches = [Patch(facecolor=c, edgecolor="0.5", label=n) for kind, (n, c) in KINDS.items() if kind in met]
        figure.legend(
            [*patches, *lines], [*(patch.get_label() for patch in patches), *names], loc="outside lower center", ncols=4
        )
        figure.savefig(path)
        plt.close(figure)


def draw_figure_5(datasets: Datasets, path: Path) -> None:
    """Power of the engine, cooling power of the refrigerator, and how well."""
    dataset = datasets["fig5"]
    with plt.rc_context(STYLE):
        figure, panels = plt.subplots(2, 2, figsize=(7.4, 4.8), layout="constrained", sharex="col")
        for rates, style in (("ideal", "-"), ("leaky", "--")):
            hot, cold = (dataset.sel(rates=rates, third_terminal=third) for third in ("hot", "cold"))
            produced = hot.where(hot.power > 0)
            panels[0, 0].plot(dataset.bias_R, 1e3 * produced.power, style, color="#c0392b", label=rates)
            panels[1, 0].plot(dataset.bias_R, produced.efficiency, style, color="#c0392b")
            cools = cold.where(cold.cooling_power > 0)
            panels[0, 1].plot(dataset.bias_R, 1e3 * cools.cooling_power, style, color="#1f5fa8", label=rates)
            panels[1, 1].plot(dataset.bias_R, cools.coefficient_of_performance, style, color="#1f5fa8")
            panels[0, 0].axvline(float(hot.stall), color="0.7", linewidth=0.7)
            panels[0, 1].axvline(float(cold.stall), color="0.7", linewidth=0.7)
        bounds = dataset.isel(rates=0)
        panels[1, 0].axhline(float(bounds.sel(third_terminal="hot").carnot_efficiency[0]), color="0.3", linestyle=":")
        panels[1, 1].axhline(float(bounds.sel(third_terminal="cold").carnot_performance[0]), color="0.3", linestyle=":")
        panels[0, 0].set_ylabel(r"$P\ [10^{-3}]$")
        panels[0, 1].set_ylabel(r"$J_\mathrm{Q}^u\ [10^{-3}]$")
        panels[1, 0].set_ylabel(r"$\eta$")
        panels[1, 1].set_ylabel("COP")
        panels[0, 0].set_title(r"engine, $T_u=2T$", fontsize=10)
        panels[0, 1].set_title(r"refrigerator, $T_u=0.6\,T$", fontsize=10)
        panels[1, 0].set_xlim(0, 1.1)
        panels[1, 1].set_xlim(-3, 0)
        for panel in panels[0]:
            panel.legend()
        for panel in panels[1]:
            panel.set_xlabel(r"$(\mu_r-\mu_l)/k_\mathrm{B}T$")
        figure.savefig(path)
        plt.close(figure)


STATES = {"A": "00", "B": "10", "C": "01", "D": "11"}
STEPS = (("A", "B", "#2e8b57"), ("C", "D", "#2e8b57"), ("A", "C", "#d08a1d"), ("B", "D", "#d08a1d"))


def draw_figure_6(datasets: Datasets, path: Path) -> None:
    """Energies of the four states and the currents under parallel forces, for the three interactions."""
    dataset = datasets["fig6"]
    with plt.rc_context(STYLE):
        figure, panels = plt.subplots(2, 3, figsize=(8.4, 5.2), layout="constrained")
        for column, kappa in enumerate(dataset.kappa.to_numpy()):
            one = dataset.sel(kappa=kappa)
            levels, currents = panels[:, column]
            place = {"A": 0.5, "B": 0.0, "C": 1.0, "D": 0.5}
            for first, second, colour in STEPS:
                ends = [(place[state], float(one.state_energy.sel(state=state))) for state in (first, second)]
                levels.annotate("", ends[1], ends[0], arrowprops={"arrowstyle": "<->", "color": colour, "alpha": 0.6})
            for state, filled in STATES.items():
                energy = float(one.state_energy.sel(state=state))
                levels.hlines(energy, place[state] - 0.16, place[state] + 0.16, color="black")
                levels.text(
                    place[state] + 0.18, energy, rf"$|{state}\rangle=|{filled}\rangle$", va="center", fontsize=7
                )
            levels.set_xlim(-0.25, 1.65)
            levels.set_xticks([])
            levels.margins(y=0.12)
            levels.set_title(rf"$\kappa={kappa:g}\,\varepsilon_\mathrm{{b}}$", fontsize=10)
            currents.axhline(0, color="0.7", linewidth=0.8)
            currents.plot(one.force_energy, one.flux_particle, color="#1b3a6b", label=r"$J_\mathrm{N}^l$")
            currents.plot(one.force_energy, one.flux_energy, color="#c0392b", label=r"$J_\mathrm{E}^l$")
            inverse = np.isin(one.regime, [TransportKind.INVERSE_PARTICLE, TransportKind.INVERSE_ENERGY])
            low, high = currents.get_ylim()
            currents.fill_between(one.force_energy, low, high, where=inverse, color="#3b6fb6", alpha=0.15, linewidth=0)
            currents.set_ylim(low, high)
            currents.set_xlim(0, float(one.force_energy[-1]))
            currents.set_xlabel(FORCE_ENERGY)
        panels[0, 0].set_ylabel(r"$E/k_\mathrm{B}T$")
        panels[1, 0].set_ylabel("current")
        panels[1, 0].legend()
        figure.savefig(path)
        plt.close(figure)


def draw_two_terminal(datasets: Datasets, path: Path) -> None:
    """How often a current is inverse against κ, and the energy that particles carry."""
    dataset = datasets["two_terminal"]
    with plt.rc_context(STYLE):
        figure, (shares, energies) = plt.subplots(1, 2, figsize=(7.4, 3.2), layout="constrained")
        edges = np.linspace(-8, 4, 97)
        middle = (edges[:-1] + edges[1:]) / 2
        ratio, parallel = dataset.kappa_over_lowest_level.to_numpy(), dataset.parallel.to_numpy()
        genuine = [TransportKind.INVERSE_PARTICLE, TransportKind.INVERSE_ENERGY]
        for number, (variable, label, colour) in enumerate(
            (
                ("regime", "against both forces", "#1b3a6b"),
                ("regime_by_gradients", "against both gradients", "#d08a1d"),
            )
        ):
            chosen = parallel == number
            inverse = np.isin(dataset[variable].to_numpy(), genuine)[chosen]
            total, _ = np.histogram(ratio[chosen], edges)
            hits, _ = np.histogram(ratio[chosen][inverse], edges)
            shares.step(middle, hits / np.maximum(total, 1), where="mid", color=colour, label=label)
        shares.axvline(-1, color="0.6", linewidth=0.8, linestyle=":")
        shares.set_xlabel(r"$\kappa/\min(\varepsilon_\mathrm{b},\varepsilon_\mathrm{u})$")
        shares.set_ylabel("share of random sets")
        shares.set_xlim(edges[0], edges[-1])
        shares.set_ylim(0, None)
        shares.legend()
        forces = parallel == 0
        kinds, carried = dataset.regime.to_numpy()[forces], dataset.energy_per_particle.to_numpy()[forces]
        bins = np.linspace(-8, 8, 161)
        for kind, (label, colour) in KINDS.items():
            if kind in (TransportKind.ALONG_FORCES, *genuine):
                shown = colour if kind != TransportKind.ALONG_FORCES else "#b9b4a3"
                energies.hist(carried[kinds == kind], bins, color=shown, label=label, histtype="stepfilled", alpha=0.8)
        energies.set_yscale("log")
        energies.set_xlabel(r"$J_\mathrm{E}/J_\mathrm{N}\ [k_\mathrm{B}T]$")
        energies.set_ylabel("sets with parallel forces")
        energies.legend(fontsize=7)
        figure.savefig(path)
        plt.close(figure)
