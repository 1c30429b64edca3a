"""``mesotherm new``: what it writes runs as it stands, for every kind there is."""

import tomllib
from pathlib import Path

import pytest
import xarray as xr
from command_line import mesotherm

from mesotherm.catalogue import kinds
from mesotherm.device import AbstractDevice
from mesotherm.device_file.template import template
from mesotherm.experiments import AbstractExperiment

KINDS = [*kinds(AbstractDevice), *kinds(AbstractExperiment)]
EXAMPLES = [
    tomllib.loads(path.read_text(encoding="utf-8")) for path in (Path(__file__).parents[2] / "examples").glob("*.toml")
]
RUN_IN_EXAMPLES = {example["experiment"]["kind"] for example in EXAMPLES}
QUICKLY_RUN = [kind for kind in kinds(AbstractExperiment) if kind not in RUN_IN_EXAMPLES]
"""The other templates are checked, and run with the slow tests: a device and an experiment of the examples have run."""


@pytest.mark.parametrize("kind", KINDS)
def test_a_template_is_a_device_file(kind, tmp_path):
    file = tmp_path / "mine.toml"
    assert mesotherm("new", kind, "--out", file).exit_code == 0
    result = mesotherm("check", file)
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=() if kind in QUICKLY_RUN else pytest.mark.slow) for kind in KINDS]
)
def test_a_template_runs_as_it_stands(kind, tmp_path):
    file, out = tmp_path / "mine.toml", tmp_path / "out"
    assert mesotherm("new", kind, "--out", file).exit_code == 0
    result = mesotherm("run", file, "--out", out)
    assert result.exit_code == 0, result.output
    assert (out / "figure.png").exists()
    with xr.open_dataset(out / "result.nc") as data:
        assert (data.status == 0).all()
        assert (data.law_violation <= 1).all()
        (axis,) = tomllib.loads(file.read_text(encoding="utf-8"))["axes"].values()
        assert data.attrs["points"] == (20 if axis["start"] < 0 else 21)  # none at zero


@pytest.mark.parametrize("kind", KINDS)
def test_every_key_is_explained(kind):
    """Beside each key of a component stands what it means."""
    lines = template(kind).splitlines()
    tables = tomllib.loads(template(kind))
    for name in ("device", "experiment"):
        start = lines.index(f"[{name}]")
        end = next(i for i in range(start, len(lines)) if not lines[i].strip())
        for line in lines[start + 1 : end]:
            assert line.startswith("kind = ") or "#" in line, line
        assert tables[name]["kind"] in KINDS


def test_an_experiment_on_a_device():
    text = template("thermalization_diode", "current_voltage")
    data = tomllib.loads(text)
    assert data["device"]["kind"] == "thermalization_diode"
    assert data["experiment"]["kind"] == "current_voltage"
    assert data["unknowns"] == {"P": "thermalizing_probe"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("thermalisation_diode",), "did you mean thermalization_diode?"),
        (("coulomb_dots", "--experiment", "diode"), "did you mean diode_test?"),
        (("thermalization_diode", "--experiment", "heat_drag"), "heat_drag cannot be done to thermalization_diode"),
    ],
)
def test_what_cannot_be_written(arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = mesotherm("new", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "coulomb_dots.toml").write_text("mine")
    result = mesotherm("new", "coulomb_dots")
    assert result.exit_code == 2
    assert "is there already" in result.stderr
    assert (tmp_path / "coulomb_dots.toml").read_text() == "mine"
    assert mesotherm("new", "coulomb_dots", "--out", "-").stdout == template("coulomb_dots")
