r"""The stationary distribution of a Markov chain by elimination without subtraction.

State after state is removed; what flowed through it is added to the direct rates of the others. Only sums, products and
quotients of non-negative numbers occur, so every probability comes out to a few rounding units however far the rates
are apart.

Source: Grassmann, Taksar & Heyman, Oper. Res. 33, 1107 (1985).

Single-electron transitions only join states of even with states of odd particle number. Such a graph is recognised, and
one half of its states, not joined among themselves, is removed at once.

Arrays run over steps or states first; any further dimensions are a batch, and fast if they come last.
"""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float


@dataclasses.dataclass(frozen=True)
class Graph:
    """Which states are joined. ``steps`` are pairs (a, b); each can be walked both ways."""

    states: int
    steps: tuple[tuple[int, int], ...]


@dataclasses.dataclass(frozen=True)
class _Order:
    """How a graph is eliminated: ``first`` at once (no two of them joined), then ``core`` one by one from its end.

    ``inward[f, c]`` is the position, among forward then backward rates then a zero, of the rate from core state c to
    first state f; ``outward[f, c]`` that of the rate back; ``direct[c, c']`` those within the core. ``back`` sorts
    core and first states together into their original order.
    """

    core: np.ndarray
    first: np.ndarray
    inward: np.ndarray
    outward: np.ndarray
    direct: np.ndarray
    back: np.ndarray


@functools.cache
def _order(graph: Graph) -> _Order:
    colour = _two_colours(graph)
    first = np.flatnonzero(colour == 1) if colour is not None else np.zeros(0, int)
    core = np.setdiff1d(np.arange(graph.states), first)
    count = len(graph.steps)
    position = np.full((graph.states, graph.states), 2 * count)
    for step, (a, b) in enumerate(graph.steps):
        position[a, b], position[b, a] = step, count + step
    return _Order(
        core,
        first,
        inward=position[np.ix_(core, first)].T,
        outward=position[np.ix_(first, core)],
        direct=position[np.ix_(core, core)],
        back=np.argsort(np.concatenate([core, first])),
    )


def _two_colours(graph: Graph) -> np.ndarray | None:
    """Colours 0 and 1 so that every step joins different ones, the first state of each part having 0; or ``None``."""
    colour = np.full(graph.states, -1)
    neighbours: list[list[int]] = [[] for _ in range(graph.states)]
    for a, b in graph.steps:
        neighbours[a].append(b)
        neighbours[b].append(a)
    for start in range(graph.states):
        if colour[start] >= 0:
            continue
        colour[start], waiting = 0, [start]
        while waiting:
            state = waiting.pop()
            for other in neighbours[state]:
                if colour[other] < 0:
                    colour[other] = 1 - colour[state]
                    waiting.append(other)
                elif colour[other] == colour[state]:
                    return None
    return colour


def stationary(
    graph: Graph, forward: Float[Array, "steps ..."], backward: Float[Array, "steps ..."]
) -> Float[Array, "states ..."]:
    """Stationary probability of every state.

    Parameters
    ----------
    forward, backward
        Rate of every step (a, b) from a to b, and from b to a [any unit]; not negative.

    Errors: not finite if a state cannot reach those that are eliminated after it: the chain falls apart, or a rate
    underflowed.
    """
    order = _order(graph)
    rates = jnp.concatenate([forward, backward, jnp.zeros_like(forward[:1])])
    remaining = rates[order.direct]
    share = None
    if len(order.first):
        inward, outward = rates[order.inward], rates[order.outward]
        share = inward / jnp.sum(outward, axis=1)[:, None]
        remaining = remaining + jnp.sum(share[:, :, None] * outward[:, None, :], axis=0)
    columns = []
    for last in range(len(order.core) - 1, 0, -1):
        columns.append(remaining[:last, last] / jnp.sum(remaining[last, :last], axis=0))
        remaining = remaining[:last, :last] + columns[-1][:, None] * remaining[last, :last]
    p = jnp.ones_like(rates[:1])
    for column in reversed(columns):
        p = jnp.concatenate([p, jnp.sum(p * column, axis=0)[None]])
        p = p / jax.lax.stop_gradient(jnp.max(p, axis=0))
    if share is not None:
        p = jnp.concatenate([p, jnp.sum(p * share, axis=1)])
    return (p / jnp.sum(p, axis=0))[order.back]
