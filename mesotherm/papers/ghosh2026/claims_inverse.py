"""Claims about inverse currents: Fig. 6, their conditions, and the zero of energy."""

from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np

from mesotherm.cycles import cycles
from mesotherm.device import Reservoirs
from mesotherm.devices.single_dot import SingleDot
from mesotherm.devices.three_terminal_dots import CoupledDots
from mesotherm.experiments import Setup
from mesotherm.inverse_currents import inverse_currents
from mesotherm.linear_response import linear_response
from mesotherm.papers.ghosh2026.model import (
    ATTRACTION,
    FORCE_PARTICLE_OF_6,
    KAPPAS,
    PARAMETERS,
    coupled_dots,
)
from mesotherm.papers.ghosh2026.reading import GENUINE, SETS, among, driven, kind_of
from mesotherm.papers.reproduction import Check, Datasets


def check_6(datasets: Datasets) -> Iterator[Check]:
    """The three orders of the states."""
    dataset = datasets["fig6"]
    for kappa, name, claimed in zip(
        KAPPAS, ("repulsive", "weak-attraction", "strong-attraction"), (False, False, True), strict=True
    ):
        one = dataset.sel(kappa=kappa)
        met = bool(np.any(among(one.regime, *GENUINE)))
        inverted = bool(one.state_energy.sel(state="D") < one.state_energy.sel(state="C"))
        yield Check(
            f"fig6-{name}",
            f"{'Inverse currents' if claimed else 'No inverse current'} at κ = {kappa:g}.",
            "Sec. X, after Eq. 51",
            claimed,
            met,
            note=f"F_N = {FORCE_PARTICLE_OF_6:g}, F_E from 0 to 0.95; D lies {'below' if inverted else 'above'} C.",
        )
        yield Check(
            f"fig6-{name}-order",
            f"C and D have {'' if claimed else 'not '}changed places.",
            "Fig. 6(b, c)",
            claimed,
            inverted,
            note=f"E_D − E_C = ε_b + κ = {PARAMETERS['level of b'] + kappa:g}.",
        )
    state = driven(coupled_dots(ATTRACTION), 0.8, 0.25)
    found = inverse_currents(state, "L")
    for name, value, number in (
        ("particle", found.flux[1], -0.03927228378023),
        ("energy", found.flux[0], 0.3059233144767),
    ):
        yield Check(
            f"fig6-inverse-set-{name}",
            "The published set of an inverse particle current.",
            "our parameters",
            number,
            float(value),
            1e-11,
            note="κ = −4, F_E = 0.8, F_N = 0.25, computed independently before.",
        )
    power = float(-jnp.sum(state.reservoirs.mu * state.currents.particle))
    yield Check(
        "fig6-autonomous-engine",
        "An inverse particle current makes an autonomous engine.",
        "Sec. VII.4",
        True,
        power > 0,
        note=f"Particles go from μ_r = 0.5 to μ_l = {float(state.reservoirs.mu[0]):g}: P = {power:.4f}.",
    )
    strongest = max(cycles(state.device, state.reservoirs), key=lambda cycle: cycle.flux)
    yield Check(
        "fig6-cycle",
        "The inverse current comes of a particle excitation that lowers the energy.",
        "Sec. X, after Eq. 51",
        True,
        strongest.states == ("u", "b+u") and strongest.particles["L"] < 0 < strongest.energy["L"],
        note=f"Strongest cycle: {strongest}; it takes an electron to L and energy from L.",
    )


def check_inverse() -> Iterator[Check]:
    """Claims of Secs. VII, VIII and X that belong to no figure."""
    yield from _conditions()
    yield from _zero_of_energy()


def _conditions():
    rng = np.random.default_rng(3)
    level_b, level_u = rng.uniform(0.1, 2.0, SETS), rng.uniform(-1.0, 2.0, SETS)
    kappa, mu, mu_u = rng.uniform(-5.0, 3.0, SETS), rng.uniform(-0.5, 0.5, SETS), rng.uniform(-0.5, 0.5, SETS)

    def coefficients(level_b, level_u, kappa, mu, mu_u):
        one = jnp.ones(2)
        found = linear_response(
            CoupledDots(level_b, level_u, kappa, one, one, one), Reservoirs(jnp.stack([mu, mu, mu_u]), jnp.ones(3))
        )
        return found.entry("E_L", "N_L"), found.entry("N_L", "E_L")

    found = jax.jit(jax.vmap(coefficients))(level_b, level_u, kappa, mu, mu_u)
    L_EN, L_NE = map(np.asarray, found)
    claimed, negative = -kappa > level_b, L_EN < 0
    yield Check(
        "sec10-necessary",
        "−κ > ε_b > 0 is required for inverse currents.",
        "Sec. X, after Eq. 51",
        True,
        bool(np.all(claimed[negative])),
        note=f"{np.sum(negative)} of {SETS} random devices have L_EN < 0, all of them with −κ > ε_b.",
    )
    yield Check(
        "sec10-sufficient",
        "−κ > ε_b > 0 is sufficient for inverse currents.",
        "Sec. X, after Eq. 51",
        True,
        bool(np.all(negative[claimed])),
        erratum="condition-not-sufficient",
        note=f"{np.sum(claimed & ~negative)} of {np.sum(claimed)} devices that satisfy it have L_EN > 0.",
    )
    f0, f1 = 1 / (1 + np.exp(level_b - mu)), 1 / (1 + np.exp(level_b + kappa - mu))
    bound = level_b * (1 + np.exp(level_u - mu_u) * f0 / f1)
    clear = np.abs(-kappa - bound) > 1e-9
    yield Check(
        "sec10-exact-condition",
        "Near equilibrium and for constant rates the condition is −κ > ε_b[1 + exp(β(ε_u − μ_u)) f0/f1].",
        "ours",
        True,
        bool(np.all((negative == (-kappa > bound))[clear])),
        note=f"{np.sum(clear)} random devices; the Onsager matrix by differentiation.",
    )
    yield Check(
        "eq3-reciprocity",
        "L_EN = L_NE.",
        "Eq. 3",
        0.0,
        float(np.max(np.abs(L_EN - L_NE) / np.max(np.abs(L_EN)))),
        1e-13,
        note=f"Largest difference over {SETS} random devices, over the largest coefficient.",
    )
    attracting = kappa < 0
    yield Check(
        "sec10-order-as-printed",
        "The states C and D are inverted where ε_b + κ < ε_b.",
        "Sec. X, before Eq. 52",
        True,
        bool(np.all((level_b + kappa < 0)[attracting])),
        erratum="order-condition",
        note=f"{np.sum(attracting & (level_b + kappa > 0))} devices satisfy it with D above C.",
    )
    rates = jnp.ones(2)
    far = Setup(CoupledDots(1.0, 1.5, -2.40, rates, rates, rates), Reservoirs([0.0] * 3, [1.0] * 3))
    coefficient = linear_response(far.device, far.reservoirs).entry("N_L", "E_L")
    state = driven(far, 0.5, 5e-4)
    yield Check(
        "sec7-coefficient-is-no-test",
        "Away from equilibrium currents are inverse with a positive cross coefficient, too: it decides nothing there.",
        "ours, on Secs. VII.4 and VIII",
        True,
        kind_of(state).genuine and float(coefficient) > 0,
        note=f"κ = −2.40, μ = 0: L_NE = {float(coefficient):.5f}, yet at F_E = 0.5, F_N = 5e-4 "
        f"J_N = {float(state.currents.particle[0]):.3e}.",
    )


def _zero_of_energy():
    below = Setup(SingleDot(-1.0, 1.0, 1.0), Reservoirs([0.0, 0.0], [1.0, 1.0]))
    state = driven(below, 0.3, 0.1)
    yield Check(
        "sec8-single-dot-cannot",
        "A single dot cannot show inverse currents.",
        "Secs. VII.4 and XI",
        True,
        not kind_of(state).genuine,
        erratum="zero-of-energy",
        note=f"ε = −1: at F_E = 0.3, F_N = 0.1 {kind_of(state).label} (J_N = {float(state.currents.particle[0]):.4f}, "
        f"J_E = {float(state.currents.energy[0]):.4f}); counted from ε − 0.1 it is {kind_of(state, -1.1).label}.",
    )
    rates = jnp.ones(2)
    pair = Setup(CoupledDots(-1.0, 1.5, 1.0, rates, rates, rates), Reservoirs([0.0] * 3, [1.0] * 3))
    found = {kind_of(driven(pair, force, 0.1)) for force in (0.1, 0.3, 0.6)}
    yield Check(
        "sec10-repulsive-pairs-cannot",
        "Repulsive dots cannot show inverse currents.",
        "Sec. X",
        True,
        not any(kind.genuine for kind in found),
        erratum="zero-of-energy",
        note=f"ε_b = −1, κ = 1: {', '.join(sorted(kind.label for kind in found))}.",
    )
    shown = inverse_currents(driven(coupled_dots(ATTRACTION), 0.8, 0.25), "L")
    moved = inverse_currents(driven(coupled_dots(ATTRACTION), 0.8, 0.25), "L", zero_of_energy=2.0)
    yield Check(
        "sec10-zero-of-energy",
        "The zero above which the current is inverse does not depend on the zero.",
        "ours",
        float(shown.inverse_above),
        float(moved.inverse_above),
        1e-12,
        note=f"−F_N/F_E = {float(shown.inverse_above):g} for the set of Fig. 6; the review's zero lies above it.",
    )
