r"""The question that the review leaves open: genuine inverse currents of coupled dots between the same two leads.

A cycle of the four states takes n electrons and the energy E from L to R. In cycles with n ≠ 0 the energy per electron
is one of ε_b, ε_u, ε_b + κ, ε_u + κ, or half of ε_b + ε_u + κ. Where all of them are positive (counted from the zero of
energy), n and E never differ in sign, every cycle runs along parallel forces, and both currents with it: no inverse
current, at any distance from equilibrium and for any rates. Inverse currents therefore need

.. math:: -\kappa > \min(\varepsilon_b, \varepsilon_u) \qquad (\varepsilon_b, \varepsilon_u > 0)

which random sets show to be enough for some rates and forces.
"""

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr

from mesotherm.device import Effort, Reservoirs
from mesotherm.inverse_currents import TransportKind, classified
from mesotherm.papers.ghosh2026.model import two_terminal
from mesotherm.papers.reproduction import Progress

SAMPLES, CHUNK, TOGETHER = 2**21, 2**17, 256
"""Random sets, and how many are computed at once."""

SEED = 20260306

DRAWN = ("level_b", "level_u", "kappa", "mu", "force_energy", "force_particle", *(f"rate_{k}" for k in range(4)))
"""Numbers of a set: levels, positive; R at T = 1 and μ; the forces on L; rates of L with b and u, of R with both."""

BY = ("forces", "gradients")
"""What both points from L to R in a set: half of the sets each."""

FOUND = 2000
"""Sets with inverse currents that are kept with all their numbers."""


def draw_sets(count: int, seed: int) -> dict[str, np.ndarray]:
    """Random sets: levels between 0 and 3, κ between −6 and 6, μ between −2 and 2, rates over three decades. In the
    first half both forces are positive, in the second both gradients; half of either are small."""
    rng = np.random.default_rng(seed)
    small = np.where(rng.random(count) < 0.5, 1.0, 10 ** rng.uniform(-3, 0, count))
    mu, force_energy, second = rng.uniform(-2.0, 2.0, count), 0.98 * small * rng.random(count), rng.random(count)
    by_gradients = small * 2.0 * second * (1.0 - force_energy) - mu * force_energy
    return {
        "level_b": rng.uniform(0.0, 3.0, count),
        "level_u": rng.uniform(0.0, 3.0, count),
        "kappa": rng.uniform(-6.0, 6.0, count),
        "mu": mu,
        "force_energy": force_energy,
        "force_particle": np.where(np.arange(count) < count // 2, 2.0 * small * second, by_gradients),
        **{f"rate_{k}": 10 ** rng.uniform(-3.0, 0.0, count) for k in range(4)},
    }


def currents(row):
    """Fluxes at L, forces, bounds of the fluxes and gradients."""
    rates = [row[f"rate_{k}"] for k in range(4)]
    device = two_terminal(row["level_b"], row["level_u"], row["kappa"], jnp.stack(rates[:2]), jnp.stack(rates[2:]))
    T = 1.0 / (1.0 - row["force_energy"])
    mu = T * (row["mu"] + row["force_particle"])
    answer = device.response(Reservoirs(jnp.stack([mu, row["mu"]]), jnp.stack([T, jnp.ones(())])), Effort.FAST)
    flux = jnp.stack([answer.value.energy[0], answer.value.particle[0]])
    error = jnp.stack([answer.error.energy[0] + jnp.abs(mu) * answer.error.particle[0], answer.error.particle[0]])
    return flux, error, jnp.stack([T - 1.0, mu - row["mu"]])


@jax.jit
def _chunk(rows):
    flux, error, gradient = jax.lax.map(currents, rows, batch_size=TOGETHER)
    force = jnp.stack([rows["force_energy"], rows["force_particle"]])
    by_forces = classified(flux.T, error.T, force)
    by_gradients = classified(flux.T, error.T, gradient.T)
    return flux, error, by_forces, by_gradients


def compute(progress: Progress) -> dict[str, xr.Dataset]:
    """Random sets, each classified by its forces and by its gradients."""
    rows = draw_sets(SAMPLES, SEED)
    pieces = []
    for start in range(0, SAMPLES, CHUNK):
        part = {name: jnp.asarray(values[start : start + CHUNK]) for name, values in rows.items()}
        pieces.append([np.asarray(found) for found in _chunk(part)])
        progress(start + CHUNK, SAMPLES)
    flux, error, kinds, by_gradients = (np.concatenate(column) for column in zip(*pieces, strict=True))
    flags = {
        "flag_values": np.array([int(kind) for kind in TransportKind], np.int8),
        "flag_meanings": " ".join(kind.label for kind in TransportKind),
    }
    lowest = np.minimum(rows["level_b"], rows["level_u"])
    dataset = xr.Dataset(
        {
            "regime": ("sample", kinds, {"long_name": "how the currents answer the forces", **flags}),
            "regime_by_gradients": ("sample", by_gradients, {"long_name": "the same by gradients", **flags}),
            "kappa_over_lowest_level": (
                "sample",
                (rows["kappa"] / lowest).astype(np.float32),
                {"long_name": "interaction over the lower level", "units": "1"},
            ),
            "energy_per_particle": (
                "sample",
                (flux[:, 0] / flux[:, 1]).astype(np.float32),
                {"long_name": "energy that a particle carries on average", "units": "energy"},
            ),
        },
        attrs={
            "title": "Two coupled dots between the same two leads under parallel forces: random sets",
            "samples": SAMPLES,
            "seed": SEED,
            "sets": "levels in (0, 3), kappa in (-6, 6), mu of R in (-2, 2), F_E in (0, 0.98), F_N in (0, 2) or the "
            "difference of mu in (0, 2), rates of L and R with b and u log-uniform in (1e-3, 1); T of R = 1",
        },
    )
    inverse = np.flatnonzero(np.isin(kinds, [TransportKind.INVERSE_PARTICLE, TransportKind.INVERSE_ENERGY]))[:FOUND]
    dataset["parallel"] = ("sample", np.arange(SAMPLES) // (SAMPLES // 2), {"long_name": "0: forces, 1: gradients"})
    dataset["parallel"] = dataset["parallel"].astype(np.int8)
    for name in DRAWN:
        dataset[name] = ("found", rows[name][inverse], {"long_name": f"{name} of sets with inverse currents"})
    for n, name in enumerate(("flux_energy", "flux_particle")):
        dataset[name] = ("found", flux[inverse, n], {"long_name": f"{name} of sets with inverse currents"})
        dataset[f"error_{name}"] = ("found", error[inverse, n], {"long_name": f"bound on the error of {name}"})
    return {"two_terminal": dataset}
