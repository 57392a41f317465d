"""What both routes of an explanation share.

In: a prepared layer and the form its search found.  Out: lines (an equation and its reason), and the words for why something holds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from symbn.calculus.compact import Found, Notation
from symbn.calculus.convert import to_poly
from symbn.calculus.differentiate import ByName
from symbn.calculus.problem import Problem, active_reads
from symbn.calculus.rewrite import RuleSet
from symbn.calculus.splitting import content
from symbn.calculus.sums import sum_over
from symbn.calculus.sweeps import Reverse
from symbn.calculus.terms import Kind, Monomial, Poly
from symbn.calculus.trees import TreeBuilder
from symbn.expr import Delta, Expr, Index, Reduce, walk
from symbn.language.text import expr_text
from symbn.layer import Definition


@dataclass(frozen=True)
class Line:
    """One equation and why it holds; `is_helper` when it introduces a letter of our own."""

    definition: Definition
    reason: str
    is_helper: bool = False


class Narrative:
    """The layer being explained, with the notation to write in."""

    def __init__(self, problem: Problem, wanted: tuple[str, ...], found: Found) -> None:
        self.problem = problem
        self.layer = problem.layer
        self.wanted = wanted
        self.found = found
        self.notation = Notation(Reverse(problem, wanted))
        self.builder: TreeBuilder = self.notation.builder()

    def dependent(self, name: str) -> tuple[str, ...]:
        """Definitions that depend on an input and that an output depends on, in order."""
        reads = active_reads(self.layer, [name])
        needed = set(self.layer.outputs)
        for definition in reversed(self.layer.definitions):
            if definition.name in needed:
                needed.update(reads[definition.name])
        return tuple(d.name for d in self.layer.definitions if reads[d.name] and d.name in needed)

    def by(self, name: str, indices: tuple[Index, ...] | None = None, dependent: Collection[str] | None = None) -> ByName:
        """Differentiation by an input, as written by hand."""
        at = self.problem.letters[name] if indices is None else indices
        return ByName(name, at, self.dependent(name) if dependent is None else dependent, lambda poly: self.show(poly, at))

    def show(self, poly: Poly, scope: tuple[Index, ...]) -> Expr:
        """A polynomial as a tree."""
        return self.builder.build(poly, scope)


def vanishing_sums(expr: Expr, rules: RuleSet, builder: TreeBuilder) -> list[str]:
    """Sums inside an expression that are zero by the definitions, in words."""
    found: dict[str, None] = {}
    for node in walk(expr):
        if isinstance(node, Reduce) and node.kind in ("sum", "mean"):
            found.update(dict.fromkeys(_vanishing(node, rules, builder)))
    return list(found)


def _vanishing(node: Reduce, rules: RuleSet, builder: TreeBuilder) -> Iterable[str]:
    body = to_poly(node.body)
    rest = Poly({m: c for m, c in body.terms.items() if not _sifted(m, node.indices)})
    if not rest:
        return
    watched = watch(rules)
    total = sum_over(node.indices, rest)
    if total and not watched.reduce(total):
        monomial, _, inner = content(rest)
        core = Poly({tuple(p for p in monomial if any(i in p[0].free for i in node.indices)): 1}) * inner
        summand = expr_text(builder.build(builder.positive(core), core.free))
        letters = ", ".join(i.name for i in node.indices)
        yield f"the sum of {summand} over {letters} is 0, by the definition of {listed(watched.fired)}"


def _sifted(monomial: Monomial, bound: tuple[Index, ...]) -> bool:
    return any(atom.kind is Kind.DELTA and any(i in bound for i in atom.free) for atom, _ in monomial)


def has_delta_under_sum(expr: Expr) -> bool:
    """Whether there is a delta to sift."""
    return any(
        isinstance(inner, Delta) and (inner.left in node.indices or inner.right in node.indices)
        for node in walk(expr)
        if isinstance(node, Reduce)
        for inner in walk(node.body)
    )


def listed(names: Iterable[str]) -> str:
    """a, b and c."""
    items = [name for name in names if name]
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1] if items else "the layer"


def element(name: str, indices: tuple[Index, ...]) -> str:
    """name[i, j]"""
    return f"{name}[{', '.join(i.name for i in indices)}]" if indices else name


def watch(rules: RuleSet) -> RuleSet:
    """The same rules, with a fresh memory of which were used."""
    return rules.with_rules(rules.rules)


def renamed(definition: Definition, expr: Expr) -> Definition:
    """The same left side with another right side."""
    return replace(definition, expr=expr)
