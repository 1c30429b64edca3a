"""One quantum dot between two leads: a spinless level, or one with spin."""

from typing import ClassVar

import jax.numpy as jnp
from jaxtyping import Array, Float

from mesotherm.engines.orbitals import DOWN, UP, AbstractOrbitalNetwork, Orbitals
from mesotherm.engines.stacking import between_two, stacked
from mesotherm.fields import parameter


class SingleDot(AbstractOrbitalNetwork):
    r"""One spinless level between two leads: the smallest thermoelectric engine, every electron carrying ε.

    .. math::
        I_L = \frac{\gamma_L \gamma_R}{\gamma_L + \gamma_R}\,[f_L(\varepsilon) - f_R(\varepsilon)], \qquad
        J^E_L = \varepsilon I_L

    At stall, where f_L = f_R, nothing is dissipated and the efficiency is Carnot's.

    Terminals, in order: L, R.

    Source: Esposito, Lindenberg & Van den Broeck, EPL 85, 60010 (2009); Ghosh & Ghosh, arXiv:2603.06336 (2026),
    Sec. IV.

    Assumes: weak coupling (γ well below every temperature), one electron of one spin.

    Examples
    --------
    >>> from mesotherm import Reservoirs
    >>> dot = SingleDot(level=1.0, rate_L=0.01, rate_R=0.01)
    >>> dot.response(Reservoirs([0, 0], [2, 1])).value.particle.round(8).tolist()
    [0.000543, -0.000543]
    """

    level: Float[Array, ""] = parameter("level ε of the dot", gauge=True)
    rate_L: Float[Array, ""] = parameter("tunnel rate γ_L of L", unit="energy/hbar", low=0.0)
    rate_R: Float[Array, ""] = parameter("tunnel rate γ_R of R", unit="energy/hbar", low=0.0)
    orbitals: ClassVar[tuple[tuple[str, int], ...]] = (("D", UP),)
    lead_names: ClassVar[tuple[str, ...]] = ("L", "R")
    bath_names: ClassVar[tuple[str, ...]] = ()
    hops: ClassVar[bool] = False

    def on_orbitals(self, reservoirs):
        alone = jnp.zeros((1, 1, *self.level.shape))
        rates = stacked(self.rate_L, self.rate_R)[:, None]
        return Orbitals(self.level[None], alone, rates, None, jnp.zeros((0, *alone.shape)))

    @classmethod
    def example(cls) -> "SingleDot":
        """A level 1 k_B T above μ, tunnel rates 0.01 k_B T/ħ."""
        return cls(  # pyright: ignore[reportCallIssue]  (terminals and others are properties)
            level=1.0, rate_L=0.01, rate_R=0.01
        )


class SpinfulDot(AbstractOrbitalNetwork):
    r"""One level for electrons of both spins between two leads: charging energy, Zeeman splitting, polarised leads.

    .. math::
        H = (\varepsilon + \tfrac12\Delta)\, n_\uparrow + (\varepsilon - \tfrac12\Delta)\, n_\downarrow
        + U n_\uparrow n_\downarrow, \qquad \gamma_{\alpha\uparrow\downarrow} = \gamma_\alpha (1 \pm p_\alpha)

    A rate is that of one spin; the level as a whole is entered twice as fast as it is left. Very large U is
    Coulomb blockade: never more than one electron. Both leads are polarised along the field, p < 0 opposite to it.

    Terminals, in order: L, R.

    Source: Beenakker, PRB 44, 1646 (1991); Braun, König & Martinek, PRB 70, 195345 (2004), for polarised leads.

    Assumes: weak coupling (γ well below every temperature), collinear polarisations, no spin relaxation in the dot.

    Examples
    --------
    >>> from mesotherm import Reservoirs
    >>> dot = SpinfulDot(level=1.0, charging_energy=100.0, rate_L=0.01, rate_R=0.01)
    >>> dot.state_names()
    ('empty', 'D↓', 'D↑', 'D↑+D↓')
    >>> dot.response(Reservoirs([0, 0], [2, 1])).value.particle.round(8).tolist()
    [0.00082071, -0.00082071]
    """

    level: Float[Array, ""] = parameter("level ε of the dot", gauge=True)
    charging_energy: Float[Array, ""] = parameter("charging energy U of two electrons")
    rate_L: Float[Array, ""] = parameter("tunnel rate γ_L of L for one spin", unit="energy/hbar", low=0.0)
    rate_R: Float[Array, ""] = parameter("tunnel rate γ_R of R for one spin", unit="energy/hbar", low=0.0)
    zeeman: Float[Array, ""] = parameter("Zeeman splitting Δ: spin up at ε + Δ/2", default=0.0)
    polarization_L: Float[Array, ""] = parameter(
        "spin polarization p_L of L", unit="1", low=-1.0, high=1.0, default=0.0
    )
    polarization_R: Float[Array, ""] = parameter(
        "spin polarization p_R of R", unit="1", low=-1.0, high=1.0, default=0.0
    )
    orbitals: ClassVar[tuple[tuple[str, int], ...]] = (("D", UP), ("D", DOWN))
    lead_names: ClassVar[tuple[str, ...]] = ("L", "R")
    bath_names: ClassVar[tuple[str, ...]] = ()
    hops: ClassVar[bool] = False

    def on_orbitals(self, reservoirs):
        half, between = 0.5 * self.zeeman, between_two(self.charging_energy)
        given = (self.rate_L, self.polarization_L), (self.rate_R, self.polarization_R)
        rates = stacked(*(stacked(rate * (1.0 + p), rate * (1.0 - p)) for rate, p in given))
        return Orbitals(
            stacked(self.level + half, self.level - half), between, rates, None, jnp.zeros((0, *between.shape))
        )

    @classmethod
    def example(cls) -> "SpinfulDot":
        """A level 1 k_B T above μ, charging energy 3 k_B T, a small field and leads polarised in opposite ways."""
        return cls(  # pyright: ignore[reportCallIssue]  (terminals and others are properties)
            level=1.0,
            charging_energy=3.0,
            rate_L=0.01,
            rate_R=0.01,
            zeeman=0.5,
            polarization_L=0.3,
            polarization_R=-0.3,
        )
