"""The laws on random problems of every shape: conservation, the second law, equilibrium, the zero of energy, the audit.

Nothing here uses an error bound: the laws hold to rounding, whatever the bounds are.
"""

import equinox as eqx
import numpy as np
import pytest
from hypothesis import given
from strategies import BUCKETS, LAW, REPRODUCIBLE, seeds, shifts

from mesotherm import (
    LAWS,
    CoulombDots,
    Outcome,
    Reservoirs,
    ResonantBarrier,
    ThermalizationDiode,
    ThermalizingProbe,
    TwoTerminalConductor,
    audit,
    force_flux_pairs,
    quantum_dot_thermocouple,
    steady_state,
)
from mesotherm.thermodynamics import force_flux_identity

ROUNDING = 1e-12
"""Of the largest one-way flux."""


QUICK = "resonant-resonant, ThermalizingProbe"
"""The diode with a probe among the quick tests. Dots, bare diodes and lattices all are, ribbons and mobile dots not."""


def buckets():
    for bucket in BUCKETS:
        probed = ("-" in bucket.name or "lattice" in bucket.name) and "Probe" in bucket.name
        slow = (probed and bucket.name != QUICK) or bucket.name.startswith(("mobile", "ribbon"))
        yield pytest.param(bucket, id=bucket.name, marks=pytest.mark.slow if slow else ())


@pytest.fixture(scope="module", params=buckets())
def bucket(request):
    return request.param


def solved(bucket, seed):
    """The states of random problems that converged: most of them."""
    states = bucket.solve(bucket.batch(seed))
    assert np.mean(states.converged) >= (0.8 if bucket.unknowns else 1.0)
    return states[states.converged]


@REPRODUCIBLE
@given(seed=seeds)
def test_conservation(bucket, seed):
    states = solved(bucket, seed)
    terminals = bucket.build({name: x[0] for name, x in bucket.batch(seed).items()})
    for conductor in terminals.conductors:
        members = [terminals.index(name) for name in conductor]
        assert np.all(abs(states.particle[:, members].sum(1)) <= ROUNDING * states.one_way)
    scale = states.one_way_heat + abs(states.mu).max(1) * states.one_way
    assert np.all(abs(states.energy.sum(1)) <= ROUNDING * scale)


@REPRODUCIBLE
@given(seed=seeds)
def test_second_law(bucket, seed):
    states = solved(bucket, seed)
    produced = -np.sum(states.heat / states.T, axis=1)
    assert np.all(produced >= -ROUNDING * states.one_way_heat / states.T.min(1))
    assert np.any(produced > 0)


@REPRODUCIBLE
@given(seed=seeds)
def test_no_current_at_equilibrium(bucket, seed):
    """A floating reservoir ends up at the mu and T of the others, wherever its first guess would have been."""
    rows = bucket.batch(seed)
    rows["mu"], rows["T"] = rows["mu"] * 0 + rows["mu"][:, :1], rows["T"] * 0 + rows["T"][:, :1]
    states = bucket.solve(rows)
    assert np.all(states.converged)
    assert np.all(abs(states.particle) <= ROUNDING * states.one_way[:, None])
    assert np.all(abs(states.heat) <= ROUNDING * states.one_way_heat[:, None])
    np.testing.assert_allclose(states.T, rows["T"], rtol=1e-9)
    np.testing.assert_allclose(states.mu, rows["mu"], rtol=0, atol=1e-9 * rows["T"].max())


@REPRODUCIBLE
@given(seed=seeds)
def test_zero_of_energy_is_arbitrary(bucket, seed):
    """Levels, electrochemical potentials and band bottoms move together by up to 100 kT; currents do not change. (The
    bound on a floating reservoir's heat does grow with its distance from zero, so that a tolerance may be missed.)"""
    rows = bucket.batch(seed)
    shift = shifts(np.random.default_rng(seed), rows["T"])
    here, there = bucket.solve(rows), bucket.solve(rows, shift)
    found = here.converged & np.isin(there.outcome, [Outcome.CONVERGED, Outcome.TOLERANCE_MISSED])
    assert np.mean(found) >= (0.8 if bucket.unknowns else 1.0)  # a search without success, here or there, says so
    here, there, shift = (x[found] for x in (here, there, shift))
    assert np.all(abs(there.particle - here.particle) <= ROUNDING * here.one_way[:, None])
    assert np.all(abs(there.heat - here.heat) <= ROUNDING * here.one_way_heat[:, None])
    assert np.all(abs(there.mu - shift[:, None] - here.mu) <= 1e-9 * here.T)


@REPRODUCIBLE
@given(seed=seeds)
def test_audit_holds(bucket, seed):
    states = solved(bucket, seed)
    for name, position in LAW.items():
        assert np.all(states.holds[:, position]), name


# ---------------------------------------------------------------------------------------------------------------------
# The audit can fail: each law, and no other, is broken by a state that breaks it. Carnot's bound takes the second law,
# from which it follows, with it.


def _add(current, *amounts):
    """Add to entries of a current, as fractions of the largest one-way particle flux."""

    def tampered(state):
        moved = current(state)
        for terminal, fraction in amounts:
            moved = moved.at[state.device.index(terminal)].add(fraction * state.one_way.particle.max())
        return eqx.tree_at(current, state, moved)

    return tampered


def _particle(state):
    return state.currents.particle


def _energy(state):
    return state.currents.energy


def _heat_runs_uphill(state):
    """From the coldest terminal to the hottest, a hundred times more than anything flows."""
    cold, hot = np.argmin(state.reservoirs.T), np.argmax(state.reservoirs.T)
    much = 100 * state.one_way.energy.max()
    return eqx.tree_at(_energy, state, _energy(state).at[np.array([cold, hot])].add(much * np.array([1, -1])))


TAMPERED = {
    "particle_conservation": _add(_particle, ("L", 1e-7)),
    "energy_conservation": _add(_energy, ("L", -1e-7)),
    "second_law": _heat_runs_uphill,
    "carnot_bound": _add(_particle, ("R", -10.0), ("L", 10.0)),
    "balance_of_floating_terminals": _add(_particle, ("P", 1e-7), ("L", -1e-7)),
    "error_bound": _add(lambda state: state.error.particle, ("L", 1e-8)),
}


@pytest.fixture(scope="module", params=[ThermalizationDiode, CoulombDots])
def honest_state(request):
    """A state out of equilibrium of either device, with mu_L = 0."""
    if request.param is ThermalizationDiode:
        device, reservoirs = ThermalizationDiode.example(), Reservoirs([0, 0.5, 0], [2, 1, 1])
    else:
        device, reservoirs = quantum_dot_thermocouple(rate_P=0.5), Reservoirs([0, 2, 0, 0, 0], [8, 8, 16, 4, 8])
    return steady_state(device, reservoirs, [ThermalizingProbe("P")])


def test_every_law_is_broken_once():
    """The charge balance where there are charges, in the tests of the screened double barrier."""
    assert {*TAMPERED, "charge_balance", "power_of_open_channels"} == set(LAWS)


def test_audit_fails_where_a_conductor_produces_too_much_power():
    """A thousand times the currents of an engine: efficient enough, and nothing else is wrong."""
    device, reservoirs = TwoTerminalConductor(ResonantBarrier(1.0, 0.1)), Reservoirs([-0.5, 0.0], [2.0, 1.0])
    honest = steady_state(device, reservoirs)
    assert np.all(audit(honest).holds)
    assert honest.currents.particle[0] > 0
    tampered = eqx.tree_at(
        lambda state: (_particle(state), _energy(state)), honest, (1e3 * _particle(honest), 1e3 * _energy(honest))
    )
    assert _broken(tampered) == {"power_of_open_channels"}


def _broken(state):
    checked = audit(state)
    return {name for name, holds in zip(checked.laws, checked.holds, strict=True) if not holds}


@pytest.mark.parametrize("law", TAMPERED)
def test_audit_fails_where_a_law_is_broken(honest_state, law):
    assert np.all(audit(honest_state).holds)
    tampered = TAMPERED[law](honest_state)
    assert _broken(tampered) == {law} | ({"second_law"} if law == "carnot_bound" else set())
    assert audit(tampered).violation[LAW[law]] > 1


def test_forces_times_fluxes_miss_the_entropy_production_where_energy_is_lost(honest_state):
    def violated(state):
        residual, allowed = force_flux_identity(state, force_flux_pairs(state))
        return residual > allowed

    assert not violated(honest_state)
    assert violated(TAMPERED["energy_conservation"](honest_state))
