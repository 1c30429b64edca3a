"""The energy integral against closed forms: Gauss–Kronrod moments, transparent and step barriers, a finite band bottom,
and derivatives with respect to everything that moves the integrand or its lower limit.
"""

import functools
import itertools

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from mpmath import mpf

from mesotherm import (
    Effort,
    Reservoirs,
    ResonantBarrier,
    StepBarrier,
    ThermalizationDiode,
    TransparentRegion,
)
from mesotherm.gauss_kronrod import GAUSS_WEIGHTS, KRONROD_NODES, KRONROD_WEIGHTS

L, P = 0, 2
EFFORTS = pytest.mark.parametrize("effort", [Effort.FAST, Effort.STRICT])

response = jax.jit(lambda device, reservoirs, effort: device.response(reservoirs, effort), static_argnums=2)


def exact_half_line(bottom, mu, T):
    """∫f dE and ∫E f dE from ``bottom`` up."""
    filled = mpmath.exp((mu - bottom) / T)
    number = T * mpmath.log1p(filled)
    return number, bottom * number - T**2 * mpmath.polylog(2, -filled)


def exact_step(bottom, mu_a, T_a, mu_b, T_b):
    """Particle and energy current from a into b, both spins, when everything above ``bottom`` passes."""
    flows = zip(exact_half_line(bottom, mu_a, T_a), exact_half_line(bottom, mu_b, T_b), strict=True)
    return [(out - back).real / mpmath.pi for out, back in flows]


def lorentzian_flow(energy, level, half_width, mu_a, T_a, mu_b, T_b):
    """Lorentzian times the difference of two Fermi functions, both spins."""

    def occupation(mu, T):
        return 1 / (1 + mpmath.exp((energy - mu) / T))

    probability = 1 / (1 + ((energy - level) / half_width) ** 2)
    return probability * (occupation(mu_a, T_a) - occupation(mu_b, T_b)) / mpmath.pi


def exact_lorentzian(level, half_width, mu_a, T_a, mu_b, T_b):
    """Particle current from a into b through a Lorentzian on the whole line, both spins."""

    def psi(mu, T):
        return mpmath.digamma(mpf(1) / 2 + (half_width + 1j * (level - mu)) / (2 * mpmath.pi * T))

    return -half_width * (psi(mu_a, T_a) - psi(mu_b, T_b)).imag / mpmath.pi


def assert_currents(answer, exact):
    """Both currents into L lie within their bounds of the exact ones; return the bounds over the one-way fluxes."""
    fractions = []
    for quantity, truth in zip(("particle", "energy"), exact, strict=True):
        value, bound, one_way = (
            float(getattr(part, quantity)[L]) for part in (answer.value, answer.error, answer.one_way)
        )
        assert abs(mpf(value) - truth) <= bound
        fractions.append(bound / one_way)
    return fractions


def test_kronrod_rule_integrates_every_power_up_to_46():
    for power in range(47):
        exact = 2 / (power + 1) if power % 2 == 0 else 0.0
        assert KRONROD_WEIGHTS @ KRONROD_NODES**power == pytest.approx(exact, abs=1e-15)


def test_gauss_rule_integrates_every_power_up_to_29_and_not_30():
    def error(power):
        return abs(GAUSS_WEIGHTS @ KRONROD_NODES**power - (2 / (power + 1) if power % 2 == 0 else 0.0))

    assert max(map(error, range(30))) < 1e-15
    assert error(30) > 1e-9


def test_kronrod_rule_has_the_published_end_node_and_centre_weight():
    assert len(KRONROD_NODES) == 31
    assert KRONROD_NODES[-1] == pytest.approx(0.998002298693397060285172840152271, abs=1e-15)
    assert KRONROD_WEIGHTS[15] == pytest.approx(0.101330007014791549017374792767493, abs=1e-15)


RESERVOIRS = [
    # mu_L, T_L, mu_P, T_P
    (0.3, 1.0, -0.4, 1.2),
    (0.0, 2.0, 0.0, 1.0),
    (45.0, 1.0, 42.0, 0.4),
    (-7.0, 0.5, 3.0, 0.6),
    (1e-6, 1.0, 0.0, 1.0),
]


@EFFORTS
@pytest.mark.parametrize(("mu_L", "T_L", "mu_P", "T_P"), RESERVOIRS)
def test_transparent_region_carries_the_quantum_of_conductance(mu_L, T_L, mu_P, T_P, effort):
    device = ThermalizationDiode(left=TransparentRegion(), right=TransparentRegion())
    answer = response(device, Reservoirs([mu_L, mu_P, mu_P], [T_L, T_P, T_P]), effort)
    a, b, hot, cold = map(mpf, (mu_L, mu_P, T_L, T_P))
    exact = (a - b) / mpmath.pi, ((a**2 - b**2) / 2 + mpmath.pi**2 * (hot**2 - cold**2) / 6) / mpmath.pi
    assert max(assert_currents(answer, exact)) < (1e-9 if effort is Effort.STRICT else 1e-6)


@pytest.mark.parametrize("threshold", [-30.0, -1.0, 0.0, 2.5, 30.0, 80.0])
@pytest.mark.parametrize(("mu_L", "T_L", "mu_P", "T_P"), RESERVOIRS)
def test_step_barrier_passes_everything_above_its_threshold(mu_L, T_L, mu_P, T_P, threshold):
    device = ThermalizationDiode(left=StepBarrier(threshold + mu_P), right=TransparentRegion())
    answer = response(device, Reservoirs([mu_L, mu_P, mu_P], [T_L, T_P, T_P]), Effort.STRICT)
    with mpmath.workdps(50):
        exact = exact_step(*map(mpf, (threshold + mu_P, mu_L, T_L, mu_P, T_P)))
    fractions = assert_currents(answer, exact)
    assert max(fractions) < (1e-9 if threshold < 60 else 1e-3)


@EFFORTS
@pytest.mark.parametrize("bottom", [-45.0, -9.0, -2.0, 0.5, 4.0])
@pytest.mark.parametrize(("level", "half_width"), [(-1.5, 3.0), (1.0, 0.02)])
def test_finite_band_bottom_cuts_the_lorentzian(level, half_width, bottom, effort):
    mu_L, T_L, mu_P, T_P = 0.7, 1.5, -0.4, 1.0
    device = ThermalizationDiode(
        left=ResonantBarrier(level, half_width), right=ResonantBarrier(level, half_width), band_bottom=bottom
    )
    answer = response(device, Reservoirs([mu_L, mu_P, mu_P], [T_L, T_P, T_P]), effort)
    with mpmath.workdps(30):
        parameters = list(map(mpf, (level, half_width, mu_L, T_L, mu_P, T_P)))
        offsets = [k * half_width for k in (-100, -10, -1, 0, 1, 10, 100)]
        inner = {level + offset for offset in offsets} | {-20.0, -8.0, 0.0, 8.0, 20.0}
        edges = [mpf(bottom), *(mpf(edge) for edge in sorted(inner) if bottom < edge < 60), mpf(60), mpf(140)]
        exact = [
            mpmath.quad(lambda energy, power=power: energy**power * lorentzian_flow(energy, *parameters), edges)
            for power in (0, 1)
        ]
    fractions = assert_currents(answer, exact)
    if effort is Effort.STRICT:
        assert max(fractions) < 1e-9


@pytest.mark.parametrize("bottom", [20.0, 33.0, 70.0])
def test_tail_above_a_high_band_bottom_is_not_cut_off(bottom):
    device = ThermalizationDiode(left=TransparentRegion(), right=TransparentRegion(), band_bottom=bottom)
    reservoirs = Reservoirs([0.5, -0.4, -0.4], [1.0, 0.8, 0.8])
    with mpmath.workdps(60):
        exact = exact_step(*map(mpf, (bottom, 0.5, 1.0, -0.4, 0.8)))
    assert max(assert_currents(response(device, reservoirs, Effort.STRICT), exact)) < 1e-8
    fast = response(device, reservoirs, Effort.FAST)
    claimed, error = float(fast.error.particle[L]), float(abs(mpf(float(fast.value.particle[L])) - exact[0]))
    assert np.isnan(claimed) or error <= claimed


def derivatives(function, point, orders):
    """Partial derivatives of an mpmath function, for each tuple of orders."""
    with mpmath.workdps(40):
        return np.array([float(mpmath.diff(function, tuple(map(mpf, point)), order)) for order in orders])


def first_and_second(size):
    """Orders of all first derivatives, then of all second ones [row-major upper triangle]."""
    unit = np.eye(size, dtype=int)
    pairs = itertools.combinations_with_replacement(range(size), 2)
    return [tuple(row) for row in unit.tolist()], [tuple((unit[i] + unit[j]).tolist()) for i, j in pairs]


@pytest.mark.slow
def test_derivatives_of_a_lorentzian_current():
    point = (1.2, 0.8, 0.5, 1.4, -0.3, 0.9)
    names = first_and_second(len(point))

    def current(x):
        device = ThermalizationDiode(left=ResonantBarrier(x[0], x[1]), right=TransparentRegion())
        reservoirs = Reservoirs(jnp.stack([x[2], x[4], x[4]]), jnp.stack([x[3], x[5], x[5]]))
        return device.response(reservoirs, Effort.STRICT).value.particle[L]

    gradient, hessian = jax.jit(lambda x: (jax.jacfwd(current)(x), jax.jacfwd(jax.jacfwd(current))(x)))(
        jnp.array(point)
    )
    np.testing.assert_allclose(gradient, derivatives(exact_lorentzian, point, names[0]), rtol=1e-9, atol=1e-11)
    upper = np.triu_indices(len(point))
    np.testing.assert_allclose(hessian[upper], derivatives(exact_lorentzian, point, names[1]), rtol=1e-9, atol=1e-11)


@pytest.mark.slow
@pytest.mark.parametrize("bottom", [-0.6, 0.5, -25.0])
def test_derivatives_of_transparent_currents_from_a_band_bottom(bottom):
    point = (bottom, 0.5, 1.4, -0.3, 0.9)
    names = first_and_second(len(point))

    def currents(x):
        device = ThermalizationDiode(left=TransparentRegion(), right=TransparentRegion(), band_bottom=x[0])
        reservoirs = Reservoirs(jnp.stack([x[1], x[3], x[3]]), jnp.stack([x[2], x[4], x[4]]))
        value = device.response(reservoirs, Effort.STRICT).value
        return jnp.stack([value.particle[L], value.energy[L]])

    first, second = jax.jit(lambda x: (jax.jacfwd(currents)(x), jax.jacfwd(jax.jacfwd(currents))(x)))(jnp.array(point))
    upper = np.triu_indices(len(point))
    for quantity in range(2):
        exact = functools.partial(lambda *x, pick: exact_step(*x)[pick], pick=quantity)
        np.testing.assert_allclose(first[quantity], derivatives(exact, point, names[0]), rtol=1e-9, atol=1e-10)
        np.testing.assert_allclose(second[quantity][upper], derivatives(exact, point, names[1]), rtol=1e-9, atol=1e-10)


@EFFORTS
def test_derivative_of_a_lorentzian_current_with_respect_to_the_band_bottom(effort):
    parameters, bottom = (1.2, 0.8, 0.5, 1.4, -0.3, 0.9), -0.7

    def current(bottom):
        level, half_width, mu_L, T_L, mu_P, T_P = parameters
        device = ThermalizationDiode(
            left=ResonantBarrier(level, half_width), right=TransparentRegion(), band_bottom=bottom
        )
        return device.response(Reservoirs([mu_L, mu_P, mu_P], [T_L, T_P, T_P]), effort).value.particle[L]

    first, second = jax.jit(lambda x: (jax.grad(current)(x), jax.grad(jax.grad(current))(x)))(jnp.array(bottom))
    exact = functools.partial(lambda energy: -lorentzian_flow(energy, *map(mpf, parameters)))
    assert float(first) == pytest.approx(float(exact(mpf(bottom))), rel=1e-12)
    assert float(second) == pytest.approx(float(mpmath.diff(exact, bottom)), rel=1e-12)
