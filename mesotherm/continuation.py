r"""Solutions followed as a parameter changes, through folds, and all solutions that are found at one place.

A curve of solutions of F(y, s) = 0 is walked by its arclength (Keller): a step along its tangent, then Newton steps at
right angles to it. s need not grow along the curve, so a fold is a point like any other.
"""

import dataclasses
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optimistix as optx
from jaxtyping import Array, Bool, Float, Int

from mesotherm.device import Effort, Reservoirs
from mesotherm.experiments import Setup
from mesotherm.results import Outcome
from mesotherm.screening import Screening
from mesotherm.steady_state import Problem, SteadyState, certified, posed

FIRST_STEP, LONGEST_STEP, SHORTEST_STEP = 0.05, 0.25, 1e-6
"""Of arclength, in the unknowns' own scale."""

CORRECTIONS = 5
"""Newton steps at right angles to the curve, at most; a step along it is halved where they do not suffice."""

CORRECTED = 1e-8
"""Length of the last correction at which a point lies on the curve."""


class Walk(eqx.Module):
    """Points of a curve, in the order in which they were met.

    Attributes
    ----------
    s
        Parameter at every point.
    y
        Coordinates of the unknowns.
    count
        How many points there are; the rest of the arrays is not used.
    broke_off
        Whether no step was short enough to go on.
    """

    s: Float[Array, "points"]
    y: Float[Array, "points unknowns"]
    count: Int[Array, ""]
    broke_off: Bool[Array, ""]


def walk(
    residual: Callable[[Float[Array, "unknowns"], Float[Array, ""]], Float[Array, "unknowns"]],
    y0: Float[Array, "unknowns"],
    s0: Float[Array, ""],
    s1: Float[Array, ""],
    points: int,
) -> Walk:
    """Follow the curve of F(y, s) = 0 through (y0, s0) towards s1, until it is passed or ``points`` are found.

    The curve ends as well where it comes back to s0.
    """
    size = y0.size
    ahead = jnp.where(s1 >= s0, 1.0, -1.0)

    def both(x):
        return jax.jacfwd(lambda x: (residual(x[:-1], x[-1]),) * 2, has_aux=True)(x)

    def tangent(x, before):
        slope, _ = both(x)
        direction = jnp.linalg.solve(jnp.vstack([slope, before]), jnp.zeros(size + 1).at[-1].set(1.0))
        return direction / jnp.linalg.norm(direction)

    def correct(guess, direction):
        def newton(state):
            x, _, count = state
            slope, value = both(x)
            system = jnp.vstack([slope, direction])
            change = jnp.linalg.solve(system, jnp.append(value, direction @ (x - guess)))
            return x - change, jnp.linalg.norm(change), count + 1

        def go_on(state):
            _, change, count = state
            return (change > CORRECTED) & (count < CORRECTIONS)

        return jax.lax.while_loop(go_on, newton, (guess, jnp.inf, 0))

    def advance(state):
        x, direction, step, s, y, count = state
        found, change, used = correct(x + step * direction, direction)
        good = (change <= CORRECTED) & jnp.all(jnp.isfinite(found))
        turned = tangent(found, direction)
        good = good & (turned @ direction > 0.9)
        x, direction = jnp.where(good, found, x), jnp.where(good, turned, direction)
        s = s.at[count].set(jnp.where(good, x[-1], s[count]))
        y = y.at[count].set(jnp.where(good, x[:-1], y[count]))
        longer = jnp.minimum(jnp.where(used <= 3, 1.5, 1.0) * step, LONGEST_STEP)
        return x, direction, jnp.where(good, longer, step / 2), s, y, count + good

    def go_on(state):
        x, _, step, _, _, count = state
        inside = (ahead * (s1 - x[-1]) >= 0) & (ahead * (x[-1] - s0) >= 0)
        return inside & (count < points) & (step > SHORTEST_STEP)

    x = jnp.append(y0, s0)
    direction = tangent(x, jnp.zeros(size + 1).at[-1].set(ahead))
    s, y = jnp.zeros(points).at[0].set(s0), jnp.zeros((points, size)).at[0].set(y0)
    _, _, step, s, y, count = jax.lax.while_loop(go_on, advance, (x, direction, FIRST_STEP, s, y, 1))
    return Walk(s, y, count, step <= SHORTEST_STEP)


# ---------------------------------------------------------------------------------------------------------------------
# From equilibrium to a setup.


class Approach(eqx.Module):
    r"""The way from equilibrium to a setup: reservoirs on a straight line, unknowns counted from equilibrium.

    The parameter s is the distance from equilibrium in units of its temperature, up to ``length``.
    """

    problem: Problem
    equilibrium: Reservoirs
    length: Float[Array, ""]
    scale: Float[Array, "unknowns"]

    @classmethod
    def to(cls, setup: Setup, mu, T, effort: Effort) -> "Approach":
        """From all reservoirs at ``mu`` and ``T``."""
        target = setup.reservoirs
        for probe in setup.probes:
            at = setup.device.index(probe.terminal)
            target = target.at(at, mu=mu if probe.floats_mu else None, T=T if probe.floats_T else None)
        level = Reservoirs(jnp.full_like(target.mu, mu), jnp.full_like(target.T, T))
        problem = posed(setup.device, target, setup.unknowns, effort)
        rough = dataclasses.replace(problem, reference=target, effort=setup.device.effort_of_iterations(effort))
        scale = rough.balances(*rough.evaluate(jnp.zeros(rough.size)))[2]
        change = jnp.stack([jnp.max(jnp.abs(target.mu - level.mu)), jnp.max(jnp.abs(target.T - level.T))])
        return cls(rough, level, jnp.max(change) / T, scale)

    def at(self, s) -> Problem:
        """The problem at a distance from equilibrium."""
        part = s / jnp.where(self.length > 0, self.length, 1.0)
        target, level = self.problem.reference, self.equilibrium
        reservoirs = Reservoirs(level.mu + part * (target.mu - level.mu), level.T + part * (target.T - level.T))
        return dataclasses.replace(self.problem, reference=reservoirs)

    def residual(self, y, s) -> Float[Array, "unknowns"]:
        problem = self.at(s)
        return problem.balances(*problem.evaluate(y))[0] / self.scale


# ---------------------------------------------------------------------------------------------------------------------
# All solutions of one setup.

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
        Eigenvalues of the derivative of the charge balance with respect to the potentials, probes following, for each
        solution [1/energy]; none without screening.
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
        """Whether every disturbance of the potentials dies away: all eigenvalues have negative real parts."""
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
    for unknown in setup.unknowns:
        if isinstance(unknown, Screening):
            return float(unknown.mu if mu is None else mu), float(unknown.T if T is None else T)
    given = [i for i, name in enumerate(setup.device.terminals) if name not in {p.terminal for p in setup.probes}]
    potentials, temperatures = (np.asarray(values)[given] for values in (setup.reservoirs.mu, setup.reservoirs.T))
    return float(potentials.mean() if mu is None else mu), float(temperatures.min() if T is None else T)


@eqx.filter_jit
def _approach(setup, mu, T, effort):
    return Approach.to(setup, mu, T, effort)


@eqx.filter_jit
def _walk(approach, stop, points):
    return walk(approach.residual, jnp.zeros(approach.problem.size), jnp.zeros(()), jnp.asarray(stop), points)


@eqx.filter_jit
def _refined(approach, guess, tolerance, effort):
    problem = dataclasses.replace(approach.at(approach.length), effort=effort)
    solution = problem.solve(guess)
    return solution, certified(problem, solution, tolerance)


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
    """Derivative of the charge balances with respect to the potentials [1/energy], the other unknowns following."""
    problem = approach.at(approach.length)
    slope = jax.jacfwd(lambda y: problem.balances(*problem.evaluate(y))[0])(y)
    screened, scales = [], []
    for unknown in problem.unknowns:
        is_screening = isinstance(unknown, Screening)
        screened += [is_screening] * unknown.size
        scales += [unknown.T if is_screening else 1.0] * unknown.size
    regions, others = (np.flatnonzero(np.array(screened) == wanted) for wanted in (True, False))
    slope = slope / jnp.array(scales)
    own = slope[jnp.ix_(regions, regions)]
    if not len(others):
        return own
    through = jnp.linalg.solve(slope[jnp.ix_(others, others)], slope[jnp.ix_(others, regions)])
    return own - slope[jnp.ix_(regions, others)] @ through
