r"""Tight binding: any Hamiltonian H(q) with leads, and everything that follows from its scattering states.

With the retarded self-energies Σ_α of the leads and their injection matrices v_α, :math:`v_\alpha v_\alpha^\dagger
= \mathrm i(\Sigma_\alpha - \Sigma_\alpha^\dagger)`, the states that electrons from terminal α make inside are

.. math::
    \psi_\alpha = G v_\alpha, \qquad G = (E - H - \Sigma)^{-1}

and from them

.. math::
    S_{\beta\alpha} = -\delta_{\beta\alpha} + \mathrm i\, v_\beta^\dagger \psi_\alpha, \qquad
    \nu_{\alpha j} = \frac{1}{2\pi}\, \psi_\alpha^\dagger \frac{\partial H}{\partial q_j} \psi_\alpha

The second is the injectivity, where q_j is the potential of a region, and minus the force per occupied state, where it
is a position. The derivative of H is taken by automatic differentiation.

Source: Fisher & Lee, PRB 23, 6851 (1981) (S); Mehring, Bustos-Marún & Calvo, PRB 109, 085418 (2024), Eqs. 9, 14, 20
(there Γ_α = v_α v_α†/2).
"""

import abc
import functools
import itertools
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Complex, Float

from mesotherm.device import Effort, HasCoordinates, HasPositions, Reservoirs
from mesotherm.engines.leads import AbstractLead
from mesotherm.engines.scattering import HasSMatrix
from mesotherm.poles import roots
from mesotherm.quadrature import Mesh, Spectrum, mesh

FEATURE_ITERATIONS = 12
"""At most, from the level of a closed system to the pole of the open one; a mesh needs its width to a factor of two."""

NARROWEST = 1e-12
"""A level that no lead reaches is taken as this wide, in units of the span of all levels."""


class AbstractTightBinding(HasSMatrix):
    """What devices with leads on sites share: terminals are the leads."""

    points_together: ClassVar[int] = 1

    @property
    @abc.abstractmethod
    def terminal_leads(self) -> tuple[tuple[str, AbstractLead], ...]:
        """Name of the terminal and lead, one after the other."""

    @property
    def terminals(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.terminal_leads)

    @property
    def conductors(self) -> tuple[tuple[str, ...], ...]:
        return (self.terminals,)

    @property
    def band_edges(self) -> Float[Array, "band_edges"]:
        """Where channels of leads open or close [energy]; once, where one lead is used several times."""
        leads = {id(lead): lead for _, lead in self.terminal_leads}
        return jnp.concatenate([lead.band_edges for lead in leads.values()])

    @property
    def bottom(self) -> Float[Array, ""]:
        """The lowest energy at which electrons come from any lead [energy]."""
        lowest = [jnp.min(lead.band_edges) if lead.band_edges.size else -jnp.inf for _, lead in self.terminal_leads]
        return functools.reduce(jnp.minimum, lowest, jnp.asarray(jnp.inf))

    @abc.abstractmethod
    def features(self) -> tuple[Float[Array, "features"], Float[Array, "features"]]:
        """Centres and half widths of the resonances [energy]; they only place nodes."""

    def spectrum(self):
        centres, half_widths = self.features()
        return Spectrum(self.bottom, centres, half_widths, jnp.zeros(0), self.band_edges)

    def nodes(self, reservoirs, effort):
        rest = self.forces_counted_from
        if rest is not None:
            mu, T = (
                jnp.append(values, value) for values, value in zip((reservoirs.mu, reservoirs.T), rest, strict=True)
            )
            reservoirs = Reservoirs(mu, T)
        return self.resolved(reservoirs, effort)

    def resolved(self, reservoirs: Reservoirs, effort: Effort) -> Mesh:
        """A mesh on which everything that is sharp can be seen."""
        return mesh(self.spectrum(), reservoirs, effort, filled=self._occupations_matter)

    @property
    def _occupations_matter(self) -> bool:
        """Whether occupations are integrated, and not only their differences."""
        if not isinstance(self, HasCoordinates):
            return False
        counted = self.positions if isinstance(self, HasPositions) and self.forces_counted_from is not None else ()
        return len(counted) < len(self.coordinates)

    def lost_at_edges(self, reservoirs):
        """Nothing: flows vanish at band edges."""
        return [(jnp.zeros(()), jnp.zeros(()))] * len(self.terminals)

    def matrices(self, energy):
        passed, injected = self.elements(jnp.reshape(energy, (1,)))
        size, none = len(self.terminals), jnp.zeros(())
        pairs = itertools.product(range(size), repeat=2)
        transmission = jnp.stack([passed[pair][0] if pair in passed else none for pair in pairs]).reshape(size, size)
        if not injected:
            return transmission, jnp.zeros((size, 0))
        return transmission, jnp.stack([jnp.stack([one[0] for one in column]) for column in injected], axis=1)

    def transmission(self, energy):
        return self.matrices(energy)[0]

    def injectivity(self, energy: Float[Array, ""]) -> Float[Array, "terminals coordinates"]:
        """ν at one energy: electrons per energy and spin that each terminal sends into a region [1/energy], or minus
        the force of these [1/length]."""
        return self.matrices(energy)[1]


def opened_levels(hamiltonian, leads, contacts, slope) -> tuple[Float[Array, "features"], Float[Array, "features"]]:
    """Real parts and distances from the real axis of the poles of G next to the levels of the closed device; where the
    search finds none, the level moved and widened to first order.

    Parameters
    ----------
    slope
        Logarithmic derivative of det(E − H − Σ(E)).
    """
    chosen, _ = poles_nearby(slope, widened_levels(hamiltonian, leads, contacts))
    return chosen.real, jnp.abs(chosen.imag)


def widened_levels(hamiltonian, leads, contacts) -> Complex[Array, "levels"]:
    """Levels of the closed device, moved and widened by the leads to first order; no two are equal."""
    levels, states = jnp.linalg.eigh(hamiltonian)
    seen = jnp.zeros(len(levels))
    for (_, lead), sites in zip(leads, contacts, strict=True):
        part = states[np.array(sites)]
        sigma = jax.vmap(lambda energy, lead=lead: lead.coupling(energy)[0])(levels)
        seen = seen + jnp.einsum("sn,nst,tn->n", part.conj(), sigma, part)
    span = jnp.max(jnp.abs(levels - levels[0])) + jnp.max(jnp.abs(levels)) + 1e-300
    apart = jnp.arange(len(levels)) * 1e-9 * span
    return levels + seen.real + apart - 1j * jnp.maximum(-seen.imag, NARROWEST * span)


def poles_nearby(slope, levels, wanted=None) -> tuple[Complex[Array, "levels"], Bool[Array, "levels"]]:
    """The poles of G next to some widened levels, and where they were found; elsewhere the levels themselves. Where a
    pole is not wanted, the level counts as found."""
    poles, found = roots(slope, levels, FEATURE_ITERATIONS, wanted=wanted)
    found = found & (poles.imag < 0)
    return jnp.where(found, poles, levels), found


def counted(device: Any, mu, T) -> Any:
    """A device that keeps, in the field ``equilibrium``, what its forces are counted from."""
    return eqx.tree_at(lambda d: d.equilibrium, device, (jnp.asarray(mu), jnp.asarray(T)), is_leaf=lambda x: x is None)
