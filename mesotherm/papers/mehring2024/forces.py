"""Figs. 2 and 3: the force of a bias and of a temperature difference along the position, and the motion it starts."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jaxtyping import Float

from mesotherm.driven import Driven
from mesotherm.mean_motion import move
from mesotherm.mechanical_mode import MechanicalMode
from mesotherm.motion_table import MotionTable, tabulate
from mesotherm.papers.mehring2024.labelling import labelled
from mesotherm.papers.mehring2024.model import FIG_2, FIG_3, MASS, RESPONSES, STIFFNESS, Parameters
from mesotherm.papers.mehring2024.tables import (
    critical_damping,
    largest_audit,
    rest,
    stationary,
    table_of,
)
from mesotherm.papers.reproduction import Progress
from mesotherm.protocols import Constant

BIAS = 0.2
ASYMMETRIES = (0.0, 0.7)
DAMPING = (0.1, 0.2)
PLACES = np.linspace(-2.0, 3.0, 501)
TIMES = np.linspace(0.0, 2e4, 801)
SETTLED = 1e5
"""When the well that is reached is looked at."""

BRACKET = (0.1, 0.2)
"""Damping ratios between which the well that is reached changes, where it does."""

PLACES_OF_3 = np.linspace(-3.0, 3.0, 301)
LEVELS = ("linear", "first_order", "full")
"""Eq. 13; first order in δT with the energy integral; Eq. 9."""

PART = 0.5
"""δT/T₀ of Fig. 3."""


def table_of_2(asymmetry: float, response: str) -> MotionTable:
    """Force and currents of Figs. 2 and 8."""
    return table_of(FIG_2.but(asymmetry=asymmetry), response, 4.0, BIAS, 5)


def figure_2(progress: Progress) -> dict[str, xr.Dataset]:
    """Forces and equilibria; motion from rest; the damping that decides."""
    biases = np.array([BIAS, -BIAS])
    forces, motions = [], []
    for response in RESPONSES:
        for asymmetry in ASYMMETRIES:
            table = table_of_2(asymmetry, response)
            force = np.stack([np.asarray(table(PLACES, bias)["force"]) for bias in biases])
            driven = FIG_2.but(asymmetry=asymmetry).driven(response)
            estimate = np.array([missed(table, driven, bias) for bias in biases])
            variables = {"force": (("bias", "place"), force), "estimate_force": ("bias", estimate)}
            forces.append(xr.Dataset({**variables, **stationary(table, biases, 3, estimate)}))
            path, audit = np.empty((2, len(DAMPING), len(TIMES))), np.empty((2, len(DAMPING)))
            for i, bias in enumerate(biases):
                for j, damping in enumerate(DAMPING):
                    mode = MechanicalMode(MASS, STIFFNESS, damping_ratio=damping)
                    motion = move(mode, table, Constant(bias), TIMES)
                    path[i, j], audit[i, j] = motion.position, largest_audit(motion)
            pair = ("bias", "damping_ratio")
            motions.append(xr.Dataset({"position": ((*pair, "time"), path), "audit": (pair, audit)}))
            progress(len(forces), 5)
    dimensions = {"response": list(RESPONSES), "asymmetry": list(ASYMMETRIES)}
    static, moving = (_of_two(each, dimensions) for each in (forces, motions))
    static = static.assign_coords(bias=biases, place=PLACES)
    moving = moving.assign_coords(bias=biases, damping_ratio=list(DAMPING), time=TIMES)
    table = table_of_2(ASYMMETRIES[1], "linear")
    critical = critical_damping(table, Constant(BIAS), 0.0, float(rest(table, BIAS).position[1]), *BRACKET, SETTLED)
    moving["critical_damping_ratio"] = critical
    progress(5, 5)
    return {
        "fig2": labelled(static, "Fig. 2(a, b): force along the position, and equilibria", FIG_2),
        "fig2c": labelled(moving, "Fig. 2(c, d): motion from rest after the bias is switched on", FIG_2),
    }


def _of_two(parts: list[xr.Dataset], dimensions: dict[str, list]) -> xr.Dataset:
    """Datasets in the order of the product of two dimensions, as one."""
    (outer, outer_values), (inner, inner_values) = dimensions.items()
    size = len(inner_values)
    rows = [xr.concat(parts[n : n + size], inner) for n in range(0, len(parts), size)]
    return xr.concat(rows, outer).assign_coords({outer: outer_values, inner: inner_values})


@eqx.filter_jit
def first_order(
    driven: Driven, places: Float[jax.Array, "places"]
) -> tuple[Float[jax.Array, "places"], Float[jax.Array, "places"]]:
    """Force and heat current from L per drive, to first order in it, with the integral over energies."""

    def one(x):
        def at(drive):
            found = driven.at(x, drive)
            return found["force"], found["heat_current"][driven.device.index("L")]

        return jax.jvp(at, (jnp.zeros(()),), (jnp.ones(()),))[1]

    return jax.lax.map(one, places)


@eqx.filter_jit
def bounded_forces_at(
    driven: Driven, places: Float[jax.Array, "places"], drive: float
) -> tuple[Float[jax.Array, "places"], Float[jax.Array, "places"]]:
    """Force at places and one drive, and bounds on its error."""
    return jax.lax.map(lambda x: driven.bounded_force(x, jnp.asarray(drive)), places)


def forces_at(driven: Driven, places: Float[jax.Array, "places"], drive: float) -> Float[jax.Array, "places"]:
    """Force at places and one drive."""
    return bounded_forces_at(driven, places, drive)[0]


def missed(table: MotionTable, driven: Driven, drive: float) -> float:
    """How far the force of a table is from that of the device between its places, at one drive."""
    between = jnp.asarray(PLACES[::10] + 0.4 * float(table.spacing))
    return float(np.max(np.abs(table(between, drive)["force"] - forces_at(driven, between, drive))))


def table_at_first_order(parameters: Parameters, reach: float, points: int) -> MotionTable:
    """The first order in the drive with the energy integral, as a table that is linear in the drive."""
    driven = parameters.driven("full")

    def function(x, drive):
        force, heat = first_order(driven, x[None])
        return {"force": drive * force[0], "heat_current": drive * heat[0]}

    return tabulate(function, np.linspace(-reach, reach, points))


def figure_3(progress: Progress) -> dict[str, xr.Dataset]:
    """The force of a temperature difference by three theories; of the first order, a derivative, there is no bound."""
    drive, places = PART * FIG_3.T, jnp.asarray(PLACES_OF_3)
    force, error = np.full((2, len(LEVELS), len(ASYMMETRIES), len(PLACES_OF_3)), np.nan)
    for j, asymmetry in enumerate(ASYMMETRIES):
        parameters = FIG_3.but(asymmetry=asymmetry)
        force[0, j], error[0, j] = bounded_forces_at(parameters.driven("linear"), places, drive)
        force[1, j] = drive * np.asarray(first_order(parameters.driven("full"), places)[0])
        force[2, j], error[2, j] = bounded_forces_at(parameters.driven("full"), places, drive)
        progress(j + 1, 2)
    dimensions = ("response", "asymmetry", "place")
    dataset = xr.Dataset(
        {"force": (dimensions, force), "error_force": (dimensions, error)},
        coords={
            "response": list(LEVELS),
            "asymmetry": list(ASYMMETRIES),
            "place": PLACES_OF_3,
            "delta_temperature": drive,
        },
    )
    return {"fig3": labelled(dataset, "Fig. 3: force of a temperature difference along the position", FIG_3)}
