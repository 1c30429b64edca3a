"""Claims about Figs. 4 and 5."""

import dataclasses
from collections.abc import Iterator

import numpy as np

from mesotherm.axes import Axis
from mesotherm.experiments import BiasReversal
from mesotherm.mean_motion import move
from mesotherm.mechanics import EquilibriumPosition
from mesotherm.papers.mehring2024.claims_forces import OWN
from mesotherm.papers.mehring2024.model import FIG_4, FIG_5, STIFFNESS
from mesotherm.papers.mehring2024.rectification import CYCLE_AMPLITUDE, REACH
from mesotherm.papers.mehring2024.tables import table_of
from mesotherm.papers.reproduction import Check, Datasets
from mesotherm.protocols import Triangle
from mesotherm.sweep import sweep

TAUS = (5e5, 1e6)
"""Lengths of two cycles."""


def displaced_rectification(shift: float) -> tuple[float, float]:
    """R_I at eV = 0.05 of Fig. 4 with λ = 0 and a natural position, and of the device with λ ≠ 0 that has the same
    couplings there."""
    still = FIG_4.but(asymmetry=0.0)
    spring = EquilibriumPosition(("x",), stiffness=STIFFNESS, mu=still.mu, T=still.T, rest_position=shift)
    displaced = dataclasses.replace(still.setup("linear"), unknowns=(spring,))
    ratio = still.decay * shift
    equivalent = still.but(asymmetry=float(-np.tanh(ratio)), coupling=float(still.coupling * np.cosh(ratio)))
    found = [
        float(sweep(BiasReversal(), setup, [Axis("experiment.bias", [0.05], "bias")]).odd_rectification_particle[0])
        for setup in (displaced, equivalent.setup("linear"))
    ]
    return found[0], found[1]


def check_4(datasets: Datasets) -> Iterator[Check]:
    """Everything said about Fig. 4."""
    plane, full, at_one, cycle = (datasets[name] for name in ("fig4", "fig4_full", "fig4a", "fig4c"))
    R, linear = plane.odd_rectification_particle, at_one.sel(response="linear")
    yield Check(
        "fig4-largest-rectification",
        "R_I at λ = 0.5 has a maximum of about 0.7.",
        "Sec. III B, Fig. 4(a)",
        0.7,
        float(at_one.largest),
        0.05,
        note=f"{float(at_one.largest):.10f}.",
    )
    yield Check(
        "fig4-where",
        "... at eV ≈ 0.05 γ₀.",
        "Sec. III B, Fig. 4(a)",
        0.05,
        float(at_one.largest_bias),
        0.01,
        note=f"{float(at_one.largest_bias):.7f}: the maximum is flat.",
    )
    yield Check(
        "fig4-largest-value",
        "Largest R_I at λ = 0.5.",
        f"Fig. 4(a), {OWN}",
        0.7262762010,
        float(at_one.largest),
        1e-9,
        note="By ever finer grids.",
    )
    yield Check(
        "fig4-largest-at", "Where it is.", f"Fig. 4(a), {OWN}", 0.0560623, float(at_one.largest_bias), 1e-6,
        note="eV/γ₀.",
    )  # fmt: skip
    yield Check(
        "fig4-at-0.05",
        "R_I at λ = 0.5, eV = 0.05.",
        f"Fig. 4(a), {OWN}",
        0.7242771977,
        float(R.sel(asymmetry=0.5, bias=0.05)),
        1e-9,
        note="A point of the map.",
    )
    x = linear.position.to_numpy()
    yield Check(
        "fig4-position-not-odd",
        "x_st is not odd in the bias, and moves further for V > 0.",
        "Sec. III B, Fig. 4(a)",
        True,
        bool(np.all(x[len(x) // 2 :] > -x[: len(x) // 2][::-1])),
        note="At every bias of the curve, λ = 0.5.",
    )
    passing = linear.transmission.to_numpy()
    forth, back = passing[len(x) // 2 :], passing[: len(x) // 2][::-1]
    yield Check(
        "fig4-transmission",
        "The transmission is not even in the bias, and larger for V > 0.",
        "Sec. III B, Fig. 4(a)",
        True,
        bool(np.all(forth > back)),
        note=f"Up to {np.max(forth / back):.2f} times that at −V.",
    )
    curve = linear.odd_rectification_particle.to_numpy()[len(x) // 2 :]
    yield Check(
        "eq19",
        "In linear response R_I is that of the transmissions.",
        "Eqs. 18 and 19",
        0.0,
        float(np.max(np.abs(curve - (forth - back) / (forth + back)))),
        1e-12,
        note="Currents at V and −V beside 𝒯(V) and 𝒯(−V), every bias of the curve.",
    )
    bias = linear.bias.to_numpy()[len(x) // 2 :]
    low = bias <= 0.0125
    yield Check(
        "fig4-linear-at-small-bias",
        "R_I varies almost linearly at small bias.",
        "Sec. III B",
        0.0,
        float(np.max(np.abs(curve[low] / bias[low] / (curve[0] / bias[0]) - 1))),
        0.1,
        note="Deviation of R_I/V from its first value up to eV = 0.0125 γ₀.",
    )
    yield Check(
        "fig4-almost-perfect",
        "There are regions with |R_I| ≈ 1.",
        "Sec. III B, Fig. 4(b)",
        1.0,
        float(np.abs(R).max()),
        0.05,
        note=f"The largest |R_I| of the map; by Eq. 9 {float(np.abs(full.odd_rectification_particle).max()):.4f}.",
    )
    yield Check(
        "fig4-range",
        "R_I lies between −1 and 1.",
        "Sec. III B",
        True,
        float(np.abs(R).max()) <= 1,
        note="Whole map.",
    )
    yield Check(
        "fig4-none-without-asymmetry",
        "R_I = 0 for λ = 0.",
        "Sec. III B",
        0.0,
        float(np.abs(R.sel(asymmetry=0.0)).max()),
        1e-12,
        note="The largest of the row; no bias is a status of its own.",
    )
    yield Check(
        "fig4-odd-in-asymmetry",
        "Mirrored devices rectify the other way.",
        "Fig. 4(b)",
        0.0,
        float(np.nanmax(np.abs(R.to_numpy() + R.to_numpy()[::-1]))),
        1e-10,
        note="R_I(−λ) + R_I(λ), whole map.",
    )
    shift = 0.2
    displaced, equivalent = displaced_rectification(shift)
    yield Check(
        "fig4-displaced-rest",
        "A natural position nearer to one lead rectifies as an asymmetry of the couplings does.",
        "Sec. III B",
        0.0,
        displaced - equivalent,
        1e-9,
        note=f"λ = 0, x₀ = {shift:g} a, eV = 0.05: R_I = {displaced:.6f}, that of λ = −tanh(bx₀/a₀) and "
        "γ cosh(bx₀/a₀).",
    )
    charges = cycle.quasi_static_charge.sel(response="linear", asymmetry=0.5)
    for protocol, published in (("sine", 1972.76631), ("triangle", 1763.13424)):
        yield Check(
            f"fig4-charge-{protocol}",
            f"Charge of an infinitely slow cycle of 10⁶ ħ/γ₀, {protocol}.",
            f"Fig. 4(c), {OWN}",
            published,
            float(charges.sel(protocol=protocol)),
            1e-4,
            note="The inset does not say which V(t) it is.",
        )
    end = cycle.charge.isel(time=-1).sel(response="linear")
    lag = float(np.max(np.abs(end.sel(asymmetry=0.5) / charges - 1)))
    yield Check(
        "fig4-adiabatic",
        "For a long cycle the velocity of the dot can be neglected.",
        "Eq. 21",
        0.0,
        lag,
        1e-5,
        note="Charge in motion over that at rest, less one.",
    )
    table = table_of(FIG_4, "linear", REACH)
    passed = [move(FIG_4.mode, table, Triangle(CYCLE_AMPLITUDE, tau), [0.0, tau]).charge[-1, 0] for tau in TAUS]
    yield Check(
        "fig4-charge-proportional",
        "The charge of a cycle is proportional to τ.",
        "Sec. III B",
        TAUS[1] / TAUS[0],
        float(passed[1] / passed[0]),
        1e-4,
        note=f"{float(passed[0]):.3f} e for τ = {TAUS[0]:g} ħ/γ₀, {float(passed[1]):.3f} e for {TAUS[1]:g}; triangle.",
    )
    yield Check(
        "fig4-no-charge-without-asymmetry",
        "No net charge for λ = 0, a net charge for λ = 0.5.",
        "Sec. III B, Fig. 4(c)",
        True,
        bool(np.max(np.abs(end.sel(asymmetry=0.0))) < 1e-3 and np.min(end.sel(asymmetry=0.5)) > 1e3),
        note=f"Q(τ) = {end.sel(asymmetry=0.5).values.round(2).tolist()} e.",
    )
    by_9 = at_one.sel(response="full").odd_rectification_particle
    difference = float(np.abs(by_9 - linear.odd_rectification_particle).max())
    yield Check(
        "fig4-beyond-linear-response",
        "The rectification of linear response is that of Eq. 9 and Landauer's integral.",
        "Fig. 4(a)",
        0.0,
        difference,
        0.05,
        note=f"Largest difference {difference:.3f}: Fig. 4 is robust (largest R_I {float(by_9.max()):.4f}).",
    )


def check_5(datasets: Datasets) -> Iterator[Check]:
    """Everything said about Fig. 5."""
    plane, full, at_one = (datasets[name] for name in ("fig5", "fig5_full", "fig5a"))
    R = plane.odd_rectification_heat
    yield Check(
        "fig5-strong",
        "The rectification of heat can be strong, with relatively large transmissions.",
        "Sec. III B, Fig. 5",
        True,
        bool(np.abs(R).max() > 0.5 and at_one.transmission.sel(response="linear").max() > 0.4),
        note=f"Eq. 13: |R_J| up to {float(np.abs(R).max()):.3f}, 𝒯 up to "
        f"{float(at_one.transmission.sel(response='linear').max()):.3f}.",
    )
    yield Check(
        "fig5-strong-with-all-energies",
        "The rectification of heat can be strong.",
        "Fig. 5, Eq. 9",
        True,
        float(np.abs(full.odd_rectification_heat).max()) > 0.1,
        erratum="first-order-in-energy",
        note=f"|R_J| up to {float(np.abs(full.odd_rectification_heat).max()):.2e} up to |λ| = 0.9, δT = T₀.",
    )
    last = at_one.odd_rectification_heat.sel(delta_temperature=FIG_5.T, method="nearest")
    for response, published, tolerance, what in (
        ("linear", 0.68047670, 1e-7, "Eq. 13"),
        ("first_order", 7.10748e-4, 1e-8, "first order with the integral over energies"),
    ):
        yield Check(
            f"fig5-value-{response}",
            f"R_J at λ = 0.5 and δT = T₀, {what}.",
            f"Fig. 5(a), {OWN}",
            published,
            float(last.sel(response=response)),
            tolerance,
            note="μ₀ − E_dot = −1.5e-4 γ₀.",
        )
    yield Check(
        "fig5-none-without-asymmetry",
        "R_J = 0 for λ = 0.",
        "Sec. III B",
        0.0,
        float(np.abs(R.sel(asymmetry=0.0)).max()),
        1e-10,
        note="The largest of the row.",
    )
    positions = at_one.position.sel(response="linear").to_numpy()
    yield Check(
        "fig5-main-features",
        "As in Fig. 4 the position is not odd in the drive.",
        "Sec. III B, Fig. 5(a)",
        True,
        float(np.max(np.abs(positions + positions[::-1]))) > 0.05,
        note=f"x = {positions[-1]:.4f} and {positions[0]:.4f} at ±T₀.",
    )
    yield Check(
        "fig5-error-of-first-order",
        "R_J at δT = T₀ by Eq. 9 is that of first order with all energies.",
        "Fig. 5(a)",
        0.0,
        float(last.sel(response="full") - last.sel(response="first_order")),
        1e-3,
        note=f"{float(last.sel(response='full')):.3e} and {float(last.sel(response='first_order')):.3e}: both vanish "
        "beside Eq. 13's.",
    )
