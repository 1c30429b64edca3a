"""Compiled functions are kept between test runs and shared by parallel workers: compiling is most of a test's time."""

from pathlib import Path

import jax

import mesotherm  # noqa: F401  (64 bit before anything else)

jax.config.update("jax_compilation_cache_dir", str(Path(__file__).parents[1] / ".jax_cache"))
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)
jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)
