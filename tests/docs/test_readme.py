"""What the README shows runs as it stands."""

import re
from pathlib import Path

import pytest
import xarray as xr
from typer.testing import CliRunner

from mesotherm.cli import app

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def test_python_examples(capsys):
    """One after the other, as a reader would type them."""
    names: dict = {}
    for example in blocks("python"):
        exec(compile(example, "README.md", "exec"), names)
    out = capsys.readouterr().out
    assert "1.5326121260" in out
    assert out.count("holds") == 5
    assert "BROKEN" not in out
    forward, backward = names["data"].particle_current.sel(terminal="L", epsilon=5.0)
    assert forward * backward > 0


def test_device_file(tmp_path):
    (example,) = blocks("toml")
    (tmp_path / "device.toml").write_text(example)
    result = CliRunner().invoke(app, ["run", str(tmp_path / "device.toml"), "--out", str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    with xr.open_dataset(tmp_path / "out" / "result.nc") as data:
        assert data.sizes["epsilon_1"] == 41
        assert (data.status == 0).all()


@pytest.mark.parametrize(
    "path", re.findall(r"\]\((docs/[^)]+)\)", README) + re.findall(r"`(design/|examples/)`", README)
)
def test_linked_files_exist(path):
    assert (ROOT / path).exists()
