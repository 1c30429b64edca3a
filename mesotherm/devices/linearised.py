"""The linear response of a coherent device as a device of its own: what a theory without nonlinear electrons says."""

from collections.abc import Mapping
from typing import ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from mesotherm.conventions import EPSILON, PLANCK
from mesotherm.device import (
    AbstractDevice,
    Answer,
    Assumption,
    Effort,
    HasCoordinates,
    HasPositions,
    LogTemperature,
    Response,
)
from mesotherm.devices.mobile_dot import MobileDot
from mesotherm.engines.coherent import AbstractCoherentDevice
from mesotherm.fields import FieldError, parameter, part

SOMMERFELD = jnp.pi**2 / 3
"""∫ z² (−f′) dz of a Fermi function in units of T."""


class Linearised(HasPositions):
    r"""The linear response of a coherent device, currents and forces to first order in all reservoirs.

    With :math:`\delta\mu_\alpha = \mu_\alpha - \mu_0`, :math:`\delta T_\alpha = T_\alpha - T_0` and transmissions and
    injectivities to first order in energy, too:

    .. math::
        I_\alpha &= \frac{g_s}{h} \sum_\beta \Big[\mathcal T_{\alpha\beta}\, (\delta\mu_\alpha - \delta\mu_\beta)
        + \tfrac{\pi^2}{3} T_0\, \mathcal T_{\alpha\beta}'\, (\delta T_\alpha - \delta T_\beta)\Big] \\
        J_\alpha &= \frac{g_s}{h} \tfrac{\pi^2}{3} T_0 \sum_\beta \Big[T_0\, \mathcal T_{\alpha\beta}'\,
        (\delta\mu_\alpha - \delta\mu_\beta) + \mathcal T_{\alpha\beta}\, (\delta T_\alpha - \delta T_\beta)\Big] \\
        \Phi_j &= g_s \sum_\alpha \Big[\nu_{\alpha j}\, \delta\mu_\alpha
        + \tfrac{\pi^2}{3} T_0\, \nu_{\alpha j}'\, \delta T_\alpha\Big]

    with everything at μ₀. The energy current is J^E = J + μ₀ I; Φ is counted from equilibrium. Positions and potentials
    act at any order: linear is what electrons answer to reservoirs.

    Source: Mehring, Bustos-Marún & Calvo, PRB 109, 085418 (2024), Eqs. 10–13, 19 and 23.

    Assumes: biases and temperature differences well below T₀ and the scale on which transmissions change;
    transmissions that hardly change within T₀ of μ₀.

    Errors: the bounds are those of the arithmetic; how far the truth is from linear is not among them.

    Examples
    --------
    >>> from mesotherm import MobileDot, Reservoirs
    >>> linear = Linearised(MobileDot.example(), mu=0.0, T=0.01)
    >>> linear.response(Reservoirs([0.1, -0.1], [0.01, 0.01])).value.particle.round(6).tolist()
    [0.000606, -0.000606]
    """

    device: AbstractDevice = part("device whose linear response it is, a coherent one")
    mu: Float[Array, ""] = parameter("electrochemical potential μ₀ it is taken at", gauge=True)
    T: Float[Array, ""] = parameter("temperature T₀ it is taken at", unit="energy/k_B", low=0.0, open_low=True)
    points_together: ClassVar[int] = 64
    assumptions: ClassVar[Mapping[str, Assumption]] = {
        "smooth_transmission": Assumption(
            "the transmission changes little over the temperature: T₀ times its logarithmic slope, squared times π²/3",
            0.1,
        )
    }

    def __check_init__(self):
        if not isinstance(self.device, AbstractCoherentDevice):
            raise FieldError(
                "device",
                f"Linearised: {type(self.device).__name__} is no coherent device; give one that has transmissions.",
            )

    @property
    def _coherent(self) -> AbstractCoherentDevice:
        assert isinstance(self.device, AbstractCoherentDevice)  # by __check_init__()
        return self.device

    @property
    def terminals(self):
        return self.device.terminals

    @property
    def conductors(self):
        return self.device.conductors

    @property
    def coordinates(self):
        return self.device.coordinates if isinstance(self.device, HasCoordinates) else ()

    @property
    def q(self):
        return self.device.q if isinstance(self.device, HasCoordinates) else jnp.zeros(0)

    def moved_to(self, q):
        if not isinstance(self.device, HasCoordinates):
            return self
        return Linearised(self.device.moved_to(q), self.mu, self.T)

    @property
    def positions(self):
        return self.device.positions if isinstance(self.device, HasPositions) else ()

    @property
    def lengths(self):
        return self.device.lengths if isinstance(self.device, HasPositions) else jnp.zeros(0)

    def counted_from(self, mu, T):
        return self

    def time_reversed(self):
        return Linearised(self.device.time_reversed(), self.mu, self.T)

    @property
    def floating_reservoir(self):
        return LogTemperature()

    def _at_level(self):
        """Transmissions and injectivities at μ₀, and their slopes [1/energy]."""

        return jax.jvp(self._coherent.matrices, (self.mu,), (jnp.ones(()),))

    def response(self, reservoirs, effort=Effort.STRICT):
        """First order in the reservoirs: see the class."""
        (passed, density), (passed_slope, density_slope) = self._at_level()
        ahead, hotter = reservoirs.mu - self.mu, reservoirs.T - self.T
        bias, difference = ahead[:, None] - ahead, hotter[:, None] - hotter
        spin = self._coherent.spin_degeneracy
        thermal = SOMMERFELD * self.T
        other = 1 - jnp.eye(len(self.terminals))
        flows = passed * bias * other, thermal * passed_slope * difference * other
        heats = thermal * self.T * passed_slope * bias * other, thermal * passed * difference * other
        particle, heat = (spin / PLANCK * sum(jnp.sum(term, axis=1) for term in terms) for terms in (flows, heats))
        driven = density * ahead[:, None], thermal * density_slope * hotter[:, None]
        conjugate = spin * sum(jnp.sum(term, axis=0) for term in driven)

        width = 2 * self.T
        open_ways = jnp.sum(passed * other, axis=1)
        one_way = spin / PLANCK * (open_ways * width + sum(jnp.sum(jnp.abs(term), axis=1) for term in flows))
        hot_way = (
            spin / PLANCK * (open_ways * SOMMERFELD * self.T**2 + sum(jnp.sum(jnp.abs(term), axis=1) for term in heats))
        )
        gross = spin * (
            jnp.sum(jnp.abs(density), axis=0) * width + sum(jnp.sum(jnp.abs(term), axis=0) for term in driven)
        )
        rounding = 256 * EPSILON
        energy = heat + self.mu * particle
        joule = jnp.abs(ahead) * rounding * one_way
        return Answer(
            Response(particle, energy, conjugate),
            Response(rounding * one_way, rounding * hot_way + joule, rounding * gross),
            Response(one_way, hot_way + jnp.abs(ahead) * one_way, gross),
        )

    def assumption_values(self, reservoirs):
        (passed, _), (slope, _) = self._at_level()
        relative = jnp.where(passed > 0, slope / jnp.where(passed > 0, passed, 1.0), 0.0)
        off = 1 - jnp.eye(len(self.terminals))
        return (SOMMERFELD * self.T**2 * jnp.max(off * relative**2))[None]

    @classmethod
    def example(cls) -> "Linearised":
        """A moving dot at the temperature that its energies are given in."""
        return cls(  # pyright: ignore[reportCallIssue]  (terminals and others are properties)
            MobileDot.example(), mu=0.0, T=1.0
        )
