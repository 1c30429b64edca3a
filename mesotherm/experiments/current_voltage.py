"""Current and differential conductance at a bias."""

from jaxtyping import Array, Float

from mesotherm.experiments.bias import Bias, left_share
from mesotherm.experiments.experiment import AbstractExperiment, read, state_variables
from mesotherm.fields import parameter, terminal_name
from mesotherm.observables import Variable


class CurrentVoltage(AbstractExperiment):
    r"""Everything read off the state at a bias, and how the current answers to it.

    .. math:: G = \frac{\mathrm d I_\text{left}}{\mathrm d b}

    through the self-consistent solution: probes follow (implicit function theorem). ``bias`` is
    :math:`\mu_\text{left} - \mu_\text{right}`, divided by ``left_share`` about the mu given for ``right``
    (:class:`mesotherm.experiments.bias.Bias`). Sweep it with an axis over ``experiment.bias``.

    Needs: two terminals of one conductor that do not float.

    Errors: ``differential_conductance`` has no bound beside it. The bounds of the currents say nothing about their
    slopes; it agrees with differences of the currents to 1e-11 where those are that good.
    """

    bias: Float[Array, ""] = parameter("bias, mu of the left minus mu of the right terminal", default=0.0)
    left: str = terminal_name("terminal from which the bias is counted", default="L")
    right: str = terminal_name("terminal to which the bias is counted", default="R")
    left_share: Float[Array, ""] = left_share()

    @property
    def _pair(self) -> Bias:
        return Bias(self.left, self.right, self.left_share)

    @property
    def sets(self):
        return self._pair.sets

    def prepare(self, setup):
        self._pair.check(setup, "current and voltage")
        return setup

    def variables(self, setup):
        conductance = Variable(f"slope of the particle current of {self.left} with the bias", "G", "e^2/hbar")
        return {**state_variables(setup), "differential_conductance": conductance}

    def measure(self, setup, effort):
        state, _, conductance = self._pair.solve(setup, self.bias, effort)
        return {**read(state), "differential_conductance": conductance}
