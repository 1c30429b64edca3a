"""What the commands share: exit codes, options, provenance, the console."""

import json
import os
import platform
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from mesotherm._version import __version__

BAD_INPUT, POINTS_FAILED, INTERRUPTED = 2, 3, 130
"""Exit codes besides 0."""

WIDTH = 120
"""Columns of what is printed where it does not go to a terminal."""

Plugins = Annotated[
    list[Path] | None,
    typer.Option(
        "--plugin",
        help="Python file with component classes of your own; its code is run. May be given several times.",
        show_default=False,
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no summary; errors only.")]
Force = Annotated[bool, typer.Option("--force", help="Write into a folder that holds other files, too.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for another program.")]


class BadInputError(Exception):
    """Input that cannot be used. The message is for a person; ``details`` the same for a program."""

    def __init__(self, message: str, details: list[dict[str, Any]] | None = None):
        super().__init__(message)
        self.details = details if details is not None else [{"message": message}]


def finish(work: Callable[[], int], *, as_json: bool = False) -> None:
    """Do a command's work and end with its exit code. Bad input is told on stderr (and as JSON on stdout)."""
    try:
        code = work()
    except BadInputError as error:
        typer.echo(str(error), err=True)
        if as_json:
            print_json({"errors": error.details})
        code = BAD_INPUT
    except BrokenPipeError:  # the reader of our output has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except KeyboardInterrupt:
        typer.echo("interrupted; nothing was written.", err=True)
        _leave_at_once(INTERRUPTED)
        raise
    raise typer.Exit(code)


def _leave_at_once(code: int):
    """End the process without the interpreter's teardown: XLA crashes in it when a compilation was interrupted. Every
    file is closed and every temporary folder removed by then."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def admit_plugins(files: list[Path] | None) -> dict[str, str]:
    """Run the user's Python files; their names and checksums, for the provenance."""
    if not files:
        return {}
    import hashlib

    from mesotherm.catalogue import PluginError, admit

    try:
        for file in files:
            admit(file)
    except PluginError as error:
        raise BadInputError(str(error)) from error
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def read_device_file(path: Path):
    """A device file, or the end with every mistake."""
    from mesotherm.device_file import DeviceFileError, load

    try:
        return load(path)
    except DeviceFileError as error:
        raise BadInputError(str(error), [problem.as_json() for problem in error.problems]) from error


def read_result(path: Path):
    """A result's dataset, in memory."""
    import xarray as xr

    if (path / "result.nc").is_file():
        path = path / "result.nc"
    if not path.is_file():
        kind = "this is a folder; name the result.nc in it." if path.is_dir() else "there is no such file."
        raise BadInputError(f"{path}: {kind}")
    try:
        with xr.open_dataset(path, engine="netcdf4") as dataset:
            found = dataset.load()
    except (OSError, ValueError) as error:
        raise BadInputError(f"{path}: this is no netCDF file ({error}); name a result.nc.") from error
    if "status" not in found or "experiment" not in found.attrs:
        raise BadInputError(f"{path}: this is no result of mesotherm: it has no status of its points.")
    return found


def print_json(data: Any):
    """Print for another program; numbers that JSON has no word for become null."""
    typer.echo(json.dumps(_plain(data), indent=2, ensure_ascii=False, allow_nan=False))


def _plain(data: Any) -> Any:
    if isinstance(data, dict):
        return {str(key): _plain(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_plain(value) for value in data]
    if isinstance(data, float) and not -float("inf") < data < float("inf"):
        return None
    return data


def console():
    """A console for results: as wide as the terminal, or fixed where there is none."""
    from rich.console import Console

    found = Console()
    if not found.is_terminal:
        found.width = WIDTH
    return found


def print_parts(parts):
    """Print without interpreting anything as markup."""
    screen = console()
    for part in parts:
        screen.print(part, markup=False, highlight=False)


def versions() -> dict[str, str]:
    """The command and what it ran on."""
    import jax
    import numpy as np

    return {
        "command": shlex.join([os.path.basename(sys.argv[0]), *sys.argv[1:]]),
        "mesotherm_version": __version__,
        "python_version": platform.python_version(),
        "jax_version": jax.__version__,
        "numpy_version": np.__version__,
        "machine": platform.machine(),
    }
