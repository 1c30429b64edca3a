"""What the paper says about Fig. 3: its maps and cuts here, the star in ``star_checks`` and ``heating_checks``, the
theory in ``screening_checks``."""

from collections.abc import Iterator

import numpy as np
import xarray as xr

from mesotherm.papers.balduque2025.errata import CURRENT_SCALE
from mesotherm.papers.balduque2025.figure2_checks import (
    A_FEW_NANOAMPERES,
    BOLTZMANN,
    ELEMENTARY_CHARGE,
    PLANCK_SI,
    RESOLVED,
    WARMEST_MILLIKELVIN,
    WIDE_BAND,
)
from mesotherm.papers.balduque2025.figure3 import CUT_A
from mesotherm.papers.balduque2025.heating_checks import heating_checks
from mesotherm.papers.balduque2025.screened import COHERENT, diode, diode_tests
from mesotherm.papers.balduque2025.screening_checks import screening_checks
from mesotherm.papers.balduque2025.selections import (
    SATURATED,
    bipolar,
    forward_and_backward,
    largest,
    over_levels,
    zeros,
)
from mesotherm.papers.balduque2025.star_checks import star_checks
from mesotherm.papers.reproduction import Check, Datasets

NEAR_MU = 2.5
"""How close to μ a level is "close": less than the 3.5 k_BT over which a Fermi function falls."""

NEAR_EACH_OTHER = 1.0
"""How close to each other two levels are: their half width, in k_BT."""

OSCILLATIONS = 3
"""An oscillating current changes its sign at least as often."""

ABOUT_A_FIFTH, HALF_A_DIGIT = 0.2, 0.05
"""R_J ~ 0.2 as the paper writes it, and half a unit of its only digit."""

NEAR_RESONANCE = 3.0
"""|ε₁ − ε₃| that is near the resonance condition ε₁ ≈ ε₃, in k_BT."""

WIDE = 0.5
"""Strong rectification in "wide regions": along at least this part of the diagonal."""

SIDE, SHRINKINGS, SHRINKING = 16, 4, 5.0
"""Grids of 16 × 16 points, each a fifth as wide as the last, find the largest rectification."""


def checks(datasets: Datasets) -> Iterator[Check]:
    """Every claim that the datasets of Fig. 3 decide."""
    yield from _symmetry(datasets["fig3"], datasets["fig3a"])
    yield from _sign_changes(datasets["fig3"], datasets["fig3a"])
    yield from _heat(datasets["fig3"])
    yield from _size(datasets["fig3"])
    yield from star_checks(datasets)
    yield from heating_checks(datasets["fig3f"])
    yield from screening_checks(datasets["fig3e"])


def _symmetry(fig3: xr.Dataset, fig3a: xr.Dataset) -> Iterator[Check]:
    rectifications = {name: over_levels(fig3, f"rectification_{name}") for name in ("particle", "heat")}
    errors = {name: over_levels(fig3, f"error_rectification_{name}") for name in rectifications}
    diagonal = [np.diagonal(values)[np.diagonal(errors[name]) < RESOLVED] for name, values in rectifications.items()]
    yield Check(
        id="fig3-symmetric-no-rectification",
        claim="A device with left-right symmetry does not rectify, screened or not.",
        source="Abstract; text after Eq. 2",
        published=0.0,
        computed=max(largest(values) for values in diagonal),
        tolerance=WIDE_BAND,
        note="Largest |R_I| or |R_J| on the diagonal ε₁ = ε₃ of the map.",
    )
    off = ~np.eye(len(fig3.epsilon_1), dtype=bool)
    finite = [(np.abs(values) > errors[name])[off].mean() for name, values in rectifications.items()]
    yield Check(
        id="fig3-screening-rectifies",
        claim="Screening rectifies particle and heat currents once left-right symmetry is broken.",
        source="Abstract",
        published=True,
        computed=bool(min(finite) == 1.0),
        note=f"R_I and R_J are beyond their error bounds at {finite[0]:.2%} and {finite[1]:.2%} of the points of the "
        f"map with ε₁ ≠ ε₃; they reach {largest(rectifications['particle']):g} and "
        f"{largest(rectifications['heat']):.4f}.",
    )
    frozen = forward_and_backward(fig3a, "particle_current_equilibrium")
    yield Check(
        id="fig3a-equilibrium-transmission-reciprocal",
        claim="With the transmission of equilibrium imposed nothing rectifies: the green curve has I^F = −I^B.",
        source="caption of Fig. 3; text after Eq. 2",
        published=0.0,
        computed=largest(frozen.sum(axis=-1)),
        tolerance=WIDE_BAND,
        note=f"Largest |I^F + I^B| along cut a at the potentials of equilibrium; the current reaches "
        f"{largest(frozen):.4f}.",
    )


def _sign_changes(fig3: xr.Dataset, fig3a: xr.Dataset) -> Iterator[Check]:
    found = {direction: zeros(fig3a, direction) for direction in ("forward", "backward")}
    listed = "; ".join(f"{direction}: {', '.join(f'{z:.3f}' for z in at)}" for direction, at in found.items())
    yield Check(
        id="fig3a-oscillates",
        claim="The thermoelectric current oscillates as ε₁ is tuned.",
        source="text on Fig. 3(a)",
        published=True,
        computed=all(len(at) >= OSCILLATIONS for at in found.values()),
        note=f"Sign changes along ε₃ − μ = {CUT_A}, ε₁ − μ = {listed}.",
    )
    for name, place, near, crossing in (
        ("first-level-crosses-mu", 0.0, NEAR_MU, "ε₁ = μ"),
        ("levels-cross", CUT_A, NEAR_EACH_OTHER, "ε₁ = ε₃"),
    ):
        distance = {direction: float(np.min(np.abs(at - place), initial=np.inf)) for direction, at in found.items()}
        yield Check(
            id=f"fig3a-sign-change-{name}",
            claim=f"I changes sign close to {crossing}.",
            source="text on Fig. 3(a)",
            published=True,
            computed=bool(max(distance.values()) <= near),
            note=f"Along cut a the nearest sign change is {distance['forward']:.2f} k_BT away forward and "
            f"{distance['backward']:.2f} backward; close is taken as {near:g} k_BT.",
        )
    upward = fig3.sel(epsilon_1=CUT_A, method="nearest").rename(epsilon_3="epsilon_1", epsilon_1="epsilon_3")
    distance = {direction: float(np.min(np.abs(zeros(upward, direction)), initial=np.inf)) for direction in found}
    yield Check(
        id="fig3-sign-change-second-level-crosses-mu",
        claim="I changes sign close to ε₃ = μ.",
        source="text on Fig. 3(a)",
        published=True,
        computed=bool(max(distance.values()) <= NEAR_MU),
        note=f"Along ε₁ − μ = {CUT_A} of the map, {distance['forward']:.2f} k_BT away forward and "
        f"{distance['backward']:.2f} backward: the mirror image of cut a, with I^F and I^B exchanged.",
    )
    apart = [float(np.min(np.abs(found["backward"] - at))) for at in found["forward"]]
    yield Check(
        id="fig3a-sign-changes-apart",
        claim="Forward and backward the sign changes are at different levels.",
        source="text on Fig. 3(c)",
        published=True,
        computed=bool(apart and min(apart) > WIDE_BAND),
        note=f"Along cut a each zero of I^F is at least {min(apart, default=np.nan):.3f} k_BT from any of I^B.",
    )
    saturated, same = np.abs(over_levels(fig3, "rectification_particle")) > SATURATED, bipolar(fig3)
    yield Check(
        id="fig3c-bipolar-regions",
        claim="There are regions with |R_I| = 1, where the current has one sign in both directions.",
        source="text on Fig. 3(c); Abstract; Conclusions",
        published=True,
        computed=bool(np.any(same) and np.array_equal(saturated, same)),
        note=f"|R_I| = 1 at {np.mean(saturated):.1%} of the map, and exactly there both currents have one sign. On cut "
        f"a {np.mean(bipolar(fig3a)):.1%}, in windows between a zero of I^F and one of I^B.",
    )


def _heat(fig3: xr.Dataset) -> Iterator[Check]:
    heat, error = forward_and_backward(fig3, "heat_current"), forward_and_backward(fig3, "error_heat_current")
    yield Check(
        id="fig3b-heat-keeps-its-sign",
        claim="The heat currents do not change sign.",
        source="text on Fig. 3(b)",
        published=True,
        computed=bool(np.all(heat[..., 0] > error[..., 0]) and np.all(heat[..., 1] < -error[..., 1])),
        note=f"J^F > 0 > J^B on the whole map; the smallest |J| is {float(np.min(np.abs(heat))):.4f}.",
    )
    rectification, levels = over_levels(fig3, "rectification_heat"), fig3.epsilon_1.to_numpy()
    on_grid = np.unravel_index(np.argmax(np.abs(rectification)), rectification.shape)
    place = np.sort(levels[list(on_grid)])
    value, refined = largest_heat_rectification(place, width=2 * float(levels[1] - levels[0]))
    yield Check(
        id="fig3d-largest-heat-rectification",
        claim="R_J reaches about 0.2.",
        source="text on Fig. 3(d)",
        published=ABOUT_A_FIFTH,
        computed=largest(rectification),
        tolerance=HALF_A_DIGIT,
        note=f"Largest |R_J| of the map, at (ε₁, ε₃) − μ = ({place[0]:.1f}, {place[1]:.1f}) and its mirror image; "
        f"between its points {value:.6f} at ({refined[0]:.3f}, {refined[1]:.3f}). Tolerance: half a unit of the only "
        "digit.",
    )
    distance = np.abs(levels[:, None] - levels)
    strong = np.abs(rectification) >= ABOUT_A_FIFTH - HALF_A_DIGIT
    along = np.any(strong & (distance <= NEAR_RESONANCE), axis=0).mean()
    near, far = (float(np.mean(strong[where])) for where in (distance <= NEAR_RESONANCE, distance > NEAR_RESONANCE))
    yield Check(
        id="fig3d-strong-near-resonance",
        claim="Wide regions near ε₁ ≈ ε₃ have R_J ~ 0.2.",
        source="text on Fig. 3(d)",
        published=True,
        computed=bool(along >= WIDE and near > far),
        note=f"Within {NEAR_RESONANCE:g} k_BT of the diagonal |R_J| rounds to 0.2 or more at {near:.0%} of the points "
        f"(at {far:.0%} of the others), and somewhere beside {along:.0%} of the diagonal's points. On the diagonal "
        "itself R_J = 0.",
    )


def largest_heat_rectification(place: np.ndarray, width: float) -> tuple[float, np.ndarray]:
    """The largest |R_J| near a pair of levels, and where it is: on grids that shrink around it."""
    setup, value = diode(COHERENT), np.nan
    for _ in range(SHRINKINGS):
        axes = [centre + width * np.linspace(-1.0, 1.0, SIDE) for centre in place]
        rectification = np.abs(over_levels(diode_tests(setup, *axes), "rectification_heat"))
        best = np.unravel_index(np.argmax(rectification), rectification.shape)
        value, place = float(rectification[best]), np.array([axis[i] for axis, i in zip(axes, best, strict=True)])
        width /= SHRINKING
    return value, place


def _size(fig3: xr.Dataset) -> Iterator[Check]:
    scale = 1e9 * 2 * ELEMENTARY_CHARGE * BOLTZMANN / PLANCK_SI
    current = forward_and_backward(fig3, "particle_current")
    best, star = largest(current), abs(fig3.attrs["star_particle_current"])
    i, j, _ = np.unravel_index(np.argmax(np.abs(current)), current.shape)
    levels = fig3.epsilon_1.to_numpy()
    yield Check(
        id="fig3-current-scale",
        claim="At millikelvin temperatures a few nA flow.",
        source="Conclusions",
        published=True,
        computed=bool(scale * best * WARMEST_MILLIKELVIN / 1000 >= A_FEW_NANOAMPERES),
        erratum=CURRENT_SCALE,
        note=f"The largest current of the map, {best:.4f} (2/h) k_BT at (ε₁, ε₃) − μ = ({levels[i]:.1f}, "
        f"{levels[j]:.1f}), is {scale * best:.2f} nA per kelvin; the star's is {scale * star:.3f} nA per kelvin.",
    )
