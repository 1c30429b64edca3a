r"""Poles of a scattering matrix of which nothing else is known, found without guesses.

A unitary S has with every pole :math:`\bar z` its mirror image z as a zero of det S, and both in

.. math:: L(s) = \frac{\mathrm d}{\mathrm ds}\log\det S
          = \operatorname{tr} S(\bar s)^\dagger\, \frac{\mathrm dS}{\mathrm ds},
          \qquad S(\bar s)^\dagger = S(s)^{-1}

as a function of the wavenumber s. The real axis is covered with circles of several sizes; the moments about a centre c

.. math:: m_p = \oint \frac{\mathrm ds}{2\pi\mathrm i} (s - c)^p L(s)
          = \sum_{z\text{ inside}} (z - c)^p - (\bar z - c)^p

are :math:`m_p \approx 2\mathrm ip\sum(a - c)^{p-1}b` for narrow zeros :math:`z = a + \mathrm ib`, a distribution of
widths along the axis: a resonance is seen from far outside its width, and two are told apart. Circles close in on it
until it fills them, Aberth's iteration does the rest; what is found is taken away from L, and the search goes on with
what is left. The poles are certain when nothing is left in any circle. What is left of L at the bottom says how far
behind it the next pole is.

Source: moments of the argument principle: Delves & Lyness, Math. Comp. 21, 543 (1967).
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Complex, Float

from mesotherm.poles import roots

CELLS = 128
"""Circles of the smallest size; their radius is their distance, so that every real number is well within one."""

SIZES = 4
"""Sizes of circles, each twice the one before: resonances as broad as half of the largest are found."""

TOWARDS_BOTTOM = 8
"""Circles in the first cell, each half as far from the bottom as the one before and half its size."""

POINTS = 16
"""Of every circle: what is outside twice its radius changes the moments by 1e-5 of its own."""

RESONANCES = 24
"""Poles that are followed at most."""

INSIDE = 0.65
"""A resonance belongs to a circle if it is within this part of the radius, along the axis and away from it."""

NARROWEST = 1e-10
"""A resonance of a smaller half width, in units of the radius, is lost in rounding errors."""

CLEAR, LOOSER = 0.2, 3.0
"""Part of the width that may depend on the number of points, as it does where another resonance is near the circle, and
how much more is allowed in every further search."""

TOLD_APART = 0.02
"""Two resonances in a circle are told apart if their distance exceeds about twice this part of the radius. (A single
one has a slightly negative spread.)"""

APART = 0.05
"""Guesses nearer than this, in units of the smallest radius, or than half their widths are one."""

CLOSER, ROOM, FASTEST = 5, 4.0, 0.01
"""How often circles close in: to so many half widths, but not to less than this part of their radius at once."""

ITERATIONS, ROUNDS = 12, 6
"""At most, of Aberth's iteration in each search, and of searches."""

UNEXPLAINED, MISPLACED, ESTIMATED = 1e-8, 1e-5, 10.0
"""Width that may be left over in a circle: in units of its radius, of what it saw of those found, and of what it saw of
the one behind the bottom, which stands for all that are there."""

FAR = 1e3
"""Where a pole is put, in units of the range, for it not to matter."""

BOTTOM = 1e-6
"""Where the bottom is looked at, and the least distance of a pole behind it, in units of the range."""


def smatrix_poles(
    smatrix: Callable[[Complex[Array, ""]], Complex[Array, "channels channels"]], reach: Float[Array, ""]
) -> tuple[Complex[Array, "poles"], Bool[Array, "poles"]]:
    """Poles as wavenumbers, and whether they are certain to be all that are sharp between 0 and ``reach``.

    First up to 24 resonances, then the nearest pole behind the bottom. Places not needed hold a pole far away.

    Parameters
    ----------
    smatrix
        S at one complex wavenumber with a positive real part: meromorphic, unitary where that is real.
    reach
        Nothing beyond it matters [energy^(1/2)].

    Not certain: where more resonances matter than are followed, where three are closer than 1/128 of the range, and
    where S is not what it has to be. May be missed unnoticed: a resonance narrower than 1e-10 of the range (those down
    to 1e-12 are searched for), or 1e-5 as wide as another within 1/128 of the range.
    """
    size = jnp.where(reach > 0, reach, 1.0)
    centre, radius, smallest = _circles()
    centre, radius = size * centre, size * radius
    turn = np.exp(2j * np.pi * (np.arange(POINTS) + 0.5) / POINTS)
    to_moments = turn ** np.arange(1, 6)[:, None] / POINTS
    to_width_again = np.where(np.arange(POINTS) % 2, 0.0, 2 * to_moments[1])
    to_moments = np.concatenate([to_moments, to_width_again[None]])
    far = 1j * FAR * size

    def with_slope(s):
        return jax.jvp(smatrix, (s,), (jnp.ones_like(s),))

    def turning(s):
        """L at one place."""
        _, slope = with_slope(s)
        return jnp.sum(smatrix(s.conj()).conj() * slope)

    def around(centre, radius):
        """The points of a circle and L there, half of the points being mirror images of the others."""
        s = centre + radius * turn
        values, slopes = jax.vmap(with_slope)(s)
        return s, jnp.sum(values[::-1].conj() * slopes, axis=(-2, -1))

    def moments(s, L, radius, zeros):
        """Of what zeros leave of L, in units of the radius: m_0 to m_4, and m_1 from every second point."""
        return radius * (to_moments @ (L - _pairs(s[:, None], zeros)))

    s, L = jax.vmap(around)(centre, radius)

    def guessed(zeros, clear):
        """Distinct guesses of zeros that are missing, seen in the smallest circles first, and NaN after them."""
        seen = jax.vmap(lambda s, L, radius: _one_or_two(moments(s, L, radius, zeros), clear))(s, L, radius)
        guess = _once((centre[:, None] + radius[:, None] * seen).ravel(), APART * radius[smallest][-1])
        first = jnp.argsort(~jnp.isfinite(guess), stable=True)[:RESONANCES]
        return guess[first], radius[first // 2]

    def closed_in(guess, radius, zeros, clear):
        """A guess from circles that it fills."""

        def closer(_, state):
            guess, radius = state
            centre, radius = guess.real, jnp.clip(ROOM * guess.imag, FASTEST * radius, radius)
            return centre + radius * _one_or_two(moments(*around(centre, radius), radius, zeros), clear)[0], radius

        return jax.lax.fori_loop(0, CLOSER, closer, (guess, radius))[0]

    def behind(zeros):
        """The zero on the other side of the bottom that explains what is left of L and its slope there."""
        at = BOTTOM * size
        L, slope = jax.jvp(lambda x: turning(x + 0j), (at,), (jnp.ones_like(at),))
        pairs, change = jax.jvp(lambda x: _pairs(x + 0j, zeros), (at,), (jnp.ones_like(at),))
        left, steepness = (L - pairs).imag, ((slope - change) / (L - pairs)).real
        away = 2 / (1j * left - steepness)
        zero = at - jnp.maximum(jnp.abs(away.real), at) + 1j * jnp.clip(jnp.abs(away.imag), NARROWEST * at, far.imag)
        return jnp.where(jnp.isfinite(zero), zero, far)

    def certain(zeros):
        zeros = jnp.append(zeros, behind(zeros))
        left = jax.vmap(lambda s, L, radius: moments(s, L, radius, zeros))(s, L, radius)[:, 1]
        distance = jnp.abs(zeros - centre[:, None]) / radius[:, None]
        seen = jnp.abs(zeros.imag) / radius[:, None] * jnp.minimum(distance**-POINTS, 1.0)
        allowed = UNEXPLAINED + MISPLACED * jnp.sum(seen[:, :-1], axis=1) + ESTIMATED * seen[:, -1]
        return jnp.all(jnp.where(smallest, jnp.abs(left) / 2 <= allowed, True))

    def search(state):
        zeros, _, rounds = state
        missing = zeros == far
        clear = CLEAR * LOOSER**rounds
        seen, radii = guessed(zeros, clear)
        closed = jax.vmap(lambda guess, radius: closed_in(guess, radius, zeros, clear))(seen, radii)
        guess = _once(jnp.where(jnp.isfinite(closed) | (rounds == 0), closed, seen), 0.0)
        guess = jnp.where(missing, guess[jnp.cumsum(missing) - 1], jnp.nan)
        wanted = jnp.isfinite(guess)
        moved, found = roots(turning, jnp.where(wanted, guess, zeros), ITERATIONS, wanted=wanted)
        found = found & (moved.imag > 0) & (moved.real > 0) & (jnp.abs(moved) < 2 * size)
        zeros = jnp.where(wanted, jnp.where(found, moved, far), zeros)
        return zeros, certain(zeros), rounds + 1

    start = jnp.full(RESONANCES, far), jnp.array(False), 0
    zeros, sure, _ = jax.lax.while_loop(
        lambda state: (state[-1] == 0) | ~state[1] & (state[-1] < ROUNDS), search, start
    )
    poles = jnp.append(zeros, behind(zeros)).conj()
    return poles, jnp.broadcast_to(sure | (reach <= 0), poles.shape)


def _pairs(s, zeros):
    """What zeros and their mirror images contribute to L."""
    return jnp.sum(1 / (s - zeros) - 1 / (s - zeros.conj()), axis=-1)


def _one_or_two(moments, clear):
    """The zeros inside a circle, from its centre and in units of its radius, the sharper first; NaN where none is."""
    count, *widths, again = moments
    b, first, second, third = (width.imag / (2 * p) for p, width in enumerate(widths, start=1))
    mean, spread = first / b, second / b - (first / b) ** 2
    skew = (third / b - mean * second / b) / jnp.where(spread > 0, spread, 1.0)
    middle, half = skew / 2, jnp.sqrt(jnp.maximum((skew / 2) ** 2 - skew * mean + second / b, 0.0))
    left, right = middle - half, middle + half
    share = (right - mean) / jnp.where(half > 0, 2 * half, 1.0)
    pair = jnp.array([left, right]) + 1j * b * jnp.array([share, 1 - share])
    pair = jnp.where(share > 0.5, pair[::-1], pair)
    found = jnp.where(spread > TOLD_APART**2, pair, jnp.array([mean + 1j * b, jnp.nan]))
    one = (jnp.abs(found.real) < INSIDE) & (found.imag > NARROWEST) & (found.imag < INSIDE)
    apart = (jnp.abs(count) < 0.5) & (jnp.abs(again - widths[0]) < clear * jnp.abs(widths[0]))
    return jnp.where(one & apart, found, jnp.nan)


def _once(guess, apart):
    """The guesses, NaN where one before is as near as ``apart`` or half the width."""
    near = jnp.abs(guess[:, None] - guess) <= apart + jnp.maximum(guess.imag[:, None], guess.imag) / 2
    return jnp.where(jnp.any(near & np.tri(len(guess), k=-1, dtype=bool), axis=1), jnp.nan, guess)


def _circles() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Centres and radii in units of the range, and which are the smallest that cover it; all keep off the bottom."""
    first = 0.75 / CELLS * 0.5 ** np.arange(TOWARDS_BOTTOM)
    centres, radii = [first[::-1]], [first[::-1] / 2]
    for size in range(SIZES):
        distance = 2.0**size / CELLS
        along = distance * (np.arange(1, CELLS // 2**size) + 0.5)
        centres.append(along)
        radii.append(np.minimum(distance, along / 2))
    centre = np.concatenate(centres)
    return centre, np.concatenate(radii), np.arange(len(centre)) < TOWARDS_BOTTOM + CELLS - 1
