r"""Nodes for integrands whose poles are known: panels that follow every resonance and every Fermi edge.

Above a band bottom :math:`E_b` everything depends on energy through the wavenumber :math:`s = \sqrt{E - E_b}`, so s is
what is integrated over: no square root is left, and charges, whose integrands diverge like 1/s at the bottom, are as
smooth as currents. Panels divide

.. math:: M(s) = \sum_p \operatorname{arsinh}\frac{s - a_p}{b_p}

equally, the sum being over the poles :math:`a_p - \mathrm i b_p` of the scattering matrix and of the Fermi functions:
no panel is longer than about its distance from any pole, and a Gauss rule converges alike on all of them.

The nodes move rigidly with the band bottom and are constants to gradients otherwise.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from mesotherm.conventions import EPSILON
from mesotherm.device import Effort, Reservoirs
from mesotherm.distributions import occupation
from mesotherm.gauss_kronrod import KRONROD_NODES, KRONROD_WEIGHTS
from mesotherm.quadrature import GAUSS_KRONROD, Mesh, Rule

PANELS = {Effort.ROUGH: 28, Effort.FAST: 28, Effort.STRICT: 120, Effort.STUBBORN: 120}

REACH = 42.0
"""The integrals end this many T above the highest μ: 6e-19 of an occupation is left out there."""

HALVINGS = 24
"""Bisections that place the edges: to a fraction 6e-8 of the range of s."""

ROUGH_ORDER = 12

ROUGH_NODES, ROUGH_WEIGHTS = np.polynomial.legendre.leggauss(ROUGH_ORDER)
ROUGH = Rule.nested(ROUGH_WEIGHTS, ROUGH_WEIGHTS)
"""A single rule, which knows no error."""


def resonant_mesh(
    bottom: Float[Array, ""], poles: Complex[Array, "poles"], reservoirs: Reservoirs, effort: Effort
) -> Mesh:
    """The mesh from the band bottom to where no electron is.

    Parameters
    ----------
    bottom
        E_b, finite [energy].
    poles
        Of the scattering matrix, as wavenumbers s, the imaginary parts negative [energy^(1/2)].
    """
    fixed = jax.lax.stop_gradient((bottom, poles, reservoirs))
    start, poles, baths = fixed
    fermi = jnp.sqrt(baths.mu - start + 1j * jnp.pi * baths.T)
    centre = jnp.concatenate([poles.real, fermi.real])
    width = jnp.abs(jnp.concatenate([poles.imag, fermi.imag]))
    end = jnp.sqrt(jnp.maximum(jnp.max(baths.mu + REACH * baths.T) - start, 0.0))
    edges = _edges(centre, width, end, PANELS[effort])
    rough = effort is Effort.ROUGH
    nodes, weights = (ROUGH_NODES, ROUGH_WEIGHTS) if rough else (KRONROD_NODES, KRONROD_WEIGHTS)
    s, weight = _panel_nodes(edges, centre, width, nodes, weights)
    energy = start + centre * jnp.abs(centre)
    filled = jnp.max(occupation((energy[:, None] - baths.mu) / baths.T)[0], axis=1)
    sharpest = jnp.max(filled * jnp.abs(centre) / width)
    nodes = Mesh(
        anchor=jnp.zeros(1),
        offset=(s * s).reshape(1, -1),
        weight=(2 * s * weight).reshape(1, -1),
        unseen=EPSILON * (64 + sharpest),
        end_share=jnp.zeros(2),
        rule=ROUGH if rough else GAUSS_KRONROD,
    )
    nodes = jax.lax.optimization_barrier(nodes)
    return Mesh(nodes.anchor + bottom, nodes.offset, nodes.weight, nodes.unseen, nodes.end_share, nodes.rule)


def _panel_nodes(edges, centre, width, nodes, weights):
    """Nodes and weights on every panel. The map s = a + b sinh t takes the nearest pole a - ib away from the panel."""
    middle = (edges[1:] + edges[:-1]) / 2
    nearest = jnp.argmin(jnp.hypot(middle[:, None] - centre, width), axis=1)
    a, b = centre[nearest][:, None], width[nearest][:, None]
    start, stop = jnp.arcsinh((edges[:-1, None] - a) / b), jnp.arcsinh((edges[1:, None] - a) / b)
    t = (stop + start) / 2 + (stop - start) / 2 * nodes
    return a + b * jnp.sinh(t), b * jnp.cosh(t) * (stop - start) / 2 * weights


def _edges(centre, width, end, panels):
    """Where M divides [0, end] equally, found as the product of the exponentials of its terms."""

    def reduced(s):
        return (s[:, None] - centre) / width

    def product(s):
        u = reduced(s)
        size = jnp.sqrt(1 + u * u) + jnp.abs(u)
        return jnp.prod(jnp.where(u < 0, 1 / size, size), axis=1)

    ends = jnp.log(product(jnp.stack([jnp.zeros_like(end), end])))
    wanted = jnp.exp(ends[0] + (ends[1] - ends[0]) * jnp.arange(1, panels) / panels)

    def halve(_, bracket):
        low, high = bracket
        middle = (low + high) / 2
        below = product(middle) < wanted
        return jnp.where(below, middle, low), jnp.where(below, high, middle)

    low, high = jax.lax.fori_loop(0, HALVINGS, halve, (jnp.zeros(panels - 1), jnp.full(panels - 1, end)))
    return jnp.concatenate([jnp.zeros(1), (low + high) / 2, end[None]])
