"""Figures from datasets. Nothing is computed here: every number drawn stands in the file.

No swept axis: a table of values. One: curves. Two: maps, one panel per variable and entry.
"""

import difflib
import itertools
import re
from collections.abc import Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.colors import ListedColormap

STYLE = {
    "font.size": 9,
    "font.family": "DejaVu Sans",
    "mathtext.fontset": "cm",
    "axes.labelsize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "lines.linewidth": 1.6,
    "legend.frameon": False,
    "figure.dpi": 100,
    "savefig.dpi": 200,
}

LEGEND_ROWS = 9
"""At most, of the legend beside a panel of many curves."""

ROUNDING = 1e-9
"""Fraction of the largest value of a panel below which a value is as good as zero."""

CATEGORY_COLOURS = (
    *("#e8e8e8", "#9fb8d8", "#1b3a6b", "#2e8b57", "#c0392b", "#d08a1d", "#8e44ad", "#f4c7a1", "#7fd1c7", "#5f6a72"),
    "#2b2b2b",
)

COLOURS = ("#1b3a6b", "#c0392b", "#2e8b57", "#8e44ad", "#d08a1d", "#5f6a72")

STROKES = ("-", "-.", ":")
"""Of curves beyond the first so many colours; dashes are kept for bounds."""

DEFAULT_VARIABLES = {
    "DiodeTest": ("rectification_particle", "rectification_heat"),
    "BiasReversal": ("odd_rectification_particle", "odd_rectification_heat", "position"),
    "PowerAtOptimalBias": (("power", "carnot_bound"), ("heat_in", "energy_current")),
    "CurrentVoltage": ("particle_current", "differential_conductance", "power"),
    "OpenCircuit": ("open_circuit_bias", "thermopower"),
    "LoadSweep": ("maximum_power", ("maximum_efficiency", "efficiency_at_maximum_power", "carnot_efficiency")),
    "HeatDrag": (("drag_current", "predicted_current"), ("heat_in", "heat_transferred")),
    "DrivenCycle": ("cycle_charge", ("cycle_work", "cycle_dissipation"), "mean_position"),
    "EffectiveTemperature": ("probe_temperature", "probe_mu"),
    "CountingStatistics": ("particle_cumulants",),
    "CoupledTransport": ("transport", "flux_particle", "flux_energy"),
    "LinearResponseExperiment": ("seebeck", "conductance", "thermal_conductance", "figure_of_merit"),
    "NoiseExperiment": ("particle_noise", "heat_noise", "fano_factor"),
    "NoisyCycle": ("cycle_charge", ("cycle_work", "cycle_dissipation"), ("mean_position", "position_spread")),
    "OperatingRegime": ("regime", "power", ("efficiency", "second_law_efficiency", "carnot_efficiency")),
    "SlowCycle": ("cycle_work", "jumps", "mean_particle_current"),
    "SteadyStateExperiment": ("particle_current", "heat_current", "entropy_production"),
}
"""What is drawn of each experiment when nothing is chosen, panel by panel; what a dataset does not have is left out."""

DEFAULT_PROFILES = {
    "DrivenCycle": ("position", "passed_charge"),
    "LoadSweep": ("particle_current_of_left", "power", "efficiency"),
    "SlowCycle": ("position",),
}
"""Instead, where nothing is swept: what changes along a coordinate of the experiment's own."""

ACROSS = ("bias", "delta_temperature")
"""What such a coordinate stands for in a figure, if the dataset has it: loops are closed in the plane of the drive."""


def draw(
    dataset: xr.Dataset,
    path: Path,
    *,
    variables: Sequence[str | Sequence[str]] | None = None,
    title: str | None = None,
) -> None:
    """Write a figure of a sweep's dataset.

    Parameters
    ----------
    dataset
        As returned by :func:`mesotherm.sweep.sweep`, with at most two swept axes.
    path
        Where the figure goes; the suffix chooses the format.
    variables
        One item per panel: a name or a list of names; ``name.entry`` draws the entries of a variable with that label
        (a terminal's, a direction's; ``name.forward.L`` one of several dimensions). By default what matters most for
        the experiment.
    title
        Title of the figure; by default the dataset's.

    Errors: ``ValueError`` for a variable the dataset does not have, or more than two axes with several points.
    """
    axes = [str(name) for name, coord in dataset.coords.items() if "parameter" in coord.attrs and coord.size > 1]
    panels = [[item] if isinstance(item, str) else list(item) for item in variables or _defaults(dataset, axes)]
    if not panels:
        raise ValueError("there is nothing to draw: no point has numbers.")
    along = _along(dataset, axes, [name for panel in panels for name in panel])
    curves = [[series for name in panel for series in _series(dataset, name, along)] for panel in panels]
    if along:
        axes = [next((name for name in ACROSS if name in dataset and dataset[name].dims[-1:] == (along,)), along)]
    if len(axes) > 2:
        raise ValueError(
            f"cannot draw {len(axes)} axes ({', '.join(axes)}); choose a point of the others: "
            "mesotherm plot result.nc --at AXIS=VALUE."
        )
    with plt.rc_context(STYLE):
        figure = [_table, _curves, _maps][len(axes)](dataset, axes, curves)
        figure.suptitle(title or dataset.attrs.get("title", ""), fontsize=10)
        figure.savefig(path, bbox_inches="tight")
        plt.close(figure)


def _defaults(dataset, axes):
    experiment = dataset.attrs.get("experiment", "")
    wanted = DEFAULT_VARIABLES.get(experiment, DEFAULT_VARIABLES["SteadyStateExperiment"])
    wanted = wanted if axes else DEFAULT_PROFILES.get(experiment, wanted)
    panels = [[panel] if isinstance(panel, str) else panel for panel in wanted]
    present = [[name for name in panel if name in dataset and np.isfinite(dataset[name]).any()] for panel in panels]
    return [panel for panel in present if panel]


def _along(dataset, axes, names) -> str:
    """The coordinate of the experiment's own, one of numbers, along which what is drawn changes; none by default."""
    chosen = [dataset[name.partition(".")[0]] for name in names if name.partition(".")[0] in dataset]
    own = [
        {str(dim) for dim in one.dims if dim in one.coords and "parameter" not in one[dim].attrs}
        & {str(dim) for dim in one.dims if dim in one.coords and np.issubdtype(one[dim].dtype, np.floating)}
        for one in chosen
    ]
    found = sorted(set().union(*own))
    if not found:
        return ""
    if axes:
        raise ValueError(
            f"cannot draw what changes along {found[0]} besides {', '.join(axes)}; choose a point of these: "
            "mesotherm plot result.nc --at AXIS=VALUE."
        )
    if len(found) > 1 or not all(own):
        raise ValueError(f"cannot draw together what changes along {' and '.join(found)} and what does not.")
    return found[0]


def _series(dataset, chosen, along):
    """Every curve or map behind a name, (label, values): one per entry of the dimensions that are not swept."""
    name, _, wanted = chosen.partition(".")
    if name not in dataset:
        close = difflib.get_close_matches(name, list(map(str, dataset.data_vars)), n=1, cutoff=0.5)
        guess = f"did you mean {close[0]}? " if close else ""
        there = ", ".join(sorted(map(str, dataset.data_vars)))
        raise ValueError(f"cannot draw {name!r}; {guess}the dataset has {there}.")
    variable = dataset[name]
    extra = [dim for dim in variable.dims if "parameter" not in dataset.coords[dim].attrs and dim != along]
    single = {dim: 0 for dim in variable.dims if dim not in extra and variable.sizes[dim] == 1}
    variable = variable.isel(single)
    variable.attrs["wanted"] = bool(wanted) or not extra
    if not extra:
        return [("", variable)]
    stacked = variable.stack(entry=extra)
    entries = [stacked.isel(entry=k) for k in range(stacked.sizes["entry"])]
    named = [([str(entry.coords[dim].item()) for dim in extra], entry) for entry in entries]
    parts = set(wanted.split(".")) if wanted else set()
    found = [(", ".join(labels), entry) for labels, entry in named if parts <= set(labels)]
    if not found:
        there = ", ".join(f"{name}.{'.'.join(labels)}" for labels, _ in named)
        raise ValueError(f"cannot draw {chosen!r}: there are {there}.")
    return found


def _label(variable: xr.DataArray) -> str:
    unit = variable.attrs.get("units", "1")
    name = _symbol(variable)
    return name if unit == "1" else f"{name}  [{_pretty(unit)}]"


def _symbol(variable):
    symbol = variable.attrs.get("symbol", "")
    return f"${symbol}$" if symbol else str(variable.name)


def _pretty(unit: str) -> str:
    unit = re.sub(r"\bu(?=[A-Zesg])", "µ", unit)
    unit = re.sub(r"\^([234])", lambda power: "²³⁴"[int(power[1]) - 2], unit)
    return unit.replace("hbar", "ħ").replace("k_B", "$k_\\mathrm{B}$").replace("*", " ")


GREEK = ("alpha", "beta", "gamma", "delta", "epsilon", "kappa", "lambda", "mu")


def _axis_label(coordinate: xr.DataArray) -> str:
    first, *rest = str(coordinate.name).split("_")
    subscript = rf"_{{\mathrm{{{' '.join(rest)}}}}}" if rest else ""
    if first in GREEK:
        name = rf"$\{first}{subscript}$"
    else:
        name = f"${first}{subscript}$" if len(first) == 1 else " ".join([first, *rest])
    unit = coordinate.attrs.get("units", "1")
    return name if unit == "1" else f"{name}  [{_pretty(unit)}]"


def _curves(dataset, axes, panels):
    (axis,) = axes
    figure, drawn = plt.subplots(
        len(panels), 1, figsize=(4.6, 0.8 + 2.3 * len(panels)), sharex=True, squeeze=False, layout="constrained"
    )
    for panel, curves in zip(drawn[:, 0], panels, strict=True):
        if "flag_values" in curves[0][1].attrs:
            _categories(panel, dataset[axis], curves[0][1])
            continue
        largest = max(_highest(np.abs(values)) for _, values in curves)
        if any(_lowest(values) < 0 for _, values in curves):
            panel.axhline(0, color="0.75", linewidth=0.8)
        one_quantity = len({values.name for _, values in curves}) == 1
        looks = itertools.cycle(itertools.product(STROKES, COLOURS))
        for label, values in curves:
            if not values.attrs["wanted"] and not np.any(np.abs(values) > ROUNDING * largest):
                continue
            stroke, colour = next(looks)
            stroke = "--" if _is_bound(values) else stroke
            name = label if one_quantity else f"{_symbol(values)}  {label}".strip()
            (curve,) = panel.plot(dataset[axis], values, stroke, color=colour, label=name)
            spread = _standard_error(dataset, axis, values)
            if spread is not None:
                ends = values - spread, values + spread
                panel.fill_between(dataset[axis], *ends, color=curve.get_color(), alpha=0.25, linewidth=0)
        first = curves[0][1]
        units = {str(values.attrs.get("units", "1")) for _, values in curves}
        if len(units) > 1:
            raise ValueError(
                f"cannot draw {' and '.join(sorted(units))} on one axis; give each unit a panel of its own."
            )
        unit = _pretty(first.attrs.get("units", "1"))
        panel.set_ylabel(_label(first) if one_quantity else "" if unit == "1" else f"[{unit}]")
        panel.ticklabel_format(axis="both", scilimits=(-2, 3), useMathText=True)
        bounded = [values for _, values in curves if not _is_bound(values)]
        if 0 < len(bounded) < len(curves):  # a bound far away must not flatten what it bounds
            low = min(_lowest(values) for _, values in curves)
            high = max(_highest(values) for values in bounded)
            panel.set_ylim(low - 0.05 * (high - low), high + 0.15 * (high - low))
        if len(panel.lines) > 1 and any(label or len(curves) > 1 for label, _ in curves):
            rows = len(panel.get_legend_handles_labels()[0])
            aside = {"loc": "center left", "bbox_to_anchor": (1.0, 0.5), "ncols": -(-rows // LEGEND_ROWS)}
            panel.legend(fontsize=8, **(aside if rows > len(COLOURS) else {}))
        panel.margins(x=0)
    swept = axis in dataset.coords and "parameter" in dataset.coords[axis].attrs
    drawn[-1, 0].set_xlabel(_axis_label(dataset[axis]) if swept else _label(dataset[axis]))
    return figure


def _standard_error(dataset, axis, values) -> xr.DataArray | None:
    """Of a curve, if the dataset has it."""
    error = dataset.get(f"standard_error_{values.name}")
    if error is None:
        return None
    return error.sel({dim: values.coords[dim].item() for dim in error.dims if dim != axis})


def _present(values) -> tuple[list[int], list[str]]:
    """The categories of a variable that occur, and their names; a missing value is none."""
    names = dict(zip(np.asarray(values.attrs["flag_values"]), values.attrs["flag_meanings"].split(), strict=True))
    codes = [int(code) for code in np.unique(np.asarray(values)) if int(code) in names]
    return codes, [names[code].replace("_", " ") for code in codes]


def _categories(panel, positions, values):
    """A category along an axis: a step between named levels."""
    codes, names = _present(values)
    levels = {code: level for level, code in enumerate(codes)}
    heights = [levels.get(int(code), np.nan) for code in np.asarray(values)]
    panel.plot(positions, heights, drawstyle="steps-mid", color=COLOURS[0])
    panel.set_yticks(range(len(codes)), names)
    panel.set_ylim(-0.5, max(len(codes), 1) - 0.5)
    panel.margins(x=0)


def _category_map(panel, figure, across, up, values):
    """A map of categories, those that occur named beside it."""
    codes, names = _present(values)
    grid = values.transpose(str(up.name), str(across.name)).to_numpy()
    levels = np.full(grid.shape, np.nan)
    for level, code in enumerate(codes):
        levels[grid == code] = level
    colours = ListedColormap(CATEGORY_COLOURS[: max(len(codes), 1)])
    image = panel.pcolormesh(
        across, up, levels, shading="nearest", rasterized=True, cmap=colours, vmin=-0.5, vmax=max(len(codes), 1) - 0.5
    )
    bar = figure.colorbar(image, ax=panel, pad=0.02, ticks=range(len(codes)))
    bar.ax.set_yticklabels(names, fontsize=7)
    bar.ax.tick_params(length=0)


def _highest(values) -> float:
    """Largest number, zero at least; missing ones do not count."""
    return float(np.max(np.asarray(values), initial=0.0, where=np.isfinite(np.asarray(values))))


def _lowest(values) -> float:
    """Smallest number, zero at most; missing ones do not count."""
    return float(np.min(np.asarray(values), initial=0.0, where=np.isfinite(np.asarray(values))))


def _is_bound(values):
    return str(values.name).endswith("bound")


def _maps(dataset, axes, panels):
    """One map per variable and entry; the first axis runs to the right, as a device file lists it."""
    across, up = axes
    maps = [series for panel in panels for series in panel]
    columns = min(len(maps), 3)
    rows = -(-len(maps) // columns)
    figure, drawn = plt.subplots(
        rows, columns, figsize=(3.9 * columns, 0.3 + 3.3 * rows), squeeze=False, layout="constrained"
    )
    for panel, (label, values) in zip(drawn.ravel(), maps, strict=False):
        panel.set_xlabel(_axis_label(dataset[across]))
        panel.set_ylabel(_axis_label(dataset[up]))
        if "flag_values" in values.attrs:
            _category_map(panel, figure, dataset[across], dataset[up], values)
            continue
        grid = values.transpose(up, across).to_numpy()
        largest = _highest(np.abs(grid)) or 1.0
        signed = _lowest(grid) < 0
        colours = {"cmap": "RdBu_r", "vmin": -largest, "vmax": largest} if signed else {"cmap": "viridis"}
        image = panel.pcolormesh(dataset[across], dataset[up], grid, shading="nearest", rasterized=True, **colours)
        if signed:  # where the sign changes; not where there is only rounding
            clear = np.ma.masked_invalid(np.where(np.abs(grid) < ROUNDING * largest, 0.0, grid))
            if np.any(clear < 0) and np.any(clear > 0):
                panel.contour(dataset[across], dataset[up], clear, levels=[0.0], colors="0.35", linewidths=0.6)
        figure.colorbar(image, ax=panel, pad=0.02).set_label(f"{_label(values)}  {label}".strip())
    for panel in drawn.ravel()[len(maps) :]:
        panel.set_visible(False)
    return figure


def _written(values) -> str:
    if "flag_values" in values.attrs:
        return ", ".join(_present(values)[1])
    return f"{float(values):.10g}"


def _table(dataset, axes, panels):
    """A single point: its values as a table."""
    rows = [
        (f"{values.name} {label}".strip(), _written(values), _pretty(values.attrs.get("units", "")))
        for panel in panels
        for label, values in panel
    ]
    figure, panel = plt.subplots(figsize=(5.2, 0.5 + 0.27 * len(rows)))
    panel.axis("off")
    table = panel.table(rows, colLabels=["quantity", "value", "unit"], loc="center", cellLoc="left")
    table.auto_set_column_width([0, 1, 2])
    return figure
