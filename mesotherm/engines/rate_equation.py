r"""Master equations for Coulomb-coupled dots: sequential tunnelling between many-body states.

A transition adds one electron from terminal α to state i, making state j:

.. math::
    W_{ji} = \gamma\, f(z), \qquad W_{ij} = \gamma\,[1 - f(z)], \qquad z = (E_j - E_i - \mu_\alpha)/T_\alpha

Source: Whitney, Sánchez, Haupt & Splettstoesser, Physica E 75, 257 (2016), Eqs. 2–8.

The stationary state comes from elimination without subtraction (Grassmann, Taksar & Heyman, Oper. Res. 33, 1107, 1985),
which keeps every population to a few rounding units however far the rates are apart.
"""

import abc

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from mesotherm.conventions import EPSILON
from mesotherm.device import AbstractDevice, Answer, Effort, InverseTemperature, Reservoirs, Response
from mesotherm.distributions import occupation

LARGEST_EXPONENT = 745.0
"""exp(-745) is the smallest 64-bit float: reduced energies beyond it carry no further rounding error."""


class TransitionTable(eqx.Module):
    """Every way one electron can enter: from state ``empty[t]`` to ``filled[t]``, out of ``terminal[t]``; positions."""

    empty: tuple[int, ...] = eqx.field(static=True)
    filled: tuple[int, ...] = eqx.field(static=True)
    terminal: tuple[int, ...] = eqx.field(static=True)


class AbstractRateEquation(AbstractDevice):
    """A device described by many-body energies, a table of transitions and a tunnel rate for each."""

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

    def _rates(self, reservoirs):
        """Energy, reduced energy, and the rates in and out of every transition."""
        table, energies = self.transitions(), self.energies()
        terminal = np.array(table.terminal)
        gain = energies[np.array(table.filled)] - energies[np.array(table.empty)]
        reduced = (gain - reservoirs.mu[terminal]) / reservoirs.T[terminal]
        f, vacancy = occupation(reduced)
        rate = self.transition_rates()
        return gain, reduced, rate * f, rate * vacancy

    def populations(self, reservoirs: Reservoirs) -> Float[Array, "states"]:
        """Stationary probability of every many-body state, each to a few rounding units.

        Errors: not finite if the stationary state is not unique or if rates underflow (T below about 1e-3 of the level
        spacing); the state then has the outcome ``NOT_FINITE``.
        """
        table = self.transitions()
        _, _, enter, leave = self._rates(reservoirs)
        empty, filled = np.array(table.empty), np.array(table.filled)
        states = len(self.energies())
        rates = jnp.zeros((states, states)).at[empty, filled].add(enter).at[filled, empty].add(leave)
        return stationary(rates)

    def response(self, reservoirs: Reservoirs, effort: Effort = Effort.STRICT) -> Answer:
        """Currents into the dots; the error bound is that of rounding, the solution being exact otherwise.

        Assumes: tunnel rates well below every temperature (weak coupling), no coherence between states.

        Errors: none raised; currents are not finite where the stationary state is not unique or rates underflow.
        """
        table = self.transitions()
        gain, reduced, enter, leave = self._rates(reservoirs)
        p = self.populations(reservoirs)
        entering, leaving = enter * p[np.array(table.empty)], leave * p[np.array(table.filled)]
        at = np.equal.outer(np.arange(len(self.terminals)), table.terminal).astype(float)
        net, both = entering - leaving, entering + leaving
        particle, energy = at @ net, at @ (gain * net)
        one_way, one_way_heat = at @ both, at @ (jnp.abs(gain - reservoirs.mu[np.array(table.terminal)]) * both)
        exponent = jnp.max(jnp.minimum(jnp.abs(reduced), LARGEST_EXPONENT))
        counted_from = jnp.max(jnp.abs(self.energies())) + jnp.max(jnp.abs(reservoirs.mu))
        lost_digits = counted_from / jnp.min(jnp.abs(reservoirs.T))
        relative = jax.lax.stop_gradient(4 * EPSILON * len(p) * (2 + exponent + lost_digits))
        none = jnp.zeros(0)
        return Answer(
            value=Response(particle, energy, none),
            error=Response(relative * one_way, relative * one_way_heat + EPSILON * jnp.abs(energy), none),
            one_way=Response(one_way, one_way_heat, none),
        )


def stationary(rates: Float[Array, "states states"]) -> Float[Array, "states"]:
    """Stationary distribution of a Markov chain with ``rates[i, j]`` from i to j (diagonal ignored), by elimination
    without subtraction. Not finite if some state cannot reach those before it."""
    states = jnp.arange(len(rates))

    def eliminate(remaining, last):
        row = jnp.where(states < last, remaining[last], 0.0)
        column = jnp.where(states < last, remaining[:, last], 0.0) / jnp.sum(row)
        return remaining + column[:, None] * row, column

    def fill(p, step):
        last, column = step
        p = jnp.where(states == last, p @ column, p)
        return p / jnp.max(p), None

    _, columns = jax.lax.scan(eliminate, rates, states[:0:-1])
    p, _ = jax.lax.scan(fill, jnp.where(states == 0, 1.0, 0.0), (states[1:], columns[::-1]))
    return p / jnp.sum(p)
