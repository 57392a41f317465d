"""`symbn derive`."""

from __future__ import annotations

import click

from symbn.cli.output import emit, takes_unicode, talk
from symbn.cli.params import LayerName, what_to_derive
from symbn.errors import UnsupportedError

FORMATS = ("text", "latex", "markdown", "html", "json")


@click.command()
@click.argument("layer", type=LayerName())
@what_to_derive
@click.option("--steps/--no-steps", default=True, show_default=True, help="Show the derivation step by step.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True, help="How to print it.")
@click.option("-o", "output", metavar="FILE", help="Write to FILE instead of standard output (-).")
@click.pass_context
def derive(
    ctx: click.Context,
    *,
    layer: str,
    wrt: tuple[str, ...],
    mode: str,
    order: int,
    save: tuple[str, ...] | None,
    steps: bool,
    form: str,
    output: str | None,
) -> None:
    """Derives LAYER step by step, and verifies it.

    Shows the definitions, the steps with their reasons and the compact result, and closes with how it was verified; exits with 1 if it was
    not.

    Text is Unicode mathematics on a terminal, and the layer language where it is piped or written to a file.
    """
    from symbn import api, oracle
    from symbn.report import render

    result = api.derive(layer, wrt=wrt or None, mode=mode, order=order, save=save, steps=steps)
    verification = oracle.verify_derivation(result.derivation)
    unicode = output is None and takes_unicode()
    emit(render(result.derivation, verification, form=form, steps=steps, unicode=unicode), output)
    if output not in (None, "-"):
        talk(verification.line)
    if not verification.ok and verification.failure is None:
        raise UnsupportedError(
            f"found no input at which '{result.derivation.layer.name}' and its derivative have a value",
            hint="look at its roots, logarithms, divisions and assumptions",
        )
    if not verification.ok:
        talk("error: the result disagrees with the oracle; this is a defect in symbn, please report it")
        ctx.exit(1)
