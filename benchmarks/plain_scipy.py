"""The thermalization diode as one writes it in an afternoon: scipy's adaptive quadrature inside scipy's root search."""

import numpy as np
from scipy.integrate import quad
from scipy.optimize import root
from scipy.special import expit

BAND_BOTTOM = -40.0
"""Where the integrals start, from μ in units of k_B T; they end at infinity."""


def current(level, half_width, here, there, moment):
    """∫ E^moment T(E) [f(here) − f(there)] dE of one resonance between reservoirs (mu, T)."""

    def integrand(energy):
        passing = half_width**2 / ((energy - level) ** 2 + half_width**2)
        occupations = [expit((mu - energy) / T) for mu, T in (here, there)]
        return energy**moment * passing * (occupations[0] - occupations[1])

    return quad(integrand, BAND_BOTTOM, np.inf, epsabs=1e-10, epsrel=1e-10, limit=200)[0]


def probe_solve(left, right, half_width, T_left, T_right):
    """(mu_p, T_p) of the fully thermalizing probe, then particle and heat current from the left; T = 1 cold, μ = 0.

    Bare integrals over energy, per (2/h).
    """
    hot, cold = (0.0, T_left), (0.0, T_right)

    def balances(probe):
        return [
            current(left, half_width, hot, probe, moment) + current(right, half_width, cold, probe, moment)
            for moment in (0, 1)
        ]

    probe = tuple(root(balances, [0.0, (T_left + T_right) / 2], options={"xtol": 1e-12}).x)
    return probe, *(current(left, half_width, hot, probe, moment) for moment in (0, 1))
