"""Conductors for tests, given by scattering matrices that are written down."""

from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from mesotherm.engines.scattering import HasSMatrix, members
from mesotherm.fields import parameter
from mesotherm.quadrature import Spectrum


class Conductor(HasSMatrix):
    r"""A few levels between any terminals, with any number of channels each, and direct scattering past them.

    .. math:: S(E) = \Big(1 - i W^\dagger \frac{1}{E - \epsilon - H + iWW^\dagger/2} W\Big) S_0

    Without levels S₀ is all there is. Complex W or S₀ break time reversal.
    """

    points_together: ClassVar[int] = 16
    energy: Float[Array, ""] = parameter("energy ε from which levels are counted", gauge=True)
    levels: Complex[Array, "levels levels"]
    couplings: Complex[Array, "levels channels"]
    direct: Complex[Array, "channels channels"]
    owners: tuple[str, ...] = eqx.field(static=True)
    terminals: tuple[str, ...] = eqx.field(static=True)
    conductors: tuple[tuple[str, ...], ...] = eqx.field(static=True)
    spin_degeneracy: Float[Array, ""] = parameter("spin degeneracy g_s", unit="1", default=1.0)

    @property
    def channels(self):
        return self.owners

    def smatrix(self, energy):
        size = self.levels.shape[-1]
        if not size:
            return self.direct + 0 * energy
        W = self.couplings
        inverse = (energy - self.energy) * jnp.eye(size) - self.levels + 0.5j * W @ W.conj().T
        return self.direct - 1j * W.conj().T @ jnp.linalg.solve(inverse, W @ self.direct)

    def transmission(self, energy):
        owned = members(self)
        return owned @ jnp.abs(self.smatrix(energy)) ** 2 @ owned.T

    def spectrum(self):
        W = self.couplings
        poles = jax.lax.stop_gradient(jnp.linalg.eigvals(self.levels - 0.5j * W @ W.conj().T))
        return Spectrum(jnp.asarray(-jnp.inf), self.energy + poles.real, -poles.imag, jnp.zeros(0))

    @classmethod
    def example(cls):
        return contact(0.5)


def conductor(owners, direct, levels=None, couplings=None, *, energy=0.0, spin_degeneracy=1.0) -> Conductor:
    """From plain arrays; terminals in the order in which they first own a channel."""
    terminals = tuple(dict.fromkeys(owners))
    levels = np.zeros((0, 0)) if levels is None else levels
    couplings = np.zeros((0, len(owners))) if couplings is None else couplings
    arrays = (jnp.asarray(array, complex) for array in (levels, couplings, direct))
    return Conductor(jnp.asarray(energy), *arrays, tuple(owners), terminals, (terminals,), spin_degeneracy)


def contact(*transmissions, **options) -> Conductor:
    """A point contact between L and R, one channel for each transmission probability."""
    t, r = np.sqrt(transmissions), 1j * np.sqrt(1 - np.array(transmissions))
    direct = np.block([[np.diag(r), np.diag(t)], [np.diag(t), np.diag(r)]])
    return conductor(("L",) * len(t) + ("R",) * len(t), direct, **options)


def in_series(left, right, **options) -> Conductor:
    """Two point contacts with a terminal P between them that every electron enters."""
    direct = np.zeros((4, 4), complex)
    for rows, transmission in (([0, 2], left), ([1, 3], right)):
        t, r = np.sqrt(transmission), 1j * np.sqrt(1 - transmission)
        direct[np.ix_(rows, rows)] = [[r, t], [t, r]]
    return conductor(("L", "R", "P", "P"), direct, **options)


def single_level(half_width, asymmetry, energy=0.0, **options) -> Conductor:
    """One level between L and R with tunnel rates Γ(1 ± a)."""
    W = np.sqrt(half_width * np.array([[1 + asymmetry, 1 - asymmetry]]))
    return conductor(("L", "R"), np.eye(2), np.zeros((1, 1)), W, energy=energy, **options)


def random_unitary(rng, size):
    """Any unitary matrix, none preferred."""
    unitary, triangle = np.linalg.qr(rng.normal(size=(size, size)) + 1j * rng.normal(size=(size, size)))
    return unitary * (np.diag(triangle) / np.abs(np.diag(triangle)))


def random_conductor(rng, owners="LLRPPQ", levels=2, width=1.0) -> Conductor:
    """Without time-reversal symmetry; ``width`` is the size of the levels' widths."""
    H = rng.normal(size=(levels, levels)) + 1j * rng.normal(size=(levels, levels))
    W = rng.normal(size=(levels, len(owners))) + 1j * rng.normal(size=(levels, len(owners)))
    W = W * np.sqrt(width / len(owners))
    return conductor(tuple(owners), random_unitary(rng, len(owners)), H + H.conj().T, W, spin_degeneracy=2.0)
