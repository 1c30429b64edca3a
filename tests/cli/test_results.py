"""Results looked at later: ``audit``, ``plot``, ``cite``, and the report beside them."""

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from command_line import mesotherm

from mesotherm.bibliography import REFERENCES, cited
from mesotherm.catalogue import kinds, roles, sources
from mesotherm.recheck import recheck

HARVESTER = """\
title = "A harvester"
[units]
energy = "ueV"
results = ["pA", "aW", "mK"]
[device]
kind = "coulomb_dots"
dots = ["M", "G"]
[device.contacts]
L = "M"
R = "M"
G = "G"
[device.levels]
M = "-50 ueV"
G = "-50 ueV"
[device.charging_energies]
M-G = "100 ueV"
[device.tunnel_rates]
L = { 0 = "1.5 GHz", 1 = "0.15 GHz" }
R = { 0 = "0.15 GHz", 1 = "1.5 GHz" }
G = "3 GHz"
[reservoirs]
L = { T = "250 mK" }
R = { T = "250 mK" }
G = { T = "500 mK" }
[experiment]
kind = "steady_state"
[axes.T_G]
parameter = "reservoirs.G.T"
start = "100 mK"
stop = "500 mK"
points = 5
[axes.V]
parameter = "reservoirs.R.mu"
values = ["0 ueV", "5 ueV"]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("harvester")
    (place / "harvester.toml").write_text(HARVESTER, encoding="utf-8")
    result = mesotherm("run", place / "harvester.toml", "--out", place / "out", "--json")
    assert result.exit_code == 0, result.output
    (place / "summary.json").write_text(result.stdout)
    return place


@pytest.fixture
def data(folder):
    with xr.open_dataset(folder / "out" / "result.nc") as dataset:
        return dataset.load()


def test_results_are_in_the_units_asked_for(data):
    assert data.particle_current.units == "pA"
    assert data.heat_current.units == data.power.units == "aW"
    assert data.T_G.units == "mK"
    assert data.V.units == "ueV"
    np.testing.assert_allclose(data.T_G, [100, 200, 300, 400, 500])
    joule = 1e-12 * 5e-6 * data.particle_current.sel(terminal="R", V=5)  # pA × 5 µV in W, against the bias if positive
    np.testing.assert_allclose(-joule * 1e18, data.power.sel(V=5), rtol=1e-12)
    # At equal temperatures and without bias nothing flows.
    equal = data.interp(T_G=250, V=0)
    assert equal.attrs["energy_unit"] == "ueV"
    hot = data.sel(T_G=500, V=0)
    assert hot.heat_current.sel(terminal="G") > 0 > hot.heat_current.sel(terminal="L")


def test_the_summary_for_programs(folder, data):
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["fine"] is True
    assert summary["grid"] == {"T_G": 5, "V": 2}
    assert summary["states"] == {"converged": 10}
    power = next(q for q in summary["quantities"] if q["name"] == "power")
    assert power["unit"] == "aW"
    assert power["largest"]["value"] == float(data.power.max())
    assert power["largest"]["place"] == "T_G = 500 mK, V = 5 ueV"
    # 3 GHz of the hot dot's contact at its lowest temperature: ħ·3e9/s over k_B·100 mK.
    (warning,) = summary["warnings"]
    assert "is 0.229 at T_G = 100 mK" in warning
    assert float(data.assumption_value.max()) == pytest.approx(1.054571817e-34 * 3e9 / (1.380649e-23 * 0.1), rel=1e-9)


def test_the_report(folder, data):
    text = (folder / "out" / "report.md").read_text(encoding="utf-8")
    for piece in (
        "# A harvester",
        "![A harvester](figure.png)",
        "| `device.charging_energies.M-G` | 100 ueV |",
        "| `reservoirs.L.T` | 21.54333316 ueV/k_B (250 mK) |",
        "| `reservoirs.G.T` | swept |",
        "| T_G | `reservoirs.G.T` | 100 mK | 500 mK | 5 |",
        "10 of 10 states: converged",
        f"{float(data.power.max()):.6g} (T_G = 500 mK, V = 5 ueV)",
        "| energy currents sum to zero |",
        "**Warning:** assumption strained",
        HARVESTER,
        data.attrs["device_file_sha256"],
        "Thermoelectricity without absorbing energy from the heat sources",
    ):
        assert piece in text, piece


def test_an_audit_holds(folder):
    result = mesotherm("audit", folder / "out" / "result.nc")
    assert result.exit_code == 0, result.output
    assert "BROKEN" not in result.stdout
    again = json.loads(mesotherm("audit", folder / "out" / "result.nc", "--json").stdout)["checked_again"]
    assert len(again) == 7  # two conductors, energy, both laws, the entropies, the text
    assert all(row["holds"] for row in again)


TAMPERED = {
    "particle_current": "particle currents",
    "energy_current": "energy currents",
    "power": "heat taken in",
    "entropy_production": "entrop",
}


@pytest.mark.parametrize("name", TAMPERED)
def test_a_tampered_number_is_found(name, data, tmp_path):
    """One number in ten, changed by a millionth."""
    assert all(finding.holds for finding in recheck(data))
    values = data[name].values
    index = np.unravel_index(np.argmax(np.abs(values)), values.shape)
    values[index] *= 1 + 1e-6
    data.to_netcdf(tmp_path / "bad.nc")
    result = mesotherm("audit", tmp_path / "bad.nc")
    assert result.exit_code == 3
    (line,) = [line for line in result.stdout.splitlines() if "BROKEN" in line]
    assert TAMPERED[name] in line


def test_a_negative_entropy_production_is_found(data):
    data["entropy_production"] = -data.entropy_production
    data["reservoir_entropy_change"] = -data.reservoir_entropy_change
    broken = [finding.sentence for finding in recheck(data) if not finding.holds]
    assert broken == ["entropy production is not negative"]


def test_another_device_file_is_found(data):
    data.attrs["device_file"] = data.attrs["device_file"].replace("500 mK", "600 mK")
    assert [finding.sentence[:15] for finding in recheck(data) if not finding.holds] == ["the device file"]


@pytest.mark.parametrize("suffix", ["png", "pdf", "svg"])
def test_a_plot(folder, tmp_path, suffix):
    out = tmp_path / f"figure.{suffix}"
    at = ("--at", "V=4.9", "--panel", "power", "--panel", "heat_current.G,heat_current.L", "--title", "Mine")
    result = mesotherm("plot", folder / "out" / "result.nc", "--out", out, *at)
    assert result.exit_code == 0, result.output
    start = {"png": b"\x89PNG", "pdf": b"%PDF", "svg": b"<?xml"}[suffix]
    assert out.read_bytes().startswith(start)
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--panel", "nothing"), "cannot draw 'nothing'"),
        (("--at", "T=3"), "there is no axis 'T'; there are: T_G, V"),
        (("--at", "V=high"), "is not a number"),
        (("--out", "figure.doc"), "ends in .png, .pdf or .svg"),
        (("--out", "taken.png"), "is there already"),
        (("--out", "nowhere/figure.png"), "in a folder that is there"),
        (("--panel", "power,particle_current", "--at", "V=0"), "on one axis"),
    ],
)
def test_a_plot_that_cannot_be(folder, tmp_path, monkeypatch, options, message):
    monkeypatch.chdir(tmp_path)
    Path("taken.png").write_text("mine")
    result = mesotherm("plot", folder / "out" / "result.nc", *options)
    assert result.exit_code == 2
    assert message in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["taken.png"]
    assert Path("taken.png").read_text() == "mine"


@pytest.mark.parametrize("command", ["audit", "plot"])
def test_what_is_no_result(command, tmp_path):
    (tmp_path / "text.nc").write_text("no netCDF")
    xr.Dataset({"x": 1}).to_netcdf(tmp_path / "other.nc")
    for name, message in (
        ("nothing.nc", "there is no such file"),
        ("", "this is a folder"),
        ("text.nc", "this is no netCDF file"),
        ("other.nc", "this is no result of mesotherm"),
    ):
        result = mesotherm(command, tmp_path / name)
        assert result.exit_code == 2
        assert message in result.stderr


def test_the_literature_of_a_run(folder):
    for target in (folder / "out" / "result.nc", folder / "harvester.toml"):
        keys = [line for line in mesotherm("cite", target).stdout.splitlines() if line.startswith("@")]
        assert keys == [
            "@article{Whitney2016,",
            "@article{Grassmann1985,",
            "@software{mesotherm,",
            "@software{Bradbury2018,",
            "@misc{Kidger2021,",
            "@misc{Rader2024,",
        ]


def test_every_source_is_in_the_bibliography():
    """What a class names as its source is cited, in a form every BibTeX reads."""
    for role in roles():
        for cls in kinds(role).values():
            if text := sources(cls):
                assert any(reference.mark in text for reference in REFERENCES), text
    assert cited([kinds_of("voltage_probe")])[0].key == "Buttiker1986"
    for reference in REFERENCES:
        assert reference.bibtex.isascii()
        assert reference.bibtex.count("{") == reference.bibtex.count("}")
        assert {"author", "title", "year"} <= set(reference.fields)


def kinds_of(name):
    return next(there[name] for there in map(kinds, roles()) if name in there)


def test_papers_and_names_can_be_cited():
    assert "Engquist" in mesotherm("cite", "heat_probe").stdout
    assert "@software{mesotherm" in mesotherm("cite").stdout
    assert "PRL" not in mesotherm("cite", "balduque2025").stdout
    assert "186301" in mesotherm("cite", "balduque2025").stdout
    assert mesotherm("cite", "balduque").exit_code == 2
