"""Operators over our tree, with numbers folded as they are read.

In: expressions.  Out: expressions that keep the author's order; `1/2` is one number, `x**(1/2)` is sqrt(x), `1/x**2` is x**(-2).
Division by a literal zero and numbers past the limits raise ArithmeticError with a message for the reader.
"""

from __future__ import annotations

from fractions import Fraction

from symbn.expr import MINUS_ONE, ONE, ZERO, Add, Call, Expr, Mul, Num, Pow, add, mul
from symbn.language.limits import MAX_DIGITS, MAX_POWER

_LARGEST = 10**MAX_DIGITS


def negate(expr: Expr) -> Expr:
    """-expr; the sign goes into a leading number."""
    match expr:
        case Num(value):
            return Num(-value)
        case Mul((Num(value), *rest)):
            return mul(Num(-value), *rest)
    return mul(MINUS_ONE, expr)


def total(terms: list[Expr]) -> Expr:
    """The sum from left to right; leading numbers are added."""
    start, rest = ZERO, [part for term in terms for part in (term.terms if isinstance(term, Add) else (term,))]
    while rest and isinstance(rest[0], Num):
        start, rest = _checked(start.value + rest[0].value), rest[1:]
    return add(start, *rest)


def product(factors: list[tuple[str, Expr]]) -> Expr:
    """The product from left to right of factors marked `*` or `/`; leading numbers are multiplied."""
    start, rest = ONE, [part for factor in factors for part in _flat(*factor)]
    while rest and isinstance(rest[0][1], Num):
        value = rest[0][1].value
        start, rest = _checked(start.value / _nonzero(value) if rest[0][0] == "/" else start.value * value), rest[1:]
    return mul(start, *(reciprocal(expr) if sign == "/" else expr for sign, expr in rest))


def _flat(sign: str, expr: Expr) -> list[tuple[str, Expr]]:
    return [("*", factor) for factor in expr.factors] if sign == "*" and isinstance(expr, Mul) else [(sign, expr)]


def reciprocal(expr: Expr) -> Expr:
    """1/expr; of a power with a positive number as its exponent, that power with the sign turned."""
    match expr:
        case Num(value):
            return Pow(Num(_nonzero(value)), MINUS_ONE) if value != 1 else ONE
        case Pow(base, Num(value)) if value > 0:
            return Pow(base, Num(-value))
    return Pow(expr, MINUS_ONE)


def raised(base: Expr, exponent: Expr) -> Expr:
    """A power; the exponent is a number within limits, or an expression."""
    if not isinstance(exponent, Num):
        return Pow(base, exponent)
    value = exponent.value
    if abs(value) > MAX_POWER or value.denominator > MAX_POWER:
        raise ArithmeticError(f"the exponent {_shown(value)} is too large: at most {MAX_POWER}")
    if isinstance(base, Num) and value.denominator == 1:
        return _checked((_nonzero(base.value) if value < 0 else base.value) ** int(value))
    return _raised_to_number(base, value)


def _raised_to_number(base: Expr, value: Fraction) -> Expr:
    if value == Fraction(1, 2):
        return Call("sqrt", (base,))
    if value == Fraction(-1, 2):
        return Pow(Call("sqrt", (base,)), MINUS_ONE)
    if value == -1:
        return reciprocal(base)
    if value == 0:
        return ONE
    return base if value == 1 else Pow(base, Num(value))


def _nonzero(value: Fraction) -> Fraction:
    if value == 0:
        raise ArithmeticError("division by zero")
    return value


def _checked(value: Fraction) -> Num:
    if abs(value.numerator) >= _LARGEST or value.denominator >= _LARGEST:
        raise ArithmeticError(f"this number has more than {MAX_DIGITS} digits")
    return Num(value)


def _shown(value: Fraction) -> str:
    return str(value) if abs(value.numerator) < 10**12 and value.denominator < 10**12 else "here"
