r"""Curves of solutions, walked through folds.

A curve of solutions of F(y, s) = 0 is walked by its arclength: a step along its tangent, then Newton steps at right
angles to it. s need not grow along the curve, so a fold is a point like any other.

Source: Keller, in Applications of Bifurcation Theory (Academic Press, 1977), p. 359.
"""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

FIRST_STEP, LONGEST_STEP, SHORTEST_STEP = 0.05, 0.25, 1e-6
"""Of arclength, in the unknowns' own scale."""

CORRECTIONS = 5
"""Newton steps at right angles to the curve, at most; a step along it is halved where they do not suffice."""

CORRECTED = 1e-8
"""Length of the last correction at which a point lies on the curve."""


class Walk(eqx.Module):
    """Points of a curve, in the order in which they were met.

    Attributes
    ----------
    s
        Parameter at every point.
    y
        Coordinates of the unknowns.
    count
        How many points there are; the rest of the arrays is not used.
    broke_off
        Whether no step was short enough to go on.
    """

    s: Float[Array, "points"]
    y: Float[Array, "points unknowns"]
    count: Int[Array, ""]
    broke_off: Bool[Array, ""]


def walk(
    residual: Callable[[Float[Array, "unknowns"], Float[Array, ""]], Float[Array, "unknowns"]],
    y0: Float[Array, "unknowns"],
    s0: Float[Array, ""],
    s1: Float[Array, ""],
    points: int,
) -> Walk:
    """Follow the curve of F(y, s) = 0 through (y0, s0) towards s1, until it is passed or ``points`` are found.

    The curve ends as well where it comes back to s0.
    """
    size = y0.size
    ahead = jnp.where(s1 >= s0, 1.0, -1.0)

    def both(x):
        return jax.jacfwd(lambda x: (residual(x[:-1], x[-1]),) * 2, has_aux=True)(x)

    def tangent(x, before):
        slope, _ = both(x)
        direction = jnp.linalg.solve(jnp.vstack([slope, before]), jnp.zeros(size + 1).at[-1].set(1.0))
        return direction / jnp.linalg.norm(direction)

    def correct(guess, direction):
        def newton(state):
            x, _, count = state
            slope, value = both(x)
            system = jnp.vstack([slope, direction])
            change = jnp.linalg.solve(system, jnp.append(value, direction @ (x - guess)))
            return x - change, jnp.linalg.norm(change), count + 1

        def go_on(state):
            _, change, count = state
            return (change > CORRECTED) & (count < CORRECTIONS)

        return jax.lax.while_loop(go_on, newton, (guess, jnp.inf, 0))

    def advance(state):
        x, direction, step, s, y, count = state
        found, change, used = correct(x + step * direction, direction)
        good = (change <= CORRECTED) & jnp.all(jnp.isfinite(found))
        turned = tangent(found, direction)
        good = good & (turned @ direction > 0.9)
        x, direction = jnp.where(good, found, x), jnp.where(good, turned, direction)
        s = s.at[count].set(jnp.where(good, x[-1], s[count]))
        y = y.at[count].set(jnp.where(good, x[:-1], y[count]))
        longer = jnp.minimum(jnp.where(used <= 3, 1.5, 1.0) * step, LONGEST_STEP)
        return x, direction, jnp.where(good, longer, step / 2), s, y, count + good

    def go_on(state):
        x, _, step, _, _, count = state
        inside = (ahead * (s1 - x[-1]) >= 0) & (ahead * (x[-1] - s0) >= 0)
        return inside & (count < points) & (step > SHORTEST_STEP)

    x = jnp.append(y0, s0)
    direction = tangent(x, jnp.zeros(size + 1).at[-1].set(ahead))
    s, y = jnp.zeros(points).at[0].set(s0), jnp.zeros((points, size)).at[0].set(y0)
    _, _, step, s, y, count = jax.lax.while_loop(go_on, advance, (x, direction, FIRST_STEP, s, y, 1))
    return Walk(s, y, count, step <= SHORTEST_STEP)
