"""What does not depend on a loop's letters leaves the loop.

In: the body of a loop nest over some letters.  Out: the body, with every part that has fewer letters replaced by what `name` makes of it.
Products are grouped first: gamma[c]*dy[i, c]/s[c] becomes (gamma[c]/s[c])*dy[i, c].
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from symbn.expr import MINUS_ONE, Add, Call, Expr, Index, Mul, Num, Pow, Read, free_indices, mul, walk

Name = Callable[[Expr], Expr]
Letters = frozenset[Index]


def hoisted(expr: Expr, letters: tuple[Index, ...], name: Name) -> Expr:
    """The body of a loop over `letters`, with its invariant parts named."""
    return _walk(expr, frozenset(letters), name)


def _walk(expr: Expr, letters: Letters, name: Name) -> Expr:
    match expr:
        case Mul(factors):
            return _product(factors, letters, name)
        case Pow(base, Num(exponent)) if _reads_base_twice(base, exponent):
            return Pow(name(base), Num(exponent))
    if not expr.children:
        return expr
    return expr.rebuild(tuple(_child(child, letters, name) for child in expr.children))


def _child(child: Expr, letters: Letters, name: Name) -> Expr:
    if isinstance(child, Mul) and child.factors[0] == MINUS_ONE:
        return mul(MINUS_ONE, _child(mul(*child.factors[1:]), letters, name))
    if _worth_a_name(child) and _letters(child) < letters:
        return name(child)
    return _walk(child, letters, name)


def _product(factors: tuple[Expr, ...], letters: Letters, name: Name) -> Expr:
    """Factors of one set of letters are brought together, smaller sets inside larger ones, each where its first factor stood."""
    homes = {_letters(factor): _letters(factor) for factor in factors}
    for small in sorted(homes, key=len):
        homes[small] = next((large for large in sorted(homes, key=len) if small < large < letters), small)
    groups: dict[Letters, list[Expr]] = {}
    for factor in factors:
        if factor != MINUS_ONE:
            groups.setdefault(_home(_letters(factor), homes), []).append(factor)
    product = [part for group, members in groups.items() for part in _group(members, group, letters, name)]
    return mul(*([MINUS_ONE] * factors.count(MINUS_ONE)), *product)


def _home(group: Letters, homes: dict[Letters, Letters]) -> Letters:
    while homes[group] != group:
        group = homes[group]
    return group


def _group(members: list[Expr], group: Letters, letters: Letters, name: Name) -> list[Expr]:
    together = mul(*members)
    if group < letters and _worth_a_name(together):
        return [name(together)]
    return [_child(member, letters, name) for member in members]


def _worth_a_name(expr: Expr) -> bool:
    """Whether it computes something; a quotient of extents alone is as cheap as a name."""
    return isinstance(expr, (Add, Mul, Pow, Call)) and any(isinstance(node, (Read, Call)) for node in walk(expr))


def _reads_base_twice(base: Expr, exponent: Fraction) -> bool:
    """x**2 is written x*x, and x**(3/2) is x*sqrt(x): the base should be a name."""
    return bool(base.children) and exponent.denominator in (1, 2) and abs(exponent) not in (1, Fraction(1, 2))


def _letters(expr: Expr) -> Letters:
    return frozenset(free_indices(expr))
