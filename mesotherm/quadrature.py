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
from jaxtyping import Array, Float

from mesotherm.conventions import EPSILON
from mesotherm.device import Effort, Reservoirs
from mesotherm.gauss_kronrod import GAUSS_WEIGHTS, KRONROD_NODES, KRONROD_WEIGHTS

FERMI_EDGES = (-60.0, -11.0, -3.0, 3.0, 11.0, 60.0)
"""Panel edges about each μ in units of T: Fermi functions have poles at μ ± iπT, and 1e-26 is left beyond 60 T."""

FEATURE_EDGES = (3.6, 28.5, 200.0, 1650.0, 1.66e4, 1.66e5, 1.67e6)
"""Panel edges about each feature of the spectrum, on both sides of one at its centre, in units of its half width. As few
as keep the difference of the two rules below 2e-10 of a Lorentzian's integral (1e-8 of its heat in the far tail)."""

UNIFORM_NODES = 257
"""Nodes of the uniform rule; 4k + 1, so that every second and every fourth node is a rule of its own."""

UNIFORM_REACH = 36.0
"""The uniform rule ends this many T beyond the outermost μ: 2e-16 of an occupation is left out there."""


class Spectrum(eqx.Module):
    """Where a transmission is sharp: a description, not a table.

    Attributes
    ----------
    bottom
        Lowest energy of the integrals (band bottom) [energy]; ``-inf`` for a wide band.
    centres, half_widths
        Real part of each feature and its distance from the real axis [energy]: a Lorentzian resonance's level and half
        width. Half width 0 marks a jump, which then falls exactly on a panel edge; infinite: no feature.
    """

    bottom: Float[Array, ""]
    centres: Float[Array, "features"]
    half_widths: Float[Array, "features"]


class Rule(eqx.Module):
    """Nested rules on [-1, 1].

    ``moments`` turns integrand values at the nodes into six sums with one matrix product: the integral of 1 and of x by
    the finest rule, their difference from the next coarser rule, and that rule's difference from the coarsest one (zero
    if there is none).
    """

    nodes: tuple[float, ...] = eqx.field(static=True)
    moments: tuple[tuple[float, ...], ...] = eqx.field(static=True)

    @classmethod
    def nested(cls, nodes, fine, coarse, coarsest=None) -> "Rule":
        """From the weights of each rule on the same nodes, zero where a rule has no node."""
        steps = fine, fine - coarse, coarse - (coarse if coarsest is None else coarsest)
        moments = np.stack([weights * power for weights in steps for power in (np.ones_like(nodes), nodes)], axis=1)
        return cls(tuple(map(float, nodes)), tuple(tuple(map(float, row)) for row in moments))


def rule_error(last: Float[Array, "..."], previous: Float[Array, "..."]) -> Float[Array, "..."]:
    """Error bound of nested rules from the last two steps of refinement.

    Without a third rule (``previous`` zero) it is the last step. With one, convergence faster than geometric is taken
    at face value: the next step would be smaller than the last by at least the ratio of the two.
    """
    last, previous = jnp.abs(last), jnp.abs(previous)
    return jnp.where(previous > last, last * (last / jnp.where(previous > last, previous, 1.0)), last)


class Mesh(eqx.Module):
    """Panels, each an image of one reference rule: the nodes of a panel are ``anchor + (middle + half * rule.nodes)``.

    Attributes
    ----------
    anchor
        Energy from which a panel is counted [energy].
    middle, half
        Middle of each panel, counted from its anchor, and half its width [energy].
    unseen
        Error relative to the one-way flux that the two rules may share: rounding, and poles the nodes do not resolve.
    """

    anchor: Float[Array, "panels"]
    middle: Float[Array, "panels"]
    half: Float[Array, "panels"]
    unseen: Float[Array, ""]
    rule: Rule = eqx.field(static=True)


def mesh(spectrum: Spectrum, reservoirs: Reservoirs, effort: Effort) -> Mesh:
    """The mesh for one set of reservoirs. Nodes are constants to gradients: they do not move with the parameters.

    ``Effort.FAST`` is a uniform (trapezoidal) rule, spectrally accurate where every scale is resolved and honest about
    it where not; ``Effort.STRICT`` grades panels of Gauss–Kronrod 15/31 down to every scale there is.
    """
    spectrum, reservoirs = jax.lax.stop_gradient((spectrum, reservoirs))
    return uniform_mesh(spectrum, reservoirs) if effort is Effort.FAST else graded_mesh(spectrum, reservoirs)


def _window(spectrum: Spectrum, reservoirs: Reservoirs, reach: float):
    """Ends of the integral and, for each, the anchor it is counted from."""
    ends = reservoirs.mu - reach * reservoirs.T, reservoirs.mu + reach * reservoirs.T
    low, high = jnp.min(ends[0]), jnp.max(ends[1])
    return jnp.maximum(low, spectrum.bottom), jnp.maximum(high, spectrum.bottom)


def uniform_mesh(spectrum: Spectrum, reservoirs: Reservoirs) -> Mesh:
    r"""Trapezoidal rule on the whole window, one panel.

    The trapezoidal rule with spacing h errs by :math:`2e^{-2\pi d/h}` of the integrand's size on a line at distance d
    from the real axis (d: nearest pole), which is added to what the coarse rule of spacing 2h sees. Where that is of
    order one the nodes may miss a peak altogether, the one-way flux with it, and there is no bound.
    """
    anchor = reservoirs.mu[0]
    low, high = _window(spectrum, reservoirs, UNIFORM_REACH)
    low, high = low - anchor, high - anchor
    spacing = (high - low) / (UNIFORM_NODES - 1)
    nearest_pole = jnp.minimum(jnp.min(spectrum.half_widths, initial=jnp.inf), jnp.pi * jnp.min(reservoirs.T))
    unresolved = 30.0 * jnp.exp(-2 * jnp.pi * 0.9 * nearest_pole / spacing)
    unresolved = jnp.where(unresolved < 1, unresolved, jnp.inf)
    rounding = EPSILON * (64 + jnp.maximum(jnp.abs(low), jnp.abs(high)) / nearest_pole)
    return Mesh(
        anchor=anchor[None],
        middle=(low + high)[None] / 2,
        half=(high - low)[None] / 2,
        unseen=unresolved + rounding,
        rule=TRAPEZOIDAL,
    )


def graded_mesh(spectrum: Spectrum, reservoirs: Reservoirs) -> Mesh:
    """Gauss–Kronrod 15/31 on panels between all edges of all features and all reservoirs, clipped to the window.

    Neighbouring edges may come from different anchors; their panel is counted from the anchor with the finer scale.
    """
    fermi = np.array(FERMI_EDGES)
    feature = np.concatenate([-np.array(FEATURE_EDGES)[::-1], [0.0], np.array(FEATURE_EDGES)])
    half_widths = jnp.where(jnp.isfinite(spectrum.half_widths), spectrum.half_widths, 0.0)
    anchors = jnp.concatenate([_spread(reservoirs.mu, fermi), _spread(spectrum.centres, feature)])
    offsets = jnp.concatenate([jnp.outer(reservoirs.T, fermi).ravel(), jnp.outer(half_widths, feature).ravel()])
    scales = jnp.concatenate([_spread(reservoirs.T, fermi), _spread(half_widths, feature)])
    low, high = _window(spectrum, reservoirs, FERMI_EDGES[-1])
    position = anchors + offsets
    outside = (position < low) | (position > high)
    anchors = jnp.where(outside, jnp.clip(position, low, high), anchors)
    offsets = jnp.where(outside, 0.0, offsets)
    scales = jnp.where(outside, jnp.inf, scales)

    order = jnp.argsort(anchors + offsets)
    anchors, offsets, scales = anchors[order], offsets[order], scales[order]
    left, right = slice(None, -1), slice(1, None)
    anchor = jnp.where(scales[left] <= scales[right], anchors[left], anchors[right])
    start = (anchors[left] - anchor) + offsets[left]
    stop = (anchors[right] - anchor) + offsets[right]
    return Mesh(
        anchor=anchor,
        middle=(stop + start) / 2,
        half=(stop - start) / 2,
        unseen=jnp.asarray(64 * EPSILON),
        rule=GAUSS_KRONROD,
    )


def _spread(values, edges):
    return jnp.repeat(values, len(edges))


def _trapezoidal(nodes: int) -> Rule:
    """Trapezoidal rules on [-1, 1] with every node, every second and every fourth."""
    ends = np.ones(nodes)
    ends[[0, -1]] = 0.5
    every = [np.where(np.arange(nodes) % step == 0, step * ends * 2 / (nodes - 1), 0.0) for step in (1, 2, 4)]
    return Rule.nested(np.linspace(-1, 1, nodes), *every)


TRAPEZOIDAL = _trapezoidal(UNIFORM_NODES)
GAUSS_KRONROD = Rule.nested(KRONROD_NODES, KRONROD_WEIGHTS, GAUSS_WEIGHTS)
