"""The mechanical part of a device: a mass on a spring, with friction and a load."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from mesotherm.fields import Component, FieldError, is_traced, parameter


class MechanicalMode(Component):
    """A mass on a spring.

    Examples
    --------
    >>> print(MechanicalMode(1000.0, 0.02, damping_ratio=0.1).nu.round(6))
    0.894427
    """

    mass: Float[Array, ""] = parameter("mass M", unit="hbar^2/energy/length^2", low=0.0, open_low=True)
    stiffness: Float[Array, ""] = parameter("stiffness k of the spring", unit="energy/length^2", low=0.0)
    rest_position: Float[Array, ""] = parameter("position x₀ where the spring is at rest", unit="length", default=0.0)
    damping_ratio: Float[Array, ""] = parameter("damping ratio ζ = ν/2√(Mk)", unit="1", low=0.0, default=0.0)
    friction: Float[Array, ""] = parameter("friction ν, instead of ζ", unit="hbar/length^2", low=0.0, default=0.0)
    external_force: Float[Array, ""] = parameter("external force F_ext", unit="energy/length", default=0.0)

    def __check_init__(self):
        given = (self.damping_ratio, self.friction)
        if not any(map(is_traced, given)) and np.any(np.asarray(given[0]) * np.asarray(given[1])):
            raise FieldError(
                "friction",
                f"MechanicalMode: friction = {self.friction} is given besides damping_ratio; give one of both.",
            )

    @property
    def nu(self) -> Float[Array, ""]:
        """Friction coefficient ν [hbar/length^2]."""
        return self.friction + 2 * self.damping_ratio * jnp.sqrt(self.mass * self.stiffness)

    def force(self, x: Float[Array, "*points"]) -> Float[Array, "*points"]:
        """Of the spring and of the load [energy/length]."""
        return self.external_force - self.stiffness * (x - self.rest_position)

    def stored(self, x: Float[Array, "*points"]) -> Float[Array, "*points"]:
        """Energy of the spring [energy]."""
        return 0.5 * self.stiffness * (x - self.rest_position) ** 2
