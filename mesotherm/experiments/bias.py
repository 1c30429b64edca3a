"""A bias between two terminals of one conductor: what the experiments that apply one share."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from mesotherm.device import Effort, is_traced, parameter
from mesotherm.experiments.experiment import Setup
from mesotherm.steady_state import SteadyState
from mesotherm.unknowns import check_unknowns


def left_share():
    """The field that says how a bias is divided; :class:`Bias` says what it means."""
    return parameter("part of the bias put on the left terminal", unit="1", low=0.0, high=1.0, default=0.5)


def largest_bias():
    """The field that says how far a search for a bias goes."""
    return parameter(
        "largest bias tried, in units of the largest fixed temperature of the conductor",
        unit="1",
        low=0.0,
        open_low=True,
        default=50.0,
    )


class Bias(eqx.Module):
    r"""How a bias is put on two terminals. It is always :math:`\mu_\text{left} - \mu_\text{right}`, divided about the
    mu given for the right one,

    .. math::
        \mu_\text{left} = \mu_0 + s\, b, \qquad \mu_\text{right} = \mu_0 - (1 - s)\, b

    The division matters wherever levels do not follow the reservoirs. The mu given for the left terminal plays no part.

    Attributes
    ----------
    left, right
        Names of the terminals.
    left_share
        s, from 0 (only the right terminal moves) to 1 (only the left one) [1].
    """

    left: str = eqx.field(static=True)
    right: str = eqx.field(static=True)
    left_share: Float[Array, ""]

    def check(self, setup: Setup, experiment: str) -> None:
        """Raise ``ValueError`` in the name of an experiment if the setup cannot be biased like this."""
        device = setup.device
        check_unknowns(device, setup.unknowns)
        for name in (self.left, self.right):
            if name not in device.terminals:
                raise ValueError(
                    f"{experiment}: there is no terminal {name!r}; left and right must be two of "
                    f"{', '.join(device.terminals)}."
                )
        if self.left == self.right:
            raise ValueError(f"{experiment}: left and right are both {self.left!r}; name two different terminals.")
        if device.index(self.right) not in device.conductor_of(self.left):
            raise ValueError(
                f"{experiment}: no particles pass between {self.left!r} and {self.right!r}; "
                "name two terminals of one conductor."
            )
        for unknown in setup.unknowns:
            if unknown.terminal in (self.left, self.right):
                raise ValueError(
                    f"{experiment}: terminal {unknown.terminal!r} floats, so it cannot be biased; "
                    "let it not float, or bias other terminals."
                )
        mu = setup.reservoirs.mu
        if not is_traced(mu):
            left, right = (float(np.asarray(mu)[device.index(name)]) for name in (self.left, self.right))
            if left != right:
                raise ValueError(
                    f"{experiment}: mu of {self.left!r} is {left:g} and mu of {self.right!r} is {right:g}, but the "
                    "bias is what makes them differ; give both the same mu."
                )

    def applied(self, setup: Setup, bias: Float[Array, ""]) -> Setup:
        """The setup with this bias [energy]."""
        given = setup.reservoirs.mu[setup.device.index(self.right)]
        left, right = given + self.left_share * bias, given - (1 - self.left_share) * bias
        return setup.with_reservoir(self.left, mu=left).with_reservoir(self.right, mu=right)

    def conductance(self, state: SteadyState, effort: Effort) -> Float[Array, ""]:
        r"""Slope of the left terminal's current with the bias at a solved state [1/ħ]; unknowns follow:

        .. math:: \frac{\mathrm d I}{\mathrm d b} = \frac{\partial I}{\partial b}
                  - \frac{\partial I}{\partial y} \Big(\frac{\partial r}{\partial y}\Big)^{-1}
                    \frac{\partial r}{\partial b}

        with y the unknowns' coordinates and r their balances. It is not finite where the state is not solved, while a
        derivative of ``steady_state`` itself would raise then, for a whole batch.
        """
        device = state.device
        left, right = device.index(self.left), device.index(self.right)
        acting = [unknown for unknown in state.unknowns if not unknown.spectator]
        starts = np.cumsum([1] + [unknown.size for unknown in acting])
        given = state.reservoirs

        def answers(moved):
            reservoirs = given.at(left, mu=given.mu[left] + self.left_share * moved[0])
            reservoirs = reservoirs.at(right, mu=given.mu[right] - (1 - self.left_share) * moved[0])
            for unknown, start in zip(acting, starts, strict=False):
                reservoirs = unknown.impose(moved[start : start + unknown.size], device, reservoirs)
            answer = device.response(reservoirs, effort)
            balances = [unknown.balance(device, reservoirs, answer, effort)[0] for unknown in acting]
            return jnp.concatenate([answer.value.particle[left][None], *balances])

        slopes = jax.jacfwd(answers)(jnp.zeros(starts[-1]))
        if not acting:
            return slopes[0, 0]
        return slopes[0, 0] - slopes[0, 1:] @ jnp.linalg.solve(slopes[1:, 1:], slopes[1:, 0])

    def unit(self, setup: Setup) -> Float[Array, ""]:
        """Largest temperature in the conductor that is given, not found: what a bias is measured in [energy]."""
        found = {unknown.terminal for unknown in setup.unknowns}
        members = setup.device.conductor_of(self.left)
        fixed = [i for i in members if setup.device.terminals[i] not in found]
        return jnp.max(setup.reservoirs.T[jnp.array(fixed)])
