"""Claims about Fig. 6."""

from collections.abc import Iterator

import numpy as np

from mesotherm.mean_motion import move
from mesotherm.papers.mehring2024.claims_forces import OWN
from mesotherm.papers.mehring2024.hysteresis import AMPLITUDE, BIASES
from mesotherm.papers.mehring2024.model import CYCLE_TIME, FIG_4, FIG_6, Parameters
from mesotherm.papers.mehring2024.tables import stationary, table_of
from mesotherm.papers.reproduction import Check, Datasets
from mesotherm.protocols import Triangle

FAST = 0.01
"""Part of the cycle after a jump in which its energy is lost."""


def charge_of_cycle(parameters: Parameters, amplitude: float) -> float:
    """Charge of a cycle of 10⁶ ħ/γ₀ from rest, triangle, linear response."""
    table, cycle = table_of(parameters, "linear", 4.0), Triangle(amplitude, CYCLE_TIME)
    return float(move(parameters.mode, table, cycle, [0.0, CYCLE_TIME]).charge[-1, 0])


def check_6(datasets: Datasets) -> Iterator[Check]:
    """Everything said about Fig. 6."""
    static, moving = datasets["fig6"], datasets["fig6b"]
    slow = static.sel(response="linear")
    for side, published in (("low", 0.0757914688179), ("high", 0.1048386699200)):
        yield Check(
            f"fig6-window-{side}",
            f"The {side} end of the region of multiple solutions.",
            f"Fig. 6(a), {OWN}",
            published,
            float(slow.window.sel(side=side)),
            1e-10,
            note=f"eV/γ₀; by Eq. 9 {float(static.window.sel(response='full', side=side)):.6f}.",
        )
    several = (slow.stability >= 0).sum("equilibrium")
    biases = slow.bias.to_numpy()[several.to_numpy() > 1]
    yield Check(
        "fig6-window",
        "Between two biases there are two stable positions and one that is not, elsewhere one.",
        "Sec. III C, Fig. 6(a)",
        True,
        bool(
            biases.min() > float(slow.window.sel(side="low"))
            and biases.max() < float(slow.window.sel(side="high"))
            and set(several.values.tolist()) == {1, 3}
        ),
        note=f"Several from {biases.min():.3f} to {biases.max():.3f}, in steps of 0.001.",
    )
    jumps = (slow.jump_stop - slow.jump_start).to_numpy()
    for n, published in enumerate((0.687903459436, -0.656177823508)):
        yield Check(
            f"fig6-jump-{n + 1}",
            f"The jump δx_{n + 1}.",
            f"Fig. 6(a), {OWN}",
            published,
            float(jumps[n]),
            1e-8,
            note=f"At eV = {float(slow.jump_bias[n]):.9f}.",
        )
    leaves = [float(slow.window.sel(side=side)) for side in ("high", "low")]
    yield Check(
        "fig6-jumps-at-ends",
        "The dot jumps where it leaves the region: up at its high end, down at its low end.",
        "Sec. III C, Fig. 6(a)",
        0.0,
        float(np.max(np.abs(slow.jump_bias.to_numpy() - leaves))),
        1e-9,
        note="Biases of both jumps less the ends of the region.",
    )
    yield Check(
        "fig6-work-of-slow-cycle",
        "Work of an infinitely slow cycle: finite, whatever dV/dt.",
        f"Sec. III C, {OWN}",
        4.0887041e-3,
        float(slow.jump_dissipated.sum()),
        1e-9,
        note=f"All is lost in the jumps; by Eq. 9 {float(static.jump_dissipated.sel(response='full').sum()):.4e}.",
    )
    triangle = moving.sel(response="linear", protocol="triangle", asymmetry=FIG_6.asymmetry)
    yield Check(
        "fig6-work-of-triangle",
        "Work of the force in a cycle, triangle with τ = 10⁶.",
        f"Fig. 6(b), {OWN}",
        4.5685339e-3,
        float(triangle.cycle_work),
        1e-9,
        note="Of the second cycle, which repeats.",
    )
    lost = triangle.dissipation
    second = float(lost[-1] - lost.sel(time=CYCLE_TIME))
    yield Check(
        "fig6-all-work-is-dissipated",
        "W_F(τ) = E_dis(τ) without a load.",
        "Sec. III C, Eqs. 24, 25",
        0.0,
        float(triangle.cycle_work) / second - 1,
        1e-6,
        note=f"Energy is audited to {float(moving.audit.max()):.0e} all the way.",
    )
    high, low = (float(slow.window.sel(side=side)) for side in ("high", "low"))
    times = CYCLE_TIME / 4 * np.array([high / AMPLITUDE, 2 - low / AMPLITUDE])
    in_jumps = sum(
        float(np.interp(t + FAST * CYCLE_TIME, lost.time, lost) - np.interp(t - FAST * CYCLE_TIME / 2, lost.time, lost))
        for t in times
    )
    at_end = float(lost.sel(time=CYCLE_TIME))
    yield Check(
        "fig6-steps",
        "The dissipated energy has two steps, at the jumps.",
        "Fig. 6(b)",
        True,
        0.85 < in_jumps / at_end < 1,
        note=f"{100 * in_jumps / at_end:.0f} % of E_dis(τ) within 1.5 % of the cycle each around the jumps.",
    )
    charges = moving.charge.sel(response="linear", time=CYCLE_TIME)
    of = {name: float(charges.sel(protocol=name, asymmetry=FIG_6.asymmetry)) for name in ("triangle", "sine")}
    complete = float(moving.charge.sel(response="full", protocol="triangle", asymmetry=0.6, time=CYCLE_TIME))
    yield Check(
        "fig6-charge",
        "Q(τ) ≈ 140 e.",
        "Sec. III C, Fig. 6(c)",
        140.0,
        of["triangle"],
        5.0,
        erratum="charge-of-fig6",
        note=f"Triangle {of['triangle']:.2f}, sine {of['sine']:.2f}; by Eq. 9 {complete:.2f} (triangle).",
    )
    yield Check(
        "fig6-charge-with-spin",
        "Q(τ) ≈ 140 e.",
        "Fig. 6(c), with a factor 2 for spin",
        140.0,
        2 * of["triangle"],
        5.0,
        note="Triangle; the paper has no such factor.",
    )
    for name, published in (("triangle", 68.55), ("sine", 60.25)):
        yield Check(
            f"fig6-charge-{name}",
            f"Q(τ), {name} without spin.",
            f"Fig. 6(c), {OWN}",
            published,
            of[name],
            0.005,
            note="First cycle, from rest.",
        )
    yield Check(
        "fig6-no-charge-without-asymmetry",
        "No net charge for λ = 0.",
        "Fig. 6(c)",
        0.0,
        float(charges.sel(protocol="triangle", asymmetry=0.0)),
        1e-6,
        note="Dashed line of the figure.",
    )
    fourth = charge_of_cycle(FIG_4, 0.1)
    yield Check(
        "fig6-less-charge",
        "The charge is much smaller than that of Fig. 4(c).",
        "Sec. III C",
        True,
        of["triangle"] < 0.1 * fourth,
        note=f"{of['triangle']:.2f} and {fourth:.2f} e, triangles.",
    )
    weaker = charge_of_cycle(FIG_4.but(coupling=FIG_6.coupling), 0.1)
    stronger = charge_of_cycle(FIG_6.but(coupling=FIG_4.coupling), AMPLITUDE)
    yield Check(
        "fig6-less-charge-by-coupling",
        "... mainly since the coupling to the leads is weaker.",
        "Sec. III C",
        True,
        weaker < 0.2 * fourth and stronger > 5 * of["triangle"],
        note=f"Fig. 4(c) with γ = {FIG_6.coupling:g}: {weaker:.1f} e; Fig. 6(c) with γ = {FIG_4.coupling:g}: "
        f"{stronger:.1f} e.",
    )
    couplings = (0.1, 0.2, 0.3, FIG_4.coupling)
    most = [
        int(
            np.max(
                np.sum(stationary(table_of(FIG_6.but(coupling=c), "linear", 4.0), BIASES[150:])["stability"][1] >= 0, 0)
            )
        )
        for c in couplings
    ]
    yield Check(
        "fig6-needs-weak-coupling",
        "Several positions within these biases need a weak coupling, γ ≲ 0.2.",
        "Sec. III C",
        True,
        most[0] > 1 and most[1] > 1 and most[2] == 1 and most[3] == 1,
        note=f"γ = {', '.join(f'{c:g}' for c in couplings)}: at most {', '.join(map(str, most))} positions up to "
        "eV = 0.15, the rest as in Fig. 6.",
    )
