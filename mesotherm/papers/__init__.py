"""The papers that can be reproduced, one module each: parameters, figures, checks, errata."""

from mesotherm.papers.balduque2025 import BALDUQUE2025
from mesotherm.papers.ghosh2026 import GHOSH2026
from mesotherm.papers.mehring2024 import MEHRING2024
from mesotherm.papers.whitney2016 import WHITNEY2016

PAPERS = (BALDUQUE2025, GHOSH2026, MEHRING2024, WHITNEY2016)
"""Every paper, by name."""

__all__ = ["PAPERS"]
