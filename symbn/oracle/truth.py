"""Derivatives from the layer's definitions alone.

In: a layer and values.  Out: gradients, directional and second derivatives, by carrying a tangent for every element of every input.

Nothing here knows a rule of reverse mode: dx_k = sum_i dy_i * (derivative of y_i along x_k).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import prod
from typing import Protocol

import numpy as np

from symbn.expr import Reduce, walk
from symbn.layer import Layer
from symbn.oracle.dual import Algebra, Dual, Value, map_leaves
from symbn.oracle.evaluate import Extents, compute
from symbn.oracle.numbers import Arithmetic, ComplexStep, Leaf

CHUNK = 1 << 21  # elements of the largest array that is built at a time


class Probe(Protocol):
    """A way to carry the derivative along each of many directions."""

    def perturb(self, value: Value, directions: Leaf) -> Value:
        """The value moved along each direction."""

    def slope(self, value: Value) -> Value:
        """The derivative of a computed value along each direction."""


@dataclass(frozen=True, slots=True)
class DualProbe:
    """Dual numbers, over any arithmetic."""

    algebra: Algebra

    def perturb(self, value: Value, directions: Leaf) -> Value:
        """The directions are the tangents."""
        return Dual(value, directions)

    def slope(self, value: Value) -> Value:
        """The tangents; 0 for a constant."""
        return value.tangent if isinstance(value, Dual) else self.algebra.number(Fraction(0))


@dataclass(frozen=True, slots=True)
class ComplexProbe:
    """The imaginary part of complex128 (Squire and Trapp 1998), for functions that are analytic around the point."""

    def perturb(self, value: Value, directions: Leaf) -> Value:
        """A step of STEP in the imaginary part."""
        if isinstance(value, Dual):
            return Dual(self.perturb(value.value, directions), value.tangent)
        return value + directions * (1j * ComplexStep.STEP)

    def slope(self, value: Value) -> Value:
        """The imaginary part over STEP."""
        return map_leaves(value, lambda leaf: leaf.imag / ComplexStep.STEP)


class Truth:
    """A layer at given values of its inputs and constants, arrays in `arithmetic` with the axis for directions."""

    def __init__(self, layer: Layer, known: Mapping[str, Value], extents: Extents, arithmetic: Arithmetic) -> None:
        self.layer, self.extents, self.arithmetic = layer, extents, arithmetic
        self.algebra = Algebra(arithmetic)
        self.probe: Probe = ComplexProbe() if isinstance(arithmetic, ComplexStep) else DualProbe(self.algebra)
        self.given = {name: known[name] for name in layer.names if name not in {definition.name for definition in layer.definitions}}

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of an input, constant or definition."""
        return tuple(self.extents[axis] for axis in self.layer.axes_of(name))

    def jvp(self, outputs: Sequence[str], tangents: Mapping[str, Leaf]) -> dict[str, Leaf]:
        """The derivative of each output along one direction of all inputs together."""
        moved = {name: self.probe.perturb(self.given[name], tangent) for name, tangent in tangents.items()}
        values = self._forward(self.given | moved)
        return {name: self._dense(self.probe.slope(values[name]), name, 1)[..., 0] for name in outputs}

    def jacobian(self, numerator: str, denominator: str) -> Leaf:
        """Every derivative of the numerator by the denominator, an input; shape of the numerator, then of the denominator."""
        columns = [self._dense(slope[numerator], numerator, size) for slope, size in self._slopes({}, (numerator,), [denominator])]
        return np.concatenate(columns, axis=-1).reshape(self.shape(numerator) + self.shape(denominator))

    def vjp(self, wrt: Sequence[str], cotangents: Mapping[str, Leaf]) -> dict[str, Leaf]:
        """The gradient of sum(cotangent * output) by each input of `wrt`."""
        return self._gradients(wrt, cotangents, {}, lambda value: value)

    def second(self, wrt: Sequence[str], cotangents: Mapping[str, Leaf], tangents: Mapping[str, Leaf]) -> dict[str, Leaf]:
        """The gradient of S = sum(ddx * dx) + ..., for `tangents` {x: ddx, ...}, by each input of `wrt`.

        S is the derivative of sum(dy * y) along (ddx, ...), so one more tangent inside the first gives it: a dual of duals. S is linear
        in dy, so its gradient by dy is `jvp(outputs, tangents)`.
        """
        zero = self.algebra.number(Fraction(0))
        return self._gradients(wrt, cotangents, tangents, lambda value: value.tangent if isinstance(value, Dual) else zero)

    def _gradients(
        self, wrt: Sequence[str], cotangents: Mapping[str, Leaf], inner: Mapping[str, Leaf], part: Callable[[Value], Value]
    ) -> dict[str, Leaf]:
        chunks = []
        wrt = [part.name for part in self.layer.inputs if part.name in wrt]
        for slopes, size in self._slopes(inner, tuple(cotangents), wrt):
            total = np.zeros(1, dtype=object if self.arithmetic.dtype is object else None)
            for name, cotangent in cotangents.items():
                product = cotangent * self._dense(part(slopes[name]), name, size)
                total = total + product.reshape(-1, size).sum(axis=0)
            chunks.append(total)
        return self._split(np.concatenate(chunks), wrt) if chunks else {}

    def _split(self, gradient: Leaf, wrt: Sequence[str]) -> dict[str, Leaf]:
        ends = np.cumsum([prod(self.shape(name)) for name in wrt])
        return {name: piece.reshape(self.shape(name)) for name, piece in zip(wrt, np.split(gradient, ends[:-1]), strict=True)}

    def _slopes(self, inner: Mapping[str, Leaf], outputs: Sequence[str], wrt: Sequence[str]) -> Iterator[tuple[dict[str, Value], int]]:
        """The outputs' derivatives along each element of `wrt` in turn, a chunk of directions at a time, and the chunk's size."""
        count = sum(prod(self.shape(name)) for name in wrt)
        for start in range(0, count, self._chunk()):
            size = min(self._chunk(), count - start)
            values = self._forward(self._perturbed(inner, wrt, start, size))
            yield {name: self.probe.slope(values[name]) for name in outputs}, size

    def _perturbed(self, inner: Mapping[str, Leaf], wrt: Sequence[str], start: int, size: int) -> dict[str, Value]:
        """The given values; inputs of `wrt` each moved along their own directions among start .. start + size."""
        moved, offset = dict(self.given), 0
        for name in (part.name for part in self.layer.inputs):
            still = self.arithmetic.array(np.zeros((*self.shape(name), 1), dtype=int))
            value = Dual(moved[name], inner.get(name, still)) if inner else moved[name]
            directions = still
            if name in wrt:
                elements = prod(self.shape(name))
                places = np.arange(elements)[:, np.newaxis] + offset == np.arange(start, start + size)
                directions = self.arithmetic.array(places.astype(int)).reshape((*self.shape(name), size))
                offset += elements
            moved[name] = self.probe.perturb(value, directions)
        return moved

    def _forward(self, given: Mapping[str, Value]) -> dict[str, Value]:
        known = dict(given)
        compute(self.layer.definitions, known, self.extents, self.algebra)
        return known

    def _chunk(self) -> int:
        scopes = [d.axes + _bound_axes(node) for d in self.layer.definitions for node in walk(d.expr) if isinstance(node, Reduce)]
        largest = max((prod(self.extents[axis] for axis in scope) for scope in scopes), default=1)
        return max(1, CHUNK // largest)

    def _dense(self, value: Value, name: str, size: int) -> Leaf:
        if isinstance(value, Dual):
            raise TypeError("a derivative that carries tangents of its own")
        return np.broadcast_to(value, (*self.shape(name), size))


def _bound_axes(node: Reduce) -> tuple[str, ...]:
    """The axes bound at this node and inside it."""
    return tuple(index.axis for inner in walk(node) if isinstance(inner, Reduce) for index in inner.indices)
