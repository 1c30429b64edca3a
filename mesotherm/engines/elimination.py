r"""The stationary distribution of a Markov chain, and how it responds, by elimination without subtraction.

State after state is removed; what flowed through it is added to the direct rates of the others. Only sums, products and
quotients of non-negative numbers occur, so every probability comes out to a few rounding units however far the rates
are apart. Rates may be 64-bit floats or numbers of any size (:mod:`mesotherm.engines.scaled`).

Source: Grassmann, Taksar & Heyman, Oper. Res. 33, 1107 (1985).

Single-electron transitions only join states of even with states of odd particle number. Such a graph is recognised, and
one half of its states, not joined among themselves, is removed at once.

Arrays run over steps or states first; any further dimensions are a batch, and fast if they come last.
"""

import dataclasses
import functools
import itertools
from collections.abc import Sequence
from typing import Any, Self

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from mesotherm.engines.scaled import Numbers, Scaled, is_zero, joined, ones_like, total, where, zeros_like


@dataclasses.dataclass(frozen=True)
class Graph:
    """Which states are joined. ``steps`` are pairs (a, b); each can be walked both ways."""

    states: int
    steps: tuple[tuple[int, int], ...]


@dataclasses.dataclass(frozen=True)
class _Order:
    """How a graph is eliminated: ``first`` at once (no two of them joined), then ``core`` one by one from its end.

    Positions of rates count forward, then backward ones; one more, where a zero stands, fills tables up. So does the
    number of core states, or of first ones, where tables tell positions of those.

    Attributes
    ----------
    near
        Core states that each first state is joined with [first, most]; ``inward`` and ``outward`` are the positions of
        the rates from there and back.
    near_first, from_first
        First states that each core state is joined with [core, most], and positions of the rates from there.
    direct
        Positions of the rates within the core [core, core].
    path_in, path_out, path_via
        Paths from one core state over a first one to another [core, core, most]: positions of both rates, first state.
    back
        Sorts core and first states together into their original order.
    """

    core: np.ndarray
    first: np.ndarray
    near: np.ndarray
    inward: np.ndarray
    outward: np.ndarray
    near_first: np.ndarray
    from_first: np.ndarray
    direct: np.ndarray
    path_in: np.ndarray
    path_out: np.ndarray
    path_via: np.ndarray
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
    inward, outward, direct = (position[np.ix_(a, b)] for a, b in ((core, first), (first, core), (core, core)))
    joined_with = [np.flatnonzero(row < 2 * count) for row in outward]
    paths = [[[] for _ in core] for _ in core]
    for f, neighbours in enumerate(joined_with):
        for c, d in itertools.permutations(neighbours, 2):
            paths[c][d].append((inward[c, f], outward[f, d], f))
    nowhere = (2 * count, 2 * count, len(first))
    most = max((len(found) for row in paths for found in row), default=0)
    path = np.array([[found + [nowhere] * (most - len(found)) for found in row] for row in paths], int)
    path_in, path_out, path_via = np.moveaxis(path.reshape(len(core), len(core), most, 3), -1, 0)
    reached_from = [np.flatnonzero(column < 2 * count) for column in outward.T]
    return _Order(
        core,
        first,
        near=_table(joined_with, len(core)),
        inward=_table([inward[c, f] for f, c in enumerate(joined_with)], 2 * count),
        outward=_table([outward[f, c] for f, c in enumerate(joined_with)], 2 * count),
        near_first=_table(reached_from, len(first)),
        from_first=_table([outward[f, c] for c, f in enumerate(reached_from)], 2 * count),
        direct=direct,
        path_in=path_in,
        path_out=path_out,
        path_via=path_via,
        back=np.argsort(np.concatenate([core, first])),
    )


def _table(rows: Sequence[np.ndarray], filling: int) -> np.ndarray:
    """Rows of different lengths as one array."""
    most = max(map(len, rows), default=0)
    return np.array([[*row, *[filling] * (most - len(row))] for row in rows], int).reshape(len(rows), most)


def connected(states: int, steps: Sequence[tuple[int, int]]) -> list[list[int]]:
    """The parts that steps join states to, each sorted, in the order of their first states."""
    part = list(range(states))
    for a, b in steps:
        kept, gone = sorted((part[a], part[b]))
        part = [kept if one == gone else one for one in part]
    return [[state for state in range(states) if part[state] == one] for one in sorted(set(part))]


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


class _WrittenOut(eqx.Module):
    """A core, state after state eliminated from its end, each step written out: quick for floats, long to compile.

    ``visits[k]`` are those of the k-th state from the end per visit of each state before it, ``onward[k]`` says where
    it goes then.
    """

    visits: list[Any]
    onward: list[Any]
    left: Any

    @classmethod
    def of(cls, remaining: Any) -> Self:
        visits, onward, exits = [], [], [zeros_like(remaining[0, :0])]
        for last in range(len(_leaf(remaining)) - 1, 0, -1):
            left = total(remaining[last, :last], 0)[None]
            through = _unless_zero(left)
            visits.append(remaining[:last, last] / through)
            onward.append(remaining[last, :last] / through)
            exits.append(left)
            remaining = remaining[:last, :last] + visits[-1][:, None] * remaining[last, :last][None]
        return cls(visits, onward, joined(exits))

    def collected(self, source: Any) -> tuple[Any, Any]:
        """Where a source ends: in every state before it is eliminated, and in the first state."""
        waiting, count = [zeros_like(source[:0])], len(self.onward)
        for step in range(count):
            last = count - step
            waiting.append(source[last : last + 1])
            source = source[:last] + source[last : last + 1] * self.onward[step]
        return joined(waiting), source

    def filled(self, x: Any, more: Any) -> Any:
        """From the first state's population all others; ``more`` is added to each."""
        count = len(self.visits)
        for step in range(count - 1, -1, -1):
            x = joined([x, total(x * self.visits[step], 0)[None] + more[step : step + 1]])
        return x


class _Looped(eqx.Module):
    """The same as a loop: arrays keep their size, what is eliminated is masked. Quick to compile."""

    visits: Any
    onward: Any
    left: Any

    @classmethod
    def of(cls, remaining: Any) -> Self:
        size = len(_leaf(remaining))

        def step(remaining, last):
            before = _mask(jnp.arange(size) < last, remaining[0])
            row = where(before, remaining[last], zeros_like(remaining[0]))
            column = where(before, remaining[:, last], zeros_like(remaining[0]))
            left = total(row, 0)
            through = _unless_zero(left)[None]
            visits = column / through
            return remaining + visits[:, None] * row[None], (visits, row / through, left)

        lasts = jnp.arange(size - 1, 0, -1)
        _, (visits, onward, left) = jax.lax.scan(step, remaining, lasts)
        return cls(visits, onward, left)

    def collected(self, source: Any) -> tuple[Any, Any]:
        def step(source, row):
            onward, last = row
            return source + source[last][None] * onward, source[last]

        lasts = jnp.arange(len(_leaf(source)) - 1, 0, -1)
        source, waiting = jax.lax.scan(step, source, (self.onward, lasts))
        return waiting, source[:1]

    def filled(self, x: Any, more: Any) -> Any:
        size = 1 + len(_leaf(more))

        def step(x, row):
            visits, added, last = row
            here = total(x * visits, 0)[None] + added[None]
            return where(_mask(jnp.arange(size) == last, x), _broadcast(here, x), x), None

        lasts = jnp.arange(size - 1, 0, -1)
        whole = joined([x, zeros_like(more)])
        return jax.lax.scan(step, whole, (self.visits, more, lasts), reverse=True)[0]


def _leaf(numbers: Any) -> Array:
    return jax.tree.leaves(numbers)[0]


def _mask(of_states: Array, like: Any) -> Array:
    return of_states.reshape(-1, *[1] * (_leaf(like).ndim - 1))


def _broadcast(numbers: Any, like: Any) -> Any:
    return jax.tree.map(lambda x, y: jnp.broadcast_to(x, y.shape), numbers, like)


class Elimination(eqx.Module):
    """A chain, state after state eliminated: ``rates`` of all steps, forward, backward, and a zero; how fast first
    states are left; the core."""

    graph: Graph = eqx.field(static=True)
    rates: Any
    first_left: Any
    core: _WrittenOut | _Looped

    @classmethod
    def of(cls, graph: Graph, forward: Numbers, backward: Numbers) -> "Elimination":
        """Eliminate, given the rate of every step (a, b) from a to b, and from b to a; not negative."""
        order = _order(graph)
        rates = joined([forward, backward, zeros_like(forward[:1])])
        remaining, left = rates[order.direct], total(rates[order.outward], 1)
        if len(order.first):
            back = rates[order.path_out] / joined([_unless_zero(left), ones_like(rates[:1])])[order.path_via]
            remaining = remaining + total(rates[order.path_in] * back, 2)
        loop = isinstance(forward, Scaled)
        return cls(graph, rates, left, (_Looped if loop else _WrittenOut).of(remaining))

    @property
    def exits(self) -> Any:
        """How fast every state but one is left when it is eliminated."""
        return joined([self.first_left, self.core.left])

    @property
    def parts(self) -> Float[Array, "..."]:
        """How many parts the chain falls into, each with a stationary state of its own."""
        return 1.0 + jnp.sum(is_zero(self.exits), axis=0)

    def stationary(self) -> Any:
        """Probability of every state; not a number where the chain falls apart."""
        one = ones_like(self.exits[:1])
        p = self.core.filled(one, zeros_like(self.core.left))
        p = joined([p, self._into_first(p) / _unless_zero(self.first_left)])
        p = (p / total(p, 0)[None])[_order(self.graph).back]
        return jax.tree.map(lambda x: jnp.where(self.parts > 1, jnp.nan, x), p)

    def response(self, p: Any, source: Any) -> Any:
        """The populations x with W x = −source and no sum, W being the matrix of rates.

        Parameters
        ----------
        p
            The stationary distribution.
        source
            What is put into every state per time; its sum vanishes.
        """
        x = self.from_first_state(source)
        return x + -(p * total(x, 0)[None])

    def from_first_state(self, source: Any) -> Any:
        """The same solution but for a multiple of p, with which the first core state has none: sums of sources only."""
        order = _order(self.graph)
        source = source[np.argsort(order.back)]
        core, first = source[: len(order.core)], source[len(order.core) :]
        waiting_first = joined([first / self.first_left, zeros_like(core[:1])])
        core = core + total(waiting_first[order.near_first] * self.rates[order.from_first], 1)
        waiting, start = self.core.collected(core)
        x = self.core.filled(zeros_like(start), waiting / self.core.left)
        return joined([x, (self._into_first(x) + first) / self.first_left])[order.back]

    def _into_first(self, core: Any) -> Any:
        """What flows from core populations into every first state."""
        order = _order(self.graph)
        padded = joined([core, zeros_like(core[:1])])
        return total(padded[order.near] * self.rates[order.inward], 1)


def _unless_zero(left: Any) -> Any:
    """Rates to divide by: where a state cannot be left, nothing comes in either."""
    return where(is_zero(left), ones_like(left), left)


@functools.partial(jax.custom_jvp, nondiff_argnums=(0,))
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
    return Elimination.of(graph, forward, backward).stationary()


@stationary.defjvp
def _stationary_jvp(graph, primals, tangents):
    eliminated = Elimination.of(graph, *primals)
    p = eliminated.stationary()
    start, end = np.array(graph.steps).T
    flow = tangents[0] * p[start] - tangents[1] * p[end]
    return p, eliminated.response(p, into_states(graph, flow))


@functools.cache
def _incidence(graph: Graph) -> np.ndarray:
    """Matrix [states, steps]: −1 where a step starts, 1 where it ends."""
    matrix = np.zeros((graph.states, len(graph.steps)))
    for step, (a, b) in enumerate(graph.steps):
        matrix[a, step], matrix[b, step] = -1, 1
    return matrix


def into_states(graph: Graph, flow: Float[Array, "steps ..."]) -> Float[Array, "states ..."]:
    """What flows along the steps, from a to b, as what comes into every state."""
    return jnp.tensordot(_incidence(graph), flow, 1)
