"""Whether an equation holds, by computing both sides.

In: a layer and two expressions over its names.  Out: an `IdentityReport`, with the smallest witness where the sides differ.

This shares no code with the prover in `calculus`: derivatives come from dual numbers over the definitions, and both sides are evaluated as
they are written. They are compared
* over the rationals and their square roots, exactly, at all extents 1 and at small unequal ones; where a function is transcendental, to
  CLAIMED_DIGITS digits;
* modulo two primes of 61 bits at random inputs (`residues.py`), where no function is transcendental and nothing is compared by size. The
  inequalities among the assumptions are left out there: a polynomial identity that holds on an open set holds everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from math import prod
from random import Random
from types import MappingProxyType
from typing import Any

import numpy as np

from symbn.errors import UnsupportedError
from symbn.expr import Compare, Expr
from symbn.layer import Layer
from symbn.oracle.claim import Axes, Claim, make_claim
from symbn.oracle.compare import first_difference, largest, tolerance
from symbn.oracle.decimals import magnitude
from symbn.oracle.evaluate import Extents
from symbn.oracle.field import PRIMES
from symbn.oracle.kinds import has_kink, is_transcendental
from symbn.oracle.numbers import Arithmetic, Digits, Exact
from symbn.oracle.points import FINE, GRID, STYLES, TIES, Point, fitted, points
from symbn.oracle.residues import same_in_field
from symbn.oracle.roots import TooManyRootsError
from symbn.oracle.witness import Witness, smallest_witness
from symbn.vocabulary import Quantity, vocabulary

_NONE: Mapping[str, Any] = MappingProxyType({})
LARGEST = 256  # elements over all axes; fixed extents may ask for more than can be computed exactly


@dataclass(frozen=True, slots=True)
class IdentityReport:
    """`agree`: the sides were equal wherever they were compared, and they were compared somewhere.

    `compared` are the extents where they were, `kinds` the arithmetics; `skipped` says what could not be done. `largest_gap` is the
    largest |left - right| seen. `witness` is there when they differ.
    """

    agree: bool
    compared: tuple[Extents, ...]
    kinds: tuple[str, ...]
    points: int
    skipped: tuple[str, ...]
    seed: int
    largest_gap: str
    witness: Witness | None


def check_identity(
    layer: Layer,
    left: Expr,
    right: Expr,
    *,
    seeds: Axes = _NONE,
    derived: Mapping[str, Quantity] | None = None,
    assume: tuple[Compare, ...] = (),
    fixed: Mapping[str, Fraction] = _NONE,
    extents: Mapping[str, int] = _NONE,
    effort: int = 3,
    seed: int = 0,
) -> IdentityReport:
    """Compares the sides for all values of their free indices, at `effort` points for each choice of extents.

    They may read the layer's names, the `seeds`, which have any value, and `derived` names (by default the layer's vocabulary), whose
    values come from the definitions. `fixed` sets inputs, constants or given names to one value, all elements of an array alike;
    `extents` fixes extents. EquationError for a name without meaning.
    """
    known = vocabulary(layer) if derived is None else derived
    claim = make_claim(layer, left, right, seeds=seeds, derived=known, assume=assume, fixed=fixed)
    tally = _Tally(claim, Random(seed), effort)
    sizes = small_extents(claim.axes, extents)
    if prod(sizes[0].values()) > LARGEST:
        return tally.report(seed, None, f"more than {LARGEST} elements at {_shown(sizes[0])}")
    for chosen in sizes:
        tally.compare_numbers(chosen)
    for chosen in sizes if tally.points and tally.gap is None else ():
        tally.compare_residues(chosen)
    witness = None if tally.gap is None else smallest_witness(claim, tally.makers, tally.gap, fixed=fixed, extents=extents, seed=seed)
    return tally.report(seed, witness)


def small_extents(axes: Sequence[str], fixed: Mapping[str, int] = _NONE) -> list[dict[str, int]]:
    """1, 2, 3, 4; for several axes all 1, all 2, then 1, 2, 3, ... in rotation, so that they differ and each is 1 beside longer ones."""
    if len(axes) < 2:
        chosen = [dict.fromkeys(axes, extent) for extent in (1, 2, 3, 4)]
    else:
        turns = [[(place + turn) % 3 + 1 for place in range(len(axes))] for turn in range(3)]
        chosen = [dict(zip(axes, sizes, strict=True)) for sizes in ([1] * len(axes), [2] * len(axes), *turns)]
    fitted = [{axis: fixed.get(axis, extent) for axis, extent in one.items()} for one in chosen]
    return [one for place, one in enumerate(fitted) if one not in fitted[:place]]


@dataclass(slots=True)
class _Tally:
    """The comparisons made so far; `gap` is the first point where the sides differ."""

    claim: Claim
    rng: Random
    effort: int
    compared: list[Extents] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    points: int = 0
    largest: Decimal = Decimal(0)
    gap: Point | None = None

    @property
    def makers(self) -> tuple[Callable[[], Arithmetic], ...]:
        """The arithmetics over the reals to try in turn."""
        return (Digits,) if any(map(is_transcendental, self.claim.trees)) else (Exact, Digits)

    def compare_numbers(self, extents: Extents, styles: Sequence[str] = STYLES, grid: int = GRID) -> None:
        """Compares at real points of these extents, at ties too where there are kinks."""
        found = 0
        for point in self._points(extents, styles, grid):
            found += self._compare(point)
            if found == self.effort or self.gap is not None:
                break
        for point in self._points(extents, TIES, grid) if any(map(has_kink, self.claim.trees)) and self.gap is None else ():
            found += self._compare(point)
        if not found:
            self.skipped.append(f"no value at {_shown(extents)}")

    def _points(self, extents: Extents, styles: Sequence[str], grid: int) -> Iterator[Point]:
        for style in styles:
            for make in self.makers:
                try:
                    yield from points(self.claim.drawing, extents, (), make, self.rng, (style,), grid)
                    break
                except TooManyRootsError:
                    continue

    def _compare(self, point: Point) -> bool:
        try:
            sides = self.claim.sides(point.known, point.extents, point.arithmetic)
        except TooManyRootsError:
            again = fitted(self.claim.drawing, point.extents, point.given, {}, Digits())
            return again is not None and self._compare(again)
        if sides is None:
            return False
        left, right = sides
        self.largest = max(self.largest, magnitude(largest(np.asarray(left - right))))
        self.points += 1
        self._note(point.extents, point.arithmetic.kind)
        if first_difference(left, right, tolerance(left, point.arithmetic)) is not None and self.gap is None:
            self.gap = point
        return True

    def _note(self, extents: Extents, kind: str) -> None:
        if extents not in self.compared:
            self.compared.append(extents)
        if kind not in self.kinds:
            self.kinds.append(kind)

    def compare_residues(self, extents: Extents) -> None:
        """Compares modulo each prime. What differs there counts when real points of these extents differ, too."""
        for prime in PRIMES:
            try:
                same = same_in_field(self.claim, extents, prime, self.rng)
            except UnsupportedError as error:
                self._skip(f"modulo primes: {error}")
                return
            if same is None:
                self._skip(f"modulo primes at {_shown(extents)}: no point where every radicand is a square")
            elif same:
                self._note(extents, "two primes of 61 bits")
            else:
                self.compare_numbers(extents, STYLES, FINE)
                if self.gap is None:
                    self._skip(f"modulo primes at {_shown(extents)}: roots of dependent radicands")

    def _skip(self, reason: str) -> None:
        if reason not in self.skipped:
            self.skipped.append(reason)

    def report(self, seed: int, witness: Witness | None, *skipped: str) -> IdentityReport:
        """The record."""
        return IdentityReport(
            agree=self.gap is None and self.points > 0,
            compared=tuple(self.compared),
            kinds=tuple(self.kinds),
            points=self.points,
            skipped=(*self.skipped, *skipped),
            seed=seed,
            largest_gap=f"{self.largest:.6g}",
            witness=witness,
        )


def _shown(extents: Extents) -> str:
    return ", ".join(f"{axis} = {extent}" for axis, extent in extents.items()) or "the only point"
