"""What the paper says about larger temperature differences at the star: panels f and g of Fig. 3."""

from collections.abc import Iterator

import numpy as np
import xarray as xr

from mesotherm.papers.balduque2025.model import DELTA_T
from mesotherm.papers.balduque2025.selections import on_first_passage
from mesotherm.papers.reproduction import Check

FURTHER = 3.0
"""Up to where the bipolar effect is to persist "for higher ΔT", in T."""

CURVE_ORDER = 6
"""Degree of the polynomial through the points around an extremum."""


def _minimum(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Place and value of the least y between points of a curve; not a number where y is least at an end."""
    i, reach = int(np.argmin(y)), CURVE_ORDER // 2
    if not reach <= i < len(x) - reach:
        return np.nan, np.nan
    around = slice(i - reach, i + reach + 1)
    curve = np.polynomial.Polynomial.fit(x[around], y[around], CURVE_ORDER)
    roots = curve.deriv().roots()
    place = min(roots[np.isreal(roots)].real, key=lambda root: abs(root - x[i]))
    return float(place), float(curve(place))


def heating_checks(fig3f: xr.Dataset) -> Iterator[Check]:
    """Claims about larger ΔT."""
    delta = fig3f.delta_temperature.to_numpy()
    current = fig3f.particle_current.sel(terminal="L").transpose("delta_temperature", "branch", "direction").to_numpy()
    forward, backward = current[..., 0], current[..., 1]
    solved = (fig3f.status <= 0).all() and np.all(np.isfinite(current[:, 0]))
    yield Check(
        id="screening-far-from-equilibrium",
        claim="The deviation from equilibrium need not be weak.",
        source="text after Eq. 7",
        published=True,
        computed=bool(solved and not fig3f.attrs["broke_off"]),
        note=f"At the star every ΔT up to {delta[-1]:g} T has a certified solution in both directions, reached from "
        "equilibrium without a break; no expansion in ΔT.",
    )
    everywhere = np.nanmin(forward, axis=1) * backward[:, 0] > 0
    window = delta[(delta > 0) & everywhere]
    yield Check(
        id="fig3f-bipolar-persists",
        claim="The bipolar effect persists at higher ΔT.",
        source="text on Fig. 3(f)",
        published=True,
        computed=bool(np.all(everywhere[(delta >= DELTA_T) & (delta <= FURTHER)])),
        note=f"I^F and I^B are both positive from ΔT = {window.min():g} T to {window.max():g} T, in every solution "
        "that there is; beyond and below they are opposite.",
    )

    heat = on_first_passage(fig3f, "heat_current", "backward", terminal="L")
    place, extremum = _minimum(delta, heat)
    falling = np.all(np.diff(np.abs(heat[delta > place])) < 0)
    yield Check(
        id="fig3g-negative-differential-conductance",
        claim="In one direction the differential thermal conductance vanishes and becomes negative at large ΔT.",
        source="text on Fig. 3(g)",
        published=True,
        computed=bool(falling and np.isfinite(place)),
        note=f"Backward |J| is largest, {-extremum:.9f} (2/h)(k_BT)², at ΔT = {place:.6f} T, and falls from "
        f"there to {abs(heat[-1]):.4f} at {delta[-1]:g} T. Forward J grows up to ΔT ≈ 2.95 T and falls behind the "
        "fold.",
    )
    keeps = fig3f.heat_current.sel(terminal="L").isel(delta_temperature=slice(1, None))
    signs = {"forward": 1, "backward": -1}
    yield Check(
        id="fig3g-heat-keeps-its-sign",
        claim="Heat flows from hot to cold at any ΔT.",
        source="text on Fig. 2(b)",
        published=True,
        computed=all(
            bool(((sign * keeps.sel(direction=name) > 0) | keeps.sel(direction=name).isnull()).all())
            for name, sign in signs.items()
        ),
        note="Every solution, stable or not, up to the largest ΔT.",
    )

    several = np.flatnonzero(np.isfinite(forward).sum(axis=1) > 1)
    eigenvalue = fig3f.largest_eigenvalue.sel(direction="forward").transpose("delta_temperature", "branch").to_numpy()
    s_shaped = len(several) > 0 and np.all(np.isfinite(forward[several])) and np.all(np.diff(several) == 1)
    stability = bool(np.all(np.sign(eigenvalue[several]) == [-1, 1, -1]))
    yield Check(
        id="beyond-fig3f-three-solutions",
        claim="Beyond the paper: heated forward, the star has three solutions in a window of ΔT, the middle one "
        "unstable.",
        source="Fig. 3(f), (g), on which the paper draws one current and says nothing of others",
        published=True,
        computed=bool(s_shaped and stability),
        note=f"Three for {delta[several[0]]:g} ≤ ΔT/T ≤ {delta[several[-1]]:g}, one at {delta[several[0] - 1]:g} and "
        f"{delta[several[-1] + 1]:g} (steps of {delta[1]:g}); largest eigenvalues of ∂N/∂U between "
        f"{np.min(eigenvalue[several]):.4f} and {np.max(eigenvalue[several]):.4f} per k_BT. A device that is heated "
        f"slowly jumps from I^F = {forward[several[-1], 0]:.3f} to {forward[several[-1], 2]:.3f} or less, and back at "
        "a lower ΔT.",
    )
