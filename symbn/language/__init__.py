"""The layer language: what people write.

In: source text.  Out: a `Layer`, or an error that names the place; and the way back, from expressions to text.
"""

from __future__ import annotations

from symbn.language.equations import Equation, parse_assumption, parse_definition, parse_equation
from symbn.language.parse import parse_layer, parse_layers
from symbn.language.text import definition_text, expr_text, layer_text

__all__ = [
    "Equation",
    "definition_text",
    "expr_text",
    "layer_text",
    "parse_assumption",
    "parse_definition",
    "parse_equation",
    "parse_layer",
    "parse_layers",
]
