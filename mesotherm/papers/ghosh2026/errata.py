"""What the review has wrong, or claims more widely than its models bear out. The evidence is in the checks' notes."""

ERRATA = {
    "eq27-ratio": "Eq. 27 has beta/mu where beta times mu must stand (Eqs. 28 and 39 have it right).",
    "eq36-swapped": (
        "The middle expression of Eq. 36 has the two net rates exchanged: it would give −kappa Gamma_+ for the energy "
        "current of u."
    ),
    "eq50-sign": (
        "The force on energy after Eq. 50 is beta − beta_l (as in Eq. 47), not beta_l − beta; and it is the right and "
        "the upper reservoir that share their temperature, not the left one."
    ),
    "order-condition": (
        "The states C and D change places where eps_b + kappa < 0; as printed, eps_b + kappa < eps_b, the condition "
        "would hold for any attraction."
    ),
    "eq52-spin-term": (
        "Eq. 52 with its spin operators as defined gives an interaction kappa_c − 4 kappa_s, shifts the levels by "
        "2 kappa_s and the zero of energy by −kappa_s; the energies listed below it have kappa_c − kappa_s and none of "
        "that."
    ),
    "eq58-positive-frequencies": (
        "The sum of Eq. 58 over positive transition frequencies leaves out C to D where eps_b + kappa < 0, and with it "
        "every cycle that can carry an inverse current. It must run over all of them."
    ),
    "condition-not-sufficient": (
        "−kappa > eps_b > 0 is necessary but not sufficient for inverse currents: near equilibrium they need L_EN < 0, "
        "for constant rates −kappa > eps_b [1 + exp(beta(eps_u − mu_u)) f0/f1]."
    ),
    "zero-of-energy": (
        "Whether a current is inverse depends on the zero from which energies are counted: with the level below it a "
        "single dot shows inverse currents, and a repulsive pair, too. What does not depend on it: the zero above "
        "which the current is inverse, near equilibrium the mean energy L_EN/L_NN that a particle carries."
    ),
}
