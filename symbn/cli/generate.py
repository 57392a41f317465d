"""`symbn generate`."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from symbn.cli.output import emit, talk
from symbn.cli.params import LayerName, TargetName
from symbn.errors import TargetError


@click.command()
@click.argument("layers", metavar="[LAYER]...", type=LayerName(), nargs=-1)
@click.option("-t", "--target", "targets", type=TargetName(), multiple=True, metavar="TARGET", help="Only this target; may be repeated.")
@click.option("-o", "output", default="generated", show_default=True, metavar="DIR", help="Where to; - prints the files.")
@click.option("--dtype", "dtypes", type=click.Choice(["f32", "f64"]), multiple=True, help="Only this type, where the target has several.")
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
    dtypes: tuple[str, ...],
    templates: str | None,
    check: bool,
    diff: bool,
    list_: bool,
) -> None:
    """Writes implementations of LAYERs or the catalogue."""
    from symbn.codegen import targets as table

    chosen = tuple(dict.fromkeys(targets)) or tuple(table.TARGETS)
    if list_:
        emit("\n".join(_names(layers, chosen, output)))
        return
    files = _files(layers, chosen, dtypes, templates)
    if output == "-":
        emit("\n".join(files.values()))
    elif check or diff:
        ctx.exit(0 if _same(ctx, files, output, strays=not layers, show_diff=diff, show_report=check or not diff) else 1)
    else:
        _write(files, output)


def _catalogue(layers: tuple[str, ...]) -> tuple[str, ...]:
    from symbn import catalogue

    return layers or catalogue.names()


def _names(layers: tuple[str, ...], targets: tuple[str, ...], output: str) -> list[str]:
    from symbn.codegen.targets import file_names
    from symbn.language import load_layer

    found = [load_layer(layer).name for layer in _catalogue(layers)]
    return [str(Path(output, name)) for layer in found for target in targets for name in _placed(target, file_names(layer, target))]


def _placed(target: str, names: tuple[str, ...]) -> list[str]:
    """Each target has a folder of its own."""
    return [f"{target}/{name}" for name in names]


def _files(layers: tuple[str, ...], targets: tuple[str, ...], dtypes: tuple[str, ...], templates: str | None) -> dict[str, str]:
    from symbn import api
    from symbn.codegen.generate import render
    from symbn.codegen.targets import DTYPES, target_named

    for target in targets:
        target_named(target)  # an unknown one is refused before any work is done
    files: dict[str, str] = {}
    for spec in _catalogue(layers):
        derivation = api.derive(spec, steps=False).derivation
        for target in targets:
            made = render(derivation, target, dtypes=dtypes or DTYPES, templates_dir=templates)
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
    given = ctx.params
    words = ["symbn", "generate", *given["layers"]]
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
