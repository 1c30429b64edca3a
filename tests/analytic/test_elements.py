"""S-matrices of single elements: closed forms, unitarity, time reversal, holomorphy, derivatives."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesotherm.devices.elements import (
    AharonovBohmPhase,
    BeamSplitter,
    DeltaBarrier,
    PotentialStep,
    ResonantLevel,
    SaddlePoint,
    ThreeWayJunction,
    UniformRegion,
)
from mesotherm.fields import FieldError

EXAMPLES = {
    "resonant level": ResonantLevel(0.4, 0.7),
    "asymmetric level": ResonantLevel(-0.4, 0.9, -0.6),
    "region": UniformRegion(0.1, 0.8),
    "step": PotentialStep(-0.3, 0.5),
    "delta barrier": DeltaBarrier(0.2, 1.7),
    "saddle point": SaddlePoint(0.3, 2.5),
    "beam splitter": BeamSplitter(0.3),
    "junction": ThreeWayJunction(0.2),
    "Aharonov–Bohm phase": AharonovBohmPhase(0.8),
}
CONSTANT = ("beam splitter", "junction", "Aharonov–Bohm phase")
VARYING = sorted(set(EXAMPLES) - set(CONSTANT))


@eqx.filter_jit
def slope_along(element, energy, direction):
    """S and its derivative along a direction of the energy."""
    return jax.jvp(element.smatrix, (jnp.asarray(energy),), (jnp.asarray(direction),))


@eqx.filter_jit
def smatrices(element, energies):
    return jax.vmap(element.smatrix)(energies)


def at(element, *energies):
    """S-matrices at up to 64 energies, always evaluated together so that an element is compiled once."""
    padded = np.resize(np.asarray(energies), 64)
    found = np.asarray(smatrices(element, padded))[: len(energies)]
    return found if len(energies) > 1 else found[0]


# ---------------------------------------------------------------------------------------------------------------------
# Laws.

energies = st.floats(-1e3, 1e3)
positive = st.floats(-4, 4).map(lambda exponent: 10.0**exponent)
shares = st.floats(0, 1)


@st.composite
def open_elements(draw):
    """An element and an energy at which the channels of all its ports are open."""
    energy, above, above_too = draw(energies), draw(positive), draw(positive)
    element = draw(
        st.one_of(
            st.builds(ResonantLevel, energies, positive, st.floats(-1, 1)),
            st.builds(UniformRegion, st.just(energy - above), positive),
            st.just(PotentialStep(energy - above, energy - above_too)),
            st.builds(DeltaBarrier, st.just(energy - above), positive),
            st.builds(SaddlePoint, energies, positive),
            st.builds(BeamSplitter, shares),
            st.builds(ThreeWayJunction, shares.map(lambda share: share / 2)),
            st.builds(AharonovBohmPhase, energies),
        )
    )
    return element, energy


@settings(max_examples=200, deadline=None)
@given(open_elements())
def test_unitary_where_every_channel_is_open(case):
    element, energy = case
    s = at(element, energy)
    assert s.shape == (len(element.ports),) * 2
    np.testing.assert_allclose(s.conj().T @ s, np.eye(len(s)), rtol=0, atol=1e-14)


@pytest.mark.parametrize("energy", [-5.0, 0.35, 0.45, 9.0, 0.3 + 0.2j, -1 - 0.1j])
@pytest.mark.parametrize("name", sorted(set(EXAMPLES) - {"Aharonov–Bohm phase"}))
def test_time_reversal(name, energy):
    """S = Sᵀ, also where channels are closed and at complex energies."""
    s = at(EXAMPLES[name], energy)
    np.testing.assert_array_equal(s, s.T)


def test_time_reversal_turns_the_flux():
    s = at(AharonovBohmPhase(0.8), 1.0)
    np.testing.assert_array_equal(s, at(AharonovBohmPhase(-0.8), 1.0).T)
    assert s[1, 0] == pytest.approx(np.exp(0.8j), rel=1e-15)  # left to right


@pytest.mark.parametrize("energy", [-2.0, -0.1, 0.0, 0.35, 0.9, 4.0])
@pytest.mark.parametrize("name", VARYING)
def test_holomorphic(name, energy):
    """Cauchy's formulas on a circle about a real energy give S there and its slope along the real axis."""
    element, radius, count = EXAMPLES[name], 0.05, 64
    around = radius * np.exp(2j * np.pi * np.arange(count) / count)
    on_circle = at(element, *(energy + around))
    value, slope = slope_along(element, energy, 1.0)
    np.testing.assert_allclose(on_circle.mean(axis=0), value, atol=3e-14)
    np.testing.assert_allclose((on_circle / around[:, None, None]).mean(axis=0), slope, atol=1e-12)


@pytest.mark.parametrize("name", VARYING)
def test_a_complex_direction_gives_the_complex_slope(name):
    element = EXAMPLES[name]
    _, along = slope_along(element, 0.7, 1.0)
    _, across = slope_along(element, 0.7 + 0j, 1j)
    np.testing.assert_allclose(across, 1j * along, atol=1e-14)


@pytest.mark.parametrize("name", VARYING)
def test_finite_with_every_slope_at_real_energies(name):
    """From far below to far above; in the energy (twice) and in every parameter."""
    element = EXAMPLES[name]
    size = np.logspace(-6, 7, 41)
    centres = np.append(np.asarray(element.branch_points()), 0.3)
    grid = jnp.asarray(np.concatenate([centre + sign * size for centre in centres for sign in (-1, 1)]))

    def values(energy):
        slope = jax.jacfwd(element.smatrix)
        return element.smatrix(energy), slope(energy), jax.jacfwd(slope)(energy), parameter_slopes(energy)

    def parameter_slopes(energy):
        return jax.jacfwd(lambda other: other.smatrix(energy))(element)

    assert all(np.all(np.isfinite(leaf)) for leaf in jax.tree.leaves(jax.jit(jax.vmap(values))(grid)))


@pytest.mark.parametrize("name", VARYING)
def test_a_potential_moves_the_element_as_a_whole(name):
    element = EXAMPLES[name]
    np.testing.assert_allclose(at(element.shifted(0.3), 1.9), at(element, 1.6), atol=3e-15)
    by_potential = jax.jit(jax.jacfwd(lambda u: element.shifted(u).smatrix(1.6)))(0.0)
    _, by_energy = slope_along(element, 1.6, 1.0)
    np.testing.assert_allclose(by_potential, -by_energy, atol=1e-14)
    assert np.max(np.abs(by_energy)) > 0.01


@pytest.mark.parametrize("name", VARYING)
def test_slopes_are_infinite_at_branch_points_and_nowhere_else(name):
    element = EXAMPLES[name]
    branch_points = np.asarray(element.branch_points())
    grid = np.concatenate([branch_points, np.linspace(-2, 2, 41) + 0.013])
    gaps = np.abs(at(element, *(grid + 1e-12)) - at(element, *(grid - 1e-12))).max(axis=(1, 2))
    assert np.all(gaps[: len(branch_points)] > 1e-7)
    assert np.all(gaps[len(branch_points) :] < 1e-10)


def test_new_values_compile_nothing(compilations):
    at(ResonantLevel(0.1, 0.2), 0.3)
    compilations.clear()
    at(ResonantLevel(1.1, 1.2, 0.5), -0.3)
    assert not compilations


# ---------------------------------------------------------------------------------------------------------------------
# Closed forms.


@pytest.mark.parametrize("x", [-3.0, 0.0, 1e-3, 40.0])
def test_resonant_level(x):
    gamma = 0.7
    expected = [
        [x / (x + 1j * gamma), -1j * gamma / (x + 1j * gamma)],
        [-1j * gamma / (x + 1j * gamma), x / (x + 1j * gamma)],
    ]
    np.testing.assert_allclose(at(ResonantLevel(0.0, gamma), x), expected, rtol=4e-16)


def test_resonant_level_with_two_partial_widths():
    """S = 1 − i w w† / (x + i w†w/2) with w = (√γ_L, √γ_R)."""
    rates, x = np.array([0.3, 1.7]), 0.45
    w = np.sqrt(rates)
    expected = np.eye(2) - 1j * np.outer(w, w) / (x + 0.5j * rates.sum())
    level = ResonantLevel(0.0, rates.sum() / 2, (rates[0] - rates[1]) / rates.sum())
    np.testing.assert_allclose(at(level, x), expected, atol=3e-16)


def test_the_pole_of_a_resonant_level_is_its_feature():
    level = EXAMPLES["asymmetric level"]
    (centre,), (half_width,) = level.features()
    residue = 1e-5 * at(level, complex(centre - 1j * half_width + 1e-5))
    np.testing.assert_allclose(residue[0, 1], -1j * 0.9 * 0.8, rtol=1e-10)


@pytest.mark.parametrize(("energy", "phase"), [(3.6, 2.0), (0.1 + 0.875 * 4e4**2, 4e4), (0.1 - 3.5, 2j)])
def test_region(energy, phase):
    """kd = √((E − U)/E_d); a closed region lets e^{−κd} through."""
    np.testing.assert_allclose(at(UniformRegion(0.1, 0.875), energy)[1, 0], np.exp(1j * phase), rtol=1e-15 * abs(phase))


def test_a_region_without_length_does_nothing():
    np.testing.assert_array_equal(at(UniformRegion(0.1, np.inf), 7.0), [[0, 1], [1, 0]])


@pytest.mark.parametrize("energy", [-1.0, 0.2, 0.8])
def test_step(energy):
    """Also between an open and a closed side, and between two closed ones."""
    k1, k2 = np.sqrt(complex(energy + 0.3)), np.sqrt(complex(energy - 0.5))
    r, t = (k1 - k2) / (k1 + k2), 2 * np.sqrt(k1) * np.sqrt(k2) / (k1 + k2)
    np.testing.assert_allclose(at(EXAMPLES["step"], energy), [[r, t], [t, -r]], rtol=3e-15)


def test_total_reflection_by_a_step():
    assert abs(at(EXAMPLES["step"], 0.2)[0, 0]) == pytest.approx(1, abs=1e-15)


def test_step_far_above():
    """r → ΔV/4E keeps its digits."""
    assert at(PotentialStep(0.0, 1.0), 1e12)[0, 0] == pytest.approx(0.25e-12, rel=1e-11)


@pytest.mark.parametrize("energy", [0.3, 5.0, 1e4])
def test_delta_barrier(energy):
    beta = np.sqrt(1.7 / (energy - 0.2))
    r, t = -1j * beta / (1 + 1j * beta), 1 / (1 + 1j * beta)
    np.testing.assert_allclose(at(EXAMPLES["delta barrier"], energy), [[r, t], [t, r]], rtol=3e-15)


@pytest.mark.parametrize("y", [-300.0, -2.0, 0.0, 5.0, 300.0])
def test_saddle_point(y):
    """Probabilities keep their relative accuracy deep in the barrier."""
    s = at(SaddlePoint(0.0, 2.5), y * 2.5 / (2 * np.pi))
    assert abs(s[1, 0]) ** 2 == pytest.approx(1 / (1 + np.exp(-y)), rel=3e-15 * (1 + abs(y)))
    assert abs(s[0, 0]) ** 2 == pytest.approx(1 / (1 + np.exp(y)), rel=3e-15 * (1 + abs(y)))


def test_saddle_point_stores_no_charge():
    """Im S†∂S = 0, as its docstring says."""
    s, slope = slope_along(EXAMPLES["saddle point"], 0.8, 1.0)
    np.testing.assert_allclose(np.imag(np.diag(s.conj().T @ slope)), 0, atol=1e-16)


def test_the_feature_of_a_saddle_point_is_where_its_probability_has_a_pole():
    (centre,), (half_width,) = EXAMPLES["saddle point"].features()
    assert 1 + np.exp(-2 * np.pi * (1j * half_width) / 2.5) == pytest.approx(0, abs=1e-15)
    assert centre == 0.3


def test_beam_splitter():
    q, s = np.sqrt(0.7), np.sqrt(0.3)
    expected = [[0, q, s, 0], [q, 0, 0, s], [s, 0, 0, -q], [0, s, -q, 0]]
    np.testing.assert_allclose(at(BeamSplitter(0.3), 1.0), expected, rtol=1e-15)


def test_three_way_junction():
    """At ε = 4/9 three equal wires meet in a point: S = 2/3 − δ. At ε = 0 the stem ends and the arms are one wire; at
    ε = 1/2 it is not reflected."""
    np.testing.assert_allclose(at(ThreeWayJunction(4 / 9), 1.0), np.full((3, 3), 2 / 3) - np.eye(3), atol=2e-16)
    np.testing.assert_array_equal(at(ThreeWayJunction(0.0), 1.0), [[-1, 0, 0], [0, 0, 1], [0, 1, 0]])
    half = np.sqrt(0.5)
    expected = [[0, half, half], [half, -0.5, 0.5], [half, 0.5, -0.5]]
    np.testing.assert_allclose(at(ThreeWayJunction(0.5), 1.0), expected, rtol=1e-15)


@pytest.mark.parametrize(
    ("build", "end"),
    [(BeamSplitter, 0.0), (BeamSplitter, 1.0), (ThreeWayJunction, 0.0), (ThreeWayJunction, 0.5)],
)
def test_slopes_in_the_share_are_infinite_at_its_ends(build, end):
    slope = jax.jit(jax.jacfwd(lambda share: build(share).smatrix(1.0)))(end)
    assert np.any(np.isinf(slope))


def test_a_share_beyond_one_is_refused():
    with pytest.raises(FieldError, match=r"strength = 1\.2 is not allowed"):
        BeamSplitter(1.2)
