"""The reproduction of Whitney et al., Physica E 75, 257 (2016): datasets, figures and checks."""

import functools
import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from mesotherm import Reservoirs
from mesotherm.papers import PAPERS
from mesotherm.papers.reproduction import find_paper
from mesotherm.papers.whitney2016 import claims_fig2, claims_fig3_and_4
from mesotherm.papers.whitney2016.claims_entropy import check_5
from mesotherm.papers.whitney2016.machine import DEVICES, flows, thermocouple
from mesotherm.papers.whitney2016.written_out import currents, energy
from mesotherm.result_folder import write_dataset

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data"
NUMBERS = json.loads((DATA / "whitney2016.json").read_text())
PINNED = json.loads((DATA / "whitney2016_checks.json").read_text())
PAPER = find_paper(PAPERS, "whitney2016")
PAGE = ROOT / "docs" / "reproductions" / "whitney2016.md"

CURVES = ("2", "3", "4", "5")
"""Figures without a probe: cheap enough to be computed again in every test."""

LARGEST_IMAGE = 250e3
"""Bytes of a figure in the documentation."""

UNITS = {
    "power": "gamma^2",
    "carnot_bound": "gamma^2",
    "heat_in": "gamma^2",
    "heat_transferred": "gamma^2",
    "energy_current": "gamma^2",
    "heat_current": "gamma^2",
    "particle_current": "gamma",
    "entropy_production": "gamma",
    "entropy_production_total": "gamma",
    "optimal_mu_R": "gamma",
}
"""Variables of every curve, each with a bound unless it is solved for."""


@functools.cache
def computed(number):
    reported = []
    datasets = PAPER.figure(number).compute(lambda done, total: reported.append((done, total)))
    assert reported[-1][0] == reported[-1][1]
    return datasets


def close(found, expected):
    value, tolerance = expected
    return abs(float(found) / value - 1) <= tolerance


def compare_with_pins(checks, figure):
    """Every check comes out as known, says everything, and is pinned."""
    assert not [f"{check.id}: {check.computed}" for check in checks if not check.expected]
    entries = {check.id: json.loads(json.dumps(check.as_json(), allow_nan=False)) for check in checks}
    assert len(entries) == len(checks)
    pins = {name: pin for name, pin in PINNED.items() if pin["figure"] == figure}
    assert {
        name: {key: entry[key] for key in ("published", "tolerance", "erratum")} for name, entry in entries.items()
    } == {name: {key: pin[key] for key in ("published", "tolerance", "erratum")} for name, pin in pins.items()}
    for name, entry in entries.items():
        assert entry["claim"]
        assert entry["source"]
        assert entry["note"]
        assert entry["agrees"] is (entry["erratum"] is None)
        assert entry["erratum"] is None or entry["erratum"] in PAPER.errata
        if "computed" in pins[name]:
            value, tolerance = pins[name]["computed"]
            assert abs(entry["computed"] - value) <= tolerance, name


def written_and_read(datasets, folder):
    for name, dataset in datasets.items():
        write_dataset(dataset, folder / f"{name}.nc")
    return {name: xr.load_dataset(folder / f"{name}.nc") for name in datasets}


def drawn(number, datasets, folder):
    PAPER.figure(number).draw(datasets, folder / f"fig{number}.png")
    assert 50e3 < (folder / f"fig{number}.png").stat().st_size < LARGEST_IMAGE


# --- checks, statements, errata --------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("number", CURVES)
def test_checks_of_the_curves(number):
    compare_with_pins(list(PAPER.figure(number).check(computed(number))), number)


@pytest.mark.slow
def test_checks_of_the_text():
    compare_with_pins(list(PAPER.check()), None)


@pytest.mark.parametrize(
    ("number", "check", "change", "noticed"),
    [
        ("2", claims_fig2.check_2, {"heat_in_zero": lambda d: d.heat_in_zero + 0.02}, "fig2-zero-of-heat-in"),
        ("2", claims_fig2.check_2, {"optimal_mu_R": lambda d: abs(d.optimal_mu_R)}, "fig2-bias-changes-sign"),
        (
            "2",
            claims_fig2.check_2,
            {"heat_transferred": lambda d: d.heat_transferred / 2},
            "fig2-transferred-heat-largest",
        ),
        ("2", claims_fig2.check_2, {"energy_current": lambda d: d.energy_current + 1e-9}, "fig2-left-energy-current"),
        ("3", claims_fig3_and_4.check_3, {"power": lambda d: d.power - 2e-4}, "fig3-power-positive"),
        ("5", check_5, {"entropy_production": lambda d: -d.entropy_production}, "fig5-C-positive"),
        ("5", check_5, {"entropy_production_total": lambda d: d.heat_in}, "fig5-second-law"),
    ],
    ids=lambda value: value if isinstance(value, str) and "-" in value else None,
)
def test_a_wrong_dataset_is_noticed(number, check, change, noticed):
    wrong = computed(number)[f"fig{number}"].assign(change)
    found = {one.id: one for one in check({f"fig{number}": wrong})}
    assert not found[noticed].expected


# --- datasets and figures --------------------------------------------------------------------------------------------


def check_curve(dataset, bounded):
    assert (dataset.status == 0).all()
    assert (dataset.law_violation <= 1).all()
    np.testing.assert_allclose(dataset.cold_temperature_ratio, np.linspace(0.2, 1.2, 101), atol=1e-14)
    for name, unit in bounded.items():
        assert dataset[name].attrs["units"] == unit
        assert dataset[name].attrs["long_name"]
        assert "probe" not in dataset[name].dims
        if not name.startswith("optimal"):
            assert dataset[f"error_{name}"].attrs["units"] == unit
            assert np.all(dataset[f"error_{name}"] >= 0)
            assert float(dataset[f"error_{name}"].max()) < 1e-7
    assert list(dataset.terminal.values) == ["L", "R", "H", "C", "P"]
    assert "terminal" in dataset.entropy_production.dims
    total = dataset.entropy_production.sum("terminal")
    np.testing.assert_allclose(total, dataset.entropy_production_total, rtol=1e-8)


@pytest.mark.parametrize("number", CURVES)
def test_files_and_figures_of_the_curves(number, tmp_path):
    read = written_and_read(computed(number), tmp_path)
    assert set(read) == {f"fig{number}"}
    dataset = read[f"fig{number}"]
    check_curve(dataset, {**UNITS, "effective_temperature": "gamma"})
    assert dataset.power.dims == ("cold_temperature_ratio",)
    assert dataset.effective_temperature.dims == ("cold_temperature_ratio",)
    assert not [name for name in dataset.data_vars if "probe_" in str(name)]
    drawn(number, read, tmp_path)


def test_numbers_of_the_curves():
    at = {number: computed(number)[f"fig{number}"].sel(cold_temperature_ratio=1.0) for number in ("2", "4")}
    expected = NUMBERS["fig2_x1"]
    assert close(at["2"].optimal_mu_R, expected["mu_R"])
    for name in ("power", "heat_in", "heat_transferred", "effective_temperature"):
        assert close(at["2"][name], expected[name]), name
    for name, value in NUMBERS["fig4_x1"].items():
        assert close(at["4"][name], value), name

    fig2, fig3 = computed("2")["fig2"], computed("3")["fig3"]
    case = NUMBERS["fig2_zero_heat_in"]
    assert fig2.heat_in_zero.values == pytest.approx([case["x"]], abs=case["tolerance"])
    assert close(fig2.power_at_heat_in_zero[0], case["power"])
    case = NUMBERS["fig3_zeros"]
    assert fig3.heat_in_zero.values == pytest.approx(case["x"], abs=case["tolerance"])


def test_fig5_is_the_device_of_fig3():
    fig3, fig5 = computed("3")["fig3"], computed("5")["fig5"]
    for name in ("entropy_production", "heat_transferred", "power"):
        np.testing.assert_array_equal(fig3[name], fig5[name])


def equation_22(at, rate):
    """D_hc with loops over the states, from μ_R, μ_P and T_P."""
    device = thermocouple("2", probe_rate=rate)
    mu = [0.0, float(at.optimal_mu_R), 0.0, 0.0, float(at.probe_mu)]
    T = [8.0, 8.0, 16.0, 8.0, float(at.probe_temperature)]
    p = dict(zip(map(tuple, device.states().tolist()), device.populations(Reservoirs(mu, T)).tolist(), strict=True))
    found = []
    for h, c in ((0, 0), (1, 0), (0, 1), (1, 1)):
        filled, empty = (1, h, c), (0, h, c)
        difference = energy(DEVICES["2"], filled) - energy(DEVICES["2"], empty)
        found.append(p[filled] / p[empty] * np.exp((difference - mu[4]) / T[4]) - 1)
    return found


@pytest.mark.slow
def test_figure_6(tmp_path):
    """All in one: with a probe inside the search for the optimum its curves take much longer than the others."""
    read = written_and_read(computed("6"), tmp_path)
    assert set(read) == {"fig6", "fig6a"}
    fig6, fig6a = read["fig6"], read["fig6a"]

    check_curve(fig6, {**UNITS, "probe_mu": "gamma", "probe_temperature": "gamma"})
    for name in ("power", "carnot_bound", "heat_in", "probe_mu", "probe_temperature"):
        assert fig6[name].dims == ("probe_rate", "cold_temperature_ratio")
    rates = [0.001, 0.1, 0.5, 1, 10, 1000]
    assert fig6.probe_rate.values.tolist() == rates
    assert fig6.probe_rate.attrs["units"] == "gamma"

    case = NUMBERS["fig6_x1"]
    at = fig6.sel(probe_rate=case["rate_P"], cold_temperature_ratio=1.0)
    for name in ("power", "heat_in", "probe_temperature", "probe_mu"):
        assert close(at[name], case[name]), name
    case = NUMBERS["fig6b"]
    powers = fig6.power_at_heat_in_zero.sel(probe_rate=case["rate_P"])
    np.testing.assert_allclose(powers, case["power"], rtol=case["tolerance"])

    assert fig6a.deviation.dims == ("probe_rate", "neighbour_state")
    assert fig6a.probe_rate.values.tolist() == rates
    assert fig6a.neighbour_state.values.tolist() == ["00", "10", "01", "11"]
    assert fig6a.transition_energy.dims == ("neighbour_state",)
    assert fig6a.transition_energy.values.tolist() == [0.0, 3.0, 6.0, 9.0]
    assert fig6a.attrs["cold_temperature_ratio"] == 1.0
    assert "V_opt" in fig6a.attrs["comment"]
    assert (fig6a.status == 0).all()
    assert (fig6a.error_deviation < 1e-9).all()

    for rate in rates:
        written_out = equation_22(fig6.sel(probe_rate=rate, cold_temperature_ratio=1.0), rate)
        np.testing.assert_allclose(fig6a.deviation.sel(probe_rate=rate), written_out, atol=1e-11)

    compare_with_pins(list(PAPER.figure("6").check(read)), "6")
    reversed_couplings = fig6a.deviation.copy(data=fig6a.deviation.values[::-1])
    worse = {**read, "fig6a": fig6a.assign(deviation=reversed_couplings)}
    found = {one.id: one for one in PAPER.figure("6").check(worse)}
    assert not found["fig6a-scatter-falls"].expected
    drawn("6", read, tmp_path)


def test_written_out_currents_of_equilibrium_vanish():
    mu, T = dict.fromkeys("LRHC", 0.3), dict.fromkeys("LRHC", 5.0)
    found = currents(DEVICES["3"], mu, T)
    assert np.max(np.abs(found.particle)) < 1e-15
    assert np.max(np.abs(found.energy)) < 1e-14


def test_flows_are_not_a_number_where_nothing_was_solved():
    """A dot without contact has no unique state."""
    assert np.isnan(flows(thermocouple("2", rate_C=0.0), [0.5, 1.0]).particle).all()


@pytest.mark.parametrize("number", ["2", "3", "4", "5", "6"])
def test_the_figures_stand_in_the_documentation(number):
    assert f"(../images/whitney2016_fig{number}.png)" in PAGE.read_text()
    assert 50e3 < (ROOT / "docs" / "images" / f"whitney2016_fig{number}.png").stat().st_size < LARGEST_IMAGE
