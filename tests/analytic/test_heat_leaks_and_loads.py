"""Heat leaks and loads: in closed form by themselves, at a probe that phonons cool, at an engine at work."""

from fractions import Fraction

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mesotherm import (
    OBSERVABLES,
    Effort,
    OpenCircuit,
    Outcome,
    Reservoirs,
    ResonantBarrier,
    Setup,
    ThermalizationDiode,
    ThermalizingProbe,
    TwoTerminalConductor,
    VoltageProbe,
    audit,
    quantum_dot_thermocouple,
    steady_state,
    sweep,
)
from mesotherm.device import InverseTemperature, LogTemperature
from mesotherm.device_file import load
from mesotherm.devices.combined import Combined
from mesotherm.devices.heat_leaks import PhononBath, ThermalConductance
from mesotherm.devices.load_resistor import LoadResistor

heat_current, load_power, power = (OBSERVABLES[name] for name in ("heat_current", "load_power", "power"))

DIODE = ThermalizationDiode(ResonantBarrier(-1.0, 1.5), ResonantBarrier(2.0, 2.0))


def heat(reservoirs, answer):
    return answer.value.energy - reservoirs.mu * answer.value.particle


# ---------------------------------------------------------------------------------------------------------------------
# The small devices by themselves.


@pytest.mark.parametrize(("leak", "exponent"), [(PhononBath, 5), (ThermalConductance, 1)])
def test_heat_leaks_are_exact_to_their_bounds(leak, exponent):
    """Also where the temperatures differ by a few rounding units."""
    for hot, cold in ((2.0, 1.0), (1.0, 3.0), (1.0, 1e-3), (1.0 + 2**-40, 1.0), (0.1, 0.1 + 2**-50)):
        answer = leak(("P", "phonons"), 0.3).response(Reservoirs([0.7, -0.2], [hot, cold]))
        exact = Fraction(0.3) * (Fraction(hot) ** exponent - Fraction(cold) ** exponent)
        error = abs(Fraction(float(answer.value.energy[0])) - exact)
        assert error <= float(answer.error.energy[0]) <= 1e-14 * abs(exact)
        assert answer.value.energy[1] == -answer.value.energy[0]
        assert np.all(answer.value.particle == 0)
        both = 0.3 * (hot**exponent + cold**exponent)
        np.testing.assert_allclose(answer.one_way.energy, both, rtol=1e-14)


@pytest.mark.parametrize("zero", [0.0, 100.0])
def test_load_turns_work_into_heat_of_its_surroundings(zero):
    """Ohm's and Joule's laws, wherever the zero of energy is."""
    load = LoadResistor(("L", "R", "box"), 4.0)
    reservoirs = Reservoirs([zero + 3.0, zero + 1.0, 0.0], [2.0, 1.0, 1.5])
    answer = load.response(reservoirs)
    np.testing.assert_allclose(answer.value.particle, [0.5, -0.5, 0.0], rtol=1e-15)
    assert np.all(abs(heat(reservoirs, answer) - np.array([0.0, 0.0, -1.0])) <= np.asarray(answer.error.energy))
    assert np.all(answer.error.energy <= 1e-15 * (4 + zero))
    assert abs(jnp.sum(answer.value.energy)) <= jnp.sum(answer.error.energy)
    assert load.load_power(reservoirs) == 1.0


def test_flux_of_a_load_obeys_detailed_balance():
    """The two one-way fluxes have the ratio exp(b/T), with the temperature of the surroundings; their sum is its
    Johnson–Nyquist noise 2T/R without bias, and the current alone under a large one."""
    load, T = LoadResistor(("L", "R", "box"), 4.0), 1.5
    for bias in (1e-9, 0.002, 0.004, 0.5, 3.0, 12.0):
        answer = load.response(Reservoirs([bias, 0.0, 0.0], [2.0, 1.0, T]))
        both, net = answer.one_way.particle[0], answer.value.particle[0]
        if bias > 0.1:
            assert float((both + net) / (both - net)) == pytest.approx(np.exp(bias / T), rel=1e-9)
        else:
            assert float(both) == pytest.approx(2 * T / 4.0 * (1 + (bias / (2 * T)) ** 2 / 3), rel=1e-13)


# ---------------------------------------------------------------------------------------------------------------------
# Electrons that heat phonons.

HOT, COLD = 2.0, 1.0
COUPLINGS = np.array([0.0, 1e-6, 1e-2, 1.0, 1e3, 1e6])


@eqx.filter_jit
def _leaking(couplings):
    def one(coupling):
        device = Combined({"bath": PhononBath(("P", "phonons"), coupling), "diode": DIODE})  # P, phonons, L, R
        reservoirs = Reservoirs([0.0, 5.0, 0.0, 0.0], [COLD, COLD, HOT, COLD])
        state = steady_state(device, reservoirs, [ThermalizingProbe("P")], effort=Effort.FAST, throw=False)
        return {
            "mu": state.reservoirs.mu[0],
            "T": state.reservoirs.T[0],
            "particle": state.currents.particle,
            "heat": heat_current(state),
            "outcome": state.outcome,
            "holds": jnp.all(audit(state).holds),
        }

    return jax.lax.map(one, couplings)


@pytest.fixture(scope="module")
def leaking():
    found = {name: np.asarray(values) for name, values in _leaking(jnp.asarray(COUPLINGS)).items()}
    assert np.all(found["outcome"] == Outcome.CONVERGED)
    assert np.all(found["holds"])
    return found


@jax.jit
def _diode_alone(mu, T):
    """Particle and heat currents of the diode by itself, terminals L, R, P, with its probe at given mu and T."""
    reservoirs = Reservoirs(jnp.stack([0.0, 0.0, mu]), jnp.stack([HOT, COLD, T]))
    answer = DIODE.response(reservoirs, Effort.FAST)
    return answer.value.particle, heat(reservoirs, answer)


def test_probe_without_phonons_is_the_diode_s(leaking):
    particle, heats = _diode_alone(leaking["mu"][0], leaking["T"][0])
    assert abs(particle[2]) <= 1e-12
    assert abs(heats[2]) <= 1e-12
    np.testing.assert_allclose(leaking["particle"][0, 2:], particle[:2], rtol=0, atol=1e-12)
    np.testing.assert_allclose(leaking["heat"][0, 2:], heats[:2], rtol=0, atol=1e-12)
    assert leaking["T"][0] > 1.3
    # a weak leak takes ΣV (T_P⁵ − T₀⁵), T_P hardly changed
    assert leaking["heat"][1, 1] == pytest.approx(-1e-6 * (leaking["T"][0] ** 5 - COLD**5), rel=1e-4)


def test_probe_with_strong_phonons_is_as_cold_as_they(leaking):
    """What the diode gives a probe that is kept at T₀ goes into the phonons: J = 5ΣV T₀⁴ (T_P − T₀)."""
    low, high = -5.0, 5.0
    for _ in range(45):
        mu = (low + high) / 2
        (low, high) = (low, mu) if _diode_alone(mu, COLD)[0][2] > 0 else (mu, high)
    particle, heats = _diode_alone(low, COLD)
    assert heats[2] < -0.1
    assert leaking["mu"][-1] == pytest.approx(low, abs=1e-5)
    assert leaking["T"][-1] - COLD == pytest.approx(-float(heats[2]) / (5e6 * COLD**4), rel=1e-5)
    assert leaking["heat"][-1, 1] == pytest.approx(float(heats[2]), rel=1e-5)
    np.testing.assert_allclose(leaking["particle"][-1, 2:], particle[:2], rtol=1e-5)


def test_heat_into_phonons_is_counted(leaking):
    phonons = leaking["heat"][:, 1]
    rounding = 5 * COUPLINGS * leaking["T"] ** 5 * 2.0**-52  # of T itself
    leaked = -COUPLINGS * (leaking["T"] ** 5 - COLD**5)
    assert np.all(abs(phonons - leaked) <= 1e-12 + rounding)
    np.testing.assert_allclose(leaking["heat"].sum(1), 0.0, atol=1e-12)
    assert np.all(abs(leaking["heat"][:, 0]) <= 1e-12)  # nothing stays in P
    assert np.all(np.diff(leaking["T"]) < 0)
    assert np.all(np.diff(phonons) < 0)


def test_probe_that_phonons_cool_is_not_inverted():
    """Without them this probe balances at a negative temperature only; a leak elsewhere leaves it free to."""
    dots, biased = quantum_dot_thermocouple(rate_P=0.01), Reservoirs([0, 20, 0, 0, 0, 0], [8, 8, 16, 4, 8, 8])
    elsewhere = Combined({"dots": dots, "leak": ThermalConductance(("L", "zone"), 1.0)})
    assert isinstance(elsewhere.floating_reservoir_of("P"), InverseTemperature)
    device = Combined({"dots": dots, "leak": PhononBath(("P", "zone"), 1e-9)})
    assert isinstance(device.floating_reservoir_of("P"), LogTemperature)
    assert device.terminals == ("L", "R", "H", "C", "P", "zone")
    state = steady_state(device, biased, [ThermalizingProbe("P")], effort=Effort.FAST)
    T = float(state.reservoirs.T[4])
    assert T > 10
    assert float(heat_current(state)[5]) == pytest.approx(-1e-9 * (T**5 - 8.0**5), rel=1e-9)
    assert np.all(audit(state).holds)


# ---------------------------------------------------------------------------------------------------------------------
# A quantum-dot engine at work on a load.

ENGINE = TwoTerminalConductor(ResonantBarrier(2.0, 0.5))
RESISTANCES = np.concatenate([[1e-6], np.geomspace(1.0, 1e5, 41), [np.inf]])
K = 0.01


def loaded(resistance):
    """Terminals L, R, box."""
    parts = {
        "engine": ENGINE,
        "leak": ThermalConductance(("L", "R"), K),
        "load": LoadResistor(("L", "R", "box"), resistance),
    }
    return Combined(parts)


def _work(resistance):
    reservoirs = Reservoirs([0, 0, 0], [HOT, COLD, COLD])
    state = steady_state(loaded(resistance), reservoirs, [VoltageProbe("L")], effort=Effort.STRICT, throw=False)
    return load_power(state), state


@eqx.filter_jit
def _worked(resistances):
    def one(resistance):
        delivered, slope, state = jax.jvp(_work, (resistance,), (jnp.ones(()),), has_aux=True)
        numbers = {
            "power": power(state),
            "error_power": power.error(state),
            "error_load_power": load_power.error(state),
            "heat": heat_current(state),
            "mu": state.reservoirs.mu[0],
            "outcome": state.outcome,
            "holds": jnp.all(audit(state).holds),
        }
        return numbers | {"load_power": delivered, "slope": slope}

    return jax.lax.map(one, resistances)


@pytest.fixture(scope="module")
def worked():
    found = {name: np.asarray(values) for name, values in _worked(jnp.asarray(RESISTANCES)).items()}
    assert np.all(found["outcome"] == Outcome.CONVERGED)
    assert np.all(found["holds"])
    return found


@jax.jit
def _engine_alone(mu):
    reservoirs = Reservoirs(jnp.stack([mu, 0.0]), jnp.array([HOT, COLD]))
    value = ENGINE.response(reservoirs).value
    return value.particle[0], value.energy[0] - mu * value.particle[0]


@pytest.fixture(scope="module")
def engine_alone(worked):
    """Current of the engine alone at the potentials found, its slope, and the heat it takes from L."""

    def one(mu):
        (current, heat_in), slopes = _engine_alone(mu), jax.jacfwd(_engine_alone)(mu)
        return current, slopes[0], heat_in

    return [np.asarray(column) for column in jax.jit(jax.vmap(one))(jnp.asarray(worked["mu"]))]


def test_operating_point_is_that_of_engine_and_load(worked, engine_alone):
    """I(μ) R = −μ: what the engine drives through the load, against the voltage that this makes."""
    current, _, _ = engine_alone
    finite = np.isfinite(RESISTANCES)
    np.testing.assert_allclose((current * RESISTANCES)[finite], -worked["mu"][finite], rtol=1e-9)


def test_power_is_current_times_voltage_and_heats_the_surroundings(worked, engine_alone):
    current, _, _ = engine_alone
    np.testing.assert_allclose(worked["load_power"], -worked["mu"] * current, rtol=1e-8, atol=1e-13)
    np.testing.assert_allclose(worked["load_power"], -worked["heat"][:, 2], rtol=1e-12)
    np.testing.assert_allclose(worked["load_power"], worked["heat"][:, :2].sum(1), rtol=1e-8, atol=1e-13)
    assert np.all(abs(worked["power"]) <= worked["error_power"])  # none is left for the reservoirs
    assert np.all(worked["error_load_power"] <= 1e-9 * worked["load_power"].max())


def test_small_load_is_a_short_circuit(worked):
    current, _ = _engine_alone(jnp.zeros(()))
    assert current > 0
    assert worked["mu"][0] == pytest.approx(-1e-6 * float(current), rel=1e-5)
    assert worked["load_power"][0] == pytest.approx(1e-6 * float(current) ** 2, rel=1e-5)


def test_without_load_the_circuit_is_open(worked):
    setup = Setup(ENGINE, Reservoirs([0, 0], [HOT, COLD]))
    found = eqx.filter_jit(OpenCircuit(left_share=1.0).measure)(setup, Effort.STRICT)
    assert found["status"] == Outcome.CONVERGED
    assert worked["mu"][-1] == pytest.approx(float(found["open_circuit_bias"]), rel=1e-9)
    assert worked["load_power"][-1] == 0


def test_power_is_largest_where_the_load_is_the_engine_s_own_resistance(worked, engine_alone):
    """dP/dR vanishes where R = dμ/dI of the engine; P rises before and falls behind. The slope through the solution is
    that of I(μ) + μ/R = 0, P = μ²/R, written out."""
    _, conductance, _ = engine_alone
    R, mu, inside = RESISTANCES, worked["mu"], slice(1, -1)
    closed = 2 * mu / R * (mu / R**2) / (conductance + 1 / R) - (mu / R) ** 2
    np.testing.assert_allclose(worked["slope"][inside], closed[inside], rtol=1e-7)
    smaller = R[inside] * conductance[inside] < 1
    assert 10 < smaller.sum() < 35
    np.testing.assert_array_equal(smaller, worked["slope"][inside] > 0)
    best = np.argmax(worked["load_power"])
    assert best == 1 + np.argmax(~smaller) or best == np.argmax(~smaller)

    biases = jnp.linspace(worked["mu"][-1], 0.0, 400)
    driven = jax.jit(jax.vmap(lambda mu: -mu * _engine_alone(mu)[0]))(biases)
    assert worked["load_power"][best] <= float(driven.max()) * (1 + 1e-4)
    assert worked["load_power"][best] == pytest.approx(float(driven.max()), rel=0.02)


def test_leak_lowers_the_efficiency_by_its_heat(worked, engine_alone):
    """The heat taken in is the engine's and K (T_L − T_R), and nothing else changes."""
    _, _, heat_in = engine_alone
    np.testing.assert_allclose(worked["heat"][:, 0] - heat_in, K * (HOT - COLD), rtol=1e-9)
    efficiency, ideal = worked["load_power"] / worked["heat"][:, 0], worked["load_power"] / heat_in
    inside = slice(1, -1)
    np.testing.assert_allclose(efficiency[inside], (ideal / (1 + K * (HOT - COLD) / heat_in))[inside], rtol=1e-9)
    assert np.all(ideal <= 1 - COLD / HOT)
    assert efficiency.max() < ideal.max()


FILE = """
[units]
energy = "meV"
results = ["pW"]

[device]
kind = "combined"

[device.parts.first]
kind = "load_resistor"
terminals = ["L", "M", "island"]
resistance = "2 kohm"

[device.parts.second]
kind = "load_resistor"
terminals = ["M", "R", "island"]
resistance = "3 kohm"

[device.parts.coupling]
kind = "phonon_bath"
terminals = ["island", "phonons"]
coupling = "1 pW/K^5"

[device.parts.contact]
kind = "thermal_conductance"
terminals = ["phonons", "substrate"]
conductance = "10 pW/K"

[reservoirs]
L = { mu = "0.1 meV", T = "1 K" }
M = { T = "1 K" }
R = { mu = "0 meV", T = "1 K" }
island = { mu = 0 }
phonons = { mu = 0 }
substrate = { T = "0.9 K" }

[unknowns]
M = "voltage_probe"
island = "heat_probe"
phonons = "heat_probe"

[experiment]
kind = "steady_state"

[axes.resistance]
parameter = "device.parts.first.resistance"
values = ["2 kohm", "97 kohm"]
"""


def test_joule_heat_of_an_island_from_a_file(tmp_path):
    """Two resistors in series divide 0.1 mV and heat the electrons of an island; these heat its phonons, and they a
    substrate: P = V²/(R₁ + R₂) = ΣV (T⁵ − T_ph⁵) = K (T_ph − T_substrate), in SI units, one resistance swept."""
    (tmp_path / "island.toml").write_text(FILE, encoding="utf-8")
    run = load(tmp_path / "island.toml")
    data = run.units.converted(sweep(run.experiment, run.setup, run.axes))
    assert np.all(data.status == Outcome.CONVERGED)
    assert np.all(data.law_violation <= 1)
    first = np.array([2.0, 97.0])
    dissipated = 1e12 * 1e-4**2 / (1e3 * (first + 3.0))  # pW
    phonons = 0.9 + dissipated / 10.0
    electrons = (phonons**5 + dissipated) ** (1 / 5)
    np.testing.assert_allclose(data.heat_current.sel(terminal="substrate"), -dissipated, rtol=1e-9)
    np.testing.assert_allclose(data.probe_temperature.sel(probe="phonons"), phonons, rtol=1e-9)
    np.testing.assert_allclose(data.probe_temperature.sel(probe="island"), electrons, rtol=1e-9)
    np.testing.assert_allclose(data.probe_mu.sel(probe="M"), 0.1 * 3.0 / (first + 3.0), rtol=1e-9)
