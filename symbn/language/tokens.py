"""The first look at a text, before any parser recurses into it.

In: a Source.  Out: its tokens, after the limits on size, nesting, numbers and characters have been kept.
"""

from __future__ import annotations

import io
import re
import tokenize
from tokenize import TokenInfo

from symbn.errors import Place, SymbnError
from symbn.language.limits import (
    MAX_BRACKETS,
    MAX_BYTES,
    MAX_DECIMAL_EXPONENT,
    MAX_DIGITS,
    MAX_NAME,
    MAX_STATEMENT_TOKENS,
    MAX_TOKENS,
)
from symbn.language.source import Source, close_it

_NUMBER = re.compile(r"(\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE]([+-]?[\d_]+))?")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f\ud800-\udfff]")
_SILENT = frozenset((tokenize.NL, tokenize.COMMENT))
_PARTNERS = {")": "(", "]": "[", "}": "{"}
# Characters that people paste from a formula, and what to type instead.
_TYPE_INSTEAD = {
    "\u2212": "-", "\u2013": "-", "\u00b7": "*", "\u22c5": "*", "\u00d7": "*", "\u00f7": "/", "\u221a": "sqrt(...)", "\u2211": "sum(...)",
    "\u00b2": "**2", "\u00b3": "**3", "\u2265": ">=", "\u2264": "<=", "\u2260": "!=", "\u201c": '"', "\u201d": '"', "\u2018": "'",
    "\u2019": "'", "\u00a0": "a plain space", "$": "the formula without dollar signs", "\\": "sqrt, exp, ... without a backslash",
}  # fmt: skip


def normalized(text: str) -> str:
    """The text with one kind of line end and no byte order mark, so that lines count as Python counts them."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").replace("\f", " ")


def scan(source: Source) -> list[TokenInfo]:
    """The tokens; an error where a limit is passed or a character cannot be part of a layer."""
    _check_text(source)
    tokens: list[TokenInfo] = []
    opened: list[TokenInfo] = []
    statement = 0
    try:
        for token in tokenize.generate_tokens(io.StringIO(source.text).readline):
            tokens.append(token)
            statement = 0 if token.type == tokenize.NEWLINE else statement + (token.type not in _SILENT)
            _follow_brackets(source, token, opened)
            _check_counts(source, token, total=len(tokens), statement=statement, depth=len(opened))
            _check_token(source, token)
    except (tokenize.TokenError, SyntaxError) as error:
        raise _unclosed(source, opened[-1]) if opened else token_error(source, error) from None
    return tokens


def _follow_brackets(source: Source, token: TokenInfo, opened: list[TokenInfo]) -> None:
    if token.type != tokenize.OP:
        return
    if token.string in "([{":
        opened.append(token)
    elif token.string in ")]}":
        if not opened or opened[-1].string != _PARTNERS[token.string]:
            raise source.error(f"this '{token.string}' closes nothing", _place(source, token), hint="remove it, or open it before")
        opened.pop()


def _check_text(source: Source) -> None:
    if len(source.text) > MAX_BYTES:
        raise source.error(f"{source.file}: too large: at most {MAX_BYTES // 1024} KiB", hint="a layer is a few lines")
    bad = _CONTROL.search(source.text)
    if bad is None:
        return
    before = source.text[: bad.start()]
    column = bad.start() - (before.rfind("\n") + 1)
    what = "a null byte" if bad.group() == "\0" else f"a character that no text has, U+{ord(bad.group()):04X}"
    place = source.at(before.count("\n") + 1, column)
    raise source.kind(f"{what}: this is not source text", place=Place(place.file, place.line, place.column))


def _check_counts(source: Source, token: TokenInfo, *, total: int, statement: int, depth: int) -> None:
    place = source.at(token.start[0], token.start[1])
    if depth > MAX_BRACKETS:
        raise source.error(f"brackets nested too deeply: at most {MAX_BRACKETS}", place, hint="give a part of it a name of its own")
    if statement > MAX_STATEMENT_TOKENS:
        hint = "split it: give parts of it names of their own"
        raise source.error(f"this statement is too long: at most {MAX_STATEMENT_TOKENS} words and signs", place, hint=hint)
    if total > MAX_TOKENS:
        raise source.error(f"this text is too long: at most {MAX_TOKENS} words and signs", place, hint="put layers in files of their own")


def _check_token(source: Source, token: TokenInfo) -> None:
    if token.type == tokenize.NUMBER:
        _check_number(source, token)
    elif token.type == tokenize.NAME and len(token.string) > MAX_NAME:
        raise source.error(f"name '{token.string[:20]}...' is longer than {MAX_NAME} characters", source.at(*token.start, width=MAX_NAME))
    elif token.type == tokenize.NAME and not token.string.isascii():
        hint = "spell it out: sigma is typeset as a sigma, xhat with a hat"
        raise source.error(f"name '{token.string[:40]}' is not plain ASCII", _place(source, token), hint=hint)
    elif token.type == tokenize.ERRORTOKEN and not token.string.isspace():
        raise _odd_character(source, token.start[0], token.start[1])


def _check_number(source: Source, token: TokenInfo) -> None:
    found = _NUMBER.fullmatch(token.string)
    digits = sum(character.isdigit() for character in token.string)
    if digits > MAX_DIGITS:
        raise source.error(f"a number of {digits} digits: at most {MAX_DIGITS}", _place(source, token))
    if found is None:
        hint = "write it in decimal, such as 16, 0.5 or 1e-5"
        raise source.error(f"'{token.string}' is not a decimal number", _place(source, token), hint=hint)
    if found[2] and abs(int(found[2].replace("_", ""))) > MAX_DECIMAL_EXPONENT:
        hint = f"its power of ten is at most {MAX_DECIMAL_EXPONENT} in size"
        raise source.error(f"the number {token.string[:40]} is out of range", _place(source, token), hint=hint)


def token_error(source: Source, error: tokenize.TokenError | SyntaxError) -> SymbnError:
    """The same complaint with a place in `source`."""
    if isinstance(error, SyntaxError):
        line, column, message = error.lineno or 1, (error.offset or 1) - 1, error.msg
    else:
        message, (line, column) = str(error.args[0]), error.args[1]
    if "EOF in multi-line" in message:
        return source.error("this string is not closed", source.at(line, column), hint="close it")
    if line > len(source.lines):
        line, column = len(source.lines), len(source.lines[-1])
    text = source.line(line)
    if 0 <= column < len(text) and (text[column] in _TYPE_INSTEAD or not text[column].isascii()):
        return _odd_character(source, line, column)
    return source.error(f"syntax error: {message}", source.at(line, max(0, min(column, len(text)))))


def _unclosed(source: Source, token: TokenInfo) -> SymbnError:
    after = "\n".join((source.line(token.end[0])[token.end[1] :], *source.lines[token.end[0] :]))
    return source.error(f"this '{token.string}' is never closed", _place(source, token), hint=close_it(after))


def _odd_character(source: Source, line: int, column: int) -> SymbnError:
    character = source.line(line)[column : column + 1]
    instead = _TYPE_INSTEAD.get(character)
    if character in "\"'":
        return source.error("this string is not closed", source.at(line, column), hint="close it")
    code = "" if character.isascii() else f" (U+{ord(character):04X})"
    hint = f"write {instead}" if instead else None
    return source.error(f"unexpected character '{character}'{code}", source.at(line, column), hint=hint)


def _place(source: Source, token: TokenInfo) -> Place:
    return source.at(token.start[0], token.start[1], width=len(token.string))
