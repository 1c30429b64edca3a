"""Balduque & Sánchez, PRL 134, 186301 (2025): the thermalization diode."""

from mesotherm.papers.reproduction import Paper

CITATION = "J. Balduque and R. Sánchez, Phys. Rev. Lett. 134, 186301 (2025)"

BALDUQUE2025 = Paper("balduque2025", CITATION, figures=(), check=lambda: (), errata={})
