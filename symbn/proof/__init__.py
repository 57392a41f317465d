"""Is this formula right?

In: a layer and an equation.  Out: a verdict, for every extent: a proof, a witness, a condition, or that it could not be decided.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from symbn.layer import Layer
from symbn.proof.decision import decide
from symbn.proof.derived import derived, results_of
from symbn.proof.prover import Prover
from symbn.proof.question import FORMS, Question, questions
from symbn.proof.same import same_outputs
from symbn.proof.verdict import EQUAL, EQUAL_WHEN, NOT_EQUAL, UNDECIDED, Verdict, together

__all__ = [
    "EQUAL",
    "EQUAL_WHEN",
    "FORMS",
    "NOT_EQUAL",
    "UNDECIDED",
    "Prover",
    "Question",
    "Verdict",
    "check",
    "decide",
    "derived",
    "questions",
    "results_of",
    "same_outputs",
    "together",
]


def check(
    layer: Layer,
    text: str,
    *,
    form: str = "text",
    lets: Mapping[str, str] | None = None,
    assume: Iterable[str] = (),
    file: str = "equation",
) -> Verdict:
    """The verdict on a text's equations. EquationError where it cannot be read."""
    return together(tuple(decide(question) for question in questions(layer, text, form=form, lets=lets, assume=assume, file=file)))
