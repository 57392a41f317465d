"""The extents at which generated code is verified.

In: a Derivation.  Out: extents by axis, each small enough for the oracle, which carries a tangent for every element of every input.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod

from symbn.calculus.derivation import Derivation
from symbn.expr import Expr, Reduce, walk
from symbn.layer import Definition
from symbn.oracle.verify import small_extents

Extents = Mapping[str, int]
# Elements that the oracle may have to compute at one point: a second or so.
BUDGET = 200_000_000


def default_shapes(derivation: Derivation) -> tuple[Extents, ...]:
    """Each axis at 1, 2, 3, 7 and 64, beside other axes of other extents; all 1; and about 1000 elements.

    A Jacobian has the square of that, and goes without the last. An axis is cut to half, and again, where an array has it several times or
    a contraction makes it too much for the oracle.
    """
    axes = derivation.layer.axes
    if not axes:
        return ({},)
    long = [_long(axes, place, extent) for extent in (7, 64) for place in range(len(axes))]
    sizes = {1: (997,), 2: (37, 29), 3: (7, 5, 29)}.get(len(axes), (5, 4, 7, 3) + (2,) * len(axes))
    largest = [] if derivation.mode == "jacobian" else [dict(zip(axes, sizes, strict=False))]
    small = [{axis: extent} for axis in axes for extent in (1, 2, 3)] if len(axes) == 1 else small_extents(axes)
    return (*small, *(_affordable(derivation, extents) for extents in (*long, *largest)))


def _long(axes: Sequence[str], place: int, extent: int) -> Extents:
    """The axis at `place` this long, and the others 3, 2, 1, beginning elsewhere for each place."""
    others = [axis for axis in axes if axis != axes[place]]
    short = {axis: (3, 2, 1)[(place + number) % 3] for number, axis in enumerate(others)}
    return {axis: short.get(axis, extent) for axis in axes}


def _affordable(derivation: Derivation, extents: Extents) -> Extents:
    """The extents, the longest halved until the oracle can bear them."""
    found = dict(extents)
    while _work(derivation, found) > BUDGET:
        longest = max(found, key=lambda axis: found[axis])
        found[longest] //= 2
    return found


def _work(derivation: Derivation, extents: Extents) -> int:
    """Every definition once for each element of every input, and every formula once."""
    layer = derivation.layer
    directions = sum(_size(part.axes, extents) for part in layer.inputs)
    forward, backward = (sum(_terms(part, extents) for part in parts) for parts in (layer.definitions, derivation.formulas))
    return directions * forward + backward


def _terms(definition: Definition, extents: Extents) -> int:
    """How many elements the largest value inside a definition has."""
    return max(_size((*definition.axes, *axes), extents) for axes in _bound(definition.expr))


def _bound(expr: Expr) -> list[tuple[str, ...]]:
    """The axes bound at each reduction and inside it, as the oracle lays them out."""
    reductions = [node for node in walk(expr) if isinstance(node, Reduce)]
    return [tuple(i.axis for inner in walk(node) if isinstance(inner, Reduce) for i in inner.indices) for node in reductions] or [()]


def _size(axes: Sequence[str], extents: Extents) -> int:
    return prod(extents[axis] for axis in axes)
