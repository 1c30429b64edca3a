"""Poles of networks: closed forms, the argument principle around them, and a flag where something is lost."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mesotherm.devices.double_barrier import DoubleBarrier
from mesotherm.devices.elements import AharonovBohmPhase, BeamSplitter, ResonantLevel, ThreeWayJunction, UniformRegion
from mesotherm.engines.composition import Wiring, secular_determinant
from mesotherm.engines.network_poles import network_poles

HIGHEST = 40.0


def wired(elements, connections, external):
    """A network of elements by name, with ports like "left.stem"."""
    ports = tuple(tuple(f"{name}.{port}" for port in element.ports) for name, element in elements.items())
    return Wiring(ports, tuple(tuple(pair.split(" ")) for pair in connections), tuple(external))


def chain(*elements):
    """Wiring of two-port elements from left to right."""
    named = {f"e{n}": element for n, element in enumerate(elements)}
    pairs = [f"{one}.right {other}.left" for one, other in itertools.pairwise(named)]
    return wired(named, pairs, ("e0.left", f"e{len(elements) - 1}.right"))


def poles(wiring, elements, bottom, **options):
    from_bottom = [element.shifted(-bottom) for element in elements]
    return network_poles(
        wiring,
        lambda energy: [element.amplitudes(energy) for element in from_bottom],
        jnp.concatenate([element.poles() for element in from_bottom]),
        jnp.concatenate([element.branch_points() for element in from_bottom]),
        HIGHEST - bottom,
        **options,
    )


def barriers(levels, half_widths, bottoms, confinements):
    """Resonant levels with cavities between them."""
    elements = [ResonantLevel(levels[0], half_widths[0])]
    for n in range(len(bottoms)):
        elements += [UniformRegion(bottoms[n], confinements[n]), ResonantLevel(levels[n + 1], half_widths[n + 1])]
    return elements


@jax.jit
def found(*parameters):
    elements = barriers(*parameters)
    return poles(chain(*elements), elements, parameters[2][0])


@jax.jit
def zeros_within(parameters, corners):
    """Zeros of F in a rectangle of s, counted by how often F turns around zero along its border."""
    bottom = parameters[2][0]
    elements = [element.shifted(-bottom) for element in barriers(*parameters)]
    steps = jnp.linspace(0, 1, 6000, endpoint=False)
    following = jnp.roll(corners, -1)
    border = (corners[:, None] + (following - corners)[:, None] * steps).ravel()

    def function(s):
        determinant = secular_determinant(chain(*elements), [element.amplitudes(s * s) for element in elements])
        return determinant * jnp.prod(s * s - jnp.concatenate([element.poles() for element in elements]))

    values = jax.vmap(function)(border)
    turns = jnp.angle(jnp.roll(values, -1) / values)
    return jnp.sum(turns) / (2 * jnp.pi), jnp.max(jnp.abs(turns))


def random_barriers(random, count):
    bottoms = -(10 ** random.uniform(0, 1.8)) - np.append(0.0, random.uniform(0, 10, count - 2))
    return (
        random.uniform(-3, 12, count),
        10 ** random.uniform(-4, 0.5, count),
        bottoms,
        10 ** random.uniform(-0.7, 1.3, count - 1),
    )


@jax.jit
def found_in_double_barrier(strength):
    half = UniformRegion(-40.0, 4.0)
    elements = {"a": ResonantLevel(6.6, 1.0), "b": half, "p": BeamSplitter(strength), "c": half}
    elements["d"] = ResonantLevel(8.2, 0.5)
    pairs = ["a.right b.left", "b.right p.left", "p.right c.left", "c.right d.left"]
    wiring = wired(elements, pairs, ("a.left", "d.right", "p.probe_1", "p.probe_2"))
    return poles(wiring, list(elements.values()), jnp.asarray(-40.0))


@pytest.mark.parametrize("strength", [0.0, 0.25, 0.9])
def test_a_double_barrier_as_a_network(strength):
    device = DoubleBarrier(6.6, 8.2, 1.0, 0.5, -40.0, 1.0, strength)
    network, certain = found_in_double_barrier(strength)
    assert np.all(certain)
    expected, _ = device.poles(jnp.asarray(HIGHEST))
    expected = np.asarray(expected)
    expected = expected[(np.real(expected) > 0.5) & (np.real(expected) < 8.5) & (np.abs(np.imag(expected)) < 0.3)]
    assert expected.size >= 2
    for pole in expected:
        assert np.min(np.abs(np.asarray(network) - pole)) < 1e-10


@pytest.mark.parametrize("count", [2, 3])
def test_every_resonance_of_random_barriers_is_found(count):
    """Half widths from 1e-4 to 3. What is certain is complete and nothing else; nearly all is certain."""
    random = np.random.default_rng(count)
    sure = tried = counted = 0
    for _ in range(40):
        parameters = random_barriers(random, count)
        places, certain = found(*parameters)
        sure, tried = sure + bool(np.all(certain)), tried + 1
        if not np.all(certain):
            continue
        places, end = np.asarray(places)[:24], np.sqrt(HIGHEST - parameters[2][0])
        low = next(
            depth for depth in end * np.geomspace(0.004, 0.01, 20) if _far(np.imag(places), -depth, 0.0006 * end)
        )
        sides = [
            next(side for side in start + end * np.linspace(0, 0.1, 40) if _far(np.real(places), side, 0.0006 * end))
            for start in (0.05 * end, 0.85 * end)
        ]
        corners = np.array([sides[0] - 1j * low, sides[1] - 1j * low, sides[1] + 1j * low, sides[0] + 1j * low])
        turns, coarsest = zeros_within(parameters, corners)
        assert coarsest < 2
        inside = (np.real(places) > sides[0]) & (np.real(places) < sides[1]) & (np.imag(places) > -low)
        assert turns == pytest.approx(np.sum(inside), abs=1e-6)
        counted += np.sum(inside)
    assert sure >= 0.9 * tried
    assert counted > 40


def _far(values, place, distance):
    return np.min(np.abs(values - place)) > distance


def test_too_few_places_are_noticed():
    elements = barriers([6.6, 8.2], [1.0, 0.5], [-40.0], [1.0])
    _, certain = jax.jit(lambda: poles(chain(*elements), elements, jnp.asarray(-40.0), resonances=3))()
    assert not np.any(certain)


@jax.jit
def found_in_ring(second):
    elements = {"in": ThreeWayJunction(0.3), "up": UniformRegion(-10.0, 1.0), "low": UniformRegion(-10.0, second)}
    elements |= {"flux": AharonovBohmPhase(0.0), "out": ThreeWayJunction(0.3)}
    pairs = ["in.arm_1 up.left", "up.right out.arm_1", "in.arm_2 low.left", "low.right flux.left"]
    wiring = wired(elements, [*pairs, "flux.right out.arm_2"], ("in.stem", "out.stem"))
    return poles(wiring, list(elements.values()), jnp.asarray(-10.0))


@pytest.mark.parametrize(("second", "bound"), [(1.0, True), (1.02, False)])
def test_a_state_bound_in_a_ring_is_left_out(second, bound):
    """Two equal arms: waves that differ in sign between them never leave. In unequal arms they do, slowly."""
    places, certain = found_in_ring(second)
    assert np.all(certain)
    near = np.abs(np.asarray(places) - np.pi) < 0.05
    assert np.any(near & (np.imag(places) > -1e-3)) == (not bound)


def test_a_resonance_narrower_than_rounding_is_not_certain():
    """Cavities between barriers 1e-7 wide and far off resonance: the states in them are some 1e-15 wide."""
    narrow = [np.array(values) for values in ([4.0, 7.0, 10.0], 3 * [1e-7], 2 * [-10.0], [1.0, 1.5])]
    _, certain = found(*narrow)
    assert not np.any(certain)
