"""Arrays as formulas, and NumPy's rules of shape for them.

In: arrays, each an expression over one index for every axis.  Out: arrays, or a Misfit where their axes do not fit.

Extents are symbols. Two are equal only where they are the same axis; an axis that is kept after a reduction has extent 1. No two values
that are read share an index, so that two uses of one axis, as in `x @ x.T`, stay apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from symbn.expr import ONE, ZERO, Call, Compare, Expr, Extent, Index, Num, Read, Reduce, mul, rename_indices
from symbn.language.limits import MAX_NODES

_FLIPPED = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}


class Misfit(Exception):
    """Why an operation cannot be; whoever knows its place in the text turns it into an error."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message, self.hint = message, hint


class Clash(Misfit):
    """Two different axes in one position: `left` and `right` are the operands' numbers, the axes theirs."""

    def __init__(self, left: int, right: int, axes: tuple[str, str]) -> None:
        super().__init__(f"axis {axes[0]} meets axis {axes[1]}")
        self.left, self.right, self.axes = left, right, axes


@dataclass(frozen=True, slots=True)
class Array:
    """`dims` holds an index for each axis, None where the extent is 1; `size` bounds the nodes of `expr`, a comparison for a mask."""

    dims: tuple[Index | None, ...]
    expr: Expr
    size: int = 1

    @property
    def rank(self) -> int:
        """The number of axes, those of extent 1 included."""
        return len(self.dims)

    @property
    def shape(self) -> str:
        """The shape as text: `(N, 1)`."""
        names = [index.axis if index else "1" for index in self.dims]
        return f"({', '.join(names)}{',' if len(names) == 1 else ''})"


@dataclass(frozen=True, slots=True)
class Items:
    """A tuple or a list: a shape, a pair that PyTorch returns, what a function returns."""

    values: tuple[Value, ...]
    what: str = "a tuple"


Value = Array | Items


class Supply:
    """Indices that nothing uses yet, within a bound on the work of writing local names out."""

    WORK = 20 * MAX_NODES

    def __init__(self) -> None:
        self.count, self.spent = 0, 0

    def index(self, axis: str) -> Index:
        """A fresh index; its name is no identifier, so it is never a user's."""
        self.count += 1
        return Index(f"#{self.count}", axis)

    def read(self, name: str, axes: tuple[str, ...]) -> Array:
        """A whole array of the layer."""
        dims = tuple(self.index(axis) for axis in axes)
        return Array(dims, Read(name, dims))

    def instance(self, value: Value) -> Value:
        """The value once more, over indices of its own."""
        if isinstance(value, Items):
            return Items(tuple(self.instance(item) for item in value.values), value.what)
        self.spent += value.size
        if self.spent > self.WORK:
            raise Misfit("this text is too long once its local names are written out", "check it in parts: state the values in between")
        mapping = {index: self.index(index.axis) for index in value.dims if index}
        return Array(tuple(index and mapping[index] for index in value.dims), rename_indices(value.expr, mapping), value.size)


def made(dims: Sequence[Index | None], expr: Expr, *parts: Array) -> Array:
    """The array that an operation on `parts` gives."""
    size = 1 + sum(part.size for part in parts)
    if size > MAX_NODES:
        raise Misfit(f"this formula is too large: more than {MAX_NODES} parts once its local names are written out", "check it in steps")
    return Array(tuple(dims), expr, size)


def scalar(expr: Expr) -> Array:
    """An array without axes."""
    return Array((), expr)


def numeric(array: Array) -> Array:
    """A mask as zeros and ones; other arrays as they are."""
    return Array(array.dims, Call("where", (array.expr, ONE, ZERO)), array.size + 3) if isinstance(array.expr, Compare) else array


def as_mask(array: Array) -> Array:
    """An array as a condition: where it is not 0."""
    return array if isinstance(array.expr, Compare) else Array(array.dims, Compare("!=", array.expr, ZERO), array.size + 2)


def inverted(mask: Array) -> Array:
    """Where the mask does not hold."""
    expr = as_mask(mask).expr
    assert isinstance(expr, Compare)
    return Array(mask.dims, Compare(_FLIPPED[expr.operator], expr.left, expr.right), mask.size + 2)


def align(*arrays: Array) -> tuple[tuple[Index | None, ...], tuple[Expr, ...]]:
    """Broadcasting: the dims of the result, and each array's expression over them. Clash where two axes meet."""
    rank = max(array.rank for array in arrays)
    dims: list[Index | None] = [None] * rank
    owner = [0] * rank
    mappings: list[dict[Index, Index]] = []
    for number, array in enumerate(arrays):
        mapping: dict[Index, Index] = {}
        for place, index in enumerate(array.dims, start=rank - array.rank):
            present = dims[place]
            if index is None:
                continue
            if present is None:
                dims[place], owner[place] = index, number
            elif present.axis != index.axis:
                raise Clash(owner[place], number, (present.axis, index.axis))
            elif present != index:
                mapping[index] = present
        mappings.append(mapping)
    exprs = tuple(rename_indices(array.expr, mapping) for array, mapping in zip(arrays, mappings, strict=True))
    return tuple(dims), exprs


def reduced(kind: str, array: Array, places: Sequence[int], *, keep: bool) -> Array:
    """A reduction over some axes, which stay with extent 1 if `keep`."""
    bound = tuple(index for place, index in enumerate(array.dims) if place in places and index)
    dims = [None if place in places else index for place, index in enumerate(array.dims) if keep or place not in places]
    return made(dims, Reduce(kind, array.expr, bound), array) if bound else Array(tuple(dims), array.expr, array.size)


def count(array: Array, places: Sequence[int]) -> Expr:
    """How many elements those axes hold."""
    return mul(*(extent(array.dims[place]) for place in places))


def extent(index: Index | None) -> Expr:
    """The extent of an axis."""
    return Extent(index.axis) if index else ONE


def levels(expr: Expr) -> int:
    """The depth of an expression."""
    deepest, stack = 0, [(expr, 1)]
    while stack:
        node, depth = stack.pop()
        deepest = max(deepest, depth)
        stack += [(child, depth + 1) for child in node.children]
    return deepest


def axes_of(array: Array) -> list[str | None]:
    """The axes by name, None for extent 1."""
    return [index.axis if index else None for index in array.dims]


def axis_place(array: Array, axis: int) -> int:
    """The place of an axis that may be counted from the end."""
    if not -array.rank <= axis < array.rank:
        raise Misfit(f"there is no axis {axis} in an array of shape {array.shape}", _axes_hint(array.rank))
    return axis % array.rank


def _axes_hint(rank: int) -> str:
    return "it is a scalar" if rank == 0 else "its only axis is 0" if rank == 1 else f"its axes are 0 to {rank - 1}, or -{rank} to -1"


def axis_of(array: Array) -> str | None:
    """The axis whose extent a scalar is, None for the number 1."""
    if array.rank == 0 and isinstance(array.expr, Extent):
        return array.expr.axis
    if array.rank == 0 and array.expr == ONE:
        return None
    raise Misfit("this is not the extent of an axis, nor 1", "write a shape with the extents of known arrays, such as x.shape")


def integer(array: Array) -> int | None:
    """The value of an integer constant."""
    expr = array.expr
    return int(expr.value) if array.rank == 0 and isinstance(expr, Num) and expr.value.denominator == 1 else None
