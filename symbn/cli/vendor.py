"""`symbn vendor`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from symbn.cli.output import emit, talk
from symbn.cli.params import DTYPE_HELP, DTYPES, LayerName, TargetName, what_to_derive


@click.command()
@click.argument("layers", metavar="LAYER...", type=LayerName(), nargs=-1)
@click.option("-t", "--target", type=TargetName(), metavar="TARGET", help="What to make: c, numpy, ... (`symbn list`).")
@click.option("--into", metavar="DIR", type=click.Path(path_type=Path), help="Where to; symbn.lock is kept there.")
@what_to_derive
@click.option("--prefix", metavar="P", help="What the C functions' names start with, in place of symbn_.")
@click.option("--single-header", is_flag=True, help="One .h in place of .h and .c, with its code under P..._IMPLEMENTATION.")
@click.option("--license-header", metavar="FILE", type=click.Path(path_type=Path), help="Your own, to stand first in every file.")
@click.option("--dtype", "dtypes", metavar="|".join(DTYPES), multiple=True, help=DTYPE_HELP)
@click.option("--check", "checked", metavar="DIR", type=click.Path(path_type=Path), help="Compare DIR with its lock; write nothing.")
@click.option("--update", "updated", metavar="DIR", type=click.Path(path_type=Path), help="Make everything in DIR's lock again.")
@click.option("--force", is_flag=True, help="With --update: also write over what was changed by hand.")
@click.pass_context
def vendor(ctx: click.Context, /, *, checked: Path | None, updated: Path | None, force: bool, **given: Any) -> None:
    """Copies kernels that need nothing else into another project, and keeps them true.

    \b
    symbn vendor LAYER... -t TARGET --into DIR
    symbn vendor --check DIR
    symbn vendor --update DIR

    The first writes files of the target for each LAYER into DIR, and what they are made from into DIR/symbn.lock.

    --check tells what was edited by hand, is stale (symbn or the layer's source makes something else now), was made by a newer symbn, is
    missing, or is stray; shows the difference and the command that mends it; and exits with 1 when there is anything.
    """  # noqa: D301
    new = {name for name, value in given.items() if value not in (None, (), False, "vjp", 1)}
    if force and updated is None:
        raise click.UsageError("--force goes with --update")
    if (checked is not None) + (updated is not None) + bool(new) > 1:
        raise click.UsageError("--check and --update take a directory and no more: the lock knows the rest")
    if checked is not None:
        ctx.exit(_check(checked))
    if updated is not None:
        ctx.exit(_update(updated, force=force))
    for name, wanted in (("layers", "name a LAYER"), ("target", "name a target: -t c"), ("into", "name a directory: --into DIR")):
        if name not in new:
            raise click.UsageError(f"{wanted}; or --check DIR, or --update DIR")
    _add(**given)


def _add(
    *,
    layers: tuple[str, ...],
    target: str,
    into: Path,
    prefix: str | None,
    single_header: bool,
    license_header: Path | None,
    dtypes: tuple[str, ...],
    **asked: Any,
) -> None:
    from symbn.tools import vendor as tool
    from symbn.tools.vendor_text import license_text

    text = "" if license_header is None else license_text(license_header)
    options = tool.Options(dtypes or None, prefix, single_header, text)
    _report(tool.add(layers, target, options, into, **{**asked, "wrt": asked["wrt"] or None}))


def _check(directory: Path) -> int:
    from symbn.tools import vendor as tool

    found = tool.examine(directory)
    if difference := found.diff:
        emit(difference)
    for line in found.lines:
        talk(line)
    if found.findings:
        return 1
    count = sum(len(unit.entries) for unit in found.units)
    talk(f"{count} file{'' if count == 1 else 's'} as {directory / 'symbn.lock'} says")
    return 0


def _update(directory: Path, *, force: bool) -> int:
    from symbn.tools import vendor as tool

    changes = tool.update(directory, force=force)
    _report(changes)
    for path in changes.kept:
        talk(f"kept: {path} (see: symbn vendor --check {directory}; to write over it: --force)")
    return 1 if changes.kept else 0


def _report(changes: Any) -> None:
    for path in changes.written:
        talk(f"wrote {path}")
    for path in changes.removed:
        talk(f"removed {path}")
    if changes.same:
        talk(f"{changes.same} file{'' if changes.same == 1 else 's'} unchanged")
