"""What can come of a computation: one enumeration, each member a sentence of advice."""

from mesotherm.flags import Flag


class Outcome(Flag):
    """Status of one solved point. The integer is what a dataset stores, the sentence is what a person reads.

    ``Outcome(code).sentence`` explains a stored code. Codes are part of the file format: members are only ever added.
    """

    CONVERGED = 0, "Converged: every residual and every error bound is within the tolerance."
    NOT_CONVERGED = (
        1,
        "The root search stopped before its residuals vanished: the unknowns may have no solution here (a probe: none "
        "at positive temperature), or a floating terminal is hardly coupled to the rest.",
    )
    TOLERANCE_MISSED = (
        2,
        "Solved, but the error bound exceeds the tolerance: loosen [numerics] tolerance or refine the energy integral.",
    )
    POPULATION_INVERSION = (
        3,
        "A floating reservoir balances only at a negative temperature (population inversion): "
        "no probe at positive temperature exists at this point.",
    )
    NOT_FINITE = (
        4,
        "A current is not finite: a rate or transmission overflowed, or a floating terminal is not coupled (a "
        "thermalizing probe needs two energies to exchange); check temperatures against level spacings, and that every "
        "floating terminal is coupled.",
    )
    OPTIMUM_AT_EDGE = (
        5,
        "The largest power lies at the largest bias tried: raise the experiment's largest_bias.",
    )
    NO_POWER = (
        6,
        "No bias of either sign produces power here (or only one below the experiment's smallest_bias).",
    )
    NO_OPEN_CIRCUIT = (
        7,
        "The current of the left terminal vanishes at no bias tried: raise the experiment's largest_bias. (Or it "
        "vanishes at every bias: couple the terminal.)",
    )

    NOT_UNIQUE = (
        8,
        "The stationary state is not unique: transitions do not lead from every state of the device to every other. "
        "Couple every dot and every spin to a terminal; stationary_states(reservoirs) lists what there is.",
    )
    NO_DRIVE = 9, "Neither a bias nor a temperature difference is applied here: a rectification would be 0/0."
    OUT_OF_REACH = 10, "The part that moves left the table of forces on it: raise the experiment's reach."
