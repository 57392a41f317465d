"""Numbers modulo a prime, with square roots.

In: fractions.  Out: residues, as one more number type to evaluate a layer over.

An identity of rational expressions and square roots that holds over the reals holds over a field in which the roots are elements, when the
roots are taken consistently: two that are tied to each other, as sqrt(a*b) and sqrt(a)*sqrt(b) are, must not have signs of their own. A
field has no positive root to agree on, so `Field.adopt` fixes the sign of a root, each later root is first looked for among the products
and quotients of those there are, times a rational number, and only a root that is not tied to them in this way gets a sign at random. Ties
of another kind (sqrt(x**2*a) beside x*sqrt(a)) are not seen, so a difference here is a hint that is to be found again over the reals, never
a verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import isqrt, prod
from random import Random
from typing import Any

from symbn.errors import UnsupportedError
from symbn.oracle.numbers import UNDEFINED, Leaf, Objects

PRIMES = (2**61 - 1, 2**61 - 45)  # both are 3 modulo 4, so that v**((p + 1)/4) is a root of v
MAX_TIED = 6  # roots among which ties are looked for, 3**MAX_TIED combinations


class NoRootError(ArithmeticError):
    """The number is not a square in this field; another point may do."""


@dataclass(frozen=True, slots=True)
class Residue:
    """A number modulo `prime`."""

    value: int
    prime: int

    def __add__(self, other: object) -> Any:
        return _joined(self, other, lambda a, b: a + b)

    def __mul__(self, other: object) -> Any:
        return _joined(self, other, lambda a, b: a * b)

    def __truediv__(self, other: object) -> Any:
        return _joined(self, other, lambda a, b: a * pow(b, -1, self.prime))

    def __sub__(self, other: object) -> Any:
        return _joined(self, other, lambda a, b: a - b)

    def __eq__(self, other: object) -> bool:
        return self.value == (other % self.prime if isinstance(other, int) else getattr(other, "value", None))

    def __hash__(self) -> int:
        return hash(self.value)

    def __neg__(self) -> Residue:
        return Residue(-self.value % self.prime, self.prime)

    __radd__ = __add__
    __rmul__ = __mul__


def _joined(left: Residue, right: object, operation: Callable[[int, int], int]) -> Any:
    if isinstance(right, Residue):
        right = right.value
    return Residue(operation(left.value, right) % left.prime, left.prime) if isinstance(right, int) else NotImplemented


class Field(Objects):
    """Arithmetic modulo `prime`. One instance serves one evaluation point; it keeps that point's roots."""

    exact = True
    kind = "prime field"

    def __init__(self, prime: int, rng: Random) -> None:
        self.prime, self.rng = prime, rng
        self.roots: dict[int, int] = {}
        self.untied: list[tuple[int, int]] = []

    def number(self, value: Fraction) -> Residue:
        """The quotient. ValueError where the prime divides the denominator."""
        return self.residue(value.numerator * pow(value.denominator, -1, self.prime))

    def residue(self, value: int) -> Residue:
        """The residue of an integer."""
        return Residue(value % self.prime, self.prime)

    def convert(self, value: Any) -> Any:
        """As for every type; residues stay as they are."""
        return value if isinstance(value, Residue) else super().convert(value)

    def draw(self) -> Residue:
        """A random element that is not 0."""
        return Residue(self.rng.randrange(1, self.prime), self.prime)

    def adopt(self, root: Residue) -> Residue:
        """The square of `root`, which will be its root from now on."""
        square = self.residue(root.value**2)
        self.roots[square.value] = root.value
        self.untied.append((square.value, root.value))
        return square

    def order(self, leaf: Leaf) -> Leaf:
        """UnsupportedError: there is no order."""
        raise UnsupportedError("a prime field has no order")

    def scalar(self, function: str) -> Callable[[Any], Any]:
        """Square roots alone. UnsupportedError for others."""
        match function:
            case "sqrt":
                return self._sqrt
            case "rsqrt":
                return lambda x: UNDEFINED if x == 0 else self.residue(1) / self._sqrt(x)
        raise UnsupportedError(f"{function} has no value in a prime field")

    def _sqrt(self, number: Residue) -> Residue:
        value = number.value
        if value and value not in self.roots:
            root = self._tied(value)
            if root is None:
                self.adopt(self._free(number))
            else:
                self.roots[value] = root
        return Residue(self.roots.get(value, 0), self.prime)

    def _free(self, number: Residue) -> Residue:
        root = Residue(pow(number.value, (self.prime + 1) // 4, self.prime), self.prime)
        if root * root != number:
            raise NoRootError("not a square")
        return root if self.rng.random() < 0.5 else -root

    def _tied(self, value: int) -> int | None:
        """The root where `value` is a rational square times products and quotients of squares whose roots are known."""
        for square, root in self._products():
            ratio = value * pow(square, -1, self.prime) % self.prime
            rational = _rational(ratio, self.prime)
            scale = None if rational is None else _square_root(rational)
            if scale is not None:
                return root * self.number(scale).value % self.prime
        return None

    def _products(self) -> Iterator[tuple[int, int]]:
        """The squares and roots of all products and quotients, those of few factors first."""
        powers = [((1, 1), pair, tuple(pow(number, -1, self.prime) for number in pair)) for pair in self.untied[:MAX_TIED]]
        for exponents in sorted(product((0, 1, -1), repeat=len(powers)), key=lambda chosen: sum(map(abs, chosen))):
            chosen = [pairs[exponent] for pairs, exponent in zip(powers, exponents, strict=True)]
            yield prod(square for square, _ in chosen) % self.prime, prod(root for _, root in chosen) % self.prime


def _rational(value: int, prime: int) -> Fraction | None:
    """The fraction with numerator and denominator below 2**20 that `value` is the residue of, if there is one (Wang 1981)."""
    bound = 2**20
    (above, below), (u, v) = (prime, 0), (value, 1)
    while u > bound:
        above, below, u, v = u, v, above % u, below - above // u * v
    return Fraction(u, v) if 0 < v < bound or -bound < v < 0 else None


def _square_root(value: Fraction) -> Fraction | None:
    if value <= 0:
        return None
    above, below = isqrt(value.numerator), isqrt(value.denominator)
    return Fraction(above, below) if Fraction(above, below) ** 2 == value else None
