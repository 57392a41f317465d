"""The intermediate representation of a kernel, on one page.

In: nothing.  Out: frozen records, at two levels. `lower` makes a Program out of formulas, `schedule` makes Loops out of a Program, and
the printers turn either into text.

Formulas, for targets that work on whole arrays:

    Program    = Program(layer, direction, axes, arguments, values, outputs)
    Value      = Pointwise(name, indices, expr)                  one value an element; `expr` has no reduction
               | Total(name, indices, kind, expr, bound)         kind over `bound` of `expr`, which has no reduction either

Loops, for targets that work on elements; an expression's leaves are scalars, so every read of an array is a statement:

    Loops      = Loops(buffers, body)
    Statement  = Sweep(index, body)                              for every value of the index, in order
               | Joined(columns, rows, buffers)               two loops over the same rows, outermost only
               | Load(name, array, indices)                      name = array[indices]
               | Assign(name, expr)                              name = expr
               | Start(name, kind)                               an accumulator at the neutral element of its kind
               | Accumulate(name, kind, expr)                    one more term
               | Finish(name, kind, axes)                        the accumulator becomes the value; a mean is divided by its extents
               | Store(array, indices, expr)                     array[indices] = expr, where the caller wants the array

What it cannot express: a branch, a loop that stops early, a value that is assigned twice, an index that is not a loop's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from symbn.expr import Expr, Index
from symbn.layer import Definition

INPUT, SAVED, CONSTANT = "input", "saved", "constant"


@dataclass(frozen=True, slots=True)
class Argument:
    """An array or scalar that the kernel reads: an input of its pass, a value that the forward pass saved, or a constant."""

    name: str
    axes: tuple[str, ...]
    role: str
    default: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Output:
    """An array or scalar that the kernel writes; `saved` when it is kept for the backward pass and is no result of its own."""

    name: str
    axes: tuple[str, ...]
    saved: bool = False


@dataclass(frozen=True, slots=True)
class Pointwise:
    """`name[indices] = expr`. `source` is the author's definition, where the value is one."""

    name: str
    indices: tuple[Index, ...]
    expr: Expr
    source: Definition | None = None


@dataclass(frozen=True, slots=True)
class Total:
    """`name[indices] = kind(expr for bound)`."""

    name: str
    indices: tuple[Index, ...]
    kind: str
    expr: Expr
    bound: tuple[Index, ...]
    source: Definition | None = None


Value = Pointwise | Total


@dataclass(frozen=True, slots=True)
class Program:
    """One pass of a layer; each value reads arguments and earlier values.

    `layer` is what its functions' names start with, `direction` the rest, such as "forward" or "backward" (see variant.py).
    """

    layer: str
    direction: str
    axes: tuple[str, ...]
    arguments: tuple[Argument, ...]
    values: tuple[Value, ...]
    outputs: tuple[Output, ...]


@dataclass(frozen=True, slots=True)
class Buffer:
    """Working memory for a value that is needed again in another order than it is made; with `parts`, once for each part of a loop."""

    name: str
    axes: tuple[str, ...]
    parts: bool = False


@dataclass(frozen=True, slots=True)
class Load:
    """One element, read once."""

    name: str
    array: str
    indices: tuple[Index, ...]


@dataclass(frozen=True, slots=True)
class Assign:
    """A local scalar."""

    name: str
    expr: Expr
    source: Definition | None = None


@dataclass(frozen=True, slots=True)
class Start:
    """An accumulator before its first term; `total` says what it will hold."""

    name: str
    total: Total


@dataclass(frozen=True, slots=True)
class Accumulate:
    """One more term of an accumulator."""

    name: str
    kind: str
    expr: Expr


@dataclass(frozen=True, slots=True)
class Finish:
    """The accumulator becomes the value of its reduction over `axes`."""

    name: str
    kind: str
    axes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Store:
    """One element, written once: of an output, or of a buffer."""

    array: str
    indices: tuple[Index, ...]
    expr: Expr
    source: Definition | None = None


@dataclass(frozen=True, slots=True)
class Sweep:
    """A loop over the whole axis of `index`."""

    index: Index
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Joined:
    """Two loops that are run a few rows at a time: sums over rows for each column, kept in `buffers`, and a loop over those rows.

    With `rows_first` the sums need what the loop over rows makes of their row.
    """

    columns: Sweep
    rows: Sweep
    buffers: tuple[Buffer, ...]
    rows_first: bool = False


Statement = Sweep | Joined | Load | Assign | Start | Accumulate | Finish | Store


@dataclass(frozen=True, slots=True)
class Loops:
    """A scheduled kernel."""

    buffers: tuple[Buffer, ...]
    body: tuple[Statement, ...]
