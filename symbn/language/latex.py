r"""From expressions to LaTeX that a reader puts into a paper.

In: an expression or a definition, and how names are typeset.  Out: LaTeX that needs amsmath alone.

A product becomes fractions: gamma/sqrt(sigma2 + eps)*(...) is \frac{\gamma}{\sqrt{\sigma^2 + \epsilon}} (...), tall factors stand behind
the fraction, a sum comes last so that nothing seems to stand under it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

from symbn.expr import Add, Call, Compare, Delta, Expr, Extent, Mul, Num, Pow, Read, Reduce, walk
from symbn.language.latex_names import LatexNames
from symbn.language.layout import arranged, collected, groups, squared_root, ten_power
from symbn.language.text import denominator_of, without_sign
from symbn.layer import Definition, Layer

_TALL = re.compile(r"\\(frac|sum|sqrt|begin|left|max_|min_)")
_WIDE = 60  # characters of source beyond which a factor stands behind a fraction, not on it
_OPERATORS = {"<": "<", "<=": r"\le", ">": ">", ">=": r"\ge", "==": "=", "!=": r"\ne"}
_FUNCTIONS = {
    "exp": r"\exp", "log": r"\log", "tanh": r"\tanh", "sin": r"\sin", "cos": r"\cos", "maximum": r"\max", "minimum": r"\min",
    "sigmoid": r"\operatorname{sigmoid}", "erf": r"\operatorname{erf}", "sign": r"\operatorname{sign}",
    "relu": r"\operatorname{ReLU}", "stop_gradient": r"\operatorname{sg}",
}  # fmt: skip
SUM, PRODUCT, _ATOM = range(3)


def expr_latex(expr: Expr, names: LatexNames | Layer) -> str:
    """The expression in LaTeX."""
    return Typesetter(names_of(names)).text(expr)


def definition_latex(definition: Definition, names: LatexNames | Layer) -> str:
    """The equation on one line."""
    typesetter = Typesetter(names_of(names))
    return f"{typesetter.left_side(definition)} = {typesetter.text(definition.expr)}"


# A column of 252 pt holds 48 digits; a line's width is an estimate.
COLUMN = 44


def definition_latex_lines(definition: Definition, names: LatexNames | Layer, width: int = COLUMN) -> tuple[str, ...]:
    r"""The equation on lines of about `width` digits' width, each with its `&`, to join by `\\` inside `aligned` or `split`.

    One digit is 5 pt at 10 pt; an equation number takes 5 of them.
    """
    from symbn.language.latex_lines import broken

    return broken(definition, Typesetter(names_of(names)), width)


def names_of(names: LatexNames | Layer) -> LatexNames:
    """The names, of a layer where one is given."""
    return LatexNames.of(names) if isinstance(names, Layer) else names


class Typesetter:
    """Typesets expressions over one set of names."""

    def __init__(self, names: LatexNames) -> None:
        self.names = names
        self._known: dict[Expr, tuple[int, str]] = {}  # a sum asks for a term twice, which doubles with every level of nesting

    def text(self, expr: Expr) -> str:
        """The expression without parentheses around it."""
        return self.form(expr)[1]

    def left_side(self, definition: Definition) -> str:
        """The name with its indices."""
        return self.names.element(definition.name, [index.name for index in definition.indices])

    def form(self, expr: Expr) -> tuple[int, str]:
        """How tightly the text binds, and the text."""
        if expr not in self._known:
            self._known[expr] = self._form(expr)
        return self._known[expr]

    def _form(self, expr: Expr) -> tuple[int, str]:
        match expr:
            case Num(value):
                return (SUM if value < 0 else _ATOM), number_latex(value)
            case Extent(axis):
                return _ATOM, self.names.axis(axis)
            case Read(name, indices):
                return _ATOM, self.names.element(name, [index.name for index in indices])
            case Delta(left, right):
                return _ATOM, rf"\delta_{{{self.names.index(left.name)},{self.names.index(right.name)}}}"
            case Compare(operator, left_side, right_side):
                return SUM, f"{self.text(left_side)} {_OPERATORS[operator]} {self.text(right_side)}"
            case Reduce():
                return PRODUCT, f"{self.reduction_head(expr)} {self.at(expr.body, PRODUCT)}"
            case Call(name, ()):
                return _ATOM, rf"\{name}"
            case Call(function, args):
                return self._call(function, args)
            case Add(terms):
                return SUM, self.sum(terms)
            case Mul(factors):
                text = self.product(factors)
                return (SUM if text.startswith("-") else PRODUCT), text
            case Pow():
                return self._power(expr)
        raise TypeError(f"no LaTeX for {type(expr).__name__}")

    def at(self, expr: Expr, tightness: int) -> str:
        """The text, in parentheses where its place needs them."""
        own, text = self.form(expr)
        return text if own >= tightness else parenthesized(text)

    def sum(self, terms: Sequence[Expr]) -> str:
        """Terms with their signs."""
        text = self._signed(terms[0]).removeprefix("+")
        for term in terms[1:]:
            signed = self._signed(term)
            text += f" {signed[0]} {signed[1:]}"
        return text

    def _signed(self, term: Expr) -> str:
        """The term with its sign, which in a product any factor may give it."""
        positive = without_sign(term)
        if positive is not None:
            return f"-{self.at(positive, PRODUCT)}"
        text = self.text(term) if isinstance(term, Mul) else ""
        return text if text.startswith("-") else f"+{self.at(term, PRODUCT)}"

    def product(self, factors: Sequence[Expr]) -> str:
        """Factors as fractions and what stands beside them."""
        sign, ordered = arranged(factors)
        return sign + self.side_by_side([piece for group in groups(ordered) for piece in self._group(*group)])

    def _group(self, above: list[Expr], below: list[Expr]) -> list[Expr | str]:
        """A run of numerators and the denominators after it."""
        if not below:
            return list(above)
        low = [factor for factor in above if not self.stands_behind(factor)]
        behind = [factor for factor in above if self.stands_behind(factor)]
        top = "1" if not low else self.text(low[0]) if len(low) == 1 else self.side_by_side(low)
        below = collected(below)
        bottom = self.text(below[0]) if len(below) == 1 else self.side_by_side(below)
        return [rf"\frac{{{top}}}{{{bottom}}}", *behind]

    def stands_behind(self, factor: Expr) -> bool:
        """Whether a factor is too tall or too long to stand on a fraction bar."""
        text = self.text(factor)
        return (_TALL.search(text) is not None and not text.startswith(r"\sqrt")) or len(text) > _WIDE

    def side_by_side(self, factors: Sequence[Expr | str]) -> str:
        """Factors in a row; a sum that is not the last goes into parentheses."""
        text = ""
        for position, factor in enumerate(factors):
            last = position == len(factors) - 1
            if isinstance(factor, str):
                piece = factor
            elif isinstance(factor, Reduce) and not last:
                piece = parenthesized(self.text(factor))
            else:
                piece = self.at(factor, PRODUCT)
            text += _between(text, piece) + piece
        return text

    def reduction_head(self, expr: Reduce) -> str:
        r"""`\frac{1}{N} \sum_{k=1}^{N}`."""
        letters = [self.names.index(index.name) for index in expr.indices]
        extents = [self.names.axis(index.axis) for index in expr.indices]
        if expr.kind in ("max", "min"):
            # What the body indexes by a letter says its axis; a letter that indexes nothing says it here.
            told = {index for node in walk(expr.body) if isinstance(node, Read) for index in node.indices}
            triples = zip(expr.indices, letters, extents, strict=True)
            under = [letter if index in told else rf"1 \le {letter} \le {extent}" for index, letter, extent in triples]
            return rf"\{expr.kind}_{{{','.join(under)}}}"
        sums = " ".join(rf"\sum_{{{letter}=1}}^{{{extent}}}" for letter, extent in zip(letters, extents, strict=True))
        return rf"\frac{{1}}{{{' '.join(extents)}}} {sums}" if expr.kind == "mean" else sums

    def _call(self, function: str, args: tuple[Expr, ...]) -> tuple[int, str]:
        texts = [self.text(argument) for argument in args]
        match function:
            case "sqrt":
                return _ATOM, rf"\sqrt{{{texts[0]}}}"
            case "rsqrt":
                return PRODUCT, rf"\frac{{1}}{{\sqrt{{{texts[0]}}}}}"
            case "abs":
                return _ATOM, rf"\left|{texts[0]}\right|"
            case "log1p":
                return _ATOM, r"\log" + parenthesized(f"1 + {self.at(args[0], PRODUCT)}", operator=True)
            case "expm1":
                return SUM, r"\exp" + parenthesized(texts[0], operator=True) + " - 1"
            case "where":
                return SUM, rf"\begin{{cases}} {texts[1]} & \text{{if }} {texts[0]} \\ {texts[2]} & \text{{otherwise}} \end{{cases}}"
        return _ATOM, _FUNCTIONS[function] + parenthesized(", ".join(texts), operator=True)

    def _power(self, expr: Pow) -> tuple[int, str]:
        plain = squared_root(expr)
        if plain != expr:
            return self.form(plain)
        if denominator_of(expr) is not None:
            return PRODUCT, self.product((expr,))
        if expr.exponent == Num(Fraction(1, 2)):
            return _ATOM, rf"\sqrt{{{self.text(expr.base)}}}"
        exponent = str(expr.exponent.value) if isinstance(expr.exponent, Num) else self.text(expr.exponent)
        own, base = self.form(expr.base)
        simple = own == _ATOM and not isinstance(expr.base, Pow) and (isinstance(expr.base, Call) or not re.search(r"\^|\\frac", base))
        if isinstance(expr.base, Read) and self.names.is_power(expr.base.name, exponent):
            simple = False
        return _ATOM, f"{base if simple else parenthesized(base)}^{{{exponent}}}"


def _between(left: str, right: str) -> str:
    if not left:
        return ""
    if right[0].isdigit() or (right.startswith(r"\frac{1}{") and left[-1:].isdigit()):
        return r" \cdot "
    upright = right.startswith(r"\mathrm") or re.search(r"\\mathrm\{\w+\}(_\{[^{}]*\})?$", left)
    return r" \, " if upright else " "


def parenthesized(text: str, *, operator: bool = False) -> str:
    r"""`(text)`, sized when something in it is tall; `operator` closes the gap that \left opens after a function's name."""
    if _TALL.search(text) is None:
        return f"({text})"
    return (r"\!" if operator else "") + rf"\left( {text} \right)"


def number_latex(value: Fraction) -> str:
    """A number: 3, a fraction, or a power of ten where the denominator is a long one."""
    sign, size = ("-" if value < 0 else ""), abs(value)
    if size.denominator == 1:
        return f"{sign}{size.numerator}"
    power = ten_power(size)
    if power is not None:
        times = "" if size.numerator == 1 else rf"{size.numerator} \cdot "
        return f"{sign}{times}10^{{-{power}}}"
    return rf"{sign}\frac{{{size.numerator}}}{{{size.denominator}}}"
