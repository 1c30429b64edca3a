r"""Electronic friction and force noise: what electrons do to slow parts beyond the mean force.

Electrons follow a part that moves slowly, but late, and they push it irregularly,

.. math::
    F_i(t) = F_i(q) - \sum_j \gamma_{ij}\, \dot q_j + \xi_i, \qquad
    \langle \xi_i(t)\, \xi_j(t') \rangle = D_{ij}\, \delta(t - t')

With the matrix elements of ∂H/∂q between scattering states ψ = G v and their slopes,

.. math::
    M^i_{ab} = \psi_a^\dagger \frac{\partial H}{\partial q_i} \psi_b, \qquad
    N^i_{ab} = \psi_a^\dagger \frac{\partial H}{\partial q_i} \frac{d\psi_b}{dE}, \qquad
    P^{ij}_{ab} = \operatorname{Re}\big[M^{i*}_{ab} N^j_{ab} + N^{i*}_{ab} M^j_{ab}\big]

and one Fermi function per channel, that of its terminal,

.. math::
    D_{ij} &= g_s \int \frac{dE}{2\pi} \sum_{ab} f_a (1 - f_b) \operatorname{Re}\big[M^{i*}_{ab} M^j_{ab}\big] \\
    \gamma_{ij} &= g_s \int \frac{dE}{2\pi} \sum_{ab} \Big\{ -\frac{f_a'}2
        \operatorname{Re}\big[M^{i*}_{ab} M^j_{ab}\big]
        + \frac{f_a - f_b}4 \big[P^{ij}_{ab} - P^{ij}_{ba}\big] \Big\}

**Derivation.** The Kubo formula for the force that answers to the perturbation :math:`-F_j\,\delta q_j(t)` gives
:math:`\gamma = \partial_\omega \operatorname{Im}\chi(\omega)` at ω = 0; the part of it that is symmetric in i and j is
that of :math:`\partial_\omega \Pi_{ij}(\omega)`, where :math:`\Pi_{ij}(\omega) = \int dt\, e^{i\omega t}\langle\delta
F_i(t)\,\delta F_j(0)\rangle = \int \frac{dE}{2\pi} \operatorname{Tr}[\Lambda_j G^<(E)\Lambda_i G^>(E+\omega)]` by
Wick's theorem. Hence the formulas of Bode et al., with :math:`\Lambda = -\partial H/\partial q`, :math:`A_\alpha =
\sum_{a\in\alpha}\psi_a\psi_a^\dagger`, :math:`G^< = \mathrm i\sum f_\alpha A_\alpha` and :math:`G^> = -\mathrm i\sum
(1-f_\alpha)A_\alpha`:

.. math::
    D = \int\frac{dE}{2\pi} \operatorname{Tr}[\Lambda G^<\Lambda G^>], \qquad
    \gamma = \int\frac{dE}{2\pi} \operatorname{Tr}[\Lambda G^<\Lambda\,\partial_E G^>] \quad\text{(symmetrised)}

In γ the products of two Fermi functions are a total derivative. What is left is linear in the occupations,
:math:`\gamma = \int\frac{dE}{2\pi} \sum_{ab} f_a P_{ab}`, and the part of P that is symmetric in a and b is half the
slope of :math:`\operatorname{Re}[M^{i*} M^j]`. Integrated by parts, it gives friction that is never negative; the
antisymmetric part needs reservoirs that differ, and may be. In equilibrium the first term is all there is, and
D = 2 T γ holds at every energy.

Source: Bode, Kusminskiy, Egger & von Oppen, PRL 107, 036804 (2011); Beilstein J. Nanotechnol. 3, 144 (2012).
"""

import functools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float, Inexact

from mesotherm.conventions import PLANCK
from mesotherm.device import Effort, HasPositions, Reservoirs
from mesotherm.distributions import occupation
from mesotherm.engines.dense_tight_binding import AbstractDenseTightBinding
from mesotherm.engines.leads import injection
from mesotherm.engines.row_of_sites import AbstractChain, row_states
from mesotherm.engines.scattering import members
from mesotherm.engines.scattering_noise import ENDS, SHARPER
from mesotherm.engines.tight_binding import AbstractTightBinding
from mesotherm.quadrature import mesh


class ElectronicFriction(eqx.Module):
    """What electrons add to the motion of slow parts, and how wrong it may be.

    Attributes
    ----------
    friction
        Symmetric part of γ [hbar/length^2]. Away from equilibrium it may be negative: electrons then drive the motion.
    noise
        D, the integral of the symmetrised correlation of the forces over all times [energy*hbar/length^2]; no
        eigenvalue is negative.
    friction_error, noise_error
        Absolute bounds on the errors of quadrature and rounding, in the same units.
    """

    friction: Float[Array, "positions positions"]
    noise: Float[Array, "positions positions"]
    friction_error: Float[Array, "positions positions"]
    noise_error: Float[Array, "positions positions"]


def electronic_friction(
    device: AbstractTightBinding, reservoirs: Reservoirs, effort: Effort = Effort.STRICT
) -> ElectronicFriction:
    """Friction and force noise of all positions of a device. Pure, differentiable, batchable with ``jax.vmap``.

    Neither depends on what the device's mean forces are counted from. With one position there is no antisymmetric part
    of γ; with several it is no friction but a force across the velocity, and it is not computed here.

    Parameters
    ----------
    device
        Also a ``HasPositions``: a row of sites (``AbstractChain``) or any matrix (``AbstractDenseTightBinding``).
    reservoirs
        One for each terminal.
    effort
        ``FAST`` has finite bounds only where no band ends within reach of the reservoirs.

    Assumes: non-interacting electrons; parts that hardly move while electrons pass; leads and couplings to them that do
    not depend on positions (H may); no bound states outside the bands that are partly filled, whose noise at zero
    frequency is infinite (those that are full or empty add nothing). Derivatives miss the motion of band edges between
    reservoirs.

    Errors: ``TypeError`` for a device without positions or without scattering states.

    Examples
    --------
    >>> from mesotherm import MobileDot
    >>> found = electronic_friction(MobileDot.example(), Reservoirs([0.5, -0.5], [1.0, 1.0]))
    >>> print(found.friction.round(6), found.noise.round(6))
    [[0.087498]] [[0.162108]]
    """
    if not isinstance(device, HasPositions) or not device.positions:
        raise TypeError(f"electronic_friction: nothing in {type(device).__name__} can move; give a device that can.")
    if not isinstance(device, AbstractChain | AbstractDenseTightBinding):
        raise TypeError(
            f"electronic_friction: {type(device).__name__} gives no scattering states; give a row or a matrix of sites."
        )
    push = _push(device)
    sizes = jax.tree.map(jnp.abs, push)
    owners = np.argmax(members(device), axis=0)
    nodes = mesh(device.spectrum(), reservoirs, effort)
    integral = jnp.vectorize(nodes.rule.apply, signature="(n)->(),()")
    end_share = jnp.minimum(SHARPER * nodes.end_share, 1.0)

    def panel(place):
        anchor, offset, weight = place
        local = reservoirs.shifted(-anchor)
        T = local.T[:, None]
        filled, empty = occupation((offset - local.mu[:, None]) / T)
        there, back = filled[:, None] * empty, empty[:, None] * filled
        both_ways, excess = (part[owners][:, owners] / 2 for part in (there + back, there - back))
        falling = (filled * empty / T)[owners, None] / 2

        states = functools.partial(scattering_states, device.shifted(-anchor))
        inside, changing = jax.jvp(states, (offset,), (jnp.ones_like(offset),))
        squared, turned = _pairs(push, inside, changing)
        turned = (turned - jnp.swapaxes(turned, 2, 3)) / 2
        kernels = [
            jnp.sum(both_ways * squared, axis=(2, 3)),
            jnp.sum(falling * squared + excess * turned, axis=(2, 3)),
        ]
        squared, turned = _pairs(sizes, jnp.abs(inside), jnp.abs(changing))
        largest = [
            jnp.sum(both_ways * squared, axis=(2, 3)),
            jnp.sum(falling * squared + both_ways * turned, axis=(2, 3)),
        ]
        parts = []
        for kernel, size in zip(kernels, largest, strict=True):
            value, error = integral(weight * kernel)
            terms = weight * size
            parts.append((value, error + terms[..., ENDS] @ end_share, jnp.sum(terms, axis=-1)))
        return parts

    size = len(nodes.rule.sums)
    offset, weight = nodes.offset.reshape(-1, size), nodes.weight.reshape(-1, size)
    anchor = jnp.repeat(nodes.anchor, nodes.offset.shape[1] // size)
    panels = jax.lax.map(panel, (anchor, offset, weight))  # one at a time: compiled soonest, and no slower
    spin = device.spin_degeneracy / PLANCK
    noise, friction = jax.tree.map(lambda sums: spin * jnp.sum(sums, axis=0), panels)

    def bound(error, scale):
        return error + SHARPER * nodes.unseen * jnp.where(scale > 0, scale, 1.0)

    return ElectronicFriction(friction[0], noise[0], bound(*friction[1:]), bound(*noise[1:]))


def scattering_states(
    device: AbstractChain | AbstractDenseTightBinding, energy: Float[Array, "nodes"]
) -> Complex[Array, "sites channels nodes"]:
    """ψ = G v of every channel, at many energies [energy^(-1/2)]."""
    if isinstance(device, AbstractChain):
        onsite, links = device.row()
        sigma = device._ends(energy)
        columns = row_states(energy - onsite[:, None], links, *sigma)
        return jnp.stack([column * injection(end) for column, end in zip(columns, sigma, strict=True)], axis=1)
    return jax.vmap(lambda energy: jnp.linalg.solve(*device._open(energy)), out_axes=-1)(energy)


def _push(device) -> tuple[Inexact[Array, "positions ..."], ...]:
    """∂H/∂q of every position: of the sites and of the links of a row, or of the whole matrix."""

    def hamiltonian(q):
        moved = device.moved_to(q)
        return moved.row() if isinstance(device, AbstractChain) else (moved.hamiltonian(),)

    moving = np.array([device.coordinates.index(name) for name in device.positions])
    return tuple(jnp.moveaxis(slope, -1, 0)[moving] for slope in jax.jacfwd(hamiltonian)(device.q))


def _pairs(push, inside, changing):
    """Re[M* M] and Re[M* N + N* M] of all pairs of positions and channels, [position, position, channel, channel,
    node]; with absolute values for everything, their largest possible sizes."""
    M, N = _between(push, inside, inside), _between(push, inside, changing)
    first, second = M[:, None], M
    squared = first.real * second.real + first.imag * second.imag
    turned = first.real * N.real + first.imag * N.imag
    return squared, turned + jnp.swapaxes(turned, 0, 1)


def _between(push, left, right):
    """left† ∂H/∂q right of all channels, [position, channel, channel, node]."""
    if len(push) == 1:
        pushed = jnp.einsum("pst,tbn->psbn", push[0], right)
        return jnp.einsum("san,psbn->pabn", left.conj(), pushed)
    onsite, links = push[0][..., None, None, None], push[1][..., None, None, None]
    left, right = left[:, :, None].conj(), right[:, None]
    diagonal = jnp.sum(onsite * (left * right), axis=1)
    return diagonal + jnp.sum(links * (left[:-1] * right[1:]) + links.conj() * (left[1:] * right[:-1]), axis=1)
