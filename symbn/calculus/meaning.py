"""What the names of derivatives stand for.

In: a layer.  Out: polynomials in which every derivative's name has been replaced by what it means, and every definition by its right side:
what is left are inputs, constants and given cotangents and tangents.

Only the chain rule is used here, not the engine's search: a formula found by the search is held against these meanings like anyone's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from symbn.calculus.adjoint import derivative
from symbn.calculus.backward_layer import gradients_as_layer
from symbn.calculus.compact import Notation
from symbn.calculus.problem import Problem, prepare, waists
from symbn.calculus.sums import map_atoms, rebuild, rename
from symbn.calculus.sweeps import Reverse
from symbn.calculus.terms import ONE, ZERO, Atom, Kind, Poly, delta, temporary, var
from symbn.expr import Index
from symbn.layer import Definition, Layer
from symbn.vocabulary import Quantity, vocabulary


class Meanings:
    """The derivatives of one layer, each computed when it is first asked for."""

    def __init__(self, layer: Layer) -> None:
        self.layer = layer
        self.problem = prepare(layer)
        self.quantities = vocabulary(layer)
        self._values: dict[tuple[str, frozenset[str]], tuple[tuple[Index, ...], Poly]] = {}
        self._swept: dict[tuple[str, frozenset[str]], Mapping[str, Poly]] = {}

    def expand(self, poly: Poly, keep: Iterable[str] = ()) -> Poly:
        """The polynomial with each derivative's name replaced by its meaning; definitions stay names.

        Derivatives to `keep` stay names too, also in the meanings of others: `dx` by `dxhat` is one step of the chain rule.
        """
        kept = frozenset(keep)
        named = kept | frozenset(self.derived(poly))  # each is worked out once, in terms of the others
        while wanted := [name for name in self.derived(poly) if name not in kept]:
            poly = substitute(poly, wanted[0], *self._value(self.quantities[wanted[0]], named))
        return poly

    def derived(self, poly: Poly) -> list[str]:
        """The names of derivatives that the polynomial reads, apart from given ones."""
        return sorted(name for name in poly.names if name in self.quantities and not self.quantities[name].given)

    def unfold(self, poly: Poly) -> Poly:
        """The polynomial with each definition replaced by its right side, the last first."""
        return self._unfolded(poly, self.layer.definitions)

    def stages(self, poly: Poly) -> Iterator[Poly]:
        """The polynomial, then with the last definitions unfolded, then with more, up to one that all later ones flow through."""
        narrow = waists(self.layer)
        after: list[Definition] = []
        yield poly
        for definition in reversed(self.layer.definitions):
            if definition.name in narrow and after:
                poly, after = self._unfolded(poly, after[::-1]), []
                yield poly
            after.append(definition)
        yield self._unfolded(poly, after[::-1])

    def _unfolded(self, poly: Poly, definitions: Sequence[Definition]) -> Poly:
        for definition in reversed(definitions):
            poly = substitute(poly, definition.name, definition.indices, self.problem.polys[definition.name])
        return poly

    def _value(self, quantity: Quantity, kept: frozenset[str]) -> tuple[tuple[Index, ...], Poly]:
        key = (quantity.name, kept)
        if key not in self._values:
            letters, value = self._computed(quantity, kept)
            fresh = tuple(temporary(index.axis) for index in letters)
            self._values[key] = fresh, rename(value, dict(zip(letters, fresh, strict=True)))
        return self._values[key]

    def _computed(self, quantity: Quantity, kept: frozenset[str]) -> tuple[tuple[Index, ...], Poly]:
        match quantity.kind:
            case "gradient":
                return self._letters(quantity.by), self._adjoints(kept).get(quantity.by, ZERO)
            case "derivative":
                return self._total(quantity.of, quantity.by)
            case "pushforward":
                return self._letters(quantity.of), self._pushed(kept).get(quantity.of, ZERO)
            case "second gradient":
                return self._backward.letters[quantity.by], self._second_adjoints.get(quantity.by, ZERO)
        raise KeyError(quantity.name)

    def _letters(self, name: str) -> tuple[Index, ...]:
        return self.problem.letters[name]

    def _adjoints(self, kept: frozenset[str]) -> Mapping[str, Poly]:
        if ("gradient", kept) not in self._swept:
            inputs = tuple(part.name for part in self.layer.inputs)
            self._swept["gradient", kept] = _adjoints(self.problem, inputs, self._kept("gradient", kept))
        return self._swept["gradient", kept]

    def _kept(self, kind: str, kept: frozenset[str]) -> frozenset[str]:
        """The definitions whose derivatives of a kind are kept."""
        found = (self.quantities[name] for name in kept if name in self.quantities)
        return frozenset(quantity.by or quantity.of for quantity in found if quantity.kind == kind)

    @cached_property
    def _backward(self) -> Problem:
        sweep = Reverse(self.problem, tuple(part.name for part in self.layer.inputs))
        builder = Notation(sweep).builder(factor=False)
        gradients = []
        for name in sweep.wanted:
            letters = self._letters(name)
            value = self._adjoints(frozenset()).get(name, ZERO)
            gradients.append(Definition(sweep.title(name), letters, builder.build(value, letters)))
        return prepare(gradients_as_layer(self.layer, sweep.seeds, (), tuple(gradients)))

    @cached_property
    def _second_adjoints(self) -> Mapping[str, Poly]:
        inputs = tuple(part.name for part in self._backward.layer.inputs)
        return _adjoints(self._backward, inputs, frozenset())

    def _pushed(self, kept: frozenset[str]) -> Mapping[str, Poly]:
        if ("pushforward", kept) not in self._swept:
            start = {part.name: var(f"{part.name}_dot", self._letters(part.name)) for part in self.layer.inputs}
            self._swept["pushforward", kept] = _push(self.problem, start, self._kept("pushforward", kept))
        return self._swept["pushforward", kept]

    def _total(self, of: str, by: str) -> tuple[tuple[Index, ...], Poly]:
        fresh = tuple(temporary(index.axis) for index in self._letters(by))
        start = ONE
        for index, other in zip(self._letters(by), fresh, strict=True):
            start = start * delta(index, other)
        return self._letters(of) + fresh, _push(self.problem, {by: start}, frozenset()).get(of, ZERO)


def _adjoints(problem: Problem, inputs: tuple[str, ...], named: frozenset[str]) -> Mapping[str, Poly]:
    return Reverse(problem, inputs).run(lambda poly: poly, lambda name, poly: name in named).values


def _push(problem: Problem, start: Mapping[str, Poly], named: frozenset[str]) -> dict[str, Poly]:
    """The derivative of every definition along the one that `start` gives, through all definitions; `named` ones go on as names."""
    moved = dict(start)
    found: dict[str, Poly] = {}
    letters = problem.letters

    def seed(atom: Atom) -> Poly:
        name, indices = atom.parts
        value = moved.get(name)
        return ZERO if value is None else rename(value, dict(zip(letters[name], indices, strict=True)))

    for definition in problem.layer.definitions:
        name = definition.name
        if name not in start:
            found[name] = derivative(problem.polys[name], seed)
            moved[name] = var(f"{name}_dot", letters[name]) if name in named else found[name]
    return found


def substitute(poly: Poly, name: str, letters: tuple[Index, ...], value: Poly) -> Poly:
    """Every read of `name`, however deep, replaced by its value; `letters` are the value's free indices in the array's order."""
    known: dict[Atom, Poly | None] = {}

    def change(atom: Atom) -> Poly | None:
        if name not in atom.names:
            return None
        if atom not in known:
            own = atom.kind is Kind.VAR
            known[atom] = rename(value, dict(zip(letters, atom.parts[1], strict=True))) if own else rebuild(atom, inside)
        return known[atom]

    def inside(inner: Poly) -> Poly:
        return map_atoms(inner, change)

    return inside(poly) if name in poly.names else poly
