r"""A part that follows its drive infinitely slowly: along one branch of equilibria, and where that ends to the next.

On a branch the force of the electrons balances spring and load, so that its work over a closed cycle is all done in
jumps,

.. math:: \oint F\,dx = \sum_\text{jumps} \big[U(x_\text{start}) - U(x_\text{stop})\big]

with U the effective potential at the drive of the jump.

Source: Mehring, Bustos-Marún & Calvo, PRB 109, 085418 (2024), Eqs. 24, 28 and Fig. 6.

Assumes: friction that leaves the part in the next well after a jump.
"""

from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from mesotherm.equilibria import monotone_pieces
from mesotherm.fields import as_array
from mesotherm.mechanical_mode import MechanicalMode
from mesotherm.motion_table import MotionTable

HALVINGS = 52
"""Of an interval of drives, at most: to rounding."""

PARTS, NARROWINGS = np.linspace(0.0, 1.0, 17), 13
"""Of an interval of positions, each time: to rounding."""

SMOOTH = 1e-5
"""Way over the length of the table below which an infinitesimal change of the drive makes no jump."""


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

    drive: Float[Array, "*jumps"]
    start: Float[Array, "*jumps"]
    stop: Float[Array, "*jumps"]
    dissipated: Float[Array, "*jumps"]


class QuasiStatic(eqx.Module):
    """A part that follows its drive infinitely slowly.

    Attributes
    ----------
    drive, position
        At every drive given, where the part is; NaN from where it leaves the table [energy], [length].
    to_each
        The jump on the way to each drive, NaN where there is none.
    """

    drive: Float[Array, "drives"]
    position: Float[Array, "drives"]
    to_each: Jump

    @property
    def jumps(self) -> tuple[Jump, ...]:
        """In their order; not inside compiled functions."""
        there = np.flatnonzero(np.isfinite(self.to_each.drive))
        return tuple(jax.tree.map(lambda values, n=n: float(values[n]), self.to_each) for n in there)

    @property
    def work(self) -> Float[Array, ""]:
        """Work of the force of the electrons over a closed cycle, ∮F dx: all of it is dissipated in jumps [energy]."""
        return jnp.nansum(self.to_each.dissipated)


@eqx.filter_jit
def quasi_static(
    mode: MechanicalMode,
    table: MotionTable,
    drives: Sequence[float] | Float[Array, "drives"],
    start: float | Float[Array, ""] | None = None,
) -> QuasiStatic:
    """Follow the equilibria as the drive goes through given values, jumping where one ends to the next one downhill.

    Compiled; batch it with ``jax.vmap`` over the mode, the table and the drives.

    Parameters
    ----------
    drives
        Neighbours closer together than two folds: of several jumps on the way from one to the next only the longest is
        found [energy].
    start
        From where the part goes downhill at the first drive; by default where its spring is at rest [length].

    Errors: none raised; positions and jumps are those of the table to rounding.
    """
    path = as_array(drives)
    room = SMOOTH * (table.end - table.start)

    def downhill(drive, x):
        return _downhill(mode, table, drive, x)

    def advance(state, drive):
        last, here = state

        # Halve the way of the drive towards the half in which the part moves more: to a jump, if there is one.
        def halve(bracket):
            low, high, at_low, at_high, count = bracket
            middle = 0.5 * (low + high)
            reached = downhill(middle, here)
            first = jnp.abs(reached - at_low) > jnp.abs(at_high - reached)
            halves = (low, middle), (middle, high), (at_low, reached), (reached, at_high)
            return *(jnp.where(first, *both) for both in halves), count + 1

        def apart(bracket):
            _, _, at_low, at_high, count = bracket
            return (jnp.abs(at_high - at_low) > room) & (count < HALVINGS)

        there = downhill(drive, here)
        _, turn, before, after, _ = jax.lax.while_loop(apart, halve, (last, drive, here, there, 0))
        fold = _turning_point(mode, table, turn, before)
        lost = _potential(mode, table, turn, fold) - _potential(mode, table, turn, after)
        jumped = jnp.abs(after - before) > room
        jump = Jump(*(jnp.where(jumped, value, jnp.nan) for value in (turn, fold, after, lost)))
        return (drive, there), (there, jump)

    begun = downhill(path[0], mode.rest_position if start is None else as_array(start))
    _, (places, jumps) = jax.lax.scan(advance, (path[0], begun), path)
    return QuasiStatic(path, places, jumps)


def _potential(mode, table, drive, x):
    return mode.stored(x) - mode.external_force * x - table.work(x, drive)


def _turning_point(mode, table, drive, x):
    """Where the whole force is extreme, by two Newton steps from next to it."""

    def slope(x):
        return jax.jvp(lambda x: table(x, drive)["force"] + mode.force(x), (x,), (jnp.ones(()),))[1]

    for _ in range(2):
        value, curvature = jax.jvp(slope, (x,), (jnp.ones(()),))
        x = x - value / curvature
    return x


def _downhill(mode, table, drive, x):
    """The first zero of the whole force on the way that the force shows; NaN if it leads out of the table."""
    cubics, _ = table.at_drive(drive)
    places = table.start + table.spacing * jnp.arange(table.intervals[0])
    cubics = cubics.at[:, 2].add(-mode.stiffness * table.spacing).at[:, 3].add(mode.force(places))
    border, value = monotone_pieces(cubics)
    border, value = (places[:, None] + table.spacing * border).ravel(), value.ravel()

    def whole(x):
        return table(x, drive)["force"] + mode.force(x)

    force = whole(x)
    to_right, to_left = (border > x) & (value <= 0), (border < x) & (value >= 0)
    right, left = jnp.argmax(to_right), len(border) - 1 - jnp.argmax(to_left[::-1])
    rightwards = force > 0
    low = jnp.where(rightwards, jnp.maximum(x, border[jnp.maximum(right - 1, 0)]), border[left])
    high = jnp.where(rightwards, border[right], jnp.minimum(x, border[jnp.minimum(left + 1, len(border) - 1)]))

    def narrow(_, bracket):
        inner = bracket[0] + (bracket[1] - bracket[0]) * PARTS
        first = jnp.sum(whole(inner[1:-1]) > 0)  # positive before the zero, nowhere after it
        return inner[first], inner[first + 1]

    low, high = jax.lax.fori_loop(0, NARROWINGS, narrow, (low, high))
    inside = jnp.where(rightwards, jnp.any(to_right), jnp.any(to_left))
    found = jnp.where(inside, 0.5 * (low + high), jnp.nan)
    return jnp.where(force == 0, x, jnp.where(jnp.isfinite(force), found, jnp.nan))
