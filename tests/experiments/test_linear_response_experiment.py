"""Linear response as an experiment: noise in equilibrium, sums, closed forms, reversed fields, how far it carries."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad

from mesotherm import (
    Axis,
    CoupledDots,
    CoupledTransport,
    DoubleBarrier,
    Effort,
    LinearResponseExperiment,
    Network,
    NoiseExperiment,
    Reservoirs,
    ResonantBarrier,
    Setup,
    ThermalizingProbe,
    TwoTerminalConductor,
    sweep,
)
from mesotherm.devices.elements import AharonovBohmPhase, ResonantLevel, ThreeWayJunction, UniformRegion
from mesotherm.summary import laws, strains, warnings
from mesotherm.thermodynamics import FURTHER_LAWS, positive_response, reciprocity, uncertainty_relation

CONDUCTOR = TwoTerminalConductor(ResonantBarrier(1.0, 0.2))
DOTS = CoupledDots(1.0, 1.5, -2.5, [1.0, 0.6], [0.5, 0.9], [0.8, 0.7])
TERMINALS = ("terminal", "other_terminal")


def measured(device, reservoirs, unknowns=(), experiment=None):
    return sweep(experiment or LinearResponseExperiment(), Setup(device, reservoirs, unknowns))


def test_coefficients_of_a_level():
    """Against integrals of the transmission by adaptive quadrature, within the estimates of errors."""
    T = 0.7
    data = measured(CONDUCTOR, Reservoirs([0.1, 0.1], [T, T]))

    def moment(n):
        def integrand(E):
            x = (E - 0.1) / T
            return (E - 0.1) ** n * 0.2**2 / ((E - 1.0) ** 2 + 0.2**2) / (4 * T * np.cosh(x / 2) ** 2)

        return quad(integrand, -30, 30, points=[0.1, 1.0], epsabs=0, epsrel=1e-12, limit=500)[0] / np.pi

    K0, K1, K2 = (moment(n) for n in range(3))
    expected = {
        "conductance": K0,
        "seebeck": -K1 / (T * K0),
        "peltier": -K1 / K0,
        "thermal_conductance": (K2 - K1**2 / K0) / T,
        "thermal_conductance_at_zero_bias": K2 / T,
        "figure_of_merit": K1**2 / (K0 * K2 - K1**2),
    }
    for name, value in expected.items():
        np.testing.assert_allclose(float(data[name]), value, rtol=1e-8)
        assert abs(float(data[name]) - value) <= float(data[f"estimate_{name}"]) + 1e-11 * abs(value)
    assert data.status == 0


@pytest.mark.parametrize(
    ("device", "unknowns", "noise"),
    [
        (DOTS, (), NoiseExperiment()),
        pytest.param(
            DoubleBarrier.example(),
            (ThermalizingProbe("P"),),
            NoiseExperiment(following=("P",)),
            marks=pytest.mark.slow,
        ),
    ],
    ids=["dots", "double barrier with a probe"],
)
def test_noise_in_equilibrium_is_twice_the_response(device, unknowns, noise):
    """Fluctuation–dissipation, of every pair of terminals and both currents; nothing is lost or created."""
    count = len(device.terminals)
    rest = Reservoirs(jnp.full(count, 0.2), jnp.full(count, 0.9))
    response, fluctuations = measured(device, rest, unknowns), measured(device, rest, unknowns, noise)
    scale = float(abs(response.onsager_heat).max())
    for name, noise_name in (
        ("onsager_particle", "particle_noise"),
        ("onsager_particle_heat", "particle_heat_noise"),
        ("onsager_heat", "heat_noise"),
    ):
        np.testing.assert_allclose(2 * response[name].values, fluctuations[noise_name].values, atol=1e-9 * scale)
        assert np.all(abs(response[name].sum("terminal")) <= 1e-12 * scale)
        assert np.all(abs(response[name].sum("other_terminal")) <= 1e-12 * scale)
    np.testing.assert_allclose(
        response.onsager_heat_particle, response.onsager_particle_heat.transpose("other_terminal", "terminal")
    )
    assert abs(response.onsager_particle.sel(terminal="L", other_terminal="L")) > 1e-3


def test_heat_is_counted_from_mu_wherever_energy_is():
    """Two conductors at different μ: the response of the currents themselves, by small differences."""
    mu, T = np.array([0.4, 0.4, -0.7]), np.full(3, 1.1)
    data = measured(DOTS, Reservoirs(mu, T))
    step = 1e-4
    for at in range(3):
        for force, name in (("mu", "particle"), ("T", "heat")):
            currents = []
            for sign in (1, -1):
                moved = {"mu": mu.copy(), "T": T.copy()}
                moved[force][at] += sign * step
                baths = Reservoirs(moved["mu"], moved["T"])
                value = DOTS.response(baths, Effort.STRICT).value
                currents.append([value.particle, value.energy - baths.mu * value.particle])
            slope = (np.array(currents[0]) - np.array(currents[1])) / (2 * step)
            slope *= T[0] if force == "mu" else T[0] ** 2
            found = [data["onsager_particle" if name == "particle" else "onsager_particle_heat"]]
            found.append(data["onsager_heat_particle" if name == "particle" else "onsager_heat"])
            for row, matrix in zip(slope, found, strict=True):
                np.testing.assert_allclose(matrix.isel(other_terminal=at), row, atol=1e-7)


def test_deviation_from_linear_response_grows_with_what_drives():
    """By the second order: proportional to ΔT; the largest of particle and heat currents."""
    setup = Setup(CONDUCTOR, Reservoirs([0.0, 0.0], [1.0, 1.0]))
    data = sweep(LinearResponseExperiment(), setup, [Axis("reservoirs.L.T", [1.0, 1.0 + 1e-4, 1.0 + 2e-4, 2.0])])
    deviation = data.assumption_value.sel(assumption="linear_response").values
    assert deviation[0] == 0
    np.testing.assert_allclose(deviation[2] / deviation[1], 2.0, rtol=1e-3)
    for kind in ("particle", "heat"):
        at_last = data.isel({data.particle_current.dims[0]: 3})
        solved, linear = at_last[f"{kind}_current"], at_last[f"linear_{kind}_current"]
        assert abs(solved - linear).max() / np.maximum(abs(solved), abs(linear)).max() <= deviation[3]
    assert deviation[3] > 0.1
    (strain,) = (one for one in strains(data) if "linear" in one.sentence)
    assert strain.beyond == 1
    assert any("linear" in told for told in warnings(data))


def ring(phase) -> Network:
    """Two junctions joined by two arms, a flux through them, a level before one terminal, a third one at an arm."""
    return Network(
        scatterers={
            **{f"at_{name}": ThreeWayJunction(strength) for name, strength in (("L", 0.3), ("R", 0.4), ("P", 0.25))},
            **{name: UniformRegion(-20.0, energy) for name, energy in (("LR", 3.0), ("RP", 5.0), ("PL", 6.5))},
            "flux": AharonovBohmPhase(phase),
            "level": ResonantLevel(0.5, 0.8),
        },
        connections={
            "at_L.arm_2": "LR.left",
            "LR.right": "flux.left",
            "flux.right": "at_R.arm_1",
            "at_R.arm_2": "RP.left",
            "RP.right": "at_P.arm_1",
            "at_P.arm_2": "PL.left",
            "PL.right": "at_L.arm_1",
            "level.right": "at_L.stem",
        },
        leads={"L": "level.left", "R": "at_R.stem", "P": "at_P.stem"},
        band_bottom=-20.0,
    )


@pytest.mark.slow
def test_a_ring_is_held_against_itself_in_the_reversed_field():
    """L(φ) is not symmetric with a probe, and the law of reciprocity holds all the same."""
    data = measured(ring(0.9), Reservoirs([0.0, 0.0, 0.0], [1.0, 1.0, 1.0]), (ThermalizingProbe("P"),))
    crossed = data.onsager_particle_heat.sel(terminal="L", other_terminal="L")
    returned = data.onsager_heat_particle.sel(terminal="L", other_terminal="L")
    assert abs(crossed - returned) > 1e-3 * abs(crossed)
    assert np.all(data.law_violation <= 1)
    assert ring(0.9).time_reversed() is not ring(0.9)
    plain = Network.example()
    assert plain.time_reversed() is plain


def test_further_laws_are_in_the_table():
    data = measured(DOTS, Reservoirs([0.1, 0.0, 0.0], [1.2, 1.0, 1.0]))
    told = {sentence for sentence, _, holds in laws(data) if holds}
    assert {FURTHER_LAWS[name].sentence for name in ("reciprocity", "positive_response")} <= told
    noisy = measured(DOTS, Reservoirs([0.1, 0.0, 0.0], [1.2, 1.0, 1.0]), (), NoiseExperiment())
    assert "uncertainty_relation" in noisy.law
    assert np.all(noisy.law_violation <= 1)
    assert not NoiseExperiment().further_laws(Setup(DoubleBarrier.example(), Reservoirs([0.0] * 3, [1.0] * 3)))


@pytest.mark.parametrize(
    ("law", "broken", "kept"),
    [
        (uncertainty_relation, ([2.1, 1.9], [0.01, 0.01]), ([2.1, 1.99], [0.01, 0.02])),
        (reciprocity, ([[0.0, 1e-3]], [[0.0, 1e-4]]), ([[0.0, 1e-3]], [[0.0, 1e-2]])),
        (positive_response, (-1e-3, 1e-4), (-1e-3, 1e-2)),
    ],
)
def test_further_laws_can_fail(law, broken, kept):
    for numbers, holds in ((broken, False), (kept, True)):
        residual, allowed = law(*(jnp.asarray(one) for one in numbers))
        assert bool(residual <= allowed) is holds


def test_it_is_said_where_gradients_oppose_forces():
    """F^N = μ_L/T_L − μ_R/T_R with μ_R > 0 and a hot terminal L: a force on particles of the other sign than Δμ."""
    setup = Setup(DOTS, Reservoirs([0.0, 2.0, 0.0], [1.0, 1.0, 1.0]))
    axis = Axis("experiment.force_particle", [-1.5, -0.5, 0.5])
    data = sweep(CoupledTransport(force_energy=0.5), setup, [axis])
    np.testing.assert_array_equal(data.gradient_opposes_force, (data.gradient_mu * axis.values < 0).values)
    assert 0 < int(data.gradient_opposes_force.sum()) < 3
    (told,) = (line for line in warnings(data) if "gradient" in line)
    assert told.startswith(f"at {int(data.gradient_opposes_force.sum())} of 3 points")
    assert "force_flux_identity" in data.law
    assert np.all(data.law_violation <= 1)


@pytest.mark.parametrize("terminals", [("L", "L"), ("L", "U"), ("U", "R")])
def test_it_needs_two_terminals_that_share_particles(terminals):
    with pytest.raises(ValueError, match=r"linear response:.*conductor"):
        LinearResponseExperiment(*terminals).prepare(Setup(DOTS, Reservoirs([0.0] * 3, [1.0] * 3)))
