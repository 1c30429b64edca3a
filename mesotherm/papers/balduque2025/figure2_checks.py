"""What the paper says about Fig. 2, and what the map of Fig. 2 decides of its general statements."""

from collections.abc import Iterator

import numpy as np
import xarray as xr

from mesotherm.papers.balduque2025.errata import CURRENT_SCALE, PROBE_TEMPERATURE
from mesotherm.papers.balduque2025.figure2 import CUT_A, CUT_B, CUT_LEVELS, LEVELS, diode_tests
from mesotherm.papers.balduque2025.model import DELTA_T, HALF_WIDTH, barrier_alone, slopes
from mesotherm.papers.balduque2025.selections import forward_and_backward
from mesotherm.papers.reproduction import Check, Datasets

WIDE_BAND = 1e-8
"""Tolerance of what is exact in an infinitely deep band: the band bottom of Fig. 2 moves currents by up to 1e-9."""

RESOLVED = 1e-6
"""A rectification counts if its error bound is smaller: at ε₁ = ε₃ = μ no particle current flows and it is 0/0."""

ELEMENTARY_CHARGE, BOLTZMANN, PLANCK_SI = 1.602176634e-19, 1.380649e-23, 6.62607015e-34
"""e [C], k_B [J/K], h [J s]: exact in the SI (CODATA 2018)."""

A_FEW_NANOAMPERES, WARMEST_MILLIKELVIN = 2.0, 1000.0
"""The least that is a few nA, and a temperature above everything that is measured in mK: the most generous reading."""

RESONANCES_ALIKE = {"half_width_left": HALF_WIDTH, "half_width_right": HALF_WIDTH}


def checks(datasets: Datasets) -> Iterator[Check]:
    """Every claim that the datasets of Fig. 2 decide."""
    yield from _general_statements(datasets["fig2"])
    yield from _symmetry(datasets["fig2"])
    yield from _antisymmetric_line(datasets["fig2"])
    yield from _cut_a(datasets["fig2a"])
    yield from _widths(datasets["fig2e"])
    yield from _heat(datasets)


def _diagonal(values: np.ndarray) -> np.ndarray:
    """Points of a map with ε₁ = ε₃."""
    at = np.arange(len(LEVELS))
    return values[at, at]


def _antidiagonal(values: np.ndarray) -> np.ndarray:
    """Points of a map with ε₁ − μ = μ − ε₃."""
    at = np.arange(len(LEVELS))
    return values[at, at[::-1]]


def _largest(values) -> float:
    return float(np.max(np.abs(values)))


def _general_statements(fig2: xr.Dataset) -> Iterator[Check]:
    current, error = (
        forward_and_backward(fig2, "particle_current"),
        forward_and_backward(fig2, "error_particle_current"),
    )
    resolved = np.all(np.abs(current) > error, axis=-1)
    same_sign = np.prod(np.sign(current), axis=-1) > 0
    saturated = np.abs(fig2.rectification_particle.to_numpy()) > 1 - 1e-12
    yield Check(
        id="eq2-saturation",
        claim="R_X reaches ±1 nowhere but where one of X^F and X^B vanishes or where their signs agree.",
        source="Eq. 2",
        published=True,
        computed=np.array_equal(saturated[resolved], same_sign[resolved])
        and not np.any(np.abs(fig2.rectification_heat) >= 1),
        note=f"Map: {np.sum(saturated & resolved)} points saturate, {np.sum(same_sign & resolved)} have both currents "
        "of one sign, the same ones; the heat currents never have one sign and their rectification never saturates.",
    )

    probe = [
        (forward_and_backward(fig2, name), forward_and_backward(fig2, f"error_{name}"))
        for name in ("probe_mu", "probe_temperature")
    ]
    follows = np.any([np.abs(np.diff(value, axis=-1)[..., 0]) > error.sum(axis=-1) for value, error in probe], axis=0)
    rectifies = np.any(
        [
            np.abs(fig2[name]) > np.maximum(fig2[f"error_{name}"], WIDE_BAND)
            for name in ("rectification_particle", "rectification_heat")
        ],
        axis=0,
    )
    yield Check(
        id="theory-sensitivity-needed",
        claim="Nothing rectifies unless its internal state follows the temperatures of the terminals.",
        source="after Eq. 2",
        published=True,
        computed=np.any(rectifies) and np.all(follows[rectifies]),
        note=f"Map: at all {np.sum(rectifies)} points that rectify, μ_p or T_p differs between forward and backward.",
    )

    within = [
        np.abs(fig2[name].sel(terminal=["L", "R"]).sum("terminal"))
        <= fig2[f"error_{name}"].sel(terminal=["L", "R"]).sum("terminal")
        for name in ("particle_current", "energy_current")
    ]
    imbalance = [
        _largest(fig2[name].sel(terminal=["L", "R"]).sum("terminal")) for name in ("particle_current", "energy_current")
    ]
    yield Check(
        id="conclusions-conservation",
        claim="With its two terminals the diode conserves particles and energy.",
        source="Conclusions",
        published=True,
        computed=all(bool(balanced.all()) for balanced in within) and bool((fig2.law_violation <= 1).all()),
        note=f"Map: |I_L + I_R| ≤ {imbalance[0]:.0e} and |J_L + J_R| ≤ {imbalance[1]:.0e} in the units of the figure, "
        "within the error bounds everywhere.",
    )

    scale = 1e9 * 2 * ELEMENTARY_CHARGE * BOLTZMANN / PLANCK_SI
    best = _largest(current)
    yield Check(
        id="conclusions-current-scale",
        claim="At millikelvin temperatures a few nA flow.",
        source="Conclusions",
        published=True,
        computed=scale * best * WARMEST_MILLIKELVIN / 1000 >= A_FEW_NANOAMPERES,
        erratum=CURRENT_SCALE,
        note=f"2ek_B/h = {scale:.4g} nA/K. The largest current of the map, {best:.4f} (2/h) k_BT, is "
        f"{scale * best:.2f} nA per kelvin: {scale * best:.2f} pA at 1 mK, {scale * best / 10:.2f} nA at 100 mK.",
    )


def _symmetry(fig2: xr.Dataset) -> Iterator[Check]:
    names = "rectification_particle", "rectification_heat"
    both = {name: (fig2[name].to_numpy(), fig2[f"error_{name}"].to_numpy()) for name in names}
    counts = [_diagonal(value)[_diagonal(error) < RESOLVED] for value, error in both.values()]
    yield Check(
        id="fig2-symmetric-no-rectification",
        claim="R_I = R_J = 0 for symmetric barriers, ε₁ = ε₃.",
        source="text on Fig. 2(a)–(d)",
        published=0.0,
        computed=max(_largest(values) for values in counts),
        tolerance=WIDE_BAND,
        note="Largest |R| on the diagonal of the map; at ε₁ = ε₃ = μ no particle current flows and R_I is not defined.",
    )

    index = np.arange(len(LEVELS))
    off_diagonal = index[:, None] != index
    off_both = off_diagonal & (index[:, None] + index != len(LEVELS) - 1)
    finite = [np.abs(value) > error for value, error in both.values()]
    above = both["rectification_particle"][0][index[:, None] < index]
    yield Check(
        id="fig2-asymmetric-rectification",
        claim="R_I and R_J are finite for ε₁ ≠ ε₃, where inversion symmetry is broken.",
        source="text on Fig. 2(a)–(d)",
        published=True,
        computed=finite[0][off_diagonal].all() and finite[1][off_both].all(),
        note=f"R_I is beyond its error bound at all {off_diagonal.sum()} points of the map with ε₁ ≠ ε₃, R_J at all "
        f"{off_both.sum()} that are not on the antisymmetric line either. With ε₁ < ε₃ R_I is positive at "
        f"{np.sum(above > 0)} and negative at {np.sum(above < 0)} points, so it vanishes on lines between them, too.",
    )

    alone = barrier_alone(LEVELS)
    particle, heat = (
        forward_and_backward(alone, "particle_current")[:, 0],
        forward_and_backward(alone, "heat_current")[:, 0],
    )
    yield Check(
        id="fig2-opposite-thermoelectric-responses",
        claim="On the antisymmetric line the thermoelectric responses of the barriers are opposite.",
        source="text on Fig. 2(a)",
        published=0.0,
        computed=_largest(particle + particle[::-1]),
        tolerance=WIDE_BAND,
        note="Largest sum of the currents through one barrier at ε and at 2μ − ε alone, between T + ΔT and T; the "
        f"currents themselves reach {_largest(particle):.3f}.",
    )
    yield Check(
        id="fig2d-barriers-conduct-heat-equally",
        claim="The barriers conduct heat alike where ε₁ − μ = ±(ε₃ − μ).",
        source="text on Fig. 2(d)",
        published=0.0,
        computed=_largest(heat - heat[::-1]),
        tolerance=WIDE_BAND,
        note="Largest difference between the heat through one barrier at ε and at 2μ − ε alone, between T + ΔT and T; "
        f"equal levels conduct alike anyway. The heat currents reach {_largest(heat):.3f}.",
    )


def _antisymmetric_line(fig2: xr.Dataset) -> Iterator[Check]:
    current, mu, T = (
        _antidiagonal(forward_and_backward(fig2, name))
        for name in ("particle_current", "probe_mu", "probe_temperature")
    )
    at_equilibrium = {"left": LEVELS, "right": -LEVELS, "T_L": 1.0, "T_R": 1.0, **RESONANCES_ALIKE}
    forward, backward = (slopes({terminal: 1.0}, **at_equilibrium) for terminal in ("T_L", "T_R"))
    yield Check(
        id="fig2-linear-response-vanishes",
        claim="On the antisymmetric line the particle current has no linear term, forward or backward.",
        source="text on Fig. 2(a)",
        published=0.0,
        computed=max(_largest(forward.current_slope), _largest(backward.current_slope)),
        tolerance=WIDE_BAND,
        note="Largest |L⁽¹⁾| on the line, by differentiating the self-consistent current at equilibrium; the current "
        f"itself reaches {_largest(current):.4f} at ΔT = T.",
    )
    yield Check(
        id="fig2-probe-temperature-equal",
        claim="On the antisymmetric line T_p is the same forward and backward.",
        source="text on Fig. 2(a)",
        published=0.0,
        computed=_largest(T[:, 0] - T[:, 1]),
        tolerance=WIDE_BAND,
        note="Largest difference on the line; exact in an infinitely deep band.",
    )
    place = int(np.argmin(np.abs(LEVELS + CUT_A)))
    yield Check(
        id="fig2-probe-temperature",
        claim="On the antisymmetric line T_p = T + ΔT/2.",
        source="text on Fig. 2(a)",
        published=1.0 + DELTA_T / 2,
        computed=float(T[place, 0]),
        tolerance=1e-6,
        erratum=PROBE_TEMPERATURE,
        note=f"At ε₁ − μ = {LEVELS[place]:g}, ΔT = T. On the line T_p/T lies between {T.min():.4f} and {T.max():.4f}.",
    )
    yield Check(
        id="fig2-probe-temperature-first-order",
        claim="On the antisymmetric line T_p = T + ΔT/2, to first order in ΔT.",
        source="text on Fig. 2(a), as corrected",
        published=0.5,
        computed=float(
            max(
                np.concatenate([forward.probe_temperature_slope, backward.probe_temperature_slope]),
                key=lambda slope: abs(slope - 0.5),
            )
        ),
        tolerance=WIDE_BAND,
        note="dT_p/dΔT at equilibrium, where on the line and in which direction it is farthest from 1/2.",
    )
    yield Check(
        id="fig2-probe-mu-opposite",
        claim="On the antisymmetric line μ_p is opposite forward and backward: μ_p^F + μ_p^B = 2μ.",
        source="text on Fig. 2(a)",
        published=0.0,
        computed=_largest(mu.sum(axis=1)),
        tolerance=WIDE_BAND,
        note=f"Largest |μ_p^F + μ_p^B − 2μ| on the line, |μ_p − μ| reaching {_largest(mu):.3f}; exact in an infinitely "
        "deep band.",
    )
    yield Check(
        id="fig2-antisymmetric-currents-equal",
        claim="On the antisymmetric line I^F = I^B.",
        source="text on Fig. 2(e)",
        published=0.0,
        computed=_largest(current[:, 0] - current[:, 1]),
        tolerance=WIDE_BAND,
        note="Largest difference on the line; exact in an infinitely deep band.",
    )
    falling, rising = current[LEVELS > 0], current[LEVELS < 0]
    yield Check(
        id="fig2-bipolar-sign-tunable",
        claim="The sign of the bipolar current on the antisymmetric line can be tuned.",
        source="text on Fig. 2(e)",
        published=True,
        computed=np.all(rising > 0) and np.all(falling < 0),
        note="I^F and I^B are positive everywhere on the line with ε₁ < μ < ε₃, negative with ε₃ < μ < ε₁.",
    )


def _cut_a(fig2a: xr.Dataset) -> Iterator[Check]:
    linear = fig2a.particle_current_linear.to_numpy()
    yield Check(
        id="intro-linear-response-reciprocal",
        claim="To linear order the current flips its sign and keeps its size when hot and cold are exchanged.",
        source="Introduction",
        published=0.0,
        computed=_largest(linear.sum(axis=1)),
        tolerance=1e-10,
        note=f"Largest |I_lin^F + I_lin^B| along cut a, each from a derivative of its own; they reach "
        f"{_largest(linear):.3f}.",
    )
    zeros = fig2a.zero_of_particle_current.sel(direction=["forward", "backward"]).to_numpy()
    yield Check(
        id="fig2a-currents-vanish-apart",
        claim="Near the antisymmetric point the zeros of I^F and I^B are apart.",
        source="text on Fig. 2(a), inset",
        published=True,
        computed=bool(np.all(np.isfinite(zeros)) and abs(zeros[0] - zeros[1]) > WIDE_BAND),
        note=f"At ε₃ − μ = {CUT_A}: I^F = 0 at ε₁ − μ = {zeros[0]:.9f}, I^B = 0 at {zeros[1]:.9f}.",
    )

    at_zeros = diode_tests(np.resize(zeros, len(CUT_LEVELS)), (CUT_A, CUT_B)).rectification_particle.to_numpy()[:2, 0]
    yield Check(
        id="fig2a-ideal-diode",
        claim="Where one direction carries no current R_I = 1.",
        source="text on Fig. 2(a)",
        published=1.0,
        computed=float(np.min(at_zeros)),
        tolerance=WIDE_BAND,
        note="The smaller R_I of the two zeros.",
    )
    others = DELTA_T * np.array([0.5, 0.9, 1.1, 1.5])
    levels = {"right": CUT_A, **RESONANCES_ALIKE}
    at_forward_zero = slopes({}, left=zeros[0], T_L=1 + others, T_R=1.0, **levels).current
    at_backward_zero = slopes({}, left=zeros[1], T_L=1.0, T_R=1 + others, **levels).current
    smallest = float(np.min(np.abs([at_forward_zero, at_backward_zero])))
    yield Check(
        id="fig2a-ideal-diode-at-one-temperature",
        claim="The diode that is ideal at one ΔT is not so at others.",
        source="text on Fig. 2(a)",
        published=True,
        computed=smallest > WIDE_BAND,
        note=f"At the zeros of ΔT = T, the current that vanished is at least {smallest:.1e} in size for ΔT/T = "
        f"{', '.join(f'{other:g}' for other in others)}.",
    )
    current, error = (
        forward_and_backward(fig2a, "particle_current"),
        forward_and_backward(fig2a, "error_particle_current"),
    )
    resolved = np.all(np.abs(current) > error, axis=-1)
    same_sign = np.prod(np.sign(current), axis=-1) > 0
    levels = fig2a.epsilon_1.to_numpy()
    between = (levels > zeros.min()) & (levels < zeros.max())
    yield Check(
        id="fig2a-bipolar-window",
        claim="From one zero to the other the current does not care which side is heated.",
        source="text on Fig. 2(a); Abstract",
        published=True,
        computed=bool(resolved.all()) and np.array_equal(same_sign, between),
        note=f"Both currents are positive at all {between.sum()} points of cut a between the zeros, "
        f"{np.ptp(zeros):.4f} k_BT apart, and opposite at all others.",
    )


def _widths(fig2e: xr.Dataset) -> Iterator[Check]:
    published = 2.0
    epsilon, half_width, largest = (
        fig2e.attrs[f"largest_particle_current{suffix}"] for suffix in ("_epsilon", "_half_width", "")
    )
    ridge = fig2e.half_width_of_maximum.dropna("epsilon")
    yield Check(
        id="fig2e-half-width-of-maximum",
        claim="The bipolar current is largest for Γ ≈ 2 k_BT.",
        source="text on Fig. 2(e)",
        published=published,
        computed=half_width,
        tolerance=1.0,
        note=f"Largest current of all, I = {largest:.8f}, at ε − μ = {epsilon:.6f}, Γ = {half_width:.6f}; tolerance: "
        "one unit of the only digit, as the paper writes ≈ (it does not round to 2). The best Γ depends on ε and grows "
        f"from {float(ridge[0]):.2f} at ε − μ = {float(ridge.epsilon[0]):g} to {float(ridge[-1]):.2f} at "
        f"{float(ridge.epsilon[-1]):g}, passing 2 at {np.interp(published, ridge, ridge.epsilon):.2f}.",
    )
    at_published = float(fig2e.particle_current.sel(half_width=published, method="nearest").max())
    yield Check(
        id="fig2e-current-near-its-maximum",
        claim="At Γ = 2 k_BT the bipolar current is about as large as it gets.",
        source="text on Fig. 2(e)",
        published=1.0,
        computed=at_published / largest,
        tolerance=0.05,
        note="Largest current over ε at Γ = 2 k_BT, as a fraction of the largest of all.",
    )


def _heat(datasets: Datasets) -> Iterator[Check]:
    fig2, cuts = datasets["fig2"], (datasets["fig2a"], datasets["fig2b"])
    heat, error = forward_and_backward(fig2, "heat_current"), forward_and_backward(fig2, "error_heat_current")
    smallest = float(np.min(np.abs(heat)))
    yield Check(
        id="fig2b-heat-keeps-its-sign",
        claim="Heat never reverses: it flows from hot to cold.",
        source="text on Fig. 2(b)",
        published=True,
        computed=bool(np.all(heat[..., 0] > error[..., 0]) and np.all(heat[..., 1] < -error[..., 1])),
        note=f"J^F > 0 > J^B on the whole map; the smallest |J| is {smallest:.3f}.",
    )
    entropy = fig2.entropy_production
    yield Check(
        id="fig2b-second-law",
        claim="The second law fixes the direction of heat.",
        source="text on Fig. 2(b)",
        published=True,
        computed=bool((entropy > fig2.error_entropy_production).all()),
        note=f"The entropy production is positive on the whole map; the smallest is {float(entropy.min()):.3f}. At "
        "equal μ it is the heat taken from the hot terminal times 1/T − 1/(T + ΔT).",
    )
    rectification = np.abs(fig2.rectification_heat)
    yield Check(
        id="fig2d-no-bipolar-thermal-diode",
        claim="There is no bipolar thermal diode at equal electrochemical potentials.",
        source="text on Fig. 2(b)",
        published=True,
        computed=bool((rectification + fig2.error_rectification_heat < 1).all()),
        note=f"|R_J| ≤ {float(rectification.max()):.4f} on the map.",
    )
    place = [fig2.attrs[f"largest_rectification_heat_epsilon_{i}"] for i in (1, 3)]
    yield Check(
        id="fig2d-largest-heat-rectification",
        claim="R_J reaches about 15 %.",
        source="text on Fig. 2(d)",
        published=0.15,
        computed=fig2.attrs["largest_rectification_heat"],
        tolerance=0.005,
        note=f"Largest |R_J| of the map, at (ε₁, ε₃) − μ = ({place[0]:.4f}, {place[1]:g}) and its mirror images, on "
        f"the edge; {float(rectification.max()):.6f} at the points of the map. Tolerance: half a unit of the last "
        "digit.",
    )
    values = fig2.rectification_heat.to_numpy()
    yield Check(
        id="fig2d-lines-without-heat-rectification",
        claim="R_J = 0 for ε₁ − μ = ±(ε₃ − μ).",
        source="text on Fig. 2(d)",
        published=0.0,
        computed=max(_largest(_diagonal(values)), _largest(_antidiagonal(values))),
        tolerance=WIDE_BAND,
        note=f"Largest |R_J| on the two lines: {_largest(_diagonal(values)):.0e} where the signs agree, "
        f"{_largest(_antidiagonal(values)):.0e} where they differ (exact in an infinitely deep band).",
    )
    deep = diode_tests(CUT_LEVELS, (CUT_A, CUT_B), band_bottom=-np.inf)
    moved = max(
        _largest(forward_and_backward(cut, name) - forward_and_backward(deep.isel(epsilon_3=number), name))
        for number, cut in enumerate(cuts)
        for name in ("particle_current", "heat_current")
    )
    yield Check(
        id="fig2-band-bottom-negligible",
        claim="With μ = 40 k_BT above it, the band bottom has no effect.",
        source="caption of Fig. 2",
        published=0.0,
        computed=moved,
        tolerance=WIDE_BAND,
        note="Largest change of a particle or heat current along the two cuts when the band bottom goes to −∞.",
    )
