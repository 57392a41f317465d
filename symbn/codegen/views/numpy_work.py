"""Memory for what is computed of a block and not kept.

In: requests for places of a block's shape.  Out: names; as few arrays as are needed at once.
"""

from __future__ import annotations

from dataclasses import dataclass

from symbn.codegen.naming import Names
from symbn.codegen.printers.numpy import NumpyPrinter
from symbn.expr import Index


@dataclass(slots=True)
class Room:
    """An array, its axes, and who has it."""

    name: str
    part: str
    axes: tuple[str, ...]
    holder: str | None = None
    lasting: bool = False


class Work:
    """Lends rooms. A named value keeps its room until nothing reads it; other places are taken back at once."""

    def __init__(self, names: Names, block: str) -> None:
        self.names, self.block = names, block
        self.all: list[Room] = []

    def lend(self, order: tuple[Index, ...], lines: list[str], name: str | None = None) -> str:
        """A place over these letters, the blocked one first: `name`, or a name of its own."""
        axes = tuple(index.axis for index in order)
        room = next((room for room in self.all if room.axes == axes and room.holder is None), None)
        if room is None:
            room = Room(self.names.fresh("work"), self.names.fresh("part"), axes)
            self.all.append(room)
        room.holder, room.lasting = name or room.part, name is not None
        lines.append(f"{room.holder} = {room.name}[:{self.block}.stop - {self.block}.start]")
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

    def rooms(self, blocks: str, printer: NumpyPrinter) -> list[str]:
        """The arrays, as long as the longest block."""
        printer.axes |= {axis for room in self.all for axis in room.axes[1:]}
        shapes = [", ".join((f"{blocks}[0].stop", *room.axes[1:])) + ("," if len(room.axes) == 1 else "") for room in self.all]
        return [f"{room.name} = np.empty(({shape}), dtype)" for room, shape in zip(self.all, shapes, strict=True)]
