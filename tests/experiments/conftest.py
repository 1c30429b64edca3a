import jax
import pytest


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
