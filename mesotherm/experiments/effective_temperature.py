"""The temperature a weak probe would read."""

from mesotherm.experiments.experiment import AbstractExperiment, Setup, read, state_variables
from mesotherm.fields import terminal_name
from mesotherm.unknowns import VanishingProbe, check_unknowns


class EffectiveTemperature(AbstractExperiment):
    """The temperature and electrochemical potential a vanishingly weak probe would read.

    ``terminal`` is the probe; whatever its coupling, it is taken to zero.

    Source: Whitney et al., Physica E 75, 257 (2016), Sec. 7.
    """

    terminal: str = terminal_name("terminal that probes", default="P")

    def prepare(self, setup):
        others = (unknown for unknown in setup.unknowns if unknown.about != self.terminal)
        unknowns = (VanishingProbe(self.terminal), *others)
        check_unknowns(setup.device, unknowns)
        return Setup(setup.device, setup.reservoirs, unknowns, setup.tolerance)

    def variables(self, setup):
        return state_variables(setup)

    def measure(self, setup, effort):
        return read(setup.solve(effort))
