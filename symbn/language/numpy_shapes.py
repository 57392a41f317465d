"""Functions about shapes: transposes, new axes, arrays of ones.

In: the arguments of a call.  Out: its value. An extent is that of a known axis, or 1.
"""

from __future__ import annotations

from collections.abc import Mapping

from symbn.expr import ONE, ZERO, Delta, Expr, Index, mul, num
from symbn.language.limits import MAX_AXES
from symbn.language.numpy_arguments import Arguments
from symbn.language.numpy_arrays import Array, Items, Misfit, Value, axes_of, axis_place, count, extent, integer, made, scalar
from symbn.language.numpy_layout import broadcast_to, diagonal, expanded, permuted, reshaped, squeezed, swapped
from symbn.language.numpy_table import Function


def _transpose(a: Arguments) -> Value:
    """NumPy's takes an order of all axes, PyTorch's two axes to exchange."""
    array = a.array()
    if not a.has("axes"):
        return permuted(array, range(array.rank)[::-1])
    places = a.places(array, "axes")
    return swapped(array, *places) if a.name == "transpose" and a.torch and len(places) == 2 else permuted(array, places)


def _one(a: Arguments, array: Array, key: str) -> int:
    a.at(key)
    places = a.places(array, key)
    if len(places) != 1:
        raise a.reader.error("one axis belongs here", a.at(key))
    return places[0]


def _swap(a: Arguments) -> Value:
    array = a.array()
    return swapped(array, _one(a, array, "axis"), _one(a, array, "other"))


def _move(a: Arguments) -> Value:
    array = a.array()
    source, target = _one(a, array, "axis"), _one(a, array, "other")
    order = [place for place in range(array.rank) if place != source]
    order.insert(target, source)
    return permuted(array, order)


def _reshape(a: Arguments) -> Value:
    return reshaped(a.array(), a.shape())


def _ravel(a: Arguments) -> Value:
    return reshaped(a.array(), [-1])


def _expand_dims(a: Arguments) -> Value:
    return expanded(a.array(), a.integers("axis"))


def _squeeze(a: Arguments) -> Value:
    array = a.array()
    return squeezed(array, a.places(array) if a.has("axis") else None)


def _broadcast(a: Arguments) -> Value:
    """NumPy's `broadcast_to`, PyTorch's `expand`, where -1 keeps an axis."""
    array, target = a.array(), a.shape()
    kept: list[str | None] = []
    for place, part in enumerate(target, start=array.rank - len(target)):
        index = array.dims[place] if place >= 0 else None
        kept.append(part if not isinstance(part, int) else index.axis if index else None)
    return broadcast_to(array, kept, a.reader.supply)


def _expand_as(a: Arguments) -> Value:
    return broadcast_to(a.array(), axes_of(a.array("like")), a.reader.supply)


def _tile(a: Arguments) -> Value:
    """Repeats axes of extent 1 alone: `np.tile(mu, (N, 1))`."""
    array, reps = a.array(), a.shape()
    if any(isinstance(part, int) for part in reps):
        raise a.reader.error("a count is the extent of an axis, or 1", a.at("shape"), hint="such as np.tile(mu, (x.shape[0], 1))")
    array = expanded(array, range(max(0, len(reps) - array.rank)))
    reps = [*(None for _ in range(array.rank - len(reps))), *reps]
    if any(index and part for index, part in zip(array.dims, reps, strict=True)):
        raise Misfit("an axis is repeated several times over", "only axes of extent 1 are repeated: mu[None, :]")
    target = [part if isinstance(part, str) else own for own, part in zip(axes_of(array), reps, strict=True)]
    return broadcast_to(array, target, a.reader.supply)


def _filled(a: Arguments, shape: list[str | None], expr: Expr) -> Value:
    return broadcast_to(scalar(expr), shape, a.reader.supply)


def _constant(a: Arguments) -> Value:
    axes: list[str | None] = []
    for part in a.shape():
        if isinstance(part, int):
            raise a.reader.error("-1 is no extent here", a.at("shape"), hint="write x.shape")
        axes.append(part)
    return _filled(a, axes, _fill(a))


def _constant_like(a: Arguments) -> Value:
    return _filled(a, axes_of(a.array()), _fill(a))


def _fill(a: Arguments) -> Expr:
    if a.name.startswith("full"):
        fill = a.array("fill")
        if fill.rank:
            raise a.reader.error("a fill value is a scalar", a.at("fill"))
        return fill.expr
    return ONE if a.name.startswith("ones") else ZERO


def _eye(a: Arguments) -> Value:
    axes = a.shape("rows") + (a.shape("columns") if a.has("columns") else [])
    if len(set(axes)) > 1 or isinstance(axes[0], int):
        raise a.reader.error("the identity is a matrix over one axis twice", a.node, hint="write np.eye(x.shape[0])")
    return _identity_over(a, axes[0])


def _identity_over(a: Arguments, axis: str | None) -> Array:
    if axis is None:
        return Array((None, None), ONE)
    left, right = a.reader.supply.index(axis), a.reader.supply.index(axis)
    return Array((left, right), Delta(left, right), 3)


def _diag(a: Arguments) -> Value:
    """A matrix's diagonal, or the matrix with this diagonal."""
    array = a.array()
    if array.rank == 2 or a.name == "diagonal":
        return diagonal(array)
    if array.rank != 1:
        raise Misfit(f"an array of shape {array.shape} has no diagonal")
    index: Index | None = array.dims[0]
    if index is None:
        return Array((None, None), array.expr, array.size)
    other = a.reader.supply.index(index.axis)
    return made((index, other), mul(array.expr, Delta(index, other)), array)


def _shape(a: Arguments) -> Value:
    """`np.shape(x)`, and PyTorch's `x.size()` and `x.size(0)`."""
    array = a.array()
    shape = tuple(scalar(extent(index)) for index in array.dims)
    return shape[a.places(array)[0]] if a.has("axis") else Items(shape)


def _number_of_elements(a: Arguments) -> Value:
    array = a.array()
    return scalar(count(array, a.places(array)))


def _size(a: Arguments) -> Value:
    """PyTorch's method gives a shape, NumPy's function a number."""
    function = bool(a.node.args) and a.at("x") is a.node.args[0]
    return _number_of_elements(a) if function else _shape(a)


def _rank(a: Arguments) -> Value:
    return scalar(num(a.array().rank))


def _length(a: Arguments) -> Value:
    value = a.value("x")
    if isinstance(value, Items):
        return scalar(num(len(value.values)))
    return scalar(extent(value.dims[axis_place(value, 0)]))


def _product_of_shape(a: Arguments) -> Value:
    """The product of a shape's extents."""
    value = a.value("x")
    if not isinstance(value, Items):
        raise a.reader.error("a product over an axis has no form here", a.node, hint="for extents, write np.prod(x.shape)")
    arrays = [item for item in value.values if isinstance(item, Array) and not item.rank]
    return made((), mul(*(item.expr for item in arrays)), *arrays)


def _range(a: Arguments) -> Value:
    """Integers that name axes: `tuple(range(1, x.ndim))`."""
    numbers = [integer(item) if isinstance(item, Array) else None for item in a.items("ends")]
    ends = [number for number in numbers if number is not None]
    if len(ends) < len(numbers) or not 1 <= len(ends) <= 2 or abs(ends[-1]) > MAX_AXES:
        raise a.reader.error("a range stands here for axes alone", a.node, hint="write axis=tuple(range(1, x.ndim)), or axis=(1, 2)")
    return Items(tuple(scalar(num(number)) for number in range(*ends)))


def _sequence(a: Arguments) -> Value:
    value = a.value("x")
    if isinstance(value, Array):
        raise a.reader.error(f"{a.name} takes a shape here", a.node, hint="such as tuple(x.shape)")
    return value


SHAPES: Mapping[str, Function] = {
    **{name: Function(("x", "*axes"), _transpose) for name in ("transpose", "permute", "permute_dims")},
    "t": Function(("x",), _transpose),
    **{name: Function(("x", "axis", "other"), _swap) for name in ("swapaxes", "swapdims")},
    **{name: Function(("x", "axis", "other"), _move) for name in ("moveaxis", "movedim")},
    **{name: Function(("x", "*shape"), _reshape) for name in ("reshape", "view")},
    **{name: Function(("x",), _ravel) for name in ("ravel", "flatten")},
    **{name: Function(("x", "axis"), _expand_dims) for name in ("expand_dims", "unsqueeze")},
    "squeeze": Function(("x", "axis"), _squeeze),
    **{name: Function(("x", "*shape"), _broadcast) for name in ("broadcast_to", "expand")},
    "expand_as": Function(("x", "like"), _expand_as),
    **{name: Function(("x", "*shape"), _tile) for name in ("tile", "repeat")},
    **{name: Function(("*shape",), _constant) for name in ("ones", "zeros")},
    "full": Function(("shape", "fill"), _constant),
    **{name: Function(("x",), _constant_like) for name in ("ones_like", "zeros_like")},
    "full_like": Function(("x", "fill"), _constant_like),
    **{name: Function(("rows", "columns"), _eye) for name in ("eye", "identity")},
    **{name: Function(("x",), _diag) for name in ("diag", "diagonal")},
    "shape": Function(("x",), _shape),
    "size": Function(("x", "axis"), _size),
    "numel": Function(("x",), _number_of_elements),
    **{name: Function(("x",), _rank) for name in ("dim", "ndim")},
    "len": Function(("x",), _length),
    "prod": Function(("x",), _product_of_shape),
    "range": Function(("*ends",), _range),
    **{name: Function(("x",), _sequence) for name in ("tuple", "list")},
}
