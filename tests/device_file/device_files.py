"""The device files that tests read, and what they look at."""

from pathlib import Path

HERE = Path(__file__).parent
EXAMPLES = sorted((HERE.parents[1] / "examples").glob("*.toml"))
VALID = sorted((HERE / "valid").glob("*.toml"))
"""Files without a mistake that the malformed ones are made of, and one that uses everything."""

MALFORMED = sorted((HERE / "malformed").glob("*.toml"))
NUMBERS = HERE / "valid" / "transmission.csv"
"""Columns that some of them name."""


def name_of(path: Path) -> str:
    return path.stem


def listing(folder: Path) -> dict[str, bytes | None]:
    """Everything in a folder, hidden files too, with the bytes of files."""
    return {
        str(entry.relative_to(folder)): entry.read_bytes() if entry.is_file() else None for entry in folder.rglob("*")
    }
