"""Random changes of formulas: slips, which make them wrong, and rewritings, which do not.

In: a formula and a random generator.  Out: another formula. Used by the tests and by benchmarks/equations.py; independent of `symbn.proof`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from random import Random

from symbn.expr import (
    Add,
    Call,
    Compare,
    Delta,
    Expr,
    Extent,
    Index,
    Mul,
    Num,
    Pow,
    Read,
    Reduce,
    add,
    div,
    free_indices,
    mul,
    neg,
    num,
    power,
    rename_indices,
)
from symbn.layer import Layer

Change = Callable[[Expr, "Site"], list[Expr]]


@dataclass(frozen=True, slots=True)
class Site:
    """Where a change happens: the layer, the letters in scope, the axes of further names, and a random generator."""

    layer: Layer
    scope: tuple[Index, ...]
    names: dict[str, tuple[str, ...]]
    rng: Random


def changed(expr: Expr, changes: dict[str, Change], site: Site) -> tuple[str, Expr] | None:
    """One random change somewhere in the expression, and its name; None where none of them applies."""
    places = list(_places(expr, ()))
    site.rng.shuffle(places)
    for path, inner in places:
        kinds = list(changes)
        site.rng.shuffle(kinds)
        node = _at(expr, path)
        for kind in kinds:
            found = changes[kind](node, replace(site, scope=(*site.scope, *inner)))
            if found:
                return kind, _put(expr, path, site.rng.choice(found))
    return None


def _places(expr: Expr, path: tuple[int, ...], bound: tuple[Index, ...] = ()) -> Iterator[tuple[tuple[int, ...], tuple[Index, ...]]]:
    if not isinstance(expr, Compare):
        yield path, bound
    inner = (*bound, *expr.indices) if isinstance(expr, Reduce) else bound
    for place, child in enumerate(expr.children):
        if not (isinstance(expr, Pow) and place == 1):
            yield from _places(child, (*path, place), inner)


def _at(expr: Expr, path: tuple[int, ...]) -> Expr:
    for place in path:
        expr = expr.children[place]
    return expr


def _put(expr: Expr, path: tuple[int, ...], new: Expr) -> Expr:
    if not path:
        return new
    place, *rest = path
    child = _put(expr.children[place], tuple(rest), new)
    return expr.rebuild((*expr.children[:place], child, *expr.children[place + 1 :]))


# Slips.


def drop_term(expr: Expr, site: Site) -> list[Expr]:
    return [add(*(t for t in expr.terms if t is not term)) for term in expr.terms] if isinstance(expr, Add) else []


def double_term(expr: Expr, site: Site) -> list[Expr]:
    return [add(*expr.terms, term) for term in expr.terms] if isinstance(expr, Add) else []


def drop_factor(expr: Expr, site: Site) -> list[Expr]:
    return [mul(*(f for f in expr.factors if f is not factor)) for factor in expr.factors] if isinstance(expr, Mul) else []


def turn_sign(expr: Expr, site: Site) -> list[Expr]:
    if not isinstance(expr, Add):
        return []
    return [add(*(neg(t) if t is term else t for t in expr.terms)) for term in expr.terms]


def sum_for_mean(expr: Expr, site: Site) -> list[Expr]:
    other = {"sum": "mean", "mean": "sum", "max": "min", "min": "max"}
    return [Reduce(other[expr.kind], expr.body, expr.indices)] if isinstance(expr, Reduce) else []


def extent_by_one(expr: Expr, site: Site) -> list[Expr]:
    return [add(expr, num(-1)), add(expr, num(1))] if isinstance(expr, Extent) else []


def wrong_index(expr: Expr, site: Site) -> list[Expr]:
    if not isinstance(expr, Read):
        return []
    found = []
    for place, index in enumerate(expr.indices):
        for other in site.scope:
            if other.axis == index.axis and other != index:
                found.append(Read(expr.name, (*expr.indices[:place], other, *expr.indices[place + 1 :])))
    return found


def wrong_exponent(expr: Expr, site: Site) -> list[Expr]:
    match expr:
        case Pow(base, Num(value)):
            return [power(base, other) for other in (value + 1, value - 1, -value, value / 2) if other not in (0, value)]
        case Call("sqrt", (inside,)):
            return [inside, Call("rsqrt", (inside,))]
    return []


def swapped_name(expr: Expr, site: Site) -> list[Expr]:
    if not isinstance(expr, Read):
        return []
    axes = tuple(index.axis for index in expr.indices)
    known = {part.name: part.axes for part in site.layer.parts} | site.names
    return [Read(name, expr.indices) for name, own in known.items() if own == axes and name != expr.name]


SLIPS: dict[str, Change] = {
    "a dropped term": drop_term,
    "a doubled term": double_term,
    "a dropped factor": drop_factor,
    "a sign": turn_sign,
    "sum for mean": sum_for_mean,
    "N for N - 1": extent_by_one,
    "a wrong index": wrong_index,
    "an exponent": wrong_exponent,
    "a swapped name": swapped_name,
}


# Rewritings.


def expand(expr: Expr, site: Site) -> list[Expr]:
    """a*(b + c) = a*b + a*c."""
    if not isinstance(expr, Mul):
        return []
    found = []
    for place, factor in enumerate(expr.factors):
        if isinstance(factor, Add):
            rest = (*expr.factors[:place], *expr.factors[place + 1 :])
            found.append(add(*(mul(*rest, term) for term in factor.terms)))
    return found


def split_sum(expr: Expr, site: Site) -> list[Expr]:
    """sum(a + b) = sum(a) + sum(b)."""
    match expr:
        case Reduce(kind, Add(terms), indices) if kind in ("sum", "mean"):
            return [add(*(Reduce(kind, term, indices) for term in terms))]
    return []


def join_sums(expr: Expr, site: Site) -> list[Expr]:
    """c*sum(a) = sum(c*a)."""
    if not isinstance(expr, Mul):
        return []
    found = []
    for place, factor in enumerate(expr.factors):
        if isinstance(factor, Reduce) and factor.kind in ("sum", "mean"):
            rest = mul(*expr.factors[:place], *expr.factors[place + 1 :])
            if not set(factor.indices) & set(free_indices(rest)):
                found.append(Reduce(factor.kind, mul(rest, factor.body), factor.indices))
    return found


def out_of_sum(expr: Expr, site: Site) -> list[Expr]:
    """sum(c*a) = c*sum(a)."""
    match expr:
        case Reduce(kind, Mul(factors), indices) if kind in ("sum", "mean"):
            outside = [f for f in factors if not set(indices) & set(free_indices(f))]
            inside = [f for f in factors if set(indices) & set(free_indices(f))]
            return [mul(*outside, Reduce(kind, mul(*inside), indices))] if outside and inside else []
    return []


def mean_as_sum(expr: Expr, site: Site) -> list[Expr]:
    match expr:
        case Reduce("mean", body, indices):
            return [div(Reduce("sum", body, indices), mul(*(Extent(i.axis) for i in indices)))]
        case Reduce("sum", body, indices):
            return [mul(*(Extent(i.axis) for i in indices), Reduce("mean", body, indices))]
    return []


def unfold(expr: Expr, site: Site) -> list[Expr]:
    """A name by its definition."""
    if not isinstance(expr, Read):
        return []
    for definition in site.layer.definitions:
        if definition.name == expr.name:
            return [rename_indices(definition.expr, dict(zip(definition.indices, expr.indices, strict=True)))]
    return []


def reorder(expr: Expr, site: Site) -> list[Expr]:
    if not isinstance(expr, Add | Mul):
        return []
    parts = list(expr.children)
    site.rng.shuffle(parts)
    return [expr.rebuild(tuple(parts))]


def power_as_product(expr: Expr, site: Site) -> list[Expr]:
    match expr:
        case Pow(base, Num(value)) if value == 2:
            return [mul(base, base)]
        case Call("sqrt", (inside,)):
            return [power(inside, Fraction(1, 2)), div(inside, expr), power(Call("rsqrt", (inside,)), -1)]
        case Call("rsqrt", (inside,)):
            return [power(inside, Fraction(-1, 2))]
        case Pow(base, Num(value)) if value.denominator == 2 and value < -1:
            return [mul(power(base, value + 1), power(base, -1))]
    return []


def nothing_added(expr: Expr, site: Site) -> list[Expr]:
    """a = a + b - b, and a = 2*a - a."""
    names = [part.name for part in site.layer.parts if not part.axes]
    extra = [add(expr, Read(name), neg(Read(name))) for name in names]
    return [*extra, add(mul(num(2), expr), neg(expr))] if not isinstance(expr, Num | Delta) else []


def nested_quotient(expr: Expr, site: Site) -> list[Expr]:
    """a = a*(1 + c)/(1 + c)."""
    names = [part.name for part in site.layer.parts if not part.axes]
    return [div(mul(expr, add(num(1), Read(name))), add(num(1), Read(name))) for name in names] if names else []


REWRITINGS: dict[str, Change] = {
    "expanded": expand,
    "a sum split": split_sum,
    "a factor into a sum": join_sums,
    "a factor out of a sum": out_of_sum,
    "mean and sum": mean_as_sum,
    "a name unfolded": unfold,
    "reordered": reorder,
    "powers": power_as_product,
    "zero added": nothing_added,
    "one multiplied": nested_quotient,
}
