"""Figs. 7 and 9: a device with inversion symmetry that transports charge, without and with noise."""

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr

from mesotherm.langevin import ensemble
from mesotherm.mean_motion import move
from mesotherm.mechanical_mode import MechanicalMode
from mesotherm.motion_table import MotionTable
from mesotherm.papers.mehring2024.labelling import labelled
from mesotherm.papers.mehring2024.model import CYCLE_TIME, FIG_7, FIG_9, MASS, RESPONSES, STIFFNESS
from mesotherm.papers.mehring2024.tables import (
    critical_damping,
    largest_audit,
    rest,
    resting_curves,
    stationary,
    table_of,
)
from mesotherm.papers.reproduction import Progress
from mesotherm.protocols import Constant, Pulses, Square, Triangle

AMPLITUDE = 0.1
DAMPING = (0.2, 0.16)
BIASES = np.linspace(-0.15, 0.15, 301)
PLACES = np.linspace(-2.5, 2.5, 501)
HALF = 0.5 * CYCLE_TIME
TIMES = np.linspace(-HALF, 2 * CYCLE_TIME, 2001)
PULSES = Square(AMPLITUDE, CYCLE_TIME, initialisation=HALF, prepared_drive=AMPLITUDE)
OTHER_ORDER = Square(-AMPLITUDE, CYCLE_TIME, initialisation=HALF, prepared_drive=-AMPLITUDE)
SLOW = Triangle(float(BIASES[-1]), CYCLE_TIME)
"""Through both regions with several positions, and back."""

WHOLE_CYCLES = (0.0, CYCLE_TIME, 2 * CYCLE_TIME)

SETTLED = 1e5
BRACKETS = ((0.02, 0.032), (0.032, 0.1), (0.1, 0.25))
"""Damping ratios between which the well that is reached changes once each, linear response."""

BRACKET_OF_FULL = (0.2, 0.3)

AMPLITUDE_OF_9 = 0.3
THIRD = 2e5 / 9
"""A third of τ of Fig. 9."""

PULSES_OF_9 = Pulses([AMPLITUDE_OF_9, -AMPLITUDE_OF_9, 0.0], [THIRD] * 3, initialisation=THIRD)
"""The order of the pulses decides the sign of the charge."""

STEPS = 1112
"""Of a third: a step of 20 ħ/γ₀."""

CYCLES, MANY_CYCLES = 1500, 20_000
THERMAL = np.array([0.0, 5e-5, 1e-4, 2e-4, 3.5e-4, 5e-4, 7.5e-4, 1e-3, 1.5e-3, 2e-3])
MANY_AT = 2e-4
SHOWN = np.array([0.0, 2e-4, 1e-3])
PLACES_OF_9 = np.linspace(-4.0, 4.0, 401)
REACH, START_OF_U = 7.5, -7.5
"""Ends of the table; U_eff is counted from −a₀."""


def table_of_7(response: str) -> MotionTable:
    """Forces and currents at all biases of the ramp and the pulses."""
    return table_of(FIG_7, response, 4.0, BIASES[-1], 13)


def table_of_9(response: str) -> MotionTable:
    """The same of Fig. 9, whose biases are among the knots."""
    return table_of(FIG_9, response, REACH, AMPLITUDE_OF_9, 5, 0.05)


def figure_7(progress: Progress) -> dict[str, xr.Dataset]:
    """Positions at every bias; the motion and the charge under the pulses; the damping that decides."""
    static, moving = [], []
    for response in RESPONSES:
        table = table_of_7(response)
        static.append(xr.Dataset(stationary(table, BIASES, 5)).assign_coords(bias=BIASES))
        found, audits = {"position": [], "charge": []}, []
        for damping in DAMPING:
            mode = MechanicalMode(MASS, STIFFNESS, damping_ratio=damping)
            motion = move(mode, table, PULSES, TIMES)
            found["position"].append(motion.position)
            passed = np.asarray(motion.charge[:, 0])
            found["charge"].append(passed - passed[np.searchsorted(TIMES, 0.0)])
            audits.append(largest_audit(motion))
        dimensions = ("damping_ratio", "time")
        paths = {name: (dimensions, np.array(values)) for name, values in found.items()}
        moving.append(xr.Dataset({**paths, "audit": ("damping_ratio", np.array(audits))}))
        progress(len(static), 4)
    joined, motion = (xr.concat(each, "response").assign_coords(response=list(RESPONSES)) for each in (static, moving))
    motion = motion.assign_coords(damping_ratio=list(DAMPING), time=TIMES)
    motion["bias"] = ("time", np.asarray(PULSES.value(TIMES)))
    table = table_of_7("linear")
    other, slow = [], []
    for damping in DAMPING:
        mode = MechanicalMode(MASS, STIFFNESS, damping_ratio=damping)
        passed = np.asarray(move(mode, table, OTHER_ORDER, [-HALF, *WHOLE_CYCLES]).charge[:, 0])
        other.append(passed[2:] - passed[1])
        slow.append(np.diff(np.asarray(move(mode, table, SLOW, WHOLE_CYCLES).charge[:, 0]))[-1])
    motion["charge_other_order"] = (("damping_ratio", "cycle"), np.array(other))
    motion["slow_cycle_charge"] = ("damping_ratio", np.array(slow))
    start, wall = float(rest(table, AMPLITUDE).position[0]), float(rest(table, -AMPLITUDE).position[1])
    motion["critical_damping_ratio"] = (
        "bracket",
        [critical_damping(table, Constant(-AMPLITUDE), start, wall, *ends, SETTLED) for ends in BRACKETS],
    )
    table = table_of_7("full")
    start, wall = float(rest(table, AMPLITUDE).position[0]), float(rest(table, -AMPLITUDE).position[1])
    motion["critical_damping_ratio_full"] = critical_damping(
        table, Constant(-AMPLITUDE), start, wall, *BRACKET_OF_FULL, SETTLED
    )
    progress(3, 4)
    curve = resting_curves(FIG_7, PLACES)
    progress(4, 4)
    return {
        "fig7": labelled(xr.merge([joined, curve]), "Fig. 7(a): positions at every bias", FIG_7),
        "fig7b": labelled(motion, "Fig. 7(b, c): motion and charge under pulses after a ramp", FIG_7),
    }


def cycles_of_9(table: MotionTable, temperatures: np.ndarray, cycles: int, seed: int) -> dict[str, np.ndarray]:
    """One cycle after the preparation, many times at each temperature: its charge, and where the dot is in the middle
    of the first pulse and at the ends of the first, the second and the third."""
    found = ensemble(
        FIG_9.mode,
        table,
        PULSES_OF_9,
        temperature=jnp.repeat(jnp.asarray(temperatures), cycles),
        particles=cycles * len(temperatures),
        time_step=THIRD / STEPS,
        steps=4 * STEPS,
        start=-THIRD,
        every=STEPS // 2,
        key=jax.random.key(seed),
    )
    assert found.path is not None
    assert found.path_charge is not None
    shape = (len(temperatures), cycles)
    charge = np.asarray(found.path_charge[-1] - found.path_charge[1])[:, 0].reshape(shape)
    at = {"middle": 2, "first_end": 3, "end": 5, "last": 7}
    return {"charge": charge} | {name: np.asarray(found.path[frame]).reshape(shape) for name, frame in at.items()}


def charge_against_temperature(response: str) -> xr.Dataset:
    """Fig. 9(f), and how often a cycle is as it is without noise."""
    table = table_of_9(response)
    found = cycles_of_9(table, THERMAL, CYCLES, 9)
    wells = rest(table, -AMPLITUDE_OF_9)
    walls = wells.position[~wells.stable]
    well = np.searchsorted(walls, found["end"])
    wells = rest(table, AMPLITUDE_OF_9)
    first = [np.searchsorted(wells.position[~wells.stable], found[name]) for name in ("middle", "first_end")]
    normal = np.median(found["charge"][0])
    each = {
        "charge": found["charge"].mean(axis=1),
        "error_charge": found["charge"].std(axis=1, ddof=1) / np.sqrt(CYCLES),
        "end_position": found["last"].mean(axis=1),
        "error_end_position": found["last"].std(axis=1, ddof=1) / np.sqrt(CYCLES),
        "correct": (well == well[0, 0]).mean(axis=1),
        "left": (first[0] != first[1]).mean(axis=1),
        "cancelled": (np.abs(found["charge"]) < 0.5 * abs(normal)).mean(axis=1),
        "inverted": (found["charge"] * normal < -0.5 * normal**2).mean(axis=1),
    }
    dataset = xr.Dataset(
        {name: ("thermal_energy", values) for name, values in each.items()}, coords={"thermal_energy": THERMAL}
    )
    dataset.attrs |= {"cycles": CYCLES, "time_step": THIRD / STEPS}
    return dataset


def trajectories_of_9(table: MotionTable) -> xr.Dataset:
    """Positions and charges in three cycles, one trajectory for each temperature."""
    found = ensemble(
        FIG_9.mode,
        table,
        PULSES_OF_9,
        temperature=jnp.asarray(SHOWN),
        particles=len(SHOWN),
        time_step=THIRD / STEPS,
        steps=10 * STEPS,
        start=-THIRD,
        every=4,
        key=jax.random.key(1),
        position=0.0,
        velocity=0.0,
    )
    assert found.path is not None
    assert found.path_charge is not None
    times = np.asarray(found.times)
    charge = np.asarray(found.path_charge)[:, :, 0].T
    begun = charge[:, np.searchsorted(times, -1e-6)]
    return xr.Dataset(
        {
            "position": (("thermal_energy", "time"), np.asarray(found.path).T),
            "charge": (("thermal_energy", "time"), charge - begun[:, None]),
            "bias": ("time", np.asarray(PULSES_OF_9.value(times))),
        },
        coords={"thermal_energy": SHOWN, "time": times},
    )


def potentials_of_9() -> xr.Dataset:
    """U_eff from −a₀ on, at both biases, by both responses; the barrier out of the well on the near side."""
    biases = np.array([AMPLITUDE_OF_9, -AMPLITUDE_OF_9])
    potential = np.empty((len(RESPONSES), len(biases), len(PLACES_OF_9)))
    barrier = np.full(len(RESPONSES), np.nan)
    for i, response in enumerate(RESPONSES):
        table = table_of_9(response)
        for j, bias in enumerate(biases):
            work = np.asarray(table.work(PLACES_OF_9, bias)) - float(table.work(START_OF_U, bias))
            potential[i, j] = 0.5 * STIFFNESS * PLACES_OF_9**2 - work
        barriers = rest(table, AMPLITUDE_OF_9).barriers
        if len(barriers):
            barrier[i] = barriers[0]
    return xr.Dataset(
        {"effective_potential": (("response", "bias", "place"), potential), "barrier": ("response", barrier)},
        coords={"response": list(RESPONSES), "bias": biases, "place": PLACES_OF_9},
    )


def figure_9(progress: Progress) -> dict[str, xr.Dataset]:
    """Trajectories with noise, the potentials, and the mean charge of a cycle against the temperature."""
    trajectories, potentials = trajectories_of_9(table_of_9("linear")), potentials_of_9()
    exact = move(FIG_9.mode, table_of_9("linear"), PULSES_OF_9, THIRD * np.array([-1.0, 0.0, 3.0, 6.0]))
    trajectories["cycle_charge"] = ("cycle", np.diff(np.asarray(exact.charge[1:, 0])))
    other = Pulses([-AMPLITUDE_OF_9, AMPLITUDE_OF_9, 0.0], [THIRD] * 3, initialisation=THIRD)
    exact = move(FIG_9.mode, table_of_9("linear"), other, THIRD * np.array([-1.0, 0.0, 3.0]))
    trajectories["cycle_charge_other_order"] = float(exact.charge[2, 0] - exact.charge[1, 0])
    progress(1, 4)
    linear = charge_against_temperature("linear")
    progress(2, 4)
    many = cycles_of_9(table_of_9("linear"), np.array([MANY_AT]), MANY_CYCLES, 10)["charge"][0]
    linear["charge_of_many"] = many.mean()
    linear["error_charge_of_many"] = many.std(ddof=1) / np.sqrt(MANY_CYCLES)
    linear.attrs["many_cycles"] = MANY_CYCLES
    progress(3, 4)
    full = charge_against_temperature("full")
    progress(4, 4)
    return {
        "fig9": labelled(trajectories, "Fig. 9(a, c-e): three cycles with noise", FIG_9),
        "fig9b": labelled(potentials, "Fig. 9(b): effective potentials", FIG_9),
        "fig9f": labelled(linear, "Fig. 9(f): charge of a cycle against the temperature, linear response", FIG_9),
        "fig9f_full": labelled(full, "Fig. 9(f) by Eq. 9 and Landauer's integral", FIG_9),
    }
