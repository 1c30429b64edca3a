"""Electronic friction and force noise against chains that move in time, against the formulas as they are printed, and
against one level, where both are known.

References are written in NumPy with Green functions of their own. The chains are finite ones: their leads are filled
when they are apart, then everything evolves, and the electrons at the moving part have not yet seen the far ends.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from scipy.integrate import quad_vec

from mesotherm import Chain, ChainLead, Effort, MobileDot, Reservoirs, Ribbon, WideBandLead
from mesotherm.device import HasPositions
from mesotherm.engines.dense_tight_binding import AbstractDenseTightBinding
from mesotherm.engines.electronic_friction import electronic_friction
from mesotherm.engines.leads import AbstractOneChannelLead
from mesotherm.fields import named_parts, parameter


class Molecule(AbstractDenseTightBinding, HasPositions):
    """Any sites with leads at the first two, two positions, and a potential before them."""

    coordinates = ("U", "x", "y")
    positions = ("x", "y")
    levels: jax.Array = parameter("levels", gauge=True, column=True)
    hopping: jax.Array  # Hermitian
    push: jax.Array  # of x, of y, of their product
    leads: dict[str, AbstractOneChannelLead] = named_parts("leads")
    spin_degeneracy: jax.Array = parameter("spin degeneracy", unit="1", default=1.0)
    q: jax.Array = parameter("coordinates", unit="1", column=True, default=(0.0, 0.0, 0.0))
    at: tuple[int, ...] = eqx.field(static=True, default=(0, 1))

    @property
    def lengths(self):
        return jnp.ones(2)

    def moved_to(self, q):
        return eqx.tree_at(lambda d: d.q, self, q)

    def counted_from(self, mu, T):
        raise NotImplementedError

    @property
    def terminal_leads(self):
        return tuple(self.leads.items())

    @property
    def contact_sites(self):
        return tuple((site,) for site in self.at)

    def hamiltonian(self):
        U, x, y = self.q
        moved = x * self.push[0] + y * self.push[1] + x * y * self.push[2]
        return jnp.diag(self.levels.at[0].add(U)) + self.hopping + moved

    @classmethod
    def example(cls):
        return molecule(0)


def hermitian(rng, size, scale):
    matrix = rng.normal(size=(size, size)) + 1j * rng.normal(size=(size, size))
    return scale * (matrix + matrix.conj().T) / 2


def molecule(seed):
    """Three sites in a ring with a flux between two chains with bands from −2 to 2."""
    rng = np.random.default_rng(seed)
    return Molecule(
        levels=rng.uniform(-0.5, 0.5, 3),
        hopping=jnp.array(hermitian(rng, 3, 0.4)),
        push=jnp.array([hermitian(rng, 3, 1.0) for _ in range(3)]),
        leads={"L": ChainLead(0.0, 1.0, rng.uniform(0.5, 0.9)), "R": ChainLead(0.0, 1.0, rng.uniform(0.5, 0.9))},
        q=[0.1, *rng.uniform(-0.2, 0.2, 2)],
    )


def two_levels():
    """A dot from which electrons fall to a lower one; its friction is negative."""
    return Molecule(
        levels=[0.54, -0.35],
        hopping=jnp.array([[0, 0.23], [0.23, 0]]),
        push=jnp.array([[[0.47, -0.44], [-0.44, -0.63]], [[1, 0], [0, 1]], [[0, 0], [0, 0]]]),
        leads={"L": ChainLead(0.0, 1.0, 0.53), "R": ChainLead(0.0, 1.0, 0.44)},
    )


TWO_LEVELS_BIASED = Reservoirs([1.46, -1.46], [0.1, 0.1])


def random_dot(rng):
    return MobileDot(
        level=rng.uniform(-1, 1),
        coupling=10 ** rng.uniform(-1.0, -0.3),
        asymmetry=rng.uniform(-0.7, 0.7),
        decay_length=rng.uniform(0.5, 2),
        lead_level=0.0,
        lead_hopping=1.0,
        position=rng.uniform(-0.3, 0.3, 1),
    )


def random_baths(rng, highest=1.0, hottest=1.0):
    return Reservoirs(rng.uniform(-highest, highest, 2), hottest * 10 ** rng.uniform(-2, 0, 2))


found = eqx.filter_jit(electronic_friction)


# ---------------------------------------------------------------------------------------------------------------------
# The system in NumPy.


def plain(device):
    """H, its derivatives by the positions from differences, the sites at the leads, and the hoppings to these."""

    def hamiltonian(q):
        moved = device.moved_to(jnp.asarray(q))
        if isinstance(device, Molecule):
            return np.asarray(moved.hamiltonian())
        onsite, links = map(np.asarray, moved.row())
        return np.diag(onsite) + np.diag(links, 1) + np.diag(links, -1)

    q, step = np.asarray(device.q), 1e-4
    slopes = []
    for name in device.positions:
        unit = np.eye(len(q))[device.coordinates.index(name)]
        one, two = (hamiltonian(q + k * step * unit) - hamiltonian(q - k * step * unit) for k in (1, 2))
        slopes.append((8 * one - two) / (12 * step))
    contacts = (0, 1) if isinstance(device, Molecule) else (0, 2)
    hops = [float(lead.contact_hopping) for _, lead in device.terminal_leads]
    return hamiltonian(q), slopes, contacts, hops


def fermi(energy, mu, T):
    return 1 / (1 + np.exp(np.clip((energy - mu) / T, -700, 700)))


def spectral_functions(H, contacts, hops, energy):
    """A of each chain, and dA/dE, by G' = −G(1 − Σ')G."""
    root = np.sqrt(1 - energy**2 / 4)
    G = energy * np.eye(len(H)) - H + 0j
    slope = np.eye(len(H)) + 0j
    widths = []
    for site, hop in zip(contacts, hops, strict=True):
        G[site, site] -= hop**2 * (energy / 2 - 1j * root)
        slope[site, site] -= hop**2 * (0.5 + 0.25j * energy / root)
        width = np.zeros_like(G)
        width[site, site] = 2 * hop**2
        widths.append(width)
    G = np.linalg.inv(G)
    dG = -G @ slope @ G
    found = []
    for width in widths:
        half = dG @ width @ G.conj().T * root
        found.append((G @ width @ G.conj().T * root, half + half.conj().T - G @ width @ G.conj().T * energy / 4 / root))
    return found


def over_the_band(integrand, baths):
    """∫dE/2π from −2 to 2 in the angle of the band."""
    edges = (np.asarray(baths.mu) + np.outer([-12, -3, 0, 3, 12], np.asarray(baths.T))).ravel()
    points = np.unique(np.arccos(np.clip(-edges / 2, -1, 1)))
    value, _ = quad_vec(
        lambda angle: np.sin(angle) / np.pi * integrand(-2 * np.cos(angle)),
        0,
        np.pi,
        points=points,
        epsabs=1e-11,
        epsrel=1e-11,
        limit=3000,
    )
    return value


def printed(device, baths):
    """D and γ as Bode et al. print them: Tr[Λ G< Λ G>] and Tr[Λ G< Λ dG>/dE], symmetrised."""
    H, pushes, contacts, hops = plain(device)

    def integrand(energy):
        less, more, slope = 0, 0, 0
        parts = spectral_functions(H, contacts, hops, energy)
        for (A, dA), mu, T in zip(parts, np.asarray(baths.mu), np.asarray(baths.T), strict=True):
            f = fermi(energy, mu, T)
            less, more = less + 1j * f * A, more - 1j * (1 - f) * A
            slope = slope - 1j * ((1 - f) * dA + f * (1 - f) / T * A)
        return np.array([[[np.trace(a @ less @ b @ x) for b in pushes] for a in pushes] for x in (more, slope)])

    noise, friction = float(device.spin_degeneracy) * over_the_band(integrand, baths)
    return (noise + noise.T) / 2, (friction + friction.T) / 2


def chain(length):
    """Energies and states of a closed chain."""
    number = np.arange(1, length + 1)
    angle = np.pi * number / (length + 1)
    return -2 * np.cos(angle), np.sqrt(2 / (length + 1)) * np.sin(np.outer(number, angle))


def friction_of_motion(device, baths, time=150, speed=1e-4, step=0.04):
    """γ of a chain of finite length: half the difference of the forces on a part that passes to either side, over the
    speed. It starts at rest, when all has calmed down since the leads were joined, and is led to either side at first.
    One particle's wave functions that end at the sites are followed back in time."""
    H, slopes, contacts, hops = plain(device)
    size, length = len(H), int(1.05 * time)
    directions = np.concatenate([np.eye(len(slopes)), -np.eye(len(slopes))])
    drift = speed * np.einsum("pj,jst->pst", directions, np.array(slopes))

    def rate(t, inside, outside):
        away = t * np.cos(np.pi / 2 * min(max(-3 * t / time - 0.5, 0.0), 1.0)) ** 2
        there, back = (H + away * drift) @ inside, np.zeros_like(outside)
        back[:, :, 1:] -= outside[:, :, :-1]
        back[:, :, :-1] -= outside[:, :, 1:]
        for k, (site, hop) in enumerate(zip(contacts, hops, strict=True)):
            there[:, site] -= hop * outside[:, k, 0]
            back[:, k, 0] -= hop * inside[:, site]
        return -1j * there, -1j * back

    now = (
        np.zeros((len(directions), size, size), complex) + np.eye(size),
        np.zeros((len(directions), len(hops), length, size), complex),
    )
    t, dt = 0.0, -step
    for _ in range(round(time / step)):
        first = rate(t, *now)
        second = rate(t + dt / 2, *(y + dt / 2 * r for y, r in zip(now, first, strict=True)))
        third = rate(t + dt / 2, *(y + dt / 2 * r for y, r in zip(now, second, strict=True)))
        last = rate(t + dt, *(y + dt * r for y, r in zip(now, third, strict=True)))
        now = tuple(
            y + dt / 6 * (a + 2 * b + 2 * c + d) for y, a, b, c, d in zip(now, first, second, third, last, strict=True)
        )
        t += dt
    energies, states = chain(length)
    filled = 0
    for k, (mu, T) in enumerate(zip(np.asarray(baths.mu), np.asarray(baths.T), strict=True)):
        parts = np.einsum("nk,pns->pks", states, now[1][:, k])
        filled = filled + np.einsum("pkt,k,pks->pts", parts.conj(), fermi(energies, mu, T), parts)
    forces = -np.einsum("ist,pts->ip", np.array(slopes), filled).real
    moved = len(slopes)
    friction = -(forces[:, :moved] - forces[:, moved:]) / (2 * speed)
    return float(device.spin_degeneracy) * (friction + friction.T) / 2


def noise_of_motion(device, baths, start, span, step=0.08):
    """∫⟨δF(t) δF(t₀)⟩dt, symmetrised, of a chain of finite length, long after its parts were joined."""
    H, slopes, contacts, hops = plain(device)
    size, length = len(H), int(start + span)
    whole = np.zeros((size + 2 * length,) * 2, complex)
    whole[:size, :size] = H
    filled = np.zeros(whole.shape)
    energies, states = chain(length)
    for k, (mu, T) in enumerate(zip(np.asarray(baths.mu), np.asarray(baths.T), strict=True)):
        own = slice(size + k * length, size + (k + 1) * length)
        whole[own, own] = -np.eye(length, k=1) - np.eye(length, k=-1)
        whole[own.start, contacts[k]] = whole[contacts[k], own.start] = -hops[k]
        filled[own, own] = (states * fermi(energies, mu, T)) @ states.T
    levels, vectors = np.linalg.eigh(whole)

    def backwards(t):
        return vectors @ (np.exp(1j * levels * t)[:, None] * vectors[:size].conj().T)

    before = backwards(start)
    full, empty = (filled @ before).conj().T, before - filled @ before
    later = np.arange(0, span + step / 2, step)
    correlation = []
    for t in later:
        now = backwards(start + t)
        particle, hole = full @ now, now.conj().T @ empty
        correlation.append([[np.einsum("ab,da,cd,bc->", i, particle, j, hole) for j in slopes] for i in slopes])
    fade = np.where(later < span / 2, 1.0, np.cos(np.pi * (later / span - 0.5)) ** 2)
    fade[0] = 0.5
    half = step * np.einsum("t,tij->ij", fade, np.array(correlation).real)
    return float(device.spin_degeneracy) * (half + half.T)


# ---------------------------------------------------------------------------------------------------------------------


PAPER = MobileDot(-0.3, 0.4, 0.2, 1.0, 0.0, 1.0, position=[0.3])
MOVED = {
    "dot": (PAPER, Reservoirs([0.6, -0.5], [0.1, 0.2])),
    "two levels": (two_levels(), TWO_LEVELS_BIASED),
    "ring with a flux": (molecule(6), Reservoirs([-0.2, 0.6], [0.25, 0.1])),
}


@pytest.mark.parametrize("case", MOVED)
def test_friction_of_a_chain_that_moves(case):
    """Out of equilibrium; the dot between reservoirs at different temperatures, two levels with negative friction, and
    two positions in a ring without mirror or time reversal."""
    device, baths = MOVED[case]
    friction = found(device, baths).friction
    np.testing.assert_allclose(friction, friction_of_motion(device, baths), rtol=0, atol=1e-5 * np.max(abs(friction)))


@pytest.mark.parametrize("case", MOVED)
def test_noise_of_a_long_chain(case):
    device, baths = MOVED[case]
    noise = found(device, baths).noise
    np.testing.assert_allclose(noise, noise_of_motion(device, baths, 60, 60), rtol=0, atol=1e-5 * np.max(noise))


def test_friction_may_be_negative():
    """Electrons that fall from one level to the other drive the part; noise of both positions is positive all the
    same."""
    answer = found(two_levels(), TWO_LEVELS_BIASED)
    assert answer.friction[0, 0] < -0.5
    assert np.min(np.linalg.eigvalsh(answer.noise)) > 0


def assert_printed(device, baths, effort=Effort.STRICT, smallest=1e-8):
    """That bounds hold, and whether they are below ``smallest`` of the noise (over T, for friction)."""
    answer = found(device, baths, effort)
    noise, friction = printed(device, baths)
    np.testing.assert_array_less(np.abs(noise - answer.noise), answer.noise_error + 1e-10)
    np.testing.assert_array_less(np.abs(friction - answer.friction), answer.friction_error + 1e-10)
    size = np.max(np.abs(noise))
    return np.max(answer.noise_error) < smallest * size and np.max(answer.friction_error) < smallest * size / min(
        np.asarray(baths.T)
    )


def test_formulas_as_printed():
    """At any reservoirs, band edges within reach and out of it."""
    rng = np.random.default_rng(2)
    cases = [(random_dot(rng), random_baths(rng)) for _ in range(8)]
    cases += [(molecule(seed), random_baths(rng)) for seed in (6, 15, 19, 30)]
    cases += [(two_levels(), TWO_LEVELS_BIASED)]
    assert all(assert_printed(*case) for case in cases)


@pytest.mark.slow
def test_bound_of_what_is_not_resolved():
    """A state that is about to leave the band is a peak at its edge which no panel is made for; the answer says so."""
    device = Molecule(
        levels=[-0.68928676, -0.72603866],
        hopping=jnp.array([[0, 0.5465], [0.5465, 0]]),
        push=two_levels().push,
        leads={"L": ChainLead(0.0, 1.0, 0.96207037), "R": ChainLead(0.0, 1.0, 0.70464214)},
    )
    baths = Reservoirs([1.44, -1.44], [0.1, 0.1])
    answer, (noise, friction) = found(device, baths), printed(device, baths)
    for value, bound, exact in (
        (answer.noise, answer.noise_error, noise),
        (answer.friction, answer.friction_error, friction),
    ):
        error = np.abs(value - exact)
        assert np.max(error) > 3e-8
        assert np.all(error <= bound)
        assert np.max(bound) < 1e-4


@pytest.mark.slow
@pytest.mark.parametrize("effort", [Effort.FAST, Effort.STRICT])
def test_bounds_of_many(effort):
    """Narrow levels, levels at band edges, ends of bands within reach: the error is never above its bound."""
    rng = np.random.default_rng(3)
    reach = (0.4, 0.05) if effort is Effort.FAST else (1.0, 1.0)
    cases = [(random_dot(rng), random_baths(rng, *reach)) for _ in range(60)]
    cases += [(molecule(seed), random_baths(rng, *reach)) for seed in range(100, 140)]
    certified = [assert_printed(*case, effort, 1e-7) for case in cases]
    assert np.mean(certified) > (0.95 if effort is Effort.STRICT else 0.1)


def test_equilibrium():
    """D = 2 T γ, and γ = ∫(−f') Tr[ΛAΛA] dE/4π, which is the printed formula there."""
    rng = np.random.default_rng(4)
    for device in [random_dot(rng) for _ in range(6)] + [molecule(6), molecule(19)]:
        mu, T = rng.uniform(-1, 1), 10 ** rng.uniform(-2, 0)
        baths = Reservoirs([mu, mu], [T, T])
        answer = found(device, baths)
        np.testing.assert_allclose(answer.noise, 2 * T * answer.friction, rtol=1e-8)
        H, pushes, contacts, hops = plain(device)

        def closed_form(energy, mu=mu, T=T, H=H, pushes=pushes, contacts=contacts, hops=hops):
            A = sum(A for A, _ in spectral_functions(H, contacts, hops, energy))
            f = fermi(energy, mu, T)
            return f * (1 - f) / (2 * T) * np.array([[np.trace(a @ A @ b @ A).real for b in pushes] for a in pushes])

        friction = float(device.spin_degeneracy) * over_the_band(closed_form, baths)
        np.testing.assert_allclose(answer.friction, friction, rtol=1e-8, atol=1e-9 * np.max(friction))
        np.testing.assert_allclose(printed(device, baths)[1], friction, rtol=0, atol=1e-8 * np.max(friction))


def test_cold():
    """γ = Tr[ΛAΛA]/4π at μ, also where T is small. With a bias from R to L, noise is that of electrons that pass, and
    friction has a part from each energy between."""
    T = 1e-6
    H, (push,), contacts, hops = plain(PAPER)
    spin = float(PAPER.spin_degeneracy)

    def of_all(energy):
        A = sum(A for A, _ in spectral_functions(H, contacts, hops, energy))
        return spin * np.trace(push @ A @ push @ A).real / (4 * np.pi)

    rest = found(PAPER, Reservoirs([-0.25, -0.25], [T, T]))
    assert rest.friction[0, 0] == pytest.approx(of_all(-0.25), rel=1e-9)
    assert rest.noise[0, 0] == pytest.approx(2 * T * of_all(-0.25), rel=1e-9)

    low, high = -0.4, 0.3
    nodes, weights = np.polynomial.legendre.leggauss(200)
    noise, friction = 0.0, of_all(low)
    for energy, weight in zip((high + low + (high - low) * nodes) / 2, (high - low) / 2 * weights, strict=True):
        (left, left_slope), (right, right_slope) = spectral_functions(H, contacts, hops, energy)
        pushed = spin * weight / (2 * np.pi) * push @ left @ push
        noise += np.trace(pushed @ right).real
        friction += np.trace(pushed @ (left_slope + right_slope)).real
    biased = found(PAPER, Reservoirs([high, low], [T, T]))
    assert biased.noise[0, 0] == pytest.approx(noise, rel=1e-5)  # and a thermal part of order T
    assert biased.friction[0, 0] == pytest.approx(friction, rel=1e-8)


def one_level(left, right):
    """One level that x moves up, between wide bands."""
    return Molecule(
        levels=[0.2],
        hopping=jnp.zeros((1, 1)),
        push=jnp.array([1.0, 0.0, 0.0])[:, None, None],
        leads={"L": WideBandLead(left), "R": WideBandLead(right)},
        at=(0, 0),
    )


def exact_for_one_level(left, right, baths):
    """D and γ from the mean occupation f = Σ Γ_α f_α/Γ: ∫f(1 − f)A² dE/2π and ∫(−f')A² dE/4π."""
    width = mpmath.mpf(left + right)
    parts = [(g / width, mpmath.mpf(m), mpmath.mpf(T)) for g, m, T in zip((left, right), *baths, strict=True)]

    def occupations(energy):
        each = [(share, 1 / (mpmath.exp((energy - m) / T) + 1), T) for share, m, T in parts]
        f = sum(share * one for share, one, _ in each)
        return f * (1 - f), sum(share * one * (1 - one) / T for share, one, T in each)

    def integral(which, factor):
        kernel = lambda e: occupations(e)[which] * (width / ((e - 0.2) ** 2 + width**2 / 4)) ** 2  # noqa: E731
        marks = [mpmath.mpf("0.2") + s * width * k for s in (-1, 1) for k in (0, 1, 6, 40, 300)]
        marks += [m + k * T for _, m, T in parts for k in (-80, -12, -4, 0, 4, 12, 80)]
        return float(mpmath.quad(kernel, sorted(set(marks))) / (factor * mpmath.pi))

    return integral(0, 2), integral(1, 4)


@pytest.mark.parametrize("effort", [Effort.FAST, Effort.STRICT])
@pytest.mark.parametrize(
    ("left", "right", "baths"),
    [
        (1.0, 2.0, ([0.5, -0.5], [1.0, 1.2])),
        (0.02, 0.01, ([0.5, -0.3], [1.0, 0.5])),
        (1e-4, 3e-4, ([1.0, -1.0], [0.2, 1.0])),
    ],
)
def test_one_level(left, right, baths, effort):
    """Its exact integrals; if it is narrow, the telegraph noise and the friction of a rate equation."""
    answer = found(one_level(left, right), Reservoirs(*baths), effort)
    noise, friction = exact_for_one_level(left, right, baths)
    rounding = 1e-13
    assert abs(answer.noise[0, 0] - noise) <= answer.noise_error[0, 0] + rounding * noise
    assert abs(answer.friction[0, 0] - friction) <= answer.friction_error[0, 0] + rounding * friction
    if effort is Effort.STRICT or left == 1.0:
        assert answer.noise_error[0, 0] < 1e-8 * noise
        assert answer.friction_error[0, 0] < 1e-8 * friction
    assert answer.noise[1, 1] == answer.friction[0, 1] == 0
    if effort is Effort.STRICT and left == 1e-4:
        shares = np.array([left, right]) / (left + right)
        each = fermi(0.2, *np.array(baths))
        f, slope = shares @ each, shares @ (each * (1 - each) / np.array(baths[1]))
        assert answer.noise[0, 0] == pytest.approx(2 * f * (1 - f) / (left + right), rel=1e-3)
        assert answer.friction[0, 0] == pytest.approx(slope / (left + right), rel=1e-3)


def test_mirror():
    """Without asymmetry: x and V change sign together. At x = 0 neither knows the sign of the bias, elsewhere both
    do."""
    even = eqx.tree_at(lambda d: d.asymmetry, PAPER, jnp.array(0.0))

    def at(x, bias):
        answer = found(even.moved_to(jnp.array([x])), Reservoirs([bias / 2, -bias / 2], [0.05, 0.05]))
        return np.array([answer.friction[0, 0], answer.noise[0, 0]])

    np.testing.assert_allclose(at(0.0, 0.8), at(0.0, -0.8), rtol=1e-10)
    np.testing.assert_allclose(at(0.4, 0.8), at(-0.4, -0.8), rtol=1e-10)
    assert np.all(np.abs(at(0.4, 0.8) / at(0.4, -0.8) - 1) > 0.05)


def test_a_lead_in_two_parts():
    """Two terminals with equal reservoirs instead of one."""
    one = two_levels()
    leads = {"A": ChainLead(0.0, 1.0, 0.3), "B": one.leads["R"], "C": ChainLead(0.0, 1.0, np.sqrt(0.53**2 - 0.3**2))}
    two = Molecule(one.levels, one.hopping, one.push, leads, at=(0, 1, 0))
    mu, T = [0.7, -0.6], [0.1, 0.2]
    here = found(one, Reservoirs(mu, T))
    there = found(two, Reservoirs([*mu, mu[0]], [*T, T[0]]))
    np.testing.assert_allclose(here.noise, there.noise, rtol=1e-10)
    np.testing.assert_allclose(here.friction, there.friction, rtol=1e-9)


def test_noise_is_positive():
    """No combination of positions is pushed less than not at all."""
    rng = np.random.default_rng(5)
    for seed in range(20, 40):
        answer = found(molecule(seed), random_baths(rng))
        lowest, highest = np.linalg.eigvalsh(answer.noise)
        assert 0 < lowest < highest
        np.testing.assert_array_equal(answer.noise, answer.noise.T)
        np.testing.assert_array_equal(answer.friction, answer.friction.T)


def test_zero_of_energy_and_spin():
    device, baths = MOVED["ring with a flux"]
    here = found(device, baths)
    there = found(device.shifted(1000.0), baths.shifted(1000.0))
    np.testing.assert_allclose(there.friction, here.friction, rtol=1e-9)
    np.testing.assert_allclose(there.noise, here.noise, rtol=1e-9)
    doubled = found(eqx.tree_at(lambda d: d.spin_degeneracy, device, jnp.array(2.0)), baths)
    for name in ("friction", "noise", "friction_error", "noise_error"):
        np.testing.assert_allclose(getattr(doubled, name), 2 * getattr(here, name), rtol=1e-12)


def test_derivatives():
    baths, step = MOVED["dot"][1], 1e-3

    def both(x):
        answer = electronic_friction(PAPER.moved_to(x[None]), baths)
        return answer.friction[0, 0], answer.noise[0, 0]

    x = PAPER.position[0]
    slopes = jax.jit(lambda x: jax.jvp(both, (x,), (jnp.ones(()),))[1])(x)
    around = [found(PAPER.moved_to(x[None] + k * step), baths) for k in (-2, -1, 1, 2)]
    for slope, name in zip(slopes, ("friction", "noise"), strict=True):
        difference = sum(w * getattr(one, name)[0, 0] for w, one in zip((1, -8, 8, -1), around, strict=True))
        assert slope == pytest.approx(float(difference) / (12 * step), rel=1e-6)


@pytest.mark.slow
def test_batches_and_gradients():
    """Many positions at once, and derivatives backwards, by every number of the device."""
    baths = MOVED["dot"][1]
    many = jnp.linspace(-1, 1, 21)
    together = eqx.filter_vmap(lambda x: electronic_friction(PAPER.moved_to(x[None]), baths))(many)
    for x, friction, noise in zip(many, together.friction, together.noise, strict=True):
        alone = found(PAPER.moved_to(x[None]), baths)
        np.testing.assert_allclose([friction, noise], [alone.friction, alone.noise], rtol=1e-12)
    slopes = eqx.filter_jit(eqx.filter_grad(lambda device: electronic_friction(device, baths).friction[0, 0]))(PAPER)
    for name in ("level", "coupling", "asymmetry", "decay_length"):

        def moved(by, name=name):
            device = eqx.tree_at(lambda d: getattr(d, name), PAPER, getattr(PAPER, name) + by)
            return float(found(device, baths).friction[0, 0])

        assert getattr(slopes, name) == pytest.approx((moved(1e-4) - moved(-1e-4)) / 2e-4, rel=1e-6)


def test_refusals():
    class Sliding(Ribbon, HasPositions):
        coordinates = positions = ("x",)
        q = jnp.zeros(1)
        lengths = jnp.ones(1)

        def moved_to(self, q):
            return self

        def counted_from(self, mu, T):
            return self

    baths = Reservoirs([0, 0], [1, 1])
    with pytest.raises(TypeError, match="nothing in Chain can move"):
        electronic_friction(Chain.example(), baths)
    with pytest.raises(TypeError, match="Sliding gives no scattering states"):
        electronic_friction(Sliding.example(), baths)
