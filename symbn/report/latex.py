r"""The report as a LaTeX document that pdflatex sets with amsmath alone, in one column of a two-column paper.

In: a Document.  Out: LaTeX.
"""

from __future__ import annotations

from symbn.report.document import Document, Line, Section

_HEAD = r"""\documentclass{article}
\usepackage{amsmath}
\setlength{\textwidth}{252pt} % one column of a two-column paper
\setlength{\parindent}{0pt}
\raggedright
\begin{document}"""
_SPECIAL = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", **{character: f"\\{character}" for character in "&%$#_{}"},
}  # fmt: skip


def latex(document: Document) -> str:
    """The whole document."""
    about = [escaped(document.about)] if document.about else []
    body = [rf"\section*{{{escaped(document.layer.name)}}}", *about, *(_section(section) for section in document.sections)]
    return "\n\n".join([_HEAD, *body, *map(escaped, document.remarks), r"\end{document}"])


def escaped(text: str) -> str:
    """Plain words as LaTeX; a word may be broken after the operators of a formula in it. What LaTeX's own fonts lack stands as `U+03BC`."""
    safe = "".join(_SPECIAL.get(character, character if character < "\u0180" else f"U+{ord(character):04X}") for character in text)
    for sign in ("/", "*", "("):
        safe = safe.replace(sign, sign + r"\allowbreak{}")
    return safe


def _section(section: Section) -> str:
    return "\n\n".join([rf"\subsection*{{{escaped(section.title)}}}", *(_line(line) for line in section.lines)])


def _line(line: Line) -> str:
    lead = " ".join(part for part in (line.label, escaped(line.reason)) if part)
    display = "\\[\n\\begin{aligned}\n" + " \\\\\n".join(line.rows) + "\n\\end{aligned}\n\\]"
    return f"{lead}\n{display}" if lead else display
