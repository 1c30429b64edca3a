"""Any experiment over any parameters: one compiled function, labelled data out.

A sweep climbs a ladder: every point with ``Effort.FAST``, then only those that missed with ``Effort.STRICT``, then with
``Effort.STUBBORN``. What still fails is NaN with its status in the dataset. Values of parameters are arguments of the
compiled function, so a second sweep with other values compiles nothing.
"""

import concurrent.futures
import contextlib
import datetime
import gc
import math
import os
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr

from mesotherm._version import __version__
from mesotherm.axes import Axis, Job, check_axes, grid_of, locate
from mesotherm.device import AbstractDevice, Effort
from mesotherm.devices.tabulated_barrier import other_readings
from mesotherm.experiments import AbstractExperiment, Setup
from mesotherm.labels import labelled, labels_of
from mesotherm.results import Outcome

LADDER = ((Effort.FAST, 64), (Effort.STRICT, 4), (Effort.STUBBORN, 1))
"""Rungs, with the batches per call of each compiled function: progress is reported as often."""

BATCHES_PAY = 4096
"""Batches are quicker to compute, the more the larger they are, but compile for seconds longer: a sweep uses them where
its points times the device's ``points_together`` exceed this number, and not on later rungs."""

REPEATED_OUTCOMES = (Outcome.NOT_CONVERGED, Outcome.TOLERANCE_MISSED, Outcome.NOT_FINITE)
"""Outcomes that more effort may change; the others are answers."""


def sweep(
    experiment: AbstractExperiment,
    setup: Setup,
    axes: Sequence[Axis] = (),
    *,
    progress: Callable[[int, int], None] = lambda done, total: None,
    attributes: Mapping[str, Any] | None = None,
) -> xr.Dataset:
    """Do an experiment at every point of a grid.

    Parameters
    ----------
    experiment, setup
        What is done to what.
    axes
        Swept parameters; the grid is their product, in this order. None: a single point.
    progress
        Called with (points done, points in all) after every chunk; a table is read three times, all of them count.
    attributes
        Added to the dataset's attributes.

    Returns
    -------
    Dataset
        One variable per array of the experiment, with ``units``, ``long_name``, ``symbol``; ``error_X`` beside ``X``;
        ``status`` with CF flags; provenance in the attributes. Points that failed are NaN. For a device with a table
        in it, ``estimate_table_X``: see :func:`mesotherm.devices.tabulated_barrier.other_readings`.

    Errors: ``ValueError`` for a path that names nothing, a value out of range, or an experiment the setup cannot have.
    """
    setup = experiment.prepare(setup)
    job = Job(setup, experiment)
    check_axes(job, axes)
    shape = tuple(len(axis.values) for axis in axes)
    paths = tuple(follower.path for axis in axes for follower in axis.followers)

    grid, readings = grid_of(axes, shape), other_readings(setup.device)
    started = time.perf_counter()
    seconds = {"compiling": 0.0, "computing": 0.0}

    def measured(device: AbstractDevice, before: int) -> xr.Dataset:
        def report(done, total):
            progress(before * total + done, (1 + len(readings)) * total)

        data = _climb(eqx.tree_at(lambda j: j.setup.device, job, device), paths, grid, seconds, report)
        return labelled(data, shape, axes, job)

    dataset = measured(setup.device, 0)
    for before, (device, weight) in enumerate(readings, start=1):
        _add_table_estimates(dataset, measured(device, before), weight, experiment.variables(setup))
    dataset.attrs |= {
        "title": f"{type(experiment).__name__} of {type(setup.device).__name__}",
        "Conventions": "CF-1.11",
        "source": f"mesotherm {__version__} (jax {jax.__version__})",
        "history": f"{datetime.datetime.now(datetime.UTC).isoformat(timespec='seconds')} computed by mesotherm.sweep",
        "convention": "k_B = hbar = e = 1; currents into the device; energies in the energy unit of the input",
        "experiment": type(experiment).__name__,
        "device": type(setup.device).__name__,
        "conductors": [" ".join(names) for names in setup.device.conductors],
        "points": int(np.prod(shape, dtype=int)),
        "seconds_computing": seconds["computing"],
        "seconds_compiling": seconds["compiling"],
        "seconds_total": time.perf_counter() - started,
        **(attributes or {}),
    }
    return dataset


@eqx.filter_jit
def _measure(job: Job, paths: tuple[str, ...], points, effort: Effort, batch: int | None):
    def one(values):
        changed = job
        for path, value in zip(paths, values, strict=True):
            changed = locate(job, path).set(changed, value)
        return changed.experiment.measure(changed.setup, effort)

    return jax.lax.map(one, points, batch_size=batch)


def _batch(points: int, most: int) -> int:
    """Points per batch, at most ``most``: the fewest batches, as equal as can be."""
    return -(-points // -(-points // most))


_COMPILED: dict[Any, Any] = {}
"""Compiled functions by everything they depend on but values: structure of the job, paths, chunk, effort."""

MOST_COMPILED = 32
"""Compiled functions kept. Each takes about a thousand memory maps of the 65530 that Linux grants a process; beyond
these XLA crashes."""


def forget_compiled() -> None:
    """Drop every compiled function; the next sweep of each kind compiles again."""
    _COMPILED.clear()


@contextlib.contextmanager
def _uncollected():
    """Without garbage collection, which costs tracing a sixth of its time: nothing is garbage before it ends."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _compile(job: Job, paths: tuple[str, ...], chunk: int, effort: Effort, batch: int | None):
    shapes = tuple(jnp.shape(leaf) for leaf in jax.tree.leaves(job))
    key = jax.tree.structure(job), shapes, paths, chunk, effort, batch
    if key not in _COMPILED:
        while len(_COMPILED) >= MOST_COMPILED:
            _COMPILED.pop(next(iter(_COMPILED)))
        with _uncollected():
            lowered = _measure.lower(job, paths, jnp.zeros((chunk, len(paths))), effort, batch)
        _COMPILED[key] = lowered.compile()
    return _COMPILED[key]


def _climb(job, paths, grid, seconds, progress):
    """The ladder: every point on the first rung, those that missed on the next. Returns the data of every point; the
    seconds spent compiling and computing are added to ``seconds``."""
    total = len(grid)
    data: dict[str, np.ndarray] = {}
    left = np.arange(total)
    rungs = LADDER[[effort for effort, _ in LADDER].index(job.experiment.first_effort(job.setup)) :]
    for rung, (effort, batches) in enumerate(rungs):
        settled = total - len(left)

        def report(done, settled=settled):
            progress(settled + done, total)

        together = job.setup.device.points_together
        if rung > 0 or (total * together <= BATCHES_PAY and not job.experiment.shares_work(job.setup)):
            together = 1
        chunk = min(batches * together, total)
        batch = _batch(chunk, together)
        whole = batch * -(-chunk // batch)  # a remainder would be compiled apart
        found = _run(job, paths, grid[left], effort, whole, batch if batch > 1 else None, seconds, report)
        for name, values in found.items():
            data.setdefault(name, values)[left] = values
        left = left[np.isin(found["status"], REPEATED_OUTCOMES).reshape(len(left), -1).any(axis=1)]
        if not len(left):
            break
    return data


def _run(job, paths, grid, effort, chunk, batch, seconds, progress):
    """One rung over a list of points, in padded chunks, on as many threads as there are cores."""
    started = time.perf_counter()
    measure = _compile(job, paths, chunk, effort, batch)
    compiled = time.perf_counter()

    def compute(start):
        points = grid[start : start + chunk]
        padded = np.concatenate([points, np.repeat(points[-1:], chunk - len(points), axis=0)])
        out = measure(job, paths, jnp.asarray(padded), effort, batch)
        return {name: np.asarray(values)[: len(points)] for name, values in out.items()}

    pieces, done = [], 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for piece in pool.map(compute, range(0, len(grid), chunk)):
            pieces.append(piece)
            done += len(piece["status"])
            progress(done)
    seconds["compiling"] += compiled - started
    seconds["computing"] += time.perf_counter() - compiled
    return {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}


def bytes_per_point(job: Job) -> int:
    """Bytes of a dataset per point of the grid, bounds and estimates included, before compression; ``job.setup`` must
    be prepared."""
    setup = job.setup
    sizes = {name: len(labels) for name, labels in labels_of(setup, job.experiment).items()}
    sizes |= {name: len(values) for name, values in job.experiment.coordinates(setup).items()}
    described = job.experiment.variables(setup).values()
    entries = [math.prod(sizes[dimension] for dimension in variable.dimensions) for variable in described]
    arrays = 3 if other_readings(setup.device) else 2
    return arrays * 8 * sum(entries)


def _add_table_estimates(dataset: xr.Dataset, other: xr.Dataset, weight: float, variables) -> None:
    """Beside every variable with a bound, how far another reading of the device's tables moves it; the largest of all
    readings, NaN where any failed."""
    for name, described in variables.items():
        if f"error_{name}" not in dataset:
            continue
        estimate = f"estimate_table_{name}"
        moved = weight * abs(dataset[name].variable - other[name].variable)
        dataset[estimate] = np.maximum(dataset[estimate].variable, moved) if estimate in dataset else moved
        dataset[estimate].attrs = {
            "long_name": f"estimated error of {described.long_name} from the interpolation of the table",
            "units": described.unit,
            "symbol": rf"\delta_\mathrm{{table}} {described.symbol}",
        }
