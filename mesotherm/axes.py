"""What a sweep varies: paths to the parameters of a job, and the values they take."""

import dataclasses
import difflib
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from mesotherm.experiments import AbstractExperiment, Setup
from mesotherm.fields import Component, Parameter, components_in, inside, parameters


@dataclasses.dataclass(frozen=True)
class Tie:
    """A parameter that follows an axis: it is set to ``offset + scale * value``, value being the axis's.

    Attributes
    ----------
    path
        Where the parameter is, written as for :class:`Axis`.
    """

    path: str
    scale: float = 1.0
    offset: float = 0.0

    def applied(self, values) -> np.ndarray:
        """What the parameter becomes."""
        return self.offset + self.scale * np.asarray(values, float)


@dataclasses.dataclass(frozen=True)
class Axis:
    """One swept parameter, with whatever else is tied to it.

    Attributes
    ----------
    path
        Where the parameter is: ``device.left.level``, ``reservoirs.C.T``, ``experiment.delta_temperature``; entries of
        arrays by name, ``device.levels.M``, ``unknowns.screening.gate_potential.plunger``.
    values
        The values it takes.
    name
        Name of the dimension in the dataset; by default the path's last parts.
    scale, offset
        The parameter is set to ``offset + scale * value``: a grid in units of a reference.
    tied
        Other parameters that follow the same values, each with a scale and an offset of its own.
    unit
        Unit of ``values``, for the dataset; by default the parameter's own, or none where they are scaled.

    Examples
    --------
    The antisymmetric line ε₁ = −ε₃ of a diode:

    >>> axis = Axis("device.right.level", [0.0, 1.0], "epsilon", tied=(Tie("device.left.level", scale=-1.0),))
    >>> [follower.applied(axis.values).tolist() for follower in axis.followers]
    [[0.0, 1.0], [-0.0, -1.0]]
    """

    path: str
    values: np.ndarray
    name: str = ""
    scale: float = 1.0
    offset: float = 0.0
    tied: tuple[Tie, ...] = ()
    unit: str = ""

    @property
    def dimension(self) -> str:
        return self.name or "_".join(self.path.split(".")[1:])

    @property
    def followers(self) -> tuple[Tie, ...]:
        """Every parameter the axis sets, its own first."""
        return (Tie(self.path, self.scale, self.offset), *self.tied)


class Job(eqx.Module):
    """What is swept: a setup and an experiment. Paths of axes start at its fields or at ``device``, ``reservoirs``,
    ``unknowns``: these by the name of the terminal that floats, or of their kind.
    """

    setup: Setup
    experiment: AbstractExperiment


@dataclasses.dataclass(frozen=True)
class Spot:
    """One number inside a job: how to read its array, and which entry of it."""

    array: Callable[[Job], Any]
    entry: tuple[int, ...]
    meaning: Parameter
    shape: tuple[int, ...] = ()

    def set(self, job: Job, value) -> Job:
        array = jnp.broadcast_to(self.array(job), self.shape)  # a default may be one number for all entries
        return eqx.tree_at(self.array, job, array.at[self.entry].set(value) if self.entry else jnp.asarray(value))


RESERVOIR_PARAMETERS = {
    "mu": Parameter("electrochemical potential", gauge=True),
    "T": Parameter("temperature", unit="energy/k_B", low=0.0, open_low=True),
}


def locate(job: Job, path: str) -> Spot:
    """Find the parameter a path names. Raises ``ValueError`` saying which names there are."""
    head, *rest = path.split(".")
    if head == "reservoirs":
        terminals = job.setup.device.terminals
        if len(rest) != 2 or rest[0] not in terminals or rest[1] not in RESERVOIR_PARAMETERS:
            choices = [f"reservoirs.{t}.{q}" for t in terminals for q in RESERVOIR_PARAMETERS]
            raise ValueError(f"{path!r} names no parameter; there are {', '.join(choices)}.")
        quantity = rest[1]
        entry, meaning = (terminals.index(rest[0]),), RESERVOIR_PARAMETERS[quantity]
        return Spot(lambda j: getattr(j.setup.reservoirs, quantity), entry, meaning, (len(terminals),))
    if head == "unknowns":
        names = [unknown.name for unknown in job.setup.unknowns]
        if not rest or rest[0] not in names:
            known = ", ".join(f"unknowns.{name}" for name in names) or "none here"
            raise ValueError(f"{path!r} names no parameter; there are {known}.")
        i = names.index(rest[0])
        return _descend(job.setup.unknowns[i], lambda j: j.setup.unknowns[i], f"unknowns.{rest[0]}", rest[1:], path)
    roots = {
        "device": (job.setup.device, lambda j: j.setup.device),
        "experiment": (job.experiment, lambda j: j.experiment),
    }
    if head not in roots:
        close = difflib.get_close_matches(head, (*roots, "reservoirs", "unknowns"), n=1, cutoff=0.5)
        guess = f"did you mean {close[0]}? " if close else ""
        raise ValueError(
            f"{path!r} names no parameter; {guess}a path starts with device, reservoirs, unknowns or experiment."
        )
    node, where = roots[head]
    return _descend(node, where, head, rest, path)


def _descend(node: Component, where, walked: str, rest: Sequence[str], path: str) -> Spot:
    numbers = {name: meaning for name, meaning in parameters(type(node)).items() if not meaning.column}
    parts = components_in(node)
    for keys, part in parts.items():
        if tuple(rest[: len(keys)]) == keys:
            here = ".".join([walked, *keys])
            return _descend(part, lambda j, keys=keys: inside(where(j), keys), here, rest[len(keys) :], path)
    if not rest or rest[0] not in numbers:
        choices = ", ".join(f"{walked}.{name}" for name in [*map(".".join, parts), *numbers])
        raise ValueError(f"{path!r} names no parameter; there are {choices or 'none here'}.")
    name, *entries = rest
    position, sizes = [], []
    for names_of, entry in itertools.zip_longest(numbers[name].entries, entries):
        choices = getattr(node, names_of) if names_of else ()
        if entry not in choices:
            known = f"entries are {', '.join(choices)}" if choices else "it has no entries"
            raise ValueError(f"{path!r} names no single number of {walked}.{name}; {known}.")
        position.append(choices.index(entry))
        sizes.append(len(choices))
    return Spot(lambda j: getattr(where(j), name), tuple(position), numbers[name], tuple(sizes))


def sweepable(job: Job, path: str) -> Spot:
    """The parameter a path names, if sweeping it changes anything. Raises ``ValueError`` saying why it does not."""
    spot = locate(job, path)
    for unknown in job.setup.probes:
        if path in [f"reservoirs.{unknown.terminal}.{quantity}" for quantity in unknown.floats]:
            raise ValueError(f"terminal {unknown.terminal!r} floats, so {path} is found, not given; sweep another.")
    if path in job.experiment.sets:
        raise ValueError(f"the experiment sets {path} itself, so nothing would change; sweep another, like its bias.")
    return spot


def check_axes(job: Job, axes: Sequence[Axis]) -> None:
    """Raise ``ValueError`` unless every axis and what is tied to it sets a parameter of its own, within its range."""
    taken: set[str] = set()
    for follower, values in ((follower, axis.values) for axis in axes for follower in axis.followers):
        meaning = sweepable(job, follower.path).meaning
        if follower.path in taken:
            raise ValueError(f"{follower.path!r} is set by two axes or ties; leave one out.")
        taken.add(follower.path)
        if not meaning.accepts(follower.applied(values)):
            raise ValueError(
                f"axis {follower.path!r} leaves the allowed range: {meaning.doc} takes {meaning.allowed()}."
            )


def grid_of(axes: Sequence[Axis], shape: tuple[int, ...]) -> np.ndarray:
    """What every parameter is set to, one row per point of the grid, one column per parameter."""
    positions = np.indices(shape).reshape(len(shape), int(np.prod(shape)))
    columns = [
        follower.applied(axis.values)[position]
        for axis, position in zip(axes, positions, strict=True)
        for follower in axis.followers
    ]
    return np.stack(columns, axis=1) if columns else np.zeros((1, 0))
