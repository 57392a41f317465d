"""What languages with the usual operators share.

In: an expression.  Out: text with as few parentheses as the language's precedence allows. Factors and terms keep their order, so the
value is computed in the order in which the expression has it.
"""

from __future__ import annotations

from fractions import Fraction

from symbn.errors import UnsupportedError
from symbn.expr import ONE, Add, Call, Compare, Delta, Expr, Extent, Mul, Num, Pow, Read

COMPARISON, SUM, PRODUCT, UNARY, POWER, ATOM = range(6)
# Beyond this a whole number is not exact in double.
EXACT = 2**53

Text = tuple[str, int]


class Infix:
    """Prints by precedence; a language says how it writes the leaves, powers and functions."""

    def text(self, expr: Expr) -> str:
        """The expression, as it stands alone."""
        return self.at(expr, COMPARISON)

    def at(self, expr: Expr, level: int) -> str:
        """The expression where at least this level binds."""
        text, own = self.bound(expr)
        return text if own >= level else f"({text})"

    def bound(self, expr: Expr) -> Text:
        """The expression and how tightly it binds."""
        match expr:
            case Num(value):
                return self.number(value)
            case Extent(axis):
                return self.extent(axis)
            case Read():
                return self.read(expr)
            case Delta():
                return self.delta(expr)
            case Add(terms):
                return self._sum(terms)
            case Mul(factors):
                return self._product(factors)
            case Pow(base, Num(value)):
                return self.power(base, value)
            case Pow(base, exponent):
                return self.general_power(base, exponent)
            case Call(function, args):
                return self.call(function, args)
            case Compare(operator, left, right):
                return f"{self.at(left, SUM)} {operator} {self.at(right, SUM)}", COMPARISON
        raise TypeError(expr)

    def _sum(self, terms: tuple[Expr, ...]) -> Text:
        text = self.at(terms[0], SUM)
        for term in terms[1:]:
            positive = _without_sign(term)
            text += f" + {self.at(term, SUM)}" if positive is None else f" - {self.at(positive, PRODUCT)}"
        return text, SUM

    def _product(self, factors: tuple[Expr, ...]) -> Text:
        deltas = tuple(factor for factor in factors if isinstance(factor, Delta))
        if deltas:
            rest = tuple(factor for factor in factors if not isinstance(factor, Delta))
            return self.sifted(deltas, _product_of(rest) if rest else ONE)
        if factors[0] == Num(Fraction(-1)):
            return f"-{self.at(_product_of(factors[1:]), PRODUCT)}", UNARY if len(factors) == 2 else PRODUCT
        text = self.at(factors[0], PRODUCT)
        for factor in factors[1:]:
            match factor:
                case Pow(base, Num(value)) if value < 0:
                    text += f"/{self.at(self.reciprocal(base, value), POWER)}"
                case _:
                    text += f"*{self.at(factor, POWER)}"
        return text, PRODUCT

    def reciprocal(self, base: Expr, exponent: Fraction) -> Expr:
        """What `base ** exponent` divides by, for a negative exponent."""
        return base if exponent == -1 else Pow(base, Num(-exponent))

    def number(self, value: Fraction) -> Text:
        """An exact number."""
        raise NotImplementedError

    def extent(self, axis: str) -> Text:
        """An axis's extent."""
        raise NotImplementedError

    def read(self, read: Read) -> Text:
        """A scalar, or an array in its place."""
        raise NotImplementedError

    def delta(self, delta: Delta) -> Text:
        """Kronecker's delta."""
        return self.sifted((delta,), ONE)

    def sifted(self, deltas: tuple[Delta, ...], value: Expr) -> Text:
        """The value where the deltas are 1, else 0, whatever the value is there."""
        raise NotImplementedError

    def power(self, base: Expr, exponent: Fraction) -> Text:
        """A power by a number."""
        raise NotImplementedError

    def general_power(self, base: Expr, exponent: Expr) -> Text:
        """A power by an expression."""
        raise NotImplementedError

    def call(self, function: str, args: tuple[Expr, ...]) -> Text:
        """An elementwise function."""
        raise NotImplementedError


def decimal(value: Fraction) -> str | None:
    """The number as the shortest decimal that a double reads back exactly as this number's nearest; None where none says it exactly."""
    try:
        nearest = float(value)
    except OverflowError:
        nearest = float("inf")
    if nearest in (float("inf"), float("-inf")) or (nearest == 0 and value != 0):
        raise UnsupportedError("a number of the formula does not fit a double")
    text = repr(nearest)
    mantissa, _, exponent = text.partition("e")
    short = f"{mantissa}e{int(exponent)}" if exponent else text
    return short if Fraction(short) == value or abs(value) >= EXACT else None


def _without_sign(term: Expr) -> Expr | None:
    """The term's opposite, where the term is written with a minus; else None."""
    match term:
        case Mul((Num(value), *rest)) if value < 0:
            return _product_of(tuple(rest) if value == -1 else (Num(-value), *rest))
        case Num(value) if value < 0:
            return Num(-value)
    return None


def _product_of(factors: tuple[Expr, ...]) -> Expr:
    return factors[0] if len(factors) == 1 else Mul(factors)
