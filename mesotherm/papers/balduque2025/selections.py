"""Parts of the datasets that several claims are about."""

import numpy as np
import xarray as xr
from jaxtyping import Bool, Float

SATURATED = 1 - 1e-12
"""|R_I| from which both currents have one sign."""


def forward_and_backward(dataset: xr.Dataset, name: str) -> Float[np.ndarray, "... directions"]:
    """A current of terminal L, or the probe's μ or T: levels first, ε₁ before ε₃, forward and backward last."""
    variable = dataset[name].sel(terminal="L") if "terminal" in dataset[name].dims else dataset[name]
    levels = [dim for dim in ("epsilon_1", "epsilon_3") if dim in variable.dims]
    return variable.sel(direction=["forward", "backward"]).transpose(*levels, ..., "direction").to_numpy()


def over_levels(dataset: xr.Dataset, name: str) -> Float[np.ndarray, "levels_1 levels_3"]:
    """A rectification over both levels."""
    return dataset[name].transpose("epsilon_1", "epsilon_3").to_numpy()


def bipolar(dataset: xr.Dataset) -> Bool[np.ndarray, "..."]:
    """Where the particle current has one sign in both directions, beyond its error bounds."""
    current, error = (forward_and_backward(dataset, f"{prefix}particle_current") for prefix in ("", "error_"))
    return np.all(current > error, axis=-1) | np.all(current < -error, axis=-1)


def zeros(cut: xr.Dataset, direction: str, name: str = "particle_current") -> Float[np.ndarray, "zeros"]:
    """Where along a cut a current of terminal L changes sign, by linear interpolation."""
    current = cut[name].sel(terminal="L", direction=direction).to_numpy()
    levels = cut.epsilon_1.to_numpy()
    at = np.flatnonzero(current[:-1] * current[1:] < 0)
    return levels[at] - current[at] * (levels[at + 1] - levels[at]) / (current[at + 1] - current[at])


def largest(values) -> float:
    """Largest absolute value, undefined ones left out."""
    return float(np.nanmax(np.abs(values)))


def on_first_passage(fig3f: xr.Dataset, name: str, direction: str, **chosen) -> Float[np.ndarray, "differences"]:
    """What belongs to the solution that the curve from equilibrium meets first."""
    return fig3f[name].sel(direction=direction, branch=0, **chosen).to_numpy()
