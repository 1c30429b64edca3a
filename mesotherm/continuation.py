"""All solutions of one setup: those on the curve that starts at equilibrium, and others found by deflation."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optimistix as optx
from jaxtyping import Array, Float

from mesotherm.arclength import Walk, walk
from mesotherm.device import Effort
from mesotherm.experiments import Setup
from mesotherm.results import Outcome
from mesotherm.root_problem import Approach, Problem, equilibrium_of, posed
from mesotherm.steady_state import SteadyState, certified

MOST_SOLUTIONS = 12
"""Solutions that a search keeps apart."""

ACCEPTED = (Outcome.CONVERGED, Outcome.TOLERANCE_MISSED)
"""Outcomes of a solution: near a fold bounds are large, and say so."""

SAME = 1e-6
"""Solutions nearer than this, in the unknowns' own scale, are one."""


@dataclasses.dataclass(frozen=True)
class Branches:
    """Every solution that was found for one setup.

    Attributes
    ----------
    states
        The solutions, certified, in the order in which the curve from equilibrium meets them; behind them those that
        only deflation found. The first is the one reached from equilibrium.
    on_curve
        Whether each lies on the curve through equilibrium.
    relaxation
        Eigenvalues of the derivative of the balances of potentials and positions with respect to these, probes
        following, for each solution [1/energy; 1 for positions]; none where nothing relaxes.
    walk
        The curve; ``s`` is the distance from equilibrium in units of its temperature.
    searched
        What was searched, in words.
    """

    states: tuple[SteadyState, ...]
    on_curve: tuple[bool, ...]
    relaxation: tuple[np.ndarray, ...]
    walk: Walk
    searched: str

    @property
    def stable(self) -> tuple[bool, ...]:
        """Whether every disturbance of potentials and positions dies away: all eigenvalues have negative real parts."""
        return tuple(bool(np.all(np.real(values) < 0)) for values in self.relaxation)


def branches(
    setup: Setup,
    *,
    mu: float | None = None,
    T: float | None = None,
    beyond: float = 0.5,
    points: int = 500,
    displaced: float = 2.0,
    effort: Effort = Effort.STRICT,
) -> Branches:
    """Find the solutions of a setup: those on the curve from equilibrium, then others by deflation.

    Parameters
    ----------
    mu, T
        The equilibrium the curve starts from [energy]; by default that of the screening, or the mean of the given mu
        and the lowest given T.
    beyond
        How far past the setup the curve is followed, as a part of the way, so that it may come back [1].
    points
        Most points of the curve.
    displaced
        Deflation starts from the first solution with each unknown displaced by this much either way, in its own scale
        (potentials: in units of T) [1].

    Errors: ``RuntimeError`` if the curve never reaches the setup.

    Examples
    --------
    The screened double barrier of Balduque & Sánchez's Fig. 3 at its star, with one side at 3.9 T, has three solutions,
    the second of them unstable.
    """
    mu, T = _equilibrium(setup, mu, T)
    approach = _approach(setup, mu, T, effort)
    length = float(approach.length)
    curve = _walk(approach, (1 + beyond) * length, points)
    count = int(curve.count)
    s, y = np.asarray(curve.s)[:count], np.asarray(curve.y)[:count]
    guesses = [
        y[i] + (length - s[i]) / (s[i + 1] - s[i]) * (y[i + 1] - y[i])
        for i in range(count - 1)
        if s[i] != s[i + 1] and (s[i] < length) != (s[i + 1] < length)
    ]
    if length == 0:
        guesses = [y[0]]
    if not guesses:
        raise RuntimeError(
            f"branches: the curve from equilibrium turned back or broke off at {s.max() / length:.3g} of the way; "
            "there may be no solution, or take more points."
        )
    found: list[np.ndarray] = []
    states: list[SteadyState] = []

    def keep(candidate) -> bool:
        solution, state = _refined(approach, jnp.asarray(candidate), setup.tolerance, effort)
        solution = np.asarray(solution)
        new = int(state.outcome) in ACCEPTED and all(np.max(np.abs(solution - other)) > SAME for other in found)
        if new and len(found) < MOST_SOLUTIONS:
            found.append(solution)
            states.append(state)
        return new

    for guess in guesses:
        keep(guess)
    on_curve = len(found)
    starts = [found[0] + sign * displaced * unit for unit in np.eye(len(found[0])) for sign in (1, -1)] if found else []
    for start in starts:
        while len(found) < MOST_SOLUTIONS:
            known = np.full((MOST_SOLUTIONS, len(start)), np.inf)
            known[: len(found)] = found
            if not keep(_deflated(approach, jnp.asarray(start), jnp.asarray(known))):
                break
    slopes = [_relaxation(approach, jnp.asarray(solution)) for solution in found]
    return Branches(
        states=tuple(states),
        on_curve=tuple(position < on_curve for position in range(len(found))),
        relaxation=tuple(np.linalg.eigvals(np.asarray(slope)) for slope in slopes),
        walk=curve,
        searched=(
            f"the curve from equilibrium (mu = {mu:g}, T = {T:g}) up to {1 + beyond:g} times the way, {count} points"
            + (", where it broke off" if bool(curve.broke_off) else "")
            + f"; deflation from {len(starts)} starts, each unknown displaced by {displaced:g} either way"
        ),
    )


def _equilibrium(setup: Setup, mu, T) -> tuple[float, float]:
    """Where the curve starts."""
    known = equilibrium_of(setup.unknowns)
    if known is None:
        floating = {probe.terminal for probe in setup.probes}
        given = [i for i, name in enumerate(setup.device.terminals) if name not in floating]
        potentials, temperatures = (np.asarray(v)[given] for v in (setup.reservoirs.mu, setup.reservoirs.T))
        known = potentials.mean(), temperatures.min()
    return float(known[0] if mu is None else mu), float(known[1] if T is None else T)


@eqx.filter_jit
def _approach(setup, mu, T, effort):
    return Approach.to(posed(setup.device, setup.reservoirs, setup.unknowns, effort), mu, T)


@eqx.filter_jit
def _walk(approach, stop, points):
    return walk(approach.residual, jnp.zeros(approach.problem.size), jnp.zeros(()), jnp.asarray(stop), points)


@eqx.filter_jit
def _refined(approach, guess, tolerance, effort):
    problem = dataclasses.replace(approach.at(approach.length), effort=effort)
    solution = problem.near(guess)
    return solution, certified(problem, solution, tolerance)[0]


@eqx.filter_jit
def _deflated(approach, start, known):
    """A zero of the residual times the product of (1 + 1/|y - y_k|²) over the known ones.

    Source: Farrell, Birkisson & Funke, SIAM J. Sci. Comput. 37, A2026 (2015).
    """

    def residual(y, approach):
        distance = jnp.sum((y - jnp.where(jnp.isfinite(known), known, 0.0)) ** 2, axis=1)
        factor = jnp.prod(jnp.where(jnp.isfinite(known[:, 0]), 1 + 1 / distance, 1.0))
        return factor * approach.residual(y, approach.length)

    solver = optx.Dogleg(rtol=1e-6, atol=1e-6)
    return optx.root_find(residual, solver, start, args=approach, max_steps=100, throw=False).value


@eqx.filter_jit
def _relaxation(approach, y):
    return relaxation_of(approach.at(approach.length), y)


def relaxation_of(problem: Problem, y: Float[Array, "unknowns"]) -> Float[Array, "coordinates coordinates"]:
    """Derivative of the balances of what relaxes, potentials and positions, with respect to it [1/energy; 1 for
    positions], the other unknowns following."""
    rough = problem.for_iterations
    slope = jax.jacfwd(lambda y: rough.balances(*rough.evaluate(y))[0])(y)
    relaxing, scales = [], []
    for unknown in problem.unknowns:
        relaxing += [unknown.relaxes] * unknown.size
        scales += [unknown.unit] * unknown.size
    regions, others = (np.flatnonzero(np.array(relaxing) == wanted) for wanted in (True, False))
    slope = slope / jnp.array(scales)
    own = slope[jnp.ix_(regions, regions)]
    if not len(others):
        return own
    through = jnp.linalg.solve(slope[jnp.ix_(others, others)], slope[jnp.ix_(others, regions)])
    return own - slope[jnp.ix_(regions, others)] @ through
