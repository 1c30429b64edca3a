"""Claims about currents without bias (Secs. 3 and 5.1), and about small temperature differences (Sec. 8)."""

from collections.abc import Iterator

import numpy as np

from mesotherm.devices.coulomb_dots import CoulombDots
from mesotherm.papers.refine import zero_between
from mesotherm.papers.reproduction import Check
from mesotherm.papers.whitney2016.machine import (
    COLD,
    DEVICES,
    FIGURES,
    HOT,
    RATIOS,
    RIGHT,
    T_0,
    T_H,
    Flows,
    asymmetry,
    curve,
    flows,
    setup,
    thermocouple,
)

INFINITE = 800.0
"""A U_HC so large that the doubly occupied states are opened with a probability of exp(−50) only [γ]."""

SEED = 0
"""Of the random rates: they are the same in every run."""


def check_unbiased() -> Iterator[Check]:
    """Secs. 3, 5.1 and 8."""
    yield from _cycles()
    yield from _asymmetries()
    yield from _equation_13()
    yield from _equation_15()
    yield from _drag()
    yield from _small_differences()


def _into_circuit(found: Flows) -> np.ndarray:
    """J_in of every point; at V = 0 and for H and C energy is heat."""
    return found.energy[:, HOT] + found.energy[:, COLD]


def _transferred(found: Flows) -> np.ndarray:
    """J_trans of every point."""
    return found.energy[:, HOT] - found.energy[:, COLD]


def _cycles():
    device = thermocouple("2")
    energy = {
        "".join(map(str, state)): float(e) for state, e in zip(device.states().tolist(), device.energies(), strict=True)
    }
    hot = (energy["110"] - energy["100"]) - (energy["010"] - energy["000"])
    cold = (energy["101"] - energy["100"]) - (energy["001"] - energy["000"])
    for name, value, symbol, where in (("hot", hot, "MH", "Eq. 11a"), ("cold", cold, "MC", "Eq. 11b")):
        yield Check(
            f"eq11-{name}-cycle",
            f"The cycle of {where} exchanges U_{symbol} with reservoir {name[0].upper()} (Fig. 2).",
            where,
            float(DEVICES["2"][f"charging_{symbol}"]),
            value,
            1e-12,
            note="Energy of its electron with dot M filled, when it enters, minus with dot M empty, when it leaves.",
        )
    charging = (50.0, 100.0, 200.0, 400.0)
    both = []
    for value in charging:
        device = thermocouple("2", charging_HC=value)
        double = (device.states()[:, 1] == 1) & (device.states()[:, 2] == 1)
        both.append(float(flows(device, 1.0).populations[0, double].sum()))
    yield Check(
        "sec3-double-occupation-vanishes",
        "The larger U_HC, the less likely H and C are filled together; in the limit never.",
        "Sec. 3",
        True,
        bool(np.all(np.diff(both) < 0) and both[-1] < 1e-10),
        note="V = 0, T_C = T_0, Fig. 2: "
        + ", ".join(f"{p:.1e} at U_HC = {value:g}" for p, value in zip(both, charging, strict=True))
        + ".",
    )


def _asymmetries():
    for figure, published in (("2", -1.0), ("3", -1.0), ("4", -0.2)):
        both = [float(asymmetry(thermocouple(figure), dot)) for dot in ("H", "C")]
        farthest = max(both, key=lambda value: abs(value - published))
        yield Check(
            f"eq12-fig{figure}",
            f"Λ_H = Λ_C = {published:g} (the one farther from it).",
            "Sec. 4, after Eqs. 16 and 17",
            published,
            farthest,
            1e-12,
            note=f"Λ_H = {both[0]:.15g}, Λ_C = {both[1]:.15g}.",
        )
    left_0, left_1, right_0, right_1 = np.random.default_rng(SEED).uniform(size=(4, 10_000)) ** 3
    random = (left_1 * right_0 - left_0 * right_1) / ((left_0 + right_0) * (left_1 + right_1))
    yield Check(
        "eq12-largest",
        "The asymmetry −1 is maximal.",
        "Sec. 4, after Eq. 16",
        True,
        bool(np.max(np.abs(random)) <= 1),
        note=f"Among 10 000 random rates abs(Λ) is at most {np.max(np.abs(random)):.6f}; abs(ab − cd) ≤ (a + c)(b + d) "
        "for numbers that are not negative.",
    )
    dependent, constant = (1.0, 0.3, 0.6, 0.2), (1.0,) * 4
    cases = {
        "γ_L = γ_R, both depending on (h, c)": (dependent, dependent),
        "γ_L ∝ γ_R": (dependent, tuple(0.4 * rate for rate in dependent)),
        "neither depends on (h, c)": (constant, tuple(0.4 * rate for rate in constant)),
    }
    left = []
    for rate_L, rate_R in cases.values():
        found = flows(thermocouple("2", rate_L=rate_L, rate_R=rate_R), 0.5)
        left.append(float(abs(found.particle[0, RIGHT]) / found.one_way[0].max()))
    yield Check(
        "sec3-both-symmetries-broken",
        "A current from heat needs rates without electron-hole and without left-right symmetry (largest current "
        "otherwise, over the one-way flux).",
        "Sec. 3, before Eq. 12",
        0.0,
        max(left),
        1e-13,
        note=f"V = 0, T_C = T_0/2, Fig. 2 with other rates: {'; '.join(cases)}.",
    )


def _predicted(device: CoulombDots, found: Flows) -> float:
    """I^N_R at V = 0 from Eq. 13, for one point."""
    charging = dict(zip(device.pairs, np.asarray(device.charging_energies), strict=True))
    return float(
        asymmetry(device, "H") * found.energy[0, HOT] / charging["M-H"]
        + asymmetry(device, "C") * found.energy[0, COLD] / charging["M-C"]
    )


def _off(device: CoulombDots) -> float:
    """How far Eq. 13's prediction over the current is from one, T_C = T_0."""
    found = flows(device, 1.0)
    return abs(_predicted(device, found) / float(found.particle[0, RIGHT]) - 1)


def _equation_13():
    cases = [thermocouple(figure, charging_HC=INFINITE) for figure in FIGURES]
    for rate_L, rate_R in np.random.default_rng(SEED).uniform(0.1, 1.0, size=(5, 2, 4)):
        cases.append(thermocouple("2", rate_L=rate_L, rate_R=rate_R, charging_HC=INFINITE))
    yield Check(
        "eq13-infinite-charging",
        "Eq. 13 in the limit of large U_HC (largest relative deviation).",
        "Sec. 3, Eq. 13",
        0.0,
        max(_off(device) for device in cases),
        1e-9,
        note=f"V = 0, T_C = T_0, U_HC = {INFINITE:g} γ: devices of Figs. 2–4 and five with random γ_L and γ_R. "
        f"Fig. 2 at U_HC = 400: {_off(thermocouple('2', charging_HC=400.0)):.1e}.",
    )
    device = thermocouple("2")
    found = flows(device, 1.0)
    yield Check(
        "eq13-fig2-charging",
        "Eq. 13 at Fig. 2's U_HC = 100, which Sec. 4 compares with the limit of Sec. 3 (relative deviation).",
        "Sec. 3, Eq. 13; Sec. 4",
        0.0,
        _off(device),
        0.05,
        erratum="eq13-infinite-charging",
        note="V = 0, T_C = T_0: Eq. 13 gives "
        f"{_predicted(device, found):.4e}, the current is {found.particle[0, RIGHT]:.4e} γ. "
        f"At U_HC = 200 the deviation is {_off(thermocouple('2', charging_HC=200.0)):.1e}.",
    )


def _balanced(device: CoulombDots) -> tuple[float, Flows]:
    """T_C/T_0 at which J_in vanishes without bias, and the state there."""
    place = zero_between(lambda ratios: _into_circuit(flows(device, ratios)), RATIOS[0], 1.9)
    return place, flows(device, place)


def _equation_15():
    device = thermocouple("2", charging_HC=INFINITE)
    place, found = _balanced(device)
    through = _transferred(found)[0]
    predicted = 0.5 * (float(asymmetry(device, "H")) / 3.0 - float(asymmetry(device, "C")) / 6.0) * through
    current = float(found.particle[0, RIGHT])
    yield Check(
        "eq15",
        "Eq. 15 for the current where J_in = 0 (relative deviation, in the limit of large U_HC).",
        "Sec. 3, Eq. 15",
        0.0,
        abs(predicted / current - 1),
        1e-9,
        note=f"Fig. 2 with U_HC = {INFINITE:g}: J_in = 0 at T_C/T_0 = {place:.9f}, I^N_R = {current:.6e} γ.",
    )
    finite, at = _balanced(thermocouple("2"))
    unequal = float(at.particle[0, RIGHT])
    yield Check(
        "sec3-current-without-heat",
        "With U_MH and U_MC not equal a charge current flows where J_in = 0, V = 0.",
        "Sec. 3, after Eq. 15",
        True,
        abs(unequal) > 1e-4,
        note=f"Fig. 2 (U_HC = 100): I^N_R = {unequal:.4e} γ at T_C/T_0 = {finite:.9f}; in the limit of large U_HC "
        f"{current:.4e} γ.",
    )
    equal = thermocouple("2", charging_MC=3.0, charging_HC=INFINITE)
    _, at = _balanced(equal)
    yield Check(
        "sec3-equal-charging",
        "U_MH = U_MC implies I* = 0 (over the current for unequal ones).",
        "Sec. 3, after Eq. 15",
        0.0,
        float(at.particle[0, RIGHT]) / current,
        1e-9,
        note=f"U_MH = U_MC = 3 γ, U_HC = {INFINITE:g}; J_trans = {_transferred(at)[0]:.4f} γ² flows all the same.",
    )
    rates = np.asarray(equal.tunnel_rates)
    one, other = (equal.occupations.index(name) for name in ("10", "01"))
    yield Check(
        "sec3-equal-asymmetries",
        "U_MH = U_MC implies γ(1,0) = γ(0,1) and Λ_H = Λ_C.",
        "Sec. 3, after Eq. 15",
        True,
        bool(np.all(rates[:, one] == rates[:, other]) and asymmetry(equal, "H") == asymmetry(equal, "C")),
        note="True of rates that depend on (h, c) through the energy of dot M. Eqs. 16 and 17 have Λ_H = Λ_C for "
        "unequal charging energies as well.",
    )


def _drag():
    device = thermocouple("2", charging_HC=INFINITE)
    shares, least, through = np.linspace(0.1, 0.95, 18), np.inf, np.inf
    for share in shares:
        T_C = share * T_H

        def balance(circuit, T_C=T_C):
            return _into_circuit(flows(device, T_C / circuit, circuit=circuit))

        circuit = zero_between(balance, 1.0001 * T_C, 0.9999 * T_H)
        found = flows(device, T_C / circuit, circuit=circuit)
        least = min(least, float(abs(found.particle[0, RIGHT]) / found.one_way[0].max()))
        through = min(through, float(_transferred(found)[0]))
    yield Check(
        "sec5-drag-for-any-cold-bath",
        "Every T_C < T_H permits drag at J_in = 0.",
        "Sec. 5.1",
        True,
        least > 0 and through > 0,
        note=f"T_C/T_H from {shares[0]:g} to {shares[-1]:g}: each time there is a T_0 between them at which J_in = 0 "
        f"(V = 0, Fig. 2 at U_HC = {INFINITE:g}), where J_trans ≥ {through:.1e} γ² and abs(I_R) ≥ {least:.1e} of the "
        "one-way flux.",
    )
    ends = {figure: _end_of_transfer(thermocouple(figure)) for figure in FIGURES}
    yield Check(
        "sec5-drag-at-any-ratio",
        "J_trans > 0, which drags a current, at every T_C < T_H, whatever T_C/T_0.",
        "Sec. 5.1",
        True,
        all(end >= T_H / T_0 for end in ends.values()),
        erratum="drag-at-any-ratio",
        note="At V = 0 and the T_0 given J_trans changes sign at T_C/T_0 = "
        + ", ".join(f"{end:.4f} (Fig. {figure})" for figure, end in ends.items())
        + f"; T_C = T_H is at {T_H / T_0:g}. Up to 1.1 the claim holds in all of them.",
    )
    found = flows(thermocouple("2"), 1.0)
    yield Check(
        "sec5-no-work-without-bias",
        "At V = 0 a finite current flows and no work is done.",
        "Sec. 5.2",
        True,
        bool(abs(found.particle[0, RIGHT]) > 1e-4 and abs(found.energy[0].sum()) < 1e-15),
        note=f"Fig. 2, T_C = T_0: I^N_R = {found.particle[0, RIGHT]:.4e} γ; the heat currents sum to "
        f"{abs(found.energy[0].sum()):.0e} γ².",
    )


def _end_of_transfer(device: CoulombDots) -> float:
    """T_C/T_0 at which J_trans changes sign at V = 0."""
    return zero_between(lambda ratios: _transferred(flows(device, ratios)), 0.5, T_H / T_0)


def _small_differences():
    powers, places = {}, {}
    for difference in (0.01, 0.02, 0.1, 1.0):
        machine = setup("2").with_reservoir("H", T=T_0 * (1 + difference))

        def heat(ratios, machine=machine):
            return curve(machine, ratios).heat_in.to_numpy()

        places[difference] = zero_between(heat, 1 - 0.5 * difference, 1 - 0.01 * difference, accuracy=1e-9)
        powers[difference] = float(curve(machine, np.full(len(RATIOS), places[difference])).power[0])
    yield Check(
        "sec8-small-differences",
        "Small temperature differences suffice for power at J_in = 0.",
        "Sec. 8",
        True,
        powers[0.01] > 0,
        note="Fig. 2 with T_H = T_0(1 + δ): at J_in = 0 "
        + "; ".join(f"δ = {d:g}: T_C/T_0 = {places[d]:.6f}, P = {powers[d]:.2e}" for d in powers)
        + f" γ². From δ = 0.01 to 0.02 P grows by {powers[0.02] / powers[0.01]:.2f}: linear response, P ∝ δ².",
    )
    yield Check(
        "sec8-large-differences",
        "The effect is the larger, the more the temperatures differ.",
        "Sec. 8",
        True,
        bool(np.all(np.diff(list(powers.values())) > 0)),
        note="See sec8-small-differences.",
    )
