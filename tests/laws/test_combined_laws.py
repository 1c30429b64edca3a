"""The laws on random devices that share terminals: an engine whose probe heats phonons, with a load and a leak.

Nothing in a law is excepted for them: phonons, surroundings and loads are terminals and parts like others.
"""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from hypothesis import given, settings
from strategies import LAW, on_grid, seeds, shifts

from mesotherm import (
    OBSERVABLES,
    Effort,
    Outcome,
    Reservoirs,
    ResonantBarrier,
    ThermalizationDiode,
    ThermalizingProbe,
    VoltageProbe,
    audit,
    steady_state,
)
from mesotherm.devices.combined import Combined
from mesotherm.devices.heat_leaks import PhononBath, ThermalConductance
from mesotherm.devices.load_resistor import LoadResistor

TERMINALS = ("box", "R", "L", "phonons", "P")
"""In the order of the parts' names."""

BOX, R, L, PHONONS, P = range(5)
FLOATING = ThermalizingProbe("P"), VoltageProbe("L")
BATCH = 16
ROUNDING = 1e-12
"""Of the largest one-way flux."""

FEW = settings(deadline=None, derandomize=True, max_examples=3, database=None)


def combined(row) -> Combined:
    """Of the numbers of one problem."""
    left, right = (ResonantBarrier(row["level"][i], row["half_width"][i]) for i in (0, 1))
    small = row["small"]
    return Combined(
        {
            "a_leak": ThermalConductance(("box", "R"), small[0]),
            "b_load": LoadResistor(("L", "R", "box"), 1 / small[1]),
            "c_bath": PhononBath(("phonons", "P"), small[2]),
            "diode": ThermalizationDiode(left, right),
        }
    )


def draw(seed) -> dict[str, np.ndarray]:
    """Wide resonances, conductances over four decades, one mu for all that is given (L and P float)."""
    rng = np.random.default_rng(seed)
    T = np.exp(rng.uniform(np.log(0.5), np.log(2.0), (BATCH, 5)))
    return {
        "level": on_grid(rng.uniform(-3, 3, (BATCH, 2))),
        "half_width": rng.uniform(1.5, 4.0, (BATCH, 2)),
        "small": 10 ** rng.uniform(-3, 1, (BATCH, 3)),
        "mu": on_grid(rng.uniform(-2, 2, (BATCH, 5))),
        "T": np.where(rng.random((BATCH, 1)) < 0.2, T[:, :1], T),
        "shift": np.zeros(BATCH),
    }


@dataclasses.dataclass(frozen=True)
class Solved:
    """Numbers of solved states, one row per problem."""

    particle: np.ndarray
    energy: np.ndarray
    mu: np.ndarray
    T: np.ndarray
    one_way: np.ndarray
    one_way_heat: np.ndarray
    load_power: np.ndarray
    outcome: np.ndarray
    holds: np.ndarray

    @property
    def heat(self):
        return self.energy - self.mu * self.particle


@jax.jit
def _solved(rows):
    def one(row):
        device, reservoirs = combined(row).shifted(row["shift"]), Reservoirs(row["mu"], row["T"]).shifted(row["shift"])
        state = steady_state(device, reservoirs, FLOATING, effort=Effort.FAST, throw=False)
        return {
            "particle": state.currents.particle,
            "energy": state.currents.energy,
            "mu": state.reservoirs.mu,
            "T": state.reservoirs.T,
            "one_way": jnp.max(state.one_way.particle),
            "one_way_heat": jnp.max(state.one_way.energy),
            "load_power": OBSERVABLES["load_power"](state),
            "outcome": state.outcome,
            "holds": audit(state).holds,
        }

    return jax.lax.map(one, rows)


def solved(rows) -> Solved:
    return Solved(**{name: np.asarray(x) for name, x in _solved(jax.tree.map(jnp.asarray, rows)).items()})


def converged(rows) -> Solved:
    states = solved(rows)
    good = states.outcome == Outcome.CONVERGED
    assert good.mean() >= 0.8
    return Solved(**{f.name: getattr(states, f.name)[good] for f in dataclasses.fields(states)})


def test_parts_share_terminals():
    device = combined({name: values[0] for name, values in draw(0).items()})
    assert device.terminals == TERMINALS
    assert device.conductors == (("box",), ("R", "L", "P"), ("phonons",))


@FEW
@given(seed=seeds)
def test_conservation(seed):
    """Particles in the conductor and nowhere else; energy with the phonons' and the surroundings' heat counted."""
    states = converged(draw(seed))
    scale = states.one_way_heat + abs(states.mu).max(1) * states.one_way
    assert np.all(abs(states.particle.sum(1)) <= ROUNDING * states.one_way)
    assert np.all(states.particle[:, [BOX, PHONONS]] == 0)
    assert np.all(abs(states.energy.sum(1)) <= ROUNDING * scale)
    assert np.all(abs(states.particle[:, [L, P]]) <= ROUNDING * states.one_way[:, None])
    assert np.all(abs(states.heat[:, P]) <= ROUNDING * scale)


@FEW
@given(seed=seeds)
def test_second_law(seed):
    states = converged(draw(seed))
    produced = -np.sum(states.heat / states.T, axis=1)
    assert np.all(produced >= -ROUNDING * states.one_way_heat / states.T.min(1))
    assert np.any(produced > 0.01)


@FEW
@given(seed=seeds)
def test_power_of_the_load_is_what_heat_there_is_to_spare(seed):
    """No reservoir does work on a closed circuit: the load's power is the heat taken from L, R and the phonons."""
    states, scale = converged(draw(seed)), 1e-9
    others = states.heat.sum(1) - states.heat[:, BOX]
    leaked = states.heat[:, BOX] + states.load_power  # from the surroundings to R
    assert np.all(states.load_power >= 0)
    np.testing.assert_allclose(states.load_power, others + leaked, rtol=0, atol=scale * states.one_way_heat.max())
    hottest, coldest = states.T[:, [R, L, PHONONS]].max(1), states.T.min(1)
    heat_in = np.maximum(states.heat, 0).sum(1)
    assert np.all(states.load_power <= (1 - coldest / hottest) * heat_in + scale * states.one_way_heat)


@FEW
@given(seed=seeds)
def test_no_current_at_equilibrium(seed):
    """What floats ends up at the mu of R and the temperature of all; mu of phonons and surroundings plays no part."""
    rows = draw(seed)
    rows["T"] = rows["T"] * 0 + rows["T"][:, :1]
    states = solved(rows)
    assert np.all(states.outcome == Outcome.CONVERGED)
    assert np.all(abs(states.particle) <= ROUNDING * states.one_way[:, None])
    assert np.all(abs(states.heat) <= ROUNDING * states.one_way_heat[:, None])
    np.testing.assert_allclose(states.T, rows["T"], rtol=1e-9)
    np.testing.assert_allclose(states.mu[:, [L, P]], states.mu[:, [R, R]], rtol=0, atol=1e-9)


@FEW
@given(seed=seeds)
def test_zero_of_energy_is_arbitrary(seed):
    rows = draw(seed)
    shift = shifts(np.random.default_rng(seed), rows["T"])
    here, there = solved(rows), solved(rows | {"shift": shift})
    good = (here.outcome == Outcome.CONVERGED) & np.isin(there.outcome, [Outcome.CONVERGED, Outcome.TOLERANCE_MISSED])
    assert good.mean() >= 0.8
    change = abs(there.heat - here.heat) / here.one_way_heat[:, None]
    assert np.all(
        change[good] <= ROUNDING * (1 + abs(shift[good, None]) * (here.one_way / here.one_way_heat)[good, None])
    )
    change = abs(there.particle - here.particle) / here.one_way[:, None]
    assert np.all(change[good] <= ROUNDING)
    assert np.all(abs(there.mu - shift[:, None] - here.mu)[good] <= 1e-9)
    lawful = [position for name, position in LAW.items() if name != "error_bound"]
    assert np.all(there.holds[good][:, lawful])


@FEW
@given(seed=seeds)
def test_audit_holds(seed):
    states = converged(draw(seed))
    for name, position in LAW.items():
        assert np.all(states.holds[:, position]), name


WITH_PARTICLES = (R, L, P)


@jax.jit
def _linear_response(rows):
    """Matrix of fluxes (I of the conductor's terminals, J of all) by forces (dμ/T, dT/T²) about equilibrium."""

    def one(row):
        mu, T, device, at = row["mu"][R], row["T"][R], combined(row), jnp.array(WITH_PARTICLES)

        def fluxes(forces):
            moved = Reservoirs(jnp.full(5, mu).at[at].add(T * forces[:3]), T + T**2 * forces[3:])
            value = device.response(moved, Effort.FAST).value
            return jnp.append(value.particle[at], value.energy - moved.mu * value.particle)

        return jax.jacfwd(fluxes)(jnp.zeros(8))

    return jax.vmap(one)(rows)


def test_onsager_symmetry():
    """Reciprocity of the whole, thermoelectric effects included; no forces dissipate less than nothing; equal
    temperatures and equal electrochemical potentials drive nothing."""
    matrices = np.asarray(_linear_response(jax.tree.map(jnp.asarray, draw(1))))
    assert matrices.shape == (BATCH, 8, 8)
    scale = abs(matrices).max((1, 2), keepdims=True)
    assert np.all(abs(matrices - np.swapaxes(matrices, 1, 2)) <= 1e-12 * scale)
    assert np.all(np.linalg.eigvalsh(matrices) >= -1e-12 * scale[:, 0])
    thermoelectric = matrices[:, 2, 3 + L]
    assert np.all(abs(thermoelectric) > 1e-4)
    assert np.all(matrices[:, 3 + P, 3 + PHONONS] < 0)
    assert np.all(abs(matrices[:, :, :3].sum(2)) <= 1e-12 * scale[:, 0])
    assert np.all(abs(matrices[:, :, 3:].sum(2)) <= 1e-12 * scale[:, 0])
