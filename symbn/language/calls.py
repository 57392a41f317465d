"""Calls: functions, reductions, `where` and `delta`.

In: a call node and the Reader of its expression.  Out: Call, Reduce or Delta.
"""

from __future__ import annotations

import ast
from typing import Protocol

from symbn.expr import FUNCTIONS, REDUCTIONS, Call, Compare, Delta, Expr, Index, Reduce
from symbn.language.indices import Letters
from symbn.language.scope import Scope
from symbn.language.source import Source, suggestion
from symbn.language.unsupported import unknown_function_hint, unsupported


class ExpressionReader(Protocol):
    """What a call needs of the reader it stands in."""

    scope: Scope
    letters: Letters
    source: Source

    def read(self, node: ast.expr) -> Expr:
        """The expression of a node."""

    def condition(self, node: ast.expr) -> Compare:
        """A single comparison."""


def read_call(reader: ExpressionReader, node: ast.Call) -> Expr:
    """The call's expression."""
    if not isinstance(node.func, ast.Name):
        raise unsupported(reader.source, node)
    name = node.func.id
    if name in REDUCTIONS:
        return _reduction(reader, name, node)
    if name != "delta" and name not in FUNCTIONS:
        raise _unknown_function(reader, name, node.func)
    _plain_arguments(reader, name, node)
    if name == "delta":
        return _delta(reader, node)
    if name == "where":
        return Call("where", (reader.condition(node.args[0]), reader.read(node.args[1]), reader.read(node.args[2])))
    return Call(name, tuple(reader.read(argument) for argument in node.args))


def _plain_arguments(reader: ExpressionReader, name: str, node: ast.Call) -> None:
    if node.keywords:
        raise reader.source.error(f"{name} takes no keyword arguments", node, hint=_usage(name))
    for argument in node.args:
        if isinstance(argument, ast.Starred | ast.GeneratorExp):
            raise unsupported(reader.source, argument)
    wanted = FUNCTIONS.get(name, 2)
    if len(node.args) != wanted:
        arguments = "argument" if wanted == 1 else "arguments"
        raise reader.source.error(f"{name} takes {wanted} {arguments}, {len(node.args)} given", node, hint=_usage(name))


def _usage(name: str) -> str:
    arguments = {"where": "condition, a, b", "delta": "i, j"}.get(name, ", ".join("ab"[: FUNCTIONS.get(name, 2)]))
    return f"write {name}({arguments})"


def _delta(reader: ExpressionReader, node: ast.Call) -> Expr:
    for argument in node.args:
        if not isinstance(argument, ast.Name):
            raise reader.source.error("delta compares two index letters", argument, hint="write delta(i, j)")
    left, right = (reader.letters.delta(a.id, a) for a in node.args if isinstance(a, ast.Name))
    return Delta(left, right)


def _reduction(reader: ExpressionReader, kind: str, node: ast.Call) -> Expr:
    generator = node.args[0] if len(node.args) == 1 and not node.keywords else None
    if not isinstance(generator, ast.GeneratorExp):
        raise reader.source.error(f"{kind} reduces over an axis", node, hint=_reduction_hint(kind, node))
    indices = tuple(_bind(reader, comprehension) for comprehension in generator.generators)
    body = reader.read(generator.elt)
    reader.letters.release(indices)
    return Reduce(kind, body, indices)


def _reduction_hint(kind: str, node: ast.Call) -> str:
    if node.args and isinstance(node.args[0], ast.ListComp):
        return f"drop the brackets: {kind}(x[j] for j in N)"
    pair = {"max": "maximum", "min": "minimum"}.get(kind)
    if pair and len(node.args) == 2:
        return f"write {kind}(x[j] for j in N), or {pair}(a, b) of two values"
    return f"write {kind}(x[j] for j in N)"


def _bind(reader: ExpressionReader, generator: ast.comprehension) -> Index:
    source, target, axis = reader.source, generator.target, generator.iter
    if generator.is_async:
        raise source.error("'async' is not part of the layer language", target, hint="write 'for j in N'")
    if generator.ifs:
        raise source.error("a reduction has no 'if'", generator.ifs[0], hint="write sum(where(condition, a, 0) for j in N)")
    if not isinstance(target, ast.Name):
        raise source.error("one index letter stands after 'for'", target, hint="write 'for j in N for k in K'")
    if not isinstance(axis, ast.Name):
        raise source.error("an axis stands after 'in'", axis, hint="write the axis itself: for j in N")
    if axis.id in reader.scope.arrays:
        raise source.error(f"'{axis.id}' is a value, not an axis", axis, hint=_over(reader, axis.id, target.id))
    if axis.id not in reader.scope.axes:
        raise reader.scope.unknown_axis(axis.id, axis)
    return reader.letters.bind(target.id, axis.id, target)


def _over(reader: ExpressionReader, name: str, letter: str) -> str:
    axes = reader.scope.arrays[name]
    return f"write the axis: for {letter} in {axes[0]}" if axes else "write an axis, such as N"


def _unknown_function(reader: ExpressionReader, name: str, where: ast.AST) -> Exception:
    known = [*FUNCTIONS, *REDUCTIONS, "delta"]
    if name in reader.scope.arrays:
        axes = reader.scope.arrays[name]
        hint = f"write {name}[{', '.join('ijklmnpq'[: len(axes)])}]" if axes else f"to multiply, write {name}*(...)"
        return reader.source.error(f"'{name}' is a value, not a function", where, hint=hint)
    hint = unknown_function_hint(name) or suggestion(name, known) or f"the functions are {', '.join(known)}"
    return reader.source.error(f"unknown function '{name}'", where, hint=hint)
