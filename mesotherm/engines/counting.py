r"""Full counting statistics of rate networks: cumulants of whatever transitions carry, and covariances.

A quantity that a transition t brings into the device in the amount c_t (an electron, energy, heat) is counted by
multiplying its rate with exp(χ c_t), its reverse with exp(−χ c_t). Order by order in χ, with the populations
p = p_0 + χ p_1 + χ² p_2/2 + …,

.. math::
    C_n = \sum_{k=1}^{n} \binom{n}{k}\, 1^{\mathsf T} L_k\, p_{n-k}, \qquad
    W p_n = -\sum_{k=1}^{n} \binom{n}{k} (L_k - C_k)\, p_{n-k}, \qquad 1^{\mathsf T} p_n = 0 \; (n > 0)

where L_k moves populations along transitions, weighted with (±c_t)^k. One elimination solves every order.

Source: Bagrets & Nazarov, Phys. Rev. B 67, 085316 (2003); Flindt, Novotný, Braggio & Jauho, Phys. Rev. B 82, 155407
(2010) (the recursion).
"""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from mesotherm.device import Effort, Reservoirs
from mesotherm.engines.batch_last import batch_last
from mesotherm.engines.elimination import Elimination
from mesotherm.engines.rate_equation import (
    AbstractRateEquation,
    TransitionFlows,
    TransitionTable,
    rounding,
    transition_flows,
    underflow,
)
from mesotherm.engines.stacking import with_axes

ORDERS = 4
"""Cumulants that are found: the mean and three more."""


class Counted(eqx.Module):
    """Cumulants per time of all currents: particle currents of all terminals, then heat currents, then energy currents.

    Attributes
    ----------
    cumulants, cumulants_error
        The first four of each [counted^n energy/ħ], and absolute bounds on their errors.
    covariance, covariance_error
        Between all of them, the second cumulants on the diagonal.
    one_way
        Second cumulants there would be if all transitions were independent: what "relative" means.
    """

    cumulants: Float[Array, "orders currents"]
    cumulants_error: Float[Array, "orders currents"]
    covariance: Float[Array, "currents currents"]
    covariance_error: Float[Array, "currents currents"]
    one_way: Float[Array, "currents"]


def counted(device: AbstractRateEquation, reservoirs: Reservoirs) -> Counted:
    """Counting statistics at given reservoirs. Pure, differentiable, batchable with ``jax.vmap``.

    Bounds follow every rounding error through the recursion; heat is counted from the mean μ of its terminal.

    Assumes: as the device's currents do; reservoirs that keep their μ and T.

    Errors: none raised; not finite where the stationary state is not unique. Bounds are infinite where 64-bit floats
    underflow (temperatures below some hundredth of the level spacing).
    """
    return batch_last(_counted)(device, reservoirs)


def _counted(device: AbstractRateEquation, reservoirs: Reservoirs) -> Counted:
    table, flows = device.transitions(), transition_flows(device, reservoirs, Effort.FAST)
    forward, backward = table.steps(flows.enter), table.steps(flows.leave)
    eliminated = Elimination.of(table.graph, forward, backward)
    p = eliminated.stationary()
    arriving = [np.equal.outer(np.arange(table.states), ends).astype(float) for ends in (table.filled, table.empty)]
    weights = _weights(table, flows, len(device.terminals))

    def moved(x):
        """What goes along every transition, and back."""
        return flows.enter * x[np.array(table.empty)], flows.leave * x[np.array(table.filled)]

    def recursion(brought, taken, sign):
        """Cumulants of what every transition brings and its reverse takes, and the first response of the populations.

        With both amounts positive and ``sign`` negative nothing cancels: the sizes of all terms.
        """
        cumulants, responses = [], [p]
        for n in range(1, ORDERS + 1):
            there, back = (
                sum(math.comb(n, k) * amount**k * moved(responses[n - k])[side] for k in range(1, n + 1))
                for side, amount in enumerate((brought, taken))
            )
            cumulants.append(jnp.sum(there, axis=0) + jnp.sum(back, axis=0))
            source = jnp.tensordot(arriving[0], there, 1) + jnp.tensordot(arriving[1], back, 1)
            for k in range(1, n + 1):
                source = source - sign * math.comb(n, k) * cumulants[k - 1] * responses[n - k]
            x = eliminated.from_first_state(source)
            responses.append(x - sign * p * jnp.sum(x, axis=0))
        return jnp.stack(cumulants), responses[1]

    def between(a, x, b, y, sign):
        """Covariance of two currents with their first responses, or its size."""
        enter, leave = moved(p)
        found = jnp.sum(a * b * (enter + leave), axis=0)
        for amount, response in ((a, y), (b, x)):
            enter, leave = moved(response)
            found = found + jnp.sum(amount * (enter - sign * leave), axis=0)
        return found

    count, size = len(weights), jnp.abs(weights)
    signs = np.repeat([1.0, -1.0], count)
    found, first = jax.vmap(recursion)(
        jnp.concatenate([weights, size]), jnp.concatenate([-weights, size]), jnp.asarray(signs)
    )
    pairs = jax.vmap(jax.vmap(between, (None, None, 0, 0, None)), (0, 0, None, None, None))
    covariance = pairs(weights, first[:count], weights, first[:count], 1.0)
    spread = pairs(size, first[count:], size, first[count:], -1.0)
    enter, leave = moved(p)
    relative, lost = jax.lax.stop_gradient(
        (rounding(table, flows, reservoirs, Effort.FAST), underflow(eliminated, forward, backward, Effort.FAST))
    )
    cumulants, sizes = (jnp.swapaxes(part, 0, 1) for part in (found[:count], found[count:]))
    return Counted(
        cumulants=cumulants,
        cumulants_error=jax.lax.stop_gradient(relative * sizes + lost),
        covariance=covariance,
        covariance_error=jax.lax.stop_gradient(relative * spread + lost),
        one_way=jnp.sum(weights**2 * (enter + leave), axis=1),
    )


def _weights(
    table: TransitionTable, flows: TransitionFlows, terminals: int
) -> Float[Array, "currents transitions ..."]:
    """What every transition brings: electrons, heat and energy from every terminal."""
    at = table.at(terminals)
    at, electrons = (with_axes(x, 1 + flows.gain.ndim) for x in (at, at * table.electrons))
    return jnp.concatenate(jnp.broadcast_arrays(electrons, at * flows.above_mu, at * flows.gain))
