"""A sweep of a device with a table in it: beside every bound an estimate of what the table leaves open."""

import importlib

import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import Array, Float

from mesotherm import (
    Axis,
    CurrentVoltage,
    Outcome,
    Reservoirs,
    ResonantBarrier,
    Setup,
    sweep,
)
from mesotherm.devices.tabulated_barrier import TabulatedBarrier, other_readings
from mesotherm.devices.two_terminal_conductor import TwoTerminalConductor
from mesotherm.experiments import AbstractExperiment
from mesotherm.fields import parameter
from mesotherm.observables import Variable

LEVEL, HALF_WIDTH = 0.3, 1.0
ENERGIES = np.linspace(-25.0, 25.0, 101)
TABLE = TabulatedBarrier(ENERGIES, 1 / (1 + ((ENERGIES - LEVEL) / HALF_WIDTH) ** 2))
RESERVOIRS = Reservoirs([0.0, 0.0], [1.5, 1.0])
BIAS = Axis("experiment.bias", [-2.0, -0.5, 0.0, 1.0])
MOVED = np.array([0.0, 0.7])
"""By which the table, and with it the resonance, is moved."""


def of(conductor, axes, **options):
    return sweep(CurrentVoltage(), Setup(conductor, RESERVOIRS), axes, **options)


@pytest.fixture(scope="module")
def swept():
    """The dataset, the reports of progress, and how many functions were compiled."""
    module = importlib.import_module("mesotherm.sweep")
    module.forget_compiled()
    reports = []
    axes = [BIAS, Axis("device.barrier.origin", MOVED)]
    data = of(TwoTerminalConductor(TABLE), axes, progress=lambda done, total: reports.append((done, total)))
    return data, reports, len(module._COMPILED)


def bounded(data):
    return {name.removeprefix("error_") for name in data.data_vars if name.startswith("error_")}


def test_every_variable_with_a_bound_has_an_estimate(swept):
    data, _, _ = swept
    assert "heat_current" in bounded(data)
    estimates = {name for name in data.data_vars if name.startswith("estimate_")}
    assert estimates == {f"estimate_table_{name}" for name in bounded(data)}
    for name in bounded(data):
        estimate = data[f"estimate_table_{name}"]
        assert estimate.dims == data[name].dims
        assert estimate.units == data[name].units
        assert data[name].long_name in estimate.long_name
        assert "table" in estimate.long_name


def test_the_estimate_covers_the_difference_from_what_was_tabulated(swept):
    """A resonance in a table, two rows per half width: far above the bounds, and covered."""
    data, _, _ = swept
    exact = of(
        TwoTerminalConductor(ResonantBarrier(0.0, HALF_WIDTH)), [BIAS, Axis("device.barrier.level", LEVEL + MOVED)]
    )
    for name in ("particle_current", "heat_current", "power"):
        error = abs(data[name].values - exact[name].values)
        estimate = data[f"estimate_table_{name}"].values
        assert np.all(error <= estimate + data[f"error_{name}"].values)
        assert np.max(error) > 1000 * np.max(data[f"error_{name}"].values)
        assert np.max(estimate) < 30 * np.max(error)


def test_the_estimate_is_the_largest_weighted_change_of_any_reading(swept):
    data, _, _ = swept
    moved = []
    for conductor, weight in other_readings(TwoTerminalConductor(TABLE)):
        other = of(conductor, [BIAS, Axis("device.barrier.origin", MOVED)])
        moved.append(weight * abs(other.entropy_production.values - data.entropy_production.values))
    np.testing.assert_allclose(data.estimate_table_entropy_production, np.max(moved, axis=0), rtol=1e-12)


def test_all_readings_share_one_compiled_function_and_count_as_progress(swept):
    """The smooth rule is never tried: it has no bound where a function is only piecewise analytic."""
    data, reports, compiled = swept
    assert compiled == 1
    assert np.all(data.status == Outcome.CONVERGED)
    done, totals = zip(*reports, strict=True)
    points = len(BIAS.values) * len(MOVED)
    assert set(totals) == {3 * points}
    assert np.all(np.diff(done) > 0)
    assert {points, 2 * points, 3 * points} <= set(done)
    assert done[-1] == 3 * points


def test_a_device_without_a_table_has_no_estimates():
    data = of(TwoTerminalConductor.example(), [BIAS])
    assert not [name for name in data.data_vars if name.startswith("estimate_")]


class Transmission(AbstractExperiment):
    """The transmission at one energy, which fails where there is none."""

    energy: Float[Array, ""] = parameter("energy")

    def prepare(self, setup):
        return setup

    def variables(self, setup):
        return {"status": Variable("outcome", "", "1"), "transmission": Variable("transmission", "T", "1")}

    def measure(self, setup, effort):
        transmission = setup.device.barrier.probability(self.energy)
        status = jnp.where(transmission > 0, Outcome.CONVERGED, Outcome.NOT_FINITE).astype(jnp.int8)
        return {"status": status, "transmission": transmission, "error_transmission": jnp.zeros(())}


def test_there_is_no_estimate_where_a_reading_fails():
    """The peak is in a row that is left out in one reading: nothing is transmitted there then."""
    table = TabulatedBarrier(np.arange(7.0), [0.0, 1.0, 0.0, 0.0, 0.5, 0.25, 0.25])
    setup = Setup(TwoTerminalConductor(table), RESERVOIRS)
    data = sweep(Transmission(0.0), setup, [Axis("experiment.energy", [1.0, 2.0, 4.0], "energy")])
    np.testing.assert_array_equal(data.transmission, [1.0, np.nan, 0.5])
    np.testing.assert_array_equal(data.estimate_table_transmission, [np.nan, np.nan, 0.0])


def test_the_columns_of_a_table_cannot_be_swept():
    with pytest.raises(ValueError, match=r"names no parameter; there are device\.barrier\.origin\.$"):
        of(TwoTerminalConductor(TABLE), [Axis("device.barrier.transmissions", [0.5])])
