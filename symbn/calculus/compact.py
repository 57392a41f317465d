"""The compact pullback, found by search.

In: a prepared layer.  Out: the adjoint of every wanted input as an expression in the author's names, with shared adjoints named.

One candidate is: for each definition which side of it to use (see `relations`), and which adjoints to name instead of writing them out. The
search starts from the most telling options and changes one choice at a time while that lowers the cost. It counts its candidates, not its
seconds, so that it gives the same answer on every machine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from symbn.calculus.adjoint import pullback
from symbn.calculus.cost import Cost, cost_of
from symbn.calculus.problem import Problem, binder_letters, active_reads, name_ranks
from symbn.calculus.relations import Relations, relate
from symbn.calculus.rewrite import RunawayRules
from symbn.calculus.sums import rename
from symbn.calculus.terms import ZERO, Kind, Poly, var
from symbn.calculus.trees import TreeBuilder
from symbn.errors import LayerError
from symbn.expr import Expr, Index, fresh_index, reads
from symbn.layer import Definition

# Sweeps over one definition that a search may spend; a search that reaches it says so in a note.
SEARCH_BUDGET = 3000


@dataclass(frozen=True)
class Candidate:
    """Choices: an option for each definition, and for an adjoint whether it is named (absent: by rule)."""

    options: Mapping[str, int] = field(default_factory=dict)
    named: Mapping[str, bool] = field(default_factory=dict)
    merge: bool = False


@dataclass(frozen=True)
class Pullback:
    """What a candidate gives: named adjoints in the order they are computed, and the adjoints of the wanted inputs."""

    candidate: Candidate
    intermediates: tuple[Definition, ...]
    gradients: Mapping[str, Definition]
    adjoints: Mapping[str, Poly]
    relations: Relations
    cost: Cost

    @property
    def forward_names(self) -> tuple[str, ...]:
        """Names read by the results."""
        found = [n for d in (*self.intermediates, *self.gradients.values()) for n in reads(d.expr)]
        return tuple(dict.fromkeys(found))


class Search:
    """Coordinate descent over candidates."""

    def __init__(self, problem: Problem, wanted: Sequence[str]) -> None:
        self.problem = problem
        self.wanted = tuple(wanted)
        self.layer = problem.layer
        self.ranks = name_ranks(problem.layer, tuple(f"d{name}" for name in problem.layer.outputs))
        self.binders = binder_letters(problem.layer)
        self.reads = active_reads(problem.layer, self.wanted)
        self.rank = max((len(letters) for letters in problem.letters.values()), default=0)
        self.spent = 0
        self._relations: dict[tuple[tuple[str, int], ...], Relations] = {}

    def run(self) -> tuple[Pullback, bool]:
        """The best pullback found, and whether the search was cut short."""
        best = self.evaluate(Candidate())
        if best is None:
            best = self.evaluate(Candidate(options={d.name: 10**6 for d in self.layer.definitions}))
        if best is None:
            raise LayerError("the rules of this layer do not come to rest")
        improved = True
        while improved:
            improved = False
            for candidate in self._neighbors(best):
                if self.spent > SEARCH_BUDGET:
                    return best, True
                tried = self.evaluate(candidate)
                if tried is not None and tried.cost < best.cost:
                    best, improved = tried, True
        return best, False

    def _neighbors(self, best: Pullback) -> list[Candidate]:
        base = best.candidate
        found = [replace(base, merge=not base.merge)]
        for definition in reversed(self.layer.definitions):
            name = definition.name
            now = base.options.get(name, 0)
            for option in range(best.relations.offered.get(name, 1)):
                if option != now:
                    found.append(replace(base, options={**base.options, name: option}))
            if name in best.adjoints and name not in self.layer.outputs and len(best.adjoints[name]) + _sums(best.adjoints[name]) > 1:
                is_named = any(d.name == f"d{name}" for d in best.intermediates)
                found.append(replace(base, named={**base.named, name: not is_named}))
        return found

    def evaluate(self, candidate: Candidate) -> Pullback | None:
        """The pullback for the candidate's choices; None when its rules do not come to rest."""
        self.spent += len(self.layer.definitions)
        try:
            return self._evaluate(candidate)
        except (RunawayRules, LayerError):
            return None

    def _evaluate(self, candidate: Candidate) -> Pullback:
        key = tuple(sorted(candidate.options.items()))
        if key not in self._relations:
            self._relations[key] = relate(self.problem, candidate.options)
        relations = self._relations[key]
        adjoints, named = self._sweep(candidate, relations)
        builder = TreeBuilder(self.ranks, self._letter, merge=candidate.merge)
        intermediates = tuple(self._definition(builder, name, poly, relations) for name, poly in named)
        gradients = {name: self._definition(builder, name, adjoints.get(name, ZERO), relations) for name in self.wanted}
        cost = cost_of([d.expr for d in (*intermediates, *gradients.values())])
        return Pullback(candidate, intermediates, gradients, adjoints, relations, cost)

    def _definition(self, builder: TreeBuilder, name: str, poly: Poly, relations: Relations) -> Definition:
        """The adjoint as a tree; single names are put back for what they were re-expressed by where that is shorter."""
        indices = self.problem.letters[name]
        best = builder.build(poly, indices)
        for definition, unfold in relations.unfoldings:
            if definition in poly.names:
                other = unfold.reduce(poly)
                tree = builder.build(other, indices)
                if cost_of([tree]) < cost_of([best]):
                    best, poly = tree, other
        return Definition(f"d{name}", indices, best)

    def _sweep(self, candidate: Candidate, relations: Relations) -> tuple[dict[str, Poly], list[tuple[str, Poly]]]:
        """Reverse sweep: adjoints of all names that the outputs depend on, and those that were named."""
        reduce = relations.rules.reduce
        adjoints = {name: var(f"d{name}", self.problem.letters[name]) for name in self.layer.outputs}
        named = []
        for definition in reversed(self.layer.definitions):
            adjoint = adjoints.get(definition.name)
            if not adjoint:
                continue
            if definition.name not in self.layer.outputs and candidate.named.get(definition.name, self._should_name(adjoint)):
                named.append((definition.name, adjoint))
                adjoint = var(f"d{definition.name}", definition.indices)
            for name in self.reads[definition.name]:
                fresh, partial = self.problem.partial(definition, name)
                if partial:
                    share = pullback(adjoint, definition.indices, reduce(partial))
                    share = rename(reduce(share), dict(zip(fresh, self.problem.letters[name], strict=True)))
                    adjoints[name] = adjoints.get(name, ZERO) + share
        return adjoints, named

    def _should_name(self, adjoint: Poly) -> bool:
        """A contraction that loops over more indices than any array has is worth doing once."""
        return any(len(a.free) + len(a.parts[0]) > self.rank for m in adjoint.terms for a, _ in m if a.kind is Kind.SUM)

    def _letter(self, axis: str, taken: tuple[Index, ...]) -> Index:
        used = {index.name for index in taken}
        for letter in self.binders.get(axis, ()):
            if letter not in used:
                return Index(letter, axis)
        return fresh_index(axis, used)


def _sums(poly: Poly) -> int:
    return sum(atom.kind is Kind.SUM for monomial in poly.terms for atom, _ in monomial)


def expression(search: Search, poly: Poly, scope: tuple[Index, ...]) -> Expr:
    """A polynomial in the author's names, in the search's notation."""
    return TreeBuilder(search.ranks, search._letter, merge=False).build(poly, scope)
