"""Tight binding of sites in a row, by recursion: many energies at once."""

import abc
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Complex, Float, Inexact

from mesotherm.device import HasCoordinates
from mesotherm.engines.leads import AbstractOneChannelLead, injection
from mesotherm.engines.tight_binding import AbstractTightBinding, opened_levels

UNROLLED = 8
"""Layers of a chain that are eliminated in one piece of compiled code."""


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
