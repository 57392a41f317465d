"""What is said about NumPy code that has no formula.

In: a syntax node, or two operands whose axes clash.  Out: an error with a place and what to write instead.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from itertools import combinations

from symbn.errors import SymbnError
from symbn.language.numpy_arrays import Array, Clash
from symbn.language.source import Source

_NODES: dict[type[ast.AST], tuple[str, str]] = {
    ast.IfExp: ("'... if ... else ...' is not read here", "write np.where(condition, a, b)"),
    ast.BoolOp: ("'and' and 'or' take no arrays", "write (a > 0) & (b > 0) inside np.where"),
    ast.Lambda: ("'lambda' is not read here", "write the expression itself"),
    ast.ListComp: ("a list is not read here", "write the whole array at once: np.sum(x, axis=0)"),
    ast.GeneratorExp: ("'for' is not read here", "write the whole array at once: np.sum(x, axis=0)"),
    ast.Dict: ("a dictionary is not read here", "give each value a name of its own"),
    ast.NamedExpr: ("':=' is not read here", "assign on a line of its own"),
    ast.Slice: ("a part of an axis has no formula for every extent", "write whole axes: x[:, None]"),
    ast.For: ("a 'for' loop is not read here", "write the whole array at once: dy*xhat, np.sum(x, axis=0)"),
    ast.While: ("a 'while' loop is not read here", "write the whole array at once"),
    ast.If: ("an 'if' statement is not read here", "keep the branch to check, or write np.where(condition, a, b)"),
    ast.Try: ("'try' is not read here", "keep the assignments alone"),
    ast.Raise: ("'raise' is not read here", "keep the assignments alone"),
    ast.ClassDef: ("a class is not read here", "keep the body of one function"),
    ast.FunctionDef: ("a function inside a function is not read here", "write its expression where it is used"),
    ast.AsyncFunctionDef: ("'async' is not read here", "write 'def'"),
    ast.Global: ("'global' is not read here", "make it a parameter"),
    ast.Delete: ("'del' is not read here", "remove the line"),
    ast.Assert: ("this 'assert' is not read here", "state the equation itself: a == b"),
}
_OPERATORS: dict[type[ast.AST], tuple[str, str]] = {
    ast.FloorDiv: ("//", "write / for an exact quotient"),
    ast.Mod: ("%", "write the expression without a remainder"),
    ast.BitXor: ("^", "write ** for a power"),
    ast.LShift: ("<<", "write a power of two"),
    ast.RShift: (">>", "write a power of two"),
}


def refused(source: Source, node: ast.AST, operator: ast.AST | None = None) -> SymbnError:
    """The error for syntax that is not read."""
    if operator is not None:
        sign, hint = _OPERATORS.get(type(operator), ("this operator", "write + - * / ** @"))
        return source.error(f"'{sign}' is not read here", node, hint=hint)
    if isinstance(node, ast.Constant):
        return source.error(f"{node.value!r} is not a number", node, hint="write numbers, arrays and functions of NumPy or PyTorch")
    message, hint = _NODES.get(type(node), ("this is not read here", "write assignments, operators and functions of NumPy or PyTorch"))
    return source.error(message, node, hint=hint)


def clash_error(source: Source, clash: Clash, nodes: Sequence[ast.expr], arrays: Sequence[Array]) -> SymbnError:
    """The error for two axes that meet; the caret is under the operand with fewer axes."""
    first, second = clash.left, clash.right
    left, right = _called(source, nodes[first], "the left side"), _called(source, nodes[second], "the right side")
    low, high = (first, second) if arrays[first].rank < arrays[second].rank else (second, first)
    message = f"axis {clash.axes[0]} of {left} meets axis {clash.axes[1]} of {right}"
    return source.error(message, nodes[low], hint=_mended(source, nodes[low], arrays[low], arrays[high]))


def _called(source: Source, node: ast.expr, otherwise: str) -> str:
    text = source.segment(node)
    return text if len(text) <= 40 and getattr(node, "end_lineno", 0) == getattr(node, "lineno", 1) else otherwise


def _mended(source: Source, node: ast.expr, low: Array, high: Array) -> str:
    """How to write the operand with fewer axes, where there is one way that fits."""
    text = _called(source, node, "it")
    if not isinstance(node, ast.Name | ast.Call | ast.Attribute | ast.Subscript):
        text = f"({text})"
    fits = [places for places in combinations(range(high.rank), low.rank) if _fits(low, high, places)]
    if len(fits) == 1 and fits[0] != tuple(range(high.rank)):
        return f"write {text}[{', '.join(':' if place in fits[0] else 'None' for place in range(high.rank))}]"
    if low.rank == 2 and _fits(Array(low.dims[::-1], low.expr), high, (0, 1)):
        return f"write {text[:-2] if text.endswith('.T') else text + '.T'}"
    return "axes are matched from the last one; reduce one away, or move it with .T or [:, None]"


def _fits(low: Array, high: Array, places: tuple[int, ...]) -> bool:
    pairs = [(index, high.dims[place]) for index, place in zip(low.dims, places, strict=True)]
    return all(one is None or other is None or one.axis == other.axis for one, other in pairs)
