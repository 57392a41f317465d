"""What must hold of every derivative, and of batch norm's in particular: exact arithmetic, no tolerance where values are rational."""

from __future__ import annotations

from fractions import Fraction as F
from functools import cache
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symbn.calculus import engine
from symbn.catalogue import names as catalogue_names
from symbn.language import load_layer
from symbn.layer import Input
from symbn.oracle import Digits, Exact, evaluate, points
from symbn.oracle.dual import Algebra
from symbn.oracle.evaluate import compute, plain
from symbn.oracle.kinds import is_transcendental
from symbn.oracle.roots import TooManyRootsError
from symbn.oracle.verify import small_extents

CATALOGUE = tuple(catalogue_names())


@cache
def derive(name, mode="vjp"):
    return engine.derive(load_layer(name), mode=mode, steps=False)


def formulas(derivation):
    return (*derivation.intermediates, *(gradient.definition for gradient in derivation.gradients.values()))


# Batch norm over exact rationals: any x, any dy, and eps = s**2 - var, so that the root is s.

rationals = st.fractions(min_value=-5, max_value=5, max_denominator=12)
scales = st.fractions(min_value=6, max_value=9, max_denominator=12)  # s > |x - mu| keeps eps positive


@st.composite
def batches(draw):
    n = draw(st.integers(1, 5))
    rows = st.lists(rationals, min_size=n, max_size=n)
    return draw(rows), draw(rows), draw(rationals), draw(scales)


def variance(x):
    mu = F(sum(x), len(x))
    return sum((element - mu) ** 2 for element in x) / len(x)


def backward(x, dy, gamma, s, *, eps=None):
    """dx, dgamma, dbeta and xhat by the engine's formulas."""
    layer = load_layer("batchnorm")
    values = {"x": x, "dy": dy, "gamma": gamma, "beta": F(0), "eps": s**2 - variance(x) if eps is None else eps}
    found = evaluate((*layer.definitions, *formulas(derive("batchnorm"))), values, {"N": len(x)}, Exact())
    return found["dx"], found["dgamma"], found["dbeta"], found["xhat"]


few = settings(max_examples=25)


@few
@given(batches(), rationals, rationals)
def test_the_backward_pass_is_linear_in_dy(batch, a, b):
    x, dy, gamma, s = batch
    other = [F(k + 1, 3) - element for k, element in enumerate(dy)]
    mixed = [a * u + b * v for u, v in zip(dy, other, strict=True)]
    for left, right, both in zip(*(backward(x, cotangent, gamma, s)[:3] for cotangent in (dy, other, mixed)), strict=True):
        assert np.all(a * left + b * right == both)


@few
@given(batches())
def test_dx_sums_to_zero_for_any_dy(batch):
    x, dy, gamma, s = batch
    assert sum(backward(x, dy, gamma, s)[0]) == 0


@few
@given(batches())
def test_dx_against_xhat_is_left_by_eps_alone(batch):
    """sum dx*xhat = gamma*rstd^3*eps*sum dy*xhat: without eps the pass is blind to scale, and dx is orthogonal to xhat."""
    x, dy, gamma, s = batch
    dx, dgamma, _, xhat = backward(x, dy, gamma, s)
    assert sum(dx * xhat) == gamma / s**3 * (s**2 - variance(x)) * dgamma


@few
@given(batches())
def test_without_eps_dx_is_orthogonal_to_xhat(batch):
    _, dy, gamma, _ = batch
    x = [F(k) for k in (3, -3, 3, -3)]  # variance 9
    dy = [*dy, *(F(2), F(-1), F(1, 3), F(5))][:4]
    dx, _, _, xhat = backward(x, dy, gamma, F(3), eps=F(0))
    assert sum(dx * xhat) == 0


@few
@given(batches(), rationals)
def test_a_shift_of_x_changes_nothing(batch, shift):
    x, dy, gamma, s = batch
    moved = [element + shift for element in x]
    assert all(np.all(a == b) for a, b in zip(backward(x, dy, gamma, s), backward(moved, dy, gamma, s), strict=True))


@few
@given(batches(), st.fractions(min_value=F(1, 4), max_value=4, max_denominator=8), st.sampled_from([1, -1]))
def test_a_scale_of_x_divides_dx_where_eps_scales_along(batch, size, sign):
    """x -> c*x with eps -> c**2*eps: xhat keeps its size and takes the sign of c, dx is divided by |c|."""
    x, dy, gamma, s = batch
    dx, dgamma, dbeta, xhat = backward(x, dy, gamma, s)
    scaled = backward([sign * size * element for element in x], dy, gamma, size * s)
    assert np.all(scaled[0] == dx / size)
    assert scaled[1] == sign * dgamma
    assert scaled[2] == dbeta
    assert np.all(scaled[3] == sign * xhat)


@few
@given(batches(), st.randoms(use_true_random=False))
def test_a_permutation_of_the_batch_permutes_dx(batch, random):
    x, dy, gamma, s = batch
    order = list(range(len(x)))
    random.shuffle(order)
    dx, dgamma, dbeta, _ = backward(x, dy, gamma, s)
    moved = backward([x[k] for k in order], [dy[k] for k in order], gamma, s)
    assert np.all(moved[0] == dx[order])
    assert (moved[1], moved[2]) == (dgamma, dbeta)


@few
@given(rationals, rationals, rationals, scales)
def test_a_batch_of_one_has_no_gradient(x, dy, gamma, s):
    dx, dgamma, dbeta, _ = backward([x], [dy], gamma, s)
    assert dx.tolist() == [0]
    assert (dgamma, dbeta) == (0, dy)


@few
@given(batches(), rationals)
def test_a_constant_batch_centers_dy(batch, value):
    """All x equal: xhat is 0, and dx is gamma*rstd*(dy - mean(dy))."""
    _, dy, gamma, s = batch
    dx, dgamma, _, _ = backward([value] * len(dy), dy, gamma, s)
    assert np.all(dx == gamma / s * (np.array(dy, object) - F(sum(dy), len(dy))))
    assert dgamma == 0


@pytest.mark.parametrize("k", range(3))
def test_the_response_to_an_impulse_is_a_column_of_the_jacobian(k):
    x, gamma, s = [F(1), F(4), F(-2)], F(2, 3), F(5)
    impulse = [F(int(j == k)) for j in range(3)]
    layer = load_layer("batchnorm")
    given_values = {"x": x, "gamma": gamma, "beta": F(0), "eps": s**2 - variance(x)}
    jacobian = derive("batchnorm", "jacobian").gradients["y/x"].definition
    found = evaluate((*layer.definitions, jacobian), given_values, {"N": 3}, Exact())["dy_dx"]
    assert backward(x, impulse, gamma, s)[0].tolist() == found[k].tolist()


# Every layer of the catalogue: one derivative, three ways.


def all_modes(name, extents):
    """At exact points: (arithmetic, cotangents by output, tangents by input, and the values of all three modes' formulas)."""
    layer = load_layer(name)
    modes = [derive(name, mode) for mode in ("vjp", "jvp", "jacobian")]
    definitions = [definition for mode in modes for definition in formulas(mode)]
    trees = [definition.expr for definition in (*layer.definitions, *definitions)]
    seeds = [Input(f"d{output}", layer.axes_of(output)) for output in layer.outputs]
    seeds += [Input(f"{part.name}_dot", part.axes) for part in layer.inputs]
    make = Digits if any(map(is_transcendental, trees)) else Exact
    for point in points(layer, extents, seeds, make, Random(1), ("small", "mixed")):
        values = dict(point.known)
        for mode in modes:
            compute(formulas(mode), values, extents, Algebra(point.arithmetic))
        found = {key: plain(value) for key, value in values.items() if isinstance(value, np.ndarray)}
        yield layer, point.arithmetic, found


def same(left, right, arithmetic):
    difference = abs(left - right)
    return difference == 0 if arithmetic.exact else difference <= arithmetic.number(F(1, 10**40))


def is_defined(arithmetic, arrays):
    return not any(arithmetic.undefined(array) for array in arrays)


@pytest.mark.parametrize("name", CATALOGUE)
def test_forward_and_backward_mode_agree(name):
    """The dot-product test: <J v, w> = <v, J^T w>."""
    compared = 0
    for extents in small_extents(load_layer(name).axes)[1:3]:
        try:
            for layer, arithmetic, found in all_modes(name, extents):
                if not is_defined(arithmetic, found.values()):
                    continue
                forward = sum(np.sum(found[f"d{output}"] * found[f"{output}_dot"]) for output in layer.outputs)
                backward_ = sum(np.sum(found[f"{part.name}_dot"] * found[f"d{part.name}"]) for part in layer.inputs)
                assert same(forward, backward_, arithmetic)
                compared += 1
        except TooManyRootsError:
            continue
    assert compared


@pytest.mark.parametrize("name", CATALOGUE)
def test_the_jacobian_contracts_to_both_modes(name):
    compared = 0
    for extents in small_extents(load_layer(name).axes)[1:3]:
        try:
            for layer, arithmetic, found in all_modes(name, extents):
                if not is_defined(arithmetic, found.values()):
                    continue
                for output in layer.outputs:
                    pushed = 0
                    for part in layer.inputs:
                        jacobian, rank = found[f"d{output}_d{part.name}"], len(part.axes)
                        pulled = np.tensordot(found[f"d{output}"], jacobian, len(layer.axes_of(output)))
                        assert all(same(a, b, arithmetic) for a, b in zip(np.ravel(pulled), np.ravel(found[f"d{part.name}"]), strict=True))
                        pushed = pushed + np.tensordot(jacobian, found[f"{part.name}_dot"], rank)
                    assert all(same(a, b, arithmetic) for a, b in zip(np.ravel(pushed), np.ravel(found[f"{output}_dot"]), strict=True))
                compared += 1
        except TooManyRootsError:
            continue
    assert compared


SHIFT_INVARIANT = {
    "batchnorm": "N", "layernorm": "D", "instancenorm": "S", "softmax": "K", "log_softmax": "K", "weight_standardization": "I",
}  # fmt: skip


@pytest.mark.parametrize("name", SHIFT_INVARIANT)
def test_where_a_shift_changes_nothing_dx_sums_to_zero(name):
    layer = load_layer(name)
    source = layer.inputs[0]
    place = source.axes.index(SHIFT_INVARIANT[name])
    for _, arithmetic, found in all_modes(name, small_extents(layer.axes)[2]):
        total = np.sum(found[f"d{source.name}"], axis=place)
        assert all(same(element, 0, arithmetic) for element in np.ravel(total))


@pytest.mark.parametrize("name", ["weight_norm"])
def test_where_a_scale_changes_nothing_the_gradient_is_orthogonal(name):
    for _, arithmetic, found in all_modes(name, {"O": 2, "I": 3}):
        assert all(same(element, 0, arithmetic) for element in np.sum(found["dv"] * found["v"], axis=1))


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_over_one_class_nothing_moves(name):
    for _, arithmetic, found in all_modes(name, {"N": 2, "K": 1}):
        assert all(same(element, 0, arithmetic) for element in np.ravel(found["dx"]))
