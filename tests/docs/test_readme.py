"""What the README and the documentation show runs as it stands."""

import re
import shlex
from pathlib import Path

import pytest
import xarray as xr
from command_line import mesotherm

from mesotherm._version import __version__
from mesotherm.catalogue import admitted, dismiss
from mesotherm.thermodynamics import LAWS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
EXTENDING = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
DOTS = (ROOT / "docs" / "dots.md").read_text(encoding="utf-8")
THERMODYNAMICS = (ROOT / "docs" / "thermodynamics.md").read_text(encoding="utf-8")
MOVING = (ROOT / "docs" / "moving_devices.md").read_text(encoding="utf-8")
TRAP = (ROOT / "docs" / "integrator_trap.md").read_text(encoding="utf-8")
DATASETS = (ROOT / "docs" / "datasets.md").read_text(encoding="utf-8")


def blocks(page: str, language: str) -> list[str]:
    """Code blocks of a language; "" for those that name none."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", page, flags=re.DOTALL | re.MULTILINE)
    return [text for name, text in found if name == language]


def commands(page: str) -> list[list[str]]:
    """Arguments of every ``mesotherm`` command of a page."""
    lines = [line for block in blocks(page, "") for line in block.splitlines()]
    return [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("mesotherm ")]


def test_python_examples(capsys):
    """One after the other, as a reader would type them."""
    names: dict = {}
    for example in blocks(README, "python"):
        exec(compile(example, "README.md", "exec"), names)
    out = capsys.readouterr().out
    assert "1.5326121260" in out
    assert out.count("holds") == len(LAWS)
    assert "BROKEN" not in out
    forward, backward = names["data"].particle_current.sel(terminal="L", epsilon=5.0)
    assert forward * backward > 0


@pytest.fixture(scope="module")
def typed(tmp_path_factory):
    """The README's commands, one after the other, in a folder with its device file."""
    folder = tmp_path_factory.mktemp("readme")
    (example,) = blocks(README, "toml")
    (folder / "diode.toml").write_text(example, encoding="utf-8")
    listed = commands(README)
    position = next(i for i, command in enumerate(listed) if command[0] == "audit")
    listed.insert(position, ["run", "diode.toml"])
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return folder, [(command, mesotherm(*command)) for command in listed]


def test_commands(typed):
    folder, results = typed
    assert len(results) == 9
    for command, result in results:
        assert result.exit_code == 0, (command, result.output)
    made = {path.name for path in folder.iterdir()}
    assert made == {"diode.toml", "diode-result", "coulomb_dots.toml", "coulomb_dots-result", "heat.pdf"}


def test_device_file(typed):
    folder, _ = typed
    assert {path.name for path in (folder / "diode-result").iterdir()} == {"result.nc", "figure.png", "report.md"}
    with xr.open_dataset(folder / "diode-result" / "result.nc") as data:
        assert data.sizes["level"] == 61
        assert (data.status == 0).all()
        assert data.level.attrs["units"] == "meV"
        assert data.particle_current.attrs["units"] == "nA"
        assert data.probe_temperature.attrs["units"] == "K"


def test_mistakes(tmp_path, monkeypatch):
    """The messages shown are those told."""
    monkeypatch.chdir(tmp_path)
    (example,) = blocks(README, "toml")
    wrong = example.replace("half_width", "half_widht", 1).replace('L = { T = "4 K" }', 'L = { T = "4 mV" }')
    Path("diode.toml").write_text(wrong, encoding="utf-8")
    told = mesotherm("run", "diode.toml").stderr.splitlines()
    (shown,) = [block for block in blocks(README, "") if "half_widht" in block]
    for line in shown.splitlines():
        start = line.removesuffix("...")
        assert [one for one in told if one.startswith(start)], (line, told)


def test_a_device_of_ones_own(tmp_path, monkeypatch):
    """docs/extending.md from its class to its results."""
    monkeypatch.chdir(tmp_path)
    (plugin,) = blocks(EXTENDING, "python")
    Path("filter.py").write_text(plugin, encoding="utf-8")
    try:
        for command in commands(EXTENDING):
            result = mesotherm(*command)
            assert result.exit_code == 0, (command, result.output)
    finally:
        for module in admitted():
            dismiss(module)
    with xr.open_dataset("energy_filter-result/result.nc") as data:
        assert (data.status == 0).all()
        assert (data.maximum_power > 0).all()
        assert any("filter.py" in entry for entry in [data.attrs["input_files"]])


@pytest.mark.parametrize(
    "path", re.findall(r"\]\((docs/[^)]+)\)", README) + re.findall(r"`(design/|examples/)`", README)
)
def test_linked_files_exist(path):
    assert (ROOT / path).exists()


def test_the_examples_are_counted():
    assert len(list((ROOT / "examples").glob("*.toml"))) == 14
    assert "has fourteen files" in README


def test_the_citation_file_is_of_this_version():
    assert f"version: {__version__}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")


def test_dots_page(tmp_path, monkeypatch, capsys):
    """Its device file runs, its Python snippets one after the other, and what it says of the results is so."""
    monkeypatch.chdir(tmp_path)
    (example,) = blocks(DOTS, "toml")
    (tmp_path / "engine.toml").write_text(example, encoding="utf-8")
    result = mesotherm("run", "engine.toml")
    assert result.exit_code == 0, result.output
    with xr.open_dataset(tmp_path / "engine-result" / "result.nc") as data:
        assert (data.status == 0).all()
        assert data.power.attrs["units"] == "aW"
        assert (data.power > 0).all()
        assert (data.power < data.heat_in * (1 - 0.3 / 1.2)).all()
    names: dict = {}
    for snippet in blocks(DOTS, "python"):
        exec(compile(snippet, "dots.md", "exec"), names)
    assert (tmp_path / "levels.png").stat().st_size > 10_000
    assert (names["transient"].entropy_production >= 0).all()
    assert "particle_current" in capsys.readouterr().out


def test_thermodynamics_page(tmp_path, monkeypatch, capsys):
    """Its files run and show where linear response ends, and several regimes; its snippets, one after the other, print
    what the text says."""
    monkeypatch.chdir(tmp_path)
    linear, example = blocks(THERMODYNAMICS, "toml")
    (tmp_path / "linear.toml").write_text(linear, encoding="utf-8")
    result = mesotherm("run", "linear.toml")
    assert result.exit_code == 0, result.output
    assert "assumption strained: currents are linear" in " ".join(result.output.split())
    assert "the linear response is reciprocal" in result.output
    (tmp_path / "machine.toml").write_text(example, encoding="utf-8")
    result = mesotherm("run", "machine.toml")
    assert result.exit_code == 0, result.output
    with xr.open_dataset(tmp_path / "machine-result" / "result.nc") as data:
        names = data.regime.attrs["flag_meanings"].split()
        assert {"engine", "dissipator"} <= {names[code] for code in data.regime.to_numpy()}
        assert (data.efficiency.dropna("bias") < data.carnot_efficiency.max()).all()
    names: dict = {}
    for snippet in blocks(THERMODYNAMICS, "python"):
        exec(compile(snippet, "thermodynamics.md", "exec"), names)
    out = capsys.readouterr().out
    assert "6 representations" in out
    assert "inverse_particle for every zero of energy above -0.3125" in out
    assert "u -R-> b+u -L-> u" in out


def test_integrator_trap_page():
    """Its program finds 10/36 of the temperature, and all of it, within 4 standard errors of 4000 particles."""
    names: dict = {}
    for snippet in blocks(TRAP, "python"):
        exec(compile(snippet, "integrator_trap.md", "exec"), names)
    error = 4 * (2 / 4000) ** 0.5
    assert float(names["temperature"](4)) == pytest.approx(10 / 36, rel=error)
    assert float(names["temperature"](1)) == pytest.approx(1.0, rel=error)
    assert float(names["k"] * names["jnp"].mean(names["found"].position ** 2)) == pytest.approx(1.0, rel=error)


def test_moving_devices_page(capsys):
    """Its snippets, one after the other, print what the theory says."""
    names: dict = {}
    for snippet in blocks(MOVING, "python"):
        exec(compile(snippet, "moving_devices.md", "exec"), names)
    out = capsys.readouterr().out
    assert "several positions between 0.075791 0.104839" in out
    assert "work of the force per infinitely slow cycle: 0.0040887" in out
    assert "energy unaccounted for: True" in out
    assert abs(names["answer"].value.conjugate[0]) > 1e6 * names["answer"].error.conjugate[0]
    assert float(names["cycle"].work[-1]) == pytest.approx(4.5685e-3, abs=1e-6)
