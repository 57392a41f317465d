"""Sums of named derivatives that are shorter written out.

In: a polynomial that reads named values, such as `sum(p[t, s]*dp[t, s] for s in S)`.  Out: the same with a sum written out where the
definitions then give a sum of no more indices that needs no named value: `sum(do[t, e]*o[t, e] for e in E)`, since o = p v and dp = do
v^T.
"""

from __future__ import annotations

from collections.abc import Sequence

from symbn.calculus.rewrite import GIVEN_UP, Rule, RuleSet
from symbn.calculus.sums import map_atoms
from symbn.calculus.terms import Atom, Kind, Poly, of_atom


class Inlined:
    """The values that have names, and the layer's own relations. Only values of one term are written out: longer ones would multiply."""

    def __init__(self, named: Sequence[Rule], relations: RuleSet) -> None:
        self._titles = frozenset(rule.left.parts[0] for rule in named)
        self._write_out = RuleSet([rule for rule in named if rule.right.single()])
        self._relations = relations
        self._known: dict[Atom, Poly | None] = {}

    def shorten(self, poly: Poly) -> Poly:
        """The polynomial with each such sum replaced."""
        return map_atoms(poly, self._other) if self._titles else poly

    def _other(self, atom: Atom) -> Poly | None:
        if atom.kind is not Kind.SUM or not atom.names & self._titles:
            return None
        if atom not in self._known:
            self._known[atom] = self._without_names(atom)
        return self._known[atom]

    def _without_names(self, atom: Atom) -> Poly | None:
        try:
            other = self._relations.reduce(self._write_out.reduce(of_atom(atom)))
        except GIVEN_UP:
            return None
        single = other.single()
        if single is None or other.names & self._titles:
            return None
        sums = [a for a, _ in single[0] if a.kind is Kind.SUM]
        return other if len(sums) <= 1 and all(_depth(a) <= _depth(atom) for a in sums) else None


def _depth(atom: Atom) -> int:
    return len(atom.free) + len(atom.parts[0])
