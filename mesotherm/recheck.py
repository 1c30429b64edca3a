"""The laws checked once more on the numbers of a result: what a file says now, not what its writer found."""

import dataclasses
import hashlib
from collections.abc import Iterator

import numpy as np
import xarray as xr

ROUNDING = 1e-14
"""Fraction of the summed magnitudes that summing them may lose."""


@dataclasses.dataclass(frozen=True)
class Finding:
    """One check: its sentence, the worst residual as a fraction of what the bounds allow, and whether it holds."""

    sentence: str
    violation: float
    holds: bool


def recheck(dataset: xr.Dataset) -> list[Finding]:
    """Every check that the variables in the file allow; states without numbers are left out."""
    return [
        finding
        for check in (_particles, _energy, _first_law, _second_law, _entropy, _text)
        for finding in check(dataset)
    ]


def _has(dataset: xr.Dataset, *names: str) -> bool:
    return all(name in dataset and f"error_{name}" in dataset for name in names)


def _compared(sentence: str, residual: xr.DataArray, allowed: xr.DataArray) -> Finding:
    """A residual against what is allowed, the worst of all states."""
    known = np.isfinite(residual) & np.isfinite(allowed)
    ratio = xr.where(residual == 0, 0.0, residual / allowed).where(known, 0.0)
    worst = float(ratio.max())
    return Finding(sentence, worst, worst <= 1)


def _particles(dataset: xr.Dataset) -> Iterator[Finding]:
    if not _has(dataset, "particle_current") or "terminal" not in dataset.particle_current.dims:
        return
    for names in np.atleast_1d(dataset.attrs.get("conductors", [])):
        members = str(names).split()
        current = dataset.particle_current.sel(terminal=members)
        bound = dataset.error_particle_current.sel(terminal=members).sum("terminal", skipna=False)
        allowed = bound + ROUNDING * abs(current).sum("terminal", skipna=False)
        residual = abs(current.sum("terminal", skipna=False))
        yield _compared(f"particle currents of {', '.join(members)} sum to zero", residual, allowed)


def _energy(dataset: xr.Dataset) -> Iterator[Finding]:
    if _has(dataset, "energy_current") and "terminal" in dataset.energy_current.dims:
        current, bound = dataset.energy_current, dataset.error_energy_current
        allowed = (bound + ROUNDING * abs(current)).sum("terminal", skipna=False)
        yield _compared("energy currents sum to zero", abs(current.sum("terminal", skipna=False)), allowed)


def _first_law(dataset: xr.Dataset) -> Iterator[Finding]:
    if not _has(dataset, "heat_current", "power") or dataset.heat_current.units != dataset.power.units:
        return
    heat, power = dataset.heat_current, dataset.power
    allowed = (dataset.error_heat_current + ROUNDING * abs(heat)).sum("terminal", skipna=False)
    allowed = allowed + dataset.error_power + ROUNDING * abs(power)
    yield _compared("heat taken in is the power produced", abs(heat.sum("terminal", skipna=False) - power), allowed)


def _second_law(dataset: xr.Dataset) -> Iterator[Finding]:
    if _has(dataset, "entropy_production"):
        produced, bound = dataset.entropy_production, dataset.error_entropy_production
        lacking = xr.where(produced < 0, -produced, 0.0 * produced)
        yield _compared("entropy production is not negative", lacking, bound)


def _entropy(dataset: xr.Dataset) -> Iterator[Finding]:
    if not _has(dataset, "entropy_production", "reservoir_entropy_change"):
        return
    change = dataset.reservoir_entropy_change
    allowed = (dataset.error_reservoir_entropy_change + ROUNDING * abs(change)).sum("terminal", skipna=False)
    allowed = allowed + dataset.error_entropy_production
    residual = abs(change.sum("terminal", skipna=False) - dataset.entropy_production)
    yield _compared("entropies of the reservoirs sum to the production", residual, allowed)


def _text(dataset: xr.Dataset) -> Iterator[Finding]:
    if "device_file" in dataset.attrs:
        digest = hashlib.sha256(str(dataset.attrs["device_file"]).encode()).hexdigest()
        same = digest == dataset.attrs.get("device_file_sha256")
        yield Finding("the device file inside is the one that was computed (checksum)", 0.0 if same else np.inf, same)
