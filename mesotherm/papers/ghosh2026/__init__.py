"""Ghosh & Ghosh, arXiv:2603.06336 (2026): thermodynamics of quantum coupled transport (a review)."""

import itertools
from collections.abc import Iterator

from mesotherm.papers.ghosh2026.claims_equations import check_equations
from mesotherm.papers.ghosh2026.claims_forces import check_3, check_forces
from mesotherm.papers.ghosh2026.claims_inverse import check_6, check_inverse
from mesotherm.papers.ghosh2026.claims_machines import check_5
from mesotherm.papers.ghosh2026.claims_two_terminal import check_two_terminal
from mesotherm.papers.ghosh2026.datasets import figure_3, figure_5, figure_6
from mesotherm.papers.ghosh2026.drawing import draw_figure_3, draw_figure_5, draw_figure_6, draw_two_terminal
from mesotherm.papers.ghosh2026.errata import ERRATA
from mesotherm.papers.ghosh2026.two_terminal import compute
from mesotherm.papers.reproduction import Check, Figure, Paper

CITATION = "S. Ghosh and A. Ghosh, Thermodynamics of quantum coupled transport, arXiv:2603.06336 (2026)"

FIGURES = (
    Figure("3", figure_3, draw_figure_3, check_3),
    Figure("5", figure_5, draw_figure_5, check_5),
    Figure("6", figure_6, draw_figure_6, check_6),
    Figure("two_terminal", compute, draw_two_terminal, check_two_terminal),
)


def check_text() -> Iterator[Check]:
    """The claims that belong to no figure."""
    return itertools.chain(check_forces(), check_equations(), check_inverse())


GHOSH2026 = Paper("ghosh2026", CITATION, FIGURES, check=check_text, errata=ERRATA)
