"""Definitions and assumptions, one statement at a time.

In: assignments and asserts, in order.  Out: Definition and Compare records; each definition adds its name to the Scope.
"""

from __future__ import annotations

import ast

from symbn.errors import Place
from symbn.expr import Compare, Expr, Index, free_indices
from symbn.language.expressions import Reader, index_letter
from symbn.language.indices import Letters
from symbn.language.names import check_name
from symbn.language.scope import Scope
from symbn.layer import Definition


class Statements:
    """The statements of one layer as they are read."""

    def __init__(self, scope: Scope) -> None:
        self.scope, self.source = scope, scope.source
        self.assumptions: list[Compare] = []
        self.definitions: list[Definition] = []
        self.places: dict[str, ast.AST | Place] = {}
        self.spans: dict[str, tuple[int, int]] = {}
        self.letters: dict[str, ast.AST | Place] = {}

    def assumption(self, node: ast.Assert) -> None:
        """`assert eps > 0`; free indices are meant for all their values."""
        if node.msg is not None:
            raise self.source.error("an assert has no message", node.msg, hint="write a comment instead")
        letters = Letters(self.scope)
        read = letters.finish(Reader(self.scope, letters).condition(node.test))
        assert isinstance(read, Compare)
        self.letters |= {name: where for name, where in letters.seen.items() if name not in self.letters}
        self.assumptions.append(read)

    def definition(self, node: ast.Assign) -> None:
        """`name = e` or `name[i, c] = e`."""
        if len(node.targets) > 1:
            raise self.source.error("one name stands left of '='", node.targets[1], hint="write each definition on a line of its own")
        name, indices = left_side(self.scope, node.targets[0])
        self._check_new(name, node.targets[0])
        definition = read_definition(self.scope, name, indices, node.value, line=node.lineno, seen=self.letters)
        self.definitions.append(definition)
        self.scope.arrays[name] = definition.axes
        self.places[name] = node.targets[0]
        self.spans[name] = (node.lineno, node.end_lineno or node.lineno)

    def _check_new(self, name: str, where: ast.AST) -> None:
        check_name(self.source, name, "name", where)
        if name in self.spans:
            hint = "give the new value a name of its own"
            raise self.source.error(f"'{name}' is already defined on line {self.spans[name][0]}", where, hint=hint)
        if name in self.scope.arrays:
            raise self.source.error(f"'{name}' is a parameter and cannot be defined again", where, hint="choose another name")
        if name in self.scope.axes:
            raise self.source.error(f"'{name}' is an axis and cannot be defined", where, hint="choose another name")
        if name in self.letters:
            raise self.source.error(f"'{name}' is used as an index above", where, hint="choose another name")


def left_side(scope: Scope, target: ast.expr) -> tuple[str, list[ast.expr]]:
    """The name and the index nodes left of `=`."""
    if isinstance(target, ast.Name):
        return target.id, []
    if isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name):
        return target.value.id, list(target.slice.elts) if isinstance(target.slice, ast.Tuple) else [target.slice]
    if isinstance(target, ast.Tuple | ast.List):
        raise scope.source.error("one name stands left of '='", target, hint="write each definition on a line of its own")
    raise scope.source.error("a name or name[i] stands left of '='", target, hint="write y[i] = ...")


def read_definition(
    scope: Scope,
    name: str,
    indices: list[ast.expr],
    value: ast.expr,
    *,
    line: int,
    seen: dict[str, ast.AST | Place],
    given: tuple[str, ...] | None = None,
) -> Definition:
    """The definition; `given` are the axes of the left side where they are known beforehand."""
    source = scope.source
    letters = Letters(scope, tuple(index_letter(source, node) for node in indices))
    for letter, node in zip(letters.declared, indices, strict=True):
        letters.check(letter, node)
        if letters.declared.count(letter) > 1:
            hint = f"use another letter, such as '{letters.another()}'"
            raise source.error(f"index '{letter}' stands twice on the left", node, hint=hint)
    for letter, node, axis in zip(letters.declared, indices, given or (), strict=False):
        letters.use(letter, axis, node, name)
    _recursion(scope, name, value)
    expr = letters.finish(Reader(scope, letters).read(value))
    seen |= {letter: where for letter, where in letters.seen.items() if letter not in seen}
    return Definition(name, _left_indices(letters, name, indices, expr, value, known=given is not None), expr, line)


def _recursion(scope: Scope, name: str, value: ast.expr) -> None:
    if name in scope.arrays:
        return
    for node in ast.walk(value):
        if isinstance(node, ast.Name) and node.id == name:
            raise scope.source.error(f"'{name}' is defined by itself", node, hint="a definition uses only names above it")


def _left_indices(letters: Letters, name: str, nodes: list[ast.expr], expr: Expr, value: ast.expr, *, known: bool) -> tuple[Index, ...]:
    source, declared = letters.scope.source, letters.declared
    free = {index.name: index for index in free_indices(expr)}
    if known:
        free = {letter: Index(letter, use.axis) for letter, use in letters.free.items()} | free
    for letter, node in zip(declared, nodes, strict=True):
        if letter not in free:
            raise letters.no_axis(letter, node)
    for letter in free:
        if letter not in declared:
            left = f"{name}[{', '.join((*declared, letter))}]"
            hint = f"write {left} = ..., or reduce over it: sum(... for {letter} in {free[letter].axis})"
            raise source.error(f"index '{letter}' is not on the left side", letters.seen.get(letter, value), hint=hint)
    return tuple(free[letter] for letter in declared)
