"""The names that C adds to those of the loops.

In: a pass's signature and the names it has.  Out: names for bounds, chunks, lanes, copies; each says what it holds.
"""

from __future__ import annotations

from symbn.codegen.naming import Names
from symbn.codegen.views.c_signature import Signature


class LocalNames:
    """Names that are the same throughout a pass, and those that belong to another name."""

    def __init__(self, signature: Signature, names: Names) -> None:
        self.names = names
        self.first, self.last = names.fresh("first"), names.fresh("last")
        self.part, self.parts, self.sums = names.fresh("part"), names.fresh("parts"), names.fresh("sums")
        self.chunk, self.end, self.done = names.fresh("chunk"), names.fresh("chunk_end"), names.fresh("done")
        self.at = names.fresh("at")
        self.block_first, self.block_end = names.fresh("block"), names.fresh("block_end")
        self.row, self.number, self.rows = names.fresh("row"), names.fresh("number"), names.fresh("rows")
        self.blocks, self.pieces = names.fresh("blocks"), names.fresh("pieces")
        self.column, self.columns = names.fresh("column"), names.fresh("columns")
        self.piece, self.piece_end = names.fresh("piece"), names.fresh("piece_end")
        self.step, self.past = names.fresh("step"), names.fresh("past")
        self.fold, self.wide, self.start = names.fresh("fold"), names.fresh("wide"), names.fresh("start")
        self.plane, self.ahead = names.fresh("plane"), names.fresh("ahead")
        self.lane, self.width = names.fresh("lane"), names.fresh("width")
        self._made: dict[tuple[str, str], str] = {}

    def low(self, name: str) -> str:
        """What an accumulator's additions have lost, or what its float has."""
        return self._of(name, "low")

    def lanes(self, name: str) -> str:
        """An accumulator's lanes."""
        return self._of(name, "lanes")

    def lanes_low(self, name: str) -> str:
        """What the lanes have lost."""
        return self._of(name, "lanes_low")

    def of_columns(self, name: str) -> str:
        """An accumulator for each column of a block."""
        return self._of(name, "columns")

    def columns_low(self, name: str) -> str:
        """What the columns' accumulators have lost."""
        return self._of(name, "columns_low")

    def of_part(self, array: str) -> str:
        """The array of a part's own sums."""
        return self._of(array, "part")

    def of_rows(self, name: str) -> str:
        """An accumulator of a few rows."""
        return self._of(name, "rows")

    def kept(self, name: str) -> str:
        """A number of each column of a block."""
        return self._of(name, "kept")

    def of_each(self, name: str, what: str) -> str:
        """A number of each row of a block: as one number, or as the two floats `high` and `low`."""
        return self._of(name, f"each{what}")

    def of_chunk(self, name: str) -> str:
        """An accumulator's lanes within a chunk."""
        return self._of(name, "chunk")

    def block(self, name: str) -> str:
        """The part of an output that is being computed."""
        return self._of(name, "block")

    def to(self, name: str) -> str:
        """Where the output's part is computed."""
        return self._of(name, "to")

    def line(self, name: str) -> str:
        """Where an output that passes by the caches ends so far."""
        return self._of(name, "line")

    def copy(self, name: str) -> str:
        """A double as a float."""
        return self._of(name, "f")

    def high(self, name: str) -> str:
        """The float nearest to a double."""
        return self._of(name, "high")

    def _of(self, name: str, what: str) -> str:
        if (name, what) not in self._made:
            self._made[name, what] = self.names.fresh(f"{name}_{what}")
        return self._made[name, what]
