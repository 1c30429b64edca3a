"""Devices under a slow drive, from tight binding to the numbers of Mehring, Bustos-Marún & Calvo (2024)."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mesotherm import Axis, BiasReversal, ThermalizationDiode, sweep
from mesotherm.branch_rectification import branch_rectification
from mesotherm.driven import Driven, folds, resting_drive
from mesotherm.equilibria import equilibria
from mesotherm.papers.mehring2024.model import (
    FIG_2,
    FIG_4,
    FIG_5,
    FIG_6,
    FIG_7,
    FIG_8,
    FIG_9,
    STIFFNESS,
)
from mesotherm.quasi_static import quasi_static

PLACES = np.linspace(-4.0, 4.0, 401)


@pytest.fixture(scope="module")
def figure_6():
    driven = FIG_6.driven("linear")
    return driven, driven.tabulated(np.linspace(-6, 6, 601), tolerance=1e-10)


def test_window_of_several_positions(figure_6):
    driven, _ = figure_6
    _, drives = folds(driven, FIG_6.mode, PLACES)
    np.testing.assert_allclose(np.sort(drives), [0.0757914688179, 0.1048386699200], rtol=0, atol=1e-10)


def test_infinitely_slow_cycle(figure_6):
    """Jumps where the positions end, and all work of the force is lost in them."""
    _, table = figure_6
    up = np.linspace(0, 0.15, 61)
    cycle = np.concatenate([up, up[-2::-1]])
    found = quasi_static(FIG_6.mode, table, cycle)
    np.testing.assert_allclose(
        [jump.stop - jump.start for jump in found.jumps], [0.687903459436, -0.656177823508], rtol=0, atol=1e-8
    )
    assert found.work == pytest.approx(4.0887041e-3, abs=1e-9)
    assert found.position[-1] == pytest.approx(0.0, abs=1e-9)
    way_back = found.position[61:][::-1]
    differ = np.abs(way_back - found.position[:60]) > 0.1
    assert np.all((up[:60][differ] > 0.0757) & (up[:60][differ] < 0.1049))
    assert np.any(differ)


def test_rectification_on_each_branch(figure_6):
    """Two positions at one bias of Fig. 6 rectify differently; Fig. 4 has one, with the R_I of a found position."""
    _, table = figure_6
    found = branch_rectification(FIG_6.mode, table, 0.09)
    assert found.odd_rectification_particle.shape == (2, 1)
    current = np.asarray(table(np.append(found.forward, found.backward), np.array([0.09, 0.09, -0.09]))["heat_current"])
    low, high, back = current[:, 0]
    expected = [(low + back) / (low - back), (high + back) / (high - back)]
    np.testing.assert_allclose(found.odd_rectification_heat[:, 0], expected, rtol=1e-12)
    turned = branch_rectification(FIG_6.mode, table, -0.09)
    np.testing.assert_allclose(turned.odd_rectification_particle, -found.odd_rectification_particle.T, rtol=1e-12)

    one = branch_rectification(FIG_4.mode, FIG_4.driven("linear").tabulated(PLACES, tolerance=1e-10), 0.0560623)
    np.testing.assert_allclose(one.odd_rectification_particle, [[0.7262762010]], rtol=0, atol=1e-9)
    with pytest.raises(ValueError, match="0/0"):
        branch_rectification(FIG_6.mode, table, 0.0)


def test_every_position_has_its_drive(figure_6):
    """The curve V*(x): at each of its drives the table has an equilibrium there, stable where the slope says so."""
    driven, table = figure_6
    drives, slopes = (np.asarray(values) for values in resting_drive(driven, FIG_6.mode, jnp.asarray(PLACES)))
    for x, drive, slope in list(zip(PLACES, drives, slopes, strict=True))[150:320:10]:
        found = equilibria(table, float(drive), STIFFNESS)
        nearest = np.argmin(np.abs(found.position - x))
        assert found.position[nearest] == pytest.approx(x, abs=1e-8)
        assert found.stable[nearest] == (slope < 0)


def test_positions_of_the_pulses():
    table = FIG_7.driven("linear").tabulated(PLACES, tolerance=1e-10)
    assert equilibria(table, 0.1, STIFFNESS).position[0] == pytest.approx(0.214570687529, abs=1e-9)
    assert equilibria(table, -0.1, STIFFNESS).position[0] == pytest.approx(-1.180037795514, abs=1e-9)


@pytest.mark.parametrize(
    ("parameters", "bias", "barrier"), [(FIG_8, 0.2, 1.3460644765e-3), (FIG_9, 0.3, 1.0800515493e-3)]
)
def test_barriers(parameters, bias, barrier):
    table = parameters.driven("linear").tabulated(np.linspace(-8, 8, 401), tolerance=1e-10)
    assert equilibria(table, bias, STIFFNESS).barriers[0] == pytest.approx(barrier, abs=1e-11)


@pytest.mark.slow
def test_rectification_of_charge():
    """Fig. 4: the largest R_I at λ = 0.5 and where; zero without a bias is a status of its own."""
    near = 0.0560623 + np.array([-2e-6, 0.0, 2e-6])
    data = sweep(BiasReversal(), FIG_4.setup("linear"), [Axis("experiment.bias", [0.0, 0.05, *near])])
    found = data.odd_rectification_particle.to_numpy()
    assert found[1] == pytest.approx(0.7242771977, abs=1e-9)
    assert found[3] == pytest.approx(0.7262762010, abs=1e-9)
    assert found[3] > max(found[2], found[4])
    assert np.isnan(found[0])
    assert data.status.attrs["flag_meanings"].split()[int(data.status[0, 0])] == "no_drive"
    assert np.all(data.status[1:] == 0)


@pytest.mark.slow
def test_rectification_of_heat():
    """Fig. 5 at δT = T₀ by Eq. 13, and with the energy integral that its first-order expansion leaves out."""
    axis = [Axis("experiment.delta_temperature", [FIG_5.T])]
    data = sweep(BiasReversal(), FIG_5.setup("linear"), axis)
    assert float(data.odd_rectification_heat[0]) == pytest.approx(0.68047670, abs=1e-7)

    driven = FIG_5.driven("full")

    @eqx.filter_jit
    def first_order(x):
        """Force and heat current per temperature difference."""

        def at(difference):
            found = driven.at(x, difference)
            return found["force"], found["heat_current"][0]

        return jax.jvp(at, (jnp.zeros(()),), (jnp.ones(()),))[1]

    heats = []
    for difference in (FIG_5.T, -FIG_5.T):
        x = jnp.zeros(())
        for _ in range(30):
            x = first_order(x)[0] * difference / STIFFNESS
        heats.append(float(first_order(x)[1]) * difference)
    assert (heats[0] + heats[1]) / (heats[0] - heats[1]) == pytest.approx(7.10748e-4, abs=1e-8)


def test_table_of_the_full_response():
    """A spline over positions and biases stays as near to Eq. 9 as it says; without bias there is no force."""
    driven = FIG_2.driven("full")
    table = driven.tabulated(np.linspace(-0.5, 1.5, 41), np.linspace(-0.2, 0.2, 9))
    rng = np.random.default_rng(0)
    force = eqx.filter_jit(driven.force)
    for x, bias in zip(rng.uniform(-0.5, 1.5, 8), rng.uniform(-0.2, 0.2, 8), strict=True):
        exact = float(force(jnp.asarray(x), jnp.asarray(bias)))
        assert abs(float(table(x, bias)["force"]) - exact) <= 2 * float(table.error["force"])
    assert float(table.error["force"]) < 1e-3
    np.testing.assert_allclose(table(np.linspace(-0.5, 1.5, 41), 0.0)["force"], 0.0, atol=1e-15)


def test_what_cannot_be_driven_is_refused():
    with pytest.raises(ValueError, match="no part 'x' of ThermalizationDiode moves; there are: none"):
        Driven(ThermalizationDiode.example(), 0.0, 1.0)
