"""Kernels of `build` over arrays of 16 bits: whose arrays they take, what they give back, and that rounding is all they add to float32."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import symbn
from symbn.errors import TargetError
from symbn.tools import compiler, halves
from symbn.tools.exchange import readable, writable
from symbn.tools.verify import verify

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
TYPES = {"bfloat16": BFLOAT16, "float16": np.dtype(np.float16)}
RNG = np.random.default_rng(5)
pytestmark = pytest.mark.skipif(not tuple(compiler.available()), reason="no C compiler")
each_type = pytest.mark.parametrize("dtype", TYPES)


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch")


@pytest.fixture
def no_ml_dtypes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As if the package were not installed."""
    monkeypatch.setitem(sys.modules, "ml_dtypes", None)
    halves.dtype_named.cache_clear()
    yield
    halves.dtype_named.cache_clear()


# Conversions in NumPy -------------------------------------------------------------------------------------------------------------------


@each_type
def test_conversions_are_those_of_the_libraries(dtype: str) -> None:
    every = np.arange(65536, dtype=np.uint16).view(TYPES[dtype])
    wide = every.astype(np.float32)
    assert np.array_equal(halves.widened(every), wide, equal_nan=True)
    wide = wide[np.isfinite(wide)]
    middle = np.concatenate([np.nextafter(wide, np.float32(end)) for end in (-np.inf, np.inf)])
    between = ((wide[:-1].astype(np.float64) + wide[1:].astype(np.float64)) / 2).astype(np.float32)
    for values in (wide, middle, between, RNG.standard_normal(10**5).astype(np.float32)):
        with np.errstate(all="ignore"):
            assert np.array_equal(halves.widened(halves.narrowed(values, TYPES[dtype])), values.astype(TYPES[dtype]), equal_nan=True)


@each_type
def test_half_a_unit_is_what_rounding_may_move(dtype: str) -> None:
    finite = np.arange(0x7F80 if dtype == "bfloat16" else 0x7C00, dtype=np.uint16).view(TYPES[dtype]).astype(np.longdouble)
    gaps = np.diff(finite)
    assert np.array_equal(halves.half_unit(finite[:-1], dtype), gaps / 2)
    assert halves.half_unit(finite[-1], dtype) == gaps[-1] / 2
    assert np.isinf(halves.half_unit(finite[-1] + gaps[-1] / 2, dtype))


# Verified by the oracle, and against float32 bit by bit ---------------------------------------------------------------------------------

OWN = (
    """
def swish_norm(x: "N C", a: "C", *, t=0.3):
    m[n] = mean(x[n, c] for c in C)
    z[n, c] = (x[n, c] - m[n])*a[c]
    y[n, c] = z[n, c]*sigmoid(t*z[n, c])
    return y
""",
    """
def pooled(x: "N C K", w: "C K"):
    y[n, c] = max(w[c, k]*x[n, c, k] for k in K)
    return y
""",
)


@pytest.mark.parametrize("layer", ["batchnorm", "batchnorm1d", "layernorm", "cross_entropy", "linear", "logsumexp", *OWN])
def test_errors_are_rounding_to_16_bits_and_float32s_own(layer: str) -> None:
    made = symbn.derive(symbn.loads(layer) if layer in OWN else layer, steps=False).derivation
    rows = verify(made, targets=("c", "numpy"), dtypes=tuple(TYPES))
    assert [row.line for row in rows if not row.ok] == []
    assert {(row.target, row.dtype) for row in rows} == {("c", dtype) for dtype in TYPES}


@each_type
@pytest.mark.parametrize("layer", ["batchnorm2d", "batchnorm1d", "layernorm", "softmax"])
def test_a_result_is_float32s_rounded(layer: str, dtype: str) -> None:
    """The same loops: only loads and stores differ."""
    half, single = symbn.build(layer, dtype=dtype), symbn.build(layer, dtype="float32")
    extents = dict(zip(half.layer.axes, (37, 19, 45), strict=False))

    def drawn(axes: tuple[str, ...]) -> Any:
        values = RNG.standard_normal([extents[axis] for axis in axes]).astype(np.float32)
        return halves.narrowed(values, halves.dtype_of(half.storage, axes))

    given = [drawn(part.axes) for part in half.layer.inputs]
    y, saved = half.forward(*given)
    y_single, saved_single = single.forward(*map(halves.widened, given))
    assert y.dtype == TYPES[dtype]
    assert_same(halves.narrowed(y_single, y.dtype), y)
    kept = saved_single._replace(
        **{name: halves.widened(value) for name, value in saved._asdict().items() if isinstance(value, np.ndarray)}
    )
    dy = drawn(half.layer.axes_of(half.layer.outputs[0]))
    for name, found in half.backward(dy, saved)._asdict().items():
        true = getattr(single.backward(halves.widened(dy), kept), name)
        assert_same(halves.narrowed(true, found.dtype), found)


def assert_same(true: Any, found: Any) -> None:
    """Bit by bit: what is stored in 16 bits was computed alike. Sums in float are the same ones too."""
    assert true.dtype == found.dtype
    assert true.tobytes() == found.tobytes()


# Whose arrays -----------------------------------------------------------------------------------------------------------------------------


def arguments(dtype: np.dtype[Any]) -> tuple[Any, Any, Any]:
    return RNG.standard_normal((6, 4)).astype(dtype), np.ones(4, np.float32), np.zeros(4, np.float32)


@each_type
def test_numpy_arrays_in_and_out(dtype: str) -> None:
    kernel = symbn.build("layernorm", dtype=dtype)
    x, gamma, beta = arguments(TYPES[dtype])
    y, saved = kernel.forward(x, gamma, beta)
    assert (y.dtype, saved.sigma2.dtype) == (TYPES[dtype], np.float32)
    out = np.empty_like(x)
    gradients = kernel.backward(y, saved, out={"dx": out})
    assert gradients.dx is out
    assert gradients.dgamma.dtype == np.float32
    assert repr(kernel).endswith(f", {dtype}>")
    assert np.array_equal(kernel.forward(np.asfortranarray(x), gamma, beta)[0], y)
    in_place = y.copy()
    kernel.backward(in_place, saved, out={"dx": in_place})
    assert in_place.tobytes() == out.tobytes()


@each_type
def test_tensors_in_and_out(torch: Any, dtype: str) -> None:
    kernel = symbn.build("layernorm", dtype=dtype)
    x, gamma, beta = arguments(TYPES[dtype])
    expected, saved = kernel.forward(x, gamma, beta)
    tensor = torch.from_numpy(x.view(np.int16).copy()).view(getattr(torch, dtype))
    assert readable("x", tensor).ctypes.data == tensor.data_ptr()
    assert writable("x", tensor).ctypes.data == tensor.data_ptr()
    y, kept = kernel.forward(tensor, torch.from_numpy(gamma), torch.from_numpy(beta))
    assert y.dtype == tensor.dtype
    assert y.view(torch.int16).numpy().tobytes() == expected.tobytes()
    out = torch.zeros_like(tensor)
    gradients = kernel.backward(y, kept, out={"dx": out})
    assert gradients.dx is out
    assert gradients.dgamma.dtype == torch.float32
    assert out.view(torch.int16).numpy().tobytes() == kernel.backward(expected, saved).dx.tobytes()
    turned = torch.from_numpy(np.ascontiguousarray(x.T).view(np.int16)).view(tensor.dtype).T
    assert kernel.forward(turned, gamma, beta)[0].view(torch.int16).numpy().tobytes() == expected.tobytes()


def test_tensors_need_no_other_package(torch: Any, no_ml_dtypes: None) -> None:
    kernel = symbn.build("layernorm", dtype="bfloat16")
    x = torch.randn(6, 4).bfloat16()
    y, saved = kernel.forward(x, torch.ones(4), torch.zeros(4))
    true = torch.nn.functional.layer_norm(x.float(), (4,)).bfloat16()
    assert torch.equal(y, true)
    assert kernel.backward(y, saved).dx.dtype == torch.bfloat16
    assert repr(kernel).endswith(", bfloat16>")


def test_a_tensor_that_cannot_be_read_is_refused_in_words(torch: Any) -> None:
    kernel = symbn.build("layernorm", dtype="bfloat16")
    ones = torch.ones(6, 4, dtype=torch.bfloat16)
    for wrong in (ones.clone().requires_grad_(), ones.to_sparse(), ones.to("meta")):
        with pytest.raises(ValueError, match="x is not an array that can be read"):
            kernel.forward(wrong, torch.ones(4), torch.zeros(4))
    with pytest.raises(ValueError, match="x has dtype float16, should be bfloat16"):
        kernel.forward(ones.half(), torch.ones(4), torch.zeros(4))
    with pytest.raises(ValueError, match="x has dtype bfloat16, should be float32"):
        symbn.build("layernorm").forward(ones, torch.ones(4), torch.zeros(4))
    with pytest.raises(ValueError, match=r"out\.y should be contiguous"):
        kernel.forward(ones, torch.ones(4), torch.zeros(4), out={"y": torch.ones(4, 6, dtype=torch.bfloat16).T})


class ReadOnly:
    """A library's array of bfloat16 that says it may not be written; without versions, as older ones."""

    def __init__(self, tensor: Any) -> None:
        self.tensor = tensor

    def __dlpack__(self) -> Any:
        return self.tensor.__dlpack__()

    def __dlpack_device__(self) -> Any:
        return self.tensor.__dlpack_device__()


def test_a_capsule_without_a_version_is_read(torch: Any) -> None:
    tensor = torch.arange(12.0).reshape(3, 4).bfloat16()
    found = readable("x", ReadOnly(tensor.T))
    assert found.dtype == BFLOAT16
    assert found.T.astype(np.float32).tolist() == tensor.float().tolist()
    assert readable("x", torch.empty(0, 3, dtype=torch.bfloat16)).shape == (0, 3)


@each_type
def test_bits_without_a_type_are_refused(dtype: str) -> None:
    kernel = symbn.build("layernorm", dtype=dtype)
    x, gamma, beta = arguments(TYPES[dtype])
    with pytest.raises(ValueError, match=rf"x has dtype uint16, should be {dtype}: bits alone do not say"):
        kernel.forward(x.view(np.uint16), gamma, beta)
    with pytest.raises(ValueError, match=rf"gamma has dtype {dtype}, should be float32"):
        kernel.forward(x, gamma.astype(x.dtype), beta)


def test_numpy_is_not_built_for_16_bits() -> None:
    with pytest.raises(TargetError, match="NumPy does not compute in bfloat16"):
        symbn.build("layernorm", target="numpy", dtype="bfloat16")
    with pytest.raises(TargetError, match=r"unknown dtype 'bf16'\ndtypes: float32, float64, bfloat16, float16"):
        symbn.build("layernorm", dtype="bf16")


# Where values are compared ----------------------------------------------------------------------------------------------------------------

TIES = {
    "a square of a sum": 'def f(x: "N K"):\n    r[n] = sum(x[n, k] for k in K)\n    y = max(r[n]**2 for n in N)\n    return y\n',
    "a product": 'def f(x: "N K", w: "N K"):\n    z[n, k] = w[n, k]*x[n, k]\n    y[n] = max(z[n, k] for k in K)\n    return y\n',
    "a product, shifted": 'def f(x: "N K", w: "N K"):\n    z[n, k] = w[n, k]*x[n, k]\n    y[n] = max(z[n, k] for k in K)\n'
    "    v[n, k] = exp(z[n, k] - y[n])\n    return v\n",
    "a contraction": 'def f(x: "N K", w: "K M"):\n    z[n, m] = sum(w[k, m]*x[n, k] for k in K)\n'
    "    y[n] = max(z[n, m] for m in M)\n    return y\n",
    "an unnamed contraction": 'def f(x: "N D", w: "H P D"):\n'
    "    y[n, h] = max(sum(w[h, p, d]*x[n, d] for d in D) for p in P)\n    return y\n",
    "a square of a mean": 'def f(x: "N K"):\n    m[k] = mean(x[n, k] for n in N)\n    y = min(m[k]*m[k] for k in K)\n    return y\n',
    "a maximum": 'def f(x: "N K M"):\n    m[n, k] = max(exp(x[n, k, l]) for l in M)\n    y[n] = max(m[n, k] for k in K)\n    return y\n',
}


@pytest.mark.parametrize("layer", TIES)
def test_the_largest_of_computed_values_is_found_again(layer: str) -> None:
    """It is compared with what the second pass computes; rounded by the first, it equaled none, and the gradient was 0."""
    made = symbn.derive(symbn.loads(TIES[layer]), steps=False).derivation
    rows = verify(made, dtypes=("float32", "float64", *TYPES))
    assert [row.line for row in rows if not row.ok] == []
