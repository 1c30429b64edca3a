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
    part of it that moves; its force is counted from that in equilibrium at the same position. Other terminals stay at
    μ₀ and T₀.

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
    left, right
        The terminals that are driven.
    reference
        Of the equilibrium that forces are counted from, μ and T; μ₀ and T₀ if not given [energy].
    electronic_friction
        Whether the friction of the electrons and the noise of their force are computed, too; of a linear response those
        in equilibrium.
    effort
        How much work is spent on one position and drive.

    Errors: ``ValueError`` for a device without such a part or without these terminals.
    """

    device: HasPositions
    mu: Float[Array, ""] = eqx.field(converter=as_array)
    temperature: Float[Array, ""] = eqx.field(converter=as_array)
    drive: Drive = eqx.field(static=True, default=Drive.BIAS)
    part: str = eqx.field(static=True, default="x")
    electronic_friction: bool = eqx.field(static=True, default=False)
    effort: Effort = eqx.field(static=True, default=Effort.STRICT)
    left: str = eqx.field(static=True, default="L")
    right: str = eqx.field(static=True, default="R")
    reference: tuple[Float[Array, ""], Float[Array, ""]] | None = None

    def __check_init__(self):
        if not isinstance(self.device, HasPositions) or self.part not in self.device.positions:
            there = ", ".join(self.device.positions) if isinstance(self.device, HasPositions) else "none"
            raise ValueError(
                f"Driven: no part {self.part!r} of {type(self.device).__name__} moves; there are: {there}."
            )
        if not {self.left, self.right} <= set(self.device.terminals) or self.left == self.right:
            raise ValueError(
                f"Driven: {type(self.device).__name__} has the terminals {', '.join(self.device.terminals)}; name two "
                f"of them, left = {self.left!r} and right = {self.right!r} are not."
            )

    def reservoirs(self, drive: Float[Array, ""] | float) -> Reservoirs:
        """Both reservoirs at a drive [energy]."""
        sides = jnp.array([0.5 * (name == self.left) - 0.5 * (name == self.right) for name in self.device.terminals])
        apart = sides * drive
        is_bias = self.drive is Drive.BIAS
        return Reservoirs(self.mu + apart * is_bias, self.temperature + apart * (not is_bias))

    def at(self, x: Float[Array, ""], drive: Float[Array, ""]) -> dict[str, Array]:
        """Force on the part [energy/length] and currents into the device at a position and a drive, friction and noise
        if wanted; the heat current is J^E − μ₀ I, without the Joule heat of a bias, so that it is linear where the
        response is."""
        index, device, reservoirs = self._index, self._moved(x), self.reservoirs(drive)
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

    @property
    def _index(self) -> int:
        return self.device.coordinates.index(self.part)

    def _moved(self, x):
        mu, T = self.reference or (self.mu, self.temperature)
        return self.device.moved_to(self.device.q.at[self._index].set(x)).counted_from(mu, T)

    def bounded_force(self, x: Float[Array, ""], drive: Float[Array, ""]) -> tuple[Float[Array, ""], Float[Array, ""]]:
        """Force on the part and a bound on its error [energy/length]."""
        answer = self._moved(x).response(self.reservoirs(drive), self.effort)
        return -answer.value.conjugate[self._index], answer.error.conjugate[self._index]

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
