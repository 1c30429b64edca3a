"""A resistor that an engine drives: what is dissipated in it heats its surroundings."""

from typing import ClassVar

import jax.numpy as jnp
from jaxtyping import Array, Float

from mesotherm.conventions import EPSILON
from mesotherm.device import AbstractDevice, Answer, Effort, InverseTemperature, Response
from mesotherm.fields import FieldError, names, parameter

SMALL_BIAS = 1e-3
"""In units of 2 k_B T: below it x coth x is taken from its series, to 2e-14."""


class LoadResistor(AbstractDevice):
    r"""An ohmic resistor between two terminals; the work done on it becomes heat in a third, its surroundings.

    .. math:: I_1 = -I_2 = \frac{\mu_1 - \mu_2}{e^2 R}, \qquad J_1 = J_2 = 0, \qquad
              -J_\text{surroundings} = \frac{(\mu_1 - \mu_2)^2}{e^2 R} = P_\text{load}

    In a ``Combined`` device with an engine between the same two terminals and a ``VoltageProbe`` on one of them, the
    operating point is found: there the currents of engine and load cancel. No particles are then left for the
    reservoirs, so that the ``power`` they receive is zero: the ``load_power`` is what the engine produces, and the heat
    that the surroundings take in.

    Source: Josefsson et al., Nature Nanotechnology 13, 920 (2018), for an engine that drives a resistor.

    Assumes: a linear resistor that is as hot as its surroundings and gives all heat to them; its one-way flux is that
    of electrons that pass with rates in detailed balance, :math:`\frac{b}{e^2 R} \coth\frac{b}{2 k_B T}`, with the bias
    b.

    Examples
    --------
    >>> from mesotherm import Reservoirs
    >>> load = LoadResistor(("L", "R", "surroundings"), 4.0)
    >>> value = load.response(Reservoirs([2, 0, 0], [1, 1, 1])).value
    >>> value.particle.tolist(), value.energy.tolist()
    ([0.5, -0.5, 0.0], [1.0, -0.0, -1.0])
    """

    points_together: ClassVar[int] = 128
    terminals: tuple[str, ...] = names("the two terminals it connects, then its surroundings, which it heats", most=3)
    resistance: Float[Array, ""] = parameter(
        "resistance R; infinite: no load", unit="hbar/e^2", low=0.0, open_low=True, infinite=True
    )

    def __check_init__(self):
        if len(self.terminals) != 3:
            raise FieldError(
                "terminals",
                f"LoadResistor: terminals = {list(self.terminals)}; name three, the two that it connects and its "
                "surroundings.",
            )

    @property
    def conductors(self) -> tuple[tuple[str, ...], ...]:
        return self.terminals[:2], self.terminals[2:]

    @property
    def floating_reservoir(self) -> InverseTemperature:
        """Either will do: no current depends on a temperature."""
        return InverseTemperature()

    def effort_of_iterations(self, effort):
        """It takes none: a closed form."""
        return Effort.ROUGH

    @property
    def has_load(self):
        return True

    def load_power(self, reservoirs):
        bias = reservoirs.mu[0] - reservoirs.mu[1]
        return bias * bias / self.resistance

    def response(self, reservoirs, effort=Effort.STRICT):
        """Currents, with the bound on their rounding."""
        (first, second, _), T = reservoirs.mu, reservoirs.T[2]
        bias = first - second
        flow, heat = bias / self.resistance, self.load_power(reservoirs)
        both = 2 * T / self.resistance * _x_coth_x(bias / (2 * T))
        nothing, none = jnp.zeros(()), jnp.zeros(0)
        particle_error, heat_error = 4 * EPSILON * jnp.abs(flow), 4 * EPSILON * heat
        # first·flow − second·flow is −heat only up to rounding, which belongs to the heat of the surroundings
        heat_error = heat_error + 2 * EPSILON * (jnp.abs(first) + jnp.abs(second)) * jnp.abs(flow)
        carried = 2 * EPSILON * jnp.abs(jnp.stack([first, second]) * flow)
        return Answer(
            value=Response(jnp.stack([flow, -flow, nothing]), jnp.stack([first * flow, -second * flow, -heat]), none),
            error=Response(jnp.stack([particle_error, particle_error, nothing]), jnp.append(carried, heat_error), none),
            one_way=Response(jnp.stack([both, both, nothing]), jnp.stack([nothing, nothing, heat]), none),
        )

    @classmethod
    def example(cls) -> "LoadResistor":
        """As large as the resistance of one open channel of one spin, 2π."""
        return cls(("L", "R", "surroundings"), 6.283185307179586)


def _x_coth_x(x):
    small = jnp.abs(x) < SMALL_BIAS
    safe = jnp.where(small, 1.0, x)
    return jnp.where(small, 1 + x * x / 3, safe / jnp.tanh(safe))
