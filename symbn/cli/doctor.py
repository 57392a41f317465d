"""`symbn doctor`."""

from __future__ import annotations

import click

from symbn.cli.output import emit


@click.command()
def doctor() -> None:
    """Says what was found here, and what needs it."""
    from symbn.tools.doctor import examine

    emit("\n".join(finding.line for finding in examine()))
