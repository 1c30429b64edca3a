"""Where something changes sign: boundaries of regimes as curves, solved for rather than read off a map."""

import functools
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr

from mesotherm.axes import Axis, Job, check_axes, locate
from mesotherm.bracketing import bracketed_root
from mesotherm.device import Effort
from mesotherm.experiments import Setup
from mesotherm.experiments.experiment import AbstractExperiment
from mesotherm.sweep import sweep


def boundary(
    experiment: AbstractExperiment,
    setup: Setup,
    variable: str,
    along: Axis,
    across: Axis | None = None,
    *,
    at: dict[str, Any] | None = None,
) -> xr.Dataset:
    """Values of one parameter at which a variable vanishes, for every value of another.

    The axis ``along`` is swept first; every change of sign between two neighbours is then solved for, all of them
    together. A pair of zeros between two neighbours is not seen: give the axis enough values.

    Parameters
    ----------
    variable
        Name of a variable of the experiment: "particle_current", "power".
    along, across
        The parameter that is solved for, and the one the curve runs over (none: a few points).
    at
        Labels that choose one entry of a variable with dimensions: ``{"terminal": "L"}``.

    Returns
    -------
    Dataset
        ``boundary`` over ``across`` and ``crossing`` (in ascending order; NaN where there are fewer), in the unit of
        ``along``; ``estimate_boundary``, its error from the bound on the variable and the slope between the neighbours.

    Errors: ``ValueError`` for a variable, label or axis there is not, or one that leaves a whole row of numbers.

    Examples
    --------
    An engine stalls where its current vanishes:

    >>> import numpy as np
    >>> from mesotherm import Axis, Reservoirs, Setup, SingleDot, SteadyStateExperiment, boundary
    >>> setup = Setup(SingleDot(2.0, 0.01, 0.03), Reservoirs([0.0, 0.0], [2.0, 1.0]))
    >>> bias = Axis("reservoirs.R.mu", np.linspace(0.1, 1.9, 5))
    >>> found = boundary(SteadyStateExperiment(), setup, "particle_current", bias, at={"terminal": "L"})
    >>> round(float(found.boundary[0]), 9)
    1.0
    """
    axes = [along] if across is None else [across, along]
    swept = [axis.dimension for axis in axes]
    positions = [np.asarray(axis.values, float) for axis in axes]
    data = sweep(experiment, setup, axes)
    if variable not in data or f"error_{variable}" not in data:
        there = ", ".join(str(name) for name in data if f"error_{name}" in data)
        raise ValueError(f"boundary: there is no variable {variable!r} with a bound; there are {there}.")
    chosen = at or {}
    try:
        values, errors = (data[name].sel(chosen) for name in (variable, f"error_{variable}"))
    except (KeyError, ValueError) as error:
        labelled = [str(d) for d in data[variable].dims if d not in swept]
        there = "; ".join(f"{name}: {', '.join(map(str, data[name].values))}" for name in labelled)
        raise ValueError(f"boundary: {chosen} chooses no entry of {variable!r}; there are {there}.") from error
    left = [str(dimension) for dimension in values.dims if dimension not in swept]
    if left:
        raise ValueError(f"boundary: {variable!r} has {', '.join(left)}, too; choose one of each with at={{...}}.")
    numbers, bounds = (array.transpose(*swept).to_numpy().reshape(-1, positions[-1].size) for array in (values, errors))
    row, cell = np.nonzero(np.sign(numbers[:, :-1]) * np.sign(numbers[:, 1:]) < 0)
    low, high = positions[-1][cell], positions[-1][cell + 1]
    entry = tuple(list(data[str(dim)].values).index(label) for dim, label in _in_order(data[variable], chosen, swept))
    job = Job(experiment.prepare(setup), experiment)
    check_axes(job, axes)
    others = np.zeros(len(row)) if across is None else positions[0][row]
    paths = tuple(tuple((tie.path, tie.scale, tie.offset) for tie in axis.followers) for axis in axes)
    roots = np.asarray(_solved(job, paths, variable, entry, jnp.asarray(others), jnp.asarray(low), jnp.asarray(high)))
    slope = np.abs((numbers[row, cell + 1] - numbers[row, cell]) / (high - low))
    bound = np.maximum(bounds[row, cell], bounds[row, cell + 1]) / slope
    shape = numbers.shape[0], max(np.bincount(row, minlength=1).max(initial=0), 1)
    found, estimate = np.full(shape, np.nan), np.full(shape, np.nan)
    for r in np.unique(row):
        mine = np.flatnonzero(row == r)
        found[r, : len(mine)], estimate[r, : len(mine)] = roots[mine], bound[mine]
    dimensions = ("crossing",) if across is None else (across.dimension, "crossing")
    squeezed = [values[0] if across is None else values for values in (found, estimate)]
    attributes = {"units": data[along.dimension].attrs.get("units", "1"), "parameter_found": along.path}
    return xr.Dataset(
        {
            "boundary": (
                dimensions,
                squeezed[0],
                {"long_name": f"{along.dimension} at which {variable} vanishes", **attributes},
            ),
            "estimate_boundary": (dimensions, squeezed[1], {"long_name": "estimate of its error", **attributes}),
        },
        {} if across is None else {across.dimension: data[across.dimension]},
        {"title": f"where {variable} vanishes", "variable": variable},
    )


def _in_order(variable: xr.DataArray, chosen, swept):
    return [(dimension, chosen[dimension]) for dimension in variable.dims if dimension not in swept]


@eqx.filter_jit
def _solved(job: Job, paths, variable: str, entry: tuple[int, ...], others, low, high):
    def measured(other, value):
        changed = job
        for ties, number in zip(paths, [value] if len(paths) == 1 else [other, value], strict=True):
            for path, scale, offset in ties:
                changed = locate(job, path).set(changed, offset + scale * number)
        return changed.experiment.measure(changed.setup, Effort.STRICT)[variable][entry]

    def one(row):
        other, low, high = row
        return bracketed_root(functools.partial(measured, other), low, high)

    return jax.lax.map(one, (others, low, high))
