"""mesotherm: nonlinear thermoelectric transport in nanodevices, every answer audited."""

import jax

jax.config.update("jax_enable_x64", True)

from mesotherm.device import Effort, Reservoirs  # noqa: E402
from mesotherm.devices.barriers import ResonantBarrier, StepBarrier, TransparentRegion  # noqa: E402
from mesotherm.devices.coulomb_dots import CoulombDots, quantum_dot_thermocouple  # noqa: E402
from mesotherm.devices.thermalization_diode import ThermalizationDiode  # noqa: E402
from mesotherm.results import Outcome  # noqa: E402
from mesotherm.steady_state import SteadyState, steady_state  # noqa: E402
from mesotherm.unknowns import HeatProbe, ThermalizingProbe, VanishingProbe, VoltageProbe  # noqa: E402
