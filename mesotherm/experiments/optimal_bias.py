"""Power at the bias that makes most of it."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from mesotherm.bracketing import bracketed_root
from mesotherm.device import Reservoirs
from mesotherm.experiments.experiment import AbstractExperiment, read, state_variables
from mesotherm.fields import parameter, terminal_name, terminal_names
from mesotherm.observables import Observable, Variable, heat_current, power
from mesotherm.results import Outcome
from mesotherm.steady_state import SteadyState
from mesotherm.unknowns import check_unknowns

SEARCH_POINTS = 32
"""Biases tried for each sign, log-spaced: over the default range each is 1.8 times the one before."""

TOGETHER = 2
"""Biases tried at once: with the points of a sweep beside them the arrays stay in the cache."""


class PowerAtOptimalBias(AbstractExperiment):
    r"""The largest power over both signs of the bias, and the state there.

    The bias is the shift of ``terminal``'s electrochemical potential from the value given. The search brackets the
    maximum on a logarithmic grid of both signs, then finds the zero of the derivative of P (the unknowns following).

    With ``heat_sources`` and a vanishing or thermalizing probe the heat taken from those terminals and the most power a
    conventional machine could make of it, :math:`(1 - T_0/T_P)\sum J`, are reported too (T_0: temperature of
    ``terminal``).

    Source: Whitney et al., Physica E 75, 257 (2016), Sec. 4 (V_opt) and Eqs. 14, 23.

    Errors: status ``OPTIMUM_AT_EDGE`` when the largest power lies at the largest bias tried, ``NO_POWER`` when it lies
    at the smallest (power only falls with the bias: none is produced).
    """

    terminal: str = terminal_name("terminal that is biased", default="R")
    heat_sources: tuple[str, ...] = terminal_names("terminals whose heat is counted as input", default=())
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

    def prepare(self, setup):
        check_unknowns(setup.device, setup.unknowns)
        if len(setup.device.conductor_of(self.terminal)) < 2:
            raise ValueError(f"power at optimal bias: no other terminal shares particles with {self.terminal!r}.")
        if self.terminal in [unknown.terminal for unknown in setup.probes]:
            raise ValueError(f"power at optimal bias: terminal {self.terminal!r} floats; bias one that does not.")
        for name in self.heat_sources:
            setup.device.index(name)
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
            if setup.probes:
                described["carnot_bound"] = Variable(
                    "most power a conventional machine could make of the heat taken in",
                    r"\eta_\mathrm{Carnot} J_\mathrm{in}",
                    "energy^2/hbar",
                )
        return described

    def measure(self, setup, effort):
        device, index = setup.device, setup.device.index(self.terminal)
        given = setup.reservoirs.mu[index]
        searched = setup.without_spectators()

        def solved_at(bias, direction=None):
            return searched.with_reservoir(self.terminal, mu=given + bias).solve(effort, direction)

        def produced(bias):
            state = solved_at(bias)
            solved = (state.outcome == Outcome.CONVERGED) | (state.outcome == Outcome.TOLERANCE_MISSED)
            return jnp.where(solved, power(state), jnp.nan)

        still = jnp.zeros(len(device.terminals))
        direction = Reservoirs(still.at[index].set(1.0), still)

        def slope(bias):
            """dP/dμ: what is found, a probe's μ, needs no term of its own, its current being zero."""
            state = solved_at(bias, direction)
            assert state.slope is not None
            return -state.currents.particle[index] - jnp.sum(state.reservoirs.mu * state.slope.particle)

        floating = [device.index(unknown.terminal) for unknown in setup.probes]
        fixed = [i for i in device.conductor_of(self.terminal) if i not in floating]
        unit = jnp.max(setup.reservoirs.T[jnp.array(fixed)])
        ladder = jnp.geomspace(self.smallest_bias, self.largest_bias, SEARCH_POINTS)
        tried = unit * jnp.concatenate([-ladder[::-1], ladder])
        powers = jax.lax.map(produced, tried, batch_size=TOGETHER)
        best = jnp.argmax(jnp.where(jnp.isfinite(powers), powers, -jnp.inf))
        outermost = (best == 0) | (best == tried.size - 1)
        innermost = (best == SEARCH_POINTS - 1) | (best == SEARCH_POINTS)
        position = jnp.clip(best, 1, tried.size - 2)
        found = bracketed_root(slope, tried[position - 1], tried[position + 1])
        bias = jnp.where(outermost | innermost, tried[best], found)
        state = setup.with_reservoir(self.terminal, mu=given + bias).solve(effort)
        out = read(state)
        lost = ~(power(state) >= powers[best] * (1 - 1e-9))
        judged = jnp.select(
            [powers[best] <= out["error_power"], outermost, innermost, lost],
            [Outcome.NO_POWER, Outcome.OPTIMUM_AT_EDGE, Outcome.NO_POWER, Outcome.NOT_CONVERGED],
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
        if state.probes:
            i, probe = state.device.index(self.terminal), state.device.index(state.probes[0].terminal)
            add(
                "carnot_bound",
                lambda s: (1 - s.reservoirs.T[i] / s.reservoirs.T[probe]) * jnp.sum(heat_current(s)[sources]),
            )
        return out
