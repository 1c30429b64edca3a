"""Figs. 3 and 4 of the paper: maps and cuts of the screened diode, and what happens at the star of Fig. 3(a)."""

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jaxtyping import Float

from mesotherm.following import follow
from mesotherm.papers.balduque2025.figure2 import CUT_LEVELS, LEVELS
from mesotherm.papers.balduque2025.model import in_table_units
from mesotherm.papers.balduque2025.screened import CAPTION, COHERENT, THERMALIZED, diode, diode_tests
from mesotherm.papers.refine import zero_between
from mesotherm.papers.reproduction import Progress

CUT_A, CUT_B = 8.2, 7.5
"""ε₃ along the cuts of panels a and b."""

STAR_BRACKET = (6.0, 7.2)
"""The ε₁ between which I^F and I^B are equal on cut a: the star."""

STAR_POINTS = 256
"""ε₁ per refinement of the star: as many points as are computed together, so that nothing is compiled anew."""

TEMPERATURE_DIFFERENCES = np.linspace(0.0, 6.0, 121)
"""ΔT/T of panels f and g."""

ENERGIES = np.linspace(-15.0, 15.0, 6001)
"""Energies of panel e, from μ in k_BT."""

CONFIGURATIONS = ("equilibrium", "forward", "backward")


def compute_figure_3(progress: Progress) -> dict[str, xr.Dataset]:
    """Every dataset of Fig. 3: the map, the cuts a and b, the star's transmission and its way to ΔT = 6 T."""
    datasets = _map_and_cuts(COHERENT, "fig3", progress)
    star = _star()
    for name in ("fig3", "fig3a"):
        datasets[name].attrs |= {f"star_{key}": value for key, value in star.items()}
    datasets["fig3e"] = _transmissions(star["epsilon_1"])
    datasets["fig3f"] = _heated_further(star["epsilon_1"])
    for name in ("fig3e", "fig3f"):
        datasets[name].attrs |= {
            "epsilon_1": star["epsilon_1"],
            "epsilon_3": CUT_A,
            **CAPTION,
            "probe_strength": COHERENT,
        }
    return datasets


def compute_figure_4(progress: Progress) -> dict[str, xr.Dataset]:
    """Every dataset of Fig. 4: the map, and the cuts a and b."""
    datasets = _map_and_cuts(THERMALIZED, "fig4", progress)
    for dataset in datasets.values():
        unscreened = xr.DataArray([name == "U2" for name in dataset.coordinate.to_numpy()], dims="coordinate")
        for variable in ("potential", "error_potential"):
            dataset[variable] = dataset[variable].where(~unscreened).assign_attrs(dataset[variable].attrs)
        dataset["potential"].attrs["comment"] = "U2 changes nothing at full thermalization and is not solved for"
    return datasets


def _map_and_cuts(strength: float, name: str, progress: Progress) -> dict[str, xr.Dataset]:
    """The map of one λ and two cuts, with the currents at the potentials of equilibrium beside them."""
    whole = len(LEVELS) ** 2 + 2 * len(CUT_LEVELS)
    both = CUT_LEVELS, np.array([CUT_A, CUT_B])

    def after(points: int) -> Progress:
        return lambda done, total: progress(points + done, 2 * whole)

    tests = {}
    for screened, before in ((True, 0), (False, whole)):
        setup = diode(strength, screened=screened)
        tests[screened] = (
            diode_tests(setup, LEVELS, LEVELS, progress=after(before)),
            diode_tests(setup, *both, progress=after(before + len(LEVELS) ** 2)),
        )
    datasets = {}
    for key, position, chosen in ((name, 0, {}), (f"{name}a", 1, {"epsilon_3": 0}), (f"{name}b", 1, {"epsilon_3": 1})):
        dataset, frozen = (tests[screened][position].isel(chosen) for screened in (True, False))
        for prefix in ("", "error_"):
            dataset[f"{prefix}particle_current_equilibrium"] = frozen[f"{prefix}particle_current"]
        dataset["particle_current_equilibrium"].attrs |= {
            "long_name": "particle current with the potentials of equilibrium",
            "symbol": r"I^\mathrm{eq}",
        }
        dataset["status_equilibrium"] = frozen["status"]
        dataset.attrs["title"] = (
            f"Fig. {key.removeprefix('fig')}: rectification by screening, probe strength {strength:g}"
        )
        dataset.attrs |= {**CAPTION, "probe_strength": strength}
        datasets[key] = dataset
    return datasets


# ---------------------------------------------------------------------------------------------------------------------
# The star.


def _star() -> dict[str, float]:
    """Where on cut a the currents of both directions are equal, and what flows there."""

    def tested(epsilon_1):
        return diode_tests(diode(COHERENT), epsilon_1, np.array([CUT_A])).isel(epsilon_3=0)

    def difference(epsilon_1):
        return tested(epsilon_1).particle_current.sel(terminal="L").diff("direction").to_numpy()[:, 0]

    place = zero_between(difference, *STAR_BRACKET, points=STAR_POINTS)
    there = tested(np.full(STAR_POINTS, place)).isel(epsilon_1=0).sel(terminal="L")
    forward = there.sel(direction="forward")
    return {
        "epsilon_1": place,
        "epsilon_3": CUT_A,
        "particle_current": float(forward.particle_current),
        "heat_current_forward": float(forward.heat_current),
        "heat_current_backward": float(there.heat_current.sel(direction="backward")),
        **{str(name): float(forward.potential.sel(coordinate=name)) for name in forward.coordinate.to_numpy()},
    }


def _transmissions(epsilon_1: float) -> xr.Dataset:
    """Panel e: T(E) at the star with the potentials of equilibrium, and forward and backward."""
    setup = diode(COHERENT, epsilon_1, CUT_A)
    tested = diode_tests(diode(COHERENT), np.full(STAR_POINTS, epsilon_1), np.array([CUT_A])).isel(
        epsilon_1=0, epsilon_3=0
    )
    moved = tested.potential.transpose("direction", "coordinate").to_numpy()
    passed = [_transmission(setup.device, jnp.asarray(q), ENERGIES) for q in (np.zeros(3), *moved)]
    names = {"configuration": list(CONFIGURATIONS)}
    energy = {"long_name": "energy from the electrochemical potential", "units": "k_B T", "symbol": "E"}
    return xr.Dataset(
        {
            "transmission": (
                ("configuration", "energy"),
                np.stack(passed),
                {"long_name": "transmission probability from R to L", "units": "1", "symbol": r"\mathcal{T}"},
            ),
            "potential": (
                ("configuration", "coordinate"),
                np.concatenate([np.zeros((1, 3)), moved]),
                tested.potential.attrs,
            ),
        },
        {**names, "energy": ("energy", ENERGIES, energy), "coordinate": tested.coordinate},
        {"title": "Fig. 3e: transmission of the screened diode at the star"},
    )


@jax.jit
def _transmission(device, q, energies) -> Float[np.ndarray, "energies"]:
    return jax.vmap(device.moved_to(q).transmission)(energies)[:, 0, 1]


def _heated_further(epsilon_1: float) -> xr.Dataset:
    """Panels f and g: the star's currents with ΔT, every solution on the curve from equilibrium."""
    setup = diode(COHERENT, epsilon_1, CUT_A)
    hot = 1.0 + TEMPERATURE_DIFFERENCES
    found = []
    for direction, terminal in (("forward", "L"), ("backward", "R")):
        traced = follow(setup, f"reservoirs.{terminal}.T", hot[0], hot[-1], at=hot)
        eigenvalue = traced.largest_eigenvalue
        traced = in_table_units(traced).sel(terminal=["L", "R"]).assign(largest_eigenvalue=eigenvalue)
        traced = traced.rename({f"{terminal}_T": "delta_temperature"}).expand_dims(direction=[direction], axis=2)
        found.append(traced.assign_coords(delta_temperature=TEMPERATURE_DIFFERENCES))
    joined = xr.concat(found, "direction", join="outer", combine_attrs="drop_conflicts", fill_value=_nothing(found[0]))
    joined["delta_temperature"].attrs = {"long_name": "temperature difference", "units": "T", "symbol": r"\Delta T"}
    joined["status"] = joined.status.astype(np.int8)
    return joined.assign_attrs(title="Fig. 3f: currents of the screened diode at the star against ΔT")


def _nothing(dataset: xr.Dataset) -> dict[str, float]:
    """What stands where there is no such solution."""
    return {str(name): -1 if name == "status" else np.nan for name in dataset.data_vars}
