"""Random NumPy code: what is read is what NumPy computes, and what NumPy refuses is refused."""

from __future__ import annotations

import random
import re
import warnings

import numpy as np
import pytest
from test_numpy_reader import AXES, EXTENTS, arrays, numpy_value, read

from symbn.errors import EquationError
from symbn.language import parse_layer
from symbn.language.numpy_reader import parse_numpy
from symbn.layer import Definition
from symbn.oracle import Floating, evaluate
from symbn.vocabulary import vocabulary

ONE = """
np.exp({}) -{} np.sqrt({}) ({})**2 ({}).T np.sum({},axis=$) ({}).mean($,keepdims=True) ({}).max($) ({}).var($) ({})[:,None]
({})[None] ({})[...,None] ({})[:,0] np.squeeze({}) ({}).reshape(-1) ({}).reshape(-1,1) np.expand_dims({},$) ({}).sum() np.diag({})
np.ones_like({}) ({}).swapaxes($,$) ({}).ravel() ({}).transpose() np.trace({}) np.abs({}-1) np.linalg.norm({},axis=$) np.clip({},0.5,1.5)
np.moveaxis({},$,$) (({}>1)*1.0) np.einsum('ij->ji',{}) np.einsum('ii',{}) ({}).squeeze($) np.tile({},(len(x),1)) ({}-a)
"""
TWO = """
({}+{}) ({}-{}) ({}*{}) ({}/{}) ({}@{}) np.dot({},{}) np.outer({},{}) np.inner({},{}) np.maximum({},{}) np.where({}>1,{},0)
np.broadcast_to({},({}).shape) np.matmul({},{}) np.einsum('ij,j->i',{},{}) np.einsum('i,i',{},{}) ({}).reshape(({}).shape)
"""
# What NumPy computes and has no formula here.
DECLINED = ("single elements", "would merge", "outer takes two", "has no diagonal", "is repeated several", "no axis", "has no shape")


def expression(rng: random.Random, depth: int) -> str:
    if depth == 0 or rng.random() < 0.15:
        return rng.choice(list(AXES))
    if rng.random() < 0.55:
        form = rng.choice(ONE.split()).format(expression(rng, depth - 1))
        return "".join(str(rng.randint(-2, 2)) if sign == "$" else sign for sign in form)
    return rng.choice(TWO.split()).format(expression(rng, depth - 1), expression(rng, depth - 1))


@pytest.mark.parametrize("seed", range(8))
def test_random_expressions_have_numpys_value_or_numpys_error(seed: int) -> None:
    rng, values, compared = random.Random(seed), arrays(exact=False), 0
    for _ in range(60):
        text = expression(rng, rng.randint(1, 4))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                expected = np.asarray(numpy_value(text, values))
        except (ValueError, IndexError, TypeError):
            with pytest.raises(EquationError):
                read(text, Floating(), values)
            continue
        try:
            found = read(text, Floating(), values)
        except EquationError as error:
            assert any(reason in error.message for reason in DECLINED), (text, error.message)  # noqa: PT017
            continue
        assert found.shape == expected.shape, text
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9, err_msg=text)
        compared += 1
    assert compared > 10


LAYER = parse_layer('def f(x: "N C", w: "C"):\n    y[n, c] = x[n, c]*w[c]\n    return y\n')
LOCALS = ["s", "t", "u", "v"]
STATEMENTS = re.split(r"[;\n] ?", """
{0} = {1}; {0} = {1} + {2}; {0} += {1}; {0} -= {1}.mean(0); {0} *= w; {0}[:] = {1}; {0}[...] += {1}; {0} = {1} = {2}*w
{0}, {1} = {1}, {0}; {0} = {1}.T.T; {0} = np.copy({1}); {0} /= 2
""".strip())


@pytest.mark.parametrize("seed", range(8))
def test_random_programs_change_arrays_in_place_as_numpy_does(seed: int) -> None:
    rng, compared = random.Random(seed), 0
    extra = {name: quantity.axes for name, quantity in vocabulary(LAYER).items()}
    given = {name: value for name, value in arrays(exact=False).items() if name in ("x", "w")}
    given["dy"] = arrays(exact=False)["v"]
    for _ in range(40):
        lines = [f"{name} = {rng.choice(['x', 'dy'])}{rng.choice(['', '*2'])}" for name in LOCALS]
        lines += [rng.choice(STATEMENTS).format(*rng.sample([*LOCALS, "dy"], 3)) for _ in range(rng.randint(1, 8))]
        text = "\n".join([*lines, "dx = s + 10*t + 100*u + 1000*v + 10000*dy + 100000*x"])
        values = {name: value.copy() for name, value in given.items()}
        exec(text, {"np": np}, values)
        try:
            (equation,) = parse_numpy(text, LAYER, extra)
        except EquationError as error:
            assert "is a view of" in error.message, text  # noqa: PT017
            continue
        indices = equation.left.indices  # type: ignore[attr-defined]
        found = evaluate([Definition(" r", indices, equation.right)], given, EXTENTS, Floating())[" r"]
        np.testing.assert_allclose(found, values["dx"], rtol=1e-9, err_msg=text)
        compared += 1
    assert compared > 10
