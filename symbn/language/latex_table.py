r"""What a symbol on paper is called in the layer.

In: a layer, the names of results, and other people's names.  Out: a table from symbols to names, built from how symbn typesets each.

`\sigma_{B}^2`, `\sigma^2_{\mathcal{B}}` and `\sigma^2` are `sigma2` where the layer typesets it `\sigma^2`: capital letters, script letters
and \mathrm{batch} below a name that no index fits are decoration. `\sigma^4` is `sigma2**2`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from symbn.errors import SymbnError
from symbn.language import latex_names
from symbn.language.latex_names import LatexNames
from symbn.language.latex_scan import Tokens, scan
from symbn.language.latex_shapes import Shape, scripts, shape_at, whole_shape
from symbn.language.source import quoted, suggestion
from symbn.layer import Definition, Layer

# How people write the loss: a letter that is no value of the layer.
_SCRIPTS = (r"\mathcal{L}", r"\mathscr{L}", r"\mathrm{loss}", r"\mathrm{Loss}", r"\mathcal{J}", r"\mathcal{E}", "C", "f", "l")
LOSSES = frozenset((*latex_names.LOSSES, *_SCRIPTS))
SECOND_LOSSES = frozenset(latex_names.SECOND_LOSSES)


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    below: tuple[str, ...]
    above: str


@dataclass(frozen=True, slots=True)
class Found:
    """A name, its index letters with their positions, and the power it is raised to: a span of tokens, a number, or None."""

    name: str
    letters: tuple[tuple[str, int], ...] = ()
    power: tuple[int, int] | Fraction | None = None


class NameTable:
    """The symbols of one layer; `lets` maps other people's names to ours.

    `counts` are letters that count the elements of an axis, `locals` names of a paper's own for expressions over the layer's.
    """

    def __init__(self, layer: Layer, extra: Mapping[str, tuple[str, ...]], lets: Mapping[str, str]) -> None:
        self.arrays = {name: layer.axes_of(name) for name in layer.names} | dict(extra)
        self.axes = tuple(dict.fromkeys((*layer.axes, *(axis for axes in extra.values() for axis in axes))))
        self.names = LatexNames.of(layer, extra)
        self.own = frozenset(self.names.axes)
        self.values = self.own - {constant.name for constant in layer.constants}
        self.counts: dict[str, str] = {}
        self._decorations: dict[str, str] = {}
        self.locals: dict[str, Definition] = {}
        self._entries: dict[str, list[_Entry]] = {}
        self._axes: dict[tuple[str, tuple[str, ...]], str] = {}
        self._raw: list[tuple[tuple[str, ...], str]] = []
        self._fill(lets)

    def _fill(self, lets: Mapping[str, str]) -> None:
        for axis in self.axes:
            self._add_axis(self.names.axis(axis), axis)
        for name in self.arrays:
            text = self.names.overrides.get(name) or self.names.element(name)
            if not text.startswith(r"\frac{\partial"):
                self._add(text, name)
            if len(name) > 1:
                self._enter(Shape(rf"\mathrm{{{name}}}"), name)
        for theirs, ours in lets.items():
            self._add(as_latex(theirs), ours) if ours in self.arrays else self._add_axis(as_latex(theirs), ours)
        self._raw.sort(key=lambda pair: -len(pair[0]))

    def _add(self, latex: str, name: str) -> None:
        tokens = scan(latex, "name")
        shape = whole_shape(tokens, 0, len(tokens.items))
        if shape is None:
            self._raw.append((tuple(token.text for token in tokens.items), name))
            self._enter(Shape(f"={name}"), name)
        else:
            self._enter(shape, name, tokens)

    def _enter(self, shape: Shape, name: str, tokens: Tokens | None = None) -> None:
        above = tokens.canonical(*shape.above) if tokens is not None and shape.above else ""
        entries = self._entries.setdefault(shape.nucleus, [])
        entry = _Entry(name, shape.below_texts, above)
        if entry not in entries:
            entries.append(entry)

    def _add_axis(self, latex: str, axis: str) -> None:
        tokens = scan(latex, "name")
        shape = whole_shape(tokens, 0, len(tokens.items))
        if shape is not None:
            self._axes[shape.nucleus, shape.below_texts] = axis

    def define(self, tokens: Tokens, shape: Shape, local: Definition) -> None:
        """Adds a name of the paper's own; its indices are the last parts of the symbol's subscript."""
        self.arrays[local.name] = local.axes
        self.locals[local.name] = local
        below = shape.below[: len(shape.below) - len(local.indices)]
        self._enter(Shape(shape.nucleus, below, shape.above), local.name, tokens)

    def axis(self, shape: Shape) -> str | None:
        """The axis whose extent the symbol is."""
        return self._axes.get((shape.nucleus, shape.below_texts))

    def knows(self, nucleus: str) -> bool:
        """Whether a name has this letter."""
        return nucleus in self._entries

    def is_scalar(self, shape: Shape) -> bool:
        """Whether the symbol, as it stands, is a value or an extent."""
        if self.axis(shape) is not None:
            return True
        return any(not self.arrays[entry.name] and entry.below == shape.below_texts for entry in self._entries.get(shape.nucleus, ()))

    def symbol_at(self, tokens: Tokens, position: int, end: int) -> tuple[Shape, int] | None:
        """The symbol that starts here; an author's own notation, such as lVert u rVert, is one."""
        for texts, name in self._raw:
            stop = position + len(texts)
            if stop <= end and all(tokens.text(position + place) == text for place, text in enumerate(texts)):
                return scripts(tokens, Shape(f"={name}"), stop, end)
        return shape_at(tokens, position, end)

    def find(self, tokens: Tokens, shape: Shape, position: int, stop: int) -> Found:
        """The name a symbol stands for; an error that says what is known, where none does."""
        found = self.lookup(tokens, shape)
        if len(found) == 1:
            self._keep_apart(tokens, found[0], shape, position, stop)
            return found[0]
        if found:
            names = quoted([each.name for each in found])
            hint = rf"write \mathrm{{{found[0].name}}}"
            raise tokens.error(f"'{tokens.raw(position, stop)}' could be {names}", position, stop, hint=hint)
        raise self._unknown(tokens, shape, position, stop)

    def _keep_apart(self, tokens: Tokens, found: Found, shape: Shape, position: int, stop: int) -> None:
        r"""Refuses two decorations of one name: \mu_A and \mu_B are not both `mu`."""
        own = "".join(text for text in shape.below_texts if _is_decoration(text) and text not in [text for text, _ in found.letters])
        known = self._decorations.setdefault(found.name, own) if own else own
        if own != known:
            spelled = self.spelled(found.name)
            message = f"'{tokens.raw(position, stop)}' and the one with '{known}' would both be '{spelled}'"
            raise tokens.error(message, position, stop, hint=f"write '{spelled}' for the layer's")

    def lookup(self, tokens: Tokens, shape: Shape) -> list[Found]:
        """The best fits: a superscript that belongs to the name before one that is a power, a longer subscript before a shorter."""
        above = tokens.canonical(*shape.above) if shape.above else ""
        ranked = [(rank, found) for found, rank in self._fits(shape, above)]
        best = min((rank for rank, _ in ranked), default=None)
        return list({found.name: found for rank, found in ranked if rank == best}.values())

    def _fits(self, shape: Shape, above: str) -> Iterator[tuple[Found, tuple[int, int, int]]]:
        for entry in self._entries.get(shape.nucleus, ()):
            for decorated, below in enumerate((shape.below, tuple(part for part in shape.below if not _is_decoration(part[0])))):
                rest = below[len(entry.below) :]
                if tuple(text for text, _ in below[: len(entry.below)]) != entry.below or len(rest) != len(self.arrays[entry.name]):
                    continue
                for rank, power in _powers(entry.above, above, shape.above):
                    yield Found(entry.name, rest, power), (rank, decorated, -len(entry.below))

    def _unknown(self, tokens: Tokens, shape: Shape, position: int, stop: int) -> SymbnError:
        written = tokens.raw(position, stop)
        entries = self._entries.get(shape.nucleus, ())
        for entry in entries:
            if entry.above in ("", tokens.canonical(*shape.above) if shape.above else ""):
                return self._wrong_indices(tokens, entry.name, position, stop)
        known = [self.spelled(name) for name in self.arrays if not self.names.is_result(name)]
        hint = self._close(shape, known) or f"known names: {quoted([*known, *self.axes])}"
        if shape.nucleus == "e" and not entries:
            hint = "a power of ten is written 10^{-5}, an exponential e^{...}"
        return tokens.error(f"unknown name '{written}'", position, stop, hint=hint)

    def _wrong_indices(self, tokens: Tokens, name: str, position: int, stop: int) -> SymbnError:
        axes = self.arrays[name]
        written = list("ijklmnpq"[: len(axes)])
        right = f"write {name if name in self.locals else self.names.element(name, written)}"
        if not axes:
            return tokens.error(f"'{self.spelled(name)}' is a scalar and has no index", position, stop, hint=right)
        have = f"an index over {axes[0]}" if len(axes) == 1 else f"{len(axes)} indices, over {' '.join(axes)}"
        return tokens.error(f"'{self.spelled(name)}' has {have}, but not here", position, stop, hint=right)

    def _close(self, shape: Shape, known: list[str]) -> str | None:
        """A known name of the same letter under other accents or scripts, or of nearly the same spelling."""
        for name in known:
            letters = {name.split("_")[0].split("^")[0], name.split("{")[-1].rstrip("}")}
            if shape.nucleus in letters or shape.nucleus.split("{")[-1].rstrip("}") in letters:
                return f"did you mean '{name}'?"
        return suggestion(shape.nucleus, known)

    def spelled(self, name: str) -> str:
        """How the name is typeset, without indices."""
        return name if name in self.locals else self.names.overrides.get(name) or self.names.element(name)


def as_latex(theirs: str) -> str:
    """Another's name as a symbol: a word stands upright."""
    return rf"\mathrm{{{theirs}}}" if len(theirs) > 1 and theirs.isidentifier() and "_" not in theirs else theirs


def _is_decoration(part: str) -> bool:
    r"""`B`, `\mathcal{B}`, `\mathrm{batch}`: below a name, not an index. Other words, such as `\mathrm{running}`, name another value."""
    return (len(part) == 1 and part.isupper()) or part.startswith((r"\mathcal", r"\mathscr", r"\mathbb")) or part == r"\mathrm{batch}"


def _powers(own: str, above: str, span: tuple[int, int] | None) -> Iterator[tuple[int, tuple[int, int] | Fraction | None]]:
    r"""How a superscript is read beside a name's own one: the same, a plain power, or a multiple, as \sigma^4 is (\sigma^2)^2."""
    if above == own:
        yield 0, None
    elif not own:
        yield 1, span
    elif own.isdigit() and above.isdigit() and int(own) > 0 and int(above) % int(own) == 0 and int(above) > 0:
        yield 2, Fraction(int(above) // int(own))
