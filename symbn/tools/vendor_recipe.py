"""What a vendored kernel is made from.

In: a layer as the user names it, and what is asked of it.  Out: a Recipe: the layer's text and the options, complete in itself, from which
any machine makes the same files.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from symbn import catalogue
from symbn.codegen.variant import Variant, variant_named
from symbn.errors import TargetError
from symbn.language import parse_layer
from symbn.language.load import STDIN, catalogue_file, find_layer, read_source
from symbn.layer import Layer


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a layer's definition is: in the `catalogue`, or at `path` as seen from the vendored files ("" for nowhere: standard input).

    `text` is that file's content, which serves when the file has gone.
    """

    catalogue: bool
    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for, beside the layer and the target; None stands for what symbn does by itself."""

    dtypes: tuple[str, ...] | None = None
    prefix: str | None = None
    single_header: bool = False
    license_header: str = ""


@dataclass(frozen=True, slots=True)
class Recipe:
    """One derivative of one layer, for one target."""

    variant: Variant
    target: str
    options: Options
    origin: Origin

    @property
    def command(self) -> str:
        """The command that makes the files in an empty directory; DIR and FILE stand for the user's own."""
        name = PurePosixPath(self.origin.path).name
        spec = f"{name}:{self.variant.layer}" if name else self.variant.layer if self.origin.catalogue else "-"
        options = self.options
        words = ["symbn", "vendor", spec, "-t", self.target, *self.variant.options]
        words += [word for dtype in options.dtypes or () for word in ("--dtype", dtype)]
        words += ["--prefix", options.prefix or "''"] if options.prefix is not None else []
        words += ["--single-header"] if options.single_header else []
        words += ["--license-header", "FILE"] if options.license_header else []
        return " ".join([*words, "--into", "DIR"])

    def parsed(self) -> Layer:
        """The layer. Raises LayerError."""
        name = self.variant.layer
        file = catalogue_file(name) if self.origin.catalogue else self.origin.path or STDIN
        return parse_layer(self.origin.text, file=file, function=name)


def recipe(spec: str, target: str, options: Options, directory: Path, **asked: Any) -> Recipe:
    """The recipe for a layer as the user names it, to be kept in `directory`; `asked` is what `variant_named` takes. Raises LayerError."""
    found = find_layer(spec)
    layer = parse_layer(found.text, file=found.file, function=found.function)
    ours = found.file == catalogue_file(layer.name)
    path = "" if ours or found.file == STDIN else _relative(Path(found.file), directory)
    return Recipe(variant_named(layer, **asked), target, options, Origin(ours, path, found.text))


def renewed(old: Recipe, directory: Path) -> Recipe:
    """The recipe with the definition as it is today; the text that it holds where the source has gone."""
    origin = old.origin
    if origin.catalogue:
        name = old.variant.layer
        text = catalogue.source(name) if name in catalogue.names() else origin.text
    else:
        file = directory / origin.path
        text = read_source(str(file)) if origin.path and file.is_file() else origin.text
    return replace(old, origin=replace(origin, text=text))


def _relative(path: Path, directory: Path) -> str:
    """The path from `directory`, the same on every machine that has both in the same places."""
    try:
        found = os.path.relpath(path.resolve(), directory.resolve())
    except ValueError as error:  # another drive
        raise TargetError(f"{path} cannot be named from {directory}", hint="have both on one drive") from error
    return found.replace(os.sep, "/")
