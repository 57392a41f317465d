"""Calls in NumPy code: functions of a library, and methods.

In: a call node.  Out: its value, or an error that names the nearest function that is known.
"""

from __future__ import annotations

import ast
from typing import Protocol

from symbn.errors import SymbnError
from symbn.language.numpy_arguments import Callee, CallReader, bind
from symbn.language.numpy_arrays import Value
from symbn.language.numpy_functions import FUNCTIONS, NO_METHODS
from symbn.language.numpy_names import Names
from symbn.language.source import suggestion

# What people use that has no form in the layer language, and why.
_NEVER = {
    "prod": "a product over an axis has no form here; for extents, write np.prod(x.shape)",
    "cumsum": "a running sum has no form here",
    "cumprod": "a running product has no form here",
    "argmax": "write the maximum itself: np.max(x, axis=1)",
    "argmin": "write the minimum itself: np.min(x, axis=1)",
    "median": "a median has no form here",
    "sort": "sorting has no form here",
    "concatenate": "state each part by itself",
    "stack": "state each part by itself",
    "cat": "state each part by itself",
    "arange": "write the whole array: a one-hot t, and np.sum(t*x, axis=1)",
    "where_": "write np.where(condition, a, b)",
}


class NamedReader(CallReader, Protocol):
    """A reader that knows what names mean."""

    names: Names


def read_call(reader: NamedReader, node: ast.Call) -> Value:
    """The call's value."""
    callee = _callee(reader, node)
    function, method = FUNCTIONS.get(callee.name), callee.receiver is not None
    if function is None or (method and callee.name in NO_METHODS):
        raise _unknown(reader, callee.name, node.func, method=method)
    return function.make(bind(reader, node, callee, function.parameters))


def _callee(reader: NamedReader, node: ast.Call) -> Callee:
    function = node.func
    if isinstance(function, ast.Name):
        if reader.names.has(function.id):
            hint = f"to multiply, write {function.id}*(...); for the function, write np.{function.id}(...)"
            raise reader.error(f"'{function.id}' is a value here, not a function", function, hint=hint)
        return Callee(function.id)
    if not isinstance(function, ast.Attribute):
        raise reader.error("only a function is called", node, hint="to multiply, write a*b")
    root = function.value
    while isinstance(root, ast.Attribute):
        root = root.value
    if isinstance(root, ast.Name) and reader.names.is_module(root.id):
        return Callee(function.attr, module=reader.names.modules[root.id])
    return Callee(function.attr, receiver=function.value)


def _unknown(reader: NamedReader, name: str, where: ast.expr, *, method: bool) -> SymbnError:
    if name in NO_METHODS and method:
        return reader.error(f"'{name}' is not a method that symbn reads", where, hint=f"write np.{name}(...)")
    if method and name.endswith("_") and name[:-1] in FUNCTIONS:
        return reader.error(f"'{name}' changes an array in place", where, hint=f"write x = x.{name[:-1]}(...)")
    hint = _NEVER.get(name) or suggestion(name, list(FUNCTIONS))
    return reader.error(f"unknown {'method' if method else 'function'} '{name}'", where, hint=hint or "docs/check.md lists the functions")
