r"""Derivatives: `\frac{\partial L}{\partial x_i}`, `\partial y_k/\partial x_i`, `\frac{d\sigma^2}{dx_i}`, and the differential `dx_i`.

In: a cursor and the spans above and below the bar.  Out: the Read of the value that symbn has for it: `dx[i]`, `dy_dx[k, i]`, in second
order `grad_x[i]`. What has no such value, as `(\sigma^2 + \epsilon)^{-1/2}` or an input, gets a name and a definition in `cursor.where`.
"""

from __future__ import annotations

from symbn.expr import Expr, Index, Read, free_indices, reads
from symbn.language.latex_cursor import OPENS, Cursor
from symbn.language.latex_shapes import Shape
from symbn.language.latex_table import LOSSES, SECOND_LOSSES
from symbn.layer import Definition

_HELPERS = tuple(f"q{number}" for number in range(1, 1000))


def mark(cursor: Cursor, position: int) -> int:
    r"""How many tokens the sign of a derivative takes here: \partial, d or \mathrm{d}; 0 where none stands."""
    text = cursor.tokens.text(position)
    if text == r"\partial":
        return 1
    if text == "d":
        return 0 if cursor.table.knows("d") or cursor.table.axis(Shape("d")) else 1
    if text == r"\text{d}":
        return 1
    if text == r"\mathrm":
        start, stop, after = cursor.tokens.argument(position + 1)
        return after - position if cursor.tokens.canonical(start, stop) == "d" else 0
    return 0


def derivative(cursor: Cursor, above: tuple[int, int], below: tuple[int, int]) -> Expr | None:
    """The derivative that a fraction is; None where it is a plain fraction. Without a numerator it is that of the factor after it."""
    upper, lower = mark(cursor, above[0]), mark(cursor, below[0])
    if not upper or not lower or below[0] + lower == below[1]:
        return None
    for start, stop in ((above[0] + upper, above[1]), (below[0] + lower, below[1])):
        if start < stop and cursor.tokens.text(start) == "^":
            raise cursor.error("a second derivative by two inputs has no name here", *above, hint="symbn names second order by G: dG/dx_i")
    by, indices = _denominator(cursor, below[0] + lower, below[1])
    if above[0] + upper < above[1]:
        return _of(cursor, (above[0] + upper, above[1]), by, indices, below)
    cursor.unwrap()
    cursor.peek()
    start = cursor.position
    loss = cursor.shape()
    if loss is not None and _scalar_named(cursor, loss[0], LOSSES | SECOND_LOSSES):
        cursor.position = loss[1]
        return _of(cursor, (start, loss[1]), by, indices, below)
    value = cursor.factor()
    if cursor.starts_factor():
        hint = "write it on the fraction, or in parentheses"
        raise cursor.error("what is differentiated is not clear here", start, cursor.position, hint=hint)
    return _total(cursor, value, by, indices, (start, cursor.position))


def slashed_derivative(cursor: Cursor) -> Expr | None:
    r"""`\partial L/\partial x_i`, or the differential `dx_i`, which is the gradient."""
    start = cursor.position
    if cursor.tokens.text(start) in cursor.table.counts:
        return None
    above = start + mark(cursor, start), _operand(cursor, start + mark(cursor, start))
    cursor.position = above[1]
    if above[0] < above[1] and cursor.accept("/"):
        cursor.unwrap()
        cursor.peek()
        below = cursor.position
        stop = _operand(cursor, below + mark(cursor, below))
        if mark(cursor, below) and below + mark(cursor, below) < stop:
            cursor.position = stop
            return derivative(cursor, (start, above[1]), (below, stop))
    cursor.position = start
    if cursor.tokens.text(start) == r"\partial":
        raise cursor.error("this derivative has no denominator", start, hint=r"write \frac{\partial L}{\partial x_i}")
    return _differential(cursor, above)


def _operand(cursor: Cursor, start: int) -> int:
    """The position after a symbol or a bracket."""
    if cursor.tokens.text(start) in OPENS:
        return cursor.tokens.partner[start] + 1
    found = cursor.table.symbol_at(cursor.tokens, start, cursor.end)
    return start if found is None else found[1]


def _differential(cursor: Cursor, span: tuple[int, int]) -> Expr | None:
    found = cursor.table.symbol_at(cursor.tokens, *span) if span[0] < span[1] else None
    names = cursor.table.lookup(cursor.tokens, found[0]) if found is not None and found[1] == span[1] else []
    if len(names) != 1 or names[0].power is not None or f"d{names[0].name}" not in cursor.table.arrays:
        return None
    cursor.position = span[1]
    return cursor.element(f"d{names[0].name}", names[0].letters)


def _denominator(cursor: Cursor, start: int, stop: int) -> tuple[str, tuple[Index, ...]]:
    r"""The name and indices below the bar; `\partial(\partial L/\partial y_i)` is by `dy[i]`."""
    start, stop = cursor.stripped(start, stop)
    if mark(cursor, start) or cursor.tokens.text(start) == r"\frac":
        inner = cursor.span(start, stop, cursor.expression)
        if isinstance(inner, Read) and inner.name.startswith("d") and inner.name[1:] in cursor.table.values:
            return inner.name, inner.indices
    found = cursor.table.symbol_at(cursor.tokens, start, stop)
    if found is None or found[1] != stop:
        raise cursor.error("a derivative is by a name of the layer", start, stop, hint=r"write \partial x_i")
    name = cursor.table.find(cursor.tokens, found[0], start, stop)
    shown = cursor.tokens.raw(start, stop)
    if name.power is not None:
        raise cursor.error(f"a derivative by the power '{shown}' is not read", start, stop, hint=r"write \partial x_i")
    if name.name not in cursor.table.values:
        raise cursor.error(f"nothing is differentiated by '{shown}', which is no input and no definition", start, stop)
    return name.name, cursor.indices(name.name, name.letters)


def _of(cursor: Cursor, span: tuple[int, int], by: str, indices: tuple[Index, ...], below: tuple[int, int]) -> Expr:
    """The derivative of what stands in a span."""
    found = cursor.table.symbol_at(cursor.tokens, *span)
    shape = found[0] if found is not None and found[1] == span[1] else None
    if shape is not None and _scalar_named(cursor, shape, LOSSES):
        return _gradient(cursor, f"d{by}", indices, below)
    if shape is not None and _scalar_named(cursor, shape, SECOND_LOSSES):
        return _gradient(cursor, f"grad_{by}", indices, below)
    return _total(cursor, cursor.span(*span, cursor.expression), by, indices, span)


def _scalar_named(cursor: Cursor, shape: Shape, names: frozenset[str]) -> bool:
    """Whether the symbol is one of these and no value of the layer."""
    return shape.nucleus in names and not shape.below and shape.above is None and not cursor.table.lookup(cursor.tokens, shape)


def _gradient(cursor: Cursor, name: str, indices: tuple[Index, ...], below: tuple[int, int]) -> Expr:
    if name not in cursor.table.arrays:
        raise cursor.error(f"symbn has no '{name}' in this layer", *below, hint="gradients are by inputs and definitions")
    return Read(name, indices)


def _total(cursor: Cursor, value: Expr, by: str, indices: tuple[Index, ...], span: tuple[int, int]) -> Expr:
    """The total derivative of a value, through all definitions."""
    if by not in cursor.table.values:
        hint = r"write \frac{\partial G}{\partial(\partial L/\partial y_i)}"
        raise cursor.error("only G is differentiated by a gradient", *span, hint=hint)
    if isinstance(value, Read) and f"d{value.name}_d{by}" in cursor.table.arrays:
        return Read(f"d{value.name}_d{by}", (*value.indices, *indices))
    odd = [name for name in reads(value) if name not in cursor.table.own]
    if odd:
        raise cursor.error(f"the derivative of '{odd[0]}' has no name here", *span, hint="symbn names second order by G: dG/dx_i")
    helper = _helper(cursor, value)
    return Read(f"d{helper.name}_d{by}", (*helper.indices, *indices))


def _helper(cursor: Cursor, value: Expr) -> Definition:
    """The definition of a value that has no name; one value has one name."""
    for known in cursor.where:
        if known.expr == value:
            return known
    taken = {*cursor.table.arrays, *cursor.table.axes, *(known.name for known in cursor.where)}
    name = next(name for name in _HELPERS if name not in taken and not any(other.startswith(f"d{name}_d") for other in taken))
    helper = Definition(name, free_indices(value), value)
    cursor.where.append(helper)
    return helper
