"""What the paper says of screening and of the probe in general: Eqs. 5 to 7, gauge invariance, microreversibility."""

from collections.abc import Iterator

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jaxtyping import Array, Float

from mesotherm.device import Effort, Reservoirs
from mesotherm.devices.double_barrier import DoubleBarrier
from mesotherm.experiments import Setup
from mesotherm.papers.balduque2025.errata import EXCESS_ATTRACTS
from mesotherm.papers.balduque2025.figure2_checks import BOLTZMANN, ELEMENTARY_CHARGE
from mesotherm.papers.balduque2025.figure3 import STAR_BRACKET, STAR_POINTS
from mesotherm.papers.balduque2025.model import DELTA_T
from mesotherm.papers.balduque2025.screened import COHERENT, THERMALIZED, diode, diode_tests
from mesotherm.papers.balduque2025.selections import largest
from mesotherm.papers.balduque2025.text_checks import ROUNDING
from mesotherm.papers.reproduction import Check
from mesotherm.screening import Screening

ENERGIES = np.linspace(-30.0, 30.0, 1201)
"""Energies at which scattering matrices are compared, from μ in k_BT."""

STRENGTHS = (0.0, 0.3, 0.7, 1.0)
"""Probe strengths λ at which the beam splitter is looked at."""

CAPACITANCES = (1e-4, 1e-5)
"""Small capacitances between any two regions, in e²/k_BT."""

ALL_CAPACITANCES = np.geomspace(1e-4, 1e2, 301)
"""Capacitances between any two regions with which the stability of equilibrium is looked at, in e²/k_BT."""

PROPORTIONAL = 0.1
"""A deviation that falls tenfold with the capacitance, within this part, vanishes in proportion to it."""

REGIONS = ("U1", "U2", "U3")


def screening_checks(fig3e: xr.Dataset) -> Iterator[Check]:
    """Claims about the theory of screening, with the star as the example."""
    level_1, level_3 = (float(fig3e.attrs[f"epsilon_{i}"]) for i in (1, 3))
    yield from _beam_splitter()
    yield from _scattering(level_1, level_3, fig3e)
    yield from _charges(level_1, level_3, fig3e)
    yield from _gauge(level_3)


def double_barrier(strength: float, level_1: float, level_3: float) -> DoubleBarrier:
    """The device alone."""
    device = diode(strength, level_1, level_3).device
    assert isinstance(device, DoubleBarrier)
    return device


def _beam_splitter() -> Iterator[Check]:
    passed = [np.asarray(double_barrier(strength, 0.0, 0.0).transmission(jnp.zeros(()))) for strength in STRENGTHS]
    wrong = [
        max(abs(T[2, 0] - strength), abs(T[1, 0] - (1 - strength)))
        for strength, T in zip(STRENGTHS, passed, strict=True)
    ]
    yield Check(
        id="fig1-probe-absorbs",
        claim="The probe takes an electron with probability λ and lets it pass with 1 − λ.",
        source="caption of Fig. 1",
        published=0.0,
        computed=largest(wrong),
        tolerance=ROUNDING,
        note="Both barriers at resonance, where they reflect nothing: largest deviation of the transmissions from L "
        f"into the probe and from L to R, for λ = {', '.join(f'{strength:g}' for strength in STRENGTHS)}.",
    )


@eqx.filter_jit
def _scattering_matrices(device: DoubleBarrier, q, energies):
    """At given potentials: the scattering matrix, its derivative with respect to them, and the injectivities."""

    def at(energy):
        def matrix(potentials):
            return device.moved_to(potentials).smatrix(energy)

        return matrix(q), jax.jacfwd(matrix)(q), device.moved_to(q).injectivity(energy)

    return jax.vmap(at)(energies)


def _scattering(level_1: float, level_3: float, fig3e: xr.Dataset) -> Iterator[Check]:
    device = double_barrier(COHERENT, level_1, level_3)
    probed, asymmetric, deviation = [], [], []
    for q in fig3e.potential.transpose("configuration", "coordinate").to_numpy():
        S, slope, injected = (
            np.asarray(x) for x in _scattering_matrices(device, jnp.asarray(q), jnp.asarray(ENERGIES))
        )
        probed.append(largest(S[:, 2:, :2]))
        asymmetric.append(largest(np.abs(S[:, 0, 1]) ** 2 - np.abs(S[:, 1, 0]) ** 2))
        by_definition = -np.imag(np.einsum("ekj,ekja->eja", S.conj(), slope)) / (2 * np.pi)
        deviation.append(largest(by_definition[:, :2] - injected[:, :2]))
    yield Check(
        id="screening-elastic",
        claim="With λ = 0 electrons cross the whole device elastically.",
        source="Screening effects, par. 2",
        published=0.0,
        computed=max(probed),
        tolerance=ROUNDING,
        note=f"Largest amplitude from L or R into the probe at {len(ENERGIES)} energies, with the potentials of the "
        "star.",
    )
    yield Check(
        id="screening-microreversible",
        claim="The diode by screening respects microreversibility: |S_LR|² = |S_RL|².",
        source="Screening effects, par. 4",
        published=0.0,
        computed=max(asymmetric),
        tolerance=ROUNDING,
        note=f"Largest difference at {len(ENERGIES)} energies, with the potentials of equilibrium and with those at "
        "the star, forward and backward.",
    )
    yield Check(
        id="eq6-injectivities",
        claim="ν_jα = (i/4π) Σ_k [S†_kj δS_kj/δU_α − δS†_kj/δU_α S_kj].",
        source="Eq. 6",
        published=0.0,
        computed=max(deviation),
        tolerance=ROUNDING,
        note=f"Largest deviation of the closed forms that the charges are computed with from the derivative of the "
        f"scattering matrix, in 1/k_BT, at {len(ENERGIES)} energies with the potentials at the star.",
    )


@eqx.filter_jit
def _charge(device: DoubleBarrier, q, T) -> tuple[Float[Array, "regions"], Float[Array, "regions regions"]]:
    """Electrons in every region, both spins, and how they change with the potentials."""

    def electrons(potentials):
        reservoirs = Reservoirs(jnp.zeros(3), T)
        return device.moved_to(potentials).response(reservoirs, Effort.STRICT).value.conjugate

    return electrons(q), jax.jacfwd(electrons)(q)


def _charges(level_1: float, level_3: float, fig3e: xr.Dataset) -> Iterator[Check]:
    device, cold, rest = double_barrier(COHERENT, level_1, level_3), jnp.ones(3), jnp.zeros(3)
    equilibrium, slope = (np.asarray(x) for x in _charge(device, rest, cold))
    injected, left_over = {}, {}
    for direction, terminal in (("forward", 0), ("backward", 1)):
        T = cold.at[terminal].add(DELTA_T)
        q = jnp.asarray(fig3e.potential.sel(configuration=direction, coordinate=list(REGIONS)).to_numpy())
        injected[direction] = np.asarray(_charge(device, rest, T)[0]) - equilibrium
        left_over[direction] = largest(np.asarray(_charge(device, q, T)[0]) - equilibrium)
    yield Check(
        id="eq7-neutral-regions",
        claim="For C → 0 the potentials make every δq_α of Eq. 7 vanish.",
        source="Eqs. 5 and 7",
        published=0.0,
        computed=max(left_over.values()),
        tolerance=ROUNDING,
        note="Largest excess of electrons in a region at the star, forward and backward; with the potentials of "
        f"equilibrium it would be {largest(list(injected.values())):.4f}.",
    )
    yield Check(
        id="fig3e-charge-is-injected",
        claim="Heating L puts charge into region 1, heating R into region 3.",
        source="Screening effects, par. 4",
        published=True,
        computed=bool(injected["forward"][0] > ROUNDING and injected["backward"][2] > ROUNDING),
        note=f"At the star with the potentials of equilibrium: {injected['forward'][0]:.4f} electrons more in region 1 "
        f"forward, {injected['backward'][2]:.4f} more in region 3 backward. All regions: forward "
        f"{_listed(injected['forward'])}, backward {_listed(injected['backward'])}.",
    )

    between = 3 * np.eye(3) - np.ones((3, 3))
    largest_eigenvalue = {
        sign: np.array([np.max(np.linalg.eigvals(slope + sign * C * between).real) for C in ALL_CAPACITANCES])
        for sign in (1, -1)
    }
    unstable = ALL_CAPACITANCES[largest_eigenvalue[1] >= 0]
    yield Check(
        id="eq5-sign",
        claim="δq_α = Σ_β C_αβ (U_β − U_α)/(−e).",
        source="Eq. 5",
        published=True,
        computed=len(unstable) == 0,
        erratum=EXCESS_ATTRACTS,
        note="Whether equilibrium at the star is stable (no eigenvalue of the derivative of all charges with respect "
        f"to the potentials is positive) with any C between any two regions: not from "
        f"{np.min(unstable, initial=np.inf):.3f} e²/k_BT on. Irrelevant to the figures, where C → 0.",
    )
    yield Check(
        id="eq5-sign-as-corrected",
        claim="δq_α = Σ_β C_αβ (U_α − U_β)/(−e).",
        source="Eq. 5, as corrected",
        published=True,
        computed=bool(np.all(largest_eigenvalue[-1] < 0)),
        note=f"Stable with any C from {ALL_CAPACITANCES[0]:g} to {ALL_CAPACITANCES[-1]:g} e²/k_BT: the largest "
        f"eigenvalue is at most {np.max(largest_eigenvalue[-1]):.4f} e²/k_BT.",
    )


def _listed(values) -> str:
    return "(" + ", ".join(f"{value:.4f}" for value in values) + ")"


def _gauge(level_3: float) -> Iterator[Check]:
    levels, at = np.linspace(*STAR_BRACKET, STAR_POINTS), np.array([level_3])

    def current(setup: Setup) -> Float[np.ndarray, "levels directions"]:
        tests = diode_tests(setup, levels, at).isel(epsilon_3=0).sel(terminal="L")
        return tests.particle_current.transpose("epsilon_1", "direction").to_numpy()

    screened, frozen = diode(COHERENT), diode(COHERENT, screened=False)
    raised = 0.5
    changes = [
        largest(current(Setup(setup.device, setup.reservoirs.shifted(raised), setup.unknowns)) - current(setup))
        for setup in (screened, frozen)
    ]
    yield Check(
        id="screening-gauge-invariance",
        claim="Potentials that follow the charges make the nonlinear theory gauge invariant.",
        source="Screening effects, par. 1",
        published=0.0,
        computed=changes[0],
        tolerance=ROUNDING,
        note=f"Largest change of a current, for ε₁ − μ from {levels[0]:g} to {levels[-1]:g}, when every μ is raised by "
        f"{raised:g} k_BT and the equilibrium potentials are not: the screened ones follow. With fixed potentials it "
        f"is {changes[1]:.4f}.",
    )

    limit = current(screened)
    deviations = []
    for capacitance in CAPACITANCES:
        unknown = Screening(REGIONS, mu=0.0, T=1.0, capacitance=capacitance)
        deviations.append(largest(current(Setup(screened.device, screened.reservoirs, (unknown,))) - limit))
    ratio = deviations[0] / deviations[1] * CAPACITANCES[1] / CAPACITANCES[0]
    yield Check(
        id="screening-small-capacitances",
        claim="Small conductors are described by the limit of vanishing capacitances.",
        source="Screening effects, par. 3",
        published=True,
        computed=bool(abs(ratio - 1) < PROPORTIONAL),
        note="What capacitances between any two regions change, with the corrected sign of Eq. 5, vanishes in "
        f"proportion to them: currents near the star change by at most {deviations[0]:.1e} at C = {CAPACITANCES[0]:g} "
        f"e²/k_BT and {deviations[1]:.1e} at {CAPACITANCES[1]:g}; the former is "
        f"{in_attofarads(CAPACITANCES[0], 0.1):.1f} aF at 100 mK and {in_attofarads(CAPACITANCES[0], 0.001):.0f} aF at "
        "1 mK.",
    )


def in_attofarads(capacitance: float, kelvin: float) -> float:
    """A capacitance in e²/k_BT at a temperature."""
    return 1e18 * capacitance * ELEMENTARY_CHARGE**2 / (BOLTZMANN * kelvin)


def fully_thermalized(level_1: float, level_3: float) -> Iterator[Check]:
    """Claims about λ = 1 that hold at every energy."""
    device = double_barrier(THERMALIZED, level_1, level_3)
    rest, lifted = (jnp.array([0.0, U, 0.0]) for U in (0.0, 1.0))
    (T, injected), (T_lifted, injected_lifted) = (
        tuple(np.asarray(x) for x in _answers(device, q, jnp.asarray(ENERGIES))) for q in (rest, lifted)
    )
    alone = [1 / ((ENERGIES - level) ** 2 + 1) for level in (level_1, level_3)]
    yield Check(
        id="fig4-no-interference",
        claim="With λ = 1 there is no Fabry–Perot interference in region 2.",
        source="Mixed regime",
        published=0.0,
        computed=max(largest(T[:, 2, j] - one) for j, one in enumerate(alone)) + largest(T[:, 0, 1]),
        tolerance=ROUNDING,
        note=f"Largest deviation of the transmissions into the probe from those of each barrier alone, at "
        f"{len(ENERGIES)} energies; none leads from L to R directly.",
    )
    yield Check(
        id="fig4-screening-moves-barriers-only",
        claim="With λ = 1 screening does nothing but shift U₁ and U₃.",
        source="Mixed regime",
        published=0.0,
        computed=max(largest(T - T_lifted), largest((injected - injected_lifted)[..., [0, 2]])),
        tolerance=ROUNDING,
        note="Largest change of a transmission, or of an injectivity into region 1 or 3, when U₂ is raised by k_BT.",
    )


@eqx.filter_jit
def _answers(device: DoubleBarrier, q, energies):
    moved = device.moved_to(q)
    return jax.vmap(lambda energy: (moved.transmission(energy), moved.injectivity(energy)))(energies)
