"""A new device is one class in one file: everything that lists, explains, reads and runs devices knows it, unedited."""

import hashlib
import json
import re
import subprocess
import sys

import jsonschema
import numpy as np
import pytest
import xarray as xr
from command_line import mesotherm
from device_files import HERE, listing

from mesotherm.catalogue import PluginError, admit, admitted, dismiss, kinds, roles
from mesotherm.device import AbstractDevice
from mesotherm.device_file import DeviceFileError, load
from mesotherm.device_file.json_schema import json_schema
from mesotherm.device_file.reference import reference
from mesotherm.device_file.template import template
from mesotherm.devices.barriers import AbstractBarrier

PLUGIN = '''\
"""Contacts of several channels."""

from pathlib import Path

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from mesotherm.devices.barriers import AbstractBarrier, TransparentRegion
from mesotherm.engines.coherent import AbstractCoherentDevice
from mesotherm.fields import names, parameter, part
from mesotherm.quadrature import Spectrum

Path("was_run").touch()


class HalfOpen(AbstractBarrier):
    """A barrier that lets the same share of electrons pass at every energy."""

    share: Float[Array, ""] = parameter("share that passes", unit="1", low=0.0, high=1.0, default=0.5)

    def probability(self, energy):
        return self.share * jnp.ones_like(energy)

    def features(self):
        return jnp.zeros(0), jnp.zeros(0)

    def jumps(self):
        return jnp.zeros(0)


class TunnelContact(AbstractCoherentDevice):
    """Terminals L and R, joined by channels in parallel that share one barrier.

    Source: the heat of one open channel, Pendry, J. Phys. A 16, 2161 (1983).
    """

    channels: tuple[str, ...] = names("names of the channels", most=3)
    weights: Float[Array, "channels"] = parameter(
        "how far each channel is open", unit="1", low=0.0, high=1.0, entries=("channels",), left_out=1.0
    )
    barrier: AbstractBarrier = part("barrier in every channel")
    spin_degeneracy: Float[Array, ""] = parameter("spin degeneracy g_s", unit="1", low=0.0, open_low=True, default=2.0)
    terminals: tuple[str, ...] = eqx.field(static=True, default=("L", "R"), init=False)
    conductors: tuple[tuple[str, ...], ...] = eqx.field(static=True, default=(("L", "R"),), init=False)

    def transmission(self, energy):
        through = jnp.sum(self.weights) * self.barrier.probability(energy)
        none = jnp.zeros_like(through)
        return jnp.stack([none, through, through, none]).reshape(2, 2)

    def spectrum(self):
        return Spectrum(jnp.asarray(-jnp.inf), *self.barrier.features(), self.barrier.jumps())

    @classmethod
    def example(cls):
        """Two channels."""
        return cls(channels=("a", "b"), weights=jnp.array([1.0, 0.5]), barrier=TransparentRegion())
'''

DEVICE = """\
[device]
kind = "tunnel_contact"
channels = ["a", "b"]
weights = { b = 0.5 }
barrier = { kind = "half_open" }

[reservoirs]
L = { T = 2.0 }
R = { T = 1.0 }

[experiment]
kind = "steady_state"

[axes.open]
parameter = "device.weights.a"
values = [0.0, 0.5]
tied = [{ parameter = "device.barrier.share", offset = 0.25 }]
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """The current folder, with the plugin and a device file for it; what was admitted is taken back."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "contacts.py").write_text(PLUGIN, encoding="utf-8")
    (tmp_path / "device.toml").write_text(DEVICE, encoding="utf-8")
    yield tmp_path
    for module in admitted():
        dismiss(module)


@pytest.fixture
def plugin(folder):
    return admit(folder / "contacts.py")


# ---- what knows it


def test_the_catalogue_knows_it_until_it_is_dismissed(plugin):
    assert kinds(AbstractDevice)["tunnel_contact"] is plugin.TunnelContact
    assert kinds(AbstractBarrier)["half_open"] is plugin.HalfOpen
    dismiss(plugin.__name__)
    assert "tunnel_contact" not in kinds(AbstractDevice)
    assert "half_open" not in kinds(AbstractBarrier)
    assert admitted() == {}


def test_a_file_that_changed_is_read_again(plugin, folder):
    (folder / "contacts.py").write_text(PLUGIN.replace("class HalfOpen", "class PartlyOpen"), encoding="utf-8")
    again = admit(folder / "contacts.py")
    assert kinds(AbstractDevice)["tunnel_contact"] is again.TunnelContact is not plugin.TunnelContact
    assert "partly_open" in kinds(AbstractBarrier)
    assert "half_open" not in kinds(AbstractBarrier)


def test_the_schema_knows_it(plugin):
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    keys = schema["$defs"]["tunnel_contact"]["properties"]
    assert list(keys) == ["kind", "channels", "weights", "barrier", "spin_degeneracy"]
    assert "how far each channel is open" in keys["weights"]["description"]
    data = {
        "device": {"kind": "tunnel_contact", "channels": ["a"], "barrier": {"kind": "half_open"}},
        "reservoirs": {"L": {"T": 1}, "R": {"T": 1}},
        "experiment": {"kind": "steady_state"},
    }
    validator.validate(data)
    data["device"]["barrier"]["share"] = 2
    assert not validator.is_valid(data)


def test_the_reference_page_knows_it(plugin):
    page = reference()
    assert "### tunnel_contact" in page
    assert "| `weights` | how far each channel is open" in page
    assert "Source: the heat of one open channel, Pendry, J. Phys. A 16, 2161 (1983)." in page
    assert "### half_open" in page


@pytest.mark.usefixtures("plugin")
@pytest.mark.parametrize("experiment", ["steady_state", "diode_test", "current_voltage", "open_circuit", "load_sweep"])
def test_its_template_is_read(experiment, folder):
    path = folder / "template.toml"
    path.write_text(template("tunnel_contact", experiment), encoding="utf-8")
    run = load(path)
    assert type(run.setup.device).__name__ == "TunnelContact"
    np.testing.assert_array_equal(run.setup.device.weights, [1.0, 0.5])


def test_commands_know_it_with_the_option():
    shown = mesotherm("list", "devices", "--plugin", "contacts.py").stdout
    assert "  tunnel_contact " in shown
    assert "joined by channels in parallel" in shown
    described = json.loads(mesotherm("describe", "tunnel_contact", "--plugin", "contacts.py", "--json").stdout)
    assert [row["key"] for row in described["keys"]] == ["kind", "channels", "weights", "barrier", "spin_degeneracy"]
    described = mesotherm("describe", "half_open", "--plugin", "contacts.py").stdout
    assert "share that passes; a number, ≥ 0 and ≤ 1 (if left out: 0.5)" in described
    assert "tunnel_contact" in json.loads(mesotherm("schema", "--plugin", "contacts.py").stdout)["$defs"]
    assert "### tunnel_contact" in mesotherm("schema", "--format", "markdown", "--plugin", "contacts.py").stdout
    facts = json.loads(mesotherm("check", "device.toml", "--plugin", "contacts.py", "--json").stdout)
    assert (facts["device"], facts["terminals"], facts["grid"]) == ("tunnel_contact", ["L", "R"], {"open": 2})


def test_a_new_file_for_it_runs_as_it_stands(folder):
    assert mesotherm("new", "tunnel_contact", "--plugin", "contacts.py").exit_code == 0
    text = (folder / "tunnel_contact.toml").read_text(encoding="utf-8")
    (folder / "tunnel_contact.toml").write_text(text.replace("points = 21", "points = 2"), encoding="utf-8")
    result = mesotherm("run", "tunnel_contact.toml", "--plugin", "contacts.py", "--quiet")
    assert result.exit_code == 0, result.output


def test_a_run_of_it_is_right_and_says_what_it_ran(folder):
    result = mesotherm("run", "device.toml", "--plugin", "contacts.py", "--quiet")
    assert result.exit_code == 0, result.output
    digest = hashlib.sha256((folder / "contacts.py").read_bytes()).hexdigest()
    with xr.open_dataset(folder / "device-result" / "result.nc") as data:
        assert data.attrs["input_files"] == f"contacts.py sha256:{digest}"
        assert data.attrs["device"] == "TunnelContact"
        # energy-independent transmission: (g_s/h) × (π²/6) × transmission × (T_L² - T_R²), with h = 2π
        transmission = (data.open + 0.5) * (data.open + 0.25)
        expected = 2 / (2 * np.pi) * np.pi**2 / 6 * transmission * (2.0**2 - 1.0**2)
        error = data.error_heat_current.sel(terminal="L")
        assert (abs(data.heat_current.sel(terminal="L") - expected) <= error + 1e-14).all()
        assert (error < 1e-6).all()


# ---- what must not know it


def test_without_the_option_there_is_no_such_kind(folder):
    before = listing(folder)
    result = mesotherm("run", "device.toml")
    assert result.exit_code == 2
    assert 'device.toml:2: device.kind = "tunnel_contact": is not the kind of a device' in result.stderr
    assert listing(folder) == before, "the plugin was run, or something written"


NAMING_IT = [
    'plugin = "contacts.py"\n' + DEVICE,
    'plugins = ["contacts.py"]\n' + DEVICE,
    DEVICE.replace("[device]", '[device]\nplugin = "contacts.py"'),
    DEVICE.replace('"tunnel_contact"', '"contacts.tunnel_contact"'),
    DEVICE.replace('"tunnel_contact"', '"contacts:TunnelContact"'),
    DEVICE.replace('"tunnel_contact"', '"contacts.py"'),
    DEVICE.replace('"tunnel_contact"', '"mesotherm_plugin_contacts.TunnelContact"'),
    DEVICE + "[numerics]\nplugin = 'contacts.py'\n",
    DEVICE + "[output]\nvariables = ['contacts.py']\n",
    DEVICE.replace('kind = "tunnel_contact"', 'kind = { file = "contacts.py", class = "TunnelContact" }'),
    DEVICE.replace('"steady_state"', '"contacts.py"'),
    DEVICE.replace('kind = "half_open"', 'kind = "tabulated_barrier", energies = { file = "contacts.py" }'),
]


@pytest.mark.parametrize("text", NAMING_IT)
def test_a_device_file_cannot_load_it(text, folder):
    (folder / "device.toml").write_text(text, encoding="utf-8")
    with pytest.raises(DeviceFileError):
        load(folder / "device.toml")
    assert mesotherm("run", "device.toml").exit_code == 2
    assert admitted() == {}
    assert not (folder / "was_run").exists()


def test_a_column_is_never_code(plugin, folder):
    """Where the table of a barrier may stand, a Python file may not."""
    (folder / "was_run").unlink()
    barrier = (
        '{ kind = "tabulated_barrier", energies = { file = "contacts.py" }, transmissions = [0.0, 0.5, 1.0, 1.0] }'
    )
    (folder / "device.toml").write_text(DEVICE.replace('{ kind = "half_open" }', barrier), encoding="utf-8")
    with pytest.raises(DeviceFileError, match="has an ending that is not known"):
        load(folder / "device.toml")
    assert not (folder / "was_run").exists()


# ---- what broken plugins are told

RUN = 'Path("was_run").touch()'


def line_of(piece: str) -> int:
    """Line of the plugin in which a piece of it stands."""
    return PLUGIN[: PLUGIN.index(piece)].count("\n") + 1


BROKEN = {
    "syntax": (("def spectrum(self):", "def spectrum(self)"), line_of("def spectrum"), "SyntaxError: expected ':'"),
    "indentation": (("    def spectrum", "   def spectrum"), line_of("def spectrum"), "IndentationError"),
    "exception": ((RUN, "1 / 0"), line_of(RUN), "ZeroDivisionError: division by zero; mend the plugin."),
    "exception elsewhere": ((RUN, 'Path("no").read_text()'), line_of(RUN), "FileNotFoundError"),
    "exit": ((RUN, "raise SystemExit(0)"), line_of(RUN), "SystemExit: 0"),
    "exception of two lines": ((RUN, 'raise ValueError("one\\ntwo")'), line_of(RUN), "ValueError: one two; mend"),
    "missing module": (("import equinox", "import no_such_module"), line_of("import equinox"), "No module named"),
    "null bytes": ((RUN, "\0"), None, "null bytes"),
    "taken kind": (("class HalfOpen", "class StepBarrier"), None, "StepBarrier: there is a step_barrier already"),
    "taken by another role": (("TunnelContact", "DiodeTest"), None, "there is a diode_test already"),
    "named like a role": (("class TunnelContact", "class Device"), None, "Device: there is a device already"),
    "undeclared field": (
        ("    barrier: AbstractBarrier", "    length: float\n    barrier: AbstractBarrier"),
        None,
        "TunnelContact.length has no meaning; declare it with parameter(...)",
    ),
    "open method": (("def example(", "def sample("), None, "TunnelContact does not say example; write"),
    "open attribute": (("    spin_degeneracy:", "    degeneracy:"), None, "does not say spin_degeneracy; write"),
    "open method of a part": (("def jumps", "def steps"), None, "HalfOpen does not say jumps; write"),
    "annotations that are texts": (
        ('"""Contacts of several channels."""\n', "from __future__ import annotations\n"),
        None,
        "TunnelContact.barrier is a part of no known role; annotate it with an abstract component class",
    ),
}
"""What is replaced by what; the line that is told; what is told."""


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_plugin_is_told_with_its_line(name, folder):
    (old, new), line, told = BROKEN[name]
    assert old in PLUGIN
    (folder / "broken.py").write_text(PLUGIN.replace(old, new), encoding="utf-8")
    result = mesotherm("check", "device.toml", "--plugin", "broken.py")
    assert result.exit_code == 2
    assert result.stdout == ""
    (message,) = result.stderr.splitlines()
    assert message.startswith(f"broken.py:{line}: " if line else "broken.py: ")
    assert told in message
    assert admitted() == {}


@pytest.mark.parametrize(
    "command", [["run", "device.toml"], ["list"], ["describe", "half_open"], ["new", "half_open"], ["schema"]]
)
def test_every_command_tells_it(command, folder):
    (folder / "broken.py").write_text("import jax\n1 / 0\n", encoding="utf-8")
    before = listing(folder)
    result = mesotherm(*command, "--plugin", "broken.py")
    assert result.exit_code == 2
    assert result.stderr == "broken.py:2: ZeroDivisionError: division by zero; mend the plugin.\n"
    assert {name: content for name, content in listing(folder).items() if "__pycache__" not in name} == before


def test_files_that_are_no_plugins(folder):
    (folder / "notes.txt").write_text(PLUGIN)
    (folder / "package.py").mkdir()
    (folder / "binary.py").write_bytes(b"\xff\xfe\x00")
    for name, told in {
        "missing.py": "missing.py: there is no such file; name a Python file with your device's class.",
        "package.py": "package.py: there is no such file",
        "a" * 300 + ".py": "there is no such file",
        "notes.txt": "notes.txt: a plugin is a Python file; its name ends in .py.",
        "binary.py": "binary.py",
    }.items():
        result = mesotherm("check", "device.toml", "--plugin", name)
        assert result.exit_code == 2
        (message,) = result.stderr.splitlines()
        assert told in message
    assert not (folder / "was_run").exists()


def test_two_kinds_of_one_name_in_a_plugin(folder):
    """An experiment's name loses its ending: both of these are called tunnel_contact."""
    experiment = """

class TunnelContactExperiment(AbstractExperiment):
    prepare = variables = measure = SteadyStateExperiment.measure
"""
    both = f"from mesotherm.experiments import AbstractExperiment, SteadyStateExperiment\n{PLUGIN}{experiment}"
    (folder / "contacts.py").write_text(both, encoding="utf-8")
    with pytest.raises(PluginError, match="TunnelContactExperiment: there is a tunnel_contact already"):
        admit(folder / "contacts.py")


def test_two_plugins_of_one_name_are_not_mixed_up(plugin, folder):
    (folder / "other").mkdir()
    (folder / "other" / "contacts.py").write_text(PLUGIN.replace("TunnelContact", "OtherContact"), encoding="utf-8")
    with pytest.raises(PluginError, match="a plugin of this name is there already"):
        admit(folder / "other" / "contacts.py")
    assert kinds(AbstractDevice)["tunnel_contact"] is plugin.TunnelContact


def test_several_plugins(folder):
    other = PLUGIN.replace("TunnelContact", "OtherContact").replace("HalfOpen", "OtherOpen")
    (folder / "more.py").write_text(other, encoding="utf-8")
    shown = mesotherm("list", "--plugin", "contacts.py", "--plugin", "more.py").stdout
    for kind in ("tunnel_contact", "other_contact", "half_open", "other_open"):
        assert f"  {kind} " in shown
    assert mesotherm("list", "--plugin", "contacts.py", "--plugin", "contacts.py").exit_code == 0


def test_nothing_of_the_package_names_it():
    """The class above is known by its file alone."""
    named = re.compile("tunnel_?contact|half_?open", re.IGNORECASE)
    package = HERE.parents[1] / "mesotherm"
    assert [path for path in package.rglob("*.py") if named.search(path.read_text(encoding="utf-8"))] == []
    assert "tunnel_contact" not in json.dumps(json_schema())
    assert all(cls.__module__.startswith("mesotherm.") for role in roles() for cls in kinds(role).values())


def test_the_command_itself_runs_a_plugin(folder):
    """In a process of its own, as a user does."""
    command = [sys.executable, "-c", "from mesotherm.cli import app; app()", "check", "device.toml"]
    plugged = [*command, "--plugin", "contacts.py"]
    result = subprocess.run(plugged, cwd=folder, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert "tunnel_contact with L, R" in result.stdout
