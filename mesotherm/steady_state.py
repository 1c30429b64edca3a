r"""The steady state of a device with all its internal unknowns, solved together and certified.

The error of a state is the error of its currents plus what the error of the balances becomes through the unknowns,

.. math:: \delta X = \delta X_\text{direct} + \left|\frac{\partial X}{\partial y} J^{-1}\right| (\delta r + |r|),
          \qquad J = \partial r/\partial y,

because a residual that vanishes on a wrong energy integral proves nothing.
"""

from collections.abc import Callable, Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PyTree

from mesotherm.device import AbstractDevice, Answer, Effort, HasCoordinates, Reservoirs, Response
from mesotherm.fields import is_traced
from mesotherm.results import Outcome
from mesotherm.root_problem import Problem, at_rest, counted_from, prepared, referred, solved
from mesotherm.unknowns import AbstractProbe, AbstractUnknown, check_unknowns, probes

CURVATURE = 10.0
"""Allowance for second derivatives, in units of first derivatives over the unknowns' scale: the part of the bound that
covers stopping early."""

LARGEST_LAST_STEP = 1e-6
"""A step after the last one that is longer than this means: not converged."""

DEFAULT_TOLERANCE = 1e-9
"""Largest error bound accepted, as a fraction of the largest one-way flux."""


class SteadyState(eqx.Module):
    """A solved device.

    Attributes
    ----------
    device, reservoirs
        The device and all its reservoirs, at their solution.
    currents, error, one_way
        As in :class:`mesotherm.device.Answer` (``error.energy`` bounds the heat current); ``error`` includes what the
        unknowns contribute.
    reservoirs_error
        Absolute bound on each ``mu`` and ``T`` [energy]; zero for reservoirs that do not float.
    q_error
        Absolute bound on each coordinate of the device; zero for those that are given.
    outcome
        Code of an :class:`mesotherm.results.Outcome`.
    slope
        Derivative of the currents along the direction that was asked for, all unknowns following; ``None`` without one.
        It means nothing where the state is not solved.
    """

    device: AbstractDevice
    reservoirs: Reservoirs
    currents: Response
    error: Response
    one_way: Response
    reservoirs_error: Reservoirs
    q_error: Float[Array, "coordinates"]
    outcome: Int[Array, ""]
    tolerance: Float[Array, ""]
    unknowns: tuple[AbstractUnknown, ...] = ()
    slope: Response | None = None

    @property
    def probes(self) -> tuple[AbstractProbe, ...]:
        """The terminals that float."""
        return probes(self.unknowns)

    @property
    def q(self) -> Float[Array, "coordinates"]:
        """Coordinates of the device, none for most."""
        return coordinates_of(self.device)


def steady_state(
    device: AbstractDevice,
    reservoirs: Reservoirs,
    unknowns: Sequence[AbstractUnknown] = (),
    *,
    effort: Effort = Effort.STUBBORN,
    tolerance: float | Float[Array, ""] = DEFAULT_TOLERANCE,
    direction: Reservoirs | None = None,
    throw: bool = True,
) -> SteadyState:
    """Solve for every internal unknown at once and certify the result.

    Differentiable in ``device`` and ``reservoirs`` through the solution (implicit function theorem); batch it with
    ``jax.vmap`` and ``throw=False`` (with ``jax.lax.map(batch_size=...)`` return the arrays you need rather than the
    whole state: that function refuses arrays of size zero, as ``conjugate`` is for a device without coordinates).

    Parameters
    ----------
    device
        Any device.
    reservoirs
        One per terminal. What an unknown floats (a probe's mu or T) is ignored.
    unknowns
        What floats, for example ``[ThermalizingProbe("P")]``.
    effort
        How much work to spend; error bounds are honest at every rung.
    tolerance
        Largest acceptable error bound as a fraction of the largest one-way flux [1].
    direction
        Also find the derivative of the currents, ``slope``, as every mu and T moves by this much per unit: what
        differentiating this function gives, but from the certificate's own derivatives, at little cost, and without
        an exception where the state is not solved. What stands there for a floating mu or T plays no part.
    throw
        Raise ``RuntimeError`` with the outcome's sentence unless converged; in batches pass ``False`` and read
        ``outcome``.

    Examples
    --------
    >>> from mesotherm import Reservoirs, ThermalizationDiode, ThermalizingProbe, steady_state
    >>> state = steady_state(ThermalizationDiode.example(), Reservoirs([0, 0, 0], [2, 1, 1]), [ThermalizingProbe("P")])
    >>> round(float(state.reservoirs.T[2]), 6)
    1.532612
    """
    unknowns = tuple(unknowns)
    check_unknowns(device, unknowns)
    for name, size in (("mu", reservoirs.mu.shape), ("T", reservoirs.T.shape)):
        if size != (len(device.terminals),):
            raise ValueError(
                f"reservoirs.{name} has shape {size}; {type(device).__name__} needs one entry for each of "
                f"{', '.join(device.terminals)}."
            )
    state = _with_empty(_solve(device, reservoirs, unknowns, effort, jnp.asarray(tolerance, float), direction))
    if throw and is_traced(state.outcome):
        sentences = [member.sentence for member in Outcome]
        return eqx.branched_error_if(state, state.outcome != Outcome.CONVERGED, state.outcome, sentences)
    if throw and state.outcome != Outcome.CONVERGED:
        raise RuntimeError(Outcome(int(state.outcome)).sentence)
    return state


@eqx.filter_jit
def _solve(device, reservoirs, unknowns, effort, tolerance, direction) -> SteadyState:
    """Everything numerical, compiled once for a kind of device and unknowns."""
    one = jax.tree.map(lambda given: given[None], reservoirs)
    found = in_turn(device, one, unknowns, effort, tolerance, lambda state: state, direction)
    return _without_empty(jax.tree.map(lambda values: values[0], found))


def _without_empty(tree: PyTree) -> PyTree:
    """Arrays of size zero replaced by their descriptions: derivatives of compiled functions that return some may, where
    there is one processor only, call LAPACK in a way that XLA does not know (jaxlib 0.10)."""
    return jax.tree.map(lambda x: x if x.size else jax.ShapeDtypeStruct(x.shape, x.dtype), tree)


def _with_empty(tree: PyTree, *first: int) -> PyTree:
    """Such arrays again, with more axes in front."""

    def put_back(x):
        return jnp.zeros((*first, *x.shape), x.dtype) if isinstance(x, jax.ShapeDtypeStruct) else x

    return jax.tree.map(put_back, tree)


def in_turn(
    device, reservoirs, unknowns, effort, tolerance, reading: Callable[[SteadyState], PyTree], direction=None
) -> PyTree:
    """What is read off the steady states of one device between several sets of reservoirs, one after the other.

    Where unknowns are counted from an equilibrium, that is the first of them, certified like the others and not read:
    what is long to compile, a device's answer with its slopes, stands in the program once.

    Parameters
    ----------
    reservoirs
        With a leading axis over the sets.
    direction
        As in :func:`steady_state`.

    Returns
    -------
    What ``reading`` returns, with that axis in front of every array.
    """
    device = prepared(device, unknowns)
    rest = at_rest(device, unknowns)

    def solve(problem, resting=None):
        if not unknowns:
            return certified(problem, jnp.zeros(0), tolerance, direction)
        return certified(*solved(problem, resting), tolerance, direction)

    static = None

    def arrays_of(state):
        nonlocal static
        arrays, static = eqx.partition(_without_empty(reading(state)), eqx.is_array)
        return arrays

    def together(found):
        return _with_empty(eqx.combine(found, static), len(reservoirs.mu))

    if rest is None:
        found = jax.lax.map(lambda given: arrays_of(solve(referred(device, given, unknowns, effort))[0]), reservoirs)
        return together(found)

    assert isinstance(device, HasCoordinates)
    still, level = rest

    def turn(charge, given):
        resting, baths = given
        moved = device.moved_to(jnp.where(resting, coordinates_of(still), device.q))
        state, answer = solve(referred(moved, baths, counted_from(unknowns, charge), effort), resting)
        here = answer.value.conjugate, answer.error.conjugate
        charge = jax.tree.map(lambda new, known: jnp.where(resting, new, known), here, charge)
        return charge, arrays_of(state)

    with_rest = jax.tree.map(lambda first, others: jnp.concatenate([first[None], others]), level, reservoirs)
    resting = jnp.arange(len(with_rest.mu)) == 0
    unknown_charge = jnp.zeros_like(device.q), jnp.zeros_like(device.q)
    _, found = jax.lax.scan(turn, unknown_charge, (resting, with_rest))
    return together(jax.tree.map(lambda values: values[1:], found))


def coordinates_of(device: AbstractDevice) -> Float[Array, "coordinates"]:
    """Where the coordinates of a device are; none if it has none."""
    return device.q if isinstance(device, HasCoordinates) else jnp.zeros(0)


def certified(problem: Problem, y, tolerance, direction: Reservoirs | None = None) -> tuple[SteadyState, Answer]:
    """The state one Newton step beyond y, by linear continuation, with its total error bounds and its outcome, and with
    the slope of its currents along a direction if one is given; and the device's answer at y."""
    device, _ = problem.impose(y)
    sizes = [len(device.terminals)] * 4 + [coordinates_of(device).size] * 2
    ends = [sum(sizes[:position]) for position in range(1, len(sizes))]

    def outputs(place):
        y, distance = place[: problem.size], place[problem.size :]
        here = problem if direction is None else problem.moved(direction, distance[0])
        device, reservoirs, answer = here.evaluate(y)
        value = answer.value
        heat = value.energy - reservoirs.mu * value.particle
        pieces = value.particle, heat, reservoirs.mu, reservoirs.T, value.conjugate, coordinates_of(device)
        found = jnp.concatenate([piece for piece in pieces if piece.size])
        balance, balance_error, scale = problem.balances(device, reservoirs, answer)
        return (found, balance), (found, balance, balance_error, scale, answer)

    place = jnp.append(y, jnp.zeros(0 if direction is None else 1))
    slopes, (found, balance, balance_error, scale, answer) = jax.jacfwd(outputs, has_aux=True)(place)
    (slope, along), (jacobian, pushed) = (jnp.split(values, [problem.size], axis=1) for values in slopes)
    if problem.unknowns:
        inverse = jnp.linalg.inv(jacobian / scale[:, None])
        step = inverse @ (balance / scale)
        along = along - slope @ inverse @ (pushed / scale[:, None])
        last_step = jnp.max(jnp.abs(step))
        found = found - jax.lax.stop_gradient(slope @ step)
        through = jnp.abs(slope @ inverse) @ (balance_error / scale)
        beyond_linear = (
            CURVATURE
            * last_step
            * (jnp.abs(slope @ inverse) @ (jnp.abs(balance) / scale) + jnp.abs(slope) @ jnp.abs(step))
        )
        through = through + beyond_linear
    else:
        last_step, through = jnp.zeros(()), jnp.zeros_like(found)
    particle, heat, mu, T, conjugate, q = jnp.split(found, ends)
    currents, reservoirs = Response(particle, heat + mu * particle, conjugate), Reservoirs(mu, T)
    device = device.moved_to(q) if isinstance(device, HasCoordinates) else device
    particle, heat, mu, T, conjugate, q_error = jnp.split(through, ends)
    direct = answer.error
    error = Response(direct.particle + particle, direct.energy + heat, direct.conjugate + conjugate)
    reservoirs_error = Reservoirs(mu, T)
    one_way = answer.one_way
    finite = jnp.all(jnp.isfinite(found)) & jnp.all(jnp.isfinite(through))
    within = jnp.all(error.particle <= tolerance * jnp.max(one_way.particle)) & jnp.all(
        error.energy <= tolerance * jnp.max(one_way.energy)
    )
    floating = [device.index(probe.terminal) for probe in probes(problem.unknowns)]
    inverted = jnp.any(reservoirs.T[jnp.array(floating, int)] <= 0)
    outcome = jnp.select(
        [answer.stationary_states > 1, ~finite, ~(last_step < LARGEST_LAST_STEP), inverted, ~within],
        [
            Outcome.NOT_UNIQUE,
            Outcome.NOT_FINITE,
            Outcome.NOT_CONVERGED,
            Outcome.POPULATION_INVERSION,
            Outcome.TOLERANCE_MISSED,
        ],
        Outcome.CONVERGED,
    ).astype(jnp.int8)
    error, reservoirs_error, q_error, outcome = jax.lax.stop_gradient((error, reservoirs_error, q_error, outcome))
    return SteadyState(
        device=device,
        reservoirs=reservoirs,
        currents=currents,
        error=error,
        one_way=one_way,
        reservoirs_error=reservoirs_error,
        q_error=q_error,
        outcome=outcome,
        tolerance=tolerance,
        unknowns=problem.unknowns,
        slope=None if direction is None else _slope(jnp.split(along[:, 0], ends), currents, reservoirs),
    ), answer


def _slope(pieces, currents: Response, reservoirs: Reservoirs) -> Response:
    """Derivatives of the currents from those of all that :func:`certified` finds, where energy currents are heats."""
    particle, heat, mu, _, conjugate, _ = pieces
    return Response(particle, heat + reservoirs.mu * particle + mu * currents.particle, conjugate)
