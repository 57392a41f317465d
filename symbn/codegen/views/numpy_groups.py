"""A pass that works on one part of a kept axis after another, such as some channels of an image.

In: the Body of a pass whose blocks would be longer than the cache, and the axis.  Out: the statements of the pass, which cut its arrays
along the axis, and the Part that computes one piece.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from symbn.codegen.blocks import largest_axes
from symbn.codegen.naming import Names
from symbn.codegen.program import Argument, Output, Program


@dataclass(frozen=True, slots=True)
class Part:
    """A function of its own, with what it returns: results that are small, the others are filled."""

    name: str
    parameters: tuple[str, ...]
    doc: str
    lines: tuple[str, ...]
    results: tuple[str, ...]

    @property
    def signature(self) -> str:
        """The function's name and parameters."""
        return f"{self.name}({', '.join(self.parameters)})"


def group_part(program: Program, axis: str, stored: frozenset[str], lines: Iterable[str], used: frozenset[str]) -> Part:
    """The function that computes the results for some of `axis`; it speaks of the axes `used`."""
    array = max((part for part in program.arguments if part.axes), key=lambda part: len(part.axes))
    filled = [output.name for output in program.outputs if output.name in stored]
    results = tuple(output.name for output in program.outputs if output.name not in stored)
    return Part(
        name=f"_{program.layer}_{program.direction}",
        parameters=(*(part.name for part in program.arguments), *filled),
        doc=f"{program.layer}_{program.direction} for some of {axis}: few enough that a block of them stays in the cache.",
        lines=(
            f"dtype = {array.name}.dtype",
            *_extents(array, used),
            "",
            *lines,
            *([f"return {', '.join(results)}"] if results else []),
        ),
        results=results,
    )


def _extents(array: Argument, used: frozenset[str]) -> list[str]:
    """The statements that learn the extents of `used` axes from an array."""
    if used.issuperset(array.axes):
        return [f"{', '.join(array.axes)} = {array.name}.shape"]
    return [f"{name} = {array.name}.shape[{place}]" for place, name in enumerate(array.axes) if name in used]


def group_lines(program: Program, axis: str, part: Part) -> list[str]:
    """The statements that call the part for one piece after another."""
    arrays: tuple[Argument | Output, ...] = (*program.arguments, *program.outputs)
    by_name = {each.name: each for each in arrays}
    group = Names((*program.axes, *by_name)).fresh("group")
    row = largest_axes(program)[2:]
    call = f"{part.name}({', '.join(_piece(by_name[name], axis, group) for name in part.parameters)})"
    made = [f'{out.name} = out["{out.name}"] if "{out.name}" in out else np.empty({_shape(out.axes)}, dtype)' for out in program.outputs]
    results = ", ".join(_piece(by_name[name], axis, group) for name in part.results)
    return [*made, f"for {group} in _blocks({axis}, {'*'.join(row)}):", f"    {results} = {call}" if results else f"    {call}"]


def _piece(part: Argument | Output, axis: str, group: str) -> str:
    """The part of an array that belongs to the group."""
    if axis not in part.axes:
        return part.name
    return f"{part.name}[{', '.join([':'] * part.axes.index(axis) + [group])}]"


def _shape(axes: tuple[str, ...]) -> str:
    return f"({', '.join(axes)}{',' if len(axes) == 1 else ''})"
