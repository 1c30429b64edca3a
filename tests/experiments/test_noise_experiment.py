"""Noise as an experiment: what a dataset holds, what sweeps do to it, and what is refused."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import xarray as xr
from command_line import mesotherm
from conductors import in_series, single_level
from setups import CACHE, diode

from mesotherm import Axis, Effort, Outcome, Reservoirs, Setup, VoltageProbe, steady_state, sweep
from mesotherm.experiments.noise import NoiseExperiment
from mesotherm.fluctuations import fano_factor, noise

BIAS = [0.5, 1.0, 3.0]


PROBE = (VoltageProbe("P"),)


def series(unknowns=PROBE):
    return Setup(in_series(0.3, 0.8), Reservoirs([0.0, 0.0, 0.0], [1.0, 1.0, 1.0]), unknowns)


@pytest.fixture(scope="module")
def followed():
    return sweep(NoiseExperiment(following=("P",)), series(), [Axis("reservoirs.L.mu", BIAS, "V")])


def test_numbers_are_those_of_the_state(followed):
    setup = series().with_reservoir("L", mu=BIAS[1])
    state = steady_state(setup.device, setup.reservoirs, setup.unknowns)
    found = noise(state, following=("P",))
    at = followed.isel(V=1)
    assert (followed.status == Outcome.CONVERGED).all()
    for kind in ("particle", "heat", "particle_heat"):
        for part, value in (("", found.value), ("shot_", found.shot)):
            name = f"{part}{kind}_noise"
            difference = abs(at[name].values - np.asarray(getattr(value, kind)))
            assert np.all(difference <= at[f"error_{name}"].values + np.asarray(getattr(found.error, kind)))
            assert followed[name].dims == ("V", "terminal", "other_terminal")
    np.testing.assert_allclose(at.fano_factor[:2], fano_factor(state, found)[0][:2], rtol=1e-9)


def test_labels(followed):
    """Rows belong to the first current, columns to the second: cov(I_L, J_R) is not cov(I_R, J_L)."""
    assert followed.terminal.values.tolist() == followed.other_terminal.values.tolist() == ["L", "R", "P"]
    units = {
        "particle_noise": "e^2*energy/hbar",
        "heat_noise": "energy^3/hbar",
        "particle_heat_noise": "e*energy^2/hbar",
    }
    for name, unit in units.items():
        for variable in (name, f"error_{name}", f"shot_{name}"):
            assert followed[variable].attrs["units"] == unit
    setup = series().with_reservoir("L", mu=BIAS[2])
    found = noise(steady_state(setup.device, setup.reservoirs, setup.unknowns), following=("P",))
    across = followed.particle_heat_noise.isel(V=2).sel(terminal="L", other_terminal="R")
    assert float(across) == pytest.approx(float(found.value.particle_heat[0, 1]), rel=1e-9)
    assert abs(float(found.value.particle_heat[1, 0] / found.value.particle_heat[0, 1]) - 1) > 0.1


def test_following_and_frozen_differ(followed):
    frozen = sweep(NoiseExperiment(frozen=("P",)), series(), [Axis("reservoirs.L.mu", BIAS, "V")])
    assert (frozen.status == Outcome.CONVERGED).all()
    np.testing.assert_allclose(followed.particle_noise.sel(terminal="P"), 0, atol=1e-15)
    np.testing.assert_allclose(frozen.particle_noise.sum("terminal"), 0, atol=1e-14)
    np.testing.assert_allclose(frozen.particle_noise.sel(terminal="L", other_terminal="R"), 0, atol=1e-14)
    first, second = (frozen.particle_noise.sel(terminal=name, other_terminal=name) for name in "LR")
    in_line = (0.8**2 * first + 0.3**2 * second) / 1.1**2
    np.testing.assert_allclose(followed.particle_noise.sel(terminal="L", other_terminal="L"), in_line, rtol=1e-10)


@pytest.mark.slow
def test_a_narrow_level_climbs_the_ladder():
    """The smooth rule does not resolve it; its bound says so and the graded one is used."""
    setup = Setup(single_level(1e-3, 0.3, energy=0.2), Reservoirs([0.0, 0.0], [1.0, 1.0]))
    data = sweep(NoiseExperiment(), setup, [Axis("device.energy", [0.0, 0.5])])
    assert (data.status == Outcome.CONVERGED).all()
    level = np.array([0.0, 0.5])
    thermal = (1 - 0.3**2) * 1e-3 / (4 * np.cosh(level / 2) ** 2)
    np.testing.assert_allclose(data.particle_noise.sel(terminal="L", other_terminal="L"), thermal, rtol=1e-3)
    assert np.isnan(data.fano_factor).all()


def test_noise_worse_than_the_tolerance_is_told():
    """The tolerance is the setup's, for noise as for currents; the numbers stay."""

    @jax.jit
    def measure(tolerance):
        setup = Setup(single_level(2.0, 0.3), Reservoirs([4.0, -4.0], [1.0, 1.0]), tolerance=tolerance)
        state = setup.solve(Effort.FAST)
        return state, NoiseExperiment().measure(setup, Effort.FAST)

    state, out = measure(1e-3)
    allowed = 0.9 * jnp.max(out["error_particle_noise"]) / jnp.max(state.one_way.particle)
    state, out = measure(allowed)
    assert state.outcome == Outcome.CONVERGED
    assert out["status"] == Outcome.TOLERANCE_MISSED
    assert np.isfinite(out["particle_noise"]).all()


@pytest.mark.parametrize(
    ("experiment", "setup", "message"),
    [
        (NoiseExperiment(), series(), "say of the probe 'P' whether it is frozen or following"),
        (NoiseExperiment(frozen=("P",), following=("P",)), series(), "in exactly one of the two"),
        (NoiseExperiment(following=("L",)), series(), "'L' does not float, so that its reservoir cannot follow"),
        (NoiseExperiment(following=("X",)), series(()), "'X' does not float.*no terminal floats"),
        (NoiseExperiment(frozen=("P",)), diode(), "has no scattering matrix and is no rate"),
    ],
)
def test_what_is_refused(experiment, setup, message):
    with pytest.raises(ValueError, match=message):
        sweep(experiment, setup)


DEVICE_FILE = """\
[device]
kind = "double_barrier"
level_1 = 6.7
level_3 = 8.2
half_width_1 = 1.0
half_width_3 = 1.0
cavity_bottom = -40.0
confinement = 1.0
probe_strength = 0.4
[reservoirs]
L = { mu = 1.0, T = 1.0 }
R = { T = 1.0 }
[unknowns]
P = "thermalizing_probe"
[experiment]
kind = "noise"
following = ["P"]
[axes.strength]
parameter = "device.probe_strength"
values = [0.4, 1.0]
"""


@pytest.mark.slow
def test_a_file_runs(tmp_path, monkeypatch):
    monkeypatch.setenv("MESOTHERM_CACHE_DIR", str(CACHE))
    (tmp_path / "noise.toml").write_text(DEVICE_FILE, encoding="utf-8")
    result = mesotherm("run", tmp_path / "noise.toml", "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "out" / "figure.png").exists()
    with xr.open_dataset(tmp_path / "out" / "result.nc") as data:
        assert (data.status == 0).all()
        assert data.other_terminal.values.tolist() == ["L", "R", "P"]
        assert (data.fano_factor.sel(terminal="L") > 0).all()
        np.testing.assert_allclose(data.particle_noise.sum("terminal"), 0, atol=1e-14)
