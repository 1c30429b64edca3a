r"""Coherent conductors whose regions have potentials, and electrons that answer to them.

The electrons in region α, per spin, are

.. math:: N_\alpha = \int dE \sum_j \nu_{j\alpha}(E)\, f_j(E), \qquad
          \nu_{j\alpha} = -\frac{1}{2\pi} \operatorname{Im} \sum_k S^*_{kj} \frac{\partial S_{kj}}{\partial U_\alpha}

with the injectivity ν of terminal j into region α, whose potential energy is U_α.

Source: Balduque & Sánchez, PRL 134, 186301 (2025), Eq. 6; Büttiker, J. Phys.: Condens. Matter 5, 9361 (1993).
"""

import abc
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Complex, Float

from mesotherm.device import Effort, HasCoordinates
from mesotherm.engines.coherent import AbstractCoherentDevice
from mesotherm.quadrature import Mesh, Spectrum
from mesotherm.resonant_mesh import resonant_mesh


class AbstractChargedConductor(AbstractCoherentDevice, HasCoordinates):
    """A coherent conductor with one potential U_α [energy] per region, each a coordinate."""

    points_together: ClassVar[int] = 1

    @property
    @abc.abstractmethod
    def bottom(self) -> Float[Array, ""]:
        """Band bottom below which there are no electrons [energy]; it may move with a potential."""

    @abc.abstractmethod
    def elements(self, above) -> tuple[dict[tuple[int, int], Any], list[list[Any]]]:
        """Transmissions by (out, in) between different terminals, and for each coordinate what every terminal injects
        into its region per energy and spin [1/energy]: arrays over many energies, or scalars at one.

        Energies are counted from ``bottom``: a rounding error δ of the bottom would change a charge by √δ.
        """

    def matrices(self, energy):
        passed, injected = self.elements(energy - self.bottom)
        size, none = len(self.terminals), jnp.zeros_like(energy)
        pairs = [passed.get((i, j), none) for i in range(size) for j in range(size)]
        density = jnp.stack([jnp.stack(column) for column in injected], axis=1) if injected else jnp.zeros((size, 0))
        return jnp.stack(pairs).reshape(size, size), density

    def transmission(self, energy):
        return self.matrices(energy)[0]

    def injectivity(self, energy: Float[Array, ""]) -> Float[Array, "terminals coordinates"]:
        """Electrons per energy and spin that each terminal sends into each region, at one energy [1/energy]."""
        return self.matrices(energy)[1]

    @abc.abstractmethod
    def poles(self, highest: Float[Array, ""]) -> tuple[Complex[Array, "poles"], Bool[Array, "poles"]]:
        """Poles of the scattering matrix as wavenumbers s, E = bottom + s², that matter up to an energy ``highest``
        [energy]; and which of them are certain."""

    def branch_points(self) -> Float[Array, "branch_points"] | None:
        """Where further bands open inside, counted from ``bottom`` [energy]; ``None`` where there are none."""
        return None

    def nodes(self, reservoirs, effort) -> Mesh:
        fixed, baths = jax.lax.stop_gradient((self, reservoirs))
        poles, found = fixed.poles(jnp.max(baths.mu + 36.0 * baths.T))
        nodes = resonant_mesh(self.bottom, poles, reservoirs, effort, self.branch_points())
        unseen = jnp.where(jnp.all(found), nodes.unseen, jnp.inf)
        return eqx.tree_at(lambda mesh: mesh.unseen, nodes, unseen)

    def lost_at_edges(self, reservoirs):
        """Nothing: the nodes move with the band bottom."""
        return [(jnp.zeros(()), jnp.zeros(()))] * len(self.terminals)

    def effort_of_iterations(self, effort):
        return {Effort.FAST: Effort.ROUGH, Effort.STRICT: Effort.FAST, Effort.STUBBORN: Effort.FAST}.get(effort, effort)

    def spectrum(self):
        return Spectrum(self.bottom, jnp.zeros(0), jnp.zeros(0), jnp.zeros(0))
