r"""Fluctuations about a solved state: zero-frequency noise of particle and heat currents, and higher cumulants.

While a probe keeps its mean μ and T, the currents fluctuate by δX as those of the bare conductor do. A floating
terminal that nothing holds charges and heats up instead until what it takes in vanishes at any time. With y the μ and T
that follow and r = R X the currents that vanish (I_P where μ_P follows, J_P where T_P does),

.. math::
    \Delta X = \delta X + \frac{\partial X}{\partial y}\, \delta y, \qquad
    0 = \delta r + \frac{\partial r}{\partial y}\, \delta y \qquad\Rightarrow\qquad
    S = P\, S_\text{bare}\, P^\mathsf{T}, \quad
    P = 1 - \frac{\partial X}{\partial y} \Big(\frac{\partial r}{\partial y}\Big)^{-1} R

Source: Blanter & Büttiker, Phys. Rep. 336, 1 (2000), Secs. 2.4, 2.5 and 2.7; Beenakker & Büttiker, Phys. Rev. B 46,
1889 (1992).
"""

from collections.abc import Sequence
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from mesotherm.conventions import EPSILON
from mesotherm.device import AbstractDevice, Effort, HasCoordinates, Reservoirs
from mesotherm.engines.counting import Counted, counted
from mesotherm.engines.rate_equation import AbstractRateEquation
from mesotherm.engines.scattering import HasSMatrix
from mesotherm.engines.scattering_noise import bare_noise
from mesotherm.observables import entropy_production
from mesotherm.results import Outcome
from mesotherm.steady_state import SteadyState

SLOPE_ALLOWANCE = 10.0
"""A slope of a rate network's currents is trusted to its states times this many rounding errors of the currents, per
temperature."""


class Covariances(eqx.Module):
    """Rates at which covariances grow: matrices over the terminals of the first and of the second current.

    Attributes
    ----------
    particle
        Of particle currents with each other [energy/ħ].
    heat
        Of heat currents with each other [energy³/ħ].
    particle_heat
        Of particle currents (first index) with heat currents (second index) [energy²/ħ].
    """

    particle: Float[Array, "terminals terminals"]
    heat: Float[Array, "terminals terminals"]
    particle_heat: Float[Array, "terminals terminals"]

    @classmethod
    def of(cls, matrix: Float[Array, "currents currents"]) -> "Covariances":
        """The blocks of a matrix over the particle currents of all terminals, then their heat currents."""
        n = len(matrix) // 2
        return cls(matrix[:n, :n], matrix[n:, n:], matrix[:n, n:])


class Noise(eqx.Module):
    """Noise of a state.

    Attributes
    ----------
    value, error
        The covariances, and absolute bounds on their errors.
    shot, shot_error
        The part of them that is zero in equilibrium, likewise; the rest is thermal noise. ``None`` for rate equations,
        where no such parts are defined.
    one_way
        What "relative" means: the variances there would be if all electrons passed one by one and no probe followed,
        and the geometric means of two of them.
    outcome
        Code of an :class:`mesotherm.results.Outcome`: the state's, or what is worse about the noise.
    """

    value: Covariances
    error: Covariances
    shot: Covariances | None
    shot_error: Covariances | None
    one_way: Covariances
    outcome: Int[Array, ""]


def noise(state: SteadyState, *, following: Sequence[str], effort: Effort = Effort.STRICT) -> Noise:
    r"""Zero-frequency covariances ∫dt ⟨ΔX_a(t) ΔX_b(0)⟩ of all currents into the device, operators symmetrised.

    In equilibrium S_αβ = k_B T (∂I_α/∂μ_β + ∂I_β/∂μ_α); where electrons pass rarely and one way S = abs(I). The S of
    Blanter & Büttiker, and of many others, is twice this one. Heat is counted from the mean μ of its terminal. Pure,
    batchable with ``jax.vmap``.

    Parameters
    ----------
    state
        A solved state of a device with a scattering matrix (``HasSMatrix``), or of dots.
    following
        The probes whose floating μ and T follow the currents' fluctuations, so that what they take in vanishes at any
        time: the noise at frequencies far below those at which they charge and heat up. All others keep their means.

    Assumes: with a scattering matrix, electrons that do not interact; potentials fixed at their means, screened ones
    too (their fluctuations are left out); probes that follow do so in a time that plays no part.

    Source: Blanter & Büttiker, Phys. Rep. 336, 1 (2000), Secs. 2.4, 2.5 and 2.7; for dots
    :mod:`mesotherm.engines.counting`.

    Errors: ``ValueError`` for any other device, and for what should follow but does not float.
    ``outcome`` is ``TOLERANCE_MISSED`` where a bound exceeds the state's tolerance times the largest ``one_way`` of its
    kind.

    Examples
    --------
    Johnson–Nyquist noise of a conductor, 2 k_B T G:

    >>> import mesotherm as m
    >>> from mesotherm.devices.double_barrier import DoubleBarrier
    >>> state = m.steady_state(DoubleBarrier.example(), m.Reservoirs([0, 0, 0], [2, 2, 2]))
    >>> found = noise(state, following=())
    >>> conductance = jax.jacfwd(lambda mu: state.device.response(m.Reservoirs(mu, [2, 2, 2])).value.particle)
    >>> abs(float(found.value.particle[0, 0] / (2 * 2 * conductance(jnp.zeros(3))[0, 0])) - 1) < 1e-10
    True
    """
    check_following(state.device, [probe.terminal for probe in state.probes], following)
    return _noise(state, tuple(following), effort)


def check_following(device: AbstractDevice, floating: Sequence[str], following: Sequence[str]) -> None:
    """Raise ``ValueError`` if a device's noise is not known, or what should follow does not float."""
    if not isinstance(device, HasSMatrix | AbstractRateEquation):
        raise ValueError(
            f"noise: {type(device).__name__} has no scattering matrix and is no rate equation; "
            "use a device with HasSMatrix, or dots."
        )
    for name in following:
        if name not in floating:
            floats = f"there {'float' if len(floating) > 1 else 'floats'} {', '.join(floating)}"
            raise ValueError(
                f"noise: terminal {name!r} does not float, so that its reservoir cannot follow; "
                f"{floats if floating else 'no terminal floats'}."
            )


def fano_factor(state: SteadyState, found: Noise) -> tuple[Float[Array, "terminals"], Float[Array, "terminals"]]:
    r"""F_α = S_αα/abs(I_α) of particle currents [1] and the bound on its error; NaN where I_α vanishes within its own.

    One where electrons pass rarely and one way, of either spin.

    Source: Blanter & Büttiker, Phys. Rep. 336, 1 (2000), Sec. 2.
    """
    S, S_error = jnp.diagonal(found.value.particle), jnp.diagonal(found.error.particle)
    current, error = jnp.abs(state.currents.particle), state.error.particle
    least = jnp.where(current > error, current - error, jnp.nan)
    return jnp.where(current > error, S / current, jnp.nan), (S_error + S / current * error) / least


def uncertainty_product(
    state: SteadyState, found: Noise
) -> tuple[Float[Array, "terminals"], Float[Array, "terminals"]]:
    r"""S_αα Σ̇/I_α² of particle currents [k_B] and the bound on its error; NaN where I_α vanishes within its own.

    At least 2 for classical Markov processes (thermodynamic uncertainty relation) and, with time-reversal symmetry, in
    linear response; coherent conductors can do with less.

    Source: Barato & Seifert, Phys. Rev. Lett. 114, 158101 (2015).
    """
    F, F_error = fano_factor(state, found)
    current, current_error = jnp.abs(state.currents.particle), state.error.particle
    produced, produced_error = entropy_production(state), entropy_production.error(state)
    product = F * produced / current
    numerator_error = F_error * (jnp.abs(produced) + produced_error) + F * produced_error
    return product, (numerator_error + jnp.abs(product) * current_error) / (current - current_error)


class Cumulants(eqx.Module):
    """Cumulants per time of a state's currents: first axis the order, from 1 to 4, then terminals.

    Attributes
    ----------
    particle, heat, energy
        Of the particle currents [energy/ħ], of heat counted from the mean μ and of energy [energy^(n+1)/ħ].
    particle_error, heat_error, energy_error
        Absolute bounds on their errors.
    outcome
        Code of an :class:`mesotherm.results.Outcome`: the state's, or what is worse about the cumulants.
    """

    particle: Float[Array, "orders terminals"]
    heat: Float[Array, "orders terminals"]
    energy: Float[Array, "orders terminals"]
    particle_error: Float[Array, "orders terminals"]
    heat_error: Float[Array, "orders terminals"]
    energy_error: Float[Array, "orders terminals"]
    outcome: Int[Array, ""]


def cumulants(state: SteadyState) -> Cumulants:
    r"""The first four cumulants of every current of dots: mean, noise, skewness, sharpness, C_n/t at long times t.

    For a single dot with g = γ_L + γ_R, g_1 = γ_Lγ_R (f_L − f_R) and g_2 = γ_Lγ_R (f_L + f_R − 2 f_L f_R)

    .. math:: C_1 = g_1/g, \quad C_2 = g_2/g - 2 g_1^2/g^3, \quad C_3 = g_1/g - 6 g_1 g_2/g^3 + 12 g_1^3/g^5

    Probes keep their mean μ and T: their fluctuations enter :func:`noise` (second cumulants) if they follow; for higher
    orders that would take the probes' own dynamics. Pure, batchable with ``jax.vmap``.

    Source: :mod:`mesotherm.engines.counting`.

    Errors: ``ValueError`` for a device that is no rate equation. ``outcome`` is ``TOLERANCE_MISSED`` where a bound on a
    second cumulant exceeds the state's tolerance times the largest there would be of independent transitions.

    Examples
    --------
    >>> import mesotherm as m
    >>> from mesotherm.devices.dot_network import DotNetwork
    >>> dot = DotNetwork(dots=("D",), leads=("L", "R"), levels=[1.2], tunnel_rates=[[0.7], [0.4]])
    >>> found = cumulants(m.steady_state(dot, m.Reservoirs([0.9, 0.2], [1 / 0.8, 1 / 1.3])))
    >>> [round(float(c), 9) for c in found.particle[:3, 0]]
    [0.057558158, 0.112559906, 0.022219571]
    """
    if not isinstance(state.device, AbstractRateEquation):
        raise ValueError(f"cumulants: {type(state.device).__name__} is no rate equation; use dots, or noise().")
    return _cumulants(state)


@eqx.filter_jit
def _cumulants(state: SteadyState) -> Cumulants:
    device = state.device
    assert isinstance(device, AbstractRateEquation)  # by cumulants()
    at_mu, at_T = (
        jnp.array([device.index(probe.terminal) for probe in state.probes if floats(probe)], int)
        for floats in (lambda probe: probe.floats_mu, lambda probe: probe.floats_T)
    )
    bounds = [state.reservoirs_error.mu[at_mu], state.reservoirs_error.T[at_T]]

    def at(steps) -> tuple[Float[Array, "orders currents"], Counted]:
        mu, T = steps
        reservoirs = Reservoirs(state.reservoirs.mu.at[at_mu].add(mu), state.reservoirs.T.at[at_T].add(T))
        found = counted(device, reservoirs)
        return found.cumulants, found

    slopes, found = jax.jacfwd(at, has_aux=True)([jnp.zeros_like(bound) for bound in bounds])
    through = sum(jnp.abs(slope) @ bound for slope, bound in zip(slopes, bounds, strict=True))
    error = found.cumulants_error + through
    n = len(device.terminals)
    parts = [slice(0, n), slice(n, 2 * n), slice(2 * n, 3 * n)]
    finite = jnp.all(jnp.isfinite(found.cumulants)) & jnp.all(jnp.isfinite(error))
    within = jnp.stack([jnp.max(error[1, part]) <= state.tolerance * jnp.max(found.one_way[part]) for part in parts])
    outcome = jnp.select(
        [state.outcome != Outcome.CONVERGED, ~finite, ~jnp.all(within)],
        [state.outcome, Outcome.NOT_FINITE, Outcome.TOLERANCE_MISSED],
        Outcome.CONVERGED,
    ).astype(jnp.int8)
    particle, heat, energy = (found.cumulants[:, part] for part in parts)
    return Cumulants(particle, heat, energy, error[:, parts[0]], error[:, parts[1]], error[:, parts[2]], outcome)


# ---------------------------------------------------------------------------------------------------------------------


class _Matrices(NamedTuple):
    """Of all covariances, and of their shot part if there is one: values and bounds."""

    value: Float[Array, "parts currents currents"]
    error: Float[Array, "parts currents currents"]


class _Bare(NamedTuple):
    """Noise while no reservoir moves, and how the mean currents answer to reservoirs, as in ``BareNoise``."""

    matrices: _Matrices
    one_way: Float[Array, "currents"]
    slope: Float[Array, "currents forces"]
    slope_error: Float[Array, "currents forces"]


def _bare(device: AbstractDevice, reservoirs: Reservoirs, effort: Effort) -> _Bare:
    if isinstance(device, HasSMatrix):
        bare = bare_noise(device, reservoirs, effort)
        value = jnp.stack([bare.thermal + bare.shot, bare.shot])
        error = jnp.stack([bare.thermal_error + bare.shot_error, bare.shot_error])
        return _Bare(_Matrices(value, error), bare.one_way, bare.slope, bare.slope_error)
    assert isinstance(device, AbstractRateEquation)  # by check_following()
    currents = slice(2 * len(device.terminals))
    found = counted(device, reservoirs)
    matrices = _Matrices(found.covariance[None, currents, currents], found.covariance_error[None, currents, currents])

    def means(mu, T):
        answer = device.response(Reservoirs(mu, T), Effort.FAST)
        mean = jax.lax.stop_gradient(reservoirs.mu)
        return jnp.concatenate([answer.value.particle, answer.value.energy - mean * answer.value.particle]), answer

    slopes, answer = jax.jacfwd(means, (0, 1), has_aux=True)(reservoirs.mu, reservoirs.T)
    steepness = SLOPE_ALLOWANCE * device.transitions().states / reservoirs.T
    bound = jnp.concatenate([answer.error.particle, answer.error.energy])[:, None] * steepness
    return _Bare(matrices, found.one_way[currents], jnp.concatenate(slopes, 1), jnp.concatenate([bound, bound], 1))


@eqx.filter_jit
def _noise(state: SteadyState, following: tuple[str, ...], effort: Effort) -> Noise:
    device = state.device
    floating_mu = [device.index(probe.terminal) for probe in state.probes if probe.floats_mu]
    floating_T = [device.index(probe.terminal) for probe in state.probes if probe.floats_T]
    at_mu, at_T = (jnp.array(positions, int) for positions in (floating_mu, floating_T))
    moving = isinstance(device, HasCoordinates) and len(state.unknowns) > len(state.probes)
    bounds = [state.reservoirs_error.mu[at_mu], state.reservoirs_error.T[at_T], *([state.q_error] if moving else [])]

    def at(steps):
        mu, T, *q = steps
        moved = device.moved_to(state.q + q[0]) if moving and isinstance(device, HasCoordinates) else device
        reservoirs = Reservoirs(state.reservoirs.mu.at[at_mu].add(mu), state.reservoirs.T.at[at_T].add(T))
        bare = _bare(moved, reservoirs, effort)
        found = _with_followers(bare, state, following)
        return found.value, (found, bare.one_way)

    slopes, (found, one_way) = jax.jacfwd(at, has_aux=True)([jnp.zeros_like(bound) for bound in bounds])
    through = sum(jnp.abs(slope) @ bound for slope, bound in zip(slopes, bounds, strict=True))
    symmetric = (found.value + jnp.swapaxes(found.value, 1, 2)) / 2
    (value, *shot), (error, *shot_error) = (map(Covariances.of, part) for part in (symmetric, found.error + through))
    one_way = Covariances.of(jnp.sqrt(one_way[:, None] * one_way))
    finite = jnp.all(jnp.stack([jnp.all(jnp.isfinite(x)) for x in jax.tree.leaves((value, error))]))
    within = jax.tree.map(lambda e, scale: jnp.max(e) <= state.tolerance * jnp.max(scale), error, one_way)
    outcome = jnp.select(
        [state.outcome != Outcome.CONVERGED, ~finite, ~jnp.all(jnp.stack(jax.tree.leaves(within)))],
        [state.outcome, Outcome.NOT_FINITE, Outcome.TOLERANCE_MISSED],
        Outcome.CONVERGED,
    ).astype(jnp.int8)
    no_shot = not shot
    return Noise(value, error, None if no_shot else shot[0], None if no_shot else shot_error[0], one_way, outcome)


def _with_followers(bare: _Bare, state: SteadyState, following: tuple[str, ...]) -> _Matrices:
    r"""Covariances with the followers' currents at zero.

    A change dX of the slopes changes P by exactly −P dX (r_y + R dX)⁻¹ R, which gives the bound.
    """
    value, error = bare.matrices
    n = len(state.device.terminals)
    held = jnp.array(
        [
            state.device.index(probe.terminal) + shift
            for probe in state.probes
            if probe.terminal in following
            for floats, shift in ((probe.floats_mu, 0), (probe.floats_T, n))
            if floats
        ],
        int,
    )
    if not held.size:
        return _Matrices(value, error)

    slope, slope_error = bare.slope[:, held], bare.slope_error[:, held]
    inverse = jnp.linalg.inv(slope[held])
    P = jnp.eye(2 * n).at[:, held].add(-slope @ inverse).at[held].set(0.0)
    uncertain = jnp.abs(inverse) @ slope_error[held]
    sure = jnp.max(jnp.sum(uncertain, axis=1)) < 1
    largest_inverse = jnp.linalg.solve(jnp.eye(len(held)) - uncertain, jnp.abs(inverse))
    P_error = jnp.zeros((2 * n, 2 * n)).at[:, held].set(jnp.abs(P) @ slope_error @ largest_inverse)
    P_error = jnp.where(sure, P_error, jnp.inf).at[held].set(0.0)

    def transformed(S, S_error):
        changed = P_error @ (jnp.abs(S @ P.T) + S_error @ jnp.abs(P).T)
        second = P_error @ (jnp.abs(S) + S_error) @ P_error.T
        rounding = 4 * n * EPSILON * jnp.abs(P) @ jnp.abs(S) @ jnp.abs(P).T
        return P @ S @ P.T, jnp.abs(P) @ S_error @ jnp.abs(P).T + changed + changed.T + second + rounding

    return _Matrices(*jax.vmap(transformed)(value, error))
