"""Claims about Figs. 7 and 9."""

from collections.abc import Iterator

import numpy as np

from mesotherm.papers.mehring2024.claims_forces import OWN
from mesotherm.papers.mehring2024.inversion import AMPLITUDE, PULSES_OF_9
from mesotherm.papers.mehring2024.model import CYCLE_TIME
from mesotherm.papers.reproduction import Check, Datasets


def check_7(datasets: Datasets) -> Iterator[Check]:
    """Everything said about Fig. 7."""
    static, moving = datasets["fig7"], datasets["fig7b"]
    linear = static.sel(response="linear")
    there, back = (linear.sel(bias=bias, method="nearest").position.to_numpy() for bias in (AMPLITUDE, -AMPLITUDE))
    for number, published, computed in ((2, 0.214570687529, there[0]), (4, -1.180037795514, back[0])):
        yield Check(
            f"fig7-position-{number}",
            f"Position ({number}).",
            f"Fig. 7(a), {OWN}",
            published,
            float(computed),
            1e-9,
            note="eV = ±0.1 γ₀.",
        )
    several = (linear.stability >= 0).sum("equilibrium").to_numpy()
    biases = linear.bias.to_numpy()
    region = biases[(several == 3) & (biases > 0)]
    yield Check(
        "fig7-two-regions",
        "Two symmetric regions with two stable positions, at V > 0 and V < 0.",
        "Sec. III D, Fig. 7(a)",
        True,
        bool(
            np.array_equal(several, several[::-1])
            and several[len(several) // 2] == 1
            and several.max() == 3
            and np.any(biases[several == 3] > 0)
        ),
        note=f"|eV| from {region.min():.3f} to {region.max():.3f}, in steps of 0.001.",
    )
    before_pulse_ends = {
        "positive": 0.499 * CYCLE_TIME,
        "negative": 0.999 * CYCLE_TIME,
    }
    for response, erratum in (("linear", None), ("full", "linear-response")):
        at = {
            (name, ratio): float(
                moving.position.sel(response=response, damping_ratio=ratio).sel(time=time, method="nearest")
            )
            for name, time in before_pulse_ends.items()
            for ratio in (0.2, 0.16)
        }
        same = abs(at["positive", 0.2] + at["negative", 0.2]) < 1e-3
        other = abs(at["positive", 0.16] + at["negative", 0.16]) > 0.5
        yield Check(
            f"fig7-damping-breaks-symmetry-{response}",
            "With ζ = 0.2 the dot takes opposite positions, with ζ = 0.16 it does not.",
            "Fig. 7(b)" + (", Eq. 9" if response == "full" else ""),
            True,
            same and other,
            erratum=erratum,
            note=f"ζ = 0.2: {at['positive', 0.2]:.4f}, {at['negative', 0.2]:.4f}; ζ = 0.16: "
            f"{at['positive', 0.16]:.4f}, {at['negative', 0.16]:.4f}.",
        )
    lower, upper, critical = moving.critical_damping_ratio.to_numpy()
    yield Check(
        "fig7-critical-damping",
        "Damping ratio below which the dot overcomes the barrier.",
        f"Fig. 7(b), {OWN}",
        0.1677107546,
        float(critical),
        1e-8,
        note=f"From rest at (2). By Eq. 9 {float(moving.critical_damping_ratio_full):.5f}.",
    )
    for name, published, computed in (("lower", 0.02744, lower), ("upper", 0.03669, upper)):
        yield Check(
            f"fig7-window-{name}",
            f"Between two smaller damping ratios the dot comes back to (3): {name} end.",
            f"Fig. 7, {OWN}",
            published,
            float(computed),
            1e-5,
            note="It passes the barrier and returns over it: lower damping is no guarantee of (4).",
        )
    charges = moving.charge.sel(response="linear").sel(time=[CYCLE_TIME, 2 * CYCLE_TIME], method="nearest").to_numpy()
    yield Check(
        "fig7-charge",
        "A net charge per cycle with ζ = 0.16, none with ζ = 0.2.",
        "Fig. 7(c)",
        True,
        bool(
            np.all(np.abs(charges[0]) < 0.01) and charges[1, 0] > 10 and abs(charges[1, 1] / charges[1, 0] - 2) < 0.01
        ),
        note=f"After one and two cycles {charges[0].round(4).tolist()} and {charges[1].round(3).tolist()} e.",
    )
    second = {
        ratio: float(
            moving.charge.sel(response="full", damping_ratio=ratio)
            .sel(time=[CYCLE_TIME, 2 * CYCLE_TIME], method="nearest")
            .diff("time")
            .item()
        )
        for ratio in (0.2, 0.16)
    }
    path = moving.position.sel(response="full", damping_ratio=0.16)
    places = [float(path.sel(time=t * CYCLE_TIME, method="nearest")) for t in (0.499, 0.999, 1.499, 1.999)]
    yield Check(
        "fig7-charge-full",
        "A net charge per cycle with ζ = 0.16, none with ζ = 0.2.",
        "Fig. 7(c), Eq. 9",
        True,
        abs(second[0.2]) < 0.01 and abs(second[0.16]) > 10,
        erratum="linear-response",
        note=f"Second cycle: {second[0.16]:.3f} e with ζ = 0.16, whose pulses end at x = "
        f"{', '.join(f'{x:.3f}' for x in places)}; {second[0.2]:.3f} e with ζ = 0.2.",
    )
    other = moving.charge_other_order.to_numpy()
    yield Check(
        "fig7-order",
        "The net current is inverted if the modulation is started with the other sign.",
        "Sec. III D, footnote 5",
        0.0,
        float(np.max(np.abs(other + charges))),
        1e-6,
        note=f"Ramp to −0.1, then −, +: {other[1, 0]:.3f} e in the first cycle with ζ = 0.16.",
    )
    slow = moving.slow_cycle_charge.to_numpy()
    yield Check(
        "fig7-slow-cycle",
        "A slow cycle of the bias transports no net charge.",
        "Sec. III D",
        0.0,
        float(np.max(np.abs(slow))),
        1e-6,
        note="Triangle up to |eV| = 0.15 and back in 10⁶ ħ/γ₀, through both regions, with either ζ; second cycle.",
    )
    path = moving.position.sel(response="linear", damping_ratio=0.16)
    ends = [float(path.sel(time=t, method="nearest")) for t in (-0.5 * CYCLE_TIME, 0.0)]
    yield Check(
        "fig7-ramp",
        "The ramp takes the dot from (1) to (2).",
        "Fig. 7(b)",
        0.0,
        abs(ends[0]) + abs(ends[1] - there[0]),
        1e-3,
        note=f"x = {ends[0]:.4f} and {ends[1]:.4f}.",
    )


def check_9(datasets: Datasets) -> Iterator[Check]:
    """Everything said about Fig. 9."""
    moving, potentials, mean, full = (datasets[name] for name in ("fig9", "fig9b", "fig9f", "fig9f_full"))
    barrier = float(potentials.barrier.sel(response="linear"))
    yield Check("fig9-barrier", "Δε ≈ 10⁻³ γ₀.", "caption of Fig. 9", 1e-3, barrier, 1.5e-4, note=f"{barrier:.4e}.")
    yield Check(
        "fig9-barrier-value", "The barrier.", f"Fig. 9(b), {OWN}", 1.0800515493e-3, barrier, 1e-11, note="Eq. 28."
    )
    yield Check(
        "fig9-two-wells-full",
        "At eV = 0.3 the potential has two wells.",
        "Fig. 9(b), Eq. 9",
        True,
        bool(np.isfinite(potentials.barrier.sel(response="full"))),
        erratum="linear-response",
        note=f"By Eq. 9 one; the charge of a cycle without noise is {float(full.charge[0]):.3f}.",
    )
    cycles = moving.cycle_charge.to_numpy()
    yield Check(
        "fig9-charge-without-noise",
        "Charge of a cycle at T₀ = 0.",
        f"Fig. 9(e), {OWN}",
        4.0062535,
        float(cycles[1]),
        1e-5,
        note=f"First cycle {cycles[0]:.7f}.",
    )
    yield Check(
        "fig9-order",
        "The current is inverted if the sequence starts with a negative pulse.",
        "Sec. III D, footnote 5",
        0.0,
        float(moving.cycle_charge_other_order + cycles[0]),
        1e-6,
        note=f"{float(moving.cycle_charge_other_order):.7f} e with −, +, 0.",
    )
    error = float(mean.error_charge_of_many)
    yield Check(
        "fig9-mean-charge",
        "Mean charge of a cycle at 2·10⁻⁴.",
        f"Fig. 9(f), {OWN}",
        2.497,
        float(mean.charge_of_many),
        4 * float(np.hypot(0.025, 0.016)),
        note=f"{float(mean.charge_of_many):.3f} ± {error:.3f}, {mean.attrs['many_cycles']} cycles; 4 standard errors.",
    )
    charge, deviation = mean.charge.to_numpy(), mean.error_charge.to_numpy()
    falls = np.diff(charge) < 2 * np.hypot(deviation[1:], deviation[:-1])
    yield Check(
        "fig9-decay",
        "The mean charge of a cycle decays with the temperature.",
        "Fig. 9(f)",
        True,
        bool(np.all(falls) and charge[-1] < 0.1 * charge[0]),
        note=f"From {charge[0]:.3f} to {charge[-1]:.3f} ± {deviation[-1]:.3f}, 1500 cycles each.",
    )
    off = np.abs(mean.end_position / mean.error_end_position)[1:]
    yield Check(
        "fig9-reset",
        "The third pulse brings the dot back to rest about x = 0.",
        "Sec. III E",
        True,
        bool(off.max() < 4 and abs(float(mean.end_position[0])) < 1e-3),
        note=f"Mean position of 1500 dots at the end of a cycle: within {float(off.max()):.1f} standard errors of zero "
        f"at every temperature, {float(mean.end_position[0]):.1e} without noise.",
    )
    cold, warm = (mean.sel(thermal_energy=T) for T in (2e-4, 1e-3))
    yield Check(
        "fig9-unaffected-at-2e-4",
        "At 2·10⁻⁴ the transported charge is that without noise.",
        "Sec. III E, Fig. 9(c, e)",
        True,
        float(cold.charge) > 0.95 * charge[0],
        erratum="noise-of-fig9",
        note=f"Mean {float(cold.charge):.3f} ± {float(cold.error_charge):.3f} e of {charge[0]:.3f}; the second pulse "
        f"ends in its well in {100 * float(cold.correct):.0f} % of all cycles. At 10/36 of the temperature, see "
        f"noise-of-fig8, the mean would be some {float(mean.charge.sel(thermal_energy=5e-5)):.2f}.",
    )
    yield Check(
        "fig9-cancelled",
        "Warmer, the charge of a cycle is cancelled more often.",
        "Sec. III E, Fig. 9(d)",
        True,
        float(warm.cancelled) > float(cold.cancelled) > 0,
        note=f"Less than half of the charge without noise: {100 * float(cold.cancelled):.0f} % of all cycles at "
        f"2·10⁻⁴, {100 * float(warm.cancelled):.0f} % at 10⁻³.",
    )
    yield Check(
        "fig9-stays-during-pulses",
        "At 10⁻³ the dot stays in its well while the bias is constant.",
        "Sec. III E, Fig. 9(d)",
        True,
        float(warm.left) < 0.05,
        erratum="noise-of-fig9",
        note=f"In {100 * float(warm.left):.0f} % of all cycles the dot is not in the same well in the middle and at "
        f"the end of the first pulse; at 2·10⁻⁴ in {100 * float(cold.left):.1f} %.",
    )
    yield Check(
        "fig9-inverted",
        "Warmer still, some cycles transport charge the other way.",
        "Sec. III E",
        True,
        float(warm.inverted) > 0.01,
        note=f"By more than half of the charge without noise: {100 * float(cold.inverted):.1f} % at 2·10⁻⁴, "
        f"{100 * float(warm.inverted):.1f} % at 10⁻³.",
    )
    yield Check(
        "fig9-mean-bias",
        "The bias has mean zero over a cycle.",
        "Sec. III E, Fig. 9(a)",
        True,
        float(np.sum(PULSES_OF_9.levels * PULSES_OF_9.durations)) == 0.0,
        note="Three pulses of equal length: +, −, 0.",
    )
