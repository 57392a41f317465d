"""The other door: SymPy equations instead of source text.

In: equations such as `Eq(xhat[i], (x[i] - mu)/sqrt(s2 + eps))`, sums as `Sum(..., (j, 1, N))`.  Out: the Layer that the same equations give
as text. They are written out in the layer language and read back, so both doors have the same rules, limits and names.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from symbn.errors import LayerError
from symbn.expr import ZERO, Compare, Index
from symbn.language.from_sympy_axes import Axes
from symbn.language.from_sympy_expr import OPEN, Reader, kinds, number
from symbn.language.from_sympy_scan import Uses
from symbn.language.from_sympy_scope import Bound, Names
from symbn.language.parse import parse_layer
from symbn.language.source import suggestion
from symbn.language.text import layer_text
from symbn.layer import Constant, Definition, Input, Layer

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_SIGNS = (("is_positive", ">"), ("is_negative", "<"), ("is_nonnegative", ">="), ("is_nonpositive", "<="))


@dataclass(frozen=True, slots=True)
class _Equation:
    """`name[symbols] = value`."""

    name: str
    symbols: tuple[Any, ...]
    value: Any


@dataclass(frozen=True, slots=True)
class _Parameter:
    """A parameter as declared; `axes` is None where its use is to tell."""

    name: str
    axes: tuple[str, ...] | None = None
    default: Fraction | None = None


def from_sympy(
    name: str,
    definitions: Iterable[Any] | Mapping[Any, Any],
    *,
    inputs: Any = None,
    constants: Any = None,
    outputs: Any = None,
    assumptions: Iterable[Any] = (),
) -> Layer:
    """The layer that SymPy equations define, each `Eq(left, right)` or a pair, in order; `left` is a symbol, or an Indexed at symbols.

    `inputs` and `constants` are symbols, IndexedBases or names, or a mapping from these to axes, `{"x": "N C"}`; a constant's value may be
    its default, `{"eps": 1e-5}`. Without `inputs` every other symbol is one. Axes come from the limits of sums, `(j, 1, N)` or
    `(j, 0, N - 1)`, from shapes, and from Idx ranges; an extent `n` becomes the axis `N`. `outputs` are names or symbols, the last equation
    when None. Signs that parameters have in SymPy, `Symbol("eps", positive=True)`, are assumed, beside `assumptions`.
    Raises LayerError.
    """
    if not _is_name(name) or keyword.iskeyword(name):
        raise LayerError(f"layer name {name!r} is not a name", hint="write letters, digits and single underscores")
    equations = tuple(_equation(given) for given in (definitions.items() if isinstance(definitions, Mapping) else definitions))
    if not equations:
        raise LayerError(f"'{name}' has no definitions", hint="give equations: [Eq(y[i], ...)]")
    try:
        return _Assembly(equations, tuple(assumptions)).layer(name, inputs, constants, outputs)
    except RecursionError:
        raise LayerError(f"an equation of '{name}' is nested too deeply", hint="give parts of it names of their own") from None


class _Assembly:
    """The equations on their way to a layer."""

    def __init__(self, equations: tuple[_Equation, ...], assumptions: tuple[Any, ...]) -> None:
        self.equations, self.assumptions = equations, assumptions
        self.names = Names(Axes(), {})
        self.uses = Uses(self.names)
        for equation in equations:
            self.uses.left(equation.name, equation.symbols)
            self.uses.scan(equation.value, frozenset(equation.symbols))

    def layer(self, name: str, inputs: Any, constants: Any, outputs: Any) -> Layer:
        """The layer, by way of its text."""
        held = _parameters(constants)
        given = self._rest(held) if inputs is None else _parameters(inputs)
        self._declare((*given, *held))
        self.names.constants = {parameter.name for parameter in held}
        definitions = tuple(self._definition(equation) for equation in self.equations)
        claims = tuple(self._signs((*given, *held))) + tuple(self._claim(claim) for claim in self.assumptions)
        draft = Layer(
            name,
            tuple(Input(p.name, self._axes(p)) for p in given),
            tuple(Constant(p.name, self._axes(p), p.default) for p in held),
            claims,
            definitions,
            self._outputs(outputs),
        )
        return parse_layer(layer_text(draft), file=f"<{name} from SymPy>")

    def _rest(self, held: tuple[_Parameter, ...]) -> tuple[_Parameter, ...]:
        """Every symbol that nothing else explains, in order of first use."""
        other = {parameter.name for parameter in held} | {equation.name for equation in self.equations}
        return tuple(_Parameter(name) for name in self.uses.values() if name not in other)

    def _declare(self, parameters: tuple[_Parameter, ...]) -> None:
        for parameter in parameters:
            if parameter.name in self.names.ranks:
                raise LayerError(f"'{parameter.name}' is declared twice", hint="name each parameter once, as an input or as a constant")
            self._check_name(parameter.name)
            used = self.uses.rank(parameter.name)
            if parameter.axes is not None and used not in (None, len(parameter.axes)):
                axes = " ".join(parameter.axes) or "no axes"
                raise LayerError(
                    f"'{parameter.name}' is declared with {axes} and read with {used} indices", hint="declare one axis for each index"
                )
            self.names.ranks[parameter.name] = len(parameter.axes) if parameter.axes is not None else used or 0
            for place, axis in enumerate(parameter.axes or ()):
                self.names.axes.fix((parameter.name, place), self.names.axes.extent(axis), "as declared")
        self.names.later = {equation.name for equation in self.equations}
        self.names.taken = {*self.names.ranks, *self.names.later}

    def _check_name(self, name: str) -> None:
        if not _is_name(name):
            plain = re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_") or "a"
            swapped = re.sub(r"^(hat|bar|tilde|dot)_(\w+)$", r"\2\1", plain)
            raise LayerError(f"'{name}' is not a name in the layer language", hint=f"call it '{swapped}'")
        if name in self.names.axes.names:
            raise LayerError(f"'{name}' is an extent and a value", hint="rename one of them")

    def _definition(self, equation: _Equation) -> Definition:
        self._check_name(equation.name)
        where = f"the equation for '{equation.name}'"
        bound: dict[Any, Bound] = {}
        for place, symbol in enumerate(equation.symbols):
            key = self.names.new_key()
            bound[symbol] = Bound(self.names.letter(str(symbol), {index.letter for index in bound.values()}), key)
            self.names.axes.join((equation.name, place), key, f"in {where}")
        expr = Reader(self.names, bound, where=where).read(equation.value)
        if equation.name in self.names.ranks:
            raise LayerError(f"'{equation.name}' is defined twice, or is a parameter", hint="give the new value a name of its own")
        self.names.ranks[equation.name] = len(equation.symbols)
        self.names.later.discard(equation.name)
        return Definition(equation.name, tuple(Index(index.letter, OPEN) for index in bound.values()), expr)

    def _claim(self, claim: Any) -> Compare:
        bound = {symbol: Bound(str(symbol), self.names.new_key()) for symbol in self.uses.free(claim)}
        return Reader(self.names, bound, where="an assumption").condition(claim)

    def _signs(self, parameters: tuple[_Parameter, ...]) -> Iterable[Compare]:
        """What SymPy knows of the parameters' signs."""
        for parameter in parameters:
            node = self.uses.nodes.get(parameter.name)
            operator = next((operator for known, operator in _SIGNS if getattr(node, known, None)), None)
            if node is not None and operator is not None:
                symbols = [index for index in getattr(node, "indices", ()) if index.is_Symbol]
                if len(set(symbols)) == self.names.ranks[parameter.name]:
                    letters = {symbol: Bound(self.names.letter(str(symbol), set()), self.names.new_key()) for symbol in symbols}
                    reader = Reader(self.names, letters, where="an assumption")
                    yield Compare(operator, reader.read(node), ZERO)

    def _axes(self, parameter: _Parameter) -> tuple[str, ...]:
        return self.names.axes.of(parameter.name, self.names.ranks[parameter.name])

    def _outputs(self, outputs: Any) -> tuple[str, ...]:
        if outputs is None:
            return (self.equations[-1].name,)
        names = tuple(_name_of(given) for given in _listed(outputs))
        defined = [equation.name for equation in self.equations]
        for name in names:
            if name not in defined:
                raise LayerError(
                    f"the output '{name}' is not defined", hint=suggestion(name, defined) or f"defined are {', '.join(defined)}"
                )
        return names


def _equation(given: Any) -> _Equation:
    if "BooleanAtom" in kinds(given):
        raise LayerError("SymPy evaluated an equation to True or False", hint="write the pair (left, right) instead of Eq(left, right)")
    if "Equality" in kinds(given):
        given = (given.lhs, given.rhs)
    if not isinstance(given, tuple | list) or len(given) != 2:
        raise LayerError(f"{given!r} is not an equation", hint="write Eq(y[i], ...) or a pair (y[i], ...)")
    left, right = given
    symbols = tuple(left.indices) if "Indexed" in kinds(left) else tuple(left.args[1:]) if "MatrixElement" in kinds(left) else ()
    if not (symbols or "Symbol" in kinds(left)):
        raise LayerError(f"'{left}' cannot stand on the left", hint="a symbol or an Indexed, such as y[i], stands there")
    for symbol in symbols:
        if not {"Symbol", "Idx"} & set(kinds(symbol)) or symbols.count(symbol) > 1:
            raise LayerError(f"'{left}' cannot stand on the left", hint="write one index symbol for each axis, each once: y[i, j]")
    value = number(right) if isinstance(right, int | float) else right
    return _Equation(_name_of(left), symbols, value)


def _parameters(given: Any) -> tuple[_Parameter, ...]:
    if given is None:
        return ()
    if isinstance(given, Mapping):
        return tuple(_parameter(key, value) for key, value in given.items())
    return tuple(_Parameter(_name_of(one), _shape(one)) for one in _listed(given))


def _parameter(key: Any, value: Any) -> _Parameter:
    name = _name_of(key)
    if value is None:
        return _Parameter(name, _shape(key))
    if isinstance(value, str) and not re.match(r"\s*[-+.\d]", value):
        return _Parameter(name, tuple(value.split()))
    if isinstance(value, tuple | list):
        return _Parameter(name, tuple(str(axis) for axis in value))
    try:
        return _Parameter(name, (), Fraction(value) if isinstance(value, int | str | Fraction | Decimal) else number(value))
    except (ValueError, TypeError, OverflowError, ZeroDivisionError):
        raise LayerError(f"{value!r} is neither a number nor the axes of '{name}'", hint='write axes as "N C", numbers as 1e-5') from None


def _shape(given: Any) -> tuple[str, ...] | None:
    shape = getattr(given, "shape", None) if not isinstance(given, str) else None
    return tuple(str(size) for size in shape) if shape and all(type(size).__name__ == "Symbol" for size in shape) else None


def _listed(given: Any) -> tuple[Any, ...]:
    if isinstance(given, str):
        return tuple(given.replace(",", " ").split())
    return tuple(given) if isinstance(given, tuple | list) else (given,)


def _name_of(given: Any) -> str:
    if isinstance(given, str):
        return given
    own = kinds(given)
    if "Indexed" in own:
        return str(given.base.label)
    if "MatrixElement" in own:
        return str(given.args[0])
    if "Dummy" in own:
        raise LayerError(f"'{given}' is a Dummy, which has no name of its own", hint="use a Symbol")
    if {"Symbol", "IndexedBase", "MatrixSymbol"} & set(own):
        return str(given.name)
    raise LayerError(f"{given!r} is not a name", hint='give a Symbol, an IndexedBase or a string such as "x"')


def _is_name(name: object) -> bool:
    return isinstance(name, str) and _NAME.fullmatch(name) is not None
