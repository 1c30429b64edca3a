"""Equations of the review as they are printed."""

from collections.abc import Iterator

import jax.numpy as jnp
import numpy as np

from mesotherm.device import Effort, Reservoirs
from mesotherm.devices.three_terminal_dots import CoupledDots, SpinPolarizedPair
from mesotherm.engines.rate_equation import transition_flows
from mesotherm.engines.scaled import plain
from mesotherm.force_flux import force_flux_pairs
from mesotherm.observables import entropy_production
from mesotherm.papers.ghosh2026.model import (
    ATTRACTION,
    coupled_dots,
    dots,
)
from mesotherm.papers.ghosh2026.reading import driven
from mesotherm.papers.reproduction import Check
from mesotherm.steady_state import steady_state


def check_equations() -> Iterator[Check]:
    """Eqs. 27, 35, 36, 50, 52 and 58."""
    state = steady_state(coupled_dots(-2.5).device, Reservoirs([0.7, 0.1, 0.2], [1.4, 0.8, 1.9]))
    mu, T = state.reservoirs.mu, state.reservoirs.T
    printed = float(-jnp.sum(state.currents.energy / T) + jnp.sum(state.currents.particle / (T * mu)))
    yield Check(
        "eq27",
        "Σ̇ = −Σ β J_E + Σ (β/μ) J_N.",
        "Eq. 27",
        True,
        abs(printed / entropy_production(state) - 1) < 1e-9,
        erratum="eq27-ratio",
        note=f"As printed {printed:.6f}, with βμ {entropy_production(state):.6f}.",
    )
    device, kappa = dots(-2.5), -2.5
    rates = transition_flows(device, state.reservoirs, Effort.STRICT)
    p = np.asarray(device.populations(state.reservoirs))
    table = device.transitions()
    net = {}
    for t, (a, b) in enumerate(zip(table.empty, table.filled, strict=True)):
        enter, leave = (float(plain(rate)[t]) for rate in (rates.enter, rates.leave))
        name = device.terminals[table.terminal[t]], device.state_names()[a], device.state_names()[b]
        net[name] = enter * p[a] - leave * p[b]
    up, down = net["U", "b", "b+u"], net["U", "empty", "u"]
    lower = net["L", "empty", "b"] + net["R", "empty", "b"]
    yield Check(
        "eq35",
        "Γ_+ = −Γ_−, the same around the cycle.",
        "Eq. 35",
        0.0,
        max(abs(up + down), abs(lower - up)) / abs(up),
        1e-11,
        note=f"Γ_+ = {up:.9f}.",
    )
    for name, source, value, erratum in (
        ("eq36-energy-current-of-u", "Eq. 36, right-hand side", kappa * up, None),
        ("eq36-middle", "Eq. 36, middle", 1.5 * up + (1.5 + kappa) * down, "eq36-swapped"),
    ):
        yield Check(
            name,
            "J_E of u is κΓ_+." if erratum is None else "J_E of u is ε_uΓ_+ + (ε_u + κ)Γ_−.",
            source,
            True,
            abs(value / float(state.currents.energy[2]) - 1) < 1e-10,
            erratum=erratum,
            note=f"The expression is {value:.9f}, J_E of u {float(state.currents.energy[2]):.9f}.",
        )
    yield Check(
        "eq36-no-particles-of-u",
        "J_N of u vanishes.",
        "Eq. 36",
        0.0,
        float(jnp.abs(state.currents.particle[2]) / jnp.max(state.one_way.particle)),
        1e-14,
        note="Over the largest one-way flux.",
    )
    reduced = driven(coupled_dots(ATTRACTION), 0.8, 0.25)
    pairs = force_flux_pairs(reduced).without("E_U")
    swapped = float(-pairs.product[0] + pairs.product[1])
    yield Check(
        "eq50-force",
        "Σ̇ = J_E F_E + J_N F_N with F_E = β_l − β.",
        "after Eq. 50",
        True,
        abs(swapped / entropy_production(reduced) - 1) < 1e-9,
        erratum="eq50-sign",
        note=f"With that sign {swapped:.6f}; Σ̇ = {entropy_production(reduced):.6f} with β − β_l.",
    )
    level_b, level_u, coulomb, spin = 1.0, 1.5, 1.0, 5.0
    n = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    written = n @ [level_b, level_u] + coulomb * n[:, 0] * n[:, 1] + spin * (1 - 2 * n[:, 0]) * (2 * n[:, 1] - 1)
    rates = [0.1, 0.1]
    pair = SpinPolarizedPair(level_b, level_u, coulomb, spin, rates, rates, rates)  # pyright: ignore[reportCallIssue]  (a property)
    listed = pair.energies()
    yield Check(
        "eq52",
        "The Hamiltonian has the energies listed after it.",
        "Eq. 52",
        True,
        bool(np.allclose(written, listed)),
        erratum="eq52-spin-term",
        note=f"κ_c = 1, κ_s = 5: as written {written.tolist()}, listed {np.asarray(listed).tolist()}.",
    )
    without = CoupledDots(1.0, 1.5, ATTRACTION, [1.0, 0.0], [1.0, 0.0], [1.0, 1.0])
    cut = steady_state(without, reduced.reservoirs)
    kept = bool(cut.currents.particle[0] < 0)
    yield Check(
        "eq58",
        "The sum over positive transition frequencies keeps the inverse current.",
        "Eq. 58",
        True,
        kept,
        erratum="eq58-positive-frequencies",
        note=f"Without C ↔ D at κ = −4: J_N = {float(cut.currents.particle[0]):.6f}, not "
        f"{float(reduced.currents.particle[0]):.6f}.",
    )
