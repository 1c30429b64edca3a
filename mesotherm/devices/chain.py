"""Sites in a row between two leads."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from mesotherm.devices.leads import ChainLead
from mesotherm.engines.leads import AbstractOneChannelLead
from mesotherm.engines.row_of_sites import AbstractChain
from mesotherm.fields import FieldError, parameter, part


class Chain(AbstractChain):
    r"""Sites in a row, each with a level of its own, between the leads L and R at its ends.

    .. math:: H = \sum_n \varepsilon_n c_n^\dagger c_n - \sum_n (t_n c_n^\dagger c_{n+1} + \mathrm{h.c.})

    Assumes: non-interacting electrons.

    Examples
    --------
    >>> lead = ChainLead(level=0.0, hopping=1.0, contact_hopping=1.0)
    >>> perfect = Chain(levels=[0, 0, 0], hoppings=[1, 1], lead_L=lead, lead_R=lead)
    >>> round(float(perfect.transmission(0.3)[0, 1]), 12)
    1.0
    """

    levels: Float[Array, "sites"] = parameter("levels of the sites, from L to R", gauge=True, column=True)
    hoppings: Float[Array, "links"] = parameter("hoppings between neighbours, from L to R", column=True)
    lead_L: AbstractOneChannelLead = part("lead at the first site")
    lead_R: AbstractOneChannelLead = part("lead at the last site")
    spin_degeneracy: Float[Array, ""] = parameter("spin degeneracy g_s", unit="1", low=0.0, open_low=True, default=2.0)

    def __check_init__(self):
        sites, links = jnp.size(self.levels), jnp.size(self.hoppings)
        if sites < 2 or links != sites - 1:
            raise FieldError(
                "hoppings",
                f"Chain: there are {sites} levels and {links} hoppings; give at least two levels and one hopping less.",
            )

    @property
    def terminal_leads(self):
        return (("L", self.lead_L), ("R", self.lead_R))

    def row(self):
        return self.levels, -self.hoppings

    @classmethod
    def example(cls) -> "Chain":
        """Three sites, weakly coupled to leads of chains; energies in units of k_B T."""
        lead = ChainLead(level=0.0, hopping=10.0, contact_hopping=3.0)
        return cls(  # pyright: ignore[reportCallIssue]  (terminals and others are properties)
            levels=[0.0, 1.0, -1.0], hoppings=[2.0, 2.0], lead_L=lead, lead_R=lead
        )
