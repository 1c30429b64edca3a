"""Claims about Fig. 5, and about entropy in general: Sec. 5.2."""

from collections.abc import Iterator

import numpy as np

from mesotherm.papers.reproduction import Check, Datasets
from mesotherm.papers.whitney2016.machine import FIGURES, RATIOS, T_0, T_H, curve, heat_in, ranges, setup, zero_points


def check_5(datasets: Datasets) -> Iterator[Check]:
    """Everything said about Fig. 5."""
    dataset = datasets["fig5"]
    source = "Fig. 5, caption"
    rates = {name: dataset.entropy_production.sel(terminal=name).to_numpy() for name in ("L", "R", "H", "C")}
    others = np.stack([rates[name] for name in ("L", "R", "H")])
    summed, largest = others.sum(axis=0), np.abs(others).max(axis=0)
    points = zero_points(setup("3"), dataset, heat_in)
    yield Check(
        "fig5-sum-of-L-R-H",
        "The entropy rates of L, R and H add up to less than zero.",
        source,
        True,
        bool(np.all(summed < 0)),
        erratum="entropy-of-fig5",
        note=f"True for T_C/T_0 = {ranges(summed < 0)} on the grid; {summed[-1]:.2e} γ at 1.2.",
    )
    yield Check(
        "fig5-L-R-H-small",
        "The entropy rates of L, R and H are small beside that of C.",
        source,
        True,
        bool(np.all(largest < rates["C"])),
        erratum="entropy-of-fig5",
        note=f"Each below that of C for T_C/T_0 = {ranges(largest < rates['C'])} only; at 1.2 "
        f"dS_R/dt = {rates['R'][-1]:.2e}, dS_C/dt = {rates['C'][-1]:.2e} γ; at best C has "
        f"{np.max(rates['C'] / largest):.1f} times the next.",
    )
    yield Check(
        "fig5-C-positive",
        "The entropy rate of C is positive.",
        source,
        True,
        bool(np.all(rates["C"] > 0)),
        note=f"From {np.min(rates['C']):.2e} to {np.max(rates['C']):.2e} γ.",
    )
    at = [{name: float(point.entropy_production.sel(terminal=name)) for name in rates} for point in points]
    yield Check(
        "fig5-without-heat",
        "At J_in = 0 S_C grows by more than all other entropies together fall.",
        "Sec. 5.2",
        True,
        all(e["L"] + e["R"] + e["H"] < 0 < sum(e.values()) and e["L"] + e["R"] < 0 for e in at),
        note="; ".join(
            f"T_C/T_0 = {float(point.ratio):.4f}: L, R, H, C " + ", ".join(f"{value:.2e}" for value in e.values())
            for point, e in zip(points, at, strict=True)
        ),
    )
    total = dataset.entropy_production_total.to_numpy()
    yield Check(
        "fig5-second-law",
        "The second law is obeyed.",
        source,
        True,
        bool(np.all(total > 0)),
        note=f"Total entropy production at least {np.min(total):.2e} γ.",
    )
    through = dataset.heat_transferred.to_numpy()
    correlation = float(np.corrcoef(total, through)[0, 1])
    tops = [int(np.argmax(values)) for values in (total, through)]
    single = all(
        np.all(np.diff(values[: top + 1]) > 0) and np.all(np.diff(values[top:]) < 0)
        for values, top in zip((total, through), tops, strict=True)
    )
    yield Check(
        "fig5-follows-transferred-heat",
        "Entropy production and J_trans have roughly the same course along T_C.",
        source,
        True,
        bool(single and correlation > 0.5),
        note=f"Both rise to one maximum and fall, at T_C/T_0 = {RATIOS[tops[0]]:.2f} and {RATIOS[tops[1]]:.2f}; "
        f"correlation {correlation:.2f}, judged against 0.5.",
    )
    yield _fig2_alike()


def _fig2_alike():
    dataset = curve(setup("2"))
    rates = dataset.entropy_production.sel(terminal=["L", "R", "H"])
    cold = dataset.entropy_production.sel(terminal="C")
    alike = bool(
        np.all(rates.sum("terminal") < 0)
        and np.all(np.abs(rates).max("terminal") < cold)
        and np.all(dataset.entropy_production_total > 0)
    )
    correlation = float(np.corrcoef(dataset.entropy_production_total, dataset.heat_transferred)[0, 1])
    return Check(
        "fig5-generic",
        "The features of Fig. 5 are those of the device of Fig. 2 as well.",
        "Fig. 5, caption",
        True,
        alike and correlation > 0.5,
        note="There L, R and H add up to less than zero, are each below C, and the total is positive at every T_C; "
        f"correlation of total and J_trans {correlation:.2f}.",
    )


def check_entropy() -> Iterator[Check]:
    """Eqs. 18 and 19 and what follows from them, on every point of Figs. 2–4."""
    curves = {figure: curve(setup(figure)) for figure in FIGURES}
    worst, margin = 0.0, np.inf
    for dataset in curves.values():
        T_C = T_0 * RATIOS
        heat, through, power = (dataset[n].to_numpy() for n in ("heat_in", "heat_transferred", "power"))
        total = dataset.entropy_production_total.to_numpy()
        equation_18 = heat / 2 * (2 / T_0 - 1 / T_H - 1 / T_C) + through / 2 * (1 / T_C - 1 / T_H) - power / T_0
        equation_19 = heat / 2 * (2 - T_0 / T_H - T_0 / T_C) + through / 2 * (T_0 / T_C - T_0 / T_H)
        worst = max(worst, float(np.max(np.abs(equation_18 / total - 1))))
        margin = min(margin, float(np.min(equation_19 - power)))
    yield Check(
        "eq18",
        "Eq. 18 gives the rate of entropy production (largest relative difference on Figs. 2–4).",
        "Eq. 18",
        0.0,
        worst,
        1e-9,
        note=f"{3 * len(RATIOS)} points.",
    )
    yield Check(
        "eq19",
        "P_gen is never above the right side of Eq. 19.",
        "Eq. 19",
        True,
        margin > 0,
        note=f"At least {margin:.2e} γ² below it on Figs. 2–4.",
    )
    points = [at for figure, one in curves.items() for at in zero_points(setup(figure), one, heat_in)]
    allowed = [float(at.heat_transferred) / 2 * (1 / float(at.ratio) - T_0 / T_H) for at in points]
    yield Check(
        "eq19-without-heat",
        "At J_in = 0 a positive P_gen obeys the second law, provided that J_trans > 0.",
        "Sec. 5.2, after Eq. 19",
        True,
        all(
            float(at.heat_transferred) > 0 and limit > float(at.power) > 0
            for limit, at in zip(allowed, points, strict=True)
        ),
        note="P and its limit: "
        + "; ".join(f"{float(a.power):.2e} < {b:.2e}" for a, b in zip(points, allowed, strict=True)),
    )
    drawn = [float(at.heat_current.sel(terminal=["L", "R"]).sum()) / float(at.power) - 1 for at in points]
    yield Check(
        "sec5-power-from-circuit-heat",
        "At J_in = 0 all of the power is heat drawn from L and R (largest relative difference).",
        "Sec. 5.2",
        0.0,
        float(np.max(np.abs(drawn))),
        1e-8,
        note="At the four places in Figs. 2–4.",
    )
    exchanged = [float(at.entropy_production.sel(terminal=["H", "C"]).sum()) for at in points]
    yield Check(
        "sec5-hot-to-cold-makes-entropy",
        "At J_in = 0 what H passes to C makes S_H + S_C grow while S_L + S_R falls.",
        "Sec. 5.2",
        True,
        all(e > 0 for e in exchanged)
        and all(float(at.entropy_production.sel(terminal=["L", "R"]).sum()) < 0 for at in points),
        note="d(S_H + S_C)/dt = " + ", ".join(f"{e:.2e}" for e in exchanged) + " γ.",
    )
    yield _carnot(curves)
    yield _sign_of_bound(curves)
    yield _second_law(curves)


def _carnot(curves):
    """Power against Carnot's share of all heat taken from reservoirs, between the hottest and the coldest of them."""
    largest = 0.0
    for dataset in curves.values():
        absorbed = dataset.heat_current.clip(min=0).sum("terminal").to_numpy()
        coldest = np.minimum(T_0, T_0 * RATIOS)
        largest = max(largest, float(np.max(dataset.power.to_numpy() / ((1 - coldest / T_H) * absorbed))))
    return Check(
        "sec1-efficiency-below-carnot",
        "The efficiency does not exceed Carnot's.",
        "Sec. 1",
        True,
        largest < 1,
        note="Power over Carnot's share (hottest against coldest reservoir) of all heat absorbed: at most "
        f"{largest:.3f} on Figs. 2–4. The bound exceeded in Sec. 7 counts J_in only.",
    )


def _sign_of_bound(curves):
    opposite = [
        ((dataset.carnot_bound < 0) == (np.sign(dataset.heat_in) != np.sign(dataset.effective_temperature - T_0))).all()
        for dataset in curves.values()
    ]
    return Check(
        "eq23-sign-of-bound",
        "η_Carnot J_in < 0 wherever J_in has not the sign of T_M − T_0.",
        "Sec. 7",
        True,
        all(map(bool, opposite)),
        note="On every point of Figs. 2–4, and only then.",
    )


def _second_law(curves):
    least = min(float(dataset.entropy_production_total.min()) for dataset in curves.values())
    return Check(
        "sec5-second-law",
        "Reservoirs and dots together produce entropy.",
        "Sec. 5.2",
        True,
        least > 0,
        note=f"At least {least:.2e} γ on Figs. 2–4.",
    )
