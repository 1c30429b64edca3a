"""Device files with the experiments on a bias: what runs, what is refused, and the examples."""

import numpy as np
import pytest
import xarray as xr
from command_line import mesotherm
from setups import CACHE, ROOT

DOT = """\
[device]
kind = "coulomb_dots"
dots = ["D"]
levels = { D = 2.0 }
contacts = { L = "D", R = "D" }
tunnel_rates = { L = 1.0, R = 0.4 }
[reservoirs]
L = { T = 2.0 }
R = { T = 1.0 }
[experiment]
"""

DRIVEN = """\
[device]
kind = "coulomb_dots"
dots = ["M", "H"]
levels = { M = 0.5, H = -1.0 }
charging_energies = { M-H = 3.0 }
[device.contacts]
L = "M"
R = "M"
H = "H"
[device.tunnel_rates]
L = { 0 = 1.0, 1 = 0.2 }
R = { 0 = 0.3, 1 = 0.9 }
H = 1.0
[reservoirs]
L = { T = 2.0 }
R = { T = 2.0 }
H = { T = 5.0 }
[experiment]
"""

RUNS = {
    "current_voltage": DOT
    + 'kind = "current_voltage"\n[axes.V]\nparameter = "experiment.bias"\nvalues = [-1.0, 1.0]\n',
    "open_circuit": DOT + 'kind = "open_circuit"\nleft_share = 0.25\n',
    "load_sweep": DOT + 'kind = "load_sweep"\nheat_sources = ["L"]\n',
    "load_sweep over levels": DOT
    + 'kind = "load_sweep"\nheat_sources = ["L"]\n[axes.level]\nparameter = "device.levels.D"\nvalues = [1.0, 2.0]\n',
    "heat_drag": DRIVEN + 'kind = "heat_drag"\ndrivers = ["H"]\n',
}

REFUSED = {
    DOT + 'kind = "load_sweep"\nheat_sources = ["X"]\n': "heat_sources = [\"X\"]: there is no terminal 'X'",
    DOT + 'kind = "load_sweep"\nleft_share = 2.0\n': "left_share",
    DOT + 'kind = "heat_drag"\n': "there is no terminal 'H'",
    DOT + 'kind = "open_circuit"\nright = "L"\n': "open circuit: left and right are both 'L'",
    DOT + 'kind = "load_sweep"\n[axes.load]\nparameter = "device.levels.D"\nvalues = [1.0]\n': "'load' is a name",
}


@pytest.fixture(autouse=True)
def cache_of_the_tests(monkeypatch):
    """Compiled functions stay with the others of the tests."""
    monkeypatch.setenv("MESOTHERM_CACHE_DIR", str(CACHE))


def run(folder, text):
    (folder / "device.toml").write_text(text, encoding="utf-8")
    return run_file(folder, folder / "device.toml")


def run_file(folder, file):
    return mesotherm("run", file, "--out", folder / "out")


@pytest.mark.parametrize("name", RUNS)
def test_a_file_runs(tmp_path, name):
    result = run(tmp_path, RUNS[name])
    assert result.exit_code == 0, result.output
    assert (tmp_path / "out" / "figure.png").exists()
    with xr.open_dataset(tmp_path / "out" / "result.nc") as data:
        assert (data.status == 0).all()
        if name == "load_sweep":
            assert data["load"].sizes == {"load": 33}
            assert data["load"].attrs["units"] == "1"
            assert data.power.dims == ("load",)
        if name == "load_sweep over levels":
            assert data.power.dims == ("level", "load")
        if name == "heat_drag":
            assert data.driver.values.tolist() == ["H"]
            assert data.driver.attrs["long_name"] == "terminal that drives the circuit"


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: text[len(DOT) :].replace("\n", " "))
def test_a_mistake_is_explained(tmp_path, text):
    result = run(tmp_path, text)
    assert result.exit_code == 2, result.output
    assert REFUSED[text] in result.stderr


def examples():
    """Every example; the map of the thermalization diode is computed and checked in ``tests/papers`` already."""
    for path in sorted((ROOT / "examples").glob("*.toml")):
        yield pytest.param(path.stem, marks=pytest.mark.slow if path.stem == "thermalization_diode" else ())


@pytest.mark.parametrize("name", list(examples()))
def test_an_example_runs(tmp_path, name):
    result = run_file(tmp_path, ROOT / "examples" / f"{name}.toml")
    assert result.exit_code == 0, result.output
    with xr.open_dataset(tmp_path / "out" / "result.nc") as data:
        assert (data.status == 0).all()
        if name == "load_sweep":
            assert (data.maximum_efficiency <= 0.5 + data.error_maximum_efficiency).all()
            assert (
                0.25 < data.efficiency_at_maximum_power.sel(level=data.level[data.maximum_power.argmax("level")]) < 0.5
            )
        if name == "peltier_window":
            cooling = data.heat_current.sel(terminal="L")
            assert (cooling.sel(height=4.0).isel(voltage=slice(1, None)) > 0).all()
            assert cooling.sel(height=-1.0, voltage=3.0) < 0
        if name == "ring_thermopower":
            mirrored = data.thermopower.to_numpy()[::-1]
            bound = data.error_thermopower.to_numpy()
            assert np.max(np.abs(data.thermopower.to_numpy() - mirrored) - bound - bound[::-1]) > 0
        if name == "screened_double_barrier":
            assert (abs(data.sel(voltage=0.0, method="nearest").potential) < 1e-9).all()
            assert data.differential_conductance.min() < 0 < data.differential_conductance.max()
        if name == "thermovoltage":
            assert data.open_circuit_bias.min() < 0 < data.open_circuit_bias.max()
        if name == "thermocouple_in_si_units":
            assert (data.power > 0).all()
            assert (data.power <= data.heat_in * (1 - 250 / data.T_G) + data.error_power + data.error_heat_in).all()
            assert data.power.attrs["units"] == "fW"
        if name == "diode_in_si_units":
            symmetric = data.sel(gate=0.0)  # levels at ±1 meV: electrons and holes mirror each other
            assert abs(symmetric.rectification_heat) <= symmetric.error_rectification_heat + 1e-12
            forward, backward = symmetric.probe_temperature
            bound = float(symmetric.error_probe_temperature.sum())
            assert float(abs(forward - backward).max()) <= bound < 1e-3
        if name == "quantum_dot_thermocouple":
            assert (data.power > data.carnot_bound + data.error_power).any()  # the paper's point
        if name == "coulomb_drag":
            deviation = abs(data.predicted_current / data.drag_current - 1)
            assert deviation[-1] < 1e-3 < 0.1 < deviation[0]
        if name == "current_voltage":
            np.testing.assert_allclose(
                data.differential_conductance[1:-1],
                np.gradient(data.particle_current.sel(terminal="L"), data.voltage)[1:-1],
                rtol=0.05,
                atol=1e-3,
            )
            assert data.power.max() > 0
