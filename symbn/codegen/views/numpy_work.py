"""Memory of a block's shape.

In: requests for places, and for rows that are all equal.  Out: names; as few arrays as are needed at once.
"""

from __future__ import annotations

from dataclasses import dataclass

from symbn.codegen.naming import Names, value_name
from symbn.codegen.printers.numpy import NumpyPrinter
from symbn.codegen.printers.numpy_inplace import Line
from symbn.expr import Expr, Index, Read, reads


@dataclass(slots=True)
class Room:
    """An array, its axes, and who has it."""

    name: str
    part: str
    axes: tuple[str, ...]
    holder: str | None = None
    lasting: bool = False


class Work:
    """Lends rooms. A named value keeps its room until nothing reads it; other places are taken back at once.

    `blocks` are all blocks, `rows` is the length of one.
    """

    def __init__(self, names: Names, printer: NumpyPrinter, blocks: str, rows: str) -> None:
        self.names, self.printer, self.blocks, self.length = names, printer, blocks, rows
        self.all: list[Room] = []
        self.equal: dict[tuple[Expr, str], str] = {}  # arrays of equal rows, by what they hold
        self.before: list[Line] = []  # statements that make them, wanted before the next loop
        self.measured = False  # whether a loop speaks of the length of a block

    def lend(self, order: tuple[Index, ...], lines: list[Line], name: str | None = None) -> str:
        """A place over these letters, the blocked one first: `name`, or a name of its own."""
        axes = tuple(index.axis for index in order)
        room = next((room for room in self.all if room.axes == axes and room.holder is None), None)
        if room is None:
            room = Room(self.names.fresh("work"), self.names.fresh("part"), axes)
            self.all.append(room)
        self.measured = True
        room.holder, room.lasting = name or room.part, name is not None
        lines.append(Line(f"{room.holder} = {room.name}[:{self.length}]"))
        return room.holder

    def take_back(self, name: str | None) -> None:
        """A place that was lent without a name."""
        for room in self.all:
            if room.holder == name and not room.lasting:
                room.holder = None

    def release(self, wanted: set[str]) -> None:
        """The rooms of values that nothing in this loop reads any more."""
        for room in self.all:
            if room.lasting and room.holder not in wanted:
                room.holder = None

    def spread(self, expr: Expr, text: str, order: tuple[Index, ...]) -> str:
        """What is the same for every row, as rows of a block over these letters."""
        row = ", ".join(index.axis for index in order[1:])
        if (expr, row) not in self.equal:
            name = self.names.fresh(f"{expr.name if isinstance(expr, Read) else value_name(expr, 'row')}_rows")
            self.equal[expr, row] = name
            self.printer.axes |= {index.axis for index in order[1:]}
            self.before.append(Line(f"{name} = _rows({text}, {self.blocks}, {row})", frozenset(reads(expr))))
        self.measured = True
        return f"{self.equal[expr, row]}[:{self.length}]"

    def full(self, order: tuple[Index, ...], text: str, axis: str) -> str:
        """What is the same along some of its letters, with all of them; `axis` is the blocked one."""
        self.measured = True
        self.printer.axes |= {index.axis for index in order} - {axis}
        shape = ", ".join(self.length if index.axis == axis else index.axis for index in order)
        return f"np.full(({shape}{',' if len(order) == 1 else ''}), {text}, dtype)"

    def spread_lines(self) -> list[Line]:
        """The statements that make the equal rows asked for since the last time."""
        lines, self.before = self.before, []
        return lines

    def rooms(self) -> list[str]:
        """The arrays, as long as the longest block."""
        self.printer.axes |= {axis for room in self.all for axis in room.axes[1:]}
        shapes = [", ".join((f"{self.blocks}[0].stop", *room.axes[1:])) + ("," if len(room.axes) == 1 else "") for room in self.all]
        return [f"{room.name} = np.empty(({shape}), dtype)" for room, shape in zip(self.all, shapes, strict=True)]
