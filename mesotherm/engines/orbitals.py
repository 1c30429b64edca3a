r"""Dots as orbitals: many-body states, their energies and the transitions between them, for any network.

An orbital holds one electron of one spin. Without hopping the states are occupations n of the orbitals,

.. math:: E(n) = \sum_o \varepsilon_o n_o + \sum_{o<o'} U_{oo'} n_o n_{o'}

With hopping h they are the eigenstates of

.. math:: H = E(\hat n) + \sum_{o<o'} h_{oo'} (d^\dagger_o d_{o'} + d^\dagger_{o'} d_o)

in every sector of electrons with spin up and down, and an electron of spin σ enters from terminal α with the rate

.. math:: \gamma_{ji} = \Big| \sum_{o \in \sigma} \sqrt{\gamma_{\alpha o}}\, \langle j | d^\dagger_o | i \rangle \Big|^2

Source: Schaller, Open Quantum Systems Far from Equilibrium (Springer, 2014), Ch. 2; Kiršanskas et al., Comput. Phys.
Commun. 221, 317 (2017) (the Pauli master equation).
"""

import abc
import dataclasses
import functools
import itertools
from collections.abc import Mapping
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from mesotherm.conventions import EPSILON
from mesotherm.device import Assumption
from mesotherm.engines.eigenstates import eigenstates
from mesotherm.engines.rate_equation import AbstractRateEquation, Kinetics, TransitionTable
from mesotherm.engines.stacking import with_axes

SMALLEST_OVERLAP = 1e-13
"""Overlaps of states below this are rounding errors of zeros."""

UP, DOWN = 0, 1


class Orbitals(eqx.Module):
    """Numbers of a network, orbital by orbital.

    Attributes
    ----------
    energies
        ε of every orbital [energy].
    interactions
        U between orbitals, symmetric, no diagonal [energy].
    rates
        Tunnel rate of every lead with every orbital [energy/ħ].
    hopping
        h between orbitals, symmetric, no diagonal; ``None`` if electrons never hop [energy].
    bath_rates
        Rate at which every bath drives an electron from one orbital to another, symmetric [energy/ħ].

    The derivative with respect to a tunnel rate at zero leaves out interference with other dots of the same lead, which
    grows as the root of the rate.
    """

    energies: Float[Array, "orbitals"]
    interactions: Float[Array, "orbitals orbitals"]
    rates: Float[Array, "leads orbitals"]
    hopping: Float[Array, "orbitals orbitals"] | None
    bath_rates: Float[Array, "baths orbitals orbitals"]


@dataclasses.dataclass(frozen=True)
class StateSpace:
    """All occupations of orbitals with these spins, sorted into sectors of electrons up and down.

    ``hops``: whether the states are eigenstates within sectors, or the occupations themselves.
    """

    spins: tuple[int, ...]
    leads: int
    baths: int
    hops: bool

    @functools.cached_property
    def occupations(self) -> np.ndarray:
        """Occupation numbers [states, orbitals], sorted by sector."""
        spins = np.array(self.spins)
        states = list(itertools.product((0, 1), repeat=len(spins)))
        if not self.hops:
            return np.array(states)
        return np.array(sorted(states, key=lambda n: (sum(n), sum(np.array(n)[spins == UP]), n)))

    @functools.cached_property
    def sectors(self) -> tuple[np.ndarray, ...]:
        """Positions of the states of every sector."""
        spins, found = np.array(self.spins), {}
        for position, n in enumerate(self.occupations):
            found.setdefault((n[spins == UP].sum(), n[spins == DOWN].sum()), []).append(position)
        return tuple(np.array(members) for members in found.values())

    @functools.cached_property
    def creators(self) -> np.ndarray:
        """⟨j| d†_o |i⟩ between occupations [orbitals, states, states], with the signs of fermions."""
        n = self.occupations
        position = {tuple(row): index for index, row in enumerate(n.tolist())}
        matrices = np.zeros((n.shape[1], len(n), len(n)))
        for index, row in enumerate(n.tolist()):
            for o in range(n.shape[1]):
                if not row[o]:
                    filled = (*row[:o], 1, *row[o + 1 :])
                    matrices[o, position[filled], index] = (-1) ** sum(row[:o])
        return matrices

    @functools.cached_property
    def entries(self) -> tuple[np.ndarray, ...]:
        """Transitions from leads as (empty state, filled state, lead, spin), then those from baths as (empty state,
        filled state, bath, orbital that is left, orbital that is entered)."""
        spins, rows, driven = np.array(self.spins), [], []
        pairs = list(itertools.combinations(range(len(spins)), 2))
        alike = [(a, b) for a, b in pairs if spins[a] == spins[b]]
        if not self.hops:
            for lead, o in itertools.product(range(self.leads), range(len(spins))):
                filled, empty = np.nonzero(self.creators[o])
                rows += [(i, j, lead, o) for i, j in zip(empty, filled, strict=True)]
            for bath, (a, b) in itertools.product(range(self.baths), alike):
                after, before = np.nonzero(self.creators[b] @ self.creators[a].T)
                driven += [(i, j, bath, a, b) for i, j in zip(before, after, strict=True)]
        else:
            for lead, (s, t) in itertools.product(
                range(self.leads), itertools.product(range(len(self.sectors)), repeat=2)
            ):
                spin = self._entering(s, t)
                if spin is not None:
                    rows += [(i, j, lead, spin) for i in self.sectors[s] for j in self.sectors[t]]
            for bath, (a, b) in itertools.product(range(self.baths), alike):
                for sector in self.sectors:
                    driven += [(i, j, bath, a, b) for i, j in itertools.combinations(sector, 2)]
        return np.array(rows, int).reshape(-1, 4), np.array(driven, int).reshape(-1, 5)

    def _entering(self, s: int, t: int) -> int | None:
        """Spin of the electron that leads from one sector to another; ``None`` if it is not one electron."""
        spins = np.array(self.spins)
        change = [
            int((self.occupations[self.sectors[t][0]] - self.occupations[self.sectors[s][0]])[spins == spin].sum())
            for spin in (UP, DOWN)
        ]
        return {(1, 0): UP, (0, 1): DOWN}.get(tuple(change))

    @functools.cached_property
    def table(self) -> TransitionTable:
        """The table of transitions; baths come after leads."""
        rows, driven = self.entries
        both = np.concatenate([rows[:, :3], driven[:, :3] + np.array([0, 0, self.leads])])
        empty, filled, terminal = (tuple(column.tolist()) for column in both.T)
        bosonic = tuple(range(self.leads, self.leads + self.baths))
        return TransitionTable(len(self.occupations), empty, filled, terminal, bosonic)


@functools.cache
def state_space(spins: tuple[int, ...], leads: int, baths: int, hops: bool) -> StateSpace:
    """The state space of a kind of network, made once."""
    return StateSpace(spins, leads, baths, hops)


class AbstractOrbitalNetwork(AbstractRateEquation):
    """Dots made of orbitals, in contact with leads (terminals with electrons) and baths (with bosons)."""

    assumptions: ClassVar[Mapping[str, Assumption]] = {
        **AbstractRateEquation.assumptions,
        "no_coherence": Assumption(
            "states that the same electron can enter or leave lie further apart than tunnel rates: largest ħγ over the "
            "smallest splitting of eigenstates",
            limit=0.1,
        ),
    }

    @property
    @abc.abstractmethod
    def orbitals(self) -> tuple[tuple[str, int], ...]:
        """Dot and spin (``UP``, ``DOWN``) of every orbital; a dot without spin has one that is up."""

    @property
    @abc.abstractmethod
    def lead_names(self) -> tuple[str, ...]:
        """Terminals with electrons."""

    @property
    @abc.abstractmethod
    def bath_names(self) -> tuple[str, ...]:
        """Terminals with bosons."""

    @property
    @abc.abstractmethod
    def hops(self) -> bool:
        """Whether electrons hop from dot to dot."""

    @abc.abstractmethod
    def on_orbitals(self, reservoirs) -> Orbitals:
        """The device's numbers, orbital by orbital."""

    def at_energy(self, lead: int, energy: Float[Array, "..."]) -> Float[Array, "..."]:
        """By what tunnel rates of a lead are multiplied at an energy; 1 unless they depend on it."""
        return jnp.ones_like(energy)

    @property
    def terminals(self) -> tuple[str, ...]:
        return self.lead_names + self.bath_names

    @property
    def conductors(self) -> tuple[tuple[str, ...], ...]:
        return (self.lead_names, *((name,) for name in self.bath_names))

    @property
    def space(self) -> StateSpace:
        """Its many-body states."""
        spins = tuple(spin for _, spin in self.orbitals)
        return state_space(spins, len(self.lead_names), len(self.bath_names), self.hops)

    def transitions(self):
        return self.space.table

    def state_names(self):
        twice = {dot for dot, spin in self.orbitals if spin == DOWN}
        names = [dot + ("↑↓"[spin] if dot in twice else "") for dot, spin in self.orbitals]
        occupied = ["+".join(name for name, n in zip(names, row, strict=True) if n) for row in self.space.occupations]
        if not self.hops:
            return tuple(name or "empty" for name in occupied)
        found = {}
        for members in self.space.sectors:
            up, down = (
                self.space.occupations[members[0]][np.array(self.space.spins) == spin].sum() for spin in (UP, DOWN)
            )
            electrons = f"{up}↑{down}↓" if twice else f"{up}e"
            for level, position in enumerate(members):
                name = occupied[position] or "empty"
                found[position] = name if len(members) == 1 else f"{electrons} #{level + 1}"
        return tuple(found[position] for position in range(len(occupied)))

    def kinetics(self, reservoirs):
        numbers = self.on_orbitals(reservoirs)
        return _mixed(self, numbers) if self.hops else _unmixed(self, numbers)

    def assumption_values(self, reservoirs):
        strained = super().assumption_values(reservoirs)
        if not self.hops:
            return jnp.concatenate([strained, jnp.zeros(1)])
        kinetics = self.kinetics(reservoirs)
        apart = [jnp.min(jnp.diff(kinetics.energies[s])) for s in self.space.sectors if len(s) > 1]
        return jnp.concatenate([strained, jnp.max(kinetics.rates)[None] / jnp.min(jnp.stack(apart))])

    def with_profile(self, gains, rates):
        """Rates from leads, multiplied by what they depend on at the energies of their transitions."""
        lead = np.array(self.space.entries[0][:, 2])
        pieces = [rates[lead == k] * self.at_energy(k, gains[lead == k]) for k in range(len(self.lead_names))]
        return jnp.concatenate(pieces)  # entries are sorted by lead


def _occupation_energies(space: StateSpace, numbers: Orbitals):
    n = space.occupations.astype(float)
    pairs = np.array(list(itertools.combinations(range(n.shape[1]), 2)), int).reshape(-1, 2).T
    both = n[:, pairs[0]] * n[:, pairs[1]]
    single = jnp.tensordot(n, numbers.energies, 1)
    return single + jnp.tensordot(both, numbers.interactions[pairs[0], pairs[1]], 1) if both.size else single


def _unmixed(device: AbstractOrbitalNetwork, numbers: Orbitals) -> Kinetics:
    space = device.space
    energies = _occupation_energies(space, numbers)
    rows, driven = space.entries
    rates = device.with_profile(energies[rows[:, 1]] - energies[rows[:, 0]], numbers.rates[rows[:, 2], rows[:, 3]])
    from_baths = numbers.bath_rates[driven[:, 2], driven[:, 3], driven[:, 4]]
    return Kinetics(energies, _one_after_the_other(rates, from_baths))


def _one_after_the_other(rates, from_baths):
    return _joined([x for x in (rates, from_baths) if len(x)])


def _mixed(device: AbstractOrbitalNetwork, numbers: Orbitals) -> Kinetics:
    """Energies and rates of eigenstates; overlaps are known to a few rounding units of 1."""
    space = device.space
    assert numbers.hopping is not None
    creators, diagonal = space.creators, _occupation_energies(space, numbers)
    pairs = list(itertools.combinations(range(len(space.spins)), 2))
    hops = np.array([creators[a] @ creators[b].T for a, b in pairs])
    hops = hops + np.swapaxes(hops, 1, 2)
    strength = numbers.hopping[np.array([a for a, _ in pairs]), np.array([b for _, b in pairs])]
    energies, states = [], []
    for members in space.sectors:
        if len(members) == 1:
            energies.append(diagonal[members])
            states.append(jnp.ones((1, 1, *[1] * (diagonal.ndim - 1))))
            continue
        inside = np.ix_(np.arange(len(pairs)), members, members)
        off = jnp.tensordot(np.moveaxis(hops[inside], 0, -1), strength, 1)
        shape = jnp.broadcast_shapes(off.shape[2:], diagonal.shape[1:])
        matrix = jnp.broadcast_to(off, (*off.shape[:2], *shape)) + _on_diagonal(diagonal[members])
        values, vectors = eigenstates(matrix)
        energies.append(values)
        states.append(vectors)
    energies = _joined(energies)
    coupled = numbers.rates > 0
    amplitude = jnp.where(coupled, jnp.sqrt(jnp.where(coupled, numbers.rates, 1.0)), 0.0)
    uncoupled = jnp.where(coupled, 0.0, numbers.rates)  # zero, with the derivative that the root has none of
    rates, relative = [], []
    rows, _ = space.entries
    for lead in range(space.leads):
        for s, t in itertools.product(range(len(space.sectors)), repeat=2):
            spin = space._entering(s, t)
            if spin is None:
                continue
            allowed = [o for o, of in enumerate(space.spins) if of == spin]
            inside = np.ix_(np.array(allowed), space.sectors[t], space.sectors[s])
            between = jnp.einsum("pj...,opq,qi...->oij...", states[t], creators[inside], states[s])
            between = jnp.where(jnp.abs(between) > SMALLEST_OVERLAP, between, 0.0)
            weights = amplitude[lead, np.array(allowed)][:, None, None]
            passing, size = jnp.sum(weights * between, axis=0), jnp.sum(weights, axis=0)
            passing, size = (x.reshape(-1, *x.shape[2:]) for x in jnp.broadcast_arrays(passing, size))
            only_slopes = jnp.sum(uncoupled[lead, np.array(allowed)][:, None, None] * between**2, axis=0)
            rates.append(passing**2 + only_slopes.reshape(-1, *only_slopes.shape[2:]))
            relative.append(_uncertainty(passing, size))
    if space.baths:
        for bath in range(space.baths):
            for a, b in [(a, b) for a, b in pairs if space.spins[a] == space.spins[b]]:
                moved = creators[a] @ creators[b].T
                moved = moved + moved.T
                for sector, vectors in zip(space.sectors, states, strict=True):
                    if len(sector) == 1:
                        continue
                    first, second = np.array(list(itertools.combinations(range(len(sector)), 2))).T
                    inside = np.ix_(sector, sector)
                    between = jnp.einsum("pj...,pq,qi...->ij...", vectors, moved[inside], vectors)[first, second]
                    between = jnp.where(jnp.abs(between) > SMALLEST_OVERLAP, between, 0.0)
                    rates.append(between**2 * numbers.bath_rates[bath, a, b])
                    relative.append(_uncertainty(between, jnp.ones_like(between)))
    rates, relative = _joined(rates), _joined(relative)
    count = len(rows)
    gains = energies[rows[:, 1]] - energies[rows[:, 0]]
    rates = _one_after_the_other(device.with_profile(gains, rates[:count]), rates[count:])
    return Kinetics(energies, rates, jax.lax.stop_gradient(relative))


def _joined(pieces):
    shape = jnp.broadcast_shapes(*(piece.shape[1:] for piece in pieces))
    return jnp.concatenate([jnp.broadcast_to(piece, (len(piece), *shape)) for piece in pieces])


def _on_diagonal(values):
    return with_axes(np.eye(len(values)), 1 + values.ndim) * values[None]


def _uncertainty(passing, size):
    """Relative error of the square of a sum of terms of a ``size``; none where it is zero."""
    there = passing != 0
    return jnp.where(there, 16 * EPSILON * (1 + size / jnp.abs(jnp.where(there, passing, 1.0))), 0.0)
