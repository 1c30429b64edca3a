"""The thermalization diode with the paper's parameters, in the paper's units, and its derivatives."""

from collections.abc import Mapping
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jaxtyping import Float

from mesotherm.axes import Axis
from mesotherm.conventions import PLANCK
from mesotherm.device import Effort, Reservoirs
from mesotherm.devices.barriers import AbstractBarrier, ResonantBarrier, TransparentRegion
from mesotherm.devices.thermalization_diode import ThermalizationDiode
from mesotherm.experiments import DiodeTest, Setup
from mesotherm.results import Outcome
from mesotherm.steady_state import steady_state
from mesotherm.sweep import sweep
from mesotherm.unknowns import ThermalizingProbe

HALF_WIDTH, DELTA_T, BAND_BOTTOM = 3.0, 1.0, -40.0
"""Γ and ΔT of Fig. 2, and the band bottom 40 k_BT below μ = 0; T = 1 is the temperature of the cold terminal."""

BARE = PLANCK / 2
"""What a current of the library is multiplied by to come in units of (2/h): the bare integral over energy."""

TABLE_UNITS = {
    "particle_current": (BARE, "(2/h) k_B T"),
    "energy_current": (BARE, "(2/h) (k_B T)^2"),
    "heat_current": (BARE, "(2/h) (k_B T)^2"),
    "power": (BARE, "(2/h) (k_B T)^2"),
    "entropy_production": (BARE, "(2/h) k_B^2 T"),
    "probe_mu": (1.0, "k_B T"),
    "probe_temperature": (1.0, "T"),
    "rectification_particle": (1.0, "1"),
    "rectification_heat": (1.0, "1"),
    "potential": (1.0, "k_B T"),
    "law_violation": (1.0, "1"),
    "status": (1.0, ""),
}
"""What the datasets of this paper keep of a sweep: the factor and the unit of each variable."""


def setup(left: AbstractBarrier, right: AbstractBarrier, band_bottom: float = BAND_BOTTOM) -> Setup:
    """Two barriers with a thermalizing region between them, all terminals at μ = 0 and T = 1."""
    device = ThermalizationDiode(left, right, band_bottom)
    return Setup(device, Reservoirs(jnp.zeros(3), jnp.ones(3)), (ThermalizingProbe("P"),))


def resonances(left: float, right: float, half_width: float = HALF_WIDTH, band_bottom: float = BAND_BOTTOM) -> Setup:
    """The diode of Fig. 2: resonant barriers of equal half width, their levels counted from μ."""
    return setup(ResonantBarrier(left, half_width), ResonantBarrier(right, half_width), band_bottom)


def barrier_alone(levels: Float[np.ndarray, "levels"]) -> xr.Dataset:
    """Diode tests of one resonance between two reservoirs, L and P, and nothing that floats: what Eq. 1 says of
    noninteracting electrons."""
    alone = setup(ResonantBarrier(0.0, HALF_WIDTH), TransparentRegion())
    experiment = DiodeTest(DELTA_T, hot="L", cold="P")
    fixed = Setup(alone.device, alone.reservoirs)
    return in_table_units(sweep(experiment, fixed, [Axis("device.left.level", levels, "epsilon_1")]))


def in_table_units(dataset: xr.Dataset) -> xr.Dataset:
    """A sweep's dataset in the paper's units, without the dimension of the only probe."""
    single = dataset.isel(probe=0, drop=True) if "probe" in dataset.dims else dataset
    converted = single[[name for name in map(str, single.data_vars) if name.removeprefix("error_") in TABLE_UNITS]]
    for name in map(str, converted.data_vars):
        factor, unit = TABLE_UNITS[name.removeprefix("error_")]
        converted[name] = (factor * single[name]).astype(single[name].dtype).assign_attrs(single[name].attrs)
        if unit:
            converted[name].attrs["units"] = unit
    for coordinate in converted.coords.values():
        if coordinate.attrs.get("units") == "energy":
            coordinate.attrs["units"] = "k_B T"
    converted.attrs["convention"] = (
        "currents into the device, two spins, in units of 2/h: bare integrals over energy; energies in k_B T from mu; "
        "temperatures in T, that of the cold terminal"
    )
    return converted


# ---------------------------------------------------------------------------------------------------------------------
# Derivatives of the self-consistent state, in batches.

BLOCK = 101
"""Points per call of the compiled function."""

PARAMETERS = ("left", "right", "half_width_left", "half_width_right", "T_L", "T_R")


class Slopes(NamedTuple):
    """The state at every point, and its derivative: NaN where the probe was not found. Current of terminal L in units
    of (2/h) k_BT, μ_p in k_BT, T_p in T; derivatives per unit of what is varied."""

    current: Float[np.ndarray, "points"]
    probe_mu: Float[np.ndarray, "points"]
    probe_temperature: Float[np.ndarray, "points"]
    current_slope: Float[np.ndarray, "points"]
    probe_mu_slope: Float[np.ndarray, "points"]
    probe_temperature_slope: Float[np.ndarray, "points"]


def slopes(along: Mapping[str, float], **parameters: float | np.ndarray) -> Slopes:
    """Differentiate the steady state, probe included, with respect to some of its parameters.

    Parameters
    ----------
    along
        How fast each parameter moves; those not named stay.
    parameters
        Every one of ``PARAMETERS``: numbers or arrays over points.
    """
    points = np.stack(np.broadcast_arrays(*(np.atleast_1d(parameters[name]) for name in PARAMETERS)), axis=1)
    tangent = jnp.array([along.get(name, 0.0) for name in PARAMETERS])
    found = []
    for start in range(0, len(points), BLOCK):
        block = points[start : start + BLOCK]
        padded = np.concatenate([block, np.repeat(block[-1:], BLOCK - len(block), axis=0)])
        values, derivatives, outcome = _differentiated(jnp.asarray(padded, float), tangent)
        both = np.concatenate([values, derivatives], axis=1)
        found.append(np.where(np.asarray(outcome)[:, None] == Outcome.CONVERGED, both, np.nan)[: len(block)])
    return Slopes(*np.concatenate(found).T)


@jax.jit
def _differentiated(points, tangent):
    return jax.vmap(lambda point: jax.jvp(_state, (point,), (tangent,), has_aux=True))(points)


def _state(point):
    left, right, width_left, width_right, T_L, T_R = point
    device = ThermalizationDiode(ResonantBarrier(left, width_left), ResonantBarrier(right, width_right), BAND_BOTTOM)
    reservoirs = Reservoirs(jnp.zeros(3), jnp.stack([T_L, T_R, T_R]))
    state = steady_state(device, reservoirs, [ThermalizingProbe("P")], effort=Effort.STRICT, throw=False)
    probe = state.reservoirs.mu[2], state.reservoirs.T[2]
    return jnp.stack([BARE * state.currents.particle[0], *probe]), state.outcome
