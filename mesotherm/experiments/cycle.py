"""What experiments on cycles share: a device with one moving part, driven again and again in the same way."""

import abc
import dataclasses
from collections.abc import Mapping, Sequence
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from mesotherm.device import Assumption, Effort, HasPositions
from mesotherm.devices.linearised import Linearised
from mesotherm.driven import Drive, Driven
from mesotherm.experiments.experiment import (
    ASSUMPTION_VALUE,
    LAW_VIOLATION,
    STATUS,
    AbstractExperiment,
    Setup,
)
from mesotherm.fields import chosen_name, count, is_traced, parameter, part, terminal_name
from mesotherm.mechanical_mode import MechanicalMode
from mesotherm.mechanics import EquilibriumPosition
from mesotherm.motion_table import LEAST_KNOTS, MotionTable, fixed_tables
from mesotherm.observables import Variable
from mesotherm.protocols import AbstractCycle
from mesotherm.unknowns import check_unknowns

TINY = jnp.finfo(float).tiny


class AbstractCycleExperiment(AbstractExperiment):
    """One part of a device moves while two terminals are driven apart, about the values that both are given.

    Spring, load and the equilibrium that forces are counted from are those of the unknown ``equilibrium_position``.
    What electrons do is read from a table over positions (and drives), made for each point of a sweep.
    """

    _: dataclasses.KW_ONLY
    cycle: AbstractCycle = part("what the drive does, again and again")
    reach: Float[Array, ""] = parameter(
        "how far from where its spring is at rest the part may go", unit="length", low=0.0, open_low=True
    )
    drive: str = chosen_name("what is driven: bias or delta_temperature", of="drives", default=Drive.BIAS.value)
    left: str = terminal_name("terminal that a positive drive raises", default="L")
    right: str = terminal_name("terminal that it lowers", default="R")
    intervals: int = count("intervals of the table over positions, an even number", low=2 * LEAST_KNOTS, default=200)
    drive_intervals: int = count(
        "intervals of the table over drives, an even number; a linearised device needs none",
        low=2 * LEAST_KNOTS,
        default=16,
    )

    assumptions: ClassVar[Mapping[str, Assumption]] = {
        "fine_table": Assumption(
            "force and currents vary slowly over an interval of their table: its error, estimated, over their largest "
            "values (raise intervals or drive_intervals)",
            1e-4,
        )
    }
    title: eqx.AbstractClassVar[str]
    """What it is called in messages."""

    drives: ClassVar[tuple[str, ...]] = tuple(drive.value for drive in Drive)

    @property
    @abc.abstractmethod
    def points(self) -> int:
        """Of a cycle that are reported."""

    def prepare(self, setup):
        check_unknowns(setup.device, setup.unknowns)
        names = [unknown.name for unknown in setup.unknowns]
        unknown = setup.unknowns[0] if len(setup.unknowns) == 1 else None
        if not isinstance(unknown, EquilibriumPosition) or len(unknown.parts) != 1:
            raise ValueError(
                f"{self.title}: the unknowns are {', '.join(names) or 'none'}; exactly one is needed, an "
                "equilibrium_position of one part, which says what spring the part is on."
            )
        for name in (self.left, self.right):
            setup.device.index(name)
        if self.left == self.right:
            raise ValueError(f"{self.title}: left and right are both {self.left!r}; name two different terminals.")
        if not self.drive:
            raise ValueError(f"{self.title}: drive is empty; give one of {', '.join(self.drives)}.")
        for name, number in (("intervals", self.intervals), ("drive_intervals", self.drive_intervals)):
            if number % 2:
                raise ValueError(f"{self.title}: {name} = {number} is odd; give an even number.")
        for name, values in (("mu", setup.reservoirs.mu), ("T", setup.reservoirs.T)):
            if not is_traced(values) and np.ptp(np.asarray(values)):
                raise ValueError(
                    f"{self.title}: {name} is not the same of all reservoirs ({np.asarray(values).tolist()}), but the "
                    "drive is what makes them differ; give all the same."
                )
        if self.drive == Drive.DELTA_TEMPERATURE.value:
            coldest = setup.reservoirs.T[0] - 0.5 * jnp.maximum(*jnp.abs(jnp.stack(self.cycle.extremes)))
            if not is_traced(coldest) and coldest <= 0:
                raise ValueError(
                    f"{self.title}: the cycle would cool a terminal below zero; drive by less than twice its "
                    f"T = {float(setup.reservoirs.T[0]):g}."
                )
        return setup

    def laws(self, setup):
        return self.further_laws(setup)

    def coordinates(self, setup):
        return {"phase": np.linspace(0.0, 1.0, self.points + 1)}

    def variables(self, setup):
        driven = "bias of {}" if self.drive == Drive.BIAS.value else "temperature difference of {}"
        unit = "energy" if self.drive == Drive.BIAS.value else "energy/k_B"
        symbol = "V" if self.drive == Drive.BIAS.value else r"\delta T"
        return {
            "phase": Variable("part of the cycle that has passed", r"t/\tau", "1", ("phase",)),
            self.drive: Variable(driven.format(f"{self.left} against {self.right}"), symbol, unit, ("phase",)),
            "position": Variable("position of the part", "x", "length", ("phase",)),
            "status": STATUS,
            **LAW_VIOLATION,
            **ASSUMPTION_VALUE,
        }

    def mechanics(self, setup: Setup, **more: Float[Array, ""]) -> MechanicalMode:
        """Spring and load of the setup with mass and friction."""
        (unknown,) = setup.unknowns
        assert isinstance(unknown, EquilibriumPosition)  # by prepare()
        at = {"stiffness": unknown.stiffness, "rest_position": unknown.rest_position}
        at |= {"external_force": unknown.external_force}
        return MechanicalMode(**{"mass": jnp.ones(()), **more}, **{name: values[0] for name, values in at.items()})

    def shares_work(self, setup):
        return not isinstance(setup.device, Linearised)  # the table, where only the cycle or the mass is swept

    def first_effort(self, setup):
        return Effort.STRICT

    def driven(self, setup: Setup, *, friction: bool = False) -> Driven:
        """The device with its part, and what drives it."""
        (unknown,) = setup.unknowns
        assert isinstance(unknown, EquilibriumPosition)  # by prepare()
        assert isinstance(setup.device, HasPositions)
        at = setup.device.index(self.left)
        return Driven(
            setup.device,
            setup.reservoirs.mu[at],
            setup.reservoirs.T[at],
            Drive(self.drive),
            unknown.parts[0],
            electronic_friction=friction,
            left=self.left,
            right=self.right,
            reference=(unknown.mu, unknown.T),
        )

    def tables(self, driven: Driven, mode: MechanicalMode) -> tuple[MotionTable, MotionTable]:
        """What acts on the part, and the same from half the knots."""
        ends = mode.rest_position - self.reach, mode.rest_position + self.reach
        if isinstance(driven.device, Linearised):
            return fixed_tables(driven.at, ends, self.intervals)
        return fixed_tables(driven.at, ends, self.intervals, self.cycle.extremes, self.drive_intervals)

    def judged(self, driven: Driven, table: MotionTable) -> dict[str, Array]:
        """Values of the assumptions, those of the device at the largest drives."""
        errors = [table.error[name] / jnp.maximum(table.largest[name], TINY) for name in table.error]
        values = jnp.max(jnp.stack(errors))[None]
        if driven.device.assumptions:
            ends = [driven.device.assumption_values(driven.reservoirs(drive)) for drive in self.cycle.extremes]
            values = jnp.concatenate([jnp.max(jnp.stack(ends), axis=0), values])
        return {"assumption_value": values}


def estimated(fine: dict[str, Array], coarse: dict[str, Array]) -> dict[str, Array]:
    """Quantities from a table, and how much half of its knots move them."""
    return fine | {f"estimate_{name}": jnp.abs(fine[name] - coarse[name]) for name in fine}


def both(tables: Sequence[MotionTable]) -> MotionTable:
    """Two tables of one shape as a batch."""
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *tables)
