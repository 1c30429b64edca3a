"""Device files with the experiments on a bias: what runs and what is refused."""

import pytest
import xarray as xr
from command_line import mesotherm
from setups import CACHE

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
    return mesotherm("run", folder / "device.toml", "--out", folder / "out")


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
