"""Fig. 2 of the paper: the datasets behind its five panels."""

import numpy as np
import xarray as xr
from jaxtyping import Float

from mesotherm.axes import Axis, Tie
from mesotherm.experiments import DiodeTest, SteadyStateExperiment
from mesotherm.papers.balduque2025.model import BAND_BOTTOM, DELTA_T, HALF_WIDTH, in_table_units, resonances, slopes
from mesotherm.papers.refine import largest_between, zero_between
from mesotherm.papers.reproduction import Progress
from mesotherm.sweep import sweep

LEVELS = np.linspace(-10.0, 10.0, 201)
"""Levels of the maps, from μ in k_BT."""

CUT_LEVELS = np.linspace(-10.0, 10.0, 401)
"""ε₁ along the cuts: every second one is a level of the maps."""

CUT_A, CUT_B = 4.8, 8.7
"""ε₃ along the cuts of panels a and b."""

ANTISYMMETRIC_LEVELS = np.linspace(0.0, 10.0, 101)
HALF_WIDTHS = np.geomspace(0.25, 8.0, 61)
"""ε and Γ of panel e, on the antisymmetric line ε₁ = −ε, ε₃ = +ε."""

ZERO_BRACKETS = {"forward": (-7.0, -4.8), "backward": (-4.8, -2.0)}
"""Where along cut a the current of each direction changes sign: on either side of the antisymmetric point, at which the
currents are equal. What lies outside the bracket is drawn, and checked to have one sign."""

EDGE, EDGE_BRACKET = 10.0, (-3.0, 1.0)
"""The largest heat rectification of the map lies on its edges; on the edge ε₃ = 10 at an ε₁ in this bracket."""

PEAK_BRACKET = (1.5, 4.0)
"""The ε in which the largest current of panel e lies."""

BISECTIONS = 24
"""Halvings of the bracket of ln Γ before the last, linear interpolation: from five octaves to 2e-7."""


def compute(progress: Progress) -> dict[str, xr.Dataset]:
    """Every dataset of Fig. 2: the map, the cuts a and b, the antisymmetric line of panel e."""
    sizes = len(LEVELS) ** 2, 2 * len(CUT_LEVELS), len(ANTISYMMETRIC_LEVELS) * len(HALF_WIDTHS)
    ends = np.cumsum(sizes).tolist()

    def stage(number: int) -> Progress:
        before = ends[number] - sizes[number]
        return lambda done, total: progress(before + done, ends[-1])

    fig2 = rectification_map(stage(0))
    cuts = diode_tests(CUT_LEVELS, (CUT_A, CUT_B), progress=stage(1))
    fig2a, fig2b = (_with_linear_response(cuts.sel(epsilon_3=level)) for level in (CUT_A, CUT_B))
    fig2a["zero_of_particle_current"] = _zeros()
    fig2e = antisymmetric_line(stage(2))
    datasets = {"fig2": fig2, "fig2a": fig2a, "fig2b": fig2b, "fig2e": fig2e}
    for name, dataset in datasets.items():
        dataset.attrs["title"] = f"{name.replace('fig', 'Fig. ')}: {dataset.attrs['title']}"
        dataset.attrs |= {"temperature_difference": DELTA_T, "mu_above_band_bottom": -BAND_BOTTOM}
        if name != "fig2e":
            dataset.attrs["half_width"] = HALF_WIDTH
    return datasets


def rectification_map(progress: Progress) -> xr.Dataset:
    """Panels c and d: the diode test over both levels, with the largest heat rectification in the attributes."""
    axes = [Axis("device.left.level", LEVELS, "epsilon_1"), Axis("device.right.level", LEVELS, "epsilon_3")]
    dataset = in_table_units(sweep(DiodeTest(DELTA_T), resonances(0.0, 0.0), axes, progress=progress))
    dataset.attrs["title"] = "rectification of the thermalization diode"

    def on_the_edge(epsilon_1):
        return np.abs(diode_tests(epsilon_1, (EDGE, EDGE)).rectification_heat.to_numpy()[:, 0])

    place = largest_between(on_the_edge, *EDGE_BRACKET, points=len(CUT_LEVELS))
    dataset.attrs |= {
        "largest_rectification_heat": float(np.max(on_the_edge(np.full(len(CUT_LEVELS), place)))),
        "largest_rectification_heat_epsilon_1": place,
        "largest_rectification_heat_epsilon_3": EDGE,
    }
    return dataset


def diode_tests(
    epsilon_1: Float[np.ndarray, "levels"],
    epsilon_3: tuple[float, float],
    *,
    delta_temperature: float = DELTA_T,
    band_bottom: float = BAND_BOTTOM,
    progress: Progress = lambda done, total: None,
) -> xr.Dataset:
    """Diode tests along two cuts. As long as there are as many levels as in ``CUT_LEVELS`` nothing is compiled anew."""
    axes = [Axis("device.left.level", epsilon_1, "epsilon_1"), Axis("device.right.level", epsilon_3, "epsilon_3")]
    device = resonances(0.0, 0.0, band_bottom=band_bottom)
    dataset = in_table_units(sweep(DiodeTest(delta_temperature), device, axes, progress=progress))
    dataset.attrs["title"] = "forward and backward currents of the thermalization diode"
    return dataset


def _with_linear_response(cut: xr.Dataset) -> xr.Dataset:
    """Add the linear response of the current of L: its derivative with respect to the temperature that is raised, at
    T_L = T_R = T and with the probe following, times ΔT."""
    levels = {"left": cut.epsilon_1.to_numpy(), "right": float(cut.epsilon_3), "T_L": 1.0, "T_R": 1.0}
    widths = {"half_width_left": HALF_WIDTH, "half_width_right": HALF_WIDTH}
    raised = [slopes({terminal: 1.0}, **levels, **widths).current_slope for terminal in ("T_L", "T_R")]
    attributes = {
        "long_name": "linear response of the particle current of terminal L times the temperature difference",
        "units": "(2/h) k_B T",
        "symbol": r"I_\mathrm{lin}",
        "comment": "derivative of the self-consistent current at T_L = T_R = T; of rounding accuracy, without a bound",
    }
    cut["particle_current_linear"] = ("epsilon_1", "direction"), DELTA_T * np.stack(raised, axis=1), attributes
    return cut


def _zeros() -> xr.DataArray:
    """Where the current of L vanishes along cut a, for each direction."""
    hot = {"forward": {"T_L": 1.0 + DELTA_T, "T_R": 1.0}, "backward": {"T_L": 1.0, "T_R": 1.0 + DELTA_T}}
    widths = {"half_width_left": HALF_WIDTH, "half_width_right": HALF_WIDTH}
    places = []
    for direction, temperatures in hot.items():

        def current(epsilon_1, temperatures=temperatures):
            return slopes({}, left=epsilon_1, right=CUT_A, **temperatures, **widths).current

        places.append(zero_between(current, *ZERO_BRACKETS[direction]))
    attributes = {"long_name": "epsilon_1 at which the particle current of terminal L vanishes", "units": "k_B T"}
    return xr.DataArray(places, {"direction": list(hot)}, "direction", attrs=attributes)


def antisymmetric_line(progress: Progress) -> xr.Dataset:
    """Panel e: the current at ε₁ = −ε, ε₃ = +ε against ε and Γ, with the Γ that makes it largest for each ε.

    Forward only: backward is the same up to the band bottom.
    """
    axes = [
        Axis("device.right.level", ANTISYMMETRIC_LEVELS, "epsilon", tied=(Tie("device.left.level", scale=-1.0),)),
        Axis("device.left.half_width", HALF_WIDTHS, "half_width", tied=(Tie("device.right.half_width"),)),
    ]
    hot_left = resonances(0.0, 0.0).with_reservoir("L", T=1.0 + DELTA_T)
    dataset = in_table_units(sweep(SteadyStateExperiment(), hot_left, axes, progress=progress))
    names = "particle_current", "probe_mu", "probe_temperature"
    kept = [name for variable in names for name in (variable, f"error_{variable}")]
    line = dataset[[*kept, "law_violation", "status"]].sel(terminal="L", drop=True)
    for name in ("particle_current", "error_particle_current"):
        line[name].attrs["long_name"] += " from terminal L"

    ridge = np.full(len(ANTISYMMETRIC_LEVELS), np.nan)
    finite = ANTISYMMETRIC_LEVELS > 0  # at ε = 0 no current flows, whatever Γ
    ridge[finite] = best_half_width(ANTISYMMETRIC_LEVELS[finite])
    line["half_width_of_maximum"] = (
        "epsilon",
        ridge,
        {
            "long_name": "half width with the largest particle current",
            "units": "k_B T",
            "symbol": r"\Gamma_\mathrm{max}",
            "comment": "zero of the derivative with respect to the half width; NaN where no current flows",
        },
    )
    peak = zero_between(lambda epsilon: _slope_along_epsilon(epsilon), *PEAK_BRACKET, accuracy=1e-4)
    half_width = best_half_width(np.array([peak]))
    line.attrs |= {
        "title": "particle current on the antisymmetric line",
        "largest_particle_current": float(_on_the_line({}, np.array([peak]), half_width).current[0]),
        "largest_particle_current_epsilon": peak,
        "largest_particle_current_half_width": float(half_width[0]),
    }
    return line


def best_half_width(epsilon: Float[np.ndarray, "levels"]) -> Float[np.ndarray, "levels"]:
    """The Γ between the smallest and the largest of panel e that makes the current largest, for each ε > 0: where its
    derivative along ln Γ, positive below and negative above, vanishes."""
    both = {"half_width_left": 1.0, "half_width_right": 1.0}

    def slope(logarithm):
        return _on_the_line(both, epsilon, np.exp(logarithm)).current_slope

    low, high = (np.full(len(epsilon), np.log(width)) for width in HALF_WIDTHS[[0, -1]])
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        rising = slope(middle) > 0
        low, high = np.where(rising, middle, low), np.where(rising, high, middle)
    at_low, at_high = slope(low), slope(high)
    bracketed = (at_low > 0) & (at_high <= 0)
    return np.where(bracketed, np.exp(low + (high - low) * at_low / (at_low - at_high)), np.nan)


def _slope_along_epsilon(epsilon: Float[np.ndarray, "levels"]) -> Float[np.ndarray, "levels"]:
    """dI/dε along the ridge of best half widths, where ∂I/∂Γ = 0."""
    return _on_the_line({"left": -1.0, "right": 1.0}, epsilon, best_half_width(epsilon)).current_slope


def _on_the_line(along, epsilon, half_width):
    widths = {"half_width_left": half_width, "half_width_right": half_width}
    return slopes(along, left=-epsilon, right=epsilon, T_L=1.0 + DELTA_T, T_R=1.0, **widths)
