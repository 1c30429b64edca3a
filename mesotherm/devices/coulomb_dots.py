"""Any number of quantum dots coupled by Coulomb repulsion only, each with its own electronic contacts."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from mesotherm.engines.coulomb_dots import AbstractCoulombDots
from mesotherm.engines.coulomb_dots import pair_names as pair_names
from mesotherm.fields import assignment, names, parameter

MOST_DOTS = 8
"""n dots have 2^n states, and the elimination of states costs their number cubed."""


class CoulombDots(AbstractCoulombDots):
    r"""n dots with one spinless level each; electrons tunnel to contacts, never from dot to dot.

    .. math:: E(n) = \sum_i \varepsilon_i n_i + \sum_{i<j} U_{ij} n_i n_j

    The tunnel rate of a contact may depend on the occupation of all other dots.

    Attributes
    ----------
    dots
        Names of the dots.
    contacts
        One (terminal, dot) pair per terminal, or a mapping; the order of the terminals.
    levels
        ε_i, one per dot [energy].
    charging_energies
        U_ij, one per pair of dots in the order of ``pairs`` [energy]; each pair counts once.
    tunnel_rates
        γ, one row per terminal, one column per occupation of the other dots in the order of ``occupations``
        [energy/ħ].

    Source: Whitney, Sánchez, Haupt & Splettstoesser, Physica E 75, 257 (2016), Eqs. 1 and 4 (U counted once).

    Assumes: weak coupling (γ well below every temperature), at most one electron per dot, no spin (a spin-degenerate
    level needs two dots).
    """

    dots: tuple[str, ...] = names("names of the dots", most=MOST_DOTS)
    contacts: tuple[tuple[str, str], ...] = assignment("dot that each terminal contacts", of="dots")
    levels: Float[Array, "dots"] = parameter("level ε of each dot", gauge=True, entries=("dots",))
    charging_energies: Float[Array, "pairs"] = parameter(
        "charging energy U of each pair of dots", entries=("pairs",), left_out=0.0
    )
    tunnel_rates: Float[Array, "terminals occupations"] = parameter(
        "tunnel rate γ of each terminal for each occupation of the other dots",
        unit="energy/hbar",
        low=0.0,
        entries=("terminals", "occupations"),
    )

    def __check_init__(self):
        shapes = {
            "levels": (len(self.dots),),
            "charging_energies": (len(self.pairs),),
            "tunnel_rates": (len(self.contacts), len(self.occupations)),
        }
        for name, shape in shapes.items():
            if getattr(self, name).shape != shape:
                raise ValueError(f"CoulombDots: {name} has shape {getattr(self, name).shape}; it needs {shape}.")

    def with_coupling(self, terminal, strength):
        rates = self.tunnel_rates.at[self.index(terminal)].set(strength)
        return eqx.tree_at(lambda device: device.tunnel_rates, self, rates)

    @classmethod
    def example(cls) -> "CoulombDots":
        """A thermocouple like that of Whitney et al., with rates well below k_B T = 1."""
        return quantum_dot_thermocouple(
            level_M=0.5,
            charging_MH=1.0,
            charging_MC=2.0,
            charging_HC=20.0,
            rate_L=(0.01, 0.0, 0.0, 0.0),
            rate_R=(0.0, 0.01, 0.01, 0.01),
            rate_H=0.01,
            rate_C=0.01,
        )


def quantum_dot_thermocouple(
    *,
    level_M=0.0,
    level_H=0.0,
    level_C=0.0,
    charging_MH=3.0,
    charging_MC=6.0,
    charging_HC=100.0,
    rate_L=(1.0, 0.0, 0.0, 0.0),
    rate_R=(0.0, 1.0, 1.0, 1.0),
    rate_H=1.0,
    rate_C=0.5,
    rate_P=0.0,
) -> CoulombDots:
    """The thermocouple of Whitney et al.: dot M between L and R, heated and cooled through the dots H and C.

    ``rate_L`` and ``rate_R`` are given for the occupations (h, c) = 00, 01, 10, 11 of the dots H and C; ``rate_P``
    couples a probe P to dot M. Energies and rates in one energy unit (the paper's γ). The defaults are the paper's
    Fig. 2.

    Terminals, in order: L, R, H, C, P.

    Source: Whitney, Sánchez, Haupt & Splettstoesser, Physica E 75, 257 (2016), Fig. 1(b), Eqs. 1, 16 and 20.
    """

    def everywhere(rate):
        return jnp.broadcast_to(jnp.asarray(rate, float), (4,))

    return CoulombDots(  # pyright: ignore[reportCallIssue]  (terminals and conductors are properties)
        dots=("M", "H", "C"),
        contacts=(("L", "M"), ("R", "M"), ("H", "H"), ("C", "C"), ("P", "M")),
        levels=jnp.stack([jnp.asarray(level, float) for level in (level_M, level_H, level_C)]),
        charging_energies=jnp.stack([jnp.asarray(u, float) for u in (charging_MH, charging_MC, charging_HC)]),
        tunnel_rates=jnp.stack([everywhere(rate) for rate in (rate_L, rate_R, rate_H, rate_C, rate_P)]),
    )
