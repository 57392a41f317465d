"""Functions that reduce over axes.

In: the arguments of a call.  Out: its value. What the layer language has no word for, such as a variance, is written out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from symbn.expr import Call, Expr, num
from symbn.language.arithmetic import negate, product, raised, total
from symbn.language.numpy_arguments import Arguments
from symbn.language.numpy_arrays import Array, Items, Value, align, count, integer, made, reduced
from symbn.language.numpy_layout import diagonal
from symbn.language.numpy_table import Function

PAIR = "the pair of values and indices"


def _combine(build: Callable[..., Expr], *arrays: Array) -> Array:
    dims, exprs = align(*arrays)
    return made(dims, build(*exprs), *arrays)


def _minus(left: Array, right: Array) -> Array:
    return _combine(lambda a, b: total([a, negate(b)]), left, right)


def _over(left: Array, right: Array) -> Array:
    return _combine(lambda a, b: product([("*", a), ("/", b)]), left, right)


def _map(function: str, array: Array) -> Array:
    return made(array.dims, Call(function, (array.expr,)), array)


def _squared(array: Array) -> Array:
    return made(array.dims, raised(array.expr, num(2)), array)


def _plain(kind: str) -> Callable[[Arguments], Value]:
    def make(a: Arguments) -> Value:
        if kind in ("max", "min") and _of_two(a):
            return (maximum if kind == "max" else minimum)(a, "x", "axis")
        array = a.array()
        if a.bare and array.rank > 1 and not a.has("axis"):
            message = f"'{a.name}' alone is Python's own, which takes the first axis"
            raise a.reader.error(message, a.node, hint=f"write np.{a.name}(x, axis=0)")
        result = reduced(kind, array, a.places(array), keep=a.flag("keepdims"))
        return Items((result,), PAIR) if _gives_pair(a) else result

    return make


def _of_two(a: Arguments) -> bool:
    """Python's `max(a, b)` and `torch.max(x, y)` compare two values."""
    other = a.value("axis") if a.has("axis") and (a.bare or a.torch) else None
    return isinstance(other, Array) and (integer(other) is None or (a.bare and not a.array().rank))


def _gives_pair(a: Arguments) -> bool:
    """PyTorch's max and min over one axis also return where the extreme is."""
    return a.torch and a.name in ("max", "min") and a.has("axis") and not a.bare


def maximum(a: Arguments, *keys: str) -> Array:
    """The larger of two, element by element."""
    dims, exprs, arrays = a.joined(*keys)
    return made(dims, Call("maximum", exprs), *arrays)


def minimum(a: Arguments, *keys: str) -> Array:
    """The smaller of two, element by element."""
    dims, exprs, arrays = a.joined(*keys)
    return made(dims, Call("minimum", exprs), *arrays)


def _variance(a: Arguments) -> Value:
    """`sum((x - mean(x))**2)/(n - ddof)`. PyTorch divides by n - 1 unless told otherwise, NumPy and JAX by n."""
    array = a.array()
    places, keep = a.places(array), a.flag("keepdims")
    squares = _deviations(array, places)
    off = _correction(a)
    if off == 0:
        result = reduced("mean", squares, places, keep=keep)
    else:
        below = total([count(array, places), num(-off)])
        result = reduced("sum", squares, places, keep=keep)
        result = made(result.dims, product([("*", result.expr), ("/", below)]), result)
    return _map("sqrt", result) if a.name == "std" else result


def _deviations(array: Array, places: Sequence[int]) -> Array:
    return _squared(_minus(array, reduced("mean", array, places, keep=True)))


def _moments(a: Arguments) -> Value:
    """TensorFlow's mean and variance."""
    array = a.array()
    places, keep = a.places(array, "axes"), a.flag("keepdims")
    return Items(tuple(reduced("mean", part, places, keep=keep) for part in (array, _deviations(array, places))))


def _correction(a: Arguments) -> int:
    if a.has("ddof"):
        return a.integers("ddof")[0]
    if a.has("unbiased") and not a.torch:
        raise a.reader.error(f"a third argument of {a.name} is not read here", a.at("unbiased"), hint="name it: ddof=1, or keepdims=True")
    return int(a.flag("unbiased", default=a.torch))


def _softmax(a: Arguments) -> Value:
    array, places = a.array(), _named(a)
    exp = _map("exp", array)
    below = reduced("sum", exp, places, keep=True)
    return _minus(array, _map("log", below)) if a.name == "log_softmax" else _over(exp, below)


def _logsumexp(a: Arguments) -> Value:
    array = a.array()
    return _map("log", reduced("sum", _map("exp", array), a.places(array), keep=a.flag("keepdims")))


def _named(a: Arguments) -> Sequence[int]:
    if not a.has("axis"):
        raise a.reader.error(f"{a.name} over which axis?", a.node, hint=f"write {a.name}(x, axis=-1)")
    return a.places(a.array())


def _norm(a: Arguments) -> Value:
    """The Euclidean norm; PyTorch's `x.norm(2, dim=1)` too."""
    array = a.array()
    if a.has("ord"):
        order = a.array("ord").expr
        if order != num(2):
            raise a.reader.error("only the Euclidean norm is read here", a.at("ord"), hint="write it out: np.sum(np.abs(x), axis=0)")
    return _map("sqrt", reduced("sum", _squared(array), a.places(array), keep=a.flag("keepdims")))


def _trace(a: Arguments) -> Value:
    line = diagonal(a.array())
    return reduced("sum", line, (0,), keep=False)


_PARAMETERS = ("x", "axis", "keepdims")

REDUCTIONS: Mapping[str, Function] = {
    **{name: Function(_PARAMETERS, _plain("sum")) for name in ("sum", "reduce_sum")},
    **{name: Function(_PARAMETERS, _plain("mean")) for name in ("mean", "average", "reduce_mean")},
    **{name: Function(_PARAMETERS, _plain("max")) for name in ("max", "amax", "reduce_max")},
    **{name: Function(_PARAMETERS, _plain("min")) for name in ("min", "amin", "reduce_min")},
    "moments": Function(("x", "axes", "keepdims"), _moments),
    **{name: Function(("x", "axis", "unbiased", "keepdims", "ddof"), _variance) for name in ("var", "std")},
    **{name: Function(("x", "axis"), _softmax) for name in ("softmax", "log_softmax")},
    **{name: Function(_PARAMETERS, _logsumexp) for name in ("logsumexp", "reduce_logsumexp")},
    **{name: Function(("x", "ord", "axis", "keepdims"), _norm) for name in ("norm", "vector_norm")},
    "trace": Function(("x",), _trace),
}
