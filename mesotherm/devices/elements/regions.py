"""Plane waves: a stretch of constant potential, a step between two of them, and a delta barrier in one.

Source of all: textbook matching of waves of a constant mass m, e.g. Griffiths & Schroeter, Introduction to Quantum
Mechanics, 3rd ed. (2018), Ch. 2.

Amplitudes are those of waves of unit flux. Where a region is closed (E below its bottom), waves decay in it, k = i|k|,
and the matrices are not unitary; that of a network is, between ports whose channels are open.
"""

from typing import ClassVar

import jax.numpy as jnp
from jaxtyping import Array, Float

from mesotherm.devices.elements.element import AbstractElement, none, wavenumber
from mesotherm.fields import parameter


class UniformRegion(AbstractElement):
    r"""A stretch of constant potential: waves cross it without reflection.

    .. math::
        S = \begin{pmatrix} 0 & e^{ikd} \\ e^{ikd} & 0 \end{pmatrix}, \qquad
        kd = \sqrt{(E - U)/E_d}, \qquad E_d = \frac{\hbar^2}{2 m d^2}

    Assumes: one channel, constant mass. A part p of its length has E_d/p².
    """

    bottom: Float[Array, ""] = parameter("band bottom U of the region", gauge=True)
    confinement_energy: Float[Array, ""] = parameter(
        "energy E_d = ħ²/(2md²) of a region of length d, infinite for none", low=0.0, open_low=True, infinite=True
    )
    ports: ClassVar[tuple[str, ...]] = ("left", "right")

    def amplitudes(self, energy):
        k, _ = wavenumber(energy - self.bottom)
        across = jnp.exp(1j * k * (1 / jnp.sqrt(self.confinement_energy)))
        return (0, across), (across, 0)

    def features(self):
        return none(), none()

    def branch_points(self):
        return self.bottom[None]


class PotentialStep(AbstractElement):
    r"""The border between two constant potentials.

    .. math::
        r = \frac{k_1 - k_2}{k_1 + k_2}, \qquad t = \frac{2\sqrt{k_1 k_2}}{k_1 + k_2}, \qquad
        S = \begin{pmatrix} r & t \\ t & -r \end{pmatrix}, \qquad k_i = \sqrt{E - V_i}

    Computed as r = (V₂ − V₁)/(k₁ + k₂)², which keeps its digits far above the step.

    Assumes: the same mass on both sides. Not finite at E = V₁ = V₂.
    """

    left_bottom: Float[Array, ""] = parameter("band bottom V₁ on the left", gauge=True)
    right_bottom: Float[Array, ""] = parameter("band bottom V₂ on the right", gauge=True)
    ports: ClassVar[tuple[str, ...]] = ("left", "right")

    def amplitudes(self, energy):
        left, root_left = wavenumber(energy - self.left_bottom)
        right, root_right = wavenumber(energy - self.right_bottom)
        share = 1 / (left + right)
        reflected = (self.right_bottom - self.left_bottom) * share * share
        across = 2 * root_left * root_right * share
        return (reflected, across), (across, -reflected)

    def features(self):
        return none(), none()

    def branch_points(self):
        return jnp.stack([self.left_bottom, self.right_bottom])


class DeltaBarrier(AbstractElement):
    r"""A repulsive potential Ω δ(x) within a region.

    .. math::
        t = \frac{1}{1 + i\beta}, \qquad r = \frac{-i\beta}{1 + i\beta}, \qquad
        \beta = \sqrt{\frac{E_\delta}{E - U}}, \qquad E_\delta = \frac{m\Omega^2}{2\hbar^2}

    It opens over an energy E_δ above the bottom, which is its feature.
    """

    bottom: Float[Array, ""] = parameter("band bottom U of the region around", gauge=True)
    strength_energy: Float[Array, ""] = parameter(
        "energy E_δ = mΩ²/(2ħ²) of the barrier's strength Ω", low=0.0, open_low=True
    )
    ports: ClassVar[tuple[str, ...]] = ("left", "right")

    def amplitudes(self, energy):
        k, _ = wavenumber(energy - self.bottom)
        strength = 1j * jnp.sqrt(self.strength_energy)
        share = 1 / (k + strength)
        return (-strength * share, k * share), (k * share, -strength * share)

    def features(self):
        return self.bottom[None], self.strength_energy[None]

    def branch_points(self):
        return self.bottom[None]
