"""NumPy and PyTorch code is read as NumPy computes it."""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from numpy_texts import EXACT, FLOAT, PAIRS

from symbn.errors import EquationError
from symbn.language.numpy_expressions import NumpyReader
from symbn.language.numpy_names import Names
from symbn.language.source import Source
from symbn.layer import Definition
from symbn.oracle import Exact, Floating, evaluate
from symbn.oracle.numbers import Arithmetic

AXES = {"x": "NC", "v": "NC", "w": "C", "z": "N", "p": "NN", "q": "NN", "u": "NCS", "a": "", "b": ""}
EXTENTS = {"N": 3, "C": 4, "S": 2}


def arrays(*, exact: bool) -> dict[str, Any]:
    """Distinct positive values around 1."""
    found: dict[str, Any] = {}
    state = 1
    for name, axes in AXES.items():
        array = np.empty([EXTENTS[axis] for axis in axes], dtype=object if exact else float)
        for place in np.ndindex(*array.shape):
            state = state * 48271 % 2147483647
            value = Fraction(state % 199 + 1, 97)
            array[place] = value if exact else float(value)
        found[name] = array if axes else array[()]
    return found


def read(text: str, arithmetic: Arithmetic, values: Mapping[str, Any], *, torch: bool = False) -> Any:
    """The value of what is read, in the shape that NumPy gives."""
    names = Names(Source("t", text, EquationError), {name: tuple(axes) for name, axes in AXES.items()}, tuple(EXTENTS))
    array = NumpyReader(names, torch=torch).number(ast.parse(text, mode="eval").body)
    indices = tuple(index for index in array.dims if index)
    result = evaluate([Definition(" r", indices, array.expr)], values, EXTENTS, arithmetic)[" r"]
    return result.reshape([EXTENTS[index.axis] if index else 1 for index in array.dims])


def numpy_value(text: str, values: Mapping[str, Any]) -> Any:
    return eval(text, {"np": np, "math": math}, dict(values))


@pytest.mark.parametrize("text", EXACT)
def test_what_is_read_is_what_numpy_computes_exactly(text: str) -> None:
    exact, floats = arrays(exact=True), arrays(exact=False)
    found, expected = read(text, Exact(), exact), np.asarray(numpy_value(text, floats))
    assert found.shape == expected.shape
    np.testing.assert_allclose(found.astype(float), expected.astype(float), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("text", FLOAT)
def test_what_is_read_is_what_numpy_computes(text: str) -> None:
    values = arrays(exact=False)
    found, expected = read(text, Floating(), values), np.asarray(numpy_value(text, values))
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize(("text", "same"), PAIRS.items())
def test_other_spellings_are_read_as_theirs(text: str, same: str) -> None:
    values = arrays(exact=False)
    torch = "torch" in text or "F." in text or "dim=" in text or "unbiased" in text
    found, expected = read(text, Floating(), values, torch=torch), np.asarray(numpy_value(same, values))
    if "ones(1)" not in text:
        assert found.shape == expected.shape
    np.testing.assert_allclose(found, np.broadcast_to(expected, found.shape), rtol=1e-12)
