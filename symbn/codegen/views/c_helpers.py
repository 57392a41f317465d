"""Helper functions of a C file.

In: which helpers the statements call, and for which type.  Out: their text, each before what calls it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from symbn.codegen.views.c_halves import HALVES
from symbn.codegen.views.c_text import Helper


@dataclass(frozen=True, slots=True)
class Function:
    """One function: comment, declaration and body as lines."""

    comment: tuple[str, ...]
    declaration: tuple[str, ...]
    body: tuple[str, ...]


def _expression(parameters: str, text: str) -> Helper:
    return Helper("{real}", parameters, (f"return {text};",))


_ONE, _TWO = "{real} a", "{real} a, {real} b"


def _extremum(name: str) -> Helper:
    body = (
        "{real} found = lanes[0];",
        "",
        "for (int lane = 1; lane < {lanes}; ++lane) {{",
        f"    found = {{prefix}}{name}{{f}}(lanes[lane], found);",
        "}}",
        "return found;",
    )
    return Helper("double", "const {real} *lanes", body, (f"The {name} of all lanes.",), ((name, None),))


HELPERS: Mapping[str, Helper] = MappingProxyType(
    {
        **HALVES,
        "exp": Helper(
            "float",
            "float a",
            (
                "const float low = a < -87.5F ? -87.5F : a;",
                "const float inside = low > 89.0F ? 89.0F : low;",
                "const float shifted = (inside*1.44269504F - 0.5F) + 12582912.0F, middle = (shifted - 12582912.0F) + 0.5F;",
                "const float r = inside - middle*0.693359375F + middle*2.12194440e-4F; /* log(2) in two parts */",
                "const float tail = (((1.9536383826e-3F*r + 1.1835350535e-2F)*r + 5.8928018691e-2F)*r",
                "    + 2.3570017883e-1F)*r + 7.0710668742e-1F;",
                "uint32_t bits;",
                "float power;",
                "",
                "memcpy(&bits, &shifted, sizeof(bits)); /* n stands in the last bits */",
                "bits = (bits << 23) + 0x3F800000U;",
                "memcpy(&power, &bits, sizeof(power));",
                "return (tail*r*r + (1.41421356F*r + 1.41421356F))*power;",
            ),
            (
                "The exponential, without a branch: 2**n for n = floor(a/log(2)), times a polynomial about the middle of what is left,",
                "to 3*2**-24 of its value; below the smallest normal number it is 0.",
            ),
        ),
        "logistic": Helper(
            "float",
            "float a",
            ("return 1.0F/(1.0F + {prefix}expf(-a));",),
            ("1/(1 + exp(-a)), without a branch.",),
            (("exp", "float"),),
        ),
        "tanh": Helper(
            "float",
            "float a",
            (
                "const float size = a < 0.0F ? -a : a, far = 1.0F - 2.0F/(1.0F + {prefix}expf(2.0F*size)), square = a*a;",
                "const float tail = (((-5.70498872745e-3F*square + 2.06390887954e-2F)*square - 5.37397155531e-2F)*square",
                "    + 1.33314422036e-1F)*square - 3.33332819422e-1F;",
                "",
                "return size < 0.625F ? (tail*square + 1.0F)*a : a < 0.0F ? -far : far;",
            ),
            ("The hyperbolic tangent to about 2 units in the last place (Cephes), without a branch.",),
            (("exp", "float"),),
        ),
        "sigmoid": _expression(_ONE, "{one}/({one} + exp{f}(-a))"),
        "sign": _expression(_ONE, "a > {zero} ? {one} : a < {zero} ? -{one} : a"),
        "relu": _expression(_ONE, "a <= {zero} ? {zero} : a"),
        "maximum": _expression(_TWO, "a > b || a != a ? a : b"),
        "minimum": _expression(_TWO, "a < b || a != a ? a : b"),
        "add": Helper(
            "void",
            "double *total, double *low, double term",
            (
                "const double sum = *total + term;",
                "const double added = sum - *total;",
                "",
                "*low += (*total - (sum - added)) + (term - added);",
                "*total = sum;",
            ),
            ("Adds a term, and to `low` what the sum lost of it (Neumaier).",),
        ),
        "complete": Helper(
            "double",
            "double total, double low",
            ("const double sum = total + low;", "", "return sum == sum ? sum : total;"),
        ),
        "low": Helper(
            "float",
            "double value",
            ("const double low = value - (double)(float)value;", "", "return low == low ? (float)low : 0.0F;"),
            ("What a double has beyond its nearest float.",),
        ),
        "widen": Helper(
            "void",
            "double *lanes, const float *chunk",
            ("for (int lane = 0; lane < {lanes}; ++lane) {{", "    lanes[lane] += (double)chunk[lane];", "}}"),
            ("Adds a chunk's lanes to lanes in double.",),
        ),
        "widen_columns": Helper(
            "void",
            "double *columns, const float *chunk, ptrdiff_t width",
            ("for (ptrdiff_t lane = 0; lane < width; ++lane) {{", "    columns[lane] += (double)chunk[lane];", "}}"),
            ("Adds a few rows' sums to columns in double.",),
        ),
        "carry": Helper(
            "void",
            "double *sums, double *low, const double *chunk, ptrdiff_t width",
            ("for (ptrdiff_t lane = 0; lane < width; ++lane) {{", "    {prefix}add(&sums[lane], &low[lane], chunk[lane]);", "}}"),
            ("Adds a chunk's sums, and to `low` what is lost of them.",),
            (("add", "double"),),
        ),
        "even": Helper(
            "ptrdiff_t",
            "ptrdiff_t extent, ptrdiff_t most",
            ("const ptrdiff_t blocks = (extent + most - 1) / most;", "", "return (extent + blocks - 1) / blocks;"),
            ("The size of blocks of at most that many that are about alike.",),
        ),
        "places": Helper(
            "double",
            "const double *columns, ptrdiff_t count",
            (
                "double lanes[8] = {{0.0}}, rest = 0.0;",
                "ptrdiff_t done = 0;",
                "",
                "for (; done + 8 <= count; done += 8) {{",
                "    for (int lane = 0; lane < 8; ++lane) {{",
                "        lanes[lane] += columns[done + lane];",
                "    }}",
                "}}",
                "for (; done < count; ++done) {{",
                "    rest += columns[done];",
                "}}",
                "return rest + (((lanes[0] + lanes[4]) + (lanes[1] + lanes[5])) + ((lanes[2] + lanes[6]) + (lanes[3] + lanes[7])));",
            ),
            ("The sum of a plane's places.",),
        ),
        "total": Helper(
            "double",
            "double *lanes",
            (
                "for (int width = {lanes} / 2; width > 0; width /= 2) {{",
                "    for (int lane = 0; lane < width; ++lane) {{",
                "        lanes[lane] += lanes[lane + width];",
                "    }}",
                "}}",
                "return lanes[0];",
            ),
            ("The sum of all lanes, in pairs.",),
        ),
        "row_total": Helper(
            "double",
            "const double *lanes",
            (
                "double total = 0.0;",
                "",
                "for (int lane = 0; lane < {macro}_NARROW; ++lane) {{",
                "    total += lanes[lane];",
                "}}",
                "return total;",
            ),
            ("The sum of a row's lanes.",),
        ),
        "gather": Helper(
            "void",
            "double *total, double *low, const double *lanes, const double *lanes_low",
            (
                "for (int lane = 0; lane < {lanes}; ++lane) {{",
                "    {prefix}add(total, low, lanes[lane]);",
                "    *low += lanes_low[lane];",
                "}}",
            ),
            ("Adds all lanes, and what they have lost.",),
            (("add", "double"),),
        ),
        "largest": _extremum("maximum"),
        "smallest": _extremum("minimum"),
        "least": Helper("ptrdiff_t", "ptrdiff_t a, ptrdiff_t b", ("return a < b ? a : b;",)),
        "parts": Helper(
            "ptrdiff_t",
            "ptrdiff_t extent, double work",
            (
                "const double wanted = work / 16384.0;",
                "const ptrdiff_t parts = wanted < (double){macro}_PARTS ? (ptrdiff_t)wanted : (ptrdiff_t){macro}_PARTS;",
                "",
                "return parts < 1 || extent < 1 ? 1 : parts < extent ? parts : extent;",
            ),
            ("Into how many parts a loop is cut, from its sizes alone: a result does not depend on the number of threads.",),
        ),
        "cut": Helper(
            "ptrdiff_t",
            "ptrdiff_t extent, ptrdiff_t part, ptrdiff_t parts",
            ("const ptrdiff_t rest = extent % parts;", "", "return extent / parts * part + (part < rest ? part : rest);"),
            ("Where a part starts.",),
        ),
    }
)


def helper_functions(used: set[tuple[str, str]], prefix: str) -> tuple[Function, ...]:
    """The helpers that are called, be it by other helpers, in the table's order."""
    todo, needed = sorted(used), set(used)
    while todo:
        name, real = todo.pop()
        for called, of in HELPERS[name].calls:
            call = (called, of or real)
            if call not in needed:
                needed.add(call)
                todo.append(call)
    return tuple(_function(name, real, prefix) for name in HELPERS for real in ("float", "double") if (name, real) in needed)


def _function(name: str, real: str, prefix: str) -> Function:
    helper, f = HELPERS[name], "f" if real == "float" else ""
    macro = prefix.upper().rstrip("_")
    words = {"real": real, "f": f, "one": f"1.0{f.upper()}", "zero": f"0.0{f.upper()}", "prefix": prefix, "macro": macro}
    words |= {"lanes": f"{macro}_LANES"}

    def text(line: str) -> str:
        return line.format(**words)

    return Function(
        helper.comment,
        (text(f"static inline {helper.result} {{prefix}}{name}{f}({helper.parameters})"),),
        tuple(map(text, helper.body)),
    )
