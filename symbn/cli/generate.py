"""`symbn generate`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import click

from symbn.cli.output import emit, talk
from symbn.cli.params import DTYPE_HELP, DTYPES, LayerName, TargetName, what_to_derive
from symbn.errors import TargetError


@click.command()
@click.argument("layers", metavar="[LAYER]...", type=LayerName(), nargs=-1)
@click.option("-t", "--target", "targets", type=TargetName(), multiple=True, metavar="TARGET", help="Only this target; may be repeated.")
@what_to_derive
@click.option("-o", "output", default="generated", show_default=True, metavar="DIR", help="Where to; - prints the files.")
@click.option("--dtype", "dtypes", type=click.Choice(DTYPES), multiple=True, help=DTYPE_HELP)
@click.option("--templates", metavar="DIR", help="Templates of your own, which come before symbn's and run in a sandbox.")
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 when a file is stale, missing or stray.")
@click.option("--diff", is_flag=True, help="Write nothing; print what would change, and exit with 1 when anything would.")
@click.option("--list", "list_", is_flag=True, help="Write nothing; print the names of the files.")
@click.pass_context
def generate(
    ctx: click.Context,
    *,
    layers: tuple[str, ...],
    targets: tuple[str, ...],
    output: str,
    wrt: tuple[str, ...],
    mode: str,
    order: int,
    save: tuple[str, ...] | None,
    dtypes: tuple[str, ...],
    templates: str | None,
    check: bool,
    diff: bool,
    list_: bool,
) -> None:
    """Writes implementations of LAYERs or the catalogue.

    A file holds the forward pass and the pass that is asked for: softmax.c the backward pass, softmax_jvp.c (--mode jvp) the forward
    derivative, softmax_jacobian.c the Jacobian, softmax_double_backward.c (--order 2) the backward pass of the backward pass;
    softmax_from_y.c (--save y) the backward pass that reads no forward value but y. No two of them define the same name.

    With nothing asked, the whole catalogue's backward passes, and some of its other derivatives, as committed in generated/.
    """
    from symbn.codegen import targets as table

    chosen = tuple(dict.fromkeys(targets)) or tuple(table.TARGETS)
    for target in chosen:
        table.target_named(target)  # an unknown one is refused before any work is done
    asked = {"wrt": wrt or None, "mode": mode, "order": order, "save": save}
    wanted = _wanted(layers, asked)
    if list_:
        emit("\n".join(_names(wanted, chosen, output)))
        return
    files = _files(wanted, chosen, dtypes, templates)
    if output == "-":
        emit("\n".join(files.values()))
    elif check or diff:
        strays = not layers and asked == PLAIN
        ctx.exit(0 if _same(ctx, files, output, strays=strays, show_diff=diff, show_report=check or not diff) else 1)
    else:
        _write(files, output)


Wanted = list[tuple[str, dict[str, Any]]]
PLAIN = {"wrt": None, "mode": "vjp", "order": 1, "save": None}


def _wanted(layers: tuple[str, ...], asked: dict[str, Any]) -> Wanted:
    """What to derive: each layer as the user names it, and what is asked of it."""
    from symbn import catalogue

    also = catalogue.ALSO_COMMITTED if not layers and asked == PLAIN else ()
    return [
        *((layer, asked) for layer in layers or catalogue.names()),
        *((layer, {**PLAIN, "mode": mode, "order": order}) for layer, mode, order in also),
    ]


def _names(wanted: Wanted, targets: tuple[str, ...], output: str) -> list[str]:
    from symbn.codegen.targets import file_names
    from symbn.codegen.variant import variant_named
    from symbn.language import load_layer

    stems = [variant_named(load_layer(layer), **asked).stem for layer, asked in wanted]
    return [str(Path(output, name)) for stem in stems for target in targets for name in _placed(target, file_names(stem, target))]


def _placed(target: str, names: tuple[str, ...]) -> list[str]:
    """Each target has a folder of its own."""
    return [f"{target}/{name}" for name in names]


def _files(wanted: Wanted, targets: tuple[str, ...], dtypes: tuple[str, ...], templates: str | None) -> dict[str, str]:
    from symbn import api
    from symbn.codegen.generate import render
    from symbn.codegen.storage import USUAL

    files: dict[str, str] = {}
    for layer, asked in wanted:
        derivation = api.derive(layer, **asked, steps=False).derivation
        for target in targets:
            made = render(derivation, target, dtypes=dtypes or USUAL, templates_dir=templates)
            placed = dict(zip(_placed(target, tuple(made)), made.values(), strict=True))
            if twice := placed.keys() & files.keys():
                raise TargetError(f"two layers would both be written to {min(twice)}", hint="rename one of them")
            files |= placed
    return files


def _same(ctx: click.Context, files: dict[str, str], output: str, *, strays: bool, show_diff: bool, show_report: bool) -> bool:
    from symbn.codegen.generate import compare
    from symbn.codegen.generate import diff as differences

    report = compare(files, output, mend=_command(ctx), strays=strays)
    if show_diff:
        changes = differences(files, output)
        if changes:
            emit(changes)
    if show_report:
        for line in report.lines:
            talk(line)
    return report.ok


def _command(ctx: click.Context) -> str:
    """The same command without --check and --diff."""
    from symbn.codegen.variant import Variant

    given = ctx.params
    asked = Variant("", given["mode"], given["order"], given["wrt"] or None, given["save"])
    words = ["symbn", "generate", *given["layers"], *asked.options]
    for option, values in (("-t", given["targets"]), ("--dtype", given["dtypes"])):
        words += [word for value in values for word in (option, value)]
    words += ["--templates", given["templates"]] if given["templates"] else []
    words += ["-o", given["output"]] if given["output"] != "generated" else []
    return shlex.join(words)


def _write(files: dict[str, str], output: str) -> None:
    from symbn.codegen.generate import write

    written = write(files, output)
    for path in written:
        talk(f"wrote {path}")
    same = len(files) - len(written)
    if same:
        talk(f"{same} file{'' if same == 1 else 's'} unchanged")
