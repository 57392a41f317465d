"""From expressions back to the layer language.

In: an expression, a definition or a layer.  Out: text that `parse_layer` reads back as the same thing, with as few
parentheses as that needs.

Factors and terms keep their order: `gamma/sqrt(sigma2 + eps)*(dy[i] - mean(dy[k] for k in N))`.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from symbn.expr import Add, Call, Compare, Delta, Expr, Extent, Index, Mul, Num, Pow, Read, Reduce, mul, reads
from symbn.layer import Constant, Definition, Input, Layer

# How tightly each form binds; an operand that binds less tightly than its place needs parentheses.
_COMPARE, _SUM, _PRODUCT, _POWER, _ATOM = range(5)
_HALF = Fraction(1, 2)


def expr_text(expr: Expr) -> str:
    """The expression in the layer language."""
    return _form(expr)[1]


def definition_text(definition: Definition) -> str:
    """`name[i] = expr`."""
    return f"{element_text(definition.name, definition.indices)} = {expr_text(definition.expr)}"


def element_text(name: str, indices: Iterable[Index]) -> str:
    """`name[i, c]`, or `name` without indices."""
    letters = ", ".join(index.name for index in indices)
    return f"{name}[{letters}]" if letters else name


def _form(expr: Expr) -> tuple[int, str]:
    """How tightly the expression's text binds, and the text."""
    match expr:
        case Num(value):
            return (_ATOM if value >= 0 else _PRODUCT) if value.denominator == 1 else _PRODUCT, str(value)
        case Extent(axis):
            return _ATOM, axis
        case Read(name, indices):
            return _ATOM, element_text(name, indices)
        case Delta(left, right):
            return _ATOM, f"delta({left.name}, {right.name})"
        case Call(name, ()):
            return _ATOM, name
        case Call(function, args):
            return _ATOM, f"{function}({', '.join(expr_text(argument) for argument in args)})"
        case Reduce(kind, body, indices):
            return _ATOM, f"{kind}({expr_text(body)} {' '.join(f'for {i.name} in {i.axis}' for i in indices)})"
        case Compare(operator, left, right):
            return _COMPARE, f"{expr_text(left)} {operator} {expr_text(right)}"
        case Add(terms):
            return _SUM, _sum(terms)
        case Mul(factors):
            return _PRODUCT, _product(factors)
        case Pow(base, exponent):
            return _power(base, exponent)
    raise TypeError(f"no text for {type(expr).__name__}")


def _at(expr: Expr, tightness: int) -> str:
    own, text = _form(expr)
    return text if own >= tightness else f"({text})"


def _sum(terms: tuple[Expr, ...]) -> str:
    text = _at(terms[0], _PRODUCT)
    for term in terms[1:]:
        positive = without_sign(term)
        text += f" + {_at(term, _PRODUCT)}" if positive is None else f" - {_at(positive, _PRODUCT)}"
    return text


def without_sign(term: Expr) -> Expr | None:
    """-term, when the term is written with a minus sign."""
    match term:
        case Num(value) if value < 0:
            return Num(-value)
        case Mul((Num(value), *rest)) if value < 0:
            return mul(Num(-value), *rest)
    return None


def _product(factors: tuple[Expr, ...]) -> str:
    sign = ""
    if factors[0] == Num(Fraction(-1)) and len(factors) > 1:
        sign, factors = "-", factors[1:]
        if isinstance(factors[0], Num):
            sign, factors = "-1*", factors
    text = _first_factor(factors[0])
    for factor in factors[1:]:
        denominator = denominator_of(factor)
        text += f"*{_factor(factor)}" if denominator is None else f"/{_at(denominator, _POWER)}"
    return sign + text


def _first_factor(factor: Expr) -> str:
    """A leading number needs no parentheses: 1/2*x, -2*x."""
    return _form(factor)[1] if isinstance(factor, Num | Pow) else _factor(factor)


def _factor(factor: Expr) -> str:
    return _at(factor, _POWER)


def denominator_of(factor: Expr) -> Expr | None:
    """What a factor divides by: `x**2` for `x**(-2)`."""
    match factor:
        case Pow(base, Num(value)) if value == -_HALF:
            return Call("sqrt", (base,))
        case Pow(base, Num(value)) if value < 0 and value.denominator == 1:
            return base if value == -1 else Pow(base, Num(-value))
    return None


def _power(base: Expr, exponent: Expr) -> tuple[int, str]:
    denominator = denominator_of(Pow(base, exponent))
    if denominator is not None:
        return _PRODUCT, f"1/{_at(denominator, _POWER)}"
    if exponent == Num(_HALF):
        return _ATOM, f"sqrt({expr_text(base)})"
    return _POWER, f"{_at(base, _ATOM)}**{_at(exponent, _ATOM)}"


def number_text(value: Fraction) -> str:
    """A number as people write it: `1e-5`, `0.1`, `3`; a quotient where no short decimal is exact."""
    power = next((n for n in range(31) if 10**n % value.denominator == 0), None)
    if value.denominator == 1 or power is None:
        return str(value)
    digits = abs(value.numerator) * (10**power // value.denominator)
    sign, shown = "-" if value < 0 else "", str(digits)
    if power >= 4 and len(shown) == 1:
        return f"{sign}{shown}e-{power}"
    shown = shown.rjust(power + 1, "0")
    return f"{sign}{shown[:-power]}.{shown[-power:]}"


def layer_text(layer: Layer) -> str:
    """The whole source of a layer."""
    known = {part.name for part in layer.inputs} | {part.name for part in layer.constants}
    waiting = list(layer.assumptions)
    lines = _asserts(waiting, known)
    for definition in layer.definitions:
        comment = f"  # latex: {layer.latex[definition.name]}" if definition.name in layer.latex else ""
        known.add(definition.name)
        lines += [f"    {definition_text(definition)}{comment}", *_asserts(waiting, known)]
    doc = f'"""{_escaped(layer.doc)}"""\n\n' if layer.doc else ""
    return "\n".join([f"{doc}{_signature(layer)}", *lines, f"    return {', '.join(layer.outputs)}"]) + "\n"


def _escaped(doc: str) -> str:
    return doc.replace("\\", "\\\\").replace('"', '\\"') if '"""' in doc or "\\" in doc or doc.endswith('"') else doc


def _asserts(waiting: list[Compare], known: set[str]) -> list[str]:
    """The next assumptions, in order, as far as their names are known."""
    lines = []
    while waiting and set(reads(waiting[0])) <= known:
        lines.append(f"    assert {expr_text(waiting.pop(0))}")
    return lines


def _signature(layer: Layer) -> str:
    parts: list[Input | Constant | str] = [*layer.inputs, *(["*"] if layer.constants else []), *layer.constants]
    if not any(part.name in layer.latex for part in parts if not isinstance(part, str)):
        return f"def {layer.name}({', '.join(_parameter(part) for part in parts)}):"
    lines = [f"    {_parameter(part)},{_parameter_comment(layer, part)}" for part in parts]
    return "\n".join([f"def {layer.name}(", *lines, "):"])


def _parameter(part: Input | Constant | str) -> str:
    if isinstance(part, str):
        return part
    note = f': "{" ".join(part.axes)}"' if part.axes else ""
    default = part.default if isinstance(part, Constant) else None
    return f"{part.name}{note}" + ("" if default is None else f"={number_text(default)}")


def _parameter_comment(layer: Layer, part: Input | Constant | str) -> str:
    return f"  # latex: {layer.latex[part.name]}" if not isinstance(part, str) and part.name in layer.latex else ""
