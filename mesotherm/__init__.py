"""mesotherm: nonlinear thermoelectric transport in nanodevices, every answer audited.

Importing it switches JAX to 64 bit.
"""

import jax

jax.config.update("jax_enable_x64", True)

from mesotherm._version import __version__  # noqa: E402
from mesotherm.device import Effort, Reservoirs  # noqa: E402
from mesotherm.devices.barriers import ResonantBarrier, StepBarrier, TransparentRegion  # noqa: E402
from mesotherm.devices.coulomb_dots import CoulombDots, quantum_dot_thermocouple  # noqa: E402
from mesotherm.devices.thermalization_diode import ThermalizationDiode  # noqa: E402
from mesotherm.experiments import (  # noqa: E402
    CurrentVoltage,
    DiodeTest,
    EffectiveTemperature,
    HeatDrag,
    LoadSweep,
    OpenCircuit,
    PowerAtOptimalBias,
    Setup,
    SteadyStateExperiment,
)
from mesotherm.observables import OBSERVABLES  # noqa: E402
from mesotherm.results import Outcome  # noqa: E402
from mesotherm.steady_state import SteadyState, steady_state  # noqa: E402
from mesotherm.sweep import Axis, Tie, sweep  # noqa: E402
from mesotherm.thermodynamics import LAWS, Audit, audit  # noqa: E402
from mesotherm.unknowns import HeatProbe, ThermalizingProbe, VanishingProbe, VoltageProbe  # noqa: E402

__all__ = [
    "LAWS",
    "OBSERVABLES",
    "Audit",
    "Axis",
    "CoulombDots",
    "CurrentVoltage",
    "DiodeTest",
    "EffectiveTemperature",
    "Effort",
    "HeatDrag",
    "HeatProbe",
    "LoadSweep",
    "OpenCircuit",
    "Outcome",
    "PowerAtOptimalBias",
    "Reservoirs",
    "ResonantBarrier",
    "Setup",
    "SteadyState",
    "SteadyStateExperiment",
    "StepBarrier",
    "ThermalizationDiode",
    "ThermalizingProbe",
    "Tie",
    "TransparentRegion",
    "VanishingProbe",
    "VoltageProbe",
    "__version__",
    "audit",
    "quantum_dot_thermocouple",
    "steady_state",
    "sweep",
]
