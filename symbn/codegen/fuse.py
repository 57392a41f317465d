"""Loops that read the same rows, joined.

In: the statements of a kernel.  Out: the same, where sums over rows for each column, and a loop over those rows that needs none of
the sums, have become one Joined: what is read from memory for one is still in the cache for the other. The sums may need what the loop
makes of their row; then they come after it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from symbn.codegen.naming import Names
from symbn.codegen.program import Accumulate, Assign, Buffer, Finish, Joined, Load, Loops, Start, Statement, Store, Sweep
from symbn.codegen.walk import everything, loaded, stored
from symbn.expr import Index, reads

SUMS = ("sum", "mean")


def fused(loops: Loops, names: Names) -> Loops:
    """The kernel with its outermost loops joined where that saves reading."""
    body: list[Statement] = []
    buffers = list(loops.buffers)
    waiting = list(loops.body)
    while waiting:
        statement = waiting.pop(0)
        position = next((place for place, later in enumerate(waiting) if not _constant(later)), len(waiting))
        pair = _pair(statement, waiting[position], {buffer.name for buffer in loops.buffers}) if position < len(waiting) else None
        if pair is None:
            body.append(statement)
            continue
        columns, rows = pair
        sums = [s.name for s in columns.body if isinstance(s, Start)]
        parts = tuple(Buffer(names.fresh(f"{name}_parts"), (columns.index.axis,), parts=True) for name in sums)
        body += [*waiting[:position], Joined(columns, rows, parts, rows_first=rows is statement)]
        buffers += parts
        waiting = waiting[position + 1 :]
    return Loops(tuple(buffers), tuple(body))


def _constant(statement: Statement) -> bool:
    """A number that needs nothing."""
    return isinstance(statement, Assign) and not reads(statement.expr)


def unfused(body: Sequence[Statement]) -> tuple[Statement, ...]:
    """The statements with joined loops one after the other."""
    return tuple(part for statement in body for part in _parts(statement))


def _parts(statement: Statement) -> Iterator[Statement]:
    if isinstance(statement, Joined):
        yield from (statement.rows, statement.columns) if statement.rows_first else (statement.columns, statement.rows)
    else:
        yield statement


def _pair(first: Statement, second: Statement, buffers: set[str]) -> tuple[Sweep, Sweep] | None:
    """Two loops as (columns, rows), where both belong together."""
    if not isinstance(first, Sweep) or not isinstance(second, Sweep):
        return None
    for columns, rows in ((first, second), (second, first)):
        if _sums_columns(columns):
            (inner,) = (s for s in columns.body if isinstance(s, Sweep))
            together = inner.index.axis == rows.index.axis and _common(columns, inner.index, rows)
            if together and _row_by_row(columns, inner.index, rows, buffers):
                return columns, rows
    return None


def _row_by_row(columns: Sweep, row: Index, rows: Sweep, buffers: set[str]) -> bool:
    """Whether a turn of either loop needs of working memory only what belongs to its own row."""
    kept = [store for store in stored(rows) if store.array in buffers]
    made = {store.array for store in kept}
    own = all(store.indices[:1] == (rows.index,) for store in kept)
    needed = [load for load in loaded(columns) if load.array in made]
    return own and all(load.indices[:1] == (row,) for load in needed) and all(store.array not in buffers for store in stored(columns))


def _sums_columns(sweep: Sweep) -> bool:
    """Sums over rows of what is read at (row, column) or once a row."""
    starts = [s for s in sweep.body if isinstance(s, Start)]
    inner = [s for s in sweep.body if isinstance(s, Sweep)]
    if len(inner) != 1 or not starts or any(start.total.kind not in SUMS for start in starts):
        return False
    before = sweep.body[: sweep.body.index(inner[0])]
    plain = all(isinstance(s, (Load, Assign, Accumulate)) for s in inner[0].body)
    places = [load.indices for load in loaded(inner[0]) if sweep.index in load.indices]
    last = all(indices == (inner[0].index, sweep.index) for indices in places)
    finished = all(isinstance(s, (Load, Assign, Finish, Store)) for s in sweep.body[sweep.body.index(inner[0]) + 1 :])
    return plain and last and bool(places) and finished and all(isinstance(s, Start) for s in before)


def _common(columns: Sweep, row: Index, rows: Sweep) -> bool:
    """Whether both read a whole array row by row."""
    first = {load.array for load in loaded(columns) if load.indices[:1] == (row,) and len(load.indices) > 1}
    second = {load.array for s in everything(rows.body) if isinstance(s, Sweep) for load in loaded(s) if load.indices[:1] == (rows.index,)}
    return bool(first & second)
