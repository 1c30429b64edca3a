"""A dot that moves, against the numbers of Mehring, Bustos-Marún & Calvo (2024) that an independent program gave."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest

from mesotherm import (
    Axis,
    CurrentVoltage,
    Effort,
    EquilibriumPosition,
    Linearised,
    MobileDot,
    Outcome,
    Reservoirs,
    Setup,
    SingleDot,
    SteadyStateExperiment,
    ThermalizationDiode,
    audit,
    branches,
    steady_state,
    sweep,
)

COLD = 1e-3


def dot(level, coupling, asymmetry, decay, x=0.0, spin=1.0):
    return MobileDot(
        level=level,
        coupling=coupling,
        asymmetry=asymmetry,
        decay_length=1 / decay,
        lead_level=0.0,
        lead_hopping=1.0,
        position=[x],
        spin_degeneracy=spin,
    )


def figure_2(asymmetry, x=0.0):
    return dot(-0.2, 0.1, asymmetry, 2.0, x)


def held(stiffness=0.02, T=COLD, **more):
    return EquilibriumPosition(("x",), stiffness=stiffness, mu=0.0, T=T, **more)


def biased(bias, T=COLD):
    return Reservoirs([bias / 2, -bias / 2], [T, T])


def linear(device, T=COLD):
    return Linearised(device, mu=0.0, T=T)


@pytest.mark.parametrize(("asymmetry", "force"), [(0.0, 0.04196236175469), (0.7, 0.00670486115298)])
def test_force_of_linear_response(asymmetry, force):
    device = figure_2(asymmetry, 0.5)
    answer = linear(device).response(biased(0.2))
    assert -answer.value.conjugate[0] == pytest.approx(force, abs=1e-12)
    left, right = device.hoppings
    wide = float(left**2 + right**2)
    assert -answer.value.conjugate[0] == pytest.approx(-0.2 / np.pi * 2 * -0.2 * wide / (0.04 + wide**2), rel=1e-12)
    passed = 4 * float(left * right) ** 2 / (0.04 + wide**2)
    assert answer.value.particle[0] == pytest.approx(0.2 * passed / (2 * np.pi), rel=1e-12)


def test_largest_force():
    """V b/(2π a₀), where γ_L² + γ_R² is the distance of the level from μ."""
    x = np.arccosh(0.2 / 0.02) / 4
    answer = linear(figure_2(0.0, x)).response(biased(0.2))
    assert -answer.value.conjugate[0] == pytest.approx(0.0636619772368, abs=1e-12)


def test_position_of_linear_response():
    state = steady_state(linear(figure_2(0.0)), biased(0.2), [held()])
    assert state.outcome == Outcome.CONVERGED
    assert state.q[0] == pytest.approx(1.164718843285, abs=1e-9)
    assert state.q_error[0] < 1e-10
    assert np.all(audit(state).holds)


def test_three_positions():
    """Two stable ones and an unstable one between; the first is the one that is reached from equilibrium."""
    found = branches(Setup(linear(figure_2(0.7)), biased(0.2), (held(),)))
    positions = [float(state.q[0]) for state in found.states]
    assert positions[0] == pytest.approx(0.344516616259, abs=1e-9)
    order = np.argsort(positions)
    np.testing.assert_allclose(
        np.array(positions)[order], [0.344516616259, 0.839267485970, 1.666716842442], rtol=0, atol=1e-9
    )
    assert np.array(found.stable)[order].tolist() == [True, False, True]


@pytest.fixture(scope="module")
def full_state():
    return steady_state(figure_2(0.0), biased(0.2, 1e-5), [held(T=1e-5)])


def test_position_beyond_linear_response(full_state):
    """Eq. 9 with its energy integral, the force in equilibrium taken off."""
    assert full_state.q[0] == pytest.approx(1.10418459, abs=1e-7)
    assert np.all(audit(full_state).holds)
    force = -full_state.currents.conjugate[0]
    assert force == pytest.approx(0.02 * float(full_state.q[0]), rel=1e-10)


def test_how_far_linear_response_holds():
    """Its error is 16 % of the force's maximum at eV = 0.2 and 1.4 % at 0.02."""
    places = np.linspace(-2.0, 2.0, 401)
    for bias, part in ((0.2, 0.16), (0.02, 0.014)):
        forces = []
        for device in (figure_2(0.0).counted_from(0.0, COLD), linear(figure_2(0.0))):
            at = eqx.filter_jit(
                eqx.filter_vmap(
                    lambda x, device=device, bias=bias: (
                        -device.moved_to(x[None]).response(biased(bias), Effort.STRICT).value.conjugate[0]
                    )
                )
            )
            forces.append(np.asarray(at(jnp.asarray(places))))
        full, first = forces
        assert np.max(np.abs(full - first)) / np.max(np.abs(full)) == pytest.approx(part, rel=0.05)


def test_a_load_moves_the_dot():
    """Without bias it is F_ext/k from where it rested."""
    unknown = held(rest_position=0.1, external_force=0.004)
    state = steady_state(linear(figure_2(0.3)), biased(0.0), [unknown])
    assert state.q[0] == pytest.approx(0.1 + 0.2, abs=1e-12)


def test_mirrored():
    """λ → −λ with V → −V turns x around."""
    here = steady_state(linear(figure_2(0.4)), biased(0.05), [held()])
    there = steady_state(linear(figure_2(-0.4)), biased(-0.05), [held()])
    assert here.q[0] == pytest.approx(-float(there.q[0]), rel=1e-10)
    assert here.currents.particle[0] == pytest.approx(-float(there.currents.particle[0]), rel=1e-10)


def test_what_cannot_move_is_refused():
    baths = Reservoirs([0, 0, 0], [1, 1, 1])
    with pytest.raises(ValueError, match="nothing in ThermalizationDiode can move"):
        steady_state(ThermalizationDiode.example(), baths, [held()])
    with pytest.raises(ValueError, match="there is no moving part 'y'; this device has x"):
        steady_state(figure_2(0.0), biased(0.1), [EquilibriumPosition(("y",), stiffness=1.0, mu=0.0, T=1.0)])
    with pytest.raises(ValueError, match="no coherent device"):
        Linearised(SingleDot.example(), 0.0, 1.0)


def test_positions_in_a_dataset():
    """Both rungs' numbers, labelled."""
    setup = Setup(linear(figure_2(0.0)), biased(0.2), (held(),))
    data = sweep(SteadyStateExperiment(), setup, [Axis("device.device.asymmetry", [0.0, 0.3], "asymmetry")])
    assert data.position.dims == ("asymmetry", "moving_part")
    assert data.position.attrs["units"] == "length"
    assert float(data.position[0, 0]) == pytest.approx(1.164718843285, abs=1e-9)
    np.testing.assert_allclose(data.force, 0.02 * data.position, rtol=1e-8)
    assert "potential" not in data


@pytest.mark.slow
@pytest.mark.parametrize("device", [linear(figure_2(0.3)), figure_2(0.3)], ids=["linear", "full"])
def test_conductance_with_the_dot_following(device):
    """dI/dV at a bias, the position moving along, against currents at neighbouring biases."""
    setup = Setup(device, biased(0.0), (held(),))
    step = 1e-4
    data = sweep(CurrentVoltage(), setup, [Axis("experiment.bias", 0.1 + step * np.array([-2.0, -1.0, 0.0, 1.0, 2.0]))])
    current = data.particle_current.sel(terminal="L").to_numpy()
    slope = np.array([1.0, -8.0, 0.0, 8.0, -1.0]) @ current / (12 * step)
    assert float(data.differential_conductance[2]) == pytest.approx(slope, rel=1e-6)
    bare = sweep(CurrentVoltage(), Setup(device, biased(0.0)), [Axis("experiment.bias", [0.1])])
    assert abs(slope / float(bare.differential_conductance[0]) - 1) > 0.1
