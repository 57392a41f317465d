"""Names for what the author left without one.

In: a layer.  Out: the same layer with a definition for every sum that stands inside a larger expression, and for every difference and
every function that is written twice.

`p[n, k] = exp(x[n, k])/sum(exp(x[n, j]) for j in K)` becomes u = exp(x), v = sum(u) and p = u/v, which can be solved for u: only so is a
softmax's derivative found to need nothing but p.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, count

from symbn.calculus.cost import with_standard_letters
from symbn.calculus.problem import has_branches
from symbn.expr import Add, Call, Expr, Index, Read, Reduce, free_indices, rename_indices, walk
from symbn.language.letters import letters_of
from symbn.layer import Definition, Layer
from symbn.vocabulary import vocabulary

# Not worth a name: they say how a derivative is taken, or are numbers.
MARKS = ("stop_gradient", "pi")


def name_the_unnamed(layer: Layer) -> tuple[Layer, tuple[Definition, ...]]:
    """The layer over new names, and their definitions in order; none where nothing needs one.

    Nothing is taken out of a definition with branches: there a part may be undefined where it is not used.
    """
    return _Namer(layer).run()


class _Namer:
    def __init__(self, layer: Layer) -> None:
        self.layer = layer
        self.free = _free_names(layer)
        self.letters = letters_of(layer)
        self.definitions: list[Definition] = []
        self.made: list[Definition] = []
        nodes = [node for d in layer.definitions if not has_branches(d.expr) for node in walk(d.expr)]
        written = Counter(_standard(node) for node in nodes if _is_composite(node))
        self.repeated = {key for key, count in written.items() if count > 1}

    def run(self) -> tuple[Layer, tuple[Definition, ...]]:
        for definition in self.layer.definitions:
            whole = has_branches(definition.expr)
            self.definitions.append(definition if whole else replace(definition, expr=self._inside(definition.expr)))
        return replace(self.layer, definitions=tuple(self.definitions)), tuple(self.made)

    def _inside(self, expr: Expr) -> Expr:
        """What is below the node gets its names; the node itself has one already, or needs none."""
        return expr.rebuild(tuple(self._named(child) for child in expr.children)) if expr.children else expr

    def _named(self, expr: Expr) -> Expr:
        worth_it = isinstance(expr, Reduce) or (_is_composite(expr) and _standard(expr) in self.repeated)
        inner = self._inside(expr)
        return self._name(inner) if worth_it else inner

    def _name(self, expr: Expr) -> Read:
        """The expression by a name that it has by now, the author's or ours."""
        letters = free_indices(expr)
        for known in self.definitions:
            own = free_indices(known.expr)
            if set(own) == set(known.indices) and _standard(known.expr) == _standard(expr):
                here = dict(zip(own, letters, strict=True))
                return Read(known.name, tuple(here[letter] for letter in known.indices))
        usual = self._usual(expr, letters)
        made = Definition(next(self.free), tuple(usual[letter] for letter in letters), rename_indices(expr, usual))
        self.made.append(made)
        self.definitions.append(made)
        return Read(made.name, letters)

    def _usual(self, expr: Expr, letters: tuple[Index, ...]) -> dict[Index, Index]:
        """The letters that the author writes the names with, in place of those that a sum happened to bind."""
        reads = [node for node in walk(expr) if isinstance(node, Read) and node.name in self.letters]
        found: dict[Index, Index] = {}
        for read in reads:
            for letter, usual in zip(read.indices, self.letters[read.name], strict=True):
                found.setdefault(letter, usual)
        wanted = {letter: found.get(letter, letter) for letter in letters}
        return wanted if len(set(wanted.values())) == len(letters) else dict(zip(letters, letters, strict=True))


def _free_names(layer: Layer) -> Iterator[str]:
    """Short names, as one would take on paper, that mean nothing in the layer, nor do their derivatives."""
    letters = {index.name for d in layer.definitions for node in walk(d.expr) for index in _indices(node)}
    taken = {*layer.names, *letters, *(index.name for d in layer.definitions for index in d.indices), *vocabulary(layer)}
    for name in chain("uvwsrabch", (f"u{number}" for number in count(1))):
        if not taken & {name, f"d{name}", f"{name}_dot"}:
            yield name


def _indices(node: Expr) -> tuple[Index, ...]:
    return node.indices if isinstance(node, (Read, Reduce)) else ()


def _is_composite(expr: Expr) -> bool:
    return isinstance(expr, Add) or (isinstance(expr, Call) and expr.function not in MARKS)


def _standard(expr: Expr) -> tuple[Expr, tuple[str, ...]]:
    """The same for all expressions that differ in their letters alone."""
    letters = {letter: Index(f"~{place}", letter.axis) for place, letter in enumerate(free_indices(expr))}
    kinds = tuple(node.kind for node in walk(expr) if isinstance(node, Reduce))  # a sum and its mean are not the same
    return with_standard_letters(rename_indices(expr, letters)), kinds
