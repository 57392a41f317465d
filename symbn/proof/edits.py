"""Slips that people make in a formula, undone one at a time.

In: an expression.  Out: expressions that differ from it in one place, each with what was changed, in words that follow "equal".

Sum against mean, N against N - 1, a lost or doubled term or factor, a sign, an exponent, a root around too little, a factor that is missing
under a sum.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

from symbn.expr import (
    MINUS_ONE,
    Add,
    Call,
    Expr,
    Extent,
    Index,
    Mul,
    Num,
    Pow,
    Read,
    Reduce,
    add,
    free_indices,
    mul,
    neg,
    num,
    power,
    reads,
)
from symbn.language import expr_text

Edit = tuple[str, Expr]
Names = Mapping[str, tuple[str, ...]]


def edits(expr: Expr, names: Names) -> Iterator[Edit]:
    """Every expression one slip away; `names` with their axes may be put where a factor is missing. Outer places come first."""
    yield from _here(expr, names, free_indices(expr))
    yield from _inside(expr, names, free_indices(expr))


def _inside(expr: Expr, names: Names, scope: tuple[Index, ...]) -> Iterator[Edit]:
    inner = (*scope, *expr.indices) if isinstance(expr, Reduce) else scope
    for place, child in enumerate(expr.children):
        for text, changed in (*_here(child, names, inner), *_inside(child, names, inner)):
            yield text, expr.rebuild((*expr.children[:place], changed, *expr.children[place + 1 :]))


def _here(expr: Expr, names: Names, scope: tuple[Index, ...]) -> Iterator[Edit]:
    match expr:
        case Reduce(kind, body, indices) if kind in ("sum", "mean"):
            other = "mean" if kind == "sum" else "sum"
            yield f"if {expr_text(expr)} is a {other}", Reduce(other, body, indices)
            yield from _missing_factors(expr, names, scope)
        case Extent(axis):
            yield f"if {axis} is replaced by {axis} - 1", add(expr, MINUS_ONE)
            yield f"if {axis} is replaced by {axis} + 1", add(expr, num(1))
        case Add(terms):
            yield from _terms(terms)
        case Mul(factors):
            yield from _factors(factors)
        case Pow(base, Num(value)):
            yield from _exponents(base, value)
        case Call("sqrt" | "rsqrt", (inside,)):
            yield f"without the root of {expr_text(inside)}", power(inside, 1 if expr.function == "sqrt" else -1)
            yield f"if {expr_text(expr)} is inverted", Call("rsqrt" if expr.function == "sqrt" else "sqrt", (inside,))
        case Read(name, indices):
            for other, axes in names.items():
                if other != name and axes == tuple(index.axis for index in indices):
                    yield f"if {expr_text(expr)} is {expr_text(Read(other, indices))}", Read(other, indices)


def _terms(terms: tuple[Expr, ...]) -> Iterator[Edit]:
    match terms:
        case (Extent() as extent, Num(value)) if abs(value) == 1:
            yield f"if {expr_text(Add(terms))} is replaced by {extent.axis}", extent
            return
    for place, term in enumerate(terms):
        rest = (*terms[:place], *terms[place + 1 :])
        yield f"without the term {expr_text(term)}", add(*rest)
        yield f"if the sign of {expr_text(term)} is turned", add(*terms[:place], neg(term), *terms[place + 1 :])
        if isinstance(term, Call) and term.function == "sqrt":
            yield f"if {expr_text(add(*rest))} stands under the root", Call("sqrt", (add(term.args[0], *rest),))


def _factors(factors: tuple[Expr, ...]) -> Iterator[Edit]:
    for place, factor in enumerate(factors):
        before, after = factors[:place], factors[place + 1 :]
        yield f"without the factor {expr_text(factor)}", mul(*before, *after)
        if not isinstance(factor, Num):
            yield f"if the factor {expr_text(factor)} is inverted", mul(*before, power(factor, -1), *after)
            yield f"if the factor {expr_text(factor)} is squared", mul(*before, power(factor, 2), *after)


def _exponents(base: Expr, value: Fraction) -> Iterator[Edit]:
    for other in dict.fromkeys((-value, value + 1, value - 1, value / 2, value * 2)):
        if other not in (0, value):
            yield f"if the exponent {value} of {expr_text(base)} is {other}", power(base, other)


def _missing_factors(total: Reduce, names: Names, scope: tuple[Index, ...]) -> Iterator[Edit]:
    """The terms of a sum times one more name, at the sum's own letters."""
    present = reads(total.body)
    for name, axes in names.items():
        read = _read_at(name, axes, (*total.indices, *scope))
        if name not in present and read is not None and any(index in read.indices for index in total.indices):
            text = f"if {expr_text(read)} is a factor inside {expr_text(total)}, where it is missing"
            yield text, Reduce(total.kind, mul(read, total.body), total.indices)


def _read_at(name: str, axes: tuple[str, ...], letters: tuple[Index, ...]) -> Read | None:
    """The name at the first letters that fit its axes."""
    chosen: list[Index] = []
    for axis in axes:
        letter = next((index for index in letters if index.axis == axis and index not in chosen), None)
        if letter is None:
            return None
        chosen.append(letter)
    return Read(name, tuple(chosen))
