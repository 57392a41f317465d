"""NumPy and PyTorch code as equations about a layer.

In: a text (an equation, an expression, assignments, or a function), and the layer it speaks of.  Out: an Equation for each claim.

The text is parsed with `ast` and never run. Every local is written out, so that an equation speaks of the layer's names alone.
"""

from __future__ import annotations

import ast
import textwrap
import tokenize
from collections.abc import Mapping
from tokenize import TokenInfo

from symbn.errors import EquationError, SymbnError
from symbn.language.equations import Equation
from symbn.language.expressions import check_depth
from symbn.language.module import parse_syntax
from symbn.language.numpy_arrays import Misfit, Value
from symbn.language.numpy_claims import Claims
from symbn.language.numpy_docstring import docstring_statements
from symbn.language.numpy_expressions import NumpyReader
from symbn.language.numpy_letters import Lettering
from symbn.language.numpy_names import MODULES, Names, imported
from symbn.language.numpy_results import Results
from symbn.language.numpy_statements import Statements
from symbn.language.source import Source, quoted
from symbn.language.tokens import normalized, scan
from symbn.layer import Layer

# Methods of PyTorch's tensors that NumPy's arrays lack.
_TORCH_METHODS = frozenset(
    """rsqrt unsqueeze pow permute expand expand_as exp log sqrt square abs neg mul sub div add numel dim size float double detach sigmoid
    tanh softmax log_softmax norm mm bmm matmul t amax amin logsumexp clamp relu sign reciprocal""".split()  # noqa: SIM905
)
_NO_LETS: Mapping[str, str] = {}


def parse_numpy(
    text: str, layer: Layer, extra: Mapping[str, tuple[str, ...]], *, lets: Mapping[str, str] = _NO_LETS, file: str = "equation"
) -> tuple[Equation, ...]:
    """The equations that the text claims. `extra` are the names of derivatives with their axes, `lets` what the user's names stand for.

    EquationError, with a place, for what cannot be read.
    """
    source = Source(file, textwrap.dedent(normalized(text)).rstrip(), EquationError)
    body = _statements(source, frozenset((*layer.names, *extra, *lets)))
    try:
        for statement in body:
            check_depth(source, statement)
        return _claimed(source, body, layer, extra, lets)
    except Misfit as misfit:
        raise source.error(misfit.message, None, hint=misfit.hint) from None
    except RecursionError:
        raise source.error("this text is nested too deeply", None, hint="check it in parts") from None


def _claimed(
    source: Source, body: list[ast.stmt], layer: Layer, extra: Mapping[str, tuple[str, ...]], lets: Mapping[str, str]
) -> tuple[Equation, ...]:
    nodes = [node for statement in body for node in ast.walk(statement)]
    modules = dict(MODULES) | imported(nodes)
    names = Names(source, {name: layer.axes_of(name) for name in layer.names} | dict(extra), _axes(layer, extra), modules=modules)
    for theirs, ours in lets.items():
        names.lets[theirs] = _meaning(names, ours)
    reader = NumpyReader(names, torch=_is_torch(nodes, modules))
    claims = Claims(reader, layer, extra, lets, Lettering(layer, extra))
    jax = any(isinstance(node, ast.Name) and modules.get(node.id) == "jax" for node in nodes)
    statements = Statements(claims, mutable=not jax)
    statements.run(body)
    return Results(statements).equations()


def _is_torch(nodes: list[ast.AST], modules: Mapping[str, str]) -> bool:
    """Whether the code is PyTorch's: it names the library, or says what NumPy's arrays do not know."""
    for node in nodes:
        match node:
            case ast.keyword(arg="dim" | "keepdim" | "unbiased" | "correction"):
                return True
            case ast.Attribute(ast.Name(name)) if modules.get(name) == "torch":
                return True
            case ast.Import() | ast.ImportFrom() if "torch" in imported([node]).values():
                return True
            case ast.Call(ast.Attribute(value, method)) if method in _TORCH_METHODS:
                root = value
                while isinstance(root, ast.Attribute):
                    root = root.value
                if not isinstance(root, ast.Name) or root.id not in modules:
                    return True
    return False


def _axes(layer: Layer, extra: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*layer.axes, *(axis for part in extra.values() for axis in part))))


def _meaning(names: Names, ours: str) -> Value:
    """The value that a user's name stands for."""
    source = Source("--let", ours.strip(), EquationError)
    tree = parse_syntax(source, source.text, "eval", scan(source))
    assert isinstance(tree, ast.Expression)
    check_depth(source, tree)
    inner = Names(source, names.arrays, names.axes, names.supply)
    return NumpyReader(inner).value(tree.body)


def _statements(source: Source, known: frozenset[str]) -> list[ast.stmt]:
    tokens = scan(source)
    try:
        tree = parse_syntax(source, source.text, "exec", tokens)
    except SymbnError:
        sides = _sides(source, tokens)
        if sides is None:
            raise
        return [sides]
    assert isinstance(tree, ast.Module)
    if not tree.body:
        raise source.error("there is nothing to check here", None, hint="write dx = ..., or a == b")
    return _function_body(source, tree, known)


def _sides(source: Source, tokens: list[TokenInfo]) -> ast.stmt | None:
    """`dy.sum() = 0`, which is no Python, as `dy.sum() == 0`; None where the text is not two sides."""
    signs, depth = [], 0
    for token in tokens:
        depth += (token.string in ("(", "[", "{")) - (token.string in (")", "]", "}")) if token.type == tokenize.OP else 0
        if token.type == tokenize.OP and token.string == "=" and not depth:
            signs.append(token)
    if len(signs) != 1 or sum(token.type == tokenize.NEWLINE and bool(token.string) for token in tokens) > 1:
        return None
    (line, start), (_, stop) = signs[0].start, signs[0].end
    before = "\n".join([*source.lines[: line - 1], source.line(line)[:start]])
    after = "\n".join([source.line(line)[stop:], *source.lines[line:]])
    gap = "\n" * (line - 1) + " " * (stop if line > 1 else stop - 1)
    left, right = (parse_syntax(source, text, "eval", tokens) for text in (before, f"({gap}{after})"))
    assert isinstance(left, ast.Expression)
    assert isinstance(right, ast.Expression)
    equal = ast.copy_location(ast.Compare(left.body, [ast.Eq()], [right.body]), left.body)
    equal.end_lineno, equal.end_col_offset = right.body.end_lineno, right.body.end_col_offset
    return ast.copy_location(ast.Expr(equal), equal)


def _function_body(source: Source, tree: ast.Module, known: frozenset[str]) -> list[ast.stmt]:
    """The statements of the one function, if there are functions: the one that says backward, of several; else its docstring's formulas."""
    classes = [part for node in tree.body if isinstance(node, ast.ClassDef) for part in node.body]
    functions = [node for node in (*tree.body, *classes) if isinstance(node, ast.FunctionDef)]
    if not functions:
        return tree.body
    backward = [node for node in functions if "backward" in node.name]
    if len(functions) > 1 and len(backward) != 1:
        hint = f"keep one of {quoted([node.name for node in functions])}"
        raise source.error(f"there are {len(functions)} functions here", functions[1], hint=hint)
    function = (backward or functions)[0]
    body = function.body
    text = body[0].value if isinstance(body[0], ast.Expr) else None
    if isinstance(text, ast.Constant) and isinstance(text.value, str) and all(_says_nothing(node) for node in body[1:]):
        return docstring_statements(source, text, known) or body
    given = {argument.arg for argument in ast.walk(function.args) if isinstance(argument, ast.arg)}
    return [*(node for node in tree.body if _is_preamble(node, given)), *body]


def _is_preamble(node: ast.stmt, given: set[str]) -> bool:
    """Whether the function depends on this statement above it: an import, or a number such as `EPS = 1e-5` that is no parameter."""
    match node:
        case ast.Import() | ast.ImportFrom():
            return True
        case ast.Assign([ast.Name(name)], ast.Constant(float() | int() as value)):
            return name not in given and not isinstance(value, bool)
    return False


def _says_nothing(node: ast.stmt) -> bool:
    return isinstance(node, ast.Pass | ast.Raise) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
