"""Mehring, Bustos-Marún & Calvo, Phys. Rev. B 109, 085418 (2024): a dot that currents push."""

from mesotherm.papers.mehring2024.claims_forces import check_2, check_3
from mesotherm.papers.mehring2024.claims_hysteresis import check_6
from mesotherm.papers.mehring2024.claims_inversion import check_7, check_9
from mesotherm.papers.mehring2024.claims_noise import check_8
from mesotherm.papers.mehring2024.claims_rectification import check_4, check_5
from mesotherm.papers.mehring2024.claims_text import check_text
from mesotherm.papers.mehring2024.drawings_dynamics import (
    draw_figure_6,
    draw_figure_7,
    draw_figure_8,
    draw_figure_9,
)
from mesotherm.papers.mehring2024.drawings_forces import draw_figure_2, draw_figure_3, draw_figure_4, draw_figure_5
from mesotherm.papers.mehring2024.errata import ERRATA
from mesotherm.papers.mehring2024.forces import figure_2, figure_3
from mesotherm.papers.mehring2024.hysteresis import figure_6
from mesotherm.papers.mehring2024.inversion import figure_7, figure_9
from mesotherm.papers.mehring2024.noise import figure_8
from mesotherm.papers.mehring2024.rectification import figure_4, figure_5
from mesotherm.papers.reproduction import Figure, Paper

CITATION = (
    "E. L. Mehring, R. A. Bustos-Marún and H. L. Calvo, Hysteresis and effective reciprocity breaking due to "
    "current-induced forces, Phys. Rev. B 109, 085418 (2024)"
)

FIGURES = (
    Figure("2", figure_2, draw_figure_2, check_2),
    Figure("3", figure_3, draw_figure_3, check_3),
    Figure("4", figure_4, draw_figure_4, check_4),
    Figure("5", figure_5, draw_figure_5, check_5),
    Figure("6", figure_6, draw_figure_6, check_6),
    Figure("7", figure_7, draw_figure_7, check_7),
    Figure("8", figure_8, draw_figure_8, check_8),
    Figure("9", figure_9, draw_figure_9, check_9),
)

MEHRING2024 = Paper("mehring2024", CITATION, FIGURES, check=check_text, errata=ERRATA)
