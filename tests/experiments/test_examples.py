"""Every example runs as it stands, and shows what it is there to show."""

import numpy as np
import pytest
import xarray as xr
from command_line import mesotherm
from setups import CACHE, ROOT

EXAMPLES = sorted(path.stem for path in (ROOT / "examples").glob("*.toml"))
LARGE = "thermalization_diode"
"""A map of 40401 points; every fifth of its lines is computed from this file in tests/papers/test_diode_map.py."""


@pytest.fixture(autouse=True)
def cache_of_the_tests(monkeypatch):
    """Compiled functions stay with the others of the tests."""
    monkeypatch.setenv("MESOTHERM_CACHE_DIR", str(CACHE))


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.slow] * (name == LARGE)) for name in EXAMPLES])
def test_an_example_runs(tmp_path, name):
    file, out = ROOT / "examples" / f"{name}.toml", tmp_path / "out"
    result = mesotherm("run", file, "--out", out)
    assert result.exit_code == 0, result.output
    with xr.open_dataset(out / "result.nc") as data:
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
        if name == "moving_dot_diode":
            largest = data.odd_rectification_particle.max()
            assert float(largest) == pytest.approx(0.726, abs=2e-3)  # ~0.7 near 0.05 of the hopping, says the paper
            at = float(data.bias[int(data.odd_rectification_particle.argmax("bias"))])
            assert at == pytest.approx(0.0560623 / 2 * 3880, abs=20)  # meV; half of theirs, with both spins
            assert data.position.attrs["units"] == "nm"
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
