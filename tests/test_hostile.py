"""Hostile and broken texts: each ends in a layer or in one of our errors, soon."""

from __future__ import annotations

import contextlib
import random
import time
import tokenize
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symbn import catalogue
from symbn.errors import LayerError, SymbnError
from symbn.language import layer_text, load_layer, parse_definition, parse_equation, parse_layer, parse_layers
from symbn.layer import Layer

# Seconds of processor time. What these take is far below; beside the objects of thousands of tests Python collects garbage slowly.
LIMIT = 10.0
SOURCES = [catalogue.source(name) for name in catalogue.names()]
BATCHNORM = load_layer("batchnorm")


def outcome(text: str) -> Layer | SymbnError:
    """The layer or the error, within the limit; anything else fails the test."""
    start = time.process_time()
    found: Layer | SymbnError
    try:
        found = parse_layer(text, file="f.py")
    except SymbnError as error:
        found = error
    assert time.process_time() - start < LIMIT
    if isinstance(found, SymbnError):
        assert str(found)
        assert found.place is None or (found.place.line >= 1 and found.place.column >= 1)
    return found


def one(expression: str) -> str:
    return f'def f(x: "N", g, *, eps=1e-5):\n    y[i] = {expression}\n    return y\n'


BOMBS = {
    "parentheses": (one("(" * 10_000 + "x[i]" + ")" * 10_000), "brackets nested too deeply: at most 60"),
    "open parentheses": (one("(" * 100_000), "brackets nested too deeply: at most 60"),
    "calls": (one("exp(" * 55 + "x[i]" + ")" * 55), "this expression is nested too deeply: at most 50 levels"),
    "minus signs": (one("-" * 100_000 + "x[i]"), "this statement is too long: at most 3000 words and signs"),
    "some minus signs": (one("-" * 200 + "x[i]"), "this expression is nested too deeply: at most 50 levels"),
    "dots": (one("x" + ".x" * 50_000), "this statement is too long: at most 3000 words and signs"),
    "sum": (one("x[i]" + "+x[i]" * 50_000), "this statement is too long: at most 3000 words and signs"),
    "powers": (one("g" + "**2" * 600), "this expression is nested too deeply: at most 50 levels"),
    "tower": (one("9**9**9**9*x[i]"), "the exponent 387420489 is too large: at most 64"),
    "power": (one("x[i]**65"), "the exponent 65 is too large: at most 64"),
    "big power": (one("(10**60)**60*x[i]"), "this number has more than 1000 digits"),
    "digits": (one("1" * 5_000 + "*x[i]"), "a number of 5000 digits: at most 1000"),
    "power of ten": (one("1e999999999*x[i]"), "the number 1e999999999 is out of range"),
    "null byte": (one("x[i]\0"), "a null byte: this is not source text"),
    "surrogate": (one("x[i]\ud800"), "a character that no text has, U+D800: this is not source text"),
    "size": ('"""' + "a" * 300_000 + '"""', "too large: at most 256 KiB"),
    "blank lines": ("\n" * 200_000, "this text is too long: at most 60000 words and signs"),
    "definitions": ("def f(g):\n" + "".join(f"    a{n} = g\n" for n in range(600)) + "    return a1", "more than 500 definitions"),
    "name": (one("x[i]*" + "a" * 100_000), "name 'aaaaaaaaaaaaaaaaaaaa...' is longer than 60 characters"),
    "axes": ('def f(x: "' + "N " * 10_000 + '"):\n    y = 1\n    return y', "'x' has 10000 axes: at most 8"),
    "axis": ('def f(x: "' + "n" * 100_000 + '"):\n    y = 1\n    return y', "is not the name of an axis"),
    "strings": (one("'" * 10_001), ""),
    "indentation": ("".join(" " * n + "if g:\n" for n in range(150)), ""),
    "colons": (":" * 100_000, "this statement is too long"),
    "form feeds and returns": ("\r\f\r\n" * 1000, "no layer in this text"),
    "exec": (one("__import__('os').system('touch /tmp/symbn_was_here')"), "names with a dot are not part of the layer language"),
    "dunder": (one("x.__class__.__mro__[1]"), ""),
    "latex": (one("x[i]  # latex: \\write18{rm}"), "cannot stand in a latex comment"),
}


@pytest.mark.parametrize(("text", "said"), BOMBS.values(), ids=BOMBS)
def test_a_bomb_ends_in_an_error_at_once(text: str, said: str) -> None:
    error = outcome(text)
    assert isinstance(error, LayerError)
    assert said in str(error)
    assert len(str(error)) < 2_000


@pytest.mark.parametrize("operator", ["+", "-", "*", "/"])
def test_a_long_chain_is_read_without_recursion(operator: str) -> None:
    layer = outcome(one("x[i]" + f"{operator}g" * 1_400))
    assert isinstance(layer, Layer)
    assert len(layer.definition("y").expr.children) == 1_401
    assert parse_layer(layer_text(layer)).definition("y").expr == layer.definition("y").expr


@settings(max_examples=200)
@given(st.text(max_size=200))
def test_any_text_is_a_layer_or_an_error(text: str) -> None:
    outcome(text)


WORDS = [
    *"()[]{}:,=+-*/%@.<>!&|^~;'\"\\#\n \t", *"xgiNjy0", "    ", "def f", '(x: "N", g):\n', "y[i] = ", "return y", "for j in N", "sum(",
    "mean(", "where(",
    "delta(i, j)", "lambda", "if", "else", "assert ", "import os", "# latex: \\x", "1e9", "0x1", "**", "==", "async ", "await ", "yield",
    ":=", "...", "f'{x}'",
    "\u03c3", "\u00b2", "\x00", "\x0c", "\r", "\ufeff", "\u2028", '"""', "@", "class A", "x[i]", "x[i+1]", "*a", "**k", "->",
    "None", "True", "9**9"
]  # fmt: skip


@settings(max_examples=400)
@given(st.lists(st.sampled_from(WORDS), max_size=40))
def test_a_soup_of_words_is_a_layer_or_an_error(words: list[str]) -> None:
    outcome("".join(words))
    outcome(one("".join(word for word in words if word != "\n")))


@settings(max_examples=150)
@given(st.lists(st.sampled_from(WORDS), max_size=25))
def test_a_soup_of_words_is_an_equation_or_an_error(words: list[str]) -> None:
    text = "".join(words)
    for read in (parse_equation, parse_definition):
        with contextlib.suppress(SymbnError):
            read(text, BATCHNORM, {"dx": ("N",)})


@settings(max_examples=200)
@given(st.sampled_from(SOURCES), st.integers(0, 10_000), st.sampled_from(["drop", "double", "swap", "replace"]), st.sampled_from(WORDS))
def test_a_mutated_layer_is_a_layer_or_an_error(source: str, seed: int, change: str, word: str) -> None:
    tokens = [token.string for token in tokenize.generate_tokens(StringIO(source).readline) if token.string]
    at = random.Random(seed).randrange(len(tokens) - 1)
    target = tokens[at]
    places = [n for n in range(len(source)) if source.startswith(target, n)]
    place = places[seed % len(places)]
    new = {"drop": "", "double": target * 2, "swap": tokens[at + 1], "replace": word}[change]
    found = outcome(source[:place] + new + source[place + len(target) :])
    if isinstance(found, Layer):
        again = parse_layer(layer_text(found))
        assert [(d.name, d.indices, d.expr) for d in again.definitions] == [(d.name, d.indices, d.expr) for d in found.definitions]


@settings(max_examples=100)
@given(st.binary(max_size=100))
def test_any_bytes_in_a_file_are_a_layer_or_an_error(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.py"
    path.write_bytes(content)
    with pytest.raises(SymbnError):
        load_layer(str(path))


def test_nothing_of_a_text_is_ever_run(tmp_path: Path) -> None:
    trap = tmp_path / "sprung"
    text = f'def f(x, y=open({str(trap)!r}, "w")):\n    z = open({str(trap)!r}, "w")\n    return z\n'
    for source in (text, text.replace("y=open", "*, y=open"), f"@open({str(trap)!r}, 'w')\n" + one("x[i]"), f"open({str(trap)!r}, 'w')"):
        with pytest.raises(SymbnError):
            parse_layers(source)
    assert not trap.exists()
