"""``mesotherm list``, ``describe``, ``schema``, ``check`` and completion."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import mesotherm

from mesotherm.catalogue import kinds, one_line, roles
from mesotherm.cli.catalogue import entries
from mesotherm.device_file.reference import reference
from mesotherm.experiments import AbstractExperiment
from mesotherm.fields import Parameter, meanings
from mesotherm.observables import OBSERVABLES
from mesotherm.papers import PAPERS
from mesotherm.plots import DEFAULT_VARIABLES

ROOT = Path(__file__).parents[2]


def test_everything_is_listed_with_a_line():
    shown = mesotherm("list").stdout
    for role in roles():
        for kind, cls in kinds(role).items():
            assert f"  {kind} " in shown
            assert one_line(cls) in shown
    for name in [*OBSERVABLES, *(paper.name for paper in PAPERS)]:
        assert f"  {name} " in shown
    assert all(entry.line.endswith(".") for entry in entries() if isinstance(entry.subject, type))
    assert all(entry.line for entry in entries())
    names = [entry.name for entry in entries()]
    assert len(names) == len(set(names)), "a name describes one thing"


def test_every_experiment_has_a_figure_of_its_own():
    assert {cls.__name__ for cls in kinds(AbstractExperiment).values()} == set(DEFAULT_VARIABLES)


def test_a_section_and_json():
    rows = json.loads(mesotherm("list", "papers", "--json").stdout)
    assert [row["name"] for row in rows] == [paper.name for paper in PAPERS]
    assert all(row["source"] for row in rows)
    wrong = mesotherm("list", "paper")
    assert wrong.exit_code == 2
    assert "did you mean papers?" in wrong.stderr


@pytest.mark.parametrize("name", [entry.name for entry in entries()])
def test_everything_is_described(name):
    """With every parameter, its meaning and its range."""
    (entry,) = (one for one in entries() if one.name == name)
    shown = mesotherm("describe", name)
    assert shown.exit_code == 0
    if isinstance(entry.subject, type):
        for key, meaning in meanings(entry.subject).items():
            if entry.section == "unknowns" and key == "terminal":
                continue
            assert f"  {key} " in shown.stdout
            assert meaning.doc in shown.stdout
            if isinstance(meaning, Parameter) and meaning.allowed() != "any finite number":
                assert meaning.allowed() in shown.stdout


def test_a_name_there_is_not():
    wrong = mesotherm("describe", "thermalizing_prob")
    assert wrong.exit_code == 2
    assert "did you mean thermalizing_probe?" in wrong.stderr


def test_the_reference_page_is_up_to_date():
    """Written by ``make docs``."""
    assert (ROOT / "docs" / "device_file.md").read_text(encoding="utf-8") == reference()
    assert mesotherm("schema", "--format", "markdown").stdout == reference()


def test_a_check_computes_nothing(tmp_path):
    file = ROOT / "examples" / "thermalization_diode.toml"
    facts = json.loads(mesotherm("check", file, "--json").stdout)
    assert facts["grid"] == {"epsilon_1": 201, "epsilon_3": 201}
    assert facts["points"] == 201**2
    assert facts["unknowns"] == {"P": "thermalizing_probe"}
    assert 20 < facts["megabytes"] < 40  # the file of the map takes 30 MB before compression
    assert "40401 points" in mesotherm("check", file).stdout


def test_completion_knows_the_names():
    """What a shell asks for after ``mesotherm describe thermali`` and TAB."""
    command = [sys.executable, "-c", "from mesotherm.cli import app; app(prog_name='mesotherm')"]
    asked = {"_MESOTHERM_COMPLETE": "complete_bash", "COMP_WORDS": "mesotherm describe thermali", "COMP_CWORD": "2"}
    import os

    found = subprocess.run(command, env={**os.environ, **asked}, capture_output=True, text=True, check=False)
    assert found.stdout.split() == ["thermalization_diode", "thermalizing_probe"]


def test_help_is_there_for_every_command():
    for command in ("run", "check", "reproduce", "audit", "plot", "cite", "list", "describe", "new", "schema"):
        shown = mesotherm(command, "--help")
        assert shown.exit_code == 0
        assert "Usage" in shown.stdout


def test_starting_is_quick_in_what_it_imports():
    """Help and version wait neither for figures nor for units."""
    code = "import sys; from mesotherm.cli import app; print([m for m in ('matplotlib', 'pint') if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
