"""Meshes that follow poles and branch points, against adaptive quadrature with its points at the branch points."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad

from mesotherm.device import Effort, Reservoirs
from mesotherm.devices.elements import PotentialStep, ResonantLevel, UniformRegion
from mesotherm.distributions import occupation
from mesotherm.engines.composition import Wiring, composed
from mesotherm.engines.network_poles import network_poles
from mesotherm.resonant_mesh import resonant_mesh

BOTTOM = -30.0
LEVEL, HALF_WIDTH = -11.3, 0.02
POLE = np.sqrt(LEVEL - 1j * HALF_WIDTH - BOTTOM)


def reservoirs():
    return Reservoirs([0.3, -0.8], [1.0, 0.6])


def densities(energy, opening):
    """Like densities of states: what opens, what is about to, and a resonance."""
    above = energy - opening
    return (
        jnp.where(above > 0, 1.0, 0.3) / jnp.sqrt(jnp.abs(above))
        + 1 / jnp.sqrt(energy - BOTTOM)
        + HALF_WIDTH / ((energy - LEVEL) ** 2 + HALF_WIDTH**2)
    )


def integral(opening, effort, others=()):
    """Of the densities times an occupation, with its error bound."""
    points = jnp.stack([opening - BOTTOM, *(jnp.asarray(other) for other in others)])
    mesh = resonant_mesh(jnp.asarray(BOTTOM), jnp.asarray([POLE]), reservoirs(), effort, points)
    energy = mesh.anchor[0] + mesh.offset[0]
    filled, _ = occupation((energy - 0.3) / 1.0)
    value, error = mesh.rule.apply(mesh.weight[0] * filled * densities(energy, opening))
    return value, error + mesh.unseen * value


solved = jax.jit(integral, static_argnums=1)
slope = jax.jit(jax.grad(lambda opening: integral(opening, Effort.STRICT)[0]))


def reference(opening):
    """With the square roots substituted away by hand."""

    def weighed(energy):
        return float(densities(energy, opening)) / (1 + np.exp(energy - 0.3))

    middle, turning = (BOTTOM + opening) / 2, [np.sqrt(max(LEVEL + d * HALF_WIDTH - opening, 0.0)) for d in (-9, 0, 9)]
    parts = [
        (lambda u: 2 * u * weighed(BOTTOM + u * u), np.sqrt(middle - BOTTOM), []),
        (lambda u: 2 * u * weighed(opening - u * u), np.sqrt(opening - middle), []),
        (lambda u: 2 * u * weighed(opening + u * u), np.sqrt(40 - opening), turning),
    ]
    accuracy = {"epsabs": 1e-12, "epsrel": 1e-12, "limit": 300}
    return sum(quad(f, 0, end, points=points or None, **accuracy)[0] for f, end, points in parts)


@pytest.mark.parametrize("effort", [Effort.FAST, Effort.STRICT])
def test_a_band_that_opens_above_the_bottom(effort):
    value, error = solved(-17.9, effort)
    expected = reference(-17.9)
    assert abs(value - expected) <= error + 1e-11 * expected
    assert error < 1e-8 * expected


def test_branch_points_that_are_equal_or_out_of_range_change_nothing():
    value, error = solved(-17.9, Effort.STRICT)
    for others in ((0.0, 12.1, -4.0), (12.1, 12.1, 1e9), (0.0, 0.0, 0.0), (12.1 + 4e-15, 200.0, 71.5)):
        again, bound = solved(-17.9, Effort.STRICT, others)
        assert again == pytest.approx(float(value), abs=float(error + bound))
        assert bound < 1e-8 * again


def test_a_mesh_without_further_branch_points_is_the_plain_one():
    given = jnp.asarray(BOTTOM), jnp.asarray([POLE]), reservoirs(), Effort.FAST
    plain, general = jax.jit(lambda: (resonant_mesh(*given), resonant_mesh(*given, jnp.array([0.0, -1.0]))))()
    np.testing.assert_allclose(general.offset, plain.offset, rtol=1e-11)
    np.testing.assert_allclose(general.weight, plain.weight, rtol=1e-11)


def test_nodes_move_with_the_branch_point():
    """An inverse square root under the integral: with nodes that stay the derivative would diverge."""
    step = 1e-3
    expected = (reference(-17.9 + step) - reference(-17.9 - step)) / (2 * step)
    assert slope(-17.9) == pytest.approx(expected, rel=1e-5)


@jax.jit
def meshes(points):
    return resonant_mesh(jnp.asarray(BOTTOM), jnp.asarray([POLE]), reservoirs(), Effort.STRICT, points)


def test_nodes_are_ordered_and_weights_positive():
    for points in ([3.0, 3.0 + 1e-9, 20.0], [1e-13, 69.9, 72.0], [1e-6, 2e-6, 3e-6]):
        mesh = meshes(jnp.array(points))
        assert np.all(np.isfinite(mesh.offset))
        assert np.all(mesh.weight > 0)
        assert np.all(np.diff(mesh.offset[0]) > 0)


# ---------------------------------------------------------------------------------------------------------------------
# A network: two resonant levels, between them a cavity with a higher bottom in its middle.

PORTS = tuple((f"{n}.left", f"{n}.right") for n in range(7))
WIRING = Wiring(PORTS, tuple((f"{n}.right", f"{n + 1}.left") for n in range(6)), ("0.left", "6.right"))


def network(parameters, raised=0.0):
    """Energies from the bottom of the outer cavities; ``raised`` moves what is higher."""
    levels, half_widths, bump, confinements = parameters
    return [
        ResonantLevel(levels[0], half_widths[0]),
        UniformRegion(0.0, confinements[0]),
        PotentialStep(0.0, bump + raised),
        UniformRegion(bump + raised, confinements[1]),
        PotentialStep(bump + raised, 0.0),
        UniformRegion(0.0, confinements[2]),
        ResonantLevel(levels[1], half_widths[1]),
    ]


def injectivity(parameters, energy):
    """Electrons per energy that both leads send into the middle."""

    def amplitudes(raised):
        return composed(WIRING, [element.amplitudes(energy) for element in network(parameters, raised)])

    value, change = jax.jvp(amplitudes, (0.0,), (1.0,))
    return -jnp.imag(jnp.sum(value.conj() * change)) / (2 * jnp.pi)


def charge(parameters, effort):
    elements, baths = network(parameters), Reservoirs([30.0], [1.0])
    points = jnp.concatenate([element.branch_points() for element in elements])
    own = jnp.concatenate([element.poles() for element in elements])
    poles, certain = network_poles(
        WIRING, lambda energy: [element.amplitudes(energy) for element in elements], own, points, jnp.asarray(66.0)
    )
    mesh = resonant_mesh(jnp.zeros(()), poles, baths, effort, points)
    density = jax.vmap(lambda energy: injectivity(parameters, energy))(mesh.offset[0])
    filled, _ = occupation(mesh.offset[0] - 30.0)
    value, error = mesh.rule.apply(mesh.weight[0] * filled * density)
    size = jnp.sum(mesh.weight[0] * filled * jnp.abs(density))
    return value, error + mesh.unseen * size, jnp.all(certain)


charges = jax.jit(lambda parameters: [charge(parameters, effort) for effort in (Effort.FAST, Effort.STRICT)])
curve = jax.jit(jax.vmap(injectivity, (None, 0)))


def random_network(random):
    levels, half_widths = random.uniform(25, 40, 2), 10 ** random.uniform(-2, 0.5, 2)
    return levels, half_widths, random.uniform(0, 25), 10 ** random.uniform(0, 1.5, 3)


@pytest.mark.slow
def test_fast_and_strict_charges_agree_within_their_bounds():
    random = np.random.default_rng(3)
    sure = good = 0
    for _ in range(50):
        (fast, fast_error, certain), (strict, strict_error, _) = charges(random_network(random))
        if certain:
            sure += 1
            assert abs(fast - strict) <= fast_error + strict_error
            good += strict_error < 1e-8
    assert sure >= 48
    assert good >= 40


def test_charges_of_a_network_with_two_bottoms():
    parameters = np.array([29.0, 33.0]), np.array([0.8, 1.5]), 11.0, np.array([3.0, 9.0, 5.0])
    (fast, fast_error, certain), (strict, strict_error, _) = charges(parameters)
    assert certain
    nodes, weights = np.polynomial.legendre.leggauss(100)
    total = 0.0
    for start, end, sign in ((0.0, 5.5, 1), (11.0, 5.5, -1), (11.0, 72.0, 1)):
        edges = np.linspace(0, np.sqrt(abs(end - start)), 401)
        u = ((edges[1:, None] + edges[:-1, None]) / 2 + np.diff(edges)[:, None] / 2 * nodes).ravel()
        weight = (np.diff(edges)[:, None] / 2 * weights).ravel() * 2 * u
        energy = start + sign * u * u
        total += np.sum(weight * np.asarray(curve(parameters, energy)) / (1 + np.exp(energy - 30.0)))
    assert abs(fast - total) <= fast_error + 1e-10
    assert abs(strict - total) <= strict_error + 1e-10
    assert fast_error < 1e-6
    assert strict_error < 1e-9
