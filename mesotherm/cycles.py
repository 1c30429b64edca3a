r"""Cycles of a rate network: each with its affinity, its flux, and what it carries.

Net currents are sums over the cycles of the network of states, every one of them run through in both directions at
rates whose ratio is the exponential of its affinity (Hill; Schnakenberg):

.. math::
    J_c = (\Pi_c^+ - \Pi_c^-) \frac{D_c}{\sum_i T_i}, \qquad
    A_c = \ln\frac{\Pi_c^+}{\Pi_c^-} = \sum_{t \in c} \ln\frac{w_t^+}{w_t^-}, \qquad
    \dot\Sigma = \sum_c J_c A_c \ge 0 \text{ term by term}

with Π the products of the rates along the cycle, D_c the sum over all ways to lead every other state into the cycle,
T_i the sum over trees into state i. A current against a force is seen to be driven by the cycles in which it is tied to
something that falls further.

Source: Hill, Free Energy Transduction and Biochemical Cycle Kinetics (1989), Chs. 2 and 6; Schnakenberg, Rev. Mod.
Phys. 48, 571 (1976).
"""

import dataclasses
import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from mesotherm.device import Effort, Reservoirs
from mesotherm.engines.rate_equation import AbstractRateEquation, transition_flows

MOST_CYCLES = 20_000
"""More are not listed: nobody reads them."""


@dataclasses.dataclass(frozen=True)
class Cycle:
    """One cycle, in the direction in which it runs on average.

    Attributes
    ----------
    states
        Names of the states, in the order they are passed; the first one follows the last.
    terminals
        The terminal behind each step, from a state to the next one.
    affinity
        Entropy produced by one passage [k_B].
    flux
        Net passages per time [energy/ħ].
    particles, energy
        What one passage brings into the device from each terminal; they sum to zero.
    """

    states: tuple[str, ...]
    terminals: tuple[str, ...]
    affinity: float
    flux: float
    particles: dict[str, float]
    energy: dict[str, float]

    def __str__(self) -> str:
        steps = "".join(f"{state} -{terminal}-> " for state, terminal in zip(self.states, self.terminals, strict=True))
        return f"{steps}{self.states[0]}"


def cycles(device: AbstractRateEquation, reservoirs: Reservoirs) -> list[Cycle]:
    """All cycles, those that produce most entropy first.

    Errors: ``ValueError`` if there are too many to list, if states cannot reach each other, or if rates underflow
    (temperatures below some hundredth of the level spacing).

    Examples
    --------
    >>> from mesotherm import Reservoirs, SingleDot, cycles
    >>> for cycle in cycles(SingleDot.example(), Reservoirs([1.0, 0.0], [1.0, 1.0])):
    ...     print(cycle, round(cycle.affinity, 9))
    empty -L-> occupied -R-> empty 1.0
    """
    table, flows = device.transitions(), transition_flows(device, reservoirs, Effort.FAST)
    enter, leave, gain = (np.asarray(values, float) for values in (flows.enter, flows.leave, flows.gain))
    steps: dict[tuple[int, int], list[tuple[int, float]]] = {}
    for t, (a, b) in enumerate(zip(table.empty, table.filled, strict=True)):
        if enter[t] > 0 and leave[t] > 0:
            steps.setdefault((a, b), []).append((t, 1.0))
            steps.setdefault((b, a), []).append((t, -1.0))
    if not steps or np.any((enter > 0) != (leave > 0)):
        raise ValueError("cycles: rates underflow or vanish in one direction only; raise the temperatures.")
    W = np.zeros((table.states, table.states))
    for (a, b), ways in steps.items():
        W[a, b] = sum(enter[t] if sign > 0 else leave[t] for t, sign in ways)
    names = device.state_names()
    found = []
    for states in _closed_paths(steps):
        into = _log_led_into(W, states)
        ways = [steps[a, b] for a, b in zip(states, (*states[1:], states[0]), strict=True)]
        for chosen in itertools.product(*ways):
            taken = [t for t, _ in chosen]
            if len(states) == 2 and not taken[0] < taken[1]:  # the same two ways, once
                continue
            if len(found) == MOST_CYCLES:
                raise ValueError(f"cycles: there are more than {MOST_CYCLES}; the network is too large to list them.")
            rates = [np.log([enter[t], leave[t]])[:: int(sign)] for t, sign in chosen]
            found.append((states, chosen, into, *np.sum(rates, axis=0)))
    trees = np.logaddexp.reduce([_log_led_into(W, (state,)) for state in range(table.states)])
    listed = []
    for states, chosen, into, forward, backward in found:
        run = 1 if forward >= backward else -1
        order = states if run > 0 else (states[0], *states[:0:-1])
        ways = chosen if run > 0 else tuple((t, -sign) for t, sign in chosen[::-1])
        particles, energy = dict.fromkeys(device.terminals, 0.0), dict.fromkeys(device.terminals, 0.0)
        for t, sign in ways:
            name = device.terminals[table.terminal[t]]
            particles[name] += sign * float(table.electrons[t])
            energy[name] += sign * float(gain[t])
        affinity = abs(forward - backward)
        flux = -np.expm1(-affinity) * np.exp(max(forward, backward) + into - trees)
        listed.append(
            Cycle(
                tuple(names[state] for state in order),
                tuple(device.terminals[table.terminal[t]] for t, _ in ways),
                float(affinity),
                float(flux),
                particles,
                energy,
            )
        )
    return sorted(listed, key=lambda cycle: -cycle.affinity * cycle.flux)


def _closed_paths(steps) -> Iterator[tuple[int, ...]]:
    """Every closed path that passes no state twice, in one direction, from its smallest state; pairs of states that
    two ways join are such paths, too."""
    neighbours: dict[int, list[int]] = {}
    for a, b in steps:
        neighbours.setdefault(a, []).append(b)

    def extended(path: list[int]) -> Iterator[tuple[int, ...]]:
        for state in neighbours[path[-1]]:
            if state == path[0] and len(path) > 2 and path[1] < path[-1]:
                yield tuple(path)
            if state > path[0] and state not in path:
                yield from extended([*path, state])

    for (a, b), ways in steps.items():
        if a < b and len(ways) > 1:
            yield (a, b)
    for start in sorted(neighbours):
        yield from extended([start])


def _log_led_into(W: np.ndarray, kept: Sequence[int]) -> float:
    """Logarithm of the sum over all forests that lead every other state into the kept ones: the product of what leaves
    each state as it is eliminated, sums of positive numbers only."""
    rates, others = W.copy(), [state for state in range(len(W)) if state not in kept]
    total = 0.0
    for position, state in enumerate(others):
        remaining = [*others[position + 1 :], *kept]
        left = rates[state, remaining].sum()
        if left == 0:
            raise ValueError("cycles: transitions do not lead from every state to every other.")
        total += np.log(left)
        rates[np.ix_(remaining, remaining)] += np.outer(rates[remaining, state], rates[state, remaining] / left)
    return float(total)
