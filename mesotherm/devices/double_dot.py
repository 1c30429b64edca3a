"""Two quantum dots between two leads: in series, with hopping, or side by side, with Coulomb interaction only."""

from typing import ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from mesotherm.engines.orbitals import UP, AbstractOrbitalNetwork, Orbitals
from mesotherm.engines.stacking import between_two, stacked
from mesotherm.fields import FieldError, as_array, parameter


class DoubleDot(AbstractOrbitalNetwork):
    r"""Dots A and B in series: L contacts A, R contacts B, and electrons hop between them.

    .. math:: H = \varepsilon_A n_A + \varepsilon_B n_B + U n_A n_B + h\,(d_A^\dagger d_B + d_B^\dagger d_A)

    Electrons enter and leave the eigenstates, which lie :math:`\sqrt{(\varepsilon_A - \varepsilon_B)^2 + 4h^2}` apart
    and to which both leads have access: unlike a single level it carries heat without a particle current.

    Terminals, in order: L, R.

    Source: van der Wiel et al., RMP 75, 1 (2003), Sec. II; Schaller, Open Quantum Systems Far from Equilibrium
    (Springer, 2014) (rates between eigenstates).

    Assumes: weak coupling (γ well below every temperature), eigenstates that lie further apart than the tunnel rates
    (no coherence between them), no spin.

    Examples
    --------
    >>> from mesotherm import Reservoirs
    >>> value = DoubleDot.example().response(Reservoirs([0, 0], [2, 1])).value
    >>> value.particle.round(8).tolist(), value.energy.round(8).tolist()
    ([0.00030197, -0.00030197], [0.00065878, -0.00065878])
    """

    level_A: Float[Array, ""] = parameter("level ε_A of dot A", gauge=True)
    level_B: Float[Array, ""] = parameter("level ε_B of dot B", gauge=True)
    charging_energy: Float[Array, ""] = parameter("charging energy U of one electron on each dot")
    hopping: Float[Array, ""] = parameter("hopping amplitude h between the dots")
    rate_L: Float[Array, ""] = parameter("tunnel rate γ_L of L with A", unit="energy/hbar", low=0.0)
    rate_R: Float[Array, ""] = parameter("tunnel rate γ_R of R with B", unit="energy/hbar", low=0.0)
    orbitals: ClassVar[tuple[tuple[str, int], ...]] = (("A", UP), ("B", UP))
    lead_names: ClassVar[tuple[str, ...]] = ("L", "R")
    bath_names: ClassVar[tuple[str, ...]] = ()
    hops: ClassVar[bool] = True

    def on_orbitals(self, reservoirs):
        none = jnp.zeros_like(self.rate_L)
        rates = stacked(stacked(self.rate_L, none), stacked(jnp.zeros_like(self.rate_R), self.rate_R))
        energies, between = stacked(self.level_A, self.level_B), between_two(self.charging_energy)
        return Orbitals(energies, between, rates, between_two(self.hopping), jnp.zeros((0, *between.shape)))

    @classmethod
    def example(cls) -> "DoubleDot":
        """Levels 0.3 and 0.8 k_B T above μ, hopping of 0.5 k_B T, tunnel rates 0.01 k_B T/ħ."""
        return cls(  # pyright: ignore[reportCallIssue]  (terminals and others are properties)
            level_A=0.3, level_B=0.8, charging_energy=2.0, hopping=0.5, rate_L=0.01, rate_R=0.01
        )


class TwoTerminalCoupledDots(AbstractOrbitalNetwork):
    r"""Two dots side by side between the same two leads, coupled by Coulomb interaction κ of either sign, no hopping.

    .. math:: E(n) = \varepsilon_b n_b + \varepsilon_u n_u + \kappa\, n_b n_u

    With an attractive κ the particle current may flow against its force while the energy current follows its own: an
    inverse current.

    Terminals, in order: L, R.

    Source: Zhang & Xie, Phys. Rev. E 104, 064142 (2021); Ghosh & Ghosh, arXiv:2603.06336 (2026), Sec. X.

    Assumes: weak coupling (γ well below every temperature), one electron of one spin per dot, tunnel rates that do not
    depend on the other dot.

    Attributes
    ----------
    rates_L, rates_R
        Tunnel rates of each lead with the dots b and u, in this order; one number stands for both [energy/ħ].

    Examples
    --------
    >>> from mesotherm import Reservoirs
    >>> dots = TwoTerminalCoupledDots(level_b=1, level_u=1.5, interaction=0, rates_L=[0.01, 0.0], rates_R=[0.01, 0.02])
    >>> dots.response(Reservoirs([0, 0], [2, 1])).value.particle.round(8).tolist()
    [0.000543, -0.000543]
    """

    level_b: Float[Array, ""] = parameter("level ε_b of dot b", gauge=True)
    level_u: Float[Array, ""] = parameter("level ε_u of dot u", gauge=True)
    interaction: Float[Array, ""] = parameter("interaction κ of one electron on each dot; negative: they attract")
    rates_L: Float[Array, "dots"] = parameter(
        "tunnel rate of L with each dot", unit="energy/hbar", low=0.0, entries=("dots",)
    )
    rates_R: Float[Array, "dots"] = parameter(
        "tunnel rate of R with each dot", unit="energy/hbar", low=0.0, entries=("dots",)
    )
    dots: ClassVar[tuple[str, ...]] = ("b", "u")
    orbitals: ClassVar[tuple[tuple[str, int], ...]] = (("b", UP), ("u", UP))
    lead_names: ClassVar[tuple[str, ...]] = ("L", "R")
    bath_names: ClassVar[tuple[str, ...]] = ()
    hops: ClassVar[bool] = False

    def __post_init__(self):
        for name in ("rates_L", "rates_R"):
            given = as_array(getattr(self, name))
            if isinstance(given, jax.Array) and given.ndim == 0:
                setattr(self, name, jnp.broadcast_to(given, (2,)))

    def __check_init__(self):
        for name in ("rates_L", "rates_R"):
            if (shape := jnp.shape(getattr(self, name))) != (2,):
                raise FieldError(name, f"TwoTerminalCoupledDots: {name} has shape {shape}; it needs (2,).")

    def on_orbitals(self, reservoirs):
        energies, rates = stacked(self.level_b, self.level_u), stacked(self.rates_L, self.rates_R)
        between = between_two(self.interaction)
        return Orbitals(energies, between, rates, None, jnp.zeros((0, *between.shape)))

    @classmethod
    def example(cls) -> "TwoTerminalCoupledDots":
        """Dots that attract each other; L has the better contact to b, R to u."""
        return cls(  # pyright: ignore[reportCallIssue]  (terminals and others are properties)
            level_b=1.0, level_u=1.5, interaction=-2.5, rates_L=[0.02, 0.01], rates_R=[0.01, 0.02]
        )
