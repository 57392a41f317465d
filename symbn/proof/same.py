"""Two layers side by side.

In: two layers.  Out: a question for each output: is it the same for all inputs?

The second layer's inputs and constants are the first's of the same name, else those in the same place. Its definitions follow the first
layer's, under names of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from symbn.errors import EquationError
from symbn.expr import Compare, Delta, Expr, Extent, Index, Read, Reduce, transform
from symbn.language import Equation, definition_text, parse_assumption
from symbn.language.text import element_text
from symbn.layer import Constant, Definition, Input, Layer
from symbn.proof.prover import Prover
from symbn.proof.question import Question, extra_names

Part = Input | Constant


def same_outputs(
    first: Layer, second: Layer, *, lets: Mapping[str, str] | None = None, assume: Iterable[str] = ()
) -> tuple[Question, ...]:
    """One question for each output, in order. EquationError where the layers cannot be held against each other."""
    if len(first.outputs) != len(second.outputs):
        raise EquationError(f"'{first.name}' has {len(first.outputs)} outputs, '{second.name}' has {len(second.outputs)}")
    move = _Move(first, second, dict(lets or {}))
    given = tuple(parse_assumption(one, first, extra_names(first)) for one in assume)
    claims = tuple(claim for claim in map(move.claim, second.assumptions) if claim not in first.assumptions)
    definitions = tuple(map(move.definition, second.definitions))
    both = replace(first, assumptions=(*first.assumptions, *claims), definitions=(*first.definitions, *definitions))
    return tuple(
        Question(both, _equation(first, name, move.definition(second.definition(other)), second), given, definitions)
        for name, other in zip(first.outputs, second.outputs, strict=True)
    )


def _equation(first: Layer, name: str, other: Definition, second: Layer) -> Equation:
    own = first.definition(name)
    if own.axes != other.axes:
        raise EquationError(f"'{name}' of '{first.name}' has axes {own.axes}, its counterpart in '{second.name}' has {other.axes}")
    text = f"{element_text(name, own.indices)} of {first.name} == {element_text(other.name.rstrip('_'), own.indices)} of {second.name}"
    return Equation(Read(name, own.indices), Read(other.name, own.indices), text)


def parting(question: Question) -> tuple[str, ...]:
    """Where the layers part: the first of the second one's definitions that is none of the first one's values."""
    second = {definition.name for definition in question.second}
    own = [definition for definition in question.layer.definitions if definition.name not in second]
    prover = Prover(question.layer, question.assume)
    for definition in question.second:
        alike = [other for other in own if other.axes == definition.axes]
        if not any(prover.proves(Read(definition.name, definition.indices), Read(o.name, definition.indices)) for o in alike):
            text = definition_text(replace(definition, name=definition.name.rstrip("_"), expr=transform(definition.expr, _without_marks)))
            return (f"they part at {text}, which is none of the first layer's values",)
    return ()


def _without_marks(node: Expr) -> Expr:
    return replace(node, name=node.name.rstrip("_")) if isinstance(node, Read) else node


class _Move:
    """The second layer's names and axes in the first one's."""

    def __init__(self, first: Layer, second: Layer, lets: Mapping[str, str]) -> None:
        self.first, self.second = first, second
        self.names: dict[str, str] = {}
        self.axes: dict[str, str] = {}
        for place, part in enumerate(second.inputs):
            self._match(part, first.inputs, place, lets)
        for place, constant in enumerate(second.constants):
            self._match(constant, first.constants, place, lets)
        taken = {*first.names, *first.axes, *extra_names(first)}
        for definition in second.definitions:
            name = f"{definition.name}_"
            while name in taken:
                name += "_"
            taken.add(name)
            self.names[definition.name] = name

    def _match(self, part: Part, others: tuple[Part, ...], place: int, lets: Mapping[str, str]) -> None:
        known: dict[str, Part] = {p.name: p for p in self.first.inputs} | {p.name: p for p in self.first.constants}
        theirs = {p.name for p in self.second.inputs} | {p.name for p in self.second.constants}
        found = known.get(lets.get(part.name, part.name))
        if found is None and place < len(others) and others[place].name not in theirs:
            found = others[place]
        if found is None:
            message = f"'{part.name}' of '{self.second.name}' has no counterpart in '{self.first.name}'"
            raise EquationError(message, hint=f"write --let {part.name}=ITS_NAME")
        if len(found.axes) != len(part.axes):
            raise EquationError(f"'{part.name}' has {len(part.axes)} axes, its counterpart '{found.name}' has {len(found.axes)}")
        self.names[part.name] = found.name
        for axis, other in zip(part.axes, found.axes, strict=True):
            if self.axes.setdefault(axis, other) != other:
                raise EquationError(f"axis {axis} of '{self.second.name}' is both {self.axes[axis]} and {other} of '{self.first.name}'")

    def definition(self, definition: Definition) -> Definition:
        """The definition in the first layer's terms."""
        return Definition(self.names[definition.name], tuple(map(self._index, definition.indices)), self._expr(definition.expr))

    def claim(self, claim: Compare) -> Compare:
        """An assumption in the first layer's terms."""
        return Compare(claim.operator, self._expr(claim.left), self._expr(claim.right))

    def _index(self, index: Index) -> Index:
        return Index(index.name, self.axes.get(index.axis, index.axis))

    def _expr(self, expr: Expr) -> Expr:
        match expr:
            case Read(name, indices):
                return Read(self.names[name], tuple(map(self._index, indices)))
            case Extent(axis):
                return Extent(self.axes.get(axis, axis))
            case Delta(left, right):
                return Delta(self._index(left), self._index(right))
            case Reduce(kind, body, indices):
                return Reduce(kind, self._expr(body), tuple(map(self._index, indices)))
        return expr.rebuild(tuple(map(self._expr, expr.children)))
