"""A barrier given as a table, and what the table leaves open.

Between its rows a table says nothing; the interpolation is a choice. How much depends on it is found by reading the
same table in other ways (:func:`other_readings`) and computing again: an estimate, never a bound.
"""

import dataclasses
from typing import TypeVar

import equinox as eqx
import interpax
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from mesotherm.devices.barriers import AbstractBarrier
from mesotherm.fields import Component, FieldError, as_array, is_traced, parameter

FEWEST_ROWS, MOST_ROWS = 4, 2000
"""Fewer rows cannot be read in another way; more make the energy integral, with a panel for each, take too long."""

COARSE_WEIGHT, SMOOTH_WEIGHT = 1.0, 4.0
"""Leaving out every second row changes a current by four to fifteen times its error where both are smooth, but the sign
of errors is random where rows are unevenly spaced, and they may cancel. The smooth reading is of higher order: its
difference from the monotone one is nearly the error itself, and vanishes only where that does."""

AnyComponent = TypeVar("AnyComponent", bound=Component)


class TabulatedBarrier(AbstractBarrier):
    """A transmission in a table of energies, from a calculation or a measurement.

    Between the rows it is a monotone piecewise cubic (PCHIP): smooth, exactly the table's in every row, and between the
    values of neighbouring rows, so that no transmission becomes negative and no peak is invented. Before the first and
    after the last row it stays what it is there.

    The rows are panel edges of the energy integral, so that error bounds hold for the interpolated function however
    sharp. What lies between the rows, or beyond them, no bound can know; ``estimate_table_X`` in a dataset estimates
    what it means for X (see :func:`other_readings`).

    Attributes
    ----------
    energies
        Energy of each row [energy], counted from ``origin``; strictly increasing. At least 4 rows, at most 2000.
    transmissions
        Transmission probability of each row [1], summed over the channels of the conductor: with n channels up to n.
    origin
        Where the zero of the table's energies is [energy]: it moves the whole table, as a gate voltage may.

    Source: F. N. Fritsch and J. Butland, SIAM J. Sci. Stat. Comput. 5, 300 (1984), for the slopes in the rows.

    Examples
    --------
    >>> barrier = TabulatedBarrier([-1.0, 0.0, 1.0, 2.0], [0.0, 0.5, 1.0, 1.0])
    >>> float(barrier.probability(0.0)), float(barrier.probability(7.0))
    (0.5, 1.0)
    """

    energies: Float[Array, "rows"] = parameter(
        "energies of the table, increasing, counted from its origin", column=True
    )
    transmissions: Float[Array, "rows"] = parameter(
        "transmission probability at each energy, summed over channels", unit="1", low=0.0, column=True
    )
    origin: Float[Array, ""] = parameter("zero of the table's energies", default=0.0, gauge=True)
    beyond: Float[Array, ""] = eqx.field(default=1.0, converter=as_array, kw_only=True)
    """How much of the end values there is beyond the ends: 1, or 0 in another reading."""
    smooth: Float[Array, ""] = eqx.field(default=0.0, converter=as_array, kw_only=True)
    """The slopes in the rows are those of the monotone (0) or of the twice differentiable cubic (1)."""

    def __check_init__(self):
        columns = {"energies": self.energies, "transmissions": self.transmissions}
        if not all(isinstance(column, jax.Array | np.ndarray) for column in columns.values()):
            return
        for name, column in columns.items():
            self._check_shape(name, column.shape)
        if self.energies.shape != self.transmissions.shape:
            raise FieldError(
                "transmissions",
                f"TabulatedBarrier: transmissions has {self.transmissions.size} rows and energies "
                f"{self.energies.size}; give one transmission for each energy.",
            )
        for name, column in columns.items():
            if not is_traced(column):
                self._check_rows(name, np.asarray(column))

    @staticmethod
    def _check_shape(name, shape):
        if len(shape) != 1:
            raise FieldError(
                name, f"TabulatedBarrier: {name} has the shape {shape}; give a row of numbers, one for each energy."
            )
        if not FEWEST_ROWS <= shape[0] <= MOST_ROWS:
            advice = "give more of them" if shape[0] < FEWEST_ROWS else "leave some out where transmission is smooth"
            raise FieldError(
                name,
                f"TabulatedBarrier: {name} has {shape[0]} rows; a table takes {FEWEST_ROWS} to {MOST_ROWS}: {advice}.",
            )

    @staticmethod
    def _check_rows(name, column):
        lowest = 0.0 if name == "transmissions" else -np.inf
        wrong = ~(np.isfinite(column) & (column >= lowest))
        if np.any(wrong):
            row = int(np.argmax(wrong))
            wanted = "zero or a positive number" if name == "transmissions" else "a finite number"
            raise FieldError(
                name, f"TabulatedBarrier: {name} is {column[row]} in row {row + 1}; give {wanted} in every row."
            )
        falling = np.diff(column) <= 0
        if name == "energies" and np.any(falling):
            row = int(np.argmax(falling)) + 1
            raise FieldError(
                name,
                f"TabulatedBarrier: energies is {column[row]} in row {row + 1}, after {column[row - 1]} in row {row}; "
                "sort the rows by energy, with every energy once.",
            )

    def probability(self, energy):
        x, f = self.energies, self.transmissions
        monotone, smooth = (interpax.approx_df(x, f, method) for method in ("monotonic", "cubic2"))
        slope = monotone + self.smooth * (smooth - monotone)
        # One row for each interval, fetched at once: its numbers one by one take half as long again.
        intervals = jnp.stack([x[:-1], jnp.diff(x), f[:-1], f[1:], slope[:-1], slope[1:]], axis=1)
        interval = jnp.searchsorted(x[1:-1], energy - self.origin, side="right", method="scan_unrolled")
        start, width, left, right, slope_left, slope_right = intervals[interval]
        # Counted from the interval's start: both energies may be far from the origin.
        u = jnp.clip((energy - (self.origin + start)) / width, 0.0, 1.0)
        v = 1.0 - u
        ends = left * v * v * (1 + 2 * u) + right * u * u * (1 + 2 * v)
        value = ends + width * u * v * (slope_left * v - slope_right * u)
        outside = (energy < self.origin + x[0]) | (energy > self.origin + x[-1])
        return jnp.where(outside, self.beyond * value, value)

    def features(self):
        return jnp.zeros(0), jnp.zeros(0)

    def jumps(self):
        """The rows: a piecewise polynomial is analytic only between them."""
        return self.origin + self.energies

    def coarsened(self) -> "TabulatedBarrier":
        """Every second row between the ends as if it were not known, and nothing known beyond the ends: transmission in
        those rows as interpolated between the others, and zero outside the table. Of the same shape."""
        rows = self.energies.shape[0]
        left_out = np.arange(1, rows - 1, 2)
        kept = np.setdiff1d(np.arange(rows), left_out)
        x, f = self.energies, self.transmissions
        guessed = interpax.interp1d(x[left_out], x[kept], f[kept], method="monotonic")
        transmissions = f.at[left_out].set(jnp.maximum(guessed, 0.0))  # rounding may leave less than nothing
        return dataclasses.replace(self, transmissions=transmissions, beyond=0.0)

    def smoothed(self) -> "TabulatedBarrier":
        """Interpolated by the twice differentiable piecewise cubic: closer where the table resolves everything, with
        overshoots where it does not. Of the same shape."""
        return dataclasses.replace(self, smooth=1.0)


def other_readings(component: AnyComponent) -> list[tuple[AnyComponent, float]]:
    """The same component with every table in it read in other ways, and what to multiply each difference by.

    The largest of (weight × change of a result) estimates the error of that result that comes of the tables: of what
    they do not say between their rows and beyond their ends. Empty where there is no table. All have the structure and
    the shapes of ``component``, so that functions compiled for it take them too.

    Validity: an estimate. In random tables of one or two resonances or a smooth step, at even and uneven distances, it
    covered the true error of particle and heat currents in 99 of 100 cases where the half width of what is sharp is at
    least two distances between rows, in nine of ten at one; below that the table does not show what it leaves out, and
    the estimate may be much too small.
    """
    tables = [node for node in jax.tree.leaves(component, is_leaf=_is_table) if _is_table(node)]
    if not tables:
        return []
    ways = ((TabulatedBarrier.coarsened, COARSE_WEIGHT), (TabulatedBarrier.smoothed, SMOOTH_WEIGHT))
    return [
        (jax.tree.map(lambda node, read=read: read(node) if _is_table(node) else node, component, is_leaf=_is_table), w)
        for read, w in ways
    ]


def _is_table(node) -> bool:
    return isinstance(node, TabulatedBarrier)
