"""Forces and currents of the dot as tables, where it rests, and at which damping it ends elsewhere."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jaxtyping import Float

from mesotherm.driven import resting_drive
from mesotherm.equilibria import Equilibria, equilibria
from mesotherm.mean_motion import Motion, move
from mesotherm.mechanical_mode import MechanicalMode
from mesotherm.motion_table import MotionTable
from mesotherm.papers.mehring2024.model import MASS, STIFFNESS, Parameters
from mesotherm.protocols import AbstractProtocol

LINEAR_TOLERANCE = 1e-10
"""Relative error of the tables of the linear response."""


RESOLVED = 1e-9
"""Interval of damping ratios in which a threshold is left."""


@functools.cache
def table_of(
    parameters: Parameters, response: str, reach: float, strongest: float = 0.0, knots: int = 5, spacing: float = 0.025
) -> MotionTable:
    """Force and currents from −reach to reach.

    Parameters
    ----------
    strongest, knots
        Of a full response: the drives run from −strongest to strongest with so many knots, at which the table has no
        error in the drive.
    spacing
        Of its positions.
    """
    driven = parameters.driven(response)
    if response == "linear":
        return driven.tabulated(np.linspace(-reach, reach, 401), tolerance=LINEAR_TOLERANCE)
    places = np.linspace(-reach, reach, round(2 * reach / spacing) + 1)
    return driven.tabulated(places, np.linspace(-strongest, strongest, knots))


def rest(table: MotionTable, drive: float) -> Equilibria:
    """Where the dot can rest at a drive."""
    return equilibria(table, float(drive), STIFFNESS)


def stationary(table: MotionTable, drives, most: int = 5, missed=None) -> dict[str, tuple[tuple[str, ...], np.ndarray]]:
    """Variables ``position``, ``estimate_position`` and ``stability`` over (equilibrium, drive): NaN and −1 where there
    are no more. ``missed`` is how far the force may be off at each drive; by default what the table says."""
    position = np.full((most, len(drives)), np.nan)
    estimate = np.full((most, len(drives)), np.nan)
    stability = np.full((most, len(drives)), -1, np.int8)
    for n, drive in enumerate(drives):
        found = rest(table, drive)
        position[: len(found.position), n] = found.position
        off = force_estimate(table, drive) if missed is None else missed[n]
        estimate[: len(found.position), n] = off / np.abs(found.slope)
        stability[: len(found.position), n] = found.stable
    values = {"position": position, "estimate_position": estimate, "stability": stability}
    return {name: (("equilibrium", "bias"), one) for name, one in values.items()}


def force_estimate(table: MotionTable, drive: float) -> float:
    """How far the table's force was from the device's in the middle of its intervals, at a drive."""
    return float(table.error["force"]) * (abs(drive) if table.powers == (1,) else 1.0)


def largest_audit(motion: Motion) -> float:
    """The largest part of the energy that is missing on the way."""
    return float(np.max(np.abs(np.asarray(motion.audit))))


def resting_curve(parameters: Parameters, response: str, places) -> xr.Dataset:
    """The drive at which the dot rests at each place: one curve with every branch."""
    drive, slope = resting_drive(parameters.driven(response), parameters.mode, jnp.asarray(places))
    return xr.Dataset(
        {"resting_bias": ("place", np.asarray(drive)), "resting_slope": ("place", np.asarray(slope))},
        coords={"place": np.asarray(places)},
    )


def resting_curves(parameters: Parameters, places) -> xr.Dataset:
    """The same for the linear and the full response."""
    each = [resting_curve(parameters, response, places) for response in ("linear", "full")]
    return xr.concat(each, "response").assign_coords(response=["linear", "full"])


def critical_damping(
    table: MotionTable, protocol: AbstractProtocol, start: float, wall: float, low: float, high: float, settle: float
) -> float:
    """The damping ratio between two at which the dot ends on the other side of a wall.

    Parameters
    ----------
    start, wall
        Position at rest at t = 0, position of the unstable equilibrium.
    settle
        When the end is looked at.

    Errors: ``ValueError`` unless the side changes exactly once between ``low`` and ``high``. To 1e-9: near the
    threshold the dot stops on top of a barrier, where rounding grows.
    """

    @jax.jit
    def beyond(damping: Float[jax.Array, "points"]):
        def one(ratio):
            mode = MechanicalMode(MASS, STIFFNESS, damping_ratio=ratio)
            return move(mode, table, protocol, [0.0, settle], position=start).position[-1] > wall

        return jax.vmap(one)(damping)

    while True:
        grid = np.linspace(low, high, 12)
        changes = np.flatnonzero(np.diff(np.asarray(beyond(jnp.asarray(grid))).astype(int)))
        if len(changes) != 1:
            raise ValueError(f"the end changes {len(changes)} times between {low} and {high}; give a bracket.")
        low, high = grid[changes[0] : changes[0] + 2]
        if high - low < RESOLVED:
            return 0.5 * (low + high)
