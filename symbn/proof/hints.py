"""What would make a refuted equation true.

In: a question whose sides differ.  Out: hints in words, each proved: the ratio of the sides, a slip undone, a term that is missing.

Candidates are first held against the left side in floating point, at one point; the few that agree there are proved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import prod
from random import Random
from typing import Any

import numpy as np

from symbn.calculus.compact import Notation
from symbn.calculus.denominators import common_denominator, is_zero
from symbn.calculus.engine import derive
from symbn.calculus.sweeps import Reverse
from symbn.calculus.terms import Kind, Poly
from symbn.expr import Add, Expr, Mul, Num, Read, add, mul, neg, num, reads
from symbn.language import expr_text
from symbn.layer import Definition
from symbn.oracle.claim import make_claim
from symbn.oracle.dual import Algebra
from symbn.oracle.evaluate import compute, plain
from symbn.oracle.numbers import Floating
from symbn.oracle.points import points
from symbn.oracle.quantities import quantity_values
from symbn.proof.edits import edits
from symbn.proof.prover import Prover, fixed_extents
from symbn.proof.question import Question, fixed_values
from symbn.vocabulary import vocabulary

MOST_HINTS = 2
# Candidates that are tried at a point, and of those that agree there how many are given to the prover.
MOST_TRIED, MOST_PROVED = 600, 6
SMALL = (2, 3, 4, 5)  # extents of the point, in turn


def hints_for(question: Question) -> tuple[str, ...]:
    """At most MOST_HINTS hints, the plainest first."""
    prover = Prover(question.layer, question.assume)
    ratio = _ratio(question, prover)
    found = [f"the left side is {ratio} times the right side"] if ratio else []
    for text, right in _agreeing(question):
        if len(found) >= MOST_HINTS:
            break
        if not (ratio and text.startswith("equal without the factor")) and prover.proves(question.equation.left, right):
            found.append(text)
    return tuple(found)


def _ratio(question: Question, prover: Prover) -> str:
    """left/right where it is a number times powers of extents and of values without an index of the equation."""
    left, right = (common_denominator(prover.normal(side)) for side in (question.equation.left, question.equation.right))
    if not left or not right or len(left) != len(right):
        return ""
    (monomial, number), *_ = right.sorted_terms()
    inverse = Poly({tuple((a, -e) for a, e in monomial): 1})
    for candidate, coefficient in left.sorted_terms()[:8]:
        factor = (Poly({candidate: coefficient}) * inverse).scale(1 / Fraction(number))
        plain_atoms = all(atom.kind in (Kind.EXTENT, Kind.VAR) and not atom.free for m in factor.terms for atom, _ in m)
        if plain_atoms and is_zero(left - right * factor):
            sweep = Reverse(prover.meanings.problem, tuple(part.name for part in question.layer.inputs))
            return expr_text(Notation(sweep).builder(factor=False).build(factor, factor.free))
    return ""


def _agreeing(question: Question) -> Iterator[tuple[str, Expr]]:
    """Changed right sides that agree with the left side at one point."""
    point = _point(question)
    if point is None:
        return
    proved = 0
    for tried, (text, right) in enumerate(_candidates(question)):
        if tried >= MOST_TRIED or proved >= MOST_PROVED:
            return
        if point.agrees(right):
            proved += 1
            yield text, right


def _candidates(question: Question) -> Iterator[tuple[str, Expr]]:
    layer = question.layer
    names = {name: quantity.axes for name, quantity in vocabulary(layer).items() if quantity.kind == "cotangent"}
    names |= {part.name: part.axes for part in reversed(layer.parts)}
    for text, right in edits(question.equation.right, names):
        yield f"equal {text}", right
    yield from _missing_terms(question)


def _missing_terms(question: Question) -> Iterator[tuple[str, Expr]]:
    """Terms of the derived form that the right side may lack, or have once too often."""
    left, right = question.equation.left, question.equation.right
    quantity = vocabulary(question.layer).get(left.name) if isinstance(left, Read) else None
    if quantity is None or quantity.kind != "gradient" or quantity.by not in {part.name for part in question.layer.inputs}:
        return
    gradient = derive(question.layer, wrt=(quantity.by,), steps=False).gradients[quantity.by].definition
    assert isinstance(left, Read)
    if gradient.indices != left.indices:
        return
    known = {*question.layer.names, *(name for name, quantity in vocabulary(question.layer).items() if quantity.kind == "cotangent")}
    for term in _terms(gradient.expr):
        if not set(reads(term)) <= known:
            continue  # a value that several gradients share, and that the equation does not speak of
        yield f"the right side lacks the term {expr_text(term)}", add(right, term)
        yield f"the right side has one {expr_text(term)} too much", add(right, neg(term))


def _terms(expr: Expr) -> Iterator[Expr]:
    """The terms of a sum, or of a product with one sum among its factors."""
    match expr:
        case Add(terms):
            yield from terms
        case Mul(factors):
            for place, factor in enumerate(factors):
                if isinstance(factor, Add):
                    for term in factor.terms:
                        yield _product((*factors[:place], *factors[place + 1 :], term))
                    return


def _product(factors: tuple[Expr, ...]) -> Expr:
    """The product with its numbers in front."""
    flat = [f for factor in factors for f in (factor.factors if isinstance(factor, Mul) else (factor,))]
    number = prod((f.value for f in flat if isinstance(f, Num)), start=Fraction(1))
    return mul(num(number), *(f for f in flat if not isinstance(f, Num)))


@dataclass(frozen=True, slots=True)
class _Point:
    """Floating-point values of everything at one point."""

    value: Callable[[Expr], Any]
    left: Any

    def agrees(self, right: Expr) -> bool:
        """Whether the right side has the left side's value here."""
        found = self.value(right)
        allowed = 1e-9 * (1 + float(np.max(np.abs(self.left))))
        return bool(np.all(np.isfinite(found)) and np.allclose(found, self.left, rtol=1e-9, atol=allowed))


def _point(question: Question) -> _Point | None:
    layer, equation = question.layer, question.equation
    names = vocabulary(layer)
    seeds = {name: quantity.axes for name, quantity in names.items() if quantity.kind == "cotangent"}
    plain_claims = tuple(claim for claim in question.assume if not fixed_extents((claim,)) and not fixed_values(layer, (claim,)))
    fixed = fixed_values(layer, question.assume)
    claim = make_claim(layer, equation.left, equation.right, seeds=seeds, derived=names, assume=plain_claims, fixed=fixed)
    extents = {axis: SMALL[place % len(SMALL)] for place, axis in enumerate(claim.axes)} | dict(fixed_extents(question.assume))
    point = next(points(claim.drawing, extents, (), Floating, Random(7), ("mixed",)), None)
    if point is None:
        return None
    values = dict(point.known) | quantity_values(layer, claim.quantities, point.known, extents, point.arithmetic)

    def value(expr: Expr) -> Any:
        known = dict(values)
        compute((Definition(" side", claim.indices, expr),), known, extents, Algebra(point.arithmetic))
        return plain(known[" side"])

    return _Point(value, value(equation.left))
