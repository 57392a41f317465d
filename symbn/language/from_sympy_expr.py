"""One SymPy expression as ours.

In: a SymPy expression, what each symbol in it stands for, and a note of the axes.  Out: the tree that the layer language would give.

SymPy is not imported here: whoever has an expression has imported it, and nodes are told apart by the names of their classes, as SymPy's
own printers do. No text of theirs is parsed or evaluated.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from typing import Any

from symbn.errors import LayerError
from symbn.expr import FUNCTIONS, ONE, Call, Compare, Delta, Expr, Extent, Index, Num, Read, Reduce, add, num
from symbn.language.arithmetic import negate, product, raised, total
from symbn.language.from_sympy_axes import Key
from symbn.language.from_sympy_scope import Bound, Names
from symbn.language.source import suggestion

OPEN = "?"  # the axis of a letter, which the reader of the layer's text finds again


def kinds(node: Any) -> list[str]:
    """The names of a node's class and of its bases, nearest first."""
    return [cls.__name__ for cls in type(node).__mro__]


def number(value: Any) -> Fraction:
    """An exact number; a Float or float is the shortest decimal that rounds to it, so `0.1` is 1/10. ValueError where there is none."""
    if "Float" in kinds(value):
        return Fraction(repr(float(value))) if value._prec <= 53 else Fraction(str(value))
    if "Rational" in kinds(value):
        return Fraction(int(value.p), int(value.q))
    return Fraction(repr(float(value))) if isinstance(value, float) else Fraction(value)


class Reader:
    """The expressions of one definition. `bound` are the symbols that stand for an index at the current place."""

    def __init__(self, names: Names, bound: dict[Any, Bound], *, where: str) -> None:
        self.names, self.bound, self.where = names, dict(bound), where
        self.own = {index.letter for index in bound.values()}

    def error(self, message: str, hint: str) -> LayerError:
        """An error that names the definition."""
        return LayerError(f"in {self.where}: {message}", hint=hint)

    def read(self, node: Any) -> Expr:
        """The expression of a node."""
        for kind in kinds(node):
            if kind in _READERS:
                return _READERS[kind](self, node)
        name = type(node).__name__
        hint = _NO_PLACE.get(name, "write it with + - * / **, Sum and elementwise functions")
        raise self.error(f"'{name}' has no place in a layer", hint)

    # Numbers and names.

    def _number(self, node: Any) -> Expr:
        try:
            return Num(number(node))
        except (ValueError, OverflowError):
            raise self.error(f"{node} is not a number", "write a finite number") from None

    def _symbol(self, node: Any) -> Expr:
        name = str(node.name)
        if node in self.bound:
            raise self.error(f"the index '{name}' is used as a number", "give the numbers as a constant with an axis, such as w[j]")
        if name in self.names.axes.names:
            return Extent(self.names.axes.names[name])
        self._known(name, 0)
        return Read(name)

    def _element(self, node: Any) -> Expr:
        name = str(node.base.label)
        self._known(name, len(node.indices))
        shape = node.base.shape
        return Read(name, tuple(self._position(name, place, index, shape) for place, index in enumerate(node.indices)))

    def _matrix_element(self, node: Any) -> Expr:
        matrix, *indices = node.args
        if "MatrixSymbol" not in kinds(matrix):
            raise self.error(f"'{matrix}' is not a name", "define the matrix's elements first: Eq(a[i, j], ...)")
        self._known(str(matrix.name), 2)
        return Read(str(matrix.name), tuple(self._position(str(matrix.name), p, i, matrix.shape) for p, i in enumerate(indices)))

    def _whole(self, node: Any) -> Expr:
        raise self.error(f"'{node}' stands without its indices", f"write {node}[i]")

    def _known(self, name: str, rank: int) -> None:
        known = self.names.ranks.get(name)
        if known is None:
            later = name in self.names.later
            hint = "put its equation earlier" if later else suggestion(name, list(self.names.ranks)) or "add it to inputs or to constants"
            raise self.error(f"'{name}' is used before it is defined" if later else f"unknown symbol '{name}'", hint)
        if known != rank:
            raise self.error(f"'{name}' has {_count(known)} and is read with {_count(rank)}", "read an array at one index for each axis")

    def _position(self, name: str, place: int, node: Any, shape: Any) -> Index:
        index = self._index(node, name)
        self.names.axes.join((name, place), index.key, f"in {self.where}")
        if shape is not None:
            self.names.extent_of((name, place), shape[place], f"by the shape of '{name}'")
        return Index(index.letter, OPEN)

    def _index(self, node: Any, name: str) -> Bound:
        found: Bound | None = self.bound.get(node)
        if found is not None:
            return found
        if "Integer" in kinds(node):
            raise self.error(f"{name}[{node}] is one element", f"read it with KroneckerDelta, or sum over it: {name}[j]")
        if not {"Symbol", "Idx"} & set(kinds(node)):
            hint = "an index is a symbol that stands on the left or that a Sum binds; there are no shifts"
            raise self.error(f"'{node}' is not an index", hint)
        twin = any(str(other) == str(node) for other in self.bound)
        hint = f"put '{node}' on the left side, or sum over it"
        if twin:
            hint = f"there are two symbols '{node}' with unlike assumptions: use one"
        raise self.error(f"the index '{node}' is neither on the left side nor bound by a Sum", hint)

    # Arithmetic.

    def _add(self, node: Any) -> Expr:
        ordered = list(node.as_ordered_terms())
        terms = sorted(ordered, key=lambda term: self._late(term, ordered))
        first = next((place for place, term in enumerate(terms) if not term.could_extract_minus_sign()), 0)
        return total([self.read(term) for term in (terms[first], *terms[:first], *terms[first + 1 :])])

    def _late(self, term: Any, terms: list[Any]) -> int:
        """SymPy sorts terms by name. People write `gamma*xhat[i] + beta` and `sigma2 + eps`: bare scalars late, constants last."""
        if term.is_Number:
            return -1 if term == terms[0] else 3
        scalar = "Symbol" in kinds(term) and term not in self.bound
        return 2 if scalar and str(term.name) in self.names.constants else 1 if scalar else 0

    def _mul(self, node: Any) -> Expr:
        coefficient, rest = node.as_coeff_Mul()
        if not getattr(coefficient, "is_finite", False):
            return self.read(coefficient)
        factors = list(rest.as_ordered_factors())
        value = number(coefficient)
        sums = [("*", self._average(f, factors)) for f in list(factors) if "Sum" in kinds(f)]
        plain = [("*", self.read(f)) for f in factors if not _below(f) and "Sum" not in kinds(f)]
        over = [("*", num(abs(value.numerator))), *plain, *sums]
        under = [("/", self.read(_reciprocal(f))) for f in factors if _below(f)]
        try:
            found = product([*over, *under, *([("/", num(value.denominator))] if value.denominator != 1 else [])])
        except ArithmeticError as error:
            raise self.error(str(error), "write a smaller number") from None
        return negate(found) if value < 0 else found

    def _average(self, node: Any, factors: list[Any]) -> Expr:
        """The sum; a mean where the other factors divide by its extents. They are taken out of `factors`."""
        found = self.read(node)
        sizes = [limit[2] - limit[1] + 1 for limit in node.limits]
        left = list(factors)
        with suppress(ValueError):
            for size in sizes:
                left.remove(1 / size) if 1 / size in left else _take_square(left, size)
            factors[:] = left
            assert isinstance(found, Reduce)
            return Reduce("mean", found.body, found.indices)
        return found

    def _pow(self, node: Any) -> Expr:
        base, exponent = node.args
        try:
            return raised(self.read(base), self.read(exponent))
        except ArithmeticError as error:
            raise self.error(str(error), "write a smaller exponent") from None

    # Functions.

    def _call(self, node: Any, name: str) -> Expr:
        return Call(name, tuple(self.read(argument) for argument in node.args))

    def _extreme(self, node: Any, name: str) -> Expr:
        first, *rest = (self.read(argument) for argument in sorted(node.args, key=lambda a: a.sort_key()))
        for other in rest:
            first = Call(name, (first, other))
        return first

    def _rewritten(self, node: Any) -> Expr:
        kind = type(node).__name__
        (argument,) = (self.read(a) for a in node.args)
        up, down, half = Call("exp", (argument,)), Call("exp", (negate(argument),)), num(Fraction(1, 2))
        match kind:
            case "tan":
                return product([("*", Call("sin", (argument,))), ("/", Call("cos", (argument,)))])
            case "erfc":
                return add(ONE, negate(Call("erf", (argument,))))
            case "cosh":
                return product([("*", half), ("*", add(up, down))])
        return product([("*", half), ("*", add(up, negate(down)))])

    def _applied(self, node: Any) -> Expr:
        """A function that the user left undefined, by a name of the layer language: `Function("stop_gradient")(x)`."""
        name = str(node.func.__name__)
        if name in ("max_over", "min_over"):
            body, *pairs = node.args
            limits = [(pairs[place], 1, pairs[place + 1]) for place in range(0, len(pairs), 2)]
            return self._reduction(name.removesuffix("_over"), body, limits)
        if FUNCTIONS.get(name) == len(node.args) and name != "where":
            return self._call(node, name)
        hint = suggestion(name, list(FUNCTIONS)) or f"the functions are {', '.join(FUNCTIONS)}"
        raise self.error(f"unknown function '{name}' of {len(node.args)} arguments", hint)

    def _piecewise(self, node: Any) -> Expr:
        pieces = [(piece.args[0], piece.args[1]) for piece in node.args]
        if not pieces or "BooleanTrue" not in kinds(pieces[-1][1]):
            raise self.error("a Piecewise has no value where none of its conditions holds", "end it with (value, True)")
        found = self.read(pieces[-1][0])
        for value, condition in reversed(pieces[:-1]):
            found = self._choose(condition, self.read(value), found)
        return found

    def _choose(self, condition: Any, yes: Expr, no: Expr) -> Expr:
        own = kinds(condition)
        if "BooleanTrue" in own or "BooleanFalse" in own:
            return yes if "BooleanTrue" in own else no
        if "Not" in own:
            return self._choose(condition.args[0], no, yes)
        if "And" in own or "Or" in own:
            found = yes if "And" in own else no
            for part in sorted(condition.args, key=lambda a: a.sort_key(), reverse=True):
                found = self._choose(part, found, no) if "And" in own else self._choose(part, yes, found)
            return found
        return Call("where", (self.condition(condition), yes, no))

    def condition(self, node: Any) -> Compare:
        """A comparison."""
        if "Relational" not in kinds(node):
            raise self.error(f"'{node}' is not a comparison", "a condition is one of < <= > >= Eq Ne, joined by And, Or, Not")
        return Compare(str(node.rel_op), self.read(node.lhs), self.read(node.rhs))

    # Indices.

    def _delta(self, node: Any) -> Expr:
        left, right = (self._index(argument, "KroneckerDelta") for argument in node.args[:2])
        self.names.axes.join(left.key, right.key, "in a KroneckerDelta")
        return Delta(Index(left.letter, OPEN), Index(right.letter, OPEN))

    def _sum(self, node: Any) -> Expr:
        return self._reduction("sum", node.function, [tuple(limit) for limit in node.limits])

    def _reduction(self, kind: str, body: Any, limits: list[tuple[Any, ...]]) -> Expr:
        outer = dict(self.bound)
        indices = tuple(self._bind(limit, outer) for limit in limits)
        inside = self.read(body)
        self.bound = outer
        return Reduce(kind, inside, indices)

    def _bind(self, limit: tuple[Any, ...], outer: dict[Any, Bound]) -> Index:
        symbol = limit[0]
        if symbol in self.bound and self.bound[symbol] is not outer.get(symbol):
            raise self.error(f"'{symbol}' is bound twice by one sum", "use two letters")
        axis = self.names.axis_of_limits(limit, self)
        taken = self.own | {index.letter for index in self.bound.values()}
        letter = self.names.letter(str(symbol), taken)
        key: Key = self.names.new_key()
        self.bound[symbol] = Bound(letter, key)
        self.names.axes.fix(key, axis, f"in the sum over {symbol}")
        return Index(letter, axis)


def _below(factor: Any) -> bool:
    """Whether a factor stands below the fraction's line."""
    return "Pow" in kinds(factor) and factor.args[1].is_number and bool(factor.args[1].is_negative)


def _reciprocal(factor: Any) -> Any:
    base, exponent = factor.args
    return base**-exponent


def _take_square(factors: list[Any], size: Any) -> None:
    """Takes one 1/size out of a higher power of it. ValueError where there is none."""
    place = next((place for place, f in enumerate(factors) if _below(f) and f.args[0] == size and f.args[1] < -1), None)
    if place is None:
        raise ValueError
    factors[place] = factors[place] * size


def _count(rank: int) -> str:
    return "no index" if rank == 0 else f"{rank} ind{'ex' if rank == 1 else 'ices'}"


def _calls(*names: str) -> dict[str, Callable[[Reader, Any], Expr]]:
    def calls(name: str) -> Callable[[Reader, Any], Expr]:
        return lambda reader, node: reader._call(node, name)

    return {name: calls(name.lower()) for name in names}


_READERS: dict[str, Callable[[Reader, Any], Expr]] = {
    **dict.fromkeys(("Rational", "Float"), Reader._number),
    "Pi": lambda reader, node: Call("pi", ()),
    "Exp1": lambda reader, node: Call("exp", (ONE,)),
    **dict.fromkeys(("Symbol", "Idx"), Reader._symbol),
    "Indexed": Reader._element, "MatrixElement": Reader._matrix_element, "IndexedBase": Reader._whole, "MatrixSymbol": Reader._whole,
    "Add": Reader._add, "Mul": Reader._mul, "Pow": Reader._pow,
    **_calls("exp", "log", "tanh", "erf", "sin", "cos", "Abs", "sign", "log1p", "expm1"),
    **dict.fromkeys(("tan", "sinh", "cosh", "erfc"), Reader._rewritten),
    "Max": lambda reader, node: reader._extreme(node, "maximum"),
    "Min": lambda reader, node: reader._extreme(node, "minimum"),
    "Piecewise": Reader._piecewise, "KroneckerDelta": Reader._delta, "Sum": Reader._sum, "AppliedUndef": Reader._applied,
}  # fmt: skip
_NO_PLACE = {
    "Product": "write exp(Sum(log(...)))", "Integral": "write what it is equal to", "Derivative": "call .doit() first",
    "Heaviside": "write Piecewise((1, x > 0), (0, True))", "ImaginaryUnit": "layers are real",
    "MatMul": "write it by elements: Sum(a[i, j]*b[j, k], (j, 1, N))", "Mean": "write Sum(...)/N",
}  # fmt: skip
