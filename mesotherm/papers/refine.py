"""Where a computed curve crosses zero or is largest: by repeating it on ever finer grids of the same size, so that
nothing is compiled anew."""

from collections.abc import Callable

import numpy as np

Curve = Callable[[np.ndarray], np.ndarray]
"""Values of a quantity at given positions, computed in one batch."""


def zero_between(curve: Curve, low: float, high: float, *, points: int = 101, accuracy: float = 1e-12) -> float:
    """The place between ``low`` and ``high`` where the curve changes sign.

    Parameters
    ----------
    accuracy
        Width of the last bracket, relative to max(1, abs(position)).

    Errors: ``ValueError`` unless it changes sign exactly once on the first grid.
    """
    positions = np.linspace(low, high, points)
    values = curve(positions)
    crossings = np.flatnonzero(np.diff(np.sign(values)) != 0)
    if len(crossings) != 1 or not np.all(np.isfinite(values)):
        raise ValueError(f"the curve changes sign {len(crossings)} times between {low:g} and {high:g}; give a bracket.")
    while True:
        left = int(np.flatnonzero(np.diff(np.sign(values)) != 0)[0])
        (a, b), (fa, fb) = positions[left : left + 2], values[left : left + 2]
        if b - a <= accuracy * max(1.0, abs(a)):
            return float(a - fa * (b - a) / (fb - fa))
        positions = np.linspace(a, b, points)
        values = curve(positions)


def largest_between(curve: Curve, low: float, high: float, *, points: int = 101, accuracy: float = 1e-8) -> float:
    """The place between ``low`` and ``high`` where the curve is largest; a curve is flat there, so ``accuracy`` below
    1e-8 means nothing."""
    while True:
        positions = np.linspace(low, high, points)
        values = curve(positions)
        best = int(np.nanargmax(values))
        low, high = positions[max(best - 1, 0)], positions[min(best + 1, points - 1)]
        if high - low <= accuracy * max(1.0, abs(low)):
            return float(positions[best])
