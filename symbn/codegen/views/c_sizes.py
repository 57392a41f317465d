"""The sizes that loops are written with.

In: the text of a C file.  Out: an enumeration of those it uses. docs/kernels.md says how they were chosen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from symbn.codegen.views.c_signature import JOINED_PARTS
from symbn.codegen.views.c_text import occurs

SIZES: Mapping[str, tuple[int, str]] = MappingProxyType(
    {
        "LANES": (32, "sums that run side by side"),
        "NARROW": (16, "the same for each of several rows"),
        "CHUNK": (512, "elements that go to lanes before the lanes go to a double"),
        "BLOCK": (512, "elements that are written at once"),
        "PIECE": (128, "elements of a row that pass by the caches at once"),
        "FOLDED": (512, "elements of several short rows that are taken as one"),
        "COLUMNS": (2048, "the most columns whose sums are taken at once"),
        "WIDE": (8192, "columns' sums that are taken at once beside those of rows"),
        "SUMS": (32768, "room for the columns' sums of parts of rows"),
        "ROWS": (16, "rows that are summed before the sums go to double"),
        "TOGETHER": (4, "rows that are read at once"),
        "PAGE": (4096, "bytes of neighboring rows from which on several are read at once"),
        "RUN": (1024, "elements of small planes that are taken at once"),
        "PLANE": (256, "the most elements that a small plane has"),
        "JOINED_PARTS": (JOINED_PARTS, "the same as PARTS for a loop whose parts each have sums of columns"),
        "PARTS": (64, "the most parts that a loop is cut into"),
    }
)


def sizes_in(macro: str, lines: Iterable[str]) -> tuple[str, ...]:
    """The members of the enumeration, in the table's order."""
    text = "\n".join(lines)
    used = [name for name in SIZES if occurs(f"{macro}_{name}", [text])]
    members = [(f"{macro}_{name} = {SIZES[name][0]}", f"/* {SIZES[name][1]} */") for name in used]
    return (*(f"{member}, {comment}" for member, comment in members[:-1]), *(f"{member} {comment}" for member, comment in members[-1:]))
