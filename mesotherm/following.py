"""A branch of solutions traced as one parameter changes, through folds: hysteresis and several solutions, in labels."""

import dataclasses
from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jaxtyping import Array, Float

from mesotherm.arclength import Walk, walk
from mesotherm.axes import Axis, Job, locate, sweepable
from mesotherm.continuation import relaxation_of
from mesotherm.device import Effort, Reservoirs
from mesotherm.experiments import Setup, SteadyStateExperiment
from mesotherm.experiments.experiment import read
from mesotherm.labels import attributes_of, labelled
from mesotherm.observables import Variable
from mesotherm.root_problem import Problem, equilibrium_of, posed, solved
from mesotherm.screening import Screening
from mesotherm.steady_state import certified

SECTIONS = 10
"""The way from start to stop is this long in the measure of the walk, whose steps are at most 0.25."""

PADDING = 128
"""Solutions are read off in multiples of this, so that curves of other lengths compile nothing."""

NEAR = 0.2
"""How far a solution may lie from where the curve says, in the unknowns' own scale."""

NO_SOLUTION = -1
"""In ``status`` over branches: there is no such solution."""

LARGEST_EIGENVALUE = Variable(
    "largest eigenvalue of the derivative of the balances of potentials or positions; stable if negative",
    r"\max\operatorname{Re}\lambda",
    "1/energy",
)
"""Of potentials; that of positions alone is a plain number."""


class Trace(eqx.Module):
    """The way from one setup to another, every number of theirs on a straight line; the unknowns are counted from where
    they are at its start.

    The parameter s runs from 0 to ``SECTIONS``.

    Attributes
    ----------
    first, last
        The two setups.
    reference
        Reservoirs that floating ones are counted from.
    scale
        One-way fluxes behind the balances.
    """

    first: Setup
    last: Setup
    reference: Reservoirs
    scale: Float[Array, "unknowns"]

    def at(self, s, effort: Effort) -> Problem:
        """The problem at one place of the way."""
        numbers, rest = eqx.partition(self.first, eqx.is_inexact_array)
        there, _ = eqx.partition(self.last, eqx.is_inexact_array)
        part = s / SECTIONS
        setup = eqx.combine(jax.tree.map(lambda a, b: a + part * (b - a), numbers, there), rest)
        problem = posed(setup.device, setup.reservoirs, setup.unknowns, effort)
        reference = problem.reference
        for probe in setup.probes:
            i = setup.device.index(probe.terminal)
            mu, T = self.reference.mu[i], self.reference.T[i]
            reference = reference.at(i, mu=mu if probe.floats_mu else None, T=T if probe.floats_T else None)
        return dataclasses.replace(problem, reference=reference)

    def residual(self, y, s) -> Float[Array, "unknowns"]:
        problem = self.at(s, self.first.device.effort_of_iterations(Effort.FAST))
        return problem.balances(*problem.evaluate(y))[0] / self.scale


def follow(
    setup: Setup,
    along: str,
    start: float,
    stop: float,
    *,
    at: Sequence[float] | np.ndarray | None = None,
    points: int = 500,
    effort: Effort = Effort.STRICT,
) -> xr.Dataset:
    """Trace the branch of solutions that starts at ``start``, as one parameter goes to ``stop``, through folds.

    The solution at ``start`` is the one reached from equilibrium (:func:`mesotherm.steady_state`). Behind a fold the
    parameter runs back; where the curve passes a value again there is another solution.

    Parameters
    ----------
    along
        Path of the parameter, written as for an :class:`mesotherm.Axis`: ``"reservoirs.L.T"``, ``"device.level_1"``.
    start, stop
        Between which values [the parameter's unit].
    at
        Values at which every solution is wanted; by default the points of the curve itself are given.
    points
        Most points of the curve.

    Returns
    -------
    Dataset
        Everything :class:`mesotherm.SteadyStateExperiment` reads, certified, and ``largest_eigenvalue`` where
        potentials or positions are found.
        Without ``at``: along ``point``, with the parameter as a coordinate that need not grow. With ``at``: over the
        parameter and ``branch``, in the order in which the curve meets the solutions, NaN where there are no more.
        The attribute ``broke_off`` says whether the curve could not be followed to its end, or not with so many points.

    Errors: ``ValueError`` for a path that names nothing, a value out of range, no way to go, or a setup with nothing to
    solve for. A solution that is not certified, as at a fold, is NaN with its status.

    Examples
    --------
    ``follow(setup, "reservoirs.L.T", 1.0, 7.0, at=[3.9])`` finds three solutions of the screened double barrier of
    Balduque & Sánchez's Fig. 3 at its star.
    """
    if not setup.unknowns:
        raise ValueError("follow: this setup has no unknowns, so every point has one solution; use sweep.")
    job = Job(SteadyStateExperiment().prepare(setup), SteadyStateExperiment())
    meaning = sweepable(job, along).meaning
    if not meaning.accepts(np.array([start, stop])):
        raise ValueError(f"follow: {along} leaves the allowed range: {meaning.doc} takes {meaning.allowed()}.")
    if start == stop:
        raise ValueError(f"follow: start and stop are both {start:g}; give a way to go.")
    spot, ends = locate(job, along), (start, stop)
    first, last = (spot.set(job, jnp.asarray(value, float)).setup for value in ends)
    trace, y0 = _started(first, last)
    curve = _walk(trace, y0, points)
    count = int(curve.count)
    s, y = np.asarray(curve.s)[:count], np.asarray(curve.y)[:count]
    numbers = np.zeros(count, int)
    if at is not None:
        wanted = SECTIONS * (np.asarray(at, float) - start) / (stop - start)
        s, y, numbers = crossings(s, y, wanted)
    padding = [(0, -len(s) % PADDING)]
    places, guesses = np.pad(s, padding, mode="edge"), np.pad(y, [*padding, (0, 0)], mode="edge")
    found = _read(trace, jnp.asarray(places), jnp.asarray(guesses), effort)
    data = {quantity: np.asarray(values)[: len(s)] for quantity, values in found.items()}
    values = start + (stop - start) * s / SECTIONS
    name = "_".join(along.split(".")[1:])
    eigenvalue = data.pop("largest_eigenvalue", None)
    dataset = labelled(data, (len(values),), [Axis(along, values, name)], job)
    if eigenvalue is not None:
        potentials = any(isinstance(unknown, Screening) for unknown in setup.unknowns)
        described = LARGEST_EIGENVALUE if potentials else dataclasses.replace(LARGEST_EIGENVALUE, unit="1")
        dataset["largest_eigenvalue"] = (name, eigenvalue, attributes_of("largest_eigenvalue", described))
    dataset.attrs |= {
        "title": f"{type(setup.device).__name__} followed along {along}",
        "broke_off": int(curve.broke_off) or int(count == points),
        "points_of_the_curve": count,
    }
    if at is None:
        return dataset.rename_dims({name: "point"}).reset_index(name)
    return by_branch(dataset, name, numbers)


@eqx.filter_jit
def _started(first: Setup, last: Setup) -> tuple[Trace, Float[Array, "unknowns"]]:
    """The trace, and the solution at its start, reached from equilibrium where there is one."""
    problem, y = solved(posed(first.device, first.reservoirs, first.unknowns, Effort.STUBBORN))
    rough = problem.for_iterations
    scale = rough.balances(*rough.evaluate(y))[2]
    return Trace(first, last, problem.reference, scale), y


@eqx.filter_jit
def _walk(trace: Trace, y0, points: int) -> Walk:
    return walk(trace.residual, y0, jnp.zeros(()), jnp.asarray(float(SECTIONS)), points)


@eqx.filter_jit
def _read(trace: Trace, s, y, effort: Effort):
    """What is read off every solution, polished by Newton steps unless they lead elsewhere, as they may at a fold."""

    def one(place):
        s, y = place
        problem = trace.at(s, effort)
        polished = problem.near(y)
        found = jnp.where(jnp.max(jnp.abs(polished - y)) < NEAR, polished, y)
        state, _ = certified(problem, found, trace.first.tolerance)
        out = read(state)
        if equilibrium_of(problem.unknowns) is not None:
            out["largest_eigenvalue"] = jnp.max(jnp.linalg.eigvals(relaxation_of(problem, found)).real)
        return out

    return jax.lax.map(one, (s, y))


def crossings(s: np.ndarray, y: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where a curve passes given values: each value once per passage, the unknowns there by interpolation, and the
    number of the passage."""
    values, guesses, numbers = [], [], []
    low, high = np.minimum(s[:-1], s[1:]), np.maximum(s[:-1], s[1:])
    high[-1:] = np.nextafter(high[-1:], np.inf)  # the end of the curve belongs to it
    for value in wanted:
        passed = np.flatnonzero((low <= value) & (value < high))
        for number, i in enumerate(passed):
            part = (value - s[i]) / (s[i + 1] - s[i])
            values.append(value)
            guesses.append(y[i] + part * (y[i + 1] - y[i]))
            numbers.append(number)
    return np.array(values), np.array(guesses).reshape(len(values), y.shape[1]), np.array(numbers, int)


def by_branch(dataset: xr.Dataset, name: str, numbers: np.ndarray) -> xr.Dataset:
    """A dataset of single solutions along ``name``, which repeats, spread over ``name`` and ``branch``."""
    values = np.unique(dataset[name].to_numpy())
    rows = np.searchsorted(values, dataset[name].to_numpy())
    shape = len(values), int(numbers.max(initial=0)) + 1
    spread = xr.Dataset(attrs=dataset.attrs)
    spread[name] = (name, values, dataset[name].attrs)
    spread["branch"] = ("branch", np.arange(shape[1]), {"long_name": "number of the passage of the curve"})
    for variable, found in dataset.data_vars.items():
        if name not in found.dims:
            spread[variable] = found
            continue
        ordered = found.transpose(name, ...)
        blank = NO_SOLUTION if "flag_values" in found.attrs else np.nan
        empty = np.full(shape + ordered.shape[1:], blank, found.dtype)
        empty[rows, numbers] = ordered.to_numpy()
        spread[variable] = ((name, "branch", *ordered.dims[1:]), empty, found.attrs)
    spread["status"].attrs["comment"] = f"{NO_SOLUTION} where the curve does not pass so often"
    return spread.assign_coords({n: c for n, c in dataset.coords.items() if n != name and name not in c.dims})
