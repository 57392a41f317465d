"""A recipe to the text of its files.

In: a Recipe.  Out: files as name -> Made: text, and the templates it came from. Everything beside the generator's own text is here: the
command in the header, the user's license, and the join of a C header and its source into one file.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from symbn.calculus.engine import derive
from symbn.codegen.emit import template_texts
from symbn.codegen.generate import render
from symbn.codegen.storage import USUAL
from symbn.codegen.targets import target_named
from symbn.errors import TargetError
from symbn.tools.vendor_recipe import Recipe

MAX_LICENSE = 64 * 1024  # bytes
# How a comment's first line, other lines, and end are written.
COMMENTS = {".h": ("/*", " * ", " */"), ".c": ("/*", " * ", " */"), ".py": ("", "# ", ""), ".tex": ("", "% ", "")}
SPDX = re.compile(r"^.*SPDX-License-Identifier: MIT-0\n", flags=re.MULTILINE)
REPRODUCE = re.compile(r"(?<=Reproduce: )symbn generate .*$", flags=re.MULTILINE)
FIRST_COMMENT = re.compile(r"/\*.*?\*/\n", flags=re.DOTALL)
GUARD = re.compile(r"^#ifndef (\w+)_H$", flags=re.MULTILINE)
SINGLE = """ *
 * One file holds all: include it where it is used, and in one source file write first
 *     #define {name}_IMPLEMENTATION
 */
"""


@dataclass(frozen=True, slots=True)
class Made:
    """A file as it should be, and the sha256 of each template it came from."""

    text: str
    templates: tuple[tuple[str, str], ...]


def digest(text: str | bytes) -> str:
    """The sha256, in hexadecimal."""
    return hashlib.sha256(text.encode() if isinstance(text, str) else text).hexdigest()


def make(recipe: Recipe) -> dict[str, Made]:
    """The recipe's files. Raises LayerError, TargetError or UnsupportedError."""
    variant, options = recipe.variant, recipe.options
    target_named(recipe.target)  # an unknown one is refused before any work is done
    derivation = derive(recipe.parsed(), wrt=variant.wrt, mode=variant.mode, order=variant.order, save=variant.save, steps=False)
    files = render(derivation, recipe.target, dtypes=options.dtypes or USUAL, prefix=options.prefix)
    templates = [row.template for row in target_named(recipe.target).files]
    if options.single_header:
        return {name: Made(_finished(name, text, recipe), _hashed(templates)) for name, text in _single(files, recipe.target).items()}
    named = zip(files.items(), templates, strict=True)
    return {name: Made(_finished(name, text, recipe), _hashed([template])) for (name, text), template in named}


def _hashed(templates: Sequence[str]) -> tuple[tuple[str, str], ...]:
    texts = {name: text for template in templates for name, text in template_texts(template).items()}
    return tuple((name, digest(texts[name])) for name in sorted(texts))


def _finished(name: str, text: str, recipe: Recipe) -> str:
    text = REPRODUCE.sub(lambda _: recipe.command, text, count=1)
    if not recipe.options.license_header:
        return text
    # The user's license stands alone: MIT-0 asks for no notice.
    return _comment(recipe.options.license_header, Path(name).suffix) + "\n" + SPDX.sub("", text, count=1)


def _comment(text: str, suffix: str) -> str:
    first, other, last = COMMENTS[suffix]
    lines = [f"{other}{line}".rstrip() for line in text.split("\n")]
    return "".join(f"{line}\n" for line in (first, *lines, last) if line)


def _single(files: Mapping[str, str], target: str) -> dict[str, str]:
    """One header from a header and a source; the source's part is compiled where the user asks for it, once."""
    headers = [name for name in files if name.endswith(".h")]
    sources = [name for name in files if name.endswith(".c")]
    if len(headers) != 1 or len(sources) != 1 or len(files) != 2:
        raise TargetError(f"the target {target!r} has no single header", hint="--single-header goes with -t c")
    header, source = files[headers[0]], files[sources[0]]
    guard = GUARD.search(header)
    include = f'#include "{headers[0]}"\n'
    if guard is None or include not in source or not header.startswith("/*"):
        raise TargetError(f"{sources[0]} cannot be joined to its header")
    name = guard[1]
    body = FIRST_COMMENT.sub("", source, count=1).replace(include, "", 1).strip("\n")
    head = header.replace(" */\n", SINGLE.format(name=name), 1)
    return {
        headers[0]: f"{head}\n#if defined({name}_IMPLEMENTATION) && !defined({name}_IMPLEMENTED)\n"
        f"#define {name}_IMPLEMENTED\n\n{body}\n\n#endif\n"
    }


def license_text(path: Path) -> str:
    """A license header as bare text, whatever comment marks it has. Raises TargetError."""
    try:
        content = path.read_bytes()
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise TargetError(f"cannot read {path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise TargetError(f"{path} is not UTF-8 text") from error
    if len(content) > MAX_LICENSE:
        raise TargetError(f"{path} is too large: at most {MAX_LICENSE // 1024} KiB", hint="a license header is a few lines")
    bare = _bare(text.replace("\r\n", "\n"))
    wrong = sorted({character for character in bare if character != "\n" and unicodedata.category(character)[0] == "C"})
    if wrong:
        raise TargetError(f"{path} holds the invisible character U+{ord(wrong[0]):04X}", hint="write it as plain text")
    if not bare or "*/" in bare or "/*" in bare or "??/" in bare or any(line.endswith("\\") for line in bare.split("\n")):
        hint = "it should hold text, no comment inside a comment, and no line that ends in a backslash"
        raise TargetError(f"{path} cannot be a comment", hint=hint)
    return bare


def _bare(text: str) -> str:
    """The text without the marks of one block comment, or of a comment on each line."""
    text = text.replace("\t", "    ").strip()
    if text.startswith("/*") and text.endswith("*/"):
        text = "\n".join(re.sub(r"^\s*\* ?", "", line) for line in text[2:-2].strip("*").split("\n"))
    else:
        for mark in ("//", "#", "%"):
            if all(line.lstrip().startswith(mark) or not line.strip() for line in text.split("\n")):
                text = "\n".join(re.sub(rf"^\s*{mark}+ ?", "", line) for line in text.split("\n"))
    return "\n".join(line.rstrip() for line in text.strip("\n").rstrip().split("\n"))
