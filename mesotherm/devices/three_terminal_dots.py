"""Quantum dots with a third terminal that brings heat but no current: Coulomb-coupled, or driven by bosons."""

from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from mesotherm.engines.coulomb_dots import AbstractNamedCoulombDots
from mesotherm.engines.orbitals import UP, AbstractOrbitalNetwork, Orbitals
from mesotherm.engines.stacking import between_two, stacked
from mesotherm.fields import parameter


def _rates(terminal: str):
    """Tunnel rates of a terminal for both occupations of the dot that it does not contact."""
    return parameter(
        f"tunnel rate of {terminal} while the other dot is empty or occupied",
        unit="energy/hbar",
        low=0.0,
        entries=("other_dot",),
    )


class AbstractPair(AbstractNamedCoulombDots):
    """Dot b between L and R, dot u on U, with an interaction κ; how it is given is up to the device."""

    level_b: eqx.AbstractVar[Float[Array, ""]]
    level_u: eqx.AbstractVar[Float[Array, ""]]
    interaction: eqx.AbstractVar[Float[Array, ""]]
    dots: ClassVar[tuple[str, ...]] = ("b", "u")
    contacts: ClassVar[tuple[tuple[str, str], ...]] = (("L", "b"), ("R", "b"), ("U", "u"))
    other_dot: ClassVar[tuple[str, ...]] = ("empty", "occupied")

    @property
    def levels(self):
        """ε of b and u [energy]."""
        return stacked(self.level_b, self.level_u)

    @property
    def charging_energies(self):
        """κ, as the only entry [energy]."""
        return self.interaction[None]


class CoupledDots(AbstractPair):
    r"""Dot b between L and R, dot u on U; electrons of both feel each other by an interaction κ of either sign.

    .. math:: E(n) = \varepsilon_b n_b + \varepsilon_u n_u + \kappa\, n_b n_u

    U exchanges no particles; its heat is κ times the number of electrons that enter u while b is occupied and leave it
    while b is empty. Where the tunnel rates of L and R depend on u, that heat drives a current from L to R, with L and
    R at one temperature and one μ

    .. math::
        I_L = \frac{J_U}{\kappa}\, \frac{\gamma_{L0}\gamma_{R1} - \gamma_{L1}\gamma_{R0}}
        {(\gamma_{L0}+\gamma_{R0})(\gamma_{L1}+\gamma_{R1})}

    and an ideal engine, γ_L = (γ, 0) and γ_R = (0, γ), stalls at μ_R − μ_L = κ(1 − T/T_U), dissipating nothing.

    An attractive κ < −ε_b may make the particle current flow against its force while the energy current follows its
    own. What counts as inverse depends on the zero of energy, here that of the level ε_b.

    Terminals, in order: L, R, U.

    Source: Sánchez & Büttiker, PRB 83, 085428 (2011); Ghosh & Ghosh, arXiv:2603.06336 (2026), Secs. IX and X.

    Assumes: weak coupling (γ well below every temperature), one electron of one spin per dot.

    Attributes
    ----------
    rates_L, rates_R, rates_U
        Tunnel rates while the other dot is empty, and while it is occupied; one number stands for both [energy/ħ].

    Examples
    --------
    >>> from mesotherm import Reservoirs
    >>> value = CoupledDots.example().response(Reservoirs([0, 0, 0], [1, 1, 2])).value
    >>> bool(value.particle[0] > 0), abs(float(value.particle[2])) < 1e-15
    (True, True)
    """

    level_b: Float[Array, ""] = parameter("level ε_b of dot b", gauge=True)
    level_u: Float[Array, ""] = parameter("level ε_u of dot u", gauge=True)
    interaction: Float[Array, ""] = parameter("interaction κ of the dots; negative: they attract each other")
    rates_L: Float[Array, "other_dot"] = _rates("L")
    rates_R: Float[Array, "other_dot"] = _rates("R")
    rates_U: Float[Array, "other_dot"] = _rates("U")

    @classmethod
    def example(cls) -> "CoupledDots":
        """An engine: L contacts b mostly while u is empty, R mostly while u is occupied."""
        return cls(  # pyright: ignore[reportCallIssue]  (terminals and others are properties)
            level_b=0.5,
            level_u=0.5,
            interaction=2.0,
            rates_L=[0.02, 0.001],
            rates_R=[0.001, 0.02],
            rates_U=[0.01, 0.01],
        )


class SpinPolarizedPair(AbstractPair):
    r"""Coupled dots with electrons of opposite spins, whose interaction may be attractive: κ = κ_c − κ_s.

    .. math:: E(n) = \varepsilon_b n_b + \varepsilon_u n_u + (\kappa_c - \kappa_s)\, n_b n_u

    The leads L and R of dot b hold electrons with spin down, the lead U of dot u those with spin up. Beside Coulomb
    repulsion κ_c both opposite spins lower their energy by κ_s when they meet. Otherwise it is ``CoupledDots``.

    Terminals, in order: L, R, U.

    Source: Ghosh & Ghosh, arXiv:2603.06336 (2026), Sec. X, energies of the states after Eq. 52 (the spin term as
    printed in Eq. 52 would give κ_c − 4κ_s and shifted levels).

    Assumes: weak coupling (γ well below every temperature), fully polarised leads, no spin flips.

    Attributes
    ----------
    rates_L, rates_R, rates_U
        Tunnel rates while the other dot is empty, and while it is occupied; one number stands for both [energy/ħ].

    Examples
    --------
    >>> SpinPolarizedPair.example().interaction.item()
    -4.0
    """

    level_b: Float[Array, ""] = parameter("level ε_b of dot b", gauge=True)
    level_u: Float[Array, ""] = parameter("level ε_u of dot u", gauge=True)
    coulomb_coupling: Float[Array, ""] = parameter("Coulomb repulsion κ_c of the dots", low=0.0)
    spin_coupling: Float[Array, ""] = parameter("attraction κ_s of opposite spins", low=0.0)
    rates_L: Float[Array, "other_dot"] = _rates("L")
    rates_R: Float[Array, "other_dot"] = _rates("R")
    rates_U: Float[Array, "other_dot"] = _rates("U")

    @property
    def interaction(self) -> Float[Array, ""]:
        """κ = κ_c − κ_s [energy]."""
        return self.coulomb_coupling - self.spin_coupling

    @classmethod
    def example(cls) -> "SpinPolarizedPair":
        """Dots that attract each other by more than ε_b, so that an inverse current is possible."""
        return cls(  # pyright: ignore[reportCallIssue]  (terminals and others are properties)
            level_b=1.0,
            level_u=1.5,
            coulomb_coupling=2.0,
            spin_coupling=6.0,
            rates_L=[0.01, 0.01],
            rates_R=[0.01, 0.01],
            rates_U=[0.01, 0.01],
        )


class Thermocouple(AbstractNamedCoulombDots):
    r"""Dot M between L and R, heated and cooled through the dots H and C: power without absorbing energy.

    .. math:: E(n) = \sum_i \varepsilon_i n_i + U_{MH} n_M n_H + U_{MC} n_M n_C + U_{HC} n_H n_C

    The tunnel rates of L and R depend on the occupations of H and C; a probe P may contact M as well.

    Terminals, in order: L, R, H, C, P.

    Source: Whitney, Sánchez, Haupt & Splettstoesser, Physica E 75, 257 (2016), Fig. 1(b), Eqs. 1, 16 and 20.

    Assumes: weak coupling (γ well below every temperature), one electron of one spin per dot.

    Attributes
    ----------
    rates_L, rates_R
        Tunnel rates for the occupations (h, c) = 00, 01, 10, 11 of the dots H and C; one number stands for all
        [energy/ħ].

    Examples
    --------
    >>> Thermocouple.example().conductors
    (('L', 'R', 'P'), ('H',), ('C',))
    """

    level_M: Float[Array, ""] = parameter("level of dot M", gauge=True)
    level_H: Float[Array, ""] = parameter("level of dot H", gauge=True)
    level_C: Float[Array, ""] = parameter("level of dot C", gauge=True)
    charging_MH: Float[Array, ""] = parameter("charging energy of M and H")
    charging_MC: Float[Array, ""] = parameter("charging energy of M and C")
    charging_HC: Float[Array, ""] = parameter("charging energy of H and C")
    rates_L: Float[Array, "occupations"] = parameter(
        "tunnel rate of L for each occupation of H and C", unit="energy/hbar", low=0.0, entries=("occupations",)
    )
    rates_R: Float[Array, "occupations"] = parameter(
        "tunnel rate of R for each occupation of H and C", unit="energy/hbar", low=0.0, entries=("occupations",)
    )
    rate_H: Float[Array, ""] = parameter("tunnel rate of H", unit="energy/hbar", low=0.0)
    rate_C: Float[Array, ""] = parameter("tunnel rate of C", unit="energy/hbar", low=0.0)
    rate_P: Float[Array, ""] = parameter("tunnel rate of P with M", unit="energy/hbar", low=0.0, default=0.0)
    dots: ClassVar[tuple[str, ...]] = ("M", "H", "C")
    contacts: ClassVar[tuple[tuple[str, str], ...]] = (("L", "M"), ("R", "M"), ("H", "H"), ("C", "C"), ("P", "M"))

    @property
    def levels(self):
        """ε of M, H and C [energy]."""
        return stacked(self.level_M, self.level_H, self.level_C)

    @property
    def charging_energies(self):
        """U of M-H, M-C and H-C [energy]."""
        return stacked(self.charging_MH, self.charging_MC, self.charging_HC)

    @classmethod
    def example(cls) -> "Thermocouple":
        """A thermocouple like that of Whitney et al., with rates well below k_B T = 1."""
        return cls(  # pyright: ignore[reportCallIssue]  (terminals and others are properties)
            level_M=0.5,
            level_H=0.0,
            level_C=0.0,
            charging_MH=1.0,
            charging_MC=2.0,
            charging_HC=20.0,
            rates_L=[0.01, 0.0, 0.0, 0.0],
            rates_R=[0.0, 0.01, 0.01, 0.01],
            rate_H=0.01,
            rate_C=0.01,
        )


class BosonAssistedDot(AbstractOrbitalNetwork):
    r"""Levels 1, on L, and 2, on R; bosons of B, phonons or photons, lift an electron from 1 to 2.

    .. math:: E(n) = \varepsilon_1 n_1 + \varepsilon_2 n_2 + U n_1 n_2

    Electrons pass from L to R only with a boson of energy ε₂ − ε₁ each, so that energy and particle current are
    tightly coupled, J_B = (ε₂ − ε₁) I_L. With L and R at one temperature T (or with U so large that the levels
    exclude each other) it stalls at

    .. math:: \mu_R - \mu_L = (\varepsilon_2 - \varepsilon_1)(1 - T/T_B),

    dissipating nothing, with Carnot's efficiency. With L and R at different temperatures a finite U lets heat leak
    through the doubly occupied state.

    Terminals, in order: L, R, B. The μ of B plays no part.

    Source: Rutten, Esposito & Cleuren, PRB 80, 235122 (2009).

    Assumes: weak coupling (rates well below every temperature), levels that differ (bosons of no energy are
    infinitely many), no coherence between them, no spin.

    Examples
    --------
    >>> from mesotherm import Reservoirs
    >>> value = BosonAssistedDot.example().response(Reservoirs([0, 1.0, 0], [1, 1, 2])).value
    >>> float(abs(value.particle).max()) < 1e-15
    True
    """

    level_1: Float[Array, ""] = parameter("level ε₁, on L", gauge=True)
    level_2: Float[Array, ""] = parameter("level ε₂, on R", gauge=True)
    charging_energy: Float[Array, ""] = parameter("charging energy U by which the levels exclude each other")
    rate_L: Float[Array, ""] = parameter("tunnel rate of L with level 1", unit="energy/hbar", low=0.0)
    rate_R: Float[Array, ""] = parameter("tunnel rate of R with level 2", unit="energy/hbar", low=0.0)
    rate_B: Float[Array, ""] = parameter(
        "rate at which B moves an electron between the levels", unit="energy/hbar", low=0.0
    )
    orbitals: ClassVar[tuple[tuple[str, int], ...]] = (("1", UP), ("2", UP))
    lead_names: ClassVar[tuple[str, ...]] = ("L", "R")
    bath_names: ClassVar[tuple[str, ...]] = ("B",)
    hops: ClassVar[bool] = False

    def on_orbitals(self, reservoirs):
        none = jnp.zeros_like(self.rate_L)
        rates = stacked(stacked(self.rate_L, none), stacked(jnp.zeros_like(self.rate_R), self.rate_R))
        energies = stacked(self.level_1, self.level_2)
        return Orbitals(energies, between_two(self.charging_energy), rates, None, between_two(self.rate_B)[None])

    @classmethod
    def example(cls) -> "BosonAssistedDot":
        """Levels 2 k_B T apart that exclude each other, rates 0.01 k_B T/ħ."""
        return cls(  # pyright: ignore[reportCallIssue]  (terminals and others are properties)
            level_1=0.5, level_2=2.5, charging_energy=20.0, rate_L=0.01, rate_R=0.01, rate_B=0.01
        )
