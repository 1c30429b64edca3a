"""What a drive (a bias or a temperature difference) does in time.

A protocol is a function of time, with the times at which it is not smooth: an integrator of high order must not step
over a corner. Cycles repeat for ever; before t = 0 they can be prepared (``initialisation``), by a drive that goes in a
straight line from ``initial_drive`` to ``prepared_drive``. At a jump a protocol has its value after the jump.

Source: Mehring, Bustos-Marún & Calvo, PRB 109, 085418 (2024), insets of Figs. 4, 6 and 7, Fig. 9(a).
"""

import abc
import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from mesotherm.fields import Component, FieldError, is_traced, parameter


class AbstractProtocol(Component):
    """A drive as a function of time."""

    @abc.abstractmethod
    def value(self, t: Float[Array, "*times"] | float) -> Float[Array, "*times"]:
        """The drive at times of any shape [energy]."""

    @property
    @abc.abstractmethod
    def period(self) -> Float[Array, ""]:
        """After which it repeats; infinite if it does not [hbar/energy]."""

    @abc.abstractmethod
    def all_corners(self, t0: float, t1: float) -> np.ndarray:
        """Candidates for :meth:`corners`, in any order, outside the interval too."""

    def corners(self, t0: float, t1: float) -> Float[np.ndarray, "corners"]:
        """Times between two times, without them, at which the drive jumps or changes its slope [hbar/energy].

        Errors: ``ValueError`` inside functions that are compiled or batched over the protocol's times.
        """
        try:
            found = np.unique(self.all_corners(t0, t1))
        except jax.errors.TracerArrayConversionError as error:
            raise ValueError(
                f"{type(self).__name__}.corners: its times are not known while a function is compiled or batched over "
                "them; batch over its drives only."
            ) from error
        return found[(found > t0) & (found < t1)]


class Constant(AbstractProtocol):
    """A drive that stays as it is.

    Examples
    --------
    >>> float(Constant(0.2).value(7.0))
    0.2
    """

    drive: Float[Array, ""] = parameter("the drive")

    def value(self, t):
        return jnp.broadcast_to(self.drive, jnp.shape(t))

    @property
    def period(self):
        return jnp.array(jnp.inf)

    def all_corners(self, t0, t1):
        return np.zeros(0)


class Ramp(AbstractProtocol):
    """A drive that goes from one value to another in a straight line.

    Examples
    --------
    >>> Ramp(0.0, 0.1, start=5.0, duration=10.0).value(jnp.array([0.0, 10.0, 20.0])).tolist()
    [0.0, 0.05, 0.1]
    """

    initial_drive: Float[Array, ""] = parameter("drive before")
    final_drive: Float[Array, ""] = parameter("drive after")
    start: Float[Array, ""] = parameter("when it starts to change", unit="hbar/energy", default=0.0)
    duration: Float[Array, ""] = parameter("how long it changes", unit="hbar/energy", low=0.0, default=0.0)

    def value(self, t):
        return _straight(t, self.start, self.duration, self.initial_drive, self.final_drive)

    @property
    def period(self):
        return jnp.array(jnp.inf)

    def all_corners(self, t0, t1):
        return np.array(self.start) + np.array([0.0, self.duration])


class AbstractCycle(AbstractProtocol):
    """A drive that repeats, and how it is prepared before t = 0: without ``initialisation`` it repeats there too."""

    _: dataclasses.KW_ONLY
    initialisation: Float[Array, ""] = parameter(
        "duration of the preparation before t = 0", unit="hbar/energy", low=0.0, default=0.0
    )
    initial_drive: Float[Array, ""] = parameter("drive where the preparation starts, and before it", default=0.0)
    prepared_drive: Float[Array, ""] = parameter("drive where the preparation ends", default=0.0)

    @abc.abstractmethod
    def in_cycle(self, phase: Float[Array, "*times"]) -> Float[Array, "*times"]:
        """The drive at times from 0 to the period [energy]."""

    @abc.abstractmethod
    def corners_of_cycle(self) -> Float[Array, "corners"]:
        """Times from 0 to below the period at which the cycle is not smooth [hbar/energy]."""

    @property
    @abc.abstractmethod
    def extremes_of_cycle(self) -> tuple[Float[Array, ""], Float[Array, ""]]:
        """The lowest and the highest drive in a cycle [energy]."""

    @property
    @abc.abstractmethod
    def is_continuous(self) -> bool:
        """Whether the drive of the repeated cycle has no jumps."""

    @property
    def extremes(self) -> tuple[Float[Array, ""], Float[Array, ""]]:
        """The lowest and the highest drive, that of the preparation included [energy]."""
        low, high = self.extremes_of_cycle
        before = jnp.where(self.initialisation > 0, jnp.stack([self.initial_drive, self.prepared_drive]), low)
        return jnp.minimum(low, jnp.min(before)), jnp.maximum(high, jnp.max(before))

    def value(self, t):
        t = jnp.asarray(t, float)
        before = _straight(t, -self.initialisation, self.initialisation, self.initial_drive, self.prepared_drive)
        return jnp.where((t < 0) & (self.initialisation > 0), before, self.in_cycle(jnp.mod(t, self.period)))

    def all_corners(self, t0, t1):
        prepared, period = np.array(self.initialisation).item(), np.array(self.period).item()
        cycles = np.arange(np.floor(t0 / period), np.ceil(t1 / period) + 1)
        in_cycles = (cycles[:, None] * period + np.array(self.corners_of_cycle())).ravel()
        if prepared == 0:
            return in_cycles
        return np.append(in_cycles[in_cycles >= 0], [-prepared, 0.0])


class Sine(AbstractCycle):
    """A sin(2πt/τ).

    Examples
    --------
    >>> Sine(0.1, 100.0).value(jnp.array([0.0, 25.0])).tolist()
    [0.0, 0.1]
    """

    amplitude: Float[Array, ""] = parameter("amplitude A")
    cycle_time: Float[Array, ""] = parameter("period τ", unit="hbar/energy", low=0.0, open_low=True)

    @property
    def period(self):
        return self.cycle_time

    def in_cycle(self, phase):
        return self.amplitude * jnp.sin(2 * jnp.pi * phase / self.cycle_time)

    def corners_of_cycle(self):
        return jnp.zeros(0)

    @property
    def extremes_of_cycle(self):
        return -jnp.abs(self.amplitude), jnp.abs(self.amplitude)

    @property
    def is_continuous(self):
        return True


class Triangle(AbstractCycle):
    """Straight lines from 0 to A, to −A, and back to 0.

    Examples
    --------
    >>> Triangle(0.1, 100.0).value(jnp.array([0.0, 12.5, 25.0, 50.0, 75.0])).tolist()
    [0.0, 0.05, 0.1, 0.0, -0.1]
    """

    amplitude: Float[Array, ""] = parameter("amplitude A")
    cycle_time: Float[Array, ""] = parameter("period τ", unit="hbar/energy", low=0.0, open_low=True)

    @property
    def period(self):
        return self.cycle_time

    def in_cycle(self, phase):
        turns = 4 * phase / self.cycle_time
        return self.amplitude * jnp.where(turns < 1, turns, jnp.where(turns < 3, 2 - turns, turns - 4))

    def corners_of_cycle(self):
        return jnp.array([0.25, 0.75]) * self.cycle_time

    @property
    def extremes_of_cycle(self):
        return -jnp.abs(self.amplitude), jnp.abs(self.amplitude)

    @property
    def is_continuous(self):
        return True


class Square(AbstractCycle):
    """A in the first half of each period, −A in the second.

    Examples
    --------
    >>> Square(0.1, 100.0).value(jnp.array([0.0, 49.0, 50.0])).tolist()
    [0.1, 0.1, -0.1]
    """

    amplitude: Float[Array, ""] = parameter("amplitude A")
    cycle_time: Float[Array, ""] = parameter("period τ", unit="hbar/energy", low=0.0, open_low=True)

    @property
    def period(self):
        return self.cycle_time

    def in_cycle(self, phase):
        return jnp.where(phase < 0.5 * self.cycle_time, self.amplitude, -self.amplitude)

    def corners_of_cycle(self):
        return jnp.array([0.0, 0.5]) * self.cycle_time

    @property
    def extremes_of_cycle(self):
        return -jnp.abs(self.amplitude), jnp.abs(self.amplitude)

    @property
    def is_continuous(self):
        return False


class Pulses(AbstractCycle):
    """Levels one after another, each for its duration, again and again. What a cycle transports can depend on their
    order.

    Examples
    --------
    >>> Pulses([0.3, -0.3, 0.0], [10.0, 10.0, 20.0]).value(jnp.array([0.0, 15.0, 39.0, 40.0])).tolist()
    [0.3, -0.3, 0.0, 0.3]
    >>> Pulses([0.3, -0.3, 0.0], [10.0, 10.0, 20.0], order=-1).value(jnp.array([0.0, 25.0, 39.0])).tolist()
    [0.0, -0.3, 0.3]
    """

    levels: Float[Array, "pulses"] = parameter("drive during each pulse, in their order", column=True)
    durations: Float[Array, "pulses"] = parameter(
        "how long each pulse lasts", unit="hbar/energy", low=0.0, open_low=True, column=True
    )
    strength: Float[Array, ""] = parameter("factor by which all levels are multiplied", unit="1", default=1.0)
    order: Float[Array, ""] = parameter(
        "1: the pulses as they are given; -1: from the last to the first", unit="1", low=-1.0, high=1.0, default=1.0
    )

    def __check_init__(self):
        if jnp.ndim(self.levels) != 1 or jnp.shape(self.levels) != jnp.shape(self.durations) or not len(self.levels):
            raise FieldError(
                "durations",
                f"Pulses: durations has shape {jnp.shape(self.durations)}, levels has {jnp.shape(self.levels)}; "
                "give one or more levels and one duration for each.",
            )
        if not is_traced(self.order) and np.any(np.abs(np.asarray(self.order)) != 1):
            raise FieldError("order", f"Pulses: order = {self.order} is not allowed; give 1 or -1.")

    @property
    def period(self):
        return jnp.sum(self.durations)

    def _in_order(self, values):
        return jnp.where(self.order < 0, values[::-1], values)

    def in_cycle(self, phase):
        ends = jnp.cumsum(self._in_order(self.durations))[:-1]
        return self.strength * self._in_order(self.levels)[jnp.searchsorted(ends, phase, side="right")]

    def corners_of_cycle(self):
        return jnp.concatenate([jnp.zeros(1), jnp.cumsum(self._in_order(self.durations))[:-1]])

    @property
    def extremes_of_cycle(self):
        levels = self.strength * self.levels
        return jnp.min(levels), jnp.max(levels)

    @property
    def is_continuous(self):
        return False


# ---------------------------------------------------------------------------------------------------------------------


def _straight(t, start, duration, before, after):
    """From one value to another in a straight line; without a duration, at once."""
    through = (jnp.asarray(t, float) - start) / jnp.where(duration > 0, duration, 1.0)
    through = jnp.where(duration > 0, jnp.clip(through, 0.0, 1.0), jnp.where(through >= 0, 1.0, 0.0))
    return before + (after - before) * through
