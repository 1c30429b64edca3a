"""Tight binding of layers of sites between two leads, layer by layer."""

import abc

import jax
import jax.numpy as jnp
from jaxtyping import Array, Complex, Inexact

from mesotherm.engines.tight_binding import AbstractTightBinding

# Energies of what needs LAPACK are taken one after the other: several compiled functions at once, as in a sweep, wait
# for each other for ever where each calls it for many matrices together (jaxlib 0.10).


class AbstractLayered(AbstractTightBinding):
    """Layers of equally many sites, each with its neighbours, and a lead at either end: solved layer by layer.

    Assumes: for currents at temperature T, no resonance narrower than T: nothing is known of where they are. (The
    transmission at given energies needs no such assumption.)
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
        first = onsite[0] + sigma_left
        last = onsite[-1] + sigma_right
        blocks = jnp.concatenate([first[None], onsite[1:-1] + 0j, last[None]])
        corners = layer_corners(energy, blocks, links)
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
        return jnp.zeros(0), jnp.zeros(0)


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
