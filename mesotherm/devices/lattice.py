"""Any sites, hoppings between them, and leads."""

import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from mesotherm.device import HasCoordinates
from mesotherm.devices.leads import ChainLead, WideBandLead
from mesotherm.engines.coulomb_dots import pair_names
from mesotherm.engines.dense_tight_binding import AbstractDenseTightBinding
from mesotherm.engines.leads import AbstractOneChannelLead
from mesotherm.fields import FieldError, as_array, assignment, named_parts, names, parameter


class Lattice(AbstractDenseTightBinding, HasCoordinates):
    r"""Sites with levels, hoppings between any two of them, and leads: molecules, dots in parallel, rings with a flux.

    .. math::
        H = \sum_i (\varepsilon_i + U_i)\, c_i^\dagger c_i
        - \sum_{i<j} \big(t_{ij} e^{\mathrm i\varphi_{ij}} c_i^\dagger c_j + \mathrm{h.c.}\big)

    Coordinates are the potential energies U of all sites, here at given values; the unknown ``Screening`` finds them.

    Assumes: non-interacting electrons.

    Examples
    --------
    >>> Lattice.example().terminals
    ('L', 'R')
    """

    sites: tuple[str, ...] = names("sites")
    levels: Float[Array, "sites"] = parameter("levels ε of the sites", gauge=True, entries=("sites",))
    hoppings: Float[Array, "pairs"] = parameter("hoppings t between sites", entries=("pairs",), left_out=0.0)
    contacts: tuple[tuple[str, str], ...] = assignment("site that the lead of each terminal contacts", of="sites")
    leads: dict[str, AbstractOneChannelLead] = named_parts("lead of each terminal")
    phases: Float[Array, "pairs"] = parameter(
        "phases φ of hoppings from the second site to the first",
        unit="1",
        entries=("pairs",),
        left_out=0.0,
        default=0.0,
    )
    potential: Float[Array, "coordinates"] = parameter(
        "potential energies U of the sites", entries=("coordinates",), left_out=0.0, default=0.0
    )
    spin_degeneracy: Float[Array, ""] = parameter("spin degeneracy g_s", unit="1", low=0.0, open_low=True, default=2.0)

    def __post_init__(self):
        given = as_array(self.potential)
        one_for_all = isinstance(given, jax.Array) and given.ndim == 0
        self.potential = jnp.broadcast_to(given, (len(tuple(self.sites)),)) if one_for_all else given
        phases = as_array(self.phases)
        none_given = isinstance(phases, jax.Array) and phases.ndim == 0
        self.phases = jnp.broadcast_to(phases, jnp.shape(as_array(self.hoppings))) if none_given else phases

    def __check_init__(self):
        named, given = {name for name, _ in self.contacts}, set(self.leads)
        if named != given:
            raise FieldError(
                "leads",
                f"Lattice: leads are given for {', '.join(sorted(given))}, contacts for {', '.join(sorted(named))}; "
                "give both for every terminal.",
            )

    @property
    def pairs(self) -> tuple[str, ...]:
        """Names of the pairs of sites, "A-B"."""
        return pair_names(self.sites)

    @property
    def coordinates(self):
        return self.sites

    @property
    def q(self):
        return self.potential

    def moved_to(self, q):
        return eqx.tree_at(lambda device: device.potential, self, q)

    @property
    def terminal_leads(self):
        return tuple((name, self.leads[name]) for name, _ in self.contacts)

    @property
    def contact_sites(self):
        return tuple((self.sites.index(site),) for _, site in self.contacts)

    def hamiltonian(self):
        count = len(self.sites)
        pairs = np.array(list(itertools.combinations(range(count), 2)), int).reshape(-1, 2)
        links = -self.hoppings * jnp.exp(1j * self.phases)
        upper = jnp.zeros((count, count), complex).at[pairs[:, 0], pairs[:, 1]].set(links)
        return upper + upper.conj().T + jnp.diag(self.levels + self.q)

    def injected(self, states):
        return jnp.abs(states) ** 2

    def time_reversed(self):
        return eqx.tree_at(lambda device: device.phases, self, -self.phases)

    @classmethod
    def example(cls) -> "Lattice":
        """Two sites in parallel between a chain and a wide band, some flux between them; energies in units of k_B T."""
        return cls(  # pyright: ignore[reportCallIssue]  (terminals and others are properties)
            sites=("A", "B", "C"),
            levels=[0.5, -0.5, 1.0],
            hoppings=[1.0, 0.7, 1.2],
            contacts={"L": "A", "R": "C"},
            leads={"L": ChainLead(0.0, 8.0, 3.0), "R": WideBandLead(2.0)},
            phases=[0.0, 0.4, 0.0],
        )
