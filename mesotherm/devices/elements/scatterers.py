"""Single scatterers between two ideal leads: a resonant level, a saddle-point contact."""

from typing import ClassVar

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from mesotherm.devices.elements.element import AbstractElement, none
from mesotherm.fields import parameter


class ResonantLevel(AbstractElement):
    r"""One level coupled to both sides.

    With x = E − ε and tunnel rates Γ(1 ± a)/ħ to the left and right,

    .. math::
        t = \frac{-i\Gamma\sqrt{1 - a^2}}{x + i\Gamma}, \qquad r_L = \frac{x - ia\Gamma}{x + i\Gamma}, \qquad
        r_R = \frac{x + ia\Gamma}{x + i\Gamma}

    Source: Balduque & Sánchez, PRL 134, 186301 (2025), Eq. 4 (a = 0); Breit–Wigner with two partial widths, e.g.
    Datta, Electronic Transport in Mesoscopic Systems (Cambridge, 1995), Sec. 6.1. Γ is the HALF width at half maximum.

    Assumes: rates that do not depend on energy (wide band).

    Derivatives with respect to ``asymmetry`` are infinite at ±1.
    """

    level: Float[Array, ""] = parameter("level ε of the resonance", gauge=True)
    half_width: Float[Array, ""] = parameter("half width Γ of the resonance", low=0.0, open_low=True)
    asymmetry: Float[Array, ""] = parameter(
        "asymmetry a of the coupling, (left − right)/(left + right)", unit="1", low=-1.0, high=1.0, default=0.0
    )
    ports: ClassVar[tuple[str, ...]] = ("left", "right")

    def amplitudes(self, energy):
        x, i_gamma = energy - self.level, 1j * self.half_width
        resonance = 1 / (x + i_gamma)
        across = -i_gamma * jnp.sqrt((1 - self.asymmetry) * (1 + self.asymmetry)) * resonance
        skew = self.asymmetry * i_gamma
        return ((x - skew) * resonance, across), (across, (x + skew) * resonance)

    def features(self):
        return self.level[None], self.half_width[None]

    def poles(self):
        return (self.level - 1j * self.half_width)[None]

    def branch_points(self):
        return none()


class SaddlePoint(AbstractElement):
    r"""A quantum point contact with one mode: a parabolic barrier of top E₀.

    .. math::
        |t|^2 = \frac{1}{1 + e^{-y}}, \qquad |r|^2 = \frac{1}{1 + e^{y}}, \qquad y = \frac{2\pi (E - E_0)}{\hbar\omega};
        \qquad t = |t|,\ r = -i|r|

    Source: Fertig & Halperin, PRB 36, 7969 (1987); Büttiker, PRB 41, 7906 (1990).

    Assumes: the phases of both amplitudes do not depend on energy. A parabola without end leaves them open: its waves
    gather a phase that grows with the logarithm of the distance at which it is left. So transmission probabilities are
    exact, interference with other elements is so only up to a slow phase, and delay times and charge are not described
    (the injectivity is zero; no screening follows from it).

    Holomorphic for abs(Im E) < ħω/2.
    """

    top: Float[Array, ""] = parameter("top E₀ of the barrier, where half passes", gauge=True)
    curvature_energy: Float[Array, ""] = parameter("energy ħω of the barrier's curvature mω²", low=0.0, open_low=True)
    ports: ClassVar[tuple[str, ...]] = ("left", "right")

    def amplitudes(self, energy):
        y = 2 * np.pi * (energy - self.top) / self.curvature_energy
        above = jnp.real(y) > 0
        rest = jnp.log1p(jnp.exp(jnp.where(above, -y, y)))
        across = jnp.exp(-(rest + jnp.where(above, 0, -y)) / 2)
        back = -1j * jnp.exp(-(rest + jnp.where(above, y, 0)) / 2)
        return (back, across), (across, back)

    def features(self):
        return self.top[None], self.curvature_energy[None] / 2

    def branch_points(self):
        return none()
