"""Batches with the batch axis last, of values and of first derivatives.

``jax.vmap`` puts the batch first: arrays over a handful of states or terminals then have rows of a few numbers, which
no processor likes. A kernel written for trailing batch dimensions runs several times faster on thousands of points.
"""

import functools
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.core import ShapedArray
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir


def batch_last(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """A function like ``kernel`` whose batches, however nested, run through the kernel with the batch axes last.

    Parameters
    ----------
    kernel
        Pure function of pytrees; their arrays are of floating-point numbers, and so are those it returns. It must give
        the same for arrays with further dimensions after those it knows of, entry by entry; arguments that are not
        batched get dimensions of size 1 there.

    First derivatives, in either mode, run so, too. Higher ones go through the kernel's ordinary operations.
    """

    def batchable(*arguments):
        arrays, static = eqx.partition(arguments, eqx.is_array)
        leaves, structure = jax.tree.flatten(arrays)

        def function(leaves):
            return kernel(*eqx.combine(jax.tree.unflatten(structure, leaves), static))

        described = jax.eval_shape(function, leaves)
        out = _values.bind(
            *leaves,
            function=lambda *leaves: jax.tree.leaves(function(leaves)),
            outof=tuple(leaf.shape for leaf in jax.tree.leaves(described)),
            batch=(),
        )
        return jax.tree.unflatten(jax.tree.structure(described), out)

    return batchable


def _full(values, shapes, batch):
    return [jnp.broadcast_to(value, shape + batch) for value, shape in zip(values, shapes, strict=True)]


def _arrays(shapes, batch):
    return [ShapedArray(shape + batch, jnp.dtype(float)) for shape in shapes]


def _batched(primitive, arguments, dimensions, **options):
    """The rule for batches: their axis goes to the end of every argument and is there in every result."""
    pairs = list(zip(arguments, dimensions, strict=True))
    size = next(x.shape[d] for x, d in pairs if d is not None)
    last = [x[..., None] if d is None else jnp.moveaxis(x, d, -1) for x, d in pairs]
    out = primitive.bind(*last, **options | {"batch": (*options["batch"], size)})
    return out, [x.ndim - 1 for x in out]


# ---------------------------------------------------------------------------------------------------------------------
# Values: ``function`` of a list of arrays returns arrays of the shapes ``outof``, then the dimensions ``batch``.

_values = Primitive("batch_last_values")
_values.multiple_results = True


@_values.def_impl
def _evaluate(*points, function, outof, batch):
    return _full(function(*points), outof, batch)


@_values.def_abstract_eval
def _shapes_of_values(*_, function, outof, batch):
    return _arrays(outof, batch)


def _differentiate_values(points, tangents, *, function, outof, batch):
    points = [jnp.asarray(point) for point in points]
    moving = [position for position, tangent in enumerate(tangents) if not isinstance(tangent, ad.Zero)]

    def slopes(points, moves):
        points = list(points)
        starts, directions = [], []
        for position, move in zip(moving, moves, strict=True):
            shape = jnp.broadcast_shapes(points[position].shape, move.shape)
            starts.append(jnp.broadcast_to(points[position], shape))
            directions.append(jnp.broadcast_to(move, shape))

        def along(*moved):
            for position, one in zip(moving, moved, strict=True):
                points[position] = one
            return function(*points)

        return jax.jvp(along, starts, directions)[1]

    inner = [points[position].shape[: points[position].ndim - len(batch)] for position in moving]
    slope = _slopes.bind(
        *points,
        *(tangents[position] for position in moving),
        function=slopes,
        points=len(points),
        into=tuple(inner),
        outof=outof,
        batch=batch,
        transposed=False,
    )
    return _values.bind(*points, function=function, outof=outof, batch=batch), slope


# ---------------------------------------------------------------------------------------------------------------------
# Slopes: ``function`` of points and moves is linear in the moves, which have shapes ``into``. The transpose takes
# cotangents of the results and returns those of the moves.

_slopes = Primitive("batch_last_slopes")
_slopes.multiple_results = True


@_slopes.def_impl
def _evaluate_slopes(*arguments, function, points, into, outof, batch, transposed):
    at, given = arguments[:points], arguments[points:]

    def along(moves):
        return _full(function(at, moves), outof, batch)

    if not transposed:
        return along(given)
    moves = [jax.ShapeDtypeStruct(shape + batch, float) for shape in into]
    (back,) = jax.linear_transpose(along, moves)(_full(given, outof, batch))
    return back


@_slopes.def_abstract_eval
def _shapes_of_slopes(*_, into, outof, batch, transposed, **options):
    return _arrays(into if transposed else outof, batch)


def _differentiate_slopes(arguments, tangents, **options):
    points, slope = options["points"], _slopes.bind(*arguments, **options)
    directions = [ad.instantiate_zeros(tangent) for tangent in tangents]
    if all(isinstance(tangent, ad.Zero) for tangent in tangents[:points]):
        return slope, _slopes.bind(*arguments[:points], *directions[points:], **options)
    return slope, jax.jvp(functools.partial(_evaluate_slopes, **options), list(arguments), directions)[1]


def _transpose_slopes(cotangents, *arguments, **options):
    points, transposed, batch = options["points"], options["transposed"], options["batch"]
    shapes = options["into" if transposed else "outof"]
    given = [
        jnp.zeros(shape + batch) if isinstance(cotangent, ad.Zero) else cotangent
        for cotangent, shape in zip(cotangents, shapes, strict=True)
    ]
    back = _slopes.bind(*arguments[:points], *given, **options | {"transposed": not transposed})
    return [None] * points + back


ad.primitive_jvps[_values] = _differentiate_values
ad.primitive_jvps[_slopes] = _differentiate_slopes
ad.primitive_transposes[_slopes] = _transpose_slopes
for _primitive, _impl in ((_values, _evaluate), (_slopes, _evaluate_slopes)):
    batching.primitive_batchers[_primitive] = functools.partial(_batched, _primitive)
    mlir.register_lowering(_primitive, mlir.lower_fun(_impl, multiple_results=True))
