r"""What a device does: which terminals it cools or heats, which conductors produce work, and how well.

Seen from surroundings at a temperature T₀ there are three useful things: electrical power P > 0 (an engine), heat taken
from a terminal colder than T₀ (a refrigerator), heat brought to one hotter than T₀ (a heat pump); a device may do
several at once. By both laws what it delivers is bounded by what it is given,

.. math::
    \underbrace{P^+ + \sum_\alpha A_\alpha^-}_\text{delivered} = \underbrace{P^- + \sum_\alpha A_\alpha^+}_\text{given}
    - T_0 \dot\Sigma, \qquad A_\alpha = \Big(1 - \frac{T_0}{T_\alpha}\Big) J_\alpha

(A± and P± the positive and negative parts), so that their ratio, the second-law efficiency, is at most 1, whatever the
number of terminals and tasks.

Source: Manzano, Sánchez, Silva, Haack, Brask, Brunner & Potts, Phys. Rev. Res. 2, 043302 (2020); power bound: Whitney,
Phys. Rev. Lett. 112, 130601 (2014), Eq. 6.
"""

from collections.abc import Sequence
from typing import TypeGuard

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from mesotherm.conventions import PLANCK
from mesotherm.device import AbstractDevice
from mesotherm.engines.coherent import AbstractCoherentDevice
from mesotherm.engines.scattering import HasSMatrix
from mesotherm.flags import Flag
from mesotherm.observables import Observable, Variable, bounded, heat_current, power
from mesotherm.steady_state import SteadyState
from mesotherm.unknowns import AbstractUnknown, held_terminals


class Regime(Flag):
    """What a device does. Where a sign is within its error bound, nothing is claimed of it."""

    EQUILIBRIUM = 0, "nothing flows"
    CONDUCTION = 1, "heat flows, no work is done"
    DISSIPATOR = 2, "work is turned into heat, nothing useful is done"
    ENGINE = 3, "heat is turned into work"
    REFRIGERATOR = 4, "a terminal colder than the surroundings is cooled"
    HEAT_PUMP = 5, "a terminal hotter than the surroundings is heated"
    DRAG = 6, "work in one conductor is turned into less work in another"
    ENGINE_REFRIGERATOR = 7, "work is produced and a cold terminal is cooled"
    ENGINE_HEAT_PUMP = 8, "work is produced and a hot terminal is heated"
    REFRIGERATOR_HEAT_PUMP = 9, "a cold terminal is cooled and a hot one is heated"
    ENGINE_REFRIGERATOR_HEAT_PUMP = 10, "work is produced, a cold terminal is cooled and a hot one is heated"


USEFUL = {
    (True, False, False): Regime.ENGINE,
    (False, True, False): Regime.REFRIGERATOR,
    (False, False, True): Regime.HEAT_PUMP,
    (True, True, False): Regime.ENGINE_REFRIGERATOR,
    (True, False, True): Regime.ENGINE_HEAT_PUMP,
    (False, True, True): Regime.REFRIGERATOR_HEAT_PUMP,
    (True, True, True): Regime.ENGINE_REFRIGERATOR_HEAT_PUMP,
}
"""By what is useful: work produced, something cooled, something heated."""


class Operation(eqx.Module):
    """What a solved device does, and how well.

    Attributes
    ----------
    regime
        Code of a :class:`Regime`.
    power, heat_in, cooling_power, heating_power
        Work produced per time; heat taken from terminals hotter than the coldest one; heat taken from terminals colder
        than the surroundings; heat brought to hotter ones [energy²/ħ].
    conductor_power
        Work each conductor produces, in the order of the device's conductors [energy²/ħ].
    efficiency
        P over heat in where work is produced [1]; NaN elsewhere.
    coefficient_of_performance
        Cooling power over the work it takes, where both are positive [1]; NaN elsewhere.
    carnot_efficiency
        1 − T_min/T_max of the terminals that do not float [1]: bound of the efficiency.
    carnot_performance
        T_c/(T₀ − T_c), of the coldest terminal [1]: bound of the coefficient of performance, unless heat of a hotter
        terminal helps; infinite at T₀.
    second_law_efficiency
        Delivered over given, in work [1]: at most 1; NaN where nothing is given.
    error
        Bounds on the errors of the numbers of the same name; of ratios where they are not NaN.
    """

    regime: Int[Array, ""]
    power: Float[Array, ""]
    heat_in: Float[Array, ""]
    cooling_power: Float[Array, ""]
    heating_power: Float[Array, ""]
    conductor_power: Float[Array, "conductors"]
    efficiency: Float[Array, ""]
    coefficient_of_performance: Float[Array, ""]
    carnot_efficiency: Float[Array, ""]
    carnot_performance: Float[Array, ""]
    second_law_efficiency: Float[Array, ""]
    error: dict[str, Float[Array, "..."]]


POWER_UNIT = "energy^2/hbar"

DESCRIPTIONS = {
    "heat_in": Variable("heat taken from terminals hotter than the coldest one", r"J_\mathrm{in}", POWER_UNIT),
    "cooling_power": Variable("heat taken from terminals colder than the surroundings", r"J_\mathrm{c}", POWER_UNIT),
    "heating_power": Variable("heat brought to terminals hotter than the surroundings", r"J_\mathrm{h}", POWER_UNIT),
    "conductor_power": Variable("electrical power each conductor produces", "P", POWER_UNIT, ("conductor",)),
    "efficiency": Variable("efficiency of the engine", r"\eta", "1"),
    "coefficient_of_performance": Variable("coefficient of performance of the refrigerator", r"\mathrm{COP}", "1"),
    "second_law_efficiency": Variable("work delivered over work given", r"\eta_\mathrm{II}", "1"),
    "carnot_efficiency": Variable("Carnot efficiency between the extreme temperatures", r"\eta_\mathrm{C}", "1"),
    "carnot_performance": Variable("Carnot's coefficient of performance", r"\mathrm{COP}_\mathrm{C}", "1"),
}
"""What the numbers of an operation mean, but for ``power`` and ``regime``."""

MEASURED = tuple(DESCRIPTIONS)[:7]


def surroundings_of(device: AbstractDevice, unknowns: Sequence[AbstractUnknown], T, terminal: str = ""):
    """T₀: that of a terminal, or the median of the terminals that do not float (of two, the hotter one)."""
    if terminal:
        return T[device.index(terminal)]
    fixed = _held(device, unknowns)
    return jnp.sort(T[fixed])[len(fixed) // 2]


def _held(device, unknowns) -> np.ndarray:
    return np.array([device.index(name) for name in held_terminals(device, unknowns)])


def operation(state: SteadyState, surroundings: str = "") -> Operation:
    """Classify what a solved state does.

    Parameters
    ----------
    surroundings
        Terminal at the temperature of the surroundings, T₀; by default the median of the terminals that do not float
        (of two the hotter one, so that what cools the other is a refrigerator; name the colder one to see a heat pump).

    Examples
    --------
    >>> from mesotherm import CoupledDots, Reservoirs, operation, steady_state
    >>> from mesotherm.regimes import Regime
    >>> state = steady_state(CoupledDots.example(), Reservoirs([0.0, 0.2, 0.0], [1.0, 1.0, 2.0]))
    >>> Regime(int(operation(state).regime)).label
    'engine'
    """
    device = state.device
    fixed = _held(device, state.unknowns)
    groups = [np.array([device.index(name) for name in conductor]) for conductor in device.conductors]
    T = jax.lax.stop_gradient(state.reservoirs.T)
    outside = surroundings_of(device, state.unknowns, T, surroundings)
    colder, hotter = (outside > T)[fixed], (outside < T)[fixed]
    coldest = jnp.min(T[fixed])

    def heats(state):
        return heat_current(state)[fixed]

    def powers(state):
        produced = state.reservoirs.mu * state.currents.particle
        return jnp.stack([-jnp.sum(produced[group]) for group in groups])

    def cooling(state):
        return jnp.sum(jnp.where(colder, jnp.maximum(heats(state), 0.0), 0.0))

    def heating(state):
        return jnp.sum(jnp.where(hotter, jnp.maximum(-heats(state), 0.0), 0.0))

    def heat_in(state):
        return jnp.sum(jnp.where(T[fixed] > coldest, jnp.maximum(heats(state), 0.0), 0.0))

    def efficiency(state):
        return power(state) / heat_in(state)

    def performance(state):
        return cooling(state) / -power(state)

    def second_law(state):
        worth = (1.0 - outside / state.reservoirs.T[fixed]) * heats(state)
        done = power(state)
        delivered = jnp.maximum(done, 0.0) + jnp.sum(jnp.maximum(-worth, 0.0))
        return delivered / (jnp.maximum(-done, 0.0) + jnp.sum(jnp.maximum(worth, 0.0)))

    functions = (heat_in, cooling, heating, powers, efficiency, performance, second_law)
    wanted = [power, *(Observable(f, DESCRIPTIONS[name]) for name, f in zip(MEASURED, functions, strict=True))]
    wanted.append(Observable(heats, DESCRIPTIONS["heat_in"]))
    (produced, *measured, (heat, heat_error)) = bounded(state, wanted)
    value = {"power": produced[0]} | {name: found[0] for name, found in zip(MEASURED, measured, strict=True)}
    error = {"power": produced[1]} | {name: found[1] for name, found in zip(MEASURED, measured, strict=True)}

    works, spends = value["power"] > error["power"], value["power"] < -error["power"]
    cools, heats_up = (value[name] > error[name] for name in ("cooling_power", "heating_power"))
    drags = jnp.any(value["conductor_power"] > error["conductor_power"])
    flows = jnp.any(jnp.abs(heat) > heat_error)
    cases = [jnp.array([works, cools, heats_up]) == jnp.array(useful) for useful in USEFUL]
    regime = jnp.select(
        [*(jnp.all(case) for case in cases), drags, spends, flows],
        [*USEFUL.values(), Regime.DRAG, Regime.DISSIPATOR, Regime.CONDUCTION],
        Regime.EQUILIBRIUM,
    )
    return Operation(
        regime=regime.astype(jnp.int8),
        **value
        | {
            "efficiency": jnp.where(works, value["efficiency"], jnp.nan),
            "coefficient_of_performance": jnp.where(cools & spends, value["coefficient_of_performance"], jnp.nan),
            "second_law_efficiency": jnp.where(flows, value["second_law_efficiency"], jnp.nan),
        },
        carnot_efficiency=1.0 - coldest / jnp.max(T[fixed]),
        carnot_performance=coldest / (outside - coldest),
        error=error,
    )


LARGEST_POWER = 0.316346711370206054
"""Largest x·ln(1 + e⁻ˣ): an open channel of one spin yields at most this times (k_B ΔT)²/h."""


def has_quantum_power_bound(device: AbstractDevice) -> TypeGuard[AbstractCoherentDevice]:
    """Whether it is a coherent conductor between two terminals."""
    return isinstance(device, AbstractCoherentDevice) and len(device.terminals) == 2


def quantum_power_bound(state: SteadyState) -> Float[Array, ""]:
    r"""The largest power any coherent conductor with as many channels could produce [energy²/ħ]:

    .. math:: P \le 0.3163\, g_s N \frac{(k_\mathrm{B} \Delta T)^2}{h}

    with N the smaller number of channels of both terminals. NaN for other theories, and unless there are two terminals.

    Source: Whitney, Phys. Rev. Lett. 112, 130601 (2014), Eq. 6 (his A₀ = 0.3163/π²).
    """
    device = state.device
    if not has_quantum_power_bound(device):
        return jnp.full((), jnp.nan)
    channels = device.channels if isinstance(device, HasSMatrix) else device.terminals
    smaller = min(channels.count(name) for name in device.terminals)
    difference = state.reservoirs.T[0] - state.reservoirs.T[1]
    return LARGEST_POWER * smaller * device.spin_degeneracy * difference**2 / PLANCK
