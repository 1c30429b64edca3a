r"""Ensembles of particles with thermal noise, pushed by currents along a mechanical coordinate.

.. math::
    M \ddot x = -k (x - x_0) - [\nu + \gamma_\text{el}(x)]\,\dot x + F(x, V(t)) + F_\text{ext} - \xi, \qquad
    \langle \xi(t)\, \xi(t') \rangle = [2 T \nu + D_\text{el}(x)]\, \delta(t - t')

Electrons follow at once, as in :mod:`mesotherm.mean_motion`. D_el is the table's "noise", or 2Tγ_el, that of
equilibrium.

Integrated by BAOAB: kicks (B) of half a step, flights (A) of half a step, and in the middle of the step the exact
solution (O) of friction and noise at the position there. At constant friction its positions have no error in a harmonic
well and one of the fourth order of the step elsewhere, in equilibrium at strong friction; at any friction one of second
order. Random numbers are a function of key, particle and step (Threefry), so that results do not depend on how
particles are split into batches.

**Never draw the random force once per stage of a Runge–Kutta step**: the stages' weights are squared and summed,
(1² + 2² + 2² + 1²)/6² = 10/36, so that the noise is that of 0.28 T.

Source: Mehring, Bustos-Marún & Calvo, PRB 109, 085418 (2024), Eqs. 3, 6, 21, 24–26; Leimkuhler & Matthews, J. Chem.
Phys. 138, 174102 (2013) (BAOAB); Salmon, Moraes, Dror & Shaw, Proc. SC11 (2011) (Threefry-2x32, 20 rounds); Box &
Muller, Ann. Math. Stat. 29, 610 (1958).

Assumes: electrons much faster than the part (k_B = ħ = e = 1, lengths in one unit throughout).
"""

import dataclasses
from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, UInt

from mesotherm.fields import as_array
from mesotherm.mechanical_mode import MechanicalMode
from mesotherm.motion_table import CURRENTS, MotionTable, combined
from mesotherm.protocols import AbstractProtocol

SUMS = ("work", "load_work", "dissipated", "bath_heat", "drive_work", "shadow_work")
"""Energies of an ensemble that are summed over its steps."""


class Ensemble(eqx.Module):
    """Particles with noise, each on its own, at the end of their motion and, if asked for, on the way.

    Attributes
    ----------
    position, velocity
        At the end [length], [length energy/hbar].
    charge, heat
        As in :class:`mesotherm.mean_motion.Motion`, trapezoidal rule of the steps [1], [energy].
    work, load_work, dissipated
        As in :class:`mesotherm.mean_motion.Motion`; what is dissipated in a step is its mean over the noise [energy].
    bath_heat
        What friction and noise together gave to the part [energy].
    drive_work
        −∫(∂W/∂V) dV, W = ∫F dx: by which changes of the drive raise the effective potential [energy].
    shadow_work
        What kicks and flights gained in energy, which they conserve exactly for vanishing steps [energy].
    audit
        Gain of kinetic energy and effective potential minus (bath_heat + drive_work + shadow_work), over the largest
        of these energies [1].
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
    Rates of escape see it most, at weak friction: at a damping ratio of 0.1 and barriers of 4 T they are too low by 1 %
    at ωh = 0.2 and by 4 % at 0.4.

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
    return _normals(threefry(key, one, jnp.broadcast_to(other, one.shape)))


def _normals(bits: Sequence[Array]) -> tuple[Array, Array]:
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


def _only(table: MotionTable, names: Sequence[str]) -> MotionTable:
    """The table of some quantities, without work: shorter rows take less time to read."""
    quantities, columns = tuple(q for q in table.quantities if q[0] in names), table.columns()
    width = table.rows.shape[-1] // len(table.powers)
    first = [k * width + 4 * c for k in range(len(table.powers)) for name, _ in quantities for c in columns[name]]
    rows = table.rows[:, [at + power for at in first for power in range(4)]]
    return dataclasses.replace(table, rows=rows, quantities=quantities)


@eqx.filter_jit
def _ensemble(mode, table, protocol, T, begun, clock, frames, every, words, numbers, kept, edges) -> Ensemble:
    (x, v), (start, h), M = begun, clock, mode.mass
    currents = [name for name in CURRENTS if table.has(name)]
    names = ("force", "work", *currents)
    electronic = tuple(name for name in ("friction", "noise") if table.has(name))
    slim = _only(table, electronic)

    def bath(x, drive_interval, weights):
        """What remains of a velocity, the standard deviation of what is added, and the mean gain of energy."""
        at = combined(slim.by_power(x, drive_interval, electronic), weights) if electronic else {}
        gamma = at["friction"][0] if "friction" in at else 0.0
        power = 2 * T * mode.nu + (at["noise"][0] if "noise" in at else 2 * T * gamma)
        z = (mode.nu + gamma) * h / M
        keep, small = jnp.exp(-z), jnp.abs(z) < 1e-3
        # (1 − exp(−2z))/2z; what the series leaves out and the difference loses is below 1e-13
        series = 1 - z * (1 - 2 / 3 * z * (1 - 0.5 * z * (1 - 0.4 * z)))
        part = jnp.where(small, series, (1 - keep * keep) / jnp.where(small, 1.0, 2 * z))
        return keep, jnp.sqrt(power * h * part) / M, 0.5 * power * h / M

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

    def bits(number):
        one, other = threefry(words, numbers, jnp.broadcast_to(number, numbers.shape))
        return (one.astype(jnp.uint64) << 32) | other

    def pair(number, state):
        # bits are drawn one pair ahead, as one word, so that they are stored: the compiler would draw them three times,
        # for the radius, the cosine and the sine
        one, other = _normals([(state["bits"] >> 32).astype(jnp.uint32), state["bits"].astype(jnp.uint32)])
        n = 2.0 * number.astype(float)
        return step(step(state, n, one), n + 1, other) | {"bits": bits(number + 1)}

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
    state["bits"] = bits(jnp.uint32(0))
    state, saved = jax.lax.scan(frame, state, jnp.arange(frames, dtype=jnp.uint32))
    sums = state["sums"]

    def energy(x, v, work):
        return 0.5 * M * v**2 + mode.stored(x) - mode.external_force * x - work

    before, after = energy(x, v, at["work"][0]), energy(state["x"], state["v"], state["work"])
    gain, parts = after - before, [sums[n] for n in ("bath_heat", "drive_work", "shadow_work")]
    largest = jnp.max(jnp.abs(jnp.stack([before, after, *parts])), axis=0)
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
