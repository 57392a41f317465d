"""A derivation as a NumPy module.

In: a Derivation.  Out: a NumpyView: names, signatures, checks and statements as strings.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from symbn.calculus.derivation import Derivation
from symbn.codegen.lower import ARRAYS
from symbn.codegen.passes import backward_program, forward_program, lost_axes, saved_names
from symbn.codegen.printers.numpy import NumpyPrinter
from symbn.codegen.program import CONSTANT, SAVED, Argument, Pointwise, Program
from symbn.codegen.reserved import without
from symbn.codegen.targets import TARGETS
from symbn.codegen.variant import variant_of
from symbn.codegen.views.header import ascii_text, header, reproduce, shape
from symbn.codegen.views.numpy_checks import checks
from symbn.codegen.views.numpy_statements import Statements
from symbn.expr import Read
from symbn.language.text import number_text

RESULTS = {"backward": "Gradients", "jvp": "Tangents", "jacobian": "Jacobian", "double_backward": "SecondGradients"}
TITLES = {
    "backward": "forward and backward pass",
    "jvp": "forward pass and forward derivative",
    "jacobian": "forward pass and Jacobian",
    "double_backward": "backward pass, and its own backward pass",
}


@dataclass(frozen=True, slots=True)
class Record:
    """A named tuple: its class, what it is, and its fields with their meaning."""

    name: str
    doc: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Function:
    """One function: signature, documentation, checks, statements, and what it returns."""

    signature: str
    doc: tuple[str, ...]
    unpack: str
    checks: tuple[str, ...]
    body: tuple[str, ...]
    result: str


@dataclass(frozen=True, slots=True)
class NumpyView:
    """A module."""

    header: tuple[str, ...]
    title: str
    public: tuple[str, ...]
    saved: Record
    results: Record
    functions: tuple[Function, ...]
    uses_array: bool
    uses_scalars: bool
    uses_sum: bool
    uses_mean: bool
    uses_erf: bool
    uses_sigmoid: bool


def numpy_view(derivation: Derivation) -> NumpyView:
    """The view of both passes."""
    plain, derivation = derivation, without(derivation, TARGETS["numpy"].reserved)
    variant = variant_of(plain)
    first, second = (f"{variant.base}_{name}" for name in variant.passes)
    forward, backward = forward_program(derivation, ARRAYS), backward_program(derivation, ARRAYS)
    printer = NumpyPrinter()
    bodies = [Statements(program, printer).lines() for program in (forward, backward)]
    saved = _saved_arguments(derivation, backward)
    extents = lost_axes(backward)
    kept = () if backward.arguments else ("dtype",)  # a second pass without arguments has it from nowhere else
    saved_record = Record(
        f"{_camel(variant.stem)}Saved",
        f"What {first} keeps for {second}.",
        (
            *(_field(argument.name, argument.axes) for argument in saved),
            *(f"{axis}: int" for axis in extents),
            *(f"{name}: np.dtype" for name in kept),
        ),
    )
    results = Record(
        f"{_camel(variant.base)}{RESULTS[variant.passes[1]]}",
        f"What {second} returns.",
        tuple(_field(output.name, output.axes) for output in backward.outputs),
    )
    functions = (
        _forward(forward, bodies[0], saved_record, [*(argument.name for argument in saved), *extents, *kept]),
        _backward(backward, bodies[1], saved, (*extents, *kept), f"the {saved_record.name} that {first} returned", results),
    )
    text = "\n".join(line for function in functions for line in (*function.checks, *function.body))
    return NumpyView(
        header=header(plain, reproduce(plain, "numpy"), _notes()),
        title=ascii_text(f"{variant.layer}: {TITLES[variant.passes[1]]}."),
        public=tuple(sorted((saved_record.name, results.name, second, first))),
        saved=saved_record,
        results=results,
        functions=functions,
        uses_array="_array(" in text,
        uses_scalars="_scalars_dtype(" in text,
        uses_sum="_sum(" in text,
        uses_mean="_mean(" in text,
        uses_erf="erf" in printer.helpers,
        uses_sigmoid="sigmoid" in printer.helpers,
    )


def _forward(program: Program, body: list[str], record: Record, fields: list[str]) -> Function:
    positional = [a.name for a in program.arguments if a.role != CONSTANT]
    keywords = [_keyword(argument) for argument in program.arguments if argument.role == CONSTANT]
    outputs = [output.name for output in program.outputs if not output.saved]
    typed = _typed(program)
    parameters = ", ".join([*positional, *(["*", *keywords] if keywords else [])])
    return Function(
        signature=f"{program.layer}_{program.direction}({parameters})",
        doc=(
            f"Returns ({', '.join(outputs)}, saved); `saved` is for the next pass, and refers to the inputs without a copy.",
            "",
            *(f"{argument.name}: {shape(argument.axes)}" for argument in program.arguments),
            *(f"{output.name}: {shape(output.axes)}" for output in program.outputs if not output.saved),
        ),
        unpack="",
        checks=tuple(checks(program.arguments, program.arguments, (), _used_axes(program, fields))),
        body=tuple(body),
        result=f"{', '.join(map(typed, outputs))}, {record.name}({', '.join(map(typed, fields))})",
    )


def _backward(
    program: Program, body: list[str], saved: list[Argument], kept: tuple[str, ...], origin: str, results: Record
) -> Function:
    seeds = [argument for argument in program.arguments if argument.role not in (SAVED, CONSTANT)]
    names = [*(argument.name for argument in saved), *kept]
    return Function(
        signature=f"{program.layer}_{program.direction}({', '.join([*(seed.name for seed in seeds), 'saved'])})",
        doc=(
            f"Returns {results.name}({', '.join(output.name for output in program.outputs)}), arrays of its own.",
            "",
            *(f"{seed.name}: {shape(seed.axes)}" for seed in seeds),
            *(f"{output.name}: {shape(output.axes)}" for output in program.outputs),
            f"saved: {origin}",
        ),
        unpack=f"{', '.join(names)}{',' if len(names) == 1 else ''} = saved" if names else "",
        checks=tuple(checks((*saved, *seeds), saved or seeds, kept, _used_axes(program, []))),
        body=tuple(body),
        result=f"{results.name}({', '.join(map(_typed(program), [output.name for output in program.outputs]))})",
    )


def _typed(program: Program) -> Callable[[str], str]:
    """How a value is returned: before version 2, NumPy makes float64 of a float32 scalar times a Python number."""
    values = {value.name: value for value in program.values}
    mixed = {
        name for name, value in values.items() if isinstance(value, Pointwise) and not value.indices and not isinstance(value.expr, Read)
    }
    return lambda name: f"dtype.type({name})" if name in mixed else name


def _saved_arguments(derivation: Derivation, backward: Program) -> list[Argument]:
    by_name = {argument.name: argument for argument in backward.arguments}
    return [by_name[name] for name in saved_names(derivation)]


def _axes_of_values(program: Program) -> set[str]:
    """Extents that the statements speak of."""
    printer = NumpyPrinter()
    Statements(program, printer).lines()
    return printer.axes


def _used_axes(program: Program, fields: list[str]) -> tuple[str, ...]:
    used = _axes_of_values(program)
    return tuple(axis for axis in program.axes if axis in used or axis in fields)


def _field(name: str, axes: tuple[str, ...]) -> str:
    return f"{name}: np.ndarray  # {shape(axes)}" if axes else f"{name}: np.floating"


def _keyword(argument: Argument) -> str:
    return argument.name if argument.default is None else f"{argument.name}={number_text(argument.default)}"


def _camel(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def _notes() -> list[str]:
    return [
        "Aliasing: no argument is written to; results are arrays of their own, except that `saved` may refer to inputs and outputs.",
        "Values: float32 in is float32 out, float64 likewise; NaN and infinity propagate; an empty axis is an error.",
        "",
    ]
