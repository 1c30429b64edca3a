r"""Coherent scattering: the one place that integrates over energy.

A device gives its transmission at ONE energy and describes its spectrum; this engine owns nodes and limits:

.. math::
    I_\alpha = \frac{g_s}{h}\int dE \sum_\beta \mathcal T_{\alpha\beta}(E)\,[f_\alpha(E) - f_\beta(E)], \qquad
    J^E_\alpha = \frac{g_s}{h}\int dE\, E \sum_\beta \mathcal T_{\alpha\beta}(E)\,[f_\alpha(E) - f_\beta(E)]

Source: Balduque & Sánchez, PRL 134, 186301 (2025), Eq. 1 (there g_s = 2).
"""

import abc

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from mesotherm.conventions import EPSILON, PLANCK
from mesotherm.device import AbstractDevice, Answer, Effort, LogTemperature, Reservoirs, Response
from mesotherm.distributions import occupation
from mesotherm.quadrature import Spectrum, mesh, rule_error


class AbstractCoherentDevice(AbstractDevice):
    """A device that scatters electrons elastically between its terminals, probes included.

    Attributes
    ----------
    spin_degeneracy
        g_s, multiplies every current.
    """

    spin_degeneracy: eqx.AbstractVar[Float[Array, ""]]

    @abc.abstractmethod
    def transmission(self, energy: Float[Array, ""]) -> Float[Array, "terminals terminals"]:
        """Transmission probabilities [out, in] at one energy, summed over channels; the diagonal is not used. Rows and
        columns must have equal sums (unitarity), or particles are not conserved."""

    @abc.abstractmethod
    def spectrum(self) -> Spectrum:
        """Band bottom and features of the transmission."""

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

        x, moments = jnp.array(nodes.rule.nodes), jnp.array(nodes.rule.moments)

        def panel(anchor, middle, half):
            local_device, local = self.shifted(-anchor), reservoirs.shifted(-anchor)
            energy = middle + half * x
            transmission = jax.vmap(local_device.transmission, out_axes=-1)(energy)
            net, both = _flows(transmission, energy, local)
            rows = []
            for mu, net_flow, both_flow in zip(local.mu, net, both, strict=True):
                one, x_moment, *steps = half * (net_flow @ moments)
                from_mu = middle - mu
                heat_steps = [from_mu * steps[k] + half * steps[k + 1] for k in (0, 2)]
                rows.append(
                    (
                        one,
                        from_mu * one + half * x_moment,
                        rule_error(steps[0], steps[2]),
                        rule_error(*heat_steps),
                        half * (both_flow @ moments[:, 0]),
                        half * ((both_flow * jnp.abs(energy - mu)) @ moments[:, 0]),
                    )
                )
            return tuple(jnp.stack(column) for column in zip(*rows, strict=True))

        sums = jax.vmap(panel)(nodes.anchor, nodes.middle, nodes.half)
        spin = self.spin_degeneracy / PLANCK
        particle, heat, particle_error, heat_error, both, both_heat = (spin * jnp.sum(s, 0) for s in sums)
        edge_particle, edge_heat = self._moving_bottom(spectrum, reservoirs)
        particle, heat = particle + edge_particle, heat + edge_heat
        particle_error = particle_error + nodes.unseen * both
        heat_error = heat_error + nodes.unseen * both_heat
        none = jnp.zeros(0)
        energy_error = heat_error + jnp.abs(reservoirs.mu) * (particle_error + EPSILON * jnp.abs(particle))
        return Answer(
            value=Response(particle, heat + reservoirs.mu * particle, none),
            error=Response(particle_error, energy_error, none),
            one_way=Response(both, both_heat, none),
        )

    def _moving_bottom(self, spectrum, reservoirs):
        """Zero, with the derivative that fixed nodes miss when the lower limit moves (exact to second order)."""
        fixed = jax.lax.stop_gradient(spectrum.bottom)
        finite = jnp.isfinite(fixed)
        moved = jnp.where(finite, spectrum.bottom, 0.0) - jnp.where(finite, fixed, 0.0)
        energy = jnp.where(finite, fixed, 0.0) + moved / 2
        net, _ = _flows(self.transmission(energy)[..., None], energy[None], reservoirs)
        lost = -(self.spin_degeneracy / PLANCK) * moved * jnp.where(finite, jnp.concatenate(net), 0.0)
        return lost, lost * (energy - reservoirs.mu)


def _flows(transmission, energy, reservoirs):
    """Net flow out of each terminal and the two one-way flows together, per terminal a list of arrays over nodes.

    A difference of Fermi functions is taken as f (1 - f') - f' (1 - f): products keep full accuracy where the difference
    of the occupations would not.
    """
    terminals = range(len(reservoirs.mu))
    states = [occupation((energy - reservoirs.mu[i]) / reservoirs.T[i]) for i in terminals]
    net, both = [jnp.zeros_like(energy) for _ in terminals], [jnp.zeros_like(energy) for _ in terminals]
    for i in terminals:
        for j in range(i):
            out, back = states[i][0] * states[j][1], states[i][1] * states[j][0]
            net[i] = net[i] + transmission[i, j] * (out - back)
            net[j] = net[j] - transmission[j, i] * (out - back)
            both[i] = both[i] + transmission[i, j] * (out + back)
            both[j] = both[j] + transmission[j, i] * (out + back)
    return net, both
