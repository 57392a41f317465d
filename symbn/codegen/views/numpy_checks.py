"""What a generated NumPy function checks before it computes.

In: the arguments of a pass.  Out: statements that name the argument, the shape it has and the shape it should have.
"""

from __future__ import annotations

from collections.abc import Iterable

from symbn.codegen.program import Argument


def checks(arguments: Iterable[Argument], leading: Iterable[Argument], known: tuple[str, ...], used: tuple[str, ...]) -> list[str]:
    """Statements. The first array gives the dtype, or else the `leading` scalars; `known` are extents that are there already, `used` those
    that the body speaks of.
    """
    parts = list(arguments)
    arrays = [part for part in parts if part.axes]
    lines = []
    if arrays:
        first = arrays[0].name
        lines.append(f'dtype = _dtype("{first}", {first})')
        pairs = ", ".join(f'"{axis}": {axis}' for axis in known)
        lines.append(f"extents = {{{pairs}}}")
    elif parts:
        lines.append(f"dtype = _scalars_dtype({', '.join(part.name for part in leading)})")
    for part in parts:
        if part.axes:
            axes = ", ".join(f'"{axis}"' for axis in part.axes) + ("," if len(part.axes) == 1 else "")
            lines.append(f'{part.name} = _array("{part.name}", {part.name}, ({axes}), extents, dtype)')
        else:
            lines.append(f'{part.name} = _scalar("{part.name}", {part.name}, dtype)')
    new = [axis for axis in used if axis not in known]
    return [*lines, *(f'{axis} = extents["{axis}"]' for axis in new)]
