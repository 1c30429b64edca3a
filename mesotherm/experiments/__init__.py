"""Experiments: what one does to a device. One file each; ``experiment.py`` says what they share."""

from mesotherm.experiments.diode_test import DiodeTest
from mesotherm.experiments.effective_temperature import EffectiveTemperature
from mesotherm.experiments.experiment import AbstractExperiment, Setup
from mesotherm.experiments.optimal_bias import PowerAtOptimalBias
from mesotherm.experiments.steady import SteadyStateExperiment

__all__ = [
    "AbstractExperiment",
    "DiodeTest",
    "EffectiveTemperature",
    "PowerAtOptimalBias",
    "Setup",
    "SteadyStateExperiment",
]
