"""All unknowns of a setup as one root problem, and the straight way to it from equilibrium."""

import dataclasses
from collections.abc import Sequence
from typing import Self

import equinox as eqx
import jax
import jax.numpy as jnp
import optimistix as optx
from jaxtyping import Array, Bool, Float

from mesotherm.arclength import walk
from mesotherm.device import AbstractDevice, Answer, Effort, Reservoirs
from mesotherm.unknowns import AbstractUnknown, probes

NEWTON_TOLERANCE = 1e-5
"""The root search stops when its last step was this small (in the unknowns' own scale). The step after it, about the
square, is taken together with the certificate, from the same evaluation; what that leaves is its square again."""

LONGEST_WAY = 25.0
"""Of a curve from equilibrium: with steps of at most 0.25 it takes half the points of a curve if it is straight."""

NEWTON_STEPS, DOGLEG_STEPS, CURVE_POINTS = 12, 200, 200
"""Most steps of either solver, and most points of a curve. Only a stubborn solve takes dogleg steps, from the first
guess where Newton failed and to confirm where it did not; or it walks the curve from equilibrium where there is one."""


class Problem(eqx.Module):
    """The root problem: coordinates y of all unknowns, counted from the reference, in; scaled balances out."""

    device: AbstractDevice
    reference: Reservoirs
    unknowns: tuple[AbstractUnknown, ...]
    effort: Effort = eqx.field(static=True)

    @property
    def size(self) -> int:
        """How many numbers are solved for."""
        return sum(unknown.size for unknown in self.unknowns)

    def impose(self, y) -> tuple[AbstractDevice, Reservoirs]:
        device, reservoirs, start = self.device, self.reference, 0
        for unknown in self.unknowns:
            device, reservoirs = unknown.impose(y[start : start + unknown.size], device, reservoirs)
            start += unknown.size
        return device, reservoirs

    def evaluate(self, y) -> tuple[AbstractDevice, Reservoirs, Answer]:
        device, reservoirs = self.impose(y)
        return device, reservoirs, device.response(reservoirs, self.effort)

    def balances(self, device, reservoirs, answer):
        """Balance, error bound and one-way flux of every unknown."""
        if not self.unknowns:
            return (jnp.zeros(0),) * 3
        rows = [unknown.balance(device, reservoirs, answer, self.effort) for unknown in self.unknowns]
        return tuple(jnp.concatenate(column) for column in zip(*rows, strict=True))

    def moved(self, direction: Reservoirs, distance: Float[Array, ""]) -> "Problem":
        """The same with its reservoirs moved along a direction."""
        at = self.reference
        there = Reservoirs(at.mu + distance * direction.mu, at.T + distance * direction.T)
        return dataclasses.replace(self, reference=there)

    @property
    def for_iterations(self) -> "Problem":
        """The same with as much effort as approaching a solution needs."""
        return dataclasses.replace(self, effort=self.device.effort_of_iterations(self.effort))

    def near(self, y0: Float[Array, "unknowns"], *, stubborn: bool = False) -> Float[Array, "unknowns"]:
        """Where the balances vanish, searched by Newton steps from y0, and by dogleg steps if ``stubborn``."""
        approach = self.for_iterations
        found, converged = newton(approach, y0)
        if not stubborn:
            return found
        start = jnp.where(converged, found, y0)
        fixed = jax.lax.stop_gradient(approach.balances(*approach.evaluate(y0))[2])

        def comparable(y, problem):
            return problem.balances(*problem.evaluate(y))[0] / fixed

        dogleg = optx.Dogleg(rtol=NEWTON_TOLERANCE, atol=NEWTON_TOLERANCE)
        return optx.root_find(comparable, dogleg, start, args=approach, max_steps=DOGLEG_STEPS, throw=False).value


@eqx.filter_custom_jvp
def newton(problem: Problem, y0: Float[Array, "unknowns"]) -> tuple[Float[Array, "unknowns"], Bool[Array, ""]]:
    """Newton steps from y0, and whether they ended. Differentiable in the problem, by the implicit function theorem.

    Written out because a library's loop traces a device's answer twice.
    """

    def step(state):
        y, _, count = state
        slope, value = jax.jacfwd(lambda y: (_scaled(y, problem),) * 2, has_aux=True)(y)
        change = jnp.linalg.solve(slope, value)
        y = y - change
        small = jnp.maximum(jnp.abs(value), jnp.abs(change) / (1 + jnp.abs(y))) < NEWTON_TOLERANCE
        return y, jnp.all(small), count + 1

    def go_on(state):
        y, ended, count = state
        return ~ended & (count < NEWTON_STEPS) & jnp.all(jnp.isfinite(y))

    y, ended, _ = jax.lax.while_loop(go_on, step, (y0, jnp.array(False), 0))
    return y, ended


@newton.def_jvp
def _moved_root(primals, tangents):
    y, ended = newton(*primals)
    problem, _ = primals
    slope = jax.jacfwd(_scaled)(y, problem)
    _, moved = eqx.filter_jvp(lambda problem: _scaled(y, problem), (problem,), tangents[:1])
    return (y, ended), (-jnp.linalg.solve(slope, moved), None)


def _scaled(y, problem):
    """Balances over their one-way fluxes."""
    balance, _, scale = problem.balances(*problem.evaluate(y))
    return balance / jax.lax.stop_gradient(scale)


def posed(
    device: AbstractDevice, reservoirs: Reservoirs, unknowns: Sequence[AbstractUnknown], effort: Effort
) -> Problem:
    """The problem of one setup, counted from its equilibrium if it has one."""
    device = prepared(device, unknowns)
    resting = at_rest(device, unknowns)
    if resting is not None:
        there, level = resting
        answer = there.response(level, effort)
        unknowns = counted_from(unknowns, (answer.value.conjugate, answer.error.conjugate))
    return referred(device, reservoirs, unknowns, effort)


def prepared(device: AbstractDevice, unknowns: Sequence[AbstractUnknown]) -> AbstractDevice:
    """The device as its unknowns need it."""
    for unknown in unknowns:
        device = unknown.prepared(device)
    return device


def at_rest(device: AbstractDevice, unknowns: Sequence[AbstractUnknown]) -> tuple[AbstractDevice, Reservoirs] | None:
    """Device and reservoirs in the equilibrium that unknowns are counted from, if they are."""
    equilibrium = equilibrium_of(unknowns)
    if equilibrium is None:
        return None
    for unknown in unknowns:
        device = unknown.at_rest(device)
    return device, Reservoirs(*(jnp.full(len(device.terminals), value) for value in equilibrium))


def counted_from(unknowns: Sequence[AbstractUnknown], charge) -> tuple[AbstractUnknown, ...]:
    """Unknowns that know the conjugate quantities of their equilibrium, and their bounds."""
    return tuple(unknown.counted_from(charge) for unknown in unknowns)


def referred(
    device: AbstractDevice, reservoirs: Reservoirs, unknowns: Sequence[AbstractUnknown], effort: Effort
) -> Problem:
    """The problem of a prepared device and unknowns, with its first guess."""
    floating = tuple(probe.terminal for probe in probes(unknowns))
    for unknown in unknowns:
        reservoirs = unknown.reference(device, reservoirs, floating)
    return Problem(device, reservoirs, tuple(unknowns), effort)


def solved(problem: Problem, resting: Bool[Array, ""] | None = None) -> tuple[Problem, Float[Array, "unknowns"]]:
    """The problem, and its solution: the one reached from equilibrium if the problem has one (stubborn effort); the
    reference itself, without a search, where it is at rest."""
    stubborn, there = problem.effort is Effort.STUBBORN, jnp.zeros(problem.size)
    equilibrium = equilibrium_of(problem.unknowns)
    if stubborn and equilibrium is not None:
        way = Approach.to(problem, *equilibrium)
        problem = way.at(way.length)

        def search():
            return problem.near(way.first_crossing())
    else:

        def search():
            return problem.near(there, stubborn=stubborn)

    return problem, search() if resting is None else jax.lax.cond(resting, lambda: there, search)


def equilibrium_of(unknowns: Sequence[AbstractUnknown]) -> tuple[Float[Array, ""], Float[Array, ""]] | None:
    """μ and T of the equilibrium that unknowns are counted from, if they are."""
    return next((unknown.equilibrium for unknown in unknowns if unknown.equilibrium is not None), None)


class Approach(eqx.Module):
    r"""The way from equilibrium to a problem: reservoirs on a straight line, unknowns counted from equilibrium.

    The parameter s is the distance from equilibrium in units of its temperature, up to ``length``; in larger units
    where that would be more than ``LONGEST_WAY``.

    Attributes
    ----------
    problem
        The problem at the end of the way.
    equilibrium
        Reservoirs at its start.
    scale
        One-way fluxes behind the balances.
    """

    problem: Problem
    equilibrium: Reservoirs
    length: Float[Array, ""]
    scale: Float[Array, "unknowns"]

    @classmethod
    def to(cls, problem: Problem, mu, T) -> Self:
        """From all reservoirs at ``mu`` and ``T``; what floats stays there until its balance moves it."""
        target = problem.reference
        for probe in probes(problem.unknowns):
            at = problem.device.index(probe.terminal)
            target = target.at(at, mu=mu if probe.floats_mu else None, T=T if probe.floats_T else None)
        level = Reservoirs(jnp.full_like(target.mu, mu), jnp.full_like(target.T, T))
        problem = dataclasses.replace(problem, reference=target)
        rough = problem.for_iterations
        scale = jax.lax.stop_gradient(rough.balances(*rough.evaluate(jnp.zeros(rough.size)))[2])
        change = jnp.stack([jnp.max(jnp.abs(target.mu - level.mu)), jnp.max(jnp.abs(target.T - level.T))])
        apart = [unknown.distance for unknown in problem.unknowns]
        length = jnp.max(jnp.stack([*change, *apart])) / T
        return cls(problem, level, jnp.minimum(length, LONGEST_WAY), scale)

    def at(self, s) -> Problem:
        """The problem at a distance from equilibrium."""
        part = s / jnp.where(self.length > 0, self.length, 1.0)
        target, level = self.problem.reference, self.equilibrium
        reservoirs = Reservoirs(level.mu + part * (target.mu - level.mu), level.T + part * (target.T - level.T))
        unknowns = tuple(unknown.approached(part) for unknown in self.problem.unknowns)
        return dataclasses.replace(self.problem, reference=reservoirs, unknowns=unknowns)

    def residual(self, y, s) -> Float[Array, "unknowns"]:
        problem = self.at(s).for_iterations
        return problem.balances(*problem.evaluate(y))[0] / self.scale

    def first_crossing(self) -> Float[Array, "unknowns"]:
        """A guess of the solution at the end: where the curve from equilibrium first gets there, between two of its
        points; the last of them if it does not."""
        fixed = jax.lax.stop_gradient(self)
        curve = walk(fixed.residual, jnp.zeros(self.problem.size), jnp.zeros(()), fixed.length, CURVE_POINTS)
        before, after = jnp.maximum(curve.count - 2, 0), curve.count - 1
        run = curve.s[after] - curve.s[before]
        part = jnp.where(run > 0, (fixed.length - curve.s[before]) / jnp.where(run > 0, run, 1.0), 0.0)
        return curve.y[before] + jnp.clip(part, 0.0, 1.0) * (curve.y[after] - curve.y[before])
