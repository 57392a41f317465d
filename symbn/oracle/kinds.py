"""Which arithmetic an expression needs.

In: expressions.  Out: whether they leave the rationals and square roots, and whether they have kinks.
"""

from __future__ import annotations

from symbn.expr import Add, Call, Expr, Extent, Mul, Num, Pow, Reduce, reads, walk

TRANSCENDENTAL = ("exp", "log", "log1p", "expm1", "tanh", "sigmoid", "erf", "sin", "cos", "pi")
KINKED = ("abs", "sign", "relu", "maximum", "minimum", "where")


def is_transcendental(expr: Expr) -> bool:
    """Whether the value can leave the rationals and their square roots."""
    return any(
        node.function in TRANSCENDENTAL if isinstance(node, Call) else isinstance(node, Pow) and not _is_dyadic(node.exponent)
        for node in walk(expr)
    )


def _is_dyadic(exponent: Expr) -> bool:
    if isinstance(exponent, Num):
        return exponent.value.denominator & (exponent.value.denominator - 1) == 0
    return not reads(exponent) and all(_is_integral(node) for node in walk(exponent))


def _is_integral(node: Expr) -> bool:
    return isinstance(node, Extent | Add | Mul) or (isinstance(node, Num) and node.value.denominator == 1)


def has_kink(expr: Expr) -> bool:
    """Whether the derivative depends on a convention where values tie or vanish."""
    nodes = tuple(walk(expr))
    reduces = any(isinstance(node, Reduce) and node.kind in ("max", "min") for node in nodes)
    return reduces or any(isinstance(node, Call) and node.function in KINKED for node in nodes)
