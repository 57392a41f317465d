"""Innermost loops, in the arrays' own type.

In: a loop whose body is arithmetic on elements alone.  Out: lines that a compiler turns into vector instructions as they stand.

A sum is taken in lanes: element i goes to lane i modulo the number of lanes, so that neighbors do not wait for each other. After each chunk
of elements the lanes are added to others in double, which for lanes in double carry what they lose. A sum that is subtracted from elements,
as the mean in x - mu, goes to these at once: its error would be the difference's.

An output is computed block by block: in place, or in a block of the stack where the caller does not want it, or where it is so large that
it should pass by the caches.

A double from outside of the loop becomes a float before it. In a difference of an element and such a number, x - mu, the number is taken as
the float nearest to it and the rest: then the difference is as exact as float can say it, whatever the size of mu.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from symbn.codegen.printers.infix import POWER, SUM
from symbn.codegen.program import Accumulate, Assign, Load, Statement, Store, Sweep
from symbn.codegen.views.c_text import INDENT, indented, occurs
from symbn.codegen.walk import accumulated, everything, expression, stored
from symbn.expr import MINUS_ONE, Add, Call, Expr, Index, Mul, Num, Read, mul, reads, walk

if TYPE_CHECKING:
    from symbn.codegen.views.c_statements import Statements

# What a float can hold with all its digits.
SMALLEST, LARGEST = 2.0**-126, 2.0**127
# Functions that take as many instructions as a dozen additions.
SLOW = frozenset({"exp", "expm1", "log", "log1p", "tanh", "sigmoid", "erf", "sin", "cos"})
OVER_LANES = {"max": "maximum", "min": "minimum"}


def shape_of(sweep: Sweep, arrays: Mapping[str, tuple[str, ...]], buffers: Collection[str], real: str) -> str:
    """"lanes" for a loop that only sums, "blocks" for one that only writes whole rows, else "plain"."""
    if any(isinstance(statement, Sweep) for statement in sweep.body) or not all(fits(s, real) for s in sweep.body):
        return "plain"
    stores = stored(sweep)
    if not stores:
        return "lanes"
    last = all(store.indices[-1:] == (sweep.index,) and sweep.index not in store.indices[:-1] for store in stores)
    return "blocks" if last and not accumulated(sweep) else "plain"


def subtracted(body: Sequence[Statement]) -> frozenset[str]:
    """The numbers from outside of a loop that it subtracts elements from, or that are subtracted from elements."""
    found: set[str] = set()
    assigned = {s.name: s.expr for s in everything(body) if isinstance(s, Assign)}
    for sweep in everything(body):
        if not isinstance(sweep, Sweep):
            continue
        loads = {s.name for s in sweep.body if isinstance(s, Load)}
        for expr in filter(None, map(expression, sweep.body)):
            pairs = [tuple(map(_scalar, node.terms)) for node in walk(expr) if isinstance(node, Add) and len(node.terms) == 2]
            found |= {name for pair in pairs if loads & set(pair) for name in pair if name is not None and name not in loads}
    for name in reversed(assigned):
        found |= set(reads(assigned[name])) if name in found else set()
    return frozenset(found)


def fits(statement: Statement, real: str) -> bool:
    """Whether the statement's constants are numbers of the type."""
    expr = expression(statement)
    numbers = [node.value for node in walk(expr) if isinstance(node, Num)] if expr is not None else []
    return real == "double" or all(value == 0 or SMALLEST <= abs(value) <= LARGEST for value in numbers)


class Elements:
    """Writes one innermost loop; `letters` says what stands for an index in its arrays instead of its own letter."""

    def __init__(self, statements: Statements, sweep: Sweep) -> None:
        self.outer, self.sweep, self.names = statements, sweep, statements.names
        self.printer = statements.printer.of(statements.real)
        self.real, self.macro = statements.real, statements.printer.macro
        self.inner = {s.name for s in sweep.body if isinstance(s, (Load, Assign))}
        self.loads = {s.name for s in sweep.body if isinstance(s, Load)}
        self.copies: dict[str, str] = {}
        self.place = statements.names.lane
        self.letters: dict[Index, str] = {}

    def lines(self, first: str, last: str) -> list[str]:
        """The loop from `first` to before `last`."""
        made = self._blocks(first, last) if stored(self.sweep) else self._lanes(first, last)
        return [*self._fresh_copies(), *made]

    def _fresh_copies(self) -> list[str]:
        """The copies that no loop before has made."""
        known = {name for block in self.outer.blocks for name in block}
        fresh = {name: text for name, text in self.copies.items() if name not in known}
        self.outer.blocks[-1] |= set(fresh)
        return list(fresh.values())

    def _lanes(self, first: str, last: str) -> list[str]:
        kinds = {s.name: s.kind for s in self.sweep.body if isinstance(s, Accumulate)}
        chunked = [name for name, kind in kinds.items() if kind not in OVER_LANES and name not in self.outer.wide]
        names, lane, size = self.names, self.names.lane, f"{self.macro}_LANES"
        start, end = (names.chunk, names.end) if chunked else (first, last)
        once, again = self._body(), self._body()
        loop = [
            f"ptrdiff_t {names.done} = {start};",
            "",
            f"for (; {names.done} + {size} <= {end}; {names.done} += {size}) {{",
            f"{INDENT}for (int {lane} = 0; {lane} < {size}; ++{lane}) {{",
            *indented(indented(self._at(names.done, once))),
            f"{INDENT}}}",
            "}",
            f"for (int {lane} = 0; {names.done} + {lane} < {end}; ++{lane}) {{",
            *indented(self._at(names.done, again)),
            "}",
        ]
        if not chunked:
            return ["{", *indented(loop), "}"]
        limit = f"const ptrdiff_t {end} = {start} + {self._width(last, 'CHUNK')};"
        starts = [self._start_chunk(name, size) for name in chunked]
        ends = [self._end_chunk(name, names.lanes(name), names.lanes_low(name), size) for name in chunked]
        return self._chunks(first, last, "CHUNK", [limit, *starts, *loop, *ends])

    def _start_chunk(self, name: str, size: str) -> str:
        return f"{self.real} {self.names.of_chunk(name)}[{size}] = {{{self.printer.zero()}}};"

    def _end_chunk(self, name: str, sums: str, low: str, width: str) -> str:
        """Adds a chunk's sums to those in double, which for a chunk in double carry what they lose."""
        chunk, helper = self.names.of_chunk(name), self.outer.printer.helper
        if self.real == "double":
            return f"{helper('carry')}({sums}, {low}, {chunk}, {width});"
        if sums == self.names.lanes(name):
            return f"{helper('widen')}({sums}, {chunk});"
        return f"{helper('widen_columns')}({sums}, {chunk}, {width});"

    def _blocks(self, first: str, last: str) -> list[str]:
        names, lane = self.names, self.names.lane
        past = "" if _is_slow(self.sweep) else "stream"
        before, after = self._targets({self.sweep.index: names.chunk}, f"{self.macro}_BLOCK", names.width, past)
        ahead = self.outer.ahead
        block = [
            f"const ptrdiff_t {names.width} = {self._width(last, 'BLOCK')};",
            *before,
            "",
            *(ahead.lines(self.outer) if ahead is not None and ahead.writer is self.sweep else []),
            f"{self.macro}_INDEPENDENT",
            f"for (ptrdiff_t {lane} = 0; {lane} < {names.width}; ++{lane}) {{",
            *indented(self._at(names.chunk, self._body())),
            "}",
            *after,
        ]
        return self._chunks(first, last, "BLOCK", block)

    def _targets(self, letters: Mapping[Index, str], size: str, width: str, past: str) -> tuple[list[str], list[str]]:
        """Where the outputs' part is computed, and how it gets to its place afterwards where it passes by the caches: where `past` holds.

        The part starts at `letters`; it has `width` elements, and `size` at most.
        """
        names, before, after = self.names, [], []
        for store in stored(self.sweep):
            if store.array in self.outer.buffers:
                continue
            array, block, at = store.array, names.block(store.array), f"&{self.outer.element(store.array, store.indices, letters)}"
            real = self.outer.ctype(store.array)
            before.append(f"{real} {block}[{size}];")
            before.append(f"{real} *const {names.to(array)} = {array} == NULL{f' || {past}' if past else ''} ? {block} : {at};")
            call = f"{self.printer.prefix}stream({self._line(array)}, {at}, {block}, sizeof({real})*(size_t){width});"
            after += [f"if ({array} != NULL && {past}) {{", f"{INDENT}{call}", "}"] if past else []
        return before, after

    def _line(self, array: str) -> str:
        """Where the end of an output waits for what follows it in memory."""
        return f"&{self.names.line(array)}"

    def _chunks(self, first: str, last: str, size: str, body: list[str]) -> list[str]:
        chunk = self.names.chunk
        head = f"for (ptrdiff_t {chunk} = {first}; {chunk} < {last}; {chunk} += {self.macro}_{size}) {{"
        return [head, *indented(body), "}"]

    def _width(self, last: str, size: str) -> str:
        """How many elements a chunk has."""
        return f"{self.outer.printer.helper('least')}({last} - {self.names.chunk}, {self.macro}_{size})"

    def _at(self, start: str, body: list[str]) -> list[str]:
        return self._lettered(self.sweep.index.name, start, body)

    def _lettered(self, letter: str, start: str, body: list[str]) -> list[str]:
        """The body, after the loop's letter where it has one."""
        return [*([f"const ptrdiff_t {letter} = {start} + {self.names.lane};"] if occurs(letter, body) else []), *body]

    def _body(self) -> list[str]:
        return [line for statement in self.sweep.body for line in self._statement(statement)]

    def _statement(self, statement: Statement) -> list[str]:
        match statement:
            case Load(name, array, indices):
                return [f"const {self.real} {name} = {self.outer.number(array, indices, self.real, self.letters)};"]
            case Assign(name, expr, source):
                return [*self.outer.comment(source), f"const {self.real} {name} = {self.printer.text(self._narrow(expr))};"]
            case Accumulate(name, kind, expr):
                return [self._accumulate(name, kind, self._narrow(expr))]
            case Store(array, indices, expr) if array in self.outer.buffers:
                return [f"{self.outer.element(array, indices, self.letters)} = {self._widened(self._narrow(expr))};"]
            case Store(array, _, expr):
                value = self.outer.packed(array, self.printer.text(self._narrow(expr)))
                return [f"{self.names.to(array)}[{self.place}] = {value};"]
        raise TypeError(statement)

    def _accumulate(self, name: str, kind: str, expr: Expr) -> str:
        lanes, lane = self.names.lanes(name), self.names.lane
        if kind in OVER_LANES:
            return f"{lanes}[{lane}] = {self.printer.helper(OVER_LANES[kind])}({self.printer.text(expr)}, {lanes}[{lane}]);"
        if name not in self.outer.wide:
            return f"{self.names.of_chunk(name)}[{lane}] += {self.printer.at(expr, SUM)};"
        if self.real == "float":
            return f"{lanes}[{lane}] += {self._widened(expr)};"
        return f"{self.printer.helper('add')}(&{lanes}[{lane}], &{self.names.lanes_low(name)}[{lane}], {self.printer.text(expr)});"

    def _widened(self, expr: Expr) -> str:
        return f"(double){self.printer.at(expr, POWER)}" if self.real == "float" else self.printer.text(expr)

    def _narrow(self, expr: Expr) -> Expr:
        """The expression over names of the loop's own type."""
        if self.real == "double":
            return expr
        if isinstance(expr, Read):
            return expr if expr.name in self.inner else Read(self._copy(expr.name))
        if isinstance(expr, Add) and len(expr.terms) == 2:
            exact = self._difference(*expr.terms)
            if exact is not None:
                return exact
        return expr.rebuild(tuple(self._narrow(child) for child in expr.children)) if expr.children else expr

    def _difference(self, left: Expr, right: Expr) -> Expr | None:
        """x - mu as (x - high) - low, mu - x as (high - x) + low."""
        element, other = (left, right) if self._is_element(left) else (right, left)
        name = _scalar(other)
        if not self._is_element(element) or name is None or name in self.inner | self.outer.exact:
            return None
        high, low = self._halves(name)
        sign = (MINUS_ONE,) if isinstance(other, Mul) else ()
        first, second = mul(*sign, Read(high)), mul(*sign, Read(low))
        return Add((element, first, second)) if element is left else Add((first, element, second))

    def _halves(self, name: str) -> tuple[str, str]:
        """The nearest float, and what is left."""
        high, low = self.names.high(name), self.names.low(name)
        self.copies[high] = f"const float {high} = (float){name};"
        self.copies[low] = f"const float {low} = {self.outer.printer.helper('low')}({name});"
        return high, low

    def _is_element(self, expr: Expr) -> bool:
        return _scalar(expr) in self.loads

    def _copy(self, name: str) -> str:
        copy = self.names.copy(name)
        self.copies[copy] = f"const float {copy} = (float){name};"
        return copy


def _is_slow(sweep: Sweep) -> bool:
    """Whether arithmetic is what takes the time: then stores past the caches would have to wait for it, and it for them."""
    nodes = (node for s in sweep.body if (expr := expression(s)) is not None for node in walk(expr))
    return any(isinstance(node, Call) and node.function in SLOW for node in nodes)


def _scalar(expr: Expr) -> str | None:
    """The name in `x` or `-x`."""
    match expr:
        case Read(name):
            return name
        case Mul((Num(value), Read(name))) if value == -1:
            return name
    return None
