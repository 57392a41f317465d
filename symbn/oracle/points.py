"""Where to evaluate: exact inputs that keep a layer's assumptions.

In: a layer, extents, seeds of the backward pass.  Out: a `Point`: rational inputs, constants and seeds, with the forward values.

Values are drawn at random and then made to fit:
* `eps > 0`, `0 <= p`, `t[n, k] <= 1` bound the draw; anything else is a condition that a draw meets or is thrown away for;
* an equation such as `sum(t[n, k] for k in K) == 1` is met by scaling or shifting one of the arrays it reads;
* a scalar that enters a radicand additively, the eps of sqrt(sigma2 + eps), becomes `s**2 - sigma2` for a rational s, so that the root is
  rational. Where one eps serves several radicands it does so for the first; the roots of the others are adjoined (`roots.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt
from random import Random
from typing import Any

import numpy as np

from symbn.expr import Add, Call, Compare, Expr, Num, Pow, Read, add, div, free_indices, mul, neg, num, reads, walk
from symbn.layer import Constant, Definition, Input, Layer
from symbn.oracle.dual import Algebra, Value, leaves
from symbn.oracle.evaluate import Extents, compute, constant, plain, truth_of
from symbn.oracle.numbers import Arithmetic, Exact, Leaf

Values = Mapping[str, Leaf]

# How inputs are drawn, tried in turn until every value is defined.
STYLES = ("small", "mixed", "mixed", "positive", "positive", "positive", "unit", "unit", "large")
TIES = ("ties", "ties", "ties")
GRID = 36  # draws are multiples of 3/GRID within [-3, 3]
FINE = 2**20  # a grid on which draws do not coincide


@dataclass(frozen=True, slots=True)
class Point:
    """`given`: exact arrays of the inputs, constants and seeds by name. `known`: those and all forward values, in `arithmetic`."""

    extents: Extents
    given: Values
    known: Mapping[str, Value]
    arithmetic: Arithmetic


def points(
    layer: Layer,
    extents: Extents,
    seeds: Sequence[Input],
    make: Callable[[], Arithmetic],
    rng: Random,
    styles: Sequence[str] = STYLES,
    grid: int = GRID,
) -> Iterator[Point]:
    """Points where the assumptions hold and every forward value is defined: one for each style that has one.

    Each has an arithmetic of its own from `make`.
    """
    for style in styles:
        given, seeded = drawn(layer, extents, seeds, rng, style, grid)
        point = fitted(layer, extents, given, seeded, make())
        if point is not None:
            yield point


def drawn(
    layer: Layer, extents: Extents, seeds: Sequence[Input], rng: Random, style: str, grid: int = GRID
) -> tuple[dict[str, Leaf], dict[str, Leaf]]:
    """Inputs and constants within their bounds, and seeds: one draw, not yet made to fit."""
    draw = _Draw(rng, style, grid)
    parts: tuple[Input | Constant, ...] = (*layer.inputs, *layer.constants)
    given = {part.name: _array(part.axes, extents, draw, bounds(part.name, layer, extents)) for part in parts}
    draw = _Draw(rng, style if style == "small" else "mixed", grid)
    return given, {seed.name: _array(seed.axes, extents, draw, (None, None)) for seed in seeds}


def fitted(layer: Layer, extents: Extents, given: Values, seeded: Values, arithmetic: Arithmetic) -> Point | None:
    """The values made to fit, with all forward values; None where an assumption stays unmet or a forward value is undefined."""
    given = dict(given)
    meet_equations(layer, given, extents)
    if arithmetic.exact:
        _make_radicands_square(layer, given, extents)
    return _point(layer, extents, given, seeded, arithmetic)


def _point(layer: Layer, extents: Extents, given: Values, seeded: Values, arithmetic: Arithmetic) -> Point | None:
    known = lift({**given, **seeded}, arithmetic)
    compute(layer.definitions, known, extents, Algebra(arithmetic))
    if any(arithmetic.undefined(value) for value in known.values() if isinstance(value, np.ndarray)):
        return None
    holds = all(_holds(claim, known, extents, arithmetic) for claim in layer.assumptions)
    return Point(extents, {**given, **seeded}, known, arithmetic) if holds else None


def _holds(claim: Compare, known: Mapping[str, Value], extents: Extents, arithmetic: Arithmetic) -> bool:
    """Whether an assumption holds at every index; where arithmetic rounds, an equation may be off by 1e-9."""
    if claim.operator == "==" and not arithmetic.exact:
        gap = Call("abs", (add(claim.left, neg(claim.right)),))
        claim = Compare("<=", gap, num(Fraction(1, 10**9)))
    return bool(truth_of(claim, known, extents, free_indices(claim), Algebra(arithmetic)).all())


def lift(given: Mapping[str, object], arithmetic: Arithmetic) -> dict[str, Value]:
    """Arrays in `arithmetic`, each with the axis for directions."""
    return {name: arithmetic.array(value)[..., np.newaxis] for name, value in given.items()}


@dataclass(frozen=True, slots=True)
class _Draw:
    """Random numbers of one style, multiples of 3/grid unless bounds say otherwise."""

    rng: Random
    style: str
    grid: int

    def number(self, low: Fraction | None, high: Fraction | None) -> Fraction:
        """A draw strictly between the bounds; a tie draw is one of few integers where it can be."""
        unit = Fraction(self.rng.randint(1, 3), 3) if self.style == "small" else Fraction(self.rng.randint(1, self.grid - 1), self.grid)
        if self.style == "ties" and low is None and high is None:
            return Fraction(self.rng.choice((-1, 0, 0, 1)))
        if low is not None and high is not None:
            return low + (high - low) * unit * (Fraction(3, 4) if unit == 1 else 1)
        size = {"ties": Fraction(1), "unit": unit, "large": 3 * unit + 3}.get(self.style, 3 * unit)
        if low is not None or high is not None:
            return low + size if low is not None else (high or 0) - size
        return size * self.rng.choice((-1, 1)) if self.style in ("small", "mixed") else size


def _array(axes: tuple[str, ...], extents: Extents, draw: _Draw, bounds: tuple[Fraction | None, Fraction | None]) -> Leaf:
    array = np.empty(tuple(extents[axis] for axis in axes), dtype=object)
    for place in np.ndindex(*array.shape):
        array[place] = draw.number(*bounds)
    return array


def bounds(name: str, layer: Layer, extents: Extents) -> tuple[Fraction | None, Fraction | None]:
    """The tightest constant bounds that the assumptions put on every element of `name`."""
    low: Fraction | None = None
    high: Fraction | None = None
    for operator, bound in _sides(name, layer.assumptions):
        value = constant(bound, extents)
        if operator in (">", ">="):
            low = value if low is None else max(low, value)
        elif operator in ("<", "<="):
            high = value if high is None else min(high, value)
    return low, high


_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


def _sides(name: str, assumptions: tuple[Compare, ...]) -> Iterator[tuple[str, Expr]]:
    for claim in assumptions:
        flipped = _FLIPPED.get(claim.operator, "")
        for operator, this, other in ((claim.operator, claim.left, claim.right), (flipped, claim.right, claim.left)):
            if isinstance(this, Read) and this.name == name and not reads(other) and not any(isinstance(e, Call) for e in walk(other)):
                yield operator, other


def meet_equations(layer: Layer, given: dict[str, Leaf], extents: Extents) -> None:
    """Changes arrays so that each equation assumed holds, where scaling or shifting one of them does it. Others stay unmet."""
    for claim in layer.assumptions:
        if claim.operator == "==" and set(reads(claim)) <= set(given) and _is_rational(claim):
            for name in reads(claim):
                if _scaled(claim, name, given, extents) or _shifted(claim, name, given, extents):
                    break


def _is_rational(expr: Expr) -> bool:
    calls = any(isinstance(node, Call) and node.function not in ("abs", "relu", "maximum", "minimum") for node in walk(expr))
    powers = (node.exponent for node in walk(expr) if isinstance(node, Pow))
    return not calls and all(isinstance(power, Num) and power.value.denominator == 1 for power in powers)


def _read_of(name: str, expr: Expr) -> Read:
    return next(node for node in walk(expr) if isinstance(node, Read) and node.name == name)


def _scaled(claim: Compare, name: str, given: dict[str, Leaf], extents: Extents) -> bool:
    """Scales t by rhs/lhs: keeps signs, and meets `sum(t) == 1`. Not for a right side of 0, which would make all of t vanish."""
    read = _read_of(name, claim)
    if not _value(Definition(" right", free_indices(claim.right), claim.right), given, extents).all():
        return False
    return _try(claim, Definition(name, read.indices, div(mul(read, claim.right), claim.left)), given, extents)


def _shifted(claim: Compare, name: str, given: dict[str, Leaf], extents: Extents) -> bool:
    """Shifts t by (rhs - lhs)/slope, the slope taken between t and t + 1: meets an equation that is linear in t."""
    read = _read_of(name, claim)
    free = free_indices(claim)
    gap = add(claim.left, neg(claim.right))
    raised = dict(given)
    raised[name] = np.asarray(given[name] + Fraction(1), dtype=object)
    before, after = (_value(Definition("gap", free, gap), values, extents) for values in (given, raised))
    slope = np.asarray(after - before, dtype=object)
    if any(index not in read.indices for index in free) or Exact().undefined(slope) or np.any(slope == 0):
        return False
    spare = {**given, " shift": np.asarray(-before / slope, dtype=object)}
    return _try(claim, Definition(name, read.indices, add(read, Read(" shift", free))), given, extents, spare)


def _try(claim: Compare, change: Definition, given: dict[str, Leaf], extents: Extents, spare: Values | None = None) -> bool:
    """Keeps the changed array when it is defined and the claim holds with it."""
    if any(index not in change.indices for index in free_indices(change.expr)):
        return False
    arithmetic = Exact()
    changed = _value(change, spare or given, extents)
    if arithmetic.undefined(changed) or not _holds(claim, lift({**given, change.name: changed}, arithmetic), extents, arithmetic):
        return False
    given[change.name] = changed
    return True


def _value(definition: Definition, given: Values, extents: Extents) -> Leaf:
    arithmetic = Exact()
    known: dict[str, Value] = {name: array[..., np.newaxis] for name, array in given.items()}
    compute((definition,), known, extents, Algebra(arithmetic))
    return plain(known[definition.name])


def _make_radicands_square(layer: Layer, given: dict[str, Leaf], extents: Extents) -> None:
    """Sets each free scalar c of a radicand `rest + c` so that its first instance is a rational square, within c's bounds."""
    for free in free_radicands(layer):
        value = free.rest(lift(given, Exact()), extents, Exact())
        if not isinstance(value, Fraction):
            continue
        low, high = bounds(free.name, layer, extents)
        start = isqrt(max(0, int(value))) + 1 + abs(given[free.name].item()) / 2
        for root in (start, start + 1, start + 2):
            scalar = root * root - value
            if (low is None or scalar > low) and (high is None or scalar < high):
                given[free.name] = np.array(scalar, dtype=object)
                break


@dataclass(frozen=True, slots=True)
class FreeRadicand:
    """A radicand `rest + c` with a scalar c, called `name`, that can be chosen; `needed` are the definitions that the rest reads."""

    name: str
    radicand: Expr
    needed: tuple[Definition, ...]

    def rest(self, known: Mapping[str, Value], extents: Extents, arithmetic: Arithmetic) -> Any:
        """The first instance of the rest."""
        values = dict(known) | lift({self.name: np.array(Fraction(0), dtype=object)}, arithmetic)
        rest = Definition(" rest", free_indices(self.radicand), self.radicand)
        compute((*self.needed, rest), values, extents, Algebra(arithmetic))
        return next(iter(leaves(values[" rest"])[0].flat))


def free_radicands(layer: Layer) -> Iterator[FreeRadicand]:
    """In the order of the definitions; no scalar that a radicand before reads."""
    settled: set[str] = set()
    for place, definition in enumerate(layer.definitions):
        before = layer.definitions[:place]
        for radicand in _radicands(definition.expr):
            name, used = _additive_scalar(radicand, layer, before), _used(reads(radicand), before)
            if name is not None and name not in settled:
                yield FreeRadicand(name, radicand, tuple(part for part in before if part.name in used))
            settled |= used


def _radicands(expr: Expr) -> Iterator[Expr]:
    for node in walk(expr):
        if isinstance(node, Call) and node.function in ("sqrt", "rsqrt"):
            yield node.args[0]
        elif isinstance(node, Pow) and isinstance(node.exponent, Num) and node.exponent.value.denominator == 2:
            yield node.base


def _additive_scalar(radicand: Expr, layer: Layer, before: tuple[Definition, ...]) -> str | None:
    """A scalar input or constant that is a term of the radicand and occurs nowhere else in it."""
    parts: tuple[Input | Constant, ...] = (*layer.constants, *layer.inputs)
    scalars = {part.name for part in parts if not part.axes}
    if not isinstance(radicand, Add):
        return None
    for term in radicand.terms:
        if isinstance(term, Read) and term.name in scalars:
            others = [name for other in radicand.terms if other is not term for name in reads(other)]
            if term.name not in others and term.name not in _used(tuple(others), before):
                return term.name
    return None


def _used(names: tuple[str, ...], before: tuple[Definition, ...]) -> set[str]:
    """Every name that the definitions of `names` read, through all definitions."""
    found = set(names)
    for definition in reversed(before):
        if definition.name in found:
            found |= set(reads(definition.expr))
    return found
