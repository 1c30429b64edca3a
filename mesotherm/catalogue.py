"""What there is to choose from: every final component class, by the role it plays.

Nothing is listed by hand. A role is an abstract component class; its kinds are the final classes below it, in this
package and in the files of the user's that were admitted by name (:func:`admit`). The name of a kind is the class's
name in snake case.
"""

import dataclasses
import importlib.util
import inspect
import os
import pkgutil
import re
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import get_args

from mesotherm import devices, experiments
from mesotherm.device import AbstractDevice
from mesotherm.experiments import AbstractExperiment
from mesotherm.fields import Component, NamedParts, Part, meanings
from mesotherm.unknowns import AbstractUnknown

MAIN_ROLES: tuple[type[Component], ...] = (AbstractDevice, AbstractUnknown, AbstractExperiment)
"""What a run is put together from; parts of these have roles of their own."""

_admitted: dict[str, Path] = {}
"""Modules of the user's own: file of each."""


def kind_of(cls: type) -> str:
    """The name of a class in a file: ``ThermalizingProbe`` is "thermalizing_probe"."""
    return _snake(cls.__name__.removesuffix("Experiment"))


def role_name(role: type) -> str:
    """The name of a role: "device", "barrier"."""
    return _snake(role.__name__.removeprefix("Abstract"))


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def with_article(role: type) -> str:
    """The name of a role in a sentence: "a device", "an unknown"."""
    name = role_name(role)
    return f"an {name}" if name[0] in "aeiou" else f"a {name}"


ABSTRACT_NAMES = ("Abstract", "Has")
"""How names of abstract classes begin."""

ABSTRACT = ("__abstractmethods__", "__abstractvars__", "__abstractclassvars__")
"""Attributes of a class that name what it leaves open."""


def is_final(cls: type) -> bool:
    """Whether a class can be used as it stands. Abstract ones say so in their name or leave methods open."""
    return not inspect.isabstract(cls) and not cls.__name__.startswith(ABSTRACT_NAMES)


def role_of(annotation: object) -> type[Component] | None:
    """The role that a field with this annotation has filled: the annotation itself, if it is an abstract component."""
    if isinstance(annotation, type) and issubclass(annotation, Component) and not is_final(annotation):
        return annotation
    return None


def kinds(role: type) -> dict[str, type[Component]]:
    """The final classes of a role by the name of their kind, in alphabetical order."""
    for package in (devices, experiments):
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    found = {kind_of(cls): cls for cls in _final_below(role) if _is_ours(cls)}
    return dict(sorted(found.items()))


def _final_below(cls: type) -> Iterator[type[Component]]:
    for below in cls.__subclasses__():
        if is_final(below):
            yield below  # and nothing below it: no final class is inherited from
        else:
            yield from _final_below(below)


def _is_ours(cls: type) -> bool:
    if cls.__module__ in _admitted:  # a class of an earlier version of the file may still be somewhere
        return getattr(sys.modules.get(cls.__module__), cls.__name__, None) is cls
    return cls.__module__.split(".")[0] == "mesotherm"


def roles() -> tuple[type[Component], ...]:
    """Every role: the main ones, then those of their parts."""
    found = list(MAIN_ROLES)
    for role in found:  # grows on the way
        for cls in kinds(role).values():
            for inner in parts(cls).values():
                if inner not in found:
                    found.append(inner)
    return tuple(found)


def parts(cls: type) -> dict[str, type[Component]]:
    """Role of every field of a class that is a component itself, or a dict of some."""
    types = {field.name: field.type for field in dataclasses.fields(cls)}
    found = {}
    for name, meaning in meanings(cls).items():
        match meaning:
            case Part():
                found[name] = role_of(types[name])
            case NamedParts():
                found[name] = next(map(role_of, get_args(types[name])[-1:]), None)
    return {name: role for name, role in found.items() if role is not None}


# ---------------------------------------------------------------------------------------------------------------------
# The user's own classes.


class PluginError(ValueError):
    """A plugin that cannot be used: the message says what, and where in the file."""


def admit(path: Path) -> ModuleType:
    """Run a Python file of the user's and offer its final component classes by kind.

    Its code runs with all rights of the caller, so it is only ever named by the user, never by a data file.

    Errors: :class:`PluginError` if the file cannot be read or run, a class is not complete, or a name is taken.
    """
    name = f"mesotherm_plugin_{path.stem}"
    if not _is_file(path):
        raise PluginError(f"{path}: there is no such file; name a Python file with your device's class.")
    if path.suffix != ".py":
        raise PluginError(f"{path}: a plugin is a Python file; its name ends in .py.")
    other = _admitted.get(name)
    if other is not None and other.resolve() != path.resolve():
        raise PluginError(f"{path}: a plugin of this name is there already ({other}); rename the file.")
    taken = {role_name(role): role for role in roles()}
    taken |= {kind: cls for role in roles() for kind, cls in kinds(role).items() if cls.__module__ != name}
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise PluginError(f"{path}: Python cannot load this file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
        _admitted[name] = path
        for cls in vars(module).values():
            if isinstance(cls, type) and issubclass(cls, Component) and cls.__module__ == name:
                _check_complete(cls, path)
        for role in roles():
            for kind, cls in kinds(role).items():
                if cls.__module__ == name:
                    _check(kind, cls, taken, path)
    except PluginError:
        dismiss(name)
        raise
    except (Exception, SystemExit) as error:  # whatever code that is not ours may raise
        dismiss(name)
        said = " ".join(f"{type(error).__name__}: {error}".split())
        raise PluginError(f"{_place(error, path)}: {said}; mend the plugin.") from error
    return module


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long
        return False


def _check_complete(cls: type, path: Path):
    """A class that is not called abstract must not be so: it would not be offered, and nobody told why."""
    left = {name for kind in ABSTRACT for name in getattr(cls, kind, ())}
    if left and not cls.__name__.startswith(ABSTRACT_NAMES):
        raise PluginError(
            f"{path}: {cls.__name__} does not say {', '.join(sorted(left))}; write what is missing into the class, or "
            "begin its name with Abstract if others are made of it."
        )


def _check(kind: str, cls: type, taken: dict[str, type], path: Path):
    """Names are taken once; what a file must say can be said. Adds to the names ``taken``."""
    known = taken.get(kind)
    if known is not None:
        raise PluginError(f"{path}: {cls.__name__}: there is a {kind} already ({known.__module__}); rename the class.")
    taken[kind] = cls
    for field, meaning in meanings(cls).items():
        if isinstance(meaning, Part | NamedParts) and field not in parts(cls):
            many = isinstance(meaning, NamedParts)
            example = "dict[str, AbstractElement]" if many else "AbstractBarrier"
            raise PluginError(
                f"{path}: {cls.__name__}.{field} is a part of no known role; annotate it with an abstract component "
                f"class{' in a dict' * many}, like {example}, itself (no text, "
                "no `from __future__ import annotations`)."
            )
    for field in undeclared(cls):
        raise PluginError(
            f"{path}: {cls.__name__}.{field} has no meaning; declare it with parameter(...), names(...), part(...) or "
            "another function of mesotherm.fields, or give it a default."
        )


def undeclared(cls: type) -> list[str]:
    """Fields that must be given, but that no file can give because their meaning is not declared."""
    declared = meanings(cls)
    signature = inspect.signature(cls)
    return [n for n, p in signature.parameters.items() if n not in declared and p.default is inspect.Parameter.empty]


def dismiss(name: str) -> None:
    """Take back an admitted module: its classes are no longer offered."""
    _admitted.pop(name, None)
    sys.modules.pop(name, None)


def _place(error: BaseException, path: Path) -> str:
    where = os.path.abspath(path)  # as the import system writes it
    if isinstance(error, SyntaxError) and error.filename == where and error.lineno:
        return f"{path}:{error.lineno}"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == where]
    return f"{path}:{lines[-1]}" if lines else str(path)


def admitted() -> dict[str, Path]:
    """Files of the user's own classes, by the name of their module."""
    return dict(_admitted)


# ---------------------------------------------------------------------------------------------------------------------
# What a class says about itself.


def one_line(described: object) -> str:
    """First paragraph of a docstring, in one line."""
    return " ".join((inspect.getdoc(described) or "").split("\n\n")[0].split())


def sources(described: object) -> str:
    """What the docstring names as its source, in one line; empty if it names none."""
    found = re.search(r"^Source:(.*?)(?:\n\s*\n|\Z)", inspect.getdoc(described) or "", re.MULTILINE | re.DOTALL)
    return " ".join(found.group(1).split()) if found else ""
