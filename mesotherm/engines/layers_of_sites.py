"""Tight binding of layers of sites between two leads, layer by layer."""

import abc

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Inexact

from mesotherm.engines.coherent import thermal_flow
from mesotherm.engines.tight_binding import AbstractTightBinding, poles_nearby, widened_levels
from mesotherm.quadrature import Mesh, Spectrum, mesh

RESONANCES = 32
"""Levels that energy integrals are refined about at most."""

BROAD = 60.0
"""A level for which the error of a rule decays this far is integrated well enough wherever panels end."""

PEAK = 4 * np.pi
"""What a resonance may add to the integral of a transmission, in units of its half width: π for one of peak 1, and more
where levels interfere or their width is not that to first order."""

# Energies of what needs LAPACK are taken one after the other: several compiled functions at once, as in a sweep, wait
# for each other for ever where each calls it for many matrices together (jaxlib 0.10).


class AbstractLayered(AbstractTightBinding):
    """Layers of equally many sites, each with its neighbours, and a lead at either end: solved layer by layer.

    Errors: of levels narrower than the nodes of an energy integral are apart, the 32 that carry most are resolved; what
    the others may carry is part of the bound.

    Assumes, of more than 32 sites: no level is far narrower than the leads make it to first order. (Where they mix
    levels that overlap, some are.)
    """

    @abc.abstractmethod
    def layers(self) -> tuple[Inexact[Array, "layers width width"], Inexact[Array, "links width width"]]:
        """H inside each layer, and from each layer to the next, H[n, n+1] [energy]."""

    @property
    def channels(self):
        return tuple(name for name, lead in self.terminal_leads for _ in range(lead.width))

    def smatrix(self, energy):
        onsite, links = self.layers()
        (sigma_left, v_left), (sigma_right, v_right) = (lead.coupling(energy) for _, lead in self.terminal_leads)
        corners = layer_corners(energy, opened(onsite, sigma_left, sigma_right), links)
        ends = (v_left, v_right)
        rows = [jnp.concatenate([ends[i].conj().T @ corners[i][j] @ ends[j] for j in range(2)], axis=1) for i in (0, 1)]
        amplitudes = 1j * jnp.concatenate(rows)
        return amplitudes - jnp.eye(len(amplitudes))

    def elements(self, energy):
        onsite, links = self.layers()

        def apart(energy):
            (sigma_left, v_left), (sigma_right, v_right) = (lead.coupling(energy) for _, lead in self.terminal_leads)
            across = layers_crossed(energy, onsite, links, sigma_left, sigma_right, v_left)
            passed = jnp.sum(jnp.abs(v_right.conj().T @ across) ** 2)
            return {(0, 1): passed, (1, 0): passed}

        return jax.lax.map(apart, energy), []

    def features(self):
        """None: which levels are sharp depends on the reservoirs."""
        return jnp.zeros(0), jnp.zeros(0)

    def resolved(self, reservoirs, effort):
        """Finer about the levels that carry most of what a mesh that knows nothing of them would not see."""
        fixed, reservoirs = jax.lax.stop_gradient((self, reservoirs))
        levels = widened_levels(fixed.hamiltonian(), fixed.terminal_leads, fixed.contact_sites)
        coarse = super().resolved(reservoirs, effort)
        carried = _overlooked(coarse, levels) * thermal_flow(reservoirs, levels.real)
        followed = jnp.argsort(-carried)[:RESONANCES]
        slope = jax.custom_batching.sequential_vmap(lambda energy: determinant_slope(fixed, energy))
        all_followed = levels.size <= RESONANCES
        wanted = None if all_followed else coarse.decay(levels[followed]) < BROAD
        poles, found = poles_nearby(slope, levels[followed], wanted)
        spectrum = Spectrum(self.bottom, poles.real, -poles.imag, jnp.zeros(0), self.band_edges)
        fine = mesh(spectrum, reservoirs, effort, filled=self._occupations_matter)
        lost = _overlooked(fine, levels)
        lost = lost.at[followed].set(jnp.where(found, 0.0, lost[followed]))
        return eqx.tree_at(lambda nodes: (nodes.overlooked_at, nodes.overlooked_area), fine, (levels.real, lost))

    @property
    def contact_sites(self) -> tuple[range, range]:
        """Positions of the sites that each lead contacts, in :meth:`hamiltonian`."""
        count, width = jax.eval_shape(self.layers)[0].shape[:2]
        return range(width), range((count - 1) * width, count * width)

    def hamiltonian(self) -> Inexact[Array, "sites sites"]:
        """H as one matrix, layer after layer [energy]."""
        onsite, links = self.layers()
        count, width = onsite.shape[:2]
        matrix = jnp.zeros((count, width, count, width), jnp.result_type(onsite, links))
        here, next_ = np.arange(count), np.arange(1, count)
        matrix = matrix.at[here, :, here, :].set(onsite).at[here[:-1], :, next_, :].set(links)
        matrix = matrix.at[next_, :, here[:-1], :].set(links.conj().swapaxes(1, 2))
        return matrix.reshape(count * width, count * width)


def _overlooked(nodes: Mesh, levels):
    """What each level may add to the integral of a transmission without being seen [energy], if it may be half as
    broad: all it has where it is narrower than nodes are apart, else the error of the rule."""
    return PEAK * -levels.imag * jnp.exp(-nodes.decay(levels.real + 0.5j * levels.imag))


def determinant_slope(device: AbstractLayered, energy: Complex[Array, ""]) -> Complex[Array, ""]:
    """Logarithmic derivative of det(E − H − Σ(E)) at one energy [1/energy]."""
    onsite, links = device.layers()
    width = onsite.shape[1]

    def own(energy):
        sigma_left, sigma_right = (lead.coupling(energy)[0] for _, lead in device.terminal_leads)
        return energy * jnp.eye(width) - opened(onsite, sigma_left, sigma_right)

    blocks, changes = jax.jvp(own, (energy,), (jnp.ones_like(energy),))

    def eliminate(before, here):
        matrix, change, slope = before
        block, block_change, link = here
        solved = jnp.linalg.solve(matrix, jnp.concatenate([link + 0j, change], axis=1))
        across, ratio = solved[:, :width], solved[:, width:]
        back = link.conj().T
        return (block - back @ across, block_change + back @ ratio @ across, slope + jnp.trace(ratio)), None

    first = blocks[0], changes[0], jnp.zeros((), complex)
    (matrix, change, slope), _ = jax.lax.scan(eliminate, first, (blocks[1:], changes[1:], links))
    return slope + jnp.trace(jnp.linalg.solve(matrix, change))


def opened(onsite, sigma_left, sigma_right) -> Complex[Array, "layers width width"]:
    """H inside each layer, with what the leads add to the first and the last."""
    return (onsite + 0j).at[0].add(sigma_left).at[-1].add(sigma_right)


def layers_crossed(energy, onsite, links, sigma_left, sigma_right, source) -> Complex[Array, "width channels"]:
    """G from the first layer to the last, times a source in the first."""
    one = energy * jnp.eye(onsite.shape[1])

    def eliminate(before, here):
        matrix, source = before
        block, link = here
        size = len(matrix)
        solved = jnp.linalg.solve(matrix, jnp.concatenate([link + 0j, source], axis=1))
        back = link.conj().T
        return (one - block - back @ solved[:, :size], back @ solved[:, size:]), None

    first = one - onsite[0] - sigma_left
    (matrix, source), _ = jax.lax.scan(eliminate, (first, source), (onsite[1:], links))
    return jnp.linalg.solve(matrix - sigma_right, source)


def layer_corners(energy, blocks, links):
    """G between the first and the last layer: [[G_11, G_1N], [G_N1, G_NN]]."""
    size = blocks.shape[1]
    one = energy * jnp.eye(size)

    def grow(before, here):
        there, forth, back, here_ = before
        block, link = here
        new = jnp.linalg.inv(one - block - link.conj().T @ here_ @ link)
        out = forth @ link @ new
        return (there + out @ link.conj().T @ back, out, new @ link.conj().T @ back, new), None

    start = jnp.linalg.inv(one - blocks[0])
    (there, forth, back, end), _ = jax.lax.scan(grow, (start,) * 4, (blocks[1:], links))
    return [[there, forth], [back, end]]
