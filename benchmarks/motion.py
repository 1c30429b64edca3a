"""Speed of tight binding and of Langevin ensembles on one core: seconds, as JSON. Run by ``bench.py`` in a process."""

import json
import os
import statistics
import time

os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from mesotherm import Chain, ChainLead, Ribbon
from mesotherm.langevin import ensemble
from mesotherm.mechanical_mode import MechanicalMode
from mesotherm.motion_table import tabulate
from mesotherm.protocols import Constant

REPEATS = 5


def timed(function, *args) -> dict[str, float]:
    """Seconds until compiled, and the median of a call after that."""
    start = time.perf_counter()
    jax.block_until_ready(function(*args))
    first, runs = time.perf_counter() - start, []
    for _ in range(REPEATS):
        start = time.perf_counter()
        jax.block_until_ready(function(*args))
        runs.append(time.perf_counter() - start)
    return {"first": first, "call": statistics.median(runs)}


@eqx.filter_jit
def transmissions(device, batches):
    return jax.lax.map(lambda energies: device.elements(energies)[0][0, 1], batches)


def per_energy(device, count: int, together: int):
    energies = jnp.linspace(-1.9, 1.9, count).reshape(-1, together)
    found = timed(transmissions, device, energies)
    return found["call"] / count


def ribbon(width: int, length: int) -> Ribbon:
    levels = np.random.default_rng(0).uniform(-0.5, 0.5, width * length)
    return Ribbon(
        width=width,
        length=length,
        levels=levels,
        hopping=1.0,
        lead_level=0.0,
        lead_hopping=1.0,
        contact_L=0.6,
        contact_R=0.8,
    )


def langevin(position_dependent: bool) -> float:
    """Seconds per particle and step, with random numbers, work and one current."""

    def pushed(x, bias):
        found = {"force": -bias * jnp.tanh(x), "particle_current": bias * jnp.stack([1.0, -1.0]) / jnp.cosh(x)}
        return found | ({"friction": 0.3 / jnp.cosh(x) ** 2} if position_dependent else {})

    table = tabulate(pushed, jnp.linspace(-8, 8, 257))
    mode = MechanicalMode(1000.0, 0.02, damping_ratio=0.1)
    particles, steps = 4096, 400
    run = timed(
        lambda key: ensemble(
            mode, table, Constant(0.05), temperature=1e-3, particles=particles, time_step=10.0, steps=steps, key=key
        ),
        jax.random.key(0),
    )
    return run["call"] / (particles * steps)


def main():
    lead = ChainLead(0.0, 1.0, 1.0)
    three = Chain([0.3, -0.2, 0.1], [0.6, 0.8], lead, lead)
    print(
        json.dumps(
            {
                "chain of 3 sites, per energy": per_energy(three, 200_000, 1000),
                "ribbon of 20×50 sites, per energy": per_energy(ribbon(20, 50), 64, 64),
                "Langevin, constant friction, per particle and step": langevin(False),
                "Langevin, friction depends on position, per particle and step": langevin(True),
            }
        )
    )


if __name__ == "__main__":
    main()
