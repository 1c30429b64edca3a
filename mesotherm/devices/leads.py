"""Leads of tight-binding devices: what the site that they contact sees of them."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from mesotherm.engines.leads import AbstractOneChannelLead
from mesotherm.fields import parameter


class ChainLead(AbstractOneChannelLead):
    r"""A semi-infinite chain of equal sites: one channel between E₀ − 2γ₀ and E₀ + 2γ₀.

    .. math::
        \Sigma(E) = \frac{\gamma_c^2}{\gamma_0}\left[\frac z2 - \mathrm i\sqrt{1 - \frac{z^2}4}\right], \qquad
        z = \frac{E - E_0}{\gamma_0}

    with the hopping γ_c from the device to the chain's first site.

    Source: Mehring, Bustos-Marún & Calvo, PRB 109, 085418 (2024), Eq. 16 (γ_c = γ₀).

    Examples
    --------
    >>> complex(ChainLead(level=0.0, hopping=1.0, contact_hopping=1.0).self_energy(0.0))
    -1j
    """

    level: Float[Array, ""] = parameter("level E₀ of the sites of the chain", gauge=True)
    hopping: Float[Array, ""] = parameter("hopping γ₀ along the chain", low=0.0, open_low=True)
    contact_hopping: Float[Array, ""] = parameter("hopping γ_c between the device and the chain", low=0.0)

    def self_energy(self, energy):
        half = (energy - self.level) / (2 * self.hopping)
        scale = self.contact_hopping**2 / self.hopping
        if jnp.iscomplexobj(half):
            return scale * (half - 1j * jnp.sqrt(1 - half * half))
        inside = (1 - half) * (1 + half)
        root = jnp.sqrt(jnp.where(inside == 0, 1.0, jnp.abs(inside)))
        bound = jnp.where(inside < 0, jnp.sign(half) * root, 0.0)
        return jax.lax.complex(scale * (half - bound), -scale * jnp.where(inside > 0, root, 0.0))

    @property
    def band_edges(self):
        return self.level + 2 * self.hopping * jnp.array([-1.0, 1.0])


class WideBandLead(AbstractOneChannelLead):
    r"""A lead whose density of states does not depend on energy.

    .. math:: \Sigma = -\mathrm i\Gamma/2

    Examples
    --------
    >>> complex(WideBandLead(broadening=0.5).self_energy(3.0))
    -0.25j
    """

    broadening: Float[Array, ""] = parameter("broadening Γ = −2 Im Σ of the site", low=0.0)

    def self_energy(self, energy):
        return -0.5j * self.broadening * jnp.ones_like(energy)

    @property
    def band_edges(self):
        return jnp.zeros(0)
