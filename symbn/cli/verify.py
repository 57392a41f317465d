"""`symbn verify`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from symbn.cli.output import emit, talk
from symbn.cli.params import DTYPES, MODES, LayerName, Names, TargetName
from symbn.errors import UnsupportedError

if TYPE_CHECKING:
    from symbn.tools.verify import Row

KINDS = (("vjp", 1), ("jvp", 1), ("jacobian", 1), ("vjp", 2))
Wanted = list[tuple[str, dict[str, Any]]]


@click.command()
@click.argument("layers", metavar="[LAYER]...", type=LayerName(), nargs=-1)
@click.option("-t", "--target", "targets", type=TargetName(), multiple=True, metavar="TARGET", help="Only this target; may be repeated.")
@click.option("--mode", type=click.Choice((*MODES, "all")), default="all", show_default=True, help="Only this derivative.")
@click.option("--order", type=click.IntRange(1, 2), help="Only this order; 2 is the backward pass of the backward pass.")
@click.option("--wrt", multiple=True, metavar="NAME", help="Differentiate by this input only; may be repeated.")
@click.option("--save", type=Names(), metavar="NAME,...", help="Only the backward pass, which reads no forward values but these.")
@click.option("--dtype", "dtypes", type=click.Choice(DTYPES), multiple=True, help="A type, f32 and f64 unless said; may be repeated.")
@click.pass_context
def verify(
    ctx: click.Context,
    *,
    layers: tuple[str, ...],
    targets: tuple[str, ...],
    mode: str,
    order: int | None,
    wrt: tuple[str, ...],
    save: tuple[str, ...] | None,
    dtypes: tuple[str, ...],
) -> None:
    """Runs generated code against an independent truth.

    For each LAYER, or the whole catalogue, in every mode, target and type, over extents of 1, 2, 3, 7 and 64 and unequal axes, prints the
    largest error of each result. One layer takes seconds, the catalogue a few minutes; --mode vjp --order 1 is the backward pass alone.

    Exits with 1 where an error is beyond its rounding bound, and with 3 where something could not be run.
    """
    from symbn import catalogue
    from symbn.codegen.storage import DTYPES as NAMES
    from symbn.codegen.targets import target_named
    from symbn.tools.verify import TARGETS, USUAL

    chosen = tuple(target_named(target).name for target in dict.fromkeys(targets)) or TARGETS
    types = tuple(NAMES[dtype] for dtype in dict.fromkeys(dtypes)) or USUAL
    kinds = [kind for kind in KINDS if mode in (kind[0], "all") and order in (kind[1], None)]
    if save is not None and mode == "all" and order is None:
        kinds = [("vjp", 1)]
    asked = [{"mode": kind, "order": number, "wrt": wrt or None, "save": save} for kind, number in kinds or [(mode, order or 1)]]
    wanted = [(layer, options) for layer in layers or catalogue.names() for options in asked]
    wrong = total = idle = 0
    for rows in _progress(wanted, chosen, types, strict=mode != "all"):
        if rows:
            emit("\n".join(row.line for row in rows))
        wrong += sum(not row.ok for row in rows)
        total += len(rows)
        idle += not rows
    talk(f"{wrong} of {total} results are wrong" if wrong else f"{total} results, each within its rounding bound")
    ctx.exit(1 if wrong else 3 if idle else 0)


def _progress(wanted: Wanted, targets: tuple[str, ...], dtypes: tuple[str, ...], *, strict: bool) -> Iterator[tuple[Row, ...]]:
    """The rows as they come; on a terminal after a bar that shows how far it is, which they would tear apart."""
    if not sys.stderr.isatty():
        yield from (_rows(layer, options, targets, dtypes, strict=strict) for layer, options in wanted)
        return
    with click.progressbar(wanted, file=sys.stderr, item_show_func=_shown) as bar:
        found = [_rows(layer, options, targets, dtypes, strict=strict) for layer, options in bar]
    yield from found


def _shown(item: tuple[str, dict[str, Any]] | None) -> str:
    return "" if item is None else f"{item[0]} {item[1]['mode']}{', second order' if item[1]['order'] == 2 else ''}"


def _rows(layer: str, options: dict[str, Any], targets: tuple[str, ...], dtypes: tuple[str, ...], *, strict: bool) -> tuple[Row, ...]:
    from symbn import api
    from symbn.tools.verify import verify as run

    try:
        rows = run(api.derive(layer, **options, steps=False).derivation, targets, dtypes)
    except UnsupportedError as error:
        if strict:
            raise
        talk(f"not verified: {_shown((layer, options))}: {error}")
        return ()
    if not rows:
        talk(f"not verified: {_shown((layer, options))}: no point found where the layer is defined")
    return rows
