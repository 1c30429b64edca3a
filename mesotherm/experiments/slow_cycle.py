"""A cycle of the drive so slow that the moving part is always at rest."""

import dataclasses
from typing import ClassVar

import jax
import jax.numpy as jnp

from mesotherm.experiments.cycle import AbstractCycleExperiment, both, estimated
from mesotherm.fields import count
from mesotherm.observables import Variable
from mesotherm.quasi_static import quasi_static
from mesotherm.results import Outcome
from mesotherm.thermodynamics import downhill_jumps, violation


class SlowCycle(AbstractCycleExperiment):
    r"""Drive a moving part through a cycle infinitely slowly: its loop of hysteresis.

    The part follows the position where the whole force on it vanishes, and jumps where that ends. All work of the
    electrons' force over a cycle, :math:`\oint F\,dx`, is lost in the jumps. The part starts where it comes to rest
    from its spring's rest at the first drive; the second cycle is reported.

    Source: Mehring, Bustos-Marún & Calvo, PRB 109, 085418 (2024), Eqs. 5, 24 and Fig. 6.

    Needs: a cycle without jumps of the drive; one unknown, an ``equilibrium_position`` of one part.

    Assumes: friction that leaves the part in the next well after a jump.

    Errors: ``estimate_X`` is how much half of the table's knots (of currents: half of the points, too) move X.
    """

    title: ClassVar[str] = "slow cycle"

    _: dataclasses.KW_ONLY
    steps: int = count("points of the cycle, an even number", low=8, default=200)

    @property
    def points(self):
        return self.steps

    def prepare(self, setup):
        if not self.cycle.is_continuous:
            raise ValueError(
                f"{self.title}: the drive of {type(self.cycle).__name__} jumps, which is never slow; use a sine or a "
                "triangle, or the experiment driven_cycle."
            )
        if self.steps % 2:
            raise ValueError(f"{self.title}: steps = {self.steps} is odd; give an even number.")
        return super().prepare(setup)

    def further_laws(self, setup):
        return ("downhill_jumps",)

    def variables(self, setup):
        return super().variables(setup) | {
            "cycle_work": Variable("work of the electrons' force in the cycle, all lost in jumps", "W_F", "energy"),
            "jumps": Variable("jumps of the part in the cycle", "n", "1"),
            "mean_particle_current": Variable(
                "particle current, averaged over the cycle", r"\bar I", "energy/hbar", ("terminal",)
            ),
            "mean_heat_current": Variable(
                "heat current, averaged over the cycle", r"\bar J", "energy^2/hbar", ("terminal",)
            ),
        }

    def measure(self, setup, effort):
        driven, mode = self.driven(setup), self.mechanics(setup)
        tables = self.tables(driven, mode)
        phase = jnp.linspace(0.0, 1.0, self.steps + 1)
        drive = self.cycle.in_cycle(jnp.where(phase < 1, phase, 0.0) * self.cycle.period)

        def follow(table):
            loop = quasi_static(mode, table, jnp.concatenate([drive, drive[1:]]))
            places = loop.position[self.steps :]
            second = jax.tree.map(lambda values: values[self.steps + 1 :], loop.to_each)
            found = table(places, drive)
            currents = {f"mean_{name}": jnp.trapezoid(found[name], phase, axis=0) for name in MEANS}
            halves = {f"mean_{name}": jnp.trapezoid(found[name][::2], phase[::2], axis=0) for name in MEANS}
            lost = jnp.where(jnp.isfinite(second.drive), second.dissipated, 0.0)
            return {"position": places, "cycle_work": jnp.sum(lost), **currents}, halves, lost

        found, halves, lost = jax.lax.map(follow, both(tables))
        fine, coarse = ({name: values[n] for name, values in found.items()} for n in (0, 1))
        out = estimated(fine, coarse)
        for name, values in halves.items():
            out[f"estimate_{name}"] = out[f"estimate_{name}"] + jnp.abs(values[0] - fine[name])
        there = jnp.all(jnp.isfinite(fine["position"]))
        status = jnp.where(there, Outcome.CONVERGED, Outcome.OUT_OF_REACH)
        law = violation(*downhill_jumps(lost[0], jnp.max(mode.stored(fine["position"]))))
        return out | {
            self.drive: drive,
            "jumps": jnp.sum(lost[0] != 0).astype(float),
            "law_violation": law[None],
            "status": status,
            **self.judged(driven, tables[0]),
        }


MEANS = ("particle_current", "heat_current")
"""Currents whose mean is reported."""
