"""Balduque & Sánchez, PRL 134, 186301 (2025): diodes by thermalization and by screening.

Reproduced: Figs. 2 to 4, Eqs. 3 and 5 to 7, and what the text says. Currents are in the paper's units of 2/h
(``model.py``).
"""

from mesotherm.papers.balduque2025 import (
    figure2,
    figure2_checks,
    figure2_drawing,
    figure3,
    figure3_checks,
    figure3_drawing,
    figure4_checks,
    text_checks,
)
from mesotherm.papers.balduque2025.errata import ERRATA
from mesotherm.papers.reproduction import Figure, Paper

CITATION = "J. Balduque and R. Sánchez, Phys. Rev. Lett. 134, 186301 (2025)"

FIGURES = (
    Figure("2", figure2.compute, figure2_drawing.draw, figure2_checks.checks),
    Figure("3", figure3.compute_figure_3, figure3_drawing.draw_figure_3, figure3_checks.checks),
    Figure("4", figure3.compute_figure_4, figure3_drawing.draw_figure_4, figure4_checks.checks),
)

BALDUQUE2025 = Paper("balduque2025", CITATION, FIGURES, check=text_checks.checks, errata=ERRATA)

__all__ = ["BALDUQUE2025", "CITATION"]
