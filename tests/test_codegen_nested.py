"""Totals that share an inner sum are made of it: the same value exactly, and each array is read by one loop."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import prod
from random import Random
from typing import Any

import numpy as np
import pytest

from symbn import load
from symbn.calculus.engine import derive
from symbn.codegen.lower import ARRAYS, LOOPS
from symbn.codegen.passes import backward_program, forward_program
from symbn.codegen.program import Program, Sweep, Total, Value
from symbn.codegen.schedule import schedule
from symbn.codegen.walk import everything, loaded
from symbn.expr import Reduce
from symbn.language import parse_layer
from symbn.layer import Definition, Layer
from symbn.oracle.dual import Algebra
from symbn.oracle.evaluate import compute, plain
from symbn.oracle.numbers import Exact
from symbn.oracle.points import lift
from symbn.tools import compiler
from symbn.tools.verify import verify

# Sums of the same product over four different sets of letters, of which one is the inner sum itself; means; a factor that stays outside.
LEVELS = """
def levels(u: "T B P Q", a: "B P", c: "T"):
    r[b, p] = sum(u[t, b, p, q]**2 for t in T for q in Q)
    m[t, b] = mean(a[b, p]*u[t, b, p, q]**2 for p in P for q in Q)
    s[t, b, p] = sum(u[t, b, p, q]**2 for q in Q)
    z = mean(c[t]*u[t, b, p, q]**2 for t in T for b in B for p in P for q in Q)
    y[t, b, p, q] = u[t, b, p, q]*m[t, b] + s[t, b, p]
    return y, r, z
"""
# No sum here is part of another: the sets of letters have nothing in common, or the terms differ.
APART = """
def apart(u: "T B", a: "B"):
    r[b] = sum(u[t, b] for t in T)
    m[t] = sum(u[t, b] for b in B)
    k[t] = sum(u[t, b]*a[b] for b in B)
    y[t, b] = r[b]*m[t]*k[t]
    return y
"""


def _bounds(program: Program) -> dict[str, str]:
    return {value.name: "".join(index.axis for index in value.bound) for value in program.values if isinstance(value, Total)}


def _definition(value: Value) -> Definition:
    expr = Reduce(value.kind, value.expr, value.bound) if isinstance(value, Total) else value.expr
    return Definition(value.name, value.indices, expr)


def test_sums_over_several_sets_of_letters_are_made_of_the_sum_over_those_they_share() -> None:
    program = forward_program(derive(parse_layer(LEVELS), steps=False), LOOPS)
    bounds = _bounds(program)
    assert bounds["s"] == "Q"
    assert bounds["r"] == "T"
    assert sorted(bounds.values()) == ["P", "Q", "T", "TBP"]


def test_sums_that_share_nothing_stay_as_they_are() -> None:
    program = forward_program(derive(parse_layer(APART), steps=False), LOOPS)
    assert _bounds(program) == {"r": "T", "m": "B", "k": "B"}


@pytest.mark.parametrize("name", ["groupnorm", "instancenorm"])
def test_a_backward_pass_reads_its_arrays_in_one_loop(name: str) -> None:
    loops = schedule(backward_program(derive(load(name), steps=False), LOOPS))
    reading = [s for s in loops.body if isinstance(s, Sweep) and {load.array for load in loaded(s)} & {"dy", "xhat"}]
    assert len(reading) == 1
    assert {load.array for load in loaded(reading[0])} >= {"dy", "xhat"}
    assert any(isinstance(s, Sweep) for s in everything(reading[0].body))


ROOTLESS = [(parse_layer(LEVELS), forward_program), (parse_layer(LEVELS), backward_program), (parse_layer(APART), forward_program)]
NORMS = [(load("instancenorm"), backward_program), (load("groupnorm"), backward_program)]


@pytest.mark.parametrize(("layer", "passed"), [*ROOTLESS, *NORMS])
@pytest.mark.parametrize("mode", ["vjp", "jvp"])
def test_both_styles_of_a_program_are_equal_over_the_rationals(layer: Layer, passed: Callable[..., Program], mode: str) -> None:
    programs = [passed(derive(layer, mode=mode, steps=False), style) for style in (ARRAYS, LOOPS)]
    for extents in (dict.fromkeys(layer.axes, 1), dict(zip(layer.axes, (2, 3, 2, 3), strict=False))):
        given, arithmetic, found = _given(programs[0], extents), Exact(), []
        for program in programs:
            known = lift(given, arithmetic)
            compute([_definition(value) for value in program.values], known, extents, Algebra(arithmetic))
            found.append({output.name: plain(known[output.name]) for output in program.outputs})
        for key in found[0]:
            assert np.array_equal(found[0][key], found[1][key]), key


def _given(program: Program, extents: dict[str, int]) -> dict[str, Any]:
    """Rational numbers; the root of sigma2 + eps is one too."""
    rng, given = Random(3), {}
    for part in program.arguments:
        numbers = [Fraction(rng.randint(1, 9), rng.randint(1, 5)) for _ in range(prod(extents[axis] for axis in part.axes))]
        numbers = [number**2 for number in numbers] if part.name == "sigma2" else [Fraction(0)] if part.name == "eps" else numbers
        given[part.name] = np.array(numbers, object).reshape([extents[axis] for axis in part.axes])
    return given


@pytest.mark.skipif(not tuple(compiler.available()), reason="no C compiler")
@pytest.mark.parametrize(("mode", "order"), [("vjp", 1), ("jvp", 1), ("vjp", 2)])
def test_the_kernels_of_such_a_layer_are_within_their_bounds(mode: str, order: int) -> None:
    made = derive(parse_layer(LEVELS), mode=mode, order=order, steps=False)
    shapes = [dict(zip(("T", "B", "P", "Q"), sizes, strict=True)) for sizes in ((1, 1, 1, 1), (2, 1, 3, 2), (3, 2, 1, 5))]
    for row in verify(made, ("c",), shapes=shapes):
        assert row.ok, row.line
