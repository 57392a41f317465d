"""What a notebook shows of a layer or a derivation.

In: a Layer or a Derivation.  Out: a piece of HTML with MathML, in ASCII; or LaTeX between dollars.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from symbn.calculus.derivation import Derivation
from symbn.language import LatexNames, definition_latex
from symbn.layer import Definition, Layer
from symbn.report.document import Document, Section, definitions, unverified
from symbn.report.html import ascii_html, lines_html


def layer_html(layer: Layer) -> str:
    """The layer's name, what its author says of it, and its definitions."""
    content = definitions(layer)
    return _division(content, [lines_html(section.lines, content.names) for section in content.sections])


def derivation_html(derivation: Derivation) -> str:
    """The results; what they come from folds out."""
    content = unverified(derivation, steps=True)
    *before, result = content.sections
    remarks = [f"<p>{escape(remark)}</p>" for remark in content.remarks]
    folded = [_folded(section, content.names) for section in before]
    return _division(content, [f"<p>{escape(result.title)}</p>", lines_html(result.lines, content.names), *remarks, *folded])


def equations_latex(equations: Sequence[Definition], names: LatexNames | Layer) -> str:
    """The equations below each other."""
    rows = r" \\ ".join(definition_latex(equation, names).replace("=", "&=", 1) for equation in equations)
    return rf"$\begin{{aligned}} {rows} \end{{aligned}}$"


def _division(content: Document, parts: list[str]) -> str:
    about = f": {escape(content.about)}" if content.about else ""
    return ascii_html("\n".join(["<div>", f"<p><b>{escape(content.layer.name)}</b>{about}</p>", *parts, "</div>"]))


def _folded(section: Section, names: LatexNames) -> str:
    return f"<details>\n<summary>{escape(section.title)}</summary>\n{lines_html(section.lines, names)}\n</details>"
