"""What stands after a dot or in brackets.

In: attribute and subscript nodes.  Out: transposes, shapes, new axes, elements of a shape.
"""

from __future__ import annotations

import ast
from typing import Protocol

from symbn.errors import SymbnError
from symbn.expr import ONE, Call, Index, num
from symbn.language.numpy_arrays import Array, Items, Misfit, Supply, Value, axis_place, count, extent, integer, scalar
from symbn.language.numpy_layout import permuted, swapped
from symbn.language.numpy_names import Names
from symbn.language.source import quoted


class IndexingReader(Protocol):
    """What this needs of the reader around it."""

    names: Names
    supply: Supply

    def value(self, node: ast.expr) -> Value:
        """The value of a node."""

    def array(self, node: ast.expr) -> Array:
        """The value of a node that is an array."""

    def error(self, message: str, where: ast.AST, *, hint: str | None = None) -> SymbnError:
        """An error with a place."""


def attribute(reader: IndexingReader, node: ast.Attribute) -> Value:
    """`x.T`, `x.shape`, `np.pi`; of a name that is not known, such as `saved.xhat`, the last part is a name itself."""
    root = node.value
    while isinstance(root, ast.Attribute):
        root = root.value
    if isinstance(root, ast.Name) and reader.names.is_module(root.id):
        return _constant(reader, node)
    if isinstance(root, ast.Name) and not reader.names.has(root.id):
        return reader.names.value(node.attr, node)
    value = reader.value(node.value)
    if isinstance(value, Items):
        if node.attr == "values":
            return value.values[0]
        raise reader.error(f"{value.what} has no '{node.attr}' here", node, hint="take its values: [0] or .values")
    return _of_array(reader, node, value)


def _constant(reader: IndexingReader, node: ast.Attribute) -> Value:
    if node.attr == "pi":
        return scalar(Call("pi", ()))
    if node.attr == "e":
        return scalar(Call("exp", (ONE,)))
    if node.attr in ("inf", "nan"):
        raise reader.error(f"'{node.attr}' is not a number here", node, hint="write the formula for finite values")
    raise reader.error(f"'{node.attr}' is not a constant that symbn knows", node, hint="a function is called: np.sqrt(x)")


def _of_array(reader: IndexingReader, node: ast.Attribute, array: Array) -> Value:
    match node.attr:
        case "T":
            return permuted(array, range(array.rank)[::-1])
        case "mT":
            return swapped(array, axis_place(array, -2), axis_place(array, -1))
        case "shape":
            return Items(tuple(scalar(extent(index)) for index in array.dims))
        case "size":
            return scalar(count(array, range(array.rank)))
        case "ndim":
            return scalar(num(array.rank))
        case "data" | "real":
            return array
    known = ["T", "mT", "shape", "size", "ndim"]
    raise reader.error(f"'.{node.attr}' is not read here", node, hint=f"an array has {quoted(known)}; a method is called: x.{node.attr}()")


def subscript(reader: IndexingReader, node: ast.Subscript) -> Value:
    """`x[:, None]`, `x.shape[0]`; of a name that is not known, such as `cache["xhat"]`, the text is a name itself."""
    root, key = node.value, node.slice
    if isinstance(key, ast.Constant) and isinstance(key.value, str):
        if isinstance(root, ast.Name) and not reader.names.has(root.id):
            return reader.names.value(key.value, node)
        raise reader.error("a text is not an index", key, hint="write whole axes: x[:, None]")
    value = reader.value(root)
    return _element(reader, value, key) if isinstance(value, Items) else _indexed(reader, value, key)


def _element(reader: IndexingReader, items: Items, key: ast.expr) -> Value:
    if isinstance(key, ast.Slice):
        start, stop, step = (None if part is None else _integer(reader, part) for part in (key.lower, key.upper, key.step))
        return Items(items.values[start:stop:step])
    place = _integer(reader, key)
    if not -len(items.values) <= place < len(items.values):
        what = "PyTorch's indices have no formula" if items.what != "a tuple" else f"there is no element {place}"
        raise reader.error(f"{items.what} of {len(items.values)}: {what}", key)
    return items.values[place]


def _integer(reader: IndexingReader, node: ast.expr) -> int:
    number = integer(reader.array(node))
    if number is None:
        raise reader.error("an integer belongs here", node)
    return number


def _indexed(reader: IndexingReader, array: Array, key: ast.expr) -> Array:
    parts = list(key.elts) if isinstance(key, ast.Tuple) else [key]
    new = sum(map(_is_new, parts))
    dots = sum(map(_is_dots, parts))
    given = len(parts) - new - dots
    if dots > 1:
        raise reader.error("only one '...' stands in brackets", key)
    if given > array.rank:
        raise reader.error(f"{given} indices for an array of shape {array.shape}", key, hint="write one for each axis at most")
    if not dots:
        parts.append(ast.Constant(...))
    dims: list[Index | None] = []
    place = 0
    for part in parts:
        if _is_new(part):
            dims.append(None)
        elif _is_dots(part):
            rest = array.rank - given
            dims += array.dims[place : place + rest]
            place += rest
        else:
            dims += _kept(reader, array.dims[place], part)
            place += 1
    return Array(tuple(dims), array.expr, array.size)


def _kept(reader: IndexingReader, index: Index | None, part: ast.expr) -> list[Index | None]:
    """The axis under `:`, or nothing for the one element of an axis of extent 1."""
    if isinstance(part, ast.Slice):
        if part.lower is None and part.upper is None and part.step is None:
            return [index]
        raise reader.error("a part of an axis has no formula for every extent", part, hint="write whole axes: x[:, None]")
    if isinstance(part, ast.Name) and not reader.names.has(part.id):
        raise reader.error(f"'{part.id}' is not an index here", part, hint="NumPy formulas speak of whole arrays: write dx, not dx[i]")
    found = reader.value(part)
    if index is None and isinstance(found, Array) and integer(found) in (0, -1):
        return []
    raise Misfit("single elements have no formula for every extent", "write whole axes: x[:, None]")


def _is_new(part: ast.expr) -> bool:
    if isinstance(part, ast.Constant):
        return part.value is None
    name = part.attr if isinstance(part, ast.Attribute) else part.id if isinstance(part, ast.Name) else None
    return name == "newaxis"


def _is_dots(part: ast.expr) -> bool:
    return isinstance(part, ast.Constant) and part.value is Ellipsis
