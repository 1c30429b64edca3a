"""The screened double barrier with the paper's parameters, in the paper's units."""

import jax.numpy as jnp
import numpy as np
import xarray as xr
from jaxtyping import Float

from mesotherm.axes import Axis
from mesotherm.device import Reservoirs
from mesotherm.devices.double_barrier import DoubleBarrier
from mesotherm.experiments import DiodeTest, Setup
from mesotherm.papers.balduque2025.model import BAND_BOTTOM, DELTA_T, in_table_units
from mesotherm.papers.reproduction import Progress
from mesotherm.screening import Screening
from mesotherm.sweep import sweep
from mesotherm.unknowns import AbstractUnknown, ThermalizingProbe

HALF_WIDTH, CONFINEMENT = 1.0, 1.0
"""Γ of Figs. 3 and 4, and the E_c that belongs to d = 2ħ/√(8 m k_BT), in k_BT."""

COHERENT, THERMALIZED = 0.0, 1.0
"""λ of Figs. 3 and 4."""

CAPTION = {
    "half_width": HALF_WIDTH,
    "confinement": CONFINEMENT,
    "temperature_difference": DELTA_T,
    "mu_above_band_bottom": -BAND_BOTTOM,
}
"""Parameters that the datasets carry."""


def diode(
    probe_strength: float, level_1: float = 0.0, level_3: float = 0.0, *, screened: bool = True, confinement=CONFINEMENT
) -> Setup:
    """The double barrier between terminals at μ = 0 and T = 1, its levels counted from μ: coherent (λ = 0) with all
    three potentials screened, or thermalized (λ = 1), where U₂ moves nothing."""
    device = DoubleBarrier(
        level_1=level_1,
        level_3=level_3,
        half_width_1=HALF_WIDTH,
        half_width_3=HALF_WIDTH,
        cavity_bottom=BAND_BOTTOM,
        confinement=confinement,
        probe_strength=probe_strength,
    )
    coherent = probe_strength == COHERENT
    unknowns: list[AbstractUnknown] = []
    if screened:
        unknowns.append(Screening(("U1", "U2", "U3") if coherent else ("U1", "U3"), mu=0.0, T=1.0))
    if not coherent:
        unknowns.append(ThermalizingProbe("P"))
    return Setup(device, Reservoirs(jnp.zeros(3), jnp.ones(3)), tuple(unknowns))


def diode_tests(
    setup: Setup,
    epsilon_1: Float[np.ndarray, "levels"],
    epsilon_3: Float[np.ndarray, "levels"],
    *,
    delta_temperature: float = DELTA_T,
    progress: Progress = lambda done, total: None,
) -> xr.Dataset:
    """Diode tests over both levels. Grids of 64 to 1024 points share one compiled function, larger ones another."""
    axes = [Axis("device.level_1", epsilon_1, "epsilon_1"), Axis("device.level_3", epsilon_3, "epsilon_3")]
    dataset = in_table_units(sweep(DiodeTest(delta_temperature), setup, axes, progress=progress))
    return dataset if setup.probes else dataset.sel(terminal=["L", "R"])
