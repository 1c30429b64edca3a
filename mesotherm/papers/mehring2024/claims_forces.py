"""Claims about Figs. 2 and 3."""

from collections.abc import Iterator

import jax.numpy as jnp
import numpy as np

from mesotherm.mean_motion import move
from mesotherm.papers.mehring2024.forces import BIAS, LEVELS, PLACES_OF_3, first_order, forces_at, table_of_2
from mesotherm.papers.mehring2024.model import FIG_2, FIG_3
from mesotherm.papers.mehring2024.tables import rest, table_of
from mesotherm.papers.reproduction import Check, Datasets
from mesotherm.protocols import Constant

OWN = "computed independently"
"""Source of a number that the paper does not give."""

TOO_LARGE = {-1.5e-4: (24.0, 123.0), 1.25e-4: (17.0, 54.0)}
"""How many times larger Eq. 13 is than the integral, by μ₀ − E_dot in both ranges: the largest force, that at x = 0."""


def peaks(values) -> int:
    """How many maxima of the absolute value lie inside."""
    size = np.abs(np.asarray(values))
    return int(np.sum((size[1:-1] > size[:-2]) & (size[1:-1] > size[2:])))


def check_2(datasets: Datasets) -> Iterator[Check]:
    """Everything said about Fig. 2."""
    static, moving = datasets["fig2"], datasets["fig2c"]
    linear, full = static.sel(response="linear"), static.sel(response="full")
    symmetric, asymmetric = linear.sel(asymmetry=0.0), linear.sel(asymmetry=0.7)
    yield Check(
        "fig2-double-peak",
        "The force has two peaks along the position.",
        "Sec. III A",
        True,
        all(peaks(linear.force.sel(asymmetry=one, bias=BIAS)) == 2 for one in (0.0, 0.7)),
        note="Maxima between x = −2 and 3, both asymmetries.",
    )
    x = symmetric.position.isel(equilibrium=0).to_numpy()
    yield Check(
        "fig2-symmetric",
        "Without asymmetry the positions at V and −V are opposite.",
        "Sec. III A",
        0.0,
        float(x.sum()),
        1e-9,
        note=f"x = {x[0]:.9f} and {x[1]:.9f}; one position at each bias.",
    )
    yield Check(
        "fig2-position",
        "x_st at eV = 0.2, λ = 0.",
        f"Fig. 2(a), {OWN}",
        1.164718843285,
        float(x[0]),
        1e-9,
        note="The only zero of the whole force.",
    )
    there, back = (asymmetric.sel(bias=bias) for bias in (BIAS, -BIAS))
    nearest = there.position.isel(equilibrium=0).item() + back.position.isel(equilibrium=0).item()
    yield Check(
        "fig2-not-symmetric",
        "With asymmetry they are not.",
        "Sec. III A",
        True,
        abs(nearest) > 0.1,
        note=f"The position at −V is {back.position.values[0]:.6f}, those at V: see the next ones.",
    )
    yield Check(
        "fig2-several",
        "At λ = 0.7 and V > 0 there are a stable, an unstable and a stable position.",
        "Fig. 2(b)",
        True,
        there.stability.values.tolist() == [1, 0, 1],
        note=f"x = {there.position.values.round(9).tolist()}; one at −V.",
    )
    for n, (name, value) in enumerate(
        (("first", 0.344516616259), ("second", 0.839267485970), ("third", 1.666716842442))
    ):
        yield Check(
            f"fig2-{name}-position",
            f"The {name} position at λ = 0.7.",
            f"Fig. 2(b), {OWN}",
            value,
            float(there.position[n]),
            1e-9,
            note="Zero of the whole force of the table, refined.",
        )
    end = moving.position.isel(time=-1)
    settled = end.sel(response="linear", asymmetry=0.0, damping_ratio=0.1)
    yield Check(
        "fig2-motion-ends-at-rest",
        "From rest the dot reaches the position of panel (a).",
        "Fig. 2(c)",
        0.0,
        float(np.max(np.abs(settled.values - x))),
        1e-3,
        note="ζ = 0.1 at t = 20 000 ħ/γ₀.",
    )
    others = end.sel(response="linear", asymmetry=0.7)
    stable = asymmetric.position.where(asymmetric.stability == 1)
    yield Check(
        "fig2-motion-ends-at-rest-asymmetric",
        "The positions reached coincide with stable ones of panel (b).",
        "Fig. 2(d)",
        0.0,
        float(np.abs(others - stable).min("equilibrium").max()),
        1e-3,
        note="Distance to the next one; both biases, ζ = 0.1 and 0.2.",
    )
    for response, source, erratum in (("linear", "Fig. 2(d)", None), ("full", "Fig. 2(d), Eq. 9", "linear-response")):
        low, high = (
            float(end.sel(response=response, asymmetry=0.7, bias=BIAS, damping_ratio=ratio)) for ratio in (0.1, 0.2)
        )
        yield Check(
            f"fig2-damping-switches-{response}",
            "The damping ratio, 0.1 or 0.2, decides which position is reached.",
            source,
            True,
            abs(high - low) > 0.5,
            erratum=erratum,
            note=f"x = {low:.4f} with ζ = 0.1, {high:.4f} with ζ = 0.2.",
        )
    starts = (0.7, 1.0)
    table = table_of_2(0.7, "linear")
    mode = FIG_2.but(damping_ratio=0.5).mode
    reached = [float(move(mode, table, Constant(BIAS), [0.0, 2e4], position=x).position[-1]) for x in starts]
    yield Check(
        "fig2-initial-position",
        "Where the dot starts decides which position is reached, too.",
        "Sec. III A",
        True,
        abs(reached[0] - 0.3445) < 1e-3 and abs(reached[1] - 1.6667) < 1e-3,
        note=f"ζ = 0.5, at rest at x = {starts[0]:g} and {starts[1]:g}, on both sides of the unstable position: "
        f"x = {reached[0]:.4f} and {reached[1]:.4f}.",
    )
    yield Check(
        "fig2-critical-damping",
        "Damping ratio at which the position changes.",
        f"Fig. 2(d), {OWN}",
        0.12030127,
        float(moving.critical_damping_ratio),
        1e-7,
        note="Bisection; ζ = 0.1 and 0.2 lie on both sides.",
    )
    yield Check(
        "fig2-position-beyond-linear-response",
        "x_st at eV = 0.2, λ = 0, by Eq. 9.",
        f"Fig. 2(a), {OWN}",
        1.10418459,
        float(full.position.sel(asymmetry=0.0, bias=BIAS).isel(equilibrium=0)),
        1e-7,
        note="k_BT₀ = 1e-4; 0.06 a from that of linear response.",
    )
    weak = 0.02
    places = jnp.asarray(static.place.to_numpy())
    exact, first = (forces_at(FIG_2.driven(response), places, weak) for response in ("full", "linear"))
    off = np.asarray(exact - first)
    top = {BIAS: float(symmetric.force.max()), weak: float(symmetric.force.max()) * weak / BIAS}
    error = {
        BIAS: float(np.abs(full.force - linear.force).sel(asymmetry=0.0, bias=BIAS).max()),
        weak: float(np.max(np.abs(off))),
    }
    for bias, published, tolerance in ((BIAS, 16.0, 1.0), (weak, 1.4, 0.1)):
        yield Check(
            f"fig2-error-of-linear-response-{bias:g}",
            f"Largest error of the force of linear response at eV = {bias:g}, per cent of its maximum.",
            f"Eq. 12 beside Eq. 9, {OWN}",
            published,
            100 * error[bias] / top[bias],
            tolerance,
            note="Between x = −2 and 3, λ = 0.",
        )


def check_3(datasets: Datasets) -> Iterator[Check]:
    """Everything said about Fig. 3."""
    force = datasets["fig3"].force
    drive = float(force.delta_temperature)
    changes = {
        (response, asymmetry): int(np.sum(np.diff(np.sign(force.sel(response=response, asymmetry=asymmetry))) != 0))
        for response in LEVELS
        for asymmetry in (0.0, 0.7)
    }
    symmetric = force.sel(response="linear", asymmetry=0.0)
    yield Check(
        "fig3-like-a-bias",
        "Without asymmetry the force has two peaks and one sign.",
        "Sec. III A, Fig. 3",
        True,
        peaks(symmetric) == 2 and changes["linear", 0.0] == 0,
        note=f"Eq. 13 with μ₀ − E_dot = −1.5e-4: {float(symmetric.min()):.3e} to {float(symmetric.max()):.3e} γ₀/a.",
    )
    for response, erratum in (
        ("linear", None),
        ("first_order", "first-order-in-energy"),
        ("full", "first-order-in-energy"),
    ):
        yield Check(
            f"fig3-sign-change-{response}",
            "With λ = 0.7 the force changes its sign within a range of positions.",
            {"linear": "Fig. 3", "first_order": "Fig. 3, with the integral over energies", "full": "Fig. 3, Eq. 9"}[
                response
            ],
            True,
            changes[response, 0.7] == 2,
            erratum=erratum,
            note=f"{changes[response, 0.7]} zeros between x = −3 and 3.",
        )
    table = table_of(FIG_3.but(asymmetry=0.7), "linear", 3.0)
    settled = move(FIG_3.mode, table, Constant(drive), [0.0, 2e4]).position[-1]
    yield Check(
        "fig3-motion",
        "The dot moves as under a bias: from rest to a position at rest.",
        "Sec. III A",
        0.0,
        float(np.min(np.abs(rest(table, drive).position - settled))),
        1e-3,
        note=f"Eq. 13, λ = 0.7, ζ = 0.1: x = {float(settled):.4f} at t = 20 000 ħ/γ₀; one position at this δT.",
    )
    for asymmetry in (0.0, 0.7):
        by_13, integrated = (force.sel(response=name, asymmetry=asymmetry) for name in ("linear", "first_order"))
        ratio = float(np.abs(by_13).max() / np.abs(integrated).max())
        at_rest = float(np.abs(by_13.sel(place=0.0) / integrated.sel(place=0.0)))
        yield Check(
            f"fig3-expansion-{'symmetric' if asymmetry == 0 else 'asymmetric'}",
            "The expansion of the force kernels to first order in energy is sufficient.",
            "Eqs. 11, 13",
            True,
            0.9 < ratio < 1.1 and 0.9 < at_rest < 1.1,
            erratum="first-order-in-energy",
            note=f"λ = {asymmetry:g}: Eq. 13 over the integral: {ratio:.1f} (largest force), {at_rest:.1f} (x = 0).",
        )
    for offset, published in TOO_LARGE.items():
        device, places = FIG_3.but(mu=FIG_3.level + offset), jnp.asarray(PLACES_OF_3)
        by_13 = np.asarray(forces_at(device.driven("linear"), places, drive))
        integrated = drive * np.asarray(first_order(device.driven("full"), places)[0])
        middle = len(by_13) // 2
        found = by_13.max() / integrated.max(), by_13[middle] / integrated[middle]
        for where, number, computed in zip(("largest", "at-rest"), published, found, strict=True):
            yield Check(
                f"fig3-too-large-{where}-{'below' if offset < 0 else 'above'}",
                "Eq. 13 over the integral over energies, "
                + {"largest": "largest force.", "at-rest": "force at x = 0."}[where],
                f"Fig. 3, {OWN}",
                number,
                float(computed),
                0.5,
                note=f"μ₀ − E_dot = {1e4 * offset:g}e-4, λ = 0, both to first order in δT.",
            )
    yield Check(
        "fig3-at-the-level",
        "μ₀ ≈ E_dot gives two peaks, and a change of sign for λ = 0.7.",
        "caption of Fig. 3",
        True,
        is_as_described(0.0),
        erratum="fermi-energy",
        note="With μ₀ = E_dot; with −1.5e-4 less it does.",
    )
    ends = np.array([-2.278, -1.162, 0.856, 1.678])
    offsets = (ends[:, None] + [-1e-3, 1e-3]).ravel() * 1e-4
    found = [is_as_described(offset) for offset in offsets]
    yield Check(
        "fig3-range-of-fermi-energies",
        "What is described needs μ₀ − E_dot in (−2.278, −1.162)e-4 or (0.856, 1.678)e-4.",
        f"Fig. 3, {OWN}",
        True,
        found == [False, True, True, False, False, True, True, False],
        note="A thousandth to either side of every end, Eq. 13. Its sign changes where μ₀ − E_dot = (−0.15 ± 0.989) s "
        "with s = γ_L² + γ_R², which is at least 2γ² for λ = 0 and 2γ²(1 − λ²) else.",
    )


def is_as_described(offset: float) -> bool:
    """Whether Eq. 13 with μ₀ − E_dot gives two peaks of one sign for λ = 0 and a range with the other for λ = 0.7."""
    places = jnp.asarray(PLACES_OF_3)
    one, other = (
        np.asarray(forces_at(FIG_3.but(mu=FIG_3.level + offset, asymmetry=a).driven("linear"), places, FIG_3.T / 2))
        for a in (0.0, 0.7)
    )
    one_sign = bool(np.all(one > 0) or np.all(one < 0))
    return peaks(one) == 2 and one_sign and int(np.sum(np.diff(np.sign(other)) != 0)) == 2
