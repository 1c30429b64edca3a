"""The bias at which no current flows."""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from mesotherm.conventions import EPSILON
from mesotherm.device import Effort
from mesotherm.experiments.bias import Bias, largest_bias, left_share
from mesotherm.experiments.experiment import AbstractExperiment, Setup, read, state_variables
from mesotherm.fields import terminal_name
from mesotherm.observables import Variable
from mesotherm.results import Outcome
from mesotherm.steady_state import SteadyState

RUNG = 1.34
"""Factor between a bias tried and the next of the same sign."""

FIRST_RUNG = 1 / 16
"""First bias tried besides zero, as a fraction of where the current would vanish if it went on as at zero."""

SMALLEST, LARGEST_FIRST = 1e-8, 1e-2
"""Between these fractions of the largest bias the first one lies."""

MOST_STEPS = 60
"""Newton and bisection steps inside a bracket; about six are taken."""

SETTLED = 16 * EPSILON
"""A step this small, relative to bias and temperature, is the last."""


class OpenCircuit(AbstractExperiment):
    r"""The bias at which the current of ``left`` vanishes, everything else as given, and the state there.

    The bias is :math:`\mu_\text{left} - \mu_\text{right}`, divided by ``left_share`` about the mu given for ``right``
    (:class:`mesotherm.experiments.bias.Bias`). Where the two temperatures differ the thermopower is reported too,

    .. math:: S = \frac{b_\text{oc}}{T_\text{left} - T_\text{right}},

    in units of k_B per particle: negative where particles flow from hot to cold when there is no bias. It is NaN where
    the temperatures are equal.

    The search goes outwards from zero on a logarithmic grid of both signs until the current changes sign between
    neighbours, then takes Newton steps (derivative through the self-consistent solution) that never leave that
    bracket. The grid begins at a sixteenth of the bias at which the current would vanish if it went on as at zero. With
    several zeros the one of smallest absolute bias is reported; two zeros between neighbours of the grid, a factor 1.34
    apart, or within its first bias, are not seen.

    Needs: two terminals of one conductor that do not float.

    Errors: ``error_open_circuit_bias`` is what the current at the reported bias, and the bound on it, become through
    the slope, to first order. Status ``NO_OPEN_CIRCUIT`` where the current vanishes at no bias tried, or at all of
    them; every number is NaN then. Other outcomes are those of the states.
    """

    left: str = terminal_name("terminal from which the bias is counted", default="L")
    right: str = terminal_name("terminal to which the bias is counted", default="R")
    left_share: Float[Array, ""] = left_share()
    largest_bias: Float[Array, ""] = largest_bias()

    @property
    def _pair(self) -> Bias:
        return Bias(self.left, self.right, self.left_share)

    @property
    def sets(self):
        return self._pair.sets

    def prepare(self, setup):
        self._pair.check(setup, "open circuit")
        return setup

    def variables(self, setup):
        return {
            **state_variables(setup),
            "open_circuit_bias": open_circuit_variable(self.left, self.right),
            "thermopower": Variable(
                f"open-circuit bias per temperature difference of {self.left}, {self.right}", "S", "k_B/e"
            ),
        }

    def measure(self, setup, effort):
        found = find_open_circuit(setup, self._pair, self.largest_bias, effort, read)
        out = found.report
        if any(unknown.spectator for unknown in setup.unknowns):
            out = read(self._pair.applied(setup, found.anywhere).solve(effort))
        status = jnp.where(found.outcome == Outcome.CONVERGED, out.pop("status"), found.outcome)
        left, right = (setup.reservoirs.T[setup.device.index(name)] for name in (self.left, self.right))
        difference = jnp.where(left == right, jnp.nan, left - right)
        out |= {
            "open_circuit_bias": found.bias,
            "error_open_circuit_bias": found.error,
            "thermopower": found.bias / difference,
            "error_thermopower": found.error / jnp.abs(difference),
        }
        return {name: found.known(values) for name, values in out.items()} | {"status": status}


def open_circuit_variable(left: str, right: str) -> Variable:
    """Description of an open-circuit bias."""
    return Variable(f"bias (mu of {left} minus mu of {right}) without current", r"b_\mathrm{oc}", "energy")


class OpenCircuitPoint(eqx.Module):
    """Where the current vanishes.

    Attributes
    ----------
    bias, error
        The bias and a bound on its error [energy]; NaN where there is none.
    outcome
        ``CONVERGED``; ``NO_OPEN_CIRCUIT``, or why the state without bias is not solved; ``NOT_CONVERGED`` where more
        effort may find it, or one closer to zero.
    report
        What was asked for of the state there, without spectators.
    """

    bias: Float[Array, ""]
    error: Float[Array, ""]
    outcome: Int[Array, ""]
    report: dict[str, Array]

    @property
    def anywhere(self) -> Float[Array, ""]:
        """The bias, or zero where there is none: a bias at which a state can be solved for."""
        return jnp.where(jnp.isfinite(self.bias), self.bias, 0.0)

    def known(self, values: Float[Array, "..."]) -> Float[Array, "..."]:
        """The values, or NaN where there is no open circuit."""
        return jnp.where(jnp.isfinite(self.bias), values, jnp.nan)


def find_open_circuit(
    setup: Setup,
    pair: Bias,
    largest: Float[Array, ""],
    effort: Effort,
    report: Callable[[SteadyState], dict[str, Array]] = lambda state: {},
) -> OpenCircuitPoint:
    """The bias of smallest absolute value at which the current of ``pair.left`` vanishes.

    Parameters
    ----------
    setup, pair
        What is biased, and how.
    largest
        Largest bias tried, in units of the largest fixed temperature of the conductor [1].
    effort
        Below ``STUBBORN`` a state that is not solved, or not well enough for the sign of its current, makes the outcome
        ``NOT_CONVERGED`` if a zero could hide there.
    report
        What to read off the state at the bias found.
    """
    searched = setup.without_spectators()
    left = setup.device.index(pair.left)
    unit = pair.unit(setup)

    def at(bias) -> _Seen:
        state, value, slope = pair.solve(searched, bias, effort)
        return _Seen(value, slope, state.error.particle[left], state.outcome, report(state))

    def look(search: _Search) -> _Search:
        seen = at(search.bias)  # for ladder and bracket alike: compiling it is most of what a search costs
        outwards, inwards = search.outwards(seen, largest * unit, effort), search.inwards(seen, unit)
        return jax.tree.map(lambda a, b: jnp.where(search.bracketed, b, a), outwards, inwards)

    nothing = jax.tree.map(lambda like: jnp.zeros(like.shape, like.dtype), jax.eval_shape(at, jnp.zeros(())))
    found = jax.lax.while_loop(lambda s: ~s.done, look, _Search.start(nothing))

    seen = found.seen
    mu = setup.reservoirs.mu[setup.device.index(pair.right)]
    rounding = 2 * EPSILON * (jnp.abs(mu) + jnp.abs(found.bias))
    bound = (jnp.abs(seen.value) + seen.error) / jnp.abs(seen.slope) + rounding
    unique = found.bracketed & ~(seen.slope == 0)
    unsolved = (found.at_zero != Outcome.CONVERGED) & (found.at_zero != Outcome.TOLERANCE_MISSED)
    unsettled = ~jnp.isfinite(seen.value) | (found.steps == MOST_STEPS)
    blocked = unique & ~found.flows & ~(bound <= largest * unit)  # no current anywhere: any bias would do as well
    outcome = jnp.select(
        [found.hiding, ~unique & unsolved, ~unique | blocked, unsettled],
        [Outcome.NOT_CONVERGED, found.at_zero, Outcome.NO_OPEN_CIRCUIT, Outcome.NOT_CONVERGED],
        Outcome.CONVERGED,
    ).astype(jnp.int8)
    bias, error = (jnp.where(unique & ~blocked, values, jnp.nan) for values in (found.bias, bound))
    return OpenCircuitPoint(bias, error, outcome, seen.report)


class _Seen(eqx.Module):
    """What the device answers at one bias: the current, its slope and bound, the outcome, and the report."""

    value: Float[Array, ""]
    slope: Float[Array, ""]
    error: Float[Array, ""]
    outcome: Int[Array, ""]
    report: dict[str, Array]


class _Search(eqx.Module):
    """A search for a zero: first outwards along a ladder of biases, then inwards between two of them.

    Attributes
    ----------
    bias
        Where to look next; once done, where the zero is.
    first
        First bias of the ladder besides zero.
    tried, steps
        Biases of the ladder looked at; steps taken in the bracket.
    last_bias, last_value
        Bias and current seen last on the negative and on the positive side; NaN if not usable.
    hiding
        Whether a zero may have been passed over.
    flows
        Whether any current seen exceeded its bound.
    at_zero
        Outcome of the state at zero bias.
    bracketed, lower, upper, rising
        Whether there is a bracket; its ends; whether the current rises through zero inside.
    moved
        The last step.
    seen
        What was seen last.
    """

    bias: Float[Array, ""]
    first: Float[Array, ""]
    tried: Int[Array, ""]
    steps: Int[Array, ""]
    last_bias: Float[Array, "2"]
    last_value: Float[Array, "2"]
    hiding: Bool[Array, ""]
    flows: Bool[Array, ""]
    at_zero: Int[Array, ""]
    bracketed: Bool[Array, ""]
    lower: Float[Array, ""]
    upper: Float[Array, ""]
    rising: Bool[Array, ""]
    moved: Float[Array, ""]
    done: Bool[Array, ""]
    seen: _Seen

    @classmethod
    def start(cls, nothing: _Seen) -> "_Search":
        zero, none, no = jnp.zeros(()), jnp.zeros((), int), jnp.zeros((), bool)
        sides = jnp.full(2, jnp.nan)
        return cls(zero, zero, none, none, sides, sides, no, no, nothing.outcome, no, zero, zero, no, zero, no, nothing)

    def outwards(self, seen: _Seen, largest: Float[Array, ""], effort: Effort) -> "_Search":
        """After a look at one bias of the ladder, which goes on to the largest [energy]."""
        solved = (seen.outcome == Outcome.CONVERGED) | (seen.outcome == Outcome.TOLERANCE_MISSED)
        signed = (seen.outcome == Outcome.CONVERGED) | (jnp.abs(seen.value) > seen.error)
        stubborn = effort is Effort.STUBBORN
        usable = solved if stubborn else solved & signed
        missed = ~usable & (seen.outcome != Outcome.POPULATION_INVERSION) & (not stubborn)
        value = jnp.where(usable, seen.value, jnp.nan)

        side = self.tried % 2
        before, other = self.last_value[side], self.last_bias[side]
        bracketed = jnp.sign(before) * jnp.sign(value) <= 0
        difference = jnp.where(before == value, 1.0, before - value)
        secant = other + (self.bias - other) * jnp.where(before == value, 0.0, before / difference)
        upwards = self.bias > other
        rising = jnp.where(upwards, (before < 0) | (value > 0), (value < 0) | (before > 0))
        mine = (jnp.arange(2) == side) | (self.tried == 0)
        guess = FIRST_RUNG * jnp.abs(seen.value / seen.slope)
        guess = jnp.clip(jnp.where(jnp.isfinite(guess), guess, 0.0), SMALLEST * largest, LARGEST_FIRST * largest)
        first = jnp.where(self.tried == 0, guess, self.first)
        tried = self.tried + 1
        height = first * RUNG ** ((tried - 1) // 2)
        above = jnp.where(tried % 2 == 1, 1.0, -1.0) * jnp.minimum(height, largest)
        return _Search(
            bias=jnp.where(bracketed, secant, above),
            first=first,
            tried=tried,
            steps=self.steps,
            last_bias=jnp.where(mine, self.bias, self.last_bias),
            last_value=jnp.where(mine, value, self.last_value),
            hiding=self.hiding | missed,
            flows=self.flows | (jnp.abs(seen.value) > seen.error),
            at_zero=jnp.where(self.tried == 0, seen.outcome, self.at_zero),
            bracketed=bracketed,
            lower=jnp.minimum(self.bias, other),
            upper=jnp.maximum(self.bias, other),
            rising=rising,
            moved=self.bias - other,
            done=~bracketed & (height >= RUNG * largest),
            seen=seen,
        )

    def inwards(self, seen: _Seen, unit: Float[Array, ""]) -> "_Search":
        """After a look inside the bracket: a Newton step if it stays inside and is less than half the last, else half
        the bracket."""
        at_lower = (seen.value < 0) == self.rising
        lower = jnp.where(at_lower, self.bias, self.lower)
        upper = jnp.where(at_lower, self.upper, self.bias)
        newton = self.bias - seen.value / seen.slope
        good = (newton >= lower) & (newton <= upper) & (jnp.abs(newton - self.bias) <= jnp.abs(self.moved) / 2)
        after = jnp.where(good, newton, (lower + upper) / 2)
        moved = after - self.bias
        small = jnp.abs(moved) <= SETTLED * (jnp.abs(self.bias) + unit)
        stalled = (jnp.abs(seen.value) <= seen.error) & ~good
        steps = self.steps + 1
        settled = small | stalled | (seen.value == 0) | ~jnp.isfinite(seen.value)
        return _Search(
            bias=jnp.where(settled, self.bias, after),
            first=self.first,
            tried=self.tried,
            steps=steps,
            last_bias=self.last_bias,
            last_value=self.last_value,
            hiding=self.hiding,
            flows=self.flows | (jnp.abs(seen.value) > seen.error),
            at_zero=self.at_zero,
            bracketed=self.bracketed,
            lower=lower,
            upper=upper,
            rising=self.rising,
            moved=moved,
            done=settled | (steps == MOST_STEPS),
            seen=seen,
        )
