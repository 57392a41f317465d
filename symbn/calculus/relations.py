"""What the definitions imply, as rewriting rules.

In: a prepared layer and, for each definition, which of its options to take.  Out: a RuleSet.

A definition `v = e` can be used from either side: solved for a sum in e it is a rule on moments (mu = mean(x) says sum(x) = N*mu), solved
for a function or a root it names it, solved for an array it re-expresses the input by the output (x = mu + s*xhat), or v is unfolded, or
it is left alone. Definitions are taken from the last to the first, each reduced by the rules before it: triangular elimination.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from symbn.calculus.convert import to_poly
from symbn.calculus.functions import apply
from symbn.calculus.problem import Problem
from symbn.calculus.rewrite import GIVEN_UP, Rule, RuleSet, RunawayRules, solve
from symbn.calculus.terms import Atom, Kind, Poly, is_condition, var
from symbn.errors import LayerError
from symbn.layer import Definition


class Relations(NamedTuple):
    """The rules, how many options each definition offered, and the way back for every array that was re-expressed by a later name."""

    rules: RuleSet
    offered: dict[str, int]
    unfoldings: tuple[tuple[str, RuleSet], ...]


def relate(problem: Problem, choices: Mapping[str, int], *, keeps_conditions: bool = True) -> Relations:
    """The rules for a choice of options; a definition without a choice takes its first. See RuleSet for `keeps_conditions`."""
    rules = RuleSet(_assumed(problem).rules, keeps_conditions=keeps_conditions)
    offered: dict[str, int] = {}
    unfoldings = []
    for definition in reversed(problem.layer.definitions):
        options = _options(problem, definition, rules)
        offered[definition.name] = len(options) + 1
        choice = choices.get(definition.name, 0)
        extended = _with(rules, options[choice]) if choice < len(options) else None
        if extended is not None:
            rules = extended
            if options[choice].left.kind is Kind.VAR and options[choice].left.parts[0] != definition.name:
                unfoldings.append((definition.name, RuleSet((_unfolding(problem, definition),))))
    return Relations(_with_radicands(problem, rules), offered, tuple(unfoldings))


def _assumed(problem: Problem) -> RuleSet:
    """Equations among the assumptions."""
    equations = [(to_poly(a.left), to_poly(a.right)) for a in problem.layer.assumptions if a.operator == "=="]
    return solved_equations(equations, problem.nonzero)


def solved_equations(equations: Sequence[tuple[Poly, Poly]], nonzero: tuple[Atom, ...]) -> RuleSet:
    """Equations between polynomials, each solved for a sum or else for whatever it can be solved for; others are left out."""
    rules = RuleSet(())
    for one, other in equations:
        value, shown = rules.reduce(one), rules.reduce(other)
        for left, right in ((value, shown), (shown, value)):
            found = [_solved(right, left, atom, nonzero) for atom in sorted(left.atoms(), key=_preference)]
            sound = [rule for rule in found if rule is not None and _sound(rule)]
            if sound:
                rules = _with(rules, sound[0]) or rules
                break
    return rules


def _unfolding(problem: Problem, definition: Definition) -> Rule:
    """The definition read from left to right."""
    return Rule(Atom(Kind.VAR, definition.name, definition.indices), problem.polys[definition.name])


def solutions(problem: Problem, definition: Definition) -> list[Rule]:
    """A definition solved for whatever it can be solved for, by itself."""
    return _options(problem, definition, RuleSet(()))


def _options(problem: Problem, definition: Definition, rules: RuleSet) -> list[Rule]:
    """Ways to use a definition, the most telling first."""
    name = var(definition.name, definition.indices)
    value, shown = rules.reduce(problem.polys[definition.name]), rules.reduce(name)
    found = []
    for atom in sorted({a for m in value.terms for a, _ in m}, key=_preference):
        rule = _solved(shown, value, atom, problem.nonzero)
        if rule is not None:
            found.append(rule)
            found.extend(_inverted(rule, problem.nonzero))
    if _is_long(value):
        found = []
    elif shown == name:
        found.append(Rule(Atom(Kind.VAR, definition.name, definition.indices), value))
    return [replace(rule, source=definition.name) for rule in found if _sound(rule)]


# A definition that is longer than this is not put in elsewhere: there its terms, or its functions of functions, would multiply.
MOST_TERMS, MOST_WEIGHT = 24, 300


def _is_long(value: Poly) -> bool:
    return len(value) > MOST_TERMS or value.weight > MOST_WEIGHT


_ORDER = {Kind.SUM: 0, Kind.REDUCE: 1, Kind.FUNC: 1, Kind.BASE: 2, Kind.VAR: 3}


def _preference(atom: Atom) -> tuple[object, ...]:
    return _ORDER.get(atom.kind, 9), atom.key


def _solved(name: Poly, value: Poly, atom: Atom, nonzero: tuple[Atom, ...]) -> Rule | None:
    if atom.kind not in _ORDER or not atom.names or _opaque(atom):
        return None
    if atom.kind is Kind.VAR and len(set(atom.parts[1])) < len(atom.parts[1]):
        return None
    try:
        return solve(name, value, atom, nonzero)
    except LayerError:
        return None


def _inverted(rule: Rule, nonzero: tuple[Atom, ...]) -> list[Rule]:
    """log(u) = a also says u = exp(a), for an array or a sum u."""
    if rule.left.kind is not Kind.FUNC or rule.left.parts[0] != "log":
        return []
    inside: Poly = rule.left.parts[1][0]
    found = [_solved(apply("exp", rule.right), inside, atom, nonzero) for atom in inside.atoms()]
    return [other for other in found if other is not None]


def _opaque(atom: Atom) -> bool:
    """stop_gradient hides its argument on purpose, and an indicator is no value to solve for."""
    return is_condition(atom) or (atom.kind is Kind.FUNC and atom.parts[0] == "stop_gradient")


def _sound(rule: Rule) -> bool:
    """The right side may have no index that the left lacks, and may not contain the left."""
    if not set(rule.right.free) <= set(rule.left.free):
        return False
    if not rule.left.names <= rule.right.names:
        return True
    if rule.left.kind is Kind.VAR:
        return False
    try:
        return RuleSet((rule,)).reduce(rule.right) == rule.right
    except RunawayRules:
        return False


def _with(rules: RuleSet, new: Rule) -> RuleSet | None:
    """The rules with one more; the right sides of the older ones are reduced by it. None when they would feed each other or grow long."""
    alone = rules.with_rules((new,))
    try:
        touched = [new.left.names <= rule.right.names for rule in rules.rules]
        if not any(touched):
            return rules.with_rules((*rules.rules, new))
        older = tuple(replace(rule, right=alone.reduce(rule.right)) for rule in rules.rules)
        if any(_is_long(now.right) and not _is_long(before.right) for now, before in zip(older, rules.rules, strict=True)):
            return None
        together = rules.with_rules((*older, new))
        return rules.with_rules(tuple(replace(rule, right=together.reduce(rule.right)) for rule in together.rules))
    except GIVEN_UP:
        return None


def _with_radicands(problem: Problem, rules: RuleSet) -> RuleSet:
    """Under a root, one name gives way to the radicand: with B = sigma2 + eps about, sigma2 is B - eps, so that sigma2/B is 1 - eps/B."""
    defined = {d.name for d in problem.layer.definitions}
    taken = {rule.left.parts[0] for rule in rules.rules if rule.left.kind is Kind.VAR}
    for base in _bases([rule.right for rule in rules.rules]):
        for atom in sorted({a for m in base.parts[0].terms for a, _ in m}):
            if atom.kind is not Kind.VAR or atom.parts[0] not in defined - taken:
                continue
            rule = solve(Poly({((base, 1),): 1}), base.parts[0], atom, problem.nonzero)
            if rule is None or set(rule.right.free) != set(atom.free):
                continue
            taken.add(atom.parts[0])
            kept, more = (*rules.frozen, base), (*rules.rules, replace(rule, source=atom.parts[0]))
            rules = RuleSet(more, kept, keeps_conditions=rules.keeps_conditions)
            break
    return rules


def _bases(polys: list[Poly]) -> list[Atom]:
    """Radicands that stand in the polynomials."""
    return sorted({atom for poly in polys for monomial in poly.terms for atom, _ in monomial if atom.kind is Kind.BASE})
