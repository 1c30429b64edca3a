r"""Conductors known by their scattering matrix: transmissions, injectivities and poles follow from S alone.

.. math::
    \mathcal T_{\alpha\beta} = \sum_{k\in\alpha,\, j\in\beta} |S_{kj}|^2, \qquad
    \nu_{j\alpha} = -\frac{1}{2\pi} \operatorname{Im} \sum_k S^*_{kj}\, \frac{\partial S_{kj}}{\partial U_\alpha}

Source: Büttiker, Thomas & Prêtre, Z. Phys. B 94, 133 (1994); Balduque & Sánchez, PRL 134, 186301 (2025), Eqs. 1, 6.
"""

import abc

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float, Inexact

from mesotherm.engines.charged import AbstractChargedConductor
from mesotherm.engines.coherent import AbstractCoherentDevice
from mesotherm.engines.smatrix_poles import smatrix_poles


class HasSMatrix(AbstractCoherentDevice):
    """Capability: the amplitudes behind the transmissions are known."""

    @property
    @abc.abstractmethod
    def channels(self) -> tuple[str, ...]:
        """The terminal of every channel, in the order of the scattering matrix; a terminal may own several."""

    @abc.abstractmethod
    def smatrix(self, energy: Inexact[Array, ""]) -> Complex[Array, "channels channels"]:
        """Scattering matrix [out, in] at one energy: unitary where the energy is real, holomorphic in it."""

    def unitarity_error(self, energy: Float[Array, ""]) -> Float[Array, ""]:
        """The largest entry of abs(S†S − 1) at one energy."""
        amplitudes = self.smatrix(energy)
        return jnp.max(jnp.abs(amplitudes.conj().T @ amplitudes - jnp.eye(len(amplitudes))))


def members(device: HasSMatrix) -> Float[np.ndarray, "terminals channels"]:
    """One where a terminal owns a channel, zero elsewhere."""
    return np.array([[float(owner == name) for owner in device.channels] for name in device.terminals])


class AbstractScatterer(AbstractChargedConductor, HasSMatrix):
    """A conductor given by its scattering matrix and nothing else.

    A class with ``smatrix``, ``channels``, ``coordinates``, ``q``, ``moved_to`` and ``bottom`` is a complete device:
    poles, transmissions, injectivities, charges and their bounds follow. ``docs/networks.md`` shows one.
    """

    def poles(self, highest):
        """Searched for (:func:`mesotherm.engines.smatrix_poles.smatrix_poles`): a class that knows them is faster.

        Errors: ``ValueError`` if further bands open inside, where the search cannot look.
        """
        if self.branch_points() is not None:
            raise ValueError(
                f"{type(self).__name__} has branch points, so its poles are not searched for; give it a method poles()."
            )
        reach = jnp.sqrt(jnp.maximum(highest - self.bottom, 0.0))
        return smatrix_poles(lambda s: self.smatrix(self.bottom + s * s), reach)

    def elements(self, above):
        owned = members(self)
        terminals, regions = range(len(self.terminals)), range(len(self.coordinates))

        def apart(above):
            amplitudes, slopes = self._slopes(self.bottom + above)
            passed = owned @ (amplitudes.real**2 + amplitudes.imag**2) @ owned.T
            density = jnp.imag(jnp.einsum("kj,kja->ja", amplitudes.conj(), slopes))
            injected = -(owned @ density) / (2 * jnp.pi)
            return (
                {(i, j): passed[i, j] for i in terminals for j in terminals if i != j},
                [[injected[j, a] for j in terminals] for a in regions],
            )

        return jax.vmap(apart)(above) if jnp.ndim(above) else apart(above)

    def _slopes(self, energy):
        """S, and its derivatives with respect to every coordinate."""

        def at(q):
            amplitudes = self.moved_to(q).smatrix(energy)
            return amplitudes, amplitudes

        slopes, amplitudes = jax.jacfwd(at, has_aux=True)(self.q)
        return amplitudes, slopes
