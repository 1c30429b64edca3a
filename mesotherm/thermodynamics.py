"""The laws every solved state must obey: one table that summaries, reports and datasets read.

Each law gives a residual and what is allowed: the state's own error bounds plus a rounding allowance relative to the
one-way flux. A law holds where residual ≤ allowed; nothing is clipped or averaged.
"""

import dataclasses
from collections.abc import Callable

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from mesotherm.device import Answer, Effort
from mesotherm.observables import entropy_production, heat_current
from mesotherm.steady_state import SteadyState
from mesotherm.unknowns import AbstractProbe

ROUNDING_ALLOWANCE = 1e-12
"""Fraction of the largest one-way flux by which a conservation law may be missed through rounding."""


@dataclasses.dataclass(frozen=True)
class Law:
    """A law: its sentence, the unit of its residual, and the function state → (residual, allowed)."""

    sentence: str
    unit: str
    function: Callable[[SteadyState], tuple[Float[Array, ""], Float[Array, ""]]]


LAWS: dict[str, Law] = {}
"""Every law by name, in the order of the table."""


def law(sentence: str, unit: str):
    """Declare a law; the function's name is its name in tables."""

    def declare(function):
        LAWS[function.__name__] = Law(sentence, unit, function)
        return function

    return declare


class Audit(eqx.Module):
    """The table of laws of one state (or of many, with a trailing ``law`` dimension)."""

    residual: Float[Array, "... laws"]
    allowed: Float[Array, "... laws"]
    laws: tuple[str, ...] = eqx.field(static=True)

    @property
    def holds(self) -> Bool[Array, "... laws"]:
        """Whether each law holds; false where the state is not finite."""
        return self.residual <= self.allowed

    @property
    def violation(self) -> Float[Array, "... laws"]:
        """Residual as a fraction of what is allowed: a law is broken above 1. Zero where both are zero."""
        return jnp.where(self.residual == 0, 0.0, self.residual / self.allowed)

    def rows(self) -> list[tuple[str, str, float, float, bool]]:
        """(law, sentence, residual, allowed, holds) of one state, for printing."""
        columns = zip(self.laws, self.residual.tolist(), self.allowed.tolist(), self.holds.tolist(), strict=True)
        return [(name, LAWS[name].sentence, *numbers) for name, *numbers in columns]


def audit(state: SteadyState) -> Audit:
    """Check a solved state against every law."""
    checked = [entry.function(state) for entry in LAWS.values()]
    residual, allowed = (jnp.stack(column) for column in zip(*checked, strict=True))
    return Audit(residual, allowed, tuple(LAWS))


def _flux(state):
    return jnp.max(state.one_way.particle)


def _heat_flux(state):
    """One-way heat flux, and the one-way energy flux counted from the zero of energy."""
    return jnp.max(state.one_way.energy) + jnp.max(jnp.abs(state.reservoirs.mu)) * _flux(state)


@law("particle currents sum to zero in every conductor", "energy/hbar")
def particle_conservation(state):
    missing = [jnp.abs(jnp.sum(state.currents.particle[_members(state, c)])) for c in state.device.conductors]
    bounds = [jnp.sum(state.error.particle[_members(state, c)]) for c in state.device.conductors]
    return _worst(missing, [bound + ROUNDING_ALLOWANCE * _flux(state) for bound in bounds])


def _worst(missing, allowed):
    """The pair with the largest residual over allowed."""
    missing, allowed = jnp.stack(missing), jnp.stack(allowed)
    worst = jnp.argmax(jnp.where(missing == 0, 0.0, missing / allowed))
    return missing[worst], allowed[worst]


def _members(state, conductor):
    return jnp.array([state.device.index(name) for name in conductor])


@law("energy currents sum to zero", "energy^2/hbar")
def energy_conservation(state):
    bounds = state.error.energy + jnp.abs(state.reservoirs.mu) * state.error.particle
    allowed = jnp.sum(bounds) + ROUNDING_ALLOWANCE * _heat_flux(state)
    return jnp.abs(jnp.sum(state.currents.energy)), allowed


@law("entropy production is not negative", "energy/hbar")
def second_law(state):
    T = state.reservoirs.T
    scale = jnp.max(state.one_way.energy) / jnp.min(jnp.abs(T))
    # the bound of entropy_production.error, written out: every state is audited, and this compiles sooner
    error = jnp.sum(state.error.energy / jnp.abs(T) + jnp.abs(heat_current(state)) * state.reservoirs_error.T / T**2)
    return jnp.maximum(-entropy_production(state), 0.0), error + ROUNDING_ALLOWANCE * scale


@law("floating terminals exchange nothing they must not", "energy/hbar")
def balance_of_floating_terminals(state):
    if not state.probes:
        return jnp.zeros(()), jnp.zeros(())
    missing, allowed = [], []
    heat = heat_current(state)
    for unknown in state.probes:
        i = state.device.index(unknown.terminal)
        T = jnp.abs(state.reservoirs.T[i])
        if unknown.floats_mu:
            missing.append(jnp.abs(state.currents.particle[i]))
            allowed.append(state.error.particle[i] + ROUNDING_ALLOWANCE * _flux(state))
        if unknown.floats_T:
            missing.append(jnp.abs(heat[i]) / T)
            allowed.append((state.error.energy[i] + ROUNDING_ALLOWANCE * _heat_flux(state)) / T)
    return _worst(missing, allowed)


@law("charges of screened regions are those their potentials ask for", "1")
def charge_balance(state):
    missing, allowed = [jnp.zeros(())], [jnp.zeros(())]
    answer = Answer(state.currents, state.error, state.one_way)
    for unknown in state.unknowns:
        if not isinstance(unknown, AbstractProbe):
            balance, error, scale = unknown.balance(state.device, state.reservoirs, answer, Effort.STRICT)
            missing += list(jnp.abs(balance))
            allowed += list(error + ROUNDING_ALLOWANCE * scale)
    return _worst(missing, allowed)


@law("error bounds of particle and heat currents are within the tolerance", "energy/hbar")
def error_bound(state):
    return _worst(
        [jnp.max(state.error.particle), jnp.max(state.error.energy) / _heat_scale(state)],
        [state.tolerance * _flux(state), state.tolerance * jnp.max(state.one_way.energy) / _heat_scale(state)],
    )


def _heat_scale(state):
    """Temperature by which a heat current is divided to stand beside particle currents."""
    return jnp.max(jnp.abs(state.reservoirs.T))
