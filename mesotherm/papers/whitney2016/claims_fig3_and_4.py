"""Claims about Figs. 3 and 4: other devices, the same features."""

from collections.abc import Iterator

import numpy as np

from mesotherm.papers.reproduction import Check, Datasets
from mesotherm.papers.whitney2016.claims_fig2 import CANCELLED
from mesotherm.papers.whitney2016.machine import (
    COLD,
    HOT,
    RATIOS,
    T_0,
    T_H,
    curve,
    excess,
    flows,
    heat_in,
    largest_other,
    ranges,
    setup,
    thermocouple,
    zero_points,
)

SOURCE = "Sec. 4, on Fig. 3"

FREEZING = np.array([0.1, 0.12, 0.15, 0.2, 0.25, 0.3])
"""T_C/T_0 at and below the cold end of Fig. 3."""


def check_3(datasets: Datasets) -> Iterator[Check]:
    """Everything said about Fig. 3."""
    dataset = datasets["fig3"]
    yield from _heat_in_of_fig3(dataset)
    yield from _cold_dot_of_fig3()
    yield from _transferred_heat_of_fig3(dataset)
    yield from _charging_of_fig3(dataset)


def _heat_in_of_fig3(dataset):
    points = zero_points(setup("3"), dataset, heat_in)
    places = dataset.heat_in_zero.to_numpy().tolist()
    heat, power = dataset.heat_in.to_numpy(), dataset.power.to_numpy()
    where = " and ".join(f"{x:.10f}" for x in places)
    yield Check(
        "fig3-zeros-of-heat-in",
        "J_in vanishes at two points.",
        SOURCE,
        2,
        len(places),
        0.0,
        note=f"At T_C/T_0 = {where}.",
    )
    aligned = setup("3", level_M=0.0, level_H=0.0, level_C=0.0)
    unshifted = [float(point.ratio) for point in zero_points(aligned, curve(aligned), heat_in)]
    yield Check(
        "fig3-levels-make-the-second-zero",
        "The second zero comes from the shift of the levels away from the chemical potentials.",
        SOURCE,
        True,
        len(places) == 2 and len(unshifted) == 1,
        note="The same device with all levels at the chemical potentials: zero of J_in at T_C/T_0 = "
        + " and ".join(f"{x:.6f}" for x in unshifted)
        + ".",
    )
    yield Check(
        "fig3-signs-of-heat-in",
        "From high to low T_C J_in is positive, negative between its zeros, and positive once more.",
        SOURCE,
        True,
        bool(heat[0] > 0 and heat[-1] > 0 and np.all((heat < 0) == ((places[0] < RATIOS) & (places[-1] > RATIOS)))),
        note=f"J_in = {heat[0]:.2e}, {np.min(heat):.2e} and {heat[-1]:.2e} γ² at 0.2, the minimum and 1.2.",
    )
    yield Check(
        "fig3-power-positive",
        "The power is positive everywhere.",
        SOURCE,
        True,
        bool(np.all(power > 0) and np.all(dataset.optimal_mu_R > 0)),
        note=f"At least {np.min(power):.3e} γ²; the optimal bias keeps its sign, so there is no zero between the "
        "points either.",
    )
    yield Check(
        "fig3-power-without-heat",
        "P_gen is finite where J_in = 0.",
        SOURCE,
        True,
        bool(np.all(dataset.power_at_heat_in_zero > 0)),
        note=" and ".join(f"{power:.6e}" for power in dataset.power_at_heat_in_zero.to_numpy()) + " γ².",
    )
    currents = [[float(at.energy_current.sel(terminal=name)) for name in ("L", "R")] for at in points]
    yield Check(
        "fig3-energy-currents-finite",
        "Both L and R have energy currents, in general.",
        SOURCE,
        True,
        bool(np.min(np.abs(currents)) > 1e-3 and np.all(np.abs(dataset.energy_current.sel(terminal=["L", "R"])) > 0)),
        note="At the zeros of J_in: " + "; ".join(f"{a:.3e}, {b:.3e}" for a, b in currents) + " γ².",
    )
    yield Check(
        "fig3-energy-currents-opposite",
        "I^E_L = −I^E_R where J_in vanishes (largest sum, as a fraction of J_trans).",
        SOURCE,
        0.0,
        max(abs(sum(pair)) / float(at.heat_transferred) for pair, at in zip(currents, points, strict=True)),
        CANCELLED,
        note="See fig3-energy-currents-finite for the two currents.",
    )
    beyond = excess(dataset).to_numpy() > 0
    yield Check(
        "fig3-bound-exceeded",
        "The power exceeds the bound on conventional thermocouples over a broad range.",
        "Sec. 7",
        True,
        bool(np.ptp(RATIOS[beyond]) > 0.5),
        note=f"For T_C/T_0 = {ranges(beyond)} on the grid, broad meaning half the range; not at T_C ≥ T_0, "
        "unlike in Fig. 2.",
    )


def _cold_dot_of_fig3():
    device = thermocouple("3")
    cold, warm = flows(device, FREEZING), flows(device, 1.0)
    fluctuations = cold.one_way[:, COLD] / warm.one_way[0, COLD]
    yield Check(
        "fig3-cold-dot-freezes",
        "With k_BT_C far below ε_C dot C hardly ever changes its occupation.",
        SOURCE,
        True,
        bool(np.all(np.diff(fluctuations) > 0) and fluctuations[0] < 1e-3),
        note="Rate of electrons through C at V = 0, over that at T_C = T_0: "
        + ", ".join(f"{value:.1e} at {x:g}" for x, value in zip(FREEZING, fluctuations, strict=True))
        + f"; ε_C/T_C = {7 / (FREEZING[0] * T_0):.2f} at {FREEZING[0]:g}.",
    )
    share = np.abs(cold.energy[:, COLD]) / cold.energy[:, HOT]
    total = cold.energy[:, HOT] + cold.energy[:, COLD]
    yield Check(
        "fig3-cold-reservoir-decouples",
        "At the cold end C takes no part: heat goes from H to the circuit alone, so that J_in > 0.",
        SOURCE,
        True,
        bool(np.all(np.diff(share) > 0) and share[0] < 0.01 and total[0] > 0),
        note="abs(J_C)/J_H at V = 0: "
        + ", ".join(f"{value:.1e} at {x:g}" for x, value in zip(FREEZING, share, strict=True))
        + f"; J_in = {total[0]:.2e} γ² at {FREEZING[0]:g}.",
    )


def _transferred_heat_of_fig3(dataset):
    source = "Sec. 4, on Fig. 3; Fig. 5, inset"
    through = dataset.heat_transferred.to_numpy()
    ratio = through / largest_other(dataset)
    yield Check(
        "fig3-transferred-heat-positive",
        "J_trans is positive at all T_C/T_0.",
        source,
        True,
        bool(np.all(through > 0)),
        note=f"At least {np.min(through):.4f} γ².",
    )
    yield Check(
        "fig3-transferred-heat-largest",
        "J_trans exceeds every other heat flow, whatever T_C/T_0.",
        source,
        True,
        bool(np.all(ratio > 1)),
        erratum="transferred-heat-of-fig3",
        note=f"Not so for T_C/T_0 = {ranges(ratio < 1)}: at 1.2 J_trans = {through[-1]:.4f}, "
        f"J_R = {float(dataset.heat_current.sel(terminal='R')[-1]):.4f} γ²; ratio at least {np.min(ratio):.2f}, "
        f"at most {np.max(ratio):.2f}.",
    )
    top = int(np.argmax(through))
    yield Check(
        "fig3-transferred-heat-drops",
        "J_trans drops for small T_C.",
        source,
        True,
        bool(top > 0 and np.all(np.diff(through[: top + 1]) > 0)),
        note=f"Largest, {through[top]:.4f} γ², at T_C/T_0 = {RATIOS[top]:.2f}; {through[0]:.4f} at 0.2.",
    )


def _charging_of_fig3(dataset):
    uncoupled = setup("3", charging_HC=0.0)
    other = curve(uncoupled)
    points = zero_points(uncoupled, other, heat_in)
    change = (other.power / dataset.power).to_numpy()
    same_signs = float(other.heat_in[0]) > 0 and float(other.heat_in[-1]) > 0 and len(points) == 2
    yield Check(
        "fig3-without-charging-HC",
        "With U_HC = 0 the curves keep their features.",
        SOURCE,
        True,
        bool(
            same_signs
            and all(float(at.power) > 0 for at in points)
            and np.all(other.power > 0)
            and np.all(other.heat_transferred > 0)
        ),
        note="With U_HC = 0: two zeros of J_in at "
        + " and ".join(f"{float(at.ratio):.4f}" for at in points)
        + ", P there "
        + " and ".join(f"{float(at.power):.2e}" for at in points)
        + " γ², P > 0 and J_trans > 0 everywhere; P changes by a factor between "
        f"{np.min(change):.2f} and {np.max(change):.2f}.",
    )
    device = thermocouple("3")
    both = (device.states()[:, 1] == 1) & (device.states()[:, 2] == 1)
    here, there = (flows(thermocouple(figure), 1.0).populations[0] for figure in ("3", "2"))
    yield Check(
        "fig3-all-states-active",
        "All eight states matter, unlike for U_HC to infinity.",
        SOURCE,
        True,
        bool(np.sum(here[both]) > 10 * np.sum(there[both]) and np.min(here) > np.max(there[both])),
        note=f"V = 0, T_C = T_0: H and C both filled with probability {np.sum(here[both]):.4f} (in Fig. 2 "
        f"{np.sum(there[both]):.1e}; judged against ten times that); the least probable of the eight states has "
        f"{np.min(here):.4f}.",
    )
    yield Check(
        "fig3-charging-HC-of-order-of-temperature",
        "U_HC and the temperatures are of one order.",
        SOURCE,
        True,
        bool(RATIOS[0] * T_0 < 3.0 < T_H and 0.1 < 3.0 / T_0 < 10),
        note="U_HC = 3 γ, T_C from 1.6 to 9.6 γ, T_0 = 8 γ.",
    )


def check_4(datasets: Datasets) -> Iterator[Check]:
    """Everything said about Fig. 4."""
    dataset, ideal = datasets["fig4"], curve(setup("2"))
    source = "Sec. 4, on Fig. 4"
    (exotic,), (model,) = (zero_points(setup(figure), one, heat_in) for figure, one in (("4", dataset), ("2", ideal)))
    share = float(exotic.power / model.power)
    yield Check(
        "fig4-power-without-heat",
        "There still is power at J_in = 0.",
        source,
        True,
        bool(dataset.power_at_heat_in_zero[0] > 0),
        note=f"P = {float(dataset.power_at_heat_in_zero[0]):.6e} γ² where J_in = 0, at T_C/T_0 = "
        f"{float(dataset.heat_in_zero[0]):.10f}.",
    )
    yield Check(
        "fig4-power-without-heat-reduced",
        "The power at J_in = 0 is much smaller than with perfect asymmetry.",
        source,
        True,
        share < 0.1,
        note=f"{share:.2e} of Fig. 2's; judged against 0.1.",
    )
    ends = float(dataset.power[-1] / ideal.power[-1])
    yield Check(
        "fig4-traditional-power-reduced",
        "The ordinary power, at J_in > 0, is much smaller as well.",
        source,
        True,
        ends < 0.1,
        note=f"At T_C/T_0 = 1.2, where J_in > 0 in both figures: {ends:.2e} of Fig. 2's; judged against 0.1.",
    )
    pair = [float(exotic.energy_current.sel(terminal=name)) for name in ("L", "R")]
    yield Check(
        "fig4-energy-currents-opposite",
        "I^E_L + I^E_R = 0 where J_in = 0 (as a fraction of J_trans).",
        source,
        0.0,
        sum(pair) / float(exotic.heat_transferred),
        CANCELLED,
        note=f"{pair[0]:.3e} and {pair[1]:.3e} γ².",
    )
    beyond = zero_points(setup("4"), dataset, excess)
    yield Check(
        "fig4-bound-exceeded",
        "The power exceeds the bound on conventional thermocouples, T_C = T_0 included.",
        "Sec. 7",
        True,
        float(excess(dataset).sel(cold_temperature_ratio=1.0)) > 0,
        note="Only for T_C/T_0 between " + " and ".join(f"{float(at.ratio):.6f}" for at in beyond) + ".",
    )
