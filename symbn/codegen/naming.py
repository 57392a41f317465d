"""Names that say what a value is.

In: an expression.  Out: `sum_dy_xhat`, `rsqrt_sigma2_plus_eps`; unique within a kernel.
"""

from __future__ import annotations

from fractions import Fraction

from symbn.expr import Add, Call, Compare, Delta, Expr, Extent, Mul, Num, Pow, Read, Reduce

LONGEST = 28
COMPARISON_WORDS = {"<": "below", "<=": "at_most", ">": "above", ">=": "at_least", "==": "equals", "!=": "differs_from"}
POWER_WORDS = {Fraction(1, 2): "sqrt", Fraction(-1, 2): "rsqrt", Fraction(-1): "inv", Fraction(2): "square", Fraction(3): "cube"}


class Names:
    """Gives out names, each once."""

    def __init__(self, taken: tuple[str, ...]) -> None:
        self._taken = set(taken)

    def fresh(self, wish: str) -> str:
        """`wish`, or `wish_2`, `wish_3`, ... where it is taken."""
        name, number = wish, 1
        while name in self._taken:
            number += 1
            name = f"{wish}_{number}"
        self._taken.add(name)
        return name


def reduction_name(kind: str, body: Expr) -> str:
    """`sum_dy_xhat`; a long body is named by what it reads first."""
    words = describe(body)
    return f"{kind}_{words}" if len(words) <= LONGEST else f"{kind}_{_first_read(body)}_term"


def value_name(expr: Expr, owner: str) -> str:
    """What the expression says, or what it is to its owner: `dx_scale`, `dx_shift`."""
    words = describe(expr)
    if len(words) <= LONGEST and not words[:1].isdigit():
        return words
    return f"{owner}_{'scale' if isinstance(expr, (Mul, Pow)) else 'shift' if isinstance(expr, Add) else 'part'}"


def describe(expr: Expr) -> str:
    """The expression in words: `x_minus_mu`."""
    match expr:
        case Num(value):
            return (str(value.numerator) if value.denominator == 1 else f"{value.numerator}_{value.denominator}").replace("-", "minus_")
        case Extent(axis):
            return axis
        case Read(name):
            return name
        case Delta(left, right):
            return f"delta_{left.name}{right.name}"
        case Add(terms):
            return "_".join([describe(terms[0]), *(word for term in terms[1:] for word in _signed(term))])
        case Mul(factors):
            return _product(factors)
        case Pow(Call("sqrt", (base,)), Num(value)) if value == -1:
            return f"rsqrt_{describe(base)}"
        case Pow(base, Num(value)) if value in POWER_WORDS:
            return f"{POWER_WORDS[value]}_{describe(base)}"
        case Pow(base, exponent):
            return f"{describe(base)}_to_{describe(exponent)}"
        case Call(function, args):
            return "_".join([function, *map(describe, args)])
        case Compare(operator, left, right):
            return f"{describe(left)}_{COMPARISON_WORDS[operator]}_{describe(right)}"
        case Reduce(kind, body):
            return f"{kind}_{describe(body)}"
    raise TypeError(expr)


def _signed(term: Expr) -> tuple[str, str]:
    match term:
        case Mul((Num(value), *rest)) if value < 0:
            left = (Num(-value), *rest) if value != -1 else tuple(rest)
            return "minus", _product(left)
        case Num(value) if value < 0:
            return "minus", describe(Num(-value))
    return "plus", describe(term)


def _product(factors: tuple[Expr, ...]) -> str:
    words = []
    for number, factor in enumerate(factors):
        match factor:
            case Num(value) if value == -1:
                words.append("neg")
            case Pow(base, Num(value)) if value == -1 and number:
                words += ["over", describe(base)]
            case Pow(base, Num(value)) if value == Fraction(-1, 2) and number:
                words += ["over_sqrt", describe(base)]
            case _:
                words.append(describe(factor))
    return "_".join(words)


def _first_read(expr: Expr) -> str:
    if isinstance(expr, Read):
        return expr.name
    return next((name for child in expr.children if (name := _first_read(child))), "")
