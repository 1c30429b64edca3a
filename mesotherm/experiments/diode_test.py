"""The diode test: heat one side, then the other."""

import dataclasses

import jax.numpy as jnp
from jaxtyping import Array, Float

from mesotherm.device import Reservoirs
from mesotherm.experiments.experiment import AbstractExperiment, read, state_variables
from mesotherm.fields import parameter, terminal_name
from mesotherm.observables import Variable
from mesotherm.unknowns import check_unknowns


class DiodeTest(AbstractExperiment):
    r"""Heat one terminal, then the other, and compare.

    Forward: ``hot`` at T + ΔT. Backward: ``cold`` at T + ΔT. Rectification, of the currents of terminal ``hot``:

    .. math:: \mathcal R_X = \frac{X^F + X^B}{|X^F| + |X^B|}

    It is NaN where both currents vanish within their bounds: the ratio is then not defined.

    Source: Balduque & Sánchez, PRL 134, 186301 (2025), Eq. 2.
    """

    delta_temperature: Float[Array, ""] = parameter(
        "temperature difference ΔT", unit="energy/k_B", low=0.0, open_low=True
    )
    hot: str = terminal_name("terminal heated in the forward direction", default="L")
    cold: str = terminal_name("terminal heated in the backward direction", default="R")

    def prepare(self, setup):
        check_unknowns(setup.device, setup.unknowns)
        for name in (self.hot, self.cold):
            setup.device.index(name)
        if self.hot == self.cold:
            raise ValueError(f"diode test: hot and cold are both {self.hot!r}; name two different terminals.")
        for unknown in setup.probes:
            if unknown.terminal in (self.hot, self.cold):
                raise ValueError(f"diode test: terminal {unknown.terminal!r} floats, so it cannot be heated.")
        return setup

    def variables(self, setup):
        per_direction = {
            name: dataclasses.replace(described, dimensions=("direction", *described.dimensions))
            for name, described in state_variables(setup).items()
        }
        rectification = "rectification of the {} of terminal " + self.hot
        return {
            **per_direction,
            "rectification_particle": Variable(rectification.format("particle current"), r"\mathcal{R}_I", "1"),
            "rectification_heat": Variable(rectification.format("heat current"), r"\mathcal{R}_J", "1"),
        }

    def measure(self, setup, effort):
        hot, cold = (setup.device.index(name) for name in (self.hot, self.cold))
        mu, T = setup.reservoirs.mu, setup.reservoirs.T
        heated = jnp.stack([T.at[i].add(self.delta_temperature) for i in (hot, cold)])
        out = setup.solve_each(Reservoirs(jnp.stack([mu, mu]), heated), effort, read)
        for quantity in ("particle", "heat"):
            current, error = out[f"{quantity}_current"][:, hot], out[f"error_{quantity}_current"][:, hot]
            total = jnp.sum(jnp.abs(current))
            ratio = jnp.sum(current) / total
            bound = jnp.sum(error) * (1 + jnp.abs(ratio)) / total
            out[f"rectification_{quantity}"] = jnp.where(bound < 1, ratio, jnp.nan)
            out[f"error_rectification_{quantity}"] = bound
        return out
