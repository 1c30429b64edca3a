r"""Motion in time of a mechanical coordinate that currents push: its mean, and ensembles with thermal noise.

.. math::
    M \ddot x = -k (x - x_0) - [\nu + \gamma_\text{el}(x)]\,\dot x + F(x, V(t)) + F_\text{ext} - \xi, \qquad
    \langle \xi(t)\, \xi(t') \rangle = [2 T \nu + D_\text{el}(x)]\, \delta(t - t')

Electrons follow at once (their forces and currents are those of a part at rest, from a
:class:`mesotherm.motion_table.MotionTable`), so that the charge that passes is the integral of the current at x(t).
D_el is the table's "noise", or 2Tγ_el, that of equilibrium. Energy is kept in the books all the way,

.. math::
    \Delta\big[\tfrac12 M \dot x^2 + \tfrac12 k (x-x_0)^2\big] = W_F - E_\text{dis} - W_\text{load}, \qquad
    W_F = \int F\,\dot x\,dt, \quad E_\text{dis} = \int (\nu + \gamma_\text{el})\,\dot x^2 dt, \quad
    W_\text{load} = -\int F_\text{ext}\,\dot x\,dt

**Ensembles** are integrated by BAOAB: kicks (B) of half a step, flights (A) of half a step, and in the middle of the
step the exact solution (O) of friction and noise at the position there. At constant friction its positions have no
error in a harmonic well and one of the fourth order of the step elsewhere, in equilibrium at strong friction; at any
friction one of second order. Random numbers are a function of key, particle and step (Threefry), so that results do
not depend on how particles are split into batches.

**Never draw the random force once per stage of a Runge–Kutta step**: the stages' weights are squared and summed,
(1² + 2² + 2² + 1²)/6² = 10/36, so that the noise is that of 0.28 T.

Source: Mehring, Bustos-Marún & Calvo, PRB 109, 085418 (2024), Eqs. 3, 6, 21, 24–26; Leimkuhler & Matthews, J. Chem.
Phys. 138, 174102 (2013) (BAOAB); Salmon, Moraes, Dror & Shaw, Proc. SC11 (2011) (Threefry-2x32, 20 rounds); Box &
Muller, Ann. Math. Stat. 29, 610 (1958).

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
from jaxtyping import Array, Float, Int, UInt

from mesotherm.fields import Component, FieldError, as_array, is_traced, parameter
from mesotherm.motion_table import Equilibria, MotionTable, combined
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

CURRENTS = ("particle_current", "heat_current")
"""What is integrated, if a table has it."""

SUMS = ("work", "load_work", "dissipated", "bath_heat", "drive_work", "shadow_work")
"""Energies of an ensemble that are summed over its steps."""


class MechanicalMode(Component):
    """A mass on a spring.

    Examples
    --------
    >>> print(MechanicalMode(1000.0, 0.02, damping_ratio=0.1).nu.round(6))
    0.894427
    """

    mass: Float[Array, ""] = parameter("mass M", unit="hbar^2/energy/length^2", low=0.0, open_low=True)
    stiffness: Float[Array, ""] = parameter("stiffness k of the spring", unit="energy/length^2", low=0.0)
    rest_position: Float[Array, ""] = parameter("position x₀ where the spring is at rest", unit="length", default=0.0)
    damping_ratio: Float[Array, ""] = parameter("damping ratio ζ = ν/2√(Mk)", unit="1", low=0.0, default=0.0)
    friction: Float[Array, ""] = parameter("friction ν, instead of ζ", unit="hbar/length^2", low=0.0, default=0.0)
    external_force: Float[Array, ""] = parameter("external force F_ext", unit="energy/length", default=0.0)

    def __check_init__(self):
        given = (self.damping_ratio, self.friction)
        if not any(map(is_traced, given)) and np.any(np.asarray(given[0]) * np.asarray(given[1])):
            raise FieldError(
                "friction",
                f"MechanicalMode: friction = {self.friction} is given besides damping_ratio; give one of both.",
            )

    @property
    def nu(self) -> Float[Array, ""]:
        """Friction coefficient ν [hbar/length^2]."""
        return self.friction + 2 * self.damping_ratio * jnp.sqrt(self.mass * self.stiffness)

    def force(self, x: Float[Array, "*points"]) -> Float[Array, "*points"]:
        """Of the spring and of the load [energy/length]."""
        return self.external_force - self.stiffness * (x - self.rest_position)

    def stored(self, x: Float[Array, "*points"]) -> Float[Array, "*points"]:
        """Energy of the spring [energy]."""
        return 0.5 * self.stiffness * (x - self.rest_position) ** 2


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
    return _move(mode, table, protocol, every, np.searchsorted(every, stops), x, as_array(velocity), tolerance)


class Ensemble(eqx.Module):
    """Particles with noise, each on its own, at the end of their motion and, if asked for, on the way.

    Attributes
    ----------
    position, velocity
        At the end [length], [length energy/hbar].
    charge, heat
        As in :class:`Motion`, trapezoidal rule of the steps [1], [energy].
    work, load_work, dissipated
        As in :class:`Motion`; what is dissipated in a step is its mean over the noise [energy].
    bath_heat
        What friction and noise together gave to the part [energy].
    drive_work
        −∫(∂W/∂V) dV, W = ∫F dx: by which changes of the drive raise the effective potential [energy].
    shadow_work
        What kicks and flights gained in energy, which they conserve exactly for vanishing steps [energy].
    audit
        Gain of kinetic energy and effective potential minus (bath_heat + drive_work + shadow_work), over the largest
        of all [1].
    times
        Of what follows [hbar/energy].
    path, path_charge, counts
        Positions, charges, and how many particles are in each bin; ``None`` if not asked for.
    """

    position: Float[Array, "particles"]
    velocity: Float[Array, "particles"]
    charge: Float[Array, "particles terminals"]
    heat: Float[Array, "particles terminals"]
    work: Float[Array, "particles"]
    load_work: Float[Array, "particles"]
    dissipated: Float[Array, "particles"]
    bath_heat: Float[Array, "particles"]
    drive_work: Float[Array, "particles"]
    shadow_work: Float[Array, "particles"]
    audit: Float[Array, "particles"]
    times: Float[Array, "frames"]
    path: Float[Array, "frames particles"] | None
    path_charge: Float[Array, "frames particles terminals"] | None
    counts: Float[Array, "frames bins"] | None


def ensemble(
    mode: MechanicalMode,
    table: MotionTable,
    protocol: AbstractProtocol,
    *,
    temperature: float | Float[Array, "particles"],
    particles: int,
    time_step: float,
    steps: int,
    key: Array,
    start: float = 0.0,
    position: float | Float[Array, "particles"] | None = None,
    velocity: float | Float[Array, "particles"] | None = None,
    every: int | None = None,
    edges: Sequence[float] | None = None,
    first_particle: int = 0,
) -> Ensemble:
    """Particles under one protocol, each with its own thermal noise.

    Parameters
    ----------
    temperature
        Of the bath; one for all or one for each particle [energy/k_B].
    time_step, steps
        The drive is constant during a step, as in its middle: jumps should fall between steps. An even number of them.
    key
        From ``jax.random.key``. Particle number n has the same noise in every batch.
    start
        Time at the start [hbar/energy].
    position, velocity
        At the start; drawn from the thermal state of spring and load alone, if not given.
    every
        Keep positions and charges of every such step (an even number that divides ``steps``).
    edges
        Keep, in place of these, how many particles lie between each two of these positions.
    first_particle
        Number of the first particle: a batch of many.

    Errors: ``ValueError`` for steps that are not even. Particles that leave the table are NaN from there on. The error
    of a step of h at the angular frequency ω of the stiffest place is of the order (ωh)²/24; keep ωh below 1.

    Examples
    --------
    >>> from mesotherm.motion_table import tabulate
    >>> from mesotherm.protocols import Constant
    >>> table = tabulate(lambda x, V: {"force": 0.0 * x}, jnp.linspace(-9, 9, 5))
    >>> mode = MechanicalMode(1.0, 1.0, damping_ratio=0.5)
    >>> options = dict(temperature=1.0, particles=5000, time_step=0.5, steps=40, key=jax.random.key(0))
    >>> found = ensemble(mode, table, Constant(0.0), **options)
    >>> print(jnp.var(found.position).round(1), jnp.var(found.velocity).round(1), bool(jnp.max(found.audit) < 1e-12))
    1.0 1.0 True
    """
    every = steps if every is None else every
    if steps < 2 or every < 2 or steps % 2 or every % 2 or steps % every or steps > 2**32:
        raise ValueError(
            f"ensemble: steps = {steps}, every = {every} are not allowed; steps is even and a multiple of every, which "
            f"is even, from 2 to {2**32}."
        )
    words = jax.random.bits(key, (2,), "uint32")
    numbers = jnp.arange(first_particle, first_particle + particles, dtype=jnp.uint32)
    one, other = normals(words, numbers, jnp.uint32(2**32 - 1))
    T = jnp.broadcast_to(as_array(temperature), (particles,))
    if position is None:
        position = mode.rest_position + (mode.external_force + jnp.sqrt(T * mode.stiffness) * one) / mode.stiffness
    velocity = jnp.sqrt(T / mode.mass) * other if velocity is None else velocity
    x, v = (jnp.broadcast_to(as_array(given), (particles,)) for given in (position, velocity))
    kept = "none" if every == steps and edges is None else "path" if edges is None else "counts"
    bins, clock = None if edges is None else as_array(edges), (as_array(start), as_array(time_step))
    pace = jnp.uint32(every)
    return _ensemble(mode, table, protocol, T, (x, v), clock, steps // every, pace, words, numbers, kept, bins)


def normals(
    key: UInt[Array, "2"], one: UInt[Array, "*numbers"], other: UInt[Array, ""]
) -> tuple[Float[Array, "*numbers"], Float[Array, "*numbers"]]:
    """Two independent standard normal numbers for each pair of counters, to single precision.

    Errors: none raised. No number is larger than 6.7; in 2³² draws one would be expected beyond 6.2.
    """
    bits = threefry(key, one, jnp.broadcast_to(other, one.shape))
    u, turn = ((b.astype(jnp.float32) + jnp.float32(0.5)) * jnp.float32(2.0**-32) for b in bits)
    radius, angle = jnp.sqrt(-2.0 * jnp.log(u)), jnp.float32(2 * np.pi) * turn
    return (radius * jnp.cos(angle)).astype(float), (radius * jnp.sin(angle)).astype(float)


def threefry(key: UInt[Array, "2"], one: Array, other: Array) -> tuple[Array, Array]:
    """64 random bits for each pair of 32-bit counters: Threefry-2x32 with 20 rounds, in a form that is compiled into
    the loop which uses them."""
    keys = (key[0], key[1], key[0] ^ key[1] ^ jnp.uint32(0x1BD11BDA))
    one, other = one + keys[0], other + keys[1]
    for block in range(5):
        for turn in ((13, 15, 26, 6), (17, 29, 16, 24))[block % 2]:
            one = one + other
            other = one ^ ((other << turn) | (other >> (32 - turn)))
        one, other = one + keys[(block + 1) % 3], other + keys[(block + 2) % 3] + jnp.uint32(block + 1)
    return one, other


class Residence(eqx.Module):
    """How long particles stay near each of several positions, and how often they go from one to another.

    Attributes
    ----------
    occupation, occupation_error
        Part of the time, and its standard error [1].
    passages
        How often a particle went from one (first dimension) to another.
    rate, rate_error
        Passages per time spent in the first, and standard errors [energy/hbar].
    """

    occupation: Float[np.ndarray, "cores"]
    occupation_error: Float[np.ndarray, "cores"]
    passages: Int[np.ndarray, "cores cores"]
    rate: Float[np.ndarray, "cores cores"]
    rate_error: Float[np.ndarray, "cores cores"]


def core_sets(found: Equilibria, part: float = 0.5) -> list[tuple[float, float]]:
    """An interval around each stable position: a part of the way to the barriers on both sides, or without an end."""
    edges = np.concatenate([[-np.inf], found.position, [np.inf]])
    at = np.flatnonzero(found.stable) + 1
    near = [edges[at] + part * (edges[at + side] - edges[at]) for side in (-1, 1)]
    return list(zip(*(side.tolist() for side in near), strict=True))


def residence(
    path: Float[Array, "frames particles"], interval: float, cores: Sequence[tuple[float, float]]
) -> Residence:
    """Occupations and rates of escape from positions at equal intervals of time.

    A particle belongs to the core it was in last: crossing a barrier and coming back is no escape. What comes before it
    first was in any is left out.

    Parameters
    ----------
    path
        Positions [length].
    interval
        Between two frames [hbar/energy].
    cores
        Lowest and highest position of each, apart from each other, see :func:`core_sets` [length].

    Errors: ``ValueError`` for less than two particles. Standard errors hold for many, which are independent. Rates lie
    below those of relaxation by the part of the time that is spent between cores, 2 % at barriers of 5 T.
    """
    x = np.asarray(path)
    if x.ndim != 2 or x.shape[1] < 2:
        raise ValueError(f"residence: path has shape {x.shape}; give frames of two or more particles.")
    inside = np.stack([(low <= x) & (x <= high) for low, high in cores])
    frames = np.where(inside.any(0), np.arange(len(x))[:, None], -1)
    last = np.maximum.accumulate(frames, axis=0)
    core = np.where(last >= 0, np.take_along_axis(inside.argmax(0), np.maximum(last, 0), axis=0), -1)

    # [cores, particles] and [cores, cores, particles]
    time = interval * np.stack([np.sum(core[:-1] == i, axis=0) for i in range(len(cores))])
    passages = np.array(
        [
            [np.sum((core[:-1] == i) & (core[1:] == j) & (i != j), axis=0) for j in range(len(cores))]
            for i in range(len(cores))
        ]
    )
    return Residence(
        *_ratio(time, np.broadcast_to(time.sum(0), time.shape)),
        passages.sum(-1),
        *_ratio(passages, np.broadcast_to(time[:, None], passages.shape)),
    )


# ---------------------------------------------------------------------------------------------------------------------


def _ratio(count: np.ndarray, time: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sums over particles (last dimension) divided by each other, and the standard error of it."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = count.sum(-1) / time.sum(-1)
        deviation = np.sqrt(np.sum((count - ratio[..., None] * time) ** 2, axis=-1))
        return ratio, deviation / time.sum(-1) * np.sqrt(count.shape[-1] / (count.shape[-1] - 1))


@eqx.filter_jit
def _move(mode, table, protocol, every, kept, x, v, tolerance) -> Motion:
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


@eqx.filter_jit
def _ensemble(mode, table, protocol, T, begun, clock, frames, every, words, numbers, kept, edges) -> Ensemble:
    (x, v), (start, h), M = begun, clock, mode.mass
    currents = [name for name in CURRENTS if table.has(name)]
    names = ("force", "work", *currents)
    electronic = tuple(name for name in ("friction", "noise") if table.has(name))

    def bath(x, drive_interval, weights):
        """What remains of a velocity, the standard deviation of what is added, and the mean gain of energy."""
        at = combined(table.by_power(x, drive_interval, electronic), weights) if electronic else {}
        gamma = at["friction"][0] if "friction" in at else 0.0
        power = 2 * T * mode.nu + (at["noise"][0] if "noise" in at else 2 * T * gamma)
        z = (mode.nu + gamma) * h / M
        small = jnp.abs(z) < 1e-6
        part = jnp.where(small, 1 - z, -jnp.expm1(-2 * z) / jnp.where(small, 1.0, 2 * z))
        return jnp.exp(-z), jnp.sqrt(power * h * part) / M, 0.5 * power * h / M

    drive = protocol.value(start + 0.5 * h)
    first = table.drive_interval(drive)
    always = None if electronic else bath(x, first, table.weights(drive))

    def step(state, n, noise):
        drive = protocol.value(start + (n + 0.5) * h)
        interval, weights = table.drive_interval(drive), table.weights(drive)
        x, v, read, sums = state["x"], state["v"], state["read"], state["sums"]
        if table.intervals[1] > 1:
            read = jax.lax.cond(interval == state["interval"], lambda: read, lambda: table.by_power(x, interval, names))
        at = combined(read, weights)

        kicked = v + 0.5 * h / M * (at["force"][0] + mode.force(x))
        middle = x + 0.5 * h * kicked
        keep, spread, given = always or bath(middle, interval, weights)
        thrown = keep * kicked + spread * noise
        end = middle + 0.5 * h * thrown
        read = table.by_power(end, interval, names)
        there = combined(read, weights)
        final = thrown + 0.5 * h / M * (there["force"][0] + mode.force(end))

        work = there["work"][0] - at["work"][0]
        kinetic = [0.5 * M * speed**2 for speed in (v, kicked, thrown, final)]
        gains = {
            "work": work,
            "load_work": -mode.external_force * (end - x),
            "dissipated": given - (keep**2 - 1) * kinetic[1] - 0.5 * M * spread**2,
            "bath_heat": kinetic[2] - kinetic[1],
            "drive_work": state["work"] - at["work"][0],
            "shadow_work": kinetic[3]
            - kinetic[2]
            + kinetic[1]
            - kinetic[0]
            - work
            - (end - x) * mode.force(0.5 * (end + x)),
            **{n: tuple(0.5 * h * (i + j) for i, j in zip(at[n], there[n], strict=True)) for n in currents},
        }
        sums = jax.tree.map(jnp.add, sums, gains)
        return {"x": end, "v": final, "read": read, "work": there["work"][0], "interval": interval, "sums": sums}

    def pair(number, state):
        one, other = normals(words, numbers, number)
        n = 2.0 * number.astype(float)
        return step(step(state, n, one), n + 1, other)

    def frame(state, number):
        state = jax.lax.fori_loop(number * (every // 2), (number + 1) * (every // 2), pair, state)
        if kept == "none":
            return state, {}
        if kept == "counts":
            return state, {"counts": jnp.histogram(state["x"], edges)[0]}
        charge = state["sums"].get("particle_current", ())
        charges = jnp.stack(charge, -1) if charge else jnp.zeros((len(x), 0))
        return state, {"path": state["x"], "path_charge": charges}

    read = table.by_power(x, first, names)
    at = combined(read, table.weights(drive))
    zero = jnp.zeros_like(x)
    sums = dict.fromkeys(SUMS, zero)
    sums |= {n: tuple(zero for _ in at[n]) for n in currents}
    state = {"x": x, "v": v, "read": read, "work": at["work"][0], "interval": first, "sums": sums}
    state, saved = jax.lax.scan(frame, state, jnp.arange(frames, dtype=jnp.uint32))
    sums = state["sums"]

    def energy(x, v, work):
        return 0.5 * M * v**2 + mode.stored(x) - mode.external_force * x - work

    gain = energy(state["x"], state["v"], state["work"]) - energy(x, v, at["work"][0])
    parts = [sums[n] for n in ("bath_heat", "drive_work", "shadow_work")]
    largest = jnp.max(jnp.abs(jnp.stack([gain, *parts])), axis=0)
    none = jnp.zeros((len(x), 0))
    charge, heat = (jnp.stack(sums[n], -1) if n in currents else none for n in CURRENTS)
    return Ensemble(
        position=state["x"],
        velocity=state["v"],
        charge=charge,
        heat=heat,
        **{n: sums[n] for n in sums if n not in currents},
        audit=jnp.abs(gain - sum(parts)) / jnp.maximum(largest, jnp.finfo(float).tiny),
        times=start + h * every * jnp.arange(1.0, frames + 1) if kept != "none" else jnp.zeros(0),
        **{name: saved.get(name) for name in ("path", "path_charge", "counts")},
    )
