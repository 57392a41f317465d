"""Holds a derivation against its layer's definitions.

In: a derivation, seen through `Derived`.  Out: a `Verification`.

At each point the truth comes from forward-mode dual numbers over the definitions (`truth.py`); the formulas are evaluated with the forward
values, and the two must be equal: exactly over the rationals and their square roots, to CLAIMED_DIGITS digits where a function is
transcendental. At about 64 elements the complex step repeats it in machine numbers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice
from random import Random
from typing import Any

import numpy as np

from symbn.layer import Definition, Input
from symbn.oracle.compare import first_difference, largest, tolerance
from symbn.oracle.dual import Algebra
from symbn.oracle.evaluate import Extents, compute, plain
from symbn.oracle.expect import Derived, expectation
from symbn.oracle.kinds import has_kink, is_transcendental
from symbn.oracle.numbers import CLAIMED_DIGITS, NEGLIGIBLE, Arithmetic, ComplexStep, Digits, Exact, Floating, Leaf
from symbn.oracle.points import FINE, STYLES, TIES, Point, points
from symbn.oracle.report import Failure, Verification
from symbn.oracle.roots import TooManyRootsError

POINTS = 2  # exact points for each choice of extents: one of small integers, which makes a short witness, and a general one
FLOAT_LIMIT = 1e-9  # rounding at 64 well-conditioned elements stays near 1e-15; a wrong formula is off by 1/N**2 = 2e-4 and more


def verify_derivation(derivation: Derived, *, seed: int = 0) -> Verification:
    """Compares every result with the truth at N = 1, 2, 3, 5 (several axes: unequal extents), at ties, and at about 64 elements.

    The points are drawn from `seed`. Extents at which the layer or its derivative has no value are skipped, and the record says so.
    """
    trees = [definition.expr for definition in (*derivation.layer.definitions, *_formulas(derivation))]
    makers: list[Callable[[], Arithmetic]] = [Digits] if any(map(is_transcendental, trees)) else [Exact, Digits]
    for make in makers:
        try:
            return _verified(derivation, make, Random(seed), kinks=any(map(has_kink, trees)))
        except TooManyRootsError:
            continue
    raise AssertionError("digits need no roots")


def _verified(derivation: Derived, make: Callable[[], Arithmetic], rng: Random, *, kinks: bool) -> Verification:
    tally = _Tally(derivation)
    layer, seeds, sets = derivation.layer, _seeds(derivation), small_extents(derivation.layer.axes)
    for extents in sets:
        compared = (point for point in points(layer, extents, seeds, make, rng) if tally.failure is None and tally.compare(point))
        if not list(islice(compared, POINTS)) and tally.failure is None:
            tally.skipped.append(extents)
    for extents in sets[-2:] if kinks and tally.extents else ():
        for point in points(layer, extents, seeds, make, rng, TIES):
            tally.ties += tally.failure is None and tally.compare(point)
    large = large_extents(layer.axes)
    for point in points(layer, large, seeds, Floating, rng, STYLES[1:] if large and tally.extents else (), FINE):
        if tally.failure is not None or tally.compare_floating(point):
            break
    return tally.verification()


def small_extents(axes: Sequence[str]) -> list[dict[str, int]]:
    """Extents for exact points: 1, 2, 3, 5; for several axes all 1, then 1, 2, 3 in rotation, so that each axis is 1 beside longer ones.

    Axes from the fourth on rotate the other way, so that up to six of them differ from each other somewhere.
    """
    if not axes:
        return [{}]
    if len(axes) == 1:
        return [{axes[0]: extent} for extent in (1, 2, 3, 5)]
    ways = [1 if place // 3 % 2 == 0 else -1 for place in range(len(axes))]
    rotations = [
        {axis: (place + way * turn) % 3 + 1 for place, (axis, way) in enumerate(zip(axes, ways, strict=True))} for turn in range(3)
    ]
    return [dict.fromkeys(axes, 1), rotations[0], rotations[2], rotations[1]]


def large_extents(axes: Sequence[str]) -> dict[str, int]:
    """Unequal extents with about 64 elements in all, and with four axes and more few hundred."""
    sizes = {0: (), 1: (64,), 2: (5, 13), 3: (4, 3, 5)}.get(len(axes), (3, 2, 4, 5) + (2, 1) * len(axes))
    return dict(zip(axes, sizes, strict=False))


@dataclass(slots=True)
class _Tally:
    """The comparisons made so far; `live` are the results that have not been zero everywhere."""

    derivation: Derived
    extents: list[Extents] = field(default_factory=list)
    skipped: list[Extents] = field(default_factory=list)
    kinds: set[str] = field(default_factory=set)
    checked: Counter[str] = field(default_factory=Counter)
    live: set[str] = field(default_factory=set)
    ties: int = 0
    floating_error: float | None = None
    floating_extents: Extents | None = None
    failure: Failure | None = None

    def compare(self, point: Point) -> bool:
        """Compares at a point; False where the derivative has no value."""
        expected = expectation(self.derivation, point, point.arithmetic)
        if any(point.arithmetic.undefined(array) for array in expected.values()):
            return False
        found = _found(self.derivation, point)
        self.kinds.add(point.arithmetic.kind)
        for name, true in expected.items():
            self._record(name, found[name], true, point, tolerance(true, point.arithmetic))
            if largest(true) > point.arithmetic.number(Fraction(0) if point.arithmetic.exact else NEGLIGIBLE):
                self.live.add(name)
        if point.extents not in self.extents:
            self.extents.append(point.extents)
        return True

    def compare_floating(self, point: Point) -> bool:
        """The complex step against float64. A result that was zero at every exact point is left out: it has no relative error."""
        expected = {name: array.real for name, array in expectation(self.derivation, point, ComplexStep()).items()}
        if any(point.arithmetic.undefined(array) for array in expected.values()):
            return False
        found, errors = _found(self.derivation, point), [0.0]
        for name in (name for name in expected if name in self.live):
            scale = float(np.max(np.abs(expected[name]))) or 1.0
            self._record(name, found[name], expected[name], point, FLOAT_LIMIT * scale)
            errors.append(float(np.max(np.abs(found[name] - expected[name]))) / scale)
        self.floating_error, self.floating_extents = max(errors), point.extents
        return True

    def _record(self, name: str, found: Leaf, expected: Leaf, point: Point, tolerance: Any) -> None:
        wrong = first_difference(found, expected, tolerance)
        if wrong is None:
            self.checked[name] += 1
        elif self.failure is None:
            same = found.shape == expected.shape
            values = (found[wrong], expected[wrong]) if same else (f"of shape {found.shape}", f"of shape {expected.shape}")
            index = tuple(place + 1 for place in wrong)
            called = self.derivation.gradients[name].definition.name
            self.failure = Failure(called, index, values[0], values[1], point.extents, point.given)

    def verification(self) -> Verification:
        """The record."""
        rational = self.kinds <= {"rational arithmetic"}
        return Verification(
            ok=self.failure is None and bool(self.extents),
            checked=dict(self.checked),
            extents=tuple(self.extents),
            skipped=tuple(self.skipped),
            kind="rational arithmetic" if rational else max(self.kinds - {"rational arithmetic"}),
            claim=f"to {CLAIMED_DIGITS} digits" if "mpmath" in self.kinds else "exact",
            ties=self.ties,
            floating_error=self.floating_error,
            floating_extents=self.floating_extents,
            failure=self.failure,
        )


def _seeds(derivation: Derived) -> tuple[Input, ...]:
    """The derivation's seeds, and the cotangent of every output even where no result reads it."""
    layer = derivation.layer
    cotangents = [Input(f"d{name}", layer.axes_of(name)) for name in layer.outputs if derivation.mode == "vjp"]
    named = {seed.name: seed for seed in (*cotangents, *derivation.seeds)}
    return tuple(named.values())


def _formulas(derivation: Derived) -> tuple[Definition, ...]:
    return (*derivation.intermediates, *(gradient.definition for gradient in derivation.gradients.values()))


def _found(derivation: Derived, point: Point) -> dict[str, Leaf]:
    """The formulas' values at the point, by their key in `gradients`."""
    known = dict(point.known)
    compute(_formulas(derivation), known, point.extents, Algebra(point.arithmetic))
    return {key: plain(known[gradient.definition.name]) for key, gradient in derivation.gradients.items()}
