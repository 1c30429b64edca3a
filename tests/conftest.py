"""Compiled functions are kept between test runs and shared by parallel workers: compiling is most of a test's time."""

import os
from importlib.metadata import version
from pathlib import Path

import jax
import pytest

from mesotherm.sweep import forget_compiled

QUICK_COMPILATION = "--xla_backend_optimization_level=0 --xla_cpu_parallel_codegen_split_count=1"
"""Most tests compute a few points with functions that compile for seconds: not optimising them takes half the time of a
run. Slow tests, which compute much, check the optimised code."""

if tuple(map(int, version("jaxlib").split(".")[:2])) < (0, 11):
    QUICK_COMPILATION += " --xla_cpu_use_fusion_emitters=false"  # XLA ends the process at an option it does not know

jax.config.update("jax_compilation_cache_dir", str(Path(__file__).parents[1] / ".jax_cache"))
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)
jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)


def pytest_configure(config):
    if config.option.markexpr != "slow":
        os.environ.setdefault("XLA_FLAGS", QUICK_COMPILATION)


@pytest.fixture(autouse=True, scope="module")
def compiled_functions_are_dropped():
    """Each compiled function takes hundreds of memory maps, of which a process may have 65530; JAX crashes beyond."""
    yield
    forget_compiled()
    jax.clear_caches()


@pytest.fixture
def compilations():
    """Names of the compilations while the test runs."""
    seen = []

    def note(event, duration, **_):
        if "backend_compile" in event:
            seen.append(event)

    jax.monitoring.register_event_duration_secs_listener(note)
    jax.jit(lambda x: x + 1)(0.0)
    assert seen, "compilations go unnoticed"
    yield seen
    jax.monitoring.unregister_event_duration_listener(note)
