"""From polynomials back to expressions a reader likes.

In: a polynomial and the letters its indices have.  Out: an `Expr` of the same value: common factors in front, terms grouped by what depends
on the most indices (so that the rest is hoisted), sums over N divided by N written as means.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction

from symbn.calculus.cost import cost_of_one
from symbn.calculus.functions import apply
from symbn.calculus.powers import multiplied_out
from symbn.calculus.splitting import content, factor_list
from symbn.calculus.sums import rename
from symbn.calculus.terms import Atom, Kind, Monomial, Number, Poly, is_condition, merge_indices
from symbn.expr import (
    ONE,
    ZERO,
    Call,
    Compare,
    Delta,
    Expr,
    Extent,
    Index,
    Num,
    Pow,
    Read,
    Reduce,
    add,
    free_indices,
    mul,
    neg,
    num,
    power,
)

Letters = Callable[[str, tuple[Index, ...]], Index]
Scope = tuple[Index, ...]


class TreeBuilder:
    """Builds expressions in the author's order of names.

    `ranks` orders names; `letters(axis, taken)` gives a binder. With `merge`, sums of one linear combination become one sum. With `factor`,
    polynomials are factored as well, which is slow: for results, not for candidates.
    """

    def __init__(self, ranks: Mapping[str, int], letters: Letters, *, merge: bool, factor: bool) -> None:
        self.factor = factor
        self.ranks = ranks
        self.letters = letters
        self.merge = merge
        self._built: dict[tuple[Poly, Scope], Expr] = {}

    def build(self, poly: Poly, scope: Scope) -> Expr:
        """The expression; `scope` are the letters in use around it."""
        key = (poly, scope)
        if key not in self._built:
            self._built[key] = self._build(poly, scope)
        return self._built[key]

    def _build(self, poly: Poly, scope: Scope) -> Expr:
        if not poly:
            return ZERO
        if (single := poly.single()) is not None:
            return self._product(*single, None, scope)
        monomial, number, rest = content(poly)
        if not monomial and number == 1:
            return self._best_sum(rest, scope)
        if self._leads_negative(rest):
            number, rest = -number, -rest
        inner, negative = _without_sign(self._best_sum(rest, scope))
        return self._product(monomial, -number if negative else number, inner, scope)

    def positive(self, poly: Poly) -> Poly:
        """The polynomial or its negative, whichever is read with a plus first."""
        return -poly if self._leads_negative(poly) else poly

    def _leads_negative(self, poly: Poly) -> bool:
        """Whether the term that is read first has a minus; a plain number in front does not decide."""
        if all(number < 0 for number in poly.terms.values()):
            return True
        monomial, number = min(poly.terms.items(), key=lambda term: self._term_key(Poly({term[0]: 1})))
        return number < 0 and any(atom.kind is not Kind.EXTENT for atom, _ in monomial)

    def _best_sum(self, poly: Poly, scope: Scope) -> Expr:
        """The cheapest of the ways to write a polynomial without content."""
        factors = factor_list(poly) if self.factor else None
        if factors is not None:
            return mul(*(power(self.build(factor, scope), times) for factor, times in factors))
        ways = [self._grouped(poly, scope), self._chosen(poly, scope)]
        if self.merge:
            ways.append(self._merged(poly, scope))
        ways.append(self._greedy(poly, scope))
        offered = [way for way in ways if way is not None]
        return min(offered, key=cost_of_one)

    def _grouped(self, poly: Poly, scope: Scope) -> Expr | None:
        """Terms that share the factors of highest rank: sum of (coefficient to hoist) * (what depends on most indices)."""
        rank = max((len(atom.free) for monomial in poly.terms for atom, _ in monomial), default=0)
        if rank == 0:
            return None
        groups: dict[Monomial, dict[Monomial, Number]] = {}
        for monomial, coefficient in poly.sorted_terms():
            high = tuple(p for p in monomial if len(p[0].free) == rank)
            groups.setdefault(high, {})[tuple(p for p in monomial if len(p[0].free) < rank)] = coefficient
        if len(groups) in (1, len(poly)):
            return None
        parts = [self._times_group(high, Poly(rest), scope) for high, rest in groups.items()]
        return self._ordered(parts)

    def _times_group(self, high: Monomial, rest: Poly, scope: Scope) -> tuple[Poly, Expr]:
        whole = rest * Poly({high: 1})
        return whole, self.build(rest, scope) if not high else self._with_factor(high, rest, scope)

    def _with_factor(self, high: Monomial, rest: Poly, scope: Scope) -> Expr:
        if (single := rest.single()) is not None:
            (product, number) = _joined(high, single)
            return self._product(product, number, None, scope)
        inner, negative = _without_sign(self.build(rest, scope))
        return self._product(high, -1 if negative else 1, inner, scope)

    def _greedy(self, poly: Poly, scope: Scope) -> Expr:
        """Takes out the factor that most terms share, again and again; the last way, which always exists."""
        counts: dict[Atom, int] = {}
        for monomial, _ in poly.sorted_terms():
            for atom, exponent in monomial:
                if exponent > 0:
                    counts[atom] = counts.get(atom, 0) + 1
        shared = [atom for atom, times in counts.items() if 2 <= times < len(poly)]
        if not shared:
            return self._ordered([(Poly({m: c}), self._product(m, c, None, scope)) for m, c in poly.sorted_terms()])
        best = max(shared, key=lambda atom: (counts[atom], len(atom.free), atom.kind is Kind.SUM))
        inside = Poly({m: c for m, c in poly.terms.items() if dict(m).get(best, 0) > 0})
        outside = poly - inside
        return self._ordered([(part, self.build(part, scope)) for part in (inside, outside)])

    def _chosen(self, poly: Poly, scope: Scope) -> Expr | None:
        """With an indicator c: c*a + b is where(c, a + b, b)."""
        indicators = sorted({a for m in poly.terms for a, _ in m if is_condition(a)})
        for atom in indicators:
            yes = Poly({tuple(p for p in m if p[0] is not atom): c for m, c in poly.terms.items() if atom in dict(m)})
            no = Poly({m: c for m, c in poly.terms.items() if atom not in dict(m)})
            if len(yes + no) <= len(yes):
                return Call("where", (self._condition(atom, scope), self.build(yes + no, scope), self.build(no, scope)))
        return None

    def _merged(self, poly: Poly, scope: Scope) -> Expr | None:
        """a*sum(u) + b*sum(v) -> sum(a*u + b*v), when each is linear in one sum over the same axes."""
        groups: dict[tuple[str, ...], dict[Monomial, Number]] = {}
        for monomial, coefficient in poly.sorted_terms():
            sums = [(a, e) for a, e in monomial if a.kind is Kind.SUM]
            if len(sums) == 1 and sums[0][1] == 1:
                groups.setdefault(tuple(i.axis for i in sums[0][0].parts[0]), {})[monomial] = coefficient
        merged = [(axes, terms) for axes, terms in groups.items() if len(terms) > 1]
        if not merged:
            return None
        rest = poly
        parts = []
        for axes, terms in merged:
            part = Poly(terms)
            rest = rest - part
            parts.append((part, self._one_sum(axes, part, scope)))
        if rest:
            parts.append((rest, self.build(rest, scope)))
        return self._ordered(parts)

    def _one_sum(self, axes: tuple[str, ...], part: Poly, scope: Scope) -> Expr:
        bound = self._binders(axes, scope + part.free)
        body = Poly({})
        for monomial, coefficient in part.sorted_terms():
            atom = next(a for a, _ in monomial if a.kind is Kind.SUM)
            inner = rename(Poly({atom.parts[1]: 1}), dict(zip(atom.parts[0], bound, strict=True)))
            body = body + inner * Poly({tuple(p for p in monomial if p[0] is not atom): coefficient})
        monomial, number, rest = content(body)
        outside = tuple(p for p in monomial if not any(i in p[0].free for i in bound))
        inside = Poly({tuple(p for p in monomial if p not in outside): 1}) * rest
        kind, outside = _mean_of(axes, outside)
        tree, negative = _without_sign(self.build(inside, scope + bound))
        return self._product(outside, -number if negative else number, Reduce(kind, tree, bound), scope)

    def _binders(self, axes: Iterable[str], taken: Scope) -> Scope:
        bound: Scope = ()
        for axis in axes:
            bound += (self.letters(axis, taken + bound),)
        return bound

    def _ordered(self, parts: list[tuple[Poly, Expr]]) -> Expr:
        """Terms in reading order; a positive one first where there is one."""
        terms = [expr for _, expr in sorted(parts, key=lambda part: self._term_key(part[0]))]
        first = next((place for place, term in enumerate(terms) if not _is_negative(term)), 0)
        return add(terms[first], *terms[:first], *terms[first + 1 :])

    def _term_key(self, part: Poly) -> tuple[object, ...]:
        """Without sums first, then fewer factors, more indices, and the author's order of names."""
        monomial, _ = part.sorted_terms()[0]
        monomial = tuple(p for p in monomial if p[0].kind is not Kind.EXTENT)
        has_sum = any(a.kind in (Kind.SUM, Kind.REDUCE) for a, _ in monomial)
        names = tuple(sorted((-len(a.free), self._rank(a)) for a, _ in monomial))
        return has_sum, len(monomial), -len(merge_indices(a.free for a, _ in monomial)), names, part.key

    def _rank(self, atom: Atom) -> tuple[int, tuple[object, ...]]:
        return min((self.ranks.get(name, len(self.ranks)) for name in atom.names), default=-1), atom.key

    # One monomial.

    def _product(self, monomial: Monomial, number: Number, extra: Expr | None, scope: Scope) -> Expr:
        """number * monomial * extra, in reading order: numbers and scalars, denominators, arrays, the bracket, sums."""
        monomial = _one_exponential(monomial)
        conditions = [a for a, _ in monomial if is_condition(a)]
        monomial = tuple(p for p in monomial if p[0] not in conditions)
        sums, monomial = self._sums(monomial, scope)
        above, below = self._sides(monomial, scope)
        extra, inner = _without_number(extra)
        number = number * inner
        size = Fraction(number if number > 0 else -number)
        if size.denominator > 1 and (size.numerator > 1 or above or extra or sums):
            below.insert(0, num(size.denominator))
            size = Fraction(size.numerator)
        result = _in_reading_order(size, above, below, [*([extra] if extra is not None else []), *sums])
        for condition in conditions:
            result = Call("where", (self._condition(condition, scope), result, ZERO))
        return _negated(result) if number < 0 else result

    def _sides(self, monomial: Monomial, scope: Scope) -> tuple[list[Expr], list[Expr]]:
        """Numerators and denominators, those with fewer indices first."""
        above: list[Expr] = []
        below: list[Expr] = []
        for atom, exponent in sorted(monomial, key=lambda p: (len(p[0].free), self._rank(p[0]))):
            (above if exponent > 0 else below).append(self._power(atom, exponent if exponent > 0 else -exponent, scope))
        return above, below

    def _power(self, atom: Atom, exponent: Number, scope: Scope) -> Expr:
        base = self._atom(atom, scope)
        whole, half = divmod(Fraction(exponent), 1)
        if half == Fraction(1, 2) and whole == 0:
            return Call("sqrt", (base,))
        return power(base, Fraction(exponent))

    def _sums(self, monomial: Monomial, scope: Scope) -> tuple[list[Expr], Monomial]:
        """Sums in the numerator, as means where the monomial divides by their extents; and what remains."""
        result = []
        remaining = monomial
        found = [(a, e) for a, e in monomial if a.kind is Kind.SUM and e > 0]
        for atom, exponent in sorted(found, key=lambda p: (len(p[0].free), self._rank(p[0]))):
            remaining = tuple(p for p in remaining if p[0] is not atom)
            kind = "sum"
            if isinstance(exponent, int):
                kind, remaining = _mean_of([i.axis for i in atom.parts[0]] * exponent, remaining)
            total = self._sum(atom, kind, scope)
            result.append(Call("sqrt", (total,)) if exponent == Fraction(1, 2) else power(total, Fraction(exponent)))
        return result, remaining

    def _sum(self, atom: Atom, kind: str, scope: Scope) -> Expr:
        names, monomial = atom.parts
        bound = self._binders((i.axis for i in names), scope + atom.free)
        ((body, number),) = rename(Poly({monomial: 1}), dict(zip(names, bound, strict=True))).terms.items()
        inner = scope + bound
        nested = _innermost(body, bound, atom.free)
        if nested is None:
            return Reduce(kind, self._product(body, number, None, inner), bound)
        index, touching = nested
        rest = tuple(p for p in body if p not in touching)
        kernel = Reduce(kind, self._product(touching, 1, None, inner), (index,))
        return Reduce(kind, mul(self._product(rest, number, None, inner), kernel), tuple(i for i in bound if i != index))

    def _atom(self, atom: Atom, scope: Scope) -> Expr:
        match atom.kind:
            case Kind.EXTENT:
                return Extent(atom.parts[0])
            case Kind.PRIME:
                return num(atom.parts[0])
            case Kind.VAR:
                return Read(*atom.parts)
            case Kind.DELTA:
                return Delta(*atom.parts)
            case Kind.BASE:
                return self.build(atom.parts[0], scope)
            case Kind.SUM:
                return self._sum(atom, "sum", scope)
            case Kind.REDUCE:
                return self._extremum(atom, scope)
        return self._function(atom, scope)

    def _extremum(self, atom: Atom, scope: Scope) -> Expr:
        kind, names, poly = atom.parts
        bound = self._binders((i.axis for i in names), scope + atom.free)
        return Reduce(kind, self.build(rename(poly, dict(zip(names, bound, strict=True))), scope + bound), bound)

    def _function(self, atom: Atom, scope: Scope) -> Expr:
        name, args = atom.parts
        if is_condition(atom):
            return Call("where", (self._condition(atom, scope), ONE, ZERO))
        parts = tuple(self.build(arg, scope) for arg in args)
        return Pow(*parts) if name == "pow" else Call(name, parts)

    def _condition(self, atom: Atom, scope: Scope) -> Expr:
        """`is<` of u - v as u < v; against zero, the zero stands on the right."""
        name, (poly,) = atom.parts
        poly = multiplied_out(poly)
        left = Poly({m: c for m, c in poly.terms.items() if c > 0})
        right = -Poly({m: c for m, c in poly.terms.items() if c < 0})
        operator = name.removeprefix("is")
        if not left:
            left, right, operator = right, left, {"<": ">"}.get(operator, operator)
        return Compare(operator, self.build(left, scope), self.build(right, scope))


def _one_exponential(monomial: Monomial) -> Monomial:
    """exp(a)*exp(b) as exp(a + b) where that is shorter."""
    found = [(a, e) for a, e in monomial if a.kind is Kind.FUNC and a.parts[0] == "exp"]
    if len(found) < 2:
        return monomial
    total = Poly({})
    for atom, exponent in found:
        total = total + atom.parts[1][0].scale(exponent)
    if len(total) >= sum(len(atom.parts[1][0]) for atom, _ in found):
        return monomial
    ((joined, _),) = (Poly({tuple(p for p in monomial if p not in found): 1}) * apply("exp", total)).terms.items()
    return joined


def _in_reading_order(number: Fraction, above: list[Expr], below: list[Expr], last: list[Expr]) -> Expr:
    """What can be hoisted first, then what varies most, then sums: gamma[c]/sqrt(sigma2[c] + eps)*(dy[n, c] - ...)."""
    most = max((len(free_indices(factor)) for factor in (*above, *last)), default=0)
    head = [factor for factor in above if len(free_indices(factor)) < max(most, 1)]
    tail = [factor for factor in above if factor not in head]
    if number != 1:
        head.insert(0, num(number))
    hoisted = {index for factor in head for index in free_indices(factor)}
    joins = head and all(set(free_indices(factor)) <= hoisted for factor in below)
    under = [power(mul(*below), -1)] if below else []
    return mul(*head, *under, *tail, *last) if joins else mul(*head, *tail, *last, *under)


def _without_number(expr: Expr | None) -> tuple[Expr | None, Fraction]:
    """A bracket without the number in front of it, and that number."""
    factors = getattr(expr, "factors", ())
    if factors and isinstance(factors[0], Num):
        return mul(*factors[1:]), factors[0].value
    return expr, Fraction(1)


def _negated(expr: Expr) -> Expr:
    """-2*a for 2*a, and -a for a."""
    factors = getattr(expr, "factors", ())
    return mul(num(-factors[0].value), *factors[1:]) if factors and isinstance(factors[0], Num) else neg(expr)


def _is_negative(expr: Expr) -> bool:
    return _without_sign(expr)[1]


def _without_sign(expr: Expr) -> tuple[Expr, bool]:
    """The expression without a leading minus, and whether it had one. A sum has one when all its terms have."""
    terms = getattr(expr, "terms", None)
    if terms is not None:
        stripped = [_without_sign(term) for term in terms]
        return (add(*(t for t, _ in stripped)), True) if all(negative for _, negative in stripped) else (expr, False)
    if isinstance(expr, Num) and expr.value < 0:
        return Num(-expr.value), True
    factors = getattr(expr, "factors", ())
    if factors and isinstance(factors[0], Num) and factors[0].value < 0:
        return mul(num(-factors[0].value), *factors[1:]), True
    return expr, False


def _joined(high: Monomial, single: tuple[Monomial, Number]) -> tuple[Monomial, Number]:
    ((monomial, number),) = (Poly({high: 1}) * Poly({single[0]: single[1]})).terms.items()
    return monomial, number


def _mean_of(axes: Iterable[str], monomial: Monomial) -> tuple[str, Monomial]:
    """('mean', what is left) when the monomial divides by all the axes' extents, else ('sum', the monomial)."""
    exponents = dict(monomial)
    for axis in axes:
        extent_atom = Atom(Kind.EXTENT, axis)
        if exponents.get(extent_atom, 0) > -1:
            return "sum", monomial
        exponents[extent_atom] += 1
    return "mean", tuple((a, e) for a, e in exponents.items() if e != 0)


def _innermost(body: Monomial, bound: Scope, free: Scope) -> tuple[Index, Monomial] | None:
    """A bound index whose factors see fewer indices than all together: its sum is better done first."""
    if len(bound) < 2:
        return None
    everything = len(bound) + len(free)
    for index in reversed(bound):
        touching = tuple(p for p in body if index in p[0].free)
        seen = merge_indices(a.free for a, _ in touching)
        if len(seen) < everything and len(touching) < len(body):
            outer = [i for i in (*bound, *free) if i != index]
            if len(outer) < everything:
                return index, touching
    return None


