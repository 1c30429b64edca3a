r"""Dots with one spinless level each that feel each other by Coulomb interaction only.

.. math:: E(n) = \sum_i \varepsilon_i n_i + \sum_{i<j} U_{ij} n_i n_j

Every terminal contacts one dot; its tunnel rate may depend on the occupation of all the others.

Source: Whitney, Sánchez, Haupt & Splettstoesser, Physica E 75, 257 (2016), Eqs. 1 and 4 (U counted once).
"""

import itertools
from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from mesotherm.device import Effort, HasAdjustableCoupling, HasCoulombCoupledDots
from mesotherm.engines.rate_equation import AbstractRateEquation, Kinetics, TransitionTable, weak_exchange
from mesotherm.fields import FieldError, as_array


class AbstractCoulombDots(AbstractRateEquation, HasAdjustableCoupling, HasCoulombCoupledDots):
    """Dots, what they cost and who contacts them; how that is given is up to the device.

    Attributes
    ----------
    dots
        Names of the dots.
    contacts
        One (terminal, dot) pair per terminal; the order of the terminals.
    levels
        ε_i, one per dot [energy].
    charging_energies
        U_ij, one per pair of dots in the order of ``pairs`` [energy]; each pair counts once.
    tunnel_rates
        γ, one row per terminal, one column per occupation of the other dots in the order of ``occupations``
        [energy/ħ].
    """

    dots: eqx.AbstractVar[tuple[str, ...]]
    contacts: eqx.AbstractVar[tuple[tuple[str, str], ...]]
    levels: eqx.AbstractVar[Float[Array, "dots"]]
    charging_energies: eqx.AbstractVar[Float[Array, "pairs"]]
    tunnel_rates: eqx.AbstractVar[Float[Array, "terminals occupations"]]

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


class AbstractNamedCoulombDots(AbstractCoulombDots):
    """Dots and terminals with names of their own.

    The tunnel rates of a terminal X are a field: ``rates_X``, one number per occupation of the other dots, or
    ``rate_X``, one number for all of them. A single number stands for all in ``rates_X``, too.
    """

    def __post_init__(self):
        for name in self._rate_fields():
            given = as_array(getattr(self, name))
            if name.startswith("rates_") and isinstance(given, jax.Array) and given.ndim == 0:
                setattr(self, name, jnp.broadcast_to(given, (len(self.occupations),)))

    def __check_init__(self):
        for name in self._rate_fields():
            shape = (len(self.occupations),) if name.startswith("rates_") else ()
            if jnp.shape(getattr(self, name)) != shape:
                raise FieldError(
                    name,
                    f"{type(self).__name__}: {name} has shape {jnp.shape(getattr(self, name))}; it needs {shape}.",
                )

    def _rate_fields(self) -> tuple[str, ...]:
        return tuple(("rates_" if hasattr(self, f"rates_{name}") else "rate_") + name for name in self.terminals)

    @property
    def tunnel_rates(self) -> Float[Array, "terminals occupations"]:
        """γ, one row per terminal, one column per occupation of the other dots [energy/ħ]."""
        fields = self._rate_fields()
        rows = [getattr(self, name) if name.startswith("rates_") else getattr(self, name)[None] for name in fields]
        shape = jnp.broadcast_shapes((len(self.occupations), *[1] * (rows[0].ndim - 1)), *(row.shape for row in rows))
        return jnp.stack([jnp.broadcast_to(row, shape) for row in rows])

    def with_coupling(self, terminal, strength):
        name = self._rate_fields()[self.index(terminal)]
        rates = jnp.broadcast_to(jnp.asarray(strength, float), jnp.shape(getattr(self, name)))
        return eqx.tree_at(lambda device: getattr(device, name), self, rates)


def pair_names(dots: Sequence[str]) -> tuple[str, ...]:
    """Names of all pairs of dots: "M-H", "M-C", "H-C"."""
    return tuple(f"{a}-{b}" for a, b in itertools.combinations(dots, 2))


def occupation_names(dots: Sequence[str]) -> tuple[str, ...]:
    """Names of all occupations of the dots but one: "00", "01", "10", "11" for three dots."""
    return tuple("".join(digits) for digits in itertools.product("01", repeat=len(dots) - 1))
