"""The verdict on one equation.

In: a question.  Out: a Verdict.

The prover says EQUAL or nothing. The oracle, which shares no code with it, evaluates both sides: it must agree with every EQUAL, and finds
the witness for every NOT EQUAL. Where neither has an answer, the verdict is UNDECIDED.
"""

from __future__ import annotations

from symbn.calculus.work import limited
from symbn.errors import LayerError, SymbnError, UnsupportedError, VerificationError
from symbn.language import expr_text
from symbn.oracle import IdentityReport, check_identity
from symbn.proof.conditions import condition_for
from symbn.proof.hints import hints_for
from symbn.proof.prover import Prover, fixed_extents
from symbn.proof.question import Question, fixed_values
from symbn.proof.same import parting
from symbn.proof.verdict import EQUAL, EQUAL_WHEN, NOT_EQUAL, UNDECIDED, Verdict

# Steps (calculus/work.py) that the proof may take, and those that conditions and hints may take: some seconds each.
PROOF, HELP = 200_000, 60_000


def decide(question: Question) -> Verdict:
    """Proves or refutes the equation for every extent and all values."""
    proved, reason = _proved(question)
    seen = _evaluated(question)
    equation = question.equation.text
    assumptions = tuple(expr_text(claim) for claim in (*question.layer.assumptions, *question.assume))
    if proved and seen.compared:
        if seen.witness is not None:
            raise VerificationError(f"the prover and the independent evaluation disagree on {equation}", hint=f"witness: {seen.witness}")
        return Verdict(EQUAL, equation, assumptions=assumptions, checked=_checked(seen))
    if seen.witness is None:
        return Verdict(UNDECIDED, equation, reason=_undecided(reason, seen), assumptions=assumptions)
    condition = _condition(question)
    status = NOT_EQUAL if condition is None else EQUAL_WHEN
    return Verdict(status, equation, condition or "", seen.witness, _hints(question), assumptions=assumptions)


def _proved(question: Question) -> tuple[bool, str]:
    """Whether it is proved; else why the prover gave up, if it did."""
    try:
        with limited(PROOF):
            prover = Prover(question.layer, question.assume)
            return prover.proves(question.equation.left, question.equation.right), ""
    except (UnsupportedError, LayerError, RecursionError) as error:
        return False, str(error)


def _evaluated(question: Question) -> IdentityReport:
    equation = question.equation
    layer, fixed, extents = question.layer, fixed_values(question.layer, question.assume), fixed_extents(question.assume)
    plain = tuple(claim for claim in question.assume if not fixed_extents((claim,)) and not fixed_values(layer, (claim,)))
    return check_identity(layer, equation.left, equation.right, assume=plain, fixed=fixed, extents=extents)


def _hints(question: Question) -> tuple[str, ...]:
    """A hint is a help and no part of the verdict: what takes too long is left out."""
    try:
        with limited(HELP):
            return parting(question) if question.second else hints_for(question)
    except (SymbnError, RecursionError):
        return ()


def _condition(question: Question) -> str | None:
    try:
        with limited(HELP):
            return condition_for(question)
    except (SymbnError, RecursionError):
        return None


def _checked(seen: IdentityReport) -> str:
    extents = "; ".join(", ".join(f"{axis} = {size}" for axis, size in one.items()) for one in seen.compared if one)
    return f"{' and '.join(seen.kinds)}{f', at {extents}' if extents else ''}"


def _undecided(reason: str, seen: IdentityReport) -> str:
    if reason:
        return f"{reason}; the largest difference seen is {seen.largest_gap}, at {seen.points} points"
    if not seen.compared:
        return "no values were found that meet the assumptions and at which both sides are defined"
    largest = f"{seen.points} points; largest difference {seen.largest_gap}"
    return f"the normal forms differ, but no values were found that tell the sides apart ({largest})"
