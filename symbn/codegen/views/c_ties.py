"""Numbers that are compared for being equal, outside of loops over elements.

In: the statements of a float pass.  Out: expressions as float arithmetic. A maximum is found again by comparing: that works where both
sides come from the same arithmetic, and loops over elements compute in float. So what is compared is, everywhere.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from symbn.codegen.printers.c import CPrinter
from symbn.codegen.printers.infix import POWER
from symbn.codegen.program import Accumulate, Assign, Statement
from symbn.codegen.walk import everything, expression
from symbn.expr import Compare, Expr, Num, Read, reads, transform, walk

EXTREMA = ("max", "min")


def compared(body: Iterable[Statement]) -> frozenset[str]:
    """The names that both sides of an equation rest on."""
    statements = tuple(everything(body))
    found = {name for node in _equations(map(expression, statements)) for name in reads(node)}
    while True:
        rests = [s for s in statements if isinstance(s, (Assign, Accumulate)) and s.name in found]
        more = {name for s in rests if isinstance(s, Assign) or s.kind in EXTREMA for name in reads(s.expr)}
        if more <= found:
            return frozenset(found)
        found |= more


def _equations(exprs: Iterable[Expr | None]) -> list[Compare]:
    nodes = [node for expr in exprs if expr is not None for node in walk(expr)]
    equations = [node for node in nodes if isinstance(node, Compare) and node.operator == "=="]
    return [node for node in equations if not isinstance(node.left, Num) and not isinstance(node.right, Num)]


def in_float(expr: Expr, printer: CPrinter) -> str:
    """The expression over doubles, computed in float and widened again."""
    narrow = transform(expr, lambda node: Read(f"(float){node.name}") if isinstance(node, Read) else node)
    return f"(double){printer.of('float').at(narrow, POWER)}"


def equations_in_float(expr: Expr, printer: CPrinter, exact: Collection[str]) -> Expr:
    """The expression with both sides of each equation computed in float, but for numbers that are `exact` in it."""

    def side(node: Expr) -> Expr:
        return node if isinstance(node, Read) and node.name in exact else Read(in_float(node, printer))

    found = set(_equations([expr]))
    return transform(expr, lambda n: Compare(n.operator, side(n.left), side(n.right)) if n in found and isinstance(n, Compare) else n)
