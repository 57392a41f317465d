"""`symbn verify`."""

from __future__ import annotations

import sys

import click

from symbn.cli.output import emit, talk
from symbn.cli.params import LayerName, TargetName


@click.command()
@click.argument("layers", metavar="[LAYER]...", type=LayerName(), nargs=-1)
@click.option("-t", "--target", "targets", type=TargetName(), multiple=True, metavar="TARGET", help="Only this target; may be repeated.")
@click.pass_context
def verify(ctx: click.Context, *, layers: tuple[str, ...], targets: tuple[str, ...]) -> None:
    """Runs generated code against an independent truth.

    For each LAYER, or the whole catalogue, prints the largest error of each result; exits with 1 where one is beyond its rounding bound.
    """
    from symbn import api, catalogue
    from symbn.codegen.targets import target_named
    from symbn.tools.verify import TARGETS, Row
    from symbn.tools.verify import verify as run

    chosen = tuple(target_named(target).name for target in dict.fromkeys(targets)) or TARGETS
    specs = layers or catalogue.names()
    rows: list[Row] = []
    for number, spec in enumerate(specs, 1):
        if sys.stderr.isatty():
            talk(f"({number}/{len(specs)}) {spec}")
        found = run(api.derive(spec, steps=False).derivation, chosen)
        emit("\n".join(row.line for row in found))
        rows += found
    wrong = sum(not row.ok for row in rows)
    talk(f"{wrong} of {len(rows)} results are wrong" if wrong else f"{len(rows)} results, each within its rounding bound")
    ctx.exit(1 if wrong else 0)
