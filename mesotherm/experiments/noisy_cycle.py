"""A cycle of the drive under thermal noise: what many particles do on the average."""

import dataclasses
from typing import ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from mesotherm.experiments.moving_cycle import LARGEST_AUDIT, AbstractMovingCycle
from mesotherm.fields import count, parameter
from mesotherm.langevin import ensemble
from mesotherm.observables import Variable
from mesotherm.results import Outcome
from mesotherm.thermodynamics import energy_of_motion, violation


class NoisyCycle(AbstractMovingCycle):
    r"""Drive a moving part through cycles under thermal noise: means over many particles, with standard errors.

    .. math::
        M \ddot x = -k (x - x_0) - [\nu + \gamma_\text{el}(x)]\,\dot x + F(x, V(t)) + F_\text{ext} - \xi, \qquad
        \langle \xi(t)\, \xi(t') \rangle = [2 T \nu + D_\text{el}(x)]\, \delta(t - t')

    The particles start from the thermal state of spring and load, displaced by ``displacement``, and pass the
    preparation of the cycle and ``cycles_before`` cycles. Every point of a sweep has the same random numbers.

    Source: Mehring, Bustos-Marún & Calvo, PRB 109, 085418 (2024), Eqs. 3, 6, 26 and Figs. 8 and 9.

    Needs: one unknown, an ``equilibrium_position`` of one part.

    Assumes: electrons much faster than the part. The drive is constant during a time step: its jumps should fall
    between two, and a step should be well below the time 1/ω of the stiffest place (its error is of order (ωh)²/24).

    Errors: ``standard_error_X`` is the standard error of the mean X of independent particles.
    """

    title: ClassVar[str] = "noisy cycle"

    _: dataclasses.KW_ONLY
    temperature: Float[Array, ""] = parameter(
        "temperature of the bath that rubs and shakes the part", unit="energy/k_B", low=0.0
    )
    particles: int = count("particles", low=2, default=1000)
    steps: int = count("time steps of a cycle, an even number (and as many of its preparation)", low=2, default=1000)
    seed: int = count("of the random numbers", low=0, default=0)

    @property
    def points(self):
        return 1

    def prepare(self, setup):
        if self.steps % 2:
            raise ValueError(f"{self.title}: steps = {self.steps} is odd; give an even number.")
        return super().prepare(setup)

    def coordinates(self, setup):
        return {}

    def variables(self, setup):
        described = super().variables(setup)
        for name in ("phase", "position", self.drive):
            del described[name]
        return described | {
            **self.per_cycle(),
            "mean_position": Variable("position at the end of the cycle, averaged over particles", r"\bar x", "length"),
            "position_spread": Variable(
                "standard deviation of the position at the end of the cycle", r"\sigma_x", "length"
            ),
        }

    def measure(self, setup, effort):
        driven, mode = self.moving(setup)
        table, _ = self.tables(driven, mode)
        period, root = self.cycle.period, jax.random.key(self.seed)
        spread = jnp.sqrt(self.temperature * mode.stiffness) / mode.stiffness
        first, second = jax.random.normal(jax.random.fold_in(root, 2**31), (2, self.particles))
        x = mode.rest_position + mode.external_force / mode.stiffness + self.displacement + spread * first
        v = jnp.sqrt(self.temperature / mode.mass) * second

        def pass_cycle(state, stage):
            number, start, duration = stage
            found = ensemble(
                mode,
                table,
                self.cycle,
                temperature=self.temperature,
                particles=self.particles,
                time_step=duration / self.steps,
                steps=self.steps,
                key=jax.random.fold_in(root, number),
                start=start,
                position=state[0],
                velocity=state[1],
            )
            spent = {
                "cycle_charge": found.charge,
                "cycle_heat": found.heat,
                "cycle_work": found.work,
                "cycle_dissipation": found.dissipated,
                "cycle_load_work": found.load_work,
            }
            return (found.position, found.velocity), (spent, jnp.max(found.audit))

        def pass_stage(state, stage):
            """A cycle, or the preparation, which may take no time."""
            nothing = jax.tree.map(lambda like: jnp.zeros(like.shape), jax.eval_shape(pass_cycle, state, stage)[1])
            return jax.lax.cond(stage[2] > 0, pass_cycle, lambda state, _: (state, nothing), state, stage)

        cycles = self.cycles_before + 1
        starts = jnp.concatenate([self.start[None], period * jnp.arange(float(cycles))])
        durations = jnp.concatenate([-self.start[None], jnp.full(cycles, period)])
        (x, v), (spent, audit) = jax.lax.scan(pass_stage, (x, v), (jnp.arange(cycles + 1), starts, durations))
        out = {}
        for name, values in {**{n: passed[-1] for n, passed in spent.items()}, "mean_position": x}.items():
            out[name] = jnp.mean(values, axis=0)
            out[f"standard_error_{name}"] = jnp.std(values, axis=0, ddof=1) / jnp.sqrt(self.particles)
        status = jnp.where(jnp.all(jnp.isfinite(x)), Outcome.CONVERGED, Outcome.OUT_OF_REACH)
        law = jnp.stack([violation(*energy_of_motion(audit, LARGEST_AUDIT))])
        return out | {
            "position_spread": jnp.std(x, ddof=1),
            "status": status,
            "law_violation": law,
            **self.judged(driven, table),
        }
