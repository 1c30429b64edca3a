"""Numbers of a job as a labelled dataset: dimensions, coordinates, units, descriptions, bounds, outcomes."""

from typing import Any

import numpy as np
import xarray as xr

from mesotherm.axes import locate
from mesotherm.device import positions_of, potentials_of
from mesotherm.experiments import AbstractExperiment, Setup
from mesotherm.observables import Variable
from mesotherm.results import Outcome

NAN_OUTCOMES = (Outcome.NOT_CONVERGED, Outcome.POPULATION_INVERSION, Outcome.NOT_FINITE, Outcome.OUT_OF_REACH)
"""Outcomes whose numbers mean nothing. The others keep their numbers, honest bounds beside them."""

UNSOLVED = np.int8(-1)
"""Stands for a category where a point failed."""


def labelled(data, shape, axes, job) -> xr.Dataset:
    """The dataset: dimensions, coordinates, descriptions; NaN where a point failed."""
    variables = job.experiment.variables(job.setup)
    dimensions = tuple(axis.dimension for axis in axes)
    status_dimensions = variables["status"].dimensions
    failed = np.isin(data["status"], NAN_OUTCOMES)
    dataset = xr.Dataset(coords=_coordinates(axes, job))
    for name, values in data.items():
        described = variables[_of(name)]
        extra = described.dimensions
        if described.flags is Outcome:
            values = values.astype(np.int8)
        else:
            shared = extra[: len(status_dimensions)] == status_dimensions
            mask = failed if shared else failed.reshape(len(failed), -1).any(axis=1)
            mask = mask.reshape(mask.shape + (1,) * (values.ndim - mask.ndim))
            blank = np.nan if described.flags is None else UNSOLVED
            values = np.where(mask, blank, values)
        dataset[name] = (dimensions + extra, values.reshape(shape + values.shape[1:]), attributes_of(name, described))
    return dataset


def _coordinates(axes, job):
    setup = job.setup
    coords = {}
    for axis in axes:
        meaning = locate(job, axis.path).meaning
        attributes = {
            "long_name": meaning.doc,
            "units": axis.unit or (meaning.unit if axis.scale == 1.0 else "1"),
            "parameter": axis.path,
            "scale": axis.scale,
            "offset": axis.offset,
        }
        if axis.tied:
            attributes["tied"] = "; ".join(f"{tie.path} = {tie.offset:g} + {tie.scale:g} * value" for tie in axis.tied)
        coords[axis.dimension] = (axis.dimension, np.asarray(axis.values, float), attributes)
    labels = labels_of(setup, job.experiment)
    variables = job.experiment.variables(setup)
    used = {d for v in variables.values() for d in v.dimensions}
    for name, values in job.experiment.coordinates(setup).items():
        coords[name] = (name, values, attributes_of(name, variables[name]))
    coords |= {name: (name, np.array(labels[name], dtype=object)) for name in labels if name in used}
    if "assumption" in used:
        assumptions = [*setup.device.assumptions.values(), *job.experiment.assumptions.values()]
        sentences, limits = [a.sentence for a in assumptions], [a.limit for a in assumptions]
        coords["assumption"] = (*coords["assumption"], {"sentences": sentences, "limits": limits})
    return coords


def labels_of(setup: Setup, experiment: AbstractExperiment) -> dict[str, list[str]]:
    """Names along every dimension that a setup and what is done to it fix."""
    return {
        "terminal": list(setup.device.terminals),
        "probe": [unknown.terminal for unknown in setup.probes],
        "coordinate": list(potentials_of(setup.device)),
        "moving_part": list(positions_of(setup.device)),
        "direction": ["forward", "backward"],
        "law": list(experiment.laws(setup)),
        "assumption": [*setup.device.assumptions, *experiment.assumptions],
    }


OF_ERRORS = {
    "error_": "bound on the error of ",
    "estimate_": "estimated error of ",
    "standard_error_": "standard error of ",
}
"""What names of variables begin with that belong to another variable, and what they say of it."""


def _of(name: str) -> str:
    """The variable that a name belongs to."""
    return next((name.removeprefix(start) for start in OF_ERRORS if name.startswith(start)), name)


def attributes_of(name: str, variable: Variable) -> dict[str, Any]:
    if variable.flags is not None:
        members = list(variable.flags)
        unsolved = {} if variable.flags is Outcome else {"comment": f"{UNSOLVED} where the point failed"}
        return {
            "long_name": variable.long_name,
            "flag_values": np.array([int(member) for member in members], dtype=np.int8),
            "flag_meanings": " ".join(member.label for member in members),
            **unsolved,
        }
    prefix = next((text for start, text in OF_ERRORS.items() if name.startswith(start)), "")
    symbol = rf"\delta {variable.symbol}" if prefix else variable.symbol
    warning = {"warning": variable.warning} if variable.warning and not prefix else {}
    return {"long_name": prefix + variable.long_name, "units": variable.unit, "symbol": symbol, **warning}
