"""Expressions: the tree that a layer, a gradient and a kernel are written in.

In: nothing.  Out: immutable, hashable nodes that keep the author's order of terms and factors.

Why not SymPy's own nodes here: they reorder what the author wrote, distribute `2*(a + b)` and merge exponentials while being built, and
their `Sum` captures bound indices (docs/mathematics.md lists the cases). SymPy does the algebra in `calculus`, and results leave
as plain SymPy through `calculus/to_sympy.py`.

The whole grammar:

    Expr = Num(value) | Extent(axis) | Read(name, indices) | Add(terms) | Mul(factors) | Pow(base, exponent)
         | Call(function, args) | Compare(operator, left, right) | Reduce(kind, body, indices) | Delta(left, right)

A quotient a/b is Mul((a, Pow(b, Num(-1)))), a difference a - b is Add((a, Mul((Num(-1), b)))). A scalar is a Read without indices.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import count


@dataclass(frozen=True, slots=True, order=True)
class Index:
    """An index letter and the axis it runs over; `Index("i", "N")` takes the values 1..N."""

    name: str
    axis: str


class Expr:
    """Base of all nodes. Equality is structural: two sums that differ in a bound letter are different trees."""

    __slots__ = ()

    @property
    def children(self) -> tuple[Expr, ...]:
        """The expressions directly below this one."""
        return ()

    def rebuild(self, children: tuple[Expr, ...]) -> Expr:
        """The same node over other children."""
        return self


@dataclass(frozen=True, slots=True)
class Num(Expr):
    """An exact rational number."""

    value: Fraction


@dataclass(frozen=True, slots=True)
class Extent(Expr):
    """The extent of an axis, a symbolic positive integer."""

    axis: str


@dataclass(frozen=True, slots=True)
class Read(Expr):
    """The value of an input, constant, definition or cotangent at some indices: `xhat[i, c]`, or `gamma`."""

    name: str
    indices: tuple[Index, ...] = ()


@dataclass(frozen=True, slots=True)
class Delta(Expr):
    """Kronecker's delta: 1 where the two indices, over one axis, are equal, else 0."""

    left: Index
    right: Index


@dataclass(frozen=True)
class _Node(Expr):
    """A node with children; hash and free indices are kept, since trees are deep, shared and used as keys."""

    @cached_property
    def _hash(self) -> int:
        return hash((type(self).__name__, *(getattr(self, name) for name in self.__dataclass_fields__)))

    @cached_property
    def _free(self) -> tuple[Index, ...]:
        bound = self.indices if isinstance(self, Reduce) else ()
        return tuple(dict.fromkeys(i for child in self.children for i in free_indices(child) if i not in bound))

    def __hash__(self) -> int:
        return self._hash


@dataclass(frozen=True)
class Add(_Node):
    """The sum of at least two terms, in the author's order."""

    terms: tuple[Expr, ...]
    __hash__ = _Node.__hash__

    @property
    def children(self) -> tuple[Expr, ...]:
        return self.terms

    def rebuild(self, children: tuple[Expr, ...]) -> Expr:
        return Add(children)


@dataclass(frozen=True)
class Mul(_Node):
    """The product of at least two factors, in the author's order."""

    factors: tuple[Expr, ...]
    __hash__ = _Node.__hash__

    @property
    def children(self) -> tuple[Expr, ...]:
        return self.factors

    def rebuild(self, children: tuple[Expr, ...]) -> Expr:
        return Mul(children)


@dataclass(frozen=True)
class Pow(_Node):
    """`base ** exponent`."""

    base: Expr
    exponent: Expr
    __hash__ = _Node.__hash__

    @property
    def children(self) -> tuple[Expr, ...]:
        return (self.base, self.exponent)

    def rebuild(self, children: tuple[Expr, ...]) -> Expr:
        return Pow(*children)


@dataclass(frozen=True)
class Call(_Node):
    """An elementwise function of FUNCTIONS, or one of CONSTANTS without arguments.

    `where(condition, a, b)` has a Compare as its first argument.
    """

    function: str
    args: tuple[Expr, ...]
    __hash__ = _Node.__hash__

    @property
    def children(self) -> tuple[Expr, ...]:
        return self.args

    def rebuild(self, children: tuple[Expr, ...]) -> Expr:
        return Call(self.function, children)


@dataclass(frozen=True)
class Compare(_Node):
    """A comparison, one of COMPARISONS."""

    operator: str
    left: Expr
    right: Expr
    __hash__ = _Node.__hash__

    @property
    def children(self) -> tuple[Expr, ...]:
        return (self.left, self.right)

    def rebuild(self, children: tuple[Expr, ...]) -> Expr:
        return Compare(self.operator, *children)


@dataclass(frozen=True)
class Reduce(_Node):
    """A reduction of REDUCTIONS over bound indices: `mean(body for j in N for k in K)`."""

    kind: str
    body: Expr
    indices: tuple[Index, ...]
    __hash__ = _Node.__hash__

    @property
    def children(self) -> tuple[Expr, ...]:
        return (self.body,)

    def rebuild(self, children: tuple[Expr, ...]) -> Expr:
        return Reduce(self.kind, children[0], self.indices)


REDUCTIONS = ("sum", "mean", "max", "min")
COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")
# Elementwise functions and how many arguments each takes.
FUNCTIONS: Mapping[str, int] = {
    "sqrt": 1, "rsqrt": 1, "exp": 1, "log": 1, "log1p": 1, "expm1": 1, "tanh": 1, "sigmoid": 1, "erf": 1, "sin": 1, "cos": 1,
    "abs": 1, "sign": 1, "relu": 1, "maximum": 2, "minimum": 2, "where": 3, "stop_gradient": 1,
}  # fmt: skip

# Named numbers, written without parentheses, as `Call(name, ())`.
CONSTANTS = ("pi",)

ZERO, ONE, MINUS_ONE = Num(Fraction(0)), Num(Fraction(1)), Num(Fraction(-1))


def num(value: int | Fraction) -> Num:
    """An exact number node."""
    return Num(Fraction(value))


def add(*terms: Expr) -> Expr:
    """The sum, flattened, without zeros; 0 when nothing is left."""
    flat = [t for term in terms for t in (term.terms if isinstance(term, Add) else (term,)) if t != ZERO]
    return ZERO if not flat else flat[0] if len(flat) == 1 else Add(tuple(flat))


def mul(*factors: Expr) -> Expr:
    """The product, flattened, without ones; 0 when a factor is 0. Numbers are not multiplied out."""
    flat = [f for factor in factors for f in (factor.factors if isinstance(factor, Mul) else (factor,)) if f != ONE]
    if ZERO in flat:
        return ZERO
    return ONE if not flat else flat[0] if len(flat) == 1 else Mul(tuple(flat))


def neg(expr: Expr) -> Expr:
    """-expr; a number's sign flips at once."""
    return Num(-expr.value) if isinstance(expr, Num) else mul(MINUS_ONE, expr)


def power(base: Expr, exponent: int | Fraction) -> Expr:
    """base ** exponent for a rational exponent; exponents 0 and 1 vanish."""
    return ONE if exponent == 0 else base if exponent == 1 else Pow(base, num(exponent))


def div(numerator: Expr, denominator: Expr) -> Expr:
    """numerator/denominator."""
    return mul(numerator, power(denominator, -1))


def walk(expr: Expr) -> Iterator[Expr]:
    """Every node, parents before children, left to right."""
    yield expr
    for child in expr.children:
        yield from walk(child)


def transform(expr: Expr, change: Callable[[Expr], Expr]) -> Expr:
    """`change` applied to every node, children first."""
    if expr.children:
        expr = expr.rebuild(tuple(transform(child, change) for child in expr.children))
    return change(expr)


def reads(expr: Expr) -> tuple[str, ...]:
    """The names that are read, each once, in order of first appearance."""
    return tuple(dict.fromkeys(node.name for node in walk(expr) if isinstance(node, Read)))


def free_indices(expr: Expr) -> tuple[Index, ...]:
    """Indices that no reduction inside binds, in order of first appearance."""
    match expr:
        case Read(indices=indices):
            return tuple(dict.fromkeys(indices))
        case Delta(left, right):
            return tuple(dict.fromkeys((left, right)))
        case _Node():
            return expr._free
    return ()


def fresh_index(axis: str, taken: set[str], *, like: str | None = None) -> Index:
    """An index over `axis` whose letter is not in `taken`: `like` if free, else j, k, l, m, ..., then j1, j2, ..."""
    letters = [*([like] if like else []), *"jklmnpqrtuvw"]
    for letter in (*letters, *(f"j{number}" for number in range(1, len(taken) + 2))):
        if letter not in taken:
            return Index(letter, axis)
    return Index(f"j{next(n for n in count() if f'j{n}' not in taken)}", axis)


def rename_indices(expr: Expr, mapping: Mapping[Index, Index]) -> Expr:
    """Replaces free indices; a bound index that would capture a new one is renamed first."""
    if not mapping:
        return expr
    match expr:
        case Read(name, indices):
            return Read(name, tuple(mapping.get(i, i) for i in indices))
        case Delta(left, right):
            return Delta(mapping.get(left, left), mapping.get(right, right))
        case Reduce(kind, body, bound):
            return _rename_under_binder(kind, body, bound, mapping)
    return expr.rebuild(tuple(rename_indices(child, mapping) for child in expr.children))


def _rename_under_binder(kind: str, body: Expr, bound: tuple[Index, ...], mapping: Mapping[Index, Index]) -> Expr:
    inner = {old: new for old, new in mapping.items() if old not in bound}
    incoming = {new.name for new in inner.values()}
    taken = incoming | {i.name for i in free_indices(body)} | {i.name for i in bound}
    binders = []
    for index in bound:
        if index.name in incoming:
            renamed = fresh_index(index.axis, taken)
            taken.add(renamed.name)
            inner[index] = renamed
            index = renamed
        binders.append(index)
    return Reduce(kind, rename_indices(body, inner), tuple(binders))
