r"""Long equations on several lines.

In: a definition and a width.  Out: lines with `&` marks for `aligned` or `split`, broken before + and -, also inside
parentheses where a sum is long.

The width is an estimate in digits (5 pt at 10 pt): enough to keep a formula inside a column, with no font metrics at hand.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from symbn.expr import Add, Expr, Mul, Reduce, mul
from symbn.language.latex import PRODUCT, SUM, Typesetter, parenthesized
from symbn.language.text import without_sign
from symbn.layer import Definition

_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|\S")
_INDENT = 2.0  # of a continued line: \quad
_WIDTHS = {"=": 2.65, "+": 2.45, "-": 2.45, "<": 2.65, ">": 2.65, "(": 0.9, ")": 0.9, "[": 0.7, "]": 0.7, "|": 0.7}
_COMMANDS = {
    r"\sum": 3.6, r"\,": 0.35, r"\!": -0.35, r"\;": 0.6, r"\quad": 2.0, r"\left": 0.6, r"\right": 0.6, r"\biggl": 0.8, r"\biggr": 0.8,
    r"\cdot": 1.5, r"\le": 2.65, r"\ge": 2.65, r"\ne": 2.65, r"\begin": 2.0, r"\end": 0.0, r"\\": 0.0, r"\max": 4.0, r"\min": 4.0,
    r"\exp": 3.5, r"\log": 3.0, r"\tanh": 4.5, r"\sin": 2.8, r"\cos": 3.0,
}  # fmt: skip


def broken(definition: Definition, typesetter: Typesetter, width: int) -> tuple[str, ...]:
    """The lines of `left &= right`."""
    left, right = typesetter.left_side(definition), typesetter.text(definition.expr)
    if measure(left) + measure(right) + _WIDTHS["="] <= width:
        return (f"{left} &= {right}",)
    room = max(8.0, width - measure(left) - _INDENT - 3.2)
    lines: list[str] = []
    for piece in pieces(definition.expr, typesetter, room):
        if lines and measure(f"{lines[-1]} {piece}") <= room:
            lines[-1] += f" {piece}"
        else:
            lines.append(piece)
    return (f"{left} &= {lines[0]}", *(rf"&\quad {line}" for line in lines[1:]))


def pieces(expr: Expr, typesetter: Typesetter, room: float, tightness: int = SUM) -> list[str]:
    """The expression in parts that may start a line; all but the first open with a sign or a dot."""
    text = typesetter.at(expr, tightness)
    if measure(text) <= room:
        return [text]
    if tightness > SUM and isinstance(expr, Add):
        return _around("", pieces(expr, typesetter, room))
    positive = without_sign(expr)
    if positive is not None and not isinstance(expr, Add):
        first, *rest = pieces(positive, typesetter, room - 2)
        return [f"-{first}", *rest]
    match expr:
        case Add(terms):
            return [part for number, term in enumerate(terms) for part in _term(term, typesetter, room, first=number == 0)]
        case Reduce(body=Add() as body):
            return _around(typesetter.reduction_head(expr), pieces(body, typesetter, room - 2))
        case Reduce(body=Mul() as body):
            first, *rest = pieces(body, typesetter, room - 2)
            return [f"{typesetter.reduction_head(expr)} {first}", *rest]
        case Mul(factors):
            return _product(factors, typesetter, room)
    return [text]


def _term(term: Expr, typesetter: Typesetter, room: float, *, first: bool) -> list[str]:
    positive = without_sign(term)
    if first:
        return pieces(term, typesetter, room)
    parts = pieces(term if positive is None else positive, typesetter, room, PRODUCT)
    return [f"{'+' if positive is None else '-'} {parts[0]}", *parts[1:]]


def _product(factors: Sequence[Expr], typesetter: Typesetter, room: float) -> list[str]:
    """Breaks inside the longest factor that is a sum of terms, or a reduction over one; else between factors."""
    long = [f for f in factors if isinstance(f, Add) or (isinstance(f, Reduce) and isinstance(f.body, Add))]
    if not long:
        return _factors(factors, typesetter, room)
    chosen = max(long, key=lambda factor: measure(typesetter.text(factor)))
    others = [factor for factor in factors if factor is not chosen]
    after = [factor for factor in others if isinstance(factor, Reduce)]
    before = [factor for factor in others if not isinstance(factor, Reduce)]
    head = typesetter.at(mul(*before), PRODUCT) if before else ""
    inner = pieces(chosen, typesetter, max(room / 2, room - 2 - measure(head)), PRODUCT)
    if after and isinstance(chosen, Reduce):
        inner = _around("", inner)
    tail = f" {typesetter.text(mul(*after))}" if after else ""
    return [f"{head} {inner[0]}".strip(), *inner[1:-1], inner[-1] + tail] if len(inner) > 1 else [f"{head} {inner[0]}{tail}".strip()]


def _factors(factors: Sequence[Expr], typesetter: Typesetter, room: float) -> list[str]:
    """The product in two parts, the second after a dot."""
    factors = sorted(factors, key=lambda factor: isinstance(factor, Reduce))
    size = [measure(typesetter.text(mul(*factors[:cut]))) for cut in range(1, len(factors))]
    cut = max((number for number, width in enumerate(size, 1) if width <= room), default=1)
    first, *rest = pieces(mul(*factors[cut:]), typesetter, room, PRODUCT)
    return [_closed(factors[:cut], typesetter), rf"\cdot {first}", *rest]


def _closed(factors: Sequence[Expr], typesetter: Typesetter) -> str:
    """A product that another factor follows: its sums stand in parentheses."""
    plain = [factor for factor in factors if not isinstance(factor, Reduce)]
    sums = [parenthesized(typesetter.text(factor)) for factor in factors if isinstance(factor, Reduce)]
    return " ".join([*([typesetter.at(mul(*plain), PRODUCT)] if plain else []), *sums])


def _around(head: str, inner: list[str]) -> list[str]:
    """The parts in parentheses that open on one line and close on another."""
    opened = [rf"{head} \biggl( {inner[0]}".strip(), *inner[1:]]
    return [*opened[:-1], rf"{opened[-1]} \biggr)"]


def measure(latex: str) -> float:
    """The estimated width of a formula, in digits."""
    width, _ = _run(_TOKEN.findall(latex), 0)
    return width


def _run(tokens: list[str], position: int) -> tuple[float, int]:
    """The width up to the closing brace, and the position after it."""
    width = 0.0
    while position < len(tokens) and tokens[position] != "}":
        step, position = _atom(tokens, position)
        below = 0.0
        while position < len(tokens) and tokens[position] in ("_", "^"):
            script, position = _argument(tokens, position + 1)
            below = max(below, 0.65 * script)
        width += max(step, below) if tokens[position - 1] == "}" and step == _COMMANDS[r"\sum"] else step + below
    return width, position + 1


def _atom(tokens: list[str], position: int) -> tuple[float, int]:
    token = tokens[position]
    if token == "{":
        return _run(tokens, position + 1)
    if token == r"\frac":
        top, after = _argument(tokens, position + 1)
        bottom, after = _argument(tokens, after)
        return max(top, bottom) + 0.6, after
    if token == r"\sqrt":
        inner, after = _argument(tokens, position + 1)
        return inner + 1.8, after
    return _COMMANDS.get(token, _WIDTHS.get(token, 1.15 if token.isalpha() or token[0] == "\\" else 1.0)), position + 1


def _argument(tokens: list[str], position: int) -> tuple[float, int]:
    if position >= len(tokens):
        return 0.0, position
    return _run(tokens, position + 1) if tokens[position] == "{" else _atom(tokens, position)
