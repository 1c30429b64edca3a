"""The conventions every other module relies on, in one place.

Units
    k_B = ħ = e = 1, hence h = 2π. Energies, electrochemical potentials and temperatures share one energy unit E;
    particle currents come in E/ħ, energy and heat currents in E²/ħ. Spin degeneracy is an explicit parameter of a
    device.

Signs
    All currents are positive when they flow from a terminal INTO the device. ``power`` is positive when produced.

Index order
    Matrices are ``[out, in]``: ``transmission[a, b]`` is the probability to leave through terminal ``a`` after entering
    through terminal ``b``.
"""

import math

PLANCK = 2 * math.pi
"""h in units of ħ."""

EPSILON = 2.0**-52
"""Spacing of 64-bit floats at 1: the unit of every rounding-error bound."""
