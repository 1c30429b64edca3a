"""Compiled functions are kept between test runs and shared by parallel workers: compiling is most of a test's time."""

import os
from importlib.metadata import version
from pathlib import Path

import jax
import pytest

from mesotherm import plots
from mesotherm.sweep import forget_compiled

QUICK_COMPILATION = "--xla_backend_optimization_level=0 --xla_cpu_parallel_codegen_split_count=1"
"""Most tests compute a few points with functions that compile for seconds: not optimising them takes half the time of a
run. Slow tests, which compute much, check the optimised code."""

if tuple(map(int, version("jaxlib").split(".")[:2])) < (0, 11):
    QUICK_COMPILATION += " --xla_cpu_use_fusion_emitters=false"  # XLA ends the process at an option it does not know

MOST_MEMORY_MAPS = 10_000
"""Each compiled function takes hundreds of memory maps, of which a process may have 65530; JAX crashes beyond."""

MOST_WITHIN_A_MODULE = 20_000
"""Slow tests of one module may compile more than a process can hold."""

jax.config.update("jax_compilation_cache_dir", str(Path(__file__).parents[1] / ".jax_cache"))
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)
jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)


def pytest_configure(config):
    if config.option.markexpr != "slow":
        os.environ.setdefault("XLA_FLAGS", QUICK_COMPILATION)


def memory_maps() -> int:
    """How many this process has; as many as there may be where the system does not tell."""
    try:
        return Path("/proc/self/maps").read_bytes().count(b"\n")
    except OSError:
        return MOST_MEMORY_MAPS


def drop_compiled_functions(most: int):
    """If they take more memory maps."""
    if memory_maps() >= most:
        forget_compiled()
        jax.clear_caches()


@pytest.fixture(autouse=True, scope="module")
def compiled_functions_are_dropped():
    """Before they are too many; until then the next module may need them."""
    yield
    drop_compiled_functions(MOST_MEMORY_MAPS)


@pytest.fixture(autouse=True)
def compiled_functions_of_slow_tests_are_dropped(request):
    yield
    if request.node.get_closest_marker("slow"):
        drop_compiled_functions(MOST_WITHIN_A_MODULE)


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


@pytest.fixture
def drawn(tmp_path, monkeypatch):
    """Draws a dataset and gives the panels of its figure."""
    figures = []
    close = plots.plt.close
    monkeypatch.setattr(plots.plt, "close", figures.append)

    def panels(dataset, **options):
        plots.draw(dataset, tmp_path / "figure.png", **options)
        return figures[-1].axes

    yield panels
    for figure in figures:
        close(figure)
