r"""Self-consistent electrostatics: the potentials of a conductor's regions follow their charges."""

import dataclasses

import jax.numpy as jnp
from jaxtyping import Array, Float

from mesotherm.device import HasCoordinates
from mesotherm.fields import names, parameter
from mesotherm.unknowns import AbstractUnknown


class Screening(AbstractUnknown):
    r"""The potential energy U_α of every screened region, found from the balance of its charge.

    .. math::
        g_s\,[N_\alpha(U; \mu, T) - N_\alpha(0; \mu_0, T_0)]
        = \sum_\beta \frac{C_{\alpha\beta}}{e^2} (U_\alpha - U_\beta)
        + \sum_g \frac{C_{\alpha g}}{e^2} (U_\alpha - U_g)

    An excess of electrons raises U. U = 0 is the equilibrium at μ₀ and T₀ in every reservoir. Without capacitances each
    region stays neutral (the strongest screening). A gate's potential energy is U_g = −e V_g from the voltage at
    which the equilibrium was U = 0.

    Source: Balduque & Sánchez, PRL 134, 186301 (2025), Eqs. 5, 6 and the text after them (there C → 0; the sign of
    Eq. 5 as printed makes an excess attractive); Christen & Büttiker, Europhys. Lett. 35, 523 (1996).

    Assumes: one potential per region (no variation within it), capacitances that do not depend on the state.

    Attributes
    ----------
    neutral
        Charges of all the device's regions in equilibrium and their bounds, once they are known.
    """

    regions: tuple[str, ...] = names("screened regions, named as the device's coordinates; others keep their potential")
    mu: Float[Array, ""] = parameter("electrochemical potential μ₀ of the equilibrium", gauge=True)
    T: Float[Array, ""] = parameter("temperature T₀ of the equilibrium", unit="energy/k_B", low=0.0, open_low=True)
    capacitance: Float[Array, "regions regions"] = parameter(
        "capacitances C between regions, symmetric",
        unit="e^2/energy",
        entries=("regions", "regions"),
        left_out=0.0,
        default=0.0,
    )
    gates: tuple[str, ...] = names("gates", default=())
    gate_capacitance: Float[Array, "regions gates"] = parameter(
        "capacitances between regions and gates",
        unit="e^2/energy",
        low=0.0,
        entries=("regions", "gates"),
        left_out=0.0,
        default=0.0,
    )
    gate_potential: Float[Array, "gates"] = parameter(
        "potential energies −e V of the gates", entries=("gates",), left_out=0.0, default=0.0
    )
    neutral: tuple[Float[Array, "coordinates"], Float[Array, "coordinates"]] | None = None

    @property
    def size(self):
        return len(self.regions)

    @property
    def about(self):
        return ", ".join(self.regions)

    @property
    def spectator(self):
        return False

    @property
    def relaxes(self):
        return True

    @property
    def unit(self):
        return self.T

    @property
    def equilibrium(self):
        return self.mu, self.T

    @property
    def distance(self):
        return jnp.max(jnp.abs(self.gate_potential), initial=0.0)

    def approached(self, part):
        return dataclasses.replace(self, gate_potential=part * self.gate_potential)

    def check(self, device, floating):
        if not isinstance(device, HasCoordinates) or not device.coordinates:
            raise ValueError(f"{type(device).__name__} has no regions with a potential; use a device that has.")
        for region in self.regions:
            if region not in device.coordinates:
                raise ValueError(f"there is no region {region!r}; this device has {', '.join(device.coordinates)}.")

    def _positions(self, device):
        return jnp.array([device.coordinates.index(region) for region in self.regions])

    def prepared(self, device):
        return device

    def at_rest(self, device):
        assert isinstance(device, HasCoordinates)  # by check()
        return device.moved_to(device.q.at[self._positions(device)].set(0.0))

    def counted_from(self, charge):
        return dataclasses.replace(self, neutral=charge)

    def reference(self, device, reservoirs, floating):
        return reservoirs

    def impose(self, y, device, reference):
        assert isinstance(device, HasCoordinates)  # by check()
        at = self._positions(device)
        return device.moved_to(device.q.at[at].add(self.T * y)), reference

    def balance(self, device, reservoirs, answer, effort):
        assert isinstance(device, HasCoordinates)  # by check()
        assert self.neutral is not None  # by counted_from()
        at = self._positions(device)
        U = device.q[at]
        regions, gates = len(self.regions), len(self.gates)
        mutual = jnp.broadcast_to(self.capacitance, (regions, regions))
        gated = jnp.broadcast_to(self.gate_capacitance, (regions, gates))
        between = jnp.sum(mutual * (U[:, None] - U), axis=1)
        to_gates = jnp.sum(gated * (U[:, None] - self.gate_potential), axis=1)
        charge, error = answer.value.conjugate[at], answer.error.conjugate[at]
        stored = jnp.sum(jnp.abs(mutual), axis=1) + jnp.sum(gated, axis=1)
        neutral, neutral_error = (quantity[at] for quantity in self.neutral)
        scale = charge + neutral + self.T * stored
        return charge - neutral - between - to_gates, error + neutral_error, scale
