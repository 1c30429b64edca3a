"""Dots given by capacitances: energies, Coulomb diamonds, lever arms, bounds."""

import itertools

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

from mesotherm import CapacitiveDots, Reservoirs, SingleDot
from mesotherm.devices.capacitive_dots import _inverse
from mesotherm.fields import FieldError

PAIR = {
    "dots": ("A", "B"),
    "leads": ("L", "R"),
    "orbital_dots": {"A1": "A", "A2": "A", "B1": "B"},
    "levels": [0.2, 0.5, -0.3],
    "tunnel_rates": [[0.01, 0.02, 0.005], [0.02, 0.01, 0.01]],
    "lead_capacitance": [[0.05, 0.02], [0.01, 0.06]],
    "gates": ("G1", "G2"),
    "gate_capacitance": [[0.1, 0.02], [0.03, 0.08]],
    "gate_potential": [-1.0, 0.5],
    "capacitance": [0.04],
}


def electrostatic(given, states, U_g, mu):
    """E(n) from the matrix of capacitances, inverted by NumPy."""
    c = given["capacitance"][0]
    C_g, C_l = np.array(given["gate_capacitance"]), np.array(given["lead_capacitance"])
    C = np.diag(C_g.sum(axis=1) + C_l.sum(axis=1) + c) - c * (1 - np.eye(2))
    N = states @ np.array([[1, 0], [1, 0], [0, 1]])
    K = np.linalg.inv(C)
    return states @ given["levels"] + np.sum(N @ K * N, axis=1) / 2 + N @ K @ (C_g @ U_g + C_l @ mu)


def test_energies_of_capacitive_dots():
    dots, mu = CapacitiveDots(**PAIR), np.array([0.7, -0.2])
    energies = dots.kinetics(Reservoirs(mu, [1, 1])).energies
    expected = electrostatic(PAIR, dots.space.occupations, np.array(PAIR["gate_potential"]), mu)
    np.testing.assert_allclose(energies, expected, rtol=1e-13)
    assert dots.state_names()[-1] == "A1+A2+B1"


def test_lever_arms_sum_to_one():
    """All gates and leads together move a dot as the zero of energy does."""
    dots = CapacitiveDots(**PAIR)
    total = dots.lever_arms.sum(axis=1) + dots.lead_lever_arms.sum(axis=1)
    np.testing.assert_allclose(total, 1.0, rtol=1e-14)
    c = -3.7
    one, other = (d.kinetics(Reservoirs(mu, [1, 1])).energies for d, mu in (
        (dots, np.array([0.7, -0.2])), (dots.shifted(c), np.array([0.7, -0.2]) + c)
    ))  # fmt: skip
    np.testing.assert_allclose(other - one, c * dots.space.occupations.sum(axis=1), rtol=1e-13, atol=1e-13)


def test_potentials_of_dots_follow_gates():
    dots = CapacitiveDots(**PAIR)

    def addition(U_g):
        moved = CapacitiveDots(**{**PAIR, "gate_potential": U_g})
        energies = moved.kinetics(Reservoirs([0.7, -0.2], [1, 1])).energies
        return jnp.stack([energies[4] - energies[0], energies[1] - energies[0]])  # the first electron in A1, in B1

    np.testing.assert_allclose(jax.jacfwd(addition)(jnp.array([-1.0, 0.5])), dots.lever_arms, rtol=1e-12)


@pytest.mark.parametrize("electrons", [0, 1])
@pytest.mark.parametrize("lead", [0, 1])
def test_edges_of_coulomb_diamonds(electrons, lead):
    """Where the addition energy of the next electron meets μ_L or μ_R: slopes and places of the lines."""
    C_L, C_R, C_g = 0.05, 0.08, 0.11
    total = C_L + C_R + C_g

    def addition(U_g, mu_L, mu_R=0.1):
        dot = CapacitiveDots(
            ("A",), ("L", "R"), {"up": "A", "down": "A"}, [0.3, 0.3], 0.01 * np.ones((2, 2)),
            [[C_L, C_R]], ("G",), [[C_g]], U_g[None],
        )  # fmt: skip
        energies = dot.kinetics(Reservoirs(jnp.stack([mu_L, jnp.asarray(mu_R)]), jnp.ones(2))).energies
        return energies[3 if electrons else 1] - energies[1 if electrons else 0]

    def off_the_line(U_g, mu_L):
        return addition(U_g, mu_L) - (mu_L, 0.1)[lead]

    mu_L = jnp.asarray(0.9)
    U_g = -off_the_line(jnp.asarray(0.0), mu_L) / jax.grad(off_the_line)(jnp.asarray(0.0), mu_L)
    assert abs(off_the_line(U_g, mu_L)) <= 1e-13  # linear, so that one step finds it
    along_gate, along_mu = jax.grad(off_the_line, argnums=(0, 1))(U_g, mu_L)
    slope = (C_g + C_R) / C_g if lead == 0 else -C_L / C_g
    assert (C_g + C_R) == pytest.approx(total - C_L, rel=1e-15)
    np.testing.assert_allclose(-along_mu / along_gate, slope, rtol=1e-10)
    place = ((0.9, 0.1)[lead] - 0.3 - (electrons + 0.5) / total) * total / C_g - (C_L * 0.9 + C_R * 0.1) / C_g
    np.testing.assert_allclose(U_g, place, rtol=1e-12)


def test_current_flows_outside_of_diamonds():
    """At low temperature it begins where the lines are."""
    C_L, C_R, C_g, T, U_g = 0.05, 0.08, 0.11, 1e-3, -8.0
    total = C_L + C_R + C_g
    dot = CapacitiveDots(
        ("A",), ("L", "R"), {"A1": "A", "A2": "A"}, [0.3, 0.3], 0.01 * T * np.ones((2, 2)),
        [[C_L, C_R]], ("G",), [[C_g]], [U_g],
    )  # fmt: skip
    second = (1.5 / total + 0.3 + C_g * U_g / total) / (1 - C_L / total)  # addition energy of an electron = μ_L
    first = -(0.5 / total + 0.3 + C_g * U_g / total) * total / C_L  # of the one that is there = μ_R = 0
    edge = min(second, first)
    inside, outside = (
        float(dot.response(Reservoirs([edge + away, 0.0], [T, T])).value.particle[0]) for away in (-0.05, 0.05)
    )
    assert 0 <= inside < 1e-10 * outside
    assert outside > 0.1 * 0.01 * T


def test_a_single_level_without_bias_dependence():
    """All capacitance to a gate: a single dot with the level ε + 1/(2C) + U_g."""
    dot = CapacitiveDots(
        ("A",), ("L", "R"), {"A1": "A"}, [0.3], [[0.01], [0.02]], gates=("G",), gate_capacitance=[[0.5]],
        gate_potential=[-0.8],
    )  # fmt: skip
    reservoirs = Reservoirs([0.5, -0.2], [1.5, 1.0])
    expected = SingleDot(0.5, 0.01, 0.02).response(reservoirs).value
    np.testing.assert_allclose(dot.response(reservoirs).value.energy, expected.energy, rtol=1e-13)


def test_capacitances_of_any_size():
    """Dots that are tied to each other a trillion times better than to anything else."""
    mutual = np.array([[0.0, 1e12, 3.0], [1e12, 0.0, 2e11], [3.0, 2e11, 0.0]])
    outside = np.array([0.3, 0.0, 0.5])
    found = np.asarray(_inverse(jnp.asarray(mutual), jnp.asarray(outside)))
    exact = exact_inverse(mutual, outside)
    np.testing.assert_allclose(found, exact, rtol=1e-14)
    np.testing.assert_allclose(found @ outside, 1.0, rtol=1e-14)


def exact_inverse(mutual, outside):
    with mpmath.workdps(60):
        size = len(outside)
        C = mpmath.matrix(size)
        for i, j in itertools.product(range(size), repeat=2):
            C[i, j] = -mpmath.mpf(mutual[i, j]) if i != j else mpmath.mpf(outside[i]) + mpmath.fsum(mutual[i])
        return np.array((C**-1).tolist(), float)


def test_potentials_that_cancel_are_in_the_bound():
    """A level far below its dot's potential, which gates raise as far: the bound knows."""
    exact = SingleDot(0.2 + 0.5 / 3.0, 0.01, 0.02).response(Reservoirs([0.5, -0.2], [1.5, 1.0])).value
    dot = CapacitiveDots(
        ("A",), ("L", "R"), {"A1": "A"}, [0.2 - 1e6], [[0.01], [0.02]], gates=("G", "H"),
        gate_capacitance=[[1.0, 2.0]], gate_potential=[1e6, 1e6],
    )  # fmt: skip
    answer = dot.response(Reservoirs([0.5, -0.2], [1.5, 1.0]))
    off = np.abs(answer.value.particle - exact.particle)
    assert np.all(off <= answer.error.particle)
    assert np.all(answer.error.particle <= 1e-6 * answer.one_way.particle)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"gate_capacitance": 0.0, "lead_capacitance": 0.0}, "A, B has no capacitance to any gate or lead"),
        ({"capacitance": 0.0, "gate_capacitance": [[0, 1], [0, 0]], "lead_capacitance": 0}, ": B has no capacitance"),
        ({"levels": [1.0, 2.0]}, r"levels has shape \(2,\); it needs \(3,\)"),
        ({"orbital_dots": {"A1": "A", "A2": "A", "B1": "C"}}, "there is no 'C' among the dots"),
        ({"orbital_dots": {f"A{k}": "A" for k in range(9)}}, "9 orbitals; there may be 8"),
        ({"lead_capacitance": -1.0}, "lead_capacitance .* takes ≥ 0"),
    ],
)
def test_capacitances_that_cannot_be(changes, message):
    with pytest.raises(FieldError, match=message):
        CapacitiveDots(**{**PAIR, **changes})


def test_a_dot_may_be_tied_through_another():
    dots = CapacitiveDots(**{**PAIR, "gate_capacitance": [[1.0, 0.0], [0.0, 0.0]], "lead_capacitance": 0.0})
    np.testing.assert_allclose(dots.lever_arms[:, 0], 1.0, rtol=1e-14)
