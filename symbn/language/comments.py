r"""`# latex: ...` comments.

In: the comments of a function and the lines its names are defined on.  Out: how each such name is typeset.

The text goes into files that others typeset, so only mathematical commands pass: `\sigma^2` does, `\input{...}` does not.
"""

from __future__ import annotations

import re
from tokenize import TokenInfo

from symbn.errors import Place, SymbnError
from symbn.language.limits import MAX_LATEX
from symbn.language.source import Source, quoted

_COMMENT = re.compile(r"#\s*latex:\s*(.*?)\s*")
_PLAIN = re.compile(r"[A-Za-z0-9 ^_{}()\[\]|,.;:'!*+/=-]|\\[A-Za-z]+|\\[,;:! ]")
COMMANDS = frozenset(
    r"""alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi pi varpi rho varrho sigma varsigma tau
    upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega hat widehat tilde widetilde bar overline
    dot ddot vec check breve acute grave underline mathrm mathbf mathit mathsf mathtt mathcal mathbb mathfrak boldsymbol operatorname text
    prime star ast circ dagger ell partial nabla infty top bot perp parallel cdot times max min log exp quad left right langle rangle
    lvert rvert lVert rVert frac sqrt""".split()  # noqa: SIM905
)


def read_latex(source: Source, comments: dict[int, TokenInfo], names: dict[str, tuple[int, int]], span: tuple[int, int]) -> dict[str, str]:
    """Each name's LaTeX; `names` maps a name to the first and last line of its definition, `span` is the function's."""
    found: dict[str, str] = {}
    for line, token in comments.items():
        match = _COMMENT.fullmatch(token.string)
        if match is None or not span[0] <= line <= span[1]:
            continue
        place = source.at(line, token.start[1], width=len(token.string))
        owners = [name for name, (first, last) in names.items() if first <= line <= last]
        if len(owners) != 1:
            raise _not_one(source, owners, place)
        found[owners[0]] = _checked(source, match[1], place)
    return {name: found[name] for name in names if name in found}


def _not_one(source: Source, owners: list[str], place: Place) -> SymbnError:
    if owners:
        return source.error(f"this comment could mean {quoted(owners)}", place, hint="put each of them on a line of its own")
    return source.error("this comment is beside no definition", place, hint="write it at the end of a definition's line")


def _checked(source: Source, text: str, place: Place) -> str:
    if not text or len(text) > MAX_LATEX:
        raise source.error(f"a latex comment has 1 to {MAX_LATEX} characters", place, hint=r"such as  # latex: \sigma^2")
    position = depth = 0
    while position < len(text):
        piece = _PLAIN.match(text, position)
        if piece is None:
            raise source.error(f"'{text[position]}' cannot stand in a latex comment", place, hint="write plain mathematics")
        if piece[0][1:].isalpha() and piece[0][0] == "\\" and piece[0][1:] not in COMMANDS:
            raise source.error(f"'{piece[0]}' cannot stand in a latex comment", place, hint="write plain mathematics")
        depth += (piece[0] == "{") - (piece[0] == "}")
        if depth < 0:
            break
        position = piece.end()
    if depth:
        raise source.error("the braces of this latex comment do not match", place)
    return text
