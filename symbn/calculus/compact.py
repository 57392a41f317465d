"""The compact form, found by search.

In: a sweep over a prepared layer.  Out: the wanted derivatives as expressions in the author's names, with shared values named.

One candidate is: for each definition which side of it to use (see `relations`), and which values to name instead of writing them out. The
search starts from the most telling options and changes one choice at a time while that lowers the cost. It counts its candidates, not its
seconds, so that it gives the same answer on every machine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from symbn.calculus.cost import Cost, cost_of, cost_of_one
from symbn.calculus.inlined import Inlined
from symbn.calculus.lowest import in_lowest_terms
from symbn.calculus.problem import binder_letters, name_ranks, waists
from symbn.calculus.relations import Relations, relate
from symbn.calculus.rewrite import GIVEN_UP, Rule
from symbn.calculus.saved import everything, saved_values
from symbn.calculus.sweeps import Shares, Sweep, Swept
from symbn.calculus.terms import ZERO, Atom, Kind, Poly
from symbn.calculus.trees import TreeBuilder
from symbn.errors import UnsupportedError
from symbn.expr import Expr, Index, fresh_index, reads
from symbn.layer import Definition

# Terms that all candidates of one search together may have; a search that reaches it says so in a note.
SEARCH_BUDGET = 4_000


@dataclass(frozen=True)
class Candidate:
    """Choices: an option for each definition; for a value whether it is named (absent: by rule); whether sums of one linear combination
    become one (`merge`), and whether sums of named values are written out where no name is left then (`inline`).
    """

    options: Mapping[str, int] = field(default_factory=dict)
    named: Mapping[str, bool] = field(default_factory=dict)
    merge: bool = False
    inline: bool = True


@dataclass(frozen=True)
class Found:
    """What a candidate gives: named values in the order they are computed, and the results by the name they belong to."""

    candidate: Candidate
    intermediates: tuple[Definition, ...]
    results: Mapping[str, Definition]
    swept: Swept
    relations: Relations
    missing: tuple[str, ...]
    cost: Cost

    @property
    def price(self) -> tuple[int, Cost]:
        """What the search compares: first how many values it would need that are not saved."""
        return len(self.missing), self.cost


class Search:
    """Coordinate descent over candidates."""

    def __init__(self, sweep: Sweep, save: Sequence[str] | None = None) -> None:
        self.sweep = sweep
        self.problem = sweep.problem
        self.layer = self.problem.layer
        self.notation = Notation(sweep)
        show = self.notation.builder().build
        self.saved = everything(self.problem) if save is None else saved_values(self.problem, save, show)
        self.keeps_conditions = save is None
        self.rank = max((len(letters) for letters in self.problem.letters.values()), default=0)
        self.spent = 0
        self._waists = waists(self.layer)
        self._relations: dict[tuple[tuple[str, int], ...], tuple[Relations, Shares]] = {}

    def run(self) -> tuple[Found, bool]:
        """The best form found, and whether the search was cut short."""
        best, cut = self._descend()
        for candidate in self._last(best.candidate, cut=cut):
            factored = self.evaluate(candidate, factor=True)
            if factored is not None and not best.price < factored.price:
                best = factored
        return best, cut

    def _last(self, best: Candidate, *, cut: bool) -> tuple[Candidate, ...]:
        """What to factor: the best, and the same written out, where factors may cancel that stood in two values."""
        unnamed = replace(best, named=dict.fromkeys(best.named, False))
        worthwhile = unnamed != best and not cut and len(self.layer.definitions) <= STACK
        return (best, unnamed) if worthwhile else (best,)

    def _descend(self) -> tuple[Found, bool]:
        best = self._start()
        improved = True
        while improved:
            improved = False
            for candidate in self._neighbors(best):
                if self.spent > SEARCH_BUDGET:
                    return best, True
                tried = self.evaluate(candidate)
                if tried is not None and tried.price < best.price:
                    best, improved = tried, True
        return best, False

    def _start(self) -> Found:
        """The most telling options; failing that, none at all; failing that, a name for each adjoint."""
        plain = Candidate(options={d.name: _NONE for d in self.layer.definitions})
        every = replace(plain, named={d.name: True for d in self.layer.definitions})
        best = self.evaluate(Candidate()) or self.evaluate(plain) or self.evaluate(every)
        if best is None:
            raise UnsupportedError(f"no form of the derivative of '{self.layer.name}' was found: its definitions feed each other")
        return best

    def _neighbors(self, best: Found) -> list[Candidate]:
        base = best.candidate
        found = [replace(base, merge=not base.merge), replace(base, inline=not base.inline)]
        composite = [d.name for d in self.layer.definitions if self._may_be_named(d.name, best)]
        if composite:
            found += [replace(base, named=dict.fromkeys(composite, True), inline=inline) for inline in (base.inline, not base.inline)]
        for definition in reversed(self.layer.definitions):
            name = definition.name
            now = base.options.get(name, 0)
            for option in range(best.relations.offered.get(name, 1)):
                if option != now:
                    found.append(replace(base, options={**base.options, name: option}))
            if name in composite:
                is_named = any(other == name for other, _ in best.swept.named)
                found.append(replace(base, named={**base.named, name: not is_named}))
        return found

    def _may_be_named(self, name: str, best: Found) -> bool:
        return name not in self.layer.outputs and _is_composite(best.swept.values.get(name, ZERO))

    def evaluate(self, candidate: Candidate, *, factor: bool = False) -> Found | None:
        """What the candidate's choices give; None when its rules do not come to rest."""
        try:
            found = self._evaluate(candidate, factor)
            self.spent += sum(len(value) for value in found.swept.values.values()) + len(self.layer.definitions)
            return found
        except GIVEN_UP:
            return None

    def _evaluate(self, candidate: Candidate, factor: bool) -> Found:
        key = tuple(sorted(candidate.options.items()))
        if key not in self._relations:
            self._relations[key] = relate(self.problem, candidate.options, keeps_conditions=self.keeps_conditions), {}
        relations, shares = self._relations[key]

        def decide(name: str, value: Poly) -> bool:
            return candidate.named.get(name, self._is_deep(value) or self._ends_stage(name, value))

        swept = self.sweep.run(relations.rules.reduce, decide, shares)
        builder = self.notation.builder(merge=candidate.merge, factor=factor)
        inlined = Inlined(self._named_rules(swept) if candidate.inline else [], relations.rules)
        intermediates = tuple(self._definition(builder, name, inlined.shorten(poly), relations) for name, poly in swept.named)
        results = {
            name: self._definition(builder, name, inlined.shorten(swept.values.get(name, ZERO)), relations) for name in self.sweep.wanted
        }
        names = [name for d in (*intermediates, *results.values()) for name in reads(d.expr)]
        recomputed = self.saved.recomputed(names)
        missing = self.saved.missing(names)
        cost = cost_of([d.expr for d in (*recomputed, *intermediates, *results.values())])
        return Found(candidate, (*recomputed, *intermediates), results, swept, relations, missing, cost)

    def _named_rules(self, swept: Swept) -> list[Rule]:
        letters = self.problem.letters
        return [Rule(Atom(Kind.VAR, self.sweep.title(name), letters[name]), value) for name, value in swept.named]

    def _definition(self, builder: TreeBuilder, name: str, poly: Poly, relations: Relations) -> Definition:
        indices = self.problem.letters[name]
        best = shortest(builder, poly, indices, relations)
        lowest = in_lowest_terms(poly) if builder.factor else None
        if lowest is not None:
            best = min(best, shortest(builder, lowest, indices, relations), key=cost_of_one)
        return Definition(self.sweep.title(name), indices, best)

    def _ends_stage(self, name: str, value: Poly) -> bool:
        """Where one stage of a stack of layers begins, its cotangent gets a name: written out, each stage would multiply the terms."""
        deep = len(self.layer.definitions) > STACK
        return len(value) > MOST_TERMS or (name in self._waists and len(value) > 1 and (deep or _has_sum(value)))

    def _is_deep(self, value: Poly) -> bool:
        """A contraction that loops over more indices than any array has is worth doing once."""
        return any(len(a.free) + len(a.parts[0]) > self.rank for m in value.terms for a, _ in m if a.kind is Kind.SUM)


# A longer value is named rather than put into everything that it flows into.
MOST_TERMS = 24
# A layer of more definitions is taken for a stack of layers.
STACK = 8
# An option number beyond all options: the definition is not used.
_NONE = 1_000_000


class Notation:
    """The author's order of names, and the letters to bind with."""

    def __init__(self, sweep: Sweep) -> None:
        layer = sweep.problem.layer
        self.ranks = name_ranks(layer, tuple(seed.name for seed in sweep.seeds))
        self.binders = binder_letters(layer)
        self._builders: dict[tuple[bool, bool], TreeBuilder] = {}

    def builder(self, *, merge: bool = False, factor: bool = True) -> TreeBuilder:
        """The builder of expressions in this notation; it remembers what it has built."""
        if (merge, factor) not in self._builders:
            self._builders[merge, factor] = TreeBuilder(self.ranks, self.letter, merge=merge, factor=factor)
        return self._builders[merge, factor]

    def letter(self, axis: str, taken: tuple[Index, ...]) -> Index:
        """A letter for a bound index."""
        used = {index.name for index in taken}
        for letter in self.binders.get(axis, ()):
            if letter not in used:
                return Index(letter, axis)
        return fresh_index(axis, used)


def shortest(builder: TreeBuilder, poly: Poly, indices: tuple[Index, ...], relations: Relations) -> Expr:
    """The polynomial as a tree; single names are put back for what they were re-expressed by where that is cheaper."""
    best = builder.build(poly, indices)
    for name, unfold in relations.unfoldings:
        if name in poly.names:
            other = unfold.reduce(poly)
            tree = builder.build(other, indices)
            if cost_of_one(tree) < cost_of_one(best):
                best, poly = tree, other
    return best


def _is_composite(value: Poly) -> bool:
    """More than one term, a sum, or a product of several arrays: naming it may pay."""
    return len(value) > 1 or _has_sum(value) or any(sum(bool(atom.free) for atom, _ in monomial) > 1 for monomial in value.terms)


def _has_sum(value: Poly) -> bool:
    return any(atom.kind is Kind.SUM for monomial in value.terms for atom, _ in monomial)
