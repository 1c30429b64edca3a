"""The thermalization diode of Balduque & Sánchez: two barriers in series with a fully coupled probe between them."""

from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from mesotherm.devices.barriers import AbstractBarrier, ResonantBarrier
from mesotherm.engines.coherent import AbstractCoherentDevice
from mesotherm.fields import parameter, part
from mesotherm.quadrature import Spectrum


class ThermalizationDiode(AbstractCoherentDevice):
    """Terminals L and R, each behind a barrier, joined in a region P where every electron thermalizes (λ = 1).

    P is a terminal like the others; make it a floating one with ``ThermalizingProbe("P")``. With λ = 1 nothing passes
    from L to R directly, so transmission[P, L] is the left barrier's and transmission[P, R] the right one's.

    Source: Balduque & Sánchez, PRL 134, 186301 (2025), Fig. 1(c) and Eqs. 1, 4; with a ``TransparentRegion`` on the
    right, their Eq. 3.

    Assumes: one channel per lead, no screening (the levels do not depend on the state), full thermalization.

    Examples
    --------
    >>> diode = ThermalizationDiode.example()
    >>> diode.terminals
    ('L', 'R', 'P')
    """

    left: AbstractBarrier = part("barrier between L and P")
    right: AbstractBarrier = part("barrier between R and P")
    band_bottom: Float[Array, ""] = parameter("band bottom of the leads", default=-jnp.inf, infinite=True, gauge=True)
    spin_degeneracy: Float[Array, ""] = parameter("spin degeneracy g_s", unit="1", low=0.0, open_low=True, default=2.0)
    usual_probes: ClassVar[tuple[str, ...]] = ("P",)
    terminals: tuple[str, ...] = eqx.field(static=True, default=("L", "R", "P"), init=False)
    conductors: tuple[tuple[str, ...], ...] = eqx.field(static=True, default=(("L", "R", "P"),), init=False)

    def transmission(self, energy):
        left, right = self.left.probability(energy), self.right.probability(energy)
        none = jnp.zeros_like(left)
        return jnp.stack([none, none, left, none, none, right, left, right, none]).reshape(3, 3)

    def spectrum(self):
        centres, half_widths = zip(self.left.features(), self.right.features(), strict=True)
        jumps = jnp.concatenate([self.left.jumps(), self.right.jumps()])
        return Spectrum(self.band_bottom, jnp.concatenate(centres), jnp.concatenate(half_widths), jumps)

    @classmethod
    def example(cls) -> "ThermalizationDiode":
        """The bipolar point of Fig. 2 of the paper, energies from μ in units of k_B T."""
        return cls(left=ResonantBarrier(-4.8, 3.0), right=ResonantBarrier(4.8, 3.0), band_bottom=-40.0)
