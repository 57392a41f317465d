"""A derivation as C.

In: a Derivation and options.  Out: a CView: the header and the source as lines.

Elements are computed in the arrays' type, those of 16 bits in float. A sum goes by chunks of at most 16 additions: chunks of floats are
added in double, chunks of doubles with what the addition loses (Neumaier). Neither loses digits as the extents grow.
"""

from __future__ import annotations

from dataclasses import dataclass

from symbn.calculus.derivation import Derivation
from symbn.codegen.aliasing import overlays
from symbn.codegen.lower import LOOPS
from symbn.codegen.passes import backward_program, forward_program
from symbn.codegen.printers.c import CPrinter
from symbn.codegen.program import Loops, Program
from symbn.codegen.reserved import without
from symbn.codegen.schedule import schedule
from symbn.codegen.storage import HALVES, USUAL, storage_of
from symbn.codegen.targets import TARGETS
from symbn.codegen.variant import variant_of
from symbn.codegen.views.c_body import Body
from symbn.codegen.views.c_helpers import Function, helper_functions
from symbn.codegen.views.c_signature import Signature
from symbn.codegen.views.c_sizes import sizes_in
from symbn.codegen.views.header import header, reproduce

# What a header says of the types of 16 bits.

HALF_NOTES = {
    "bf16": "bf16: a uint16_t holds a bfloat16, the first half of a float; elements are computed in float and rounded to nearest even.",
    "f16": "f16: a uint16_t holds an IEEE half; elements are computed in float and rounded to nearest even.",
}
SMALL_NOTE = "    Scalars, and arrays whose axes are only some of another array's (parameters, statistics), are float there."


@dataclass(frozen=True, slots=True)
class CView:
    """A header and a source file."""

    header: tuple[str, ...]
    stem: str
    guard: str
    codes: tuple[str, ...]
    prefix: str
    macro: str
    loops: bool
    streams: bool
    apart: bool
    fetches: bool
    bytes: bool
    halves: bool
    sizes: tuple[str, ...]
    helpers: tuple[Function, ...]
    functions: tuple[Function, ...]
    public: tuple[Function, ...]


def c_view(derivation: Derivation, *, dtypes: tuple[str, ...], prefix: str = "symbn_", proved: bool = True) -> CView:
    """The view of all functions, for the given element types; the header names a proof where it is `proved`."""
    plain, derivation = derivation, without(derivation, TARGETS["c"].reserved)
    programs = [forward_program(derivation, LOOPS), backward_program(derivation, LOOPS)]
    scheduled = [(program, schedule(program)) for program in programs]
    stem = f"{prefix}{variant_of(plain).stem}"
    printer = CPrinter(f"{stem}_")
    signatures = [Signature(program, loops, stem, f"{prefix}{program.layer}_{program.direction}") for program, loops in scheduled]
    functions = [_workspace(signature) for signature in signatures if signature.loops.buffers]
    public = list(functions)
    for signature in signatures:
        for dtype in dtypes:
            made = Body(signature, storage_of(derivation.layer, dtype), printer).functions()
            functions += made
            public.append(made[-1])
    helpers = helper_functions(printer.helpers, printer.prefix)
    text = "\n".join(line for function in functions for line in function.body)
    options = [word for dtype in dtypes for word in ("--dtype", dtype)] if dtypes != USUAL else []
    halves = tuple(dtype for dtype in dtypes if dtype in HALVES)
    notes = _notes(scheduled, f"{prefix}{programs[0].layer}", halves)
    return CView(
        tuple(map(_in_comment, header(plain, reproduce(plain, "c", options), notes, proved=proved))),
        variant_of(plain).stem,
        f"{stem}_H".upper(),
        signatures[0].codes(needs_workspace=any(signature.loops.buffers for signature in signatures)),
        printer.prefix,
        printer.macro,
        len(functions) > len(public),
        f"{printer.prefix}stream(" in text,
        f"{printer.macro}_APART;" in text,
        f"{printer.macro}_FETCH(" in text,
        f"{printer.prefix}stream(" in text or any("memcpy(" in line for helper in helpers for line in helper.body),
        bool(halves),
        sizes_in(printer.macro, (*text.splitlines(), *(line for helper in helpers for line in helper.body))),
        helpers,
        tuple(functions),
        tuple(public),
    )


def _in_comment(line: str) -> str:
    """The line where it can neither close nor open a comment, nor be a trigraph."""
    for mark in ("*/", "/*", "??"):
        line = line.replace(mark, f"{mark[0]} {mark[1]}")
    return line


def _workspace(signature: Signature) -> Function:
    return Function(signature.workspace_comment(), signature.workspace_declaration(), signature.workspace_body())


def _notes(scheduled: list[tuple[Program, Loops]], stem: str, halves: tuple[str, ...]) -> list[str]:
    """Aliasing and memory, the same for every element type."""
    lines = ["Aliasing: no two arrays may overlap, but an output may be exactly the memory of one input:"]
    for program, loops in scheduled:
        pairs = [f"{output} may be {source}" for output, source in overlays(program, loops)]
        lines.append(f"    {program.direction}: {', '.join(pairs) or 'none'}")
    lines.append("Scalars: what is read is a double by value, what is written goes through a pointer.")
    lines.append("Values: elements have the arrays' type, sums are double; NaN and infinity propagate; extents below 1 are an error.")
    lines += [HALF_NOTES[dtype] for dtype in halves]
    lines += [SMALL_NOTE] if halves else []
    lines.append("Threads: OpenMP where it is compiled with it; the result does not depend on their number.")
    if any(loops.buffers for _, loops in scheduled):
        lines.append(f"Memory: none is allocated; {stem}_..._workspace says how many doubles the caller lends.")
    else:
        lines.append("Memory: none is allocated.")
    return [*lines, ""]
