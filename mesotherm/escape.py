r"""Where a part that thermal noise moves stays, and how often it changes its well: residence and escape.

Wells exchange particles as in ṗ = p K, with rates K that do not depend on time, once a well has forgotten how a
particle came into it. With the core a particle was in last and the one it is in next,

.. math:: C_{ij}(t) = \langle \text{last}(0) = i,\ \text{next}(t) = j \rangle, \qquad
    K = C(t)^{-1}\, \dot C(t)

At t = 0, Ċ counts passages between cores, and C the time in which last and next are what they are. (Passages per time
since the core was entered are too low by what is spent between cores, 2 % at barriers of 4 T.) A later t takes back
passages that are undone before the particle has come to rest, which at weak friction are many; K then depends neither
on t nor on the cores. For two wells both rates add up to the slowest rate of the Klein–Kramers equation.

Source: Chandler, J. Chem. Phys. 68, 2959 (1978); Schütte, Noé, Lu, Sarich & Vanden-Eijnden, J. Chem. Phys. 134, 204105
(2011).

Assumes: particles that are independent of each other, and a motion whose law does not change in time.
"""

import itertools
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
        Part of the time in which a particle was there last, and its standard error [1].
    passages
        How often a particle went from one (first dimension) to another.
    rate, rate_error
        From one (first dimension) to another, and standard errors; NaN for those where no particle is [energy/hbar].
    balance, balance_error
        ln(rate[i, j] / rate[j, i]), in equilibrium that of both occupations' ratio, and standard errors; NaN without
        passages [1].
    """

    occupation: Float[np.ndarray, "cores"]
    occupation_error: Float[np.ndarray, "cores"]
    passages: Int[np.ndarray, "cores cores"]
    rate: Float[np.ndarray, "cores cores"]
    rate_error: Float[np.ndarray, "cores cores"]
    balance: Float[np.ndarray, "cores cores"]
    balance_error: Float[np.ndarray, "cores cores"]


def core_sets(found: Equilibria, part: float = 0.5) -> list[tuple[float, float]]:
    """An interval around each stable position: a part of the way to the barriers on both sides, or without an end."""
    edges = np.concatenate([[-np.inf], found.position, [np.inf]])
    at = np.flatnonzero(found.stable) + 1
    near = [edges[at] + part * (edges[at + side] - edges[at]) for side in (-1, 1)]
    return list(zip(*(side.tolist() for side in near), strict=True))


def residence(
    path: Float[Array, "frames particles"], interval: float, cores: Sequence[tuple[float, float]], settling: float
) -> Residence:
    """Occupations of positions and rates of escape from them, from positions at equal intervals of time.

    What comes before every particle was in a core, and after some particle was in one for the last time, is left out.

    Parameters
    ----------
    path
        Positions [length].
    interval
        Between two frames; short against the inverse rates [hbar/energy].
    cores
        Lowest and highest position of each, apart from each other, see :func:`core_sets` [length].
    settling
        Within which a particle that came into a well settles there: three times M/ν + ν/k, with mass, friction and
        stiffness of the well. A longer one leaves rates as they are and makes their errors grow. Zero counts passages
        between cores: right to 1 % at a damping ratio of 0.5, 18 % too high at 0.1 [hbar/energy].

    Errors: ``ValueError`` for less than two particles, positions that are not finite, and paths too short for the time
    of settling. Standard errors are those between particles and hold for many of them. Rates have relative errors
    of (rate · interval)²/12 and, by what has not settled, of the order exp(−settling/(M/ν + ν/k)).
    """
    x = np.asarray(path)
    if x.ndim != 2 or x.shape[1] < 2:
        raise ValueError(f"residence: path has shape {x.shape}; give frames of two or more particles.")
    if not np.all(np.isfinite(x)):
        lost = int(np.sum(~np.all(np.isfinite(x), axis=0)))
        raise ValueError(f"residence: path of {lost} particles is not finite; did they leave the table?")
    core = np.full(x.shape, -1, np.int16)
    for i, (low, high) in enumerate(cores):
        core[(low <= x) & (x <= high)] = i
    last, following = _filled(core), _filled(core[::-1])[::-1]
    known = np.all((last >= 0) & (following >= 0), axis=1)
    last, following = last[known], following[known]
    lag = max(int(np.ceil(settling / interval - 1e-9)), 0)
    steps = len(last) - 1 - lag
    if steps < 1:
        raise ValueError(
            f"residence: path has {len(last)} frames in which it is known for all particles in which core they were "
            f"last and are next, settling = {settling:g} takes {lag}; give a longer path or wider cores."
        )

    def pairs(one: np.ndarray, other: np.ndarray) -> np.ndarray:
        """How many frames each particle has in each pair of cores: [cores, cores, particles]."""
        each = range(len(cores))
        return np.array([[np.sum((one == i) & (other == j), axis=0) for j in each] for i in each])

    before, after = (pairs(last[:steps], following[n : n + steps]) for n in (lag, lag + 1))
    # the mean of both for C, and their difference for its derivative, is exact to second order of the interval
    time, gain = 0.5 * (before + after), (after - before) / interval
    rate, of_rate = _generator(time, gain)
    off = ~np.eye(len(cores), dtype=bool)
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = of_rate / rate[..., None]
        balance = np.log(rate) - np.log(rate.T)
        of_balance = relative - relative.swapaxes(0, 1)
    spent = np.sum(before, axis=1) / (steps * x.shape[1])
    occupation = spent.sum(-1)
    changes = pairs(last[:-1], last[1:]).sum(-1)
    return Residence(
        occupation,
        _deviation(spent - occupation[:, None] / x.shape[1]),
        np.where(off, changes, 0),
        np.where(off, rate, 0.0),
        np.where(off, _deviation(of_rate), 0.0),
        np.where(off, balance, 0.0),
        np.where(off, _deviation(of_balance), 0.0),
    )


def _filled(core: np.ndarray) -> np.ndarray:
    """Frames outside of cores belong to the core before them."""
    filled = core.copy()
    for before, here in itertools.pairwise(filled):
        np.copyto(here, before, where=here < 0)
    return filled


def _generator(time: np.ndarray, gain: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The inverse of one matrix times another, summed over particles (last dimension), and how much of it is due to
    each particle; NaN for cores without particles."""
    visited = np.any(time.sum(-1) > 0, axis=0) & np.any(time.sum(-1) > 0, axis=1)
    at = np.ix_(visited, visited)
    inverse = np.linalg.inv(time.sum(-1)[at])
    rate, each = np.full(time.shape[:2], np.nan), np.full(time.shape, np.nan)
    rate[at] = inverse @ gain.sum(-1)[at]
    deviations = gain[at] - np.einsum("ijp,jk->ikp", time[at], rate[at])
    each[at] = np.einsum("ij,jkp->ikp", inverse, deviations)
    return rate, each


def _deviation(each: np.ndarray) -> np.ndarray:
    """Standard error of a sum over independent particles (last dimension), from deviations of mean zero."""
    return np.sqrt(np.sum(each**2, axis=-1) * each.shape[-1] / (each.shape[-1] - 1))
