"""What is read from files without mistakes."""

import hashlib
import os
import re
from fractions import Fraction

import equinox as eqx
import numpy as np
import pytest
from device_files import EXAMPLES, HERE, NUMBERS, VALID, name_of

from mesotherm.device_file import DeviceFileError, Run, load
from mesotherm.experiments import CurrentVoltage, DiodeTest, HeatDrag
from mesotherm.unknowns import HeatProbe, ThermalizingProbe

K_B, E, H = Fraction("1.380649e-23"), Fraction("1.602176634e-19"), Fraction("6.62607015e-34")
"""Exact in the SI: [J/K], [C], [J s]."""

DIODE, DRAG, MOLECULE, ENGINE, TABLE = (
    (HERE / "valid" / f"{name}.toml").read_text(encoding="utf-8")
    for name in ("diode", "drag", "molecule", "engine", "table")
)


@pytest.fixture
def read(tmp_path):
    """Read a text as a device file, in a folder with a table of numbers."""
    (tmp_path / NUMBERS.name).write_bytes(NUMBERS.read_bytes())

    def of(text: str) -> Run:
        path = tmp_path / "device.toml"
        path.write_text(text, encoding="utf-8")
        return load(path)

    return of


@pytest.mark.parametrize("file", [*EXAMPLES, *VALID], ids=name_of)
def test_files_without_mistakes_are_read(file):
    run = load(file)
    assert run.path == file
    assert run.text == file.read_text(encoding="utf-8")
    assert run.job.experiment is run.experiment


# ---- values and defaults


def test_what_is_written_is_read(read):
    run = read(DIODE)
    device = run.setup.device
    assert run.title == "A diode"
    assert device.terminals == ("L", "R", "P")
    assert float(device.band_bottom) == -40.0
    assert [float(b.level) for b in (device.left, device.right)] == [-4.8, 4.8]
    assert [float(b.half_width) for b in (device.left, device.right)] == [3.0, 2.0]
    np.testing.assert_array_equal(run.setup.reservoirs.T[:2], [1.0, 1.5])
    np.testing.assert_array_equal(run.setup.reservoirs.mu[:2], [0.0, 0.0])
    assert run.setup.unknowns == (ThermalizingProbe("P"),)
    assert eqx.tree_equal(run.experiment, DiodeTest(delta_temperature=1.0, hot="L", cold="R"))
    assert float(run.setup.tolerance) == 1e-9
    assert run.folder == "results"
    assert run.output_variables is None
    assert run.figure_variables == ["rectification_particle"]
    assert run.figure_title is None
    assert run.units.energy is None
    assert run.tables == {}


def test_what_is_left_out_has_its_default(read):
    run = read(re.sub(r"(?ms)^title.*?\n|^band_bottom.*?\n|^hot.*?\n|^\[numerics\].*", "", DIODE))
    assert run.title == "device.toml"
    assert float(run.setup.device.band_bottom) == -np.inf
    assert float(run.setup.device.spin_degeneracy) == 2.0
    assert run.experiment.hot == "L"
    assert float(run.setup.tolerance) == float(type(run.setup).__dataclass_fields__["tolerance"].default)
    assert (run.folder, run.output_variables, run.figure_variables, run.figure_title) == (None, None, None, None)


def test_whole_numbers_are_numbers(read):
    assert eqx.tree_equal(read(DIODE).setup, read(DIODE.replace("-40.0", "-40").replace("T = 1.0", "T = 1")).setup)


def test_numbers_may_be_as_far_as_floats_go(read):
    run = read(DIODE.replace("-40.0", "-inf").replace("level = 4.8", "level = -1.7e308"))
    assert float(run.setup.device.band_bottom) == -np.inf
    assert float(run.setup.device.right.level) == -1.7e308


# ---- names


def test_dots_terminals_and_rates_go_by_name(read):
    device = read(DRAG).setup.device
    assert device.terminals == ("L", "R", "H")
    np.testing.assert_array_equal(device.levels, [0.5, 0.0])
    np.testing.assert_array_equal(device.charging_energies, [3.0])
    np.testing.assert_array_equal(device.tunnel_rates, [[1, 0], [0, 1], [0.5, 0.5]])


def test_the_order_of_keys_and_tables_means_nothing_but_for_contacts(read):
    tables = DRAG.split("\n\n")
    moved = "\n\n".join([*tables[1:5], *tables[:1], *tables[5:]]).replace("M = 0.5\nH = 0.0", "H = 0.0\nM = 0.5")
    assert moved != DRAG
    assert eqx.tree_equal(read(DRAG).setup, read(moved).setup)
    turned = read(DRAG.replace('L = "M"\nR = "M"\nH = "H"', 'H = "H"\nR = "M"\nL = "M"'))
    assert turned.setup.device.terminals == ("H", "R", "L")
    np.testing.assert_array_equal(turned.setup.device.tunnel_rates, [[0.5, 0.5], [0, 1], [1, 0]])
    np.testing.assert_array_equal(turned.setup.reservoirs.T, [20, 10, 10])


def test_charging_energies_left_out_are_zero(read):
    run = read(DRAG.replace("[device.charging_energies]\nM-H = 3.0\n", ""))
    np.testing.assert_array_equal(run.setup.device.charging_energies, [0.0])


def test_a_single_dot_has_neither_pairs_nor_occupations(read):
    device = read(ENGINE).setup.device
    assert device.charging_energies.shape == (0,)
    np.testing.assert_array_equal(device.tunnel_rates, [[0.01], [0.01]])
    assert eqx.tree_equal(device, read(ENGINE.replace("hot = 0.01", 'hot = { "" = 0.01 }')).setup.device)


@pytest.mark.parametrize(
    "rewritten",
    [
        DRAG.replace("L = { 0 = 1.0, 1 = 0.0 }", 'L = { "0" = 1.0, "1" = 0.0 }'),
        DRAG.replace("L = { 0 = 1.0, 1 = 0.0 }", "L.0 = 1.0\nL.1 = 0.0"),
        DRAG.replace("L = { 0 = 1.0, 1 = 0.0 }\n", "").replace(
            "[reservoirs]", "[device.tunnel_rates.L]\n0 = 1.0\n1 = 0.0\n\n[reservoirs]"
        ),
        DRAG.replace("H = 0.5", "H = { 0 = 0.5, 1 = 0.5 }"),
        DRAG.replace("L = { T = 10.0 }", "L = { mu = 0.0, T = 10.0 }"),
        DRAG.replace("L = { T = 10.0 }", "L.T = 10"),
    ],
)
def test_the_ways_of_writing_a_table_are_the_same(rewritten, read):
    assert rewritten != DRAG
    assert eqx.tree_equal(read(DRAG).setup, read(rewritten).setup)


# ---- what floats


def test_an_unknown_is_a_name_or_a_table(read):
    as_table = DIODE.replace('P = "thermalizing_probe"', 'P = { kind = "thermalizing_probe" }')
    assert read(as_table).setup.unknowns == read(DIODE).setup.unknowns == (ThermalizingProbe("P"),)


def test_what_does_not_float_of_a_probe_is_given(read):
    text = DIODE.replace("thermalizing_probe", "heat_probe").replace("[reservoirs]", "[reservoirs]\nP.mu = 0.25")
    run = read(text)
    assert run.setup.unknowns == (HeatProbe("P"),)
    np.testing.assert_array_equal(run.setup.reservoirs.mu, [0, 0, 0.25])


# ---- axes


def test_values_of_axes(read):
    (axis,) = read(DIODE).axes
    assert (axis.path, axis.dimension, axis.scale, axis.offset) == ("device.left.level", "level", 1.0, 0.0)
    np.testing.assert_array_equal(axis.values, [-10, 0, 10])
    (axis,) = read(DRAG).axes
    np.testing.assert_array_equal(axis.values, [0, 1])
    (axis,) = read(DIODE.replace("start = -10.0", 'start = 0.1\nspacing = "log"')).axes
    np.testing.assert_allclose(axis.values, [0.1, 1, 10], rtol=1e-15)
    (axis,) = read(DIODE.replace("points = 3", "points = 1")).axes
    np.testing.assert_array_equal(axis.values, [-10])
    assert read(ENGINE).axes == []


def test_scale_offset_and_ties_of_axes(read):
    tied = 'tied = [\n  { parameter = "device.right.level", scale = -1.0 },\n  { parameter = "reservoirs.R.mu" },\n]'
    (axis,) = read(DIODE.replace("points = 3", f"points = 3\nscale = 0.5\noffset = 1\n{tied}")).axes
    assert (axis.scale, axis.offset, axis.unit) == (0.5, 1.0, "1")
    assert [(tie.path, tie.scale, tie.offset) for tie in axis.tied] == [
        ("device.right.level", -1.0, 0.0),
        ("reservoirs.R.mu", 1.0, 0.0),
    ]
    np.testing.assert_array_equal(
        [tie.applied(axis.values) for tie in axis.followers], [[-4, 1, 6], [10, 0, -10], [-10, 0, 10]]
    )


def test_an_axis_may_set_what_the_file_leaves_out(read):
    (axis,) = read(DIODE.replace("device.left.level", "reservoirs.L.mu").replace("mu = 0.0, ", "")).axes
    assert axis.path == "reservoirs.L.mu"


# ---- units


def test_mixed_units_give_exactly_what_plain_numbers_give(read):
    """Every number of the second file is that of the first in millielectronvolts, calculated here with fractions."""
    mev = E / 1000
    plain = {
        "level": Fraction("0.3"),
        "half_width": Fraction("0.05"),
        "T_L": K_B * 2 / mev,
        "T_R": Fraction("0.1"),
        "mu": Fraction("0.25"),
        "bias": H * 3 * 10**9 / mev,
        "band_bottom": Fraction(-25),
    }
    mixed = {
        "level": "300 ueV",
        "half_width": "50 ueV",
        "T_L": "2 K",
        "T_R": "100 ueV",
        "mu": "4.005441585e-23 J",
        "bias": "3 GHz",
        "band_bottom": "-0.025 eV",
    }
    text = """\
[units]
energy = "meV"
[device]
kind = "two_terminal_conductor"
band_bottom = {band_bottom}
barrier = {{ kind = "resonant_barrier", level = {level}, half_width = {half_width} }}
[reservoirs]
L = {{ T = {T_L}, mu = {mu} }}
R = {{ T = {T_R}, mu = {mu} }}
[experiment]
kind = "current_voltage"
bias = {bias}
"""
    as_numbers = read(text.format(**{key: repr(float(value)) for key, value in plain.items()}))
    as_texts = read(text.format(**{key: f'"{value}"' for key, value in mixed.items()}))
    without_units = read(text.format(**{key: repr(float(value)) for key, value in plain.items()}).split("\n", 2)[2])
    for other in (as_texts, without_units):
        assert eqx.tree_equal(as_numbers.setup, other.setup)
        assert eqx.tree_equal(as_numbers.experiment, other.experiment)


def test_a_rate_counts_events(read):
    rated = ENGINE.replace("[device]", '[units]\nenergy = "meV"\n\n[device]', 1).replace(
        "cold = 0.01 }", 'cold = "3 GHz" }'
    )
    (_,), (rate,) = read(rated).setup.device.tunnel_rates.tolist()
    assert rate == pytest.approx(H / (2 * np.pi) * 3e9 / (E / 1000), rel=1e-15)


def test_axes_keep_the_unit_they_are_written_in(read):
    run = read(MOLECULE)
    (axis,) = run.axes
    assert axis.unit == "mV"
    np.testing.assert_array_equal(axis.values, [-10, -5, 0, 5, 10])
    assert (axis.scale, axis.offset) == (0.1, 0.0)
    in_mev = MOLECULE.replace("mV", "meV").replace('scale = "0.1 meV/meV"', "scale = 0.1")
    (same,) = read(in_mev).axes
    np.testing.assert_array_equal(axis.followers[0].applied(axis.values), same.followers[0].applied(same.values))


def test_a_plain_axis_is_in_the_energy_unit(read):
    (axis,) = read(
        MOLECULE.replace('"-10 mV"', "-1.0").replace('"10 mV"', "1.0").replace('scale = "0.1 meV/mV"\n', "")
    ).axes
    assert axis.unit == "meV"
    np.testing.assert_array_equal(axis.values, [-1, -0.5, 0, 0.5, 1])
    (axis,) = read(DIODE).axes
    assert axis.unit == "energy"


def test_units_of_results(read):
    run = read(MOLECULE)
    assert run.units.energy == "meV"
    assert run.units.results == ("nA", "fW", "mK")
    assert isinstance(run.experiment, CurrentVoltage)


# ---- columns of other files

ROWS = [-1.0, 0.0, 0.5, 1.0, 2.0]
COLUMN = 'energies = { file = "transmission.csv", column = "energy" }'


@pytest.mark.parametrize(
    "rewritten",
    [
        TABLE.replace(COLUMN, f"energies = {ROWS}"),
        TABLE.replace(COLUMN, 'energies = [-1, "0 meV", "500 ueV", "0.001 eV", 2]'),
        TABLE.replace(COLUMN, 'energies = { file = "transmission.csv", column = "energy", unit = "meV" }'),
        TABLE.replace(COLUMN, 'energies.file = "transmission.csv"\nenergies.column = "energy [meV]"'),
    ],
)
def test_a_column_is_a_list_of_numbers(rewritten, read):
    assert rewritten != TABLE
    assert read(TABLE).setup.device.barrier.energies.tolist() == ROWS
    assert eqx.tree_equal(read(TABLE).setup, read(rewritten).setup)


def test_the_unit_of_a_column_may_be_said_in_the_device_file(read):
    """Where the other file does not say it; these numbers are a thousand times those of the column in meV."""
    run = read(TABLE.replace('column = "energy" }', 'column = "E", unit = "ueV" }'))
    assert eqx.tree_equal(run.setup, read(TABLE).setup)
    plain = read(TABLE.replace('column = "energy" }', 'column = "E" }'))
    np.testing.assert_array_equal(plain.setup.device.barrier.energies, 1000 * np.array(ROWS))


def test_a_column_counts_from_the_folder_of_the_device_file_and_is_remembered(read, tmp_path, monkeypatch):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    run = read(TABLE)
    assert run.tables == {"transmission.csv": hashlib.sha256(NUMBERS.read_bytes()).hexdigest()}
    (tmp_path / "data").mkdir()
    (tmp_path / NUMBERS.name).rename(tmp_path / "data" / NUMBERS.name)
    (tmp_path / "device.toml").write_text(TABLE.replace("transmission.csv", "data/transmission.csv"))
    assert load(tmp_path / "device.toml").tables.keys() == {"data/transmission.csv"}
    assert eqx.tree_equal(load(tmp_path / "device.toml").setup, run.setup)


def test_a_column_of_a_pipe_is_not_waited_for(read, tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(DeviceFileError, match="is not a regular file"):
        read(TABLE.replace("transmission.csv", "pipe.csv"))


# ---- results and figure


def test_output_and_figure(read):
    run = load(HERE / "valid" / "everything.toml")
    assert run.folder == "everything-result"
    assert run.output_variables == ["heat_current", "probe_temperature"]
    assert run.figure_title == "Heat of every terminal"
    assert run.figure_variables == [
        "probe_temperature",
        ["heat_current.H", "heat_current.C"],
        ["error_power", "power"],
    ]
    assert [len(axis.values) for axis in run.axes] == [3, 4, 3]
    assert isinstance(read(DRAG).experiment, HeatDrag)


@pytest.mark.parametrize(
    "folder", ["results", "results-2", "Ergebnisse µ", "a b", "x" * 100, "~", "$HOME", "file.d", "日本"]
)
def test_plain_names_of_folders(folder, read):
    assert read(DIODE.replace('folder = "results"', f'folder = "{folder}"')).folder == folder
