"""The quantum-dot thermocouple as a Lindblad equation for QuTiP: every tunnelling event a collapse operator."""

import numpy as np
import qutip


def operators(energies, empty, filled, enter, leave):
    """Hamiltonian and collapse operators of a rate model."""
    states = [qutip.basis(len(energies), i) for i in range(len(energies))]
    hamiltonian = qutip.Qobj(np.diag(energies))
    collapse = []
    for a, b, up, down in zip(empty, filled, enter, leave, strict=True):
        collapse += [np.sqrt(up) * states[b] * states[a].dag(), np.sqrt(down) * states[a] * states[b].dag()]
    return hamiltonian, [operator for operator in collapse if operator.norm() > 0]


def populations(hamiltonian, collapse):
    return qutip.steadystate(hamiltonian, collapse).diag().real
