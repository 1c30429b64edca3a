import jax
import pytest


@pytest.fixture(autouse=True, scope="session")
def compilation_cache_of_the_tests(tmp_path_factory):
    """Tests leave the user's cache alone and start with an empty one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MESOTHERM_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield
    jax.config.update("jax_compilation_cache_dir", None)
