"""What the names in NumPy code mean.

In: a layer's arrays and axes, what the user calls them, and the locals so far.  Out: values, or errors that suggest a name.

A local comes first, then the user's `lets`, then the layer's names, then its axes, whose values are their extents.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from symbn.errors import SymbnError
from symbn.expr import Extent
from symbn.language.numpy_arrays import Supply, Value, scalar
from symbn.language.source import Source, quoted, suggestion

# What people import, and the library that it is of; `import numpy as xp` adds to it.
MODULES: Mapping[str, str] = {
    "np": "numpy", "numpy": "numpy", "jnp": "jax", "jax": "jax", "lax": "jax", "torch": "torch", "F": "torch", "nn": "torch",
    "tf": "tensorflow", "scipy": "scipy", "special": "scipy", "math": "math", "cp": "cupy", "cupy": "cupy",
}  # fmt: skip


def imported(nodes: Iterable[ast.AST]) -> dict[str, str]:
    """What imports among the nodes add to MODULES."""
    found = {}
    for node in nodes:
        if isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                library = (node.module or "") if isinstance(node, ast.ImportFrom) else alias.name
                found[(alias.asname or alias.name).partition(".")[0]] = library.partition(".")[0]
    return found


@dataclass
class Names:
    """`arrays` are the layer's names and those of derivatives, with their axes; `lets` the user's names for values."""

    source: Source
    arrays: Mapping[str, tuple[str, ...]]
    axes: tuple[str, ...]
    supply: Supply = field(default_factory=Supply)
    lets: dict[str, Value] = field(default_factory=dict)
    locals: dict[str, Value] = field(default_factory=dict)
    modules: dict[str, str] = field(default_factory=lambda: dict(MODULES))

    def has(self, name: str) -> bool:
        """Whether the name has a value."""
        return name in self.locals or name in self.lets or name in self.arrays or name in self.axes

    def is_module(self, name: str) -> bool:
        """Whether a name before a dot is a library."""
        return name in self.modules and name not in self.locals and name not in self.lets and name not in self.arrays

    def value(self, name: str, where: ast.AST) -> Value:
        """The name's value, over indices of its own."""
        for values in (self.locals, self.lets):
            if name in values:
                return self.supply.instance(values[name])
        if name in self.arrays:
            return self.supply.read(name, self.arrays[name])
        if name in self.axes:
            return scalar(Extent(name))
        raise self.unknown(name, where)

    def unknown(self, name: str, where: ast.AST) -> SymbnError:
        """The error for a name without a value."""
        close = suggestion(name, [*self.locals, *self.lets, *self.arrays, *self.axes])
        known = close or f"known names: {quoted([*self.locals, *self.lets, *self.arrays, *self.axes])}"
        if name[:1].isupper() and not close:
            known = f"known axes: {quoted(list(self.axes))}" if self.axes else "this layer has no axes"
        return self.source.error(f"unknown name '{name}'", where, hint=f"{known}; --let {name}=OURS says what it stands for")
