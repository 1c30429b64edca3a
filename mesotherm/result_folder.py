"""The folder a command writes its results to, whole or not at all."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import xarray as xr

DATASET, FIGURE = "result.nc", "figure.png"
"""What ``run`` writes."""

CHECKS = "checks.json"
"""What ``reproduce`` writes beside the figures."""

COMPRESSION = 2
"""zlib level: higher ones cost seconds on a map and save a few per cent."""


def refusal(folder: Path, *, known_by: str = DATASET, force: bool = False) -> str:
    """Why results cannot be written to this folder; empty if they can. Nothing is touched. A folder that holds
    ``known_by`` was written by the same command before."""
    if folder.exists() and not folder.is_dir():
        return f"{folder} is a file; choose another folder with --out."
    ours = not folder.exists() or (folder / known_by).exists() or not any(folder.iterdir())
    if not ours and not force:
        return (
            f"{folder} holds other files and no {known_by}; choose another folder (--out), or --force to write there."
        )
    nearest = next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        return f"{nearest} cannot be written to; choose another folder with --out."
    return ""


@contextlib.contextmanager
def written_whole(folder: Path) -> Iterator[Path]:
    """A temporary folder beside ``folder`` that takes its place when the block ends without an error.

    In a folder that has files already the new ones replace those of the same name and nothing else is touched. After
    an error, an interruption included, the temporary folder is removed.
    """
    folder = folder.absolute()
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = folder.parent / f".{folder.name}.{os.getpid()}.partial"
    temporary.mkdir()
    try:
        yield temporary
        if folder.exists() and any(folder.iterdir()):
            for part in temporary.iterdir():
                os.replace(part, folder / part.name)
        else:
            os.replace(temporary, folder)
    finally:
        if temporary.exists():
            shutil.rmtree(temporary)


def write_dataset(dataset: xr.Dataset, path: Path):
    """Write netCDF-4, arrays compressed."""
    encoding = {
        name: {"zlib": True, "complevel": COMPRESSION}
        for name, variable in dataset.data_vars.items()
        if variable.ndim and variable.dtype.kind in "fiu"
    }
    dataset.to_netcdf(path, engine="netcdf4", format="NETCDF4", encoding=encoding)
