"""The contract between theories and everything above them: reservoirs in, audited currents out.

A device names its terminals. Given one reservoir per terminal it answers with an :class:`Answer`: currents, an absolute
error bound for each, and the one-way flux that says what "relative" means.
"""

import abc
import dataclasses
import enum
from collections.abc import Mapping
from typing import ClassVar, Self

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from mesotherm.fields import Component, as_array, is_traced


class Effort(enum.Enum):
    """How much work is spent on one answer. Error bounds are honest at every rung but the first; only their size
    differs.

    ``ROUGH`` has no bounds: iterations begin with it where a device says so (``effort_of_iterations``). ``FAST`` is for
    points without difficulty, ``STRICT`` resolves every scale of the problem, ``STUBBORN`` also searches on where plain
    Newton steps do not find the unknowns. A sweep climbs the rungs, a single solve starts at the top.
    """

    ROUGH = "rough"
    FAST = "fast"
    STRICT = "strict"
    STUBBORN = "stubborn"


class Reservoirs(eqx.Module):
    """Electrochemical potentials [energy] and temperatures [energy], one entry per terminal, in the device's order."""

    mu: Float[Array, "terminals"] = eqx.field(converter=as_array)
    T: Float[Array, "terminals"] = eqx.field(converter=as_array)

    def __check_init__(self):
        for name, low in (("mu", -np.inf), ("T", 0.0)):
            value = getattr(self, name)
            if not isinstance(value, jax.Array) or is_traced(value):
                continue
            given = np.asarray(value)  # NumPy from here on: inside a jitted function JAX would trace the comparison
            if not np.all(np.isfinite(given) & (given > low)):
                wanted = "positive temperatures" if name == "T" else "finite numbers"
                raise ValueError(f"Reservoirs: {name} = {given.tolist()} is not allowed; give {wanted}.")

    def at(self, index: int, *, mu=None, T=None) -> "Reservoirs":
        """A copy with one terminal's ``mu`` and/or ``T`` replaced."""
        return Reservoirs(
            mu=self.mu if mu is None else self.mu.at[index].set(mu),
            T=self.T if T is None else self.T.at[index].set(T),
        )

    def shifted(self, energy: Float[Array, ""] | float) -> "Reservoirs":
        """The same reservoirs seen from a zero of energy lowered by ``energy``."""
        return Reservoirs(self.mu + energy, self.T)


class Response(eqx.Module):
    """Particle and energy currents into the device, and the conjugate of each coordinate."""

    particle: Float[Array, "terminals"]
    energy: Float[Array, "terminals"]
    conjugate: Float[Array, "coordinates"]


class Answer(eqx.Module):
    """What a device answers: the currents, how wrong each may be, and how large its one-way flux is.

    Attributes
    ----------
    value
        Currents [energy/ħ and energy²/ħ] and conjugates.
    error
        Absolute bound on the error of each entry, in the entry's unit (quadrature and rounding). ``energy`` bounds the
        HEAT current J = J^E − μI, so that it does not depend on the zero of energy; J^E itself is known to within
        ``error.energy + abs(mu) * error.particle``.
    one_way
        Sum of the two one-way fluxes behind each entry; for ``energy`` the heat they carry, |E − μ| per particle, for
        the same reason. Conservation laws are judged against it.
    stationary_states
        How many stationary states there are; currents of more than one are not numbers.
    """

    value: Response
    error: Response
    one_way: Response
    stationary_states: Float[Array, ""] = eqx.field(default_factory=lambda: jnp.ones(()))


@dataclasses.dataclass(frozen=True)
class Assumption:
    """Something a theory needs small: the ``sentence`` says what, and up to which value it is trusted (``limit``)."""

    sentence: str
    limit: float


class AbstractDevice(Component):
    """A device of any theory.

    Attributes
    ----------
    terminals
        Names; they fix the order of every array over terminals.
    conductors
        Groups of terminals whose particle currents sum to zero separately.
    points_together
        How many points a sweep evaluates at once: as many as keep a kernel's arrays in the processor's cache.
    usual_probes
        Terminals that are meant to float; templates let them.
    assumptions
        What the theory assumes of the parameters, by name; ``assumption_values`` says how far it goes.
    """

    terminals: eqx.AbstractVar[tuple[str, ...]]
    conductors: eqx.AbstractVar[tuple[tuple[str, ...], ...]]
    points_together: eqx.AbstractVar[int]
    usual_probes: ClassVar[tuple[str, ...]] = ()
    assumptions: ClassVar[Mapping[str, Assumption]] = {}

    @abc.abstractmethod
    def response(self, reservoirs: Reservoirs, effort: Effort = Effort.STRICT) -> Answer:
        """Currents at given reservoirs, with their bounds. Pure, differentiable, batchable with ``jax.vmap``."""

    @property
    @abc.abstractmethod
    def floating_reservoir(self) -> "AbstractFloatingReservoir":
        """The coordinates in which a floating reservoir of this theory is best solved for."""

    @classmethod
    @abc.abstractmethod
    def example(cls) -> Self:
        """A device of this kind with sensible parameters, energies of the order of k_B T = 1."""

    @property
    def first_effort(self) -> Effort:
        """Where a sweep begins: ``FAST``, unless that is known to be no use for this device."""
        return Effort.FAST

    def effort_of_iterations(self, effort: Effort) -> Effort:
        """What is enough to approach a solution that is then certified with ``effort``."""
        return effort

    def assumption_values(self, reservoirs: Reservoirs) -> Float[Array, "assumptions"]:
        """What each of the ``assumptions`` needs small [1], in their order."""
        return jnp.zeros(0)

    def time_reversed(self) -> Self:
        """The device in reversed magnetic fields; itself where there are none."""
        return self

    def floating_reservoir_of(self, terminal: str) -> "AbstractFloatingReservoir":
        """The coordinates for one terminal, where those of terminals differ."""
        return self.floating_reservoir

    @property
    def has_load(self) -> bool:
        """Whether a load is part of the device."""
        return False

    def load_power(self, reservoirs: Reservoirs) -> Float[Array, ""]:
        """Electrical power that ends as heat in loads, which are parts of the device; most have none [energy²/ħ]."""
        return jnp.zeros(())

    def index(self, terminal: str) -> int:
        """Position of a terminal. Raises ``ValueError`` naming the terminals there are."""
        if terminal not in self.terminals:
            raise ValueError(f"terminal {terminal!r} does not exist; this device has {', '.join(self.terminals)}.")
        return self.terminals.index(terminal)

    def conductor_of(self, terminal: str) -> tuple[int, ...]:
        """Positions of the terminals that share particles with ``terminal`` (itself included)."""
        self.index(terminal)
        (group,) = (names for names in self.conductors if terminal in names)
        return tuple(self.index(name) for name in group)


class HasCoordinates(AbstractDevice):
    """Capability: the currents depend on slow coordinates q, whose conjugates Φ = ⟨∂H/∂q⟩ the device answers, too.

    If q is the electrostatic potential energy of a region, Φ is the number of electrons in it.
    """

    @property
    @abc.abstractmethod
    def coordinates(self) -> tuple[str, ...]:
        """Names of the coordinates; they fix the order of ``Response.conjugate``."""

    @property
    @abc.abstractmethod
    def q(self) -> Float[Array, "coordinates"]:
        """Where they are."""

    @abc.abstractmethod
    def moved_to(self, q: Float[Array, "coordinates"]) -> Self:
        """The same device with its coordinates elsewhere."""


class HasPositions(HasCoordinates):
    """Capability: some coordinates are positions of parts that can move; Φ is then minus the force on them.

    The other coordinates are potential energies.
    """

    @property
    @abc.abstractmethod
    def positions(self) -> tuple[str, ...]:
        """Names of the coordinates that are positions [length]."""

    @property
    @abc.abstractmethod
    def lengths(self) -> Float[Array, "positions"]:
        """Over what distance each of them changes the currents [length]: the scale a search for it needs."""

    @abc.abstractmethod
    def counted_from(self, mu: Float[Array, ""], T: Float[Array, ""]) -> Self:
        """The same device, its forces counted from those in equilibrium at μ and T at the same positions."""


def positions_of(device: AbstractDevice) -> tuple[str, ...]:
    """Names of the coordinates of a device that are positions; none of most."""
    return device.positions if isinstance(device, HasPositions) else ()


def potentials_of(device: AbstractDevice) -> tuple[str, ...]:
    """Names of the coordinates of a device that are potential energies of regions; none of most."""
    coordinates = device.coordinates if isinstance(device, HasCoordinates) else ()
    return tuple(name for name in coordinates if name not in positions_of(device))


class HasAdjustableCoupling(AbstractDevice):
    """Capability: the coupling of a terminal can be set, zero included, as a weak measuring probe needs it."""

    @abc.abstractmethod
    def with_coupling(self, terminal: str, strength: Float[Array, ""]) -> Self:
        """The same device with the coupling of ``terminal`` set to ``strength`` [energy]."""

    @abc.abstractmethod
    def weak_exchange(self, terminal: str, reservoirs: Reservoirs, effort: Effort = Effort.STRICT) -> Answer:
        """What ``terminal`` exchanges per unit of coupling in the limit of zero coupling, where it disturbs nothing:
        the derivative of its currents with respect to that coupling. Arrays of one entry [1 and energy]; this device
        must have coupling zero there."""


class HasCoulombCoupledDots(AbstractDevice):
    """Capability: terminals contact dots that feel each other by Coulomb repulsion only, one level each."""

    @abc.abstractmethod
    def dot_of(self, terminal: str) -> str:
        """Name of the dot a terminal contacts."""

    @abc.abstractmethod
    def tunnel_rate(self, terminal: str, occupied: tuple[str, ...]) -> Float[Array, ""]:
        """Tunnel rate of a terminal while exactly these OTHER dots are occupied [energy/ħ]."""

    @abc.abstractmethod
    def charging_energy(self, dot: str, other: str) -> Float[Array, ""]:
        """What an electron on one dot costs more while the other is occupied [energy]."""


# ---------------------------------------------------------------------------------------------------------------------
# Coordinates of a floating reservoir: the theory declares which suit it, the probe does not ask.


class AbstractFloatingReservoir(eqx.Module):
    """Dimensionless coordinates (y_mu, y_T) of a reservoir, zero at a reference."""

    @abc.abstractmethod
    def place(self, y_mu, y_T, mu0, T0) -> tuple[Float[Array, ""], Float[Array, ""]]:
        """``(mu, T)`` at coordinates ``(y_mu, y_T)`` about the reference ``(mu0, T0)``."""


class LogTemperature(AbstractFloatingReservoir):
    """mu = mu0 + T0·y_mu, T = T0·exp(y_T): always a positive temperature. For coherent devices."""

    def place(self, y_mu, y_T, mu0, T0):
        return mu0 + T0 * y_mu, T0 * jnp.exp(y_T)


class InverseTemperature(AbstractFloatingReservoir):
    """β = (1 + y_T)/T0, β(mu − mu0) = y_mu: the probe equations of a rate equation are then the gradient of a convex
    function, their solution is unique, and population inversion is found as β < 0."""

    def place(self, y_mu, y_T, mu0, T0):
        T = T0 / (1.0 + y_T)
        return mu0 + T * y_mu, T
