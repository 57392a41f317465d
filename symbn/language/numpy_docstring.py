"""The formulas in a docstring, for a function that has no other body: the kernel is C or Triton, its documentation NumPy.

In: a docstring's node and the names that count.  Out: a statement for each line, with its continuation lines, that assigns such a name.
"""

from __future__ import annotations

import ast
import re

from symbn.language.module import parse_syntax
from symbn.language.source import Source
from symbn.language.tokens import scan

_FORMULA = re.compile(r"(?P<before>\s*(?:[-*]\s+)?`{0,2})(?P<name>[A-Za-z_]\w*)(?:\[[^\]=]*\])?\s*[-+*/]?=(?!=)")
_QUOTES = re.compile(r"""[rRuU]?('{3}|"{3}|'|")""")


def docstring_statements(source: Source, node: ast.expr, names: frozenset[str]) -> list[ast.stmt]:
    """The statements, each at its place. A formula for one of `names` that does not parse is an error; other lines are prose."""
    first, last = node.lineno, node.end_lineno or node.lineno
    lines = [source.line(number) for number in range(first, last + 1)]
    lines[-1] = lines[-1].rstrip().rstrip("\"'")
    lines[0] = _QUOTES.sub(lambda found: " " * len(found[0]), lines[0], count=1)
    statements: list[ast.stmt] = []
    place = 0
    while place < len(lines):
        found = _FORMULA.match(lines[place])
        part = [lines[place]]
        if found is not None and found["name"] in names:
            part = _continued(lines[place:])
            statements += _parsed(source, first + place, _plain(part, len(found["before"])))
        place += len(part)
    return statements


def _continued(lines: list[str]) -> list[str]:
    """The first line, and those that follow as long as a bracket is open."""
    part = [lines[0]]
    for line in lines[1:]:
        if _depth("".join(part)) <= 0 or not line.strip() or _FORMULA.match(line):
            break
        part.append(line)
    return part


def _depth(text: str) -> int:
    return sum(text.count(sign) for sign in "([{") - sum(text.count(sign) for sign in ")]}")


def _plain(lines: list[str], before: int) -> list[str]:
    """Without the marks of a list or of code, and without the full stop."""
    lines = [" " * before + lines[0][before:], *lines[1:]]
    return [*lines[:-1], lines[-1].rstrip("`.,; ")]


def _parsed(source: Source, first: int, lines: list[str]) -> list[ast.stmt]:
    text = "\n".join(lines)
    place = Source(source.file, "\n" * (first - 1) + text, source.kind)
    tokens = scan(place)
    indented = text[:1].isspace() and first > 1
    code = "\n" * (first - 2) + "if 1:\n" + text if indented else place.text
    tree = parse_syntax(place, code, "exec", tokens)
    assert isinstance(tree, ast.Module)
    block = tree.body[0]
    return block.body if isinstance(block, ast.If) else tree.body
