r"""Master equations for Coulomb-coupled dots: sequential tunnelling between many-body states.

A transition adds one electron from terminal α to state i, making state j:

.. math::
    W_{ji} = \gamma\, f(z), \qquad W_{ij} = \gamma\,[1 - f(z)], \qquad z = (E_j - E_i - \mu_\alpha)/T_\alpha

Source: Whitney, Sánchez, Haupt & Splettstoesser, Physica E 75, 257 (2016), Eqs. 2–8; stationary populations by the
elimination of Grassmann, Taksar & Heyman, Oper. Res. 33, 1107 (1985).

Every array of the engine runs over states, transitions or terminals first and may have batch dimensions after that
(:mod:`mesotherm.engines.batch_last`).
"""

import abc
import dataclasses
import functools
from collections.abc import Mapping
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from mesotherm.conventions import EPSILON
from mesotherm.device import AbstractDevice, Answer, Assumption, Effort, InverseTemperature, Reservoirs, Response
from mesotherm.distributions import occupation
from mesotherm.engines.batch_last import batch_last
from mesotherm.engines.elimination import Graph, stationary

LARGEST_EXPONENT = 745.0
"""exp(-745) is the smallest 64-bit float: reduced energies beyond it carry no further rounding error."""


@dataclasses.dataclass(frozen=True)
class TransitionTable:
    """Every way one electron can enter: from state ``empty[t]`` to ``filled[t]``, out of ``terminal[t]``; positions."""

    states: int
    empty: tuple[int, ...]
    filled: tuple[int, ...]
    terminal: tuple[int, ...]

    @functools.cached_property
    def graph(self) -> Graph:
        """Steps between states, whatever terminal drives them."""
        return Graph(self.states, tuple(dict.fromkeys(zip(self.empty, self.filled, strict=True))))

    @functools.cached_property
    def step(self) -> np.ndarray:
        """0/1 matrix [steps, transitions]: which transitions make up each step."""
        pairs = list(zip(self.empty, self.filled, strict=True))
        return np.array([[pair == step for pair in pairs] for step in self.graph.steps], float)

    def at(self, terminals: int) -> np.ndarray:
        """0/1 matrix [terminals, transitions]: which transitions belong to each terminal."""
        return np.equal.outer(np.arange(terminals), self.terminal).astype(float)


class AbstractRateEquation(AbstractDevice):
    """A device described by many-body energies, a table of transitions and a tunnel rate for each."""

    points_together: ClassVar[int] = 128
    assumptions: ClassVar[Mapping[str, Assumption]] = {
        "weak_coupling": Assumption(
            "tunnel rates are small against the temperature of their terminal: largest ħγ/(k_B T)", limit=0.1
        )
    }

    @abc.abstractmethod
    def energies(self) -> Float[Array, "states"]:
        """Energy of every many-body state [energy]."""

    @abc.abstractmethod
    def transitions(self) -> TransitionTable:
        """The table of transitions; structure only, the same for all parameter values."""

    @abc.abstractmethod
    def transition_rates(self) -> Float[Array, "transitions"]:
        """Tunnel rate γ at the energy of each transition [energy/ħ]."""

    @property
    def floating_reservoir(self) -> InverseTemperature:
        return InverseTemperature()

    def assumption_values(self, reservoirs):
        terminal = np.array(self.transitions().terminal)
        return jnp.max(self.transition_rates() / jnp.abs(reservoirs.T[terminal]))[None]

    def populations(self, reservoirs: Reservoirs) -> Float[Array, "states"]:
        """Stationary probability of every many-body state, each to a few rounding units.

        Errors: not finite if the stationary state is not unique or if rates underflow (T below about 1e-3 of the level
        spacing); the state then has the outcome ``NOT_FINITE``.
        """
        return batch_last(_populations)(self, reservoirs)

    def response(self, reservoirs: Reservoirs, effort: Effort = Effort.STRICT) -> Answer:
        """Currents into the dots; the error bound is that of rounding, the solution being exact otherwise.

        Assumes: tunnel rates well below every temperature (weak coupling), no coherence between states.

        Errors: none raised; currents are not finite where the stationary state is not unique or rates underflow.
        """
        return batch_last(_answer)(self, reservoirs)


class TransitionFlows(eqx.Module):
    """What goes on at every transition: energy gained, the same from μ, reduced energy, rates in and out."""

    gain: Float[Array, "transitions ..."]
    above_mu: Float[Array, "transitions ..."]
    reduced: Float[Array, "transitions ..."]
    enter: Float[Array, "transitions ..."]
    leave: Float[Array, "transitions ..."]


def transition_flows(device: AbstractRateEquation, reservoirs: Reservoirs) -> TransitionFlows:
    """The rates behind an answer, in the order of the table of transitions."""
    table, energies = device.transitions(), device.energies()
    terminal = np.array(table.terminal)
    gain = energies[np.array(table.filled)] - energies[np.array(table.empty)]
    above_mu = gain - reservoirs.mu[terminal]
    reduced = above_mu / reservoirs.T[terminal]
    f, vacancy = occupation(reduced)
    rate = device.transition_rates()
    return TransitionFlows(gain, above_mu, reduced, rate * f, rate * vacancy)


def _populations(device: AbstractRateEquation, reservoirs: Reservoirs) -> Float[Array, "states ..."]:
    table, flows = device.transitions(), transition_flows(device, reservoirs)
    step = table.step
    return stationary(table.graph, jnp.tensordot(step, flows.enter, 1), jnp.tensordot(step, flows.leave, 1))


def _answer(device: AbstractRateEquation, reservoirs: Reservoirs) -> Answer:
    return _currents(device, reservoirs, _populations(device, reservoirs))


def _currents(device: AbstractRateEquation, reservoirs: Reservoirs, p: Float[Array, "states ..."]) -> Answer:
    """Currents at given populations, with their rounding errors."""
    table, flows = device.transitions(), transition_flows(device, reservoirs)
    entering, leaving = flows.enter * p[np.array(table.empty)], flows.leave * p[np.array(table.filled)]
    net, both = entering - leaving, entering + leaving
    at = table.at(len(device.terminals))
    particle, energy = jnp.tensordot(at, net, 1), jnp.tensordot(at, flows.gain * net, 1)
    one_way, one_way_heat = jnp.tensordot(at, both, 1), jnp.tensordot(at, jnp.abs(flows.above_mu) * both, 1)
    exponent = jnp.max(jnp.minimum(jnp.abs(flows.reduced), LARGEST_EXPONENT), axis=0)
    counted_from = jnp.max(jnp.abs(device.energies()), axis=0) + jnp.max(jnp.abs(reservoirs.mu), axis=0)
    lost_digits = counted_from / jnp.min(jnp.abs(reservoirs.T), axis=0)
    relative = jax.lax.stop_gradient(4 * EPSILON * table.states * (2 + exponent + lost_digits))
    none = particle[:0]
    return Answer(
        value=Response(particle, energy, none),
        error=Response(relative * one_way, relative * one_way_heat + EPSILON * jnp.abs(energy), none),
        one_way=Response(one_way, one_way_heat, none),
    )


def weak_exchange(
    device: AbstractRateEquation, coupled: AbstractRateEquation, reservoirs: Reservoirs, terminal: int
) -> Answer:
    """Currents of one terminal with the rates of ``coupled`` at the populations of ``device``; arrays of one entry."""

    def kernel(device, coupled, reservoirs):
        answer = _currents(coupled, reservoirs, _populations(device, reservoirs))
        return jax.tree.map(lambda entries: entries[terminal : terminal + 1], answer)

    return batch_last(kernel)(device, coupled, reservoirs)
