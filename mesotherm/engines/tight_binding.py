r"""Tight binding: any Hamiltonian H(q) with leads, and everything that follows from its scattering states.

With the retarded self-energies Σ_α of the leads and their injection matrices v_α, :math:`v_\alpha v_\alpha^\dagger
= \mathrm i(\Sigma_\alpha - \Sigma_\alpha^\dagger)`, the states that electrons from terminal α make inside are

.. math::
    \psi_\alpha = G v_\alpha, \qquad G = (E - H - \Sigma)^{-1}

and from them

.. math::
    S_{\beta\alpha} = -\delta_{\beta\alpha} + \mathrm i\, v_\beta^\dagger \psi_\alpha, \qquad
    \nu_{\alpha j} = \frac{1}{2\pi}\, \psi_\alpha^\dagger \frac{\partial H}{\partial q_j} \psi_\alpha

The second is the injectivity, where q_j is the potential of a region, and minus the force per occupied state, where it
is a position. The derivative of H is taken by automatic differentiation.

Source: Fisher & Lee, PRB 23, 6851 (1981) (S); Mehring, Bustos-Marún & Calvo, PRB 109, 085418 (2024), Eqs. 9, 14, 20
(there Γ_α = v_α v_α†/2).
"""

import abc
import functools
import itertools
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float, Inexact

from mesotherm.device import HasCoordinates, HasPositions, Reservoirs
from mesotherm.engines.scattering import HasSMatrix
from mesotherm.fields import Component
from mesotherm.poles import roots
from mesotherm.quadrature import Spectrum, mesh

FEATURE_ITERATIONS = 12
"""At most, from the level of a closed system to the pole of the open one; a mesh needs its width to a factor of two."""

NARROWEST = 1e-12
"""A level that no lead reaches is taken as this wide, in units of the span of all levels."""

# Energies of what needs LAPACK are taken one after the other: several compiled functions at once, as in a sweep, wait
# for each other for ever where each calls it for many matrices together (jaxlib 0.10).

UNROLLED = 8
"""Layers of a chain that are eliminated in one piece of compiled code."""


class AbstractLead(Component):
    """A lead, as the sites that it contacts see it."""

    @property
    @abc.abstractmethod
    def width(self) -> int:
        """How many sites it contacts."""

    @abc.abstractmethod
    def coupling(
        self, energy: Inexact[Array, ""]
    ) -> tuple[Complex[Array, "width width"], Complex[Array, "width channels"]]:
        """Retarded self-energy Σ [energy] and injection matrix v, v v† = i(Σ − Σ†) [energy^(1/2)], at one energy. At
        complex energies Σ is continued through the band."""

    @property
    @abc.abstractmethod
    def band_edges(self) -> Float[Array, "band_edges"]:
        """Energies at which channels open or close [energy]; none for a wide band."""


class AbstractOneChannelLead(AbstractLead):
    """A lead that contacts one site."""

    @property
    def width(self):
        return 1

    @abc.abstractmethod
    def self_energy(self, energy: Inexact[Array, "..."]) -> Complex[Array, "..."]:
        """Retarded self-energy of the site [energy], at many energies."""

    def coupling(self, energy):
        sigma = self.self_energy(energy)
        return sigma[None, None], injection(sigma)[None, None]


def injection(sigma: Complex[Array, "..."]) -> Complex[Array, "..."]:
    """v = √(−2 Im Σ) of a single channel; zero, with zero slope, where it is closed."""
    broadening = -2 * sigma.imag
    is_open = broadening > 0
    return jnp.where(is_open, jnp.sqrt(jnp.where(is_open, broadening, 1.0)), 0.0) + 0j


class AbstractTightBinding(HasSMatrix):
    """What devices with leads on sites share: terminals are the leads."""

    points_together: ClassVar[int] = 1

    @property
    @abc.abstractmethod
    def terminal_leads(self) -> tuple[tuple[str, AbstractLead], ...]:
        """Name of the terminal and lead, one after the other."""

    @property
    def terminals(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.terminal_leads)

    @property
    def conductors(self) -> tuple[tuple[str, ...], ...]:
        return (self.terminals,)

    @property
    def band_edges(self) -> Float[Array, "band_edges"]:
        """Where channels of leads open or close [energy]; once, where one lead is used several times."""
        leads = {id(lead): lead for _, lead in self.terminal_leads}
        return jnp.concatenate([lead.band_edges for lead in leads.values()])

    @property
    def bottom(self) -> Float[Array, ""]:
        """The lowest energy at which electrons come from any lead [energy]."""
        lowest = [jnp.min(lead.band_edges) if lead.band_edges.size else -jnp.inf for _, lead in self.terminal_leads]
        return functools.reduce(jnp.minimum, lowest, jnp.asarray(jnp.inf))

    @abc.abstractmethod
    def features(self) -> tuple[Float[Array, "features"], Float[Array, "features"]]:
        """Centres and half widths of the resonances [energy]; they only place nodes."""

    def spectrum(self):
        centres, half_widths = self.features()
        return Spectrum(self.bottom, centres, half_widths, jnp.zeros(0), self.band_edges)

    def nodes(self, reservoirs, effort):
        rest = self.forces_counted_from
        if rest is not None:
            mu, T = (
                jnp.append(values, value) for values, value in zip((reservoirs.mu, reservoirs.T), rest, strict=True)
            )
            reservoirs = Reservoirs(mu, T)
        return mesh(self.spectrum(), reservoirs, effort, filled=self._occupations_matter)

    @property
    def _occupations_matter(self) -> bool:
        """Whether occupations are integrated, and not only their differences."""
        if not isinstance(self, HasCoordinates):
            return False
        counted = self.positions if isinstance(self, HasPositions) and self.forces_counted_from is not None else ()
        return len(counted) < len(self.coordinates)

    def lost_at_edges(self, reservoirs):
        """Nothing: flows vanish at band edges."""
        return [(jnp.zeros(()), jnp.zeros(()))] * len(self.terminals)

    def matrices(self, energy):
        passed, injected = self.elements(jnp.reshape(energy, (1,)))
        size, none = len(self.terminals), jnp.zeros(())
        pairs = itertools.product(range(size), repeat=2)
        transmission = jnp.stack([passed[pair][0] if pair in passed else none for pair in pairs]).reshape(size, size)
        if not injected:
            return transmission, jnp.zeros((size, 0))
        return transmission, jnp.stack([jnp.stack([one[0] for one in column]) for column in injected], axis=1)

    def transmission(self, energy):
        return self.matrices(energy)[0]

    def injectivity(self, energy: Float[Array, ""]) -> Float[Array, "terminals coordinates"]:
        """ν at one energy: electrons per energy and spin that each terminal sends into a region [1/energy], or minus
        the force of these [1/length]."""
        return self.matrices(energy)[1]


class AbstractDenseTightBinding(AbstractTightBinding):
    """A device given by the matrix H(q) of all its sites, and where its leads are.

    A class with ``terminal_leads``, ``contact_sites``, ``hamiltonian`` and, if something can move, the properties of
    ``HasCoordinates`` or ``HasPositions`` is a complete device.
    """

    @property
    @abc.abstractmethod
    def contact_sites(self) -> tuple[tuple[int, ...], ...]:
        """Positions of the sites that each lead contacts."""

    @abc.abstractmethod
    def hamiltonian(self) -> Inexact[Array, "sites sites"]:
        """H where the coordinates are [energy], Hermitian."""

    @property
    def channels(self):
        return tuple(name for name, lead in self.terminal_leads for _ in range(lead.width))

    def _open(self, energy):
        """E − H − Σ and the injection matrix of all channels."""
        matrix = energy * jnp.eye(self._size) - self.hamiltonian() + 0j
        columns = []
        for (_, lead), sites in zip(self.terminal_leads, self.contact_sites, strict=True):
            at = np.array(sites)
            sigma, injected = lead.coupling(energy)
            matrix = matrix.at[np.ix_(at, at)].add(-sigma)
            columns.append(jnp.zeros((self._size, injected.shape[1]), complex).at[at].set(injected))
        return matrix, jnp.concatenate(columns, axis=1)

    @property
    def _size(self) -> int:
        return jax.eval_shape(self.hamiltonian).shape[0]

    def smatrix(self, energy):
        matrix, injected = self._open(energy)
        return 1j * injected.conj().T @ jnp.linalg.solve(matrix, injected) - jnp.eye(injected.shape[1])

    def green_function(self, energy: Inexact[Array, ""]) -> Complex[Array, "sites sites"]:
        """The retarded G at one energy [1/energy]."""
        return jnp.linalg.inv(self._open(energy)[0])

    def local_density_of_states(self, energy: Float[Array, ""]) -> Float[Array, "terminals sites"]:
        """States per energy and spin at every site that are filled from each terminal [1/energy]."""
        matrix, injected = self._open(energy)
        density = jnp.abs(jnp.linalg.solve(matrix, injected)) ** 2 / (2 * jnp.pi)
        return jnp.stack([jnp.sum(density[:, owned], axis=1) for owned in self._owned()])

    def _owned(self) -> list[np.ndarray]:
        return [np.flatnonzero([owner == name for owner in self.channels]) for name in self.terminals]

    def hamiltonian_slopes(self) -> Inexact[Array, "coordinates sites sites"]:
        """∂H/∂q of every coordinate [energy per unit of the coordinate]."""
        assert isinstance(self, HasCoordinates)
        return jnp.moveaxis(jax.jacfwd(lambda q: self.moved_to(q).hamiltonian())(self.q), -1, 0)

    def injected(self, states: Complex[Array, "sites channels"]) -> Float[Array, "coordinates channels"]:
        """2π times what each channel's electrons do to each coordinate."""
        if not isinstance(self, HasCoordinates) or not self.coordinates:
            return jnp.zeros((0, states.shape[1]))
        return jnp.einsum("sc,jst,tc->jc", states.conj(), self.hamiltonian_slopes(), states).real

    def elements(self, energy):
        owned, terminals = self._owned(), range(len(self.terminals))

        def apart(energy):
            matrix, injected = self._open(energy)
            states = jnp.linalg.solve(matrix, injected)
            amplitudes = jnp.abs(injected.conj().T @ states) ** 2
            density = self.injected(states) / (2 * jnp.pi)
            passed = {
                (i, j): jnp.sum(amplitudes[np.ix_(owned[i], owned[j])]) for i, j in itertools.permutations(terminals, 2)
            }
            return passed, [[jnp.sum(row[owned[j]]) for j in terminals] for row in density]

        return jax.lax.map(apart, energy)

    def features(self):
        """From the levels of the closed device, widened by the leads, to the poles of G next to them."""
        fixed = jax.lax.stop_gradient(self)

        @jax.custom_batching.sequential_vmap
        def slope(z):
            matrix, change = jax.jvp(lambda z: fixed._open(z)[0], (z,), (jnp.ones_like(z),))
            return jnp.trace(jnp.linalg.solve(matrix, change))

        return opened_levels(fixed.hamiltonian(), fixed.terminal_leads, fixed.contact_sites, slope)


class AbstractChain(AbstractTightBinding):
    """Sites in a row, each with its neighbours, and a lead of one channel at either end: solved by recursion."""

    points_together: ClassVar[int] = 16

    @abc.abstractmethod
    def row(self) -> tuple[Float[Array, "sites"], Inexact[Array, "links"]]:
        """Energies of the sites, and the elements H[n, n+1] of the Hamiltonian, where the coordinates are [energy]."""

    @property
    def channels(self):
        return self.terminals

    def _ends(self, energy) -> list[Complex[Array, "energies"]]:
        """Self-energies of the first and of the last site."""
        first, last = (lead for _, lead in self.terminal_leads if isinstance(lead, AbstractOneChannelLead))
        sigma = first.self_energy(energy)
        return [sigma, sigma if last is first else last.self_energy(energy)]

    def features(self):
        """As of a matrix, with the determinant by recursion."""
        fixed = jax.lax.stop_gradient(self)
        onsite, links = fixed.row()

        def slope(z):
            def pivots(z):
                sigma = fixed._ends(z)
                return _pivots(z - onsite + 0j, links, *sigma)

            values, changes = jax.jvp(pivots, (z,), (jnp.ones_like(z),))
            return jnp.sum(changes / values)

        matrix = jnp.diag(onsite) + jnp.diag(links, 1) + jnp.diag(jnp.conj(links), -1)
        return opened_levels(matrix, fixed.terminal_leads, ((0,), (len(onsite) - 1,)), slope)

    def smatrix(self, energy):
        onsite, links = self.row()
        sigma = self._ends(energy)
        inside = row_states(energy - onsite, links, *sigma)
        injected = [injection(one) for one in sigma]
        (here, there), (back, return_) = [(states[0], states[-1]) for states in inside]
        corner = [[here, back], [there, return_]]
        return jnp.stack(
            [
                jnp.stack([1j * injected[i] * corner[i][j] * injected[j] - float(i == j) for j in range(2)])
                for i in range(2)
            ]
        )

    def elements(self, energy):
        onsite, links = self.row()
        sigma = self._ends(energy)
        wide_left, wide_right = (-2 * one.imag for one in sigma)
        coordinates = self.coordinates if isinstance(self, HasCoordinates) else ()
        from_left, from_right = row_states(energy - onsite[:, None], links, *sigma)
        passed = wide_left * wide_right * _squared(from_left[-1])
        transmission = {(0, 1): passed, (1, 0): passed}
        if not coordinates:
            return transmission, []
        assert isinstance(self, HasCoordinates)
        slopes = jax.jacfwd(lambda q: self.moved_to(q).row())(self.q)
        injected = [
            [
                wide * _expected(states, slopes[0][:, j], slopes[1][:, j]) / (2 * jnp.pi)
                for states, wide in ((from_left, wide_left), (from_right, wide_right))
            ]
            for j in range(len(coordinates))
        ]
        return transmission, injected


class AbstractLayered(AbstractTightBinding):
    """Layers of equally many sites, each with its neighbours, and a lead at either end: solved layer by layer.

    Assumes: for currents at temperature T, no resonance narrower than T: nothing is known of where they are. (The
    transmission at given energies needs no such assumption.)
    """

    @abc.abstractmethod
    def layers(self) -> tuple[Inexact[Array, "layers width width"], Inexact[Array, "links width width"]]:
        """H inside each layer, and from each layer to the next, H[n, n+1] [energy]."""

    @property
    def channels(self):
        return tuple(name for name, lead in self.terminal_leads for _ in range(lead.width))

    def smatrix(self, energy):
        onsite, links = self.layers()
        (sigma_left, v_left), (sigma_right, v_right) = (lead.coupling(energy) for _, lead in self.terminal_leads)
        first = onsite[0] + sigma_left
        last = onsite[-1] + sigma_right
        blocks = jnp.concatenate([first[None], onsite[1:-1] + 0j, last[None]])
        corners = layer_corners(energy, blocks, links)
        ends = (v_left, v_right)
        rows = [jnp.concatenate([ends[i].conj().T @ corners[i][j] @ ends[j] for j in range(2)], axis=1) for i in (0, 1)]
        amplitudes = 1j * jnp.concatenate(rows)
        return amplitudes - jnp.eye(len(amplitudes))

    def elements(self, energy):
        onsite, links = self.layers()

        def apart(energy):
            (sigma_left, v_left), (sigma_right, v_right) = (lead.coupling(energy) for _, lead in self.terminal_leads)
            across = layers_crossed(energy, onsite, links, sigma_left, sigma_right, v_left)
            passed = jnp.sum(jnp.abs(v_right.conj().T @ across) ** 2)
            return {(0, 1): passed, (1, 0): passed}

        return jax.lax.map(apart, energy), []

    def features(self):
        return jnp.zeros(0), jnp.zeros(0)


def layers_crossed(energy, onsite, links, sigma_left, sigma_right, source) -> Complex[Array, "width channels"]:
    """G from the first layer to the last, times a source in the first."""
    one = energy * jnp.eye(onsite.shape[1])

    def eliminate(before, here):
        matrix, source = before
        block, link = here
        size = len(matrix)
        solved = jnp.linalg.solve(matrix, jnp.concatenate([link + 0j, source], axis=1))
        back = link.conj().T
        return (one - block - back @ solved[:, :size], back @ solved[:, size:]), None

    first = one - onsite[0] - sigma_left
    (matrix, source), _ = jax.lax.scan(eliminate, (first, source), (onsite[1:], links))
    return jnp.linalg.solve(matrix - sigma_right, source)


def layer_corners(energy, blocks, links):
    """G between the first and the last layer: [[G_11, G_1N], [G_N1, G_NN]]."""
    size = blocks.shape[1]
    one = energy * jnp.eye(size)

    def grow(before, here):
        there, forth, back, here_ = before
        block, link = here
        new = jnp.linalg.inv(one - block - link.conj().T @ here_ @ link)
        out = forth @ link @ new
        return (there + out @ link.conj().T @ back, out, new @ link.conj().T @ back, new), None

    start = jnp.linalg.inv(one - blocks[0])
    (there, forth, back, end), _ = jax.lax.scan(grow, (start,) * 4, (blocks[1:], links))
    return [[there, forth], [back, end]]


def opened_levels(hamiltonian, leads, contacts, slope) -> tuple[Float[Array, "features"], Float[Array, "features"]]:
    """Real parts and distances from the real axis of the poles of G next to the levels of the closed device; where the
    search finds none, the level moved and widened to first order.

    Parameters
    ----------
    slope
        Logarithmic derivative of det(E − H − Σ(E)).
    """
    levels, states = jnp.linalg.eigh(hamiltonian)
    span = jnp.max(jnp.abs(levels - levels[0])) + jnp.max(jnp.abs(levels)) + 1e-300
    seen = jnp.zeros(len(levels))
    for (_, lead), sites in zip(leads, contacts, strict=True):
        part = states[np.array(sites)]
        sigma = jax.vmap(lambda energy, lead=lead: lead.coupling(energy)[0])(levels)
        seen = seen + jnp.einsum("sn,nst,tn->n", part.conj(), sigma, part)
    guesses = levels + seen.real - 1j * jnp.maximum(-seen.imag, NARROWEST * span)
    apart = jnp.arange(len(levels)) * 1e-9 * span  # no two guesses may be equal
    poles, found = roots(slope, guesses + apart, FEATURE_ITERATIONS)
    chosen = jnp.where(found & (poles.imag < 0), poles, guesses)
    return chosen.real, jnp.abs(chosen.imag)


def _pivots(above, links, sigma_left, sigma_right):
    """Of the elimination from the left end; their product is the determinant."""
    first = above[0] - sigma_left
    rest = above[1:].at[-1].add(-sigma_right)

    def eliminate(before, here):
        diagonal, link = here
        pivot = diagonal - jnp.conj(link) * link / before
        return pivot, pivot

    _, pivots = jax.lax.scan(eliminate, first, (rest, links))
    return jnp.concatenate([first[None], pivots])


def row_states(above, links, sigma_left, sigma_right) -> tuple[Any, Any]:
    """Columns of G of the first and of the last site of a row, [sites, ...] [1/energy].

    Elimination from the left end, whose self-energy keeps every pivot from zero where its lead is open; two unit
    vectors on the right-hand side.

    Parameters
    ----------
    above
        Energy from each site, [sites, ...].
    links
        Elements H[n, n+1].
    sigma_left, sigma_right
        Self-energies of the ends [...].
    """
    count = len(above)
    links = links.reshape(links.shape + (1,) * (above.ndim - 1))

    def eliminated(before, diagonal, link):
        inverse, source = before
        step = jnp.conj(link) * inverse
        return _inverse(diagonal - step * link), step * source

    def substituted(after, here, link):
        (from_left, from_right), (inverse, source) = after, here
        return (source + link * from_left) * inverse, link * from_right * inverse

    first = _inverse(above[0] - sigma_left), jnp.ones_like(sigma_left)
    if count <= UNROLLED:
        ahead = [first]
        for n in range(1, count):
            diagonal = above[n] - sigma_right if n == count - 1 else above[n] + 0j
            ahead.append(eliminated(ahead[-1], diagonal, links[n - 1]))
        back = [(ahead[-1][0] * ahead[-1][1], ahead[-1][0])]
        for n in range(count - 2, -1, -1):
            back.append(substituted(back[-1], ahead[n], links[n]))
        from_left, from_right = (jnp.stack(states[::-1]) for states in zip(*back, strict=True))
        return from_left, from_right

    rest = (above[1:] + 0j).at[-1].add(-sigma_right)

    def forth(before, here):
        now = eliminated(before, *here)
        return now, now

    def back_again(after, here):
        found = substituted(after, here[:2], here[2])
        return found, found

    end, passed = jax.lax.scan(forth, first, (rest, links), unroll=UNROLLED)
    last = end[0] * end[1], end[0]
    inner = tuple(jnp.concatenate([one[None], more[:-1]]) for one, more in zip(first, passed, strict=True))
    _, states = jax.lax.scan(back_again, last, (*inner, links), reverse=True, unroll=UNROLLED)
    from_left, from_right = (jnp.concatenate([some, one[None]]) for some, one in zip(states, last, strict=True))
    return from_left, from_right


def _inverse(z):
    """1/z in few operations: compilers guard a complex division against overflow in a hundred."""
    scale = 1 / _squared(z)
    return jax.lax.complex(z.real * scale, -z.imag * scale)


def _squared(z):
    return z.real**2 + z.imag**2


def _expected(states, onsite, links):
    """ψ† ∂H ψ of a row."""
    many = (1,) * (states.ndim - 1)
    diagonal = jnp.sum(onsite.reshape(-1, *many) * _squared(states), axis=0)
    across = jnp.sum((states[:-1].conj() * links.reshape(-1, *many) * states[1:]).real, axis=0)
    return diagonal + 2 * across


def counted(device: Any, mu, T) -> Any:
    """A device that keeps, in the field ``equilibrium``, what its forces are counted from."""
    return eqx.tree_at(lambda d: d.equilibrium, device, (jnp.asarray(mu), jnp.asarray(T)), is_leaf=lambda x: x is None)
