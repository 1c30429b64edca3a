"""Names, units and symbols of everything in the datasets of this paper, and where they come from."""

from collections.abc import Mapping
from typing import Any

import xarray as xr

from mesotherm._version import __version__

CONVENTION = "gamma_0 = hbar = a = e = k_B = 1; no spin; V > 0: mu_L > mu_R"
"""Attribute of every dataset."""

ENERGY, LENGTH, TIME = "gamma_0", "a", "hbar/gamma_0"

DESCRIBED = {
    "force": ("force of the current on the dot", f"{ENERGY}/{LENGTH}", "F"),
    "error_force": ("bound on the error of the force", f"{ENERGY}/{LENGTH}", r"\delta F"),
    "estimate_force": ("estimated error of the force from its table", f"{ENERGY}/{LENGTH}", r"\delta F"),
    "estimate_position": ("estimated error of the position from the table of the force", LENGTH, r"\delta x"),
    "position": ("position of the dot", LENGTH, "x"),
    "stability": ("1: stable, 0: unstable, -1: no equilibrium", "1", ""),
    "transmission": ("transmission between the leads where the dot rests", "1", r"\mathcal{T}"),
    "odd_rectification_particle": ("rectification of the charge current", "1", r"\mathcal{R}_I"),
    "odd_rectification_heat": ("rectification of the heat current", "1", r"\mathcal{R}_J"),
    "charge": ("charge that has passed from L to R", "e", "Q"),
    "error_charge": ("standard error of the charge", "e", r"\delta Q"),
    "work": ("work of the force of the current", ENERGY, "W_F"),
    "dissipation": ("energy lost by friction", ENERGY, r"E_\mathrm{dis}"),
    "effective_potential": ("effective potential", ENERGY, r"U_\mathrm{eff}"),
    "bias": ("bias V between L and R", ENERGY, "eV"),
    "delta_temperature": ("temperature difference between L and R", f"{ENERGY}/k_B", r"\delta T"),
    "asymmetry": ("asymmetry of the couplings", "1", r"\lambda"),
    "time": ("time", TIME, "t"),
    "damping_ratio": ("damping ratio", "1", r"\zeta"),
    "thermal_energy": ("thermal energy of the noise", ENERGY, r"k_\mathrm{B}T_0"),
    "place": ("position at which a force or potential is computed", LENGTH, "x"),
    "resting_bias": ("bias at which the dot rests at a place", ENERGY, "eV^*"),
    "resting_slope": ("slope of the whole force there, negative where it rests stably", f"{ENERGY}/{LENGTH}^2", ""),
    "critical_damping_ratio": ("damping ratio at which the well that is reached changes", "1", r"\zeta_c"),
    "critical_damping_ratio_full": ("the same by the full response", "1", r"\zeta_c"),
    "jump_bias": ("bias at which an infinitely slowly driven dot jumps", ENERGY, "eV"),
    "jump_start": ("position from which it jumps", LENGTH, "x"),
    "jump_stop": ("position to which it jumps", LENGTH, "x"),
    "jump_dissipated": ("effective potential lost in the jump", ENERGY, ""),
    "largest": ("largest rectification", "1", r"\mathcal{R}_I"),
    "largest_bias": ("bias at which the rectification is largest", ENERGY, "eV"),
    "window": ("ends of the biases with several positions", ENERGY, "eV"),
    "cycle_charge": ("charge of a cycle without noise", "e", "Q"),
    "cycle_charge_other_order": ("charge of a cycle whose pulses have the other order", "e", "Q"),
    "charge_of_many": ("charge of a cycle, mean of many", "e", "Q"),
    "error_charge_of_many": ("standard error of it", "e", r"\delta Q"),
    "charge_other_order": ("charge after whole cycles whose pulses start with the other sign", "e", "Q"),
    "slow_cycle_charge": ("charge of the second of two slow cycles", "e", "Q"),
    "end_position": ("mean position at the end of a cycle", LENGTH, r"\bar x"),
    "error_end_position": ("standard error of it", LENGTH, ""),
    "cycle_work": ("work of the force in the second cycle", ENERGY, "W_F"),
    "audit": ("largest energy unaccounted for, over the largest of all terms", "1", ""),
    "barrier": ("lowest barrier out of a well of the effective potential", ENERGY, r"\Delta\epsilon"),
    "position_without_noise": ("position of the dot without noise", LENGTH, "x"),
    "shallow": ("part of all trajectories that end in the shallow well", "1", ""),
    "shallow_first": ("part of all trajectories in the shallow well when the first oscillations are over", "1", ""),
    "error_shallow": ("standard error of it", "1", ""),
    "quasi_static_charge": ("charge of an infinitely slow cycle", "e", "Q"),
    "correct": ("part of all cycles whose second pulse ends where it ends without noise", "1", ""),
    "left": ("part of all cycles whose dot changes its well in the second half of the first pulse", "1", ""),
    "cancelled": ("part of all cycles that transport less than half of the charge", "1", ""),
    "inverted": ("part of all cycles that transport charge the other way", "1", ""),
    "heat_current": ("heat current from L to R", f"{ENERGY}^2/hbar", "J"),
    "measured_temperature": ("temperature of an ensemble over the nominal one", "1", r"T/T_0"),
}
"""Long name, unit and symbol by name."""


def labelled(dataset: xr.Dataset, title: str, parameters: Mapping[str, Any] | object) -> xr.Dataset:
    """The dataset with attributes of every variable and its provenance.

    Parameters
    ----------
    parameters
        What is written into the attribute of this name.

    Errors: ``KeyError`` for a number without a description.
    """
    for name in map(str, (*dataset.data_vars, *dataset.coords)):
        if dataset[name].dtype.kind not in "OU":
            long_name, units, symbol = DESCRIBED[name]
            dataset[name].attrs = {"long_name": long_name, "units": units, "symbol": symbol}
    dataset.attrs |= {
        "title": title,
        "parameters": str(parameters),
        "source": f"mesotherm {__version__}",
        "convention": CONVENTION,
    }
    return dataset
