"""How a product is set: its sign, and the fractions it falls into.

In: factors in the author's order.  Out: factors as a paper has them, for printers that have fraction bars.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from symbn.expr import Call, Expr, Extent, Mul, Num, Pow, Reduce
from symbn.language.text import denominator_of


def arranged(factors: Sequence[Expr]) -> tuple[str, list[Expr]]:
    """The sign, and the factors as a paper has them: the number first, a single sum last, its mean's 1/N with the other denominators."""
    value, factors = Fraction(1), _flat(factors)
    for factor in factors:
        value *= factor.value if isinstance(factor, Num) else 1
    sums = [factor for factor in factors if isinstance(factor, Reduce)]
    rest = [factor for factor in factors if not isinstance(factor, Num) and (len(sums) != 1 or factor is not sums[0])]
    if len(sums) == 1:
        only = sums[0]
        if only.kind == "mean":
            rest += [Pow(Extent(index.axis), Num(Fraction(-1))) for index in only.indices]
            only = Reduce("sum", only.body, only.indices)
        rest.append(only)
    return "-" if value < 0 else "", rest if abs(value) == 1 and rest else [Num(abs(value)), *rest]


def _flat(factors: Sequence[Expr]) -> list[Expr]:
    """The factors, and those of factors that are products: a sum inside one would reach over what stands after it."""
    return [part for factor in factors for part in (_flat(factor.factors) if isinstance(factor, Mul) else (factor,))]


def groups(factors: Sequence[Expr]) -> list[tuple[list[Expr], list[Expr]]]:
    """Runs of numerators, each with the denominators after it."""
    groups: list[tuple[list[Expr], list[Expr]]] = [([], [])]
    for factor in factors:
        above, below = _sides(factor)
        if above and groups[-1][1]:
            groups.append(([], []))
        groups[-1][0].extend(above)
        groups[-1][1].extend(below)
    return [group for group in groups if group[0] or group[1]]


def collected(below: Sequence[Expr]) -> list[Expr]:
    """Denominators with extents first, and each written once with its power."""
    flat = [part for factor in below for part in (factor.factors if isinstance(factor, Mul) else (factor,))]
    ordered = sorted(flat, key=lambda factor: 0 if isinstance(factor, Num) else 1 if isinstance(factor, Extent) else 2)
    times = {factor: ordered.count(factor) for factor in ordered}
    return [factor if count == 1 else Pow(factor, Num(Fraction(count))) for factor, count in times.items()]


def squared_root(expr: Expr) -> Expr:
    """Of an integer power of a root, the power of what is under it: sqrt(a)**(-2) is 1/a, sqrt(a)**3 is a**(3/2)."""
    match expr:
        case Pow(Call("sqrt", (inside,)), Num(value)) if value.denominator == 1 and abs(value) > 1:
            return inside if value == 2 else Pow(inside, Num(value / 2))
    return expr


def _sides(factor: Expr) -> tuple[list[Expr], list[Expr]]:
    factor = squared_root(factor)
    match factor:
        case Num(value) if value > 0 and value.denominator > 1 and ten_power(value) is None:
            return ([Num(Fraction(value.numerator))] if value.numerator > 1 else []), [Num(Fraction(value.denominator))]
        case Call("rsqrt", args):
            return [], [Call("sqrt", args)]
    denominator = denominator_of(factor)
    return ([factor], []) if denominator is None else ([], [denominator])


def ten_power(value: Fraction) -> int | None:
    """3 for 7/1000: a fraction that is written as a number times a power of ten; None for the others."""
    power = len(str(value.denominator)) - 1
    return power if power >= 3 and value.denominator == 10**power else None
