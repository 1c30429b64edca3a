"""Compiled programs kept on disk, so that the second run of a file starts at once."""

import os
from pathlib import Path

SHORTEST_COMPILATION = 0.2
"""Seconds; what compiles faster is not worth a file."""


def folder() -> Path:
    """Where compiled programs are kept: ``MESOTHERM_CACHE_DIR``, else the user's cache folder."""
    if chosen := os.environ.get("MESOTHERM_CACHE_DIR"):
        return Path(chosen)
    if base := os.environ.get("XDG_CACHE_HOME"):
        return Path(base) / "mesotherm"
    return Path("~/.cache/mesotherm").expanduser()


def enable() -> str:
    """Switch JAX's cache on, before anything is compiled.

    Returns
    -------
    str
        Empty, or why the run goes on without: the folder cannot be made or written to.
    """
    import jax

    try:
        where = folder()
        where.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError) as error:  # RuntimeError: there is no home folder
        return f"no compilation cache: {error}"
    if not os.access(where, os.W_OK | os.X_OK):
        return f"no compilation cache: {where} cannot be written to"
    jax.config.update("jax_compilation_cache_dir", str(where))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", SHORTEST_COMPILATION)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)
    return ""
