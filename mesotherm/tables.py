"""Columns of numbers in files (not written yet)."""

from pathlib import Path
from typing import Any


class TableError(ValueError):
    """A file of values that cannot be used."""


def read_column(path: Path, column: str | None) -> Any:
    raise TableError(f"{path}: {column}")
