"""Random layers: the loops that the scheduler finds, and the array code, compute what the definitions say."""

from __future__ import annotations

from fractions import Fraction
from random import Random
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from symbn.calculus.derivation import Derivation, Gradient
from symbn.codegen.aliasing import overlays
from symbn.codegen.generate import render
from symbn.codegen.lower import LOOPS
from symbn.codegen.passes import backward_program, forward_program
from symbn.codegen.program import Program
from symbn.codegen.schedule import schedule
from symbn.codegen.views.numpy_body import numpy_bodies
from symbn.expr import Call, Compare, Delta, Expr, Extent, Index, Num, Pow, Read, Reduce, add, div, free_indices, mul, neg, num
from symbn.layer import Constant, Definition, Input, Layer
from symbn.oracle.dual import Algebra
from symbn.oracle.evaluate import compute, plain
from symbn.oracle.numbers import Floating
from symbn.oracle.points import lift
from symbn.tools import compiler
from symbn.tools.build import build
from symbn.tools.kernel import Kernel

EXTENTS = {"A": 3, "B": 4}
INPUTS = (Input("x", ("A", "B")), Input("m", ("A", "A")), Input("v", ("A",)), Input("g"))
CONSTANTS = (Constant("w", ("B",)), Constant("c", (), Fraction(1, 2)))
AXES = (("A", "B"), ("A",), ("B",), (), ("A", "A"), ("B", "A"))


class Drawer:
    """Random expressions over the names defined so far; letters are shared, so reads are straight, transposed and diagonal."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.known: dict[str, tuple[str, ...]] = {part.name: part.axes for part in (*INPUTS, *CONSTANTS)}
        self.count = 0

    def definition(self, name: str, axes: tuple[str, ...]) -> Definition:
        """A definition whose every free letter is one of its indices."""
        indices = tuple(Index(f"i{place}", axis) for place, axis in enumerate(axes))
        expr = self.expr(indices, 3)
        self.known[name] = axes
        return Definition(name, indices, expr)

    def expr(self, letters: tuple[Index, ...], depth: int) -> Expr:
        if depth == 0:
            return self.leaf(letters)
        part = lambda: self.expr(letters, depth - 1)  # noqa: E731
        match self.rng.randrange(13):
            case 0 | 1:
                return add(part(), part())
            case 2:
                return add(part(), neg(part()))
            case 3 | 4:
                return mul(part(), part())
            case 5:
                return Call("tanh", (part(),))
            case 6:
                return Call("where", (Compare("<", self.leaf(letters), num(Fraction(1, 4))), part(), part()))
            case 7:
                return div(part(), add(Extent("A"), num(1)))
            case 8:
                return Pow(Call("tanh", (part(),)), Num(Fraction(self.rng.choice((2, 3)))))
            case _:
                return self.reduction(letters, depth)

    def reduction(self, letters: tuple[Index, ...], depth: int) -> Expr:
        bound = []
        for _ in range(self.rng.randint(1, 2)):
            self.count += 1
            bound.append(Index(f"b{self.count}", self.rng.choice("AB")))
        kind = self.rng.choice(("sum", "mean", "mean", "max", "min"))
        return Reduce(kind, self.expr((*letters, *bound), depth - 1), tuple(bound))

    def leaf(self, letters: tuple[Index, ...]) -> Expr:
        pairs = [(left, right) for left in letters for right in letters if left.axis == right.axis and left != right]
        if pairs and self.rng.random() < 0.1:
            return Delta(*self.rng.choice(pairs))
        readable = [name for name, axes in self.known.items() if set(axes) <= {letter.axis for letter in letters}]
        name = self.rng.choice(readable[-5:] if self.rng.random() < 0.5 else readable)
        return Read(name, tuple(self.rng.choice([letter for letter in letters if letter.axis == axis]) for axis in self.known[name]))


class PlainDrawer(Drawer):
    """Expressions as layers have them: one letter an axis, a reduction over letters of its own. NumPy computes these block by block."""

    def reduction(self, letters: tuple[Index, ...], depth: int) -> Expr:
        bound = []
        for axis in self.rng.choice((("A",), ("B",), ("A", "B"))):
            self.count += 1
            bound.append(Index(f"b{self.count}", axis))
        axes = {letter.axis for letter in bound}
        rest = (letter for letter in letters if letter.axis not in axes)
        return Reduce(self.rng.choice(("sum", "mean", "max")), self.expr((*rest, *bound), depth - 1), tuple(bound))


def random_derivation(seed: int, *, plain: bool = False) -> Derivation:
    drawer = PlainDrawer(seed) if plain else Drawer(seed)
    shapes = [axes for axes in AXES if not plain or len(set(axes)) == len(axes)]
    if plain:
        del drawer.known["m"]
    definitions = tuple(drawer.definition(f"d{place}", drawer.rng.choice(shapes)) for place in range(5))
    outputs = (definitions[-1].name, definitions[-3].name)
    layer = Layer(f"random{seed}", INPUTS, CONSTANTS, (), definitions, outputs)
    seeds = tuple(Input(f"s{name}", layer.axes_of(name)) for name in outputs)
    drawer.known |= {part.name: part.axes for part in seeds}
    middle = tuple(drawer.definition(f"t{place}", drawer.rng.choice(shapes)) for place in range(2))
    wanted = [part for part in INPUTS if part.name in drawer.known]
    results = {part.name: Gradient(part.name, drawer.definition(f"grad_{part.name}", part.axes), 0, 0) for part in wanted}
    return Derivation(layer, "vjp", 1, tuple(results), seeds, middle, MappingProxyType(results), (), ())


def expected(derivation: Derivation, given: dict[str, Any]) -> dict[str, Any]:
    arithmetic = Floating(np.longdouble)
    known = lift(given, arithmetic)
    formulas = (*derivation.intermediates, *(gradient.definition for gradient in derivation.gradients.values()))
    compute((*derivation.layer.definitions, *formulas), known, EXTENTS, Algebra(arithmetic))
    return {name: plain(value) for name, value in known.items()}


def drawn(derivation: Derivation, seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    parts = (*INPUTS, *CONSTANTS, *derivation.seeds)
    return {part.name: np.asarray(rng.uniform(-1, 1, [EXTENTS[axis] for axis in part.axes])) for part in parts}


def forward(kernel: Kernel, given: dict[str, Any]) -> tuple[Any, ...]:
    return kernel.forward(*(given[part.name] for part in INPUTS), **{part.name: given[part.name] for part in CONSTANTS})


@pytest.mark.parametrize("target", ["numpy", "c"])
@pytest.mark.parametrize("seed", range(40))
def test_a_random_layer_is_computed_as_it_is_defined(seed: int, target: str) -> None:
    if target == "c" and not tuple(compiler.available()):
        pytest.skip("no C compiler")
    check_values(random_derivation(seed), seed, target)


def check_values(derivation: Derivation, seed: int, target: str) -> None:
    """Every result is what the definitions say."""
    given = drawn(derivation, seed)
    true = expected(derivation, given)
    kernel = build(derivation, target=target, dtype="float64")
    *outputs, saved = forward(kernel, given)
    gradients = kernel.backward(*(given[part.name] for part in derivation.seeds), saved)
    found = {**dict(zip(derivation.layer.outputs, outputs, strict=True)), **gradients._asdict()}
    for name, value in found.items():
        assert np.shape(value) == true[name].shape
        scale = 1 + np.max(np.abs(true[name]))
        assert np.max(np.abs(value - true[name])) < 1e-11 * scale, name


@pytest.mark.skipif(not tuple(compiler.available()), reason="no C compiler")
@pytest.mark.parametrize("seed", range(40))
def test_an_overlay_that_is_claimed_to_be_sound_changes_nothing(seed: int) -> None:
    derivation = random_derivation(seed)
    check_overlays(build(derivation, dtype="float64"), derivation, seed)


def check_overlays(kernel: Kernel, derivation: Derivation, seed: int) -> None:
    """Every result of either pass that lies where it may is what it is elsewhere."""
    given = drawn(derivation, seed)
    *outputs, saved = forward(kernel, given)
    seeds = [part.name for part in derivation.seeds]
    true = kernel.backward(*(given[name] for name in seeds), saved)
    for output, source in kernel.passes[1].overlays:
        copies = {name: np.copy(value) if np.ndim(value) else value for name, value in {**saved._asdict(), **given}.items()}
        again = type(saved)(*(copies[name] for name in saved._fields))
        found = kernel.backward(*(copies[name] for name in seeds), again, out={output: copies[source]})
        assert all(np.array_equal(left, right) for left, right in zip(found, true, strict=True)), (output, source)
    for output, source in kernel.passes[0].overlays:
        if source in saved._fields:
            continue  # kept for the backward pass: the kernel refuses to write over it
        copies = {name: np.copy(value) if np.ndim(value) else value for name, value in given.items()}
        inputs = {part.name: copies[part.name] for part in CONSTANTS}
        *found, kept = kernel.forward(*(copies[part.name] for part in INPUTS), **inputs, out={output: copies[source]})
        pairs = zip((*found, *kept), (*outputs, *saved), strict=True)
        assert all(np.array_equal(left, right) for left, right in pairs), (output, source)


@pytest.fixture
def short_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """NumPy works on blocks of two elements, so that small layers have several."""

    def shortened(*args: Any, **options: Any) -> dict[str, str]:
        files = render(*args, **options)
        return {name: text.replace("2**18", "2").replace("most=4096", "most=2").replace("512", "2") for name, text in files.items()}

    monkeypatch.setattr("symbn.tools.build.render", shortened)


@pytest.mark.usefixtures("short_blocks")
@pytest.mark.parametrize("seed", range(60))
def test_a_plain_random_layer_is_computed_block_by_block(seed: int) -> None:
    derivation = random_derivation(seed, plain=True)
    check_values(derivation, seed, "numpy")
    check_overlays(build(derivation, target="numpy", dtype="float64"), derivation, seed)


@pytest.mark.parametrize("seed", range(40))
def test_an_overlay_of_numpy_changes_nothing(seed: int) -> None:
    derivation = random_derivation(seed)
    check_overlays(build(derivation, target="numpy", dtype="float64"), derivation, seed)


def test_the_random_layers_reach_every_corner() -> None:
    programs = [program for seed in range(40) for program in both(random_derivation(seed))]
    assert any(schedule(program).buffers for program in programs)
    assert any(len(program.values) > 15 for program in programs)
    assert any(output for program in programs for output in overlays(program, schedule(program)))
    bodies = [body for seed in range(60) for body in numpy_bodies(random_derivation(seed, plain=True))]
    assert sum(any(output in body.stored for output, _ in body.overlays) for body in bodies) > 10
    for seed in range(40):
        for definition in random_derivation(seed).layer.definitions:
            assert set(free_indices(definition.expr)) <= set(definition.indices)


def both(derivation: Derivation) -> tuple[Program, Program]:
    return forward_program(derivation, LOOPS), backward_program(derivation, LOOPS)
