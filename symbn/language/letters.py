"""The letters that a layer's arrays are written with.

In: a layer.  Out: indices for each of its names, and for a name of a derivative those of what it is a derivative of.
"""

from __future__ import annotations

from symbn.expr import Index, Read, Reduce, fresh_index, walk
from symbn.layer import Constant, Input, Layer


def letters_of(layer: Layer) -> dict[str, tuple[Index, ...]]:
    """A definition's own letters; an input's from the first place that reads it with a definition's letters, else fresh ones."""
    found: dict[str, tuple[Index, ...]] = {d.name: d.indices for d in layer.definitions}
    parts: tuple[Input | Constant, ...] = (*layer.inputs, *layer.constants)
    for part in parts:
        found[part.name] = _input_letters(layer, part.name, part.axes)
    return found


def _input_letters(layer: Layer, name: str, axes: tuple[str, ...]) -> tuple[Index, ...]:
    candidates: list[tuple[int, int, tuple[Index, ...]]] = []
    for definition in layer.definitions:
        for node in walk(definition.expr):
            if isinstance(node, Read) and node.name == name and len(set(node.indices)) == len(axes):
                candidates.append((sum(i not in definition.indices for i in node.indices), len(candidates), node.indices))
    if candidates:
        return min(candidates)[2]
    letters: tuple[Index, ...] = ()
    for axis in axes:
        letters += (fresh_index(axis, {i.name for i in letters}),)
    return letters


def derivative_letters(name: str, axes: tuple[str, ...], known: dict[str, tuple[Index, ...]]) -> tuple[Index, ...] | None:
    """`dx`, `ddx`, `grad_x` and `x_dot` are written with x's letters; None for a name of another kind."""
    for prefix, suffix in (("d", ""), ("dd", ""), ("grad_d", ""), ("grad_", ""), ("", "_dot")):
        base = name[len(prefix) : len(name) - len(suffix)]
        if name == f"{prefix}{base}{suffix}" and tuple(i.axis for i in known.get(base, ())) == axes and base in known:
            return known[base]
    return None


def axis_letters(layer: Layer) -> dict[str, tuple[str, ...]]:
    """For each axis the author's letters: those of definitions, then those that reductions bind."""
    free = [index for definition in layer.definitions for index in definition.indices]
    bound = [i for d in layer.definitions for node in walk(d.expr) if isinstance(node, Reduce) for i in node.indices]
    return {axis: tuple(dict.fromkeys(i.name for i in (*free, *bound) if i.axis == axis)) for axis in layer.axes}
