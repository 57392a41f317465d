"""The kinds of argument that several commands share, with what the shell offers to complete them.

In: what was typed.  Out: strings; nothing is loaded or checked here.
"""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem


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
