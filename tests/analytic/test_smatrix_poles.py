"""Poles searched for in a scattering matrix of which nothing else is known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conductors import WithoutClosedForms

from mesotherm import DoubleBarrier, Effort, Reservoirs
from mesotherm.engines.scattering import AbstractScatterer
from mesotherm.engines.smatrix_poles import RESONANCES, smatrix_poles

REACH = 9.0
NEAR = 1e-2
"""How far a pole may be from the true one, as a part of its half width: a mesh needs no more."""


@jax.jit
def found(zeros, mixing, length):
    """Poles of a 2×2 matrix with given ones: phases :math:`(s - \\bar z)/(s - z)` and of a free way, mixed between two
    channels."""
    turn = jnp.array([[jnp.cos(mixing), -jnp.sin(mixing)], [jnp.sin(mixing), jnp.cos(mixing)]])

    def smatrix(s):
        factors = (s - zeros) / (s - zeros.conj())
        first, second = jnp.prod(factors[::2]), jnp.prod(factors[1::2])
        return turn @ jnp.diag(jnp.stack([first, second * jnp.exp(2j * length * s)])) @ turn

    return smatrix_poles(smatrix, jnp.asarray(REACH))


def missing(poles, zeros):
    """The true ones that were not found, and those found that are none; the one behind the bottom is left out."""
    poles = np.asarray(poles)[:-1].conj()
    poles = poles[np.abs(poles) < 2 * REACH]
    far = np.abs(poles[:, None] - zeros) / zeros.imag
    return zeros[np.min(far, axis=0, initial=np.inf) > NEAR], poles[np.min(far, axis=1, initial=np.inf) > NEAR]


@pytest.mark.parametrize("draws", [50, pytest.param(200, marks=pytest.mark.slow)])
def test_given_resonances(draws):
    """Eight in a random S, half widths of 1e-9 to 1e-2 of the range: found wherever the search is certain, and it
    mostly is."""
    rng = np.random.default_rng(3)
    certain = 0
    for _ in range(draws):
        zeros = rng.uniform(0.01, REACH, 8) + 1j * REACH * 10 ** rng.uniform(-9, -2, 8)
        poles, sure = found(zeros, rng.uniform(0, 3), rng.uniform(0, 1))
        lost, invented = missing(poles, zeros)
        if np.all(sure):
            certain += 1
            assert not lost.size
        assert not invented.size
    assert certain >= 0.95 * draws


@pytest.mark.parametrize("width", [1e-9, 1e-5, 1e-2, 0.3])
def test_two_of_equal_width_and_one_behind_the_bottom(width):
    zeros = np.array([4.0, 4.0 + 0.2 * REACH / 128 + 2 * width]) + 1j * width
    behind = -0.01 + 0.002j
    poles, sure = found(np.append(zeros, behind), 0.4, 0.3)
    lost, invented = missing(poles, zeros)
    assert np.all(sure)
    assert not lost.size
    assert not invented.size
    assert abs(np.conj(poles[-1]) - behind) < 0.05 * abs(behind)


def test_no_resonance():
    """A free way; nothing is invented."""
    poles, sure = found(np.array([-3.0 + 2j]), 0.2, 1.0)
    assert np.all(sure)
    assert not missing(poles, np.array([1.0 + 1j]))[1].size


def test_more_than_are_followed():
    zeros = np.linspace(0.5, 8.5, RESONANCES + 2) + 1e-3j
    _, sure = found(zeros, 0.4, 0.3)
    assert not np.any(sure)


def test_three_in_one_circle():
    """They may not be told apart, but are never taken for fewer."""
    zeros = 4.0 + np.array([0.0, 0.01, 0.02]) + 1e-6j
    poles, sure = found(zeros, 0.4, 0.3)
    assert not np.any(sure) or not missing(poles, zeros)[0].size


def test_what_is_no_scattering_matrix():
    """Absorption: the mirror images are not where they should be."""
    poles, sure = jax.jit(lambda: smatrix_poles(lambda s: jnp.array([[1 / (s - 4 + 0.01j)]]), jnp.asarray(REACH)))()
    assert poles.size == RESONANCES + 1
    assert not np.any(sure)


class Searched(WithoutClosedForms):
    """The double barrier as a user would write it, without its poles."""

    poles = AbstractScatterer.poles

    def moved_to(self, q):
        return Searched(self.inner.moved_to(q))


@jax.jit
def both(device):
    reservoirs = Reservoirs([0.3, 0.0, 0.1], [2.0, 1.0, 1.3])
    known, alone = (kind.response(reservoirs, Effort.STRICT) for kind in (device, Searched(device)))
    return known, alone, device.poles(jnp.asarray(40.0)), Searched(device).poles(jnp.asarray(40.0))


@pytest.mark.parametrize("draws", [1, pytest.param(5, marks=pytest.mark.slow)])
def test_a_double_barrier(draws):
    """Against the closed form: poles, currents, charges, and bounds that hold."""
    rng = np.random.default_rng(8)
    for strength in (0.0, 0.1, 0.5, 1.0):
        for _ in range(draws):
            levels, widths = rng.uniform(-10, 10, 2), 10 ** rng.uniform(-3, 0.5, 2)
            device = DoubleBarrier(*levels, *widths, -40.0, 1.0, strength, rng.uniform(0, 1))
            known, alone, (told, _), (poles, sure) = both(device)
            assert np.all(sure)
            sharp = told[(told.imag > -0.15) & (told.real > 0) & (told.real < 8.9)]
            assert not missing(poles, np.asarray(sharp).conj())[0].size
            for name in ("particle", "energy", "conjugate"):
                value, other = getattr(known.value, name), getattr(alone.value, name)
                bound = getattr(known.error, name) + getattr(alone.error, name)
                if name == "energy":
                    bound = bound + jnp.array([0.3, 0.0, 0.1]) * (known.error.particle + alone.error.particle)
                assert np.all(getattr(alone.error, name) <= 1e-9 + 10 * getattr(known.error, name)), (strength, name)
                assert np.all(abs(value - other) <= bound), (strength, name)


def test_branch_points_inside_are_refused():
    class Stepped(Searched):
        def branch_points(self):
            return jnp.array([1.0])

    with pytest.raises(ValueError, match=r"Stepped has branch points.*method poles\(\)"):
        Stepped.example().poles(jnp.asarray(40.0))
