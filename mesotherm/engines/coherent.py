r"""Coherent scattering: the one place that integrates over energy.

A device gives its transmission at ONE energy and describes its spectrum; this engine owns nodes and limits:

.. math::
    I_\alpha = \frac{g_s}{h}\int dE \sum_\beta \mathcal T_{\alpha\beta}(E)\,[f_\alpha(E) - f_\beta(E)], \qquad
    J^E_\alpha = \frac{g_s}{h}\int dE\, E \sum_\beta \mathcal T_{\alpha\beta}(E)\,[f_\alpha(E) - f_\beta(E)]

Source: Balduque & Sánchez, PRL 134, 186301 (2025), Eq. 1 (there g_s = 2).
"""

import abc
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from mesotherm.conventions import EPSILON, PLANCK
from mesotherm.device import AbstractDevice, Answer, Effort, LogTemperature, Reservoirs, Response
from mesotherm.distributions import occupation
from mesotherm.quadrature import Spectrum, mesh, rule_error

JUST_ASIDE = 1e-200
"""Distance from an edge at which either side of it is evaluated, the edge being at the zero of energy [energy]."""


class AbstractCoherentDevice(AbstractDevice):
    """A device that scatters electrons elastically between its terminals, probes included.

    Attributes
    ----------
    spin_degeneracy
        g_s, multiplies every current.
    """

    points_together: ClassVar[int] = 64
    spin_degeneracy: eqx.AbstractVar[Float[Array, ""]]

    @abc.abstractmethod
    def transmission(self, energy: Float[Array, ""]) -> Float[Array, "terminals terminals"]:
        """Transmission probabilities [out, in] at one energy, summed over channels; the diagonal is not used. Rows and
        columns must have equal sums (unitarity), or particles are not conserved."""

    @abc.abstractmethod
    def spectrum(self) -> Spectrum:
        """Band bottom and features of the transmission."""

    @property
    def first_effort(self) -> Effort:
        """The smooth rule has no bound where the transmission jumps."""
        return Effort.STRICT if self.spectrum().jumps.size else Effort.FAST

    @property
    def floating_reservoir(self) -> LogTemperature:
        return LogTemperature()

    def response(self, reservoirs: Reservoirs, effort: Effort = Effort.STRICT) -> Answer:
        """Landauer–Büttiker currents with the error bound of the quadrature.

        Assumes: non-interacting electrons in a fixed potential (elastic scattering), one Fermi function per terminal.

        Errors: none raised; a transmission that is not finite gives currents that are not finite.
        """
        spectrum = self.spectrum()
        nodes = mesh(spectrum, reservoirs, effort)

        sums = jnp.array(nodes.rule.sums)

        def panel(anchor, offset, weight):
            local_device, local = self.shifted(-anchor), reservoirs.shifted(-anchor)
            net, both = _flows(local_device, offset, weight, local)
            rows = []
            for mu, T, net_flow, both_flow in zip(local.mu, local.T, net, both, strict=True):
                from_mu = offset - mu
                particle, *particle_steps = net_flow @ sums
                heat, *heat_steps = (net_flow * from_mu) @ sums
                first, last = nodes.end_share[0] * both_flow[0], nodes.end_share[1] * both_flow[-1]
                particle_error = rule_error(*particle_steps) + first + last
                heat_error = rule_error(*heat_steps) + (
                    first * (jnp.abs(from_mu[0]) + T) + last * (jnp.abs(from_mu[-1]) + T)
                )
                one_way = jnp.sum(both_flow), jnp.sum(both_flow * jnp.abs(from_mu))
                rows.append((particle, heat, particle_error, heat_error, *one_way))
            return rows

        panels = jax.vmap(panel)(nodes.anchor, nodes.offset, nodes.weight)
        edges = self._moving_edges(spectrum, reservoirs)
        spin = self.spin_degeneracy / PLANCK
        rows = []
        for row, edge, mu in zip(panels, edges, reservoirs.mu, strict=True):
            particle, heat, particle_error, heat_error, one_way, one_way_heat = (spin * jnp.sum(sums) for sums in row)
            particle, heat = particle + edge[0], heat + edge[1]
            particle_error = particle_error + jnp.where(one_way > 0, nodes.unseen * one_way, nodes.unseen)
            heat_error = heat_error + jnp.where(one_way_heat > 0, nodes.unseen * one_way_heat, nodes.unseen)
            heat_error = heat_error + EPSILON * jnp.abs(mu * particle)
            rows.append((particle, heat + mu * particle, particle_error, heat_error, one_way, one_way_heat))
        columns = [jnp.stack(column) for column in zip(*rows, strict=True)]
        value, error, one_way = (Response(columns[k], columns[k + 1], jnp.zeros(0)) for k in (0, 2, 4))
        return Answer(value, error, one_way)

    def _moving_edges(self, spectrum, reservoirs):
        """Zero, with the derivative that fixed nodes miss when the band bottom or a jump moves (exact to second order):
        particle and heat current of every terminal."""
        edges = jnp.append(spectrum.jumps, spectrum.bottom)
        fixed = jax.lax.stop_gradient(edges)
        active = jnp.isfinite(fixed) & (fixed >= jax.lax.stop_gradient(spectrum.bottom))
        moved = jnp.where(active, edges, 0.0) - jnp.where(active, fixed, 0.0)
        positions = jnp.where(active, fixed, 0.0) + moved / 2
        is_jump = jnp.arange(edges.size) < spectrum.jumps.size

        def lost(position, moved, is_jump):
            sides = jnp.array([-JUST_ASIDE, JUST_ASIDE])
            weight = -(self.spin_degeneracy / PLANCK) * jnp.where(
                is_jump, jnp.array([-1.0, 1.0]), jnp.array([0.0, 1.0])
            )
            local = reservoirs.shifted(-position)
            net, _ = _flows(self.shifted(-position), sides, weight, local)
            return [
                (moved * jnp.sum(flow), -moved * mu * jnp.sum(flow)) for flow, mu in zip(net, local.mu, strict=True)
            ]

        return jax.tree.map(
            lambda terms: jnp.sum(jnp.where(active, terms, 0.0)), jax.vmap(lost)(positions, moved, is_jump)
        )


def _flows(device, energy, weight, reservoirs):
    """Net flow out of each terminal and the two one-way flows together, weighted: per terminal, an array over nodes.

    A difference of Fermi functions is taken as f (1 - f') - f' (1 - f): products keep full accuracy where the
    difference of the occupations would not. Matrix elements are taken apart before they are batched: small trailing
    dimensions would keep the compiler from vectorising over nodes.
    """
    terminals = range(len(device.terminals))
    pairs = [(i, j) for i in terminals for j in terminals if i != j]

    def elements(one_energy):
        matrix = device.transmission(one_energy).ravel()
        return {(i, j): jax.lax.index_in_dim(matrix, i * len(terminals) + j, keepdims=False) for i, j in pairs}

    transmission = jax.vmap(elements)(energy)
    states = [occupation((energy - reservoirs.mu[i]) / reservoirs.T[i]) for i in terminals]
    net, both = [jnp.zeros_like(energy) for _ in terminals], [jnp.zeros_like(energy) for _ in terminals]
    for i, j in pairs:
        out, back = weight * states[i][0] * states[j][1], weight * states[i][1] * states[j][0]
        net[i] = net[i] + transmission[i, j] * (out - back)
        both[i] = both[i] + transmission[i, j] * (out + back)
    return net, both
