"""The smallest point where an equation fails.

In: a claim that fails somewhere.  Out: a `Witness`: smallest extents first, then small and few numbers, rational where the roots allow it.

Draws of small integers are tried at growing extents; the best of those that fail is then shrunk, one number at a time. All of it is
bounded and depends on the seed alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import prod
from random import Random
from typing import Any

import numpy as np

from symbn.oracle.claim import Claim
from symbn.oracle.compare import first_difference, tolerance
from symbn.oracle.decimals import told
from symbn.oracle.evaluate import Extents
from symbn.oracle.numbers import Arithmetic, Leaf
from symbn.oracle.points import Point, drawn, fitted, free_radicands
from symbn.oracle.report import number, shown
from symbn.oracle.roots import TooManyRootsError

LARGEST = 3  # extents that are tried for every axis
CHOICES = 30  # choices of extents that are tried, smallest first
TRIES = 10  # draws for each choice of extents
SHRINKS = 300  # evaluations spent on shrinking
SMALL = tuple(Fraction(value) for value in (0, 1, -1, 2, -2, 3))  # simplest first

Makers = Sequence[Callable[[], Arithmetic]]


@dataclass(frozen=True, slots=True)
class Witness:
    """At these extents and exact values, the sides differ at these 1-based index values. `left` and `right` are their values there:
    fractions where they are rational, else decimal text. `values` leaves out names that neither side depends on.
    """

    extents: Extents
    values: Mapping[str, Leaf]
    indices: Mapping[str, int]
    left: Fraction | str
    right: Fraction | str

    def __str__(self) -> str:
        at = [f"{name} = {value}" for name, value in (*self.extents.items(), *self.indices.items())]
        given = [f"{name} = {shown(value)}" for name, value in self.values.items()]
        return f"{', '.join((*at, *given))}: the left side is {number(self.left)}, the right side is {number(self.right)}"


@dataclass(frozen=True, slots=True)
class _Gap:
    """A point where the sides differ, the values it was fitted from, and how simple it is (less is simpler)."""

    point: Point
    given: Mapping[str, Leaf]
    place: tuple[int, ...]
    left: Any
    right: Any

    @property
    def told(self) -> tuple[Fraction | str, Fraction | str]:
        """Both sides for a reader."""
        return told(self.left), told(self.right)

    @property
    def cost(self) -> tuple[bool, Fraction]:
        """Rational sides first, then the inputs; the sides' own size decides between equals."""
        rational = isinstance(self.left, Fraction) and isinstance(self.right, Fraction)
        inputs = sum((_height(value) for array in self.point.given.values() for value in array.flat), Fraction(0))
        sides = _height(self.left) + _height(self.right) if rational else Fraction(0)
        return not rational, inputs + sides / 1000


def _height(value: Any) -> Fraction:
    """Small for small integers; a sign costs a little, a denominator more."""
    return Fraction(abs(value.numerator) + 2 * (value.denominator - 1)) + Fraction(value < 0, 2)


@dataclass(slots=True)
class _Search:
    """What stays the same during a search, and the evaluations left for shrinking."""

    claim: Claim
    makers: Makers
    fixed: Mapping[str, Fraction]
    left: int = SHRINKS

    def gap_at(self, extents: Extents, given: Mapping[str, Leaf]) -> _Gap | None:
        """The values made to fit, where the sides differ there; exactly where that can be.

        A scalar that makes a radicand a square gets the smallest integer root where there is one.
        """
        least = {free.name: np.array(Fraction(0), dtype=object) for free in free_radicands(self.claim.drawing)}
        for start in ({**given, **least}, given) if least else (given,):
            for make in self.makers:
                try:
                    point = fitted(self.claim.drawing, extents, start, {}, make())
                    if point is not None:
                        return self.gap_of(point, given)
                    break
                except TooManyRootsError:
                    continue
        return None

    def gap_of(self, point: Point, given: Mapping[str, Leaf]) -> _Gap | None:
        """The first place where the sides differ at a point."""
        sides = self.claim.sides(point.known, point.extents, point.arithmetic)
        if sides is None:
            return None
        left, right = sides
        place = first_difference(left, right, tolerance(left, point.arithmetic))
        return None if place is None else _Gap(point, given, place, left[place], right[place])

    def smallest(self, extents: Extents, rng: Random) -> _Gap | None:
        """The simplest of a few draws of small integers."""
        found = []
        for _ in range(TRIES):
            given, _ = drawn(self.claim.drawing, extents, (), rng, "small")
            gap = self.gap_at(extents, given)
            found += [] if gap is None else [gap]
        return min(found, key=lambda gap: gap.cost, default=None)

    def shrunk(self, gap: _Gap) -> _Gap:
        """Replaces numbers by simpler ones as long as that makes the whole simpler and the sides still differ."""
        better: _Gap | None = gap
        while better is not None:
            gap = better
            better = next((found for found in self._simpler(gap) if found.cost < gap.cost), None)
        return gap

    def _simpler(self, gap: _Gap) -> Iterator[_Gap]:
        for given in _changes(gap):
            if self.left == 0:
                return
            self.left -= 1
            found = self.gap_at(gap.point.extents, given)
            if found is not None:
                yield found

    def matters(self, gap: _Gap, name: str) -> bool:
        """Whether either side changes with the values of `name`."""
        array = gap.point.given[name]
        for change in (1, 2):  # by an amount of its own for each element: many a layer does not feel a shift of all of them
            moved_array = array + np.arange(1, array.size + 1).reshape(array.shape) ** change
            given = {**gap.point.given, name: np.asarray(moved_array, dtype=object)}
            moved = self.gap_at(gap.point.extents, given)
            if moved is None or (moved.place, *moved.told) != (gap.place, *gap.told):
                return True
            if np.all(moved.point.given[name] == gap.point.given[name]):  # an equation assumed leaves it no choice
                return True
        return False


def smallest_witness(
    claim: Claim, makers: Makers, point: Point, *, fixed: Mapping[str, Fraction], extents: Mapping[str, int], seed: int
) -> Witness:
    """The smallest witness found; at worst the given `point`, where the sides differ."""
    search, rng = _Search(claim, makers, fixed), Random(seed)
    gap = next((found for sizes in _growing(claim.axes, extents) if (found := search.smallest(sizes, rng)) is not None), None)
    if gap is None:
        gap = search.gap_of(point, point.given)
        assert gap is not None
    return _witness(search, search.shrunk(gap))


def _growing(axes: Sequence[str], fixed: Mapping[str, int]) -> list[dict[str, int]]:
    """Choices of extents, those with fewest elements first."""
    free = [axis for axis in axes if axis not in fixed]
    choices = sorted(product(range(1, LARGEST + 1), repeat=len(free)), key=lambda sizes: (prod(sizes), sum(sizes), sizes))
    return [{axis: (dict(zip(free, sizes, strict=True)) | dict(fixed))[axis] for axis in axes} for sizes in choices[:CHOICES]]


def _changes(gap: _Gap) -> Iterator[dict[str, Leaf]]:
    """The values with one array, or one of its elements, replaced by something simpler; what was given last comes first."""
    for name, array in reversed(tuple(gap.given.items())):
        for changed in _simpler_arrays(array):
            yield {**gap.given, name: changed}


def _simpler_arrays(array: Leaf) -> Iterator[Leaf]:
    """All elements alike, then one element at a time."""
    for value in SMALL:
        if any(_height(value) < _height(element) for element in array.flat):
            yield np.full(array.shape, value, dtype=object)
    for place in np.ndindex(*array.shape) if array.size > 1 else ():
        for value in SMALL:
            if _height(value) < _height(array[place]):
                changed = array.copy()
                changed[place] = value
                yield changed


def _witness(search: _Search, gap: _Gap) -> Witness:
    left, right = gap.told
    relevant = [name for name in gap.point.given if search.matters(gap, name)]
    fixed = {name: np.array(value, dtype=object) for name, value in search.fixed.items()}
    return Witness(
        extents=gap.point.extents,
        values={name: gap.point.given[name] for name in relevant} | fixed,
        indices={index.name: place + 1 for index, place in zip(search.claim.indices, gap.place, strict=True)},
        left=left,
        right=right,
    )
