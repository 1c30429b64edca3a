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
from mesotherm.device import (
    AbstractDevice,
    Answer,
    Effort,
    HasCoordinates,
    HasPositions,
    LogTemperature,
    Reservoirs,
    Response,
)
from mesotherm.distributions import occupation
from mesotherm.quadrature import Mesh, Spectrum, mesh

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

    def matrices(
        self, energy: Float[Array, ""]
    ) -> tuple[Float[Array, "terminals terminals"], Float[Array, "terminals coordinates"]]:
        """Transmissions at one energy, and what each terminal injects for each coordinate [1/(energy × unit of q)]."""
        return self.transmission(energy), jnp.zeros((len(self.terminals), 0))

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
        nodes = self.nodes(reservoirs, effort)

        def group(anchor, offset, weight):
            local_device, local = self.shifted(-anchor), reservoirs.shifted(-anchor)
            transmission, injectivity = local_device.elements(offset)
            states = [occupation((offset - mu) / T) for mu, T in zip(local.mu, local.T, strict=True)]
            net, both = _flows(transmission, states, weight)
            rows = []
            for mu, T, net_flow, both_flow in zip(local.mu, local.T, net, both, strict=True):
                from_mu = offset - mu
                (particle, particle_error), (heat, heat_error) = map(nodes.rule.apply, (net_flow, net_flow * from_mu))
                first, last = nodes.end_share[0] * both_flow[0], nodes.end_share[1] * both_flow[-1]
                particle_error = particle_error + first + last
                heat_error = heat_error + (first * (jnp.abs(from_mu[0]) + T) + last * (jnp.abs(from_mu[-1]) + T))
                one_way = jnp.sum(both_flow), jnp.sum(both_flow * jnp.abs(from_mu))
                rows.append((particle, heat, particle_error, heat_error, *one_way))
            charges = [
                _charge(column, states, weight, self._occupation_counted_from(name, offset, anchor), nodes)
                for name, column in zip(self._coordinate_names(injectivity), injectivity, strict=True)
            ]
            return rows, charges

        panels, charges = jax.vmap(group)(nodes.anchor, nodes.offset, nodes.weight)
        edges = self.lost_at_edges(reservoirs)
        spin = self.spin_degeneracy / PLANCK
        totals = [[spin * jnp.sum(sums) for sums in row] for row in panels]
        largest = [jnp.max(jnp.stack([row[k] for row in totals])) for k in (4, 5)]
        rows = []
        for row, edge, mu in zip(totals, edges, reservoirs.mu, strict=True):
            particle, heat, particle_error, heat_error, one_way, one_way_heat = row
            particle, heat = particle + edge[0], heat + edge[1]
            particle_error = particle_error + nodes.unseen * _first_positive(one_way, largest[0])
            heat_error = heat_error + nodes.unseen * _first_positive(one_way_heat, largest[1])
            heat_error = heat_error + EPSILON * jnp.abs(mu * particle)
            if nodes.overlooked_at.size:
                lost = spin * nodes.overlooked_area * thermal_flow(reservoirs, nodes.overlooked_at)
                particle_error = particle_error + jnp.sum(lost)
                heat_error = heat_error + jnp.sum(lost * jnp.abs(nodes.overlooked_at - mu))
            rows.append((particle, heat + mu * particle, particle_error, heat_error, one_way, one_way_heat))
        columns = [jnp.stack(column) for column in zip(*rows, strict=True)]
        charge, charge_error, gross = (
            self.spin_degeneracy * jnp.array([jnp.sum(row[k]) for row in charges], float) for k in (0, 1, 2)
        )
        charge_error = charge_error + nodes.unseen * gross
        value = Response(columns[0], columns[1], charge)
        error = Response(columns[2], columns[3], charge_error)
        return Answer(value, error, Response(columns[4], columns[5], gross))

    @property
    def forces_counted_from(self) -> tuple[Float[Array, ""], Float[Array, ""]] | None:
        """μ and T of the equilibrium whose forces are taken off those on positions; ``None``: nothing is taken off."""
        return None

    def _coordinate_names(self, injectivity):
        return self.coordinates if isinstance(self, HasCoordinates) else ("",) * len(injectivity)

    def _occupation_counted_from(self, name, offset, anchor):
        """The occupation that is taken off a coordinate's, and the part that is empty, if there is one."""
        rest = self.forces_counted_from
        if rest is None or not isinstance(self, HasPositions) or name not in self.positions:
            return None
        mu, T = rest
        return occupation((offset - (mu - anchor)) / T)

    def nodes(self, reservoirs: Reservoirs, effort: Effort) -> Mesh:
        """Where the integrands are evaluated."""
        return mesh(self.spectrum(), reservoirs, effort)

    def elements(self, energy: Float[Array, "nodes"]):
        """Transmissions by (out, in) between different terminals, and for each coordinate what every terminal injects
        into its region, none by default: arrays over many energies.

        Matrix elements are taken apart before they are batched: small trailing dimensions would keep the compiler from
        vectorising over nodes.
        """
        size = len(self.terminals)

        def apart(one_energy):
            matrix = self.transmission(one_energy).ravel()
            return {
                (i, j): jax.lax.index_in_dim(matrix, i * size + j, keepdims=False)
                for i in range(size)
                for j in range(size)
                if i != j
            }

        return jax.vmap(apart)(energy), []

    def lost_at_edges(self, reservoirs: Reservoirs):
        """Zero, with the derivative that fixed nodes miss when the band bottom or a jump moves (exact to second order):
        particle and heat current of every terminal."""
        spectrum = self.spectrum()
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
            states = [occupation((sides - mu) / T) for mu, T in zip(local.mu, local.T, strict=True)]
            net, _ = _flows(self.shifted(-position).elements(sides)[0], states, weight)
            return [
                (moved * jnp.sum(flow), -moved * mu * jnp.sum(flow)) for flow, mu in zip(net, local.mu, strict=True)
            ]

        return jax.tree.map(
            lambda terms: jnp.sum(jnp.where(active, terms, 0.0)), jax.vmap(lost)(positions, moved, is_jump)
        )


def thermal_flow(reservoirs: Reservoirs, energy: Float[Array, "energies"]) -> Float[Array, "energies"]:
    """The largest f_i (1 − f_j) of two terminals: what flows either way per channel, energy and spin."""
    filled, empty = occupation((energy - reservoirs.mu[:, None]) / reservoirs.T[:, None])
    return jnp.max(filled, axis=0) * jnp.max(empty, axis=0)


def _first_positive(flux, other):
    """What an error that nodes do not see is relative to: the flux; where they see none, another; else one."""
    return jnp.where(flux > 0, flux, jnp.where(other > 0, other, 1.0))


def _charge(column, states, weight, rest, nodes):
    """What the electrons of all terminals do to a coordinate, on one group of nodes: the integral, its bound, and the
    integral of the sizes of all terms."""
    filled = [state[0] for state in states]
    gross = filled
    if rest is not None:
        ahead = [(full * rest[1], rest[0] * empty) for full, empty in states]
        filled, gross = [more - less for more, less in ahead], [more + less for more, less in ahead]
    value, error = nodes.rule.apply(weight * sum(a * b for a, b in zip(column, filled, strict=True)))
    terms = weight * sum(jnp.abs(a) * b for a, b in zip(column, gross, strict=True))
    return value, error + nodes.end_share[0] * terms[0] + nodes.end_share[1] * terms[-1], jnp.sum(terms)


def _flows(transmission, states, weight):
    """Net flow out of each terminal and the two one-way flows together, weighted: per terminal, an array over nodes.

    A difference of Fermi functions is taken as f (1 - f') - f' (1 - f): products keep full accuracy where the
    difference of the occupations would not.
    """
    net, both = [jnp.zeros_like(weight) for _ in states], [jnp.zeros_like(weight) for _ in states]
    for (i, j), passed in transmission.items():
        out, back = weight * states[i][0] * states[j][1], weight * states[i][1] * states[j][0]
        net[i] = net[i] + passed * (out - back)
        both[i] = both[i] + passed * (out + back)
    return net, both
