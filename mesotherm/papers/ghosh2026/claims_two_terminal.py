"""The question that the review leaves open: coupled dots between two leads only."""

from collections.abc import Iterator

import jax.numpy as jnp
import numpy as np

from mesotherm.device import Reservoirs
from mesotherm.inverse_currents import inverse_currents
from mesotherm.observables import entropy_production
from mesotherm.papers.ghosh2026.model import (
    two_terminal,
)
from mesotherm.papers.ghosh2026.reading import GENUINE, among, kind_of
from mesotherm.papers.reproduction import Check, Datasets
from mesotherm.steady_state import steady_state


def check_two_terminal(datasets: Datasets) -> Iterator[Check]:
    """Coupled dots between two leads only."""
    dataset = datasets["two_terminal"]
    by_forces = dataset.parallel.to_numpy() == 0
    inverse = among(dataset.regime, *GENUINE)
    ratio = dataset.kappa_over_lowest_level.to_numpy()
    count = int(np.sum(inverse & by_forces))
    yield Check(
        "two-terminal-genuine",
        "Genuine inverse currents exist in two-terminal coupled dots, too (conjectured, left open).",
        "Sec. X",
        True,
        count > 0,
        note=f"{count} of {int(np.sum(by_forces))} random sets with parallel forces; see the published set.",
    )
    yield Check(
        "two-terminal-bound",
        "They need −κ > min(ε_b, ε_u): the ordering of states inverted, as with three terminals.",
        "Sec. X (conjectured)",
        True,
        bool(np.max(ratio[inverse]) < -1.0),
        note=f"Largest κ/min(ε) of a set with one: {np.max(ratio[inverse]):.3f}. Proof: cycle by cycle, while every "
        "addition energy is positive no cycle takes particles and energy in opposite directions.",
    )
    beyond = by_forces & (ratio < -1.0)
    yield Check(
        "two-terminal-not-sufficient",
        "That is not sufficient.",
        "Sec. X (conjectured)",
        True,
        0 < int(np.sum(inverse & beyond)) < int(np.sum(beyond)),
        note=f"{np.mean(inverse[beyond]):.1%} of the sets beyond the bound have one.",
    )
    opposed = ~by_forces & among(dataset.regime_by_gradients, *GENUINE) & ~inverse
    yield Check(
        "two-terminal-gradients",
        "Inverse currents by gradients are met where none is genuine, also for repulsive dots.",
        "Sec. X, on Refs. 131 and 137",
        True,
        bool(np.any(ratio[opposed] > 0)),
        note=f"{int(np.sum(opposed))} sets are inverse by their gradients only, {int(np.sum(opposed & (ratio > 0)))} "
        "of them with κ > 0.",
    )
    carried = dataset.energy_per_particle.to_numpy()[by_forces]
    yield Check(
        "two-terminal-zero-of-energy",
        "A current is inverse under parallel forces exactly where particles carry energy below the zero on average.",
        "ours",
        True,
        bool(np.all((carried < 0)[inverse[by_forces]])) and bool(np.all(inverse[by_forces][carried < -1e-6])),
        note="J_E/J_N < 0 with both forces positive says the same; counted from another zero the region is another.",
    )
    ones = jnp.ones(2)
    device = two_terminal(1.0, 1.5, -4.0, ones, ones)
    T = 1 / (1 - 0.8)
    state = steady_state(device, Reservoirs([T * (0.5 + 0.25), 0.5], [T, 1.0]))
    found = inverse_currents(state, "L")
    yield Check(
        "two-terminal-published-set",
        "ε_b = 1, ε_u = 1.5, κ = −4, all rates 1, μ_r = 0.5, F_E = 0.8, F_N = 0.25 shows one.",
        "our parameters",
        -0.0763553,
        float(found.flux[1]),
        1e-7,
        note=f"J_N = {float(found.flux[1]):.7f}, J_E = {float(found.flux[0]):.6f}, "
        f"Σ̇ = {entropy_production(state):.6f}: {kind_of(state).label}.",
    )
