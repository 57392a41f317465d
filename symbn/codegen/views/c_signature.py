"""What a C function is called with.

In: a Program and its Loops.  Out: declarations, checks and documentation as lines.
"""

from __future__ import annotations

from dataclasses import dataclass

from symbn.codegen.program import SAVED, Argument, Buffer, Loops, Output, Program
from symbn.codegen.storage import Storage
from symbn.codegen.views.header import shape

WIDTH = 110
WORDS = {"f32": "in float", "f64": "in double", "bf16": "in float, on arrays of bfloat16", "f16": "in float, on arrays of IEEE half"}
# Into how many parts joined loops are cut at most; each has sums of its own.
JOINED_PARTS = 16


@dataclass(frozen=True, slots=True)
class Signature:
    """The interface of one pass. `name` is its functions' without the element type, `stem` what the file's error codes start with."""

    program: Program
    loops: Loops
    stem: str
    name: str

    def code(self, what: str) -> str:
        """An error code's name."""
        return f"{self.stem}_{what}".upper()

    def codes(self, *, needs_workspace: bool) -> tuple[str, ...]:
        """The enumeration of error codes."""
        workspace = [f"{self.code('null_workspace')} = 3 /* the workspace is NULL */"] if needs_workspace else []
        codes = (
            f"{self.code('ok')} = 0, /* done */",
            f"{self.code('bad_extent')} = 1, /* an extent is below 1 */",
            f"{self.code('null_input')} = 2{',' if workspace else ''} /* an input array is NULL */",
        )
        return (*codes, *workspace)

    def declaration(self, storage: Storage) -> tuple[str, ...]:
        """The declaration without its semicolon."""
        parameters = [f"ptrdiff_t {axis}" for axis in self.program.axes]
        parameters += [f"const {storage.ctype(a.axes)} *{a.name}" if a.axes else f"double {a.name}" for a in self.program.arguments]
        parameters += [f"{storage.ctype(output.axes)} *{output.name}" for output in self.program.outputs]
        parameters += ["double *workspace"] if self.loops.buffers else []
        return wrapped(f"int {self.name}_{storage.dtype}(", parameters)

    def comment(self, storage: Storage) -> tuple[str, ...]:
        """Each parameter's meaning."""
        lines = [f"{self.program.direction.replace('_', ' ').capitalize()} pass {WORDS[storage.dtype]}."]
        reads = [f"{_described(argument)}{' (saved)' if argument.role == SAVED else ''}" for argument in self.program.arguments]
        writes = [f"{_described(output)}{' (saved)' if output.saved else ''}" for output in self.program.outputs]
        lines += _list("Reads ", reads) + _list("Writes ", writes)
        return (*lines, "A NULL output is skipped. Returns 0, or an error code of the enumeration above.")

    def checks(self) -> list[str]:
        """The first lines of the body."""
        lines = []
        if self.program.axes:
            lines += _check([f"{axis} < 1" for axis in self.program.axes], self.code("bad_extent"))
        arrays = [f"{argument.name} == NULL" for argument in self.program.arguments if argument.axes]
        if arrays:
            lines += _check(arrays, self.code("null_input"))
        if self.loops.buffers:
            lines += _check(["workspace == NULL"], self.code("null_workspace"))
        return lines

    def workspace_declaration(self) -> tuple[str, ...]:
        """The function that says how much memory to lend."""
        return wrapped(f"ptrdiff_t {self.name}_workspace(", [f"ptrdiff_t {axis}" for axis in self.program.axes])

    def workspace_comment(self) -> tuple[str, ...]:
        """What that function returns."""
        return (f"How many doubles the workspace of the {self.program.direction.replace('_', ' ')} pass holds.",)

    def workspace_body(self) -> tuple[str, ...]:
        """The sum of the buffers' sizes."""
        used = {axis for buffer in self.loops.buffers for axis in buffer.axes}
        unused = [f"(void){axis};" for axis in self.program.axes if axis not in used]
        return (*unused, f"return {' + '.join(map(_size, self.loops.buffers))};")

    def buffers(self) -> list[str]:
        """Where each buffer lies in the workspace."""
        lines, offset = [], ""
        for buffer in self.loops.buffers:
            lines.append(f"double *const {buffer.name} = workspace{offset};")
            offset += f" + {_size(buffer)}"
        return lines


def _size(buffer: Buffer) -> str:
    """In doubles; a part has room for its sums and for what they lose."""
    return "*".join([*([str(2 * JOINED_PARTS)] if buffer.parts else []), *buffer.axes]) or "1"


def _described(part: Argument | Output) -> str:
    return f"{part.name} {shape(part.axes)}"


def _check(conditions: list[str], code: str) -> list[str]:
    return [*_wrapped_condition(conditions), f"    return {code};", "}"]


def _wrapped_condition(conditions: list[str]) -> list[str]:
    line = f"if ({' || '.join(conditions)}) {{"
    if len(line) < WIDTH:
        return [line]
    first, *middle, last = conditions
    return [f"if ({first}", *(f"    || {condition}" for condition in middle), f"    || {last}) {{"]


def _list(start: str, parts: list[str]) -> list[str]:
    lines, line = [], start
    for number, part in enumerate(parts):
        piece = part + (", " if number + 1 < len(parts) else ".")
        if len(line) + len(piece) > WIDTH:
            lines.append(line.rstrip())
            line = "    "
        line += piece
    return [*lines, line] if parts else []


def wrapped(start: str, parameters: list[str], end: str = ")") -> tuple[str, ...]:
    """A parameter list broken into lines of four spaces."""
    parameters = parameters or ["void"]
    whole = f"{start}{', '.join(parameters)}{end}"
    if len(whole) < WIDTH:
        return (whole,)
    lines, line = [start], "    "
    for number, parameter in enumerate(parameters):
        piece = parameter + (", " if number + 1 < len(parameters) else end)
        if len(line) + len(piece) > WIDTH:
            lines.append(line.rstrip())
            line = "    "
        line += piece
    return (*lines, line)
