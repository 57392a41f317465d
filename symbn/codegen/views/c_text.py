"""Lines of C as text.

In: lines.  Out: the same, or what is in them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

INDENT = "    "


def occurs(name: str, lines: Iterable[str]) -> bool:
    """Whether a name stands in the lines, comments aside."""
    word = re.compile(rf"\b{re.escape(name)}\b")
    return any(word.search(re.sub(r"/\*.*?\*/", "", line)) for line in lines)


def indented(lines: Iterable[str]) -> list[str]:
    """One step further to the right."""
    return [f"{INDENT}{line}" if line else "" for line in lines]
