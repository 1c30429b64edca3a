"""The device file (TOML): what to compute, in a form a person writes.

``load`` reads one and answers with everything a sweep needs, or raises :class:`DeviceFileError` with every mistake it
found. Tables that configure a component have the schema of its class (:mod:`mesotherm.device_file.schema`); here are
the others, and what only the file as a whole can check.
"""

import dataclasses
import re
from pathlib import Path
from typing import Any

import jax.numpy as jnp

from mesotherm.axes import RESERVOIR_PARAMETERS, Axis, Job
from mesotherm.catalogue import kind_of, kinds
from mesotherm.device import AbstractDevice, Reservoirs
from mesotherm.device_file.axes import read_axes, resolve_axes
from mesotherm.device_file.problems import DeviceFileError, Problem, closest, in_a_line, suggestion
from mesotherm.device_file.reader import NO_NAMES, SOME_ENERGY, Reader, with_names_only
from mesotherm.device_file.schema import TABLE, described, field, model, quantity
from mesotherm.device_file.toml_lines import KeyPath, TomlSyntaxError, parse
from mesotherm.experiments import AbstractExperiment, Setup
from mesotherm.fields import Names, TerminalName, meanings, parameters
from mesotherm.input_files import UnreadableFileError, as_text, read_regular_file
from mesotherm.units import DEFAULT_RESULTS, UnitError, Units
from mesotherm.unknowns import AbstractProbe, AbstractUnknown

LARGEST_FILE = 1_000_000
"""Bytes; a device file is a page of text, anything larger is another kind of file."""

MOST_ENTRIES = 10_000
"""Lines, keys and entries of lists: the time it takes to explain a file grows with the square of some of them."""

LONGEST_NAME = 100
"""Bytes of a folder's name, and characters of a title."""

PLACEHOLDER = {"mu": 0.0, "T": 1.0}
"""Reservoir of a floating terminal that the file leaves out; what floats is found, not read."""


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
    units
        Of ``[units]``: what its numbers are in, and what results are to be given in.
    folder, output_variables
        Of ``[output]``: where results go, which are kept; ``None``: not said, all.
    figure_variables, figure_title
        Options of ``[figure]``; ``None`` where the plot chooses.
    tables
        Checksum (SHA-256) of every file with values that was read, by the name the device file gives.
    """

    path: Path
    text: str
    title: str
    setup: Setup
    experiment: AbstractExperiment
    axes: list[Axis]
    units: Units
    folder: str | None = None
    output_variables: list[str] | None = None
    figure_variables: list[str | list[str]] | None = None
    figure_title: str | None = None
    tables: dict[str, str] = dataclasses.field(default_factory=dict)

    @property
    def job(self) -> Job:
        """What is swept, as the experiment prepares it."""
        return Job(self.experiment.prepare(self.setup), self.experiment)


def load(path: str | Path) -> Run:
    """Read a device file.

    Errors: :class:`DeviceFileError` with every mistake found, each with its line and key.
    """
    path = Path(path)
    text = _text(path)
    try:
        data, lines = parse(text)
    except TomlSyntaxError as error:
        advice = "See https://toml.io for how the format is written."
        message = in_a_line(f"this is not TOML: {error.reason} {advice}")
        raise DeviceFileError([Problem(str(path), error.line, "", message)]) from error
    file = _File(Reader(path, lines.of), data)
    run = file.read(path, text)
    if run is None:
        raise DeviceFileError(file.reader.problems)
    return run


def _text(path: Path) -> str:
    def refuse(message: str, line: int = 0) -> DeviceFileError:
        return DeviceFileError([Problem(str(path), line, "", message)])

    if path.suffix == ".nc":
        raise refuse("this is a result, not a device file; mesotherm audit, plot and cite read results.")
    try:
        text = as_text(read_regular_file(path, LARGEST_FILE, "a device file (TOML)"))
    except UnreadableFileError as error:
        raise refuse(str(error), error.line) from error
    if sum(text.count(mark) for mark in "\n=,") > MOST_ENTRIES:
        raise refuse(
            f"the file has more than {MOST_ENTRIES} lines, keys and entries of lists; a device file is a page of text: "
            "put a long column of numbers in a file of its own."
        )
    if not text.strip():
        raise refuse("the file is empty; it needs the tables [device], [reservoirs] and [experiment].")
    return text


# ---------------------------------------------------------------------------------------------------------------------
# The tables of the file itself.

DOCUMENT = model(
    "Document",
    title=(str, field("title of the run", "")),
    units=(TABLE, field("the energy unit, and units of the results", {})),
    device=(TABLE, field("what is computed")),
    reservoirs=(TABLE, field("mu and T of every terminal that does not float")),
    unknowns=(TABLE, field("what is found, not given", {})),
    experiment=(TABLE, field("what is done to the device")),
    axes=(TABLE, field("swept parameters", {})),
    numerics=(TABLE, field("numerical options", {})),
    output=(TABLE, field("where results go, and which are kept", {})),
    figure=(TABLE, field("options of the figure", {})),
)

UNITS = model(
    "Units",
    energy=(
        str | None,
        field(
            'the energy unit, like "meV": plain numbers of this file are in it, and k_B = hbar = e = 1; with one, '
            "values may carry units of their own",
            None,
        ),
    ),
    length=(
        str | None,
        field('the length unit, like "nm", of plain numbers with a length in their unit, where something moves', None),
    ),
    results=(
        list[str],
        field(
            "units of the results, one per dimension; others keep "
            f"{', '.join(DEFAULT_RESULTS)} and the energy unit. Amperes: e times the particle current",
            list(DEFAULT_RESULTS),
        ),
    ),
)

NUMERICS = model(
    "Numerics",
    tolerance=(
        quantity(parameters(Setup)["tolerance"]),
        field(described(parameters(Setup)["tolerance"]), float(Setup.__dataclass_fields__["tolerance"].default)),
    ),
)

OUTPUT = model(
    "Output",
    folder=(str, field("name of the folder for the results, in the current folder; --out goes before it", None)),
    variables=(list[str], field("variables kept in result.nc, with their bounds, status and audit; all of them", None)),
)

FIGURE = model(
    "Figure",
    variables=(list[str | list[str]], field('one variable, or a list of them, per panel, like ["power"]', None)),
    title=(str, field("title of the figure", None)),
)


def reservoir_model(unknown: AbstractUnknown | None, floats: bool):
    """The model of a reservoir: T is required unless it floats, mu only where it alone is given."""
    needed = _needed(unknown) if floats else ("T",)
    return model(
        "Reservoir",
        **{
            name: (quantity(meaning), field(described(meaning), ... if name in needed else PLACEHOLDER[name]))
            for name, meaning in RESERVOIR_PARAMETERS.items()
        },
    )


def _needed(unknown: AbstractUnknown | None) -> tuple[str, ...]:
    """What of a floating terminal's reservoir is given, not found."""
    if not isinstance(unknown, AbstractProbe):
        return ()
    return ("mu",) * (not unknown.floats_mu) + ("T",) * (not unknown.floats_T)


class _File:
    """One device file being read; every problem goes to ``reader``."""

    def __init__(self, reader: Reader, data: dict[str, Any]):
        self.reader = reader
        self.top = reader.table(DOCUMENT, data, ())

    def read(self, path: Path, text: str) -> Run | None:
        """The run, or ``None`` with the problems noted."""
        reader, top = self.reader, self.top
        reader.units = self._units()
        device = reader.component(AbstractDevice, top["device"], ("device",)) if "device" in top else None
        terminals = self._terminals(device)
        unknowns = self._unknowns(terminals)
        reservoirs = self._reservoirs(terminals, unknowns)
        experiment = (
            reader.component(AbstractExperiment, top["experiment"], ("experiment",)) if "experiment" in top else None
        )
        self._check_terminals(experiment, terminals)
        numerics, output, figure = (
            reader.table(shape, top.get(name, {}), (name,))
            for name, shape in (("numerics", NUMERICS), ("output", OUTPUT), ("figure", FIGURE))
        )
        self._check_texts(output, figure)
        written = read_axes(reader, top.get("axes", {}))
        if device is None or reservoirs is None or experiment is None or "tolerance" not in numerics:
            return None
        setup = Setup(device, reservoirs, tuple(u for u in unknowns.values() if u is not None), numerics["tolerance"])
        axes = []
        if (job := self._job(setup, experiment, unknowns)) is not None:
            axes = resolve_axes(reader, written, job)
            self._check_variables(output, figure, job)
        if reader.problems:
            return None
        return Run(
            path=path,
            text=text,
            title=top["title"] or path.name,
            setup=setup,
            experiment=experiment,
            axes=axes,
            units=reader.units,
            folder=output["folder"],
            output_variables=output["variables"],
            figure_variables=figure["variables"],
            figure_title=figure["title"],
            tables=reader.tables,
        )

    def _units(self) -> Units:
        if "units" not in self.top:
            return Units(SOME_ENERGY)
        given = self.top["units"]
        keys = self.reader.table(UNITS, given, ("units",))
        energy = keys.get("energy", SOME_ENERGY)
        if energy is None and "results" in given:
            message = 'needs the energy unit; add energy = "meV", or another, to [units].'
            self.reader.problem(("units", "results"), message)
            energy = SOME_ENERGY
        try:
            chosen = Units(energy)
        except UnitError as error:
            self.reader.problem(("units", "energy"), str(error), energy)
            chosen = Units(SOME_ENERGY)
        try:
            chosen = dataclasses.replace(chosen, length=keys.get("length"))
        except UnitError as error:
            self.reader.problem(("units", "length"), str(error), keys["length"])
        try:
            return dataclasses.replace(chosen, results=tuple(keys.get("results", DEFAULT_RESULTS)))
        except UnitError as error:
            self.reader.problem(("units", "results"), str(error), keys["results"])
            return chosen

    # What the device is joined to.

    def _terminals(self, device: AbstractDevice | None) -> tuple[str, ...] | None:
        """Names of the terminals, also where the device has mistakes of its own; ``None`` if they cannot be known."""
        if device is not None:
            return device.terminals
        data = self.top.get("device")
        cls = kinds(AbstractDevice).get(str(data.get("kind"))) if isinstance(data, dict) else None
        if data is None or cls is None:
            return None
        try:
            terminals = with_names_only(cls, data).terminals
            return terminals if not Names("").refuse(terminals) else None
        except NO_NAMES:
            return None

    def _terminal(self, name: str, where: KeyPath, terminals, value: Any = None) -> bool:
        """Whether a terminal exists; noted if not."""
        if terminals is None or name in terminals:
            return True
        self.reader.problem(
            where, f"there is no terminal {name!r} on this device; {suggestion(name, terminals)}", value
        )
        return False

    def _unknowns(self, terminals) -> dict[str, AbstractUnknown | None]:
        """What is found, by the key it stands under: of a probe its terminal. ``None`` for one with a mistake."""
        found = {}
        for name, data in self.top.get("unknowns", {}).items():
            where = ("unknowns", name)
            found[name] = None
            kind = data.get("kind") if isinstance(data, dict) else data
            cls = kinds(AbstractUnknown).get(kind) if isinstance(kind, str) else None
            if cls is not None and not issubclass(cls, AbstractProbe):
                table = data if isinstance(data, dict) else {"kind": kind}
                found[name] = self.reader.component(AbstractUnknown, table, where)
            elif self._terminal(name, where, terminals):
                if isinstance(data, dict):
                    found[name] = self.reader.component(AbstractUnknown, data, where, terminal=name)
                elif cls := self.reader.named(AbstractUnknown, data, where):
                    found[name] = cls(terminal=name)
        return found

    def _reservoirs(self, terminals, unknowns) -> Reservoirs | None:
        if "reservoirs" not in self.top:
            return None
        unknowns = {
            name: found for name, found in unknowns.items() if found is None or isinstance(found, AbstractProbe)
        }
        given = self.top["reservoirs"]
        before = len(self.reader.problems)
        values = {}
        for name, data in given.items():
            where = ("reservoirs", name)
            if self._terminal(name, where, terminals):
                values[name] = self.reader.table(reservoir_model(unknowns.get(name), name in unknowns), data, where)
                self._check_floating(unknowns.get(name), data, where)
        misspelt = {closest(name, terminals or ()) for name in given if name not in (terminals or ())}
        for name in terminals or ():
            needed = _needed(unknowns.get(name)) if name in unknowns else ("T",)
            if name not in given and name not in misspelt and needed:
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

    def _check_floating(self, unknown: AbstractUnknown | None, data: Any, where: KeyPath):
        """What is found is not given as well."""
        for found in unknown.floats if isinstance(unknown, AbstractProbe) and isinstance(data, dict) else ():
            if found in data:
                message = f"is found, not given: {where[-1]} is a {kind_of(type(unknown))}; leave it out."
                self.reader.problem((*where, found), message, data[found])

    # The experiment.

    def _check_terminals(self, experiment, terminals):
        """What an experiment says are terminals must be."""
        if experiment is None:
            return
        for name, meaning in meanings(type(experiment)).items():
            if isinstance(meaning, TerminalName):
                value, where = getattr(experiment, name), ("experiment", name)
                named, shown = (value, list(value)) if meaning.several else ((value,), value)
                known = [self._terminal(terminal, where, terminals, shown) for terminal in dict.fromkeys(named)]
                twice = next((terminal for terminal in named if named.count(terminal) > 1), None)
                if all(known) and twice is not None:
                    self.reader.problem(where, f"{twice!r} is named twice; names must be different.", shown)

    def _job(self, setup: Setup, experiment: AbstractExperiment, unknowns) -> Job | None:
        """The job, unless the unknowns or the experiment themselves refuse the setup."""
        floating = tuple(probe.terminal for probe in setup.probes)
        before = len(self.reader.problems)
        for name, unknown in unknowns.items():
            if unknown is None:
                continue
            try:
                unknown.check(setup.device, floating)
            except ValueError as error:
                self.reader.problem(("unknowns", name), str(error), kind_of(type(unknown)))
        if len(self.reader.problems) > before or any(p.key.startswith("experiment.") for p in self.reader.problems):
            return None
        try:
            return Job(experiment.prepare(setup), experiment)
        except ValueError as error:
            self.reader.problem(("experiment",), str(error))
            return None

    # What is written and drawn.

    def _check_texts(self, output: dict[str, Any], figure: dict[str, Any]):
        """Titles are lines, and the folder is a plain name: a data file does not say where else to write."""
        for where, text in ((("title",), self.top.get("title")), (("figure", "title"), figure.get("title"))):
            if text and (not text.isprintable() or len(text) > LONGEST_NAME):
                self.reader.problem(where, f"must be one line of up to {LONGEST_NAME} printable characters.", text)
        folder = output.get("folder")
        if folder is not None and not is_plain_name(folder):
            self.reader.problem(
                ("output", "folder"),
                "must be the plain name of a folder, without / or \\, not starting with a dot or a dash; it is made in "
                "the current folder. For another place use --out on the command line.",
                folder,
            )

    def _check_variables(self, output: dict[str, Any], figure: dict[str, Any], job: Job):
        known = job.experiment.variables(job.setup)
        panels = [[panel] if isinstance(panel, str) else panel for panel in figure.get("variables") or ()]
        for position, panel in enumerate(panels):
            if not panel:
                self.reader.problem(("figure", "variables", position), "is an empty panel; leave it out.", panel)
        drawn = [(("figure", "variables"), name) for panel in panels for name in panel]
        kept = [(("output", "variables"), name) for name in output.get("variables") or ()]
        for where, name in drawn + kept:
            variable, _, entry = name.partition(".") if where[0] == "figure" else (name, "", "")
            bare = re.sub(r"^(error|estimate_table)_", "", variable)
            if bare not in known:
                self.reader.problem(where, f"{name!r} is not computed here; {suggestion(variable, known)}")
            elif entry:  # "heat_current.L" draws one entry
                self._check_entry(name, entry, known[bare].dimensions, job.setup, where)

    def _check_entry(self, name: str, entry: str, dimensions: tuple[str, ...], setup: Setup, where: KeyPath):
        """An entry of a variable over terminals or probes must be one of these; others are left to the plot."""
        probes = tuple(unknown.terminal for unknown in setup.probes)
        there = {(): (), ("terminal",): setup.device.terminals, ("probe",): probes}.get(dimensions)
        if there is not None and entry not in there:
            self.reader.problem(where, f"{name!r} names no entry; {suggestion(entry, there)}")


def is_plain_name(name: str) -> bool:
    """Whether a text can be the name of a folder and nothing but a name."""
    return bool(
        re.fullmatch(r"[^\s.\-/\\][^/\\]*(?<![\s.])", name)
        and name.isprintable()
        and len(name.encode()) <= LONGEST_NAME
    )
