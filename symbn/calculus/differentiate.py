"""The derivative of an expression as a person writes it down first: the rules applied, nothing simplified.

In: an expression tree and what to differentiate by.  Out: a tree in which the total derivative of a name `v` by `x[i]` stands as
`dv_dx[..., i]`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from fractions import Fraction

from symbn.calculus.convert import to_poly
from symbn.calculus.rules import partial
from symbn.calculus.terms import Poly
from symbn.expr import (
    ONE,
    ZERO,
    Add,
    Call,
    Delta,
    Expr,
    Index,
    Mul,
    Num,
    Pow,
    Read,
    Reduce,
    add,
    free_indices,
    fresh_index,
    mul,
    num,
    power,
    rename_indices,
)

Show = Callable[[Poly], Expr]


@dataclass(frozen=True)
class ByName:
    """Differentiation by `name[indices]`; `dependent` are the names that depend on it. `show` writes a polynomial as a tree."""

    name: str
    indices: tuple[Index, ...]
    dependent: Collection[str]
    show: Show

    def of(self, expr: Expr) -> Expr:
        """The derivative; 0 when nothing inside depends on the name."""
        match expr:
            case Read(name, at):
                return self._of_read(name, at)
            case Add(terms):
                return add(*(self.of(term) for term in terms))
            case Mul(factors):
                return self._of_product(factors)
            case Pow(base, Num(exponent)):
                inner = self.of(base)
                return ZERO if inner == ZERO else mul(num(exponent), power(base, exponent - 1), inner)
            case Reduce(kind, _, _) if kind in ("sum", "mean"):
                return self._of_sum(expr)
            case Call(function, (arg,)) if function in _ROOTS:
                inner, exponent = self.of(arg), _ROOTS[function]
                return ZERO if inner == ZERO else mul(num(exponent), power(arg, exponent - 1), inner)
            case Call("where", (condition, yes, no)):
                parts = self.of(yes), self.of(no)
                return ZERO if parts == (ZERO, ZERO) else Call("where", (condition, *parts))
            case Call(function, args) if function not in ("relu", "log1p", "expm1"):
                return add(*(self._of_argument(function, args, place) for place in range(len(args))))
        return ZERO

    def handles(self, expr: Expr) -> bool:
        """Whether every node of the expression is one that `of` writes out."""
        if isinstance(expr, Reduce) and expr.kind in ("max", "min"):
            return False
        if isinstance(expr, Pow) and not isinstance(expr.exponent, Num):
            return False
        if isinstance(expr, Call) and expr.function in ("relu", "log1p", "expm1"):
            return False
        return all(self.handles(child) for child in expr.children)

    def _of_read(self, name: str, at: tuple[Index, ...]) -> Expr:
        if name == self.name:
            return mul(*(ONE if i == j else Delta(i, j) for i, j in zip(at, self.indices, strict=True)))
        return Read(f"d{name}_d{self.name}", at + self.indices) if name in self.dependent else ZERO

    def _of_product(self, factors: tuple[Expr, ...]) -> Expr:
        terms = []
        for place, factor in enumerate(factors):
            inner = self.of(factor)
            if inner != ZERO:
                terms.append(mul(*factors[:place], inner, *factors[place + 1 :]))
        return add(*terms)

    def _of_sum(self, expr: Reduce) -> Expr:
        bound = self._apart(expr)
        inner = self.of(bound.body)
        return ZERO if inner == ZERO else Reduce(expr.kind, inner, bound.indices)

    def _apart(self, expr: Reduce) -> Reduce:
        """The same sum with binders that differ from the letters of differentiation."""
        taken = {i.name for i in (*self.indices, *free_indices(expr.body), *expr.indices)}
        mapping = {}
        for index in expr.indices:
            if index.name in {i.name for i in self.indices}:
                mapping[index] = fresh_index(index.axis, taken)
                taken.add(mapping[index].name)
        return Reduce(expr.kind, rename_indices(expr.body, mapping), tuple(mapping.get(i, i) for i in expr.indices))

    def _of_argument(self, function: str, args: tuple[Expr, ...], place: int) -> Expr:
        inner = self.of(args[place])
        if inner == ZERO:
            return ZERO
        outer = partial(function, tuple(to_poly(arg) for arg in args), place)
        return mul(self.show(outer), inner)


_ROOTS = {"sqrt": Fraction(1, 2), "rsqrt": Fraction(-1, 2)}
