"""How much work a question may take.

In: a number of steps.  Out: an error once they are used up. A step is a product of two terms, or a term that is walked: what is given up is
given up on every machine, fast or slow.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from symbn.errors import UnsupportedError


class TooLong(UnsupportedError):
    """A polynomial that is not written out: it would have too many terms."""


_left: list[int] = []  # the steps left to each `limited` around the current place, the innermost last


@contextmanager
def limited(steps: int) -> Iterator[None]:
    """Within it, work of more than `steps` raises TooLong; a limit around it stays in force."""
    allowed = min(steps, _left[-1]) if _left else steps
    _left.append(allowed)
    try:
        yield
    finally:
        used = allowed - _left.pop()
        if _left:
            _left[-1] -= used


def spend(steps: int) -> None:
    """Counts work against the limit, where there is one."""
    if _left:
        _left[-1] -= steps
        if _left[-1] < 0:
            raise TooLong("it takes more steps than are allowed")
