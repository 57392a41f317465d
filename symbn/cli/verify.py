"""`symbn verify`."""

from __future__ import annotations

import click

from symbn.cli.params import LayerName, TargetName


@click.command()
@click.argument("layers", metavar="[LAYER]...", type=LayerName(), nargs=-1)
@click.option("-t", "--target", "targets", type=TargetName(), multiple=True, metavar="TARGET", help="Only this target; may be repeated.")
@click.pass_context
def verify(ctx: click.Context, *, layers: tuple[str, ...], targets: tuple[str, ...]) -> None:
    """Runs generated code against an independent truth.

    For each LAYER, or the whole catalogue, prints the errors found; exits with 1 where one is larger than its bound.
    """
