"""The reproduction of Ghosh & Ghosh, arXiv:2603.06336: datasets, figures and checks."""

import functools
import json
from pathlib import Path

import numpy as np
import pins
import pytest
import xarray as xr

from mesotherm import Reservoirs, TransportKind, cycles
from mesotherm.papers import PAPERS
from mesotherm.papers.ghosh2026 import claims_inverse, two_terminal
from mesotherm.papers.reproduction import find_paper
from mesotherm.result_folder import write_dataset

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data"
PINNED = json.loads((DATA / "ghosh2026_checks.json").read_text())
PAPER = find_paper(PAPERS, "ghosh2026")


@functools.cache
def computed(number):
    return PAPER.figure(number).compute(lambda done, total: None)


@pytest.mark.slow
@pytest.mark.parametrize("number", ["3", "5", "6", "two_terminal"])
def test_checks_files_and_figures(number, tmp_path):
    datasets = computed(number)
    pins.compare(PINNED, PAPER.figure(number).check(datasets), number)
    for name, dataset in datasets.items():
        write_dataset(dataset, tmp_path / f"{name}.nc")
        assert xr.load_dataset(tmp_path / f"{name}.nc").sizes == dataset.sizes
        if "status" in dataset:
            assert np.all(dataset.status == 0)
    PAPER.figure(number).draw(datasets, tmp_path / "figure.png")
    assert 50e3 < (tmp_path / "figure.png").stat().st_size < 250e3


@pytest.mark.slow
def test_checks_of_the_text():
    pins.compare(PINNED, PAPER.check(), None)


@pytest.mark.slow
def test_the_maps_have_what_was_asked_for():
    for name in ("fig3a", "fig3b"):
        dataset = computed("3")[name]
        assert dict(dataset.regime.sizes) == {"force_energy": 400, "force_particle": 400}
        for variable in ("particle_current", "energy_current", "entropy_production"):
            assert f"error_{variable}" in dataset
        assert dataset.regime.attrs["flag_meanings"].split()[int(TransportKind.INVERSE_PARTICLE)] == "inverse_particle"


def test_the_figure_of_three_interactions():
    """Quick: Fig. 6 and its checks."""
    pins.compare(PINNED, PAPER.figure("6").check(computed("6")), "6")
    dataset = computed("6")["fig6"]
    produced = dataset.flux_energy * dataset.force_energy + dataset.flux_particle * dataset.attrs["force_particle"]
    np.testing.assert_allclose(produced, dataset.entropy_production, rtol=1e-9)


def test_a_wrong_dataset_is_noticed():
    dataset = computed("6")["fig6"]
    turned = dataset.assign(regime=dataset.regime.isel(kappa=[2, 1, 0]).assign_coords(kappa=dataset.kappa))
    noticed = {check.id for check in claims_inverse.check_6({"fig6": turned}) if not check.expected}
    assert {"fig6-repulsive", "fig6-strong-attraction"} <= noticed


def test_no_cycle_of_two_terminal_dots_opposes_parallel_forces_above_the_bound():
    """While every addition energy is positive, what a cycle takes from L has n·E ≥ 0; below the bound some has not."""
    rng = np.random.default_rng(4)
    opposed = {True: 0, False: 0}
    for _ in range(30):
        level_b, level_u, kappa = (*rng.uniform(0.1, 2, 2).tolist(), float(rng.uniform(-4, 3)))
        device = two_terminal.two_terminal(level_b, level_u, kappa, rng.uniform(0.1, 1, 2), rng.uniform(0.1, 1, 2))
        found = cycles(device, Reservoirs([0.3, -0.2], [1.4, 0.9]))
        beyond = -kappa > min(level_b, level_u)
        opposed[beyond] += any(cycle.particles["L"] * cycle.energy["L"] < -1e-12 for cycle in found)
    assert opposed[False] == 0
    assert opposed[True] > 5
