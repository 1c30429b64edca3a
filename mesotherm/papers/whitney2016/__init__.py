"""Whitney, Sánchez, Haupt & Splettstoesser, Physica E 75, 257 (2016): the quantum-dot thermocouple."""

import itertools
from collections.abc import Iterator

from mesotherm.papers.reproduction import Check, Figure, Paper
from mesotherm.papers.whitney2016.claims_entropy import check_5, check_entropy
from mesotherm.papers.whitney2016.claims_fig2 import check_2
from mesotherm.papers.whitney2016.claims_fig3_and_4 import check_3, check_4
from mesotherm.papers.whitney2016.claims_model import check_model
from mesotherm.papers.whitney2016.claims_probe import check_6
from mesotherm.papers.whitney2016.claims_unbiased import check_unbiased
from mesotherm.papers.whitney2016.datasets import power_curve, probe_curves
from mesotherm.papers.whitney2016.drawings import draw_entropy, draw_power, draw_probe
from mesotherm.papers.whitney2016.errata import ERRATA

CITATION = "R. S. Whitney, R. Sánchez, F. Haupt and J. Splettstoesser, Physica E 75, 257 (2016)"

FIGURES = (
    Figure("2", power_curve("2"), draw_power("2", (-3, -2), legend="upper right"), check_2),
    Figure("3", power_curve("3"), draw_power("3", (-3, -2)), check_3),
    Figure("4", power_curve("4"), draw_power("4", (-6, -2)), check_4),
    Figure("5", power_curve("5", device_of="3"), draw_entropy, check_5),
    Figure("6", probe_curves, draw_probe, check_6),
)


def check_text() -> Iterator[Check]:
    """The claims that belong to no figure."""
    return itertools.chain(check_model(), check_unbiased(), check_entropy())


WHITNEY2016 = Paper("whitney2016", CITATION, FIGURES, check=check_text, errata=ERRATA)
