"""A claimed equation modulo a prime.

In: a claim, extents, a prime.  Out: whether both sides are the same number at random field elements.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from random import Random
from typing import Any

import numpy as np

from symbn.expr import Compare, free_indices, reads
from symbn.layer import Constant, Definition, Input
from symbn.oracle.claim import Claim
from symbn.oracle.dual import Algebra
from symbn.oracle.evaluate import Extents, compute, truth_of
from symbn.oracle.field import Field, NoRootError
from symbn.oracle.numbers import Exact, Leaf
from symbn.oracle.points import free_radicands, lift, meet_equations

DRAWS = 100  # draws until every radicand is a square; each root halves the chance


def same_in_field(claim: Claim, extents: Extents, prime: int, rng: Random) -> bool | None:
    """Whether the sides are equal at a random point modulo the prime; None when no point was found."""
    for _ in range(DRAWS):
        arithmetic = Field(prime, rng)
        try:
            known = _field_point(claim, extents, arithmetic)
            sides = None if known is None else claim.sides(known, extents, arithmetic)
        except NoRootError:
            continue
        if sides is not None:
            return bool(np.all(sides[0] == sides[1]))
    return None


def _field_point(claim: Claim, extents: Extents, arithmetic: Field) -> dict[str, Any] | None:
    """Random inputs that meet the equations assumed, each free scalar of a radicand chosen so that its first instance has a known root."""
    layer = claim.drawing
    parts: tuple[Input | Constant, ...] = (*layer.inputs, *layer.constants)
    given = {part.name: _random(part.axes, extents, arithmetic) for part in parts}
    meet_equations(layer, given, extents)
    known: dict[str, Any] = lift(given, arithmetic)
    for free in free_radicands(layer):
        square = arithmetic.adopt(arithmetic.draw())
        known[free.name] = np.array([square - free.rest(known, extents, arithmetic)], dtype=object)
    compute(layer.definitions, known, extents, Algebra(arithmetic))
    if any(arithmetic.undefined(value) for value in known.values()):
        return None
    return known if all(_met(assumed, known, extents, arithmetic) for assumed in layer.assumptions) else None


def _random(axes: Sequence[str], extents: Extents, arithmetic: Field) -> Leaf:
    array = np.empty(tuple(extents[axis] for axis in axes), dtype=object)
    for place in np.ndindex(*array.shape):
        array[place] = Fraction(arithmetic.draw().value)
    return array


def _met(assumed: Compare, known: Mapping[str, Any], extents: Extents, arithmetic: Field) -> bool:
    """Whether an equation holds here, or a comparison of extents; another inequality says nothing in a field."""
    scope = free_indices(assumed)
    if not reads(assumed):
        return bool(truth_of(assumed, {}, extents, scope, Algebra(Exact())).all())
    if assumed.operator != "==":
        return True
    values = dict(known)
    compute((Definition(" left", scope, assumed.left), Definition(" right", scope, assumed.right)), values, extents, Algebra(arithmetic))
    return bool(np.all(values[" left"] == values[" right"]))
