"""Where a part that thermal noise moves stays, and how often it changes its well: residence and escape."""

from collections.abc import Sequence

import equinox as eqx
import numpy as np
from jaxtyping import Array, Float, Int

from mesotherm.equilibria import Equilibria


class Residence(eqx.Module):
    """How long particles stay near each of several positions, and how often they go from one to another.

    Attributes
    ----------
    occupation, occupation_error
        Part of the time, and its standard error [1].
    passages
        How often a particle went from one (first dimension) to another.
    rate, rate_error
        Passages per time spent in the first, and standard errors [energy/hbar].
    """

    occupation: Float[np.ndarray, "cores"]
    occupation_error: Float[np.ndarray, "cores"]
    passages: Int[np.ndarray, "cores cores"]
    rate: Float[np.ndarray, "cores cores"]
    rate_error: Float[np.ndarray, "cores cores"]


def core_sets(found: Equilibria, part: float = 0.5) -> list[tuple[float, float]]:
    """An interval around each stable position: a part of the way to the barriers on both sides, or without an end."""
    edges = np.concatenate([[-np.inf], found.position, [np.inf]])
    at = np.flatnonzero(found.stable) + 1
    near = [edges[at] + part * (edges[at + side] - edges[at]) for side in (-1, 1)]
    return list(zip(*(side.tolist() for side in near), strict=True))


def residence(
    path: Float[Array, "frames particles"], interval: float, cores: Sequence[tuple[float, float]]
) -> Residence:
    """Occupations and rates of escape from positions at equal intervals of time.

    A particle belongs to the core it was in last: crossing a barrier and coming back is no escape. What comes before it
    first was in any is left out.

    Parameters
    ----------
    path
        Positions [length].
    interval
        Between two frames [hbar/energy].
    cores
        Lowest and highest position of each, apart from each other, see :func:`core_sets` [length].

    Errors: ``ValueError`` for less than two particles. Standard errors hold for many, which are independent. Rates lie
    below those of relaxation by the part of the time that is spent between cores, 2 % at barriers of 5 T.
    """
    x = np.asarray(path)
    if x.ndim != 2 or x.shape[1] < 2:
        raise ValueError(f"residence: path has shape {x.shape}; give frames of two or more particles.")
    inside = np.stack([(low <= x) & (x <= high) for low, high in cores])
    frames = np.where(inside.any(0), np.arange(len(x))[:, None], -1)
    last = np.maximum.accumulate(frames, axis=0)
    core = np.where(last >= 0, np.take_along_axis(inside.argmax(0), np.maximum(last, 0), axis=0), -1)

    # [cores, particles] and [cores, cores, particles]
    time = interval * np.stack([np.sum(core[:-1] == i, axis=0) for i in range(len(cores))])
    passages = np.array(
        [
            [np.sum((core[:-1] == i) & (core[1:] == j) & (i != j), axis=0) for j in range(len(cores))]
            for i in range(len(cores))
        ]
    )
    return Residence(
        *_ratio(time, np.broadcast_to(time.sum(0), time.shape)),
        passages.sum(-1),
        *_ratio(passages, np.broadcast_to(time[:, None], passages.shape)),
    )


def _ratio(count: np.ndarray, time: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sums over particles (last dimension) divided by each other, and the standard error of it."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = count.sum(-1) / time.sum(-1)
        deviation = np.sqrt(np.sum((count - ratio[..., None] * time) ** 2, axis=-1))
        return ratio, deviation / time.sum(-1) * np.sqrt(count.shape[-1] / (count.shape[-1] - 1))
