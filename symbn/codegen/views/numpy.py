"""A derivation as a NumPy module.

In: a Derivation.  Out: a NumpyView: names, signatures, checks and statements as strings.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from symbn.calculus.derivation import Derivation
from symbn.codegen.passes import lost_axes, saved_names
from symbn.codegen.program import CONSTANT, SAVED, Argument, Pointwise, Program
from symbn.codegen.reserved import without
from symbn.codegen.targets import TARGETS
from symbn.codegen.variant import variant_of
from symbn.codegen.views.header import ascii_text, header, paragraph, reproduce, shape
from symbn.codegen.views.numpy_body import Body, numpy_bodies
from symbn.codegen.views.numpy_checks import checks
from symbn.codegen.views.numpy_groups import Part
from symbn.expr import Read
from symbn.language.text import number_text

_OUT = "out: a mapping from names to arrays to fill, or a tuple of them: {}"
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
    parts: tuple[Part, ...]
    uses_array: bool
    uses_scalars: bool
    uses_sum: bool
    uses_mean: bool
    uses_blocks: bool
    uses_rows: bool
    uses_sums: bool
    uses_filled: bool
    uses_erf: bool
    uses_sigmoid: bool


def numpy_view(derivation: Derivation, *, proved: bool = True) -> NumpyView:
    """The view of both passes; the header names a proof where it is `proved`."""
    plain, derivation = derivation, without(derivation, TARGETS["numpy"].reserved)
    variant = variant_of(plain)
    first, second = (f"{variant.base}_{name}" for name in variant.passes)
    bodies = numpy_bodies(derivation)
    backward = bodies[1].program
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
        _forward(bodies[0], saved_record, [*(argument.name for argument in saved), *extents, *kept]),
        _backward(bodies[1], saved, (*extents, *kept), f"the {saved_record.name} that {first} returned", results),
    )
    parts = tuple(body.part for body in bodies if body.part)
    lines = [line for part in parts for line in part.lines]
    text = "\n".join(lines + [line for function in functions for line in (*function.checks, *function.body, function.result)])
    return NumpyView(
        header=header(plain, reproduce(plain, "numpy"), _notes(bodies), proved=proved),
        title=ascii_text(f"{variant.layer}: {TITLES[variant.passes[1]]}."),
        public=tuple(sorted((saved_record.name, results.name, second, first))),
        saved=saved_record,
        results=results,
        functions=functions,
        parts=parts,
        uses_array="_array(" in text,
        uses_scalars="_scalars_dtype(" in text,
        uses_sum="_sum(" in text,
        uses_mean="_mean(" in text,
        uses_blocks="_blocks(" in text,
        uses_rows="_rows(" in text,
        uses_sums="_sums(" in text,
        uses_filled="_filled(" in text,
        uses_erf=any("erf" in body.helpers for body in bodies),
        uses_sigmoid=any("sigmoid" in body.helpers for body in bodies),
    )


def _forward(body: Body, record: Record, fields: list[str]) -> Function:
    program = body.program
    positional = [a.name for a in program.arguments if a.role != CONSTANT]
    keywords = [_keyword(argument) for argument in program.arguments if argument.role == CONSTANT]
    outputs = [output.name for output in program.outputs if not output.saved]
    given = _given(body)
    parameters = ", ".join([*positional, "*", *keywords, "out=None"])
    return Function(
        signature=f"{program.layer}_{program.direction}({parameters})",
        doc=(
            f"Returns ({', '.join(outputs)}, saved); `saved` is for the next pass, and refers to the inputs without a copy.",
            "",
            *(f"{argument.name}: {shape(argument.axes)}" for argument in program.arguments),
            *(f"{output.name}: {shape(output.axes)}" for output in program.outputs if not output.saved),
            _OUT.format(", ".join(output.name for output in program.outputs)),
        ),
        unpack="",
        checks=(*checks(program.arguments, program.arguments, (), _used_axes(body, fields)), *_outputs(body)),
        body=body.lines,
        result=f"{', '.join(map(given, outputs))}, {record.name}({', '.join(map(given, fields))})",
    )


def _backward(body: Body, saved: list[Argument], kept: tuple[str, ...], origin: str, results: Record) -> Function:
    program = body.program
    seeds = [argument for argument in program.arguments if argument.role not in (SAVED, CONSTANT)]
    names = [*(argument.name for argument in saved), *kept]
    return Function(
        signature=f"{program.layer}_{program.direction}({', '.join([*(seed.name for seed in seeds), 'saved', '*', 'out=None'])})",
        doc=(
            f"Returns {results.name}({', '.join(output.name for output in program.outputs)}).",
            "",
            *(f"{seed.name}: {shape(seed.axes)}" for seed in seeds),
            *(f"{output.name}: {shape(output.axes)}" for output in program.outputs),
            f"saved: {origin}",
            _OUT.format(", ".join(output.name for output in program.outputs)),
        ),
        unpack=f"{', '.join(names)}{',' if len(names) == 1 else ''} = saved" if names else "",
        checks=(*checks((*saved, *seeds), saved or seeds, kept, _used_axes(body, [])), *_outputs(body)),
        body=body.lines,
        result=f"{results.name}({', '.join(map(_given(body), [output.name for output in program.outputs]))})",
    )


def _outputs(body: Body) -> list[str]:
    """The statement that checks `out`, a line an argument."""
    program = body.program
    shapes = ", ".join(f'"{output.name}": {_extents(output.axes)}' for output in program.outputs)
    inputs = ", ".join(f'"{argument.name}": {argument.name}' for argument in program.arguments if argument.axes)
    pairs = {output: [source for name, source in body.overlays if name == output] for output, _ in body.overlays}
    may_be = ", ".join(f'"{output}": {tuple(sources)}'.replace("'", '"') for output, sources in pairs.items())
    given = ("out,", "dtype,", f"{{{shapes}}},", f"inputs={{{inputs}}},", f"may_be={{{may_be}}},")
    return ["out = _outputs(", *(f"    {line}" for line in given), ")"]


def _extents(axes: tuple[str, ...]) -> str:
    return shape(axes) if axes else "()"


def _given(body: Body) -> Callable[[str], str]:
    """How a value is returned: what is not written into `out` yet is put there."""
    typed = _typed(body.program)
    later = {output.name for output in body.program.outputs} - body.stored
    return lambda name: f'_filled(out, "{name}", {typed(name)})' if name in later else name


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


def _used_axes(body: Body, fields: list[str]) -> tuple[str, ...]:
    """The extents that a function speaks of."""
    used = body.axes | {axis for output in body.program.outputs for axis in output.axes}
    return tuple(axis for axis in body.program.axes if axis in used or axis in fields)


def _field(name: str, axes: tuple[str, ...]) -> str:
    return f"{name}: np.ndarray  # {shape(axes)}" if axes else f"{name}: np.floating"


def _keyword(argument: Argument) -> str:
    return argument.name if argument.default is None else f"{argument.name}={number_text(argument.default)}"


def _camel(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def _notes(bodies: tuple[Body, Body]) -> list[str]:
    pairs = [pair for body in bodies for pair in body.overlays]
    sources = {output: " or ".join(source for name, source in pairs if name == output) for output, _ in pairs}
    allowed = "".join(f" {output} may be {found};" for output, found in sources.items())
    return [
        *paragraph(
            "Aliasing: `out` names arrays to fill; no argument is written to that is not among them."
            f"{allowed} any other overlap is refused. Results are otherwise arrays of their own, except that `saved` may refer to inputs"
            " and outputs."
        ),
        "Values: float32 in is float32 out, float64 likewise; NaN and infinity propagate; an empty axis is an error.",
        "",
    ]
