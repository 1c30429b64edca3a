r"""Force–flux pairs: the entropy production as a sum of currents, each times the force that is conjugate to it.

Energy is conserved in the whole device and particles in every conductor, so that the currents of one terminal follow
from those of the others; what is left over of the entropy production is

.. math::
    \dot\Sigma = \sum_{\alpha \ne r} J^E_\alpha F^E_\alpha + \sum_c \sum_{\alpha \in c,\, \alpha \ne r_c} I_\alpha
    F^N_\alpha, \qquad
    F^E_\alpha = \frac1{T_r} - \frac1{T_\alpha}, \qquad
    F^N_\alpha = \frac{\mu_\alpha}{T_\alpha} - \frac{\mu_{r_c}}{T_{r_c}}

with a terminal r of reference for energy and one, r_c, for the particles of each conductor c. Every choice of them is a
representation of the same entropy production. Energies are counted from a zero that is chosen, too: E → E + c takes
J^E to J^E + cI and F^N to F^N − cF^E; I, F^E and the sum stay.

Source: Ghosh & Ghosh, arXiv:2603.06336 (2026), Eqs. 27–31 and 39–48 (Eq. 27's β/μ must read βμ).
"""

import dataclasses
import itertools
from collections.abc import Sequence
from typing import Self

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from mesotherm.device import AbstractDevice, Reservoirs
from mesotherm.steady_state import SteadyState
from mesotherm.unknowns import AbstractUnknown, held_terminals, probes

ENERGY, PARTICLE = "E", "N"
"""First letters of the names of pairs: E_l and N_l."""


@dataclasses.dataclass(frozen=True)
class Representation:
    """Which currents are eliminated: those of one terminal of reference for energy, and of one for each conductor.

    Attributes
    ----------
    energy
        Terminal of reference for energy.
    particles
        Terminals of reference for particles, one per conductor, in the order of the device's conductors.
    """

    energy: str
    particles: tuple[str, ...]

    @classmethod
    def of(
        cls, device: AbstractDevice, unknowns: Sequence[AbstractUnknown] = (), *, energy: str = "", particles=()
    ) -> Self:
        """A representation in which only some terminals are named; by default each reference is the last terminal of
        its conductor that does not float and is not meant to, that for energy of the first conductor.

        Errors: ``ValueError`` for a terminal that does not exist, floats, or is the second one of its conductor.
        """
        choices, fixed = _choices(device, unknowns), held_terminals(device, unknowns)
        for name, allowed in ((energy or fixed[0], fixed), *((name, sum(choices, ())) for name in particles)):
            device.index(name)
            if name not in allowed:
                raise ValueError(f"terminal {name!r} floats; a terminal of reference must not.")
        chosen = []
        for group in choices:
            named = [name for name in particles if name in group]
            if len(named) > 1:
                raise ValueError(f"{' and '.join(named)} share their particles; name one terminal of reference.")
            usual = [name for name in group if name not in device.usual_probes]
            chosen.append(named[0] if named else (usual or group)[-1])
        return cls(energy or next(name for name in (*chosen, *fixed) if name in fixed), tuple(chosen))

    def for_particles(self, device: AbstractDevice) -> np.ndarray:
        """Position of the terminal that each one's particles are counted from: itself where it shares none."""
        reference = np.arange(len(device.terminals))
        for conductor, name in zip(device.conductors, self.particles, strict=True):
            reference[[device.index(member) for member in conductor]] = device.index(name)
        return reference


def _choices(device, unknowns) -> list[tuple[str, ...]]:
    """Terminals of each conductor that do not float; those whose potential is given where all float."""
    fixed = held_terminals(device, unknowns)
    without_mu = {probe.terminal for probe in probes(unknowns) if probe.floats_mu}
    found = []
    for conductor in device.conductors:
        group = tuple(name for name in conductor if name in fixed)
        found.append(group or tuple(name for name in conductor if name not in without_mu))
    return found


def representations(device: AbstractDevice, unknowns: Sequence[AbstractUnknown] = ()) -> tuple[Representation, ...]:
    """Every representation of the entropy production of a device.

    Source: Ghosh & Ghosh, arXiv:2603.06336 (2026), Eqs. 29 (four, of a single dot) and 41–48 (six, of coupled dots).
    """
    particles = itertools.product(*_choices(device, unknowns))
    return tuple(Representation(energy, chosen) for chosen in particles for energy in held_terminals(device, unknowns))


@dataclasses.dataclass(frozen=True)
class Pairs:
    """The pairs of a representation: which current of which terminal, and the terminal its force is counted from.

    A terminal whose T floats, not its μ, exchanges no heat, J^E = μI: its energy is no pair of its own but part of the
    force on its particles, in which 1/T is then that of the terminal of reference for energy (``hub``).
    """

    kinds: tuple[str, ...]
    terminals: tuple[int, ...]
    references: tuple[int, ...]
    names: tuple[str, ...]
    hub: int
    without_heat: tuple[int, ...]

    @classmethod
    def of(cls, device: AbstractDevice, unknowns: Sequence[AbstractUnknown], representation: Representation) -> Self:
        """Energy first, then particles, each in the order of the terminals. Currents that vanish because a terminal
        floats are left out."""
        no_particles = {probe.terminal for probe in probes(unknowns) if probe.floats_mu}
        no_heat = {probe.terminal for probe in probes(unknowns) if probe.floats_T}
        entries = [
            (ENERGY, name, representation.energy)
            for name in device.terminals
            if name != representation.energy and name not in no_heat
        ]
        reference_of = [device.terminals[i] for i in representation.for_particles(device)]
        entries += [
            (PARTICLE, name, reference)
            for name, reference in zip(device.terminals, reference_of, strict=True)
            if name != reference and name not in no_particles
        ]
        return cls(
            tuple(kind for kind, _, _ in entries),
            tuple(device.index(name) for _, name, _ in entries),
            tuple(device.index(name) for _, _, name in entries),
            tuple(f"{kind}_{name}" for kind, name, _ in entries),
            device.index(representation.energy),
            tuple(device.index(name) for name in device.terminals if name in no_heat),
        )

    def temperatures(self, T: Float[Array, "terminals"]) -> Float[Array, "terminals"]:
        """Those that stand in the forces on particles."""
        return T.at[np.array(self.without_heat, int)].set(T[self.hub]) if self.without_heat else T

    @property
    def of_energy(self) -> np.ndarray:
        """Which pairs are of energy."""
        return np.array([kind == ENERGY for kind in self.kinds], bool)

    def fluxes(self, particle, energy):
        """Currents of the pairs from those of all terminals [..., terminals]."""
        at = np.array(self.terminals, int)
        return jnp.where(self.of_energy, energy[..., at], particle[..., at])


class ForceFluxPairs(eqx.Module):
    """Currents and forces whose products sum to the entropy production.

    Attributes
    ----------
    flux, error
        J^E_α [energy²/ħ] or I_α [energy/ħ], into the device, and bounds on their errors.
    force
        F^E_α [1/energy] or F^N_α [1].
    gradient
        T_α − T_r or μ_α − μ_{r_c} [energy]: what the force of a pair is often mistaken for.
    names
        "E_l" and "N_l": the current's kind and terminal.
    representation
        The terminals of reference.
    """

    flux: Float[Array, "pairs"]
    error: Float[Array, "pairs"]
    force: Float[Array, "pairs"]
    gradient: Float[Array, "pairs"]
    names: tuple[str, ...] = eqx.field(static=True)
    representation: Representation = eqx.field(static=True)

    @property
    def product(self) -> Float[Array, "pairs"]:
        """What each pair adds to the entropy production [k_B energy/ħ]."""
        return self.flux * self.force

    @property
    def entropy_production(self) -> Float[Array, ""]:
        """Σ flux·force [k_B energy/ħ]."""
        return jnp.sum(self.product)

    @property
    def gradient_opposes_force(self) -> Bool[Array, "pairs"]:
        """Where force and gradient have opposite signs: a current against the gradient may run along its force.

        Source: Ghosh & Ghosh, arXiv:2603.06336 (2026), Sec. VI.
        """
        return self.force * self.gradient < 0

    def without(self, *held: str) -> Self:
        """The remaining pairs where the forces of others are held at zero.

        Errors: ``ValueError`` for a name there is not, or a force that is not zero.
        """
        for name in held:
            if name not in self.names:
                raise ValueError(f"there is no pair {name!r}; there are: {', '.join(self.names)}.")
            force = float(self.force[self.names.index(name)])
            if force != 0.0:
                raise ValueError(f"the force of {name} is {force:.6g}; only pairs without a force can be left out.")
        kept = np.array([n for n, name in enumerate(self.names) if name not in held], int)
        names = tuple(self.names[n] for n in kept)
        flux, error, force, gradient = (values[kept] for values in (self.flux, self.error, self.force, self.gradient))
        return type(self)(flux, error, force, gradient, names, self.representation)


def force_flux_pairs(
    state: SteadyState, representation: Representation | None = None, *, zero_of_energy: float | Array = 0.0
) -> ForceFluxPairs:
    """The pairs of a solved state.

    Parameters
    ----------
    representation
        Terminals of reference; by default those of ``Representation.of``.
    zero_of_energy
        Where energies are counted from [energy].

    Examples
    --------
    >>> from mesotherm import Reservoirs, SingleDot, force_flux_pairs, steady_state
    >>> pairs = force_flux_pairs(steady_state(SingleDot.example(), Reservoirs([0.1, 0.0], [1.0, 2.0])))
    >>> pairs.names
    ('E_L', 'N_L')
    """
    device, reservoirs = state.device, state.reservoirs
    representation = representation or Representation.of(device, state.unknowns)
    pairs = Pairs.of(device, state.unknowns, representation)
    mu, T = reservoirs.mu - zero_of_energy, reservoirs.T
    particle, energy = state.currents.particle, state.currents.energy - zero_of_energy * state.currents.particle
    here, there = np.array(pairs.terminals, int), np.array(pairs.references, int)
    thermal = (T[here] - T[there]) / (T[here] * T[there])
    by = pairs.temperatures(T)
    chemical = mu[here] / by[here] - mu[there] / by[there]
    return ForceFluxPairs(
        flux=pairs.fluxes(particle, energy),
        error=pairs.fluxes(state.error.particle, state.error.energy + jnp.abs(mu) * state.error.particle),
        force=jnp.where(pairs.of_energy, thermal, chemical),
        gradient=jnp.where(pairs.of_energy, T[here] - T[there], mu[here] - mu[there]),
        names=pairs.names,
        representation=representation,
    )


def driven_by(
    forces: Float[Array, "pairs"],
    device: AbstractDevice,
    rest: Reservoirs,
    pairs: Pairs,
    representation: Representation,
    *,
    zero_of_energy: float | Array = 0.0,
) -> Reservoirs:
    """Reservoirs between which given forces act, in the order of ``pairs``.

    Parameters
    ----------
    rest
        Reservoirs without forces: the terminals of reference keep their μ from them, that for energy its T.

    Errors: none raised; temperatures are not numbers where a force on energy is not below 1/T of the reference.
    """
    T0 = rest.T[pairs.hub]
    of_energy, at = pairs.of_energy, np.array(pairs.terminals, int)
    nothing = jnp.zeros(len(device.terminals))
    thermal = nothing.at[at[of_energy]].set(forces[of_energy])
    chemical = nothing.at[at[~of_energy]].set(forces[~of_energy])
    reference = representation.for_particles(device)
    inverse = 1.0 - thermal * T0
    T = jnp.where(inverse > 0, T0 / jnp.where(inverse > 0, inverse, 1.0), jnp.nan)
    by = pairs.temperatures(T)
    mu = (rest.mu - zero_of_energy)[reference]
    moved = (mu + chemical * by[reference]) * (by / by[reference]) + zero_of_energy
    return Reservoirs(jnp.where(reference == np.arange(len(reference)), rest.mu, moved), T)
