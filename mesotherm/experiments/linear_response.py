"""Linear response about an equilibrium, and how far it carries."""

from typing import ClassVar

import jax.numpy as jnp
import numpy as np

from mesotherm.device import Assumption
from mesotherm.experiments.experiment import (
    ASSUMPTION_VALUE,
    AbstractExperiment,
    Setup,
    judged_further,
    read,
    state_variables,
)
from mesotherm.fields import terminal_name
from mesotherm.linear_response import (
    against_terminal,
    coefficients,
    equilibrium,
    linear_response,
    of_all_terminals,
)
from mesotherm.observables import Variable, heat_current
from mesotherm.results import Outcome
from mesotherm.thermodynamics import positive_response, reciprocity
from mesotherm.unknowns import check_unknowns

PAIR = ("terminal", "other_terminal")

RESPONSES = {
    "onsager_particle": ("response of particle currents to Δμ/T", "L^{NN}", "e^2*energy/hbar"),
    "onsager_particle_heat": ("response of particle currents to ΔT/T²", "L^{NJ}", "e*energy^2/hbar"),
    "onsager_heat_particle": ("response of heat currents to Δμ/T", "L^{JN}", "e*energy^2/hbar"),
    "onsager_heat": ("response of heat currents to ΔT/T²", "L^{JJ}", "energy^3/hbar"),
}

LINEAR = {
    "linear_particle_current": ("particle current by linear response", r"I_\mathrm{lin}", "energy/hbar"),
    "linear_heat_current": ("heat current by linear response", r"J_\mathrm{lin}", "energy^2/hbar"),
}

LOST_DIGITS = 100.0
"""Estimated errors of responses that are accepted, in units of what is accepted for currents under a force of 1."""

COEFFICIENTS = {
    "conductance": ("conductance", "G", "e^2/hbar"),
    "seebeck": ("Seebeck coefficient", "S", "k_B/e"),
    "peltier": ("Peltier coefficient", r"\Pi", "energy/e"),
    "thermal_conductance": ("thermal conductance without current", "K", "k_B*energy/hbar"),
    "thermal_conductance_at_zero_bias": ("thermal conductance without bias", "K_0", "k_B*energy/hbar"),
    "figure_of_merit": ("figure of merit", "ZT", "1"),
}


class LinearResponseExperiment(AbstractExperiment):
    r"""The Onsager matrix about the equilibrium of one terminal, thermoelectric coefficients, and how far they carry.

    .. math:: I_\alpha = \sum_\beta L^{NN}_{\alpha\beta} \frac{\Delta\mu_\beta}{T}
                       + L^{NJ}_{\alpha\beta} \frac{\Delta T_\beta}{T^2}, \qquad
              J_\alpha = \sum_\beta L^{JN}_{\alpha\beta} \frac{\Delta\mu_\beta}{T}
                       + L^{JJ}_{\alpha\beta} \frac{\Delta T_\beta}{T^2}

    In equilibrium all reservoirs have the T of the terminal ``reference``, and the μ of it or of the terminal of
    reference of their own conductor; whatever floats follows. The coefficients are those of ``terminal`` against
    ``reference``. Beside them stand the currents between the reservoirs as they are, and what linear response makes of
    them: its validity says how far apart they are; it is trusted up to 0.1. In equilibrium the noise is 2L.

    Errors: ``estimate_X`` estimates the error of X from the bounds on the errors of currents under a force of the order
    of 1; a proven bound there is none.

    Source: Onsager, Phys. Rev. 37, 405 (1931); Casimir, Rev. Mod. Phys. 17, 343 (1945); Benenti, Casati, Saito &
    Whitney, Phys. Rep. 694, 1 (2017), Secs. 2 and 3.
    """

    assumptions: ClassVar = {
        "linear_response": Assumption("currents are linear in what drives them: largest deviation of any", limit=0.1)
    }

    terminal: str = terminal_name("terminal that is biased and heated", default="L")
    reference: str = terminal_name("terminal whose T and mu are those of the equilibrium", default="R")

    def prepare(self, setup):
        check_unknowns(setup.device, setup.unknowns)
        self._representation(setup)
        return setup

    def _representation(self, setup: Setup):
        return against_terminal(setup.device, setup.unknowns, self.terminal, self.reference, "linear response")

    def further_laws(self, setup):
        return ("reciprocity", "positive_response")

    def coordinates(self, setup):
        return {"other_terminal": np.array(setup.device.terminals, dtype=object)}

    def variables(self, setup):
        against = f" of {self.terminal} against {self.reference}"
        return {
            **state_variables(setup),
            **ASSUMPTION_VALUE,
            "other_terminal": Variable("terminal where the force acts", "", "1", ("other_terminal",)),
            **{name: Variable(*described, PAIR) for name, described in RESPONSES.items()},
            **{name: Variable(text + against, symbol, unit) for name, (text, symbol, unit) in COEFFICIENTS.items()},
            **{name: Variable(*described, ("terminal",)) for name, described in LINEAR.items()},
        }

    def measure(self, setup, effort):
        device, unknowns, representation = setup.device, setup.unknowns, self._representation(setup)
        rest = equilibrium(device, setup.reservoirs, representation)
        zero = rest.mu[device.index(self.reference)]

        def response(device):
            return linear_response(device, rest, unknowns, representation, zero_of_energy=zero, effort=effort)

        found = response(device)
        reversed_field = device.time_reversed()
        mirrored = found if reversed_field is device else response(reversed_field)
        everywhere = of_all_terminals(found, device, unknowns, rest, zero)
        state = setup.solve(effort)
        linear, estimate = everywhere.currents(rest, setup.reservoirs)
        out = judged_further(
            read(state),
            [
                reciprocity(*found.asymmetry(mirrored)),
                positive_response(found.smallest_eigenvalue, found.smallest_eigenvalue_estimate),
            ],
            [_deviation(state, linear)],
        )
        for name, (current, force) in zip(RESPONSES, np.ndindex(2, 2), strict=True):
            out[name] = everywhere.matrix[current, :, force]
            out[f"estimate_{name}"] = everywhere.estimate[current, :, force]
        of_terminal = coefficients(found, self.terminal, rest.T[0])
        for name in COEFFICIENTS:
            out[name], out[f"estimate_{name}"] = getattr(of_terminal, name), of_terminal.estimate[name]
        for name, value, off in zip(LINEAR, linear, estimate, strict=True):
            out[name], out[f"estimate_{name}"] = value, off
        return out | {"status": self._outcome(state, found, everywhere, rest)}

    @staticmethod
    def _outcome(state, found, everywhere, rest):
        """The state's; what is wrong with the response where nothing is with the state."""
        flux = jnp.stack([jnp.max(state.one_way.particle), jnp.max(state.one_way.energy)])
        accepted = LOST_DIGITS * state.tolerance * jnp.outer(flux, jnp.stack([1.0, rest.T[0]]))
        missed = ~jnp.all(everywhere.estimate <= accepted[:, None, :, None])
        of_response = jnp.where(missed, Outcome.TOLERANCE_MISSED, Outcome.CONVERGED).astype(jnp.int8)
        of_response = jnp.where(found.outcome == Outcome.CONVERGED, of_response, found.outcome)
        return jnp.where(state.outcome == Outcome.CONVERGED, of_response, state.outcome)


def _deviation(state, linear):
    """Largest difference between currents and their linear response, over the largest of either; currents of particles
    and of heat apart. Zero where both vanish within their bounds."""
    worst = []
    found = (state.currents.particle, state.error.particle), (heat_current(state), state.error.energy)
    for (current, error), predicted in zip(found, linear, strict=True):
        largest = jnp.max(jnp.maximum(jnp.abs(current), jnp.abs(predicted)))
        flows = largest > jnp.max(error)
        worst.append(jnp.where(flows, jnp.max(jnp.abs(current - predicted)) / jnp.where(flows, largest, 1.0), 0.0))
    return jnp.maximum(*worst)
