r"""From LaTeX to equations.

In: what a paper or a post displays, a layer, the names of results with their axes, and other people's names.  Out: Equations.

`docs/check.md` describes what is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from symbn.errors import EquationError
from symbn.expr import Call, Expr, Extent, free_indices, transform
from symbn.language.equations import Equation
from symbn.language.indices import Letters
from symbn.language.latex_grammar import Grammar
from symbn.language.latex_rows import Sides, equations
from symbn.language.latex_scan import Tokens, scan
from symbn.language.latex_shapes import whole_shape
from symbn.language.latex_sums import counted_letters
from symbn.language.latex_table import NameTable, as_latex
from symbn.language.scope import Scope
from symbn.language.source import quoted, suggestion
from symbn.language.tokens import normalized
from symbn.layer import Definition, Layer

_NO_LETS: Mapping[str, str] = {}


def parse_latex(
    text: str, layer: Layer, extra: Mapping[str, tuple[str, ...]], *, lets: Mapping[str, str] = _NO_LETS, file: str = "equation"
) -> tuple[Equation, ...]:
    """Every equation of the text, in order; of a chain `a = b = c` both `a = b` and `a = c`. EquationError where it cannot read on."""
    tokens = scan(normalized(text), file)
    table = NameTable(layer, extra, {theirs: ours for theirs, ours in lets.items() if _is_name(ours, layer, extra)})
    counted_letters(tokens, table)
    for theirs, ours in lets.items():
        if not _is_name(ours, layer, extra):
            _define(theirs, ours, table)
    found = [_equation(sides, table) for sides in equations(tokens)]
    return tuple(_counted(equation, table, tokens) for equation in found)


def _is_name(text: str, layer: Layer, extra: Mapping[str, tuple[str, ...]]) -> bool:
    return text in layer.names or text in layer.axes or text in extra


def _define(theirs: str, ours: str, table: NameTable) -> None:
    r"""A name of the paper's own, such as `s_n = \sqrt{\sigma^2_n + \epsilon}`."""
    if ours.isidentifier() and len(ours) > 1:
        known = [*table.arrays, *table.axes]
        hint = suggestion(ours, known) or f"known names: {quoted(known)}"
        raise EquationError(f"'{theirs}={ours}': unknown name '{ours}'", hint=hint)
    named, tokens = scan(as_latex(theirs), "let"), scan(ours, "let")
    shape = whole_shape(named, 0, len(named.items))
    if shape is None:
        hint = r"write --let 'm=N', or --let 's_n=\sqrt{\sigma^2_n + \epsilon}'"
        raise named.error("a name belongs here", 0, len(named.items), hint=hint)
    letters = Letters(Scope(tokens.source, table.arrays, table.axes))
    reader = Grammar(tokens, table, letters, [])
    expr = letters.finish(reader.whole())
    free = {index.name: index for index in free_indices(expr)}
    below = [reader.letter(*part) for part in shape.below if not part[0][0].isdigit()]
    indices = tuple(free[letter] for letter in below if letter in free)
    if reader.where:
        raise tokens.error("a name stands for an expression without derivatives of expressions", 0, len(tokens.items))
    if len(indices) != len(free):
        missing = ", ".join(letter for letter in free if free[letter] not in indices)
        hint = f"write --let '{theirs}_{{{missing}}}=...'"
        raise tokens.error(f"index '{missing}' is not on '{theirs}'", 0, len(tokens.items), hint=hint)
    table.define(named, shape, Definition(theirs, indices, expr))


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
