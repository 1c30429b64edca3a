"""What the paper says about the star of Fig. 3(a): its place, and the transmission of panel e."""

from collections.abc import Iterator

import numpy as np
import xarray as xr
from jaxtyping import Float

from mesotherm.distributions import occupation
from mesotherm.papers.balduque2025.errata import FLAT_TRANSMISSION, WHICH_CURRENT_REVERSES
from mesotherm.papers.balduque2025.figure2_checks import WIDE_BAND
from mesotherm.papers.balduque2025.figure3 import CUT_A, STAR_BRACKET, STAR_POINTS
from mesotherm.papers.balduque2025.model import DELTA_T
from mesotherm.papers.balduque2025.screened import COHERENT, CONFINEMENT, HALF_WIDTH, diode, diode_tests
from mesotherm.papers.balduque2025.selections import bipolar, forward_and_backward, on_first_passage
from mesotherm.papers.reproduction import Check, Datasets

FLAT = 0.01
"""Most that a flat transmission changes per k_BT."""

SHARPER = 10.0
"""A sharp peak is at least so many times narrower than a wide one."""

SIMILAR = 2.0
"""Contributions of similar size differ at most by this factor."""

PHASE = 1.02
"""By how much the phase of the cavity is changed to see whether interference matters."""

SETTLED = 0.3
"""ΔT/T from which U₁ forward and U₃ backward grow: below, both dip by 0.04 k_BT."""


def star_checks(datasets: Datasets) -> Iterator[Check]:
    """Claims about the star."""
    star = {
        name.removeprefix("star_"): float(value)
        for name, value in datasets["fig3"].attrs.items()
        if name.startswith("star_")
    }
    yield from _place(datasets["fig3f"], star)
    yield from _transmission(datasets["fig3e"], star)
    yield from _mechanism(datasets["fig3e"], datasets["fig3f"])
    yield from _interference(star)


def _place(fig3f: xr.Dataset, star: dict[str, float]) -> Iterator[Check]:
    at = fig3f.sel(delta_temperature=DELTA_T, branch=0, terminal="L")
    forward, backward = (float(at.particle_current.sel(direction=name)) for name in ("forward", "backward"))
    yield Check(
        id="fig3a-star-currents-equal",
        claim="At the star I^F = I^B.",
        source="text on Fig. 3(e)",
        published=0.0,
        computed=forward - backward,
        tolerance=WIDE_BAND,
        note=f"At ε₁ − μ = {star['epsilon_1']:.9f}, ε₃ − μ = {CUT_A}, where both are {forward:.11f} (2/h) k_BT; J^F = "
        f"{star['heat_current_forward']:.10f}, J^B = {star['heat_current_backward']:.10f}. Followed from equilibrium "
        "in ΔT, which is another route than that to the place.",
    )
    apart = star["epsilon_3"] - star["epsilon_1"]
    yield Check(
        id="fig3a-star-levels",
        claim="At the star both levels are above μ and slightly detuned, ε₃ > ε₁ > μ.",
        source="text on Fig. 3(e)",
        published=True,
        computed=bool(star["epsilon_1"] > 0 and 0 < apart < 2 * HALF_WIDTH),
        note=f"ε₁ − μ = {star['epsilon_1']:.3f} k_BT and ε₃ − ε₁ = {apart:.3f} k_BT, less than the full width of a "
        "level, 2Γ.",
    )
    potentials = {name: at.potential.sel(direction=name).to_numpy() for name in ("forward", "backward")}
    yield Check(
        id="fig3-potentials-follow-temperatures",
        claim="The potentials depend on T_L and T_R, and with them the scattering matrix.",
        source="Screening effects, par. 2",
        published=True,
        computed=bool(
            np.min(np.abs([*potentials.values(), potentials["forward"] - potentials["backward"]])) > WIDE_BAND
        ),
        note="At the star (U₁, U₂, U₃)/k_BT = "
        + ", ".join(f"({', '.join(f'{u:.4f}' for u in U)}) {name}" for name, U in potentials.items())
        + "; at equilibrium they are zero.",
    )


# ---------------------------------------------------------------------------------------------------------------------
# Panel e.


def _curves(fig3e: xr.Dataset) -> dict[str, Float[np.ndarray, "energies"]]:
    return {str(name): fig3e.transmission.sel(configuration=name).to_numpy() for name in fig3e.configuration.to_numpy()}


def _peaks(energy, transmission) -> Float[np.ndarray, "peaks"]:
    """Energies of the local maxima."""
    inner = transmission[1:-1]
    return energy[1:-1][(inner > transmission[:-2]) & (inner >= transmission[2:])]


def _full_width(energy, transmission) -> float:
    """Between the outermost energies at which half the largest value is reached."""
    above = energy[transmission >= np.max(transmission) / 2]
    return float(above[-1] - above[0])


def contributions(energy, transmission, T_L: float, T_R: float) -> tuple[float, float]:
    """What the energies below and above μ contribute to I, in (2/h) k_BT, for a given transmission."""
    difference = np.asarray(occupation(energy / T_L)[0] - occupation(energy / T_R)[0])
    integrand = transmission * difference
    below, above = (float(np.trapezoid(integrand[part], energy[part])) for part in (energy <= 0, energy >= 0))
    return below, above


def _transmission(fig3e: xr.Dataset, star: dict[str, float]) -> Iterator[Check]:
    energy, curves = fig3e.energy.to_numpy(), _curves(fig3e)
    equilibrium = curves["equilibrium"]
    peaks = _peaks(energy, equilibrium)
    low, high = (np.where(part, equilibrium, 0.0) for part in (energy < 0, energy > 0))
    widths = _full_width(energy, low), _full_width(energy, high)
    yield Check(
        id="fig3e-two-features",
        claim="T(E) has a wide double peak above μ, near ε₁ and ε₃, and a sharp peak below μ.",
        source="text on Fig. 3(e)",
        published=True,
        computed=bool(np.sum(peaks > 0) == 2 and np.sum(peaks < 0) == 1 and widths[1] >= SHARPER * widths[0]),
        note=f"At equilibrium the peaks are at E − μ = {', '.join(f'{peak:.3f}' for peak in peaks)} k_BT; full widths "
        f"at half the maximum: {widths[0]:.2f} k_BT below μ, {widths[1]:.2f} above.",
    )
    levels = np.array([star["epsilon_1"], star["epsilon_3"]])
    passed = HALF_WIDTH**2 / ((energy[:, None] - levels) ** 2 + HALF_WIDTH**2)
    incoherent = np.prod(passed, axis=1) / (1 - np.prod(1 - passed, axis=1))
    yield Check(
        id="fig3e-fabry-perot",
        claim="Reflections between the barriers make Fabry–Perot interferences; the sharp peak is one.",
        source="Screening effects, pars. 2 and 4",
        published=True,
        computed=bool(np.all(_peaks(energy, incoherent) > 0) and np.any(peaks < 0)),
        note="Without phases, T = T₁T₃/(1 − R₁R₃), the same barriers have no peak below μ: "
        f"{np.interp(peaks[0], energy, incoherent):.4f} where the interfering waves reach "
        f"{float(np.max(low)):.4f}.",
    )
    below, above = contributions(energy, equilibrium, 1 + DELTA_T, 1.0)
    yield Check(
        id="fig3e-opposite-contributions",
        claim="The two features contribute to the thermoelectric current with opposite signs and similar sizes.",
        source="text on Fig. 3(e); Conclusions",
        published=True,
        computed=bool(below < 0 < above and 1 / SIMILAR < -above / below < SIMILAR),
        note=f"With T(E) of equilibrium energies below μ contribute {below:.5f} to I^F at ΔT = T, those above "
        f"{above:.5f}.",
    )

    slope = float(np.interp(0.0, energy, np.gradient(equilibrium, energy)))
    yield Check(
        id="fig3e-flat-at-mu",
        claim="T(E) is flat at E ≈ μ.",
        source="text on Fig. 3(e)",
        published=True,
        computed=bool(abs(slope) < FLAT),
        note=f"T(μ) = {np.interp(0.0, energy, equilibrium):.5f}, ∂T/∂E = {slope:.5f} per k_BT.",
    )
    thermal = 0.25 / np.cosh(energy / 2) ** 2
    linear = float(np.trapezoid(equilibrium * energy * thermal, energy))
    yield Check(
        id="fig3e-linear-term-suppressed",
        claim="The flat T(E ≈ μ) suppresses the linear term of the current.",
        source="text on Fig. 3(e)",
        published=True,
        computed=bool(abs(linear) * DELTA_T < abs(star["particle_current"])),
        erratum=FLAT_TRANSMISSION,
        note=f"L⁽¹⁾ = {linear:.6f} (2/h) k_B, {abs(linear) * DELTA_T / star['particle_current']:.1f} times |I| at ΔT = "
        f"T: the thermal window reaches the sharp peak. To first order the potentials play no part. The Mott formula "
        f"would give {np.pi**2 / 3 * slope:.4f}.",
    )


def _mechanism(fig3e: xr.Dataset, fig3f: xr.Dataset) -> Iterator[Check]:
    energy, curves = fig3e.energy.to_numpy(), _curves(fig3e)
    upper = {name: np.where(energy > 0, curve, 0.0) for name, curve in curves.items()}
    height = {name: float(np.max(curve)) for name, curve in upper.items()}
    width = {name: _full_width(energy, curve) for name, curve in upper.items()}
    delta = fig3f.delta_temperature.to_numpy()
    detuning = float(fig3f.attrs["epsilon_3"]) - float(fig3f.attrs["epsilon_1"])
    grown = (delta >= SETTLED) & (delta <= DELTA_T)
    for direction, hot, verb, closer in (("forward", "U1", "approach", -1), ("backward", "U3", "separate", 1)):
        U = {name: on_first_passage(fig3f, "potential", direction, coordinate=name) for name in ("U1", "U3")}
        own, apart = U[hot], detuning + U["U3"] - U["U1"]
        i = int(np.argmin(np.abs(delta - DELTA_T)))
        side = "L" if direction == "forward" else "R"
        yield Check(
            id=f"fig3e-{direction}-potential-grows",
            claim=f"{direction.capitalize()}, heating {side} raises {hot}.",
            source="text on Fig. 3(e)",
            published=True,
            computed=bool(own[i] > 0 and np.all(np.diff(own[grown]) > 0)),
            note=f"At the star {hot} = {own[i]:.4f} k_BT, and it grows from ΔT = {SETTLED:g} T to T; before, it dips "
            f"to {own.min():.3f} k_BT.",
        )
        yield Check(
            id=f"fig3e-{direction}-levels-{verb}",
            claim=f"{direction.capitalize()} the two resonances {verb}.",
            source="text on Fig. 3(e)",
            published=True,
            computed=bool(np.all(closer * np.diff(apart[delta <= DELTA_T]) > 0)),
            note=f"ε₃ + U₃ − ε₁ − U₁ goes steadily from {apart[0]:.4f} k_BT to {apart[i]:.4f} at ΔT = T.",
        )
        peak = "higher-and-sharper" if direction == "forward" else "lower-and-wider"
        changes = np.array([height[direction] - height["equilibrium"], width["equilibrium"] - width[direction]])
        yield Check(
            id=f"fig3e-{direction}-{peak}",
            claim=f"{direction.capitalize()} the double peak gets {peak.replace('-and-', ' and ')}.",
            source="text on Fig. 3(e)",
            published=True,
            computed=bool(np.all(closer * changes < 0)),
            note=f"From equilibrium: height {height['equilibrium']:.3f} to {height[direction]:.3f}, full width at half "
            f"of it {width['equilibrium']:.2f} to {width[direction]:.2f} k_BT.",
        )

    frozen = contributions(energy, curves["equilibrium"], 1.0, 1 + DELTA_T)
    moved = contributions(energy, curves["backward"], 1.0, 1 + DELTA_T)
    yield Check(
        id="fig3e-narrow-peak-wins",
        claim="Backward the double peak contributes less, so that the peak below μ prevails and I^B changes sign.",
        source="text on Fig. 3(e)",
        published=True,
        computed=bool(sum(frozen) < 0 < sum(moved) and abs(moved[1]) < abs(frozen[1]) and moved[0] > -moved[1]),
        note=f"Contributions of E < μ and E > μ to I^B at ΔT = T: {frozen[0]:.5f} and {frozen[1]:.5f} with T(E) of "
        f"equilibrium, {moved[0]:.5f} and {moved[1]:.5f} with its own: the sign changes because the potentials follow.",
    )
    signs = {
        name: np.sign(on_first_passage(fig3f, "particle_current", name, terminal="L")[1:])
        for name in ("forward", "backward")
    }
    turned = delta[1:][np.flatnonzero(np.diff(signs["forward"]) != 0) + 1]
    yield Check(
        id="fig3f-backward-current-reverses",
        claim="I^B changes its sign as ΔT grows.",
        source="text on Fig. 3(e)",
        published=True,
        computed=bool(np.any(np.diff(signs["backward"]) != 0)),
        erratum=WHICH_CURRENT_REVERSES,
        note=f"I^B > 0 at every ΔT up to {delta[-1]:g} T: the peak below μ prevails from the linear term on. I^F is "
        f"negative at small ΔT and changes its sign just below ΔT = {', '.join(f'{place:g}' for place in turned)} T.",
    )


def _interference(star: dict[str, float]) -> Iterator[Check]:
    levels, at = np.linspace(*STAR_BRACKET, STAR_POINTS), np.array([CUT_A])
    crossings = {}
    for phase in (1.0, PHASE):
        tests = diode_tests(diode(COHERENT, confinement=CONFINEMENT / phase**2), levels, at).isel(epsilon_3=0)
        difference = np.diff(forward_and_backward(tests, "particle_current"), axis=-1)[:, 0]
        crossings[phase] = int(np.sum(np.diff(np.sign(difference)) != 0)), float(np.mean(bipolar(tests)))
    yield Check(
        id="fig3-star-needs-interference",
        claim="The bipolar diode at the star is due to quantum interference as well as to screening.",
        source="text on Fig. 3(e); Conclusions",
        published=True,
        computed=crossings[1.0][0] == 1 and crossings[PHASE][0] == 0,
        note=f"For ε₁ − μ from {levels[0]:g} to {levels[-1]:g} on cut a I^F = I^B at one place; with the cavity's "
        f"phase √(E/E_c) {PHASE - 1:.0%} larger, all else equal, nowhere, and the current is bipolar in "
        f"{crossings[PHASE][1]:.0%} of this range instead of {crossings[1.0][1]:.0%}.",
    )
