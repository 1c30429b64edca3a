"""mesotherm: nonlinear thermoelectric transport in nanodevices, every answer audited.

Importing it switches JAX to 64 bit.
"""

import jax

jax.config.update("jax_enable_x64", True)

from mesotherm._version import __version__
from mesotherm.axes import Axis, Tie
from mesotherm.boundaries import boundary
from mesotherm.branch_rectification import branch_rectification
from mesotherm.continuation import Branches, branches
from mesotherm.cycles import Cycle, cycles
from mesotherm.device import Effort, HasPositions, Reservoirs
from mesotherm.devices.barriers import ResonantBarrier, StepBarrier, TransparentRegion
from mesotherm.devices.capacitive_dots import CapacitiveDots
from mesotherm.devices.chain import Chain
from mesotherm.devices.combined import Combined
from mesotherm.devices.coulomb_dots import CoulombDots, quantum_dot_thermocouple
from mesotherm.devices.dot_network import DotNetwork
from mesotherm.devices.double_barrier import DoubleBarrier
from mesotherm.devices.double_dot import DoubleDot, TwoTerminalCoupledDots
from mesotherm.devices.elements import (
    AharonovBohmPhase,
    BeamSplitter,
    DeltaBarrier,
    PotentialStep,
    ResonantLevel,
    SaddlePoint,
    ThreeWayJunction,
    UniformRegion,
)
from mesotherm.devices.heat_leaks import PhononBath, ThermalConductance
from mesotherm.devices.lattice import Lattice
from mesotherm.devices.leads import ChainLead, WideBandLead
from mesotherm.devices.linearised import Linearised
from mesotherm.devices.load_resistor import LoadResistor
from mesotherm.devices.mobile_dot import MobileDot
from mesotherm.devices.network import Network
from mesotherm.devices.ribbon import Ribbon
from mesotherm.devices.single_dot import SingleDot, SpinfulDot
from mesotherm.devices.tabulated_barrier import TabulatedBarrier
from mesotherm.devices.thermalization_diode import ThermalizationDiode
from mesotherm.devices.three_terminal_dots import BosonAssistedDot, CoupledDots, SpinPolarizedPair, Thermocouple
from mesotherm.devices.two_terminal_conductor import TwoTerminalConductor
from mesotherm.driven import Drive, Driven, folds
from mesotherm.engines.electronic_friction import electronic_friction
from mesotherm.equilibria import equilibria
from mesotherm.experiments import (
    BiasReversal,
    CountingStatistics,
    CoupledTransport,
    CurrentVoltage,
    DiodeTest,
    DrivenCycle,
    EffectiveTemperature,
    HeatDrag,
    LinearResponseExperiment,
    LoadSweep,
    NoiseExperiment,
    NoisyCycle,
    OpenCircuit,
    OperatingRegime,
    PowerAtOptimalBias,
    Setup,
    SlowCycle,
    SteadyStateExperiment,
)
from mesotherm.fluctuations import cumulants, noise
from mesotherm.following import follow
from mesotherm.force_flux import ForceFluxPairs, Representation, force_flux_pairs, representations
from mesotherm.inverse_currents import InverseCurrents, TransportKind, inverse_currents
from mesotherm.langevin import ensemble
from mesotherm.linear_response import (
    LinearResponse,
    ThermoelectricCoefficients,
    linear_response,
    thermoelectric_coefficients,
)
from mesotherm.mean_motion import move
from mesotherm.mechanical_mode import MechanicalMode
from mesotherm.mechanics import EquilibriumPosition
from mesotherm.motion_table import MotionTable, tabulate
from mesotherm.observables import OBSERVABLES
from mesotherm.quasi_static import quasi_static
from mesotherm.regimes import Operation, Regime, operation, quantum_power_bound
from mesotherm.relaxation import Transient, evolve, relaxation_rates
from mesotherm.results import Outcome
from mesotherm.screening import Screening
from mesotherm.steady_state import SteadyState, steady_state
from mesotherm.sweep import sweep
from mesotherm.thermodynamics import LAWS, Audit, audit
from mesotherm.units import Units
from mesotherm.unknowns import HeatProbe, ThermalizingProbe, VanishingProbe, VoltageProbe

__all__ = [
    "LAWS",
    "OBSERVABLES",
    "AharonovBohmPhase",
    "Audit",
    "Axis",
    "BeamSplitter",
    "BiasReversal",
    "BosonAssistedDot",
    "Branches",
    "CapacitiveDots",
    "Chain",
    "ChainLead",
    "Combined",
    "CoulombDots",
    "CountingStatistics",
    "CoupledDots",
    "CoupledTransport",
    "CurrentVoltage",
    "Cycle",
    "DeltaBarrier",
    "DiodeTest",
    "DotNetwork",
    "DoubleBarrier",
    "DoubleDot",
    "Drive",
    "Driven",
    "DrivenCycle",
    "EffectiveTemperature",
    "Effort",
    "EquilibriumPosition",
    "ForceFluxPairs",
    "HasPositions",
    "HeatDrag",
    "HeatProbe",
    "InverseCurrents",
    "Lattice",
    "LinearResponse",
    "LinearResponseExperiment",
    "Linearised",
    "LoadResistor",
    "LoadSweep",
    "MechanicalMode",
    "MobileDot",
    "MotionTable",
    "Network",
    "NoiseExperiment",
    "NoisyCycle",
    "OpenCircuit",
    "OperatingRegime",
    "Operation",
    "Outcome",
    "PhononBath",
    "PotentialStep",
    "PowerAtOptimalBias",
    "Regime",
    "Representation",
    "Reservoirs",
    "ResonantBarrier",
    "ResonantLevel",
    "Ribbon",
    "SaddlePoint",
    "Screening",
    "Setup",
    "SingleDot",
    "SlowCycle",
    "SpinPolarizedPair",
    "SpinfulDot",
    "SteadyState",
    "SteadyStateExperiment",
    "StepBarrier",
    "TabulatedBarrier",
    "ThermalConductance",
    "ThermalizationDiode",
    "ThermalizingProbe",
    "Thermocouple",
    "ThermoelectricCoefficients",
    "ThreeWayJunction",
    "Tie",
    "Transient",
    "TransparentRegion",
    "TransportKind",
    "TwoTerminalConductor",
    "TwoTerminalCoupledDots",
    "UniformRegion",
    "Units",
    "VanishingProbe",
    "VoltageProbe",
    "WideBandLead",
    "__version__",
    "audit",
    "boundary",
    "branch_rectification",
    "branches",
    "cumulants",
    "cycles",
    "electronic_friction",
    "ensemble",
    "equilibria",
    "evolve",
    "folds",
    "follow",
    "force_flux_pairs",
    "inverse_currents",
    "linear_response",
    "move",
    "noise",
    "operation",
    "quantum_dot_thermocouple",
    "quantum_power_bound",
    "quasi_static",
    "relaxation_rates",
    "representations",
    "steady_state",
    "sweep",
    "tabulate",
    "thermoelectric_coefficients",
]
