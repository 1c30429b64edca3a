"""Devices that share terminals: what the whole has of its parts, mistakes, regions with potentials."""

from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import Array, Float

from mesotherm import (
    OBSERVABLES,
    CoulombDots,
    Effort,
    HeatProbe,
    Reservoirs,
    ResonantBarrier,
    Screening,
    ThermalizationDiode,
    VanishingProbe,
    audit,
    steady_state,
)
from mesotherm.device import Answer, HasCoordinates, LogTemperature, Response
from mesotherm.devices.combined import Combined
from mesotherm.devices.double_barrier import DoubleBarrier
from mesotherm.devices.heat_leaks import PhononBath, ThermalConductance
from mesotherm.devices.load_resistor import LoadResistor
from mesotherm.fields import FieldError, parameter
from mesotherm.fluctuations import noise

heat_current, load_power, power = (OBSERVABLES[name] for name in ("heat_current", "load_power", "power"))


# ---------------------------------------------------------------------------------------------------------------------
# Parts and the whole.

DIODE = ThermalizationDiode(ResonantBarrier(-1.0, 1.5), ResonantBarrier(2.0, 2.0))
DOTS = CoulombDots(["D"], [("L", "D"), ("R", "D")], [1.0], [], [[0.02], [0.03]])
PARALLEL = {
    "diode": DIODE,
    "dots": DOTS,
    "bath": PhononBath(("P", "phonons"), 0.1),
    "leak": ThermalConductance(("phonons", "box"), 0.2),
    "load": LoadResistor(("L", "R", "box"), 3.0),
}


def test_terminals_of_the_same_name_are_one():
    device = Combined(PARALLEL)
    assert device.terminals == ("P", "phonons", "L", "R", "box")
    assert device.conductors == (("P", "L", "R"), ("phonons",), ("box",))
    assert device.usual_probes == ("P",)
    assert device.points_together == ThermalizationDiode.points_together
    assert list(device.assumptions) == ["weak_coupling"]
    reservoirs = Reservoirs([0, 0, 0, 0, 0], [1, 1, 0.5, 1, 1])
    np.testing.assert_allclose(device.assumption_values(reservoirs), [0.02 / 0.5], rtol=1e-15)


def test_what_several_parts_have_is_named_after_them():
    device = Combined({"a": DOTS, "b": DOTS})
    assert list(device.assumptions) == ["a_weak_coupling", "b_weak_coupling"]
    assert device.assumption_values(Reservoirs([0, 0], [1, 2])).shape == (2,)


@eqx.filter_jit
def _whole_and_parts(device, reservoirs):
    alone = {}
    for name, part in device.parts.items():
        at = np.array([device.index(terminal) for terminal in part.terminals])
        alone[name] = part.response(Reservoirs(reservoirs.mu[at], reservoirs.T[at]), Effort.FAST)
    return device.response(reservoirs, Effort.FAST), alone


def test_currents_bounds_and_fluxes_add():
    """Parts of three theories; each is asked at the reservoirs of its own terminals."""
    device = Combined(PARALLEL)
    reservoirs = Reservoirs([0.1, 9.0, 0.5, -0.3, 7.0], [1.2, 0.7, 2.0, 1.0, 0.5])
    answer, alone = _whole_and_parts(device, reservoirs)
    sums = {kind: {"particle": np.zeros(5), "energy": np.zeros(5)} for kind in ("value", "error", "one_way")}
    for name, part in PARALLEL.items():
        at = [device.index(terminal) for terminal in part.terminals]
        for kind, both in sums.items():
            for quantity, total in both.items():
                np.add.at(total, at, np.asarray(getattr(getattr(alone[name], kind), quantity)))
    for quantity in ("particle", "energy"):
        scale = sums["one_way"][quantity].max()
        for kind in ("value", "one_way"):
            found = np.asarray(getattr(getattr(answer, kind), quantity))
            np.testing.assert_allclose(found, sums[kind][quantity], rtol=0, atol=1e-14 * scale)
        excess = np.asarray(getattr(answer.error, quantity)) - sums["error"][quantity]
        assert np.all((excess >= 0) & (excess <= 1e-14 * scale))
    assert alone["diode"].value.particle[2] == answer.value.particle[0]  # nothing else exchanges particles with P
    np.testing.assert_array_equal(device.answer_of("leak", reservoirs).value.energy, alone["leak"].value.energy)


def test_work_into_loads_adds():
    two = Combined({"a": LoadResistor(("L", "R", "x"), 2.0), "b": LoadResistor(("R", "Q", "y"), 1.0)})
    assert two.terminals == ("L", "R", "x", "Q", "y")
    assert two.load_power(Reservoirs([3, 1, 0, 0, 0], [1, 1, 1, 1, 1])) == 2**2 / 2 + 1**2


MISTAKES = {
    "'leak' shares no terminal": lambda: Combined(
        {"dots": DOTS, "leak": ThermalConductance(("A", "B"), 1.0), "load": LoadResistor(("L", "R", "box"), 1.0)}
    ),
    "'a' shares no terminal with the others; it has A, B, they have L, R, box": lambda: Combined(
        {"a": ThermalConductance(("A", "B"), 1.0), "dots": DOTS, "load": LoadResistor(("L", "R", "box"), 1.0)}
    ),
    "at least one": lambda: Combined({}),
    "not a good name": lambda: Combined({"my dots": DOTS}),
    "name two": lambda: PhononBath(("P",), 1.0),
    "name three": lambda: LoadResistor(("L", "R"), 1.0),
    "named twice": lambda: ThermalConductance(("L", "L"), 1.0),
    "coupling = -1.0 is not allowed": lambda: PhononBath(("P", "Q"), -1.0),
    "resistance = 0.0 is not allowed": lambda: LoadResistor(("L", "R", "box"), 0.0),
}


@pytest.mark.parametrize("message", MISTAKES)
def test_mistakes(message):
    with pytest.raises(FieldError, match=message):
        MISTAKES[message]()


def test_what_a_combined_device_cannot_do_is_said():
    device = Combined({"dots": DOTS, "leak": ThermalConductance(("L", "R"), 0.1)})
    reservoirs = Reservoirs([0, 0], [1, 1])
    with pytest.raises(ValueError, match="there is no part 'engine'; there are dots, leak"):
        device.answer_of("engine", reservoirs)
    with pytest.raises(ValueError, match="Combined has no scattering matrix"):
        noise(steady_state(device, reservoirs), following=())
    with pytest.raises(ValueError, match="cannot be varied"):
        steady_state(device, reservoirs, [VanishingProbe("R")])
    with pytest.raises(ValueError, match="no regions with a potential"):
        steady_state(device, reservoirs, [Screening(("U1",), mu=0.0, T=1.0)])
    with pytest.raises(ValueError, match="every terminal floats"):
        steady_state(device, reservoirs, [HeatProbe("L"), HeatProbe("R")])


# ---------------------------------------------------------------------------------------------------------------------
# Regions with potentials.


class Grain(HasCoordinates):
    """A grain between L and a gate, with charge N = μ_L − U and current I = U."""

    points_together: ClassVar[int] = 8
    U: Float[Array, ""] = parameter("potential of the grain", gauge=True)
    terminals: tuple[str, ...] = eqx.field(static=True, default=("L", "gate"), init=False)
    conductors: tuple[tuple[str, ...], ...] = eqx.field(static=True, default=(("L", "gate"),), init=False)
    coordinates: ClassVar[tuple[str, ...]] = ("U1",)

    @property
    def q(self):
        return self.U[None]

    def moved_to(self, q):
        return Grain(q[0])

    def response(self, reservoirs, effort=Effort.STRICT):
        current = jnp.stack([self.U, -self.U])
        value = Response(current, jnp.zeros(2), reservoirs.mu[:1] - self.U)
        return Answer(value, jax.tree.map(jnp.zeros_like, value), jax.tree.map(jnp.ones_like, value))

    @property
    def floating_reservoir(self):
        return LogTemperature()

    @classmethod
    def example(cls):
        return cls(0.0)


def test_regions_of_parts_are_regions_of_the_whole():
    """Potentials and charges in the order of the names; each moves its own part."""
    device = Combined({"z": Grain(5.0), "a": Grain(3.0), "leak": ThermalConductance(("L", "gate"), 0.1)})
    assert device.coordinates == ("a_U1", "z_U1")
    np.testing.assert_array_equal(device.q, [3.0, 5.0])
    moved = device.moved_to(jnp.array([0.25, 0.5]))
    np.testing.assert_array_equal(moved.q, [0.25, 0.5])
    assert moved.parts["z"].U == 0.5
    answer = moved.response(Reservoirs([1.0, 0.0], [1.0, 1.0]))
    np.testing.assert_array_equal(answer.value.conjugate, [0.75, 0.5])
    np.testing.assert_array_equal(answer.value.particle, [0.75, -0.75])
    np.testing.assert_array_equal(device.shifted(1.0).q, [4.0, 6.0])
    assert Combined({"one": Grain(5.0), "load": LoadResistor(("L", "gate", "box"), 1.0)}).coordinates == ("U1",)


def test_potentials_of_parts_are_screened_together():
    """Two grains with N_i(U) = N_i(0), and a capacitance C between them: at μ_L, one of them tied to a gate,
    −U_a = C (U_a − U_z) + ..., with μ_L − U_i the charges."""
    device = Combined({"a": Grain(0.0), "z": Grain(0.0)})
    C, C_gate, mu, U_gate = 0.7, 0.4, 0.3, 1.2
    screening = Screening(
        ("z_U1", "a_U1"),
        mu=0.0,
        T=1.0,
        capacitance=[[0, C], [C, 0]],
        gates=("G",),
        gate_capacitance=[[0], [C_gate]],
        gate_potential=[U_gate],
    )
    state = steady_state(device, Reservoirs([mu, 0], [1, 1]), [screening], effort=Effort.FAST)
    U_a, U_z = state.q
    assert float(mu - U_z - C * (U_z - U_a)) == pytest.approx(0, abs=1e-14)
    assert float(mu - U_a - C * (U_a - U_z) - C_gate * (U_a - U_gate)) == pytest.approx(0, abs=1e-14)
    assert U_a > U_z > mu


@pytest.mark.slow
def test_screening_does_not_see_a_leak_between_reservoirs():
    """The potentials are those without it; the heat is that of both."""
    device = Combined({"conductor": DoubleBarrier.example(), "leak": ThermalConductance(("L", "R"), 0.05)})
    reservoirs = Reservoirs([0.3, 0, 0], [2, 1, 1])
    screening = Screening(("U1", "U2", "U3"), mu=0.0, T=1.0)
    whole = steady_state(device, reservoirs, [screening], effort=Effort.STRICT)
    alone = steady_state(device.parts["conductor"], reservoirs, [screening], effort=Effort.STRICT)
    np.testing.assert_allclose(whole.q, alone.q, rtol=0, atol=1e-8)
    leaked = np.array([0.05, -0.05, 0.0])
    np.testing.assert_allclose(heat_current(whole) - heat_current(alone), leaked, rtol=0, atol=1e-8)
    assert np.all(audit(whole).holds)
