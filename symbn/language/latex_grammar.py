r"""The expressions of papers: sums of products of factors.

In: the tokens of one side of an equation.  Out: an Expr. Numbers are folded as in the layer language.

Factors stand side by side. A sum reaches to the next + or - at its own level, as papers mean it: `\sum_k a_k b_k - c` subtracts c once.
A `/` divides by the one factor after it.
"""

from __future__ import annotations

from fractions import Fraction

from symbn.expr import ZERO, Call, Expr, Extent, Num, Read, rename_indices
from symbn.language.arithmetic import negate, product, raised, total
from symbn.language.latex_calls import FUNCTIONS, function_call
from symbn.language.latex_conditions import cases, indicator, kronecker, one_where, starts_indicator
from symbn.language.latex_cursor import OPENS, Cursor
from symbn.language.latex_derivatives import derivative, mark, slashed_derivative
from symbn.language.latex_shapes import STYLES, Shape, nucleus_at
from symbn.language.latex_sums import REDUCTIONS, reduction
from symbn.language.limits import MAX_DEPTH, MAX_DIGITS

_BARS = ("|", r"\lvert")
_LABELED = (r"\underbrace", r"\overbrace")
_INVISIBLE = ("{", *_LABELED, r"\boxed", *STYLES)
_TRANSPOSES = ("T", r"\top", r"\mathrm{T}", r"\star", r"\cdot", r"\dagger", r"\prime", "'")


class Grammar(Cursor):
    """Reads one side of an equation."""

    depth = 0

    def whole(self) -> Expr:
        """The side from its start to its end."""
        return self.span(0, self.end, self.expression)

    def expression(self) -> Expr:
        terms, start, sign = [], self.position, self.sign()
        while True:
            term = self.term()
            terms.append(negate(term) if sign == "-" else term)
            sign = self.peek()
            if not self.accept("+", "-"):
                return self.exact(start, total, terms)

    def term(self) -> Expr:
        start, sign = self.position, "*"
        factors: list[tuple[str, Expr]] = []
        while True:
            self.peek()
            place, negative = self.position, bool(factors) and self.accept("-")
            factor = self.factor()
            if sign == "/" and factor == ZERO:
                raise self.error("division by zero", place, self.position)
            factors.append((sign, negate(factor) if negative else factor))
            if self.accept(r"\cdot", "/"):
                sign = "/" if self.tokens.text(self.position - 1) == "/" else "*"
            elif not self.starts_factor():
                return self.exact(start, product, factors)
            elif sign == "/" and self._looks_divided():
                hint = r"write \frac{...}{...}, or parentheses"
                raise self.error("what stands under the '/' is not clear here", place, self.position + 1, hint=hint)
            else:
                sign = "*"

    def _looks_divided(self) -> bool:
        """Whether a letter or number comes next, which the eye would take into a denominator: 1/2N."""
        found = nucleus_at(self.tokens, self.position, self.end)
        return self.peek().isdigit() or (found is not None and found[0].nucleus not in FUNCTIONS and found[0].nucleus not in REDUCTIONS)

    def factor(self) -> Expr:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.error(f"this is nested too deeply: at most {MAX_DEPTH} levels", self.position, hint="shorten the equation")
        self.unwrap()
        self.peek()
        start = self.position
        found = self._atom()
        while self.accept("^"):
            found = self.exact(start, raised, found, self.span(*self.argument(), self.exponent))
        self.depth -= 1
        return found

    def unwrap(self) -> None:
        r"""Makes braces that only group invisible, and what is around `\underbrace{...}_{label}`, `\boxed{...}`, `\mathbf{\hat{x}_i}`."""
        while (text := self.peek()) in _INVISIBLE:
            start = self.position
            opened = start if text == "{" else start + 1
            if self.tokens.text(opened) != "{":
                return
            stop = self.tokens.partner[opened]
            scripted = stop + 1 < self.end and self.tokens.text(stop + 1) in ("_", "^")
            if text in STYLES and (nucleus_at(self.tokens, start, self.end) is not None or starts_indicator(self)):
                return
            if text in _LABELED and scripted:
                self.hidden.update(range(stop + 1, self.tokens.argument(stop + 2)[2]))
            elif scripted:
                return
            self.hidden.update((start, opened, stop))

    def exponent(self) -> Expr:
        text = self.tokens.canonical(self.position, self.end)
        if text in _TRANSPOSES or text.startswith("("):
            raise self.error(f"'{text}' is not an exponent", self.position, self.end, hint="write the indices: x_{n,d}")
        return self.expression()

    def _atom(self) -> Expr:
        text = self.peek()
        if not self.starts_factor():
            raise self.stuck()
        if starts_indicator(self):
            return indicator(self)
        if text.isdigit() or text == ".":
            return self._number()
        if text in OPENS:
            return self._parentheses()
        if text in _BARS:
            return self._absolute()
        reader = _BY_SIGN.get(text)
        return reader(self) if reader is not None else self._named()

    def _named(self) -> Expr:
        """A derivative, a reduction, a function or a value."""
        text = self.peek()
        if mark(self, self.position):
            found = slashed_derivative(self)
            if found is not None:
                return found
        named = nucleus_at(self.tokens, self.position, self.end)
        word, after = (named[0].nucleus, named[1]) if named is not None else (text, self.position + 1)
        if self.table.knows(word):
            return self._symbol()
        if word in REDUCTIONS and not (word in FUNCTIONS and self.tokens.text(after) in OPENS):
            return reduction(self, REDUCTIONS[word])
        if word in FUNCTIONS:
            return function_call(self, FUNCTIONS[word])
        return self._symbol()

    def _number(self) -> Expr:
        start = self.position
        while self.position < self.end and (self.tokens.text(self.position).isdigit() or self.is_point()):
            self.position += 1
        text = self.tokens.canonical(start, self.position)
        if len(text) > MAX_DIGITS or text.count(".") > 1:
            raise self.error(f"'{text[:40]}' is not a number", start, self.position, hint=f"at most {MAX_DIGITS} digits and one point")
        return Num(Fraction(text))

    def _parentheses(self) -> Expr:
        start = self.take()
        stop = self.tokens.partner[start]
        if self.tokens.text(start) == "[" and self.relation(start + 1, stop) is not None:
            found = one_where(self, start + 1, stop)
        else:
            found = self.span(start + 1, stop, self.expression)
        self.position = stop + 1
        if self.peek() == "_":
            raise self.error("an index stands on a name, not on parentheses", self.position, hint="write the index inside, on each name")
        return found

    def _absolute(self) -> Expr:
        start = self.take()
        if self.tokens.text(start) == r"\lvert":
            found = self.span(start + 1, self.tokens.partner[start], self.expression)
            self.position = self.tokens.partner[start] + 1
            return Call("abs", (found,))
        self.bars += 1
        found = self.expression()
        self.bars -= 1
        if not self.accept("|"):
            raise self.error("this '|' is never closed", start, hint="close it")
        return Call("abs", (found,))

    def _group(self) -> Expr:
        r"""Braces with a script behind them: `{m_{\max}}_n`, `{(a + b)}^2`."""
        if self.shape() is not None:
            return self._symbol()
        start = self.take()
        stop = self.tokens.partner[start]
        found = self.span(start + 1, stop, self.factor)
        self.position = stop + 1
        return found

    def _fraction(self) -> Expr:
        start = self.take()
        above, below = self.argument(), self.argument()
        found = derivative(self, above, below)
        if found is not None:
            return found
        numerator, denominator = self.span(*above, self.expression), self.span(*below, self.expression)
        if denominator == ZERO:
            raise self.error("division by zero", *below)
        return self.exact(start, product, [("*", numerator), ("/", denominator)])

    def _root(self) -> Expr:
        start = self.take()
        degree: Expr = Num(Fraction(2))
        if self.peek() == "[":
            stop = self.tokens.partner[self.position]
            degree = self.span(self.position + 1, stop, self.expression)
            self.position = stop + 1
        inside = self.span(*self.argument(), self.expression)
        if degree == Num(Fraction(2)):
            return Call("sqrt", (inside,))
        if not isinstance(degree, Num) or degree.value <= 0:
            raise self.error("the degree of a root is a number", start, self.position, hint=r"write \sqrt[3]{x}")
        return self.exact(start, raised, inside, Num(1 / degree.value))

    def _symbol(self) -> Expr:
        start, found = self.position, self.shape()
        if found is None:
            raise self.stuck()
        shape, stop = found
        if not self.table.lookup(self.tokens, shape):
            special = self._without_name(shape, stop)
            if special is not None:
                return special
        name = self.table.find(self.tokens, shape, start, stop)
        self.position = stop
        return self._power(self._value(self.element(name.name, name.letters)), name.power, start)

    def _value(self, read: Read) -> Expr:
        """A name of the paper's own written out; the layer's as it is."""
        local = self.table.locals.get(read.name)
        return read if local is None else rename_indices(local.expr, dict(zip(local.indices, read.indices, strict=True)))

    def _without_name(self, shape: Shape, stop: int) -> Expr | None:
        r"""An extent, `e^{...}`, `\pi`, `\delta_{ik}` and `\sigma(...)`, where no value of the layer stands there."""
        start, axis = self.position, self.table.axis(Shape(shape.nucleus, shape.below)) or self._counted(shape)
        base: Expr
        if axis is not None:
            base = Extent(axis)
        elif shape.nucleus == "e" and not shape.below and shape.above is not None:
            self.position = stop
            return Call("exp", (self.span(*shape.above, self.expression),))
        elif shape.nucleus == r"\pi" and not shape.below:
            base = Call("pi", ())
        elif shape.nucleus == r"\delta" and len(shape.below) == 2:
            base = kronecker(self, *shape.below)
        elif shape.nucleus == r"\sigma" and not self.table.knows(r"\sigma") and self.tokens.text(start + 1) in OPENS:
            return function_call(self, "sigmoid")
        else:
            return None
        self.position = stop
        return self._power(base, shape.above, start)

    def _counted(self, shape: Shape) -> str | None:
        """The axis, still to be found, whose elements the paper counts by this letter."""
        return f"?{shape.nucleus}" if not shape.below and shape.nucleus in self.table.counts else None

    def _power(self, base: Expr, power: tuple[int, int] | Fraction | None, start: int) -> Expr:
        if power is None:
            return base
        exponent = Num(power) if isinstance(power, Fraction) else self.span(*power, self.exponent)
        return self.exact(start, raised, base, exponent)


_BY_SIGN = {r"\frac": Grammar._fraction, r"\sqrt": Grammar._root, r"\begin{cases}": cases, "{": Grammar._group}
