"""What a device does at its working point: engine, refrigerator, heat pump, and how well."""

import jax.numpy as jnp
import numpy as np

from mesotherm.experiments.experiment import AbstractExperiment, read, state_variables
from mesotherm.fields import is_traced, terminal_names
from mesotherm.observables import Variable
from mesotherm.regimes import DESCRIPTIONS, MEASURED, Regime, operation, quantum_power_bound
from mesotherm.unknowns import check_unknowns


class OperatingRegime(AbstractExperiment):
    r"""Classify what the device does: which terminals it cools or heats, whether it produces work, and how well.

    A refrigerator cools a terminal colder than the surroundings, a heat pump heats a hotter one, an engine produces
    work; a device may do several of it. All of them are compared with Carnot's bounds and by the second-law efficiency,
    work delivered over work given, which is at most 1 for any number of terminals and tasks.

    Source: Manzano et al., Phys. Rev. Res. 2, 043302 (2020); power bound: Whitney, Phys. Rev. Lett. 112, 130601 (2014).
    """

    surroundings: tuple[str, ...] = terminal_names(
        "terminals whose common temperature is that of the surroundings; by default the median one, of two the hotter",
        default=(),
    )

    def prepare(self, setup):
        check_unknowns(setup.device, setup.unknowns)
        for name in self.surroundings:
            setup.device.index(name)
            if any(probe.terminal == name for probe in setup.probes):
                raise ValueError(
                    f"operating regime: terminal {name!r} floats; the surroundings have a temperature that is given."
                )
        at = [setup.device.index(name) for name in self.surroundings]
        if at and not is_traced(setup.reservoirs.T) and len(set(np.asarray(setup.reservoirs.T)[at].tolist())) > 1:
            raise ValueError(
                f"operating regime: {' and '.join(self.surroundings)} have different temperatures; name terminals with "
                "the same one."
            )
        return setup

    def coordinates(self, setup):
        return {"conductor": np.array(["-".join(names) for names in setup.device.conductors], dtype=object)}

    def variables(self, setup):
        return {
            **state_variables(setup),
            **DESCRIPTIONS,
            "regime": Variable("what the device does", "", "1", flags=Regime),
            "quantum_power_bound": Variable(
                "largest power of any coherent conductor with as many channels", r"P_\mathrm{max}", "energy^2/hbar"
            ),
            "conductor": Variable("terminals that share particles", "", "1", ("conductor",)),
        }

    def measure(self, setup, effort):
        state = setup.solve(effort)
        found = operation(state, self.surroundings[0] if self.surroundings else "")
        out = read(state) | {"regime": found.regime}
        for name in DESCRIPTIONS:
            out[name] = getattr(found, name)
        for name in MEASURED:
            out[f"error_{name}"] = jnp.where(jnp.isnan(out[name]), jnp.nan, found.error[name])
        return out | {"quantum_power_bound": quantum_power_bound(state)}
