"""Laws and limits of a double barrier, screened or not, with a probe of any strength in its cavity."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conductors import WithoutClosedForms
from strategies import LAW, on_grid

from mesotherm import (
    Effort,
    Outcome,
    Reservoirs,
    ResonantBarrier,
    Screening,
    ThermalizationDiode,
    ThermalizingProbe,
    audit,
    steady_state,
)
from mesotherm.devices.double_barrier import DoubleBarrier
from mesotherm.engines.scattering import AbstractScatterer

BOTTOM = -40.0
ALL = ("U1", "U2", "U3")
ENDS = ("U1", "U3")
"""Where the whole cavity thermalizes it is part of the reservoir P, and need not be screened."""

ROUNDING = 1e-12
"""Of the largest one-way flux."""

SHARE = 0.75
"""Of random problems that plain Newton steps must solve."""

SIZE = 16
"""Random problems at a time."""

FEWEST = 5
"""Of them that must be solved for the laws to be tested at all."""


def device(row) -> DoubleBarrier:
    (level_1, level_3), (half_width_1, half_width_3) = row["level"], row["half_width"]
    return DoubleBarrier(
        level_1, level_3, half_width_1, half_width_3, BOTTOM, 1.0, row["strength"], row["position"], row["potential"]
    )


def screening(row, regions) -> Screening:
    """Each region with a gate of its own."""
    kept = jnp.array([ALL.index(region) for region in regions])
    return Screening(
        regions,
        mu=0.0,
        T=1.0,
        capacitance=row["capacitance"][kept][:, kept],
        gates=ALL,
        gate_capacitance=jnp.diag(row["gate_capacitance"])[kept],
        gate_potential=row["gate_potential"],
    )


def draw(seed, strength=None, size=SIZE) -> dict[str, np.ndarray]:
    """Neutral regions, random levels, widths, temperatures and biases."""
    rng = np.random.default_rng(seed)
    return {
        "level": on_grid(rng.uniform(-6, 8, (size, 2))),
        "half_width": 10 ** rng.uniform(-1, 0.5, (size, 2)),
        "strength": np.full(size, 0.0 if strength is None else strength),
        "position": rng.uniform(0, 1, size),
        "potential": np.zeros((size, 3)),
        "mu": on_grid(rng.uniform(-1, 1, (size, 3))),
        "T": rng.uniform(0.5, 3.0, (size, 3)),
        "capacitance": np.zeros((size, 3, 3)),
        "gate_capacitance": np.zeros((size, 3)),
        "gate_potential": np.zeros((size, 3)),
        "shift": np.zeros(size),
    }


@dataclasses.dataclass(frozen=True)
class Solved:
    """Numbers of solved states, one row per problem."""

    particle: np.ndarray
    energy: np.ndarray
    charge: np.ndarray
    q: np.ndarray
    mu: np.ndarray
    T: np.ndarray
    one_way: np.ndarray
    one_way_heat: np.ndarray
    particle_error: np.ndarray
    q_error: np.ndarray
    outcome: np.ndarray
    violation: np.ndarray

    @property
    def heat(self):
        return self.energy - self.mu * self.particle

    @property
    def converged(self):
        return self.outcome == Outcome.CONVERGED

    def __getitem__(self, rows):
        return Solved(**{f.name: getattr(self, f.name)[rows] for f in dataclasses.fields(self)})


def numbers(state) -> dict:
    return {
        "particle": state.currents.particle,
        "energy": state.currents.energy,
        "charge": state.currents.conjugate,
        "q": state.q,
        "mu": state.reservoirs.mu,
        "T": state.reservoirs.T,
        "one_way": jnp.max(state.one_way.particle),
        "one_way_heat": jnp.max(state.one_way.energy),
        "particle_error": state.error.particle,
        "q_error": state.q_error,
        "outcome": state.outcome,
        "violation": audit(state).violation,
    }


@functools.cache
def _solver(regions, probed, wrapped=device):
    """Compiled once for a structure."""

    def one(row):
        unknowns = (screening(row, regions).shifted(row["shift"]),) if regions else ()
        unknowns += (ThermalizingProbe("P"),) if probed else ()
        here, reservoirs = wrapped(row).shifted(row["shift"]), Reservoirs(row["mu"], row["T"]).shifted(row["shift"])
        return numbers(steady_state(here, reservoirs, unknowns, effort=Effort.STRICT, throw=False))

    return jax.jit(lambda rows: jax.lax.map(one, rows))


def solved(rows, regions=ALL, probed=True, wrapped=device) -> Solved:
    """``SIZE`` problems at most; always as many go through the compiled function."""
    size = len(rows["mu"])
    filled = {
        name: jnp.asarray(np.concatenate([x, np.repeat(x[-1:], SIZE - size, axis=0)])) for name, x in rows.items()
    }
    found = _solver(regions, probed, wrapped)(filled)
    return Solved(**{name: np.asarray(x)[:size] for name, x in found.items()})


def many(row, count, **changes):
    """``count`` copies of one problem with some numbers changed."""
    copies = {name: np.repeat(np.asarray(x)[None], count, axis=0) for name, x in row.items()}
    return copies | {name: np.asarray(x, float) for name, x in changes.items()}


def first(rows):
    return {name: x[0] for name, x in rows.items()}


STAR = first(draw(0)) | {
    "level": np.array([6.66128734608, 8.2]),
    "half_width": np.ones(2),
    "strength": np.array(0.5),
    "position": np.array(0.5),
    "mu": np.array([0.25, 0.0, 0.0]),
    "T": np.array([2.0, 1.0, 1.0]),
}
"""The rectifier of Fig. 3 of Balduque & Sánchez, PRL 134, 186301 (2025), with a probe and a small bias."""

# ---------------------------------------------------------------------------------------------------------------------
# The laws.

SLOW = pytest.mark.slow
CASES = [
    pytest.param(0.0, (), False, id="0, unscreened"),
    pytest.param(0.0, ALL, False, id="0, screened"),
    pytest.param(0.5, (), True, id="0.5, unscreened", marks=SLOW),
    pytest.param(1.0, (), True, id="1.0, unscreened", marks=SLOW),
    pytest.param(0.25, ALL, True, id="0.25, screened", marks=SLOW),
    *(pytest.param(strength, (), True, id=f"{strength}, unscreened", marks=SLOW) for strength in (0.25, 0.75)),
    *(pytest.param(strength, ALL, True, id=f"{strength}, screened", marks=SLOW) for strength in (0.5, 0.75, 1.0)),
    pytest.param(1.0, ENDS, True, id="1.0, ends screened", marks=SLOW),
]
each_case = pytest.mark.parametrize(("strength", "regions", "probed"), CASES)


@each_case
def test_laws(strength, regions, probed):
    """Conservation, the second law, the audit."""
    states = solved(draw(1, strength), regions, probed)
    states = states[states.converged]
    assert len(states.particle) >= FEWEST
    for name, position in LAW.items():
        assert np.all(states.violation[:, position] <= 1), name
    scale = states.one_way_heat + abs(states.mu).max(1) * states.one_way
    assert np.all(abs(states.particle.sum(1)) <= ROUNDING * states.one_way)
    assert np.all(abs(states.energy.sum(1)) <= ROUNDING * scale)
    produced = -np.sum(states.heat / states.T, axis=1)
    assert np.all(produced >= -ROUNDING * states.one_way_heat / states.T.min(1))
    assert np.any(produced > 1e-3)
    if regions:
        assert np.any(abs(states.q) > 0.1)


@each_case
def test_nothing_flows_at_equilibrium(strength, regions, probed):
    """Neither where the screening counts from, with U = 0, nor at other mu and T, where U is another."""
    rows = draw(2, strength)
    rows["mu"], rows["T"] = rows["mu"] * 0 + rows["mu"][:, :1], rows["T"] * 0 + rows["T"][:, :1]
    rows["mu"][: SIZE // 2], rows["T"][: SIZE // 2] = 0.0, 1.0
    states = solved(rows, regions, probed)
    good = states[states.converged]
    assert len(good.particle) >= FEWEST
    assert np.all(abs(good.particle) <= ROUNDING * good.one_way[:, None])
    assert np.all(abs(good.heat) <= ROUNDING * good.one_way_heat[:, None])
    np.testing.assert_allclose(states.q[: SIZE // 2], 0, atol=1e-10)
    if probed:
        np.testing.assert_allclose(good.T, rows["T"][states.converged], rtol=1e-9)
        np.testing.assert_allclose(good.mu, rows["mu"][states.converged], rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("strength", "regions", "probed"),
    [
        (0.0, (), False),
        (0.0, ALL, False),
        (0.25, (), True),
        pytest.param(0.5, (), True, marks=pytest.mark.slow),
        (1.0, (), True),
        pytest.param(0.25, ALL, True, marks=pytest.mark.slow),
        *(pytest.param(strength, ALL, True, marks=pytest.mark.slow) for strength in (0.5, 0.75, 1.0)),
        pytest.param(0.75, (), True, marks=pytest.mark.slow),
    ],
)
def test_most_problems_are_solved(strength, regions, probed):
    """All of them at given potentials."""
    states = solved(draw(1, strength), regions, probed)
    assert states.converged.mean() >= (SHARE if regions else 1.0)


@pytest.mark.slow
def test_zero_of_energy_is_arbitrary():
    """Levels, cavity, reservoirs and what the screening counts from move together, beside gates: currents and
    potentials stay."""
    rng = np.random.default_rng(3)
    rows = draw(3, 0.4)
    rows["gate_capacitance"], rows["gate_potential"] = rng.uniform(0, 1, (SIZE, 3)), rng.uniform(-1, 1, (SIZE, 3))
    shift = on_grid(rng.uniform(-30, 30, SIZE))
    here, there = solved(rows), solved(rows | {"shift": shift})
    good = here.converged & np.isin(there.outcome, [Outcome.CONVERGED, Outcome.TOLERANCE_MISSED])
    assert good.mean() >= SHARE
    here, there, shift = here[good], there[good], shift[good]
    np.testing.assert_allclose(there.q, here.q, rtol=0, atol=1e-11)
    assert np.all(abs(there.particle - here.particle) <= 1e-11 * here.one_way[:, None])
    assert np.all(abs(there.heat - here.heat) <= 1e-11 * here.one_way_heat[:, None])
    np.testing.assert_allclose(there.mu - shift[:, None], here.mu, rtol=0, atol=1e-9)


# ---------------------------------------------------------------------------------------------------------------------
# Limits of the probe's strength.


@pytest.mark.parametrize("regions", [(), pytest.param(ALL, marks=pytest.mark.slow)])
def test_a_weak_probe_is_none(regions):
    """Everything at λ → 0 goes to what it is without a probe, as λ."""
    strengths = np.array([1e-4, 1e-5, 1e-6, 1e-11])
    weak = solved(many(STAR, 4, strength=strengths), regions)
    none = solved(many(STAR, 1, strength=[0.0]), regions, probed=False)
    assert np.all(weak.converged)
    assert np.all(none.converged)
    for name in ("q", "particle", "energy"):
        far = abs(getattr(weak, name) - getattr(none, name))[:, :2].max(1)
        assert far[3] <= 1e-9, name
        if regions or name != "q":
            assert far[1] / far[2] == pytest.approx(10, rel=0.01), name
            assert far[0] / far[1] == pytest.approx(10, rel=0.1), name


@pytest.mark.parametrize("regions", [(), pytest.param(ALL, marks=pytest.mark.slow)])
def test_a_strong_probe_takes_all(regions):
    """Everything at λ → 1 goes to what it is at λ = 1, as 1 − λ."""
    kept = np.array([1e-3, 1e-4, 1e-5, 2.0**-36, 0.0])
    states = solved(many(STAR, 5, strength=1 - kept), regions)
    assert np.all(states.converged)
    for name in ("q", "particle", "energy", "mu", "T"):
        value = getattr(states, name)
        far = abs(value - value[4]).max(1)
        assert far[3] <= 1e-9, name
        if regions or name != "q":
            assert far[1] / far[2] == pytest.approx(10, rel=0.01), name
            assert far[0] / far[1] == pytest.approx(10, rel=0.1), name


def test_two_barriers_in_series():
    """λ = 1 without screening is the thermalization diode, its band bottom the cavity's."""

    def diode(row):
        (level_1, level_3), (half_width_1, half_width_3) = row["level"], row["half_width"]
        barriers = ResonantBarrier(level_1, half_width_1), ResonantBarrier(level_3, half_width_3)
        return ThermalizationDiode(*barriers, band_bottom=BOTTOM)

    def one(row):
        state = steady_state(
            diode(row), Reservoirs(row["mu"], row["T"]), [ThermalizingProbe("P")], effort=Effort.STRICT, throw=False
        )
        return state.currents.particle, state.currents.energy, state.reservoirs.mu, state.reservoirs.T, state.outcome

    rows = draw(4, 1.0)
    expected = jax.jit(lambda rows: jax.lax.map(one, rows))(jax.tree.map(jnp.asarray, rows))
    found = solved(rows, ())
    good = found.converged & (np.asarray(expected[4]) == Outcome.CONVERGED)
    assert good.sum() >= FEWEST
    for name, value in zip(("particle", "energy", "mu", "T"), expected, strict=False):
        np.testing.assert_allclose(getattr(found, name)[good], value[good], rtol=0, atol=1e-9, err_msg=name)


def test_coherent_conductors_do_not_rectify_at_fixed_potentials():
    """λ = 0, U given: exchanging the reservoirs of L and R turns both currents round."""
    rows = draw(5)
    rows["potential"] = np.random.default_rng(5).uniform(-1, 1, (SIZE, 3))
    forward, backward = (
        solved(rows | {name: rows[name][:, order] for name in ("mu", "T")}, (), probed=False)
        for order in ([0, 1, 2], [1, 0, 2])
    )
    assert np.all(abs(forward.particle + backward.particle) <= 1e-13 * forward.one_way[:, None])
    energy_flux = forward.one_way_heat + abs(forward.mu).max(1) * forward.one_way
    assert np.all(abs(forward.energy + backward.energy) <= 1e-13 * energy_flux[:, None])
    assert np.all(abs(forward.particle[:, 0]) > 1e-6)


# ---------------------------------------------------------------------------------------------------------------------
# Capacitances.


@pytest.mark.slow
def test_a_large_capacitance_holds_the_potential():
    """U goes to the potentials of the gates as 1/C; currents go to those at fixed U."""
    gates = np.array([0.3, -0.2, 0.5])
    capacitances = np.array([1e4, 1e5, 1e12])
    rows = many(STAR, 3, gate_capacitance=np.repeat(capacitances[:, None], 3, 1), gate_potential=np.tile(gates, (3, 1)))
    gated, fixed = solved(rows), solved(many(STAR, 1, potential=[gates]), ())
    assert np.all(gated.converged)
    assert np.all(fixed.converged)
    far = abs(gated.q - gates).max(1)
    assert far[0] / far[1] == pytest.approx(10, rel=0.01)
    assert far[2] <= 1e-11
    np.testing.assert_allclose(gated.particle[2], fixed.particle[0], rtol=0, atol=1e-11)
    np.testing.assert_allclose(gated.heat[2], fixed.heat[0], rtol=0, atol=1e-11)


def test_between_neutral_and_held():
    """The balance written out, C from none to large; neutrality is approached as C."""
    rng = np.random.default_rng(6)
    factor = np.array([1e-12, 1e-5, 1e-4, 0.01, 0.1, 1.0, 0.0])[:, None]
    mutual, gates, potential = rng.uniform(0, 1, (3, 3)), rng.uniform(0, 1, 3), rng.uniform(-1, 1, 3)
    mutual = mutual + mutual.T
    rows = many(
        STAR,
        7,
        capacitance=factor[:, :, None] * mutual,
        gate_capacitance=factor * gates,
        gate_potential=np.tile(potential, (7, 1)),
    )
    states = solved(rows)
    assert np.all(states.converged)
    equilibrium = solved(many(STAR, 1, mu=[np.zeros(3)], T=[np.ones(3)]), ())
    excess = states.charge - equilibrium.charge
    between = np.sum(mutual * (states.q[:, :, None] - states.q[:, None, :]), axis=2)
    stored = factor * (between + gates * (states.q - potential))
    np.testing.assert_allclose(excess, stored, rtol=0, atol=1e-9)
    assert np.all(abs(stored[5]) > 1e-3)
    far = abs(states.q - states.q[6]).max(1)
    assert far[0] <= 1e-9
    assert far[2] / far[1] == pytest.approx(10, rel=0.01)
    assert far[5] > 1e-3


# ---------------------------------------------------------------------------------------------------------------------
# A conductor of which S alone is known.


class WithoutPoles(WithoutClosedForms):
    """A double barrier whose poles are searched for."""

    poles = AbstractScatterer.poles

    def moved_to(self, q):
        return WithoutPoles(self.inner.moved_to(q))


def blind(row):
    return WithoutPoles(device(row))


def plain(row):
    return WithoutClosedForms(device(row))


@pytest.mark.slow
@pytest.mark.parametrize(("strengths", "probed"), [([0.1, 0.5, 1.0], True), ([0.0], False)])
@pytest.mark.parametrize("wrapped", [plain, blind])
def test_closed_forms_and_poles_change_no_potential(wrapped, strengths, probed):
    """The same solver with S alone, its poles told or searched for: the same U, and error bounds that hold."""
    rows = many(STAR, len(strengths), strength=strengths)
    closed, other = (solved(rows, probed=probed, wrapped=kind) for kind in (device, wrapped))
    assert np.all(closed.converged)
    assert np.all(other.converged)
    np.testing.assert_allclose(other.q, closed.q, rtol=0, atol=1e-9)
    assert np.all(abs(other.q - closed.q) <= closed.q_error + other.q_error)
    assert np.all(abs(other.particle - closed.particle) <= closed.particle_error + other.particle_error)


@pytest.mark.slow
@pytest.mark.parametrize("narrowest", [0.03, 1e-3])
def test_bounds_where_poles_are_searched_for(narrowest):
    """Of currents and charges at given potentials."""
    rows = draw(7, 0.3)
    rows["half_width"] = np.geomspace(narrowest, 1, 2 * SIZE).reshape(2, SIZE).T
    known, unknown = _with_and_without_poles(jax.tree.map(jnp.asarray, rows))
    for name in ("particle", "conjugate"):
        far = abs(getattr(known.value, name) - getattr(unknown.value, name))
        assert np.all(getattr(known.error, name) <= 1e-9), name
        assert np.all(getattr(unknown.error, name) <= 1e-9), name
        assert np.all(far <= getattr(known.error, name) + getattr(unknown.error, name)), name


@jax.jit
def _with_and_without_poles(rows):
    def both(row):
        reservoirs = Reservoirs(row["mu"], row["T"])
        return tuple(kind(row).response(reservoirs, Effort.STRICT) for kind in (device, blind))

    return jax.lax.map(both, rows)
