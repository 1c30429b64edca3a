"""S-matrices of networks against textbook formulas, wave matching and dense linear algebra."""

import dataclasses
import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

from mesotherm.devices.elements import (
    AharonovBohmPhase,
    BeamSplitter,
    DeltaBarrier,
    PotentialStep,
    ResonantLevel,
    ThreeWayJunction,
    UniformRegion,
)
from mesotherm.engines.composition import Wiring, composed, secular_determinant, smatrix_change, waves

# ---------------------------------------------------------------------------------------------------------------------
# Networks.


def wired(connections, external, **elements):
    """A network of named elements with ports like "left.stem": its wiring and its elements."""
    ports = tuple(tuple(f"{name}.{port}" for port in element.ports) for name, element in elements.items())
    pairs = tuple(tuple(pair.split(" ")) for pair in connections)
    return Wiring(ports, pairs, tuple(external)), tuple(elements.values())


def chain(*elements):
    """Two-port elements from left to right."""
    names = [f"e{n}" for n in range(len(elements))]
    pairs = [f"{one}.right {other}.left" for one, other in itertools.pairwise(names)]
    return wired(pairs, (f"{names[0]}.left", f"{names[-1]}.right"), **dict(zip(names, elements, strict=True)))


def probed(strength, left=None, right=None, region=None):
    """Two resonant levels with a beam splitter in the middle of the cavity between them; ports L, R, probe 1 and 2."""
    half = UniformRegion((region or CAVITY).bottom, 4 * (region or CAVITY).confinement_energy)
    return wired(
        ["one.right a.left", "a.right probe.left", "probe.right b.left", "b.right three.left"],
        ("one.left", "three.right", "probe.probe_1", "probe.probe_2"),
        one=left or LEFT,
        a=half,
        probe=BeamSplitter(strength),
        b=half,
        three=right or RIGHT,
    )


def ring(upper, lower, phase, coupling):
    """Two junctions joined by two arms, a phase in the lower one."""
    return wired(
        ["in.arm_1 up.left", "up.right out.arm_1", "in.arm_2 low.left", "low.right flux.left", "flux.right out.arm_2"],
        ("in.stem", "out.stem"),
        **{"in": ThreeWayJunction(coupling), "out": ThreeWayJunction(coupling)},
        up=upper,
        low=lower,
        flux=AharonovBohmPhase(phase),
    )


LEFT, RIGHT = ResonantLevel(1.3, 0.4), ResonantLevel(2.1, 0.7)
CAVITY = UniformRegion(-0.2, 1.1)
BARRIER = chain(PotentialStep(0.0, 2.0), UniformRegion(2.0, 0.9), PotentialStep(2.0, 0.0))
DOUBLE = chain(LEFT, CAVITY, RIGHT)
PROBED = probed(0.3, ResonantLevel(1.3, 0.4, 0.5))
RING = ring(UniformRegion(-0.3, 0.7), UniformRegion(-0.1, 1.6), 0.8, 0.35)
NETWORKS = {"barrier": BARRIER, "double": DOUBLE, "probed": PROBED, "ring": RING}


@eqx.filter_jit
def smatrices(network, energies):
    """S-matrices of a network at many energies."""
    wiring, elements = network
    return jax.vmap(lambda energy: composed(wiring, [element.amplitudes(energy) for element in elements]))(energies)


def at(network, *energies):
    """S-matrices at up to 64 energies, always evaluated together so that a network is compiled once."""
    padded = np.resize(np.asarray(energies), 64)
    found = np.asarray(smatrices(network, padded))[: len(energies)]
    return found if len(energies) > 1 else found[0]


def dense(wiring, matrices):
    """S_ee + S_ei (1 − P S_ii)⁻¹ P S_ie and det(1 − P S_ii) by linear algebra on whole matrices."""
    size = len(wiring.ports)
    s, start = np.zeros((size, size), complex), 0
    for matrix in matrices:
        stop = start + len(matrix)
        s[start:stop, start:stop] = matrix
        start = stop
    e = [wiring.ports.index(port) for port in wiring.external]
    i = [wiring.ports.index(port) for pair in wiring.connections for port in pair]
    partner = [wiring.ports.index(port) for pair in wiring.connections for port in reversed(pair)]
    system = np.eye(len(i)) - s[np.ix_(partner, i)]
    return s[np.ix_(e, e)] + s[np.ix_(e, i)] @ np.linalg.solve(system, s[np.ix_(partner, e)]), np.linalg.det(system)


# ---------------------------------------------------------------------------------------------------------------------
# Textbook formulas.


def test_rectangular_barrier():
    """1/T = 1 + V² sin²(k₂a) / 4E(E − V), below the top with sinh."""
    energies, top = np.array([0.01, 0.7, 1.9, 2.1, 3.4, 50.0]), 2.0
    inside = (energies - top) / 0.9
    size = np.sqrt(np.abs(inside))
    across = np.where(inside > 0, np.sin(size) ** 2, -(np.sinh(size) ** 2))
    expected = 1 / (1 + top**2 * across / (4 * energies * (energies - top)))
    np.testing.assert_allclose(np.abs(at(BARRIER, *energies)[:, 1, 0]) ** 2, expected, rtol=1e-13)


def test_opaque_barrier():
    """T → 16 E(V − E)/V² e^{−2κa}, a hundred decades down."""
    thick = chain(PotentialStep(0.0, 2.0), UniformRegion(2.0, 1e-4), PotentialStep(2.0, 0.0))
    transmission = abs(at(thick, 0.6)[1, 0]) ** 2
    expected = 16 * 0.6 * 1.4 / 4 * np.exp(-2 * np.sqrt(1.4e4))
    assert transmission == pytest.approx(expected, rel=1e-12)


def test_steps_without_a_distance_are_one_step():
    """Whatever the height between them, above or below the energy."""
    for middle, energy in itertools.product((-1.0, 0.6, 3.0), (0.9, 1.7)):
        both = chain(PotentialStep(0.2, middle), PotentialStep(middle, 0.5))
        np.testing.assert_allclose(at(both, energy), at(chain(PotentialStep(0.2, 0.5)), energy), atol=4e-16)


def test_two_delta_barriers():
    """1/T = 1 + 4β² (cos kd + β sin kd)²."""
    network = chain(DeltaBarrier(0.0, 1.7), UniformRegion(0.0, 0.8), DeltaBarrier(0.0, 1.7))
    energies = np.array([1e-3, 0.5, 2.0, 8.0, 300.0])
    beta, kd = np.sqrt(1.7 / energies), np.sqrt(energies / 0.8)
    expected = 1 / (1 + 4 * beta**2 * (np.cos(kd) + beta * np.sin(kd)) ** 2)
    np.testing.assert_allclose(np.abs(at(network, *energies)[:, 1, 0]) ** 2, expected, rtol=1e-13)


def test_delta_barriers_in_one_place_add_up():
    together = chain(DeltaBarrier(0.0, (np.sqrt(0.3) + np.sqrt(1.1)) ** 2))
    apart = chain(DeltaBarrier(0.0, 0.3), DeltaBarrier(0.0, 1.1))
    np.testing.assert_allclose(at(apart, -0.4, 0.9), at(together, -0.4, 0.9), atol=1e-15)


def level_amplitudes(level, energy):
    x, gamma = energy - float(level.level), float(level.half_width)
    return x / (x + 1j * gamma), -1j * gamma / (x + 1j * gamma)


ENERGIES = np.array([-0.1, 0.4, 1.29, 1.3, 1.9, 2.5, 7.0])


def test_double_resonant_barrier():
    """t = τ₁τ₃P/(1 − r₁r₃P²), r = r₁ + τ₁²r₃P²/(1 − r₁r₃P²)."""
    (r1, t1), (r3, t3) = level_amplitudes(LEFT, ENERGIES), level_amplitudes(RIGHT, ENERGIES)
    across = np.exp(1j * np.sqrt((ENERGIES + 0.2) / 1.1))
    turns = 1 - r1 * r3 * across**2
    found = at(DOUBLE, *ENERGIES)
    np.testing.assert_allclose(found[:, 1, 0], t1 * t3 * across / turns, rtol=1e-13)
    np.testing.assert_allclose(found[:, 0, 0], r1 + t1**2 * r3 * across**2 / turns, atol=1e-14)


@pytest.mark.parametrize("strength", [0.0, 1e-6, 0.3, 0.999, 1.0])
def test_cavity_with_a_probe(strength):
    """D = 1 − (1−λ)r₁r₃e^{2ikd}; T_RL = (1−λ)|τ₁τ₃|²/|D|², T_pL = λ|τ₁|²(1 + (1−λ)|r₃|²)/|D|², T_pR its mirror."""
    (r1, t1), (r3, t3) = level_amplitudes(LEFT, ENERGIES), level_amplitudes(RIGHT, ENERGIES)
    turns = 1 - (1 - strength) * r1 * r3 * np.exp(2j * np.sqrt((ENERGIES + 0.2) / 1.1))
    rest = 1 - strength
    through = rest * np.abs(t1 * t3 / turns) ** 2
    from_left = strength * np.abs(t1 / turns) ** 2 * (1 + rest * np.abs(r3) ** 2)
    from_right = strength * np.abs(t3 / turns) ** 2 * (1 + rest * np.abs(r1) ** 2)
    found = np.abs(at(probed(strength), *ENERGIES)) ** 2
    np.testing.assert_allclose(found[:, 1, 0], through, rtol=1e-12)
    np.testing.assert_allclose(found[:, 0, 1], through, rtol=1e-12)
    np.testing.assert_allclose(found[:, 2:, 0].sum(axis=1), from_left, rtol=1e-12)
    np.testing.assert_allclose(found[:, 2:, 1].sum(axis=1), from_right, rtol=1e-12)


# ---------------------------------------------------------------------------------------------------------------------
# Rings.


def matched_ring(energy, upper, lower, phase):
    """r and t of a ring of equal wires: ψ continuous and ψ′ conserved at both nodes, for its own wavenumber in each arm
    being that of the leads (bottom 0)."""
    k = np.sqrt(energy)
    turn = np.exp(1j * phase)
    up, low = (np.exp(1j * k / np.sqrt(float(arm.confinement_energy))) for arm in (upper, lower))
    # unknowns: r, A₁, B₁, A₂, B₂, t with A e^{ikx} + B e^{−ikx} in the arms, times e^{iφ} at the end of the second
    system = [
        [-1, 1, 1, 0, 0, 0],
        [-1, 0, 0, 1, 1, 0],
        [1, 1, -1, 1, -1, 0],
        [0, up, 1 / up, 0, 0, -1],
        [0, 0, 0, low * turn, turn / low, -1],
        [0, up, -1 / up, low * turn, -turn / low, -1],
    ]
    r, *_, t = np.linalg.solve(np.array(system), np.array([1, 1, 1, 0, 0, 0]))
    return r, t


@pytest.mark.parametrize("phase", [0.0, 0.8, -2.5])
def test_ring_of_equal_wires(phase):
    """ε = 4/9 against wave matching, arms of different lengths."""
    upper, lower = UniformRegion(0.0, 0.7), UniformRegion(0.0, 0.13)
    energies = np.array([0.02, 0.5, 1.7, 4.0, 31.0])
    found = at(ring(upper, lower, phase, 4 / 9), *energies)
    expected = np.array([matched_ring(energy, upper, lower, phase) for energy in energies])
    np.testing.assert_allclose(found[:, :, 0], expected, atol=3e-14)


@pytest.mark.parametrize("coupling", [0.01, 0.3, 0.5])
def test_symmetric_ring_is_a_double_barrier(coupling):
    """Only the even mode of equal arms couples: T = |2εP/(1 − (1 − 2ε)P²)|²."""
    arm = UniformRegion(0.0, 0.7)
    across = np.exp(1j * np.sqrt(ENERGIES[1:] / 0.7))
    expected = np.abs(2 * coupling * across / (1 - (1 - 2 * coupling) * across**2)) ** 2
    found = np.abs(at(ring(arm, arm, 0.0, coupling), *ENERGIES[1:])[:, 1, 0]) ** 2
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_half_a_flux_quantum_closes_a_symmetric_ring():
    arm = UniformRegion(0.0, 0.7)
    np.testing.assert_allclose(at(ring(arm, arm, np.pi, 0.3), 0.9)[1, 0], 0, atol=1e-15)


def test_ring_is_periodic_in_the_flux_and_time_reversal_turns_it():
    arms = UniformRegion(-0.3, 0.7), UniformRegion(-0.1, 1.6)
    plus, minus, around = (at(ring(*arms, phase, 0.35), *ENERGIES) for phase in (0.8, -0.8, 0.8 + 2 * np.pi))
    np.testing.assert_allclose(plus, np.swapaxes(minus, 1, 2), atol=1e-14)
    np.testing.assert_allclose(plus, around, atol=1e-13)
    assert np.max(np.abs(plus - minus)) > 0.1


# ---------------------------------------------------------------------------------------------------------------------
# Any network.


def junction_of(rng, sizes, unitary=True):
    """Random matrices wired at random, three ports left external."""
    matrices = [
        scipy.stats.unitary_group.rvs(size, random_state=rng)
        if unitary
        else rng.normal(size=(2, size, size)).T @ [1, 1j]
        for size in sizes
    ]
    ports = list(range(sum(sizes)))
    elements, rest = [], list(ports)
    for size in sizes:
        elements.append(tuple(rest[:size]))
        rest = rest[size:]
    rng.shuffle(ports)
    external, pairs = ports[:3], ports[3:]
    return Wiring(tuple(elements), tuple(zip(pairs[::2], pairs[1::2], strict=True)), tuple(external)), matrices


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("sizes", [(3, 4), (2, 3, 4, 2), (5, 5, 5)])
def test_random_unitary_networks(sizes, seed):
    """Unitary, and what dense linear algebra gives; so do the determinant and the waves inside."""
    wiring, matrices = junction_of(np.random.default_rng(seed), sizes)
    expected, determinant = dense(wiring, matrices)
    found = plain(wiring, matrices)
    np.testing.assert_allclose(found.conj().T @ found, np.eye(3), rtol=0, atol=1e-13)
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert complex(secular_determinant(wiring, matrices)) == pytest.approx(determinant, abs=1e-13)


def plain(wiring, matrices):
    """The composition of matrices of plain numbers, in which no array occurs."""
    return np.array(waves(wiring, [matrix.tolist() for matrix in matrices]).smatrix)


@pytest.mark.parametrize("seed", range(5))
def test_arrays_give_what_plain_numbers_give(seed):
    wiring, matrices = junction_of(np.random.default_rng(seed), (2, 3, 4, 2), unitary=False)
    found = composed(wiring, [jnp.asarray(matrix) for matrix in matrices])
    np.testing.assert_allclose(found, plain(wiring, matrices), rtol=1e-11)
    np.testing.assert_allclose(found, dense(wiring, matrices)[0], rtol=1e-11)


@pytest.mark.parametrize("seed", range(8))
def test_the_order_does_not_matter(seed):
    """Neither that of the elements nor that of the connections nor which end comes first."""
    rng = np.random.default_rng(seed)
    wiring, matrices = junction_of(rng, (2, 3, 4, 3, 3))
    order = rng.permutation(len(matrices))
    pairs = [pair if rng.integers(2) else pair[::-1] for pair in rng.permutation(wiring.connections).tolist()]
    other = Wiring(tuple(wiring.elements[n] for n in order), tuple(map(tuple, pairs)), wiring.external)
    found = plain(other, [matrices[n] for n in order])
    np.testing.assert_allclose(found, plain(wiring, matrices), atol=1e-12)
    turned = dataclasses.replace(wiring, external=wiring.external[::-1])
    np.testing.assert_array_equal(plain(turned, matrices), plain(wiring, matrices)[::-1, ::-1])


@pytest.mark.parametrize("seed", range(5))
def test_waves_inside(seed):
    """Waves leave each element as its S-matrix says, and enter the other end of a connection."""
    wiring, matrices = junction_of(np.random.default_rng(seed), (2, 3, 4, 2))
    inside = waves(wiring, [matrix.tolist() for matrix in matrices])
    entering = dict(zip(wiring.ports, np.array(inside.incident), strict=True))
    leaving = {}
    for ports, matrix in zip(wiring.elements, matrices, strict=True):
        leaving |= dict(zip(ports, matrix @ [entering[port] for port in ports], strict=True))
    for one, other in wiring.connections:
        np.testing.assert_allclose(entering[one], leaving[other], atol=1e-13)
        np.testing.assert_allclose(entering[other], leaving[one], atol=1e-13)
    np.testing.assert_allclose([leaving[port] for port in wiring.external], inside.smatrix, atol=1e-13)


@pytest.mark.parametrize("element", range(4))
def test_change_of_one_element(element):
    """First-order change against the difference it makes."""
    rng = np.random.default_rng(element)
    wiring, matrices = junction_of(rng, (2, 3, 4, 2))
    size = len(matrices[element])
    change = rng.normal(size=(2, size, size)).T @ [1, 1j]
    inside = waves(wiring, [matrix.tolist() for matrix in matrices])
    found = np.array(smatrix_change(wiring, inside, element, change.tolist()))

    def moved(step):
        return dense(wiring, [m + step * change if n == element else m for n, m in enumerate(matrices)])[0]

    step = 1e-3
    difference = (8 * (moved(step) - moved(-step)) - (moved(2 * step) - moved(-2 * step))) / (12 * step)
    np.testing.assert_allclose(found, difference, rtol=1e-7, atol=1e-7)


# ---------------------------------------------------------------------------------------------------------------------
# Networks as functions of the energy.


@pytest.mark.parametrize("name", NETWORKS)
def test_unitary_where_the_leads_are_open(name):
    energies = np.array([0.011, 0.4, 1.3, 1.9, 2.5, 7.0, 120.0])
    found = at(NETWORKS[name], *energies)
    overlap = np.swapaxes(found.conj(), 1, 2) @ found
    np.testing.assert_allclose(overlap, np.broadcast_to(np.eye(found.shape[-1]), overlap.shape), atol=1e-13)


@pytest.mark.parametrize("name", ["barrier", "ring"])
def test_holomorphic(name):
    """Cauchy's formulas give value and slope; the slope is that of the forward mode, in real and complex directions."""
    network, energy, radius, count = NETWORKS[name], 1.4, 0.1, 64
    around = radius * np.exp(2j * np.pi * np.arange(count) / count)
    on_circle = at(network, *(energy + around))
    value, slope = jax.jit(jax.vmap(lambda direction: slope_along(network, energy + 0j, direction)))(np.array([1, 1j]))
    np.testing.assert_allclose(value[0], at(network, energy), atol=1e-14)
    np.testing.assert_allclose(on_circle.mean(axis=0), value[0], atol=1e-13)
    np.testing.assert_allclose((on_circle / around[:, None, None]).mean(axis=0), slope[0], atol=3e-12)
    np.testing.assert_allclose(slope[1], 1j * slope[0], atol=1e-13)


def slope_along(network, energy, direction):
    wiring, elements = network
    return jax.jvp(
        lambda x: composed(wiring, [element.amplitudes(x) for element in elements]),
        (jnp.asarray(energy),),
        (jnp.asarray(direction),),
    )


@eqx.filter_jit
def injectivities(network, energies):
    """(1/2π) Im Σ_k S*_kj ∂S_kj for a rising energy in forward mode, then −1 times that for a rising potential of each
    element from the waves inside [energies, 1 + elements, external]."""
    wiring, elements = network

    def density(s, slope):
        return jnp.imag(jnp.sum(jnp.conj(s) * slope, axis=0)) / (2 * jnp.pi)

    def at_one(energy):
        s, slope = slope_along(network, energy, 1.0)
        inside = waves(wiring, [element.amplitudes(energy) for element in elements])
        rows = [density(s, slope)]
        for n, element in enumerate(elements):
            _, change = jax.jvp(lambda u, e=element: e.shifted(u).smatrix(energy), (0.0,), (1.0,))
            rows.append(-density(s, jnp.array(smatrix_change(wiring, inside, n, change))))
        return jnp.stack(rows)

    return jax.vmap(at_one)(energies)


@pytest.mark.parametrize("name", NETWORKS)
def test_injectivities_add_up(name):
    """Raising the potentials of all elements is lowering the energy."""
    found = np.asarray(injectivities(NETWORKS[name], jnp.asarray([0.011, 0.4, 1.3, 1.9, 2.5, 7.0])))
    np.testing.assert_allclose(found[:, 1:].sum(axis=1), found[:, 0], rtol=1e-11, atol=1e-13)


def test_injectivities_of_a_double_resonant_barrier():
    """With D = 1 − r₁r₃P² and g = Γ/2π(x² + Γ²): ν_L1 = g₁|1 + τ₁r₃P²/D|², ν_R1 = g₁|τ₃|²/|D|²,
    ν_L2 = |τ₁|²(1 + |r₃|²)/|D|²/(4π√((E−U)E_d)), and their mirror images."""
    energies = np.array([0.011, 0.4, 1.3, 1.9, 2.5, 7.0])
    (r1, t1), (r3, t3) = level_amplitudes(LEFT, energies), level_amplitudes(RIGHT, energies)
    turn = np.exp(2j * np.sqrt((energies + 0.2) / 1.1))
    d = 1 - r1 * r3 * turn
    g1, g3 = (
        float(level.half_width) / (2 * np.pi) / ((energies - float(level.level)) ** 2 + float(level.half_width) ** 2)
        for level in (LEFT, RIGHT)
    )
    cavity = 1 / (4 * np.pi * np.sqrt((energies + 0.2) * 1.1)) / np.abs(d) ** 2
    expected = [
        [g1 * np.abs(1 + t1 * r3 * turn / d) ** 2, g1 * np.abs(t3 / d) ** 2],
        [np.abs(t1) ** 2 * (1 + np.abs(r3) ** 2) * cavity, np.abs(t3) ** 2 * (1 + np.abs(r1) ** 2) * cavity],
        [g3 * np.abs(t1 / d) ** 2, g3 * np.abs(1 + t3 * r1 * turn / d) ** 2],
    ]
    found = np.asarray(injectivities(DOUBLE, jnp.asarray(energies)))[:, 1:]
    np.testing.assert_allclose(found, np.moveaxis(expected, -1, 0), rtol=1e-11)


def test_the_secular_determinant_vanishes_at_a_pole():
    """det = 1 − r₁r₃P² for two barriers; S diverges where it vanishes, with the residue its slope gives."""
    wiring, elements = chain(DeltaBarrier(0.0, 6.0), UniformRegion(0.0, 0.8), DeltaBarrier(0.0, 9.0))

    @jax.jit
    def determinant(energy):
        return jax.jvp(
            lambda x: secular_determinant(wiring, [element.amplitudes(x) for element in elements]),
            (energy,),
            (jnp.ones_like(energy),),
        )

    pole = jnp.asarray(4.0 - 0.2j)
    for _ in range(20):
        value, slope = determinant(pole)
        pole = pole - value / slope
    r1, r3 = (-1j * np.sqrt(strength) / (np.sqrt(pole) + 1j * np.sqrt(strength)) for strength in (6.0, 9.0))
    assert abs(1 - r1 * r3 * np.exp(2j * np.sqrt(pole / 0.8))) < 1e-13
    assert float(pole.imag) < 0 < float(pole.real)
    t1, t3 = 1 + r1, 1 + r3
    radius = 1e-3
    around = radius * np.exp(2j * np.pi * np.arange(16) / 16)
    residue = np.mean(around * at((wiring, elements), *(complex(pole) + around))[:, 1, 0])
    expected = complex(t1 * t3 * np.exp(1j * np.sqrt(pole / 0.8)) / determinant(pole)[1])
    assert residue == pytest.approx(expected, rel=1e-10)


# ---------------------------------------------------------------------------------------------------------------------
# Bound states.


def test_a_bound_state_that_nothing_reaches_is_left_out():
    """A closed loop of no length resonates at every energy; what is beside it does not notice."""
    loop = wired(["split.left split.right"], ("split.probe_1", "split.probe_2"), split=BeamSplitter(0.0))
    np.testing.assert_array_equal(at(loop, 0.4), [[0, -1], [-1, 0]])
    closed = ring(UniformRegion(0.0, np.inf), UniformRegion(0.0, np.inf), 0.0, 0.0)
    value, slope = slope_along(closed, 0.4, 1.0)
    np.testing.assert_array_equal(value, [[-1, 0], [0, -1]])
    np.testing.assert_array_equal(slope, 0)


@pytest.mark.parametrize("distance", [1e-3, 1e-6, 1e-9])
def test_close_to_a_bound_state(distance):
    """The odd mode of a symmetric ring is bound at kd = π. Rounding errors grow as its docstring says."""
    arm = UniformRegion(0.0, 1.0)
    energy = np.pi**2 * (1 + distance)
    across = np.exp(1j * np.sqrt(energy))
    expected = 2 * 0.3 * across / (1 - 0.4 * across**2)
    found = at(ring(arm, arm, 0.0, 0.3), energy)
    assert abs(found[1, 0]) == pytest.approx(abs(expected), abs=4e-15 / distance)


# ---------------------------------------------------------------------------------------------------------------------
# As a JAX function.


def test_batches_agree_with_single_energies():
    together = at(PROBED, *ENERGIES)
    for n, energy in enumerate(ENERGIES):
        np.testing.assert_allclose(at(PROBED, energy), together[n], atol=1e-15)


def test_new_values_compile_nothing(compilations):
    at(DOUBLE, 0.3)
    compilations.clear()
    at(chain(ResonantLevel(0.2, 0.1), UniformRegion(0.1, 2.0), ResonantLevel(0.5, 0.3, 0.1)), 0.7)
    assert not compilations


def test_derivatives_in_both_modes_and_of_second_order():
    """Of the transmission probability with respect to both levels, against differences."""
    wiring, elements = DOUBLE

    def probability(levels):
        moved = [elements[0].shifted(levels[0]), elements[1], elements[2].shifted(levels[1])]
        return jnp.abs(composed(wiring, [element.amplitudes(1.7) for element in moved])[1, 0]) ** 2

    forward, backward, hessian = (
        jax.jit(derivative(probability)) for derivative in (jax.jacfwd, jax.grad, jax.hessian)
    )
    levels, step = np.array([0.1, -0.2]), 1e-3
    np.testing.assert_allclose(forward(levels), backward(levels), rtol=1e-13)
    for n, e in enumerate(step * np.eye(2)):
        value = (8 * (probability(levels + e) - probability(levels - e))) / (12 * step) - (
            probability(levels + 2 * e) - probability(levels - 2 * e)
        ) / (12 * step)
        assert forward(levels)[n] == pytest.approx(float(value), rel=1e-9)
        curvature = (
            8 * (forward(levels + e) - forward(levels - e)) - forward(levels + 2 * e) + forward(levels - 2 * e)
        ) / (12 * step)
        np.testing.assert_allclose(hessian(levels)[n], curvature, rtol=1e-8)


# ---------------------------------------------------------------------------------------------------------------------
# Mistakes.


@pytest.mark.parametrize(
    ("connections", "external", "message"),
    [
        ([("a", "c")], ["b"], "port 'd' is neither connected nor external"),
        ([("a", "c")], ["b", "d", "a"], "port 'a' is used twice"),
        ([("a", "a")], ["b", "c", "d"], "port 'a' is used twice"),
        ([("a", "c")], ["b", "d", "x"], "no element has a port 'x'; there are: 'a', 'b', 'c', 'd'"),
    ],
)
def test_mistakes_in_the_wiring_are_told(connections, external, message):
    with pytest.raises(ValueError, match=message):
        Wiring((("a", "b"), ("c", "d")), tuple(connections), tuple(external))


def test_two_ports_of_one_name_are_refused():
    with pytest.raises(ValueError, match="two ports are named 'a'"):
        Wiring((("a", "b"), ("a", "d")), (), ("a", "b", "d"))


def test_matrices_that_do_not_fit_are_refused():
    wiring, _ = DOUBLE
    with pytest.raises(ValueError, match="there are 1 S-matrices for 3 elements"):
        composed(wiring, [jnp.eye(2)])
    with pytest.raises(ValueError, match="element 1 has 3 rows"):
        composed(wiring, [jnp.eye(2), jnp.eye(3), jnp.eye(2)])
