"""Proof of an equation for every extent.

In: a layer, assumptions, and two expressions over its names and those of its derivatives.  Out: whether their normal forms are the same.

The two sides are unfolded to inputs, constants and given cotangents, put into normal form, and their difference is brought over common
denominators. No is no refutation: that takes a witness (`decide`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

from symbn.calculus.canonical import Canonical
from symbn.calculus.convert import to_poly
from symbn.calculus.denominators import is_zero
from symbn.calculus.extents import at_extent, pairs_at_places
from symbn.calculus.meaning import Meanings
from symbn.calculus.relations import solved_equations
from symbn.calculus.rewrite import RuleSet, RunawayRules
from symbn.calculus.sums import apply_deltas
from symbn.calculus.terms import Poly
from symbn.calculus.work import TooLong
from symbn.errors import EquationError
from symbn.expr import Compare, Expr, Extent, Num
from symbn.layer import Layer
from symbn.proof.signs import Signs


class Prover:
    """Normal forms for one layer under assumptions; equations between an extent and a number fix that extent."""

    def __init__(self, layer: Layer, assume: Sequence[Compare] = ()) -> None:
        self.layer = replace(layer, assumptions=(*layer.assumptions, *assume))
        self.meanings = Meanings(layer)
        self.extents = fixed_extents(self.layer.assumptions)

    def proves(self, left: Expr, right: Expr) -> bool:
        """Whether the sides are the same for all extents and values. Raises TooLong when that takes too long."""
        return bool(self._proof(left, right))

    def sides(self, left: Expr, right: Expr) -> list[tuple[Poly, Poly]]:
        """The normal forms of both sides of what is proved; several pairs where an extent is fixed, one for each place."""
        return [(self._normal(one), self._normal(other)) for one, other in self._proof(left, right)]

    def _proof(self, left: Expr, right: Expr) -> list[tuple[Poly, Poly]]:
        """The sides as far unfolded as it takes to see that they are the same; none where that cannot be seen.

        What holds whatever the values of the definitions and derivatives on the right are is proved without unfolding them, which a
        long layer could not afford.
        """
        if not self.extents:
            for pair in self._stages(left, right):
                if self._vanishes(pair[0] - pair[1]):
                    return [pair]
        pairs = self._at_fixed_extents(self.unfolded(left), self.unfolded(right))
        return pairs if all(self._vanishes(one - other) for one, other in pairs) else []

    def _stages(self, left: Expr, right: Expr) -> Iterator[tuple[Poly, Poly]]:
        """The sides with derivatives that the right side reads left as names, and more and more definitions unfolded."""
        one, other = to_poly(left), to_poly(right)
        one = self.meanings.expand(one, keep=self.meanings.derived(other))
        return zip(self.meanings.stages(one), self.meanings.stages(other), strict=True)

    def normal(self, expr: Expr) -> Poly:
        """The normal form of one side."""
        return self._normal(self.unfolded(expr))

    def _normal(self, poly: Poly) -> Poly:
        """Rules first and last: what an equation among the assumptions speaks of may show only in the normal form."""
        value = self._canonical.value(self._ruled(poly))
        reduced = self._ruled(value)
        return apply_deltas(value if reduced == value else self._canonical.value(reduced))

    def _ruled(self, poly: Poly) -> Poly:
        """With what the assumptions say put in. Raises TooLong where that does not come to rest."""
        try:
            return self._rules.reduce(poly)
        except RunawayRules as error:
            raise TooLong("the equations among the assumptions are not seen through") from error

    def unfolded(self, expr: Expr) -> Poly:
        """One side over inputs, constants and given names."""
        return self.meanings.unfold(self.meanings.expand(to_poly(expr)))

    def _vanishes(self, poly: Poly) -> bool:
        return is_zero(self._normal(poly))

    def _at_fixed_extents(self, left: Poly, right: Poly) -> list[tuple[Poly, Poly]]:
        pairs = [(left, right)]
        for axis, extent in self.extents.items():
            pairs = [placed for one, other in pairs for placed in pairs_at_places(one, other, axis, extent)]
        return pairs

    def _collapsed(self, poly: Poly) -> Poly:
        for axis, extent in self.extents.items():
            poly = at_extent(poly, axis, extent)
        return poly

    @cached_property
    def _rules(self) -> RuleSet:
        """The equations among the assumptions, solved."""
        equations = [claim for claim in self.layer.assumptions if claim.operator == "==" and not _fixes_extent(claim)]
        sides = [(self._collapsed(self.unfolded(c.left)), self._collapsed(self.unfolded(c.right))) for c in equations]
        canonical = Canonical()
        return solved_equations([(canonical.value(left), canonical.value(right)) for left, right in sides], self.meanings.problem.nonzero)

    @cached_property
    def _canonical(self) -> Canonical:
        """Normal forms that know the signs of what the layer is made of."""
        signs, canonical = Signs(self.layer), Canonical()
        exprs = [definition.expr for definition in self.layer.definitions]
        for part in signs.parts([*exprs, *self.layer.assumptions]):
            canonical.learn(self._ruled(self._collapsed(self.unfolded(part))))
        return canonical


def fixed_extents(assumptions: Sequence[Compare]) -> Mapping[str, int]:
    """Axes whose extent an assumption fixes. EquationError for one that no axis can have."""
    found: dict[str, int] = {}
    for claim in assumptions:
        if _fixes_extent(claim):
            extent, number = (claim.left, claim.right) if isinstance(claim.left, Extent) else (claim.right, claim.left)
            assert isinstance(extent, Extent)
            assert isinstance(number, Num)
            if number.value < 1 or number.value.denominator > 1 or found.get(extent.axis, number.value) != number.value:
                raise EquationError(f"{extent.axis} == {number.value} cannot be assumed", hint="an extent is one whole number, 1 or more")
            found[extent.axis] = int(number.value)
    return found


def _fixes_extent(claim: Compare) -> bool:
    sides = {type(claim.left), type(claim.right)}
    return claim.operator == "==" and sides == {Extent, Num}
