"""NumPy expressions as formulas.

In: `ast` expressions and what their names mean.  Out: arrays over symbolic axes, or an error with a place. Nothing is run.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from symbn.errors import SymbnError
from symbn.expr import COMPARISONS, ONE, ZERO, Call, Compare, Expr, Index, Num
from symbn.language.arithmetic import negate, product, raised, total
from symbn.language.numpy_arrays import Array, Clash, Items, Misfit, Value, align, as_mask, inverted, made, numeric, scalar
from symbn.language.numpy_calls import read_call
from symbn.language.numpy_indexing import attribute, subscript
from symbn.language.numpy_linear import matmul
from symbn.language.numpy_messages import clash_error, refused
from symbn.language.numpy_names import Names

_COMPARE: dict[type[ast.cmpop], str] = dict(zip((ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq), COMPARISONS, strict=True))
_ADDITIVE, _MULTIPLICATIVE = (ast.Add, ast.Sub), (ast.Mult, ast.Div)
_OPERATIONS: dict[type[ast.operator], Callable[[Expr, Expr], Expr]] = {
    ast.Add: lambda left, right: total([left, right]),
    ast.Sub: lambda left, right: total([left, negate(right)]),
    ast.Mult: lambda left, right: product([("*", left), ("*", right)]),
    ast.Div: lambda left, right: product([("*", left), ("/", right)]),
    ast.Pow: raised,
}


class NumpyReader:
    """Reads the expressions of one text; `torch` says whose defaults count where the libraries differ."""

    def __init__(self, names: Names, *, torch: bool = False) -> None:
        self.names, self.source, self.supply, self.torch = names, names.source, names.supply, torch

    def value(self, node: ast.expr) -> Value:
        """The value of a node; what does not fit becomes an error at the innermost node that it concerns."""
        reader = _READERS.get(type(node))
        if reader is None:
            raise refused(self.source, node)
        try:
            return reader(self, node)
        except Misfit as misfit:
            raise self.source.error(misfit.message, node, hint=misfit.hint) from None
        except ArithmeticError as error:
            raise self.source.error(str(error), node) from None

    def array(self, node: ast.expr) -> Array:
        """The value of a node that is an array, maybe a mask."""
        value = self.value(node)
        if isinstance(value, Items):
            hint = "take its values: [0] or .values" if value.what != "a tuple" else "take one of its elements, such as x.shape[0]"
            raise self.source.error(f"{value.what} stands where an array belongs", node, hint=hint)
        return value

    def number(self, node: ast.expr) -> Array:
        """The value of a node as numbers."""
        return numeric(self.array(node))

    def joined(self, nodes: Sequence[ast.expr], arrays: Sequence[Array]) -> tuple[tuple[Index | None, ...], tuple[Expr, ...]]:
        """The arrays broadcast together; `nodes` are what messages show."""
        try:
            return align(*arrays)
        except Clash as clash:
            raise clash_error(self.source, clash, nodes, arrays) from None

    def combined(self, operator: ast.operator, nodes: tuple[ast.expr, ast.expr], left: Array, right: Array) -> Array:
        """An arithmetic operator on two arrays."""
        if isinstance(operator, ast.MatMult):
            return matmul(left, right)
        build = _OPERATIONS.get(type(operator))
        if build is None:
            raise refused(self.source, nodes[1], operator)
        dims, exprs = self.joined(nodes, (left, right))
        return made(dims, build(*exprs), left, right)

    def binary(self, node: ast.BinOp) -> Array:
        """`+ - * / ** @`, and `& |` on masks; a chain of one kind is read without recursion."""
        if isinstance(node.op, ast.BitAnd | ast.BitOr):
            return self._both(node)
        chain, inner = [node], node.left
        while isinstance(inner, ast.BinOp) and _same_kind(node.op, inner.op):
            chain.append(inner)
            inner = inner.left
        result = self.number(inner)
        for step in reversed(chain):
            result = self._step(step, result)
        return result

    def _step(self, node: ast.BinOp, left: Array) -> Array:
        right = self.number(node.right)
        try:
            return self.combined(node.op, (node.left, node.right), left, right)
        except ArithmeticError as error:
            raise self.source.error(str(error), node.right) from None

    def _both(self, node: ast.BinOp) -> Array:
        masks = as_mask(self.array(node.left)), as_mask(self.array(node.right))
        dims, (left, right) = self.joined((node.left, node.right), masks)
        other = Call("where", (right, ONE, ZERO))
        either = (left, other, ZERO) if isinstance(node.op, ast.BitAnd) else (left, ONE, other)
        return made(dims, Compare("!=", Call("where", either), ZERO), *masks)

    def unary(self, node: ast.UnaryOp) -> Array:
        """`-a`, `+a`, `~mask`."""
        if isinstance(node.op, ast.Invert):
            return inverted(self.array(node.operand))
        if isinstance(node.op, ast.Not):
            raise self.source.error("'not' takes no arrays", node, hint="write ~mask")
        array = self.number(node.operand)
        return made(array.dims, negate(array.expr), array) if isinstance(node.op, ast.USub) else array

    def compare(self, node: ast.Compare) -> Array:
        """A mask."""
        if len(node.ops) > 1:
            raise self.source.error("comparisons are not chained", node, hint="write (a < b) & (b < c)")
        operator = _COMPARE.get(type(node.ops[0]))
        if operator is None:
            raise refused(self.source, node)
        sides = self.number(node.left), self.number(node.comparators[0])
        dims, (left, right) = self.joined((node.left, node.comparators[0]), sides)
        return made(dims, Compare(operator, left, right), *sides)

    def constant(self, node: ast.Constant) -> Array:
        """A number, exact, from the text as written: `1e-5` is 1/100000."""
        if isinstance(node.value, bool) or not isinstance(node.value, int | float):
            raise refused(self.source, node)
        return scalar(Num(Fraction(self.source.segment(node).replace("_", ""))))

    def name(self, node: ast.Name) -> Value:
        """A local, a name of the layer, an axis."""
        return self.names.value(node.id, node)

    def items(self, node: ast.Tuple | ast.List) -> Items:
        """A tuple, such as a shape."""
        found: list[Value] = []
        for part in node.elts:
            if isinstance(part, ast.Starred):
                found += self.sequence(part.value).values
            else:
                found.append(self.value(part))
        return Items(tuple(found))

    def sequence(self, node: ast.expr) -> Items:
        """The value of a node that is a tuple."""
        value = self.value(node)
        if isinstance(value, Array):
            raise self.source.error("a tuple belongs here", node, hint="such as x.shape")
        return value

    def call(self, node: ast.Call) -> Value:
        """A function or a method."""
        return read_call(self, node)

    def attribute(self, node: ast.Attribute) -> Value:
        """`x.T`, `x.shape`, `np.pi`, `saved.xhat`."""
        return attribute(self, node)

    def subscript(self, node: ast.Subscript) -> Value:
        """`x[:, None]`, `x.shape[0]`, `cache["xhat"]`."""
        return subscript(self, node)

    def error(self, message: str, where: ast.AST | None, *, hint: str | None = None) -> SymbnError:
        """An error with a place."""
        return self.source.error(message, where, hint=hint)


def _same_kind(one: ast.operator, other: ast.operator) -> bool:
    return any(isinstance(one, kind) and isinstance(other, kind) for kind in (_ADDITIVE, _MULTIPLICATIVE))


_READERS: dict[type[ast.expr], Callable[[NumpyReader, Any], Value]] = {
    ast.Constant: NumpyReader.constant,
    ast.Name: NumpyReader.name,
    ast.BinOp: NumpyReader.binary,
    ast.UnaryOp: NumpyReader.unary,
    ast.Compare: NumpyReader.compare,
    ast.Call: NumpyReader.call,
    ast.Attribute: NumpyReader.attribute,
    ast.Subscript: NumpyReader.subscript,
    ast.Tuple: NumpyReader.items,
    ast.List: NumpyReader.items,
}
