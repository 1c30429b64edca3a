"""A quantum dot that moves between two leads: its couplings depend on where it is."""

from collections.abc import Mapping
from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from mesotherm.device import Assumption, HasPositions
from mesotherm.devices.leads import ChainLead
from mesotherm.engines.row_of_sites import AbstractChain
from mesotherm.engines.tight_binding import counted
from mesotherm.fields import parameter


class MobileDot(AbstractChain, HasPositions):
    r"""One level that can move between two semi-infinite chains, and the force that currents exert on it.

    .. math::
        \gamma_{L,R}(x) = \gamma\,(1 \pm \lambda)\, e^{\mp x/\ell}

    are its hoppings to the first sites of the chains. Φ = ⟨∂H/∂x⟩ is minus the force of the electrons on the dot,

    .. math::
        F = -g_s \int \frac{dE}{2\pi} \sum_\alpha f_\alpha\,
        \operatorname{Tr}\Big[\frac{\partial H}{\partial x}\, G\, 2\Gamma_\alpha G^\dagger\Big]

    Source: Mehring, Bustos-Marún & Calvo, PRB 109, 085418 (2024), Eqs. 2, 9, 15 (b/a₀ there is 1/ℓ here, g_s = 1).

    Assumes: non-interacting electrons, one orbital, a position that does not change while electrons pass; no bound
    states outside the band, which take part in the equilibrium force only.

    Examples
    --------
    >>> MobileDot.example().coordinates
    ('x',)
    """

    level: Float[Array, ""] = parameter("level of the dot", gauge=True)
    coupling: Float[Array, ""] = parameter("hopping γ between the dot and either lead at x = 0", low=0.0, open_low=True)
    asymmetry: Float[Array, ""] = parameter("asymmetry λ of the couplings", unit="1", low=-1.0, high=1.0)
    decay_length: Float[Array, ""] = parameter(
        "length ℓ over which a coupling decays by e", unit="length", low=0.0, open_low=True
    )
    lead_level: Float[Array, ""] = parameter("level of the sites of the leads", gauge=True)
    lead_hopping: Float[Array, ""] = parameter("hopping along the leads", low=0.0, open_low=True)
    position: Float[Array, "coordinates"] = parameter(
        "position x of the dot", unit="length", entries=("coordinates",), left_out=0.0, default=(0.0,)
    )
    spin_degeneracy: Float[Array, ""] = parameter("spin degeneracy g_s", unit="1", low=0.0, open_low=True, default=2.0)
    equilibrium: tuple[Float[Array, ""], Float[Array, ""]] | None = None
    coordinates: ClassVar[tuple[str, ...]] = ("x",)
    assumptions: ClassVar[Mapping[str, Assumption]] = {
        "bound_states": Assumption(
            "the dot has no bound states outside the bands of the leads, which would not be in the equilibrium force",
            1.0,
        )
    }

    @property
    def positions(self):
        return self.coordinates

    @property
    def q(self):
        return self.position

    def moved_to(self, q):
        return eqx.tree_at(lambda device: device.position, self, q)

    @property
    def lengths(self):
        return self.decay_length[None]

    def counted_from(self, mu, T):
        return counted(self, mu, T)

    @property
    def forces_counted_from(self):
        return self.equilibrium

    @property
    def terminal_leads(self):
        lead = ChainLead(self.lead_level, self.lead_hopping, self.lead_hopping)
        return (("L", lead), ("R", lead))

    @property
    def hoppings(self) -> tuple[Float[Array, ""], Float[Array, ""]]:
        """γ_L and γ_R where the dot is [energy]."""
        shift = self.position[0] / self.decay_length
        left, right = (1 + self.asymmetry) * jnp.exp(-shift), (1 - self.asymmetry) * jnp.exp(shift)
        return self.coupling * left, self.coupling * right

    def row(self):
        left, right = self.hoppings
        return jnp.stack([self.lead_level, self.level, self.lead_level]), -jnp.stack([left, right])

    def features(self):
        """The dot's level with the self-energy of both leads, at the level."""
        left, right = self.hoppings
        end = ChainLead(self.lead_level, self.lead_hopping, jnp.sqrt(left**2 + right**2))
        sigma = end.self_energy(self.level)
        width = jnp.maximum(-sigma.imag, 1e-12 * self.lead_hopping)
        return (self.level + sigma.real)[None], width[None]

    def assumption_values(self, reservoirs):
        left, right = self.hoppings
        from_middle = jnp.abs(self.level - self.lead_level)
        return (((left**2 + right**2) / self.lead_hopping + from_middle) / (2 * self.lead_hopping))[None]

    @classmethod
    def example(cls) -> "MobileDot":
        """A weakly coupled dot 2 k_B T below μ; energies in units of k_B T."""
        return cls(  # pyright: ignore[reportCallIssue]  (terminals and others are properties)
            level=-2.0,
            coupling=1.0,
            asymmetry=0.3,
            decay_length=1.0,
            lead_level=0.0,
            lead_hopping=10.0,
        )
