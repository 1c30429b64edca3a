"""A bias between two terminals of one conductor: what the experiments that apply one share."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from mesotherm.device import Effort, Reservoirs
from mesotherm.experiments.experiment import Setup
from mesotherm.fields import is_traced, parameter
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
        for unknown in setup.probes:
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

    @property
    def sets(self) -> tuple[str, ...]:
        """What plays no part: the left terminal's mu, which follows from the right one's and the bias."""
        return (f"reservoirs.{self.left}.mu",)

    def applied(self, setup: Setup, bias: Float[Array, ""]) -> Setup:
        """The setup with this bias [energy]."""
        given = setup.reservoirs.mu[setup.device.index(self.right)]
        left, right = given + self.left_share * bias, given - (1 - self.left_share) * bias
        return setup.with_reservoir(self.left, mu=left).with_reservoir(self.right, mu=right)

    def solve(
        self, setup: Setup, bias: Float[Array, ""], effort: Effort
    ) -> tuple[SteadyState, Float[Array, ""], Float[Array, ""]]:
        """The steady state under this bias [energy], the left terminal's current and its slope with the bias [1/ħ],
        unknowns following."""
        left, right = setup.device.index(self.left), setup.device.index(self.right)
        still = jnp.zeros(len(setup.device.terminals))
        direction = Reservoirs(still.at[left].set(self.left_share).at[right].set(self.left_share - 1), still)
        state = self.applied(setup, bias).solve(effort, direction)
        assert state.slope is not None
        return state, state.currents.particle[left], state.slope.particle[left]

    def unit(self, setup: Setup) -> Float[Array, ""]:
        """Largest temperature in the conductor that is given, not found: what a bias is measured in [energy]."""
        found = {unknown.terminal for unknown in setup.probes}
        members = setup.device.conductor_of(self.left)
        fixed = [i for i in members if setup.device.terminals[i] not in found]
        return jnp.max(setup.reservoirs.T[jnp.array(fixed)])
