"""Where each key of a TOML text stands: parsing with line numbers that come from the parser's structure.

tomlkit keeps every character of the text in its document, so the line of a key is one plus the newlines of everything
rendered before it. The text itself is never searched: a key's name may appear anywhere in it.
"""

import re
import tomllib

import tomlkit
from tomlkit.container import Container
from tomlkit.exceptions import KeyAlreadyPresent, TOMLKitError
from tomlkit.items import AoT, InlineTable, Table

KeyPath = tuple[str | int, ...]
"""Keys from the top of the document down; an integer is a position in an array."""


class Lines:
    """Line of every key of a document; the nearest parent's where a path is not there."""

    def __init__(self, document: Container):
        self._found: dict[KeyPath, int] = {}
        self.last = self._walk(document.body, (), 1)

    def of(self, path: KeyPath) -> int:
        """Line (from 1) of a key, or of its nearest parent that is in the document."""
        while path and path not in self._found:
            path = path[:-1]
        return self._found.get(path, 1)

    def _record(self, path: KeyPath, line: int):
        # A table that only exists through its parts ([a.b] without [a]) stands where the first part does.
        for depth in range(1, len(path) + 1):
            self._found.setdefault(path[:depth], line)

    def _walk(self, body, path: KeyPath, line: int) -> int:
        """Record everything in a container's body that starts at ``line``; the line it ends on."""
        for key, item in body:
            if key is None:
                line += item.as_string().count("\n")
            elif isinstance(item, Table):
                line = self._table(item, (*path, key.key), line, headed=not (item.is_super_table() or key.is_dotted()))
            elif isinstance(item, AoT):
                for position, table in enumerate(item.body):
                    line = self._table(table, (*path, key.key, position), line, headed=True)
            else:
                line = self._value(item, (*path, key.key), line)
        return line

    def _table(self, table: Table, path: KeyPath, line: int, *, headed: bool) -> int:
        if headed:
            line += table.trivia.indent.count("\n")
            self._record(path, line)
            line += (table.trivia.comment_ws + table.trivia.comment + table.trivia.trail).count("\n")
        return self._walk(table.value.body, path, line)

    def _value(self, item, path: KeyPath, line: int) -> int:
        line += item.trivia.indent.count("\n")
        self._record(path, line)
        if isinstance(item, InlineTable):
            self._walk(item.value.body, path, line)
        after = item.as_string() + item.trivia.comment_ws + item.trivia.comment + item.trivia.trail
        return line + after.count("\n")


class TomlSyntaxError(Exception):
    """A text that is not TOML: ``line`` (from 1) and ``reason``."""

    def __init__(self, line: int, reason: str):
        super().__init__(f"line {line}: {reason}")
        self.line, self.reason = line, reason


def parse(text: str) -> tuple[dict, Lines]:
    """Plain data of a TOML text, and the lines of its keys.

    Errors: :class:`TomlSyntaxError` with the line where the parser stopped; for a key given twice, the second one's.
    """
    try:
        document = tomlkit.parse(text)
        return document.unwrap(), Lines(document)
    except RecursionError as error:
        raise TomlSyntaxError(1, "Arrays or tables are nested too deeply.") from error
    except (TOMLKitError, ValueError) as error:  # ValueError: an integer with more digits than Python reads
        if _is_duplicate(error):
            raise TomlSyntaxError(_line_of_duplicate(text), f"{_reason(error)} Give each key once.") from error
        line = getattr(error, "line", 1)
        raise TomlSyntaxError(line, _reason(error)) from error


HINTS = (
    (r"Unexpected character: '\\n'", "The line ends too early: a value or a closing bracket is missing"),
    (r"Unexpected character: '\\x00'|Unexpected end of file", "The file ends inside a text, list or table"),
    (r"Control characters .* use \\u000a instead", "A text is not closed: its second quote is missing in this line"),
    (r"Empty key", "There is no key: lines are KEY = VALUE, and keys are letters, digits, _ and -, or in quotes"),
    (r"(Unexpected character: '[“”„‟«»‘’‚`]')", r"\1. Texts are in straight quotes"),
    (r"(Unexpected character: ',')", r"\1. Decimals have a point, and no comma ends a line"),
    (r"(Unexpected character: '\w')", r'\1. Texts are in quotes, and so are numbers with a unit, like "0.2 meV"'),
)
"""What the parser says (an expression), and how a person is told."""


def _reason(error: Exception) -> str:
    reason = str(error).split(" at line ")[0].rstrip(".")
    for said, told in HINTS:
        if found := re.fullmatch(said, reason):
            return found.expand(told) + "."
    return reason + "."


def _is_duplicate(error: Exception) -> bool:
    return isinstance(error, KeyAlreadyPresent) or isinstance(error.__cause__, KeyAlreadyPresent)


def _line_of_duplicate(text: str) -> int:
    """The parser gives no line for a repeated key: it is the last of the fewest lines that already have one. Python's
    parser does, for a text that follows version 1.0 of the format."""
    try:
        tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        if found := re.search(r"^(?:Cannot|Duplicate) .*\(at line (\d+)", str(error)):
            return int(found[1])
    lines = text.split("\n")

    def repeated(count: int) -> bool:
        try:
            tomlkit.parse("\n".join(lines[:count]))
        except TOMLKitError as error:
            return _is_duplicate(error)
        return False

    without, with_it = 0, len(lines)
    while with_it - without > 1:
        middle = (without + with_it) // 2
        without, with_it = (without, middle) if repeated(middle) else (middle, with_it)
    return with_it
