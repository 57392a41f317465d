"""Exact arithmetic with square roots.

In: fractions.  Out: elements of a tower of real quadratic fields Q(r1)(r2)..., where r_k is the positive root of a number below it.

A `Surd` is `u + v*r` with u, v from lower in the tower and v != 0, so a number has one form, and equality is structural. That needs each
new root to be irrational over the tower so far: `Tower.sqrt` looks for the root among the numbers it has before it adjoins one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt, sqrt
from typing import TypeAlias, TypeVar

MAX_ROOTS = 6  # looking for a square root in a tower of n roots can take 3**n steps

T = TypeVar("T")


class TooManyRootsError(ArithmeticError):
    """The tower is full; the caller falls back on decimal digits."""


@dataclass(frozen=True, eq=False, slots=True)
class Root:
    """The positive square root of `square`; `level` counts from 1, and `square` lives below it."""

    square: Number
    level: int


@dataclass(frozen=True, slots=True)
class Surd:
    """`rational + coefficient * root`, with `coefficient` nonzero; both parts lie below `root` in the tower."""

    rational: Number
    coefficient: Number
    root: Root

    def __add__(self, other: object) -> Number:
        return _binary(self, other, _add)

    def __mul__(self, other: object) -> Number:
        return _binary(self, other, _multiply)

    def __sub__(self, other: object) -> Number:
        return _binary(self, other, lambda a, b: _add(a, -b))

    def __rsub__(self, other: object) -> Number:
        return _binary(self, other, lambda a, b: _add(-a, b))

    def __truediv__(self, other: object) -> Number:
        return _binary(self, other, lambda a, b: _multiply(a, _inverse(b)))

    def __rtruediv__(self, other: object) -> Number:
        return _binary(self, other, lambda a, b: _multiply(_inverse(a), b))

    __radd__ = __add__
    __rmul__ = __mul__

    def __neg__(self) -> Number:
        return Surd(-self.rational, -self.coefficient, self.root)

    def __lt__(self, other: object) -> bool:
        return _binary(self, other, lambda a, b: sign(a - b) < 0)

    def __le__(self, other: object) -> bool:
        return _binary(self, other, lambda a, b: sign(a - b) <= 0)

    def __gt__(self, other: object) -> bool:
        return _binary(self, other, lambda a, b: sign(a - b) > 0)

    def __ge__(self, other: object) -> bool:
        return _binary(self, other, lambda a, b: sign(a - b) >= 0)

    def __float__(self) -> float:
        return float(self.rational) + float(self.coefficient) * sqrt(float(self.root.square))

    def __str__(self) -> str:
        factor = f"({self.coefficient})" if isinstance(self.coefficient, Surd) else f"{self.coefficient}"
        return f"{self.rational} + {factor}*sqrt({self.root.square})"


Number: TypeAlias = Fraction | Surd


def sign(number: Number) -> int:
    """-1, 0 or 1, exactly: where the two parts of a surd disagree, the one with the larger square decides."""
    if isinstance(number, Fraction):
        return (number > 0) - (number < 0)
    u, v = number.rational, number.coefficient
    if sign(u) in (0, sign(v)):
        return sign(v)
    return sign(u) * sign(u * u - v * v * number.root.square)


class Tower:
    """The roots adjoined so far. One tower serves one computation."""

    def __init__(self) -> None:
        self.roots: list[Root] = []
        self._known: dict[Number, Number] = {}

    def sqrt(self, number: Number) -> Number | None:
        """The nonnegative square root; None for a negative number. TooManyRootsError when it needs a root beyond MAX_ROOTS."""
        if sign(number) < 0:
            return None
        if number not in self._known:
            found = self._root_of(number, len(self.roots))
            found = self._adjoin(number) if found is None else found
            self._known[number] = -found if sign(found) < 0 else found
        return self._known[number]

    def _adjoin(self, number: Number) -> Number:
        if len(self.roots) == MAX_ROOTS:
            raise TooManyRootsError(f"more than {MAX_ROOTS} independent square roots")
        self.roots.append(Root(number, len(self.roots) + 1))
        return Surd(Fraction(0), Fraction(1), self.roots[-1])

    def _root_of(self, number: Number, level: int) -> Number | None:
        """A square root of `number` among the numbers of the first `level` roots, of either sign; None where there is none.

        (s + t*r)**2 = u + v*r asks for s**2 = (u + n)/2 or (u - n)/2 with n**2 = u**2 - v**2 r**2, and t = v/(2 s).
        """
        if level == 0:
            return _rational_root(number)
        root = self.roots[level - 1]
        u, v = _split(number, root)
        if v == 0:
            return self._root_of_lower(u, root)
        norm = self._root_of(u * u - v * v * root.square, level - 1)
        if norm is None:
            return None
        for half in ((u + norm) / 2, (u - norm) / 2):
            s = self._root_of(half, level - 1)
            if s is not None:
                return _join(s, v / (2 * s), root)
        return None

    def _root_of_lower(self, number: Number, root: Root) -> Number | None:
        """A root of a number that lies below `root`: it is below, too, or a multiple of `root`."""
        below = self._root_of(number, root.level - 1)
        if below is not None:
            return below
        multiple = self._root_of(number / root.square, root.level - 1)
        return None if multiple is None else _join(Fraction(0), multiple, root)


def _rational_root(number: Number) -> Fraction | None:
    if isinstance(number, Surd) or number < 0:
        return None
    above, below = isqrt(number.numerator), isqrt(number.denominator)
    return Fraction(above, below) if (above**2, below**2) == (number.numerator, number.denominator) else None


def _binary(left: Surd, right: object, operation: Callable[[Number, Number], T]) -> T:
    if isinstance(right, int):
        right = Fraction(right)
    return operation(left, right) if isinstance(right, Fraction | Surd) else NotImplemented


def _top(left: Number, right: Number) -> Root | None:
    roots = [number.root for number in (left, right) if isinstance(number, Surd)]
    return max(roots, key=lambda root: root.level, default=None)


def _split(number: Number, root: Root) -> tuple[Number, Number]:
    """u, v with number = u + v*root."""
    return (number.rational, number.coefficient) if isinstance(number, Surd) and number.root is root else (number, Fraction(0))


def _join(rational: Number, coefficient: Number, root: Root) -> Number:
    return rational if coefficient == 0 else Surd(rational, coefficient, root)


def _add(left: Number, right: Number) -> Number:
    root = _top(left, right)
    if root is None:
        return left + right
    (u, v), (s, t) = _split(left, root), _split(right, root)
    return _join(u + s, v + t, root)


def _multiply(left: Number, right: Number) -> Number:
    root = _top(left, right)
    if root is None:
        return left * right
    (u, v), (s, t) = _split(left, root), _split(right, root)
    return _join(u * s + v * t * root.square, u * t + v * s, root)


def _inverse(number: Number) -> Number:
    """1/number by its conjugate. ZeroDivisionError for 0."""
    if isinstance(number, Fraction):
        return 1 / number
    u, v = number.rational, number.coefficient
    scale = _inverse(u * u - v * v * number.root.square)
    return Surd(u * scale, -v * scale, number.root)
