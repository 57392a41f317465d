"""Conditions under which a refuted equation holds.

In: a question whose sides differ.  Out: the first of a short list of conditions under which the prover proves it: a parameter is 1 or 0, an
extent is 1. One that makes both sides 0 says nothing and is passed over.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from symbn.errors import LayerError, UnsupportedError
from symbn.expr import ONE, ZERO, Compare, Extent, Index, Read, num
from symbn.language import expr_text
from symbn.layer import Constant, Input
from symbn.proof.prover import Prover
from symbn.proof.question import Question, yielding


def condition_for(question: Question) -> str | None:
    """The condition as text, or None."""
    return next((_shown(claim) for claim in _candidates(question) if _holds(question, claim)), None)


def _candidates(question: Question) -> Iterator[Compare]:
    layer = question.layer
    rank = max((len(part.axes) for part in layer.parts), default=0)
    for value in (ONE, ZERO):
        parts: tuple[Input | Constant, ...] = (*layer.inputs, *layer.constants)
        for part in parts:
            if not part.axes or len(part.axes) < rank:
                letters = tuple(Index(f"i{place}", axis) for place, axis in enumerate(part.axes))
                yield Compare("==", Read(part.name, letters), value)
    for axis in layer.axes:
        yield Compare("==", Extent(axis), num(Fraction(1)))


def _holds(question: Question, claim: Compare) -> bool:
    equation = question.equation
    layer = yielding(question.layer, (claim,))
    try:
        prover = Prover(layer, (*question.assume, claim))
        return prover.proves(equation.left, equation.right) and not prover.proves(equation.left, ZERO)
    except (UnsupportedError, LayerError):
        return False


def _shown(claim: Compare) -> str:
    left = claim.left.name if isinstance(claim.left, Read) else expr_text(claim.left)
    return f"{left} = {expr_text(claim.right)}"
