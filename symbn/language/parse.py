"""From source text to layers.

In: the text of a file.  Out: its layers, or an error that names the place and what to write instead.
"""

from __future__ import annotations

import ast
from types import MappingProxyType

from symbn.errors import LayerError
from symbn.expr import reads
from symbn.language.comments import read_latex
from symbn.language.limits import MAX_DEFINITIONS
from symbn.language.module import Module, check_function_depth, choose, docstring, name_place, read_module
from symbn.language.names import check_collisions, check_layer_name
from symbn.language.scope import Scope
from symbn.language.signature import Signature, read_signature
from symbn.language.source import Source, quoted, suggestion
from symbn.language.statements import Statements
from symbn.language.tokens import normalized
from symbn.language.unsupported import unsupported
from symbn.layer import Layer


def parse_layer(text: str, *, file: str = "<text>", function: str | None = None) -> Layer:
    """The layer called `function`, or the only one in the text. LayerError when the text is not a layer."""
    module = read_module(Source(file, normalized(text), LayerError))
    return _layer(module, choose(module, function))


def parse_layers(text: str, file: str = "<text>") -> tuple[Layer, ...]:
    """Every layer of the text, in order."""
    module = read_module(Source(file, normalized(text), LayerError))
    return tuple(_layer(module, function) for function in module.functions)


def _layer(module: Module, function: ast.FunctionDef) -> Layer:
    source = module.source
    check_layer_name(source, function.name, name_place(source, function))
    check_function_depth(source, function)
    signature = read_signature(source, function)
    doc, body = docstring(function)
    scope = Scope(source, dict(signature.arrays), signature.axes, _definition_lines(body))
    statements = Statements(scope)
    outputs = _read_body(statements, signature, body, function)
    check_collisions(source, {**signature.places, **statements.places}, statements.letters)
    _check_constant_axes(source, signature, statements)
    return Layer(
        name=function.name,
        inputs=signature.inputs,
        constants=signature.constants,
        assumptions=tuple(statements.assumptions),
        definitions=tuple(statements.definitions),
        outputs=outputs,
        doc=doc or module.doc,
        latex=MappingProxyType(_latex(module, function, signature, statements)),
        file=source.file,
    )


def _check_constant_axes(source: Source, signature: Signature, statements: Statements) -> None:
    """An axis of a constant has to be an axis of an input, too: the values that are differentiated say how long it is."""
    known = {axis for part in signature.inputs for axis in part.axes}
    for constant in signature.constants:
        for axis in constant.axes:
            if axis not in known:
                users = [d.name for d in statements.definitions if constant.name in reads(d.expr)]
                used = f", which the definition of '{users[0]}' reads" if users else ""
                message = f"axis '{axis}' appears only in the constant '{constant.name}'{used}"
                hint = f"give an input the axis {axis}, or make '{constant.name}' an input"
                raise source.error(message, signature.places[constant.name], hint=hint)


def _definition_lines(body: list[ast.stmt]) -> dict[str, int]:
    """The line each name is first defined on, to tell an early use from a misspelling."""
    lines: dict[str, int] = {}
    for statement in body:
        for target in statement.targets if isinstance(statement, ast.Assign) else ():
            name = target.value if isinstance(target, ast.Subscript) else target
            if isinstance(name, ast.Name):
                lines.setdefault(name.id, statement.lineno)
    return lines


def _read_body(statements: Statements, signature: Signature, body: list[ast.stmt], function: ast.FunctionDef) -> tuple[str, ...]:
    source = statements.source
    for position, statement in enumerate(body):
        match statement:
            case ast.Assert():
                statements.assumption(statement)
            case ast.Assign():
                statements.definition(statement)
            case ast.Return():
                if position + 1 < len(body):
                    raise source.error("nothing stands after 'return'", body[position + 1], hint="put 'return' last")
                return _outputs(statements, signature, statement)
            case ast.Expr():
                raise source.error("this line defines nothing", statement, hint="write name = ..., assert ..., or return ...")
            case _:
                raise unsupported(source, statement)
        if len(statements.definitions) > MAX_DEFINITIONS:
            raise source.error(f"more than {MAX_DEFINITIONS} definitions", statement, hint="split the layer")
    last = statements.definitions[-1].name if statements.definitions else "y"
    raise source.error(f"layer '{function.name}' does not end with 'return'", name_place(source, function), hint=f"add 'return {last}'")


def _outputs(statements: Statements, signature: Signature, node: ast.Return) -> tuple[str, ...]:
    source, defined = statements.source, [definition.name for definition in statements.definitions]
    if node.value is None:
        raise source.error("'return' needs the name of the output", node, hint=f"write return {defined[-1] if defined else 'y'}")
    parts = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
    names: list[str] = []
    for part in parts:
        names.append(_output(statements, signature, part))
        if names[-1] in names[:-1]:
            raise source.error(f"'{names[-1]}' is returned twice", part, hint="return each name once")
    if not names:
        raise source.error("'return' needs the name of the output", node, hint="write return y")
    return tuple(names)


def _output(statements: Statements, signature: Signature, part: ast.expr) -> str:
    source, defined = statements.source, [definition.name for definition in statements.definitions]
    if isinstance(part, ast.Subscript) and isinstance(part.value, ast.Name):
        raise source.error("an output is returned whole", part, hint=f"write return {part.value.id}")
    if not isinstance(part, ast.Name):
        raise source.error("'return' takes names of definitions", part, hint="define it first: y = ..., then return y")
    if part.id in signature.places:
        raise source.error(f"'{part.id}' is a parameter; an output is a definition", part, hint=f"define y = {part.id}, then return y")
    if part.id not in defined:
        hint = suggestion(part.id, defined) or (f"defined are {quoted(defined)}" if defined else "define it first: y = ...")
        raise source.error(f"'{part.id}' is returned but not defined", part, hint=hint)
    return part.id


def _latex(module: Module, function: ast.FunctionDef, signature: Signature, statements: Statements) -> dict[str, str]:
    names = {name: (argument.lineno, argument.lineno) for name, argument in signature.places.items()}
    names |= statements.spans
    return read_latex(module.source, module.comments, names, (function.lineno, function.end_lineno or function.lineno))


