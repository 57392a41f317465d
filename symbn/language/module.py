"""From text to Python's syntax tree, and no further: nothing is compiled or run.

In: a Source.  Out: its functions, docstring and comments, or an error for what Python itself would not read.
"""

from __future__ import annotations

import ast
import keyword
import tokenize
import warnings
from dataclasses import dataclass
from tokenize import TokenInfo

from symbn.errors import Place, SymbnError
from symbn.language.expressions import check_depth
from symbn.language.source import Source, quoted, suggestion
from symbn.language.tokens import scan, token_error

_OUR_WORDS = frozenset(("def", "return", "assert", "for", "in", "True", "False", "None"))
_SHAPE = 'a layer is a function: def layer(x: "N"): ... return y'


@dataclass(frozen=True)
class Module:
    """`comments` maps a line to the comment token on it."""

    source: Source
    doc: str
    functions: tuple[ast.FunctionDef, ...]
    comments: dict[int, TokenInfo]


def parse_syntax(source: Source, text: str, mode: str, tokens: list[TokenInfo]) -> ast.AST:
    """`ast.parse`, with its ways to fail turned into errors with a place."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a docstring's "\sigma" is fine here
            return ast.parse(text, mode=mode)
    except SyntaxError as error:
        raise _syntax_error(source, error, tokens) from None
    except (RecursionError, MemoryError, ValueError, OverflowError):
        raise source.error("this text is nested too deeply or not source text", None, hint="give parts of it names of their own") from None


def _syntax_error(source: Source, error: SyntaxError, tokens: list[TokenInfo]) -> SymbnError:
    for token in tokens:
        word = token.string
        if token.start[0] == error.lineno and token.type == tokenize.NAME and keyword.iskeyword(word) and word not in _OUR_WORDS:
            place = source.at(token.start[0], token.start[1], width=len(word))
            hint = f"if it is a name, choose another, such as '{'lam' if word == 'lambda' else word + '_value'}'"
            return source.error(f"'{word}' is a word of Python and not part of the layer language", place, hint=hint)
    return token_error(source, error)


def read_module(source: Source) -> Module:
    """The functions of a file; anything else at its top level is an error."""
    tokens = scan(source)
    tree = parse_syntax(source, source.text, "exec", tokens)
    assert isinstance(tree, ast.Module)
    body = list(tree.body)
    if body and _is_text(body[0]):
        body = body[1:]
    functions = tuple(_function(source, node) for node in body)
    seen: set[str] = set()
    for function in functions:
        if function.name in seen:
            raise source.error(f"there are two layers named '{function.name}'", name_place(source, function), hint="rename one of them")
        seen.add(function.name)
    if not functions:
        raise source.error(f"{source.file}: no layer in this text", None, hint=_SHAPE)
    comments = {token.start[0]: token for token in tokens if token.type == tokenize.COMMENT}
    return Module(source, ast.get_docstring(tree) or "", functions, comments)


def _function(source: Source, node: ast.stmt) -> ast.FunctionDef:
    if isinstance(node, ast.FunctionDef):
        return node
    if isinstance(node, ast.AsyncFunctionDef):
        raise source.error("'async' is not part of the layer language", node, hint="write 'def'")
    if isinstance(node, ast.Import | ast.ImportFrom):
        raise source.error("'import' is not part of the layer language", node, hint="sqrt, exp and the other functions are built in")
    raise source.error("only layers stand at the top level of a file", node, hint=_SHAPE)


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def docstring(function: ast.FunctionDef) -> tuple[str, list[ast.stmt]]:
    """A function's docstring and the statements after it."""
    text = ast.get_docstring(function) or ""
    return text, function.body[1:] if _is_text(function.body[0]) else function.body


def choose(module: Module, name: str | None) -> ast.FunctionDef:
    """The function called `name`, or the only one there is."""
    names = [function.name for function in module.functions]
    if name is None:
        if len(names) == 1:
            return module.functions[0]
        file = module.source.file
        raise module.source.error(f"{file}: there are {len(names)} layers here: {quoted(names)}", None, hint=f"name one: {file}:{names[0]}")
    for function in module.functions:
        if function.name == name:
            return function
    hint = suggestion(name, names) or f"it has {quoted(names)}"
    raise module.source.error(f"{module.source.file}: no layer named '{name}'", None, hint=hint)


def name_place(source: Source, function: ast.FunctionDef) -> Place:
    """Where a function's name stands."""
    line = source.line(function.lineno)
    column = max(line.find(function.name, source.place(function).column + 2), 0)
    return source.at(function.lineno, column, width=len(function.name))


def check_function_depth(source: Source, function: ast.FunctionDef) -> None:
    """The depth limit, for each statement."""
    for statement in function.body:
        check_depth(source, statement)
