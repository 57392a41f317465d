"""One C program that calls every function of some headers in every way that they allow, and in some that they forbid.

In: generated headers.  Out: the text of a program, written from what the headers say. It prints nothing and exits with 0 when all is well;
else it names the call and what was wrong. A crash names the call too: it is the last line of standard error.

Every buffer lies between two pages that may not be touched, once flush with the one after it and once with the one before; or, with
-DMALLOC, is allocated by itself, for sanitizers to watch. Outputs and workspaces are full of NaN before each call. With -DTHREADS the
extents are large enough for several threads, and what four compute is, bit by bit, what one computes.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from c_header import Function, Parameter, aliases, functions

# Small enough that all of it takes a second; odd, prime and one, below and above the width of a vector and its multiples.
EXTENTS = ((1, 1, 1, 1), (2, 3, 5, 7), (7, 5, 3, 2), (1, 67, 3, 5), (131, 1, 2, 1), (3, 17, 1, 33), (37, 41, 3, 2), (5, 263, 1, 3))
LONG = 4099  # for functions of a single extent, beside the above
# About 2**17 elements each: enough for threads. By the number of axes.
LARGE = {1: ((131101,),), 2: ((367, 359), (3, 43711), (43711, 3)), 3: ((53, 47, 51), (3, 2, 21851)), 4: ((17, 5, 23, 65), (2, 3, 2, 10939))}
MAKE = r"""
#define _GNU_SOURCE
#include <math.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#ifdef THREADS
#include <omp.h>
#endif

static int side; /* 0: the byte after the buffer may not be touched, 1: the byte before it */

static const char *call = "";

static void fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", call, what);
    exit(1);
}

#define EXPECT(code, calling) do { call = #calling; if ((calling) != (code)) { fail("should return " #code); } } while (0)
#define BYTES(real, name) (sizeof(real)*(size_t)n_##name)
#define WHOLE(real, name) do { if (!whole_##real(name, n_##name)) { fail("an element of " #name " is not written, or NaN"); } } while (0)
#define ALIKE(real, name, found) do { if (!alike_##real(name##_kept, found, n_##name)) { fail(#name " is another one"); } } while (0)
#define UNTOUCHED(real, name) do { if (!untouched(name, BYTES(real, name))) { fail(#name " is written"); } } while (0)
#define UNCHANGED(real, name) do { if (memcmp(name, name##_kept, BYTES(real, name)) != 0) { fail(#name " is written"); } } while (0)
#define SAME(real, name) do { if (memcmp(name, name##_kept, BYTES(real, name)) != 0) { fail(#name " depends on threads"); } } while (0)
#define KEEP(real, name) memcpy(name##_kept, name, BYTES(real, name))
#define RESTORE(real, name) memcpy(name, name##_kept, BYTES(real, name))
#define CLEAR(real, name) memset(name, 0xFF, BYTES(real, name))

static void crashed(int number)
{
    const char *what = number == SIGFPE ? "divides by zero\n" : "leaves its buffers\n";
    if (write(2, call, strlen(call)) < 0 || write(2, ": ", 2) < 0 || write(2, what, strlen(what)) < 0) { _exit(4); }
    _exit(3);
}

#ifdef MALLOC
static void *take(size_t bytes) { return malloc(bytes); }
static void give(void *buffer, size_t bytes) { (void)bytes; free(buffer); }
#else
static size_t whole(size_t bytes)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return (bytes + page - 1)/page*page;
}
static void *take(size_t bytes)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), inner = whole(bytes);
    char *base = (char *)mmap(NULL, inner + 2*page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED || mprotect(base + page, inner, PROT_READ | PROT_WRITE) != 0) { fail("no memory"); }
    return base + page + (side == 0 ? inner - bytes : 0);
}
static void give(void *buffer, size_t bytes)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), inner = whole(bytes);
    char *base = (char *)buffer - (side == 0 ? inner - bytes : 0) - page;
    munmap(base, inner + 2*page);
}
#endif

/* Positive, below 1.25, and never the same twice in a row. */
#define FILL(type) \
static void fill_##type(type *to, ptrdiff_t count, unsigned seed) \
{ \
    for (ptrdiff_t at = 0; at < count; ++at) { \
        seed = seed*1664525u + 1013904223u; \
        to[at] = (type)(0.25 + (double)(seed >> 8)/16777216.0); \
    } \
} \
static int whole_##type(const type *from, ptrdiff_t count) \
{ \
    for (ptrdiff_t at = 0; at < count; ++at) { if (from[at] != from[at]) { return 0; } } \
    return 1; \
} \
static int alike_##type(const type *one, const type *other, ptrdiff_t count) \
{ \
    const double slack = sizeof(type) == 4 ? 1e-4 : 1e-11; \
    for (ptrdiff_t at = 0; at < count; ++at) { \
        const double a = (double)one[at], b = (double)other[at]; \
        if (!(fabs(a - b) <= slack*(1.0 + fabs(a)))) { return 0; } \
    } \
    return 1; \
}
FILL(float)
FILL(double)
typedef uint16_t bf16;
typedef uint16_t f16;
/* The same for numbers of 16 bits, positive and below 1; `large` is infinity. */
#define FILL_HALF(type, quarter, count_of, large) \
static void fill_##type(type *to, ptrdiff_t count, unsigned seed) \
{ \
    for (ptrdiff_t at = 0; at < count; ++at) { \
        seed = seed*1664525u + 1013904223u; \
        to[at] = (type)(quarter + (seed >> 8) % count_of); \
    } \
} \
static int whole_##type(const type *from, ptrdiff_t count) \
{ \
    for (ptrdiff_t at = 0; at < count; ++at) { if ((from[at] & 0x7FFF) > large) { return 0; } } \
    return 1; \
} \
static int alike_##type(const type *one, const type *other, ptrdiff_t count) \
{ \
    for (ptrdiff_t at = 0; at < count; ++at) { if (one[at] > other[at] + 1 || other[at] > one[at] + 1) { return 0; } } \
    return 1; \
}
#ifdef HALVES
FILL_HALF(bf16, 0x3E80u, 0x100u, 0x7F80)
FILL_HALF(f16, 0x3400u, 0x800u, 0x7C00)
#endif

static int untouched(const void *buffer, size_t bytes)
{
    const unsigned char *at = (const unsigned char *)buffer;
    for (size_t place = 0; place < bytes; ++place) { if (at[place] != 0xFF) { return 0; } }
    return 1;
}
"""


def driver(headers: list[Path]) -> str:
    """The program for all functions of the headers; the kernels' sources are compiled beside it."""
    lines = [MAKE, *(f'#include "{path.name}"' for path in headers), ""]
    calls, large = [], []
    for path in headers:
        text = path.read_text(encoding="ascii")
        for function in functions(text):
            stem = function.name.rpartition("_")[0]
            pairs = next((found for direction, found in aliases(text).items() if stem.endswith(f"_{direction}")), [])
            lines += _test(function, pairs)
            lines += _threads(function)
            calls += _calls(function, EXTENTS)
            large += _calls(function, LARGE[len(function.named("extent"))], "threads")
    signals = [f"    signal({name}, crashed);" for name in ("SIGSEGV", "SIGBUS", "SIGFPE")]
    guard = ["#ifndef MALLOC", *signals, "#else", "    (void)crashed; /* the sanitizer has its own */", "#endif"]
    both = ["    for (side = 0; side < 2; ++side) {", *(f"        {call}" for call in calls), "    }"]
    lines += ["int main(void)", "{", *guard, "#ifdef THREADS", *(f"    {call}" for call in large), "#else", *both, "#endif"]
    return "\n".join([*lines, "    return 0;", "}", ""])


def _calls(function: Function, extents: tuple[tuple[int, ...], ...], kind: str = "test") -> Iterator[str]:
    count = len(function.named("extent"))
    more = {(LONG,)} if count == 1 and kind == "test" else set()
    for values in sorted({given[:count] for given in extents} | more):
        yield f"{kind}_{function.name}({', '.join(map(str, values))});"


def _buffers(function: Function) -> Iterator[str]:
    """Arguments under their own names, and a place beside each to keep what it holds."""
    inputs = _arrays(function)
    for number, parameter in enumerate((*inputs, *function.named("output"))):
        name, real = parameter.name, parameter.real
        yield f"    const ptrdiff_t n_{name} = {'*'.join(parameter.axes) or '1'};"
        yield f"    {real} *const {name} = ({real} *)take(BYTES({real}, {name}));"
        yield f"    {real} *const {name}_kept = ({real} *)malloc(BYTES({real}, {name}));"
        if parameter in inputs:
            yield f"    fill_{real}({name}, n_{name}, {number + 1}u);"
            yield f"    KEEP({real}, {name});"
    if function.workspace:
        extents = ", ".join(parameter.name for parameter in function.named("extent"))
        yield f"    const ptrdiff_t n_workspace = {function.workspace}({extents});"
        yield "    double *const workspace = (double *)take(BYTES(double, workspace));"


def _arrays(function: Function) -> list[Parameter]:
    return [parameter for parameter in function.named("input") if parameter.axes]


def _given_back(function: Function) -> Iterator[str]:
    for parameter in (*_arrays(function), *function.named("output")):
        yield f"    give({parameter.name}, BYTES({parameter.real}, {parameter.name}));"
        yield f"    free({parameter.name}_kept);"
    if function.workspace:
        yield "    give(workspace, BYTES(double, workspace));"


def _framed(function: Function, kind: str, statements: Iterator[str]) -> Iterator[str]:
    """A C function of the extents that has all buffers."""
    extents = ", ".join(f"ptrdiff_t {parameter.name}" for parameter in function.named("extent"))
    yield from (f"static void {kind}_{function.name}({extents or 'void'})", "{", *_buffers(function))
    yield from (f"    {line};" for line in statements)
    yield from (*_given_back(function), "}", "")


def _test(function: Function, pairs: list[tuple[str, str]]) -> Iterator[str]:
    """Every way to call it, with small extents."""

    def statements() -> Iterator[str]:
        inputs, outputs = _arrays(function), function.named("output")
        yield from _good(function, inputs, outputs)
        yield from _forbidden(function, inputs, outputs)
        yield from _overlaid(function, pairs)

    yield from ("#ifndef THREADS", *_framed(function, "test", statements()), "#endif")


def _threads(function: Function) -> Iterator[str]:
    """One thread, then four."""

    def statements() -> Iterator[str]:
        names = {parameter.name: parameter.real for parameter in function.named("output")}
        for count in (1, 4):
            yield from (f"omp_set_num_threads({count})", *_clear(function), _expect(function, 0))
            yield from (f"{'KEEP' if count == 1 else 'SAME'}({real}, {name})" for name, real in names.items())
        yield from (f"WHOLE({real}, {name})" for name, real in names.items())

    yield from ("#ifdef THREADS", *_framed(function, "threads", statements()), "#endif")


def _expect(function: Function, code: int, **changes: str) -> str:
    """A call with some arguments in place of the usual ones, and what it should return."""
    arguments = [changes.get(p.name, "0.75" if p.kind == "scalar" else p.name) for p in function.parameters]
    return f"EXPECT({code}, {function.name}({', '.join(arguments)}))"


def _clear(function: Function) -> Iterator[str]:
    yield from (f"CLEAR({parameter.real}, {parameter.name})" for parameter in function.named("output"))
    yield from (["CLEAR(double, workspace)"] if function.workspace else [])


def _good(function: Function, inputs: list[Parameter], outputs: list[Parameter]) -> Iterator[str]:
    """All outputs, none, and each alone; every element is written, no input is."""
    names = {parameter.name: parameter.real for parameter in outputs}
    null = dict.fromkeys(names, "NULL")
    for changes in ({}, null, *({key: value for key, value in null.items() if key != name} for name in names)):
        yield from _clear(function)
        yield _expect(function, 0, **changes)
        for name, real in names.items():
            if name in changes:
                yield f"UNTOUCHED({real}, {name})"
            else:
                yield f"WHOLE({real}, {name})"
                yield f"ALIKE({real}, {name}, {name})" if changes else f"KEEP({real}, {name})"
        yield from (f"UNCHANGED({parameter.real}, {parameter.name})" for parameter in inputs)


def _forbidden(function: Function, inputs: list[Parameter], outputs: list[Parameter]) -> Iterator[str]:
    """Extents below 1, inputs that are NULL, no workspace: a code, and nothing is written."""
    yield from _clear(function)
    for parameter in function.named("extent"):
        yield from (_expect(function, 1, **{parameter.name: value}) for value in ("0", "-1", "PTRDIFF_MIN"))
    yield from (_expect(function, 2, **{parameter.name: "NULL"}) for parameter in inputs)
    yield from ([_expect(function, 3, workspace="NULL")] if function.workspace else [])
    yield from (f"UNTOUCHED({parameter.real}, {parameter.name})" for parameter in outputs)


def _overlaid(function: Function, pairs: list[tuple[str, str]]) -> Iterator[str]:
    """Each output that may be the memory of an input, in it; all results are as before."""
    for output, source in pairs:
        yield from _clear(function)
        yield _expect(function, 0, **{output: source})
        for parameter in function.named("output"):
            yield f"ALIKE({parameter.real}, {parameter.name}, {source if parameter.name == output else parameter.name})"
        real = next(parameter.real for parameter in function.parameters if parameter.name == source)
        yield f"RESTORE({real}, {source})"
