"""Which names stand for one array in memory.

In: assignments as they happen.  Out: the names whose value an operation in place changes.

After `b = a`, `b -= c` changes a too; after `b = a.T` as well, which has no name of its own here and is an error. JAX's arrays never
change, so there it only gives `b` another value.
"""

from __future__ import annotations

import ast

from symbn.language.numpy_arrays import Misfit, Value
from symbn.language.numpy_names import Names

# What may give an array that shares its memory with the one it is called on.
_VIEWS = frozenset(
    """T mT data real reshape view ravel transpose permute squeeze unsqueeze expand_dims swapaxes moveaxis t diagonal broadcast_to expand
    detach asarray float double half to type contiguous cpu cuda""".split()  # noqa: SIM905
)


Share = tuple[str | None, bool]
NEW: Share = (None, False)


class Memory:
    """`owner` maps a local to what stands for its array; a name of the layer owns its own. `views` maps a view to the owner it shows."""

    def __init__(self, names: Names, *, mutable: bool) -> None:
        self.names, self.mutable = names, mutable
        self.owner: dict[str, str] = {}
        self.views: dict[str, str] = {}
        self.count = 0

    def share(self, source: ast.expr | None) -> Share:
        """The owner of the array that an expression gives, and whether it shows that in another way; a new array has none."""
        base, is_view = _base(source) if source is not None else (None, False)
        if base is None or not self.names.has(base):
            return NEW
        return (self.views[base], True) if base in self.views else (self._owner(base), is_view)

    def bind(self, name: str, value: Value, share: Share) -> list[str]:
        """`name = ...`."""
        shared, is_view = share
        if is_view and shared is not None and not self._others(shared, name):
            shared = None  # after `x = x.reshape(-1, 1)` nothing else shows that array
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
            return self.bind(name, value, NEW)
        owner = self._owner(name)
        others = [view for view, base in self.views.items() if base == owner and view != name]
        if name in self.views or others:
            view, base = (name, self.views[name]) if name in self.views else (others[0], name)
            known = "another array" if base.startswith("#") else f"'{base}'"
            raise Misfit(f"this changes an array in place, and '{view}' is a view of {known}", f"write {name} = {name} ... instead")
        group = [name, *self._named(owner, name)]
        for member in group:
            self.names.locals[member] = value
            self.owner[member] = owner
        return group

    def forget(self, name: str) -> None:
        """The name is the layer's again."""
        self.names.locals.pop(name, None)
        self.owner.pop(name, None)
        self.views.pop(name, None)

    def _named(self, owner: str, name: str) -> list[str]:
        """The other names that stand for the array."""
        candidates = dict.fromkeys((*([] if owner.startswith("#") else [owner]), *self.owner))
        return [other for other in candidates if other != name and self._owner(other) == owner]

    def _others(self, owner: str, name: str) -> list[str]:
        """The other names that stand for the array or show it."""
        return [*self._named(owner, name), *(view for view, base in self.views.items() if base == owner and view != name)]

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
