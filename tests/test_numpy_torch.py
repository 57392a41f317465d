"""PyTorch's spellings are read as PyTorch computes them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy_texts import PAIRS
from test_numpy_reader import arrays, read

from symbn.oracle import Floating

torch = pytest.importorskip("torch", reason="PyTorch is not installed: its spellings are held against NumPy's alone")

OTHERS = ("jax", "jnp", "scipy", "tf.")


@pytest.mark.parametrize("text", [text for text in PAIRS if not any(module in text for module in OTHERS)])
def test_what_is_read_is_what_torch_computes(text: str) -> None:
    values = arrays(exact=False)
    tensors = {name: torch.tensor(value, dtype=torch.float64) for name, value in values.items()}
    result = eval(text, {"torch": torch, "F": torch.nn.functional, "math": math}, tensors)
    expected = np.asarray(result.detach() if isinstance(result, torch.Tensor) else result)
    found = read(text, Floating(), values, torch=True)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=1e-6 if "float" in text else 1e-12)
