"""The thermocouple with the parameters of each figure, and the curves along T_C that everything is read off."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jaxtyping import Array, Float

from mesotherm.axes import Axis
from mesotherm.device import Reservoirs
from mesotherm.devices.coulomb_dots import CoulombDots, quantum_dot_thermocouple
from mesotherm.experiments import PowerAtOptimalBias, Setup
from mesotherm.experiments.heat_drag import rate_asymmetry
from mesotherm.papers.refine import zero_between
from mesotherm.papers.reproduction import Progress
from mesotherm.results import Outcome
from mesotherm.steady_state import steady_state
from mesotherm.sweep import sweep
from mesotherm.unknowns import ThermalizingProbe, VanishingProbe

T_0, T_H = 8.0, 16.0
"""Temperature of L and R, and of H, in all figures [γ]."""

RATIOS = np.round(np.linspace(0.2, 1.2, 101), 2)
"""T_C/T_0 along the curves. Every curve has as many points, so that nothing is compiled anew."""

EQUATION_16 = {"rate_L": (1.0, 0.0, 0.0, 0.0), "rate_R": (0.0, 1.0, 1.0, 1.0)}
EQUATION_17 = {"rate_L": (1.0, 2 / 3, 2 / 3, 2 / 3), "rate_R": (2 / 3, 1.0, 1.0, 1.0)}
"""γ_L and γ_R for the occupations (h, c) = 00, 01, 10, 11 [γ]."""

DEVICES: dict[str, dict[str, Any]] = {
    "2": {
        **{"level_M": 0.0, "level_H": 0.0, "level_C": 0.0},
        **{"charging_MH": 3.0, "charging_MC": 6.0, "charging_HC": 100.0},
        **{"rate_H": 1.0, "rate_C": 0.5, **EQUATION_16},
    },
    "3": {
        **{"level_M": 7.0, "level_H": 7.0, "level_C": 7.0},
        **{"charging_MH": 5.0, "charging_MC": 6.0, "charging_HC": 3.0},
        **{"rate_H": 0.5, "rate_C": 1.0, **EQUATION_16},
    },
    "4": {
        **{"level_M": 6.0, "level_H": 6.0, "level_C": 6.0},
        **{"charging_MH": 1.0, "charging_MC": 12.0, "charging_HC": 100.0},
        **{"rate_H": 1.0, "rate_C": 1.0, **EQUATION_17},
    },
}
"""The captions of Figs. 2, 3 (and 5), 4 [γ]; Fig. 6 has the device of Fig. 2 and a probe."""

FIGURES = tuple(DEVICES)
"""The figures with devices of their own."""

PROBE_RATES = (0.001, 0.1, 0.5, 1.0, 10.0, 1000.0)
"""γ_P of Fig. 6 [γ]."""

LEFT, RIGHT, HOT, COLD, PROBE = range(5)
"""Positions of the terminals."""

UNITS = {
    "energy": "gamma",
    "energy/k_B": "gamma",
    "energy/hbar": "gamma",
    "k_B*energy/hbar": "gamma",
    "energy^2/hbar": "gamma^2",
}
"""Units of the library in units of the paper, ħ = k_B = 1."""

NAMES = {"entropy_production": "entropy_production_total", "reservoir_entropy_change": "entropy_production"}
NAMES_WITHOUT_PROBE = {**NAMES, "probe_temperature": "effective_temperature", "probe_mu": "effective_mu"}
"""Variables of the library that carry another name in the datasets; T_M where no probe is coupled."""

Quantity = Callable[[xr.Dataset], xr.DataArray]
"""What is read off a curve."""


def thermocouple(figure: str, *, probe_rate: float = 0.0, **changes: Any) -> CoulombDots:
    """The device of a figure, with some of its parameters changed."""
    return quantum_dot_thermocouple(**{**DEVICES[figure], **changes}, rate_P=probe_rate)


def setup(figure: str, *, probe_rate: float = 0.0, **changes: Any) -> Setup:
    """The device of a figure between its reservoirs, T_C = T_0. Without a probe rate the probe vanishes (T_M)."""
    reservoirs = Reservoirs([0.0] * 5, [T_0, T_0, T_H, T_0, T_0])
    probe = ThermalizingProbe("P") if probe_rate else VanishingProbe("P")
    return Setup(thermocouple(figure, probe_rate=probe_rate, **changes), reservoirs, (probe,))


def curve(
    machine: Setup,
    ratios: Float[np.ndarray, "ratios"] = RATIOS,
    progress: Progress = lambda done, total: None,
) -> xr.Dataset:
    """Everything at the bias of the largest power against T_C/T_0, named as in the datasets, in powers of γ."""
    axis = Axis("reservoirs.C.T", ratios, "cold_temperature_ratio", scale=T_0)
    dataset = sweep(PowerAtOptimalBias("R", ("H", "C")), machine, [axis], progress=progress)
    names = NAMES_WITHOUT_PROBE if machine.unknowns[0].spectator else NAMES
    dataset = dataset.isel(probe=0, drop=True).rename(
        {f"{prefix}{old}": f"{prefix}{new}" for old, new in names.items() for prefix in ("", "error_")}
    )
    for variable in dataset.variables.values():
        if (unit := variable.attrs.get("units")) in UNITS:
            variable.attrs["units"] = UNITS[unit]
    dataset.cold_temperature_ratio.attrs |= {"long_name": "T_C/T_0", "units": "1"}
    dataset.attrs["convention"] = "hbar = k_B = e = 1; currents into the device; everything in powers of gamma"
    dataset.attrs["optimal_bias"] = "found over both signs of mu_R; all other mu are zero"
    return dataset


def zero_points(machine: Setup, dataset: xr.Dataset, quantity: Quantity, *, accuracy: float = 1e-9) -> list[xr.Dataset]:
    """The curve where a quantity of it changes sign: one dataset for each place, in order of T_C.

    Parameters
    ----------
    dataset
        The machine's curve, with the names that ``curve`` gives: says where to look.
    accuracy
        Width of the last bracket; inside it everything is interpolated linearly between two points a hundredth of it
        to the same width apart.
    """
    ratios, values = dataset.cold_temperature_ratio.to_numpy(), quantity(dataset).to_numpy()
    places = np.flatnonzero(np.diff(np.sign(values)) != 0)
    return [_zero_point(machine, quantity, ratios[place], ratios[place + 1], accuracy) for place in places]


def _zero_point(machine, quantity, low, high, accuracy):
    finest = xr.Dataset()

    def values(ratios):
        nonlocal finest
        finest = curve(machine, ratios).drop_vars("status")
        return quantity(finest).to_numpy()

    place = zero_between(values, low, high, points=len(RATIOS), accuracy=accuracy)
    ratios = finest.cold_temperature_ratio.to_numpy()
    left = int(np.clip(np.searchsorted(ratios, place) - 1, 0, len(ratios) - 2))
    before, after = (finest.isel(cold_temperature_ratio=i, drop=True) for i in (left, left + 1))
    weight = (place - ratios[left]) / (ratios[left + 1] - ratios[left])
    return ((1 - weight) * before + weight * after).assign(ratio=place)


def heat_in(dataset: xr.Dataset) -> xr.DataArray:
    """J_in, as a quantity to find zeros of."""
    return dataset.heat_in


def excess(dataset: xr.Dataset) -> xr.DataArray:
    """Power beyond the bound on a conventional thermocouple (Eq. 23)."""
    return dataset.power - dataset.carnot_bound


def largest_other(dataset: xr.Dataset) -> Float[np.ndarray, "ratios"]:
    """Largest of all heat and energy currents of a curve besides J_trans."""
    others = [dataset.heat_current, dataset.energy_current.sel(terminal=["L", "R"])]
    largest = [np.abs(values).max("terminal").to_numpy() for values in others]
    return np.max([*largest, np.abs(dataset.heat_in.to_numpy())], axis=0)


def ranges(true: np.ndarray) -> str:
    """Where on the grid of T_C/T_0 something holds, in words: "0.20–0.35 and 0.90–1.20"."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], true, [False]]).astype(int)))
    parts = [f"{RATIOS[first]:.2f}–{RATIOS[last - 1]:.2f}" for first, last in edges.reshape(-1, 2)]
    return " and ".join(parts) or "nowhere"


# ---------------------------------------------------------------------------------------------------------------------
# States at given biases, in batches.


class Flows(NamedTuple):
    """Currents into the device [points, terminals] and populations [points, states]; NaN where not solved."""

    particle: Float[np.ndarray, "points terminals"]
    energy: Float[np.ndarray, "points terminals"]
    one_way: Float[np.ndarray, "points terminals"]
    populations: Float[np.ndarray, "points states"]


def flows(
    device: CoulombDots,
    ratio: float | Float[np.ndarray, "points"],
    mu_R: float | Float[np.ndarray, "points"] = 0.0,
    *,
    circuit: float | Float[np.ndarray, "points"] = T_0,
    hot: float | Float[np.ndarray, "points"] = T_H,
) -> Flows:
    """The states at given T_C/T_0 and μ_R, without a probe; T_0 and T_H may be varied too."""
    ratio, mu_R, circuit, hot = np.broadcast_arrays(*map(np.atleast_1d, (ratio, mu_R, circuit, hot)))
    nothing = np.zeros(len(ratio))
    mu = np.stack([nothing, mu_R, nothing, nothing, nothing], axis=1)
    T = np.stack([circuit, circuit, hot, ratio * circuit, circuit], axis=1)
    found, outcome = _flows(device, jnp.asarray(mu), jnp.asarray(T, float))
    solved = np.asarray(outcome)[:, None] == Outcome.CONVERGED
    return Flows(*(np.where(solved, values, np.nan) for values in found))


@jax.jit
def _flows(device, mu, T):
    def one(mu, T):
        state = steady_state(device, Reservoirs(mu, T), throw=False)
        found = Flows(
            state.currents.particle,
            state.currents.energy,
            state.one_way.particle,
            device.populations(state.reservoirs),
        )
        return found, state.outcome

    return jax.vmap(one)(mu, T)


def asymmetry(device: CoulombDots, dot: str) -> Float[Array, ""]:
    """Λ_H or Λ_C of Eq. 12, for the dot "H" or "C"."""
    return rate_asymmetry(device, "L", "R", dot)
