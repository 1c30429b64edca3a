r"""Rings with a flux: the Onsager–Casimir relations of many terminals, with probes and without.

.. math:: L(\varphi) = L(-\varphi)^\mathsf{T}

for fluxes (I, J) of all terminals and forces (δμ/T, δT/T²). Source: Casimir, Rev. Mod. Phys. 17, 343 (1945);
Büttiker, PRL 57, 1761 (1986).
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

from mesotherm import Effort, Outcome, Reservoirs, ThermalizingProbe, linear_response, steady_state
from mesotherm.devices.elements import AharonovBohmPhase, ResonantLevel, ThreeWayJunction, UniformRegion
from mesotherm.devices.network import Network
from mesotherm.engines.composition import Wiring, smatrix_change, waves

BOTTOM = -12.0
"""Of all bands."""

PHASES = np.array([0.4, 1.3, 2.6])
"""Neither of them a multiple of π, at which a flux is its own reverse."""

ROUNDING = 1e-11
"""Of the largest response."""


def arm(confinement_energy):
    return UniformRegion(BOTTOM, confinement_energy)


# ---------------------------------------------------------------------------------------------------------------------
# Three terminals.


def three_terminal_ring(row) -> Network:
    """Three junctions joined by arms of different lengths, the flux in one of them, a level before two terminals."""
    return Network(
        scatterers={
            "at_L": ThreeWayJunction(row["coupling"][0]),
            "at_R": ThreeWayJunction(row["coupling"][1]),
            "at_P": ThreeWayJunction(row["coupling"][2]),
            "LR": arm(row["confinement"][0]),
            "RP": arm(row["confinement"][1]),
            "PL": arm(row["confinement"][2]),
            "flux": AharonovBohmPhase(row["phase"]),
            "level_L": ResonantLevel(row["level"][0], row["half_width"][0]),
            "level_P": ResonantLevel(row["level"][1], row["half_width"][1]),
        },
        connections={
            "at_L.arm_2": "LR.left",
            "LR.right": "flux.left",
            "flux.right": "at_R.arm_1",
            "at_R.arm_2": "RP.left",
            "RP.right": "at_P.arm_1",
            "at_P.arm_2": "PL.left",
            "PL.right": "at_L.arm_1",
            "level_L.right": "at_L.stem",
            "level_P.right": "at_P.stem",
        },
        leads={"L": "level_L.left", "R": "at_R.stem", "P": "level_P.left"},
        band_bottom=BOTTOM,
    )


L, R, P = range(3)


def rings(phases) -> dict[str, np.ndarray]:
    """Random rings, one for each phase, the same whatever the phases are."""
    rng = np.random.default_rng(4)
    size = len(phases)
    return {
        "coupling": rng.uniform(0.2, 0.45, (size, 3)),
        "confinement": rng.uniform(2.0, 8.0, (size, 3)),
        "level": rng.uniform(-2, 2, (size, 2)),
        "half_width": rng.uniform(0.5, 2.0, (size, 2)),
        "mu": rng.uniform(-1, 1, size),
        "T": rng.uniform(0.5, 1.5, size),
        "phase": np.asarray(phases),
    }


@jax.jit
def _matrices(rows):
    """Fluxes (I, J) by forces (δμ/T, δT/T²) about equilibrium [rows, 2 terminals, 2 terminals]."""

    def one(row):
        mu, T, device = row["mu"], row["T"], three_terminal_ring(row)

        def fluxes(forces):
            moved = Reservoirs(mu + T * forces[:3], T + T**2 * forces[3:])
            value = device.response(moved, Effort.FAST).value
            return jnp.append(value.particle, value.energy - moved.mu * value.particle)

        return jax.jacfwd(fluxes)(jnp.zeros(6))

    return jax.lax.map(one, rows)


def matrices(phases) -> np.ndarray:
    return np.asarray(_matrices(jax.tree.map(jnp.asarray, rings(phases))))


def test_onsager_casimir():
    """Of three terminals, thermoelectric responses included. The matrix alone is not symmetric; a flux dissipates
    nothing; what is the same in all terminals drives nothing."""
    plus, minus = matrices(PHASES), matrices(-PHASES)
    scale = abs(plus).max((1, 2), keepdims=True)
    assert np.all(abs(plus - np.swapaxes(minus, 1, 2)) <= ROUNDING * scale)
    assert np.all(abs(plus - minus).max((1, 2)) > 1e-3 * scale[:, 0, 0])
    assert np.all(abs(plus[:, L, 3 + R] - plus[:, 3 + R, L]) > 1e-4 * scale[:, 0, 0])
    assert np.all(np.linalg.eigvalsh(plus + np.swapaxes(plus, 1, 2)) >= -ROUNDING * scale[:, 0])
    for forces in (slice(0, 3), slice(3, 6)):
        assert np.all(abs(plus[:, :, forces].sum(2)) <= ROUNDING * scale[:, 0])
        assert np.all(abs(plus[:, forces].sum(1)) <= ROUNDING * scale[:, 0])


def without(matrix, floating) -> np.ndarray:
    """Responses where the forces ``floating`` follow so that their fluxes vanish (Schur complement)."""
    kept = [k for k in range(matrix.shape[-1]) if k not in floating]
    inner = np.linalg.solve(matrix[:, floating][:, :, floating], matrix[:, floating][:, :, kept])
    return matrix[:, kept][:, :, kept] - matrix[:, kept][:, :, floating] @ inner


FLOATING = {"voltage": [P], "thermalizing": [P, 3 + P]}


@pytest.mark.parametrize("probe", FLOATING)
def test_a_probe_makes_the_thermopower_odd_in_the_flux(probe):
    """What is left obeys L(φ) = L(−φ)ᵀ; conductance is even; the thermopower L_IT/(T L_IV) is not."""
    plus, minus = (without(matrices(phases), FLOATING[probe]) for phases in (PHASES, -PHASES))
    scale = abs(plus).max((1, 2), keepdims=True)
    assert np.all(abs(plus - np.swapaxes(minus, 1, 2)) <= ROUNDING * scale)
    conductance, back = plus[:, L, L], minus[:, L, L]
    np.testing.assert_allclose(conductance, back, rtol=1e-10)
    heated = 2  # the force of T at L, after those of mu at L and R
    thermopower, reversed_thermopower = plus[:, L, heated] / conductance, minus[:, L, heated] / back
    assert np.all(abs(thermopower - reversed_thermopower) > 1e-3)
    np.testing.assert_allclose(plus[:, heated, L], minus[:, L, heated], rtol=0, atol=ROUNDING * scale.max())


@pytest.mark.slow
def test_the_probe_of_the_solver_is_that_of_the_matrix():
    """Derivatives of a solved state against the elimination from the matrix of all three terminals."""
    rows, floating = rings(PHASES), FLOATING["thermalizing"]

    def one(row):
        def along(force):
            state = steady_state(
                three_terminal_ring(row),
                Reservoirs(jnp.full(3, row["mu"]), jnp.full(3, row["T"])),
                [ThermalizingProbe("P")],
                effort=Effort.FAST,
                direction=Reservoirs(row["T"] * force[:3], row["T"] ** 2 * force[3:]),
                throw=False,
            )
            heat = state.slope.energy - row["mu"] * state.slope.particle
            return jnp.append(state.slope.particle, heat), state.outcome

        return jax.vmap(along, out_axes=(1, 0))(jnp.eye(6))

    found, outcome = jax.jit(lambda rows: jax.lax.map(one, rows))(jax.tree.map(jnp.asarray, rows))
    assert np.all(outcome == Outcome.CONVERGED)
    kept = [k for k in range(6) if k not in floating]
    expected = without(matrices(PHASES), floating)
    scale = abs(expected).max()
    np.testing.assert_allclose(np.asarray(found)[:, kept][:, :, kept], expected, rtol=0, atol=1e-9 * scale)
    np.testing.assert_allclose(np.asarray(found)[:, floating], 0, atol=1e-9 * scale)


# ---------------------------------------------------------------------------------------------------------------------
# Two terminals.


def two_terminal_ring(phase) -> Network:
    """Two junctions, a level in one arm, a longer way and the flux in the other."""
    return Network(
        scatterers={
            "source": ThreeWayJunction(0.3),
            "drain": ThreeWayJunction(0.42),
            "level": ResonantLevel(0.5, 0.8, 0.6),
            "upper": arm(3.0),
            "lower": arm(1.2),
            "flux": AharonovBohmPhase(phase),
        },
        connections={
            "source.arm_1": "level.left",
            "level.right": "upper.left",
            "upper.right": "drain.arm_1",
            "source.arm_2": "lower.left",
            "lower.right": "flux.left",
            "flux.right": "drain.arm_2",
        },
        leads={"L": "source.stem", "R": "drain.stem"},
        band_bottom=BOTTOM,
    )


@jax.jit
def _currents_at_fixed_potential(phases, mu, T):
    """I and J^E of L, and the one-way fluxes behind them."""

    def one(row):
        answer = two_terminal_ring(row[0]).response(Reservoirs(row[1], row[2]), Effort.FAST)
        value, flux = answer.value, answer.one_way
        return jnp.stack([value.particle[L], value.energy[L]]), jnp.stack([flux.particle[L], flux.energy[L]])

    return jax.lax.map(one, (phases, mu, T))


@pytest.mark.slow
def test_two_terminals_are_even_in_the_flux():
    """At fixed potentials at any bias: particles return what they bring, |t(φ)|² = |t(−φ)|². So is the thermopower."""
    rng = np.random.default_rng(5)
    phases, size = np.concatenate([PHASES, -PHASES, PHASES + 2 * np.pi]), len(PHASES)
    mu, T = (np.tile(x, (3, 1)) for x in (rng.uniform(-1, 1, (size, 2)), rng.uniform(0.5, 3, (size, 2))))
    found, flux = (np.asarray(x).reshape(3, size, 2) for x in _currents_at_fixed_potential(phases, mu, T))
    assert np.all(abs(found[1] - found[0]) <= 1e-12 * flux[0])
    assert np.all(abs(found[2] - found[0]) <= 1e-12 * flux[0])
    assert np.all(abs(found[0]) > 1e-4)


# ---------------------------------------------------------------------------------------------------------------------
# Any network.


@pytest.mark.parametrize("seed", range(10))
def test_reversed_networks(seed):
    """Transposing every element transposes S, and what is injected into an element becomes what it emits: columns of
    Im S* ∂S at one flux are rows at the other."""
    rng = np.random.default_rng(seed)
    sizes = (3, 4, 3, 5)
    ports, elements, start = rng.permutation(sum(sizes)).tolist(), [], 0
    for size in sizes:
        elements.append(tuple(range(start, start + size)))
        start += size
    external, pairs = ports[:5], ports[5:]
    wiring = Wiring(tuple(elements), tuple(zip(pairs[::2], pairs[1::2], strict=True)), tuple(external))
    there = [scipy.stats.unitary_group.rvs(size, random_state=rng) for size in sizes]
    back = [matrix.T for matrix in there]
    inside, reversed_inside = (waves(wiring, [m.tolist() for m in matrices]) for matrices in (there, back))
    S, S_back = np.array(inside.smatrix), np.array(reversed_inside.smatrix)
    np.testing.assert_allclose(S, S_back.T, atol=1e-12)
    assert np.max(abs(S - S_back)) > 0.1
    differences = []
    for n, (size, matrix) in enumerate(zip(sizes, there, strict=True)):
        delay = rng.normal(size=(2, size, size)).T @ [1, 1j]
        change = 1j * matrix @ (delay + delay.conj().T)
        slope = np.array(smatrix_change(wiring, inside, n, change.tolist()))
        slope_back = np.array(smatrix_change(wiring, reversed_inside, n, change.T.tolist()))
        injected = np.imag(S.conj() * slope).sum(0)
        emitted_back = np.imag(S_back.conj() * slope_back).sum(1)
        injected_back = np.imag(S_back.conj() * slope_back).sum(0)
        np.testing.assert_allclose(injected, emitted_back, rtol=0, atol=1e-11 * abs(slope).max())
        assert injected.sum() == pytest.approx(injected_back.sum(), abs=1e-11 * abs(slope).max() * len(S))
        differences.append(np.max(abs(injected - injected_back)))
    assert max(differences) > 1e-2


@pytest.mark.slow
def test_linear_response_in_reversed_fields():
    """``linear_response`` of a ring with a thermalizing probe, and of the same ``time_reversed``: L(φ) = L(−φ)ᵀ; L(φ)
    alone is not symmetric."""
    row = jax.tree.map(lambda column: jnp.asarray(column[0]), rings(PHASES))
    device, probe = three_terminal_ring(row), (ThermalizingProbe("P"),)
    rest = Reservoirs(jnp.full(3, row["mu"]), jnp.full(3, row["T"]))
    found, back = (linear_response(one, rest, probe, effort=Effort.FAST) for one in (device, device.time_reversed()))
    assert float(found.reciprocity(back)) <= 1e-9
    assert float(found.reciprocity()) > 1e-4
    assert float(found.conservation) <= 1e-12
    assert float(found.smallest_eigenvalue) > 0


def test_fields_reverse_twice_to_themselves():
    row = jax.tree.map(lambda column: jnp.asarray(column[0]), rings(PHASES))
    device = three_terminal_ring(row)
    once = device.time_reversed()
    energy = jnp.asarray(0.7)
    np.testing.assert_allclose(once.smatrix(energy), device.smatrix(energy).T, atol=1e-13)
    np.testing.assert_array_equal(once.time_reversed().smatrix(energy), device.smatrix(energy))
