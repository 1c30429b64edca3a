"""Claims about the model that belong to no figure (Secs. 2 and 4)."""

from collections.abc import Iterator

import numpy as np

from mesotherm.papers.reproduction import Check
from mesotherm.papers.whitney2016.machine import (
    COLD,
    DEVICES,
    FIGURES,
    HOT,
    LEFT,
    PROBE,
    RATIOS,
    RIGHT,
    T_0,
    T_H,
    curve,
    flows,
    heat_in,
    setup,
    thermocouple,
    zero_points,
)
from mesotherm.papers.whitney2016.written_out import currents

BIASES = np.linspace(-40.0, 40.0, 4001)
"""μ_R tried one by one [γ]."""


def check_model() -> Iterator[Check]:
    """What the paper says of its equations, parameters and the optimal bias."""
    yield from _equations()
    yield from _conservation()
    yield from _parameters()


def _equations():
    worst = columns = 0.0
    for figure in FIGURES:
        for ratio, mu_R in ((0.3, 0.0), (0.7, -0.4), (1.0, 0.5), (1.2, 2.0)):
            mu = {"L": 0.0, "R": mu_R, "H": 0.0, "C": 0.0}
            T = {"L": T_0, "R": T_0, "H": T_H, "C": ratio * T_0}
            ours, loops = flows(thermocouple(figure), ratio, mu_R), currents(DEVICES[figure], mu, T)
            scale = np.max(loops.one_way)
            worst = max(worst, float(np.max(np.abs(ours.particle[0, :PROBE] - loops.particle)) / scale))
            worst = max(worst, float(np.max(np.abs(ours.energy[0, :PROBE] - loops.energy)) / (scale * T_0)))
            columns = max(columns, float(np.max(np.abs(loops.columns))), abs(loops.normalisation - 1))
    yield Check(
        "eq2-8-written-out",
        "Eqs. 1–8 (U counted once) give the currents (largest difference from them written out with loops, over the "
        "one-way flux).",
        "Eqs. 1–8",
        0.0,
        worst,
        1e-12,
        note="Devices of Figs. 2–4 at four T_C and biases.",
    )
    yield Check(
        "eq2-columns",
        "The columns of the matrix of Eq. 2 sum to zero, the probabilities to one (largest deviation).",
        "Sec. 2, Eqs. 2–4",
        0.0,
        columns,
        1e-12,
        note="Written out with loops, same points.",
    )
    yield Check(
        "sec2-eight-states",
        "Three dots have eight states.",
        "Sec. 2",
        8,
        len(thermocouple("2").states()),
        0.0,
        note="Each dot empty or filled.",
    )
    machine = setup("2", charging_MH=6.0, charging_MC=12.0, charging_HC=200.0)
    zeros = [float(at.ratio) for at in zero_points(machine, curve(machine), heat_in)]
    yield Check(
        "eq1-double-sum",
        "Eq. 1 with its double sum taken literally gives the zero of J_in of Fig. 2.",
        "Eq. 1 with Sec. 7",
        0.94,
        zeros[0],
        0.005,
        erratum="eq1-double-sum",
        note=f"With every U doubled J_in vanishes at T_C/T_0 = {zeros[0]:.6f} only; counted once it vanishes at "
        "0.941606, see fig2-zero-of-heat-in.",
    )
    yield _optimal_bias()


def _optimal_bias() -> Check:
    worst = -np.inf
    for figure in FIGURES:
        dataset = curve(setup(figure))
        for ratio in (0.2, 0.5, 0.8, 1.2):
            scanned = -BIASES * flows(thermocouple(figure), ratio, BIASES).particle[:, RIGHT]
            found = float(dataset.power.sel(cold_temperature_ratio=ratio))
            worst = max(worst, float(np.max(scanned)) / found - 1)
    return Check(
        "sec4-optimal-bias",
        "No bias gives more power than V_opt.",
        "Sec. 4",
        True,
        worst <= 1e-12,
        note=f"None of {len(BIASES)} biases of either sign gives more, at four T_C in Figs. 2–4; the best comes within "
        f"{-worst:.0e}.",
    )


def _conservation():
    particle = energy = first = both = thermal = product = 0.0
    for figure in FIGURES:
        dataset = curve(setup(figure))
        mu = dataset.optimal_mu_R.to_numpy()
        found = flows(thermocouple(figure), RATIOS, mu)
        flux = found.one_way.max(axis=1)
        heat = found.energy - mu[:, None] * found.particle * (np.arange(5) == RIGHT)
        particle = max(particle, float(np.max(np.abs(found.particle.sum(axis=1)) / flux)))
        energy = max(energy, float(np.max(np.abs(found.energy.sum(axis=1)) / (flux * T_0))))
        work = -mu * found.particle[:, RIGHT]
        first = max(first, float(np.max(np.abs(heat.sum(axis=1) - work) / (flux * T_0))))
        both = max(both, float(np.max(np.abs(found.particle[:, LEFT] + found.particle[:, RIGHT]) / flux)))
        thermal = max(thermal, float(np.max(np.abs(found.particle[:, [HOT, COLD]]) / flux[:, None])))
        product = max(product, float(np.max(np.abs(dataset.power.to_numpy() - work) / (flux * T_0))))
    source = "Sec. 2"
    over = "(largest on Figs. 2–4, over the one-way flux)"
    for name, claim, where, largest in (
        ("eq9-particles", "Particle currents sum to zero", "Eq. 9", particle),
        ("eq9-energy", "Energy currents sum to zero", "Eq. 9", energy),
        ("sec2-charge-current", "I_R = −I_L", source, both),
        ("sec2-no-charge-from-H-and-C", "M exchanges no charge with H and C", source, thermal),
        ("sec2-first-law", "The heat currents sum to −mu_R I^N_R", source, first),
        ("eq10-power", "P_gen = −mu_R I^N_R", "Eq. 10", product),
    ):
        note = f"At the optimal bias, {len(FIGURES) * len(RATIOS)} points; energies over the flux times T_0."
        yield Check(name, f"{claim} {over}.", where, 0.0, largest, 1e-13, note=note)


def _parameters():
    ratios = {}
    for figure in FIGURES:
        ratios[figure] = float(np.max(thermocouple(figure).tunnel_rates)) / (T_0 * RATIOS[0])
    yield Check(
        "sec4-rates-below-temperatures",
        "Every tunnelling rate is below every temperature (Figs. 2–5).",
        "Sec. 4; Sec. 2",
        True,
        max(ratios.values()) < 1,
        note=f"Largest rate over the lowest temperature: {max(ratios.values()):.3f}, at T_C/T_0 = 0.2 ('much smaller', "
        "Sec. 2, holds at T_0 and T_H: 0.125). With the probes of Fig. 6 it is not true, see "
        "fig6-rates-below-temperatures.",
    )
    yield Check(
        "sec2-temperatures",
        "T_H is larger than T_C and than T_0.",
        "Sec. 2",
        True,
        max(T_0, T_0 * RATIOS[-1]) < T_H,
        note=f"T_H = {T_H:g}, T_0 = {T_0:g}, T_C up to {T_0 * RATIOS[-1]:g} γ.",
    )
    left, right = (np.asarray(thermocouple("2").tunnel_rates[i]) for i in (LEFT, RIGHT))
    empty = np.array([name == "00" for name in thermocouple("2").occupations])
    yield Check(
        "eq16-decoupling",
        "M has no contact with R at h = c = 0, and none with L otherwise.",
        "Sec. 4, Eq. 16",
        True,
        bool(np.all((right == 0) == empty) and np.all((left == 0) == ~empty)),
        note=f"gamma_L = {left.tolist()}, gamma_R = {right.tolist()} for (h, c) = 00, 01, 10, 11.",
    )
    varied = np.asarray(thermocouple("4").tunnel_rates)[[LEFT, RIGHT]]
    yield Check(
        "eq17-variation",
        "γ_L and γ_R change by 1/3 with (h, c).",
        "Sec. 4, Eq. 17",
        1 / 3,
        float(np.max(np.ptp(varied, axis=1))),
        1e-12,
        note="Largest minus smallest, of gamma_L and of gamma_R, in units of gamma.",
    )
