"""The thermalization diode as one writes it in an afternoon: scipy's adaptive quadrature inside scipy's root search."""

import math

import numpy as np
from scipy.integrate import quad
from scipy.optimize import root

BAND_BOTTOM, TOP = -40.0, 80.0
"""Energies between which everything happens, from μ in units of k_B T; above, Fermi functions are below 1e-17."""


def fermi(energy, mu, T):
    z = (energy - mu) / T
    return 1 / (1 + math.exp(z)) if z < 700 else 0.0


def into(level, half_width, ends, moment, breaks):
    """∫ E^moment T(E) [f_a − f_b] dE of one resonance between reservoirs (mu, T)."""
    (mu_a, T_a), (mu_b, T_b) = ends

    def integrand(energy):
        passing = half_width**2 / ((energy - level) ** 2 + half_width**2)
        return energy**moment * passing * (fermi(energy, mu_a, T_a) - fermi(energy, mu_b, T_b))

    return quad(integrand, BAND_BOTTOM, TOP, epsabs=1e-10, epsrel=1e-10, limit=200, points=breaks)[0]


def probe_solve(left, right, half_width, T_left, T_right):
    """(mu_p, T_p, particle current from the left) of the fully thermalizing probe; bare integrals, T = 1 cold."""

    def balances(unknowns):
        probe = tuple(unknowns)
        currents = [
            into(left, half_width, ((0.0, T_left), probe), moment, (left, 0.0))
            + into(right, half_width, ((0.0, T_right), probe), moment, (right, 0.0))
            for moment in (0, 1)
        ]
        return np.array(currents)

    found = root(balances, np.array([0.0, (T_left + T_right) / 2]), options={"xtol": 1e-12})
    mu, T = found.x
    return mu, T, into(left, half_width, ((0.0, T_left), (mu, T)), 0, (left, 0.0))
