"""Which names a layer may use.

In: a name and what it is to name.  Out: nothing, or an error that says why not and what to do.
"""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Iterable, Iterator

from symbn.errors import Place
from symbn.expr import CONSTANTS, FUNCTIONS, REDUCTIONS
from symbn.language.limits import MAX_NAME
from symbn.language.source import Source

# Words of C11 and C++20, and names that their standard headers define as macros: generated code is compiled as either.
_C_WORDS = frozenset(
    """alignas alignof and and_eq asm auto bitand bitor bool break case catch char char8_t char16_t char32_t class compl concept const
    const_cast consteval constexpr constinit continue co_await co_return co_yield decltype default delete do double dynamic_cast
    else enum explicit export extern false float for friend goto if inline int long mutable namespace new noexcept not not_eq
    nullptr operator or or_eq private protected public register reinterpret_cast requires restrict return short signed sizeof static
    static_assert static_cast struct switch template this thread_local throw true try typedef typeid typename typeof union unsigned
    using virtual void volatile wchar_t while xor xor_eq assert complex imaginary errno offsetof size_t ptrdiff_t main unix linux
    NULL EOF NAN INFINITY HUGE_VAL EDOM ERANGE EILSEQ FILE BUFSIZ RAND_MAX""".split()  # noqa: SIM905
)
_PYTHON_WORDS = frozenset(keyword.kwlist)
_OURS = frozenset((*FUNCTIONS, *REDUCTIONS, *CONSTANTS, "delta"))
_SHAPE = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def check_name(source: Source, name: str, what: str, where: ast.AST | Place) -> None:
    """Refuses a name that a generated file could not use."""
    reason = _reason(name)
    if reason is not None:
        raise source.error(f"{what} '{name[:MAX_NAME]}' {reason}", where, hint="choose another name, such as " + _another(name))


def check_layer_name(source: Source, name: str, where: Place) -> None:
    """A layer's name only ever stands inside longer ones, so words of other languages do no harm."""
    reason = _shape(name)
    if reason is not None:
        raise source.error(f"layer name '{name[:MAX_NAME]}' {reason}", where, hint="choose another name, such as " + _another(name))


def _reason(name: str) -> str | None:
    if name in _OURS:
        return "is a function of the layer language"
    if name in _PYTHON_WORDS:
        return "is a word of Python"
    if name in _C_WORDS:
        return "is a word of C or C++"
    return _shape(name)


def _shape(name: str) -> str | None:
    if "__" in name:
        return "contains '__', which C and C++ keep for themselves"
    if not _SHAPE.fullmatch(name):
        return "does not start with a letter"
    return f"is longer than {MAX_NAME} characters" if len(name) > MAX_NAME else None


def _another(name: str) -> str:
    plain = re.sub(r"_+", "_", name).strip("_")[:20] or "a"
    spelled = {"lambda": "lam", "in": "inp", "delta": "delta1", "default": "default_value"}.get(plain)
    if spelled is None:
        spelled = plain if _reason(plain) is None and plain != name else f"{plain}_value" if plain[:1].isalpha() else f"a{plain}"
    return f"'{spelled}'"


def check_collisions(source: Source, values: dict[str, ast.AST | Place], letters: dict[str, ast.AST | Place]) -> None:
    """Refuses names that would also name a result: beside `x`, a `dx`, an `x_dot` or a `grad_x`."""
    meanings: dict[str, str] = {}
    for name in values:
        for derived, meaning in _derived(name):
            if derived in _PYTHON_WORDS or derived in _OURS:
                reason = f"{meaning} would be named '{derived}', which {_reason(derived)}"
                raise source.error(f"name '{name}' cannot be used: {reason}", values[name], hint=f"choose another name, such as '{name}0'")
            if derived in values:
                raise _clash(source, values[derived], derived, meaning)
            if derived in letters:
                raise _clash(source, letters[derived], derived, meaning)
            other = meanings.get(derived) or _total(derived, values)
            if other is not None:
                raise source.error(f"'{derived}' would name both {other} and {meaning}", values[name], hint="rename one of them")
            meanings[derived] = meaning
        total = _total(name, values)
        if total is not None:
            raise _clash(source, values[name], name, total)


def _clash(source: Source, where: ast.AST | Place, name: str, meaning: str) -> Exception:
    return source.error(f"'{name}' is also the name of {meaning}", where, hint="rename one of them")


def _derived(name: str) -> Iterator[tuple[str, str]]:
    yield f"d{name}", f"the gradient of '{name}'"
    yield f"dd{name}", f"the cotangent of 'd{name}'"
    yield f"grad_{name}", f"the second gradient of '{name}'"
    yield f"grad_d{name}", f"the second gradient of 'd{name}'"
    yield f"{name}_dot", f"the tangent of '{name}'"


def _total(name: str, values: Iterable[str]) -> str | None:
    """What `dy_dx` means, when it means anything."""
    known = set(values)
    for found in re.finditer("_d", name):
        upper, lower = name[1 : found.start()], name[found.end() :]
        if name.startswith("d") and upper in known and lower in known:
            return f"the derivative of '{upper}' by '{lower}'"
    return None
