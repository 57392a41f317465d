"""The parameters of a layer.

In: a function's arguments.  Out: inputs and constants with their axes, and where each was written.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from fractions import Fraction

from symbn.expr import Num
from symbn.language.expressions import Reader
from symbn.language.indices import Letters
from symbn.language.limits import MAX_AXES, MAX_NAME
from symbn.language.module import name_place
from symbn.language.names import check_name
from symbn.language.scope import Scope
from symbn.language.source import Source
from symbn.layer import Constant, Input

_AXIS = re.compile(r"[A-Z][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Signature:
    """The parameters of one function; `places` is where each name stands."""

    inputs: tuple[Input, ...]
    constants: tuple[Constant, ...]
    places: dict[str, ast.arg]

    @property
    def arrays(self) -> dict[str, tuple[str, ...]]:
        """The axes of every parameter."""
        return {part.name: part.axes for part in self.inputs} | {part.name: part.axes for part in self.constants}

    @property
    def axes(self) -> tuple[str, ...]:
        """Every axis, in order of first appearance."""
        return tuple(dict.fromkeys(axis for axes in self.arrays.values() for axis in axes))


def read_signature(source: Source, function: ast.FunctionDef) -> Signature:
    """Inputs and constants of a `def` line."""
    arguments = function.args
    _refuse_the_rest(source, function)
    places: dict[str, ast.arg] = {}
    for argument in (*arguments.args, *arguments.kwonlyargs):
        if argument.arg in places:
            raise source.error(f"there are two parameters named '{argument.arg}'", argument, hint="rename one of them")
        check_name(source, argument.arg, "parameter", argument)
        places[argument.arg] = argument
    inputs = tuple(Input(a.arg, _axes(source, a)) for a in arguments.args)
    pairs = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    constants = tuple(_constant(source, a, default) for a, default in pairs)
    signature = Signature(inputs, constants, places)
    for axis in signature.axes:
        if axis in places:
            hint = "an axis and a value need different names"
            raise source.error(f"'{axis}' is both an axis and a parameter", places[axis], hint=hint)
    return signature


def _refuse_the_rest(source: Source, function: ast.FunctionDef) -> None:
    arguments = function.args
    if function.decorator_list:
        raise source.error("a decorator is not part of the layer language", function.decorator_list[0], hint="remove it")
    if function.returns is not None:
        raise source.error("a layer has no return annotation", function.returns, hint="remove it; shapes follow from the definitions")
    for several in (arguments.vararg, arguments.kwarg):
        if several is not None:
            raise source.error("a layer names every parameter", several, hint="write out the inputs, then '*', then the constants")
    if arguments.posonlyargs:
        raise source.error("'/' is not part of the layer language", arguments.posonlyargs[0], hint="remove it")
    if arguments.defaults:
        where = arguments.defaults[0]
        raise source.error("an input has no default", where, hint="inputs are differentiated; put constants after '*': *, eps=1e-5")
    if not arguments.args:
        hint = 'write the differentiable inputs first: def layer(x: "N", *, eps=1e-5)'
        raise source.error(f"layer '{function.name}' has no input", name_place(source, function), hint=hint)


def _axes(source: Source, argument: ast.arg) -> tuple[str, ...]:
    note = argument.annotation
    if note is None:
        return ()
    if not (isinstance(note, ast.Constant) and isinstance(note.value, str)):
        hint = f'write {argument.arg}: "N C"; a scalar has no annotation'
        raise source.error("an annotation is the axes in quotes", note, hint=hint)
    axes = tuple(note.value.split())
    if not axes:
        raise source.error("no axis in this annotation", note, hint="a scalar has no annotation")
    if len(axes) > MAX_AXES:
        raise source.error(f"'{argument.arg}' has {len(axes)} axes: at most {MAX_AXES}", note)
    for axis in axes:
        _check_axis(source, axis, note)
    return axes


def _check_axis(source: Source, axis: str, note: ast.Constant) -> None:
    if _AXIS.fullmatch(axis):
        return check_name(source, axis, "axis", note)
    if axis.isidentifier() and len(axis) <= MAX_NAME:
        raise source.error(f"axis '{axis}' does not start with a capital", note, hint=f"write \"{axis.capitalize()}\"")
    raise source.error(f"'{axis[:40]}' is not the name of an axis", note, hint='write names with spaces between them: "N C"')


def _constant(source: Source, argument: ast.arg, default: ast.expr | None) -> Constant:
    axes = _axes(source, argument)
    if default is None:
        return Constant(argument.arg, axes)
    if axes:
        raise source.error(f"'{argument.arg}' is an array and has no default", default, hint="remove the default")
    return Constant(argument.arg, (), _default(source, argument.arg, default))


def _default(source: Source, name: str, node: ast.expr) -> Fraction:
    scope = Scope(source, {}, ())
    for child in ast.walk(node):
        if isinstance(child, ast.Name | ast.Attribute | ast.Call):
            raise source.error(f"the default of '{name}' is not a number", node, hint="write it in decimal, such as 1e-5")
    expr = Reader(scope, Letters(scope)).read(node)
    if not isinstance(expr, Num):
        raise source.error(f"the default of '{name}' is not a rational number", node, hint="write it in decimal, such as 1e-5")
    return expr.value
