"""Where a command's data goes.

In: text and the user's `-o`.  Out: stdout, or a file that is either whole or not there.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from symbn.errors import TargetError


def emit(text: str, path: str | None = None) -> None:
    """Writes `text`, closed by one newline, to `path`, or to stdout when it is None or "-"."""
    text = text.rstrip("\n") + "\n"
    if path is None or path == "-":
        _print(text)
    else:
        _write(Path(path), text)
        talk(f"wrote {path}")


def talk(message: str) -> None:
    """Says something to the person, beside the data."""
    click.echo(message, err=True)


def takes_unicode() -> bool:
    """Whether stdout is a terminal that can show Unicode mathematics."""
    encoding = (getattr(sys.stdout, "encoding", None) or "").lower().replace("-", "")
    return sys.stdout.isatty() and encoding == "utf8" and os.environ.get("TERM") != "dumb"


def _print(text: str) -> None:
    try:
        click.echo(text, nl=False)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has seen enough (`| head`): what is still to come goes nowhere, and the command's status stands.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _write(path: Path, text: str) -> None:
    """A file is replaced as a whole; a device or pipe is written to as it is."""
    from symbn.codegen.emit import replace_file

    target = path.resolve()
    try:
        if target.exists() and not target.is_file():
            target.write_text(text, encoding="utf-8", newline="\n")
        else:
            replace_file(target, text.encode("utf-8", errors="backslashreplace"))
    except OSError as error:
        raise TargetError(f"cannot write {path}: {error.strerror or error}") from error
