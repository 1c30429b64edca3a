"""Counting statistics: the first four cumulants of all currents of dots."""

import numpy as np

from mesotherm.engines.counting import ORDERS
from mesotherm.engines.rate_equation import AbstractRateEquation
from mesotherm.experiments.experiment import AbstractExperiment, Setup, read, state_variables
from mesotherm.fluctuations import cumulants
from mesotherm.observables import Variable
from mesotherm.unknowns import check_unknowns

PER_ORDER = ("cumulant", "terminal")

CARRIED = {"heat": "J", "energy": "E"}
HIGHER = {2: "second", 3: "third", 4: "fourth"}
"""Cumulants of heat and energy have a unit each; their first ones are the currents."""


class CountingStatistics(AbstractExperiment):
    r"""Cumulants C_n/t, n = 1…4, of the electrons, the heat and the energy that pass in a long time t.

    The first is the mean current, the second its noise (S of the experiment ``noise``), the third and fourth say how
    skewed and how sharp the distribution is; all are equal where single electrons pass rarely and one way. Probes keep
    their mean μ and T.

    Source: Bagrets & Nazarov, Phys. Rev. B 67, 085316 (2003); Flindt et al., Phys. Rev. B 82, 155407 (2010).

    Needs: dots (a rate equation).
    """

    def prepare(self, setup):
        check_unknowns(setup.device, setup.unknowns)
        if not isinstance(setup.device, AbstractRateEquation):
            raise ValueError(
                f"counting statistics: {type(setup.device).__name__} is no rate equation; use dots, or the experiment "
                "noise."
            )
        return setup

    def coordinates(self, setup):
        return {"cumulant": np.arange(1, ORDERS + 1)}

    def variables(self, setup: Setup):
        return {
            **state_variables(setup),
            "cumulant": Variable("order of the cumulant", "n", "1", ("cumulant",)),
            "particle_cumulants": Variable("cumulants of the particle current", r"C_n^I", "energy/hbar", PER_ORDER),
            **{
                f"{kind}_cumulant_{order}": Variable(
                    f"{word} cumulant of the {kind} current",
                    f"C_{order}^{symbol}",
                    f"energy^{order + 1}/hbar",
                    ("terminal",),
                )
                for kind, symbol in CARRIED.items()
                for order, word in HIGHER.items()
            },
        }

    def measure(self, setup, effort):
        state = setup.solve(effort)
        found = cumulants(state)
        out = read(state) | {"status": found.outcome}
        out["particle_cumulants"], out["error_particle_cumulants"] = found.particle, found.particle_error
        for kind in CARRIED:
            value, error = getattr(found, kind), getattr(found, f"{kind}_error")
            for order in HIGHER:
                out[f"{kind}_cumulant_{order}"] = value[order - 1]
                out[f"error_{kind}_cumulant_{order}"] = error[order - 1]
        return out
