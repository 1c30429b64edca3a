"""Figs. 6–9 drawn from their datasets, in the manner of the paper. Nothing is computed here."""

from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from mesotherm.papers.mehring2024.drawings_forces import BIAS, BLUE, GREY, LINES, POSITION, RED, ZERO, theories
from mesotherm.papers.reproduction import Datasets
from mesotherm.plots import STYLE

ORANGE = "#d08a1d"
TIME_OVER_CYCLE = r"$t/\tau$"


def _branches(panel: Axes, dataset, largest: float) -> None:
    """The curve V*(x): stable parts solid, unstable ones dashed; of the full response, thin and grey."""
    for response, colour, width in (("full", GREY, 0.9), ("linear", "black", 1.2)):
        one = dataset.sel(response=response)
        shown = np.abs(one.resting_bias) <= largest
        for stable, style in ((True, "-"), (False, ":")):
            part = (one.resting_slope < 0) == stable
            panel.plot(
                one.resting_bias.where(shown & part),
                one.place.where(shown & part),
                style,
                color=colour,
                linewidth=width,
            )
    panel.set_xlabel(BIAS)


def _legend_of_branches(panel: Axes, **options) -> None:
    lines = [
        Line2D([], [], color="black", linewidth=1.2, label="at rest, linear response"),
        Line2D([], [], color="black", linestyle=":", linewidth=1.2, label="unstable"),
        Line2D([], [], color=GREY, linewidth=0.9, label="at rest, Eq. 9"),
    ]
    panel.legend(handles=lines, fontsize=6.5, **options)


def draw_figure_6(datasets: Datasets, path: Path) -> None:
    """Positions and the cycle, work and dissipation, charge."""
    static, moving = datasets["fig6"], datasets["fig6b"]
    of = moving.sel(protocol="triangle", asymmetry=0.6)
    first = moving.time <= 1e6
    t = moving.time.where(first, drop=True) / 1e6
    with plt.rc_context(STYLE):
        figure, panels = plt.subplots(1, 3, figsize=(8.8, 3.1), layout="constrained")
        position, work, charge = panels
        linear = of.sel(response="linear").where(first, drop=True)
        position.axvspan(*static.window.sel(response="linear").values, color="0.9", linewidth=0)
        position.plot(
            moving.bias.sel(protocol="triangle").where(first, drop=True), linear.position, color=RED, linewidth=1.0
        )
        _branches(position, static, 0.15)
        position.set_ylabel(r"$x/a$")
        position.set_title("(a)", fontsize=10)
        _legend_of_branches(position, loc="lower right")
        inset = position.inset_axes((0.2, 0.74, 0.3, 0.22))
        inset.plot(t, moving.bias.sel(protocol="triangle").where(first, drop=True), color="black", linewidth=1)
        inset.set_xlabel(TIME_OVER_CYCLE, fontsize=7, labelpad=1)
        inset.set_ylabel(BIAS, fontsize=7, labelpad=1)
        inset.tick_params(labelsize=6, pad=1)
        for response in ("linear", "full"):
            one = of.sel(response=response).where(first, drop=True)
            work.plot(t, 1e3 * one.work, LINES[response], color=RED, linewidth=1.3)
            work.plot(t, 1e3 * one.dissipation, LINES[response], color=BLUE, linewidth=1.3)
            for protocol, colour in (("triangle", RED), ("sine", ORANGE)):
                passed = moving.charge.sel(response=response, protocol=protocol).where(first, drop=True)
                label = protocol if response == "linear" else None
                charge.plot(t, passed.sel(asymmetry=0.6), LINES[response], color=colour, linewidth=1.3, label=label)
        still = moving.charge.sel(response="linear", protocol="triangle", asymmetry=0.0).where(first, drop=True)
        charge.plot(t, still, ":", color="black", linewidth=1.1, label=r"triangle, $\lambda=0$")
        work.set_ylabel(r"$[10^{-3}\,\gamma_0]$")
        work.text(0.03, 0.92, r"$W_F$", color=RED, transform=work.transAxes)
        work.text(0.03, 0.82, r"$E_\mathrm{dis}$", color=BLUE, transform=work.transAxes)
        work.set_title("(b)", fontsize=10)
        charge.set_ylabel(r"$Q/e$")
        charge.set_title("(c)", fontsize=10)
        charge.legend(fontsize=7, loc="lower center")
        theories(work, ("linear", "full"), loc="lower right")
        for panel in (work, charge):
            panel.axhline(0, **ZERO)
            panel.set_xlim(0, 1)
            panel.set_xlabel(TIME_OVER_CYCLE)
        figure.savefig(path)
        plt.close(figure)


def draw_figure_7(datasets: Datasets, path: Path) -> None:
    """Positions at every bias; motion and charge under the pulses."""
    static, moving = datasets["fig7"], datasets["fig7b"]
    with plt.rc_context(STYLE):
        figure, panels = plt.subplots(1, 3, figsize=(8.8, 3.2), layout="constrained")
        _branches(panels[0], static, 0.15)
        near, far = (static.sel(response="linear").sel(bias=bias, method="nearest") for bias in (0.1, -0.1))
        for number, bias, x in (
            (1, 0.0, 0.0),
            (2, 0.1, near.position[0]),
            (3, -0.1, far.position[2]),
            (4, -0.1, far.position[0]),
        ):
            panels[0].plot(bias, x, "o", color="black", markersize=4)
            panels[0].annotate(f"({number})", (bias, float(x)), xytext=(4, -9), textcoords="offset points", fontsize=8)
        for damping, colour in ((0.2, RED), (0.16, BLUE)):
            for response, width in (("full", 0.8), ("linear", 1.4)):
                one = moving.sel(damping_ratio=damping, response=response)
                for panel, values in ((panels[1], one.position), (panels[2], one.charge.where(one.time >= 0))):
                    label = rf"$\zeta={damping:g}$" if response == "linear" else None
                    panel.plot(one.time / 1e6, values, LINES[response], color=colour, linewidth=width, label=label)
        _legend_of_branches(panels[0], loc="upper left")
        inset = panels[0].inset_axes((0.66, 0.14, 0.32, 0.22))
        inset.plot(moving.time / 1e6, moving.bias, color="black", linewidth=0.9)
        inset.set_xlabel(TIME_OVER_CYCLE, fontsize=7, labelpad=1)
        inset.set_ylabel(BIAS, fontsize=7, labelpad=1)
        inset.tick_params(labelsize=6, pad=1)
        marked = (-0.5, 0.0), (0.02, near.position[0]), (0.6, far.position[2]), (0.6, far.position[0])
        for number, (t, x) in enumerate(marked, 1):
            panels[1].annotate(f"({number})", (t, float(x)), xytext=(0, 6), textcoords="offset points", fontsize=8)
        panels[0].set_ylabel(POSITION)
        panels[1].set_ylabel(POSITION)
        panels[2].set_ylabel(r"$Q/e$")
        for panel, letter in zip(panels, "abc", strict=True):
            panel.set_title(f"({letter})", fontsize=10)
        for panel in panels[1:]:
            panel.axhline(0, **ZERO)
            panel.set_xlabel(TIME_OVER_CYCLE)
        panels[1].set_xlim(-0.5, 2)
        panels[2].set_xlim(0, 2)
        panels[2].legend(fontsize=7)
        panels[1].set_ylim(-1.35, 1.75)
        theories(panels[1], ("linear", "full"), loc="upper left")
        figure.savefig(path)
        plt.close(figure)


def draw_figure_8(datasets: Datasets, path: Path) -> None:
    """One trajectory each over the potential, by the right and by the wrong integrator, and how many stay."""
    right, wrong, potentials = datasets["fig8"], datasets["fig8_trap"], datasets["fig8b"]
    linear = right.sel(response="linear")
    with plt.rc_context(STYLE):
        figure, panels = plt.subplots(2, 3, figsize=(8.0, 5.6), layout="constrained", sharex=True)
        for row, (paths, parts, title) in enumerate(
            (
                (linear.position, linear.shallow, "BAOAB"),
                (wrong.position, wrong.shallow, "a force per stage"),
            )
        ):
            for column, thermal in enumerate(right.thermal_energy.to_numpy()):
                panel = panels[row, column]
                energies = panel.twinx()
                energies.spines["right"].set_visible(True)
                energies.tick_params(labelsize=7, colors=RED)
                for bias, style in ((0.0, ":"), (0.2, "-")):
                    for response, width in (("full", 0.7), ("linear", 1.2)):
                        curve = potentials.effective_potential.sel(response=response, bias=bias)
                        dashed = "--" if response == "full" and bias else style
                        energies.plot(
                            potentials.place,
                            1e3 * (curve - curve.sel(place=0.0, method="nearest")),
                            dashed,
                            color=RED,
                            linewidth=width,
                            alpha=0.8,
                        )
                energies.set_ylim(-35, 25)
                for damping, colour in ((0.1, BLUE), (0.5, ORANGE)):
                    still = linear.position_without_noise.sel(damping_ratio=damping)
                    trace = paths.sel(thermal_energy=thermal, damping_ratio=damping)
                    panel.plot(trace, right.time / 1e5, color=colour, linewidth=0.8)
                    panel.plot(still, right.time / 1e5, color="black", linewidth=0.8)
                share = ", ".join(
                    f"{100 * float(parts.sel(thermal_energy=thermal, damping_ratio=damping)):.1f} %"
                    for damping in (0.1, 0.5)
                )
                if row == 0:
                    by_9 = right.shallow.sel(response="full", thermal_energy=thermal)
                    share += " (Eq. 9: " + ", ".join(f"{100 * part:.1f}" for part in by_9.to_numpy()) + ")"
                panel.set_title(
                    rf"({'abc'[column]}) $k_\mathrm{{B}}T_0={1e3 * thermal:g}\cdot10^{{-3}}$"
                    + f", {title}\nstay: {share}",
                    fontsize=8,
                )
                panel.axhline(0.25, **ZERO)
                panel.set_ylim(0, 1)
                panel.set_xlim(-1.5, 3)
            panels[row, 0].set_ylabel(r"$t/t_f$")
        for panel in panels[1]:
            panel.set_xlabel(POSITION)
        handles = [Line2D([], [], color=colour, label=rf"$\zeta={z}$") for z, colour in ((0.1, BLUE), (0.5, ORANGE))]
        handles += [Line2D([], [], color="black", label=r"$T_0=0$")]
        handles += [
            Line2D([], [], color=RED, linestyle=style, label=label)
            for style, label in (
                ("-", r"$U_\mathrm{eff}-U_\mathrm{eff}(0)\ [10^{-3}\,\gamma_0]$, right axis"),
                (":", "without bias"),
                ("--", "Eq. 9"),
            )
        ]
        figure.legend(handles=handles, loc="outside lower center", ncols=6, fontsize=7)
        figure.savefig(path)
        plt.close(figure)


def draw_figure_9(datasets: Datasets, path: Path) -> None:
    """Bias, potentials, trajectories, charge, and the mean charge against the temperature."""
    moving, potentials, mean, full = (datasets[name] for name in ("fig9", "fig9b", "fig9f", "fig9f_full"))
    cycles = moving.time * 1.5e-5
    colours = {0.0: "black", 2e-4: RED, 1e-3: BLUE}
    with plt.rc_context(STYLE):
        figure, panels = plt.subplots(2, 3, figsize=(8.8, 4.8), layout="constrained")
        (bias, potential, cold), (warm, charge, decay) = panels
        bias.plot(cycles, moving.bias, color="black", linewidth=1.2)
        bias.set_ylabel(BIAS)
        for value, colour in ((0.3, RED), (-0.3, BLUE)):
            for response in ("linear", "full"):
                curve = potentials.effective_potential.sel(bias=value, response=response)
                potential.plot(
                    potentials.place, 1e3 * (curve - curve.min()), LINES[response], color=colour, linewidth=1.3
                )
        potential.set_ylim(0, 48)
        potential.set_xlim(-4, 4)
        potential.set_xlabel(POSITION)
        potential.set_ylabel(r"$U_\mathrm{eff}-\min\ [10^{-3}\,\gamma_0]$")
        kinds = [Line2D([], [], color=c, label=rf"$eV={v}\,\gamma_0$") for v, c in (("0.3", RED), ("-0.3", BLUE))]
        kinds += [Line2D([], [], color="0.2", linestyle=LINES[name], label=label) for name, label in THEORY.items()]
        potential.legend(handles=kinds, fontsize=7, loc="upper center", frameon=True, framealpha=0.9, edgecolor="none")
        for panel, thermal in ((cold, 2e-4), (warm, 1e-3)):
            for shown, width in ((thermal, 0.8), (0.0, 1.0)):
                trace = moving.position.sel(thermal_energy=shown)
                panel.plot(cycles, trace, color=RED if shown else "black", linewidth=width)
            panel.set_ylabel(POSITION)
            panel.set_title(
                rf"({'c' if panel is cold else 'd'}) $k_\mathrm{{B}}T_0={1e3 * thermal:g}\cdot10^{{-3}}$", fontsize=10
            )
        for thermal, colour in colours.items():
            charge.plot(
                cycles, moving.charge.sel(thermal_energy=thermal), color=colour, linewidth=1.2,
                label=rf"$k_\mathrm{{B}}T_0={1e3 * thermal:g}\cdot10^{{-3}}$" if thermal else r"$T_0=0$",
            )  # fmt: skip
        charge.legend(fontsize=7, loc="upper left")
        charge.set_ylabel(r"$Q/e$")
        for panel in (bias, cold, warm, charge):
            panel.set_xlabel(TIME_OVER_CYCLE)
            panel.set_xlim(-1 / 3, 3)
        for data, response in ((mean, "linear"), (full, "full")):
            decay.errorbar(
                1e3 * data.thermal_energy, data.charge, data.error_charge, fmt="o" + LINES[response], color=BLUE,
                markersize=3, linewidth=1.0, label=THEORY[response],
            )  # fmt: skip
        decay.axhline(0, **ZERO)
        decay.set_xlabel(r"$k_\mathrm{B}T_0\ [10^{-3}\,\gamma_0]$")
        decay.set_ylabel(r"$\langle Q\rangle/e$ per cycle")
        decay.legend(fontsize=7)
        for panel, letter in ((bias, "a"), (potential, "b"), (charge, "e"), (decay, "f")):
            panel.set_title(f"({letter})", fontsize=10)
        figure.savefig(path)
        plt.close(figure)


THEORY = {"linear": "linear response", "full": "Eq. 9"}
