r"""How names are typeset.

In: a layer, with its author's `# latex:` comments.  Out: LaTeX for its names and for the names of results.

`sigma2` is \sigma^2, `xhat` \hat{x}, `x_bar` \bar{x}, `rstd` \mathrm{rstd}, `w_in` w_{\mathrm{in}}. Beside them stand the results:
`dy[i]` is the derivative of the loss L, `dy_dx[k, i]` that of y_k by x_i, `x_dot` the tangent \dot{x}. In second order, G is the
scalar that the gradients feed: `grad_x` is the derivative of G by x, and `ddx`, the cotangent of `dx`, is \bar{\bar{x}}.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

from symbn.layer import Layer

GREEK = frozenset(
    """alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi psi omega
    Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega""".split()  # noqa: SIM905
)
_SPELLINGS = {"eps": "epsilon", "lam": "lambda", "lamda": "lambda"}
_ACCENTS = ("hat", "bar", "tilde", "dot", "ddot")
LOSSES = ("L", r"\ell", "J", "E")
SECOND_LOSSES = ("G", "H", "S")
_DIGITS = re.compile(r"([A-Za-z]+)(\d*)")


@dataclass(frozen=True, slots=True)
class Symbol:
    """A typeset name: what its own subscript and later indices hang on."""

    base: str
    below: tuple[str, ...] = ()

    def element(self, indices: Sequence[str] = ()) -> str:
        """The symbol with its indices."""
        below = ",".join((*self.below, *indices))
        return f"{self.base}_{{{below}}}" if below else self.base


@dataclass(frozen=True)
class LatexNames:
    """Typesets names; `axes` maps the layer's names to their axes, `overrides` names to their author's LaTeX."""

    axes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    overrides: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, layer: Layer, beside: Mapping[str, tuple[str, ...]] = MappingProxyType({})) -> LatexNames:
        """The names of a layer, and of the values `beside` it, as far as they are no derivatives."""
        plain = cls({name: layer.axes_of(name) for name in layer.names}, layer.latex)
        values = {name: axes for name, axes in beside.items() if not plain.is_result(name)}
        every = cls({**plain.axes, **values}, layer.latex)
        return cls({**plain.axes, **{name: axes for name, axes in values.items() if not every.is_result(name)}}, layer.latex)

    def element(self, name: str, indices: Sequence[str] = ()) -> str:
        """A value at its indices, which are index letters as written in the layer."""
        typeset = [self.index(letter) for letter in indices]
        if name in self.overrides:
            return self.symbol(name).element(typeset)
        return self._result(name, typeset) or self.symbol(name).element(typeset)

    def is_result(self, name: str) -> bool:
        """Whether the name is typeset as what it means, such as a derivative, and not by its letters."""
        return name not in self.overrides and self._result(name, []) is not None

    def index(self, letter: str) -> str:
        """An index letter."""
        return _plain(letter).element()

    def axis(self, axis: str) -> str:
        """The extent of an axis."""
        return _plain(axis).element()

    def symbol(self, name: str) -> Symbol:
        """A name without indices."""
        override = self.overrides.get(name)
        if override is not None:
            return Symbol(f"{{{override}}}" if _has_subscript(override) else override)
        if name == "sigma2" and not {"sigma", "sigma1"} & set(self.axes):
            return Symbol(r"\sigma^2")
        return _plain(name)

    def _result(self, name: str, indices: list[str]) -> str | None:
        """A derivative or a tangent. A layer never has `dx` beside `x`, but the backward pass as a layer of its own has."""
        for upper, lower in self._totals(name):
            split = len(self.axes[upper])
            over, under = self.symbol(upper).element(indices[:split]), self.symbol(lower).element(indices[split:])
            return rf"\frac{{\partial {over}}}{{\partial {under}}}"
        if name.startswith("dd") and name[2:] in self.axes:
            return _accented(r"\bar", _accented(r"\bar", self.symbol(name[2:]))).element(indices)
        for prefix, form in _DERIVATIVES.items():
            if name.startswith(prefix) and name[len(prefix) :] in self.axes:
                first, second = self._losses
                return form.format(L=first, G=second, by=self.symbol(name[len(prefix) :]).element(indices))
        if name.endswith("_dot") and name[:-4] in self.axes:
            return _accented(r"\dot", self.symbol(name[:-4])).element(indices)
        return None

    @cached_property
    def _losses(self) -> tuple[str, str]:
        """The letters of the loss and of the scalar of second order: no value of the layer is typeset so."""
        taken = {self.symbol(name).base for name in self.axes}
        first, second = (next((letter for letter in letters if letter not in taken), letters[0]) for letters in (LOSSES, SECOND_LOSSES))
        return first, second

    def is_power(self, name: str, exponent: str) -> bool:
        r"""Whether a value's power looks like another one's name, as that of \sigma beside \sigma^2."""
        looks = f"{self.symbol(name).base}^{exponent}"
        return any(self.symbol(other).base == looks for other in self.axes)

    def _totals(self, name: str) -> Iterator[tuple[str, str]]:
        for found in re.finditer("_d", name) if name.startswith("d") else ():
            upper, lower = name[1 : found.start()], name[found.end() :]
            if upper in self.axes and lower in self.axes:
                yield upper, lower


_DERIVATIVES = {
    "grad_d": r"\frac{{\partial {G}}}{{\partial(\partial {L}/\partial {by})}}",
    "grad_": r"\frac{{\partial {G}}}{{\partial {by}}}",
    "d": r"\frac{{\partial {L}}}{{\partial {by}}}",
}


def _plain(name: str) -> Symbol:
    """A name by rule alone."""
    head, *rest = [part for part in name.split("_") if part]
    match = _DIGITS.fullmatch(head)
    symbol = _word(match[1]) if match else Symbol(rf"\mathrm{{{head}}}")
    if match and match[2]:
        symbol = Symbol(symbol.base, (match[2],))
    for part in rest:
        symbol = _accented("\\" + part, symbol) if part in _ACCENTS else Symbol(symbol.base, (*symbol.below, _subscript(part)))
    return symbol


def _word(word: str) -> Symbol:
    word = _SPELLINGS.get(word, word)
    if word in GREEK:
        return Symbol(f"\\{word}")
    if len(word) == 1:
        return Symbol(word)
    for accent in _ACCENTS[:3]:
        stem = _SPELLINGS.get(word.removesuffix(accent), word.removesuffix(accent))
        if word.endswith(accent) and (len(stem) == 1 or stem in GREEK):
            return _accented("\\" + accent, _word(stem))
    return Symbol(rf"\mathrm{{{word}}}")


def _accented(accent: str, symbol: Symbol) -> Symbol:
    return Symbol(f"{accent}{{{symbol.base}}}", symbol.below)


def _subscript(part: str) -> str:
    return part if part.isdigit() else _word(part).base if part.isalpha() else rf"\mathrm{{{part}}}"


def _has_subscript(latex: str) -> bool:
    depth = 0
    for character in latex:
        depth += (character == "{") - (character == "}")
        if character == "_" and depth == 0:
            return True
    return False
