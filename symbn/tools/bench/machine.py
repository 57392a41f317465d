"""The machine in general words: what a reader needs to judge a table, and nothing that says whose it is.

In: nothing.  Out: words by name.
"""

from __future__ import annotations

import os
import platform
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from symbn.tools import compiler

PACKAGES = {"symbn": "symbn", "NumPy": "numpy", "PyTorch": "torch", "JAX": "jax", "oneDNN": "onednn-cpu-gomp"}
CACHE = Path("/sys/devices/system/cpu/cpu0/cache")


def describe() -> dict[str, str]:
    """Processor, cores, caches, system, compiler and versions."""
    found = {
        "processor": _processor(),
        "cores": str(cores()),
        "last-level cache": _cache(),
        "system": platform.system(),
        "compiler": compiler.find().version(),
        "Python": platform.python_version(),
    }
    for name, package in PACKAGES.items():
        with suppress(PackageNotFoundError):
            found[name] = version(package)
    return {name: value for name, value in found.items() if value}


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _processor() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()


def _cache() -> str:
    """The size of the largest cache, such as 32768K."""
    with suppress(OSError):
        levels = sorted(CACHE.glob("index*"))
        return levels[-1].joinpath("size").read_text(encoding="ascii").strip() if levels else ""
    return ""
