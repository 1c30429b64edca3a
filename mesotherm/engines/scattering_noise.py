r"""Zero-frequency noise of coherent conductors while their reservoirs and potentials are held fixed.

.. math::
    S_{ab} = \frac{g_s}{h} \int dE\, w_a w_b \sum_{\gamma\delta}
             \operatorname{Tr}[A_{\gamma\delta}(\alpha) A_{\delta\gamma}(\beta)]\,
             \frac{f_\gamma (1 - f_\delta) + f_\delta (1 - f_\gamma)}{2}, \qquad
    A_{\gamma\delta}(\alpha) = 1_\alpha \delta_{\alpha\gamma}\delta_{\alpha\delta}
             - s^\dagger_{\alpha\gamma} s_{\alpha\delta}

a is the particle current of terminal α (w = 1) or its heat current (w = E − μ_α), b one of β. The occupations divide
into a thermal part, (f_γ(1 − f_γ) + f_δ(1 − f_δ))/2, and shot noise, (f_γ − f_δ)²/2, which is zero in equilibrium.

S is the rate at which a covariance grows, ∫dt ⟨ΔX_a(t) ΔX_b(0)⟩ with the operators symmetrised: 2 k_B T G for a
current in equilibrium, the current itself where electrons pass rarely and one way. Blanter & Büttiker's S is twice it.

Source: Blanter & Büttiker, Phys. Rep. 336, 1 (2000), Eqs. 51, 52; with heat: Crépieux & Michelini, J. Phys.: Condens.
Matter 27, 015302 (2015).
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from mesotherm.conventions import PLANCK
from mesotherm.device import Effort, Reservoirs
from mesotherm.distributions import occupation
from mesotherm.engines.coherent import thermal_flow
from mesotherm.engines.scattering import HasSMatrix, members

SHARPER = 10.0
"""What the nested rules cannot see counts this many times more than for a current. Poles are up to fourfold (twofold in
products of amplitudes, twofold in those of occupations); at such a pole the trapezoidal rule errs by up to
(x³ + 6x² + 15x + 15)/15 times as much as at a single one, x = 2πd/h, of which the mesh's own margin covers the rest."""

PANELS_TOGETHER = 4
"""Panels of the energy integral that are evaluated at once: as many as keep the arrays in the processor's cache."""


ENDS = np.array([0, -1])
"""The outermost nodes of a panel."""


class BareNoise(eqx.Module):
    """Covariances of all currents while no reservoir moves, and how the mean currents answer to the reservoirs.

    ``currents`` are the particle currents of all terminals [energy/ħ], then their heat currents [energy²/ħ]; ``forces``
    the mu of all reservoirs, then their T [energy].

    Attributes
    ----------
    thermal, shot
        The two parts of the covariances.
    thermal_error, shot_error
        Absolute bounds on their errors.
    one_way
        Variances there would be if all electrons behind a current passed one by one: what "relative" means.
    slope, slope_error
        Derivatives of the mean currents, heat counted from the mean mu, and absolute bounds on their errors.
    """

    thermal: Float[Array, "currents currents"]
    shot: Float[Array, "currents currents"]
    thermal_error: Float[Array, "currents currents"]
    shot_error: Float[Array, "currents currents"]
    one_way: Float[Array, "currents"]
    slope: Float[Array, "currents forces"]
    slope_error: Float[Array, "currents forces"]


def bare_noise(device: HasSMatrix, reservoirs: Reservoirs, effort: Effort = Effort.STRICT) -> BareNoise:
    """Noise at given reservoirs with the error bound of the quadrature. Pure, batchable with ``jax.vmap``.

    Assumes: non-interacting electrons in a fixed potential (elastic scattering), one Fermi function per terminal.
    Derivatives miss the motion of a jump, and of a band bottom with which the device's nodes do not move.

    Errors: none raised; amplitudes that are not finite give noise that is not finite.
    """
    nodes = device.nodes(reservoirs, effort)
    integral = jnp.vectorize(nodes.rule.apply, signature="(n)->(),()")
    end_share = jnp.minimum(SHARPER * nodes.end_share, 1.0)

    def panel(place):
        anchor, offset, weight = place
        local = reservoirs.shifted(-anchor)
        T = local.T[:, None]
        above = offset - local.mu[:, None]
        filled, empty = occupation(above / T)
        operators = _operators(device.shifted(-anchor), offset)

        ones = jnp.ones_like(above)
        carried, reach = _both(ones, above), _both(ones, jnp.abs(above) + T)
        passing = weight * _passing(device, operators, filled, empty)
        passing = _both(passing, passing)
        at_ends = (jnp.sqrt(jnp.abs(passing)) * reach)[:, ENDS]
        cut = (at_ends * end_share) @ at_ends.T
        pairs = weight * carried[:, None] * carried
        parts = []
        for kernel in _kernels(device, operators, filled, empty):
            value, error = integral(pairs * jnp.tile(kernel, (2, 2, 1)))
            parts.append((value, error + cut))

        answer = jnp.tile(weight * _emitted(device, operators) * (filled * empty / T), (2, 2, 1))
        answers = carried[:, None] * _both(ones, above / T) * answer
        slope, error = integral(answers)
        cut = (reach[:, None] * _both(ones, jnp.abs(above) / T + 1) * jnp.abs(answer))[..., ENDS] @ end_share
        slopes = slope, error + cut, jnp.sum(jnp.abs(answers), axis=-1)
        return *parts, jnp.sum(passing * carried**2, axis=-1), slopes

    size = len(nodes.rule.sums)
    offset, weight = nodes.offset.reshape(-1, size), nodes.weight.reshape(-1, size)
    anchor = jnp.repeat(nodes.anchor, nodes.offset.shape[1] // size)
    panels = jax.lax.map(panel, (anchor, offset, weight), batch_size=PANELS_TOGETHER)
    spin = device.spin_degeneracy / PLANCK
    thermal, shot, one_way, slopes = jax.tree.map(lambda sums: spin * jnp.sum(sums, axis=0), panels)

    above, T = jnp.abs(nodes.overlooked_at - reservoirs.mu[:, None]), reservoirs.T[:, None]
    ones = jnp.ones_like(above)
    lost = SHARPER * spin * nodes.overlooked_area * thermal_flow(reservoirs, nodes.overlooked_at)
    carried, tilted = _both(ones, above), _both(ones / T, above / T**2)

    def bound(error, scale, lost):
        return error + lost + SHARPER * nodes.unseen * jnp.where(scale > 0, scale, 1.0)

    scale, lost_pairs = jnp.sqrt(one_way[:, None] * one_way), (carried * lost) @ carried.T
    return BareNoise(
        thermal=thermal[0],
        shot=shot[0],
        thermal_error=bound(thermal[1], scale, lost_pairs),
        shot_error=bound(shot[1], scale, lost_pairs),
        one_way=one_way,
        slope=slopes[0],
        slope_error=bound(slopes[1], slopes[2], (carried * lost) @ tilted.T),
    )


def _both(particle, heat):
    """What belongs to the particle currents (or the mu) of all terminals, then what to their heat currents (or T)."""
    return jnp.concatenate([particle, heat])


def _owners(device):
    """Position of the terminal that owns each channel."""
    return np.array([device.terminals.index(name) for name in device.channels])


def _operators(device, energy):
    """A(α) of every terminal, [terminal, channel, channel, node]. Where both channels are α's own, 1 − s†s is taken as
    s†s summed over the other terminals, which keeps small transmissions exact."""
    amplitudes = jax.vmap(device.smatrix, out_axes=-1)(energy)
    products = amplitudes[:, :, None].conj() * amplitudes[:, None]
    owned = members(device)
    leaving = [sum(products[k] for k in np.flatnonzero(row)) for row in owned]
    return jnp.stack(
        [
            jnp.where(np.outer(row, row)[..., None] > 0, sum(leaving[:a] + leaving[a + 1 :]), -leaving[a])
            for a, row in enumerate(owned)
        ]
    )


def _kernels(device, operators, filled, empty):
    """The thermal and the shot part of the noise of particles at one energy, [terminal, terminal, node]."""
    first, second = np.triu_indices(len(device.channels))
    twice = np.where(first == second, 1.0, 2.0)[:, None]
    elements = operators[:, first, second]
    products = twice * (elements[:, None] * elements.conj()).real
    f, e = filled[_owners(device)], empty[_owners(device)]
    fluctuating = f * e
    thermal = (fluctuating[first] + fluctuating[second]) / 2
    shot = (f[first] * e[second] - f[second] * e[first]) ** 2 / 2
    return [jnp.sum(products * part, axis=2) for part in (thermal, shot)]


def _passing(device, operators, filled, empty):
    """Electrons that pass either way between each terminal and the others, [terminal, node]."""
    owners = _owners(device)
    both = filled[:, None] * empty[owners] + empty[:, None] * filled[owners]
    return jnp.sum((1 - members(device))[..., None] * jnp.abs(_diagonals(operators)) * both, axis=1)


def _emitted(device, operators):
    """Current into the device at each terminal per electron that another, or it, sends, [terminal, terminal, node]."""
    return jnp.einsum("bm,ame->abe", members(device), _diagonals(operators))


def _diagonals(operators):
    return jnp.einsum("amme->ame", operators).real
