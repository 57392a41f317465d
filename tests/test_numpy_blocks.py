"""Generated NumPy in place: `out=`, aliasing as its header says, accuracy of float32, and how much memory it takes."""

from __future__ import annotations

import tracemalloc
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from symbn.calculus.engine import derive
from symbn.codegen.generate import render
from symbn.codegen.views.numpy_body import numpy_bodies
from symbn.language import load_layer as load
from symbn.tools.build import load_module

RNG = np.random.default_rng(11)
MODULES: dict[str, ModuleType] = {}
LAYOUTS = {
    "batchnorm": ((100352,), (0,)),
    "batchnorm1d": ((50176, 4), (0,)),
    "batchnorm2d": ((8, 3, 3136), (0, 2)),
    "layernorm": ((9, 4096), (1,)),
}


def module(name: str) -> ModuleType:
    if name not in MODULES:
        MODULES[name] = load_module(render(derive(load(name)), "numpy"))
    return MODULES[name]


def run(name: str, direction: str, *args: Any, **kwargs: Any) -> Any:
    return getattr(module(name), f"{name}_{direction}")(*args, **kwargs)


def drawn(name: str, dtype: Any = np.float32) -> tuple[Any, ...]:
    """x, gamma, beta, dy."""
    shape, axes = LAYOUTS[name]
    rest = tuple(extent for place, extent in enumerate(shape) if place not in axes) if name != "layernorm" else shape[1:]
    return tuple(np.asarray(RNG.standard_normal(s), dtype)[()] for s in (shape, rest, rest, shape))


@pytest.mark.parametrize("name", LAYOUTS)
def test_out_is_filled_and_returned(name: str) -> None:
    x, gamma, beta, dy = drawn(name)
    y, saved = run(name, "forward", x, gamma, beta)
    expected = run(name, "backward", dy, saved)
    places = {part: np.full_like(value, np.nan) for part, value in expected._asdict().items()}
    found = run(name, "backward", dy, saved, out=places)
    assert all(value is places[part] for part, value in found._asdict().items())
    assert all(np.array_equal(value, getattr(expected, part)) for part, value in found._asdict().items())
    place = np.full_like(x, np.nan)
    assert run(name, "forward", x, gamma, beta, out={"y": place})[0] is place
    assert np.array_equal(place, y)


@pytest.mark.parametrize("name", LAYOUTS)
def test_no_input_is_changed(name: str) -> None:
    given = drawn(name)
    copies = [np.copy(value) for value in given]
    *first, dy = given
    _, saved = run(name, "forward", *first)
    kept = [np.copy(value) for value in saved]
    run(name, "backward", dy, saved)
    assert all(np.array_equal(left, right) for left, right in zip([*given, *saved], [*copies, *kept], strict=True))


@pytest.mark.parametrize("name", [*LAYOUTS, "softmax", "rmsnorm", "cosine_similarity", "groupnorm"])
def test_a_result_may_lie_where_the_header_says(name: str) -> None:
    layer = load(name)
    body = numpy_bodies(derive(layer))[1]
    sizes = {axis: 70 - 23 * place for place, axis in enumerate(layer.axes)}
    given = [RNG.standard_normal(tuple(sizes[axis] for axis in part.axes)) for part in layer.inputs]
    *outputs, saved = run(name, "forward", *given)
    seeds = [RNG.standard_normal(np.shape(value)) for value in outputs]
    expected = run(name, "backward", *seeds, saved)
    names = [part.name for part in body.program.arguments if part.role == "input"]
    for output, source in body.overlays:
        again = type(saved)(*(np.copy(value) for value in saved))
        copies = dict(zip(names, map(np.copy, seeds), strict=True))
        place = copies[source] if source in copies else getattr(again, source)
        found = run(name, "backward", *copies.values(), again, out={output: place})
        assert all(np.array_equal(left, right) for left, right in zip(found, expected, strict=True)), (output, source)


@pytest.mark.parametrize("name", LAYOUTS)
def test_dx_may_be_dy_and_nothing_else_that_is_read(name: str) -> None:
    x, gamma, beta, dy = drawn(name)
    _, saved = run(name, "forward", x, gamma, beta)
    expected = run(name, "backward", dy, saved).dx
    with pytest.raises(ValueError, match=r"out\.dx overlaps xhat in memory"):
        run(name, "backward", dy, saved, out={"dx": saved.xhat})
    assert np.array_equal(run(name, "backward", dy, saved, out={"dx": dy}).dx, expected)


@pytest.mark.parametrize(
    ("out", "message"),
    [
        ({"dz": np.ones(3)}, "out should be a mapping with names among dx, dgamma, dbeta, or a tuple of all"),
        ((None,), "or a tuple of all"),
        ({"dx": np.ones(3)}, r"out\.dx is float64 \(3,\), should be float32 \(100352,\)"),
        ({"dx": [1.0]}, "should be a writeable NumPy array"),
    ],
)
def test_a_wrong_out_is_named(out: Any, message: str) -> None:
    *first, dy = drawn("batchnorm")
    _, saved = run("batchnorm", "forward", *first)
    with pytest.raises(ValueError, match=message):
        run("batchnorm", "backward", dy, saved, out=out)


@pytest.mark.parametrize("mean", [0, 1e3, 1e4, 1e6])
@pytest.mark.parametrize("name", LAYOUTS)
def test_float32_keeps_the_variance_at_a_large_mean_with_an_outlier_first(name: str, mean: float) -> None:
    x, gamma, beta, _ = drawn(name)
    x = (mean + x.astype(np.float64)).astype(np.float32)
    x[(0,) * x.ndim] = mean + 1000
    _, saved = run(name, "forward", x, gamma, beta)
    exact, axes = x.astype(np.longdouble), LAYOUTS[name][1]
    centered = exact - exact.mean(axis=axes, keepdims=True)
    sigma2 = np.mean(centered**2, axis=axes, keepdims=True)
    xhat = centered / np.sqrt(sigma2 + np.longdouble(1e-5))
    assert np.max(np.abs(saved.sigma2.reshape(sigma2.shape) / sigma2 - 1)) < 1e-6
    assert np.max(np.abs(saved.xhat - xhat) / np.maximum(1, np.abs(xhat))) < 1e-6


@pytest.mark.parametrize(
    ("name", "direction", "outputs"), [("batchnorm", "backward", 1), ("batchnorm", "forward", 2), ("softmax", "backward", 1)]
)
def test_nothing_large_is_made_beside_the_results(name: str, direction: str, outputs: int) -> None:
    x = RNG.standard_normal((2**21,) if name == "batchnorm" else (2**11, 2**10)).astype(np.float32)
    first = (x, np.float32(1), np.float32(0)) if name == "batchnorm" else (x,)
    args = first if direction == "forward" else (x, run(name, "forward", *first)[-1])
    run(name, direction, *args)
    tracemalloc.start()
    run(name, direction, *args)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < (outputs + 0.25) * x.nbytes


@pytest.mark.parametrize("shape", [(1, 1, 1), (5, 3, 7), (2, 9, 4), (3, 2, 40)])
@pytest.mark.parametrize("size", [4, 2**18])
@pytest.mark.parametrize("name", ["batchnorm2d", "instancenorm", "groupnorm"])
def test_channels_are_computed_a_few_at_a_time(name: str, size: int, shape: tuple[int, ...]) -> None:
    """As the whole in double: with rows longer than a block, and blocks that the last does not fill."""
    files = render(derive(load(name)), "numpy")
    made = load_module({path: text.replace("2**18", str(size)) for path, text in files.items()})
    forward, backward = getattr(made, f"{name}_forward"), getattr(made, f"{name}_backward")
    full = (*shape[:2], 3, shape[2]) if name == "groupnorm" else shape
    x, dy = (RNG.standard_normal(full).astype(np.float32) for _ in range(2))
    gamma, beta = (RNG.standard_normal(full[1:-1]).astype(np.float32) for _ in range(2))
    y, saved = forward(x, gamma, beta, eps=0.1)
    exact, kept = forward(*(part.astype(np.float64) for part in (x, gamma, beta)), eps=0.1)
    assert np.allclose(y, exact, rtol=1e-5, atol=1e-5)
    wide = backward(dy.astype(np.float64), kept)
    for found, value in zip(backward(dy, saved), wide, strict=True):
        assert np.allclose(found, value, rtol=1e-4, atol=1e-4 * (1 + np.max(np.abs(value))))
    plain = (dy * saved.xhat.astype(np.float64)).sum(axis=(0, -1))
    assert np.allclose(wide.dgamma, plain, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("length", [1, 127, 128, 511, 512, 513, 1024, 4096, 4097, 131073])
@pytest.mark.parametrize("factors", [1, 2])
def test_sums_along_rows_are_within_their_bound_at_any_length(length: int, factors: int) -> None:
    """At most `most` elements are added up in float, in 16 lanes at least: so many roundings, and one each for product and result."""
    rows = [RNG.uniform(1, 2, (3, 2, length)).astype(np.float32) for _ in range(factors)]
    exact = np.prod([row.astype(np.float64) for row in rows], axis=0)
    for most in (512, 4096):
        bound = (most / 16 + 16) * 2.0**-24 * exact.sum()
        for axes in ((2,), (0, 2), (0, 1, 2)):
            found = module("batchnorm2d")._sums(axes, *rows, most=most)
            assert found.dtype == np.float32
            assert np.all(np.abs(found - exact.sum(axis=axes)) < bound)


def test_the_variance_of_two_values_is_exact_to_a_float() -> None:
    """Equal terms round alike: a long sum of them in float would drift."""
    x = np.where(np.arange(100352) % 2, 1.7, -0.4).astype(np.float32)
    _, saved = run("batchnorm", "forward", x, np.float32(1), np.float32(0))
    assert abs(saved.sigma2 / np.var(x.astype(np.float64)) - 1) < 1e-6
