r"""From LaTeX to equations.

In: what a paper or a post displays, a layer, the names of results with their axes, and other people's names.  Out: Equations.

`docs/check.md` describes what is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from symbn.expr import Call, Expr, Extent, transform
from symbn.language.equations import Equation
from symbn.language.indices import Letters
from symbn.language.latex_grammar import Grammar
from symbn.language.latex_rows import Sides, equations
from symbn.language.latex_scan import Tokens, scan
from symbn.language.latex_sums import counted_letters
from symbn.language.latex_table import NameTable
from symbn.language.scope import Scope
from symbn.language.source import quoted
from symbn.language.tokens import normalized
from symbn.layer import Definition, Layer

_NO_LETS: Mapping[str, str] = {}


def parse_latex(
    text: str, layer: Layer, extra: Mapping[str, tuple[str, ...]], *, lets: Mapping[str, str] = _NO_LETS, file: str = "equation"
) -> tuple[Equation, ...]:
    """Every equation of the text, in order; of a chain `a = b = c` both `a = b` and `a = c`. EquationError where it cannot read on."""
    tokens = scan(normalized(text), file)
    table = NameTable(layer, extra, lets)
    counted_letters(tokens, table)
    found = [_equation(sides, table) for sides in equations(tokens)]
    return tuple(_counted(equation, table, tokens) for equation in found)


def _equation(sides: Sides, table: NameTable) -> Equation:
    source = sides.left.source
    letters = Letters(Scope(source, table.arrays, table.axes))
    where: list[Definition] = []
    left, right = (Grammar(side, table, letters, where).whole() for side in (sides.left, sides.right))
    # One tree, so that a delta in one part gets its axes from all the others.
    together = letters.finish(Call("together", (left, right, *(helper.expr for helper in where))))
    left, right, *exprs = together.children
    return Equation(left, right, sides.text, tuple(replace(helper, expr=expr) for helper, expr in zip(where, exprs, strict=True)))


def _counted(equation: Equation, table: NameTable, tokens: Tokens) -> Equation:
    """The equation with an axis for each letter by which the paper counts elements."""

    def known(node: Expr) -> Expr:
        if not isinstance(node, Extent) or not node.axis.startswith("?"):
            return node
        axis = table.counts[node.axis[1:]] or (table.axes[0] if len(table.axes) == 1 else None)
        if axis is None:
            hint = f"say which axis it counts: --let '{node.axis[1:]}={table.axes[0]}'"
            raise tokens.error(f"'{node.axis[1:]}' could be the extent of {quoted(table.axes)}", 0, len(tokens.items), hint=hint)
        return Extent(axis)

    where = tuple(replace(helper, expr=transform(helper.expr, known)) for helper in equation.where)
    return replace(equation, left=transform(equation.left, known), right=transform(equation.right, known), where=where)
