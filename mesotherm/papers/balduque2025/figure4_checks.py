"""What the paper says about Fig. 4: screening and full thermalization together."""

from collections.abc import Iterator

import numpy as np
import xarray as xr

from mesotherm.papers.balduque2025.figure3 import CUT_A, STAR_BRACKET
from mesotherm.papers.balduque2025.screened import COHERENT, diode, diode_tests
from mesotherm.papers.balduque2025.screening_checks import fully_thermalized
from mesotherm.papers.balduque2025.selections import SATURATED, bipolar, forward_and_backward, over_levels, zeros
from mesotherm.papers.reproduction import Check, Datasets

SIDE = 16
"""The coherent diode, for comparison, is computed at 16 × 16 pairs of levels, which compiles nothing anew."""

STRONGLY = 0.1
"""Strongly suppressed: at most this part is left."""

NEAR_ANTISYMMETRIC = 1.0
"""How close to ε₁ − μ = μ − ε₃ the bipolar effect is: a half width, in k_BT."""

MOSTLY = 0.9
"""Part of the antisymmetric line that is bipolar at least: its current changes sign far from μ."""


def checks(datasets: Datasets) -> Iterator[Check]:
    """Every claim that the datasets of Fig. 4 decide."""
    yield from fully_thermalized(*STAR_BRACKET)
    yield from _compared_with_interference(datasets["fig4"])
    yield from _bipolar(datasets["fig4"], datasets["fig4a"])


def _compared_with_interference(fig4: xr.Dataset) -> Iterator[Check]:
    levels = fig4.epsilon_1.to_numpy()
    some = levels[np.linspace(0, len(levels) - 1, SIDE).round().astype(int)]
    here = fig4.sel(epsilon_1=some, epsilon_3=some)
    coherent = diode_tests(diode(COHERENT), some, some)
    current, coherent_current = (forward_and_backward(dataset, "particle_current") for dataset in (here, coherent))
    unscreened = forward_and_backward(here, "particle_current_equilibrium")
    size, from_thermalized, from_coherent = (
        _rms(values) for values in (current, current - unscreened, current - coherent_current)
    )
    yield Check(
        id="fig4-dominated-by-thermalization",
        claim="With λ = 1 the currents are dominated by thermalization.",
        source="Mixed regime",
        published=True,
        computed=bool(from_thermalized < from_coherent),
        note=f"Root mean squares over {SIDE} × {SIDE} points of the map: the currents differ from those of the "
        f"thermalized diode without screening by {from_thermalized / size:.0%} of their size, from those of the "
        f"screened diode without probe by {from_coherent / size:.0%}.",
    )
    away = np.sign(some[:, None]) * np.sign(some) > 0
    saturated, coherent_saturated = (
        float(np.mean(np.abs(over_levels(dataset, "rectification_particle"))[away] > SATURATED))
        for dataset in (here, coherent)
    )
    whole = np.sign(levels[:, None]) * np.sign(levels) > 0
    everywhere = float(np.mean(np.abs(over_levels(fig4, "rectification_particle"))[whole] > SATURATED))
    yield Check(
        id="fig4-off-diagonal-suppressed",
        claim="The features of R_I off the antisymmetric line, due to interference, are strongly suppressed.",
        source="Mixed regime",
        published=True,
        computed=bool(coherent_saturated > 0 and saturated <= STRONGLY * coherent_saturated),
        note=f"With both levels on one side of μ |R_I| = 1 at {saturated:.1%} of {int(np.sum(away))} points (of the "
        f"map: {everywhere:.2%}), without the probe at {coherent_saturated:.1%}.",
    )


def _bipolar(fig4: xr.Dataset, fig4a: xr.Dataset) -> Iterator[Check]:
    levels, same = fig4.epsilon_1.to_numpy(), bipolar(fig4)
    distance = np.abs(levels[:, None] + levels)
    found = np.argwhere(same)
    farthest = float(np.max(distance[same], initial=0.0))
    forward, backward = (zeros(fig4a, direction) for direction in ("forward", "backward"))
    line = np.diagonal(np.fliplr(same))[np.abs(levels) > 0]
    yield Check(
        id="fig4-bipolar-near-antisymmetric",
        claim="A bipolar effect remains near ε₁ − μ = μ − ε₃.",
        source="Mixed regime",
        published=True,
        computed=bool(len(found) and farthest <= NEAR_ANTISYMMETRIC and np.mean(line) >= MOSTLY),
        note=f"Both currents have one sign at {np.mean(same):.1%} of the map, at {np.mean(line):.0%} of the "
        f"antisymmetric line but at ε₁ = ε₃ = μ, and nowhere with |ε₁ + ε₃ − 2μ| > {farthest:.2f} k_BT. On cut a, "
        f"whose antisymmetric point is at {-CUT_A:g}, I^F = 0 at {', '.join(f'{z:.3f}' for z in forward)} and I^B = 0 "
        f"at {', '.join(f'{z:.3f}' for z in backward)}.",
    )


def _rms(values) -> float:
    return float(np.sqrt(np.mean(np.square(values))))
