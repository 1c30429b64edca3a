"""Tight binding with one matrix for all sites: any geometry."""

import abc
import itertools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float, Inexact

from mesotherm.device import HasCoordinates
from mesotherm.engines.tight_binding import AbstractTightBinding, opened_levels

# Energies of what needs LAPACK are taken one after the other: several compiled functions at once, as in a sweep, wait
# for each other for ever where each calls it for many matrices together (jaxlib 0.10).


class AbstractDenseTightBinding(AbstractTightBinding):
    """A device given by the matrix H(q) of all its sites, and where its leads are.

    A class with ``terminal_leads``, ``contact_sites``, ``hamiltonian`` and, if something can move, the properties of
    ``HasCoordinates`` or ``HasPositions`` is a complete device.
    """

    @property
    @abc.abstractmethod
    def contact_sites(self) -> tuple[tuple[int, ...], ...]:
        """Positions of the sites that each lead contacts."""

    @abc.abstractmethod
    def hamiltonian(self) -> Inexact[Array, "sites sites"]:
        """H where the coordinates are [energy], Hermitian."""

    @property
    def channels(self):
        return tuple(name for name, lead in self.terminal_leads for _ in range(lead.width))

    def _open(self, energy):
        """E − H − Σ and the injection matrix of all channels."""
        matrix = energy * jnp.eye(self._size) - self.hamiltonian() + 0j
        columns = []
        for (_, lead), sites in zip(self.terminal_leads, self.contact_sites, strict=True):
            at = np.array(sites)
            sigma, injected = lead.coupling(energy)
            matrix = matrix.at[np.ix_(at, at)].add(-sigma)
            columns.append(jnp.zeros((self._size, injected.shape[1]), complex).at[at].set(injected))
        return matrix, jnp.concatenate(columns, axis=1)

    @property
    def _size(self) -> int:
        return jax.eval_shape(self.hamiltonian).shape[0]

    def smatrix(self, energy):
        matrix, injected = self._open(energy)
        return 1j * injected.conj().T @ jnp.linalg.solve(matrix, injected) - jnp.eye(injected.shape[1])

    def green_function(self, energy: Inexact[Array, ""]) -> Complex[Array, "sites sites"]:
        """The retarded G at one energy [1/energy]."""
        return jnp.linalg.inv(self._open(energy)[0])

    def local_density_of_states(self, energy: Float[Array, ""]) -> Float[Array, "terminals sites"]:
        """States per energy and spin at every site that are filled from each terminal [1/energy]."""
        matrix, injected = self._open(energy)
        density = jnp.abs(jnp.linalg.solve(matrix, injected)) ** 2 / (2 * jnp.pi)
        return jnp.stack([jnp.sum(density[:, owned], axis=1) for owned in self._owned()])

    def _owned(self) -> list[np.ndarray]:
        return [np.flatnonzero([owner == name for owner in self.channels]) for name in self.terminals]

    def hamiltonian_slopes(self) -> Inexact[Array, "coordinates sites sites"]:
        """∂H/∂q of every coordinate [energy per unit of the coordinate]."""
        assert isinstance(self, HasCoordinates)
        return jnp.moveaxis(jax.jacfwd(lambda q: self.moved_to(q).hamiltonian())(self.q), -1, 0)

    def injected(self, states: Complex[Array, "sites channels"]) -> Float[Array, "coordinates channels"]:
        """2π times what each channel's electrons do to each coordinate."""
        if not isinstance(self, HasCoordinates) or not self.coordinates:
            return jnp.zeros((0, states.shape[1]))
        return jnp.einsum("sc,jst,tc->jc", states.conj(), self.hamiltonian_slopes(), states).real

    def elements(self, energy):
        owned, terminals = self._owned(), range(len(self.terminals))

        def apart(energy):
            matrix, injected = self._open(energy)
            states = jnp.linalg.solve(matrix, injected)
            amplitudes = jnp.abs(injected.conj().T @ states) ** 2
            density = self.injected(states) / (2 * jnp.pi)
            passed = {
                (i, j): jnp.sum(amplitudes[np.ix_(owned[i], owned[j])]) for i, j in itertools.permutations(terminals, 2)
            }
            return passed, [[jnp.sum(row[owned[j]]) for j in terminals] for row in density]

        return jax.lax.map(apart, energy)

    def features(self):
        """From the levels of the closed device, widened by the leads, to the poles of G next to them."""
        fixed = jax.lax.stop_gradient(self)

        @jax.custom_batching.sequential_vmap
        def slope(z):
            matrix, change = jax.jvp(lambda z: fixed._open(z)[0], (z,), (jnp.ones_like(z),))
            return jnp.trace(jnp.linalg.solve(matrix, change))

        return opened_levels(fixed.hamiltonian(), fixed.terminal_leads, fixed.contact_sites, slope)
