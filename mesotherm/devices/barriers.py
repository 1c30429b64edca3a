"""Barriers: one-channel scattering regions described by a transmission probability at one energy."""

import abc

import jax.numpy as jnp
from jaxtyping import Array, Float

from mesotherm.fields import Component, parameter


class AbstractBarrier(Component):
    """A scattering region between two ideal single-channel leads."""

    @abc.abstractmethod
    def probability(self, energy: Float[Array, ""]) -> Float[Array, ""]:
        """Transmission probability at one energy [1]."""

    @abc.abstractmethod
    def features(self) -> tuple[Float[Array, "features"], Float[Array, "features"]]:
        """Centres and half widths [energy] of what is sharp in the probability."""

    @abc.abstractmethod
    def jumps(self) -> Float[Array, "jumps"]:
        """Energies at which the probability jumps."""


class ResonantBarrier(AbstractBarrier):
    r"""One Breit–Wigner resonance.

    .. math:: \mathcal T(E) = \frac{\Gamma^2}{(E-\varepsilon)^2 + \Gamma^2}

    Source: Balduque & Sánchez, PRL 134, 186301 (2025), Eq. 4. Γ is the HALF width at half maximum.
    """

    level: Float[Array, ""] = parameter("level ε of the resonance", gauge=True)
    half_width: Float[Array, ""] = parameter("half width Γ of the resonance", low=0.0, open_low=True)

    def probability(self, energy):
        reduced = (energy - self.level) / self.half_width
        return 1.0 / (1.0 + reduced * reduced)

    def features(self):
        return self.level[None], self.half_width[None]

    def jumps(self):
        return jnp.zeros(0)


class StepBarrier(AbstractBarrier):
    r"""A sharp step: everything passes above the threshold, nothing below.

    .. math:: \mathcal T(E) = \theta(E - E_0)
    """

    threshold: Float[Array, ""] = parameter("threshold E₀ above which electrons pass", gauge=True)

    def probability(self, energy):
        return jnp.where(energy > self.threshold, 1.0, 0.0)

    def features(self):
        return jnp.zeros(0), jnp.zeros(0)

    def jumps(self):
        return self.threshold[None]


class TransparentRegion(AbstractBarrier):
    """No barrier: every electron passes at every energy."""

    def probability(self, energy):
        return jnp.ones_like(energy)

    def features(self):
        return jnp.zeros(0), jnp.zeros(0)

    def jumps(self):
        return jnp.zeros(0)
