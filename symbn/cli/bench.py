"""`symbn bench`."""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import PurePath
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from symbn.cli.output import emit
from symbn.cli.params import DTYPES, LayerName, Shape, what_to_derive

if TYPE_CHECKING:
    from symbn.tools.bench.task import Result, Task

COUNT = re.compile(r"[1-9][0-9]{0,3}")
DIRECTIONS = {"forward": ("forward",), "backward": ("backward",), "both": ("forward", "backward")}
REGIMES = {"reuse": ("reuse",), "default": ("default",), "both": ("reuse", "default")}


class Counts(click.ParamType):  # type: ignore[type-arg]
    """`1,2`, as numbers."""

    name = "n,..."

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        """Splits at commas."""
        if isinstance(value, tuple):
            return value
        parts = [part.strip() for part in str(value).split(",")]
        if not all(COUNT.fullmatch(part) for part in parts):
            self.fail(f"{value!r} should be numbers of threads, such as 1,2", param, ctx)
        return tuple(dict.fromkeys(int(part) for part in parts))


@click.command()
@click.argument("layers", metavar="[LAYER]...", type=LayerName(), nargs=-1)
@click.option("--shape", "shapes", type=Shape(), multiple=True, metavar="N=8192,C=1024", help="Extents of the axes; may be repeated.")
@click.option("--dtype", "dtypes", type=click.Choice(DTYPES), multiple=True, help="f32 unless said; may be repeated.")
@click.option("--threads", type=Counts(), metavar="N,...", help="How many may work at once; as many as there are cores unless said.")
@what_to_derive
@click.option("--direction", type=click.Choice(tuple(DIRECTIONS)), default="backward", show_default=True, help="The pass to time.")
@click.option("--regime", type=click.Choice(tuple(REGIMES)), default="reuse", show_default=True, help="What freed memory becomes.")
@click.option("--repeat", type=click.IntRange(1, 1000), default=15, show_default=True, help="Rounds.")
@click.option("--all", "all_", is_flag=True, help="The cases that symbn's own tables show.")
@click.option("--json", "as_json", is_flag=True, help="Data in place of a table.")
@click.option("--svg", metavar="FILE", help="Also draw a roofline; needs matplotlib.")
@click.option("-o", "output", metavar="FILE", help="Where to; stdout unless said.")
@click.pass_context
def bench(
    ctx: click.Context,
    *,
    layers: tuple[str, ...],
    shapes: tuple[dict[str, int], ...],
    dtypes: tuple[str, ...],
    threads: tuple[int, ...] | None,
    mode: str,
    order: int,
    wrt: tuple[str, ...],
    save: tuple[str, ...] | None,
    direction: str,
    regime: str,
    repeat: int,
    all_: bool,
    as_json: bool,
    svg: str | None,
    output: str | None,
) -> None:
    """Times generated C and NumPy beside PyTorch, inductor, JAX and oneDNN, where they are installed, and beside the memory floor.

    Each runs once first, and is timed only where its results are those of NumPy in double precision. Then come rounds, in each of which
    each runs once. Only ratios within one run compare: machines drift.

    With --regime reuse, freed memory stays with the process, as in a program that keeps its arrays; with default, glibc gives large blocks
    back, and who returns a new array waits for its pages.

    Exits with 1 where a kernel of symbn's own was wrong or could not be timed.
    """
    if bool(layers) == all_:
        raise click.UsageError("name a LAYER, or --all for the cases that symbn's own tables show")
    if all_ and (shapes or wrt or save is not None or (mode, order, direction) != ("vjp", 1, "backward")):
        raise click.UsageError("--all knows its layers, shapes and passes; it goes with --dtype, --threads, --regime and --repeat")
    from symbn.codegen.storage import DTYPES as NAMES
    from symbn.tools.bench import machine, plan, roofline, table
    from symbn.tools.bench.contenders import own_names
    from symbn.tools.bench.peers import absent
    from symbn.tools.bench.task import Bench

    if svg is not None:
        roofline.check_available()
    wanted = plan.Wanted(
        mode, order, wrt or None, save, DIRECTIONS[direction], tuple(NAMES[dtype] for dtype in dict.fromkeys(dtypes)) or ("float32",),
        threads or (machine.cores(),), repeat,
    )  # fmt: skip
    tasks = plan.every(wanted) if all_ else plan.plan(layers, shapes, wanted)
    results = sorted(_progress(tasks, REGIMES[regime]), key=lambda result: tasks.index(result.task))
    found = Bench(machine.describe(), absent(), tuple(results), _typed(ctx))
    emit(json.dumps(table.data(found), indent=1, sort_keys=True) if as_json else table.table(found), output)
    if svg is not None:
        emit(roofline.roofline(found), svg)
    ctx.exit(1 if any(result.timing(name) is None for result in results for name in own_names(result.task)) else 0)


def _typed(ctx: click.Context) -> str:
    """The command with what changes its numbers, without directories."""
    words = ["symbn", "bench", *(PurePath(layer).name for layer in ctx.params["layers"])]
    for option in ctx.command.params:
        given = option.name not in (None, "layers", "output", "svg", "as_json")
        if given and ctx.get_parameter_source(str(option.name)) is ParameterSource.COMMANDLINE:
            words += _words(option.opts[0], ctx.params[str(option.name)], repeats=option.multiple)
    return shlex.join(words)


def _words(name: str, value: object, *, repeats: bool) -> list[str]:
    """An option as it is typed."""
    if repeats and isinstance(value, tuple):
        return [word for each in value for word in _words(name, each, repeats=False)]
    if isinstance(value, dict):
        value = ",".join(f"{axis}={extent}" for axis, extent in value.items())
    if isinstance(value, tuple):
        value = ",".join(str(part) for part in value)
    return [name] if value is True else [name, str(value)]


def _progress(tasks: tuple[Task, ...], regimes: tuple[str, ...]) -> Iterator[Result]:
    """The results as they come, after a bar on a terminal."""
    from symbn.tools.bench.run import run

    found = run(tasks, regimes)
    if not sys.stderr.isatty():
        yield from found
        return
    with click.progressbar(found, length=len(tasks) * len(regimes), file=sys.stderr, item_show_func=_shown) as bar:
        yield from bar


def _shown(result: Result | None) -> str:
    return "" if result is None else f"{result.task.layer} {result.called}, {result.regime}"
