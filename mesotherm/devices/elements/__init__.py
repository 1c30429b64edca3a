"""Elements of scattering networks: small pieces with a closed S-matrix, joined by
:mod:`mesotherm.engines.composition`."""

from mesotherm.devices.elements.element import AbstractElement
from mesotherm.devices.elements.junctions import AharonovBohmPhase, BeamSplitter, ThreeWayJunction
from mesotherm.devices.elements.regions import DeltaBarrier, PotentialStep, UniformRegion
from mesotherm.devices.elements.scatterers import ResonantLevel, SaddlePoint

__all__ = [
    "AbstractElement",
    "AharonovBohmPhase",
    "BeamSplitter",
    "DeltaBarrier",
    "PotentialStep",
    "ResonantLevel",
    "SaddlePoint",
    "ThreeWayJunction",
    "UniformRegion",
]
