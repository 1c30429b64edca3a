"""report.md: what was computed, what came out, whether to trust it, how to repeat it."""

import dataclasses
import importlib.metadata
from collections.abc import Iterator, Sequence

import numpy as np
import xarray as xr

from mesotherm.axes import RESERVOIR_PARAMETERS
from mesotherm.bibliography import rests_on
from mesotherm.catalogue import kind_of, one_line
from mesotherm.device_file import Run
from mesotherm.fields import Component, Parameter, TerminalName, components_in, meanings
from mesotherm.summary import Extreme, failed_points, headlines, laws, misread, outcomes, strains, table_warnings
from mesotherm.units import Units

MOST_VALUES = 16
"""Entries of an array that are written out."""


def report(dataset: xr.Dataset, run: Run, figure: str = "") -> str:
    """The report (Markdown) of a device file's result; ``figure`` is the name of its picture."""
    return "\n".join(_lines(dataset, run, figure)).rstrip() + "\n"


def _lines(dataset: xr.Dataset, run: Run, figure: str) -> Iterator[str]:
    yield f"# {run.title}"
    yield ""
    if figure:
        yield f"![{run.title}]({figure})"
        yield ""
    yield "## What was computed"
    yield ""
    device, experiment = run.setup.device, run.experiment
    yield f"**{kind_of(type(device))}**: {one_line(type(device))}"
    yield ""
    yield f"**{kind_of(type(experiment))}**: {one_line(type(experiment))}"
    yield ""
    energy = run.units.energy
    yield f"Energy unit: {energy}." if energy else "Numbers are in one energy unit throughout, k_B = ħ = e = 1."
    yield ""
    yield from _table(
        ("parameter", "value", "meaning"), [(f"`{path}`", value, meaning) for path, value, meaning in configured(run)]
    )
    for unknown in run.setup.unknowns:
        yield f"Found: {unknown.about} ({kind_of(type(unknown))}): {one_line(type(unknown))}"
        yield ""
    if run.axes:
        yield from _table(
            ("axis", "sets", "from", "to", "points"),
            [
                (
                    axis.dimension,
                    ", ".join(f"`{follower.path}`" for follower in axis.followers),
                    *(f"{end:g}{'' if axis.unit in ('', '1') else ' ' + axis.unit}" for end in _ends(axis.values)),
                    str(len(axis.values)),
                )
                for axis in run.axes
            ],
        )
    yield "## Results"
    yield ""
    for outcome, count in outcomes(dataset).items():
        yield f"- {count} of {dataset.status.size} states: {outcome.label}. {outcome.sentence}"
    yield ""
    yield "Currents are positive into the device and count particles; in amperes they are e > 0 times that, so that"
    yield "electrons that enter count as positive. Power is positive when produced."
    yield ""
    yield from _headlines(dataset)
    for line in failed_points(dataset):
        yield f"- {line.strip()}"
    yield ""
    yield "## Audit"
    yield ""
    yield "Worst residual of each law over the grid, as a fraction of what the error bounds allow."
    yield ""
    yield from _table(
        ("law", "residual / allowed", "holds"),
        [(sentence, f"{worst:.2g}", "yes" if holds else "**no**") for sentence, worst, holds in laws(dataset)],
    )
    yield "## Validity"
    yield ""
    strained = strains(dataset)
    for strain in strained:
        text = (
            strain.warning or f"{strain.sentence}: at most {strain.largest.value:.3g}, trusted up to {strain.limit:g}."
        )
        yield f"- **Warning:** {text}" if strain.warning else f"- {text}"
    yield from (f"- **Warning:** {told}" for told in [*table_warnings(dataset), *misread(dataset)])
    if not strained:
        yield f"- Nothing to check by numbers; `mesotherm describe {kind_of(type(device))}` says what is assumed."
    yield ""
    yield from _repeat(dataset, run)
    yield "## Literature"
    yield ""
    yield from (f"- {reference.line}" for reference in rests_on(run.setup, experiment))
    yield ""
    yield "`mesotherm cite result.nc` prints BibTeX."


def configured(run: Run) -> list[tuple[str, str, str]]:
    """(path, value, meaning) of everything a run is configured with."""
    swept = {follower.path for axis in run.axes for follower in axis.followers}
    rows = [
        *_parameters(run.setup.device, "device", run.units),
        *_reservoirs(run),
        *_parameters(run.experiment, "experiment", run.units),
    ]
    return [(path, "swept" if path in swept else value, meaning) for path, value, meaning in rows]


def _headlines(dataset: xr.Dataset) -> Iterator[str]:
    several = dataset.attrs["points"] > 1
    rows = []
    for line in headlines(dataset):
        if line.smallest is None or line.largest is None:
            rows.append((f"`{line.name}`", line.unit, *(("none", "") if several else ("none",)), line.error))
        elif several:
            rows.append((f"`{line.name}`", line.unit, _at(line.smallest), _at(line.largest), line.error))
        else:
            rows.append((f"`{line.name}`", line.unit, f"{line.largest.value:.10g}", line.error))
    values = ("smallest", "largest") if several else ("value",)
    yield from _table(("quantity", "unit", *values, "largest bound on its error"), rows)


def _at(extreme: Extreme) -> str:
    return f"{extreme.value:.6g} ({extreme.place})" if extreme.place else f"{extreme.value:.6g}"


def _ends(values: np.ndarray) -> tuple[float, float]:
    return float(values[0]), float(values[-1])


def _parameters(component: Component, path: str, units: Units) -> Iterator[tuple[str, str, str]]:
    """(path, value, meaning) of everything that is configured."""
    for field in dataclasses.fields(component):
        value, meaning = getattr(component, field.name), meanings(type(component)).get(field.name)
        here = f"{path}.{field.name}"
        if isinstance(meaning, Parameter):
            yield from _numbers(component, here, value, meaning, units)
        elif isinstance(meaning, TerminalName):
            yield here, ", ".join(value) if meaning.several else value, meaning.doc
    for keys, inner in components_in(component).items():
        here, meaning = ".".join((path, *keys)), meanings(type(component)).get(keys[0])
        yield here, kind_of(type(inner)), meaning.doc if meaning else ""
        yield from _parameters(inner, here, units)


def _numbers(component, path: str, value, meaning: Parameter, units: Units) -> Iterator[tuple[str, str, str]]:
    array = np.asarray(value)
    if not meaning.entries and array.ndim:
        ends = f"{array.size} values from {array[0]:g} to {array[-1]:g}"
        yield path, ends if array.size > MOST_VALUES else ", ".join(f"{one:g}" for one in array), meaning.doc
        return
    names = [getattr(component, attribute) for attribute in meaning.entries]
    for index in np.ndindex(array.shape):
        entry = ".".join(label[i] for label, i in zip(names, index, strict=True))
        yield f"{path}.{entry}" if entry else path, _written(array[index], meaning.unit, units), meaning.doc


def _written(value: float, unit: str, units: Units) -> str:
    """A number in the energy unit, and in the unit of the results where that is another."""
    if unit == "1" or units.energy is None:
        return f"{value:.10g}"
    shown, other = f"{value:.10g} {units.written(unit)}", units.result(unit)
    if other is None or other.remark or other.written == units.energy:
        return shown
    return f"{shown} ({value * other.factor:.6g} {other.written})"


def _reservoirs(run: Run) -> Iterator[tuple[str, str, str]]:
    floats = {(unknown.terminal, quantity) for unknown in run.setup.probes for quantity in unknown.floats}
    for position, name in enumerate(run.setup.device.terminals):
        for quantity, meaning in RESERVOIR_PARAMETERS.items():
            value = _written(getattr(run.setup.reservoirs, quantity)[position], meaning.unit, run.units)
            yield f"reservoirs.{name}.{quantity}", "found" if (name, quantity) in floats else value, meaning.doc


def _repeat(dataset: xr.Dataset, run: Run) -> Iterator[str]:
    attrs = dataset.attrs
    yield "## How to repeat it"
    yield ""
    yield f"Save the file below as `{run.path.name}`, then `{attrs.get('command', 'mesotherm run ' + run.path.name)}`."
    yield ""
    packages = ("equinox", "optimistix")
    others = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in packages)
    yield (
        f"mesotherm {attrs['mesotherm_version']}, Python {attrs['python_version']}, jax {attrs['jax_version']}, "
        f"numpy {attrs['numpy_version']}, {others}, {attrs['machine']}; {attrs['seconds_total']:.1f} s."
    )
    yield ""
    for line in np.atleast_1d(attrs.get("input_files", [])):
        yield f"- {line}"
    yield f"- {run.path.name} sha256:{attrs['device_file_sha256']}"
    yield ""
    fence = "````" if "```" in run.text else "```"
    yield f"{fence}toml"
    yield run.text.rstrip("\n")
    yield fence
    yield ""


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield "| " + " | ".join(heads) + " |"
    yield "|" + "---|" * len(heads)
    for row in rows:
        yield "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |"
    yield ""
