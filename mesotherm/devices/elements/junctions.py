"""Where ways meet or differ by direction: splitters and magnetic phases, the same at every energy."""

from typing import ClassVar

import jax.numpy as jnp
from jaxtyping import Array, Float

from mesotherm.devices.elements.element import AbstractElement, none
from mesotherm.fields import parameter


class BeamSplitter(AbstractElement):
    r"""A way that a part λ of the electrons leaves for a probe with two channels, without being reflected.

    .. math::
        S = \begin{pmatrix} 0 & q & s & 0 \\ q & 0 & 0 & s \\ s & 0 & 0 & -q \\ 0 & s & -q & 0 \end{pmatrix}, \qquad
        q = \sqrt{1 - \lambda}, \quad s = \sqrt{\lambda}

    Source: Büttiker, IBM J. Res. Dev. 32, 63 (1988).

    Derivatives with respect to λ are infinite at 0 and 1, also those that enter multiplied by zero (NaN).
    """

    strength: Float[Array, ""] = parameter("share λ that goes to the probe", unit="1", low=0.0, high=1.0)
    ports: ClassVar[tuple[str, ...]] = ("left", "right", "probe_1", "probe_2")

    def amplitudes(self, energy):
        q, s = jnp.sqrt(1 - self.strength), jnp.sqrt(self.strength)
        return (0, q, s, 0), (q, 0, 0, s), (s, 0, 0, -q), (0, s, -q, 0)

    def features(self):
        return none(), none()

    def branch_points(self):
        return none()


class ThreeWayJunction(AbstractElement):
    r"""A stem that splits evenly into two arms.

    .. math::
        S = \begin{pmatrix} -(a + b) & \sqrt\epsilon & \sqrt\epsilon \\ \sqrt\epsilon & a & b \\
        \sqrt\epsilon & b & a \end{pmatrix}, \qquad a = \frac{\sqrt{1 - 2\epsilon} - 1}{2}, \quad
        b = \frac{\sqrt{1 - 2\epsilon} + 1}{2}

    At ε = 4/9 waves are continuous and currents add up (three equal wires meeting in a point); at ε = 0 the stem is cut
    off, at ε = 1/2 it is not reflected.

    Source: Büttiker, Imry & Azbel, PRA 30, 1982 (1984).

    Derivatives with respect to ε are infinite at 0 and 1/2.
    """

    coupling: Float[Array, ""] = parameter("coupling ε of the stem to each arm", unit="1", low=0.0, high=0.5)
    ports: ClassVar[tuple[str, ...]] = ("stem", "arm_1", "arm_2")

    def amplitudes(self, energy):
        stem, reflected = jnp.sqrt(self.coupling), jnp.sqrt(1 - 2 * self.coupling)
        a, b = (reflected - 1) / 2, (reflected + 1) / 2
        return (-reflected, stem, stem), (stem, a, b), (stem, b, a)

    def features(self):
        return none(), none()

    def branch_points(self):
        return none()


class AharonovBohmPhase(AbstractElement):
    r"""A phase that changes sign with the direction: the vector potential along a way.

    .. math:: S = \begin{pmatrix} 0 & e^{-i\varphi} \\ e^{i\varphi} & 0 \end{pmatrix}

    The phases around a loop add up to 2π times the flux through it in units of h/e. Time reversal turns φ into −φ.

    Source: Aharonov & Bohm, Phys. Rev. 115, 485 (1959).
    """

    phase: Float[Array, ""] = parameter("phase φ picked up from left to right", unit="1")
    ports: ClassVar[tuple[str, ...]] = ("left", "right")

    def amplitudes(self, energy):
        return (0, jnp.exp(-1j * self.phase)), (jnp.exp(1j * self.phase), 0)

    def time_reversed(self):
        return AharonovBohmPhase(-self.phase)

    def features(self):
        return none(), none()

    def branch_points(self):
        return none()
