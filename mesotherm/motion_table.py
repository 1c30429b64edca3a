"""Forces and currents along one mechanical coordinate, tabulated for motion in time.

What acts on a part that moves is smooth in its position but costs an energy integral; a trajectory needs it a million
times. A table holds a cubic spline (twice continuously differentiable) on a uniform grid of positions: one row of
coefficients per interval, which is read at once. In the drive it is linear, where linear response is meant, or a cubic
spline as well. How far it is from the function is measured in the middle of all intervals.

The force at a fixed drive has a potential in one dimension: its work ∫F dx follows from the same coefficients without
any further error, so that equilibria and barriers (:mod:`mesotherm.equilibria`) are exact for the table.

Source: Mehring, Bustos-Marún & Calvo, PRB 109, 085418 (2024), Eq. 28 (the potential).
"""

import functools
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int
from scipy.interpolate import CubicSpline

LEAST_KNOTS = 4
"""Of a cubic spline whose third derivative is continuous next to the ends."""

MOST_INTERVALS = 2**16
"""To which a grid is refined."""

LINEAR = 1e-9
"""Largest part of a quantity that may be quadratic in the drive where a table is linear in it."""

CURRENTS = ("particle_current", "heat_current")
"""Quantities with one entry per terminal that motion integrates, if a table has them."""

Columns = dict[str, tuple[Array, ...]]
"""The columns of some quantities at some positions."""


class MotionTable(eqx.Module):
    """Quantities as piecewise-cubic functions of position and drive; made by :func:`tabulate`.

    Outside of its range every quantity is NaN.

    Attributes
    ----------
    start, spacing
        The first position and the length of an interval [length].
    drive_start, drive_spacing
        Likewise of the drive, where the table is not linear in it [energy].
    rows
        Coefficients, one row for each interval.
    error
        Largest deviation of each quantity from its function in the middle of the intervals, in its unit.
    largest
        Largest absolute value of each quantity at the knots (per unit drive if linear), in its unit.
    quantities
        Names, and how many columns each has: 0 for a single one without a dimension.
    powers
        Powers of the drive in a row: (1,) linear, (0, 1) linear and a constant, (0, 1, 2, 3) spline.
    intervals
        Of position and of drive.
    """

    start: Float[Array, ""]
    spacing: Float[Array, ""]
    drive_start: Float[Array, ""]
    drive_spacing: Float[Array, ""]
    rows: Float[Array, "rows coefficients"]
    error: dict[str, Float[Array, ""]]
    largest: dict[str, Float[Array, ""]]
    quantities: tuple[tuple[str, int], ...] = eqx.field(static=True)
    powers: tuple[int, ...] = eqx.field(static=True)
    intervals: tuple[int, int] = eqx.field(static=True)

    @eqx.filter_jit
    def __call__(self, x: Float[Array, "*points"] | float, drive: Float[Array, "*points"] | float) -> dict[str, Array]:
        """All quantities at positions [length] and drives [energy]; those per terminal have it as last dimension."""
        x, drive = jnp.broadcast_arrays(jnp.asarray(x, float), jnp.asarray(drive, float))
        names = tuple(name for name, _ in self.quantities)
        found = combined(self.by_power(x, self.drive_interval(drive), names), self.weights(drive))
        return {name: jnp.stack(found[name], -1) if size else found[name][0] for name, size in self.quantities}

    @eqx.filter_jit
    def work(self, x: Float[Array, "*points"] | float, drive: Float[Array, "*points"] | float) -> Float[Array, "..."]:
        """∫F dx from the first position of the table to x, at a fixed drive [energy]."""
        x, drive = jnp.broadcast_arrays(jnp.asarray(x, float), jnp.asarray(drive, float))
        return combined(self.by_power(x, self.drive_interval(drive), ("work",)), self.weights(drive))["work"][0]

    @property
    def end(self) -> Float[Array, ""]:
        """The last position [length]."""
        return self.start + self.intervals[0] * self.spacing

    def has(self, name: str) -> bool:
        """Whether it holds a quantity."""
        return name in dict(self.quantities)

    def drive_interval(self, drive: Float[Array, "*points"]) -> Int[Array, "*points"]:
        """Which interval of drives one is in."""
        if self.intervals[1] == 1:
            return jnp.zeros(jnp.shape(drive), jnp.int32)
        place = (drive - self.drive_start) / self.drive_spacing
        return jnp.clip(place.astype(jnp.int32), 0, self.intervals[1] - 1)

    def weights(self, drive: Float[Array, "*points"]) -> list[Float[Array, "*points"]]:
        """By which what stands at each power of the drive is multiplied; NaN outside of the range."""
        if len(self.powers) == LEAST_KNOTS:
            place = (drive - self.drive_start) / self.drive_spacing
            within = (place >= 0) & (place <= self.intervals[1])
            drive = jnp.where(within, place - self.drive_interval(drive), jnp.nan)
        return [jnp.ones_like(drive) if power == 0 else drive**power for power in self.powers]

    def by_power(
        self, x: Float[Array, "*points"], drive_interval: Int[Array, "*points"], names: Sequence[str]
    ) -> list[Columns]:
        """For each power of the drive the columns of some quantities, "work" among them, at positions. Moving on with
        another drive of the same interval needs no second look into the table."""
        place = (x - self.start) / self.spacing
        interval = jnp.clip(place.astype(jnp.int32), 0, self.intervals[0] - 1)
        u = jnp.where((place >= 0) & (place <= self.intervals[0]), place - interval, jnp.nan)
        row = self.rows.at[drive_interval * self.intervals[0] + interval].get(mode="promise_in_bounds")
        width = row.shape[-1] // len(self.powers)
        columns = self.columns()

        def read(first: int) -> Columns:
            def cubic(column: int) -> Array:
                a, b, c, d = (row[..., first + 4 * column + k] for k in range(4))
                return ((a * u + b) * u + c) * u + d

            found = {name: tuple(map(cubic, columns[name])) for name in names if name != "work"}
            if "work" in names:
                a, b, c, d = (row[..., first + 4 * columns["force"][0] + k] for k in range(4))
                integral = (((a / 4 * u + b / 3) * u + c / 2) * u + d) * u
                found["work"] = (row[..., first + width - 1] + self.spacing * integral,)
            return found

        return [read(k * width) for k in range(len(self.powers))]

    def columns(self) -> dict[str, range]:
        """Which columns belong to each quantity."""
        ends = list(itertools.accumulate(max(size, 1) for _, size in self.quantities))
        return {name: range(end - max(size, 1), end) for (name, size), end in zip(self.quantities, ends, strict=True)}

    def at_drive(self, drive: float | Float[Array, ""]) -> tuple[Array, Array]:
        """At one drive, for every interval: the force's coefficients, highest power first, of a variable from 0 to 1
        [energy/length], and the work of the force up to the interval [energy]."""
        drive = jnp.asarray(drive, float)
        weights, size = jnp.stack(self.weights(drive)), self.intervals[0]
        rows = jax.lax.dynamic_slice_in_dim(self.rows, self.drive_interval(drive) * size, size)
        rows = rows.reshape(size, len(self.powers), -1)
        at = 4 * self.columns()["force"][0]
        return jnp.einsum("p,ipk->ik", weights, rows[:, :, at : at + 4]), rows[:, :, -1] @ weights


def combined(by_power: list[Columns], weights: Sequence[Array]) -> Columns:
    """Columns at a drive from those at each of its powers."""
    return jax.tree.map(lambda *columns: sum(w * c for w, c in zip(weights, columns, strict=True)), *by_power)


def tabulate(
    function: Callable[[Array, Array], Mapping[str, Array]],
    positions: Sequence[float] | Float[Array, "positions"],
    drives: Sequence[float] | Float[Array, "drives"] | None = None,
    *,
    tolerance: float | None = None,
    most_intervals: int = MOST_INTERVALS,
    batch_size: int = 512,
) -> MotionTable:
    """Tabulate what acts on a part that moves.

    Parameters
    ----------
    function
        Of one position [length] and one drive [energy]; gives "force" [energy/length] and whatever else is needed:
        "particle_current" and "heat_current" into the device, one entry per terminal, electronic "friction" of the
        coordinate [hbar/length^2], electronic force "noise" [energy^2/length^2 hbar/energy]. Anything that JAX can
        batch.
    positions
        Uniform grid from the lowest to the highest [length].
    drives
        Uniform grid [energy]; without one, all quantities are linear in the drive or do not depend on it.
    tolerance
        Largest allowed error of every quantity over its largest absolute value: intervals are halved until it is met.
    most_intervals
        No finer.
    batch_size
        How many points are computed together.

    Errors: ``ValueError`` for grids that are not uniform or too short, for values that are not finite, for quantities
    that are not linear in the drive where they should be, and where the tolerance is not met with ``most_intervals``.
    Errors of quantities are stored as found; they fall with the fourth power of the spacing.

    Examples
    --------
    >>> table = tabulate(lambda x, V: {"force": V * jnp.exp(-x * x)}, jnp.linspace(-2, 2, 51), tolerance=1e-8)
    >>> print(table.intervals[0], table(0.5, 0.1)["force"].round(8))
    200 0.07788008
    """
    x = _uniform("positions", positions)
    d = np.array([0.0, 1.0, -1.0]) if drives is None else _uniform("drives", drives)
    sample = _Sampler(function, batch_size)
    knots = sample(x, d)
    if drives is None:
        d, knots = _linear_part(knots, sample.quantities)
    while True:
        axes = (1,) if drives is None else (1, 0)
        finer = {axis: _halved(sample, x, d, knots, axis) for axis in axes}
        table = _spline(x, d, knots, sample.quantities, linear=drives is None)
        errors = {axis: _errors(table, finer[axis][2], axis) for axis in axes}
        known = {name: jnp.array(max(errors[axis][name] for axis in axes), float) for name in table.error}
        table = eqx.tree_at(lambda t: t.error, table, known)
        allowed = {name: np.inf if tolerance is None else tolerance * table.largest[name] for name in known}
        bad = [axis for axis in axes if any(errors[axis][name] > allowed[name] for name in known)]
        if not bad:
            return table
        if 2 * max(table.intervals) > most_intervals:
            worst = {name: float(error) for name, error in known.items()}
            raise ValueError(
                f"tabulate: tolerance = {tolerance} is not met with {table.intervals[0]} intervals of position (and "
                f"{table.intervals[1]} of drive): errors are {worst}; allow more than most_intervals = "
                f"{most_intervals}, or a tolerance above the rounding of the function."
            )
        x, d, knots = finer[bad[0]]
        for axis in bad[1:]:
            x, d, knots = _halved(sample, x, d, knots, axis)


def fixed_tables(
    function: Callable[[Array, Array], Mapping[str, Array]],
    positions: tuple[Float[Array, ""], Float[Array, ""]],
    intervals: int,
    drives: tuple[Float[Array, ""], Float[Array, ""]] | None = None,
    drive_intervals: int = 1,
) -> tuple[MotionTable, MotionTable]:
    """A table on a grid that is not refined, which can be compiled and batched with what it depends on, and one through
    every second of its knots: what the two tell differently is an estimate of the table's part in an error.

    Parameters
    ----------
    function
        As in :func:`tabulate`.
    positions, intervals
        The first and the last position [length]; an even number, at least 8.
    drives, drive_intervals
        The lowest and the highest drive [energy], and likewise. Without them forces and currents are proportional to
        the drive, friction and noise do not depend on it, neither of which is checked.

    Errors: ``ValueError`` for numbers of intervals that are odd or too few. ``error`` of the first is 1/16 of the
    difference of both (which falls with the fourth power of the spacing), a bound to leading order only.
    """
    for name, number in (("intervals", intervals), ("drive_intervals", drive_intervals)):
        if (name == "intervals" or drives is not None) and (number < 2 * LEAST_KNOTS or number % 2):
            raise ValueError(f"fixed_tables: {name} = {number} is not allowed; give an even number, at least 8.")
    described = _described(function)
    x = jnp.linspace(*positions, intervals + 1)
    constant = any(name in ("friction", "noise") for name, _ in described)
    alone = jnp.array([0.0, 1.0] if constant else [1.0])
    d = alone if drives is None else jnp.linspace(*drives, drive_intervals + 1)

    def columns(point):
        found = function(*point)
        return jnp.concatenate([jnp.atleast_1d(found[name]) for name, _ in described])

    points = jnp.stack(jnp.broadcast_arrays(x, d[:, None]), -1).reshape(-1, 2)
    knots = jax.lax.map(columns, points, batch_size=min(64, len(points))).reshape(len(d), len(x), -1)
    tables = [_spline(x, d, knots, described, linear=drives is None, thinned=thinned) for thinned in (False, True)]
    at = 0.5 * (x[1:] + x[:-1]), (d if drives is None else 0.5 * (d[1:] + d[:-1]))[:, None]
    one, other = (table(*at) for table in tables)
    apart = {name: jnp.max(jnp.abs(one[name] - other[name])) for name, _ in described}
    fine = eqx.tree_at(lambda t: t.error, tables[0], {name: worst / 16 for name, worst in apart.items()})
    return fine, eqx.tree_at(lambda t: t.error, tables[1], apart)


# ---------------------------------------------------------------------------------------------------------------------


class _Sampler:
    """Values of a function on products of grids, as one array [drives, positions, columns]."""

    def __init__(self, function: Callable, batch_size: int):
        self.quantities = _described(function)

        def columns(x, drive):
            found = function(x, drive)
            return jnp.concatenate([jnp.atleast_1d(jnp.asarray(found[name], float)) for name, _ in self.quantities])

        self.batch_size = batch_size
        self.columns = jax.jit(jax.vmap(columns))

    def __call__(self, x: np.ndarray, d: np.ndarray) -> np.ndarray:
        points = np.stack(np.broadcast_arrays(x, d[:, None]), -1).reshape(-1, 2)
        last = -(-len(points) // self.batch_size) * self.batch_size  # batches of one size are compiled once
        batches = np.concatenate([points, np.repeat(points[-1:], last - len(points), axis=0)])
        batches = batches.reshape(-1, self.batch_size, 2)
        values = np.concatenate([np.array(self.columns(one[:, 0], one[:, 1])) for one in batches])[: len(points)]
        if not np.all(np.isfinite(values)):
            at, column = np.argwhere(~np.isfinite(values))[0]
            name = [name for name, size in self.quantities for _ in range(max(size, 1))][column]
            raise ValueError(
                f"tabulate: {name} of function is {values[at, column]} at x = {points[at, 0]:g}, "
                f"drive = {points[at, 1]:g}; choose positions and drives where it is finite."
            )
        return values.reshape(len(d), len(x), -1)


def _described(function: Callable) -> tuple[tuple[str, int], ...]:
    """Names of what a function gives, and how many columns each has: 0 for one without a dimension."""
    described = jax.eval_shape(function, jnp.zeros(()), jnp.zeros(()))
    if "force" not in described:
        raise ValueError(f'tabulate: function gives {", ".join(described) or "nothing"}; it must give "force".')
    wrong = [name for name, value in described.items() if value.ndim > (name != "force")]
    if wrong:
        raise ValueError(
            f"tabulate: {wrong[0]} of function has shape {described[wrong[0]].shape}; give a number"
            + (" or one entry per terminal." if wrong[0] != "force" else ".")
        )
    return tuple((name, value.shape[0] if value.ndim else 0) for name, value in described.items())


def _uniform(name: str, given: Any) -> np.ndarray:
    grid = np.array(given, float)
    steps = np.diff(grid) if grid.ndim == 1 else np.zeros(0)
    if not (len(steps) >= LEAST_KNOTS - 1 and steps[0] > 0 and np.ptp(steps) <= 1e-9 * (grid[-1] - grid[0])):
        raise ValueError(
            f"tabulate: {name} = {grid.tolist() if grid.size < 10 else f'{grid.shape} numbers'} is not a grid; give "
            f"{LEAST_KNOTS} or more rising numbers in equal steps."
        )
    return np.linspace(grid[0], grid[-1], len(grid))


def _linear_part(knots: np.ndarray, quantities: tuple[tuple[str, int], ...]) -> tuple[np.ndarray, np.ndarray]:
    """The drives 0 and 1, or 1 alone where nothing is left without a drive, and the values there."""
    zero, plus, minus = knots
    scale = np.max(np.abs(knots), axis=(0, 1))
    curved = np.max(np.abs(plus + minus - 2 * zero), axis=0) > LINEAR * scale
    if np.any(curved):
        names = [name for name, size in quantities for _ in range(max(size, 1))]
        raise ValueError(
            f"tabulate: {names[int(np.argmax(curved))]} is not linear in the drive (from -1 to 1); give drives, a grid."
        )
    return (np.array([0.0, 1.0]), knots[:2]) if np.any(zero) else (np.array([1.0]), knots[1:2])


def _halved(sample: _Sampler, x: np.ndarray, d: np.ndarray, knots: np.ndarray, axis: int):
    """Grids and values with half the spacing of positions (axis 1) or drives (axis 0)."""
    grid = x if axis else d
    middles = 0.5 * (grid[1:] + grid[:-1])
    new = sample(middles, d) if axis else sample(x, middles)
    woven = np.empty([2 * n - 1 if k == axis else n for k, n in enumerate(knots.shape)])
    at = (slice(None),) * axis
    woven[(*at, slice(None, None, 2))], woven[(*at, slice(1, None, 2))] = knots, new
    finer = np.linspace(grid[0], grid[-1], 2 * len(grid) - 1)
    return (finer, d, woven) if axis else (x, finer, woven)


def _spline(x, d, knots, quantities, *, linear: bool, thinned: bool = False) -> MotionTable:
    """The table through knots [drives, positions, columns], of NumPy or, inside compiled functions, of JAX; ``thinned``
    goes through every second knot of either grid only, in the form of the whole."""
    xp = knots.__array_namespace__()
    values = xp.diff(knots, axis=0, prepend=xp.zeros_like(knots[:1])) if linear else knots
    h, in_x = (x[-1] - x[0]) / (len(x) - 1), _cubics(values, 1, thinned)  # [4, drives, intervals, columns]
    if linear:
        spacing, powers, columns = 1.0, ((1,) if len(d) == 1 else (0, 1)), in_x.transpose(2, 1, 3, 0)[None]
    else:
        spacing, powers = (d[-1] - d[0]) / (len(d) - 1), (0, 1, 2, 3)
        in_d = _cubics(in_x, 1, thinned)[::-1]
        columns = in_d.transpose(2, 3, 0, 4, 1)  # [drive intervals, intervals, powers, columns, 4]

    names = [name for name, size in quantities for _ in range(max(size, 1))]
    force = columns[:, :, :, names.index("force")]
    steps = h * force @ (1.0 / np.arange(4.0, 0.0, -1.0))  # [drive intervals, intervals, powers]
    work = xp.cumsum(steps, axis=1) - steps
    rows = xp.concatenate([columns.reshape(*columns.shape[:3], -1), work[..., None]], -1)
    largest = xp.max(xp.abs(knots), axis=(0, 1))
    return MotionTable(
        start=jnp.asarray(x[0], float),
        spacing=jnp.asarray(h, float),
        drive_start=jnp.asarray(0.0 if linear else d[0], float),
        drive_spacing=jnp.asarray(spacing, float),
        rows=jnp.asarray(rows.reshape(rows.shape[0] * rows.shape[1], -1)),
        error={name: jnp.array(jnp.nan, float) for name, _ in quantities},
        largest={name: jnp.max(largest[np.array(names) == name]) for name, _ in quantities},
        quantities=quantities,
        powers=powers,
        intervals=(rows.shape[1], rows.shape[0]),
    )


def _cubics(values, axis: int, thinned: bool):
    """Coefficients in every interval, highest power first, of a variable from 0 to 1: one new dimension in front.

    What is not known while a function is compiled is multiplied by matrices, since coefficients are linear in values.
    """
    knots = values.shape[axis]
    if isinstance(values, np.ndarray) and not thinned:
        return np.moveaxis(CubicSpline(np.arange(float(knots)), values, axis=axis).c, 1, axis + 1)
    to_values, to_slopes = _spline_matrices(knots, thinned)
    moved = jnp.moveaxis(values, axis, 0)
    y, slope = jnp.tensordot(to_values, moved, 1), jnp.tensordot(to_slopes, moved, 1)
    rise, first, last = y[1:] - y[:-1], slope[:-1], slope[1:]
    found = jnp.stack([first + last - 2 * rise, 3 * rise - 2 * first - last, first, y[:-1]])
    return jnp.moveaxis(found, 1, axis + 1)


@functools.lru_cache(maxsize=16)
def _spline_matrices(knots: int, thinned: bool) -> tuple[np.ndarray, np.ndarray]:
    """By which the values at uniform knots, a unit apart, are multiplied for the values and the slopes there of the
    spline through them, or through every second of them."""
    at, unit = np.arange(float(knots)), np.eye(knots)
    through = CubicSpline(at[::2], unit[::2]) if thinned else CubicSpline(at, unit)
    return through(at), through(at, 1)


def _errors(table: MotionTable, values: np.ndarray, axis: int) -> dict[str, float]:
    """Largest deviations from values on the grid with half the spacing of positions (axis 1) or drives (axis 0)."""
    powers = len(table.powers)
    c = np.array(table.rows).reshape(table.intervals[1], table.intervals[0], powers, -1)[..., :-1]
    c = c.reshape(*c.shape[:3], -1, 4)
    if axis == 1 and powers < LEAST_KNOTS:
        known, given = np.moveaxis(cubic(c, np.array(0.5))[0], 1, 0), np.diff(values[:, 1::2], axis=0, prepend=0.0)
    elif axis == 1:
        middle = cubic(c, np.array(0.5))
        known, given = np.concatenate([middle[:, :, 0], np.sum(middle[-1:], axis=2)]), values[:, 1::2]
    else:
        middle = np.einsum("dipck,p->dick", c, 0.5 ** np.arange(4.0))
        known, given = np.concatenate([middle[..., 3], np.sum(middle[:, -1:], axis=-1)], axis=1), values[1::2]
    largest = np.max(np.abs(known - given), axis=(0, 1))
    return {name: float(np.max(largest[columns.start : columns.stop])) for name, columns in table.columns().items()}


def cubic(c: np.ndarray, u: np.ndarray) -> np.ndarray:
    """A polynomial of third degree, highest power first."""
    return ((c[..., 0] * u + c[..., 1]) * u + c[..., 2]) * u + c[..., 3]
