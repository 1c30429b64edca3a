"""Speed of the main jobs on this machine: `make bench`. Prints figures, asserts nothing.

Compile time is printed apart; computing times are medians of repeated runs of the compiled function.
"""

import os
import platform
import resource
import statistics
import time

import jax
import numpy as np
from rich.console import Console
from rich.table import Table

from mesotherm import (
    Axis,
    DiodeTest,
    PowerAtOptimalBias,
    Reservoirs,
    ResonantBarrier,
    Setup,
    ThermalizationDiode,
    ThermalizingProbe,
    VanishingProbe,
    quantum_dot_thermocouple,
    sweep,
)

REPEATS = 5


def diode_map(half_width: float, points: int):
    """Forward and backward probe solves on a grid of both levels."""
    device = ThermalizationDiode(ResonantBarrier(0.0, half_width), ResonantBarrier(0.0, half_width), -40.0)
    setup = Setup(device, Reservoirs([0, 0, 0], [1, 1, 1]), (ThermalizingProbe("P"),))
    levels = np.linspace(-10, 10, points)
    axes = [Axis("device.left.level", levels, "epsilon_1"), Axis("device.right.level", levels, "epsilon_3")]
    return DiodeTest(), setup, axes, 2 * points**2


def thermocouple_curve(points: int):
    """Optimal bias and effective temperature along the cold temperature."""
    setup = Setup(quantum_dot_thermocouple(), Reservoirs([0] * 5, [8, 8, 16, 8, 8]), (VanishingProbe("P"),))
    axes = [Axis("reservoirs.C.T", np.linspace(0.2, 1.2, points), "cold_temperature_ratio", scale=8.0)]
    return PowerAtOptimalBias("R", ("H", "C")), setup, axes, points


JOBS = {
    "thermalization diode, 201×201, Γ = 3 T (probe solves)": diode_map(3.0, 201),
    "thermalization diode, 31×31, Γ = 0.01 T, strict rung (probe solves)": diode_map(0.01, 31),
    "thermocouple, V_opt and T_M, 101 temperatures": thermocouple_curve(101),
}


def main():
    table = Table("job", "results", "compile [s]", "compute [s]", "per result [µs]", "failed", "worst bound")
    for name, (experiment, setup, axes, results) in JOBS.items():
        start = time.perf_counter()
        dataset = sweep(experiment, setup, axes)
        compiling = dataset.attrs["seconds_compiling"]
        runs = [sweep(experiment, setup, axes).attrs["seconds_computing"] for _ in range(REPEATS)]
        median = statistics.median(runs)
        table.add_row(
            name,
            str(results),
            f"{compiling:.2f}",
            f"{median:.3f}",
            f"{median / results * 1e6:.1f}",
            str(int((dataset.status != 0).sum())),
            f"{float(dataset.error_particle_current.max()):.1e}",
        )
        print(f"{name}: {time.perf_counter() - start:.1f} s", flush=True)
    console = Console(width=150)
    console.print(table)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    console.print(
        f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, jax {jax.__version__}; "
        f"largest memory {peak:.2f} GiB"
    )


if __name__ == "__main__":
    main()
