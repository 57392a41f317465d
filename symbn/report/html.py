"""The report as one HTML page that needs nothing else: no script, no font, no other file.

In: a Document.  Out: HTML in ASCII, whose formulas are MathML.
"""

from __future__ import annotations

from html import escape

from symbn.language import LatexNames, definition_mathml
from symbn.report.document import Document, Line, Section

_STYLE = """\
body { margin: 2rem auto; max-width: 56rem; padding: 0 1rem; font: 1rem/1.5 system-ui, sans-serif; color: #1b1b1f; background: #fff; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid #d8d8de; }
.line { overflow-x: auto; margin: 1rem 0; }
.line p { margin: 0; }
math { font-size: 1.15em; text-align: start; padding: .3rem 0 .3rem 2rem; }
footer { margin-top: 2.5rem; border-top: 1px solid #d8d8de; color: #55555f; }
@media (prefers-color-scheme: dark) { body { color: #e6e6ea; background: #16161a; } footer { color: #a5a5b0; } }"""


def html(document: Document) -> str:
    """The whole page."""
    name = escape(document.layer.name)
    about = [f"<p>{escape(document.about)}</p>"] if document.about else []
    page = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{name}</title>",
        f"<style>\n{_STYLE}\n</style>",
        "</head>",
        "<body>",
        f"<h1>{name}</h1>",
        *about,
        *(section_html(section, document.names) for section in document.sections),
        "<footer>",
        *(f"<p>{escape(remark)}</p>" for remark in document.remarks),
        "</footer>",
        "</body>",
        "</html>",
    ]
    return ascii_html("\n".join(page))


def section_html(section: Section, names: LatexNames) -> str:
    """A heading and the equations below it."""
    return "\n".join(["<section>", f"<h2>{escape(section.title)}</h2>", lines_html(section.lines, names), "</section>"])


def lines_html(lines: tuple[Line, ...], names: LatexNames) -> str:
    """Equations, each with its label and reason above it."""
    return "\n".join(_line(line, names) for line in lines)


def ascii_html(text: str) -> str:
    """The same page in ASCII, whatever it is written through."""
    return text.encode("ascii", "xmlcharrefreplace").decode("ascii")


def _line(line: Line, names: LatexNames) -> str:
    lead = " ".join(part for part in (f"<b>{escape(line.label)}</b>" if line.label else "", escape(line.reason)) if part)
    return f'<div class="line">{f"<p>{lead}</p>" if lead else ""}{definition_mathml(line.definition, names)}</div>'
