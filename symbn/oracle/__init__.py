"""An independent truth: what every derived formula and generated kernel is held against.

In: a layer's definitions.  Out: exact values, derivatives, verifications and rounding bounds. Nothing here imports `calculus` or SymPy.
"""

from symbn.oracle.evaluate import evaluate
from symbn.oracle.identity import IdentityReport, check_identity
from symbn.oracle.numbers import ComplexStep, Digits, Exact, Floating
from symbn.oracle.points import Point, points
from symbn.oracle.reference import evaluate_layer, extents_of, reference_gradients
from symbn.oracle.report import Failure, Verification
from symbn.oracle.rounding import rounding_bound
from symbn.oracle.truth import Truth
from symbn.oracle.verify import verify_derivation

__all__ = [
    "ComplexStep",
    "Digits",
    "Exact",
    "Failure",
    "Floating",
    "IdentityReport",
    "Point",
    "Truth",
    "Verification",
    "check_identity",
    "evaluate",
    "evaluate_layer",
    "extents_of",
    "points",
    "reference_gradients",
    "rounding_bound",
    "verify_derivation",
]
