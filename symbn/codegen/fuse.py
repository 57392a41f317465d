"""Loops that read the same rows, joined.

In: the statements of a kernel.  Out: the same, where sums over rows for each column, and a loop over those rows that needs none of
the sums, have become one Joined: what is read from memory for one is still in the cache for the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from symbn.codegen.naming import Names
from symbn.codegen.program import Accumulate, Assign, Buffer, Finish, Joined, Load, Loops, Start, Statement, Store, Sweep
from symbn.codegen.walk import everything, expression, loaded, stored
from symbn.expr import Index, reads

SUMS = ("sum", "mean")


def fused(loops: Loops, names: Names) -> Loops:
    """The kernel with its outermost loops joined where that saves reading."""
    body: list[Statement] = []
    buffers = list(loops.buffers)
    waiting = list(loops.body)
    while waiting:
        statement = waiting.pop(0)
        partner = _partner(statement, waiting, {buffer.name for buffer in loops.buffers}) if isinstance(statement, Sweep) else None
        if not isinstance(statement, Sweep) or partner is None:
            body.append(statement)
            continue
        sums = [s.name for s in statement.body if isinstance(s, Start)]
        parts = tuple(Buffer(names.fresh(f"{name}_parts"), (statement.index.axis,), parts=True) for name in sums)
        body.append(Joined(statement, partner, parts))
        buffers += parts
        waiting.remove(partner)
    return Loops(tuple(buffers), tuple(body))


def unfused(body: Sequence[Statement]) -> tuple[Statement, ...]:
    """The statements with joined loops one after the other."""
    return tuple(part for statement in body for part in _parts(statement))


def _parts(statement: Statement) -> Iterator[Statement]:
    if isinstance(statement, Joined):
        yield statement.columns
        yield statement.rows
    else:
        yield statement


def _partner(columns: Sweep, later: Sequence[Statement], buffers: set[str]) -> Sweep | None:
    """The next loop, where both belong together."""
    rows = later[0] if later else None
    if not isinstance(rows, Sweep) or not _sums_columns(columns):
        return None
    (inner,) = (s for s in columns.body if isinstance(s, Sweep))
    if inner.index.axis != rows.index.axis or any(store.array in buffers for store in (*stored(columns), *stored(rows))):
        return None
    return rows if _common(columns, inner.index, rows) else None


def _sums_columns(sweep: Sweep) -> bool:
    """Sums over rows, each read at (row, column), that need nothing of a column but what they read."""
    starts = [s for s in sweep.body if isinstance(s, Start)]
    inner = [s for s in sweep.body if isinstance(s, Sweep)]
    if len(inner) != 1 or not starts or any(start.total.kind not in SUMS for start in starts):
        return False
    before = sweep.body[: sweep.body.index(inner[0])]
    plain = all(isinstance(s, (Load, Assign, Accumulate)) for s in inner[0].body)
    made = {s.name for s in (*before, *inner[0].body) if isinstance(s, (Load, Assign, Start))}
    read = {name for s in inner[0].body if (expr := expression(s)) is not None for name in reads(expr)}
    places = [load.indices for load in loaded(inner[0]) if sweep.index in load.indices]
    last = all(indices == (inner[0].index, sweep.index) for indices in places)
    finished = all(isinstance(s, (Finish, Store)) for s in sweep.body[sweep.body.index(inner[0]) + 1 :])
    return plain and last and bool(places) and finished and all(isinstance(s, Start) for s in before) and read <= made


def _common(columns: Sweep, row: Index, rows: Sweep) -> bool:
    """Whether both read a whole array row by row."""
    first = {load.array for load in loaded(columns) if load.indices[:1] == (row,) and len(load.indices) > 1}
    second = {load.array for s in everything(rows.body) if isinstance(s, Sweep) for load in loaded(s) if load.indices[:1] == (rows.index,)}
    return bool(first & second)
