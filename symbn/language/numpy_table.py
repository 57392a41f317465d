"""A row of the table of functions.

In: nothing.  Out: the record that the tables are made of.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from symbn.language.numpy_arguments import Arguments
from symbn.language.numpy_arrays import Value


@dataclass(frozen=True, slots=True)
class Function:
    """The names of a function's parameters in order, a `*name` for all that are left, and its value."""

    parameters: tuple[str, ...]
    make: Callable[[Arguments], Value]
