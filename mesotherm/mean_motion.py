r"""Mean motion of a mechanical coordinate that currents push.

.. math::
    M \ddot x = -k (x - x_0) - [\nu + \gamma_\text{el}(x)]\,\dot x + F(x, V(t)) + F_\text{ext}

Electrons follow at once (their forces and currents are those of a part at rest, from a
:class:`mesotherm.motion_table.MotionTable`), so that the charge that passes is the integral of the current at x(t).
Energy is kept in the books all the way,

.. math::
    \Delta\big[\tfrac12 M \dot x^2 + \tfrac12 k (x-x_0)^2\big] = W_F - E_\text{dis} - W_\text{load}, \qquad
    W_F = \int F\,\dot x\,dt, \quad E_\text{dis} = \int (\nu + \gamma_\text{el})\,\dot x^2 dt, \quad
    W_\text{load} = -\int F_\text{ext}\,\dot x\,dt

Source: Mehring, Bustos-Marún & Calvo, PRB 109, 085418 (2024), Eqs. 6, 21, 24 and 25.

Assumes: electrons much faster than the part (k_B = ħ = e = 1, lengths in one unit throughout).
"""

from collections.abc import Sequence

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optimistix
from diffrax import RESULTS
from jaxtyping import Array, Float, Int

from mesotherm.fields import as_array
from mesotherm.mechanical_mode import MechanicalMode
from mesotherm.motion_table import CURRENTS, MotionTable, combined
from mesotherm.protocols import AbstractProtocol
from mesotherm.results import Outcome

MOST_STEPS = 1_000_000
"""Of the adaptive integrator, between two times."""

SPARE = 1e-10
"""Part of a stretch of time at its ends where its drive is the one a little further inside: stretches end at jumps."""

LEAST_STEP = 1e-13
"""Of the adaptive integrator, over the time scale of the spring: where the table has no value, steps only shrink."""

ROUNDING = 2e-15
"""Of times, relative: the least of this."""


class Motion(eqx.Module):
    """Mean motion at given times; integrals run from the first of them. After an outcome other than converged, NaN.

    Attributes
    ----------
    times, drive
        [hbar/energy], [energy].
    position, velocity
        [length], [length energy/hbar].
    charge, heat
        ∫I dt and ∫J dt from every terminal into the device, none if the table has no such current [1], [energy].
    work, dissipated, load_work
        W_F, E_dis, W_load [energy].
    mechanical_energy
        Kinetic energy and that of the spring [energy].
    audit
        Mechanical energy gained minus (W_F − E_dis − W_load), over the largest of all terms so far [1].
    steps
        Of the integrator.
    outcome
        Code of an :class:`mesotherm.results.Outcome`: not finite if the part or the drive left the table.
    """

    times: Float[Array, "times"]
    drive: Float[Array, "times"]
    position: Float[Array, "times"]
    velocity: Float[Array, "times"]
    charge: Float[Array, "times terminals"]
    heat: Float[Array, "times terminals"]
    work: Float[Array, "times"]
    dissipated: Float[Array, "times"]
    load_work: Float[Array, "times"]
    mechanical_energy: Float[Array, "times"]
    audit: Float[Array, "times"]
    steps: Int[Array, ""]
    outcome: Int[Array, ""]


def move(
    mode: MechanicalMode,
    table: MotionTable,
    protocol: AbstractProtocol,
    times: Sequence[float] | Float[np.ndarray, "times"],
    *,
    position: float | Float[Array, ""] | None = None,
    velocity: float | Float[Array, ""] = 0.0,
    tolerance: float = 1e-11,
) -> Motion:
    """Mean motion: the equation of motion without noise, and what is transported on the way.

    Integrated by an adaptive Runge–Kutta method of eighth order, which ends a step at every corner of the protocol and
    at every given time. Batch it with ``jax.vmap`` over the mode, the table, the drives of a protocol, and the initial
    position and velocity; times are common to a batch.

    Parameters
    ----------
    times
        Rising; the motion starts at the first [hbar/energy].
    position, velocity
        At the first time; at rest where the spring is, if not given [length], [length energy/hbar].
    tolerance
        Of a step, relative to each variable (and to the spring's scales where one vanishes) [1].

    Errors: ``ValueError`` for times that do not rise. ``audit`` says how well energy is conserved.

    Examples
    --------
    A dot that a sudden bias pushes ends where the whole force vanishes.

    >>> from mesotherm.motion_table import tabulate
    >>> from mesotherm.protocols import Constant
    >>> def pushed(x, V):
    ...     return {"force": V * jnp.exp(-x), "particle_current": V * jnp.array([1.0, -1.0])}
    >>> table = tabulate(pushed, jnp.linspace(-1, 5, 301))
    >>> found = move(MechanicalMode(1.0, 1.0, damping_ratio=0.5), table, Constant(1.0), [0.0, 100.0])
    >>> print(found.position.round(6), found.charge[-1].round(6))
    [0.       0.567143] [ 100. -100.]
    """
    stops = np.array(times, float)
    if not (stops.ndim == 1 and len(stops) >= 2 and np.all(np.isfinite(stops)) and np.all(np.diff(stops) > 0)):
        raise ValueError(f"move: times = {stops.tolist()[:9]} ... are not allowed; give two or more that rise.")
    corners = protocol.corners(stops[0], stops[-1])
    every = np.union1d(stops, corners)
    x = mode.rest_position if position is None else as_array(position)
    return motion_through(mode, table, protocol, every, np.searchsorted(every, stops), x, as_array(velocity), tolerance)


@eqx.filter_jit
def motion_through(
    mode: MechanicalMode,
    table: MotionTable,
    protocol: AbstractProtocol,
    every: Float[Array, "all_times"] | Float[np.ndarray, "all_times"],
    kept: Int[Array, "times"] | Int[np.ndarray, "times"],
    x: Float[Array, ""],
    v: Float[Array, ""],
    tolerance: float,
) -> Motion:
    """As :func:`move`, with all corners of the protocol given: nothing here needs to be known while it is compiled.

    Parameters
    ----------
    every
        Times in their order, the corners among them; two may be the same [hbar/energy].
    kept
        Which of them are reported; the first is the first of all.
    x, v
        At the first [length], [length energy/hbar].

    Errors: none raised.
    """
    currents = [name for name in CURRENTS if table.has(name)]
    names = ("force", *currents, *(["friction"] if table.has("friction") else []))

    # What the integrator sees is of the order of one: positions over a tenth of the table, times over those of the
    # spring (or of the force, where that is stiffer), currents over the largest.
    drive = protocol.value(jnp.concatenate([every, 0.5 * (every[1:] + every[:-1])]))
    unit = jnp.maximum(jnp.max(jnp.abs(drive)), 1e-100) if table.powers == (1,) else 1.0
    length = 0.1 * (table.end - table.start)
    stiffness = jnp.maximum(mode.stiffness, unit * table.largest["force"] / length)
    stiffness = jnp.where(stiffness > 0, stiffness, 1.0)
    rate, energy = jnp.sqrt(stiffness / mode.mass), stiffness * length**2
    scale = {"x": length, "v": length * rate, "work": energy, "dissipated": energy}
    scale |= {n: unit * jnp.where(table.largest[n] > 0, table.largest[n], 1.0) / rate for n in currents}

    def motion(t, state, stretch):
        begin, end, alive = stretch
        x, v = state["x"] * length, state["v"] * scale["v"]
        spare = jnp.maximum(SPARE * (end - begin), ROUNDING * jnp.maximum(jnp.abs(begin), jnp.abs(end)))
        drive = protocol.value(jnp.clip(t, begin + spare, end - spare))
        at = combined(table.by_power(x, table.drive_interval(drive), names), table.weights(drive))
        nu = mode.nu + (at["friction"][0] if "friction" in at else 0.0)
        force = at["force"][0]
        change = {"x": v, "v": (force + mode.force(x) - nu * v) / mode.mass, "work": force * v, "dissipated": nu * v**2}
        change |= {n: jnp.stack(at[n]) for n in currents}
        return {n: jnp.where(alive, change[n] / scale[n], 0.0) for n in state}

    def norm(error):
        size = optimistix.rms_norm(error)
        return jnp.where(jnp.isfinite(size), size, jnp.inf)  # a stage outside of the table: try a shorter step

    def at_edge(t, state, stretch, **_):
        x = state["x"] * length
        return (x < table.start + table.spacing) | (x > table.end - table.spacing)

    def advance(carry, stretch):
        state, step, steps, outcome = carry
        begin, end = stretch
        solution = diffrax.diffeqsolve(
            diffrax.ODETerm(motion),
            diffrax.Dopri8(),
            begin,
            end,
            jnp.minimum(step, end - begin),
            state,
            args=(begin, end, outcome == 0),
            saveat=diffrax.SaveAt(t1=True),
            stepsize_controller=diffrax.PIDController(
                rtol=tolerance, atol=1e-2 * tolerance, norm=norm, dtmin=LEAST_STEP / rate, force_dtmin=False
            ),
            event=diffrax.Event(at_edge),
            max_steps=MOST_STEPS,
            adjoint=diffrax.ForwardMode(),
            throw=False,
        )
        ended, stopped = solution.result == RESULTS.successful, solution.result == RESULTS.max_steps_reached
        now = jnp.where(ended, Outcome.CONVERGED, jnp.where(stopped, Outcome.NOT_CONVERGED, Outcome.NOT_FINITE))
        outcome = jnp.where(outcome == 0, now, outcome)
        state = jax.tree.map(lambda new, old: jnp.where(outcome == 0, new[-1], old), solution.ys, state)
        taken = solution.stats["num_accepted_steps"]
        step = jnp.where(taken > 1, (end - begin) / jnp.maximum(taken, 1), jnp.maximum(step, end - begin))
        return (state, step, steps + solution.stats["num_steps"], outcome), (state, outcome)

    begun = {
        "x": x,
        "v": v,
        "work": 0.0,
        "dissipated": 0.0,
        **{n: jnp.zeros(dict(table.quantities)[n]) for n in currents},
    }
    begun = {n: begun[n] / scale[n] for n in begun}
    first = (begun, 0.01 / rate, jnp.array(0), jnp.array(int(Outcome.CONVERGED)))
    (_, _, steps, outcome), (states, outcomes) = jax.lax.scan(advance, first, (every[:-1], every[1:]))
    states = jax.tree.map(lambda start, later: jnp.concatenate([start[None], later])[kept], begun, states)
    good = jnp.concatenate([jnp.ones(1, bool), outcomes == 0])[kept]
    found = {n: jnp.where(good.reshape(-1, *[1] * (states[n].ndim - 1)), states[n] * scale[n], jnp.nan) for n in states}
    x, v, work, dissipated = (found[n] for n in ("x", "v", "work", "dissipated"))
    load_work = -mode.external_force * (x - x[0])
    mechanical = 0.5 * mode.mass * v**2 + mode.stored(x)
    terms = jnp.stack([mechanical - mechanical[0], -work, dissipated, load_work])
    largest = jnp.maximum(jax.lax.cummax(jnp.max(jnp.abs(terms), axis=0)), jnp.finfo(float).tiny)
    times = jnp.asarray(every[kept])
    none = jnp.zeros((len(kept), 0))
    return Motion(
        times=times,
        drive=protocol.value(times),
        position=x,
        velocity=v,
        charge=found.get("particle_current", none),
        heat=found.get("heat_current", none),
        work=work,
        dissipated=dissipated,
        load_work=load_work,
        mechanical_energy=mechanical,
        audit=jnp.sum(terms, axis=0) / largest,
        steps=steps,
        outcome=outcome,
    )
