"""What the paper has wrong, or claims too widely, as far as thermalization alone decides it."""

JOULE_TERM = "eq3-joule-term"
PROBE_TEMPERATURE = "probe-temperature-first-order"
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
    CURRENT_SCALE: (
        "Currents come in units of 2ek_B/h = 6.68 nA per kelvin, of which the best point of Fig. 2 makes a fifth: a "
        "few nA take more than a kelvin."
    ),
    MISPRINTS: "Caption of Fig. 1: the tunnel junctions are regions 1 and 3, not 1 and 2.",
}
"""One sentence each, by id. Those about screening belong to Figs. 3 and 4, which are not reproduced yet."""
