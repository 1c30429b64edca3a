r"""Scattering matrices of elements joined to that of a network.

At a connection what leaves one port enters the other, and back. With the block-diagonal matrix S of all elements, e the
external and i the connected ports, and P exchanging the two ports of every connection,

.. math:: S_{net} = S_{ee} + S_{ei}\,(1 - P S_{ii})^{-1} P S_{ie}

Source: Datta, Electronic Transport in Mesoscopic Systems (Cambridge, 1995), Sec. 3.2, for two elements in series; the
general form follows from b = S a and a_i = P b_i.

The inverse is taken connection by connection, each in closed form, as unrolled arithmetic with one scalar per matrix
entry: no matrix exists at run time, entries known to be zero cost nothing, and a batch of energies is vectorised.
Everything is holomorphic in the entries.

No pivoting is needed if the elements are unitary: up to any step the ports not yet connected only let waves out, so a
step can be singular only where a state is bound that none of these reach, one of the whole network then.
"""

import dataclasses
import itertools
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Complex

Port = Hashable
"""Whatever names a port: a text, a number, a pair."""

Rows = Sequence[Sequence[Any]]
"""A matrix [out, in] row by row, or an array. A plain number 0 (no array) is known to be zero and costs nothing."""


@dataclasses.dataclass(frozen=True)
class Wiring:
    """How elements are put together.

    Attributes
    ----------
    elements
        Ports of every element in the order of its S-matrix; all names differ.
    connections
        Pairs of ports that are joined.
    external
        The other ports, in the order wanted for the network's S-matrix.

    Errors: ``ValueError`` naming the port that is unknown, left over or used twice.
    """

    elements: tuple[tuple[Port, ...], ...]
    connections: tuple[tuple[Port, Port], ...]
    external: tuple[Port, ...]

    def __post_init__(self):
        used = [*itertools.chain.from_iterable(self.connections), *self.external]
        for port in self.ports:
            if self.ports.count(port) > 1:
                raise ValueError(f"Wiring: two ports are named {port!r}; give each a name of its own.")
            if used.count(port) != 1:
                often = "is neither connected nor external" if port not in used else "is used twice"
                raise ValueError(f"Wiring: port {port!r} {often}; connect every port once or list it as external.")
        for port in used:
            if port not in self.ports:
                known = ", ".join(map(repr, self.ports))
                raise ValueError(f"Wiring: no element has a port {port!r}; there are: {known}.")

    @property
    def ports(self) -> tuple[Port, ...]:
        """Ports of all elements, one element after the other."""
        return tuple(itertools.chain.from_iterable(self.elements))


class Waves(NamedTuple):
    """A network's S-matrix and the waves inside, as rows of scalars (:data:`Rows`).

    Attributes
    ----------
    smatrix
        [external, external].
    incident
        Amplitude of the wave that enters each element's port for a unit wave from each external port [port, external].
    influence
        Amplitude that leaves through each external port for a unit source beside the wave that leaves a port
        [external, port].
    """

    smatrix: Rows
    incident: Rows
    influence: Rows


def composed(wiring: Wiring, smatrices: Sequence[Rows]) -> Complex[Array, "external external"]:
    """S-matrix [out, in] between the external ports.

    Parameters
    ----------
    smatrices
        S-matrix of every element at ONE energy, in the order of ``wiring.elements``.

    Where a connection is exactly singular, a state is bound that (S being unitary) no external port reaches; it is left
    out, which is the limit. Close to that energy, by a part δ of the distance between levels, rounding errors grow to
    1e-16/δ. Poles at complex energies give large numbers; exactly on a pole the result means nothing.

    Errors: ``ValueError`` if the matrices are not as many or as large as the wiring says.
    """

    @eqx.filter_custom_jvp
    def network(smatrices):
        entries = _eliminated(wiring, smatrices).entries
        return as_matrix([[entries.get((out, into), 0) for into in wiring.external] for out in wiring.external])

    @network.def_jvp
    def _(primals, tangents):
        inside = waves(wiring, *primals)
        slopes = [[[0 if slope is None else slope for slope in row] for row in rows] for rows in tangents[0]]
        changes = [smatrix_change(wiring, inside, position, slope) for position, slope in enumerate(slopes)]
        external = range(len(wiring.external))
        total = [[_sum(change[k][j] for change in changes) for j in external] for k in external]
        return as_matrix(inside.smatrix), as_matrix(total)

    return network([[[*row] for row in smatrix] for smatrix in smatrices])


def secular_determinant(wiring: Wiring, smatrices: Sequence[Rows]) -> Complex[Array, ""]:
    r"""det(1 − P S_ii), which vanishes at the poles of the network's S-matrix that are not an element's own.

    It has poles where the elements' matrices have; multiply them away to search for its zeros.
    """
    return jnp.asarray(_eliminated(wiring, smatrices).determinant, complex)


def waves(wiring: Wiring, smatrices: Sequence[Rows]) -> Waves:
    """S-matrix and waves inside; parameters and validity as in :func:`composed`.

    With them every derivative of the S-matrix is a product (:func:`smatrix_change`). :func:`composed` is differentiated
    that way, too; used directly, parts of a network that do not change cost nothing.
    """
    network = _eliminated(wiring, smatrices)
    incident: _Entries = {(port, port): 1 for port in wiring.external}
    influence: _Entries = {(port, port): 1 for port in wiring.external}
    for step in reversed(network.steps):
        for port, entering, emitted in step.shares():
            for external in wiring.external:
                waves_in = (_product(share, incident.get((k, external), 0)) for k, share in entering.items())
                waves_out = (_product(influence.get((external, k), 0), share) for k, share in emitted.items())
                _put(incident, (port, external), _sum(waves_in))
                _put(influence, (external, port), _sum(waves_out))

    def rows(entries: _Entries, outs: Sequence[Port], ins: Sequence[Port]):
        return tuple(tuple(entries.get((out, into), 0) for into in ins) for out in outs)

    return Waves(
        smatrix=rows(network.entries, wiring.external, wiring.external),
        incident=rows(incident, wiring.ports, wiring.external),
        influence=rows(influence, wiring.external, wiring.ports),
    )


def smatrix_change(wiring: Wiring, inside: Waves, element: int, change: Rows) -> Rows:
    r"""What a small change of one element's S-matrix does to the network's, to first order.

    .. math:: \delta S_{kj} = \sum_{mn} \mathrm{influence}_{km}\, \delta S^{el}_{mn}\, \mathrm{incident}_{nj}

    Parameters
    ----------
    inside
        From :func:`waves`.
    element
        Its position in ``wiring.elements``.
    change
        δS of the element, [out, in]: a derivative, or any small difference.
    """
    first = sum(map(len, wiring.elements[:element]))
    ports = range(len(wiring.elements[element]))
    external = range(len(wiring.external))
    sources = [
        [_sum(_product(change[m][n], inside.incident[first + n][j]) for n in ports) for j in external] for m in ports
    ]
    return tuple(
        tuple(_sum(_product(inside.influence[k][first + m], sources[m][j]) for m in ports) for j in external)
        for k in external
    )


def as_matrix(rows: Rows) -> Complex[Array, "ports ports"]:
    """A complex array of what is given row by row."""
    return jnp.stack([jnp.stack([jnp.asarray(entry, complex) for entry in row]) for row in rows])


# ---------------------------------------------------------------------------------------------------------------------
# One connection after the other. Entries of a matrix stand in a dictionary; what is not in it is zero.

_Entries = dict[tuple[Port, Port], Any]


class _Step(NamedTuple):
    """One connection (p, q).

    ``solution`` turns (b_q, b_p), what would leave the two ports unconnected, into (a_p, a_q), what enters connected.
    ``entering`` are a_p and a_q for a unit wave into each port left, ``columns`` the S-matrix from p and q to those.
    """

    pair: tuple[Port, Port]
    solution: Rows
    entering: tuple[dict[Port, Any], ...]
    columns: tuple[dict[Port, Any], ...]

    def shares(self) -> Iterator[tuple[Port, dict[Port, Any], dict[Port, Any]]]:
        """For p and q: what enters there per unit wave into each port left, and what leaves each of those per unit
        source beside the wave that leaves there."""
        left = {**self.columns[0], **self.columns[1]}
        for side, port in enumerate(self.pair):
            to_p, to_q = (row[1 - side] for row in self.solution)
            from_p, from_q = self.columns
            emitted = {k: _sum((_product(from_p.get(k, 0), to_p), _product(from_q.get(k, 0), to_q))) for k in left}
            yield port, self.entering[side], emitted


class _Elimination(NamedTuple):
    entries: _Entries
    steps: list[_Step]
    determinant: Any


def _eliminated(wiring: Wiring, smatrices: Sequence[Rows]) -> _Elimination:
    """The network's entries, the steps that led there, and the product of their determinants."""
    entries = _block_diagonal(wiring, smatrices)
    left, waiting = dict.fromkeys(wiring.ports), list(wiring.connections)
    steps, determinant = [], 1
    while waiting:
        p, q = pair = min(waiting, key=lambda pair: _products(entries, left, pair))
        waiting.remove(pair)
        del left[p], left[q]
        row_p, row_q = ({k: entries[port, k] for k in left if (port, k) in entries} for port in pair)
        column_p, column_q = ({k: entries[k, port] for k in left if (k, port) in entries} for port in pair)
        solution, own = _solution(*(entries.get(key, 0) for key in ((p, p), (p, q), (q, p), (q, q))))
        into_p, into_q = (
            {k: _sum((_product(by_q, row_q.get(k, 0)), _product(by_p, row_p.get(k, 0)))) for k in {**row_q, **row_p}}
            for by_q, by_p in solution
        )
        for out, into in itertools.product({**column_p, **column_q}, into_p):
            through_p = _product(column_p.get(out, 0), into_p[into])
            through_q = _product(column_q.get(out, 0), into_q[into])
            _put(entries, (out, into), _sum((entries.get((out, into), 0), through_p, through_q)))
        steps.append(_Step(pair, solution, (into_p, into_q), (column_p, column_q)))
        determinant = _product(determinant, own)
    return _Elimination(entries, steps, determinant)


def _solution(s_pp, s_pq, s_qp, s_qq) -> tuple[Rows, Any]:
    """The inverse of [[1 − S_qp, −S_qq], [−S_pp, 1 − S_pq]], which turns (b_q, b_p) into (a_p, a_q), and its
    determinant."""
    past_p, past_q = _sum((1, _negative(s_qp))), _sum((1, _negative(s_pq)))
    determinant = _sum((_product(past_p, past_q), _negative(_product(s_pp, s_qq))))
    inverse = _inverse(determinant)
    rows = (past_q, s_qq), (s_pp, past_p)
    return tuple(tuple(_product(entry, inverse) for entry in row) for row in rows), determinant


def _products(entries: Mapping, left: Mapping, pair: tuple[Port, Port]) -> int:
    """How many entries a connection changes: the one that changes fewest comes first."""
    others = [port for port in left if port not in pair]
    outs = sum(any((port, joined) in entries for joined in pair) for port in others)
    ins = sum(any((joined, port) in entries for joined in pair) for port in others)
    return outs * ins


def _block_diagonal(wiring: Wiring, smatrices: Sequence[Rows]) -> _Entries:
    if len(smatrices) != len(wiring.elements):
        raise ValueError(
            f"there are {len(smatrices)} S-matrices for {len(wiring.elements)} elements; give one for each element."
        )
    entries: _Entries = {}
    for position, (ports, smatrix) in enumerate(zip(wiring.elements, smatrices, strict=True)):
        if {len(ports)} != {len(smatrix), *(len(row) for row in smatrix)}:
            raise ValueError(
                f"the S-matrix of element {position} has {len(smatrix)} rows; it must be square with one for each of "
                f"the ports {', '.join(map(repr, ports))}."
            )
        for m, out in enumerate(ports):
            for n, into in enumerate(ports):
                _put(entries, (out, into), smatrix[m][n])
    return entries


def _put(entries: _Entries, key: tuple[Port, Port], value):
    if not _is(value, 0):
        entries[key] = value


def _is(value, number: int) -> bool:
    return isinstance(value, int | float | complex) and value == number


def _product(left, right):
    if _is(left, 0) or _is(right, 0):
        return 0
    return right if _is(left, 1) else left if _is(right, 1) else left * right


def _sum(terms):
    present = [term for term in terms if not _is(term, 0)]
    return sum(present[1:], start=present[0]) if present else 0


def _negative(value):
    return 0 if _is(value, 0) else -value


def _inverse(value):
    if isinstance(value, int | float | complex):
        return 1 / (value or 1)
    return 1 / jnp.where(value == 0, 1, value)
