"""Arrays of other libraries as arguments of a kernel: read and written where they are, or refused in words."""

from __future__ import annotations

import array
import copy
import ctypes
import pickle
from typing import Any

import numpy as np
import pytest
from codegen_layers import derivation
from hypothesis import given, settings
from hypothesis import strategies as st

from symbn.tools import compiler
from symbn.tools.build import build
from symbn.tools.exchange import readable, writable
from symbn.tools.kernel import Kernel

RNG = np.random.default_rng(12)
pytestmark = pytest.mark.skipif(not tuple(compiler.available()), reason="no C compiler")
SHAPE = (6, 4)


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch")


@pytest.fixture(params=["c", "numpy"])
def kernel(request: pytest.FixtureRequest) -> Kernel:
    return build(derivation("features"), target=request.param, dtype="float32")


def batch() -> tuple[Any, Any, Any]:
    return tuple(RNG.standard_normal(shape).astype(np.float32) for shape in (SHAPE, SHAPE[1:], SHAPE[1:]))


class Exported:
    """An array of a library that knows DLPack alone."""

    def __init__(self, value: Any, device: tuple[int, int] = (1, 0)) -> None:
        self.value, self.device_pair = value, device

    def __dlpack__(self, **options: Any) -> Any:
        return self.value.__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.device_pair


class Copying:
    """Claims to be an array, and is a copy of itself each time it is asked."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return self.value.copy()


# PyTorch ------------------------------------------------------------------------------------------------------------------------------


def test_a_tensor_is_read_and_written_where_it_is(torch: Any, kernel: Kernel) -> None:
    x, gamma, beta = batch()
    expected, saved = kernel.forward(x, gamma, beta)
    tensors = [torch.from_numpy(value.copy()) for value in (x, gamma, beta)]
    assert readable("x", tensors[0]).ctypes.data == tensors[0].data_ptr()
    y, kept = kernel.forward(*tensors)
    assert np.array_equal(y, expected)
    out = {name: torch.full(shape, float("nan")) for name, shape in (("dx", SHAPE), ("dgamma", SHAPE[1:]), ("dbeta", SHAPE[1:]))}
    gradients = kernel.backward(torch.from_numpy(y), kept, out=out)
    assert all(getattr(gradients, name) is tensor for name, tensor in out.items()), "what was given comes back"
    for name, wanted in kernel.backward(y, saved)._asdict().items():
        assert np.array_equal(out[name].numpy(), wanted)


def test_a_tensor_that_is_not_contiguous_is_read_in_its_own_order(torch: Any, kernel: Kernel) -> None:
    x, gamma, beta = batch()
    expected, _ = kernel.forward(x, gamma, beta)
    turned = torch.from_numpy(np.ascontiguousarray(x.T)).T
    assert np.array_equal(kernel.forward(turned, gamma, beta)[0], expected)
    with pytest.raises(ValueError, match=r"out\.y should be contiguous"):
        kernel.forward(x, gamma, beta, out={"y": torch.empty(SHAPE[::-1]).T})


def test_a_tensor_may_be_overlaid_as_an_array_may(torch: Any, kernel: Kernel) -> None:
    y, saved = kernel.forward(*batch())
    dy = torch.from_numpy(y.copy())
    expected = kernel.backward(y, saved).dx
    kernel.backward(dy, saved, out={"dx": dy})
    assert np.array_equal(dy.numpy(), expected)
    longer = torch.zeros(7, 4)
    with pytest.raises(ValueError, match=r"out\.dx overlaps dy"):
        kernel.backward(longer[:6], saved, out={"dx": longer[1:]})


def test_a_tensor_that_cannot_be_used_is_refused_in_words(torch: Any, kernel: Kernel) -> None:
    _, gamma, beta = batch()
    for wrong, message in (
        (torch.ones(SHAPE, requires_grad=True), r"x is not an array that can be read: .*requires grad.*detach"),
        (torch.ones(SHAPE, device="meta"), "x is not an array that can be read: .*meta"),
        (torch.ones(SHAPE, dtype=torch.float64), "x has dtype float64, should be float32"),
        (torch.ones(SHAPE, dtype=torch.bfloat16), "x has dtype bfloat16, should be float32"),
        (torch.ones(SHAPE).to_sparse(), "x is not an array that can be read"),
        (torch.ones(SHAPE, dtype=torch.complex64).conj().imag, "x is not an array that can be read: .*negative"),
    ):
        with pytest.raises(ValueError, match=message):
            kernel.forward(wrong, gamma, beta)
    with pytest.raises(ValueError, match=r"out\.y .*requires grad"):
        kernel.forward(*batch(), out={"y": torch.ones(SHAPE, requires_grad=True)})


def test_a_scalar_tensor_is_a_scalar(torch: Any, kernel: Kernel) -> None:
    given = batch()
    expected, _ = kernel.forward(*given, eps=0.5)
    assert np.array_equal(kernel.forward(*given, eps=torch.tensor(0.5))[0], expected)


# Other libraries ----------------------------------------------------------------------------------------------------------------------


def test_dlpack_alone_is_enough(kernel: Kernel) -> None:
    x, gamma, beta = batch()
    expected, _ = kernel.forward(x, gamma, beta)
    y = np.full(SHAPE, np.nan, np.float32)
    assert readable("x", Exported(x)).ctypes.data == x.ctypes.data
    kernel.forward(Exported(x), Exported(gamma), beta, out={"y": Exported(y)})
    assert np.array_equal(y, expected)


@pytest.mark.parametrize(("device", "name"), [((2, 0), "2, 0"), ((8, 3), "8, 3")])
def test_an_array_on_another_device_is_refused(kernel: Kernel, device: tuple[int, int], name: str) -> None:
    x, gamma, beta = batch()
    with pytest.raises(ValueError, match=rf"x is on another device \(\({name}\)\), should be in main memory"):
        kernel.forward(Exported(x, device), gamma, beta)
    with pytest.raises(ValueError, match=r"out\.y is on another device"):
        kernel.forward(x, gamma, beta, out={"y": Exported(x, device)})


def test_the_buffer_protocol_is_enough() -> None:
    made = build(derivation("shrink"), dtype="float64")
    values = array.array("d", [1.0, 2.0, 6.0])
    assert readable("x", values).ctypes.data == values.buffer_info()[0]
    assert made.forward(values)[0] == 3
    assert made.forward(memoryview(values)[::-1])[0] == 3
    assert made.forward((ctypes.c_double * 3)(1, 2, 6))[0] == 3
    _, saved = made.forward(values)
    made.backward(1.5, saved, out={"dx": values})
    assert values.tolist() == [0.5, 0.5, 0.5]
    room = bytearray(24)
    made.backward(1.5, saved, out={"dx": memoryview(room).cast("d")})
    assert np.frombuffer(room).tolist() == [0.5, 0.5, 0.5]


def test_memory_that_may_not_be_written_is_refused() -> None:
    made = build(derivation("shrink"), dtype="float64")
    _, saved = made.forward(np.ones(3))
    for wrong in (memoryview(bytes(24)).cast("d"), np.broadcast_to(np.float64(1), 3)):
        with pytest.raises(ValueError, match="writeable"):
            made.backward(1.0, saved, out={"dx": wrong})


def test_a_copy_is_never_filled_in_place_of_what_was_given(kernel: Kernel) -> None:
    for wrong in ([[0.0] * 4] * 6, Copying(np.zeros(SHAPE, np.float32)), 5):
        with pytest.raises(ValueError, match=r"out\.y is a \w+, should be an array"):
            kernel.forward(*batch(), out={"y": wrong})


def test_the_other_byte_order_is_named(kernel: Kernel) -> None:
    x, gamma, beta = batch()
    swapped = x.astype(x.dtype.newbyteorder())
    with pytest.raises(ValueError, match=r"x has dtype [<>]f4 \(the other byte order\), should be float32"):
        kernel.forward(swapped, gamma, beta)
    with pytest.raises(ValueError, match=r"out\.y has dtype [<>]f4 \(the other byte order\)"):
        kernel.forward(x, gamma, beta, out={"y": swapped})


def test_a_masked_array_is_refused_and_a_matrix_is_an_array(kernel: Kernel) -> None:
    x, gamma, beta = batch()
    with pytest.raises(ValueError, match="x is a masked array"):
        kernel.forward(np.ma.masked_array(x, x > 0), gamma, beta)
    assert type(kernel.forward(x.view(np.recarray), gamma, beta)[0]) is np.ndarray


# What goes from pass to pass ------------------------------------------------------------------------------------------------------------


def test_an_input_that_the_second_pass_reads_is_not_written_over() -> None:
    for target in ("c", "numpy"):
        made = build(derivation("planes"), target=target, dtype="float64")
        x = RNG.standard_normal((3, 2, 4))
        before = x.copy()
        with pytest.raises(ValueError, match=r"out\.y overlaps x"):
            made.forward(x, np.ones(2), out={"y": x})
        assert np.array_equal(x, before)


@pytest.mark.parametrize("value", [0, -1, 2**63, 1.5, None, True, "3"])
def test_a_saved_extent_that_is_none_is_refused(value: Any) -> None:
    made = build(derivation("shrink"), dtype="float64")
    _, saved = made.forward(np.ones(3))
    with pytest.raises(ValueError, match=r"saved\.N is .*, should be an extent"):
        made.backward(1.0, saved._replace(N=value))


def test_a_kernel_says_that_it_cannot_be_pickled_or_copied(kernel: Kernel) -> None:
    for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="cannot be pickled or copied; build it again"):
            attempt(kernel)


# Anything -------------------------------------------------------------------------------------------------------------------------------

NUMBERS = st.sampled_from([np.float32, np.float64, np.int32, np.complex64, bool, object, "S3", ">f4", "datetime64[s]"])
ARRAYS = st.builds(np.zeros, st.lists(st.integers(0, 4), max_size=4), NUMBERS)
FLOATS = st.builds(np.ones, st.lists(st.integers(0, 4), max_size=3), st.just(np.float32))
STRIDED = st.builds(
    lambda shape, strides: np.lib.stride_tricks.as_strided(np.ones(200, np.float32)[100:], shape, strides),
    st.tuples(st.integers(0, 3), st.integers(0, 4)),
    st.tuples(st.integers(-3, 3), st.integers(-4, 4)).map(lambda s: (4 * s[0], 4 * s[1])),
)
MISALIGNED = st.builds(
    lambda n, c: np.zeros(4 * n * c + 1, np.uint8)[1:].view(np.float32).reshape(n, c), st.integers(1, 3), st.integers(1, 4)
)
ANYTHING = st.one_of(
    st.none(), st.booleans(), st.floats(width=32), st.integers(), st.text(max_size=3), st.binary(max_size=9), ARRAYS, STRIDED, MISALIGNED,
    st.lists(st.floats(width=32), max_size=4), FLOATS.map(Copying), FLOATS.map(Exported),
    st.just(object()), st.just(np.float32), st.just(float("nan")), st.dictionaries(st.text(max_size=2), st.integers(), max_size=2),
)  # fmt: skip
RESULTS = st.dictionaries(st.sampled_from(["dx", "dgamma", "dbeta"]), ANYTHING, max_size=2)
NAMES = ("x", "gamma", "beta", "eps", "out", "y", "saved")
FITTING = st.integers(1, 4).flatmap(
    lambda c: st.fixed_dictionaries(
        {
            "x": st.floats(width=32).map(lambda value: np.full((3, c), value, np.float32)),
            "gamma": st.floats(width=32).map(lambda value: np.full(c, value, np.float32)),
            "beta": st.just(np.zeros(c, np.float32)),
        },
        optional={
            "eps": st.floats(width=32),
            "out": st.dictionaries(st.sampled_from(["y", "xhat", "sigma2", "z"]), ANYTHING, max_size=2),
        },
    )
)


@settings(max_examples=200)
@given(FITTING, st.dictionaries(st.sampled_from(NAMES), ANYTHING, max_size=2), st.lists(ANYTHING, max_size=2))
def test_forward_gives_a_result_or_an_exception(fitting: Any, wild: Any, positional: Any) -> None:
    made = fuzzed()
    with np.errstate(all="ignore"):
        try:
            *_, saved = made.forward(*positional, **{**fitting, **wild})
        except (TypeError, ValueError, OverflowError):
            return
        made.backward(np.ones_like(saved.xhat), saved)


@settings(max_examples=200)
@given(
    st.dictionaries(st.sampled_from(["gamma", "eps", "sigma2", "xhat"]), ANYTHING, max_size=2),
    st.one_of(st.just(np.ones(SHAPE, np.float32)), ANYTHING),
    st.one_of(st.none(), ANYTHING, RESULTS, st.tuples(ANYTHING, ANYTHING, ANYTHING)),
)
def test_backward_gives_a_result_or_an_exception(changes: Any, dy: Any, out: Any) -> None:
    made = fuzzed()
    *_, saved = made.forward(np.ones(SHAPE, np.float32), np.ones(4, np.float32), np.zeros(4, np.float32))
    with np.errstate(all="ignore"):
        try:
            made.backward(dy, saved._replace(**changes), out=out)
        except (TypeError, ValueError, OverflowError):
            return


KERNELS: list[Kernel] = []


def fuzzed() -> Kernel:
    if not KERNELS:
        KERNELS.append(build(derivation("features"), dtype="float32"))
    return KERNELS[0]


def test_what_is_written_is_never_a_copy() -> None:
    memory = np.zeros(3)
    assert writable("out", memory) is not None
    assert writable("out", memory).ctypes.data == memory.ctypes.data
