"""Speed of the main jobs on this machine, beside what one would write with scipy and QuTiP: `make bench`.

Prints figures, asserts nothing. Computing times are medians; compile time stands apart. Comparisons are ratios of
medians of the same run, and the results are compared too: a faster wrong answer is no answer.
"""

import importlib.util
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

import jax
import numpy as np
from plain_scipy import probe_solve
from rates import random_devices
from rich.console import Console
from rich.table import Table

from mesotherm import (
    Axis,
    DiodeTest,
    Effort,
    Network,
    PowerAtOptimalBias,
    Reservoirs,
    ResonantBarrier,
    Screening,
    Setup,
    ThermalizationDiode,
    ThermalizingProbe,
    VanishingProbe,
    quantum_dot_thermocouple,
    sweep,
)
from mesotherm.devices.elements import ResonantLevel, UniformRegion
from mesotherm.engines.rate_equation import transition_flows
from mesotherm.papers.balduque2025.model import BAND_BOTTOM
from mesotherm.papers.balduque2025.screened import COHERENT, CONFINEMENT, HALF_WIDTH, diode

REPEATS = 7
COMPARED = 30
"""Problems solved with scipy and QuTiP."""


def diode_map(half_width: float, points: int):
    """Forward and backward probe solves on a grid of both levels."""
    device = ThermalizationDiode(ResonantBarrier(0.0, half_width), ResonantBarrier(0.0, half_width), -40.0)
    setup = Setup(device, Reservoirs([0, 0, 0], [1, 1, 1]), (ThermalizingProbe("P"),))
    levels = np.linspace(-10, 10, points)
    axes = [Axis("device.left.level", levels, "epsilon_1"), Axis("device.right.level", levels, "epsilon_3")]
    return DiodeTest(delta_temperature=1.0), setup, axes, 2 * points**2


def screened_map(points: int):
    """The same of a coherent double barrier with three screened potentials: Fig. 3 of Balduque & Sánchez (2025)."""
    levels = np.linspace(-10, 10, points)
    axes = [Axis("device.level_1", levels, "epsilon_1"), Axis("device.level_3", levels, "epsilon_3")]
    return DiodeTest(delta_temperature=1.0), diode(COHERENT), axes, 2 * points**2


def network_map(points: int):
    """The same device as a network of two levels and a cavity: no closed form, every derivative by differentiation."""
    network = Network(
        scatterers={
            "barrier_1": ResonantLevel(0.0, HALF_WIDTH),
            "cavity": UniformRegion(BAND_BOTTOM, CONFINEMENT),
            "barrier_3": ResonantLevel(0.0, HALF_WIDTH),
        },
        connections=[("barrier_1.right", "cavity.left"), ("cavity.right", "barrier_3.left")],
        leads={"L": "barrier_1.left", "R": "barrier_3.right"},
        regions={"U1": "barrier_1", "U2": "cavity", "U3": "barrier_3"},
        band_bottom=BAND_BOTTOM,
        bottom_region="U2",
    )
    setup = Setup(network, Reservoirs([0, 0], [1, 1]), (Screening(("U1", "U2", "U3"), mu=0.0, T=1.0),))
    levels = np.linspace(-10, 10, points)
    axes = [Axis(f"device.scatterers.barrier_{n}.level", levels, f"epsilon_{n}") for n in (1, 3)]
    return DiodeTest(delta_temperature=1.0), setup, axes, 2 * points**2


def thermocouple_curve(points: int):
    """Optimal bias and effective temperature along the cold temperature."""
    setup = Setup(quantum_dot_thermocouple(), Reservoirs([0] * 5, [8, 8, 16, 8, 8]), (VanishingProbe("P"),))
    axes = [Axis("reservoirs.C.T", np.linspace(0.2, 1.2, points), "cold_temperature_ratio", scale=8.0)]
    return PowerAtOptimalBias("R", ("H", "C")), setup, axes, points


MAP = "thermalization diode, 201×201, Γ = 3 T (probe solves)"
JOBS = {
    MAP: diode_map(3.0, 201),
    "thermalization diode, 31×31, Γ = 0.01 T, strict rung (probe solves)": diode_map(0.01, 31),
    "screened double barrier, 41×41, Γ = T (screened solves)": screened_map(41),
    "the same as a network, 21×21 (screened solves)": network_map(21),
    "thermocouple, V_opt and T_M, 101 temperatures": thermocouple_curve(101),
}


def sweeps(console):
    """Time the jobs; returns the map's dataset and its seconds per solve."""
    table = Table("job", "results", "compile [s]", "compute [ms]", "per result [µs]", "failed", "worst bound")
    per_result, datasets = {}, {}
    for name, (experiment, setup, axes, results) in JOBS.items():
        datasets[name] = dataset = sweep(experiment, setup, axes)
        runs = [sweep(experiment, setup, axes).attrs["seconds_computing"] for _ in range(REPEATS)]
        median = statistics.median(runs)
        per_result[name] = median / results
        table.add_row(
            name,
            str(results),
            f"{dataset.attrs['seconds_compiling']:.2f}",
            f"{median * 1e3:.2f}",
            f"{per_result[name] * 1e6:.2f}",
            str(int((dataset.status != 0).sum())),
            f"{float(dataset.error_particle_current.max()):.1e}",
        )
    console.print(table)
    return datasets[MAP], per_result[MAP]


def one_core(console):
    """Time the rate kernel in a process of its own, on one core; returns seconds per point."""
    script = Path(__file__).with_name("rates.py")
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True)
    table = Table("dots on one core, levels, U, rates, μ and T all varying", "compile [s]", "per point [µs]")
    results = json.loads(done.stdout)
    for name, figures in results.items():
        table.add_row(name, f"{figures['compile']:.2f}", f"{figures['per_point'] * 1e6:.3f}")
    console.print(table)
    return results["3 dots, response"]["per_point"]


KWANT = {"chain of 3 sites, per energy": 9.4e-3, "ribbon of 20×50 sites, per energy": 23.8e-3}
"""Seconds that Kwant 1.5 took for the same on another machine."""


def moving(console):
    """Time tight binding and Langevin ensembles in a process of their own, on one core."""
    script = Path(__file__).with_name("motion.py")
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True)
    table = Table("moving devices on one core", "ours [µs]", "Kwant 1.5, another machine [µs]")
    for name, seconds in json.loads(done.stdout).items():
        table.add_row(name, f"{seconds * 1e6:.3f}", f"{KWANT[name] * 1e6:.0f}" if name in KWANT else "")
    console.print(table)


def beside_scipy(dataset):
    """Seconds per probe solve with scipy, and the largest difference of the currents, on random points of the map."""
    rng = np.random.default_rng(1)
    seconds, differences = [], []
    for i, j, k in zip(*(rng.integers(0, n, COMPARED) for n in (201, 201, 2)), strict=True):
        point = dataset.isel(epsilon_1=i, epsilon_3=j, direction=k)
        T = (2.0, 1.0) if k == 0 else (1.0, 2.0)
        start = time.perf_counter()
        _, *found = probe_solve(float(point.epsilon_1), float(point.epsilon_3), 3.0, *T)
        seconds.append(time.perf_counter() - start)
        ours = [np.pi * float(point[name].sel(terminal="L")) for name in ("particle_current", "heat_current")]
        differences.append(np.max(np.abs(np.subtract(found, ours))))
    return statistics.median(seconds), max(differences)


def beside_qutip():
    """Seconds per steady state with QuTiP, and the largest difference of the populations."""
    from plain_qutip import operators, populations

    devices, reservoirs = random_devices(3, COMPARED, seed=2)
    seconds, differences = [], []
    for n in range(COMPARED):
        device, joined = jax.tree.map(lambda leaf, n=n: leaf[n], (devices, reservoirs))
        table, flows = device.transitions(), transition_flows(device, joined, Effort.FAST)
        model = operators(*map(np.asarray, (device.energies(), table.empty, table.filled, flows.enter, flows.leave)))
        start = time.perf_counter()
        found = populations(*model)
        seconds.append(time.perf_counter() - start)
        differences.append(np.max(np.abs(found - np.asarray(device.populations(joined)))))
    return statistics.median(seconds), max(differences)


def main():
    console = Console(width=150)
    dataset, per_solve = sweeps(console)
    per_point = one_core(console)
    moving(console)
    table = Table("the same problems", "theirs [ms]", "ours [µs]", "ratio of medians", "largest difference")
    rows = {"probe solves: scipy quad (1e-10) and root (1e-12)": (per_solve, *beside_scipy(dataset))}
    if importlib.util.find_spec("qutip"):
        rows["rate equation: QuTiP steadystate"] = (per_point, *beside_qutip())
    for name, (ours, theirs, difference) in rows.items():
        table.add_row(name, f"{theirs * 1e3:.1f}", f"{ours * 1e6:.2f}", f"{theirs / ours:,.0f}", f"{difference:.1e}")
    console.print(table)
    if len(rows) < 2:
        console.print("QuTiP is not installed: pip install -e '.[bench]'")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    console.print(
        f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, jax {jax.__version__}; "
        f"largest memory {peak:.2f} GiB"
    )


if __name__ == "__main__":
    main()
