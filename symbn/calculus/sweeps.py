"""The two ways through a layer's definitions.

In: a prepared layer, rewriting rules, and which values to name on the way.  Out: the derivative of every wanted quantity as a polynomial.

`Reverse` carries cotangents from the outputs to the inputs (pullback, VJP), `Forward` tangents from the inputs to the outputs (JVP).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from symbn.calculus.adjoint import pullback
from symbn.calculus.problem import Problem, active_reads
from symbn.calculus.sums import rename, sum_over
from symbn.calculus.terms import ZERO, Poly, var
from symbn.layer import Definition, Input

Reduce = Callable[[Poly], Poly]
Decide = Callable[[str, Poly], bool]
# What a definition adds to the derivative of a value it reads, given its own: (definition, value, derivative) -> share.
Shares = dict[tuple[str, str, Poly], Poly]


@dataclass(frozen=True)
class Swept:
    """Derivatives by the name they belong to, and those that got a name of their own, in the order they are computed."""

    values: Mapping[str, Poly]
    named: tuple[tuple[str, Poly], ...]


class Sweep(Protocol):
    """A direction: what it is given, what it is asked for, and what its values are called."""

    problem: Problem
    seeds: tuple[Input, ...]
    wanted: tuple[str, ...]

    def title(self, name: str) -> str:
        """The name of the derivative that belongs to `name`."""

    def run(self, reduce: Reduce, decide: Decide, known: Shares | None = None) -> Swept:
        """Goes through all definitions; `decide(name, value)` says whether a value gets a name.

        `known` remembers shares, for further runs with the same `reduce`.
        """


class Reverse:
    """Cotangents `d<output>` in, gradients `<prefix><input>` out."""

    def __init__(self, problem: Problem, wanted: Sequence[str], prefix: str = "d") -> None:
        layer = problem.layer
        self.problem = problem
        self.wanted = tuple(wanted)
        self.seeds = tuple(Input(f"d{name}", layer.axes_of(name)) for name in layer.outputs)
        self.prefix = prefix
        self._reads = active_reads(layer, self.wanted)

    def title(self, name: str) -> str:
        """The gradient's name."""
        return f"{self.prefix}{name}"

    def run(self, reduce: Reduce, decide: Decide, known: Shares | None = None) -> Swept:
        """adj(w) = sum over the definitions v that read w, and over v's indices, of adj(v) dv/dw."""
        layer, letters, known = self.problem.layer, self.problem.letters, {} if known is None else known
        adjoints = {name: var(f"d{name}", letters[name]) for name in layer.outputs}
        named = []
        for definition in reversed(layer.definitions):
            adjoint = adjoints.get(definition.name)
            if not adjoint or not self._reads[definition.name]:
                continue
            if definition.name not in layer.outputs and decide(definition.name, adjoint):
                named.append((definition.name, adjoint))
                adjoint = var(self.title(definition.name), definition.indices)
            for name in self._reads[definition.name]:
                place = definition.name, name, adjoint
                if place not in known:
                    known[place] = self._share(definition, name, adjoint, reduce)
                adjoints[name] = adjoints.get(name, ZERO) + known[place]
        return Swept(adjoints, tuple(named))

    def _share(self, definition: Definition, name: str, adjoint: Poly, reduce: Reduce) -> Poly:
        fresh, partial = self.problem.partial(definition, name)
        if not partial:
            return ZERO
        share = reduce(pullback(adjoint, definition.indices, reduce(partial)))
        return rename(share, dict(zip(fresh, self.problem.letters[name], strict=True)))


class Forward:
    """Tangents `<input>_dot` in, tangents `<output>_dot` out."""

    def __init__(self, problem: Problem, inputs: Sequence[str]) -> None:
        layer = problem.layer
        self.problem = problem
        self.wanted = layer.outputs
        self.seeds = tuple(Input(f"{name}_dot", layer.axes_of(name)) for name in inputs)
        self._inputs = tuple(inputs)
        self._reads = active_reads(layer, inputs)

    def title(self, name: str) -> str:
        """The tangent's name."""
        return f"{name}_dot"

    def run(self, reduce: Reduce, decide: Decide, known: Shares | None = None) -> Swept:
        """dot(v) = sum over the names w that v reads, and over w's indices, of dv/dw dot(w)."""
        letters, known = self.problem.letters, {} if known is None else known
        tangents = {name: var(self.title(name), letters[name]) for name in self._inputs}
        named = []
        for definition in self.problem.layer.definitions:
            total = ZERO
            for name in self._reads[definition.name]:
                place = definition.name, name, tangents.get(name, ZERO)
                if place not in known:
                    known[place] = self._share(definition, name, place[-1], reduce)
                total = total + known[place]
            if total and definition.name not in self.wanted and decide(definition.name, total):
                named.append((definition.name, total))
                total = var(self.title(definition.name), definition.indices)
            tangents[definition.name] = total
        return Swept(tangents, tuple(named))

    def _share(self, definition: Definition, name: str, tangent: Poly, reduce: Reduce) -> Poly:
        fresh, partial = self.problem.partial(definition, name)
        moved = rename(tangent, dict(zip(self.problem.letters[name], fresh, strict=True)))
        return reduce(sum_over(fresh, reduce(partial) * moved))
