"""A derivation as C.

In: a Derivation and options.  Out: a CView: the header and the source as lines.

Every element is computed in double. A float32 sum is a double; a float64 sum carries what each addition loses (Neumaier), so neither loses
digits as the extents grow.
"""

from __future__ import annotations

from dataclasses import dataclass

from symbn.calculus.derivation import Derivation
from symbn.codegen.aliasing import overlays
from symbn.codegen.lower import LOOPS
from symbn.codegen.passes import backward_program, forward_program
from symbn.codegen.printers.c import HELPERS, CPrinter
from symbn.codegen.program import Loops, Program
from symbn.codegen.reserved import without
from symbn.codegen.schedule import schedule
from symbn.codegen.targets import TARGETS
from symbn.codegen.variant import variant_of
from symbn.codegen.views.c_body import Body
from symbn.codegen.views.c_signature import Signature
from symbn.codegen.views.header import header, reproduce

SUFFIXES = {"f32": "float", "f64": "double"}
ADD = (
    ("double *total, double *low, double term", "void"),
    (
        "const double sum = *total + term;",
        "const double added = sum - *total;",
        "",
        "*low += (*total - (sum - added)) + (term - added);",
        "*total = sum;",
    ),
)
COMPLETE = (("double total, double low", "double"), ("const double sum = total + low;", "", "return sum == sum ? sum : total;"))
SUMS = {"add": ADD, "complete": COMPLETE}


@dataclass(frozen=True, slots=True)
class Function:
    """One function: comment, declaration and body as lines."""

    comment: tuple[str, ...]
    declaration: tuple[str, ...]
    body: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CView:
    """A header and a source file."""

    header: tuple[str, ...]
    stem: str
    guard: str
    codes: tuple[str, ...]
    helpers: tuple[Function, ...]
    functions: tuple[Function, ...]


def c_view(derivation: Derivation, *, dtypes: tuple[str, ...], prefix: str = "symbn_") -> CView:
    """The view of all functions, for the given element types."""
    plain, derivation = derivation, without(derivation, TARGETS["c"].reserved)
    programs = [forward_program(derivation, LOOPS), backward_program(derivation, LOOPS)]
    scheduled = [(program, schedule(program)) for program in programs]
    stem = f"{prefix}{variant_of(plain).stem}"
    printer = CPrinter(f"{stem}_")
    signatures = [Signature(program, loops, stem, f"{prefix}{program.layer}_{program.direction}") for program, loops in scheduled]
    functions = [_workspace(signature) for signature in signatures if signature.loops.buffers]
    functions += [_function(signature, suffix, printer) for signature in signatures for suffix in dtypes]
    options = ["--dtype", dtypes[0]] if len(dtypes) == 1 else []
    return CView(
        tuple(map(_in_comment, header(plain, reproduce(plain, "c", options), _notes(scheduled, f"{prefix}{programs[0].layer}")))),
        variant_of(plain).stem,
        f"{stem}_H".upper(),
        signatures[0].codes(needs_workspace=any(signature.loops.buffers for signature in signatures)),
        tuple(_helper(name, printer) for name in (*HELPERS, *SUMS) if name in printer.helpers),
        tuple(functions),
    )


def _in_comment(line: str) -> str:
    """The line where it can neither close nor open a comment, nor be a trigraph."""
    for mark in ("*/", "/*", "??"):
        line = line.replace(mark, f"{mark[0]} {mark[1]}")
    return line


def _function(signature: Signature, suffix: str, printer: CPrinter) -> Function:
    body = Body(signature, SUFFIXES[suffix], printer)
    return Function(signature.comment(suffix), signature.declaration(suffix, SUFFIXES[suffix]), body.lines())


def _workspace(signature: Signature) -> Function:
    return Function(signature.workspace_comment(), signature.workspace_declaration(), signature.workspace_body())


def _helper(name: str, printer: CPrinter) -> Function:
    if name in SUMS:
        (parameters, result), body = SUMS[name]
    else:
        parameters, expression = HELPERS[name]
        result, body = "double", (f"return {expression};",)
    return Function((), (f"static {result} {printer.prefix}{name}({parameters})",), tuple(body))


def _notes(scheduled: list[tuple[Program, Loops]], stem: str) -> list[str]:
    """Aliasing and memory, the same for every element type."""
    lines = ["Aliasing: no two arrays may overlap, but an output may be exactly the memory of one input:"]
    for program, loops in scheduled:
        pairs = [f"{output} may be {source}" for output, source in overlays(program, loops)]
        lines.append(f"    {program.direction}: {', '.join(pairs) or 'none'}")
    lines.append("Scalars: what is read is a double by value, what is written goes through a pointer.")
    lines.append("Values: elements are computed in double; NaN and infinity propagate; extents below 1 are an error.")
    if any(loops.buffers for _, loops in scheduled):
        lines.append(f"Memory: none is allocated; {stem}_..._workspace says how many doubles the caller lends.")
    else:
        lines.append("Memory: none is allocated.")
    return [*lines, ""]
