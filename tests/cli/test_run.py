"""``mesotherm run`` from file to folder: what is written, what is said, how it ends."""

import hashlib
import subprocess
import sys

import numpy as np
import pytest
import xarray as xr
from command_line import mesotherm

from mesotherm import compilation_cache, plots
from mesotherm._version import __version__
from mesotherm.result_folder import refusal, written_whole
from mesotherm.thermodynamics import LAWS

DIODE = """\
title = "A small diode, µ = 0"
[device]
kind = "thermalization_diode"
band_bottom = -40.0
left = { kind = "resonant_barrier", level = -4.8, half_width = 3.0 }
right = { kind = "resonant_barrier", level = 4.8, half_width = 3.0 }
[reservoirs]
L = { T = 1.0 }
R = { T = 1.0 }
[unknowns]
P = "thermalizing_probe"
[experiment]
kind = "diode_test"
delta_temperature = 1.0
[axes.level]
parameter = "device.left.level"
values = [-4.8, 4.8]
"""

# M exchanges electrons with L only while H is empty and with R only while H is filled. With R far above L the upper of
# its two energies is filled and the lower one empty: a population inversion, no probe temperature is positive.
DOTS = """\
title = "A bias that inverts a dot"
[device]
kind = "coulomb_dots"
dots = ["M", "H"]
[device.levels]
M = 0.0
H = 0.0
[device.charging_energies]
M-H = 3.0
[device.contacts]
L = "M"
R = "M"
H = "H"
P = "M"
[device.tunnel_rates]
L = { 0 = 1.0, 1 = 0.0 }
R = { 0 = 0.0, 1 = 1.0 }
H = 1.0
P = 0.0
[reservoirs]
L = { mu = -10.0, T = 1.0 }
R = { T = 1.0 }
H = { T = 2.0 }
[unknowns]
P = "vanishing_probe"
[experiment]
kind = "steady_state"
[axes.bias]
parameter = "reservoirs.R.mu"
values = [-10.0, 10.0]
"""


def run(folder, text, *options):
    file = folder / "device.toml"
    file.write_text(text, encoding="utf-8")
    return mesotherm("run", file, "--out", folder / "out", *options)


@pytest.fixture(scope="module")
def diode(tmp_path_factory):
    folder = tmp_path_factory.mktemp("diode")
    return folder, run(folder, DIODE)


@pytest.fixture(scope="module")
def dots(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dots")
    return folder, run(folder, DOTS)


def test_a_diode_from_file_to_folder(diode):
    folder, result = diode
    assert result.exit_code == 0, result.output
    assert sorted(entry.name for entry in folder.iterdir()) == ["device.toml", "out"]
    assert sorted(entry.name for entry in (folder / "out").iterdir()) == ["figure.png", "report.md", "result.nc"]
    assert (folder / "out" / "figure.png").read_bytes().startswith(b"\x89PNG")
    with xr.open_dataset(folder / "out" / "result.nc") as data:
        assert dict(data.sizes) == {"level": 2, "direction": 2, "terminal": 3, "probe": 1, "law": len(LAWS)}
        assert data.terminal.values.tolist() == ["L", "R", "P"]
        assert data.particle_current.attrs["units"] == "energy/hbar"
        assert data.status.dtype == np.int8
        assert data.status.attrs["flag_meanings"].split()[0] == "converged"
        assert data.status.attrs["flag_values"].tolist() == list(range(len(data.status.attrs["flag_meanings"].split())))
        for name in ("particle_current", "heat_current", "rectification_particle", "probe_temperature"):
            assert (data[f"error_{name}"] >= 0).all()
        assert (abs(data.particle_current.sum("terminal")) <= data.error_particle_current.sum("terminal") + 1e-15).all()
        assert (data.law_violation <= 1).all()
        symmetric = data.sel(level=4.8)
        assert abs(symmetric.rectification_heat) <= symmetric.error_rectification_heat + 1e-12
        assert abs(data.rectification_particle.sel(level=-4.8)) > 0.5


def test_the_dataset_says_where_it_comes_from(diode):
    folder, _ = diode
    with xr.open_dataset(folder / "out" / "result.nc") as data:
        assert data.attrs["device_file"] == DIODE
        assert data.attrs["device_file_name"] == "device.toml"
        assert data.attrs["device_file_sha256"] == hashlib.sha256(DIODE.encode()).hexdigest()
        assert data.attrs["title"] == "A small diode, µ = 0"
        assert data.attrs["mesotherm_version"] == __version__
        for name in ("command", "python_version", "jax_version", "numpy_version", "machine"):
            assert data.attrs[name]


def test_the_summary_is_for_a_person(diode):
    _, result = diode
    for piece in (
        "A small diode", "4 of 4 states", "rectification_particle", "level = -4.8", "energy currents sum to zero",
        "yes", "compiling", "result.nc",
    ):  # fmt: skip
        assert piece in result.stdout
    assert "compiling…" in result.stderr
    assert "2 of 2 points" in result.stderr


def test_failed_points_are_listed_and_end_with_3(dots):
    folder, result = dots
    assert result.exit_code == 3, result.output
    assert "1 of 2 states did not converge" in result.stdout
    assert "bias = 10: population_inversion" in result.stdout
    with xr.open_dataset(folder / "out" / "result.nc") as data:
        assert data.status.values.tolist() == [0, 3]
        assert np.isnan(data.particle_current.sel(bias=10)).all()
        fine = data.sel(bias=-10)
        assert abs(fine.particle_current.sel(terminal=["L", "R"]).sum()) <= fine.error_particle_current.sum() + 1e-15
        assert abs(fine.particle_current.sel(terminal="H")) <= fine.error_particle_current.sel(terminal="H") + 1e-15


def test_a_second_run_replaces_the_results_and_nothing_else(dots):
    folder, _ = dots
    (folder / "out" / "notes.txt").write_text("mine")
    result = run(folder, DOTS.replace("values = [-10.0, 10.0]", "values = [-10.0, -9.0]"), "--quiet")
    assert result.exit_code == 0, result.output
    assert result.output == ""
    assert (folder / "out" / "notes.txt").read_text() == "mine"
    with xr.open_dataset(folder / "out" / "result.nc") as data:
        assert data.bias.values.tolist() == [-10, -9]


def test_a_folder_with_other_files_is_refused(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").write_text("important")
    result = run(tmp_path, DIODE)
    assert result.exit_code == 2
    assert "--force" in result.stderr
    assert [entry.name for entry in (tmp_path / "out").iterdir()] == ["thesis.tex"]
    assert refusal(tmp_path / "out", force=True) == ""
    assert "is a file" in refusal(tmp_path / "device.toml", force=True)


INTERRUPTED_SWEEP = """
import sys
import mesotherm
from mesotherm.cli import app

def interrupted(*_, **__):
    raise KeyboardInterrupt

sys.modules["mesotherm.sweep"].sweep = interrupted
app()
"""


def test_an_interruption_leaves_nothing(tmp_path):
    (tmp_path / "device.toml").write_text(DIODE, encoding="utf-8")
    command = [sys.executable, "-c", INTERRUPTED_SWEEP, "run", "device.toml"]
    result = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert result.returncode == 130
    assert "nothing was written" in result.stderr
    assert "Traceback" not in result.stderr
    assert [entry.name for entry in tmp_path.iterdir()] == ["device.toml"]


def test_an_interruption_while_writing_leaves_nothing(tmp_path):
    def write_half():
        with written_whole(tmp_path / "deep" / "out") as folder:
            (folder / "result.nc").write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()
    assert list((tmp_path / "deep").iterdir()) == []


def test_numbers_are_kept_where_no_figure_can_be_drawn(tmp_path, monkeypatch):
    def refuses(*_, **__):
        raise ValueError("too many axes")

    monkeypatch.setattr(plots, "draw", refuses)
    result = run(tmp_path, DOTS.replace("values = [-10.0, 10.0]", "values = [-10.0, -9.0]"))
    assert result.exit_code == 0
    assert "no figure: too many axes" in result.stdout
    assert sorted(entry.name for entry in (tmp_path / "out").iterdir()) == ["report.md", "result.nc"]


def test_a_cache_that_cannot_be_made_is_said(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MESOTHERM_CACHE_DIR", str(tmp_path / "file" / "cache"))
    assert "no compilation cache" in compilation_cache.enable()


def test_version_and_help():
    version = subprocess.run(
        [sys.executable, "-c", "from mesotherm.cli import app; app()", "--version"], capture_output=True
    )
    assert version.stdout.decode().strip() == f"mesotherm {__version__}"
    shown = mesotherm("run", "--help")
    assert shown.exit_code == 0
    assert "Device file" in shown.stdout


def test_a_single_point_that_fails_is_told(tmp_path):
    """No numbers, no figure; the result says why."""
    text = DOTS.split("[axes.bias]")[0].replace("R = { T = 1.0 }", "R = { mu = 10.0, T = 1.0 }")
    text = text.replace("mu = -10.0", "mu = 0.0")
    result = run(tmp_path, text)
    assert result.exit_code == 3
    assert "no figure: there is nothing to draw" in result.stdout
    assert "the only point: population_inversion" in result.stdout
    assert sorted(entry.name for entry in (tmp_path / "out").iterdir()) == ["report.md", "result.nc"]
