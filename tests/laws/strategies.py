"""Random devices and reservoirs, one bucket per shape: everything in a bucket shares one compiled function.

Energies that move with the zero of energy, and their shifts, are multiples of ``GRID``: a shifted problem is then
exactly representable, and any change of a current is the library's own.
"""

import dataclasses
from collections.abc import Callable, Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from mesotherm import (
    LAWS,
    ChainLead,
    CoulombDots,
    EquilibriumPosition,
    HeatProbe,
    Lattice,
    MobileDot,
    Outcome,
    Reservoirs,
    ResonantBarrier,
    Ribbon,
    StepBarrier,
    ThermalizationDiode,
    ThermalizingProbe,
    TransparentRegion,
    VoltageProbe,
    WideBandLead,
    audit,
    steady_state,
)
from mesotherm.device import AbstractDevice

GRID = 2.0**-20
"""Energies are multiples of this one."""

BATCH = 32
"""Random problems in one example of hypothesis. They are solved one after the other: a batch compiles for long."""

REPRODUCIBLE = settings(deadline=None, derandomize=True, max_examples=5, database=None)

seeds = st.integers(0, 2**32 - 1)


@dataclasses.dataclass(frozen=True, eq=False)
class Bucket:
    """A shape: ``draw(rng)`` gives the numbers of one problem (a dictionary with ``mu`` and ``T`` among them),
    ``build`` makes the device of them."""

    name: str
    draw: Callable[[np.random.Generator], dict[str, np.ndarray]]
    build: Callable[[dict], AbstractDevice]
    unknowns: tuple = ()

    def batch(self, seed: int) -> dict[str, np.ndarray]:
        """``BATCH`` problems."""
        rng = np.random.default_rng(seed)
        rows = [self.draw(rng) for _ in range(BATCH)]
        return {name: np.stack([row[name] for row in rows]) for name in rows[0]}

    def solve(self, rows, shift=0.0) -> "Solved":
        """Every problem of a batch, its zero of energy shifted (one number for all, or one each)."""
        rows = {**rows, "shift": np.broadcast_to(shift, BATCH)}
        found = _solve(self, {name: jnp.asarray(column) for name, column in rows.items()})
        return Solved(**{name: np.asarray(column) for name, column in found.items()})


@dataclasses.dataclass(frozen=True)
class Solved:
    """Numbers of solved states, one row per problem."""

    particle: np.ndarray
    energy: np.ndarray
    one_way: np.ndarray
    one_way_heat: np.ndarray
    mu: np.ndarray
    T: np.ndarray
    outcome: np.ndarray
    holds: np.ndarray

    @property
    def heat(self):
        return self.energy - self.mu * self.particle

    @property
    def converged(self):
        return self.outcome == Outcome.CONVERGED

    def __getitem__(self, rows):
        return Solved(**{f.name: getattr(self, f.name)[rows] for f in dataclasses.fields(self)})


@eqx.filter_jit
def _solve(bucket, rows):
    def one(row):
        device, reservoirs = bucket.build(row).shifted(row["shift"]), Reservoirs(row["mu"], row["T"])
        unknowns = [unknown.shifted(row["shift"]) for unknown in bucket.unknowns]
        state = steady_state(device, reservoirs.shifted(row["shift"]), unknowns, throw=False)
        return {
            "particle": state.currents.particle,
            "energy": state.currents.energy,
            "one_way": jnp.max(state.one_way.particle),
            "one_way_heat": jnp.max(state.one_way.energy),
            "mu": state.reservoirs.mu,
            "T": state.reservoirs.T,
            "outcome": state.outcome,
            "holds": audit(state).holds,
        }

    return jax.lax.map(one, rows)


def on_grid(energy) -> np.ndarray:
    """The nearest energies that are multiples of ``GRID``."""
    return np.round(np.asarray(energy) / GRID) * GRID


def shifts(rng, T) -> np.ndarray:
    """One shift per problem: up to 100 kT of its coldest reservoir, either sign, small ones among them."""
    size = 100 * np.min(T, axis=1) * np.where(rng.random(len(T)) < 0.7, 1.0, 10 ** rng.uniform(-4, 0, len(T)))
    return np.trunc(size * rng.uniform(-1, 1, len(T)) / GRID) * GRID


def _reservoirs(rng, terminals):
    """Biases and temperatures; some of them equal."""
    mu = on_grid(rng.uniform(-4, 4, terminals) * rng.choice([0.0, 1e-3, 1.0]))
    T = np.exp(rng.uniform(np.log(0.3), np.log(3.0), terminals))
    return {"mu": mu, "T": np.full(terminals, T[0]) if rng.random() < 0.2 else T}


# ---------------------------------------------------------------------------------------------------------------------
# Thermalization diodes.

BARRIERS = {
    "resonant": lambda level, half_width: ResonantBarrier(level, half_width),
    "step": lambda level, half_width: StepBarrier(level),
    "transparent": lambda level, half_width: TransparentRegion(),
}


def _draw_diode(rng):
    return {
        "level": on_grid(rng.uniform(-6, 6, 2)),
        "half_width": 10 ** rng.uniform(-3, 1, 2),
        "bottom": on_grid(rng.uniform(-30, -3)) if rng.random() < 0.7 else np.array(-np.inf),
        **_reservoirs(rng, 3),
    }


def diode(kinds, row) -> ThermalizationDiode:
    """A diode with the two kinds of barriers."""
    left, right = (BARRIERS[kind](row["level"][i], row["half_width"][i]) for i, kind in enumerate(kinds))
    return ThermalizationDiode(left=left, right=right, band_bottom=row["bottom"])


def _diodes():
    for kinds in (("resonant", "resonant"), ("resonant", "step"), ("step", "transparent")):
        for unknowns in ((), (ThermalizingProbe("P"),), (VoltageProbe("P"),), (HeatProbe("P"),)):
            yield Bucket(_name("-".join(kinds), unknowns), _draw_diode, lambda row, k=kinds: diode(k, row), unknowns)


def _name(shape, unknowns):
    return f"{shape}, {type(unknowns[0]).__name__}" if unknowns else shape


# ---------------------------------------------------------------------------------------------------------------------
# Coulomb-coupled dots.


def _draw_dots(rng, dots, contacts, floating):
    """Charging energies of either sign; in half of the problems a third of the rates zero, but every dot keeps its
    first contact, and a floating terminal its own: through a single energy it would exchange one current, not two."""
    rates = 10 ** rng.uniform(-2, 0.5, (len(contacts), 2 ** (len(dots) - 1)))
    kept = [next(i for i, (_, dot) in enumerate(contacts) if dot == name) for name in dots]
    kept += [i for i, (terminal, _) in enumerate(contacts) if terminal in floating]
    closed = rng.random(rates.shape) < rng.choice([0.0, 1 / 3])
    closed[kept] = False
    return {
        "level": on_grid(rng.uniform(-4, 4, len(dots))),
        "charging": on_grid(rng.uniform(-2, 6, len(dots) * (len(dots) - 1) // 2)),
        "rates": np.where(closed, 0.0, rates),
        **_reservoirs(rng, len(contacts)),
    }


def _dots(names: str, contacts: Sequence[str], unknowns=()):
    """Dots named by single letters; contacts "LM": terminal L on dot M."""
    dots, pairs = tuple(names), tuple((c[0], c[1]) for c in contacts)
    return Bucket(
        _name(f"{len(dots)} dots {len(pairs)} terminals", unknowns),
        lambda rng: _draw_dots(rng, dots, pairs, [unknown.terminal for unknown in unknowns]),
        lambda row: CoulombDots(dots, pairs, row["level"], row["charging"], row["rates"]),
        unknowns,
    )


# ---------------------------------------------------------------------------------------------------------------------
# Tight binding.


def _draw_lattice(rng):
    return {
        "level": on_grid(rng.uniform(-3, 3, 4)),
        "hopping": rng.uniform(0.3, 3.0, 6),
        "phase": rng.uniform(-3, 3, 6),
        "band": on_grid(rng.uniform(-5, 5, 2)),
        "lead_hopping": rng.uniform(5.0, 30.0, 2),
        "contact": rng.uniform(0.5, 4.0, 2),
        "broadening": rng.uniform(0.2, 4.0),
        **_reservoirs(rng, 3),
    }


def _lattice(row) -> Lattice:
    """Four sites, each joined with every other, with fluxes; two leads with bands and one without."""
    chains = [ChainLead(*(row[name][n] for name in ("band", "lead_hopping", "contact"))) for n in range(2)]
    return Lattice(
        sites=("A", "B", "C", "D"),
        levels=row["level"],
        hoppings=row["hopping"],
        contacts={"L": "A", "R": "B", "P": "C"},
        leads={"L": chains[0], "R": chains[1], "P": WideBandLead(row["broadening"])},
        phases=row["phase"],
    )


def _draw_ribbon(rng):
    return {
        "level": on_grid(rng.uniform(-3, 3, 4)),
        "hopping": rng.uniform(0.3, 3.0),
        "band": on_grid(rng.uniform(-5, 5)),
        "lead_hopping": rng.uniform(5.0, 30.0),
        "contact": 10 ** rng.uniform(-1.3, 0.6, 2),
        **_reservoirs(rng, 2),
    }


def _ribbon(row) -> Ribbon:
    """Two columns of two sites, with levels from far narrower than the temperature to broader."""
    return Ribbon(2, 2, row["level"], row["hopping"], row["band"], row["lead_hopping"], *row["contact"])


def _draw_mobile_dot(rng):
    return {
        "level": on_grid(rng.uniform(-3, 3)),
        "coupling": rng.uniform(0.3, 2.0),
        "asymmetry": rng.uniform(-0.8, 0.8),
        "band": on_grid(rng.uniform(-3, 3)),
        "lead_hopping": rng.uniform(8.0, 30.0),
        **_reservoirs(rng, 2),
    }


def _mobile_dot(row) -> MobileDot:
    return MobileDot(row["level"], row["coupling"], row["asymmetry"], 1.0, row["band"], row["lead_hopping"], [0.0])


ON_A_SPRING = EquilibriumPosition(("x",), stiffness=2.0, mu=0.0, T=1.0)

THREE_DOTS = ("LM", "RM", "HH", "CC", "PM")

BUCKETS = (
    *_diodes(),
    _dots("D", ("LD", "RD")),
    _dots("MG", ("LM", "RM", "GG")),
    _dots("MHC", THREE_DOTS),
    _dots("MHC", THREE_DOTS, (ThermalizingProbe("P"),)),
    Bucket("lattice with fluxes", _draw_lattice, _lattice),
    Bucket("lattice with fluxes, ThermalizingProbe", _draw_lattice, _lattice, (ThermalizingProbe("P"),)),
    Bucket("ribbon", _draw_ribbon, _ribbon),
    Bucket("mobile dot, EquilibriumPosition", _draw_mobile_dot, _mobile_dot, (ON_A_SPRING,)),
)

LAW = {name: position for position, name in enumerate(LAWS)}
"""Position of each law in an audit."""
