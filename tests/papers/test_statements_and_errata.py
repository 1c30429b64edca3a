"""Every paper's list of statements, checks and errata belong together, and to its page."""

import json
from pathlib import Path

import pytest

from mesotherm.papers import PAPERS

ROOT = Path(__file__).parents[2]


def stored(paper, what):
    return json.loads((ROOT / "tests" / "data" / f"{paper.name}_{what}.json").read_text())


@pytest.fixture(params=PAPERS, ids=lambda paper: paper.name)
def paper(request):
    return request.param


def test_every_statement_is_checked_or_says_why_not(paper):
    statements = stored(paper, "statements")
    for statement in statements:
        assert len(statement) == 3
        assert statement["where"]
        assert statement["statement"]
        assert bool(statement.get("checks")) != bool(statement.get("not_checkable")), statement["statement"]
    assert {name for one in statements for name in one.get("checks", ())} == set(stored(paper, "checks"))


def test_every_erratum_is_met_and_documented(paper):
    """Met by a check, or the reason why a statement cannot be checked."""
    met = {pin["erratum"] for pin in stored(paper, "checks").values()} - {None}
    reasons = " ".join(statement.get("not_checkable", "") for statement in stored(paper, "statements"))
    page = (ROOT / "docs" / "reproductions" / f"{paper.name}.md").read_text()
    assert met <= set(paper.errata)
    for erratum in paper.errata:
        assert erratum in met or erratum in reasons
        assert f"`{erratum}`" in page
