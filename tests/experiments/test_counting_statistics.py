"""The experiment ``counting_statistics``, and level diagrams."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from setups import diode

from mesotherm import Axis, CountingStatistics, DotNetwork, Reservoirs, Setup, sweep
from mesotherm.level_diagram import level_diagram


def single():
    return DotNetwork(dots=("D",), leads=("L", "R"), levels=[1.2], tunnel_rates=[[0.07], [0.04]])


def test_far_from_equilibrium_one_way_through_a_dot():
    """Large bias: C_2/C_1 = (a² + b²)/(a + b)², C_3/C_1 = (a⁴ − 2a³b + 6a²b² − 2ab³ + b⁴)/(a + b)⁴."""
    data = sweep(
        CountingStatistics(),
        Setup(single(), Reservoirs([40.0, -40.0], [1.0, 1.0])),
        [Axis("device.levels.D", [0.0, 1.0])],
    )
    a, b = 0.07, 0.04
    second = (a**2 + b**2) / (a + b) ** 2
    third = (a**4 - 2 * a**3 * b + 6 * a**2 * b**2 - 2 * a * b**3 + b**4) / (a + b) ** 4
    found = data.particle_cumulants.sel(terminal="L").transpose("levels_D", "cumulant").values
    np.testing.assert_allclose(found[:, :3], a * b / (a + b) * np.array([[1.0, second, third]] * 2), rtol=1e-12)
    assert data.particle_cumulants.attrs["units"] == "energy/hbar"
    assert data.heat_cumulant_3.attrs["units"] == "energy^4/hbar"
    at_zero = data.energy_cumulant_2.sel(terminal="L").isel(levels_D=0)
    np.testing.assert_allclose(at_zero, 0.0, atol=1e-15)
    np.testing.assert_allclose(data.energy_cumulant_4.sel(terminal="L").isel(levels_D=1), found[1, 3], rtol=1e-12)
    assert (data.error_particle_cumulants < 1e-12).all()


def test_other_devices_are_refused():
    with pytest.raises(ValueError, match="ThermalizationDiode is no rate equation"):
        CountingStatistics().prepare(diode())


def test_a_level_diagram_draws_states_where_they_are():
    pair = DotNetwork(dots=("b", "u"), leads=("L", "R"), levels=[1.0, 1.5], tunnel_rates=[[0.1, 0.0], [0.1, 0.2]],
                      charging_energies=[-4.0])  # fmt: skip
    figure = level_diagram(pair, Reservoirs([0.0, 0.0], [1.0, 1.0]), populations=True)
    (panel,) = figure.axes
    heights = [line.get_ydata()[0] for line in panel.lines if len(line.get_ydata())]
    assert heights == [0.0, 1.5, 1.0, -1.5]
    arrows = [text for text in panel.texts if text.arrow_patch is not None]
    assert len(arrows) == 2 * 2 + 2  # b with both leads, u with one, the other dot empty or filled
    names = [text.get_text().split("\n")[0] for text in panel.texts if text.get_text()]
    assert names == ["empty", "u", "b", "b+u"]
    plt.close(figure)
