"""Random expressions, and an exact meaning for each."""

# ruff: noqa: E501

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from hypothesis import strategies as st

from symbn.expr import Add, Call, Compare, Delta, Expr, Extent, Index, Mul, Num, Pow, Read, Reduce, num, rename_indices
from symbn.language import parse_layer

SIZE = {"N": 2, "C": 3}
FREE = (Index("i", "N"), Index("c", "C"))
LAYER = parse_layer('def f(x: "N", b: "C", w: "N C", g, h, *, eps=1e-5):\n    y[i] = x[i]\n    return y\n')
PLACES = [{"i": i, "c": c} for i in range(2) for c in range(3)]


# An exact meaning for every expression, modulo a prime, where a root is a square's root and a quotient a quotient. Each transcendental
# function is some fixed polynomial.
PRIME = 2**61 - 1
SEEDS = range(64)


def value(expr: Expr, at: Mapping[str, int], seed: int = 0) -> int:
    """The value at index values; ZeroDivisionError where there is none, as of the root of a number that is no square."""
    match expr:
        case Num(number):
            return number.numerator * inverse(number.denominator) % PRIME
        case Extent(axis):
            return size(axis)
        case Read(name, indices):
            place = sum(n * at[index.name] for n, index in enumerate(indices, 3))
            return pow(1000 * (sum(map(ord, name)) + 100 * seed) + place, 5, PRIME)
        case Delta(left, right):
            return int(at[left.name] == at[right.name])
        case Add(terms):
            return sum(value(term, at, seed) for term in terms) % PRIME
        case Mul(factors):
            product = 1
            for factor in factors:
                product = product * value(factor, at, seed) % PRIME
            return product
        case Pow(base, Num(exponent)):
            return power(value(base, at, seed), exponent)
        case Pow(base, exponent):
            return pow(value(base, at, seed), value(exponent, at, seed), PRIME)
        case Call("sqrt", (argument,)):
            return root(value(argument, at, seed))
        case Call("where", (condition, yes, no)):
            assert isinstance(condition, Compare)
            holds = {"<": (-1,), "<=": (-1, 0), ">": (1,), ">=": (1, 0), "==": (0,), "!=": (-1, 1)}[condition.operator]
            left, right = value(condition.left, at, seed) % 5, value(condition.right, at, seed) % 5  # so that they are equal at times
            return value(yes if (left > right) - (left < right) in holds else no, at, seed)
        case Call(function, args):
            shift = sum(map(ord, function))
            return sum(pow(value(argument, at, seed) + shift, n, PRIME) for n, argument in enumerate(args, 3)) % PRIME
        case Reduce(kind, body, indices):
            return reduced(kind, body, indices, at, seed)
    raise TypeError(expr)


def defined(expr: Expr, places: Sequence[Mapping[str, int]]) -> tuple[int, list[int]] | None:
    """A seed for which the expression has values at all places, and these."""
    for seed in SEEDS:
        try:
            return seed, [value(expr, place, seed) for place in places]
        except ZeroDivisionError:
            continue
    return None


def reduced(kind: str, body: Expr, indices: tuple[Index, ...], at: Mapping[str, int], seed: int) -> int:
    places = [dict(at)]
    for index in indices:
        places = [{**place, index.name: n} for place in places for n in range(size(index.axis))]
    values = [value(body, place, seed) for place in places]
    total = sum(values) % PRIME
    return {"sum": total, "mean": total * inverse(len(values)) % PRIME, "max": max(values), "min": min(values)}[kind]


def size(axis: str) -> int:
    """The extent of an axis, 2 or 3."""
    return SIZE.get(axis, 2 + ord(axis[0]) % 2)


def inverse(number: int) -> int:
    if number % PRIME == 0:
        raise ZeroDivisionError
    return pow(number, -1, PRIME)


def root(number: int) -> int:
    found = pow(number, (PRIME + 1) // 4, PRIME)
    if found * found % PRIME != number:
        raise ZeroDivisionError("not a square")
    return found


def power(base: int, exponent: Fraction) -> int:
    if exponent.denominator == 2:
        base = root(base)
    elif exponent.denominator != 1:
        base = base + exponent.denominator
    if exponent > 0:
        return pow(base, exponent.numerator, PRIME)
    return pow(inverse(base), -exponent.numerator, PRIME)


NUMBERS = st.builds(lambda a, b: num(Fraction(a, b)), st.integers(-4, 9), st.integers(1, 4))
LEAVES = st.one_of(
    NUMBERS,
    st.sampled_from((num(1), num(-1), num(2), Extent("N"), Read("g"), Read("h"), Read("eps"), Read("x", FREE[:1]), Read("b", FREE[1:]), Read("w", FREE))),
)
EXPONENTS = st.sampled_from([Fraction(p, q) for p, q in ((-1, 1), (-2, 1), (2, 1), (3, 1), (1, 2), (-1, 2), (-3, 2), (3, 2), (1, 3))])


def over(index: Index, body: Expr) -> Expr:
    """The expression with its free index of that axis renamed, to be bound."""
    return rename_indices(body, {free: index for free in FREE if free.axis == index.axis})


def grown(smaller: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    several = st.lists(smaller, min_size=2, max_size=3)
    letters = st.sampled_from([Index("j", "N"), Index("k", "C"), Index("l", "N")])
    return st.one_of(
        st.builds(lambda parts: Add(tuple(parts)), several),
        st.builds(lambda parts: Mul(tuple(parts)), several),
        st.builds(lambda base, exponent: Pow(base, num(exponent)), smaller, EXPONENTS),
        st.builds(lambda function, argument: Call(function, (argument,)), st.sampled_from(("sqrt", "exp", "rsqrt", "abs")), smaller),
        st.builds(lambda sign, a, b: Call("where", (Compare(sign, a, b), a, b)), st.sampled_from(("<", ">=", "==")), smaller, smaller),
        st.builds(lambda kind, j, body: Reduce(kind, over(j, body), (j,)), st.sampled_from(("sum", "mean", "max")), letters, smaller),
    )


TREES = st.recursive(LEAVES, grown, max_leaves=12)


def shadows(expr: Expr, bound: frozenset[str] = frozenset()) -> bool:
    """Whether a reduction binds a letter that one around it binds: the language refuses it, so no tree here should have it."""
    if isinstance(expr, Reduce):
        names = {index.name for index in expr.indices}
        return bool(names & bound) or shadows(expr.body, bound | names)
    return any(shadows(child, bound) for child in expr.children)
