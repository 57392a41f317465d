"""What a generated C header says, read as its user reads it: functions with their parameters, and the shape of each array.

Nothing here knows the generator: a program that is written from these is a test of the header too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

HALVES = ("bf16", "f16")


@dataclass(frozen=True)
class Parameter:
    """`kind` is extent, input, scalar, output or workspace; `axes` are an array's, and `real` is what it holds."""

    name: str
    kind: str
    axes: tuple[str, ...] = ()
    real: str = ""


@dataclass(frozen=True)
class Function:
    """A function that computes; `real` is float, double, bf16 or f16, `workspace` the function that tells how many doubles to lend it."""

    name: str
    real: str
    parameters: tuple[Parameter, ...]
    workspace: str

    def named(self, kind: str) -> list[Parameter]:
        return [parameter for parameter in self.parameters if parameter.kind == kind]


def functions(header: str) -> list[Function]:
    """Every function of the header that takes arrays or scalars of one type."""
    lines = re.findall(r"^ \*     ([\w, ]+): \(?([\w, ]*?),?\)?$", section(header), re.MULTILINE)
    shapes = {name: shape for names, shape in lines for name in names.split(", ")}
    found = []
    for result, name, given in re.findall(r"^(int|ptrdiff_t) (\w+)\(([^)]*)\);", code(header), re.MULTILINE | re.DOTALL):
        words = [" ".join(part.split()) for part in given.split(",")]
        if result == "int":
            stem, _, suffix = name.rpartition("_")
            real = {"f32": "float", "f64": "double"}.get(suffix, suffix)
            workspace = f"{stem}_workspace" if f"{stem}_workspace(" in code(header) else ""
            found.append(Function(name, real, tuple(_parameter(word, real, shapes) for word in words), workspace))
    return found


def _parameter(word: str, real: str, shapes: dict[str, str]) -> Parameter:
    kind, _, name = word.rpartition(" ")
    if kind == "ptrdiff_t":
        return Parameter(name, "extent")
    if word == "double *workspace":
        return Parameter("workspace", "workspace")
    if kind == "double" and not name.startswith("*"):
        return Parameter(name, "scalar")
    bare = name.lstrip("*")
    shape = shapes[bare if bare in shapes else bare.rstrip("_")]
    axes = tuple(axis.strip() for axis in shape.split(",")) if shape != "scalar" else ()
    half = kind.endswith("uint16_t")
    assert half or kind.removeprefix("const ") == ("float" if real in HALVES else real), word
    return Parameter(bare, "input" if kind.startswith("const ") else "output", axes, real if half else kind.removeprefix("const "))


def code(header: str) -> str:
    """The header without its comments."""
    return re.sub(r"/\*.*?\*/", "", header, flags=re.DOTALL)


def section(header: str) -> str:
    """The lines that tell shapes."""
    return header.partition("Shapes, row-major:\n")[2].partition("\n *\n")[0]


def aliases(header: str) -> dict[str, list[tuple[str, str]]]:
    """By pass, (output, input) that may be one memory."""
    lines = re.findall(r"^ \*     (\w+): (.* may be .*)$", header, re.MULTILINE)
    return {direction: re.findall(r"(\w+) may be (\w+)", text) for direction, text in lines}
