"""A device file to start from: commented, written from the classes, and running as it stands."""

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from mesotherm.catalogue import kind_of, kinds, one_line, parts, sources
from mesotherm.device import AbstractDevice, Reservoirs, positions_of
from mesotherm.device_file.problems import dotted, suggestion
from mesotherm.device_file.schema import defaults_of, described
from mesotherm.experiments import AbstractExperiment, Setup, SteadyStateExperiment
from mesotherm.fields import (
    Assignment,
    ChosenName,
    Component,
    Count,
    Groups,
    Links,
    NamedParts,
    Names,
    Parameter,
    Part,
    TerminalName,
    meanings,
    parameters,
)
from mesotherm.mechanics import EquilibriumPosition
from mesotherm.unknowns import AbstractProbe, AbstractUnknown, ThermalizingProbe

COLD, HOT = 1.0, 2.0
"""Temperatures of a template [energy]."""

HOTTEST, POINTS = 3.0, 21
"""Where its axis ends, and how many points it has."""

LARGEST_FORCE = 0.9 / COLD
"""Where an axis of forces on energy ends; at 1/T a terminal would be infinitely hot."""

FAR = 5.0
"""A length of a template."""

COMMENT_COLUMN = 32
"""Column of the comments beside keys."""


def template(name: str, experiment: str | None = None) -> str:
    """The text of a device file for a kind of device, or for a kind of experiment on the first device that allows it.

    Parameters
    ----------
    name
        A kind of device or of experiment.
    experiment
        A kind of experiment; by default the steady state.

    Errors: ``ValueError`` for a kind there is not, or an experiment the device does not allow.
    """
    devices, experiments = kinds(AbstractDevice), kinds(AbstractExperiment)
    if name in experiments and experiment is None:
        candidates, wanted = sorted(devices.values(), key=_of_parts), experiments[name]
    elif name not in devices:
        raise ValueError(f"there is no device or experiment {name!r}; {suggestion(name, [*devices, *experiments])}")
    elif experiment is not None and experiment not in experiments:
        raise ValueError(f"there is no experiment {experiment!r}; {suggestion(experiment, experiments)}")
    else:
        candidates, wanted = [devices[name]], experiments[experiment] if experiment else SteadyStateExperiment
    for cls in candidates:
        if (found := _fitted(cls, wanted)) is not None:
            return "\n".join(_lines(*found)) + "\n"
    raise ValueError(f"the experiment {kind_of(wanted)} cannot be done to {' or '.join(map(kind_of, candidates))}.")


def _of_parts(cls: type) -> bool:
    """Whether a device is put together from named parts: more to read than an experiment's template needs."""
    return any(isinstance(meaning, NamedParts) for meaning in meanings(cls).values())


def _fitted(cls: type, wanted: type) -> tuple[Setup, AbstractExperiment] | None:
    """The example of a device with the experiment, its terminals chosen so that it can be done; or nothing."""
    device = cls.example()
    unknowns: tuple[AbstractUnknown, ...] = tuple(ThermalizingProbe(name) for name in device.usual_probes)
    if parts := positions_of(device):
        unknowns += (EquilibriumPosition(parts, stiffness=1.0, mu=0.0, T=COLD),)
    level = Reservoirs(np.zeros(len(device.terminals)), np.full(len(device.terminals), COLD))
    setup = Setup(device, level, unknowns)
    fixed = [name for name in device.terminals if name not in device.usual_probes]
    names = [(n, m) for n, m in meanings(wanted).items() if isinstance(m, TerminalName)]
    usual = defaults_of(wanted)
    choices = [
        [usual[name], *((one,) for one in device.terminals)]
        if meaning.several
        else [usual[name], *(one for one in fixed if usual[name] != one)]
        for name, meaning in names
    ]
    swept = _own_axis(wanted)
    for chosen in itertools.product(*choices):
        experiment = wanted(**_needed(wanted), **dict(zip((name for name, _ in names), chosen, strict=True)))
        if not _allows(experiment, setup):  # these terminals do not suit it
            continue
        hot = _heated(device, fixed, [name for one in chosen for name in ([one] if isinstance(one, str) else one)])
        heated = Setup(device, level.at(device.index(hot), T=HOT), unknowns)
        heats_itself = swept is not None and swept[1].unit == "energy/k_B"
        return setup if heats_itself or not _allows(experiment, heated) else heated, experiment
    return None


def _allows(experiment: AbstractExperiment, setup: Setup) -> bool:
    """Whether an experiment can be done to a setup."""
    try:
        experiment.prepare(setup)
    except ValueError:
        return False
    return True


def _needed(cls: type) -> dict[str, Any]:
    """Values of the fields of a class that have no default; parts are of the first kind that needs numbers only."""
    usual, numbers, inner = defaults_of(cls), parameters(cls), parts(cls)
    found: dict[str, Any] = {}
    for name in meanings(cls):
        if name in numbers and name not in usual:
            found[name] = FAR if numbers[name].unit == "length" else COLD
        elif name in inner:
            first = _simplest(inner[name])
            found[name] = first(**_needed(first))
    return found


def _simplest(role: type) -> type:
    """The first kind of a role that has no lists of numbers."""
    return next(cls for cls in kinds(role).values() if not any(one.column for one in parameters(cls).values()))


def _heated(device: AbstractDevice, fixed: list[str], named: list[str]) -> str:
    """The terminal that is hot: one that shares no particles with those the experiment names, or the first."""
    near = {device.terminals[i] for name in named[:1] for i in device.conductor_of(name)}
    return next((name for name in fixed if named and name not in near), fixed[0])


def _own_axis(experiment: type) -> tuple[str, Parameter] | None:
    """The parameter of an experiment that is worth sweeping, by its path: the first that is no plain number; of its
    first part, if it has one, the first that has no default."""
    for name, role in parts(experiment).items():
        first = _simplest(role)
        usual = defaults_of(first)
        return next((f"{name}.{path}", one) for path, one in parameters(first).items() if path not in usual)
    own = ((name, meaning) for name, meaning in parameters(experiment).items() if meaning.unit != "1")
    return next(own, None)


def _lines(setup: Setup, experiment: AbstractExperiment) -> Iterator[str]:
    device = setup.device
    kind = kind_of(type(device))
    yield f"# {kind}: {one_line(type(device))}"
    for part in (device, experiment):
        if source := sources(type(part)):
            yield f"# Source of {kind_of(type(part))}: {source}"
    yield "#"
    yield "# Run it with:  mesotherm run THIS_FILE"
    yield f"# More about it:  mesotherm describe {kind}"
    yield ""
    yield f'title = "{kind.replace("_", " ").capitalize()}: {kind_of(type(experiment)).replace("_", " ")}"'
    yield ""
    yield "# Plain numbers are in one energy unit of your choice (k_B = hbar = e = 1). For real units say which, and"
    yield '# write others where you like, "0.2 meV", "120 mK", "3 GHz":'
    yield "#"
    yield "# [units]"
    yield '# energy = "meV"'
    yield '# results = ["nA", "fW", "mK"]'
    yield ""
    yield from _component(device, ("device",))
    yield "[reservoirs]"
    for name, mu, T in zip(device.terminals, setup.reservoirs.mu.tolist(), setup.reservoirs.T.tolist(), strict=True):
        if name not in device.usual_probes:
            yield f"{name} = {{ mu = {mu}, T = {T} }}"
    yield ""
    if setup.probes:
        yield "[unknowns]                      # found, not given"
        for unknown in setup.probes:
            yield f'{unknown.terminal} = "{kind_of(type(unknown))}"'
        yield ""
    for unknown in setup.unknowns:
        if not isinstance(unknown, AbstractProbe):
            yield "# Found, not given:"
            yield from _component(unknown, ("unknowns", kind_of(type(unknown))))
    yield f"# {one_line(type(experiment))}"
    yield from _component(experiment, ("experiment",))
    hot = device.terminals[int(np.argmax(np.asarray(setup.reservoirs.T)))]
    name, path, start, stop = f"T_{hot}", f"reservoirs.{hot}.T", COLD + (HOTTEST - COLD) / (POINTS - 1), HOTTEST
    if (own := _own_axis(type(experiment))) is not None:
        name, path = own[0].split(".")[-1], f"experiment.{own[0]}"
        stop = LARGEST_FORCE if own[1].unit == "1/energy" else HOTTEST
        start = -stop if np.isneginf(own[1].low) else stop / (POINTS - 1)
    yield f"[axes.{name}]"
    yield _with_comment(f'parameter = "{path}"', "path of any key above that is a number")
    yield f"start = {start:g}"
    yield f"stop = {stop:g}"
    yield f"points = {POINTS - (start < 0)}"  # none at zero, where an experiment may have nothing to say


def _component(component: Component, where: tuple[str, ...]) -> Iterator[str]:
    """A component's table, then those inside it."""
    cls = type(component)
    yield f"[{dotted(where)}]"
    yield f'kind = "{kind_of(cls)}"'
    inner = []
    for name, meaning in meanings(cls).items():
        value = getattr(component, name)
        match meaning:
            case Parameter(entries=(), column=False):
                yield _with_comment(f"{name} = {float(value)!r}", described(meaning))
            case Parameter(entries=()):
                yield _with_comment(f"{name} = {np.asarray(value).tolist()}", described(meaning))
            case Count():
                yield _with_comment(f"{name} = {value}", meaning.doc)
            case Names() | TerminalName(several=True):
                yield _with_comment(f"{name} = {_listed(value)}", meaning.doc)
            case TerminalName() | ChosenName():
                yield _with_comment(f'{name} = "{value}"', meaning.doc)
            case _:
                inner.append((name, meaning))
    yield ""
    for name, meaning in inner:
        at = (*where, name)
        value = getattr(component, name)
        if isinstance(meaning, Part | NamedParts):
            yield f"# {meaning.doc}"
            for key, one in value.items() if isinstance(meaning, NamedParts) else [((), value)]:
                yield from _component(one, (*at, key) if key else at)
        elif len(value):
            yield from _named(component, name, meaning, at)


def _named(
    component: Any, name: str, meaning: Assignment | Groups | Links | Parameter, where: tuple[str, ...]
) -> Iterator[str]:
    """A table of entries that have names."""
    value = getattr(component, name)
    if not isinstance(meaning, Parameter):
        yield _with_comment(f"[{dotted(where)}]", meaning.doc)
        for new, existing in value:
            alone = existing if isinstance(existing, str) else existing[0] if len(existing) == 1 else None
            yield f"{new} = {_listed(existing)}" if alone is None else f'{new} = "{alone}"'
    else:
        yield _with_comment(f"[{dotted(where)}]", described(meaning))
        first, *rest = (getattr(component, attribute) for attribute in meaning.entries)
        for label, row in zip(first, np.asarray(value).tolist(), strict=True):
            same = not rest or len(set(row)) == 1
            one = row if not rest else row[0]
            cells = ", ".join(f"{key} = {cell!r}" for key, cell in zip(rest[0], row, strict=True)) if rest else ""
            yield f"{label} = {one!r}" if same else f"{label} = {{ {cells} }}"
    yield ""


def _listed(names) -> str:
    return "[" + ", ".join(f'"{name}"' for name in names) + "]"


def _with_comment(key: str, comment: str) -> str:
    return f"{key.ljust(COMMENT_COLUMN - 1)} # {comment}"
