"""`symbn check`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from symbn.cli.output import emit, talk
from symbn.cli.params import LayerName, Pairs, what_to_derive
from symbn.errors import EquationError, SymbnError

if TYPE_CHECKING:
    from symbn.proof import Question

STANDARD_INPUT = "-"


@click.command()
@click.argument("layer", type=LayerName())
@click.argument("equations", metavar="[EQUATION]...", nargs=-1)
@click.option("-f", "--file", "files", multiple=True, metavar="FILE", help="Read equations, one a line; code and LaTeX as a whole.")
@click.option("--numpy", is_flag=True, help="The equations are NumPy or PyTorch code; it is read, never run.")
@click.option("--latex", is_flag=True, help="The equations are LaTeX.")
@click.option("--let", "lets", type=Pairs(), multiple=True, metavar="THEIRS=OURS", help="A name of theirs for one of the layer's.")
@click.option("--assume", multiple=True, metavar="EQUATION", help="A further assumption, such as gamma == 1 or N == 2.")
@click.option("--same-as", "other", type=LayerName(), metavar="LAYER", help="Ask whether another layer has the same outputs.")
@click.option("--certificate", metavar="FILE", help="Write the proofs; without EQUATION, of what is derived (with the options below).")
@what_to_derive
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def check(
    ctx: click.Context,
    *,
    layer: str,
    equations: tuple[str, ...],
    files: tuple[str, ...],
    numpy: bool,
    latex: bool,
    lets: tuple[tuple[str, str], ...],
    assume: tuple[str, ...],
    other: str | None,
    certificate: str | None,
    wrt: tuple[str, ...],
    mode: str,
    order: int,
    save: tuple[str, ...] | None,
    as_json: bool,
) -> None:
    """Decides equations about LAYER, for every extent and all values.

    An EQUATION is `left = right` over the layer's names and those of its derivatives: dx, dsigma2_dx, y_dot, grad_x, ... The answer is
    EQUAL, proved; NOT EQUAL, with the smallest witness and a hint; EQUAL WHEN a condition holds; or UNDECIDED.

    Exit status: 0 all EQUAL, 1 one is not, 2 an equation cannot be read, 3 one is undecided.
    """
    from symbn import api, proof

    if numpy and latex:
        raise click.UsageError("an equation is NumPy or LaTeX, not both")
    form = "numpy" if numpy else "latex" if latex else "text"
    if lets and form == "text" and other is None:
        raise click.UsageError("--let goes with --numpy, --latex or --same-as")
    source = api.load(layer)
    asked: list[proof.Question] = []
    for text, file in _texts(equations, files, form):
        asked += proof.questions(source, text, form=form, lets=dict(lets), assume=assume, file=file)
    if other is not None:
        asked += proof.same_outputs(source, api.load(other), lets=dict(lets), assume=assume)
    elif certificate is not None and not asked:
        asked += proof.derived(source, assume=assume, wrt=wrt or None, mode=mode, order=order, save=save)
    if not asked:
        raise click.UsageError("no EQUATION is given")
    verdicts = []
    for question in asked:
        verdicts.append(proof.decide(question))
        if not as_json:
            emit("\n".join(verdicts[-1].lines))
    verdict = proof.together(tuple(verdicts))
    if as_json:
        emit(json.dumps({"schema": 1, **verdict.data}, indent=2, sort_keys=True))
    if certificate is not None:
        _certify(certificate, [question for question, each in zip(asked, verdicts, strict=True) if each.status == proof.EQUAL])
    ctx.exit(verdict.exit_code)


def _texts(equations: Sequence[str], files: Sequence[str], form: str) -> list[tuple[str, str]]:
    """Each text with what it is called in messages."""
    found = [(text, "equation") for text in equations]
    for name in files:
        content = _content(name)
        if form != "text":
            found.append((content, name))
            continue
        lines = [line.partition("#")[0].strip() for line in content.splitlines()]
        found += [(line, f"{name}:{number}") for number, line in enumerate(lines, 1) if line]
        if not any(lines):
            raise EquationError(f"{name} holds no equation", hint="write one a line; # starts a comment")
    return found


def _content(name: str) -> str:
    try:
        return sys.stdin.read() if name == STANDARD_INPUT else Path(name).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise SymbnError(f"{name} is not UTF-8 text") from error


def _certify(path: str, proved: Sequence[Question]) -> None:
    from symbn.proof import certificate

    if not proved:
        talk("no certificate is written: nothing was proved")
        return
    parts = certificate.certificates(proved)
    emit(certificate.certificate_text(parts), path)
    if path != STANDARD_INPUT:
        talk(f"certificate {certificate.short_hash(parts)}")
