"""What a kernel is held against: numbers, the true results, and how far from them rounding may lead.

In: a Derivation, a dtype, extents.  Out: Cases.

Inputs are drawn by the oracle and rounded to the dtype; the truth is the layer's definitions over exactly those numbers, differentiated by
dual numbers in longdouble. Where arrays are kept in 16 bits, a result may be off by half a unit of its last place more than float
arithmetic is; and what the second pass reads of the first has been rounded so, the effect of which is followed through the formulas.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any

import numpy as np

from symbn.calculus.derivation import Derivation
from symbn.codegen.passes import saved_names
from symbn.codegen.storage import DTYPES, HALVES, SHORT, Storage, storage_of
from symbn.oracle.dual import Algebra
from symbn.oracle.evaluate import compute, plain
from symbn.oracle.expect import expectation
from symbn.oracle.numbers import Floating
from symbn.oracle.points import STYLES, Point, lift, points
from symbn.oracle.rounding import rounding_bound
from symbn.tools.halves import dtype_of, half_unit, narrowed, widened
from symbn.tools.shapes import Extents

# A kernel may reorder products, share sums and take reciprocals: the bound of the formula as written, times this.
SLACK = 4
# Inputs are multiples of 3/GRID: no power of two, so that they fill the significand.
GRID = 10**17 + 3
Arrays = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Case:
    """Numbers that the dtype has, as float or double, and what follows from them by name.

    `true` are the values, `bounds` how far the formulas' arithmetic may lead from them, and `carried` how far numbers of 16 bits may:
    those kept between the passes; and given ones, where the layer assumes an equation of them which holds no more once they are rounded.
    """

    extents: Extents
    storage: Storage
    axes: Mapping[str, tuple[str, ...]]
    given: Arrays
    true: Arrays
    bounds: Arrays
    carried: Arrays

    def allowed(self, name: str) -> Any:
        """The error that a kernel may make in each element of a result: by computing it, and by storing it."""
        kind = np.finfo(dtype_of(self.storage, ()))
        size = np.abs(np.asarray(self.true[name], np.longdouble))
        computed = SLACK * (np.asarray(self.bounds[name]) + float(kind.eps) * size) + float(kind.smallest_normal)
        computed = computed + self.carried.get(name, 0)
        return computed + half_unit(size + computed, DTYPES[self.storage.dtype]) if self.storage.is_half(self.axes[name]) else computed

    def stored(self, name: str) -> Any:
        """A given array as the kernel takes it."""
        return narrowed(self.given[name], dtype_of(self.storage, self.axes[name]))


def draw_cases(derivation: Derivation, dtype: str, shapes: Sequence[Extents], seed: int) -> Iterator[Case]:
    """A case for each of the shapes where the layer is defined."""
    rng, storage = Random(seed), storage_of(derivation.layer, SHORT[dtype])
    for extents in shapes:
        point = next(points(derivation.layer, extents, derivation.seeds, Floating, rng, STYLES[1:], GRID), None)
        if point is not None:
            yield _case(derivation, storage, point)


def _case(derivation: Derivation, storage: Storage, point: Point) -> Case:
    axes = _axes(derivation)
    given = {name: widened(narrowed(np.asarray(value, np.float64), dtype_of(storage, axes[name]))) for name, value in point.given.items()}
    arithmetic = Floating(np.longdouble)
    known = lift(given, arithmetic)
    compute(derivation.layer.definitions, known, point.extents, Algebra(arithmetic))
    gradients = derivation.gradients
    derived = expectation(derivation, Point(point.extents, given, known, arithmetic), arithmetic)
    true = {name: plain(value) for name, value in known.items() if name not in given}
    true |= {gradients[key].definition.name: value for key, value in derived.items()}
    bound = partial(rounding_bound, values=given, extents=point.extents, unit_roundoff=float(np.finfo(dtype_of(storage, ())).eps) / 2)
    definitions = (*derivation.layer.definitions, *derivation.formulas)
    bounds = bound(definitions)
    kept = {name: _storing(storage) for name in saved_names(derivation) if name in true and storage.is_half(axes[name])}
    moved = bound(definitions, stored=kept) if kept else bounds
    carried = {part.name: moved[part.name] - bounds[part.name] for part in derivation.formulas} if kept else {}
    if storage.dtype in HALVES and any(claim.operator == "==" for claim in derivation.layer.assumptions):
        compute(derivation.formulas, known, point.extents, Algebra(arithmetic))
        for name in (gradient.definition.name for gradient in gradients.values()):
            carried[name] = carried.get(name, 0) + np.abs(plain(known[name]) - true[name])
    return Case(point.extents, storage, axes, given, true, bounds, carried)


def _storing(storage: Storage) -> Callable[[Any], Any]:
    return partial(half_unit, name=DTYPES[storage.dtype])


def _axes(derivation: Derivation) -> dict[str, tuple[str, ...]]:
    """Of everything that has a name."""
    return {part.name: part.axes for part in (*derivation.layer.parts, *derivation.seeds, *derivation.formulas)}
