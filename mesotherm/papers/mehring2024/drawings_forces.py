"""Figs. 2–5 drawn from their datasets, in the manner of the paper. Nothing is computed here."""

from pathlib import Path

import xarray as xr
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from mesotherm.papers.reproduction import Datasets
from mesotherm.plots import STYLE

RED, BLUE, GREY = "#c0392b", "#1f5fa8", "0.55"
STABLE = {"marker": "o", "linestyle": "none", "markersize": 5, "zorder": 5}
ZERO = {"color": "0.75", "linewidth": 0.7, "zorder": 0}
LINES = {"linear": "-", "first_order": "-.", "full": "--"}
THEORIES = {"linear": "linear response", "first_order": "first order, all energies", "full": "Eq. 9"}
POSITION, FORCE, BIAS = r"$x/a$", r"$F\ [\gamma_0/a]$", r"$eV/\gamma_0$"


def theories(panel: Axes, names, **options) -> None:
    """A legend of the kinds of lines."""
    lines = [Line2D([], [], color="0.2", linestyle=LINES[name], label=THEORIES[name]) for name in names]
    panel.legend(handles=lines, fontsize=7, **options)


def draw_figure_2(datasets: Datasets, path: Path) -> None:
    """Forces with the spring's and the positions at rest; motion from rest."""
    static, moving = datasets["fig2"], datasets["fig2c"]
    with plt.rc_context(STYLE):
        figure, panels = plt.subplots(2, 2, figsize=(7.4, 5.4), layout="constrained")
        for column, asymmetry in enumerate(static.asymmetry.to_numpy()):
            above, below = panels[:, column]
            spring = 0.02 * static.place
            above.plot(static.place, spring, color="black", linewidth=1)
            for bias, colour in zip(static.bias.to_numpy(), (RED, BLUE), strict=True):
                for response in ("full", "linear"):
                    one = static.sel(asymmetry=asymmetry, bias=bias, response=response)
                    above.plot(static.place, one.force, LINES[response], color=colour, linewidth=1.4)
                    if response == "linear":
                        for stable in (1, 0):
                            x = one.position.where(one.stability == stable)
                            above.plot(
                                x, 0.02 * x, color=colour, markerfacecolor=colour if stable else "white", **STABLE
                            )
                    for damping, alpha in ((0.2, 0.35), (0.1, 1.0)):
                        if damping == 0.2 and asymmetry == 0:
                            continue
                        trace = moving.sel(asymmetry=asymmetry, bias=bias, response=response, damping_ratio=damping)
                        below.plot(
                            trace.time / 1e3, trace.position, LINES[response], color=colour, alpha=alpha, linewidth=1.2
                        )
            above.axhline(0, **ZERO)
            above.set_xlim(-2, 3 if asymmetry else 2)
            above.set_xlabel(POSITION)
            below.set_xlim(0, 15)
            below.set_xlabel(r"$t\ [10^3\,\hbar/\gamma_0]$")
            above.set_title(rf"({'ab'[column]}) $\lambda={asymmetry:g}$", fontsize=10)
            below.set_title(f"({'cd'[column]})", fontsize=10)
        panels[0, 0].set_ylabel(FORCE)
        panels[1, 0].set_ylabel(POSITION)
        theories(panels[1, 0], ("linear", "full"), loc="center right")
        kinds = [Line2D([], [], color=c, label=rf"$eV={v}\,\gamma_0$") for v, c in (("0.2", RED), ("-0.2", BLUE))]
        kinds.append(Line2D([], [], color="black", linewidth=1, label="$kx$"))
        panels[0, 0].legend(handles=kinds, fontsize=7, loc="lower center", ncols=3)
        for panel in panels[0]:
            panel.set_ylim(-0.095, 0.075)
        shades = [
            Line2D([], [], color="0.2", alpha=alpha, label=rf"$\zeta={z}$") for z, alpha in ((0.1, 1.0), (0.2, 0.35))
        ]
        panels[1, 1].legend(handles=shades, fontsize=7, loc="lower right")
        figure.savefig(path)
        plt.close(figure)


def draw_figure_3(datasets: Datasets, path: Path) -> None:
    """The force of a temperature difference: by Eq. 13, and with all energies."""
    dataset = datasets["fig3"]
    with plt.rc_context(STYLE):
        figure, panels = plt.subplots(1, 2, figsize=(7.4, 3.1), layout="constrained")
        for panel, names, scale in ((panels[0], ("linear",), 1e3), (panels[1], ("first_order", "full"), 1e4)):
            for asymmetry, colour in zip(dataset.asymmetry.to_numpy(), (RED, BLUE), strict=True):
                for name in names:
                    values = dataset.force.sel(response=name, asymmetry=asymmetry)
                    panel.plot(
                        dataset.place, scale * values, LINES[name], color=colour,
                        label=rf"$\lambda={asymmetry:g}$" if name == names[0] else None,
                    )  # fmt: skip
            panel.axhline(0, **ZERO)
            panel.set_xlim(-3, 3)
            panel.set_xlabel(POSITION)
        panels[0].set_title("(a) Eq. 13", fontsize=10)
        panels[1].set_title("(b) all energies", fontsize=10)
        panels[0].set_ylabel(r"$F\ [10^{-3}\,\gamma_0/a]$")
        panels[1].set_ylabel(r"$F\ [10^{-4}\,\gamma_0/a]$")
        panels[0].legend(fontsize=8)
        panels[1].set_ylim(0, 2.4)
        theories(panels[1], ("first_order", "full"), loc="upper center", ncols=2)
        one = dataset.force.sel(response="linear", asymmetry=0.7)
        inverted = dataset.place.where(one < 0, drop=True)
        panels[0].axvspan(float(inverted[0]), float(inverted[-1]), color="0.93", linewidth=0, zorder=-1)
        panels[0].text(float(inverted.mean()), 0.3, r"$\Delta x$", ha="center", fontsize=9)
        figure.savefig(path)
        plt.close(figure)


def _rectification(rows: list[Axes], one: xr.Dataset, name: str, drive: str, scale: float) -> None:
    """Position, transmission and rectification at one asymmetry; V in red and −V, mirrored, in blue."""
    for response in one.response.to_numpy():
        part = one.sel(response=response)
        positive = part[drive].to_numpy() > 0
        forth, back = part.isel({drive: positive}), part.isel({drive: ~positive})
        for panel, key, sign in ((rows[0], "position", -1), (rows[1], "transmission", 1)):
            panel.plot(forth[drive] / scale, forth[key], LINES[response], color=RED, linewidth=1.3)
            panel.plot(-back[drive] / scale, sign * back[key], LINES[response], color=BLUE, linewidth=1.3)
        rows[2].plot(forth[drive] / scale, forth[name], LINES[response], color=RED, linewidth=1.3)
    for panel in rows:
        panel.set_xlim(0, float(one[drive][-1]) / scale)
        panel.margins(y=0.08)
    for panel in rows[:2]:
        panel.tick_params(labelbottom=False)
    rows[0].set_ylabel(r"$x_\mathrm{st}/a$")
    rows[1].set_ylabel(r"$\mathcal{T}$")


def signs(panel: Axes, drive: str, **options) -> None:
    """A legend of the drives' signs."""
    lines = [
        Line2D([], [], color=colour, label=label) for colour, label in ((RED, f"{drive} > 0"), (BLUE, f"{drive} < 0"))
    ]
    panel.legend(handles=lines, fontsize=7, **options)


def _map(panel: Axes, plane: xr.Dataset, full: xr.Dataset | None, name: str, drive: str, scale: float):
    mesh = panel.pcolormesh(
        plane[drive] / scale, plane.asymmetry, plane[name].transpose("asymmetry", drive), cmap="RdBu_r",
        vmin=-1, vmax=1, shading="nearest", rasterized=True,
    )  # fmt: skip
    levels = [-0.9, -0.6, -0.3, 0.3, 0.6, 0.9]
    for data, style in ((plane, "solid"), (full, "dashed")):
        if data is not None:
            lines = panel.contour(
                data[drive] / scale, data.asymmetry, data[name].transpose("asymmetry", drive), levels,
                colors="black", linewidths=0.6, linestyles=style,
            )  # fmt: skip
            if style == "solid":
                panel.clabel(lines, fontsize=6)
    panel.axhline(0.5, color="0.3", linestyle=":", linewidth=0.8)
    panel.set_ylabel(r"$\lambda$")
    return mesh


def draw_figure_4(datasets: Datasets, path: Path) -> None:
    """Curves at one asymmetry, the map, and the charge of a cycle."""
    name, one, cycle = "odd_rectification_particle", datasets["fig4a"], datasets["fig4c"]
    with plt.rc_context(STYLE):
        figure = plt.figure(figsize=(8.6, 4.6), layout="constrained")
        grid = figure.add_gridspec(6, 3, width_ratios=(1, 1.25, 1))
        rows = [figure.add_subplot(grid[2 * n : 2 * n + 2, 0]) for n in range(3)]
        _rectification(rows, one, name, "bias", 1.0)
        rows[2].set_ylabel(r"$\mathcal{R}_I$")
        rows[2].set_xlabel(BIAS)
        rows[0].set_title(r"(a) $\lambda=0.5$", fontsize=10)
        theories(rows[0], ("linear", "full"), loc="upper left")
        signs(rows[1], "$V$", loc="upper right")
        plane = figure.add_subplot(grid[:, 1])
        mesh = _map(plane, datasets["fig4"], datasets["fig4_full"], name, "bias", 1.0)
        plane.set_xlabel(BIAS)
        plane.set_title(r"(b) $\mathcal{R}_I$; dashed: Eq. 9", fontsize=10)
        figure.colorbar(mesh, ax=plane, location="right", shrink=0.8)
        charge = figure.add_subplot(grid[:4, 2])
        drive = figure.add_subplot(grid[4:, 2], sharex=charge)
        for protocol, colour in (("sine", RED), ("triangle", BLUE)):
            for response in ("linear", "full"):
                part = cycle.charge.sel(protocol=protocol, response=response)
                charge.plot(
                    cycle.time / 1e6, part.sel(asymmetry=0.5) / 1e3, LINES[response], color=colour, linewidth=1.3
                )
            charge.plot(cycle.time / 1e6, part.sel(asymmetry=0.0) / 1e3, ":", color=GREY, linewidth=1.1)
            drive.plot(cycle.time / 1e6, cycle.bias.sel(protocol=protocol), color=colour, label=protocol, linewidth=1.3)
        charge.set_ylabel(r"$Q\ [10^3\,e]$")
        charge.set_title(r"(c) $\lambda=0.5$; dotted: 0", fontsize=10)
        charge.tick_params(labelbottom=False)
        drive.set_xlabel(r"$t/\tau$")
        drive.set_ylabel(BIAS)
        drive.legend(fontsize=7)
        figure.savefig(path)
        plt.close(figure)


def draw_figure_5(datasets: Datasets, path: Path) -> None:
    """Curves at one asymmetry by three theories, and the maps by Eq. 13 and by Eq. 9."""
    name, one = "odd_rectification_heat", datasets["fig5a"]
    drive, scale = "delta_temperature", float(one.delta_temperature[-1])
    label = r"$\delta T/T_0$"
    with plt.rc_context(STYLE):
        figure = plt.figure(figsize=(9.6, 4.4), layout="constrained")
        grid = figure.add_gridspec(3, 4, width_ratios=(0.9, 0.9, 1.1, 1.1))
        for column, (names, title) in enumerate(
            ((["linear"], r"(a) Eq. 13, $\lambda=0.5$"), (["first_order", "full"], "(a) all energies"))
        ):
            rows = [figure.add_subplot(grid[n, column]) for n in range(3)]
            _rectification(rows, one.sel(response=names), name, drive, scale)
            rows[2].set_xlabel(label)
            rows[0].set_title(title, fontsize=10)
            factors = (1.0, 1.0, 1.0) if column == 0 else (1e-3, 1e-3, 1e-3)
            for panel, factor in zip(rows, factors, strict=True):
                panel.yaxis.set_major_formatter(lambda value, _, factor=factor: f"{value / factor:.3g}")
            if column == 0:
                rows[2].set_ylabel(r"$\mathcal{R}_J$")
                signs(rows[1], r"$\delta T$", loc="center right")
            else:
                for panel, quantity in zip(rows, (r"x_\mathrm{st}/a", r"\mathcal{T}", r"\mathcal{R}_J"), strict=True):
                    panel.set_ylabel(rf"$10^3\,{quantity}$")
                rows[2].set_ylim(0, 1.4e-3)
                theories(rows[2], names, loc="upper left")
        for column, (data, title, largest) in enumerate(
            (
                (datasets["fig5"], r"(b) $\mathcal{R}_J$, Eq. 13", 1.0),
                (datasets["fig5_full"], r"(b) $10^3\,\mathcal{R}_J$, Eq. 9", 2e-3),
            )
        ):
            panel = figure.add_subplot(grid[:, 2 + column])
            factor = 1.0 if column == 0 else 1e-3
            mesh = panel.pcolormesh(
                data[drive] / scale, data.asymmetry, data[name].transpose("asymmetry", drive) / factor, cmap="RdBu_r",
                vmin=-largest / factor, vmax=largest / factor, shading="nearest", rasterized=True,
            )  # fmt: skip
            panel.axhline(0.5, color="0.3", linestyle=":", linewidth=0.8)
            panel.set_xlabel(label)
            panel.set_title(title, fontsize=10)
            if column == 0:
                panel.set_ylabel(r"$\lambda$")
            figure.colorbar(mesh, ax=panel, location="right", shrink=0.8)
        figure.savefig(path)
        plt.close(figure)
