"""The laws every solved state must obey: one table that summaries, reports and datasets read.

Each law gives a residual and what is allowed: the state's own error bounds plus a rounding allowance relative to the
one-way flux. A law holds where residual ≤ allowed; nothing is clipped or averaged.
"""

import dataclasses
from collections.abc import Callable

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from mesotherm.device import Answer, Effort
from mesotherm.observables import entropy_production, heat_current, power
from mesotherm.regimes import has_quantum_power_bound, quantum_power_bound
from mesotherm.steady_state import SteadyState
from mesotherm.unknowns import AbstractProbe

ROUNDING_ALLOWANCE = 1e-12
"""Fraction of the largest one-way flux by which a conservation law may be missed through rounding."""

RESPONSE_ALLOWANCE = 1e-9
"""The same for entries of a response matrix in units of its diagonal: derivatives lose digits."""


@dataclasses.dataclass(frozen=True)
class Law:
    """A law: its sentence, the unit of its residual, and the function state → (residual, allowed), or (value, bound on
    its error) → (residual, allowed) where more than a state must be known."""

    sentence: str
    unit: str
    function: Callable[..., tuple[Float[Array, ""], Float[Array, ""]]]


LAWS: dict[str, Law] = {}
"""Every law of a solved state by name, in the order of the table."""

FURTHER_LAWS: dict[str, Law] = {}
"""Laws of what some experiments find out about a state; they come after those of all states in their tables."""


def law(sentence: str, unit: str, table: dict[str, Law] = LAWS):
    """Declare a law; the function's name is its name in tables."""

    def declare(function):
        table[function.__name__] = Law(sentence, unit, function)
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
        return violation(self.residual, self.allowed)

    def rows(self) -> list[tuple[str, str, float, float, bool]]:
        """(law, sentence, residual, allowed, holds) of one state, for printing."""
        columns = zip(self.laws, self.residual.tolist(), self.allowed.tolist(), self.holds.tolist(), strict=True)
        return [(name, LAWS[name].sentence, *numbers) for name, *numbers in columns]


def violation(residual: Float[Array, "..."], allowed: Float[Array, "..."]) -> Float[Array, "..."]:
    """Residual over allowed, zero where both are."""
    return jnp.where(residual == 0, 0.0, residual / allowed)


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
    missing, allowed = jnp.asarray(missing), jnp.asarray(allowed)
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
    return jnp.maximum(-entropy_production(state), 0.0), _allowed_entropy(state)


def _allowed_entropy(state):
    # the bound of entropy_production.error, written out: every state is audited, and this compiles sooner
    T = jnp.abs(state.reservoirs.T)
    error = jnp.sum(state.error.energy / T + jnp.abs(heat_current(state)) * state.reservoirs_error.T / T**2)
    return error + ROUNDING_ALLOWANCE * jnp.max(state.one_way.energy) / jnp.min(T)


@law("power produced is at most Carnot's share of the heat taken in", "energy^2/hbar")
def carnot_bound(state):
    """Σ J ≤ Σ (1 − T_min/T) J⁺, J⁺ being the heat of the terminals that give some, T_min the coldest that does not
    float: by both laws.

    Source: Benenti, Casati, Saito & Whitney, Phys. Rep. 694, 1 (2017), Sec. 2.
    """
    T, heat = state.reservoirs.T, heat_current(state)
    floating = [state.device.index(probe.terminal) for probe in state.probes if probe.floats_T]
    coldest = jnp.min(T[np.setdiff1d(np.arange(len(T)), floating)])
    beyond = jnp.sum(jnp.where(heat > 0, coldest / T, 1.0) * heat)
    return jnp.maximum(beyond, 0.0), 2 * jnp.max(jnp.abs(T)) * _allowed_entropy(state)


@law("power of a coherent conductor is at most that of as many open channels", "energy^2/hbar")
def power_of_open_channels(state):
    """Of two terminals only; not a statement about others.

    Source: Whitney, Phys. Rev. Lett. 112, 130601 (2014), Eq. 6.
    """
    if not has_quantum_power_bound(state.device):
        return jnp.zeros(()), jnp.zeros(())
    direct = jnp.sum(jnp.abs(state.reservoirs.mu) * state.error.particle)
    missing = power(state) - quantum_power_bound(state)
    return jnp.maximum(missing, 0.0), direct + ROUNDING_ALLOWANCE * _heat_flux(state)


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


@law("charges of screened regions and forces on moving parts are in balance", "1")
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


@law("noise times entropy production is at least twice the squared current", "k_B", FURTHER_LAWS)
def uncertainty_relation(product, error):
    """S Σ̇/I² ≥ 2 for the particle currents of a Markov process; where a current vanishes nothing is claimed.

    Source: Barato & Seifert, Phys. Rev. Lett. 114, 158101 (2015).
    """
    known = jnp.isfinite(product) & jnp.isfinite(error)
    missing = jnp.where(known, jnp.maximum(2.0 - product, 0.0), 0.0)
    return _worst(missing, jnp.where(known, error, 0.0) + ROUNDING_ALLOWANCE)


@law("the linear response is reciprocal, L(B) = L(-B) transposed", "1", FURTHER_LAWS)
def reciprocity(asymmetry, error):
    """Of Onsager and Casimir, every entry in units of those on the diagonal.

    Source: Onsager, Phys. Rev. 37, 405 (1931); Casimir, Rev. Mod. Phys. 17, 343 (1945).
    """
    return _worst(asymmetry.ravel(), error.ravel() + RESPONSE_ALLOWANCE)


@law("the linear response produces no negative entropy", "1", FURTHER_LAWS)
def positive_response(smallest, error):
    """Smallest eigenvalue of the symmetric part, every current in units of its own response.

    Source: Benenti, Casati, Saito & Whitney, Phys. Rep. 694, 1 (2017), Sec. 2.
    """
    return jnp.maximum(-smallest, 0.0), error + RESPONSE_ALLOWANCE


@law("forces times fluxes sum to the entropy production", "energy/hbar", FURTHER_LAWS)
def force_flux_identity(state, pairs):
    """In the representation of given pairs: tests conservation and the balance of what floats together.

    Source: Ghosh & Ghosh, arXiv:2603.06336 (2026), Eqs. 27–31.
    """
    mu, T = jnp.abs(state.reservoirs.mu), jnp.abs(state.reservoirs.T)
    coldest = jnp.min(T)
    bounds = jnp.sum(state.error.energy + (mu + jnp.max(mu)) * state.error.particle) * 2 / coldest
    missing = jnp.abs(pairs.entropy_production - entropy_production(state))
    return missing, bounds + ROUNDING_ALLOWANCE * _heat_flux(state) / coldest


@law("energy of the motion changes by work and dissipation", "1", FURTHER_LAWS)
def energy_of_motion(audit, allowed):
    """Of a mechanical mode: what is missing, over the largest of all terms.

    Source: Mehring, Bustos-Marún & Calvo, PRB 109, 085418 (2024), Eqs. 24 and 25.
    """
    return jnp.max(jnp.abs(audit)), allowed


@law("a part that jumps loses effective potential", "energy", FURTHER_LAWS)
def downhill_jumps(lost, scale):
    """The potential that each jump of an infinitely slow part loses [jumps], zero where there is none, and the size of
    its terms.

    Source: Mehring, Bustos-Marún & Calvo, PRB 109, 085418 (2024), Eq. 28.
    """
    return jnp.maximum(-jnp.min(lost), 0.0), ROUNDING_ALLOWANCE * scale
