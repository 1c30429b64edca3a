"""What the paper has wrong, or claims more widely than its model bears out. The evidence is in the checks' notes."""

ERRATA = {
    "eq1-double-sum": (
        "Eq. 1's double sum over i and j would count every U_ij twice; counted once, Fig. 2 gives the quoted zero of "
        "J_in at 0.94."
    ),
    "sign-of-mu": (
        "mu_R = eV > 0 cannot hold at every T_C: the optimal bias changes sign where the current at V = 0 does (the "
        "text of Sec. 4 says so itself)."
    ),
    "eq13-infinite-charging": (
        "Eq. 13 is exact for U_HC to infinity only; at Fig. 2's U_HC = 100 it is far off although H and C are both "
        "occupied with a probability of 3e-4 only: T_H = 16 still fills both, and then 100 of energy changes hands."
    ),
    "transferred-heat-of-fig2": (
        "J_trans of Fig. 2 goes from 0.153 to 0.039 with the parameters given, not from 0.14 to 0.03."
    ),
    "transferred-heat-of-fig3": (
        "In Fig. 3 J_trans is not larger than all other heat flows at every T_C: the heat into R exceeds it at both "
        "ends of the range."
    ),
    "entropy-of-fig5": (
        "In Fig. 5 it is not at every T_C that the entropy rates of L, R and H add up to less than zero and are small "
        "beside that of C (both hold where J_in = 0): at the hot end R takes up more entropy than C."
    ),
    "drag-at-any-ratio": (
        "At given T_0 heat does not flow from H to C at every T_C < T_H: well above T_0 reservoir C heats the circuit "
        "too, and J_trans changes sign before T_C reaches T_H."
    ),
    "eq20-chemical-potential": (
        "Eq. 20 lacks mu_P: as printed there is only T_P to find, and heat and charge current into the probe cannot "
        "both vanish (Eqs. 21 and 22 have mu_P)."
    ),
    "strong-probe-below-bound": (
        "At gamma_P = 10 the power is not below the conventional bound at every T_C: it exceeds it, by very little, "
        "between the two places where both are nearly zero."
    ),
    "strong-probe-rates": (
        "Not all rates are smaller than the temperatures: the probe couplings gamma_P = 10 and 1000 of Fig. 6 exceed "
        "T_0 = 8 (there the probe is a model of thermalization, not a weakly coupled reservoir)."
    ),
}
"""One sentence each, by id."""
