"""The device file: what is read, and what every kind of mistake is told."""

import numpy as np
import pytest
from typer.testing import CliRunner

from mesotherm.cli import app
from mesotherm.files import DeviceFileError, load
from mesotherm.toml_lines import TomlSyntaxError, parse

DIODE = """\
title = "small"
[device]
kind = "thermalization_diode"
band_bottom = -40.0
left = { kind = "resonant_barrier", level = -4.8, half_width = 3.0 }
right = { kind = "resonant_barrier", level = 4.8, half_width = 3.0 }
[reservoirs]
L = { mu = 0.0, T = 1.0 }
R = { mu = 0.0, T = 1.0 }
[unknowns]
P = "thermalizing_probe"
[experiment]
kind = "diode_test"
delta_temperature = 1.0
hot = "L"
cold = "R"
[axes.level]
parameter = "device.left.level"
start = -10.0
stop = 10.0
points = 3
[numerics]
tolerance = 1e-9
[figure]
variables = ["rectification_particle"]
"""

DOTS = """\
[device]
kind = "coulomb_dots"
dots = ["M", "H"]
[device.levels]
M = 0.5
H = 0.0
[device.charging_energies]
M-H = 3.0
[device.contacts.L]
dot = "M"
rate = { 0 = 1.0, 1 = 0.0 }
[device.contacts.R]
dot = "M"
rate = { 0 = 0.0, 1 = 1.0 }
[device.contacts.H]
dot = "H"
rate = 1.0
[reservoirs]
L = { T = 1.0 }
R = { T = 1.0 }
H = { T = 2.0 }
[experiment]
kind = "steady_state"
"""

# text, what is replaced, by what, line, key, a piece of the advice
MISTAKES = {
    "negative width": (DIODE, "half_width = 3.0 }\nright", "half_width = -3 }\nright", 5, "device.left.half_width = -3",
                       "half width Γ of the resonance must be > 0; give a positive number"),
    "misspelt key": (DIODE, "band_bottom", "band_botom", 4, "device.band_botom", "did you mean band_bottom?"),
    "key of a part": (DIODE, "level = 4.8", "levle = 4.8", 6, "device.right.levle", "did you mean level?"),
    "missing number": (DIODE, "level = 4.8, ", "", 6, "device.right.level", "is missing (level ε of the resonance)"),
    "missing part": (DIODE, 'left = { kind = "resonant_barrier", level = -4.8, half_width = 3.0 }\n', "", 2,
                     "device.left", "add left = ... to [device]"),
    "text for a number": (DIODE, "band_bottom = -40.0", 'band_bottom = "low"', 4, 'device.band_bottom = "low"',
                          "must be a number, not a text"),
    "boolean for a number": (DIODE, "band_bottom = -40.0", "band_bottom = true", 4, "device.band_bottom = true",
                             "must be a number, not true or false"),
    "nan": (DIODE, "level = 4.8", "level = nan", 6, "device.right.level = nan", "must be a finite number"),
    "inf": (DIODE, "level = 4.8", "level = inf", 6, "device.right.level = inf", "must be a finite number"),
    "huge integer": (DIODE, "level = 4.8", "level = 1" + "0" * 400, 6, "device.right.level", "must be a"),
    "unknown device": (DIODE, '"thermalization_diode"', '"thermalisation_diode"', 3, "device.kind",
                       "did you mean thermalization_diode?"),
    "unknown barrier": (DIODE, 'right = { kind = "resonant', 'right = { kind = "resonance', 6, "device.right.kind",
                        "did you mean resonant_barrier?"),
    "no kind": (DIODE, 'kind = "diode_test"\n', "", 12, "experiment.kind", "say which of steady_state, diode_test"),
    "number for a part": (DIODE, 'right = { kind = "resonant_barrier", level = 4.8, half_width = 3.0 }', "right = 3", 6,
                          "device.right = 3", "must be a table"),
    "negative temperature": (DIODE, "R = { mu = 0.0, T = 1.0 }", "R = { mu = 0.0, T = -1.0 }", 9,
                             "reservoirs.R.T = -1.0", "temperature must be > 0; give a positive number"),
    "no temperature": (DIODE, "R = { mu = 0.0, T = 1.0 }", "R = { mu = 0.0 }", 9, "reservoirs.R.T", "is missing"),
    "reservoir of no terminal": (DIODE, "R = { mu", "S = { mu", 9, "reservoirs.S", "no terminal 'S' on this device"),
    "missing reservoir": (DIODE, "R = { mu = 0.0, T = 1.0 }\n", "", 7, "reservoirs.R", "add R = { T = ... }"),
    "reservoir without a table": (DIODE, "R = { mu = 0.0, T = 1.0 }", "R = 1.0", 9, "reservoirs.R = 1.0",
                                  "must be a table"),
    "unknown of no terminal": (DIODE, "P = ", "Q = ", 11, "unknowns.Q", "no terminal 'Q' on this device"),
    "no such unknown": (DIODE, '"thermalizing_probe"', '"thermal_probe"', 11, "unknowns.P", "did you mean"),
    "voltage probe without temperature": (DIODE, '"thermalizing_probe"', '"voltage_probe"', 7, "reservoirs.P",
                                          "add P = { T = ... }"),
    "unknown the device cannot have": (DIODE, '"thermalizing_probe"', '"vanishing_probe"', 11,
                                       'unknowns.P = "vanishing_probe"', "use ThermalizingProbe"),
    "everything floats": (DIODE, "[unknowns]\n", '[unknowns]\nL = "thermalizing_probe"\nR = "thermalizing_probe"\n', 11,
                          "unknowns.L", "fix at least one"),
    "experiment on no terminal": (DIODE, 'hot = "L"', 'hot = "X"', 15, 'experiment.hot = "X"', "there are: L, R, P"),
    "experiment on one terminal": (DIODE, 'cold = "R"', 'cold = "L"', 12, "experiment", "name two different terminals"),
    "zero difference": (DIODE, "delta_temperature = 1.0", "delta_temperature = 0", 14,
                        "experiment.delta_temperature = 0", "must be > 0"),
    "axis without stop": (DIODE, "stop = 10.0\n", "", 17, "axes.level", "stop missing; give start, stop and points"),
    "no points": (DIODE, "points = 3", "points = 0", 21, "axes.level.points = 0", "must be from 1 to"),
    "half a point": (DIODE, "points = 3", "points = 2.5", 21, "axes.level.points = 2.5", "must be a whole number"),
    "too many points": (DIODE, "points = 3", "points = 20_000_000", 21, "axes.level.points", "must be from 1 to"),
    "too large a grid": (
        DIODE, "points = 3\n", 'points = 5000\n[axes.b]\nparameter = "device.right.level"\nstart = 0\nstop = 1\n'
        "points = 5000\n", 17, "axes", "the grid has 25000000 points"),
    "axis of nothing": (DIODE, "device.left.level", "device.left.lvl", 18, "axes.level.parameter",
                        "device.left.level, device.left.half_width"),
    "axis out of range": (DIODE, "device.left.level", "device.left.half_width", 17, "axes.level",
                          "sets device.left.half_width from -10 to 10; half width Γ of the resonance must be > 0"),
    "axis of what floats": (DIODE, "device.left.level", "reservoirs.P.T", 18, "axes.level.parameter",
                            "is found, not given"),
    "axis twice": (DIODE, "points = 3\n", 'points = 3\n[axes.b]\nparameter = "device.left.level"\nvalues = [1.0]\n', 23,
                   "axes.b.parameter", "axes.level sweeps this already"),
    "axis named like a result": (DIODE, "[axes.level]", "[axes.status]", 17, "axes.status", "give the axis another"),
    "values and points": (DIODE, "points = 3", "points = 3\nvalues = [1, 2]", 21, "axes.level.points", "beside values"),
    "not a finite start": (DIODE, "start = -10.0", "start = nan", 19, "axes.level.start = nan", "finite number"),
    "logarithm of zero": (DIODE, "points = 3", 'points = 3\nspacing = "log"', 22, "axes.level.spacing", "must be > 0"),
    "equal values": (DIODE, "stop = 10.0", "stop = -10.0", 17, "axes.level", "some values are equal"),
    "negative tolerance": (DIODE, "1e-9", "-1e-9", 23, "numerics.tolerance = -1e-09", "must be > 0"),
    "figure of nothing": (DIODE, '["rectification_particle"]', '["rectification"]', 25, "figure.variables",
                          "did you mean rectification_"),
    "missing table": (DIODE, '[experiment]\nkind = "diode_test"\ndelta_temperature = 1.0\nhot = "L"\ncold = "R"\n', "",
                      1, "experiment", "add the table [experiment]"),
    "unknown table": (DIODE, "[numerics]", "[numeric]", 22, "numeric", "did you mean numerics?"),
    "duplicate key": (DIODE, "band_bottom = -40.0", "band_bottom = 1\nband_bottom = 1", 5, "", "Give each key once"),
    "duplicate table": (DIODE, "[figure]", "[device]", 24, "", "Give each key once"),
    "syntax": (DIODE, "band_bottom = -40.0", "band_bottom = ", 4, "", "this is not TOML"),
    "no such dot": (DOTS, 'dot = "H"', 'dot = "X"', 16, 'device.contacts.H.dot = "X"', "there are: M, H"),
    "level of no dot": (DOTS, "H = 0.0\n[device.ch", "X = 0.0\n[device.ch", 6, "device.levels.X", "there are: M, H"),
    "missing level": (DOTS, "H = 0.0\n[device.ch", "[device.ch", 4, "device.levels", "misses H"),
    "no such pair": (DOTS, "M-H = 3.0", "H-M = 3.0", 8, "device.charging_energies.H-M", "there are: M-H"),
    "missing occupation": (DOTS, "{ 0 = 1.0, 1 = 0.0 }", "{ 0 = 1.0 }", 11, "device.contacts.L.rate", "misses 1"),
    "negative rate": (DOTS, "1 = 1.0", "1 = -1.0", 14, "device.contacts.R.rate.1 = -1.0",
                      "must be ≥ 0; give zero or a positive number"),
    "same dot twice": (DOTS, '["M", "H"]', '["M", "M"]', 3, "device.dots", "different names"),
    "too many dots": (DOTS, '["M", "H"]', str([f"d{i}" for i in range(40)]), 3, "device.dots", "1 to 8"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_with_its_line_key_and_advice(name, tmp_path, monkeypatch):
    text, old, new, line, key, advice = MISTAKES[name]
    assert text.count(old) >= 1
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.toml").write_text(text.replace(old, new, 1), encoding="utf-8")
    result = CliRunner().invoke(app, ["run", "bad.toml"])
    assert result.exit_code == 2, result.output
    (message, *others) = [one for one in result.stderr.splitlines() if f"bad.toml:{line}: {key}" in one]
    assert advice in message
    assert not others
    assert "Traceback" not in result.output
    assert [entry.name for entry in tmp_path.iterdir()] == ["bad.toml"]


@pytest.mark.parametrize(
    ("content", "advice"),
    [
        (b"", "the file is empty"),
        (b" \n\n", "the file is empty"),
        (b"title = '\xff\xfe'\n", "bad.toml:1: the file is not UTF-8"),
        (b"#" * 1_000_001, "larger than 1 MB"),
        (b"a = " + b"[" * 5000, "nested"),
        (b"a = 1" + b"0" * 5000, "this is not TOML"),
        (None, "there is no such file"),
    ],
)
def test_a_file_that_is_no_device_file(content, advice, tmp_path):
    path = tmp_path / "bad.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DeviceFileError) as caught:
        load(path)
    assert advice in str(caught.value)


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(DeviceFileError, match="this is a folder"):
        load(tmp_path)


def test_all_mistakes_are_told_at_once(tmp_path):
    text = DIODE.replace("half_width = 3.0", "half_width = 0").replace('cold = "R"', 'cold = "Z"')
    text = text.replace("T = 1.0", "T = 0").replace("points = 3", "points = -1")
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(DeviceFileError) as caught:
        load(path)
    assert [problem.key for problem in caught.value.problems] == [
        "device.left.half_width",
        "device.right.half_width",
        "reservoirs.L.T",
        "reservoirs.R.T",
        "experiment.cold",
        "axes.level.points",
    ]
    assert [problem.line for problem in caught.value.problems] == [5, 6, 8, 9, 16, 21]


def test_what_is_read(tmp_path):
    path = tmp_path / "good.toml"
    path.write_text(DIODE.replace("points = 3", "points = 3\nscale = 0.5\noffset = 1"))
    run = load(path)
    assert run.title == "small"
    assert float(run.setup.device.right.level) == 4.8
    assert float(run.setup.device.spin_degeneracy) == 2.0
    assert float(run.setup.tolerance) == 1e-9
    (axis,) = run.axes
    assert (axis.dimension, axis.scale, axis.offset) == ("level", 0.5, 1.0)
    np.testing.assert_array_equal(axis.values, [-10, 0, 10])


def test_dots_by_name(tmp_path):
    path = tmp_path / "dots.toml"
    path.write_text(DOTS)
    device = load(path).setup.device
    assert device.terminals == ("L", "R", "H")
    np.testing.assert_array_equal(device.levels, [0.5, 0.0])
    np.testing.assert_array_equal(device.charging_energies, [3.0])
    np.testing.assert_array_equal(device.tunnel_rates, [[1, 0], [0, 1], [1, 1]])


LAYOUT = '''
# a comment with [device] in it

text = """one
two"""
x.y = 1
x.z = [1,
  2]   # more

  [device]
left = { kind = "b", list = [1,
   2], w = 3 }
[device.levels]
"a.b" = 3

[[rows]]
a = 1
[[rows]]

a = 2
[rows.inner]
b = 1
[z.y]
c = 1
'''


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_lines_come_from_the_structure(ending):
    _, lines = parse(LAYOUT.replace("\n", ending))
    expected = {
        ("text",): 4, ("x", "y"): 6, ("x", "z"): 7, ("device",): 10, ("device", "left"): 11,
        ("device", "left", "w"): 12, ("device", "levels", "a.b"): 14, ("rows", 0, "a"): 17, ("rows", 1): 18,
        ("rows", 1, "a"): 20, ("rows", 1, "inner", "b"): 22, ("z", "y", "c"): 24,
        ("device", "left", "nothing"): 11, ("nothing",): 1,
    }  # fmt: skip
    assert {path: lines.of(path) for path in expected} == expected
    assert lines.last == LAYOUT.count("\n") + 1


def test_the_second_of_two_equal_keys_is_named():
    with pytest.raises(TomlSyntaxError, match="already exists") as caught:
        parse("[x]\na = 1\n\n[y]\nb = 1\nb = 2\n[z]\n")
    assert caught.value.line == 6
