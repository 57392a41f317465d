"""Numbers of 16 bits to float and back, as helper functions of a C file.

In: nothing.  Out: a table. No compiler's own type is used: `_Float16` and `__bf16` are not everywhere, not in strict C, and often a call
to a library for each element. These are integer arithmetic without a branch, of which compilers make vector instructions, and exact: tests
compare all 65536 values, and rounding at every tie.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from symbn.codegen.views.c_text import Helper

_BITS = (("float_of", "double"), ("bits_of", "double"))

HALVES: Mapping[str, Helper] = MappingProxyType(
    {
        "float_of": Helper("float", "uint32_t bits", ("float value;", "", "memcpy(&value, &bits, sizeof(value));", "return value;")),
        "bits_of": Helper("uint32_t", "float value", ("uint32_t bits;", "", "memcpy(&bits, &value, sizeof(bits));", "return bits;")),
        "from_bf16": Helper("float", "uint16_t half", ("return {prefix}float_of((uint32_t)half << 16);",), calls=_BITS[:1]),
        "to_bf16": Helper(
            "uint16_t",
            "float value",
            (
                "const uint32_t bits = {prefix}bits_of(value);",
                "const uint32_t nearest = (bits + 0x7FFFU + (bits >> 16 & 1U)) >> 16;",
                "",
                "return (uint16_t)((bits & 0x7FFFFFFFU) > 0x7F800000U ? bits >> 16 | 0x40U : nearest);",
            ),
            ("The nearest bfloat16, of two the even one; a NaN stays one.",),
            _BITS[1:],
        ),
        "from_f16": Helper(
            "float",
            "uint16_t half",
            (
                "const uint32_t sign = (uint32_t)(half & 0x8000U) << 16;",
                "const uint32_t size = (uint32_t)(half & 0x7FFFU) << 13;",
                "const uint32_t whole = size + (size < 0x0F800000U ? 0x38000000U : 0x70000000U); /* infinity stays, and NaN */",
                "const float denormal = {prefix}float_of(size + 0x38800000U) - 6.103515625e-5F;",
                "",
                "return {prefix}float_of(sign | (size < 0x00800000U ? {prefix}bits_of(denormal) : whole));",
            ),
            calls=_BITS,
        ),
        "to_f16": Helper(
            "uint16_t",
            "float value",
            (
                "const uint32_t bits = {prefix}bits_of(value), sign = bits >> 16 & 0x8000U, size = bits & 0x7FFFFFFFU;",
                "const uint32_t whole = (size + 0xC8000FFFU + (size >> 13 & 1U)) >> 13;",
                "const uint32_t denormal = {prefix}bits_of({prefix}float_of(size) + 0.5F) - 0x3F000000U;",
                "const uint32_t beyond = size > 0x7F800000U ? 0x7E00U | (size >> 13 & 0x3FFU) : 0x7C00U;",
                "",
                "return (uint16_t)(sign | (size < 0x38800000U ? denormal : size < 0x47800000U ? whole : beyond));",
            ),
            ("The nearest half, of two the even one; beyond 65504 infinity; a NaN stays one.",),
            _BITS,
        ),
    }
)
