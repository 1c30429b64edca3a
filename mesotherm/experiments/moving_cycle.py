"""What experiments on motion in time share: a mass with friction, and cycles that pass before one is recorded."""

import dataclasses
from typing import ClassVar

import jax.numpy as jnp
from jaxtyping import Array, Float

from mesotherm.driven import Driven
from mesotherm.experiments.cycle import AbstractCycleExperiment
from mesotherm.experiments.experiment import Setup
from mesotherm.fields import FieldError, chosen_name, count, is_traced, parameter
from mesotherm.mechanical_mode import MechanicalMode
from mesotherm.observables import Variable

LARGEST_AUDIT = 1e-8
"""Of the energy of motion that may be missing, relative."""

FRICTION = "friction"
"""What slow electrons do beside their force."""


class AbstractMovingCycle(AbstractCycleExperiment):
    """A mass on a spring, with friction, in the last of several cycles."""

    _: dataclasses.KW_ONLY
    mass: Float[Array, ""] = parameter("mass M", unit="hbar^2/energy/length^2", low=0.0, open_low=True)
    damping_ratio: Float[Array, ""] = parameter("damping ratio ζ = ν/2√(Mk)", unit="1", low=0.0, default=0.0)
    friction: Float[Array, ""] = parameter("friction ν, instead of ζ", unit="hbar/length^2", low=0.0, default=0.0)
    electronic: str = chosen_name(
        '"friction": that of the electrons, and the noise of their force, act besides ν',
        of="electronic_effects",
        default="",
    )
    displacement: Float[Array, ""] = parameter(
        "where the part starts, from where its spring is at rest", unit="length", default=0.0
    )
    cycles_before: int = count("cycles that pass before the one that is reported", low=0, default=1)

    electronic_effects: ClassVar[tuple[str, ...]] = (FRICTION,)

    def __check_init__(self):
        given = (self.damping_ratio, self.friction)
        if not any(map(is_traced, given)) and self.damping_ratio * self.friction != 0:
            raise FieldError("friction", "friction is given besides damping_ratio; give one of both.")

    def further_laws(self, setup):
        return ("energy_of_motion",)

    def moving(self, setup: Setup) -> tuple[Driven, MechanicalMode]:
        """The driven device, with the friction of its electrons if that acts, and the mass on its spring."""
        mode = self.mechanics(setup, mass=self.mass, damping_ratio=self.damping_ratio, friction=self.friction)
        return self.driven(setup, friction=self.electronic == FRICTION), mode

    @property
    def start(self) -> Float[Array, ""]:
        """When the motion begins [hbar/energy]."""
        return jnp.asarray(-self.cycle.initialisation, float)

    def per_cycle(self) -> dict[str, Variable]:
        """What a cycle transports and does."""
        return {
            "cycle_charge": Variable("electrons that entered in the cycle", "Q", "1", ("terminal",)),
            "cycle_heat": Variable("heat that entered in the cycle", r"\mathcal{Q}", "energy", ("terminal",)),
            "cycle_work": Variable("work of the electrons' force in the cycle", "W_F", "energy"),
            "cycle_dissipation": Variable("energy that friction took in the cycle", r"E_\mathrm{dis}", "energy"),
            "cycle_load_work": Variable("work on the load in the cycle", r"W_\mathrm{load}", "energy"),
        }
