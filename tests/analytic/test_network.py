"""Networks as devices: the double barrier and the ring in closed form, charges, laws of random networks."""

import dataclasses
import functools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesotherm import DoubleBarrier, Effort, Reservoirs, Screening, ThermalizingProbe, steady_state
from mesotherm.devices.elements import (
    AharonovBohmPhase,
    BeamSplitter,
    PotentialStep,
    ResonantLevel,
    SaddlePoint,
    ThreeWayJunction,
    UniformRegion,
)
from mesotherm.devices.network import Network
from mesotherm.engines.scattering import members
from mesotherm.fields import FieldError

ENERGIES = np.array([1e-3, 0.3, 1.7, 12.0, 46.6, 48.1])
"""Above the band bottom."""


@eqx.filter_jit
def elements(device, above):
    """Transmissions [out, in, energies] without the diagonal, and injectivities [terminals, regions, energies]."""
    passed, injected = device.elements(above)
    size, none = len(device.terminals), jnp.zeros_like(above)
    rows = [[passed.get((i, j), none) for j in range(size)] for i in range(size)]
    regions = jnp.array(injected, float).reshape(len(injected), size, *jnp.shape(above))
    return jnp.array(rows), jnp.swapaxes(regions, 0, 1)


@eqx.filter_jit
def smatrices(device, above):
    return jax.vmap(lambda energy: device.smatrix(device.bottom + energy))(above)


# ---------------------------------------------------------------------------------------------------------------------
# The double barrier.


def pair(strength, q=(0.0, 0.0, 0.0)):
    """The same two barriers in closed form and as a network."""
    closed = dataclasses.replace(
        DoubleBarrier.example(),
        half_width_1=jnp.array(0.7),
        probe_position=jnp.array(0.3),
        probe_strength=jnp.array(strength),
    )
    scatterers = {
        **Network.example().scatterers,
        "barrier_1": ResonantLevel(closed.level_1, 0.7),
        "cavity_1": UniformRegion(closed.cavity_bottom, 1 / 0.3**2),
        "cavity_2": UniformRegion(closed.cavity_bottom, 1 / 0.7**2),
        "splitter": BeamSplitter(strength),
    }
    network = dataclasses.replace(Network.example(), scatterers=scatterers)
    return closed.moved_to(jnp.array(q)), network.moved_to(jnp.array(q))


@pytest.mark.parametrize("strength", [0.0, 0.25, 0.999, 1.0])
def test_double_barrier(strength):
    """Two levels, a cavity with a beam splitter in it: transmissions and injectivities of the closed forms."""
    (passed, injected), (expected, expected_into) = (
        elements(device, ENERGIES) for device in reversed(pair(strength, (0.1, 0.2, -0.3)))
    )
    np.testing.assert_allclose(passed, expected, rtol=1e-12, atol=1e-16)
    np.testing.assert_allclose(injected, expected_into, rtol=1e-11, atol=1e-16)


@pytest.mark.slow
def test_a_screened_probed_double_barrier():
    """Potentials, probe and currents of the whole solve."""
    reservoirs = Reservoirs([0.0, 0.0, 0.0], [2.0, 1.0, 1.0])
    unknowns = ThermalizingProbe("P"), Screening(("U1", "U2", "U3"), mu=0.0, T=1.0)
    closed, network = (
        steady_state(device, reservoirs, unknowns, effort=Effort.STRICT)
        for device in (DoubleBarrier.example(), Network.example())
    )
    np.testing.assert_allclose(network.q, closed.q, rtol=0, atol=1e-9)
    assert np.all(np.abs(network.q) > 1e-3)
    np.testing.assert_allclose(network.reservoirs.T, closed.reservoirs.T, rtol=1e-9)
    np.testing.assert_allclose(network.currents.particle, closed.currents.particle, rtol=0, atol=1e-11)


# ---------------------------------------------------------------------------------------------------------------------
# The ring.

LEFT_ARM, RIGHT_ARM = UniformRegion(-30.0, 0.7), UniformRegion(-30.0, 0.13)


def ring(phase, upper=LEFT_ARM, lower=LEFT_ARM, coupling=0.3):
    """Two junctions joined by two arms, a flux in the lower one; each arm a region with a potential."""
    return Network(
        scatterers={
            "source": ThreeWayJunction(coupling),
            "drain": ThreeWayJunction(coupling),
            "upper": upper,
            "lower": lower,
            "flux": AharonovBohmPhase(phase),
        },
        connections={
            "source": {"arm_1": "upper.left", "arm_2": "lower.left"},
            "upper.right": "drain.arm_1",
            "lower.right": "flux.left",
            "flux.right": "drain.arm_2",
        },
        leads={"L": "source.stem", "R": "drain.stem"},
        regions={"U": "upper", "W": "lower"},
        band_bottom=-30.0,
    )


@pytest.mark.parametrize("phase", [0.0, 0.7, 3.0])
@pytest.mark.parametrize("coupling", [0.2, 4 / 9])
def test_transmission_of_a_ring_of_equal_arms(phase, coupling):
    r"""With P = e^{ikd} and junctions a, b, ε:

    T = |2ε P cos(φ/2) (1 − (b−a)² P²) ... / D|², from the even and odd modes of the arms: the sum over arms couples to
    the stems, the difference does not, and the flux mixes both.
    """
    across = np.exp(1j * np.sqrt(ENERGIES / 0.7))
    root = np.sqrt(1 - 2 * coupling)
    even, odd = root, -1.0  # reflection of the sum and of the difference of the arms at a junction: a + b and a − b
    cosine, sine = np.cos(phase / 2), np.sin(phase / 2)
    amplitude = []
    for P in across:
        # sum and difference waves towards the drain (s, d), after a passage rotated by half the flux either way
        turn = np.array([[cosine, -1j * sine], [-1j * sine, cosine]])
        back = np.array([[cosine, 1j * sine], [1j * sine, cosine]])
        reflect = np.diag([even, odd])
        start = np.array([np.sqrt(2 * coupling), 0])
        there = np.linalg.solve(np.eye(2) - P**2 * reflect @ back @ reflect @ turn, start)
        amplitude.append(np.sqrt(2 * coupling) * P * (turn @ there)[0])
    found, _ = elements(ring(phase, coupling=coupling), ENERGIES)
    np.testing.assert_allclose(found[1, 0], np.abs(amplitude) ** 2, rtol=1e-12)


def test_time_reversal_turns_the_flux():
    """S(φ) = S(−φ)ᵀ with different arms; transmission probabilities of two terminals are even in φ, charges are not."""
    plus, minus = (ring(phase, LEFT_ARM, RIGHT_ARM) for phase in (0.7, -0.7))
    there, back = (np.asarray(smatrices(device, ENERGIES)) for device in (plus, minus))
    np.testing.assert_allclose(there, np.swapaxes(back, 1, 2), atol=1e-13)
    assert np.max(np.abs(there - back)) > 0.1
    (passed, injected), (passed_back, injected_back) = (elements(device, ENERGIES) for device in (plus, minus))
    np.testing.assert_allclose(passed, passed_back, rtol=1e-11, atol=1e-14)
    assert np.max(np.abs(injected - injected_back)) > 1e-3


# ---------------------------------------------------------------------------------------------------------------------
# Any network.


def three_ways(values, phase):
    """Three terminals, one of them with two channels, two loops, a flux, a barrier that is closed at low energies, two
    bottoms; all shapes alike."""
    level, half_width, asymmetry, step, strength, coupling = values
    return Network(
        scatterers={
            "level": ResonantLevel(level, half_width, asymmetry),
            "first": ThreeWayJunction(coupling),
            "second": ThreeWayJunction(0.31),
            "up": PotentialStep(0.0, step),
            "top": UniformRegion(step, 0.8),
            "down": PotentialStep(step, 0.0),
            "lower": UniformRegion(0.0, 0.13),
            "flux": AharonovBohmPhase(phase),
            "splitter": BeamSplitter(strength),
        },
        connections={
            "level.right": "first.stem",
            "first.arm_1": "up.left",
            "up.right": "top.left",
            "top.right": "down.left",
            "down.right": "splitter.left",
            "splitter.right": "second.arm_1",
            "first.arm_2": "lower.left",
            "lower.right": "flux.left",
            "flux.right": "second.arm_2",
        },
        leads={"L": "level.left", "R": "second.stem", "P": ["splitter.probe_1", "splitter.probe_2"]},
        regions={"A": "level", "B": ["up", "top", "down"], "C": ["lower", "flux"]},
        band_bottom=0.0,
    )


NUMBERS = st.tuples(
    st.floats(0.1, 5), st.floats(1e-3, 2), st.floats(-0.95, 0.95), st.floats(-3, 6), st.floats(0.01, 0.99),
    st.floats(0.01, 0.49),
)  # fmt: skip
PHASES = st.floats(-3, 3)
ABOVE = np.geomspace(1.01234e-2, 40.1234, 16)


@functools.cache
def of_networks():
    """S and what is made of it, for many energies and any values, compiled once."""

    def measured(values, phase, above):
        device = three_ways(values, phase)

        def at(x):
            S = device.moved_to(x[1:]).smatrix(x[0])
            return S, S

        slopes, S = jax.vmap(lambda energy: jax.jacfwd(at, has_aux=True)(jnp.append(energy, device.q)))(above)
        return S, slopes[..., 1:], slopes[..., 0], elements(device, above)

    return jax.jit(measured)


OWNED = members(three_ways((1.0, 1.0, 0.0, 1.0, 0.5, 0.3), 0.0))


@settings(max_examples=60, deadline=None)
@given(NUMBERS, PHASES)
def test_laws_of_random_networks(values, phase):
    """Unitarity, also where a barrier inside is closed; time reversal; and the charges of the regions: injectivities
    are those that differentiating S gives, and what a terminal sends in at φ is, summed over terminals, what leaves to
    them at −φ (emissivity)."""
    S, slopes, _, (passed, injected) = (jax.tree.map(np.asarray, x) for x in of_networks()(values, phase, ABOVE))
    back, back_slopes, _, (_, injected_back) = (
        jax.tree.map(np.asarray, x) for x in of_networks()(values, -phase, ABOVE)
    )
    scale = np.max(np.abs(slopes), axis=(1, 2, 3))
    np.testing.assert_allclose(np.swapaxes(S.conj(), 1, 2) @ S, np.broadcast_to(np.eye(4), S.shape), atol=1e-11)
    np.testing.assert_allclose(S, np.swapaxes(back, 1, 2), atol=1e-11)
    off = ~np.eye(3, dtype=bool)
    np.testing.assert_allclose(passed[off], (OWNED @ np.abs(S) ** 2 @ OWNED.T).transpose(1, 2, 0)[off], atol=1e-12)
    expected = -(OWNED @ np.imag(np.einsum("ekj,ekja->eja", S.conj(), slopes))) / (2 * np.pi)
    assert np.all(np.abs(injected - expected.transpose(1, 2, 0)) <= 1e-11 * scale)
    emitted = -(OWNED @ np.imag(np.einsum("ekj,ekja->eka", back.conj(), back_slopes))) / (2 * np.pi)
    assert np.all(np.abs(injected - emitted.transpose(1, 2, 0)) <= 1e-10 * scale)
    assert np.all(np.abs(injected.sum(0) - injected_back.sum(0)) <= 1e-10 * scale)


@settings(max_examples=30, deadline=None)
@given(NUMBERS, PHASES)
def test_all_regions_together_hold_the_density_of_states(values, phase):
    """Raising every potential lowers the energy: the injectivities sum to the delay times of the channels."""
    S, slopes, by_energy, (_, injected) = (jax.tree.map(np.asarray, x) for x in of_networks()(values, phase, ABOVE))
    delays = OWNED @ np.imag(np.sum(S.conj() * by_energy, axis=1)).T / (2 * np.pi)
    scale = np.max(np.abs(slopes), axis=(1, 2, 3))
    assert np.all(np.abs(injected.sum(1) - delays) <= 1e-11 * scale)


def test_the_zero_of_energy_is_arbitrary():
    """Everything with a gauge moves: scatterers, too."""
    here = pair(0.25)[1]
    there = here.shifted(7.3)
    assert float(there.scatterers["cavity_1"].bottom) == pytest.approx(-32.7)
    assert float(there.bottom - here.bottom) == pytest.approx(7.3)
    for found, expected in zip(elements(there, ENERGIES), elements(here, ENERGIES), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_the_bottom_moves_along_exactly():
    """A charge near the bottom is known to its last digits, wherever the potential is: no rounding of energies."""
    near = np.array([1e-12, 1e-9])
    closed, network = pair(0.25, (0.0, 0.1234567, 0.0))
    (_, expected), (_, injected) = elements(closed, near), elements(network, near)
    np.testing.assert_allclose(injected, expected, rtol=1e-9)
    np.testing.assert_allclose(injected[:, 1, 0] / injected[:, 1, 1], np.sqrt(1e3), rtol=2e-4)


@pytest.mark.parametrize("bottom", [0.0, -1.0])
def test_what_is_not_unitary_is_told(bottom):
    """A channel that is closed above the band bottom breaks the assumption that every network makes."""
    step = Network(
        scatterers={"step": PotentialStep(0.0, -5.0)},
        leads={"L": "step.left", "R": "step.right"},
        band_bottom=bottom,
    )
    (found,) = step.assumption_values(Reservoirs([0.0, 0.0], [1.0, 1.0]))
    assert (found < step.assumptions["unitarity"].limit) == (bottom == 0.0)
    assert np.isfinite(found)


def test_a_saddle_point_is_a_network():
    """One element, no connections: G = 2e²/h at a plateau, and half of it with the top at the Fermi energy."""
    contact = Network(
        scatterers={"contact": SaddlePoint(0.0, 2.0)},
        leads={"L": "contact.left", "R": "contact.right"},
        band_bottom=-60.0,
    )
    assert contact.coordinates == ()
    small = Reservoirs([0.5e-3, -0.5e-3], [1e-2, 1e-2])
    for top, part in ((-5.0, 1.0), (0.0, 0.5)):
        moved = eqx.tree_at(lambda device: device.scatterers["contact"].top, contact, jnp.array(top))
        state = steady_state(moved, small, ())
        assert float(state.currents.particle[0]) == pytest.approx(2 * part * 1e-3 / (2 * np.pi), rel=1e-6)


def test_terminals_share_particles_where_there_is_a_way():
    """Two wires side by side are two conductors."""
    level = ResonantLevel(0.0, 1.0)
    beside = Network(
        scatterers={"a": level, "b": level, "c": level},
        connections=[("c.right", "a.left")],
        leads={"L1": "c.left", "L2": "b.left", "R2": "b.right", "R1": "a.right"},
        band_bottom=-30.0,
    )
    assert beside.conductors == (("L1", "R1"), ("L2", "R2"))
    passed, _ = elements(beside, np.array([30.0, 31.0]))
    across = [(i, j) for i in (0, 3) for j in (1, 2)]
    assert all(np.all(passed[i, j] == 0) and np.all(passed[j, i] == 0) for i, j in across)
    assert np.all(passed[3, 0] > 0.1)


# ---------------------------------------------------------------------------------------------------------------------
# Mistakes in Python are told as in a file.


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"leads": {"L": "barrier_1.left", "R": "barrier_3.right"}}, "misses splitter.probe_1, splitter.probe_2"),
        ({"connections": [("barrier_1.right", "cavity.left")]}, "'cavity.left' is not one of the ports"),
        ({"regions": {"U1": "barrier"}, "potential": 0.0}, "'barrier' is not one of the scatterers"),
        ({"regions": {"U2": ["cavity_1"], "U1": ["cavity_1"]}, "potential": 0.0}, "used already, in regions.U2"),
        ({"bottom_region": "U7"}, "'U7' is not one of the regions"),
        ({"potential": [0.0, 1.0]}, r"shape \(2,\); give one number for each of the 3 regions"),
        ({"band_bottom": -jnp.inf}, "takes any finite number"),
        ({"scatterers": {}}, "there are 0; give at least one"),
    ],
)
def test_mistakes(changed, told):
    with pytest.raises(FieldError, match=told):
        dataclasses.replace(Network.example(), **changed)
