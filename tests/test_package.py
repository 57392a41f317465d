"""symbn works from a checkout, from an editable install and from a built wheel, each with its templates and its catalogue."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import symbn

ROOT = Path(__file__).parents[1]
# Run with the folder to import from: what is found there must derive and generate without the checkout's help.
USE = """
import sys
from pathlib import Path
folder = Path(sys.argv[1]).resolve()
if sys.argv[2] == "pth":
    import site
    sys.path[:] = [entry for entry in sys.path if not (Path(entry or ".") / "symbn" / "__init__.py").is_file()]
    site.addsitedir(str(folder))
else:
    sys.path.insert(0, str(folder))
import symbn
print(Path(symbn.__file__).resolve().parent)
from symbn.cli import main
main(["generate", "batchnorm", "-o", sys.argv[3]])
"""


def run_from(folder: Path, kind: str, out: Path) -> Path:
    """Generates with the package found in `folder`, from a working directory that has nothing; gives the package's folder."""
    elsewhere = out.parent / "elsewhere"
    elsewhere.mkdir()
    command = [sys.executable, "-P", "-c", USE, str(folder), kind, str(out)]
    done = subprocess.run(command, cwd=elsewhere, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.splitlines()[0])


def files(folder: Path) -> dict[str, bytes]:
    """Every file below a folder by its relative name."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What the checkout generates."""
    out = tmp_path_factory.mktemp("checkout") / "generated"
    assert run_from(ROOT, "path", out) == ROOT / "symbn"
    found = files(out)
    assert {"numpy/batchnorm.py", "c/batchnorm.h", "c/batchnorm.c", "latex/batchnorm.tex"} <= set(found)
    return found


@pytest.fixture(scope="module")
def hatchling() -> None:
    """Skips without the build backend."""
    for module in ("hatchling", "editables"):
        pytest.importorskip(module, reason=f"{module} is not installed: the wheel and the editable install are not built")


def build(kind: str, folder: Path) -> Path:
    """Builds a wheel with the backend itself, in a process of its own, and unpacks it."""
    code = f"import hatchling.build, sys; print(hatchling.build.build_{kind}(sys.argv[1]))"
    done = subprocess.run([sys.executable, "-c", code, str(folder)], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    unpacked = folder / "unpacked"
    with zipfile.ZipFile(folder / done.stdout.split()[-1]) as wheel:
        wheel.extractall(unpacked)
    return unpacked


def test_the_checkout_s_files_are_the_committed_ones(expected: dict[str, bytes]) -> None:
    for name, content in expected.items():
        assert (ROOT / "generated" / name).read_bytes() == content, name


@pytest.mark.usefixtures("hatchling")
def test_a_built_wheel_generates_the_same_files(expected: dict[str, bytes], tmp_path: Path) -> None:
    unpacked = build("wheel", tmp_path)
    assert run_from(unpacked, "path", tmp_path / "generated") == unpacked / "symbn"
    assert files(tmp_path / "generated") == expected


@pytest.mark.usefixtures("hatchling")
def test_an_editable_install_generates_the_same_files(expected: dict[str, bytes], tmp_path: Path) -> None:
    unpacked = build("editable", tmp_path)
    assert run_from(unpacked, "pth", tmp_path / "generated") == ROOT / "symbn"
    assert files(tmp_path / "generated") == expected


@pytest.mark.usefixtures("hatchling")
def test_the_wheel_holds_the_package_and_nothing_else(tmp_path: Path) -> None:
    unpacked = build("wheel", tmp_path)
    assert sorted(path.name for path in unpacked.iterdir()) == ["symbn", f"symbn-{symbn.__version__}.dist-info"]
    assert (unpacked / "symbn" / "py.typed").is_file()
    ours, theirs = (files(place / "symbn" / "layers") for place in (ROOT, unpacked))
    assert {name for name in ours if name.endswith(".py")} == set(theirs)
    assert set(files(ROOT / "templates")) == set(files(unpacked / "symbn" / "templates"))


NO_OLD_SYMPY = "SYMBN_OLD_SYMPY names no folder with SymPy 1.13: only the installed one is tested"


@pytest.mark.skipif("SYMBN_OLD_SYMPY" not in os.environ, reason=NO_OLD_SYMPY)
def test_sympy_1_13_generates_the_same_files_for_the_whole_catalogue() -> None:
    path = os.pathsep.join([os.environ["SYMBN_OLD_SYMPY"], str(ROOT)])
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": "7"}
    code = "import sympy; from symbn.cli import main; assert sympy.__version__.startswith('1.13.'); main(['generate', '--check'])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr


def test_sympy_jinja_numpy_and_click_are_the_only_requirements() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert sorted(line.partition(">")[0] for line in project["dependencies"]) == ["click", "jinja2", "numpy", "sympy"]


def test_every_public_name_is_there() -> None:
    assert [name for name in symbn.__all__ if getattr(symbn, name, None) is None] == []
    assert set(symbn.__all__) == set(dir(symbn))
    with pytest.raises(AttributeError, match="has no attribute 'lode'"):
        getattr(symbn, "lode")  # noqa: B009


def test_importing_symbn_loads_nothing_heavy() -> None:
    code = "import symbn, sys; print(sorted({'sympy', 'numpy', 'jinja2', 'click'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True, env=dict(os.environ))
    assert done.stdout.strip() == "[]"
