"""Tight binding against closed forms, recorded results of Kwant, its own scattering matrix, and long closed chains."""

import json
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

from mesotherm import (
    Chain,
    ChainLead,
    Effort,
    Lattice,
    MobileDot,
    Network,
    Outcome,
    Reservoirs,
    Ribbon,
    Screening,
    WideBandLead,
    steady_state,
)
from mesotherm.devices.elements import ResonantLevel
from mesotherm.engines import layers_of_sites
from mesotherm.engines.dense_tight_binding import AbstractDenseTightBinding
from mesotherm.engines.leads import AbstractOneChannelLead
from mesotherm.engines.row_of_sites import row_states
from mesotherm.engines.scattering_noise import bare_noise
from mesotherm.fields import parameter

RECORDED = json.loads((Path(__file__).parents[1] / "data" / "kwant.json").read_text())["systems"]


def recorded(system):
    """The device of a recorded system: with one site across a chain, else a ribbon."""
    level, hopping = system["lead_onsite"], system["lead_hopping"]
    (left, right), onsite = system["contact_hopping"], np.array(system["onsite"])
    if system["width"] > 1:
        return Ribbon(
            width=system["width"],
            length=system["length"],
            levels=onsite.ravel(),
            hopping=system["hopping"],
            lead_level=level,
            lead_hopping=hopping,
            contact_L=left,
            contact_R=right,
        )
    lead = ChainLead(level, hopping, hopping)
    inner = [system["hopping"]] * (system["length"] - 1)
    return Chain(levels=[level, *onsite[:, 0], level], hoppings=[left, *inner, right], lead_L=lead, lead_R=lead)


@eqx.filter_jit
def transmissions(device, energies):
    return device.elements(energies)[0]


@pytest.mark.parametrize("system", RECORDED, ids=lambda system: f"{system['width']}x{system['length']}")
def test_kwant(system):
    """Transmissions of disordered chains and ribbons as Kwant 1.5 gives them."""
    found = transmissions(recorded(system), jnp.array(system["energy"]))
    np.testing.assert_allclose(found[0, 1], system["transmission"], rtol=0, atol=1e-9)
    np.testing.assert_array_equal(found[1, 0], found[0, 1])


def test_layers_and_sites_agree():
    """A ribbon solved layer by layer, its S-matrix from all corners, and the same sites as one matrix."""
    ribbon = Ribbon.example()

    class Plain(AbstractDenseTightBinding):
        ribbon: Ribbon
        spin_degeneracy: jax.Array
        contact_sites = ((0, 1, 2), (3, 4, 5))

        @property
        def terminal_leads(self):
            return self.ribbon.terminal_leads

        def hamiltonian(self):
            onsite, links = self.ribbon.layers()
            count, width, _ = onsite.shape
            matrix = jnp.zeros((count, width, count, width))
            for n in range(count):
                matrix = matrix.at[n, :, n].set(onsite[n])
            for n in range(count - 1):
                matrix = matrix.at[n, :, n + 1].set(links[n]).at[n + 1, :, n].set(links[n].T)
            return matrix.reshape(count * width, count * width)

        @classmethod
        def example(cls):
            return cls(Ribbon.example(), jnp.array(2.0))

    energies = jnp.array([-6.3, 0.7, 11.0])
    layered, plain = transmissions(ribbon, energies), transmissions(Plain.example(), energies)
    np.testing.assert_allclose(layered[0, 1], plain[0, 1], rtol=1e-12)
    for energy in energies:
        amplitudes = ribbon.smatrix(energy)
        np.testing.assert_allclose(amplitudes, Plain.example().smatrix(energy), rtol=0, atol=1e-12)
        assert ribbon.unitarity_error(energies[1]) < 1e-12
    assert float(layered[0, 1][1]) == pytest.approx(float(jnp.sum(jnp.abs(ribbon.smatrix(energies[1])[3:, :3]) ** 2)))


@eqx.filter_jit
def answered(device, baths, effort=Effort.STRICT):
    return device.response(baths, effort)


def clean_ribbon(width, length, contact, hopping=1.0):
    return Ribbon(
        width=width,
        length=length,
        levels=np.zeros(width * length),
        hopping=hopping,
        lead_level=0.0,
        lead_hopping=1.0,
        contact_L=contact,
        contact_R=1.3 * contact,
    )


def strict(device, baths):
    return device.response(baths, Effort.STRICT)


@eqx.filter_jit
def by_modes(width, length, contact, baths, hopping=1.0, answer=strict):
    """Of a clean ribbon: every transverse mode is a chain of its own."""

    def mode(shift):
        chain = Chain(
            levels=jnp.full(length, hopping * shift),
            hoppings=jnp.full(length - 1, -hopping),
            lead_L=ChainLead(shift, 1.0, contact),
            lead_R=ChainLead(shift, 1.0, 1.3 * contact),
        )
        return answer(chain, baths)

    shifts = -2 * np.cos(np.pi * np.arange(1, width + 1) / (width + 1))
    return jax.tree.map(lambda *rows: sum(rows), *[mode(jnp.array(shift)) for shift in shifts])


def differences(found, expected):
    """Of particle and energy currents, in units of both bounds; and the bounds of ``found`` against its flux."""
    for part in ("particle", "energy"):
        value, error, one_way = (np.asarray(getattr(one, part)) for one in (found.value, found.error, found.one_way))
        other, its = (np.asarray(getattr(one, part)) for one in (expected.value, expected.error))
        yield np.max(abs(value - other) / (error + its)), np.max(error / one_way)


@pytest.mark.parametrize("contact", [0.02, 0.3])
def test_narrow_levels_of_a_ribbon_are_found(contact):
    """Down to half widths of 1e-4, a thousandth of the temperature."""
    for baths in (Reservoirs([0.3, -0.3], [0.05, 0.1]), Reservoirs([0.8, 0.8], [0.2, 0.1])):
        found = answered(clean_ribbon(3, 4, contact, 0.8), baths)
        for difference, bound in differences(found, by_modes(3, 4, contact, baths, 0.8)):
            assert difference <= 1
            assert bound < 1e-7


def test_a_ribbon_of_one_column():
    """A Breit-Wigner resonance for every transverse mode."""
    energies = jnp.linspace(-3.5, 3.5, 8)
    expected = 0.0
    for shift in -2 * np.cos(np.pi * np.arange(1, 4) / 4):
        left, right = (np.asarray(ChainLead(shift, 1.0, hop).self_energy(energies)) for hop in (0.4, 0.52))
        expected += 4 * left.imag * right.imag / abs(energies - 0.8 * shift - left - right) ** 2
    found = transmissions(clean_ribbon(3, 1, 0.4, 0.8), energies)
    np.testing.assert_allclose(found[0, 1], expected, rtol=1e-12)


@pytest.mark.parametrize("followed", [0, 2])
def test_levels_of_a_ribbon_that_are_not_resolved_are_in_the_bound(followed, monkeypatch):
    monkeypatch.setattr(layers_of_sites, "RESONANCES", followed)
    answered = eqx.filter_jit(lambda *given: strict(*given))
    told = []
    for contact in (0.03, 0.1):
        for mu in (0.05, 0.3):
            baths = Reservoirs([mu, -mu], [0.02, 0.05])
            found = answered(clean_ribbon(3, 4, contact, 0.8), baths)
            for difference, bound in differences(found, by_modes(3, 4, contact, baths, 0.8)):
                assert difference <= 1
                told.append(bound)
    assert max(told) > 1e-3


@pytest.mark.parametrize("followed", [1, 12])
def test_noise_of_a_ribbon_is_that_of_its_modes(followed, monkeypatch):
    monkeypatch.setattr(layers_of_sites, "RESONANCES", followed)
    baths = Reservoirs([0.1, -0.1], [0.02, 0.05])
    found = eqx.filter_jit(lambda *given: bare_noise(*given))(clean_ribbon(2, 3, 0.1, 0.8), baths)
    expected = by_modes(2, 3, 0.1, baths, 0.8, bare_noise)
    for part in ("thermal", "shot", "slope"):
        value, error = getattr(found, part), getattr(found, f"{part}_error")
        assert np.all(abs(value - getattr(expected, part)) <= error + getattr(expected, f"{part}_error"))
    told = float(found.thermal_error[0, 0] / found.one_way[0])
    assert told < 1e-7 if followed == 12 else told > 1e-4


def random_lattice(seed):
    """Three sites in a ring with a flux and three leads, one of them without a band."""
    rng = np.random.default_rng(seed)
    return Lattice(
        sites=("A", "B", "C", "D"),
        levels=rng.uniform(-1, 1, 4),
        hoppings=rng.uniform(0.3, 1.5, 6),
        contacts={"L": "A", "R": "C", "P": "D"},
        leads={
            "L": ChainLead(rng.uniform(-1, 1), 3.0, rng.uniform(0.5, 2)),
            "R": WideBandLead(rng.uniform(0.2, 2)),
            "P": ChainLead(0.0, 2.5, rng.uniform(0.5, 2)),
        },
        phases=rng.uniform(-3, 3, 6),
    )


@pytest.mark.parametrize("seed", range(3))
def test_smatrix_is_unitary_and_reverses_with_the_field(seed):
    device = random_lattice(seed)
    for energy in (-0.8, 0.3, 1.9):
        amplitudes = device.smatrix(jnp.array(energy))
        np.testing.assert_allclose(amplitudes.conj().T @ amplitudes, np.eye(3), rtol=0, atol=1e-13)
        np.testing.assert_allclose(device.time_reversed().smatrix(energy), amplitudes.T, rtol=0, atol=1e-13)
        passed = np.abs(amplitudes) ** 2
        np.testing.assert_allclose(
            device.transmission(jnp.array(energy)), passed - np.diag(np.diag(passed)), rtol=0, atol=1e-13
        )


def injected_by_scattering(device, energy):
    """ν from the scattering matrix: −Im Σ_k S*_kj ∂S_kj/∂q / 2π, [terminals, coordinates]."""
    amplitudes = device.smatrix(energy)
    slopes = jax.jacfwd(lambda q: device.moved_to(q).smatrix(energy))(device.q)
    return -jnp.imag(jnp.einsum("kj,kja->ja", amplitudes.conj(), slopes)) / (2 * jnp.pi)


@pytest.mark.parametrize("seed", range(3))
def test_kernels_from_green_functions_are_those_from_the_smatrix(seed):
    """The number of electrons on sites, and the force on a dot."""
    lattice, energy = random_lattice(seed), jnp.array(0.37)
    expected = injected_by_scattering(lattice, energy)
    np.testing.assert_allclose(lattice.injectivity(energy), expected, rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(lattice.local_density_of_states(energy), expected, rtol=1e-11, atol=1e-13)
    rng = np.random.default_rng(seed)
    dot = eqx.tree_at(
        lambda d: (d.asymmetry, d.position), MobileDot.example(), (rng.uniform(-0.8, 0.8), rng.normal(size=1))
    )
    np.testing.assert_allclose(dot.injectivity(energy), injected_by_scattering(dot, energy), rtol=1e-10, atol=1e-13)


def test_one_level_between_wide_bands():
    """Breit–Wigner, and the same device among the networks."""
    level = Lattice(("D",), [0.4], [], {"L": "D", "R": "D"}, {"L": WideBandLead(0.3), "R": WideBandLead(0.5)})
    energies = np.linspace(-2, 2, 9)
    expected = 0.3 * 0.5 / ((energies - 0.4) ** 2 + 0.4**2)
    np.testing.assert_allclose(transmissions(level, energies)[0, 1], expected, rtol=1e-13)
    even = eqx.tree_at(lambda d: [lead.broadening for lead in d.leads.values()], level, [jnp.array(0.3)] * 2)
    network = Network({"level": ResonantLevel(0.4, 0.3)}, {"L": "level.left", "R": "level.right"}, -60.0)
    baths = Reservoirs([0.5, -0.2], [0.7, 0.4])
    here, there = answered(even, baths), answered(network, baths)
    np.testing.assert_allclose(here.value.particle, there.value.particle, rtol=1e-10)
    np.testing.assert_allclose(here.value.energy, there.value.energy, rtol=1e-9)


@pytest.mark.parametrize(("mu", "T"), [(0.0, 0.1), (1.0, 2.0), (-3.0, 0.05)])
def test_electrons_on_a_level_between_wide_bands(mu, T):
    """1/2 − Im ψ(1/2 + (Γ/2 + i(ε − μ))/2πT)/π with spin, though the band has no bottom."""
    level = Lattice(("D",), [0.4], [], {"L": "D", "R": "D"}, {"L": WideBandLead(0.3), "R": WideBandLead(0.5)})
    answer = answered(level, Reservoirs([mu, mu], [T, T]))
    z = mpmath.mpf(1) / 2 + (mpmath.mpf("0.4") + 1j * (mpmath.mpf("0.4") - mu)) / (2 * mpmath.pi * T)
    exact = 2 * (0.5 - float(mpmath.im(mpmath.digamma(z))) / float(mpmath.pi))
    error = abs(float(answer.value.conjugate[0]) - exact)
    assert error <= answer.error.conjugate[0] <= 1e-7
    assert error < 1e-10


def free_energy(x, mu, T):
    """Ω of the dot in the middle of a closed chain of 801 sites."""
    dot = eqx.tree_at(lambda d: d.position, PAPER, jnp.array([x]))
    left, right = (float(t) for t in dot.hoppings)
    links = np.ones(800)
    links[399], links[400] = left, right
    levels = np.zeros(801)
    levels[400] = float(dot.level)
    energies = np.linalg.eigvalsh(np.diag(levels) - np.diag(links, 1) - np.diag(links, -1))
    return -T * np.sum(np.logaddexp(0, -(energies - mu) / T))


PAPER = MobileDot(
    level=-0.2, coupling=0.1, asymmetry=0.0, decay_length=0.5, lead_level=0.0, lead_hopping=1.0, spin_degeneracy=1.0
)


def test_force_in_equilibrium_is_that_of_the_free_energy():
    """−dΩ/dx, band bottom to top. At x = 1 of Fig. 2 of Mehring et al. it is no small force: 1.125."""
    T, step = 0.02, 1e-4
    for x, mu in ((1.0, 0.0), (0.3, -0.1)):
        dot = eqx.tree_at(lambda d: d.position, PAPER, jnp.array([x]))
        answer = answered(dot, Reservoirs([mu, mu], [T, T]))
        expected = -(free_energy(x + step, mu, T) - free_energy(x - step, mu, T)) / (2 * step)
        assert -answer.value.conjugate[0] == pytest.approx(expected, abs=2e-6)
        assert answer.error.conjugate[0] < 1e-7
    cold = answered(eqx.tree_at(lambda d: d.position, PAPER, jnp.array([1.0])), Reservoirs([0, 0], [1e-3, 1e-3]))
    assert -cold.value.conjugate[0] == pytest.approx(1.125, abs=5e-4)


@pytest.mark.parametrize("effort", [pytest.param(Effort.FAST, marks=pytest.mark.slow), Effort.STRICT])
def test_bounds_hold_where_bands_end(effort):
    """Square roots at band edges, inside the window and out of it, against a fine rule in the angle of the band."""
    rng = np.random.default_rng(1)
    lead = ChainLead(0.0, 1.0, 1.0)
    angles, weights = np.polynomial.legendre.leggauss(4000)
    angle = (angles + 1) * np.pi / 2
    energy, measure = -2 * np.cos(angle), weights * np.pi / 2 * 2 * np.sin(angle)
    certified = 0
    for _ in range(12):
        dot = Chain(rng.uniform(-1.5, 1.5, 3), rng.uniform(0.2, 1.2, 2), lead, lead)
        mu, T = rng.uniform(-2.2, 2.2, 2), 10 ** rng.uniform(-1, 0.5, 2)
        occupied = 1 / (1 + np.exp(np.clip((energy - mu[:, None]) / T[:, None], -700, 700)))
        passed = np.asarray(transmissions(dot, jnp.asarray(energy))[0, 1])
        exact = 2 * np.sum(measure * passed * (occupied[0] - occupied[1])) / (2 * np.pi)
        answer = answered(dot, Reservoirs(mu, T), effort)
        error = abs(float(answer.value.particle[0]) - exact)
        rounding = len(energy) * np.finfo(float).eps * float(answer.one_way.particle[0])  # of the fine rule
        assert error <= answer.error.particle[0] + rounding
        certified += float(answer.error.particle[0]) < 1e-8
    assert certified == 12 if effort is Effort.STRICT else certified < 12


def test_long_chain_and_its_columns():
    """Columns of G of a row with complex hoppings against the inverse."""
    rng = np.random.default_rng(3)
    count = 30
    above = rng.normal(size=count)
    links = rng.normal(size=count - 1) + 1j * rng.normal(size=count - 1)
    ends = 0.3 - 0.7j, -0.2 - 0.4j
    matrix = np.diag(above + 0j) - np.diag(links, 1) - np.diag(links.conj(), -1)
    matrix[0, 0] -= ends[0]
    matrix[-1, -1] -= ends[1]
    columns = row_states(jnp.array(above), jnp.array(links), *map(jnp.array, ends))
    exact = np.linalg.inv(matrix)
    np.testing.assert_allclose(columns[0], exact[:, 0], rtol=0, atol=1e-12)
    np.testing.assert_allclose(columns[1], exact[:, -1], rtol=0, atol=1e-12)


def test_a_self_energy_of_ones_own():
    """A lead is a class with a self-energy: one with a Lorentzian density of states is a level before a wide band."""

    class LorentzianLead(AbstractOneChannelLead):
        level: jax.Array = parameter("centre", gauge=True)
        width_: jax.Array = parameter("half width")
        hopping: jax.Array = parameter("hopping")

        def self_energy(self, energy):
            return self.hopping**2 / (energy - self.level + 1j * self.width_)

        @property
        def band_edges(self):
            return jnp.zeros(0)

    own = LorentzianLead(0.3, 0.5, 0.8)
    short = Lattice(("D",), [-0.1], [], {"L": "D", "R": "D"}, {"L": own, "R": WideBandLead(0.4)})
    long = Lattice(
        ("D", "X"), [-0.1, 0.3], [0.8], {"L": "X", "R": "D"}, {"L": WideBandLead(1.0), "R": WideBandLead(0.4)}
    )
    energies = np.linspace(-2, 2, 7)
    np.testing.assert_allclose(transmissions(short, energies)[0, 1], transmissions(long, energies)[0, 1], rtol=1e-12)


def test_screened_molecule():
    """Sites with capacitances to a gate: charges move with it, and the state is certified."""
    lattice = Lattice.example()
    gated = Screening(
        ("A", "B"), mu=0.0, T=1.0, gates=("G",), gate_capacitance=np.full((2, 1), 0.3), gate_potential=[-2.0]
    )
    state = steady_state(lattice, Reservoirs([0.5, -0.5], [1.0, 1.5]), [gated], effort=Effort.STRICT)
    assert state.outcome == Outcome.CONVERGED
    rest = answered(lattice, Reservoirs([0, 0], [1, 1])).value.conjugate
    taken_up = state.currents.conjugate[:2] - rest[:2]
    np.testing.assert_allclose(taken_up, 0.3 * (state.q[:2] + 2.0), rtol=1e-8)
    assert np.all(taken_up > 0)
