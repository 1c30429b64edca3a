"""What the reproduction of a paper consists of: figures computed and drawn, claims checked one by one, errata."""

import dataclasses
import difflib
import json
import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import xarray as xr

Datasets = Mapping[str, xr.Dataset]
"""Datasets by the name of their file, without suffix."""

Progress = Callable[[int, int], None]
"""Called with (points done, points in all)."""


@dataclasses.dataclass(frozen=True)
class Check:
    """One claim of a paper beside what was computed.

    Attributes
    ----------
    id
        Short and stable: figure or equation, then the subject, ``fig2-largest-heat-rectification``.
    claim
        What the paper says, in our words.
    source
        Where it says so.
    published, computed
        The paper's number and ours; for a claim without a number ``True`` and whether it is true.
    tolerance
        Largest difference that still agrees, in the number's own unit; ``None`` for a claim without a number. It is as
        wide as the paper's words and digits leave it.
    erratum
        The erratum that explains why the two do not agree, if they do not.
    note
        The evidence, and whatever a reader needs beside the claim.
    """

    id: str
    claim: str
    source: str
    published: float | bool
    computed: float | bool
    tolerance: float | None = None
    erratum: str | None = None
    note: str = ""

    @property
    def agrees(self) -> bool:
        """Whether computed and published agree within the tolerance."""
        if self.tolerance is None:
            return bool(self.computed) == bool(self.published)
        return bool(abs(float(self.computed) - float(self.published)) <= self.tolerance)

    @property
    def expected(self) -> bool:
        """Whether the result is as known: agreement, or disagreement with an erratum."""
        return self.agrees == (self.erratum is None)

    def as_json(self) -> dict[str, Any]:
        """The entry of ``checks.json``."""
        number = self.tolerance is not None
        return {
            "id": self.id,
            "claim": self.claim,
            "source": self.source,
            "published": float(self.published) if number else bool(self.published),
            "computed": _finite(self.computed) if number else bool(self.computed),
            "tolerance": self.tolerance,
            "agrees": self.agrees,
            "erratum": self.erratum,
            "note": self.note,
        }


def _finite(value) -> float | None:
    return float(value) if math.isfinite(value) else None


@dataclasses.dataclass(frozen=True)
class Figure:
    """One figure of a paper.

    Attributes
    ----------
    number
        As in the paper; a name for what the paper has no figure of.
    compute
        Its datasets.
    draw
        Draws the datasets into a file and computes nothing.
    check
        The claims that can be checked with the datasets.
    """

    number: str
    compute: Callable[[Progress], dict[str, xr.Dataset]]
    draw: Callable[[Datasets, Path], None]
    check: Callable[[Datasets], Iterable[Check]]

    @property
    def file(self) -> str:
        """Name of its picture, without suffix: "fig3"."""
        return f"fig{self.number}" if self.number[0].isdigit() else self.number


@dataclasses.dataclass(frozen=True)
class Paper:
    """A paper and how it is reproduced.

    Attributes
    ----------
    name
        First author and year.
    citation
        How to cite it.
    figures
        What can be reproduced, in order.
    check
        The claims that belong to no figure.
    errata
        What the paper has wrong, or claims too widely: one sentence each, by id.
    """

    name: str
    citation: str
    figures: tuple[Figure, ...]
    check: Callable[[], Iterable[Check]]
    errata: Mapping[str, str]

    def figure(self, number: str) -> Figure:
        """A figure by its number. Raises ``ValueError`` naming those there are."""
        for figure in self.figures:
            if figure.number == number:
                return figure
        known = ", ".join(figure.number for figure in self.figures)
        raise ValueError(f"there is no figure {number!r} of {self.name} to reproduce; there are: {known}.")


def find_paper(papers: Iterable[Paper], name: str) -> Paper:
    """A paper by its name. Raises ``ValueError`` naming those there are."""
    by_name = {paper.name: paper for paper in papers}
    if name in by_name:
        return by_name[name]
    close = difflib.get_close_matches(name, by_name, n=1, cutoff=0.5)
    hint = f"did you mean {close[0]}? " if close else ""
    raise ValueError(f"there is no paper {name!r} to reproduce; {hint}there are: {', '.join(by_name)}.")


def merged_checks(checks: Iterable[Check], previous: Path) -> str:
    """The text of ``checks.json``: these checks, and those of the previous file that were not made again."""
    entries: dict[str, dict[str, Any]] = {}
    if previous.is_file():
        entries = {entry["id"]: entry for entry in json.loads(previous.read_text())}
    for check in checks:
        entries[check.id] = check.as_json()
    return json.dumps(list(entries.values()), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
