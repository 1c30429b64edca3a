r"""Master equations for quantum dots: sequential tunnelling between many-body states, and what bosons drive.

A transition takes the device from a state i to a state j, with an electron that enters from terminal α, or with energy
that bosons of terminal α bring:

.. math::
    W_{ji} = \gamma\, f(z), \qquad W_{ij} = \gamma\,[1 - f(z)], \qquad z = (E_j - E_i - \mu_\alpha)/T_\alpha \\
    W_{ji} = \gamma\, n(z), \qquad W_{ij} = \gamma\,[1 + n(z)], \qquad z = (E_j - E_i)/T_\alpha > 0

with the Fermi function f and the Bose function n (where z < 0 the two directions change places).

Source: Whitney, Sánchez, Haupt & Splettstoesser, Physica E 75, 257 (2016), Eqs. 2–8; stationary populations by the
elimination of Grassmann, Taksar & Heyman, Oper. Res. 33, 1107 (1985).

Every array of the engine runs over states, transitions or terminals first and may have batch dimensions after that
(:mod:`mesotherm.engines.batch_last`).
"""

import abc
import dataclasses
import functools
from collections.abc import Mapping
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from mesotherm.conventions import EPSILON
from mesotherm.device import AbstractDevice, Answer, Assumption, Effort, InverseTemperature, Reservoirs, Response
from mesotherm.distributions import occupation
from mesotherm.engines.batch_last import batch_last
from mesotherm.engines.elimination import Elimination, Graph, connected, stationary
from mesotherm.engines.scaled import Scaled, is_zero, joined, plain, total, zeros_like
from mesotherm.engines.stacking import with_axes

LARGEST_EXPONENT = 745.0
"""exp(-745) is the smallest 64-bit float: reduced energies beyond it carry no further rounding error there."""

SMALLEST_EXIT = 1e-120
"""Slowest way out of a state, over the fastest rate, that 64-bit floats are trusted with: what is lost because smaller
numbers than 1e-308 are not there is then far below any rounding error."""


@dataclasses.dataclass(frozen=True)
class TransitionTable:
    """Every transition: from state ``empty[t]`` to ``filled[t]``, out of ``terminal[t]``; positions.

    ``bosonic`` are the positions of terminals whose reservoirs are bosons: they bring energy, no electrons.
    """

    states: int
    empty: tuple[int, ...]
    filled: tuple[int, ...]
    terminal: tuple[int, ...]
    bosonic: tuple[int, ...] = ()

    @functools.cached_property
    def graph(self) -> Graph:
        """Steps between states, whatever terminal drives them."""
        return Graph(self.states, tuple(dict.fromkeys(zip(self.empty, self.filled, strict=True))))

    @functools.cached_property
    def of_step(self) -> np.ndarray:
        """Positions of the transitions that make up each step [steps, most of one step]; filled up with their number,
        where a zero stands."""
        members: dict[tuple[int, int], list[int]] = {step: [] for step in self.graph.steps}
        for position, step in enumerate(zip(self.empty, self.filled, strict=True)):
            members[step].append(position)
        most = max(map(len, members.values()))
        return np.array([row + [len(self.empty)] * (most - len(row)) for row in members.values()])

    def steps(self, of_transitions: Any) -> Any:
        """What belongs to transitions, summed for each step."""
        if self.of_step.shape[1] == 1:
            return of_transitions[self.of_step[:, 0]]
        padded = joined([of_transitions, zeros_like(of_transitions[:1])])
        return total(padded[self.of_step], 1)

    @functools.cached_property
    def touching(self) -> list[np.ndarray]:
        """Positions of the transitions that begin or end at each state; of states that have any."""
        ends = np.array([self.empty, self.filled])
        found = [np.flatnonzero(np.any(ends == state, axis=0)) for state in range(self.states)]
        return [positions for positions in found if len(positions)]

    def at(self, terminals: int) -> np.ndarray:
        """0/1 matrix [terminals, transitions]: which transitions belong to each terminal."""
        return np.equal.outer(np.arange(terminals), self.terminal).astype(float)

    @property
    def from_bosons(self) -> np.ndarray:
        """Which transitions are driven by bosons."""
        return np.isin(self.terminal, self.bosonic)

    @property
    def electrons(self) -> np.ndarray:
        """How many electrons each transition brings: one, or none with bosons."""
        return 1.0 - self.from_bosons


class Kinetics(eqx.Module):
    """What rates follow from.

    Attributes
    ----------
    energies
        Of every many-body state [energy].
    rates
        Tunnel rate γ at the energy of each transition [energy/ħ].
    uncertainty
        Relative rounding error of each tunnel rate [1].
    """

    energies: Float[Array, "states"]
    rates: Float[Array, "transitions"]
    uncertainty: Float[Array, "transitions"] | float = EPSILON


class AbstractRateEquation(AbstractDevice):
    """A device described by many-body energies, a table of transitions and a tunnel rate for each."""

    assumptions: ClassVar[Mapping[str, Assumption]] = {
        "weak_coupling": Assumption(
            "tunnel rates are small against the temperature of their terminal: largest ħγ/(k_B T)", limit=0.1
        )
    }

    @abc.abstractmethod
    def transitions(self) -> TransitionTable:
        """The table of transitions; structure only, the same for all parameter values."""

    @abc.abstractmethod
    def kinetics(self, reservoirs: Reservoirs) -> Kinetics:
        """Energies of the states and tunnel rates of the transitions."""

    @abc.abstractmethod
    def state_names(self) -> tuple[str, ...]:
        """What each many-body state is called, "M+H" or "empty"."""

    @property
    def points_together(self) -> int:
        return 128 if self.transitions().states <= 32 else 16

    @property
    def floating_reservoir(self) -> InverseTemperature:
        return InverseTemperature()

    def assumption_values(self, reservoirs):
        terminal = np.array(self.transitions().terminal)
        return jnp.max(self.kinetics(reservoirs).rates / jnp.abs(reservoirs.T[terminal]))[None]

    def populations(self, reservoirs: Reservoirs) -> Float[Array, "states"]:
        """Stationary probability of every many-body state, each to a few rounding units.

        Errors: not finite if the stationary state is not unique; ``stationary_states`` then tells how many there are.
        """
        return _compiled_populations(self, reservoirs)

    def stationary_states(self, reservoirs: Reservoirs) -> list[dict[str, float]]:
        """Every stationary state there is, each as the populations of the many-body states it consists of, by name.

        There are several where transitions do not lead from every state to every other; whatever mixture of them the
        device begins in stays. Not for use inside compiled functions.
        """
        table, flows = self.transitions(), _compiled_flows(self, reservoirs)
        there = ~np.asarray(is_zero(flows.enter))
        steps = [(a, b) for a, b, open_ in zip(table.empty, table.filled, there, strict=True) if open_]
        names, found = self.state_names(), []
        for members in connected(table.states, steps):
            position = {state: new for new, state in enumerate(members)}
            inside = [t for t, state in enumerate(table.empty) if there[t] and state in position]
            if not inside:
                found.append({names[members[0]]: 1.0})
                continue
            part = TransitionTable(
                len(members),
                tuple(position[table.empty[t]] for t in inside),
                tuple(position[table.filled[t]] for t in inside),
                tuple(table.terminal[t] for t in inside),
                table.bosonic,
            )
            p = _populations_of(part, *(rate[np.array(inside)] for rate in (flows.enter, flows.leave)))
            found.append({names[state]: float(p[new]) for state, new in position.items()})
        return found

    def response(self, reservoirs: Reservoirs, effort: Effort = Effort.STRICT) -> Answer:
        """Currents into the dots; the error bound is that of rounding, the solution being exact otherwise.

        With little effort numbers are 64-bit floats, and the bound is infinite where those underflow; with more they
        are of any size.

        Assumes: tunnel rates well below every temperature (weak coupling), no coherence between states.

        Errors: none raised; currents are not finite where the stationary state is not unique.
        """
        return _compiled_answer(effort, self, reservoirs)


@eqx.filter_jit
def _compiled_flows(device: AbstractRateEquation, reservoirs: Reservoirs) -> "TransitionFlows":
    return transition_flows(device, reservoirs, Effort.STRICT)


@eqx.filter_jit
def _populations_of(table: TransitionTable, enter: Any, leave: Any) -> Float[Array, "states"]:
    return plain(Elimination.of(table.graph, table.steps(enter), table.steps(leave)).stationary())


class TransitionFlows(eqx.Module):
    """What goes on at every transition: energy gained, the same from μ, reduced energy, rates in and out."""

    kinetics: Kinetics
    gain: Float[Array, "transitions ..."]
    above_mu: Float[Array, "transitions ..."]
    reduced: Float[Array, "transitions ..."]
    enter: Any
    leave: Any


def transition_flows(device: AbstractRateEquation, reservoirs: Reservoirs, effort: Effort) -> TransitionFlows:
    """The rates behind an answer, in the order of the table of transitions; numbers of any size with much effort."""
    table, kinetics = device.transitions(), device.kinetics(reservoirs)
    terminal = np.array(table.terminal)
    energies = kinetics.energies
    gain = energies[np.array(table.filled)] - energies[np.array(table.empty)]
    mu = reservoirs.mu[terminal]
    above_mu = gain - (mu if not table.bosonic else with_axes(table.electrons, mu.ndim) * mu)
    reduced = above_mu / reservoirs.T[terminal]
    if not of_any_size(effort) and not table.bosonic:
        f, vacancy = occupation(reduced)
        return TransitionFlows(kinetics, gain, above_mu, reduced, kinetics.rates * f, kinetics.rates * vacancy)
    up, down = jnp.maximum(reduced, 0.0), jnp.maximum(-reduced, 0.0)
    size = up + down  # the slope of abs(z) at z = 0 would be 1
    decay = jnp.exp(-size)
    fermions = 1.0 / (1.0 + decay)
    bosons = with_axes(table.from_bosons, reduced.ndim)
    larger = jnp.where(bosons, -1.0 / jnp.expm1(-jnp.where(bosons, size, 1.0)), fermions)

    def rate(exponent):
        if not of_any_size(effort):
            return kinetics.rates * larger * jnp.exp(-exponent)
        fixed = jax.lax.stop_gradient(exponent)
        return Scaled.of(kinetics.rates * larger * jnp.exp(fixed - exponent), -fixed)

    return TransitionFlows(kinetics, gain, above_mu, reduced, rate(up), rate(down))


def of_any_size(effort: Effort) -> bool:
    """Whether rates are scaled numbers rather than 64-bit floats."""
    return effort in (Effort.STRICT, Effort.STUBBORN)


def _populations(device: AbstractRateEquation, reservoirs: Reservoirs) -> Float[Array, "states ..."]:
    flows = transition_flows(device, reservoirs, Effort.STRICT)
    return _populations_of(device.transitions(), flows.enter, flows.leave)


def _answer(effort: Effort, device: AbstractRateEquation, reservoirs: Reservoirs) -> Answer:
    return _currents(effort, device, device, reservoirs)


@eqx.filter_jit
def _compiled_answer(effort: Effort, device: AbstractRateEquation, reservoirs: Reservoirs) -> Answer:
    return batch_last(functools.partial(_answer, effort))(device, reservoirs)


@eqx.filter_jit
def _compiled_populations(device: AbstractRateEquation, reservoirs: Reservoirs) -> Float[Array, "states"]:
    return batch_last(_populations)(device, reservoirs)


def _currents(
    effort: Effort, device: AbstractRateEquation, coupled: AbstractRateEquation, reservoirs: Reservoirs
) -> Answer:
    """Currents with the rates of ``coupled`` at the stationary populations of ``device``, and their rounding errors."""
    table = device.transitions()
    within = transition_flows(device, reservoirs, effort)
    forward, backward = table.steps(within.enter), table.steps(within.leave)
    eliminated = Elimination.of(table.graph, forward, backward)
    p = eliminated.stationary() if of_any_size(effort) else stationary(table.graph, forward, backward)
    flows = within if coupled is device else transition_flows(coupled, reservoirs, effort)
    entering = plain(flows.enter * p[np.array(table.empty)])
    leaving = plain(flows.leave * p[np.array(table.filled)])
    net, both = entering - leaving, entering + leaving
    at = table.at(len(device.terminals))
    electrons = at * table.electrons
    particle, energy = jnp.tensordot(electrons, net, 1), jnp.tensordot(at, flows.gain * net, 1)
    one_way, one_way_heat = jnp.tensordot(electrons, both, 1), jnp.tensordot(at, jnp.abs(flows.above_mu) * both, 1)
    relative, lost = jax.lax.stop_gradient(
        (rounding(table, flows, reservoirs, effort), underflow(eliminated, forward, backward, effort))
    )
    largest = jnp.max(jnp.abs(flows.kinetics.energies), axis=0) + jnp.max(jnp.abs(reservoirs.mu), axis=0)
    of_gains = jax.lax.stop_gradient(4 * EPSILON * largest * jnp.tensordot(at, both, 1))
    none = jnp.zeros((0, *particle.shape[1:]))
    return Answer(
        value=Response(particle, energy, none),
        error=Response(
            relative * one_way + lost, relative * one_way_heat + of_gains + lost * (reservoirs.T + largest), none
        ),
        one_way=Response(one_way, one_way_heat, none),
        stationary_states=eliminated.parts if of_any_size(effort) else jnp.ones_like(eliminated.parts),
    )


def rounding(table, flows, reservoirs, effort) -> Float[Array, "..."]:
    """Relative error of every flow. A population is a sum over trees with one way out of every other state (Kirchhoff,
    Hill), over the sum of all: each state brings in the error of the worst rate out of it, twice."""
    kinetics, exponent = flows.kinetics, jnp.abs(flows.reduced)
    if not of_any_size(effort):
        exponent = jnp.minimum(exponent, LARGEST_EXPONENT)
    counted_from = jnp.max(jnp.abs(kinetics.energies), axis=0) + jnp.max(jnp.abs(reservoirs.mu), axis=0)
    lost_digits = counted_from / jnp.min(jnp.abs(reservoirs.T), axis=0)
    steep = 1.0
    if table.bosonic:  # n(z) ~ 1/z
        smallest = jnp.min(jnp.where(with_axes(table.from_bosons, exponent.ndim), exponent, jnp.inf), axis=0)
        steep = 1.0 + 1.0 / smallest
    of_rates = jnp.broadcast_to(kinetics.uncertainty, kinetics.rates.shape)
    by_states = sum(jnp.max(of_rates[touching], axis=0) for touching in table.touching)
    return 4 * (table.states * EPSILON * (1 + jnp.max(exponent, axis=0) + lost_digits * steep) + by_states)


def underflow(eliminated: Elimination, forward, backward, effort) -> Float[Array, "..."]:
    """What a current may have lost because numbers became too small: nothing, or anything."""
    if of_any_size(effort):
        return jnp.zeros_like(eliminated.parts)
    fastest = jnp.max(jnp.maximum(forward, backward), axis=0)
    safe = jnp.min(eliminated.exits, axis=0) > SMALLEST_EXIT * fastest
    return jnp.where(safe, SMALLEST_EXIT * fastest, jnp.inf)


def weak_exchange(
    device: AbstractRateEquation,
    coupled: AbstractRateEquation,
    reservoirs: Reservoirs,
    terminal: int,
    effort: Effort,
) -> Answer:
    """Currents of one terminal with the rates of ``coupled`` at the populations of ``device``; arrays of one entry."""

    def kernel(device, coupled, reservoirs):
        answer = _currents(effort, device, coupled, reservoirs)
        one = jax.tree.map(
            lambda entries: entries[terminal : terminal + 1], (answer.value, answer.error, answer.one_way)
        )
        return Answer(*one, stationary_states=answer.stationary_states)

    return batch_last(kernel)(device, coupled, reservoirs)
