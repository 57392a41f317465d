r"""Typeset names in MathML.

In: LaTeX such as `\frac{\partial L}{\partial \hat{x}_{i}}`, by the rules of `latex_names` or from an author's `# latex:` comment.  Out:
MathML. A command that is not known here stands as its name.
"""

from __future__ import annotations

import re
from html import escape

from symbn.language.pretty import GREEK

_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|[0-9]+|\S", re.DOTALL)
_ACCENTS = {
    "hat": "^", "widehat": "^", "bar": "\u00af", "overline": "\u00af", "tilde": "~", "widetilde": "~", "dot": "\u02d9", "ddot": "\u00a8",
    "vec": "\u2192", "check": "\u02c7", "breve": "\u02d8", "acute": "\u00b4", "grave": "`",
}  # fmt: skip
_SYMBOLS = {
    "partial": "\u2202", "nabla": "\u2207", "ell": "\u2113", "infty": "\u221e", "top": "\u22a4", "bot": "\u22a5", "perp": "\u22a5",
    "parallel": "\u2225", "star": "\u22c6", "ast": "\u2217", "circ": "\u2218", "dagger": "\u2020", "prime": "\u2032", "cdot": "\u00b7",
    "times": "\u00d7", "langle": "\u27e8", "rangle": "\u27e9", "lvert": "|", "rvert": "|", "lVert": "\u2016", "rVert": "\u2016",
    "vartheta": "\u03d1", "varpi": "\u03d6", "varrho": "\u03f1", "varsigma": "\u03c2", "varepsilon": "\u03b5", "varphi": "\u03c6",
    "max": "max", "min": "min", "log": "log", "exp": "exp",
}  # fmt: skip
_UPRIGHT = ("mathrm", "text", "operatorname")
# Spaces, and styles that MathML Core has no word for: what they are applied to stands as it is.
_UNSEEN = ("left", "right", "quad", "mathbf", "mathit", "mathsf", "mathtt", "mathcal", "mathbb", "mathfrak", "boldsymbol")
_DEEPEST = 20  # braces in braces; what is deeper, which nobody reads, is left out


def tag(name: str, *parts: str, **attributes: str) -> str:
    """An element of finished parts; attributes are escaped."""
    given = "".join(f' {key}="{escape(value)}"' for key, value in attributes.items())
    return f"<{name}{given}>{''.join(parts)}</{name}>"


def leaf(name: str, text: str, **attributes: str) -> str:
    """An element of plain text."""
    return tag(name, escape(text), **attributes)


def row(parts: list[str]) -> str:
    """One part as it is, several as one."""
    return parts[0] if len(parts) == 1 else tag("mrow", *parts)


def name_mathml(latex: str) -> str:
    """The MathML of a typeset name."""
    return row(_Reader(_TOKEN.findall(latex)).parts(0))


class _Reader:
    """Reads tokens once, left to right; braces that do not match end where the text does."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens, self.place = tokens, 0

    def parts(self, depth: int) -> list[str]:
        """Everything up to a closing brace, or the end."""
        found: list[str] = []
        while (token := self.next()) not in ("", "}"):
            part = self.atom(token, depth)
            if part:
                found.append(self.scripts(part, depth))
        return found

    def next(self) -> str:
        """The next token, "" at the end."""
        self.place += 1
        return self.tokens[self.place - 1] if self.place <= len(self.tokens) else ""

    def scripts(self, base: str, depth: int) -> str:
        """The base with the subscript and the superscript behind it."""
        below = above = ""
        while self.place < len(self.tokens) and self.tokens[self.place] in ("_", "^"):
            sign = self.next()
            script = self.argument(depth)
            below, above = (script, above) if sign == "_" else (below, script)
        if below and above:
            return tag("msubsup", base, below, above)
        return tag("msub", base, below) if below else tag("msup", base, above) if above else base

    def argument(self, depth: int) -> str:
        """The next group or token."""
        token = self.next()
        return row(self.group(depth)) if token == "{" else self.atom(token, depth) or tag("mrow")

    def group(self, depth: int) -> list[str]:
        """The inside of braces, of which the first is read."""
        found = self.parts(depth + 1)
        return found if depth < _DEEPEST else []

    def atom(self, token: str, depth: int) -> str:
        """One symbol; "" for a token that shows nothing."""
        if token == "{":
            return row(self.group(depth))
        if token.startswith("\\"):
            return self.command(token[1:], depth)
        if token.isdigit():
            return leaf("mn", token)
        return leaf("mi", token) if token.isalpha() else leaf("mo", token) if token else ""

    def command(self, name: str, depth: int) -> str:
        """A command with its arguments."""
        if name == "frac":
            return tag("mfrac", self.argument(depth), self.argument(depth))
        if name == "sqrt":
            return tag("msqrt", self.argument(depth))
        if name == "underline":
            return tag("munder", self.argument(depth), leaf("mo", "_"))
        if name in _ACCENTS:
            return tag("mover", self.argument(depth), leaf("mo", _ACCENTS[name]), accent="true")
        if name in _UPRIGHT:
            return self.word()
        if name in GREEK or name in _SYMBOLS:
            return leaf("mi", GREEK.get(name) or _SYMBOLS[name])
        return "" if name in _UNSEEN or not name.isalpha() else leaf("mi", name, mathvariant="normal")

    def word(self) -> str:
        """Letters that are set upright, as one symbol."""
        if self.next() != "{":
            return ""
        letters = []
        while (token := self.next()) not in ("", "}"):
            letters.append(token.removeprefix("\\"))
        return leaf("mi", "".join(letters), mathvariant="normal")
