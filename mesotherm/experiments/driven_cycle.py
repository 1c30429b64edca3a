"""A cycle of the drive that takes its time: mean motion of a part with a mass."""

import dataclasses
from typing import ClassVar

import jax
import jax.numpy as jnp

from mesotherm.experiments.cycle import both, estimated
from mesotherm.experiments.moving_cycle import LARGEST_AUDIT, AbstractMovingCycle
from mesotherm.fields import count
from mesotherm.mean_motion import motion_through
from mesotherm.observables import Variable
from mesotherm.results import Outcome
from mesotherm.thermodynamics import energy_of_motion, violation

TOLERANCE = 1e-10
"""Of a step of the integrator, relative."""

SAME_TIME = 1e-12
"""Part of the whole time below which two times are one."""


class DrivenCycle(AbstractMovingCycle):
    r"""Drive a moving part through cycles that take their time: its motion without noise.

    .. math::
        M \ddot x = -k (x - x_0) - [\nu + \gamma_\text{el}(x)]\,\dot x + F(x, V(t)) + F_\text{ext}

    from rest, through the preparation of the cycle and ``cycles_before`` cycles to the one that is reported. Where the
    part ends, and with it the charge that a cycle transports, can depend on damping and on the order of pulses: a
    symmetry that the dynamics breaks.

    Source: Mehring, Bustos-Marún & Calvo, PRB 109, 085418 (2024), Eqs. 6, 21, 24, 25 and Figs. 4, 6 and 7.

    Needs: one unknown, an ``equilibrium_position`` of one part.

    Assumes: electrons much faster than the part.

    Errors: ``estimate_X`` is how much half of the table's knots move X; ``closure`` says how far the cycle is from one
    that repeats.
    """

    title: ClassVar[str] = "driven cycle"

    _: dataclasses.KW_ONLY
    steps: int = count("times of the cycle that are reported", low=1, default=100)

    @property
    def points(self):
        return self.steps

    def variables(self, setup):
        terminal = ("phase", "terminal")
        return {
            **super().variables(setup),
            **self.per_cycle(),
            "passed_charge": Variable("electrons that entered since the cycle began", "Q(t)", "1", terminal),
            "mean_position": Variable("position, averaged over the cycle", r"\bar x", "length"),
            "closure": Variable("position at the end of the cycle minus that at its beginning", r"\Delta x", "length"),
        }

    def measure(self, setup, effort):
        driven, mode = self.moving(setup)
        tables = self.tables(driven, mode)
        period, zero = self.cycle.period, jnp.zeros(1)
        phase = jnp.linspace(0.0, 1.0, self.steps + 1)
        cycles = period * jnp.arange(self.cycles_before + 1.0)
        corners = (cycles[:, None] + self.cycle.corners_of_cycle()).ravel()
        reported = cycles[-1] + period * phase
        times = jnp.sort(jnp.concatenate([self.start[None], zero, corners, reported]))
        near = jnp.diff(times) < SAME_TIME * (times[-1] - times[0])
        times = jnp.concatenate([times[:1], jnp.where(near, times[:-1], times[1:])])
        kept = jnp.searchsorted(times, reported - SAME_TIME * (times[-1] - times[0]))
        kept = jnp.concatenate([jnp.zeros(1, kept.dtype), kept])
        x, v = mode.rest_position + self.displacement, jnp.zeros(())

        def follow(table):
            motion = motion_through(mode, table, self.cycle, times, kept, x, v, TOLERANCE)
            spent = {
                "cycle_charge": motion.charge,
                "cycle_heat": motion.heat,
                "cycle_work": motion.work,
                "cycle_dissipation": motion.dissipated,
                "cycle_load_work": motion.load_work,
            }
            place = motion.position[1:]
            found = {name: values[-1] - values[1] for name, values in spent.items()}
            found |= {
                "position": place,
                "passed_charge": motion.charge[1:] - motion.charge[1],
                "mean_position": jnp.trapezoid(place, phase),
                "closure": place[-1] - place[0],
            }
            return found, motion.drive[1:], motion.audit, motion.outcome

        found, drive, audit, outcome = jax.lax.map(follow, both(tables))
        fine, coarse = ({name: values[n] for name, values in found.items()} for n in (0, 1))
        out = estimated(fine, coarse)
        status = jnp.where(outcome[0] == Outcome.NOT_FINITE, Outcome.OUT_OF_REACH, outcome[0])
        law = jnp.stack([violation(*energy_of_motion(audit[0], LARGEST_AUDIT))])
        return out | {self.drive: drive[0], "status": status, "law_violation": law, **self.judged(driven, tables[0])}
