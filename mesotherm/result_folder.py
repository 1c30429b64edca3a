"""The folder a command writes its results to, whole or not at all."""

import contextlib
import os
import secrets
import shutil
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import xarray as xr

DATASET, FIGURE, REPORT = "result.nc", "figure.png", "report.md"
"""What ``run`` writes."""

CHECKS = "checks.json"
"""What ``reproduce`` writes beside the figures."""

COMPRESSION = 2
"""zlib level: higher ones cost seconds on a map and save a few per cent."""


def refusal(folder: Path, *, known_by: str = DATASET, force: bool = False, may_be_link: bool = True) -> str:
    """Why results cannot be written to this folder; empty if they can. Nothing is touched.

    Parameters
    ----------
    known_by
        A file that shows that the same command wrote the folder before.
    force
        Whether a folder with other files will do.
    may_be_link
        Whether the folder may be a symbolic link: only where the user named it, not a file.
    """
    try:
        return _refusal(folder, known_by, force, may_be_link)
    except OSError as error:
        return f"{folder} cannot be used ({error.strerror}); choose another folder with --out."


def _refusal(folder: Path, known_by: str, force: bool, may_be_link: bool) -> str:
    if folder.is_symlink() and (not may_be_link or not folder.is_dir()):
        return f"{folder} is a symbolic link; choose a folder of its own with --out."
    if folder.exists() and not folder.is_dir():
        return f"{folder} is a file; choose another folder with --out."
    ours = not folder.exists() or (folder / known_by).exists() or not any(folder.iterdir())
    if not ours and not force:
        return (
            f"{folder} holds other files and no {known_by}; choose another folder (--out), or --force to write there."
        )
    for name in (DATASET, FIGURE, REPORT, CHECKS):
        if (folder / name).is_dir():
            return f"{folder / name} is a folder, in the way of a result; choose another folder with --out."
    nearest = next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        return f"{nearest} cannot be written to; choose another folder with --out."
    return ""


@contextlib.contextmanager
def written_whole(folder: Path, stale: tuple[str, ...] = ()) -> Iterator[Path]:
    """A temporary folder beside ``folder`` that takes its place when the block ends without an error.

    In a folder that has files already the new ones replace those of the same name in one go that no interruption
    divides; files named ``stale`` that were not written again are removed, nothing else is touched. After an error, an
    interruption included, the temporary folder is removed.
    """
    folder = folder.absolute()
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = folder.parent / f".{folder.name}.{secrets.token_hex(4)}.partial"
    temporary.mkdir()
    try:
        yield temporary
        with _uninterrupted():
            if folder.is_symlink() or (folder.exists() and any(folder.iterdir())):
                for name in stale:
                    if not (temporary / name).exists():
                        (folder / name).unlink(missing_ok=True)
                for part in temporary.iterdir():
                    os.replace(part, folder / part.name)
            else:
                os.replace(temporary, folder)
    finally:
        if temporary.exists():
            shutil.rmtree(temporary)


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Signals that would end the process wait until the block is done."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    waiting = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, waiting)


def write_dataset(dataset: xr.Dataset, path: Path):
    """Write netCDF-4, arrays compressed."""
    encoding = {
        name: {"zlib": True, "complevel": COMPRESSION}
        for name, variable in dataset.data_vars.items()
        if variable.ndim and variable.dtype.kind in "fiu"
    }
    dataset.to_netcdf(path, engine="netcdf4", format="NETCDF4", encoding=encoding)
