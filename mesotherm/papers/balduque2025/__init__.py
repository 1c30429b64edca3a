"""Balduque & Sánchez, PRL 134, 186301 (2025): the thermalization diode.

Reproduced: Fig. 2, Eq. 3, and what thermalization without screening decides of the text. Currents are in the paper's
units of 2/h (``model.py``).
"""

from mesotherm.papers.balduque2025 import figure2, figure2_checks, figure2_drawing, text_checks
from mesotherm.papers.balduque2025.errata import ERRATA
from mesotherm.papers.reproduction import Figure, Paper

CITATION = "J. Balduque and R. Sánchez, Phys. Rev. Lett. 134, 186301 (2025)"

BALDUQUE2025 = Paper(
    "balduque2025",
    CITATION,
    figures=(Figure("2", figure2.compute, figure2_drawing.draw, figure2_checks.checks),),
    check=text_checks.checks,
    errata=ERRATA,
)

__all__ = ["BALDUQUE2025", "CITATION"]
