"""The functions of NumPy, PyTorch and JAX that have a form in the layer language, as one table.

In: the arguments of a call.  Out: its value. A method is the same function with the array before the dot as its first argument.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping

from symbn.expr import ONE, Call, Compare, Expr, num
from symbn.language.arithmetic import negate, product, raised, reciprocal, total
from symbn.language.numpy_arguments import Arguments
from symbn.language.numpy_arrays import Array, Value, as_mask, made
from symbn.language.numpy_linear import dot, einsum, inner, matmul, outer
from symbn.language.numpy_reductions import REDUCTIONS, maximum, minimum
from symbn.language.numpy_shapes import SHAPES
from symbn.language.numpy_table import Function

_Unary = Callable[[Expr], Expr]


def _call(function: str) -> _Unary:
    return lambda x: Call(function, (x,))


def _over(left: Expr, right: Expr) -> Expr:
    return product([("*", left), ("/", right)])


_SQRT2 = Call("sqrt", (num(2),))
# Elementwise functions by their names in the libraries.
_ELEMENTWISE: Mapping[str, _Unary] = {
    **{name: _call(name) for name in (
        "sqrt", "rsqrt", "exp", "log", "log1p", "expm1", "tanh", "sigmoid", "erf", "sin", "cos", "abs", "sign", "relu",
    )},
    **{name: _call("abs") for name in ("absolute", "fabs")},
    **{name: _call("sigmoid") for name in ("expit", "logistic")},
    "sgn": _call("sign"),
    "square": lambda x: raised(x, num(2)),
    "reciprocal": reciprocal,
    "negative": negate,
    "neg": negate,
    "silu": lambda x: product([("*", x), ("*", Call("sigmoid", (x,)))]),
    "swish": lambda x: product([("*", x), ("*", Call("sigmoid", (x,)))]),
    "softplus": lambda x: Call("log1p", (Call("exp", (x,)),)),
    "gelu": lambda x: product([("*", x), ("*", total([ONE, Call("erf", (_over(x, _SQRT2),))])), ("/", num(2))]),
    "log2": lambda x: _over(Call("log", (x,)), Call("log", (num(2),))),
    "log10": lambda x: _over(Call("log", (x,)), Call("log", (num(10),))),
    "exp2": lambda x: raised(num(2), x),
    "sinh": lambda x: product([("*", total([Call("exp", (x,)), negate(Call("exp", (negate(x),)))])), ("/", num(2))]),
    "cosh": lambda x: product([("*", total([Call("exp", (x,)), Call("exp", (negate(x),))])), ("/", num(2))]),
}  # fmt: skip
# What changes how a value is stored and not the value.
_IDENTITIES = (
    "astype", "float", "double", "half", "type", "to", "detach", "clone", "copy", "item", "contiguous", "positive", "asarray", "array",
    "ascontiguousarray", "tensor", "as_tensor", "float32", "float64", "int", "int32", "int64", "stop_gradient", "cpu", "cuda", "numpy",
    "cast", "convert_to_tensor",
)  # fmt: skip
_OPERATORS: Mapping[str, ast.operator] = {
    "add": ast.Add(), "subtract": ast.Sub(), "sub": ast.Sub(), "multiply": ast.Mult(), "mul": ast.Mult(), "divide": ast.Div(),
    "div": ast.Div(), "true_divide": ast.Div(), "power": ast.Pow(), "pow": ast.Pow(), "float_power": ast.Pow(),
}  # fmt: skip
_COMPARISONS: Mapping[str, str] = {
    "greater": ">", "gt": ">", "greater_equal": ">=", "ge": ">=", "less": "<", "lt": "<", "less_equal": "<=", "le": "<=",
    "equal": "==", "eq": "==", "not_equal": "!=", "ne": "!=",
}  # fmt: skip
# Functions that are no methods, or whose method takes its arguments in another order.
NO_METHODS = frozenset(
    ("where", "einsum", "maximum", "minimum", "full", "ones", "zeros", "eye", "identity", "asarray", "array", "len", "range", "tuple",
     "list")
)  # fmt: skip


def _unary(change: _Unary) -> Function:
    def make(a: Arguments) -> Value:
        array = a.array()
        return made(array.dims, change(array.expr), array, array)

    return Function(("x",), make)


def _identity(a: Arguments) -> Value:
    return a.value("x")


def _operator(operator: ast.operator) -> Function:
    return Function(("x", "y"), lambda a: a.reader.combined(operator, (a.at("x"), a.at("y")), a.array("x"), a.array("y")))


def _comparison(operator: str) -> Function:
    def make(a: Arguments) -> Value:
        dims, exprs, arrays = a.joined("x", "y")
        return made(dims, Compare(operator, *exprs), *arrays)

    return Function(("x", "y"), make)


def _extreme(function: str) -> Function:
    return Function(("x", "y"), lambda a: (maximum if function == "maximum" else minimum)(a, "x", "y"))


def _where(a: Arguments) -> Value:
    arrays = as_mask(a.mask("condition")), a.array("x"), a.array("y")
    dims, exprs = a.reader.joined([a.at(key) for key in ("condition", "x", "y")], arrays)
    return made(dims, Call("where", exprs), *arrays)


def _clip(a: Arguments) -> Value:
    array, bounds = a.array(), [key for key in ("low", "high") if a.has(key)]
    if not bounds:
        raise a.reader.error(f"{a.name} needs a bound", a.node, hint="write np.clip(x, low, high)")
    for key, function in (("low", "maximum"), ("high", "minimum")):
        if key in bounds:
            bound = a.array(key)
            dims, exprs = a.reader.joined((a.at("x"), a.at(key)), (array, bound))
            array = made(dims, Call(function, exprs), array, bound)
    return array


def _einsum(a: Arguments) -> Value:
    spec = a.at("spec")
    if not isinstance(spec, ast.Constant) or not isinstance(spec.value, str):
        raise a.reader.error("einsum begins with its specification", spec, hint='such as np.einsum("nd,nd->d", dy, xhat)')
    operands = a.at("operands")
    if not isinstance(operands, ast.Tuple):
        raise a.reader.error("the arrays follow the specification", operands, hint='such as np.einsum("nd,nd->d", dy, xhat)')
    return einsum(spec.value, [a.reader.number(node) for node in operands.elts])


def _pair(function: Callable[[Array, Array], Array]) -> Function:
    return Function(("x", "y"), lambda a: function(a.array("x"), a.array("y")))


def _addition(a: Arguments) -> Value:
    """`torch.add(x, y, alpha=2)` too."""
    nodes, right = (a.at("x"), a.at("y")), a.array("y")
    if a.has("alpha"):
        right = a.reader.combined(ast.Mult(), (a.at("y"), a.at("alpha")), right, a.array("alpha"))
    return a.reader.combined(_OPERATORS[a.name], nodes, a.array("x"), right)


FUNCTIONS: Mapping[str, Function] = {
    **{name: _unary(change) for name, change in _ELEMENTWISE.items()},
    **{name: Function(("x", "dtype", "*rest"), _identity) for name in _IDENTITIES},
    **{name: _operator(operator) for name, operator in _OPERATORS.items()},
    **{name: _comparison(operator) for name, operator in _COMPARISONS.items()},
    **{name: Function(("x", "y", "alpha"), _addition) for name in ("add", "sub")},
    **{name: _extreme("maximum") for name in ("maximum", "fmax")},
    **{name: _extreme("minimum") for name in ("minimum", "fmin")},
    "where": Function(("condition", "x", "y"), _where),
    "clip": Function(("x", "low", "high"), _clip),
    "clamp": Function(("x", "low", "high"), _clip),
    "einsum": Function(("spec", "*operands"), _einsum),
    **{name: _pair(matmul) for name in ("matmul", "mm", "bmm", "mv")},
    "dot": _pair(dot),
    "inner": _pair(inner),
    "vdot": _pair(inner),
    **{name: _pair(outer) for name in ("outer", "ger")},
    **REDUCTIONS,
    **SHAPES,
}
