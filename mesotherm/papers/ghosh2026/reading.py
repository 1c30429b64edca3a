"""What the checks share: quadrants of a map, states under forces, and what kind of transport they show."""

import numpy as np

from mesotherm.device import Effort
from mesotherm.experiments import CoupledTransport, Setup
from mesotherm.inverse_currents import TransportKind, inverse_currents
from mesotherm.steady_state import SteadyState

GENUINE = (TransportKind.INVERSE_PARTICLE, TransportKind.INVERSE_ENERGY)

ROUNDING = 1e-12

SETS = 400
"""Random devices behind a statement about all of them."""


def among(codes, *kinds) -> np.ndarray:
    """Which codes are of these kinds."""
    return np.isin(np.asarray(codes), [int(kind) for kind in kinds])


def quadrant(dataset, energy: int, particle: int):
    """The part of a map where the forces have these signs."""
    chosen_energy = np.sign(dataset.force_energy) == energy
    return dataset.isel(force_energy=chosen_energy, force_particle=np.sign(dataset.force_particle) == particle)


def driven(setup: Setup, force_energy: float, force_particle: float, zero: float = 0.0) -> SteadyState:
    """The state with both forces at L."""
    applied = CoupledTransport(force_energy, force_particle, terminal="L", zero_of_energy=zero).applied(setup)
    return applied.solve(Effort.STRICT)


def kind_of(state: SteadyState, zero: float = 0.0) -> TransportKind:
    """What the currents of L do, seen from a zero of energy."""
    return TransportKind(int(inverse_currents(state, "L", zero_of_energy=zero).transport))
