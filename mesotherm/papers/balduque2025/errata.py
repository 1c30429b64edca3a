"""What the paper has wrong, or claims too widely."""

JOULE_TERM = "eq3-joule-term"
PROBE_TEMPERATURE = "probe-temperature-first-order"
EXCESS_ATTRACTS = "eq5-sign"
FLAT_TRANSMISSION = "star-linear-term"
WHICH_CURRENT_REVERSES = "star-which-current-reverses"
CURRENT_SCALE = "current-scale"
MISPRINTS = "misprints"

ERRATA = {
    JOULE_TERM: (
        "Eq. 3's heat current, and the second integral above it, leave out the Joule term: with energies from μ the "
        "exact result is J = (2/h) [(μ_p − μ)²/2 + π² (T_p² − T_R²)/6]."
    ),
    PROBE_TEMPERATURE: (
        "T_p = T + ΔT/2 on the antisymmetric line holds to first order in ΔT only; at any ΔT T_p is the same forward "
        "and backward, but not the mean of the two temperatures."
    ),
    EXCESS_ATTRACTS: (
        "Eq. 5 has the sign with which an excess of electrons lowers their potential energy, so that capacitances "
        "would make equilibrium unstable; (U_α − U_β) is meant. Nothing shown depends on it: in the figures C → 0."
    ),
    FLAT_TRANSMISSION: (
        "T(E) is flat at μ, but the linear term is not suppressed at the star: L⁽¹⁾ = −0.0334 (2/h) k_B makes five "
        "times the current at ΔT = T, because the thermal window reaches the sharp peak below μ."
    ),
    WHICH_CURRENT_REVERSES: (
        "As ΔT grows at the star it is I^F that changes its sign, at 0.82 T; I^B is positive from the start, and is "
        "reversed only in comparison with the current at the transmission of equilibrium."
    ),
    CURRENT_SCALE: (
        "Currents come in units of 2ek_B/h = 6.68 nA per kelvin, of which the best points of the maps make a fifth: a "
        "few nA take more than a kelvin."
    ),
    MISPRINTS: (
        "Caption of Fig. 1: the tunnel junctions are regions 1 and 3, not 1 and 2. Before Eq. 5 the potentials that "
        "depend on T_L and T_R are U^neq, not U^eq."
    ),
}
"""One sentence or two each, by id."""
