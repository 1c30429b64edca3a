"""Fig. 6: several positions at one bias, a cycle of hysteresis and the work it gives."""

import numpy as np
import xarray as xr

from mesotherm.driven import folds
from mesotherm.mean_motion import move
from mesotherm.papers.mehring2024.labelling import labelled
from mesotherm.papers.mehring2024.model import CYCLE_TIME, FIG_6, RESPONSES, Parameters
from mesotherm.papers.mehring2024.tables import largest_audit, resting_curves, stationary, table_of
from mesotherm.papers.reproduction import Progress
from mesotherm.protocols import AbstractCycle, Sine, Triangle
from mesotherm.quasi_static import quasi_static

AMPLITUDE = 0.15

ASYMMETRIES = (FIG_6.asymmetry, 0.0)

CYCLES: dict[str, AbstractCycle] = {
    "triangle": Triangle(AMPLITUDE, CYCLE_TIME),
    "sine": Sine(AMPLITUDE, CYCLE_TIME),
}
"""V(t) stands in an inset without a formula: these two."""

BIASES = np.linspace(-AMPLITUDE, AMPLITUDE, 301)
PLACES = np.linspace(-2.0, 2.5, 451)
TIMES = np.linspace(0.0, 2 * CYCLE_TIME, 1601)
"""Two cycles: in the first the dot starts at rest without a bias, the second repeats for ever."""


def table(parameters: Parameters, response: str):
    """Force and currents at all biases of the cycle."""
    return table_of(parameters, response, 4.0, AMPLITUDE, 13)


def figure_6(progress: Progress) -> dict[str, xr.Dataset]:
    """Positions at every bias, the infinitely slow cycle, and the motion in two cycles of finite length."""
    positions, slow = list[xr.Dataset](), list[xr.Dataset]()
    for response in RESPONSES:
        driven, forces = FIG_6.driven(response), table(FIG_6, response)
        window = np.sort(folds(driven, FIG_6.mode, PLACES)[1])
        up = np.linspace(0.0, AMPLITUDE, 61)
        loop = quasi_static(FIG_6.mode, forces, np.concatenate([up, up[-2::-1]]))
        positions.append(xr.Dataset(stationary(forces, BIASES, 3), coords={"bias": BIASES}))
        jumps = loop.jumps
        slow.append(
            xr.Dataset(
                {
                    "jump_bias": ("jump", [jump.drive for jump in jumps]),
                    "jump_start": ("jump", [jump.start for jump in jumps]),
                    "jump_stop": ("jump", [jump.stop for jump in jumps]),
                    "jump_dissipated": ("jump", [jump.dissipated for jump in jumps]),
                    "window": ("side", window),
                }
            )
        )
        progress(len(positions), 4)
    every = [xr.concat(each, "response").assign_coords(response=list(RESPONSES)) for each in (positions, slow)]
    curve = resting_curves(FIG_6, PLACES)
    progress(3, 4)
    static = xr.merge([*every, curve]).assign_coords(side=["low", "high"])
    return {
        "fig6": labelled(static, "Fig. 6(a): positions at every bias", FIG_6),
        "fig6b": labelled(cycles(), "Fig. 6(a-c): two cycles of the bias", FIG_6),
    }


def cycles() -> xr.Dataset:
    """The motion through two cycles, for every V(t), λ and response."""
    shape = (len(RESPONSES), len(CYCLES), len(ASYMMETRIES), len(TIMES))
    found = {name: np.empty(shape) for name in ("position", "work", "dissipation", "charge")}
    audit = np.empty(shape[:3])
    for i, response in enumerate(RESPONSES):
        for j, protocol in enumerate(CYCLES.values()):
            for k, asymmetry in enumerate(ASYMMETRIES):
                motion = move(FIG_6.mode, table(FIG_6.but(asymmetry=asymmetry), response), protocol, TIMES)
                found["position"][i, j, k] = motion.position
                found["work"][i, j, k] = motion.work
                found["dissipation"][i, j, k] = motion.dissipated
                found["charge"][i, j, k] = motion.charge[:, 0]
                audit[i, j, k] = largest_audit(motion)
    dimensions = ("response", "protocol", "asymmetry", "time")
    biases = np.stack([np.asarray(protocol.value(TIMES)) for protocol in CYCLES.values()])
    half = len(TIMES) // 2
    return xr.Dataset(
        {
            **{name: (dimensions, values) for name, values in found.items()},
            "cycle_work": (dimensions[:3], found["work"][..., -1] - found["work"][..., half]),
            "audit": (dimensions[:3], audit),
            "bias": (("protocol", "time"), biases),
        },
        coords={
            "response": list(RESPONSES),
            "protocol": list(CYCLES),
            "asymmetry": list(ASYMMETRIES),
            "time": TIMES,
        },
    )
