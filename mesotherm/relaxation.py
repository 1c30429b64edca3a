r"""How populations of dots relax: transients of the master equation from any initial state, with their entropy balance.

With the rate W_ij from the many-body state j to i,

.. math::
    \dot p = W p, \qquad S = -\sum_i p_i \ln p_i, \qquad
    \dot\Sigma = \dot S - \sum_\alpha \frac{J_\alpha}{T_\alpha}
    = \sum_t (F_t - B_t) \ln \frac{F_t}{B_t} \ge 0

where F and B are the fluxes along a transition t and back. F/B follows from the reduced energy z of the transition and
the populations at its ends, ln(F/B) = ln(p_empty/p_filled) − z, whatever the size of the rates.

**Populations** come from powers of a nonnegative matrix. A time is a multiple of a short step, in binary digits, and a
rest. With Λ above all rates of exit, exp((W + Λ)τ) of the step τ is a Taylor series without subtraction; the square of
a matrix belongs to twice the time; after each square its columns are divided by their sums, which are 1. Only sums,
products and quotients of nonnegative numbers occur, so that small populations and slow rates keep their digits, no
rounding error grows with the time, and a thousand times cost little more than one.

**Relaxation rates** of a chain with detailed balance are the squares of the singular values of the matrix that has, for
each step between states, the square roots of its two rates with opposite signs. Those that are far slower than the
fastest are eigenvalues of the inverse, which an elimination without subtraction finds.

Source: Ghosh & Ghosh, Thermodynamics of coupled transport (2026), Eqs. 16–27 (Eq. 27 must read βμ); Schnakenberg, Rev.
Mod. Phys. 48, 571 (1976) (entropy production of a master equation).
"""

import itertools
from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jax.scipy.special import entr, xlogy
from jaxtyping import Array, Complex, Float

from mesotherm.device import Effort, Reservoirs
from mesotherm.engines.elimination import Elimination, Graph, connected, into_states
from mesotherm.engines.rate_equation import AbstractRateEquation, rounding, transition_flows
from mesotherm.engines.scaled import Scaled, plain, zeros_like
from mesotherm.fields import as_array, is_traced
from mesotherm.observables import OBSERVABLES, Variable

TERMS = 40
"""Of the Taylor series of a step, which is shorter than 1/(2Λ): the rest is below 1e-60."""

UNITY = 1e-9
"""How far from 1 the sum of initial probabilities may be; they are divided by it."""

VARIABLES = {
    "population": Variable("probability of the many-body state", "p", "1", ("state",)),
    **{name: OBSERVABLES[name].variable for name in ("particle_current", "energy_current", "heat_current")},
    "entropy": Variable("entropy of the device", "S", "k_B"),
    "entropy_rate": Variable("rate at which the entropy of the device grows", r"\dot S", "k_B*energy/hbar"),
    "entropy_flow": Variable(
        "rate at which the entropy of the reservoirs grows", r"-\sum_\alpha J_\alpha/T_\alpha", "k_B*energy/hbar"
    ),
    "entropy_production": OBSERVABLES["entropy_production"].variable,
}
"""What a dataset of a transient holds."""


class Transient(eqx.Module):
    """A device on its way from an initial state.

    Attributes
    ----------
    device, reservoirs
        What relaxes.
    times
        Since the initial state [ħ/energy].
    population
        Probability of every many-body state, in the order of ``device.state_names()`` [1].
    particle_current, energy_current, heat_current
        Into the device, from every terminal [energy/ħ], [energy²/ħ], [energy²/ħ]; heat is J = I_E − μ I_N. They need
        not sum to zero: the device charges.
    entropy
        S = −Σ p ln p of the device [k_B].
    entropy_rate
        dS/dt [k_B energy/ħ].
    entropy_flow
        −Σ J_α/T_α, at which the reservoirs' entropy grows (Ghosh & Ghosh's Φ has the other sign) [k_B energy/ħ].
    entropy_production
        Σ̇ of the ensemble, transition by transition: never negative [k_B energy/ħ].
    """

    device: AbstractRateEquation
    reservoirs: Reservoirs
    times: Float[Array, "times"]
    population: Float[Array, "times states"]
    particle_current: Float[Array, "times terminals"]
    energy_current: Float[Array, "times terminals"]
    heat_current: Float[Array, "times terminals"]
    entropy: Float[Array, "times"]
    entropy_rate: Float[Array, "times"]
    entropy_flow: Float[Array, "times"]
    entropy_production: Float[Array, "times"]

    def dataset(self) -> xr.Dataset:
        """As a labelled dataset with the dimensions time, state and terminal; descriptions, units and symbols."""
        coordinates = {
            "time": ("time", np.asarray(self.times), {"long_name": "time", "units": "hbar/energy", "symbol": "t"}),
            "state": ("state", np.array(self.device.state_names(), dtype=object), {"long_name": "many-body state"}),
            "terminal": ("terminal", np.array(self.device.terminals, dtype=object)),
        }
        variables = {
            name: (
                ("time", *described.dimensions),
                np.asarray(getattr(self, name)),
                {"long_name": described.long_name, "units": described.unit, "symbol": described.symbol},
            )
            for name, described in VARIABLES.items()
        }
        return xr.Dataset(variables, coordinates)


def evolve(
    device: AbstractRateEquation,
    reservoirs: Reservoirs,
    initial: str | Sequence[float] | Float[Array, "states"],
    times: float | Sequence[float] | Float[Array, "times"],
) -> Transient:
    """Populations, currents and entropies of a device at given times after an initial state.

    Differentiable in forward mode, batchable with ``jax.vmap``.

    Parameters
    ----------
    initial
        Probabilities of the many-body states in the order of ``device.state_names()``, or the name of one of them.
    times
        In any order, not negative, of any length [ħ/energy].

    Assumes: as the device's currents do, at all times longer than ħ/T.

    Errors: ``ValueError`` for what is no probability vector, no state or no time. Every population has a relative error
    below 1e-13 for rates known exactly, as found against 50 digits with rates up to 20 decades apart and any times; a
    population that still decays like exp(−kt) has kt rounding units more. Where the state that a transition leads to
    has no probability at all, as at t = 0 from a single state, ``entropy_rate`` and ``entropy_production`` are infinite
    (so are they in truth).

    Examples
    --------
    A dot that fills: what its entropy and its reservoirs' entropy gain is what is produced.

    >>> from mesotherm.devices.coulomb_dots import CoulombDots
    >>> dot = CoulombDots(("D",), (("L", "D"), ("R", "D")), [0.3], [], [[0.01], [0.02]])
    >>> found = evolve(dot, Reservoirs([1, 0], [2, 1]), "empty", [10.0, 1000.0])
    >>> print(found.population.round(3))
    [[0.876 0.124]
     [0.521 0.479]]
    >>> bool(jnp.allclose(found.entropy_production, found.entropy_rate + found.entropy_flow))
    True
    >>> dict(found.dataset().sizes)
    {'time': 2, 'state': 2, 'terminal': 2}
    """
    return _evolve(device, reservoirs, _probabilities(device, initial), _checked_times(times))


def relaxation_rates(device: AbstractRateEquation, reservoirs: Reservoirs) -> Complex[Array, "states"]:
    """Rates at which populations relax, the eigenvalues of −W sorted by real part [energy/ħ].

    The first is the 0 of the stationary state; there are as many zeros as there are stationary states. With detailed
    balance (in equilibrium, and where transitions close no loop) all rates are real, and their imaginary parts exactly
    zero. Not for use inside compiled functions.

    Errors: none raised. Estimated relative errors are a few rounding units times (λ_max/λ_min)^(1/3) at most with
    detailed balance, and times (λ_max/λ_min)^(1/2) without; the slowest and the fastest rate are known better. Without
    detailed balance, rates that almost coincide are known less well.

    Examples
    --------
    >>> from mesotherm.devices.coulomb_dots import CoulombDots
    >>> dot = CoulombDots(("D",), (("L", "D"), ("R", "D")), [0.3], [], [[0.01], [0.02]])
    >>> print(relaxation_rates(dot, Reservoirs([1, 0], [2, 1])).real.round(12))
    [0.   0.03]
    """
    table, flows = device.transitions(), transition_flows(device, reservoirs, Effort.STRICT)
    known = float(rounding(table, flows, reservoirs, Effort.STRICT))
    start, end = np.array(table.graph.steps).T
    rates = zeros_like(Scaled.of(jnp.ones((table.states, table.states))))
    for ends, of_steps in (((end, start), flows.enter), ((start, end), flows.leave)):
        rates = jax.tree.map(lambda x, new, at=ends: x.at[at].set(new), rates, table.steps(of_steps))
    joined = np.argwhere(np.asarray(rates.mantissa)).tolist()
    found = []
    for members in connected(table.states, [(a, b) for a, b in joined]):
        within = rates[np.ix_(members, members)]
        found.append(_rates_of_part(within, known) if len(members) > 1 else np.zeros(1))
    numbers = np.concatenate(found).astype(complex)
    return jnp.asarray(numbers[np.lexsort((np.imag(numbers), np.real(numbers)))])


# ---------------------------------------------------------------------------------------------------------------------


def _probabilities(device: AbstractRateEquation, initial) -> Float[Array, "states"]:
    names = device.state_names()
    if isinstance(initial, str):
        if names.count(initial) != 1:
            raise ValueError(
                f"evolve: initial = {initial!r} is not the name of one state; there are {', '.join(map(repr, names))}."
            )
        return jnp.zeros(len(names)).at[names.index(initial)].set(1.0)
    p = as_array(initial)
    if p.shape != (len(names),):
        raise ValueError(f"evolve: initial has shape {p.shape}; give one probability for each of {len(names)} states.")
    if not is_traced(p):
        given = np.asarray(p)
        if not (np.all(given >= 0) and abs(given.sum() - 1) <= UNITY):
            raise ValueError(
                f"evolve: initial = {given.tolist()} is no probability vector; give numbers from 0 to 1 with sum 1."
            )
    return p / jnp.sum(p)


def _checked_times(times) -> Float[Array, "times"]:
    t = jnp.atleast_1d(as_array(times))
    if t.ndim > 1:
        raise ValueError(f"evolve: times have shape {t.shape}; give a number or a list of numbers.")
    if not is_traced(t):
        given = np.asarray(t)
        wrong = given[~(np.isfinite(given) & (given >= 0))]
        if wrong.size:
            raise ValueError(f"evolve: times = {wrong.tolist()} are not allowed; give finite times from 0 on.")
    return t


@eqx.filter_jit
def _evolve(device: AbstractRateEquation, reservoirs: Reservoirs, initial, times) -> Transient:
    table, flows = device.transitions(), transition_flows(device, reservoirs, Effort.STRICT)
    start, end = np.array(table.graph.steps).T
    W = jnp.zeros((table.states, table.states))
    W = W.at[end, start].add(plain(table.steps(flows.enter))).at[start, end].add(plain(table.steps(flows.leave)))
    p = _propagated(W, initial, times)

    # [transitions, times]
    before, after = p[np.array(table.empty)], p[np.array(table.filled)]
    there, back = (plain(flows.enter)[:, None] * before, plain(flows.leave)[:, None] * after)
    moving = there + back > 0
    affinity = jnp.where(moving, jnp.log(before) - jnp.log(after) - flows.reduced[:, None], 0.0)
    net = jnp.where(affinity > 0, -there * jnp.expm1(-affinity), back * jnp.expm1(affinity))

    graph = Graph(table.states, tuple(zip(table.empty, table.filled, strict=True)))
    at = table.at(len(device.terminals))
    heat = at @ (flows.above_mu[:, None] * net)
    return Transient(
        device=device,
        reservoirs=reservoirs,
        times=times,
        population=p.T,
        particle_current=((at * table.electrons) @ net).T,
        energy_current=(at @ (flows.gain[:, None] * net)).T,
        heat_current=heat.T,
        entropy=jnp.sum(entr(p), axis=0),
        entropy_rate=-jnp.sum(xlogy(into_states(graph, net), p), axis=0),
        entropy_flow=-(1.0 / reservoirs.T) @ heat,
        entropy_production=jnp.sum(jnp.where(moving, net * affinity, 0.0), axis=0),
    )


def _propagated(
    W: Float[Array, "states states"], initial: Float[Array, "states"], times: Float[Array, "times"]
) -> Float[Array, "states times"]:
    """Populations at all times; ``W`` are the rates, nothing on its diagonal."""
    exits = jnp.sum(W, axis=0)
    above = 2.0 * jnp.max(exits)  # twice: what is left on the diagonal is then no small difference
    A = W + jnp.diag(above - exits)
    _, exponent = jnp.frexp(jax.lax.stop_gradient(jnp.where(above > 0, above, 1.0)))
    step = jnp.ldexp(1.0, -1 - exponent)  # a power of two below 1/(2Λ): times are divided by it without rounding
    steps = jnp.floor(jax.lax.stop_gradient(times) / step)
    rest = times - steps * step

    def series(x, t):
        def add(carry, k):
            term, total = carry
            term = (A @ term) * (t / k)
            return (term, total + term), None

        (_, total), _ = jax.lax.scan(add, (x, x), jnp.arange(1.0, TERMS + 1.0))
        return _normalised(total)

    def double(carry):
        steps, P, p = carry
        p = jnp.where(steps % 2 == 1, _normalised(P @ p), p)
        return jnp.floor(steps / 2), _normalised(P @ P), p

    p = series(jnp.broadcast_to(initial[:, None], (len(initial), len(times))), rest)
    return jax.lax.while_loop(lambda carry: jnp.any(carry[0] > 0), double, (steps, series(jnp.eye(len(W)), step), p))[2]


def _normalised(columns):
    return columns / jnp.sum(columns, axis=0)


def _rates_of_part(rates: Scaled, known: float) -> np.ndarray:
    """The relaxation rates of states that are joined, ``rates[i, j]`` leading from j to i; their errors are ``known``.

    Fast ones are eigenvalues of −W, slow ones of its inverse.
    """
    W, inverse, imbalance, plain_rates = map(np.asarray, _balanced(rates))
    reversible = np.max(imbalance) <= known
    if reversible:
        one, other = np.array([(i, j) for i, j in np.argwhere(plain_rates) if i < j]).T
        roots, rows = np.zeros((len(one), len(W))), np.arange(len(one))
        roots[rows, one], roots[rows, other] = np.sqrt(plain_rates[other, one]), -np.sqrt(plain_rates[one, other])
        fast = np.append(np.linalg.svd(roots, compute_uv=False)[: len(W) - 1] ** 2, 0.0)[::-1]
        times = np.real(np.linalg.eigvals(inverse))
    else:
        fast, times = _by_size(np.linalg.eigvals(-W)), np.linalg.eigvals(inverse)
    slow = 1.0 / _by_size(times)[:0:-1]
    exponent = 2 / 3 if reversible else 1 / 2  # where both are known as well
    limit = np.abs(slow[0]) ** exponent * np.abs(fast[-1]) ** (1 - exponent)
    few = int(np.sum(np.abs(slow) < limit))
    return np.concatenate([[0.0], slow[:few], fast[few + 1 :]])


@eqx.filter_jit
def _balanced(rates: Scaled) -> tuple[Array, Array, Array, Array]:
    """W and its negative inverse (on what has no sum), both D⁻¹ · D with D² near the stationary populations; how far
    every pair of states is from detailed balance; the rates themselves. Most probable states come first: the
    elimination ends there, and keeps the digits of the inverse."""
    size = len(rates.mantissa)
    graph = Graph(size, tuple(itertools.combinations(range(size), 2)))
    a, b = np.array(graph.steps).T

    order = jnp.argsort(-Elimination.of(graph, rates[b, a], rates[a, b]).stationary().scale)
    rates = rates[order[:, None], order]
    forward, backward = rates[b, a], rates[a, b]
    p = Elimination.of(graph, forward, backward).stationary()
    there, back = forward * p[a], backward * p[b]
    never = (forward + backward).mantissa == 0
    imbalance = jnp.where(never, 0.0, jnp.abs(plain((there + -back) / (there + back))))

    half = jnp.round(p.scale / (2 * jnp.log(2.0))) * jnp.log(2.0)
    similar = Scaled.of(jnp.ones((size, size)), half[None] - half[:, None])
    raised = jax.tree.map(lambda x: x[:, None], (forward, backward, p))
    sources = Scaled.of(jnp.eye(size)) + -(raised[2] * Scaled.of(jnp.ones((1, size))))
    inverse = Elimination.of(graph, *raised[:2]).response(raised[2], sources)
    W = plain(similar * rates) - jnp.diag(plain(rates.total(0)))
    return W, plain(similar * inverse), imbalance, plain(rates)


def _by_size(numbers):
    return numbers[np.argsort(np.abs(numbers))]
