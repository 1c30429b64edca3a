"""Any network of quantum dots: spin, Coulomb coupling, hopping, any terminal on any dot, baths of bosons."""

import itertools
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from mesotherm.devices.coulomb_dots import pair_names
from mesotherm.engines.orbitals import DOWN, UP, AbstractOrbitalNetwork, Orbitals
from mesotherm.engines.stacking import with_axes
from mesotherm.fields import FieldError, as_array, names, parameter

DEFAULTS = (
    *("charging_energies", "zeeman", "spin_couplings", "polarization", "hopping", "bath_rates"),
    *("resonance", "resonance_width", "band_edge", "edge_width"),
)
"""What may be one number for all."""

MOST_ORBITALS = 8
"""n orbitals have 2^n states, and the elimination of states costs their number cubed."""


class DotNetwork(AbstractOrbitalNetwork):
    r"""Quantum dots with one level each, of electrons without spin or with it.

    .. math::
        H = \sum_{i\sigma} (\varepsilon_i \pm \tfrac12 \Delta_i)\, n_{i\sigma} + \sum_i U_{ii}\, n_{i\uparrow}
        n_{i\downarrow} + \sum_{i<j} U_{ij}\, n_i n_j + \sum_{i<j} \kappa_{ij}\, s_i s_j
        + \sum_{i<j,\sigma} h_{ij} (d^\dagger_{i\sigma} d_{j\sigma} + \text{h.c.}), \qquad
        s_i = n_{i\uparrow} - n_{i\downarrow}

    A dot with several levels is several dots here, with the U between them. Any lead may contact any dots; their
    amplitudes are real and positive. Baths of bosons move electrons from dot to dot, at the difference of energies.

    Source: Schaller, Open Quantum Systems Far from Equilibrium (Springer, 2014), Ch. 2; Ghosh & Ghosh,
    arXiv:2603.06336 (2026), Eq. 52 and the text after it (κ_s, by which opposite spins attract each other); Sothmann,
    Sánchez & Jordan, Nanotechnology 26, 032001 (2015), Sec. 5 (bosons).

    Assumes: weak coupling (γ well below every temperature); with hopping, eigenstates that lie further apart than the
    tunnel rates (no coherence between them).

    Attributes
    ----------
    dots, spinful
        Names of the dots; of those whose level holds electrons of both spins. Others hold one electron, of spin up.
    leads, baths
        Terminals with electrons, and with bosons. A bath's μ plays no part.
    polarization
        p of each lead: tunnel rates γ(1 + p) of spin up, γ(1 − p) of spin down.
    """

    dots: tuple[str, ...] = names("names of the dots", most=MOST_ORBITALS)
    leads: tuple[str, ...] = names("terminals with electrons")
    levels: Float[Array, "dots"] = parameter("level ε of each dot", gauge=True, entries=("dots",))
    tunnel_rates: Float[Array, "leads dots"] = parameter(
        "tunnel rate γ of each lead with each dot",
        unit="energy/hbar",
        low=0.0,
        entries=("leads", "dots"),
        left_out=0.0,
    )
    charging_energies: Float[Array, "charged_pairs"] = parameter(
        "charging energy U of each pair of dots, A-B, and of both spins on one, A-A",
        entries=("charged_pairs",),
        left_out=0.0,
        default=0.0,
    )
    spinful: tuple[str, ...] = names("dots whose level holds electrons of both spins", default=())
    zeeman: Float[Array, "spinful"] = parameter(
        "Zeeman splitting Δ of each dot with spin: up at ε + Δ/2", entries=("spinful",), left_out=0.0, default=0.0
    )
    spin_couplings: Float[Array, "spinful_pairs"] = parameter(
        "coupling κ of the spins of each pair of dots with spin",
        entries=("spinful_pairs",),
        left_out=0.0,
        default=0.0,
    )
    polarization: Float[Array, "leads"] = parameter(
        "spin polarization of each lead", unit="1", low=-1.0, high=1.0, entries=("leads",), left_out=0.0, default=0.0
    )
    hopping: Float[Array, "hopping_pairs"] = parameter(
        "hopping amplitude h of each pair of dots, both with spin or both without",
        entries=("hopping_pairs",),
        left_out=0.0,
        default=0.0,
    )
    resonance: Float[Array, "leads"] = parameter(
        "energy at which each lead's density of states has its maximum",
        gauge=True,
        entries=("leads",),
        left_out=0.0,
        default=0.0,
    )
    resonance_width: Float[Array, "leads"] = parameter(
        "half width of that Lorentzian maximum; infinite if the density of states is constant",
        low=0.0,
        open_low=True,
        infinite=True,
        entries=("leads",),
        left_out=np.inf,
        default=np.inf,
    )
    band_edge: Float[Array, "leads"] = parameter(
        "energy below which a lead has no states; -inf if there is no such edge",
        gauge=True,
        infinite=True,
        entries=("leads",),
        left_out=-np.inf,
        default=-np.inf,
    )
    edge_width: Float[Array, "leads"] = parameter(
        "energy over which the density of states rises from the band edge",
        low=0.0,
        entries=("leads",),
        left_out=0.0,
        default=0.0,
    )
    baths: tuple[str, ...] = names("terminals with bosons", default=())
    bath_rates: Float[Array, "baths hopping_pairs"] = parameter(
        "rate at which each bath moves an electron between each pair of dots",
        unit="energy/hbar",
        low=0.0,
        entries=("baths", "hopping_pairs"),
        left_out=0.0,
        default=0.0,
    )

    def __post_init__(self):
        for name, shape in self._shapes().items():
            given = getattr(self, name)
            array = as_array(given)
            if name == "hopping" and isinstance(given, int | float) and given == 0:
                self.hopping = jnp.zeros(0)
            elif name in DEFAULTS and isinstance(array, jax.Array) and array.ndim == 0:
                setattr(self, name, jnp.broadcast_to(array, shape))
            elif 0 in shape and jnp.size(array) == 0:  # rows of nothing have lost their length
                setattr(self, name, jnp.zeros(shape))

    def __check_init__(self):
        for dot in self.spinful:
            if dot not in self.dots:
                raise FieldError(
                    "spinful", f"DotNetwork: spinful: there is no dot {dot!r}; there are {', '.join(self.dots)}."
                )
        for name in self.baths:
            if name in self.leads:
                raise FieldError("baths", f"DotNetwork: baths: {name!r} is a lead already; use another name.")
        if len(self.orbitals) > MOST_ORBITALS:
            raise FieldError(
                "spinful",
                f"DotNetwork: {len(self.orbitals)} orbitals (a dot with spin has two); there may be {MOST_ORBITALS}.",
            )
        for name, shape in self._shapes().items():
            given = jnp.shape(getattr(self, name))
            if given != shape and not (name == "hopping" and given == (0,)):
                raise FieldError(name, f"DotNetwork: {name} has shape {given}; it needs {shape}.")

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        dots, leads, spinful = len(self.dots), len(self.leads), len(self.spinful)
        return {
            "levels": (dots,),
            "tunnel_rates": (leads, dots),
            "charging_energies": (len(self.charged_pairs),),
            "zeeman": (spinful,),
            "spin_couplings": (len(self.spinful_pairs),),
            "polarization": (leads,),
            "hopping": (len(self.hopping_pairs),),
            **dict.fromkeys(("resonance", "resonance_width", "band_edge", "edge_width"), (leads,)),
            "bath_rates": (len(self.baths), len(self.hopping_pairs)),
        }

    # Names, which follow from names alone.

    @property
    def charged_pairs(self) -> tuple[str, ...]:
        """Pairs of dots, "A-B", then dots with spin, "A-A"."""
        return pair_names(self.dots) + tuple(f"{dot}-{dot}" for dot in self.dots if dot in self.spinful)

    @property
    def spinful_pairs(self) -> tuple[str, ...]:
        """Pairs of dots with spin."""
        return pair_names([dot for dot in self.dots if dot in self.spinful])

    @property
    def hopping_pairs(self) -> tuple[str, ...]:
        """Pairs of dots between which an electron may hop: both with spin, or both without."""
        pairs = itertools.combinations(self.dots, 2)
        return tuple(f"{a}-{b}" for a, b in pairs if (a in self.spinful) == (b in self.spinful))

    @property
    def orbitals(self):
        return tuple((dot, spin) for dot in self.dots for spin in ((UP, DOWN) if dot in self.spinful else (UP,)))

    @property
    def lead_names(self):
        return self.leads

    @property
    def bath_names(self):
        return self.baths

    @property
    def hops(self):
        return len(self.hopping) > 0

    # Numbers.

    def on_orbitals(self, reservoirs):
        orbitals, pairs = self.orbitals, self.hopping_pairs
        of = np.array([self.dots.index(dot) for dot, _ in orbitals])
        sign = np.array([(1.0, -1.0)[spin] if dot in self.spinful else 0.0 for dot, spin in orbitals])
        energies, rates = self.levels[of], self.tunnel_rates[:, of]
        interactions = _between(orbitals, self.charged_pairs, self.charging_energies)
        if self.spinful:
            split = self.zeeman[
                np.array([self.spinful.index(dot) if dot in self.spinful else 0 for dot, _ in orbitals])
            ]
            energies = energies + 0.5 * with_axes(sign, split.ndim) * split
            polarization = self.polarization[:, None]
            rates = rates * (1.0 + with_axes(sign[None], polarization.ndim) * polarization)
        if self.spinful_pairs:
            coupled = _between(orbitals, self.spinful_pairs, self.spin_couplings)
            interactions = interactions + with_axes(np.outer(sign, sign), coupled.ndim) * coupled
        hopping = _between(orbitals, pairs, self.hopping, same_spin=True) if self.hops else None
        rows = [_between(orbitals, pairs, row, same_spin=True) for row in self.bath_rates]
        baths = jnp.stack(rows) if rows else jnp.zeros((0, *interactions.shape))
        return Orbitals(energies, interactions, rates, hopping, baths)

    def at_energy(self, lead, energy):
        away = (energy - self.resonance[lead]) / self.resonance_width[lead]
        above = energy - self.band_edge[lead]
        inside = above > 0
        rise = 1.0 / jnp.sqrt(1.0 + self.edge_width[lead] / jnp.where(inside, above, 1.0))
        return jnp.where(inside, rise, 0.0) / (1.0 + away**2)

    @classmethod
    def example(cls) -> "DotNetwork":
        """A double dot between two leads, its electrons hopping."""
        return cls(  # pyright: ignore[reportCallIssue]  (terminals and conductors are properties)
            dots=("A", "B"),
            leads=("L", "R"),
            levels=jnp.array([0.3, 0.8]),
            tunnel_rates=jnp.array([[0.01, 0.0], [0.0, 0.01]]),
            charging_energies=jnp.array([2.0]),
            hopping=jnp.array([0.5]),
        )


def _between(
    orbitals: Sequence[tuple[str, int]], pairs: Sequence[str], values, same_spin: bool = False
) -> Float[Array, "orbitals orbitals"]:
    """What is given for pairs of dots, between all their orbitals; zero between others."""
    position = np.full((len(orbitals), len(orbitals)), len(pairs))
    for (i, (a, s)), (j, (b, t)) in itertools.permutations(enumerate(orbitals), 2):
        name = f"{a}-{b}" if f"{a}-{b}" in pairs else f"{b}-{a}"
        if name in pairs and (s == t or not same_spin):
            position[i, j] = pairs.index(name)
    return jnp.concatenate([values, jnp.zeros((1, *values.shape[1:]))])[position]
