"""What experiments share: the setup they are done to, and what every one reads off a solved state.

An experiment is a pure function from a setup to labelled arrays; it may solve several states or optimise inside. Each
says which variables it returns, with dimensions and units, and refuses (``prepare``) a setup that lacks what it needs.
"""

import abc
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PyTree

from mesotherm.device import AbstractDevice, Assumption, Effort, Reservoirs, positions_of, potentials_of
from mesotherm.fields import Component, parameter
from mesotherm.observables import OBSERVABLES, Variable, bounded
from mesotherm.results import Outcome
from mesotherm.steady_state import DEFAULT_TOLERANCE, SteadyState, in_turn, steady_state
from mesotherm.thermodynamics import LAWS, audit, violation
from mesotherm.unknowns import AbstractProbe, AbstractUnknown, probes

STATE_OBSERVABLES = (
    "particle_current",
    "energy_current",
    "heat_current",
    "power",
    "load_power",
    "entropy_production",
    "reservoir_entropy_change",
    "probe_mu",
    "probe_temperature",
    "potential",
    "charge",
    "position",
    "force",
)
"""What every experiment reads off each state it reports; what is of probes, regions or moving parts, where there are
any."""


STATUS = Variable("outcome of the computation", "status", "1", flags=Outcome)


class Setup(eqx.Module):
    """A device, its reservoirs, and what floats: the thing an experiment is done to."""

    device: AbstractDevice
    reservoirs: Reservoirs
    unknowns: tuple[AbstractUnknown, ...] = ()
    tolerance: Float[Array, ""] = parameter(
        "largest error bound, relative to the one-way flux", unit="1", low=0.0, open_low=True, default=DEFAULT_TOLERANCE
    )

    @property
    def first_effort(self) -> Effort:
        """Where a sweep begins: as the device says, but where one of several solutions is wanted, with the rung that
        follows the way from equilibrium."""
        several = any(unknown.several_solutions for unknown in self.unknowns)
        return Effort.STUBBORN if several else self.device.first_effort

    def solve(self, effort: Effort, direction: Reservoirs | None = None) -> SteadyState:
        """The steady state, with its outcome stored, never raised; with the slope of its currents along a direction."""
        return steady_state(
            self.device,
            self.reservoirs,
            self.unknowns,
            effort=effort,
            tolerance=self.tolerance,
            direction=direction,
            throw=False,
        )

    def solve_each(self, reservoirs: Reservoirs, effort: Effort, reading: Callable[[SteadyState], PyTree]) -> PyTree:
        """What is read off the steady states between several sets of reservoirs, one after the other (their leading
        axis, and that of the result)."""
        return in_turn(self.device, reservoirs, self.unknowns, effort, self.tolerance, reading)

    def without_spectators(self) -> "Setup":
        """The same setup without the unknowns that disturb nothing: cheaper where only the others matter."""
        device = self.device
        for unknown in self.unknowns:
            if unknown.spectator:
                device = unknown.prepared(device)
        acting = tuple(unknown for unknown in self.unknowns if not unknown.spectator)
        return Setup(device, self.reservoirs, acting, self.tolerance)

    @property
    def probes(self) -> tuple[AbstractProbe, ...]:
        """The terminals that float."""
        return probes(self.unknowns)

    def with_reservoir(self, terminal: str, *, mu=None, T=None) -> "Setup":
        """The same setup with one reservoir's mu and/or T replaced."""
        reservoirs = self.reservoirs.at(self.device.index(terminal), mu=mu, T=T)
        return eqx.tree_at(lambda setup: setup.reservoirs, self, reservoirs)


class AbstractExperiment(Component):
    """One experiment. ``measure`` is pure and batchable; ``variables`` describes what it returns.

    Attributes
    ----------
    assumptions
        What it assumes beyond the device's theory, by name; ``measure`` appends their values.
    """

    assumptions: ClassVar[Mapping[str, Assumption]] = {}

    @abc.abstractmethod
    def prepare(self, setup: Setup) -> Setup:
        """The setup with whatever the experiment adds to it.

        Errors: ``ValueError`` with one clear message if the experiment cannot be done to this setup.
        """

    @property
    def sets(self) -> tuple[str, ...]:
        """Paths of parameters that play no part because the experiment sets them itself; none by default."""
        return ()

    @abc.abstractmethod
    def variables(self, setup: Setup) -> dict[str, Variable]:
        """Description of every array ``measure`` returns for a prepared setup, and of ``coordinates``."""

    def shares_work(self, setup: Setup) -> bool:
        """Whether points that are computed together share most of their work, so that even few are batched."""
        return False

    def first_effort(self, setup: Setup) -> Effort:
        """Where a sweep begins; by default as the setup says."""
        return setup.first_effort

    def laws(self, setup: Setup) -> tuple[str, ...]:
        """Names along the dimension ``law``: those of every state, then the further ones."""
        return (*LAWS, *self.further_laws(setup))

    def further_laws(self, setup: Setup) -> tuple[str, ...]:
        """Names of the further laws that it holds what it finds against; ``measure`` appends them to those of every
        state."""
        return ()

    def coordinates(self, setup: Setup) -> dict[str, np.ndarray]:
        """Values along each dimension that is this experiment's own (numbers or names); none by default. What they mean
        stands in ``variables``, under the name of the dimension."""
        return {}

    @abc.abstractmethod
    def measure(self, setup: Setup, effort: Effort) -> dict[str, Float[Array, "..."]]:
        """Do it to a prepared setup. The result always has ``status``; ``error_X`` bounds ``X`` where it exists."""


def read(state: SteadyState) -> dict[str, Float[Array, "..."]]:
    """The standard observables of a state with their bounds, its status and its audit (residual over allowed)."""
    out = {"status": state.outcome, **judged(state)}
    names = state_observables(state.device, state.unknowns)
    for name, (value, error) in zip(names, bounded(state, [OBSERVABLES[name] for name in names]), strict=True):
        out |= {name: value, f"error_{name}": error}
    return out


def judged(state: SteadyState) -> dict[str, Float[Array, "..."]]:
    """How a state stands against the laws, and against what its theory assumes."""
    laws = {"law_violation": audit(state).violation}
    if not state.device.assumptions:
        return laws
    return laws | {"assumption_value": state.device.assumption_values(state.reservoirs)}


def judged_further(
    out: dict[str, Array], laws: Sequence[tuple[Array, Array]], assumptions: Sequence[Array] = ()
) -> dict[str, Array]:
    """What ``read`` returned, with (residual, allowed) of further laws and values of further assumptions appended."""
    further = jnp.stack([violation(*one) for one in laws])
    out = out | {"law_violation": jnp.concatenate([out["law_violation"], further])}
    if not assumptions:
        return out
    before = [out["assumption_value"]] if "assumption_value" in out else []
    return out | {"assumption_value": jnp.concatenate([*before, jnp.stack(assumptions)])}


def judged_variables(setup: Setup) -> dict[str, Variable]:
    """Descriptions of what ``judged`` returns."""
    return LAW_VIOLATION | ASSUMPTION_VALUE if setup.device.assumptions else LAW_VIOLATION


LAW_VIOLATION = {
    "law_violation": Variable("residual of each law over what is allowed; above 1 a law is broken", "", "1", ("law",))
}
"""Description of how what is found stands against the laws."""

ASSUMPTION_VALUE = {"assumption_value": Variable("what each assumption needs small", "", "1", ("assumption",))}
"""Description of the values of assumptions, where there are any."""


def state_observables(device: AbstractDevice, unknowns: Sequence[AbstractUnknown]) -> tuple[str, ...]:
    """Names of the observables ``read`` returns; those of probes, regions and loads only where there are any."""
    there = {
        "probe": bool(probes(unknowns)),
        "coordinate": bool(potentials_of(device)),
        "moving_part": bool(positions_of(device)),
    }
    return tuple(
        name
        for name in STATE_OBSERVABLES
        if (name != "load_power" or device.has_load)
        and all(there.get(dimension, True) for dimension in OBSERVABLES[name].variable.dimensions)
    )


def state_variables(setup: Setup) -> dict[str, Variable]:
    """Descriptions of what ``read`` returns."""
    described = {name: OBSERVABLES[name].variable for name in state_observables(setup.device, setup.unknowns)}
    return {
        **described,
        "status": STATUS,
        **judged_variables(setup),
    }
