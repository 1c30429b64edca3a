"""Triple dot on one core, everything varying from point to point. Prints one line of JSON for bench.py."""

import json
import os
import statistics
import time

if __name__ == "__main__":
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # one core, before JAX makes its threads

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from mesotherm import CoulombDots, Effort, Reservoirs, quantum_dot_thermocouple

POINTS, TOGETHER, REPEATS = 2**16, 256, 9


def random_devices(points, seed=0):
    """Triple dots with four terminals: levels, charging energies, rates, mu and T all random."""
    rng = np.random.default_rng(seed)
    base = quantum_dot_thermocouple()
    device = CoulombDots(base.dots, base.contacts[:4], base.levels, base.charging_energies, base.tunnel_rates[:4])
    varied = eqx.tree_at(
        lambda d: (d.levels, d.charging_energies, d.tunnel_rates),
        device,
        (
            jnp.asarray(rng.uniform(-5, 5, (points, 3))),
            jnp.asarray(rng.uniform(0, 10, (points, 3))),
            jnp.asarray(rng.uniform(0.1, 1, (points, 4, 4))),
        ),
    )
    reservoirs = Reservoirs(jnp.asarray(rng.uniform(-2, 2, (points, 4))), jnp.asarray(rng.uniform(2, 10, (points, 4))))
    return varied, reservoirs


def particle_and_energy(device, reservoirs):
    answer = device.response(reservoirs, Effort.FAST)
    return answer.value.particle, answer.value.energy, answer.error.particle, answer.error.energy


def gradients(device, reservoirs):
    """One current and its derivatives with respect to everything."""
    return jax.value_and_grad(lambda both: both[0].response(both[1], Effort.FAST).value.particle[0])((device, reservoirs))


def main():
    problems = random_devices(POINTS)
    results = {}
    for name, function in (("response", particle_and_energy), ("value and gradient", gradients)):
        compiled = jax.jit(lambda x, f=function: jax.lax.map(lambda one: f(*one), x, batch_size=TOGETHER))
        start = time.perf_counter()
        compiled = compiled.lower(problems).compile()
        compiling = time.perf_counter() - start
        seconds = []
        for _ in range(REPEATS):
            start = time.perf_counter()
            jax.block_until_ready(compiled(problems))
            seconds.append(time.perf_counter() - start)
        results[name] = {"compile": compiling, "per_point": statistics.median(seconds) / POINTS}
    print(json.dumps(results))


if __name__ == "__main__":
    main()
