"""The expression parser, the one place where syntax becomes our tree.

In: an `ast` expression, a Scope and its Letters.  Out: an `Expr`, or an error with a place. Nothing is evaluated but numbers.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from symbn.errors import SymbnError
from symbn.expr import COMPARISONS, CONSTANTS, Call, Compare, Expr, Extent, Num, Read
from symbn.language.arithmetic import negate, product, raised, total
from symbn.language.calls import read_call
from symbn.language.indices import Letters
from symbn.language.limits import MAX_DEPTH
from symbn.language.scope import Scope
from symbn.language.source import Source, quoted
from symbn.language.unsupported import unsupported, unsupported_operator

_COMPARE: dict[type[ast.cmpop], str] = dict(zip((ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq), COMPARISONS, strict=True))


def check_depth(source: Source, root: ast.AST) -> None:
    """Refuses an expression whose levels would exhaust a recursive reader; `a + b + c + ...` is one level."""
    stack: list[tuple[ast.AST, int]] = [(root, 0)]
    while stack:
        node, depth = stack.pop()
        if depth > MAX_DEPTH:
            hint = "give a part of it a name of its own"
            raise source.error(f"this expression is nested too deeply: at most {MAX_DEPTH} levels", node, hint=hint)
        for child in ast.iter_child_nodes(node):
            stack.append((child, depth + (not _same_chain(node, child))))


def _same_chain(node: ast.AST, child: ast.AST) -> bool:
    if not (isinstance(node, ast.BinOp) and isinstance(child, ast.BinOp) and child is node.left):
        return False
    return any(isinstance(node.op, kind) and isinstance(child.op, kind) for kind in (_ADDITIVE, _MULTIPLICATIVE))


_ADDITIVE, _MULTIPLICATIVE = (ast.Add, ast.Sub), (ast.Mult, ast.Div)


class Reader:
    """Reads the expressions of one definition or equation."""

    def __init__(self, scope: Scope, letters: Letters) -> None:
        self.scope, self.letters, self.source = scope, letters, scope.source

    def read(self, node: ast.expr) -> Expr:
        """The expression of a node."""
        reader = _READERS.get(type(node))
        if reader is None:
            raise unsupported(self.source, node)
        return reader(self, node)

    def condition(self, node: ast.expr) -> Compare:
        """A single comparison."""
        if not isinstance(node, ast.Compare):
            if isinstance(node, ast.BoolOp | ast.UnaryOp) and not isinstance(getattr(node, "op", None), ast.USub | ast.UAdd):
                raise self._operator(node)
            raise self.source.error("a comparison belongs here", node, hint="such as x[i] > 0")
        if len(node.ops) > 1:
            raise self.source.error("comparisons are not chained", node, hint="nest where(...), or write two asserts: a < b, b < c")
        operator = _COMPARE.get(type(node.ops[0]))
        if operator is None:
            raise self.source.error("'in' and 'is' are not comparisons here", node, hint=f"write one of {' '.join(COMPARISONS)}")
        return Compare(operator, self.read(node.left), self.read(node.comparators[0]))

    def _operator(self, node: ast.expr) -> SymbnError:
        if isinstance(node, ast.UnaryOp):
            return unsupported_operator(self.source, node.op, node)
        return unsupported(self.source, node)

    def number(self, node: ast.Constant) -> Expr:
        """A number, exact, from the text as written: `0.1` is 1/10."""
        if isinstance(node.value, bool) or not isinstance(node.value, int | float):
            raise unsupported(self.source, node)
        return Num(Fraction(self.source.segment(node).replace("_", "")))

    def name(self, node: ast.Name) -> Expr:
        """A scalar, or the extent of an axis."""
        axes = self.scope.arrays.get(node.id)
        if axes:
            raise self.source.error(f"'{node.id}' is an array over {' '.join(axes)}", node, hint=_element(node.id, axes))
        if axes is not None:
            return Read(node.id)
        if node.id in self.scope.axes:
            return Extent(node.id)
        if node.id in CONSTANTS:
            return Call(node.id, ())
        if node.id in self.letters.declared or node.id in self.letters.bound or node.id in self.letters.free:
            raise self.source.error(f"index '{node.id}' is not a value", node, hint="an index only selects an element: x[i]")
        raise self.scope.unknown_name(node.id, node)

    def element(self, node: ast.Subscript) -> Expr:
        """`x[i, c]`."""
        if not isinstance(node.value, ast.Name):
            raise self._bad_array(node.value)
        name, axes = node.value.id, self.scope.arrays.get(node.value.id)
        if axes is None:
            raise self.scope.unknown_name(name, node.value)
        indices = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        if not axes:
            raise self.source.error(f"'{name}' is a scalar and has no index", node, hint=f"write {name}")
        if len(indices) != len(axes):
            have, given = _count(len(axes), "axis", "axes"), _count(len(indices), "index", "indices")
            raise self.source.error(f"'{name}' has {have}, {quoted(axes)}, but {given} here", node, hint=_element(name, axes))
        return Read(name, tuple(self.letters.use(self._letter(i), axis, i, name) for i, axis in zip(indices, axes, strict=True)))

    def _letter(self, node: ast.expr) -> str:
        return index_letter(self.source, node)

    def _bad_array(self, node: ast.expr) -> SymbnError:
        if isinstance(node, ast.Subscript):
            return self.source.error("indices stand in one pair of brackets", node, hint="write x[i, j]")
        if isinstance(node, ast.Attribute):
            return unsupported(self.source, node)
        return self.source.error("only a name has an index", node, hint="define it first: t[i] = ..., then write t[i]")

    def binary(self, node: ast.BinOp) -> Expr:
        """`+ - * / **`; a chain of one kind is read without recursion."""
        if isinstance(node.op, _ADDITIVE):
            return self._exact(node, total, [negate(e) if isinstance(op, ast.Sub) else e for op, e in self._chain(node, _ADDITIVE)])
        if isinstance(node.op, _MULTIPLICATIVE):
            factors = [("/" if isinstance(op, ast.Div) else "*", e) for op, e in self._chain(node, _MULTIPLICATIVE)]
            return self._exact(node, product, factors)
        if isinstance(node.op, ast.Pow):
            base, exponent = self.read(node.left), self.read(node.right)
            return self._exact(node.right, raised, base, exponent)
        raise unsupported_operator(self.source, node.op, node)

    def _chain(self, node: ast.expr, kinds: tuple[type[ast.operator], ...]) -> list[tuple[ast.operator | None, Expr]]:
        parts: list[tuple[ast.operator | None, ast.expr]] = []
        while isinstance(node, ast.BinOp) and isinstance(node.op, kinds):
            parts.append((node.op, node.right))
            node = node.left
        read = []
        for operator, part in [(None, node), *reversed(parts)]:
            expr = self.read(part)
            if isinstance(operator, ast.Div) and expr == Num(Fraction(0)):
                raise self.source.error("division by zero", part)
            read.append((operator, expr))
        return read

    def _exact(self, node: ast.expr, build: Callable[..., Expr], *parts: object) -> Expr:
        try:
            return build(*parts)
        except ArithmeticError as error:
            raise self.source.error(str(error), node) from None

    def unary(self, node: ast.UnaryOp) -> Expr:
        """`-e`, `+e`."""
        if isinstance(node.op, ast.USub):
            return negate(self.read(node.operand))
        if isinstance(node.op, ast.UAdd):
            return self.read(node.operand)
        raise unsupported_operator(self.source, node.op, node)

    def call(self, node: ast.Call) -> Expr:
        """A function, a reduction, a delta."""
        return read_call(self, node)


def index_letter(source: Source, node: ast.expr) -> str:
    """The letter that stands as an index."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Slice):
        raise unsupported(source, node)
    if isinstance(node, ast.Constant):
        raise source.error("an index is a letter, not a number", node, hint="write x[i]; every element has the same formula")
    raise source.error("an index is a single letter", node, hint="write x[i]; shifted and computed indices are not supported")


def _element(name: str, axes: tuple[str, ...]) -> str:
    return f"write {name}[{', '.join('ijklmnpq'[: len(axes)])}]"


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


_READERS: dict[type[ast.expr], Callable[[Reader, Any], Expr]] = {
    ast.Constant: Reader.number,
    ast.Name: Reader.name,
    ast.Subscript: Reader.element,
    ast.BinOp: Reader.binary,
    ast.UnaryOp: Reader.unary,
    ast.Call: Reader.call,
}
