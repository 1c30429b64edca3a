r"""Energy integrals: where the nodes go, what each weighs, and how wrong the sum may be.

Every transport integrand is a transmission times a difference of Fermi functions, so it lives between the outermost
``μ ± 60 T`` and is sharp only near the features of the spectrum (scale: their half width) and near each μ (scale: that
reservoir's own T, a floating probe's included). A :class:`Mesh` carries the nodes as offsets from anchors (a resonance,
an electrochemical potential, a band bottom), because ``E - level`` computed from absolute energies has lost its digits
once the level is narrow: at a half width of 1e-6 and E of order 10, nine of sixteen digits are left.

A mesh holds two nested rules; the difference between them, panel by panel, plus a floor for rounding and an a priori
term for what the difference cannot see, is the error bound.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from mesotherm.conventions import EPSILON
from mesotherm.device import Effort, Reservoirs
from mesotherm.gauss_kronrod import GAUSS_WEIGHTS, KRONROD_NODES, KRONROD_WEIGHTS

FERMI_EDGES = (-60.0, -11.0, -3.0, 3.0, 11.0, 60.0)
"""Panel edges about each μ in units of T: Fermi functions have poles at μ ± iπT, and 1e-26 is left beyond 60 T."""

FEATURE_EDGES = (3.6, 28.5, 200.0, 1650.0, 1.66e4, 1.66e5, 1.67e6)
"""Panel edges about each feature of the spectrum, on both sides of one at its centre, in units of its half width. As
few as keep the two rules within 2e-10 of a Lorentzian's integral of each other (1e-8 of its heat in the far tail). In a
wider window the outer ones move apart, so that no panel spans more than the nested rules can judge."""

EDGE_SHARES = np.array([0.3, 0.03, 0.003])
"""Panels at a band edge end these parts of the way to the nearest pole: the root takes it nearer, and a state that is
bound but for other leads may be nearer still."""

OPENING_REACH = 36.0
"""The graded rule ends no less than this many T above a band bottom or a jump: where only the tail of a Fermi function
passes, that is where it ends."""

SMOOTH_NODES = 177
"""Nodes of the smooth rule; 4k + 1, so that every second and every fourth node is a rule of its own."""

SMOOTH_REACH = 36.0
"""The smooth rule ends this many T beyond the outermost μ: 2e-16 of an occupation is left out there."""


class Spectrum(eqx.Module):
    """Where a transmission is sharp: a description, not a table.

    Attributes
    ----------
    bottom
        Lowest energy of the integrals (band bottom) [energy]; ``-inf`` for a wide band.
    centres, half_widths
        Real part of each feature and its distance from the real axis [energy]: a Lorentzian resonance's level and half
        width.
    jumps
        Energies at which the transmission jumps [energy]; they fall exactly on panel edges.
    band_edges
        Energies at which square roots of the energy begin or end [energy]: panels that end there are integrated over a
        variable that leaves none.
    """

    bottom: Float[Array, ""]
    centres: Float[Array, "features"]
    half_widths: Float[Array, "features"]
    jumps: Float[Array, "jumps"]
    band_edges: Float[Array, "band_edges"] = eqx.field(default_factory=lambda: jnp.zeros(0))


class Rule(eqx.Module):
    """Nested rules on the nodes of a panel, relative to the weights of the finest.

    ``sums`` turns weighted integrand values at the nodes into three sums with one matrix product: the integral by the
    finest rule, its difference from the next coarser rule, and that rule's difference from the coarsest one (zero if
    there is none).
    """

    sums: tuple[tuple[float, ...], ...] = eqx.field(static=True)

    def apply(self, weighted: Float[Array, "nodes"]) -> tuple[Float[Array, ""], Float[Array, ""]]:
        """The integral over all panels, and its error bound."""
        value, *steps = (weighted.reshape(-1, len(self.sums)) @ jnp.array(self.sums)).T
        return jnp.sum(value), jnp.sum(rule_error(*steps))

    @classmethod
    def nested(cls, fine, coarse, coarsest=None) -> "Rule":
        """From the weights of each rule on the same nodes, zero where a rule has no node."""
        steps = fine, fine - coarse, coarse - (coarse if coarsest is None else coarsest)
        columns = np.stack([step / fine for step in steps], axis=1)
        return cls(tuple(tuple(map(float, row)) for row in columns))


def rule_error(last_step: Float[Array, "panels"], previous_step: Float[Array, "panels"]) -> Float[Array, "panels"]:
    """Error bound of nested rules from the last two steps of refinement.

    Without a third rule (``previous_step`` zero) it is the last step. With one, convergence at the ratio r of the two
    steps or faster is taken at face value where r < 1/2: the steps still to come then sum to r/(1 - r) of the last. The
    slow convergence that cutting the integrand off causes hides behind that; see ``Mesh.end_share``.
    """
    last, previous = jnp.abs(last_step), jnp.abs(previous_step)
    ratio = last / jnp.where(previous > 2 * last, previous, 1.0)
    return jnp.where(previous > 2 * last, last * ratio / (1 - ratio), last)


class Mesh(eqx.Module):
    """Nodes ``anchor + offset`` and their weights, and what the nested rules cannot see.

    Attributes
    ----------
    anchor
        Energies from which nodes are counted [energy].
    offset, weight
        Nodes, counted from their anchor, and the weights of the finest rule [energy]: panel after panel of the rule's
        length, one or more for each anchor.
    unseen
        Error relative to the one-way flux that the nested rules may share: rounding, and poles they do not resolve.
    end_share
        Error that comes of cutting the integrand off at either end, as a fraction of the weighted one-way flux there
        (of the flux, because a net current may cross zero just there and its slope not).
    rule
        The coarser rules on the same nodes, which give the error.
    overlooked_at, overlooked_area
        Resonances that are narrower than the nodes are apart: where they are, and how much each may add to the integral
        of a transmission [energy].
    """

    anchor: Float[Array, "anchors"]
    offset: Float[Array, "anchors nodes"]
    weight: Float[Array, "anchors nodes"]
    unseen: Float[Array, ""]
    end_share: Float[Array, "2"]
    rule: Rule = eqx.field(static=True)
    overlooked_at: Float[Array, "overlooked"] = eqx.field(default_factory=lambda: jnp.zeros(0))
    overlooked_area: Float[Array, "overlooked"] = eqx.field(default_factory=lambda: jnp.zeros(0))

    def decay(self, poles: Complex[Array, "poles"]) -> Float[Array, "poles"]:
        r"""How well poles of an integrand are resolved: the rule errs by about e^(−decay) of what one contributes.

        A trapezoidal rule of spacing h decays with 2πd/h, d the distance from the real axis. A Gauss–Kronrod rule of n
        nodes, exact for polynomials of degree 3n/2, decays with (3n/2) log ϱ in every panel, ϱ the sum of the semi-axes
        of the ellipse about the panel, in units of half of it, on which the pole lies; the worst panel counts.
        """
        size = len(self.rule.sums)
        nodes = (self.anchor[:, None] + self.offset).reshape(-1, size)
        if self.rule is TRAPEZOIDAL:
            after = jnp.clip(jnp.searchsorted(nodes[0], poles.real), 1, size - 1)
            return 2 * jnp.pi * jnp.abs(poles.imag) / (nodes[0, after] - nodes[0, after - 1])
        half = jnp.sum(self.weight.reshape(-1, size), axis=1) / 2
        there = half > 0
        place = (poles - nodes[:, size // 2, None]) / jnp.where(there, half, 1.0)[:, None]
        ellipse = jnp.log(jnp.abs(place + jnp.sqrt(place - 1) * jnp.sqrt(place + 1)))
        return 1.5 * size * jnp.min(jnp.where(there[:, None], ellipse, jnp.inf), axis=0)


def mesh(spectrum: Spectrum, reservoirs: Reservoirs, effort: Effort, *, filled: bool = False) -> Mesh:
    """The mesh for one set of reservoirs. Nodes are constants to gradients: they do not move with the parameters.

    ``Effort.FAST`` is one smooth (trapezoidal) rule, spectrally accurate where every scale is resolved and honest about
    it where not; ``Effort.STRICT`` grades panels of Gauss–Kronrod 15/31 down to every scale there is.

    Parameters
    ----------
    filled
        Whether occupations themselves are integrated, from the band bottom or from minus infinity, and not only their
        differences. The graded rule does that whatever the effort.
    """
    spectrum, reservoirs = jax.lax.stop_gradient((spectrum, reservoirs))
    if filled or effort is not Effort.FAST:
        return jax.lax.optimization_barrier(graded_mesh(spectrum, reservoirs, filled))
    return jax.lax.optimization_barrier(smooth_mesh(spectrum, reservoirs))


def _window(spectrum: Spectrum, reservoirs: Reservoirs, reach: float):
    """Ends of the integral and, for each, the anchor it is counted from."""
    ends = reservoirs.mu - reach * reservoirs.T, reservoirs.mu + reach * reservoirs.T
    low, high = jnp.min(ends[0]), jnp.max(ends[1])
    return jnp.maximum(low, spectrum.bottom), jnp.maximum(high, spectrum.bottom)


def smooth_mesh(spectrum: Spectrum, reservoirs: Reservoirs) -> Mesh:
    r"""Trapezoidal rule in u on the whole window, E = c + a sinh u: one panel, denser in the middle of the bias window.

    The trapezoidal rule with spacing h errs by :math:`2e^{-2\pi d/h}` of the integrand's size on a line at distance d
    from the real axis (d: nearest pole, in u), which is added to what the coarser rules see. Where that is of order one
    the nodes may miss a peak altogether, the one-way flux with it, and there is no bound. Nor is there one if the band
    opens so close to the end of the window that much of a Fermi function's tail is cut off. Where the band bottom cuts
    off a tail, the first Euler–Maclaurin term, spacing/6 × logarithmic slope × end term, counts one and a half times.
    """
    anchor = (jnp.min(reservoirs.mu) + jnp.max(reservoirs.mu)) / 2
    low, high = _window(spectrum, reservoirs, SMOOTH_REACH)
    low, high = low - anchor, high - anchor
    position = jnp.abs(jnp.concatenate([reservoirs.mu, spectrum.centres]) - anchor)
    height = jnp.concatenate([jnp.pi * reservoirs.T, spectrum.half_widths])
    distance = jnp.hypot(position, height)
    hardest = jnp.argmin(height / jnp.hypot(jnp.min(distance), position))
    scale = distance[hardest]
    ends = jnp.arcsinh(jnp.stack([low, high]) / scale)
    spacing = (ends[1] - ends[0]) / (SMOOTH_NODES - 1)
    growth = jnp.exp(ends[0] + spacing * jnp.arange(SMOOTH_NODES))
    above, below = jnp.hypot(position, scale + height), jnp.hypot(position, scale - height)
    nearest_pole = jnp.min(jnp.arcsin(jnp.minimum(2 * height / (above + below), 1.0)))

    unresolved = 30.0 * jnp.exp(-2 * jnp.pi * 0.9 * nearest_pole / spacing)
    unresolved = jnp.where(unresolved < 1, unresolved, jnp.inf)
    cut = 4 * jnp.exp(-(high - low) / jnp.max(reservoirs.T))
    unresolved = jnp.where(cut < 0.01, unresolved + cut, jnp.inf)
    rounding = EPSILON * (64 + jnp.maximum(jnp.abs(low), jnp.abs(high)) / jnp.min(height))
    end_spacing = scale * spacing * jnp.cosh(ends)
    steepest = 1 / jnp.min(reservoirs.T) + 2 / jnp.min(spectrum.half_widths, initial=jnp.inf)
    if spectrum.jumps.size:
        unresolved = jnp.inf
    if spectrum.band_edges.size:
        inside = (spectrum.band_edges - anchor > low) & (spectrum.band_edges - anchor < high)
        at_bottom = jnp.any(low + anchor <= spectrum.bottom)
        unresolved = jnp.where(jnp.any(inside) | at_bottom, jnp.inf, unresolved)
    return Mesh(
        anchor=anchor[None],
        offset=(scale / 2 * (growth - 1 / growth))[None],
        weight=(scale / 2 * spacing * (growth + 1 / growth) * SMOOTH_ENDS)[None],
        unseen=unresolved + rounding,
        end_share=jnp.minimum(end_spacing * steepest / 4, 1.0),
        rule=TRAPEZOIDAL,
    )


def graded_mesh(spectrum: Spectrum, reservoirs: Reservoirs, filled: bool = False) -> Mesh:
    """Gauss–Kronrod 15/31 on panels between all edges of all features and all reservoirs, clipped to the window.

    Neighbouring edges may come from different anchors; their panel is counted from the anchor with the finer scale.
    Where states are ``filled`` all the way down and the band has no bottom, one more panel goes to minus infinity.
    """
    low, high = _window(spectrum, reservoirs, FERMI_EDGES[-1])
    if filled:
        low = jnp.where(jnp.isfinite(spectrum.bottom), jnp.minimum(spectrum.bottom, low), low)
    opening = jnp.maximum(jnp.max(spectrum.jumps, initial=-jnp.inf), spectrum.bottom)
    high = jnp.maximum(high, opening + OPENING_REACH * jnp.max(reservoirs.T))
    fermi = np.array(FERMI_EDGES)
    widths = spectrum.half_widths[:, None]
    beyond = jnp.maximum((high - low) / (widths * FEATURE_EDGES[-1]), 1.0)
    side = widths * np.array(FEATURE_EDGES) * beyond ** np.clip(np.linspace(-0.2, 1, len(FEATURE_EDGES)), 0, 1)
    feature = jnp.concatenate([-side, 0 * widths, side], axis=1)
    sudden = jnp.concatenate([spectrum.jumps, spectrum.band_edges])
    aside = jnp.outer(_nearest_singularity(spectrum, reservoirs), np.concatenate([-EDGE_SHARES, EDGE_SHARES])).ravel()
    about = _spread(spectrum.band_edges, 2 * len(EDGE_SHARES))
    anchors = jnp.concatenate(
        [_spread(reservoirs.mu, len(fermi)), _spread(spectrum.centres, feature.shape[1]), sudden, about]
    )
    offsets = jnp.concatenate([jnp.outer(reservoirs.T, fermi).ravel(), feature.ravel(), 0 * sudden, aside])
    scales = jnp.concatenate(
        [_spread(reservoirs.T, len(fermi)), _spread(spectrum.half_widths, feature.shape[1]), 0 * sudden, jnp.abs(aside)]
    )
    position = anchors + offsets
    outside = (position < low) | (position > high)
    anchors = jnp.append(jnp.where(outside, jnp.clip(position, low, high), anchors), high)
    offsets = jnp.append(jnp.where(outside, 0.0, offsets), 0.0)
    scales = jnp.append(jnp.where(outside, jnp.inf, scales), jnp.inf)

    order = jnp.argsort(anchors + offsets)
    anchors, offsets, scales = anchors[order], offsets[order], scales[order]
    left, right = slice(None, -1), slice(1, None)
    anchor = jnp.where(scales[left] <= scales[right], anchors[left], anchors[right])
    start = (anchors[left] - anchor) + offsets[left]
    stop = (anchors[right] - anchor) + offsets[right]
    half = (stop - start) / 2
    offset = (stop + start)[:, None] / 2 + half[:, None] * KRONROD_NODES
    weight = half[:, None] * KRONROD_WEIGHTS
    if spectrum.band_edges.size:
        edge = jnp.any((anchors + offsets)[:, None] == spectrum.band_edges, axis=1)
        offset, weight = _without_roots(start, stop, edge[left], edge[right], offset, weight)
    if filled:
        depth = (high - low)[None, None]
        part = (1 + KRONROD_NODES) / 2
        below = jnp.isneginf(spectrum.bottom)
        anchor = jnp.append(low, anchor)
        offset = jnp.concatenate([depth * (1 - 1 / part), offset])
        weight = jnp.concatenate([jnp.where(below, depth / (2 * part**2), 0.0) * KRONROD_WEIGHTS, weight])
    return Mesh(
        anchor=anchor,
        offset=offset,
        weight=weight,
        unseen=jnp.asarray(64 * EPSILON),
        end_share=jnp.zeros(2),
        rule=GAUSS_KRONROD,
    )


def _without_roots(start, stop, from_edge, to_edge, offset, weight):
    r"""Nodes and weights of panels that begin or end at a band edge: E = start + width · t², stop − width (1 − t)², or
    start + width · sin²(πt/2) where both ends are edges, 0 < t < 1."""
    width, t = (stop - start)[:, None], (1 + KRONROD_NODES) / 2
    from_edge, to_edge = from_edge[:, None], to_edge[:, None]
    both = from_edge & to_edge
    up, down = start[:, None], stop[:, None]
    from_start = up + width * jnp.where(both, np.sin(np.pi * t / 2) ** 2, t**2)
    from_stop = down - width * jnp.where(both, np.cos(np.pi * t / 2) ** 2, (1 - t) ** 2)
    nearer = jnp.where(both, jnp.abs(up) <= jnp.abs(down), from_edge)
    moved = jnp.where(nearer, from_start, from_stop)
    steep = jnp.where(both, np.pi / 4 * np.sin(np.pi * t), jnp.where(from_edge, t, 1 - t))
    changed = from_edge | to_edge
    return jnp.where(changed, moved, offset), jnp.where(changed, width * steep * KRONROD_WEIGHTS, weight)


def _nearest_singularity(spectrum: Spectrum, reservoirs: Reservoirs) -> Float[Array, "band_edges"]:
    """How far each band edge is from the nearest pole of a feature or of a Fermi function."""
    position = jnp.concatenate([reservoirs.mu, spectrum.centres])
    height = jnp.concatenate([jnp.pi * reservoirs.T, spectrum.half_widths])
    return jnp.min(jnp.hypot(spectrum.band_edges[:, None] - position, height), axis=1)


def _spread(values, times):
    return jnp.repeat(values, times)


SMOOTH_ENDS = np.ones(SMOOTH_NODES)
SMOOTH_ENDS[[0, -1]] = 0.5
TRAPEZOIDAL = Rule.nested(*(np.where(np.arange(SMOOTH_NODES) % step == 0, step, 0.0) for step in (1, 2, 4)))
GAUSS_KRONROD = Rule.nested(KRONROD_WEIGHTS, GAUSS_WEIGHTS)
