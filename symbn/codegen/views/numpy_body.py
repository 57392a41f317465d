"""What a NumPy function does between its checks and its return.

In: a Program.  Out: a Body: statements, what they use, which results they write where the caller wants them, and on which arguments a
result may lie.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from symbn.calculus.derivation import Derivation
from symbn.codegen.blocks import blocks_of, group_axis, largest_axes
from symbn.codegen.lower import ARRAYS, LOOPS
from symbn.codegen.passes import backward_program, forward_program, saved_names
from symbn.codegen.printers.numpy import NumpyPrinter
from symbn.codegen.printers.numpy_inplace import Line
from symbn.codegen.program import Program
from symbn.codegen.views.numpy_blocks import BlockStatements
from symbn.codegen.views.numpy_groups import Part, group_lines, group_part
from symbn.codegen.views.numpy_statements import Statements
from symbn.expr import Read

Overlays = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Body:
    """`stored` are the results that the lines write themselves; the others are values, put into `out` at the end.

    `part` is a function that the lines call.
    """

    program: Program
    lines: tuple[str, ...]
    axes: frozenset[str]
    helpers: frozenset[str]
    stored: frozenset[str]
    overlays: Overlays
    part: Part | None = None


def numpy_bodies(derivation: Derivation) -> tuple[Body, Body]:
    """Those of the first pass and of the second; what the first keeps for the second is not written over."""
    kept = frozenset(saved_names(derivation))
    forward = _body(forward_program(derivation, LOOPS), kept, first=True)
    backward = _body(backward_program(derivation, LOOPS), frozenset(), first=False)
    return (
        forward or _whole(forward_program(derivation, ARRAYS), kept),
        backward or _whole(backward_program(derivation, ARRAYS), frozenset()),
    )


def _body(program: Program, kept: frozenset[str], *, first: bool) -> Body | None:
    blocks = blocks_of(program)
    if blocks is None:
        return None
    axis = group_axis(program)
    outputs = frozenset(output.name for output in program.outputs)
    statements = BlockStatements(program, blocks, first=first, given=outputs if axis else frozenset())
    lines = statements.lines()
    axes, helpers = frozenset(statements.printer.axes), frozenset(statements.printer.helpers)
    overlays = _overlays(program, lines, blocks.stored, kept)
    text = tuple(line.text for line in lines)
    if axis is None:
        return Body(program, text, axes, helpers, blocks.stored, overlays)
    part = group_part(program, axis, blocks.stored, text, axes)
    return Body(program, tuple(group_lines(program, axis, part)), frozenset(largest_axes(program)), helpers, outputs, overlays, part)


def _whole(program: Program, kept: frozenset[str]) -> Body:
    """Statements on whole arrays: every result is there before one is written."""
    printer = NumpyPrinter()
    lines = tuple(Statements(program, printer).lines())
    return Body(program, lines, frozenset(printer.axes), frozenset(printer.helpers), frozenset(), _overlays(program, (), frozenset(), kept))


def _overlays(program: Program, lines: Sequence[Line], stored: frozenset[str], kept: frozenset[str]) -> Overlays:
    pairs = [
        (output, argument)
        for output in program.outputs
        for argument in program.arguments
        if output.axes and output.axes == argument.axes and argument.name not in kept
    ]
    views = {value.name: value.expr.name for value in program.values if isinstance(value.expr, Read) and value.name not in stored}
    return tuple((out.name, arg.name) for out, arg in pairs if out.name not in stored or _apart(lines, views, out.name, arg.name))


def _apart(lines: Sequence[Line], views: Mapping[str, str], output: str, source: str) -> bool:
    """No line reads `source` after the one that writes into `output` first.

    A block is the same piece of both, and a call reads an element before it writes the one in its place. `views` may be other names of
    what they are a view of.
    """
    first = next((number for number, line in enumerate(lines) if line.writes == output), None)
    return first is not None and not any(source in _behind(line.reads, views) for line in lines[first + 1 :])


def _behind(names: frozenset[str], views: Mapping[str, str]) -> set[str]:
    """The names, and whatever they are views of."""
    found = set(names)
    while more := {views[name] for name in found if name in views} - found:
        found |= more
    return found
