r"""Self-consistent mechanics: moving parts settle where the force of the electrons balances springs and loads."""

import dataclasses
from collections.abc import Sequence

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from mesotherm.device import AbstractDevice, HasPositions
from mesotherm.fields import as_array, names, parameter
from mesotherm.unknowns import AbstractUnknown


class EquilibriumPosition(AbstractUnknown):
    r"""Positions of moving parts on springs, where all forces on them vanish.

    .. math::
        F_j(x; \mu, T) - F_j(x; \mu_0, T_0) - k_j (x_j - x_{0j}) + F_{\mathrm{ext},j} = 0

    The force of the electrons in equilibrium at μ₀ and T₀, at the same position, is part of what k and x₀ describe; so
    x₀ is where the part rests without bias. Where several positions are possible, the one that is reached from
    equilibrium is found; a position that is given to the device is not used.

    Source: Mehring, Bustos-Marún & Calvo, PRB 109, 085418 (2024), Eqs. 5, 6 and 9.

    Assumes: a part that moves much more slowly than electrons pass, a harmonic spring.
    """

    parts: tuple[str, ...] = names("moving parts, named as the device's positions; others stay where they are")
    stiffness: Float[Array, "parts"] = parameter(
        "stiffness k of the springs", unit="energy/length^2", low=0.0, open_low=True, entries=("parts",)
    )
    mu: Float[Array, ""] = parameter("electrochemical potential μ₀ of the equilibrium", gauge=True)
    T: Float[Array, ""] = parameter("temperature T₀ of the equilibrium", unit="energy/k_B", low=0.0, open_low=True)
    rest_position: Float[Array, "parts"] = parameter(
        "positions x₀ without bias", unit="length", entries=("parts",), left_out=0.0, default=0.0
    )
    external_force: Float[Array, "parts"] = parameter(
        "forces F_ext of loads", unit="energy/length", entries=("parts",), left_out=0.0, default=0.0
    )

    def __post_init__(self):
        for name in ("stiffness", "rest_position", "external_force"):
            given = as_array(getattr(self, name))
            one_for_all = isinstance(given, jax.Array) and given.ndim == 0
            object.__setattr__(self, name, jnp.broadcast_to(given, (len(tuple(self.parts)),)) if one_for_all else given)

    @property
    def size(self):
        return len(self.parts)

    @property
    def about(self):
        return ", ".join(self.parts)

    @property
    def spectator(self):
        return False

    @property
    def relaxes(self):
        return True

    @property
    def several_solutions(self):
        return True

    @property
    def equilibrium(self):
        return self.mu, self.T

    @property
    def distance(self):
        return jnp.max(self.external_force**2 / self.stiffness)

    def approached(self, part):
        return dataclasses.replace(self, external_force=part * self.external_force)

    def check(self, device, floating):
        if not isinstance(device, HasPositions):
            raise ValueError(f"nothing in {type(device).__name__} can move; use a device with positions.")
        for one in self.parts:
            if one not in device.positions:
                raise ValueError(f"there is no moving part {one!r}; this device has {', '.join(device.positions)}.")

    def prepared(self, device):
        assert isinstance(device, HasPositions)  # by check()
        return self._moved(device, self.rest_position).counted_from(self.mu, self.T)

    def at_rest(self, device):
        return self._moved(device, self.rest_position)

    def reference(self, device, reservoirs, floating):
        return reservoirs

    def impose(self, y, device, reference):
        assert isinstance(device, HasPositions)  # by check()
        at = _at(device, self.parts)
        return device.moved_to(device.q.at[at].add(self._lengths(device) * y)), reference

    def balance(self, device, reservoirs, answer, effort):
        assert isinstance(device, HasPositions)  # by check()
        at, lengths = _at(device, self.parts), self._lengths(device)
        unit = self.stiffness * lengths
        drawn = self.stiffness * (device.q[at] - self.rest_position)
        total = -answer.value.conjugate[at] - drawn + self.external_force
        scale = answer.one_way.conjugate[at] + jnp.abs(drawn) + unit
        return total / unit, answer.error.conjugate[at] / unit, scale / unit

    def _moved(self, device, x):
        assert isinstance(device, HasPositions)  # by check()
        return device.moved_to(device.q.at[_at(device, self.parts)].set(x))

    def _lengths(self, device):
        return device.lengths[jnp.array([device.positions.index(part) for part in self.parts])]


def _at(device: AbstractDevice, parts: Sequence[str]):
    """Where the parts stand among the coordinates of a device."""
    assert isinstance(device, HasPositions)
    return jnp.array([device.coordinates.index(part) for part in parts])
