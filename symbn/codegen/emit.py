"""Templates to text, and text to files.

In: a view and a template's name; files as name -> text.  Out: text; files that are either whole or not there.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError, TemplateNotFound, meta
from jinja2.sandbox import SandboxedEnvironment

from symbn.errors import TargetError

PACKAGE = Path(__file__).parents[1]
# LaTeX is full of braces, percent and number signs.
LATEX_DELIMITERS: dict[str, Any] = {
    "block_start_string": "<%",
    "block_end_string": "%>",
    "variable_start_string": "<<",
    "variable_end_string": ">>",
    "comment_start_string": "<#",
    "comment_end_string": "#>",
}


def template_places() -> tuple[Path, ...]:
    """Where our templates are: beside the package in a checkout, inside it when installed."""
    return tuple(place for place in (PACKAGE.parent / "templates", PACKAGE / "templates") if (place / "c" / "kernel.c.j2").is_file())


def environment(template: str, places: tuple[Path, ...], *, sandboxed: bool = False) -> Environment:
    """Strict about undefined names; LaTeX templates have delimiters of their own."""
    made = (SandboxedEnvironment if sandboxed else Environment)(
        loader=FileSystemLoader([str(place) for place in places]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    return made.overlay(**LATEX_DELIMITERS) if template.endswith(".tex.j2") else made


def render_template(template: str, view: object, templates_dir: Path | None = None) -> str:
    """The template's text, with `view` as its only variable; a user's own template comes first, and runs in Jinja's sandbox."""
    if templates_dir is not None and not templates_dir.is_dir():
        raise TargetError(f"{templates_dir} is not a directory of templates")
    try:
        if templates_dir is None:
            return _ours(template).get_template(template).render(view=view)
        return environment(template, (templates_dir, *template_places()), sandboxed=True).get_template(template).render(view=view)
    except TemplateNotFound as error:
        raise TargetError(f"there is no template {template}", hint="this installation of symbn is incomplete") from error
    except (TemplateError, ArithmeticError, TypeError, ValueError, UnicodeDecodeError) as error:
        line = getattr(error, "lineno", None)
        raise TargetError(f"template {template}{f', line {line}' if line else ''}: {error}") from error


@lru_cache(maxsize=2)
def _environment_of_ours(latex: str) -> Environment:
    return environment(latex, template_places())


def _ours(template: str) -> Environment:
    return _environment_of_ours(".tex.j2" if template.endswith(".tex.j2") else ".j2")


def template_texts(template: str) -> dict[str, str]:
    """The text of a template of ours and of every one that it includes, by name."""
    made, found, wanted = _ours(template), dict[str, str](), [template]
    while wanted:
        name = wanted.pop()
        if name not in found and made.loader is not None:
            found[name] = made.loader.get_source(made, name)[0]
            wanted += [other for other in meta.find_referenced_templates(made.parse(found[name])) if other is not None]
    return dict(sorted(found.items()))


def write_files(files: Mapping[str, str], directory: Path) -> tuple[Path, ...]:
    """Writes each file through a temporary name in its directory; one that already reads so is left alone. TargetError when it cannot."""
    written = []
    for name, text in files.items():
        path = directory / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if not (path.is_file() and path.read_bytes() == text.encode("ascii")):
                replace_file(path, text.encode("ascii"))
                written.append(path)
        except OSError as error:
            raise TargetError(f"cannot write {path}: {error.strerror or error}") from error
    return tuple(written)


def replace_file(path: Path, content: bytes) -> None:
    """The file is the old one or the new one, never a part of it."""
    handle, part = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        Path(part).chmod(0o666 & ~_umask())
        Path(part).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(part).unlink()
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
