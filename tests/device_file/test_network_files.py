"""Networks in device files: what is written is built, and a scattering matrix of the user's own is one class."""

import math
import re
import tomllib

import equinox as eqx
import jsonschema
import numpy as np
import pytest
import scipy.special
import xarray as xr
from command_line import mesotherm
from device_files import HERE

from mesotherm.axes import Axis, locate
from mesotherm.catalogue import admit, admitted, dismiss, kinds
from mesotherm.device import AbstractDevice
from mesotherm.device_file import Run, load
from mesotherm.device_file.json_schema import json_schema
from mesotherm.device_file.reference import reference
from mesotherm.device_file.template import template
from mesotherm.devices.elements import AbstractElement, BeamSplitter, ResonantLevel, UniformRegion
from mesotherm.devices.network import Network

NETWORK = (HERE / "valid" / "network.toml").read_text(encoding="utf-8")


@pytest.fixture
def read(tmp_path):
    """Read a text as a device file."""

    def of(text: str) -> Run:
        path = tmp_path / "device.toml"
        path.write_text(text, encoding="utf-8")
        return load(path)

    return of


# ---- what is written is built


def test_the_file_and_python_say_the_same(read):
    half = UniformRegion(-40.0, 4.0)
    expected = Network(
        scatterers={
            "splitter": BeamSplitter(0.25),
            "cavity_1": half,
            "cavity_2": half,
            "barrier_3": ResonantLevel(8.0, 1.0),
            "barrier_1": ResonantLevel(6.5, 1.0),
        },
        connections=[
            ("barrier_1.right", "cavity_1.left"),
            ("cavity_1.right", "splitter.left"),
            ("splitter.right", "cavity_2.left"),
            ("cavity_2.right", "barrier_3.left"),
        ],
        leads={"L": "barrier_1.left", "R": "barrier_3.right", "P": ["splitter.probe_1", "splitter.probe_2"]},
        regions={"U1": "barrier_1", "U2": ["cavity_1", "cavity_2"], "U3": "barrier_3"},
        potential=[0.5, 0.0, 0.0],
        band_bottom=-40.0,
        bottom_region="U2",
    )
    found = read(NETWORK).setup.device
    assert eqx.tree_equal(found, expected)
    assert found.terminals == ("L", "R", "P")
    assert found.channels == ("L", "R", "P", "P")
    assert found.coordinates == ("U1", "U2", "U3")


SPLITTER = 'splitter = { kind = "beam_splitter", strength = 0.25 }\n'


@pytest.mark.parametrize(
    "rewritten",
    [
        NETWORK.replace('"splitter.right" = "cavity_2.left"', 'splitter.right = "cavity_2.left"'),
        NETWORK.replace('cavity_1.right = "splitter.left"', '"cavity_1.right" = "splitter.left"'),
        NETWORK.replace('L = "barrier_1.left"', 'L = ["barrier_1.left"]'),
        NETWORK.replace("[device.potential]\nU1 = 0.5", "[device.potential]\nU3 = 0\nU1 = 0.5"),
        NETWORK.replace(SPLITTER, "").replace(
            "[device.connections]",
            '[device.scatterers.splitter]\nkind = "beam_splitter"\nstrength = 0.25\n\n[device.connections]',
        ),
    ],
)
def test_the_ways_of_writing_a_network_are_the_same(rewritten, read):
    assert rewritten != NETWORK
    assert eqx.tree_equal(read(NETWORK).setup.device, read(rewritten).setup.device)


def test_a_connection_has_no_direction(read):
    turned = read(NETWORK.replace('cavity_1.right = "splitter.left"', 'splitter.left = "cavity_1.right"')).setup.device
    energy = 7.3
    np.testing.assert_allclose(turned.smatrix(energy), read(NETWORK).setup.device.smatrix(energy), atol=1e-15)


def test_terminals_come_in_the_order_of_the_file(read):
    lines = re.search(r"L = \"barrier_1.left\"\nR = .*\n", NETWORK)
    moved = NETWORK.replace(lines[0], "").replace("[device.regions]", lines[0] + "\n[device.regions]")
    device = read(moved).setup.device
    assert device.terminals == ("P", "L", "R")
    assert device.channels == ("P", "P", "L", "R")


def test_regions_may_be_left_out(read):
    text = re.sub(r"(?s)\[device\.regions\].*?\[reservoirs\]", "[reservoirs]", NETWORK)
    text = re.sub(r"(?s)\[unknowns\.potentials\].*?\[experiment\]", "[experiment]", text)
    device = read(text.replace('bottom_region = "U2"\n', "")).setup.device
    assert device.coordinates == ()
    assert device.potential.shape == (0,)


def test_the_documentation_shows_a_file_that_is_read(read):
    page = (HERE.parents[1] / "docs" / "networks.md").read_text(encoding="utf-8")
    whole, regions, *_ = re.findall(r"(?s)```toml\n(.*?)```", page)
    device = read(whole).setup.device
    assert device.channels == ("L", "R", "P", "P")
    assert tomllib.loads(regions)["device"]["regions"] == {"U1": "barrier_1", "U2": ["cavity_1", "cavity_2"]}
    ports = {
        kind: re.findall(r"`(\w+)`", row)
        for kinds_, row in re.findall(r"\| (`.*?`) \| (`.*?`) \|\n", page)
        for kind in re.findall(r"`(\w+)`", kinds_)
    }
    assert ports == {kind: list(cls.ports) for kind, cls in kinds(AbstractElement).items()}


# ---- paths


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("device.scatterers.barrier_3.level", 8.0),
        ("device.scatterers.splitter.strength", 0.25),
        ("device.potential.U1", 0.5),
        ("device.band_bottom", -40.0),
    ],
)
def test_an_axis_sets_a_parameter_of_a_part_with_a_name(path, value, read):
    job = read(NETWORK).job
    spot = locate(job, path)
    assert float(np.asarray(spot.array(job))[spot.entry]) == value
    changed = spot.set(job, 0.125)
    assert float(np.asarray(spot.array(changed))[spot.entry]) == 0.125
    assert eqx.tree_equal(spot.set(changed, value), job)
    assert Axis(path, np.array([0.1])).dimension == "_".join(path.split(".")[1:])


def test_everything_with_a_gauge_moves_with_the_zero_of_energy(read):
    device = read(NETWORK).setup.device
    moved = device.shifted(2.0)
    energies = {
        "scatterers.barrier_1.level": 8.5,
        "scatterers.barrier_1.half_width": 1.0,
        "scatterers.cavity_2.bottom": -38.0,
        "band_bottom": -38.0,
    }
    for path, expected in energies.items():
        node = moved
        for key in path.split("."):
            node = node[key] if isinstance(node, dict) else getattr(node, key)
        assert float(node) == expected
    np.testing.assert_array_equal(moved.potential, device.potential)


# ---- what is derived


def test_the_template_is_the_example(read):
    text = template("network")
    assert 'P = ["splitter.probe_1", "splitter.probe_2"]' in text
    assert 'cavity_1.right = "splitter.left"' in text
    assert "[device.scatterers.barrier_1]" in text
    assert eqx.tree_equal(read(text).setup.device, Network.example())


@pytest.fixture(scope="module")
def validator():
    return jsonschema.Draft202012Validator(json_schema())


@pytest.mark.parametrize(
    ("where", "value", "right"),
    [
        (("scatterers", "splitter", "strength"), 0.5, True),
        (("scatterers", "splitter", "strength"), 1.5, False),
        (("scatterers", "splitter", "kind"), "splitter", False),
        (("scatterers",), {}, False),
        (("scatterers", "splitter"), "beam_splitter", False),
        (("leads", "L"), ["barrier_1.left"], True),
        (("leads", "L"), [], False),
        (("leads", "L"), 1, False),
        (("connections", "cavity_1.right"), "splitter.left", True),
        (("connections", "cavity_1"), {"right": "splitter.left"}, True),
        (("connections", "cavity_1"), {"right": 1}, False),
        (("connections",), [["cavity_1.right", "splitter.left"]], False),
        (("regions", "U1"), ["barrier_1"], True),
        (("bottom_region",), 2, False),
        (("parts",), {}, False),
    ],
)
def test_editors_are_told_the_structure(where, value, right, validator):
    data = tomllib.loads(NETWORK)
    assert validator.is_valid(data)
    table = data["device"]
    for key in where[:-1]:
        table = table[key]
    table[where[-1]] = value
    assert validator.is_valid(data) == right


def test_help_names_elements_and_how_they_are_joined():
    shown = mesotherm("describe", "network").stdout
    assert all(kind in shown for kind in kinds(AbstractElement))
    assert 'a table, ONE = "OTHER"' in shown
    assert "resonant_level" in mesotherm("list", "elements").stdout
    page = reference()
    assert "## Kinds of element" in page
    assert "under each name [an element](#kinds-of-element), a table with a `kind`" in page
    assert '`NAME = "..."` or `NAME = ["...", "..."]`, of ports' in page


# ---- the user's own scattering matrix

PLUGIN = '''\
"""A chaotic cavity with three leads."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from mesotherm.devices.elements import AbstractElement
from mesotherm.devices.elements.element import none
from mesotherm.engines.scattering import AbstractScatterer
from mesotherm.fields import parameter


class Cavity(AbstractScatterer):
    """One level that three leads share, P by two channels: S = 1 - 2i w w^T / (E - level + i w^T w)."""

    level: Float[Array, ""] = parameter("level of the cavity", gauge=True)
    half_width: Float[Array, ""] = parameter("half width of the level", low=0.0, open_low=True)
    band_bottom: Float[Array, ""] = parameter("band bottom of the leads", gauge=True)
    potential: Float[Array, "coordinates"] = parameter("U", entries=("coordinates",), left_out=0.0, default=(0.0,))
    spin_degeneracy: Float[Array, ""] = parameter("spin degeneracy g_s", unit="1", low=0.0, open_low=True, default=2.0)
    channels = ("L", "R", "P", "P")
    coordinates = ("U",)
    terminals: tuple[str, ...] = eqx.field(static=True, default=("L", "R", "P"), init=False)
    conductors: tuple[tuple[str, ...], ...] = eqx.field(static=True, default=(("L", "R", "P"),), init=False)

    @property
    def bottom(self):
        return self.band_bottom

    @property
    def q(self):
        return self.potential

    def moved_to(self, q):
        return eqx.tree_at(lambda device: device.potential, self, q)

    def smatrix(self, energy):
        x = energy - self.level - self.potential[0]
        return jnp.eye(4) - 0.5j * self.half_width / (x + 1j * self.half_width) * jnp.ones((4, 4))

    @classmethod
    def example(cls):
        return cls(level=1.0, half_width=0.5, band_bottom=-40.0)


class Mirror(AbstractElement):
    """A wall with a phase."""

    phase: Float[Array, ""] = parameter("phase of the reflected wave", unit="1")
    ports = ("front",)

    def amplitudes(self, energy):
        return ((jnp.exp(1j * self.phase),),)

    def features(self):
        return none(), none()

    def branch_points(self):
        return none()
'''


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """A plugin in the current folder, admitted; taken back in the end."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cavity.py").write_text(PLUGIN, encoding="utf-8")
    yield admit(tmp_path / "cavity.py")
    for module in admitted():
        dismiss(module)


def test_a_scattering_matrix_of_ones_own_is_one_class(plugin, tmp_path):
    """From the class to audited numbers: the charge and the current of a single level."""
    assert kinds(AbstractDevice)["cavity"] is plugin.Cavity
    text = template("cavity").replace("points = 21", "points = 2")
    (tmp_path / "cavity.toml").write_text(text, encoding="utf-8")
    result = mesotherm("run", "cavity.toml", "--plugin", "cavity.py", "--quiet")
    assert result.exit_code == 0, result.output
    with xr.open_dataset(tmp_path / "cavity-result" / "result.nc") as data:
        assert (data.status == 0).all()
        assert (data.law_violation <= 1).all()
        # four channels of equal width, P has two: N = g_s Σ_j ∫ dE (Γ/4π) f_j / (x² + Γ²)
        energy = np.linspace(-40, 200, 2_000_001)
        temperatures = float(data.T_L[-1]), 1.0, 1.0, 1.0
        filled = sum(scipy.special.expit(-energy / T) for T in temperatures)
        expected = 2 * np.trapezoid(0.5 / (4 * math.pi) * filled / ((energy - 1.0) ** 2 + 0.25), energy)
        assert float(data.charge.isel(T_L=-1)[0]) == pytest.approx(expected, rel=1e-8)


def test_an_element_of_ones_own_joins_a_network(plugin, read):
    text = NETWORK.replace(SPLITTER, SPLITTER + 'wall = { kind = "mirror", phase = 0.5 }\n')
    text = text.replace('P = ["splitter.probe_1", "splitter.probe_2"]', 'P = "splitter.probe_1"')
    text = text.replace("[device.leads]", 'wall.front = "splitter.probe_2"\n\n[device.leads]')
    device = read(text).setup.device
    assert device.channels == ("L", "R", "P")
    S = np.asarray(device.smatrix(7.7))
    np.testing.assert_allclose(S.conj().T @ S, np.eye(3), atol=1e-14)
    assert abs(S[2, 0]) > 1e-3
