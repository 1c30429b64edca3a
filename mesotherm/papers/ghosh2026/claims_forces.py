"""Claims about forces and fluxes, and about the maps of Fig. 3."""

import itertools
from collections.abc import Iterator

import numpy as np
import xarray as xr

from mesotherm.device import Reservoirs
from mesotherm.force_flux import force_flux_pairs, representations
from mesotherm.inverse_currents import TransportKind
from mesotherm.observables import entropy_production
from mesotherm.papers.ghosh2026.model import (
    ATTRACTION,
    PARAMETERS,
    coupled_dots,
    single_dot,
)
from mesotherm.papers.ghosh2026.reading import (
    GENUINE,
    ROUNDING,
    among,
    quadrant,
)
from mesotherm.papers.reproduction import Check, Datasets
from mesotherm.steady_state import steady_state


def check_3(datasets: Datasets) -> Iterator[Check]:
    """Everything said about Fig. 3, of the single dot (Sec. VII) and of coupled dots."""
    single, coupled = datasets["fig3a"], datasets["fig3b"]
    carried = np.abs(single.flux_energy - PARAMETERS["level of b"] * single.flux_particle)
    yield Check(
        "fig3-single-dot-proportional",
        "J_E = ε J_N in the single dot.",
        "Eq. 15 and after it",
        0.0,
        float((carried / np.abs(single.flux_energy).max()).max()),
        ROUNDING,
        note=f"Largest difference over the {single.regime.size} points of the map, over the largest J_E.",
    )
    parallel = [quadrant(single, sign, sign).regime for sign in (1, -1)]
    yield Check(
        "fig3-single-dot-parallel",
        "With parallel forces both currents of the single dot flow along them: no inverse current.",
        "Sec. VII.4",
        True,
        all(bool(np.all(among(part, TransportKind.ALONG_FORCES))) for part in parallel),
        note=f"ε = {PARAMETERS['level of b']:g} above the zero of energy; first and third quadrant.",
    )
    for sign, name in ((1, "fourth"), (-1, "second")):
        part = quadrant(single, sign, -sign).regime
        met = [bool(np.any(among(part, kind))) for kind in (TransportKind.ENGINE, TransportKind.REFRIGERATOR)]
        nothing_else = bool(
            np.all(among(part, TransportKind.ENGINE, TransportKind.REFRIGERATOR, TransportKind.UNDECIDED))
        )
        yield Check(
            f"fig3-single-dot-{name}-quadrant",
            f"In the {name} quadrant the single dot is an engine or a refrigerator.",
            "Sec. VII.4",
            True,
            all(met) and nothing_else,
            note="Both are met and nothing else: with J_E = εJ_N one of the currents opposes its own force.",
        )
    line = -PARAMETERS["level of b"] * single.force_energy
    yield Check(
        "fig3-single-dot-stall",
        "Engine and refrigerator meet where both currents vanish.",
        "Fig. 3",
        0.0,
        float(np.nanmax(np.abs(single.boundary_particle - line))),
        1e-10,
        note="Found by root solving, against F_N = −εF_E, where Σ̇ = 0 (tight coupling).",
    )
    for name, dataset in (("single-dot", single), ("coupled-dots", coupled)):
        lowest = float((dataset.entropy_production + dataset.error_entropy_production).min())
        yield Check(
            f"fig3-{name}-second-law",
            "Entropy production is not negative anywhere.",
            "Eq. 1",
            True,
            lowest >= 0,
            note=f"Smallest Σ̇ plus its bound: {lowest:.3e}.",
        )
    found = {kind: bool(np.any(among(coupled.regime, kind))) for kind in GENUINE}
    yield Check(
        "fig3-coupled-dots-inverse",
        "With −κ > ε_b both currents can be inverse under parallel forces.",
        "Sec. X, after Eq. 51",
        True,
        all(found.values()),
        note=f"κ = {ATTRACTION:g}: " + ", ".join(f"{kind.label} {met}" for kind, met in found.items()) + ".",
    )
    parallel = [quadrant(coupled, sign, sign) for sign in (1, -1)]
    both = [np.any((p.flux_energy * p.force_energy < 0) & (p.flux_particle * p.force_particle < 0)) for p in parallel]
    yield Check(
        "fig3-never-both-inverse",
        "At most one of the currents opposes parallel forces.",
        "Sec. VII.4",
        True,
        not any(bool(one) for one in both),
        note="No point of the first and third quadrants has both against them.",
    )
    inverse = quadrant(coupled, 1, 1)
    against = (inverse.flux_particle < 0).any("force_particle")
    yield Check(
        "sec7-precursor",
        "A current inverse to both forces is also inverse when its own force is absent.",
        "Secs. VII.4 and VIII",
        True,
        bool((inverse.flux_particle.isel(force_particle=0) < 0)[against].all()),
        note=f"{int(against.sum())} forces on energy have an inverse particle current; all also at the smallest "
        "force on particles of the map.",
    )
    misplaced = _misplaced(coupled)
    yield Check(
        "fig3-boundaries",
        "Regimes change where a current vanishes.",
        "Fig. 3",
        0.0,
        float(misplaced),
        0.5,
        note="Points of the 400×400 map on the other side of the boundaries found by root solving.",
    )


def _misplaced(dataset) -> int:
    """Points whose current has the wrong sign for their side of the solved boundary."""
    wrong = 0
    for flux in ("particle", "energy"):
        edge = dataset[f"boundary_{flux}"]
        above = dataset.force_particle > edge
        values = dataset[f"flux_{flux}"]
        rising = np.sign(values.isel(force_particle=-1))
        expected = xr.where(above, rising, -rising)
        wrong += int(((np.sign(values) != expected) & np.isfinite(edge)).sum())
    return wrong


def check_forces() -> Iterator[Check]:
    """Claims of Secs. VI and IX that belong to no figure."""
    yield from _representations()
    yield from _forces_and_gradients()


def _random_states(count: int = 12):
    rng = np.random.default_rng(1)
    for _ in range(count):
        mu, T = rng.uniform(-1, 1, 3), rng.uniform(0.5, 2.0, 3)
        yield steady_state(coupled_dots(-2.5).device, Reservoirs(mu, T))


def _representations():
    single = steady_state(single_dot().device, Reservoirs([0.7, 0.1], [1.4, 0.8]))
    cases = (
        ("eq29-four-representations", "Eq. 29", 4, [single]),
        ("eq44-six-representations", "Eqs. 41–48", 6, list(_random_states())),
    )
    for name, source, number, states in cases:
        chosen = representations(states[0].device)
        missing = max(
            abs(float(force_flux_pairs(state, one).entropy_production) / entropy_production(state) - 1)
            for state, one in itertools.product(states, chosen)
        )
        yield Check(
            name,
            "Entropy production has that many equivalent representations.",
            source,
            float(number) if missing < 1e-10 else -1.0,
            float(len(chosen)),
            0.0,
            note=f"Σ flux·force equals Σ̇ in each, to {missing:.0e}.",
        )


def _forces_and_gradients():
    rng = np.random.default_rng(2)
    agree = True
    for _ in range(1000):
        mu_r, T_r, dmu, dT = rng.uniform(0.0, 3.0), 1.0, rng.uniform(-1, 1), rng.uniform(-0.5, 0.5)
        force = (mu_r + dmu) / (T_r + dT) - mu_r / T_r
        opposed = force * dmu < 0
        agree &= not opposed or mu_r / T_r * abs(dT) > abs(dmu)
    yield Check(
        "eq30-force-against-gradient",
        "The force on particles opposes the gradient only if (μ_r/T_r)|ΔT| > |Δμ|.",
        "Sec. VI",
        True,
        agree,
        note="1000 random pairs of leads.",
    )
