r"""A device with a part that moves, under a bias or a temperature difference that changes slowly.

For every position there is a drive at which the part rests there: the equilibria are one curve V*(x) in the plane of
positions and drives, of which no branch can be missed. Where it turns, the part jumps.
"""

import enum
from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from mesotherm.device import Effort, HasPositions, Reservoirs
from mesotherm.devices.linearised import Linearised
from mesotherm.engines.electronic_friction import electronic_friction
from mesotherm.equilibria import equilibria
from mesotherm.fields import as_array
from mesotherm.mechanical_mode import MechanicalMode
from mesotherm.motion_table import MotionTable, tabulate

NEWTON_STEPS = 30
"""At most, for the drive at a position and for a fold."""


class Drive(enum.Enum):
    """What moves the reservoirs L and R apart, half of it either way."""

    BIAS = "bias"
    DELTA_TEMPERATURE = "delta_temperature"


class Driven(eqx.Module):
    r"""A device between L and R, :math:`\mu_{L,R} = \mu_0 \pm V/2` or :math:`T_{L,R} = T_0 \pm \delta T/2`, and one
    part of it that moves; its force is counted from that in equilibrium at μ₀ and T₀ at the same position.

    Attributes
    ----------
    device
        Its positions other than that of the part stay where they are.
    mu, temperature
        μ₀ and T₀ [energy].
    drive
        What the drive is.
    part
        Name of the part that moves.
    electronic_friction
        Whether the friction of the electrons and the noise of their force are computed, too; of a linear response those
        in equilibrium.
    effort
        How much work is spent on one position and drive.

    Errors: ``ValueError`` for a device without such a part, or with other terminals than L and R.
    """

    device: HasPositions
    mu: Float[Array, ""] = eqx.field(converter=as_array)
    temperature: Float[Array, ""] = eqx.field(converter=as_array)
    drive: Drive = eqx.field(static=True, default=Drive.BIAS)
    part: str = eqx.field(static=True, default="x")
    electronic_friction: bool = eqx.field(static=True, default=False)
    effort: Effort = eqx.field(static=True, default=Effort.STRICT)

    def __check_init__(self):
        if not isinstance(self.device, HasPositions) or self.part not in self.device.positions:
            there = ", ".join(self.device.positions) if isinstance(self.device, HasPositions) else "none"
            raise ValueError(
                f"Driven: no part {self.part!r} of {type(self.device).__name__} moves; there are: {there}."
            )
        if set(self.device.terminals) != {"L", "R"}:
            raise ValueError(
                f"Driven: {type(self.device).__name__} has the terminals {', '.join(self.device.terminals)}; a drive "
                "needs L and R, and no others."
            )

    def reservoirs(self, drive: Float[Array, ""] | float) -> Reservoirs:
        """Both reservoirs at a drive [energy]."""
        sides = jnp.array([0.5 if name == "L" else -0.5 for name in self.device.terminals])
        apart = sides * drive
        is_bias = self.drive is Drive.BIAS
        return Reservoirs(self.mu + apart * is_bias, self.temperature + apart * (not is_bias))

    def at(self, x: Float[Array, ""], drive: Float[Array, ""]) -> dict[str, Array]:
        """Force on the part [energy/length] and currents into the device at a position and a drive, friction and noise
        if wanted; the heat current is J^E − μ₀ I, without the Joule heat of a bias, so that it is linear where the
        response is."""
        index = self.device.coordinates.index(self.part)
        device = self.device.moved_to(self.device.q.at[index].set(x)).counted_from(self.mu, self.temperature)
        reservoirs = self.reservoirs(drive)
        value = device.response(reservoirs, self.effort).value
        found = {
            "force": -value.conjugate[index],
            "particle_current": value.particle,
            "heat_current": value.energy - self.mu * value.particle,
        }
        if not self.electronic_friction:
            return found
        is_linear = isinstance(device, Linearised)
        inner, baths = (device.device, self.reservoirs(0.0)) if is_linear else (device, reservoirs)
        electronic = electronic_friction(inner, baths, self.effort)
        at = self.device.positions.index(self.part)
        return found | {"friction": electronic.friction[at, at], "noise": electronic.noise[at, at]}

    def force(self, x: Float[Array, ""], drive: Float[Array, ""]) -> Float[Array, ""]:
        """Force on the part [energy/length]."""
        return self.at(x, drive)["force"]

    def tabulated(
        self,
        positions: Sequence[float] | np.ndarray,
        drives: Sequence[float] | np.ndarray | None = None,
        *,
        tolerance: float | None = None,
    ) -> MotionTable:
        """The table that motion reads; see :func:`mesotherm.motion_table.tabulate`. Without ``drives`` for a device
        whose response is linear."""
        return tabulate(self.at, positions, drives, tolerance=tolerance)


@eqx.filter_jit
def resting_drive(
    driven: Driven, mode: MechanicalMode, positions: Float[Array, "positions"]
) -> tuple[Float[Array, "positions"], Float[Array, "positions"]]:
    """The drive V*(x) at which the part rests at each position [energy], and the slope of the whole force with respect
    to the position there [energy/length^2]: negative where it rests stably.

    Newton steps from no drive; NaN where no drive is found, as where none has a force.
    """

    def one(x):
        def missing(drive):
            return driven.force(x, drive) + mode.force(x)

        def step(state):
            drive, _, count = state
            value, slope = jax.jvp(missing, (drive,), (jnp.ones(()),))
            return drive - value / slope, jnp.abs(value), count + 1

        def go_on(state):
            drive, last, count = state
            return (last > 1e-14 * (1e-3 + jnp.abs(mode.force(x)))) & (count < NEWTON_STEPS) & jnp.isfinite(drive)

        drive, last, _ = jax.lax.while_loop(go_on, step, (jnp.zeros(()), jnp.asarray(jnp.inf), 0))
        drive = jnp.where(last < 1e-6 * (1e-3 + jnp.abs(mode.force(x))), drive, jnp.nan)
        _, slope = jax.jvp(lambda x: driven.force(x, drive) + mode.force(x), (x,), (jnp.ones(()),))
        return drive, slope

    return jax.lax.map(one, jnp.asarray(positions))


def folds(
    driven: Driven, mode: MechanicalMode, positions: Sequence[float] | np.ndarray
) -> tuple[Float[np.ndarray, "folds"], Float[np.ndarray, "folds"]]:
    """Positions [length] and drives [energy] where a stable and an unstable equilibrium merge.

    Between two neighbours of the grid of ``positions`` at most one is found; from there by Newton steps, to rounding.
    """
    grid = np.asarray(positions, float)
    drive, slope = (np.asarray(found) for found in resting_drive(driven, mode, jnp.asarray(grid)))
    turned = np.flatnonzero(np.isfinite(drive[:-1]) & np.isfinite(drive[1:]) & (slope[:-1] * slope[1:] < 0))
    part = slope[turned] / (slope[turned] - slope[turned + 1])
    guess = np.stack([values[turned] + part * (values[turned + 1] - values[turned]) for values in (grid, drive)], 1)
    if not len(guess):
        return np.zeros(0), np.zeros(0)
    found = np.asarray(_refined_folds(driven, mode, jnp.asarray(guess)))
    return found[:, 0], found[:, 1]


@eqx.filter_jit
def _refined_folds(driven, mode, guesses):
    def conditions(point):
        def whole(x):
            return driven.force(x, point[1]) + mode.force(x)

        return jnp.stack(jax.jvp(whole, (point[0],), (jnp.ones(()),)))

    def refined(guess):
        def step(_, point):
            return point - jnp.linalg.solve(jax.jacfwd(conditions)(point), conditions(point))

        return jax.lax.fori_loop(0, 6, step, guess)

    return jax.lax.map(refined, guesses)


class Jump(eqx.Module):
    """A jump of a part that is driven infinitely slowly.

    Attributes
    ----------
    drive
        At which it jumps [energy].
    start, stop
        From where to where [length].
    dissipated
        The effective potential it loses, which ends as heat [energy].
    """

    drive: float
    start: float
    stop: float
    dissipated: float


class QuasiStatic(eqx.Module):
    """A part that follows its drive infinitely slowly.

    Attributes
    ----------
    drive, position
        At every drive given, where the part is [energy], [length].
    jumps
        In their order.
    """

    drive: Float[np.ndarray, "drives"]
    position: Float[np.ndarray, "drives"]
    jumps: tuple[Jump, ...]

    @property
    def work(self) -> float:
        """Work of the force of the electrons over a closed cycle, ∮F dx: all of it is dissipated in jumps [energy]."""
        return sum(jump.dissipated for jump in self.jumps)


def quasi_static(
    driven: Driven,
    mode: MechanicalMode,
    table: MotionTable,
    drives: Sequence[float] | np.ndarray,
    start: float | None = None,
) -> QuasiStatic:
    """Follow the equilibria as the drive goes through given values, jumping where one ends to the stable one downhill.

    Assumes: no inertia: after a jump the part stays in the next well.

    Parameters
    ----------
    table
        Of ``driven``; its equilibria are the guesses, the positions are then refined with the device itself.
    drives
        Neighbours closer together than two folds [energy].
    start
        Where the part is at first; by default the stable position nearest to where its spring is at rest [length].
    """
    k, x0, load = float(mode.stiffness), float(mode.rest_position), float(mode.external_force)
    path = np.asarray(drives, float)
    places = np.empty(len(path))
    here = x0 if start is None else start
    jumps = list[tuple[float, float, float, float]]()
    for n, drive in enumerate(path):
        found = equilibria(table, float(drive), k, x0, load)
        walls = found.position[~found.stable]
        room = np.searchsorted(walls, here)
        low, high = np.append(-np.inf, walls)[room], np.append(walls, np.inf)[room]
        inside = found.position[found.stable & (found.position > low) & (found.position < high)]
        places[n] = inside[0]
        here = float(places[n])
    places = np.asarray(_polished(driven, mode, jnp.asarray(path), jnp.asarray(places)))
    turning = folds(driven, mode, np.linspace(float(table.start), float(table.end), 801))
    for n in range(1, len(path)):
        low, high = sorted(path[n - 1 : n + 1])
        for x, drive in zip(*turning, strict=True):
            between = low < drive <= high and (places[n] - x) * (places[n - 1] - x) < 0
            if between and abs(places[n] - places[n - 1]) > abs(x - places[n - 1]):
                found = equilibria(table, float(drive), k, x0, load)
                ahead = found.position[found.stable & ((found.position - x) * (places[n] - x) > 0)]
                guess = ahead[np.argmin(np.abs(ahead - places[n]))]
                stop = float(_polished(driven, mode, jnp.array([drive]), jnp.array([guess]))[0])
                lost = float(
                    table.work(stop, drive)
                    - table.work(x, drive)
                    - k / 2 * ((stop - x0) ** 2 - (x - x0) ** 2)
                    + load * (stop - x)
                )
                jumps.append((float(drive), float(x), stop, lost))
    return QuasiStatic(path, places, tuple(Jump(*jump) for jump in jumps))


@eqx.filter_jit
def _polished(driven, mode, drives, positions):
    """Newton steps to the equilibria next to the guesses; a guess at a fold, where they would lead away, stays."""

    def one(given):
        drive, x = given

        def whole(x):
            return driven.force(x, drive) + mode.force(x)

        def step(_, x):
            value, slope = jax.jvp(whole, (x,), (jnp.ones(()),))
            change = value / slope
            return jnp.where(jnp.abs(change) < 1e-3, x - change, x)

        return jax.lax.fori_loop(0, 3, step, x)

    return jax.lax.map(one, (drives, positions))
