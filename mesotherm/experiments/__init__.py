"""Experiments: what one does to a device. One file each; ``experiment.py`` and ``bias.py`` have what they share."""

from mesotherm.experiments.bias_reversal import BiasReversal
from mesotherm.experiments.counting_statistics import CountingStatistics
from mesotherm.experiments.coupled_transport import CoupledTransport
from mesotherm.experiments.current_voltage import CurrentVoltage
from mesotherm.experiments.diode_test import DiodeTest
from mesotherm.experiments.driven_cycle import DrivenCycle
from mesotherm.experiments.effective_temperature import EffectiveTemperature
from mesotherm.experiments.experiment import AbstractExperiment, Setup
from mesotherm.experiments.heat_drag import HeatDrag
from mesotherm.experiments.linear_response import LinearResponseExperiment
from mesotherm.experiments.load_sweep import LoadSweep
from mesotherm.experiments.noise import NoiseExperiment
from mesotherm.experiments.noisy_cycle import NoisyCycle
from mesotherm.experiments.open_circuit import OpenCircuit
from mesotherm.experiments.operating_regime import OperatingRegime
from mesotherm.experiments.optimal_bias import PowerAtOptimalBias
from mesotherm.experiments.slow_cycle import SlowCycle
from mesotherm.experiments.steady import SteadyStateExperiment

__all__ = [
    "AbstractExperiment",
    "BiasReversal",
    "CountingStatistics",
    "CoupledTransport",
    "CurrentVoltage",
    "DiodeTest",
    "DrivenCycle",
    "EffectiveTemperature",
    "HeatDrag",
    "LinearResponseExperiment",
    "LoadSweep",
    "NoiseExperiment",
    "NoisyCycle",
    "OpenCircuit",
    "OperatingRegime",
    "PowerAtOptimalBias",
    "Setup",
    "SlowCycle",
    "SteadyStateExperiment",
]
