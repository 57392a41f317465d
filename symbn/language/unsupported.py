"""What is Python and yet not the layer language.

In: a syntax node that no rule reads.  Out: an error that says what to write instead.
"""

from __future__ import annotations

import ast

from symbn.errors import SymbnError
from symbn.expr import FUNCTIONS, REDUCTIONS
from symbn.language.source import Source

_SUM = "write sum(... for j in N)"
_EXPRESSIONS: dict[type[ast.AST], tuple[str, str]] = {
    ast.Lambda: ("'lambda' is not part of the layer language", "write the expression itself; to name a value 'lambda', call it 'lam'"),
    ast.IfExp: ("'... if ... else ...' is not part of the layer language", "write where(condition, a, b)"),
    ast.BoolOp: ("'and' and 'or' are not part of the layer language", "nest where(...), or write two asserts"),
    ast.Compare: ("a comparison stands only inside where(...) or after assert", "write where(x[i] > 0, a, b)"),
    ast.ListComp: ("a list is not part of the layer language", "drop the brackets: sum(x[j] for j in N)"),
    ast.SetComp: ("a set is not part of the layer language", "drop the braces: sum(x[j] for j in N)"),
    ast.DictComp: ("a dictionary is not part of the layer language", _SUM),
    ast.GeneratorExp: ("'for' stands only inside a reduction", "write sum(x[j] for j in N), or mean, max, min"),
    ast.List: ("a list is not part of the layer language", "define an array by its elements: y[i] = ..."),
    ast.Set: ("a set is not part of the layer language", "define an array by its elements: y[i] = ..."),
    ast.Dict: ("a dictionary is not part of the layer language", "give each value a name of its own"),
    ast.Tuple: ("a tuple is not part of the layer language", "give each value a name of its own"),
    ast.JoinedStr: ("a string is not part of the layer language", "write numbers and names"),
    ast.NamedExpr: ("':=' is not part of the layer language", "put the definition on a line of its own: name = ..."),
    ast.Await: ("'await' is not part of the layer language", "write the expression itself"),
    ast.Yield: ("'yield' is not part of the layer language", "end the function with 'return y'"),
    ast.YieldFrom: ("'yield' is not part of the layer language", "end the function with 'return y'"),
    ast.Starred: ("'*' before a name is not part of the layer language", "write out the values"),
    ast.Slice: ("a slice is not part of the layer language", "write an index letter for every axis: x[i, c]"),
}
_STATEMENTS: dict[type[ast.AST], tuple[str, str]] = {
    ast.For: ("a 'for' loop is not part of the layer language", "write an index: y[i] = ..., or a reduction: sum(x[j] for j in N)"),
    ast.While: ("a 'while' loop is not part of the layer language", "a layer is a list of definitions"),
    ast.If: ("an 'if' statement is not part of the layer language", "write where(condition, a, b)"),
    ast.Import: ("'import' is not part of the layer language", "sqrt, exp and the other functions are built in"),
    ast.ImportFrom: ("'import' is not part of the layer language", "sqrt, exp and the other functions are built in"),
    ast.AugAssign: ("a name is defined once and never changed", "define a new name: total = a + b"),
    ast.AnnAssign: ("a definition has no annotation", "write name = ... or name[i] = ..."),
    ast.With: ("'with' is not part of the layer language", "a layer is a list of definitions"),
    ast.Try: ("'try' is not part of the layer language", "a layer is a list of definitions"),
    ast.FunctionDef: ("a function inside a function is not part of the layer language", "write its expression where it is used"),
    ast.AsyncFunctionDef: ("'async' is not part of the layer language", "write 'def'"),
    ast.ClassDef: ("a class is not part of the layer language", "write a function: def layer(x: \"N\"): ..."),
    ast.Pass: ("'pass' defines nothing", "define the output: y = ..., then 'return y'"),
    ast.Delete: ("'del' is not part of the layer language", "a name stays defined"),
    ast.Raise: ("'raise' is not part of the layer language", "state an assumption: assert eps > 0"),
    ast.Global: ("'global' is not part of the layer language", "make it a parameter"),
    ast.Nonlocal: ("'nonlocal' is not part of the layer language", "make it a parameter"),
}
_OPERATORS: dict[type[ast.AST], tuple[str, str]] = {
    ast.MatMult: ("@", "write the sum: sum(a[i, k]*b[k, j] for k in K)"),
    ast.FloorDiv: ("//", "write / for an exact quotient"),
    ast.Mod: ("%", "write the expression without a remainder"),
    ast.BitXor: ("^", "write ** for a power"),
    ast.BitOr: ("|", "nest where(...)"),
    ast.BitAnd: ("&", "nest where(...)"),
    ast.LShift: ("<<", "write * and **"),
    ast.RShift: (">>", "write / and **"),
    ast.Invert: ("~", "write the opposite comparison"),
    ast.Not: ("not", "write the opposite comparison"),
}
# Functions of other libraries, and how their meaning is written here.
_FUNCTIONS = {
    "var": "write mean((x[j] - mu)**2 for j in N)", "std": "write sqrt(mean((x[j] - mu)**2 for j in N))", "pow": "write a**b",
    "power": "write a**b", "square": "write a**2", "average": "write mean(x[j] for j in N)", "dot": "write sum(a[k]*b[k] for k in K)",
    "matmul": "write sum(a[i, k]*b[k, j] for k in K)", "einsum": "write sum(a[i, k]*b[k, j] for k in K)", "fabs": "write abs(x)",
    "softmax": "write its definitions, as `symbn list` shows them", "prod": "products over an axis are not supported",
    "log2": "write log(x)/log(2)", "log10": "write log(x)/log(10)", "tan": "write sin(x)/cos(x)", "cosh": "write (exp(x) + exp(-x))/2",
    "sinh": "write (exp(x) - exp(-x))/2", "clip": "write minimum(maximum(x, a), b)", "clamp": "write minimum(maximum(x, a), b)",
    "range": "write the axis itself: for j in N", "len": "write the axis itself, N", "norm": "write sqrt(sum(x[j]**2 for j in N))",
    "reciprocal": "write 1/x", "detach": "write stop_gradient(x)", "float": "write the value itself", "int": "write the value itself",
    "silu": "write x*sigmoid(x)", "gelu": "write x*(1 + erf(x/sqrt(2)))/2", "softplus": "write log1p(exp(x))",
}  # fmt: skip


def unsupported(source: Source, node: ast.AST) -> SymbnError:
    """The error for an expression or a statement that is not in the language."""
    if isinstance(node, ast.Constant):
        return _constant(source, node)
    if isinstance(node, ast.Attribute):
        return _attribute(source, node)
    if isinstance(node, ast.Call):
        return _called(source, node)
    message, hint = _EXPRESSIONS.get(type(node)) or _STATEMENTS.get(type(node)) or _other(node)
    return source.error(message, node, hint=hint)


def unsupported_operator(source: Source, operator: ast.AST, where: ast.AST) -> SymbnError:
    """The error for an operator that is not in the language."""
    sign, hint = _OPERATORS.get(type(operator), ("this operator", "write + - * / **"))
    return source.error(f"'{sign}' is not part of the layer language", where, hint=hint)


def unknown_function_hint(name: str) -> str | None:
    """How the layer language says what a function of another library says."""
    return _FUNCTIONS.get(name)


def _other(node: ast.AST) -> tuple[str, str]:
    statement = isinstance(node, ast.stmt)
    hint = "a layer holds asserts, definitions and a return" if statement else "write numbers, names, + - * / ** and functions"
    return "this is not part of the layer language", hint


def _constant(source: Source, node: ast.Constant) -> SymbnError:
    if isinstance(node.value, str | bytes):
        return source.error("a string is not part of the layer language", node, hint="write numbers and names")
    if node.value is Ellipsis:
        return source.error("'...' is not part of the layer language", node, hint="write an index letter for every axis: x[i, c]")
    return source.error(f"'{node.value}' is not part of the layer language", node, hint="write a number, or a comparison inside where(...)")


def _attribute(source: Source, node: ast.Attribute) -> SymbnError:
    if node.attr in FUNCTIONS or node.attr in REDUCTIONS:
        return source.error("names with a dot are not part of the layer language", node, hint=_instead(node.attr))
    hint = unknown_function_hint(node.attr) or f"write a plain name; the functions are {', '.join(FUNCTIONS)}"
    return source.error("names with a dot are not part of the layer language", node, hint=hint)


def _called(source: Source, node: ast.Call) -> SymbnError:
    if isinstance(node.func, ast.Attribute):
        return unsupported(source, node.func)
    return source.error("only a function is called", node, hint="to multiply, write a*b")


def _instead(name: str) -> str:
    return f"write {name}(x[j] for j in N)" if name in REDUCTIONS else f"write {name}({', '.join('abc'[: FUNCTIONS[name]])})"
