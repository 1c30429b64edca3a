"""Eqs. 1–8 of the paper written out with loops, apart from the library: what its currents are compared with."""

import itertools
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

State = tuple[int, int, int]
"""(m, h, c)."""

STATES: list[State] = [(m, h, c) for m, h, c in itertools.product((0, 1), repeat=3)]
NEIGHBOURS = ((0, 0), (0, 1), (1, 0), (1, 1))
"""(h, c) in the order of the rates of L and R."""


class WrittenOut(NamedTuple):
    """Currents of L, R, H, C into the dots; columns of the transition matrix added up; probabilities added up."""

    particle: Float[np.ndarray, "terminals"]
    energy: Float[np.ndarray, "terminals"]
    one_way: Float[np.ndarray, "terminals"]
    columns: Float[np.ndarray, "states"]
    normalisation: float


def energy(parameters: dict[str, Any], state: State) -> float:
    """E_mhc of Eq. 1, each pair of dots counted once."""
    m, h, c = state
    levels = parameters["level_M"] * m + parameters["level_H"] * h + parameters["level_C"] * c
    pairs = parameters["charging_MH"] * m * h + parameters["charging_MC"] * m * c + parameters["charging_HC"] * h * c
    return levels + pairs


def rate(parameters: dict[str, Any], terminal: str, old: State, new: State, mu: float, T: float) -> float:
    """[Γ_α] from the state ``old`` to the state ``new``, Eqs. 4a–4d: the Fermi function at Δ − (N − N')μ_α."""
    dot = {"L": 0, "R": 0, "H": 1, "C": 2}[terminal]
    changed = [i for i in range(3) if old[i] != new[i]]
    if changed != [dot]:
        return 0.0
    delta = energy(parameters, new) - energy(parameters, old) - (sum(new) - sum(old)) * mu
    given = parameters[f"rate_{terminal}"]
    coupling = given[NEIGHBOURS.index((old[1], old[2]))] if terminal in ("L", "R") else given
    return coupling / (1 + np.exp(delta / T))


def currents(parameters: dict[str, Any], mu: dict[str, float], T: dict[str, float]) -> WrittenOut:
    """Solve Eq. 2 with Σp = 1 and evaluate Eqs. 7 and 8 for the terminals of ``mu``, in order."""
    rates = {
        terminal: np.array(
            [[rate(parameters, terminal, old, new, mu[terminal], T[terminal]) for old in STATES] for new in STATES]
        )
        for terminal in mu
    }
    matrix = sum(rates.values(), start=np.zeros((8, 8)))
    matrix = matrix - np.diag(matrix.sum(axis=0))
    probabilities = np.linalg.lstsq(np.vstack([matrix, np.ones(8)]), np.eye(9)[8], rcond=None)[0]
    electrons = np.array([sum(state) for state in STATES])
    energies = np.array([energy(parameters, state) for state in STATES])
    flow = {terminal: matrix * probabilities for terminal, matrix in rates.items()}
    added, gained = np.subtract.outer(electrons, electrons), np.subtract.outer(energies, energies)
    return WrittenOut(
        particle=np.array([np.sum(added * one) for one in flow.values()]),
        energy=np.array([np.sum(gained * one) for one in flow.values()]),
        one_way=np.array([np.sum(one) for one in flow.values()]),
        columns=matrix.sum(axis=0),
        normalisation=float(probabilities.sum()),
    )
