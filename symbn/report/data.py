"""The report as JSON, for programs.

In: a Derivation and its Verification.  Out: JSON with sorted keys, no times and no paths; each `expr` is in the layer language.
"""

from __future__ import annotations

import json
from typing import Any

from symbn.calculus.derivation import Derivation, Gradient, Step
from symbn.language import LatexNames, definition_latex, expr_text
from symbn.layer import Definition
from symbn.oracle import Verification

SCHEMA = 1


def data(derivation: Derivation, verification: Verification, *, steps: bool) -> str:
    """Schema 1. `latex` is the whole equation, `expr` its right side."""
    layer, names = derivation.layer, derivation.typeset
    content = {
        "schema": SCHEMA,
        "layer": layer.name,
        "axes": list(layer.axes),
        "mode": derivation.mode,
        "order": derivation.order,
        "definitions": [_definition(part, names) for part in layer.definitions],
        "intermediates": [_definition(part, names) for part in derivation.intermediates],
        "gradients": {of: _gradient(gradient, names) for of, gradient in derivation.gradients.items()},
        "steps": [_step(step) for step in derivation.steps] if steps else [],
        "residuals": list(derivation.residuals),
        "invariants": list(derivation.invariants),
        "notes": list(derivation.notes),
        "verified": {"line": verification.line, "ok": verification.ok},
    }
    return json.dumps(content, indent=2, sort_keys=True)


def _step(step: Step) -> dict[str, str]:
    return {"label": step.label, "equation": step.equation, "latex": step.latex, "reason": step.reason}


def _definition(definition: Definition, names: LatexNames) -> dict[str, Any]:
    return {
        "name": definition.name,
        "indices": [index.name for index in definition.indices],
        "expr": expr_text(definition.expr),
        "latex": definition_latex(definition, names),
    }


def _gradient(gradient: Gradient, names: LatexNames) -> dict[str, Any]:
    return {**_definition(gradient.definition, names), "reductions": gradient.reductions, "operations": gradient.operations}
