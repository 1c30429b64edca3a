"""Any number of quantum dots coupled by Coulomb repulsion only, each with its own electronic contacts."""

import itertools
from collections.abc import Sequence

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from mesotherm.device import Effort, HasAdjustableCoupling, HasCoulombCoupledDots
from mesotherm.engines.rate_equation import AbstractRateEquation, Kinetics, TransitionTable, weak_exchange
from mesotherm.fields import assignment, names, parameter

MOST_DOTS = 8
"""n dots have 2^n states, and the elimination of states costs their number cubed."""


class CoulombDots(AbstractRateEquation, HasAdjustableCoupling, HasCoulombCoupledDots):
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

    @property
    def terminals(self) -> tuple[str, ...]:
        return tuple(terminal for terminal, _ in self.contacts)

    @property
    def conductors(self) -> tuple[tuple[str, ...], ...]:
        groups = (tuple(t for t, dot in self.contacts if dot == name) for name in self.dots)
        return tuple(group for group in groups if group)

    @property
    def pairs(self) -> tuple[str, ...]:
        """Names of the pairs of dots, "M-H"."""
        return pair_names(self.dots)

    @property
    def occupations(self) -> tuple[str, ...]:
        """Occupations of all dots but one, as digits in the order of ``dots``: "00", "01", "10", "11"."""
        return occupation_names(self.dots)

    def states(self) -> np.ndarray:
        """Occupation numbers [states, dots]; the first dot is the slowest digit."""
        return np.array(list(itertools.product((0, 1), repeat=len(self.dots))))

    def energies(self) -> Float[Array, "states"]:
        """Energy of every many-body state [energy]."""
        states = self.states()
        doubly = (
            np.stack([states[:, i] * states[:, j] for i, j in itertools.combinations(range(len(self.dots)), 2)], 1)
            if len(self.dots) > 1
            else np.zeros((2, 0))
        )
        return jnp.tensordot(states.astype(float), self.levels, 1) + jnp.tensordot(
            doubly.astype(float), self.charging_energies, 1
        )

    def _entries(self):
        """Every transition as (empty state, filled state, terminal, occupation of the others)."""
        states = [tuple(state) for state in self.states().tolist()]
        for position, (_, dot) in enumerate(self.contacts):
            i = self.dots.index(dot)
            for index, state in enumerate(states):
                if state[i] == 0:
                    others = "".join(str(n) for n in state[:i] + state[i + 1 :])
                    yield (
                        index,
                        states.index((*state[:i], 1, *state[i + 1 :])),
                        position,
                        self.occupations.index(others),
                    )

    def transitions(self):
        empty, filled, terminal, _ = zip(*self._entries(), strict=True)
        return TransitionTable(2 ** len(self.dots), empty, filled, terminal)

    def kinetics(self, reservoirs):
        _, _, terminal, others = zip(*self._entries(), strict=True)
        return Kinetics(self.energies(), self.tunnel_rates[np.array(terminal), np.array(others)])

    def state_names(self):
        return tuple(
            "+".join(dot for dot, n in zip(self.dots, state, strict=True) if n) or "empty" for state in self.states()
        )

    def with_coupling(self, terminal, strength):
        rates = self.tunnel_rates.at[self.index(terminal)].set(strength)
        return eqx.tree_at(lambda device: device.tunnel_rates, self, rates)

    def weak_exchange(self, terminal, reservoirs, effort=Effort.STRICT):
        return weak_exchange(self, self.with_coupling(terminal, jnp.ones(())), reservoirs, self.index(terminal), effort)

    def dot_of(self, terminal):
        return dict(self.contacts)[self.terminals[self.index(terminal)]]

    def tunnel_rate(self, terminal, occupied):
        mine = self.dot_of(terminal)
        for dot in occupied:
            if dot not in self.dots or dot == mine:
                raise ValueError(f"{dot!r} is none of the other dots; {terminal!r} contacts {mine!r} of {self.dots}.")
        others = "".join("1" if dot in occupied else "0" for dot in self.dots if dot != mine)
        return self.tunnel_rates[self.index(terminal), self.occupations.index(others)]

    def charging_energy(self, dot, other):
        pairs = list(itertools.combinations(self.dots, 2))
        for position, pair in enumerate(pairs):
            if {dot, other} == set(pair):
                return self.charging_energies[position]
        raise ValueError(f"there is no pair of dots {dot!r}, {other!r}; the dots are {', '.join(self.dots)}.")

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


def pair_names(dots: Sequence[str]) -> tuple[str, ...]:
    """Names of all pairs of dots: "M-H", "M-C", "H-C"."""
    return tuple(f"{a}-{b}" for a, b in itertools.combinations(dots, 2))


def occupation_names(dots: Sequence[str]) -> tuple[str, ...]:
    """Names of all occupations of the dots but one: "00", "01", "10", "11" for three dots."""
    return tuple("".join(digits) for digits in itertools.product("01", repeat=len(dots) - 1))


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
