"""Charges of coherent conductors: closed forms against the scattering matrix, poles, phases."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conductors import WithoutClosedForms

from mesotherm.device import Answer, Effort, Reservoirs, Response
from mesotherm.devices.double_barrier import DoubleBarrier
from mesotherm.phases import cosine_and_sine
from mesotherm.poles import logarithmic_slope, roots, square_root
from mesotherm.screening import Screening

ENERGIES = jnp.array([-38.7, -12.3, 0.4, 7.9])


def device(strength):
    given = dataclasses.replace(DoubleBarrier.example(), half_width_1=jnp.array(0.7), probe_position=jnp.array(0.3))
    given = dataclasses.replace(given, probe_strength=jnp.array(strength))
    return given.moved_to(jnp.array([0.1, 0.2, -0.3]))


@pytest.mark.parametrize("strength", [0.0, 0.1, 0.3, 0.9, 1.0])
def test_closed_forms_are_those_of_the_scattering_matrix(strength):
    closed, plain = device(strength), WithoutClosedForms(device(strength))
    off_diagonal = ~np.eye(3, dtype=bool)
    for energy in ENERGIES:
        amplitudes = np.asarray(closed.smatrix(energy))
        np.testing.assert_allclose(amplitudes @ amplitudes.conj().T, np.eye(4), atol=1e-14)
        passed = np.asarray(closed.transmission(energy)), np.asarray(plain.transmission(energy))
        np.testing.assert_allclose(passed[0][off_diagonal], passed[1][off_diagonal], rtol=1e-10, atol=1e-15)
        np.testing.assert_allclose(closed.injectivity(energy), plain.injectivity(energy), rtol=1e-10, atol=1e-15)


@pytest.mark.parametrize("strength", [0.1, 0.9])
def test_all_regions_together_hold_the_density_of_states(strength):
    """Raising every potential lowers the energy: the injectivities sum to the delay times of the channels."""
    given = device(strength)
    for energy in ENERGIES:
        amplitudes, slope = jax.jvp(given.smatrix, (energy,), (jnp.ones(()),))
        delays = jnp.imag(jnp.sum(amplitudes.conj() * slope, axis=0)) / (2 * jnp.pi)
        owners = np.array([[channel == name for channel in given.channels] for name in given.terminals], float)
        np.testing.assert_allclose(jnp.sum(given.injectivity(energy), axis=1), owners @ delays, rtol=1e-11)


@pytest.mark.parametrize("strength", [0.0, 0.25, 1.0])
def test_the_scattering_matrix_is_singular_at_its_poles(strength):
    given = device(strength)
    poles, found = given.poles(jnp.array(60.0))
    near = np.asarray(found & (jnp.abs(poles.imag) < 1) & (poles.real > 1) & (poles.real < 10))
    assert near.sum() >= (2 if strength == 1.0 else 4)
    for pole in np.asarray(poles)[near]:
        at, aside = (
            np.abs(given.smatrix(given.bottom + s * s)).max()
            for s in (pole + 1e-4j * pole.imag, pole + 1e-2j * pole.imag)
        )
        assert at > 3 * aside > 1


def test_square_root_in_every_quadrant():
    size = 10.0 ** np.linspace(-8, 8, 17)
    real = np.concatenate([-size, [0.0], size])[:, None]
    imaginary = np.concatenate([-size, size])
    root = np.asarray(square_root(jnp.asarray(real), jnp.asarray(imaginary)))
    assert np.all(root.real >= 0)
    assert np.all(np.sign(root.imag) == np.sign(imaginary))
    expected = np.sqrt(real + 1j * imaginary)
    assert np.max(np.abs(root.real / expected.real - 1)) < 1e-15
    assert np.max(np.abs(root.imag / expected.imag - 1)) < 1e-15


def test_roots_are_those_of_a_polynomial():
    wanted = np.array([1 - 0.01j, 1.02 - 0.01j, 4 - 2j])
    slope = logarithmic_slope(lambda z: (z - wanted[0]) * (z - wanted[1]) * (z - wanted[2]))
    found, certain = roots(slope, jnp.array([0j, 2j, 5 + 0j]), 60)
    assert np.all(certain)
    np.testing.assert_allclose(np.sort_complex(np.asarray(found)), np.sort_complex(wanted), atol=1e-4)


def test_cosine_and_sine():
    phase = np.concatenate([np.linspace(-7, 7, 1001), np.geomspace(10, 1e5, 500)])
    cosine, sine = cosine_and_sine(jnp.asarray(phase))
    np.testing.assert_allclose(cosine, np.cos(phase), atol=3e-16)
    np.testing.assert_allclose(sine, np.sin(phase), atol=3e-16)
    slope = jax.vmap(jax.grad(lambda x: cosine_and_sine(x)[1]))(jnp.asarray(phase))
    np.testing.assert_allclose(slope, np.cos(phase), atol=3e-16)


def test_a_charge_beside_capacitances():
    """The balance written out: what is more than in equilibrium sits on the capacitances."""
    mutual = np.array([[0.0, 0.4], [0.4, 0.0]])
    unknown = Screening(
        ("U1", "U3"),
        mu=0.0,
        T=1.0,
        capacitance=mutual,
        gates=("G",),
        gate_capacitance=[[0.3], [0.0]],
        gate_potential=[2.0],
    )
    unknown = dataclasses.replace(unknown, neutral=(jnp.array([1.0, 0.5]), jnp.zeros(2)))
    charges = jnp.array([1.7, 9.0, 0.2])
    answer = Answer(*(Response(jnp.zeros(3), jnp.zeros(3), values) for values in (charges, 0 * charges, charges)))
    given = DoubleBarrier.example().moved_to(jnp.array([0.6, 0.0, -0.1]))
    balance, _, _ = unknown.balance(given, Reservoirs(jnp.zeros(3), jnp.ones(3)), answer, Effort.STRICT)
    expected = [0.7 - 0.4 * 0.7 - 0.3 * (0.6 - 2.0), -0.3 - 0.4 * (-0.7)]
    np.testing.assert_allclose(balance, expected, atol=1e-15)
