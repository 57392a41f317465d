"""NumPy code, statement by statement.

In: the statements of a text or of a function's body.  Out: the values of its locals, the equations it states, and what it returns.

Assignments are read in order, and a local may shadow a name of the layer.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from symbn.language.equations import Equation
from symbn.language.numpy_arrays import Array, Items, Misfit, Value, align, axes_of
from symbn.language.numpy_claims import Claims, fitted
from symbn.language.numpy_memory import NEW, Memory, Share
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

    def expression(self, node: ast.Expr) -> None:
        """`a == b`, `np.allclose(a, b)`, a docstring, or an expression that may be the claim."""
        sides = _sides(node.value)
        if sides:
            self.equations.append(self.claims.equal(*sides, self.claims.text(node)))
        elif not isinstance(node.value, ast.Constant):
            self.last = node

    def check(self, node: ast.Assert) -> None:
        """An assert states an equation, or speaks of shapes and is passed over."""
        sides = _sides(node.test)
        if any(isinstance(n, ast.Attribute) and n.attr in ("shape", "ndim", "dtype", "size") for n in ast.walk(node.test)):
            return
        if not sides:
            raise refused(self.reader.source, node)
        self.equations.append(self.claims.equal(*sides, self.claims.text(node)))

    def assign(self, node: ast.Assign) -> None:
        """`a = ...`, `a = b = ...`, `N, D = x.shape`, `x, xhat = cache`, `dx[:] = ...`."""
        value = node.value
        for target in node.targets:
            self._assign(target, value, node)
            if isinstance(target, ast.Name) and not isinstance(value, ast.Name):
                value = ast.copy_location(ast.Name(target.id, ast.Load()), value)  # in `a = b = ...` both are one array

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
            hint = "change the whole array; for labels, a one-hot array: dx -= t"
            raise self.reader.error("a part of an array is not changed here", node.target, hint=hint)
        if target.id not in self.whole and self.claims.derivative(target.id):
            raise self.reader.error(f"'{target.id}' is changed before it is assigned", target, hint=f"write {target.id} = ... first")
        left, right = self.reader.number(ast.copy_location(ast.Name(target.id, ast.Load()), target)), self.reader.number(node.value)
        result = self.reader.combined(node.op, (target, node.value), left, right)
        if left.rank and axes_of(result) != axes_of(left):
            message = f"'{target.id}' has shape {left.shape} and cannot become {result.shape} in place"
            raise self.reader.error(message, node.value, hint=f"write {target.id} = {target.id} ... instead")
        changed = self.memory.change(target.id, result) if left.rank else self.memory.bind(target.id, result, NEW)
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

    def passed(self, node: ast.stmt) -> None:
        """`pass`, and imports, whose names are known beforehand."""

    def _assign(self, target: ast.expr, value: ast.expr, statement: ast.stmt) -> None:
        self.last = statement
        if isinstance(target, ast.Tuple | ast.List):
            self._unpack(target, value, statement)
        elif isinstance(target, ast.Name):
            self._bind(target.id, self.reader.value(value), self.memory.share(value), statement)
        elif isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and not self.names.has(target.value.id):
            self._bind(target.attr, self.reader.value(value), self.memory.share(value), statement)
        elif isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name) and _is_whole(target.slice):
            self._fill(target.value, value, statement)
        elif any(isinstance(n, ast.Name) and n.id in self.names.locals for n in ast.walk(target)):
            raise self.reader.error("a part of an array is not assigned here", target, hint="assign the whole array: dx = ...")
        else:
            self.equations.append(self.claims.equal(target, value, self.claims.text(statement)))

    def _bind(self, name: str, value: Value, share: Share, statement: ast.stmt) -> None:
        self.memory.bind(name, value, share)
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
        shares = [self.memory.share(source) for source in sources]
        for part, item, share in zip(target.elts, items.values, shares, strict=True):
            if not isinstance(part, ast.Name):
                raise self.reader.error("a name stands left of '='", part)
            self._bind(part.id, item, share, statement)
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

def _sides(node: ast.expr) -> tuple[ast.expr, ast.expr] | None:
    """What is stated to be equal."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], ast.Eq):
        return node.left, node.comparators[0]
    if isinstance(node, ast.Call) and len(node.args) >= 2:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id if isinstance(node.func, ast.Name) else ""
        return (node.args[0], node.args[1]) if name in _EQUAL else None
    return None


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
    ast.Import: Statements.passed,
    ast.ImportFrom: Statements.passed,
    ast.Pass: Statements.passed,
}
