"""Observables: what is read off a solved state, each with its name, symbol, unit and dimensions, written once.

An observable is a function of a :class:`mesotherm.steady_state.SteadyState`; it never asks which theory solved it. Its
error bound follows from the state's by differentiation.
"""

import dataclasses
from collections.abc import Callable, Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from mesotherm.device import HasCoordinates, Reservoirs, Response, positions_of, potentials_of
from mesotherm.flags import Flag
from mesotherm.steady_state import SteadyState


@dataclasses.dataclass(frozen=True)
class Variable:
    """What a dataset says about one of its variables; ``flags`` are the categories behind the integers of one that is
    no quantity, ``warning`` is what to tell a reader where it is not zero."""

    long_name: str
    symbol: str
    unit: str
    dimensions: tuple[str, ...] = ()
    flags: type[Flag] | None = None
    warning: str = ""


@dataclasses.dataclass(frozen=True)
class Observable:
    """A function of a state with its description; call it like the function."""

    function: Callable[[SteadyState], Float[Array, "..."]]
    variable: Variable

    def __call__(self, state: SteadyState) -> Float[Array, "..."]:
        return self.function(state)

    def error(self, state: SteadyState) -> Float[Array, "..."]:
        """Bound on the observable's error."""
        return bounded(state, (self,))[0][1]


def bounded(
    state: SteadyState, observables: Sequence[Observable]
) -> list[tuple[Float[Array, "..."], Float[Array, "..."]]]:
    """Observables of a state and bounds on their errors: the state's bounds through their derivatives (first order),
    which are taken of all observables together."""
    currents, reservoirs = state.currents, state.reservoirs
    exact = currents.particle, heat_current(state), currents.conjugate, reservoirs.mu, reservoirs.T, state.q
    bounds = (
        *(state.error.particle, state.error.energy, state.error.conjugate),
        *(state.reservoirs_error.mu, state.reservoirs_error.T, state.q_error),
    )
    ends = np.cumsum([part.size for part in exact])[:-1]

    def at(numbers):
        particle, heat, conjugate, mu, T, q = jnp.split(numbers, ends)
        moved = eqx.tree_at(
            lambda s: (s.currents, s.reservoirs),
            state,
            (Response(particle, heat + mu * particle, conjugate), Reservoirs(mu, T)),
        )
        if isinstance(state.device, HasCoordinates):
            moved = eqx.tree_at(lambda s: s.device, moved, state.device.moved_to(q))
        return [observable(moved) for observable in observables]

    slopes = jax.jacfwd(at)(jnp.concatenate(exact))
    errors = [jnp.abs(slope) @ jnp.concatenate(bounds) for slope in slopes]
    return list(zip([observable(state) for observable in observables], errors, strict=True))


OBSERVABLES: dict[str, Observable] = {}
"""Every observable by name."""


def observable(*, long_name: str, symbol: str, unit: str, dimensions: tuple[str, ...] = ()):
    """Declare an observable; the function's name is its name in datasets."""

    def declare(function):
        OBSERVABLES[function.__name__] = Observable(function, Variable(long_name, symbol, unit, dimensions))
        return OBSERVABLES[function.__name__]

    return declare


@observable(long_name="particle current into the device", symbol="I", unit="energy/hbar", dimensions=("terminal",))
def particle_current(state):
    """I_α, positive into the device."""
    return state.currents.particle


@observable(long_name="energy current into the device", symbol="J^E", unit="energy^2/hbar", dimensions=("terminal",))
def energy_current(state):
    """J^E_α, positive into the device; depends on the zero of energy."""
    return state.currents.energy


@observable(long_name="heat current into the device", symbol="J", unit="energy^2/hbar", dimensions=("terminal",))
def heat_current(state):
    """J_α = J^E_α − μ_α I_α: heat taken from reservoir α."""
    return state.currents.energy - state.reservoirs.mu * state.currents.particle


@observable(long_name="electrical power produced", symbol="P", unit="energy^2/hbar")
def power(state):
    """P = −Σ μ_α I_α, positive when produced (particles are driven uphill)."""
    return -jnp.sum(state.reservoirs.mu * state.currents.particle)


@observable(long_name="electrical power delivered to loads", symbol=r"P_\mathrm{load}", unit="energy^2/hbar")
def load_power(state):
    """What loads that are parts of the device turn into heat; the reservoirs receive ``power`` beside it."""
    return state.device.load_power(state.reservoirs)


@observable(long_name="entropy production rate", symbol=r"\dot\Sigma", unit="k_B*energy/hbar")
def entropy_production(state):
    """Σ̇ = −Σ J_α/T_α ≥ 0, over all terminals."""
    return -jnp.sum(heat_current(state) / state.reservoirs.T)


@observable(
    long_name="rate of entropy change of the reservoir",
    symbol=r"\dot S",
    unit="k_B*energy/hbar",
    dimensions=("terminal",),
)
def reservoir_entropy_change(state):
    """dS_α/dt = −J_α/T_α; the sum over terminals is the entropy production.

    Source: Whitney et al., Physica E 75, 257 (2016), Eq. 6.
    """
    return -heat_current(state) / state.reservoirs.T


@observable(long_name="electrochemical potential", symbol=r"\mu", unit="energy", dimensions=("terminal",))
def mu(state):
    """μ_α, floating ones at their solution."""
    return state.reservoirs.mu


@observable(long_name="temperature", symbol="T", unit="energy/k_B", dimensions=("terminal",))
def temperature(state):
    """T_α, floating ones at their solution."""
    return state.reservoirs.T


@observable(long_name="potential energy of the region", symbol="U", unit="energy", dimensions=("coordinate",))
def potential(state):
    """U_α of every region of a device that has potentials, screened or given."""
    return state.q[_chosen(state, potentials_of(state.device))]


@observable(long_name="number of electrons in the region", symbol="N", unit="1", dimensions=("coordinate",))
def charge(state):
    """N_α, spins counted."""
    return state.currents.conjugate[_chosen(state, potentials_of(state.device))]


@observable(long_name="position", symbol="x", unit="length", dimensions=("moving_part",))
def position(state):
    """x of every part that can move, found or given."""
    return state.q[_chosen(state, positions_of(state.device))]


@observable(
    long_name="force of the electrons on the moving part", symbol="F", unit="energy/length", dimensions=("moving_part",)
)
def force(state):
    """F = −⟨∂H/∂x⟩; where the position is found, counted from that in equilibrium at the same position."""
    return -state.currents.conjugate[_chosen(state, positions_of(state.device))]


def _chosen(state, names):
    """Where some coordinates stand among all."""
    if len(names) == len(state.device.coordinates):
        return slice(None)
    return jnp.array([state.device.coordinates.index(name) for name in names], int)


def _floating(state):
    return jnp.array([state.device.index(probe.terminal) for probe in state.probes], dtype=int)


@observable(long_name="electrochemical potential of the probe", symbol=r"\mu_p", unit="energy", dimensions=("probe",))
def probe_mu(state):
    """μ of each floating terminal."""
    return state.reservoirs.mu[_floating(state)]


@observable(long_name="temperature of the probe", symbol="T_p", unit="energy/k_B", dimensions=("probe",))
def probe_temperature(state):
    """T of each floating terminal."""
    return state.reservoirs.T[_floating(state)]
