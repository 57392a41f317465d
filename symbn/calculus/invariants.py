"""What can be proved of a gradient.

In: the form a search found.  Out: statements in the layer language, each proved by the definitions for every extent.

A short list of candidates is tried on every layer: sums over axes that vanish, orthogonality to the input, adjoints that are zero,
gradients that vanish where an axis has extent 1. What cannot be proved is not said.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from symbn.calculus.compact import Found
from symbn.calculus.problem import Problem
from symbn.calculus.rewrite import Rule, RuleSet, RunawayRules
from symbn.calculus.sums import map_atoms, rebuild, rename, sum_over
from symbn.calculus.terms import ONE, Atom, Kind, Poly, temporary, var
from symbn.errors import LayerError
from symbn.expr import Index

# A gradient with more terms is not unfolded to its inputs: the statement at extent 1 is not worth the time.
MOST_TERMS = 40


def invariants(problem: Problem, found: Found) -> tuple[str, ...]:
    """The proved statements, those about inputs first."""
    statements: list[str] = []
    for name in found.results:
        poly = found.swept.values.get(name)
        if not poly:
            statements.append(f"d{_element(name, problem.letters[name])} == 0")
            continue
        whole = _written_out(poly, found)
        statements += _vanishing(problem, found, name, whole)
        statements += _at_extent_one(problem, name, whole)
    statements += _zero_adjoints(problem, found)
    return tuple(statements)


def _written_out(poly: Poly, found: Found) -> Poly:
    """The gradient with its named adjoints put back."""
    rules = [Rule(_read(f"d{name}", found, name), value) for name, value in found.swept.named]
    return RuleSet(rules).reduce(poly)


def _read(title: str, found: Found, name: str) -> Atom:
    indices = next(d.indices for d in found.intermediates if d.name == title)
    return Atom(Kind.VAR, title, indices)


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
    body = poly if weight is None else poly * reduce(var(weight, letters))
    fresh = {index: temporary(index.axis) for index in over}
    try:
        return not reduce(sum_over(tuple(fresh.values()), rename(body, fresh)))
    except (RunawayRules, LayerError):
        return False


def _at_extent_one(problem: Problem, name: str, poly: Poly) -> Iterator[str]:
    """Axes along which a single element leaves no gradient."""
    layer = problem.layer
    if len(poly) > MOST_TERMS:
        return
    unfold = RuleSet([Rule(Atom(Kind.VAR, d.name, d.indices), problem.polys[d.name]) for d in layer.definitions])
    try:
        unfolded = unfold.reduce(poly)
        for axis in layer.axes:
            if not _collapsed(unfolded, axis):
                yield f"d{_element(name, problem.letters[name])} == 0 where {axis} = 1"
    except (RunawayRules, LayerError):
        return


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
