"""The datasets behind Figs. 3, 5 and 6."""

import numpy as np
import xarray as xr

from mesotherm.axes import Axis
from mesotherm.boundaries import boundary
from mesotherm.experiments import CoupledTransport, OperatingRegime, Setup, SteadyStateExperiment
from mesotherm.papers.ghosh2026.model import (
    ATTRACTION,
    BIASES,
    ENGINE,
    FORCE_PARTICLE_OF_6,
    FORCES_ENERGY,
    FORCES_PARTICLE,
    KAPPAS,
    PARAMETERS,
    coupled_dots,
    dots,
    engine,
    single_dot,
)
from mesotherm.papers.reproduction import Progress
from mesotherm.sweep import sweep

KEPT = ("regime", "flux_energy", "flux_particle", "particle_current", "energy_current", "entropy_production", "status")

FLUXES = ("particle", "energy")

TRIED = 21
"""Forces on particles between which the zero of a current is looked for; it grows with its own force."""


def force_map(setup: Setup, title: str, progress: Progress, energy=FORCES_ENERGY, particle=FORCES_PARTICLE):
    """Regimes, currents and entropy production over both forces at L, and where each current vanishes."""
    axes = [Axis("experiment.force_energy", energy), Axis("experiment.force_particle", particle)]
    regimes = sweep(CoupledTransport(terminal="L"), setup, axes, progress=progress).rename(transport="regime")
    kept = [name for name in map(str, regimes.data_vars) if name.removeprefix("error_") in KEPT]
    dataset = regimes[kept]
    tried = Axis("experiment.force_particle", np.linspace(particle[0], particle[-1], TRIED))
    for flux in FLUXES:
        found = boundary(CoupledTransport(terminal="L"), setup, f"flux_{flux}", tried, axes[0])
        dataset[f"boundary_{flux}"] = found.boundary.squeeze("crossing", drop=True)
    parameters = ", ".join(f"{name} = {value:g}" for name, value in PARAMETERS.items())
    dataset.attrs |= {"title": title, "parameters": parameters}
    return dataset


def figure_3(progress: Progress) -> dict[str, xr.Dataset]:
    """The single dot, and coupled dots with κ < −ε_b."""
    total = 2 * FORCES_ENERGY.size * FORCES_PARTICLE.size
    half = total // 2
    return {
        "fig3a": force_map(single_dot(), "Fig. 3 for the single dot", lambda done, _: progress(done, total)),
        "fig3b": force_map(
            coupled_dots(ATTRACTION),
            f"Fig. 3 for coupled dots, kappa = {ATTRACTION:g}",
            lambda done, _: progress(half + done, total),
        ),
    }


MACHINES = {"ideal": 0.0, "leaky": ENGINE["leak"]}
THIRD = {"hot": ENGINE["T_hot"], "cold": ENGINE["T_cold"]}

OF_MACHINES = (
    *("regime", "power", "efficiency", "coefficient_of_performance", "cooling_power", "second_law_efficiency"),
    *("carnot_efficiency", "carnot_performance", "particle_current", "heat_current", "entropy_production", "status"),
)


def figure_5(progress: Progress) -> dict[str, xr.Dataset]:
    """Engine (U hot) and refrigerator (U cold) against the bias, ideal and leaky, with the bias at which they stall."""
    total = len(MACHINES) * len(THIRD) * BIASES.size
    done_before, rows = 0, list[xr.Dataset]()
    for leak in MACHINES.values():
        row = list[xr.Dataset]()
        for T_u in THIRD.values():
            found = sweep(
                OperatingRegime(surroundings=("R",)),
                engine(leak, T_u),
                [Axis("reservoirs.R.mu", BIASES, "bias_R")],
                progress=lambda done, _, before=done_before: progress(before + done, total),
            )
            kept = [name for name in map(str, found.data_vars) if name.removeprefix("error_") in OF_MACHINES]
            row.append(found[kept].assign(stall=stall(engine(leak, T_u))))
            done_before += BIASES.size
        rows.append(xr.concat(row, "third_terminal", combine_attrs="override"))
    dataset = xr.concat(rows, "rates", combine_attrs="override")
    dataset["rates"], dataset["third_terminal"] = list(MACHINES), list(THIRD)
    dataset["stall"].attrs = {"long_name": "bias at which the current vanishes", "units": "energy", "symbol": "V_0"}
    dataset.attrs |= {
        "title": "Fig. 5: the reduced model as an engine and a refrigerator",
        "parameters": ", ".join(f"{name} = {value:g}" for name, value in ENGINE.items()),
        "bias": "mu of R minus mu of L",
    }
    return {"fig5": dataset}


def stall(setup: Setup) -> float:
    """μ_R − μ_L at which no current flows from L to R."""
    tried = Axis("reservoirs.R.mu", np.linspace(BIASES[0], -BIASES[0], TRIED))
    found = boundary(SteadyStateExperiment(), setup, "particle_current", tried, at={"terminal": "L"})
    return found.boundary.item()


def figure_6(progress: Progress) -> dict[str, xr.Dataset]:
    """Currents of L under two parallel forces for the three orders of the states, and the states' energies."""
    forces = np.linspace(0.0, 0.95, 191)[1:]
    rows = list[xr.Dataset]()
    for n, kappa in enumerate(KAPPAS):
        found = sweep(
            CoupledTransport(0.0, FORCE_PARTICLE_OF_6, terminal="L"),
            coupled_dots(kappa),
            [Axis("experiment.force_energy", forces)],
            progress=lambda done, _, n=n: progress(n * forces.size + done, len(KAPPAS) * forces.size),
        ).rename(transport="regime")
        kept = [name for name in map(str, found.data_vars) if name.removeprefix("error_") in (*KEPT, "inverse_above")]
        rows.append(found[kept].assign(state_energy=("state", np.asarray(dots(kappa).energies()))))
    dataset = xr.concat(rows, "kappa", combine_attrs="override")
    dataset["kappa"] = ("kappa", list(KAPPAS), {"long_name": "interaction of the dots", "units": "energy"})
    dataset["state"] = list("ACBD")
    dataset["state_energy"].attrs = {"long_name": "energy of the state", "units": "energy", "symbol": "E"}
    dataset.attrs |= {
        "title": f"Fig. 6: currents of L under parallel forces, F_N = {FORCE_PARTICLE_OF_6:g}",
        "parameters": ", ".join(f"{name} = {value:g}" for name, value in PARAMETERS.items()),
        "force_particle": FORCE_PARTICLE_OF_6,
    }
    return {"fig6": dataset}
