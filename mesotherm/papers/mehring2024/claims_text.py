"""Equations and units."""

from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np

from mesotherm.papers.mehring2024.claims_forces import OWN
from mesotherm.papers.mehring2024.model import (
    ELECTRON_MASS,
    ELEMENTARY_CHARGE,
    FIG_2,
    FIG_5,
    HOPPING,
    LATTICE_CONSTANT,
    MASS,
    PLANCK_BAR,
    STIFFNESS,
)
from mesotherm.papers.reproduction import Check


def of_17(parameters, x, bias):
    """Eq. 17, and the transmission that belongs to it."""
    left = parameters.coupling * (1 + parameters.asymmetry) * np.exp(-parameters.decay * x)
    right = parameters.coupling * (1 - parameters.asymmetry) * np.exp(parameters.decay * x)
    s, level = left**2 + right**2, parameters.level
    return -bias / np.pi * parameters.decay * level * s / (level**2 + s**2), 4 * (left * right) ** 2 / (level**2 + s**2)


def check_text() -> Iterator[Check]:
    """Eqs. 2, 9, 12, 17, 19, 20 and B7, Sec. II and Appendix A."""
    yield from check_forces()
    yield from check_units()


def check_forces() -> Iterator[Check]:
    """What is said of the force before the figures."""
    bias = 0.2
    places = np.linspace(-2.0, 3.0, 41)
    at = jax.jit(jax.vmap(lambda driven, x: driven.at(x, jnp.asarray(bias)), (None, 0)))
    off = []
    for asymmetry, published in ((0.0, 0.04196236175469), (0.7, 0.00670486115298)):
        parameters = FIG_2.but(asymmetry=asymmetry)
        found = at(parameters.driven("linear"), jnp.append(places, 0.5))
        force, passed = of_17(parameters, np.append(places, 0.5), bias)
        current = np.asarray(found["particle_current"])[:, 0] * 2 * np.pi / bias
        off += [np.max(np.abs(found["force"] - force)), np.max(np.abs(current - passed))]
        yield Check(
            f"eq17-force-{'symmetric' if asymmetry == 0 else 'asymmetric'}",
            f"F(x = 0.5) at eV = 0.2, λ = {asymmetry:g}.",
            f"Eqs. 12 and 17, Fig. 2, {OWN}",
            published,
            float(found["force"][-1]),
            1e-12,
            note="From the Green's function.",
        )
    yield Check(
        "eq17",
        "At μ₀ = E₀ = 0 the force of a bias is Eq. 17.",
        "Eq. 17, Appendix B",
        0.0,
        float(max(off)),
        1e-13,
        note="Against Eq. 12 with the Green's function of Eq. 15, at 41 positions and two λ: exact, not only for wide "
        "bands. Likewise 𝒯 = 4γ_L²γ_R²/(E_dot² + (γ_L² + γ_R²)²).",
    )
    at_peak = np.arccosh(-FIG_2.level / (2 * FIG_2.coupling**2)) / (2 * FIG_2.decay)
    top = float(at(FIG_2.driven("linear"), jnp.array([at_peak]))["force"][0])
    yield Check(
        "eq17-peak",
        "The largest force is V b/2πa₀, where γ_L² + γ_R² = |E_dot|.",
        f"Eq. 17, {OWN}",
        bias * FIG_2.decay / (2 * np.pi),
        top,
        1e-12,
        note=f"x = {at_peak:.9f}.",
    )
    turned = float(at(FIG_2.but(level=-FIG_2.level).driven("linear"), jnp.array([0.5]))["force"][0])
    yield Check(
        "eq17-sign",
        "The force of V > 0 points to the left for E_dot > 0, to the right for E_dot < 0.",
        "after Eq. 17",
        True,
        turned < 0 < top,
        note=f"{turned:.6f} and {-turned:.6f} at x = 0.5.",
    )
    dot = FIG_2.device("full")
    force = -float(dot.moved_to(jnp.array([1.0])).response(FIG_2.driven("full").reservoirs(0.0)).value.conjugate[0])
    yield Check(
        "eq5-equilibrium-force",
        "The equilibrium force of the electrons can be taken as part of the spring.",
        "Eqs. 5 and 6",
        True,
        abs(force) < 0.1 * STIFFNESS,
        erratum="equilibrium-force",
        note=f"{force:.4f} γ₀/a at x = a in Fig. 2, λ = 0 (the band's part of it), where kx = {STIFFNESS:g} γ₀/a.",
    )
    thermal = FIG_5.but(asymmetry=0.0)
    by_13 = float(
        jnp.max(
            jnp.abs(jax.vmap(lambda x: thermal.driven("linear").force(x, thermal.T / 2))(jnp.linspace(0.0, 1.5, 151)))
        )
    )
    by_12 = thermal.T / 2 * thermal.decay / (2 * np.pi)
    yield Check(
        "sec3b-comparable-forces",
        "With μ₀ at a peak of the slope the force of Eq. 13 is comparable to that of Eq. 12.",
        "end of Sec. III B",
        True,
        by_13 > 0.1 * by_12,
        note=f"Eq. 13 gives {by_13:.2e} for δT = 10⁻³, Eq. 12 at most {by_12:.2e} for eV = 10⁻³: it is "
        f"{by_13 / by_12:.0f} times larger, a sign that the expansion of Eq. 11 does not hold there.",
    )


def check_units() -> Iterator[Check]:
    """Appendix A."""
    gamma = HOPPING * ELEMENTARY_CHARGE
    k, M = gamma / LATTICE_CONSTANT**2, PLANCK_BAR**2 / (gamma * LATTICE_CONSTANT**2)
    for name, claim, published, computed, tolerance, exact in (
        ("stiffness", "k* ≈ 10 N/m for γ₀ = 3.88 eV, a = 2.5 Å.", 10.0, k, 0.5, 9.946),
        ("mass", "M* ≈ 0.3 electron masses.", 0.3, M / ELECTRON_MASS, 0.05, 0.3142),
    ):
        yield Check(f"appendix-a-{name}", claim, "Appendix A", published, computed, tolerance, note=f"{computed:.4f}.")
        yield Check(
            f"appendix-a-{name}-value",
            f"The same to four digits ({name}).",
            f"Appendix A, {OWN}",
            exact,
            computed,
            float(0.5 * 10 ** (np.floor(np.log10(exact)) - 3)),
            note="With CODATA constants.",
        )
    yield Check(
        "appendix-a-fullerenes",
        "k = 0.23 N/m is 0.02 γ₀/a².",
        "Appendix A",
        0.02,
        0.23 / k,
        0.005,
        note=f"{0.23 / k:.4f}.",
    )
    omega = np.sqrt(STIFFNESS / MASS)
    for coupling, published, tolerance in ((0.1, 22.0, 0.5), (0.5, 110.0, 5.0)):
        yield Check(
            f"appendix-a-slowness-{coupling:g}",
            f"The frequency is {published:g} times smaller than γ/ħ for γ = {coupling:g}.",
            "Appendix A",
            published,
            coupling / omega,
            tolerance,
            note=f"The width of the resonance at x = 0, γ_L² + γ_R² = {2 * coupling**2:g}, is "
            f"{2 * coupling**2 / omega:.1f} times the frequency.",
        )
