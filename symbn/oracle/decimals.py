"""Exact and long numbers for a reader.

In: a fraction, a surd or a number of many digits.  Out: the fraction, or its first DIGITS digits as text.
"""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

from symbn.oracle.roots import Number, Surd

DIGITS = 20
WORKING = 80  # digits kept on the way: the parts of a surd may cancel
ZERO = 1e-50  # below this a number of many digits is a zero that did not quite cancel


def told(value: Any) -> Fraction | str:
    """A fraction as it is, another number as decimal text."""
    if isinstance(value, Fraction):
        return value
    if isinstance(value, Surd):
        with localcontext() as context:
            context.prec = WORKING
            return f"{_decimal(value):.{DIGITS}g}"
    return "0" if abs(value) < ZERO else str(value.context.nstr(value, DIGITS)).removesuffix(".0")


def magnitude(value: Any) -> Decimal:
    """|value|, to a few digits and beyond the range of floats."""
    if isinstance(value, Fraction | Surd):
        with localcontext() as context:
            context.prec = WORKING
            return abs(_decimal(value))
    return abs(Decimal(value.context.nstr(value, DIGITS)))


def _decimal(value: Number) -> Decimal:
    if isinstance(value, Fraction):
        return Decimal(value.numerator) / Decimal(value.denominator)
    return _decimal(value.rational) + _decimal(value.coefficient) * _decimal(value.root.square).sqrt()
