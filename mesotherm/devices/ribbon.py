"""A strip of a square lattice between two leads of the same width, with any level at every site."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from mesotherm.devices.leads import ChainLead
from mesotherm.engines.layers_of_sites import AbstractLayered
from mesotherm.engines.leads import AbstractLead, injection
from mesotherm.fields import FieldError, count, parameter


class Ribbon(AbstractLayered):
    r"""A strip of a square lattice from L to R, with any level at every site.

    .. math:: H = \sum_i \varepsilon_i c_i^\dagger c_i - t \sum_{\langle i,j\rangle} (c_i^\dagger c_j + \mathrm{h.c.})

    The leads are clean strips of the same width, which the contact hoppings join to the first and the last column.

    Assumes: non-interacting electrons; of more than 32 sites, no level far narrower than leads make it to first order.

    Errors: the energy integral resolves the 32 levels that matter most; what the others may carry is part of the bound.

    Examples
    --------
    >>> clean = Ribbon(width=2, length=3, levels=[0] * 6, hopping=1.0, lead_level=0.0, lead_hopping=1.0,
    ...                contact_L=1.0, contact_R=1.0)
    >>> round(float(clean.transmission(0.3)[0, 1]), 12)
    2.0
    """

    width: int = count("sites across the strip")
    length: int = count("columns of sites along it")
    levels: Float[Array, "sites"] = parameter("levels of the sites, column after column", gauge=True, column=True)
    hopping: Float[Array, ""] = parameter("hopping t between neighbours in the strip")
    lead_level: Float[Array, ""] = parameter("level of the sites of the leads", gauge=True)
    lead_hopping: Float[Array, ""] = parameter("hopping in the leads", low=0.0, open_low=True)
    contact_L: Float[Array, ""] = parameter("hopping between L and the strip")
    contact_R: Float[Array, ""] = parameter("hopping between R and the strip")
    spin_degeneracy: Float[Array, ""] = parameter("spin degeneracy g_s", unit="1", low=0.0, open_low=True, default=2.0)

    def __check_init__(self):
        if jnp.size(self.levels) != self.width * self.length:
            raise FieldError(
                "levels",
                f"Ribbon: there are {jnp.size(self.levels)} levels for {self.length} columns of {self.width} sites; "
                f"give {self.width * self.length}.",
            )

    @property
    def terminal_leads(self):
        contacts = (("L", self.contact_L), ("R", self.contact_R))
        return tuple(
            (name, StripLead(self.lead_level, self.lead_hopping, contact, self.width)) for name, contact in contacts
        )

    @property
    def band_edges(self):
        """Of either lead: they differ in their contacts only."""
        return self.terminal_leads[0][1].band_edges

    def layers(self):
        across = np.eye(self.width, k=1) + np.eye(self.width, k=-1)
        columns = jax.vmap(jnp.diag)(self.levels.reshape(self.length, self.width)) - self.hopping * across
        return columns, jnp.broadcast_to(-self.hopping * np.eye(self.width), (self.length - 1, *across.shape))

    @classmethod
    def example(cls) -> "Ribbon":
        """Two columns of three sites; energies in units of k_B T."""
        return cls(  # pyright: ignore[reportCallIssue]  (terminals and others are properties)
            width=3,
            length=2,
            levels=[1.0, -2.0, 0.5, 2.0, -1.0, 0.0],
            hopping=8.0,
            lead_level=0.0,
            lead_hopping=8.0,
            contact_L=6.0,
            contact_R=7.0,
        )


class StripLead(AbstractLead):
    r"""A clean strip of a square lattice, as its first column sees the rest: a chain for every transverse mode,

    .. math:: \chi_n(m) = \sqrt{\tfrac{2}{W+1}}\, \sin\frac{\pi n m}{W+1}, \qquad
              E_n = E_0 - 2t \cos\frac{\pi n}{W+1}
    """

    level: Float[Array, ""] = parameter("level of the sites", gauge=True)
    hopping: Float[Array, ""] = parameter("hopping between neighbours", low=0.0, open_low=True)
    contact: Float[Array, ""] = parameter("hopping between the device and the strip")
    sites: int = count("sites across")

    @property
    def width(self):
        return self.sites

    def _modes(self):
        """Transverse modes, one per column, and the bottoms of their chains' levels."""
        number = np.arange(1, self.sites + 1)
        angle = np.pi * number / (self.sites + 1)
        modes = np.sqrt(2 / (self.sites + 1)) * np.sin(np.outer(number, angle))
        return modes, self.level - 2 * self.hopping * np.cos(angle)

    def coupling(self, energy):
        modes, levels = self._modes()
        chain = ChainLead(jnp.zeros(()), self.hopping, jnp.abs(self.contact))
        sigma = chain.self_energy(energy - levels)
        if jnp.iscomplexobj(energy):  # a closed channel is continued as such
            half = (energy - levels) / (2 * self.hopping)
            bound = jnp.sign(half.real) * jnp.sqrt(half * half - 1)
            sigma = jnp.where(jnp.abs(half.real) < 1, sigma, self.contact**2 / self.hopping * (half - bound))
        return (modes * sigma) @ modes.T, modes * injection(sigma)

    @property
    def band_edges(self):
        _, levels = self._modes()
        return jnp.concatenate([levels - 2 * self.hopping, levels + 2 * self.hopping])
