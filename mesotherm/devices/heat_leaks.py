"""Heat that leaks from one terminal to another and carries no particles: into phonons, through a substrate."""

import abc
from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from mesotherm.conventions import EPSILON
from mesotherm.device import AbstractDevice, Answer, Effort, LogTemperature, Response
from mesotherm.fields import FieldError, names, parameter


class AbstractHeatLeak(AbstractDevice):
    r"""Heat that passes by a power law in either temperature.

    .. math:: J_1 = -J_2 = g\,(T_1^n - T_2^n)

    Electrochemical potentials play no part. The one-way flux is the sum of both terms.

    Attributes
    ----------
    exponent
        n, a whole number.
    """

    points_together: ClassVar[int] = 128
    exponent: eqx.AbstractClassVar[int]
    terminals: eqx.AbstractVar[tuple[str, ...]]

    @property
    @abc.abstractmethod
    def strength(self) -> Float[Array, ""]:
        """g, in units of energy^(2-n) k_B^n/ħ."""

    def __check_init__(self):
        if len(self.terminals) != 2:
            raise FieldError(
                "terminals",
                f"{type(self).__name__}: terminals = {list(self.terminals)}; heat leaks between two, name two.",
            )

    @property
    def conductors(self) -> tuple[tuple[str, ...], ...]:
        return tuple((name,) for name in self.terminals)

    @property
    def floating_reservoir(self) -> LogTemperature:
        """What leaks is defined at positive temperatures only."""
        return LogTemperature()

    def effort_of_iterations(self, effort):
        """It takes none: a closed form."""
        return Effort.ROUGH

    def response(self, reservoirs, effort=Effort.STRICT):
        """Heat currents, with the bound on their rounding."""
        first, second = reservoirs.T
        n = self.exponent
        terms = [first**k * second ** (n - 1 - k) for k in range(n)]  # the difference of powers, nothing cancels
        flow = self.strength * (first - second) * sum(terms)
        bound = (2 * n + 4) * EPSILON * jnp.abs(self.strength * (first - second)) * sum(map(jnp.abs, terms))
        both = self.strength * (jnp.abs(first) ** n + jnp.abs(second) ** n)
        nothing, none = jnp.zeros(2), jnp.zeros(0)
        return Answer(
            value=Response(nothing, jnp.stack([flow, -flow]), none),
            error=Response(nothing, jnp.stack([bound, bound]), none),
            one_way=Response(nothing, jnp.stack([both, both]), none),
        )


class PhononBath(AbstractHeatLeak):
    r"""Electrons of one terminal exchange heat with phonons, the reservoir of another.

    .. math:: J = \Sigma V\,(T_\text{electrons}^5 - T_\text{phonons}^5)

    Use it in a ``Combined`` device, the first terminal being one of another part. The phonons are a reservoir whose mu
    plays no part; let their temperature float with ``HeatProbe`` where they leak on to something else.

    Source: Wellstood, Urbina & Clarke, Phys. Rev. B 49, 5942 (1994); Giazotto et al., Rev. Mod. Phys. 78, 217 (2006).

    Assumes: a clean, three-dimensional normal metal; electrons and phonons each in equilibrium among themselves.

    Examples
    --------
    >>> from mesotherm import Reservoirs
    >>> bath = PhononBath(("P", "phonons"), 0.5)
    >>> bath.response(Reservoirs([0, 0], [2, 1])).value.energy.tolist()
    [15.5, -15.5]
    """

    terminals: tuple[str, ...] = names("terminal of the electrons, then that of the phonons", most=2)
    coupling: Float[Array, ""] = parameter(
        "electron–phonon coupling constant times volume, ΣV", unit="k_B^5/energy^3/hbar", low=0.0
    )
    exponent: ClassVar[int] = 5

    @property
    def strength(self):
        return self.coupling

    @classmethod
    def example(cls) -> "PhononBath":
        """A bath about as strong as one open channel at k_B T = 1."""
        return cls(("P", "phonons"), 0.1)


class ThermalConductance(AbstractHeatLeak):
    r"""A parasitic heat leak between two terminals, like that through a substrate.

    .. math:: J = K\,(T_1 - T_2)

    Use it in a ``Combined`` device.

    Source: Benenti, Casati, Saito & Whitney, Phys. Rep. 694, 1 (2017) (heat that phonons carry past the electrons).

    Assumes: a conductance that does not depend on the temperatures.

    Examples
    --------
    >>> from mesotherm import Reservoirs
    >>> ThermalConductance(("L", "R"), 0.5).response(Reservoirs([0, 0], [3, 1])).value.energy.tolist()
    [1.0, -1.0]
    """

    terminals: tuple[str, ...] = names("two terminals between which heat leaks", most=2)
    conductance: Float[Array, ""] = parameter("thermal conductance K", unit="k_B*energy/hbar", low=0.0)
    exponent: ClassVar[int] = 1

    @property
    def strength(self):
        return self.conductance

    @classmethod
    def example(cls) -> "ThermalConductance":
        """A tenth of the quantum of thermal conductance, π/6, at k_B T = 1."""
        return cls(("L", "R"), 0.05)
