"""Noise: how particle and heat currents fluctuate about a steady state."""

import numpy as np

from mesotherm.engines.rate_equation import AbstractRateEquation
from mesotherm.engines.scattering import HasSMatrix
from mesotherm.experiments.experiment import AbstractExperiment, Setup, judged_further, read, state_variables
from mesotherm.fields import terminal_names
from mesotherm.fluctuations import check_following, fano_factor, noise, uncertainty_product
from mesotherm.observables import Variable
from mesotherm.thermodynamics import uncertainty_relation
from mesotherm.unknowns import check_unknowns

PAIR = ("terminal", "other_terminal")


class NoiseExperiment(AbstractExperiment):
    r"""Zero-frequency covariances of all currents in the steady state, S = ∫dt ⟨ΔX_a(t) ΔX_b(0)⟩ symmetrised.

    2 k_B T G in equilibrium, the current itself where electrons pass rarely and one way; many papers call twice this S.
    Its ``shot`` part is zero in equilibrium, the rest is thermal. ``particle_heat_noise`` is that of the particle
    current of ``terminal`` with the heat current of ``other_terminal``. Beside them stand the Fano factor S/abs(I) and
    the product S Σ̇/I² of the thermodynamic uncertainty relation, NaN where the current vanishes within its bound. For
    dots it is one more law of the audit that this is at least 2.

    Of every probe it must be said what its reservoir does: it is ``frozen`` at its mean mu and T, or ``following`` the
    fluctuations so that what it takes in vanishes at any time, as seen at frequencies far below those at which it
    charges and heats up.

    Source: Blanter & Büttiker, Phys. Rep. 336, 1 (2000), Secs. 2.4, 2.5 and 2.7.

    Needs: a device with a scattering matrix (``HasSMatrix``), or dots (which have no ``shot`` part); every probe named
    once.

    Assumes: potentials fixed at their means, screened ones too.
    """

    frozen: tuple[str, ...] = terminal_names("probes that keep their mean mu and T", default=())
    following: tuple[str, ...] = terminal_names("probes whose mu and T follow the fluctuations", default=())

    def prepare(self, setup):
        check_unknowns(setup.device, setup.unknowns)
        floating = [probe.terminal for probe in setup.probes]
        check_following(setup.device, floating, (*self.frozen, *self.following))
        for name in floating:
            if (self.frozen + self.following).count(name) != 1:
                raise ValueError(
                    f"noise: say of the probe {name!r} whether it is frozen or following; "
                    "name it in exactly one of the two."
                )
        return setup

    def further_laws(self, setup):
        return ("uncertainty_relation",) if isinstance(setup.device, AbstractRateEquation) else ()

    def coordinates(self, setup):
        return {"other_terminal": np.array(setup.device.terminals, dtype=object)}

    def variables(self, setup: Setup):
        kinds = {
            "particle_noise": ("noise of the particle currents", "S^{II}", "e^2*energy/hbar"),
            "heat_noise": ("noise of the heat currents", "S^{JJ}", "energy^3/hbar"),
            "particle_heat_noise": ("covariance of particle and heat currents", "S^{IJ}", "e*energy^2/hbar"),
        }
        parts = {
            f"shot_{name}": (
                f"shot {text}" if "noise" in text else f"shot part of the {text}",
                symbol + r"_\mathrm{shot}",
                unit,
            )
            for name, (text, symbol, unit) in kinds.items()
            if isinstance(setup.device, HasSMatrix)
        }
        ratios = {
            "fano_factor": Variable("Fano factor of the particle current", "F", "1", ("terminal",)),
            "uncertainty_product": Variable(
                "noise times entropy production, in k_B, over the squared particle current",
                r"S \dot\Sigma / I^2",
                "1",
                ("terminal",),
            ),
        }
        return {
            **state_variables(setup),
            "other_terminal": Variable("terminal of the other current", "", "1", ("other_terminal",)),
            **{name: Variable(*described, PAIR) for name, described in (kinds | parts).items()},
            **ratios,
        }

    def measure(self, setup, effort):
        state = setup.solve(effort)
        found = noise(state, following=self.following, effort=effort)
        out = read(state) | {"status": found.outcome}
        for name in ("particle", "heat", "particle_heat"):
            parts = {"": (found.value, found.error), "shot_": (found.shot, found.shot_error)}
            for part, (value, error) in parts.items():
                if value is not None:
                    out[f"{part}{name}_noise"] = getattr(value, name)
                    out[f"error_{part}{name}_noise"] = getattr(error, name)
        for name, ratio in (("fano_factor", fano_factor), ("uncertainty_product", uncertainty_product)):
            out[name], out[f"error_{name}"] = ratio(state, found)
        if self.further_laws(setup):
            out = judged_further(
                out, [uncertainty_relation(out["uncertainty_product"], out["error_uncertainty_product"])]
            )
        return out
