"""Conductors for tests, given by scattering matrices that are written down."""

import dataclasses
from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from mesotherm.devices.double_barrier import DoubleBarrier
from mesotherm.engines.scattering import AbstractScatterer, HasSMatrix, members
from mesotherm.fields import parameter
from mesotherm.quadrature import Spectrum


class Conductor(HasSMatrix):
    r"""Any terminals with any number of channels each; a few resonances on a constant background.

    .. math:: S(E) = S_0 - i \sum_k \frac{u_k v_k^\mathsf{T}}{E - \epsilon - z_k}
    """

    points_together: ClassVar[int] = 16
    background: Complex[Array, "channels channels"]
    poles: Complex[Array, "poles"]
    leaving: Complex[Array, "channels poles"]
    entering: Complex[Array, "poles channels"]
    owners: tuple[str, ...] = eqx.field(static=True)
    terminals: tuple[str, ...] = eqx.field(static=True)
    conductors: tuple[tuple[str, ...], ...] = eqx.field(static=True)
    energy: Float[Array, ""] = parameter("energy ε from which the poles are counted", gauge=True, default=0.0)
    spin_degeneracy: Float[Array, ""] = parameter("spin degeneracy g_s", unit="1", default=1.0)

    @property
    def channels(self):
        return self.owners

    def smatrix(self, energy):
        return self.background - 1j * (self.leaving / (energy - self.energy - self.poles)) @ self.entering

    def transmission(self, energy):
        owned, amplitudes = members(self), self.smatrix(energy)
        return owned @ (amplitudes.real**2 + amplitudes.imag**2) @ owned.T

    def spectrum(self):
        return Spectrum(jnp.asarray(-jnp.inf), self.energy + self.poles.real, -self.poles.imag, jnp.zeros(0))

    @classmethod
    def example(cls):
        return contact(0.5)


@dataclasses.dataclass(frozen=True)
class Levels:
    r"""Levels H coupled to channels by W, with direct scattering S₀ past them.

    .. math:: S(E) = \Big(1 - i W^\dagger \frac{1}{E - H + iWW^\dagger/2} W\Big) S_0
    """

    owners: tuple[str, ...]
    direct: np.ndarray
    H: np.ndarray
    W: np.ndarray

    @classmethod
    def random(cls, rng, owners="LLRPPQ", levels=2, width=1.0) -> "Levels":
        """Without time-reversal symmetry; ``width`` is the size of the resonances' widths."""
        H = complex_normal(rng, levels, levels)
        W = complex_normal(rng, levels, len(owners)) * np.sqrt(width / len(owners))
        unitary, triangle = np.linalg.qr(complex_normal(rng, len(owners), len(owners)))
        return cls(tuple(owners), unitary * np.exp(1j * np.angle(np.diag(triangle))), H + H.conj().T, W)

    def conductor(self, energy=0.0, spin_degeneracy=1.0) -> Conductor:
        """As a device; terminals in the order in which they first own a channel."""
        poles, right = np.linalg.eig(self.H - 0.5j * self.W @ self.W.conj().T)
        arrays = self.direct, poles, self.W.conj().T @ right, np.linalg.solve(right, self.W @ self.direct)
        terminals = tuple(dict.fromkeys(self.owners))
        background, poles, leaving, entering = (jnp.asarray(array, complex) for array in arrays)
        return Conductor(
            background, poles, leaving, entering, self.owners, terminals, (terminals,), energy, spin_degeneracy
        )


def complex_normal(rng, *shape):
    return rng.normal(size=shape) + 1j * rng.normal(size=shape)


def constant(owners, direct, **options) -> Conductor:
    """The same scattering matrix at all energies."""
    return Levels(tuple(owners), np.asarray(direct), np.zeros((0, 0)), np.zeros((0, len(owners)))).conductor(**options)


def contact(*transmissions, **options) -> Conductor:
    """A point contact between L and R, one channel for each transmission probability."""
    t, r = np.diag(np.sqrt(transmissions)), 1j * np.diag(np.sqrt(1 - np.array(transmissions)))
    return constant("L" * len(t) + "R" * len(t), np.block([[r, t], [t, r]]), **options)


def in_series(left, right, **options) -> Conductor:
    """Two point contacts with a terminal P between them that every electron enters."""
    direct = np.zeros((4, 4), complex)
    for rows, transmission in (([0, 2], left), ([1, 3], right)):
        t, r = np.sqrt(transmission), 1j * np.sqrt(1 - transmission)
        direct[np.ix_(rows, rows)] = [[r, t], [t, r]]
    return constant("LRPP", direct, **options)


def single_level(half_width, asymmetry, energy=0.0, spin_degeneracy=1.0) -> Conductor:
    """One level between L and R with tunnel rates Γ(1 ± a), Γ the half width."""
    W = jnp.sqrt(half_width * jnp.stack([1.0 + asymmetry, 1.0 - asymmetry])).astype(complex)
    background, pole, ends = jnp.eye(2, dtype=complex), jnp.asarray(-1j * half_width), ("L", "R")
    return Conductor(background, pole[None], W[:, None], W[None], ends, ends, (ends,), energy, spin_degeneracy)


class WithoutClosedForms(AbstractScatterer):
    """A double barrier of which only the scattering matrix is used."""

    inner: DoubleBarrier
    terminals: tuple[str, ...] = eqx.field(static=True, default=("L", "R", "P"))
    conductors: tuple[tuple[str, ...], ...] = eqx.field(static=True, default=(("L", "R", "P"),))

    spin_degeneracy = property(lambda self: self.inner.spin_degeneracy)
    coordinates = property(lambda self: self.inner.coordinates)
    channels = property(lambda self: self.inner.channels)
    bottom = property(lambda self: self.inner.bottom)
    q = property(lambda self: self.inner.q)
    floating_reservoir = property(lambda self: self.inner.floating_reservoir)

    def moved_to(self, q):
        return WithoutClosedForms(self.inner.moved_to(q))

    def smatrix(self, energy):
        return self.inner.smatrix(energy)

    def poles(self, highest):
        return self.inner.poles(highest)

    @classmethod
    def example(cls):
        return cls(DoubleBarrier.example())
