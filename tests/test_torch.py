"""Every layer of the catalogue against PyTorch's autograd in double precision, first and second order.

The forward pass is the layer's definitions, walked in torch operations; nothing here reads a derivative of ours but to compare it.
"""

from __future__ import annotations

from functools import reduce
from random import Random

import numpy as np
import pytest

from symbn import catalogue
from symbn.calculus import engine
from symbn.expr import Add, Call, Compare, Delta, Extent, Index, Mul, Num, Pow, Read, Reduce
from symbn.language import load_layer
from symbn.layer import Input
from symbn.oracle import Floating, evaluate, points

torch = pytest.importorskip("torch", reason="PyTorch is not installed: the catalogue is not held against its autograd")

EXTENTS = (2, 3, 4, 5, 3)
RELATIVE = 1e-12  # of the largest element; both sides round in float64 over at most 120 elements


class Walk:
    """The value of a tree in torch operations, with one axis for each index in scope."""

    def __init__(self, values, extents):
        self.values, self.extents = values, extents

    def __call__(self, expr, scope):
        match expr:
            case Num(value):
                return torch.tensor(float(value), dtype=torch.float64)
            case Extent(axis):
                return torch.tensor(float(self.extents[axis]), dtype=torch.float64)
            case Read(name, indices):
                return self.values[name][tuple(self.grid(i, scope) for i in indices)] if indices else self.values[name]
            case Delta(left, right):
                return (self.grid(left, scope) == self.grid(right, scope)).double()
            case Add(terms):
                return reduce(torch.add, (self(term, scope) for term in terms))
            case Mul(factors):
                return reduce(torch.mul, (self(factor, scope) for factor in factors))
            case Pow(base, exponent):
                return self(base, scope) ** self(exponent, scope).detach()
            case Call("where", (Compare(operator, left, right), yes, no)):
                mask = COMPARE[operator](self(left, scope), self(right, scope))
                return torch.where(mask, self(yes, scope), self(no, scope))
            case Call(function, args):
                return CALLS[function](*(self(arg, scope) for arg in args))
            case Reduce(kind, body, bound):
                return self.reduction(kind, self(body, (*scope, *bound)), bound, scope)
        raise AssertionError(expr)

    def reduction(self, kind, value, bound, scope):
        shape = [self.extents[i.axis] for i in (*scope, *bound)]
        axes = tuple(range(len(scope), len(shape)))
        have = (1,) * (len(shape) - value.ndim) + tuple(value.shape)
        spread = value.broadcast_to([shape[place] if place in axes else size for place, size in enumerate(have)])
        return {"sum": torch.sum, "mean": torch.mean, "max": torch.amax, "min": torch.amin}[kind](spread, dim=axes)

    def grid(self, index: Index, scope):
        place = max(place for place, bound in enumerate(scope) if bound == index)
        return torch.arange(self.extents[index.axis]).reshape([-1 if place == other else 1 for other in range(len(scope))])


CALLS = {
    **{name: getattr(torch, name) for name in ("sqrt", "rsqrt", "exp", "log", "log1p", "expm1", "tanh", "sigmoid", "erf", "sin", "cos")},
    "abs": torch.abs, "sign": torch.sign, "relu": torch.relu, "maximum": torch.maximum,
    "minimum": torch.minimum, "stop_gradient": lambda u: u.detach(),
    "pi": lambda: torch.tensor(np.pi, dtype=torch.float64),
}  # fmt: skip
COMPARE = {"<": torch.lt, "<=": torch.le, ">": torch.gt, ">=": torch.ge, "==": torch.eq, "!=": torch.ne}


def forward(layer, values, extents):
    values = dict(values)
    for definition in layer.definitions:
        found = Walk(values, extents)(definition.expr, definition.indices)
        values[definition.name] = found.broadcast_to([extents[axis] for axis in definition.axes])
    return values


def drawn(layer, seeds):
    """A point in general position where the layer's assumptions hold, in float64."""
    extents = dict(zip(layer.axes, EXTENTS, strict=False))
    found = list(points(layer, extents, seeds, Floating, Random(3), styles=("mixed", "positive"), grid=2**20))
    assert found, layer.name
    return {name: np.asarray(value, dtype=object).astype(np.float64) for name, value in found[0].given.items()}, extents


def ours(derivation, layer, given, extents):
    definitions = (*layer.definitions, *derivation.intermediates, *(g.definition for g in derivation.gradients.values()))
    known = {definition.name for definition in layer.definitions}
    unique = [d for place, d in enumerate(definitions) if place < len(layer.definitions) or d.name not in known]
    found = evaluate(unique, given, extents, Floating())
    return {of: np.asarray(found[gradient.definition.name], dtype=np.float64) for of, gradient in derivation.gradients.items()}


def close(found, true):
    assert found.shape == true.shape
    assert np.max(np.abs(found - true), initial=0) <= RELATIVE * max(1.0, np.max(np.abs(true), initial=0))


def leaves(layer, given):
    values = {name: torch.tensor(value, dtype=torch.float64) for name, value in given.items()}
    for part in layer.inputs:
        values[part.name].requires_grad_()
    return values


@pytest.mark.parametrize("name", catalogue.names())
def test_first_order_is_autograds(name):
    layer = load_layer(name)
    derivation = engine.derive(layer, steps=False)
    given, extents = drawn(layer, derivation.seeds)
    values = leaves(layer, given)
    found = forward(layer, values, extents)
    outputs, wanted = [found[out] for out in layer.outputs], [values[part.name] for part in layer.inputs]
    true = torch.autograd.grad(outputs, wanted, [values[f"d{out}"] for out in layer.outputs])
    mine = ours(derivation, layer, given, extents)
    for part, gradient in zip(layer.inputs, true, strict=True):
        close(mine[part.name], gradient.numpy())


@pytest.mark.parametrize("name", catalogue.names())
def test_second_order_is_autograds(name):
    """S = sum of ddx*dx over all inputs, differentiated by the inputs and by the cotangents."""
    layer = load_layer(name)
    derivation = engine.derive(layer, steps=False, order=2)
    cotangents = [Input(f"d{out}", layer.axes_of(out)) for out in layer.outputs]
    seeds = [*cotangents, *(Input(f"dd{part.name}", part.axes) for part in layer.inputs)]
    given, extents = drawn(layer, seeds)
    values = leaves(layer, given)
    for part in cotangents:
        values[part.name].requires_grad_()
    found = forward(layer, values, extents)
    wanted = [values[part.name] for part in layer.inputs]
    first = torch.autograd.grad(
        [found[out] for out in layer.outputs], wanted, [values[part.name] for part in cotangents], create_graph=True
    )
    total = sum((values[f"dd{part.name}"] * gradient).sum() for part, gradient in zip(layer.inputs, first, strict=True))
    names = [*(part.name for part in layer.inputs), *(part.name for part in cotangents)]
    true = dict(zip(names, torch.autograd.grad(total, [values[n] for n in names], allow_unused=True), strict=True))
    mine = ours(derivation, derivation.layer, given, extents)
    assert set(mine) <= set(true)
    assert {f"d{out}" for out in layer.outputs} <= set(mine)
    for key, value in mine.items():
        expected = np.zeros(value.shape) if true[key] is None else true[key].numpy()
        close(value, expected)


def test_the_comparison_sees_an_error_in_the_eleventh_digit():
    layer = load_layer("batchnorm")
    derivation = engine.derive(layer, steps=False)
    given, extents = drawn(layer, derivation.seeds)
    mine = ours(derivation, layer, given, extents)["x"]
    close(mine, mine.copy())
    with pytest.raises(AssertionError):
        close(mine * (1 + 1e-11) + 1e-11, mine)
