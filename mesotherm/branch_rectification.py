r"""Rectification where a part can rest in several places: one number for every pair of branches.

.. math:: \mathcal R_X = \frac{X^F + X^B}{X^F - X^B}

odd in the drive, with the part in any of its stable positions under the drive (F) and under the opposite one (B).

Source: Mehring, Bustos-Marún & Calvo, PRB 109, 085418 (2024), Eqs. 18 and 22.
"""

import equinox as eqx
import numpy as np
from jaxtyping import Float

from mesotherm.equilibria import Equilibria, equilibria
from mesotherm.mechanical_mode import MechanicalMode
from mesotherm.motion_table import MotionTable


class BranchRectification(eqx.Module):
    """Stable positions under a drive and under the opposite one, and what each pair of them rectifies.

    Attributes
    ----------
    forward, backward
        Positions in their order [length].
    odd_rectification_particle, odd_rectification_heat
        Of the currents of one terminal, from −1 to 1 where both have opposite signs [1].
    """

    forward: Float[np.ndarray, "forward"]
    backward: Float[np.ndarray, "backward"]
    odd_rectification_particle: Float[np.ndarray, "forward backward"]
    odd_rectification_heat: Float[np.ndarray, "forward backward"]


def branch_rectification(
    mode: MechanicalMode, table: MotionTable, drive: float, terminal: int = 0
) -> BranchRectification:
    """Rectification of the currents of a terminal on every branch.

    Parameters
    ----------
    table
        With "particle_current" and "heat_current", at ±drive.
    drive
        Bias or temperature difference, not zero [energy].
    terminal
        Position of the terminal in the device's order.

    Errors: ``ValueError`` for no drive, where the rectification is 0/0, or one outside of the table. Numbers are those
    of the table to rounding.

    Examples
    --------
    A part that one direction of the bias pushes into a contact and the other one away from it.

    >>> import jax.numpy as jnp
    >>> from mesotherm.motion_table import tabulate
    >>> def pushed(x, V):
    ...     current = V * jnp.exp(-x) * jnp.array([1.0, -1.0])
    ...     return {"force": V, "particle_current": current, "heat_current": 0.1 * current}
    >>> table = tabulate(pushed, jnp.linspace(-3, 3, 301))
    >>> found = branch_rectification(MechanicalMode(1.0, 1.0), table, 0.5)
    >>> print(found.forward, found.backward, found.odd_rectification_particle.round(6), round(float(-jnp.tanh(0.5)), 6))
    [0.5] [-0.5] [[-0.462117]] -0.462117
    """
    if drive == 0:
        raise ValueError("branch_rectification: without a drive a rectification is 0/0; give one that is not zero.")

    def read(drive: float) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        found: Equilibria = equilibria(
            table, drive, float(mode.stiffness), float(mode.rest_position), float(mode.external_force)
        )
        places = found.position[found.stable]
        return places, {name: np.asarray(values) for name, values in table(places, drive).items()}

    forward, ahead = read(drive)
    backward, back = read(-drive)
    ratios = []
    for name in ("particle_current", "heat_current"):
        x, y = ahead[name][:, None, terminal], back[name][None, :, terminal]
        ratios.append((x + y) / (x - y))
    return BranchRectification(forward, backward, *ratios)
