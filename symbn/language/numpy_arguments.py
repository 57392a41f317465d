"""The arguments of a call in NumPy's and PyTorch's spellings.

In: a call node and the parameters of what it calls.  Out: each parameter's argument: an array, axes, a shape, a flag.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from symbn.errors import SymbnError
from symbn.expr import Expr, Index
from symbn.language.numpy_arrays import Array, Items, Misfit, Supply, Value, axis_of, axis_place, integer, numeric

_ALIASES = {
    "dim": "axis", "dims": "axis", "keepdim": "keepdims", "correction": "ddof", "size": "shape", "newshape": "shape", "perm": "axes",
    "fill_value": "fill",
    "a": "x", "input": "x", "array": "x", "arr": "x", "x1": "x", "m": "x", "tensor": "x",
    "x2": "y", "other": "y", "b": "y", "exponent": "y", "mat2": "y", "min": "low", "a_min": "low", "max": "high", "a_max": "high",
}  # fmt: skip
# What says how to compute or to store, and not what.
_IGNORED = frozenset(
    ("dtype", "device", "order", "copy", "requires_grad", "casting", "optimize", "memory_format", "subok", "precision", "non_blocking")
)


class CallReader(Protocol):
    """What a call needs of the reader it stands in."""

    supply: Supply
    torch: bool

    def value(self, node: ast.expr) -> Value:
        """The value of a node."""

    def array(self, node: ast.expr) -> Array:
        """The value of a node that is an array, maybe a mask."""

    def number(self, node: ast.expr) -> Array:
        """The value of a node as numbers."""

    def joined(self, nodes: Sequence[ast.expr], arrays: Sequence[Array]) -> tuple[tuple[Index | None, ...], tuple[Expr, ...]]:
        """The arrays broadcast together."""

    def combined(self, operator: ast.operator, nodes: tuple[ast.expr, ast.expr], left: Array, right: Array) -> Array:
        """An arithmetic operator on two arrays."""

    def error(self, message: str, where: ast.AST, *, hint: str | None = None) -> SymbnError:
        """An error with a place."""


@dataclass(frozen=True, slots=True)
class Callee:
    """A function's `name`, the library before it, or "", and for a method what it is called on."""

    name: str
    module: str = ""
    receiver: ast.expr | None = None


@dataclass(frozen=True)
class Arguments:
    """`given` maps each parameter to its node; `callee` is what is called."""

    reader: CallReader
    node: ast.Call
    name: str
    given: Mapping[str, ast.expr]
    callee: Callee
    _read: dict[str, Value] = field(default_factory=dict)

    @property
    def bare(self) -> bool:
        """Whether the function's name stands alone, as Python's own `sum`."""
        return self.callee.receiver is None and not self.callee.module

    @property
    def torch(self) -> bool:
        """Whether PyTorch's defaults count: its library's function, or a method in code that is PyTorch's."""
        return self.callee.module == "torch" if self.callee.module else self.reader.torch

    def has(self, key: str) -> bool:
        """Whether there is an argument, and not None."""
        node = self.given.get(key)
        return node is not None and not (isinstance(node, ast.Constant) and node.value is None)

    def at(self, key: str) -> ast.expr:
        """The argument's node."""
        if not self.has(key):
            raise self.reader.error(f"{self.name} has no argument '{key}' here", self.node, hint=f"it takes {self.name}({key}, ...)")
        return self.given[key]

    def value(self, key: str) -> Value:
        """An argument's value, read once."""
        if key not in self._read:
            self._read[key] = self.reader.value(self.at(key))
        return self._read[key]

    def array(self, key: str = "x") -> Array:
        """An argument as numbers."""
        return numeric(self.mask(key))

    def mask(self, key: str) -> Array:
        """An argument that is an array, maybe a mask."""
        value = self.value(key)
        return value if isinstance(value, Array) else self.reader.array(self.at(key))

    def items(self, key: str) -> tuple[Value, ...]:
        """One value or several, in a tuple or as they are."""
        value = self.value(key)
        while isinstance(value, Items) and len(value.values) == 1 and isinstance(value.values[0], Items):
            value = value.values[0]
        return value.values if isinstance(value, Items) else (value,)

    def joined(self, *keys: str) -> tuple[tuple[Index | None, ...], tuple[Expr, ...], tuple[Array, ...]]:
        """Arguments broadcast together: the dims, the expressions over them, and the arrays as they were."""
        arrays = tuple(self.array(key) for key in keys)
        dims, exprs = self.reader.joined([self.at(key) for key in keys], arrays)
        return dims, exprs, arrays

    def flag(self, key: str, *, default: bool = False) -> bool:
        """True or False, as a constant."""
        node = self.given.get(key)
        if node is None:
            return default
        if not isinstance(node, ast.Constant) or not isinstance(node.value, bool):
            raise self.reader.error(f"'{key}' is True or False here", node, hint=f"write {key}=True")
        return node.value

    def places(self, array: Array, key: str = "axis") -> tuple[int, ...]:
        """Which axes are meant; all where none are named."""
        if not self.has(key):
            return tuple(range(array.rank))
        try:
            found = tuple(axis_place(array, axis) for axis in self.integers(key))
        except Misfit as misfit:
            raise self.reader.error(misfit.message, self.at(key), hint=misfit.hint) from None
        if len(set(found)) < len(found):
            raise self.reader.error("an axis stands here twice", self.at(key), hint="name each axis once")
        return found

    def integers(self, key: str) -> tuple[int, ...]:
        """One integer, or a tuple of them."""
        numbers = [integer(item) if isinstance(item, Array) else None for item in self.items(key)]
        if any(number is None for number in numbers):
            raise self.reader.error(f"'{key}' is an integer or a tuple of integers", self.at(key), hint=f"write {key}=0 or {key}=(0, 1)")
        return tuple(number for number in numbers if number is not None)

    def shape(self, key: str = "shape") -> list[str | int | None]:
        """A shape: axes, None for extent 1, -1 for what is left."""
        found: list[str | int | None] = []
        for item in self.items(key):
            if not isinstance(item, Array):
                raise self.reader.error("a shape is one tuple", self.at(key))
            found.append(-1 if integer(item) == -1 else self._extent(item, key))
        return found

    def _extent(self, item: Array, key: str) -> str | None:
        try:
            return axis_of(item)
        except Misfit as misfit:
            raise self.reader.error(misfit.message, self.at(key), hint=misfit.hint) from None


def bind(reader: CallReader, node: ast.Call, callee: Callee, parameters: Sequence[str]) -> Arguments:
    """The call's arguments by parameter; `*shape` takes all positional ones that are left, as one tuple."""
    name = callee.name
    positional = [*([callee.receiver] if callee.receiver is not None else []), *node.args]
    given: dict[str, ast.expr] = {}
    for place, parameter in enumerate(parameters):
        if parameter.startswith("*"):
            rest, positional = positional[place:], positional[:place]
            if rest:
                given[parameter[1:]] = ast.copy_location(ast.Tuple(rest, ast.Load()), rest[0])
        elif place < len(positional):
            if isinstance(positional[place], ast.Starred):
                raise reader.error("'*' before an argument is not read here", positional[place], hint="write out the arguments")
            given[parameter] = positional[place]
    plain = [parameter.lstrip("*") for parameter in parameters]
    if len(positional) > len(parameters):
        message, extra = f"{name} takes {len(parameters)} arguments here", positional[len(parameters)]
        raise reader.error(message, extra, hint=f"they are {', '.join(plain)}")
    for keyword in node.keywords:
        key = keyword.arg or "**"
        key = key if key in plain else _ALIASES.get(key, key)
        if key in plain and key not in given:
            given[key] = keyword.value
        elif key not in _IGNORED:
            why = "is given twice" if key in given else "is not read here"
            raise reader.error(f"'{keyword.arg or '**'}' of {name} {why}", keyword, hint=f"{name} takes {', '.join(plain)}")
    return Arguments(reader, node, name, given, callee)
