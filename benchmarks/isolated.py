"""Runs a function in a fork of this process, so that no measurement finds the caches of the one before.

In: a function without arguments whose value JSON can hold.  Out: its value and the processor seconds it took.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from typing import Any


def isolated(work: Callable[[], Any]) -> tuple[float, Any]:
    """Processor seconds and value. RuntimeError with the child's own words where it fails."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        try:
            start = time.process_time()
            value = work()
            message = {"seconds": time.process_time() - start, "value": value}
        except BaseException as error:
            message = {"error": f"{type(error).__name__}: {error}"}
        with os.fdopen(writer, "w") as stream:
            json.dump(message, stream)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as stream:
        text = stream.read()
    os.waitpid(child, 0)
    message = json.loads(text or '{"error": "the measured process ended without a word"}')
    if "error" in message:
        raise RuntimeError(message["error"])
    return message["seconds"], message["value"]
