"""Which expressions are the same value under other index letters and another order of terms.

In: an expression without reductions.  Out: a key that equal values share, and its free letters in the order the key numbers them.
"""

from __future__ import annotations

from functools import lru_cache

from symbn.expr import Add, Delta, Expr, Index, Mul, Read, free_indices, rename_indices, walk

Key = tuple[object, ...]


@lru_cache(maxsize=65536)
def key_of(expr: Expr, bound: tuple[Index, ...] = ()) -> tuple[Key, tuple[Index, ...]]:
    """The key, and the free letters it stands for; letters of `bound` are numbered apart, so that they never match a free one."""
    ordered = _ordered(expr)
    letters = _letters(ordered)
    free = tuple(letter for letter in letters if letter not in bound)
    inner = tuple(letter for letter in letters if letter in bound)
    numbered = {letter: Index(f"@{number}", letter.axis) for number, letter in enumerate(free)}
    numbered |= {letter: Index(f"@@{number}", letter.axis) for number, letter in enumerate(inner)}
    unread = tuple(sorted(letter.axis for letter in bound if letter not in inner))
    return (rename_indices(ordered, numbered), unread), free


def memory_order(letters: tuple[Index, ...], expr: Expr) -> tuple[Index, ...]:
    """The letters in the order in which the array that has most of them has them."""
    orders = [free_indices(node) for node in walk(expr) if isinstance(node, Read)]
    best = max(orders, key=lambda order: len([letter for letter in order if letter in letters]), default=())
    return (*(letter for letter in best if letter in letters), *(letter for letter in letters if letter not in best))


def _letters(expr: Expr) -> tuple[Index, ...]:
    return tuple(dict.fromkeys(letter for node in walk(expr) if isinstance(node, (Read, Delta)) for letter in free_indices(node)))


@lru_cache(maxsize=65536)
def _ordered(expr: Expr) -> Expr:
    """Terms and factors in an order that does not depend on letters."""
    if not expr.children:
        return expr
    children = tuple(_ordered(child) for child in expr.children)
    if isinstance(expr, (Add, Mul)):
        children = tuple(sorted(children, key=_masked))
    return expr.rebuild(children)


@lru_cache(maxsize=65536)
def _masked(expr: Expr) -> str:
    letters = _letters(expr)
    return repr(rename_indices(expr, {letter: Index("@", letter.axis) for letter in letters}))
