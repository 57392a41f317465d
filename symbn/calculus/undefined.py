"""Divisions that no input makes possible.

In: a prepared layer.  Out: nothing, or a LayerError that names the definition which divides by, or takes the logarithm of, what is 0 for
every input by the definitions before it, such as the sum of centered values.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from symbn.calculus.problem import Problem, divisors
from symbn.calculus.rewrite import GIVEN_UP, Rule, RuleSet
from symbn.calculus.terms import Atom, Kind, Poly, of_atom
from symbn.errors import LayerError
from symbn.expr import reads
from symbn.layer import Definition

# Divisors whose definitions would be longer than this when put into each other are not looked through.
MOST_WEIGHT = 5_000


def refuse_divisions_by_zero(problem: Problem) -> None:
    """Raises LayerError for the first definition that has no value anywhere."""
    for place, definition in enumerate(problem.layer.definitions):
        for atom in divisors([problem.polys[definition.name]]):
            used = _dependencies(atom, problem.layer.definitions[:place])
            if used and _vanishes(problem, atom, used):
                raise LayerError(
                    f"{problem.layer.file}:{definition.line}: in the definition of '{definition.name}': division by, or logarithm of, "
                    f"something identically zero",
                    hint=f"it is 0 by the definition{'s' if len(used) > 1 else ''} of {', '.join(d.name for d in used)}",
                )


def _dependencies(atom: Atom, before: Sequence[Definition]) -> list[Definition]:
    """The definitions that the atom goes through, in order."""
    needed = set(atom.names)
    found = []
    for definition in reversed(before):
        if definition.name in needed:
            found.append(definition)
            needed.update(reads(definition.expr))
    return found[::-1]


def _vanishes(problem: Problem, atom: Atom, used: Sequence[Definition]) -> bool:
    if prod(max(problem.polys[d.name].weight, 1) for d in used) > MOST_WEIGHT:
        return False
    rules = RuleSet([Rule(Atom(Kind.VAR, d.name, d.indices), problem.polys[d.name]) for d in used])
    value: Poly = atom.parts[0] if atom.kind is Kind.BASE else of_atom(atom)
    try:
        return not rules.reduce(value)
    except GIVEN_UP:
        return False
