r"""Reductions: `\sum_{k=1}^{N}`, `\sum_k`, `\sum_{j \ne i}`, `\mathrm{mean}_k`, `\max_k`.

In: a cursor at the sign.  Out: a Reduce whose body reaches to the next + or - at its level.

Where no bound names an axis of the layer, the arrays that the letter indexes say its axis; a paper's own letter for the number of elements,
the m of `\frac{1}{m} \sum_{i=1}^{m}`, then is that axis's extent.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from symbn.expr import ONE, Delta, Expr, Index, Reduce, rename_indices, walk
from symbn.language.arithmetic import negate, product, total
from symbn.language.indices import UNKNOWN
from symbn.language.latex_cursor import Cursor
from symbn.language.latex_scan import Tokens
from symbn.language.latex_shapes import nucleus_at, parts_of, whole_shape
from symbn.language.latex_table import NameTable

REDUCTIONS = {
    r"\sum": "sum", r"\max": "max", r"\min": "min", r"\mathrm{mean}": "mean", r"\mathrm{sum}": "sum", r"\mathrm{max}": "max",
    r"\mathrm{min}": "min", r"\mathrm{avg}": "mean",
}  # fmt: skip
Part = tuple[str, int]


@dataclass
class _Range:
    """What stands under and over the sign."""

    letters: list[Part] = field(default_factory=list)
    excluded: list[tuple[Part, Part]] = field(default_factory=list)
    first: str = ""
    axis: str = UNKNOWN
    count: str = ""  # the paper's letter for the number of elements


def counted_letters(tokens: Tokens, table: NameTable) -> None:
    """Notes every letter that stands over a sum and is no axis, so that it is known wherever it stands."""
    for position, token in enumerate(tokens.items):
        if token.text == r"\sum" and tokens.text(position + 1) == "_":
            after = tokens.argument(position + 2)[2]
            if tokens.text(after) == "^":
                start, stop, _ = tokens.argument(after + 1)
                shape = whole_shape(tokens, start, stop - 2 if tokens.canonical(start, stop).endswith("-1") else stop)
                if shape is not None and not shape.below and not shape.above and table.axis(shape) is None:
                    table.counts.setdefault(shape.nucleus, "")


def reduction(cursor: Cursor, kind: str) -> Expr:
    """The sum, mean, maximum or minimum."""
    start = cursor.position
    over = _range(cursor, start)
    bound = [cursor.letters.bind(cursor.letter(*part), over.axis, cursor.tokens.place(part[1])) for part in over.letters]
    body = _body(cursor)
    for (letter, place), other in reversed(over.excluded):
        one, two = cursor.letters.delta(cursor.letter(letter, place), cursor.tokens.place(place)), _letter(cursor, other)
        body = product([("*", total([ONE, negate(Delta(one, two))])), ("*", body)])
    indices = tuple(_with_axis(cursor, index, body, start) for index in bound)
    body = rename_indices(body, {Index(index.name, UNKNOWN): index for index in indices})
    cursor.letters.release(indices)
    if over.count:
        _settle(cursor, over.count, indices, start)
    inner = isinstance(body, Reduce) and body.kind == kind == "sum"
    return Reduce(kind, body.body, (*indices, *body.indices)) if inner and isinstance(body, Reduce) else Reduce(kind, body, indices)


def _letter(cursor: Cursor, part: Part) -> Index:
    return cursor.letters.delta(cursor.letter(*part), cursor.tokens.place(part[1]))


def _body(cursor: Cursor) -> Expr:
    negative = cursor.sign() == "-"
    body = cursor.term()
    return negate(body) if negative else body


def _range(cursor: Cursor, start: int) -> _Range:
    named = nucleus_at(cursor.tokens, start, cursor.end)
    cursor.position = start + 1 if cursor.tokens.text(start).startswith("\\") and named is None else (named or (None, start + 1))[1]
    spans: dict[str, tuple[int, int]] = {}
    while cursor.peek() in ("_", "^") and cursor.peek() not in spans:
        sign = cursor.tokens.text(cursor.take())
        spans[sign] = cursor.argument()
    over = _Range()
    for part in cursor.split(*spans["_"], ",") if "_" in spans else ():
        _clause(cursor, over, *part)
    if not over.letters:
        raise cursor.error("this does not say over which index", start, cursor.position, hint=r"write \sum_{k=1}^{N}")
    if "^" in spans:
        _upper(cursor, over, *spans["^"])
    return over


def _clause(cursor: Cursor, over: _Range, start: int, stop: int) -> None:
    r"""One of `k`, `k = 1`, `k \in N`, `j \ne i`."""
    place = cursor.relation(start, stop)
    if place is not None and cursor.tokens.canonical(start, place + 1) == r"1\le":
        _between(cursor, over, place + 1, stop)
        return
    letters = parts_of(cursor.tokens, start, stop if place is None else place)
    if not letters:
        raise cursor.error("an index letter belongs here", start, stop, hint=r"write \sum_{k=1}^{N}")
    new = [part for part in letters if part[0] not in [known for known, _ in over.letters]]
    sign = cursor.tokens.text(place) if place is not None else ""
    if place is None or sign == r"\in":
        over.letters += new
        shape = whole_shape(cursor.tokens, place + 1, stop) if place is not None else None
        over.axis = (cursor.table.axis(shape) if shape is not None else None) or over.axis
    elif sign == "=":
        over.letters += new
        over.first = cursor.tokens.canonical(place + 1, stop)
        if over.first not in ("0", "1"):
            raise cursor.error("a sum runs over a whole axis", start, stop, hint=r"write \sum_{k=1}^{N}")
    elif sign == r"\ne" and (others := parts_of(cursor.tokens, place + 1, stop)):
        over.letters += new
        over.excluded += [(letters[0], other) for other in others]
    else:
        raise cursor.error("a sum runs over a whole axis, or leaves one index out", start, stop, hint=r"write \sum_{j \ne i}")


def _between(cursor: Cursor, over: _Range, start: int, stop: int) -> None:
    r"""`1 \le k \le N`."""
    place = cursor.relation(start, stop)
    letters = parts_of(cursor.tokens, start, place) if place is not None else None
    if place is None or cursor.tokens.text(place) != r"\le" or not letters:
        raise cursor.error("a sum runs over a whole axis", start, stop, hint=r"write \sum_{k=1}^{N}")
    over.letters += letters
    over.first = "1"
    _upper(cursor, over, place + 1, stop)


def _upper(cursor: Cursor, over: _Range, start: int, stop: int) -> None:
    tokens = cursor.tokens
    short = tokens.canonical(start, stop).endswith("-1")
    if short != (over.first == "0"):
        raise cursor.error("a sum runs over a whole axis", start, stop, hint=r"write \sum_{k=1}^{N}, or \sum_{k=0}^{N-1}")
    shape = whole_shape(tokens, start, stop - 2 if short else stop)
    if shape is None:
        raise cursor.error("the extent of an axis belongs here", start, stop, hint=f"such as {' or '.join(cursor.table.axes[:2]) or 'N'}")
    axis = cursor.table.axis(shape)
    if axis is None and shape.nucleus not in cursor.table.counts:
        raise cursor.error(f"'{tokens.raw(start, stop)}' is not an axis", start, stop, hint=f"the axes are {' '.join(cursor.table.axes)}")
    over.axis = axis or cursor.table.counts[shape.nucleus] or over.axis
    over.count = "" if axis else shape.nucleus


def _with_axis(cursor: Cursor, index: Index, body: Expr, start: int) -> Index:
    """The index with the axis that the body gives it."""
    axis = cursor.letters.bound[index.name]
    if axis == UNKNOWN:
        axis = next((found for found in _compared(cursor, index, body) if found != UNKNOWN), UNKNOWN)
    if axis == UNKNOWN:
        raise cursor.letters.no_axis(index.name, cursor.tokens.place(start, cursor.position))
    return Index(index.name, axis)


def _compared(cursor: Cursor, index: Index, body: Expr) -> list[str]:
    """Axes of the letters that deltas compare with an index."""
    axes = []
    for node in walk(body):
        if isinstance(node, Delta) and index.name in (node.left.name, node.right.name):
            other = node.right if node.left.name == index.name else node.left
            free = cursor.letters.free.get(other.name)
            axes.append(other.axis if other.axis != UNKNOWN or free is None else free.axis)
    return axes


def _settle(cursor: Cursor, count: str, indices: tuple[Index, ...], start: int) -> None:
    """Notes the axis whose elements the paper's letter counts."""
    for index in indices:
        known = cursor.table.counts[count]
        if known not in ("", index.axis):
            hint = f"say which: --let '{count}={known}'"
            raise cursor.error(f"'{count}' counts both {known} and {index.axis}", start, cursor.position, hint=hint)
        cursor.table.counts[count] = index.axis
