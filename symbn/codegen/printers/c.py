"""Expressions over scalars as C.

In: an expression whose reads are local names of type `real`, float or double.  Out: C99, also valid C++; and which helper functions it
calls. In float, every constant and function is float's own, so that nothing is widened by the way.
"""

from __future__ import annotations

from fractions import Fraction

from symbn.codegen.printers.infix import ATOM, COMPARISON, POWER, PRODUCT, SUM, UNARY, Infix, Text, decimal
from symbn.expr import Delta, Expr, Num, Read

# Functions of math.h under their own names.
LIBRARY = {"sqrt": "sqrt", "exp": "exp", "log": "log", "log1p": "log1p", "expm1": "expm1", "tanh": "tanh", "erf": "erf", "sin": "sin",
           "cos": "cos", "abs": "fabs"}  # fmt: skip
# Functions that C has not, or has with another NaN, are helpers of the file.
# The helpers that a loop over elements calls instead: without a branch, so that a compiler can make vector instructions of them.
IN_LOOPS = {("exp", "float"): "exp", ("tanh", "float"): "tanh", ("sigmoid", "float"): "logistic"}
PI = Fraction("3.141592653589793")
# The largest whole power that is written as a product.
LONGEST_PRODUCT = 4


class CPrinter(Infix):
    """`prefix` starts the helpers' names; `helpers` collects those used, as (name, real)."""

    def __init__(self, prefix: str, real: str = "double", helpers: set[tuple[str, str]] | None = None) -> None:
        self.prefix, self.real = prefix, real
        self.helpers: set[tuple[str, str]] = set() if helpers is None else helpers
        self.suffix = "f" if real == "float" else ""

    @property
    def macro(self) -> str:
        """What the file's macros start with."""
        return self.prefix.upper().rstrip("_")

    def of(self, real: str) -> CPrinter:
        """The printer for another type, which notes helpers in the same place."""
        return CPrinter(self.prefix, real, self.helpers)

    def helper(self, name: str) -> str:
        """The full name of a helper, noted as used."""
        self.helpers.add((name, self.real))
        return f"{self.prefix}{name}{self.suffix}"

    def number(self, value: Fraction) -> Text:
        """A constant; a quotient where no decimal is exact."""
        text = decimal(value)
        if text is None:
            quotient = f"{self.number(Fraction(value.numerator))[0]}/{self.number(Fraction(value.denominator))[0]}"
            return quotient, PRODUCT
        return text + self.suffix.upper(), ATOM if value >= 0 else UNARY

    def zero(self) -> str:
        """The constant 0."""
        return self.number(Fraction(0))[0]

    def extent(self, axis: str) -> Text:
        """As a number of the type."""
        return f"({self.real}){axis}", POWER

    def read(self, read: Read) -> Text:
        """A local."""
        return read.name, ATOM

    def sifted(self, deltas: tuple[Delta, ...], value: Expr) -> Text:
        """A conditional expression."""
        conditions = [f"{delta.left.name} == {delta.right.name}" for delta in deltas if delta.left != delta.right]
        return (f"{' && '.join(conditions)} ? {self.at(value, SUM)} : {self.zero()}", COMPARISON) if conditions else self.bound(value)

    def power(self, base: Expr, exponent: Fraction) -> Text:
        """Products and roots where they are exact to the last digit, else pow."""
        one = self.number(Fraction(1))[0]
        if exponent == 0:
            return one, ATOM
        if exponent < 0:
            return f"{one}/{self.at(self.reciprocal(base, exponent), POWER)}", PRODUCT
        if exponent == Fraction(1, 2):
            return f"{self._library('sqrt')}({self.text(base)})", ATOM
        whole, half = divmod(exponent, 1)
        if not base.children and whole <= LONGEST_PRODUCT and half in (0, Fraction(1, 2)):
            root = [f"{self._library('sqrt')}({self.text(base)})"] if half else []
            return "*".join([self.at(base, POWER)] * int(whole) + root), PRODUCT if whole + len(root) > 1 else POWER
        return f"{self._library('pow')}({self.text(base)}, {self.text(Num(exponent))})", ATOM

    def general_power(self, base: Expr, exponent: Expr) -> Text:
        """`pow`."""
        return f"{self._library('pow')}({self.text(base)}, {self.text(exponent)})", ATOM

    def call(self, function: str, args: tuple[Expr, ...]) -> Text:
        """A function of math.h, a helper, or an operator."""
        match function:
            case "rsqrt":
                return f"{self.number(Fraction(1))[0]}/{self._library('sqrt')}({self.text(args[0])})", PRODUCT
            case "pi":
                return self.number(PI)
            case "where":
                return f"{self.text(args[0])} ? {self.at(args[1], SUM)} : {self.at(args[2], SUM)}", COMPARISON
            case "stop_gradient":
                return self.bound(args[0])
        helper = IN_LOOPS.get((function, self.real), "" if function in LIBRARY else function)
        name = self.helper(helper) if helper else self._library(LIBRARY[function])
        return f"{name}({', '.join(map(self.text, args))})", ATOM

    def _library(self, name: str) -> str:
        return name + self.suffix
