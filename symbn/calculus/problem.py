"""A layer prepared for differentiation.

In: a Layer.  Out: its definitions as polynomials, their partial derivatives by every name they read, and the letters and order of its
names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from symbn.calculus.adjoint import by_read, derivative
from symbn.calculus.convert import to_poly
from symbn.calculus.terms import Atom, Kind, Poly, temporary
from symbn.calculus.work import TooLong
from symbn.errors import LayerError, UnsupportedError
from symbn.expr import Call, Expr, Index, Num, Read, reads, walk
from symbn.language.letters import letters_of
from symbn.layer import Definition, Layer


@dataclass
class Problem:
    """The layer, `polys` by definition, `letters` by name: the indices each name is written with.

    `nonzero` are the atoms that cannot vanish where the layer is defined: it divides by them, or an assumption says so. `kept` says that
    some definition keeps its products of sums. `made` are definitions that are not the author's (see `unnamed`), so never saved.
    """

    layer: Layer
    polys: dict[str, Poly]
    letters: dict[str, tuple[Index, ...]]
    nonzero: tuple[Atom, ...]
    assumed: tuple[str, ...] = ()
    kept: bool = False
    made: tuple[Definition, ...] = ()
    _partials: dict[tuple[str, str], tuple[tuple[Index, ...], Poly]] = field(default_factory=dict)

    def partial(self, definition: Definition, name: str) -> tuple[tuple[Index, ...], Poly]:
        """Temporary indices W and the partial derivative of the definition by name[W]."""
        key = (definition.name, name)
        if key not in self._partials:
            fresh = tuple(temporary(index.axis) for index in self.letters[name])
            self._partials[key] = fresh, derivative(self.polys[definition.name], by_read(name, fresh))
        return self._partials[key]


# A definition of more terms than this keeps its products of sums, where that is shorter.
MOST_TERMS = 40
# How much shorter a definition must be with its products of sums kept for that to be tried as well.
MUCH_SHORTER = 4


def prepare(layer: Layer, *, keep: bool = False) -> Problem:
    """With `keep`, products of sums are kept wherever that makes a definition much shorter.

    Raises LayerError, naming the definition, for one that divides by something identically zero.
    """
    converted = {definition.name: _converted(layer, definition, MUCH_SHORTER if keep else MOST_TERMS) for definition in layer.definitions}
    polys = {name: poly for name, (poly, _) in converted.items()}
    certain = [polys[d.name] for d in layer.definitions if not has_branches(d.expr)]
    nonzero = (*divisors(certain), *_assumed_positive(layer))
    return Problem(layer, polys, letters_of(layer), nonzero, kept=any(kept for _, kept in converted.values()))


def has_branches(expr: Expr) -> bool:
    """Whether it may have a value where a part of it has none: where(x == 0, 0, 1/x) says nothing about x."""
    return any(isinstance(node, Call) and node.function == "where" for node in walk(expr))


def _converted(layer: Layer, definition: Definition, most: int) -> tuple[Poly, bool]:
    """The right side multiplied out, or with its products of sums kept where it is `most` times as long without; and which of the two."""
    try:
        kept = to_poly(definition.expr, keep=True)
        try:
            poly = to_poly(definition.expr)
        except TooLong:
            return kept, True
        return (kept, True) if len(poly) >= most * len(kept) else (poly, False)
    except (LayerError, UnsupportedError) as error:
        where = f"{layer.file}:{definition.line}: in the definition of '{definition.name}': "
        raise type(error)(where + error.message, hint=error.hint) from error


def assume_parameters_nonzero(problem: Problem) -> Problem:
    """The same layer where its inputs may be divided by, `assumed` naming those that the layer itself does not divide by.

    An in-place backward pass recovers xhat as (y - beta)/gamma, which is right wherever gamma is not 0.
    """
    found = {atom.parts[0] for atom in problem.nonzero if atom.kind is Kind.VAR}
    names = tuple(part.name for part in problem.layer.inputs if part.name not in found)
    atoms = tuple(Atom(Kind.VAR, name, problem.letters[name]) for name in names)
    return replace(problem, nonzero=(*problem.nonzero, *atoms), assumed=names)


def divisors(polys: Iterable[Poly]) -> tuple[Atom, ...]:
    """Atoms under a negative exponent or under a logarithm, however deep: where the layer is defined, they are not 0."""
    found: dict[Atom, None] = {}
    for poly in polys:
        for monomial, _ in poly.sorted_terms():
            for atom, exponent in monomial:
                if exponent < 0:
                    found.setdefault(atom)
                found.update(dict.fromkeys(_divisors_inside(atom)))
    return tuple(found)


def _divisors_inside(atom: Atom) -> tuple[Atom, ...]:
    match atom.kind:
        case Kind.SUM:
            return divisors([Poly({atom.parts[1]: 1})])
        case Kind.BASE | Kind.REDUCE:
            return divisors([atom.parts[-1]])
        case Kind.FUNC:
            name, args = atom.parts
            single = args[0].single() if name == "log" else None
            return (*(a for a, _ in (single[0] if single else ())), *divisors(args))
    return ()


def _assumed_positive(layer: Layer) -> tuple[Atom, ...]:
    """Names that an assumption puts above 0."""
    found = []
    for assumption in layer.assumptions:
        low, high = (assumption.left, assumption.right) if assumption.operator == "<" else (assumption.right, assumption.left)
        if assumption.operator in ("<", ">") and isinstance(high, Read) and isinstance(low, Num) and low.value >= 0:
            found.append(Atom(Kind.VAR, high.name, high.indices))
    return tuple(found)


def name_ranks(layer: Layer, seeds: tuple[str, ...]) -> Mapping[str, int]:
    """The author's order of names: cotangents, parameters, definitions, and constants last."""
    constants = {c.name for c in layer.constants}
    names = [*seeds, *(n for n in layer.names if n not in constants), *(c.name for c in layer.constants)]
    return {name: place for place, name in enumerate(names)}


def binder_letters(layer: Layer) -> dict[str, tuple[str, ...]]:
    """For each axis the letters to bind with, best first: the author's where there are several axes, then k, l, m, ..."""
    result = {}
    for axis in layer.axes:
        own = tuple(dict.fromkeys(i.name for d in layer.definitions for i in d.indices if i.axis == axis))
        letters = (*(own if len(layer.axes) > 1 else ()), *"klmpqrjtuvw")
        result[axis] = tuple(letter for letter in letters if letter not in layer.names)
    return result


def waists(layer: Layer) -> frozenset[str]:
    """Definitions that everything defined before them flows through: nothing later reads an earlier definition."""
    last = {name: place for place, d in enumerate(layer.definitions) for name in reads(d.expr)}
    found, reach = [], -1
    for place, definition in enumerate(layer.definitions):
        if reach <= place:
            found.append(definition.name)
        reach = max(reach, last.get(definition.name, -1))
    return frozenset(found)


def active_reads(layer: Layer, wanted: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """For each definition the names it reads that depend on a wanted input."""
    active = set(wanted)
    result = {}
    for definition in layer.definitions:
        result[definition.name] = tuple(name for name in reads(definition.expr) if name in active)
        if result[definition.name]:
            active.add(definition.name)
    return result
