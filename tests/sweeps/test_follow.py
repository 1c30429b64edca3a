"""Branches traced through folds."""

import numpy as np
import pytest

from mesotherm import Reservoirs, Setup, ThermalizationDiode, ThermalizingProbe, follow
from mesotherm.following import crossings


def test_crossings_of_a_curve_that_turns_back():
    """y along s = y³ − y, walked from y = −1.2: s rises, falls and rises again."""
    y = np.linspace(-1.2, 1.2, 1201)
    s = y**3 - y
    found, unknowns, numbers = crossings(s, y[:, None], np.array([-0.2, 0.0, 0.384, 5.0, s[-1]]))
    np.testing.assert_array_equal(found, [-0.2] * 3 + [0.0] * 3 + [0.384] * 3 + [s[-1]])
    np.testing.assert_array_equal(numbers, [0, 1, 2] * 3 + [0])
    np.testing.assert_allclose(unknowns[:, 0] ** 3 - unknowns[:, 0], found, atol=1e-5)
    assert np.all(np.diff(unknowns[:3, 0]) > 0)


def diode(*unknowns):
    return Setup(ThermalizationDiode.example(), Reservoirs([0, 0, 0], [1, 1, 1]), unknowns)


@pytest.mark.parametrize(
    ("setup", "arguments", "said"),
    [
        (diode(), ("reservoirs.L.T", 1.0, 2.0), "no unknowns"),
        (diode(ThermalizingProbe("P")), ("reservoirs.P.T", 1.0, 2.0), "floats"),
        (diode(ThermalizingProbe("P")), ("reservoirs.L.T", 1.0, -2.0), "allowed range"),
        (diode(ThermalizingProbe("P")), ("reservoirs.L.T", 1.0, 1.0), "both 1"),
    ],
)
def test_what_cannot_be_followed(setup, arguments, said):
    with pytest.raises(ValueError, match=said):
        follow(setup, *arguments)
