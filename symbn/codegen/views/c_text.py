"""Lines of C as text.

In: lines.  Out: the same, or what is in them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

INDENT = "    "


@dataclass(frozen=True, slots=True)
class Helper:
    """A helper's text, with {real} for its type, {f} for the suffix of that type's functions, {one} and {zero} for its constants.

    `calls` are the helpers that it calls, as (name, real); a real of None is its own type.
    """

    result: str
    parameters: str
    body: tuple[str, ...]
    comment: tuple[str, ...] = ()
    calls: tuple[tuple[str, str | None], ...] = ()


def occurs(name: str, lines: Iterable[str]) -> bool:
    """Whether a name stands in the lines, comments aside."""
    word = re.compile(rf"\b{re.escape(name)}\b")
    return any(word.search(re.sub(r"/\*.*?\*/", "", line)) for line in lines)


def indented(lines: Iterable[str]) -> list[str]:
    """One step further to the right."""
    return [f"{INDENT}{line}" if line else "" for line in lines]
