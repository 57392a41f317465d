r"""Conditions: `1(k = i)`, `\mathbb{1}[x_i > 0]`, `\delta_{ik}`, `\begin{cases} ... \end{cases}`.

In: a cursor at one of these.  Out: a Delta where two index letters are compared, else a `where`.
"""

from __future__ import annotations

from symbn.expr import ONE, ZERO, Call, Compare, Delta, Expr
from symbn.language.arithmetic import negate, product, total
from symbn.language.latex_cursor import OPENS, Cursor
from symbn.language.latex_shapes import parts_of

_COMPARISONS = {"=": "==", r"\ne": "!=", "<": "<", r"\le": "<=", ">": ">", r"\ge": ">="}
_OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
_ONES = (r"\mathbb", r"\mathbf", r"\mathbbm", r"\mathds", r"\mathrm", r"\mathcal", r"\boldsymbol")
_CASES_HINT = r"write a & \text{if } x_i > 0 \\ b & \text{otherwise}"
# A condition between values, or between two index letters: its sign and their delta.
Condition = Compare | tuple[str, Delta]


def starts_indicator(cursor: Cursor) -> bool:
    r"""Whether `1(k = i)`, `\mathbb{1}_{k = i}` or `\delta_{k = i}` comes next."""
    position = _after_one(cursor)
    if position is None:
        return False
    if cursor.tokens.text(position) == "_":
        start, stop, _ = cursor.tokens.argument(position + 1)
        return cursor.relation(*cursor.stripped(start, stop)) is not None
    return cursor.tokens.text(position) in OPENS and cursor.relation(position + 1, cursor.tokens.partner[position]) is not None


def _after_one(cursor: Cursor) -> int | None:
    text = cursor.peek()
    if text in ("1", r"\delta", "I"):
        return cursor.position + 1
    if text in _ONES and cursor.position + 1 < cursor.end:
        start, stop, after = cursor.tokens.argument(cursor.position + 1)
        return after if cursor.tokens.canonical(start, stop) in ("1", "I") else None
    return None


def indicator(cursor: Cursor) -> Expr:
    """1 where a condition holds, else 0."""
    position = _after_one(cursor)
    assert position is not None
    cursor.position = position
    if cursor.accept("_"):
        span = cursor.argument()
    else:
        span = position + 1, cursor.tokens.partner[position]
        cursor.position = span[1] + 1
    return one_where(cursor, *cursor.stripped(*span))


def one_where(cursor: Cursor, start: int, stop: int) -> Expr:
    """1 where the condition in a span holds, else 0."""
    return _chosen(_condition(cursor, start, stop), ONE, ZERO)


def kronecker(cursor: Cursor, left: tuple[str, int], right: tuple[str, int]) -> Delta:
    """The delta of two parts of a subscript."""
    one, other = (cursor.letters.delta(cursor.letter(*part), cursor.tokens.place(part[1])) for part in (left, right))
    return Delta(one, other)


def _condition(cursor: Cursor, start: int, stop: int) -> Condition:
    place = cursor.relation(start, stop)
    sign = _COMPARISONS.get(cursor.tokens.text(place)) if place is not None else None
    if place is None or sign is None:
        raise cursor.error("a condition belongs here", start, stop, hint="such as k = i, or x_i > 0")
    if not (cursor.is_letter(start, place) and cursor.is_letter(place + 1, stop)):
        return Compare(sign, cursor.span(start, place, cursor.expression), cursor.span(place + 1, stop, cursor.expression))
    left, right = parts_of(cursor.tokens, start, place), parts_of(cursor.tokens, place + 1, stop)
    if sign not in ("==", "!=") or not left or not right:
        raise cursor.error(r"indices are compared by = and \ne only", start, stop)
    return sign, kronecker(cursor, left[0], right[0])


def _chosen(condition: Condition, yes: Expr, no: Expr) -> Expr:
    if isinstance(condition, Compare):
        return Call("where", (condition, yes, no))
    sign, delta = condition
    if sign == "!=":
        yes, no = no, yes
    return total([product([("*", delta), ("*", total([yes, negate(no)]))]), no])


def cases(cursor: Cursor) -> Expr:
    """The value that the first true condition chooses."""
    start = cursor.take()
    stop = cursor.tokens.partner[start]
    rows = [_case(cursor, *span) for span in cursor.split(start + 1, stop, r"\\") if span[0] < span[1]]
    cursor.position = stop + 1
    if len(rows) < 2 or any(condition is None for _, condition in rows[:-1]):
        raise cursor.error("each case but the last has a condition", start, stop, hint=_CASES_HINT)
    found, last = rows[-1]
    if last is not None and not (len(rows) == 2 and _opposites(rows[0][1], last)):
        raise cursor.error("what holds otherwise is not said", start, stop, hint=_CASES_HINT)
    for value, condition in reversed(rows[:-1]):
        assert condition is not None
        found = _chosen(condition, value, found)
    return found


def _case(cursor: Cursor, start: int, stop: int) -> tuple[Expr, Condition | None]:
    value, *rest = cursor.split(start, stop, "&")
    words = [place for span in rest for place in range(*span) if not _is_said(cursor, place)]
    end = value[1] - (cursor.tokens.text(value[1] - 1) in (",", ";"))
    return cursor.span(value[0], end, cursor.expression), _condition(cursor, words[0], words[-1] + 1) if words else None


def _is_said(cursor: Cursor, place: int) -> bool:
    return cursor.tokens.text(place).startswith(r"\text{") or cursor.tokens.text(place) in (",", ".", ";")


def _opposites(one: Condition | None, other: Condition) -> bool:
    if isinstance(one, Compare) and isinstance(other, Compare):
        return (one.left, one.right) == (other.left, other.right) and _OPPOSITE[one.operator] == other.operator
    if isinstance(one, tuple) and isinstance(other, tuple):
        same = {one[1].left, one[1].right} == {other[1].left, other[1].right}
        return same and _OPPOSITE[one[0]] == other[0]
    return False
