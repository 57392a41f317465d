"""`symbn list`."""

from __future__ import annotations

import json

import click

from symbn.cli.output import emit


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(*, as_json: bool) -> None:
    """Lists the catalogue's layers, and the targets."""
    from symbn import catalogue
    from symbn.codegen.targets import TARGETS

    layers = {name: catalogue.summary(name) for name in catalogue.names()}
    targets = {name: target.summary for name, target in TARGETS.items()}
    if as_json:
        emit(json.dumps({"layers": layers, "schema": 1, "targets": targets}, indent=2, sort_keys=True))
    else:
        emit("\n".join(["Layers", *_rows(layers), "", "Targets", *_rows(targets)]))


def _rows(table: dict[str, str]) -> list[str]:
    width = max(map(len, table), default=0)
    return [f"  {name:<{width}}  {summary}" for name, summary in table.items()]
