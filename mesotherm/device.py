"""The contract between theories and everything above them: reservoirs in, audited currents out.

A device names its terminals. Given one reservoir per terminal it answers with an :class:`Answer`: currents, an absolute
error bound for each, and the one-way flux that says what "relative" means.
"""

import abc
import dataclasses
import enum
from typing import Any, Self

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float


class Effort(enum.Enum):
    """How much work is spent on one answer. Error bounds are honest at every rung; only their size differs.

    ``FAST`` is for points without difficulty, ``STRICT`` resolves every scale of the problem, ``STUBBORN`` also
    searches on where plain Newton steps do not find the unknowns. A sweep climbs the rungs, a single solve starts at
    the top.
    """

    FAST = "fast"
    STRICT = "strict"
    STUBBORN = "stubborn"


# ---------------------------------------------------------------------------------------------------------------------
# Parameters: what a number of a device means, written once, read by validation, gauge shifts, files and help texts.


@dataclasses.dataclass(frozen=True)
class Parameter:
    """Meaning of one numeric field: ``unit`` (a power of the energy unit, or "1"), allowed range, and whether it is an
    energy that moves with the zero of energy (``gauge``), and for arrays the attributes that name the entries of each
    dimension (``entries``)."""

    doc: str
    unit: str = "energy"
    low: float = -np.inf
    high: float = np.inf
    open_low: bool = False
    infinite: bool = False
    gauge: bool = False
    entries: tuple[str, ...] = ()

    def allowed(self) -> str:
        """The allowed range in words."""
        if np.isneginf(self.low) and np.isposinf(self.high):
            return "any number, infinite included" if self.infinite else "any finite number"
        bounds = ("> " if self.open_low else "≥ ") + f"{self.low:g}"
        return bounds if np.isposinf(self.high) else f"{bounds} and ≤ {self.high:g}"

    def accepts(self, value: np.ndarray) -> bool:
        """Whether every entry lies in the allowed range."""
        finite = np.all(np.isfinite(value)) or (self.infinite and not np.any(np.isnan(value)))
        above = np.all(value > self.low) if self.open_low else np.all(value >= self.low)
        return bool(finite and above and np.all(value <= self.high))


def is_traced(value: Any) -> bool:
    """Whether a value is not known yet because a function is being compiled, batched or differentiated."""
    return isinstance(value, jax.core.Tracer)  # pyright: ignore[reportAttributeAccessIssue]


def _as_array(value: Any) -> Any:
    return (
        jnp.asarray(value, float) if isinstance(value, int | float | list | tuple | np.ndarray | np.generic) else value
    )


def parameter(doc: str, *, default: Any = dataclasses.MISSING, **meaning: Any) -> Any:
    """Declare a numeric field of a component: a scalar or an array of 64-bit floats with a documented meaning."""
    options = {} if default is dataclasses.MISSING else {"default": default}
    return eqx.field(converter=_as_array, metadata={"parameter": Parameter(doc, **meaning)}, **options)


class Component(eqx.Module):
    """Anything a user configures: a device, a part of one, an unknown, an experiment. Checks its parameters' ranges."""

    def __check_init__(self):
        for name, meaning in parameters(type(self)).items():
            value = getattr(self, name)
            if is_traced(value) or not isinstance(value, jax.Array | np.ndarray):
                continue
            if not meaning.accepts(np.asarray(value)):
                raise ValueError(
                    f"{type(self).__name__}: {name} = {np.asarray(value).tolist()} is not allowed; "
                    f"{name} ({meaning.doc}) takes {meaning.allowed()}."
                )

    def shifted(self, energy: Float[Array, ""] | float) -> Self:
        """The same component with the zero of energy lowered: every gauge energy is raised by ``energy`` [energy]."""
        spots, values = [], []
        _collect_shifted(self, lambda node: node, energy, spots, values)
        return eqx.tree_at(lambda node: [spot(node) for spot in spots], self, values) if spots else self


def parameters(cls: type) -> dict[str, Parameter]:
    """The declared parameters of a component class, in order."""
    fields = dataclasses.fields(cls)
    return {f.name: f.metadata["parameter"] for f in fields if "parameter" in f.metadata}


def _collect_shifted(node, path, energy, spots, values):
    meanings = parameters(type(node))
    for field in dataclasses.fields(node):
        value = getattr(node, field.name)
        here = lambda root, name=field.name: getattr(path(root), name)  # noqa: E731
        if field.name in meanings and meanings[field.name].gauge:
            spots.append(here)
            values.append(value + energy)
        elif isinstance(value, Component):
            _collect_shifted(value, here, energy, spots, values)


# ---------------------------------------------------------------------------------------------------------------------
# The contract.


class Reservoirs(eqx.Module):
    """Electrochemical potentials [energy] and temperatures [energy], one entry per terminal, in the device's order."""

    mu: Float[Array, "terminals"] = eqx.field(converter=_as_array)
    T: Float[Array, "terminals"] = eqx.field(converter=_as_array)

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
    """

    value: Response
    error: Response
    one_way: Response


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
    """

    terminals: eqx.AbstractVar[tuple[str, ...]]
    conductors: eqx.AbstractVar[tuple[tuple[str, ...], ...]]
    points_together: eqx.AbstractClassVar[int]

    @abc.abstractmethod
    def response(self, reservoirs: Reservoirs, effort: Effort = Effort.STRICT) -> Answer:
        """Currents at given reservoirs, with their bounds. Pure, differentiable, batchable with ``jax.vmap``."""

    @property
    @abc.abstractmethod
    def floating_reservoir(self) -> "AbstractFloatingReservoir":
        """The coordinates in which a floating reservoir of this theory is best solved for."""

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
