"""Equations and units."""

from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from mesotherm.papers.mehring2024.claims_forces import OWN, peaks
from mesotherm.papers.mehring2024.forces import forces_at
from mesotherm.papers.mehring2024.model import (
    ELECTRON_MASS,
    ELEMENTARY_CHARGE,
    FIG_2,
    FIG_3,
    FIG_5,
    HOPPING,
    LATTICE_CONSTANT,
    MASS,
    PLANCK_BAR,
    STIFFNESS,
    Parameters,
)
from mesotherm.papers.reproduction import Check


def of_17(parameters, x, bias):
    """Eq. 17, and the transmission that belongs to it."""
    left = parameters.coupling * (1 + parameters.asymmetry) * np.exp(-parameters.decay * x)
    right = parameters.coupling * (1 - parameters.asymmetry) * np.exp(parameters.decay * x)
    s, level = left**2 + right**2, parameters.level
    return -bias / np.pi * parameters.decay * level * s / (level**2 + s**2), 4 * (left * right) ** 2 / (level**2 + s**2)


def green(parameters: Parameters, x: float, energy: float) -> Float[np.ndarray, "sites sites"]:
    """Green's function between the first site of the left lead, the dot and that of the right lead (Eqs. 2, 14–16)."""
    left = parameters.coupling * (1 + parameters.asymmetry) * np.exp(-parameters.decay * x)
    right = parameters.coupling * (1 - parameters.asymmetry) * np.exp(parameters.decay * x)
    end = 0.5 * energy - 1j * np.sqrt(1 - 0.25 * energy**2)
    inverse = [[energy - end, left, 0], [left, energy - parameters.level, right], [0, right, energy - end]]
    return np.linalg.inv(np.array(inverse))


def kernels(parameters: Parameters, x: float, energy: float) -> Float[np.ndarray, "terminals"]:
    """F_L and F_R of Eq. 11, with matrices written out: Tr[ΛGΓG†]."""
    left = parameters.coupling * (1 + parameters.asymmetry) * np.exp(-parameters.decay * x)
    right = parameters.coupling * (1 - parameters.asymmetry) * np.exp(parameters.decay * x)
    operator = parameters.decay * np.array([[0, -left, 0], [-left, 0, right], [0, right, 0]])
    G = green(parameters, x, energy)
    broadening = np.sqrt(1 - 0.25 * energy**2)
    return np.array([broadening * np.vdot(G[:, site], operator @ G[:, site]).real for site in (0, 2)])


def check_text() -> Iterator[Check]:
    """Sec. II, what is said of the force without a figure, and Appendices A and B."""
    yield from check_forces()
    yield from check_kernels()
    yield from check_equilibrium()
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


def check_kernels() -> Iterator[Check]:
    """The force kernels along the energy, Eq. 13 and Appendix B, beside matrices written out."""
    G = green(FIG_2.but(asymmetry=0.3), 0.4, 0.0)
    left, right = 0.13 * np.exp(-0.8), 0.07 * np.exp(0.8)
    s, y = left**2 + right**2, 4 * 0.4
    bottom = FIG_2.level**2 + s**2
    off = [
        (G[0, 0] * G[1, 0].conj()).real - left * FIG_2.level / bottom,
        (G[2, 2] * G[1, 2].conj()).real - right * FIG_2.level / bottom,
        (G[0, 2] * G[1, 2].conj()).real,
        (G[1, 0] * G[2, 0].conj()).real,
        s - 2 * 0.1**2 * (1.09 * np.cosh(y) - 0.6 * np.sinh(y)),
    ]
    yield Check(
        "appendix-b",
        "The products of Green's functions, and the sum of the squared couplings.",
        "Eqs. B4, B5 and after, B7",
        0.0,
        float(np.max(np.abs(off))),
        1e-13,
        note="Left less right sides at μ₀ = E₀ = 0, Fig. 2 with λ = 0.3, x = 0.4 a.",
    )
    drive, places = 0.5 * FIG_3.T, np.linspace(-2.0, 2.0, 21)
    device = FIG_3.but(asymmetry=0.7)
    step = 1e-8
    slopes = [
        np.subtract(*(kernels(device, x, device.mu + step) - kernels(device, x, device.mu - step))) / (2 * step)
        for x in places
    ]
    by_matrices = np.pi / 3 * device.T * drive / 2 * np.array(slopes)
    force = np.asarray(forces_at(device.driven("linear"), jnp.asarray(places), drive))
    yield Check(
        "eq13",
        "The force of a temperature difference is (π/3)(k_BT₀)² Σ (δT/T₀) ∂F/∂ε.",
        "Eq. 13",
        0.0,
        float(np.max(np.abs(force - by_matrices)) / np.max(np.abs(force))),
        1e-6,
        note="Linear response of the library beside a difference quotient of matrices written out, Fig. 3, λ = 0.7; "
        "largest difference over the largest force.",
    )
    colder = device.but(T=device.T / 2)
    cold = np.asarray(forces_at(colder.driven("linear"), jnp.asarray(places), drive / 2))
    yield Check(
        "eq13-quadratic",
        "At the same δT/T₀ the force is quadratic in k_BT₀.",
        "Sec. III B, Eq. 13",
        4.0,
        float(np.max(np.abs(force)) / np.max(np.abs(cold))),
        1e-9,
        note="k_BT₀ of Fig. 3 and half of it.",
    )
    width = 2 * FIG_3.coupling**2
    energies = FIG_3.level + width * np.linspace(-8.0, 8.0, 321)
    along = np.array([kernels(FIG_3, 0.0, energy) for energy in energies])
    zero = float(energies[np.argmin(np.abs(along[:, 0]))])
    passed = [4 * (1 - energy**2 / 4) * abs(green(FIG_3, 0.0, energy)[0, 2]) ** 2 for energy in energies]
    yield Check(
        "footnote3-kernel",
        "The force kernels depend on energy as the transmission does, with a peak around E_dot.",
        "Sec. III A, footnote 3",
        True,
        peaks(along[:, 0]) == 1,
        erratum="force-kernel",
        note=f"Fig. 3, λ = 0, x = 0: F_L is zero at E_dot {(zero - FIG_3.level) / width:+.2f} s, negative below, "
        f"positive above, with {peaks(along[:, 0])} extrema a width s = γ_L² + γ_R² away; F_R = −F_L. 𝒯 has "
        f"{peaks(passed)} peak, {max(passed):.2f} high.",
    )


def check_equilibrium() -> Iterator[Check]:
    """The force that the paper makes part of the spring, and which electrons Eq. 9 holds."""
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
    yield Check(
        "eq5-equilibrium-force-value",
        "The equilibrium force of the electrons at x = a.",
        f"Eq. 9, Fig. 2, λ = 0, {OWN}",
        1.125,
        force,
        5e-4,
        note="Eq. 9 with both Fermi functions alike.",
    )
    theta = np.pi * (np.arange(20_000) + 0.5) / 20_000
    parts = {}
    for x in (1.0, 2.0):
        s = 2 * FIG_2.coupling**2 * np.cosh(2 * FIG_2.decay * x)
        on_dot = 1 / (2 * np.cos(theta) - FIG_2.level - s * np.exp(-1j * theta))
        parts[x] = s, float(np.mean(-2 * on_dot.imag * np.sin(theta)))
    yield Check(
        "eq9-all-electrons",
        "The energies of the band hold all electrons of the dot.",
        "Eqs. 9, 16",
        True,
        all(abs(part - 1) < 1e-3 for _, part in parts.values()),
        erratum="equilibrium-force",
        note="Integral of the dot's spectral function over the band, Fig. 2, λ = 0: "
        + ", ".join(f"{part:.4f} at x = {x:g} a (γ_L² + γ_R² = {s:.2f})" for x, (s, part) in parts.items())
        + "; the rest are bound states, full or empty with and without a bias.",
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
