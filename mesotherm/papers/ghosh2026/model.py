"""Devices and parameters. The review gives no numbers: these are ours, in units of the temperature of the cold leads
(k_B = ħ = 1, tunnel rates only set the scale of the currents)."""

import numpy as np

from mesotherm.device import Reservoirs
from mesotherm.devices.double_dot import TwoTerminalCoupledDots
from mesotherm.devices.single_dot import SingleDot
from mesotherm.devices.three_terminal_dots import CoupledDots
from mesotherm.experiments import Setup

PARAMETERS = {
    "level of b": 1.0,
    "level of u": 1.5,
    "all tunnel rates": 1.0,
    "T of R and U": 1.0,
    "mu of R": 0.5,
    "mu of U": 0.0,
}
"""Of the coupled dots of Figs. 3 and 6; the single dot is the dot b alone."""

ATTRACTION = -4.0
"""κ of Fig. 3's coupled dots: C and D have changed places."""

KAPPAS = (2.0, -0.5, -4.0)
"""κ of Fig. 6: repulsive; attractive, −ε_b < κ < 0; attractive, κ < −ε_b."""

FORCES_ENERGY, FORCES_PARTICLE = np.linspace(-0.95, 0.95, 400), np.linspace(-1.0, 1.0, 400)
"""Forces of the maps; no point lies on an axis."""

FORCE_PARTICLE_OF_6 = 0.25

ENGINE = {
    "level_b": 0.5,
    "level_u": 0.5,
    "kappa": 2.0,
    "rate": 0.02,
    "leak": 0.1,
    "T": 1.0,
    "T_hot": 2.0,
    "T_cold": 0.6,
}
"""Fig. 5: L holds b while u is empty, R while it is occupied; ``leak`` of the wrong rates, over ``rate``, in the device
that is not ideal."""

BIASES = np.linspace(-3.0, 1.6, 231)
"""μ_R − μ_L of Fig. 5."""


def single_dot() -> Setup:
    """The dot b between L and R (Fig. 3a)."""
    dot = SingleDot(PARAMETERS["level of b"], PARAMETERS["all tunnel rates"], PARAMETERS["all tunnel rates"])
    return Setup(dot, Reservoirs([PARAMETERS["mu of R"]] * 2, [PARAMETERS["T of R and U"]] * 2))


def dots(kappa: float) -> CoupledDots:
    """Both dots with an interaction κ."""
    rates = [PARAMETERS["all tunnel rates"]] * 2
    return CoupledDots(PARAMETERS["level of b"], PARAMETERS["level of u"], kappa, rates, rates, rates)


def coupled_dots(kappa: float) -> Setup:
    """The same between leads at one temperature (Figs. 3b and 6)."""
    mu = [PARAMETERS["mu of R"], PARAMETERS["mu of R"], PARAMETERS["mu of U"]]
    return Setup(dots(kappa), Reservoirs(mu, [PARAMETERS["T of R and U"]] * 3))


def engine(leak: float, T_u: float) -> Setup:
    """The reduced model of Fig. 5(a), of Sánchez & Büttiker."""
    right, wrong = ENGINE["rate"], leak * ENGINE["rate"]
    dots = CoupledDots(
        ENGINE["level_b"], ENGINE["level_u"], ENGINE["kappa"], [right, wrong], [wrong, right], [right, right]
    )
    return Setup(dots, Reservoirs([0.0, 0.0, 0.0], [ENGINE["T"], ENGINE["T"], T_u]))


def two_terminal(level_b, level_u, kappa, rates_l, rates_r) -> TwoTerminalCoupledDots:
    """Both dots between the same two leads."""
    return TwoTerminalCoupledDots(  # pyright: ignore[reportCallIssue]  (terminals and others are properties)
        level_b=level_b, level_u=level_u, interaction=kappa, rates_L=rates_l, rates_R=rates_r
    )
