"""The steady state as it is."""

from mesotherm.experiments.experiment import AbstractExperiment, read, state_variables
from mesotherm.unknowns import check_unknowns


class SteadyStateExperiment(AbstractExperiment):
    """Solve for the steady state and read every standard observable."""

    def prepare(self, setup):
        check_unknowns(setup.device, setup.unknowns)
        return setup

    def variables(self, setup):
        return state_variables(setup)

    def measure(self, setup, effort):
        return read(setup.solve(effort))
