"""A conductor between two terminals: one barrier, everything known from its transmission."""

from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from mesotherm.devices.barriers import AbstractBarrier, ResonantBarrier
from mesotherm.engines.coherent import AbstractCoherentDevice
from mesotherm.fields import parameter, part
from mesotherm.quadrature import Spectrum


class TwoTerminalConductor(AbstractCoherentDevice):
    """Terminals L and R with one barrier between them: a point contact, a quantum dot, a molecule.

    Currents are those of the Landauer formula with transmission[L, R] = transmission[R, L] the barrier's.

    Source: Balduque & Sánchez, PRL 134, 186301 (2025), Eq. 1, for two terminals.

    Assumes: elastic scattering without interactions; the barrier does not depend on the state (no screening).

    Examples
    --------
    >>> conductor = TwoTerminalConductor.example()
    >>> conductor.terminals
    ('L', 'R')
    """

    points_together: ClassVar[int] = 16  # a long table takes many panels for each
    barrier: AbstractBarrier = part("barrier between L and R")
    band_bottom: Float[Array, ""] = parameter("band bottom of the leads", default=-jnp.inf, infinite=True, gauge=True)
    spin_degeneracy: Float[Array, ""] = parameter("spin degeneracy g_s", unit="1", low=0.0, open_low=True, default=2.0)
    terminals: tuple[str, ...] = eqx.field(static=True, default=("L", "R"), init=False)
    conductors: tuple[tuple[str, ...], ...] = eqx.field(static=True, default=(("L", "R"),), init=False)

    def transmission(self, energy):
        through = self.barrier.probability(energy)
        none = jnp.zeros_like(through)
        return jnp.stack([none, through, through, none]).reshape(2, 2)

    def spectrum(self):
        return Spectrum(self.band_bottom, *self.barrier.features(), self.barrier.jumps())

    @classmethod
    def example(cls) -> "TwoTerminalConductor":
        """A narrow resonance one k_B T above μ, energies in units of k_B T."""
        return cls(barrier=ResonantBarrier(1.0, 0.1))
