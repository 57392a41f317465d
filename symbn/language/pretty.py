"""Formulas for a terminal, in Unicode.

In: a definition and its layer.  Out: one line such as `dxᵢ = γ/√(σ² + ε)·(dyᵢ − mean_k dyₖ − x̂ᵢ·mean_k dyₖ·x̂ₖ)`.

A letter that Unicode has no subscript for stands in brackets, `x[n, c]`. This is for reading; `text.py` writes what is read back.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from symbn.expr import Add, Call, Compare, Delta, Expr, Extent, Index, Mul, Num, Pow, Read, Reduce
from symbn.language.text import denominator_of, without_sign
from symbn.layer import Definition, Layer

_COMPARE, _SUM, _PRODUCT, _POWER, _ATOM = range(5)
_SUBSCRIPTS = str.maketrans("0123456789aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ")
_SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_ACCENTS = {"hat": "\u0302", "bar": "\u0304", "tilde": "\u0303", "dot": "\u0307"}
GREEK = dict(
    zip(
        """alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi psi omega
        Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega""".split(),  # noqa: SIM905
        "αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΥΦΨΩ",
        strict=True,
    )
) | {"eps": "ε", "lam": "λ"}
_OPERATORS = {"<=": "≤", ">=": "≥", "==": "=", "!=": "≠"}


def definition_pretty(definition: Definition, layer: Layer) -> str:
    """The equation on one line."""
    writer = _Writer(set(layer.names))
    return f"{writer.element(definition.name, definition.indices)} = {writer.form(definition.expr)[1]}"


class _Writer:
    def __init__(self, names: set[str]) -> None:
        self.names = names

    def name(self, name: str) -> str:
        """The name, Greek and accented where Unicode allows."""
        if name not in self.names:
            for prefix in ("grad_d", "grad_", "dd", "d"):
                if name.startswith(prefix) and name[len(prefix) :] in self.names:
                    return prefix + self.name(name[len(prefix) :])
        if name == "sigma2":
            return "σ²"
        stem = name.rstrip("0123456789")
        digits = name[len(stem) :].translate(_SUBSCRIPTS)
        for accent, mark in _ACCENTS.items():
            base = stem.removesuffix(accent).removesuffix("_")
            if stem.endswith(accent) and (len(base) == 1 or base in GREEK):
                return GREEK.get(base, base) + mark + digits
        return GREEK[stem] + digits if stem in GREEK else name

    def element(self, name: str, indices: Sequence[Index]) -> str:
        """The name with subscripts, or with brackets where a letter has none."""
        shown, letters = self.name(name), "".join(index.name for index in indices)
        below = letters.translate(_SUBSCRIPTS)
        plain = len(letters) != len(indices) or any(old == new for old, new in zip(letters, below, strict=True))
        if plain or shown[-1:] in "₀₁₂₃₄₅₆₇₈₉" or ("_" in shown and indices):
            return f"{shown}[{', '.join(index.name for index in indices)}]"
        return shown + below

    def at(self, expr: Expr, tightness: int) -> str:
        """The text, in parentheses where its place needs them."""
        own, text = self.form(expr)
        return text if own >= tightness else f"({text})"

    def form(self, expr: Expr) -> tuple[int, str]:
        """How tightly the text binds, and the text."""
        match expr:
            case Num(value):
                return _ATOM if value >= 0 and value.denominator == 1 else _PRODUCT, str(value).replace("-", "−")
            case Extent(axis):
                return _ATOM, axis
            case Read(name, indices):
                return _ATOM, self.element(name, indices)
            case Delta():
                return _ATOM, self.element("delta", (expr.left, expr.right))
            case Compare(operator, left, right):
                return _COMPARE, f"{self.form(left)[1]} {_OPERATORS.get(operator, operator)} {self.form(right)[1]}"
            case Reduce(kind, body, indices):
                letters = ",".join(index.name for index in indices)
                return _PRODUCT, f"{'Σ' if kind == 'sum' else kind}_{letters} {self.at(body, _PRODUCT)}"
            case Call("pi", ()):
                return _ATOM, "π"
            case Call("sqrt", (argument,)):
                return _ATOM, f"√{self.at(argument, _ATOM)}"
            case Call(function, args):
                return _ATOM, f"{function}({', '.join(self.form(argument)[1] for argument in args)})"
            case Add(terms):
                return _SUM, self.sum(terms)
            case Mul(factors):
                return _PRODUCT, self.product(factors)
            case Pow():
                return self.power(expr)
        raise TypeError(f"no text for {type(expr).__name__}")

    def sum(self, terms: Sequence[Expr]) -> str:
        """Terms with their signs."""
        text = self.at(terms[0], _PRODUCT)
        for term in terms[1:]:
            positive = without_sign(term)
            text += f" + {self.at(term, _PRODUCT)}" if positive is None else f" − {self.at(positive, _PRODUCT)}"
        return text

    def product(self, factors: Sequence[Expr]) -> str:
        """Factors with dots and slashes; a reduction that is not the last goes into parentheses."""
        negative = len(factors) > 1 and factors[0] == Num(Fraction(-1))
        rest = factors[1:] if negative else factors
        text = ""
        for position, factor in enumerate(rest):
            denominator = denominator_of(factor)
            if denominator is not None:
                text = f"{text or '1'}/{self.at(denominator, _POWER)}"
                continue
            bare = position == len(rest) - 1 if isinstance(factor, Reduce) else position == 0
            text += ("·" if text else "") + self.at(factor, _PRODUCT if bare else _POWER)
        return ("−" if negative else "") + text

    def power(self, expr: Pow) -> tuple[int, str]:
        """A superscript for an integer, a caret for the rest."""
        if denominator_of(expr) is not None:
            return _PRODUCT, self.product((expr,))
        if expr.exponent == Num(Fraction(1, 2)):
            return _ATOM, f"√{self.at(expr.base, _ATOM)}"
        base = self.at(expr.base, _ATOM)
        if base[-1] in "⁰¹²³⁴⁵⁶⁷⁸⁹" or base.startswith("σ²"):
            base = f"({base})"
        if isinstance(expr.exponent, Num) and expr.exponent.value.denominator == 1:
            return _POWER, base + str(expr.exponent.value).translate(_SUPERSCRIPTS)
        return _POWER, f"{base}^{self.at(expr.exponent, _ATOM)}"
