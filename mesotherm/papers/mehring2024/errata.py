"""What the paper has wrong or leaves open, and where its linear response ends. The evidence is in the checks' notes."""

ERRATA = {
    "fermi-function": "The Fermi function after Eq. 7 lacks a parenthesis: the exponent is (eps − mu)/k_BT.",
    "friction-term": "The friction term of Eq. (A1) has the first derivative: dx/dt, not dx/dt^2.",
    "fermi-energy": (
        "mu_0 ≈ E_dot of Figs. 3 and 5 is decisive, since the half width of the resonance is 2e-4 gamma_0: mu_0 = "
        "E_dot gives neither two peaks nor a change of sign. What the text describes needs mu_0 − E_dot between "
        "−2.28e-4 and −1.16e-4 or between 0.86e-4 and 1.68e-4; −1.5e-4 is used."
    ),
    "first-order-in-energy": (
        "Eq. 11, and with it Eqs. 13 and 23, does not hold in Figs. 3 and 5: k_BT_0 is ten widths of the resonance. "
        "With the integral over energies the force is 20 times smaller, never changes its sign, and the rectification "
        "of heat is of the order of 1e-3."
    ),
    "charge-of-fig6": (
        "Q ≈ 140 e of Fig. 6(c) is 68.6 e (triangular bias) or 60.2 e (sinusoidal) without spin; with a factor 2 for "
        "spin a triangle gives 137 e. The paper's equations have no such factor, and V(t) is not written down."
    ),
    "noise-of-fig8": (
        "With the noise of Eq. 26 no trajectory with zeta = 0.5 stays in the shallow well at k_BT_0 = 1e-3 gamma_0, "
        "as Fig. 8(b) shows. A Runge-Kutta step that draws a new random force in each of its stages has 10/36 of the "
        "nominal temperature and gives what the text says (a hypothesis that is tested, not proved)."
    ),
    "noise-of-fig9": (
        "At k_BT_0 = 2e-4 gamma_0 the charge of a cycle of Fig. 9 is not what it is without noise: its mean is 62 % "
        "of that. At 1e-3 gamma_0, as high as the barrier, the dot does not stay in its well during a pulse."
    ),
    "equilibrium-force": (
        "The force of the electrons in equilibrium is not small beside the spring that it is said to be part of, and "
        "not harmonic: 1.1 gamma_0/a at x = a in Fig. 2, where kx = 0.02 gamma_0/a. Where gamma_L^2 + "
        "gamma_R^2 exceeds 2 gamma_0^2 there are bound states outside the band, which an integral over it misses."
    ),
    "linear-response": (
        "Beyond linear response the biases of Figs. 2, 7, 8, 9 change what happens: in Fig. 2(d) both damping ratios "
        "lead to the same well; in Fig. 7 the damping ratios change places, 0.2 transports charge in every cycle and "
        "0.16 in none but the first; in Fig. 8(a) most trajectories leave the shallow well, whose barrier is 0.4 of "
        "what it was; at eV = 0.3 gamma_0 of Fig. 9 there is one position only."
    ),
    "force-kernel": (
        "The force kernels do not depend on energy as the transmission does (footnote 3): each is zero near the level "
        "and has opposite signs on both sides, as Eqs. B4 and B5 say. Their slope has its peak at the level and the "
        "other sign more than a width away, so that the sign of Eq. 13 depends on mu_0 − E_dot."
    ),
    "pulse-order": (
        "The order of the three pulses of Fig. 9 decides the sign of the charge and stands in the figure only: +, −, 0."
    ),
}
