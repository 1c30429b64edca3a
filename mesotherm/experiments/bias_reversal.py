"""Apply a bias or a temperature difference, then the opposite one."""

import dataclasses

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from mesotherm.device import Reservoirs
from mesotherm.experiments.experiment import AbstractExperiment, read, state_variables
from mesotherm.fields import is_traced, parameter, terminal_name
from mesotherm.observables import Variable
from mesotherm.results import Outcome
from mesotherm.unknowns import check_unknowns


class BiasReversal(AbstractExperiment):
    r"""Move the reservoirs of two terminals apart, then the other way, and compare.

    Forward: :math:`\mu_0 \pm V/2` and :math:`T_0 \pm \delta T/2` at left and right, about the values that both are
    given. Backward: the same with the opposite signs. The rectification of the currents of terminal ``left``, odd in
    the drive,

    .. math:: \mathcal R_X = \frac{X^F + X^B}{X^F - X^B}

    is zero where the currents are opposite and ±1 where one of them vanishes. It is NaN where both currents vanish
    within their bounds, and without any drive, where it is no number: those points have a status of their own.

    Source: Mehring, Bustos-Marún & Calvo, PRB 109, 085418 (2024), Eqs. 18 and 22.
    """

    bias: Float[Array, ""] = parameter("bias μ_left − μ_right of the forward direction", default=0.0)
    delta_temperature: Float[Array, ""] = parameter(
        "temperature difference T_left − T_right of the forward direction", unit="energy/k_B", default=0.0
    )
    left: str = terminal_name("terminal raised in the forward direction", default="L")
    right: str = terminal_name("terminal lowered in the forward direction", default="R")

    def prepare(self, setup):
        check_unknowns(setup.device, setup.unknowns)
        left, right = (setup.device.index(name) for name in (self.left, self.right))
        if left == right:
            raise ValueError(f"bias reversal: left and right are both {self.left!r}; name two different terminals.")
        for unknown in setup.probes:
            if unknown.terminal in (self.left, self.right):
                raise ValueError(f"bias reversal: terminal {unknown.terminal!r} floats, so it cannot be driven.")
        for name, values in (("mu", setup.reservoirs.mu), ("T", setup.reservoirs.T)):
            if not is_traced(values) and values[left] != values[right]:
                raise ValueError(
                    f"bias reversal: {name} of {self.left!r} is {float(values[left]):g} and of {self.right!r} "
                    f"{float(values[right]):g}, but the drive is what makes them differ; give both the same."
                )
        coldest = setup.reservoirs.T[left] - np.abs(np.asarray(self.delta_temperature)) / 2
        if not is_traced(coldest) and coldest <= 0:
            raise ValueError(
                f"bias reversal: delta_temperature = {float(self.delta_temperature):g} would cool a terminal below "
                f"zero; give less than twice its T = {float(setup.reservoirs.T[left]):g}."
            )
        return setup

    def variables(self, setup):
        per_direction = {
            name: dataclasses.replace(described, dimensions=("direction", *described.dimensions))
            for name, described in state_variables(setup).items()
        }
        rectification = "rectification of the {} of terminal " + self.left + ", odd in the drive"
        return {
            **per_direction,
            "odd_rectification_particle": Variable(rectification.format("particle current"), r"\mathcal{R}_I", "1"),
            "odd_rectification_heat": Variable(rectification.format("heat current"), r"\mathcal{R}_J", "1"),
        }

    def measure(self, setup, effort):
        left, right = (setup.device.index(name) for name in (self.left, self.right))
        signs = jnp.array([1.0, -1.0])
        ends = jnp.zeros(len(setup.device.terminals)).at[left].set(0.5).at[right].set(-0.5)
        mu = setup.reservoirs.mu + signs[:, None] * self.bias * ends
        T = setup.reservoirs.T + signs[:, None] * self.delta_temperature * ends
        out = setup.solve_each(Reservoirs(mu, T), effort, read)
        still = (self.bias == 0) & (self.delta_temperature == 0)
        for quantity in ("particle", "heat"):
            current, error = out[f"{quantity}_current"][:, left], out[f"error_{quantity}_current"][:, left]
            apart = current[0] - current[1]
            ratio = jnp.sum(current) / apart
            bound = jnp.sum(error) * (1 + jnp.abs(ratio)) / jnp.abs(apart)
            known = (bound < 1) & ~still
            out[f"odd_rectification_{quantity}"] = jnp.where(known, ratio, jnp.nan)
            out[f"error_odd_rectification_{quantity}"] = jnp.where(still, jnp.nan, bound)
        out["status"] = jnp.where(still, Outcome.NO_DRIVE, out["status"]).astype(out["status"].dtype)
        return out
