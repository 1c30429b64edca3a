"""Three, four and six dots on one core, everything varying between points. Prints one line of JSON for bench.py."""

import json
import os
import statistics
import time

if __name__ == "__main__":
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # one core, before JAX makes its threads

import jax
import jax.numpy as jnp
import numpy as np

from mesotherm import CoulombDots, Effort, Reservoirs

POINTS = {3: 2**16, 4: 2**14, 6: 2**11}
"""Points of each number of dots."""
REPEATS = 9


def random_devices(dots, points, seed=0):
    """Dots with a terminal each and a second one on the first: levels, charging energies, rates, mu and T random."""
    rng = np.random.default_rng(seed)
    names = tuple("ABCDEF"[:dots])
    contacts = (("T0", "A"), *((f"T{i + 1}", name) for i, name in enumerate(names)))
    terminals, pairs, others = dots + 1, dots * (dots - 1) // 2, 2 ** (dots - 1)

    def device(levels, charging_energies, tunnel_rates):
        return CoulombDots(names, contacts, levels, charging_energies, tunnel_rates)

    varied = jax.vmap(device)(
        jnp.asarray(rng.uniform(-5, 5, (points, dots))),
        jnp.asarray(rng.uniform(0, 10, (points, pairs))),
        jnp.asarray(rng.uniform(0.1, 1, (points, terminals, others))),
    )
    mu, T = rng.uniform(-2, 2, (points, terminals)), rng.uniform(2, 10, (points, terminals))
    return varied, Reservoirs(jnp.asarray(mu), jnp.asarray(T))


def particle_and_energy(device, reservoirs):
    answer = device.response(reservoirs, Effort.FAST)
    return answer.value.particle, answer.value.energy, answer.error.particle, answer.error.energy


def gradients(device, reservoirs):
    """One current and its derivatives with respect to everything."""
    return jax.value_and_grad(lambda both: both[0].response(both[1], Effort.FAST).value.particle[0])(
        (device, reservoirs)
    )


def main():
    results = {}
    for dots in POINTS:
        problems = random_devices(dots, POINTS[dots])
        for name, function in (("response", particle_and_energy), ("value and gradient", gradients)):
            compiled = jax.jit(
                lambda x, f=function: jax.lax.map(lambda one: f(*one), x, batch_size=x[0].points_together)
            )
            start = time.perf_counter()
            compiled = compiled.lower(problems).compile()
            compiling = time.perf_counter() - start
            seconds = []
            for _ in range(REPEATS):
                start = time.perf_counter()
                jax.block_until_ready(compiled(problems))
                seconds.append(time.perf_counter() - start)
            per_point = statistics.median(seconds) / POINTS[dots]
            results[f"{dots} dots, {name}"] = {"compile": compiling, "per_point": per_point}
    print(json.dumps(results))


if __name__ == "__main__":
    main()
