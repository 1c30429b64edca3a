"""Figs. 4 and 5: rectification of charge and heat by a dot that moves."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jaxtyping import Array, Float

from mesotherm.axes import Axis
from mesotherm.driven import Driven
from mesotherm.experiments import BiasReversal
from mesotherm.mean_motion import move
from mesotherm.papers.mehring2024.forces import LEVELS, table_at_first_order
from mesotherm.papers.mehring2024.labelling import CONVENTION, DESCRIBED, labelled
from mesotherm.papers.mehring2024.model import CYCLE_TIME, FIG_4, FIG_5, RESPONSES, STIFFNESS, Parameters
from mesotherm.papers.mehring2024.tables import largest_audit, rest, table_of
from mesotherm.papers.refine import largest_between
from mesotherm.papers.reproduction import Progress
from mesotherm.protocols import AbstractCycle, Sine, Triangle
from mesotherm.sweep import sweep

ASYMMETRIES = np.round(np.arange(-18, 19) * 0.05, 10)
BIASES = np.round(np.arange(-20, 21) * 0.01, 10)
DIFFERENCES = FIG_5.T * np.round(np.arange(-20, 21) * 0.05, 10)
"""δT of Fig. 5: up to T₀."""

COARSE_ASYMMETRIES = np.round(np.arange(10) * 0.1, 10)
COARSE = np.round(np.arange(1, 11) * 0.1, 10)
"""Of the maps of the full response: drives over the largest; the rest by symmetry."""

HALF_BIASES = np.linspace(0.0, 0.2, 81)[1:]
HALF_DIFFERENCES = FIG_5.T * np.linspace(0.0, 1.0, 41)[1:]

CYCLE_AMPLITUDE = 0.1
CYCLES: dict[str, AbstractCycle] = {
    "sine": Sine(CYCLE_AMPLITUDE, CYCLE_TIME),
    "triangle": Triangle(CYCLE_AMPLITUDE, CYCLE_TIME),
}
CYCLE_TIMES = np.linspace(0.0, CYCLE_TIME, 401)

NEWTON_STEPS = 40
REACH = 3.0


@eqx.filter_jit
def followed(driven: Driven, drives: Float[Array, "drives"]) -> dict[str, Float[Array, "drives"]]:
    """Positions where the dot rests as its drive goes through values next to each other, from rest at x = 0, and both
    currents from L there; the residual of the force is among the answers."""
    left = driven.device.index("L")

    def whole(x, drive):
        return driven.force(x, drive) - STIFFNESS * x

    def to(x, drive):
        def step(state):
            x, _, count = state
            value, slope = jax.jvp(lambda x: whole(x, drive), (x,), (jnp.ones(()),))
            change = -value / slope
            return x + change, jnp.abs(change), count + 1

        def go_on(state):
            return (state[1] > 1e-12) & (state[2] < NEWTON_STEPS)

        x, _, _ = jax.lax.while_loop(go_on, step, (x, jnp.asarray(1.0), 0))
        found = driven.at(x, drive)
        currents = {name: found[name][left] for name in ("particle_current", "heat_current")}
        return x, {"position": x, "residual": found["force"] - STIFFNESS * x, **currents}

    return jax.lax.scan(to, jnp.zeros(()), drives)[1]


def both_ways(driven: Driven, drives: np.ndarray) -> dict[str, np.ndarray]:
    """What is followed for −drives and drives, in rising order.

    Errors: ``RuntimeError`` where no rest was found.
    """
    back, forth = (followed(driven, jnp.asarray(sign * drives)) for sign in (-1, 1))
    found = {name: np.concatenate([np.asarray(back[name])[::-1], np.asarray(forth[name])]) for name in forth}
    if not np.max(np.abs(found.pop("residual"))) < 1e-10:
        raise RuntimeError("no position at rest was found at some drive; follow it in smaller steps.")
    return found


def odd(currents: np.ndarray) -> np.ndarray:
    """R(V) of currents at drives that are symmetric about zero (Eqs. 18, 22)."""
    return (currents + currents[::-1]) / (currents - currents[::-1])


def coarse_map(parameters: Parameters, current: str, largest: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """λ, drives and the rectification of the full response: of the quarter that is computed, the rest by symmetry."""
    quarter = []
    for asymmetry in COARSE_ASYMMETRIES:
        driven = parameters.but(asymmetry=float(asymmetry)).driven("full")
        quarter.append(odd(both_ways(driven, COARSE * largest)[current]))
    half = np.array(quarter)
    asymmetries = np.concatenate([-COARSE_ASYMMETRIES[:0:-1], COARSE_ASYMMETRIES])
    drives = largest * np.concatenate([-COARSE[::-1], COARSE])
    return asymmetries, drives, np.concatenate([-half[:0:-1], half])


def linear_map(parameters: Parameters, name: str, drives: np.ndarray, drive: str, progress: Progress) -> xr.Dataset:
    """The rectification by linear response over λ and the drive."""
    axes = [
        Axis("device.device.asymmetry", ASYMMETRIES, "asymmetry"),
        Axis(f"experiment.{drive}", drives, drive),
    ]
    found = sweep(BiasReversal(), parameters.setup("linear"), axes, progress=progress)
    kept = found[[name, f"error_{name}", "status"]]
    kept["status"] = kept.status.max("direction", keep_attrs=True)
    kept = kept.drop_vars("direction")
    kept[drive].attrs["units"] = DESCRIBED[drive][1]
    kept.attrs |= {"parameters": str(parameters), "convention": CONVENTION}
    return kept


def curves(levels: dict[str, dict[str, np.ndarray]], current: str, drive: str, drives: np.ndarray, open_channel):
    """Position, transmission and rectification along the drive for several theories; the transmission is the current
    over that of an open channel."""
    name = "odd_rectification_" + ("particle" if drive == "bias" else "heat")
    rows = {
        "position": [found["position"] for found in levels.values()],
        "transmission": [found[current] / (open_channel * drives) for found in levels.values()],
        name: [odd(found[current]) for found in levels.values()],
    }
    return xr.Dataset(
        {key: (("response", drive), np.array(values)) for key, values in rows.items()},
        coords={"response": list(levels), drive: drives},
    )


def figure_4(progress: Progress) -> dict[str, xr.Dataset]:
    """Rectification of charge: the map, the curves at λ = 0.5, the charge of a cycle."""
    total = ASYMMETRIES.size * BIASES.size
    plane = linear_map(FIG_4, "odd_rectification_particle", BIASES, "bias", lambda done, _: progress(done, 2 * total))
    plane.attrs["title"] = "Fig. 4(b): rectification of the charge current, linear response"
    asymmetries, biases, values = coarse_map(FIG_4, "particle_current", BIASES[-1])
    full = xr.Dataset(
        {"odd_rectification_particle": (("asymmetry", "bias"), values)},
        coords={"asymmetry": asymmetries, "bias": biases},
    )
    drives = np.concatenate([-HALF_BIASES[::-1], HALF_BIASES])
    levels = {response: both_ways(FIG_4.driven(response), HALF_BIASES) for response in RESPONSES}
    at_one = curves(levels, "particle_current", "bias", drives, 1 / (2 * np.pi))
    linear = FIG_4.driven("linear")

    def rectification(tried):
        ways = [np.asarray(followed(linear, jnp.asarray(s * tried))["particle_current"]) for s in (1, -1)]
        return (ways[0] + ways[1]) / (ways[0] - ways[1])

    at_one["largest_bias"] = largest_between(rectification, 0.04, 0.08)
    at_one["largest"] = rectification(np.full(101, float(at_one.largest_bias)))[0]
    progress(2 * total, 2 * total)
    return {
        "fig4": plane,
        "fig4_full": labelled(full, "Fig. 4(b) by Eq. 9 and Landauer's integral", FIG_4),
        "fig4a": labelled(at_one, "Fig. 4(a): position, transmission, rectification at one asymmetry", FIG_4),
        "fig4c": labelled(charge_of_cycles(), "Fig. 4(c): charge of a slow cycle of the bias", FIG_4),
    }


def charge_of_cycles() -> xr.Dataset:
    """Charge in motion, and that of an infinitely slow cycle."""
    asymmetries = (FIG_4.asymmetry, 0.0)
    shape = (len(RESPONSES), len(CYCLES), len(asymmetries))
    charge, (slow, audit) = np.empty((*shape, len(CYCLE_TIMES))), np.empty((2, *shape))
    for i, response in enumerate(RESPONSES):
        for j, protocol in enumerate(CYCLES.values()):
            for k, asymmetry in enumerate(asymmetries):
                table = table_of(FIG_4.but(asymmetry=asymmetry), response, REACH, CYCLE_AMPLITUDE, 9)
                motion = move(FIG_4.mode, table, protocol, CYCLE_TIMES)
                charge[i, j, k], audit[i, j, k] = motion.charge[:, 0], largest_audit(motion)
                slow[i, j, k] = quasi_static_charge(table, protocol)
    biases = np.stack([np.asarray(protocol.value(CYCLE_TIMES)) for protocol in CYCLES.values()])
    dimensions = ("response", "protocol", "asymmetry")
    return xr.Dataset(
        {
            "charge": ((*dimensions, "time"), charge),
            "quasi_static_charge": (dimensions, slow),
            "audit": (dimensions, audit),
            "bias": (("protocol", "time"), biases),
        },
        coords={
            "response": list(RESPONSES),
            "protocol": list(CYCLES),
            "asymmetry": list(asymmetries),
            "time": CYCLE_TIMES,
        },
    )


def quasi_static_charge(table, protocol: AbstractCycle) -> float:
    """Eq. 21 with the dot at rest all the time; one position at each bias. Gauss's rule between corners."""
    nodes, weights = np.polynomial.legendre.leggauss(24)
    ends = np.linspace(0.0, float(protocol.period), 5)
    half = 0.5 * np.diff(ends)[:, None]
    t = 0.5 * (ends[1:, None] + ends[:-1, None]) + half * nodes
    drives = np.asarray(protocol.value(t.ravel()))
    places = np.concatenate([rest(table, drive).position for drive in drives])
    current = np.asarray(table(places, drives)["particle_current"][:, 0]).reshape(t.shape)
    return float(np.sum(half * weights * current))


def figure_5(progress: Progress) -> dict[str, xr.Dataset]:
    """Rectification of heat: the map by Eq. 13, that by Eq. 9, and the curves at λ = 0.5 at three levels."""
    total = ASYMMETRIES.size * DIFFERENCES.size
    name = "delta_temperature"
    plane = linear_map(FIG_5, "odd_rectification_heat", DIFFERENCES, name, lambda done, _: progress(done, 2 * total))
    plane.attrs["title"] = "Fig. 5(b): rectification of the heat current by Eq. 13"
    asymmetries, differences, values = coarse_map(FIG_5, "heat_current", FIG_5.T)
    full = xr.Dataset(
        {"odd_rectification_heat": (("asymmetry", name), values)},
        coords={"asymmetry": asymmetries, name: differences},
    )
    drives = np.concatenate([-HALF_DIFFERENCES[::-1], HALF_DIFFERENCES])
    levels = {
        "linear": both_ways(FIG_5.driven("linear"), HALF_DIFFERENCES),
        "first_order": at_first_order(drives),
        "full": both_ways(FIG_5.driven("full"), HALF_DIFFERENCES),
    }
    assert tuple(levels) == LEVELS
    at_one = curves(levels, "heat_current", name, drives, np.pi * FIG_5.T / 6)
    progress(2 * total, 2 * total)
    return {
        "fig5": plane,
        "fig5_full": labelled(full, "Fig. 5(b) by Eq. 9 and the integral over energies", FIG_5),
        "fig5a": labelled(at_one, "Fig. 5(a): position, transmission, rectification at one asymmetry", FIG_5),
    }


def at_first_order(drives: np.ndarray) -> dict[str, np.ndarray]:
    """Positions and heat currents to first order in δT with the integral over energies."""
    table = table_at_first_order(FIG_5, REACH, 241)
    places = np.concatenate([rest(table, drive).position for drive in drives])
    return {"position": places, "heat_current": np.asarray(table(places, drives)["heat_current"])}
