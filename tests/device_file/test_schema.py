"""The schema for editors (JSON Schema): it accepts what is read, and refuses what is of the wrong structure."""

import json
import tomllib

import jsonschema
import pytest
from command_line import mesotherm
from device_files import EXAMPLES, HERE, MALFORMED, VALID, name_of

from mesotherm.catalogue import kinds, parts
from mesotherm.device import AbstractDevice
from mesotherm.device_file.json_schema import json_schema
from mesotherm.device_file.template import template
from mesotherm.devices.coulomb_dots import CoulombDots
from mesotherm.devices.thermalization_diode import ThermalizationDiode
from mesotherm.experiments import AbstractExperiment
from mesotherm.fields import meanings
from mesotherm.unknowns import AbstractUnknown

BEYOND_STRUCTURE = {
    "type_empty_text_for_number", "type_quoted_number", "type_text_for_number", "type_text_for_rate",
    "type_text_for_tolerance",  # texts may be numbers with units
    "type_float_for_points", "type_hexadecimal_without_end", "type_huge_integer",  # JSON knows one sort of numbers
}  # fmt: skip

WRONG_TYPE = [path for path in MALFORMED if path.stem.startswith("type_") and path.stem not in BEYOND_STRUCTURE]
UNKNOWN_KEY = [path for path in MALFORMED if path.stem.startswith("unknown_")]
MISSING_KEY = [
    HERE / "malformed" / f"missing_{what}.toml"
    for what in (
        "axis_parameter", "contacts", "device", "dots", "experiment", "kind_of_device", "kind_of_experiment",
        "kind_of_part", "kind_of_unknown", "levels", "number", "part", "reservoirs", "tied_parameter",
    )
]  # fmt: skip
OUT_OF_RANGE = [
    HERE / "malformed" / f"range_{what}.toml"
    for what in (
        "negative_rate", "negative_rate_for_all", "negative_temperature", "negative_tolerance", "negative_width",
        "largest_bias", "left_share", "zero_degeneracy", "zero_delta_temperature", "zero_temperature", "zero_width",
    )
]  # fmt: skip


@pytest.fixture(scope="module")
def validator():
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_the_command_prints_it():
    result = mesotherm("schema")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == json_schema()


@pytest.mark.parametrize("file", [*EXAMPLES, *VALID], ids=name_of)
def test_it_accepts_what_is_read(file, validator):
    validator.validate(tomllib.loads(file.read_text(encoding="utf-8")))


@pytest.mark.parametrize("kind", [*kinds(AbstractDevice), *kinds(AbstractExperiment)])
def test_it_accepts_templates(kind, validator):
    validator.validate(tomllib.loads(template(kind)))


@pytest.mark.parametrize("file", [*WRONG_TYPE, *UNKNOWN_KEY, *MISSING_KEY, *OUT_OF_RANGE], ids=name_of)
def test_it_refuses_mistakes_of_structure(file, validator):
    assert not validator.is_valid(tomllib.loads(file.read_text(encoding="utf-8")))


def test_mistakes_of_structure_are_many():
    assert len(WRONG_TYPE) >= 50
    assert len(UNKNOWN_KEY) >= 20


def test_it_knows_every_kind_and_every_key(validator):
    definitions = validator.schema["$defs"]
    for role in (AbstractDevice, AbstractExperiment, AbstractUnknown, *parts(ThermalizationDiode).values()):
        for kind, cls in kinds(role).items():
            own = {name for name in meanings(cls) if not (role is AbstractUnknown and name == "terminal")}
            assert definitions[kind]["properties"].keys() == {"kind", *own}
            assert definitions[kind]["required"][0] == "kind"
            assert definitions[kind]["additionalProperties"] is False
            assert definitions[kind]["description"]


def test_keys_are_described(validator):
    for kind in kinds(AbstractDevice):
        for key, shape in validator.schema["$defs"][kind]["properties"].items():
            assert shape["description"], (kind, key)
    dots = validator.schema["$defs"]["coulomb_dots"]["properties"]
    assert meanings(CoulombDots)["levels"].doc in dots["levels"]["description"]
