r"""Nodes for integrands whose poles are known: panels that follow every resonance and every Fermi edge.

Above a band bottom :math:`E_b` everything depends on energy through the wavenumber :math:`s = \sqrt{E - E_b}`, so s is
what is integrated over: no square root is left, and charges, whose integrands diverge like 1/s at the bottom, are as
smooth as currents. Panels divide

.. math:: M(s) = \sum_p \operatorname{arsinh}\frac{s - a_p}{b_p}

equally, the sum being over the poles :math:`a_p - \mathrm i b_p` of the scattering matrix and of the Fermi functions:
no panel is longer than about its distance from any pole, and a Gauss rule converges alike on all of them.

Where bands open above the bottom, the integral is taken piece by piece (:class:`Pieces`), each over a variable of its
own that leaves no square root at either end, with the poles where they are in that variable. Pieces share the panels in
proportion to their M.

The nodes move rigidly with the band bottom, those of a piece with the branch points at its ends, and are constants to
gradients otherwise.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Complex, Float, Int

from mesotherm.conventions import EPSILON
from mesotherm.device import Effort, Reservoirs
from mesotherm.distributions import occupation
from mesotherm.gauss_kronrod import KRONROD_NODES, KRONROD_WEIGHTS
from mesotherm.held import held
from mesotherm.poles import square_root
from mesotherm.quadrature import GAUSS_KRONROD, Mesh, Rule

PANELS = {Effort.ROUGH: 28, Effort.FAST: 34, Effort.STRICT: 120, Effort.STUBBORN: 120}

REACH = 42.0
"""The integrals end this many T above the highest μ: 6e-19 of an occupation is left out there."""

HALVINGS = 24
"""Bisections that place the edges: to a fraction 6e-8 of the range of s."""

ROUGH_ORDER = 12

ROUGH_NODES, ROUGH_WEIGHTS = np.polynomial.legendre.leggauss(ROUGH_ORDER)
ROUGH = Rule.nested(ROUGH_WEIGHTS, ROUGH_WEIGHTS)
"""A single rule, which knows no error."""

ONE = 4 * EPSILON
"""Branch points this part of the range apart, which rounding may have caused, are one."""

FACTORS = 12
"""Terms of M whose exponentials are multiplied before a logarithm is taken: poles 1e-13 of the range wide do not
overflow."""


def resonant_mesh(
    bottom: Float[Array, ""],
    poles: Complex[Array, "poles"],
    reservoirs: Reservoirs,
    effort: Effort,
    branch_points: Float[Array, "branch_points"] | None = None,
) -> Mesh:
    """The mesh from the band bottom to where no electron is.

    Parameters
    ----------
    bottom
        E_b, finite [energy].
    poles
        Of the scattering matrix, as wavenumbers s, the imaginary parts negative [energy^(1/2)].
    branch_points
        Where further bands open, counted from the bottom, in any order [energy]; those that are equal or out of range
        only take time. None is the fastest.

    Errors: ``ValueError`` if there are more branch points than panels to put between them.
    """
    if branch_points is not None and branch_points.size >= PANELS[effort]:
        raise ValueError(
            f"there are {branch_points.size} branch points; at most {PANELS[effort] - 1} can be followed with the "
            f"{PANELS[effort]} panels of effort {effort.value!r}."
        )
    fixed = jax.lax.stop_gradient((bottom, poles, reservoirs))
    start, poles, baths = fixed
    fermi = square_root(baths.mu - start, jnp.pi * baths.T)
    centre = jnp.concatenate([poles.real, fermi.real])
    width = jnp.abs(jnp.concatenate([poles.imag, fermi.imag]))
    reach = jnp.maximum(jnp.max(baths.mu + REACH * baths.T) - start, 0.0)
    rough = effort is Effort.ROUGH
    nodes, weights = (ROUGH_NODES, ROUGH_WEIGHTS) if rough else (KRONROD_NODES, KRONROD_WEIGHTS)
    energy = start + centre * jnp.abs(centre)
    filled = jnp.max(occupation((energy[:, None] - baths.mu) / baths.T)[0], axis=1)
    sharpest = jnp.max(filled * jnp.abs(centre) / width)
    pieces = piece = None
    if branch_points is None or branch_points.size == 0:
        edges = _edges(centre, width, jnp.sqrt(reach), PANELS[effort])
        s, weight = _panel_nodes(edges, centre, width, nodes, weights)
        offset, weight, rounding = s * s, 2 * s * weight, 0.0
    else:
        pieces = Pieces.between(branch_points, reach)
        offset, weight, rounding, piece = _nodes_of_pieces(
            jax.lax.stop_gradient(pieces), centre, width, PANELS[effort], nodes, weights
        )
    unseen = EPSILON * (64 + sharpest) + rounding
    offset, weight, unseen, piece = held((offset.reshape(1, -1), weight.reshape(1, -1), unseen, piece))
    if pieces is not None:
        offset, weight = _moved(pieces, jnp.repeat(piece, len(nodes)), offset, weight)
    return Mesh(
        anchor=bottom[None],
        offset=offset,
        weight=weight,
        unseen=unseen,
        end_share=jnp.zeros(2),
        rule=ROUGH if rough else GAUSS_KRONROD,
    )


def _panel_nodes(edges, centre, width, nodes, weights):
    """Nodes and weights on every panel. The map s = a + b sinh t takes the nearest pole a - ib away from the panel."""
    middle = (edges[1:] + edges[:-1]) / 2
    nearest = jnp.argmin(jnp.hypot(middle[:, None] - centre, width), axis=1)
    a, b = centre[nearest][:, None], width[nearest][:, None]
    return _stretched(edges[:-1, None], edges[1:, None], a, b, nodes, weights)


def _stretched(start, stop, a, b, nodes, weights):
    start, stop = jnp.log(_grown((start - a) / b)), jnp.log(_grown((stop - a) / b))
    grown = jnp.exp((stop + start) / 2 + (stop - start) / 2 * nodes)
    shrunk = 1 / grown
    return a + b / 2 * (grown - shrunk), b / 2 * (grown + shrunk) * (stop - start) / 2 * weights


def _grown(u):
    """The exponential of arsinh u: fewer operations to compile than ``jnp.arcsinh``, and factors of a product for M."""
    size = jnp.sqrt(1 + u * u) + jnp.abs(u)
    return jnp.where(u < 0, 1 / size, size)


def _edges(centre, width, end, panels):
    """Where M divides [0, end] equally, found as the product of the exponentials of its terms."""

    def product(s):
        return jnp.prod(_grown((s[:, None] - centre) / width), axis=1)

    ends = jnp.log(product(jnp.stack([jnp.zeros_like(end), end])))
    wanted = jnp.exp(ends[0] + (ends[1] - ends[0]) * jnp.arange(1, panels) / panels)

    def halve(_, bracket):
        low, high = bracket
        middle = (low + high) / 2
        below = product(middle) < wanted
        return jnp.where(below, middle, low), jnp.where(below, high, middle)

    low, high = jax.lax.fori_loop(0, HALVINGS, halve, (jnp.zeros(panels - 1), jnp.full(panels - 1, end)))
    return jnp.concatenate([jnp.zeros(1), (low + high) / 2, end[None]])


# ---------------------------------------------------------------------------------------------------------------------
# Several branch points.


class Pieces(eqx.Module):
    r"""The energies between neighbouring branch points, each over a variable x without square roots at either end:

    .. math:: E = E_i + \Delta_i \sin^2(x/\sqrt{\Delta_i}), \quad 0 < x < \tfrac\pi2\sqrt{\Delta_i}, \qquad
              \text{last: } E = E_n + x^2

    Energies are counted from the band bottom, the first branch point. A piece between equal ones has no length.

    Attributes
    ----------
    start, stop
        Ends of the pieces [energy].
    closed
        Whether a piece ends at a branch point.
    blurred
        How far apart branch points are that were taken for one [energy].
    """

    start: Float[Array, "pieces"]
    stop: Float[Array, "pieces"]
    closed: Bool[Array, "pieces"]
    blurred: Float[Array, ""]

    @classmethod
    def between(cls, branch_points: Float[Array, "branch_points"], reach: Float[Array, ""]) -> "Pieces":
        """Pieces of [0, reach]: one more than there are branch points, whichever of those are inside."""
        points = jnp.concatenate([jnp.zeros(1), jnp.sort(jnp.clip(branch_points, 0.0, reach))])
        apart = jnp.append(True, jnp.diff(points) > ONE * reach)
        start = jax.lax.cummax(jnp.where(apart, points, 0.0))
        start = jnp.where(start > (1 - ONE) * reach, reach, start)
        stop = jnp.append(start[1:], reach)
        return cls(start, stop, stop < reach, jax.lax.stop_gradient(jnp.max(jnp.abs(points - start))))

    @property
    def length(self) -> Float[Array, "pieces"]:
        return self.stop - self.start

    @property
    def scale(self) -> Float[Array, "pieces"]:
        """√Δ, one where there is no length [energy^(1/2)]."""
        return jnp.sqrt(jnp.where(self.length > 0, self.length, 1.0))

    @property
    def span(self) -> Float[Array, "pieces"]:
        """Length in x [energy^(1/2)]."""
        return jnp.where(self.length > 0, self.scale, 0.0) * jnp.where(self.closed, jnp.pi / 2, 1.0)

    def energy(self, piece: Int[Array, "*shape"], x: Complex[Array, "*shape"]) -> Complex[Array, "*shape"]:
        """Energy above the bottom, for complex x too."""
        scale = self.scale[piece]
        wave = jnp.where(self.closed[piece], jnp.sin(x / scale) * scale, x)
        return self.start[piece] + wave * wave

    def slope(self, piece: Int[Array, "*shape"], x: Complex[Array, "*shape"]) -> Complex[Array, "*shape"]:
        """dE/dx."""
        scale = self.scale[piece]
        return jnp.where(self.closed[piece], jnp.sin(2 * x / scale) * scale, 2 * x)

    def place(self, energy: Complex[Array, "poles"]) -> Complex[Array, "pieces poles"]:
        """x of complex energies below the real axis, in every piece."""
        wave = jnp.sqrt(energy - self.start[:, None])
        scale = self.scale[:, None]
        return jnp.where(self.closed[:, None], jnp.arcsin(wave / scale) * scale, wave)


def _nodes_of_pieces(pieces, centre, width, panels, nodes, weights):
    """Energies of the nodes above the bottom, their weights, the error that rounding of these energies may cause to
    charges, relative to them, and which piece every panel belongs to."""
    energy = (centre - 1j * width) ** 2
    places = pieces.place(energy.real - 1j * jnp.abs(energy.imag))
    backwards = (energy.imag > 0) & (pieces.start == 0)[:, None]
    centres, widths = jnp.where(backwards, -1.0, 1.0) * places.real, jnp.abs(places.imag)
    least, most = _measure(jnp.zeros_like(pieces.span), centres, widths), _measure(pieces.span, centres, widths)
    upto, real = jnp.cumsum(most - least), pieces.span > 0
    shared = (panels - jnp.sum(real)) * upto / jnp.where(upto[-1] > 0, upto[-1], 1.0)
    last = jnp.cumsum(real) + jnp.round(shared).astype(int)
    first = jnp.concatenate([jnp.zeros(1, int), last[:-1]])
    panel = jnp.arange(panels)
    piece = jnp.minimum(jnp.searchsorted(last, panel, side="right"), last.size - 1)
    part = (panel + 1 - first[piece]) / jnp.maximum(last[piece] - first[piece], 1)
    wanted = least[piece] + (most - least)[piece] * part
    centres, widths, span = centres[piece], widths[piece], pieces.span[piece]

    def halve(_, bracket):
        low, high = bracket
        middle = (low + high) / 2
        below = _measure(middle, centres, widths) < wanted
        return jnp.where(below, middle, low), jnp.where(below, high, middle)

    low, high = jax.lax.fori_loop(0, HALVINGS, halve, (jnp.zeros(panels), span))
    stop = jnp.where(panel + 1 == last[piece], span, (low + high) / 2)
    start = jnp.where(panel == first[piece], 0.0, jnp.append(0.0, stop[:-1]))
    middle = (start + stop) / 2
    nearest = jnp.argmin(jnp.hypot(middle[:, None] - centres, widths), axis=1, keepdims=True)
    a, b = (jnp.take_along_axis(values, nearest, axis=1) for values in (centres, widths))
    x, weight = _stretched(start[:, None], stop[:, None], a, b, nodes, weights)
    energy, slope, rounding = _energies(pieces, piece[:, None], x)
    return energy, slope * weight, jnp.mean(rounding @ weights) / 2, piece


def _energies(pieces, piece, x):
    """Energies, their slopes dE/dx, and their rounding errors in parts of the distance from a branch point.

    Slopes belong to the rounded energies: what is integrated, slope times a function that diverges like an inverse
    square root, is then smooth in x down to the last digit.
    """
    low, high, closed = (end[piece] for end in (pieces.start, pieces.stop, pieces.closed))
    energy = jnp.maximum(pieces.energy(piece, x), low * (1 + 2 * EPSILON))
    energy = jnp.where(closed, jnp.minimum(energy, high * (1 - 2 * EPSILON)), energy)
    above, below = energy - low, high - energy
    slope = 2 * jnp.sqrt(above * jnp.where(closed, below / (high - low), 1.0))
    nearer = closed & (below < above)
    distance = jnp.maximum(jnp.where(nearer, below, above), jnp.finfo(float).tiny)
    return energy, slope, (EPSILON * jnp.where(nearer, high, low) + pieces.blurred) / distance


def _measure(x, centres, widths):
    """M at one x of each row of poles."""
    terms = _grown((x[:, None] - centres) / widths)
    groups = range(0, terms.shape[1], FACTORS)
    products = jnp.stack([jnp.prod(terms[:, group : group + FACTORS], axis=1) for group in groups])
    return jnp.sum(jnp.log(products), axis=0)


def _moved(pieces, piece, energy, weight):
    """The same numbers; to gradients, nodes that move with the ends of their piece, and weights with its length."""
    still = jax.lax.stop_gradient(pieces)
    length = jnp.where(still.length > 0, still.length, 1.0)[piece]
    low = (pieces.start - still.start)[piece]
    wider = jnp.where(still.closed, pieces.length - still.length, 0.0)[piece]
    return energy + low + wider * (energy - still.start[piece]) / length, weight * (1 + wider / length)
