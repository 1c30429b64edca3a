"""Mistakes in a device file, and how they are told."""

import dataclasses
import difflib
import json
import re
from collections.abc import Collection
from typing import Any

from mesotherm.device_file.toml_lines import KeyPath


@dataclasses.dataclass(frozen=True)
class Problem:
    """One mistake: where it is (``line`` 0: the file as a whole), the key, its value as written, what to do."""

    path: str
    line: int
    key: str
    message: str
    value: str = ""

    def __str__(self):
        where = f"{self.path}:{self.line}" if self.line else self.path
        subject = f"{self.key} = {self.value}" if self.value else self.key
        return printable(": ".join(part for part in (where, subject, self.message) if part))

    def as_json(self) -> dict[str, Any]:
        """The same for a program; ``line`` is null where the file as a whole is meant."""
        return {**dataclasses.asdict(self), "path": printable(self.path), "line": self.line or None}


class DeviceFileError(Exception):
    """A device file that cannot be used: ``problems`` has one entry per mistake."""

    def __init__(self, problems: list[Problem]):
        super().__init__(problems)
        self.problems = sorted(problems, key=lambda problem: problem.line)

    def __str__(self):
        told = [str(problem) for problem in self.problems[:MOST_TOLD]]
        more = len(self.problems) - len(told)
        return "\n".join(told + [f"... and {more} mistakes more."] * (more > 0))


def dotted(where: KeyPath) -> str:
    """A key path as a file writes it."""
    written = ""
    for part in where:
        if isinstance(part, int):
            written += f"[{part}]"
        else:
            written += ("." if written else "") + (part if re.fullmatch(r"[A-Za-z0-9_-]+", part) else _quoted(part))
    return written


LONGEST_SHOWN = 60
"""Characters of a value that are shown."""

LONGEST_SENTENCE = 2000
"""Characters of a key or a message: names and paths in them are the file's."""

LONGEST_INTEGER = 4000
"""Bits of an integer that is shown in decimals."""

MOST_TOLD = 100
"""Mistakes that are told at once; a file with more is of another kind."""


def as_written(value: Any) -> str:
    """A value as the file writes it, cut where it is long."""
    if isinstance(value, bool | str):
        text = _quoted(value)
    elif isinstance(value, dict):
        text = "{ " + ", ".join(f"{dotted((key,))} = {as_written(entry)}" for key, entry in value.items()) + " }"
    elif isinstance(value, list):
        text = "[" + ", ".join(as_written(entry) for entry in value[:20]) + "]"
    elif isinstance(value, int) and value.bit_length() > LONGEST_INTEGER:
        text = hex(value)  # Python does not write long integers in decimals
    else:
        text = repr(value) if isinstance(value, int | float) else str(value)
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 3] + "..."


def in_a_line(text: str) -> str:
    """A key or a sentence with names of the file's in it, in one line of readable length."""
    text = printable(text)
    return text if len(text) <= LONGEST_SENTENCE else text[: LONGEST_SENTENCE - 3] + "..."


def printable(text: str) -> str:
    """The same text; what a terminal would obey is escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def _quoted(text: str | bool) -> str:
    """As in a file."""
    return printable(json.dumps(text, ensure_ascii=False))


def suggestion(wrong: str, allowed: Collection[str]) -> str:
    """ "did you mean", then all there is."""
    close = closest(wrong, allowed)
    start = f"did you mean {close}? " if close else ""
    there = ", ".join(name or '""' for name in allowed)
    return start + (f"there are: {there}." if allowed else "there are none here.")


def closest(wrong: str, allowed: Collection[str]) -> str:
    """The name that was probably meant; empty if none is near."""
    same = [name for name in allowed if name.lower() == wrong.lower()]
    close = same or difflib.get_close_matches(wrong, list(allowed), n=1, cutoff=0.5)
    begun = [name for name in allowed if name and wrong.lower().startswith(name.lower())]  # Temp for T
    return close[0] if close else max(begun, key=len, default="")


def type_name(value: Any) -> str:
    """What kind of value a file gives, in words."""
    if isinstance(value, bool):
        return "true or false"
    for cls, name in ((int, "a number"), (float, "a number"), (str, "a text"), (list, "a list"), (dict, "a table")):
        if isinstance(value, cls):
            return name
    return f"a {type(value).__name__}"
