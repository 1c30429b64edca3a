r"""Response near equilibrium: the Onsager matrix, the thermoelectric coefficients, and the second order.

.. math:: J_i = \sum_j L_{ij} F_j + \tfrac12 \sum_{jk} M_{ijk} F_j F_k + \dots

for the fluxes and forces of :mod:`mesotherm.force_flux`, found by differentiating the device's answer with every
internal unknown following (implicit function theorem). Without a magnetic field L is symmetric; with one
L(φ) = L(−φ)ᵀ. The entropy production F·L F is not negative.

Source: Onsager, Phys. Rev. 37, 405 (1931); Casimir, Rev. Mod. Phys. 17, 343 (1945); Benenti, Casati, Saito & Whitney,
Phys. Rep. 694, 1 (2017), Secs. 2 and 3; Ghosh & Ghosh, arXiv:2603.06336 (2026), Eqs. 2 and 3; second order: Sánchez &
López, Phys. Rev. Lett. 110, 026804 (2013).
"""

from collections.abc import Callable, Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from mesotherm.device import AbstractDevice, Effort, Reservoirs, Response
from mesotherm.fields import is_traced
from mesotherm.force_flux import Pairs, Representation, driven_by
from mesotherm.results import Outcome
from mesotherm.root_problem import Problem, prepared
from mesotherm.steady_state import steady_state
from mesotherm.unknowns import AbstractUnknown, held_terminals, probes

FAR = 0.5
"""Force, in units of 1 or of 1/T, at which errors of currents are taken for those of the response: below 1/T."""


class Expansion(eqx.Module):
    """Currents about a solved state, as its reservoirs move with parameters x; unknowns follow.

    Attributes
    ----------
    particle, energy
        First derivatives of the currents of all terminals [terminals, x].
    estimate
        Estimates of the errors of the first derivatives of particle currents and of heat currents [terminals, x]: the
        bounds on the errors of the currents themselves at ``far`` from x = 0, over it. ``None`` if not asked for.
    one_way
        The one-way fluxes of the state itself.
    particle_second, energy_second
        Second derivatives [terminals, x, x]; ``None`` if not asked for.
    """

    particle: Float[Array, "terminals x"]
    energy: Float[Array, "terminals x"]
    estimate: Float[Array, "2 terminals x"] | None
    one_way: Response
    particle_second: Float[Array, "terminals x x"] | None = None
    energy_second: Float[Array, "terminals x x"] | None = None


def expansion(
    device: AbstractDevice,
    unknowns: Sequence[AbstractUnknown],
    moved: Callable[[Float[Array, "x"]], Reservoirs],
    size: int,
    effort: Effort,
    *,
    far: Float[Array, "x"] | None = None,
    second: bool = False,
) -> Expansion:
    r"""Derivatives of the currents of a solved device with respect to x at x = 0, reservoirs being ``moved(x)``:

    .. math::
        y_x = -r_y^{-1} r_x, \qquad y_{xx} = -r_y^{-1}\, \partial_x^2\, r(x, y_x x), \qquad
        X_{xx} = \partial_x^2\, X(x, y_x x) + X_y\, y_{xx}

    with y the unknowns' coordinates and r their balances.

    Parameters
    ----------
    device, unknowns
        Those of a solved state.
    moved
        The reservoirs at x; ``moved(0)`` are those of the state. What floats is found, whatever stands there.
    size
        How many parameters there are.
    far
        A change of each parameter that is large enough to matter, for the estimate of errors; none if not given.
    """
    acting = tuple(unknown for unknown in unknowns if not unknown.spectator)
    solved_for = sum(unknown.size for unknown in acting)

    def answers(both):
        problem = Problem(device, moved(both[:size]), acting, effort)
        there, reservoirs, answer = problem.evaluate(both[size:])
        currents = jnp.stack([answer.value.particle, answer.value.energy])
        balance, balance_error, _ = problem.balances(there, reservoirs, answer)
        bounds = jnp.stack([answer.error.particle, answer.error.energy]), balance_error
        return (currents, balance), (bounds, answer.one_way)

    (slope, balance), (_, one_way) = jax.jacfwd(answers, has_aux=True)(jnp.zeros(size + solved_for))
    here, there = slope[..., :size], slope[..., size:]
    inverse = jnp.linalg.inv(balance[:, size:]) if acting else jnp.zeros((0, 0))
    follow = -inverse @ balance[:, :size]
    particle, energy = here + there @ follow

    def bound(moves):
        error, balance_error = answers(jnp.concatenate([moves, follow @ moves]))[1][0]
        return error + jnp.abs(there @ inverse) @ balance_error

    estimate = None if far is None else jnp.moveaxis(jax.lax.map(bound, jnp.diag(far)), 0, -1) / jnp.abs(far)
    if not second:
        return Expansion(particle, energy, estimate, one_way)

    def on_the_way(x):
        return answers(jnp.concatenate([x, follow @ x]))[0]

    curved, missing = jax.jacfwd(jax.jacfwd(on_the_way))(jnp.zeros(size))
    curved = curved - jnp.tensordot(there @ inverse, missing, 1)
    return Expansion(particle, energy, estimate, one_way, *curved)


class LinearResponse(eqx.Module):
    """The Onsager matrix of a device.

    Attributes
    ----------
    matrix
        L_ij: flux i per force j, in the order of ``names``. Units: energy/ħ for N–N, energy²/ħ for N–E and E–N,
        energy³/ħ for E–E.
    second_order
        M_ijk, likewise, or ``None``.
    estimate
        Estimate of the error of each entry of ``matrix``, from the bounds on the errors of currents under a force of
        the order of 1.
    names
        "E_l", "N_l": the pairs.
    conservation
        By how much the conservation of particles and energy misses in the response, relative to the one-way fluxes [1].
    outcome
        Code of an :class:`mesotherm.results.Outcome`, of the equilibrium.
    representation
        The terminals of reference.
    """

    matrix: Float[Array, "pairs pairs"]
    second_order: Float[Array, "pairs pairs pairs"] | None
    estimate: Float[Array, "pairs pairs"]
    conservation: Float[Array, ""]
    outcome: Int[Array, ""]
    names: tuple[str, ...] = eqx.field(static=True)
    representation: Representation = eqx.field(static=True)

    def entry(self, flux: str, force: str) -> Float[Array, ""]:
        """One coefficient by the names of its pairs: ``entry("E_l", "N_l")`` is L_EN."""
        return self.matrix[self.names.index(flux), self.names.index(force)]

    def reciprocity(self, reversed_field: "LinearResponse | None" = None) -> Float[Array, ""]:
        """Largest |L_ij(φ) − L_ji(−φ)|, less the estimated errors of both, over √(L_ii L_jj) [1]: zero by Onsager and
        Casimir.

        Parameters
        ----------
        reversed_field
            The response of the device with its magnetic field reversed (``device.time_reversed()``); without a field
            the response itself.
        """
        apart, estimate = self.asymmetry(reversed_field)
        return jnp.max(jnp.maximum(apart - estimate, 0.0), initial=0.0)

    def asymmetry(
        self, reversed_field: "LinearResponse | None" = None
    ) -> tuple[Float[Array, "pairs pairs"], Float[Array, "pairs pairs"]]:
        """|L_ij(φ) − L_ji(−φ)| over √(L_ii L_jj) [1], and estimates of the errors of these differences."""
        other = reversed_field or self
        apart, estimate = jnp.abs(self.matrix - other.matrix.T), self.estimate + other.estimate.T
        return apart / self._scale, estimate / self._scale

    @property
    def _scale(self) -> Float[Array, "pairs pairs"]:
        """√(L_ii L_jj), 1 for a current that nothing drives."""
        root = jnp.sqrt(jnp.abs(jnp.diagonal(self.matrix)))
        root = jnp.where(root > 0, root, 1.0)
        return jnp.outer(root, root)

    @property
    def smallest_eigenvalue(self) -> Float[Array, ""]:
        """Smallest eigenvalue of the symmetric part, every force in units of 1/√L_ii [1]: not negative by the second
        law, and 0 where some forces drive nothing (tight coupling)."""
        scaled = self.matrix / self._scale
        return jnp.min(jnp.linalg.eigvalsh((scaled + scaled.T) / 2))

    @property
    def smallest_eigenvalue_estimate(self) -> Float[Array, ""]:
        """Estimate of its error: the largest sum of a row of errors."""
        return jnp.max(jnp.sum(self.estimate / self._scale, axis=1))


def linear_response(
    device: AbstractDevice,
    reservoirs: Reservoirs,
    unknowns: Sequence[AbstractUnknown] = (),
    representation: Representation | None = None,
    *,
    zero_of_energy: float | Array = 0.0,
    second_order: bool = False,
    effort: Effort = Effort.STRICT,
) -> LinearResponse:
    """The Onsager matrix at an equilibrium, all unknowns following.

    Parameters
    ----------
    reservoirs
        The equilibrium: one T, and one μ for each conductor (what floats may be anything). Screened regions are in
        equilibrium at their own μ₀ and T₀, which should be these.
    representation
        Terminals of reference; by default those of ``Representation.of``.
    zero_of_energy
        Where energies are counted from [energy]; L_EN and L_EE depend on it.
    second_order
        Also find the second order (takes longer to compile).

    Errors: ``ValueError`` if the reservoirs are not in equilibrium (where their values are known).

    Examples
    --------
    >>> from mesotherm import Reservoirs, SingleDot, linear_response
    >>> found = linear_response(SingleDot.example(), Reservoirs([0.0, 0.0], [1.0, 1.0]))
    >>> float(found.reciprocity()) < 1e-12
    True
    """
    unknowns = tuple(unknowns)
    representation = representation or Representation.of(device, unknowns)
    pairs = Pairs.of(device, unknowns, representation)
    rest = _checked_equilibrium(device, reservoirs, unknowns, representation)
    return _linear_response(device, rest, unknowns, representation, pairs, zero_of_energy, second_order, effort)


@eqx.filter_jit
def _linear_response(device, rest, unknowns, representation, pairs, zero_of_energy, second_order, effort):
    outcome = jnp.asarray(Outcome.CONVERGED, jnp.int8)
    if len(probes(unknowns)) < len(unknowns):
        state = steady_state(device, rest, unknowns, effort=effort, throw=False)
        device, unknowns, outcome = state.device, state.unknowns, state.outcome
    else:  # floating reservoirs are where all others are
        device = prepared(device, unknowns)

    def moved(forces):
        return driven_by(forces, device, rest, pairs, representation, zero_of_energy=zero_of_energy)

    def seen(particle, energy):
        """Fluxes of the pairs, first index, from currents of the terminals."""
        first = jnp.moveaxis(particle, 0, -1), jnp.moveaxis(energy - zero_of_energy * particle, 0, -1)
        return jnp.moveaxis(pairs.fluxes(*first), -1, 0)

    far = FAR / jnp.where(pairs.of_energy, jnp.max(rest.T), 1.0)
    found = expansion(device, unknowns, moved, len(far), effort, far=far, second=second_order)
    assert found.estimate is not None
    matrix = seen(found.particle, found.energy)
    particle_error, heat_error = found.estimate
    from_zero = jnp.abs(rest.mu - zero_of_energy)[:, None] * particle_error
    estimate = jnp.moveaxis(pairs.fluxes(particle_error.T, (heat_error + from_zero).T), -1, 0)
    unsolved = jnp.where(jnp.all(jnp.isfinite(matrix)), outcome, jnp.maximum(outcome, Outcome.NOT_FINITE))
    return LinearResponse(
        matrix=matrix,
        second_order=seen(found.particle_second, found.energy_second) if second_order else None,
        estimate=estimate,
        conservation=_conservation(device, pairs, found, rest),
        outcome=unsolved.astype(jnp.int8),
        names=pairs.names,
        representation=representation,
    )


def _conservation(device, pairs, found: Expansion, rest):
    """Largest sum that should vanish, over the one-way flux times its mean energy, which says how strongly rates depend
    on forces; and that energy again for each one that the unit has."""
    one_way = jnp.max(found.one_way.particle)
    energy = jnp.maximum(jnp.max(found.one_way.energy) / one_way + jnp.max(jnp.abs(rest.mu)), jnp.max(rest.T))
    unit = jnp.where(pairs.of_energy, 1.0 / energy, 1.0) / (one_way * energy / jnp.max(rest.T))
    groups = [jnp.array([device.index(name) for name in conductor]) for conductor in device.conductors]
    missing = [jnp.sum(found.particle[group], axis=0) for group in groups]
    missing.append(jnp.sum(found.energy, axis=0) / energy)
    return jnp.max(jnp.abs(jnp.stack(missing) * unit), initial=0.0)


def equilibrium(device: AbstractDevice, reservoirs: Reservoirs, representation: Representation) -> Reservoirs:
    """All reservoirs at the T of the terminal of reference for energy, and at the μ of that of their conductor."""
    hub = device.index(representation.energy)
    mu = reservoirs.mu[representation.for_particles(device)]
    return Reservoirs(mu, jnp.full_like(reservoirs.T, reservoirs.T[hub]))


def _checked_equilibrium(device, reservoirs, unknowns, representation) -> Reservoirs:
    """Reservoirs in equilibrium: what floats is put there, the rest must be."""
    rest = equilibrium(device, reservoirs, representation)
    if is_traced(reservoirs.mu) or is_traced(reservoirs.T):
        return rest
    reference, hub = representation.for_particles(device), device.index(representation.energy)
    found = {(probe.terminal, what) for probe in probes(unknowns) for what in probe.floats}
    for what in ("mu", "T"):
        given, wanted = np.asarray(getattr(reservoirs, what)), np.asarray(getattr(rest, what))
        for i, name in enumerate(device.terminals):
            if given[i] != wanted[i] and (name, what) not in found:
                other = device.terminals[reference[i] if what == "mu" else hub]
                raise ValueError(
                    f"linear response: {what} of {name!r} is {given[i]:g} and that of {other!r} is {wanted[i]:g}; "
                    "give an equilibrium: the same T everywhere and the same mu in every conductor."
                )
    return rest


class TerminalResponse(eqx.Module):
    r"""The response of every terminal to every other one, without a terminal of reference and a zero of energy:

    .. math:: I_\alpha = \sum_\beta L^{NN}_{\alpha\beta} \frac{\Delta\mu_\beta}{T}
                       + L^{NJ}_{\alpha\beta} \frac{\Delta T_\beta}{T^2}, \qquad
              J_\alpha = \sum_\beta L^{JN}_{\alpha\beta} \frac{\Delta\mu_\beta}{T}
                       + L^{JJ}_{\alpha\beta} \frac{\Delta T_\beta}{T^2}

    Rows and columns of what floats vanish. In equilibrium the noise is twice the symmetric part.

    Attributes
    ----------
    matrix
        L [particle currents and heat currents of all terminals, forces likewise; energy/ħ, energy²/ħ, energy³/ħ].
    estimate
        Estimate of the error of each entry.
    """

    matrix: Float[Array, "2 terminals 2 terminals"]
    estimate: Float[Array, "2 terminals 2 terminals"]

    def currents(
        self, rest: Reservoirs, reservoirs: Reservoirs
    ) -> tuple[Float[Array, "2 terminals"], Float[Array, "2 terminals"]]:
        """Particle currents and heat currents between reservoirs near the equilibrium ``rest``, and estimates of their
        errors (not of what is beyond linear response)."""
        T = rest.T[0]
        forces = jnp.stack([(reservoirs.mu - rest.mu) / T, (reservoirs.T - rest.T) / T**2])
        return jnp.tensordot(self.matrix, forces, 2), jnp.tensordot(self.estimate, jnp.abs(forces), 2)


def of_all_terminals(
    found: "LinearResponse",
    device: AbstractDevice,
    unknowns: Sequence[AbstractUnknown],
    rest: Reservoirs,
    zero_of_energy,
) -> TerminalResponse:
    """From the response of the pairs of a representation, with the equilibrium and zero of energy it was found for."""
    pairs, terminals = Pairs.of(device, unknowns, found.representation), len(device.terminals)
    mu = rest.mu - zero_of_energy
    of_pair = np.zeros((2, terminals, len(pairs.names)))
    of_pair[pairs.of_energy.astype(int), pairs.terminals, np.arange(len(pairs.names))] = 1.0
    particle, energy = of_pair
    reference = found.representation.for_particles(device)
    for r in set(reference.tolist()):
        particle[r] -= particle[reference == r].sum(axis=0)
    no_heat = np.isin(np.arange(terminals), pairs.without_heat)[:, None]
    all_energy = jnp.where(no_heat, mu[:, None] * particle, energy)
    all_energy = all_energy.at[pairs.hub].add(-jnp.sum(all_energy, axis=0))
    currents = jnp.stack([jnp.asarray(particle), all_energy - mu[:, None] * particle])

    def spread(matrix, by):
        return jnp.einsum("atp,pq,buq->atbu", by, matrix, by)

    return TerminalResponse(spread(found.matrix, currents), spread(found.estimate, jnp.abs(currents)))


class ThermoelectricCoefficients(eqx.Module):
    """Conductances and thermoelectric coefficients of one terminal against all others of its conductor.

    Attributes
    ----------
    conductance
        G = ∂I/∂μ at ΔT = 0 [1/ħ]; times e² the electrical conductance.
    seebeck
        S = −ΔV/ΔT without current, V = −μ/e, ΔV and ΔT those of this terminal above the others [k_B/e]: negative where
        electrons above μ carry the heat.
    peltier
        Π: heat taken from this terminal's reservoir per charge −e that leaves it at ΔT = 0 [energy/e]; T·S without a
        magnetic field.
    thermal_conductance
        K: heat current per ΔT without particle current [k_B energy/ħ].
    thermal_conductance_at_zero_bias
        The same with equal μ.
    figure_of_merit
        ZT = G S Π/K; infinite for tight coupling.
    estimate
        Estimates of the errors of the others, by name, to first order.
    """

    conductance: Float[Array, ""]
    seebeck: Float[Array, ""]
    peltier: Float[Array, ""]
    thermal_conductance: Float[Array, ""]
    thermal_conductance_at_zero_bias: Float[Array, ""]
    figure_of_merit: Float[Array, ""]
    estimate: dict[str, Float[Array, ""]]


def thermoelectric_coefficients(
    device: AbstractDevice,
    reservoirs: Reservoirs,
    unknowns: Sequence[AbstractUnknown] = (),
    *,
    terminal: str,
    effort: Effort = Effort.STRICT,
) -> ThermoelectricCoefficients:
    """Coefficients of a terminal whose μ and T are raised a little above an equilibrium; the other terminals stay
    there, those that float follow.

    Parameters
    ----------
    reservoirs
        The equilibrium, as in ``linear_response``.
    terminal
        The one that is biased and heated.

    Errors: ``ValueError`` if no particles pass between the terminal and another one.

    Source: Benenti, Casati, Saito & Whitney, Phys. Rep. 694, 1 (2017), Eqs. 2.15–2.20 and 3.8 (their S has the sign of
    a positive charge).
    """
    held = held_terminals(device, unknowns)
    members = [device.terminals[i] for i in device.conductor_of(terminal)]
    others = [name for name in members if name != terminal and name in held]
    reference = others[-1] if others else ""
    against = against_terminal(device, unknowns, terminal, reference, "thermoelectric coefficients")
    zero = reservoirs.mu[device.index(reference)]
    found = linear_response(device, reservoirs, unknowns, against, zero_of_energy=zero, effort=effort)
    return coefficients(found, terminal, reservoirs.T[device.index(reference)])


def against_terminal(
    device: AbstractDevice, unknowns: Sequence[AbstractUnknown], terminal: str, reference: str, what: str
) -> Representation:
    """The representation in which everything of ``terminal`` is counted from ``reference``.

    Errors: ``ValueError``, beginning with ``what``, if they share no particles or one of them floats.
    """
    held = held_terminals(device, unknowns)
    shared = [device.terminals[i] for i in device.conductor_of(terminal)]
    fitting = [name for name in shared if name != terminal and name in held]
    if reference:
        device.index(reference)
    if terminal not in held or reference not in fitting:
        hint = f"for {terminal!r} that is {' or '.join(fitting)}" if terminal in held and fitting else "there is none"
        raise ValueError(
            f"{what}: {terminal!r} must not float, and needs another terminal of its conductor that does not, to be "
            f"counted from; {hint}."
        )
    return Representation.of(device, unknowns, energy=reference, particles=(reference,))


def coefficients(found: LinearResponse, terminal: str, T: Float[Array, ""]) -> ThermoelectricCoefficients:
    """The coefficients behind an Onsager matrix whose zero of energy is μ."""
    at = np.array([found.names.index(f"{kind}_{terminal}") for kind in "EN"])
    block, estimate = (entries[np.ix_(at, at)] for entries in (found.matrix, found.estimate))

    def of(block):
        (L_EE, L_EN), (L_NE, L_NN) = block
        conductance, seebeck, peltier = L_NN / T, -L_NE / (T * L_NN), -L_EN / L_NN
        at_zero_bias = L_EE / T**2
        thermal = at_zero_bias - conductance * seebeck * peltier
        return {
            "conductance": conductance,
            "seebeck": seebeck,
            "peltier": peltier,
            "thermal_conductance": thermal,
            "thermal_conductance_at_zero_bias": at_zero_bias,
            "figure_of_merit": conductance * seebeck * peltier / thermal,
        }

    slopes = jax.jacfwd(of)(block)
    errors = {name: jnp.sum(jnp.abs(slope) * estimate) for name, slope in slopes.items()}
    return ThermoelectricCoefficients(**of(block), estimate=errors)
