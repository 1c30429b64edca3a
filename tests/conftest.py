"""Compiled functions are kept between test runs and shared by parallel workers: compiling is most of a test's time."""

from pathlib import Path

import jax
import pytest

from mesotherm.sweep import forget_compiled

jax.config.update("jax_compilation_cache_dir", str(Path(__file__).parents[1] / ".jax_cache"))
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)
jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)


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
