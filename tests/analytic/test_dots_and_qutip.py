"""Networks of dots against QuTiP: every transition a collapse operator of a Lindblad equation without coherences."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import qutip

from mesotherm import Effort, Reservoirs
from mesotherm.devices.dot_network import DotNetwork
from mesotherm.engines.counting import counted
from mesotherm.engines.rate_equation import transition_flows

DOTS, TERMINALS, NETWORKS = 3, 3, 50


def network(row):
    levels, pairs, rates = jnp.split(row, [DOTS, 2 * DOTS])
    return DotNetwork(
        dots=("A", "B", "C"),
        leads=("L", "R", "H"),
        levels=4 * (levels - 0.5),
        tunnel_rates=0.05 + 0.4 * rates.reshape(TERMINALS, DOTS),
        charging_energies=6 * pairs - 2,
    )


@functools.cache
def ours():
    """Networks, their reservoirs, and everything found for them."""
    rng = np.random.default_rng(7)
    rows = jnp.asarray(rng.uniform(size=(NETWORKS, 2 * DOTS + DOTS * TERMINALS)))
    reservoirs = Reservoirs(rng.uniform(-1, 1, (NETWORKS, TERMINALS)), rng.uniform(0.5, 3, (NETWORKS, TERMINALS)))

    def one(row, reservoirs):
        device = network(row)
        flows = transition_flows(device, reservoirs, Effort.FAST)
        return device.kinetics(reservoirs).energies, flows, device.populations(reservoirs), counted(device, reservoirs)

    return jax.jit(jax.vmap(one))(rows, reservoirs)


def lindblad(number):
    """The generator, and collapse operators of everything that enters from and leaves to each terminal."""
    energies, flows, *_ = jax.tree.map(lambda x: np.asarray(x[number]), ours())
    table = network(jnp.zeros(2 * DOTS + DOTS * TERMINALS)).transitions()
    states = [qutip.basis(table.states, k) for k in range(table.states)]
    operators = {(terminal, sign): [] for terminal in range(TERMINALS) for sign in (1, -1)}
    for a, b, terminal, up, down in zip(
        table.empty, table.filled, table.terminal, flows.enter, flows.leave, strict=True
    ):
        operators[terminal, 1].append(np.sqrt(up) * states[b] * states[a].dag())
        operators[terminal, -1].append(np.sqrt(down) * states[a] * states[b].dag())
    collapse = [operator for some in operators.values() for operator in some]
    return qutip.liouvillian(qutip.Qobj(np.diag(energies)), collapse), operators


@pytest.mark.parametrize("number", range(NETWORKS))
def test_populations_currents_noise_and_skewness(number):
    generator, operators = lindblad(number)
    _, _, p, found = jax.tree.map(lambda x: np.asarray(x[number]), ours())
    rho = qutip.steadystate(generator)
    np.testing.assert_allclose(rho.diag().real, p, rtol=1e-9, atol=1e-12)
    enter, leave = (
        [sum(map(qutip.to_super, operators[terminal, sign][1:]), qutip.to_super(operators[terminal, sign][0]))
         for terminal in range(TERMINALS)]
        for sign in (1, -1)
    )  # fmt: skip
    current, noise, skewness = qutip.countstat_current_noise(
        generator,
        [],
        rhoss=rho,
        J_ops=[a + b for a, b in zip(enter, leave, strict=True)],
        I_ops=[a - b for a, b in zip(enter, leave, strict=True)],
    )
    fastest = np.max(found.one_way[:TERMINALS])
    np.testing.assert_allclose(found.cumulants[0, :TERMINALS], current, rtol=1e-9, atol=1e-9 * fastest)
    np.testing.assert_allclose(
        found.covariance[:TERMINALS, :TERMINALS],
        np.reshape(noise, (TERMINALS, TERMINALS)),
        rtol=1e-9,
        atol=1e-9 * fastest,
    )
    np.testing.assert_allclose(
        found.cumulants[2, :TERMINALS], np.ravel(skewness)[:TERMINALS], rtol=1e-9, atol=1e-9 * fastest
    )
