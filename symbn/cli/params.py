"""The kinds of argument that several commands share, with what the shell offers to complete them.

In: what was typed.  Out: strings; nothing is loaded or checked here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import click
from click.shell_completion import CompletionItem

EXTENT = re.compile(r"[1-9][0-9]{0,17}")
MODES = ("vjp", "jvp", "jacobian")
# Types of elements; those of 16 bits are kept in memory, and computed in float.
DTYPES = ("f32", "f64", "bf16", "f16")
DTYPE_HELP = "A type of C's arrays, f32 and f64 unless said; may be repeated."


class LayerName(click.ParamType):  # type: ignore[type-arg]
    """A layer as the user names it; completes to the catalogue's names and to files."""

    name = "layer"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Names of the catalogue; a plain file completion when none fits."""
        from symbn import catalogue

        found = [CompletionItem(name) for name in catalogue.names() if name.startswith(incomplete)]
        return found or [CompletionItem(incomplete, type="file")]


class TargetName(click.ParamType):  # type: ignore[type-arg]
    """A target of the code generator."""

    name = "target"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """The targets whose names start so."""
        from symbn.codegen import targets

        return [CompletionItem(name) for name in targets.TARGETS if name.startswith(incomplete)]


class Names(click.ParamType):  # type: ignore[type-arg]
    """`NAME,NAME,...`, as a tuple without the empty ones."""

    name = "name,..."

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """Splits at commas."""
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return tuple(value) if isinstance(value, (list, tuple)) else ()


def what_to_derive(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say which derivative is meant, for `derive` and `generate` alike."""
    options = (
        click.option("--wrt", multiple=True, metavar="NAME", help="Differentiate by this input only; may be repeated."),
        click.option("--mode", type=click.Choice(MODES), default="vjp", show_default=True, help="What to derive."),
        click.option("--order", type=click.IntRange(1, 2), default=1, show_default=True, help="2: the backward pass of the backward pass."),
        click.option("--save", type=Names(), metavar="NAME,...", help="The only forward values that the result may read."),
    )
    for option in reversed(options):
        command = option(command)
    return command


class Pairs(click.ParamType):  # type: ignore[type-arg]
    """`THEIRS=OURS`, as a pair."""

    name = "theirs=ours"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Splits at the first sign of equality."""
        theirs, sign, ours = str(value).partition("=")
        if not (sign and theirs.strip() and ours.strip()):
            self.fail(f"{value!r} should be THEIRS=OURS", param, ctx)
        return theirs.strip(), ours.strip()


class Shape(click.ParamType):  # type: ignore[type-arg]
    """`N=8192,C=1024`, as extents by axis."""

    name = "axis=extent,..."

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> dict[str, int]:
        """Splits at commas and signs of equality."""
        if isinstance(value, dict):
            return value
        found: dict[str, int] = {}
        for part in str(value).split(","):
            axis, _, extent = (word.strip() for word in part.partition("="))
            if not (axis and EXTENT.fullmatch(extent)) or axis in found:
                self.fail(f"{value!r} should name each axis once, with an extent of at least 1, such as N=8192,C=1024", param, ctx)
            found[axis] = int(extent)
        return found
