"""The mobile quantum dot of the paper: parameters of every figure. Units: γ₀ = ħ = a = e = k_B = 1, no spin."""

import dataclasses

import jax.numpy as jnp

from mesotherm.device import HasPositions, Reservoirs
from mesotherm.devices.linearised import Linearised
from mesotherm.devices.mobile_dot import MobileDot
from mesotherm.driven import Drive, Driven
from mesotherm.experiments import Setup
from mesotherm.mechanical_mode import MechanicalMode
from mesotherm.mechanics import EquilibriumPosition

STIFFNESS, MASS = 0.02, 1000.0

COLD = 1e-4
"""k_BT₀ of the figures whose drive is a bias: far below every width (the paper gives none; its Eq. 12 has none)."""

HOPPING, LATTICE_CONSTANT = 3.88, 2.5e-10
"""γ₀ [eV] and a [m] of Appendix A."""

PLANCK_BAR, ELEMENTARY_CHARGE, ELECTRON_MASS = 1.054571817e-34, 1.602176634e-19, 9.1093837139e-31
"""SI units."""

ELECTRONVOLT_PER_KELVIN = 8.617333262e-5

RESPONSES = ("linear", "full")
"""The paper's Eqs. 12 and 13 and transmissions at μ₀; Eq. 9 and Landauer's integral."""

CYCLE_TIME = 1e6
"""τ of Figs. 4(c), 6 and 7."""


@dataclasses.dataclass(frozen=True)
class Parameters:
    """What the caption of a figure gives.

    Attributes
    ----------
    level, coupling, decay
        E_dot, γ and b/a₀.
    asymmetry
        λ.
    mu, T
        μ₀ and k_BT₀.
    drive
        What moves the dot.
    damping_ratio
        ζ.
    """

    level: float
    coupling: float
    decay: float
    asymmetry: float = 0.0
    mu: float = 0.0
    T: float = COLD
    drive: Drive = Drive.BIAS
    damping_ratio: float = 0.1

    def device(self, response: str) -> HasPositions:
        """The dot, or its linear response."""
        dot = MobileDot(  # pyright: ignore[reportCallIssue]  (terminals and others are properties)
            level=self.level,
            coupling=self.coupling,
            asymmetry=self.asymmetry,
            decay_length=1 / self.decay,
            lead_level=0.0,
            lead_hopping=1.0,
            position=jnp.zeros(1),
            spin_degeneracy=1.0,
        )
        if response == "full":
            return dot
        return Linearised(dot, mu=self.mu, T=self.T)  # pyright: ignore[reportCallIssue]

    def driven(self, response: str) -> Driven:
        """The same between reservoirs that the drive moves apart."""
        return Driven(self.device(response), self.mu, self.T, self.drive)

    def setup(self, response: str) -> Setup:
        """The same with its position found, without a drive."""
        spring = EquilibriumPosition(("x",), stiffness=STIFFNESS, mu=self.mu, T=self.T)
        baths = Reservoirs([self.mu, self.mu], [self.T, self.T])
        return Setup(self.device(response), baths, (spring,))

    @property
    def mode(self) -> MechanicalMode:
        """The oscillator."""
        return MechanicalMode(MASS, STIFFNESS, damping_ratio=self.damping_ratio)

    def but(self, **changed) -> "Parameters":
        """The same with something changed."""
        return dataclasses.replace(self, **changed)


OFFSET = -1.5e-4
"""μ₀ − E_dot of Figs. 3 and 5, which the paper leaves at "≈ 0": within the range that gives what it describes."""

FIG_2 = Parameters(-0.2, 0.1, 2.0)
FIG_3 = Parameters(-0.3, 0.01, 1.0, mu=-0.3 + OFFSET, T=2e-3, drive=Drive.DELTA_TEMPERATURE)
FIG_4 = Parameters(-0.2, 0.5, 1.5, asymmetry=0.5, damping_ratio=0.5)
FIG_5 = FIG_3.but(asymmetry=0.5)
FIG_6 = Parameters(-0.3, 0.2, 1.75, asymmetry=0.6, damping_ratio=0.3)
FIG_7 = Parameters(-0.3, 0.1, 1.625, damping_ratio=0.2)
FIG_8 = FIG_2.but(asymmetry=0.7)
FIG_9 = Parameters(-0.3, 0.11, 6.5 / 7.5, damping_ratio=0.16)
