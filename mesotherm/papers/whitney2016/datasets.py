"""The datasets behind Figs. 2–6."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jaxtyping import Float

from mesotherm.conventions import EPSILON
from mesotherm.device import Reservoirs
from mesotherm.devices.coulomb_dots import CoulombDots
from mesotherm.papers.reproduction import Progress
from mesotherm.papers.whitney2016.machine import (
    PROBE,
    PROBE_RATES,
    RATIOS,
    RIGHT,
    T_0,
    T_H,
    curve,
    heat_in,
    setup,
    thermocouple,
    zero_points,
)

COARSE = 2e-4
"""Width of the last bracket where a point costs a search with the probe inside: one refinement of the grid."""

NEARBY = 0.03
"""How far from the places without heat the bound is given on a finer grid [T_C/T_0]."""

NEIGHBOUR_STATES = ("00", "10", "01", "11")
"""(h, c) in the order of the paper's caption."""

RATIO_OF_6A = 1.0
"""T_C/T_0 of Fig. 6(a), which the paper does not give."""

POPULATION_ROUNDING = 64 * EPSILON
"""Relative error of a ratio of two populations (elimination without subtraction among eight states)."""


def power_curve(figure: str, device_of: str | None = None):
    """What computes the dataset of Fig. 2, 3, 4 or 5: a curve without a probe, and its points without heat."""

    def compute(progress: Progress) -> dict[str, xr.Dataset]:
        machine = setup(device_of or figure)
        dataset = curve(machine, progress=progress)
        points = zero_points(machine, dataset, heat_in)
        _add_points_without_heat(dataset, "zero", points)
        _add_bound_nearby(dataset, machine, [float(point.ratio) for point in points])
        dataset.attrs |= {
            "title": f"Fig. {figure}: power of the quantum-dot thermocouple at the optimal bias",
            **_parameters(device_of or figure),
        }
        return {f"fig{figure}": dataset}

    return compute


def _parameters(figure: str) -> dict[str, float | list[float]]:
    """The device and the fixed temperatures, as attributes [gamma]."""
    device = thermocouple(figure)
    named = {
        **{f"level_{dot}": float(level) for dot, level in zip(device.dots, device.levels, strict=True)},
        **{f"charging_{pair}": float(u) for pair, u in zip(device.pairs, device.charging_energies, strict=True)},
    }
    rates = {
        f"tunnel_rate_{terminal}_at_hc_{'_'.join(device.occupations)}": np.asarray(row).tolist()
        for terminal, row in zip(device.terminals[: RIGHT + 1], device.tunnel_rates, strict=False)
    }
    others = {f"tunnel_rate_{name}": float(device.tunnel_rates[device.index(name), 0]) for name in ("H", "C")}
    return {**named, **rates, **others, "temperature_L_and_R": T_0, "temperature_H": T_H}


def _add_points_without_heat(dataset, dimension, points):
    """Where J_in changes sign, and the power there."""
    places, powers = ([float(point[name]) for point in points] for name in ("ratio", "power"))
    accuracy = {"comment": "by refining the grid, to about 1e-9 of T_C/T_0 (with a probe 1e-8); without a bound"}
    place = {"long_name": "T_C/T_0 at which the heat taken in changes sign", "units": "1", **accuracy}
    power = {"long_name": "power where no heat is taken in", "units": "gamma^2", "symbol": "P", **accuracy}
    dataset["heat_in_zero"] = dimension, places, place
    dataset["power_at_heat_in_zero"] = dimension, powers, power


def _add_bound_nearby(dataset, machine, places):
    """The bound on a finer grid around each place without heat: it vanishes there, between two points of the curve."""
    ratios = np.array([np.linspace(place - NEARBY, place + NEARBY, len(RATIOS)) for place in places])
    bounds = np.array([curve(machine, row).carnot_bound.to_numpy() for row in ratios])
    dataset["ratio_nearby"] = ("zero", "nearby"), ratios, {"long_name": "T_C/T_0 around heat_in_zero", "units": "1"}
    dataset["carnot_bound_nearby"] = ("zero", "nearby"), bounds, dataset.carnot_bound.attrs


def probe_curves(progress: Progress) -> dict[str, xr.Dataset]:
    """Fig. 6: the curves of Fig. 2 with a probe of finite coupling, and how thermal dot M is at T_C = T_0."""
    total = len(PROBE_RATES) * len(RATIOS)
    found, without_heat = [], []
    for number, rate in enumerate(PROBE_RATES):
        machine = setup("2", probe_rate=rate)
        before = number * len(RATIOS)
        found.append(curve(machine, progress=lambda done, _, before=before: progress(before + done, total)))
        (without,) = zero_points(machine, found[-1], heat_in, accuracy=COARSE)
        without_heat.append(without)
    rates = xr.DataArray(
        np.array(PROBE_RATES),
        dims="probe_rate",
        attrs={"long_name": "tunnel rate of the probe", "units": "gamma", "parameter": "device.tunnel_rates.P"},
        name="probe_rate",
    )
    fig6 = xr.concat(found, rates, combine_attrs="override")
    assert isinstance(fig6, xr.Dataset)  # the checker cannot tell
    _add_points_without_heat(fig6, "probe_rate", without_heat)
    fig6.attrs |= {
        "title": "Fig. 6: power of the thermocouple of Fig. 2 at the optimal bias, with a thermalizing probe on dot M",
        **_parameters("2"),
    }
    return {"fig6": fig6, "fig6a": _deviations(fig6.sel(cold_temperature_ratio=RATIO_OF_6A))}


def _deviations(states: xr.Dataset) -> xr.Dataset:
    """Fig. 6(a): D_hc of Eq. 22 for every coupling of the probe."""
    devices = [thermocouple("2", probe_rate=rate) for rate in PROBE_RATES]
    found = [
        deviation(
            device,
            mu_R=float(state.optimal_mu_R),
            probe=(float(state.probe_mu), float(state.probe_temperature)),
            probe_error=(float(state.error_probe_mu), float(state.error_probe_temperature)),
        )
        for device, state in zip(devices, (states.sel(probe_rate=rate) for rate in PROBE_RATES), strict=True)
    ]
    kept = ("optimal_mu_R", "probe_mu", "error_probe_mu", "probe_temperature", "error_probe_temperature")
    dataset = states[[*kept, "law_violation", "status"]].drop_vars("cold_temperature_ratio")
    symbol = r"D_{hc}"
    described = {"long_name": "deviation of dot M from the thermal state of the probe", "units": "1", "symbol": symbol}
    bounded = {**described, "long_name": f"bound on the error of the {described['long_name']} at the given mu_R"}
    dataset["deviation"] = ("probe_rate", "neighbour_state"), np.stack([d.value for d in found]), described
    dataset["error_deviation"] = ("probe_rate", "neighbour_state"), np.stack([d.error for d in found]), bounded
    return dataset.assign_coords(
        neighbour_state=(
            "neighbour_state",
            np.array(NEIGHBOUR_STATES, dtype=object),
            {"long_name": "whether H and C are filled, (h, c)"},
        ),
        transition_energy=(
            "neighbour_state",
            found[0].transition_energy,
            {"long_name": "energy to fill dot M, E_1hc - E_0hc", "units": "gamma"},
        ),
    ).assign_attrs(
        title="Fig. 6(a): deviation of dot M from the state of the probe",
        cold_temperature_ratio=RATIO_OF_6A,
        comment="the paper gives neither T_C nor V for this panel: T_C = T_0, and V = V_opt of each probe coupling",
    )


class Deviation(NamedTuple):
    """D_hc, the bound on its error, and E_1hc − E_0hc [γ], in the order of ``NEIGHBOUR_STATES``."""

    value: Float[np.ndarray, "neighbours"]
    error: Float[np.ndarray, "neighbours"]
    transition_energy: Float[np.ndarray, "neighbours"]


def deviation(
    device: CoulombDots,
    *,
    mu_R: float,
    probe: tuple[float, float],
    probe_error: tuple[float, float],
) -> Deviation:
    """Deviation of dot M from equilibrium with the probe at T_C = ``RATIO_OF_6A`` T_0.

    .. math:: D_{hc} = \\frac{p_{1hc}}{p_{0hc}} \\exp\\frac{E_{1hc} - E_{0hc} - \\mu_P}{T_P} - 1

    Parameters
    ----------
    probe, probe_error
        μ_P and T_P with their bounds; what they do to D_hc is carried over by its derivatives.

    Source: Eq. 22.
    """
    mu, T = [0.0, mu_R, 0.0, 0.0, 0.0], [T_0, T_0, T_H, RATIO_OF_6A * T_0, T_0]
    value, slope, energy = _deviation(device, Reservoirs(mu, T), jnp.array(probe))
    error = np.abs(slope) @ np.array(probe_error) + POPULATION_ROUNDING * (1 + np.abs(value))
    return Deviation(np.asarray(value), error, np.asarray(energy))


@jax.jit
def _deviation(device, reservoirs, probe):
    states = [tuple(state) for state in device.states().tolist()]
    empty = np.array([states.index((0, int(h), int(c))) for h, c in NEIGHBOUR_STATES])
    filled = np.array([states.index((1, int(h), int(c))) for h, c in NEIGHBOUR_STATES])
    energy = device.energies()[filled] - device.energies()[empty]

    def at(probe):
        p = device.populations(reservoirs.at(PROBE, mu=probe[0], T=probe[1]))
        return jnp.expm1(jnp.log(p[filled] / p[empty]) + (energy - probe[0]) / probe[1])

    return at(probe), jax.jacfwd(at)(probe), energy
