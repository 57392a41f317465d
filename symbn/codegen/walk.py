"""Walks over statements.

In: statements.  Out: those inside them, loops entered.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from symbn.codegen.program import Accumulate, Assign, Joined, Load, Statement, Store, Sweep
from symbn.expr import Expr


def everything(body: Iterable[Statement]) -> Iterator[Statement]:
    """Each statement, a loop before what is in it."""
    for statement in body:
        yield statement
        if isinstance(statement, Sweep):
            yield from everything(statement.body)
        elif isinstance(statement, Joined):
            yield from everything((statement.columns, statement.rows))


def stored(sweep: Sweep) -> tuple[Store, ...]:
    """The stores within a loop."""
    return tuple(s for s in everything(sweep.body) if isinstance(s, Store))


def loaded(sweep: Sweep) -> tuple[Load, ...]:
    """The loads within a loop."""
    return tuple(s for s in everything(sweep.body) if isinstance(s, Load))


def accumulated(sweep: Sweep) -> tuple[str, ...]:
    """The accumulators that a loop adds to, each once."""
    return tuple(dict.fromkeys(s.name for s in everything(sweep.body) if isinstance(s, Accumulate)))


def expression(statement: Statement) -> Expr | None:
    """What a statement computes, if anything."""
    return statement.expr if isinstance(statement, (Assign, Accumulate, Store)) else None
