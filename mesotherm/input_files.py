"""Reading a file that somebody names: any mistake is one sentence, and no pipe or device is waited for."""

import stat
from pathlib import Path


class UnreadableFileError(ValueError):
    """Why a file cannot be read, and what to do; the message follows the file's name.

    Attributes
    ----------
    line
        Where, counted from 1; 0 if it is the file as a whole.
    """

    def __init__(self, message: str, line: int = 0):
        super().__init__(message)
        self.line = line


def read_regular_file(path: Path, largest: int, wanted: str) -> bytes:
    """The bytes of a regular file; anything else is not even opened, because reading a pipe may never end.

    Parameters
    ----------
    largest
        Size [bytes].
    wanted
        What should be named instead: "a device file (TOML)".

    Errors: :class:`UnreadableFileError`.
    """
    try:
        mode, content = path.stat().st_mode, b""
        if stat.S_ISREG(mode):
            with path.open("rb") as file:
                content = file.read(largest + 1)
    except FileNotFoundError as error:
        raise UnreadableFileError("there is no such file; check the name and the folder it counts from.") from error
    except OSError as error:
        reason = error.strerror or error
        raise UnreadableFileError(f"the file cannot be read ({reason}); check its name and its permissions.") from error
    except ValueError as error:  # characters that no name can have
        raise UnreadableFileError("this is not the name of a file; check the name.") from error
    if stat.S_ISDIR(mode):
        raise UnreadableFileError(f"this is a folder; name {wanted}.")
    if not stat.S_ISREG(mode):
        raise UnreadableFileError(f"this is not a regular file; name {wanted}.")
    if len(content) > largest:
        size = f"{largest / 1e6:.0f} MB"
        raise UnreadableFileError(f"the file is larger than {size}; name {wanted} of at most this size.")
    return content


def as_text(content: bytes) -> str:
    """UTF-8 text, with or without a byte order mark. Errors: :class:`UnreadableFileError`, with the line."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise UnreadableFileError("the file is not UTF-8 text; save it with UTF-8 encoding.", line) from error
