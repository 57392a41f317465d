"""`build`: compiled once, loaded, and never trusting its caller."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from codegen_layers import derivation

import symbn
from symbn.codegen.views import header
from symbn.errors import TargetError
from symbn.tools import compiler
from symbn.tools.build import build
from symbn.tools.kernel import Kernel

RNG = np.random.default_rng(11)
pytestmark = pytest.mark.skipif(not tuple(compiler.available()), reason="no C compiler")


@pytest.fixture(params=["c", "numpy"])
def kernel(request: pytest.FixtureRequest) -> Kernel:
    return build(derivation("features"), target=request.param, dtype="float64")


def batch(shape: tuple[int, int] = (6, 4)) -> tuple[Any, Any, Any]:
    return RNG.standard_normal(shape), RNG.standard_normal(shape[1]), RNG.standard_normal(shape[1])


def test_outputs_come_before_what_is_saved(kernel: Kernel) -> None:
    y, saved = kernel.forward(*batch(), eps=1e-3)
    assert y.shape == (6, 4)
    assert saved._fields == ("gamma", "eps", "sigma2", "xhat")
    assert saved.eps == 1e-3
    gradients = kernel.backward(y, saved)
    assert gradients._fields == ("dx", "dgamma", "dbeta")


def test_several_outputs_come_one_after_the_other() -> None:
    y, z, saved = build(derivation("pair"), dtype="float64").forward(1.0, 2.0)
    assert (z, float(y)) == (16.0, pytest.approx(np.exp(4.0)))
    assert saved._fields == ("a", "b", "s", "y")


def test_an_extent_without_an_array_goes_from_pass_to_pass() -> None:
    made = build(derivation("shrink"), dtype="float64")
    y, saved = made.forward(np.array([1.0, 2.0, 6.0]))
    assert (y, saved.N) == (3.0, 3)
    assert made.backward(1.5, saved).dx.tolist() == [0.5, 0.5, 0.5]


def test_a_view_that_is_not_contiguous_is_read_in_its_own_order(kernel: Kernel) -> None:
    x, gamma, beta = batch()
    expected, _ = kernel.forward(x, gamma, beta)
    wide = np.asfortranarray(x)
    assert np.array_equal(kernel.forward(wide, np.repeat(gamma, 2)[::2], beta[::-1][::-1])[0], expected)
    shifted = np.frombuffer(b"\0" + x.tobytes(), np.uint8)[1:].view(np.float64).reshape(x.shape)
    assert np.array_equal(kernel.forward(shifted, gamma, beta)[0], expected)


def test_a_read_only_input_is_accepted(kernel: Kernel) -> None:
    x, gamma, beta = batch()
    x.flags.writeable = False
    kernel.forward(x, gamma, beta)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"gamma": np.ones(3)}, ValueError, r"gamma has shape \(3,\), should be \(C,\) = \(4,\)"),
        ({"x": np.ones(4)}, ValueError, r"x has shape \(4,\), should be \(N, C\)"),
        ({"x": np.ones((6, 4), np.float32)}, ValueError, "x has dtype float32, should be float64"),
        ({"x": np.ones((6, 4), int)}, ValueError, "x has dtype int64, should be float64"),
        ({"x": np.ones((0, 4))}, ValueError, r"x has shape \(0, 4\), every extent should be at least 1"),
        ({"x": None}, ValueError, "x has dtype object"),
        ({"eps": [1.0]}, ValueError, r"eps has shape \(1,\), should be a scalar"),
        ({"nothing": 1}, TypeError, "nothing"),
    ],
)
def test_a_wrong_argument_never_reaches_the_code(kernel: Kernel, change: dict[str, Any], error: type, message: str) -> None:
    values = dict(zip(("x", "gamma", "beta"), batch(), strict=True))
    with pytest.raises(error, match=message):
        kernel.forward(**{**values, **change})


def test_a_missing_argument_is_named(kernel: Kernel) -> None:
    with pytest.raises(TypeError, match="gamma"):
        kernel.forward(np.ones((6, 4)))


def test_saved_must_be_what_forward_returned(kernel: Kernel) -> None:
    y, saved = kernel.forward(*batch())
    with pytest.raises(ValueError, match="FeaturesSaved"):
        kernel.backward(y, tuple(saved))
    with pytest.raises(ValueError, match=r"dy has shape \(5, 4\), should be \(N, C\) = \(6, 4\)"):
        kernel.backward(y[1:], saved)
    with pytest.raises(ValueError, match="xhat has shape"):
        kernel.backward(y, saved._replace(xhat=saved.xhat[0]))


def test_out_takes_a_mapping_or_a_tuple_of_arrays(kernel: Kernel) -> None:
    y, saved = kernel.forward(*batch())
    expected = kernel.backward(y, saved)
    dx = np.full_like(y, np.nan)
    assert kernel.backward(y, saved, out={"dx": dx}).dx is dx
    assert np.array_equal(dx, expected.dx)
    buffers = type(expected)(*(np.full_like(value, np.nan) for value in expected))
    found = kernel.backward(y, saved, out=buffers)
    assert all(ours is given for ours, given in zip(found, buffers, strict=True))
    assert all(np.array_equal(ours, other) for ours, other in zip(found, expected, strict=True))


@pytest.mark.parametrize(
    ("out", "message"),
    [
        ({"dx": np.ones((5, 4))}, r"out\.dx has shape \(5, 4\), should be \(N, C\) = \(6, 4\)"),
        ({"dx": np.ones((6, 4), np.float32)}, r"out\.dx has dtype float32"),
        ({"dx": np.ones((4, 6)).T}, r"out\.dx should be contiguous"),
        ({"dx": [1.0]}, r"out\.dx is a list"),
        ({"dz": np.ones((6, 4))}, "out has 'dz', should have names among dx, dgamma, dbeta"),
        ((None,), "tuple of 3"),
        (5, "out should be a mapping"),
    ],
)
def test_a_wrong_out_is_named(kernel: Kernel, out: Any, message: str) -> None:
    y, saved = kernel.forward(*batch())
    with pytest.raises(ValueError, match=message):
        kernel.backward(y, saved, out=out)


def test_a_read_only_out_is_refused(kernel: Kernel) -> None:
    y, saved = kernel.forward(*batch())
    dx = np.ones((6, 4))
    dx.flags.writeable = False
    with pytest.raises(ValueError, match="writeable"):
        kernel.backward(y, saved, out={"dx": dx})


def test_dx_may_be_dy_but_not_a_part_of_it(kernel: Kernel) -> None:
    y, saved = kernel.forward(*batch())
    expected = kernel.backward(y, saved).dx
    memory = RNG.standard_normal((7, 4))
    memory[:6] = y
    assert np.array_equal(kernel.backward(memory[:6], saved, out={"dx": memory[:6]}).dx, expected)
    with pytest.raises(ValueError, match=r"out\.dx overlaps dy in memory"):
        kernel.backward(memory[:6], saved, out={"dx": memory[1:]})


def test_outputs_must_not_overlap(kernel: Kernel) -> None:
    y, saved = kernel.forward(*batch())
    memory = np.ones(4)
    with pytest.raises(ValueError, match=r"out\.dgamma and out\.dbeta overlap"):
        kernel.backward(y, saved, out={"dgamma": memory, "dbeta": memory})


def test_an_overlay_that_the_kernel_cannot_bear_is_refused() -> None:
    made = build(derivation("affine"), dtype="float64")
    x, w, b = RNG.standard_normal((4, 4)), RNG.standard_normal((4, 4)), RNG.standard_normal(4)
    y, saved = made.forward(x, w, b)
    with pytest.raises(ValueError, match=r"out\.dx overlaps dy"):
        made.backward(y, saved, out={"dx": y})


def test_a_scalar_comes_back_as_an_array_only_where_one_was_given() -> None:
    made = build(derivation("shrink"), dtype="float64")
    y = np.zeros(())
    assert made.forward(np.ones(3), out={"y": y})[0] is y
    for out in (None, {}, {"y": None}, (None,)):
        assert type(made.forward(np.ones(3), out=out)[0]) is np.float64


def test_arrays_that_only_touch_do_not_overlap(kernel: Kernel) -> None:
    y, saved = kernel.forward(*batch())
    expected = kernel.backward(y, saved)
    memory = np.full(8, np.nan)
    found = kernel.backward(y, saved, out={"dgamma": memory[:4], "dbeta": memory[4:]})
    assert np.array_equal(memory, np.concatenate(expected[1:]))
    assert found.dgamma.base is memory


def test_the_same_array_may_be_read_twice_beside_out(kernel: Kernel) -> None:
    y, saved = kernel.forward(*batch())
    expected = kernel.backward(saved.xhat, saved).dx
    dx = np.full_like(y, np.nan)
    kernel.backward(saved.xhat, saved, out={"dx": dx})
    assert np.array_equal(dx, expected)


def test_memory_that_may_not_be_written_is_read() -> None:
    """Its address is found in another way."""
    made = build(derivation("shrink"), dtype="float64")
    values = np.array([1.0, 2.0, 6.0])
    values.flags.writeable = False
    assert made.forward(values)[0] == 3
    assert made.forward(np.frombuffer(values.tobytes()))[0] == 3


def test_a_call_is_short() -> None:
    """Counted, for times drift: what Python does around a call of C, which takes a microsecond or two where there is little to do."""
    made = build(derivation("features"), dtype="float64")
    y, saved = made.forward(*batch())
    out = {name: np.empty_like(value) for name, value in made.backward(y, saved)._asdict().items()}
    steps = []
    sys.setprofile(lambda *event: steps.append(event[1]))
    made.backward(y, saved, out=out)
    sys.setprofile(None)
    assert sum(step in ("call", "c_call") for step in steps) < 100


def test_a_kernel_that_is_only_run_is_not_proved(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> str:
        raise AssertionError("to prove takes time")

    monkeypatch.setattr(header, "certificate_of", refuse)
    for target in ("c", "numpy"):
        build(symbn.derive("mse", steps=False).derivation, target=target)


@pytest.fixture
def no_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(compiler.importlib.util, "find_spec", lambda _: None)
    monkeypatch.delenv("CC", raising=False)


@pytest.mark.usefixtures("no_programs")
def test_no_compiler_is_one_clear_error() -> None:
    with pytest.raises(TargetError, match="there is no C compiler") as caught:
        build(derivation("soft"))
    assert "pip install ziglang" in str(caught.value)
    build(derivation("soft"), target="numpy")


@pytest.mark.usefixtures("no_programs")
def test_a_cc_that_is_no_program_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "no-such-compiler -O3")
    with pytest.raises(TargetError, match="no-such-compiler"):
        build(derivation("soft"))


def test_what_the_compiler_says_is_passed_on(tmp_path: Path) -> None:
    (tmp_path / "wrong.c").write_text("int f( {")
    with pytest.raises(TargetError, match=r"wrong\.c"):
        compiler.find().shared(tmp_path / "wrong.c", tmp_path / "wrong.so")


@pytest.mark.parametrize(("options", "message"), [({"target": "latex"}, "cannot be built"), ({"dtype": "float8"}, "unknown dtype")])
def test_an_unknown_target_or_dtype_is_refused(options: dict[str, str], message: str) -> None:
    with pytest.raises(TargetError, match=message):
        build(derivation("soft"), **options)  # type: ignore[arg-type]


def test_threads_is_a_count() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        build(derivation("soft"), threads=0)


def test_a_kernel_says_what_it_is() -> None:
    assert repr(build(derivation("features"))) == "<c kernel of features(x, gamma, beta, *, eps=1e-05), float32>"
