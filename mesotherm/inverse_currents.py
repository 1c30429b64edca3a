r"""Coupled transport of energy and particles at one terminal, and inverse currents in it.

Two forces act at a terminal, F^E and F^N, and two currents answer, Σ̇ = J^E F^E + I F^N ≥ 0. Where both forces point the
same way, one of the currents may flow against both: a genuine inverse current. Where only one force acts, the current
whose own force is zero may flow against it (unconventional Seebeck and Peltier effects): a pseudo-inverse current.
Judged by the gradients ΔT and Δμ instead of the forces, ordinary currents may look inverse.

Whether a current is inverse depends on the zero from which energies are counted. With that zero at c,

.. math:: J^E(c) = J^E - cI, \qquad F^N(c) = F^N + c F^E

while I, F^E and Σ̇ stay. Hence, whatever the device, the particle current is inverse for every zero above −F^N/F^E where
it opposes the force on energy (I F^E < 0); and where it does not, the energy current is inverse for every zero above
J^E/I, the mean energy that a particle carries. Near equilibrium the first case is L_EN < 0: the mean energy L_EN/L_NN
lies below the zero.

Source: Ghosh & Ghosh, arXiv:2603.06336 (2026), Secs. VI–VIII and X; Wang, Casati & Benenti, Phys. Rev. Lett. 124,
110607 (2020).
"""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from mesotherm.flags import Flag
from mesotherm.force_flux import Representation, force_flux_pairs
from mesotherm.steady_state import SteadyState


class TransportKind(Flag):
    """How two currents answer two forces at one terminal."""

    EQUILIBRIUM = 0, "no forces"
    ALONG_FORCES = 1, "every current flows along its own force"
    ENGINE = 2, "energy drives particles against their force, which opposes that of energy"
    REFRIGERATOR = 3, "particles drive energy against its force, which opposes theirs"
    INVERSE_PARTICLE = 4, "parallel forces, the particle current flows against both"
    INVERSE_ENERGY = 5, "parallel forces, the energy current flows against both"
    SEEBECK = 6, "no force on particles; their current flows along the force on energy"
    UNCONVENTIONAL_SEEBECK = 7, "no force on particles; their current flows against the force on energy"
    PELTIER = 8, "no force on energy; its current flows along the force on particles"
    UNCONVENTIONAL_PELTIER = 9, "no force on energy; its current flows against the force on particles"
    UNDECIDED = 10, "a current is smaller than the bound on its error"

    @property
    def genuine(self) -> bool:
        """Whether a current flows against two parallel forces."""
        return self in (TransportKind.INVERSE_PARTICLE, TransportKind.INVERSE_ENERGY)

    @property
    def pseudo(self) -> bool:
        """Whether a current flows against the only force there is, its own being zero."""
        return self in (TransportKind.UNCONVENTIONAL_SEEBECK, TransportKind.UNCONVENTIONAL_PELTIER)


class InverseCurrents(eqx.Module):
    """Both currents of a terminal beside the forces on them.

    Attributes
    ----------
    transport
        Code of a :class:`TransportKind`.
    flux, error
        J^E [energy²/ħ], I [energy/ħ], and bounds on their errors.
    force
        F^E [1/energy], F^N [1].
    gradient
        ΔT, Δμ [energy]: this terminal's values minus those of the terminals of reference.
    only_against_gradients
        Whether a current flows against both gradients, which are parallel, and yet is not inverse.
    inverse_above
        Counted from every zero above this one, a current is inverse [energy, from the zero that was chosen].
    inverse_is_particle
        Whether that is the particle current; the energy current otherwise.
    only_pair
        Whether nothing else contributes to the entropy production: the forces on all other terminals vanish. Inverse
        currents are defined for two forces only.
    """

    transport: Int[Array, ""]
    flux: Float[Array, "2"]
    error: Float[Array, "2"]
    force: Float[Array, "2"]
    gradient: Float[Array, "2"]
    only_against_gradients: Bool[Array, ""]
    inverse_above: Float[Array, ""]
    inverse_is_particle: Bool[Array, ""]
    only_pair: Bool[Array, ""]


def inverse_currents(
    state: SteadyState,
    terminal: str,
    representation: Representation | None = None,
    *,
    zero_of_energy: float | Array = 0.0,
) -> InverseCurrents:
    """Classify the currents of one terminal against the forces on it.

    Parameters
    ----------
    terminal
        Where both forces act.
    representation
        Terminals of reference; by default those of ``Representation.of``.
    zero_of_energy
        Where energies are counted from [energy]. There is no zero that physics prefers: name the one you chose.

    Errors: ``ValueError`` if the terminal is one of reference, floats, or exchanges no particles.

    Examples
    --------
    >>> from mesotherm import CoupledDots, Reservoirs, inverse_currents, steady_state
    >>> dots = CoupledDots(1.0, 1.5, -4.0, [1.0, 1.0], [1.0, 1.0], [1.0, 1.0])
    >>> found = inverse_currents(steady_state(dots, Reservoirs([3.75, 0.5, 0.0], [5.0, 1.0, 1.0])), "L")
    >>> TransportKind(int(found.transport)).label
    'inverse_particle'
    """
    pairs = force_flux_pairs(state, representation, zero_of_energy=zero_of_energy)
    for name in (f"E_{terminal}", f"N_{terminal}"):
        if name not in pairs.names:
            state.device.index(terminal)
            raise ValueError(
                f"inverse currents: there is no pair {name}; there are {', '.join(pairs.names)}. Name a terminal that "
                "exchanges energy and particles, does not float and is no terminal of reference."
            )
    at = jnp.array([pairs.names.index(f"{kind}_{terminal}") for kind in "EN"])
    others = jnp.array([n for n, name in enumerate(pairs.names) if not name.endswith(f"_{terminal}")], int)
    flux, error, force, gradient = pairs.flux[at], pairs.error[at], pairs.force[at], pairs.gradient[at]
    transport = classified(flux, error, force)
    by_gradients = classified(flux, error, gradient)
    particle = flux[1] * force[0] < 0
    return InverseCurrents(
        transport=transport,
        flux=flux,
        error=error,
        force=force,
        gradient=gradient,
        only_against_gradients=_genuine(by_gradients) & ~_genuine(transport),
        inverse_above=zero_of_energy + jnp.where(particle, -force[1] / force[0], flux[0] / flux[1]),
        inverse_is_particle=particle,
        only_pair=jnp.all(pairs.force[others] == 0),
    )


def _genuine(transport) -> Bool[Array, "..."]:
    return (transport == TransportKind.INVERSE_PARTICLE) | (transport == TransportKind.INVERSE_ENERGY)


def classified(
    flux: Float[Array, "2 ..."], error: Float[Array, "2 ..."], force: Float[Array, "2 ..."]
) -> Int[Array, "..."]:
    """The code of a :class:`TransportKind` from both currents, bounds on their errors, and both forces."""
    energy, particle = force
    certain = jnp.abs(flux) > error
    against = flux * force < 0
    crossed = flux[::-1] * force  # each current beside the other's force: [I F^E, J^E F^N]
    parallel = energy * particle > 0
    kinds = [
        ((energy == 0) & (particle == 0), TransportKind.EQUILIBRIUM),
        ((particle == 0) & ~certain[1], TransportKind.UNDECIDED),
        ((particle == 0) & (crossed[0] > 0), TransportKind.SEEBECK),
        (particle == 0, TransportKind.UNCONVENTIONAL_SEEBECK),
        ((energy == 0) & ~certain[0], TransportKind.UNDECIDED),
        ((energy == 0) & (crossed[1] > 0), TransportKind.PELTIER),
        (energy == 0, TransportKind.UNCONVENTIONAL_PELTIER),
        (~jnp.all(certain, axis=0), TransportKind.UNDECIDED),
        (parallel & against[1], TransportKind.INVERSE_PARTICLE),
        (parallel & against[0], TransportKind.INVERSE_ENERGY),
        (against[1], TransportKind.ENGINE),
        (against[0], TransportKind.REFRIGERATOR),
    ]
    conditions, codes = zip(*kinds, strict=True)
    return jnp.select(list(conditions), [int(code) for code in codes], int(TransportKind.ALONG_FORCES)).astype(jnp.int8)
