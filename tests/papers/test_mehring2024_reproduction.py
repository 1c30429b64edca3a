"""The reproduction of Mehring, Bustos-Marún & Calvo, PRB 109, 085418: datasets, figures and checks."""

import functools
import json
from pathlib import Path

import numpy as np
import pins
import pytest
import xarray as xr

from mesotherm.papers import PAPERS
from mesotherm.papers.reproduction import find_paper
from mesotherm.result_folder import write_dataset
from mesotherm.results import Outcome

ROOT = Path(__file__).parents[2]
PINNED = json.loads((ROOT / "tests" / "data" / "mehring2024_checks.json").read_text())
PAPER = find_paper(PAPERS, "mehring2024")

REQUIRED = {
    "2": {"fig2": {"force", "position", "stability"}, "fig2c": {"position"}},
    "3": {"fig3": {"force"}},
    "4": {
        "fig4": {"odd_rectification_particle"},
        "fig4a": {"position", "transmission", "odd_rectification_particle"},
        "fig4c": {"charge"},
    },
    "5": {"fig5": {"odd_rectification_heat"}, "fig5a": {"position", "transmission", "odd_rectification_heat"}},
    "6": {"fig6": {"position", "stability"}, "fig6b": {"position", "work", "dissipation", "charge"}},
    "7": {"fig7": {"position", "stability"}, "fig7b": {"position", "charge"}},
    "8": {"fig8": {"position"}, "fig8b": {"effective_potential"}},
    "9": {
        "fig9": {"position", "charge"},
        "fig9b": {"effective_potential"},
        "fig9f": {"charge", "error_charge"},
    },
}


@functools.cache
def computed(number):
    return PAPER.figure(number).compute(lambda done, total: None)


@pytest.mark.slow
@pytest.mark.parametrize("number", list(REQUIRED))
def test_checks_files_and_figures(number, tmp_path):
    datasets = computed(number)
    pins.compare(PINNED, PAPER.figure(number).check(datasets), number)
    for name, variables in REQUIRED[number].items():
        assert variables <= set(datasets[name].data_vars)
    for name, dataset in datasets.items():
        write_dataset(dataset, tmp_path / f"{name}.nc")
        assert xr.load_dataset(tmp_path / f"{name}.nc").sizes == dataset.sizes
        assert dataset.attrs["title"]
        assert dataset.attrs["parameters"]
        for variable in (*dataset.data_vars.values(), *dataset.coords.values()):
            if variable.dtype.kind not in "OU":
                assert variable.attrs["long_name"]
                assert "units" in variable.attrs or "flag_meanings" in variable.attrs
        if "audit" in dataset:
            assert float(dataset.audit.max()) <= 1e-8, "energy of the motion"
        for variable in map(str, dataset.data_vars):
            kind, _, of = variable.partition("_")
            if kind in ("error", "estimate") and of in ("force", "position"):
                assert np.nanmax(dataset[variable]) <= 1e-3 * np.nanmax(np.abs(dataset[of]))
    PAPER.figure(number).draw(datasets, tmp_path / "figure.png")
    assert 50e3 < (tmp_path / "figure.png").stat().st_size < 700e3


@pytest.mark.slow
def test_checks_of_the_text():
    pins.compare(PINNED, PAPER.check(), None)


@pytest.mark.slow
def test_the_maps_have_what_was_asked_for():
    for number, name, drive in (("4", "particle", "bias"), ("5", "heat", "delta_temperature")):
        values = computed(number)[f"fig{number}"][f"odd_rectification_{name}"]
        assert values.dims == ("asymmetry", drive)
        assert values.sizes == {"asymmetry": 37, drive: 41}
        still = np.isnan(values.to_numpy())
        assert np.array_equal(still, np.broadcast_to(values[drive].to_numpy() == 0, still.shape))
        status = computed(number)[f"fig{number}"].status
        assert np.array_equal(status == Outcome.NO_DRIVE, still)
        assert np.array_equal(status == Outcome.CONVERGED, ~still)
        assert np.all(computed(number)[f"fig{number}"][f"error_odd_rectification_{name}"].to_numpy()[~still] < 1e-6)
        assert np.allclose(values.asymmetry, np.linspace(-0.9, 0.9, 37))
        largest = 0.2 if drive == "bias" else 2e-3
        assert np.allclose(values[drive], np.linspace(-largest, largest, 41))


@pytest.mark.slow
def test_nothing_is_missing_from_the_charge_against_the_temperature():
    dataset = computed("9")["fig9f"]
    temperatures = dataset.thermal_energy.to_numpy()
    assert len(temperatures) >= 8
    for wanted in (5e-5, 2e-4, 5e-4, 1e-3, 2e-3):
        assert np.min(np.abs(temperatures - wanted)) < 1e-12
    assert dataset.attrs["cycles"] == 1500
    assert 19 < dataset.attrs["time_step"] <= 20
    assert np.all(dataset.error_charge[1:] > 0)


def test_the_force_of_a_temperature_difference():
    """Quick: Fig. 3 by three theories, and its checks; a wrong dataset is noticed."""
    datasets = computed("3")
    assert float(datasets["fig3"].coords["delta_temperature"]) == 1e-3
    pins.compare(PINNED, PAPER.figure("3").check(datasets), "3")
    exchanged = datasets["fig3"].isel(response=[2, 1, 0]).assign_coords(response=datasets["fig3"].response)
    noticed = {check.id for check in PAPER.figure("3").check({"fig3": exchanged}) if not check.expected}
    assert {"fig3-sign-change-linear", "fig3-sign-change-full"} <= noticed
