r"""Poles of the scattering matrix of a network, found without guesses.

They are the zeros of

.. math:: F(E) = \det(1 - P S_{ii}) \prod_p (E - E_p)

with the poles E_p of the elements: an element's own pole disappears from the network or is a zero of F, too. F has no
zeros above the real axis (nothing leaves before it has entered), and along a line at the height η the phase of
:math:`F e^{-\mathrm i\phi}`, with φ half the phase of the elements' determinants, turns by −π at every zero, over a
width η + b for a zero b below the axis: however narrow a resonance is, it is counted in full. Where the
count passes a half Aberth's iteration begins. What it finds must explain the count: a zero near the axis that is
missing, or one too many, leaves a Lorentzian of height 1/η in

.. math:: -\operatorname{Im}\Big[\frac{F'}{F} - \sum_j \frac{1}{s - s_j}\Big]

and the poles are not certain then.

Source: the argument principle; Aberth, Math. Comp. 27, 339 (1973).
"""

from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Complex, Float

from mesotherm.engines.composition import Rows, Wiring, secular_determinant, waves
from mesotherm.poles import logarithmic_slope, roots
from mesotherm.resonant_mesh import Pieces

SAMPLES = 256
"""Points of the line above the real axis; their spacing is its height."""

RESONANCES = 24
"""Zeros that are followed at most."""

ITERATIONS = 12
"""At most, in each search for zeros."""

ROUNDS = 4
"""Searches at most: after the first, for what the zeros found do not explain."""

UNEXPLAINED = 0.4
"""The part of a Lorentzian's height that may be left unexplained; the nearest sample sees 0.8 of a lost real zero."""

NARROWEST = 4e-15
"""A zero this part of the range from the real axis has a width that is lost in rounding."""

ASIDE = 1e-11
"""How far above such a zero, as a part of the range, is asked whether waves from outside reach it."""

STRONG = 10.0
"""They do if they grow to this there."""

THRESHOLD = 1e-6
"""The least distance of a pole from a branch point that is told apart from none, as a part of the range."""

TRIVIAL = 1e-8
"""A zero this near to a branch point is a power of the wavenumber in F, no pole."""

FAR = 1e3
"""Where a pole is put, in units of the range, for it not to matter."""


def network_poles(
    wiring: Wiring,
    amplitudes_at: Callable[[Complex[Array, ""]], Sequence[Rows]],
    element_poles: Complex[Array, "element_poles"],
    branch_points: Float[Array, "branch_points"],
    highest: Float[Array, ""],
    *,
    resonances: int = RESONANCES,
) -> tuple[Complex[Array, "poles"], Bool[Array, "poles"]]:
    r"""Poles as wavenumbers s, E = s², and whether they are certain to be all that are sharp between 0 and ``highest``.

    All energies are counted from the band bottom. First come up to ``resonances`` zeros of F, then for every branch
    point, the bottom first, a pole as far from it as what is left of F'/F says the next zero is that lies behind it
    (on another sheet). Places not needed hold a pole far away.

    Parameters
    ----------
    amplitudes_at
        S-matrices of the elements at one complex energy, in the order of ``wiring.elements``.
    element_poles
        Simple poles of these (:meth:`AbstractElement.poles`) [energy].
    branch_points
        Where a wavenumber opens; those equal or out of range do no harm [energy].
    highest
        Nothing above it matters [energy].

    A state bound in the continuum, which no terminal reaches, is left out.

    Not certain: where more zeros matter than are followed, where the iteration lost one, where a resonance is narrower
    than rounding errors, and where elements have other singularities nearer to the real axis than the line is high.
    """
    reach = jnp.where(highest > 0, highest, 1.0)
    pieces = Pieces.between(branch_points, reach)
    size = jnp.sqrt(reach)

    def determinant(energy):
        """det(1 − P S_ii), and the determinants of all elements, with neither poles nor their mirror images."""
        smatrices = amplitudes_at(energy)
        own = jnp.prod((energy - element_poles) / (energy - element_poles.conj()))
        for smatrix in smatrices:
            own = own * _determinant(smatrix)
        return secular_determinant(wiring, smatrices), own

    def turning(energy):
        """d log F/dE, and the determinants of the elements."""
        value, slope, own = jax.jvp(determinant, (energy,), (jnp.ones_like(energy),), has_aux=True)
        return slope / value + jnp.sum(1 / (energy - element_poles)), own

    upto = jnp.cumsum(pieces.span)
    spacing = upto[-1] / SAMPLES

    def located(y):
        """The piece of a point of the line, and the place there."""
        piece = jnp.minimum(jnp.searchsorted(upto, y, side="right"), upto.size - 1)
        return piece, y - (upto - pieces.span)[piece]

    piece, x = located((jnp.arange(SAMPLES) + 0.5) * spacing)
    height = jnp.minimum(spacing, pieces.span[piece] / 2)
    line = x + 1j * height
    energy, slope = pieces.energy(piece, line), pieces.slope(piece, line)
    thresholds, real = pieces.start, pieces.span > 0
    aside = THRESHOLD * size * jnp.exp(0.25j * jnp.pi)
    over = thresholds + aside * aside
    turned, own = jax.vmap(turning)(jnp.concatenate([over, energy]))
    over_turned, turned, own = turned[: over.size], turned[over.size :], own[over.size :]
    half = jnp.angle(own[1:] * own[:-1].conj()) / (2 * spacing)
    half = (jnp.append(half[0], half) + jnp.append(half, half[-1])) / 2

    def unexplained(zeros):
        """What the zeros leave of −Im d log F/dx on the line, and the nearest zero behind every branch point."""
        s = jnp.sqrt(zeros)
        wave = jnp.sqrt(jnp.concatenate([over, energy]))[:, None]
        explained = jnp.sum(1 / (2 * wave * (wave - s)), axis=1)
        rest = 2 * aside * (over_turned - explained[: over.size])
        times = jnp.maximum(jnp.round((aside * rest).real), 1.0)
        behind = aside - times / rest
        right, up = behind.real, behind.imag
        seen = ((up < 0) & (right > -up)) | ((right < 0) & (up > -right) & (thresholds > 0))
        seen = seen & (jnp.abs(behind) > THRESHOLD * size)
        wave = jnp.sqrt(energy[:, None] - thresholds)
        trivial = jnp.sum(jnp.where(real & ~seen, times / (2 * wave * (wave - behind)), 0.0), axis=1)
        return jnp.imag(slope * (explained[over.size :] + trivial - turned)), jnp.abs(behind)

    def function(energy):
        value, _ = determinant(energy)
        return value * jnp.prod(energy - element_poles)

    far = -1j * FAR**2 * reach
    edge = spacing * jnp.arange(SAMPLES + 1)

    def search(state):
        zeros, left, _, rounds = state
        missing = zeros == far
        density = jnp.maximum((left + half) / jnp.pi, 0.0)
        count = jnp.cumsum(density) * spacing
        flat = (density + 1 / upto[-1]) ** -2
        plateau = jnp.angle(jnp.sum(flat * jnp.exp(2j * jnp.pi * count))) / (2 * jnp.pi)
        number = jnp.cumsum(missing) - 0.5 + plateau
        wanted = missing & (number < count[-1] + 0.25)
        guess = jnp.interp(number, jnp.append(0.0, count), edge)
        nearest = jnp.clip((guess / spacing).astype(int), 0, SAMPLES - 1)
        depth = 1 / (jnp.pi * jnp.maximum(density[nearest], 1e-3 / upto[-1])) - height[nearest]
        guess_piece, guess_x = located(guess)
        depth = jnp.clip(depth, 0.05 * spacing, pieces.span[guess_piece])
        guesses = pieces.energy(guess_piece, guess_x - 1j * depth)
        at = jnp.where(wanted, guesses, zeros)
        moved, found = roots(logarithmic_slope(function), at, ITERATIONS, wanted=wanted, least=NARROWEST * reach)
        found = found & jnp.isfinite(moved) & (moved.imag < NARROWEST * reach)
        zeros = jnp.where(wanted, jnp.where(found, moved, far), zeros)
        left, behind = unexplained(zeros)
        return zeros, left, behind, rounds + 1

    def certain(left):
        return jnp.all(jnp.abs(left + half / 2) * height < UNEXPLAINED)

    none = jnp.full(resonances, far)
    start = none, *unexplained(none), 0
    zeros, left, behind, _ = jax.lax.while_loop(
        lambda state: (state[-1] == 0) | ~certain(state[1]) & (state[-1] < ROUNDS), search, start
    )
    width = jnp.clip(behind, THRESHOLD * size, FAR * size)
    bare = ~real | (behind < TRIVIAL * size)
    behind = jnp.where(bare, far, thresholds - 1j * width**2)
    real = zeros.imag > -NARROWEST * reach

    def entering(energy):
        """The largest amplitude inside the network of a wave from outside."""
        incident = waves(wiring, amplitudes_at(energy)).incident
        return jnp.max(jnp.abs(jnp.stack([jnp.asarray(amplitude, complex) for row in incident for amplitude in row])))

    reached = real & (jax.vmap(entering)(zeros.real + 1j * ASIDE * reach) > STRONG)
    poles = jnp.sqrt(jnp.concatenate([jnp.where(real, far, zeros), behind]))
    return poles, jnp.broadcast_to((certain(left) & ~jnp.any(reached)) | (highest <= 0), poles.shape)


def _determinant(rows):
    """Of a small matrix, entries known to be zero left out."""
    if not rows:
        return 1
    terms = [
        (-1) ** n * entry * _determinant([[*row[:n], *row[n + 1 :]] for row in rows[1:]])
        for n, entry in enumerate(rows[0])
        if not (isinstance(entry, int | float | complex) and entry == 0)
    ]
    return sum(terms)
