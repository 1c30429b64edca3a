"""Claims about Fig. 8."""

from collections.abc import Iterator

import numpy as np

from mesotherm.papers.mehring2024.claims_forces import OWN
from mesotherm.papers.mehring2024.model import ELECTRONVOLT_PER_KELVIN, HOPPING
from mesotherm.papers.reproduction import Check, Datasets


def check_8(datasets: Datasets) -> Iterator[Check]:
    """Everything said about Fig. 8, and what the wrong integrator makes of it."""
    right, wrong, potentials = datasets["fig8"], datasets["fig8_trap"], datasets["fig8b"]
    barrier = float(potentials.barrier.sel(response="linear"))
    yield Check("fig8-barrier", "Δε ≈ 1.3·10⁻³ γ₀.", "Sec. III E", 1.3e-3, barrier, 5e-5, note=f"{barrier:.4e}.")
    yield Check(
        "fig8-barrier-value",
        "The barrier out of the shallow well.",
        f"Fig. 8, {OWN}",
        1.3460644765e-3,
        barrier,
        1e-11,
        note=f"By Eq. 9 {float(potentials.barrier.sel(response='full')):.4e}.",
    )
    yield Check(
        "fig8-warmest", "2·10⁻³ is 1.5 Δε.", "Sec. III E", 1.5, 2e-3 / barrier, 0.05, note="k_BT₀ of Fig. 8(c)."
    )
    yield Check(
        "fig8-kelvin",
        "The barrier is 58 K.",
        "Sec. III E",
        58.0,
        1.3e-3 * HOPPING / ELECTRONVOLT_PER_KELVIN,
        1.0,
        note=f"The rounded 1.3·10⁻³ with γ₀ = 3.88 eV; {barrier * HOPPING / ELECTRONVOLT_PER_KELVIN:.1f} K without "
        "rounding.",
    )
    curve = potentials.effective_potential.sel(response="linear", bias=0.2)
    deep, shallow = (float(curve.sel(place=x, method="nearest")) for x in (1.666716842442, 0.344516616259))
    yield Check(
        "fig8-deep-well",
        "The well at x_st,2 is the global minimum.",
        "Sec. III E",
        True,
        deep < shallow and abs(float(curve.place[np.argmin(curve.to_numpy())]) - 1.6667) < 0.01,
        note=f"{1e3 * (shallow - deep):.2f}·10⁻³ γ₀ deeper than that at x_st,1.",
    )
    still = right.position_without_noise.sel(response="linear").isel(time=-1)
    yield Check(
        "fig8-without-noise",
        "Without noise the dot ends in the shallow well for ζ = 0.5, in the deep one for ζ = 0.1.",
        "Fig. 8",
        True,
        bool(still.sel(damping_ratio=0.5) < 0.5 and still.sel(damping_ratio=0.1) > 1.5),
        note=f"x = {still.values.round(5).tolist()}.",
    )
    shallow = right.shallow.sel(response="linear")
    strong = shallow.sel(damping_ratio=0.5).to_numpy()
    typical = "of 4000 trajectories end in the shallow well."
    yield Check(
        "fig8a-stays",
        "At 2·10⁻⁴ the dot with ζ = 0.5 stays in the shallow well.",
        "Fig. 8(a)",
        True,
        strong[0] > 0.5,
        note=f"{100 * strong[0]:.1f} % {typical}",
    )
    yield Check(
        "fig8a-part",
        "Part of all trajectories that do.",
        f"Fig. 8(a), {OWN}",
        0.93,
        float(strong[0]),
        0.015,
        note=f"± {float(right.error_shallow.sel(response='linear')[0, 1]):.4f}; three standard errors and rounding.",
    )
    by_9 = right.shallow.sel(response="full").to_numpy()
    yield Check(
        "fig8a-stays-full",
        "At 2·10⁻⁴ the dot with ζ = 0.5 stays in the shallow well.",
        "Fig. 8(a), Eq. 9",
        True,
        float(by_9[0, 1]) > 0.5,
        erratum="linear-response",
        note=f"{100 * by_9[0, 1]:.1f} % {typical} The barrier is {float(potentials.barrier.sel(response='full')):.2e}.",
    )
    yield Check(
        "fig8b-stays",
        "At 10⁻³ the dot with ζ = 0.5 stays in the shallow well.",
        "Fig. 8(b)",
        True,
        strong[1] > 0.5,
        erratum="noise-of-fig8",
        note=f"{100 * strong[1]:.2f} % {typical} After the first oscillations "
        f"{100 * float(right.shallow_first.sel(response='linear')[1, 1]):.0f} % are in it.",
    )
    yield Check(
        "fig8c-leaves",
        "At 2·10⁻³ it leaves the shallow well for the deep one.",
        "Fig. 8(c)",
        True,
        strong[2] < 0.5,
        note=f"{100 * strong[2]:.2f} % {typical}",
    )
    fooled = wrong.shallow.sel(damping_ratio=0.5).to_numpy()
    yield Check(
        "fig8-trap-temperature",
        "With a force drawn in every stage the temperature is 10/36 of the nominal one.",
        "Eq. 27, as part of a Runge–Kutta step",
        10 / 36,
        float(wrong.measured_temperature.isel(integrator=1).mean()),
        0.01,
        note=f"k⟨x²⟩/k_BT₀ before the bias; BAOAB: {float(wrong.measured_temperature.isel(integrator=0).mean()):.3f}.",
    )
    yield Check(
        "fig8-confined",
        "Without a bias the dot is confined by k_BT₀ and k: k⟨x²⟩ = k_BT₀.",
        "Sec. III E",
        1.0,
        float(wrong.measured_temperature.isel(integrator=0).mean()),
        0.02,
        note="4000 trajectories each, three temperatures, two ζ, by BAOAB.",
    )
    yield Check(
        "fig8-trap",
        "So integrated, the dot stays at 2·10⁻⁴ and 10⁻³ and leaves at 2·10⁻³.",
        "Fig. 8",
        True,
        bool(fooled[0] > 0.5 and fooled[1] > 0.5 and fooled[2] < 0.5),
        note=f"ζ = 0.5: {', '.join(f'{100 * part:.1f} %' for part in fooled)} {typical}",
    )
    weak = shallow.sel(damping_ratio=0.1).to_numpy()
    yield Check(
        "fig8-weak-damping",
        "With ζ = 0.1 it falls into the deep well.",
        "Fig. 8",
        True,
        bool(np.all(weak < 0.5)),
        note=f"{', '.join(f'{100 * part:.1f} %' for part in weak)} {typical}",
    )
