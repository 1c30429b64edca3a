"""``mesotherm reproduce``: what is written and said, and how it ends; with a small paper made for the purpose."""

import dataclasses
import json

import numpy as np
import pytest
import xarray as xr
from typer.testing import CliRunner

from mesotherm import papers
from mesotherm.cli import app
from mesotherm.papers.reproduction import Check, Figure, Paper
from mesotherm.results import Outcome

RIGHT = Check("fig1-two", "One and one is two.", "Fig. 1", published=2.0, computed=1.0 + 1.0, tolerance=0.1)
WRONG = Check("fig2-sign", "It is positive.", "Sec. 2", True, False, erratum="sign", note="computed: −1")


def figure(number, *checks, status=0):
    def compute(progress):
        progress(2, 2)
        values = ("x", [1.0, np.nan if status else 2.0])
        return {f"fig{number}": xr.Dataset({"current": values, "status": ("x", np.array([0, status], np.int8))})}

    def draw(datasets, path):
        path.write_bytes(b"picture")

    return Figure(number, compute, draw, lambda datasets: checks)


PAPER = Paper(
    "someone2020", "A. Someone (2020)", (figure("1", RIGHT), figure("2", WRONG)), lambda: (), {"sign": "It is not."}
)


@pytest.fixture
def reproduce(monkeypatch, tmp_path):
    def run(*arguments, paper=PAPER, name="someone2020"):
        monkeypatch.setattr(papers, "PAPERS", (paper,))
        return CliRunner().invoke(app, ["reproduce", name, "--out", str(tmp_path), *arguments])

    return run


def test_everything_is_written_and_said(reproduce, tmp_path):
    result = reproduce()
    assert result.exit_code == 0
    folder = tmp_path / "someone2020"
    names = {"fig1.nc", "fig1.png", "fig2.nc", "fig2.png", "checks.json"}
    assert {path.name for path in folder.iterdir()} == names
    right, wrong = json.loads((folder / "checks.json").read_text())
    assert right == {
        "id": "fig1-two",
        "claim": "One and one is two.",
        "source": "Fig. 1",
        "published": 2.0,
        "computed": 2.0,
        "tolerance": 0.1,
        "agrees": True,
        "erratum": None,
        "note": "",
    }
    assert (wrong["published"], wrong["computed"], wrong["tolerance"]) == (True, False, None)
    assert (wrong["agrees"], wrong["erratum"], wrong["note"]) == (False, "sign", "computed: −1")
    assert "1 of 2 claims agree" in result.stdout
    assert "sign: It is not." in result.stdout
    with xr.open_dataset(folder / "fig1.nc") as dataset:
        assert dataset.attrs["paper"] == PAPER.citation
        assert dataset.attrs["command"]


def test_one_figure_renews_its_own_checks_and_keeps_the_others(reproduce, tmp_path):
    reproduce()
    better = dataclasses.replace(RIGHT, computed=2.05)
    result = reproduce("--figure", "1", paper=dataclasses.replace(PAPER, figures=(figure("1", better),)))
    assert result.exit_code == 0
    right, wrong = json.loads((tmp_path / "someone2020" / "checks.json").read_text())
    assert right["computed"] == 2.05
    assert wrong["id"] == "fig2-sign"


@pytest.mark.parametrize(
    ("surprise", "said"),
    [
        (dataclasses.replace(RIGHT, computed=3.0), "fig1-two: not as known"),
        (dataclasses.replace(RIGHT, erratum="sign"), "fig1-two: not as known"),
        (dataclasses.replace(RIGHT, computed=float("nan")), "fig1-two: not as known"),
    ],
)
def test_a_claim_that_comes_out_otherwise_than_known_is_exit_code_3(reproduce, tmp_path, surprise, said):
    result = reproduce("--quiet", paper=dataclasses.replace(PAPER, figures=(figure("1", surprise),)))
    assert result.exit_code == 3
    assert said in result.stderr
    assert result.stdout == ""
    (entry,) = json.loads((tmp_path / "someone2020" / "checks.json").read_text())
    assert entry["computed"] in (3.0, 2.0, None)


def test_failed_points_are_exit_code_3(reproduce):
    result = reproduce(paper=dataclasses.replace(PAPER, figures=(figure("1", RIGHT, status=1),)))
    assert result.exit_code == 3
    assert "fig1: 1 of 2 points failed" in result.stderr


def test_points_without_a_drive_did_not_fail(reproduce):
    result = reproduce(paper=dataclasses.replace(PAPER, figures=(figure("1", RIGHT, status=Outcome.NO_DRIVE),)))
    assert result.exit_code == 0
    assert "failed" not in result.stderr


@pytest.mark.parametrize(
    ("arguments", "name", "said"),
    [
        ((), "somone2020", "did you mean someone2020?"),
        (("--figure", "7"), "someone2020", "there are: 1, 2."),
    ],
)
def test_unknown_names_are_exit_code_2_and_nothing_is_written(reproduce, tmp_path, arguments, name, said):
    result = reproduce(*arguments, name=name)
    assert result.exit_code == 2
    assert said in result.stderr
    assert not any(tmp_path.iterdir())


def test_a_folder_of_something_else_is_left_alone(reproduce, tmp_path):
    (tmp_path / "someone2020").mkdir()
    (tmp_path / "someone2020" / "thesis.tex").write_text("years of work")
    result = reproduce()
    assert result.exit_code == 2
    assert "--force" in result.stderr
    assert [path.name for path in (tmp_path / "someone2020").iterdir()] == ["thesis.tex"]
    assert reproduce("--force").exit_code == 0
    assert (tmp_path / "someone2020" / "thesis.tex").exists()
