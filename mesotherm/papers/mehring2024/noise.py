"""Fig. 8: the dot with thermal noise in two wells, by an integrator of the right temperature and a wrong one."""

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jaxtyping import Array, Float

from mesotherm.langevin import ensemble
from mesotherm.mean_motion import move
from mesotherm.mechanical_mode import MechanicalMode
from mesotherm.motion_table import MotionTable
from mesotherm.papers.mehring2024.forces import table_of_2
from mesotherm.papers.mehring2024.labelling import labelled
from mesotherm.papers.mehring2024.model import FIG_8, MASS, RESPONSES, STIFFNESS
from mesotherm.papers.mehring2024.tables import rest
from mesotherm.papers.reproduction import Progress
from mesotherm.protocols import Ramp

BIAS = 0.2
THERMAL = (2e-4, 1e-3, 2e-3)
DAMPING = (0.1, 0.5)
FINAL_TIME = 1e5
"""t_f; the bias is switched on at a quarter of it."""

TRAJECTORIES = 4000
TIME_STEP = 20.0
EVERY = 10
"""Steps between frames."""

STEPS = round(FINAL_TIME / TIME_STEP)
PULSE = Ramp(0.0, BIAS, start=FINAL_TIME / 4)
PLACES = np.linspace(-2.0, 3.0, 501)

FIRST = 10.0
"""How long after the bias the first oscillations are over, in times M/ν."""

INTEGRATORS = ("BAOAB", "fresh force in every stage")


def mode(damping: float) -> MechanicalMode:
    """The oscillator."""
    return MechanicalMode(MASS, STIFFNESS, damping_ratio=damping)


def potentials() -> xr.Dataset:
    """U_eff without and with the bias, by both responses, and the barrier out of the shallow well."""
    biases = np.array([0.0, BIAS])
    potential = np.empty((len(RESPONSES), len(biases), len(PLACES)))
    barrier = np.empty(len(RESPONSES))
    for i, response in enumerate(RESPONSES):
        table = table_of_2(FIG_8.asymmetry, response)
        for j, bias in enumerate(biases):
            potential[i, j] = 0.5 * STIFFNESS * PLACES**2 - np.asarray(table.work(PLACES, bias))
        barrier[i] = rest(table, BIAS).barriers[0]
    return xr.Dataset(
        {"effective_potential": (("response", "bias", "place"), potential), "barrier": ("response", barrier)},
        coords={"response": list(RESPONSES), "bias": biases, "place": PLACES},
    )


def many(table: MotionTable, temperature: float, damping: float, seed: int) -> Float[np.ndarray, "frames particles"]:
    """Positions of all trajectories at the frames, by BAOAB."""
    found = ensemble(
        mode(damping),
        table,
        PULSE,
        temperature=temperature,
        particles=TRAJECTORIES,
        time_step=TIME_STEP,
        steps=STEPS,
        key=jax.random.key(seed),
        position=0.0,
        velocity=0.0,
        every=EVERY,
    )
    return np.asarray(found.path)


@jax.jit
def with_fresh_forces(
    table: MotionTable, temperature: float, nu: Array, key: Array
) -> Float[Array, "frames particles"]:
    r"""Positions by the classical Runge–Kutta step with a force drawn anew, √(2T₀ν/Δt) g, in each of its four stages:
    the wrong integrator.

    The stages' contributions are added with the weights 1/6, 2/6, 2/6, 1/6, so that the variance of what a step adds is
    (1² + 2² + 2² + 1²)/6² = 10/36 of what it must be.
    """
    h = TIME_STEP

    def rate(state, force, bias):
        x, v = state
        return jnp.stack([v, (force + table(x, bias)["force"] - STIFFNESS * x - nu * v) / MASS])

    def step(state, number):
        shape = (4, TRAJECTORIES)
        forces = jnp.sqrt(2 * temperature * nu / h) * jax.random.normal(jax.random.fold_in(key, number), shape)
        bias = PULSE.value((number + 0.5) * h)
        k1 = rate(state, forces[0], bias)
        k2 = rate(state + 0.5 * h * k1, forces[1], bias)
        k3 = rate(state + 0.5 * h * k2, forces[2], bias)
        k4 = rate(state + h * k3, forces[3], bias)
        return state + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)

    def frame(state, number):
        state = jax.lax.fori_loop(number * EVERY, (number + 1) * EVERY, lambda n, s: step(s, n), state)
        return state, state[0]

    return jax.lax.scan(frame, jnp.zeros((2, TRAJECTORIES)), jnp.arange(STEPS // EVERY))[1]


def in_shallow_well(path: np.ndarray, wall: float, damping: float) -> dict[str, float]:
    """Parts of all trajectories that are in the shallow well at the end and after the first oscillations."""
    first = FINAL_TIME / 4 + FIRST * MASS / float(mode(damping).nu)
    at = min(round(first / (TIME_STEP * EVERY)) - 1, len(path) - 1)
    part = float(np.mean(path[-1] < wall))
    return {
        "shallow": part,
        "shallow_first": float(np.mean(path[at] < wall)),
        "error_shallow": float(np.sqrt(part * (1 - part) / TRAJECTORIES)),
    }


def typical(path: np.ndarray, wall: float) -> np.ndarray:
    """The first trajectory that ends in the well in which most end."""
    shallow = path[-1] < wall
    return path[:, np.argmax(shallow == (np.mean(shallow) > 0.5))]


def measured_temperature(path: np.ndarray, temperature: float) -> float:
    """k⟨x²⟩ over the nominal k_BT₀ before the bias is switched on, from its second half."""
    frames = round(FINAL_TIME / 4 / (TIME_STEP * EVERY))
    return float(STIFFNESS * np.mean(path[frames // 2 : frames] ** 2) / temperature)


def figure_8(progress: Progress) -> dict[str, xr.Dataset]:
    """Trajectories and how many of them end in the shallow well, for both integrators and both responses."""
    shape = (len(THERMAL), len(DAMPING))
    frames = STEPS // EVERY
    times = TIME_STEP * EVERY * np.arange(1.0, frames + 1)
    paths = np.empty((len(RESPONSES), *shape, frames))
    counted = {name: np.empty((len(RESPONSES), *shape)) for name in ("shallow", "shallow_first", "error_shallow")}
    wrong = {name: np.empty(shape) for name in counted}
    wrong_paths, temperature = np.empty((*shape, frames)), np.empty((2, *shape))
    still = np.empty((len(RESPONSES), len(DAMPING), frames))
    for i, response in enumerate(RESPONSES):
        table = table_of_2(FIG_8.asymmetry, response)
        wall = float(rest(table, BIAS).position[1])
        for k, damping in enumerate(DAMPING):
            still[i, k] = move(mode(damping), table, PULSE, np.append(0.0, times)).position[1:]
            for j, thermal in enumerate(THERMAL):
                path = many(table, thermal, damping, 3 * k + j)
                paths[i, j, k] = typical(path, wall)
                for name, value in in_shallow_well(path, wall, damping).items():
                    counted[name][i, j, k] = value
                if response == "full":
                    continue
                temperature[0, j, k] = measured_temperature(path, thermal)
                key = jax.random.key(100 + 3 * k + j)
                path = np.asarray(with_fresh_forces(table, thermal, mode(damping).nu, key))
                wrong_paths[j, k] = typical(path, wall)
                temperature[1, j, k] = measured_temperature(path, thermal)
                for name, value in in_shallow_well(path, wall, damping).items():
                    wrong[name][j, k] = value
            progress(2 * i + k + 1, 4)
    pair = ("thermal_energy", "damping_ratio")
    coordinates = {"thermal_energy": list(THERMAL), "damping_ratio": list(DAMPING), "time": times}
    right = xr.Dataset(
        {
            "position": (("response", *pair, "time"), paths),
            "position_without_noise": (("response", "damping_ratio", "time"), still),
            **{name: (("response", *pair), values) for name, values in counted.items()},
        },
        coords={"response": list(RESPONSES), **coordinates},
    )
    right = right.assign_coords(bias=("time", np.asarray(PULSE.value(times))))
    trap = xr.Dataset(
        {
            "position": ((*pair, "time"), wrong_paths),
            "measured_temperature": (("integrator", *pair), temperature),
            **{name: (pair, values) for name, values in wrong.items()},
        },
        coords={"integrator": list(INTEGRATORS), **coordinates},
    )
    for dataset in (right, trap):
        dataset.attrs |= {"trajectories": TRAJECTORIES, "time_step": TIME_STEP}
    return {
        "fig8": labelled(
            right, "Fig. 8: trajectories with noise, a typical one each, and how many end in the shallow well", FIG_8
        ),
        "fig8b": labelled(potentials(), "Fig. 8: effective potentials", FIG_8),
        "fig8_trap": labelled(trap, "Fig. 8 with a random force drawn in every stage of a Runge-Kutta step", FIG_8),
    }
