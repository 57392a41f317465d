"""Which totals a value rests on, and at which indices.

In: a Program.  Out: for every value, the totals that must be complete before one element of it can be computed. Pointwise values are seen
through: a loop computes them where it needs them.
"""

from __future__ import annotations

from dataclasses import dataclass

from symbn.codegen.program import Pointwise, Program, Total
from symbn.expr import Expr, Index, Read, walk

Needed = tuple[str, tuple[Index, ...]]


@dataclass(frozen=True, slots=True)
class Needs:
    """The totals of a program by name, and the pointwise values by name."""

    totals: dict[str, Total]
    pointwise: dict[str, Pointwise]
    found: dict[str, tuple[Needed, ...]]

    def of(self, expr: Expr) -> tuple[Needed, ...]:
        """The elements of totals that the expression reads, be it through pointwise values."""
        needed: dict[Needed, None] = {}
        for node in walk(expr):
            if not isinstance(node, Read):
                continue
            if node.name in self.totals:
                needed[node.name, node.indices] = None
            elif node.name in self.pointwise:
                needed |= dict.fromkeys(self._through(node))
        return tuple(needed)

    def _through(self, read: Read) -> list[Needed]:
        value = self.pointwise[read.name]
        if read.name not in self.found:
            self.found[read.name] = self.of(value.expr)
        letters = dict(zip(value.indices, read.indices, strict=True))
        return [(name, tuple(letters[index] for index in indices)) for name, indices in self.found[read.name]]


def needs_of(program: Program) -> Needs:
    """The table for a whole program."""
    totals = {value.name: value for value in program.values if isinstance(value, Total)}
    pointwise = {value.name: value for value in program.values if isinstance(value, Pointwise)}
    return Needs(totals, pointwise, {})
