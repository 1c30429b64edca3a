"""Quantum dots described by capacitances: to gates, to leads and to each other."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from mesotherm.conventions import EPSILON
from mesotherm.engines.coulomb_dots import pair_names
from mesotherm.engines.orbitals import UP, AbstractOrbitalNetwork, Orbitals
from mesotherm.engines.rate_equation import Kinetics
from mesotherm.fields import FieldError, as_array, assignment, is_traced, names, parameter

MOST_ORBITALS = 8
"""n orbitals have 2^n states, and the elimination of states costs their number cubed."""

ONE_FOR_ALL = ("lead_capacitance", "gate_capacitance", "capacitance", "gate_potential")
"""What may be one number for all."""


class CapacitiveDots(AbstractOrbitalNetwork):
    r"""Dots whose charging energies follow from capacitances, and whose levels gates and biased leads shift.

    With N_i electrons on dot i, in its orbitals o with n_o electrons each,

    .. math::
        E(n) = \sum_o \varepsilon_o n_o + \tfrac12 N^T C^{-1} N + N^T C^{-1} (C_g U_g + C_l\, \mu), \qquad
        C_{ii} = \sum_{j \neq i} c_{ij} + \sum_g C_{g,ig} + \sum_l C_{l,il}, \quad C_{ij} = -c_{ij},

    with the charge e = 1, the potential energies U_g = −e V_g of the gates and μ of the leads. An electron repels the
    next by :math:`(C^{-1})_{ii}` in its own dot and by :math:`(C^{-1})_{ij}` in another. Lowering all U_g and μ by one
    energy lowers E by that energy per electron, because every capacitance leads somewhere: the levels ε are counted
    from the potential of their dot, not from the zero of energy. A dot's capacitance to its surroundings is a gate's.

    **Coulomb diamonds.** With c electrons a dot of one lead at μ_L and one at μ_R takes the next one at
    :math:`\alpha_c = E(c+1) - E(c)`. In the plane of a gate's U_g and μ_L (μ_R fixed), with
    :math:`C_\Sigma = C_{ii}`, no current flows at low temperature unless an α lies between μ_L and μ_R. The edges are
    the lines

    .. math::
        \alpha_c = \mu_L:\ \frac{\partial U_g}{\partial \mu_L} = \frac{C_\Sigma - C_L}{C_g}, \qquad
        \alpha_c = \mu_R:\ \frac{\partial U_g}{\partial \mu_L} = -\frac{C_L}{C_g},

    one of each for every c, which enclose a diamond of c electrons between them: at small bias it is
    :math:`(\alpha_c - \alpha_{c-1})\,C_\Sigma/C_g` wide in U_g, and its corners lie at
    :math:`|\mu_L - \mu_R| = \alpha_c - \alpha_{c-1} = 1/C_\Sigma`, plus the distance of the levels. So both slopes and
    the width give C_g, C_L and C_Σ. In volts, eV_g = −U_g, the signs of both slopes are the opposite. A sweep over
    ``device.gate_potential.G`` and ``reservoirs.L.mu`` draws the diamonds.

    Terminals, in order: the leads.

    Source: van der Wiel et al., RMP 75, 1 (2003), Sec. II and Appendix (capacitances to all gates and leads);
    Beenakker, PRB 44, 1646 (1991) (diamonds, and rates).

    Assumes: weak coupling (γ well below every temperature), capacitances that do not depend on the charges, electrons
    that never hop from dot to dot.

    Attributes
    ----------
    dots, leads, gates
        Their names.
    orbital_dots
        (orbital, dot) pairs, or a mapping: every orbital holds one electron; a level with spin is two.
    levels
        ε of every orbital, from the potential of its dot [energy].
    tunnel_rates
        [leads, orbitals] [energy/ħ]; electrons of orbitals with spin have one of their own each.
    lead_capacitance, gate_capacitance
        [dots, leads] and [dots, gates] [e²/energy].
    capacitance
        c between each pair of dots, in the order of ``dot_pairs`` [e²/energy].

    Examples
    --------
    >>> dot = CapacitiveDots.example()
    >>> dot.lever_arms.round(3).tolist()
    [[0.5]]
    >>> from mesotherm import Reservoirs
    >>> dot.response(Reservoirs([2, 0], [1, 1])).value.particle.round(8).tolist()
    [0.00448469, -0.00448469]
    """

    dots: tuple[str, ...] = names("names of the dots", most=MOST_ORBITALS)
    leads: tuple[str, ...] = names("terminals")
    orbital_dots: tuple[tuple[str, str], ...] = assignment("dot that each orbital belongs to", of="dots")
    levels: Float[Array, "orbitals"] = parameter(
        "level ε of each orbital, counted from the potential of its dot", entries=("orbital_names",)
    )
    tunnel_rates: Float[Array, "leads orbitals"] = parameter(
        "tunnel rate γ of each lead with each orbital",
        unit="energy/hbar",
        low=0.0,
        entries=("leads", "orbital_names"),
        left_out=0.0,
    )
    lead_capacitance: Float[Array, "dots leads"] = parameter(
        "capacitances between dots and leads",
        unit="e^2/energy",
        low=0.0,
        entries=("dots", "leads"),
        left_out=0.0,
        default=0.0,
    )
    gates: tuple[str, ...] = names("gates", default=())
    gate_capacitance: Float[Array, "dots gates"] = parameter(
        "capacitances between dots and gates",
        unit="e^2/energy",
        low=0.0,
        entries=("dots", "gates"),
        left_out=0.0,
        default=0.0,
    )
    gate_potential: Float[Array, "gates"] = parameter(
        "potential energies −e V of the gates", gauge=True, entries=("gates",), left_out=0.0, default=0.0
    )
    capacitance: Float[Array, "pairs"] = parameter(
        "capacitance between each pair of dots",
        unit="e^2/energy",
        low=0.0,
        entries=("dot_pairs",),
        left_out=0.0,
        default=0.0,
    )

    def __post_init__(self):
        for name in ONE_FOR_ALL:
            given = as_array(getattr(self, name))
            if isinstance(given, jax.Array) and given.ndim == 0:
                setattr(self, name, jnp.broadcast_to(given, self._shapes()[name]))

    def __check_init__(self):
        if len(self.orbital_dots) > MOST_ORBITALS:
            raise FieldError(
                "orbital_dots", f"CapacitiveDots: {len(self.orbital_dots)} orbitals; there may be {MOST_ORBITALS}."
            )
        for name, shape in self._shapes().items():
            if (given := jnp.shape(getattr(self, name))) != shape:
                raise FieldError(name, f"CapacitiveDots: {name} has shape {given}; it needs {shape}.")
        if loose := self._loose_dots():
            raise FieldError(
                "gate_capacitance",
                f"CapacitiveDots: {', '.join(loose)} has no capacitance to any gate or lead, not even through other "
                "dots; give it a positive gate_capacitance or lead_capacitance.",
            )

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        dots, leads, gates, orbitals = (len(x) for x in (self.dots, self.leads, self.gates, self.orbital_dots))
        return {
            "levels": (orbitals,),
            "tunnel_rates": (leads, orbitals),
            "lead_capacitance": (dots, leads),
            "gate_capacitance": (dots, gates),
            "gate_potential": (gates,),
            "capacitance": (len(self.dot_pairs),),
        }

    def _loose_dots(self) -> tuple[str, ...]:
        """Dots that capacitances do not tie to anything outside: their charge would cost infinitely much."""
        given = self.lead_capacitance, self.gate_capacitance, self.capacitance
        if any(map(is_traced, given)):
            return ()
        to_leads, to_gates, pairs = (np.asarray(capacitance) for capacitance in given)
        tied = (to_leads.sum(axis=1) > 0) | (to_gates.sum(axis=1) > 0)
        first, second = np.triu_indices(len(self.dots), 1)
        for _ in self.dots:
            for i, j, c in zip(first, second, pairs, strict=True):
                tied[[i, j]] |= (c > 0) & tied[[j, i]]
        return tuple(dot for dot, there in zip(self.dots, tied, strict=True) if not there)

    # Names, which follow from names alone.

    @property
    def orbital_names(self) -> tuple[str, ...]:
        """Names of the orbitals."""
        return tuple(orbital for orbital, _ in self.orbital_dots)

    @property
    def dot_pairs(self) -> tuple[str, ...]:
        """Pairs of dots, "A-B"."""
        return pair_names(self.dots)

    @property
    def orbitals(self):
        return tuple((orbital, UP) for orbital in self.orbital_names)

    @property
    def lead_names(self):
        return self.leads

    @property
    def bath_names(self):
        return ()

    @property
    def hops(self):
        return False

    # Numbers.

    @property
    def inverse_capacitance(self) -> Float[Array, "dots dots"]:
        """C⁻¹: charging energies, on the diagonal those within a dot [energy/e²]."""
        size, pairs = len(self.dots), len(self.dot_pairs)
        position = np.full((size, size), pairs)
        first, second = np.triu_indices(size, 1)
        position[first, second] = position[second, first] = np.arange(pairs)
        padded = jnp.concatenate([self.capacitance, jnp.zeros((1, *self.capacitance.shape[1:]))])
        outside = self.lead_capacitance.sum(axis=1) + self.gate_capacitance.sum(axis=1)
        return _inverse(padded[position], outside)

    @property
    def lever_arms(self) -> Float[Array, "dots gates"]:
        """C⁻¹ C_g: by how much the potential energy of each dot follows that of each gate [1]."""
        return _times(self.inverse_capacitance, self.gate_capacitance)

    @property
    def lead_lever_arms(self) -> Float[Array, "dots leads"]:
        """C⁻¹ C_l: by how much the potential energy of each dot follows the μ of each lead [1]."""
        return _times(self.inverse_capacitance, self.lead_capacitance)

    def on_orbitals(self, reservoirs):
        inverse, at = self.inverse_capacitance, np.array([self.dots.index(dot) for _, dot in self.orbital_dots])
        outside = _along(self.gate_capacitance, self.gate_potential) + _along(self.lead_capacitance, reservoirs.mu)
        dots = np.arange(len(self.dots))
        potential = 0.5 * inverse[dots, dots] + _along(inverse, outside)
        interactions = inverse[at[:, None], at]
        baths = jnp.zeros((0, *interactions.shape))
        return Orbitals(self.levels + potential[at], interactions, self.tunnel_rates, None, baths)

    def kinetics(self, reservoirs):
        """Energies of the states and tunnel rates, with what rounding of the potentials makes of these."""
        found, size = super().kinetics(reservoirs), len(self.orbital_dots)
        operations = size * (2 * len(self.dots) ** 2 + len(self.gates) + len(self.leads) + 4)
        largest = [jnp.max(jnp.abs(x), axis=0, initial=0.0) for x in (self.levels, self.gate_potential, reservoirs.mu)]
        scale = sum(largest) + size * jnp.max(self.inverse_capacitance, axis=(0, 1))
        lost = operations * EPSILON * scale / jnp.min(jnp.abs(reservoirs.T), axis=0)
        lost, rates = jnp.broadcast_arrays(jax.lax.stop_gradient(lost)[None], found.rates)
        return Kinetics(found.energies, rates, EPSILON + lost)

    @classmethod
    def example(cls) -> "CapacitiveDots":
        """A dot of one level with spin, charging energy 4 k_B T, half of its capacitance to a gate."""
        return cls(  # pyright: ignore[reportCallIssue]  (terminals and others are properties)
            dots=("A",),
            leads=("L", "R"),
            orbital_dots={"up": "A", "down": "A"},
            levels=[0.0, 0.0],
            tunnel_rates=[[0.01, 0.01], [0.02, 0.02]],
            lead_capacitance=[[0.0625, 0.0625]],
            gates=("G",),
            gate_capacitance=[[0.125]],
            gate_potential=[-2.0],
        )


def _inverse(mutual: Float[Array, "n n ..."], outside: Float[Array, "n ..."]) -> Float[Array, "n n ..."]:
    """Inverse of the matrix of capacitances between dots and of each to the outside, by taking away dot after dot (a
    star of capacitances becomes a mesh): nothing is subtracted, so that every entry is right to a few rounding units
    however little the dots are tied to the outside. The diagonal of ``mutual`` plays no part."""
    if len(outside) == 1:
        return 1.0 / outside[None]
    to_others, total = mutual[-1, :-1], outside[-1] + jnp.sum(mutual[-1, :-1], axis=0)
    share = to_others / total
    rest = _inverse(mutual[:-1, :-1] + to_others[:, None] * share, outside[:-1] + share * outside[-1])
    row = jnp.sum(share[:, None] * rest, axis=0)
    own = 1.0 / total + jnp.sum(share * row, axis=0)
    upper = jnp.concatenate([rest, row[:, None]], axis=1)
    return jnp.concatenate([upper, jnp.concatenate([row, own[None]])[None]])


def _along(matrix: Float[Array, "n m ..."], vector: Float[Array, "m ..."]) -> Float[Array, "n ..."]:
    return jnp.sum(matrix * vector[None], axis=1)


def _times(left: Float[Array, "n m ..."], right: Float[Array, "m k ..."]) -> Float[Array, "n k ..."]:
    return jnp.sum(left[:, :, None] * right[None], axis=1)
