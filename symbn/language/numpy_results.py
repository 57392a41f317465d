"""What NumPy code claims in the end.

In: statements that were read.  Out: the equations.

Every `==` is claimed, and what is returned; without a return, every assigned name that is one of a derivative. Where that is nothing, it is
the last statement.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from symbn.language.equations import Equation
from symbn.language.numpy_arrays import Array, Items
from symbn.language.numpy_statements import Statements


class Results:
    """The claims of statements that were read."""

    def __init__(self, statements: Statements) -> None:
        self.read, self.claims = statements, statements.claims
        self.reader, self.names = self.claims.reader, self.claims.reader.names

    def equations(self) -> tuple[Equation, ...]:
        """What is claimed."""
        read, found = self.read, list(self.read.equations)
        if read.returned is not None:
            found += self._returned(read.returned)
        else:
            found += [self._local(name, node) for name, node in read.assigned.items() if self.claims.derivative(name)]
        if not found and read.last is not None:
            found = [self._last(read.last)]
        if not found:
            hint = f"write {self.claims.first} = ..., or a == b"
            raise self.reader.error("this claims nothing", read.returned or read.last, hint=hint)
        return tuple(found)

    def _returned(self, node: ast.Return) -> Iterator[Equation]:
        results = list(_results(node.value))
        for name, value in results:
            if isinstance(value, ast.Constant) and value.value is None:
                continue
            if name is None and isinstance(value, ast.Name):
                name = value.id
            if name is None:
                if len(results) > 1:
                    hint = f"give it a name: {self.claims.first} = ..., and return that"
                    raise self.reader.error("which result is this?", value, hint=hint)
                yield self.claims.unnamed(self.reader.number(value), value, self.claims.text(value))
            elif isinstance(value, ast.Name) and not self._is_cache(value):
                yield self._result(name, value)
            elif not isinstance(value, ast.Name):
                yield self.claims.named(self._checked(name, value), self.reader.number(value), value, f"{name} = {self.claims.text(value)}")

    def _is_cache(self, value: ast.Name) -> bool:
        """Whether it is a tuple of what a forward pass saves."""
        local = self.names.locals.get(value.id)
        return isinstance(local, Items) and local.what == "a tuple"

    def _result(self, name: str, value: ast.Name) -> Equation:
        if value.id not in self.read.assigned:
            raise self.reader.error(f"'{value.id}' is returned and never assigned", value, hint=f"write {value.id} = ... above")
        self._checked(name, value)
        statement = self.read.assigned[value.id]
        return self.claims.named(name, self.reader.number(value), value, self.claims.text(statement))

    def _checked(self, name: str, value: ast.expr) -> str:
        if not self.claims.known(name):
            raise self.claims.unknown(name, self.names.locals.get(value.id) if isinstance(value, ast.Name) else None, value)
        return name

    def _local(self, name: str, statement: ast.stmt) -> Equation:
        value = self.names.locals[name]
        if isinstance(value, Items):
            raise self.reader.error(f"'{name}' is {value.what} here", statement, hint="take its values: [0] or .values")
        copy = self.names.value(name, statement)
        assert isinstance(copy, Array)
        return self.claims.named(name, copy, statement, self.claims.text(statement))

    def _last(self, node: ast.stmt) -> Equation:
        if isinstance(node, ast.Expr):
            return self.claims.unnamed(self.reader.number(node.value), node.value, self.claims.text(node))
        name = list(self.read.assigned)[-1] if self.read.assigned else self.claims.first
        if not self.claims.known(name):
            raise self.claims.unknown(name, self.names.locals.get(name), node)
        return self._local(name, node)


def _results(node: ast.expr | None) -> Iterator[tuple[str | None, ast.expr]]:
    """The values returned, with the names they are returned under."""
    if isinstance(node, ast.Tuple | ast.List):
        yield from ((None, part) for part in node.elts)
    elif isinstance(node, ast.Dict):
        keys = (key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else None for key in node.keys)
        yield from zip(keys, node.values, strict=True)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and (node.func.id == "dict" or node.func.id[:1].isupper()):
        yield from ((None, part) for part in node.args)
        yield from ((keyword.arg, keyword.value) for keyword in node.keywords)
    elif node is not None:
        yield None, node
