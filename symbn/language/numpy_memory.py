"""Which names stand for one array in memory.

In: assignments as they happen.  Out: the names whose value an operation in place changes.

After `b = a`, `b -= c` changes a too; after `b = a.T` as well, which has no name of its own here and is an error. JAX's arrays never
change, so there it only gives `b` another value.
"""

from __future__ import annotations

import ast

from symbn.language.numpy_arrays import Misfit, Value
from symbn.language.numpy_names import Names

_VIEWS = frozenset(
    ("T", "mT", "reshape", "view", "ravel", "transpose", "permute", "squeeze", "unsqueeze", "expand_dims", "swapaxes", "detach", "data",
     "broadcast_to", "expand", "asarray", "t", "diagonal", "real")
)  # fmt: skip


class Memory:
    """`owner` maps a local to what stands for its array; a name of the layer owns its own. `views` maps a view to the owner it shows."""

    def __init__(self, names: Names, *, mutable: bool) -> None:
        self.names, self.mutable = names, mutable
        self.owner: dict[str, str] = {}
        self.views: dict[str, str] = {}
        self.count = 0

    def bind(self, name: str, value: Value, source: ast.expr | None) -> list[str]:
        """`name = source`."""
        base, is_view = _base(source) if source is not None else (None, False)
        shared = self._owner(base) if base is not None and self.names.has(base) else None
        self.count += 1
        self.views.pop(name, None)
        if shared is not None and is_view:
            self.views[name] = shared
        self.owner[name] = shared if shared is not None and not is_view else f"#{self.count}"
        self.names.locals[name] = value
        return [name]

    def change(self, name: str, value: Value) -> list[str]:
        """The names that have the value now, after an operation on `name` in place."""
        if not self.mutable:
            return self.bind(name, value, None)
        owner = self._owner(name)
        others = [view for view, base in self.views.items() if base == owner]
        if name in self.views or others:
            view, base = (name, self.views[name]) if name in self.views else (others[0], name)
            known = "another array" if base.startswith("#") else f"'{base}'"
            raise Misfit(f"this changes an array in place, and '{view}' is a view of {known}", f"write {name} = {name} ... instead")
        group = dict.fromkeys([name, *([owner] if self._owner(owner) == owner and not owner.startswith("#") else [])])
        group |= dict.fromkeys(other for other in self.owner if self._owner(other) == owner)
        for member in group:
            self.names.locals[member] = value
            self.owner[member] = owner
        return list(group)

    def forget(self, name: str) -> None:
        """The name is the layer's again."""
        self.names.locals.pop(name, None)
        self.owner.pop(name, None)
        self.views.pop(name, None)

    def _owner(self, name: str) -> str:
        return self.owner.get(name, name)


def _base(node: ast.expr) -> tuple[str | None, bool]:
    """The name that an expression shares its memory with, and whether it shows it in another shape."""
    is_view = False
    while not isinstance(node, ast.Name):
        if isinstance(node, ast.Subscript) or (isinstance(node, ast.Attribute) and node.attr in _VIEWS):
            node = node.value
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _VIEWS:
            inner = node.func.value
            module = isinstance(inner, ast.Name) and inner.id in ("np", "numpy", "torch")
            node = node.args[0] if module and node.args else inner
        else:
            return None, False
        is_view = True
    return node.id, is_view
