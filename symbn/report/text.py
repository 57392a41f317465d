"""The report as plain text: the layer language, or Unicode mathematics for a terminal.

In: a Document.  Out: text whose equations, in the layer language, can be fed back to symbn.
"""

from __future__ import annotations

from collections.abc import Callable

from symbn.report.document import Document, Line, Section


def text(document: Document, *, show: Callable[[Line], str]) -> str:
    """`show` gives an equation's text: ASCII or Unicode."""
    title = f"{document.layer.name}: {document.about}" if document.about else document.layer.name
    parts = [title, *(_section(section, show) for section in document.sections), "\n".join(document.remarks)]
    return "\n\n".join(parts)


def _section(section: Section, show: Callable[[Line], str]) -> str:
    width = max((len(line.label) + 2 for line in section.lines if line.label), default=0)
    return "\n".join([section.title, *(row for line in section.lines for row in _rows(line, width, show))])


def _rows(line: Line, width: int, show: Callable[[Line], str]) -> list[str]:
    """The labeled equation, and its reason on a row of its own below."""
    equation = f"  {line.label:<{width}}{show(line)}"
    return [equation, f"  {'':<{width}}    {line.reason}"] if line.reason else [equation]
