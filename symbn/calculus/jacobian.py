"""Total derivatives of one named quantity by another.

In: a prepared layer and the rules its search settled on.  Out: `dy_dx[k, i]`, the numerator's indices first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from symbn.calculus.adjoint import by_read
from symbn.calculus.compact import Found, Notation, shortest
from symbn.calculus.problem import Problem, active_reads
from symbn.calculus.relations import Relations
from symbn.calculus.sums import apply_deltas, rename, sum_over
from symbn.calculus.sweeps import Reduce, Reverse
from symbn.calculus.terms import ZERO, Atom, Kind, Poly
from symbn.calculus.work import TooLong
from symbn.expr import Index
from symbn.layer import Definition

# A total derivative goes through all definitions, and may grow at each; a longer one is given up.
MOST_TERMS = 500


def jacobians(problem: Problem, wanted: Sequence[str], found: Found) -> dict[str, Definition]:
    """`dy_dx` for every output and wanted input, by "y/x"."""
    notation = Notation(Reverse(problem, wanted))
    results = {}
    for name in wanted:
        totals = total_derivatives(problem, name, found.relations.rules.reduce)
        for output in problem.layer.outputs:
            results[f"{output}/{name}"] = jacobian(problem, notation, found.relations, output, name, totals[output])
    return results


def jacobian(problem: Problem, notation: Notation, relations: Relations, output: str, name: str, total: Poly) -> Definition:
    """The total derivative of `output` by `name` as a definition."""
    below, above = problem.letters[name], numerator_letters(problem, notation, output, name)
    poly = rename(total, dict(zip(problem.letters[output], above, strict=True)) | dict(zip(_marks(problem, name), below, strict=True)))
    return Definition(f"d{output}_d{name}", above + below, shortest(notation.builder(), poly, above + below, relations))


def numerator_letters(problem: Problem, notation: Notation, output: str, name: str) -> tuple[Index, ...]:
    """The numerator's own letters, made different from the denominator's."""
    taken = problem.letters[name]
    letters: tuple[Index, ...] = ()
    for index in problem.letters[output]:
        used = {i.name for i in (*taken, *letters)}
        letters += (index if index.name not in used else notation.letter(index.axis, taken + letters),)
    return letters


def _marks(problem: Problem, name: str) -> tuple[Index, ...]:
    """Indices of the denominator that no author can have written."""
    return tuple(Index(f"!{place}", index.axis) for place, index in enumerate(problem.letters[name]))


def total_derivatives(problem: Problem, name: str, reduce: Reduce) -> dict[str, Poly]:
    """d(v[J]) / d(name[!]) for every definition v, J its own letters, through all definitions."""
    marks = _marks(problem, name)
    own = by_read(name, marks)(Atom(Kind.VAR, name, problem.letters[name]))
    totals = {name: own}
    reads = active_reads(problem.layer, [name])
    for definition in problem.layer.definitions:
        total: Poly | None
        try:
            total = _total(problem, definition, reads[definition.name], totals, reduce)
        except TooLong:
            total = None
        if total is None or len(total) > MOST_TERMS:
            raise TooLong(
                f"the derivative of '{definition.name}' by '{name}' has too many terms to be written out",
                hint="the backward pass (mode vjp) needs no such derivative",
            )
        totals[definition.name] = total
    return totals


def _total(problem: Problem, definition: Definition, names: Sequence[str], totals: Mapping[str, Poly], reduce: Reduce) -> Poly:
    """The chain rule through everything that the definition reads."""
    total = ZERO
    for name in names:
        fresh, partial = problem.partial(definition, name)
        moved = rename(totals[name], dict(zip(problem.letters[name], fresh, strict=True)))
        total = total + reduce(apply_deltas(sum_over(fresh, reduce(partial) * moved)))
    return total
