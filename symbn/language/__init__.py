"""The layer language: what people write.

In: source text.  Out: a `Layer`, or an error that names the place; and the way back, from expressions to text, LaTeX, MathML and Unicode.

The parts are imported when they are first used: the command line lists the catalogue without the parser.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from symbn.language.equations import Equation, parse_assumption, parse_definition, parse_equation
    from symbn.language.latex import definition_latex, definition_latex_lines, expr_latex
    from symbn.language.latex_equations import parse_latex
    from symbn.language.latex_names import LatexNames
    from symbn.language.load import load_layer
    from symbn.language.mathml import definition_mathml
    from symbn.language.numpy_reader import parse_numpy
    from symbn.language.parse import parse_layer, parse_layers
    from symbn.language.pretty import definition_pretty
    from symbn.language.text import definition_text, expr_text, layer_text

__all__ = [
    "Equation",
    "LatexNames",
    "definition_latex",
    "definition_latex_lines",
    "definition_mathml",
    "definition_pretty",
    "definition_text",
    "expr_latex",
    "expr_text",
    "layer_text",
    "load_layer",
    "parse_assumption",
    "parse_definition",
    "parse_equation",
    "parse_latex",
    "parse_layer",
    "parse_layers",
    "parse_numpy",
]

_PARTS = {
    "equations": ("Equation", "parse_assumption", "parse_definition", "parse_equation"),
    "latex_equations": ("parse_latex",),
    "latex_names": ("LatexNames",),
    "latex": ("definition_latex", "definition_latex_lines", "expr_latex"),
    "mathml": ("definition_mathml",),
    "load": ("load_layer",),
    "numpy_reader": ("parse_numpy",),
    "parse": ("parse_layer", "parse_layers"),
    "pretty": ("definition_pretty",),
    "text": ("definition_text", "expr_text", "layer_text"),
}
_HOME = {name: part for part, names in _PARTS.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
