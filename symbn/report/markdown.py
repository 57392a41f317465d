"""The report as Markdown, each equation in a fence that GitHub, GitLab and Pandoc set as mathematics.

In: a Document.  Out: Markdown.
"""

from __future__ import annotations

from symbn.report.document import Document, Line, Section


def markdown(document: Document) -> str:
    """Headings, equations and remarks."""
    about = [escaped(document.about)] if document.about else []
    parts = [f"# {document.layer.name}", *about, *(_section(section) for section in document.sections), *map(escaped, document.remarks)]
    return "\n\n".join(parts)


def escaped(text: str) -> str:
    """Plain words as Markdown."""
    for character in "\\`*_[]#|~$":
        text = text.replace(character, f"\\{character}")
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _section(section: Section) -> str:
    return "\n\n".join([f"## {section.title}", *map(_line, section.lines)])


def _line(line: Line) -> str:
    lead = " ".join(part for part in (f"**{line.label}**" if line.label else "", escaped(line.reason)) if part)
    fence = f"```math\n{line.latex}\n```"
    return f"{lead}\n\n{fence}" if lead else fence
