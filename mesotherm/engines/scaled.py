"""Numbers of any size: a mantissa and a logarithmic scale, where 64-bit floats under- or overflow.

A number is ``mantissa * exp(scale)``. The scale is a constant to derivatives, which go through the mantissa: they are
right at zero, too, where a logarithm has none.
"""

from typing import Any, Self

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

LOWEST = -1e30
"""A scale below that of every number."""

LARGEST_EXPONENT = 700.0
"""exp(700) is about the largest 64-bit float."""


class Scaled(eqx.Module):
    """An array of numbers ``mantissa * exp(scale)``; mantissas of either sign, of size 1 or zero.

    The scale of a zero is that of its derivatives.
    """

    mantissa: Float[Array, "..."]
    scale: Float[Array, "..."]

    @classmethod
    def of(cls, mantissa, scale: Any = 0.0) -> Self:
        """The numbers ``mantissa * exp(scale)``, normalised."""
        size = jax.lax.stop_gradient(jnp.abs(mantissa))
        unit = jnp.where(size > 0, size, 1.0)
        return cls(mantissa / unit, jax.lax.stop_gradient(scale + jnp.log(unit)))

    @property
    def shape(self) -> tuple[int, ...]:
        return self.mantissa.shape

    @property
    def ndim(self) -> int:
        return self.mantissa.ndim

    def __getitem__(self, index) -> "Scaled":
        return Scaled(self.mantissa[index], self.scale[index])

    def __mul__(self, other: "Scaled") -> "Scaled":
        return Scaled.of(self.mantissa * other.mantissa, self.scale + other.scale)

    def __truediv__(self, other: "Scaled") -> "Scaled":
        return Scaled.of(self.mantissa / other.mantissa, self.scale - other.scale)

    def __add__(self, other: "Scaled") -> "Scaled":
        pairs = (jnp.stack(jnp.broadcast_arrays(a, b)) for a, b in zip(_parts(self), _parts(other), strict=True))
        return Scaled(*pairs).total(0)

    def __neg__(self) -> "Scaled":
        return Scaled(-self.mantissa, self.scale)

    def total(self, axis: int) -> "Scaled":
        """Sum along an axis."""
        of_numbers = jnp.where(self.mantissa == 0, LOWEST, self.scale)
        largest = jnp.max(of_numbers, axis=axis, keepdims=True, initial=LOWEST)
        of_zeros = jnp.max(self.scale, axis=axis, keepdims=True, initial=LOWEST)
        largest = jnp.where(largest > LOWEST, largest, of_zeros)
        beside = jnp.exp(jnp.minimum(self.scale - largest, LARGEST_EXPONENT))
        found = jnp.sum(self.mantissa * beside, axis=axis)
        return Scaled.of(found, jnp.squeeze(largest, axis))

    @classmethod
    def joined(cls, pieces: list["Scaled"]) -> "Scaled":
        """Pieces one after the other along the first axis."""
        return jax.tree.map(lambda *parts: jnp.concatenate(parts), *pieces)

    def plain(self) -> Float[Array, "..."]:
        """As 64-bit floats; zero or infinite where those end."""
        return self.mantissa * jnp.exp(self.scale)


def _parts(numbers: Scaled) -> tuple[Array, Array]:
    return numbers.mantissa, numbers.scale


Numbers = Float[Array, "..."] | Scaled
"""Plain floats or scaled ones: what an algorithm of sums, products and quotients takes alike."""


def total(numbers: Any, axis: int) -> Any:
    """Sum along an axis."""
    return numbers.total(axis) if isinstance(numbers, Scaled) else jnp.sum(numbers, axis=axis)


def joined(pieces: list[Any]) -> Any:
    """Pieces one after the other along the first axis."""
    return Scaled.joined(pieces) if isinstance(pieces[0], Scaled) else jnp.concatenate(pieces)


def plain(numbers: Any) -> Float[Array, "..."]:
    """As 64-bit floats."""
    return numbers.plain() if isinstance(numbers, Scaled) else numbers


def zeros_like(numbers: Any) -> Any:
    """As many zeros."""
    if isinstance(numbers, Scaled):
        return Scaled(jnp.zeros_like(numbers.mantissa), jnp.full_like(numbers.scale, LOWEST))
    return jnp.zeros_like(numbers)


def ones_like(numbers: Any) -> Any:
    """As many ones."""
    if isinstance(numbers, Scaled):
        return Scaled(jnp.ones_like(numbers.mantissa), jnp.zeros_like(numbers.scale))
    return jnp.ones_like(numbers)


def is_zero(numbers: Any) -> Bool[Array, "..."]:
    """Which are exactly zero."""
    return (numbers.mantissa if isinstance(numbers, Scaled) else numbers) == 0


def where(condition: Bool[Array, "..."], numbers: Any, others: Any) -> Any:
    """The one or the other, entry by entry."""
    return jax.tree.map(lambda a, b: jnp.where(condition, a, b), numbers, others)
