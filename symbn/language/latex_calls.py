r"""Functions: `\exp(...)`, `\log Z_n`, `\operatorname{sigmoid}(...)`, `\max(a, b)`.

In: a cursor at the function's name.  Out: a Call. Without parentheses a function takes the one factor after it.
"""

from __future__ import annotations

from symbn import expr as tree
from symbn.expr import MINUS_ONE, Add, Call, Expr
from symbn.language.arithmetic import raised
from symbn.language.latex_cursor import OPENS, Cursor
from symbn.language.latex_shapes import nucleus_at

_PLAIN = {name: name for name in tree.FUNCTIONS if name not in ("where", "maximum", "minimum")}
_WORDS = _PLAIN | {"ReLU": "relu", "sg": "stop_gradient", "sgn": "sign", "max": "maximum", "min": "minimum", "ln": "log"}
FUNCTIONS = {rf"\mathrm{{{word}}}": name for word, name in _WORDS.items()} | {
    rf"\{word}": name for word, name in _WORDS.items() if word in ("exp", "log", "tanh", "sin", "cos", "max", "min")
}


def function_call(cursor: Cursor, name: str) -> Expr:
    r"""The function at its arguments. `\tanh^2(x)` is the square of `\tanh(x)`, as `\tanh(x)^2` is."""
    start = cursor.position
    found = nucleus_at(cursor.tokens, start, cursor.end)
    cursor.position = start + 1 if found is None else found[1]
    power = cursor.span(*cursor.argument(), cursor.exponent) if cursor.accept("^") else None
    if power == MINUS_ONE:
        raise cursor.error("this could be an inverse function or 1 over it", start, cursor.position, hint=r"write \frac{1}{...}")
    if cursor.peek() == "_":
        raise cursor.error("a function has no index", cursor.position, hint="write the index on its argument")
    args = _arguments(cursor, start)
    wanted = tree.FUNCTIONS[name]
    if len(args) != wanted:
        noun = "argument" if wanted == 1 else "arguments"
        raise cursor.error(f"{name} takes {wanted} {noun}, {len(args)} given", start, cursor.position)
    call = Call(name, args)
    return call if power is None else cursor.exact(start, raised, call, power)


def _arguments(cursor: Cursor, start: int) -> tuple[Expr, ...]:
    if cursor.peek() == "{":
        return (_braced(cursor),)
    if cursor.peek() in OPENS:
        opened = cursor.take()
        stop = cursor.tokens.partner[opened]
        args = tuple(cursor.span(*part, cursor.expression) for part in cursor.split(opened + 1, stop, ","))
        cursor.position = stop + 1
        return args
    if not cursor.starts_factor():
        raise cursor.error("a function needs an argument", start, cursor.position, hint=r"write \exp(x_i)")
    argument = cursor.factor()
    if cursor.starts_factor():
        raise cursor.error("where the function's argument ends is not clear here", start, cursor.position, hint="write it in parentheses")
    return (argument,)


def _braced(cursor: Cursor) -> Expr:
    start, stop = cursor.argument()
    found = cursor.span(start, stop, cursor.expression)
    if isinstance(found, Add) and cursor.tokens.partner.get(start) != stop - 1:
        raise cursor.error("braces are invisible: a function's argument of several terms stands in parentheses", start, stop)
    return found
