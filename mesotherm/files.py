"""The device file (TOML): what to compute, in a form a person writes.

``load`` reads one and answers with everything a sweep needs, or raises :class:`DeviceFileError` with every mistake it
found. The schema of each table is derived in :mod:`mesotherm.schema`; here is what only the file as a whole can check.
"""

import dataclasses
import math
from pathlib import Path
from typing import Any, Literal

import jax.numpy as jnp
import numpy as np

from mesotherm import schema
from mesotherm.device import AbstractDevice, Reservoirs, parameters
from mesotherm.devices.coulomb_dots import CoulombDots
from mesotherm.dots_table import CoulombDotsTable
from mesotherm.experiments import AbstractExperiment, Setup
from mesotherm.schema import TABLE, Problem, Reader, field, model, number
from mesotherm.sweep import RESERVOIR_PARAMETERS, Axis, Job, Tie, locate
from mesotherm.thermodynamics import LAWS
from mesotherm.toml_lines import TomlSyntaxError, parse
from mesotherm.unknowns import AbstractProbe, AbstractUnknown

LARGEST_FILE = 1_000_000
"""Bytes; a device file is a page of text, anything larger is another kind of file."""

LARGEST_GRID = 10_000_000
"""Points of a whole grid: at 1 kB each the dataset still fits in memory."""

PLACEHOLDER = {"mu": 0.0, "T": 1.0}
"""Reservoir of a floating terminal that the file leaves out; what floats is found, not read."""


class DeviceFileError(Exception):
    """A device file that cannot be used: ``problems`` has one entry per mistake."""

    def __init__(self, problems: list[Problem]):
        super().__init__(problems)
        self.problems = sorted(problems, key=lambda problem: problem.line)

    def __str__(self):
        return "\n".join(str(problem) for problem in self.problems)


@dataclasses.dataclass(frozen=True)
class Run:
    """A device file, understood.

    Attributes
    ----------
    path, text
        The file and its content.
    title
        Its title; the file's name if it gives none.
    setup, experiment, axes
        What :func:`mesotherm.sweep.sweep` needs; the tolerance of ``[numerics]`` is in ``setup``.
    figure_variables, figure_title
        Options of ``[figure]``; ``None`` where the plot chooses.
    """

    path: Path
    text: str
    title: str
    setup: Setup
    experiment: AbstractExperiment
    axes: list[Axis]
    figure_variables: list[str | list[str]] | None = None
    figure_title: str | None = None


def load(path: str | Path) -> Run:
    """Read a device file.

    Errors: :class:`DeviceFileError` with every mistake found, each with its line and key.

    Examples
    --------
    >>> run = load("examples/thermalization_diode.toml")  # doctest: +SKIP
    """
    path = Path(path)
    text = _text(path)
    try:
        data, lines = parse(text)
    except TomlSyntaxError as error:
        advice = "see https://toml.io for how the format is written."
        raise DeviceFileError(
            [Problem(str(path), error.line, "", f"this is not TOML: {error.reason} {advice}")]
        ) from error
    file = _File(Reader(str(path), lines.of), data)
    run = file.read(path, text)
    if run is None:
        raise DeviceFileError(file.reader.problems)
    return run


def _text(path: Path) -> str:
    def refuse(message: str) -> DeviceFileError:
        return DeviceFileError([Problem(str(path), 0, "", message)])

    if path.is_dir():
        raise refuse("this is a folder; name a device file (TOML).")
    try:
        with path.open("rb") as stream:
            content = stream.read(LARGEST_FILE + 1)
    except FileNotFoundError as error:
        raise refuse("there is no such file; check the name and the current folder.") from error
    except OSError as error:
        raise refuse(f"the file cannot be read ({error.strerror}); check its permissions.") from error
    if len(content) > LARGEST_FILE:
        raise refuse(f"the file is larger than {LARGEST_FILE // 1_000_000} MB; a device file is a page of text.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        message = "the file is not UTF-8 text; save it with UTF-8 encoding."
        raise DeviceFileError([Problem(str(path), line, "", message)]) from error
    if not text.strip():
        raise refuse("the file is empty; it needs the tables [device], [reservoirs] and [experiment].")
    return text


# ---------------------------------------------------------------------------------------------------------------------
# The tables of the file itself.

DOCUMENT = model(
    "Document",
    title=(str, field("title of the run", "")),
    device=(TABLE, field("what is computed")),
    reservoirs=(TABLE, field("mu and T of every terminal that does not float")),
    unknowns=(TABLE, field("terminals that float", {})),
    experiment=(TABLE, field("what is done to the device")),
    axes=(TABLE, field("swept parameters", {})),
    numerics=(TABLE, field("numerical options", {})),
    figure=(TABLE, field("options of the figure", {})),
)

NUMERICS = model(
    "Numerics",
    tolerance=(
        number(parameters(Setup)["tolerance"]),
        field(parameters(Setup)["tolerance"].doc, float(Setup.__dataclass_fields__["tolerance"].default)),
    ),
)

FIGURE = model(
    "Figure",
    variables=(list[str | list[str]], field('one variable, or a list of them, per panel, like ["power"]', None)),
    title=(str, field("title of the figure", None)),
)

AXIS = model(
    "Axis",
    parameter=(str, field('what is swept, like "device.left.level"')),
    start=(float, field("first value", None)),
    stop=(float, field("last value", None)),
    points=(int, field("how many values", None)),
    spacing=(Literal["linear", "log"], field('"linear" or "log"', "linear")),
    values=(list[float], field("the values themselves, in place of start, stop and points", None)),
    scale=(float, field("the parameter is offset + scale * value", 1.0)),
    offset=(float, field("the parameter is offset + scale * value", 0.0)),
    tied=(list[TABLE], field("other parameters that follow the same values, a list of tables", [])),
)

TIE = model(
    "Tie",
    parameter=(str, field('what follows, like "device.left.level"')),
    scale=(float, field("the parameter is offset + scale * value", 1.0)),
    offset=(float, field("the parameter is offset + scale * value", 0.0)),
)


class _File:
    """One device file being read; every problem goes to ``reader``."""

    def __init__(self, reader: Reader, data: dict[str, Any]):
        self.reader = reader
        self.top = reader.table(DOCUMENT, data, ())

    def read(self, path: Path, text: str) -> Run | None:
        """The run, or ``None`` with the problems noted."""
        reader, top = self.reader, self.top
        device = self._device()
        terminals = self._terminals(device)
        unknowns = self._unknowns(terminals)
        reservoirs = self._reservoirs(terminals, unknowns)
        experiment = (
            reader.component(AbstractExperiment, top["experiment"], ("experiment",)) if "experiment" in top else None
        )
        self._check_terminals(experiment, terminals)
        numerics = reader.table(NUMERICS, top.get("numerics", {}), ("numerics",))
        figure = reader.table(FIGURE, top.get("figure", {}), ("figure",))
        axes = self._axes()
        if device is None or reservoirs is None or experiment is None or "tolerance" not in numerics:
            return None
        setup = Setup(device, reservoirs, tuple(u for u in unknowns.values() if u is not None), numerics["tolerance"])
        self._check(setup, experiment)
        if not reader.problems:
            self._check_axes(axes, Job(setup, experiment))
            self._check_figure(figure, setup, experiment)
        if reader.problems:
            return None
        return Run(
            path=path,
            text=text,
            title=top["title"] or path.name,
            setup=setup,
            experiment=experiment,
            axes=list(axes.values()),
            figure_variables=figure["variables"],
            figure_title=figure["title"],
        )

    # Device.

    def _device(self) -> AbstractDevice | None:
        data = self.top.get("device")
        if data is None:
            return None
        if isinstance(data, dict) and data.get("kind") == schema.kind_of(CoulombDots):
            return CoulombDotsTable(self.reader, data).read()
        return self.reader.component(AbstractDevice, data, ("device",))

    def _terminals(self, device: AbstractDevice | None) -> tuple[str, ...] | None:
        """Names of the terminals, also where the device has mistakes of its own; ``None`` if they cannot be known."""
        if device is not None:
            return device.terminals
        data = self.top.get("device")
        if not isinstance(data, dict):
            return None
        if isinstance(contacts := data.get("contacts"), dict):
            return tuple(contacts)
        cls = schema.KINDS[AbstractDevice].get(str(data.get("kind")))
        fixed = getattr(cls, "__dataclass_fields__", {}).get("terminals")
        return fixed.default if fixed is not None and isinstance(fixed.default, tuple) else None

    # What the device is joined to.

    def _terminal(self, name: str, where: schema.KeyPath, terminals, value: Any = None) -> bool:
        """Whether a terminal exists; noted if not."""
        if terminals is None or name in terminals:
            return True
        self.reader.problem(
            where, f"there is no terminal {name!r} on this device; {schema.suggestion(name, terminals)}", value
        )
        return False

    def _unknowns(self, terminals) -> dict[str, AbstractUnknown | None]:
        """What floats, by terminal; ``None`` for one with a mistake."""
        found = {}
        for name, kind in self.top.get("unknowns", {}).items():
            where = ("unknowns", name)
            cls = self.reader.named(AbstractUnknown, kind, where) if self._terminal(name, where, terminals) else None
            found[name] = cls(terminal=name) if cls else None
        return found

    def _reservoirs(self, terminals, unknowns) -> Reservoirs | None:
        if "reservoirs" not in self.top:
            return None
        given = self.top["reservoirs"]
        before = len(self.reader.problems)
        values = {}
        for name, data in given.items():
            where = ("reservoirs", name)
            if self._terminal(name, where, terminals):
                values[name] = self.reader.table(_reservoir_table(unknowns.get(name), name in unknowns), data, where)
        for name in terminals or ():
            needed = _needed(unknowns.get(name)) if name in unknowns else ("T",)
            if name not in given and needed:
                row = ", ".join(f"{quantity} = ..." for quantity in needed)
                self.reader.problem(
                    ("reservoirs", name),
                    f"is missing; add {name} = {{ {row} }} to [reservoirs]"
                    + ("." if name in unknowns else f', or let it float: {name} = "thermalizing_probe" in [unknowns].'),
                )
        if terminals is None or len(self.reader.problems) > before:
            return None
        rows = [PLACEHOLDER | values.get(name, {}) for name in terminals]
        return Reservoirs(*(jnp.array([row[quantity] for row in rows], float) for quantity in ("mu", "T")))

    # The experiment.

    def _check_terminals(self, experiment, terminals):
        """Every text field of an experiment names a terminal, or several."""
        if experiment is None:
            return
        for entry in dataclasses.fields(experiment):
            if not entry.metadata.get("static"):
                continue
            value, where = getattr(experiment, entry.name), ("experiment", entry.name)
            for name in (value,) if isinstance(value, str) else value:
                self._terminal(name, where, terminals, value if isinstance(value, str) else list(value))

    def _check(self, setup: Setup, experiment: AbstractExperiment):
        """What the unknowns and the experiment themselves ask of the setup."""
        floating = _floating(setup)
        before = len(self.reader.problems)
        for terminal, unknown in floating.items():
            try:
                unknown.check(setup.device, tuple(floating))
            except ValueError as error:
                where = ("unknowns", terminal)
                self.reader.problem(where, str(error), schema.kind_of(type(unknown)))
        if len(self.reader.problems) > before:
            return
        try:
            experiment.prepare(setup)
        except ValueError as error:
            self.reader.problem(("experiment",), str(error))

    # Axes.

    def _axes(self) -> dict[str, Axis]:
        axes: dict[str, Axis] = {}
        for name, data in self.top.get("axes", {}).items():
            where = ("axes", name)
            before = len(self.reader.problems)
            keys = self.reader.table(AXIS, data, where)
            if len(self.reader.problems) > before:
                continue
            values = self._values(keys, data, where)
            tied = [
                self.reader.table(TIE, tie, (*where, "tied", position)) for position, tie in enumerate(keys["tied"])
            ]
            for position, tie in enumerate(tied):
                self._check_scale(tie, (*where, "tied", position))
            if values is not None and len(self.reader.problems) == before:
                ties = tuple(Tie(tie["parameter"], tie["scale"], tie["offset"]) for tie in tied)
                axes[name] = Axis(keys["parameter"], values, name, keys["scale"], keys["offset"], ties)
        total = math.prod(len(axis.values) for axis in axes.values())
        if total > LARGEST_GRID:
            self.reader.problem(
                ("axes",), f"the grid has {total} points; {LARGEST_GRID} are allowed, give fewer points."
            )
        return axes

    def _values(self, keys, data, where) -> np.ndarray | None:
        """The values of an axis, or ``None`` with the problem noted."""
        reader, before = self.reader, len(self.reader.problems)
        for key in ("start", "stop"):
            if keys[key] is not None and not math.isfinite(keys[key]):
                reader.problem((*where, key), "must be a finite number.", keys[key])
        self._check_scale(keys, where)
        if keys["values"] is not None:
            for key in ("start", "stop", "points", "spacing"):
                if key in data:
                    reader.problem((*where, key), "stands beside values; give values, or start, stop and points.")
            values = np.array(keys["values"], float)
            if values.size == 0 or not np.all(np.isfinite(values)):
                reader.problem((*where, "values"), "must be one or more finite numbers.", keys["values"])
        else:
            missing = [key for key in ("start", "stop", "points") if keys[key] is None]
            if missing:
                reader.problem(
                    where, f"{', '.join(missing)} missing; give start, stop and points, or values = [ ... ]."
                )
                return None
            start, stop, points = keys["start"], keys["stop"], keys["points"]
            if not 1 <= points <= LARGEST_GRID:
                reader.problem(
                    (*where, "points"), f"how many values must be from 1 to {LARGEST_GRID}; give such a number.", points
                )
                return None
            if keys["spacing"] == "log" and min(start, stop) <= 0:
                reader.problem(
                    (*where, "spacing"), "start and stop must be > 0 on a log scale; change them, or spacing.", "log"
                )
            if len(reader.problems) > before:
                return None
            values = (np.geomspace if keys["spacing"] == "log" else np.linspace)(start, stop, points)
        if len(np.unique(values)) < len(values):
            reader.problem(where, "some values are equal; give different values (one value: points = 1).")
        return values if len(reader.problems) == before else None

    def _check_scale(self, keys, where):
        """``scale`` and ``offset`` of an axis or a tie."""
        for key in ("scale", "offset"):
            if key in keys and not math.isfinite(keys[key]):
                self.reader.problem((*where, key), "must be a finite number.", keys[key])
        if keys.get("scale") == 0:
            self.reader.problem((*where, "scale"), "is zero, so nothing would change; give another factor.", 0.0)

    def _check_axes(self, axes: dict[str, Axis], job: Job):
        """Axes name parameters, stay in their ranges, and do not stand in each other's way."""
        taken = {*job.experiment.variables(job.setup), "terminal", "direction", "probe", "law", *LAWS}
        seen: dict[str, str] = {}
        for name, axis in axes.items():
            if name in taken:
                self.reader.problem(("axes", name), f"{name!r} is a name in every result; give the axis another.")
            for position, follower in enumerate(axis.followers):
                where = ("axes", name, "tied", position - 1) if position else ("axes", name)
                self._check_follower(follower, axis.values, job, where, seen)

    def _check_follower(self, follower: Tie, values, job: Job, where, seen: dict[str, str]):
        """One parameter that an axis sets; ``seen`` says which axis or tie set which before."""
        at_parameter = (*where, "parameter")
        try:
            meaning = locate(job, follower.path).meaning
        except ValueError as error:
            self.reader.problem(at_parameter, str(error), follower.path)
            return
        if follower.path in seen:
            self.reader.problem(
                at_parameter, f"{seen[follower.path]} sweeps this already; leave one out.", follower.path
            )
        seen[follower.path] = schema.dotted(where)
        head, *rest = follower.path.split(".")
        floating = _floating(job.setup)
        if head == "reservoirs" and rest[0] in floating and rest[1] not in _needed(floating[rest[0]]):
            message = f"terminal {rest[0]!r} floats, so its {rest[1]} is found, not given; sweep something else."
            self.reader.problem(at_parameter, message, follower.path)
        reached = follower.applied(values)
        if not meaning.accepts(reached):
            self.reader.problem(
                where,
                f"sets {follower.path} from {reached.min():g} to {reached.max():g}; {schema.out_of_range(meaning)}",
            )

    def _check_figure(self, figure: dict[str, Any], setup: Setup, experiment: AbstractExperiment):
        known = experiment.variables(setup)
        for panel in figure["variables"] or ():
            for name in [panel] if isinstance(panel, str) else panel:
                variable = name.split(".")[0]  # "heat_current.L" draws one entry
                if variable.removeprefix("error_") not in known:
                    advice = schema.suggestion(variable, known)
                    self.reader.problem(("figure", "variables"), f"{name!r} is not computed here; {advice}")


def _floating(setup: Setup) -> dict[str, AbstractProbe]:
    return {unknown.terminal: unknown for unknown in setup.unknowns if isinstance(unknown, AbstractProbe)}


def _needed(unknown: AbstractUnknown | None) -> tuple[str, ...]:
    """What of a floating terminal's reservoir is given, not found."""
    if not isinstance(unknown, AbstractProbe):
        return ()
    return ("mu",) * (not unknown.floats_mu) + ("T",) * (not unknown.floats_T)


def _reservoir_table(unknown: AbstractUnknown | None, floats: bool):
    """The model of a reservoir: T is required unless it floats, mu only where it alone is given."""
    needed = _needed(unknown) if floats else ("T",)
    return model(
        "Reservoir",
        **{
            name: (number(meaning), field(meaning.doc, ... if name in needed else PLACEHOLDER[name]))
            for name, meaning in RESERVOIR_PARAMETERS.items()
        },
    )
