"""What a NumPy function does between its checks and its return.

In: a Program.  Out: a Body: statements, what they use, which results they write where the caller wants them, and on which arguments a
result may lie.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from symbn.calculus.derivation import Derivation
from symbn.codegen.blocks import blocks_of
from symbn.codegen.lower import ARRAYS, LOOPS
from symbn.codegen.passes import backward_program, forward_program, saved_names
from symbn.codegen.printers.numpy import NumpyPrinter
from symbn.codegen.program import Program
from symbn.codegen.views.numpy_blocks import BlockStatements
from symbn.codegen.views.numpy_statements import Statements

Overlays = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Body:
    """`stored` are the results that the lines write themselves; the others are values, put into `out` at the end."""

    program: Program
    lines: tuple[str, ...]
    axes: frozenset[str]
    helpers: frozenset[str]
    stored: frozenset[str]
    overlays: Overlays


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
    statements = BlockStatements(program, blocks, first=first)
    lines = tuple(statements.lines())
    printer = statements.printer
    overlays = _overlays(program, lines, blocks.stored, kept)
    return Body(program, lines, frozenset(printer.axes), frozenset(printer.helpers), blocks.stored, overlays)


def _whole(program: Program, kept: frozenset[str]) -> Body:
    """Statements on whole arrays: every result is there before one is written."""
    printer = NumpyPrinter()
    lines = tuple(Statements(program, printer).lines())
    return Body(program, lines, frozenset(printer.axes), frozenset(printer.helpers), frozenset(), _overlays(program, (), frozenset(), kept))


def _overlays(program: Program, lines: Sequence[str], stored: frozenset[str], kept: frozenset[str]) -> Overlays:
    pairs = [
        (output, argument)
        for output in program.outputs
        for argument in program.arguments
        if output.axes and output.axes == argument.axes and argument.name not in kept
    ]
    return tuple((out.name, arg.name) for out, arg in pairs if out.name not in stored or _apart(lines, out.name, arg.name))


def _apart(lines: Sequence[str], output: str, source: str) -> bool:
    """No element of `source` is read after the one of `output` in its place was written: blocks are the same piece of both."""
    code = [line for line in lines if not line.lstrip().startswith("#")]
    writes = [number for number, line in enumerate(code) if re.search(rf"out={output}\[|^\s+{output}\[.*\] = ", line)]
    if not writes:
        return False
    reads = re.compile(rf"(?<![\w.\"]){source}(?![\w\"])")
    if any(reads.search(line) for line in code[writes[0] + 1 :]):
        return False
    return all(re.match(r"\[(:, )*\w", line[found.end() :]) for line in code for found in reads.finditer(line))
