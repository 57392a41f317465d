"""An independent truth: what every derived formula and generated kernel is held against.

In: a layer's definitions.  Out: exact values, derivatives, verifications and rounding bounds. Nothing here imports `calculus` or SymPy.
"""

from symbn.oracle.evaluate import evaluate
from symbn.oracle.report import Failure, Verification
from symbn.oracle.verify import verify_derivation

__all__ = ["Failure", "Verification", "evaluate", "verify_derivation"]
