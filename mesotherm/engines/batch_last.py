"""Batches with the batch axis last.

``jax.vmap`` puts the batch first: arrays over a handful of states or terminals then have rows of a few numbers, which
no processor likes. A kernel written for trailing batch dimensions runs several times faster on thousands of points.
"""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp


def batch_last(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """A function like ``kernel`` whose batches, however nested, run through the kernel with the batch axes last.

    Parameters
    ----------
    kernel
        Pure function of pytrees of floating-point arrays. It must give the same for arrays with further dimensions
        after those it knows of, entry by entry; arguments that are not batched get dimensions of size 1 there.

    Values go through the batched kernel. Derivatives go through the kernel's ordinary operations, so that they can be
    taken in either mode and any order.
    """

    @eqx.filter_custom_jvp
    def differentiable(*arguments):
        return moved(*arguments)

    @differentiable.def_jvp
    def _(primals, tangents):
        return eqx.filter_jvp(kernel, primals, tangents)

    @jax.custom_batching.custom_vmap
    def moved(*arguments):
        return kernel(*arguments)

    @moved.def_vmap
    def _(size, batched, *arguments):
        def to_end(leaf, is_batched):
            return jnp.moveaxis(leaf, 0, -1) if is_batched else leaf[..., None]

        def to_front(leaf):
            return jnp.moveaxis(jnp.broadcast_to(leaf, (*leaf.shape[:-1], size)), -1, 0)

        out = moved(*jax.tree.map(to_end, arguments, tuple(batched)))
        return jax.tree.map(to_front, out), jax.tree.map(lambda _: True, out)

    return differentiable
