"""Rewriting by what the definitions say.

In: equations `atom = polynomial` that hold for all indices.  Out: polynomials in which no left side is left.

A rule for a sum also applies inside a larger contraction: o_te = sum_s p_ts v_se turns sum_s p_ts (sum_e do_te v_se) into sum_e do_te o_te.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import permutations

from symbn.calculus.powers import is_positive, power
from symbn.calculus.sums import Root, map_atoms, open_sum, rebuild, rename, sum_over
from symbn.calculus.terms import Atom, Kind, Monomial, Number, Poly, is_condition, of_atom
from symbn.calculus.work import TooLong
from symbn.errors import LayerError
from symbn.expr import Index

Binding = dict[Index, Index]
# A chain of rules longer than this on one polynomial means that the rules feed each other: they are given up.
MOST_ROUNDS, MOST_DEPTH = 60, 20


class RunawayRules(Exception):
    """The rules do not come to rest."""


# What an attempt may end with that is only that: rules that feed each other, a division by 0 that a rule brought up, too many terms.
GIVEN_UP = (RunawayRules, LayerError, TooLong)


@dataclass(frozen=True)
class Rule:
    """`left ** exponent` equals `right` for all values of left's free indices. For an array read these must be distinct.

    `source` names the definition it comes from. An exponent other than 1 says that `left` is not negative: with r = B**(-1/2) known,
    B**(-3/2) is r**3, not |r|**3.
    """

    left: Atom
    right: Poly
    exponent: Number = 1
    source: str = ""

    def at(self, binding: Mapping[Index, Index]) -> Poly | Root:
        """What to put for `left` with its indices replaced."""
        right = rename(self.right, binding)
        return right if self.exponent == 1 else Root(right, self.exponent)


class RuleSet:
    """Rules applied together until nothing changes; results are kept per atom. `frozen` radicands are left as they are inside.

    With `keeps_conditions`, so are the reads in what a condition compares: `x == max(x)` holds in machine numbers where x is read, and may
    not where it is computed again from xhat.
    """

    def __init__(self, rules: Sequence[Rule], frozen: Sequence[Atom] = (), *, keeps_conditions: bool = False) -> None:
        self.rules = tuple(rules)
        self.frozen = tuple(frozen)
        self.keeps_conditions = keeps_conditions
        self._triggers = [(rule, rule.left.names) for rule in rules]
        self._reads = {rule.left.parts[0]: rule for rule in rules if rule.left.kind is Kind.VAR}
        self._sums = [rule for rule in rules if rule.left.kind is Kind.SUM]
        self._others = [rule for rule in rules if rule.left.kind not in (Kind.VAR, Kind.SUM)]
        self.fired: dict[str, None] = {}
        self._known: dict[Atom, Poly | Root | None] = {}
        self._depth = 0
        self._in_conditions: RuleSet | None = None

    def with_rules(self, rules: Sequence[Rule]) -> RuleSet:
        """Other rules, with a fresh memory, under the same restrictions."""
        return RuleSet(rules, self.frozen, keeps_conditions=self.keeps_conditions)

    def reduce(self, poly: Poly) -> Poly:
        """The polynomial with every rule applied. Raises RunawayRules if that does not end."""
        if not self.rules:
            return poly
        self._depth += 1
        try:
            for _ in range(MOST_ROUNDS if self._depth < MOST_DEPTH else 0):
                changed = map_atoms(poly, self._change)
                if changed is poly:
                    return poly
                poly = changed
        finally:
            self._depth -= 1
        raise RunawayRules

    def _change(self, atom: Atom) -> Poly | Root | None:
        if atom not in self._known:
            self._known[atom] = self._step(atom)
        return self._known[atom]

    def _step(self, atom: Atom) -> Poly | Root | None:
        if not any(names <= atom.names for _, names in self._triggers) or self._is_frozen(atom):
            return None
        if atom.kind is Kind.VAR:
            rule = self._reads.get(atom.parts[0])
            return self._apply(rule, dict(zip(rule.left.parts[1], atom.parts[1], strict=True))) if rule else None
        for rule in self._others:
            for binding in unify(rule.left, atom, {}):
                return self._apply(rule, binding)
        changed = self._inside(atom)
        return self._contraction(atom) if changed is None else changed

    def _apply(self, rule: Rule, binding: Binding) -> Poly | Root:
        self.fired.setdefault(rule.source)
        return rule.at(binding)

    def _is_frozen(self, atom: Atom) -> bool:
        return any(True for kept in self.frozen for _ in unify(kept, atom, {}))

    def _inside(self, atom: Atom) -> Poly | None:
        changed = rebuild(atom, self._condition if self.keeps_conditions and is_condition(atom) else self.reduce)
        same = of_atom(atom) if atom.kind is not Kind.BASE else atom.parts[0]
        return None if changed == same else changed

    def _condition(self, compared: Poly) -> Poly:
        if self._in_conditions is None:
            self._in_conditions = RuleSet([rule for rule in self.rules if rule.left.kind is not Kind.VAR], self.frozen)
        return self._in_conditions.reduce(compared)

    def _contraction(self, atom: Atom) -> Poly | Root | None:
        if atom.kind is not Kind.SUM:
            return None
        for rule in self._sums:
            if rule.left.names <= atom.names:
                result = contract(rule, atom)
                if result is not None:
                    self.fired.setdefault(rule.source)
                    return result
        return None


def contract(rule: Rule, atom: Atom) -> Poly | Root | None:
    """Applies a rule for a sum to a sum of at least its binders, when all factors that touch these are the rule's."""
    fresh, body = open_sum(atom)
    single = body.single()
    if single is None:
        return None
    factors, coefficient = single
    bound, pattern = rule.left.parts
    for images in permutations(fresh, len(bound)):
        if any(b.axis != image.axis for b, image in zip(bound, images, strict=True)):
            continue
        touching = tuple(p for p in factors if any(image in p[0].free for image in images))
        start = dict(zip(bound, images, strict=True))
        for binding in _unify_monomials(pattern, touching, start):
            if _escapes(binding, bound, images):
                continue
            rest = Poly({tuple(p for p in factors if p not in touching): coefficient})
            outer = tuple(index for index in fresh if index not in images)
            value = rule.at({k: v for k, v in binding.items() if k not in bound})
            if isinstance(value, Root):
                if len(touching) == len(factors):
                    return value
                value = power(value.value, 1 / Fraction(value.exponent))
            return sum_over(outer, rest * value)
    return None


def _escapes(binding: Binding, bound: tuple[Index, ...], images: tuple[Index, ...]) -> bool:
    """A free index of the rule may not stand for an index that its sum has bound."""
    return any(value in images for key, value in binding.items() if key not in bound)


def _unify_monomials(pattern: Monomial, target: Monomial, binding: Binding) -> Iterator[Binding]:
    if len(pattern) != len(target):
        return
    if not pattern:
        yield binding
        return
    (atom, exponent), rest = pattern[0], pattern[1:]
    for place, (candidate, other) in enumerate(target):
        if other == exponent and candidate.kind is atom.kind:
            for extended in unify(atom, candidate, binding):
                yield from _unify_monomials(rest, target[:place] + target[place + 1 :], extended)


def unify(pattern: Atom, target: Atom, binding: Binding) -> Iterator[Binding]:
    """Values of the pattern's free indices that make it equal to the target, extending `binding`."""
    if pattern.kind is not target.kind or pattern.names != target.names:
        return
    if pattern.kind is Kind.VAR:
        extended = _bind(pattern.parts[1], target.parts[1], binding)
        if extended is not None:
            yield extended
        return
    yield from _try_all([i for i in pattern.free if i not in binding], pattern, target, binding)


def _bind(pattern: tuple[Index, ...], target: tuple[Index, ...], binding: Binding) -> Binding | None:
    extended = dict(binding)
    for left, right in zip(pattern, target, strict=True):
        if extended.setdefault(left, right) != right:
            return None
    return extended


def _try_all(unbound: list[Index], pattern: Atom, target: Atom, binding: Binding) -> Iterator[Binding]:
    if unbound:
        for candidate in target.free:
            if candidate.axis == unbound[0].axis:
                yield from _try_all(unbound[1:], pattern, target, {**binding, unbound[0]: candidate})
        return
    relevant = {i: binding[i] for i in pattern.free}
    if rename(of_atom(pattern), relevant) == of_atom(target):
        yield binding


def solve(name: Poly, value: Poly, atom: Atom, nonzero: Sequence[Atom]) -> Rule | None:
    """The equation `name = value` solved for one atom of value; None where that needs a division by what may be 0.

    `nonzero` are atoms known not to vanish for any value of their indices.
    """
    with_atom = [(m, c) for m, c in value.terms.items() if any(a is atom for a, _ in m)]
    if len(with_atom) != 1:
        return None
    monomial, coefficient = with_atom[0]
    others = Poly({m: c for m, c in value.terms.items() if m != monomial})
    exponent = next(e for a, e in monomial if a is atom)
    rest = tuple(p for p in monomial if p[0] is not atom)
    if not all(is_nonzero(a, e, nonzero) for a, e in rest):
        return None
    alone = (name - others) * power(Poly({rest: coefficient}), -1)
    return _rooted(atom, alone, exponent)


def _rooted(atom: Atom, value: Poly, exponent: Number) -> Rule | None:
    """atom**exponent = value as a rule; an even power does not determine its base."""
    if exponent in (1, -1):
        return Rule(atom, power(value, exponent))
    if isinstance(exponent, Fraction):
        return Rule(atom, value, exponent)
    return None


def is_nonzero(atom: Atom, exponent: Number, nonzero: Sequence[Atom]) -> bool:
    """Known not to be 0 wherever the layer is defined: it divides there, or is positive by its kind."""
    if exponent < 0 or is_positive(atom):
        return True
    return any(True for known in nonzero for _ in unify(known, atom, {}))
