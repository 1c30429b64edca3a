r"""Where a part rests: every zero of the whole force on it, from a table of the force.

At a fixed drive the whole force in one dimension has a potential,

.. math:: U(x) = \tfrac12 k (x - x_0)^2 - \int^x F\,dx' - F_\text{ext}\, x

whose minima and maxima are roots of the table's cubics and whose barriers are integrals of them: neither has an error
beyond the table's own.

Source: Mehring, Bustos-Marún & Calvo, PRB 109, 085418 (2024), Eq. 28 and Figs. 2, 6 and 7.
"""

import equinox as eqx
import numpy as np
from jaxtyping import Bool, Float

from mesotherm.motion_table import MotionTable, cubic


class Equilibria(eqx.Module):
    """Where a part rests, in the order of positions.

    Attributes
    ----------
    position
        Zeros of the whole force; stable and unstable ones alternate [length].
    stable
        Whether the force brings the part back.
    uncertain
        Whether another zero is so near that the table's error can make or remove both.
    slope
        Derivative of the whole force there: minus the effective stiffness [energy/length^2].
    energy
        Effective potential there, from the first position of the table on [energy].
    barriers
        From each to the next one: how much higher the unstable of both lies [energy].
    nearly
        Positions where the force almost vanishes, closer to zero than the table's error, without doing so [length].
    """

    position: Float[np.ndarray, "equilibria"]
    stable: Bool[np.ndarray, "equilibria"]
    uncertain: Bool[np.ndarray, "equilibria"]
    slope: Float[np.ndarray, "equilibria"]
    energy: Float[np.ndarray, "equilibria"]
    barriers: Float[np.ndarray, "equilibria-1"]
    nearly: Float[np.ndarray, "tangents"]


def equilibria(
    table: MotionTable,
    drive: float,
    stiffness: float,
    rest_position: float = 0.0,
    external_force: float = 0.0,
) -> Equilibria:
    """All positions in the range of a table where the whole force F(x) − k(x − x₀) + F_ext vanishes.

    The force is cubic in every interval: between its extrema, which solve a quadratic equation, it is monotone and has
    one zero where its sign changes. So no zero is missed and none is counted twice, however narrow.

    Parameters
    ----------
    drive
        Bias or temperature difference [energy].
    stiffness, rest_position, external_force
        k [energy/length^2], x₀ [length] and F_ext [energy/length] of the mode.

    Errors: ``ValueError`` for a drive outside of the table. Zeros and energies are those of the table to rounding;
    ``uncertain`` and ``nearly`` say where the table's error could change their number.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from mesotherm.motion_table import tabulate
    >>> table = tabulate(lambda x, V: {"force": V * jnp.tanh(x)}, jnp.linspace(-3, 3, 601))
    >>> found = equilibria(table, 2.0, 1.0)
    >>> print(found.position.round(6), found.stable, found.barriers.round(6))
    [-1.915008  0.        1.915008] [ True False  True] [0.653048 0.653048]
    """
    force, work = map(np.asarray, table.at_drive(drive))
    if not np.all(np.isfinite(force)):
        raise ValueError(f"equilibria: drive = {drive} is outside of the table's range of drives.")
    start, h = float(table.start), float(table.spacing)
    cubics = force.copy()
    cubics[:, 2] -= stiffness * h
    cubics[:, 3] += external_force - stiffness * (start + h * np.arange(len(cubics)) - rest_position)

    border, value = monotone_pieces(cubics)
    sign = np.where(value < 0, -1, 1)
    found = np.argwhere(sign[:, :-1] != sign[:, 1:])
    u = _bisected(cubics[found[:, 0]], border[found[:, 0], found[:, 1]], border[found[:, 0], found[:, 1] + 1])
    x = start + h * (found[:, 0] + u)
    slope = _slope(cubics[found[:, 0]], u) / h
    stable = sign[found[:, 0], found[:, 1]] > 0

    if np.any(stable[1:] == stable[:-1]):
        raise RuntimeError("equilibria: stable and unstable ones do not alternate; this is an error of this function.")

    extremum, interval = border[:, 1:-1], np.arange(len(cubics))[:, None]
    close = np.abs(value[:, 1:-1]) <= abs(drive if table.powers == (1,) else 1.0) * float(table.error["force"])
    inside = (extremum > 0) & (extremum < 1)
    crosses = (value[:, 1:-1] >= 0) == (3 * cubics[:, :1] * extremum + cubics[:, 1:2] < 0)  # a maximum above zero ...
    place = start + h * (interval + extremum)
    uncertain = np.zeros(len(x), bool)
    after = np.searchsorted(x, place[close & inside & crosses])
    uncertain[np.clip(np.concatenate([after - 1, after]), 0, max(len(x) - 1, 0))] = True

    a, b, c, d = force[found[:, 0]].T
    done = work[found[:, 0]] + h * (((a / 4 * u + b / 3) * u + c / 2) * u + d) * u
    energy = 0.5 * stiffness * (x - rest_position) ** 2 - done - external_force * x
    return Equilibria(
        position=x,
        stable=stable,
        uncertain=uncertain,
        slope=slope,
        energy=energy,
        barriers=np.abs(np.diff(energy)),
        nearly=np.unique(place[close & inside & ~crosses]),
    )


def monotone_pieces(cubics):
    """Borders between which cubics are monotone: 0, their extrema in between (or 1 in their place), 1, in their order.

    Parameters
    ----------
    cubics
        Coefficients of neighbouring intervals, of a variable from 0 to 1, highest power first [intervals, 4]; of NumPy,
        or of JAX inside compiled functions.

    Returns
    -------
    The borders, and the values there [intervals, 4]. What two intervals share has one value, whatever its rounding.
    """
    xp = cubics.__array_namespace__()
    a, b, slope = 3 * cubics[:, 0], cubics[:, 1], cubics[:, 2]
    root = xp.sqrt(xp.maximum(b * b - a * slope, 0.0))
    q = -(b + xp.copysign(root, b))  # both zeros of a u² + 2 b u + slope without subtraction
    with np.errstate(divide="ignore", invalid="ignore"):
        extrema = xp.stack([q / a, slope / q], -1)
    real = (b * b - a * slope >= 0)[:, None] & (extrema > 0) & (extrema < 1)  # comparisons with NaN are false
    extrema = xp.sort(xp.where(real, extrema, 1.0), axis=-1)
    ends = xp.zeros((len(cubics), 1)), xp.ones((len(cubics), 1))
    border = xp.concatenate([ends[0], extrema, ends[1]], -1)
    value = cubic(cubics[:, None], border)
    shared = xp.where(border[:-1] == 1.0, value[1:, :1], value[:-1])
    return border, xp.concatenate([shared, value[-1:]])


def _slope(c: np.ndarray, u: np.ndarray) -> np.ndarray:
    return (3 * c[..., 0] * u + 2 * c[..., 1]) * u + c[..., 2]


def _bisected(c: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """The zeros of cubics that change their sign once between two places."""
    negative = cubic(c, low) < 0
    for _ in range(60):
        middle = 0.5 * (low + high)
        below = (cubic(c, middle) < 0) == negative
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return 0.5 * (low + high)
