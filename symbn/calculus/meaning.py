"""What the names of derivatives stand for.

In: a layer.  Out: polynomials in which every derivative's name has been replaced by what it means, and every definition by its right side:
what is left are inputs, constants and given cotangents and tangents.

Only the chain rule is used here, not the engine's search: a formula found by the search is held against these meanings like anyone's.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from symbn.calculus.adjoint import derivative
from symbn.calculus.backward_layer import gradients_as_layer
from symbn.calculus.compact import Notation
from symbn.calculus.problem import Problem, prepare
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
        self._values: dict[str, tuple[tuple[Index, ...], Poly]] = {}

    def expand(self, poly: Poly) -> Poly:
        """The polynomial with each derivative's name replaced by its meaning; definitions stay names."""
        derived = sorted(name for name in poly.names if name in self.quantities and not self.quantities[name].given)
        for name in derived:
            poly = substitute(poly, name, *self._value(self.quantities[name]))
        return poly

    def unfold(self, poly: Poly) -> Poly:
        """The polynomial with each definition replaced by its right side, the last first."""
        for definition in reversed(self.layer.definitions):
            poly = substitute(poly, definition.name, definition.indices, self.problem.polys[definition.name])
        return poly

    def _value(self, quantity: Quantity) -> tuple[tuple[Index, ...], Poly]:
        if quantity.name not in self._values:
            letters, value = self._computed(quantity)
            fresh = tuple(temporary(index.axis) for index in letters)
            self._values[quantity.name] = fresh, rename(value, dict(zip(letters, fresh, strict=True)))
        return self._values[quantity.name]

    def _computed(self, quantity: Quantity) -> tuple[tuple[Index, ...], Poly]:
        match quantity.kind:
            case "gradient":
                return self._letters(quantity.by), self._adjoints.get(quantity.by, ZERO)
            case "derivative":
                return self._total(quantity.of, quantity.by)
            case "pushforward":
                return self._letters(quantity.of), self._pushed.get(quantity.of, ZERO)
            case "second gradient":
                return self._backward.letters[quantity.by], self._second_adjoints.get(quantity.by, ZERO)
        raise KeyError(quantity.name)

    def _letters(self, name: str) -> tuple[Index, ...]:
        return self.problem.letters[name]

    @cached_property
    def _adjoints(self) -> Mapping[str, Poly]:
        return _adjoints(self.problem, tuple(part.name for part in self.layer.inputs))

    @cached_property
    def _backward(self) -> Problem:
        sweep = Reverse(self.problem, tuple(part.name for part in self.layer.inputs))
        builder = Notation(sweep).builder(factor=False)
        gradients = []
        for name in sweep.wanted:
            letters = self._letters(name)
            gradients.append(Definition(sweep.title(name), letters, builder.build(self._adjoints.get(name, ZERO), letters)))
        return prepare(gradients_as_layer(self.layer, sweep.seeds, (), tuple(gradients)))

    @cached_property
    def _second_adjoints(self) -> Mapping[str, Poly]:
        inputs = tuple(part.name for part in self._backward.layer.inputs)
        return _adjoints(self._backward, inputs)

    @cached_property
    def _pushed(self) -> Mapping[str, Poly]:
        start = {part.name: var(f"{part.name}_dot", self._letters(part.name)) for part in self.layer.inputs}
        return _push(self.problem, start)

    def _total(self, of: str, by: str) -> tuple[tuple[Index, ...], Poly]:
        fresh = tuple(temporary(index.axis) for index in self._letters(by))
        start = ONE
        for index, other in zip(self._letters(by), fresh, strict=True):
            start = start * delta(index, other)
        return self._letters(of) + fresh, _push(self.problem, {by: start}).get(of, ZERO)


def _adjoints(problem: Problem, inputs: tuple[str, ...]) -> Mapping[str, Poly]:
    return Reverse(problem, inputs).run(lambda poly: poly, lambda name, poly: False).values


def _push(problem: Problem, start: Mapping[str, Poly]) -> dict[str, Poly]:
    """The derivative of every definition along the one that `start` gives, through all definitions."""
    moved = dict(start)
    letters = problem.letters

    def seed(atom: Atom) -> Poly:
        name, indices = atom.parts
        value = moved.get(name)
        return ZERO if value is None else rename(value, dict(zip(letters[name], indices, strict=True)))

    for definition in problem.layer.definitions:
        if definition.name not in start:
            moved[definition.name] = derivative(problem.polys[definition.name], seed)
    return moved


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
