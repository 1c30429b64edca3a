"""Power and efficiency from no bias to open circuit."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from mesotherm.conventions import EPSILON
from mesotherm.experiments.bias import Bias, largest_bias, left_share
from mesotherm.experiments.experiment import STATUS, AbstractExperiment, Setup, judged, judged_variables
from mesotherm.experiments.open_circuit import find_open_circuit, open_circuit_variable
from mesotherm.fields import terminal_name, terminal_names
from mesotherm.observables import Variable, heat_current, power
from mesotherm.results import Outcome
from mesotherm.steady_state import SteadyState

LOADS = 33
"""Points of the load curve, both ends included."""

REFINED = 18
"""Points of each refinement, for either maximum; two sets of them are at least ``LOADS``."""

TOGETHER = 4
"""Points solved at once: with the points of a sweep beside them the arrays stay in the cache. A divisor of all points,
because a remainder would be compiled apart."""

ROUNDS = 8
"""The load curve and its refinements, each about 7 times finer: until values differ by less than their bounds."""

SEVERITY = (Outcome.NOT_FINITE, Outcome.NOT_CONVERGED, Outcome.POPULATION_INVERSION, Outcome.TOLERANCE_MISSED)
"""Outcomes of a single state, the worst first."""


class LoadSweep(AbstractExperiment):
    r"""From no bias to the open-circuit bias: current, power and efficiency, and the largest of either.

    The dimension ``load`` is the bias as a fraction of the open-circuit bias (:class:`OpenCircuit`: the zero of
    smallest absolute bias). With ``heat_sources`` the heat taken from those terminals and the efficiency are reported,

    .. math:: \eta = \frac{P}{\sum_{\alpha\in\text{sources}} J_\alpha}, \qquad
              \eta_\text{Carnot} = 1 - \frac{T_\text{cold}}{T_\text{hot}}

    with T_hot the largest temperature among the sources and T_cold the smallest among the other terminals that exchange
    heat (all whose T does not float). For two terminals, one of them the source, and for a source that drives a
    conductor of uniform temperature, this is the bound of the second law on η. With several temperatures it bounds η as
    long as every source gives heat and no other terminal does; a terminal that gives heat and is not counted as a
    source can lift η above it (Whitney et al., Physica E 75, 257 (2016)).

    The efficiency is NaN where the heat taken in is not positive, or not known to be: at open circuit when particles
    and heat flow only together. There ``maximum_efficiency`` is the largest whose bound still says something; where the
    heat vanishes at finite power there is no largest, and its bound says so.

    Needs: two terminals of one conductor that do not float; heat sources whose temperature does not float, and one more
    terminal that takes heat.

    Errors: both maxima are bracketed by values that are lower beyond their bounds. ``error_bias_at_maximum_power`` is
    that bracket. The bounds on the maxima are those of the largest value found plus what a concave curve can rise above
    it inside the bracket; that of ``efficiency_at_maximum_power`` has the variation inside the bracket added. Maxima
    narrower than the points of the load curve are not seen. ``carnot_efficiency`` follows from the input alone. A
    status other than ``CONVERGED`` is that of the search for the open circuit, then the worst of any state.
    """

    left: str = terminal_name("terminal from which the bias is counted", default="L")
    right: str = terminal_name("terminal to which the bias is counted", default="R")
    left_share: Float[Array, ""] = left_share()
    heat_sources: tuple[str, ...] = terminal_names("terminals whose heat is counted as input", default=())
    largest_bias: Float[Array, ""] = largest_bias()

    @property
    def _pair(self) -> Bias:
        return Bias(self.left, self.right, self.left_share)

    @property
    def sets(self):
        return self._pair.sets

    def prepare(self, setup):
        self._pair.check(setup, "load sweep")
        for name in self.heat_sources:
            setup.device.index(name)
            if name in _without_heat(setup):
                raise ValueError(
                    f"load sweep: the temperature of {name!r} floats, so no heat is taken from it; "
                    "name heat sources whose temperature is given."
                )
        if self.heat_sources and not self._sinks(setup):
            raise ValueError(
                f"load sweep: heat_sources = {list(self.heat_sources)} leaves no terminal that takes heat; "
                "leave the cold ones out."
            )
        return setup

    def coordinates(self, setup):
        return {"load": np.linspace(0.0, 1.0, LOADS)}

    def variables(self, setup):
        left, right = self.left, self.right
        described = {
            "status": STATUS,
            **judged_variables(setup),
            "load": Variable("bias as a fraction of the open-circuit bias", r"b/b_\mathrm{oc}", "1", ("load",)),
            "bias": Variable(f"bias, mu of {left} minus mu of {right}", "b", "energy", ("load",)),
            "particle_current_of_left": Variable(
                f"particle current of {left} into the device", "I", "energy/hbar", ("load",)
            ),
            "power": Variable("electrical power produced", "P", "energy^2/hbar", ("load",)),
            "open_circuit_bias": open_circuit_variable(left, right),
            "maximum_power": Variable("largest power of the load curve", r"P_\mathrm{max}", "energy^2/hbar"),
            "bias_at_maximum_power": Variable("bias at the largest power", r"b_{P_\mathrm{max}}", "energy"),
        }
        if self.heat_sources:
            names = " and ".join(self.heat_sources)
            described |= {
                "heat_in": Variable(f"heat taken from {names}", r"J_\mathrm{in}", "energy^2/hbar", ("load",)),
                "efficiency": Variable(f"power per heat taken from {names}", r"\eta", "1", ("load",)),
                "efficiency_at_maximum_power": Variable(
                    "efficiency at the largest power", r"\eta_{P_\mathrm{max}}", "1"
                ),
                "maximum_efficiency": Variable("largest efficiency of the load curve", r"\eta_\mathrm{max}", "1"),
                "carnot_efficiency": Variable("Carnot efficiency", r"\eta_\mathrm{Carnot}", "1"),
            }
        return described

    def measure(self, setup, effort):
        given = setup.reservoirs.mu[setup.device.index(self.right)]
        # Energies are counted from the mu of the circuit: the bound on the power then does not depend on their zero.
        setup = Setup(setup.device.shifted(-given), setup.reservoirs.shifted(-given), setup.unknowns, setup.tolerance)
        open_circuit = find_open_circuit(setup, self._pair, self.largest_bias, effort)
        rounding = 2 * EPSILON * jnp.abs(given)
        searched = setup.without_spectators()

        def at(load):
            return self._point(self._pair.applied(searched, load * open_circuit.anywhere).solve(effort))

        names = ("power", "efficiency") if self.heat_sources else ("power",)

        def refine(carry, _):
            loads, peaks = carry
            points = jax.lax.map(at, loads, batch_size=TOGETHER)
            peaks = [
                peak.narrowed(loads, points[name], points[f"error_{name}"])
                for peak, name in zip(peaks, names, strict=True)
            ]
            return (jnp.concatenate([peaks[0].grid(), peaks[-1].grid()]), peaks), (loads, points)

        curve = jnp.linspace(0.0, 1.0, LOADS)
        first = jnp.concatenate([curve, jnp.ones(2 * REFINED - LOADS)])
        start = first, [_Peak.anywhere() for _ in names]
        (_, peaks), rounds = jax.lax.scan(refine, start, length=ROUNDS)
        (_, points), (loads, last) = (jax.tree.map(lambda values, k=k: values[k], rounds) for k in (0, -1))

        judgements = judged_variables(setup)
        out = {name: values[:LOADS] for name, values in points.items() if name not in ("status", *judgements)}
        out |= {name: jnp.max(rounds[1][name], axis=(0, 1)) for name in judgements}
        out["bias"] = curve * open_circuit.bias
        out["open_circuit_bias"], out["error_open_circuit_bias"] = open_circuit.bias, open_circuit.error + rounding
        peak = peaks[0]
        out["maximum_power"], out["error_maximum_power"] = peak.largest(loads, last["power"], last["error_power"])
        out["bias_at_maximum_power"] = peak.load * open_circuit.bias
        out["error_bias_at_maximum_power"] = peak.width * jnp.abs(open_circuit.bias) + rounding
        if self.heat_sources:
            efficiency = last["efficiency"], last["error_efficiency"]
            out["maximum_efficiency"], out["error_maximum_efficiency"] = peaks[1].largest(loads, *efficiency)
            value, error = peak.value_at(loads, *efficiency)
            out["efficiency_at_maximum_power"], out["error_efficiency_at_maximum_power"] = value, error
            out["carnot_efficiency"] = self._carnot(setup)
        states = rounds[1]["status"]
        worst = jnp.select(
            [jnp.any(states == outcome) for outcome in SEVERITY], list(SEVERITY), Outcome.CONVERGED
        ).astype(jnp.int8)
        status = jnp.where(open_circuit.outcome == Outcome.CONVERGED, worst, open_circuit.outcome)
        return {name: open_circuit.known(values) for name, values in out.items()} | {"status": status}

    def _point(self, state: SteadyState) -> dict[str, Float[Array, "..."]]:
        """What the load curve shows of one state; NaN where it is not solved."""
        left = state.device.index(self.left)
        out = {
            "particle_current_of_left": state.currents.particle[left],
            "error_particle_current_of_left": state.error.particle[left],
            "power": power(state),
            "error_power": power.error(state),
        }
        if self.heat_sources:
            sources = jnp.array([state.device.index(name) for name in self.heat_sources])
            heat, heat_error = jnp.sum(heat_current(state)[sources]), jnp.sum(state.error.energy[sources])
            least = jnp.where(heat > heat_error, heat - heat_error, jnp.nan)
            efficiency = jnp.where(heat > heat_error, out["power"] / heat, jnp.nan)
            out |= {"heat_in": heat, "error_heat_in": heat_error, "efficiency": efficiency}
            out["error_efficiency"] = (out["error_power"] + jnp.abs(efficiency) * heat_error) / least
        solved = (state.outcome == Outcome.CONVERGED) | (state.outcome == Outcome.TOLERANCE_MISSED)
        out = {name: jnp.where(solved, value, jnp.nan) for name, value in out.items()}
        return out | judged(state) | {"status": state.outcome}

    def _sinks(self, setup: Setup) -> list[int]:
        """Positions of the terminals that exchange heat and are not sources."""
        excluded = {*self.heat_sources, *_without_heat(setup)}
        return [setup.device.index(name) for name in setup.device.terminals if name not in excluded]

    def _carnot(self, setup: Setup) -> Float[Array, ""]:
        T = setup.reservoirs.T
        sources = jnp.array([setup.device.index(name) for name in self.heat_sources])
        return 1 - jnp.min(T[jnp.array(self._sinks(setup))]) / jnp.max(T[sources])


def _without_heat(setup: Setup) -> set[str]:
    """Terminals whose temperature floats: they exchange no heat."""
    return {unknown.terminal for unknown in setup.probes if "T" in unknown.floats}


class _Peak(eqx.Module):
    """A maximum of a curve over load, between two points certified to be lower (at first between the ends)."""

    load: Float[Array, ""]
    lower: Float[Array, ""]
    upper: Float[Array, ""]

    @classmethod
    def anywhere(cls) -> "_Peak":
        zero, one = jnp.zeros(()), jnp.ones(())
        return cls(zero, zero, one)

    @property
    def width(self):
        """How far the maximum may be from ``load``."""
        return jnp.maximum(self.load - self.lower, self.upper - self.load)

    def grid(self) -> Float[Array, "REFINED"]:
        """Loads to look at next: across the bracket, ends included, and the best so far."""
        t = jnp.linspace(0.0, 1.0, REFINED - 1)
        return jnp.append(self.lower * (1 - t) + self.upper * t, self.load)

    def narrowed(self, loads, values, errors) -> "_Peak":
        """With more points: the one that is highest less its bound, between the nearest that are certainly lower."""
        floor = jnp.where(jnp.isfinite(values - errors), values - errors, -jnp.inf)
        best = jnp.argmax(floor)
        load = loads[best]
        beaten = values + errors < floor[best]
        lower = jnp.max(jnp.where(beaten & (loads < load), loads, jnp.where(self.lower < load, self.lower, 0.0)))
        upper = jnp.min(jnp.where(beaten & (loads > load), loads, jnp.where(self.upper > load, self.upper, 1.0)))
        return _Peak(load, lower, upper)

    def largest(self, loads, values, errors):
        """The maximum and its bound: what a concave curve can rise above the best point inside the bracket.

        On the left of that point a concave curve rises no faster than it falls to any point on the right, and the other
        way round. Where one side has no points (at an end of the load curve) the points on the other side must do.
        """
        best = jnp.argmax(loads == self.load)
        value, error = values[best], errors[best]
        known = jnp.isfinite(values + errors)
        fall = value - values + error + errors
        distance = jnp.abs(loads - self.load)
        slope = jnp.where(known, fall / jnp.where(distance > 0, distance, 1.0), jnp.inf)
        seen = jnp.max(jnp.where(known, values + errors, -jnp.inf)) - value
        rise = []
        for beyond, room in ((loads > self.load, self.load - self.lower), (loads < self.load, self.upper - self.load)):
            gentlest = jnp.maximum(jnp.min(jnp.where(beyond, slope, jnp.inf)), 0.0)
            rise.append(jnp.where(room > 0, jnp.where(jnp.isfinite(gentlest), gentlest * room, seen), 0.0))
        return value, jnp.where(jnp.isfinite(value), error + jnp.maximum(*rise), jnp.nan)

    def value_at(self, loads, values, errors):
        """Another curve at the maximum, and the bound on it: its variation inside the bracket included."""
        best = jnp.argmax(loads == self.load)
        value = values[best]
        inside = (loads >= self.lower) & (loads <= self.upper)
        away = jnp.abs(values - value) + errors
        return value, jnp.max(jnp.where(inside, jnp.where(jnp.isfinite(away), away, jnp.inf), 0.0))
