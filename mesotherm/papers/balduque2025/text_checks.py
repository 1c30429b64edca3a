"""What the paper says besides Fig. 2 and thermalization decides: the general theory, and Eq. 3."""

from collections.abc import Iterator

import jax
import numpy as np
import xarray as xr
from jaxtyping import Float

from mesotherm.axes import Axis
from mesotherm.devices.barriers import ResonantBarrier, StepBarrier, TransparentRegion
from mesotherm.experiments import DiodeTest
from mesotherm.papers.balduque2025.errata import JOULE_TERM
from mesotherm.papers.balduque2025.figure2 import LEVELS
from mesotherm.papers.balduque2025.model import HALF_WIDTH, barrier_alone, in_table_units, resonances, setup
from mesotherm.papers.reproduction import Check
from mesotherm.sweep import sweep

BARRIERS = {
    "resonance": (ResonantBarrier(0.0, HALF_WIDTH), "device.left.level", np.linspace(-6.0, 6.0, 25)),
    "step": (StepBarrier(0.0), "device.left.threshold", np.linspace(-2.0, 4.0, 25)),
}
"""What region 1 is where Eq. 3 is checked: the barrier, and where it is placed, from μ in k_BT."""

TEMPERATURE_DIFFERENCES = np.array([1.0, 3.0])
"""ΔT/T at which Eq. 3 is checked."""

ROUNDING = 1e-9
"""Tolerance of what is exact: error bounds are smaller."""


def checks() -> Iterator[Check]:
    """Every claim outside the figures."""
    yield from _theory()
    yield from _equation_3()


def _theory() -> Iterator[Check]:
    alone = barrier_alone(LEVELS)
    currents = [alone[f"{quantity}_current"].sel(terminal="L") for quantity in ("particle", "heat")]
    flowing = np.abs(LEVELS) > 0.01  # at μ itself no particle current flows and the ratio is not defined
    rectification = alone[["rectification_particle", "rectification_heat"]].isel(epsilon_1=flowing)
    yield Check(
        id="theory-noninteracting-no-rectification",
        claim="Without interactions X^F = −X^B, hence R_X = 0.",
        source="after Eq. 2",
        published=0.0,
        computed=max(float(np.abs(values).max()) for values in rectification.data_vars.values()),
        tolerance=ROUNDING,
        note="One resonance between two reservoirs, no probe: largest |R_I| or |R_J| with its level from −10 to 10 "
        f"k_BT. X^F + X^B is at most {max(float(np.abs(x.sum('direction')).max()) for x in currents):.0e}.",
    )

    open_on_both_sides = setup(TransparentRegion(), TransparentRegion(), band_bottom=-np.inf)
    heated = [Axis("experiment.delta_temperature", TEMPERATURE_DIFFERENCES, "delta")]
    through = in_table_units(sweep(DiodeTest(delta_temperature=1.0), open_on_both_sides, heated)).sel(terminal="L")
    yield Check(
        id="theory-energy-dependence-needed",
        claim="A temperature difference alone drives particles only if the scattering matrix varies with energy.",
        source="before Eq. 2",
        published=True,
        computed=bool(
            (np.abs(through.particle_current) <= through.error_particle_current).all()
            and (np.abs(through.heat_current) > through.error_heat_current).all()
        ),
        note="Transparent regions 1 and 3: |I| is within its error bound, "
        f"{float(through.error_particle_current.max()):.0e}, while J^F = {float(through.heat_current[0, 0]):.6f} at "
        "ΔT = T.",
    )

    device = resonances(-4.8, 4.8).device
    direct = jax.vmap(device.transmission)(np.linspace(-30.0, 30.0, 601))[:, [0, 1], [1, 0]]  # pyright: ignore[reportAttributeAccessIssue]
    yield Check(
        id="theory-no-direct-transport",
        claim="At λ = 1 no electron gets from one terminal to the other without the probe.",
        source="after Eq. 4",
        published=True,
        computed=bool(np.all(direct == 0)),
        note="The device's transmissions between L and R, at 601 energies.",
    )


def behind_a_transparent_region() -> dict[str, xr.Dataset]:
    """Diode tests with region 3 transparent, in an infinitely deep band, for each kind of barrier."""
    tests = {}
    for name, (barrier, path, places) in BARRIERS.items():
        axes = [Axis(path, places, "place"), Axis("experiment.delta_temperature", TEMPERATURE_DIFFERENCES, "delta")]
        device = setup(barrier, TransparentRegion(), band_bottom=-np.inf)
        tests[name] = in_table_units(sweep(DiodeTest(delta_temperature=1.0), device, axes))
    return tests


def right_temperatures(test: xr.Dataset) -> xr.DataArray:
    """T_R: T forward, T + ΔT backward."""
    backward = xr.DataArray([0.0, 1.0], {"direction": ["forward", "backward"]}, "direction")
    return 1.0 + test.delta * backward


def relative_deviation(found, expected) -> Float[np.ndarray, "..."]:
    """Deviation of what is expected from what was found, as a fraction of the latter."""
    return np.abs((expected - found) / found).transpose("place", "delta", "direction").to_numpy()


def _equation_3() -> Iterator[Check]:
    tests = behind_a_transparent_region()
    particle, particle_integral, heat, heat_integral, corrected = {}, {}, {}, {}, {}
    for name, test in tests.items():
        left, right = test.sel(terminal="L"), test.sel(terminal="R")
        conducted = np.pi**2 / 6 * (test.probe_temperature**2 - right_temperatures(test) ** 2)
        particle[name] = float(np.abs(left.particle_current - test.probe_mu).max())
        particle_integral[name] = float(np.abs(right.particle_current + test.probe_mu).max())
        heat[name] = relative_deviation(left.heat_current, conducted)
        heat_integral[name] = relative_deviation(right.heat_current, -conducted)
        corrected[name] = float(relative_deviation(left.heat_current, conducted + test.probe_mu**2 / 2).max())
    kinds = "Γ = 3 k_BT resonances at −6 … 6 and steps at −2 … 4 k_BT from μ, ΔT/T = 1 and 3, forward and backward"

    yield Check(
        id="eq3-particle-integral",
        claim="∫dE (f_R − f_p) = μ − μ_p.",
        source="before Eq. 3",
        published=0.0,
        computed=max(particle_integral.values()),
        tolerance=ROUNDING,
        note=f"Largest deviation in k_BT over {kinds}, from the current between R and the probe.",
    )
    yield Check(
        id="eq3-heat-integral",
        claim="∫dE E (f_R − f_p) = π² (T_R² − T_p²)/6.",
        source="before Eq. 3",
        published=0.0,
        computed=max(float(values.max()) for values in heat_integral.values()),
        tolerance=ROUNDING,
        erratum=JOULE_TERM,
        note=f"Largest relative deviation over {kinds}; energies from μ. Missing is −(μ_p − μ)²/2.",
    )
    yield Check(
        id="eq3-particle-current",
        claim="I = (2/h)(μ_p − μ).",
        source="Eq. 3",
        published=0.0,
        computed=max(particle.values()),
        tolerance=ROUNDING,
        note=f"Largest deviation in (2/h) k_BT over {kinds}.",
    )
    for name, (_, _, places) in BARRIERS.items():
        at_T, at_3T = (float(heat[name][:, number].max()) for number in (0, 1))
        worst, _ = np.unravel_index(np.argmax(heat[name][:, 0]), heat[name][:, 0].shape)
        yield Check(
            id=f"eq3-heat-current-{name}",
            claim=f"J = (π²/3h)(T_p² − T_R²), region 1 a {name}.",
            source="Eq. 3",
            published=0.0,
            computed=at_T,
            tolerance=ROUNDING,
            erratum=JOULE_TERM,
            note=f"Largest relative deviation at ΔT = T, with the {name} at {places[worst]:g} k_BT from μ; at ΔT = 3T "
            f"it is {at_3T:.3f}. With the Joule term it is {corrected[name]:.0e}.",
        )
    yield Check(
        id="eq3-heat-current-with-joule-term",
        claim="J = (2/h) [(μ_p − μ)²/2 + π² (T_p² − T_R²)/6].",
        source="Eq. 3, as corrected",
        published=0.0,
        computed=max(corrected.values()),
        tolerance=ROUNDING,
        note=f"Largest relative deviation over {kinds}.",
    )

    differ = {
        name: [np.abs(np.diff(test[variable], axis=-1)) for test in tests.values()]
        for name, variable in (("T", "probe_temperature"), ("mu", "probe_mu"))
    }
    yield Check(
        id="eq3-probe-temperatures-differ",
        claim="Thermalizing on one side of the barrier is enough for T_p^F ≠ T_p^B.",
        source="after Eq. 3",
        published=True,
        computed=all(bool(np.all(values > ROUNDING)) for values in differ["T"]),
        note=f"|T_p^F − T_p^B| ≥ {min(float(values.min()) for values in differ['T']):.3f} T over {kinds}.",
    )
    asymmetric = [
        values[np.abs(places) > 0.01] if name == "resonance" else values  # a step never has electron-hole symmetry
        for (name, (_, _, places)), values in zip(BARRIERS.items(), differ["mu"], strict=True)
    ]
    yield Check(
        id="eq3-probe-potentials-differ",
        claim="If the barrier is not electron-hole symmetric, μ_p^F ≠ μ_p^B.",
        source="after Eq. 3",
        published=True,
        computed=all(bool(np.all(values > ROUNDING)) for values in asymmetric),
        note=f"|μ_p^F − μ_p^B| ≥ {min(float(values.min()) for values in asymmetric):.3f} k_BT over {kinds}, the "
        "resonance at μ left out.",
    )
    symmetric = tests["resonance"].sel(place=0.0, method="nearest")
    largest = float(np.abs(symmetric.particle_current).max())
    yield Check(
        id="eq3-symmetric-barrier-no-thermoelectric-diode",
        claim="With an electron-hole symmetric barrier there is no thermoelectric diode.",
        source="after Eq. 3",
        published=True,
        computed=largest < ROUNDING and bool(np.all(np.abs(symmetric.probe_mu) < ROUNDING)),
        note=f"A resonance at μ: |I| ≤ {largest:.0e} and μ_p = μ in both directions, while R_J = "
        f"{float(symmetric.rectification_heat[0]):.3f} at ΔT = T.",
    )
