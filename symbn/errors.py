"""Errors a person may meet, split by whose fault they are.

In: a message, and for source text the place it speaks of.  Out: exceptions whose `str()` is what the command line prints.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a text: `file` as the user named it, 1-based `line` and `column`, the line itself, and how many characters to underline."""

    file: str
    line: int
    column: int
    text: str = ""
    width: int = 1


class SymbnError(Exception):
    """Base of every error that symbn raises on purpose.

    `place` is where it happened, `hint` what to write instead; both may be absent.
    """

    def __init__(self, message: str, *, place: Place | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.place = place
        self.hint = hint

    def __str__(self) -> str:
        lines = [self.message]
        if self.place is not None:
            lines = [f"{self.place.file}:{self.place.line}:{self.place.column}: {self.message}", *_caret(self.place)]
        if self.hint is not None:
            lines.append(self.hint)
        return "\n".join(lines)


class LayerError(SymbnError):
    """The layer's definition is wrong."""


class EquationError(SymbnError):
    """An equation given to check is wrong."""


class UnsupportedError(SymbnError):
    """Sound, but symbn has no rule for it yet: our fault."""


class TargetError(SymbnError):
    """A target, template, compiler or output place is unknown or unusable."""


class DriftError(SymbnError):
    """A generated or vendored file is not what its source gives."""


class VerificationError(SymbnError):
    """A derived result disagrees with the oracle: a defect of symbn, never of the user."""


def _caret(place: Place) -> list[str]:
    """The line the place speaks of and a caret under it, as `    text` and `    ^~~~`."""
    if not place.text.strip():
        return []
    shown = place.text.expandtabs(1).rstrip("\n")
    start, limit = 0, 160
    if len(shown) > limit:
        start = max(0, place.column - 1 - limit // 2)
        shown = shown[start : start + limit]
    width = max(1, min(place.width, start + len(shown) - place.column + 1))
    return [f"    {shown}", "    " + " " * (place.column - 1 - start) + "^" + "~" * (width - 1)]
