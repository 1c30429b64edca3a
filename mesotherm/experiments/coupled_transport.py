"""Two forces at one terminal, and the currents that answer: cross effects and inverse currents."""

from typing import cast

import jax.numpy as jnp
from jaxtyping import Array, Float

from mesotherm.experiments.experiment import AbstractExperiment, Setup, judged_further, read, state_variables
from mesotherm.fields import parameter, terminal_name
from mesotherm.force_flux import Pairs, Representation, driven_by, force_flux_pairs
from mesotherm.inverse_currents import TransportKind, inverse_currents
from mesotherm.observables import Variable
from mesotherm.thermodynamics import force_flux_identity
from mesotherm.unknowns import check_unknowns, held_terminals


class CoupledTransport(AbstractExperiment):
    r"""Let a force on energy and a force on particles act at one terminal and classify the currents that answer.

    .. math:: F^E = \frac1T - \frac1{T_\alpha}, \qquad
              F^N = \frac{\mu_\alpha - E_0}{T_\alpha} - \frac{\mu - E_0}{T}

    T and μ are those of the other terminals of its conductor as the setup gives them, E₀ is the zero of energy. Where
    both forces are parallel and a current opposes both it is an inverse current.

    Source: Ghosh & Ghosh, arXiv:2603.06336 (2026), Eq. 50 and Fig. 3.
    """

    force_energy: Float[Array, ""] = parameter("force on energy F^E, below 1/T", unit="1/energy", default=0.0)
    force_particle: Float[Array, ""] = parameter("force on particles F^N", unit="1", default=0.0)
    terminal: str = terminal_name("terminal where the forces act", default="L")
    zero_of_energy: Float[Array, ""] = parameter("zero of energy E₀", gauge=True, default=0.0)

    def prepare(self, setup):
        check_unknowns(setup.device, setup.unknowns)
        self._representation(setup)
        return setup

    def _representation(self, setup: Setup) -> Representation:
        """Everything counted from another terminal of the same conductor."""
        device = setup.device
        held = held_terminals(device, setup.unknowns)
        members = [device.terminals[i] for i in device.conductor_of(self.terminal)]
        others = [name for name in members if name != self.terminal and name in held]
        if self.terminal not in held or not others:
            raise ValueError(
                f"coupled transport: no other terminal that is held shares particles with {self.terminal!r}, or it "
                "floats itself; name a terminal of a conductor with another one that does not float."
            )
        usual = [name for name in others if name not in device.usual_probes] or others
        return Representation.of(device, setup.unknowns, energy=usual[-1], particles=(usual[-1],))

    @property
    def sets(self):
        return tuple(f"reservoirs.{self.terminal}.{what}" for what in ("mu", "T"))

    def further_laws(self, setup):
        return ("force_flux_identity",)

    def variables(self, setup):
        name = self.terminal
        return {
            **state_variables(setup),
            "transport": Variable("how the currents answer the forces", "", "1", flags=TransportKind),
            "flux_energy": Variable(f"energy current of {name} from the zero", r"J^\mathrm{E}", "energy^2/hbar"),
            "flux_particle": Variable(f"particle current of {name}", r"J^\mathrm{N}", "energy/hbar"),
            "gradient_temperature": Variable(f"temperature of {name} above the others", r"\Delta T", "energy/k_B"),
            "gradient_mu": Variable(f"electrochemical potential of {name} above the others", r"\Delta\mu", "energy"),
            "gradient_opposes_force": Variable(
                "1 where force on particles and gradient of mu have opposite signs",
                "",
                "1",
                warning="the gradient of mu and the force on particles have opposite signs: a current against the "
                "gradient may run along its force. `transport` judges by the forces.",
            ),
            "only_against_gradients": Variable(
                "1 where a current flows against both gradients and yet is not inverse", "", "1"
            ),
            "inverse_above": Variable("zero of energy above which a current is inverse", "E_0", "energy"),
            "inverse_is_particle": Variable("1 where that is the particle current, 0: the energy current", "", "1"),
            "only_pair": Variable("1 where no other force contributes to the entropy production", "", "1"),
        }

    def applied(self, setup: Setup) -> Setup:
        """The setup with the forces at the terminal, everything else as it is given."""
        device, representation = setup.device, self._representation(setup)
        pairs = Pairs.of(device, setup.unknowns, representation)
        forces = jnp.zeros(len(pairs.names))
        forces = forces.at[pairs.names.index(f"E_{self.terminal}")].set(self.force_energy)
        forces = forces.at[pairs.names.index(f"N_{self.terminal}")].set(self.force_particle)
        moved = driven_by(forces, device, setup.reservoirs, pairs, representation, zero_of_energy=self.zero_of_energy)
        i = device.index(self.terminal)
        return setup.with_reservoir(self.terminal, mu=moved.mu[i], T=moved.T[i])

    def measure(self, setup, effort):
        state, representation = self.applied(setup).solve(effort), self._representation(setup)
        found = inverse_currents(state, self.terminal, representation, zero_of_energy=self.zero_of_energy)
        pairs = force_flux_pairs(state, representation, zero_of_energy=self.zero_of_energy)
        identity = force_flux_identity(state, pairs)
        out = judged_further(read(state), [identity]) | {"transport": found.transport}
        out["gradient_opposes_force"] = (self.force_particle * found.gradient[1] < 0).astype(float)
        out["flux_energy"], out["flux_particle"] = found.flux
        out["error_flux_energy"], out["error_flux_particle"] = found.error
        out["gradient_temperature"], out["gradient_mu"] = found.gradient
        for name in ("only_against_gradients", "inverse_is_particle", "only_pair"):
            out[name] = cast(Array, getattr(found, name)).astype(float)
        return out | {"inverse_above": found.inverse_above}
