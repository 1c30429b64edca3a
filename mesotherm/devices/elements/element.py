"""What every element of a scattering network says about itself."""

import abc
from typing import Self

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float, Inexact

from mesotherm.engines.composition import Rows, as_matrix
from mesotherm.fields import Component

EIGHTH_TURN = np.sqrt(1j)
"""√i."""


class AbstractElement(Component):
    """A piece of a scattering network with one channel at each port.

    A potential U acts on an element as a whole: ``element.shifted(U)``.

    Attributes
    ----------
    ports
        Names of the ports; they fix the order of the S-matrix.
    """

    ports: eqx.AbstractClassVar[tuple[str, ...]]

    @abc.abstractmethod
    def amplitudes(self, energy: Inexact[Array, ""]) -> Rows:
        """The S-matrix [out, in] at one energy, row by row, with a plain 0 where nothing passes at any energy.

        Unitary at real energies where every port's channel is open. Holomorphic in the energy, which may be complex,
        and finite with all derivatives at every real energy but the branch points.
        """

    @abc.abstractmethod
    def features(self) -> tuple[Float[Array, "features"], Float[Array, "features"]]:
        """Centres and half widths [energy] of what is sharp in this element alone."""

    @abc.abstractmethod
    def branch_points(self) -> Float[Array, "branch_points"]:
        """Energies at which a wavenumber √(E − bottom) opens [energy]."""

    def time_reversed(self) -> Self:
        """The element in a reversed magnetic field: with the transposed S-matrix. Itself if it sees none."""
        return self

    def poles(self) -> Complex[Array, "poles"]:
        """Complex energies of the simple poles of the S-matrix below the real axis [energy]; none by default."""
        return jnp.zeros(0, complex)

    def smatrix(self, energy: Inexact[Array, ""]) -> Complex[Array, "ports ports"]:
        """The S-matrix [out, in] at one energy."""
        return as_matrix(self.amplitudes(energy))


def none() -> Float[Array, "0"]:
    """No energies: nothing sharp, or no branch points."""
    return jnp.zeros(0)


def wavenumber(above: Inexact[Array, ""]) -> tuple[Complex[Array, ""], Complex[Array, ""]]:
    """k = √(E − bottom) and √k from E − bottom. Real above the bottom; k = i√(bottom − E) below, where waves decay.

    Holomorphic but for a cut straight down from the bottom, so that a resonance is on one sheet with the real energies
    above it.
    """
    if jnp.iscomplexobj(above):
        closed = jnp.real(above) < 0
        k = jnp.sqrt(jnp.where(closed, -above, above))
        return jnp.where(closed, 1j, 1) * k, jnp.where(closed, EIGHTH_TURN, 1) * jnp.sqrt(k)
    closed = above < 0
    size = jnp.sqrt(jnp.where(closed, -above, above))
    return jnp.where(closed, 1j * size, size), jnp.where(closed, EIGHTH_TURN, 1) * jnp.sqrt(size)
