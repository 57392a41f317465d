"""Reports: a derivation as text, LaTeX, Markdown, HTML or JSON.

In: a Derivation and its Verification.  Out: a string.
"""

from __future__ import annotations

from symbn.calculus.derivation import Derivation
from symbn.language import definition_pretty
from symbn.oracle import Verification
from symbn.report.data import data
from symbn.report.document import Line, document
from symbn.report.html import html
from symbn.report.latex import latex
from symbn.report.markdown import markdown
from symbn.report.text import text


def render(derivation: Derivation, verification: Verification, *, form: str, steps: bool = True, unicode: bool = False) -> str:
    """The report in one of the formats text, latex, markdown, html, json. `unicode` is for text alone. KeyError for another format."""
    if form == "json":
        return data(derivation, verification, steps=steps)
    content = document(derivation, verification, steps=steps)

    def pretty(line: Line) -> str:
        return definition_pretty(line.definition, derivation.layer)

    match form:
        case "text":
            return text(content, show=pretty if unicode else lambda line: line.text)
        case "latex":
            return latex(content)
        case "markdown":
            return markdown(content)
        case "html":
            return html(content)
    raise KeyError(form)
