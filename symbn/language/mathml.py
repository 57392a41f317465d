"""From expressions to MathML, which a browser shows without a script.

In: an expression or a definition, and how names are typeset.  Out: MathML Core, to stand inside `<math>`.

The layout is that of `latex.py`: a product becomes fractions, tall factors stand behind the fraction, a sum comes last.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from symbn.expr import Add, Call, Compare, Delta, Expr, Extent, Mul, Num, Pow, Read, Reduce
from symbn.language.latex import PRODUCT, SUM, Typesetter, names_of
from symbn.language.latex_names import LatexNames
from symbn.language.layout import arranged, collected, groups, squared_root, ten_power
from symbn.language.mathml_names import leaf, name_mathml, row, tag
from symbn.language.text import definition_text, denominator_of, without_sign
from symbn.layer import Definition, Layer

_ATOM = PRODUCT + 1
_OPERATORS = {"<": "<", "<=": "\u2264", ">": ">", ">=": "\u2265", "==": "=", "!=": "\u2260"}
_FUNCTIONS = {"maximum": "max", "minimum": "min", "relu": "ReLU", "stop_gradient": "sg"}
_MINUS, _PLUS, _TIMES, _DOT, _APPLY = (leaf("mo", sign) for sign in "\u2212+\u2062\u22c5\u2061")
_ONE = leaf("mn", "1")


def definition_mathml(definition: Definition, names: LatexNames | Layer) -> str:
    """The equation as a displayed `<math>` element; its `alttext` is the layer language."""
    writer = Writer(names_of(names))
    left = writer.element(definition.name, [index.name for index in definition.indices])
    return tag("math", row([left, leaf("mo", "="), writer.text(definition.expr)]), display="block", alttext=definition_text(definition))


class Writer:
    """Writes expressions over one set of names."""

    def __init__(self, names: LatexNames) -> None:
        self.names, self.layout = names, Typesetter(names)

    def text(self, expr: Expr) -> str:
        """The expression without parentheses around it."""
        return self.form(expr)[1]

    def at(self, expr: Expr, tightness: int) -> str:
        """The expression, in parentheses where its place needs them."""
        own, text = self.form(expr)
        return text if own >= tightness else fenced(text)

    def element(self, name: str, indices: Sequence[str] = ()) -> str:
        """A value at its indices."""
        return name_mathml(self.names.element(name, indices))

    def form(self, expr: Expr) -> tuple[int, str]:
        """How tightly the markup binds, and the markup."""
        match expr:
            case Num(value):
                return (SUM if value < 0 else _ATOM), number(value)
            case Extent(axis):
                return _ATOM, name_mathml(self.names.axis(axis))
            case Read(name, indices):
                return _ATOM, self.element(name, [index.name for index in indices])
            case Delta(left, right):
                letters = row([self.index(left.name), leaf("mo", ","), self.index(right.name)])
                return _ATOM, tag("msub", leaf("mi", "\u03b4"), letters)
            case Compare(operator, before, after):
                return SUM, row([self.text(before), leaf("mo", _OPERATORS[operator]), self.text(after)])
            case Reduce():
                return PRODUCT, row([*self.head(expr), self.at(expr.body, PRODUCT)])
            case Call(function, args):
                return self.call(function, args)
            case Add(terms):
                return SUM, self.sum(terms)
            case Mul(factors):
                return (SUM if without_sign(expr) is not None else PRODUCT), self.product(factors)
            case Pow():
                return self.power(expr)
        raise TypeError(f"no MathML for {type(expr).__name__}")

    def index(self, letter: str) -> str:
        """An index letter."""
        return name_mathml(self.names.index(letter))

    def sum(self, terms: Sequence[Expr]) -> str:
        """Terms with their signs."""
        parts = [self.at(terms[0], PRODUCT) if without_sign(terms[0]) is None else self.text(terms[0])]
        for term in terms[1:]:
            positive = without_sign(term)
            parts += [_PLUS, self.at(term, PRODUCT)] if positive is None else [_MINUS, self.at(positive, PRODUCT)]
        return row(parts)

    def product(self, factors: Sequence[Expr]) -> str:
        """Factors as fractions and what stands beside them."""
        sign, ordered = arranged(factors)
        pieces = [piece for above, below in groups(ordered) for piece in self.group(above, below)]
        return row([_MINUS, self.side_by_side(pieces)]) if sign else self.side_by_side(pieces)

    def group(self, above: list[Expr], below: list[Expr]) -> list[Expr | str]:
        """A run of numerators and the denominators after it."""
        if not below:
            return list(above)
        low = [factor for factor in above if not self.layout.stands_behind(factor)]
        behind = [factor for factor in above if self.layout.stands_behind(factor)]
        return [tag("mfrac", self.over(low), self.over(collected(below))), *behind]

    def over(self, factors: Sequence[Expr]) -> str:
        """What stands on one side of a fraction bar."""
        return _ONE if not factors else self.text(factors[0]) if len(factors) == 1 else self.side_by_side(factors)

    def side_by_side(self, factors: Sequence[Expr | str]) -> str:
        """Factors in a row; a sum that is not the last goes into parentheses, and a dot before a number."""
        parts: list[str] = []
        for position, factor in enumerate(factors):
            if isinstance(factor, str):
                piece = factor
            elif isinstance(factor, Reduce) and position < len(factors) - 1:
                piece = fenced(self.text(factor))
            else:
                piece = self.at(factor, PRODUCT)
            number_follows = piece.startswith(("<mn>", "<msup><mn>", "<mrow><mn>"))
            parts += [_DOT if number_follows else _TIMES, piece] if parts else [piece]
        return row(parts)

    def head(self, expr: Reduce) -> list[str]:
        """The sign of a reduction, a mean's as a sum over its extent."""
        letters = [self.index(index.name) for index in expr.indices]
        if expr.kind in ("max", "min"):
            return [tag("munder", leaf("mo", expr.kind), separated(letters, leaf("mo", ",")))]
        extents = [name_mathml(self.names.axis(index.axis)) for index in expr.indices]
        sums = [
            tag("munderover", leaf("mo", "\u2211"), row([letter, leaf("mo", "="), _ONE]), extent)
            for letter, extent in zip(letters, extents, strict=True)
        ]
        return [tag("mfrac", _ONE, separated(extents, _TIMES)), *sums] if expr.kind == "mean" else sums

    def call(self, function: str, args: tuple[Expr, ...]) -> tuple[int, str]:
        """A function of its arguments."""
        texts = [self.text(argument) for argument in args]
        match function:
            case "pi":
                return _ATOM, leaf("mi", "\u03c0")
            case "sqrt":
                return _ATOM, tag("msqrt", *texts)
            case "rsqrt":
                return PRODUCT, tag("mfrac", _ONE, tag("msqrt", *texts))
            case "abs":
                return _ATOM, fenced(texts[0], "|", "|")
            case "log1p":
                return _ATOM, applied("log", row([_ONE, _PLUS, self.at(args[0], PRODUCT)]))
            case "expm1":
                return SUM, row([applied("exp", texts[0]), _MINUS, _ONE])
            case "where":
                return SUM, cases(*texts)
        return _ATOM, applied(_FUNCTIONS.get(function, function), separated(texts, leaf("mo", ",")))

    def power(self, expr: Pow) -> tuple[int, str]:
        """A root, a fraction or a superscript."""
        plain = squared_root(expr)
        if plain != expr:
            return self.form(plain)
        if denominator_of(expr) is not None:
            return PRODUCT, self.product((expr,))
        if expr.exponent == Num(Fraction(1, 2)):
            return _ATOM, tag("msqrt", self.text(expr.base))
        own, base = self.form(expr.base)
        simple = own == _ATOM and not isinstance(expr.base, Pow) and not base.startswith(("<msup", "<msubsup", "<mfrac"))
        return _ATOM, tag("msup", base if simple else fenced(base), self.exponent(expr.exponent))

    def exponent(self, expr: Expr) -> str:
        """A superscript, a number on one line."""
        if not isinstance(expr, Num):
            return self.text(expr)
        size = leaf("mn", str(abs(expr.value)))
        return row([_MINUS, size]) if expr.value < 0 else size


def fenced(text: str, left: str = "(", right: str = ")") -> str:
    """Between two fences that grow with it."""
    return tag("mrow", leaf("mo", left, fence="true", form="prefix"), text, leaf("mo", right, fence="true", form="postfix"))


def separated(parts: Sequence[str], separator: str) -> str:
    """The parts in a row with a separator between each two."""
    return row([piece for part in parts for piece in (separator, part)][1:])


def applied(function: str, argument: str) -> str:
    """A function's name and its argument in parentheses."""
    return row([leaf("mi", function), _APPLY, fenced(argument)])


def cases(condition: str, then: str, otherwise: str) -> str:
    """One of two values, behind a brace."""
    lines = ((then, leaf("mtext", "\u00a0if\u00a0") + condition), (otherwise, leaf("mtext", "\u00a0otherwise")))
    table = tag("mtable", *(tag("mtr", tag("mtd", value), tag("mtd", note)) for value, note in lines))
    return tag("mrow", leaf("mo", "{", fence="true", form="prefix"), table)


def number(value: Fraction) -> str:
    """A number: 3, a fraction, or a power of ten where the denominator is a long one."""
    size, power = abs(value), ten_power(value)
    if size.denominator == 1:
        text = leaf("mn", str(size.numerator))
    elif power is None:
        text = tag("mfrac", leaf("mn", str(size.numerator)), leaf("mn", str(size.denominator)))
    else:
        ten = tag("msup", leaf("mn", "10"), row([_MINUS, leaf("mn", str(power))]))
        text = ten if size.numerator == 1 else row([leaf("mn", str(size.numerator)), _DOT, ten])
    return row([_MINUS, text]) if value < 0 else text
