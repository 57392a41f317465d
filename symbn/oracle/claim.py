"""A claimed equation at concrete points.

In: a layer and two expressions over its names.  Out: points to compare the sides at, and the sides' values there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, TypeAlias

from symbn.errors import EquationError
from symbn.expr import Compare, Expr, Index, Num, Read, free_indices, reads, rename_indices, transform
from symbn.layer import Constant, Definition, Input, Layer
from symbn.oracle.dual import Algebra
from symbn.oracle.evaluate import Extents, compute, plain, truth_of
from symbn.oracle.numbers import Arithmetic, Leaf
from symbn.oracle.quantities import quantity_values, seeds_of
from symbn.vocabulary import Quantity

Axes: TypeAlias = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Claim:
    """`left == right` for all values of the free `indices`.

    `drawing` is the layer to draw points for: given names such as dy are constants in it, fixed names are definitions, and all its
    assumptions speak of inputs and constants alone. `quantities` are the derivatives to compute, `late` the assumptions that read those.
    """

    layer: Layer
    drawing: Layer
    left: Expr
    right: Expr
    indices: tuple[Index, ...]
    quantities: tuple[Quantity, ...]
    late: tuple[Compare, ...]

    @property
    def axes(self) -> tuple[str, ...]:
        """Every axis there is."""
        return self.drawing.axes

    @property
    def trees(self) -> tuple[Expr, ...]:
        """Every expression that is evaluated."""
        return (*(part.expr for part in self.drawing.definitions), self.left, self.right, *self.drawing.assumptions, *self.late)

    def sides(self, known: Mapping[str, Any], extents: Extents, arithmetic: Arithmetic) -> tuple[Leaf, Leaf] | None:
        """Both sides over all free indices; None where one has no value, or where an assumption about a derivative does not hold."""
        values = dict(known) | quantity_values(self.layer, self.quantities, known, extents, arithmetic)
        algebra = Algebra(arithmetic)
        if not all(truth_of(claim, values, extents, free_indices(claim), algebra).all() for claim in self.late):
            return None
        both = (Definition(" left", self.indices, self.left), Definition(" right", self.indices, self.right))
        compute(both, values, extents, algebra)
        left, right = plain(values[" left"]), plain(values[" right"])
        return None if arithmetic.undefined(left) or arithmetic.undefined(right) else (left, right)


def make_claim(
    layer: Layer,
    left: Expr,
    right: Expr,
    *,
    seeds: Axes,
    derived: Mapping[str, Quantity],
    assume: Sequence[Compare],
    fixed: Mapping[str, Fraction],
) -> Claim:
    """The claim, with everything that it needs besides. EquationError for a name that has no meaning."""
    names = dict.fromkeys(name for expr in (left, right, *assume) for name in reads(expr) if name not in layer.names)
    quantities = tuple(derived[name] for name in names if name in derived and not derived[name].given and name not in seeds)
    given = {name: derived[name].axes for name in (*names, *seeds_of(layer, quantities)) if name in derived and derived[name].given}
    axes = dict(seeds) | given
    computed = {quantity.name for quantity in quantities}
    for name in (*names, *fixed):
        if name not in axes and name not in computed and name not in layer.names:
            raise EquationError(f"'{name}' is no name of the layer '{layer.name}'")
    late = tuple(claim for claim in assume if computed & set(reads(claim)))
    early = tuple(claim for claim in assume if claim not in late)
    return Claim(
        layer=layer,
        drawing=_drawing(layer, axes, early, fixed),
        left=left,
        right=right,
        indices=tuple(dict.fromkeys((*free_indices(left), *free_indices(right)))),
        quantities=quantities,
        late=late,
    )


def _drawing(layer: Layer, seeds: Axes, assume: tuple[Compare, ...], fixed: Mapping[str, Fraction]) -> Layer:
    """The layer to draw points for. An assumption about fixed names alone gives way to what they are fixed at."""
    given = tuple(Constant(name, own) for name, own in seeds.items())
    parts: tuple[Input | Constant, ...] = (*layer.inputs, *layer.constants, *given)
    axes = {part.name: part.axes for part in parts}
    unknown = [name for name in fixed if name not in axes]
    if unknown:
        raise EquationError(f"'{unknown[0]}' is not an input, a constant or given, so it cannot be fixed")
    constants = tuple(
        Definition(name, tuple(Index(f"i{place}", axis) for place, axis in enumerate(axes[name])), Num(Fraction(value)))
        for name, value in fixed.items()
    )
    definitions = (*constants, *layer.definitions)
    kept = (claim for claim in (*layer.assumptions, *assume) if not reads(claim) or not set(reads(claim)) <= set(fixed))
    return replace(
        layer,
        inputs=tuple(part for part in layer.inputs if part.name not in fixed),
        constants=tuple(part for part in (*layer.constants, *given) if part.name not in fixed),
        assumptions=tuple(_unfolded(claim, definitions) for claim in kept),
        definitions=definitions,
    )


def _unfolded(claim: Compare, definitions: Sequence[Definition]) -> Compare:
    """The claim with every definition written out, so that a draw can be changed to meet it."""
    by_name = {definition.name: definition for definition in definitions}

    def change(node: Expr) -> Expr:
        if not isinstance(node, Read) or node.name not in by_name:
            return node
        definition = by_name[node.name]
        body = rename_indices(definition.expr, dict(zip(definition.indices, node.indices, strict=True)))
        return transform(body, change)

    unfolded = transform(claim, change)
    assert isinstance(unfolded, Compare)
    return unfolded
