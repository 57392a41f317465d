"""The statements of a kernel as C.

In: scheduled loops, an element type and a printer.  Out: lines, indented by four spaces.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from symbn.codegen.naming import Names
from symbn.codegen.printers.c import CPrinter
from symbn.codegen.printers.infix import POWER, SUM
from symbn.codegen.program import Accumulate, Assign, Finish, Load, Start, Statement, Store, Sweep, Total
from symbn.codegen.views.c_signature import Signature
from symbn.expr import Expr, Index, Read, Reduce, mul, walk
from symbn.expr import Extent as AxisExtent
from symbn.language import definition_text
from symbn.layer import Definition

INDENT = "    "
EXTREMA = {"max": ("-HUGE_VAL", "maximum"), "min": ("HUGE_VAL", "minimum")}


class Body:
    """Writes one function's body."""

    def __init__(self, signature: Signature, real: str, printer: CPrinter) -> None:
        self.signature, self.real, self.printer = signature, real, printer
        program = signature.program
        self.axes = {argument.name: argument.axes for argument in program.arguments}
        self.axes |= {output.name: output.axes for output in program.outputs}
        self.buffers = {buffer.name: buffer.axes for buffer in signature.loops.buffers}
        self.outputs = {output.name for output in program.outputs}
        self.explained: set[Definition] = set()
        statements = tuple(_all(signature.loops.body))
        names = [s.name for s in statements if isinstance(s, (Load, Assign, Start))]
        letters = [s.index.name for s in statements if isinstance(s, Sweep)]
        self.names = Names((*names, *letters, *self.axes, *self.buffers, *program.axes, "workspace"))
        self.low: dict[str, str] = {}
        self.used = {node.name for s in statements for expr in _exprs(s) for node in walk(expr) if isinstance(node, Read)}

    def lines(self) -> tuple[str, ...]:
        """The body between its braces."""
        scalars = [argument.name for argument in self.signature.program.arguments if not argument.axes]
        unused = [f"(void){name};" for name in scalars if name not in self.used]
        main = [line for statement in self.signature.loops.body for line in self.statement(statement)]
        return (*unused, *self.signature.checks(), *self.signature.buffers(), *main, f"return {self.signature.code('ok')};")

    def statement(self, statement: Statement) -> list[str]:
        """One statement; a sweep with all that is in it."""
        match statement:
            case Sweep(index, body):
                inner = [f"{INDENT}{line}" for part in body for line in self.statement(part)]
                return [f"for (ptrdiff_t {index.name} = 0; {index.name} < {index.axis}; ++{index.name}) {{", *inner, "}"]
            case Load(name, array, indices):
                cast = "(double)" if self.real == "float" and array not in self.buffers else ""
                return [f"const double {name} = {cast}{self._element(array, indices)};"]
            case Assign(name, expr, source):
                return [*self._comment(source), f"const double {name} = {self.printer.text(expr)};"]
            case Start(name, total):
                return [*self._comment(total.source or _formula(total)), *self._start(name, total)]
            case Accumulate(name, kind, expr):
                return [self._accumulate(name, kind, expr)]
            case Finish(name, kind, axes):
                return self._finish(name, kind, axes)
            case Store(array, indices, expr):
                return self._store(array, indices, expr)

    def _start(self, name: str, total: Total) -> list[str]:
        if total.kind in EXTREMA:
            return [f"double {name} = {EXTREMA[total.kind][0]};"]
        if self.real == "float":
            return [f"double {name} = 0.0;"]
        if name not in self.low:
            self.low[name] = self.names.fresh(f"{name}_low")
        return [f"double {name} = 0.0, {self.low[name]} = 0.0;"]

    def _accumulate(self, name: str, kind: str, expr: Expr) -> str:
        text = self.printer.text(expr)
        if kind in EXTREMA:
            return f"{name} = {self.printer.helper(EXTREMA[kind][1])}({text}, {name});"
        if self.real == "float":
            return f"{name} += {self.printer.at(expr, SUM)};"
        return f"{self.printer.helper('add')}(&{name}, &{self.low[name]}, {text});"

    def _finish(self, name: str, kind: str, axes: tuple[str, ...]) -> list[str]:
        lines = []
        if kind not in EXTREMA and self.real == "double":
            lines.append(f"{name} = {self.printer.helper('complete')}({name}, {self.low[name]});")
        if kind == "mean":
            lines.append(f"{name} /= {self.printer.at(mul(*map(AxisExtent, axes)), POWER if len(axes) == 1 else SUM)};")
        return lines

    def _store(self, array: str, indices: tuple[Index, ...], expr: Expr) -> list[str]:
        text = self.printer.text(expr)
        if array in self.buffers:
            return [f"{self._element(array, indices)} = {text};"]
        value = f"(float){self.printer.at(expr, POWER)}" if self.real == "float" else text
        return [f"if ({array} != NULL) {{", f"{INDENT}{self._element(array, indices)} = {value};", "}"]

    def _element(self, array: str, indices: tuple[Index, ...]) -> str:
        axes = self.axes.get(array) or self.buffers.get(array, ())
        if not indices:
            return f"*{array}"
        place = indices[0].name
        for index, axis in zip(indices[1:], axes[1:], strict=True):
            place = f"{place if place.isidentifier() else f'({place})'}*{axis} + {index.name}"
        return f"{array}[{place}]"

    def _comment(self, source: Definition | None) -> list[str]:
        """The formula, once a function."""
        if source is None or source in self.explained:
            return []
        self.explained.add(source)
        return [f"/* {definition_text(source)} */"]


def _formula(total: Total) -> Definition:
    return Definition(total.name, total.indices, Reduce(total.kind, total.expr, total.bound))


def _all(body: Iterable[Statement]) -> Iterator[Statement]:
    for statement in body:
        yield statement
        if isinstance(statement, Sweep):
            yield from _all(statement.body)


def _exprs(statement: Statement) -> tuple[Expr, ...]:
    match statement:
        case Assign(_, expr) | Accumulate(_, _, expr) | Store(_, _, expr):
            return (expr,)
    return ()
