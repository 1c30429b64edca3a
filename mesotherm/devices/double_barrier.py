"""Two resonant barriers with a cavity between them that a probe may disturb, and a potential in every region."""

from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from mesotherm.engines.charged import AbstractChargedConductor
from mesotherm.engines.scattering import HasSMatrix
from mesotherm.fields import parameter
from mesotherm.held import held
from mesotherm.phases import cosine_and_sine
from mesotherm.poles import logarithmic_slope, roots, square_root

RESONANCES = 10
"""Poles that are followed, from the bottom up: both levels and those of the cavity."""

HALVINGS = 30
"""Bisections for the place of each on the real axis."""

MOST_WIDTH = 0.3
"""Of a guess, in units of the cavity's wavenumber: steps of the staircase at its lower end are not steep."""

BROAD = 0.5
"""Poles this far from the real axis, in the same unit, are no features."""

ITERATIONS = 50
"""At most, in the search for poles."""


class DoubleBarrier(AbstractChargedConductor, HasSMatrix):
    r"""Barrier 1, cavity 2, barrier 3 between L and R; a beam splitter of strength λ in the cavity leads to P.

    .. math::
        \tau_i = \frac{-\mathrm i\Gamma_i}{E - \varepsilon_i - U_i + \mathrm i\Gamma_i}, \qquad r_i = 1 + \tau_i, \qquad
        \varphi = \sqrt{(E - E_b - U_2)/E_c}

    The barriers add no phase and have no width. P has two channels, one for either direction; with λ = 0 nothing enters
    it (coherent, Fabry–Perot), with λ = 1 every electron does (two barriers in series).

    Coordinates are the potential energies U1, U2, U3 of the three regions, here at given values; the unknown
    ``Screening`` finds them.

    Source: Balduque & Sánchez, PRL 134, 186301 (2025), Figs. 3 and 4, Eqs. 4–6; beam splitter: Büttiker,
    Phys. Rev. B 33, 3020 (1986).

    Assumes: one channel per lead, wide bands in the leads, no electrons below the bottom of the cavity.

    Examples
    --------
    >>> DoubleBarrier.example().coordinates
    ('U1', 'U2', 'U3')
    """

    level_1: Float[Array, ""] = parameter("level ε₁ of barrier 1", gauge=True)
    level_3: Float[Array, ""] = parameter("level ε₃ of barrier 3", gauge=True)
    half_width_1: Float[Array, ""] = parameter("half width Γ₁ of barrier 1", low=0.0, open_low=True)
    half_width_3: Float[Array, ""] = parameter("half width Γ₃ of barrier 3", low=0.0, open_low=True)
    cavity_bottom: Float[Array, ""] = parameter("bottom E_b of the cavity's band", gauge=True)
    confinement: Float[Array, ""] = parameter(
        "confinement energy E_c = ħ²/(2md²) of the cavity's length d", low=0.0, open_low=True
    )
    probe_strength: Float[Array, ""] = parameter("strength λ of the probe in the cavity", unit="1", low=0.0, high=1.0)
    probe_position: Float[Array, ""] = parameter(
        "place of the probe, as a part of the cavity's length from barrier 1", unit="1", low=0.0, high=1.0, default=0.5
    )
    potential: Float[Array, "coordinates"] = parameter(
        "potential energies U of the regions", entries=("coordinates",), left_out=0.0, default=(0.0, 0.0, 0.0)
    )
    spin_degeneracy: Float[Array, ""] = parameter("spin degeneracy g_s", unit="1", low=0.0, open_low=True, default=2.0)
    usual_probes: ClassVar[tuple[str, ...]] = ("P",)
    coordinates: ClassVar[tuple[str, ...]] = ("U1", "U2", "U3")
    terminals: tuple[str, ...] = eqx.field(static=True, default=("L", "R", "P"), init=False)
    conductors: tuple[tuple[str, ...], ...] = eqx.field(static=True, default=(("L", "R", "P"),), init=False)

    @property
    def q(self):
        return self.potential

    def moved_to(self, q):
        return eqx.tree_at(lambda device: device.potential, self, q)

    @property
    def bottom(self):
        return self.cavity_bottom + self.potential[1]

    @property
    def _levels_above_bottom(self):
        """Both levels, from the bottom of the cavity."""
        potential_1, potential_2, potential_3 = self.potential
        from_fixed_bottom = jnp.stack([self.level_1, self.level_3]) - self.cavity_bottom
        return from_fixed_bottom + (jnp.stack([potential_1, potential_3]) - potential_2)

    def _from_levels(self, above):
        """Energy from either level, given from the bottom of the cavity."""
        level_1, level_3 = self._levels_above_bottom
        return above - level_1, above - level_3

    @property
    def channels(self):
        return ("L", "R", "P", "P")

    def smatrix(self, energy):
        above = energy - self.bottom
        x_1, x_3 = self._from_levels(above)
        tau_1, tau_3 = (-1j * g / (x + 1j * g) for g, x in ((self.half_width_1, x_1), (self.half_width_3, x_3)))
        phase = jnp.sqrt(above / self.confinement)
        there_1, there_3 = jnp.exp(1j * phase * self.probe_position), jnp.exp(1j * phase * (1 - self.probe_position))
        back_1, back_3 = (1 + tau_1) * there_1**2, (1 + tau_3) * there_3**2
        to_probe, past = jnp.sqrt(self.probe_strength), jnp.sqrt(1 - self.probe_strength)
        from_left, from_right, from_1, from_2 = jnp.eye(4)
        first = tau_1 * there_1 * from_left + back_1 * to_probe * from_1
        second = tau_3 * there_3 * from_right + back_3 * to_probe * from_2
        resonance = 1 - past**2 * back_1 * back_3
        rightward, leftward = (first + back_1 * past * second) / resonance, (second + back_3 * past * first) / resonance
        return jnp.stack(
            [
                (1 + tau_1) * from_left + tau_1 * there_1 * (past * leftward + to_probe * from_1),
                (1 + tau_3) * from_right + tau_3 * there_3 * (past * rightward + to_probe * from_2),
                to_probe * rightward - past * from_2,
                to_probe * leftward - past * from_1,
            ]
        )

    def elements(self, above):
        r"""In real arithmetic, with :math:`R_i = r_i e^{2\mathrm i\varphi_i}` the way from the probe to barrier i and
        back, :math:`\kappa = 1 - \lambda` and :math:`D = 1 - \kappa R_1 R_3`."""
        sides = (2, *(1,) * jnp.ndim(above))  # leading: barrier 1 and barrier 3
        x = above - jnp.reshape(self._levels_above_bottom, sides)
        width = jnp.stack([self.half_width_1, self.half_width_3]).reshape(sides)
        part = jnp.stack([self.probe_position, 1 - self.probe_position]).reshape(sides)
        inverse = 1 / (x**2 + width**2)
        wavenumber = jnp.sqrt(above * self.confinement)
        way = cosine_and_sine(2 * wavenumber / self.confinement * part)
        back = _product((x**2 * inverse, -x * width * inverse), way)
        strength, kept = self.probe_strength, 1 - self.probe_strength
        resonance = 1 / _squared(_one_minus(kept, _product(*zip(*back, strict=True))))
        passed, reflected, way, back, resonance = held((width**2 * inverse, _squared(back), way, back, resonance))
        (passed_1, passed_3), (reflected_1, reflected_3) = passed, reflected
        (way_1, way_3), (back_1, back_3) = zip(*way, strict=True), zip(*back, strict=True)

        seen_1, seen_3 = 1 + kept * reflected_1, 1 + kept * reflected_3
        through = kept * passed_1 * passed_3 * resonance
        left, right = strength * passed_1 * seen_3 * resonance, strength * passed_3 * seen_1 * resonance
        transmission = {(0, 1): through, (1, 0): through, (0, 2): left, (2, 0): left, (1, 2): right, (2, 1): right}

        density_1 = passed_1 * resonance / (2 * jnp.pi * self.half_width_1)
        density_3 = passed_3 * resonance / (2 * jnp.pi * self.half_width_3)
        density_2 = resonance / (4 * jnp.pi * wavenumber)
        near, far = self.probe_position, 1 - self.probe_position
        both_1, both_3 = kept * (1 + reflected_1), kept * (1 + reflected_3)
        twice_1, twice_3 = 1 + kept**2 * reflected_1, 1 + kept**2 * reflected_3
        into_1 = [
            density_1 * _squared(_one_minus(kept, _product(back_3, way_1))),
            density_1 * kept * passed_3,
            density_1 * strength * seen_3,
        ]
        into_2 = [
            density_2 * passed_1 * (near * twice_3 + far * both_3),
            density_2 * passed_3 * (far * twice_1 + near * both_1),
            density_2 * strength * (near * seen_3 * (1 + reflected_1) + far * seen_1 * (1 + reflected_3)),
        ]
        into_3 = [
            density_3 * kept * passed_1,
            density_3 * _squared(_one_minus(kept, _product(back_1, way_3))),
            density_3 * strength * seen_1,
        ]
        return transmission, [into_1, into_2, into_3]

    def poles(self, highest):
        r"""From the resonances of the phase

        .. math::
            \pi C(s) = s - \arg(x_1 + \mathrm i\Gamma_1) - \arg(x_3 + \mathrm i\Gamma_3)
                      - \arg(1 - \kappa r_1 r_3 e^{2\mathrm i s/\sqrt{E_c}})

        that grows by one at each of them, a smooth staircase: the last argument stays within ±π/2. Those of the levels
        alone where the probe takes most.
        """
        g_1, g_3, kept = self.half_width_1, self.half_width_3, 1 - self.probe_strength
        unit = jnp.sqrt(self.confinement)

        def denominator(s):
            x_1, x_3 = self._from_levels(s * s)
            return (x_1 + 1j * g_1) * (x_3 + 1j * g_3) - kept * x_1 * x_3 * jnp.exp(2j * s / unit)

        def count(s):
            x_1, x_3 = self._from_levels(s * s)
            inside = 1 - kept * x_1 * x_3 / ((x_1 + 1j * g_1) * (x_3 + 1j * g_3)) * jnp.exp(2j * s / unit)
            angles = jnp.arctan2(g_1, x_1) + jnp.arctan2(g_3, x_3) + jnp.arctan2(inside.imag, inside.real)
            return 2 + (s / unit - angles) / jnp.pi

        wanted = jnp.arange(RESONANCES)
        top = unit * jnp.pi * (RESONANCES + 1)

        def halve(_, bracket):
            low, high = bracket
            middle = (low + high) / 2
            below = count(middle) < wanted
            return jnp.where(below, middle, low), jnp.where(below, high, middle)

        ends = jnp.zeros(RESONANCES), jnp.full(RESONANCES, top)
        low, high = jax.lax.fori_loop(0, HALVINGS, halve, ends)
        middle = (low + high) / 2
        _, steepness = jax.jvp(count, (middle,), (jnp.ones(RESONANCES),))
        widths = 1 / (jnp.pi * steepness)
        reach = jnp.sqrt(jnp.maximum(highest - self.bottom, 0.0))
        needed = (middle < reach) & ((widths < BROAD * unit) | (wanted == 0))
        guesses = middle - 1j * jnp.minimum(widths, MOST_WIDTH * unit)

        # Where the probe takes most, the cavity's poles are too far from the axis to matter: the levels are left.
        few = kept < jnp.exp(-2 * BROAD)
        aside = jnp.pi * unit * (jnp.arange(RESONANCES) - 1) - 1j * unit * jnp.clip(-jnp.log(kept) / 2, BROAD, jnp.pi)
        levels = square_root(self._levels_above_bottom, -jnp.stack([g_1, g_3]))
        sharp = (levels.real < reach) & (levels.imag > -BROAD * unit)
        guesses = jnp.where(few, jnp.concatenate([levels, aside[2:]]), guesses)
        needed = jnp.where(few, jnp.concatenate([sharp, jnp.zeros(RESONANCES - 2, bool)]), needed)
        poles, found = roots(logarithmic_slope(denominator), guesses, ITERATIONS, wanted=needed)
        found = found & (jnp.abs(poles - guesses) < jnp.pi * unit)
        return jnp.where(found, poles, guesses), found

    @classmethod
    def example(cls) -> "DoubleBarrier":
        """The diode of Fig. 3 of the paper at its star, but with a weak probe; energies from μ in units of k_B T."""
        return cls(
            level_1=6.66128734608,
            level_3=8.2,
            half_width_1=1.0,
            half_width_3=1.0,
            cavity_bottom=-40.0,
            confinement=1.0,
            probe_strength=0.25,
        )


def _product(a, b):
    return a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]


def _one_minus(factor, a):
    return 1 - factor * a[0], -factor * a[1]


def _squared(a):
    return a[0] ** 2 + a[1] ** 2
