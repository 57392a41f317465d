"""Polynomials in atoms: the one form in which the calculus adds, multiplies and compares.

In: atoms (array reads, extents, functions, radicands, sums).  Out: `Poly`, a sum of monomials with rational coefficients and rational
exponents, equal to another as data exactly when it has the same terms. Bound indices carry canonical names, so equality is up to renaming.

A monomial is a tuple of (atom, exponent) sorted by the atom's key, which is built from names alone: no result depends on hashing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import IntEnum
from fractions import Fraction
from functools import lru_cache
from itertools import count
from typing import Any, ClassVar

from symbn.calculus.work import TooLong, spend
from symbn.expr import Index

# Products of terms in one multiplication. It depends on the factors alone, so what is given up is given up on every machine.
LARGEST_PRODUCT = 5_000

Number = int | Fraction
Monomial = tuple[tuple["Atom", Number], ...]


class Kind(IntEnum):
    """What an atom is; the order is the order of factors in a monomial."""

    EXTENT = 0  # (axis,)
    PRIME = 1  # (prime,), under a fractional exponent
    VAR = 2  # (name, indices)
    DELTA = 3  # (index, index)
    FUNC = 4  # (name, polys)
    BASE = 5  # (poly,), a polynomial under an exponent that is not expanded
    SUM = 6  # (bound indices, monomial)
    REDUCE = 7  # (kind, bound indices, poly): max and min


class Atom:
    """An indivisible factor, interned: equal atoms are the same object."""

    __slots__ = ("free", "height", "key", "kind", "names", "parts", "weight")
    _pool: ClassVar[dict[tuple[Any, ...], Atom]] = {}

    kind: Kind
    parts: tuple[Any, ...]
    key: tuple[Any, ...]
    free: tuple[Index, ...]
    height: int
    weight: int  # atoms inside, each as often as it stands there
    names: frozenset[str]  # arrays read anywhere inside; for membership only, never walked

    def __new__(cls, kind: Kind, *parts: Any) -> Atom:
        pooled = cls._pool.get((kind, *parts))
        if pooled is None:
            pooled = object.__new__(cls)
            pooled.kind, pooled.parts = kind, parts
            pooled.key = (int(kind), *(_key(part) for part in parts))
            pooled.free, pooled.height = _scope(kind, parts)
            pooled.names = _names(kind, parts)
            pooled.weight = 1 + _weight_inside(kind, parts)
            cls._pool[(kind, *parts)] = pooled
        return pooled

    def __lt__(self, other: Atom) -> bool:
        return self.key < other.key

    def __repr__(self) -> str:
        return f"{self.kind.name}{self.parts}"


def clear_pool() -> None:
    """Forgets all interned atoms; for long-lived processes between derivations."""
    Atom._pool.clear()
    monomial_key.cache_clear()


class Poly:
    """A sum of monomials; immutable by convention."""

    __slots__ = ("_hash", "_key", "terms")

    def __init__(self, terms: Mapping[Monomial, Number]) -> None:
        self.terms: dict[Monomial, Number] = {m: c for m, c in terms.items() if c != 0}
        self._hash: int | None = None
        self._key: tuple[Any, ...] | None = None

    @property
    def key(self) -> tuple[Any, ...]:
        """Terms in canonical order, as nested tuples of names and numbers."""
        if self._key is None:
            self._key = tuple(sorted((monomial_key(m), c.as_integer_ratio()) for m, c in self.terms.items()))
        return self._key

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Poly) and self.terms == other.terms

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash(frozenset(self.terms.items()))
        return self._hash

    def __bool__(self) -> bool:
        return bool(self.terms)

    def __len__(self) -> int:
        return len(self.terms)

    def __add__(self, other: Poly) -> Poly:
        if len(other.terms) > len(self.terms):
            self, other = other, self
        terms = dict(self.terms)
        for monomial, coefficient in other.terms.items():
            terms[monomial] = terms.get(monomial, 0) + coefficient
        return Poly(terms)

    def __neg__(self) -> Poly:
        return self.scale(-1)

    def __sub__(self, other: Poly) -> Poly:
        return self + other.scale(-1)

    def scale(self, factor: Number) -> Poly:
        """factor * self."""
        return Poly({m: _whole(c * factor) for m, c in self.terms.items()})

    def __mul__(self, other: Poly) -> Poly:
        """The product, multiplied out. Raises TooLong where that would take more than LARGEST_PRODUCT products of terms."""
        if len(self.terms) * len(other.terms) > LARGEST_PRODUCT:
            raise TooLong(f"a product of sums of {len(self.terms)} and {len(other.terms)} terms is not multiplied out")
        spend(len(self.terms) * len(other.terms))
        terms: dict[Monomial, Number] = {}
        for left, a in self.terms.items():
            for right, b in other.terms.items():
                c, monomial = times(left, right)
                terms[monomial] = terms.get(monomial, 0) + a * b * c
        return Poly({m: _whole(c) for m, c in terms.items()})

    def sorted_terms(self) -> list[tuple[Monomial, Number]]:
        """The terms in canonical order: what every walk towards text uses."""
        return sorted(self.terms.items(), key=lambda term: monomial_key(term[0]))

    @property
    def free(self) -> tuple[Index, ...]:
        """Free indices, sorted."""
        return merge_indices(atom.free for monomial in self.terms for atom, _ in monomial)

    @property
    def names(self) -> frozenset[str]:
        """Arrays read anywhere inside."""
        return frozenset(name for monomial in self.terms for atom, _ in monomial for name in atom.names)

    @property
    def height(self) -> int:
        """How deep sums nest inside."""
        return max((atom.height for monomial in self.terms for atom, _ in monomial), default=0)

    @property
    def weight(self) -> int:
        """How many atoms it takes to write it down."""
        return sum(atom.weight for monomial in self.terms for atom, _ in monomial)

    def as_number(self) -> Number | None:
        """The value if this is a plain number."""
        if not self.terms:
            return 0
        return self.terms.get(()) if len(self.terms) == 1 else None

    def single(self) -> tuple[Monomial, Number] | None:
        """The only term, if there is exactly one."""
        return next(iter(self.terms.items())) if len(self.terms) == 1 else None

    def atoms(self) -> list[Atom]:
        """The atoms at the top level of some monomial, sorted, each once."""
        return sorted({atom for monomial in self.terms for atom, _ in monomial})

    def __repr__(self) -> str:
        return " + ".join(f"{c}*{list(m)}" for m, c in self.sorted_terms()) or "0"


def _whole(value: Number) -> Number:
    return value.numerator if isinstance(value, Fraction) and value.denominator == 1 else value


@lru_cache(maxsize=200_000)
def monomial_key(monomial: Monomial) -> tuple[Any, ...]:
    """A comparable key made of names and numbers."""
    return tuple((atom.key, exponent.as_integer_ratio()) for atom, exponent in monomial)


def merge_indices(groups: Iterable[tuple[Index, ...]]) -> tuple[Index, ...]:
    """Every index of the groups once, sorted."""
    return tuple(sorted({index for group in groups for index in group}))


def _key(part: Any) -> Any:
    match part:
        case Poly():
            return part.key
        case Index():
            return (part.name, part.axis)
        case Atom():
            return part.key
        case tuple() if part and isinstance(part[0], tuple) and isinstance(part[0][0], Atom):
            return monomial_key(part)
        case tuple():
            return tuple(_key(item) for item in part)
    return part


def _scope(kind: Kind, parts: tuple[Any, ...]) -> tuple[tuple[Index, ...], int]:
    """Free indices and height of sums of an atom."""
    match kind:
        case Kind.VAR:
            return merge_indices([parts[1]]), 0
        case Kind.DELTA:
            return merge_indices([parts]), 0
        case Kind.FUNC:
            polys = parts[1]
        case Kind.BASE:
            polys = parts
        case Kind.SUM:
            inside = merge_indices(atom.free for atom, _ in parts[1])
            return tuple(i for i in inside if i not in parts[0]), 1 + max((atom.height for atom, _ in parts[1]), default=0)
        case Kind.REDUCE:
            return tuple(i for i in parts[2].free if i not in parts[1]), 1 + parts[2].height
        case _:
            return (), 0
    return merge_indices(poly.free for poly in polys), max((poly.height for poly in polys), default=0)


def _names(kind: Kind, parts: tuple[Any, ...]) -> frozenset[str]:
    match kind:
        case Kind.VAR:
            return frozenset((parts[0],))
        case Kind.SUM:
            return frozenset(name for atom, _ in parts[1] for name in atom.names)
        case Kind.FUNC:
            return frozenset(name for poly in parts[1] for name in poly.names)
        case Kind.BASE | Kind.REDUCE:
            return parts[-1].names  # type: ignore[no-any-return]
    return frozenset()


def _weight_inside(kind: Kind, parts: tuple[Any, ...]) -> int:
    match kind:
        case Kind.SUM:
            return sum(atom.weight for atom, _ in parts[1])
        case Kind.FUNC:
            return sum(poly.weight for poly in parts[1])
        case Kind.BASE | Kind.REDUCE:
            return int(parts[-1].weight)
    return 0


ZERO, ONE = Poly({}), Poly({(): 1})


def constant(value: Number) -> Poly:
    """A number as a polynomial."""
    return Poly({(): _whole(value)})


def of_atom(atom: Atom, exponent: Number = 1) -> Poly:
    """atom ** exponent."""
    return Poly({((atom, exponent),): 1})


def var(name: str, indices: tuple[Index, ...] = ()) -> Poly:
    """An array read."""
    return of_atom(Atom(Kind.VAR, name, indices))


def extent(axis: str) -> Poly:
    """The extent of an axis."""
    return of_atom(Atom(Kind.EXTENT, axis))


def delta(left: Index, right: Index) -> Poly:
    """Kronecker's delta; 1 for one and the same index."""
    return ONE if left == right else of_atom(Atom(Kind.DELTA, *sorted((left, right))))


def func(name: str, *args: Poly) -> Poly:
    """An elementwise function left as it is; `is==` of u and of -u are one atom."""
    if name == "is==" and args[0].sorted_terms()[0][1] < 0:
        args = (-args[0],)
    return of_atom(Atom(Kind.FUNC, name, args))


def times(left: Monomial, right: Monomial) -> tuple[Number, Monomial]:
    """The product of two monomials, and the number that comes out of it."""
    if not left:
        return 1, right
    if not right:
        return 1, left
    exponents: dict[Atom, Number] = dict(left)
    shared = False
    for atom, exponent in right:
        if atom in exponents:
            shared = True
            exponents[atom] = _whole(exponents[atom] + exponent)
        else:
            exponents[atom] = exponent
    if not shared:
        return 1, tuple(sorted(exponents.items(), key=_atom_key))
    return _settle(exponents)


def _atom_key(pair: tuple[Atom, Number]) -> tuple[Any, ...]:
    return pair[0].key


def _settle(exponents: dict[Atom, Number]) -> tuple[Number, Monomial]:
    """Exponents after a product: idempotent atoms, roots of numbers and roots of monomials become whole again."""
    factor: Number = 1
    kept: dict[Atom, Number] = {}
    again: list[Monomial] = []
    for atom, exponent in exponents.items():
        if exponent == 0:
            continue
        if is_idempotent(atom) and exponent > 0:
            exponent = 1
        elif atom.kind is Kind.PRIME:
            whole = exponent.__floor__()
            factor = factor * Fraction(atom.parts[0]) ** whole
            exponent = _whole(exponent - whole)
            if exponent == 0:
                continue
        elif atom.kind is Kind.BASE and isinstance(exponent, int) and (single := atom.parts[0].single()):
            monomial, coefficient = single
            factor = factor * Fraction(coefficient) ** exponent
            again.append(tuple((a, _whole(e * exponent)) for a, e in monomial))
            continue
        kept[atom] = exponent
    result: Monomial = tuple(sorted(kept.items(), key=_atom_key))
    for monomial in again:
        more, result = times(result, monomial)
        factor = factor * more
    return _whole(factor), result


def is_idempotent(atom: Atom) -> bool:
    """Deltas and indicators are their own square."""
    return atom.kind is Kind.DELTA or is_condition(atom)


def is_condition(atom: Atom) -> bool:
    """An indicator: 1 where a comparison holds, else 0."""
    return atom.kind is Kind.FUNC and bool(atom.parts[0].startswith("is"))


_serial = count()


def temporary(axis: str) -> Index:
    """An index that occurs nowhere else; sums rename it before anyone sees it."""
    return Index(f"?{next(_serial)}", axis)
