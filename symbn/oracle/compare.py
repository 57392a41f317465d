"""When two arrays are the same.

In: two arrays of one arithmetic.  Out: how far apart they may be, and the first place where they are not the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from symbn.oracle.numbers import CLAIMED_DIGITS, NEGLIGIBLE, Arithmetic, Leaf


def tolerance(expected: Leaf, arithmetic: Arithmetic) -> Any:
    """0 where arithmetic is exact, else CLAIMED_DIGITS digits of the largest element."""
    if arithmetic.exact:
        return 0
    return arithmetic.number(Fraction(1, 10**CLAIMED_DIGITS)) * max(largest(expected), arithmetic.number(NEGLIGIBLE))


def largest(array: Leaf) -> Any:
    """The largest absolute value."""
    return max((element if element > 0 else -element for element in array.flat), default=Fraction(0))


def first_difference(found: Leaf, expected: Leaf, allowed: Any) -> tuple[int, ...] | None:
    """The first place whose elements are further apart than allowed; () where the shapes differ, None where all are the same."""
    if found.shape != expected.shape:
        return ()
    places: Iterator[tuple[int, ...]] = np.ndindex(*found.shape)
    if isinstance(allowed, int) and allowed == 0:
        return next((place for place in places if found[place] != expected[place]), None)
    return next((place for place in places if not -allowed <= found[place] - expected[place] <= allowed), None)
