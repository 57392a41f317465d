"""What can be proved of a gradient.

In: the form a search found.  Out: statements in the layer language, each proved by the definitions for every extent.

Named adjoints count as arbitrary values: what is proved holds whatever flows into them. A short list of candidates is tried on every
layer: sums over axes that vanish, orthogonality to the input, adjoints that are zero, gradients that vanish where an axis has extent 1.
What cannot be proved is not said.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from symbn.calculus.compact import Found
from symbn.calculus.problem import Problem
from symbn.calculus.rewrite import GIVEN_UP, Rule, RuleSet
from symbn.calculus.sums import map_atoms, rebuild, rename, sum_over
from symbn.calculus.terms import ONE, Atom, Kind, Poly, temporary, var
from symbn.expr import Index

# Longer polynomials are not written out: the statement is not worth the time.
MOST_TERMS, MOST_DEFINITIONS = 40, 8


def invariants(problem: Problem, found: Found) -> tuple[str, ...]:
    """The proved statements, those about inputs first."""
    statements: list[str] = []
    for name in found.results:
        poly = found.swept.values.get(name)
        if not poly:
            statements.append(f"d{_element(name, problem.letters[name])} == 0")
            continue
        poly = _written_out(poly, found)
        statements += _vanishing(problem, found, name, poly)
        statements += _at_extent_one(problem, name, poly)
    statements += _zero_adjoints(problem, found)
    return tuple(statements)


def _written_out(poly: Poly, found: Found) -> Poly:
    """The gradient with its named adjoints put back, if they are short."""
    if sum(len(value) for _, value in found.swept.named) > MOST_TERMS // 4:
        return poly
    letters = {d.name: d.indices for d in found.intermediates}
    rules = [Rule(Atom(Kind.VAR, f"d{name}", letters[f"d{name}"]), value) for name, value in found.swept.named]
    try:
        return RuleSet(rules).reduce(poly)
    except GIVEN_UP:
        return poly


def _vanishing(problem: Problem, found: Found, name: str, poly: Poly) -> Iterator[str]:
    """sum(dx) = 0 and sum(dx*x) = 0 over sets of axes, the smallest sets only."""
    letters = problem.letters[name]
    for weight in (None, name):
        proved: list[tuple[Index, ...]] = []
        for size in range(1, len(letters) + 1):
            for over in combinations(letters, size):
                if not any(set(smaller) <= set(over) for smaller in proved) and _is_zero(poly, weight, letters, over, found):
                    proved.append(over)
                    yield f"sum({_summand(name, weight, letters)} {' '.join(f'for {i.name} in {i.axis}' for i in over)}) == 0"


def _summand(name: str, weight: str | None, letters: tuple[Index, ...]) -> str:
    gradient = f"d{_element(name, letters)}"
    return gradient if weight is None else f"{gradient}*{_element(weight, letters)}"


def _is_zero(poly: Poly, weight: str | None, letters: tuple[Index, ...], over: tuple[Index, ...], found: Found) -> bool:
    reduce = found.relations.rules.reduce
    if len(poly) > MOST_TERMS:
        return False
    body = poly if weight is None else poly * reduce(var(weight, letters))
    fresh = {index: temporary(index.axis) for index in over}
    try:
        return not reduce(sum_over(tuple(fresh.values()), rename(body, fresh)))
    except GIVEN_UP:
        return False


def _at_extent_one(problem: Problem, name: str, poly: Poly) -> Iterator[str]:
    """Axes along which a single element leaves no gradient."""
    layer = problem.layer
    if len(poly) > MOST_TERMS or len(layer.definitions) > MOST_DEFINITIONS:
        return
    for axis in layer.axes:
        try:
            if not _unfolded(problem, axis).reduce(_collapsed(poly, axis)):
                yield f"d{_element(name, problem.letters[name])} == 0 where {axis} = 1"
        except GIVEN_UP:
            continue


def _unfolded(problem: Problem, axis: str) -> RuleSet:
    """The definitions, read from left to right, where an axis has extent 1."""
    only = Index("1", axis)
    rules = []
    for definition in problem.layer.definitions:
        indices = tuple(only if index.axis == axis else index for index in definition.indices)
        rules.append(Rule(Atom(Kind.VAR, definition.name, indices), _collapsed(problem.polys[definition.name], axis)))
    return RuleSet(rules)


def _collapsed(poly: Poly, axis: str) -> Poly:
    """The polynomial where `axis` has extent 1: every index over it is the same, a sum is its only term."""
    only = Index("1", axis)

    def change(atom: Atom) -> Poly | None:
        match atom.kind:
            case Kind.EXTENT if atom.parts[0] == axis:
                return ONE
            case Kind.EXTENT | Kind.PRIME:
                return None
            case Kind.VAR:
                name, indices = atom.parts
                return var(name, tuple(only if i.axis == axis else i for i in indices))
            case Kind.DELTA:
                return ONE if atom.parts[0].axis == axis else None
            case Kind.SUM | Kind.REDUCE:
                return _first_term(atom, axis, only)
        return rebuild(atom, lambda inner: map_atoms(inner, change))

    return map_atoms(poly, change)


def _first_term(atom: Atom, axis: str, only: Index) -> Poly:
    bound = atom.parts[0] if atom.kind is Kind.SUM else atom.parts[1]
    single = {index: only for index in bound if index.axis == axis}
    if not single or (atom.kind is Kind.REDUCE and len(single) < len(bound)):
        return rebuild(atom, lambda inner: _collapsed(inner, axis))
    others = tuple(index for index in bound if index not in single)
    body = Poly({atom.parts[1]: 1}) if atom.kind is Kind.SUM else atom.parts[2]
    fresh = {index: temporary(index.axis) for index in others}
    inner = _collapsed(rename(body, {**single, **fresh}), axis)
    return sum_over(tuple(fresh.values()), inner)


def _zero_adjoints(problem: Problem, found: Found) -> Iterator[str]:
    for definition in problem.layer.definitions:
        value = found.swept.values.get(definition.name)
        if value is not None and not value:
            yield f"d{_element(definition.name, definition.indices)} == 0"


def _element(name: str, indices: tuple[Index, ...]) -> str:
    return f"{name}[{', '.join(index.name for index in indices)}]" if indices else name
