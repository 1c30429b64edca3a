"""[axes] of a device file: which parameters are swept, over which values."""

import dataclasses
import math
from typing import Any, Literal

import numpy as np
import psutil

from mesotherm.axes import Axis, Job, Tie, locate, sweepable
from mesotherm.device_file.problems import dotted
from mesotherm.device_file.reader import Reader
from mesotherm.device_file.schema import TABLE, field, model, out_of_range
from mesotherm.device_file.toml_lines import KeyPath
from mesotherm.fields import GOOD_NAME, Parameter
from mesotherm.sweep import bytes_per_point
from mesotherm.thermodynamics import FURTHER_LAWS, LAWS
from mesotherm.units import UnitError

LARGEST_AXIS = 10_000_000
"""Points of one axis."""

MOST_AXES = 12
"""Dimensions of the grid; those of a result come on top."""

COPIES = 3
"""How often the data of a sweep are in memory at its end: computed, joined, labelled."""

SAME = 1e-14
"""Fraction of an axis's ends below which a value is zero."""

WRITTEN = float | str
"""A number, or a text with a unit that depends on the parameter."""

AXIS = model(
    "Axis",
    parameter=(str, field('what is swept: the path of a key of this file, like "device.left.level"')),
    start=(WRITTEN, field("first value", None)),
    stop=(WRITTEN, field("last value", None)),
    points=(int, field(f"how many values, 1 to {LARGEST_AXIS}", None)),
    spacing=(Literal["linear", "log"], field('"linear" or "log"', "linear")),
    values=(list[WRITTEN], field("the values themselves, in place of start, stop and points", None)),
    scale=(WRITTEN, field("the parameter is set to offset + scale * value", 1.0)),
    offset=(WRITTEN, field("the parameter is set to offset + scale * value", 0.0)),
    tied=(
        list[TABLE],
        field("what follows the same values: a list of { parameter, scale, offset }", []),
    ),
)

TIE = model(
    "Tie",
    parameter=(str, field('what follows: a path, like "device.left.level"')),
    scale=(WRITTEN, field("the parameter is set to offset + scale * value", 1.0)),
    offset=(WRITTEN, field("the parameter is set to offset + scale * value", 0.0)),
)


@dataclasses.dataclass(frozen=True)
class WrittenAxis:
    """An axis as the file gives it.

    Attributes
    ----------
    keys, ties
        What its table and the tables of what is tied to it hold.
    values, unit
        Its values in the unit they are written in; "" for plain numbers.
    """

    keys: dict[str, Any]
    ties: list[dict[str, Any]]
    values: np.ndarray
    unit: str

    def followers(self, where: KeyPath):
        """(place in the file, keys) of everything the axis sets."""
        yield where, self.keys
        for position, tie in enumerate(self.ties):
            yield (*where, "tied", position), tie


def read_axes(reader: Reader, data: Any) -> dict[str, WrittenAxis]:
    """The axes that have no mistake of their own; every mistake is noted."""
    axes = {}
    for name, entry in data.items():
        where = ("axes", name)
        before = len(reader.problems)
        if not GOOD_NAME.fullmatch(name):
            reader.problem(where, "is not a good name for a dimension; use letters, digits and underscores only.")
        keys = reader.table(AXIS, entry, where)
        if len(reader.problems) > before:
            continue
        values, unit = _values(reader, keys, entry, where)
        ties = [reader.table(TIE, tie, (*where, "tied", position)) for position, tie in enumerate(keys["tied"])]
        if len(reader.problems) == before:
            axes[name] = WrittenAxis(keys, ties, values, unit)
    return axes


def _values(reader: Reader, keys: dict[str, Any], given: dict[str, Any], where: KeyPath) -> tuple[np.ndarray, str]:
    """The values of an axis and the unit they are written in; without meaning where a problem was noted."""
    nothing = np.zeros(0), ""
    before = len(reader.problems)
    if keys["values"] is not None:
        for key in ("start", "stop", "points", "spacing"):
            if key in given:
                reader.problem((*where, key), "stands beside values; give values, or start, stop and points.")
        if not keys["values"]:
            reader.problem((*where, "values"), "is empty; give one value or more.")
            return nothing
        numbers, unit = _plain(reader, {(*where, "values", i): v for i, v in enumerate(keys["values"])})
        values = np.array(numbers)
    else:
        missing = [key for key in ("start", "stop", "points") if keys[key] is None]
        if missing:
            reader.problem(where, f"{', '.join(missing)} missing; give start, stop and points, or values = [ ... ].")
            return nothing
        if not 1 <= keys["points"] <= LARGEST_AXIS:
            message = f"how many values must be from 1 to {LARGEST_AXIS}; give such a number."
            reader.problem((*where, "points"), message, keys["points"])
        numbers, unit = _plain(reader, {(*where, key): keys[key] for key in ("start", "stop")})
        if keys["spacing"] == "log" and len(reader.problems) == before and min(numbers) <= 0:
            advice = "start and stop must be > 0 on a log scale; change them, or spacing."
            reader.problem((*where, "spacing"), advice, "log")
        if len(reader.problems) > before:
            return nothing
        start, stop = numbers
        with np.errstate(all="ignore"):  # told below
            values = (np.geomspace if keys["spacing"] == "log" else _linspace)(start, stop, keys["points"])
        if not np.all(np.isfinite(values)):
            reader.problem(where, "start and stop are too far apart for 64-bit numbers; give smaller ones.")
            return nothing
    if len(reader.problems) > before:
        return nothing
    if len(np.unique(values)) < len(values):
        reader.problem(where, "some values are equal; give different values (one value: points = 1).")
    return values, unit


def _linspace(start: float, stop: float, points: int) -> np.ndarray:
    """Evenly spaced values; one that should be zero is."""
    values = np.linspace(start, stop, points)
    return np.where(np.abs(values) < SAME * max(abs(start), abs(stop)), 0.0, values)


def _plain(reader: Reader, written: dict[KeyPath, float | str]) -> tuple[list[float], str]:
    """Numbers without the unit that they must share."""
    numbers, units = [], []
    for where, value in written.items():
        number, unit = value, ""
        if isinstance(value, str):
            try:
                number, unit = reader.units.split(value)
            except UnitError as error:
                reader.unit_problem(where, error, value)
                continue
        if not math.isfinite(number):
            reader.problem(where, "must be a finite number.", value)
        elif units and unit != units[0]:
            first = f"in {units[0]}" if units[0] else "without a unit"
            reader.problem(where, f"is not in the same unit as the others ({first}); write all in one unit.", value)
        numbers.append(number)
        units.append(unit)
    return numbers, units[0] if units else ""


def resolve_axes(reader: Reader, written: dict[str, WrittenAxis], job: Job) -> list[Axis]:
    """The axes of a job: they name parameters, stay in their ranges, and do not stand in each other's way. Every
    mistake is noted."""
    axes = []
    taken = {
        *job.experiment.variables(job.setup),
        "terminal",
        "direction",
        "probe",
        "law",
        "assumption",
        *LAWS,
        *FURTHER_LAWS,
    }
    if len(written) > MOST_AXES:
        reader.problem(("axes",), f"there are {len(written)}; give at most {MOST_AXES}, and tie what moves together.")
    set_by: dict[str, str] = {}
    for name, axis in written.items():
        if name.removeprefix("error_").removeprefix("estimate_table_") in taken:
            reader.problem(("axes", name), f"{name!r} is a name in every result; give the axis another.")
        places = list(axis.followers(("axes", name)))
        read = [_follower(reader, keys, axis, job, where, set_by) for where, keys in places]
        followers = [tie for tie in read if tie is not None]
        if len(followers) == len(places):
            first, *tied = followers
            unit = axis.unit or _unit_of_plain_values(reader, axis, job)
            axes.append(Axis(first.path, axis.values, name, first.scale, first.offset, tuple(tied), unit))
    if len(axes) == len(written):
        _check_memory(reader, axes, job)
    return axes


def _unit_of_plain_values(reader: Reader, axis: WrittenAxis, job: Job) -> str:
    """Unit of values written without one: the parameter's own, or none where they are scaled."""
    if axis.keys["scale"] != 1.0:
        return "1"
    return reader.units.written(locate(job, axis.keys["parameter"]).meaning.unit)


def _follower(reader: Reader, keys, axis: WrittenAxis, job: Job, where: KeyPath, set_by: dict[str, str]) -> Tie | None:
    """One parameter that an axis sets; ``set_by`` says what set which before."""
    before = len(reader.problems)
    path = keys["parameter"]
    at_parameter = (*where, "parameter")
    try:
        meaning = sweepable(job, path).meaning
    except ValueError as error:
        reader.problem(at_parameter, str(error), path)
        return None
    if path in set_by:
        reader.problem(at_parameter, f"{set_by[path]} sweeps this already; leave one out.", path)
    set_by[path] = dotted(where)
    scale = _scale(reader, keys["scale"], axis.unit, meaning, where)
    offset = reader.number(_any(meaning), keys["offset"], (*where, "offset"))
    if len(reader.problems) > before or scale is None or offset is None:
        return None
    tie = Tie(path, scale, offset)
    with np.errstate(all="ignore"):
        reached = tie.applied(axis.values)
    if not meaning.accepts(reached):
        reader.problem(where, f"sets {path} from {reached.min():g} to {reached.max():g}; {out_of_range(meaning)}")
    return tie


def _any(meaning: Parameter) -> Parameter:
    """The same unit, any finite value."""
    return Parameter(meaning.doc, unit=meaning.unit)


def _scale(reader: Reader, written: float | str, unit: str, meaning: Parameter, where: KeyPath) -> float | None:
    """What a value in the axis's unit is multiplied by, its own unit included."""
    at = (*where, "scale")
    try:
        number, own = reader.units.split(written) if isinstance(written, str) else (written, "")
        together = "*".join(part for part in (own, unit) if part)
        if not math.isfinite(number) or number == 0:
            advice = "must be a finite number." if number else "is zero, so nothing would change; give another factor."
            reader.problem(at, advice, written)
            return None
        return number * (reader.units.factor(together, meaning.unit) if together else 1.0)
    except UnitError as error:
        is_text = isinstance(written, str)
        reader.unit_problem(at if is_text else where, error, written if is_text else None)
        return None


def _check_memory(reader: Reader, axes: list[Axis], job: Job):
    """Refuse a grid that cannot be held."""
    total = math.prod(len(axis.values) for axis in axes)
    needed = total * bytes_per_point(job) * COPIES
    free = psutil.virtual_memory().available
    if needed > free:
        fit = int(total * free / needed)
        reader.problem(
            ("axes",),
            f"the grid has {total} points and needs about {needed / 1e9:.3g} GB, but {free / 1e9:.3g} GB are free; "
            f"about {fit} points fit: give fewer, or compute it in parts, one file for each.",
        )
