"""Tables of forces along a position: what they keep, where they end, and every place where a part can rest."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mesotherm.equilibria import equilibria
from mesotherm.motion_table import tabulate

STIFFNESS = 0.02


def closed_form(level, coupling, asymmetry, b, a0):
    """Force and current of a dot between two chains at the middle of the band, linear in the bias (Eq. 17)."""

    def of(x, bias):
        left, right = (
            coupling * (1 + asymmetry) * jnp.exp(-b * x / a0),
            coupling * (1 - asymmetry) * jnp.exp(b * x / a0),
        )
        s = left**2 + right**2
        current = bias / (2 * jnp.pi) * 4 * left**2 * right**2 / (level**2 + s**2)
        return {
            "force": -bias / jnp.pi * (b / a0) * level * s / (level**2 + s**2),
            "particle_current": jnp.stack([current, -current]),
        }

    return of


FIG_2A = closed_form(-0.2, 0.1, 0.0, 8.0, 4.0)
FIG_2B = closed_form(-0.2, 0.1, 0.7, 8.0, 4.0)
FIG_4 = closed_form(-0.2, 0.5, 0.5, 6.0, 4.0)
FIG_6 = closed_form(-0.3, 0.2, 0.6, 7.0, 4.0)
FIG_7 = closed_form(-0.3, 0.1, 0.0, 6.5, 4.0)
FIG_9 = closed_form(-0.3, 0.11, 0.0, 6.5, 7.5)


def table_of(function, low=-4.0, high=4.0, tolerance=1e-12):
    return tabulate(function, np.linspace(low, high, 257), tolerance=tolerance)


@pytest.fixture(scope="module")
def fig_2b():
    return table_of(FIG_2B)


@pytest.fixture(scope="module")
def in_drive():
    """Neither linear in the drive nor without friction."""

    def function(x, drive):
        at = FIG_2B(x, jnp.tanh(3 * drive))
        return {**at, "friction": 1.0 + 0.3 * jnp.cos(x) * drive**2}

    return function, tabulate(function, np.linspace(-1, 2, 33), np.linspace(-0.3, 0.3, 9), tolerance=3e-6)


def test_numbers_of_the_closed_form():
    assert float(FIG_2A(0.5, 0.2)["force"]) == pytest.approx(0.04196236175469, abs=1e-12)
    assert float(FIG_2B(0.5, 0.2)["force"]) == pytest.approx(0.00670486115298, abs=1e-12)


def test_a_table_is_as_near_to_its_function_as_it_says(fig_2b):
    x, drive = np.random.default_rng(0).uniform(-4, 4, 4000), 0.2
    found, true = fig_2b(x, drive), jax.vmap(FIG_2B, (0, None))(jnp.array(x), drive)
    assert found["particle_current"].shape == (4000, 2)
    for name, error in fig_2b.error.items():
        assert 0 < float(error) <= 1e-12 * float(fig_2b.largest[name])
        assert np.max(np.abs(found[name] - true[name])) <= 0.2 * 1.1 * float(error) + 2e-17


def test_errors_fall_with_the_fourth_power_of_the_spacing():
    errors = [float(tabulate(FIG_2B, np.linspace(-2, 2, n)).error["force"]) for n in (401, 801)]
    assert errors[0] / errors[1] == pytest.approx(16, rel=0.05)


def test_a_spline_in_the_drive_too(in_drive):
    function, table = in_drive
    generator = np.random.default_rng(1)
    x, drive = generator.uniform(-1, 2, 3000), generator.uniform(-0.3, 0.3, 3000)
    found, true = table(x, drive), jax.vmap(function)(jnp.array(x), jnp.array(drive))
    assert table.powers == (0, 1, 2, 3)
    for name, error in table.error.items():
        assert float(error) <= 3e-6 * float(table.largest[name])
        assert np.max(np.abs(found[name] - true[name])) <= 2 * float(error)  # of both directions


def test_what_does_not_depend_on_the_drive_stands_beside_what_is_linear_in_it():
    table = tabulate(lambda x, V: {"friction": 1 + x * x, "force": V * jnp.sin(x)}, np.linspace(-2, 2, 401))
    found = table(0.7, 0.3)
    assert table.powers == (0, 1)
    assert found["friction"] == pytest.approx(1.49, abs=1e-12)
    assert found["force"] == pytest.approx(0.3 * np.sin(0.7), abs=1e-10)


def test_outside_of_its_range_a_table_knows_nothing(fig_2b, in_drive):
    x = jnp.array([-4.0, 4.0, -4.0 - 1e-9, 4.0 + 1e-9, 1e300, -jnp.inf, jnp.nan])
    for quantity in ("force", "particle_current"):
        at = np.array(fig_2b(x, 0.1)[quantity]).reshape(7, -1)
        assert np.isfinite(at[:2]).all()
        assert np.isnan(at[2:]).all()
    drives = jnp.array([-0.3, 0.3, -0.301, 0.301, jnp.nan])
    assert np.isnan(in_drive[1](0.5, drives)["force"]).tolist() == [False, False, True, True, True]


def test_two_derivatives_are_continuous():
    table = tabulate(FIG_2B, np.linspace(-1, 1, 21))
    c = np.asarray(table.at_drive(0.2)[0])
    right = np.array([np.sum(c, 1), c @ [3, 2, 1, 0], c @ [6, 2, 0, 0]])
    left = np.array([c[:, 3], c[:, 2], 2 * c[:, 1]])
    assert np.allclose(right[:, :-1], left[:, 1:], rtol=0, atol=1e-14)
    assert np.ptp(c[:, 0]) > 1e-6  # the third is not


def test_the_work_of_the_force_is_its_exact_integral(fig_2b, in_drive):
    nodes, weights = np.polynomial.legendre.leggauss(60)
    for table, function in ((fig_2b, FIG_2B), (in_drive[1], in_drive[0])):
        x = np.linspace(-0.9, 1.9, 8)
        points = jnp.array(0.5 * (x[1:, None] + x[:-1, None]) + 0.5 * np.diff(x)[:, None] * nodes)
        force = jax.vmap(function, (0, None))(points.ravel(), 0.13)["force"].reshape(points.shape)
        error = 1e-13 + 2 * float(table.error["force"])
        assert np.allclose(np.diff(table.work(x, 0.13)), 0.5 * np.diff(x) * (force @ weights), rtol=0, atol=error)
        slope = jax.vmap(jax.grad(table.work), (0, None))(jnp.array(x), 0.13)
        assert np.allclose(slope, table(x, 0.13)["force"], rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("function", "bias", "position", "stable"),
    [
        (FIG_2A, 0.2, [1.164718843285], [True]),
        (FIG_2B, 0.2, [0.344516616259, 0.839267485970, 1.666716842442], [True, False, True]),
    ],
    ids=["Fig. 2(a)", "Fig. 2(b)"],
)
def test_equilibria_of_the_paper(function, bias, position, stable):
    found = equilibria(table_of(function), bias, STIFFNESS)
    assert np.allclose(found.position, position, rtol=0, atol=1e-9)
    assert found.stable.tolist() == stable
    assert np.array_equal(found.slope < 0, found.stable)
    assert not found.uncertain.any()
    assert found.nearly.size == 0


def test_barriers_of_figs_8_and_9_and_positions_of_fig_7():
    assert equilibria(table_of(FIG_2B), 0.2, STIFFNESS).barriers[0] == pytest.approx(1.3460644765e-3, abs=1e-11)
    assert equilibria(table_of(FIG_9), 0.3, STIFFNESS).barriers[0] == pytest.approx(1.0800515493e-3, abs=1e-11)
    table = table_of(FIG_7)
    assert equilibria(table, 0.1, STIFFNESS).position[0] == pytest.approx(0.214570687529, abs=1e-9)
    assert equilibria(table, -0.1, STIFFNESS).position[0] == pytest.approx(-1.180037795514, abs=1e-9)


def test_fig_6_window_of_several_solutions_jumps_and_work_of_the_slow_cycle():
    table = table_of(FIG_6)

    def border(one, three):
        while abs(three - one) > 1e-15:
            middle = 0.5 * (one + three)
            if len(equilibria(table, middle, STIFFNESS).position) == 1:
                one = middle
            else:
                three = middle
        return three

    low, high = border(0.06, 0.09), border(0.12, 0.09)
    assert low == pytest.approx(0.0757914688179, abs=1e-10)
    assert high == pytest.approx(0.1048386699200, abs=1e-10)
    up, down = equilibria(table, high, STIFFNESS), equilibria(table, low, STIFFNESS)
    assert up.uncertain.tolist() == [True, True, False]
    assert down.uncertain.tolist() == [False, True, True]
    assert up.position[2] - np.mean(up.position[:2]) == pytest.approx(0.687903459436, abs=1e-8)
    assert down.position[0] - np.mean(down.position[1:]) == pytest.approx(-0.656177823508, abs=1e-8)
    lost = (up.energy[1] - up.energy[2]) + (down.energy[1] - down.energy[0])
    assert lost == pytest.approx(4.0887041e-3, abs=1e-9)


def random_steps(values):
    return lambda x, V: {"force": V * values[jnp.round(x).astype(int)]}


def test_no_zero_is_missed_however_rough_the_force():
    """Zeros of random splines, counted from the eigenvalues of each cubic's companion matrix."""
    generator = np.random.default_rng(3)
    for _ in range(3):
        table = tabulate(random_steps(jnp.array(generator.normal(size=40))), np.arange(40.0))
        found = equilibria(table, 1.0, 0.01, rest_position=20.0, external_force=0.1)
        c = np.array(table.at_drive(1.0)[0])
        c[:, 2] -= 0.01
        c[:, 3] += 0.1 - 0.01 * (np.arange(39.0) - 20)
        roots = [
            i + r.real for i, one in enumerate(c) for r in np.roots(one) if abs(r.imag) < 1e-12 and 0 <= r.real < 1
        ]
        assert len(roots) > 10
        assert np.allclose(found.position, np.sort(roots), rtol=0, atol=1e-9)
        assert np.all(found.stable[1:] != found.stable[:-1])
        assert np.array_equal(found.stable, found.slope < 0)


@pytest.mark.parametrize("gap", [1e-9, -1e-9])
def test_a_pair_within_the_error_of_the_table_is_uncertain(gap):
    """A force that touches zero at x = 0.5 from below, but for a gap; its table is known to some 1e-6."""
    table = tabulate(lambda x, V: {"force": V * (jnp.cos(3 * (x - 0.5)) - 1)}, np.linspace(-1, 2, 61))
    assert 1e-8 < float(table.error["force"]) < 1e-4
    top = float(table(0.5, 1.0)["force"])
    found = equilibria(table, 1.0, 0.0, external_force=gap - top)
    if gap > 0:
        assert found.uncertain.tolist() == [True, True]
        assert np.allclose(found.position, 0.5, atol=1e-3)
    else:
        assert found.position.size == 0
        assert found.nearly == pytest.approx([0.5], abs=1e-3)
    assert not equilibria(table, 1.0, 0.0, external_force=0.01).uncertain.any()
    assert equilibria(table, 1.0, 0.0, external_force=-0.01).nearly.size == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: tabulate(FIG_2A, [0.0, 1.0, 3.0, 4.0]),
            r"positions = \[0.0, 1.0, 3.0, 4.0\] is not a grid; give 4 or",
        ),
        (lambda: tabulate(FIG_2A, [0.0, 1.0]), r"positions = \[0.0, 1.0\] is not a grid"),
        (lambda: tabulate(FIG_2A, np.arange(9.0), np.array([1.0, 0.0, -1.0, -2.0])), r"drives = .* is not a grid"),
        (lambda: tabulate(lambda x, V: {"friction": x}, np.arange(9.0)), r'it must give "force"'),
        (
            lambda: tabulate(lambda x, V: {"force": V * jnp.ones(2)}, np.arange(9.0)),
            r"force of function has shape \(2,\)",
        ),
        (lambda: tabulate(lambda x, V: {"force": V**2 + x}, np.arange(9.0)), r"force is not linear in the drive"),
        (
            lambda: tabulate(lambda x, V: {"force": V / (x - 3)}, np.arange(9.0)),
            r"force of function is .* at x = 3, drive =",
        ),
        (
            lambda: tabulate(FIG_2A, np.linspace(-1, 1, 9), tolerance=1e-12, most_intervals=64),
            r"tolerance = 1e-12 is not met with 64 intervals .* most_intervals = 64",
        ),
    ],
)
def test_what_cannot_be_tabulated_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_equilibria_need_a_drive_of_the_table(in_drive):
    with pytest.raises(ValueError, match=r"drive = 0.4 is outside of the table's range"):
        equilibria(in_drive[1], 0.4, STIFFNESS)
