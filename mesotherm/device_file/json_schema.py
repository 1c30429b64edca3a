"""The schema of the device file for editors (JSON Schema, draft 2020-12), made of the models that check it."""

from typing import Any

import pydantic

from mesotherm.catalogue import kind_of, kinds, one_line, role_name, roles
from mesotherm.device import AbstractDevice
from mesotherm.device_file.axes import AXIS, TIE
from mesotherm.device_file.document import DOCUMENT, FIGURE, NUMERICS, OUTPUT, UNITS, reservoir_model
from mesotherm.device_file.schema import ROLE, model_of
from mesotherm.experiments import AbstractExperiment
from mesotherm.unknowns import AbstractUnknown

FLOATING = frozenset({"terminal"})
"""What the key of an unknown says already."""


def json_schema() -> dict[str, Any]:
    """JSON Schema of a whole device file, every kind included."""
    unknown = {"anyOf": [{"enum": list(kinds(AbstractUnknown))}, {"$ref": f"#/$defs/{role_name(AbstractUnknown)}"}]}
    tables = {
        "units": _own(UNITS),
        "device": {"$ref": f"#/$defs/{role_name(AbstractDevice)}"},
        "reservoirs": _by_name(_own(reservoir_model(None, floats=True))),
        "unknowns": _by_name(unknown),
        "experiment": {"$ref": f"#/$defs/{role_name(AbstractExperiment)}"},
        "axes": _by_name({"$ref": "#/$defs/axis"}),
        "numerics": _own(NUMERICS),
        "output": _own(OUTPUT),
        "figure": _own(FIGURE),
    }
    whole = _own(DOCUMENT)
    for name, shape in tables.items():
        whole["properties"][name] = shape | {"description": whole["properties"][name]["description"]}
    axis = _own(AXIS)
    axis["properties"]["tied"]["items"] = _own(TIE)
    definitions: dict[str, Any] = {"axis": axis}
    for role in roles():
        there = kinds(role)
        definitions[role_name(role)] = {"oneOf": [{"$ref": f"#/$defs/{kind}"} for kind in there]}
        without = FLOATING if role is AbstractUnknown else frozenset()
        for kind, cls in there.items():
            shape = _own(model_of(cls, without)) | {"title": kind_of(cls), "description": one_line(cls)}
            shape["required"] = ["kind", *shape.get("required", [])]
            definitions[kind] = shape
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "mesotherm device file",
        **{key: value for key, value in whole.items() if key != "title"},
        "$defs": definitions,
    }


def _own(shape: type[pydantic.BaseModel]) -> dict[str, Any]:
    """JSON Schema of one table; defaults that JSON has no word for (infinities, "none given") are left out."""
    written = shape.model_json_schema()
    for entry in written.get("properties", {}).values():
        for filled in (entry, entry.get("additionalProperties")):
            if isinstance(filled, dict) and ROLE in filled:
                filled["$ref"] = f"#/$defs/{filled.pop(ROLE)}"
        if "default" in entry and (entry["default"] is None or entry["default"] in (float("inf"), float("-inf"))):
            del entry["default"]
    return written


def _by_name(shape: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": shape}
