"""The same elements in another shape.

In: an array.  Out: an array with its axes in another order, with axes of extent 1 added or taken away, or repeated.
"""

from __future__ import annotations

from collections.abc import Sequence

from symbn.expr import ZERO, rename_indices
from symbn.language.numpy_arrays import Array, Clash, Misfit, Supply, align, made


def permuted(array: Array, places: Sequence[int]) -> Array:
    """The axes in another order."""
    if sorted(places) != list(range(array.rank)):
        raise Misfit(f"{_tuple(places)} is not an order of the axes of an array of shape {array.shape}", "name each axis once")
    return Array(tuple(array.dims[place] for place in places), array.expr, array.size)


def swapped(array: Array, first: int, second: int) -> Array:
    """Two axes exchanged."""
    order = list(range(array.rank))
    order[first], order[second] = second, first
    return permuted(array, order)


def expanded(array: Array, axes: Sequence[int]) -> Array:
    """New axes of extent 1 at these places of the result."""
    rank = array.rank + len(axes)
    if any(not -rank <= axis < rank for axis in axes) or len({axis % rank for axis in axes}) < len(axes):
        raise Misfit(f"no new axes fit at {_tuple(axes)} into an array of shape {array.shape}")
    new, old = {axis % rank for axis in axes}, iter(array.dims)
    return Array(tuple(None if place in new else next(old) for place in range(rank)), array.expr, array.size)


def squeezed(array: Array, places: Sequence[int] | None) -> Array:
    """Without axes of extent 1: these, or all."""
    for place in places or ():
        index = array.dims[place]
        if index:
            raise Misfit(f"axis {place} is {index.axis}, which may be larger than 1", "squeeze takes axes of extent 1 away")
    kept = [i for place, i in enumerate(array.dims) if (i or places is not None) and (places is None or place not in places)]
    return Array(tuple(kept), array.expr, array.size)


def reshaped(array: Array, target: Sequence[str | int | None]) -> Array:
    """Another shape that differs in axes of extent 1 alone; -1 stands for what is left, None for extent 1."""
    own = [index for index in array.dims if index]
    if list(target).count(-1) > 1:
        raise Misfit("only one -1 stands in a shape")
    named = [axis for axis in target if isinstance(axis, str)]
    rest = own[len(named) :] if -1 in target else []
    if -1 in target and len(own) > len(named):
        before = len([axis for axis in target[: list(target).index(-1)] if isinstance(axis, str)])
        rest = own[before : before + len(own) - len(named)]
    wanted = [axis for part in target if part is not None for axis in ([i.axis for i in rest] if part == -1 else [part])]
    if wanted != [index.axis for index in own]:
        raise Misfit(f"an array of shape {array.shape} has no shape {_shown(target)} for every extent", "its axes keep their order")
    if len(rest) > 1:
        merged = " and ".join(index.axis for index in rest)
        raise Misfit(f"reshape would merge the axes {merged}", "keep them apart, and reduce over both: axis=(0, 1)")
    indices = iter(own)
    return Array(tuple(next(indices) if isinstance(p, str) or (p == -1 and rest) else None for p in target), array.expr, array.size)


def broadcast_to(array: Array, target: Sequence[str | None], supply: Supply) -> Array:
    """The array repeated along new axes and along those of extent 1."""
    shape = tuple(supply.index(axis) if axis else None for axis in target)
    wanted = Array(shape, ZERO)
    if array.rank > len(shape) or any(a and not b for a, b in zip(array.dims[::-1], shape[::-1], strict=False)):
        raise Misfit(f"an array of shape {array.shape} does not broadcast to {wanted.shape}")
    try:
        dims, (expr, _) = align(array, wanted)
    except Clash:
        raise Misfit(f"an array of shape {array.shape} does not broadcast to {wanted.shape}") from None
    return Array(dims, expr, array.size)


def diagonal(array: Array) -> Array:
    """The diagonal of a matrix over one axis twice."""
    first, second = array.dims if array.rank == 2 else (None, None)
    if first is None or second is None or first.axis != second.axis:
        raise Misfit(f"an array of shape {array.shape} has no diagonal here", "a diagonal needs a matrix over one axis twice, N and N")
    return made((first,), rename_indices(array.expr, {second: first}), array)


def _tuple(numbers: Sequence[int]) -> str:
    return f"({', '.join(map(str, numbers))})"


def _shown(target: Sequence[str | int | None]) -> str:
    return f"({', '.join('1' if part is None else str(part) for part in target)}{',' if len(target) == 1 else ''})"
