"""Expressions over scalars as C.

In: an expression whose reads are local names.  Out: C99 in double, also valid C++; and which helper functions it calls.
"""

from __future__ import annotations

from fractions import Fraction

from symbn.codegen.printers.infix import ATOM, COMPARISON, POWER, PRODUCT, SUM, UNARY, Infix, Text, decimal
from symbn.expr import Delta, Expr, Num, Read

# Functions of math.h under their own names.
LIBRARY = {"sqrt": "sqrt", "exp": "exp", "log": "log", "log1p": "log1p", "expm1": "expm1", "tanh": "tanh", "erf": "erf", "sin": "sin",
           "cos": "cos", "abs": "fabs"}  # fmt: skip
# Functions that C has not, or has with another NaN: bodies by name, parameters a and b. A NaN goes through.
HELPERS = {
    "sigmoid": ("double a", "1.0/(1.0 + exp(-a))"),
    "sign": ("double a", "a > 0.0 ? 1.0 : a < 0.0 ? -1.0 : a"),
    "relu": ("double a", "a <= 0.0 ? 0.0 : a"),
    "maximum": ("double a, double b", "a > b || a != a ? a : b"),
    "minimum": ("double a, double b", "a < b || a != a ? a : b"),
}
# The largest whole power that is written as a product.
LONGEST_PRODUCT = 4


class CPrinter(Infix):
    """`prefix` starts the helpers' names; `helpers` collects those used."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.helpers: set[str] = set()

    def helper(self, name: str) -> str:
        """The full name of a helper, noted as used."""
        self.helpers.add(name)
        return f"{self.prefix}{name}"

    def number(self, value: Fraction) -> Text:
        """A double constant; a quotient where no decimal is exact."""
        text = decimal(value)
        if text is None:
            quotient = f"{self.number(Fraction(value.numerator))[0]}/{self.number(Fraction(value.denominator))[0]}"
            return quotient, PRODUCT
        return text, ATOM if value >= 0 else UNARY

    def extent(self, axis: str) -> Text:
        """As a double."""
        return f"(double){axis}", POWER

    def read(self, read: Read) -> Text:
        """A local."""
        return read.name, ATOM

    def sifted(self, deltas: tuple[Delta, ...], value: Expr) -> Text:
        """A conditional expression."""
        conditions = [f"{delta.left.name} == {delta.right.name}" for delta in deltas if delta.left != delta.right]
        return (f"{' && '.join(conditions)} ? {self.at(value, SUM)} : 0.0", COMPARISON) if conditions else self.bound(value)

    def power(self, base: Expr, exponent: Fraction) -> Text:
        """Products and roots where they are exact to the last digit, else pow."""
        if exponent == 0:
            return "1.0", ATOM
        if exponent < 0:
            return f"1.0/{self.at(self.reciprocal(base, exponent), POWER)}", PRODUCT
        if exponent == Fraction(1, 2):
            return f"sqrt({self.text(base)})", ATOM
        whole, half = divmod(exponent, 1)
        if not base.children and whole <= LONGEST_PRODUCT and half in (0, Fraction(1, 2)):
            root = [f"sqrt({self.text(base)})"] if half else []
            return "*".join([self.at(base, POWER)] * int(whole) + root), PRODUCT if whole + len(root) > 1 else POWER
        return f"pow({self.text(base)}, {self.text(Num(exponent))})", ATOM

    def general_power(self, base: Expr, exponent: Expr) -> Text:
        """`pow`."""
        return f"pow({self.text(base)}, {self.text(exponent)})", ATOM

    def call(self, function: str, args: tuple[Expr, ...]) -> Text:
        """A function of math.h, a helper, or an operator."""
        match function:
            case "rsqrt":
                return f"1.0/sqrt({self.text(args[0])})", PRODUCT
            case "where":
                return f"{self.text(args[0])} ? {self.at(args[1], SUM)} : {self.at(args[2], SUM)}", COMPARISON
            case "stop_gradient":
                return self.bound(args[0])
        name = LIBRARY.get(function) or self.helper(function)
        return f"{name}({', '.join(map(self.text, args))})", ATOM
