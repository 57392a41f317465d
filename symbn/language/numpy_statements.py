"""NumPy code, statement by statement.

In: the statements of a text or of a function's body.  Out: the equations that it claims.

Assignments are read in order, and a local may shadow a name of the layer. What is returned is claimed; without a return, every `==`, and
every assigned name that is one of a derivative; else the last statement.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Any

from symbn.language.equations import Equation
from symbn.language.numpy_arrays import Array, Items, Misfit, Value, align
from symbn.language.numpy_claims import Claims, fitted
from symbn.language.numpy_memory import Memory
from symbn.language.numpy_messages import refused

_EQUAL = frozenset(("allclose", "assert_allclose", "array_equal", "assert_array_equal", "assert_close", "assert_almost_equal"))


class Statements:
    """The statements read so far; `assigned` maps each local to the statement that assigned it last."""

    def __init__(self, claims: Claims, *, mutable: bool) -> None:
        self.claims, self.reader, self.names = claims, claims.reader, claims.reader.names
        self.memory = Memory(claims.reader.names, mutable=mutable)
        self.assigned: dict[str, ast.stmt] = {}
        self.whole: set[str] = set()
        self.equations: list[Equation] = []
        self.returned: ast.Return | None = None
        self.last: ast.stmt | None = None

    def run(self, body: list[ast.stmt]) -> None:
        """Reads the statements in order."""
        for statement in body:
            if self.returned is not None:
                raise self.reader.error("this stands after the return", statement, hint="remove it")
            read = _STATEMENTS.get(type(statement))
            if read is None:
                raise refused(self.reader.source, statement)
            try:
                read(self, statement)
            except Misfit as misfit:
                raise self.reader.error(misfit.message, statement, hint=misfit.hint) from None

    def results(self) -> tuple[Equation, ...]:
        """What is claimed."""
        if self.returned is not None:
            found = list(self._returned(self.returned))
        else:
            found = [*self.equations, *(self._local(n, node) for n, node in self.assigned.items() if self.claims.derivative(n))]
        if not found and self.last is not None:
            found = [self._last(self.last)]
        if not found:
            raise self.reader.error("this claims nothing", self.returned or self.last, hint=f"write {self.claims.first} = ..., or a == b")
        return tuple(found)

    def expression(self, node: ast.Expr) -> None:
        """`a == b`, `np.allclose(a, b)`, a docstring, or an expression that may be the claim."""
        sides = _sides(node.value)
        if sides:
            self.equations.append(self.claims.equal(*sides, self._text(node)))
        elif not isinstance(node.value, ast.Constant):
            self.last = node

    def check(self, node: ast.Assert) -> None:
        """An assert states an equation, or speaks of shapes and is passed over."""
        sides = _sides(node.test)
        if any(isinstance(n, ast.Attribute) and n.attr in ("shape", "ndim", "dtype", "size") for n in ast.walk(node.test)):
            return
        if not sides:
            raise refused(self.reader.source, node)
        self.equations.append(self.claims.equal(*sides, self._text(node)))

    def assign(self, node: ast.Assign) -> None:
        """`a = ...`, `a = b = ...`, `N, D = x.shape`, `x, xhat = cache`, `dx[:] = ...`."""
        for target in node.targets:
            self._assign(target, node.value, node)

    def annotated(self, node: ast.AnnAssign) -> None:
        """`a: np.ndarray = ...`."""
        if node.value is not None:
            self._assign(node.target, node.value, node)

    def augmented(self, node: ast.AugAssign) -> None:
        """`a -= b` changes the array that `a` is, under all its names."""
        target = node.target
        if isinstance(target, ast.Subscript) and _is_whole(target.slice):
            target = target.value  # type: ignore[assignment]
        if not isinstance(target, ast.Name):
            raise self.reader.error("a name stands left of this", node.target, hint="write the whole array: dx -= ...")
        if target.id not in self.whole and self.claims.derivative(target.id):
            raise self.reader.error(f"'{target.id}' is changed before it is assigned", target, hint=f"write {target.id} = ... first")
        left, right = self.reader.number(ast.copy_location(ast.Name(target.id, ast.Load()), target)), self.reader.number(node.value)
        result = self.reader.combined(node.op, (target, node.value), left, right)
        if [i and i.axis for i in result.dims] != [i and i.axis for i in left.dims]:
            message = f"'{target.id}' has shape {left.shape} and cannot become {result.shape} in place"
            raise self.reader.error(message, node.value, hint=f"write {target.id} = {target.id} ... instead")
        changed = self.memory.change(target.id, result) if left.rank else self.memory.bind(target.id, result, None)
        for name in changed:
            self.assigned.pop(name, None)
            self.assigned[name] = node
        self.last = node

    def function_return(self, node: ast.Return) -> None:
        """The end of a function."""
        self.returned = node

    def block(self, node: ast.With) -> None:
        """`with torch.no_grad():` says nothing about values."""
        self.run(node.body)

    def imported(self, node: ast.Import | ast.ImportFrom) -> None:
        """Names of libraries."""
        self.names.modules |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}

    def passed(self, node: ast.stmt) -> None:
        """Nothing."""

    def _assign(self, target: ast.expr, value: ast.expr, statement: ast.stmt) -> None:
        self.last = statement
        if isinstance(target, ast.Tuple | ast.List):
            self._unpack(target, value, statement)
        elif isinstance(target, ast.Name):
            self._bind(target.id, self.reader.value(value), value, statement)
        elif isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and not self.names.has(target.value.id):
            self._bind(target.attr, self.reader.value(value), value, statement)
        elif isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name) and _is_whole(target.slice):
            self._fill(target.value, value, statement)
        elif any(isinstance(n, ast.Name) and n.id in self.names.locals for n in ast.walk(target)):
            raise self.reader.error("a part of an array is not assigned here", target, hint="assign the whole array: dx = ...")
        else:
            self.equations.append(self.claims.equal(target, value, self._text(statement)))

    def _bind(self, name: str, value: Value, source: ast.expr | None, statement: ast.stmt) -> None:
        self.memory.bind(name, value, source)
        self.assigned.pop(name, None)
        self.assigned[name] = statement
        self.whole.add(name)

    def _fill(self, target: ast.Name, value: ast.expr, statement: ast.stmt) -> None:
        """`dx[:] = ...` keeps the shape of dx, and every name that it has."""
        name = self.claims.ours(target.id) if target.id not in self.names.locals else target.id
        present, new = self.names.value(name, target), self.reader.number(value)
        right = fitted(present, new) if isinstance(present, Array) else None
        if right is None or not isinstance(present, Array):
            raise self.reader.error(f"a value of shape {new.shape} does not fit into '{target.id}'", value)
        spread = Array(present.dims, align(present, right)[1][1], right.size)
        for changed in self.memory.change(target.id, spread):
            self.assigned.pop(changed, None)
            self.assigned[changed] = statement
        self.whole.add(target.id)

    def _unpack(self, target: ast.Tuple | ast.List, value: ast.expr, statement: ast.stmt) -> None:
        if self._is_unknown(value):
            return self._saved(target)
        items = self.reader.value(value)
        if not isinstance(items, Items) or len(items.values) != len(target.elts):
            count = len(items.values) if isinstance(items, Items) else "an array"
            raise self.reader.error(f"{len(target.elts)} names for {count}", target, hint="such as N, D = x.shape")
        sources = value.elts if isinstance(value, ast.Tuple) and len(value.elts) == len(target.elts) else [None] * len(target.elts)
        for part, item, source in zip(target.elts, items.values, sources, strict=True):
            if not isinstance(part, ast.Name):
                raise self.reader.error("a name stands left of '='", part)
            self._bind(part.id, item, source, statement)
        return None

    def _is_unknown(self, node: ast.expr) -> bool:
        """Whether this is something that was saved, such as `cache` or `ctx.saved_tensors`."""
        while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
            node = node.func if isinstance(node, ast.Call) else node.value
        return isinstance(node, ast.Name) and not self.names.has(node.id) and not self.names.is_module(node.id)

    def _saved(self, target: ast.Tuple | ast.List) -> None:
        """Saved values have the meanings that their names have in the layer."""
        for part in target.elts:
            if isinstance(part, ast.Name):
                self.memory.forget(part.id)
                self.assigned.pop(part.id, None)

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
                yield self.claims.unnamed(self.reader.number(value), value, self._text(value))
            elif isinstance(value, ast.Name) and not isinstance(self.names.locals.get(value.id), Items):
                yield self._result(name, value)
            elif not isinstance(value, ast.Name):
                yield self.claims.named(self._checked(name, value), self.reader.number(value), value, f"{name} = {self._text(value)}")

    def _result(self, name: str, value: ast.Name) -> Equation:
        if value.id not in self.assigned:
            raise self.reader.error(f"'{value.id}' is returned and never assigned", value, hint=f"write {value.id} = ... above")
        self._checked(name, value)
        statement = self.assigned[value.id]
        return self.claims.named(name, self.reader.number(value), value, self._text(statement))

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
        return self.claims.named(name, copy, statement, self._text(statement))

    def _last(self, node: ast.stmt) -> Equation:
        if isinstance(node, ast.Expr):
            return self.claims.unnamed(self.reader.number(node.value), node.value, self._text(node))
        name = list(self.assigned)[-1] if self.assigned else self.claims.first
        if not self.claims.known(name):
            raise self.claims.unknown(name, self.names.locals.get(name), node)
        return self._local(name, node)

    def _text(self, node: ast.AST) -> str:
        text = " ".join((ast.get_source_segment(self.reader.source.text, node) or "").split())
        return f"{ast.unparse(node.target)} after {text}" if isinstance(node, ast.AugAssign) else text


def _sides(node: ast.expr) -> tuple[ast.expr, ast.expr] | None:
    """What is stated to be equal."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], ast.Eq):
        return node.left, node.comparators[0]
    if isinstance(node, ast.Call) and len(node.args) >= 2:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id if isinstance(node.func, ast.Name) else ""
        return (node.args[0], node.args[1]) if name in _EQUAL else None
    return None


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


def _is_whole(key: ast.expr) -> bool:
    """`[:]`, `[...]`, `[:, :]`."""
    parts = key.elts if isinstance(key, ast.Tuple) else [key]
    return all(
        (isinstance(p, ast.Slice) and not (p.lower or p.upper or p.step)) or (isinstance(p, ast.Constant) and p.value is Ellipsis)
        for p in parts
    )


_STATEMENTS: dict[type[ast.stmt], Callable[[Statements, Any], None]] = {
    ast.Expr: Statements.expression,
    ast.Assert: Statements.check,
    ast.Assign: Statements.assign,
    ast.AnnAssign: Statements.annotated,
    ast.AugAssign: Statements.augmented,
    ast.Return: Statements.function_return,
    ast.With: Statements.block,
    ast.Import: Statements.imported,
    ast.ImportFrom: Statements.imported,
    ast.Pass: Statements.passed,
}
