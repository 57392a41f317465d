"""The command line: click commands, one file each, without logic of their own.

In: arguments.  Out: data on stdout, talk on stderr, and an exit status (0 done or yes, 1 no, 2 wrong use or bad input, 3 undecided).

Nothing here imports SymPy, NumPy or Jinja at the top of a file: help, `list` and shell completion answer at once.
"""

from __future__ import annotations

import gc
import os
import sys
import traceback
from typing import NoReturn

import click

from symbn._version import __version__
from symbn.cli.bench import bench
from symbn.cli.check import check
from symbn.cli.derive import derive
from symbn.cli.doctor import doctor
from symbn.cli.generate import generate
from symbn.cli.listing import list_
from symbn.cli.vendor import vendor
from symbn.cli.verify import verify
from symbn.errors import SymbnError

# Terms are many and refer to no circle: to look for circles as often as Python does took a quarter of a derivation's time.
COLLECT_AFTER = (100_000, 20, 50)
DEFECT = 70  # EX_SOFTWARE of sysexits.h: a defect in symbn, which must not read as "no"


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="symbn", message="%(prog)s %(version)s")
def cli() -> None:
    """Derives the backward pass of a layer from its definition.

    LAYER is a name in the catalogue (`symbn list`), FILE.py, FILE.py:FUNCTION, or - for standard input.

    Exit status: 0 done, 1 no (a check failed), 2 wrong use or bad input, 3 undecided.
    """


for _command in (list_, derive, check, generate, verify, vendor, bench, doctor):
    cli.add_command(_command)


def main(args: list[str] | None = None) -> NoReturn:
    """Runs one command line and exits; nothing a user does ends in a traceback."""
    gc.set_threshold(*COLLECT_AFTER)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    sys.exit(_run(args))


def _run(args: list[str] | None) -> int:
    """The exit status of one command line."""
    try:
        status = cli.main(args=args, prog_name="symbn", standalone_mode=False)
        return status if isinstance(status, int) else 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return _fail("interrupted", status=130)
    except SymbnError as error:
        return _fail(str(error))
    except OSError as error:
        return _fail(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except (RecursionError, MemoryError):
        return _fail("the input is too large or too deeply nested to work on")
    except Exception as error:
        if os.environ.get("SYMBN_TRACEBACK"):
            traceback.print_exc()
        return _fail(
            f"a defect in symbn: {type(error).__name__}: {error}\nset SYMBN_TRACEBACK=1 to see where, and please report it", status=DEFECT
        )


def _fail(message: str, *, status: int = 2) -> int:
    click.echo(f"error: {message}", err=True)
    return status
