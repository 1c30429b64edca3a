"""Networks of scatterers: elements with closed scattering matrices, joined port to port."""

import dataclasses
import itertools
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from mesotherm.device import Assumption
from mesotherm.devices.elements import AbstractElement, BeamSplitter, ResonantLevel, UniformRegion
from mesotherm.engines.charged import AbstractChargedConductor
from mesotherm.engines.composition import Rows, Waves, Wiring, composed, waves
from mesotherm.engines.network_poles import network_poles
from mesotherm.engines.scattering import HasSMatrix
from mesotherm.fields import (
    Component,
    FieldError,
    as_array,
    as_groups,
    chosen_name,
    components_in,
    groups,
    links,
    named_parts,
    parameter,
    parameters,
)

SAMPLES = 16
"""Energies at which the scattering matrix is checked for unitarity."""


class Network(AbstractChargedConductor, HasSMatrix):
    r"""Scatterers joined port to port; ports left open are the channels of the terminals.

    What leaves one port of a connection enters the other. A terminal owns one or more ports, one channel each. A region
    is a group of scatterers with a common potential energy U, which moves everything in them; the unknown ``Screening``
    finds potentials.

    .. math:: \mathcal T_{\alpha\beta} = \sum_{k\in\alpha,\, j\in\beta} |S_{kj}|^2, \qquad
        \nu_{j\alpha} = \frac{1}{2\pi} \operatorname{Im} \sum_k S^*_{kj} \sum_{n\in\alpha}
        \frac{\partial S_{kj}}{\partial S^{(n)}} \cdot \frac{dS^{(n)}}{dE}

    A connection has no length: waves gather phases in scatterers only. A ring with a flux has an ``AharonovBohmPhase``
    in one arm, a probe is a ``BeamSplitter`` or a ``ThreeWayJunction``.

    Source: Büttiker, Thomas & Prêtre, Z. Phys. B 94, 133 (1994); Datta, Electronic Transport in Mesoscopic Systems
    (Cambridge, 1995), Sec. 3.2.

    Assumes: elastic scattering, one channel at each port, no electrons below ``band_bottom``, above which every
    terminal's channels are open.

    Examples
    --------
    Two scatterers in series:

    >>> wire = Network(
    ...     scatterers={"level": ResonantLevel(0.5, 0.1), "contact": SaddlePoint(0.0, 2.0)},
    ...     connections=[("level.right", "contact.left")],
    ...     leads={"L": "level.left", "R": "contact.right"},
    ...     band_bottom=-40.0,
    ... )
    >>> wire.terminals, wire.conductors
    (('L', 'R'), (('L', 'R'),))
    """

    scatterers: dict[str, AbstractElement] = named_parts("scatterers of the network")
    leads: tuple[tuple[str, tuple[str, ...]], ...] = groups(
        "ports of each terminal, SCATTERER.PORT", of="ports", complete=True
    )
    band_bottom: Float[Array, ""] = parameter("energy below which no electrons come from the terminals", gauge=True)
    connections: tuple[tuple[str, str], ...] = links("ports that are joined, SCATTERER.PORT", of="ports", default=())
    regions: tuple[tuple[str, tuple[str, ...]], ...] = groups(
        "scatterers that each region's potential moves", of="scatterers", default=()
    )
    potential: Float[Array, "coordinates"] = parameter(
        "potential energies U of the regions", entries=("coordinates",), left_out=0.0, default=0.0
    )
    bottom_region: str = chosen_name(
        'region whose potential moves the band bottom along, "" for none', of="regions", default=""
    )
    spin_degeneracy: Float[Array, ""] = parameter("spin degeneracy g_s", unit="1", low=0.0, open_low=True, default=2.0)
    usual_probes: ClassVar[tuple[str, ...]] = ("P",)
    assumptions: ClassVar[Mapping[str, Assumption]] = {
        "unitarity": Assumption(
            "every channel of a terminal is open above the band bottom, so that the scattering matrix is unitary", 1e-9
        )
    }

    def __post_init__(self):
        given = as_array(self.potential)
        one_for_all = isinstance(given, jax.Array) and given.ndim == 0
        self.potential = jnp.broadcast_to(given, (len(as_groups(self.regions)),)) if one_for_all else given

    def __check_init__(self):
        if jnp.shape(self.potential) != (len(self.regions),):
            raise FieldError(
                "potential",
                f"Network: potential has shape {jnp.shape(self.potential)}; give one number for each of the "
                f"{len(self.regions)} regions.",
            )
        for region, elements in self.regions:
            there = [self.scatterers[name] for name in elements if name in self.scatterers]
            if len(there) == len(elements) and not any(map(_moves, there)):
                raise FieldError(
                    "regions",
                    f"Network: nothing in region {region!r} depends on energy, so a potential does nothing to it; "
                    "put a scatterer with a level or a band bottom there, or leave the region out.",
                    region,
                )

    # Names, which follow from names alone.

    @property
    def ports(self) -> tuple[str, ...]:
        """All ports, "barrier.left", scatterers in alphabetical order."""
        return tuple(itertools.chain.from_iterable(self._elements))

    @property
    def _elements(self) -> tuple[tuple[str, ...], ...]:
        return tuple(
            tuple(f"{name}.{port}" for port in self.scatterers[name].ports) for name in sorted(self.scatterers)
        )

    @property
    def wiring(self) -> Wiring:
        """How the scatterers are put together, in alphabetical order."""
        external = tuple(port for _, owned in self.leads for port in owned)
        return Wiring(self._elements, self.connections, external)

    @property
    def terminals(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.leads)

    @property
    def conductors(self) -> tuple[tuple[str, ...], ...]:
        """Terminals between which there is a way."""
        groups = [set(joined) for joined in (*self._elements, *self.connections, *(owned for _, owned in self.leads))]
        merged: list[set[str]] = []
        for group in groups:
            apart = [other for other in merged if not other & group]
            merged = [*apart, group.union(*(other for other in merged if other & group))]
        found = (tuple(name for name, owned in self.leads if owned[0] in group) for group in merged)
        return tuple(sorted((group for group in found if group), key=lambda group: self.terminals.index(group[0])))

    @property
    def channels(self):
        return tuple(name for name, owned in self.leads for _ in owned)

    @property
    def coordinates(self):
        return tuple(name for name, _ in self.regions)

    # Where the potentials are.

    @property
    def q(self):
        return self.potential

    def moved_to(self, q):
        return eqx.tree_at(lambda device: device.potential, self, q)

    @property
    def bottom(self):
        moved = {name: self.potential[position] for position, name in enumerate(self.coordinates)}
        return self.band_bottom + moved.get(self.bottom_region, 0.0)

    def time_reversed(self):
        mirrored = {name: one.time_reversed() for name, one in self.scatterers.items()}
        unchanged = all(mirrored[name] is one for name, one in self.scatterers.items())
        return self if unchanged else dataclasses.replace(self, scatterers=mirrored)

    def placed(self) -> dict[str, AbstractElement]:
        """The scatterers where the potentials have moved them, in alphabetical order."""
        by = {name: self.potential[position] for position, (_, group) in enumerate(self.regions) for name in group}
        elements = ((name, self.scatterers[name]) for name in sorted(self.scatterers))
        return {name: element.shifted(by[name]) if name in by else element for name, element in elements}

    # Scattering.

    def smatrix(self, energy):
        return composed(self.wiring, [element.amplitudes(energy) for element in self.placed().values()])

    def elements(self, above):
        placed, wiring, from_bottom = self.placed(), self.wiring, self._from_bottom()
        position = {name: n for n, name in enumerate(placed)}
        moving = [[position[name] for name in group if _moves(placed[name])] for _, group in self.regions]
        owned = [[j for j, owner in enumerate(self.channels) if owner == name] for name in self.terminals]

        def apart(energy):
            values, slopes = zip(*(_with_slope(element, energy) for element in from_bottom), strict=True)
            inside = waves(wiring, values)
            passed = [[_squared(entry) for entry in row] for row in inside.smatrix]
            transmission = {
                (out, into): sum(passed[k][j] for k in owned[out] for j in owned[into])
                for out, into in itertools.permutations(range(len(owned)), 2)
            }
            density = [_densities(wiring, inside, {n: slopes[n] for n in group}) for group in moving]
            injected = [[sum(into[j] for j in group) / (2 * jnp.pi) for group in owned] for into in density]
            return jax.tree.map(lambda entry: jnp.asarray(entry, float), (transmission, injected))

        return jax.vmap(apart)(above) if jnp.ndim(above) else apart(above)

    def assumption_values(self, reservoirs):
        """Of S at energies between the band bottom and where no electron is."""
        reach = jnp.max(reservoirs.mu + 10 * reservoirs.T) - self.bottom
        above = jnp.geomspace(1e-6, 1.0, SAMPLES) * jnp.maximum(reach, 0.0)
        return jnp.max(jax.vmap(self.unitarity_error)(self.bottom + above))[None]

    def _from_bottom(self) -> list[AbstractElement]:
        """The scatterers where they are, energies counted from the band bottom."""
        return [element.shifted(-self.bottom) for element in self.placed().values()]

    def branch_points(self) -> Float[Array, "branch_points"]:
        """Where bands of the scatterers open, counted from the band bottom [energy]."""
        return jnp.concatenate([element.branch_points() for element in self._from_bottom()])

    def poles(self, highest):
        """Those of the network; beside them what is sharp in a scatterer without being a pole."""
        elements = self._from_bottom()
        found, certain = network_poles(
            self.wiring,
            lambda energy: [element.amplitudes(energy) for element in elements],
            jnp.concatenate([element.poles() for element in elements]),
            self.branch_points(),
            highest - self.bottom,
        )
        others = [element.features() for element in elements if not element.poles().size]
        aside = jnp.sqrt(
            jnp.concatenate([centres - 1j * half_widths for centres, half_widths in others] or [found[:0]])
        )
        return jnp.concatenate([found, aside]), jnp.append(certain, jnp.ones(aside.shape, bool))

    @classmethod
    def example(cls) -> "Network":
        """Two resonant levels with a cavity between them and a weak probe in its middle: the rectifier of Fig. 3 of
        Balduque & Sánchez, PRL 134, 186301 (2025); energies from μ in units of k_B T."""
        half = UniformRegion(bottom=-40.0, confinement_energy=4.0)
        return cls(  # pyright: ignore[reportCallIssue]
            scatterers={
                "barrier_1": ResonantLevel(level=6.66128734608, half_width=1.0),
                "cavity_1": half,
                "splitter": BeamSplitter(strength=0.25),
                "cavity_2": half,
                "barrier_3": ResonantLevel(level=8.2, half_width=1.0),
            },
            connections=[
                ("barrier_1.right", "cavity_1.left"),
                ("cavity_1.right", "splitter.left"),
                ("splitter.right", "cavity_2.left"),
                ("cavity_2.right", "barrier_3.left"),
            ],
            leads={"L": "barrier_1.left", "R": "barrier_3.right", "P": ["splitter.probe_1", "splitter.probe_2"]},
            regions={"U1": "barrier_1", "U2": ["cavity_1", "cavity_2"], "U3": "barrier_3"},
            band_bottom=-40.0,
            bottom_region="U2",
        )


def _moves(element: Component) -> bool:
    """Whether a potential does anything to an element."""
    own = any(meaning.gauge for meaning in parameters(type(element)).values())
    return own or any(map(_moves, components_in(element).values()))


def _with_slope(element: AbstractElement, energy: Float[Array, ""]) -> tuple[Rows, Rows]:
    """An element's amplitudes and their derivatives with respect to the energy, plain zeros where both vanish."""
    sides = range(len(element.ports))

    def apart(energy):
        rows = element.amplitudes(energy)
        entries = {(m, n): rows[m][n] for m in sides for n in sides}
        known = {key: entry for key, entry in entries.items() if isinstance(entry, int | float | complex)}
        return {key: entry for key, entry in entries.items() if key not in known}, known

    if not _moves(element):
        return element.amplitudes(energy), [[0 for _ in sides] for _ in sides]
    values, slopes, known = jax.jvp(apart, (energy,), (jnp.ones_like(energy),), has_aux=True)
    values = values | known
    return (
        [[values[m, n] for n in sides] for m in sides],
        [[slopes.get((m, n), 0) for n in sides] for m in sides],
    )


def _squared(amplitude):
    return jnp.real(amplitude) ** 2 + jnp.imag(amplitude) ** 2


def _densities(wiring: Wiring, inside: Waves, slopes: Mapping[int, Rows]) -> list[Any]:
    """Im Σ_k S*_kj dS_kj for a unit wave from each external port j, where elements change by their ``slopes``."""
    first = list(itertools.accumulate(map(len, wiring.elements), initial=0))
    columns = [[_conjugate(row[j]) for row in inside.smatrix] for j in range(len(wiring.external))]
    found = []
    for j, column in enumerate(columns):
        terms = []
        for element, slope in slopes.items():
            incident = [inside.incident[first[element] + n][j] for n in range(len(slope))]
            for m, row in enumerate(slope):
                answer = _dot(column, [to[first[element] + m] for to in inside.influence])
                terms.append((answer, _dot(row, incident)))
        found.append(jnp.imag(_dot(*zip(*terms, strict=True))))
    return found


def _dot(left: Iterable, right: Iterable):
    """A sum of products without those that are plainly zero."""
    pairs = zip(left, right, strict=True)
    terms = [a * b for a, b in pairs if not any(isinstance(x, int | float | complex) and x == 0 for x in (a, b))]
    return sum(terms[1:], start=terms[0]) if terms else 0


def _conjugate(amplitude):
    return jnp.conj(amplitude) if isinstance(amplitude, jax.Array) else amplitude
