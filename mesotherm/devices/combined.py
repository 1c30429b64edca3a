"""Devices that share terminals, as one device: an engine and its load, a probe and the phonons it heats."""

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

import jax.numpy as jnp
import numpy as np

from mesotherm.conventions import EPSILON
from mesotherm.device import (
    AbstractDevice,
    Answer,
    Assumption,
    Effort,
    HasCoordinates,
    InverseTemperature,
    LogTemperature,
    Reservoirs,
    Response,
)
from mesotherm.devices.heat_leaks import PhononBath
from mesotherm.devices.thermalization_diode import ThermalizationDiode
from mesotherm.fields import FieldError, named_parts

EFFORTS = tuple(Effort)
"""From the least to the most."""


class Combined(HasCoordinates):
    r"""Several devices that share terminals: those of the same name are one, with one reservoir.

    Currents add,

    .. math:: I_\alpha = \sum_k I^{(k)}_\alpha, \qquad J^E_\alpha = \sum_k J^{E\,(k)}_\alpha

    Error bounds and one-way fluxes add as well. Terminals that share particles through several parts are one conductor.
    What names a part's own things, like ``weak_coupling`` among its assumptions, is named ``part_weak_coupling`` where
    several parts have such things.

    An engine with a load and a parasitic heat leak, or a conductor whose probe heats a bath of phonons: small devices
    like ``PhononBath``, ``ThermalConductance`` and ``LoadResistor``, whose terminals are named as it suits, go together
    with any other. Regions of the parts keep their potentials and charges.

    Energies at each terminal are added with their rounding, which grows with the distance of mu from the zero of
    energy.

    Assumes: parts that exchange energy and particles through reservoirs only; electrons do not pass from one part to
    another coherently; regions of different parts feel each other through capacitances only.

    Errors: ``FieldError`` for a part that shares no terminal with the others, and for two regions of one name.

    Examples
    --------
    A probe that heats phonons is colder than one that heats nothing (1.533):

    >>> from mesotherm import Reservoirs, ThermalizingProbe, steady_state
    >>> device = Combined.example()
    >>> device.terminals
    ('L', 'R', 'P', 'phonons')
    >>> state = steady_state(device, Reservoirs([0, 0, 0, 0], [2, 1, 1, 1]), [ThermalizingProbe("P")])
    >>> round(float(state.reservoirs.T[2]), 3)
    1.484
    """

    parts: dict[str, AbstractDevice] = named_parts("devices that share terminals")

    def __check_init__(self):
        if not self.parts:
            return  # the field's own check tells
        first, *others = self.parts
        joined, apart = set(self.parts[first].terminals), list(others)
        while reached := [name for name in apart if joined & set(self.parts[name].terminals)]:
            joined.update(*(self.parts[name].terminals for name in reached))
            apart = [name for name in apart if name not in reached]
        if apart:
            # the first part is the one astray where all others hang together
            lost = apart[0] if len(apart) < len(others) or len(others) == 1 else first
            theirs = {terminal for name, part in self.parts.items() if name != lost for terminal in part.terminals}
            raise FieldError(
                "parts",
                f"{type(self).__name__}: {lost!r} shares no terminal with the others; it has "
                f"{', '.join(self.parts[lost].terminals)}, they have {', '.join(sorted(theirs))}.",
            )
        if twice := [name for name in self.coordinates if self.coordinates.count(name) > 1]:
            raise FieldError("parts", f"{type(self).__name__}: two regions are named {twice[0]!r}; rename a part.")

    @property
    def coordinates(self) -> tuple[str, ...]:  # pyright: ignore[reportIncompatibleMethodOverride]
        return self._own_names(lambda part: part.coordinates if isinstance(part, HasCoordinates) else ())

    @property
    def q(self):
        return jnp.concatenate(
            [jnp.zeros(0), *(part.q for part in self.parts.values() if isinstance(part, HasCoordinates))]
        )

    def moved_to(self, q):
        moved, start = {}, 0
        for name, part in self.parts.items():
            if isinstance(part, HasCoordinates):
                size = len(part.coordinates)
                part, start = part.moved_to(q[start : start + size]), start + size
            moved[name] = part
        return dataclasses.replace(self, parts=moved)

    def time_reversed(self):
        mirrored = {name: part.time_reversed() for name, part in self.parts.items()}
        unchanged = all(mirrored[name] is part for name, part in self.parts.items())
        return self if unchanged else dataclasses.replace(self, parts=mirrored)

    @property
    def terminals(self) -> tuple[str, ...]:
        """Of the parts in the alphabetical order of their names, each where it first appears."""
        return tuple(dict.fromkeys(terminal for part in self.parts.values() for terminal in part.terminals))

    @property
    def conductors(self) -> tuple[tuple[str, ...], ...]:
        found: list[set[str]] = []
        for group in (set(group) for part in self.parts.values() for group in part.conductors):
            touched = [other for other in found if other & group]
            found = [other for other in found if other not in touched] + [group.union(*touched)]
        ordered = (tuple(name for name in self.terminals if name in group) for group in found)
        return tuple(sorted(ordered, key=lambda group: self.terminals.index(group[0])))

    @property
    def points_together(self) -> int:
        """As few as any of the parts."""
        return min(part.points_together for part in self.parts.values())

    @property
    def usual_probes(self) -> tuple[str, ...]:  # pyright: ignore[reportIncompatibleVariableOverride]
        return tuple(dict.fromkeys(name for part in self.parts.values() for name in part.usual_probes))

    @property
    def assumptions(self) -> Mapping[str, Assumption]:  # pyright: ignore[reportIncompatibleVariableOverride]
        names = self._own_names(lambda part: part.assumptions)
        return dict(zip(names, (one for part in self.parts.values() for one in part.assumptions.values()), strict=True))

    def assumption_values(self, reservoirs):
        values = [part.assumption_values(self._seen_by(part, reservoirs)) for part in self.parts.values()]
        return jnp.concatenate(values)

    @property
    def first_effort(self) -> Effort:
        """As much as any of the parts needs."""
        return _most(part.first_effort for part in self.parts.values())

    def effort_of_iterations(self, effort):
        """As much as any of the parts needs."""
        return _most(part.effort_of_iterations(effort) for part in self.parts.values())

    @property
    def floating_reservoir(self) -> LogTemperature | InverseTemperature:
        return _common(self.parts.values())

    def floating_reservoir_of(self, terminal):
        """Logarithmic where any part at the terminal is solved best so, with inverse temperatures where all are."""
        return _common(part for part in self.parts.values() if terminal in part.terminals)

    @property
    def has_load(self):
        return any(part.has_load for part in self.parts.values())

    def load_power(self, reservoirs):
        return sum((part.load_power(self._seen_by(part, reservoirs)) for part in self.parts.values()), jnp.zeros(()))

    def answer_of(self, name: str, reservoirs: Reservoirs, effort: Effort = Effort.STRICT) -> Answer:
        """What one part contributes, over its own terminals, at reservoirs of all terminals.

        Raises ``ValueError`` naming the parts there are.
        """
        if name not in self.parts:
            raise ValueError(f"there is no part {name!r}; there are {', '.join(self.parts)}.")
        return self.parts[name].response(self._seen_by(self.parts[name], reservoirs), effort)

    def response(self, reservoirs: Reservoirs, effort: Effort = Effort.STRICT) -> Answer:
        """The sum over all parts.

        Assumes: parts that exchange energy and particles through reservoirs only; electrons do not pass from one part
        to another coherently.
        """
        none = jnp.zeros(len(self.terminals))
        value, error, one_way = (Response(none, none, jnp.zeros(0)) for _ in range(3))
        size, stationary_states = none, jnp.ones(())
        for name, part in self.parts.items():
            at = self._positions(part)
            answer = self.answer_of(name, reservoirs, effort)
            value, error, one_way = (
                _added(total, at, one)
                for total, one in zip(
                    (value, error, one_way), (answer.value, answer.error, answer.one_way), strict=True
                )
            )
            carried = jnp.abs(answer.value.energy) + jnp.abs(reservoirs.mu[at] * answer.value.particle)
            size = size.at[at].add(carried)
            stationary_states = stationary_states * answer.stationary_states
        rounding = EPSILON * len(self.parts)
        particle = error.particle + rounding * jnp.where(self._shared(), one_way.particle, 0.0)
        heat = error.energy + rounding * jnp.where(self._shared(), size, 0.0)
        return Answer(value, Response(particle, heat, error.conjugate), one_way, stationary_states)

    def _positions(self, part: AbstractDevice) -> np.ndarray:
        return np.array([self.terminals.index(name) for name in part.terminals])

    def _shared(self) -> np.ndarray:
        """Whether several parts have a terminal: only there is anything rounded in adding."""
        count = Counter(name for part in self.parts.values() for name in part.terminals)
        return np.array([count[name] > 1 for name in self.terminals])

    def _seen_by(self, part: AbstractDevice, reservoirs: Reservoirs) -> Reservoirs:
        at = self._positions(part)
        return Reservoirs(reservoirs.mu[at], reservoirs.T[at])

    def _own_names(self, names: Callable[[AbstractDevice], Iterable[str]]) -> tuple[str, ...]:
        """Names that parts have given, with the part's own before them where several parts have any."""
        given = {name: tuple(names(part)) for name, part in self.parts.items()}
        if sum(map(bool, given.values())) < 2:
            return tuple(one for ones in given.values() for one in ones)
        return tuple(f"{name}_{one}" for name, ones in given.items() for one in ones)

    @classmethod
    def example(cls) -> "Combined":
        """A thermalization diode whose probe heats a bath of phonons."""
        parts = {"diode": ThermalizationDiode.example(), "electron_phonon": PhononBath(("P", "phonons"), 0.01)}
        return cls(parts)  # pyright: ignore[reportCallIssue]  (what is abstract is a property)


def _added(total: Response, at: np.ndarray, part: Response) -> Response:
    return Response(
        total.particle.at[at].add(part.particle),
        total.energy.at[at].add(part.energy),
        jnp.append(total.conjugate, part.conjugate),
    )


def _most(efforts: Iterable[Effort]) -> Effort:
    return max(efforts, key=EFFORTS.index)


def _common(parts: Iterable[AbstractDevice]) -> LogTemperature | InverseTemperature:
    inverse = all(isinstance(part.floating_reservoir, InverseTemperature) for part in parts)
    return InverseTemperature() if inverse else LogTemperature()
