"""Inverse currents and the cycles behind them: published numbers, closed conditions, the zero of energy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mesotherm import (
    Axis,
    CoupledDots,
    CoupledTransport,
    DotNetwork,
    Reservoirs,
    Setup,
    SingleDot,
    ThermalizingProbe,
    TransportKind,
    TwoTerminalCoupledDots,
    cycles,
    inverse_currents,
    linear_response,
    quantum_dot_thermocouple,
    steady_state,
    sweep,
)

ALL_ONE = {"rates_L": [1.0, 1.0], "rates_R": [1.0, 1.0], "rates_U": [1.0, 1.0]}


def driven(device, force_energy, force_particle, mu=0.5, mu_u=0.0, zero=0.0):
    """The state with both forces at L, R and U at T = 1."""
    setup = Setup(device, Reservoirs([mu, mu, mu_u], [1.0, 1.0, 1.0]))
    experiment = CoupledTransport(force_energy, force_particle, zero_of_energy=zero)
    applied = experiment.applied(setup)
    return steady_state(device, applied.reservoirs)


def test_published_inverse_particle_current():
    state = driven(CoupledDots(1.0, 1.5, -4.0, **ALL_ONE), 0.8, 0.25)
    found = inverse_currents(state, "L")
    assert TransportKind(int(found.transport)) is TransportKind.INVERSE_PARTICLE
    assert TransportKind(int(found.transport)).genuine
    np.testing.assert_allclose(found.flux[1], -0.03927228378023, rtol=1e-9)
    np.testing.assert_allclose(found.flux[0], 0.3059233144767, rtol=1e-9)
    produced = -jnp.sum((state.currents.energy - state.reservoirs.mu * state.currents.particle) / state.reservoirs.T)
    np.testing.assert_allclose(produced, 0.2349205806363, rtol=1e-9)
    np.testing.assert_allclose(found.force @ found.flux, produced, rtol=1e-12)
    assert bool(found.only_pair)


def test_inverse_far_from_equilibrium_with_a_positive_coefficient():
    """κ = −2.40, all rates 1, μ = 0: J_N < 0 though L_EN > 0, so that L_EN alone decides nothing."""
    device = CoupledDots(1.0, 1.5, -2.40, **ALL_ONE)
    assert linear_response(device, Reservoirs([0.0] * 3, [1.0] * 3)).entry("N_L", "E_L") > 0
    found = inverse_currents(driven(device, 0.5, 5e-4, mu=0.0), "L")
    assert TransportKind(int(found.transport)) is TransportKind.INVERSE_PARTICLE
    assert abs(float(found.flux[1]) - -4.2e-4) < 0.05e-4


def test_the_condition_of_the_paper_is_necessary_but_not_sufficient():
    """For constant rates near equilibrium: −κ > ε_b[1 + e^{β(ε_u−μ_u)} f0/f1], more than −κ > ε_b."""
    rng = np.random.default_rng(3)
    count = 400
    level_b, level_u = rng.uniform(0.1, 2.0, count), rng.uniform(-1.0, 2.0, count)
    kappa, mu, mu_u = rng.uniform(-5.0, 3.0, count), rng.uniform(-0.5, 0.5, count), rng.uniform(-0.5, 0.5, count)

    def coefficient(level_b, level_u, kappa, mu, mu_u):
        one = jnp.ones(2)
        found = linear_response(
            CoupledDots(level_b, level_u, kappa, one, one, one), Reservoirs(jnp.stack([mu, mu, mu_u]), jnp.ones(3))
        )
        return found.entry("E_L", "N_L"), found.entry("N_L", "N_L")

    L_EN, L_NN = map(np.asarray, jax.jit(jax.vmap(coefficient))(level_b, level_u, kappa, mu, mu_u))
    f0, f1 = 1 / (1 + np.exp(level_b - mu)), 1 / (1 + np.exp(level_b + kappa - mu))
    bound = level_b * (1 + np.exp(level_u - mu_u) * f0 / f1)
    clear = abs(-kappa - bound) > 1e-9
    np.testing.assert_array_equal((L_EN < 0)[clear], (-kappa > bound)[clear])
    claimed = -kappa > level_b
    assert np.all(claimed[L_EN < 0])
    assert np.sum(claimed & (L_EN > 0)) > 20
    assert np.all(L_NN > 0)


@pytest.mark.parametrize(("device", "zero"), [(SingleDot(-1.0, 0.1, 0.2), 0.0), (SingleDot(1.0, 0.1, 0.2), 1.5)])
def test_a_single_dot_below_the_zero_of_energy_has_inverse_currents(device, zero):
    """ "Inverse" refers to the zero: a level below it carries negative energy, with no interaction at all."""
    setup = Setup(device, Reservoirs([0.0, 0.0], [1.0, 1.0]))
    applied = CoupledTransport(0.4, 0.3, zero_of_energy=zero).applied(setup)
    found = inverse_currents(steady_state(device, applied.reservoirs), "L", zero_of_energy=zero)
    assert TransportKind(int(found.transport)).genuine
    above = inverse_currents(steady_state(device, applied.reservoirs), "L", zero_of_energy=float(device.level) - 0.01)
    assert not TransportKind(int(above.transport)).genuine


@pytest.mark.slow
def test_what_does_not_depend_on_the_zero_of_energy():
    """The zero above which a current is inverse, and which current, are the same from every zero."""
    device = CoupledDots(1.0, 1.5, -2.5, [1.0, 0.6], [0.5, 0.9], [0.8, 0.7])
    rng = np.random.default_rng(1)
    kinds = set()
    for _ in range(40):
        T, mu = 1 / (1 - rng.uniform(0.05, 0.8)), rng.uniform(-1.5, 2.0)
        state = steady_state(device, Reservoirs([mu, 0.3, 0.2], [T, 1.0, 1.0]))
        found = [inverse_currents(state, "L", zero_of_energy=zero) for zero in (-2.0, 0.0, 3.0)]
        edge, particle = float(found[0].inverse_above), bool(found[0].inverse_is_particle)
        kinds.add(particle)
        for other in found[1:]:
            np.testing.assert_allclose(other.inverse_above, edge, rtol=1e-9)
            assert bool(other.inverse_is_particle) == particle
        below, above = (inverse_currents(state, "L", zero_of_energy=edge + step) for step in (-1e-3, 1e-3))
        expected = TransportKind.INVERSE_PARTICLE if particle else TransportKind.INVERSE_ENERGY
        assert TransportKind(int(above.transport)) is expected
        assert not TransportKind(int(below.transport)).genuine
    assert kinds == {True, False}


def test_gradients_are_no_forces():
    """A particle current along its force, against both gradients."""
    state = steady_state(SingleDot(2.0, 0.1, 0.1), Reservoirs([1.0, 1.02], [1.0, 1.1]))
    found = inverse_currents(state, "L")
    assert bool(jnp.all(found.gradient < 0))
    assert found.force[1] > 0
    kinds = {
        bool(inverse_currents(steady_state(SingleDot(e, 0.1, 0.1), state.reservoirs), "L").only_against_gradients)
        for e in (-1.0, 0.5, 0.9, 2.0)
    }
    assert kinds == {True, False}


def test_what_has_no_pair_is_refused():
    state = driven(CoupledDots.example(), 0.1, 0.1)
    with pytest.raises(ValueError, match="there is no pair N_U; there are E_L, E_U, N_L"):
        inverse_currents(state, "U")
    with pytest.raises(ValueError, match="coupled transport: no other terminal that is held"):
        CoupledTransport(0.1, 0.1, terminal="U").prepare(Setup(CoupledDots.example(), state.reservoirs))


def test_axes_of_the_map_are_seebeck_and_peltier():
    setup = Setup(CoupledDots(1.0, 1.5, -4.0, **ALL_ONE), Reservoirs([0.5, 0.5, 0.0], [1.0, 1.0, 1.0]))
    axes = [Axis("experiment.force_energy", [-0.5, 0.0, 0.5]), Axis("experiment.force_particle", [-0.5, 0.0, 0.5])]
    found = sweep(CoupledTransport(), setup, axes).transport.to_numpy()
    kind = [[TransportKind(int(code)) for code in row] for row in found]
    assert kind[1][1] is TransportKind.EQUILIBRIUM
    assert kind[2][1] is TransportKind.UNCONVENTIONAL_SEEBECK
    assert kind[0][1] is TransportKind.SEEBECK  # cooled that much, L drives the current by the other cycle
    assert kind[1][2] is kind[1][0] is TransportKind.UNCONVENTIONAL_PELTIER
    assert all(one.pseudo for one in (kind[2][1], kind[1][2]))


def test_forces_beyond_infinite_temperature_are_no_points():
    setup = Setup(SingleDot.example(), Reservoirs([0.0, 0.0], [1.0, 1.0]))
    data = sweep(CoupledTransport(), setup, [Axis("experiment.force_energy", [0.5, 1.5])])
    assert data.status.to_numpy().tolist()[0] == 0
    assert data.status.to_numpy()[1] != 0
    assert data.transport.to_numpy()[1] == -1
    assert np.isnan(data.flux_particle.to_numpy()[1])


# ---------------------------------------------------------------------------------------------------------------------
# Cycles.


def random_baths(device, seed):
    rng = np.random.default_rng(seed)
    size = len(device.terminals)
    return Reservoirs(rng.uniform(-1, 1, size), rng.uniform(0.5, 2.0, size))


NETWORK = DotNetwork(
    dots=("A", "B"),
    leads=("S", "D"),
    levels=[0.3, -0.5],
    tunnel_rates=[[0.02, 0.01], [0.005, 0.03]],
    charging_energies=[1.5],
    hopping=[0.4],
)


@pytest.mark.parametrize(
    "device",
    [
        SingleDot.example(),
        CoupledDots(1.0, 1.5, -4.0, [1.0, 0.3], [0.2, 0.7], [0.5, 0.4]),
        TwoTerminalCoupledDots.example(),
        quantum_dot_thermocouple(),
        NETWORK,
    ],
    ids=lambda device: type(device).__name__,
)
def test_currents_and_entropy_are_sums_over_cycles(device):
    baths = random_baths(device, 8)
    found = cycles(device, baths)
    value = device.response(baths).value
    for n, name in enumerate(device.terminals):
        size = sum(cycle.flux * abs(cycle.energy[name]) for cycle in found) + 1e-12
        assert abs(sum(c.flux * c.particles[name] for c in found) - value.particle[n]) <= 1e-12
        assert abs(sum(c.flux * c.energy[name] for c in found) - value.energy[n]) <= 1e-12 * max(size, 1.0)
    produced = -np.sum((value.energy - baths.mu * value.particle) / baths.T)
    np.testing.assert_allclose(sum(cycle.flux * cycle.affinity for cycle in found), produced, rtol=1e-11)
    for cycle in found:
        assert cycle.flux >= 0
        assert cycle.affinity >= 0
        assert abs(sum(cycle.particles.values())) < 1e-15
        assert abs(sum(cycle.energy.values())) < 1e-12
        names = dict(zip(device.terminals, zip(baths.mu.tolist(), baths.T.tolist(), strict=True), strict=True))
        entropy = -sum((cycle.energy[n] - mu * cycle.particles[n]) / T for n, (mu, T) in names.items())
        np.testing.assert_allclose(cycle.affinity, entropy, atol=1e-11)


def test_the_cycle_behind_the_inverse_current():
    """Electrons enter from R and leave to L while u is occupied, where that brings energy from L."""
    state = driven(CoupledDots(1.0, 1.5, -4.0, **ALL_ONE), 0.8, 0.25)
    first = max(cycles(state.device, state.reservoirs), key=lambda cycle: cycle.flux)
    assert first.particles == {"L": -1.0, "R": 1.0, "U": 0.0}
    assert first.energy == {"L": 3.0, "R": -3.0, "U": 0.0}
    assert str(first) == "u -R-> b+u -L-> u"


def test_cycles_say_what_they_cannot():
    with pytest.raises(ValueError, match="rates underflow"):
        cycles(SingleDot(1.0, 0.1, 0.1), Reservoirs([0.0, 0.0], [1e-4, 1e-4]))
    cube = DotNetwork(("A", "B", "C", "D"), ("L", "R"), [0.0] * 4, [[0.1] * 4] * 2, [1.0] * 6)
    with pytest.raises(ValueError, match="more than 20000"):
        cycles(cube, Reservoirs([0, 0], [1, 2]))


def test_probes_are_no_terminals_of_reference():
    from mesotherm import Representation

    device = quantum_dot_thermocouple()
    chosen = Representation.of(device, (ThermalizingProbe("P"),))
    assert chosen.energy == "R"
    with pytest.raises(ValueError, match="terminal 'P' floats"):
        Representation.of(device, (ThermalizingProbe("P"),), energy="P")
    with pytest.raises(ValueError, match="L and R share their particles"):
        Representation.of(device, (), particles=("L", "R"))
