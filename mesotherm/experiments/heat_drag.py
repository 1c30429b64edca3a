"""Coulomb heat drag: a current through an unbiased circuit, driven by hot and cold dots beside it."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from mesotherm.device import HasCoulombCoupledDots
from mesotherm.experiments.bias import Bias
from mesotherm.experiments.experiment import AbstractExperiment, Setup, read, state_variables
from mesotherm.fields import terminal_name, terminal_names
from mesotherm.observables import Observable, Variable, heat_current


class HeatDrag(AbstractExperiment):
    r"""The current through an unbiased circuit that heat from other dots drives by Coulomb repulsion alone.

    The circuit is the dot M between ``left`` and ``right``; each of the ``drivers`` is the terminal of another dot.
    Both ends of the circuit get the mu given for ``right``. An electron that enters M while the driver's dot is empty
    and leaves while it is filled takes the charging energy from the driver; which way it goes is the asymmetry

    .. math::
        \Lambda_H = \frac{\gamma_l^{H}\gamma_r^{0} - \gamma_l^{0}\gamma_r^{H}}
                         {(\gamma_l^{0}+\gamma_r^{0})(\gamma_l^{H}+\gamma_r^{H})}

    of the tunnel rates with no driver's dot occupied (0) and with only that of H (H); +1 when electrons always enter
    from ``right`` and leave to ``left``. From it and the heats J_H, J_C the current into the device at ``right`` is
    predicted,

    .. math:: I_r = \Lambda_H \frac{J_H}{U_{MH}} + \Lambda_C \frac{J_C}{U_{MC}},

    to be compared with ``drag_current``. The prediction is exact only if the drivers' dots are never occupied together
    (infinitely strong U_HC, or one driver), M has no other coupled terminal, and both ends of the circuit have one
    temperature; it is NaN where these differ. With two drivers the heat is also reported as ``heat_in`` (the sum) and
    ``heat_transferred`` (the first less the second); with one, ``heat_in`` alone.

    Source: Whitney et al., Physica E 75, 257 (2016), Sec. 3, Eqs. 12-15.

    Needs: a device with ``HasCoulombCoupledDots``; two terminals of one dot that do not float, and drivers, one or two,
    each on another dot.

    Errors: ``asymmetry`` follows from the input alone and has no bound beside it. It is NaN where all rates of the
    circuit vanish for one of the occupations.
    """

    left: str = terminal_name("one end of the circuit", default="L")
    right: str = terminal_name("other end of the circuit, whose current is reported", default="R")
    drivers: tuple[str, ...] = terminal_names("terminals of the dots that drive, one or two", default=("H", "C"))

    @property
    def _pair(self) -> Bias:
        return Bias(self.left, self.right, jnp.zeros(()))

    @property
    def sets(self):
        return self._pair.sets

    def prepare(self, setup):
        device = setup.device
        if not isinstance(device, HasCoulombCoupledDots):
            raise ValueError(
                f"heat drag: {type(device).__name__} has no Coulomb-coupled dots; use a device whose terminals contact "
                "dots, such as CoulombDots."
            )
        self._pair.check(setup, "heat drag")
        if not 1 <= len(self.drivers) <= 2:
            raise ValueError(f"heat drag: drivers = {list(self.drivers)}; name one or two terminals of other dots.")
        for name in self.drivers:
            if name not in device.terminals:
                raise ValueError(
                    f"heat drag: there is no terminal {name!r} to drive the circuit; drivers must be among "
                    f"{', '.join(device.terminals)}."
                )
        dots = [device.dot_of(name) for name in (self.left, *self.drivers)]
        if len(set(dots)) < len(dots):
            raise ValueError(
                f"heat drag: {self.left!r} and the drivers {', '.join(self.drivers)} contact the dots "
                f"{', '.join(dots)}; each driver must have a dot of its own."
            )
        return setup

    def coordinates(self, setup):
        return {"driver": np.array(self.drivers, dtype=object)}

    def variables(self, setup):
        names = " and ".join(self.drivers)
        described = {
            **state_variables(setup),
            "driver": Variable("terminal that drives the circuit", "", "1", ("driver",)),
            "drag_current": Variable(f"particle current of {self.right} into the device", "I", "energy/hbar"),
            "predicted_current": Variable(
                f"particle current of {self.right} predicted from the heats", r"I_\mathrm{pred}", "energy/hbar"
            ),
            "asymmetry": Variable("asymmetry of the circuit's tunnel rates", r"\Lambda", "1", ("driver",)),
            "driver_heat": Variable("heat taken from the driver", "J", "energy^2/hbar", ("driver",)),
            "heat_in": Variable(f"heat taken from {names}", r"J_\mathrm{in}", "energy^2/hbar"),
        }
        if len(self.drivers) == 2:
            described["heat_transferred"] = Variable(
                f"heat from {' minus heat from '.join(self.drivers)}", r"J_\mathrm{trans}", "energy^2/hbar"
            )
        return described

    def measure(self, setup, effort):
        state = self._pair.applied(setup, jnp.zeros(())).solve(effort)
        device = setup.device
        right = device.index(self.right)
        drivers = jnp.array([device.index(name) for name in self.drivers])
        asymmetry, per_heat = self._asymmetries(setup)
        T_left, T_right = (setup.reservoirs.T[device.index(name)] for name in (self.left, self.right))
        per_heat = jnp.where(T_left == T_right, per_heat, jnp.nan)
        quantities = {
            "drag_current": lambda s: s.currents.particle[right],
            "predicted_current": lambda s: jnp.sum(per_heat * heat_current(s)[drivers]),
            "driver_heat": lambda s: heat_current(s)[drivers],
            "heat_in": lambda s: jnp.sum(heat_current(s)[drivers]),
        }
        if len(self.drivers) == 2:
            quantities["heat_transferred"] = lambda s: heat_current(s)[drivers[0]] - heat_current(s)[drivers[1]]
        out = read(state) | {"asymmetry": asymmetry}
        variables = self.variables(setup)
        for name, function in quantities.items():
            quantity = Observable(function, variables[name])
            out[name], out[f"error_{name}"] = quantity(state), quantity.error(state)
        return out

    def _asymmetries(self, setup: Setup) -> tuple[Float[Array, "drivers"], Float[Array, "drivers"]]:
        """Λ of every driver (Eq. 12), and Λ over the charging energy."""
        device = setup.device
        assert isinstance(device, HasCoulombCoupledDots)  # by prepare()
        circuit = device.dot_of(self.left)
        found, per_heat = [], []
        for name in self.drivers:
            dot = device.dot_of(name)
            found.append(rate_asymmetry(device, self.left, self.right, dot))
            per_heat.append(found[-1] / device.charging_energy(circuit, dot))
        return jnp.stack(found), jnp.stack(per_heat)


def rate_asymmetry(device: HasCoulombCoupledDots, left: str, right: str, dot: str) -> Float[Array, ""]:
    """Λ of a driver's dot for the circuit between two terminals, from -1 to 1 [1]; NaN where that is not coupled.

    Source: Whitney et al., Physica E 75, 257 (2016), Eq. 12.
    """
    (left_free, left_driven), (right_free, right_driven) = (
        (device.tunnel_rate(end, ()), device.tunnel_rate(end, (dot,))) for end in (left, right)
    )
    difference = left_driven * right_free - left_free * right_driven
    return difference / ((left_free + right_free) * (left_driven + right_driven))
