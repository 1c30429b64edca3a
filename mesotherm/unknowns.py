"""Internal unknowns, each with its own equation; here those that are floating reservoirs.

An unknown knows the contract (:mod:`mesotherm.device`) and nothing else: the same probe serves every theory.
"""

import abc
from collections.abc import Sequence
from typing import ClassVar, Self

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from mesotherm.device import AbstractDevice, Answer, Effort, HasAdjustableCoupling, Reservoirs
from mesotherm.fields import Component, terminal_name


class AbstractUnknown(Component):
    """One internal unknown of a steady state, solved together with all others."""

    @property
    @abc.abstractmethod
    def size(self) -> int:
        """How many numbers are solved for."""

    @property
    @abc.abstractmethod
    def about(self) -> str:
        """The names of what is found for: a terminal, regions."""

    @property
    def name(self) -> str:
        """What a path calls it: the terminal that floats, or its kind."""
        return self.terminal if isinstance(self, AbstractProbe) else type(self).__name__.lower()

    @property
    @abc.abstractmethod
    def spectator(self) -> bool:
        """Whether the device's other currents do not depend on this unknown."""

    @property
    def relaxes(self) -> bool:
        """Whether what is found follows its balance in time, towards it where a solution is stable."""
        return False

    @property
    def several_solutions(self) -> bool:
        """Whether solutions other than the one reached from equilibrium are so common that Newton's steps alone are not
        to be trusted."""
        return False

    @property
    def unit(self) -> Float[Array, ""]:
        """What one of the dimensionless coordinates of an unknown that relaxes stands for."""
        return jnp.ones(())

    @abc.abstractmethod
    def check(self, device: AbstractDevice, floating: tuple[str, ...]) -> None:
        """Raise ``ValueError`` if the device cannot have this unknown while the terminals ``floating`` float."""

    @abc.abstractmethod
    def prepared(self, device: AbstractDevice) -> AbstractDevice:
        """The device as this unknown needs it."""

    @abc.abstractmethod
    def reference(self, device: AbstractDevice, reservoirs: Reservoirs, floating: tuple[str, ...]) -> Reservoirs:
        """Reservoirs with this unknown at its first guess, from those that do not float."""

    @abc.abstractmethod
    def impose(
        self, y: Float[Array, "size"], device: AbstractDevice, reference: Reservoirs
    ) -> tuple[AbstractDevice, Reservoirs]:
        """Device and reservoirs with this unknown at dimensionless coordinates ``y``, counted from the reference."""

    @abc.abstractmethod
    def balance(
        self, device: AbstractDevice, reservoirs: Reservoirs, answer: Answer, effort: Effort
    ) -> tuple[Float[Array, "size"], Float[Array, "size"], Float[Array, "size"]]:
        """What must vanish, the bound on its error, and the one-way flux it is a fraction of."""

    @property
    def equilibrium(self) -> tuple[Float[Array, ""], Float[Array, ""]] | None:
        """μ and T of the equilibrium this unknown is counted from; ``None`` if it knows none."""
        return None

    def at_rest(self, device: AbstractDevice) -> AbstractDevice:
        """The device as it is in that equilibrium."""
        return device

    def counted_from(self, charge: tuple[Array, Array]) -> Self:
        """This unknown, told the device's conjugate quantities in that equilibrium, and their bounds."""
        return self

    @property
    def distance(self) -> Float[Array, ""]:
        """How far what this unknown is given lies from that equilibrium [energy]; zero if nothing is given."""
        return jnp.zeros(())

    def approached(self, part: Float[Array, ""]) -> Self:
        """This unknown a ``part`` of the way from equilibrium, from 0 to 1 and beyond."""
        return self


class AbstractProbe(AbstractUnknown):
    """A reservoir that floats: its electrochemical potential (I = 0), its temperature (J = 0), or both.

    Attributes
    ----------
    terminal
        Name of the terminal that floats.
    floats_mu, floats_T
        Which of the two is found; the other keeps the value given.
    vanishing
        Whether the currents that balance are the slopes at zero coupling.
    """

    terminal: eqx.AbstractVar[str]
    floats_mu: eqx.AbstractClassVar[bool]
    floats_T: eqx.AbstractClassVar[bool]
    vanishing: eqx.AbstractClassVar[bool]

    @property
    def size(self):
        return self.floats_mu + self.floats_T

    @property
    def floats(self) -> tuple[str, ...]:
        """What of the terminal's reservoir is solved for: ``mu``, ``T``."""
        return ("mu",) * self.floats_mu + ("T",) * self.floats_T

    @property
    def about(self):
        return self.terminal

    @property
    def spectator(self):
        return self.vanishing

    def check(self, device, floating):
        if self.floats_mu and all(device.terminals[i] in floating for i in device.conductor_of(self.terminal)):
            raise ValueError(f"every terminal that shares particles with {self.terminal!r} floats; fix at least one.")
        if all(name in floating for name in device.terminals):
            raise ValueError("every terminal floats; fix at least one.")
        if self.vanishing and not isinstance(device, HasAdjustableCoupling):
            raise ValueError(
                f"{type(self).__name__}({self.terminal!r}): the coupling of a terminal of {type(device).__name__} "
                "cannot be varied; use ThermalizingProbe, or a device whose terminals have tunnel rates."
            )

    def prepared(self, device):
        if not self.vanishing:
            return device
        assert isinstance(device, HasAdjustableCoupling)  # by check()
        return device.with_coupling(self.terminal, jnp.zeros(()))

    def reference(self, device, reservoirs, floating):
        r"""First guess from the reservoirs this one shares particles with (from all, if those float):

        .. math::
            \mu_P = \overline{\mu}, \qquad T_P^2 = \overline{T^2} + \frac{3}{\pi^2}\,\overline{(\mu-\overline\mu)^2}

        exact for equal, energy-independent couplings; the last term is Joule heating.
        """
        given = [i for i, name in enumerate(device.terminals) if name not in floating]
        fixed = [i for i in device.conductor_of(self.terminal) if i in given] or given
        mu, T = reservoirs.mu[jnp.array(fixed)], reservoirs.T[jnp.array(fixed)]
        mean = jnp.mean(mu)
        hot = jnp.sqrt(jnp.mean(T**2) + 3 / jnp.pi**2 * jnp.mean((mu - mean) ** 2))
        index = device.index(self.terminal)
        return reservoirs.at(index, mu=mean if self.floats_mu else None, T=hot if self.floats_T else None)

    def impose(self, y, device, reference):
        i = device.index(self.terminal)
        zero = jnp.zeros(())
        y_mu = y[0] if self.floats_mu else zero
        y_T = y[-1] if self.floats_T else zero
        mu, T = device.floating_reservoir_of(self.terminal).place(y_mu, y_T, reference.mu[i], reference.T[i])
        return device, reference.at(i, mu=mu if self.floats_mu else None, T=T if self.floats_T else None)

    def balance(self, device, reservoirs, answer, effort):
        at = i = device.index(self.terminal)
        if self.vanishing:
            assert isinstance(device, HasAdjustableCoupling)  # by check()
            answer, at = device.weak_exchange(self.terminal, reservoirs, effort), 0
        value, error, one_way = answer.value, answer.error, answer.one_way
        particle = value.particle[at], error.particle[at], one_way.particle[at]
        heat = value.energy[at] - reservoirs.mu[i] * value.particle[at], error.energy[at], one_way.energy[at]
        chosen = [particle] * self.floats_mu + [heat] * self.floats_T
        return tuple(jnp.stack(entries) for entries in zip(*chosen, strict=True))


class ThermalizingProbe(AbstractProbe):
    """A probe that exchanges neither particles nor heat on average: I_P = 0 and J_P = 0 fix mu_P and T_P.

    Source: Balduque & Sánchez, PRL 134, 186301 (2025), after Eq. 2; Whitney et al., Physica E 75, 257 (2016), Sec. 6.
    """

    terminal: str = terminal_name("terminal that floats")
    floats_mu: ClassVar[bool] = True
    floats_T: ClassVar[bool] = True
    vanishing: ClassVar[bool] = False


class VoltageProbe(AbstractProbe):
    """A probe that exchanges no particles on average: I_P = 0 fixes mu_P; its temperature is given.

    Source: Büttiker, Phys. Rev. B 33, 3020 (1986).
    """

    terminal: str = terminal_name("terminal that floats")
    floats_mu: ClassVar[bool] = True
    floats_T: ClassVar[bool] = False
    vanishing: ClassVar[bool] = False


class HeatProbe(AbstractProbe):
    """A probe that exchanges no heat on average: J_P = 0 fixes T_P; its electrochemical potential is given.

    Source: Engquist & Anderson, Phys. Rev. B 24, 1151 (1981).
    """

    terminal: str = terminal_name("terminal that floats")
    floats_mu: ClassVar[bool] = False
    floats_T: ClassVar[bool] = True
    vanishing: ClassVar[bool] = False


class VanishingProbe(AbstractProbe):
    r"""A thermalizing probe whose coupling g goes to zero: it measures an effective temperature and disturbs nothing.

    Its currents vanish with g; what must balance is their slope, :math:`\partial_g I_P = \partial_g J_P = 0` at g = 0.

    Source: Whitney et al., Physica E 75, 257 (2016), Sec. 7 (T_M).

    Needs: a device with ``HasAdjustableCoupling``.
    """

    terminal: str = terminal_name("terminal that floats")
    floats_mu: ClassVar[bool] = True
    floats_T: ClassVar[bool] = True
    vanishing: ClassVar[bool] = True


def probes(unknowns: Sequence[AbstractUnknown]) -> tuple[AbstractProbe, ...]:
    """Those unknowns that are floating reservoirs."""
    return tuple(unknown for unknown in unknowns if isinstance(unknown, AbstractProbe))


def held_terminals(device: AbstractDevice, unknowns: Sequence[AbstractUnknown]) -> tuple[str, ...]:
    """The terminals that do not float, in the device's order."""
    floating = {probe.terminal for probe in probes(unknowns)}
    return tuple(name for name in device.terminals if name not in floating)


def check_unknowns(device: AbstractDevice, unknowns: Sequence[AbstractUnknown]) -> None:
    """Raise ``ValueError`` with one clear message if a device cannot have these unknowns together."""
    floating = tuple(probe.terminal for probe in probes(unknowns))
    for terminal in floating:
        if floating.count(terminal) > 1:
            raise ValueError(f"terminal {terminal!r} floats twice; give one unknown per terminal.")
    for unknown in unknowns:
        unknown.check(device, floating)
