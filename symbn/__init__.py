"""symbn derives the backward pass of a layer from its definition.

In: a layer's source text.  Out: its derivatives as formulas, as code, and as functions. Each public name is loaded when it is first used,
so `import symbn` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from symbn._version import __version__

if TYPE_CHECKING:
    from symbn.api import Formula, Result, build, check, derive, from_sympy, load, loads
    from symbn.errors import (
        DriftError,
        EquationError,
        LayerError,
        SymbnError,
        TargetError,
        UnsupportedError,
        VerificationError,
    )

_HOME = {
    **dict.fromkeys(("Formula", "Result", "build", "check", "derive", "from_sympy", "load", "loads"), "symbn.api"),
    **dict.fromkeys(
        ("DriftError", "EquationError", "LayerError", "SymbnError", "TargetError", "UnsupportedError", "VerificationError"), "symbn.errors"
    ),
}

__all__ = [
    "DriftError",
    "EquationError",
    "Formula",
    "LayerError",
    "Result",
    "SymbnError",
    "TargetError",
    "UnsupportedError",
    "VerificationError",
    "__version__",
    "build",
    "check",
    "derive",
    "from_sympy",
    "load",
    "loads",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'symbn' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return __all__
