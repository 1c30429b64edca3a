"""Columns of numbers in files: text tables and netCDF.

A text table has one row per line, cells separated by tabs, semicolons, commas or blanks (whichever of them comes first
in this order in its first line), and may begin with a line of names; so may the comment before its first row, if it has
as many names as that has numbers. Other lines that begin with ``#``, and empty ones, are passed over. A name may be
followed by a unit, ``energy [meV]`` or ``energy (meV)``. Without names the columns are "1", "2" and so on.
"""

import csv
import dataclasses
import difflib
import hashlib
import math
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import xarray as xr
from jaxtyping import Float

from mesotherm.input_files import UnreadableFileError, as_text, read_regular_file

LARGEST_FILE = 20_000_000
"""Bytes."""

FEWEST_ROWS, MOST_ROWS = 2, LARGEST_FILE // 8
"""Rows of numbers; a small file may unpack to any size."""

LONGEST_SHOWN, MOST_LISTED = 40, 20
"""Characters of a cell and names of columns that a message repeats."""

TEXT_SUFFIXES, NETCDF_SUFFIXES = (".csv", ".tsv", ".txt", ".dat"), (".nc",)

WITH_UNIT = re.compile(r"(?P<name>.*?\S)(?:\s*\[(?P<square>[^][]*)\]|\s+\((?P<round>.*)\))")
"""A name with its unit. Round brackets need a blank before them: ``T(E)`` is a name."""

BLANK_SEPARATED = re.compile(r"\S+(?:[ ]+[\[(][^])]{0,50}[])])?")
"""A cell of a line whose cells are separated by blanks; a unit in brackets belongs to the name before it."""

LONGEST_NAME = 200
"""Characters of a name in which a unit is looked for: that takes a time that grows with their square."""


class TableError(ValueError):
    """A file from which a column cannot be read: why, and what to do."""


@dataclasses.dataclass(frozen=True)
class Column:
    """A column of a file.

    Attributes
    ----------
    values
        One number per row, all finite, in ``unit``.
    unit
        As the file writes it; ``None`` if it does not say.
    sha256
        Of the whole file, in hexadecimal.
    """

    values: Float[np.ndarray, "rows"]
    unit: str | None
    sha256: str


def read_column(path: Path, column: str | None) -> Column:
    """Read one column of a text file (.csv, .tsv, .txt, .dat) or one variable of a netCDF file (.nc).

    Parameters
    ----------
    column
        Its name, with or without the unit; ``None`` if there is only one.

    Errors: :class:`TableError` with one message: no regular file of at most 20 MB that can be read, an unknown column,
    a cell that is no finite number (with its line), a line with another number of cells, fewer than two rows.
    """
    suffix = path.suffix.lower()
    try:
        if suffix not in TEXT_SUFFIXES + NETCDF_SUFFIXES:
            known = ", ".join(TEXT_SUFFIXES + NETCDF_SUFFIXES)
            raise TableError(f"has an ending that is not known; give a file that ends in {known}.")
        content = read_regular_file(path, LARGEST_FILE, "a file with the numbers in it")
        if suffix in NETCDF_SUFFIXES:
            values, unit = _variable(path, column)
        else:
            values, unit = _text_column(as_text(content), column)
        if len(values) < FEWEST_ROWS:
            raise TableError(f"has {_count(len(values), 'row')} of numbers; give at least {FEWEST_ROWS}.")
    except UnreadableFileError as error:
        where = f"line {error.line}: " if error.line else ""
        raise TableError(f"{path}: {where}{error}") from error
    except TableError as error:
        raise TableError(f"{path}: {error}") from error
    return Column(values, unit, hashlib.sha256(content).hexdigest())


def _chosen(names: list[str], wanted: str | None, what: str) -> int:
    """The position of the one name that is wanted."""
    listed = ", ".join(map(_shown, names[:MOST_LISTED])) + (" and more" if len(names) > MOST_LISTED else "")
    there = f"there are: {listed}." if names else "there are none."
    if wanted is None:
        if len(names) == 1:
            return 0
        raise TableError(f"does not have exactly one {what}; say which one: {there}")
    if names.count(wanted) > 1:
        raise TableError(f"has {names.count(wanted)} {what}s {wanted!r}; give each a name of its own.")
    if wanted not in names:
        close = difflib.get_close_matches(wanted, names, n=1, cutoff=0.5)
        raise TableError(f"has no {what} {wanted!r}; {f'did you mean {_shown(close[0])}? ' if close else ''}{there}")
    return names.index(wanted)


def _shown(text: str) -> str:
    """What a file says, fit for a message."""
    text = text if text.isprintable() else repr(text)
    return text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + "..."


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


# ---------------------------------------------------------------------------------------------------------------------
# Text.


def _text_column(text: str, column: str | None) -> tuple[np.ndarray, str | None]:
    """The numbers of one column and its unit."""
    rows = _rows(text)
    line, first = next(rows, (0, []))
    if not first:
        raise TableError("is empty; give numbers, one row per line.")
    headed = any(_number(cell) is None for cell in first)
    written = [cell if headed and cell else str(position) for position, cell in enumerate(first, start=1)]
    names, units = zip(*map(_name_and_unit, written), strict=True)
    as_written = column is not None and written.count(column) == 1
    position = written.index(column) if as_written else _chosen(list(names), column, "column")
    values = [] if headed else [_finite(first[position], line)]
    for line, cells in rows:
        if len(cells) != len(first):
            raise TableError(
                f"line {line} has {_count(len(cells), 'cell')} and the first row {len(first)}; give all rows the same."
            )
        values.append(_finite(cells[position], line))
    return np.array(values, float), units[position]


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """The cells of every row, with its line in the file. Names in the comment before the first row are a row too."""
    separator, comment = "", (0, "")
    for line, written in enumerate(re.split(r"\r\n|\r|\n", text), start=1):
        if not written.strip():
            continue
        if written.lstrip().startswith("#"):
            comment = line, written.lstrip().lstrip("#").strip()
            continue
        first = not separator
        separator = separator or next((mark for mark in "\t;," if mark in written.strip()), " ")
        cells = _cells(written, separator, line)
        if first and comment[1] and all(_number(cell) is not None for cell in cells):
            names = _cells(comment[1], separator, comment[0])
            if len(names) == len(cells) and all(_number(name) is None for name in names):
                yield comment[0], names
        yield line, cells


def _cells(written: str, separator: str, line: int) -> list[str]:
    """One line taken apart."""
    if separator == " ":
        return BLANK_SEPARATED.findall(written)
    try:
        (cells,) = csv.reader([written], delimiter=separator, skipinitialspace=True)
    except csv.Error as error:
        raise TableError(f"line {line}: {error}.") from error
    return [cell.strip() for cell in cells]


def _name_and_unit(written: str) -> tuple[str, str | None]:
    found = WITH_UNIT.fullmatch(written) if len(written) <= LONGEST_NAME else None
    if found is None:
        return written, None
    return found["name"], (found["square"] or found["round"] or "").strip() or None


def _number(cell: str) -> float | None:
    """The number a cell holds; ``None`` if it holds none. (Python also reads 1_000.)"""
    try:
        return None if "_" in cell else float(cell)
    except ValueError:
        return None


def _finite(cell: str, line: int) -> float:
    """The number in a cell that must be one."""
    value = _number(cell)
    if value is not None and math.isfinite(value):
        return value
    if not cell:
        raise TableError(f"line {line}: a cell is empty; give a number in every row.")
    comma = re.fullmatch(r"[+-]?\d+,\d+", cell)
    advice = "write the decimal point as a point" if comma else "give a finite number in every row"
    raise TableError(f"line {line}: '{_shown(cell)}' is no number; {advice}.")


# ---------------------------------------------------------------------------------------------------------------------
# netCDF.


def _variable(path: Path, name: str | None) -> tuple[np.ndarray, str | None]:
    """The numbers of one variable and its unit."""
    try:
        dataset = xr.open_dataset(path, engine="netcdf4", decode_times=False)
    except (OSError, ValueError, RuntimeError) as error:
        raise TableError(f"is no netCDF file that can be read: {error}.") from error
    with dataset:
        names = [str(there) for there in dataset.variables]
        chosen = names[_chosen(names, name, "variable")]
        variable = dataset.variables[chosen]
        if variable.ndim != 1:
            shape = f"has {variable.ndim} dimensions" if variable.ndim else "is a single number"
            raise TableError(f"variable {chosen!r} {shape}; give one that is a row of numbers.")
        if not np.issubdtype(variable.dtype, np.integer) and not np.issubdtype(variable.dtype, np.floating):
            raise TableError(f"variable {chosen!r} holds no real numbers ({variable.dtype}); give one that does.")
        if variable.size > MOST_ROWS:
            raise TableError(f"variable {chosen!r} has {variable.size} numbers; give at most {MOST_ROWS}.")
        values, unit = np.array(variable.values, float), variable.attrs.get("units")
    wrong = ~np.isfinite(values)
    if np.any(wrong):
        row = int(np.argmax(wrong))
        raise TableError(f"variable {chosen!r} is {values[row]} in row {row + 1}; give a finite number in every row.")
    return values, None if unit is None else str(unit).strip() or None
