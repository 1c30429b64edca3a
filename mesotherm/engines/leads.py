"""Leads: what a device's sites see of them, a self-energy and the waves that come in."""

import abc

import jax.numpy as jnp
from jaxtyping import Array, Complex, Float, Inexact

from mesotherm.fields import Component


class AbstractLead(Component):
    """A lead, as the sites that it contacts see it."""

    @property
    @abc.abstractmethod
    def width(self) -> int:
        """How many sites it contacts."""

    @abc.abstractmethod
    def coupling(
        self, energy: Inexact[Array, ""]
    ) -> tuple[Complex[Array, "width width"], Complex[Array, "width channels"]]:
        """Retarded self-energy Σ [energy] and injection matrix v, v v† = i(Σ − Σ†) [energy^(1/2)], at one energy. At
        complex energies Σ is continued through the band."""

    @property
    @abc.abstractmethod
    def band_edges(self) -> Float[Array, "band_edges"]:
        """Energies at which channels open or close [energy]; none for a wide band."""


class AbstractOneChannelLead(AbstractLead):
    """A lead that contacts one site."""

    @property
    def width(self):
        return 1

    @abc.abstractmethod
    def self_energy(self, energy: Inexact[Array, "..."]) -> Complex[Array, "..."]:
        """Retarded self-energy of the site [energy], at many energies."""

    def coupling(self, energy):
        sigma = self.self_energy(energy)
        return sigma[None, None], injection(sigma)[None, None]


def injection(sigma: Complex[Array, "..."]) -> Complex[Array, "..."]:
    """v = √(−2 Im Σ) of a single channel; zero, with zero slope, where it is closed."""
    broadening = -2 * sigma.imag
    is_open = broadening > 0
    return jnp.where(is_open, jnp.sqrt(jnp.where(is_open, broadening, 1.0)), 0.0) + 0j
