"""Single lines: equations to decide, and printed results fed back.

In: a line of text, the layer it speaks of, and the axes of further names such as `dy`.  Out: an Equation, a Definition or a Compare.
"""

from __future__ import annotations

import ast
import tokenize
from collections.abc import Mapping
from dataclasses import dataclass
from tokenize import TokenInfo

from symbn.errors import EquationError, Place
from symbn.expr import COMPARISONS, Compare, Expr, Index, free_indices
from symbn.language.expressions import Reader, check_depth
from symbn.language.indices import Letters
from symbn.language.module import parse_syntax
from symbn.language.names import check_name
from symbn.language.scope import Scope
from symbn.language.source import Source
from symbn.language.statements import left_side, read_definition
from symbn.language.tokens import normalized, scan
from symbn.layer import Definition, Layer

_NO_NAMES: Mapping[str, tuple[str, ...]] = {}


@dataclass(frozen=True, slots=True)
class Equation:
    """`left = right` for all values of the free indices; `text` is what the user wrote.

    `where` are further values that the equation speaks of, each in terms of the layer's names: they count as its last definitions.
    """

    left: Expr
    right: Expr
    text: str
    where: tuple[Definition, ...] = ()

    @property
    def indices(self) -> tuple[Index, ...]:
        """The free indices, the left side's first."""
        return tuple(dict.fromkeys((*free_indices(self.left), *free_indices(self.right))))


def parse_equation(text: str, layer: Layer, extra: Mapping[str, tuple[str, ...]] = _NO_NAMES, *, file: str = "equation") -> Equation:
    """`lhs = rhs` or `lhs == rhs` over the layer's names and the `extra` ones with their axes. EquationError when it is not one."""
    source, tokens = _source(text, file)
    _, left, right = _split(source, tokens, ("=", "=="))
    compare = _read(source, layer, extra, "==", left, right)
    return Equation(compare.left, compare.right, source.text)


def parse_assumption(text: str, layer: Layer, extra: Mapping[str, tuple[str, ...]] = _NO_NAMES, *, file: str = "assumption") -> Compare:
    """A comparison such as `eps > 0`, or an equation."""
    source, tokens = _source(text, file)
    operator, left, right = _split(source, tokens, ("=", *COMPARISONS))
    return _read(source, layer, extra, "==" if operator == "=" else operator, left, right)


def parse_definition(text: str, layer: Layer, extra: Mapping[str, tuple[str, ...]] = _NO_NAMES, *, file: str = "definition") -> Definition:
    """`name[i] = expr`; the axes of the left side come from `extra` when the name is there, else from use."""
    source, tokens = _source(text, file)
    tree = parse_syntax(source, source.text, "exec", tokens)
    statement = tree.body[0] if isinstance(tree, ast.Module) and len(tree.body) == 1 else None
    if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
        raise source.error("this is not a definition", statement or source.at(1, 0), hint="write name = ... or name[i] = ...")
    check_depth(source, statement)
    scope = _scope(source, layer, extra)
    name, indices = left_side(scope, statement.targets[0])
    check_name(source, name, "name", statement.targets[0])
    given = scope.arrays.get(name)
    if given is not None and len(given) != len(indices):
        raise source.error(f"'{name}' has {len(given)} axes, but {len(indices)} indices here", statement.targets[0])
    return read_definition(scope, name, indices, statement.value, line=0, seen={}, given=given)


def _source(text: str, file: str) -> tuple[Source, list[TokenInfo]]:
    one_line = " ".join(line.partition("#")[0].strip() for line in normalized(text).split("\n"))
    source = Source(file, one_line.strip(), EquationError)
    return source, scan(source)


def _scope(source: Source, layer: Layer, extra: Mapping[str, tuple[str, ...]]) -> Scope:
    arrays = {name: layer.axes_of(name) for name in layer.names} | dict(extra)
    axes = (*layer.axes, *(axis for part in extra.values() for axis in part))
    return Scope(source, arrays, tuple(dict.fromkeys(axes)))


def _split(source: Source, tokens: list[TokenInfo], operators: tuple[str, ...]) -> tuple[str, ast.expr, ast.expr]:
    """The sign between the sides, and both sides' syntax."""
    signs = _top_level_signs(tokens)
    good = [token for token in signs if token.string in operators]
    if len(signs) != 1 or not good:
        raise _not_one_sign(source, signs)
    start, stop = good[0].start[1], good[0].end[1]
    before, after = source.text[:start], source.text[stop:]
    if not before.strip() or not after.strip():
        raise source.error("an equation needs two sides", _place(source, good[0]), hint="write dx[i] = ...")
    right = f"({' ' * (stop - 1)}{after})"  # the spaces keep its columns
    return good[0].string, _side(source, before, tokens), _side(source, right, tokens)


def _top_level_signs(tokens: list[TokenInfo]) -> list[TokenInfo]:
    signs, depth = [], 0
    for token in tokens:
        if token.type == tokenize.OP:
            depth += (token.string in "([{") - (token.string in ")]}")
            if depth == 0 and (token.string == "=" or token.string in COMPARISONS):
                signs.append(token)
    return signs


def _not_one_sign(source: Source, signs: list[TokenInfo]) -> Exception:
    hint = "write dx[i] = ..., or mean(xhat[j] for j in N) == 0"
    if not signs:
        return source.error("there is no '=' here", source.at(1, 0, width=len(source.line(1))), hint=hint)
    if len(signs) > 1:
        return source.error("there is more than one '=' or comparison here", _place(source, signs[1]), hint="write one equation at a time")
    return source.error(f"'{signs[0].string}' is not an equation", _place(source, signs[0]), hint=hint)


def _place(source: Source, token: TokenInfo) -> Place:
    return source.at(token.start[0], token.start[1], width=len(token.string))


def _side(source: Source, text: str, tokens: list[TokenInfo]) -> ast.expr:
    tree = parse_syntax(source, text, "eval", tokens)
    assert isinstance(tree, ast.Expression)
    check_depth(source, tree)
    return tree.body


def _read(
    source: Source, layer: Layer, extra: Mapping[str, tuple[str, ...]], operator: str, left: ast.expr, right: ast.expr
) -> Compare:
    scope = _scope(source, layer, extra)
    letters = Letters(scope)
    reader = Reader(scope, letters)
    read = letters.finish(Compare(operator, reader.read(left), reader.read(right)))
    assert isinstance(read, Compare)
    return read
