"""Settings every test shares, the switch that makes a skipped test a failure, and projects with vendored layers."""

from __future__ import annotations

import gc
import os
import platform
import shutil
from pathlib import Path

import pytest
from hypothesis import settings

from symbn.cli import COLLECT_AFTER
from symbn.tools import vendor

# The machines that run this are shared and slow at times: a deadline would fail on the neighbors' load.
settings.register_profile("symbn", deadline=None)
settings.load_profile("symbn")


def pytest_configure() -> None:
    """Kernels are compiled for this processor alone, which takes a third of the time; SYMBN_PORTABLE=1 has them as users get them.

    Python collects garbage as seldom as in the command line.
    """
    gc.set_threshold(*COLLECT_AFTER)
    gcc = shutil.which("gcc")
    if gcc is not None and platform.machine() == "x86_64" and os.environ.get("SYMBN_PORTABLE") != "1":
        os.environ.setdefault("CC", f"{gcc} -march=native")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """With SYMBN_NO_SKIPS=1, a run in which anything was skipped fails, and says what."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter is not None else []
    if os.environ.get("SYMBN_NO_SKIPS") == "1" and skipped:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Names what was skipped, where skipping is not allowed."""
    skipped = terminalreporter.stats.get("skipped", [])
    if os.environ.get("SYMBN_NO_SKIPS") != "1" or not skipped:
        return
    terminalreporter.section("skipped, and SYMBN_NO_SKIPS=1 forbids it", red=True)
    for report in skipped:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        terminalreporter.write_line(f"{report.nodeid}: {reason}")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project, which is also where commands run."""
    monkeypatch.chdir(tmp_path)
    return Path("kernels")


@pytest.fixture(scope="session")
def vendored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("vendored") / "kernels"
    vendor.add(["mse", "softmax"], "c", vendor.Options(dtypes=("f64",)), directory)
    return directory


@pytest.fixture
def two(place: Path, vendored: Path) -> Path:
    """A directory with two vendored layers."""
    shutil.copytree(vendored, place)
    return place
