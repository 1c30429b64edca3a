"""Experiments: what one does to a device, as pure functions from a setup to labelled arrays.

An experiment may solve several states or optimise inside. Each says which variables it returns, with dimensions and
units, and checks at construction time (``check``) that the device has what it needs.
"""

import abc

import equinox as eqx
import jax
import jax.numpy as jnp
import optimistix as optx
from jaxtyping import Array, Float

from mesotherm.device import AbstractDevice, Component, Effort, Reservoirs, parameter
from mesotherm.observables import OBSERVABLES, Observable, Variable, heat_current, power
from mesotherm.results import Outcome
from mesotherm.steady_state import DEFAULT_TOLERANCE, SteadyState, steady_state
from mesotherm.thermodynamics import audit
from mesotherm.unknowns import AbstractUnknown, VanishingProbe, check_unknowns

STATE_OBSERVABLES = (
    "particle_current",
    "energy_current",
    "heat_current",
    "power",
    "entropy_production",
    "probe_mu",
    "probe_temperature",
)
"""What every experiment reads off each state it reports."""


class Setup(eqx.Module):
    """A device, its reservoirs, and what floats: the thing an experiment is done to."""

    device: AbstractDevice
    reservoirs: Reservoirs
    unknowns: tuple[AbstractUnknown, ...] = ()
    tolerance: Float[Array, ""] = parameter(
        "largest error bound, relative to the one-way flux", unit="1", low=0.0, open_low=True, default=DEFAULT_TOLERANCE
    )

    def solve(self, effort: Effort, unknowns: tuple[AbstractUnknown, ...] | None = None) -> SteadyState:
        """The steady state, with its outcome stored, never raised."""
        chosen = self.unknowns if unknowns is None else unknowns
        return steady_state(self.device, self.reservoirs, chosen, effort=effort, tolerance=self.tolerance, throw=False)

    def with_reservoir(self, terminal: str, *, mu=None, T=None) -> "Setup":
        """The same setup with one reservoir's mu and/or T replaced."""
        reservoirs = self.reservoirs.at(self.device.index(terminal), mu=mu, T=T)
        return eqx.tree_at(lambda setup: setup.reservoirs, self, reservoirs)


class AbstractExperiment(Component):
    """One experiment. ``measure`` is pure and batchable; ``variables`` describes what it returns."""

    @abc.abstractmethod
    def check(self, setup: Setup) -> None:
        """Raise ``ValueError`` with one clear message if the experiment cannot be done to this setup."""

    @abc.abstractmethod
    def prepare(self, setup: Setup) -> Setup:
        """The setup with whatever the experiment adds to it, for a setup that passed ``check``."""

    @abc.abstractmethod
    def variables(self, setup: Setup) -> dict[str, Variable]:
        """Description of every array ``measure`` returns for a prepared setup."""

    @abc.abstractmethod
    def measure(self, setup: Setup, effort: Effort) -> dict[str, Float[Array, "..."]]:
        """Do it to a prepared setup. The result always has ``status``; ``error_X`` bounds ``X`` where it exists."""


def read(state: SteadyState) -> dict[str, Float[Array, "..."]]:
    """The standard observables of a state with their bounds, its status and its audit (residual over allowed)."""
    out = {"status": state.outcome, "law_violation": audit(state).violation}
    for name in state_observables(state.unknowns):
        out[name] = OBSERVABLES[name](state)
        out[f"error_{name}"] = OBSERVABLES[name].error(state)
    return out


def state_observables(unknowns) -> tuple[str, ...]:
    """Names of the observables ``read`` returns; those of probes only where something floats."""
    return tuple(name for name in STATE_OBSERVABLES if unknowns or not name.startswith("probe_"))


def state_variables(setup: Setup) -> dict[str, Variable]:
    """Descriptions of what ``read`` returns."""
    described = {name: OBSERVABLES[name].variable for name in state_observables(setup.unknowns)}
    return {
        **described,
        "status": Variable("outcome of the computation", "status", "1"),
        "law_violation": Variable(
            "residual of each law over what is allowed; above 1 a law is broken", "", "1", ("law",)
        ),
    }


class SteadyStateExperiment(AbstractExperiment):
    """Solve for the steady state and read every standard observable."""

    def check(self, setup):
        check_unknowns(setup.device, setup.unknowns)

    def prepare(self, setup):
        return setup

    def variables(self, setup):
        return state_variables(setup)

    def measure(self, setup, effort):
        return read(setup.solve(effort))


class DiodeTest(AbstractExperiment):
    r"""Heat one terminal, then the other, and compare.

    Forward: ``hot`` at T + ΔT. Backward: ``cold`` at T + ΔT. Rectification, of the currents of terminal ``hot``:

    .. math:: \mathcal R_X = \frac{X^F + X^B}{|X^F| + |X^B|}

    It is NaN where both currents vanish within their bounds: the ratio is then not defined.

    Source: Balduque & Sánchez, PRL 134, 186301 (2025), Eq. 2.
    """

    delta_temperature: Float[Array, ""] = parameter("temperature difference ΔT", default=1.0, low=0.0, open_low=True)
    hot: str = eqx.field(static=True, default="L")
    cold: str = eqx.field(static=True, default="R")

    def check(self, setup):
        check_unknowns(setup.device, setup.unknowns)
        for name in (self.hot, self.cold):
            setup.device.index(name)
        if self.hot == self.cold:
            raise ValueError(f"diode test: hot and cold are both {self.hot!r}; name two different terminals.")
        for unknown in setup.unknowns:
            if unknown.terminal in (self.hot, self.cold):
                raise ValueError(f"diode test: terminal {unknown.terminal!r} floats, so it cannot be heated.")

    def prepare(self, setup):
        return setup

    def variables(self, setup):
        per_direction = {
            name: Variable(v.long_name, v.symbol, v.unit, ("direction", *v.dimensions))
            for name, v in state_variables(setup).items()
        }
        rectification = "rectification of the {} of terminal " + self.hot
        return {
            **per_direction,
            "rectification_particle": Variable(rectification.format("particle current"), r"\mathcal{R}_I", "1"),
            "rectification_heat": Variable(rectification.format("heat current"), r"\mathcal{R}_J", "1"),
        }

    def measure(self, setup, effort):
        hot, cold = (setup.device.index(name) for name in (self.hot, self.cold))
        T = setup.reservoirs.T
        heated = jnp.stack([T.at[i].add(self.delta_temperature) for i in (hot, cold)])

        def direction(temperatures):
            state = eqx.tree_at(lambda s: s.reservoirs.T, setup, temperatures).solve(effort)
            return read(state)

        out = jax.vmap(direction)(heated)
        for quantity in ("particle", "heat"):
            current, error = out[f"{quantity}_current"][:, hot], out[f"error_{quantity}_current"][:, hot]
            total = jnp.sum(jnp.abs(current))
            ratio = jnp.sum(current) / total
            bound = jnp.sum(error) * (1 + jnp.abs(ratio)) / total
            out[f"rectification_{quantity}"] = jnp.where(bound < 1, ratio, jnp.nan)
            out[f"error_rectification_{quantity}"] = bound
        return out


SEARCH_POINTS = 96
"""Biases tried for each sign, log-spaced."""


class PowerAtOptimalBias(AbstractExperiment):
    r"""The largest power over both signs of the bias, and the state there.

    The bias is the shift of ``terminal``'s electrochemical potential from the value given. The search brackets the
    maximum on a logarithmic grid of both signs, then finds the zero of the derivative of P (through the self-consistent
    solution, by implicit differentiation).

    With ``heat_sources`` and a vanishing or thermalizing probe the heat taken from those terminals and the most power a
    conventional machine could make of it, :math:`(1 - T_0/T_P)\sum J`, are reported too (T_0: temperature of
    ``terminal``).

    Source: Whitney et al., Physica E 75, 257 (2016), Sec. 4 (V_opt) and Eqs. 14, 23.

    Errors: status ``OPTIMUM_AT_EDGE`` when the largest power lies at the largest bias tried, ``NO_POWER`` when it lies
    at the smallest (power only falls with the bias: none is produced).
    """

    terminal: str = eqx.field(static=True, default="R")
    heat_sources: tuple[str, ...] = eqx.field(static=True, default=(), converter=tuple)
    smallest_bias: Float[Array, ""] = parameter(
        "smallest bias tried, in units of the largest fixed temperature of the conductor",
        unit="1",
        low=0.0,
        open_low=True,
        default=1e-6,
    )
    largest_bias: Float[Array, ""] = parameter(
        "largest bias tried, in units of the largest fixed temperature of the conductor",
        unit="1",
        low=0.0,
        open_low=True,
        default=50.0,
    )

    def check(self, setup):
        check_unknowns(setup.device, setup.unknowns)
        if len(setup.device.conductor_of(self.terminal)) < 2:
            raise ValueError(f"power at optimal bias: no other terminal shares particles with {self.terminal!r}.")
        if self.terminal in [unknown.terminal for unknown in setup.unknowns]:
            raise ValueError(f"power at optimal bias: terminal {self.terminal!r} floats; bias one that does not.")
        for name in self.heat_sources:
            setup.device.index(name)

    def prepare(self, setup):
        return setup

    def variables(self, setup):
        described = {
            **state_variables(setup),
            f"optimal_mu_{self.terminal}": Variable(
                f"electrochemical potential of {self.terminal} at the largest power", r"\mu_\mathrm{opt}", "energy"
            ),
        }
        if self.heat_sources:
            names = " and ".join(self.heat_sources)
            described["heat_in"] = Variable(f"heat taken from {names}", "J_\\mathrm{in}", "energy^2/hbar")
            if len(self.heat_sources) == 2:
                described["heat_transferred"] = Variable(
                    f"heat from {' minus heat from '.join(self.heat_sources)}", "J_\\mathrm{trans}", "energy^2/hbar"
                )
            if setup.unknowns:
                described["carnot_bound"] = Variable(
                    "most power a conventional machine could make of the heat taken in",
                    r"\eta_\mathrm{Carnot} J_\mathrm{in}",
                    "energy^2/hbar",
                )
        return described

    def measure(self, setup, effort):
        device, index = setup.device, setup.device.index(self.terminal)
        acting = tuple(unknown for unknown in setup.unknowns if not unknown.spectator)
        given = setup.reservoirs.mu[index]

        spectators = tuple(unknown for unknown in setup.unknowns if unknown.spectator)
        for unknown in spectators:
            device = unknown.prepare(device)
        searched = eqx.tree_at(lambda s: s.device, setup, device)

        def produced(bias):
            state = searched.with_reservoir(self.terminal, mu=given + bias).solve(effort, acting)
            solved = (state.outcome == Outcome.CONVERGED) | (state.outcome == Outcome.TOLERANCE_MISSED)
            return jnp.where(solved, power(state), jnp.nan)

        floating = [device.index(unknown.terminal) for unknown in setup.unknowns]
        fixed = [i for i in device.conductor_of(self.terminal) if i not in floating]
        unit = jnp.max(setup.reservoirs.T[jnp.array(fixed)])
        ladder = jnp.geomspace(self.smallest_bias, self.largest_bias, SEARCH_POINTS)
        tried = unit * jnp.stack([-ladder[::-1], ladder])
        powers = jax.vmap(jax.vmap(produced))(tried)
        flat, best = powers.ravel(), jnp.argmax(jnp.where(jnp.isfinite(powers), powers, -jnp.inf))
        outermost = (best == 0) | (best == flat.size - 1)
        innermost = (best == SEARCH_POINTS - 1) | (best == SEARCH_POINTS)
        at_edge = outermost | innermost
        position = jnp.clip(best, 1, flat.size - 2)
        lower, upper = tried.ravel()[position - 1], tried.ravel()[position + 1]
        slope = jax.grad(produced)
        search = optx.root_find(
            lambda bias, _: slope(bias),
            optx.Bisection(rtol=1e-13, atol=0.0, flip=True),
            (lower + upper) / 2,
            options={"lower": lower, "upper": upper},
            max_steps=60,
            throw=False,
        )
        found = jax.lax.stop_gradient(search.value)
        bias = jnp.where(at_edge, tried.ravel()[best], found)
        state = setup.with_reservoir(self.terminal, mu=given + bias).solve(effort)
        out = read(state)
        lost = ~(power(state) >= flat[best] * (1 - 1e-9))
        judged = jnp.select(
            [outermost, innermost, lost],
            [Outcome.OPTIMUM_AT_EDGE, Outcome.NO_POWER, Outcome.NOT_CONVERGED],
            Outcome.CONVERGED,
        ).astype(jnp.int8)
        out["status"] = jnp.where(state.outcome == Outcome.CONVERGED, judged, state.outcome)
        out[f"optimal_mu_{self.terminal}"] = given + bias
        return out | self._conventional(state)

    def _conventional(self, state: SteadyState) -> dict[str, Float[Array, ""]]:
        if not self.heat_sources:
            return {}
        sources = jnp.array([state.device.index(name) for name in self.heat_sources])

        def add(name, function):
            quantity = Observable(function, Variable(name, "", "energy^2/hbar"))
            out[name], out[f"error_{name}"] = quantity(state), quantity.error(state)

        out = {}
        add("heat_in", lambda s: jnp.sum(heat_current(s)[sources]))
        if len(self.heat_sources) == 2:
            add("heat_transferred", lambda s: heat_current(s)[sources[0]] - heat_current(s)[sources[1]])
        if state.unknowns:
            i, probe = state.device.index(self.terminal), state.device.index(state.unknowns[0].terminal)
            add(
                "carnot_bound",
                lambda s: (1 - s.reservoirs.T[i] / s.reservoirs.T[probe]) * jnp.sum(heat_current(s)[sources]),
            )
        return out


class EffectiveTemperature(AbstractExperiment):
    """The temperature and electrochemical potential a vanishingly weak probe would read.

    ``terminal`` is the probe; whatever its coupling, it is taken to zero.

    Source: Whitney et al., Physica E 75, 257 (2016), Sec. 7.
    """

    terminal: str = eqx.field(static=True, default="P")

    def check(self, setup):
        others = (unknown for unknown in setup.unknowns if unknown.terminal != self.terminal)
        check_unknowns(setup.device, (VanishingProbe(self.terminal), *others))

    def prepare(self, setup):
        others = (unknown for unknown in setup.unknowns if unknown.terminal != self.terminal)
        return Setup(setup.device, setup.reservoirs, (VanishingProbe(self.terminal), *others), setup.tolerance)

    def variables(self, setup):
        return state_variables(setup)

    def measure(self, setup, effort):
        return read(setup.solve(effort))
