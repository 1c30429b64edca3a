from pathlib import Path

import jax
import pytest


@pytest.fixture(autouse=True, scope="module")
def the_users_cache_is_left_alone():
    """Commands keep compiled functions with those of the other tests."""
    before = jax.config.jax_compilation_cache_dir
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MESOTHERM_CACHE_DIR", str(Path(__file__).parents[2] / ".jax_cache"))
        yield
    jax.config.update("jax_compilation_cache_dir", before)
