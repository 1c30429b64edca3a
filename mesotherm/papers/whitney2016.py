"""Whitney, Sánchez, Haupt & Splettstoesser, Physica E 75, 257 (2016): the quantum-dot thermocouple."""

from mesotherm.papers.reproduction import Paper

CITATION = "R. S. Whitney, R. Sánchez, F. Haupt and J. Splettstoesser, Physica E 75, 257 (2016)"

WHITNEY2016 = Paper("whitney2016", CITATION, figures=(), check=lambda: (), errata={})
