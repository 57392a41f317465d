"""Products that sum over an axis: `@`, dot, inner, outer, einsum.

In: arrays.  Out: arrays, or a Misfit that names the axes that do not agree.
"""

from __future__ import annotations

import re
import string
from collections.abc import Sequence

from symbn.expr import Expr, Index, Reduce, rename_indices
from symbn.language.arithmetic import product
from symbn.language.numpy_arrays import Array, Clash, Misfit, align, made


def times(*exprs: Expr) -> Expr:
    """The product."""
    return product([("*", expr) for expr in exprs])


def matmul(left: Array, right: Array) -> Array:
    """`left @ right`: the last axis of the left with the last but one of the right; axes before those broadcast."""
    if not left.rank or not right.rank:
        raise Misfit("'@' takes no scalars", "write *")
    index, expr = _contracted(left, left.rank - 1, right, max(right.rank - 2, 0), "@")
    rows, columns = left.dims[-2:-1], right.dims[-1:] if right.rank > 1 else ()
    first = Array((*left.dims[:-2], *(None for _ in (*rows, *columns))), left.expr)
    second = Array((*right.dims[:-2], *(None for _ in (*rows, *columns))), expr)
    try:
        dims, exprs = align(first, second)
    except Clash as clash:
        raise Misfit(f"in '@', axis {clash.axes[0]} meets axis {clash.axes[1]} among the leading axes") from None
    body = times(*exprs)
    kept = (*dims[: len(dims) - len(rows) - len(columns)], *rows, *columns)
    return made(kept, _summed(body, index), left, right)


def dot(left: Array, right: Array) -> Array:
    """`np.dot`: a product with a scalar, else over the last axis of the left and the last but one of the right, all others kept."""
    if not left.rank or not right.rank:
        dims, exprs = align(left, right)
        return made(dims, times(*exprs), left, right)
    place = max(right.rank - 2, 0)
    index, expr = _contracted(left, left.rank - 1, right, place, "dot")
    dims = (*left.dims[:-1], *(i for number, i in enumerate(right.dims) if number != place))
    return made(dims, _summed(times(left.expr, expr), index), left, right)


def inner(left: Array, right: Array) -> Array:
    """`np.inner`: over the last axes of both."""
    if not left.rank or not right.rank:
        return dot(left, right)
    index, expr = _contracted(left, left.rank - 1, right, right.rank - 1, "inner")
    return made((*left.dims[:-1], *right.dims[:-1]), _summed(times(left.expr, expr), index), left, right)


def outer(left: Array, right: Array) -> Array:
    """Every element with every other, of two arrays with one axis each."""
    if left.rank != 1 or right.rank != 1:
        raise Misfit(f"outer takes two arrays with one axis, not {left.shape} and {right.shape}", "write a[:, None]*b[None, :]")
    return made((*left.dims, *right.dims), times(left.expr, right.expr), left, right)


def einsum(spec: str, arrays: Sequence[Array]) -> Array:
    """`einsum("nd,nd->d", a, b)`; without `->`, the letters that stand once, in alphabetical order."""
    inputs, output = _parsed(spec, arrays)
    meaning: dict[str, Index | None] = {}
    exprs = []
    for letters, array in zip(inputs, arrays, strict=True):
        mapping: dict[Index, Index] = {}
        for letter in letters:
            own = [index for other, index in zip(letters, array.dims, strict=True) if other == letter]
            if None in own and any(own):
                raise Misfit(f"letter '{letter}' stands for two different axes of an array of shape {array.shape}", "use two letters")
        for letter, index in zip(letters, array.dims, strict=True):
            known = meaning.get(letter)
            if known is None or index is None:
                meaning[letter] = known or index
            elif known.axis != index.axis:
                raise Misfit(f"letter '{letter}' stands for axis {known.axis} and for axis {index.axis}", "use two letters")
            elif known != index:
                mapping[index] = known
        exprs.append(rename_indices(array.expr, mapping))
    bound = tuple(i for letter, i in meaning.items() if letter not in output and i)
    body = times(*exprs)
    return made([meaning[letter] for letter in output], Reduce("sum", body, bound) if bound else body, *arrays)


def _parsed(spec: str, arrays: Sequence[Array]) -> tuple[list[str], str]:
    spec = _lettered(spec.replace(" ", ""), arrays)
    found = re.fullmatch(r"([A-Za-z]*(?:,[A-Za-z]*)*)(?:->([A-Za-z]*))?", spec)
    if found is None:
        raise Misfit(f"'{spec[:40]}' is not a specification of einsum", 'write it as in "nd,nd->d"')
    inputs = found[1].split(",")
    if len(inputs) != len(arrays):
        raise Misfit(f"einsum's '{spec[:40]}' speaks of {len(inputs)} arrays, but {len(arrays)} follow")
    for letters, array in zip(inputs, arrays, strict=True):
        if len(letters) != array.rank:
            raise Misfit(f"'{letters}' has {len(letters)} letters for an array of shape {array.shape}", "write a letter for every axis")
    every = "".join(inputs)
    output = found[2] if found[2] is not None else "".join(sorted(letter for letter in set(every) if every.count(letter) == 1))
    for letter in output:
        if letter not in every or output.count(letter) > 1:
            why = "stands twice" if letter in every else "is in no array"
            raise Misfit(f"the output letter '{letter}' of einsum {why}", 'write it as in "nd,nd->d"')
    return inputs, output


def _lettered(spec: str, arrays: Sequence[Array]) -> str:
    """The specification with letters for the axes that each `...` stands for; they are matched from the last one."""
    if "..." not in spec:
        return spec
    before, arrow, after = spec.partition("->")
    parts = before.split(",")
    counts = [max(0, array.rank - len(part) + 3) if "..." in part else 0 for part, array in zip(parts, arrays, strict=False)]
    free = [letter for letter in string.ascii_letters if letter not in spec][: max(counts, default=0)]
    if not arrow:
        after = "..." + "".join(sorted(letter for letter in set(before) - set(".,") if before.count(letter) == 1))
    meant = [part.replace("...", "".join(free[len(free) - count :])) for part, count in zip(parts, counts, strict=False)]
    return ",".join([*meant, *parts[len(meant) :]]) + "->" + after.replace("...", "".join(free))


def _contracted(left: Array, at_left: int, right: Array, at_right: int, what: str) -> tuple[Index | None, Expr]:
    """The index to sum over, and the right side's expression with it in place."""
    first, second = left.dims[at_left], right.dims[at_right]
    if (first and first.axis) != (second and second.axis):
        one, other = (index.axis if index else "1" for index in (first, second))
        hint = f"the shapes are {left.shape} and {right.shape}; write .T for the transpose"
        raise Misfit(f"{what} sums over axis {one} on the left and axis {other} on the right", hint)
    return first, rename_indices(right.expr, {second: first} if first and second else {})


def _summed(body: Expr, index: Index | None) -> Expr:
    return Reduce("sum", body, (index,)) if index else body
